#!/bin/sh
# SPDX-License-Identifier: MIT
# pandas 3.1.1 and DuckDB 2.0.1 (PyPI).
# A DataFrame of an array has columns called 0, 1, 2, ..., and to_csv writes them as the header. DuckDB's
# sniffer sees a row of numbers above numbers, takes it for data, and calls the columns column0, column1.
# Seen: 3 rows are read as 4, the first of them (0, 1).
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check pandas==3.1.1 duckdb==2.0.1 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'PY'
import duckdb
import numpy as np
import pandas as pd

pd.DataFrame(np.arange(10, 16).reshape(3, 2)).to_csv("array.csv", index=False)
table = duckdb.sql("FROM read_csv('array.csv')")
print(table.columns, table.fetchall())
assert table.columns == ["column0", "column1"]
assert table.fetchall() == [(0, 1), (10, 11), (12, 13), (14, 15)]
assert pd.read_csv("array.csv").shape == (3, 2)
PY
