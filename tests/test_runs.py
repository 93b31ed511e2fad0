# SPDX-License-Identifier: MIT
"""
Folders of runs (docs/runs.md), glia runs and glia sweep, from outside.

    python3 tests/test_runs.py [PROGRAM]      (else $GLIA)
"""
import csv
import html
import json
import os
import random
import re
import shutil
import signal
import statistics
import struct
import xml.etree.ElementTree as ElementTree
import zlib

from harness import (end_of, expect, glia, make_data, on_terminal, path, read, run_tests, start,
                     test, wait_for, wait_until, write)


def load(name):
    return json.loads(read(name))


def metrics(folder):
    return [json.loads(line) for line in read(f"{folder}/metrics.jsonl").decode().splitlines()]


def same(a, b):
    """Equal but for the last digits: files have more of them than standard output."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b))
    if isinstance(a, float) and isinstance(b, (int, float)):
        return abs(a - b) <= 1e-8 * max(1, abs(a))
    return a == b


# ---- The folder of a run -------------------------------------------------------------------------

@test("a run's folder holds what docs/runs.md says")
def _():
    r = glia("train", "bars", "--hidden", "12,7", "--activation", "tanh", "--epochs", 3, "--lr",
             "0.3", "--lr-end", "0.1", "--validation", "0.2", "--run", "first", "--json").json()
    expect(sorted(os.listdir(path("first"))) == ["metrics.jsonl", "model.safetensors",
                                                 "result.json", "run.json"],
           os.listdir(path("first")))
    run, result = load("first/run.json"), load("first/result.json")
    expect(same(result, r) and r["model"] == "first/model.safetensors", result, r)
    expect(run["format"] == "glia-run" and run["format_version"] == 1, run)
    expect(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", run["started"]), run["started"])
    expect(run["command"] == ["train", "--hidden=12,7", "--activation=tanh", "--epochs=3",
                              "--lr=0.3", "--lr-end=0.1", "--validation=0.2", "--", "bars"],
           run["command"])
    settings = run["settings"]
    expect(settings["hidden"] == [12, 7] and settings["activation"] == ["tanh", "tanh"], settings)
    expect(settings["lr"] == 0.3 and settings["lr_end"] == 0.1 and settings["seed"] == 1, settings)
    expect(run["data"] == {"name": "bars", "train_samples": 240, "validation_samples": 60,
                           "test_samples": 90, "features": 64, "classes": 3, "height": 8,
                           "width": 8}, run["data"])
    expect(run["network"] == {"layers": [64, 12, 7, 3], "activations": ["tanh", "tanh", "softmax"],
                              "batch_norm": False, "parameters": r["parameters"]},
           run["network"])
    environment = run["environment"]
    for key in ("engine", "isa", "precision", "plan", "threads"):
        expect(environment[key] == r[key], key, environment[key], r[key])
    expect(environment["cores"] >= 1 and environment["cpu"], environment)


@test("a run's metrics are those of the run")
def _():
    lines, result = metrics("first"), load("first/result.json")
    steps = [line for line in lines if line["kind"] == "step"]
    epochs = [line for line in lines if line["kind"] == "epoch"]
    expect(len(epochs) == 3 and [e["epoch"] for e in epochs] == [1, 2, 3], epochs)
    expect([e["samples"] for e in epochs] == [240, 480, 720], epochs)
    expect([e["step"] for e in epochs] == [8, 16, 24], epochs)  # 240 samples in batches of 32
    expect(abs(epochs[-1]["lr"] - 0.1) < 1e-9 and steps[0]["lr"] < 0.3, epochs[-1], steps[0])
    expect(same(epochs[-1]["train_loss"], result["train_loss"]), epochs[-1], result)
    best = [e for e in epochs if e["best"]][-1]
    expect(best["epoch"] == result["best_epoch"], best["epoch"])
    expect(same(best["validation_loss"], result["validation_loss"]), best, result)
    seconds = [line["seconds"] for line in lines]
    expect(seconds == sorted(seconds) and seconds[0] >= 0, seconds)
    for line in epochs:
        expect(len(line["histograms"]) == 3, line)
        for layer, (inputs, units) in zip(line["histograms"], ((64, 12), (12, 7), (7, 3))):
            weights, activations = layer["weights"], layer["activations"]
            expect(sum(weights["counts"]) == inputs * units, layer)
            expect(sum(activations["counts"]) == 240 * units, layer)
            expect(weights["min"] < weights["max"], layer)
        expect(-1 <= line["histograms"][0]["activations"]["min"], "tanh is above -1", line)
        probabilities = line["histograms"][2]["activations"]
        expect(0 <= probabilities["min"] and probabilities["max"] <= 1, probabilities)


@test("an epoch's steps make its mean")
def _():
    glia("train", "digits", "--epochs", 1, "--hidden", 8, "--batch", 500, "--run", "long", "-q")
    lines = metrics("long")
    steps, epoch = lines[:-1], lines[-1]
    expect(len(steps) > 5 and epoch["kind"] == "epoch", len(steps))
    before, loss = 0, 0
    for line in steps:
        expect(line["kind"] == "step" and line["samples"] - before <= 8192, line)
        loss += (line["samples"] - before) * line["train_loss"]
        before = line["samples"]
    expect(before == 60000 and abs(loss / 60000 - epoch["train_loss"]) < 1e-6, loss, epoch)


@test("a folder that is used is refused")
def _():
    for name, pattern in (("first", "first: holds a finished run"),
                          ("bars", "bars: .* has other files in it"),
                          ("lies", "lies: .* it is no folder"),
                          ("no/where", "no/where: cannot make the folder")):
        write("lies", b"")
        r = glia("train", "bars", "--epochs", 1, "--run", name, code=1)
        expect(re.search(pattern, r.err), name, r.err)
    expect(not os.path.exists(path("bars/run.json")), "written all the same")


@test("a run that was stopped has no result, and may be made again")
def _():
    process = start("train", "bars", "--epochs", "1000000", "--run", "stopped", "-q")
    wait_for("stopped/run.json", process)
    process.send_signal(signal.SIGINT)
    code, _, err = end_of(process)
    expect(code == 130, code, err)
    expect(not os.path.exists(path("stopped/result.json")), "there is a result")
    glia("train", "bars", "--epochs", 1, "--run", "stopped", "-q")
    expect(load("stopped/result.json")["epochs"] == 1, "made again")
    expect([m["epoch"] for m in metrics("stopped")][-1] == 1, "old metrics are there")


@test("a full disk is said, and leaves no result")
def _():
    if not os.path.exists("/dev/full"):
        return
    os.makedirs(path("full"))
    write("full/run.json", b"{}")
    os.symlink("/dev/full", path("full/metrics.jsonl"))
    r = glia("train", "bars", "--epochs", 1, "--run", "full", "-q", code=1)
    expect("full/metrics.jsonl: not all of it could be written" in r.err, r.err)
    expect(not os.path.exists(path("full/result.json")), "there is a result")


# ---- glia runs -----------------------------------------------------------------------------------

@test("runs list finds runs below a folder")
def _():
    for name in ("kept/a", "kept/deep/b"):
        os.makedirs(os.path.dirname(path(name)), exist_ok=True)
        glia("train", "bars", "--epochs", 1, "--hidden", 5, "--run", name, "-q")
    r = glia("runs", "list", "kept")
    expect(re.search(r"^kept/a  .*bars +5 +relu", r.out, re.M) and "kept/deep/b" in r.out, r.out)
    found = glia("runs", "list", "kept", "--json").json()["runs"]
    expect([f["folder"] for f in found] == ["kept/a", "kept/deep/b"], found)
    expect(found[0]["finished"] and same(found[0]["result"], load("kept/a/result.json")), found[0])
    os.remove(path("kept/a/result.json"))
    expect("unfinished" in glia("runs", "list", "kept").out, "finished")
    os.makedirs(path("empty"))
    expect("no runs here" in glia("runs", "list", "empty").out, "runs")
    expect("nowhere:" in glia("runs", "list", "nowhere", code=1).err, "no message")


@test("runs repeat of a run that was broken off says what there is")
def _():
    os.makedirs(path("early"))
    write("early/metrics.jsonl", b"")
    err = glia("runs", "repeat", "early", code=1).err
    expect("early: the run ended before its first step" in err and "glia train" in err, err)
    os.makedirs(path("no-run"))
    err = glia("runs", "repeat", "no-run", code=1).err
    expect("there is no run.json in it; expected the folder of a run" in err, err)
    expect("nowhere: No such file" in glia("runs", "repeat", "nowhere", code=1).err, "no message")
    glia("train", "bars", "--epochs", 1, "--hidden", 5, "--run", "broken", "-q")
    for name in ("result.json", "model.safetensors"):
        os.remove(path(f"broken/{name}"))
    out = glia("runs", "repeat", "broken", "-q").out
    expect("broken has no model to compare with: the run was not finished." in out, out)
    expect(os.path.exists(path("broken-again/model.safetensors")), "there is no model")


@test("runs compare shows what differs")
def _():
    glia("train", "bars", "--epochs", 1, "--hidden", 5, "--lr", 0.5, "--run", "faster", "-q")
    r = glia("runs", "compare", "kept/deep/b", "faster")
    expect(re.search(r"^run +lr +test accuracy +time$", r.out, re.M), r.out)
    expect(re.search(r"^faster +0\.5 ", r.out, re.M), r.out)
    expect(glia("runs", "compare", "faster", "first", "--json").json()["differing"][:2] ==
           ["hidden", "activation"], "differing")
    expect("are the same" in glia("runs", "compare", "faster", "faster").out, "differ")
    for name, content in (("no.json", None), ("bad.json", b"{"), ("list.json", b"[]"),
                          ("other.json", b'{"format": "glia-sweep"}')):
        if content is not None:
            os.makedirs(path(name))
            write(f"{name}/run.json", content)
        r = glia("runs", "compare", "faster", name, code=1)
        expect((f"{name}/run.json" if content else "no.json: No such file") in r.err, name, r.err)


@test("runs repeat learns the same again")
def _():
    r = glia("runs", "repeat", "first", "-q")
    expect("the same, bit for bit" in r.out, r.out)
    expect(read("first/model.safetensors") == read("first-again/model.safetensors"), "other model")
    expect(load("first-again/run.json")["command"] == load("first/run.json")["command"], "command")
    shutil.copytree(path("first"), path("forged"))
    run = load("forged/run.json")
    run["command"][1:1] = ["--seed=2"]
    write("forged/run.json", json.dumps(run).encode())
    r = glia("runs", "repeat", "forged", "-q", "-o", "forged-2")
    expect("differs from the run's" in r.out and os.path.exists(path("forged-2/result.json")), r.out)
    run["command"] = ["predict", "x"]
    write("forged/run.json", json.dumps(run).encode())
    r = glia("runs", "repeat", "forged", "-o", "forged-3", code=1)
    expect("expected the words of a glia train" in r.err, r.err)


# ---- glia sweep ----------------------------------------------------------------------------------

GRID = ["--hidden", "6,12-5", "--activation", "relu,tanh", "--epochs", "3", "--batch", "8",
        "--engine", "reference", "--seeds", "2"]


def scores(sweep):
    """What a table shows but for the time."""
    return [[c["hidden"], c["activation"], c["test_accuracy"], c["standard_error"],
             [r["test_accuracy"] for r in c["runs"]]] for c in sweep["cells"]]


def scores_by(key, sweep):
    return [[run[key] for run in cell["runs"]] for cell in sweep["cells"]]


@test("a sweep trains every combination as glia train does")
def _():
    sweep = glia("sweep", "bars", *GRID, "-o", "grid", "--threads", 2, "--json").json()
    expect(sweep["seed"] == 1 and sweep["seconds"] > 0 and len(sweep["cells"]) == 4, sweep)
    expect([(c["hidden"], c["activation"]) for c in sweep["cells"]] ==
           [(6, "relu"), (6, "tanh"), ("12,5", "relu"), ("12,5", "tanh")], sweep["cells"])
    for cell in sweep["cells"]:
        accuracies = []
        for run in cell["runs"]:
            alone = glia("train", "bars", "--hidden", cell["hidden"], "--activation",
                         cell["activation"], "--epochs", 3, "--batch", 8, "--engine", "reference",
                         "--seed", run["seed"], "--json", "-o", "alone.safetensors").json()
            expect(run["test_accuracy"] == alone["test_accuracy"], run, alone)
            expect(read("alone.safetensors") == read(f"grid/runs/{run['run']}/model.safetensors"),
                   "another model", run)
            accuracies.append(alone["test_accuracy"])
        expect([r["seed"] for r in cell["runs"]] == [1, 2], cell)
        mean = sum(accuracies) / 2
        error = abs(accuracies[0] - accuracies[1]) / 2  # sd / sqrt(2), of two
        expect(abs(cell["test_accuracy"] - mean) < 1e-9, cell, mean)
        expect(abs(cell["standard_error"] - error) < 1e-9, cell, error)
    expect(same(load("grid/results.json"), sweep), "results.json")


@test("a sweep's results do not depend on its threads")
def _():
    one = glia("sweep", "bars", *GRID, "-o", "grid-1", "--threads", 1, "--json").json()
    many = glia("sweep", "bars", *GRID, "-o", "grid-3", "--threads", 3, "--json").json()
    expect(scores(one) == scores(many), one, many)
    expect(same(scores(one), scores(load("grid/results.json"))), one)
    few = ["--hidden", "6", "--engine", "reference", "--epochs", "2"]
    alone = glia("sweep", "bars", *few, "-o", "few-1", "--threads", 1, "--json").json()
    shared = glia("sweep", "bars", *few, "-o", "few-3", "--threads", 3, "--json").json()
    expect(scores(alone) == scores(shared), alone, shared)


@test("a sweep knows the numbers of train's optimizers, regularisers and distortions")
def _():
    names = set(re.findall(r"^ +--([\w-]+) (?:X|ALPHA|SIGMA)\b", glia("train", "--help").out,
                           re.MULTILINE)) - {"test"}
    known = set(re.findall(r"^ +--([\w-]+) ", glia("sweep", "--help").out, re.MULTILINE))
    expect({"lr", "dropout", "beta2", "elastic-sigma"} <= names, names)
    expect(names <= known, "train has, and sweep has not:", names - known)


@test("a sweep of a table knows its columns; values are compared by R2")
def _():
    rng = random.Random(3)
    rows = [[i, rng.random(), rng.random()] for i in range(200)]
    write("rows.csv", "\n".join(["id,x,kind,y"] + [
        f"{i},{a:.4f},{'pq'[b > a]},{a - b + 3:.4f}" for i, a, b in rows]).encode())
    grid = ["--drop", "id", "--lr", "0.01,0.001", "--dropout", "0,0.1", "--epochs", 3,
            "--validation", 0.2]
    for target, key in (("kind", "test_accuracy"), ("y", "test_r2")):
        sweep = glia("sweep", "rows.csv", "--target", target, *grid, "-o", f"of-{target}",
                     "--json").json()
        expect(len(sweep["cells"]) == 4, sweep)
        for cell in sweep["cells"]:
            run = cell["runs"][0]
            alone = glia("train", "rows.csv", "--target", target, "--drop", "id", "--lr",
                         cell["lr"], "--dropout", cell["dropout"], "--epochs", 3, "--validation",
                         0.2, "--json", "-o", "alone.safetensors").json()
            expect(cell[key] == run[key] == alone[key], cell, alone)
            expect(read("alone.safetensors") ==
                   read(f"of-{target}/runs/{run['run']}/model.safetensors"), "another model", run)
        words = load(f"of-{target}/runs/{run['run']}/run.json")["command"]
        expect(f"--target={target}" in words and "--drop=id" in words, words)
        again = glia("sweep", "rows.csv", "--target", target, *grid, "-o", f"of-{target}",
                     "--offline", "--resume", "--json").json()  # the same data all the same
        expect(scores_by(key, again) == scores_by(key, sweep), again, sweep)
        r = glia("sweep", "rows.csv", "--target", target, *grid[2:], "-o", f"of-{target}",
                 "--resume", code=1)
        expect("is of another sweep" in r.err, r.err)
    least = min(sweep["cells"], key=lambda cell: cell["validation_loss"])
    expect(sweep["best"] == least, sweep["best"], least)
    expect("test_accuracy" not in least, least)
    head = read("of-y/table.csv").decode().splitlines()[0]
    expect(head.endswith("test_r2,standard_error,validation_loss,seconds"), head)
    page = read("of-y/report.html").decode()
    expect("Test R2" in page and "accuracy" not in page, "the page of values speaks of accuracy")


@test("a sweep's tables are the same in the terminal, in Markdown and in CSV")
def _():
    results = load("grid/results.json")
    table = read("grid/table.md").decode()
    printed = glia("sweep", "bars", *GRID, "-o", "grid", "--resume", "-q").out
    rows = list(csv.DictReader(read("grid/table.csv").decode().splitlines()))
    expect(len(rows) == 4, rows)
    for row, cell in zip(rows, results["cells"]):
        expect(row["hidden"] == str(cell["hidden"]) and row["activation"] == cell["activation"],
               row, cell)
        expect(abs(float(row["test_accuracy"]) - cell["test_accuracy"]) < 1e-8, row, cell)
        text = "%.2f" % (100 * cell["test_accuracy"])
        expect(text in table and text in printed, text, table, printed)
    expect(table.count("\n| 12,5 | ") == 2 and "| hidden | relu | tanh |" in table, table)


@test("a sweep that was killed goes on where it stopped")
def _():
    slow = ["--hidden", "32,48", "--lr", "0.1,0.2,0.3", "--epochs", "150", "--engine", "reference"]
    whole = glia("sweep", "bars", *slow, "-o", "whole", "--json").json()
    for number in (signal.SIGKILL, signal.SIGINT):
        folder = f"cut-{number}"
        process = start("sweep", "bars", *slow, "-o", folder, "--threads", "1")

        def finished():
            runs = path(f"{folder}/runs")
            return [r for r in (os.listdir(runs) if os.path.isdir(runs) else [])
                    if os.path.exists(f"{runs}/{r}/result.json")]
        wait_until(finished, process, "the first run of the sweep")
        process.send_signal(number)
        code, _, err = end_of(process)
        before = {r: read(f"{folder}/runs/{r}/result.json") for r in finished()}
        expect(0 < len(before) < 6, "cut too late", len(before))
        if number == signal.SIGINT:
            expect(code == 130 and "--resume" in err, code, err)
        r = glia("sweep", "bars", *slow, "-o", folder, code=1)
        expect("add --resume" in r.err, r.err)
        again = glia("sweep", "bars", *slow, "-o", folder, "--resume", "--json").json()
        expect(same(scores(again), scores(whole)), again, whole)
        for run, result in before.items():
            expect(read(f"{folder}/runs/{run}/result.json") == result, run, "was run twice")
    r = glia("sweep", "bars", *slow[:-4], "-o", "whole", "--resume", code=1)
    expect("is of another sweep" in r.err, r.err)
    write("whole/sweep.json", b"{")
    expect("whole/sweep.json: line 1" in
           glia("sweep", "bars", *slow, "-o", "whole", "--resume", code=1).err, "no message")


@test("a cell that fails is reported, and the rest go on")
def _():
    args = ["--hidden", "8", "--activation", "identity", "--lr", "0.1,1e30", "--epochs", "5"]
    r = glia("sweep", "bars", *args, "-o", "failing", code=1)
    expect("lr-1e30_seed-1: training diverged" in r.err, r.err)
    expect(re.search(r"^1e30 +failed", r.out, re.M) and re.search(r"^0\.1 +\d", r.out, re.M), r.out)
    cells = load("failing/results.json")["cells"]
    expect(cells[0]["test_accuracy"] > 0.3 and cells[1]["test_accuracy"] is None, cells)
    expect("diverged" in cells[1]["runs"][0]["error"], cells[1])
    expect(load("failing/runs/lr-1e30_seed-1/result.json")["stopped"] == "diverged", "result")
    r = glia("sweep", "bars", *args, "-o", "failing", "--resume")
    expect(re.search(r"^1e30 +failed", r.out, re.M), r.out)


@test("the best cell is chosen on validation samples, and named only then")
def _():
    args = ["--hidden", "8", "--lr", "0.001,0.3", "--epochs", "8", "--batch", "8"]
    r = glia("sweep", "bars", *args, "--validation", "0.2", "-o", "chosen", "-q")
    expect("Best on the validation samples: --lr 0.3" in r.out, r.out)
    results = load("chosen/results.json")
    best = max(results["cells"], key=lambda c: c["validation_accuracy"])
    expect(results["best"] == best and best["lr"] == 0.3, results["best"])
    r = glia("sweep", "bars", *args, "-o", "unchosen", "-q")
    expect("Best" not in r.out and load("unchosen/results.json")["best"] is None, r.out)


@test("random cells come from the lists and ranges, by the seed")
def _():
    args = ["--hidden", "4..64", "--lr", "0.01..1", "--activation", "relu,tanh", "--epochs", "1",
            "--random", "12"]
    first = glia("sweep", "bars", *args, "-o", "random-1", "--json").json()
    again = glia("sweep", "bars", *args, "-o", "random-2", "--json").json()
    other = glia("sweep", "bars", *args, "--seed", 9, "-o", "random-3", "--json").json()
    expect(scores(first) == scores(again) != scores(other), "seed")
    expect(len(first["cells"]) == 12 and len({c["lr"] for c in first["cells"]}) > 6, first["cells"])
    for cell in first["cells"]:
        expect(4 <= cell["hidden"] <= 64 and 0.01 <= cell["lr"] <= 1, cell)
        expect(cell["activation"] in ("relu", "tanh"), cell)
    below = sum(c["lr"] < 0.1 for c in first["cells"] + other["cells"])
    expect(4 <= below <= 20, "not in equal parts of the logarithm:", below)


@test("the report of a sweep shows its cells")
def _():
    written = read("grid/report.html")  # by the sweep itself
    r = glia("report", "grid", "--json").json()
    expect(read("grid/report.html") == written, "another page")
    page = written.decode()
    expect(r["report"] == "grid/report.html" and r["bytes"] == len(page.encode()), r)
    expect(not re.search(r"https?://(?!www\.w3\.org)", page), "it needs the network")
    for cell in load("grid/results.json")["cells"]:
        row = (f'<th scope="row">{cell["hidden"]}</th><td>{cell["activation"]}</td>'
               f'<td>{100 * cell["test_accuracy"]:.2f} ')
        expect(row in page, row)
        tip = f'hidden {cell["hidden"]}, activation {cell["activation"]}\n'
        expect(tip in page or tip.replace("\n", "&#10;") in page, tip)
    for figure in ("cells", "heat-accuracy", "heat-seconds", "parallel", "against-time"):
        data = json.loads(re.search(f'id="data-{figure}">(.*?)</script>', page, re.S).group(1))
        expect(len(data["rows"]) == 4 and len(data["rows"][0]) == len(data["columns"]), data)
    glia("report", "failing", "-o", "failing.html")
    expect("failed" in read("failing.html").decode(), "a cell that failed is not there")
    os.remove(path("failing/results.json"))
    expect("--resume" in glia("report", "failing", code=1).err, "no message")
    write("failing/results.json", b'{"cells": [1]}')
    expect("expected a list" in glia("report", "failing", code=1).err, "no message")


@test("the report of a sweep over two classes has their ROC AUC")
def _():
    expect("ROC AUC" not in read("grid/report.html").decode(), "there are three classes")
    write("two.csv", "".join(["a,y\n", *(f"{i * i % 37},{'pq'[i * i % 37 > 15 + i % 9]}\n"
                                         for i in range(200))]).encode())
    glia("sweep", "two.csv", "--hidden", "2,3", "--lr", "0.1,0.2", "--epochs", 2, "-o", "ranked", "-q")
    page, cells = read("ranked/report.html").decode(), load("ranked/results.json")["cells"]
    for figure in ("cells", "heat-roc-auc"):
        data = json.loads(re.search(f'id="data-{figure}">(.*?)</script>', page, re.S).group(1))
        at = data["columns"].index("test_roc_auc")
        expect([round(row[at], 8) for row in data["rows"]] ==
               [round(cell["test_roc_auc"], 8) for cell in cells], data, cells)
    for cell in cells:
        expect(f'<td>{cell["test_roc_auc"]:.4g}</td>' in page, cell)


# ---- Plots as files ------------------------------------------------------------------------------

SVG = "{http://www.w3.org/2000/svg}"


def plots_of_page(page):
    """The ids of the plots of a report, and the words of each but for its description."""
    words = {}
    for name, plot in re.findall(r'<svg class="plot[^"]*" id="([^"]+)".*?>(.*?)</svg>', page, re.S):
        plot = re.sub(r"<(title|desc) .*?</\1>", "", plot, flags=re.S)
        words[name] = [w for w in re.findall(r">([^<>\n]+)<", plot)]
    return words


def check_svg(name, words, text):
    root = ElementTree.fromstring(text)
    expect(root.tag == SVG + "svg" and root.get("id") == name, name, text[:300])
    box = [float(side) for side in root.get("viewBox").split()]
    expect(box == [0, 0, float(root.get("width")), float(root.get("height"))], name, root.attrib)
    style = root.find(SVG + "style").text
    for wrong in ("var(", "<script", "data-", "tabindex", "http", "@", "\0"):
        expect(wrong not in text.replace(SVG[1:-1], ""), name, "holds", wrong)
    expect("#1f5fa8" in style and "#7db4f0" not in style, name, style)
    drawn = [e for e in root.iter() if e.tag in (SVG + "path", SVG + "rect", SVG + "text")]
    expect([e.text for e in root.iter(SVG + "text") if e.text] == words, name, "has other words")
    for element in drawn:  # what a class says of a shape is all that gives it a colour
        for c in (element.get("class") or "").split():
            expect("." + c in style or c == "d0", name, "no style for", c)
    return len(drawn), box


def check_plots(source, report, names):
    """Exports the plots of a run or sweep and holds them against its page."""
    glia("report", source, "-o", "page.html")
    words = plots_of_page(read("page.html").decode())
    r = glia("report", source, "--format", "svg", "--json").json()
    expect(names <= set(words), names, list(words))
    expect(r["folder"] == f"{source}/figures" and r[report] == source, r)
    expect(r["files"] == [f"{source}/figures/{name}.svg" for name in words], r, list(words))
    expect(sorted(os.listdir(path(r["folder"]))) == sorted(f"{n}.svg" for n in words), "files")
    expect(r["bytes"] == sum(len(read(file)) for file in r["files"]), r)
    boxes = {}
    for name, words_of_plot in words.items():
        n, boxes[name] = check_svg(name, [html.unescape(w) for w in words_of_plot],
                                   read(f"{source}/figures/{name}.svg").decode())
        expect(n >= 5, name, "is empty:", n)

    if "rsvg" not in glia("--version").out.split():
        r = glia("report", source, "--format", "png", "-o", f"{source}-png", code=1)
        expect("librsvg2-dev" in r.err and not os.path.exists(path(f"{source}-png")), r.err)
        return
    r = glia("report", source, "--format", "png", "-o", f"{source}-png", "--json").json()
    expect(r["files"] == [f"{source}-png/{name}.png" for name in words], r)
    for name, box in boxes.items():
        png = read(f"{source}-png/{name}.png")
        expect(png[:8] == b"\x89PNG\r\n\x1a\n", name, png[:8])
        width, height, depth, colour = struct.unpack(">IIBB", png[16:26])
        expect(abs(width - 2 * box[2]) <= 1 and abs(height - 2 * box[3]) <= 1, name, width, height)
        expect((depth, colour) == (8, 2), name, "is not opaque", depth, colour)
        if name not in ("loss", "heat-accuracy"):  # seeing pixels takes long in Python
            continue
        rows = pixels(png, width, height)
        expect(rows[0][:3] == b"\xff\xff\xff", name, "is not on white", rows[0][:3])
        colours = {row[i:i + 3] for row in rows for i in range(0, len(row), 3)}
        expect(len(colours) > 20 and (name != "loss" or bytes.fromhex("1f5fa8") in colours), name,
               "is nearly empty", len(colours))


def pixels(png, width, height):
    """The rows of an RGB image, by the filters of the PNG specification."""
    data, at = b"", 8
    while at < len(png):
        size, = struct.unpack(">I", png[at:at + 4])
        if png[at + 4:at + 8] == b"IDAT":
            data += png[at + 8:at + 8 + size]
        at += size + 12
    data, rows, above = zlib.decompress(data), [], bytes(3 * width)
    for y in range(height):
        kind, *row = data[y * (3 * width + 1):(y + 1) * (3 * width + 1)]
        for i, value in enumerate(row):
            a, b = row[i - 3] if i >= 3 else 0, above[i]
            c = above[i - 3] if i >= 3 else 0
            nearest = min((a, b, c), key=lambda v, p=a + b - c: abs(p - v))
            row[i] = (value + (0, a, b, (a + b) // 2, nearest)[kind]) & 255
        above = bytes(row)
        rows.append(above)
    return rows


@test("the plots of a run are files of their own")
def _():
    check_plots("first", "run", {"loss", "accuracy", "rate", "confusion-matrix", "reliability",
                                 "weights-1", "activations-3", "projection"})
    expect(not os.path.exists(path("first/report.html")), "a page as well")


@test("plots as files take any names of classes")
def _():
    names = ["</svg><b>&amp;", "\uffff'\"", "\U0001f600"]
    model = read("first/model.safetensors")
    n, = struct.unpack("<Q", model[:8])
    header = json.loads(model[8:8 + n])
    about = json.loads(header["__metadata__"]["glia"])
    expect(len(about["classes"]) == len(names), about["classes"])
    about["classes"] = names
    header["__metadata__"]["glia"] = json.dumps(about, ensure_ascii=False)
    header = json.dumps(header, ensure_ascii=False).encode()
    header += b" " * (-len(header) % 8)
    shutil.copytree(path("first"), path("named"))
    write("named/model.safetensors", struct.pack("<Q", len(header)) + header + model[8 + n:])
    r = glia("report", "named", "--format", "svg", "--json").json()
    for file in r["files"]:
        words = [e.text for e in ElementTree.fromstring(read(file)).iter(SVG + "text")]
        if "confusion-matrix" in file:
            expect(words.count("\U0001f600") == 2 and words.count("\ufffd'\"") == 2, words)
            expect(sum(str(word).startswith("</svg><b>") for word in words) == 2, words)


@test("the plots of a sweep are files of their own")
def _():
    check_plots("grid", "sweep", {"heat-accuracy", "heat-seconds", "parallel", "against-time"})


@test("what stands in the way of plots is said")
def _():
    r = glia("report", "first", "--format", "svg", "-o", "first/run.json", code=1)
    expect("first/run.json/loss.svg" in r.err, r.err)
    r = glia("report", "first", "--format", "svg", "-o", "no/such/folder", code=1)
    expect("no/such/folder: the folder cannot be made" in r.err, r.err)
    expect("pdf" in glia("report", "first", "--format", "pdf", code=2).err, "no message")
    os.mkdir(path("begun"))
    shutil.copy(path("first/run.json"), path("begun/run.json"))
    r = glia("report", "begun", "--format", "svg", code=1)
    expect("nothing to plot" in r.err and not os.path.exists(path("begun/figures")), r.err)


@test("runs and sweeps by a recipe do not need its file again")
def _():
    write("mine.recipe", b"# mine\n--hidden 9\n--lr 0.3\n--epochs 2\n")
    glia("train", "bars", "--recipe", "mine.recipe", "--lr", 0.4, "--run", "by-recipe", "-q")
    expect(load("by-recipe/run.json")["command"] ==
           ["train", "--hidden=9", "--epochs=2", "--lr=0.4", "--", "bars"])
    sweep = ["sweep", "bars", "--recipe", "mine.recipe", "--lr", "0.1,0.2", "-o", "by-recipes", "-q"]
    glia(*sweep)
    expect(load("by-recipes/sweep.json")["recipe_options"] ==
           ["--hidden=9", "--lr=0.3", "--epochs=2"])
    for lr in ("0.1", "0.2"):
        run = load(f"by-recipes/runs/lr-{lr}_seed-1/run.json")
        expect(run["command"] == ["train", "--hidden=9", "--epochs=2", "--lr=" + lr, "--seed=1",
                                  "--", "bars"], run["command"])
    write("mine.recipe", b"--hidden 9\n--lr 0.3\n--epochs 3\n")
    expect("is of another sweep" in glia(*sweep, "--resume", code=1).err)
    os.unlink(path("mine.recipe"))
    expect("the same, bit for bit" in glia("runs", "repeat", "by-recipe", "-q").out)
    r = glia("runs", "repeat", "by-recipes/runs/lr-0.1_seed-1", "-q")
    expect("the same, bit for bit" in r.out, r.out)


SEEDED = ["train", "bars", "--hidden", 6, "--epochs", 3, "--lr", 0.3]


@test("several seeds: each is the run that its seed alone makes, and they are summed up")
def _():
    words = [*SEEDED, "--validation", 0.2]
    several = glia(*words, "--seed", 7, "--seeds", 4, "-o", "m.safetensors", "--run", "seeds",
                   "--json").json()
    expect(same(several, load("seeds/seeds.json")), several)
    expect(not os.path.exists(path("m.safetensors")), "a model without a number")
    for i, seed in enumerate(range(7, 11)):
        alone = glia(*words, "--seed", seed, "-o", "alone.safetensors", "--json").json()
        run = several["runs"][i]
        for key in alone:
            if "second" not in key and key != "model":
                expect(run[key] == alone[key], seed, key, run[key], alone[key])
        expect(run["model"] == f"m-{seed}.safetensors", run["model"])
        expect(read(run["model"]) == read("alone.safetensors"), seed)
        result = load(f"seeds/seed-{seed}/result.json")
        expect(same(run["test_accuracy"], result["test_accuracy"]), seed)
        command = load(f"seeds/seed-{seed}/run.json")["command"]
        expect(command == ["train", "--hidden=6", "--epochs=3", "--lr=0.3", "--validation=0.2",
                           f"--seed={seed}", "--", "bars"], command)
    summary = several["summary"]
    expect([summary[k] for k in ("seed", "seeds", "done", "failed")] == [7, 4, 4, 0], summary)
    for key in ("test_accuracy", "validation_accuracy", "test_error", "seconds"):
        x = [run[key] for run in several["runs"]]
        for name, value in (("mean", statistics.mean(x)), ("median", statistics.median(x)),
                            ("standard_deviation", statistics.stdev(x)),
                            ("standard_error", statistics.stdev(x) / 2), ("min", min(x)),
                            ("max", max(x))):
            expect(abs(summary[key][name] - value) <= 1e-7 * max(x), key, name, summary[key], x)
    expect(summary["test_accuracy"]["standard_deviation"] > 0, "all seeds are alike:", summary)
    r = glia("runs", "repeat", "seeds/seed-9", "-q", "-o", "repeated")
    expect(read("repeated/model.safetensors") == read("m-9.safetensors"), r.out)
    expect(len(glia("runs", "list", "seeds", "--json").json()["runs"]) == 4)
    for again, why in ((["--run", "seeds"], "seeds/seed-7: holds a finished run"),
                       (["--run", "seeds/seed-7"], "seeds/seed-7: holds a run"),
                       (["--seed", 1, "--run", "m-7.safetensors"], "m-7.safetensors: cannot")):
        r = glia(*words, "--seed", 7, "--seeds", 4, *again, code=1)
        expect(why in r.err and r.out == "", again, r.err)
    expect(not os.path.exists(path("seeds/seed-1")), "began before it looked")


@test("several seeds: what is printed, and that no model is kept without a place for it")
def _():
    before = sorted(os.listdir(path(".")))
    r = glia(*SEEDED, "--seeds", 3, "-q")
    expect(sorted(os.listdir(path("."))) == before, "a file was made")
    lines = r.out.splitlines()
    for seed in (1, 2, 3):
        expect(re.match(rf"seed +{seed}: test \d+\.\d\d (± \d\.\d\d %|%, 95 % interval [0-9.]+ to "
                        r"[0-9.]+ %), \S+ m?s$", lines[seed - 1]), r.out)
    expect(lines[4].split() == "3 seeds mean std deviation std error lowest median highest".split(),
           r.out)
    o = glia(*SEEDED, "--seeds", 3, "--json").json()["summary"]["test_accuracy"]
    shown = re.findall(r"(\d+\.\d\d) %", lines[5])
    expect(shown == [f"{100 * o[k]:.2f}" for k in ("mean", "standard_deviation", "standard_error",
                                                   "min", "median", "max")], lines[5], o)
    expect(lines[6].startswith("test error") and "validation" not in r.out and r.err == "", r.out)
    one = glia(*SEEDED, "--seeds", 1, "--json").json()["summary"]["test_accuracy"]
    expect(one["standard_deviation"] is None and one["standard_error"] is None and one["mean"] > 0,
           one)
    seen = on_terminal(*map(str, SEEDED), "--seeds", "2", "--epochs", "2000", "--threads", "1",
                       columns=80)
    expect("run 2 of 2, epoch " in seen and seen.count("seeds ") == 1, seen[-500:])
    glia("train", "bars", "--seeds", 2, "--epochs", 1, "-o", ".x/../a.b/m", code=1)
    os.makedirs(path("a.b"))
    glia("train", "bars", "--seeds", 2, "--epochs", 1, "-o", "a.b/m", "-q")
    expect(sorted(os.listdir(path("a.b"))) == ["m-1", "m-2"], os.listdir(path("a.b")))


@test("several seeds: one that diverges is not in the mean; a signal ends all")
def _():
    r = glia("train", "bars", "--lr", "1e300", "--seeds", 2, "-q", "--run", "diverging", code=1)
    expect("seed 2: training diverged" in r.err and "2 of 2 diverged" in r.out, r.err, r.out)
    warned = glia("train", "bars", "--lr", 300, "--hidden", "16", "--seed", 4, "--seeds", 1, "-q",
                  code=None).err
    expect(re.match("glia: seed 4: (warning|training diverged)", warned), warned)
    o = load("diverging/seeds.json")
    expect(o["summary"]["done"] == 0 and o["summary"]["failed"] == 2 and
           o["summary"]["test_accuracy"] is None and o["runs"][0]["stopped"] == "diverged", o)
    process = start("train", "bars", "--seeds", "3", "--epochs", "1000000000", "--run", "halted",
                    "--json")
    wait_for("halted/seed-1/run.json", process)
    process.send_signal(signal.SIGINT)
    code, out, err = end_of(process)
    expect(code == 130, code, err)
    o = json.loads(out)
    expect([run["stopped"] for run in o["runs"]] == ["cancelled"] and o["summary"]["done"] == 0, o)
    expect("seed 1: interrupted; the network is saved as it is" in err, err)
    expect(not os.path.exists(path("halted/seed-2")), "it went on")


@test("wrong sweeps are refused before anything is made")
def _():
    for args, pattern in (
            (["--hidden", "8,x"], r'--hidden: found "x"'),
            (["--lr", "0.1,0.1"], "--lr: 0.1 is there twice"),
            (["--lr", "0.1..1"], "needs --random N"),
            (["--lr", "1..0.1", "--random", "3"], "the first below the second"),
            (["--lr", "a..b", "--random", "3"], "expected two numbers"),
            (["--seeds", "0"], "--seeds"),
            (["--hidden", "8", "--patience", "2"], "needs a validation set"),
            (["--activation", "relu-tanh"], "found 2 for 1 hidden layer"),
            (["--recipe", "slow"], "slow"),
            (["--recipe", "./slow"], "./slow: cannot be read"),
            (["--seeds", "100000", "--lr", "0.1,0.2"], "more than 100000 runs")):
        r = glia("sweep", "bars", *args, "-o", "never", code=2)
        expect(re.search(pattern, r.err), args, r.err)
        expect(not os.path.exists(path("never")), args, "a folder is there")
    expect("no-such" in glia("sweep", "no-such", "-o", "never", code=1).err, "no message")


@test("a sweep shows one line of progress on a terminal")
def _():
    seen = on_terminal("sweep", "bars", "--hidden", "64", "--lr", "0.1,0.2,0.3", "--epochs", "3000",
                       "-o", "seen", "--threads", "1", columns=80)
    expect("run 1 of 3" in seen and seen.count("\n") <= 4, seen[-500:])


@test("the article's sweep shows the article's tables")
def _():
    r = glia("sweep", "bars", "--article", "--epochs", 1, "-o", "article", "-q")
    for number in ("91.62 %", "31.68 %", "448.8", "the article's twelve took 2795 s"):
        expect(number in r.out, number, r.out)
    cells = load("article/results.json")["cells"]
    expect(len(cells) == 12 and all(c["lr"] == 0.1 and c["epochs"] == 1 for c in cells), cells)
    expect({(c["hidden"], c["activation"]) for c in cells} ==
           {(h, a) for h in (32, 64, 128, 256) for a in ("sigmoid", "relu", "tanh")}, cells)


if __name__ == "__main__":
    make_data("bars", 300, 90)
    run_tests()
