#!/bin/sh
# SPDX-License-Identifier: MIT
# opencv-python-headless 5.0.0.93 and Pillow 13.0.0 (PyPI).
# cv2.imread turns a picture as its tag of orientation says, of JPEG and of PNG (eXIf) alike, but not with
# IMREAD_UNCHANGED, the flag that people take to keep an alpha channel; Pillow's open never does. Who
# writes training data with one and reads it with the other has pictures that lie on their side.
# Seen: of 16 x 8 pixels with orientation 6, OpenCV has 8 x 16; with IMREAD_UNCHANGED 16 x 8; Pillow 16 x 8.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check pillow==13.0.0 \
    opencv-python-headless==5.0.0.93
cd "$folder"
venv/bin/python - <<'PY'
import cv2
from PIL import Image

exif = Image.Exif()
exif[0x0112] = 6
for name in ("picture.jpg", "picture.png"):
    Image.new("RGB", (16, 8)).save(name, exif=exif)
    sizes = [cv2.imread(name, flag).shape[1::-1] for flag in (cv2.IMREAD_COLOR, cv2.IMREAD_GRAYSCALE,
                                                               cv2.IMREAD_UNCHANGED)]
    print(name, "OpenCV, colour, grey, unchanged:", sizes, "Pillow:", Image.open(name).size)
    assert sizes == [(8, 16), (8, 16), (16, 8)] and Image.open(name).size == (16, 8)
PY
