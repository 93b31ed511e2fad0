# SPDX-License-Identifier: MIT
"""Files written by programs that are not Python: R, Octave, SQLite, PostgreSQL, LibreOffice, awk.

They are given the rows in the plainest form, with the types said, and write them in their own way.
"""
import csv
import os
import pwd
import shutil
import subprocess
import tempfile

from data import N, expected_table, measures, people, pick

LEVEL = ("age", "height", "city", "income", "level")
C_UTF8 = dict(os.environ, LC_ALL="C.UTF-8")


def have(c, tool, command):
    if shutil.which(command):
        return True
    c.missing_tools.append(tool)
    return False


def write_source(folder):
    """people.csv and measures.csv: what the programs read. A missing cell is empty."""
    for name, table in (("people", people()), ("measures", measures())):
        with open(os.path.join(folder, name + ".csv"), "w", newline="", encoding="utf-8") as f:
            writer = csv.writer(f, lineterminator="\n")
            writer.writerow(table)
            writer.writerows(zip(*table.values()))


def run(words, folder, **how):
    done = subprocess.run(words, cwd=folder, env=C_UTF8, capture_output=True, text=True,
                          check=False, **how)
    if done.returncode != 0:
        raise SystemExit(f"{words[0]}: {done.stderr or done.stdout}")
    return done.stdout


R_SCRIPT = """
people <- read.csv("people.csv", colClasses = c("integer", "numeric", "character", "character",
                   "Date", "numeric", "character"), na.strings = "", encoding = "UTF-8")
people$member <- people$member == "True"
small <- people[, c("age", "height", "city", "income", "level")]
m <- read.csv("measures.csv")
out <- function(name) file.path(target, name)
write.csv(people, out("write.csv-row-names.csv"))
write.csv(people, out("write.csv.csv"), row.names = FALSE)
write.csv(small, out("write.csv-na-empty.csv"), row.names = FALSE, na = "")
write.csv2(small, out("write.csv2.csv"), row.names = FALSE)
write.csv2(people, out("write.csv2-row-names.csv"))
write.table(small, out("write.table.txt"))
write.table(small, out("write.table-no-row-names.txt"), row.names = FALSE)
write.table(small, out("write.table-no-quotes.tsv"), row.names = FALSE, quote = FALSE, sep = "\\t")
write.table(m, out("matrix.txt"), row.names = FALSE, col.names = FALSE)
write.table(small, out("write.table-no-names.csv"), row.names = FALSE, col.names = FALSE, sep = ",")
rownames(m) <- paste0("sample", seq_len(nrow(m)))
write.csv(m, out("named-rows.csv"))
write.table(m, out("named-rows.txt"), quote = FALSE)
write.table(m, out("col-names-NA.tsv"), sep = "\\t", col.names = NA)
big <- data.frame(n = c(1e5, 2e5, 123456, 1e15)[1 + seq_len(60) %% 4], x = m$x1)
write.csv(big, out("exponents.csv"), row.names = FALSE)
f <- data.frame(size = factor(c(5, 10, 1e5)[1 + seq_len(60) %% 3]), x = m$x1)
write.csv(f, out("factor-of-numbers.csv"), row.names = FALSE)
if (requireNamespace("data.table", quietly = TRUE)) {
    data.table::fwrite(people, out("fwrite.csv"))
    data.table::fwrite(small, out("fwrite-na.csv"), na = "NA")
    data.table::fwrite(small, out("fwrite-dec.csv"), sep = ";", dec = ",")
    data.table::fwrite(people, out("fwrite-logical01.csv"), logical01 = TRUE)
    data.table::fwrite(small, out("fwrite-quote.csv"), quote = TRUE, row.names = TRUE)
    data.table::fwrite(small, out("fwrite-yaml.csv"), yaml = FALSE, eol = "\\r\\n", bom = TRUE)
}
if (requireNamespace("readr", quietly = TRUE)) {
    readr::write_csv(people, out("readr.csv"))
    readr::write_excel_csv(small, out("readr-excel.csv"))
    readr::write_excel_csv2(small, out("readr-excel2.csv"))
    readr::write_tsv(small, out("readr.tsv"))
    readr::write_delim(small, out("readr-delim.txt"))
}
"""


def write_r(c):
    if not have(c, "R", "Rscript"):
        return
    target = os.path.dirname(c.path("r/x"))
    with tempfile.TemporaryDirectory() as folder:
        write_source(folder)
        run(["Rscript", "--vanilla", "-e", f"target <- '{os.path.abspath(target)}'\n{R_SCRIPT}"],
            folder)
    everything, small, m = people(), pick(people(), *LEVEL), measures()
    whole = expected_table(everything, classes="level")
    plain = expected_table(small, classes="level")
    bare = expected_table(small, header=False, classes="level")
    named = expected_table(small, classes="level", row_names=range(N))
    whole_named = expected_table(everything, classes="level", row_names=range(N))
    numbers = dict(expected_table(m), task="values")
    numbers_named = dict(expected_table(m, row_names=range(N)), task="values")
    big = {"n": [[1e5, 2e5, 123456, 1e15][(i + 1) % 4] for i in range(N)], "x": m["x1"]}
    sizes = {"size": [[5, 10, 1e5][(i + 1) % 3] for i in range(N)], "x": m["x1"]}
    for name, how, expected in (
            ("write.csv-row-names.csv", "write.csv: an unnamed column of row names", whole_named),
            ("write.csv.csv", "write.csv(row.names = FALSE)", whole),
            ("write.csv-na-empty.csv", "write.csv(na = '')", plain),
            ("write.csv2.csv", "write.csv2: semicolons and decimal commas", plain),
            ("write.csv2-row-names.csv", "write.csv2 with row names", whole_named),
            ("write.table.txt", "write.table: the header is a cell shorter", named),
            ("write.table-no-row-names.txt", "write.table(row.names = FALSE)", plain),
            ("write.table-no-quotes.tsv", "write.table(quote = FALSE, sep = tab)", plain),
            ("matrix.txt", "numbers between blanks, no header",
             dict(expected_table(m, header=False), task="values")),
            ("write.table-no-names.csv", "write.table(col.names = FALSE)", bare),
            ("named-rows.csv", "row names that are texts", numbers_named),
            ("named-rows.txt", "row names that are texts, the header a cell shorter",
             numbers_named),
            ("col-names-NA.tsv", "write.table(col.names = NA)", numbers_named),
            ("exponents.csv", "1e+05 beside 123456", expected_table(big)),
            ("factor-of-numbers.csv", "a factor of 5, 10 and 1e+05, quoted",
             expected_table(sizes, kinds={"size": "any"})),
            ("fwrite.csv", "data.table::fwrite", whole),
            ("fwrite-na.csv", "fwrite(na = 'NA')", plain),
            ("fwrite-dec.csv", "fwrite(sep = ';', dec = ',')", plain),
            ("fwrite-logical01.csv", "fwrite(logical01 = TRUE)", whole),
            ("fwrite-quote.csv", "fwrite(quote = TRUE, row.names = TRUE)", named),
            ("fwrite-yaml.csv", "fwrite(eol = CRLF, bom = TRUE)", plain),
            ("readr.csv", "readr::write_csv", whole),
            ("readr-excel.csv", "readr::write_excel_csv", plain),
            ("readr-excel2.csv", "readr::write_excel_csv2", plain),
            ("readr.tsv", "readr::write_tsv", plain),
            ("readr-delim.txt", "readr::write_delim: blanks, quotes", plain)):
        if os.path.exists(c.path(f"r/{name}")):
            c.add(f"r/{name}", "R", how, expected)


OCTAVE_SCRIPT = """
fid = fopen("measures.csv"); fgetl(fid); fclose(fid);
A = dlmread("measures.csv", ",", 1, 0);
csvwrite([target "/csvwrite.csv"], A);
dlmwrite([target "/dlmwrite-tab.txt"], A, "\\t");
dlmwrite([target "/dlmwrite-blank.txt"], A, "delimiter", " ", "precision", "%.6e");
dlmwrite([target "/dlmwrite-semicolon.csv"], A, ";", "precision", 8);
save("-ascii", [target "/save-ascii.txt"], "A");
save("-text", [target "/save-text.txt"], "A");
B = A; B(3, 2) = NaN; B(9, 4) = NaN;
csvwrite([target "/csvwrite-nan.csv"], B);
fid = fopen([target "/fprintf.csv"], "w");
fprintf(fid, "x1,x2,x3,x4,y\\n");
fprintf(fid, "%g,%g,%g,%g,%g\\n", A');
fclose(fid);
fid = fopen([target "/percent.txt"], "w");
fprintf(fid, "%% x1 x2 x3 x4 y\\n");
fprintf(fid, "%10.4f %10.4f %10.4f %10.4f %10.4f\\n", A');
fclose(fid);
csvwrite([target "/integers.csv"], [round(A(:, 1:3) * 10) (A(:, 5) > -3)]);
"""


def write_octave(c):
    if not have(c, "Octave", "octave-cli"):
        return
    target = os.path.dirname(c.path("octave/x"))
    with tempfile.TemporaryDirectory() as folder:
        write_source(folder)
        run(["octave-cli", "--no-gui", "--norc", "--eval",
             f"target = '{os.path.abspath(target)}';\n{OCTAVE_SCRIPT}"], folder)
    m = measures()
    bare = dict(expected_table(m, header=False), task="values")
    numbers = dict(expected_table(m), task="values")
    holes = dict(m, x2=[None if i == 2 else v for i, v in enumerate(m["x2"])],
                 x4=[None if i == 8 else v for i, v in enumerate(m["x4"])])
    whole = {name: [float(int(10 * v + (0.5 if v > 0 else -0.5))) for v in m[name]]
             for name in ("x1", "x2", "x3")}
    whole["big"] = [int(v > -3) for v in m["y"]]
    for name, how, expected in (
            ("csvwrite.csv", "csvwrite", bare),
            ("dlmwrite-tab.txt", "dlmwrite, tabs", bare),
            ("dlmwrite-blank.txt", "dlmwrite, blanks, %.6e", bare),
            ("dlmwrite-semicolon.csv", "dlmwrite, semicolons", bare),
            ("save-ascii.txt", "save -ascii: a blank begins each line", bare),
            ("save-text.txt", "save -text: five lines of comment, a blank begins each line", bare),
            ("csvwrite-nan.csv", "csvwrite of NaN", dict(expected_table(holes, header=False),
                                                         task="values")),
            ("fprintf.csv", "fprintf of %g", numbers),
            ("percent.txt", "a header behind %, numbers in columns", numbers),
            ("integers.csv", "a matrix of whole numbers", dict(
                expected_table(whole, header=False), task="classes"))):
        c.add(f"octave/{name}", "Octave", how, expected)


SQL_SOURCE = """
CREATE TABLE people (age INTEGER, height DOUBLE PRECISION, city TEXT, member BOOLEAN, joined DATE,
                     income DOUBLE PRECISION, level TEXT);
CREATE TABLE measures (x1 DOUBLE PRECISION, x2 DOUBLE PRECISION, x3 DOUBLE PRECISION,
                       x4 DOUBLE PRECISION, y DOUBLE PRECISION);
"""


def sql_value(value):
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return repr(value) if isinstance(value, (int, float)) else f"'{value}'"


def inserts():
    return SQL_SOURCE + "".join(
        f"INSERT INTO {name} VALUES ({', '.join(map(sql_value, row))});\n"
        for name, table in (("people", people()), ("measures", measures()))
        for row in zip(*table.values()))


def write_sqlite(c):
    if not have(c, "SQLite", "sqlite3"):
        return
    everything, small, m = people(), pick(people(), *LEVEL), measures()
    plain = expected_table(small, classes="level")
    select = "SELECT age, height, city, income, level FROM people;"
    with tempfile.TemporaryDirectory() as folder:
        base = os.path.join(folder, "base")
        run(["sqlite3", base], folder, input=inserts())

        def save(name, how, commands, query, expected, options=()):
            text = run(["sqlite3", *commands, base, query], folder)
            with open(c.path(f"sqlite/{name}"), "w", encoding="utf-8", newline="") as f:
                f.write(text)
            c.add(f"sqlite/{name}", "SQLite", how, expected, options)

        save("csv.csv", "sqlite3 -csv -header", ["-csv", "-header"], "SELECT * FROM people;",
             expected_table(everything, classes="level"))
        save("csv-no-header.csv", "sqlite3 -csv", ["-csv"], select,
             expected_table(small, header=False, classes="level"))
        save("list.txt", "sqlite3 -header: bars", ["-header"], select, plain)
        save("tabs.tsv", ".mode tabs", ["-header", "-cmd", ".mode tabs"], select, plain)
        save("separator.csv", "-separator ';'", ["-header", "-separator", ";"], select, plain)
        save("nullvalue.csv", "-nullvalue NULL", ["-csv", "-header", "-nullvalue", "NULL"], select,
             plain)
        save("quote.csv", ".mode csv, printf('%.3e')", ["-csv", "-header"],
             "SELECT printf('%.6e', x1) AS x1, printf('%.6e', x2) AS x2, printf('%.6e', y) AS y "
             "FROM measures;", dict(expected_table(pick(m, "x1", "x2", "y")), task="values"))


def write_postgres(c):
    """COPY, by a server of one user in a folder of its own; which refuses to be root."""
    binaries = "/usr/lib/postgresql/15/bin"
    if not os.path.exists(f"{binaries}/initdb"):
        c.missing_tools.append("PostgreSQL")
        return
    everything, small, m = people(), pick(people(), *LEVEL), measures()
    whole = expected_table(everything, classes="level")
    plain = expected_table(small, classes="level")
    columns = "(age, height, city, income, level)"
    files = (
        ("csv-header.csv", "people", "FORMAT csv, HEADER", "COPY, csv: t and f", whole),
        ("csv.csv", "measures", "FORMAT csv", "COPY, csv, no header",
         dict(expected_table(m, header=False), task="values")),
        ("text.tsv", "people" + columns, "FORMAT text", "COPY, text: tabs and \\N",
         expected_table(small, header=False, classes="level")),
        ("text-header.tsv", "people" + columns, "FORMAT text, HEADER",
         "COPY, text, header: \\N", plain),
        ("text-all.tsv", "people", "FORMAT text, HEADER", "COPY, text: t, f, dates", whole),
        ("null-NA.csv", "people" + columns, "FORMAT csv, HEADER, NULL 'NA'", "NULL 'NA'", plain),
        ("semicolon.csv", "people" + columns, "FORMAT csv, HEADER, DELIMITER ';'",
         "DELIMITER ';'", plain),
        ("force-quote.csv", "people" + columns, "FORMAT csv, HEADER, FORCE_QUOTE *",
         "FORCE_QUOTE *", plain),
        ("real.csv", "(SELECT x1::real, x2::real, y::real FROM measures)", "FORMAT csv, HEADER",
         "columns of real", dict(expected_table(pick(m, "x1", "x2", "y")), task="values")),
        ("numeric.csv", "(SELECT x1::numeric(12,6), x2::numeric(12,6), y::numeric FROM measures)",
         "FORMAT csv, HEADER", "columns of numeric",
         dict(expected_table(pick(m, "x1", "x2", "y")), task="values")),
        ("timestamp.csv", "(SELECT joined::timestamp AS joined, age, level FROM people)",
         "FORMAT csv, HEADER", "a timestamp",
         expected_table(pick(everything, "joined", "age", "level"), classes="level")),
        ("timestamptz.csv", "(SELECT joined::timestamptz AS joined, age, level FROM people)",
         "FORMAT csv, HEADER", "a timestamp with time zone: +00",
         expected_table(pick(everything, "joined", "age", "level"), classes="level")),
        ("bigint.csv", "(SELECT 1582218195625938944 + row_number() OVER () AS id, age, level "
         "FROM people)", "FORMAT csv, HEADER", "bigint as identifiers",
         expected_table({"id": list(range(N)), **pick(everything, "age", "level")},
                        kinds={"id": "identifier"}, classes="level")),
        ("uuid.csv", "(SELECT md5(row_number() OVER ()::text)::uuid AS id, age, level "
         "FROM people)", "FORMAT csv, HEADER", "uuid as identifiers",
         expected_table({"id": list(range(N)), **pick(everything, "age", "level")},
                        kinds={"id": "identifier"}, classes="level")),
        ("boolean-target.csv", "(SELECT x1, x2, y > -3 AS above FROM measures)",
         "FORMAT csv, HEADER", "t and f as the target", expected_table(
             {"x1": m["x1"], "x2": m["x2"], "above": [v > -3 for v in m["y"]]})))
    as_user = []
    if os.geteuid() == 0:
        user = pwd.getpwnam("postgres")
        as_user = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        data = os.path.join(folder, "data")
        run([*as_user, f"{binaries}/initdb", "-D", data, "-E", "UTF8", "--locale=C.UTF-8",
             "--no-sync"], folder)
        commands = "".join(line + "\n" for line in inserts().replace(",\n", ", ").split("\n"))
        for name, source, options, _, _ in files:
            commands += f"COPY {source} TO '{folder}/{name}' WITH ({options});\n"
        run([*as_user, f"{binaries}/postgres", "--single", "-D", data, "-c", "timezone=UTC",
             "postgres"], folder, input=commands)
        for name, _, _, how, expected in files:
            shutil.copyfile(os.path.join(folder, name), c.path(f"postgresql/{name}"))
            c.add(f"postgresql/{name}", "PostgreSQL", how, expected)


# Options of LibreOffice's filter "Text - txt - csv": separator, quote, characters (76: UTF-8), first
# line, formats of columns, language (0: the office's), quote all texts, cells as they are shown.
OFFICE = {
    "default": ("44,34,76,1,,0,false,true,false", "commas"),
    "semicolon": ("59,34,76,1,,0,false,true,false", "semicolons"),
    "tab": ("9,34,76,1,,0,false,true,false", "tabs, called .csv"),
    "quoted": ("44,34,76,1,,0,true,true,false", "all texts quoted"),
    "stored": ("44,34,76,1,,0,false,false,false", "cells as stored: numbers in quotes"),
    "apostrophes": ("59,39,76,1,,0,false,false,false", "numbers between apostrophes"),
    "bar": ("124,34,76,1,,0,true,true,false", "bars"),
    "latin-1": ("59,34,12,1,,0,false,true,false", "ISO 8859-1"),
}
GERMAN = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Setup/L10N"><prop oor:name="ooSetupSystemLocale" oor:op="fuse">
<value>de-DE</value></prop></item></oor:items>
"""


def write_office(c):
    """soffice --convert-to csv, in an English office and, with few of the options, in a German one."""
    if not have(c, "LibreOffice", "soffice"):
        return
    tables = {"people": people(), "measures": measures()}
    for country, names in (("english", OFFICE), ("german", ("semicolon", "quoted", "stored"))):
        with tempfile.TemporaryDirectory() as folder:
            write_source(folder)
            if country == "german":
                os.makedirs(f"{folder}/profile/user")
                with open(f"{folder}/profile/user/registrymodifications.xcu", "w",
                          encoding="utf-8") as f:
                    f.write(GERMAN)
            convert = ["soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless",
                       "--convert-to"]
            run([*convert, "ods", "--infilter=CSV:44,34,76,1,,1033,false,true",
                 *(f"{name}.csv" for name in tables)], folder, timeout=300)
            for name in names:
                options, how = OFFICE[name]
                run([*convert, f"csv:Text - txt - csv (StarCalc):{options}", "--outdir", "out",
                     *(f"{table}.ods" for table in tables)], folder, timeout=300)
                for table, rows in tables.items():
                    if name == "apostrophes" and table == "people":
                        continue  # no reader takes dates between apostrophes for dates untold
                    to = f"libreoffice/{table}-{country}-{name}.csv"
                    shutil.move(f"{folder}/out/{table}.csv", c.path(to))
                    c.add(to, "LibreOffice", f"{country}, {how}", expected_table(
                        rows, classes="level" if table == "people" else None))


def write_awk(c):
    """awk and printf: formats of C, -nan and inf among them."""
    if not have(c, "gawk", "gawk"):
        return
    m = measures()
    with tempfile.TemporaryDirectory() as folder:
        write_source(folder)

        def save(name, how, program, expected, options=()):
            text = run(["gawk", "-F,", program, "measures.csv"], folder)
            with open(c.path(f"awk/{name}"), "w", encoding="utf-8") as f:
                f.write(text)
            c.add(f"awk/{name}", "gawk", how, expected, options)

        three = pick(m, "x1", "x2", "y")
        bare = dict(expected_table(three, header=False), task="values")
        save("print.txt", "print: blanks, no header", "NR > 1 { print $1, $2, $5 }", bare)
        save("printf-columns.txt", "printf of %12.4f: columns of blanks",
             'NR > 1 { printf "%12.4f%12.4f%12.4f\\n", $1, $2, $5 }', bare)
        save("printf-g.csv", "printf of %g with a header",
             'NR == 1 { print "x1,x2,y" } NR > 1 { printf "%g,%g,%g\\n", $1, $2, $5 }',
             dict(expected_table(three), task="values"))
        save("printf-plus.csv", "printf of %+.6e",
             'NR > 1 { printf "%+.6e,%+.6e,%+.6e\\n", $1, $2, $5 }', bare)
        logs = {"x1": m["x1"], "log": [None if i % 10 == 0 else v for i, v in
                                       enumerate(m["x2"], 1)], "y": m["y"]}
        save("minus-nan.csv", "-nan, as printf writes it in C",
             'NR == 1 { print "x1,log,y" } NR > 1 { printf "%s,%s,%s\\n", $1, '
             '(NR - 1) % 10 ? $2 : "-nan", $5 }', dict(expected_table(logs), task="values"))
        save("trailing-separator.csv", "a comma at the end of each line",
             'NR == 1 { print "x1,x2,y," } NR > 1 { print $1 "," $2 "," $5 "," }',
             {"rows": N}, ("--drop", "4"))
        save("quoted-numbers.csv", "numbers in quotes",
             'NR == 1 { print "x1,x2,y" } NR > 1 { printf "\\"%s\\",\\"%s\\",\\"%s\\"\\n", '
             '$1, $2, $5 }', dict(expected_table(three), task="values"))
        save("blank-lines.csv", "a blank line after every ten",
             'NR == 1 { print "x1,x2,y" } NR > 1 { print $1 "," $2 "," $5; '
             'if (NR % 10 == 0) print "" }', dict(expected_table(three), task="values"))
        save("no-last-newline.csv", "no line end at the end",
             'NR == 1 { printf "x1,x2,y" } NR > 1 { printf "\\n%s,%s,%s", $1, $2, $5 }',
             dict(expected_table(three), task="values"))


def write_all(c):
    for write in (write_r, write_octave, write_sqlite, write_postgres, write_office, write_awk):
        write(c)
