/* SPDX-License-Identifier: MIT */
/*
 * The losses, each with its gradient, and what the last layer's sums mean (GLIA_LOSS_LIST).
 * Compiled for each element type and level of instruction set, as reference.c is, for all engines:
 * these loops are a small part of a step.
 *
 * Invariants: a row is computed by one thread in one order; pads stay zero.
 */
#include <math.h>

#include "compute/elementary.h"
#include "compute/reference.h"

#define WHOLE(n)   ((n) / GI_PAD * GI_PAD)
#define ALIGNED(p) __builtin_assume_aligned(p, GI_PAD * 4)

typedef REAL real;

/* ---- Of a row ------------------------------------------------------------------------------- */

/*
 * p_c = e^{z_c - max z} in place, its pads 0; returns sum_c p_c. The pads take part until they are
 * cleared, which spares the loops a remainder.
 */
static real exponentials(real *restrict z_, size_t n, real *max)
{
    real *restrict z = ALIGNED(z_);
    const size_t padded = WHOLE(gi_padded(n));
    for (size_t c = n; c < padded; c++) z[c] = z[0];
    real most = z[0], sum = 0;
#pragma omp simd reduction(max : most)
    for (size_t c = 0; c < padded; c++) most = z[c] > most ? z[c] : most;
    for (size_t c = 0; c < padded; c++) z[c] = EXP(z[c] - most);
    for (size_t c = n; c < padded; c++) z[c] = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t c = 0; c < padded; c++) sum += z[c];
    *max = most;
    return sum;
}

/* Whether class y is the first of those with the largest z. */
static bool is_best(const real *z, size_t n, size_t y)
{
    for (size_t c = 0; c < n; c++)
        if (c < y ? z[c] >= z[y] : z[c] > z[y]) return false;
    return true;
}

/*
 * Targets t_c = (1 - smoothing) [c = y] + smoothing / n (Szegedy et al. 2016, section 7):
 * L = log(sum_c e^{z_c}) - sum_c t_c z_c, dL/dz_c = p_c - t_c.
 */
static size_t cross_entropy(real *restrict z_, size_t n, size_t y, double smoothing, double factor_,
                            double *loss)
{
    real *restrict z = ALIGNED(z_);
    const size_t padded = WHOLE(gi_padded(n));
    const real factor = (real)factor_, z_y = z[y];
    const real spread = (real)(smoothing / (double)n); /* a target's part of each class */
    const size_t correct = is_best(z, n, y);
    double below = 0; /* sum_c t_c (z_y - z_c) */
    if (smoothing > 0)
        for (size_t c = 0; c < n; c++) below += (double)(z_y - z[c]);
    below *= smoothing / (double)n;
    real max;
    const real sum = exponentials(z, n, &max);
    /* -log p_y = log(sum_c e^{z_c}) - z_y, without overflow or cancellation */
    *loss = (double)(LOG(sum) + (max - z_y)) + below;
    const real of_p = factor / sum;
    for (size_t c = 0; c < padded; c++) z[c] *= of_p;
    if (smoothing > 0)
        for (size_t c = 0; c < n; c++) z[c] -= spread * factor;
    z[y] -= (real)(1 - smoothing) * factor;
    return correct;
}

/*
 * With p = sigmoid z: -t log p - (1 - t) log(1 - p) = max(z, 0) - t z + log(1 + e^-|z|), which
 * neither overflows nor takes the logarithm of 0; its derivative is p - t.
 */
static size_t binary_cross_entropy(real *z, size_t n, const float *targets, double factor_,
                                   double *loss)
{
    const real factor = (real)factor_;
    size_t right = 0;
    double sum = 0;
    for (size_t c = 0; c < n; c++) {
        const real t = (real)targets[c], small = EXP(z[c] < 0 ? z[c] : -z[c]); /* e^-|z| */
        right += (z[c] > 0) == (t > (real)0.5);
        sum += (double)((z[c] > 0 ? z[c] : 0) - t * z[c]) + log1p((double)small);
        const real p = (z[c] < 0 ? small : 1) / (1 + small);
        z[c] = factor * (p - t);
    }
    *loss = sum;
    return right;
}

/* The loss of a difference d = z - t, and its derivative. */
static inline real of_difference(glia_loss kind, real d, real *derivative)
{
    switch (kind) {
    case GLIA_LOSS_MAE:
        *derivative = (real)((d > 0) - (d < 0));
        return d < 0 ? -d : d;
    case GLIA_LOSS_HUBER:
        *derivative = d > 1 ? 1 : d < -1 ? -1 : d;
        return d > 1 ? d - (real)0.5 : d < -1 ? -d - (real)0.5 : (real)0.5 * d * d;
    default: /* mse */
        *derivative = 2 * d;
        return d * d;
    }
}

static void of_values(real *z, size_t n, const float *targets, const gi_loss *how, double factor,
                      double *loss, double *squares)
{
    const real each = (real)(factor / (double)n);
    const double unit = how->unit > 0 ? how->unit : 1;
    double sum = 0, square_sum = 0;
    for (size_t c = 0; c < n; c++) {
        real derivative;
        const real d = z[c] - (real)targets[c];
        const double scaled = (how->scale ? how->scale[c] : 1) / unit * (double)d;
        square_sum += scaled * scaled;
        sum += (double)of_difference(how->kind, d, &derivative);
        z[c] = each * derivative;
    }
    *loss = sum / (double)n;
    if (squares) *squares = square_sum;
}

/* ---- Of a batch ----------------------------------------------------------------------------- */

size_t REFERENCE(loss)(void *z_, size_t n, const gi_loss *how, double *loss, size_t m)
{
    const size_t ld = gi_stride(n);
    size_t n_correct = 0;
    for (size_t r = 0; r < m; r++) {
        real *z = (real *)z_ + r * ld;
        const double weight = how->weight ? (double)how->weight[r] : 1;
        const double factor = how->total > 0 ? weight / how->total : 0;
        if (how->kind == GLIA_LOSS_CROSS_ENTROPY)
            n_correct += cross_entropy(z, n, how->labels[r], how->smoothing, factor, &loss[r]);
        else if (how->kind == GLIA_LOSS_BCE)
            n_correct += binary_cross_entropy(z, n, how->targets + r * n, factor, &loss[r]);
        else
            of_values(z, n, how->targets + r * n, how, factor, &loss[r],
                      how->squares ? &how->squares[r] : NULL);
        if (how->weight) loss[r] *= weight;
    }
    return n_correct;
}

static void softmax(const real *z, size_t n, float *p)
{
    real max = z[0], sum = 0;
    for (size_t c = 1; c < n; c++) max = z[c] > max ? z[c] : max;
    for (size_t c = 0; c < n; c++) sum += EXP(z[c] - max);
    for (size_t c = 0; c < n; c++) p[c] = (float)(EXP(z[c] - max) / sum);
}

void REFERENCE(outputs)(const void *z_, size_t n, glia_loss kind, const double *mean,
                        const double *scale, float *out, size_t m)
{
    const size_t ld = gi_stride(n);
    for (size_t r = 0; r < m; r++) {
        const real *z = (const real *)z_ + r * ld;
        float *y = out + r * n;
        if (kind == GLIA_LOSS_CROSS_ENTROPY)
            softmax(z, n, y);
        else if (kind == GLIA_LOSS_BCE)
            for (size_t c = 0; c < n; c++) y[c] = (float)(1 / (1 + EXP(-z[c])));
        else
            for (size_t c = 0; c < n; c++)
                y[c] = (float)((double)z[c] * (scale ? scale[c] : 1) + (mean ? mean[c] : 0));
    }
}
