#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Event files (cli/job/events.h): their bytes, taken apart here, and what TensorBoard reads, where it can
be imported. Prints TAP.

Environment: GLIA_BUILD (the build folder; tests/write_events in it writes the files).
"""

import json
import math
import os
import resource
import signal
import socket
import struct
import subprocess
import tempfile

import harness
from harness import Skip, expect, run_tests

PROGRAM = os.path.join(os.environ["GLIA_BUILD"], "tests", "write_events")
BEGAN = 1767225600.25  # wall time
NAME = "events.out.tfevents.1767225600." + socket.gethostname()

# (tag, step, wall time, value): signs, small and large steps, and what f32 rounds
SCALARS = [("train/loss", 0, BEGAN, 2.3025850929940455),
           ("train/loss", 128, BEGAN + 0.5, 0.1),
           ("train/accuracy", 128, BEGAN + 0.5, 0.9921875),
           ("lr", 2 ** 40, BEGAN + 1e6, -1e-30),
           ("größe/" + "x" * 150, 2 ** 63 - 1, 0, 3.4e38),
           ("back", -1, BEGAN, 0.0)]
LEFT_OUT = [math.nan, math.inf, -math.inf, 1e39, -1e39]


# ---- Reading, by the formats' descriptions alone ------------------------------------------------

def crc32c_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


TABLE = crc32c_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def masked_crc(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(data):
    """The payloads; an error where a length, a checksum or the end is wrong."""
    found = []
    while data:
        length, length_crc = struct.unpack("<QI", data[:12])
        expect(masked_crc(data[:8]) == length_crc, "checksum of the length", length)
        payload, crc = data[12:12 + length], data[12 + length:16 + length]
        expect(len(crc) == 4, "cut short")
        expect(masked_crc(payload) == struct.unpack("<I", crc)[0], "checksum of", payload)
        found.append(payload)
        data = data[16 + length:]
    return found


def fields(message):
    """{number: value} of a protocol buffer whose fields come once each."""
    at, found = 0, {}

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            value |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:
                return value

    while at < len(message):
        key = varint()
        number, wire = key >> 3, key & 7
        if wire == 0:
            value = varint()
        else:
            size = {1: 8, 5: 4}.get(wire) or varint()
            value = message[at:at + size]
            expect(wire in (1, 2, 5) and len(value) == size, "wire type", wire)
            at += size
        expect(number not in found, "field twice:", number)
        found[number] = value
    return found


def signed(value):
    return value - (1 << 64) if value >> 63 else value


def f32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def scalars_of(path, began=BEGAN):
    with open(path, "rb") as file:
        first, *rest = [fields(record) for record in records(file.read())]
    if began is None:
        began, = struct.unpack("<d", first[1])
    expect(first == {1: struct.pack("<d", began), 3: b"brain.Event:2"}, first)
    found = []
    for event in rest:
        expect(set(event) == {1, 2, 5}, event)
        value = fields(fields(event[5])[1])
        expect(set(value) == {1, 2}, value)
        found.append((value[1].decode(), signed(event[2]), struct.unpack("<d", event[1])[0],
                      struct.unpack("<f", value[2])[0]))
    return found


# ---- Writing -------------------------------------------------------------------------------------

def write(folder, scalars, code=0, limit=None):
    """Returns what each call said, closing last, and stderr."""
    def restrict():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # as the program does
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    lines = "".join(scalar if isinstance(scalar, str) else
                    "scalar {} {} {} {}\n".format(scalar[0], scalar[1], scalar[2].hex()
                                                  if isinstance(scalar[2], float) else scalar[2],
                                                  float(scalar[3]).hex())
                    for scalar in scalars)
    done = subprocess.run([PROGRAM, folder, repr(BEGAN)], input=lines.encode(), timeout=60,
                          capture_output=True, preexec_fn=restrict if limit is not None else None)
    expect(done.returncode == code, "exit status", done.returncode, done.stderr)
    return [int(word) for word in done.stdout.split()], done.stderr.decode()


def rounded(scalars):
    return [(tag, step, wall_time, f32(value)) for tag, step, wall_time, value in scalars]


# ---- The tests -----------------------------------------------------------------------------------

def test(name):
    """A test that is given a folder of its own."""
    def add(function):
        @harness.test(name)
        def _():
            with tempfile.TemporaryDirectory(prefix="glia-events-") as folder:
                function(folder)
    return add


@test("the checksum is CRC-32C")
def _(folder):
    expect(crc32c(b"123456789") == 0xE3069283, "the published check value")


@test("an event file has its scalars, and its name")
def _(folder):
    said, complaint = write(folder, [*SCALARS, "flush\n"])
    expect(said == [1] * (len(SCALARS) + 2) and complaint == "", said, complaint)
    expect(os.listdir(folder) == [NAME], os.listdir(folder))
    found = scalars_of(os.path.join(folder, NAME))
    expect(found == rounded(SCALARS), found)


@test("what is not finite in f32 is left out, and no failure")
def _(folder):
    values = [1.0, *LEFT_OUT, 2.0]
    said, _ = write(folder, [("a", step, BEGAN, value) for step, value in enumerate(values)])
    expect(said == [1] * (len(values) + 1), said)
    found = scalars_of(os.path.join(folder, NAME))
    expect([(s[1], s[3]) for s in found] == [(0, 1.0), (len(values) - 1, 2.0)], found)


@test("a tag is cut at a character")
def _(folder):
    write(folder, [("x" + "ä" * 150, 1, BEGAN, 1.0), ("y" * 200, 1, BEGAN, 1.0),
                   ("z" * 201, 1, BEGAN, 1.0)])
    tags = [scalar[0] for scalar in scalars_of(os.path.join(folder, NAME))]
    expect(tags == ["x" + "ä" * 99, "y" * 200, "z" * 200], tags)


@test("an older file of the same second stays as it is")
def _(folder):
    write(folder, SCALARS[:1])
    write(folder, SCALARS[1:3])
    later = NAME.replace("1767225600", "1767225601")
    expect(sorted(os.listdir(folder)) == [NAME, later], os.listdir(folder))
    expect(scalars_of(os.path.join(folder, NAME)) == rounded(SCALARS[:1]))
    expect(scalars_of(os.path.join(folder, later)) == rounded(SCALARS[1:3]))


@test("flushed events are there while the file is open")
def _(folder):
    process = subprocess.Popen([PROGRAM, folder, repr(BEGAN)], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)
    at = os.path.join(folder, NAME)
    try:
        process.stdin.write(b"scalar a 1 2 3\nflush\n")
        process.stdin.flush()
        said = [process.stdout.readline() for _ in range(2)]
        expect(said == [b"1\n"] * 2, said)
        expect(scalars_of(at) == [("a", 1, 2.0, 3.0)], scalars_of(at))
    finally:
        process.communicate(timeout=60)
    expect(process.returncode == 0, process.returncode)


@test("a folder that is not there, or not to be written to")
def _(folder):
    said, complaint = write(os.path.join(folder, "none"), SCALARS, code=1)
    expect(said == [] and "none: cannot write TensorBoard's events there: No such file" in complaint,
           complaint)
    said, complaint = write(folder, SCALARS, code=1, limit=10)  # not even the first record
    expect(said == [] and complaint.count("glia: ") == 1 and NAME in complaint, complaint)


@test("a full disk is found, said once, and ends the file")
def _(folder):
    many = [("train/loss", step, BEGAN, 1.0) for step in range(500)]
    for flushes in (["flush\n"], []):  # else it is found by closing, or by a full buffer
        for scalars in (many[:20], many):
            said, complaint = write(folder, [*scalars, *flushes, *scalars[:3], *flushes], limit=500)
            expect(said[-1] == 0 and said == sorted(said, reverse=True), said)
            expect(complaint.count("glia: ") == 1 and "File too large" in complaint, complaint)
            for name in os.listdir(folder):
                os.remove(os.path.join(folder, name))


@test("TensorBoard reads the scalars")
def _(folder):
    try:
        from tensorboard.backend.event_processing import event_accumulator
    except ImportError as missing:
        raise Skip(f"{missing}: install tensorboard to read event files with it")
    scalars = [("train/loss", step, BEGAN + step, math.exp(-step / 300)) for step in range(1500)]
    scalars += [("validation/accuracy", 100 * epoch, BEGAN + epoch, epoch / 7)
                for epoch in range(7)]
    write(folder, scalars)
    # 0: all events, where by default a sample of them would be kept
    reader = event_accumulator.EventAccumulator(folder, size_guidance={"scalars": 0})
    reader.Reload()
    tags = sorted({scalar[0] for scalar in scalars})
    expect(sorted(reader.Tags()["scalars"]) == tags, reader.Tags())
    found = [(tag, event.step, event.wall_time, event.value)
             for tag in tags for event in reader.Scalars(tag)]
    expect(found == rounded(scalars), found[:3])


TAGS = {"step": {"lr": "learning_rate", "train_loss": "train/loss",
                 "train_accuracy": "train/accuracy"},
        "epoch": {"train_loss": "epoch/loss", "train_accuracy": "epoch/accuracy",
                  "validation_loss": "validation/loss",
                  "validation_accuracy": "validation/accuracy"}}


@test("a run's events are its metrics")
def _(folder):
    run = os.path.join(folder, "run")
    subprocess.run([os.environ["GLIA"], "train", "digits", "--hidden", "8", "--epochs", "2",
                    "--validation", "0.1", "-q", "--run", run, "--tensorboard"], check=True,
                   stdout=subprocess.DEVNULL)
    expected = {}
    with open(os.path.join(run, "metrics.jsonl"), encoding="utf-8") as lines:
        for line in map(json.loads, lines):
            for key, tag in TAGS[line["kind"]].items():
                expected.setdefault(tag, []).append((line["step"], line[key]))
    expect(len(expected) == 7 and len(expected["train/loss"]) > 20, expected.keys())
    name, = [n for n in os.listdir(run) if n.startswith("events.out.tfevents.")]
    found = {}
    for tag, step, _, value in scalars_of(os.path.join(run, name), None):
        found.setdefault(tag, []).append((step, value))
    check_same(found, expected)
    try:
        from tensorboard.backend.event_processing import event_accumulator
    except ImportError as missing:
        raise Skip(f"{missing}: install tensorboard to read event files with it")
    reader = event_accumulator.EventAccumulator(run, size_guidance={"scalars": 0})
    reader.Reload()
    check_same({tag: [(e.step, e.value) for e in reader.Scalars(tag)]
                for tag in reader.Tags()["scalars"]}, expected)


def check_same(found, expected):
    expect(sorted(found) == sorted(expected), sorted(found))
    for tag, values in expected.items():
        expect([step for step, _ in found[tag]] == [step for step, _ in values], tag, found[tag])
        for (_, a), (_, b) in zip(found[tag], values):
            expect(abs(a - b) <= 1e-6 * abs(b) + 1e-12, tag, a, b)


if __name__ == "__main__":
    run_tests()
