# SPDX-License-Identifier: MIT
"""Files written by pandas, Polars, PyArrow, DuckDB and Python's csv."""
import csv
import gzip
import io

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv

from data import CITIES, N, expected_table, measures, people, pick

LEVEL = ("age", "height", "city", "income", "level")


def pandas_frame(table):
    frame = pd.DataFrame(table)
    if "age" in frame:
        frame["age"] = frame["age"].astype("Int64")
    return frame


def write_pandas(c):
    """pandas.DataFrame.to_csv and its options."""
    everything, small = people(), pick(people(), *LEVEL)
    whole = expected_table(everything, classes="level")
    plain = expected_table(small, classes="level")

    def save(name, how, table, expected, options=(), index=False, **arguments):
        pandas_frame(table).to_csv(c.path(f"pandas/{name}"), index=index, **arguments)
        c.add(f"pandas/{name}", "pandas", how, expected, options)

    save("all-kinds.csv", "to_csv(index=False)", everything, whole)
    save("index.csv", "to_csv(), with the index as an unnamed first column", small,
         expected_table(small, classes="level", row_names=range(N)), index=True)
    save("semicolon.csv", "sep=';', decimal=','", small, plain, sep=";", decimal=",")
    save("tab.tsv", "sep='\\t'", small, plain, sep="\t")
    save("bar.txt", "sep='|'", small, plain, sep="|")
    save("no-header.csv", "header=False", small,
         expected_table(small, header=False, classes="level"), header=False)
    save("quote-all.csv", "quoting=QUOTE_ALL", small, plain, quoting=csv.QUOTE_ALL)
    save("quote-nonnumeric.csv", "quoting=QUOTE_NONNUMERIC", small, plain,
         quoting=csv.QUOTE_NONNUMERIC)
    save("na-NaN.csv", "na_rep='NaN'", small, plain, na_rep="NaN")
    save("na-NA.csv", "na_rep='NA'", small, plain, na_rep="NA")
    save("na-null.csv", "na_rep='null'", small, plain, na_rep="null")
    save("na-backslash.csv", "na_rep='\\N'", small, plain, na_rep="\\N")
    save("na-dot.csv", "na_rep='.', read with --missing .", small, plain, ("--missing", "."),
         na_rep=".")
    save("na-minus-999.csv", "na_rep='-999', read with --missing", small, plain,
         ("--missing", "-999"), na_rep="-999")
    save("crlf.csv", "lineterminator='\\r\\n'", small, plain, lineterminator="\r\n")
    save("bom.csv", "encoding='utf-8-sig'", small, plain, encoding="utf-8-sig")
    save("compressed.csv.gz", "compression='gzip'", small, plain)
    save("float-format.csv", "float_format='%.6e'", small, plain, float_format="%.6e")
    m = measures()
    values = dict(expected_table(m), task="values")
    save("measures.csv", "numbers alone", m, values)
    save("measures-index.csv", "numbers alone, with the index", m,
         dict(expected_table(m, row_names=range(N)), task="values"), index=True)
    save("measures-no-header.csv", "numbers alone, header=False", m,
         dict(expected_table(m, header=False), task="values"), header=False)
    numbered = {str(i): v for i, v in enumerate(m.values())}
    save("numbered-columns.csv", "columns called 0, 1, 2, ... as of an array", numbered,
         dict(expected_table(numbered), task="values"))
    save("numbered-index.csv", "columns called 0, 1, 2, ... and the index", numbered,
         dict(expected_table(numbered, row_names=range(N)), task="values"), index=True)
    years = {str(2015 + i): v for i, v in enumerate(m.values())}
    save("year-columns.csv", "columns called 2015, 2016, ...", years,
         dict(expected_table(years), task="values"))
    labelled = {"0": m["x1"], "1": m["x2"], "2": m["x3"], "target": people()["level"]}
    save("array-and-target.csv", "columns 0, 1, 2 and target", labelled,
         expected_table(labelled, classes="target"))
    wide = measures(n=20, columns=300)
    save("wide.csv", "301 columns, 20 rows", wide, dict(expected_table(wide), task="values"))
    flags = {"a": m["x1"], "ok": people()["member"]}
    save("boolean-target.csv", "True and False as the target", flags,
         dict(expected_table(flags, classes="ok"), classes_any_case=True))
    ids = {"id": [1582218195625938944 + i for i in range(N)], "a": m["x1"], "level":
           people()["level"]}
    save("large-ids.csv", "whole numbers of 19 digits", ids,
         expected_table(ids, kinds={"id": "identifier"}, classes="level"))
    names = {"Größe (cm)": m["x1"], "price, EUR": m["x2"], "say \"hi\"": m["x3"],
             "señal": people()["level"]}
    save("names.csv", "column names with commas, quotes, umlauts", names,
         expected_table(names, classes="señal"))
    notes = dict(pick(people(), "age", "city"))
    notes["city"] = [f"{v or CITIES[0]}, \"{'north' if i % 2 else 'south'}\"\nside"
                     for i, v in enumerate(notes["city"])]
    notes["level"] = people()["level"]
    save("line-breaks.csv", "cells with commas, quotes and line breaks", notes,
         expected_table(notes, classes="level"))
    escaped = dict(notes, city=[v.replace("\n", " ") for v in notes["city"]])
    save("escape.csv", "doublequote=False, escapechar='\\\\'", escaped,
         expected_table(escaped, classes="level"), doublequote=False, escapechar="\\")
    two = {"A": m["x1"], "B": m["x2"], "C": people()["level"]}
    frame = pd.DataFrame(two)
    stamps = pd.date_range("2024-01-01", periods=N, freq="h")
    frame.insert(0, "time", stamps)
    frame.to_csv(c.path("pandas/timestamps.csv"), index=False)
    c.add("pandas/timestamps.csv", "pandas", "a column of Timestamps", expected_table(
        {"time": list(stamps), **two}, classes="C"))
    frame.set_index("time").to_csv(c.path("pandas/datetime-index.csv"))
    c.add("pandas/datetime-index.csv", "pandas", "a DatetimeIndex", expected_table(
        {"time": list(stamps), **two}, classes="C"))
    frame.assign(time=stamps.tz_localize("Europe/Berlin")).to_csv(
        c.path("pandas/time-zone.csv"), index=False)
    c.add("pandas/time-zone.csv", "pandas", "Timestamps with a time zone", expected_table(
        {"time": list(stamps.tz_localize("Europe/Berlin")), **two}, classes="C"))
    save("date-format.csv", "date_format='%d.%m.%Y'", everything, whole, date_format="%d.%m.%Y")
    save("ints-as-floats.csv", "a column of integers with a missing cell: 5.0",
         {"a": [None if i == 2 else i % 7 for i in range(N)], "k": m["x2"]},
         expected_table({"a": [None if i == 2 else i % 7 for i in range(N)], "k": m["x2"]}))
    pd.get_dummies(pd.DataFrame(pick(people(missing=False), "age", "city", "income"))).to_csv(
        c.path("pandas/dummies.csv"), index=False)
    cities = people(missing=False)["city"]
    dummies = {"age": people()["age"], "income": people()["income"],
               **{f"city_{name}": [v == name for v in cities] for name in CITIES}}
    c.add("pandas/dummies.csv", "pandas", "get_dummies: True and False", expected_table(dummies),
          ("--target", "income"))
    frame = pd.DataFrame(pick(people(missing=False), "city", "level", "income"))
    pivot = frame.groupby(["city", "level"], as_index=False)["income"].mean()
    pivot.to_csv(c.path("pandas/grouped.csv"), index=False)
    c.add("pandas/grouped.csv", "pandas", "a groupby of twelve rows or less", expected_table(
        {name: pivot[name].tolist() for name in pivot}))


def write_polars(c):
    """polars.DataFrame.write_csv and its options."""
    everything, small = people(), pick(people(), *LEVEL)
    whole = expected_table(everything, classes="level")
    plain = expected_table(small, classes="level")

    def save(name, how, table, expected, options=(), **arguments):
        pl.DataFrame(table).write_csv(c.path(f"polars/{name}"), **arguments)
        c.add(f"polars/{name}", "Polars", how, expected, options)

    save("all-kinds.csv", "write_csv()", everything, whole)
    save("semicolon.csv", "separator=';'", small, plain, separator=";")
    save("semicolon-decimal.csv", "separator=';', decimal_comma=True", small, plain,
         separator=";", decimal_comma=True)
    save("tab.tsv", "separator='\\t'", small, plain, separator="\t")
    save("null-NA.csv", "null_value='NA'", small, plain, null_value="NA")
    save("null-backslash.csv", "null_value='\\N'", small, plain, null_value="\\N")
    save("bom.csv", "include_bom=True", small, plain, include_bom=True)
    save("crlf.csv", "line_terminator='\\r\\n'", small, plain, line_terminator="\r\n")
    save("quote-always.csv", "quote_style='always'", small, plain, quote_style="always")
    save("quote-non-numeric.csv", "quote_style='non_numeric'", small, plain,
         quote_style="non_numeric")
    save("no-header.csv", "include_header=False", small,
         expected_table(small, header=False, classes="level"), include_header=False)
    m = measures()
    save("scientific.csv", "float_scientific=True", m, dict(expected_table(m), task="values"),
         float_scientific=True)
    save("precision.csv", "float_precision=4", m, dict(expected_table(m), task="values"),
         float_precision=4)
    special = dict(m, x2=[None if i % 9 == 4 else v for i, v in enumerate(m["x2"])])
    frame = pl.DataFrame(special).with_columns(pl.col("x2").fill_null(float("nan")))
    frame.write_csv(c.path("polars/nan.csv"))
    c.add("polars/nan.csv", "Polars", "NaN in a column of floats", dict(
        expected_table(special), task="values"))
    one = {"v": [None if i in (4, 20) else v for i, v in enumerate(m["x1"])], "c":
           people()["level"]}
    save("dates.csv", "date_format='%d/%m/%Y'", everything, whole, date_format="%d/%m/%Y")
    save("two-columns.csv", "two columns, missing numbers", one,
         expected_table(one, classes="c"))
    single = {"v": one["v"]}
    pl.DataFrame(single).write_csv(c.path("polars/one-column.csv"))
    c.add("polars/one-column.csv", "Polars", "one column: missing cells are blank lines", dict(
        expected_table(single), model_of="two-columns.csv"))


def write_arrow(c):
    """pyarrow.csv.write_csv, which quotes texts and leaves missing cells empty."""
    everything, small = people(), pick(people(), *LEVEL)

    def save(name, how, table, expected, **arguments):
        pa.csv.write_csv(pa.table(table), c.path(f"pyarrow/{name}"),
                         pa.csv.WriteOptions(**arguments))
        c.add(f"pyarrow/{name}", "PyArrow", how, expected)

    plain = expected_table(small, classes="level")
    save("all-kinds.csv", "write_csv", everything, expected_table(everything, classes="level"))
    save("tab.tsv", "delimiter='\\t'", small, plain, delimiter="\t")
    save("quoted.csv", "quoting_style='all_valid'", small, plain, quoting_style="all_valid")
    save("no-header.csv", "include_header=False", small,
         expected_table(small, header=False, classes="level"), include_header=False)
    save("unquoted.csv", "quoting_style='none'", small, plain, quoting_style="none")
    m = measures()
    f32 = pa.table({name: pa.array(v, pa.float32()) for name, v in m.items()})
    pa.csv.write_csv(f32, c.path("pyarrow/float32.csv"))
    c.add("pyarrow/float32.csv", "PyArrow", "columns of float32",
          dict(expected_table(m), task="values"))
    with gzip.open(c.path("pyarrow/small.csv.gz"), "wb") as f:
        pa.csv.write_csv(pa.table(small), f)
    c.add("pyarrow/small.csv.gz", "PyArrow", "into a gzip stream", plain)


def write_duckdb(c):
    """COPY of DuckDB."""
    everything, small = people(), pick(people(), *LEVEL)
    db = duckdb.connect()
    db.register("everything", pa.table(everything))
    db.register("small", pa.table(small))
    db.register("measures", pa.table(measures()))

    def save(name, how, source, options, expected):
        path = c.path(f"duckdb/{name}")
        db.execute(f"COPY {source} TO '{path}' ({options})")
        c.add(f"duckdb/{name}", "DuckDB", how, expected)

    plain = expected_table(small, classes="level")
    save("all-kinds.csv", "COPY (HEADER)", "everything", "FORMAT csv, HEADER",
         expected_table(everything, classes="level"))
    save("bar.csv", "DELIMITER '|'", "small", "FORMAT csv, HEADER, DELIMITER '|'", plain)
    save("null-NA.csv", "NULLSTR 'NA'", "small", "FORMAT csv, HEADER, NULLSTR 'NA'", plain)
    save("null-backslash.csv", "NULLSTR '\\N'", "small", "FORMAT csv, HEADER, NULLSTR '\\N'", plain)
    save("force-quote.csv", "FORCE_QUOTE *", "small", "FORMAT csv, HEADER, FORCE_QUOTE *", plain)
    save("single-quote.csv", "FORCE_QUOTE (city)", "small",
         "FORMAT csv, HEADER, FORCE_QUOTE (city)", plain)
    save("no-header.csv", "HEADER false", "small", "FORMAT csv, HEADER false",
         expected_table(small, header=False, classes="level"))
    save("compressed.csv.gz", "COMPRESSION gzip", "small",
         "FORMAT csv, HEADER, COMPRESSION gzip", plain)
    save("timestamp.csv", "TIMESTAMPFORMAT", "(SELECT joined::TIMESTAMP AS t, age, level "
         "FROM everything)", "FORMAT csv, HEADER, TIMESTAMPFORMAT '%Y-%m-%d %H:%M:%S'",
         expected_table({"t": everything["joined"], **pick(everything, "age", "level")},
                        classes="level"))
    m = measures()
    save("infinite-precision.csv", "DOUBLE divided by 3", "(SELECT x1 / 3 AS a, x2 AS b, y "
         "FROM measures)", "FORMAT csv, HEADER",
         dict(expected_table({"a": [v / 3 for v in m["x1"]], "b": m["x2"], "y": m["y"]}),
              task="values"))
    save("decimal.csv", "DECIMAL(12, 2)", "(SELECT age, income::DECIMAL(12,2) AS income "
         "FROM everything)", "FORMAT csv, HEADER",
         dict(expected_table(pick(everything, "age", "income")), task="values"))
    save("hugeint.csv", "HUGEINT as identifiers", "(SELECT 9223372036854775807::HUGEINT + "
         "row_number() OVER () AS id, age, level FROM everything)", "FORMAT csv, HEADER",
         expected_table({"id": list(range(N)), **pick(everything, "age", "level")},
                        kinds={"id": "identifier"}, classes="level"))
    db.close()


def write_python(c):
    """csv of Python's library, in its three dialects, and with what people set by hand."""
    small = pick(people(), *LEVEL)
    plain = expected_table(small, classes="level")

    def text(header=True, missing="", **dialect):
        out = io.StringIO()
        writer = csv.writer(out, **dialect)
        if header:
            writer.writerow(small)
        for row in zip(*small.values()):
            writer.writerow([missing if v is None else v for v in row])
        return out.getvalue()

    def save(name, how, content, expected, options=(), encoding="utf-8"):
        with open(c.path(f"python/{name}"), "w", newline="", encoding=encoding) as f:
            f.write(content)
        c.add(f"python/{name}", "Python", how, expected, options)

    save("excel.csv", "csv.writer, dialect excel", text(), plain)
    save("excel-tab.csv", "csv.writer, dialect excel-tab", text(dialect="excel-tab"), plain)
    save("unix.csv", "csv.writer, dialect unix", text(dialect="unix"), plain)
    save("sep-line.csv", "sep=; in the first line, for Excel",
         "sep=;\r\n" + text(delimiter=";"), plain)
    save("comment.csv", "a comment before the header", "# made on Monday\n" + text(), plain)
    save("none-word.csv", "None for missing cells", text(missing="None"), plain)
    save("question.data", "? for missing cells, no header, as UCI's", text(False, "?"),
         expected_table(small, header=False, classes="level"))
    save("spaces.csv", "a blank after each comma",
         text().replace(",", ", "), plain)
    save("cr.csv", "CR alone at the end of lines", text(lineterminator="\r"), plain)


def write_all(c):
    np.random.seed(0)
    for write in (write_pandas, write_polars, write_arrow, write_duckdb, write_python):
        write(c)
