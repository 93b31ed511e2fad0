#!/bin/sh
# SPDX-License-Identifier: MIT
# XGBoost 3.2.0 and scikit-learn 1.9.1 (PyPI).
# The same sparse text, with indices from 1 as LIBSVM has them, is read as 4 columns by XGBoost's DMatrix
# and as 3 by load_svmlight_file: XGBoost counts from 0 and adds an empty column 0, unless the path ends
# in &indexing_mode=1; scikit-learn guesses. Importances and models do not fit each other's columns.
# Seen: DMatrix.num_col() is 4, or 3 with indexing_mode=1; scikit-learn's shape is (2, 3).
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check scikit-learn==1.9.1
"$folder/venv/bin/pip" install -q --disable-pip-version-check --no-deps xgboost==3.2.0
cd "$folder"
printf '0 1:5 2:1 3:2\n1 1:6 2:3 3:4\n' > data.libsvm
venv/bin/python -W ignore - <<'PY'
import xgboost
from sklearn.datasets import load_svmlight_file

plain = xgboost.DMatrix("data.libsvm?format=libsvm").num_col()
told = xgboost.DMatrix("data.libsvm?format=libsvm&indexing_mode=1").num_col()
peer = load_svmlight_file("data.libsvm")[0].shape[1]
print("columns: XGBoost", plain, "with indexing_mode=1", told, "scikit-learn", peer)
assert (plain, told, peer) == (4, 3, 3)
PY
