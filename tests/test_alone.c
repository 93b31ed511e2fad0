/* SPDX-License-Identifier: MIT */
/*
 * The trainer's way of going on with one thread where a neighbour takes the processors: the same
 * bits as undisturbed, however often the others leave and come back, and an end of every kind of
 * run. Linked with --wrap for the clocks that the trainer looks at, which here say what the test
 * wants: time goes by, and the threads have none of it.
 */
#define _GNU_SOURCE /* CLOCK_MONOTONIC under --wrap */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/random.h"
#include "base/thread.h"
#include "config.h"
#include "glia.h"
#ifdef GLIA_HAS_ONEDNN
#include "compute/onednn.h"
#endif
#include "shape.h"
#include "whole.h"

/* ---- Clocks --------------------------------------------------------------------------------- */

int __real_clock_gettime(clockid_t clock, struct timespec *t);
double __real_gi_thread_seconds(void);
void __real_gi_pool_sleep(gi_pool *pool);
int __wrap_clock_gettime(clockid_t clock, struct timespec *t);
double __wrap_gi_thread_seconds(void);
void __wrap_gi_pool_sleep(gi_pool *pool);

static bool hindered;
static long ns_a_look;        /* how far each look moves the clock */
static atomic_long now_ns;    /* since the run began */
static atomic_int departures; /* of threads that left the steps to thread 0 */

int __wrap_clock_gettime(clockid_t clock, struct timespec *t)
{
    if (!hindered || clock != CLOCK_MONOTONIC) return __real_clock_gettime(clock, t);
    const long now = atomic_fetch_add(&now_ns, ns_a_look) + 1000000000L;
    *t = (struct timespec){now / 1000000000L, now % 1000000000L};
    return 0;
}

double __wrap_gi_thread_seconds(void)
{
    return hindered ? 1 : __real_gi_thread_seconds();
}

/* The pool itself is not linked through here: who calls is the trainer. */
void __wrap_gi_pool_sleep(gi_pool *pool)
{
    departures++;
    __real_gi_pool_sleep(pool);
}

/* ---- Runs ----------------------------------------------------------------------------------- */

enum { N = 1200, FEATURES = 200, CLASSES = 3, MAX_FLOATS = 1 << 17 };

typedef struct run {
    const char *name;
    size_t n_hidden, hidden[2];
    glia_type type;
    size_t every;               /* of so many features one is not zero */
    const char *plan, *sharing; /* words of the plan */
    glia_engine engine;
    glia_precision precision;
} run;

static const run runs[] = {
    {"by samples",
     1,
     {96},
     GLIA_TYPE_F32,
     1,
     "dense",
     "by samples",
     GLIA_ENGINE_AUTO,
     GLIA_PRECISION_F32},
    {"by units",
     2,
     {384, 96},
     GLIA_TYPE_F32,
     1,
     "dense",
     "by units",
     GLIA_ENGINE_AUTO,
     GLIA_PRECISION_F32},
    {"bytes", 1, {384}, GLIA_TYPE_U8, 1, "dense", "by units", GLIA_ENGINE_AUTO, GLIA_PRECISION_F32},
    {"sparse by samples",
     1,
     {96},
     GLIA_TYPE_U8,
     4,
     "skips",
     "by samples",
     GLIA_ENGINE_AUTO,
     GLIA_PRECISION_F32},
    {"sparse by units",
     2,
     {384, 96},
     GLIA_TYPE_F32,
     4,
     "skips",
     "by units",
     GLIA_ENGINE_AUTO,
     GLIA_PRECISION_F32},
    {"reference",
     2,
     {384, 96},
     GLIA_TYPE_F32,
     4,
     "plain",
     "by units",
     GLIA_ENGINE_REFERENCE,
     GLIA_PRECISION_F32},
#ifdef GLIA_HAS_ONEDNN
    {"oneDNN by samples",
     1,
     {96},
     GLIA_TYPE_F32,
     1,
     "oneDNN",
     "by samples",
     GLIA_ENGINE_ONEDNN,
     GLIA_PRECISION_F32},
    {"oneDNN by units",
     2,
     {384, 96},
     GLIA_TYPE_F32,
     1,
     "oneDNN",
     "by units",
     GLIA_ENGINE_ONEDNN,
     GLIA_PRECISION_F32},
    {"oneDNN bf16",
     2,
     {384, 96},
     GLIA_TYPE_F32,
     1,
     "oneDNN",
     "by units",
     GLIA_ENGINE_ONEDNN,
     GLIA_PRECISION_BF16},
#endif
};

static bool is_there(const run *r)
{
#ifdef GLIA_HAS_ONEDNN
    if (r->precision == GLIA_PRECISION_F32 || gi_onednn_has_bf16()) return true;
    print_message("# %s is skipped: this CPU lacks bf16\n", r->name);
    return false;
#else
    (void)r;
    return true;
#endif
}

static glia_dataset *make_data(const run *r)
{
    static float floats[N * FEATURES];
    static uint8_t bytes[N * FEATURES];
    static uint32_t labels[N];
    gi_rng rng = gi_rng_make(9, GI_RANDOM_INIT, 0, 0);
    for (size_t i = 0; i < N; i++) labels[i] = gi_rng_below(&rng, CLASSES);
    for (size_t i = 0; i < (size_t)N * FEATURES; i++) {
        floats[i] = i % r->every ? 0 : gi_rng_normal(&rng) + (float)labels[i / FEATURES];
        bytes[i] = (uint8_t)(i % r->every ? 0 : 1 + gi_rng_below(&rng, 255));
    }
    glia_dataset *dataset;
    const void *x = r->type == GLIA_TYPE_U8 ? (const void *)bytes : floats;
    assert_int_equal(
        glia_dataset_from_arrays(r->type, x, labels, N, FEATURES, CLASSES, &dataset, NULL),
        GLIA_OK);
    return dataset;
}

/* Calls of the progress function, and which of them says stop. */
typedef struct calls {
    size_t n, stop_at;
} calls;

static bool count(void *user, const glia_progress *p)
{
    calls *c = user;
    (void)p;
    return ++c->n != c->stop_at;
}

/* All parameters after a run, one after the other; returns how many. */
static size_t train(const run *r, const glia_dataset *dataset, int threads, double lr, calls *c,
                    glia_stop *stop, float *out)
{
    shape n = shape_of(FEATURES, CLASSES);
    n.n_hidden = r->n_hidden;
    n.hidden = r->hidden;
    n.activation = GLIA_ACTIVATION_TANH;
    glia_network *network;
    assert_int_equal(shape_network(&n, &network, NULL), GLIA_OK);
    glia_settings p = gi_settings_defaults();
    p.lr = lr;
    p.batch = 100;
    p.epochs = 2;
    p.threads = threads;
    p.engine = r->engine;
    p.precision = r->precision;
    p.progress = count;
    p.user = c;
    glia_train_result result;
    const glia_status status = glia_train(network, dataset, NULL, &p, &result, NULL);
    assert_true(status == GLIA_OK || status == GLIA_DIVERGED);
    if (!strstr(result.plan, r->plan) || (threads > 1 && !strstr(result.plan, r->sharing)))
        fail_msg("%s: the plan is \"%s\"", r->name, result.plan);
    assert_int_equal(result.threads, threads);
    *stop = result.stop;
    size_t at = 0;
    for (size_t l = 0; l <= r->n_hidden; l++) {
        const glia_layer_info layer = glia_network_layer(network, l);
        const size_t weights = layer.inputs * layer.units;
        assert_true(at + weights + layer.units <= MAX_FLOATS);
        assert_int_equal(whole_get_layer(network, l, out + at, out + at + weights, NULL), GLIA_OK);
        at += weights + layer.units;
    }
    glia_network_free(network);
    return at;
}

/* Looks at the clock that are near and far apart: the others are away for many steps, or for few.
 */
static const long looks_ns[] = {5000000, 7000000, 30000000, 300000000};
enum { N_LOOKS = sizeof looks_ns / sizeof *looks_ns };

static float expected[MAX_FLOATS], found[MAX_FLOATS];

/* A run undisturbed, and then the same hindered, with each clock; by two threads, and by three. */
static void check(const run *r, double lr, size_t stop_at, glia_stop end)
{
    glia_dataset *dataset = make_data(r);
    for (int threads = 2; threads <= 3; threads++) {
        calls c = {.stop_at = stop_at};
        glia_stop stop;
        const size_t n = train(r, dataset, threads, lr, &c, &stop, expected);
        assert_int_equal(stop, end);
        int departed = 0;
        for (size_t i = 0; i < (threads == 2 ? N_LOOKS : 1); i++) {
            calls d = {.stop_at = stop_at};
            ns_a_look = looks_ns[i];
            atomic_store(&now_ns, 0);
            atomic_store(&departures, 0);
            hindered = true;
            const size_t n_found = train(r, dataset, threads, lr, &d, &stop, found);
            hindered = false;
            departed += atomic_load(&departures);
            assert_int_equal(n_found, n);
            assert_int_equal(d.n, c.n);
            assert_int_equal(stop, end);
            for (size_t k = 0; k < n; k++)
                if (found[k] != expected[k])
                    fail_msg("%s, %d threads, %ld ns a look: parameter %zu is %.9g, expected %.9g",
                             r->name, threads, ns_a_look, k, (double)found[k], (double)expected[k]);
        }
        /* a run that diverges may be over before the clocks have said so */
        assert_true(departed > 0 || end == GLIA_STOP_DIVERGED);
    }
    glia_dataset_free(dataset);
}

static void test_same_bits_as_undisturbed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++)
        if (is_there(&runs[i])) check(&runs[i], 0.1, 0, GLIA_STOP_EPOCHS);
}

/* Wherever the others are when it stops, all threads come to the end. */
static void test_stops_while_alone(void **state)
{
    (void)state;
    for (size_t stop_at = 2; stop_at <= 4; stop_at++)
        for (size_t i = 0; i < 2; i++) check(&runs[i], 0.1, stop_at, GLIA_STOP_CANCELLED);
}

static void test_diverges_while_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) check(&runs[i], 1e38, 0, GLIA_STOP_DIVERGED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bits_as_undisturbed),
        cmocka_unit_test(test_stops_while_alone),
        cmocka_unit_test(test_diverges_while_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
