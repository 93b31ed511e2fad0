/* SPDX-License-Identifier: MIT */
/*
 * The one list of activations: what each computes, and what else is asked about it. Their names are
 * glia.h's; equation (2) of docs/math.md has the same table. docs/reading.md says how to add one.
 */
#ifndef GLIA_COMPUTE_ACTIVATION_H
#define GLIA_COMPUTE_ACTIVATION_H

#include <math.h>

#include "base/status.h"

/* What is true of some: */
enum {
    GI_RECTIFIER = 1, /* about half of the sums pass: the first weights are He's, see init.c */
    GI_BY_SUM = 2,    /* f'(z) is no function of a = f(z): z is kept, and the last column unused */
    GI_IN_ONEDNN = 4  /* oneDNN's products apply it, see onednn.c */
};

/*
 * X(NAME, traits, low, high, f(z), g f'(z), f'(z) by a = f(z)): low and high are the ends near
 * which a unit learns nothing, infinite where there is none. The formulas are C, for the files that
 * have `real`, EXP, TANH, ...: z, g and a are real, and so are the results. The gradient g is in
 * the formula so that a relu can choose it or 0, where a product would make NaN of an infinity.
 */
/* clang-format off */
#define GI_ACTIVATIONS(X)                                                                          \
    X(SIGMOID, GI_IN_ONEDNN, 0, 1,                                                                 \
      SIGMA(z),                                                                                    \
      g * (SIGMA(z) * (1 - SIGMA(z))),                                                             \
      a * (1 - a))                                                                                 \
    X(TANH, GI_IN_ONEDNN, -1, 1,                                                                   \
      TANH(z),                                                                                     \
      g * (1 - TANH(z) * TANH(z)),                                                                 \
      1 - a * a)                                                                                   \
    X(RELU, GI_RECTIFIER | GI_IN_ONEDNN, 0, INFINITY,                                              \
      z < 0 ? 0 : z, /* max(z, 0), but NaN stays NaN, so that divergence is seen */                \
      z > 0 ? g : 0,                                                                               \
      a > 0 ? 1 : 0)                                                                               \
    X(IDENTITY, GI_IN_ONEDNN, -INFINITY, INFINITY,                                                 \
      z,                                                                                           \
      g,                                                                                           \
      1)                                                                                           \
    X(LEAKY_RELU, GI_RECTIFIER, -INFINITY, INFINITY,                                               \
      z < 0 ? (real)GI_LEAK * z : z,                                                               \
      g * (z > 0 ? 1 : (real)GI_LEAK),                                                             \
      a > 0 ? 1 : (real)GI_LEAK)                                                                   \
    X(ELU, GI_RECTIFIER, -INFINITY, INFINITY,                                                      \
      z < 0 ? EXP(z) - 1 : z,                                                                      \
      g * (z > 0 ? 1 : EXP(z)),                                                                    \
      a > 0 ? 1 : a + 1)                                                                           \
    X(GELU, GI_RECTIFIER | GI_BY_SUM, -INFINITY, INFINITY,                                         \
      z * GAUSSIAN_INTEGRAL(z),                                                                    \
      g * (GAUSSIAN_INTEGRAL(z) + z * (real)GI_GAUSSIAN_PEAK * EXP((real)-0.5 * z * z)),           \
      1)                                                                                           \
    X(SILU, GI_RECTIFIER | GI_BY_SUM, -INFINITY, INFINITY,                                         \
      z / (1 + EXP(-z)),                                                                           \
      g * (SIGMA(z) * (1 + z * (1 - SIGMA(z)))),                                                   \
      1)                                                                                           \
    X(SCALED_TANH, 0, -GI_TANH_HEIGHT, GI_TANH_HEIGHT,                                             \
      (real)GI_TANH_HEIGHT * TANH(z * (real)GI_TANH_SLOPE),                                        \
      g * ((real)(GI_TANH_HEIGHT * GI_TANH_SLOPE) *                                                \
           (1 - TANH(z * (real)GI_TANH_SLOPE) * TANH(z * (real)GI_TANH_SLOPE))),                   \
      (real)(GI_TANH_SLOPE / GI_TANH_HEIGHT) *                                                     \
          ((real)(GI_TANH_HEIGHT * GI_TANH_HEIGHT) - a * a))
/* clang-format on */

#define SIGMA(z)         (1 / (1 + EXP(-(z)))) /* the sigmoid */
#define GI_LEAK          0.01
#define GI_GAUSSIAN_PEAK 0.39894228040143267794 /* 1 / sqrt(2 pi) */
#define GI_TANH_HEIGHT   1.7159
#define GI_TANH_SLOPE    (2.0 / 3.0)

/* Whether f has a trait. */
bool gi_activation_is(glia_activation f, int trait);

#endif
