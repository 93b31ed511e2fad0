# SPDX-License-Identifier: MIT
"""
Values and labels from outside: what the program trains, scores, keeps and reports of a table whose
targets are no classes.

    python3 tests/test_losses.py [PROGRAM]      (else $GLIA)
"""
import json
import math
import random
import re

from harness import expect, glia, on_terminal, read, run_tests, test, write

NOISE = 5
WELL = ["--hidden", "16", "--activation", "tanh", "--optimizer", "adam", "--lr", "0.02",
        "--epochs", "30"]


def make_tables(end, seed):
    """values, labels and sides .csv: a number, two labels, and one of two classes, of a and b."""
    rng = random.Random(seed)
    values, labels, sides = ["a,b,price"], ["a,b,more,both"], ["a,b,side"]
    for _ in range(600):
        a, b = rng.uniform(-1, 1), rng.uniform(-1, 1)
        x = f"{a:.5f},{b:.5f}"
        values.append(f"{x},{500 + 40 * a - 15 * b * b + rng.gauss(0, NOISE):.3f}")
        labels.append(f"{x},{int(a > b)},{int(a + b > 0)}")
        sides.append(f"{x},{'right' if a + rng.gauss(0, 0.3) > 0 else 'left'}")
    for name, rows in (("values", values), ("labels", labels), ("sides", sides)):
        write(f"{name}{end}.csv", "\n".join(rows + [""]).encode())


make_tables("", 1)
make_tables("-test", 2)


def lines(name):
    return [json.loads(line) for line in read(name).decode().splitlines()]


def near(a, b):
    return math.isclose(a, b, rel_tol=1e-8)


def no_nan(text):
    expect("nan" not in text.lower().replace("nano", ""), "a NaN is shown:", text)


@test("where all of few test samples are right, an interval stands everywhere, not ± 0.00")
def _():
    n = 20  # test rows; Wilson's interval of n of n is from n / (n + z^2) to 1
    low = f"{100 * n / (n + 1.959964 ** 2):.2f}"
    line = f"100.00 %, 95 % interval {low} to 100.00 %"
    cell = f"100.00 % ({low} to 100.00)"
    rows = [f"{i % 2 + i / 1000:.3f},{i // 2 % 2 + i / 1000:.3f},{i % 2},{i // 2 % 2}"
            for i in range(100)]
    write("apart.csv", "\n".join(["a,b,p,q", *rows, ""]).encode())
    how = ["apart.csv", "--target", "p", "--epochs", 100]
    expect(line in glia("train", *how, "--run", "apart").out)
    expect(cell in glia("runs", "list", "apart").out)
    expect(glia("runs", "compare", "apart", "apart").out.count(cell) == 2)
    glia("report", "apart", "-o", "apart.html")
    page = read("apart.html").decode()
    expect(f"95 % interval {low} to 100.00 %, of {n} samples" in page)
    expect("± 0.00 %" not in page)
    folds = glia("train", *how, "--folds", 5).out
    expect(len(re.findall(f"^fold .*{re.escape(line)}", folds, re.M)) == 5, folds)
    swept = glia("sweep", *how, "--hidden", "8,9", "-o", "swept", "-q").out
    expect(re.search(r"^hidden +test accuracy +test ROC AUC +seconds", swept, re.M), swept)
    cells = json.loads(read("swept/results.json"))["cells"]
    expect([c["test_roc_auc"] for c in cells] == [1, 1], cells)
    expect(read("swept/table.csv").count(b",1\n") == 2)
    expect(swept.count(cell) == 2 and read("swept/table.md").decode().count(cell) == 2, swept)
    again = glia("sweep", *how, "--hidden", "8,9", "-o", "swept", "-q", "--resume").out
    expect(again.count(cell) == 2, again)
    glia("report", "swept", "-o", "swept.html")
    expect(cell in read("swept.html").decode())
    means = glia("sweep", *how, "--hidden", "8,9", "--seeds", 2, "-o", "means", "-q").out
    expect("100.00 %" in means and "± 0.00" not in means, means)
    labels = glia("train", "apart.csv", "--target", "p,q", "--epochs", 100, "-o", "l.safetensors").out
    expect(line in labels and line in glia("eval", "l.safetensors", "apart.csv").out, labels)


@test("a rare class: the share of the frequent one, ROC AUC and balanced accuracy stand beside it")
def _():
    generator = random.Random(4)
    rows = ["x,y,answer"]
    for i in range(400):
        rare = i % 20 == 0
        rows.append(f"{generator.gauss(0.7 * rare, 1):.4f},{generator.gauss(0, 1):.4f},"
                    f"{'yes' if rare else 'no'}")
    write("rare.csv", "\n".join(rows + [""]).encode())
    done = glia("train", "rare.csv", "--epochs", 20, "-o", "rare.safetensors")
    expect('always answering "no" would get 95.00 %; balanced accuracy ' in done.out, done.out)
    expect(re.search(r"^test .*, ROC AUC 0\.\d+, loss", done.out, re.M), done.out)
    expect("--class-weights trades" not in done.out, done.out)
    weighed = glia("train", "rare.csv", "--epochs", 20, "--class-weights", "balanced", "-o",
                   "rare.safetensors")
    expect("--class-weights trades accuracy" in weighed.out, weighed.out)
    result = glia("train", "rare.csv", "--epochs", 20, "--json", "-o", "rare.safetensors").json()
    expect(result["test_majority"] == 0.95 and 0 <= result["test_balanced_accuracy"] <= 1, result)
    expect(result["test_accuracy_low"] < result["test_accuracy"] < result["test_accuracy_high"])
    folds = glia("train", "rare.csv", "--epochs", 5, "--folds", 4)
    expect(len(re.findall(r"^fold .*ROC AUC", folds.out, re.M)) == 4, folds.out)
    expect(re.search(r"^test ROC AUC +0\.\d+", folds.out, re.M), folds.out)
    expect(re.search(r"^balanced accuracy +\d+\.\d\d %", folds.out, re.M), folds.out)
    expect('always answering "no" would get 95.00 %' in folds.out, folds.out)


@test("few test rows: an interval in place of a standard error of 0, and a word about it")
def _():
    rows = ["x,answer"] + [f"{(i % 2) * 4 + i % 5 * 0.1:.1f},{'ba'[i % 2]}" for i in range(20)]
    write("few.csv", "\n".join(rows + [""]).encode())
    done = glia("train", "few.csv", "--test", "2", "-o", "few.safetensors")
    expect("test       100.00 %, 95 % interval 34.24 to 100.00 %" in done.out, done.out)
    expect("2 test samples are too few for a reliable score; try --folds" in done.out, done.out)


@test("two targets of different units: the figures of each, in train, eval and JSON")
def _():
    generator = random.Random(6)
    rows = ["a,b,metres,cents"]
    for _ in range(200):
        a, b = generator.gauss(0, 1), generator.gauss(0, 1)
        rows.append(f"{a:.4f},{b:.4f},{a + b:.4f},{1e5 * (a - b):.1f}")
    write("units.csv", "\n".join(rows + [""]).encode())
    how = ("train", "units.csv", "--target", "metres,cents", "--epochs", 30, "-o", "u.safetensors")
    done = glia(*how)
    expect(re.search(r"^target +RMSE +MAE +R2\nmetres .*\ncents ", done.out, re.M), done.out)
    result = glia(*how, "--json").json()
    metres, cents = result["test_targets"]
    expect(metres["target"] == "metres" and cents["target"] == "cents", result)
    expect(metres["rmse"] < 1 and cents["rmse"] > 1000, result)
    expect(near(result["test_rmse"], math.hypot(metres["rmse"], cents["rmse"]) / math.sqrt(2)))
    expect(near(result["test_r2"], (metres["r2"] + cents["r2"]) / 2), result)
    scores = glia("eval", "u.safetensors", "units.csv", "--json").json()
    expect(scores["per_target"] == result["test_targets"], scores, result)
    shown = glia("eval", "u.safetensors", "units.csv").out
    expect(re.search(r"^target +RMSE +MAE +R2\nmetres .*\ncents ", shown, re.M), shown)


@test("values: the RMSE comes to the noise, and is told in every place")
def _():
    done = glia("train", "values.csv", "--test", "values-test.csv", *WELL, "--validation", "0.2",
                "--run", "v", "--tensorboard")
    expect("test       RMSE " in done.out and "R2 0.9" in done.out, done.out)
    expect(done.err.count("RMSE") >= 2 and "accuracy" not in done.err, done.err)
    no_nan(done.out + done.err)
    result = json.loads(read("v/result.json"))
    expect(result["loss"] == "mse" and result["test_accuracy"] is None, result)
    expect(0.8 * NOISE < result["test_rmse"] < 1.25 * NOISE, result)
    expect(0.8 * NOISE < result["validation_rmse"] < 1.3 * NOISE, result)
    expect(0.9 * NOISE < result["train_rmse"] < 1.2 * NOISE, result)
    expect(result["diagnoses"] == [], result["diagnoses"])

    steps = [line for line in lines("v/metrics.jsonl") if line["kind"] == "step"]
    epochs = [line for line in lines("v/metrics.jsonl") if line["kind"] == "epoch"]
    expect(len(epochs) == 30 and all("train_accuracy" not in line for line in steps + epochs))
    expect(epochs[-1]["train_rmse"] == float(f"{result['train_rmse']:.9g}"), epochs[-1])
    for step, epoch in zip(steps, epochs):  # one line an epoch, of so few samples
        expect(math.isclose(step["train_rmse"], epoch["train_rmse"], rel_tol=1e-6), step, epoch)


@test("values: eval, inspect, runs and report")
def _():
    score = glia("eval", "v/model.safetensors", "values-test.csv", "--json").json()
    result = json.loads(read("v/result.json"))
    for key in ("rmse", "mae", "r2", "loss"):
        expect(near(score[key], result["test_" + key]), key, score, result)
    expect(score["accuracy"] is None and score["confusion"] is None, score)
    expect(score["classes"] == ["price"], score)
    expect("roc_auc" not in score and "exact" not in score, score)
    shown = glia("eval", "v/model.safetensors", "values-test.csv").out
    expect(all(f"\n{name} " in shown for name in ("RMSE", "MAE", "R2", "loss")), shown)
    no_nan(shown)
    about = glia("inspect", "v/model.safetensors", "--json").json()
    expect(about["loss"] == "mse" and about["layers"][-1]["activation"] == "identity", about)
    output, = about["metadata"]["preprocessing"]["outputs"]
    expect(abs(output["mean"] - 495) < 5 and 15 < output["scale"] < 30, output)
    expect("mean 49" in glia("inspect", "v/model.safetensors").out)
    expect("RMSE" in glia("runs", "list", ".").out)
    glia("report", "v")
    page = read("v/report.html").decode()
    expect("Test RMSE" in page and "Root mean squared error" in page and "mean mse" in page)
    expect("Confusion matrix" not in page and "cross-entropy" not in page)


@test("values: several seeds are summed up by their RMSE")
def _():
    two = [*WELL, "--seeds", "2"]
    done = glia("train", "values.csv", *two, "--validation", "0.2", "--json").json()
    summary = done["summary"]
    expect(summary["test_rmse"]["mean"] > 0 and "test_accuracy" not in summary, summary)
    expect(summary["validation_rmse"]["mean"] > 0, summary)
    shown = glia("train", "values.csv", *two, "-q").out
    expect(shown.count("RMSE") >= 3 and "%" not in shown, shown)


@test("values: on a terminal, with curves")
def _():
    seen = on_terminal("train", "values.csv", *WELL, "--plot", "-o", "t.safetensors", columns=100)
    expect("RMSE" in seen and "accuracy" not in seen, seen[-2000:])
    no_nan(seen)


@test("values: a run that goes on has the same metrics")
def _():
    for name in ("whole", "parts"):
        glia("train", "values.csv", *WELL, "--loss", "huber", "--epochs", "4", "--run", name,
             "--checkpoint", name, "--checkpoint-every", "7")
    write("parts/state.safetensors", read("whole/state.safetensors"))
    glia("train", "--resume", "parts")
    for one, other in zip(lines("whole/metrics.jsonl"), lines("parts/metrics.jsonl")):
        for key in ("train_loss", "train_rmse"):
            expect(one.get(key) == other.get(key), one, other)
    expect(read("whole/model.safetensors") == read("parts/model.safetensors"))


@test("every loss for values; what does not fit is told")
def _():
    for loss in ("mse", "mae", "huber"):
        score = glia("train", "values.csv", *WELL, "--loss", loss, "--json").json()
        expect(score["loss"] == loss and score["test_rmse"] < 1.4 * NOISE, score)
    for option in (["--label-smoothing", "0.1"], ["--class-weights", "1"]):
        told = glia("train", "values.csv", *option, code=2).err
        expect("cross-entropy" in told and "mse" in told, told)


@test("labels: accuracy, exact, ROC AUC and average precision")
def _():
    done = glia("train", "labels.csv", "--test", "labels-test.csv", "--target", "more,both", *WELL,
                "--run", "l", "--json").json()
    expect(done["loss"] == "bce" and done["test_accuracy"] > 0.95, done)
    expect(done["test_exact"] <= done["test_accuracy"] and done["test_roc_auc"] > 0.98, done)
    expect("test_rmse" not in done and done["diagnoses"] == [], done)
    score = glia("eval", "l/model.safetensors", "labels-test.csv", "--json").json()
    for key in ("accuracy", "exact", "roc_auc", "average_precision"):
        expect(near(score[key], done["test_" + key]), key, score, done)
    shown = glia("eval", "l/model.safetensors", "labels-test.csv").out
    expect(all(f"\n{name} " in shown for name in ("accuracy", "exact", "ROC AUC", "AP")), shown)
    glia("report", "l")
    expect("Confusion matrix" not in read("l/report.html").decode())


@test("two classes: ROC AUC and average precision beside the confusion matrix")
def _():
    done = glia("train", "sides.csv", "--test", "sides-test.csv", *WELL, "-o", "s.safetensors",
                "--json").json()
    expect(0.9 < done["test_roc_auc"] < 1 and 0.8 < done["test_average_precision"] <= 1, done)
    score = glia("eval", "s.safetensors", "sides-test.csv", "--json").json()
    expect(near(score["roc_auc"], done["test_roc_auc"]) and "exact" not in score, score)
    expect("ROC AUC" in glia("eval", "s.safetensors", "sides-test.csv").out)


@test("the training RMSE of huge and of tiny values has no overflow")
def _():
    errors = []
    for power in (0, 160, -160):
        write("power.csv", "".join(["a,y\n", *(f"{i % 37 / 7},{(i % 37) ** 2 - 90.5}e{power}\n"
                                              for i in range(150))]).encode())
        result = glia("train", "power.csv", "--epochs", 20, "-o", "power.safetensors", "--json").json()
        errors.append(result["train_rmse"] / 10.0 ** power)
    expect(all(abs(error / errors[0] - 1) < 1e-3 for error in errors), errors)


run_tests()
