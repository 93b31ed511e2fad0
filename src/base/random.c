/* SPDX-License-Identifier: MIT */
/* Philox4x32-10 and the distributions that glia draws from. */
#include "base/random.h"

#include <math.h>

void gi_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        const uint64_t p0 = UINT64_C(0xD2511F53) * c0;
        const uint64_t p1 = UINT64_C(0xCD9E8D57) * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9; /* Weyl sequences: the golden ratio and sqrt(3) - 1 */
        k1 += 0xBB67AE85;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

gi_rng gi_rng_make(uint64_t seed, enum gi_purpose purpose, uint32_t epoch, uint64_t index)
{
    return (gi_rng){
        .key = {(uint32_t)seed, (uint32_t)(seed >> 32)},
        .counter = {0, (uint32_t)index, epoch, (uint32_t)purpose | (uint32_t)(index >> 32 << 8)},
        .used = 4,
    };
}

uint32_t gi_rng_u32(gi_rng *rng)
{
    if (rng->used == 4) {
        gi_philox4x32(rng->counter, rng->key, rng->block);
        rng->counter[0]++;
        rng->used = 0;
    }
    return rng->block[rng->used++];
}

float gi_rng_uniform(gi_rng *rng)
{
    return (float)(gi_rng_u32(rng) >> 8) * 0x1p-24F;
}

uint32_t gi_rng_below(gi_rng *rng, uint32_t bound)
{
    uint64_t product = (uint64_t)gi_rng_u32(rng) * bound;
    if ((uint32_t)product < bound) {
        const uint32_t reject_below = (uint32_t)-bound % bound; /* 2^32 mod bound */
        while ((uint32_t)product < reject_below) product = (uint64_t)gi_rng_u32(rng) * bound;
    }
    return (uint32_t)(product >> 32);
}

void gi_shuffle(uint32_t *numbers, size_t n, gi_rng *rng)
{
    for (size_t i = n; i > 1; i--) {
        const size_t j = gi_rng_below(rng, (uint32_t)i);
        const uint32_t swapped = numbers[i - 1];
        numbers[i - 1] = numbers[j];
        numbers[j] = swapped;
    }
}

float gi_rng_normal(gi_rng *rng)
{
    const float u = 1 - gi_rng_uniform(rng); /* (0, 1]: its logarithm is finite */
    const float v = gi_rng_uniform(rng);
    return sqrtf(-2 * logf(u)) * cosf(6.28318530717958647692F * v);
}
