#!/bin/sh
# SPDX-License-Identifier: MIT
# pandas 3.1.1 and PyArrow 26.0.1 (PyPI).
# Two readers lose digits of whole numbers silently, each in its own case. pandas reads 19 digits as int64,
# but as float64 if one cell of the column is empty. PyArrow does the first and the second rightly, and
# reads numbers from 2^63 on, which fit uint64, as double. Rows that differ then belong together.
# Seen: 1 different id of 2 in pandas with an empty cell; 1 of 2 in PyArrow from 9223372036854775808 on.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check pandas==3.1.1 pyarrow==26.0.1
cd "$folder"
printf 'id,x\n1582218195625938944,1\n1582218195625938945,2\n' > ids.csv
{ cat ids.csv; echo ,3; } > empty.csv
printf 'id,x\n9223372036854775808,1\n9223372036854775809,2\n' > large.csv
venv/bin/python - <<'PY'
import pandas as pd
import pyarrow.csv

def different(path):
    return (pd.read_csv(path)["id"].nunique(),
            len(pyarrow.csv.read_csv(path)["id"].drop_null().unique()))

found = {name: different(name) for name in ("ids.csv", "empty.csv", "large.csv")}
print("different ids of 2 (pandas, PyArrow):", found)
assert found == {"ids.csv": (2, 2), "empty.csv": (1, 2), "large.csv": (2, 1)}
PY
