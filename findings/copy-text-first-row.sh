#!/bin/sh
# SPDX-License-Identifier: MIT
# DuckDB 2.0.1, pandas 3.1.1 and Polars 2.1.0 (PyPI), of a file as PostgreSQL's COPY writes it by default:
# tabs, no header, \N for NULL.
# One \N makes a column of numbers a column of texts in all three. DuckDB, told nothing, then takes the
# first row for names: where every column has become text, any row may be a header. The row is gone.
# Seen: columns '1' and 'x', both VARCHAR, and 2 rows of 3; with nullstr='\N' 3 rows, BIGINT.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check duckdb==2.0.1 pandas==3.1.1 polars==2.1.0
cd "$folder"
printf '1\tx\n\\N\ty\n3\tz\n' > copy.tsv
venv/bin/python - <<'PY'
import duckdb
import pandas as pd
import polars as pl

table = duckdb.sql("FROM read_csv('copy.tsv')")
told = duckdb.sql("FROM read_csv('copy.tsv', nullstr='\\N')")
print("DuckDB:", table.columns, list(map(str, table.types)), table.fetchall())
print("told of \\N:", list(map(str, told.types)), told.fetchall())
assert table.columns == ["1", "x"] and len(table.fetchall()) == 2
assert list(map(str, table.types)) == ["VARCHAR", "VARCHAR"]
assert str(told.types[0]) == "BIGINT" and len(told.fetchall()) == 3
assert pl.read_csv("copy.tsv", separator="\t", has_header=False).dtypes == [pl.String, pl.String]
assert pd.read_csv("copy.tsv", sep="\t", header=None).dtypes.tolist()[0] == "str"
PY
