# SPDX-License-Identifier: MIT
"""
glia report, from outside: the page as HTML, its numbers against those of glia eval, and in headless
Chromium, where that and selenium are there, what a reader does with it.

    python3 tests/test_report.py [PROGRAM]      (else $GLIA)
"""
import base64
import contextlib
import csv
import functools
import html.parser
import importlib.util
import io
import json
import math
import os
import random
import re
import shutil
import struct
import time
import zipfile
import zlib

from harness import (ENV, HERE, SANITIZED, Skip, expect, glia, make_data, path, read, run_tests,
                     test, write)

LARGEST_PAGE = 1500000
HOSTILE = ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>",
           "it's & \N{GREEK SMALL LETTER ALPHA}\N{HEAVY BLACK HEART}\u202e </ScRiPt> ]]> \\ --> "
           "and much longer than any page has room for"]
VOID = {"meta", "img", "br", "link", "input", "hr"}


# ---- Pages ---------------------------------------------------------------------------------------

class Page(html.parser.HTMLParser):
    """Elements in order, each (tag, attributes, text within, tags around); what is not well-formed
    fails."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.open = [], []
        self.text = text
        self.feed(text)
        self.close()
        expect(not self.open, "not closed:", self.open)

    def handle_starttag(self, tag, attributes):
        names = [name for name, _ in attributes]
        expect(len(set(names)) == len(names), "an attribute twice:", tag, names)
        element = {"tag": tag, "attributes": dict(attributes), "text": "",
                   "around": [e["tag"] for e in self.open]}
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        expect(self.open and self.open[-1]["tag"] == tag, "closes", tag, "within",
               [e["tag"] for e in self.open])
        self.open.pop()

    def handle_data(self, data):
        for element in self.open:
            element["text"] += data

    def all(self, tag, **attributes):
        return [e for e in self.elements if e["tag"] == tag and all(
            e["attributes"].get(key.replace("_", "-")) == value
            for key, value in attributes.items())]

    def data(self, name):
        (script,) = self.all("script", id="data-" + name)
        return json.loads(script["text"])

    def names_of_data(self):
        return [s["attributes"]["id"][5:] for s in self.all("script", type="application/json")]

    def table(self, figure):
        """Cells of the first table of a figure, by the text between."""
        begin = self.text.index(f'id="figure-{figure}"')
        rows = re.findall(r"<tr>(.*?)</tr>", self.text[begin:self.text.index("</table>", begin)])
        return [[re.sub(r"<[^>]*>", "", cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>",
                                                                     row)] for row in rows]


def page_of(run, *args, **how):
    r = glia("report", run, "--json", *args, **how).json()
    page = read(r["report"]).decode("utf-8")
    expect(len(page.encode()) == r["bytes"] <= LARGEST_PAGE, r)
    return check(Page(page))


def check(page):
    """What holds for every page."""
    expect(page.text.startswith("<!DOCTYPE html>"), page.text[:40])
    expect(page.all("html", lang="en"), "no language")
    expect(len(page.all("h1")) == 1 and page.all("h2"), "headings")
    levels = [int(e["tag"][1]) for e in page.elements if re.fullmatch("h[1-6]", e["tag"])]
    expect(all(b <= a + 1 for a, b in zip(levels, levels[1:])), "levels of headings:", levels)
    ids = [e["attributes"]["id"] for e in page.elements if "id" in e["attributes"]]
    expect(len(ids) == len(set(ids)), "an id twice:", [i for i in ids if ids.count(i) > 1])

    # Nothing comes from elsewhere, nothing runs but the one script.
    expect("http:" not in page.text and "https:" not in page.text, "an address",
           re.findall(r".{40}https?:.{40}", page.text)[:3])
    scripts = [s for s in page.all("script") if s["attributes"].get("type") != "application/json"]
    expect(len(scripts) == 1 and not scripts[0]["attributes"], scripts)
    for e in page.elements:
        expect(e["tag"] not in ("link", "iframe", "object", "embed", "base", "form"), e["tag"])
        for name, value in e["attributes"].items():
            expect(not name.startswith("on") and name != "style", e["tag"], name)
            if name in ("src", "href", "xlink:href", "data", "action", "srcset"):
                expect(e["tag"] == "img" and value.startswith("data:image/png;base64,"), e["tag"],
                       name, value[:40])
    (policy,) = page.all("meta", http_equiv="Content-Security-Policy")
    expect(policy["attributes"]["content"].startswith("default-src 'none';"), policy)
    expect("unsafe" not in policy["attributes"]["content"], policy)

    for svg in page.all("svg"):
        expect(svg["attributes"].get("role") == "img" and "viewbox" in svg["attributes"], svg)
        for key in ("aria-labelledby", "aria-describedby"):
            expect(svg["attributes"][key] in ids, svg["attributes"][key])
        expect("NaN" not in svg["text"] and "inf" not in svg["text"].split(), svg["text"][:200])
    for e in page.elements:
        for name in ("d", "x", "y", "width", "height", "cx", "cy", "transform"):
            expect(not re.search("nan|inf", e["attributes"].get(name, ""), re.IGNORECASE),
                   e["tag"], name, e["attributes"].get(name, "")[:80])
    for th in page.all("th"):
        expect(th["attributes"].get("scope") in ("row", "col"), "th without a scope")
    for img in page.all("img"):
        expect("alt" in img["attributes"], "an image without alt")
    for button in page.all("button"):
        expect(button["attributes"].get("type") == "button" and button["text"].strip(), button)
    # Each figure has its data, and the other way round.
    buttons = {b["attributes"]["data-csv"] for b in page.all("button") if "data-csv" in
               b["attributes"]}
    expect(buttons == set(page.names_of_data()), buttons ^ set(page.names_of_data()))
    for name in buttons:
        data = page.data(name)
        expect(data["columns"] and isinstance(data["rows"], list), name)
    return page


def png(source):
    """(width, height, colour type, rows of bytes) of a PNG, each chunk's checksum checked."""
    data = base64.b64decode(source.removeprefix("data:image/png;base64,"), validate=True)
    expect(data[:8] == b"\x89PNG\r\n\x1a\n", data[:8])
    at, chunks = 8, {}
    while at < len(data):
        (n,) = struct.unpack(">I", data[at:at + 4])
        kind, body = data[at + 4:at + 8], data[at + 8:at + 8 + n]
        (crc,) = struct.unpack(">I", data[at + 8 + n:at + 12 + n])
        expect(zlib.crc32(kind + body) == crc, "checksum of", kind)
        chunks[kind.decode()] = body
        at += 12 + n
    width, height, depth, colour = struct.unpack(">IIBB", chunks["IHDR"][:10])
    raw = zlib.decompress(chunks["IDAT"])
    expect(depth == 8 and len(raw) == height * (width + 1), width, height, len(raw))
    rows = [raw[r * (width + 1):(r + 1) * (width + 1)] for r in range(height)]
    expect(all(row[0] == 0 for row in rows), "a filter")
    if colour == 3:
        expect(max(max(row[1:]) for row in rows) < len(chunks["PLTE"]) / 3, "a colour without")
    return width, height, colour, [row[1:] for row in rows]


# ---- Runs ----------------------------------------------------------------------------------------

def train(run, data, *options):
    glia("train", data, "--run", run, "-q", *options)


def rename_classes(run, names):
    """Gives the classes of a run's model other names."""
    model = read(run + "/model.safetensors")
    (n,) = struct.unpack("<Q", model[:8])
    header = json.loads(model[8:8 + n])
    about = json.loads(header["__metadata__"]["glia"])
    about["classes"] = names
    header["__metadata__"]["glia"] = json.dumps(about)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    write(run + "/model.safetensors", struct.pack("<Q", len(text)) + text + model[8 + n:])


def copy(run, to):
    shutil.copytree(path(run), path(to))
    with contextlib.suppress(FileNotFoundError):
        os.remove(path(to + "/report.html"))


def near(a, b, tolerance=1e-6):
    if a is None or b is None:
        return a is b
    return abs(a - b) <= tolerance * max(1, abs(a), abs(b))


# ---- The page ------------------------------------------------------------------------------------

@test("a run's page has all sections")
def _():
    r = glia("report", "plain", "--json").json()
    expect(r["report"] == "plain/report.html" and r["complete"] and r["run"] == "plain", r)
    page = page_of("plain")
    expect([h["attributes"]["id"].removeprefix("about-") for h in page.all("h2")] == [
        "summary", "curves", "confusion", "mistakes", "calibration", "weights", "histograms",
        "units", "projection"], [h["attributes"]["id"] for h in page.all("h2")])
    for name in ("loss", "accuracy", "rate", "confusion-matrix", "confusions", "classes",
                 "mistakes", "reliability", "confidence", "weights", "weights-1", "activations-2",
                 "units", "projection"):
        expect(name in page.names_of_data(), name, page.names_of_data())
    expect(page.all("title")[0]["text"] == "bars, 64-12-7-3, tanh", page.all("title"))
    printed = glia("report", "plain/").out
    expect("plain/report.html" in printed and "kB" in printed, printed)
    expect(sorted(os.listdir(path("plain"))) == ["metrics.jsonl", "model.safetensors",
                                                 "report.html", "result.json", "run.json"],
           os.listdir(path("plain")))


@test("the page's scores are those of glia eval")
def _():
    page, scores = page_of("plain"), glia("eval", "plain/model.safetensors", "bars", "--json").json()
    matrix = page.data("confusion-matrix")
    expect(matrix["columns"] == ["true class"] + scores["classes"], matrix["columns"])
    expect([row[1:] for row in matrix["rows"]] == scores["confusion"], matrix["rows"])
    classes = page.data("classes")
    for row, of_class in zip(classes["rows"], scores["per_class"], strict=True):
        expect(row[0] == of_class["class"] and row[4] == of_class["support"], row, of_class)
        for value, key in zip(row[1:4], ("precision", "recall", "f1")):
            expect(near(value, of_class[key]), row, of_class)
    shown = page.table("classes")
    for row, of_class in zip(shown[1:], scores["per_class"], strict=True):
        expect(row[1] == "%.2f %%" % (100 * of_class["precision"]), row, of_class)
    expect("%.2f %%" % (100 * scores["accuracy"]) in page.all("ul")[0]["text"],
           page.all("ul")[0]["text"])
    expect("%.4f" % scores["loss"] in page.all("ul")[0]["text"], page.all("ul")[0]["text"])
    pairs = page.data("confusions")["rows"]
    wrong = sum(sum(row) for row in scores["confusion"]) - sum(
        scores["confusion"][k][k] for k in range(3))
    expect(sum(pair[2] for pair in pairs) == wrong > 0, pairs, wrong)
    expect([p[2] for p in pairs] == sorted((p[2] for p in pairs), reverse=True), pairs)


@test("the curves are those of metrics.jsonl")
def _():
    page = page_of("plain")
    lines = [json.loads(line) for line in read("plain/metrics.jsonl").decode().splitlines()]
    epochs = [line for line in lines if line["kind"] == "epoch"]
    for name, field in (("loss", "loss"), ("accuracy", "accuracy")):
        rows = page.data(name)["rows"]
        for series, key in (("training, an epoch", "train_"), ("validation", "validation_")):
            values = [row[1:] for row in rows if row[0] == series]
            expect(len(values) == len(epochs), series, values)
            for (epoch, value), line in zip(values, epochs):
                expect(epoch == line["epoch"] and near(value, line[key + field]), series, value)
    rates = page.data("rate")["rows"]
    expect(near(rates[-1][2], epochs[-1]["lr"]), rates[-1], epochs[-1]["lr"])


def predictions(model, data, n):
    """Of the first n test samples: (index, class, probabilities, true class)."""
    found = glia("predict", model, f"{data}:0-{n - 1}", "--json").json()["predictions"]
    return [(i, p["class"], p["probabilities"], p["label"]) for i, p in enumerate(found)]


@test("mistakes and calibration are those of the predictions")
def _():
    page = page_of("plain")
    found = predictions("plain/model.safetensors", "bars", 90)
    wrong = sorted(((max(p), -i, said, true) for i, said, p, true in found if said != true),
                   reverse=True)
    rows = page.data("mistakes")["rows"]
    expect(len(rows) == min(24, len(wrong)) > 0, len(rows), len(wrong))
    expect([r[0] for r in rows] == [-i for _, i, _, _ in wrong][:24], rows, wrong[:24])
    for row, (confidence, _, said, true) in zip(rows, wrong):
        expect(row[1] == true and row[2] == said and near(row[3], confidence, 1e-5), row)

    bins = [[] for _ in range(15)]
    for _, said, p, true in found:
        bins[min(int(max(p) * 15), 14)].append((max(p), said == true))
    error = 0
    for row, members in zip(page.data("reliability")["rows"], bins, strict=True):
        expect(row[2] == len(members), row, members)
        if members:
            confidence = sum(c for c, _ in members) / len(members)
            right = sum(r for _, r in members) / len(members)
            expect(near(row[3], confidence, 1e-5) and near(row[4], right), row, confidence, right)
            error += len(members) / len(found) * abs(confidence - right)
    said = re.search(r"Expected calibration error: ([\d.]+) %", page.text)
    expect(said and abs(float(said[1]) - 100 * error) <= 0.0051, said and said[0], error)


@test("pictures of samples and weights are PNG files with the right pixels")
def _():
    page = page_of("plain")
    images = [i for i in page.all("img") if i["attributes"]["alt"].startswith("Test sample")]
    data = read("bars/t10k-images-idx3-ubyte")[16:]
    expect(len(images) == len(page.data("mistakes")["rows"]), len(images))
    for image, row in zip(images, page.data("mistakes")["rows"]):
        width, height, colour, rows = png(image["attributes"]["src"])
        expect((width, height, colour) == (8, 8, 0), width, height, colour)
        expect(b"".join(rows) == data[64 * row[0]:64 * (row[0] + 1)], row)

    weights = page.data("weights")["rows"]
    others = [i for i in page.all("img") if "scale" not in i["attributes"]["alt"]
              and i["attributes"]["alt"] == ""]
    expect(len(others) == 12 and len(weights) == 12 * 8, len(others), len(weights))
    for unit, image in enumerate(others):
        width, height, colour, rows = png(image["attributes"]["src"])
        values = [row[2:] for row in weights[8 * unit:8 * unit + 8]]
        largest = max(abs(v) for row in values for v in row)
        expect((width, height, colour) == (8, 8, 3), width, height, colour)
        for pixels, of_row in zip(rows, values):
            for pixel, value in zip(pixels, of_row):
                expect(abs(pixel - 31 - 31 * value / largest) <= 0.6, pixel, value, largest)


@test("histograms count everything; dead and saturated units are found")
def _():
    page = page_of("plain")
    for name in ("weights-1", "activations-1", "weights-3", "activations-3"):
        of_epoch = {}
        for epoch, _, _, share in page.data(name)["rows"]:
            of_epoch[epoch] = of_epoch.get(epoch, 0) + share
        expect(1 <= len(of_epoch) <= 6 and all(abs(s - 1) < 1e-3 for s in of_epoch.values()),
               name, of_epoch)
    expect(len(page.table("units")) == 3, page.table("units"))

    # relu units that no sample can wake, sigmoid units that all samples drive to an end
    for run, activation, bias, dead, saturated in (("dead", "relu", -1000.0, 5, None),
                                                   ("full", "sigmoid", 12.0, 0, 5),
                                                   ("wide", "scaled-tanh", 5.0, 0, 5)):
        train(run, "bars", "--hidden", "5", "--activation", activation, "--epochs", "1")
        model = read(run + "/model.safetensors")
        (n,) = struct.unpack("<Q", model[:8])
        begin, end = json.loads(model[8:8 + n])["layers.0.bias"]["data_offsets"]
        at = 8 + n
        write(run + "/model.safetensors", model[:at + begin] + struct.pack("<5f", *[bias] * 5)
              + model[at + end:])
        row = page_of(run).data("units")["rows"][0]
        expect(row[1] == 5 and row[2] == activation and row[3] == dead and row[4] == saturated,
               row)
    train("normalised", "bars", "--hidden", "5", "--batch-norm", "--epochs", "1")
    expect(page_of("normalised").table("units")[1][1] == "batch norm, relu")


@test("the projection keeps the two directions of largest variance")
def _():
    # One hidden identity layer of 2 units: its principal components are its outputs, turned.
    train("turned", "bars", "--hidden", "2", "--activation", "identity", "--epochs", "2")
    page = page_of("turned")
    rows = page.data("projection")["rows"]
    x, y = [r[1] for r in rows], [r[2] for r in rows]
    n = len(rows)
    expect(n == 90 and abs(sum(x)) < 1e-2 * n and abs(sum(y)) < 1e-2 * n, n, sum(x), sum(y))
    var = [sum(v * v for v in values) / n for values in (x, y)]
    covariance = sum(a * b for a, b in zip(x, y)) / n
    expect(var[0] >= var[1] and abs(covariance) < 1e-3 * math.sqrt(var[0] * var[1]) + 1e-6,
           var, covariance)
    parts = [float(p) for p in re.findall(r"component \d, ([\d.]+) % of the variance", page.text)]
    expect(abs(parts[0] + parts[1] - 100) <= 0.11, parts)
    expect(abs(parts[0] - 100 * var[0] / sum(var)) < 0.1, parts, var)
    found = predictions("turned/model.safetensors", "bars", 90)
    expect([r[3:] for r in rows] == [[true, said] for _, said, _, true in found], rows[:3])
    expect(page_of("turned").text == page.text, "another page the second time")


# ---- Runs that lack something --------------------------------------------------------------------

@test("hostile names stay text")
def _():
    copy("plain", "hostile")
    rename_classes("hostile", HOSTILE)
    run = json.loads(read("hostile/run.json"))
    run["data"]["more"] = HOSTILE[0]
    run["environment"]["cpu"] = HOSTILE[1] + "'" * 5
    run["environment"]["</script>"] = "]]>"
    run["started"] = HOSTILE[1]
    run["command"] = ["train", HOSTILE[0], "it's", "$(reboot)", "", "--", "bars"]
    run["network"]["activations"] = [HOSTILE[0], HOSTILE[0], "softmax"]
    write("hostile/run.json", json.dumps(run).encode())
    page = page_of("hostile")
    expect("<script>alert" not in page.text and "<img src=x" not in page.text, "markup")
    matrix = page.data("confusion-matrix")
    expect(matrix["columns"][1:3] == HOSTILE[:2], matrix["columns"])
    shown = HOSTILE[2].replace("\u202e", "?")  # it would turn the text round it
    expect(matrix["columns"][3].startswith(shown[:30]) and len(matrix["columns"][3]) == 40,
           matrix["columns"][3])
    command = page.all("pre")[0]["text"]
    expect(command == "glia train '<script>alert(1)</script>' 'it'\\''s' '$(reboot)' '' -- bars",
           command)
    expect(any(e["text"] == HOSTILE[0] for e in page.all("bdi")), "no class by its name")
    write("hostile/result.json", b"{}")
    page_of("hostile")


@test("a run without validation, without hidden layers, of one epoch")
def _():
    train("bare", "bars", "--hidden", "none", "--epochs", "1")
    page = page_of("bare")
    expect({row[0] for row in page.data("loss")["rows"]} == {"training, an epoch"}, "series")
    expect("projection" not in page.names_of_data() and "units" not in page.names_of_data(),
           page.names_of_data())
    train("none", "bars", "--epochs", "0")
    expect("no line in metrics.jsonl" in page_of("none").text, "no note")


@test("a run whose samples are no images, of many classes")
def _():
    copy("plain", "flat")
    model = read("flat/model.safetensors")
    (n,) = struct.unpack("<Q", model[:8])
    header = json.loads(model[8:8 + n])
    about = json.loads(header["__metadata__"]["glia"])
    about["preprocessing"].update(height=0, width=0, form="none")
    header["__metadata__"]["glia"] = json.dumps(about)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    write("flat/model.safetensors", struct.pack("<Q", len(text)) + text + model[8 + n:])
    page = page_of("flat")
    expect("weights" not in page.names_of_data(), page.names_of_data())

    make_data("many", 500, 500, classes=250)
    train("crowd", "many", "--hidden", "4", "--epochs", "2")
    rename_classes("crowd", [f"{k:03d} " + "\N{CJK UNIFIED IDEOGRAPH-4E00}" * 500
                             for k in range(250)])
    page = page_of("crowd")
    expect("confusion-matrix" not in page.names_of_data(), "a matrix of 250 classes")
    expect(len(page.table("classes")) == 201 and "more classes are left out" in page.text,
           len(page.table("classes")))
    expect(page.data("projection")["rows"], "nothing is projected")


@test("a run without a test split, or whose data are gone")
def _():
    make_data("untested", 60, 0)
    train("open", "untested", "--epochs", "1", "--hidden", "4")
    r = glia("report", "open")
    expect("no test samples" in r.err, r.err)
    page = page_of("open")
    expect("could not be had" in page.text and "weights" in page.names_of_data(), "no note")
    expect("Test accuracy" not in page.text, "an accuracy")
    copy("plain", "gone")
    run = json.loads(read("gone/run.json"))
    run["data"]["name"] = "./moved"
    write("gone/run.json", json.dumps(run).encode())
    page = page_of("gone")
    result = json.loads(read("gone/result.json"))
    expect("%.2f %%" % (100 * result["test_accuracy"]) in page.all("ul")[0]["text"],
           "the accuracy that the run ended with")


def write_tables():
    """Two kinds of a row, and a value of it, in three columns of numbers."""
    rng = random.Random(7)
    rows = [[rng.gauss(0, 1) for _ in range(3)] for _ in range(200)]
    kinds = ["high" if a + b + rng.gauss(0, 0.5) > 0 else "low" for a, b, _ in rows]
    values = [3 * a - b * c + rng.gauss(0, 0.1) for a, b, c in rows]
    for name, last in (("kinds", kinds), ("values", values)):
        lines = [",".join([*map(repr, row), str(y)]) for row, y in zip(rows, last)]
        write(name + ".csv", ("\n".join(["a,b,c,y", *lines]) + "\n").encode())
        write(name + "-new.csv", ("\n".join(["a,b,c,y", *lines[:70]]) + "\n").encode())


def array(kind, shape, values):
    """The bytes of a .npy file."""
    head = "{'descr': '%s', 'fortran_order': False, 'shape': %r, }" % (kind, shape)
    head = head.ljust(128 - 11).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + struct.pack(
        "<%d%s" % (math.prod(shape), {"<f4": "f", "|u1": "B"}[kind]), *values)


def write_archive(name, kind, n, test_parts):
    """Images of 4x4 whose upper or lower half is the brighter."""
    rng = random.Random(9)
    with zipfile.ZipFile(path(name), "w") as archive:
        for part, rows in (("train", n), ("test", n // 4)) if test_parts else (("", n),):
            y = [rng.randrange(2) for _ in range(rows)]
            x = [rng.randrange(200) + 55 * ((i < 8) == (k == 0)) for k in y for i in range(16)]
            mark = "_" + part if part else ""
            shape = (rows, 4, 4) if kind == "|u1" else (rows, 16)
            archive.writestr(f"x{mark}.npy", array(kind, shape, x))
            archive.writestr(f"y{mark}.npy", array("|u1", (rows,), y))


@test("a run on an archive is tested on its test split, or on what it held out")
def _():
    for kind in ("<f4", "|u1"):
        for test_parts in (True, False):
            name = "a%d%s" % (test_parts, kind[1])
            write_archive(name + ".npz", kind, 200, test_parts)
            train(name, name + ".npz", "--epochs", "2", "--hidden", "8", "--validation", "0.1")
            result = json.loads(read(name + "/result.json"))
            r = glia("report", name, "--json")
            expect(r.err == "", r.err)
            expect(near(r.json()["test_accuracy"], result["test_accuracy"]), name, r.out, result)
            matrix = page_of(name).data("confusion-matrix")["rows"]
            expect(sum(sum(row[1:]) for row in matrix) == (50 if test_parts else 40), matrix)


@test("a run on a table is tested on what it held out")
def _():
    write_tables()
    for run, options, samples in (
            ("held", ("--validation", "0.1", "--seed", "5", "--data-seed", "3"), 40),
            ("last", ("--test", "50", "--split", "last"), 50),
            ("other", ("--test", "kinds-new.csv"), 70)):
        train(run, "kinds.csv", "--epochs", "3", *options)
        result = json.loads(read(run + "/result.json"))
        r = glia("report", run, "--json")
        expect(r.err == "", r.err)
        expect(near(r.json()["test_accuracy"], result["test_accuracy"]), run, r.out, result)
        page = page_of(run)
        expect("%.2f %%" % (100 * result["test_accuracy"]) in page.all("ul")[0]["text"],
               page.all("ul")[0]["text"])
        matrix = page.data("confusion-matrix")
        expect(matrix["columns"][1:] == ["high", "low"], matrix["columns"])
        rows = [row[1:] for row in matrix["rows"]]
        expect(sum(map(sum, rows)) == samples, run, rows)
        expect(near((rows[0][0] + rows[1][1]) / samples, result["test_accuracy"]), rows)
        curve = [row[1:] for row in page.data("roc")["rows"]]
        area = sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in zip(curve, curve[1:]))
        expect(curve[0] == [0, 0] and curve[-1] == [1, 1], curve)
        expect(near(area, result["test_roc_auc"], 1e-3), area, result["test_roc_auc"])
        steps = [row[1:] for row in page.data("precision-recall")["rows"]]
        sums = sum((b[0] - a[0]) * b[1] for a, b in zip(steps, steps[1:]))
        expect(near(sums, result["test_average_precision"], 0.02), sums, result)
        cards = page.all("ul")[0]["text"]
        expect("ROC AUC %.4g" % result["test_roc_auc"] in cards, cards)
        expect("always answering" in cards and "%.2f %%" % (100 * result["test_majority"])
               in cards, cards)

    train("valued", "values.csv", "--epochs", "3")
    result = json.loads(read("valued/result.json"))
    r = glia("report", "valued", "--json")
    expect(r.err == "" and near(r.json()["test_rmse"], result["test_rmse"]), r.out, r.err)
    page = page_of("valued")
    expect("units" in page.names_of_data() and "confusion-matrix" not in page.names_of_data(),
           page.names_of_data())
    expect("targets" not in page.names_of_data() and "roc" not in page.names_of_data())
    for name in ("predicted-0", "residuals-0"):
        rows = page.data(name)["rows"]
        expect(near(math.sqrt(sum(r[3] ** 2 for r in rows) / len(rows)), result["test_rmse"], 1e-4))
        expect(all(near(r[2] - r[1], r[3], 1e-4) for r in rows), rows[:3])
    ranges = page.data("ranges-0")["rows"]
    squares = sum(r[2] * r[3] ** 2 for r in ranges) / sum(r[2] for r in ranges)
    expect(len(ranges) == 8 and near(math.sqrt(squares), result["test_rmse"], 1e-4), ranges)
    expect(all(a[1] <= b[0] for a, b in zip(ranges, ranges[1:])), ranges)

    # What is a default is folded away, what is not is seen.
    (folded,) = page.all("details")
    expect(re.match(r"\d+ defaults", folded["text"]) and "rotation" in folded["text"], folded)
    expect("epochs" not in folded["text"] and "epochs" in page.text, folded["text"])

    two = [f"{line},{3000 - 1000 * i % 7}" for i, line in
           enumerate(read("values.csv").decode().splitlines()[1:])]
    header = read("values.csv").decode().splitlines()[0]
    write("two.csv", "\n".join([header + ",price", *two, ""]).encode())
    train("two", "two.csv", "--epochs", "3", "--target", header.split(",")[-1] + ",price")
    targets = page_of("two").data("targets")
    scores = json.loads(read("two/result.json"))
    expect(targets["columns"] == ["target", "RMSE", "MAE", "R2"], targets)
    expect([r[0] for r in targets["rows"]] == [header.split(",")[-1], "price"], targets)
    rmse = [r[1] for r in targets["rows"]]
    expect(near(math.hypot(*rmse) / math.sqrt(2), scores["test_rmse"], 1e-5), rmse, scores)
    expect(near(sum(r[3] for r in targets["rows"]) / 2, scores["test_r2"], 1e-5), targets, scores)


@test("a table that is no longer what it was is not tested on")
def _():
    write_tables()
    for run, options in (("untold", ("--test", "none")), ("changed", ()), ("missing", ()),
                         ("reworded", ())):
        train(run, "kinds.csv", "--epochs", "1", *options)
    about = json.loads(read("reworded/run.json"))
    for words in (["train", "--no-such", "kinds.csv"], ["train"], ["train", 3], ["train", "--help"],
                  "train"):
        write("reworded/run.json", json.dumps({**about, "command": words}).encode())
        r = glia("report", "reworded")
        expect("no test samples: reworded/run.json: \"command\"" in r.err, r.err)
    r = glia("report", "untold")
    expect("held out nothing to test" in r.err, r.err)
    write("kinds.csv", read("kinds-new.csv"))
    r = glia("report", "changed", "--json")
    expect("another one than the run's" in r.err, r.err)
    expect(r.json()["test_accuracy"] is None, r.out)
    os.remove(path("kinds.csv"))
    r = glia("report", "missing")
    expect("no test samples" in r.err and "kinds.csv" in r.err, r.err)
    expect("could not be had" in page_of("missing").text, "no note")


@test("a run that is not complete")
def _():
    copy("plain", "going")
    os.remove(path("going/result.json"))
    os.remove(path("going/model.safetensors"))
    lines = read("going/metrics.jsonl").splitlines(keepends=True)
    write("going/metrics.jsonl", b"".join(lines[:-1]) + lines[-1][:30])  # killed within a line
    r = glia("report", "going", "--json").json()
    expect(not r["complete"] and r["test_accuracy"] is None, r)
    page = page_of("going")
    expect("not complete" in page.text and "no model.safetensors" in page.text, "no note")
    expect("loss" in page.names_of_data() and "weights" not in page.names_of_data(),
           page.names_of_data())
    os.remove(path("going/metrics.jsonl"))
    page_of("going")
    for stopped in ("cancelled", "diverged"):
        result = json.loads(read("plain/result.json"))
        result["stopped"] = stopped
        write("going/result.json", json.dumps(result).encode())
        word = "interrupted" if stopped == "cancelled" else "diverged"
        expect(word in page_of("going").all("p", role="note")[0]["text"], stopped)


@test("values that are null, huge or missing")
def _():
    copy("plain", "odd")
    lines = []
    for epoch in range(1, 300):
        loss = None if epoch % 7 == 0 else 1e30 if epoch == 5 else 1 / epoch
        lines.append({"kind": "step", "samples": 240 * epoch, "train_loss": loss, "lr": 0,
                      "train_accuracy": None, "seconds": 1e308})
        lines.append({"kind": "epoch", "epoch": epoch, "train_loss": loss,
                      "train_accuracy": 1e308 if epoch == 9 else 1, "validation_loss": None,
                      "lr": 1e-320 if epoch == 9 else 0, "best": epoch % 2 == 0, "histograms": [
                          {"weights": {"min": 0, "max": 0, "counts": [5]},
                           "activations": {"min": -1e-30, "max": 1e30, "counts": [0] * 4000}},
                          {"weights": {"min": 1, "max": 0, "counts": [5]},
                           "activations": {"min": None, "max": 2, "counts": "x"}}, 7, None]})
    lines += [{"kind": "other"}, {"kind": 3}, [], {}]
    write("odd/metrics.jsonl", "".join(json.dumps(line) + "\n" for line in lines).encode())
    page = page_of("odd")
    points = [row for row in page.data("loss")["rows"] if row[0] == "training, an epoch"]
    expect(len(points) <= 120 and points[-1][1] == 299, len(points), points[-1])
    write("odd/run.json", b'{"format": "glia-run", "format_version": 1, "data": 7}')
    write("odd/result.json", b"{}")
    page_of("odd")


@test("the ticks of an axis touch neither each other nor its label")
def _():
    write("ticks.csv", "".join(["a,y\n", *(f"{i},{(i - 100) * 1234}\n"
                                          for i in range(200))]).encode())
    glia("train", "ticks.csv", "--run", "ticks", "-q", "--epochs", 3)
    page_of("ticks")
    n_looked = 0
    for plot in re.findall(r'<svg class="plot.*?</svg>', read("ticks/report.html").decode(), re.S):
        axis = re.search(r'<g class="axis">(.*?)</g>', plot, re.S).group(1)
        texts = re.findall(r'<text x="([-\d.]+)" y="([-\d.]+)" text-anchor="(\w+)">([^<]*)<', axis)
        label = re.search(r"translate\((\d+) ", axis)
        ticks = sorted((float(x), len(text)) for x, y, anchor, text in texts[:-1] if anchor == "middle")
        for (x, n), (next_x, next_n) in zip(ticks, ticks[1:]):
            expect(next_x - x > 5.6 * (n + next_n) / 2, ticks)
            n_looked += n >= 7
        for x, _, anchor, text in texts:
            if anchor == "end" and label:
                expect(float(x) - 5.6 * len(text) > float(label.group(1)) + 3, x, text)
    expect(n_looked > 0, "there are no long ticks")


@test("a sweep's page is as sound")
def _():
    glia("sweep", "bars", "--hidden", "2,6", "--lr", "0.1,0.3", "--epochs", "2", "--validation",
         "0.2", "-o", "swept", "-q")
    page = page_of("swept")
    expect(page.all("svg") and page.names_of_data(), "no plots")


@test("the page goes elsewhere with -o, and replaces what was there as a whole")
def _():
    before = sorted(os.listdir(HERE))
    glia("report", "plain", "-o", "elsewhere.html")
    expect(sorted(os.listdir(HERE)) == sorted(before + ["elsewhere.html"]), os.listdir(HERE))
    expect(read("elsewhere.html") == read("plain/report.html"), "another page")
    write("elsewhere.html", b"old")
    r = glia("report", "plain", "-o", "no/such/folder.html", code=1)
    expect("no/such/folder.html" in r.err and r.out == "", r.err)
    glia("report", "plain", "-o", "elsewhere.html")
    expect(read("elsewhere.html") == read("plain/report.html"), "not replaced")
    streamed = glia("report", "plain", "-o", "/dev/stdout").out
    expect(streamed.startswith("<!DOCTYPE html>") and "</html>" in streamed, streamed[:50])
    if os.geteuid() != 0:
        os.chmod(path("plain"), 0o500)
        r = glia("report", "plain", code=1)
        os.chmod(path("plain"), 0o700)
        expect("plain/report.html" in r.err, r.err)


@test("what is no run is refused, with the reason")
def _():
    expect("no run.json" in glia("report", "bars", code=1).err, "bars")
    expect("no run.json" in glia("report", "nowhere", code=1).err, "nowhere")
    glia("report", code=2)
    glia("report", "plain", "other", code=2)
    copy("plain", "broken")
    for name, content, said in (
            ("run.json", b"{", "run.json:1"), ("run.json", b"[]", "no JSON object"),
            ("run.json", b"{}", "glia-run"),
            ("run.json", b'{"format": "glia-run", "format_version": 2}', "format_version 2"),
            ("result.json", b"nothing", "result.json:1"),
            ("metrics.jsonl", b"{}\n{broken}\n{}\n", "metrics.jsonl:2"),
            ("model.safetensors", b"x" * 100, "model.safetensors")):
        whole = read("broken/" + name)
        write("broken/" + name, content)
        r = glia("report", "broken", code=1)
        expect(said in r.err and not os.path.exists(path("broken/report.html")), name, r.err)
        write("broken/" + name, whole)
    page_of("broken")


@test("real MNIST: the page is small enough")
def _():
    folder = os.environ.get("GLIA_DATA")
    if not folder or not os.path.isdir(os.path.join(folder, "mnist")) or SANITIZED:
        raise Skip("needs MNIST in $GLIA_DATA, and no sanitizer")
    env = {"GLIA_DATA": os.path.abspath(folder)}
    glia("train", "mnist", "--hidden", "256,128", "--epochs", "2", "--validation", "0.1", "--run",
         "mnist-run", "-q", env=env)
    page = page_of("mnist-run", env=env)
    scores = glia("eval", "mnist-run/model.safetensors", "mnist", "--json", env=env).json()
    expect([row[1:] for row in page.data("confusion-matrix")["rows"]] == scores["confusion"],
           "another confusion matrix")
    expect(len(page.data("projection")["rows"]) == 1000, "the projection")


# ---- In a browser --------------------------------------------------------------------------------

@functools.cache
def browser():
    """A headless Chromium, or Skip; ended by the last test."""
    if SANITIZED:
        raise Skip("the page is the same without a sanitizer")
    try:
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service
    except ImportError:
        raise Skip("needs selenium (PyPI)") from None
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    if not chromium or not driver:
        raise Skip("needs chromium and chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("headless=new", "no-sandbox", "disable-gpu", "hide-scrollbars",
                     "disable-dev-shm-usage", "user-data-dir=" + path("profile")):
        options.add_argument("--" + argument)
    options.add_experimental_option("prefs", {"download.default_directory": path("downloads")})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=Service(driver, env=ENV))


def open_page(run, width=1280, theme="light"):
    page_of(run)
    driver = browser()
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False})
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
        "features": [{"name": "prefers-color-scheme", "value": theme}]})
    for kind in ("browser", "performance"):
        driver.get_log(kind)
    driver.get(f"file://{path(run)}/report.html")
    return driver


# Texts of axes and legends that reach beyond their drawing, or over each other.
CUT_OR_OVERLAPPING = """
    const bad = [];
    for (const svg of document.querySelectorAll('svg')) {
      const frame = svg.getBoundingClientRect();
      const texts = [...svg.querySelectorAll('.axis text, .legend text')].map(
        (e) => [e.textContent, e.getBoundingClientRect()]);
      texts.forEach(([text, r], i) => {
        if (r.left < frame.left - 1 || r.right > frame.right + 1 ||
            r.top < frame.top - 1 || r.bottom > frame.bottom + 1)
          bad.push(svg.id + ': cut: ' + text);
        for (const [other, o] of texts.slice(0, i))
          if (Math.min(r.right, o.right) - Math.max(r.left, o.left) > 1 &&
              Math.min(r.bottom, o.bottom) - Math.max(r.top, o.top) > 2.5)
            bad.push(svg.id + ': ' + text + ' over ' + other);
      });
    }
    return bad;"""


@test("browser: no error, no request, nothing wider than the page, at 1280 and 390 pixels")
def _():
    for run in ("plain", "hostile", "crowd", "open", "swept"):
        for width in (1280, 390):
            for theme in ("light", "dark"):
                driver = open_page(run, width, theme)
                # Of leaf elements and pictures of a figure none reaches beyond it.
                wide = driver.execute_script("""
                    return [...document.querySelectorAll('body *')].filter(e => {
                      const r = e.getBoundingClientRect();
                      const f = (e.closest('.figure') || document.body).getBoundingClientRect();
                      return r.width > 1 && !e.closest('.sr') &&
                             (r.right > f.right + 1 || r.left < f.left - 1);
                    }).map(e => e.tagName + ' ' + e.className.toString() + ' ' +
                                e.textContent.slice(0, 40))""")
                expect(not wide, run, width, theme, wide[:5])
                cut = driver.execute_script(CUT_OR_OVERLAPPING)
                expect(not cut, run, width, theme, cut[:5])
                expect(driver.execute_script(
                    "return document.documentElement.scrollWidth") <= width, run, width)
                expect(driver.get_log("browser") == [], run, width, theme, "logged")
                requests = [json.loads(entry["message"])["message"]["params"]["request"]["url"]
                            for entry in driver.get_log("performance")
                            if '"Network.requestWillBeSent"' in entry["message"]]
                requests = [url for url in requests if not url.startswith("data:")]
                expect(requests == [f"file://{path(run)}/report.html"], run, requests)


@test("browser: pointing and focusing name the value")
def _():
    driver = open_page("plain")
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    tip = driver.find_element(By.ID, "tip")
    expect(not tip.is_displayed(), "shown before")
    for figure in ("loss", "confusion-matrix", "mistakes", "reliability", "weights",
                   "activations-1", "projection"):
        mark = driver.find_element(By.CSS_SELECTOR, f"#figure-{figure} [data-t]")
        driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", mark)
        ActionChains(driver).move_to_element(mark).perform()
        expect(tip.is_displayed() and tip.text, figure, tip.text)
        tips = driver.execute_script(
            "return [...arguments[0].closest('.figure').querySelectorAll('[data-t]')]"
            ".map(e => e.dataset.t)", mark)
        expect(tip.text in tips, figure, tip.text)
        box = tip.rect
        expect(box["x"] >= 0 and box["x"] + box["width"] <= 1280, figure, box)
    ActionChains(driver).move_to_element(driver.find_element(By.TAG_NAME, "h1")).perform()
    expect(not tip.is_displayed(), "still there:", tip.text)

    # By the keyboard: the plot is one stop, arrows go from value to value.
    driver.execute_script("document.querySelector('[data-csv=loss]').focus()")
    ActionChains(driver).send_keys(Keys.TAB).perform()
    expect(driver.switch_to.active_element.get_attribute("id") == "loss", "not the plot")
    first = tip.text
    expect(tip.is_displayed() and first, "no value on focus")
    ActionChains(driver).send_keys(Keys.ARROW_RIGHT).perform()
    expect(tip.text and tip.text != first, tip.text)
    ActionChains(driver).send_keys(Keys.HOME).perform()
    expect(tip.text == first, tip.text, first)
    ActionChains(driver).send_keys(Keys.ESCAPE).perform()
    expect(not tip.is_displayed(), "not hidden by Escape")


@test("browser: every plot saves its values as CSV")
def _():
    driver = open_page("hostile")
    from selenium.webdriver.common.by import By
    page = Page(read("hostile/report.html").decode())
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", {
        "behavior": "allow", "downloadPath": path("downloads")})
    for name in ("confusion-matrix", "loss", "projection"):
        button = driver.find_element(By.CSS_SELECTOR, f"[data-csv={name}]")
        driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
        button.click()
        deadline = time.monotonic() + 30
        while not (os.path.exists(path(f"downloads/{name}.csv")) and read(f"downloads/{name}.csv")):
            expect(time.monotonic() < deadline, name, "was not saved")
            time.sleep(0.05)
        rows = list(csv.reader(io.StringIO(read(f"downloads/{name}.csv").decode(), newline="")))
        data = page.data(name)
        expect(rows[0] == data["columns"] and len(rows) == 1 + len(data["rows"]), name, rows[0])
        for row, values in zip(rows[1:], data["rows"]):
            for cell, value in zip(row, values, strict=True):
                same = (cell == "" if value is None else cell == value if isinstance(value, str)
                        else float(cell) == value)
                expect(same, name, cell, value)
    expect(driver.get_log("browser") == [], "logged")


@test("browser: the switch changes the theme; text has contrast in both")
def _():
    browser()
    from selenium.webdriver.common.by import By
    contrast = """
        const parse = (c) => c.match(/[\\d.]+/g).map(Number);
        const light = (c) => c.slice(0, 3).map((v) => v / 255).map(
          (v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
          .reduce((s, v, i) => s + v * [0.2126, 0.7152, 0.0722][i], 0);
        const ground = (e) => {
          for (; e; e = e.parentElement) {
            const c = parse(getComputedStyle(e).backgroundColor);
            if (c.length < 4 || c[3] > 0) return c;
          }
          return [255, 255, 255];
        };
        const bad = [];
        for (const e of document.querySelectorAll('body *')) {
          if (!e.checkVisibility() || ![...e.childNodes].some(
              (n) => n.nodeType === 3 && n.data.trim())) continue;
          const style = getComputedStyle(e);
          const ink = light(parse(e.closest('svg') ? style.fill : style.color));
          const paper = light(ground(e.closest('svg') || e));
          const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
          if (ratio < 4.5) bad.push(e.tagName + ' ' + e.textContent.slice(0, 20) + ' ' + ratio);
        }
        return bad;"""
    ground = "return getComputedStyle(document.body).backgroundColor"
    for theme, other in (("light", "Dark theme"), ("dark", "Light theme")):
        driver = open_page("plain", theme=theme)
        switch = driver.find_element(By.ID, "theme")
        expect(switch.text == other, switch.text)
        bad = driver.execute_script(contrast)
        expect(not bad, theme, bad[:5])
        before = driver.execute_script(ground)
        switch.click()
        expect(driver.execute_script(ground) != before and switch.text != other, theme)
        expect(not driver.execute_script(contrast), "after the switch")
        switch.click()
        expect(driver.execute_script(ground) == before and switch.text == other, theme)


@test("browser: axe finds nothing wrong with the page for those who read it otherwise")
def _():
    # The package is there for the script of axe-core that it brings.
    package = importlib.util.find_spec("axe_playwright_python")
    if package is None:
        raise Skip("needs axe-playwright-python (PyPI)")
    with open(os.path.join(os.path.dirname(package.origin), "axe.min.js"), encoding="utf-8") as js:
        axe = js.read()
    for run, theme in (("plain", "light"), ("plain", "dark"), ("swept", "light")):
        driver = open_page(run, theme=theme)
        driver.execute_script(axe + "; window.axe = axe;")
        found = driver.execute_async_script("axe.run().then(arguments[0]);")
        expect(len(found["passes"]) > 20, found["passes"])
        expect(not found["violations"], [
            (v["id"], v["impact"], v["nodes"][0]["html"][:200]) for v in found["violations"]])


def main():
    make_data("bars", 300, 90)
    train("plain", "bars", "--hidden", "12,7", "--activation", "tanh", "--epochs", "3", "--lr",
          "0.1", "--lr-end", "0.01", "--validation", "0.2")
    try:
        run_tests()
    finally:
        with contextlib.suppress(Exception):
            browser().quit()


main()
