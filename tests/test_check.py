# SPDX-License-Identifier: MIT
"""
glia data check, from outside: what people and programs are told, and that the command which it
suggests works.

    python3 tests/test_check.py [PROGRAM]      (else $GLIA)
"""
import random
import re
import shlex
import struct

from harness import expect, glia, make_data, on_terminal, read, run_tests, test, write


def table(name, header, rows, separator=","):
    lines = [separator.join(map(str, row)) for row in [header, *rows]]
    write(name, ("\n".join(lines) + "\n").encode())


def make_flowers(name):
    rng = random.Random(1)
    table(name, ["sepal", "petal", "kind"],
          [[round(rng.gauss(5 + k, 1), 3), round(rng.gauss(2 + k, 1), 3), kind]
           for k, kind in enumerate(["setosa", "versicolor", "virginica"]) for _ in range(50)])


def make_ship(name):
    """Passengers: an identifier, names, codes, gaps, tickets that are nearly all different."""
    rng = random.Random(2)
    rows = []
    for i in range(1, 401):
        sex = rng.choice(["male", "male", "female"])
        survived = int(rng.random() < (0.75 if sex == "female" else 0.2))
        rows.append([i, survived, rng.choice([1, 2, 3]), f'"Person {i}, {sex}"', sex,
                     "" if rng.random() < 0.2 else rng.randrange(1, 80), rng.randrange(10000),
                     round(rng.expovariate(0.03), 2), rng.choice("SCQ")])
    table(name, ["PassengerId", "Survived", "Pclass", "Name", "Sex", "Age", "Ticket", "Fare",
                 "Embarked"], rows)


def kinds(r):
    return [finding["kind"] for finding in r["findings"]]


def suggested(out):
    """The command at the end of what people see."""
    match = re.search(r"^To train:\n  glia (.*)$", out, re.MULTILINE)
    expect(match, "no command:", out)
    return shlex.split(match[1])


def expect_works(r):
    """The command that is suggested trains, and the screen has the same one as the JSON."""
    expect(r["command"][:2] == ["glia", "train"], r["command"])
    return glia(*r["command"][1:], "--epochs", 2, "-o", "model.safetensors", "--json").json()


@test("a clean table: its columns, and nothing found")
def _():
    r = glia("data", "check", "flowers.csv").out
    expect("150 rows, 3 columns" in r and "comma-separated" in r, r)
    expect("setosa: 50, versicolor: 50, virginica: 50" in r, r)
    expect("Nothing is wrong with it" in r, r)
    expect(suggested(r) == ["train", "flowers.csv", "--target", "kind"], r)
    j = glia("data", "check", "flowers.csv", "--json").json()
    expect(j["findings"] == [] and j["task"] == "classes" and j["table"] is True, j)
    expect([c["name"] for c in j["columns"]] == ["sepal", "petal", "kind"], j["columns"])
    expect(j["columns"][0]["kind"] == "numbers" and j["columns"][2]["role"] == "target", j)
    expect(j["columns"][2]["top"][0] == {"text": "setosa", "count": 50}, j["columns"][2])
    expect(j["rows"] == 150 and j["features"] == 2 and j["skipped"] == 0, j)
    expect_works(j)


@test("what it suggests: to drop, to take for categories; and it works")
def _():
    out = glia("data", "check", "ship.csv", "--target", "Survived").out
    words = suggested(out)
    expect(words == ["train", "ship.csv", "--target", "Survived", "--categorical", "Pclass"],
           words)  # which leaves out PassengerId and Name by itself
    r = glia("data", "check", "ship.csv", "--target", "Survived", "--json").json()
    expect(r["command"] == ["glia", *words], r["command"])
    expect(set(kinds(r)) >= {"identifier", "codes"}, kinds(r))
    expect([c["missing"] > 0 for c in r["columns"]] == [n == 5 for n in range(9)], r["columns"])
    expect_works(r)
    r = glia("data", "check", "ship.csv", "--json").json()  # the last column is not what is meant
    expect("target-name" in kinds(r), kinds(r))
    expect_works(r)


@test("options are handed on to the command")
def _():
    table("odd.csv", ["-a", "b,c", "it's", "y"],
          [[i, i % 7, f"n{i}", "pq"[i % 2]] for i in range(100)], separator=";")
    r = glia("data", "check", "odd.csv", "--separator", "semicolon", "--drop", "2",
             "--data-seed", 3, "--json").json()
    expect(r["command"] == ["glia", "train", "odd.csv", "--target", "y", "--drop", "2",
                            "--separator", "semicolon", "--data-seed", "3"], r["command"])
    expect(r["columns"][1]["kind"] == "ignored" and r["columns"][1]["why"] == "dropped", r)
    table("odd.csv", ["-a", "b,c", "it's", "z", "y"],
          [[i, f"{i}", f"n{i}", i % 7, "pq"[i % 2]] for i in range(100)], separator=";")
    out = glia("data", "check", "odd.csv").out
    expect(suggested(out) == ["train", "odd.csv", "--target", "y", "--drop=-a,2"], out)
    expect_works(glia("data", "check", "odd.csv", "--json").json())


@test("classes of which some are rare: weights")
def _():
    rng = random.Random(4)
    table("rare.csv", ["a", "b", "y"],
          [[rng.gauss(0, 1), rng.gauss(0, 1), "rare" if i % 80 == 3 else "often"]
           for i in range(400)])
    r = glia("data", "check", "rare.csv", "--json").json()
    expect(kinds(r) == ["imbalance"], kinds(r))
    expect(r["command"][-2:] == ["--class-weights", "balanced"], r["command"])
    expect_works(r)


@test("rows without a target are left out by the command")
def _():
    rng = random.Random(5)
    table("gaps.csv", ["a", "b", "y"],
          [[rng.gauss(0, 1), rng.gauss(0, 1), "" if i == 7 else "pq"[i % 2]] for i in range(100)])
    r = glia("data", "check", "gaps.csv", "--json", code=1).json()
    expect(kinds(r) == ["target-missing"] and r["findings"][0]["lines"] == [9], r["findings"])
    expect(r["command"][-2:] == ["--on-bad-row", "skip"], r["command"])
    expect_works(r)


@test("a column without a name is called by its number, once")
def _():
    rows = [f"{i / 7:.3f},{i * i % 13},t{i}\n" for i in range(60)]
    write("bare.csv", "".join(rows).encode())
    r = glia("train", "bare.csv", code=1)
    expect("bare.csv: column 3, the target, has 60 different texts" in r.err, r.err)


@test("a malformed row ends it; or is counted")
def _():
    table("bad.csv", ["a", "b", "y"],
          [["1", "2"] if i == 5 else [i * 37 % 101, i * i % 97, "pq"[i % 2]] for i in range(100)])
    r = glia("data", "check", "bad.csv", code=1)
    expect("bad.csv, line 7: found 2 cells, expected 3" in r.err and r.out == "", r.err)
    r = glia("data", "check", "bad.csv", "--on-bad-row", "skip", "--json").json()
    found = [f for f in r["findings"] if f["kind"] == "bad-rows"]
    expect(r["skipped"] == 1 and "line 7" in found[0]["message"], r["findings"])
    expect(r["command"][-2:] == ["--on-bad-row", "skip"], r["command"])
    expect_works(r)
    r = glia("data", "check", "flowers.csv", "--target", "kin", code=1)
    expect("no column kin" in r.err and r.out == "", r.err)


@test("what cannot be learned gets no command")
def _():
    table("one.csv", ["a", "y"], [[i * 37 % 101, "p"] for i in range(100)])
    out = glia("data", "check", "one.csv", code=1).out
    expect("severe" in out and "one class" in out and "To train" not in out, out)
    r = glia("data", "check", "one.csv", "--json", code=1).json()
    expect(r["command"] == [] and r["findings"][0]["kind"] == "unusable", r)


@test("a wide table: what is remarkable comes first")
def _():
    rng = random.Random(6)
    table("wide.csv", [f"c{i}" for i in range(40)] + ["y"],
          [[5 if i == 33 else rng.gauss(0, 1) for i in range(40)] + ["pq"[n % 2]]
           for n in range(100)])
    out = glia("data", "check", "wide.csv").out
    lines = [line.split()[0] for line in out.split("\n\n")[1].splitlines()]
    expect(lines[:4] == ["column", "c33", "y", "c0"], lines)
    expect(len(lines) == 26 and "and 17 more columns" in out, lines)


@test("it fits a terminal")
def _():
    for columns in (80, 140):
        out = on_terminal("data", "check", "ship.csv", "--target", "Survived", columns=columns,
                          all_there=True)
        plain = re.sub(r"\x1b\[[0-9;]*m", "", out).replace("\r", "")
        table_lines = plain.split("\n\n")[1].splitlines()
        expect(all(len(line) <= columns for line in table_lines), columns, plain)
        expect("mean" in plain, plain)
        for line in plain.split("\n\n")[2].splitlines():
            expect(len(line) <= columns, columns, line)


@test("a data set that is no table")
def _():
    out = glia("data", "check", "bars").out
    expect("bars: 300 samples, 64 features" in out and "classes   0: 100, 1: 100" in out, out)
    expect(suggested(out) == ["train", "bars"], out)
    r = glia("data", "check", "bars", "--json").json()
    expect(r["table"] is False and r["columns"] == [] and len(r["classes"]) == 3, r)
    expect_works(r)


@test("other files: sparse text, NumPy's")
def _():
    rng = random.Random(7)
    write("sparse.txt", "".join(f"{n % 2} 1:{rng.random():.3f} 3:{rng.random():.3f}\n"
                                for n in range(100)).encode())
    r = glia("data", "check", "sparse.txt", "--json").json()
    expect(r["table"] is False and r["rows"] == 100 and r["features"] == 3, r)
    expect([c["count"] for c in r["classes"]] == [50, 50], r["classes"])
    expect(r["command"] == ["glia", "train", "sparse.txt"], r["command"])
    header = "{'descr': '<f8', 'fortran_order': False, 'shape': (100, 3), }".ljust(117) + "\n"
    write("array.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() +
          b"".join(struct.pack("<3d", rng.gauss(0, 1), n, n % 2) for n in range(100)))
    r = glia("data", "check", "array.npy", "--json").json()
    expect(r["table"] is True and r["rows"] == 100 and r["task"] == "classes", r)
    expect(kinds(r) == ["identifier"] and r["findings"][0]["lines"] == [], r["findings"])
    expect_works(r)


@test("a column that says which row it is")
def _():
    r = glia("data", "check", "ship.csv", "--target", "Survived", "--id", "PassengerId",
             "--json").json()
    expect(r["columns"][0]["role"] == "none" and "which row" in r["columns"][0]["why"], r)
    expect(r["command"][2:] == ["ship.csv", "--target", "Survived", "--categorical", "Pclass", "--id", "PassengerId"], r["command"])
    expect_works(r)


@test("what it knows of a table, train and sweep say before they begin")
def _():
    rng = random.Random(7)
    table("label.csv", ["label", "a", "b", "c"],
          [[k := i % 3, k + rng.gauss(0, 1), rng.gauss(0, 1), rng.randrange(4)]
           for i in range(120)])
    quiet = ["--epochs", 1, "-o", "model.safetensors"]
    for finding in glia("data", "check", "label.csv", "--json").json()["findings"]:
        if finding["severity"] == "note":
            continue
        expect(finding["kind"] == "target-name", finding)
        expect(finding["message"] in glia("train", "label.csv", *quiet).err, finding)
        expect(finding["message"] in glia("sweep", "label.csv", "--epochs", 1, "-o", "sweep").err,
               finding)
    r = glia("train", "label.csv", "--target", "label", *quiet)  # what is advised
    expect("\ncheck " not in r.err, r.err)
    r = glia("train", "flowers.csv", *quiet)
    expect("\ncheck " not in r.err, r.err)
    expect("name of a target" not in glia("train", "label.csv", *quiet, "-q").err)
    table("leak.csv", ["a", "code", "y"],
          [[rng.gauss(0, 1), f"t{i % 2}", "pq"[i % 2]] for i in range(120)])
    r = glia("train", "leak.csv", *quiet)
    expect("check     code alone tells y in 100 %" in r.err, r.err)


@test("one-hot targets are classes: train, eval and predict")
def _():
    rng = random.Random(8)
    table("hot.csv", ["a", "b", "cat", "dog", "cow"],
          [[round((k := i % 3) + rng.gauss(0, 0.6), 3), round((k == 1) + rng.gauss(0, 0.4), 3),
            *(int(k == j) for j in range(3))] for i in range(120)])
    targets = ["--target", "cat,dog,cow"]
    r = glia("data", "check", "hot.csv", *targets, "--json").json()
    expect(r["task"] == "classes", r["task"])
    expect(r["classes"] == [{"text": t, "count": 40} for t in ("cat", "dog", "cow")], r["classes"])
    r = glia("train", "hot.csv", *targets, "-o", "hot.safetensors")
    expect("taken for classes; --loss bce" in r.err, r.err)
    expect("accuracy" in r.err, r.err)
    glia("eval", "hot.safetensors", "hot.csv")
    lines = glia("predict", "hot.safetensors", "hot.csv:0-2").out.splitlines()
    expect({line.split(",")[1] for line in lines[1:]} <= {"cat", "dog", "cow"}, lines)
    glia("train", "hot.csv", *targets, "--loss", "bce", "--epochs", 1, "-o", "hot.safetensors")


@test("identifiers of more than 15 digits are told apart, as classes and groups, or left out")
def _():
    rng = random.Random(10)
    base = 1582218195625938944
    table("long.csv", ["id", "a", "b", "class"],
          [[base + i, round(rng.gauss(i % 3, 0.5), 3), round(rng.gauss(0, 1), 3), base + i % 3]
           for i in range(120)])
    r = glia("train", "long.csv", "-o", "model.safetensors")
    expect("id has another value in nearly every row" in r.err, r.err)
    expect(float(re.search(r"test +([0-9.]+)", r.out)[1]) > 60, r.out)
    r = glia("data", "check", "long.csv", "--json").json()
    expect(r["task"] == "classes" and not set(kinds(r)) & {"leak", "unusable"}, r["findings"])
    expect([c["text"] for c in r["classes"]] == [str(base + k) for k in range(3)], r["classes"])
    r = glia("train", "long.csv", "--target", "a", "--group", "class", "--folds", 3, "--epochs", 1)
    r = glia("train", "long.csv", "--target", "a", "--group", "class", "--folds", 4, code=2)
    expect("4 folds of 3 groups" in r.err, r.err)


@test("a target with another text in each row stops train; two rows cannot be divided")
def _():
    table("unique.csv", ["a", "y"], [[i % 7, f"t{i}"] for i in range(60)])
    r = glia("train", "unique.csv", code=1)
    expect("60 different texts in 60 rows" in r.err and "--loss cross-entropy" in r.err, r.err)
    glia("train", "unique.csv", "--loss", "cross-entropy", "--epochs", 1, "-o", "m.safetensors")
    table("two.csv", ["a", "y"], [[1, 1.5], [2, 2.5]])
    r = glia("train", "two.csv", code=2)
    expect("--test none" in r.err, r.err)
    glia("train", "two.csv", "--test", "none", "--epochs", 1, "-o", "m.safetensors")


@test("what is advised does away with what was found")
def _():
    rng = random.Random(9)

    def advised(columns, rows, kind, *options):
        table("advice.csv", ["a", *columns, "port"],
              [[round(rng.gauss(0, 1), 4), *row, "pq"[rng.randrange(2)]] for row in rows])
        command = ["advice.csv", *options]
        before = glia("data", "check", "advice.csv", "--json", code=None).json()
        expect(kind in kinds(before), kind, before["findings"])
        after = glia("data", "check", *command, "--json", code=None).json()
        expect(kind not in kinds(after), kind, after["findings"])
        glia("train", *command, "--epochs", 1, "-o", "model.safetensors")

    advised(["t"], [[1000 + 7 * i] for i in range(120)], "identifier", "--drop", "t")
    advised(["t"], [[f"t{rng.randrange(80)}"] for _ in range(100)], "many-texts", "--drop", "t")
    advised(["zip"], [[rng.choice([10115, 20095, 50667])] for _ in range(100)], "codes",
            "--categorical", "zip")
    advised(["user_id"], [[i // 5] for i in range(100)], "groups", "--group", "user_id")
    advised(["c"], [[3] for _ in range(100)], "constant", "--drop", "c")
    advised(["when"], [[f"2024-01-{1 + i % 28:02}"] for i in range(100)], "dates",
            "--categorical", "when")
    advised(["outcome"], [[rng.randrange(2)] for _ in range(100)], "target-name", "--target",
            "outcome")
    write("sparse.svm", "".join(f"{i % 2} 1:{1700000000 + i} 2:{rng.gauss(0, 1):.3f}\n"
                                for i in range(100)).encode())
    text = glia("train", "sparse.svm", "--epochs", 1, "-o", "model.safetensors").err
    expect("not scaled: feature 1 is about 1.7e+09" in text and "--standardise yes" in text, text)
    write("zero.svm", read("sparse.svm").replace(b" 1:", b" 0:").replace(b" 2:", b" 1:"))
    text = glia("train", "zero.svm", "--epochs", 1, "-o", "model.safetensors").err
    expect("not scaled: feature 0 is about 1.7e+09" in text, text)
    r = glia("data", "check", "sparse.svm", "--json").json()
    expect(kinds(r) == ["unscaled"] and r["command"][-2:] == ["--standardise", "yes"], r)
    expect("not scaled" not in glia(*r["command"][1:], "-o", "model.safetensors").err)


@test("a data set that is not there")
def _():
    r = glia("data", "check", "flower.csv", code=1)
    expect("flower.csv" in r.err, r.err)
    glia("data", "check", code=2)


if __name__ == "__main__":
    make_flowers("flowers.csv")
    make_ship("ship.csv")
    make_data("bars", 300, 90)
    run_tests()
