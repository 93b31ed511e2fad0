#!/bin/sh
# SPDX-License-Identifier: MIT
# liac-arff 2.5.0 and SciPy 1.17.1 (PyPI).
# liac-arff puts the name of an attribute that has a blank in it between double quotes, values between
# single ones. scipy.io.arff takes only single quotes for names, and refuses the file that the other
# library has written.
# Seen: @ATTRIBUTE "x y" REAL, then: ParseArffError: unknown attribute y" REAL
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check scipy==1.17.1 liac-arff==2.5.0
cd "$folder"
venv/bin/python - <<'PY'
import io

import arff
from scipy.io.arff import ParseArffError, loadarff

text = arff.dumps({"relation": "r", "attributes": [("x y", "REAL")], "data": [[1.5]]})
assert '@ATTRIBUTE "x y" REAL' in text
assert loadarff(io.StringIO(text.replace('"', "'")))[0]["x y"].tolist() == [1.5]
try:
    loadarff(io.StringIO(text))
except ParseArffError as error:
    print("ParseArffError:", error)
else:
    raise SystemExit("SciPy reads names between double quotes now")
PY
