#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Model files between glia and Python's safetensors, in both directions. Prints TAP.

Runs the two blocks of docs/model-file.md: models that Python writes are predicted with by glia, and
what glia saves is predicted with by NumPy; probabilities must agree within 1e-5 on every test image.

usage: interop.py [--model MODEL] [--data DATASET]
Environment: GLIA_BUILD (the build folder; tests/dump_predictions in it is the glia side), GLIA (the
program). Exit status 77, with the reason, where NumPy or safetensors is missing.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

TOLERANCE = 1e-5
ACTIVATIONS = ["sigmoid", "tanh", "relu", "identity", "leaky-relu", "elu", "gelu", "silu",
               "scaled-tanh"]
MODEL_FILE_DOC = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "docs",
                              "model-file.md")

try:
    import numpy as np
    from safetensors import safe_open
    from safetensors.numpy import load_file
except ImportError as missing:
    print(f"1..0 # SKIP {missing}: install numpy and safetensors to compare model files")
    sys.exit(77)


def documented_functions():
    """What the Python blocks of the manual define: predict(path, x), encode(path, rows) and
    save(path, ...)."""
    names = {}
    with open(MODEL_FILE_DOC, encoding="utf-8") as page:
        for block in re.findall(r"```python\n(.*?)```", page.read(), re.DOTALL):
            exec(compile(block, MODEL_FILE_DOC, "exec"), names)
    return names["predict"], names["encode"], names["save"]


def train_table(folder, rng):
    """A table of numbers far from 0 on different scales, categories and missing cells; the model
    that glia makes of it, its rows, and glia's probabilities of them."""
    table, model = os.path.join(folder, "table.csv"), os.path.join(folder, "table.safetensors")
    rows = []
    for _ in range(200):
        size, town = rng.normal(5000, 300), str(rng.choice(["Bonn", "Köln", "Ulm"]))
        dear = size + 300 * (town == "Ulm") + rng.normal(0, 50) > 5100
        rows.append({"size": size, "town": town if rng.random() < 0.9 else None,
                     "hue": rng.normal(0.01, 0.002) if rng.random() < 0.9 else None,
                     "class": "dear" if dear else "cheap"})
    with open(table, "w", encoding="utf-8") as file:
        print("size,town,hue,class", file=file)
        for row in rows:
            print(*("" if cell is None else cell for cell in row.values()), sep=",", file=file)
    program = os.environ["GLIA"]
    subprocess.run([program, "train", table, "--test", "none", "-q", "-o", model], check=True,
                   capture_output=True)
    answers = subprocess.run([program, "predict", model, table], check=True, capture_output=True,
                             text=True).stdout.splitlines()[1:]
    return model, rows, np.array([[float(p) for p in line.split(",")[2:]] for line in answers])


def dump(model, data, classes, folder, copy=None):
    """Probabilities (n, classes) by glia, and pixels (n, inputs), of the test images."""
    program = os.path.join(os.environ["GLIA_BUILD"], "tests", "dump_predictions")
    files = [os.path.join(folder, name) for name in ("probabilities", "pixels")]
    subprocess.run([program, model, data, *files] + ([copy] if copy else []), check=True)
    probabilities = np.fromfile(files[0], np.float32).reshape(-1, classes)
    pixels = np.fromfile(files[1], np.uint8).reshape(len(probabilities), -1)
    return probabilities, pixels


class Tap:
    def __init__(self):
        self.n = self.failed = 0

    def case(self, name, passed, comment):
        self.n += 1
        self.failed += not passed
        print(f"{'ok' if passed else 'not ok'} {self.n} - {name}")
        print(f"# {comment}", flush=True)

    def compare(self, name, ours, theirs):
        largest = float(np.abs(ours - theirs).max())
        same = int((ours.argmax(axis=1) == theirs.argmax(axis=1)).sum())
        self.case(name, len(ours) > 0 and largest <= TOLERANCE,
                  f"{len(ours)} predictions, largest difference {largest:.3g}, "
                  f"{same} of the same class")


def random_layers(rng, widths, batch_norm=False):
    layers = [{"weight": rng.normal(0, (2 / n_in) ** 0.5, (n_out, n_in)),
               "bias": rng.normal(0, 0.1, n_out)} for n_in, n_out in zip(widths, widths[1:])]
    for layer in layers[:-1] if batch_norm else []:
        n = len(layer["bias"])
        layer.update({"norm.weight": rng.normal(1, 0.3, n), "norm.bias": rng.normal(0, 0.3, n),
                      "norm.running_mean": rng.normal(0, 0.3, n),
                      "norm.running_var": rng.uniform(0.2, 2, n)})
    return [{name: values.astype(np.float32) for name, values in layer.items()}
            for layer in layers]


def number_of_classes(model):
    with safe_open(model, framework="numpy") as file:
        return len(json.loads(file.metadata()["glia"])["classes"])


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--model", help="compare this model as well, on --data")
    options.add_argument("--data", default="digits", help="a data set of 28 x 28 pixels")
    args = options.parse_args()
    predict, encode, save = documented_functions()
    tap = Tap()
    rng = np.random.default_rng(1)
    classes = [str(i) for i in range(10)]
    with tempfile.TemporaryDirectory() as folder:
        path, copy = os.path.join(folder, "python"), os.path.join(folder, "glia")
        one = [[name, "softmax"] for name in ACTIVATIONS]
        for activations, batch_norm in [(names, False) for names in [["softmax"], *one]] + [
                (["relu", "tanh", "sigmoid", "identity", "softmax"], False),
                (["relu", "gelu", "elu", "silu", "softmax"], True),
                (["identity", "scaled-tanh", "leaky-relu", "sigmoid", "softmax"], True)]:
            hidden = [37, 16, 8, 50][:len(activations) - 1]
            layers = random_layers(rng, [784, *hidden, 10], batch_norm)
            save(path, layers, activations, classes)
            ours, pixels = dump(path, args.data, 10, folder, copy)
            name = " ".join(activations) + (", normalised" if batch_norm else "")
            tap.compare(f"glia reads what Python wrote: {name}", ours, predict(path, pixels))
            tap.compare(f"Python reads what glia wrote: {name}", ours, predict(copy, pixels))
            saved = load_file(copy)
            same = len(saved) == sum(map(len, layers)) and all(
                np.array_equal(saved[f"layers.{l}.{name}"], values)
                for l, layer in enumerate(layers) for name, values in layer.items())
            tap.case(f"weights come back to the bit: {name}", same, f"{len(saved)} tensors")
        scales = [{"mean": 0.25 * i - 1, "scale": 0.1 + 0.05 * i} for i in range(10)]
        for loss, last, outputs in (("bce", "sigmoid", None), ("huber", "identity", None),
                                    ("mse", "identity", scales)):
            layers = random_layers(rng, [784, 16, 10])
            save(path, layers, ["relu", last], classes, loss, outputs)
            ours, pixels = dump(path, args.data, 10, folder, copy)
            tap.compare(f"glia reads what Python wrote: {loss}", ours, predict(path, pixels))
            tap.compare(f"Python reads what glia wrote: {loss}", ours, predict(copy, pixels))
        turned = [{name: np.asfortranarray(values) for name, values in layer.items()}
                  for layer in layers] # as W.T of another program is
        save(path, turned, ["relu", "identity"], classes, "mse", scales)
        tap.compare("weights in any order in memory", ours, predict(path, pixels))
        if os.environ.get("GLIA"):
            model, rows, ours = train_table(folder, rng)
            tap.compare("rows of a table, encoded in Python", ours, predict(model, encode(model, rows)))
            wrong = sum(("cheap", "dear")[i] != row["class"]
                        for i, row in zip(ours.argmax(axis=1), rows))
            tap.case("rows of a table are learned", wrong <= 30, f"{wrong} of {len(rows)} wrong")
        models = [args.model] if args.model else []
        for more in ([], ["--batch-norm"]) if not models and os.environ.get("GLIA") else ():
            models.append(os.path.join(folder, "trained" + "".join(more)))
            subprocess.run([os.environ["GLIA"], "train", "digits", "--hidden", "32", "--epochs",
                            "1", *more, "-o", models[-1]], check=True, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
        for model in models:
            ours, pixels = dump(model, args.data, number_of_classes(model), folder)
            tap.compare(f"{os.path.basename(model)}, on {args.data}", ours, predict(model, pixels))
    print(f"1..{tap.n}")
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
