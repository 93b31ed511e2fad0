#!/bin/sh
# SPDX-License-Identifier: MIT
# scikit-learn 1.9.1 (PyPI).
# load_svmlight_file guesses whether indices count from 0 or from 1 (zero_based="auto") by the smallest
# index of the file. In a file written by dump_svmlight_file, which counts from 0, whose first feature
# happens to be 0 in all rows, every feature moves one column to the left; n_features does not help,
# it appends an empty column on the right. A model trained on another part of the data then reads each
# feature as its neighbour.
# Seen: rows [0, 1, 2] and [0, 3, 4] come back as [1, 2, 0] and [3, 4, 0] with n_features=3.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check scikit-learn==1.9.1
cd "$folder"
venv/bin/python - <<'PY'
from sklearn.datasets import dump_svmlight_file, load_svmlight_file

dump_svmlight_file([[0, 1, 2], [0, 3, 4]], [0, 1], "part.svm")
guessed = load_svmlight_file("part.svm", n_features=3)[0].toarray().tolist()
told = load_svmlight_file("part.svm", n_features=3, zero_based=True)[0].toarray().tolist()
print("written: [[0, 1, 2], [0, 3, 4]] read:", guessed)
assert told == [[0, 1, 2], [0, 3, 4]]
assert guessed == [[1, 2, 0], [3, 4, 0]]
PY
