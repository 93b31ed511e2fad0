#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What glia diagnoses of tables that are sound, and of tables whose labels are mixed up.

usage: bench/diagnoses.py [--glia PROGRAM] [--kinds weak,imbalanced,...] [--draws 1] [--seed 0] [--keep DIR]

Every table is drawn from a seed, so that each run of this program sees the same ones, and is given
to `glia train TABLE.csv` without further options:

  weak        72 of two classes; the best possible ROC AUC lies between 0.64 and 0.74
  imbalanced  20 of two classes, 90:10 to 99:1
  values      24 of values; the best possible R2 lies between 0.1 and 0.6
  strong      24 of 2 to 5 classes that are learned well
  shuffled    15 of the strong kind, with the labels in another order
  shifted     15 of the strong kind, with each label one row too low or too high
  shuffled-values, shifted-values   10 each of values

Nothing is to be diagnosed of the first four kinds; "unrelated-labels" of the others. --draws N
draws N times as many tables, --seed S other ones.
"""
import argparse
import collections
import os
import sys
import tempfile

from common import GLIA, ROOT, ask_glia, prepare_venv, say, table

SIZES = (200, 500, 1500, 5000)
FEATURES = (3, 6, 10, 20, 40, 60)
TRUTHS = ("logistic", "gaussian", "tree")
SOUND = ("weak", "imbalanced", "values", "strong")


def with_numpy():
    """NumPy; without it this program starts again in the virtual environment of the benchmarks."""
    try:
        import numpy
        return numpy
    except ImportError:
        python = prepare_venv(os.path.join(ROOT, "build", "bench-venv"), {"NumPy": ["numpy"]})
        if os.environ.get("GLIA_BENCH_VENV"):
            sys.exit("no NumPy")
        os.environ["GLIA_BENCH_VENV"] = "1"
        return os.execv(python, [python, *sys.argv])


np = with_numpy()


def auc(score, label):
    """Of scores that are all different, or nearly so."""
    order = np.argsort(score, kind="stable")
    rank = np.empty(len(score))
    rank[order] = np.arange(1, len(score) + 1)
    n1 = int(label.sum())
    n0 = len(label) - n1
    return (rank[label == 1].sum() - n1 * (n1 + 1) / 2) / (n0 * n1)


class Inputs:
    """n rows of numbers, which may be correlated or skewed, and categories of 2 to 6 texts."""

    def __init__(self, rng, n, p, n_categorical):
        self.n_numeric = p - n_categorical
        mix = rng.normal(size=(self.n_numeric, self.n_numeric)) / np.sqrt(max(self.n_numeric, 1))
        blend = rng.uniform(0, 1)
        z = rng.normal(size=(n, self.n_numeric))
        z = (1 - blend) * z + blend * (z @ mix)
        skewed = rng.uniform(size=self.n_numeric) < 0.2
        self.numbers = np.where(skewed, np.exp(z), z)
        self.levels = rng.integers(2, 7, size=n_categorical)
        self.codes = np.stack([rng.choice(k, size=n, p=rng.dirichlet(np.full(k, 3.0)))
                               for k in self.levels], axis=1) if n_categorical else None
        self.scale = 10.0 ** rng.integers(-2, 4, size=self.n_numeric)
        self.offset = rng.normal(size=self.n_numeric) * self.scale

    def standardised(self, rng):
        """Numbers for what depends on them: categories have an effect each."""
        columns = [self.numbers]
        if self.codes is not None:
            columns.append(np.stack([rng.normal(size=k)[c]
                                     for k, c in zip(self.levels, self.codes.T)], axis=1))
        x = np.concatenate(columns, axis=1)
        return (x - x.mean(0)) / (x.std(0) + 1e-9)

    def cells(self):
        shown = self.numbers * self.scale + self.offset
        texts = [[f"{v:.6g}" for v in column] for column in shown.T]
        if self.codes is not None:
            texts += [[f"level{c}" for c in column] for column in self.codes.T]
        return list(zip(*texts))


def tree(rng, x, depth):
    """The value of a random tree at each row."""
    value = np.zeros(len(x))
    nodes = [(np.ones(len(x), bool), depth)]
    while nodes:
        rows, left = nodes.pop()
        if left == 0 or rows.sum() < 8:
            value[rows] = rng.normal()
            continue
        f = rng.integers(x.shape[1])
        low = x[:, f] < np.quantile(x[rows, f], rng.uniform(0.3, 0.7))
        nodes += [(rows & low, left - 1), (rows & ~low, left - 1)]
    return value


def signal(rng, x, truth):
    """What the target depends on, with a standard deviation of 1."""
    used = rng.permutation(x.shape[1])[:max(3, int(rng.uniform(0.2, 1) * x.shape[1]))]
    x = x[:, used]
    s = tree(rng, x, int(rng.integers(2, 5))) if truth == "tree" else x @ rng.normal(size=x.shape[1])
    if truth == "gaussian":  # a cloud is wider than the other, too
        s = s / (s.std() + 1e-9) + 0.4 * (np.square(x).mean(1) - 1)
    return (s - s.mean()) / (s.std() + 1e-9)


def two_classes(rng, s, share, best):
    """Labels with that share of ones, whose best possible AUC is `best`."""
    low, high = 0.0, 20.0
    for _ in range(40):
        gain = (low + high) / 2
        shift = np.quantile(s * gain, 1 - share)
        for _ in range(30):  # until the mean probability is the share
            p = 1 / (1 + np.exp(-(s * gain - shift)))
            shift += np.clip((p.mean() - share) / max((p * (1 - p)).mean(), 1e-3), -2, 2)
        order = np.argsort(p)
        q = p[order]
        above = np.cumsum((1 - q)) - (1 - q) / 2
        area = (q * above).sum() / (q.sum() * (1 - q).sum())
        low, high = (gain, high) if area < best else (low, gain)
    label = (rng.uniform(size=len(s)) < p).astype(int)
    return label, area


Drawn = collections.namedtuple("Drawn", "name cells target")


def draw_weak(rng, i):
    n, p, truth = SIZES[i % 4], FEATURES[i // 4 % 6], TRUTHS[i // 24]
    x = Inputs(rng, n, p, p // 3 if i % 2 else 0)
    s = signal(rng, x.standardised(rng), truth)
    label, best = two_classes(rng, s, rng.choice([0.5, 0.4, 0.3]), 0.64 + 0.1 * (i * 7 % 72) / 71)
    return Drawn(f"{truth} {n}x{p} auc {best:.2f}", x.cells(), label)


def draw_imbalanced(rng, i):
    n, share = (500, 1000, 2000, 5000)[i % 4], (0.1, 0.05, 0.03, 0.02, 0.01)[i // 4]
    p = FEATURES[(i * 5 + 1) % 6]
    x = Inputs(rng, n, p, p // 3 if i % 3 == 0 else 0)
    best = 0.75 + 0.2 * (i * 7 % 20) / 19
    label, best = two_classes(rng, signal(rng, x.standardised(rng), TRUTHS[i % 3]), share, best)
    while label.sum() < 4:
        label[rng.integers(n)] = 1
    return Drawn(f"{100 - 100 * share:g}:{100 * share:g} {n}x{p} auc {best:.2f}", x.cells(), label)


def draw_values(rng, i):
    n, p, truth = SIZES[i % 4], FEATURES[i // 4 % 6], TRUTHS[i % 3]
    x = Inputs(rng, n, p, p // 3 if i % 2 else 0)
    s = signal(rng, x.standardised(rng), truth)
    r2 = 0.1 + 0.5 * (i * 5 % 24) / 23
    y = np.sqrt(r2) * s + np.sqrt(1 - r2) * rng.normal(size=n)
    return Drawn(f"{truth} {n}x{p} R2 {r2:.2f}", x.cells(), [f"{v:.6g}" for v in 50 + 12 * y])


def draw_strong(rng, i):
    n, p = SIZES[i % 4], FEATURES[(i * 5 + i // 6) % 6]
    classes = 2 + i % 4
    x = Inputs(rng, n, p, p // 3 if i % 2 else 0)
    z = x.standardised(rng)
    score = np.stack([signal(rng, z, TRUTHS[i % 3]) for _ in range(classes)], axis=1)
    label = (4 * score + rng.gumbel(size=score.shape)).argmax(1)
    return Drawn(f"{classes} classes {n}x{p}", x.cells(), label)


def draw_strong_values(rng, i):
    n, p = SIZES[i % 4], FEATURES[(i * 5 + i // 6) % 6]
    x = Inputs(rng, n, p, p // 3 if i % 2 else 0)
    y = signal(rng, x.standardised(rng), TRUTHS[i % 3]) + 0.3 * rng.normal(size=n)
    return Drawn(f"values {n}x{p}", x.cells(), [f"{v:.6g}" for v in 50 + 12 * y])


def shuffled(draw):
    def drawn(rng, i):
        made = draw(rng, i)
        return made._replace(target=[made.target[k] for k in rng.permutation(len(made.target))])
    return drawn


def shifted(draw):
    def drawn(rng, i):
        made = draw(rng, i)
        by = 1 if i % 2 else -1
        return made._replace(target=[made.target[(k + by) % len(made.target)]
                                     for k in range(len(made.target))])
    return drawn


KINDS = {
    "weak": (72, draw_weak),
    "imbalanced": (20, draw_imbalanced),
    "values": (24, draw_values),
    "strong": (24, draw_strong),
    "shuffled": (15, shuffled(draw_strong)),
    "shifted": (15, shifted(draw_strong)),
    "shuffled-values": (10, shuffled(draw_strong_values)),
    "shifted-values": (10, shifted(draw_strong_values)),
}


def write(path, drawn, classes):
    with open(path, "w", encoding="utf-8") as f:
        f.write(",".join(f"x{k}" for k in range(len(drawn.cells[0]))) + ",target\n")
        for cells, target in zip(drawn.cells, drawn.target):
            f.write(",".join(cells) + f",{'c' if classes else ''}{target}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--glia", default=GLIA)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--draws", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", help="a folder for the tables")
    args = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.keep or scratch
        os.makedirs(folder, exist_ok=True)
        for kind in args.kinds.split(","):
            n, draw = KINDS[kind]
            told, right, seen = 0, 0, collections.Counter()
            for k in range(n * args.draws):
                seed = [args.seed] if args.seed else []
                rng = np.random.default_rng([sorted(KINDS).index(kind), k, *seed])
                drawn = draw(rng, k % n)
                path = os.path.join(folder, f"{kind}-{k}.csv")
                write(path, drawn, "values" not in kind)
                report = ask_glia(args.glia, "train", path, "-q", "-o",
                                  os.path.join(scratch, "m.safetensors"))
                diagnoses = [d["kind"] for d in report["diagnoses"]] if report else ["failed"]
                seen.update(diagnoses)
                told += bool(diagnoses)
                right += (not diagnoses) if kind in SOUND else "unrelated-labels" in diagnoses
                wrong = diagnoses if kind in SOUND else \
                    [d for d in diagnoses if d != "unrelated-labels"]
                if wrong or (kind not in SOUND and not diagnoses):
                    say(f"{kind} {k} ({drawn.name}): {', '.join(diagnoses) or 'nothing'}")
                if not args.keep:
                    os.remove(path)
            rows.append([kind, str(n * args.draws), str(told), str(right),
                         ", ".join(f"{name} {count}" for name, count in seen.most_common()) or "–"])
    print(table(["tables", "number", "diagnosed", "right", "what"], rows))


if __name__ == "__main__":
    main()
