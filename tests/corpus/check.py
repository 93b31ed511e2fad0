#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Reads the corpus with glia, and says of each file whether it was read as its tool means it.

usage: check.py GLIA FOLDER [WORD...]        files whose name holds one of the words (default: all)

FOLDER is what make.py wrote. Each file is looked through (`glia data check`), trained on without a
step (`train --epochs 0`) and predicted; what comes out is compared with expectations.json:

  right   rows, header, kinds, missing cells, ranges, counts, classes, pixels: all as expected
  error   the program ended with a message that names the file
  wrong   anything else: what was read differs, and the program did not say so

The exit status is 0 if none is wrong and at least 98 of 100 are right.
"""
import glob
import json
import math
import os
import subprocess
import sys
import tempfile

ENOUGH = 0.98


def run(*words, **how):
    return subprocess.run(words, capture_output=True, text=True, errors="replace", timeout=120,
                          check=False, **how)


class Refused(Exception):
    """The program ended with an error; the message is the argument."""


def ask(glia, *words):
    """The JSON that a command prints. Its status may be 1: of `data check`, after a severe finding."""
    done = run(glia, *words, "--json")
    try:
        return json.loads(done.stdout)
    except ValueError:
        raise Refused(done.stderr.strip() or f"status {done.returncode}, no message") from None


def close(got, expected, slack=1e-5):
    return got is not None and math.isclose(got, expected, rel_tol=slack, abs_tol=1e-12)


def same_counts(got, expected):
    return all(expected.get(item["text"]) == item["count"] for item in got)


def is_boolean(got, expected, rows):
    """A column of 0 and 1, or of two texts, with as many of each as expected."""
    if got["kind"] == "numbers":
        return (got["min"], got["max"]) == (0, 1) and close(
            got["mean"] * (rows - expected["missing"]), expected["true"])
    counts = sorted(item["count"] for item in got["top"])
    n = rows - expected["missing"]
    return counts == sorted([expected["true"], n - expected["true"]])


def column_faults(name, got, expected, rows):
    kind = expected["kind"]
    if kind == "any":
        return
    if got["missing"] != expected["missing"]:
        yield f"{name}: {got['missing']} missing, expected {expected['missing']}"
    if kind == "numbers":
        if got["kind"] != "numbers":
            yield f"{name}: {got['kind']}, expected numbers"
        else:
            for figure in ("min", "max", "mean"):
                if not close(got[figure], expected[figure]):
                    yield f"{name}: {figure} {got[figure]}, expected {expected[figure]:.9g}"
    elif kind == "boolean":
        if not is_boolean(got, expected, rows):
            yield f"{name}: {got['kind']} {got['top']}, expected booleans, {expected['true']} true"
    elif kind == "texts":
        if got["kind"] != "texts":
            yield f"{name}: {got['kind']}, expected texts"
        elif got["different"] != expected["different"]:
            yield f"{name}: {got['different']} texts, expected {expected['different']}"
        elif not same_counts(got["top"], expected["counts"]):
            yield f"{name}: {got['top']}, expected {expected['counts']}"
    elif kind == "date":
        if got["role"] == "feature" and "date" not in got["kind"]:
            yield f"{name}: {got['kind']} as features, expected dates"
    elif kind == "identifier":
        if got["role"] == "feature" and not got["drop"]:
            yield f"{name}: a feature, and no advice to drop it; expected an identifier"


def table_faults(got, expected):
    """What differs between the survey of a table and what is expected of it."""
    if got["rows"] != expected["rows"] or got["skipped"]:
        yield f"{got['rows']} rows and {got['skipped']} skipped, expected {expected['rows']}"
    columns = expected.get("columns")
    if columns is not None:
        if len(got["columns"]) != len(columns):
            yield (f"{len(got['columns'])} columns ({[c['name'] for c in got['columns']][:8]}), "
                   f"expected {len(columns)}")
            return
        for at, (column, wanted) in enumerate(zip(got["columns"], columns)):
            name = wanted["name"] or f"column {at + 1}"
            if wanted["kind"] != "any" and column["name"] != name:
                yield f"column {at + 1} is called {column['name']!r}, expected {name!r}"
            yield from column_faults(name, column, wanted, got["rows"])
    if "task" in expected and got["task"] != expected["task"]:
        yield f"task {got['task']}, expected {expected['task']}"
    if "features" in expected and got["features"] != expected["features"]:
        yield f"{got['features']} features, expected {expected['features']}"
    if expected.get("classes"):
        counts = {item["text"]: item["count"] for item in got["classes"]}
        if counts != expected["classes"]:
            yield f"classes {counts}, expected {expected['classes']}"


def is_affine(got, expected, slack=2e-4):
    """Whether got = a * expected + b, with a > 0: a column may have been standardised."""
    low, high = min(expected), max(expected)
    if low == high:
        return max(got) - min(got) < 1e-6
    at_low, at_high = got[expected.index(low)], got[expected.index(high)]
    slope = (at_high - at_low) / (high - low)
    return slope > 0 and all(abs(at_low + slope * (e - low) - g) <= slack * (at_high - at_low)
                             for g, e in zip(got, expected))


def features_of(glia, model, path):
    """What a model reads each row of a file as, by tests/dump_table: lists of numbers."""
    dump = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(glia))), "tests",
                        "dump_table")
    done = run(dump, model, path)
    if done.returncode != 0:
        raise Refused(f"dump_table: {done.stderr.strip()}")
    return [[float(x) for x in line.split("|")[0].split()] for line in done.stdout.splitlines()]


def value_faults(rows, expected):
    """Compares each feature of each row, but for mean and scale."""
    if len(rows) != len(expected):
        yield f"features of {len(rows)} rows, expected {len(expected)}"
    elif len(rows[0]) != len(expected[0]):
        yield f"{len(rows[0])} features, expected {len(expected[0])}"
    else:
        for j, (got, wanted) in enumerate(zip(zip(*rows), zip(*expected))):
            if not is_affine(got, wanted):
                yield f"feature {j}: {got[:4]} for {wanted[:4]}"


def picture_faults(glia, path, options, expected, scratch):
    """Exports the pictures as PNG, in the order of the samples, and compares the pixels."""
    import numpy as np
    from PIL import Image
    out = os.path.join(scratch, "pixels")
    done = run(glia, "data", "export", path, "--count", str(expected["rows"]), "-o",
               out, *options)
    if done.returncode != 0:
        raise Refused(done.stderr.strip())
    wanted = np.load(os.path.join(path, "..", expected["pixels"]))
    files = sorted(glob.glob(os.path.join(out, "**", "*.png"), recursive=True))
    if len(files) != len(wanted):
        yield f"{len(files)} pictures, expected {len(wanted)}"
        return
    for i, file in enumerate(files):
        got = np.asarray(Image.open(file)).astype(int)
        if got.shape != wanted[i].shape:
            yield f"picture {i}: {got.shape}, expected {wanted[i].shape}"
            return
        difference = int(abs(got - wanted[i]).max())
        if difference > expected["slack"]:
            yield f"picture {i}: pixels differ by up to {difference}, allowed {expected['slack']}"
            return


def use_faults(glia, path, options, expected, scratch):
    """Trains without a step and predicts: each row has an answer, and features as expected."""
    model = os.path.join(scratch, "model.safetensors")
    trained = os.path.join(os.path.dirname(path), expected.get("model_of", os.path.basename(path)))
    hold_out = expected.get("train", ["--test", "none"])
    done = run(glia, "train", trained, "--epochs", "0", *hold_out, "-q", "-o", model, *options)
    if done.returncode != 0:
        raise Refused(done.stderr.strip())
    reading = []
    for word, value in zip(options[::2], options[1::2]):  # what predict must be told as well
        if word in ("--separator", "--header", "--missing", "--decimal", "--thousands"):
            reading += [word, value]
    if "columns" in expected or "values" in expected:
        done = run(glia, "predict", model, path, "--format", "jsonl", *reading)
        if done.returncode != 0:
            raise Refused(done.stderr.strip())
        answers = done.stdout.splitlines()
        if len(answers) != expected["rows"]:
            yield f"predict: {len(answers)} answers, expected {expected['rows']}"
        if any("nan" in answer.lower() for answer in answers):
            yield "predict: an answer is not a number"
    if "values" in expected:
        yield from value_faults(features_of(glia, model, path), expected["values"])
    for column in expected.get("columns", []):
        if column["kind"] == "date":  # one of the features counts days
            features = zip(*features_of(glia, model, path))
            if not any(is_affine(feature, column["days"]) for feature in features):
                yield f"{column['name']}: no feature counts its days"


def judge(glia, folder, entry):
    """right, error or wrong, and why."""
    path = os.path.join(folder, entry["file"])
    options, expected = entry["options"], entry["expected"]
    try:
        with tempfile.TemporaryDirectory(prefix="corpus-") as scratch:
            faults = [] if "model_of" in expected else list(
                table_faults(ask(glia, "data", "check", path, *options), expected))
            faults += use_faults(glia, path, options, expected, scratch)
            if "pixels" in expected:
                faults += picture_faults(glia, path, options, expected, scratch)
    except Refused as refused:
        message = str(refused)
        named = os.path.basename(path).rstrip("/") in message and "Sanitizer" not in message
        return "error" if named else "wrong", message
    except subprocess.TimeoutExpired:
        return "wrong", "still running after two minutes"
    return ("wrong", "; ".join(faults)) if faults else ("right", "")


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    glia, folder, words = sys.argv[1], sys.argv[2], sys.argv[3:]
    with open(os.path.join(folder, "expectations.json"), encoding="utf-8") as f:
        entries = json.load(f)
    entries = [e for e in entries if not words or any(word in e["file"] for word in words)]
    counts = {"right": 0, "error": 0, "wrong": 0}
    for entry in entries:
        verdict, why = judge(glia, folder, entry)
        counts[verdict] += 1
        print(f"{verdict:<5}  {entry['file']}  ({entry['how']})", flush=True)
        if why:
            options = " ".join(entry["options"])
            print("       " + (f"[{options}] " if options else "") + why.replace("\n", "\n       "))
    print(f"{len(entries)} files: {counts['right']} right, {counts['error']} refused with an error, "
          f"{counts['wrong']} wrong")
    return 0 if not counts["wrong"] and counts["right"] >= ENOUGH * len(entries) else 1


if __name__ == "__main__":
    sys.exit(main())
