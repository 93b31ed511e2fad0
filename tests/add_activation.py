#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Adds an activation and a setting to a copy of the sources, as docs/reading.md says, and sees that
nothing else has to be touched: the copy is built, its tests of gradients, of activations and of
settings pass, and it trains with the new activation in every engine.

usage: add_activation.py BUILD
BUILD: a configured build folder, whose options the copy is built with. Prints TAP.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.abspath(sys.argv[1])

# (file, a text that it has once, the text in its place)
TANH_SLOPE = "((real)(GI_TANH_HEIGHT * GI_TANH_HEIGHT) - a * a))"
LIBM_TANH = "        return 1.7159 * tanh(z * 2 / 3);\n"
RATE = "gi_rate_at(&t->params, step, t->n_steps, t->steps_an_epoch)"
ACTIVATION = [
    ("include/glia.h", 'X(SCALED_TANH, "scaled-tanh")',
     'X(SCALED_TANH, "scaled-tanh") \\\n    X(SOFTSIGN, "softsign")'),
    ("src/compute/activation.h", TANH_SLOPE, TANH_SLOPE + r""" \
    X(SOFTSIGN, 0, -1, 1, \
      z / (1 + (z < 0 ? -z : z)), \
      g / ((1 + (z < 0 ? -z : z)) * (1 + (z < 0 ? -z : z))), \
      (1 - (a < 0 ? -a : a)) * (1 - (a < 0 ? -a : a)))"""),
    ("tests/test_network.c", LIBM_TANH, LIBM_TANH +
     "    case GLIA_ACTIVATION_SOFTSIGN:\n        return z / (1 + fabs(z));\n"),
    ("docs/math.md", "| gelu |",
     "| softsign | $z / (1 + \\lvert z \\rvert)$ | $1 / (1 + \\lvert z \\rvert)^2$ | "
     "$(1 - \\lvert a \\rvert)^2$ |\n| gelu |"),
]
SETTING = [
    ("src/model/settings_list.h", 'X(REAL, lr, "lr",',
     'X(REAL, least_lr, "least-lr", TRAINING, 0, 0, 1, CLOSED, IF_SET, "X", NULL, '
     '"the learning rate never falls below it") \\\n    X(REAL, lr, "lr",'),
    ("src/train/steps.c", RATE, f"fmax({RATE}, t->params.least_lr)"),
]
TESTS = ("gradient", "network", "settings_reach")
number = failures = 0


def report(name, good, text=""):
    global number, failures
    number += 1
    failures += not good
    print(f"{'ok' if good else 'not ok'} {number} - {name}", flush=True)
    for line in [] if good else text.splitlines()[-40:]:
        print("#", line)
    return good


def run(*command, folder=None):
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", stdin=subprocess.DEVNULL, check=False)
    return done.returncode == 0, done.stdout


def edit(copy, path, old, new):
    with open(os.path.join(copy, path), encoding="utf-8") as file:
        text = file.read()
    if text.count(old) != 1:
        sys.exit(f"{path}: found {text.count(old)} times, expected once: {old!r}")
    with open(os.path.join(copy, path), "w", encoding="utf-8") as file:
        file.write(text.replace(old, new))


def settings_of(build):
    """The options of a build folder as words for meson setup."""
    text = subprocess.run(["meson", "introspect", "--buildoptions", build], capture_output=True,
                          text=True, check=True).stdout
    known = ("png", "jpeg", "onednn", "fetch", "rsvg")
    return [f"-D{o['name']}={o['value']}" for o in json.loads(text) if o["name"] in known]


def report_files(what, copy, changes, most):
    """The lines of the change, and how many files it touches."""
    names = sorted({path for path, _old, _new in changes})
    for name in names:
        diff = run("diff", os.path.join(ROOT, name), os.path.join(copy, name))[1]
        for line in diff.splitlines():
            if line.startswith(("<", ">")):
                print(f"# {name} {line}")
    report(f"{what} is added in {len(names)} files: {', '.join(names)}", len(names) <= most)


def accuracy_of(program, folder, engine, activation):
    """What two epochs of the digits come to, or None; and what was printed."""
    done, text = run(program, "train", "digits", "--hidden", "32,16", "--activation", activation,
                     "--epochs", "2", "--engine", engine, "--batch", "16", "--quiet", "--json", "-o",
                     os.path.join(folder, "model.safetensors"))
    return json.loads(text)["test_accuracy"] if done else None, text


def train(program, folder, engine):
    """It learns about as well as tanh, which has the same slope at 0 and the same bounds."""
    tanh, _text = accuracy_of(program, folder, engine, "tanh")
    accuracy, text = accuracy_of(program, folder, engine, "softsign")
    print(f"# {engine}: test accuracy {accuracy}, with tanh {tanh}")
    return None not in (accuracy, tanh) and accuracy > tanh - 0.05, text


def try_out(build, folder):
    program = os.path.join(build, "cli/glia")
    for name in TESTS:
        report(f"its test {name}", *run("meson", "test", "-C", build, "--no-rebuild", name,
                                        "--print-errorlogs"))
    done, text = run(program, "help", "train")
    report("help names both", done and "softsign" in text and "--least-lr" in text, text)
    version = run(program, "--version")[1]
    for engine in ("reference", "native") + (("onednn",) if "onednn" in version else ()):
        report(f"engine {engine} learns with softsign", *train(program, folder, engine))


def main():
    with tempfile.TemporaryDirectory(prefix="glia-add-") as folder:
        copy, build = os.path.join(folder, "glia"), os.path.join(folder, "build")
        shutil.copytree(ROOT, copy, symlinks=True,
                        ignore=shutil.ignore_patterns("build*", ".git", "shared"))
        for change in ACTIVATION + SETTING:
            edit(copy, *change)
        report_files("an activation", copy, ACTIVATION, 4)
        report_files("a setting", copy, SETTING, 2)
        done, text = run("meson", "setup", *settings_of(BUILD), "-Dtests=enabled", build, copy)
        if report("the copy is configured", done, text):
            done, text = run("ninja", "-C", build, "cli/glia", "tests/dump_settings",
                             "tests/test_gradient", "tests/test_network")
            warnings = [line for line in text.splitlines() if "warning:" in line]
            text = text if not done else "\n".join(warnings)
            if report("it is built without a warning", done and not warnings, text):
                try_out(build, folder)
    print(f"1..{number}")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
