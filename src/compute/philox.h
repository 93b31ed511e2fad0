/* SPDX-License-Identifier: MIT */
/*
 * Philox4x32-10 (base/random.h), 16 blocks at a time, for kernels that draw a number for each
 * element: plain loops that a compiler vectorises.
 */
#ifndef GLIA_COMPUTE_PHILOX_H
#define GLIA_COMPUTE_PHILOX_H

#include "base/random.h"

enum { GI_PHILOX_BLOCKS = 16, GI_PHILOX_HALVES = 8 * GI_PHILOX_BLOCKS };

/* out[word][k]: of block first + k of the stream. */
static inline void gi_philox_blocks(const gi_rng *stream, uint32_t first,
                                    uint32_t out[4][GI_PHILOX_BLOCKS])
{
    enum { N = GI_PHILOX_BLOCKS };
    uint32_t c0[N], c1[N], c2[N], c3[N];
    for (uint32_t k = 0; k < N; k++) {
        c0[k] = first + k;
        c1[k] = stream->counter[1];
        c2[k] = stream->counter[2];
        c3[k] = stream->counter[3];
    }
    uint32_t k0 = stream->key[0], k1 = stream->key[1];
    for (int round = 0; round < 10; round++) {
        for (size_t k = 0; k < N; k++) {
            const uint64_t p0 = (uint64_t)c0[k] * UINT64_C(0xD2511F53);
            const uint64_t p1 = (uint64_t)c2[k] * UINT64_C(0xCD9E8D57);
            c0[k] = (uint32_t)(p1 >> 32) ^ c1[k] ^ k0;
            c1[k] = (uint32_t)p1;
            c2[k] = (uint32_t)(p0 >> 32) ^ c3[k] ^ k1;
            c3[k] = (uint32_t)p0;
        }
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
    for (size_t k = 0; k < N; k++) {
        out[0][k] = c0[k];
        out[1][k] = c1[k];
        out[2][k] = c2[k];
        out[3][k] = c3[k];
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
