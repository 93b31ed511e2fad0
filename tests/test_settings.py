# SPDX-License-Identifier: MIT
"""
Every setting of the library (src/model/settings_list.h) reaches the options of train, their help and
manual, recipes, sweep, run.json, the report, the comparison of runs, the model file, checkpoints and
the messages about values out of range. A setting that is added is tried without a line here, unless
it needs another beside it.
"""
import json
import subprocess
import sys

import harness
from harness import expect, glia, make_data, path, read, test

DUMP = sys.argv[2]
LINES = subprocess.run([DUMP], capture_output=True, text=True, check=True).stdout.splitlines()
SETTINGS = [line.split("\t")[:5] for line in LINES]
FLAGS = {line.split("\t")[0] for line in LINES if line.endswith("\tflag")}

# What a value needs beside it to mean something, or to be legal.
BESIDE = {
    "elastic-sigma": ["--elastic", "3"],
    "augment-fade": ["--augment"],
    "augment-fade-to": ["--augment", "--augment-fade", "0.5"],
    "patience": ["--validation", "0.2"],
    "min-delta": ["--validation", "0.2"],
    "lr-factor": ["--schedule", "step"],
    "lr-every": ["--schedule", "step"],
    "lr-end": ["--schedule", "linear"],
    "beta2": ["--optimizer", "adam"],
    "epsilon": ["--optimizer", "adam"],
    "momentum": ["--optimizer", "momentum"],
}
# Values that not every CPU, build or data set can have.
INSTEAD = {"loss": "cross-entropy", "schedule": "linear", "engine": "reference", "precision": None}

make_data("bars", 60, 20)
SMALL = ["bars", "--epochs", "1", "--hidden", "5", "--quiet"]


def value_of(name, value):
    return INSTEAD.get(name, value)


def words(name, value):
    return [f"--{name}"] if name in FLAGS else [f"--{name}", value]


HELP = glia("help", "train").out


@test("every setting is an option of train, in its help and manual")
def _():
    options = glia("help", "--options", "train").out.split()
    manual = glia("help", "--man", "train").out
    for name, _key, _group, _value, _kept in SETTINGS:
        expect(f"--{name}" in options, name)
        expect(f"--{name}" in HELP and name.replace("-", "\\-") in manual, name)


@test("every setting can be swept but seed and threads, which sweep has for itself")
def _():
    options = glia("help", "--options", "sweep").out.split()
    text = glia("help", "sweep").out
    for name, *_ in SETTINGS:
        expect(f"--{name}" in options, name)
        expect(f"--{name} LIST" in text or name in ("seed", "threads"), name)


@test("every setting stands in a recipe, and a recipe can be read again")
def _():
    for name, _key, _group, value, _kept in SETTINGS:
        if value_of(name, value) is None:
            continue
        printed = glia("train", "digits", "--print", *words(name, value_of(name, value))).out
        line = printed.splitlines()[0]
        expect(line == " ".join(words(name, value_of(name, value))), name, printed)
        harness.write("one.recipe", printed.encode())
        again = glia("train", "digits", "--print", "--recipe", path("one.recipe")).out
        expect(line in again.splitlines(), name, again)


@test("a value out of range is refused with the option's name and what it may be")
def _():
    for name, *_ in SETTINGS:
        if name in FLAGS:
            continue
        done = glia("train", "digits", f"--{name}", "-7x", code=2)
        expect(f'train: --{name}: found "-7x", expected ' in done.err, name, done.err)


@test("every setting is in run.json, and runs that differ in it are told apart")
def _():
    glia("train", *SMALL, "--run", "usual", "-o", "usual.safetensors")
    plain = json.loads(read("usual/run.json"))["settings"]
    expect({key for _, key, *_ in SETTINGS} <= set(plain), plain)
    for name, key, _group, value, kept in SETTINGS:
        value = value_of(name, value)
        if value is None:
            continue
        own = [] if name in ("epochs", "hidden") else words(name, value)
        small = list(SMALL)
        if name in ("epochs", "hidden"):
            value = small[small.index(f"--{name}") + 1] = "3"
        run = f"run-{name}"
        glia("train", *small, *BESIDE.get(name, []), *own, "--run", run)
        settings = json.loads(read(f"{run}/run.json"))["settings"]
        expect(settings[key] != plain[key], name, value, settings[key])
        o = glia("runs", "compare", "usual", run, "--json").json()
        expect(key in o["differing"], name, o["differing"])
        if kept:
            training = glia("inspect", f"{run}/model.safetensors", "--json").json()[
                "metadata"]["training"]
            training |= training.get("augmentation", {})
            expect(training.get(key, training.get(key.replace("augment_", ""))) is not None, name,
                   training)


@test("every setting is in the report's table")
def _():
    glia("train", *SMALL, "--run", "reported")
    glia("report", "reported")
    page = read("reported/report.html").decode()
    for _name, key, *_ in SETTINGS:
        expect(key.replace("_", " ") in page, key)


@test("a checkpoint is of its settings: runs with another are refused")
def _():
    glia("train", *SMALL, "--checkpoint", "kept", "-o", "kept.safetensors")
    kept = json.loads(read("kept/checkpoint.json"))
    expect("--epochs=1" in json.dumps(kept), kept)


@test("sweep: values that are lists, names with '-', and switches")
def _():
    o = glia("sweep", "bars", "--hidden", "5-4", "--activation", "leaky-relu,relu-leaky-relu",
             "--batch-norm", "yes,no", "--epochs", 1, "-o", "swept", "--json").json()
    expect([c["activation"] for c in o["cells"]] ==
           ["leaky-relu"] * 2 + ["relu,leaky-relu"] * 2, o["cells"])
    expect([c["batch-norm"] for c in o["cells"]] == ["yes", "no"] * 2, o["cells"])
    for cell in o["cells"]:
        for run in cell["runs"]:
            settings = json.loads(read(f"swept/runs/{run['run']}/run.json"))["settings"]
            expect(settings["batch_norm"] == (cell["batch-norm"] == "yes"), settings)
    done = glia("sweep", "bars", "--batch-norm", "maybe", "-o", "no", code=2)
    expect('--batch-norm: found "maybe", expected yes' in done.err, done.err)


harness.run_tests()
