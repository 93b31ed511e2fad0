/* SPDX-License-Identifier: MIT */
/*
 * What the reference engine shares with the native one of the same level of instruction set. Both
 * are compiled with -DLEVEL=..., the reference with -DREAL=... too.
 */
#ifndef GLIA_COMPUTE_REFERENCE_H
#define GLIA_COMPUTE_REFERENCE_H

#include "compute/engine.h"

#define PASTE(a, b)     a##b
#define PASTE_ALL(a, b) PASTE(a, b)
#define TEXT(a)         #a
#define TEXT_OF(a)      TEXT(a)

/* gi_reference_softmax_float_avx2, say. */
#define REFERENCE(name) PASTE_ALL(PASTE_ALL(gi_reference_##name##_, REAL), PASTE_ALL(_, LEVEL))

/*
 * a = f(z), in place, of units begin..end; pads back to zero. Softmax is left to softmax_loss and
 * softmax.
 */
void REFERENCE(activate)(glia_activation f, REAL *row, size_t n_out, size_t begin, size_t end);

/* delta (n) *= f'(z), by a = f(z) */
void REFERENCE(derive)(glia_activation f, const REAL *a, REAL *delta, size_t n);

/* As in gi_engine: */
void REFERENCE(load_row)(void *dst, glia_type type, const void *src, size_t n, double divisor);
size_t REFERENCE(softmax_loss)(void *z, size_t n_classes, const uint32_t *labels, size_t batch_size,
                               double *loss, size_t m);
void REFERENCE(softmax)(const void *z, size_t n_classes, float *probabilities, size_t m);
void REFERENCE(sgd_row)(const gi_row_update *update, size_t layer, size_t row, size_t unit,
                        void *weight, const void *gradient, size_t n);
double REFERENCE(sgd_sample)(const gi_layer *layers, size_t n_layers, const gi_sparse *x,
                             uint32_t label, double rate, void *const *activations,
                             void *const *diffs, gi_scratch *scratch, bool *correct);

#endif
