#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes folders of pictures in colour and in mixed sizes, PNG and JPEG, the same in every run:

    shapes     circle, square, triangle, star and cross, of any light colour, anywhere
    textures   stripes, checks, dots, rings and waves, of any two colours
    digits     scikit-learn's, coloured, on a coloured ground

Usage: make_pictures.py shapes|textures|digits FOLDER [--n 3000] [--seed 1]
"""
import argparse
import pathlib

import numpy as np
from PIL import Image, ImageDraw

SIDES = range(32, 65)
SHAPES = "circle", "cross", "square", "star", "triangle"
TEXTURES = "checks", "dots", "rings", "stripes", "waves"


def colour(rng, low, high):
    return tuple(int(v) for v in rng.integers(low, high, 3))


def outline(shape, angle):
    """The corners of a shape of radius 1."""
    if shape == "cross":
        arm = 0.33
        corners = np.array([(arm, 1), (arm, arm), (1, arm), (1, -arm), (arm, -arm), (arm, -1),
                            (-arm, -1), (-arm, -arm), (-1, -arm), (-1, arm), (-arm, arm),
                            (-arm, 1)])
    else:
        n, inner = {"circle": (60, 1), "square": (4, None), "triangle": (3, None),
                    "star": (10, 0.42)}[shape]
        turn = 2 * np.pi * np.arange(n) / n + (np.pi / 4 if n == 4 else np.pi / 2)
        radius = np.where(np.arange(n) % 2, inner, 1.0) if inner else np.ones(n)
        corners = np.stack([radius * np.cos(turn), radius * np.sin(turn)], 1)
    c, s = np.cos(angle), np.sin(angle)
    return corners @ np.array([[c, s], [-s, c]])


def draw_shape(rng, label, side):
    fine = 4 * side  # drawn large, and reduced
    image = Image.new("RGB", (fine, fine), colour(rng, 0, 140))
    radius = fine * rng.uniform(0.28, 0.45)
    centre = fine / 2 + rng.uniform(-0.08, 0.08, 2) * fine
    corners = outline(SHAPES[label], rng.uniform(-0.4, 0.4)) * radius * (1, -1) + centre
    ImageDraw.Draw(image).polygon([tuple(p) for p in corners], fill=colour(rng, 100, 256))
    return np.asarray(image.resize((side, side), Image.Resampling.BOX), float)


def draw_texture(rng, label, side):
    y, x = np.mgrid[0:side, 0:side] / side - 0.5
    angle = rng.uniform(-0.5, 0.5)
    x, y = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    k = 2 * np.pi * rng.uniform(2, 4)
    a, b = rng.uniform(-1, 1, 2)
    wave = (np.cos(k * x + a) * np.cos(k * y + b),
            np.maximum(np.cos(k * x + a), 0) * np.maximum(np.cos(k * y + b), 0) * 2 - 1,
            np.cos(k * np.hypot(x, y) + a),
            np.cos(k * x + a),
            np.cos(k * y + b + 1.5 * np.sin(k * x)))[label]
    part = np.clip(wave * 2 + 0.5, 0, 1)[..., None]
    return part * colour(rng, 60, 256) + (1 - part) * colour(rng, 0, 200)


def digit_drawer():
    from sklearn.datasets import load_digits
    images, labels = load_digits(return_X_y=True)
    kept = [images[labels == c] for c in range(10)]

    def draw(rng, label, side):
        image = kept[label][rng.integers(len(kept[label]))].reshape(8, 8) * 255 / 16
        large = Image.fromarray(image.astype(np.uint8)).resize((side, side))
        ink = np.asarray(large, float)[..., None] / 255
        return ink * colour(rng, 0, 256) + (1 - ink) * colour(rng, 0, 256)
    return draw


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("kind", choices=("shapes", "textures", "digits"))
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--n", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--noise", type=float, default=30, help="of each value, of 255")
    args = parser.parse_args()
    names, draw = {"shapes": (SHAPES, draw_shape), "textures": (TEXTURES, draw_texture),
                   "digits": ([str(c) for c in range(10)],
                              digit_drawer() if args.kind == "digits" else None)}[args.kind]
    for i in range(args.n):
        rng = np.random.default_rng([args.seed, i])
        label = i % len(names)
        pixels = draw(rng, label, int(rng.choice(SIDES)))
        pixels = np.clip(pixels + rng.normal(0, args.noise, pixels.shape), 0, 255)
        folder = args.folder / names[label]
        folder.mkdir(parents=True, exist_ok=True)
        ending = "jpg" if rng.integers(2) else "png"
        how = {"quality": 90} if ending == "jpg" else {}
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{i:05d}.{ending}", **how)


if __name__ == "__main__":
    main()
