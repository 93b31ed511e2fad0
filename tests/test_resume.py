# SPDX-License-Identifier: MIT
"""
Runs that are killed and continued, from outside: glia train --checkpoint, --resume.

    python3 tests/test_resume.py [PROGRAM]      (else $GLIA)

Environment: GLIA_KILLS, how often the long tests kill in all (20 unless given).
"""
import json
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import time

from harness import (ENV, PROGRAM, Skip, end_of, expect, glia, make_data, path, read, run_tests,
                     start, test, wait_for, wait_until, write)

KILLS = int(os.environ.get("GLIA_KILLS", "20"))
TIMES = ("seconds", "samples_per_second", "startup_seconds", "model")

make_data("bars", 600, 90)
make_data("many", 6000, 90)

# All that a run can have; its checkpoints are some MB, so that most instants are within a write.
EVERYTHING = ["--hidden", "768,384", "--batch-norm", "--dropout", "0.2", "--input-dropout", "0.1",
              "--input-noise", "0.1", "--augment", "--label-smoothing", "0.1", "--averaging",
              "0.99", "--max-norm", "3", "--clip-norm", "2", "--l1", "1e-6", "--l2", "1e-5",
              "--schedule", "cosine", "--warmup", "0.1", "--class-weights", "balanced",
              "--validation", "0.2", "--patience", "50", "--batch", "32", "--epochs", "5"]
SMALL = ["--hidden", "16", "--epochs", "3", "--validation", "0.2", "--optimizer", "nesterov"]


def without_times(value):
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items() if k not in TIMES}
    return value


def lines(folder):
    return [without_times(json.loads(line)) for line in read(f"{folder}/metrics.jsonl").splitlines()]


def result(folder):
    return without_times(json.loads(read(f"{folder}/result.json")))


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return value, at


def fields(data):
    """number -> value of a protocol buffer's message"""
    found, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            found[key >> 3], at = varint(data, at)
            continue
        size = {1: 8, 5: 4}.get(key & 7)
        if size is None:
            size, at = varint(data, at)
        found[key >> 3] = data[at:at + size]
        at += size
    return found


def events(folder):
    """(step, tag, value) of every scalar in the folder's only file of events."""
    names = [name for name in os.listdir(path(folder)) if name.startswith("events.")]
    expect(len(names) == 1, names)
    data, at, found = read(f"{folder}/{names[0]}"), 0, []
    while at < len(data):
        size = struct.unpack_from("<Q", data, at)[0]
        event = fields(data[at + 12:at + 12 + size])
        at += size + 16
        if 5 in event:
            value = fields(fields(event[5])[1])
            found.append((event.get(2, 0), value[1].decode(), value[2]))
    return found


def wait_for_write(folder, process):
    """Until it writes a checkpoint, or ends."""
    name, until = path(f"{folder}/state.safetensors.tmp-{process.pid}-0"), time.monotonic() + 120
    while not os.path.exists(name) and process.poll() is None and time.monotonic() < until:
        pass


def temporaries(folder):
    return [name for name in os.listdir(path(folder)) if ".tmp-" in name or name.endswith(".tmp")]


def expect_whole(name):
    """A file that is there is a whole safetensors file."""
    data = read(name)
    size = struct.unpack_from("<Q", data)[0]
    header = json.loads(data[8:8 + size])
    ends = [v["data_offsets"][1] for k, v in header.items() if k != "__metadata__"]
    expect(max(ends) == len(data) - 8 - size, name, "is cut")


def expect_same_run(one, other):
    expect(read(f"{one}/model.safetensors") == read(f"{other}/model.safetensors"),
           "another model:", one, other)
    expect(lines(one) == lines(other), "other metrics:", one, other,
           next(((a, b) for a, b in zip(lines(one), lines(other)) if a != b), ""))
    expect(result(one) == result(other), "another result:", result(one), result(other))
    expect(events(one) == events(other), "other events")


# ---- Kills ---------------------------------------------------------------------------------------

def time_to_begin(*options):
    """Seconds until the first checkpoint."""
    began = time.monotonic()
    process = start("train", "bars", *options, "-o", "begin.safetensors", "--checkpoint", "begin",
                    "--checkpoint-every", 1)
    wait_for("begin/state.safetensors", process)
    seconds = time.monotonic() - began
    process.kill()
    end_of(process)
    shutil.rmtree(path("begin"))
    return seconds


def kill_often(name, kills, *options):
    """Kills runs of these options so often, each to its end; each end must be that of the first."""
    whole = f"{name}-whole"
    glia("train", "bars", *options, "--run", whole, "--tensorboard", "-q")
    rng = random.Random(name)
    n = n_written = n_nothing = n_runs = n_stuck = 0
    limit = 3 * time_to_begin(*options)
    while n < kills or n_runs == 0:
        run, kept = f"{name}-{n_runs}", f"{name}-kept-{n_runs}"
        command = ["train", "bars", *options, "--run", run, "--tensorboard", "-q",
                   "--checkpoint", kept, "--checkpoint-every", rng.choice(["1", "1", "2", "0.01s"])]
        while True:
            before = os.path.exists(path(f"{kept}/state.safetensors")) and \
                os.stat(path(f"{kept}/state.safetensors")).st_ino
            process = start(*command)
            try:
                process.wait(rng.uniform(limit / 8, limit) if n < kills else 300)
            except subprocess.TimeoutExpired:
                if n % 2:  # within the next write, somewhere
                    wait_for_write(kept, process)
                    time.sleep(rng.uniform(0, 0.003))
                process.send_signal(signal.SIGKILL)
            code, _, err = end_of(process)
            if code == 0:
                break
            expect(code == -signal.SIGKILL, "exit status", code, err[-500:])
            n += 1
            if not os.path.exists(path(f"{kept}/checkpoint.json")):
                for folder in (run, kept):  # it had not begun: begin again
                    shutil.rmtree(path(folder), ignore_errors=True)
                n_nothing += 1
                continue
            n_written += any("state" in file for file in temporaries(kept))
            if os.path.exists(path(f"{kept}/state.safetensors")):
                expect_whole(f"{kept}/state.safetensors")
            else:
                n_nothing += 1
            now = os.path.exists(path(f"{kept}/state.safetensors")) and \
                os.stat(path(f"{kept}/state.safetensors")).st_ino
            n_stuck = 0 if now != before else n_stuck + 1
            if n_stuck > 3:  # a slow machine: give it time to come forward
                limit, n_stuck = 1.5 * limit, 0
            command = ["train", "--resume", kept, "-q"]
        expect_same_run(whole, run)
        expect(not temporaries(kept) and not temporaries(run), temporaries(kept), temporaries(run))
        for folder in (run, kept):
            shutil.rmtree(path(folder))
        n_runs += 1
    print(f"# {name}: {n} kills in {n_runs} runs; {n_written} within the writing of a checkpoint, "
          f"{n_nothing} before the first")
    expect(n_written > 0, "no kill came while a checkpoint was written")


@test("killed at any instant, a run in f32 goes on to the same bits")
def _():
    kill_often("f32", KILLS - KILLS // 2, *EVERYTHING, "--optimizer", "adamw")


@test("killed at any instant, a run in bf16 goes on to the same bits")
def _():
    done = glia("train", "bars", "--precision", "bf16", "--epochs", 1, "-o", "b.safetensors",
                code=None)
    if done.code != 0:
        raise Skip("this build or CPU has no bf16")
    kill_often("bf16", KILLS // 2, *EVERYTHING, "--optimizer", "nesterov", "--precision", "bf16")


# ---- One by one ----------------------------------------------------------------------------------

@test("interrupted, a run is kept, and says how it goes on")
def _():
    options = ["--hidden", "64", "--epochs", 40]
    glia("train", "many", *options, "--run", "whole", "--tensorboard", "-q")
    process = start("train", "many", *options, "--run", "part", "--tensorboard", "--checkpoint",
                    "kept", "--checkpoint-every", "20")
    wait_for("kept/state.safetensors", process)
    process.send_signal(signal.SIGINT)
    code, _, err = end_of(process)
    expect(code == 130 and "'glia train --resume kept' goes on" in err, code, err)
    expect("result.json" not in os.listdir(path("part")), "it looks finished")
    r = glia("train", "--resume", "kept")
    expect(re.search(r"^from .* kept: epoch \d+, sample [\d,]+ of 6,000, step [\d,]+$", r.err,
                     re.MULTILINE) and r.err.count("data ") == 1, r.err)
    expect_same_run("whole", "part")


@test("a finished run is finished, and its model comes back")
def _():
    model, metrics = read("part/model.safetensors"), read("part/metrics.jsonl")
    os.remove(path("part/model.safetensors"))
    before = read("part/result.json")
    r = glia("train", "--resume", "kept")
    expect("was finished before" in r.err, r.err)
    expect(read("part/model.safetensors") == model, "another model")
    expect(read("part/metrics.jsonl") == metrics and read("part/result.json") == before, "changed")
    expect(glia("train", "--resume", "kept", "--json").json()["stopped"] == "epochs")


@test("before its first checkpoint a run begins at its beginning")
def _():
    glia("train", "bars", *SMALL, "--checkpoint", "early", "-o", "early.safetensors", "-q")
    model = read("early.safetensors")
    os.remove(path("early.safetensors"))
    os.remove(path("early/state.safetensors"))
    glia("train", "--resume", "early", "-q")
    expect(read("early.safetensors") == model, "another model")


@test("files are those of the folder in which the run was started")
def _():
    os.makedirs(path("here/there"), exist_ok=True)
    shutil.copytree(path("bars"), path("here/bars"))
    command = [PROGRAM, "train", "bars", *SMALL, "--checkpoint", "there/kept", "-q"]
    subprocess.run(command, cwd=path("here"), env=ENV, check=True, stdout=subprocess.DEVNULL)
    model = read("here/bars.safetensors")
    os.remove(path("here/bars.safetensors"))
    r = glia("train", "--resume", "here/there/kept")
    expect(read("here/bars.safetensors") == model, r.err)
    os.rename(path("here"), path("elsewhere"))
    r = glia("train", "--resume", "elsewhere/there/kept", code=1)
    expect("started in the folder" in r.err, r.err)


@test("what killed writers left behind is removed, and nothing else")
def _():
    process = subprocess.Popen(["true"])
    process.wait()
    dead = process.pid
    glia("train", "bars", *SMALL, "--checkpoint", "left", "--run", "left-run", "-q")
    left = [f"left/state.safetensors.tmp-{dead}-0", f"left/checkpoint.json.{dead}.tmp",
            f"left-run/model.safetensors.tmp-{dead}-3", f"left-run/result.json.{dead}.tmp"]
    other = ["left/state.safetensors.tmp-x-0", "left/note.tmp-1-1",
             f"left-run/model.safetensors.tmp-{os.getpid()}-0"]
    for name in left + other:
        write(name, b"x")
    glia("train", "--resume", "left", "-q")
    expect(not any(os.path.exists(path(name)) for name in left), os.listdir(path("left")))
    expect(all(os.path.exists(path(name)) for name in other), os.listdir(path("left")))


@test("threads may change where the bits do not depend on them")
def _():
    options = ["--hidden", "256", "--batch", "256", "--epochs", 12, "--engine", "native"]
    glia("train", "many", *options, "--threads", 1, "-o", "one.safetensors", "-q")
    process = start("train", "many", *options, "--threads", 1, "-o", "two.safetensors",
                    "--checkpoint", "threads", "--checkpoint-every", "10", "-q")
    wait_for("threads/state.safetensors", process)
    process.kill()
    end_of(process)
    glia("train", "--resume", "threads", "--threads", 2, "--checkpoint-every", "5s", "-q")
    expect(read("one.safetensors") == read("two.safetensors"), "another model")


@test("checkpoint and run may share a folder")
def _():
    glia("train", "bars", *SMALL, "--run", "alone", "--tensorboard", "-q")
    process = start("train", "bars", *SMALL, "--epochs", 2000, "--run", "both", "--checkpoint",
                    "both", "--checkpoint-every", "1", "-q")
    wait_for("both/state.safetensors", process)
    process.kill()
    end_of(process)
    expect(set(os.listdir(path("both"))) >= {"checkpoint.json", "run.json", "metrics.jsonl"},
           os.listdir(path("both")))


@test("two processes never go on with one run")
def _():
    first = start("train", "--resume", "both", "-q")
    before = os.stat(path("both/state.safetensors")).st_ino
    wait_until(lambda: os.stat(path("both/state.safetensors")).st_ino != before, first,
               "the next checkpoint")
    r = glia("train", "--resume", "both", code=1)
    expect("another process" in r.err, r.err)
    first.kill()
    end_of(first)


# ---- What is refused -----------------------------------------------------------------------------

@test("what does not go together is refused")
def _():
    for args, code, pattern in (
            (["bars", "--resume", "kept"], 2, 'leave out "bars"'),
            (["--resume", "kept", "--lr", "1"], 2, "leave out --lr"),
            (["--resume", "kept", "-o", "x"], 2, "leave out --output"),
            (["--resume", "nowhere"], 1, "nowhere: No such file"),
            (["--resume", "bars"], 1, "bars: holds no checkpoint.json"),
            (["bars", "--checkpoint", "kept"], 1, "'glia train --resume kept' goes on with it"),
            (["bars", "--checkpoint", "no/where"], 1, "cannot make the folder"),
            (["bars", "--checkpoint", "early.safetensors"], 1, "is no folder"),
            (["bars", "--checkpoint-every", "5"], 2, "add --checkpoint"),
            (["bars", "--checkpoint", "new", "--seeds", "2"], 2, "leave it out with --seeds"),
            (["bars", "--checkpoint", "new", "--checkpoint-every", "0"], 2, "such as 500"),
            (["bars", "--checkpoint", "new", "--checkpoint-every", "5x"], 2, "such as 500"),
            (["bars", "--checkpoint", "new", "--checkpoint-every", "-1s"], 2, "such as 500"),
            ([], 2, "expected DATA")):
        r = glia("train", *args, code=code)
        expect(pattern in r.err, args, r.err)
    expect(not os.path.exists(path("new")), "a refused command made its folder")


@test("a damaged checkpoint is refused")
def _():
    shutil.copytree(path("early"), path("damaged"))
    data = bytearray(read("damaged/state.safetensors"))
    data[-100] ^= 1
    write("damaged/state.safetensors", data)
    r = glia("train", "--resume", "damaged", code=1)
    expect("state.safetensors: is damaged" in r.err, r.err)
    write("damaged/state.safetensors", data[:1000])
    expect("state.safetensors" in glia("train", "--resume", "damaged", code=1).err)
    words = json.loads(read("early/checkpoint.json"))
    for key, value, pattern in (("format", "glia-run", "format"), ("command", [], "words"),
                                ("command", ["eval", "bars"], "words"),
                                ("command", ["train", "--no", "--", "bars"], "no option --no"),
                                ("folder", 3, "words"), ("every", "x", "such as 500")):
        write("damaged/checkpoint.json", json.dumps({**words, key: value}).encode())
        r = glia("train", "--resume", "damaged", code=None)
        expect(r.code in (1, 2) and pattern in r.err, key, value, r.code, r.err)
    write("damaged/checkpoint.json", b"{")
    expect("line 1" in glia("train", "--resume", "damaged", code=1).err)


@test("another run's state is refused, with what differs")
def _():
    shutil.copytree(path("early"), path("other"))
    words = json.loads(read("other/checkpoint.json"))
    words["command"].insert(1, "--lr=0.3")
    write("other/checkpoint.json", json.dumps(words).encode())
    r = glia("train", "--resume", "other", code=1)
    expect("another run" in r.err and "learning_rate" in r.err or ".lr" in r.err, r.err)


@test("data that are not what they were are named as such")
def _():
    rows = [f"{i % 13},{i * i % 17},{'pq'[i % 2]}" for i in range(200)]
    write("rows.csv", "\n".join(["a,b,y", *rows]).encode())
    glia("train", "rows.csv", "--epochs", 2, "--checkpoint", "of-rows", "-o", "rows.safetensors")
    for n, changed in enumerate((rows[:-1], ["99,0,p"] * 100 + rows[100:],
                                 [row.translate(str.maketrans("pq", "qp")) for row in rows])):
        write("rows.csv", "\n".join(["a,b,y", *changed]).encode())
        r = glia("train", "--resume", "of-rows", code=1)
        expect("is the checkpoint of another run, on other data: the " in r.err and "same; bring the data back"
               in r.err and "preprocessing" not in r.err, n, r.err)


run_tests()
