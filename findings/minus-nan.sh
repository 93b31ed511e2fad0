#!/bin/sh
# SPDX-License-Identifier: MIT
# pandas 3.1.1, PyArrow 26.0.1, DuckDB 2.0.1 and Polars 2.1.0 (PyPI), of -nan, which printf of C, awk and
# C++ streams write for log(-1) on x86.
# One column, three readings: a missing cell (pandas, PyArrow), a double that is not a number (DuckDB), and
# in Polars a text, which makes texts of the whole column without a word; Polars reads NaN and -inf.
# Seen: float64, double with 1 null, DOUBLE with 0 NULLs, String.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check pandas==3.1.1 pyarrow==26.0.1 \
    duckdb==2.0.1 polars==2.1.0
cd "$folder"
printf 'x,y\n1.5,a\n-nan,b\n2.5,c\n-inf,d\n' > table.csv
sed s/-nan/NaN/ table.csv > NaN.csv
venv/bin/python - <<'PY'
import duckdb
import pandas as pd
import polars as pl
import pyarrow.csv

frame, arrow = pd.read_csv("table.csv"), pyarrow.csv.read_csv("table.csv")
kind, nulls = duckdb.sql("SELECT typeof(any_value(x)), count(*) - count(x) "
                         "FROM read_csv('table.csv')").fetchall()[0]
print("pandas:", frame.x.dtype, "PyArrow:", arrow["x"].type, arrow["x"].null_count, "null, DuckDB:",
      kind, nulls, "NULL, Polars:", pl.read_csv("table.csv")["x"].dtype)
assert frame.x.dtype == "float64" and frame.x.isna().sum() == 1
assert str(arrow["x"].type) == "double" and arrow["x"].null_count == 1
assert (kind, nulls) == ("DOUBLE", 0)
assert pl.read_csv("table.csv")["x"].dtype == pl.String
assert pl.read_csv("NaN.csv")["x"].dtype == pl.Float64
PY
