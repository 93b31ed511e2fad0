/* SPDX-License-Identifier: MIT */
/* What the files of the native engine share, at one level of instruction set (-DLEVEL=...). */
#ifndef GLIA_COMPUTE_NATIVE_H
#define GLIA_COMPUTE_NATIVE_H

#include <string.h>

#define REAL float
#include "compute/pack.h"
#include "compute/reference.h"
#include "compute/vector.h"

#define NATIVE(name) PASTE_ALL(gi_native_##name##_, LEVEL)

static inline size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* A batch as a layer reads it: one of the three. */
typedef struct batch {
    const float *floats;    /* (m, row) */
    const uint8_t *bytes;   /* (m, row), which stand for x * scale */
    const gi_sparse *lists; /* (m) */
    size_t row;
    float scale;
} batch;

/* dst's units begin..end of m rows = b */
static inline void start_with_bias(const gi_layer *layer, float *dst, size_t m, size_t begin,
                                   size_t end)
{
    const float *bias = layer->bias;
    for (size_t r = 0; r < m; r++)
        memcpy(dst + r * gi_stride(layer->n_out) + begin, bias + begin,
               (end - begin) * sizeof(float));
}

static inline void activate_rows(const gi_layer *layer, float *dst, size_t m, size_t begin,
                                 size_t end)
{
    for (size_t r = 0; r < m; r++) REFERENCE(activate)
    (layer->activation, dst + r * gi_stride(layer->n_out), layer->n_out, begin, end);
}

/* SGD adds -rate * gradient: a product can do that itself, and in several parts. */
static inline bool is_sgd(const gi_row_update *update)
{
    return update->apply == REFERENCE(sgd_row);
}

static inline void update_bias(const gi_layer *layer, size_t layer_index, const float *diff_dst,
                               size_t m, const gi_part *part, const gi_row_update *update,
                               float *gradient)
{
    if (part->row_begin > layer->n_in || part->row_end <= layer->n_in) return;
    for (size_t u = part->unit_begin; u < part->unit_end; u += LANES) {
        vector sum = {0};
        for (size_t r = 0; r < m; r++)
            sum += *(const vector *)(diff_dst + r * gi_stride(layer->n_out) + u);
        *(vector *)(gradient + u) = sum;
    }
    update->apply(update, layer_index, layer->n_in, part->unit_begin,
                  (float *)layer->bias + part->unit_begin, gradient + part->unit_begin,
                  part->unit_end - part->unit_begin);
}

/* ---- The first layer, where zeros are skipped (native_sparse.c) ------------------------------ */

void NATIVE(load_sparse)(gi_sparse *dst, glia_type type, const void *src, size_t n, double divisor);

/* Units begin..end of dst = f(x W + b), of m samples in lists or bytes. */
void NATIVE(forward_sparse)(const gi_layer *layer, const batch *x, float *dst, size_t m,
                            size_t begin, size_t end);

/* A part of dW and db, each row handed to update. */
void NATIVE(backward_sparse)(const gi_layer *layer, size_t layer_index, const batch *x,
                             const float *diff_dst, size_t m, const gi_part *part,
                             const gi_row_update *update, gi_scratch *scratch);

#endif
