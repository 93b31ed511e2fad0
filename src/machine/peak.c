/* SPDX-License-Identifier: MIT */
/*
 * The loops of peak.h for one level of instruction set (LEVEL; see src/meson.build), written in
 * vectors of the level's width: bf16 products where the compiler is told that there are any
 * (__AVX512BF16__), otherwise f32.
 *
 * Invariant: the sums are as many as hide the latency of a multiply-add on every unit (two units of
 * 4 or 5 cycles; four on some ARM), and few enough that they, the factor and the term all stay in
 * registers: nothing in the loop touches memory.
 */
#include "machine/peak.h"

#ifdef __AVX512BF16__
#include <immintrin.h>
#endif

#include "compute/level.h"

/* X(k) for each sum: named variables, since an array need not end up in registers. */
#define TWELVE(X)      X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define TWELVE_MORE(X) X(12) X(13) X(14) X(15) X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23)
#if defined(__AVX512F__) || defined(__aarch64__) /* 32 registers */
enum { N_SUMS = 24 };
#define EACH(X) TWELVE(X) TWELVE_MORE(X)
#else /* 16 */
enum { N_SUMS = 12 };
#define EACH(X) TWELVE(X)
#endif

#ifdef __AVX512F__
enum { VECTOR_BYTES = 64 };
#elif defined(__AVX__)
enum { VECTOR_BYTES = 32 };
#else
enum { VECTOR_BYTES = 16 };
#endif
enum { LANES = VECTOR_BYTES / sizeof(float) };
typedef float vector __attribute__((vector_size(VECTOR_BYTES)));

static float sum_of(vector v)
{
    float sum = 0;
    for (size_t lane = 0; lane < LANES; lane++) sum += v[lane];
    return sum;
}

#ifdef __AVX512BF16__

/* A factor and a term of every lane, two products each. */
enum { FLOP = N_SUMS * LANES * 2 * 2 };

/* s_k = s_k + x x + x x; the sums grow by 2 x^2 a round. */
static float multiply_add(size_t rounds, float factor)
{
    const __m512 wide = _mm512_set1_ps(factor);
    const __m512bh x = _mm512_cvtne2ps_pbh(wide, wide);
#define BEGIN(k) __m512 s##k = _mm512_set1_ps((float)(k));
#define STEP(k)  s##k = _mm512_dpbf16_ps(s##k, x, x);
#define SUM(k)   total += (vector)s##k;
    EACH(BEGIN)
    for (size_t round = 0; round < rounds; round++) {
        EACH(STEP)
    }
    vector total = {0};
    EACH(SUM)
    return sum_of(total);
}

#else

enum { FLOP = N_SUMS * LANES * 2 };

/* s_k = s_k x + 1, which goes to 1 / (1 - x). */
static float multiply_add(size_t rounds, float factor)
{
    const vector x = factor + (vector){0}, one = 1 + (vector){0};
#define BEGIN(k) vector s##k = (float)(k) + (vector){0};
#define STEP(k)  s##k = s##k * x + one;
#define SUM(k)   total += s##k;
    EACH(BEGIN)
    for (size_t round = 0; round < rounds; round++) {
        EACH(STEP)
    }
    vector total = {0};
    EACH(SUM)
    return sum_of(total);
}

static void triad(float *restrict a, const float *restrict b, const float *restrict c, float s,
                  size_t n)
{
    for (size_t i = 0; i < n; i++) a[i] = b[i] + s * c[i];
}

#endif

const gi_peak PASTE_ALL(gi_peak_, LEVEL) = {
    .isa = TEXT_OF(LEVEL),
    .flop = FLOP,
    .multiply_add = multiply_add,
#ifndef __AVX512BF16__
    .triad = triad,
#endif
};
