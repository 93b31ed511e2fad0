# SPDX-License-Identifier: MIT
"""
Tables from outside: what is predicted of a raw file is what the library makes of its rows, whatever
the order of their columns; what does not fit is named; regression comes to the noise; a weight is a
number of rows.

    GLIA_BUILD=build python3 tests/test_tables.py [PROGRAM]      (else $GLIA)
"""
import csv
import io
import json
import math
import os
import random
import stat
import statistics
import subprocess

from harness import ENV, HERE, PROGRAM, expect, glia, read, run_tests, test, write

DUMP = os.path.join(os.environ["GLIA_BUILD"], "tests", "dump_table")

COLOURS = ["blue", "green", "red"]  # in the order of their features
NOISE = 5


def text_of(header, rows, line_end="\n"):
    out = io.StringIO()
    csv.writer(out, lineterminator=line_end).writerows([header, *rows])
    return out.getvalue().encode()


def flowers(n, seed):
    """height, colour, width and a kind with a comma in its name; a width may be missing."""
    rng, rows = random.Random(seed), []
    for _ in range(n):
        tall, colour = rng.random() < 0.5, rng.choice(COLOURS)
        height = rng.gauss(30 if tall else 20, 3)
        width = "" if rng.random() < 0.1 else repr(rng.gauss(1.5 if colour == "red" else 0.5, 0.3))
        kind = "tall, red" if tall and colour == "red" else "other"
        rows.append([repr(height), colour, width, kind])
    return rows


FLOWERS = ["height", "colour", "width", "kind"]
TRAIN, NEW = flowers(300, 1), flowers(40, 2)


def values(n, seed):
    """y of a, b, c and a colour, with normal noise."""
    rng, rows = random.Random(seed), []
    step = {"red": 0, "green": 8, "blue": -4}
    for _ in range(n):
        a, b, c, colour = *(rng.uniform(-1, 1) for _ in range(3)), rng.choice(COLOURS)
        y = 100 + 30 * a - 20 * b * b + 5 * c + step[colour] + rng.gauss(0, NOISE)
        rows.append([repr(a), repr(b), repr(c), colour, repr(y)])
    return rows


VALUES = ["a", "b", "c", "colour", "y"]


def reordered(header, rows, names, extra=True):
    """The same rows with these columns, and one that nobody asked for."""
    at = [header.index(name) for name in names]
    return text_of([*names, *(["note"] if extra else [])],
                   [[*(row[k] for k in at), *(["x"] if extra else [])] for row in rows])


def prepare():
    write("flowers.csv", text_of(FLOWERS, TRAIN))
    write("new.csv", text_of(FLOWERS, NEW))
    write("values.csv", text_of(VALUES, values(400, 3)))
    write("values-new.csv", text_of(VALUES, values(50, 4)))
    for name in ("flowers", "values"):
        glia("train", name + ".csv", "--test", "none", "-q", "-o", name + ".safetensors")


def dumped(model, table):
    """Of each row the features and the outputs, by the library."""
    done = subprocess.run([DUMP, model, table], cwd=HERE, env=ENV, capture_output=True, text=True,
                          check=False)
    expect(done.returncode == 0, done.stderr)
    rows = [line.split("|") for line in done.stdout.splitlines()]
    return [[float(v) for v in x.split()] for x, _ in rows], \
        [[float(v) for v in y.split()] for _, y in rows]


def predicted(model, table, **more):
    """Of each row what glia predict prints, without the line's number."""
    lines = list(csv.reader(io.StringIO(glia("predict", model, table, **more).out)))
    return lines[0][1:], [line[1:] for line in lines[1:]]


@test("predict prints what glia_predict makes of the same rows: classes")
def _():
    head, lines = predicted("flowers.safetensors", "new.csv")
    _, outputs = dumped("flowers.safetensors", "new.csv")
    expect(head == ["prediction", "other", "tall, red"], head)
    expect(len(lines) == len(outputs) == len(NEW), len(lines))
    for line, y in zip(lines, outputs):
        expect([float(v) for v in line[1:]] == y, line, y)
        expect(line[0] == head[1 + y.index(max(y))], line)
    right = sum(line[0] == row[-1] for line, row in zip(lines, NEW))
    expect(right >= 34, right, "of", len(NEW))  # and it is no guess


@test("predict prints what glia_predict makes of the same rows: values, in the units of the data")
def _():
    head, lines = predicted("values.safetensors", "values-new.csv")
    _, outputs = dumped("values.safetensors", "values-new.csv")
    expect(head == ["y"], head)
    expect([[float(line[0])] for line in lines] == outputs)
    expect(95 < statistics.mean(y for y, in outputs) < 99 + NOISE, outputs)


@test("features are standardised by the training rows, categories one-hot, missing cells flagged")
def _():
    def learned(column):
        numbers = [float(row[column]) for row in TRAIN if row[column] != ""]
        return statistics.fmean(numbers), statistics.pstdev(numbers)
    height, width = learned(0), learned(2)
    found, _ = dumped("flowers.safetensors", "new.csv")
    for row, x in zip(NEW, found):
        wide = (float(row[2]) - width[0]) / width[1] if row[2] != "" else 0
        want = [(float(row[0]) - height[0]) / height[1], *(float(row[1] == c) for c in COLOURS),
                wide, float(row[2] == "")]
        expect(len(x) == len(want) and all(math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-6)
                                           for a, b in zip(x, want)), row, x, want)


@test("rows by their numbers are those rows of all")
def _():
    whole = glia("predict", "flowers.safetensors", "new.csv").out.splitlines()
    n = len(whole) - 1
    for rows, first, last in (("0", 0, 0), ("3-6", 3, 6), (f"{n - 1}", n - 1, n - 1),
                              (f"0-{n - 1}", 0, n - 1)):
        part = glia("predict", "flowers.safetensors", f"new.csv:{rows}").out.splitlines()
        answers = [line.partition(",")[2] for line in whole]
        expect(part[0] == "row," + answers[0], part[0])
        expect(part[1:] == [f"{k},{answers[1 + k]}" for k in range(first, last + 1)], rows, part)
    told = glia("predict", "flowers.safetensors", f"new.csv:2-{n}", "-o", "part.csv", code=2).err
    expect(f"row {n} " in told and f"there are {n}," in told, told)
    expect(not os.path.exists(os.path.join(HERE, "part.csv")), "no half of an answer")
    glia("predict", "flowers.safetensors", "new.csv:3-2", code=2)


@test("columns in another order, others beside them, no target: the same predictions")
def _():
    for model, table, header, rows in (("flowers", "new", FLOWERS, NEW),
                                       ("values", "values-new", VALUES, values(50, 4))):
        want = predicted(model + ".safetensors", table + ".csv")
        orders = [header[::-1], header[1:] + header[:1], header[:-1], header[-2::-1]]
        for names in orders:
            write("other.csv", reordered(header, rows, names))
            expect(predicted(model + ".safetensors", "other.csv") == want, model, names)


@test("the same rows with semicolons, CRLF, a byte-order mark or tabs: the same predictions")
def _():
    want = predicted("flowers.safetensors", "new.csv")
    plain = read("new.csv")
    expect(b'"' in plain, plain[:200])
    out = io.StringIO()
    csv.writer(out, delimiter=";", lineterminator="\n").writerows([FLOWERS, *NEW])
    tabs = "\n".join("\t".join(row) for row in [FLOWERS, *NEW]).encode()
    for text in (plain.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + plain, out.getvalue().encode(),
                 tabs):
        write("other.csv", text)
        expect(predicted("flowers.safetensors", "other.csv") == want, text[:100])


@test("what does not fit is named with its file, line and column")
def _():
    def told(rows, names=FLOWERS, command="predict", *more):
        write("wrong.csv", text_of(names, rows))
        return glia(command, "flowers.safetensors", "wrong.csv", *more, code=1).err
    good = [list(row) for row in NEW]
    good[4][1] = "pink"
    message = told(good, FLOWERS, "predict", "--unknown", "fail")
    expect("wrong.csv, line 6, column colour" in message and '"pink"' in message, message)
    good[4][1], good[7][0] = "red", "thirty"
    message = told(good)
    expect("wrong.csv, line 9, column height" in message and '"thirty"' in message, message)
    message = told([row[:1] + row[2:] for row in NEW], ["height", "width", "kind"])
    expect("wrong.csv" in message and "no column colour" in message, message)
    message = told([row[:3] for row in NEW], FLOWERS[:3], "eval")
    expect("wrong.csv" in message and "kind" in message, message)


@test("eval scores what predict predicts")
def _():
    _, lines = predicted("flowers.safetensors", "new.csv")
    right = sum(line[0] == row[-1] for line, row in zip(lines, NEW))
    score = glia("eval", "flowers.safetensors", "new.csv", "--json").json()
    expect(math.isclose(score["accuracy"], right / len(NEW)), score["accuracy"], right)
    rows = values(50, 4)
    _, lines = predicted("values.safetensors", "values-new.csv")
    off = [float(line[0]) - float(row[-1]) for line, row in zip(lines, rows)]
    score = glia("eval", "values.safetensors", "values-new.csv", "--json").json()
    expect(math.isclose(score["rmse"], math.sqrt(statistics.fmean(d * d for d in off)),
                        rel_tol=1e-5), score)


@test("answers replace a file as a whole, a link's target, no device, and not what is read")
def _():
    write("answers.csv", b"old")
    if not os.path.islink("link.csv"):
        os.symlink(os.path.join(HERE, "answers.csv"), os.path.join(HERE, "link.csv"))
    glia("predict", "flowers.safetensors", "missing.csv", "-o", "answers.csv", code=1)
    expect(read("answers.csv") == b"old", "a failure leaves the old answers")
    glia("predict", "flowers.safetensors", "new.csv", "-o", "link.csv")
    expect(os.path.islink(os.path.join(HERE, "link.csv")), "the link is still there")
    expect(read("answers.csv").startswith(b"line,prediction,"), read("answers.csv")[:80])
    before = read("new.csv")
    told = glia("predict", "flowers.safetensors", "new.csv", "-o", "new.csv", code=1).err
    expect("new.csv" in told and read("new.csv") == before, told)
    told = glia("train", "flowers.csv", "-q", "-o", "flowers.csv", code=1).err
    expect("it is the data" in told, told)
    glia("predict", "flowers.safetensors", "new.csv", "-o", "/dev/null")
    expect(stat.S_ISCHR(os.stat("/dev/null").st_mode), "/dev/null is a device")


@test("a locale with a decimal comma changes no number")
def _():
    env = {"LC_ALL": "de_DE.UTF-8"}
    for name, new in (("flowers", "new"), ("values", "values-new")):
        glia("train", name + ".csv", "--test", "none", "-q", "-o", "comma.safetensors", env=env)
        expect(read("comma.safetensors") == read(name + ".safetensors"), name)
        expect(predicted("comma.safetensors", new + ".csv", env=env) ==
               predicted(name + ".safetensors", new + ".csv"), name)


@test("by default a regression comes within 5 % of its noise")
def _():
    write("many.csv", text_of(VALUES, values(4000, 5)))
    write("many-test.csv", text_of(VALUES, values(4000, 6)))
    seen = glia("train", "many.csv", "--test", "many-test.csv", "-q", "--json").json()
    floor = math.sqrt(statistics.fmean(d * d for d in noise_of(4000, 6)))
    expect(floor < seen["test_rmse"] < 1.05 * floor, seen["test_rmse"], floor)


def noise_of(n, seed):
    """What values(n, seed) adds to each y."""
    step = {"red": 0, "green": 8, "blue": -4}
    for row in values(n, seed):
        a, b, c, y = (float(row[k]) for k in (0, 1, 2, 4))
        yield y - (100 + 30 * a - 20 * b * b + 5 * c + step[row[3]])


@test("as many columns as are allowed are found by their names, in any order")
def _():
    rng, n = random.Random(5), 1 << 16
    names = [f"c{c}" for c in range(n - 1)]
    rows = [[*(str(rng.randrange(10)) for _ in names), repr(y)] for y in (0.5, 1.25, 4.5)]
    write("wide.csv", text_of([*names, "y"], rows))
    glia("train", "wide.csv", "--test", "none", "--epochs", "0", "--hidden", "none", "-q", "-o",
         "wide.safetensors")
    order = list(range(n - 1))
    rng.shuffle(order)
    write("shuffled.csv", text_of([names[c] for c in order],
                                  [[row[c] for c in order] for row in rows]))
    expect(predicted("wide.safetensors", "wide.csv") ==
           predicted("wide.safetensors", "shuffled.csv"), "other answers")
    text = glia("data", "check", "wide.csv").out
    expect("65,536 columns" in text, text[:300])


@test("values far from zero are learned, scored and answered as those about zero")
def _():
    rng = random.Random(11)
    rows = [[repr(rng.gauss(0, 1)) for _ in range(3)] for _ in range(200)]
    scores = []
    for name, offset, unit in (("zero", 0, 1), ("seconds", 1.7e9, 100), ("ms", 1.7e12, 1e5),
                               ("days", 2460000.5, 0.5), ("cents", 1e8, 310)):
        values = [offset + unit * (3 * float(a) - 2 * float(b)) for a, b, _ in rows]
        write("far.csv", text_of(["a", "b", "c", name], [[*x, repr(y)]
                                                         for x, y in zip(rows, values)]))
        glia("train", "far.csv", "--test", "none", "--loss", "mse", "-q", "-o", "far.safetensors")
        score = json.loads(glia("eval", "far.safetensors", "far.csv", "--json").out)
        _, lines = predicted("far.safetensors", "far.csv")
        answers = [float(line[0]) for line in lines]
        mean = statistics.fmean(values)
        r2 = 1 - (sum((y - t) ** 2 for y, t in zip(answers, values)) /
                  sum((t - mean) ** 2 for t in values))
        expect(abs(r2 - score["r2"]) < 1e-6, name, r2, score["r2"])
        _, outputs = dumped("far.safetensors", "far.csv")
        expect([[y] for y in answers] == outputs, name)
        scores.append(r2)
    expect(min(scores) > 0.99 and max(scores) - min(scores) < 0.002, scores)


@test("a category that was never seen is read as none, counted and named")
def _():
    rows = [[row[0], colour, *row[2:]] for row, colour in
            zip(NEW, ["pink", "red", "grey", "pink", "blue"])]
    write("unseen.csv", text_of(FLOWERS, rows))
    want = ("3 cells of column colour hold categories that the model has never seen: "
            "read as none: pink, grey")
    for command in ("predict", "eval"):
        done = glia(command, "flowers.safetensors", "unseen.csv")
        expect(done.err == "glia: unseen.csv: " + want + "\n", done.err)
    features, outputs = dumped("flowers.safetensors", "unseen.csv")
    expect(features[0][1:4] == [0, 0, 0] and features[1][1:4] == [0, 0, 1], features[:2])
    _, lines = predicted("flowers.safetensors", "unseen.csv")
    expect([[float(v) for v in line[1:]] for line in lines] == outputs, lines, outputs)
    piped = subprocess.run([PROGRAM, "predict", "flowers.safetensors", "-"], cwd=HERE, env=ENV,
                           input=text_of(FLOWERS, rows), capture_output=True, check=True)
    expect(piped.stderr.decode() == "glia: standard input: " + want + "\n", piped.stderr)
    done = glia("predict", "flowers.safetensors", "unseen.csv:1-3")  # of these rows alone
    expect("2 cells of column colour hold" in done.err and "none: grey, pink" in done.err, done.err)
    expect(glia("predict", "flowers.safetensors", "unseen.csv:4").err == "", "row 4")


@test("a row of weight 3 is three rows, one of weight 0 none")
def _():
    # One batch holds all rows: both runs then take the same steps, but for the order of sums.
    rng = random.Random(7)
    for name, header, rows in (("flowers", FLOWERS, TRAIN), ("values", VALUES, values(300, 3))):
        weights = [rng.choice([0, 1, 1, 2, 3]) for _ in rows]
        write("weighted.csv", text_of([*header, "w"],
                                      [[*row, w] for row, w in zip(rows, weights)]))
        write("repeated.csv", text_of(header, [row for row, w in zip(rows, weights)
                                               for _ in range(w)]))
        how = ["--test", "none", "--target", header[-1], "--hidden", "8", "--activation", "tanh",
               "--optimizer", "sgd", "--lr", "0.1", "--l2", "0", "--batch", "5000", "--epochs", "60",
               "-q"]
        glia("train", "weighted.csv", "--weight", "w", *how, "-o", "w.safetensors")
        glia("train", "repeated.csv", *how, "-o", "r.safetensors")
        glia("train", "weighted.csv", "--drop", "w", *how, "-o", "n.safetensors")
        new = "new.csv" if name == "flowers" else "values-new.csv"
        (_, one), (_, other), (_, without) = (dumped(m + ".safetensors", new) for m in "wrn")
        scale = max(abs(y) for row in one for y in row)
        apart = [max(abs(a - b) for x, y in zip(one, them) for a, b in zip(x, y)) / scale
                 for them in (other, without)]
        expect(apart[0] < 1e-5, name, "apart by", apart)
        expect(apart[1] > 1e-3, name, "the weights change nothing:", apart)


def answers(model, *words):
    return glia("predict", model, *words).out.split()[1:]


@test("a table with decimal commas gives the model of the same table with points, and its answers")
def _():
    rows = [[f"{1000 + 37 * i}.{i % 10}", f"{(i * 7) % 11 / 4}", "ab"[i % 2]] for i in range(40)]
    german = [[f"{float(a):,.1f}".replace(",", " ").replace(".", ",").replace(" ", "."),
               b.replace(".", ","), c] for a, b, c in rows]
    write("point.csv", text_of(["a", "b", "y"], rows))
    write("comma.csv", "\n".join(";".join(row) for row in [["a", "b", "y"], *german]).encode())
    for name in ("point", "comma"):
        glia("train", name + ".csv", "--epochs", "5", "-q", "-o", name + ".safetensors")
    want = answers("point.safetensors", "point.csv")
    expect(answers("comma.safetensors", "comma.csv") == want)
    # what 1.234 means was learned, and can be said otherwise
    write("one.csv", b"a;b\n1.234;0,5\n")
    write("same.csv", b"a,b\n1234,0.5\n")
    write("small.csv", b"a,b\n1.234,0.5\n")
    expect(answers("comma.safetensors", "one.csv") == answers("point.safetensors", "same.csv"))
    expect(answers("comma.safetensors", "small.csv", "--decimal", ".") ==
           answers("point.safetensors", "small.csv"))


@test("words that mean a missing value go into the model; a class can be called None")
def _():
    rows = [[str(i % 9), "None" if i % 2 else "Crack"] for i in range(40)]
    write("none.csv", text_of(["a", "defect"], rows))
    error = glia("train", "none.csv", "-q", code=1).err
    expect("None means missing; --missing = reads it as a text" in error, error)
    glia("train", "none.csv", "--missing", "=", "--epochs", "1", "-q", "-o", "none.safetensors")
    glia("eval", "none.safetensors", "none.csv")
    write("minus.csv", text_of(["a", "b", "y"], [["-999" if i % 5 == 0 else str(i), str(i % 3),
                                                  "xy"[i % 2]] for i in range(40)]))
    write("empty.csv", text_of(["a", "b", "y"], [["" if i % 5 == 0 else str(i), str(i % 3),
                                                  "xy"[i % 2]] for i in range(40)]))
    glia("train", "minus.csv", "--missing", "-999", "--epochs", "3", "-q", "-o", "minus.safetensors")
    glia("train", "empty.csv", "--epochs", "3", "-q", "-o", "empty.safetensors")
    expect(answers("minus.safetensors", "minus.csv") == answers("empty.safetensors", "empty.csv"))


@test("columns whose names have commas are named as they are, or in quotes")
def _():
    rows = [[str(i), str(i % 5), str(2 * i + 1)] for i in range(40)]
    write("commas.csv", text_of(["size, m2", "rooms, n", "price, EUR (net)"], rows))
    for words in (["--target", "price, EUR (net)", "--drop", "size, m2"],
                  ["--target", '"price, EUR (net)"', "--drop", '"size, m2"']):
        glia("train", "commas.csv", *words, "--epochs", "1", "-q", "-o", "commas.safetensors")
        model = json.loads(glia("inspect", "commas.safetensors", "--json").out)
        table = model["metadata"]["preprocessing"]["table"]
        expect([c["name"] for c in table["columns"]] == ["rooms, n"], table)


@test("a first row of numbers is no header, however they are written; blanks beside decimal commas")
def _():
    def column(seed, form):
        rng = random.Random(seed)
        return [form(rng.randrange(1000, 99999)) for _ in range(80)]

    def comma(n):
        return f"{n // 100},{n % 100:02}"

    def groups(sign):
        return lambda n: f"{n + 10000:,}".replace(",", sign)
    for form, separator in ((comma, ";"), (comma, "\t"), (comma, " "), (groups("."), ";"),
                            (groups(" "), ";"), (groups("'"), ","), (lambda n: f"\u2212{n}", ",")):
        cells = list(zip(*(column(k, form) for k in range(3))))
        text = "".join(separator.join(row) + "\n" for row in cells)
        for head, n in (("", 80), (separator.join("aby") + "\n", 80)):
            write("forms.txt", (head + text).encode())
            found = glia("data", "check", "forms.txt", "--json").json()
            names = [c["name"] for c in found["columns"]]
            expect(found["rows"] == n and len(names) == 3, text[:40], found)
            expect(names == (["a", "b", "y"] if head else ["column 1", "column 2", "column 3"]), names)


@test("a text in a first line that was taken for values names --header yes")
def _():
    rng = random.Random(4)
    rows = "".join(",".join(f"{rng.random():.2f}" for _ in range(3)) + f",{k % 2}\n" for k in range(80))
    write("weak.csv", ("0.1,0.2,0.5,class\n" + rows).encode())
    told = glia("train", "weak.csv", "--header", "no", "-o", "weak.safetensors", code=1).err
    expect("line 1" in told and "--header yes" in told, told)
    glia("train", "weak.csv", "--header", "yes", "--epochs", "1", "-q", "-o", "weak.safetensors")


prepare()
run_tests()
