#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Distorted images a second on one core: glia, and NumPy with SciPy, in turn.

usage: bench/augment.py [--library FILE] [--rounds 5] [--images 60000] [--write PAGE]

Needs NumPy and SciPy, which build/bench-venv has once bench/compare.py has run. The images are
MNIST's training set; the settings are glia_augmentation_default's. SciPy's way is the one of most
tutorials: an image at a time, displacements drawn by NumPy, gaussian_filter (cut off at 3 sigma, as
glia's is), map_coordinates (order 1) at the places of the affine map and the displacements together.
Times are those of the processor, so that neighbours on the machine count little.
"""
import argparse
import ctypes
import os
import sys
import tempfile
import time

import numpy
from scipy import ndimage

from common import FILES, ROOT, median, number, publish, say, table, uncompress_mnist

SIDE = 28
SCIPY_IMAGES = 2000
KINDS = {"affine": ("shift", "rotation", "scale", "shear"),
         "elastic": ("elastic_alpha", "elastic_sigma"),
         "affine and elastic": None}
LEVELS = ("avx512", "avx2", "baseline")


class Augmentation(ctypes.Structure):
    """The numbers of a distortion."""
    _fields_ = [(name, ctypes.c_double) for name in
                ("shift", "rotation", "scale", "shear", "elastic_alpha", "elastic_sigma")]


# Fields of the structure that are called otherwise as settings.
NAMES = {"rotation": "rotate", "elastic_alpha": "elastic", "elastic_sigma": "elastic-sigma"}


def make_settings(library, values):
    settings = ctypes.c_void_p()
    assert library.glia_settings_create(ctypes.byref(settings), None) == 0
    for name, value in values.items():
        assert library.glia_settings_set(settings, name.encode(), str(value).encode(), None) == 0
    return settings


def usual_settings(library):
    """What --augment comes to."""
    settings = make_settings(library, {"augment": "yes"})
    assert library.glia_settings_settle(settings, None) == 0
    library.glia_settings_number.restype = ctypes.c_double
    how = Augmentation()
    for name, _ in Augmentation._fields_:
        setattr(how, name, library.glia_settings_number(settings, NAMES.get(name, name).encode()))
    library.glia_settings_free(settings)
    return how


def settings_of(library, how):
    """Settings of a structure, kept by it."""
    if not hasattr(how, "settings"):
        values = {NAMES.get(name, name): getattr(how, name) for name, _ in Augmentation._fields_}
        if how.elastic_alpha == 0:
            del values["elastic-sigma"]
        how.settings = make_settings(library, values)
    return how.settings


def only(usual, names):
    """The usual settings, others than those named zero."""
    return usual if names is None else Augmentation(**{n: getattr(usual, n) for n in names})


def measure_glia(library, level, how, images):
    """Images a second; None if this CPU lacks the level."""
    os.environ["GLIA_CPU"] = level
    out = numpy.empty_like(images)
    begun = time.thread_time()
    status = library.glia_augment(
        settings_of(library, how), images.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(len(images)),
        ctypes.c_size_t(SIDE), ctypes.c_size_t(SIDE), ctypes.c_uint64(1), ctypes.c_size_t(0),
        ctypes.c_size_t(0), out.ctypes.data_as(ctypes.c_void_p), None)
    return len(images) / (time.thread_time() - begun) if status == 0 else None


def distort(image, how, rng, places):
    """One image as SciPy distorts it."""
    angle = numpy.radians(rng.uniform(-how.rotation, how.rotation))
    scales = rng.uniform(1 - how.scale, 1 + how.scale, 2)
    shear = rng.uniform(-how.shear, how.shear)
    shift = rng.uniform(-how.shift, how.shift, 2)
    c, s = numpy.cos(angle), numpy.sin(angle)
    # of (y, x): rotation after shear after scales, the other way round
    matrix = numpy.linalg.inv(numpy.array([[c, s], [-s, c]]) @ [[1, 0], [shear, 1]] @
                              numpy.diag(scales))
    middle = (SIDE - 1) / 2
    at = numpy.einsum("ij,jyx->iyx", matrix, places - middle - shift[:, None, None]) + middle
    if how.elastic_alpha > 0:
        at += how.elastic_alpha * numpy.stack([ndimage.gaussian_filter(
            rng.uniform(-1, 1, (SIDE, SIDE)), how.elastic_sigma, mode="constant", truncate=3)
            for _ in range(2)])
    return numpy.rint(ndimage.map_coordinates(image.astype(numpy.float32), at, order=1,
                                              mode="constant")).astype(numpy.uint8)


def measure_scipy(how, images):
    rng = numpy.random.default_rng(1)
    places = numpy.mgrid[:SIDE, :SIDE].astype(float)
    begun = time.thread_time()
    for image in images:
        distort(image, how, rng, places)
    return len(images) / (time.thread_time() - begun)


def read_images(count):
    with tempfile.TemporaryDirectory(dir=os.path.join(ROOT, "build"), prefix="bench-") as scratch:
        folder = os.path.join(scratch, "mnist")
        uncompress_mnist(folder)
        images = numpy.fromfile(os.path.join(folder, FILES[0]), numpy.uint8, offset=16)
    return images.reshape(-1, SIDE, SIDE)[:count].copy()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", default=os.path.join(ROOT, "build", "src", "libglia.so"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=60000)
    parser.add_argument("--write", metavar="PAGE")
    options = parser.parse_args()

    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    library = ctypes.CDLL(options.library)
    usual = usual_settings(library)
    os.makedirs(os.path.join(ROOT, "build"), exist_ok=True)
    images = read_images(options.images)

    rows = []
    for kind, names in KINDS.items():
        how = only(usual, names)
        speeds = {level: [] for level in LEVELS}
        peer = []
        for turn in range(options.rounds):
            say(f"{kind}, round {turn + 1}")
            for level, found in speeds.items():
                found.append(measure_glia(library, level, how, images))
            peer.append(measure_scipy(how, images[:SCIPY_IMAGES]))
        medians = [median([x for x in found if x]) for found in speeds.values()]
        best = next((x for x in medians if x), None)
        if best is None:
            sys.exit(f"{options.library}: glia_augment fails")
        rows.append([kind, *map(number, medians), number(median(peer)),
                     number(best / median(peer))])
    os.sched_setaffinity(0, cores)
    publish("### Distorted images of 28 x 28 pixels a second, one core\n\n" + table(
        ["", *(f"glia, {level}" for level in LEVELS), "NumPy and SciPy", "times as fast"], rows),
        options.write)


if __name__ == "__main__":
    main()
