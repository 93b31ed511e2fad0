#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes schedules.h: learning rates of every step of short runs, by torch.optim.lr_scheduler.

Regenerate, where PyTorch is installed, with:
python3 tests/golden/make_schedules.py > tests/golden/schedules.h

PyTorch's cosine and linear schedulers reach their end after T_max or total_iters steps of theirs,
which is n - 1 for a run whose last step has the rate lr_end.
"""
import torch
from torch.optim import lr_scheduler as torch_lr

LR = 0.3


def rates(n, make, lr=LR):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    scheduler = make(optimizer)
    found = []
    for _ in range(n):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(found) < n:
            scheduler.step()
    return found


def cases():
    """name, fields of glia_settings, epochs, steps an epoch, rates"""
    for epochs, an_epoch in ((6, 4), (7, 3), (1, 10)):
        n = epochs * an_epoch

        def case(name, make, **fields):
            return name, fields, epochs, an_epoch, rates(n, make)

        yield case("CONSTANT", lambda o: torch_lr.ConstantLR(o, factor=1))
        yield case("LINEAR", lambda o: torch_lr.LinearLR(o, 1, 0.1, total_iters=n - 1),
                   lr_end=0.1 * LR)
        yield case("LINEAR", lambda o: torch_lr.PolynomialLR(o, total_iters=n - 1, power=1))
        yield case("STEP", lambda o: torch_lr.StepLR(o, -(-epochs // 3) * an_epoch, 0.1))
        yield case("STEP", lambda o: torch_lr.StepLR(o, 2 * an_epoch, 0.7), lr_factor=0.7,
                   lr_every=2)
        yield case("EXPONENTIAL", lambda o: torch_lr.ExponentialLR(o, 0.95 ** (1 / an_epoch)))
        yield case("EXPONENTIAL", lambda o: torch_lr.ExponentialLR(o, 0.5 ** (1 / an_epoch)),
                   lr_factor=0.5)
        yield case("COSINE", lambda o: torch_lr.CosineAnnealingLR(o, n - 1))
        yield case("COSINE", lambda o: torch_lr.CosineAnnealingLR(o, n - 1, eta_min=0.01),
                   lr_end=0.01)
        yield case("ONE_CYCLE", lambda o: torch_lr.OneCycleLR(o, LR, n, cycle_momentum=False))
        yield case("ONE_CYCLE", lambda o: torch_lr.OneCycleLR(
            o, LR, n, pct_start=0.45, cycle_momentum=False, final_div_factor=10), warmup=0.45,
                   lr_end=LR / 25 / 10)


def main():
    print("/* SPDX-License-Identifier: MIT */")
    print(f"/* Made by make_schedules.py with PyTorch {torch.__version__.split('+')[0]}; do not "
          "edit. */")
    print("/* clang-format off */")
    print("#include \"model/settings.h\"")
    lines = []
    for i, (name, fields, epochs, an_epoch, found) in enumerate(cases()):
        print(f"static const double schedule_{i}[] = {{{', '.join(map(repr, found))}}};")
        given = {"lr": LR, "lr_end": "NAN", "lr_factor": "NAN", **fields}
        params = ", ".join(f".{key} = {value}" for key, value in given.items())
        lines.append(f"    {{{{.schedule = GLIA_SCHEDULE_{name}, {params}, .epochs = {epochs}}}, "
                     f"{an_epoch}, schedule_{i}}},")
    print("""
static const struct golden_schedule {
    glia_settings params;
    size_t steps_an_epoch;
    const double *rates; /* (epochs * steps_an_epoch) */
} golden_schedules[] = {""")
    print("\n".join(lines))
    print("};")


if __name__ == "__main__":
    main()
