#!/bin/sh
# SPDX-License-Identifier: MIT
# Pillow 13.0.0 and opencv-python-headless 5.0.0.93 (PyPI).
# Image.convert("L") of a PNG of 16 bits cuts every value above 255 off to 255, where others divide by
# 257 or take the higher byte: nearly every picture becomes white. A colour PNG of 16 bits is divided
# when it is opened, and so is right. cv2.imread of the same file is right in both.
# Seen: 0, 20000, 40000, 65535 become 0, 255, 255, 255 (Pillow) and 0, 78, 156, 255 (OpenCV).
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check pillow==13.0.0 \
    opencv-python-headless==5.0.0.93 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'PY'
import cv2
import numpy as np
from PIL import Image

grey = np.array([[0, 20000, 40000, 65535]], "u2")
Image.fromarray(grey).save("grey.png")
cv2.imwrite("colour.png", np.dstack([grey] * 3))
pillow = np.asarray(Image.open("grey.png").convert("L"))[0].tolist()
opencv = cv2.imread("grey.png", cv2.IMREAD_GRAYSCALE)[0].tolist()
colour = np.asarray(Image.open("colour.png").convert("L"))[0].tolist()
print("Pillow:", pillow, "OpenCV:", opencv, "Pillow, from RGB:", colour)
assert pillow == [0, 255, 255, 255]
assert opencv == [0, 78, 156, 255] and colour == [0, 78, 156, 255]
PY
