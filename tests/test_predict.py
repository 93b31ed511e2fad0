# SPDX-License-Identifier: MIT
"""
What a model is used for after training: eval says which samples its score is from, predict answers
what it is given, from files and through pipes.

    python3 tests/test_predict.py [PROGRAM]      (else $GLIA)
"""
import random

from harness import expect, glia, run_tests, test, write


def rows(n, seed, groups=20, names=True):
    """a, b, the group, and whether a > b, with some noise."""
    rng = random.Random(seed)
    lines = ["a,b,patient,y"]
    for _ in range(n):
        a, b, g = rng.random(), rng.random(), rng.randrange(groups)
        yes = a - b + rng.gauss(0, 0.2) > 0
        lines.append(f"{a:.4f},{b:.4f},{'p%d' % g if names else g},{'yes' if yes else 'no'}")
    return ("\n".join(lines) + "\n").encode()


def trained(data, *options):
    """Trains on it, and returns the outcome."""
    return glia("train", data, "--epochs", "5", "-o", "m.safetensors", "--json", *options).json()


def prepare():
    write("a.csv", rows(300, 1))
    write("numbers.csv", rows(300, 1, names=False))
    write("other.csv", rows(300, 2))
    write("more.csv", rows(300, 1) + b"0.5,0.4,p1,yes\n")


# ---- Which samples a score is from ---------------------------------------------------------------

@test("eval scores those rows of the training file that were held out, as train did")
def _():
    for data, options in (("a.csv", []), ("a.csv", ["--drop", "patient"]),
                          ("a.csv", ["--test", "0.3", "--data-seed", "7"]),
                          ("a.csv", ["--test", "50", "--validation", "0.2"]),
                          ("a.csv", ["--split", "last"]),
                          ("a.csv", ["--group", "patient"]),
                          ("numbers.csv", ["--group", "patient", "--validation", "0.1"])):
        outcome = trained(data, *options)
        score = glia("eval", "m.safetensors", data, "--json").json()
        expect(score["rows"] == "held-out" and score["learned_from"] == "part", options, score)
        expect(score["loss"] == outcome["test_loss"], options, score["loss"], outcome["test_loss"])
        expect(score["accuracy"] == outcome["test_accuracy"], options, score, outcome)
    text = glia("eval", "m.safetensors", "numbers.csv").out
    expect("of its 300 rows: those held out from training" in text, text)


@test("eval scores all rows on demand, and says that the model has learned from them")
def _():
    trained("a.csv")
    score = glia("eval", "m.safetensors", "a.csv", "--all-rows", "--json").json()
    expect(score["samples"] == 300 and score["rows"] == "all", score)
    text = glia("eval", "m.safetensors", "a.csv", "--all-rows").out
    expect("the model has learned from most of these samples" in text, text)


@test("eval of rows that were all learned from says so; of rows held out to validate, too")
def _():
    trained("a.csv", "--test", "none")
    score = glia("eval", "m.safetensors", "a.csv", "--json").json()
    expect(score["samples"] == 300 and score["learned_from"] == "all", score)
    expect("has learned from all of these samples" in glia("eval", "m.safetensors", "a.csv").out)
    trained("a.csv", "--test", "none", "--validation", "0.1")
    text = glia("eval", "m.safetensors", "a.csv").out
    expect("30 of its 300 rows: those held out to validate the training" in text, text)


@test("the model of a cross-validation has learned from all rows")
def _():
    glia("train", "a.csv", "--folds", "3", "--epochs", "2", "-q", "-o", "folds.safetensors")
    score = glia("eval", "folds.safetensors", "a.csv", "--json").json()
    expect(score["samples"] == 300 and score["learned_from"] == "all", score)


@test("eval of other rows scores them all, and says nothing of those of the training")
def _():
    trained("a.csv")
    for data, n in (("other.csv", 300), ("more.csv", 301)):
        score = glia("eval", "m.safetensors", data, "--json").json()
        expect(score["samples"] == n and score["learned_from"] == "unknown", score)
        text = glia("eval", "m.safetensors", data).out
        expect("learned from" not in text and "held out" not in text, text)


@test("a second file to test on need not have the column of groups")
def _():
    write("bare.csv", b"\n".join(b",".join(line.split(b",")[k] for k in (0, 1, 3))
                                 for line in rows(60, 3).splitlines()) + b"\n")
    outcome = trained("a.csv", "--group", "patient", "--test", "bare.csv")
    score = glia("eval", "m.safetensors", "bare.csv", "--json").json()
    expect(score["samples"] == 60 and score["accuracy"] == outcome["test_accuracy"], score)


prepare()
run_tests()
