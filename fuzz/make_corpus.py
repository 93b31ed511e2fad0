#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the seeds of fuzz/corpus/idx, gzip, png, csv, npy, arff and libsvm: small good files of each kind, and
bad ones; also the models of fuzz/corpus/safetensors with batch normalisation.

usage: fuzz/make_corpus.py (files that a fuzzer has found since are left alone)
"""
import gzip
import io
import json
import math
import os
import struct
import zipfile
import zlib

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")


def write(folder, name, data):
    os.makedirs(os.path.join(ROOT, folder), exist_ok=True)
    with open(os.path.join(ROOT, folder, name), "wb") as out:
        out.write(data)


def idx(*dims, kind=8, fill=None):
    size = 1
    for dim in dims:
        size *= dim
    data = bytes(i % 251 for i in range(size)) if fill is None else fill
    return struct.pack(f">BBBB{len(dims)}I", 0, 0, kind, len(dims), *dims) + data


def compress(data):
    return gzip.compress(data, mtime=0)


def member_with_fields(data):
    """A gzip member with every optional field of its header."""
    head = b"\x1f\x8b\x08\x1e" + bytes(4) + b"\x00\x03"
    head += struct.pack("<H", 4) + b"ab\x00\x00" + b"name\x00" + b"comment\x00"
    head += struct.pack("<H", zlib.crc32(head) & 0xFFFF)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = packer.compress(data) + packer.flush()
    return head + body + struct.pack("<II", zlib.crc32(data), len(data))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


# A TIFF that says that the picture is to be turned to the right.
EXIF = struct.pack("<2sHIHHHIHHI", b"II", 42, 8, 1, 0x0112, 3, 1, 6, 0, 0)


def png(width, height, depth, colour, rows, extra=b"", interlace=0):
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def rows(height, row_bytes, filter_type=0):
    return b"".join(bytes([filter_type]) + bytes((y * 37 + x * 11) % 256 for x in range(row_bytes))
                    for y in range(height))


def npy(kind, shape, data, fortran=False, version=1):
    header = f"{{'descr': '{kind}', 'fortran_order': {fortran}, 'shape': {shape}, }}".encode()
    header += b" " * (-(10 + len(header) + 1) % 64) + b"\n"
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + length + header + data


def archive(method, **arrays):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file:
        for name, data in arrays.items():
            with file.open(zipfile.ZipInfo(name + ".npy"), "w", force_zip64=True) as member:
                member.write(data)
    data = out.getvalue()
    if method == zipfile.ZIP_STORED:
        return data
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file:
        for name, content in arrays.items():
            info = zipfile.ZipInfo(name + ".npy")
            info.compress_type = method
            file.writestr(info, content)
    return out.getvalue()


def model(layers, training, **changes):
    """A network of 2 inputs and the hidden layers given as (units, activation), normalised, and 2
    classes; changes: the values of tensors."""
    n_in, described, entries, data = 2, [], {}, b""
    for l, (units, activation) in enumerate([*layers, (2, "softmax")]):
        hidden = activation != "softmax"
        described.append({"units": units, "activation": activation,
                          **({"batch_norm": True} if hidden else {})})
        norm = {"norm_weight": 1.5, "norm_bias": -0.5, "norm_running_mean": 0.25,
                "norm_running_var": 2.0} if hidden else {}
        for name, value in {"weight": 0.5, "bias": 0.0, **norm}.items():
            shape = [units, n_in] if name == "weight" else [units]
            values = struct.pack("<f", changes.get(name, value)) * math.prod(shape)
            name = name.replace("norm_", "norm.")
            entries[f"layers.{l}.{name}"] = {"dtype": "F32", "shape": shape, "data_offsets": [
                len(data), len(data) + len(values)]}
            data += values
        n_in = units
    about = {"version": "0.1.0", "network": {"inputs": 2, "layers": described},
             "preprocessing": {"divisor": 1, "height": 0, "width": 0, "form": "none"},
             "classes": ["a", "b"], "training": training}
    header = json.dumps({"__metadata__": {"format": "glia", "glia": json.dumps(about)}, **entries},
                        separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return struct.pack("<Q", len(header)) + header + data


def main():
    good = idx(3, 4, 5)
    write("idx", "images", good)
    write("idx", "labels", idx(7))
    write("idx", "features", idx(4, 6))
    write("idx", "four-dimensions", idx(2, 2, 2, 2))
    write("idx", "floats", idx(2, kind=0x0D, fill=bytes(8)))
    write("idx", "short", good[:-1])
    write("idx", "long", good + b"\0")
    write("idx", "huge", idx(0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, fill=b""))
    write("idx", "images-gz", compress(good))
    write("idx", "images-gz-two-members", compress(good[:9]) + compress(good[9:]))
    write("idx", "images-gz-cut", compress(good)[:-6])
    write("idx", "claims-too-much-gz", compress(idx(1000, 1000, 100, fill=b"")))

    text = b"feed-forward " * 20
    write("gzip", "text", b"\xff" + compress(text))
    write("gzip", "two-members", b"\x10" + compress(text) + compress(b""))
    write("gzip", "length-lies", b"\xff" + compress(bytes(200000)) + compress(text))
    write("gzip", "too-much", b"\x20" + compress(bytes(100000)))
    write("gzip", "stored", b"\x00" + gzip.compress(text, 0, mtime=0))
    write("gzip", "all-fields", b"\x07" + member_with_fields(text))
    write("gzip", "long-runs", b"\xff" + compress(bytes(100000)))
    write("gzip", "trailing", b"\xff" + compress(text) + b"more")
    write("gzip", "cut", b"\xff" + compress(text)[:-9])

    for name, first, text in (
            ("plain", 0, b"a,b,c\n1,x,0.5\n2,y,\n"),
            ("quotes", 0, b'a,b\r\n1,"x, ""y""\r\n"\r\n2, "z" \r\n\r\n3,?\r\n'),
            ("semicolons", 0, b"\xef\xbb\xbfa;b\n1;x,y\n2;z"),
            ("tabs", 3, b"a\tb\n1\t \n\n2\tNaN\n"),
            ("blanks", 4, b'5.1  3.5 "a b"\n 4.9\t3 x \n'),
            ("mac", 0, b"a,b\r1,2\r3,4"),
            ("no-header", 8, b"1,2\n3,x\n-4e5,1e-400\n"),
            ("numbers", 0, b"a\n0.30000000000000000000000000000001\n1.7976931348623159e308\n-.5e-3\n"),
            ("ragged", 0, b"a,b\n1,2\n3\n"),
            ("skipped", 32, b'a,b\n1,2\n3\n"x"y,1\n4,\xff\n5,6\n'),
            ("known", 0xC0, b"a,b\n1,2\n1.5,3\nx,4\n"),
            ("open-quote", 0, b'a,b\n1,"x\n2,3\n'),
            ("latin-1", 0, b"a,b\n1,M\xfcller\n"),
            ("zero", 0, b"a,b\n1,x\0y\n"),
            ("names", 0, b'a,"a"\n1,2\n'),
            ("utf-16", 0, b"\xff\xfea\0,\0b\0"),
            ("decimal-commas", 0, b"a;b\n1,5;2\n2,5;3\n")):
        write("csv", name, bytes([first]) + text)

    write("png", "grey-8", png(5, 4, 8, 0, rows(4, 5)))
    write("png", "grey-1", png(9, 3, 1, 0, rows(3, 2)))
    write("png", "grey-16", png(3, 3, 16, 0, rows(3, 6)))
    write("png", "rgb", png(3, 3, 8, 2, rows(3, 9, 4)))
    write("png", "palette", png(4, 4, 2, 3, rows(4, 1), chunk(b"PLTE", bytes(range(12)))
                                + chunk(b"tRNS", b"\x00\x80")))
    write("png", "grey-alpha", png(3, 3, 8, 4, rows(3, 6)))
    write("png", "rgba-16", png(2, 2, 16, 6, rows(2, 16)))
    write("png", "turned", png(3, 2, 8, 0, rows(2, 3), chunk(b"eXIf", EXIF)))
    write("png", "interlaced-16", png(1, 1, 16, 2, rows(1, 6), interlace=1))
    write("png", "interlaced", png(1, 1, 8, 0, rows(1, 1), interlace=1))
    write("png", "gamma", png(2, 2, 8, 0, rows(2, 2), chunk(b"gAMA", struct.pack(">I", 45455))))
    write("png", "cut", png(5, 4, 8, 0, rows(4, 5))[:50])
    write("png", "huge", png(16000, 4000, 8, 0, b""))
    figure = bytes(255 if 8 < x < 12 and 3 < y < 25 else (x * y) % 7
                   for y in range(30) for x in range(40))
    write("png", "figure.pgm", b"P5\n40 30\n255\n" + figure)
    write("png", "dark-on-light.pgm", b"P5 40 30 255\n" + bytes(255 - v for v in figure))
    write("png", "plain.pgm", b"P2 # comment\n3 2\n9\n0 1 2\n3 4 9\n")
    write("png", "two-bytes.pgm", b"P5\n2 2\n65535\n\0\0\x7f\xff\xff\xff\x12\x34")
    write("png", "short.pgm", b"P5\n5 5\n255\n123")
    write("png", "letters.pgm", b"P2\n2 x\n255\n1 2")

    sparse = {
        "classes": "# by hand\n+1 1:0.5 3:-2e0\n-1 2:1 # more\n-1\n+1 4:.25\n",
        "from-zero": "0 0:1 2:3\n1 1:2\n0\n1\n", "values": "1.5 1:1\n2.25 2:2\n-3e-1 7:1\n",
        "labels": "1,3 1:1\n 2:1\n3 1:4 2:1\n", "ranking": "1 qid:3 1:1\n", "falling": "1 3:1 2:1\n",
        "wide": "1 1048576:1\n2 1:1\n1\n2\n", "words": "yes 1:1\n", "no-colon": "1 2 3\n"}
    for i, (name, text) in enumerate(sparse.items()):
        write("libsvm", name, bytes([0 if i < 4 else i]) + text.encode())

    head = "@relation r\n@attribute a numeric\n@attribute 'b c' {x, \"y z\"}\n@attribute d string\n"
    arff = {
        "dense": head + "@data\n1.5,x,word\n% remark\n?,'y z','it\\'s' % end\n",
        "sparse": head + "@DATA\n{0 1, 1 'y z'}\n{}\n{2 ?}\n",
        "weights": head + "@data\n1,x,a,{2}\n{0 1},{0.5}\n",
        "dates": "@attribute t date 'd-MMM-yy HH:mm'\n@attribute u date\n@data\n"
                 "5-mar-07 1:02,2024-02-29T00:00:00\n",
        "blanks": head + "@data\r1 x y\r2\tx\tz\r", "relational": "@attribute a relational\n",
        "bad-rows": head + "@data\n1\n1,q,a\n{5 1}\n1,x,a\n", "open": head + "@data\n1,'x\n"}
    for i, (name, text) in enumerate(arff.items()):
        write("arff", name, bytes([i % 2]) + text.encode())

    floats = npy("<f4", "(2, 3)", struct.pack("<6f", 1, 2, 3, 4, 5, float("nan")))
    pixels = npy("|u1", "(2, 3, 3)", bytes(range(18)))
    labels = npy("<i8", "(2,)", struct.pack("<2q", 1, 0))
    write("npy", "floats", floats)
    write("npy", "fortran", npy(">f8", "(3, 2)", bytes(48), fortran=True))
    write("npy", "halves", npy("<f2", "(4,)", bytes(range(8)), version=3))
    write("npy", "bools", npy("|b1", "(2, 2L, )", b"\0\1\1\0", version=2))
    write("npy", "texts", npy("<U5", "(2,)", bytes(40)))
    write("npy", "infinite", npy("<f4", "(1, 1)", struct.pack("<f", float("inf"))))
    write("npy", "short", floats[:-1])
    write("npy", "huge", npy("|u1", "(4294967295, 4294967295)", b""))
    for name, method in (("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED)):
        write("npy", name, archive(method, x=pixels, y=labels))
        write("npy", name + "-splits", archive(method, x_train=pixels, y_train=labels,
                                               x_test=pixels, y_test=labels))
        write("npy", name + "-table", archive(method, x=floats, y=labels))
    write("npy", "no-y", archive(zipfile.ZIP_STORED, x=pixels))
    write("npy", "other-names", archive(zipfile.ZIP_STORED, a=pixels))
    write("npy", "cut", archive(zipfile.ZIP_STORED, x=pixels, y=labels)[:-9])
    write("npy", "compressed-otherwise", archive(zipfile.ZIP_BZIP2, x=pixels, y=labels))

    training = {"dataset": "d", "samples": 9, "validation_samples": 0, "optimizer": "adamw",
                "momentum": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.01,
                "dropout": 0.5, "averaging": 0.99, "class_weights": [1, 2.5], "lr": 0.001,
                "lr_end": None, "batch": 4, "epochs": 1, "seed": "1", "patience": 0,
                "min_delta": 0, "epochs_done": 1, "best_epoch": 1, "train_loss": 0.5,
                "validation_loss": None}
    write("safetensors", "normalised", model([(3, "gelu"), (2, "relu")], training))
    write("safetensors", "negative-variance", model([(3, "elu")], None, norm_running_var=-1.0))
    write("safetensors", "too-many-class-weights",
          model([(1, "silu")], {**training, "class_weights": [1, 2, 3]}))
    write_models(training)
    write_checkpoints()
    write_runs()
    write_command_lines()


def write_models(training):
    """Of fuzz/corpus/model: a byte for the shape, and the metadata alone."""
    def about(inputs, layers, **more):
        units = [{"units": n, "activation": "relu" if i + 1 < len(layers) else "softmax",
                  **({"batch_norm": True} if more.get("norm") and i + 1 < len(layers) else {})}
                 for i, n in enumerate(layers)]
        more.pop("norm", None)
        return {"version": "0.1.0", "network": {"inputs": inputs, "layers": units},
                "preprocessing": {"divisor": 1, "height": 0, "width": 0, "form": "none"},
                "classes": [chr(97 + i) for i in range(layers[-1])],
                "initialisation": {"method": "auto", "seed": "1"}, "training": training, **more}

    columns = [{"name": "size", "mean": 3.5, "scale": 1.25, "missing": True},
               {"name": "kind", "categories": ["a", "b"]}]
    table = {"columns": columns, "targets": ["y"], "text_target": True}
    plain = about(2, [3, 2])
    values = about(4, [1])
    values["network"].update(loss="mse")
    values["network"]["layers"][0]["activation"] = "identity"
    values["preprocessing"]["outputs"] = [{"mean": 1e5, "scale": 250.0}]
    values["preprocessing"]["table"] = {**table, "text_target": False}
    pictures = about(4, [1], classes=["a"])
    pictures["preprocessing"] = {"divisor": 255, "height": 2, "width": 2, "form": "scale",
                                 "standardise": True, "inputs": [{"mean": 0.5, "scale": 0.25}]}
    classes = about(4, [1])
    classes["preprocessing"]["table"] = table
    for name, shape, content in (
            ("plain", 0, plain), ("normalised", 4, about(2, [3, 2], norm=True)),
            ("one-layer", 1, about(3, [2])), ("three-layers", 3, about(6, [5, 4, 3])),
            ("values", 2, values), ("pictures", 2, pictures), ("table", 2, classes),
            ("untrained", 0, about(2, [3, 2], training=None)),
            ("steering", 1, about(3, [2], classes=["\u202ea\t", "\x1b[31m"]))):
        write("model", name, bytes([shape]) + json.dumps(content).encode())
    write("model", "nothing", b"\0{}")
    write("model", "deep", b"\0" + b"[" * 3000)


def write_checkpoints():
    state = {key: 0 for key in (
        "epoch done reported step correct best_epoch epochs_without_better samples").split()}
    state.update({key: "0" * 16 for key in (
        "loss_sum weight_sum square_sum train_loss train_accuracy train_rmse best_loss "
        "validation_loss validation_accuracy validation_rmse seconds").split()})
    about = {"checksum": 7, "training": {"dataset": "d"}}
    for name, changes in (("begun", {}), ("within", {"epoch": 1, "done": 4, "step": 4}),
                          ("ended", {"epoch": 3, "step": 9}), ("beyond", {"epoch": 4}),
                          ("negative", {"step": -1}), ("no-bits", {"best_loss": "7ff"})):
        text = json.dumps({"version": "0.1.0", "about": about, "state": {**state, **changes}})
        write("checkpoint", name, b"\0" + text.encode())
    write("checkpoint", "another", b"\0" + json.dumps({"about": {"checksum": 8}}).encode())
    write("checkpoint", "whole", b"\1" + struct.pack("<Q", 2) + b"{}")


def write_runs():
    run = {"format": "glia-run", "format_version": 1, "started": "2026-01-01T00:00:00Z",
           "command": ["train", "--lr=0.1", "--", "digits"],
           "settings": {"hidden": [12], "activation": ["relu"], "lr": 0.1, "seed": 1, "epochs": 2},
           "data": {"name": "digits", "train_samples": 100, "test_samples": 20, "features": 784,
                    "classes": 10},
           "network": {"layers": [784, 12, 10], "activations": ["relu", "softmax"]},
           "environment": {"engine": "native", "isa": "avx512", "threads": 2}}
    result = {"model": "m", "epochs": 2, "best_epoch": 1, "stopped": "epochs", "train_loss": 0.5,
              "test_accuracy": 0.9, "seconds": 1.5,
              "diagnoses": [{"kind": "rate-high", "message": "too high"}]}
    lines = [{"kind": "step", "epoch": 1, "step": 5, "samples": 40, "seconds": 0.1, "lr": 0.1,
              "train_loss": 2.3, "train_accuracy": 0.1},
             {"kind": "epoch", "epoch": 1, "step": 13, "samples": 100, "seconds": 0.3, "lr": 0.1,
              "train_loss": 2.0, "train_accuracy": 0.4, "validation_loss": 1.9, "best": True,
              "histograms": [{"layer": 0, "weights": {"min": -1, "max": 1, "counts": [1, 2, 3]},
                              "activations": {"min": 0, "max": 4, "counts": [9, 0, 1]}}]}]
    def parts(run, result, lines):
        data = b"\1".join([json.dumps(run).encode(), json.dumps(result).encode() if result else b"",
                           b"".join(json.dumps(line).encode() + b"\n" for line in lines)])
        return data + b"\n" * (-len(data) % 4)  # so that a page is made
    write("run", "finished", parts(run, result, lines))
    write("run", "under-way", parts(run, None, lines[:1]))
    write("run", "of-values", parts(run, {**result, "test_r2": 0.5, "loss": "mse"}, [
        {**lines[0], "train_rmse": 3.0}, {**lines[1], "validation_rmse": 2.5}]))
    write("run", "steering", parts({**run, "data": {"name": "\u202e\x1b[31m<b>"}}, result, []))
    write("run", "numbers", parts({**run, "settings": {"lr": 1e300, "hidden": [1e99]}},
                                  {"test_accuracy": -1e99, "seconds": 1e308}, lines * 40))
    write("run", "no-object", b"[]\1[]\1[]\n")


def write_command_lines():
    for i, words in enumerate((
            "digits --hidden 32,16 --lr 0.5 --epochs 3 --optimizer adam --dropout 0.2",
            "digits --lr 0.01..1 --random 4 --validation 0.1 -o x",
            "m.safetensors digits --json", "m a.csv -o x --format jsonl --top 3",
            "t.csv --target y --drop a,b --class-weights 1,2.5 --schedule cosine --warmup 0.1",
            "--resume kept --threads 2", "t.csv --target y", "m.safetensors", "a b --json",
            "--network 784-32-10,5-2 --batch 1,32", "run --format svg", "digits --index 3",
            "digits --rotate 10 --shift 2", "mnist --mirror https://x", "--data-dir d", "run -q")):
        write("options", f"command-{i}", bytes([i]) + words.replace(" ", "\n").encode())
    recipe = b"# by hand\n\n--lr 0.5\n--hidden=128\n--batch-norm\n--schedule one-cycle\n"
    line = b"\0digits\n--recipe=./served.recipe\n--lr\n0.1\1"
    write("options", "recipe", line + recipe)
    write("options", "recipe-printed", line.replace(b"digits", b"--print") + recipe)
    write("options", "recipe-wrong", line + b"--lr 0.5\n--lr 0.5\n--output x\n")
    write("options", "steering", "\0t.csv\n--target\nit's\u202e\x1b[31m\\\n--\n-x".encode())


if __name__ == "__main__":
    main()
