#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""glia beside scikit-learn on five small tables, by cross-validation in the same folds.

usage: bench/tables.py [--glia PROGRAM] [--seeds 10] [--folds 5] [--sets iris,wine,...]
                       [--write PAGE]

The tables come with scikit-learn, which comes from PyPI into build/bench-venv: Iris, Wine, Breast
Cancer and Digits are classified, Diabetes is regression. Each is divided into folds as often as there
are seeds. In each fold, `glia train TRAIN.csv --test TEST.csv` without further options stands beside
MLPClassifier or MLPRegressor without options behind a StandardScaler; the score is the accuracy or R2
on the test part, the mean over the folds. The standard error is that of the difference, over seeds.
"""
import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time

from common import GLIA, ROOT, ask_glia, number, plain_environment, prepare_venv, publish, say, table

HERE = os.path.dirname(os.path.abspath(__file__))
SETS = "iris,wine,breast-cancer,digits,diabetes"


class Peer:
    """scikit-learn, and what writes the folds: bench/tables_peer.py."""

    def __init__(self, python, folder):
        self.process = subprocess.Popen([python, os.path.join(HERE, "tables_peer.py"), folder],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=plain_environment())
        self.version = self.process.stdout.readline().strip()

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("bench/tables_peer.py ended; its message stands above")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def score_of(report):
    """Accuracy of classes, R2 of values."""
    return report["test_accuracy"] if report.get("test_accuracy") is not None else report["test_r2"]


def glia_on_folds(program, folder, folds):
    """A score for each fold, and the seconds of the whole processes."""
    scores, begun = [], time.perf_counter()
    for i in range(folds):
        parts = [os.path.join(folder, f"{i}-{part}.csv") for part in ("train", "test")]
        report = ask_glia(program, "train", parts[0], "--test", parts[1], "--quiet", "-o",
                          os.path.join(folder, "model.safetensors"))
        if report is None:
            raise SystemExit(1)
        scores.append(score_of(report))
    return scores, time.perf_counter() - begun


def glia_folds(program, folder, folds):
    """The mean score by glia's own --folds."""
    report = ask_glia(program, "train", os.path.join(folder, "all.csv"), "--folds", folds, "--quiet")
    if report is None:
        raise SystemExit(1)
    return statistics.mean(map(score_of, report["runs"]))


def standard_error(values):
    return statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--glia", default=GLIA, help="the program")
    parser.add_argument("--seeds", type=int, default=10, help="divisions into folds")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--sets", default=SETS)
    parser.add_argument("--venv", default=os.path.join(ROOT, "build", "bench-venv"))
    parser.add_argument("--write", metavar="PAGE", help="put the table there too")
    options = parser.parse_args()

    build = os.path.join(ROOT, "build")
    os.makedirs(build, exist_ok=True)
    python = prepare_venv(options.venv, {"scikit-learn": ["sklearn"]})
    rows = []
    with tempfile.TemporaryDirectory(dir=build, prefix="bench-") as scratch:
        peer = Peer(python, scratch)
        try:
            for name in options.sets.split(","):
                ours, theirs, differences, seconds = [], [], [], [0, 0]
                for seed in range(options.seeds):
                    answer = peer.ask(set=name, folds=options.folds, seed=seed)
                    scores, took = glia_on_folds(options.glia, scratch, options.folds)
                    ours.append(statistics.mean(scores))
                    theirs.append(statistics.mean(answer["scores"]))
                    differences.append(ours[-1] - theirs[-1])
                    seconds[0] += took
                    seconds[1] += answer["seconds"]
                    say(f"{name}, folds {seed}: glia {ours[-1]:.4f}, scikit-learn "
                        f"{theirs[-1]:.4f}")
                fits = options.seeds * options.folds
                rows.append([name, *(number(statistics.mean(x), 4)
                                     for x in (ours, theirs, differences)),
                             number(standard_error(differences), 4),
                             number(glia_folds(options.glia, scratch, options.folds), 4),
                             *(number(s / fits, 2) for s in seconds)])
        finally:
            peer.close()
    version = subprocess.run([options.glia, "--version"], stdout=subprocess.PIPE, text=True,
                             check=True).stdout.splitlines()[0]
    publish("\n".join([
        f"{version}, scikit-learn {peer.version}; {options.seeds} times {options.folds} folds. "
        "Seconds a fold: of glia the whole process, of scikit-learn the fit.", "",
        table(["", "glia", "scikit-learn", "difference", "its standard error",
               f"glia, --folds {options.folds}", "glia, s", "scikit-learn, s"], rows)]),
        options.write)


if __name__ == "__main__":
    main()
