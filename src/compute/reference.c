/* SPDX-License-Identifier: MIT */
/*
 * The reference engine: the mathematics of docs/math.md as plain loops. Compiled once for each
 * element type (REAL: float, double) and each level of instruction set (LEVEL), see
 * src/meson.build; the loops are written so that a compiler vectorises them.
 *
 * Invariants: every output element is summed by one thread in one order, so results do not depend
 * on the number of threads. Rows are padded to GI_PAD and aligned to 64 bytes; pads are zero.
 */
#include <math.h>
#include <string.h>

#include "compute/elementary.h"
#include "compute/engine.h"

#define PASTE(a, b)       a##b
#define PASTE_ALL(a, b)   PASTE(a, b)
#define TEXT(a)           #a
#define TEXT_OF(a)        TEXT(a)
#define EXP(x)            PASTE_ALL(exp_, REAL)(x)
#define TANH(x)           PASTE_ALL(tanh_, REAL)(x)
#define LOG(x)            PASTE_ALL(log_, REAL)(x)
#define ENGINE_NAME(r, l) PASTE_ALL(PASTE_ALL(gi_reference_, r), PASTE_ALL(_, l))

typedef REAL real;

/* Tells the compiler what the invariants say: a whole number of vectors, on a cache line. */
#define WHOLE(n)   ((n) / GI_PAD * GI_PAD)
#define ALIGNED(p) __builtin_assume_aligned(p, GI_PAD * 4)

/* ---- Vectors -------------------------------------------------------------------------------- */

/* y (n) += sum_k x_k rows[index_k], rows (?, n): the non-zeros of x times the rows of a matrix. */
static void accumulate(real *restrict y_, const real *restrict rows, size_t n_,
                       const uint32_t *restrict index, const real *restrict x, size_t n_nonzero)
{
    real *restrict y = ALIGNED(y_);
    const size_t n = WHOLE(n_);
    size_t k = 0;
    for (; k + 4 <= n_nonzero; k += 4) { /* four rows for each load and store of y */
        const real x0 = x[k], x1 = x[k + 1], x2 = x[k + 2], x3 = x[k + 3];
        const real *restrict r0 = ALIGNED(rows + index[k] * n);
        const real *restrict r1 = ALIGNED(rows + index[k + 1] * n);
        const real *restrict r2 = ALIGNED(rows + index[k + 2] * n);
        const real *restrict r3 = ALIGNED(rows + index[k + 3] * n);
        for (size_t c = 0; c < n; c++)
            y[c] = (((y[c] + x0 * r0[c]) + x1 * r1[c]) + x2 * r2[c]) + x3 * r3[c];
    }
    for (; k < n_nonzero; k++) {
        const real xk = x[k];
        const real *restrict r = ALIGNED(rows + index[k] * n);
        for (size_t c = 0; c < n; c++) y[c] += xk * r[c];
    }
}

/* y (n) += factor * d */
static void add_scaled(real *restrict y_, real factor, const real *restrict d_, size_t n_)
{
    real *restrict y = ALIGNED(y_);
    const real *restrict d = ALIGNED(d_);
    const size_t n = WHOLE(n_);
    for (size_t c = 0; c < n; c++) y[c] += factor * d[c];
}

/* sums[j] = rows[j] . d for four rows at once: four sums in flight hide the latency of adding. */
static void dot4(const real *const rows[4], const real *restrict d_, size_t n_, real sums[4])
{
    const real *restrict r0 = ALIGNED(rows[0]), *restrict r1 = ALIGNED(rows[1]);
    const real *restrict r2 = ALIGNED(rows[2]), *restrict r3 = ALIGNED(rows[3]);
    const real *restrict d = ALIGNED(d_);
    const size_t n = WHOLE(n_);
    real s0 = 0, s1 = 0, s2 = 0, s3 = 0;
#pragma omp simd reduction(+ : s0, s1, s2, s3)
    for (size_t c = 0; c < n; c++) {
        s0 += r0[c] * d[c];
        s1 += r1[c] * d[c];
        s2 += r2[c] * d[c];
        s3 += r3[c] * d[c];
    }
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
}

/* The non-zeros of x, whose elements lie `stride` apart. */
static void list_nonzeros(gi_sparse *list, const real *x, size_t stride, size_t n)
{
    real *value = list->value;
    size_t count = 0;
    for (size_t i = 0; i < n; i++) { /* without a branch: half of a relu layer is zero, at random */
        const real v = x[i * stride];
        list->index[count] = (uint32_t)i;
        value[count] = v;
        count += v != 0;
    }
    list->n = count;
}

/* ---- Input ---------------------------------------------------------------------------------- */

static void load_row(void *dst_, glia_type type, const void *src, size_t n, double divisor)
{
    real *restrict dst = dst_;
    const real scale = (real)(1 / divisor);
    if (type == GLIA_U8) {
        const uint8_t *restrict bytes = src;
        for (size_t i = 0; i < n; i++) dst[i] = (real)bytes[i] * scale;
    } else {
        const float *restrict values = src;
        for (size_t i = 0; i < n; i++) dst[i] = (real)values[i] * scale;
    }
    for (size_t i = n; i < gi_padded(n); i++) dst[i] = 0;
}

static void load_sparse(gi_sparse *dst, glia_type type, const void *src, size_t n, double divisor)
{
    const real scale = (real)(1 / divisor);
    real *value = dst->value;
    size_t count = 0;
    if (type == GLIA_U8) {
        const uint8_t *bytes = src;
        for (size_t i = 0; i < n; i++) {
            uint64_t eight;
            if (i % 8 == 0 && i + 8 <= n) { /* images have long runs of zeros */
                memcpy(&eight, bytes + i, 8);
                if (eight == 0) {
                    i += 7;
                    continue;
                }
            }
            dst->index[count] = (uint32_t)i;
            value[count] = (real)bytes[i] * scale;
            count += bytes[i] != 0;
        }
    } else {
        const float *values = src;
        for (size_t i = 0; i < n; i++) {
            dst->index[count] = (uint32_t)i;
            value[count] = (real)values[i] * scale;
            count += values[i] != 0;
        }
    }
    dst->n = count;
}

/* ---- Activations, each beside its derivative ------------------------------------------------ */

/* a = f(z), in place; pads back to zero. Softmax is left to softmax_loss and softmax. */
static void activate(glia_activation f, real *restrict z_, size_t n, size_t ld)
{
    real *restrict z = ALIGNED(z_);
    switch (f) {
    case GLIA_SIGMOID: /* 1 / (1 + e^-z) */
        for (size_t c = 0; c < WHOLE(ld); c++) z[c] = 1 / (1 + EXP(-z[c]));
        break;
    case GLIA_TANH:
        for (size_t c = 0; c < WHOLE(ld); c++) z[c] = TANH(z[c]);
        break;
    case GLIA_RELU: /* max(z, 0); NaN stays NaN, so that divergence is seen */
        for (size_t c = 0; c < WHOLE(ld); c++) z[c] = z[c] < 0 ? 0 : z[c];
        break;
    case GLIA_IDENTITY:
    case GLIA_SOFTMAX:
        break;
    }
    for (size_t c = n; c < ld; c++) z[c] = 0;
}

/* f'(z) as a function of a = f(z). */
static inline real derivative(glia_activation f, real a)
{
    switch (f) {
    case GLIA_SIGMOID:
        return a * (1 - a);
    case GLIA_TANH:
        return 1 - a * a;
    case GLIA_RELU:
        return a > 0 ? 1 : 0;
    case GLIA_IDENTITY:
    case GLIA_SOFTMAX: /* its derivative is part of softmax_loss */
        break;
    }
    return 1;
}

/* ---- A layer, forward and backward ---------------------------------------------------------- */

/* a = f(x W + b) for one sample given by its non-zeros. */
static void forward_sparse(const gi_layer *layer, const gi_sparse *x, real *a)
{
    memcpy(a, layer->bias, layer->ld * sizeof(real));
    accumulate(a, layer->weight, layer->ld, x->index, x->value, x->n);
    activate(layer->activation, a, layer->n_out, layer->ld);
}

static void forward(const gi_layer *layer, const void *src, void *dst, size_t m, gi_sparse *scratch)
{
    const real *x = src; /* (m, ld_in) */
    real *a = dst;       /* (m, ld) */
    const size_t ld_in = gi_padded(layer->n_in);
    for (size_t r = 0; r < m; r++) {
        list_nonzeros(scratch, x + r * ld_in, 1, layer->n_in);
        forward_sparse(layer, scratch, a + r * layer->ld);
    }
}

/* delta_in = (delta_out W^T) * f'(z_in) */
static void backward_data(const gi_layer *layer, const void *diff_dst, glia_activation f,
                          const void *src, void *diff_src, size_t m)
{
    const size_t ld = layer->ld, ld_in = gi_padded(layer->n_in);
    const real *w = layer->weight; /* (ld_in, ld) */
    for (size_t r = 0; r < m; r++) {
        const real *delta_out = (const real *)diff_dst + r * ld; /* (ld) */
        const real *a = (const real *)src + r * ld_in;           /* (ld_in) */
        real *delta_in = (real *)diff_src + r * ld_in;           /* (ld_in) */
        for (size_t i = 0; i < ld_in; i += 4) {
            const real *const rows[4] = {w + i * ld, w + (i + 1) * ld, w + (i + 2) * ld,
                                         w + (i + 3) * ld};
            dot4(rows, delta_out, ld, delta_in + i);
        }
        for (size_t i = 0; i < ld_in; i++) delta_in[i] *= derivative(f, a[i]);
    }
}

/* dJ/dW_i = sum_r x_ri delta_r, over the samples r whose input i is not zero */
static void backward_weights(const gi_layer *layer, size_t layer_index, const void *src,
                             const void *diff_dst, size_t m, size_t begin, size_t end,
                             const gi_row_update *update, gi_sparse *scratch, void *gradient)
{
    const real *x = src;          /* (m, ld_in) */
    const real *delta = diff_dst; /* (m, ld) */
    const size_t ld = layer->ld, ld_in = gi_padded(layer->n_in);
    for (size_t i = begin; i < end; i++) {
        const bool is_bias = i == layer->n_in;
        memset(gradient, 0, ld * sizeof(real));
        if (is_bias) {
            for (size_t r = 0; r < m; r++) add_scaled(gradient, 1, delta + r * ld, ld);
        } else {
            list_nonzeros(scratch, x + i, ld_in, m);
            if (scratch->n == 0 && update->skips_zero) continue;
            accumulate(gradient, delta, ld, scratch->index, scratch->value, scratch->n);
        }
        real *w = is_bias ? layer->bias : (real *)layer->weight + i * ld;
        update->apply(update, layer_index, i, w, gradient, ld);
    }
}

static void sgd_row(const gi_row_update *update, size_t layer, size_t row, void *weight,
                    const void *gradient, size_t n)
{
    (void)layer, (void)row;
    add_scaled(weight, -(real)update->rate, gradient, n);
}

/* ---- Softmax and cross-entropy -------------------------------------------------------------- */

/* p_c = e^{z_c - max z} in place; returns sum_c p_c. *best is the class with the largest z. */
static real exponentials(real *z, size_t n, size_t *best, real *max)
{
    *best = 0;
    for (size_t c = 1; c < n; c++)
        if (z[c] > z[*best]) *best = c;
    *max = z[*best];
    for (size_t c = 0; c < n; c++) z[c] = EXP(z[c] - *max);
    real sum = 0;
    for (size_t c = 0; c < n; c++) sum += z[c];
    return sum;
}

static size_t softmax_loss(void *logits, size_t n_classes, const uint32_t *labels,
                           size_t batch_size, double *loss, size_t m)
{
    const size_t ld = gi_padded(n_classes);
    const real per_sample = 1 / (real)batch_size;
    size_t n_correct = 0;
    for (size_t r = 0; r < m; r++) {
        real *z = (real *)logits + r * ld;
        const size_t y = labels[r];
        const real z_y = z[y];
        size_t best;
        real max;
        const real sum = exponentials(z, n_classes, &best, &max);
        /* -log p_y = log(sum_c e^{z_c}) - z_y, without overflow or cancellation */
        loss[r] = (double)(LOG(sum) + (max - z_y));
        n_correct += best == y;
        for (size_t c = 0; c < n_classes; c++) z[c] *= per_sample / sum; /* p_c / batch */
        z[y] -= per_sample;
    }
    return n_correct;
}

static void softmax(const void *logits, size_t n_classes, float *probabilities, size_t m)
{
    const size_t ld = gi_padded(n_classes);
    for (size_t r = 0; r < m; r++) {
        const real *z = (const real *)logits + r * ld;
        float *p = probabilities + r * n_classes;
        real max = z[0], sum = 0;
        for (size_t c = 1; c < n_classes; c++) max = z[c] > max ? z[c] : max;
        for (size_t c = 0; c < n_classes; c++) sum += EXP(z[c] - max);
        for (size_t c = 0; c < n_classes; c++) p[c] = (float)(EXP(z[c] - max) / sum);
    }
}

/* ---- Per-sample SGD ------------------------------------------------------------------------- */

/*
 * One pass over the rows of W that matter: delta_in_i = (W_i . delta) f'(z_i), and at once, while
 * the row is in cache, W_i <- W_i - rate a_i delta. A relu that is off (a = 0) has neither.
 */
static void backward_and_update(const gi_layer *layer, const real *delta, real rate,
                                glia_activation f, const real *a, real *delta_in, gi_sparse *active)
{
    const size_t ld = layer->ld, n_in = layer->n_in, ld_in = gi_padded(n_in);
    real *weight = layer->weight;
    if (f == GLIA_RELU) {
        list_nonzeros(active, a, 1, n_in);
    } else {
        active->n = n_in;
        for (size_t i = 0; i < n_in; i++) active->index[i] = (uint32_t)i;
    }
    for (size_t i = 0; i < ld_in; i++) delta_in[i] = 0;
    for (size_t k = 0; k < active->n; k += 4) {
        /* past the end: the first one again, computed but not used */
        uint32_t i[4];
        const real *rows[4];
        const size_t here = active->n - k < 4 ? active->n - k : 4;
        for (size_t j = 0; j < 4; j++) {
            i[j] = active->index[j < here ? k + j : k];
            rows[j] = weight + i[j] * ld;
        }
        real sums[4];
        dot4(rows, delta, ld, sums);
        for (size_t j = 0; j < here; j++) {
            delta_in[i[j]] = sums[j] * derivative(f, a[i[j]]);
            add_scaled(weight + i[j] * ld, -rate * a[i[j]], delta, ld);
        }
    }
}

static double sgd_sample(const gi_layer *layers, size_t n_layers, const gi_sparse *x,
                         uint32_t label, double rate, void *const *activations, void *const *diffs,
                         gi_sparse *scratch, bool *correct)
{
    forward_sparse(&layers[0], x, activations[0]);
    for (size_t l = 1; l < n_layers; l++)
        forward(&layers[l], activations[l - 1], activations[l], 1, scratch);

    double loss;
    *correct = softmax_loss(diffs[n_layers - 1], layers[n_layers - 1].n_out, &label, 1, &loss, 1);

    for (size_t l = n_layers; l-- > 0;) {
        const gi_layer *layer = &layers[l];
        const real *delta = diffs[l];
        add_scaled(layer->bias, -(real)rate, delta, layer->ld);
        if (l > 0) {
            backward_and_update(layer, delta, (real)rate, layers[l - 1].activation,
                                activations[l - 1], diffs[l - 1], scratch);
        } else {
            const real *value = x->value;
            for (size_t k = 0; k < x->n; k++)
                add_scaled((real *)layer->weight + x->index[k] * layer->ld, -(real)rate * value[k],
                           delta, layer->ld);
        }
    }
    return loss;
}

extern const gi_engine ENGINE_NAME(REAL, LEVEL);
const gi_engine ENGINE_NAME(REAL, LEVEL) = {
    .name = "reference",
    .isa = TEXT_OF(LEVEL),
    .element_bytes = sizeof(real),
    .load_row = load_row,
    .load_sparse = load_sparse,
    .forward = forward,
    .softmax_loss = softmax_loss,
    .softmax = softmax,
    .backward_data = backward_data,
    .backward_weights = backward_weights,
    .sgd_row = sgd_row,
    .sgd_sample = sgd_sample,
};
