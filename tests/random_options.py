# SPDX-License-Identifier: MIT
"""
Random options that are valid together: what a run learns may depend on nothing that it should not
depend on, to the bit, and the engines may differ by rounding alone.

    python3 tests/random_options.py [PROGRAM] [COUNT [SEED]]      (else $GLIA, 20, 1)

Each configuration is trained with 1, 2 and 7 threads, broken off and continued, loaded, and the
models are compared byte for byte: of oneDNN, whose bits depend on the number of threads, those with
one number, and with bits that it promises (docs/runs.md).

Then a few steps are trained by reference, native and oneDNN from the same weights. What they may
differ by: a sum of n products in another order errs by at most n u relative to the sum of the
products' magnitudes, where u = 2^-24 (Higham 2002, section 3.1). A step of rate r by a gradient of
norm at most G so differs by r n u G; on the next step the difference has gone through the network,
whose passes multiply it by at most (1 + r L), where L bounds the change of the gradient. Of k steps
that is k r n u G (1 + r L)^k. The configurations that are compared have k <= 4, clip the gradient's
norm to 1 (G = 1) and the rate to 0.02, by rules whose step is the gradient times the rate (sgd,
momentum, nesterov: momentum m multiplies by 1 / (1 - m)); L is taken as 50, far more than these
networks have. With n <= 512, (1 + 1)^4 = 16 and m = 0.9: 4 * 0.02 * 512 * 6e-8 * 16 * 10 = 4e-4 in
the weights, of which 4e-4 is the bound below. In runs that are longer, or whose rule divides by
what it has seen (adam), rounding grows without such a bound, and their losses are not compared.
"""
import json
import os
import random
import struct
import sys

import harness
from harness import expect, glia, make_data, path, pgm, picture, read, test, write

COUNT = int(sys.argv[2]) if len(sys.argv) > 2 else 20
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else 1
BOUND = 4e-4

make_data("bars", 96, 20)


def make_table():
    rng = random.Random(2)
    lines = ["size,kind,day,price,class"]
    for _ in range(90):
        size = rng.uniform(20, 200)
        lines.append(f"{size:.3f},{rng.choice('abc')},{rng.randrange(7)},{size * 9 + rng.random():.2f},"
                     f"{'large' if size > 100 else 'small'}")
    write("homes.csv", "\n".join(lines).encode())
    sparse = []
    for _ in range(90):
        label = rng.randrange(3)
        sparse.append(f"{label} " + " ".join(f"{i}:{rng.uniform(0.2, 1):.3f}" for i in range(1, 30)
                                             if rng.random() < 0.15 or i % 10 == label + 1))
    write("sparse.svm", ("\n".join(sparse) + "\n").encode())


def make_pictures():
    """The bars as a folder of PGM, which every build reads."""
    rng = random.Random(3)
    for i in range(96):
        os.makedirs(path(f"pictures/{i % 3}"), exist_ok=True)
        write(f"pictures/{i % 3}/{i}.pgm", pgm(harness.SIDE, harness.SIDE, picture(i % 3, rng)))


make_table()
make_pictures()

DATA = {
    "bars": ["bars"],
    "pictures": ["pictures"],
    "classes": ["homes.csv", "--target", "class", "--drop", "price"],
    "values": ["homes.csv", "--target", "price", "--drop", "class"],
    "sparse": ["sparse.svm"],
}
ACTIVATIONS = ["sigmoid", "tanh", "scaled-tanh", "relu", "leaky-relu", "elu", "gelu", "silu",
               "identity"]


def draw(rng):
    """(data, options): valid together."""
    data = rng.choice(list(DATA))
    pictures = data in ("bars", "pictures")
    layers = rng.choice([0, 1, 1, 2, 3])
    o = ["--hidden", ",".join(str(rng.randrange(1, 40)) for _ in range(layers)) or "none",
         "--epochs", rng.randrange(1, 4), "--batch", rng.choice([1, 2, 7, 16, 32, 33, 64, 200]),
         "--seed", rng.randrange(1 << 40), "--engine", rng.choice(
             ["auto", "reference", "native", "onednn"]),
         "--optimizer", rng.choice(["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"]),
         "--lr", f"{10 ** rng.uniform(-4, -1.5):.6g}"]

    def maybe(part, *words):
        if rng.random() < part:
            o.extend(words)
    if layers:
        o += ["--activation", rng.choice(ACTIVATIONS)]
        maybe(0.3, "--batch-norm")
        maybe(0.3, "--dropout", f"{rng.uniform(0, 0.7):.3f}")
        maybe(0.2, "--max-norm", f"{rng.uniform(0.5, 4):.3f}")
    schedule = rng.choice(["constant", "linear", "cosine", "step", "exponential", "one-cycle"])
    o += ["--schedule", schedule]
    if schedule in ("step", "exponential"):
        o += ["--lr-factor", "0.7"] + (["--lr-every", 1] if schedule == "step" else [])
    if schedule != "one-cycle":
        maybe(0.2, "--warmup", "0.2")
    maybe(0.2, "--input-dropout", "0.1")
    maybe(0.2, "--input-noise", "0.1")
    maybe(0.2, "--l2", "1e-4")
    maybe(0.2, "--l1", "1e-5")
    maybe(0.2, "--clip-norm", "1")
    maybe(0.2, "--averaging", "0.9")
    maybe(0.2, "--weight-decay", "0.001")
    maybe(0.4, "--validation", "0.2")
    if data != "values":
        maybe(0.2, "--label-smoothing", "0.1")
        maybe(0.2, "--class-weights", "balanced")
    if pictures:
        maybe(0.3, "--augment")
        maybe(0.2, "--deskew")
        maybe(0.2, "--centre")
    return data, [str(word) for word in o]


def value_of(options, name):
    return options[options.index(name) + 1]


def train(where, data, options, *more, code=0):
    return glia("train", *DATA[data], *options, *more, "-o", f"{where}.safetensors", "-q", "--json",
                code=code)


def check_bits(name, data, options):
    """One training in several ways; returns false where this build or CPU has not the engine."""
    first = train(name, data, options, "--threads", 1, code=None)
    if first.code == 1 and "diverged" in first.err:
        return True
    if first.code == 1 and ("without oneDNN" in first.err or "no fast product" in first.err):
        return False
    expect(first.code == 0, "exit status", first.code, first.err)
    model = read(f"{name}.safetensors")
    by_threads = first.json()["engine"] == "onednn"
    for threads in (2, 7):
        train(f"{name}-t", data, options, "--threads", threads)
        if not by_threads:
            expect(read(f"{name}-t.safetensors") == model, f"other bits with {threads} threads")
    # Kept after each step or few, and continued from the last that was kept, to its end.
    kept = f"{name}-kept"
    train(f"{name}-c", data, options, "--threads", 1, "--checkpoint", kept, "--checkpoint-every", 3)
    expect(read(f"{name}-c.safetensors") == model, "other bits with checkpoints")
    os.remove(path(f"{name}-c.safetensors"))
    glia("train", "--resume", kept, "-q")
    expect(read(f"{name}-c.safetensors") == model, "other bits after a break")
    # Saved and loaded: the score of the model is that of the run.
    part = ["--split", "train"] if data == "pictures" else []  # the folder has no other
    score = glia("eval", f"{name}.safetensors", *DATA[data][:1], *part, "--json", code=None)
    expect(score.code == 0, score.err)
    return True


def weights(name):
    """The tensors of a model, as floats."""
    data = read(f"{name}.safetensors")
    size = struct.unpack_from("<Q", data)[0]
    header = json.loads(data[8:8 + size])
    found = {}
    for key, about in header.items():
        if key != "__metadata__":
            begin, end = about["data_offsets"]
            found[key] = struct.unpack(f"<{(end - begin) // 4}f", data[8 + size + begin:8 + size + end])
    return found


def check_engines(name, data, rng):
    """At most four steps of the engines from the same weights; returns the largest difference."""
    n = 96 if data in ("bars", "pictures") else 72
    options = ["--hidden", str(rng.randrange(2, 40)), "--activation", rng.choice(ACTIVATIONS),
               "--batch", str(rng.choice([2 * n, n // 2, n // 3, n // 4])), "--epochs", "1",
               "--seed", str(rng.randrange(1 << 30)), "--lr", f"{rng.uniform(0.001, 0.02):.4f}",
               "--optimizer", rng.choice(["sgd", "momentum", "nesterov"]), "--clip-norm", "1",
               "--schedule", "constant", "--l2", "0"]
    found = {}
    for engine in ("reference", "native", "onednn"):
        r = train(f"{name}-{engine}", data, options, "--engine", engine, code=None)
        if engine == "onednn" and r.code == 1:
            continue
        expect(r.code == 0, r.err)
        found[engine] = weights(f"{name}-{engine}")
    largest = 0
    for engine, tensors in found.items():
        for key, values in tensors.items():
            for a, b in zip(values, found["reference"][key]):
                largest = max(largest, abs(a - b))
    expect(largest <= BOUND, "engines differ by", largest, "with", " ".join(options))
    return largest


def clean():
    for name in os.listdir(harness.HERE):
        if name.startswith("r-"):
            full = path(name)
            if os.path.isdir(full):
                for inner in os.listdir(full):
                    os.remove(os.path.join(full, inner))
                os.rmdir(full)
            else:
                os.remove(full)


@test(f"{COUNT} random configurations: threads, breaks and files change no bit")
def _():
    rng = random.Random(SEED)
    n_left_out = 0
    for i in range(COUNT):
        data, options = draw(rng)
        try:
            n_left_out += not check_bits(f"r-{i}", data, options)
        except AssertionError as error:
            raise AssertionError(f"{error}\nglia train {' '.join(DATA[data])} {' '.join(options)}") \
                from error
        clean()
    print(f"# seed {SEED}: {COUNT} configurations, {n_left_out} of them without their engine here")


@test(f"{COUNT} random configurations: the engines differ by rounding alone")
def _():
    rng = random.Random(SEED + 1)
    largest = 0
    for i in range(COUNT):
        data = rng.choice([name for name in DATA])
        try:
            largest = max(largest, check_engines(f"r-{i}", data, rng))
        except AssertionError as error:
            raise AssertionError(f"{error}\nglia train {' '.join(DATA[data])}") from error
        clean()
    print(f"# the largest difference of a weight is {largest:.2g}, at most {BOUND:.2g} is allowed")


if __name__ == "__main__":
    harness.run_tests()
