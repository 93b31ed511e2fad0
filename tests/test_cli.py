# SPDX-License-Identifier: MIT
"""
The program from outside: what it prints, writes and exits with.

    python3 tests/test_cli.py [PROGRAM]      (else $GLIA)

Prints TAP. Works on a small data set of its own, 8x8 pictures of bars in three directions, so that
a training takes milliseconds.
"""

import contextlib
import glob
import http.server
import json
import math
import os
import pty
import random
import re
import resource
import shlex
import shutil
import signal
import struct
import subprocess
import threading
import zipfile

from harness import (ENV, HERE, PROGRAM, SANITIZED, SIDE, TIMEOUT, Result, Skip, expect, glia, idx,
                     make_data, on_terminal, path, pgm, picture, read, read_until, run_tests, slow, start,
                     test, write)


def prepare():
    make_data("bars", 300, 90)
    make_data("untested", 60, 0)
    make_data("many", 200, 100, classes=40)
    write("lying.pgm", pgm(SIDE, SIDE, picture(0, random.Random(5))))
    glia("train", "bars", "--hidden", 16, "--epochs", 20, "--batch", 8, "-o", "bars.safetensors",
         "--quiet")


# ---- Help ----------------------------------------------------------------------------------------

def commands():
    return glia("help", "--commands").out.split("\n")[:-1]


@test("help, manual page and table have the same options")
def _():
    expect(len(commands()) >= 9, commands())
    for name in commands():
        words = name.split()
        listed = glia("help", "--options", *words).out.split()
        helped = re.findall(r"^ +(?:-\w, )?(--[a-z0-9-]+)", glia("help", *words).out, re.M)
        page = glia("help", "--man", *words).out.replace("\\-", "-")
        manual = re.findall(r"^(?:\\fB-\w\\fR, )?\\fB(--[a-z0-9-]+)\\fR", page, re.M)
        expect(len(listed) > 1 and listed == helped, name, "help differs:", listed, helped)
        expect(listed == manual, name, "manual differs:", listed, manual)
        expect(glia(*words, "--help").out == glia("help", *words).out, name)
        expect("--json" in listed and "--help" in listed, name)


@test("every option in the table is taken by the parser")
def _():
    for name in commands():
        for option in glia("help", "--options", *name.split()).out.split():
            result = glia(*name.split(), option + "=", code=None)
            expect("there is no option" not in result.err, name, option, result.err)


@test("the library's messages name its fields, and each has an option here")
def _():
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    texts = []
    for source in glob.glob(root + "/src/**/*.c", recursive=True):
        with open(source, encoding="utf-8") as file:
            code = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
        code = re.sub(r'"\s*\n\s*"', "", code)  # literals that follow one another are one
        texts += re.findall(r'"((?:[^"\\\n]|\\.)*)"', code)
    for text in texts:
        expect(not re.search(r"(?<![\w-])--[a-z]", text), "names an option:", text)
    wording, = glob.glob(root + "/cli/**/wording.c", recursive=True)
    with open(wording, encoding="utf-8") as file:
        pairs = re.findall(r'\{"([^"]+)", "([^"]+)"\}', file.read())
    options = sum((glia("help", "--options", name).out.split() for name in ("train", "eval")), [])
    for field, option in pairs:
        expect(any(field in text for text in texts), "no message says", field)
        for name in re.findall(r"--[a-z-]+", option):
            expect(name in options, name)
    for text in texts:
        for field in re.findall(r"(?<!\.)\btable\.\w+|setting [\w-]+(?==)", text):
            known = "--" + field[8:] in options if field.startswith("setting ") else \
                any(name.startswith(field) for name, _option in pairs)
            expect(known, "no option for", field, "in", text)


@test("help shows the defaults that training has")
def _():
    glia("train", "bars", "-o", "defaults.safetensors", "-q")
    model = glia("inspect", "defaults.safetensors", "--json").json()
    training, text = model["metadata"]["training"], glia("help", "train").out
    for option, used in (("--lr X", training["lr"]), ("--batch N", training["batch"]),
                         ("--epochs N", training["epochs"]), ("--seed N", training["seed"]),
                         ("--hidden LIST", model["layers"][0]["units"]),
                         ("--activation LIST", model["layers"][0]["activation"])):
        shown = re.search(r"\[([^]]*)\]", text[text.index(option):]).group(1)
        expect(shown == f"{used:g}" if isinstance(used, float) else shown == str(used), option,
               "shows", shown, "and is", used)


@test("help fits 80 columns")
def _():
    for name in commands() + [""]:
        for line in glia("help", *name.split()).out.split("\n"):
            expect(len(line) <= 80 or line.startswith("  glia "), name, repr(line))


@test("help lists the choices of an option once, and its sentences have a subject")
def _():
    for name in commands() + [""]:
        text = " ".join(glia("help", *name.split()).out.split())
        for choices in re.findall(r": ((?:[\w-]+, )*[\w-]+ or [\w-]+)(?= \[)", text):
            expect(text.count(": " + choices + ":") == 0, name, choices)
        for words in ("what is to be", "of values ", "how many ", "one a core", "their kin", "found out",
                      "what came out", "parted", "told of"):
            expect(words not in text, name, words)


@test("the manual pages are well-formed roff")
def _():
    for page in ([], ["train"], ["eval"], ["predict"], ["inspect"], ["data"], ["bench"]):
        text = glia("help", "--man", *page).out
        expect(text.startswith(".TH glia"), text[:50])
        for section in (".SH NAME", ".SH SYNOPSIS", ".SH EXIT STATUS", ".SH SEE ALSO"):
            expect(section in text, page, section)
        macros = set(re.findall(r"^\.(\w+)", text, re.M))
        expect(macros <= {"TH", "SH", "SS", "TP", "PP", "B", "br", "nf", "fi"}, macros)


@test("version and the bare name")
def _():
    result = glia("--version")
    expect(re.match(r"glia \d+\.\d+\.\d+\nbuilt with: ", result.out), result.out)
    result = glia(code=2)
    expect(result.out == "" and "Usage: glia" in result.err, result.out, result.err)
    expect("Usage: glia" in glia("--help").out)
    expect("data show" in glia("data", "--help").out)


# ---- Wrong commands ------------------------------------------------------------------------------

# arguments, exit status, what stderr says (regular expressions)
WRONG = [
    (["trian", "bars"], 2, ["trian", "did you mean train"]),
    (["frobnicate"], 2, ["frobnicate"]),
    (["--frobnicate"], 2, ["--frobnicate"]),
    (["data"], 2, ["data"]),
    (["data", "shwo", "digits"], 2, ["data shwo", "did you mean data show"]),
    (["help", "trani"], 2, ["trani", "did you mean train"]),
    (["help", "train", "more"], 2, ["more"]),
    (["help", "--frob"], 2, ["--frob"]),
    (["train"], 2, ["train", "DATA"]),
    (["train", "bars", "more"], 2, ["more"]),
    (["train", "bars", "--frob"], 2, ["--frob"]),
    (["train", "bars", "--epoch", "3"], 2, ["--epoch", "did you mean --epochs"]),
    (["train", "bars", "-x"], 2, ["-x"]),
    (["train", "bars", "-qx"], 2, ["-qx"]),
    (["train", "bars", "--epochs"], 2, ["--epochs", "needs a value"]),
    (["train", "bars", "--epochs", "--json"], 2, ["--epochs", "needs a value"]),
    (["train", "bars", "--json=yes"], 2, ["--json", "yes"]),
    (["train", "bars", "-q=3"], 2, ["--quiet takes no value", '"3"']),
    (["train", "bars", "--epochs", "-1"], 2, ["--epochs", '"-1"', "whole number"]),
    (["train", "bars", "--epochs", "1.5"], 2, ["--epochs", '"1.5"']),
    (["train", "bars", "--epochs", "ten"], 2, ["--epochs", '"ten"']),
    (["train", "bars", "--epochs", ""], 2, ["--epochs", '""']),
    (["train", "bars", "--epochs", "99999999999999999999999"], 2, ["--epochs"]),
    (["train", "bars", "--batch", "0"], 2, ["--batch", '"0"', "at least 1"]),
    (["train", "bars", "--threads", "1025"], 2, ["--threads", "from 0 to 1024"]),
    (["train", "bars", "--seed", "18446744073709551616"], 2, ["--seed"]),
    (["train", "bars", "--lr", "0"], 2, ["--lr", '"0"', "above 0"]),
    (["train", "bars", "--lr", "-0.1"], 2, ["--lr"]),
    (["train", "bars", "--lr", "0,1"], 2, ["--lr", '"0,1"']),
    (["train", "bars", "--lr", "0.1x"], 2, ["--lr"]),
    (["train", "bars", "--lr", "nan"], 2, ["--lr"]),
    (["train", "bars", "--lr", "inf"], 2, ["--lr"]),
    (["train", "bars", "--lr", "1e999"], 2, ["--lr"]),
    (["train", "bars", "--lr", "0x1p3"], 2, ["--lr"]),
    (["train", "bars", "--lr", " 1"], 2, ["--lr"]),
    (["train", "bars", "--lr-end", "-1"], 2, ["--lr-end"]),
    (["train", "bars", "--warmup", "1"], 2, ["--warmup", '"1"', "at least 0 and below 1"]),
    (["train", "bars", "--warmup", "-0.1"], 2, ["--warmup"]),
    (["train", "bars", "--lr-end", "constantly"], 2, ["--lr-end", "at least 0, or constant"]),
    (["train", "bars", "--schedule", "cosin"], 2, ["--schedule", "did you mean cosine"]),
    (["train", "bars", "--schedule", "x"], 2, ["--schedule", "expected auto, constant, linear, step"]),
    (["train", "bars", "--lr-factor", "0"], 2, ["--lr-factor", "above 0 and at most 1"]),
    (["train", "bars", "--lr-factor", "1.5"], 2, ["--lr-factor", '"1.5"']),
    (["train", "bars", "--lr-every", "0"], 2, ["--lr-every", "from 1 to"]),
    (["train", "bars", "--shift", "-1"], 2, ["--shift", '"-1"', "from 0"]),
    (["train", "bars", "--scale", "1"], 2, ["--scale", "at least 0 and below 1"]),
    (["train", "bars", "--elastic", "9", "--elastic-sigma", "0"], 2, ["--elastic-sigma", "above 0"]),
    (["train", "bars", "--elastic-sigma", "3"], 2, ["--elastic-sigma", "add --elastic"]),
    (["train", "bars", "--shift", "1", "--augment-fade", "1.1"], 2, ["--augment-fade", '"1.1"']),
    (["train", "bars", "--augment-fade", "0.5"], 2, ["--augment-fade", "add --augment"]),
    (["train", "bars", "--shift", "1", "--augment-fade-to", "0.5"], 2,
     ["--augment-fade-to", "add --augment-fade"]),
    (["train", "bars", "--seeds", "0"], 2, ["--seeds", "from 1 to 100000"]),
    (["train", "bars", "--seeds", "2", "--plot"], 2, ["--plot", "--seeds"]),
    (["train", "bars", "--seeds", "2", "-o", "no/m.safetensors"], 1, ["no/m-1", "does not exist"]),
    (["train", "nothing", "--seeds", "2"], 1, ["nothing"]),
    (["train", "bars", "--recipe", "fats"], 2, ["--recipe", '"fats"', "did you mean fast"]),
    (["train", "bars", "--recipe", "x"], 2, ["--recipe", '"x"', "expected fast", "path of a file"]),
    (["train", "bars", "--recipe", ""], 2, ["--recipe", "path of a file"]),
    (["train", "bars", "--recipe", "./fast"], 2, ["./fast", "No such file"]),
    (["train", "bars", "--recipe", "bars"], 2, ["bars: cannot be read", "directory"]),
    (["train", "bars", "--recipe"], 2, ["--recipe needs a value"]),
    (["train", "--recipe", "fast"], 2, ["DATA"]),
    (["train", "--recipe", "fast", "--print", "a", "b"], 2, ['"b" is one too many']),
    (["train", "--recipe", "fast", "--print", "--lr", "x"], 2, ["--lr", '"x"']),
    (["train", "--print=yes"], 2, ["--print takes no value"]),
    (["eval", "--print"], 2, ["no option --print"]),
    (["train", "bars", "--engine", "onedn"], 2, ["--engine", '"onedn"', "did you mean onednn"]),
    (["train", "bars", "--engine", "x"], 2, ["--engine", "auto, reference, native or onednn"]),
    (["train", "bars", "--precision", "bf61"], 2, ["--precision", '"bf61"', "did you mean bf16"]),
    (["train", "bars", "--precision", "f64x"], 2, ["--precision", "expected f32 or bf16"]),
    (["train", "bars", "--engine", "native", "--precision", "bf16"], 1,
     ["precision bf16", "engine native|without oneDNN"]),
    (["train", "bars", "--engine", "reference", "--precision", "bf16"], 1,
     ["precision bf16", "engine reference|without oneDNN"]),
    (["train", "bars", "--min-delta", "-1"], 2, ["--min-delta"]),
    (["train", "bars", "--hidden", "0"], 2, ["--hidden", '"0"']),
    (["train", "bars", "--hidden", "16,"], 2, ["--hidden"]),
    (["train", "bars", "--hidden", ",16"], 2, ["--hidden"]),
    (["train", "bars", "--hidden", "16;16"], 2, ["--hidden"]),
    (["train", "bars", "--hidden", "1048577"], 2, ["--hidden"]),
    (["train", "bars", "--hidden", ",".join(["4"] * 64)], 2, ["--hidden"]),
    (["train", "bars", "--activation", "swish"], 2, ["--activation", '"swish"', "sigmoid"]),
    (["train", "bars", "--activation", "softmax"], 2, ["--activation", "layer$"]),
    (["train", "bars", "--activation", "ReLU"], 2, ["--activation", "did you mean relu"]),
    (["train", "bars", "--activation", "sigmoyd"], 2, ["--activation", "did you mean sigmoid"]),
    (["train", "bars", "--hidden", "8,8,8", "--activation", "relu,tanh"], 2,
     ["--activation", "2", "3"]),
    (["train", "bars", "--init", "he"], 2, ["--init", "did you mean he-"]),
    (["train", "bars", "--validation", "0"], 2, ["--validation"]),
    (["train", "bars", "--validation", "1.5"], 2, ["--validation"]),
    (["train", "bars", "--validation", "300"], 2, ["300"]),
    (["train", "bars", "--validation", "100000"], 2, ["100,?000"]),
    (["train", "bars", "--patience", "2"], 2, ["--patience", "--validation"]),
    (["train", "bars", "--min-delta", "0.1"], 2, ["--min-delta", "--validation"]),
    (["train", "bars", "--fresh"], 2, ["--fresh", "digits"]),
    (["train", "bars", "--data-seed", "2"], 2, ["--data-seed", "bars", "digits"]),
    (["train", "bars", "--mirror", "http://localhost/"], 2, ["--mirror", "bars"]),
    (["train", "digits", "--mirror", "http://localhost/"], 2, ["--mirror", "digits"]),
    (["eval", "bars.safetensors", "bars", "--data-seed", "2"], 2, ["--data-seed", "bars"]),
    (["predict", "bars.safetensors", "bars:0", "--data-seed", "2"], 2, ["--data-seed", "bars"]),
    (["data", "show", "bars", "--mirror", "http://localhost/"], 2, ["--mirror", "bars"]),
    (["data", "fetch", "digits", "--mirror", "http://localhost/"], 2, ["--mirror", "digits"]),
    (["train", "bars", "-o", ""], 2, ["--output"]),
    (["train", "bars", "-o", "folder/"], 1, ["folder/"]),
    (["train", "bars", "-o", "bars"], 1, ["bars", "folder"]),
    (["train", "bars", "-o", "no/such/m.safetensors"], 1, ["no/such"]),
    (["train", "bars", "-o", "bars.safetensors/m.safetensors"], 1, ["bars.safetensors"]),
    (["train", "bars", "-o", "/dev/null"], 1, ["/dev/null"]),
    (["train", "bras"], 1, ["bras"]),
    (["train", "mnits"], 1, ["mnits", "did you mean mnist"]),
    (["train", "mnist", "--offline"], 1, ["mnist"]),
    (["eval", "bars.safetensors"], 2, ["MODEL DATA"]),
    (["eval", "bars.safetensors", "bars", "--split", "tset"], 2, ["--split", "did you mean test"]),
    (["eval", "none.safetensors", "bars"], 1, ["none.safetensors"]),
    (["eval", "lying.pgm", "bars"], 1, ["lying.pgm"]),
    (["eval", "bars.safetensors", "untested"], 1, ["untested"]),
    (["eval", "bars.safetensors", "digits"], 1, ["784", "64"]),
    (["eval", "bars.safetensors", "many"], 1, ["40", "3"]),
    (["predict", "bars.safetensors"], 2, ["INPUT"]),
    (["predict", "bars.safetensors", "none.png"], 1, ["none.png"]),
    (["predict", "bars.safetensors", "bars.safetensors"], 1, ["bars.safetensors"]),
    (["predict", "bars.safetensors", "bars:90"], 2, ["bars:90", "0 to 89"]),
    (["predict", "bars.safetensors", "bars:5-4"], 2, ["bars:5-4"]),
    (["predict", "bars.safetensors", "bars:1-"], 2, ["bars:1-", "neither a file nor"]),
    (["predict", "bars.safetensors", "bars:x"], 2, ["bars:x", "DATA:FIRST-LAST"]),
    (["predict", "bars.safetensors", "bars:-1"], 2, ["bars:-1", "neither a file nor"]),
    (["predict", "bars.safetensors", "lying.pgm", "mine:"], 2, ["mine:", "neither a file nor"]),
    (["predict", "bars.safetensors", "nowhere:0"], 1, ["nowhere"]),
    (["predict", "bars.safetensors", "digits:0"], 1, ["784", "64"]),
    (["predict", "bars.safetensors", "lying.pgm", "--top", "0"], 2, ["--top"]),
    (["inspect"], 2, ["MODEL"]),
    (["inspect", "none.safetensors"], 1, ["none.safetensors"]),
    (["inspect", "bars"], 1, ["bars"]),
    (["data", "show"], 2, ["DATA"]),
    (["data", "show", "bars", "--first", "300"], 2, ["--first", "300", "0 to 299"]),
    (["data", "show", "bars", "--first", "298", "--count", "3"], 2, ["--count", "3", "has 2"]),
    (["data", "export", "bars", "--count", "301"], 2, ["--count", "301", "has 300"]),
    (["data", "show", "bars", "--count", "0"], 2, ["--count"]),
    (["data", "show", "bars", "--epochs", "3"], 2, ["--epochs", "add --augment"]),
    (["data", "export", "bars", "--elastic-sigma", "3"], 2, ["data export", "add --elastic"]),
    (["data", "export", "bars", "--first", "300"], 2, ["--first", "0 to 299"]),
    (["data", "export", "bars", "-o", "no/such"], 1, ["no/such"]),
    (["data", "export", "bars", "-o", "lying.pgm"], 1, ["lying.pgm"]),
    (["data", "fetch", "bars"], 1, ["bars"]),
    (["data", "list", "more"], 2, ["more"]),
    (["bench", "more"], 2, ["more", "options alone"]),
    (["bench", "--data", "nowhere"], 1, ["nowhere"]),
    (["bench", "--data", "mnits"], 1, ["mnits", "did you mean mnist"]),
    (["bench", "--data", "bars"], 2, ["--network", "784-32-10", "64 inputs", "--data dense"]),
    (["bench", "--data", "bars", "--network", "64-16-2"], 2, ["64-16-2", "3 classes"]),
    (["bench", "--data", "bars", "--network", "64-3,65-3"], 2, ["65-3", "64 inputs"]),
    (["bench", "--data", "bars", "--network", "64-3", "--batch", "301"], 2, ["301", "has 300"]),
    (["bench", "--data", "dense", "--data-seed", "2"], 2, ["--data-seed", "dense"]),
    (["bench", "--batch", "0"], 2, ["--batch", '"0"', "from 1 to 1000000"]),
    (["bench", "--batch", "1000001"], 2, ["--batch"]),
    (["bench", "--batch", "1,,2"], 2, ["--batch"]),
    (["bench", "--batch", "1,64,"], 2, ["--batch"]),
    (["bench", "--batch", ",".join(["8"] * 65)], 2, ["--batch"]),
    (["bench", "--network", "784"], 2, ["--network", '"784"', "784-256-10"]),
    (["bench", "--network", "784-256-10,784"], 2, ["--network"]),
    (["bench", "--network", "784--10"], 2, ["--network"]),
    (["bench", "--network", "784-0-10"], 2, ["--network"]),
    (["bench", "--network", "784-10-"], 2, ["--network"]),
    (["bench", "--network", "-784-10"], 2, ["--network"]),
    (["bench", "--network", "784x256x10"], 2, ["--network"]),
    (["bench", "--network", "784-1048577-10"], 2, ["--network", "1048576"]),
    (["bench", "--network", "784-256-65537"], 2, ["--network", "65536"]),
    (["bench", "--network", "-".join(["4"] * 66)], 2, ["--network", "64 layers"]),
    (["bench", "--network", "1" * 2000], 2, ["--network"]),
    (["bench", "--network", ",".join(["4-2"] * 65)], 2, ["--network"]),
    (["bench", "--precision", "f16"], 2, ["--precision", '"f16"', "f32, bf16"]),
    (["bench", "--precision", "f32,"], 2, ["--precision"]),
    (["bench", "--engine", "onedn"], 2, ["--engine", "did you mean onednn"]),
    (["bench", "--threads", "1025"], 2, ["--threads", "from 0 to 1024"]),
    (["bench", "--seconds", "0"], 2, ["--seconds", "above 0"]),
    (["bench", "--seconds", "3601"], 2, ["--seconds", "3600"]),
]


def add_wrong(args, code, patterns):
    shown = [a if len(a) < 40 else a[:37] + "..." for a in args]

    @test("wrong: glia " + " ".join(repr(a) if a == "" or " " in a else a for a in shown))
    def _():
        for more in ([], ["--json"]):
            if more and args[0] in ("help", "frobnicate", "--frobnicate"):
                continue
            before = read("bars.safetensors")
            result = glia(*args, *more, code=code)
            expect(result.out == "", "stdout:", result.out[:200])
            expect(result.err.startswith("glia: ") and result.err.endswith("\n"), result.err)
            for pattern in patterns:
                expect(re.search(pattern, result.err), pattern, "is not in:", result.err)
            expect(read("bars.safetensors") == before, "the model has changed")


for case in WRONG:
    add_wrong(*case)


# ---- train ---------------------------------------------------------------------------------------

TRAIN_KEYS = {"model", "dataset", "parameters", "epochs", "best_epoch", "stopped", "train_loss",
              "train_accuracy", "validation_loss", "validation_accuracy", "test_loss",
              "test_accuracy", "test_error", "test_standard_error", "samples",
              "samples_per_second", "seconds", "startup_seconds", "seed", "engine", "isa",
              "precision", "plan", "threads", "diagnoses"}


@test("train --json says all that it promises")
def _():
    result = glia("train", "bars", "--hidden", "16,8", "--activation", "tanh,relu", "--epochs", 5,
                  "--seed", 7, "--threads", 2, "--json", "-o", "j.safetensors")
    o = result.json()
    expect(TRAIN_KEYS <= set(o), "missing:", TRAIN_KEYS - set(o))
    expect(o["model"] == "j.safetensors" and os.path.exists(path("j.safetensors")))
    expect(o["dataset"] == "bars" and o["seed"] == 7 and o["threads"] in (1, 2))
    expect(o["parameters"] == 65 * 16 + 17 * 8 + 9 * 3, o["parameters"])
    expect(o["epochs"] == 5 and o["stopped"] == "epochs" and o["samples"] == 1500)
    expect(o["validation_loss"] is None and o["validation_accuracy"] is None)
    expect(abs(o["test_accuracy"] + o["test_error"] - 1) < 1e-8)
    p = o["test_accuracy"]
    expect(abs(o["test_standard_error"] - math.sqrt(p * (1 - p) / 90)) < 1e-8)
    expect(o["seconds"] > 0 and o["samples_per_second"] > 0 and 0 < o["startup_seconds"] < 60)
    expect(o["engine"] == "native" and isinstance(o["isa"], str))
    expect(o["precision"] == "f32" and ("skip" in o["plan"] or "dense" in o["plan"]), o["plan"])


DEAD = ["train", "bars", "--hidden", "16", "--activation", "relu", "--lr", "100", "--epochs", "3",
        "-o", "dead.safetensors"]


def arff(classes, n, used=2):
    """A table whose rows are of the first of its classes, which one number tells apart."""
    rows = "".join(f"{i % used + i / 1000},{classes[i % used]}\n" for i in range(n))
    return (f"@relation r\n@attribute x numeric\n@attribute y {{{','.join(classes)}}}\n@data\n"
            f"{rows}").encode()


@test("why nothing is learned is a line on stderr, and an object in --json and result.json")
def _():
    for args in (DEAD, [*DEAD, "--quiet"]):
        warnings = re.findall("^glia: warning: (.*)$", glia(*args).err, re.M)
        expect(len(warnings) == 1 and "dead" in warnings[0], warnings)
    result = glia(*DEAD, "--json", "--run", "dead-run")
    found = result.json()["diagnoses"]
    expect(len(found) == 1 and found[0]["message"] == warnings[0], found)
    expect(found[0]["message"] in result.err, result.err)
    expect({k: found[0][k] for k in ("kind", "layer", "epoch")} ==
           {"kind": "dead-units", "layer": 0, "epoch": 1}, found)
    expect(found[0]["value"] > 0.7 and found[0]["step"] == 10, found)
    expect(json.loads(read("dead-run/result.json"))["diagnoses"] == found)

    make_data("one", 60, 0, classes=1)
    write("one/train-labels-idx1-ubyte", idx([60], bytes([2] * 60)))
    write("two.arff", arff("abc", 60))  # no row has the third class
    for data, kind in (("one", "one-class"), ("two.arff", "missing-class")):
        found = glia("train", data, "--epochs", 5, "--json", "-o", "one.safetensors").json()
        found = found["diagnoses"]
        expect([d["kind"] for d in found] == [kind], found)
        expect(found[0]["layer"] is None and found[0]["epoch"] == found[0]["step"] == 0, found)


@test("a run that learns has no warning")
def _():
    for args in ([], ["--hidden", "16,8", "--activation", "tanh,relu", "--epochs", "5"],
                 ["--recipe", "fast"], ["--batch", "1", "--lr", "0.02"], ["--hidden", "none"],
                 ["--activation", "sigmoid", "--lr", "1"]):
        result = glia("train", "bars", *args, "--json", "-o", "healthy.safetensors")
        expect(result.json()["diagnoses"] == [] and "warning" not in result.err, args, result.err)


@test("a data set without a test split: its keys are null")
def _():
    o = glia("train", "untested", "--epochs", 1, "--json", "-o", "u.safetensors").json()
    for key in ("test_loss", "test_accuracy", "test_error", "test_standard_error"):
        expect(o[key] is None, key, o[key])
    text = glia("train", "untested", "--epochs", 1, "-o", "u.safetensors")
    expect("none to test" in text.err and "test " not in text.out, text.err, text.out)


@test("a broken test split ends the run before the training, with one thread and with two")
def _():
    make_data("broken", 60, 30)
    write("broken/t10k-images-idx3-ubyte", read("broken/t10k-images-idx3-ubyte")[:-1])
    for threads in (1, 2):
        result = glia("train", "broken", "--threads", threads, "-o", "broken.safetensors", code=1)
        expect("t10k-images-idx3-ubyte: byte" in result.err and "epoch" not in result.err, result.err)
        expect(not os.path.exists(path("broken.safetensors")))


@test("no epoch: the network as it was made is saved, figures are null")
def _():
    o = glia("train", "bars", "--epochs", 0, "--json", "-o", "zero.safetensors").json()
    expect(o["epochs"] == 0 and o["train_loss"] is None and o["test_accuracy"] is not None)
    glia("inspect", "zero.safetensors")
    result = glia("train", "bars", "--epochs", 0, "-o", "zero.safetensors")
    expect("\n\n" not in result.err + result.out and not result.err.endswith("\n\n"), result.err)
    expect(result.err == "" or not result.err.startswith("\n"), repr(result.err))


@test("seeds up to 2^64 - 1; beyond 2^63 - 1 a string in JSON")
def _():
    for seed, shown in ((2**63 - 1, 2**63 - 1), (2**63, str(2**63)), (2**64 - 1, str(2**64 - 1))):
        o = glia("train", "bars", "--epochs", 0, "--seed", seed, "-o", "seed.safetensors",
                 "--json").json()
        expect(o["seed"] == shown, o["seed"])
        training = glia("inspect", "seed.safetensors", "--json").json()["metadata"]["training"]
        expect(training["seed"] == str(seed), training)


@test("early stopping keeps the best epoch")
def _():
    o = glia("train", "bars", "--hidden", "none", "--epochs", 500, "--lr", 5, "--validation", 0.2,
             "--patience", 1, "--min-delta", 0.01, "--json", "-o", "early.safetensors").json()
    expect(o["stopped"] == "early" and o["epochs"] == o["best_epoch"] + 1, o)
    expect(o["validation_loss"] is not None and 0 <= o["validation_accuracy"] <= 1)
    expect(o["samples"] == o["epochs"] * 240, o["samples"])
    o = glia("train", "bars", "--epochs", 1, "--validation", 30, "--json", "-o",
             "early.safetensors").json()
    expect(o["samples"] == 270, o["samples"])


@test("--fresh validates on other digits")
def _():
    glia("train", "digits", "--fresh", "--validation", 100, "--epochs", 0, "--hidden", "none",
         "-o", "fresh.safetensors", "-q")
    result = glia("train", "digits", "--fresh", "--validation", 60000, "-o", "fresh.safetensors",
                  code=2)
    expect(re.search("60,?000", result.err), result.err)


@test("without -o the model is named after the data")
def _():
    for data in ("bars/", "./bars", HERE + "/bars"):
        with contextlib.suppress(FileNotFoundError):
            os.rename(path("bars.safetensors"), path("kept.safetensors"))
        try:
            result = glia("train", data, "--epochs", 1)
            expect("bars.safetensors" in result.out, result.out)
            expect(os.path.exists(path("bars.safetensors")))
        finally:
            os.replace(path("kept.safetensors"), path("bars.safetensors"))


@test("train for people: head, a line an epoch, result; --quiet leaves the result")
def _():
    result = glia("train", "bars", "--hidden", "16,8", "--epochs", 3, "-o", "p.safetensors")
    expect("300 samples" in result.err and "90 to test" in result.err, result.err)
    expect("64-16-8-3" in result.err and "1,203 parameters" in result.err, result.err)
    expect("native" in result.err and "plan" in result.err and "thread" in result.err, result.err)
    expect(len(re.findall(r"^ +[123] +\d\.\d{4} +\d+\.\d\d %", result.err, re.M)) == 3, result.err)
    expect(re.search(r"test +\d+\.\d\d ± \d+\.\d\d %", result.out), result.out)
    expect("p.safetensors" in result.out)
    quiet = glia("train", "bars", "--epochs", 1, "-q", "-o", "p.safetensors")
    expect(quiet.err == "" and "test" in quiet.out, quiet.err)


@test("what computed: on the run's head, in its JSON, in the model file and in inspect")
def _():
    for engine, precision, words in (("auto", "f32", "inputs are not zero"),
                                     ("reference", "f32", "plain loops"),
                                     ("native", "f32", "inputs are not zero"),
                                     ("onednn", "f32", "dense products by oneDNN"),
                                     ("onednn", "bf16", "dense products by oneDNN"),
                                     ("auto", "bf16", "dense products by oneDNN")):
        args = ["train", "bars", "--epochs", 1, "--engine", engine, "--precision", precision,
                "--threads", 2, "-o", "e.safetensors"]
        result = glia(*args, code=None)
        if result.code != 0:  # without oneDNN, or a CPU without bf16
            refused = "precision bf16" if precision == "bf16" else "engine onednn"
            expect(result.code == 1 and result.out == "" and refused in result.err, result.err)
            expect(engine == "onednn" or precision == "bf16", result.err)
            if precision == "f32" or not has_feature("onednn"):
                expect(not has_feature("onednn") and "without oneDNN" in result.err, result.err)
            continue
        o = glia(*args, "--json").json()
        name = "onednn" if precision == "bf16" else "native" if engine == "auto" else engine
        expect((o["engine"], o["precision"]) == (name, precision), o)
        expect(o["isa"] in ("baseline", "avx2", "avx512") and words in o["plan"], o)
        expect(f"engine    {name} {o['isa']} {precision}, {o['threads']} thread" in result.err,
               result.err)
        expect(f"plan      {o['plan']}\n" in result.err, o["plan"], result.err)
        kept = glia("inspect", "e.safetensors", "--json").json()["metadata"]["training"]
        expect([kept[k] for k in ("engine", "isa", "precision")] == [name, o["isa"], precision],
               kept)
        expect(o["plan"].startswith(kept["plan"] + "; "), kept["plan"], "and", o["plan"])
        lines = glia("inspect", "e.safetensors").out
        for key, value in (("engine", name), ("precision", precision), ("plan", kept["plan"])):
            expect(re.search(rf"^ +{key} +{re.escape(value)}$", lines, re.M), key, lines)


@test("in a locale without UTF-8 all is ASCII")
def _():
    result = glia("train", "bars", "--epochs", 1, "-o", "p.safetensors", env={"LC_ALL": "C"})
    expect((result.out + result.err).isascii() and "+-" in result.out, result.out)


@test("options before, between and after operands; = and --; the last of a kind counts")
def _():
    a = glia("train", "--epochs=1", "bars", "--json", "--seed", "3", "--seed=4", "-o",
             "a.safetensors").json()
    b = glia("train", "-oa.safetensors", "--json", "--seed", "4", "--epochs", "1", "--",
             "bars").json()
    for o in (a, b):
        for key in ("seconds", "samples_per_second", "startup_seconds"):
            del o[key]
    expect(a == b, a, b)
    result = glia("train", "--", "--bars", code=1)
    expect("--bars" in result.err)


# All that draws, sums over a batch, or looks at more than a row at a time.
EVERYTHING = ["--hidden", "70,40", "--batch-norm", "--dropout", "0.2", "--input-dropout", "0.1",
              "--augment", "--label-smoothing", "0.1", "--averaging", "0.9", "--max-norm", "3",
              "--clip-norm", "2", "--l2", "1e-4", "--optimizer", "adam", "--schedule", "cosine",
              "--class-weights", "balanced", "--validation", "0.2", "--batch", "40"]


@test("the same bytes from 1, 2 and 3 threads, with everything switched on")
def _():
    for engine, *more in (["reference"], ["native"], ["native", "--input-noise", "0.1"]):
        models = []
        for threads in (1, 2, 3):
            run = glia("train", "bars", "--epochs", 2, "--threads", threads, "--engine", engine,
                       *more, *EVERYTHING, "--json", "-o", "all.safetensors").json()
            expect(run["threads"] == threads, run["plan"])
            models.append(read("all.safetensors"))
        expect(models[0] == models[1] == models[2], engine, more)


@test("same seed, same bytes: twice, and from 1 and 2 threads")
def _():
    models = []
    for threads in (1, 1, 2, 3):
        glia("train", "bars", "--epochs", 3, "--batch", 50, "--seed", 9, "--threads", threads,
             "-o", "s.safetensors", "-q")
        models.append(read("s.safetensors"))
    expect(all(m == models[0] for m in models))
    glia("train", "bars", "--epochs", 3, "--batch", 50, "--seed", 10, "-o", "s.safetensors", "-q")
    expect(read("s.safetensors") != models[0])


@test("a locale with a decimal comma changes nothing")
def _():
    env = {"LC_ALL": "de_DE.UTF-8"}
    o = glia("train", "bars", "--lr", "0.25", "--epochs", 1, "-o", "l.safetensors", "--json",
             env=env).json()
    expect(isinstance(o["train_loss"], float))
    training = glia("inspect", "l.safetensors", "--json", env=env).json()["metadata"]["training"]
    expect(training["lr"] == 0.25, training)


@test("schedules: each ends at its rate, and the model says which it was")
def _():
    cases = {"constant": (1, None, 0, 0), "linear": (0, 0, 0, 0), "step": (0.01, None, 0.1, 2),
             "exponential": (0.95 ** (60 / 10 - 0.1), None, 0.95, 0), "cosine": (0, 0, 0, 0),
             "one-cycle": (4e-6, 4e-6, 0, 0)}
    for name, (last, end, factor, every) in cases.items():
        glia("train", "bars", "--schedule", name, "--lr", 1, "--epochs", 6, "--batch", 30, "--run",
             "schedule-" + name, "-q")
        with open(path(f"schedule-{name}/metrics.jsonl"), encoding="utf-8") as lines:
            rate = json.loads(lines.readlines()[-1])["lr"]
        expect(abs(rate - last) < 1e-9, name, "ends at", rate)
        training = glia("inspect", f"schedule-{name}/model.safetensors",
                        "--json").json()["metadata"]["training"]
        expect([training[k] for k in ("schedule", "lr_end", "lr_factor", "lr_every")] ==
               [name, end, factor, every], name, training)
    words = ["train", "bars", "--epochs", 4, "-q", "-o", "s.safetensors", "--schedule", "step"]
    glia(*words, "--lr-factor", 0.5, "--lr-every", 3, "--run", "schedule-given")
    settings = json.loads(read("schedule-given/run.json"))["settings"]
    expect([settings[k] for k in ("schedule", "lr_factor", "lr_every")] == ["step", 0.5, 3],
           settings)
    training = glia("inspect", "s.safetensors", "--json").json()["metadata"]["training"]
    expect((training["lr_factor"], training["lr_every"]) == (0.5, 3), training)


@test("divergence: status 1, the cause, and the old model untouched")
def _():
    glia("train", "bars", "--epochs", 1, "-o", "d.safetensors", "-q")
    before = read("d.safetensors")
    args = ["train", "bars", "--lr", "1e300", "--epochs", 50, "-o", "d.safetensors"]
    result = glia(*args, code=1)
    expect("learning rate" in result.err and "nothing is saved" in result.err, result.err)
    expect(result.out == "" and read("d.safetensors") == before)
    o = glia(*args, "--json", code=1).json()
    expect(o["stopped"] == "diverged" and o["model"] is None and o["test_accuracy"] is None, o)
    expect(read("d.safetensors") == before)


@test("divergence on real images with --lr 1e6")
def _():
    result = glia("train", "bars", "--lr", "1e6", "--hidden", "64,64,64", "--epochs", 50, "-o",
                  "d2.safetensors", code=None)
    expect(result.code in (0, 1), result.code)
    if result.code == 1:
        expect("learning rate" in result.err, result.err)
        saved = "is saved" in result.err and "nothing" not in result.err
        expect(os.path.exists(path("d2.safetensors")) == saved, result.err)


@test("a file name that is not UTF-8 is written, and the JSON stays UTF-8")
def _():
    done = subprocess.run([PROGRAM, "train", "bars", "--epochs", "1", "--json", "-o",
                           b"\xff\x1b.safetensors"], cwd=HERE, env=ENV, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=TIMEOUT)
    expect(done.returncode == 0, done)
    expect(json.loads(done.stdout.decode())["model"] == "??.safetensors", done.stdout)
    expect(os.path.exists(os.fsencode(HERE) + b"/\xff\x1b.safetensors"))


# ---- Recipes -------------------------------------------------------------------------------------

def printed(*args):
    """The words of the command that --print shows, without "glia"."""
    command, *more = args
    text = glia(command, "--print", *more).out
    o = glia(command, "--print", "--json", *more).json()
    expect(set(o) == {"recipe", "command"}, o)
    expect(text == o["recipe"] + "# as a command: " + o["command"] + "\n", text, o)
    expect(all(re.match("(--|#)", line) for line in text.splitlines()), text)
    words = shlex.split(o["command"])
    expect(words[0] == "glia", words)
    return words[1:]


def options_in(words):
    """Each option's value, in a command that has all as two words."""
    values = {word: words[i + 1] for i, word in enumerate(words) if word.startswith("--")}
    expect(len(values) == sum(word.startswith("--") for word in words), "given twice:", words)
    return values


@test("a recipe is the same as its options typed, to the byte")
def _():
    typed = printed("train", "bars", "--recipe", "fast", "--seed", 5)
    expect("--recipe" not in typed and "--print" not in typed, typed)
    glia("train", "bars", "--recipe", "fast", "--seed", 5, "-o", "r1.safetensors", "-q")
    glia(*typed, "-o", "r2.safetensors", "-q")
    expect(read("r1.safetensors") == read("r2.safetensors"))
    glia("train", "bars", "--seed", 5, "-o", "r2.safetensors", "-q")
    expect(read("r1.safetensors") != read("r2.safetensors"), "the recipe sets nothing")


@test("every option overrides the recipe, before it and after it")
def _():
    recipe = options_in(printed("train", "--recipe", "fast"))
    expect(options_in(printed("train", "--recipe", "plain"))["--hidden"] == "800")
    own = {"--hidden": "7", "--activation": "tanh", "--init": "he-uniform", "--lr": "0.125",
           "--warmup": "0.5", "--lr-end": "constant", "--batch": "10", "--epochs": "2"}
    expect(set(recipe) <= set(own), "untested:", set(recipe) - set(own))
    keys = {"--lr": "lr", "--warmup": "warmup", "--lr-end": "lr_end", "--batch": "batch",
            "--epochs": "epochs"}
    for option, value in own.items():
        expect(recipe.get(option) != value, "choose another value:", option)
        for words in ([option, value, "--recipe", "fast"], ["--recipe=fast", option, value]):
            expect(options_in(printed("train", *words)) == {**recipe, option: value}, words)
            glia("train", "bars", *words, "-o", "r.safetensors", "-q")
            o = glia("inspect", "r.safetensors", "--json").json()
            metadata, layer = o["metadata"], o["layers"][0]
            found = {"--hidden": layer["units"], "--activation": layer["activation"],
                     "--init": metadata["initialisation"]["method"],
                     **{k: metadata["training"][keys[k]] for k in keys}}
            for name, text in {**recipe, option: value}.items():
                shown = found[name]
                same = (text == "constant" if shown is None else
                        shown == text if isinstance(shown, str) else shown == float(text))
                expect(same, words, name, "is", shown, "and not", text)


@test("a recipe that was printed is a recipe, and says how it was changed")
def _():
    words = ["train", "bars", "--recipe", "fast", "--epochs", 2, "--lr=0.5", "--threads", 1, "-q"]
    text = glia(*words, "--print").out
    expect(text.startswith("# fast, changed: --epochs 2 --lr 0.5 --threads 1\n#\n# 98 %"), text)
    expect("\n--init glorot-normal\n--lr 0.5\n--warmup" in text and "\n--quiet" not in text, text)
    write("my.recipe", text.encode())
    glia(*words, "-o", "r1.safetensors")
    for name in ("my.recipe", "./my.recipe", path("my.recipe")):
        glia("train", "bars", "--recipe", name, "-o", "r2.safetensors", "-q")
        expect(read("r1.safetensors") == read("r2.safetensors"), name)
    again = glia("train", "bars", "--recipe", "my.recipe", "-q", "--print").out
    expect(again.splitlines()[:-1] == text.splitlines()[:-1], again)
    more = glia("train", "--lr", 0.25, "--recipe", "my.recipe", "--print").out
    expect(more.startswith("# my.recipe, changed: --lr 0.25\n#\n# fast, changed: --epochs 2") and
           more.count("\n--lr 0.25\n") == 1 and "\n--lr 0.5\n" not in more, more)
    write("-odd\nname", b"--lr 1")
    text = glia("train", "--recipe=./-odd\nname", "--seed", 3, "--print").out
    expect(text == "# ./-odd?name, changed: --seed 3\n--lr 1\n--seed 3\n"
           "# as a command: glia train --lr 1 --seed 3\n", text)


@test("recipe files: what may be in them")
def _():
    write("free.recipe", b"\xef\xbb\xbf# \xc3\xa9\r\n\r\n\t--lr=0.5\r\n  --hidden   12,7  \n#x\n"
          b"--fresh\n--lr-end\tconstant")
    expect(printed("train", "--recipe", "free.recipe") ==
           shlex.split("train --lr 0.5 --hidden 12,7 --fresh --lr-end constant"))
    expect(glia("train", "--recipe", "free.recipe", "--print").out.startswith("# \xe9\n--lr 0.5\n"))
    write("plain", b"--lr 0.5\n")  # a built-in name is the built-in recipe
    expect(options_in(printed("train", "--recipe", "plain"))["--hidden"] == "800")
    expect(options_in(printed("train", "--recipe", "./plain")) == {"--lr": "0.5"})
    write("empty.recipe", b"")
    expect(printed("train", "--recipe", "empty.recipe") == ["train"])
    write("long.recipe", b"#" * 65529 + b"\n--lr 1")
    expect(printed("train", "--recipe", "long.recipe") == ["train", "--lr", "1"])
    with subprocess.Popen(["sh", "-c", f"echo --lr 0.5 | {PROGRAM} train --recipe /dev/stdin --print"],
                          cwd=HERE, env=ENV, stdout=subprocess.PIPE) as piped:
        expect(piped.communicate()[0].startswith(b"--lr 0.5\n"), "from a pipe")


@test("recipe files: what is wrong in them is named with its line")
def _():
    for text, *patterns in (
            (b"--lr 1\n\n--frob 3\n", r"w\.recipe: line 3: there is no option --frob;"),
            (b"--epoch 3", "line 1: there is no option --epoch; did you mean --epochs"),
            (b"# x\n--lr nan\n", r'line 2: --lr: found "nan", expected a number above 0'),
            (b"--activation rule\n", 'line 1: --activation: found "rule"', "did you mean relu"),
            (b"--lr 1\n--lr 2\n", "line 2: --lr is there twice"),
            (b"--lr\n", "line 1: --lr needs a value: a number above 0"),
            (b"--lr=\n", "line 1: --lr needs a value"),
            (b"--fresh yes\n", 'line 1: --fresh takes no value, found "yes"'),
            (b"--lr 1 --seed 2\n", 'line 1: --lr: found "1 --seed 2"'),
            (b"--lr 1 # high\n", 'line 1: --lr: found "1 # high"'),
            (b"lr 1\n", 'line 1: found "lr 1", expected an option as on the command line'),
            (b"-q\n", 'line 1: found "-q", expected an option'),
            (b"bars\n", 'line 1: found "bars"'),
            (b"--\n", "line 1: there is no option --;"),
            (b"--output x\n", "line 1: found --output, expected an option that says how to train"),
            (b"--seeds 3\n", "line 1: found --seeds"), (b"--run x\n", "line 1: found --run"), (b"--json\n", "line 1: found --json"),
            (b"--quiet\n", "line 1: found --quiet"), (b"--help\n", "line 1: found --help"),
            (b"--print\n", "line 1: found --print"), (b"--plot\n", "line 1: found --plot"),
            (b"--recipe fast\n", "line 1: found --recipe"),
            (b"--data-dir /x\n", "line 1: found --data-dir"),
            (b"--lr 1\n--ba\0tch 3", "line 2: found the byte 0x00, expected a recipe"),
            (b"#\n#\n# \xff\n", "line 3: found the byte 0xFF", "UTF-8"),
            (b"# \xe2\x82", "line 1: found the byte 0xE2"),
            (b"# \x1b[2J\n", "line 1: found the byte 0x1B"),
            (b"#" * 65537, "more than 65536 bytes")):
        write("w.recipe", text)
        r = glia("train", "bars", "--recipe", "w.recipe", "-o", "never.safetensors", code=2)
        for pattern in patterns:
            expect(re.search(pattern, r.err), text[:50], "gives", r.err)
        expect(r.out == "" and r.err.count("\n") == 1, r.err)
    expect(not os.path.exists(path("never.safetensors")))


@test("--print: one command for a shell, which means the same when it is read again")
def _():
    for args in (["bars"], [], ["--lr", "3", "--lr", "0.5"], ["a b", "-o", "it's $HOME"],
                 ["-q", "--fresh", "-o", "-x", "--", "--bars"], ["--output=--lr=2", "bars"],
                 ["--recipe", "fast", "bars", "--hidden", "none"], ["", "--offline"]):
        words = printed("train", *args)
        expect(words[0] == "train" and printed(*words) == words, args, words)
    expect(printed("train", "--lr", "3", "bars", "--lr", "0.5", "-q") ==
           ["train", "bars", "--lr", "0.5", "--quiet"])
    expect(printed("train", "-o", "-x", "--", "--bars") ==
           ["train", "--output=-x", "--", "--bars"])


@test("the recipes are listed in the help and in the manual page")
def _():
    help_text = glia("train", "--help").out
    recipes = help_text[help_text.index("\nRecipes:\n"):help_text.index("\nExamples:\n")]
    names = re.findall(r"^  (\S+)  +\S", recipes, re.M)
    files = {os.path.splitext(name)[0]: name for name in os.listdir("recipes")}
    expect(set(names) == set(files), names, files)
    for name, file in files.items():
        with open("recipes/" + file, encoding="ascii") as lines:
            text = lines.read()
        expect(glia("train", "--recipe", name, "--print", "--json").json()["recipe"] == text, name)
        expect(text.splitlines()[0][2:] in " ".join(recipes.split()), name, recipes)
    page = glia("help", "--man", "train").out.replace("\\-", "-")
    for name in names:
        expect(printed("train", "--recipe", name)[1:], name)
        expect(f"\n.B {name}\n" in page[page.index(".SS Recipes"):], name)
    expect("Recipes" not in glia("eval", "--help").out)


# ---- Signals -------------------------------------------------------------------------------------

def start_long(*more):
    """A training that would take days, once its first epoch is over."""
    def reset():  # a shell's background job ignores SIGINT, and hands that down
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    process = start("train", "bars", "--epochs", "100000000", "-o", "long.safetensors", *more,
                    preexec_fn=reset)
    read_until(process.stderr.fileno(), lambda seen: seen.count(b"\n") >= 6, process, "an epoch")
    return process


for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    @test(f"{number.name} ends the step, saves, and exits with 130")
    def _(number=number):
        with contextlib.suppress(FileNotFoundError):
            os.remove(path("long.safetensors"))
        process = start_long("--json")
        process.send_signal(number)
        out, err = process.communicate(timeout=TIMEOUT)
        expect(process.returncode == 130, process.returncode, err[-300:])
        expect(b"saved" in err, err[-300:])
        o = Result(130, out.decode(), "").json()
        expect(o["stopped"] == "cancelled" and o["model"] == "long.safetensors", o)
        expect(o["epochs"] >= 1 and o["test_accuracy"] is None, o)
        glia("inspect", "long.safetensors")
        glia("eval", "long.safetensors", "bars")


@test("an interrupted training with a validation set says once which epoch is saved")
def _():
    process = start_long("--validation", "30", "--min-delta", "10")
    process.send_signal(signal.SIGINT)
    out, err = (text.decode() for text in process.communicate(timeout=TIMEOUT))
    expect(process.returncode == 130 and "kept" not in out, out)
    expect(len(re.findall(r"interrupted; the network of epoch \d+, the best so far, is saved",
                          err)) == 1, err[-300:])
    metadata = glia("inspect", "long.safetensors", "--json").json()["metadata"]
    expect(metadata["training"]["best_epoch"] == 1 and "epoch 1," in err, metadata, err[-300:])


@test("a file that may not grow further is an error, not a signal")
def _():
    before = set(os.listdir(HERE))
    done = subprocess.run(
        [PROGRAM, "train", "bars", "--epochs", "1", "-o", "limit.safetensors"], cwd=HERE, env=ENV,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=TIMEOUT,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (512, 512)))
    expect(done.returncode == 1 and b"limit.safetensors" in done.stderr, done)
    expect(set(os.listdir(HERE)) == before, set(os.listdir(HERE)) - before)


@test("an interrupted training leaves no temporary file")
def _():
    before = set(os.listdir(HERE)) | {"long.safetensors"}
    process = start_long()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=TIMEOUT)
    expect(set(os.listdir(HERE)) == before, set(os.listdir(HERE)) - before)


# ---- The terminal --------------------------------------------------------------------------------

@test("on a terminal there is a bar; not with NO_COLOR, on a dumb terminal, or in a pipe")
def _():
    args = ["train", "bars", "--epochs", "30", "--hidden", "64", "--batch", "1", "-o",
            "t.safetensors"]
    seen = on_terminal(*args)
    expect("\x1b[" in seen and "━" in seen and "left" in seen, seen[:500])
    lines = [re.sub(r"\x1b\[[0-9;]*[mK]", "", line.split("\r")[-1]) for line in
             seen.replace("\r\n", "\n").split("\n")]
    expect(sum(bool(re.match(r" +\d+ +\d\.\d{4} ", line)) for line in lines) == 30, lines)
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        plain = on_terminal(*args, env=env)
        expect("\x1b" not in plain and "━" not in plain, env, plain[:300])
    piped = glia(*args)
    expect("\x1b" not in piped.out + piped.err and "\r" not in piped.err)
    expect("\x1b[" in on_terminal(*args, env={"NO_COLOR": ""}))


def plain_lines(seen):
    """What stays on the screen, without colours."""
    return [re.sub(r"\x1b\[[0-9;]*[mK]", "", line.split("\r")[-1])
            for line in seen.replace("\r\n", "\n").split("\n")]


@test("tables fit the terminal: the least important columns give way")
def _():
    def lines(columns, *args):
        return plain_lines(on_terminal(*args, columns=columns, all_there=True))

    for columns, headings in (
            (120, "epoch loss accuracy validation accuracy samples/s time"),
            (60, "epoch loss accuracy validation accuracy"), (40, "epoch loss validation accuracy")):
        seen = lines(columns, "train", "bars", "--epochs", "2", "--validation", "30", "-o",
                     "w.safetensors")
        at = [i for i, line in enumerate(seen) if line.split() == headings.split()]
        expect(len(at) == 1, columns, seen)
        for line in seen[at[0]:at[0] + 3]:
            expect(len(line) <= columns and line.strip(), columns, line)
    for columns, headings in ((80, "class precision recall F1 samples"),
                              (40, "class precision recall samples"),
                              (30, "class precision recall")):
        seen = lines(columns, "eval", "bars.safetensors", "bars")
        expect(headings.split() in [line.split() for line in seen], columns, seen)
    for columns, shown in ((40, True), (12, False)):
        text = "\n".join(lines(columns, "eval", "bars.safetensors", "bars"))
        expect(("Confusion: rows" in text) == shown, columns, text)
        expect(("The confusion matrix needs" in text) != shown, columns, text)
    seen = lines(40, "data", "list")
    expect(all(len(line) <= 40 for line in seen) and len(seen) > 7, seen)
    seen = lines(40, "inspect", "bars.safetensors")
    expect("layer units activation parameters".split() in [line.split() for line in seen], seen)


# ---- Curves --------------------------------------------------------------------------------------

PLOT = ["train", "bars", "--epochs", "30", "--hidden", "64", "--batch", "1", "--plot", "-o",
        "p.safetensors"]


def screen_after(seen):
    """The lines, scrolled out of sight or not, after what a terminal was sent, without colours."""
    lines, row, column = [""], 0, 0
    for piece in re.findall(r"\x1b\[[0-9;]*[A-Za-z]|[\r\n]|[^\x1b\r\n]+|.", seen, re.DOTALL):
        if piece == "\r":
            column = 0
        elif piece == "\n":
            row += 1
            lines += [""] * (row == len(lines))
        elif piece.endswith("m") and piece[0] == "\x1b":
            pass
        elif piece == "\x1b[K":
            lines[row] = lines[row][:column]
        elif piece == "\x1b[J":
            del lines[row + 1:]
            lines[row] = lines[row][:column]
        elif re.fullmatch(r"\x1b\[\d+A", piece):
            row -= int(piece[2:-1])
            expect(row >= 0, "above the first line")
        else:
            expect(piece[0] >= " ", repr(piece))
            lines[row] = (lines[row][:column].ljust(column) + piece
                          + lines[row][column + len(piece):])
            column += len(piece)
    return lines


def is_epoch(line):
    return re.match(r" +\d+ +\d\.\d{4} ", line) is not None


def check_plot(lines, columns, panels=2, height=12, axis="└─"):
    """One plot, below the epochs' lines."""
    last = max(i for i, line in enumerate(lines) if is_epoch(line))
    expect(sum(map(is_epoch, lines)) == 30, lines)
    expect([int(line.split()[0]) for line in lines if is_epoch(line)] == list(range(1, 31)), lines)
    plot = lines[last + 1:last + 1 + height]
    expect(len(plot) == height and plot[0] == "", plot)
    expect(plot[1].split()[0].strip(":") == "loss" and ("accuracy" in plot[1]) == (panels == 2), plot)
    expect("\n".join(lines).count(axis) == panels == plot[-2].count(axis), plot)
    expect(plot[-1].split() == ["0", "30", "epochs"] * panels, plot)
    expect(all(re.match(r" *\d+\.\d{4} ", plot[i]) for i in (2, height - 3)), plot)
    expect(all(len(line) < columns for line in plot), plot)
    rest = lines[last + 1 + height:]
    expect(rest == ["", ""], rest)
    return "\n".join(plot)


@test("--plot: curves are redrawn in place below the epochs, and left standing")
def _():
    for columns, rows, panels, height in ((80, 24, 2, 12), (200, 50, 2, 12), (60, 24, 1, 12),
                                          (100, 10, 2, 8)):
        seen = on_terminal(*PLOT, columns=columns, rows=rows)
        expect(seen.count(f"\x1b[{height}A") >= 1, "drawn once", columns)
        plot = check_plot(screen_after(seen), columns, panels, height)
        expect(re.search("[\u2801-\u28ff]", plot), plot)
    seen = on_terminal(*PLOT, columns=80, rows=7)  # too low
    expect("└" not in seen and sum(map(is_epoch, screen_after(seen))) == 30, seen)


@test("--plot with a validation set has its curve and says so")
def _():
    plot = check_plot(screen_after(on_terminal(*PLOT, "--validation", "30", columns=80)), 80)
    expect("loss: ⠒ training, ⠂ validation" in plot, plot)
    expect("validation" not in check_plot(screen_after(on_terminal(*PLOT)), 80))


@test("--plot without a rich terminal: one plot at the end, without an escape")
def _():
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        seen = on_terminal(*PLOT, env=env)
        expect("\x1b" not in seen, repr(seen))
        check_plot(screen_after(seen), 80)
    piped = glia(*PLOT)
    expect("\x1b" not in piped.err + piped.out and "\r" not in piped.err, repr(piped.err))
    check_plot(piped.err.split("\n"), 80)
    expect("└" not in piped.out, piped.out)
    plain = glia(*PLOT, env={"LC_ALL": "C"}).err
    expect(plain.isascii(), plain)
    check_plot(plain.split("\n"), 80, axis="+--")


@test("a warning has a line of its own beside the bar and the plot")
def _():
    for args in ([], ["--plot"]):
        lines = screen_after(on_terminal(*DEAD, "--epochs", "40", *args, columns=300))
        warnings = [line for line in lines if "warning" in line]
        expect(len(warnings) == 1 and warnings[0].startswith("glia: warning: hidden layer"), lines)
        expect(warnings[0].rstrip().endswith("warm up") and 
               sum(bool(re.match(r" +\d+ +\d+\.\d{4} ", line)) for line in lines) == 40, lines)


@test("--plot: nothing with --quiet, or where nothing was learned")
def _():
    expect(glia(*PLOT, "--quiet").err == "")
    expect(on_terminal(*PLOT, "--quiet") == "")
    expect("└" not in glia(*PLOT, "--epochs", "0").err)
    glia(*PLOT, "--json").json()


@test("--plot: an interrupted training leaves its curves")
def _():
    process = start_long("--plot")
    process.send_signal(signal.SIGINT)
    err = process.communicate(timeout=TIMEOUT)[1].decode()
    expect(process.returncode == 130 and err.count("└") == 2, err[-3000:])
    expect(err.index("└") < err.index("interrupted; the network is saved"), err[-3000:])


@test("in a pipe no table is cut")
def _():
    for args in (["eval", "bars.safetensors", "bars"], ["data", "list"],
                 ["train", "bars", "--epochs", "1", "--validation", "30", "-o", "w.safetensors"]):
        result = glia(*args, env={"COLUMNS": "20"})
        if args[0] == "eval":
            expect("F1   samples" in result.out and "Confusion: rows" in result.out, result.out)
        elif args[0] == "train":
            expect("accuracy   samples/s       time" in result.err, result.err)
        else:
            expect(len(result.out.split("\n")) == 7, result.out)


@test("names of files and folders cannot steer the terminal")
def _():
    evil = "e\x1b[31mred\x07"
    shutil.copytree(path("bars"), path(evil))
    text = ""
    for args in (["train", evil, "--epochs", "1"], ["train", evil, "--epochs", "0", "--offline"],
                 ["eval", "bars.safetensors", evil], ["eval", evil + ".safetensors", "bars"],
                 ["inspect", evil + ".safetensors"], ["data", "show", evil],
                 ["predict", "bars.safetensors", evil + ":0"],
                 ["predict", evil + ".safetensors", evil + ":0", evil],
                 ["train", evil, "--data-seed", "2"], ["train", evil, evil], [evil],
                 ["train", "bars", "--" + evil], ["train", "bars", "--lr", evil],
                 ["data", "fetch", evil], ["data", "list", "--data-dir", evil],
                 *([["data", "export", evil, "--count", "1", "-o", evil + "/out"]]
                   if has_feature("png") else [])):
        result = glia(*args, code=None)
        expect("\x1b" not in result.out + result.err, args, repr(result.out + result.err))
        expect("\x07" not in result.out + result.err, args, repr(result.out + result.err))
        text += result.out + result.err
    expect(text.count("e?[31mred?") >= 12, text)


@test("nothing has an escape in a pipe")
def _():
    for args in (["eval", "bars.safetensors", "bars"], ["inspect", "bars.safetensors"],
                 ["predict", "bars.safetensors", "bars:0", "--show"],
                 ["data", "show", "bars"], ["data", "list"]):
        result = glia(*args)
        expect("\x1b" not in result.out + result.err, args)
        expect(result.err == "", result.err)


@test("names in a model cannot steer the terminal")
def _():
    model = read("bars.safetensors")
    length = struct.unpack("<Q", model[:8])[0]
    header = json.loads(model[8:8 + length])
    for key, value in header["__metadata__"].items():
        with contextlib.suppress(ValueError):
            inner = json.loads(value)
            if isinstance(inner, dict) and "classes" in inner:
                inner["classes"][0] = "a\x1b[31mb\x07"
                header["__metadata__"][key] = json.dumps(inner)
            elif key == "classes":
                inner[0] = "a\x1b[31mb\x07"
                header["__metadata__"][key] = json.dumps(inner)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    write("evil.safetensors", struct.pack("<Q", len(text)) + text + model[8 + length:])
    for args in (["inspect"], ["eval", "bars"], ["predict", "bars:0-2"]):
        result = glia(args[0], "evil.safetensors", *args[1:], code=None)
        expect(result.code in (0, 1), args, result.code, result.err)
        expect("\x1b" not in result.out + result.err and "\x07" not in result.out, args)


# ---- eval ----------------------------------------------------------------------------------------

@test("eval --json: the figures follow from the confusion matrix")
def _():
    glia("train", "bars", "--hidden", "none", "--epochs", 2, "--lr", 0.02, "-o", "weak.safetensors",
         "-q")
    for split, samples in (("test", 90), ("train", 300)):
        o = glia("eval", "weak.safetensors", "bars", "--split", split, "--json").json()
        expect(o["samples"] == samples and o["classes"] == ["0", "1", "2"], o)
        confusion = o["confusion"]
        expect(sum(map(sum, confusion)) == samples)
        p = sum(confusion[k][k] for k in range(3)) / samples
        expect(0 < p < 1, "the model is to be a bad one:", confusion)
        expect(abs(o["accuracy"] - p) < 1e-8, o["accuracy"], p)
        expect(abs(o["standard_error"] - math.sqrt(p * (1 - p) / samples)) < 1e-8)
        expect(o["loss"] >= 0)
        for k, score in enumerate(o["per_class"]):
            predicted = sum(row[k] for row in confusion)
            support = sum(confusion[k])
            expect(score["class"] == str(k) and score["support"] == support == samples // 3)
            expect(abs(score["recall"] - confusion[k][k] / support) < 1e-8)
            expect(abs(score["precision"] - confusion[k][k] / predicted) < 1e-8)
            expect(abs(score["f1"] - 2 * confusion[k][k] / (support + predicted)) < 1e-8)


@test("eval and train agree on the test split")
def _():
    trained = glia("train", "bars", "--epochs", 2, "-o", "e.safetensors", "--json").json()
    scored = glia("eval", "e.safetensors", "bars", "--json").json()
    expect(trained["test_accuracy"] == scored["accuracy"])
    expect(trained["test_loss"] == scored["loss"])
    expect(trained["test_standard_error"] == scored["standard_error"])


@test("eval for people: accuracy with its error, matrix, classes; many classes too")
def _():
    text = glia("eval", "bars.safetensors", "bars").out
    expect(re.search(r"accuracy +\d+\.\d\d (± \d\.\d\d )?%", text), text)
    for word in ("loss", "precision", "recall", "F1", "Confusion"):
        expect(word in text, word)
    expect(len(re.findall(r"^[012] +[\d.]+ +[\d.]+ +[\d.]+$", text, re.M)) == 3, text)
    glia("train", "many", "--epochs", 1, "-o", "many.safetensors", "-q")
    text = glia("eval", "many.safetensors", "many").out
    expect("40 classes" in text and "precision" in text)
    o = glia("eval", "many.safetensors", "many", "--json").json()
    expect(len(o["confusion"]) == 40 and len(o["confusion"][0]) == 40)
    expect(any(score["precision"] is None for score in o["per_class"]))


@test("classes that neither occur nor are predicted are left out of the tables")
def _():
    write("gaps.arff", arff(["a", "b", "c", *(f"d{k}" for k in range(198))], 30, used=3))
    glia("train", "gaps.arff", "--test", "none", "-o", "gaps.safetensors", "-q")
    text = glia("eval", "gaps.safetensors", "gaps.arff").out
    expect("198 of 201 classes are left out" in text and "Confusion" in text, text)
    rows = re.findall(r"^(\w) +[\d.]+ % +[\d.]+ % +[\d.]+ % +10$", text, re.M)
    expect(rows == ["a", "b", "c"] and text.count("\n") < 24, text)
    expect(len(glia("eval", "gaps.safetensors", "gaps.arff", "--json").json()["per_class"]) == 201)
    expect("left out" not in glia("eval", "bars.safetensors", "bars").out)


# ---- predict -------------------------------------------------------------------------------------

@test("predict --json: images and rows, fractions in the order of the classes")
def _():
    o = glia("predict", "bars.safetensors", "lying.pgm", "bars:0-2", "bars:89", "--json").json()
    p = o["predictions"]
    expect([x["input"] for x in p] == ["lying.pgm", "bars:0", "bars:1", "bars:2", "bars:89"], p)
    for x in p:
        expect(len(x["probabilities"]) == 3 and abs(sum(x["probabilities"]) - 1) < 1e-5)
        expect(x["probability"] == max(x["probabilities"]))
        expect(x["class"] == str(x["probabilities"].index(x["probability"])))
    expect(p[0]["class"] == "0" and p[0]["changed"] is False and "label" not in p[0], p[0])
    expect([x["label"] for x in p[1:]] == ["0", "1", "2", "2"])


@test("predict for people")
def _():
    text = glia("predict", "bars.safetensors", "lying.pgm", "bars:1", "--top", 2).out
    lines = text.split("\n")
    expect(re.match(r"lying\.pgm +0 +\d+\.\d\d % +[12] +\d+\.\d\d %$", lines[0]), lines[0])
    expect(re.match(r"bars:1 +1 ", lines[1]) and len(lines) == 3, text)
    shown = glia("predict", "bars.safetensors", "lying.pgm", "--show").out
    expect(shown.count("\n") == 1 + SIDE // 2 and re.search("[%@#*+=-]{8}", shown), shown)


@test("an image of another size is brought into form, and this is said")
def _():
    big = bytearray(b"\xff" * (40 * 30))
    for column in range(40):
        for row in (12, 13, 14, 15):
            big[row * 40 + column] = 0
    write("big.pgm", pgm(40, 30, bytes(big)))
    expect("form" in glia("predict", "bars.safetensors", "big.pgm").out)
    o = glia("predict", "bars.safetensors", "big.pgm", "--json").json()
    expect(o["predictions"][0]["changed"] is True)


@test("a bad input is named and does not keep the others from being predicted")
def _():
    write("blank.pgm", pgm(40, 30, bytes(40 * 30)))
    inputs = ["none.png", "lying.pgm", "blank.pgm", "nowhere:0", "bars:3"]
    result = glia("predict", "bars.safetensors", *inputs, code=1)
    expect([line.split()[0] for line in result.out.splitlines()] == ["lying.pgm", "bars:3"],
           result.out)
    messages = result.err.splitlines()
    expect(len(messages) == 3, messages)
    for message, name in zip(messages, ("none.png: ", "blank.pgm: ", "nowhere: ")):
        expect(message.startswith("glia: " + name), message)
    o = glia("predict", "bars.safetensors", *inputs, "--json", code=1).json()
    expect([p["input"] for p in o["predictions"]] == ["lying.pgm", "bars:3"], o)
    result = glia("predict", "bars.safetensors", "none.png", "blank.pgm", "--json", code=1)
    expect(result.out == "" and result.err.count("\n") == 2, result.out, result.err)
    o = glia("predict", "bars.safetensors", "bars:90", "bars:0", "--json", code=2).json()
    expect([p["input"] for p in o["predictions"]] == ["bars:0"], o)


@test("a file is a file, even when its name looks like a row")
def _():
    write("bars:1", pgm(SIDE, SIDE, picture(0, random.Random(5))))
    try:
        p = glia("predict", "bars.safetensors", "bars:1", "--json").json()["predictions"][0]
    finally:
        os.remove(path("bars:1"))
    expect("label" not in p and p["class"] == "0", p)


# ---- inspect and data ----------------------------------------------------------------------------

@test("inspect: layers, parameters, bytes, metadata")
def _():
    o = glia("inspect", "bars.safetensors", "--json").json()
    expect(o["bytes"] == os.path.getsize(path("bars.safetensors")))
    expect(o["parameters"] == 65 * 16 + 17 * 3 == sum(x["parameters"] for x in o["layers"]), o)
    expect([(x["inputs"], x["units"], x["activation"]) for x in o["layers"]] ==
           [(64, 16, "relu"), (16, 3, "softmax")])
    expect(isinstance(o["metadata"], dict) and o["metadata"]["classes"] == ["0", "1", "2"])
    text = glia("inspect", "bars.safetensors").out
    for word in ("1,091", "relu", "softmax", "0, 1, 2", "epochs", "0.1.0"):
        expect(word in text, word, text)


@test("inspect: normalised layers, and what is not left at nothing")
def _():
    glia("train", "bars", "--hidden", "5", "--batch-norm", "--optimizer", "adamw", "--dropout",
         "0.25", "--class-weights", "1,2.5,1", "--epochs", "1", "-o", "norm.safetensors")
    o = glia("inspect", "norm.safetensors", "--json").json()
    expect([x["batch_norm"] for x in o["layers"]] == [True, False], o["layers"])
    expect(o["parameters"] == 66 * 5 + 6 * 3 == sum(x["parameters"] for x in o["layers"]), o)
    training = o["metadata"]["training"]
    expect(training["optimizer"] == "adamw" and training["momentum"] == 0.9 and
           training["weight_decay"] == 0.01 and training["dropout"] == 0.25 and
           training["class_weights"] == [1, 2.5, 1] and "l2" not in training, training)
    text = glia("inspect", "norm.safetensors").out
    for word in ("batch norm, relu", "348", "adamw", "weight decay", "1, 2.5, 1"):
        expect(word in text, word, text)


@test("inspect: augmentation, deskewing and centring; run.json has them too")
def _():
    glia("train", "bars", "--hidden", "5", "--deskew", "--centre", "--shift", "2", "--elastic", "9",
         "--epochs", "1", "-o", "straight.safetensors", "--run", "straight")
    o = glia("inspect", "straight.safetensors", "--json").json()["metadata"]
    expect(o["preprocessing"]["deskew"] is True and o["preprocessing"]["centre"] is True, o)
    text = glia("inspect", "straight.safetensors").out
    for line in (r"deskew +yes", r"centre +yes",
                 r"augmentation +shift 2, elastic alpha 9, elastic sigma 4"):
        expect(re.search(line, text), line, text)
    settings = json.loads(read("straight/run.json"))["settings"]
    expect(settings["deskew"] and settings["centre"] and settings["shift"] == 2 and
           settings["elastic_alpha"] == 9 and settings["elastic_sigma"] == 4 and
           settings["rotation"] == 0, settings)
    o = glia("inspect", "bars.safetensors", "--json").json()["metadata"]["preprocessing"]
    expect("deskew" not in o and "centre" not in o, o)
    glia("train", "bars", "--hidden", "5", "--shift", "2", "--elastic", "9", "--epochs", "1", "-o",
         "skewed.safetensors")
    p = [glia("predict", name, "bars:0-9", "--json").json()["predictions"][0]["probabilities"]
         for name in ("straight.safetensors", "skewed.safetensors")]
    expect(p[0] != p[1])


@test("data list")
def _():
    sets = {d["name"]: d for d in glia("data", "list", "--json").json()["datasets"]}
    expect({"digits", "mnist", "fashion-mnist"} <= set(sets), sets)
    expect(sets["digits"]["built_in"] and sets["digits"]["present"])
    expect(not sets["mnist"]["present"] and sets["mnist"]["path"] is None)
    text = glia("data", "list").out
    expect("built in" in text and "not on this machine" in text, text)


@test("data show draws the samples")
def _():
    text = glia("data", "show", "bars", "--first", 3, "--count", 2, "--split", "test").out
    expect(text.startswith("3: 0      4: 1\n"), repr(text[:40]))
    expect(len(text.split("\n")) == 1 + SIDE // 2 + 1, text)
    o = glia("data", "show", "bars", "--json").json()
    expect(len(o["samples"]) == 10)
    o = glia("data", "show", "bars", "--first", 298, "--json").json()
    expect([s["index"] for s in o["samples"]] == [298, 299] and o["height"] == SIDE)
    expect(all(len(s["pixels"]) == SIDE * SIDE and max(s["pixels"]) >= 150 for s in o["samples"]))


@test("augmentation: what data show draws, training sees and the model says")
def _():
    def draw(*more):
        o = glia("data", "show", "bars", "--count", 3, "--json", *more).json()
        return [(s["pixels"], s.get("augmented")) for s in o["samples"]]
    plain, shifted = draw(), draw("--shift", 2)
    expect(all(a is None for _, a in plain) and [p for p, _ in plain] == [p for p, _ in shifted])
    expect(all(len(a) == 4 and p not in a and a[0] != a[1] for p, a in shifted))
    expect(draw("--shift", 2) == shifted and draw("--shift", 2, "--seed", 2) != shifted)
    expect([len(a) for _, a in draw("--augment", "--epochs", 6)] == [6, 6, 6])
    expect(draw("--augment") == draw("--augment", "--elastic-sigma", 4) != draw("--augment",
                                                                                "--elastic", 0))
    text = glia("data", "show", "bars", "--augment", "--count", 2, "--epochs", 1).out
    expect(text.startswith("0: 0        epoch 1") and "1: 1" in text, text)

    usual = {"shift": 1.5, "rotation": 11.5, "scale": 0.15, "shear": 0.2, "elastic_alpha": 25,
             "elastic_sigma": 4}
    none = dict.fromkeys(usual, 0)
    models = {}
    for words, expected in (
            ([], None), (["--augment"], usual), (["--augment", "--shift", 3], {**usual, "shift": 3}),
            (["--elastic", 9], {**none, "elastic_alpha": 9, "elastic_sigma": 4}),
            (["--shift", 2, "--augment-fade", 0.5], {**none, "shift": 2, "fade": 0.5, "fade_to": 0}),
            (["--augment", "--augment-fade", 1, "--augment-fade-to", 0.5],
             {**usual, "fade": 1, "fade_to": 0.5}),
            (["--rotate", 7, "--scale", 0.1, "--shear", 0.3],
             {**none, "rotation": 7, "scale": 0.1, "shear": 0.3})):
        glia("train", "bars", "--epochs", 2, "--hidden", 4, "-q", "-o", "augmented.safetensors",
             *words)
        models[str(words)] = read("augmented.safetensors")
        training = glia("inspect", "augmented.safetensors", "--json").json()["metadata"]["training"]
        expect(training.get("augmentation") == expected, words, training)
    expect(len(set(models.values())) == len(models))
    glia("train", "bars", "--epochs", 2, "--hidden", 4, "-q", "-o", "augmented.safetensors",
         "--augment", "--threads", 1)
    expect(read("augmented.safetensors") == models["['--augment']"])


@test("digits: built in, drawn by a seed of their own")
def _():
    def draw(*more):
        o = glia("data", "show", "digits", "--count", 1, "--split", "test", "--json", *more).json()
        return o["samples"][0]["pixels"]
    first = draw()
    expect(len(first) == 784 and max(first) > 200)
    expect(draw() == first and draw("--data-seed", "2") != first)


def has_feature(name):
    return name in glia("--version").out.split()


@test("data export writes images that can be read back")
def _():
    if not has_feature("png"):
        raise Skip("built without libpng")
    o = glia("data", "export", "bars", "--count", 4, "--first", 2, "--split", "test", "-o", "png",
             "--json").json()
    expect(o["files"] == [f"png/bars-test-0000{i}-{i % 3}.png" for i in range(2, 6)], o["files"])
    expect(sorted(os.listdir(path("png"))) == sorted(os.path.basename(f) for f in o["files"]))
    o2 = glia("data", "export", "bars", "--count", 1, "--augment", "--epochs", 2, "-o", "png2",
              "--json").json()
    expect(o2["files"] == ["png2/bars-train-00000-0" + e + ".png" for e in ("", "-epoch1", "-epoch2")])
    read_back = glia("predict", "bars.safetensors", *o["files"], "--json").json()["predictions"]
    rows = glia("predict", "bars.safetensors", "bars:2-5", "--json").json()["predictions"]
    for a, b in zip(read_back, rows):
        expect(a["probabilities"] == b["probabilities"] and a["changed"] is False)


@test("data export writes a folder that trains as the data do, and is read for a model's size")
def _():
    if not has_feature("png"):
        raise Skip("built without libpng")
    os.makedirs(path("again"))
    os.makedirs(path("whole"))
    o = glia("data", "export", "bars", "--format", "folder", "--count", 50, "-o", "again/bars",
             "--json").json()
    expect(len(o["files"]) == 100 and o["files"][0] == "again/bars/train/0/0.png", o["files"][0])
    expect(o["split"] == "both" and os.path.exists(path("again/bars/test/2/47.png")))
    glia("data", "export", "bars", "--format", "folder", "-o", "whole/bars")
    for data, model in (("bars", "of-idx"), ("whole/bars", "of-png")):
        glia("train", data, "--epochs", 2, "--hidden", 8, "-o", model)
    with open(path("of-idx"), "rb") as a, open(path("of-png"), "rb") as b:
        expect(a.read() == b.read(), "the models differ")
    scores = [glia("eval", "of-idx", data, "--json").json()["accuracy"]
              for data in ("bars", "whole/bars")]
    expect(scores[0] == scores[1], scores)
    for split in ("train", "test"):
        n = sum(len(files) for _, _, files in os.walk(path(f"whole/bars/{split}")))
        rows = glia("predict", "of-png", "whole/bars", "--split", split).out.splitlines()
        expect(len(rows) == 1 + n > 1, split, len(rows), n)
    glia("train", "whole/bars", "--image-size", "4x6", "--colour", "rgb", "--epochs", 1,
         "--hidden", 8, "-o", "small")
    o = glia("eval", "small", "whole/bars", "--json").json()
    expect(o["samples"] == glia("eval", "of-idx", "bars", "--json").json()["samples"])
    for command, words in ((["train", "bars", "--image-size", "4x6"], ["folders of images"]),
                           (["train", "again/bars", "--image-size", "0x6"], ["--image-size", "28x28"]),
                           (["data", "export", "bars", "--split", "both"], ["--format folder"]),
                           (["data", "export", "bars", "--format", "folder", "--augment"],
                            ["while training"])):
        result = glia(*command, "-o", "none", code=None)
        expect(result.code != 0 and all(word in result.err for word in words), result.err)


@test("ARFF is a table, which the same rows as CSV predict alike")
def _():
    rows = [(i % 7 / 2, ("it's", "x, y", "50%")[i % 3], "yes" if i % 2 else "no")
            for i in range(60)]
    quoted = {"it's": "'it\\'s'", "x, y": "'x, y'", "50%": "'50%'"}
    head = ("% by hand\n@RELATION r\n@attribute a numeric\n@attribute 'b c' {'it\\'s', 'x, y', '50%'}\n"
            "@attribute class {no, yes}\n@DATA\n")
    with open(path("t.arff"), "w", encoding="utf-8") as out:
        out.write(head + "".join(f"{a}, {quoted[b]}, {c}\n" for a, b, c in rows))
    with open(path("sparse.arff"), "w", encoding="utf-8") as out:
        out.write(head + "".join(f"{{0 {a}, 1 {quoted[b]}, 2 {c}}}\n" for a, b, c in rows))
    with open(path("arff.csv"), "w", encoding="utf-8") as out:
        out.write("class,a,b c\n" + "".join(f'{c},{a},"{b}"\n' for a, b, c in rows))
    expect(glia("data", "check", "t.arff", "--json").json()["rows"] == 60, "rows")
    answers = []
    glia("train", "t.arff", "--epochs", 9, "-q", "-o", "arff-model")
    for name in ("t.arff", "sparse.arff", "arff.csv"):
        lines = glia("predict", "arff-model", name).out.splitlines()
        answers.append([line.split(",")[1:] for line in lines])
    expect(len(answers[0]) == 61 and answers[0] == answers[1] == answers[2], answers)
    with open(path("t.arff"), "rb") as pipe:
        piped = subprocess.run([PROGRAM, "predict", path("arff-model"), "-"], stdin=pipe,
                               capture_output=True, check=True, env=ENV).stdout.decode()
    expect(piped == glia("predict", "arff-model", "t.arff").out, piped)
    named = glia("predict", "arff-model", "t.arff", "--id", "b c").out.splitlines()
    expect(named[0].startswith("b c,prediction") and named[1].startswith("it's,"), named[:2])
    r = glia("predict", "arff-model", "t.arff", "--with-input", code=1)
    expect("--with-input repeats the columns of separated values (CSV, TSV)" in r.err, r.err)
    glia("train", "sparse.arff", "--epochs", 9, "-q", "-o", "arff-model-2")
    with open(path("arff-model"), "rb") as one, open(path("arff-model-2"), "rb") as other:
        expect(one.read()[-64:] == other.read()[-64:], "not the same weights")
    with open(path("bad.arff"), "w", encoding="utf-8") as out:
        out.write(head + "1,'x, y',maybe\n")
    r = glia("train", "bad.arff", code=1)
    expect("line 7, column class" in r.err and "no, yes" in r.err, r.err)


@test("sparse text and archives of NumPy's are data")
def _():
    with open(path("sparse"), "w", encoding="utf-8") as out:
        for i in range(200):
            out.write(f"{'+1' if i % 2 else '-1'} {1 + i % 3}:1 {5 + i % 2}:0.5 # {i}\n")
    with open(path("one-row"), "w", encoding="utf-8") as out:
        out.write("+1 6:0.5\n")
    glia("train", "sparse", "--epochs", 20, "-o", "sparse-model")
    o = glia("eval", "sparse-model", "one-row", "--json").json()
    expect(o["samples"] == 1 and o["accuracy"] == 1, o)
    glia("train", "sparse", "--test", "one-row", "--epochs", 2, "-o", "sparse-model")

    def npy(kind, shape, data):
        header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
        return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data
    pixels = bytes(255 * (i // 9 % 2) for i in range(40 * 9))
    labels = bytes(i % 2 for i in range(40))
    values = struct.pack("<40d", *(i % 2 + i / 100 for i in range(40)))
    for name, y, tests in (("bytes", npy("|u1", "(40,)", labels), True),
                           ("bytes-alone", npy("|u1", "(40,)", labels), False),
                           ("table", npy("<f8", "(40,)", values), True)):
        with zipfile.ZipFile(path(name + ".npz"), "w", zipfile.ZIP_DEFLATED) as out:
            for split in ("_train", "_test") if tests else ("",):
                out.writestr(f"x{split}.npy", npy("|u1", "(40, 3, 3)", pixels))
                out.writestr(f"y{split}.npy", y)
        glia("train", name + ".npz", "--epochs", 20, "-o", "npz-model")
        o = glia("eval", "npz-model", name + ".npz", "--json").json()
        expect(o["samples"] == (40 if tests else 8), o)  # those held out, where there are no others
        if name == "table":
            expect(o["rmse"] < 0.4, o)
        else:
            expect(o["accuracy"] == 1 and o["classes"] == ["0", "1"], o)


@test("a download that is not what it should be leaves nothing behind")
def _():
    if not has_feature("fetch"):
        raise Skip("built without libcurl")

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"this is no MNIST")

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    mirror = f"http://127.0.0.1:{server.server_port}"
    try:
        for args in (["data", "fetch", "mnist"], ["train", "mnist", "-o", "m.safetensors"]):
            result = glia(*args, "--mirror", mirror, code=1, env={"no_proxy": "127.0.0.1"})
            expect("train-images-idx3-ubyte" in result.err and result.out == "", result.err)
            expect("\x1b" not in result.err)
    finally:
        server.shutdown()
        server.server_close()
    left = [f for _, _, files in os.walk(path("cache")) for f in files]
    expect(left == [] and not os.path.exists(path("m.safetensors")), left)


# ---- Where output goes ---------------------------------------------------------------------------

@test("a full disk behind stdout is an error")
def _():
    if not os.path.exists("/dev/full"):
        raise Skip("no /dev/full")
    for args in (["train", "bars", "--epochs", "1", "--json", "-o", "f.safetensors"],
                 ["train", "bars", "--epochs", "1", "-o", "f.safetensors"],
                 ["eval", "bars.safetensors", "bars", "--json"],
                 ["predict", "bars.safetensors", "bars:0", "--json"],
                 ["inspect", "bars.safetensors", "--json"], ["data", "list", "--json"],
                 ["data", "show", "bars", "--count", "300", "--json"], ["help"], ["--version"]):
        with open("/dev/full", "wb") as full:
            result = glia(*args, code=1, stdout=full)
        expect("standard output" in result.err, args, result.err)


@test("a closed stdout is an error and no file takes its place")
def _():
    before = read("bars.safetensors")
    done = subprocess.run(["sh", "-c", 'exec "$0" "$@" >&-', PROGRAM, "train", "bars", "--epochs",
                           "20", "--hidden", "16", "--batch", "8", "-o", "c.safetensors"],
                          cwd=HERE, env=ENV, stderr=subprocess.PIPE, timeout=TIMEOUT)
    expect(done.returncode == 1 and b"standard output" in done.stderr, done)
    expect(read("c.safetensors") == before, "what was printed went into the model")


@test("a reader that has seen enough ends the program without a word")
def _():
    for more in ([], ["--json"]):
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run([PROGRAM, "data", "show", "bars", "--count", "300", *more],
                              cwd=HERE, env=ENV, stdout=writer, stderr=subprocess.PIPE,
                              timeout=TIMEOUT)
        os.close(writer)
        expect(done.returncode == -signal.SIGPIPE and done.stderr == b"", done)


@test("a broken stderr does not stop a training")
def _():
    with contextlib.suppress(FileNotFoundError):
        os.remove(path("b.safetensors"))
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([PROGRAM, "train", "bars", "--epochs", "3", "-o", "b.safetensors"],
                          cwd=HERE, env=ENV, stdout=subprocess.PIPE, stderr=writer,
                          timeout=TIMEOUT)
    os.close(writer)
    expect(done.returncode == 0 and os.path.exists(path("b.safetensors")), done)


# ---- bench ---------------------------------------------------------------------------------------

MACHINE_KEYS = ["cpu", "cores", "isa", "threads", "peak_f32_gflops", "peak_bf16_gflops",
                "onednn_isa", "memory_gb_per_s", "train", "inference"]
ROW_KEYS = ["network", "data", "batch", "precision", "engine", "threads", "samples_per_second",
            "gflops", "fraction_of_peak"]
FAST = ["--seconds", "0.01"]


def check_row(row, machine, network, batch, data, flop):
    expect(list(row) == ROW_KEYS, row)
    expect((row["network"], row["batch"], row["data"], row["precision"]) ==
           (network, batch, data, "f32"), row)
    expect(row["threads"] >= 1 and row["engine"] and row["samples_per_second"] > 0, row)
    expect(math.isclose(row["gflops"], row["samples_per_second"] * flop / 1e9, rel_tol=1e-6), row)
    if row["threads"] == machine["threads"]:
        expect(math.isclose(row["fraction_of_peak"], row["gflops"] / machine["peak_f32_gflops"],
                            rel_tol=1e-6), row, machine)
    expect(row["fraction_of_peak"] > 0, row)


@test("bench --json says all that it promises")
def _():
    o = glia("bench", "--data", "bars", "--network", "64-16-8-3,64-3", "--batch", "1,32",
             "--precision", "f32", "--json", *FAST).json()
    expect(list(o) == MACHINE_KEYS, list(o))
    expect(o["cpu"] and o["isa"] in ("baseline", "avx2", "avx512") and o["cores"] >= 1, o)
    expect(o["threads"] >= 1 and o["peak_f32_gflops"] > 0 and o["memory_gb_per_s"] > 0, o)
    expect(o["peak_bf16_gflops"] is None or o["peak_bf16_gflops"] > 0, o)
    expect(len(o["train"]) == len(o["inference"]) == 4, o)
    for i, (network, batch) in enumerate((n, b) for n in ("64-16-8-3", "64-3") for b in (1, 32)):
        first, later = (64 * 16, 16 * 8 + 8 * 3) if network == "64-16-8-3" else (64 * 3, 0)
        check_row(o["train"][i], o, network, batch, "bars", 4 * first + 6 * later)
        check_row(o["inference"][i], o, network, batch, "bars", 2 * (first + later))


@test("bench: one row alone, on data of any width")
def _():
    args = ["bench", "--data", "dense", "--network", "100-20-4", "--batch", "8", "--threads", "1",
            "--precision", "f32", "--json", *FAST]
    o = glia(*args, "--train").json()
    expect(len(o["train"]) == 1 and o["inference"] == [] and o["threads"] == 1, o)
    check_row(o["train"][0], o, "100-20-4", 8, "dense", 4 * 2000 + 6 * 80)
    o = glia(*args, "--inference", env={"GLIA_CPU": "baseline"}).json()
    expect(len(o["inference"]) == 1 and o["train"] == [] and o["isa"] == "baseline", o)
    expect(o["peak_bf16_gflops"] is None, o)
    check_row(o["inference"][0], o, "100-20-4", 8, "dense", 2 * 2080)


@test("bench: a table for people, and a bar on a terminal")
def _():
    if SANITIZED:
        raise Skip("too slow under a sanitizer")
    args = ["bench", "--data", "bars", "--network", "64-16-3", "--batch", "4", "--precision", "f32",
            "--threads", "1", *FAST]
    result = glia(*args)
    expect(result.err == "" and "\x1b" not in result.out, result.err)
    for text in ("training\n", "inference\n", "GFLOP/s", "of peak", "memory ", "bars\n",
                 "more than 100 %"):
        expect(text in result.out, text, "is not in:", result.out)
    expect(len(re.findall(r"^64-16-3 +4 +f32 +\w+ +1 +[\d,]+ +[\d.]+ +[\d.]+ %$", result.out,
                          re.M)) == 2, result.out)
    seen = on_terminal(*args)
    expect("training 64-16-3, batch 4, f32" in seen and "2 of 2" in seen and "━" in seen, seen)
    expect(seen.endswith("\r\x1b[K"), repr(seen[-100:]))


@test("bench in bf16 and with each engine, or the reason why not")
@slow
def _():
    if SANITIZED:
        raise Skip("too slow under a sanitizer")
    args = ["bench", "--data", "bars", "--network", "64-3", "--batch", "4", "--json", *FAST]
    for engine in ("reference", "native", "onednn"):
        result = glia(*args, "--engine", engine, "--precision", "f32", code=None)
        expect(result.code == 0 or (engine == "onednn" and result.code == 1), result.err)
        if result.code == 0:
            expect({row["engine"] for row in result.json()["inference"]} == {engine}, result.out)
        else:
            expect(result.out == "" and "engine onednn" in result.err, result.err)
    result = glia(*args, "--precision", "bf16", code=None)
    if result.code == 0:
        o = result.json()
        expect([row["precision"] for row in o["train"] + o["inference"]] == ["bf16"] * 2, o)
        expect((o["train"][0]["fraction_of_peak"] is None) == (o["peak_bf16_gflops"] is None), o)
    else:
        expect(result.code == 1 and result.out == "" and "bf16" in result.err, result.err)


@test("bench without MNIST at hand takes the built-in digits")
def _():
    if SANITIZED:
        raise Skip("too slow under a sanitizer")
    o = glia("bench", "--network", "784-8-10", "--batch", "64", "--precision", "f32", "--train",
             "--json", *FAST).json()
    expect([row["data"] for row in o["train"]] == ["digits"], o)


@test("bench ends at Ctrl-C with what was measured")
def _():
    ours, theirs = pty.openpty()  # on a terminal it tells where it is
    process = start("bench", "--data", "bars", "--network", "64-16-3", "--precision", "f32",
                    "--batch", "4", "--seconds", "3600", "--json", stderr=theirs,
                    preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    os.close(theirs)
    seen = read_until(ours, lambda seen: b"training 64-16-3" in seen, process, "the first row")
    process.send_signal(signal.SIGINT)
    out = process.communicate(timeout=TIMEOUT)[0]
    expect(process.returncode == 130, process.returncode)
    read_until(ours, lambda seen: b"interrupted" in seen, process, "the word interrupted")
    os.close(ours)
    o = Result(130, out.decode(), "").json()
    expect(list(o) == MACHINE_KEYS and o["train"] == [] and o["inference"] == [], o)


# ---- MNIST ---------------------------------------------------------------------------------------

@test("mnist by name: train, eval, predict")
def _():
    folder = os.environ.get("GLIA_DATA", "")
    if not os.path.isdir(os.path.join(folder, "mnist")):
        raise Skip("GLIA_DATA has no mnist")
    if SANITIZED:
        raise Skip("too slow under a sanitizer")
    env = {"GLIA_DATA": os.path.abspath(folder)}
    o = glia("train", "mnist", "--hidden", "none", "--epochs", 1, "-o", "m.safetensors", "--json",
             "--offline", env=env).json()
    expect(o["test_accuracy"] > 0.9 and o["parameters"] == 7850, o)
    scored = glia("eval", "m.safetensors", "mnist", "--json", env=env).json()
    expect(scored["samples"] == 10000 and scored["accuracy"] == o["test_accuracy"])
    p = glia("predict", "m.safetensors", "mnist:0", "--json", "--data-dir", folder,
             env={}).json()["predictions"][0]
    expect(p["class"] == p["label"] == "7", p)


if __name__ == "__main__":
    prepare()
    run_tests()
