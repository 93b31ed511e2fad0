#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes golden.h: forward pass, loss and gradients of small networks, computed by NumPy alone.

An independent implementation of docs/math.md, in double precision, with matrices where glia has
loops. Regenerate with:  python3 tests/golden/make_golden.py > tests/golden/golden.h
"""
import numpy as np

ACTIVATIONS = {  # f(z), f'(z)
    "SIGMOID": (lambda z: 1 / (1 + np.exp(-z)),
                lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2),
    "TANH": (np.tanh, lambda z: 1 / np.cosh(z) ** 2),
    "RELU": (lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(float)),
    "IDENTITY": (lambda z: z, np.ones_like),
}

# inputs, hidden layers with their activations, classes, batch
CASES = [
    (7, [], 3, 1),
    (7, [], 3, 5),
    (9, [(6, "SIGMOID")], 4, 4),
    (9, [(6, "TANH")], 4, 4),
    (9, [(6, "RELU")], 4, 4),
    (9, [(6, "IDENTITY")], 4, 4),
    (20, [(17, "RELU"), (19, "TANH")], 10, 3),
    (5, [(4, "SIGMOID"), (3, "RELU"), (6, "TANH")], 2, 7),
]


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def run(case, rng):
    inputs, hidden, classes, batch = case
    units = [inputs] + [n for n, _ in hidden] + [classes]
    # Values that a float holds exactly, so that one file serves both precisions.
    exact = lambda shape: np.round(rng.normal(size=shape) * 64) / 64
    weights = [exact((units[l + 1], units[l])) for l in range(len(units) - 1)]
    biases = [exact(n) for n in units[1:]]
    x = exact((batch, inputs)) * (rng.random((batch, inputs)) < 0.7)
    labels = rng.integers(classes, size=batch)

    a, z = [x], []
    for l, (w, b) in enumerate(zip(weights, biases)):
        z.append(a[-1] @ w.T + b)
        a.append(softmax(z[-1]) if l == len(hidden) else ACTIVATIONS[hidden[l][1]][0](z[-1]))
    loss = -np.log(a[-1][np.arange(batch), labels])

    delta = (a[-1] - np.eye(classes)[labels]) / batch
    gradients = []
    for l in reversed(range(len(weights))):
        gradients.insert(0, (delta.T @ a[l], delta.sum(axis=0)))
        if l:
            delta = (delta @ weights[l]) * ACTIVATIONS[hidden[l - 1][1]][1](z[l - 1])
    return weights, biases, x, labels, a[-1], loss, gradients


def main():
    rng = np.random.default_rng(20240406)
    parameters = lambda pairs: np.concatenate([p.ravel() for pair in pairs for p in pair])
    array = lambda values: "{" + ", ".join(repr(float(v)) for v in np.ravel(values)) + "}"
    print("/* SPDX-License-Identifier: MIT */")
    print("/* Made by make_golden.py; do not edit. */")
    print("/* clang-format off */")
    for i, case in enumerate(CASES):
        weights, biases, x, labels, p, loss, gradients = run(case, rng)
        print(f"static const double golden_{i}_parameters[] = {array(parameters(zip(weights, biases)))};")
        print(f"static const double golden_{i}_x[] = {array(x)};")
        print(f"static const uint32_t golden_{i}_labels[] = {{{', '.join(map(str, labels))}}};")
        print(f"static const double golden_{i}_probabilities[] = {array(p)};")
        print(f"static const double golden_{i}_loss[] = {array(loss)};")
        print(f"static const double golden_{i}_gradients[] = {array(parameters(gradients))};")
    print("""
static const struct golden {
    size_t inputs, n_hidden, hidden[3];
    glia_activation activations[3];
    size_t classes, batch;
    const double *parameters; /* per layer: weight (units, inputs), bias (units) */
    const double *x;          /* (batch, inputs) */
    const uint32_t *labels;
    const double *probabilities; /* (batch, classes) */
    const double *loss;          /* (batch) */
    const double *gradients;     /* of the mean loss, as parameters */
} goldens[] = {""")
    for i, (inputs, hidden, classes, batch) in enumerate(CASES):
        widths = ", ".join(str(n) for n, _ in hidden) or "0"
        names = ", ".join("GLIA_ACTIVATION_" + f for _, f in hidden) or "GLIA_ACTIVATION_IDENTITY"
        print(f"    {{{inputs}, {len(hidden)}, {{{widths}}}, {{{names}}}, {classes}, {batch}, "
              f"golden_{i}_parameters, golden_{i}_x, golden_{i}_labels, "
              f"golden_{i}_probabilities, golden_{i}_loss, golden_{i}_gradients}},")
    print("};")


if __name__ == "__main__":
    main()
