#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes optimizers.h: 100 steps of small networks by torch.nn and torch.optim, in float64.

Regenerate, where PyTorch is installed, with:
python3 tests/golden/make_optimizers.py > tests/golden/optimizers.h

Inputs, labels and initial parameters are drawn by a congruential generator, small multiples of
powers of two, so that test_optimizers.c draws the same. What is written is the loss of every step
and, after steps 1, 10 and 100, the norm of each layer's weights and of its vectors, in which every
parameter has a part, and every STRIDE-th parameter. In step t = 0, 1, ... the learning rate is
lr (1 - t / 200).
"""
import argparse
import copy
import math

import torch
from torch.optim.swa_utils import AveragedModel

INPUTS, HIDDEN, CLASSES = 6, (70, 20), 4  # 70 units: more than a panel of glia's
SAMPLES, BATCHES = 40, ((0, 16), (16, 32), (32, 40))  # one after the other
STEPS, KEPT, STRIDE = 100, (1, 10, 100), 53
CLASS_WEIGHTS = (0.5, 1, 2, 0.25)

ACTIVATIONS = {
    "SIGMOID": torch.nn.Sigmoid(),
    "TANH": torch.nn.Tanh(),
    "RELU": torch.nn.ReLU(),
    "IDENTITY": torch.nn.Identity(),
    "LEAKY_RELU": torch.nn.LeakyReLU(0.01),
    "ELU": torch.nn.ELU(),
    "GELU": torch.nn.GELU(approximate="none"),
    "SILU": torch.nn.SiLU(),
    "SCALED_TANH": None,
}


class ScaledTanh(torch.nn.Module):
    def forward(self, z):
        return 1.7159 * torch.tanh(2 / 3 * z)


ACTIVATIONS["SCALED_TANH"] = ScaledTanh()


class Numbers:
    """Knuth and Lewis's generator (Numerical Recipes, second edition, section 7.1)."""

    def __init__(self):
        self.state = 1

    def below(self, n):
        self.state = (self.state * 1664525 + 1013904223) % 2**32
        return (self.state >> 16) % n

    def fill(self, tensor, divisor, around=0):
        """Multiples of 1 / divisor in around +- 32 / divisor."""
        values = [around + (self.below(65) - 32) / divisor for _ in range(tensor.numel())]
        with torch.no_grad():
            tensor.copy_(torch.tensor(values, dtype=torch.float64).view(tensor.shape))


def make_data():
    """x: multiples of 1/16 in 0..2, a third of them 0; labels; weights of samples."""
    numbers = Numbers()
    x = [[max(0, numbers.below(48) - 15) / 16 for _ in range(INPUTS)] for _ in range(SAMPLES)]
    labels = [numbers.below(CLASSES) for _ in range(SAMPLES)]
    weights = [(numbers.below(4) + 1) / 2 for _ in range(SAMPLES)]
    return (torch.tensor(x, dtype=torch.float64), torch.tensor(labels),
            torch.tensor(weights, dtype=torch.float64))


def make_network(activation, normalised):
    """normalised: bit l of layer l"""
    widths = (INPUTS, *HIDDEN, CLASSES)
    modules, layers = [], []  # layers: linear, batch norm or None
    for l, (n_in, n_out) in enumerate(zip(widths, widths[1:])):
        has_norm = bool(normalised >> l & 1)
        linear = torch.nn.Linear(n_in, n_out, bias=not has_norm)
        norm = torch.nn.BatchNorm1d(n_out) if has_norm else None
        modules += [linear] + ([norm] if has_norm else [])
        if l < len(HIDDEN):
            modules.append(copy.deepcopy(ACTIVATIONS[activation]))
        layers.append((linear, norm))
    model = torch.nn.Sequential(*modules).double()
    numbers = Numbers()
    for l, (linear, norm) in enumerate(layers):
        numbers.fill(linear.weight, (64, 256, 128)[l])
        if norm:
            numbers.fill(norm.weight, 256, around=1)
        numbers.fill(norm.bias if norm else linear.bias, 256)
    return model


def flat_blocks(model):
    """Of each layer its weights (units, inputs), then its vectors, in glia's order."""
    blocks = []
    for module in model:
        if isinstance(module, torch.nn.Linear):
            blocks.append([module.weight])
            blocks.append([] if module.bias is None else [module.bias])
        elif isinstance(module, torch.nn.BatchNorm1d):
            blocks[-1] = [module.weight, module.bias, module.running_mean, module.running_var]
    return [torch.cat([t.detach().flatten() for t in block]) for block in blocks]


def kept_of(model):
    blocks = flat_blocks(model)
    return [float(b.norm()) for b in blocks] + torch.cat(blocks)[::STRIDE].tolist()


def make_optimizer(name, model, p):
    """weight_decay and l2 are of weights alone."""
    weights = [m.weight for m in model if isinstance(m, torch.nn.Linear)]
    others = [q for q in model.parameters() if not any(q is w for w in weights)]
    decay = p.get("weight_decay", 0) if name == "ADAMW" else p.get("l2", 0)
    groups = [{"params": weights, "weight_decay": decay}, {"params": others, "weight_decay": 0}]
    lr, momentum = p["lr"], p.get("momentum", 0.9)
    betas, eps = (momentum, p.get("beta2", 0.999)), p.get("epsilon", 1e-8)
    return weights, {
        "SGD": lambda: torch.optim.SGD(groups, lr),
        "MOMENTUM": lambda: torch.optim.SGD(groups, lr, momentum=momentum),
        "NESTEROV": lambda: torch.optim.SGD(groups, lr, momentum=momentum, nesterov=True),
        "RMSPROP": lambda: torch.optim.RMSprop(groups, lr, alpha=p.get("beta2", 0.99), eps=eps),
        "ADAM": lambda: torch.optim.Adam(groups, lr, betas, eps),
        "ADAMW": lambda: torch.optim.AdamW(groups, lr, betas, eps),
    }[name]()


def scale_gradient(model, clip_norm):
    """Pascanu, Mikolov and Bengio 2013: clip_grad_norm_ without the 1e-6 that it adds to norms."""
    gradients = [q.grad for q in model.parameters()]
    norm = math.sqrt(sum(float((g * g).sum()) for g in gradients))
    if norm > clip_norm:
        for g in gradients:
            g *= clip_norm / norm
    return norm > clip_norm


def constrain(weights, max_norm):
    any_scaled = False
    with torch.no_grad():
        for w in weights[:-1]:
            norms = w.norm(dim=1, keepdim=True)
            any_scaled |= bool((norms > max_norm).any())
            w *= torch.where(norms > max_norm, max_norm / norms, 1.0)
    return any_scaled


def run(optimizer="SGD", activation="TANH", normalised=0, whole=False, pytorch_clips=False,
        sample_weights=False, dtype=torch.float64, **p):
    x, labels, weights_of_samples = make_data()
    model = make_network(activation, normalised)
    model, x = model.to(dtype), x.to(dtype)
    averaged = None
    if "averaging" in p:
        averaged = AveragedModel(model, use_buffers=True, avg_fn=lambda average, now, t: average +
                                 (1 - min(p["averaging"], (1 + int(t)) / (10 + int(t)))) *
                                 (now - average))
        averaged.n_averaged.fill_(1)  # it begins with the initial parameters, not with step 1's
    weights, optimizer = make_optimizer(optimizer, model, p)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: 1 - t / (2 * STEPS))
    class_weights = torch.tensor(CLASS_WEIGHTS, dtype=dtype) if "class_weights" in p else None
    smoothing = p.get("label_smoothing", 0)
    losses, kept, clipped, constrained = [], [], False, False
    for t in range(STEPS):
        begin, end = (0, SAMPLES) if whole else BATCHES[t % len(BATCHES)]
        z, y = model(x[begin:end]), labels[begin:end]
        if sample_weights or (class_weights is not None and smoothing):
            # PyTorch weighs smoothed targets by their class, glia samples by their label
            each = torch.nn.CrossEntropyLoss(reduction="none", label_smoothing=smoothing)(z, y)
            weight = weights_of_samples[begin:end].to(dtype) if sample_weights else 1
            if class_weights is not None:
                weight = weight * class_weights[y]
            loss = (weight * each).sum() / weight.sum()
        else:
            loss = torch.nn.CrossEntropyLoss(class_weights, label_smoothing=smoothing)(z, y)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        if "clip_norm" in p:
            if pytorch_clips:
                clipped |= float(torch.nn.utils.clip_grad_norm_(model.parameters(),
                                                                p["clip_norm"])) > p["clip_norm"]
            else:
                clipped |= scale_gradient(model, p["clip_norm"])
        if "l1" in p:  # its gradient is not clipped, as that of weight_decay is not
            (p["l1"] * sum(w.abs().sum() for w in weights)).backward()
        decay = p.get("weight_decay", 0)
        if decay and not isinstance(optimizer, torch.optim.AdamW):
            with torch.no_grad():
                for w in weights:
                    w *= 1 - optimizer.param_groups[0]["lr"] * decay
        optimizer.step()
        scheduler.step()
        if "max_norm" in p:
            constrained |= constrain(weights, p["max_norm"])
        if averaged:
            averaged.update_parameters(model)
        if t + 1 in KEPT:
            kept.append(kept_of(averaged.module if averaged else model))
    if clipped != ("clip_norm" in p) or constrained != ("max_norm" in p):
        raise ValueError("a bound was never reached")
    return losses, kept


def cases():
    for activation in ACTIVATIONS:
        yield dict(name=activation.lower().replace("_", "-"), activation=activation, lr=0.5)
    yield dict(name="momentum", optimizer="MOMENTUM", activation="SILU", lr=0.1)
    yield dict(name="nesterov", optimizer="NESTEROV", activation="ELU", lr=0.1, whole=True)
    yield dict(name="rmsprop", optimizer="RMSPROP", lr=0.002)
    yield dict(name="adam", optimizer="ADAM", activation="GELU", lr=0.005)
    yield dict(name="adamw", optimizer="ADAMW", activation="LEAKY_RELU", lr=0.005,
               weight_decay=0.1)
    yield dict(name="moments", optimizer="ADAM", lr=0.005, momentum=0.8, beta2=0.95, epsilon=1e-3)
    yield dict(name="weight decay of nesterov", optimizer="NESTEROV", lr=0.1, weight_decay=0.1)
    yield dict(name="l2", lr=0.5, l2=0.01)
    yield dict(name="l2 of adam", optimizer="ADAM", lr=0.005, l2=0.01, whole=True)
    yield dict(name="l1", lr=0.5, l1=0.0005, whole=True)
    yield dict(name="label smoothing", lr=0.5, label_smoothing=0.1)
    yield dict(name="class weights", lr=0.1, class_weights=True, whole=True)
    yield dict(name="weighted samples, label smoothing", lr=0.5, sample_weights=True,
               label_smoothing=0.1)
    yield dict(name="clipping, l2", optimizer="MOMENTUM", lr=0.1, clip_norm=0.3, l2=0.01)
    yield dict(name="clip_grad_norm_", optimizer="MOMENTUM", lr=0.1, clip_norm=0.3,
               pytorch_clips=True)
    yield dict(name="max-norm", lr=0.2, max_norm=0.7, whole=True)
    yield dict(name="averaging", optimizer="ADAM", lr=0.005, averaging=0.9)
    yield dict(name="batch normalisation", activation="RELU", normalised=3, lr=0.5)
    yield dict(name="batch normalisation, adam", optimizer="ADAM", normalised=3, lr=0.005)
    yield dict(name="batch normalisation below", optimizer="NESTEROV", activation="GELU",
               normalised=1, lr=0.1, averaging=0.95)
    yield dict(name="all together", optimizer="ADAMW", activation="SILU", normalised=3, lr=0.005,
               weight_decay=0.1, clip_norm=0.5, max_norm=0.8, label_smoothing=0.1,
               class_weights=True, sample_weights=True, averaging=0.95, whole=True)


def c_value(key, value):
    if key == "class_weights":
        return f"{{.n = {CLASSES}, .of = golden_class_weights}}"
    return "NAN" if value is None else repr(value)  # NAN: automatic


def numbers(values):
    return "{" + ", ".join(f"{v:.15g}" for v in values) + "}"


def write():
    print("/* SPDX-License-Identifier: MIT */")
    print(f"/* Made by make_optimizers.py with PyTorch {torch.__version__.split('+')[0]}; do not "
          "edit. */")
    print("/* clang-format off */")
    print("#include \"model/settings.h\"")
    most = max(sum(b.numel() for b in flat_blocks(make_network("TANH", 3))),
               sum(b.numel() for b in flat_blocks(make_network("TANH", 0))))
    n_kept = 2 * (len(HIDDEN) + 1) + -(-most // STRIDE)
    print(f"""
enum {{
    GOLDEN_INPUTS = {INPUTS}, GOLDEN_HIDDEN_0 = {HIDDEN[0]}, GOLDEN_HIDDEN_1 = {HIDDEN[1]},
    GOLDEN_CLASSES = {CLASSES}, GOLDEN_SAMPLES = {SAMPLES}, GOLDEN_STEPS = {STEPS},
    GOLDEN_STRIDE = {STRIDE}, GOLDEN_KEPT = {n_kept}
}};
static double golden_class_weights[GOLDEN_CLASSES] = {{{", ".join(map(str, CLASS_WEIGHTS))}}};
/* Of batches, which take turns: the first sample, and the one past the last. */
static const size_t golden_batches[{len(BATCHES)}][2] = {{{", ".join(
    f"{{{b}, {e}}}" for b, e in BATCHES)}}};
/* After how many steps parameters are compared. */
static const size_t golden_kept_steps[{len(KEPT)}] = {{{", ".join(map(str, KEPT))}}};

static const struct golden_run {{
    const char *name;
    glia_settings params;
    glia_activation activation;
    unsigned normalised;   /* bit l: layer l */
    bool sample_weights;
    bool whole;            /* all samples are one batch */
    bool pytorch_clips;    /* by clip_grad_norm_, which adds 1e-6 to the norm */
    double loss[GOLDEN_STEPS];
    /* norms of each layer's weights and vectors, then every GOLDEN_STRIDE-th parameter; with
     * averaging, of the average */
    double kept[{len(KEPT)}][GOLDEN_KEPT];
}} golden_runs[] = {{""")
    for case in cases():
        losses, kept = run(**{k: v for k, v in case.items() if k != "name"})
        plain = {k: case[k] for k in ("normalised",) if k in case}
        flags = [k for k in ("sample_weights", "whole", "pytorch_clips") if case.get(k)]
        own = {"name", "optimizer", "activation", *plain, *flags}
        params = {"momentum": 0.9, "beta2": None, "epsilon": 1e-8, "weight_decay": None}
        params |= {k: v for k, v in case.items() if k not in own}
        fields = [f".optimizer = GLIA_OPTIMIZER_{case.get('optimizer', 'SGD')}"]
        fields += [f".{k} = {c_value(k, v)}" for k, v in params.items()]
        print(f"{{.name = \"{case['name']}\", .params = {{{', '.join(fields)}}},")
        print(f" .activation = GLIA_ACTIVATION_{case.get('activation', 'TANH')}",
              *[f".{k} = {v}" for k, v in plain.items()], *[f".{k} = true" for k in flags],
              sep=", ", end=",\n")
        print(f" .loss = {numbers(losses)},")
        print(" .kept = {" + ",\n  ".join(map(numbers, kept)) + "}},")
    print("};")


def compare():
    """What PyTorch's own float32 makes of the same runs: how far rounding alone leads."""
    for case in cases():
        arguments = {k: v for k, v in case.items() if k != "name"}
        exact, rough = run(**arguments), run(**arguments, dtype=torch.float32)
        by_loss = max(abs(a - b) for a, b in zip(exact[0], rough[0]))
        by_kept = max(abs(a - b) for k, r in zip(exact[1], rough[1]) for a, b in zip(k, r))
        print(f"{case['name']:36} loss {exact[0][0]:.3f} to {exact[0][-1]:.3f}; float32 differs by "
              f"{by_loss:.1e} in losses, {by_kept:.1e} in parameters")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--float32", action="store_true",
                        help="say how far PyTorch's own float32 is from its float64")
    torch.set_num_threads(1)
    if parser.parse_args().float32:
        compare()
    else:
        write()


if __name__ == "__main__":
    main()
