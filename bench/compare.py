#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""glia beside other libraries: training and inference, and the limits of the machine, in one run.

usage: bench/compare.py [--glia PROGRAM] [--rounds 5] [--seconds 0.5] [--torch] [--write PAGE]

JAX, scikit-learn, ONNX Runtime and, with --torch or where it is already there, PyTorch come from
PyPI into build/bench-venv; FANN is Debian's. A library that cannot be had is left out. For each
cell (a network, a batch, data) each round measures every library once, so that all see the same
machine; medians count. MNIST is looked for where glia looks for it.
"""
import argparse
import collections
import json
import os
import random
import subprocess
import sys
import tempfile

from common import (FILES, GLIA, ROOT, ask_glia, has_module, median, mnist_folder, number,
                    plain_environment, prepare_venv, publish, say, table, uncompress_mnist)

HERE = os.path.dirname(os.path.abspath(__file__))
# Of each library, the modules that it needs.
MODULES = {"JAX": ["jax"], "scikit-learn": ["sklearn"], "ONNX Runtime": ["onnxruntime", "onnx"],
           "PyTorch": ["torch"]}
SMALL, NETWORK = (784, 32, 10), (784, 256, 10)
LARGE = (784, 2500, 2000, 1500, 1000, 500, 10)
BULK = 10000  # samples of inference
FANN_SAMPLES = {32: 10000, 256: 2000}

# What is measured: task is train, latency (one sample) or bulk.
Cell = collections.namedtuple("Cell", "task network data batch precision threads peers")


def cells(threads):
    training, inference = ("JAX", "scikit-learn", "PyTorch"), ("ONNX Runtime", "PyTorch")
    for data in ("mnist", "dense"):
        for network in (SMALL, NETWORK):
            yield Cell("train", network, data, 1, "f32", 1, training + ("FANN",))
        for batch in (64, 128, 1024):
            yield Cell("train", NETWORK, data, batch, "f32", threads, training)
    for data in ("mnist", "dense"):
        yield Cell("latency", NETWORK, data, 1, "f32", 1, inference)
        yield Cell("bulk", NETWORK, data, BULK, "f32", threads, inference)
    for data in ("mnist", "dense"):
        yield Cell("train", NETWORK, data, 128, "bf16", threads, ())
        yield Cell("bulk", NETWORK, data, BULK, "bf16", threads, ())
    for precision in ("f32", "bf16"):
        yield Cell("train", LARGE, "dense", 256, precision, threads, ())


class Worker:
    """A process that measures one library with so many threads; bench/peers.py."""

    def __init__(self, python, peer, threads, folder):
        self.name = f"{peer}, {threads} thread{'s' * (threads > 1)}"
        self.log = open(os.path.join(folder, f"{peer}-{threads}.log"), "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [python, os.path.join(HERE, "peers.py"), peer, str(threads), folder],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True,
            env=plain_environment())
        self.version = self.process.stdout.readline().strip()

    def measure(self, cell, seconds):
        if self.process.poll() is None:
            request = {**cell._asdict(), "seconds": seconds}
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline().strip()
            if answer and not answer.startswith("error"):
                return float(answer)
            self.log.seek(0)
            say(f"{self.name}: {answer or 'ended: ' + self.log.read()[-500:]}")
        return None

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.log.close()


class Peers:
    """The libraries that can be had. measure() returns a number, or None where one has none."""

    def __init__(self, python, threads, scratch):
        self.python, self.threads, self.scratch = python, threads, scratch
        self.workers, self.versions = {}, {}
        self.fann = os.path.join(scratch, "peer_fann")
        built = subprocess.run(["cc", "-O2", os.path.join(HERE, "peer_fann.c"), "-o", self.fann,
                                "-lfann", "-lm"], capture_output=True, check=False)
        if built.returncode == 0:
            asked = subprocess.run(["pkg-config", "--modversion", "fann"], text=True,
                                   stdout=subprocess.PIPE, check=False)
            self.versions["FANN"] = asked.stdout.strip()
        else:
            say("no FANN (Debian's libfann-dev)")

    def worker(self, peer, threads):
        if (peer, threads) not in self.workers:
            if not has_module(self.python, MODULES[peer][0]):
                self.workers[peer, threads] = None
            else:
                worker = Worker(self.python, peer, threads, self.scratch)
                self.workers[peer, threads] = worker
                self.versions[peer] = worker.version
        return self.workers[peer, threads]

    def measure(self, peer, cell, seconds):
        if peer == "FANN":
            return self.measure_fann(cell)
        # A second thread does not always serve.
        workers = [self.worker(peer, threads) for threads in sorted({1, cell.threads})]
        found = [worker.measure(cell, seconds) for worker in workers if worker]
        return max((value for value in found if value is not None), default=None)

    def measure_fann(self, cell):
        if "FANN" not in self.versions:
            return None
        files = [os.path.join(self.scratch, cell.data, name) for name in FILES[:2]]
        units = cell.network[1]
        answer = subprocess.run([self.fann, *files, str(units), str(FANN_SAMPLES[units])],
                                stdout=subprocess.PIPE, check=True, env=plain_environment())
        return float(answer.stdout)

    def close(self):
        for worker in filter(None, self.workers.values()):
            worker.close()


class Glia:
    """Rows of glia bench, and the machine's limits that it measures beside each."""

    def __init__(self, program, scratch):
        self.program = program
        self.env = {**plain_environment(), "GLIA_DATA": scratch}
        self.limits = collections.defaultdict(list)  # (key of the JSON, threads): values
        self.isa = None

    def measure(self, cell, seconds):
        """(samples a second or µs, GFLOP/s); None where this build or CPU cannot"""
        mode = "train" if cell.task == "train" else "inference"
        report = ask_glia(self.program, "bench", "--network", "-".join(map(str, cell.network)),
                          "--batch", cell.batch, "--precision", cell.precision, "--threads",
                          cell.threads, "--data", cell.data, "--" + mode, "--seconds", seconds,
                          "--offline", env=self.env)
        if not report or not report[mode]:
            return None
        self.isa = report.get("isa")
        for key in ("peak_f32_gflops", "peak_bf16_gflops", "memory_gb_per_s"):
            if report[key] is not None:
                self.limits[key, report["threads"]].append(report[key])
        row = report[mode][0]
        rate = row["samples_per_second"]
        return 1e6 / rate if cell.task == "latency" else rate, row["gflops"]

    def limit(self, key, threads):
        return median(self.limits[key, threads])


def write_dense(folder):
    """MNIST's shape with random bytes from 1 to 255 and random labels."""
    os.makedirs(folder)
    table_of_bytes = bytes(1 + i % 255 for i in range(256))
    digits = bytes(i % 10 for i in range(256))
    source = random.Random(1)
    for name, pixels, table_of_values in ((FILES[0], 784, table_of_bytes), (FILES[1], 1, digits)):
        with open(os.path.join(folder, name), "wb") as f:
            header = (0x803, 60000, 28, 28) if pixels > 1 else (0x801, 60000)
            f.write(b"".join(value.to_bytes(4, "big") for value in header))
            f.write(source.randbytes(60000 * pixels).translate(table_of_values))


def measure(glia, peers, all_cells, rounds, seconds):
    """{cell: {library: [a value a round]}}; glia's values are pairs. Who fails is not asked again."""
    result = {}
    for n, cell in enumerate(all_cells, 1):
        result[cell] = {name: [] for name in ("glia", *cell.peers)}
        for i in range(rounds):
            say(f"{n}/{len(all_cells)} {cell.task} {'-'.join(map(str, cell.network))} "
                f"{cell.data} batch {cell.batch} {cell.precision}, round {i + 1}")
            for name, values in result[cell].items():
                if len(values) < i:
                    continue
                value = glia.measure(cell, seconds) if name == "glia" else \
                    peers.measure(name, cell, seconds)
                if value is not None:
                    values.append(value)
    return result


def name_of(cell):
    what = {"train": f"batch {cell.batch}", "latency": "one sample",
            "bulk": f"{cell.batch:,} samples"}[cell.task]
    data = {"mnist": "MNIST", "dense": "no zeros"}[cell.data]
    return (f"{'-'.join(map(str, cell.network))}, {data}, {what}"
            + (f", {cell.precision}" if not cell.peers else "")
            + (f", {cell.threads} thread{'s' * (cell.threads > 1)}"))


def comparison(result, tasks, peers):
    """A column for each library; in brackets how many times as fast glia is."""
    rows = []
    for cell, values in result.items():
        if cell.task not in tasks or not cell.peers:
            continue
        digits = 1 if cell.task == "latency" else 0
        own = median([value for value, _ in values["glia"]])
        row = [name_of(cell), number(own, digits)]
        for peer in peers:
            theirs = median(values.get(peer))
            text = number(theirs, digits)
            if own and theirs:
                ratio = theirs / own if cell.task == "latency" else own / theirs
                text += f" ({ratio:.1f}×)"
            row.append(text)
        rows.append(row)
    return table(["", "glia", *peers], rows)


def limits(result, glia):
    """Each of glia's rows beside what the machine can do."""
    rows = []
    for cell, values in result.items():
        if cell.task == "latency":
            continue
        rate = median([rate for rate, _ in values["glia"]])
        gflops = median([gflops for _, gflops in values["glia"]])
        peak = glia.limit(f"peak_{cell.precision}_gflops", cell.threads)
        task = "training" if cell.task == "train" else "inference"
        rows.append([f"{task}, {name_of(cell._replace(peers=()))}", number(rate),
                     number(gflops, 1), f"{gflops / peak:.0%}" if gflops and peak else "–"])
    return table(["glia", "samples/s", "GFLOP/s", "of the peak"], rows)


def spread(result):
    """How far apart the rounds of a cell lie, in the worst case and in the middle."""
    spreads = []
    for values in result.values():
        for name, list_of_values in values.items():
            numbers = [v[0] if name == "glia" else v for v in list_of_values]
            if len(numbers) > 1:
                spreads.append(max(numbers) / min(numbers) - 1)
    return f"{median(spreads):.0%} (median), {max(spreads):.0%} (largest)" if spreads else "–"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--glia", default=GLIA, help="the program")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="a measurement takes")
    parser.add_argument("--threads", type=int, default=2, help="from batch 64 on")
    parser.add_argument("--torch", action="store_true", help="install PyTorch (gigabytes)")
    parser.add_argument("--venv", default=os.path.join(ROOT, "build", "bench-venv"))
    parser.add_argument("--write", metavar="PAGE", help="put the tables there too")
    options = parser.parse_args()

    build = os.path.join(ROOT, "build")
    os.makedirs(build, exist_ok=True)
    mnist_folder()
    python = prepare_venv(options.venv, {peer: modules for peer, modules in MODULES.items()
                                         if options.torch or peer != "PyTorch"})
    with tempfile.TemporaryDirectory(dir=build, prefix="bench-") as scratch:
        uncompress_mnist(os.path.join(scratch, "mnist"))
        write_dense(os.path.join(scratch, "dense"))
        glia, peers = Glia(options.glia, scratch), Peers(python, options.threads, scratch)
        try:
            result = measure(glia, peers, list(cells(options.threads)), options.rounds,
                             options.seconds)
        finally:
            peers.close()

    version = subprocess.run([options.glia, "--version"], stdout=subprocess.PIPE, text=True,
                             check=True).stdout.splitlines()[0]
    peaks = [f"{name} {number(glia.limit(key, n), 1)} {unit} with {n} thread{'s' * (n > 1)}"
             for n in sorted({1, options.threads})
             for key, name, unit in (("peak_f32_gflops", "f32", "GFLOP/s"),
                                     ("peak_bf16_gflops", "bf16", "GFLOP/s"),
                                     ("memory_gb_per_s", "memory", "GB/s"))]
    libraries = ", ".join(f"{name} {text}" for name, text in peers.versions.items())
    publish("\n".join([
        f"Measured peaks: {'; '.join(peaks)}.",
        f"Versions: {version} ({glia.isa}), {libraries}, Python {sys.version.split()[0]}.",
        f"Rounds: {options.rounds}; from the slowest to the fastest round of a cell: "
        f"{spread(result)}.",
        "", "### Training, samples a second", "",
        comparison(result, ("train",), ("JAX", "scikit-learn", "PyTorch", "FANN")),
        "", "### Inference of one sample, µs", "",
        comparison(result, ("latency",), ("ONNX Runtime", "PyTorch")),
        "", "### Inference of many samples, samples a second", "",
        comparison(result, ("bulk",), ("ONNX Runtime", "PyTorch")),
        "", "### glia and the machine", "", limits(result, glia)]), options.write)


if __name__ == "__main__":
    main()
