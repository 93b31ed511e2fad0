#!/bin/sh
# SPDX-License-Identifier: MIT
# safetensors 0.8.0 (PyPI), with NumPy 2.4.6.
# save_file of safetensors.numpy writes an array that is a view, such as W.T or W[::2], as if it were
# contiguous: the shape is right, the numbers are others, and nothing is said. Who transposes the
# weights of a layer before saving needs numpy.ascontiguousarray.
# Seen: [[0, 3], [1, 4], [2, 5]] comes back as [[0, 1], [2, 3], [4, 5]].
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check safetensors==0.8.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'PY'
import numpy as np
from safetensors.numpy import load_file, save_file

w = np.arange(6.0).reshape(2, 3)
save_file({"view": w.T, "copy": np.ascontiguousarray(w.T)}, "w.safetensors")
back = load_file("w.safetensors")
print("saved:", w.T.tolist(), "read:", back["view"].tolist())
assert back["copy"].tolist() == w.T.tolist()
assert back["view"].tolist() == [[0, 1], [2, 3], [4, 5]]
PY
