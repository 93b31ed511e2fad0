/* SPDX-License-Identifier: MIT */
/*
 * What the reference engine shares with the native one of the same level of instruction set. Both
 * are compiled with -DLEVEL=..., the reference with -DREAL=... too.
 */
#ifndef GLIA_COMPUTE_REFERENCE_H
#define GLIA_COMPUTE_REFERENCE_H

#include "compute/engine.h"
#include "compute/level.h"

/* gi_reference_softmax_float_avx2, say. */
#define REFERENCE(name) PASTE_ALL(PASTE_ALL(gi_reference_##name##_, REAL), PASTE_ALL(_, LEVEL))

/* a = f(z), in place, of units begin..end; pads back to zero. Softmax is left to the loss. */
void REFERENCE(activate)(glia_activation f, REAL *row, size_t n_out, size_t begin, size_t end);

/* delta (n) *= f'(z), by a = f(z) */
void REFERENCE(derive)(glia_activation f, const REAL *a, REAL *delta, size_t n);

/* As in gi_engine: */
void REFERENCE(load_row)(void *dst, glia_type type, const void *src, size_t n, double divisor);
void REFERENCE(load_pairs)(gi_sparse *dst, const gi_pairs *src, size_t n, double divisor);
size_t REFERENCE(loss)(void *z, size_t n, const gi_loss *how, double *loss, size_t m); /* loss.c */
void REFERENCE(outputs)(const void *z, size_t n, glia_loss kind, const double *mean,
                        const double *scale, float *out, size_t m);
void REFERENCE(sgd_row)(const gi_row_update *update, size_t layer, size_t row, size_t unit,
                        void *weight, const void *gradient, size_t n);
void REFERENCE(optimize_row)(const gi_row_update *update, size_t layer, size_t row, size_t unit,
                             void *weight, const void *gradient, size_t n); /* update.c */
void REFERENCE(follow)(void *average, const void *now, double part, size_t n);
void REFERENCE(sum_squares)(const void *rows, size_t n_rows, size_t n, double *sums);
void REFERENCE(scale_columns)(void *rows, size_t n_rows, size_t n, const double *factors);
void REFERENCE(units_forward)(const gi_units *units, void *a, size_t row_begin, size_t row_end,
                              size_t begin, size_t end); /* units.c */
void REFERENCE(units_backward)(const gi_units *units, void *diff, void *gradient, size_t row_begin,
                               size_t row_end, size_t begin, size_t end);
void REFERENCE(draw_keeps)(uint8_t *keeps, const gi_rng *stream, size_t begin, size_t n, double p);
void REFERENCE(standardise)(void *x, size_t n, const double *mean, const double *scale,
                            size_t period);
void REFERENCE(add_noise)(void *x, const gi_rng *stream, size_t n, double sd);
double REFERENCE(sgd_sample)(const gi_layer *layers, size_t n_layers, const gi_sparse *x,
                             const gi_loss *how, double rate, void *const *activations,
                             void *const *diffs, gi_scratch *scratch, size_t *correct);

#endif
