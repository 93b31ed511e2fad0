#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whether two builds of glia learn the same networks, bit for bit, of data that both read alike.

usage: same_models.py OLD NEW [--epochs 1] [--venv FOLDER] [WORD...]

Both programs train with the same seed on MNIST (where $GLIA_DATA or the cache has it), the built-in
digits, a folder of pictures of them, five tables of scikit-learn and the made-up homes of README.md.
The tensors of each pair of model files are compared byte by byte. Of the metadata it is said which
keys are new, gone, or have another value. WORDs choose among the data sets by parts of their names.
The exit status is 1 if a tensor differs.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PYPI = ["numpy==2.4.6", "pandas==3.1.1", "scikit-learn==1.9.1"]
WRITE_TABLES = """
import sys
import sklearn.datasets
for name in ("iris", "wine", "breast_cancer", "diabetes", "digits"):
    frame = getattr(sklearn.datasets, "load_" + name)(as_frame=True).frame
    frame.to_csv(sys.argv[1] + "/" + name + ".csv", index=False)
"""


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(*words, **how):
    done = subprocess.run(words, capture_output=True, text=True, check=False, **how)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def write_tables(folder, venv):
    python = os.path.join(venv, "bin", "python")
    if not os.path.exists(python):
        run(sys.executable, "-m", "venv", venv)
    run(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *PYPI)
    run(python, "-c", WRITE_TABLES, folder)


def write_homes(path):
    """README's table, by the command that stands there."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as page:
        program = re.search(r"awk '(BEGIN \{ srand.*?)' > homes\.csv", page.read(), re.DOTALL)
    with open(path, "w", encoding="utf-8") as f:
        f.write(run("awk", program.group(1)))


def cases(old, folder, epochs):
    """(name, words of `train`), with the files that they need, made by the old program."""
    if os.environ.get("GLIA_DATA") or os.path.isdir(os.path.expanduser("~/.cache/glia/mnist")):
        yield "mnist", ["mnist", "--epochs", str(epochs)]
        yield "mnist, recipe fast", ["mnist", "--recipe", "fast", "--epochs", str(epochs)]
    else:
        say("no MNIST, so it is left out")
    yield "digits", ["digits", "--epochs", str(epochs)]
    run(old, "data", "export", "digits", "--format", "folder", "--split", "train", "--count", "500",
        "-o", os.path.join(folder, "pictures"))
    yield "digits, exported as a folder", ["pictures", "--epochs", "5"]
    for name in ("iris", "wine", "breast_cancer", "diabetes", "digits"):
        yield f"{name}.csv", [f"{name}.csv"]
    write_homes(os.path.join(folder, "homes.csv"))
    yield "homes.csv", ["homes.csv", "--target", "price"]
    yield "homes.csv, classes", ["homes.csv", "--target", "district"]


def read_model(path):
    """The tensors, {name: (type, shape, bytes)}, and the metadata of a safetensors file."""
    with open(path, "rb") as f:
        head = json.loads(f.read(int.from_bytes(f.read(8), "little")))
        data = f.read()
    metadata = head.pop("__metadata__", {})
    tensors = {name: (t["dtype"], t["shape"], data[slice(*t["data_offsets"])])
               for name, t in head.items()}
    return tensors, metadata


def flat(value, name=""):
    """The leaves of nested JSON, {path: value}; texts that are JSON are opened as well."""
    if isinstance(value, str) and value[:1] in "{[":
        try:
            value = json.loads(value)
        except ValueError:
            pass
    items = (value.items() if isinstance(value, dict) else
             enumerate(value) if isinstance(value, list) else None)
    if items is None:
        return {name: value}
    return {key: leaf for k, v in items for key, leaf in flat(v, f"{name}.{k}" if name else
                                                              str(k)).items()}


def compare(old, new):
    """Lines that say what differs; those of tensors begin with "tensor"."""
    (old_tensors, old_words), (new_tensors, new_words) = read_model(old), read_model(new)
    for name in sorted(old_tensors.keys() | new_tensors.keys()):
        a, b = old_tensors.get(name), new_tensors.get(name)
        if a is None or b is None:
            yield f"tensor {name}: only in the {'new' if a is None else 'old'} file"
        elif a[:2] != b[:2]:
            yield f"tensor {name}: {a[:2]}, then {b[:2]}"
        elif a[2] != b[2]:
            yield f"tensor {name}: other bytes"
    a, b = flat(old_words), flat(new_words)
    for key in sorted(a.keys() | b.keys()):
        if key not in b:
            yield f"metadata {key}: gone ({a[key]!r})"
        elif key not in a:
            yield f"metadata {key}: new ({b[key]!r})"
        elif a[key] != b[key]:
            yield f"metadata {key}: {a[key]!r}, then {b[key]!r}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("words", nargs="*")
    parser.add_argument("--epochs", type=int, default=1, help="of MNIST and the built-in digits")
    parser.add_argument("--venv", default=os.path.join(ROOT, "build", "tables-venv"))
    options = parser.parse_args()
    programs = [os.path.abspath(options.old), os.path.abspath(options.new)]
    other = 0
    with tempfile.TemporaryDirectory(prefix="same-models-") as folder:
        write_tables(folder, options.venv)
        for name, words in cases(programs[0], folder, options.epochs):
            if options.words and not any(word in name for word in options.words):
                continue
            models = [os.path.join(folder, f"{which}.safetensors") for which in ("old", "new")]
            try:
                for program, model in zip(programs, models):
                    run(program, "train", *words, "--seed", "1", "-q", "-o", model, cwd=folder)
                faults = list(compare(*models))
            except RuntimeError as error:
                faults = [f"tensor: none, {error}"]
            same = not any(fault.startswith("tensor") for fault in faults)
            other += not same
            print(f"{'same ' if same else 'other'}  {name}", flush=True)
            for fault in faults:
                print(f"       {fault}", flush=True)
            for model in models:
                if os.path.exists(model):
                    os.remove(model)
    print(f"{other} of the networks differ" if other else "all networks are the same")
    return 1 if other else 0


if __name__ == "__main__":
    sys.exit(main())
