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

#include "compute/activation.h"
#include "compute/elementary.h"
#include "compute/reference.h"

#define ENGINE_NAME PASTE_ALL(PASTE_ALL(gi_reference_, REAL), PASTE_ALL(_, LEVEL))

typedef REAL real;

/* Tells the compiler what the invariants say: a whole number of vectors, on a cache line. */
#define WHOLE(n)   ((n) / GI_PAD * GI_PAD)
#define ALIGNED(p) __builtin_assume_aligned(p, GI_PAD * 4)

/* ---- Vectors -------------------------------------------------------------------------------- */

/*
 * y (n) += sum_k x_k rows[index_k], the rows `stride` apart: the non-zeros of x times a matrix.
 */
static void accumulate(real *restrict y_, const real *restrict rows, size_t stride_, size_t n_,
                       const uint32_t *restrict index, const real *restrict x, size_t n_nonzero)
{
    real *restrict y = ALIGNED(y_);
    const size_t n = WHOLE(n_), stride = WHOLE(stride_);
    size_t k = 0;
    for (; k + 4 <= n_nonzero; k += 4) { /* four rows for each load and store of y */
        const real x0 = x[k], x1 = x[k + 1], x2 = x[k + 2], x3 = x[k + 3];
        const real *restrict r0 = ALIGNED(rows + index[k] * stride);
        const real *restrict r1 = ALIGNED(rows + index[k + 1] * stride);
        const real *restrict r2 = ALIGNED(rows + index[k + 2] * stride);
        const real *restrict r3 = ALIGNED(rows + index[k + 3] * stride);
        for (size_t c = 0; c < n; c++)
            y[c] = (((y[c] + x0 * r0[c]) + x1 * r1[c]) + x2 * r2[c]) + x3 * r3[c];
    }
    for (; k < n_nonzero; k++) {
        const real xk = x[k];
        const real *restrict r = ALIGNED(rows + index[k] * stride);
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

/* sums[j] += rows[j] . d for four rows at once: four sums in flight hide the latency of adding. */
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
    sums[0] += s0;
    sums[1] += s1;
    sums[2] += s2;
    sums[3] += s3;
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

void REFERENCE(load_row)(void *dst_, glia_type type, const void *src, size_t n, double divisor)
{
    real *restrict dst = dst_;
    const real scale = (real)(1 / divisor);
    if (type == GLIA_TYPE_U8) {
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
    if (type == GLIA_TYPE_U8) {
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

void REFERENCE(load_pairs)(gi_sparse *dst, const gi_pairs *src, size_t n, double divisor)
{
    const real scale = (real)(1 / divisor);
    real *value = dst->value;
    const size_t n_blocks = gi_sparse_blocks(n);
    size_t count = 0;
    for (size_t k = 0; k < src->n; k++) {
        dst->index[count] = src->index[k];
        value[count] = (real)src->value[k] * scale;
        count += src->value[k] != 0;
    }
    dst->n = count;
    if (!dst->end) return;
    memset(dst->end, 0, n_blocks * sizeof *dst->end); /* how many each block has, then added up */
    for (size_t k = 0; k < count; k++) dst->end[dst->index[k] / GI_SPARSE_BLOCK]++;
    for (size_t b = 1; b < n_blocks; b++) dst->end[b] += dst->end[b - 1];
}

/* ---- Activations, see activation.h --------------------------------------------------------- */

#define X(name, traits, low, high, f, gradient, slope)                                             \
    static inline real name##_of(real z)                                                           \
    {                                                                                              \
        return f;                                                                                  \
    }                                                                                              \
    static inline real name##_slope(real a)                                                        \
    {                                                                                              \
        (void)a;                                                                                   \
        return slope;                                                                              \
    }
GI_ACTIVATIONS(X)
#undef X

void REFERENCE(activate)(glia_activation f, real *row, size_t n_out, size_t begin, size_t end)
{
    real *restrict z = ALIGNED(row + begin);
    const size_t ld = end - begin;
    switch (f) {
#define X(name, ...)                                                                               \
    case GLIA_ACTIVATION_##name:                                                                   \
        for (size_t c = 0; c < WHOLE(ld); c++) z[c] = name##_of(z[c]);                             \
        break;
        GI_ACTIVATIONS(X)
#undef X
    case GLIA_ACTIVATION_SOFTMAX:
        break;
    }
    for (size_t c = n_out > begin ? n_out : begin; c < end; c++) row[c] = 0;
}

/* f'(z) as a function of a = f(z); units.c has those that are none. */
static inline real derivative(glia_activation f, real a)
{
    switch (f) {
#define X(name, ...)                                                                               \
    case GLIA_ACTIVATION_##name:                                                                   \
        return name##_slope(a);
        GI_ACTIVATIONS(X)
#undef X
    case GLIA_ACTIVATION_SOFTMAX: /* the loss has it */
        break;
    }
    return 1;
}

void REFERENCE(derive)(glia_activation f, const real *a, real *delta, size_t n)
{
    for (size_t i = 0; i < n; i++) delta[i] *= derivative(f, a[i]);
}

/* ---- A layer, forward and backward ---------------------------------------------------------- */

/* (1), (2): units begin..end of a = f(x W + b) of one sample, given by its non-zeros */
static void forward_list(const gi_layer *layer, const gi_sparse *x, real *a, size_t begin,
                         size_t end)
{
    memcpy(a + begin, (real *)layer->bias + begin, (end - begin) * sizeof(real));
    for (size_t u = begin, n; u < end; u += n) {
        n = gi_panel_part(u, end);
        accumulate(a + u, (real *)layer->weight + gi_weight_offset(layer, 0, u),
                   gi_panel_width(layer, u), n, x->index, x->value, x->n);
    }
    REFERENCE(activate)(layer->activation, a, layer->n_out, begin, end);
}

static void forward(const gi_layer *layer, const void *src, void *dst, size_t m, size_t begin,
                    size_t end, gi_scratch *scratch)
{
    const real *x = src; /* (m, gi_stride(n_in)) */
    real *a = dst;       /* (m, gi_stride(n_out)) */
    for (size_t r = 0; r < m; r++) {
        list_nonzeros(&scratch->list, x + r * gi_stride(layer->n_in), 1, layer->n_in);
        forward_list(layer, &scratch->list, a + r * gi_stride(layer->n_out), begin, end);
    }
}

/* sums[j] = W_i[j] . delta for four inputs i */
static void dot_rows(const gi_layer *layer, const uint32_t i[4], const real *delta, real sums[4])
{
    for (int j = 0; j < 4; j++) sums[j] = 0;
    for (size_t u = 0; u < layer->ld; u += GI_PANEL) {
        const size_t width = gi_panel_width(layer, u);
        const real *w = (real *)layer->weight + gi_weight_offset(layer, 0, u);
        const real *const rows[4] = {w + i[0] * width, w + i[1] * width, w + i[2] * width,
                                     w + i[3] * width};
        dot4(rows, delta + u, width, sums);
    }
}

/* (8): delta_in = (delta_out W^T) * f'(z_in), of a batch */
static void backward_data(const gi_layer *layer, const void *diff_dst, glia_activation f,
                          const void *src, void *diff_src, size_t m, size_t begin, size_t end,
                          gi_scratch *scratch)
{
    (void)scratch;
    for (size_t r = 0; r < m; r++) {
        const real *delta_out = (const real *)diff_dst + r * gi_stride(layer->n_out);
        const real *a = (const real *)src + r * gi_stride(layer->n_in);
        real *delta_in = (real *)diff_src + r * gi_stride(layer->n_in);
        for (size_t i = begin; i < end; i += 4) {
            const uint32_t here = (uint32_t)i;
            dot_rows(layer, (const uint32_t[4]){here, here + 1, here + 2, here + 3}, delta_out,
                     delta_in + i);
        }
        REFERENCE(derive)(f, a + begin, delta_in + begin, end - begin);
    }
}

/* (7): dJ/dW_i = sum_r x_ri delta_r, over the samples r whose input i is not zero */
static void backward_weights(const gi_layer *layer, size_t layer_index, const void *src,
                             const void *diff_dst, size_t m, const gi_part *part,
                             const gi_row_update *update, gi_scratch *scratch)
{
    const real *x = src; /* (m, gi_stride(n_in)) */
    const size_t stride = gi_stride(layer->n_out);
    const gi_sparse *list = &scratch->list;
    real *gradient = scratch->block;
    for (size_t i = part->row_begin; i < part->row_end; i++) {
        const bool is_bias = i == layer->n_in;
        if (!is_bias) {
            list_nonzeros(&scratch->list, x + i, gi_stride(layer->n_in), m);
            if (list->n == 0 && update->skips_zero) continue;
        }
        for (size_t u = part->unit_begin, n; u < part->unit_end; u += n) {
            const real *delta = (const real *)diff_dst + u; /* (m, n) */
            n = gi_panel_part(u, part->unit_end);
            memset(gradient, 0, n * sizeof(real));
            if (is_bias)
                for (size_t r = 0; r < m; r++) add_scaled(gradient, 1, delta + r * stride, n);
            else
                accumulate(gradient, delta, stride, n, list->index, list->value, list->n);
            real *w = is_bias ? (real *)layer->bias + u
                              : (real *)layer->weight + gi_weight_offset(layer, i, u);
            update->apply(update, layer_index, i, u, w, gradient, n);
        }
    }
}

void REFERENCE(sgd_row)(const gi_row_update *update, size_t layer, size_t row, size_t unit,
                        void *weight, const void *gradient, size_t n)
{
    (void)layer, (void)row, (void)unit;
    add_scaled(weight, -(real)update->rate, gradient, n);
}

/* ---- Per-sample SGD ------------------------------------------------------------------------- */

/* (9) of one input i: W_i <- W_i + factor delta, with factor = -rate a_i */
static void update_row(const gi_layer *layer, size_t i, real factor, const real *delta)
{
    for (size_t u = 0; u < layer->ld; u += GI_PANEL)
        add_scaled((real *)layer->weight + gi_weight_offset(layer, i, u), factor, delta + u,
                   gi_panel_width(layer, u));
}

/*
 * (8) and (9) in one pass over the rows of W: delta_in_i = (W_i . delta) f'(z_i), and at once,
 * while the row is in cache, W_i <- W_i - rate a_i delta. Rows of relus that are off are passed
 * over: where a_i = 0, so is f', and neither changes anything.
 */
static void backward_and_update(const gi_layer *layer, const real *delta, real rate,
                                glia_activation f, const real *a, real *delta_in, gi_sparse *active)
{
    const size_t n_in = layer->n_in, ld_in = gi_padded(n_in);
    if (f == GLIA_ACTIVATION_RELU) {
        list_nonzeros(active, a, 1, n_in);
    } else {
        active->n = n_in;
        for (size_t i = 0; i < n_in; i++) active->index[i] = (uint32_t)i;
    }
    for (size_t i = 0; i < ld_in; i++) delta_in[i] = 0;
    for (size_t k = 0; k < active->n; k += 4) {
        /* past the end: the first one again, computed but not used */
        uint32_t i[4];
        const size_t here = active->n - k < 4 ? active->n - k : 4;
        for (size_t j = 0; j < 4; j++) i[j] = active->index[j < here ? k + j : k];
        real sums[4];
        dot_rows(layer, i, delta, sums);
        for (size_t j = 0; j < here; j++) {
            delta_in[i[j]] = sums[j] * derivative(f, a[i[j]]);
            update_row(layer, i[j], -rate * a[i[j]], delta);
        }
    }
}

/* (9) of the first layer, of the inputs that are not 0: W <- W - rate x^T delta, by panels. */
static void update_list(const gi_layer *layer, const gi_sparse *x, real rate, const real *delta)
{
    const real *value = x->value;
    for (size_t u = 0; u < layer->ld; u += GI_PANEL) {
        const size_t width = gi_panel_width(layer, u);
        real *w = (real *)layer->weight + gi_weight_offset(layer, 0, u);
        for (size_t k = 0; k < x->n; k++)
            add_scaled(w + x->index[k] * width, -rate * value[k], delta + u, width);
    }
}

/*
 * The step of docs/reading.md, by the equations of docs/math.md. a[l] and delta[l] are (ld) of
 * layer l, counted from 0; of the last layer they are one buffer, in which the loss puts delta for
 * z.
 */
double REFERENCE(sgd_sample)(const gi_layer *layers, size_t n_layers, const gi_sparse *x,
                             const gi_loss *how, double rate, void *const *a, void *const *delta,
                             gi_scratch *scratch, size_t *correct)
{
    const size_t last = n_layers - 1;

    /* Forward, (1) and (2): a = f(x W + b) */
    forward_list(&layers[0], x, a[0], 0, layers[0].ld);
    for (size_t l = 1; l <= last; l++)
        forward(&layers[l], a[l - 1], a[l], 1, 0, layers[l].ld, scratch);

    /* The loss, (4), and its gradient, (6): delta = p - y */
    double loss;
    *correct = REFERENCE(loss)(delta[last], layers[last].n_out, how, &loss, 1);

    /* Backward, (8), and the update, (9): first the layer below reads W, then W changes */
    for (size_t l = last; l > 0; l--) {
        backward_and_update(&layers[l], delta[l], (real)rate, layers[l - 1].activation, a[l - 1],
                            delta[l - 1], &scratch->list);
        add_scaled(layers[l].bias, -(real)rate, delta[l], layers[l].ld);
    }
    update_list(&layers[0], x, (real)rate, delta[0]);
    add_scaled(layers[0].bias, -(real)rate, delta[0], layers[0].ld);
    return loss;
}

extern const gi_engine ENGINE_NAME;
const gi_engine ENGINE_NAME = {
    .name = "reference",
    .isa = TEXT_OF(LEVEL),
    .element_bytes = sizeof(real),
    .load_row = REFERENCE(load_row),
    .load_sparse = load_sparse,
    .load_pairs = REFERENCE(load_pairs),
    .forward = forward,
    .loss = REFERENCE(loss),
    .outputs = REFERENCE(outputs),
    .backward_data = backward_data,
    .backward_weights = backward_weights,
    .sgd_row = REFERENCE(sgd_row),
    .optimize_row = REFERENCE(optimize_row),
    .follow = REFERENCE(follow),
    .sum_squares = REFERENCE(sum_squares),
    .scale_columns = REFERENCE(scale_columns),
    .units_forward = REFERENCE(units_forward),
    .units_backward = REFERENCE(units_backward),
    .draw_keeps = REFERENCE(draw_keeps),
    .standardise = REFERENCE(standardise),
    .add_noise = REFERENCE(add_noise),
    .sgd_sample = REFERENCE(sgd_sample),
};
