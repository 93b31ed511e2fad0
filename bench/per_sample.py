#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Per-sample SGD (batch 1) on MNIST, one thread: glia, and FANN where it is installed.

usage: GLIA_DATA=... bench/per_sample.py [--runs 5] [--glia build/cli/glia]

The two run in turn, so that both see the same machine; medians and the ratio are printed. FANN
(Debian's libfann-dev) does the same updates with a squared error instead of softmax and
cross-entropy, and multiplies zeros.
"""
import argparse
import gzip
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
FANN_SAMPLES = {32: 10000, 256: 2000}


def cpu_name():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        names = [line.split(":", 1)[1].strip() for line in f if line.startswith("model name")]
    return f"{names[0]} ({len(names)} cores)" if names else platform.processor()


def idx_file(folder, name, scratch):
    """The path of the uncompressed file."""
    plain = os.path.join(folder, name)
    if os.path.exists(plain):
        return plain
    out = os.path.join(scratch, name)
    with gzip.open(plain + ".gz") as source, open(out, "wb") as target:
        shutil.copyfileobj(source, target)
    return out


def build_fann(scratch):
    """The peer's program, or None where FANN is not installed."""
    program = os.path.join(scratch, "peer_fann")
    built = subprocess.run(["cc", "-O2", os.path.join(HERE, "peer_fann.c"), "-o", program,
                            "-lfann", "-lm"], capture_output=True, check=False)
    return program if built.returncode == 0 else None


def run_glia(glia, units, activation, scratch):
    result = subprocess.run(
        [glia, "train", "mnist", "--hidden", str(units), "--activation", activation, "--batch", "1",
         "--lr", "0.01", "--epochs", "2", "--threads", "1", "--json", "--quiet", "--offline",
         "-o", os.path.join(scratch, "m.safetensors")],
        stdout=subprocess.PIPE, check=True)
    return json.loads(result.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--glia", default=os.path.join(HERE, "..", "build", "cli", "glia"))
    arguments = parser.parse_args()
    if "GLIA_DATA" not in os.environ:
        sys.exit("set GLIA_DATA to the folder that has mnist/")
    print("machine:", cpu_name())
    with tempfile.TemporaryDirectory() as scratch:
        fann = build_fann(scratch)
        files = [idx_file(os.path.join(os.environ["GLIA_DATA"], "mnist"), name, scratch)
                 for name in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")] if fann else []
        print(f"{'network':12} {'activation':10} {'glia, samples/s':>22} {'FANN':>10} {'ratio':>7}")
        for units in (32, 256):
            for activation in ("relu", "sigmoid", "tanh"):
                rates, peers = [], []
                for _ in range(arguments.runs):
                    report = run_glia(arguments.glia, units, activation, scratch)
                    rates.append(report["samples_per_second"])
                    if fann and activation == "sigmoid":
                        samples = FANN_SAMPLES[units]
                        peers.append(float(subprocess.run(
                            [fann, *files, str(units), str(samples)], stdout=subprocess.PIPE,
                            check=True).stdout))
                rate = statistics.median(rates)
                peer = statistics.median(peers) if peers else None
                print(f"784-{units}-10".ljust(12), f"{activation:10}",
                      f"{rate:10,.0f} ({min(rates):,.0f})".rjust(22),
                      f"{peer:10,.0f} {rate / peer:6.1f}x" if peer else "")
        print(f"median (slowest) of {arguments.runs} runs, {report['engine']} {report['isa']}")


if __name__ == "__main__":
    main()
