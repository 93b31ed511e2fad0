/* SPDX-License-Identifier: MIT */
/*
 * What units do with their sums before the next layer reads them, forward beside backward: batch
 * normalisation, the activation, dropout. Compiled for each element type and level of instruction
 * set, as reference.c is, for all engines: these loops are a small part of a step.
 *
 * They go panel by panel of up to GI_PANEL units, whose rows stay in L1 from the first pass over
 * them to the last. Invariants: every sum is made by one thread, in the order of the rows; pads
 * stay zero.
 */
#include <math.h>
#include <string.h>

#include "compute/activation.h"
#include "compute/bf16.h"
#include "compute/elementary.h"
#include "compute/philox.h"
#include "compute/reference.h"

#define WHOLE(n) ((n) / GI_PAD * GI_PAD)

typedef REAL real;
typedef real panel_row[GI_PANEL] __attribute__((aligned(64)));

/* ---- Rows ---------------------------------------------------------------------------------- */

/* n elements of a row of a, or of its gradient, which may be bf16; n is a multiple of GI_PAD. */
static void load(const gi_units *u, const void *matrix, size_t r, size_t unit, real *to, size_t n)
{
    const size_t at = r * u->row + unit;
    if (u->in_bf16)
        for (size_t c = 0; c < WHOLE(n); c++)
            to[c] = (real)gi_of_bf16(((const uint16_t *)matrix)[at + c]);
    else
        memcpy(to, (const real *)matrix + at, n * sizeof(real));
}

static void store(const gi_units *u, void *matrix, size_t r, size_t unit, const real *from,
                  size_t n)
{
    const size_t at = r * u->row + unit;
    if (u->in_bf16)
        for (size_t c = 0; c < WHOLE(n); c++)
            ((uint16_t *)matrix)[at + c] = gi_to_bf16((float)from[c]);
    else
        memcpy((real *)matrix + at, from, n * sizeof(real));
}

/* ---- Dropout -------------------------------------------------------------------------------- */

/* Srivastava et al. 2014, scaled in training ("inverted"): what is kept is 1 / (1 - p) as large. */
void REFERENCE(draw_keeps)(uint8_t *keeps, const gi_rng *stream, size_t begin, size_t n, double p)
{
    const uint16_t threshold = (uint16_t)(p * 65536 + 0.5 < 65535 ? p * 65536 + 0.5 : 65535);
    uint16_t numbers[GI_PHILOX_HALVES];
    for (size_t i = begin; i < begin + n;) {
        const size_t skipped = i % GI_PHILOX_HALVES, left = begin + n - i;
        const size_t here = left < GI_PHILOX_HALVES - skipped ? left : GI_PHILOX_HALVES - skipped;
        gi_philox_halves(stream, (uint32_t)(i / GI_PHILOX_HALVES), numbers);
        for (size_t k = 0; k < here; k++) keeps[i - begin + k] = numbers[skipped + k] >= threshold;
        i += here;
    }
}

static gi_rng dropout_stream(const gi_units *u, size_t r)
{
    return gi_rng_make(u->seed, GI_RANDOM_DROPOUT, u->epoch,
                       (uint64_t)(u->first + r) * GLIA_MAX_LAYERS + u->index);
}

/* y (n) *= 1 / (1 - p) where kept, else 0: of a, and of its gradient. */
static void drop(const gi_units *u, const uint8_t *keeps, real *y, size_t n)
{
    const real kept = (real)(1 / (1 - u->dropout));
    for (size_t c = 0; c < WHOLE(n); c++) y[c] = keeps[c] ? y[c] * kept : 0;
}

void REFERENCE(standardise)(void *x_, size_t n, const double *mean, const double *scale,
                            size_t period)
{
    real *x = x_;
    for (size_t i = 0; i < n; i += period)
        for (size_t k = 0; k < period && i + k < n; k++)
            x[i + k] = (real)(((double)x[i + k] - mean[k]) / scale[k]);
}

void REFERENCE(add_noise)(void *x_, const gi_rng *stream, size_t n, double sd)
{
    real *x = x_;
    uint32_t words[4][GI_PHILOX_BLOCKS];
    for (size_t i = 0, block = 0; i < n; block++) {
        gi_philox_blocks(stream, (uint32_t)(block * GI_PHILOX_BLOCKS), words);
        for (size_t w = 0; w < 4 && i < n; w++, i += GI_PHILOX_BLOCKS) {
            real noise[GI_PHILOX_BLOCKS];
            for (size_t k = 0; k < GI_PHILOX_BLOCKS; k++) /* with 24 bits some would round to 1 */
                noise[k] = NORMAL(((real)(words[w][k] >> 9) + (real)0.5) * (real)0x1p-23);
            for (size_t k = 0; k < GI_PHILOX_BLOCKS && i + k < n; k++)
                x[i + k] += (real)sd * noise[k];
        }
    }
}

/* ---- Derivatives by z, see activation.h ------------------------------------------------------ */

#define X(name, traits, low, high, f, gradient, slope)                                             \
    static inline real name##_gradient(real z, real g)                                             \
    {                                                                                              \
        (void)z;                                                                                   \
        return gradient;                                                                           \
    }
GI_ACTIVATIONS(X)
#undef X

/* g (n) *= f'(z) */
static void derive_by_sum(glia_activation f, const real *restrict z, real *restrict g, size_t n_)
{
    const size_t n = WHOLE(n_);
    switch (f) {
#define X(name, ...)                                                                               \
    case GLIA_ACTIVATION_##name:                                                                   \
        for (size_t c = 0; c < n; c++) g[c] = name##_gradient(z[c], g[c]);                         \
        break;
        GI_ACTIVATIONS(X)
#undef X
    case GLIA_ACTIVATION_SOFTMAX:
        break;
    }
}

/* ---- Batch normalisation --------------------------------------------------------------------- */

/* Mean and variance of rows 0..m of units at..at + n. */
static void measure(const gi_units *u, size_t m, size_t at, size_t n, real *mean, real *variance)
{
    const size_t ld = gi_stride(u->layer->n_out);
    const real *z = (const real *)u->z + at;
    panel_row sum = {0}, squares = {0};
    for (size_t r = 0; r < m; r++)
        for (size_t c = 0; c < WHOLE(n); c++) sum[c] += z[r * ld + c];
    for (size_t c = 0; c < n; c++) mean[c] = sum[c] / (real)m;
    for (size_t r = 0; r < m; r++)
        for (size_t c = 0; c < WHOLE(n); c++) {
            const real d = z[r * ld + c] - mean[c];
            squares[c] += d * d;
        }
    for (size_t c = 0; c < n; c++) variance[c] = squares[c] / (real)m;
}

/* The layer's own follow them; the variance as it is estimated from m samples. */
static void follow(const gi_units *u, size_t m, size_t at, size_t n)
{
    const size_t ld = u->layer->ld;
    const real *mean = (const real *)u->measured + at, *variance = mean + ld;
    real *own_mean = (real *)u->layer->mean + at, *own_variance = (real *)u->layer->variance + at;
    const real part = (real)GI_NORM_FOLLOWS;
    const real estimate = m > 1 ? (real)m / (real)(m - 1) : 1;
    for (size_t c = 0; c < n && at + c < u->layer->n_out && m > 1; c++) {
        own_mean[c] += part * (mean[c] - own_mean[c]);
        own_variance[c] += part * (estimate * variance[c] - own_variance[c]);
    }
}

static void invert(const real *variance, real *inverse_sd, size_t n)
{
    for (size_t c = 0; c < n; c++) inverse_sd[c] = 1 / SQRT(variance[c] + (real)GI_NORM_EPSILON);
}

/* y = scale z_hat + shift, of a row of z_hat */
static void scale_and_shift(const gi_units *u, size_t at, const real *z_hat, real *y, size_t n)
{
    const real *scale = (const real *)u->layer->scale + at;
    const real *shift = (const real *)u->layer->shift + at;
    for (size_t c = 0; c < WHOLE(n); c++) y[c] = scale[c] * z_hat[c] + shift[c];
}

void REFERENCE(units_forward)(const gi_units *u, void *a, size_t row_begin, size_t row_end,
                              size_t begin, size_t end)
{
    const gi_layer *layer = u->layer;
    const size_t ld = gi_stride(layer->n_out);
    const bool drops = u->for_training && u->dropout > 0;
    for (size_t r = row_begin; r < row_end && drops; r++) {
        const gi_rng stream = dropout_stream(u, r);
        REFERENCE(draw_keeps)
        (u->keeps + r * layer->ld + begin, &stream, begin, end - begin, u->dropout);
    }
    for (size_t at = begin, n; at < end; at += n) {
        n = gi_panel_part(at, end);
        panel_row inverse_sd;
        const real *mean = NULL;
        if (layer->scale) {
            real *measured = u->for_training ? (real *)u->measured + at : NULL;
            if (u->for_training) measure(u, row_end, at, n, measured, measured + layer->ld);
            mean = u->for_training ? measured : (const real *)layer->mean + at;
            invert(u->for_training ? measured + layer->ld : (const real *)layer->variance + at,
                   inverse_sd, n);
        }
        const size_t used = layer->n_out > at ? layer->n_out - at : 0;
        for (size_t r = row_begin; r < row_end; r++) {
            real *z = (real *)u->z + r * ld + at;
            panel_row y;
            if (layer->scale) {
                for (size_t c = 0; c < WHOLE(n); c++) z[c] = (z[c] - mean[c]) * inverse_sd[c];
                scale_and_shift(u, at, z, y, n);
            } else {
                memcpy(y, z, n * sizeof(real));
            }
            REFERENCE(activate)(layer->activation, y, used < n ? used : n, 0, n);
            if (drops) drop(u, u->keeps + r * layer->ld + at, y, n);
            store(u, a, r, at, y, n);
        }
    }
}

/* g = dJ/dy of row r, from dJ/da in diff */
static void gradient_row(const gi_units *u, const void *diff, size_t r, size_t at, size_t n,
                         real *g)
{
    const gi_layer *layer = u->layer;
    const real *z = (const real *)u->z + r * gi_stride(layer->n_out) + at;
    load(u, diff, r, at, g, n);
    if (u->dropout > 0 && u->for_training) drop(u, u->keeps + r * layer->ld + at, g, n);
    if (layer->scale) {
        panel_row y;
        scale_and_shift(u, at, z, y, n);
        derive_by_sum(layer->activation, y, g, n);
    } else {
        derive_by_sum(layer->activation, z, g, n);
    }
}

/*
 * With g = dJ/dy: dscale = sum_r g z_hat, dshift = sum_r g, and
 * dJ/dz = scale / sd (g - dshift / m - z_hat dscale / m)   (Ioffe and Szegedy 2015, section 3,
 * gathered).
 */
void REFERENCE(units_backward)(const gi_units *u, void *diff, void *gradient, size_t row_begin,
                               size_t row_end, size_t begin, size_t end)
{
    const gi_layer *layer = u->layer;
    const size_t ld = gi_stride(layer->n_out);
    for (size_t at = begin, n; at < end; at += n) {
        n = gi_panel_part(at, end);
        panel_row g, dscale = {0}, dshift = {0}, factor;
        const real *scale = layer->scale ? (const real *)layer->scale + at : NULL;
        panel_row inverse_sd;
        if (scale && !u->for_training) { /* mean and variance are constants */
            invert((const real *)layer->variance + at, inverse_sd, n);
            for (size_t c = 0; c < n; c++) factor[c] = scale[c] * inverse_sd[c];
        } else if (scale) {
            const real per_row = 1 / (real)row_end;
            for (size_t r = row_begin; r < row_end; r++) {
                const real *z_hat = (const real *)u->z + r * ld + at;
                gradient_row(u, diff, r, at, n, g);
                for (size_t c = 0; c < WHOLE(n); c++) dscale[c] += g[c] * z_hat[c];
                for (size_t c = 0; c < WHOLE(n); c++) dshift[c] += g[c];
            }
            memcpy((real *)gradient + at, dscale, n * sizeof(real));
            memcpy((real *)gradient + layer->ld + at, dshift, n * sizeof(real));
            invert((const real *)u->measured + layer->ld + at, inverse_sd, n);
            follow(u, row_end, at, n);
            for (size_t c = 0; c < n; c++) {
                factor[c] = scale[c] * inverse_sd[c];
                dscale[c] *= per_row;
                dshift[c] *= per_row;
            }
        }
        for (size_t r = row_begin; r < row_end; r++) {
            gradient_row(u, diff, r, at, n, g);
            if (layer->scale) {
                const real *z_hat = (const real *)u->z + r * ld + at;
                for (size_t c = 0; c < WHOLE(n); c++)
                    g[c] = factor[c] * (g[c] - dshift[c] - z_hat[c] * dscale[c]);
            }
            store(u, diff, r, at, g, n);
        }
    }
}
