/* SPDX-License-Identifier: MIT */
/* What the numeric tests share: networks with given shapes, in float or double, on every level. */
#ifndef GLIA_TESTS_NUMERIC_H
#define GLIA_TESTS_NUMERIC_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "net/workspace.h"

/* Runs a test for every level of instruction set that this CPU has; names those that it lacks. */
typedef void level_test(const gi_engine *f32, const gi_engine *f64);

static inline void on_every_level(level_test *test)
{
    static const char *const levels[] = {"baseline", "avx2", "avx512"};
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        const gi_engine *f32 = gi_engine_reference(sizeof(float), levels[i]);
        const gi_engine *f64 = gi_engine_reference(sizeof(double), levels[i]);
        if (f32 && f64)
            test(f32, f64);
        else
            print_message("# %s: this CPU lacks it\n", levels[i]);
    }
}

static inline double element(const gi_engine *engine, const void *array, size_t i)
{
    return engine->element_bytes == sizeof(float) ? (double)((const float *)array)[i]
                                                  : ((const double *)array)[i];
}

static inline void set_element(const gi_engine *engine, void *array, size_t i, double value)
{
    if (engine->element_bytes == sizeof(float))
        ((float *)array)[i] = (float)value;
    else
        ((double *)array)[i] = value;
}

/* A network inputs -> hidden... -> classes with one activation for all hidden layers. */
static inline glia_network *make_network(const gi_engine *engine, size_t inputs, size_t n_hidden,
                                         const size_t *hidden, glia_activation activation,
                                         size_t classes)
{
    glia_activation activations[GLIA_MAX_LAYERS];
    for (size_t l = 0; l < n_hidden; l++) activations[l] = activation;
    glia_network *network = NULL;
    glia_error error;
    if (gi_network_new(inputs, n_hidden, hidden, activations, classes, engine, &network, &error))
        fail_msg("%s", error.message);
    return network;
}

#endif
