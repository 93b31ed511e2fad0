/* SPDX-License-Identifier: MIT */
/*
 * Loops that do nothing but what a machine is measured by: multiply-adds in registers, and a triad
 * over memory. peak.c is compiled once for each level of instruction set; machine.c times it.
 */
#ifndef GLIA_MACHINE_PEAK_H
#define GLIA_MACHINE_PEAK_H

#include <stddef.h>

typedef struct gi_peak {
    const char *isa;
    double flop; /* of one round of multiply_add: a product and a sum are 2 */

    /*
     * Rounds of independent multiply-adds. What it returns depends on all of them, so a compiler
     * can leave none out; with factor 0.5, say, every number in it stays ordinary.
     */
    float (*multiply_add)(size_t rounds, float factor);

    /* a (n) = b (n) + s c (n). NULL of a level that exists for its products alone. */
    void (*triad)(float *a, const float *b, const float *c, float s, size_t n);
} gi_peak;

#endif
