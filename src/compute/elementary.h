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

#include "compute/level.h"

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

static inline float sqrt_float(float x)
{
    return sqrtf(x);
}

static inline double sqrt_double(double x)
{
    return sqrt(x);
}

/*
 * Phi(x), the integral of the normal distribution, by erf (Abramowitz and Stegun 1964, 7.1.26);
 * absolute error below 1e-7 or so.
 */
static inline float gaussian_integral_float(float x)
{
    const float y = fabsf(x) * 0.70710678F, t = 1.0F / (1.0F + 0.3275911F * y);
    float p = 1.061405429F;
    p = p * t - 1.453152027F;
    p = p * t + 1.421413741F;
    p = p * t - 0.284496736F;
    p = p * t + 0.254829592F;
    const float half_tail = 0.5F * p * t * exp_float(-y * y); /* of the side of x */
    return x < 0 ? half_tail : 1.0F - half_tail;
}

static inline double gaussian_integral_double(double x)
{
    return 0.5 * erfc(-x * 0.70710678118654752440);
}

/*
 * The normal number below which a part u of all lie, 0 < u < 1: sqrt(2) erf^-1(2 u - 1), by Giles
 * 2012, "Approximating the erfinv function", table 5. w = -log(4 u (1 - u)) is taken from the
 * exponent and a polynomial (Cephes' logf), so that loops vectorise.
 */
static inline float normal_float(float u)
{
    const float x = 2.0F * u - 1.0F, q = 4.0F * u * (1.0F - u);
    uint32_t bits;
    memcpy(&bits, &q, sizeof bits);
    const uint32_t shifted =
        bits - 0x3F3504F3; /* of sqrt(1/2): the mantissa is within sqrt(2) of 1 */
    const float exponent = (float)((int32_t)shifted >> 23);
    bits -= shifted & 0xFF800000;
    float m;
    memcpy(&m, &bits, sizeof m);
    m -= 1.0F;
    float l = 7.0376836292e-2F;
    l = l * m - 1.1514610310e-1F;
    l = l * m + 1.1676998740e-1F;
    l = l * m - 1.2420140846e-1F;
    l = l * m + 1.4249322787e-1F;
    l = l * m - 1.6668057665e-1F;
    l = l * m + 2.0000714765e-1F;
    l = l * m - 2.4999993993e-1F;
    l = l * m + 3.3333331174e-1F;
    const float w = -(l * m * m * m - 0.5F * m * m + m + exponent * 0.69314718F);
    const float a = w - 2.5F, b = sqrtf(w < 0 ? 0 : w) - 3.0F;
    float p = 2.81022636e-08F, r = -0.000200214257F;
    p = p * a + 3.43273939e-07F;
    p = p * a - 3.5233877e-06F;
    p = p * a - 4.39150654e-06F;
    p = p * a + 0.00021858087F;
    p = p * a - 0.00125372503F;
    p = p * a - 0.00417768164F;
    p = p * a + 0.246640727F;
    p = p * a + 1.50140941F;
    r = r * b + 0.000100950558F;
    r = r * b + 0.00134934322F;
    r = r * b - 0.00367342844F;
    r = r * b + 0.00573950773F;
    r = r * b - 0.0076224613F;
    r = r * b + 0.00943887047F;
    r = r * b + 1.00167406F;
    r = r * b + 2.83297682F;
    return 1.41421356F * x * (w < 5.0F ? p : r);
}

static inline double normal_double(double u)
{
    return (double)normal_float((float)u); /* noise has no finer numbers */
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

/* For the elements of a file, which has REAL: float or double. */
#define EXP(x)               PASTE_ALL(exp_, REAL)(x)
#define LOG(x)               PASTE_ALL(log_, REAL)(x)
#define TANH(x)              PASTE_ALL(tanh_, REAL)(x)
#define SQRT(x)              PASTE_ALL(sqrt_, REAL)(x)
#define NORMAL(x)            PASTE_ALL(normal_, REAL)(x)
#define GAUSSIAN_INTEGRAL(x) PASTE_ALL(gaussian_integral_, REAL)(x)

#endif
