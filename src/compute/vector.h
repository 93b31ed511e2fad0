/* SPDX-License-Identifier: MIT */
/*
 * Vectors of LANES floats, GCC's and clang's extension, at the level of instruction set that a
 * kernel is compiled for.
 */
#ifndef GLIA_COMPUTE_VECTOR_H
#define GLIA_COMPUTE_VECTOR_H

#ifdef __SSE2__
#include <immintrin.h>
#endif

#if defined __AVX512F__
enum { LANES = 16 };
#elif defined __AVX2__
enum { LANES = 8 };
#else
enum { LANES = 4 };
#endif

typedef float vector __attribute__((vector_size(4 * LANES)));

#define INLINE static inline __attribute__((always_inline))

INLINE vector spread(float x)
{
    return x - (vector){0};
}

/* x * y + z, rounded once where the level can: said outright, so that no compiler has the choice */
INLINE vector multiply_add(vector x, vector y, vector z)
{
#if defined __AVX512F__
    return _mm512_fmadd_ps(x, y, z);
#elif defined __FMA__
    return _mm256_fmadd_ps(x, y, z);
#else
    return x * y + z;
#endif
}

#endif
