/* SPDX-License-Identifier: MIT */
/*
 * Philox4x32-10 (base/random.h), 16 blocks at a time, for kernels that draw a number for each
 * element.
 */
#ifndef GLIA_COMPUTE_PHILOX_H
#define GLIA_COMPUTE_PHILOX_H

#include <string.h>

#include "base/random.h"

#ifdef __SSE2__
#include <immintrin.h>
#endif

enum { GI_PHILOX_BLOCKS = 16, GI_PHILOX_HALVES = 8 * GI_PHILOX_BLOCKS };

/* Words of some blocks, in a vector of GCC's and clang's extension; the same as pairs of them. */
#if defined __AVX512F__
enum { GI_PHILOX_LANES = 16 };
#elif defined __AVX2__
enum { GI_PHILOX_LANES = 8 };
#else
enum { GI_PHILOX_LANES = 4 };
#endif
typedef uint32_t gi_philox_words __attribute__((vector_size(4 * GI_PHILOX_LANES)));
typedef uint64_t gi_philox_pairs __attribute__((vector_size(4 * GI_PHILOX_LANES)));

/* The products, 64 bits each, of the even words: compilers do not find the instruction. */
static inline gi_philox_pairs gi_philox_multiply_even(gi_philox_pairs a, gi_philox_pairs b)
{
#if defined __AVX512F__
    return (gi_philox_pairs)_mm512_mul_epu32((__m512i)a, (__m512i)b);
#elif defined __AVX2__
    return (gi_philox_pairs)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif defined __SSE2__
    return (gi_philox_pairs)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
    return (a & 0xffffffff) * (b & 0xffffffff);
#endif
}

/* The lower and the upper halves of the products of all words with a factor. */
static inline void gi_philox_multiply(gi_philox_words a, uint32_t factor, gi_philox_words *low,
                                      gi_philox_words *high)
{
    /* As pairs: on a machine whose bytes are in the other order, "even" is the other word. */
    const gi_philox_pairs b = (gi_philox_pairs){0} + factor;
    const gi_philox_pairs upper = (gi_philox_pairs){0} + UINT64_C(0xffffffff00000000);
    const gi_philox_pairs even = gi_philox_multiply_even((gi_philox_pairs)a, b);
    const gi_philox_pairs odd = gi_philox_multiply_even((gi_philox_pairs)a >> 32, b);
    *low = (gi_philox_words)((even & ~upper) | odd << 32);
    *high = (gi_philox_words)(even >> 32 | (odd & upper));
}

/* out[word][k]: of block first + k of the stream. */
static inline void gi_philox_blocks(const gi_rng *stream, uint32_t first,
                                    uint32_t out[4][GI_PHILOX_BLOCKS])
{
    for (uint32_t k = 0; k < GI_PHILOX_BLOCKS; k += GI_PHILOX_LANES) {
        gi_philox_words c0, c1 = (gi_philox_words){0} + stream->counter[1];
        gi_philox_words c2 = (gi_philox_words){0} + stream->counter[2];
        gi_philox_words c3 = (gi_philox_words){0} + stream->counter[3];
        for (uint32_t l = 0; l < GI_PHILOX_LANES; l++) c0[l] = first + k + l;
        uint32_t k0 = stream->key[0], k1 = stream->key[1];
        for (int round = 0; round < 10; round++) {
            gi_philox_words low0, high0, low1, high1;
            gi_philox_multiply(c0, 0xD2511F53, &low0, &high0);
            gi_philox_multiply(c2, 0xCD9E8D57, &low1, &high1);
            c0 = high1 ^ c1 ^ k0;
            c1 = low1;
            c2 = high0 ^ c3 ^ k1;
            c3 = low0;
            k0 += 0x9E3779B9;
            k1 += 0xBB67AE85;
        }
        memcpy(&out[0][k], &c0, sizeof c0);
        memcpy(&out[1][k], &c1, sizeof c1);
        memcpy(&out[2][k], &c2, sizeof c2);
        memcpy(&out[3][k], &c3, sizeof c3);
    }
}

/*
 * 128 numbers of 16 bits, the block-th of the stream: number 32 w + k is the lower half of word w
 * of block k, number 32 w + 16 + k the upper one.
 */
static inline void gi_philox_halves(const gi_rng *stream, uint32_t block,
                                    uint16_t out[GI_PHILOX_HALVES])
{
    uint32_t words[4][GI_PHILOX_BLOCKS];
    gi_philox_blocks(stream, block * GI_PHILOX_BLOCKS, words);
    for (size_t w = 0; w < 4; w++)
        for (size_t k = 0; k < GI_PHILOX_BLOCKS; k++) {
            out[32 * w + k] = (uint16_t)words[w][k];
            out[32 * w + 16 + k] = (uint16_t)(words[w][k] >> 16);
        }
}

#endif
