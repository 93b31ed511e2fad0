#!/bin/sh
# SPDX-License-Identifier: MIT
# SciPy 1.17.1 and liac-arff 2.5.0 (PyPI).
# In ARFF ? is a missing value, of numbers and of categories. scipy.io.arff.loadarff reads it as NaN in a
# numeric attribute and as the category b'?' in a nominal one, which the file does not declare;
# liac-arff reads None in both.
# Seen: SciPy [(b'Oslo', 1.0), (b'?', nan)], liac-arff [['Oslo', 1.0], [None, None]].
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check scipy==1.17.1 liac-arff==2.5.0
cd "$folder"
cat > t.arff <<'ARFF'
@relation towns
@attribute city {Oslo, Rome}
@attribute x numeric
@data
Oslo,1
?,?
ARFF
venv/bin/python - <<'PY'
import arff
import scipy.io.arff

rows, meta = scipy.io.arff.loadarff("t.arff")
with open("t.arff") as f:
    theirs = arff.load(f)["data"]
print("SciPy:", rows.tolist(), meta["city"][1], "liac-arff:", theirs)
assert rows["city"].tolist() == [b"Oslo", b"?"] and meta["city"][1] == ("Oslo", "Rome")
assert rows["x"][1] != rows["x"][1]
assert theirs == [["Oslo", 1.0], [None, None]]
PY
