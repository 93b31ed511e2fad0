# SPDX-License-Identifier: MIT
"""Folders of pictures written by Pillow and OpenCV: a folder for each class, as ImageFolder wants it.

What is expected are the pixels in the order of the samples: (n, h, w) of grey, (n, h, w, 3) of
colour. Where the pictures are lossy they are what Pillow reads, and the slack is what decoders differ
by.
"""
import os
import shutil
import subprocess

import cv2
import numpy as np
from PIL import Image, ImageOps

CLASSES = ("cat", "dog")
EACH = 5
ORIENTATION = 0x0112


def grey(rng, h=7, w=9):
    """Smooth enough for JPEG, and alike in no two corners."""
    y, x = np.mgrid[0:h, 0:w]
    a, b, d = rng.uniform(2, 12, 3)
    return np.clip(20 + a * x + b * y + d * (x > w / 2) * (y > h / 3) * 4, 0, 255).astype("u1")


def colour(rng, h=7, w=9):
    return np.dstack([grey(rng, h, w), 255 - grey(rng, h, w), grey(rng, h, w)])


def luma(rgb):
    """Rec. 601, as Pillow and OpenCV have it."""
    return rgb.astype(float) @ [0.299, 0.587, 0.114]


def samples(draw, seed=1, **shape):
    rng = np.random.default_rng(seed)
    return [(label, i, draw(rng, **shape)) for label in CLASSES for i in range(EACH)]


class Folders:
    def __init__(self, corpus):
        self.c = corpus

    def save(self, name, tool, how, drawn, write, shown=None, slack=0, suffix="png", options=(),
             where="{label}/{i}.{suffix}", rows=None):
        """Writes a folder; shown turns what was drawn into the pixels that are expected."""
        pixels = []
        for label, i, array in drawn:
            path = self.c.path(f"pictures/{name}/" + where.format(label=label, i=i, suffix=suffix))
            write(array, path)
            pixels.append(array if shown is None else shown(array, path))
        kept = f"{name}.npy"
        np.save(self.c.path(f"pictures/{kept}"), np.array(pixels))
        h, w, *depth = pixels[0].shape
        self.c.add(f"pictures/{name}", tool, how, {
            "rows": len(drawn), "features": h * w * (depth[0] if depth else 1), "task": "classes",
            "classes": {label: EACH for label in CLASSES}, "train": [], "pixels": kept,
            "slack": slack}, options)


def by_pillow(**how):
    """Writes an array as it is, or converted to a mode, with the options of Image.save."""
    mode, convert = how.pop("mode", None), how.pop("convert", None)

    def write(array, path):
        image = Image.fromarray(array, mode) if mode else Image.fromarray(array)
        if convert:
            image = convert(image)
        image.save(path, **how)
    return write


def by_opencv(*flags):
    def write(array, path):
        cv2.imwrite(path, array[..., ::-1] if array.ndim == 3 else array, list(flags))
    return write


def as_pillow_reads(mode):
    return lambda array, path: np.asarray(Image.open(path).convert(mode))


def as_shown(array, path):
    """The picture as viewers show it: turned as its tag says."""
    return np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("L"))


def with_alpha(image):
    image = image.convert("LA" if image.mode == "L" else "RGBA")
    image.putalpha(255)
    return image


def write_png(folders):
    greys, colours = samples(grey), samples(colour)
    save = folders.save
    save("png-grey", "Pillow", "grey PNG", greys, by_pillow())
    save("png-rgb", "Pillow", "RGB PNG", colours, by_pillow())
    save("png-rgb-as-grey", "Pillow", "RGB PNG, --colour grey: Rec. 601", colours, by_pillow(),
         lambda a, path: np.round(luma(a)).astype("u1"), 1, options=("--colour", "grey"))
    save("png-palette", "Pillow", "palette of 256 colours", colours,
         by_pillow(convert=lambda image: image.quantize(256)), as_pillow_reads("RGB"))
    save("png-palette-16", "Pillow", "palette of 16 colours, 4 bits a pixel", colours,
         by_pillow(convert=lambda image: image.quantize(16)), as_pillow_reads("RGB"))
    save("png-bilevel", "Pillow", "1 bit a pixel", greys, by_pillow(
        convert=lambda image: image.convert("1", dither=0)), as_pillow_reads("L"))
    save("png-grey-alpha", "Pillow", "grey and an opaque alpha", greys,
         by_pillow(convert=with_alpha))
    save("png-rgba", "Pillow", "RGB and an opaque alpha", colours, by_pillow(convert=with_alpha))
    sixteen = [(label, i, a.astype("u2") * 257) for label, i, a in greys]
    save("png-16", "Pillow", "16 bits, grey", sixteen, by_pillow(),
         lambda a, path: (a // 257).astype("u1"))
    save("png-opencv", "OpenCV", "imwrite, colour", colours, by_opencv())
    save("png-opencv-grey", "OpenCV", "imwrite, grey", greys, by_opencv())
    save("png-opencv-16", "OpenCV", "imwrite, grey of 16 bits", sixteen, by_opencv(),
         lambda a, path: (a // 257).astype("u1"))
    save("png-opencv-16-colour", "OpenCV", "imwrite, colour of 16 bits",
         [(label, i, a.astype("u2") * 257) for label, i, a in colours], by_opencv(),
         lambda a, path: (a // 257).astype("u1"))
    save("png-opencv-bilevel", "OpenCV", "IMWRITE_PNG_BILEVEL", [
        (label, i, ((a > 60) * 255).astype("u1")) for label, i, a in greys],
         by_opencv(cv2.IMWRITE_PNG_BILEVEL, 1))
    save("png-transparency", "Pillow", "a colour that is transparent (tRNS), not used", colours,
         by_pillow(transparency=(1, 2, 3)))
    save("png-upper", "Pillow", "names that end in .PNG", greys, by_pillow(format="PNG"),
         suffix="PNG")


def by_netpbm(*options):
    """pnmtopng, which can interlace."""
    def write(array, path):
        kind, depth = (b"P6", 3) if array.ndim == 3 else (b"P5", 1)
        h, w = array.shape[:2]
        top = 65535 if array.dtype.itemsize == 2 else 255
        pnm = b"%s\n%d %d\n%d\n" % (kind, w, h, top) + array.astype(
            ">u2" if top > 255 else "u1").tobytes()
        with open(path, "wb") as out:
            subprocess.run(["pnmtopng", "-quiet", *options], input=pnm, stdout=out, check=True)
    return write


def write_interlaced(folders):
    if not shutil.which("pnmtopng"):
        folders.c.missing_tools.append("netpbm")
        return
    for name, drawn in (("grey", samples(grey)), ("rgb", samples(colour))):
        sixteen = [(label, i, a.astype("u2") * 256 + 131) for label, i, a in drawn]  # not 257 a
        folders.save(f"interlaced-{name}", "netpbm", f"interlaced, {name}", drawn,
                     by_netpbm("-interlace"))
        folders.save(f"interlaced-16-{name}", "netpbm", f"interlaced, {name} of 16 bits", sixteen,
                     by_netpbm("-interlace"), lambda a, path: (a // 257).astype("u1"), 1)


def write_jpeg(folders):
    greys, colours = samples(grey, h=16, w=24), samples(colour, h=16, w=24)
    save = folders.save
    read = as_pillow_reads("RGB")
    save("jpeg-grey", "Pillow", "grey JPEG", greys, by_pillow(quality=95), as_pillow_reads("L"), 2,
         "jpg")
    save("jpeg-rgb", "Pillow", "colour, 4:4:4", colours, by_pillow(quality=95, subsampling=0), read,
         3, "jpg")
    save("jpeg-420", "Pillow", "colour, 4:2:0, called .jpeg", colours,
         by_pillow(quality=90, subsampling=2), read, 6, "jpeg")
    save("jpeg-progressive", "Pillow", "progressive", colours,
         by_pillow(quality=95, progressive=True, subsampling=0), read, 3, "jpg")
    save("jpeg-optimize", "Pillow", "optimize=True, dpi, comment", colours,
         by_pillow(quality=95, subsampling=0, optimize=True, dpi=(300, 300), comment=b"cat"), read,
         3, "jpg")
    save("jpeg-cmyk", "Pillow", "CMYK", colours,
         by_pillow(quality=97, subsampling=0, convert=lambda image: image.convert("CMYK")), read, 6,
         "jpg")
    save("jpeg-opencv", "OpenCV", "imwrite, quality 95", colours,
         by_opencv(cv2.IMWRITE_JPEG_QUALITY, 95), read, 6, "jpg")
    save("jpeg-opencv-progressive", "OpenCV", "progressive, restart markers", colours,
         by_opencv(cv2.IMWRITE_JPEG_PROGRESSIVE, 1, cv2.IMWRITE_JPEG_RST_INTERVAL, 2), read, 6,
         "jpg")
    save("jpeg-as-grey", "Pillow", "colour, --colour grey", colours,
         by_pillow(quality=97, subsampling=0), as_pillow_reads("L"), 3, "jpg",
         options=("--colour", "grey"))


def write_oriented(folders):
    """A picture that is stored turned, with the tag that turns it back."""
    upright = samples(grey, h=16, w=24)
    for tag in range(2, 9):
        exif = Image.Exif()
        exif[ORIENTATION] = tag
        folders.save(f"exif-{tag}", "Pillow", f"JPEG with orientation {tag}", upright,
                     by_pillow(quality=95, exif=exif), as_shown, 2, "jpg")
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    folders.save("exif-png-6", "Pillow", "PNG with an eXIf chunk, orientation 6", upright,
                 by_pillow(exif=exif), as_shown)


def write_other(folders):
    greys, colours = samples(grey), samples(colour)
    save = folders.save
    save("pgm-pillow", "Pillow", "PGM, P5", greys, by_pillow(), suffix="pgm")
    save("pgm-opencv", "OpenCV", "PGM, P5", greys, by_opencv(cv2.IMWRITE_PXM_BINARY, 1),
         suffix="pgm")
    save("pgm-plain", "OpenCV", "PGM, P2", greys, by_opencv(cv2.IMWRITE_PXM_BINARY, 0),
         suffix="pgm")
    save("nested", "Pillow", "folders below the class's", greys, by_pillow(),
         where="{label}/part{i}/{i}.{suffix}")
    save("train-only", "Pillow", "a folder train alone", greys, by_pillow(),
         where="train/{label}/{i}.{suffix}")
    save("spaces", "Pillow", "names with blanks and umlauts", greys, by_pillow(),
         where="{label}/Bild {i} größer.{suffix}")
    rng = np.random.default_rng(3)
    sizes = [(label, i, colour(rng, 12 + i, 20 - i)) for label in CLASSES for i in range(EACH)]
    for label, i, array in sizes:
        path = folders.c.path(f"pictures/mixed-sizes/{label}/{i}.png")
        by_pillow()(array, path)
    folders.c.add("pictures/mixed-sizes", "Pillow", "pictures of several sizes, --image-size 8x8", {
        "rows": 2 * EACH, "features": 8 * 8 * 3, "classes": {label: EACH for label in CLASSES},
        "train": []}, ("--image-size", "8x8"))
    for label, i, array in colours:
        by_pillow()(array if i else grey(rng), folders.c.path(f"pictures/mixed-modes/{label}/{i}.png"))
    folders.c.add("pictures/mixed-modes", "Pillow", "grey ones among coloured ones", {
        "rows": 2 * EACH, "features": 7 * 9 * 3, "classes": {label: EACH for label in CLASSES},
        "train": []})
    for split, n in (("train", 5), ("test", 2)):
        for label, i, array in greys:
            if i < n:
                by_pillow()(array, folders.c.path(f"pictures/train-test/{split}/{label}/{i}.png"))
    folders.c.add("pictures/train-test", "Pillow", "folders train and test", {
        "rows": 2 * EACH, "features": 63, "classes": {label: EACH for label in CLASSES},
        "train": []})


def write_all(c):
    shutil.rmtree(os.path.join(c.folder, "pictures"), ignore_errors=True)
    folders = Folders(c)
    for write in (write_png, write_interlaced, write_jpeg, write_oriented, write_other):
        write(folders)
