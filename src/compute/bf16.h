/* SPDX-License-Identifier: MIT */
/* bf16, the upper 16 bits of a float: inline, so that the loops that call them are vectorised. */
#ifndef GLIA_COMPUTE_BF16_H
#define GLIA_COMPUTE_BF16_H

#include <stdint.h>
#include <string.h>

/* The float nearest to x whose lower 16 bits are zero, as bits: ties to even, a NaN stays one. */
static inline uint32_t gi_rounded_to_bf16(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    const uint32_t even = bits + 0x7fff + ((bits >> 16) & 1);
    return (x == x ? even : bits | 0x400000) & 0xffff0000;
}

static inline uint16_t gi_to_bf16(float x)
{
    return (uint16_t)(gi_rounded_to_bf16(x) >> 16);
}

static inline float gi_of_bf16(uint16_t x)
{
    const uint32_t bits = (uint32_t)x << 16;
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

#endif
