# SPDX-License-Identifier: MIT
"""
What a model is used for after training: eval says which samples its score is from, predict answers
what it is given, from files and through pipes.

    python3 tests/test_predict.py [PROGRAM]      (else $GLIA)
"""
import csv
import io
import json
import os
import random
import re
import subprocess

from harness import (ENV, HERE, PROGRAM, Skip, expect, glia, make_data, path, pgm, picture, run_tests, test,
                     write)


def rows(n, seed, groups=20, names=True):
    """a, b, the group, and whether a > b, with some noise."""
    rng = random.Random(seed)
    lines = ["a,b,patient,y"]
    for _ in range(n):
        a, b, g = rng.random(), rng.random(), rng.randrange(groups)
        yes = a - b + rng.gauss(0, 0.2) > 0
        lines.append(f"{a:.4f},{b:.4f},{'p%d' % g if names else g},{'yes' if yes else 'no'}")
    return ("\n".join(lines) + "\n").encode()


def trained(data, *options):
    """Trains on it, and returns the outcome."""
    return glia("train", data, "--epochs", "5", "-o", "m.safetensors", "--json", *options).json()


@test("advice of predict and eval names options that they have")
def _():
    model = trained("a.csv", "--drop", "patient", "--target", "y")["model"]
    write("day.csv", "d,c,y\n".encode() + b"".join(
        f"2024-01-{i % 28 + 1:02},{'uvw'[i % 3]},{'pq'[i // 2 % 2]}\n".encode() for i in range(60)))
    glia("train", "day.csv", "--epochs", 1, "-o", "day.safetensors", "-q")
    for command in ("predict", "eval"):
        known = set(glia("help", "--options", command).out.split())
        advised = set()
        for of, content in ((model, b"a,b,a,y\n1,2,3,no\n"), (model, b"a,,b,y\n1,9,2,no\n2,3,4,no\n"),
                            (model, b"a,b,y\n1,x,no\n"), (model, b"a,b,y\n1,2,no\n1,no\n"),
                            (model, b"a,b,y\n1,1e999,no\n"), (model, b"a,b,y\n1,1e300,no\n"),
                            (model, b"a,b,y\n1,\xff,no\n"), (model, b"a,b,y\n1,\0,no\n"),
                            (model, b'a,b,y\n1,"2,no\n'), (model, b"a,b,y\n"), (model, b"b,y\n1,no\n"),
                            (model, b"a;b;y\n1.500;1,500;no\n2,5;1.234.567;no\n"),
                            (model, b"a::b::y\n1::2::no\n1::2::no\n1::2::no\n"),
                            (model, b"a,b,y\n1,2,\n"), (model, b"a,b,y\n1,2,maybe\n"),
                            ("day.safetensors", b"d,c,y\nnever,u,p\n"),
                            ("day.safetensors", b"d,c,y\n2024-01-05,new,p\n"),
                            ("day.safetensors", b"d,c,y\n2024-01-05," + b"t" * 70000 + b",p\n")):
            write("bad.csv", content)
            err = glia(command, of, "bad.csv", "--unknown", "fail", code=None).err
            named = set(re.findall(r"--[a-z][a-z-]+", err))
            expect(named <= known, command, content[:60], err)
            advised |= named
        expect(advised >= {"--on-bad-row", "--missing", "--unknown"}, advised)
    write("bad.csv", b"a,b,a,y\n1,2,3,no\n")
    expect("--drop 3" in glia("train", "bad.csv", code=1).err, "no advice")


def prepare():
    write("a.csv", rows(300, 1))
    write("numbers.csv", rows(300, 1, names=False))
    write("other.csv", rows(300, 2))
    write("more.csv", rows(300, 1) + b"0.5,0.4,p1,yes\n")


# ---- Which samples a score is from ---------------------------------------------------------------

@test("eval scores those rows of the training file that were held out, as train did")
def _():
    for data, options in (("a.csv", []), ("a.csv", ["--drop", "patient"]),
                          ("a.csv", ["--test", "0.3", "--data-seed", "7"]),
                          ("a.csv", ["--test", "50", "--validation", "0.2"]),
                          ("a.csv", ["--split", "last"]),
                          ("a.csv", ["--group", "patient"]),
                          ("numbers.csv", ["--group", "patient", "--validation", "0.1"])):
        outcome = trained(data, *options)
        score = glia("eval", "m.safetensors", data, "--json").json()
        expect(score["rows"] == "held-out" and score["learned_from"] == "part", options, score)
        expect(score["loss"] == outcome["test_loss"], options, score["loss"], outcome["test_loss"])
        expect(score["accuracy"] == outcome["test_accuracy"], options, score, outcome)
    text = glia("eval", "m.safetensors", "numbers.csv").out
    expect("of its 300 rows: those held out from training" in text, text)


@test("eval scores all rows on demand, and says that the model has learned from them")
def _():
    trained("a.csv")
    score = glia("eval", "m.safetensors", "a.csv", "--all-rows", "--json").json()
    expect(score["samples"] == 300 and score["rows"] == "all", score)
    text = glia("eval", "m.safetensors", "a.csv", "--all-rows").out
    expect("the model has learned from most of these samples" in text, text)


@test("eval of rows that were all learned from says so; of rows held out to validate, too")
def _():
    trained("a.csv", "--test", "none")
    score = glia("eval", "m.safetensors", "a.csv", "--json").json()
    expect(score["samples"] == 300 and score["learned_from"] == "all", score)
    expect("has learned from all of these samples" in glia("eval", "m.safetensors", "a.csv").out)
    trained("a.csv", "--test", "none", "--validation", "0.1")
    text = glia("eval", "m.safetensors", "a.csv").out
    expect("30 of its 300 rows: those held out to validate the training" in text, text)


@test("the model of a cross-validation has learned from all rows")
def _():
    glia("train", "a.csv", "--folds", "3", "--epochs", "2", "-q", "-o", "folds.safetensors")
    score = glia("eval", "folds.safetensors", "a.csv", "--json").json()
    expect(score["samples"] == 300 and score["learned_from"] == "all", score)


@test("eval of other rows scores them all, and says nothing of those of the training")
def _():
    trained("a.csv")
    for data, n in (("other.csv", 300), ("more.csv", 301)):
        score = glia("eval", "m.safetensors", data, "--json").json()
        expect(score["samples"] == n and score["learned_from"] == "unknown", score)
        text = glia("eval", "m.safetensors", data).out
        expect("learned from" not in text and "held out" not in text, text)


@test("eval of a file that has grown since says that some of its rows may have been learned from")
def _():
    os.makedirs(path("later"))
    write("later/a.csv", rows(300, 1) + b"0.5,0.4,p1,yes\n")
    trained("a.csv")
    text = glia("eval", "m.safetensors", "later/a.csv").out
    expect("301 samples" in text and "may have learned from some of these" in text, text)


@test("eval of a folder of pictures without a test folder scores those held out")
def _():
    if "png" not in glia("--version").out.split():
        raise Skip("built without libpng")
    make_data("lines", 60, 0)
    glia("data", "export", "lines", "--split", "train", "--format", "folder", "-o", "pics")
    outcome = trained("pics", "--validation", "0.25")
    score = glia("eval", "m.safetensors", "pics", "--json").json()
    expect(score["samples"] == 15 and score["rows"] == "held-out", score)
    expect(score["loss"] == outcome["validation_loss"], score, outcome)
    expect("15 of its 60 samples: those held out" in glia("eval", "m.safetensors", "pics").out)
    glia("data", "export", "lines", "--split", "train", "--count", "12", "--format", "folder", "-o", "few")
    glia("eval", "m.safetensors", "few", code=1)  # these are others, and none of them for a test
    score = glia("eval", "m.safetensors", "few", "--split", "train", "--json").json()
    expect(score["samples"] == 12 and score["rows"] == "all", score)
    told = glia("eval", "m.safetensors", "a.csv", code=1).err
    expect("a.csv: is a table, but the network reads images of 8 x 8 pixels" in told, told)


@test("a second file to test on need not have the column of groups")
def _():
    write("bare.csv", b"\n".join(b",".join(line.split(b",")[k] for k in (0, 1, 3))
                                 for line in rows(60, 3).splitlines()) + b"\n")
    outcome = trained("a.csv", "--group", "patient", "--test", "bare.csv")
    score = glia("eval", "m.safetensors", "bare.csv", "--json").json()
    expect(score["samples"] == 60 and score["accuracy"] == outcome["test_accuracy"], score)


# ---- Rows, beside what they were -----------------------------------------------------------------

def predicted(*args, stdin=None, code=0):
    """What predict prints, as rows of cells."""
    done = subprocess.run([PROGRAM, "predict", *args], cwd=HERE, env=ENV, input=stdin or b"",
                          capture_output=True, check=False)
    expect(done.returncode == code, args, done.returncode, done.stderr.decode())
    return list(csv.reader(io.StringIO(done.stdout.decode()))), done.stderr.decode()


@test("--with-input repeats the columns of the file, whatever they are, before the answers")
def _():
    trained("a.csv", "--drop", "patient")
    table = (b'b,note,a,prediction\r\n"0.1","say ""x"", then y",0.9,\r\n\r\n0.2,"two\nlines",0.1,old\r\n'
             b"0.3,,0.8,\r\n")
    answers, _ = predicted("m.safetensors", "-", stdin=b"a,b\n0.9,0.1\n0.1,0.2\n0.8,0.3\n")
    both, _ = predicted("m.safetensors", "-", "--with-input", stdin=table)
    expect(both[0] == ["b", "note", "a", "prediction", "predicted prediction", "no", "yes"], both[0])
    expect([row[:4] for row in both[1:]] == [["0.1", 'say "x", then y', "0.9", ""],
                                             ["0.2", "two\nlines", "0.1", "old"],
                                             ["0.3", "", "0.8", ""]], both)
    expect([row[4:] for row in both[1:]] == [row[1:] for row in answers[1:]], both, answers)
    write("table.csv", table)
    lines = glia("predict", "m.safetensors", "table.csv", "--with-input", "--format", "jsonl").out
    first = json.loads(lines.splitlines()[0])
    expect(first["input"] == {"b": "0.1", "note": 'say "x", then y', "a": "0.9", "prediction": ""},
           first)
    expect(first["line"] == 2 and first["prediction"] == both[1][4], first)


@test("--with-input keeps rows together over many blocks, and skips those that are malformed")
def _():
    trained("a.csv", "--drop", "patient")
    rng = random.Random(5)
    lines = [f"{rng.random():.5f},{rng.random():.5f},{'x' * 300}{k}" for k in range(9000)]
    lines[7] = "1,2"
    lines[4000] = "0.1,0.2,x,y"
    write("long.csv", ("a,b,text\n" + "\n".join(lines) + "\n").encode())
    table, told = predicted("m.safetensors", "long.csv", "--with-input", "--on-bad-row", "skip")
    good = [line.split(",") for k, line in enumerate(lines) if k not in (7, 4000)]
    expect([row[:3] for row in table[1:]] == good, len(table))
    expect("2 malformed rows were skipped" in told, told)


@test("--with-input of other forms of data is refused")
def _():
    write("x.svm", b"".join(b"%d 1:%d 2:1\n" % (i % 2, i % 2) for i in range(40)))
    glia("train", "x.svm", "--epochs", "2", "-q", "-o", "sparse.safetensors")
    _, told = predicted("sparse.safetensors", "x.svm", "--with-input", code=1)
    expect("leave out --with-input" in told, told)


@test("a row is named by its line, by its number where numbers were asked for, or by its id")
def _():
    write("named.csv", b"id,a,b,y\n" + b"".join(
        b"r%d,%s\n" % (k, b",".join(line.split(b",")[c] for c in (0, 1, 3)))
        for k, line in enumerate(rows(100, 4).splitlines()[1:])))
    trained("named.csv", "--drop", "id")
    expect([row[0] for row in predicted("m.safetensors", "named.csv")[0][:3]] == ["line", "2", "3"])
    expect([row[0] for row in predicted("m.safetensors", "named.csv:5-6")[0]] == ["row", "5", "6"])
    for word in ("id", "1"):
        trained("named.csv", "--id", word)
        table, _ = predicted("m.safetensors", "named.csv")
        expect([row[0] for row in table[:3]] == ["id", "r0", "r1"], table[:3])
        table, _ = predicted("m.safetensors", "-", stdin=b"a,b\n0.9,0.1\n")  # it may be absent
        expect([row[0] for row in table] == ["line", "2"], table)
    for word in ("a", "2"):
        _, told = predicted("m.safetensors", "named.csv", "--id", word, code=2)
        expect("column a is one that the network learned from, as numbers" in told, told)
    with open(path("named.csv"), "rb") as file:
        write("commas.csv", file.read().replace(b",", b";").replace(b".", b","))
    trained("commas.csv", "--id", "1")
    table, _ = predicted("m.safetensors", "commas.csv")
    expect([row[0] for row in table[:3]] == ["id", "r0", "r1"], table[:3])


@test("a table without a row is answered by a head")
def _():
    trained("a.csv", "--drop", "patient")
    expect(predicted("m.safetensors", "-", stdin=b"a,b\n")[0] == [["line", "prediction", "no", "yes"]])


@test("files of other columns do not become one table")
def _():
    trained("a.csv", "--drop", "patient")
    write("one.csv", b"a,b\n1,2\n")
    write("two.csv", b"b,a\n1,2\n")
    table, _ = predicted("m.safetensors", "one.csv", "two.csv")
    expect([row[:2] for row in table] == [["file", "line"], ["one.csv", "2"], ["two.csv", "2"]], table)
    _, told = predicted("m.safetensors", "one.csv", "two.csv", "--with-input", code=1)
    expect("two.csv: its columns are not those of the first file" in told, told)


@test("a model and a file of different kinds are named, both")
def _():
    trained("a.csv", "--drop", "patient")
    make_data("squares", 30, 0)
    glia("train", "squares", "--epochs", "1", "-q", "-o", "squares.safetensors")
    write("dot.pgm", pgm(8, 8, picture(1, random.Random(3))))
    write("few.svm", b"0 1:1\n1 2:1\n" * 20)
    for model, file, words in (("m", "dot.pgm", "dot.pgm: is an image, but the model reads rows of 2"),
                               ("m", "digits:0", "digits: is a data set of images, but the model reads "
                                "rows of 2 columns; give it a table"),
                               ("squares", "a.csv", "a.csv: is a table, but the model reads images"),
                               ("squares", "few.svm", "few.svm: is sparse text, but the network")):
        _, told = predicted(model + ".safetensors", file, code=1)
        expect(words in told and ("8 x 8" in told or model == "m"), told)


# ---- Pictures ------------------------------------------------------------------------------------

@test("a picture comes through a pipe")
def _():
    make_data("bars", 60, 20)
    glia("train", "bars", "--epochs", "2", "-q", "-o", "bars.safetensors")
    image = pgm(8, 8, picture(1, random.Random(3)))
    write("bar.pgm", image)
    of_file, _ = predicted("bars.safetensors", "bar.pgm")
    of_pipe, _ = predicted("bars.safetensors", "-", stdin=image)
    expect(of_file[0][0].split()[1:] == of_pipe[0][0].split()[1:] != [], of_file, of_pipe)
    _, told = predicted("bars.safetensors", "-", stdin=b"", code=1)
    expect("standard input: " in told, told)


prepare()
run_tests()
