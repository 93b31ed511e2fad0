#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Wall time of glia train mnist --recipe fast as a whole process: from files to the saved model.

usage: bench/recipe.py [--glia PROGRAM] [--seeds 5] [--rounds 3] [--write PAGE]

From uncompressed files and from .gz ones, in turn, all in the page cache. The time of a seed is the
median of its rounds. Accuracy is on the test set, which each process looks at once, at its end.
"""
import argparse
import gzip
import os
import shutil
import tempfile
import time

from common import FILES, GLIA, ROOT, ask_glia, median, plain_environment, publish, say, table, \
    uncompress_mnist

KINDS = {"plain": "uncompressed", "gz": ".gz"}


def compress(source, target):
    os.makedirs(target)
    for name in FILES:
        with open(os.path.join(source, name), "rb") as f, \
                gzip.open(os.path.join(target, name + ".gz"), "wb") as out:
            shutil.copyfileobj(f, out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--glia", default=GLIA)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--write", metavar="PAGE")
    options = parser.parse_args()

    build = os.path.join(ROOT, "build")
    os.makedirs(build, exist_ok=True)
    rows, medians, accuracies = [], {kind: [] for kind in KINDS}, []
    with tempfile.TemporaryDirectory(dir=build, prefix="bench-") as scratch:
        plain = os.path.join(scratch, "plain", "mnist")
        uncompress_mnist(plain)
        compress(plain, os.path.join(scratch, "gz", "mnist"))
        for seed in range(1, options.seeds + 1):
            say(f"seed {seed}")
            seconds = {kind: [] for kind in KINDS}
            for _ in range(options.rounds):
                for kind, times in seconds.items():
                    env = {**plain_environment(), "GLIA_DATA": os.path.join(scratch, kind)}
                    begun = time.perf_counter()
                    report = ask_glia(options.glia, "train", "mnist", "--recipe", "fast", "--seed",
                                      seed, "--threads", options.threads, "--quiet", "--offline",
                                      "-o", os.path.join(scratch, "model.safetensors"), env=env)
                    times.append(time.perf_counter() - begun)
                    if report is None:
                        raise SystemExit(1)
            accuracies.append(report["test_accuracy"])
            for kind, times in seconds.items():
                medians[kind].append(median(times))
            rows.append([f"seed {seed}", *(f"{values[-1]:.3f}" for values in medians.values()),
                         f"{report['test_accuracy']:.2%}", str(report["epochs"])])
    rows.append(["median", *(f"{median(values):.3f}" for values in medians.values()),
                 f"{median(accuracies):.2%}", ""])
    rows.append(["worst", *(f"{max(values):.3f}" for values in medians.values()),
                 f"{min(accuracies):.2%}", ""])
    publish("### `glia train mnist --recipe fast`, seconds of the whole process\n\n" + table(
        ["", *KINDS.values(), "test accuracy", "epochs"], rows), options.write)


if __name__ == "__main__":
    main()
