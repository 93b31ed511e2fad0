#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Megabytes of CSV a second: glia, PyArrow, pandas, Polars and DuckDB, in turn.

usage: bench/read_csv.py [--build FOLDER] [--rounds 5] [--rows 700000] [--large GB] [--write PAGE]

The file has 20 columns of numbers, half of them as Python's repr writes them and half as %.6g, and
two of texts, one of seven words and one of 5,000. Every reader is a process of its own that has its
libraries loaded when the clock starts, reads once to have the file in memory and its threads
started, and then once more; the second time counts, and the median of the rounds. What it must have
in the end is all cells: NumPy or Arrow columns, or a table of DuckDB's. The libraries come from PyPI
into build/bench-venv; one that cannot be had is left out.

--large reads a file of so many GB through glia's cache, trains on it, and says how much memory that
took.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time

from common import ROOT, median, number, plain_environment, publish, say, table

WORDS = ("red", "green", "blue", "yellow", "black", "white", "grey")
NAMES = 5000
PEERS = {
    "PyArrow": ("pyarrow", """
from pyarrow import csv
def read(path, threads):
    import pyarrow
    pyarrow.set_cpu_count(threads)
    return csv.read_csv(path).num_rows
"""),
    "pandas": ("pandas", """
import pandas
def read(path, threads):
    return len(pandas.read_csv(path))
"""),
    "Polars": ("polars", """
import polars
def read(path, threads):
    return len(polars.read_csv(path))
"""),
    "DuckDB": ("duckdb", """
import duckdb
def read(path, threads):
    db = duckdb.connect(config={"threads": threads})
    db.execute("set enable_progress_bar = false")
    db.execute(f"create table t as select * from read_csv('{path}')")
    return db.execute("select count(*) from t").fetchone()[0]
"""),
}
MEASURE = """
import sys, time
path, threads = sys.argv[1], int(sys.argv[2])
read(path, threads)
begun, busy = time.perf_counter(), time.process_time()
read(path, threads)
print(time.perf_counter() - begun, time.process_time() - busy)
"""


def write_file(path, rows):
    rng = random.Random(1)
    with open(path, "w", encoding="ascii") as out:
        out.write(",".join(f"x{i}" for i in range(20)) + ",colour,name\n")
        for _ in range(rows):
            cells = [repr(rng.gauss(0, 1)) if i % 2 else f"{rng.gauss(0, 100):.6g}"
                     for i in range(20)]
            out.write(f"{','.join(cells)},{rng.choice(WORDS)},name{rng.randrange(NAMES)}\n")


def repeat_file(path, part, size):
    """A file of that size: a header, and the rows of another again and again."""
    with open(part, "rb") as source:
        header, rows = source.readline(), source.read()
    with open(path, "wb") as out:
        out.write(header)
        while out.tell() < size:
            out.write(rows)


def run(arguments, environment):
    """The numbers that a program prints; None, and its message, if it fails."""
    result = subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            check=False, env=environment)
    if result.returncode != 0:
        say(f"{arguments[0]}: {(result.stderr.strip().splitlines() or ['failed'])[-1]}")
        return None
    return [float(word) for word in result.stdout.split()]


def prepare(folder):
    """The environment's Python, and what could be installed into it."""
    python = os.path.join(folder, "bin", "python")
    if not os.path.exists(python):
        subprocess.run([sys.executable, "-m", "venv", folder], check=False)
    found = []
    for name, (package, _) in PEERS.items():
        have = [python, "-c", f"import {package}"]
        if run(have, None) is None:
            subprocess.run([python, "-m", "pip", "install", "--quiet", package], check=False)
        if run(have, None) is not None:
            found.append(name)
    return python, found


def measure(options, path, threads):
    """(seconds, seconds of processor time) of each reader in each round."""
    python, peers = prepare(options.venv)
    environment = {**plain_environment(), "POLARS_MAX_THREADS": str(threads)}
    reader = os.path.join(options.build, "bench", "read_csv")
    times = {name: [] for name in ["glia", *peers]}
    for turn in range(options.rounds):
        say(f"round {turn + 1}")
        for name, found in times.items():
            if name == "glia":
                run([reader, path, str(threads)], environment)
                answer = run([reader, path, str(threads)], environment)
            else:
                answer = run([python, "-c", PEERS[name][1] + MEASURE, path, str(threads)],
                             environment)
            if answer is not None:
                found.append(answer[:2])
    return times


def train_large(options, path, environment, size):
    """Rows, seconds, MB/s and peak memory of `glia train`, as the system counts it."""
    begun = time.perf_counter()
    child = subprocess.Popen(
        [os.path.join(options.build, "cli", "glia"), "train", path, "--target", "x0", "--hidden", "32",
         "--epochs", "1", "-o", path + ".safetensors", "--json", "-q"],
        env=environment, stdout=subprocess.PIPE, text=True)
    answer = json.load(child.stdout)
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        sys.exit(1)
    seconds = time.perf_counter() - begun
    return [number(answer["samples"]), number(seconds, 1), number(size / 1e6 / seconds),
            number(usage.ru_maxrss / 1024)]


def measure_large(options, scratch, part):
    """Lines about a file that is larger than memory should be."""
    path, cache = os.path.join(scratch, "large.csv"), os.path.join(scratch, "cache")
    repeat_file(path, part, int(options.large * 1e9))
    reader = os.path.join(options.build, "bench", "read_csv")
    environment = {**plain_environment(), "XDG_CACHE_HOME": cache}
    size, rows = os.path.getsize(path), []
    for what in ("read from the CSV file, which makes the cache", "read from the cache"):
        answer = run([reader, path, "0", "cache"], environment)
        if answer is None:
            sys.exit(1)
        seconds, _, n_rows, _, kilobytes = answer
        rows.append([what, number(n_rows), number(seconds, 1), number(size / 1e6 / seconds),
                     number(kilobytes / 1024)])
    rows.append(["glia train, one epoch, a fifth held out"] +
                train_large(options, path, environment, size))
    return f"\n\n### A file of {size / 1e9:.1f} GB, through the cache\n\n" + table(
        ["", "rows", "seconds", "MB/s", "peak of resident memory, MiB"], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    parser.add_argument("--venv", default=os.path.join(ROOT, "build", "bench-venv"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=700000)
    parser.add_argument("--large", type=float, metavar="GB")
    parser.add_argument("--scratch", metavar="FOLDER", help="where files are made (the build's)")
    parser.add_argument("--write", metavar="PAGE")
    options = parser.parse_args()

    subprocess.run(["ninja", "-C", options.build, "bench/read_csv"], check=True,
                   stdout=subprocess.DEVNULL)
    threads = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(dir=options.scratch or options.build,
                                     prefix="bench-") as scratch:
        path = os.path.join(scratch, "table.csv")
        write_file(path, options.rows)
        size = os.path.getsize(path) / 1e6
        times = measure(options, path, threads)
        walls = {name: [wall for wall, _ in found] for name, found in times.items() if found}
        busy = {name: median([cpu for _, cpu in found]) for name, found in times.items() if found}
        rows = [[name, number(size / median(t)), number(size / min(t)), number(size / busy[name]),
                 number(median(t) / median(walls["glia"]), 2)] for name, t in walls.items()]
        text = (f"### Reading a CSV file of {size:.0f} MB ({options.rows:,} rows, 20 columns of "
                f"numbers, 2 of texts), {threads} threads\n\n" +
                table(["", "MB/s, median", "MB/s, best", "MB/s of one core's time",
                       "time, glia's is 1"], rows))
        peers = [median(t) for name, t in walls.items() if name != "glia"]
        if peers:
            times_as_fast = min(peers) / median(walls["glia"])
            text += f"\n\nglia is {times_as_fast:.2f} times as fast as the fastest of the others."
        if options.large:
            text += measure_large(options, scratch, path)
    publish(text, options.write)


if __name__ == "__main__":
    main()
