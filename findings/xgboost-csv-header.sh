#!/bin/sh
# SPDX-License-Identifier: MIT
# XGBoost 3.2.0 (PyPI).
# DMatrix("FILE.csv?format=csv&label_column=0") knows no header: names of columns are read as a sample
# of zeros whose label is 0, without a word. A table as pandas writes it gains a row.
# Seen: two rows below "y,a,b" are read as three, with labels 0, 1, 0.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/pip" install -q --disable-pip-version-check --no-deps xgboost==3.2.0
cd "$folder"
printf 'y,a,b\n1,2,3\n0,5,6\n' > table.csv
venv/bin/python -W ignore - <<'PY'
import xgboost

table = xgboost.DMatrix("table.csv?format=csv&label_column=0")
print("rows:", table.get_data().toarray().tolist(), "labels:", table.get_label().tolist())
assert table.get_label().tolist() == [0, 1, 0]
assert table.get_data().toarray().tolist() == [[0, 0], [2, 3], [5, 6]]
PY
