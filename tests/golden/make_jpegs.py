#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes tests/golden/jpegs.h, small JPEG images of each kind with the pixels that Pillow reads from
them, and the same as the seeds of fuzz/corpus/jpeg.

usage: tests/golden/make_jpegs.py (wants Pillow)
"""
import io
import os
import struct

from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
CORPUS = os.path.join(HERE, "..", "..", "fuzz", "corpus", "jpeg")


def picture(mode, width, height):
    image = Image.new("RGB", (width, height))
    for y in range(height):
        for x in range(width):
            image.putpixel((x, y), ((x * 23) % 256, (y * 17 + x) % 256, ((x + y) * 9) % 256))
    return image.convert(mode)


def encoded(mode, width, height, **options):
    out = io.BytesIO()
    picture(mode, width, height).save(out, "JPEG", quality=85, **options)
    return out.getvalue()


def array(name, data):
    lines = [f"static const unsigned char {name}[] = {{"]
    for i in range(0, len(data), 16):
        lines.append("    " + ", ".join(f"0x{b:02x}" for b in data[i:i + 16]) + ",")
    return "\n".join(lines + ["};"])


def main():
    files = {
        "grey": encoded("L", 9, 7),
        "rgb": encoded("RGB", 9, 7, subsampling=0),
        "subsampled": encoded("RGB", 17, 12, subsampling=2),
        "progressive": encoded("RGB", 17, 12, progressive=True),
        "grey_progressive": encoded("L", 20, 20, progressive=True),
        "restarts": encoded("RGB", 17, 12, restart_marker_blocks=1),
        "cmyk": encoded("CMYK", 9, 7),
    }
    os.makedirs(CORPUS, exist_ok=True)
    parts = ["/* SPDX-License-Identifier: MIT */",
             "/* Written by tests/golden/make_jpegs.py: JPEG images, and the pixels in them. */",
             "#ifndef GLIA_TESTS_GOLDEN_JPEGS_H", "#define GLIA_TESTS_GOLDEN_JPEGS_H", "",
             "/* clang-format off */"]
    for name, data in files.items():
        parts.append(array("jpeg_" + name, data))
        decoded = Image.open(io.BytesIO(data))
        if name == "cmyk":
            decoded = decoded.convert("RGB")
        parts.append(array(f"jpeg_{name}_pixels", decoded.tobytes()))
        with open(os.path.join(CORPUS, name.replace("_", "-") + ".jpg"), "wb") as out:
            out.write(data)
    tiff = struct.pack("<2sHIHHHIHHI", b"II", 42, 8, 1, 0x0112, 3, 1, 6, 0, 0)
    exif = b"\xff\xe1" + struct.pack(">H", 8 + len(tiff)) + b"Exif\0\0" + tiff
    for name, data in {"turned": files["rgb"][:2] + exif + files["rgb"][2:],
                       "odd": files["rgb"][:-2] + b"odd bytes" + files["rgb"][-2:],
                       "cut": files["rgb"][:-30], "cut-header": files["grey"][:100],
                       "huge": files["grey"].replace(b"\x00\x07\x00\x09", b"\x30\x00\x30\x00"),
                       "not": b"\xff\xd8\xff\xe0 no image"}.items():
        with open(os.path.join(CORPUS, name + ".jpg"), "wb") as out:
            out.write(data)
    parts += ["/* clang-format on */", "", "#endif", ""]
    with open(os.path.join(HERE, "jpegs.h"), "w", encoding="utf-8") as out:
        out.write("\n".join(parts))


main()
