/* SPDX-License-Identifier: MIT */
/*
 * exp and tanh for the reference kernels, as inline functions without branches, so that the
 * compiler vectorises loops that call them, and so that the same bits come from every libm.
 * In double, which only checks gradients, they are libm's.
 */
#ifndef GLIA_COMPUTE_ELEMENTARY_H
#define GLIA_COMPUTE_ELEMENTARY_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/*
 * e^x = 2^n e^r, n = round(x / ln 2), |r| <= ln 2 / 2 by Cody and Waite's two-part subtraction,
 * e^r by the polynomial of Cephes' expf (Moshier 1989). Error below 1 ulp or so; below -87.3 it
 * gives e^-87.3 (1e-38, not denormal), above 88 infinity, and NaN for NaN.
 */
static inline float exp_float(float x)
{
    const float clamped = x < -87.3F ? -87.3F : x > 88.0F ? 88.0F : x;
    /* Adding 1.5 * 2^23 rounds to an integer, which is then in the low bits. */
    const float shifted = clamped * 1.44269504F + 12582912.0F;
    const float n = shifted - 12582912.0F;
    const float r = (clamped - n * 0.693359375F) - n * -2.12194440e-4F;
    float p = 1.9875691500e-4F;
    p = p * r + 1.3981999507e-3F;
    p = p * r + 8.3334519073e-3F;
    p = p * r + 4.1665795894e-2F;
    p = p * r + 1.6666665459e-1F;
    p = p * r + 5.0000001201e-1F;
    p = p * r * r + r + 1.0F;
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + 127) << 23; /* the exponent field of 2^n; 12582912's own bits shift out */
    float power;
    memcpy(&power, &bits, sizeof power);
    const float result = p * power;
    return x > 88.0F ? HUGE_VALF : x == x ? result : x;
}

/*
 * tanh x = x + x^3 P(x^2) for |x| < 0.625 (Cephes' tanhf), else +-(1 - 2 / (e^{2|x|} + 1)).
 */
static inline float tanh_float(float x)
{
    const float s = x * x;
    float p = -5.70498872745e-3F;
    p = p * s + 2.06390887954e-2F;
    p = p * s - 5.37397155531e-2F;
    p = p * s + 1.33314422036e-1F;
    p = p * s - 3.33332819422e-1F;
    const float small = p * s * x + x;
    const float magnitude = fabsf(x);
    const float large = 1.0F - 2.0F / (exp_float(2.0F * magnitude) + 1.0F);
    return magnitude < 0.625F ? small : copysignf(large, x);
}

static inline float log_float(float x)
{
    return logf(x);
}

static inline double log_double(double x)
{
    return log(x);
}

static inline double exp_double(double x)
{
    return exp(x);
}

static inline double tanh_double(double x)
{
    return tanh(x);
}

#endif
