#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How long tables of few rows and very many columns take, from the start of the process to its end.

usage: bench/wide.py [--glia PROGRAM] [--rounds 3] [--rows 20] [--columns 2500,10000,20000,40000]
                     [--write PAGE]

Gene expression and spectra look like that. Each table is written as CSV, with names, and as .npy; the
last column is the target. Timed are `data check`, `train --epochs 0`, which reads the table, plans its
columns, makes a network and saves it, and `predict` of all rows. A cell is the median of the rounds.
"""
import argparse
import os
import random
import struct
import subprocess
import tempfile
import time

from common import GLIA, ROOT, median, number, plain_environment, publish, say, table


def write_tables(folder, rows, columns, seed=1):
    """wide.csv and wide.npy, of the same numbers."""
    rng = random.Random(seed)
    cells = [[round(rng.gauss(0, 1), 4) for _ in range(columns)] for _ in range(rows)]
    with open(os.path.join(folder, "wide.csv"), "w", encoding="utf-8") as f:
        f.write(",".join(f"gene{j}" for j in range(columns)) + "\n")
        f.writelines(",".join(map(str, row)) + "\n" for row in cells)
    head = f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({rows}, {columns}), }}".encode()
    head += b" " * (-(len(head) + 11) % 64) + b"\n"
    with open(os.path.join(folder, "wide.npy"), "wb") as f:
        f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head)
        for row in cells:
            f.write(struct.pack(f"<{columns}d", *row))


def seconds(words, folder, allowed=(0,)):
    begun = time.perf_counter()
    done = subprocess.run(words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          text=True, check=False, env=plain_environment())
    if done.returncode not in allowed:
        raise SystemExit(f"{' '.join(words)}: {done.stderr.strip()}")
    return time.perf_counter() - begun


def measure(glia, folder, file, rounds):
    """The medians of data check, train and predict."""
    model = "wide.safetensors"
    # `data check` ends with 1 where it finds a column that alone tells the target: of so many, some do.
    commands = ((["data", "check", file], (0, 1)),
                (["train", file, "--epochs", "0", "-q", "-o", model], (0,)),
                (["predict", model, file], (0,)))
    times = [[] for _ in commands]
    for _ in range(rounds):
        for kept, (words, allowed) in zip(times, commands):
            kept.append(seconds([glia, *words], folder, allowed))
    return [median(kept) for kept in times]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--glia", default=GLIA, help="the program")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=20)
    parser.add_argument("--columns", default="2500,10000,20000,40000")
    parser.add_argument("--write", metavar="PAGE", help="put the table there too")
    options = parser.parse_args()
    program = os.path.abspath(options.glia)
    os.makedirs(os.path.join(ROOT, "build"), exist_ok=True)
    lines = []
    for columns in map(int, options.columns.split(",")):
        with tempfile.TemporaryDirectory(dir=os.path.join(ROOT, "build"), prefix="bench-") as folder:
            write_tables(folder, options.rows, columns)
            for form in ("csv", "npy"):
                times = measure(program, folder, f"wide.{form}", options.rounds)
                say(f"{columns} columns, .{form}: {times}")
                lines.append([f"{columns:,} columns, .{form}", *(number(t, 2) for t in times)])
    publish("\n".join([f"{options.rows} rows; seconds of the whole process, the median of "
                       f"{options.rounds}.", "",
                       table(["", "data check", "train --epochs 0", "predict"], lines)]),
            options.write)


if __name__ == "__main__":
    main()
