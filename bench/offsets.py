#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whether a target far from zero is learned, scored and answered as well as the same one near zero.

usage: bench/offsets.py [--glia PROGRAM] [--seeds 3] [--write PAGE]

The target is 3 a - 2 b with noise, once as it is and once with what dates and amounts have on top: Unix
seconds and milliseconds, Julian days, cents about a hundred million. `glia train` learns it from 400
rows and scores it on 100 others; `glia predict` answers those, and R2 is computed again from the
printed answers by scikit-learn's r2_score (from PyPI, in build/bench-venv; else by the same formula).
Differences are of the R2 without the offset, and of what glia said of its own score.
"""
import argparse
import csv
import json
import os
import random
import statistics
import subprocess
import tempfile

from common import GLIA, ROOT, ask_glia, number, plain_environment, prepare_venv, publish, table

# name: what is added, the standard deviation without it, decimals
TARGETS = {"Unix seconds": (1700000000, 96, 0), "Unix milliseconds": (1700000000000, 96000, 0),
           "Julian days": (2460310, 0.5, 5), "cents of 1e8": (100000000, 310, 0)}
ROWS = {"train": 400, "test": 100}
SCORE = ("import json, sys; from sklearn.metrics import r2_score; "
         "print(r2_score(*json.load(sys.stdin)))")


def write_table(path, rows, spread, decimals, offset, seed):
    rng = random.Random(seed)
    with open(path, "w", newline="", encoding="utf-8") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(["a", "b", "c", "y"])
        for _ in range(rows):
            a, b, c = (rng.gauss(0, 1) for _ in range(3))
            y = round((3 * a - 2 * b + rng.gauss(0, 0.2)) * spread / 3.6, decimals)
            y = offset + (y if decimals else int(y))
            out.writerow([f"{a:.6f}", f"{b:.6f}", f"{c:.6f}", f"{y:.{decimals}f}"])


def r2(python, truth, answers):
    """By scikit-learn, if it is there."""
    done = subprocess.run([python, "-c", SCORE], input=json.dumps([truth, answers]), text=True,
                          capture_output=True, check=False) if os.path.exists(python) else None
    if done and done.returncode == 0:
        return float(done.stdout)
    mean = statistics.fmean(truth)
    return 1 - (sum((t - a) ** 2 for t, a in zip(truth, answers)) /
                sum((t - mean) ** 2 for t in truth))


def learn(glia, python, folder, target, with_offset, seed):
    """What glia says of its R2, what its answers give, and how many answers there are."""
    offset, spread, decimals = TARGETS[target]
    for part, rows in ROWS.items():
        write_table(os.path.join(folder, f"{part}.csv"), rows, spread, decimals,
                    offset if with_offset else 0, f"{seed} {part}")
    model, test = os.path.join(folder, "m.safetensors"), os.path.join(folder, "test.csv")
    report = ask_glia(glia, "train", os.path.join(folder, "train.csv"), "--test", test, "--loss",
                      "mse", "--seed", seed, "-q", "-o", model)
    if report is None:
        raise SystemExit(1)
    done = subprocess.run([glia, "predict", model, test], text=True, stdout=subprocess.PIPE,
                          check=True, env=plain_environment())
    answers = [float(row["y"]) for row in csv.DictReader(done.stdout.splitlines())]
    with open(test, encoding="utf-8") as f:
        truth = [float(row["y"]) for row in csv.DictReader(f)]
    return report["test_r2"], r2(python, truth, answers), len(set(answers))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--glia", default=GLIA, help="the program")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--venv", default=os.path.join(ROOT, "build", "bench-venv"))
    parser.add_argument("--write", metavar="PAGE", help="put the table there too")
    options = parser.parse_args()
    program = os.path.abspath(options.glia)
    os.makedirs(os.path.join(ROOT, "build"), exist_ok=True)
    python = prepare_venv(options.venv, {"scikit-learn": ["sklearn"]})
    lines, worst = [], [0, 0]
    with tempfile.TemporaryDirectory(dir=os.path.join(ROOT, "build"), prefix="bench-") as folder:
        for target in TARGETS:
            runs = [[learn(program, python, folder, target, offset, seed)
                     for offset in (False, True)] for seed in range(1, options.seeds + 1)]
            near, said, scored, kinds = (statistics.fmean(run[i][j] for run in runs) for i, j in
                                         ((0, 0), (1, 0), (1, 1), (1, 2)))
            apart = [max(abs(run[1][0] - run[0][0]) for run in runs),
                     max(abs(run[1][1] - run[1][0]) for run in runs)]
            worst = [max(pair) for pair in zip(worst, apart)]
            lines.append([target, number(near, 5), number(said, 5), number(scored, 5),
                          f"{apart[0]:.1e}", f"{apart[1]:.1e}", number(kinds)])
    publish("\n".join([
        f"{ROWS['train']} rows to learn from, {ROWS['test']} to test, the mean of {options.seeds} "
        "seeds; the differences are the largest of them.", "",
        table(["", "R2 without the offset", "R2 with it", "of the printed answers", "difference",
               "of the answers", "different answers"], lines)]), options.write)
    if worst[0] > 0.002 or worst[1] > 1e-6:
        raise SystemExit("an offset changes what is learned by more than 0.002, or glia's score is "
                         "not that of its answers (1e-6)")


if __name__ == "__main__":
    main()
