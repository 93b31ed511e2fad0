#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whether two builds of glia compute the same bits, over some 280 ways to train.

usage: same_bits.py OLD NEW [WORD...]

Each configuration is trained with both programs, on small data that this script writes. The tensors
of the two model files are compared byte by byte, the metadata key by key except the version, and the
losses and accuracies that the runs print. The new program trains once more with two threads where
the number of threads must not matter. Both programs then score the old model and predict with it.
Of some configurations the new program goes on from a checkpoint that the old one has written.

WORDs choose among the configurations by parts of their names. What neither program can do here
(bf16, oneDNN, PNG) is left out and counted. The exit status is 1 if anything differs, or if fewer
than 60 configurations were compared and no WORD chose among them.
"""
import concurrent.futures
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import zipfile
import zlib

os.environ.setdefault("GLIA", "glia")
import harness
import same_models
from harness import make_data, path, pgm, picture, write

LEAST = 60
LEARNED = ("train_loss", "train_accuracy", "train_rmse", "validation_loss", "validation_accuracy",
           "validation_rmse", "test_loss", "test_accuracy", "test_rmse", "epochs", "best_epoch",
           "stopped", "samples", "engine", "isa", "precision", "plan")
SCORED = ("loss", "accuracy", "rmse", "mae", "r2", "samples", "confusion", "per_class")
ACTIVATIONS = ("sigmoid", "tanh", "scaled-tanh", "relu", "leaky-relu", "elu", "gelu", "silu",
               "identity")


# ---- Data ----------------------------------------------------------------------------------------

def png(width, height, colours):
    """A picture of 8 bits for red, green and blue: (height, width, 3) bytes."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    lines = b"".join(b"\0" + colours[i * width * 3:(i + 1) * width * 3] for i in range(height))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) \
        + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def write_pictures():
    make_data("bars", 300, 40)
    rng = random.Random(3)
    for i in range(160):
        pixels = picture(i % 3, rng)
        place = f"{'test' if i % 12 < 3 else 'train'}/{i % 3}"
        os.makedirs(path(f"grey/{place}"), exist_ok=True)
        write(f"grey/{place}/{i}.pgm", pgm(harness.SIDE, harness.SIDE, pixels))
        os.makedirs(path(f"colour/{place}"), exist_ok=True)
        tint = [rng.uniform(0.3, 1) for _ in range(3)]
        write(f"colour/{place}/{i}.png", png(harness.SIDE, harness.SIDE, bytes(
            int((40 + 0.8 * pixel) * part) for pixel in pixels for part in tint)))


def write_table():
    """Numbers, categories with gaps, a text column of 200 words (one-hot), and four targets."""
    rng = random.Random(2)
    lines = ["size,age,kind,word,weight,price,large,near,class"]
    for i in range(400):
        size, age, kind = rng.uniform(20, 200), rng.randrange(90), rng.choice("abcd")
        word = "w%d" % min(199, int(rng.expovariate(0.02)))
        price = 9 * size - 4 * age + 100 * (kind == "a") + rng.gauss(0, 20)
        lines.append(f"{size:.3f},{age if i % 11 else ''},{kind},{word},{rng.uniform(0.5, 2):.2f},"
                     f"{price:.2f},{int(size > 100)},{int(kind in 'ab')},"
                     f"{'abc'[(size > 80) + (age > 50)]}")
    write("homes.csv", "\n".join(lines).encode() + b"\n")


def sparse_rows(n, features, part, seed):
    rng = random.Random(seed)
    for _ in range(n):
        label = rng.randrange(3)
        yield label, [(i, round(rng.uniform(0.1, 1), 3)) for i in range(features)
                      if rng.random() < part or (i < 1000 and i % 37 == label)]


def write_sparse():
    for name, shape in (("narrow", (300, 30, 0.2)), ("wide", (200, 1500, 0.01)),
                        ("filled", (150, 20, 0.8)), ("thin", (400, 5000, 0.002))):
        lines = [f"{label} " + " ".join(f"{i + 1}:{value}" for i, value in row)
                 for label, row in sparse_rows(*shape, 5)]
        write(f"{name}.svm", ("\n".join(lines) + "\n").encode())
    rng = random.Random(6)
    values, labels = [], []
    for label, row in sparse_rows(200, 300, 0.03, 7):
        pairs = " ".join(f"{i + 1}:{value}" for i, value in row)
        values.append(f"{label * 3 + rng.gauss(0, 0.1):.3f} {pairs}")
        labels.append(",".join(str(c) for c in range(4) if c == label or rng.random() < 0.2)
                      + f" {pairs}")
    write("values.svm", ("\n".join(values) + "\n").encode())
    write("labels.svm", ("\n".join(labels) + "\n").encode())


def npy(dims, kind, data):
    head = repr({"descr": kind, "fortran_order": False, "shape": tuple(dims)}).encode()
    head += b" " * (-(len(head) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + data


def write_arrays():
    """An array with the classes in its last column, and the same as scipy.sparse.save_npz has it."""
    data, index, begin = [], [], [0]
    rows = list(sparse_rows(150, 100, 0.05, 8))
    for label, row in rows:
        pairs = row + ([(100, float(label))] if label else [])
        index += [i for i, _ in pairs]
        data += [value for _, value in pairs]
        begin.append(len(data))
    with zipfile.ZipFile(path("csr.npz"), "w") as file:
        for name, array in (("indices", npy([len(index)], "<i4", struct.pack(f"<{len(index)}i", *index))),
                            ("indptr", npy([len(begin)], "<i4", struct.pack(f"<{len(begin)}i", *begin))),
                            ("format", npy([], "|S3", b"csr")),
                            ("shape", npy([2], "<i8", struct.pack("<2q", len(rows), 101))),
                            ("data", npy([len(data)], "<f8", struct.pack(f"<{len(data)}d", *data)))):
            file.writestr(name + ".npy", array)
    rng = random.Random(9)
    dense = []
    for i in range(150):
        dense += [rng.gauss(i % 3 * (k % 3), 1) for k in range(12)] + [i % 3]
    write("dense.npy", npy([150, 13], "<f4", struct.pack(f"<{len(dense)}f", *dense)))


# ---- Configurations ------------------------------------------------------------------------------

CLASSES = ["homes.csv", "--target", "class", "--drop", "price,large,near,weight"]
VALUES = ["homes.csv", "--target", "price", "--drop", "class,large,near,weight"]
LABELS = ["homes.csv", "--target", "large,near", "--drop", "class,price,weight", "--loss", "bce"]


def configurations():
    """(name, words of `train`), fixed: a name begins with what the configuration is there for."""
    bars = ["bars", "--hidden", "24", "--epochs", "3"]
    for optimizer in ("sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"):
        yield f"optimizer {optimizer}", bars + ["--optimizer", optimizer]
        yield f"optimizer {optimizer}, sparse", ["wide.svm", "--hidden", "20", "--epochs", "3",
                                                 "--optimizer", optimizer]
        yield f"optimizer {optimizer}, thin", ["thin.svm", "--hidden", "90,20", "--epochs", "7",
                                               "--optimizer", optimizer, "--l2", "1e-3"]
        yield f"optimizer {optimizer}, thin, by units", ["thin.svm", "--hidden", "256", "--epochs", "7",
                                                         "--optimizer", optimizer]
    for loss in ("mse", "mae", "huber"):
        yield f"loss {loss}", VALUES + ["--loss", loss, "--epochs", "6"]
        yield f"loss {loss}, sparse", ["values.svm", "--loss", loss, "--epochs", "4"]
    yield "loss bce", LABELS + ["--epochs", "6"]
    yield "loss bce, sparse", ["labels.svm", "--epochs", "4"]
    yield "loss cross-entropy", CLASSES + ["--epochs", "6"]
    for activation in ACTIVATIONS:
        yield f"activation {activation}", bars + ["--hidden", "24,17", "--activation", activation]
    yield "activation, of each layer", bars + ["--hidden", "9,70,5", "--activation", "tanh,gelu,elu"]
    for schedule in ("constant", "linear", "step", "exponential", "cosine", "one-cycle"):
        end = ["--lr-end", "0.01"] if schedule == "linear" else []
        yield f"schedule {schedule}", bars + ["--epochs", "4", "--schedule", schedule] + end
    yield "schedule cosine, warmup", bars + ["--schedule", "cosine", "--warmup", "0.3"]

    for name, words in (
            ("dropout", "--dropout 0.4"), ("input dropout", "--input-dropout 0.2"),
            ("noise", "--input-noise 0.2"), ("smoothing", "--label-smoothing 0.1"),
            ("l1", "--l1 1e-4"), ("l2", "--l2 1e-3"), ("decay", "--weight-decay 0.01"),
            ("max-norm", "--max-norm 0.7"), ("clip-norm", "--clip-norm 0.5"),
            ("averaging", "--averaging 0.9"), ("batch norm", "--batch-norm"),
            ("class weights", "--class-weights 1,2,0.5"),
            ("class weights balanced", "--class-weights balanced"),
            ("everything", "--dropout 0.3 --input-dropout 0.1 --input-noise 0.1 --batch-norm --l2 1e-4 "
             "--clip-norm 1 --max-norm 2 --averaging 0.8 --label-smoothing 0.1 --optimizer adam")):
        yield f"regulariser {name}", bars + words.split()
        yield f"regulariser {name}, sparse", ["narrow.svm", "--hidden", "20", "--epochs", "3",
                                              *(words.split())]
    for init in ("glorot-uniform", "glorot-normal", "he-uniform", "he-normal"):
        yield f"init {init}", bars + ["--init", init]

    for name, words in (
            ("all", "--augment"), ("shift", "--shift 1"), ("rotate", "--rotate 20"),
            ("scale", "--scale 0.2"), ("shear", "--shear 0.3"),
            ("elastic", "--elastic 20 --elastic-sigma 3"),
            ("fade", "--augment --augment-fade 0.5"),
            ("fade to", "--augment --augment-fade 0.6 --augment-fade-to 0.2"),
            ("deskew", "--deskew"), ("centre", "--centre"),
            ("deskew, centre, all", "--deskew --centre --augment --validation 0.2"),
            ("deskew, batch 1", "--deskew --batch 1"),
            ("centre, standardise, noise", "--centre --standardise yes --input-noise 0.1"),
            ("dropout, noise", "--augment --input-dropout 0.2 --input-noise 0.1")):
        yield f"augmentation {name}", bars + ["--epochs", "4", *words.split()]
        yield f"augmentation {name}, folder", ["grey", "--hidden", "12", "--epochs", "3",
                                               *words.split()]
    for word in ("yes", "no"):
        yield f"standardise {word}, bytes", bars + ["--standardise", word]
        yield f"standardise {word}, colour", ["colour", "--epochs", "4", "--standardise", word]
        yield f"standardise {word}, sparse", ["narrow.svm", "--epochs", "4", "--standardise", word]
        yield f"standardise {word}, table", CLASSES + ["--epochs", "4", "--standardise", word]

    sets = (("bytes", ["bars"]), ("folder", ["grey"]), ("colour", ["colour"]),
            ("narrow", ["narrow.svm"]), ("wide", ["wide.svm"]), ("filled", ["filled.svm"]),
            ("thin", ["thin.svm"]), ("table", CLASSES), ("values", VALUES), ("labels", LABELS),
            ("csr", ["csr.npz"]), ("array", ["dense.npy"]))
    for name, data in sets:
        for batch in (1, 7, 32, 128):
            yield f"batch {batch}, {name}", [*data, "--hidden", "26", "--epochs", "3", "--batch",
                                             str(batch)]
        yield f"large {name}", [*data, "--hidden", "256,40", "--epochs", "2", "--batch", "100"]
        yield f"no hidden layer, {name}", [*data, "--hidden", "none", "--epochs", "3"]
        yield f"validation {name}", [*data, "--hidden", "26", "--epochs", "8", "--validation", "0.2",
                                     "--patience", "2"]
        for engine in ("reference", "native", "onednn"):
            yield f"engine {engine}, {name}", [*data, "--hidden", "70,20", "--epochs", "2",
                                               "--engine", engine]
        yield f"engine onednn bf16, {name}", [*data, "--hidden", "70,20", "--epochs", "2",
                                              "--precision", "bf16"]
        yield f"engine onednn, dropout, noise, {name}", [
            *data, "--hidden", "70,20", "--epochs", "2", "--engine", "onednn", "--dropout", "0.2",
            "--input-noise", "0.1", "--input-dropout", "0.1"]
    yield "weights of rows", ["homes.csv", "--target", "class", "--weight", "weight", "--drop",
                              "price,large,near", "--epochs", "4"]
    yield "weights of rows, batch 1", ["homes.csv", "--target", "price", "--weight", "weight",
                                       "--drop", "class,large,near", "--epochs", "4", "--batch", "1"]
    yield "digits", ["digits", "--hidden", "30", "--epochs", "1"]
    yield "digits fresh", ["digits", "--hidden", "30", "--epochs", "1", "--fresh", "--deskew",
                           "--augment"]
    for name, data in sets:
        yield f"resume {name}", [*data, "--hidden", "26", "--epochs", "300", "--optimizer", "adam",
                                 "--dropout", "0.2", "--averaging", "0.9", "--validation", "0.2"]
    yield "resume augmentation", bars + ["--epochs", "300", "--augment", "--deskew",
                                         "--augment-fade", "0.5"]


# ---- Comparing -----------------------------------------------------------------------------------

def run(program, *words):
    """(exit status, stdout, stderr)"""
    done = subprocess.run([program, *words], cwd=harness.HERE, env=harness.ENV, check=False,
                          capture_output=True, text=True, timeout=harness.TIMEOUT)
    return done.returncode, done.stdout, done.stderr


def train(program, model, words, threads=1):
    return run(program, "train", "--seed", "7", *words, "--threads", str(threads), "-q", "--json",
               "-o", model)


def figures_differ(what, keys, old, new):
    old, new = json.loads(old), json.loads(new)
    for key in keys:
        if key in old and old[key] != new.get(key):
            yield f"{what}: {key}: {old[key]!r}, then {new.get(key)!r}"


def models_differ(what, old, new):
    for fault in same_models.compare(path(old), path(new)):
        if not fault.startswith("metadata glia.version:"):
            yield f"{what}: {fault}"


def remove(*names):
    for name in names:
        if os.path.isdir(path(name)):
            shutil.rmtree(path(name))
        elif os.path.exists(path(name)):
            os.remove(path(name))


def break_off(program, words, model, kept):
    """Kills a training as soon as it has kept a checkpoint."""
    process = subprocess.Popen(
        [program, "train", "--seed", "7", *words, "--threads", "1", "-q", "-o", model, "--checkpoint",
         kept, "--checkpoint-every", "5"], cwd=harness.HERE, env=harness.ENV,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    state = path(f"{kept}/state.safetensors")
    harness.wait_until(lambda: os.path.exists(state), process, state)
    process.kill()
    process.communicate()


def resume_differs(programs, at, words):
    """Both go on from a checkpoint of the old program, until the end."""
    kept, model = f"{at}-kept", f"{at}-on"
    break_off(programs[0], words, model, kept)
    shutil.copytree(path(kept), path(f"{at}-copy"))
    for program, which in zip(programs, ("old", "new")):
        code, _, message = run(program, "train", "--resume", kept, "-q")
        if code != 0:
            yield f"the {which} program does not go on: {message.strip()}"
            break
        shutil.move(path(model), path(f"{at}-{which}-on"))
        shutil.rmtree(path(kept))
        shutil.copytree(path(f"{at}-copy"), path(kept))
    else:
        yield from models_differ("resume", f"{at}-old-on", f"{at}-new-on")
    remove(kept, model, f"{at}-old-on", f"{at}-new-on", f"{at}-copy")


def differences(programs, at, name, words):
    """What differs, a line each; None: neither program can do it."""
    old, new = f"{at}-old", f"{at}-new"
    (code, out, message), (new_code, new_out, new_message) = (
        train(program, model, words) for program, model in zip(programs, (old, new)))
    if code != new_code:
        return [f"exit status {code}, then {new_code}: {(message + new_message).strip()}"]
    if code != 0:
        return None
    faults = list(models_differ("model", old, new))
    faults += figures_differ("run", LEARNED, out, new_out)
    if json.loads(out)["engine"] != "onednn":
        remove(new)
        train(programs[1], new, words, threads=2)
        faults += models_differ("two threads", old, new)
    data = words[0]
    scores = [run(program, "eval", old, data, "--json") for program in programs]
    if scores[0][0] != scores[1][0]:
        faults.append(f"eval: exit status {scores[0][0]}, then {scores[1][0]}: {scores[1][2]}")
    elif scores[0][0] == 0:
        faults += figures_differ("eval", SCORED, scores[0][1], scores[1][1])
    rows = data if "." in data else f"{data}:0-9"
    answers = [run(program, "predict", old, rows)[:2] for program in programs]
    if answers[0] != answers[1]:
        faults.append("predict: other answers")
    if name.startswith("resume"):
        faults += resume_differs(programs, at, words)
    remove(old, new)
    return faults


def main():
    words = sys.argv[1:]
    if len(words) < 2 or words[0].startswith("-"):
        sys.exit(__doc__)
    programs = [os.path.abspath(word) for word in words[:2]]
    for make in (write_pictures, write_table, write_sparse, write_arrays):
        make()
    chosen = [(name, how) for name, how in configurations()
              if not words[2:] or any(word in name for word in words[2:])]
    compared = left_out = different = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(lambda i: differences(programs, f"m{i}", *chosen[i]), range(len(chosen)))
        for (name, how), faults in zip(chosen, found):
            if faults is None:
                left_out += 1
                continue
            compared += 1
            different += bool(faults)
            if faults:
                more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
                print(f"differs: {name}: {faults[0]}{more}\n    glia train {' '.join(how)}", flush=True)
    harness.FOLDER.cleanup()
    print(f"{compared} configurations, {different} of them differ; {left_out} that neither program "
          "can do here are left out")
    return 1 if different or (compared < LEAST and not words[2:]) else 0


if __name__ == "__main__":
    sys.exit(main())
