#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""scikit-learn on small tables: a worker process for bench/tables.py.

usage: tables_peer.py FOLDER

Prints scikit-learn's version, then answers each request, a line of JSON: set (a name in SETS), folds
and seed. It divides the set into folds, writes of each FOLDER/FOLD-train.csv and FOLDER/FOLD-test.csv,
and answers with a line of JSON: scores (accuracy, or R2), a fold each, and the seconds that fitting
took.
"""
import csv
import json
import os
import sys
import time
import warnings

import sklearn
from sklearn import datasets
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

# Name: what loads it, and whether its classes have names.
SETS = {"iris": (datasets.load_iris, True), "wine": (datasets.load_wine, True),
        "breast-cancer": (datasets.load_breast_cancer, True),
        "digits": (datasets.load_digits, False), "diabetes": (datasets.load_diabetes, False)}


def write_csv(path, header, rows):
    with open(path, "w", newline="", encoding="utf-8") as f:
        writer = csv.writer(f)
        writer.writerow(header)
        writer.writerows(rows)


def answer(folder, name, folds, seed):
    load, has_names = SETS[name]
    data = load()
    header = [*data.feature_names, "target"]
    targets = data.target_names[data.target] if has_names else data.target
    rows = [[*x, y] for x, y in zip(data.data.tolist(), targets.tolist())]
    write_csv(os.path.join(folder, "all.csv"), header, rows)
    of_classes = name != "diabetes"
    splitter = StratifiedKFold if of_classes else KFold
    learner = MLPClassifier if of_classes else MLPRegressor
    scores, seconds = [], 0
    for i, (train, test) in enumerate(
            splitter(folds, shuffle=True, random_state=seed).split(data.data, data.target)):
        for part, kept in (("train", train), ("test", test)):
            write_csv(os.path.join(folder, f"{i}-{part}.csv"), header, [rows[k] for k in kept])
        begun = time.perf_counter()
        model = make_pipeline(StandardScaler(), learner(random_state=seed))
        model.fit(data.data[train], data.target[train])
        seconds += time.perf_counter() - begun
        scores.append(model.score(data.data[test], data.target[test]))
    return {"scores": scores, "seconds": seconds}


def main():
    warnings.simplefilter("ignore")  # it has not converged
    print(sklearn.__version__, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(answer(sys.argv[1], request["set"], request["folds"], request["seed"])),
              flush=True)


if __name__ == "__main__":
    main()
