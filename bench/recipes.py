#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the recipes of glia train reach on MNIST, and in which time: whole processes, several seeds.

usage: bench/recipes.py [--glia PROGRAM] [--recipes fast,plain,...] [--seeds 5] [--threads 2]
                        [--write PAGE]

Each process reads the files, trains on all 60,000 images, looks at the test set once, at its end, and
saves the model. Seconds are those of the whole process, files in the page cache.
"""
import argparse
import os
import statistics
import tempfile
import time

from common import GLIA, ROOT, ask_glia, median, number, publish, say, table

RECIPES = "fast,plain,dropout,ninety-nine,simard"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--glia", default=GLIA)
    parser.add_argument("--recipes", default=RECIPES)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--write", metavar="PAGE")
    options = parser.parse_args()

    build = os.path.join(ROOT, "build")
    os.makedirs(build, exist_ok=True)
    rows = []
    with tempfile.TemporaryDirectory(dir=build, prefix="bench-") as scratch:
        model = os.path.join(scratch, "model.safetensors")
        for recipe in options.recipes.split(","):
            errors, seconds, rates = [], [], []
            for seed in range(1, options.seeds + 1):
                begun = time.perf_counter()
                report = ask_glia(options.glia, "train", "mnist", "--recipe", recipe, "--seed", seed,
                                  "--threads", options.threads, "--quiet", "--offline", "-o", model)
                seconds.append(time.perf_counter() - begun)
                if report is None:
                    raise SystemExit(1)
                errors.append(100 * report["test_error"])
                rates.append(report["samples_per_second"])
                say(f"{recipe}, seed {seed}: {errors[-1]:.2f} %, {seconds[-1]:.2f} s")
            layers = ask_glia(options.glia, "inspect", model)["layers"]
            network = "-".join(str(n) for n in [layers[0]["inputs"], *(l["units"] for l in layers)])
            deviation = statistics.stdev(errors) if len(errors) > 1 else 0
            rows.append([recipe, network, f"{statistics.mean(errors):.2f}", f"{deviation:.2f}",
                         f"{min(errors):.2f}", f"{median(errors):.2f}", f"{max(errors):.2f}",
                         f"{median(seconds):.2f}", f"{max(seconds):.2f}",
                         number(median(rates) / 1000)])
    publish(f"### Test error in %, seeds 1 to {options.seeds}\n\n" + table(
        ["recipe", "network", "mean", "sd", "lowest", "median", "highest", "seconds, median",
         "longest", "thousand samples/s"], rows), options.write)


if __name__ == "__main__":
    main()
