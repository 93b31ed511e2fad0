#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes metrics.h: predictions, targets, and what scikit-learn says of them.

    python3 tests/golden/make_metrics.py > tests/golden/metrics.h
"""
import numpy as np
import sklearn
from sklearn import metrics

N, OUTPUTS = 60, 3
rng = np.random.default_rng(7)

# Sums of the last layer, of which many are the same, so that ties come up.
sums = np.round(rng.normal(size=(N, OUTPUTS)), 1).astype(np.float32)
values = np.round(sums * [1, 0.5, 2] + rng.normal(size=(N, OUTPUTS)), 3).astype(np.float32)
labels = (sums + rng.normal(size=(N, OUTPUTS)) > 0.3).astype(int)
labels[:, 2] = 0  # a label that nothing has: there is no ranking of it
classes = (sums[:, 0] + rng.normal(size=N) > 0).astype(int)


def put(name, value):
    print(f"static const double golden_{name} = {value!r};")


def put_array(kind, name, array):
    flat = ", ".join(f"{x:.9g}" + ("F" if kind == "float" and "." in f"{x:.9g}" else "")
                     for x in array.flatten().tolist())
    shape = "".join(f"[{n}]" for n in array.shape)
    print(f"static const {kind} golden_{name}{shape} = {{{flat}}};")


print("/* SPDX-License-Identifier: MIT */")
print(f"/* Made by make_metrics.py with scikit-learn {sklearn.__version__}; do not edit. */")
print("/* clang-format off */")
print(f"enum {{ GOLDEN_SAMPLES = {N}, GOLDEN_OUTPUTS = {OUTPUTS} }};")
put_array("float", "sums", sums.reshape(-1))
put_array("float", "values", values.reshape(-1))
put_array("float", "labels", labels.reshape(-1))
put_array("uint32_t", "classes", classes)

y, t = sums.astype(float), values.astype(float)
d = np.abs(y - t)
put("rmse", float(np.sqrt(metrics.mean_squared_error(t, y))))
put("mae", float(metrics.mean_absolute_error(t, y)))
put("r2", float(metrics.r2_score(t, y)))
put("mse_loss", float(metrics.mean_squared_error(t, y)))
put("huber_loss", float(np.mean(np.where(d <= 1, d * d / 2, d - 0.5))))

p = 1 / (1 + np.exp(-y))
ranked = [c for c in range(OUTPUTS) if 0 < labels[:, c].sum() < N]
assert len(ranked) == OUTPUTS - 1
put("label_accuracy", float(np.mean((p > 0.5) == labels)))
put("label_exact", float(metrics.accuracy_score(labels, (p > 0.5).astype(int))))
put("label_auc", float(metrics.roc_auc_score(labels[:, ranked], p[:, ranked])))
put("label_precision", float(metrics.average_precision_score(labels[:, ranked], p[:, ranked])))
put("bce_loss", sum(float(metrics.log_loss(labels[:, c], p[:, c], labels=[0, 1]))
                    for c in range(OUTPUTS)))

put("class_accuracy", float(np.mean((y[:, 0] > 0) == classes)))
put("class_auc", float(metrics.roc_auc_score(classes, p[:, 0])))
put("class_precision", float(metrics.average_precision_score(classes, p[:, 0])))
put("cross_entropy_loss", float(metrics.log_loss(classes, p[:, 0])))
