#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Tests of what the program does with folders of pictures: colours, sizes, what is odd or damaged.

    test_pictures.py PROGRAM        (or $GLIA)

Prints TAP. PNG are written here, so that nothing but Python is needed.
"""
import json
import os
import random
import struct
import sys
import zlib

from harness import Skip, expect, glia, path, pgm, read, run_tests, test, write


def has_feature(name):
    return name in glia("--version").out.split("built with:")[1]


def need_png():
    if not has_feature("png"):
        raise Skip("built without libpng")


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, pixels, channels=3, before=b"", after=b""):
    """8 bits grey, or red, green and blue; chunks before and after the pixels."""
    row = width * channels
    rows = b"".join(b"\0" + bytes(pixels[y * row:(y + 1) * row]) for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2}[channels], 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + before +
            chunk(b"IDAT", zlib.compress(rows)) + after + chunk(b"IEND", b""))


def put(name, data):
    os.makedirs(os.path.dirname(path(name)), exist_ok=True)
    write(name, data)


# ---- Colour --------------------------------------------------------------------------------------

def coloured_bar(rng, label, side):
    """A bar that lies or stands, of one colour on another; noise."""
    ground = [rng.randrange(0, 100) for _ in range(3)]
    ink = [rng.randrange(150, 256) for _ in range(3)]
    at = rng.randrange(side)
    return [min(255, max(0, (ink if (y, x)[label] == at else ground)[c] + rng.randrange(-20, 21)))
            for y in range(side) for x in range(side) for c in range(3)]


def make_bars(folder, n, side=8):
    rng = random.Random(1)
    for i in range(n):
        put(f"{folder}/{('lying', 'standing')[i % 2]}/{i}.png",
            png(side, side, coloured_bar(rng, i % 2, side)))


@test("train: pictures in colour are standardised, and learned without options")
def _():
    need_png()
    make_bars("colour", 400)
    o = glia("train", "colour", "-o", "colour.safetensors", "--run", "colour-run", "--json").json()
    expect(o["test_accuracy"] > 0.9, o["test_accuracy"])  # of the 80 held out
    metadata = glia("inspect", "colour.safetensors", "--json").json()["metadata"]
    expect(metadata["training"]["samples"] == 320, metadata["training"])
    about = metadata["preprocessing"]
    expect(about["standardise"] is True and len(about["inputs"]) == 3, about)
    for channel in about["inputs"]:  # about one pixel of eight is ink
        expect(0.2 < channel["mean"] < 0.35 and 0.1 < channel["scale"] < 0.3, channel)
    again = glia("eval", "colour.safetensors", "colour", "--split", "train", "--json").json()
    expect(again["accuracy"] >= o["test_accuracy"], again)


@test("train: --standardise no, yes, and auto for grey pictures")
def _():
    need_png()
    rng = random.Random(2)
    for i in range(40):
        put(f"grey/{i % 2}/{i}.pgm", pgm(4, 4, bytes(rng.randrange(60) for _ in range(16))))
        put(f"light/{i % 2}/{i}.pgm", pgm(4, 4, bytes(rng.randrange(150, 256) for _ in range(16))))
    for options, n in ((["grey"], 0), (["grey", "--standardise", "yes"], 1), (["light"], 1),
                       (["colour", "--standardise", "no"], 0)):
        glia("train", *options, "-o", "m", "-q", "--epochs", 1)
        about = glia("inspect", "m", "--json").json()["metadata"]["preprocessing"]
        expect(len(about.get("inputs", [])) == n and about.get("standardise", False) == (n > 0),
               options, about)


@test("train: a folder of pictures is divided as a table is")
def _():
    need_png()
    for options, n_train, n_test in (([], 320, 80), (["--test", "none"], 400, 0),
                                     (["--test", "100", "--data-seed", "2"], 300, 100)):
        glia("train", "colour", *options, "--epochs", 1, "--run", f"parts-{n_train}", "-q")
        data = json.loads(read(f"parts-{n_train}/run.json"))["data"]
        expect((data["train_samples"], data["test_samples"]) == (n_train, n_test), data)
    folds = glia("train", "colour", "--folds", 2, "--epochs", 1, "-q", "--json").json()
    expect([run["samples"] for run in folds["runs"]] == [200, 200], folds)
    glia("train", "grey", "--epochs", 1, "--run", "all-grey", "-q")  # light on dark: all
    expect(json.loads(read("all-grey/run.json"))["data"]["train_samples"] == 40)


# ---- Sizes, and what is odd ----------------------------------------------------------------------

def exif(orientation):
    """A TIFF with the one entry that says how a picture is to be turned."""
    return struct.pack("<2sHIHHHIHHI", b"II", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)


@test("folders of training and test are found with capitals, and by other names")
def _():
    rng = random.Random(8)
    for folder, splits in (("capitals", ("Train", "Test")), ("longer", ("training", "testing"))):
        for split in splits:
            for name, level in (("a", 40), ("b", 200)):
                os.makedirs(path(f"{folder}/{split}/{name}"))
                for k in range(6):
                    pixels = bytes(rng.randrange(level, level + 20) for _ in range(16))
                    write(f"{folder}/{split}/{name}/{k}.pgm", pgm(4, 4, pixels))
        found = glia("data", "check", folder, "--json").json()
        expect(found["rows"] == 12 and [c["text"] for c in found["classes"]] == ["a", "b"], found)
        outcome = glia("train", folder, "--epochs", 2, "--json", "-o", "split.safetensors").json()
        expect(outcome["test_accuracy"] is not None, outcome)


@test("train and data check: pictures of different sizes are brought to one, which is said")
def _():
    need_png()
    rng = random.Random(3)
    for i in range(60):
        side = (40, 40, 60)[i % 3]
        put(f"sizes/{'ab'[i % 2]}/{i}.png", png(side, side, coloured_bar(rng, i % 2, side)))
    said = "40 x 40 (40), 60 x 60 (20); all are scaled to 32 x 32, the median reduced"
    run = glia("train", "sizes", "--epochs", 1, "-o", "sizes.safetensors")
    expect(said in run.err and "--image-size" in run.err, run.err)
    about = glia("inspect", "sizes.safetensors", "--json").json()["metadata"]["preprocessing"]
    expect((about["height"], about["width"], about["channels"]) == (32, 32, 3), about)
    check = glia("data", "check", "sizes")
    words = " ".join(check.out.split())
    expect(said in words and "Nothing is wrong" in words, check.out)
    answers = glia("predict", "sizes.safetensors", path("sizes/a/2.png"), "--json").json()
    expect(len(answers["predictions"]) == 1, answers)


@test("data check: pictures that are turned, odd or unreadable are counted")
def _():
    need_png()
    for i in range(12):
        side = [(8, 4), (4, 8)][i % 2]
        turn = chunk(b"eXIf", exif(6 if i % 2 == 0 else 1))
        put(f"turned/{'ab'[i // 6]}/{i}.png", png(*side, bytes(32), 1, after=turn))
    words = " ".join(glia("data", "check", "turned", code=None).out.split())
    expect("12 grey images of 8 x 4 pixels" in words, words)
    expect("6 images are turned upright, as EXIF says" in words, words)
    put("turned/a/bad.jpg", b"GIF89a")
    put("turned/b/worse.png", png(4, 8, bytes(32), 1)[:50])
    failed = glia("train", "turned", "--epochs", 1, code=1).err
    expect("turned/a/bad.jpg" in failed and "a GIF" in failed and "--on-bad-row skip" in failed,
           failed)
    words = " ".join(glia("data", "check", "turned", code=None).out.split())
    expect("2 images cannot be read; --on-bad-row skip leaves such images out" in words and
           "glia train turned --on-bad-row skip" in words, words)
    skipped = glia("train", "turned", "--epochs", 1, "--on-bad-row", "skip", "-o", "t").err
    expect("2 images cannot be read and are left out; the first: turned/a/bad.jpg" in skipped,
           skipped)


run_tests()
