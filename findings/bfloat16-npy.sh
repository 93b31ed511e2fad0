#!/bin/sh
# SPDX-License-Identifier: MIT
# NumPy 2.4.6 and ml_dtypes 0.6.0 (PyPI; the types of JAX and TensorFlow).
# numpy.save takes an array of bfloat16 without a word and writes its type as <V2, bytes without meaning.
# What comes back is no number; float8 and int4 come back as |V1, which nothing tells apart.
# Seen: dtype |V2 and b'\x80?' for 1.0; |V1 for float8_e4m3fn and for int4.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check numpy==2.4.6 ml_dtypes==0.6.0
cd "$folder"
venv/bin/python - <<'PY'
import ml_dtypes
import numpy as np

for kind, kept in (("bfloat16", "|V2"), ("float8_e4m3fn", "|V1"), ("int4", "|V1")):
    np.save("x.npy", np.ones(2, getattr(ml_dtypes, kind)))
    back = np.load("x.npy")
    print(kind, "is read as", back.dtype.str, back)
    assert back.dtype.str == kept
np.save("x.npy", np.ones(2, ml_dtypes.bfloat16))
assert np.load("x.npy").view(ml_dtypes.bfloat16).tolist() == [1, 1]  # who knows the type gets it
PY
