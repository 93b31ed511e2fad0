/* SPDX-License-Identifier: MIT */
/*
 * What moves numbers between layouts and between f32 and bf16 (a float's upper 16 bits, rounded to
 * nearest even), for the engines that multiply packed matrices. Compiled once for each level of
 * instruction set, as reference.c is.
 */
#ifndef GLIA_COMPUTE_PACK_H
#define GLIA_COMPUTE_PACK_H

#include "base/status.h"

typedef struct gi_pack {
    const char *isa; /* "baseline", "avx2", "avx512" */

    /* dst (n) = src (n) */
    void (*to_bf16)(uint16_t *dst, const float *src, size_t n);

    /* dst (gi_padded(n)) = src (n) / divisor, pads zero. */
    void (*load_row_bf16)(uint16_t *dst, glia_type type, const void *src, size_t n, double divisor);

    /* dst (columns, ld_dst) = src (rows, ld_src)^T, of elements of 2 or 4 bytes. */
    void (*transpose16)(void *dst, size_t ld_dst, const void *src, size_t ld_src, size_t rows,
                        size_t columns);
    void (*transpose32)(void *dst, size_t ld_dst, const void *src, size_t ld_src, size_t rows,
                        size_t columns);

    /*
     * dst (rows / 2, width, 2) = src (rows, ld) in bf16, rows in pairs, as instructions that sum
     * pairs of products want them; an odd last row is paired with zeros.
     */
    void (*pair_rows)(uint16_t *dst, const uint16_t *src, size_t ld, size_t rows, size_t width);
    void (*pair_rows_f32)(uint16_t *dst, const float *src, size_t ld, size_t rows, size_t width);

    /*
     * dst (columns / 2, rows, 2) = src (rows / 2, columns, 2)^T: paired by rows, then by columns.
     * rows and columns are multiples of 16.
     */
    void (*transpose_pairs)(uint16_t *dst, size_t ld_dst, const uint16_t *src, size_t ld_src,
                            size_t rows, size_t columns);

    /* sums (width) = the sum of src's rows, src (rows, ld). */
    void (*sum_rows)(float *sums, const uint16_t *src, size_t ld, size_t rows, size_t width);
    void (*sum_rows_f32)(float *sums, const float *src, size_t ld, size_t rows, size_t width);

    /*
     * dst (rows, ld) = gradient (rows, width) * f'(z), where a (rows, ld) = f(z); width is a
     * multiple of 16.
     */
    void (*derive)(uint16_t *dst, size_t ld, glia_activation f, const uint16_t *a,
                   const float *gradient, size_t rows, size_t width);
    void (*derive_f32)(float *dst, size_t ld, glia_activation f, const float *a,
                       const float *gradient, size_t rows, size_t width);
} gi_pack;

/* The one for a level of instruction set, NULL being the best that this CPU has; NULL if none. */
const gi_pack *gi_pack_for(const char *isa);

#endif
