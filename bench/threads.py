#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a second thread brings, over widths and batches, and what a busy neighbour costs.

usage: bench/threads.py [--glia PROGRAM] [--rounds 3] [--widths 8,...] [--batches 1,...]
                        [--write PAGE]

Training of 784-WIDTH-10 on MNIST in f32. One thread and two run in turn; medians count. The
neighbour is a process that spins, bound to one core.
"""
import argparse
import os
import subprocess
import sys

from common import GLIA, ask_glia, median, mnist_folder, number, publish, say, table

WIDTHS = [8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096]
BATCHES = [1, 4, 16, 32, 64, 128, 256, 1024]
DISTURBED = [(32, 16), (256, 64), (256, 128), (256, 1024)]  # width, batch


def rates(options, width, batches, threads):
    """{batch: samples a second}"""
    report = ask_glia(options.glia, "bench", "--network", f"784-{width}-10", "--batch",
                      ",".join(map(str, batches)), "--precision", "f32", "--threads", threads,
                      "--data", "mnist", "--train", "--seconds", options.seconds, "--offline")
    if report is None:
        sys.exit(1)
    return {row["batch"]: row["samples_per_second"] for row in report["train"]}


def speedups(options):
    rows, lowest = [], (float("inf"), "")
    for width in options.widths:
        measured = {1: [], 2: []}
        for i in range(options.rounds):
            say(f"width {width}, round {i + 1}")
            for threads, values in measured.items():
                values.append(rates(options, width, options.batches, threads))
        row = [str(width)]
        for batch in options.batches:
            one, two = (median([rate[batch] for rate in measured[n]]) for n in (1, 2))
            row.append(f"{two / one:.2f}")
            lowest = min(lowest, (two / one, f"width {width}, batch {batch}"))
        rows.append(row)
    return (table(["width \\ batch", *map(str, options.batches)], rows)
            + f"\n\nThe lowest: {lowest[0]:.2f} ({lowest[1]}).")


def neighbour():
    """A process that spins on the last core that we may use."""
    core = max(os.sched_getaffinity(0))
    return subprocess.Popen([sys.executable, "-c", f"import os\nos.sched_setaffinity(0, [{core}])\n"
                             "while True: pass"])


def disturbances(options):
    rows = []
    for width, batch in DISTURBED:
        quiet, busy, alone = [], [], []
        for i in range(options.rounds):
            say(f"width {width}, batch {batch}, with a neighbour, round {i + 1}")
            quiet.append(rates(options, width, [batch], 2)[batch])
            spinning = neighbour()
            try:
                busy.append(rates(options, width, [batch], 2)[batch])
                alone.append(rates(options, width, [batch], 1)[batch])
            finally:
                spinning.kill()
                spinning.wait()
        rows.append([f"784-{width}-10, batch {batch}", *map(number, map(median, (quiet, busy))),
                     f"{median(quiet) / median(busy):.2f}", number(median(alone))])
    return table(["", "2 threads, alone", "2 threads, neighbour", "slower by",
                  "1 thread, neighbour"], rows)


def main():
    def counts(text):
        return [int(item) for item in text.split(",")]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--glia", default=GLIA)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.2, help="a measurement takes")
    parser.add_argument("--widths", type=counts, default=WIDTHS)
    parser.add_argument("--batches", type=counts, default=BATCHES)
    parser.add_argument("--write", metavar="PAGE")
    options = parser.parse_args()
    mnist_folder()
    publish("\n".join([
        "### Two threads: how many times as fast as one", "", speedups(options),
        "", "### With a process that spins on one of the cores, samples a second", "",
        disturbances(options)]), options.write)


if __name__ == "__main__":
    main()
