/* SPDX-License-Identifier: MIT */
/*
 * The optimizers: what a row of parameters becomes by its gradient. Compiled for each element type
 * and level of instruction set, as reference.c is; every engine hands its gradients here but for
 * plain SGD, which products do themselves. The formulas, and the order of their operations, are
 * PyTorch's.
 */
#include "compute/elementary.h"
#include "compute/reference.h"

typedef REAL real;

enum { CHUNK = 64 }; /* elements at a time: they stay in registers or L1 */

/* g = the gradient that is followed: clipped, and with those of l2 / 2 w^2 and l1 |w|. */
static void whole_gradient(const gi_optimizer *o, bool is_weight, const real *restrict w,
                           const real *restrict gradient, real *restrict g, size_t n)
{
    const real factor = (real)o->gradient_factor;
    const real l2 = is_weight ? (real)o->l2 : 0, l1 = is_weight ? (real)o->l1 : 0;
    for (size_t c = 0; c < n; c++) g[c] = factor * gradient[c] + l2 * w[c];
    if (l1 > 0)
        for (size_t c = 0; c < n; c++) g[c] += w[c] > 0 ? l1 : w[c] < 0 ? -l1 : 0;
}

/* w -= rate * what the optimizer makes of g */
static void descend(const gi_optimizer *o, real rate, real *restrict w, const real *restrict g,
                    real *restrict first, real *restrict second, size_t n)
{
    const real momentum = (real)o->momentum, beta2 = (real)o->beta2, epsilon = (real)o->epsilon;
    /* 1 - beta2 of a beta2 that is rounded to float would be off by 1e-5 of it */
    const real rest1 = (real)(1 - o->momentum), rest2 = (real)(1 - o->beta2);
    switch (o->kind) {
    case GLIA_OPTIMIZER_SGD:
        for (size_t c = 0; c < n; c++) w[c] -= rate * g[c];
        break;
    case GLIA_OPTIMIZER_MOMENTUM:
        for (size_t c = 0; c < n; c++) {
            first[c] = momentum * first[c] + g[c];
            w[c] -= rate * first[c];
        }
        break;
    case GLIA_OPTIMIZER_NESTEROV:
        for (size_t c = 0; c < n; c++) {
            first[c] = momentum * first[c] + g[c];
            w[c] -= rate * (g[c] + momentum * first[c]);
        }
        break;
    case GLIA_OPTIMIZER_RMSPROP:
        for (size_t c = 0; c < n; c++) {
            second[c] = beta2 * second[c] + rest2 * g[c] * g[c];
            w[c] -= rate * g[c] / (SQRT(second[c]) + epsilon);
        }
        break;
    case GLIA_OPTIMIZER_ADAM:
    case GLIA_OPTIMIZER_ADAMW: {
        const real step = rate / (real)o->correction1;
        const real root = SQRT((real)o->correction2);
        for (size_t c = 0; c < n; c++) {
            first[c] = momentum * first[c] + rest1 * g[c];
            second[c] = beta2 * second[c] + rest2 * g[c] * g[c];
            w[c] -= step * first[c] / (SQRT(second[c]) / root + epsilon);
        }
        break;
    }
    }
}

void REFERENCE(optimize_row)(const gi_row_update *update, size_t layer_index, size_t row,
                             size_t unit, void *weight, const void *gradient, size_t n)
{
    (void)unit;
    const gi_optimizer *o = update->optimizer;
    const gi_layer *layer = &o->layers[layer_index];
    const bool is_weight = row < layer->n_in;
    const size_t at = (size_t)((real *)weight - (real *)(is_weight ? layer->weight : layer->bias));
#define SHADOW(s) ((s) ? (real *)(s)[layer_index].of[!is_weight] + at : NULL)
    real *first = SHADOW(o->first), *second = SHADOW(o->second);
#undef SHADOW
    const real rate = (real)update->rate;
    const real remains = is_weight ? (real)(1 - update->rate * o->weight_decay) : 1;
    real g[CHUNK];
    for (size_t c = 0, here; c < n; c += here) {
        here = n - c < CHUNK ? n - c : CHUNK;
        real *restrict w = (real *)weight + c;
        whole_gradient(o, is_weight, w, (const real *)gradient + c, g, here);
        if (remains != 1)
            for (size_t k = 0; k < here; k++) w[k] *= remains;
        descend(o, rate, w, g, first ? first + c : NULL, second ? second + c : NULL, here);
    }
}

void REFERENCE(follow)(void *average, const void *now, double part_, size_t n)
{
    real *restrict a = average;
    const real *restrict w = now;
    const real part = (real)part_;
    for (size_t i = 0; i < n; i++) a[i] += part * (w[i] - a[i]);
}

/* ---- Whole columns --------------------------------------------------------------------------- */

void REFERENCE(sum_squares)(const void *rows_, size_t n_rows, size_t n, double *sums)
{
    const real *rows = rows_;
    for (size_t c = 0; c < n; c++) sums[c] = 0;
    for (size_t r = 0; r < n_rows; r++)
        for (size_t c = 0; c < n; c++) {
            const real w = rows[r * n + c];
            sums[c] += (double)(w * w);
        }
}

void REFERENCE(scale_columns)(void *rows_, size_t n_rows, size_t n, const double *factors)
{
    real *rows = rows_;
    for (size_t r = 0; r < n_rows; r++)
        for (size_t c = 0; c < n; c++) rows[r * n + c] *= (real)factors[c];
}
