#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Tests of what the program does with folders of pictures: colours, sizes, what is odd or damaged.

    test_pictures.py PROGRAM        (or $GLIA)

Prints TAP. PNG are written here, so that nothing but Python is needed.
"""
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


@test("train: --standardise no, and yes for grey pictures")
def _():
    need_png()
    rng = random.Random(2)
    for i in range(40):
        put(f"grey/{i % 2}/{i}.pgm", pgm(4, 4, bytes(rng.randrange(256) for _ in range(16))))
    for options, n in ((["grey"], 0), (["grey", "--standardise", "yes"], 1),
                       (["colour", "--standardise", "no"], 0)):
        glia("train", *options, "-o", "m", "-q", "--epochs", 1)
        about = glia("inspect", "m", "--json").json()["metadata"]["preprocessing"]
        expect(len(about.get("inputs", [])) == n and about.get("standardise", False) == (n > 0),
               options, about)


run_tests()
