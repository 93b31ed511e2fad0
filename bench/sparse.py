#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How fast sparse text is learned, and in how much memory, beside another build of glia.

usage: bench/sparse.py [--glia PROGRAM] [--base PROGRAM] [--rows 1000000] [--features 40000]
                       [--values 50] [--classes 10] [--rounds 3] [--threads 0] [--folder FOLDER]
                       [--write PAGE]

Writes a LIBSVM file with so many values in each row, drawn from all features and more often from
some that its class has to itself, and trains an epoch on it with each program in turn: the base is
the one to compare with. The rate is that of the steps, as `train --json` gives it; memory is the
process's peak, the pages of the file that it has mapped included. A cell is the median of the
rounds. --rows 20000 is enough for a look. The file stays in the folder (build/bench-sparse unless
given) for the next time.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile

from common import GLIA, ROOT, median, number, plain_environment, publish, say, table

WAYS = (("SGD, no hidden layer", ["--hidden", "none", "--optimizer", "sgd", "--l2", "0"]),
        ("SGD, 32 hidden units", ["--hidden", "32", "--optimizer", "sgd", "--l2", "0"]),
        ("SGD, 100 hidden units", ["--hidden", "100", "--optimizer", "sgd", "--l2", "0"]),
        ("as it comes: Adam and L2, 100 hidden units", []))


def write_rows(path, rows, features, values, classes, seed=1):
    """Labels 0, 1, ...; the indices of a row ascend, its values lie in 0..1."""
    rng = random.Random(seed)
    draw, own = rng.random, features // classes
    with open(path + ".part", "w", encoding="ascii") as f:
        for _ in range(rows):
            label, columns = int(draw() * classes), set()
            while len(columns) < values:
                columns.add(int(draw() * features) if draw() < 0.7 else
                            label * own + int(draw() * own))
            f.write(f"{label} " + " ".join(f"{i + 1}:{draw():.4f}" for i in sorted(columns)) + "\n")
    os.rename(path + ".part", path)


def train(program, data, words, folder):
    """What `train --json` says, and the peak of its memory in bytes."""
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(
            [program, "train", data, *words, "--epochs", "1", "-q", "--json", "-o",
             os.path.join(folder, "model.safetensors")],
            stdout=out, stderr=subprocess.PIPE, env=plain_environment())
        message = process.stderr.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"{program}: {message}")
        out.seek(0)
        return json.load(out), 1024 * usage.ru_maxrss


def measure(programs, data, words, folder, rounds):
    """For each program the medians of rate, seconds before the first step, and memory."""
    found = [[] for _ in programs]
    for _ in range(rounds):
        for kept, program in zip(found, programs):
            result, memory = train(program, data, words, folder)
            kept.append((result["samples_per_second"], result["startup_seconds"], memory))
    return [[median(column) for column in zip(*kept)] for kept in found]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--glia", default=GLIA, help="the program")
    parser.add_argument("--base", help="a program to compare it with")
    parser.add_argument("--rows", type=int, default=1000000)
    parser.add_argument("--features", type=int, default=40000)
    parser.add_argument("--values", type=int, default=50, help="of a row that are not 0")
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", default="0", help="of glia; 0: one for each core")
    parser.add_argument("--folder", default=os.path.join(ROOT, "build", "bench-sparse"))
    parser.add_argument("--write", metavar="PAGE", help="put the table there too")
    options = parser.parse_args()
    shape = [options.rows, options.features, options.values, options.classes]
    os.makedirs(options.folder, exist_ok=True)
    data = os.path.join(options.folder, "rows-" + "-".join(map(str, shape)) + ".svm")
    if not os.path.exists(data):
        say(f"writing {data}")
        write_rows(data, *shape)
    size = os.path.getsize(data)
    programs = [os.path.abspath(path) for path in (options.base, options.glia) if path]
    lines = []
    for name, words in WAYS:
        *base, own = measure(programs, data, [*words, "--threads", options.threads], options.folder,
                             options.rounds)
        say(f"{name}: {base} {own}")
        before = [number(base[0][0]), number(own[0] / base[0][0], 1)] if base else ["–", "–"]
        lines.append([name, number(own[0]), *before, number(own[1], 1), number(own[2] / size, 2)])
    publish("\n".join([
        f"{options.rows:,} rows of {options.features:,} features, {options.values} of them not 0, "
        f"{options.classes} classes; a file of {size / 1e6:,.0f} MB. The median of {options.rounds}.",
        "", table(["", "samples/s", "base", "times the base", "s before the first step",
                   "memory, files"], lines)]), options.write)


if __name__ == "__main__":
    main()
