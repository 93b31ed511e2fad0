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
#include "feed/row.h"
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

/* Every way of running a network of an engine's type and level: call with 0, 1, ... until false. */
static inline bool get_plan(const gi_engine *reference, const glia_network *network, size_t index,
                            gi_plan *plan)
{
    const gi_engine *native = gi_engine_native(reference);
    const size_t n_engines = native ? 3 : 1; /* reference, native, native that skips zeros */
    if (index >= n_engines * 2 * 3) return false;
    *plan = (gi_plan){.engine = index % n_engines ? native : reference,
                      .sparse = index % n_engines == 2,
                      .threads = 1 + (int)(index / n_engines % 3),
                      .n_by_units = index / n_engines / 3 ? network->n_layers - 1 : 0,
                      .staged = gi_plan_staged(network->layers, network->n_layers, 0, false)};
    return true;
}

/* A step by all threads of a pool. */
struct step {
    glia_network *network;
    const gi_plan *plan;
    gi_workspace *w;
    const gi_row_update *update;
    gi_pool *pool;
    gi_scratch *scratch; /* (threads) */
};

static inline void step_task(void *context, int thread, int n_threads)
{
    const struct step *s = context;
    const gi_crew crew = {s->pool, thread, n_threads, &s->scratch[thread]};
    gi_step_forward(s->network, s->plan, s->w, s->w->rows, &crew);
    gi_step_backward(s->network, s->plan, s->w, s->w->rows, &crew);
    gi_pool_barrier(s->pool);
    gi_step_update(s->network, s->plan, s->w, s->w->rows, s->update, &crew);
}

static inline void forward_task(void *context, int thread, int n_threads)
{
    const struct step *s = context;
    const gi_crew crew = {s->pool, thread, n_threads, &s->scratch[thread]};
    gi_step_forward(s->network, s->plan, s->w, s->w->rows, &crew);
}

static inline void run_step(glia_network *network, const gi_plan *plan, gi_workspace *w,
                            const gi_row_update *update)
{
    gi_scratch scratch[3];
    struct step step = {network, plan, w, update, NULL, scratch};
    assert_int_equal(gi_pool_create(plan->threads, &step.pool, NULL), GLIA_OK);
    for (int t = 0; t < plan->threads; t++)
        assert_int_equal(gi_scratch_new(network, w->rows, &scratch[t], NULL), GLIA_OK);
    gi_pool_run(step.pool, step_task, &step);
    for (int t = 0; t < plan->threads; t++) gi_scratch_free(&scratch[t]);
    gi_pool_free(step.pool);
}

/* Where a parameter lies: the weight from an input, or with input n_in + GI_ROW_... a vector's. */
static inline void *parameter_at(const gi_layer *layer, size_t element_bytes, size_t row,
                                 size_t unit)
{
    return row >= layer->n_in
               ? (char *)layer->bias + ((row - layer->n_in) * layer->ld + unit) * element_bytes
               : (char *)layer->weight + gi_weight_offset(layer, row, unit) * element_bytes;
}

#endif
