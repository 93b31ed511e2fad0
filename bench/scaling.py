#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How the time of an epoch and memory grow with the number of samples.

usage: bench/scaling.py [--glia PROGRAM] [--rounds 3] [--times 1,2,4,8,16] [--write PAGE]

MNIST's training images, once to 16 times, in a folder of IDX files below build/ that is deleted
afterwards (760 MB). Own memory is what the process has allocated (RssAnon), mapped memory the part
of the files that lies in the page cache (RssFile); the largest of both while it runs.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time

from common import (FILES, GLIA, ROOT, median, number, plain_environment, publish, say, table,
                    uncompress_mnist)

EPOCHS = 2


def repeat(source, target, times):
    """Writes the data set with its training samples so many times."""
    os.makedirs(target, exist_ok=True)
    for name in FILES:
        with open(os.path.join(source, name), "rb") as f:
            content = f.read()
        copies = times if name.startswith("train") else 1
        header = 16 if "images" in name else 8
        count = int.from_bytes(content[4:8], "big") * copies
        with open(os.path.join(target, name), "wb") as f:
            f.write(content[:4] + count.to_bytes(4, "big") + content[8:header])
            for _ in range(copies):
                f.write(content[header:])
    return count_of(target)


def count_of(folder):
    with open(os.path.join(folder, FILES[0]), "rb") as f:
        return int.from_bytes(f.read(8)[4:], "big")


def memory(pid, largest):
    """Raises largest, {field: kB}, to what the process has now."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            status = f.read()
    except OSError:
        return
    for field in largest:
        found = re.search(rf"^{field}:\s+(\d+) kB", status, re.MULTILINE)
        if found:
            largest[field] = max(largest[field], int(found[1]))


def train(options, folder, scratch):
    """(seconds an epoch, own MB, mapped MB)"""
    process = subprocess.Popen(
        [options.glia, "train", folder, "--hidden", "256", "--batch", "128", "--epochs",
         str(EPOCHS), "--threads", "2", "--lr", "0.01", "--json", "--quiet", "-o",
         os.path.join(scratch, "model.safetensors")],
        stdout=subprocess.PIPE, text=True, env=plain_environment())
    largest = {"RssAnon": 0, "RssFile": 0}
    while process.poll() is None:
        memory(process.pid, largest)
        time.sleep(0.005)
    report = process.stdout.read()
    process.stdout.close()
    if process.returncode != 0:
        sys.exit(process.returncode)
    report = json.loads(report)
    return (report["samples"] / report["samples_per_second"] / report["epochs"],
            largest["RssAnon"] / 1024, largest["RssFile"] / 1024)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--glia", default=GLIA)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--times", type=lambda text: [int(item) for item in text.split(",")],
                        default=[1, 2, 4, 8, 16])
    parser.add_argument("--write", metavar="PAGE")
    options = parser.parse_args()

    build = os.path.join(ROOT, "build")
    os.makedirs(build, exist_ok=True)
    rows, first = [], None
    with tempfile.TemporaryDirectory(dir=build, prefix="bench-") as scratch:
        mnist, repeated = os.path.join(scratch, "mnist"), os.path.join(scratch, "repeated")
        uncompress_mnist(mnist)
        for times in options.times:
            samples = repeat(mnist, repeated, times)
            say(f"{samples} samples")
            runs = [train(options, repeated, scratch) for _ in range(options.rounds)]
            seconds, own, mapped = map(median, zip(*runs))
            first = first or seconds / samples
            rows.append([number(samples), number(seconds, 3),
                         f"{seconds / samples / first:.2f}", number(own, 1), number(mapped)])
    publish("### Epochs over more samples\n\n784-256-10, batch 128, 2 threads\n\n" + table(
        ["samples", "s an epoch", "per sample, first = 1", "own memory, MB", "mapped, MB"], rows),
        options.write)


if __name__ == "__main__":
    main()
