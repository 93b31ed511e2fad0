# SPDX-License-Identifier: MIT
"""
Names that steer terminals, two processes with one folder, outputs that would replace inputs, and
other bad luck, from outside.

    python3 tests/test_hostile.py [PROGRAM]      (else $GLIA)
"""
import csv
import io
import json
import os
import random
import re
import signal
import subprocess

from harness import (ENV, HERE, PROGRAM, Skip, end_of, expect, glia, make_data, on_terminal, path,
                     pgm,
                     read, read_until, run_tests, start, test, wait_for, wait_until,
                     write)

# A title for the terminal, colour, C1's CSI, DEL, and characters that turn what follows around.
STEERING = "\x1b]0;PWNED\x07\x1b[31m\u009b2J\x7f\u202e\u2066\u200f\u061c\u2028"
BAD = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202f\u2066-\u206f]")
STYLES = re.compile(r"\x1b\[[0-9;]*m|\x1b\[K")  # glia's own

make_data("bars", 300, 90)


def expect_clean(text):
    bad = BAD.search(STYLES.sub("", text.replace("\r", "")))
    expect(bad is None, repr(bad), repr(text[:3000]))


def table(name, classes, rows=120, column="a", extra=""):
    rng = random.Random(3)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow([column, "y"] + ([extra] if extra else []))
    for i in range(rows):
        value = rng.random()
        writer.writerow([f"{value:.6f}", classes[value > 0.5]] + ([f"k{i % 5}"] if extra else []))
    write(name, out.getvalue().encode())


# ---- Names -----------------------------------------------------------------------------------------

@test("names from files never steer a terminal")
def _():
    table("steer.csv", ["no" + STEERING, "yes" + STEERING], column="a" + STEERING,
          extra="id" + STEERING)
    for args in (["data", "check", "steer.csv"], ["train", "steer.csv", "--target", "y", "-o",
                                                  "steer.safetensors"],
                 ["eval", "steer.safetensors", "steer.csv"], ["inspect", "steer.safetensors"],
                 ["predict", "steer.safetensors", "steer.csv"],
                 ["predict", "steer.safetensors", "steer.csv", "--format", "jsonl"],
                 ["eval", "steer.safetensors", "steer.csv", "--json"],
                 ["inspect", "steer.safetensors", "--json"], ["data", "check", "steer.csv", "--json"]):
        expect_clean(on_terminal(*args, all_there=True, code=None))
    named = json.loads(glia("inspect", "steer.safetensors", "--json").out)["metadata"]
    expect(named["classes"] == ["no" + STEERING, "yes" + STEERING], named["classes"])
    rows = list(csv.reader(io.StringIO(glia("predict", "steer.safetensors", "steer.csv").out,
                                       newline="")))
    expect({row[1] for row in rows[1:]} == {"no" + STEERING, "yes" + STEERING}, rows[:3])


@test("a suggested command means the column that it names, and steers nothing")
def _():
    out = glia("train", "steer.csv", "--print", "--target", "it's" + STEERING).out
    expect_clean(out.replace("\n", ""))
    words = re.search(r"glia train (.*)$", out, re.M).group(1)
    echoed = subprocess.run(["bash", "-c", f"printf '%s\\0' {words}"], stdout=subprocess.PIPE,
                            check=True).stdout.decode().split("\0")
    expect(echoed[:3] == ["steer.csv", "--target", "it's" + STEERING], echoed)
    expect_clean(glia("data", "check", "steer.csv", code=None).out.replace("\n", ""))


@test("the page of a run has no name that steers")
def _():
    glia("train", "steer.csv", "--target", "y", "--epochs", 2, "--run", "steered", "-q")
    glia("report", "steered")
    expect_clean(read("steered/report.html").decode().replace("\n", "").replace("\t", ""))


@test("class names with tabs and newlines stay what they are")
def _():
    for names in (["no\tsir", "yes\tsir"], ["a\tb", "a\nb"], ["x", "x\x0by"]):
        table("classes.csv", names)
        trained = glia("train", "classes.csv", "--target", "y", "-o", "c.safetensors", "--json").json()
        scored = glia("eval", "c.safetensors", "classes.csv", "--json").json()
        expect(scored["accuracy"] > 0.9 and trained["test_accuracy"] > 0.9, names, scored)
        rows = list(csv.reader(io.StringIO(glia("predict", "c.safetensors", "classes.csv").out,
                                           newline="")))
        expect({row[1] for row in rows[1:]} == set(names) and rows[0][2:] == names, rows[:2])


# ---- Two processes ---------------------------------------------------------------------------------

ENDLESS = ["train", "bars", "--hidden", 16, "--epochs", 100000000, "-q"]


def expect_one(folder, begun, *others, kill=signal.SIGKILL):
    """While the first process works in the folder the others are refused; then they are not."""
    if os.path.exists(path(folder[1])):
        os.remove(path(folder[1]))
    first = start(*begun)
    wait_for(folder[1], first)
    before = read(folder[1])
    for args in others:
        r = glia(*args, code=1)
        expect(folder[0] in r.err and "another process" in r.err, args, r.err)
    expect(read(folder[1])[:len(before)] == before[:len(before)], "something was changed")
    expect(first.poll() is None, end_of(first) if first.poll() is not None else "")
    first.send_signal(kill)
    expect(end_of(first)[0] == (-kill if kill == signal.SIGKILL else 130), "another end")


@test("two processes never work on one run, sweep or checkpoint; a lock ends with its process")
def _():
    one = ["train", "bars", "--hidden", 8, "--epochs", 2, "-q"]
    for kill in (signal.SIGKILL, signal.SIGINT):
        expect_one(("two", "two/run.json"), [*ENDLESS, "--run", "two"], [*one, "--run", "two"],
                   [*one, "--run", "./two/"], kill=kill)
    glia(*one, "--run", "two")
    glia("report", "two")
    expect(json.loads(read("two/result.json"))["epochs"] == 2 and "run.lock" not in
           os.listdir(path("two")), os.listdir(path("two")))
    expect_one(("kept", "kept/checkpoint.json"), [*ENDLESS, "--checkpoint", "kept", "-o", "k1.safetensors"],
               [*one, "--checkpoint", "kept", "-o", "k2.safetensors"], ["train", "--resume", "kept"])
    expect_one(("several", "several/seed-1/run.json"), [*ENDLESS, "--seeds", 2, "--run", "several"],
               [*one, "--seeds", 2, "--run", "several"], [*one, "--run", "several/seed-1"])
    sweep = ["sweep", "bars", "--hidden", "8,9", "-q", "-o", "swept"]
    expect_one(("swept", "swept/sweep.json"), [*sweep, "--epochs", 100000000],
               [*sweep, "--epochs", 100000000, "--resume"], [*sweep, "--epochs", 1])


@test("of processes that begin at once with one folder, one alone goes on")
def _():
    for round in range(3):
        for option, folder in (("--run", f"race-{round}"), ("--checkpoint", f"held-{round}")):
            running = [start("train", "bars", "--hidden", 16 + i, "--epochs", 30, "-q", option, folder,
                             "-o", f"race-{i}.safetensors") for i in range(4)]
            ends = [end_of(process) for process in running]
            refused = [err for code, _, err in ends if code == 1]
            expect(len(refused) >= 1 and any(code == 0 for code, _, _ in ends), ends)
            expect(all(folder in err for err in refused), refused)
        glia("report", f"race-{round}")


# ---- Outputs and inputs ----------------------------------------------------------------------------

@test("no output replaces what the command reads or keeps, under any name")
def _():
    table("homes.csv", ["no", "yes"])
    table("more.csv", ["no", "yes"])
    glia("train", "homes.csv", "--target", "y", "--epochs", 1, "-o", "homes.safetensors", "-q")
    write("r.recipe", b"--epochs 1\n")
    glia("train", "homes.csv", "--target", "y", "--epochs", 1, "--run", "made", "-q")
    glia("train", "homes.csv", "--target", "y", "--epochs", 1, "--checkpoint", "ck", "-o", "x.safetensors")
    for name in ("train/a", "train/b", "test/a", "test/b"):
        os.makedirs(path(f"pics/{name}"))
        for k in range(8):
            write(f"pics/{name}/{k}.pgm", pgm(4, 4, bytes([20 * k + ord(name[-1]) % 2] * 16)))
    picture = "pics/train/a/0.pgm"
    os.symlink(path("homes.csv"), path("homes.link"))
    os.link(path("homes.safetensors"), path("hard.link"))
    os.makedirs(path("deep"))
    os.makedirs(path("killed"))
    write("killed/metrics.jsonl", b"{}\n")
    os.symlink(path("made"), path("made.link"))
    glia("sweep", "bars", "--epochs", 1, "--hidden", 4, "-o", "sweep2", "-q")
    train = ["train", "homes.csv", "--target", "y", "--epochs", 1]
    cases = [
        (["predict", "homes.safetensors", "homes.csv", "-o", "homes.safetensors"], "the model"),
        (["predict", "homes.safetensors", "homes.csv", "-o", "hard.link"], "the model"),
        (["predict", "homes.safetensors", "homes.csv", "-o", "homes.link"], "to be predicted"),
        (["predict", "homes.safetensors", "homes.csv:0-3", "-o", "deep/../homes.csv"],
         "to be predicted"),
        ([*train, "--recipe", "r.recipe", "-o", "r.recipe"], "the recipe"),
        ([*train, "-o", "homes.link"], "the data"),
        ([*train, "--test", "more.csv", "-o", "more.csv"], "the data"),
        ([*train, "--run", "fresh", "-o", "fresh/run.json"], "--run keeps"),
        ([*train, "--checkpoint", "fresh2", "-o", "fresh2/state.safetensors"], "--checkpoint keeps"),
        (["train", "pics", "--epochs", 1, "-o", picture], "a file of the data"),
        (["report", "made", "-o", "made/run.json"], "what the report is made of"),
        (["report", "made", "-o", "made/model.safetensors"], "what the report is made of"),
        (["report", "made", "-o", "homes.csv"], "the data of the run"),
        *((["predict", "homes.safetensors", "more.csv", "-o", name], what) for name, what in (
            ("made/run.json", "a file of a run"), ("made/metrics.jsonl", "a file of a run"),
            ("made/result.json", "a file of a run"), ("made/model.safetensors", "a file of a run"),
            ("killed/metrics.jsonl", "a file of a run"), ("made.link/run.json", "a file of a run"),
            ("ck/checkpoint.json", "a file of a checkpoint"),
            ("ck/state.safetensors", "a file of a checkpoint"),
            ("sweep2/sweep.json", "a file of a sweep"), ("sweep2/table.csv", "a file of a sweep"),
            ("sweep2/runs/seed-1/model.safetensors", "a file of a run"))),
        ([*train, "-o", "made/model.safetensors"], "a file of a run"),
        ([*train, "-o", "ck/state.safetensors", "--run", "fresh3"], "a file of a checkpoint"),
        ([*train, "--run", "fresh4", "-o", "made/model.safetensors"], "a file of a run"),
        (["report", "sweep2", "-o", "made/result.json"], "a file of a run"),
    ]
    if "png" in glia("--version").out.split():
        glia("data", "export", "digits", "--format", "folder", "--count", 80, "-o", "pngs")
        cases.append((["data", "export", "pngs", "--format", "folder", "-o", "pngs"],
                      "a file of the data"))
    before = {}
    for folder, _, files in os.walk(HERE):
        for name in files:
            before[os.path.join(folder, name)] = open(os.path.join(folder, name), "rb").read()
    for args, what in cases:
        r = glia(*args, code=1)
        expect("cannot write there: it is " in r.err and what in r.err, args, r.err)
    for name, content in before.items():
        expect(open(name, "rb").read() == content, name, "was changed")
    done = subprocess.run([PROGRAM, "train", "-", "--target", "y", "--epochs", "1", "-o", "homes.csv"],
                          cwd=HERE, env=ENV, stdin=open(path("homes.csv"), "rb"),
                          stderr=subprocess.PIPE)
    expect(done.returncode == 1 and b"the data" in done.stderr, done)
    os.makedirs(path("own"))
    os.rename(path("more.csv"), path("own/table.csv"))
    r = glia("sweep", "own/table.csv", "--target", "y", "--epochs", 1, "-o", "own", code=1)
    expect("own/table.csv: cannot write there: it is the data" in r.err, r.err)


@test("a run that cannot be kept leaves no folder behind; a checkpoint touches no other file")
def _():
    table("rows.csv", ["no", "yes"])
    train = ["train", "rows.csv", "--target", "y", "--epochs", 1, "-q"]
    glia(*train, "--run", "finished")
    os.makedirs(path("other"))
    write("other/state.safetensors", b"mine")
    for args, why in (([*train, "--run", "rr", "-o", "rr/run.json"], "--run keeps"),
                      ([*train, "--run", "rr", "-o", "none/x.safetensors"], "does not exist"),
                      (["train", "none.csv", "--run", "rr", "--checkpoint", "rc"], "no such file"),
                      ([*train, "--checkpoint", "rc", "--run", "finished"], "a finished run"),
                      ([*train, "--checkpoint", "rc", "-o", "rc/checkpoint.json"], "keeps"),
                      ([*train, "--run", "rr", "--checkpoint", "other"],
                       "other: cannot keep a checkpoint there: the file state.safetensors")):
        expect(why in glia(*args, code=1).err, args)
        expect(not os.path.exists(path("rr")) and not os.path.exists(path("rc")), args)
    expect(os.listdir(path("other")) == ["state.safetensors"], os.listdir(path("other")))
    glia(*train, "--run", "rr", "-o", "rr/best.safetensors")
    expect(sorted(os.listdir(path("rr"))) == ["best.safetensors", "metrics.jsonl", "result.json",
                                              "run.json"], os.listdir(path("rr")))
    write("other/precious", b"mine")
    os.remove(path("other/state.safetensors"))
    for code in (0, 1):
        err = glia(*train, "--checkpoint", "other", "-o", "other/m.safetensors", code=code).err
        expect(code == 0 or "remove checkpoint.json and state.safetensors from this one" in err, err)
    expect(read("other/precious") == b"mine", "it was changed")


@test("the model of other data is in the way of a name that nobody gave; one of these data is not")
def _():
    table("mine.csv", ["no", "yes"])
    train = ["train", "mine.csv", "--target", "y", "--epochs", 1]
    expect("replaced" not in glia(*train).out, "replaced")
    expect("mine.safetensors (the one before is replaced)" in glia(*train).out, "not told")
    write("mine.tsv", read("mine.csv").replace(b",", b"\t"))
    before = read("mine.safetensors")
    r = glia("train", "mine.tsv", *train[2:], code=1)
    expect("is the model of other data, mine.csv; -o NAME" in r.err and
           "-o mine.safetensors replaces" in r.err, r.err)
    expect(read("mine.safetensors") == before, "it was replaced")
    glia("train", "mine.tsv", *train[2:], "-o", "mine.safetensors")
    expect(read("mine.safetensors") != before, "it was not replaced")
    write("mine.safetensors", b"precious")
    r = glia(*train, code=1)
    expect("is no model of these data" in r.err and read("mine.safetensors") == b"precious", r.err)


# ---- Files that change ------------------------------------------------------------------------------

@test("a data file that becomes shorter while it is read is named, and the run can go on later")
def _():
    make_data("cut", 6000, 90)
    images = path("cut/train-images-idx3-ubyte")
    whole = open(images, "rb").read()
    process = start("train", "cut", "--epochs", 100000000, "-q", "--run", "cut-run", "--checkpoint",
                    "cut-kept", "--checkpoint-every", 50)
    wait_for("cut-kept/state.safetensors", process)
    os.truncate(images, 4096)
    code, _, err = end_of(process)
    expect(code == 1 and "train-images-idx3-ubyte: became shorter while it was read" in err, code, err)
    expect(not os.path.exists(path("cut-run/result.json")), "there is a result")
    with open(images, "r+b") as file:
        file.write(whole)
    process = start("train", "--resume", "cut-kept", "-q")
    before = os.stat(path("cut-kept/state.safetensors")).st_ino
    wait_until(lambda: os.stat(path("cut-kept/state.safetensors")).st_ino != before, process, "a step")
    process.kill()
    end_of(process)


# ---- Pipes -----------------------------------------------------------------------------------------

@test("a reader that has seen enough ends predict quietly, at once")
def _():
    table("long.csv", ["no", "yes"], rows=50000)
    glia("train", "long.csv", "--target", "y", "--epochs", 1, "-o", "long.safetensors", "-q")
    for more in ([], ["--format", "jsonl"], ["--json"]):
        process = start("predict", "long.safetensors", "long.csv", *more)
        read_until(process.stdout.fileno(), lambda seen: len(seen) > 100, process, "an answer")
        process.stdout.close()
        process.stdout = None
        code, _, err = end_of(process)
        expect(code == -signal.SIGPIPE and err == "", more, code, err)


# ---- The machine -----------------------------------------------------------------------------------

@test("messages name what hides bf16: the CPU, GLIA_CPU, or oneDNN's own limit")
def _():
    if glia("train", "bars", "--precision", "bf16", "--epochs", 1, "-o", "b.safetensors",
            code=None).code != 0:
        raise Skip("this build or CPU has no bf16")
    for variable, value, expected in (("GLIA_CPU", "avx2", "GLIA_CPU allows avx2 at most"),
                                      ("ONEDNN_MAX_CPU_ISA", "AVX2", "oneDNN is limited to avx2")):
        err = glia("train", "bars", "--precision", "bf16", "-o", "b.safetensors", code=1,
                   env={variable: value}).err
        expect(expected in err and "this CPU has no" not in err, err)


@test("a checkpoint of oneDNN holds the instructions that it took")
def _():
    how = ["--engine", "onednn", "--batch", 32]
    if glia("train", "bars", *how, "--epochs", 1, "-o", "b.safetensors", code=None).code != 0:
        raise Skip("this build is without oneDNN")
    glia("train", "bars", *how, "--epochs", 2, "-o", "kept.safetensors", "--checkpoint", "isa",
         "--checkpoint-every", 5)
    other = glia("train", "--resume", "isa", code=None, env={"ONEDNN_MAX_CPU_ISA": "SSE41"})
    taken = re.search(r"oneDNN takes (\S+)", glia("train", "bars", *how, "--epochs", 1, "-o",
                                                  "b.safetensors").err)
    expect(taken, "the line engine does not say it")
    if taken.group(1) != "sse41":
        expect(other.code == 1 and f"onednn_isa was \"{taken.group(1)}\" there" in other.err, other.err)
    glia("train", "--resume", "isa")


if __name__ == "__main__":
    run_tests()
