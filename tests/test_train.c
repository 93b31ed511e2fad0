/* SPDX-License-Identifier: MIT */
/* Training: that it learns, that it repeats to the bit, and every way in which it can end. */
#include "numeric.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assert_error.h"
#include "config.h"
#ifdef GLIA_HAS_ONEDNN
#include "compute/onednn.h"
#endif
#include "shape.h"
#include "whole.h"

/* ---- Data made here ------------------------------------------------------------------------- */

enum { N = 600, FEATURES = 40, CLASSES = 3, MAX_FLOATS = 1 << 17 };

typedef struct samples {
    float x[N * FEATURES];
    uint32_t label[N];
    glia_dataset *dataset;
} samples;

/* Three overlapping clouds; of `every` features one is not zero. */
static void make_sparse_clouds(samples *s, uint64_t seed, size_t every)
{
    gi_rng rng = gi_rng_make(seed, GI_RANDOM_INIT, 0, 0);
    for (size_t i = 0; i < N; i++) {
        s->label[i] = gi_rng_below(&rng, CLASSES);
        for (size_t f = 0; f < FEATURES; f++)
            s->x[i * FEATURES + f] =
                f % every ? 0
                          : gi_rng_normal(&rng) + (f / every % CLASSES == s->label[i] ? 0.7F : 0);
    }
    assert_int_equal(glia_dataset_from_arrays(GLIA_TYPE_F32, s->x, s->label, N, FEATURES, CLASSES,
                                              &s->dataset, NULL),
                     GLIA_OK);
}

static void make_clouds(samples *s, uint64_t seed)
{
    make_sparse_clouds(s, seed, 2);
}

static glia_network *make(size_t inputs, size_t hidden, glia_activation activation, size_t classes,
                          uint64_t seed)
{
    shape p = shape_of(inputs, classes);
    p.hidden = &hidden;
    p.n_hidden = hidden ? 1 : 0;
    p.activation = activation;
    p.seed = seed;
    glia_network *network = NULL;
    assert_int_equal(shape_network(&p, &network, NULL), GLIA_OK);
    return network;
}

/* All parameters of a network, one after the other; returns how many. */
static size_t parameters_of(const glia_network *network, float *out)
{
    const glia_network_info info = glia_network_describe(network);
    size_t n = 0;
    for (size_t l = 0; l < info.layers; l++) {
        const glia_layer_info layer = glia_network_layer(network, l);
        const size_t weights = layer.inputs * layer.units;
        assert_true(n + weights + layer.units <= MAX_FLOATS);
        assert_int_equal(whole_get_layer(network, l, out + n, out + n + weights, NULL), GLIA_OK);
        n += weights + layer.units;
    }
    return n;
}

static bool same_parameters(const glia_network *a, const glia_network *b)
{
    static float x[MAX_FLOATS], y[MAX_FLOATS];
    const size_t n = parameters_of(a, x);
    assert_int_equal(parameters_of(b, y), n);
    return memcmp(x, y, n * sizeof *x) == 0;
}

/* ---- Rounding ------------------------------------------------------------------------------- */

/* How far two networks are apart, in parts of the first. */
static double gap_of(const glia_network *a, const glia_network *b)
{
    static float x[MAX_FLOATS], y[MAX_FLOATS];
    const size_t n = parameters_of(a, x);
    double difference = 0, size = 0;
    parameters_of(b, y);
    for (size_t i = 0; i < n; i++) {
        difference += pow((double)x[i] - (double)y[i], 2);
        size += pow((double)x[i], 2);
    }
    return sqrt(difference / size);
}

/* Adds a unit in the last place to every second weight of the first layer, from the first or the
 * second on. */
static void nudge(glia_network *network, size_t first)
{
    const glia_layer_info layer = glia_network_layer(network, 0);
    const size_t n = layer.inputs * layer.units;
    float *values = test_malloc((n + layer.units) * sizeof *values);
    assert_int_equal(whole_get_layer(network, 0, values, values + n, NULL), GLIA_OK);
    for (size_t i = first; i < n; i += 2) values[i] = nextafterf(values[i], INFINITY);
    assert_int_equal(whole_set_layer(network, 0, values, values + n, NULL), GLIA_OK);
    test_free(values);
}

/* samples: the first of them are learned from, one a step, at a rate that is too high for them. */
static glia_network *train_wildly(const samples *s, size_t n, size_t epochs, glia_engine engine,
                                  int nudged, double *loss)
{
    glia_dataset *data;
    assert_int_equal(
        glia_dataset_from_arrays(GLIA_TYPE_F32, s->x, s->label, n, FEATURES, CLASSES, &data, NULL),
        GLIA_OK);
    glia_network *network = make(FEATURES, 24, GLIA_ACTIVATION_TANH, CLASSES, 3);
    if (nudged > 0) nudge(network, (size_t)nudged - 1);
    glia_settings p = gi_settings_defaults();
    p.optimizer = GLIA_OPTIMIZER_ADAMW;
    p.lr = 0.059;
    p.batch = 1;
    p.dropout = 0.63;
    p.epochs = epochs;
    p.engine = engine;
    p.threads = 1;
    glia_train_result result;
    assert_int_equal(glia_train(network, data, NULL, &p, &result, NULL), GLIA_OK);
    *loss = result.train_loss;
    glia_dataset_free(data);
    return network;
}

/*
 * AdamW at a rate of 0.059, with dropout and a sample a step, multiplies the last bit: engines that
 * agree after a step are far apart after 400, and so is an engine from itself when its first
 * weights differ in their last bits. (In double the run is as far from both.)
 */
static void test_rounding_grows(void **state)
{
    (void)state;
    samples s;
    make_clouds(&s, 1);
    for (size_t n = 1; n <= 206; n += 205) {
        double losses[4];
        glia_network *run[4] = {
            train_wildly(&s, n, n == 1 ? 1 : 2, GLIA_ENGINE_REFERENCE, 0, &losses[0]),
            train_wildly(&s, n, n == 1 ? 1 : 2, GLIA_ENGINE_NATIVE, 0, &losses[1]),
            train_wildly(&s, n, n == 1 ? 1 : 2, GLIA_ENGINE_REFERENCE, 1, &losses[2]),
            train_wildly(&s, n, n == 1 ? 1 : 2, GLIA_ENGINE_REFERENCE, 2, &losses[3]),
        };
        const double engines = gap_of(run[0], run[1]);
        const double bits = fmax(gap_of(run[0], run[2]), gap_of(run[0], run[3]));
        print_message("# %zu samples: engines %.2g, last bits %.2g; losses %.4f %.4f %.4f %.4f\n",
                      n, engines, bits, losses[0], losses[1], losses[2], losses[3]);
        if (n == 1)
            assert_true(engines < 1e-6 && bits < 1e-6);
        else
            assert_true(bits > 1e-4 && engines < 10 * bits);
        for (size_t i = 0; i < 4; i++) glia_network_free(run[i]);
    }
    glia_dataset_free(s.dataset);
}

/* ---- That it learns ------------------------------------------------------------------------- */

static void test_learns_xor(void **state)
{
    (void)state;
    static const float x[] = {0, 0, 0, 1, 1, 0, 1, 1};
    static const uint32_t label[] = {0, 1, 1, 0};
    glia_dataset * xor ;
    assert_int_equal(glia_dataset_from_arrays(GLIA_TYPE_F32, x, label, 4, 2, 2, &xor, NULL),
                     GLIA_OK);
    for (size_t batch = 1; batch <= 4; batch += 3) {
        for (int f = GLIA_ACTIVATION_SIGMOID; f <= GLIA_ACTIVATION_RELU; f++) {
            glia_network *network = make(2, 16, (glia_activation)f, 2, 3);
            glia_settings p = gi_settings_defaults();
            p.batch = batch;
            p.lr = batch == 1 ? 0.1 : 0.5;
            p.epochs = 4000;
            glia_train_result result;
            assert_int_equal(glia_train(network, xor, NULL, &p, &result, NULL), GLIA_OK);
            assert_int_equal(result.stop, GLIA_STOP_EPOCHS);
            assert_int_equal(result.samples, 4 * p.epochs);
            glia_metrics metrics;
            uint64_t confusion[4];
            assert_int_equal(whole_evaluate(network, xor, 1, &metrics, confusion, NULL), GLIA_OK);
            if (!(metrics.accuracy == 1 && metrics.loss < 0.1))
                fail_msg("batch %zu, %s: loss %.3f, accuracy %.2f", batch,
                         glia_activation_name((glia_activation)f), metrics.loss, metrics.accuracy);
            assert_true(metrics.standard_error == 0 && metrics.samples == 4);
            assert_true(confusion[0] == 2 && confusion[1] == 0 && confusion[2] == 0 &&
                        confusion[3] == 2);
            glia_network_free(network);
        }
    }
    glia_dataset_free(xor);
}

/* Softmax regression by whole batches is gradient descent on a convex loss: it falls every time. */
static bool falls(void *user, const glia_progress *p)
{
    double *last = user;
    if (!p->epoch_end) return true;
    assert_true(p->train_loss < *last);
    *last = p->train_loss;
    return true;
}

static void test_gradient_descent_descends(void **state)
{
    (void)state;
    samples s;
    make_clouds(&s, 1);
    glia_network *network = make(FEATURES, 0, GLIA_ACTIVATION_RELU, CLASSES, 1);
    double last = INFINITY;
    glia_settings p = gi_settings_defaults();
    p.batch = 10 * N; /* more than there are: all */
    p.epochs = 60;
    p.progress = falls;
    p.user = &last;
    assert_int_equal(glia_train(network, s.dataset, NULL, &p, NULL, NULL), GLIA_OK);
    assert_true(last < 0.8);
    glia_network_free(network);
    glia_dataset_free(s.dataset);
}

/* ---- That it repeats ------------------------------------------------------------------------ */

typedef struct settings {
    size_t batch;
    int threads;
    uint64_t seed;
    double lr_end;
    glia_engine engine;
    bool deep; /* two hidden layers, shared out by units; else one, by samples */
    glia_precision precision;
} settings;

/* Whether this build and this CPU have it; if not, says what is left out. */
static bool has(glia_engine engine, glia_precision precision)
{
#ifdef GLIA_HAS_ONEDNN
    (void)engine;
    if (precision == GLIA_PRECISION_F32 || gi_onednn_has_bf16()) return true;
    print_message("# bf16 is skipped: this CPU lacks it\n");
    return false;
#else
    if (engine != GLIA_ENGINE_ONEDNN && precision == GLIA_PRECISION_F32) return true;
    print_message("# onednn %s is skipped: this build is without oneDNN\n",
                  glia_precision_name(precision));
    return false;
#endif
}

static glia_network *train_with(const samples *s, settings how)
{
    static const size_t hidden[2] = {768, 96};
    shape n = shape_of(FEATURES, CLASSES);
    n.n_hidden = how.deep ? 2 : 1;
    n.hidden = how.deep ? hidden : hidden + 1;
    n.activation = GLIA_ACTIVATION_TANH;
    glia_network *network = NULL;
    assert_int_equal(shape_network(&n, &network, NULL), GLIA_OK);
    glia_settings p = gi_settings_defaults();
    p.batch = how.batch;
    p.epochs = how.deep ? 1 : 3;
    p.threads = how.threads;
    p.seed = how.seed;
    p.lr_end = how.lr_end < 0 ? (double)NAN : how.lr_end;
    p.engine = how.engine;
    p.precision = how.precision;
    glia_train_result result;
    glia_error error;
    if (glia_train(network, s->dataset, NULL, &p, &result, &error)) fail_msg("%s", error.message);
    if (how.batch >= 100) { /* enough work to be shared */
        assert_int_equal(result.threads, how.threads);
        if (how.threads > 1)
            assert_non_null(strstr(result.plan, how.deep ? "by units" : "by samples"));
    }
    return network;
}

static void check_same_bits(const samples *s, settings how)
{
    glia_network *one = train_with(s, how);
    settings other_how = how;
    for (int threads = 1; threads <= 4; threads++) {
        other_how.threads = threads;
        glia_network *other = train_with(s, other_how);
        assert_true(same_parameters(one, other));
        glia_metrics a, b;
        assert_int_equal(whole_evaluate(one, s->dataset, 1, &a, NULL, NULL), GLIA_OK);
        assert_int_equal(whole_evaluate(other, s->dataset, threads, &b, NULL, NULL), GLIA_OK);
        assert_true(a.loss == b.loss && a.accuracy == b.accuracy);
        glia_network_free(other);
    }
    other_how.seed = how.seed + 1;
    glia_network *seeded = train_with(s, other_how);
    if (how.batch < N) assert_false(same_parameters(one, seeded));
    other_how = how;
    other_how.lr_end = 0.2;
    glia_network *constant = train_with(s, other_how);
    assert_true(same_parameters(one, constant)); /* falling from 0.2 to 0.2 */
    other_how.lr_end = 0;
    glia_network *falling = train_with(s, other_how);
    if (!how.deep || how.batch < N) assert_false(same_parameters(one, falling));
    glia_network_free(seeded);
    glia_network_free(constant);
    glia_network_free(falling);
    glia_network_free(one);
}

static void test_same_bits_for_any_threads(void **state)
{
    (void)state;
    static const size_t batches[] = {1, 7, 64, 100, N - 1, N}; /* the last batch may be of one */
    for (size_t every = 1; every <= 4; every += 3) {           /* dense, and skipping zeros */
        samples s;
        make_sparse_clouds(&s, 2, every);
        for (size_t i = 0; i < sizeof batches / sizeof batches[0]; i++)
            for (int deep = 0; deep < 2; deep++)
                check_same_bits(&s, (settings){batches[i], 1, 1, -1, GLIA_ENGINE_AUTO, deep,
                                               GLIA_PRECISION_F32});
        check_same_bits(&s,
                        (settings){64, 1, 1, -1, GLIA_ENGINE_REFERENCE, true, GLIA_PRECISION_F32});
        glia_dataset_free(s.dataset);
    }
}

/* The weights and biases of each layer, within a part of its largest weight. */
static void assert_near_parameters(const glia_network *expected, const glia_network *found,
                                   double tolerance, const settings *how)
{
    static float a[MAX_FLOATS], b[MAX_FLOATS];
    for (size_t l = 0; l < glia_network_describe(expected).layers; l++) {
        const glia_layer_info layer = glia_network_layer(expected, l);
        const size_t n = layer.inputs * layer.units;
        assert_int_equal(whole_get_layer(expected, l, a, a + n, NULL), GLIA_OK);
        assert_int_equal(whole_get_layer(found, l, b, b + n, NULL), GLIA_OK);
        double largest = 0, off = 0;
        for (size_t i = 0; i < n; i++) largest = fmax(largest, fabs((double)a[i]));
        for (size_t i = 0; i < n + layer.units; i++)
            off = fmax(off, fabs((double)a[i] - (double)b[i]));
        if (!(off <= tolerance * largest))
            fail_msg("%s %s, %s, layer %zu: off by %.3g of the largest weight, %.3g",
                     glia_engine_name(how->engine), glia_precision_name(how->precision),
                     how->deep ? "by units" : "by samples", l, off / largest, largest);
    }
}

/* More threads than a layer has inputs: those without a part must leave its bias alone. */
static void test_idle_threads_change_nothing(void **state)
{
    (void)state;
    samples s;
    make_clouds(&s, 3);
    static const size_t hidden[3] = {64, 2, 64};
    glia_network *network[2];
    for (int i = 0; i < 2; i++) {
        shape n = shape_of(FEATURES, CLASSES);
        n.n_hidden = 3;
        n.hidden = hidden;
        assert_int_equal(shape_network(&n, &network[i], NULL), GLIA_OK);
        glia_settings p = gi_settings_defaults();
        p.batch = N;
        p.threads = i ? 8 : 1;
        glia_train_result result;
        assert_int_equal(glia_train(network[i], s.dataset, NULL, &p, &result, NULL), GLIA_OK);
        assert_int_equal(result.threads, p.threads);
    }
    assert_true(same_parameters(network[0], network[1]));
    for (int i = 0; i < 2; i++) glia_network_free(network[i]);
    glia_dataset_free(s.dataset);
}

/*
 * From run to run. oneDNN picks its kernels by shape, which the sharing decides, and promises
 * nothing from one number of threads to another: there they agree but for rounding.
 */
static void test_same_bits_from_onednn(void **state)
{
    (void)state;
    if (!has(GLIA_ENGINE_ONEDNN, GLIA_PRECISION_F32)) skip();
    static const size_t batches[] = {7, 100, 257, N};
    size_t n_runs = 0, n_same = 0;
    samples s;
    make_clouds(&s, 2);
    for (int precision = GLIA_PRECISION_F32; precision <= GLIA_PRECISION_BF16; precision++) {
        if (!has(GLIA_ENGINE_ONEDNN, (glia_precision)precision)) continue;
        for (size_t way = 0; way < 2 * sizeof batches / sizeof *batches; way++) {
            settings how = {batches[way / 2],         1, 1, -1, GLIA_ENGINE_ONEDNN, way % 2,
                            (glia_precision)precision};
            glia_network *single = train_with(&s, how);
            for (how.threads = 1; how.threads <= 3; how.threads++, n_runs++) {
                glia_network *one = train_with(&s, how), *other = train_with(&s, how);
                assert_true(same_parameters(one, other));
                assert_near_parameters(single, one, precision == GLIA_PRECISION_F32 ? 1e-5 : 2e-2,
                                       &how);
                n_same += same_parameters(single, one);
                glia_network_free(one);
                glia_network_free(other);
            }
            glia_network_free(single);
        }
    }
    print_message("# %zu of %zu runs have the bits of one thread\n", n_same, n_runs);
    glia_dataset_free(s.dataset);
}

/* The engines sum in another order, so they agree but for rounding: that of f32, or of bf16. */
static void test_engines_agree(void **state)
{
    (void)state;
    static const struct {
        glia_engine engine;
        glia_precision precision;
        double tolerance;
    } others[] = {
        {GLIA_ENGINE_NATIVE, GLIA_PRECISION_F32, 1e-5},
        {GLIA_ENGINE_ONEDNN, GLIA_PRECISION_F32, 1e-5},
        {GLIA_ENGINE_ONEDNN, GLIA_PRECISION_BF16, 2e-2},
    };
    for (size_t every = 1; every <= 4; every += 3) {
        for (int deep = 0; deep < 2; deep++) {
            samples s;
            make_sparse_clouds(&s, 2, every);
            settings how = {32, 2, 1, -1, GLIA_ENGINE_REFERENCE, deep, GLIA_PRECISION_F32};
            glia_network *reference = train_with(&s, how);
            for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
                how.engine = others[i].engine;
                how.precision = others[i].precision;
                if (!has(how.engine, how.precision)) continue;
                glia_network *other = train_with(&s, how);
                assert_near_parameters(reference, other, others[i].tolerance, &how);
                glia_network_free(other);
            }
            glia_network_free(reference);
            glia_dataset_free(s.dataset);
        }
    }
}

typedef struct parallel {
    const samples *s;
    glia_network *network;
} parallel;

static void *train_in_thread(void *argument)
{
    parallel *p = argument;
    p->network =
        train_with(p->s, (settings){64, 2, 1, -1, GLIA_ENGINE_AUTO, false, GLIA_PRECISION_F32});
    return NULL;
}

static void test_networks_in_threads_do_not_meet(void **state)
{
    (void)state;
    samples s;
    make_clouds(&s, 3);
    glia_network *alone =
        train_with(&s, (settings){64, 2, 1, -1, GLIA_ENGINE_AUTO, false, GLIA_PRECISION_F32});
    pthread_t threads[3];
    parallel runs[3];
    for (int i = 0; i < 3; i++) {
        runs[i].s = &s; /* one data set, read by all */
        assert_int_equal(pthread_create(&threads[i], NULL, train_in_thread, &runs[i]), 0);
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
        assert_true(same_parameters(alone, runs[i].network));
        glia_network_free(runs[i].network);
    }
    glia_network_free(alone);
    glia_dataset_free(s.dataset);
}

/* ---- The rate ---------------------------------------------------------------------------------
 */

static bool stops_after(void *user, const glia_progress *p)
{
    const size_t *steps = user;
    return !(p->epoch_end && p->epoch == *steps);
}

/*
 * The first bias after so many steps of a run. The other class is so unlikely that its probability
 * is 0 in float, and it is the true one: dJ/db is then (1, -1) exactly, and each step lowers the
 * first bias by its rate.
 */
static float bias_after(size_t steps, size_t n_samples, const glia_settings *params)
{
    static const float x[2] = {0}, weight[2] = {0}, bias[2] = {200, -200};
    static const uint32_t label[2] = {1, 1};
    float weight_now[2], bias_now[2];
    glia_dataset *set;
    assert_int_equal(glia_dataset_from_arrays(GLIA_TYPE_F32, x, label, n_samples, 1, 2, &set, NULL),
                     GLIA_OK);
    glia_network *network = make(1, 0, GLIA_ACTIVATION_RELU, 2, 1);
    assert_int_equal(whole_set_layer(network, 0, weight, bias, NULL), GLIA_OK);
    glia_settings p = *params;
    p.batch = n_samples;
    p.progress = stops_after;
    p.user = &steps;
    assert_int_equal(glia_train(network, set, NULL, &p, NULL, NULL), GLIA_OK);
    assert_int_equal(whole_get_layer(network, 0, weight_now, bias_now, NULL), GLIA_OK);
    glia_network_free(network);
    glia_dataset_free(set);
    return bias_now[0];
}

/* Rates with few digits, next to which float's rounding is small. */
static void test_exact_rates(void **state)
{
    (void)state;
    enum { MOST_STEPS = 9 };
    static const struct {
        glia_schedule schedule;
        double lr, lr_end, warmup;
        size_t steps;
        double rate[MOST_STEPS];
    } cases[] = {
        {GLIA_SCHEDULE_AUTO, 1, -1, 0, 3, {1, 1, 1}},
        {GLIA_SCHEDULE_AUTO, 1, 0, 0, 5, {1, .75, .5, .25, 0}},
        {GLIA_SCHEDULE_AUTO, 1, 0, .5, 8, {.25, .5, .75, 1, .75, .5, .25, 0}},
        {GLIA_SCHEDULE_AUTO, 2, -1, .5, 8, {.5, 1, 1.5, 2, 2, 2, 2, 2}},
        {GLIA_SCHEDULE_AUTO, 1, 3, .5, 8, {.25, .5, .75, 1, 1.5, 2, 2.5, 3}},
        {GLIA_SCHEDULE_AUTO, 1, 0, .499, 9, {.25, .5, .75, 1, .8, .6, .4, .2, 0}}, /* 4.49: 4 */
        {GLIA_SCHEDULE_AUTO, 1, 0, .2, 5, {1, .75, .5, .25, 0}},  /* one step: the peak */
        {GLIA_SCHEDULE_AUTO, 1, 0, .1, 5, {1, .75, .5, .25, 0}},  /* half a step: none */
        {GLIA_SCHEDULE_AUTO, 1, 0, .99, 5, {.25, .5, .75, 1, 0}}, /* all but the last */
        {GLIA_SCHEDULE_AUTO, 1, 0, .5, 1, {1}},
        {GLIA_SCHEDULE_STEP, 1, -1, 0, 6, {1, 1, .1, .1, .01, .01}}, /* a step is an epoch */
        {GLIA_SCHEDULE_EXPONENTIAL, 1, -1, 0, 3, {1, .95, .9025}},
        {GLIA_SCHEDULE_COSINE, 1, -1, .5, 6, {1. / 3, 2. / 3, 1, .75, .25, 0}},
        {GLIA_SCHEDULE_ONE_CYCLE, 5, 0, .5, 6, {.2, 2.6, 5, 3.75, 1.25, 0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t n_samples = 1; n_samples <= 2; n_samples++) { /* one by one, and a batch */
            glia_settings p = gi_settings_defaults();
            p.lr = cases[i].lr;
            p.lr_end = cases[i].lr_end < 0 ? (double)NAN : cases[i].lr_end;
            p.warmup = cases[i].warmup;
            p.schedule = cases[i].schedule;
            p.epochs = cases[i].steps;
            double expected = 200;
            for (size_t steps = 1; steps <= p.epochs; steps++) {
                expected -= cases[i].rate[steps - 1];
                const double found = (double)bias_after(steps, n_samples, &p);
                if (fabs(found - expected) > 1e-4)
                    fail_msg("case %zu, batch %zu, step %zu: found %.6f, expected %.6f", i,
                             n_samples, steps, found, expected);
            }
        }
    }
}

/* ---- How it ends ---------------------------------------------------------------------------- */

static void test_early_stopping_keeps_the_best(void **state)
{
    (void)state;
    samples s, v;
    make_clouds(&s, 4);
    make_clouds(&v, 5);
    for (size_t i = 0; i < N; i++)
        if (i % 2) v.label[i] = (v.label[i] + 1) % CLASSES; /* half wrong: soon overfitted */
    glia_network *network = make(FEATURES, 64, GLIA_ACTIVATION_RELU, CLASSES, 1);
    glia_settings p = gi_settings_defaults();
    p.epochs = 500;
    p.patience = 4;
    glia_train_result result;
    assert_int_equal(glia_train(network, s.dataset, v.dataset, &p, &result, NULL), GLIA_OK);
    assert_int_equal(result.stop, GLIA_STOP_EARLY);
    assert_true(result.best_epoch >= 1 && result.epochs == result.best_epoch + 4);
    glia_metrics metrics;
    assert_int_equal(whole_evaluate(network, v.dataset, 2, &metrics, NULL, NULL), GLIA_OK);
    assert_true(metrics.loss == result.validation_loss);
    assert_true(metrics.accuracy == result.validation_accuracy);

    /* The same weights as a run that ends at that epoch. */
    glia_network *shorter = make(FEATURES, 64, GLIA_ACTIVATION_RELU, CLASSES, 1);
    p.epochs = result.best_epoch;
    p.patience = 0;
    assert_int_equal(glia_train(shorter, s.dataset, NULL, &p, NULL, NULL), GLIA_OK);
    assert_true(same_parameters(network, shorter));
    glia_network_free(shorter);

    /* A min_delta that no epoch reaches: the first is the best. */
    glia_network *strict = make(FEATURES, 64, GLIA_ACTIVATION_RELU, CLASSES, 1);
    p.epochs = 500;
    p.patience = 2;
    p.min_delta = 100;
    assert_int_equal(glia_train(strict, s.dataset, v.dataset, &p, &result, NULL), GLIA_OK);
    assert_true(result.best_epoch == 1 && result.epochs == 3);
    glia_network_free(strict);
    glia_network_free(network);
    glia_dataset_free(s.dataset);
    glia_dataset_free(v.dataset);
}

typedef struct calls {
    size_t n, epoch_ends, stop_at;
    size_t last_done, batch;
} calls;

static bool count_calls(void *user, const glia_progress *p)
{
    calls *c = user;
    c->n++;
    assert_true(p->threads >= 1 && strcmp(p->engine, "native") == 0);
    if (c->n == 1) { /* before the first step */
        assert_true(p->done == 0 && p->epoch == 1 && !p->epoch_end && isnan(p->train_loss));
        assert_true(p->step == 0 && isnan(p->lr));
        return c->n != c->stop_at;
    }
    assert_true(p->done > c->last_done && p->done <= p->samples);
    assert_true(p->epoch_end == (p->done == p->samples));
    assert_true(p->train_loss > 0 && p->train_accuracy >= 0 && p->train_accuracy <= 1);
    assert_true(isnan(p->validation_loss));
    /* steps of the epochs before, and of this one; the last falls linearly to 0.1 */
    const size_t an_epoch = (p->samples + c->batch - 1) / c->batch, steps = 3 * an_epoch;
    assert_int_equal(p->step, (p->epoch - 1) * an_epoch + (p->done + c->batch - 1) / c->batch);
    assert_true(fabs(p->lr - (0.2 - 0.1 * (double)(p->step - 1) / (double)(steps - 1))) < 1e-12);
    c->last_done = p->epoch_end ? 0 : p->done;
    c->epoch_ends += p->epoch_end;
    return c->n != c->stop_at;
}

static void test_progress_and_cancelling(void **state)
{
    (void)state;
    enum { MANY = 5000 };
    static uint8_t x[MANY * 2];
    static uint32_t label[MANY];
    for (size_t i = 0; i < MANY; i++) {
        x[2 * i] = (uint8_t)i;
        label[i] = x[2 * i] > 127;
    }
    glia_dataset *dataset;
    assert_int_equal(glia_dataset_from_arrays(GLIA_TYPE_U8, x, label, MANY, 2, 2, &dataset, NULL),
                     GLIA_OK);
    for (size_t batch = 1; batch <= 32; batch += 31) {
        glia_network *network = make(2, 4, GLIA_ACTIVATION_RELU, 2, 1);
        calls c = {.batch = batch};
        glia_settings p = gi_settings_defaults();
        p.batch = batch;
        p.lr_end = 0.1;
        p.epochs = 3;
        p.progress = count_calls;
        p.user = &c;
        glia_train_result result;
        assert_int_equal(glia_train(network, dataset, NULL, &p, &result, NULL), GLIA_OK);
        assert_true(c.epoch_ends == 3 && c.n >= 12);
        assert_true(result.epochs == 3 && result.stop == GLIA_STOP_EPOCHS);

        for (size_t stop_at = 1; stop_at <= c.n; stop_at++) {
            calls d = {.stop_at = stop_at, .batch = batch};
            p.user = &d;
            assert_int_equal(glia_train(network, dataset, NULL, &p, &result, NULL), GLIA_OK);
            assert_int_equal(d.n, stop_at);
            assert_int_equal(result.stop, GLIA_STOP_CANCELLED);
            assert_int_equal(result.epochs, d.epoch_ends);
        }
        p.user = &c;
        p.epochs = 0; /* nothing to do is no failure */
        assert_int_equal(glia_train(network, dataset, NULL, &p, &result, NULL), GLIA_OK);
        assert_true(result.epochs == 0 && result.samples == 0 && isnan(result.train_loss));
        glia_network_free(network);
    }
    glia_dataset_free(dataset);
}

static void test_divergence_leaves_the_last_good_weights(void **state)
{
    (void)state;
    samples s;
    make_clouds(&s, 6);
    for (size_t i = 0; i < (size_t)N * FEATURES; i++) s.x[i] *= 1e6F; /* unscaled */
    for (size_t batch = 1; batch <= 32; batch += 31) {
        glia_network *network = make(FEATURES, 32, GLIA_ACTIVATION_IDENTITY, CLASSES, 1);
        glia_network *fresh = make(FEATURES, 32, GLIA_ACTIVATION_IDENTITY, CLASSES, 1);
        glia_settings p = gi_settings_defaults();
        p.batch = batch;
        p.lr = 1000;
        glia_train_result result;
        glia_error error = {0};
        assert_int_equal(glia_train(network, s.dataset, NULL, &p, &result, &error), GLIA_DIVERGED);
        assert_int_equal(error.status, GLIA_DIVERGED);
        assert_non_null(strstr(error.message, "learning rate"));
        assert_non_null(strstr(error.message, "scaled"));
        assert_int_equal(result.stop, GLIA_STOP_DIVERGED);
        assert_int_equal(result.best_epoch, 0);
        assert_true(same_parameters(network, fresh)); /* no epoch was good */
        glia_network_free(network);
        glia_network_free(fresh);
    }
    glia_dataset_free(s.dataset);
}

static bool never(void *user, const glia_progress *p)
{
    (void)user, (void)p;
    return false;
}

/* A network that learned from bytes (x / 255), and the same samples as floats. */
static void test_a_network_that_learned_nothing_stays_as_it_was(void **state)
{
    (void)state;
    static uint8_t bytes[N * FEATURES];
    samples s;
    make_clouds(&s, 8);
    for (size_t i = 0; i < (size_t)N * FEATURES; i++)
        bytes[i] = (uint8_t)fmaxf(0, fminf(255, 100 + 50 * s.x[i]));
    glia_dataset *set;
    assert_int_equal(
        glia_dataset_from_arrays(GLIA_TYPE_U8, bytes, s.label, N, FEATURES, CLASSES, &set, NULL),
        GLIA_OK);
    const char *const names[CLASSES] = {"ash", "beech", "cedar"};
    assert_int_equal(whole_set_names(set, names, NULL), GLIA_OK);
    glia_network *network = make(FEATURES, 16, GLIA_ACTIVATION_RELU, CLASSES, 1);
    glia_settings p = gi_settings_defaults();
    assert_int_equal(glia_train(network, set, NULL, &p, NULL, NULL), GLIA_OK);
    assert_string_equal(glia_network_class_name(network, 2), "cedar");
    glia_metrics before, after;
    assert_int_equal(whole_evaluate(network, set, 1, &before, NULL, NULL), GLIA_OK);
    char *about_before, *about_after;
    assert_int_equal(glia_network_metadata(network, &about_before, NULL), GLIA_OK);

    glia_error error = {0};
    assert_int_equal(whole_evaluate(network, s.dataset, 1, &after, NULL, &error), GLIA_MISMATCH);
    assert_non_null(strstr(error.message, "255"));
    assert_int_equal(glia_train(network, set, s.dataset, &p, NULL, NULL), GLIA_MISMATCH);

    for (int way = 0; way < 2; way++) { /* divergence, and a stop before the first step */
        p.lr = way == 0 ? 1e30 : 0.1;
        p.progress = way == 0 ? NULL : never;
        glia_train_result result;
        assert_int_equal(glia_train(network, s.dataset, NULL, &p, &result, NULL),
                         way == 0 ? GLIA_DIVERGED : GLIA_OK);
        assert_int_equal(result.best_epoch, 0);
        assert_int_equal(whole_evaluate(network, set, 1, &after, NULL, NULL), GLIA_OK);
        assert_true(after.loss == before.loss);
        assert_int_equal(glia_network_metadata(network, &about_after, NULL), GLIA_OK);
        assert_string_equal(about_before, about_after);
        glia_string_free(about_after);
    }
    glia_string_free(about_before);
    glia_network_free(network);
    glia_dataset_free(set);
    glia_dataset_free(s.dataset);
}

/* ---- Wrong arguments ------------------------------------------------------------------------ */

static void test_wrong_arguments(void **state)
{
    (void)state;
    samples s;
    make_clouds(&s, 7);
    glia_network *network = make(FEATURES, 8, GLIA_ACTIVATION_RELU, CLASSES, 1);
    const glia_settings good = gi_settings_defaults();
    struct {
        glia_settings p;
        const char *word;
    } cases[20];
    enum { N_CASES = sizeof cases / sizeof cases[0] };
    for (size_t i = 0; i < N_CASES; i++) cases[i].p = good;
    cases[0].p.lr_end = INFINITY, cases[0].word = "lr";
    cases[1].p.lr = -1, cases[1].word = "lr";
    cases[2].p.lr = 0, cases[2].word = "lr";
    cases[3].p.lr = INFINITY, cases[3].word = "lr";
    cases[4].p.lr_end = -1, cases[4].word = "lr_end";
    cases[5].p.batch = 0, cases[5].word = "batch";
    cases[6].p.min_delta = -1, cases[6].word = "min_delta";
    cases[7].p.patience = 3, cases[7].word = "validation";
    cases[8].p.min_delta = INFINITY, cases[8].word = "min_delta";
    cases[9].p.warmup = -0.1, cases[9].word = "warmup";
    cases[10].p.warmup = 1, cases[10].word = "warmup";
    cases[11].p.warmup = NAN, cases[11].word = "warmup";
    cases[12].p.schedule = (glia_schedule)99, cases[12].word = "schedule";
    cases[13].p.schedule = (glia_schedule)-1, cases[13].word = "schedule";
    cases[14].p.lr_factor = -0.1, cases[14].word = "lr_factor";
    cases[15].p.lr_factor = 1.1, cases[15].word = "lr_factor";
    cases[16].p.lr_factor = 0, cases[16].word = "lr_factor";
    cases[17].p.lr_end = INFINITY, cases[17].word = "lr_end";
    cases[18].p.epsilon = 1e-46, cases[18].word = "epsilon: found 1e-46, expected a number from";
    cases[19].p.epsilon = 1e39, cases[19].word = "epsilon";
    for (size_t i = 0; i < N_CASES; i++) {
        glia_error error = {0};
        assert_int_equal(glia_train(network, s.dataset, NULL, &cases[i].p, NULL, &error),
                         GLIA_BAD_ARGUMENT);
        if (!strstr(error.message, cases[i].word))
            fail_msg("\"%s\" does not speak of %s", error.message, cases[i].word);
    }
    glia_settings threads = good;
    threads.threads = -1;
    assert_int_equal(glia_train(network, s.dataset, NULL, &threads, NULL, NULL), GLIA_BAD_ARGUMENT);

    glia_network *narrow = make(FEATURES - 1, 8, GLIA_ACTIVATION_RELU, CLASSES, 1);
    glia_network *few = make(FEATURES, 8, GLIA_ACTIVATION_RELU, CLASSES - 1, 1);
    glia_metrics metrics;
    assert_int_equal(glia_train(narrow, s.dataset, NULL, &good, NULL, NULL), GLIA_MISMATCH);
    assert_int_equal(glia_train(few, s.dataset, NULL, &good, NULL, NULL), GLIA_MISMATCH);
    assert_int_equal(whole_evaluate(narrow, s.dataset, 1, &metrics, NULL, NULL), GLIA_MISMATCH);
    assert_int_equal(whole_evaluate(few, s.dataset, 1, &metrics, NULL, NULL), GLIA_MISMATCH);
    uint8_t pixels[FEATURES];
    glia_image image = {.width = 1, .height = 1, .pixels = pixels};
    assert_int_equal(whole_fit_image(network, &image, pixels, NULL, NULL), GLIA_MISMATCH);
    glia_network_free(narrow);
    glia_network_free(few);
    glia_network_free(network);
    glia_dataset_free(s.dataset);
}

/* What engine and precision cannot be, for training and for predictors alike. */
static void test_engines_that_cannot_be(void **state)
{
    (void)state;
    enum { WRONG = 99 };
#ifdef GLIA_HAS_ONEDNN
    const bool onednn = true, bf16 = gi_onednn_has_bf16();
#else
    const bool onednn = false, bf16 = false;
#endif
    const struct {
        const char *name;
        glia_engine engine;
        glia_precision precision;
        glia_status status;
        const char *words[2];
    } cases[] = {
        {"native", GLIA_ENGINE_NATIVE, GLIA_PRECISION_F32, GLIA_OK, {0}},
        {"onednn",
         GLIA_ENGINE_ONEDNN,
         GLIA_PRECISION_F32,
         onednn ? GLIA_OK : GLIA_UNSUPPORTED,
         {"engine onednn", "libdnnl-dev"}},
        {"bf16",
         GLIA_ENGINE_AUTO,
         GLIA_PRECISION_BF16,
         bf16 ? GLIA_OK : GLIA_UNSUPPORTED,
         {"precision bf16", onednn ? "this CPU" : "this build"}},
        {"bf16 of onednn",
         GLIA_ENGINE_ONEDNN,
         GLIA_PRECISION_BF16,
         bf16 ? GLIA_OK : GLIA_UNSUPPORTED,
         {"precision bf16", onednn ? "this CPU" : "this build"}},
        {"bf16 of native",
         GLIA_ENGINE_NATIVE,
         GLIA_PRECISION_BF16,
         GLIA_UNSUPPORTED,
         {"precision bf16", onednn ? "engine native" : "this build"}},
        {"bf16 of the reference",
         GLIA_ENGINE_REFERENCE,
         GLIA_PRECISION_BF16,
         GLIA_UNSUPPORTED,
         {"precision bf16", onednn ? "engine reference" : "this build"}},
        {"no engine", (glia_engine)WRONG, GLIA_PRECISION_F32, GLIA_BAD_ARGUMENT, {"engine", "99"}},
        {"no precision",
         GLIA_ENGINE_AUTO,
         (glia_precision)WRONG,
         GLIA_BAD_ARGUMENT,
         {"precision", "99"}},
    };
    samples s;
    make_clouds(&s, 7);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int predicts = 0; predicts < 2; predicts++) {
            glia_network *network = make(FEATURES, 8, GLIA_ACTIVATION_RELU, CLASSES, 1);
            glia_settings p = gi_settings_defaults();
            p.engine = cases[i].engine;
            p.precision = cases[i].precision;
            const glia_predictor_params q = {1, cases[i].engine, cases[i].precision};
            glia_predictor *predictor = NULL;
            glia_error error = {0};
            const glia_status status = predicts
                                           ? glia_predictor_create(network, &q, &predictor, &error)
                                           : glia_train(network, s.dataset, NULL, &p, NULL, &error);
            if (cases[i].status)
                assert_error(cases[i].name, status, cases[i].status, &error, cases[i].words[0],
                             cases[i].words[1]);
            else
                assert_int_equal(status, GLIA_OK);
            assert_true(!predictor || status == GLIA_OK);
            glia_predictor_free(predictor);
            glia_network_free(network);
        }
    }
    glia_dataset_free(s.dataset);
}

/* ---- Predicting ----------------------------------------------------------------------------- */

enum { PREDICTED = 150 };

typedef struct predicting {
    const glia_network *network;
    const samples *s;
    float probabilities[PREDICTED * CLASSES];
} predicting;

static void *predict_in_thread(void *argument)
{
    predicting *p = argument;
    glia_predictor *predictor;
    assert_int_equal(glia_predictor_create(p->network, NULL, &predictor, NULL), GLIA_OK);
    for (int times = 0; times < 5; times++)
        assert_int_equal(glia_predictor_run(predictor, GLIA_TYPE_F32, p->s->x, PREDICTED, FEATURES,
                                            p->probabilities, CLASSES, NULL),
                         GLIA_OK);
    glia_predictor_free(predictor);
    return NULL;
}

/* One sample at a time, many at once, by one thread or several, by several predictors at once. */
static void test_predictors_agree(void **state)
{
    (void)state;
    for (size_t every = 1; every <= 4; every += 3) {
        samples s;
        make_sparse_clouds(&s, 6, every);
        glia_network *network = train_with(
            &s, (settings){32, 1, 1, -1, GLIA_ENGINE_AUTO, every == 1, GLIA_PRECISION_F32});
        static float expected[PREDICTED * CLASSES], found[PREDICTED * CLASSES];
        assert_int_equal(whole_predict(network, GLIA_TYPE_F32, s.x, PREDICTED, expected, NULL),
                         GLIA_OK);
        for (int engine = GLIA_ENGINE_AUTO; engine <= GLIA_ENGINE_NATIVE; engine++) {
            for (int threads = 1; threads <= 3; threads++) {
                const glia_predictor_params params = {.threads = threads,
                                                      .engine = (glia_engine)engine};
                glia_predictor *p;
                assert_int_equal(glia_predictor_create(network, &params, &p, NULL), GLIA_OK);
                for (size_t n = 1; n <= PREDICTED; n += n < 3 ? 1 : 49) {
                    memset(found, 0, sizeof found);
                    assert_int_equal(glia_predictor_run(p, GLIA_TYPE_F32, s.x, n, FEATURES, found,
                                                        CLASSES, NULL),
                                     GLIA_OK);
                    for (size_t i = 0; i < n * CLASSES; i++)
                        if (engine == GLIA_ENGINE_REFERENCE)
                            assert_true(fabsf(found[i] - expected[i]) < 1e-6F);
                        else
                            assert_true(found[i] == expected[i]);
                    assert_true(n == PREDICTED || found[n * CLASSES] == 0);
                }
                glia_predictor_free(p);
            }
        }
        predicting p[2] = {{network, &s, {0}}, {network, &s, {0}}};
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, predict_in_thread, &p[0]), 0);
        predict_in_thread(&p[1]);
        pthread_join(thread, NULL);
        for (int i = 0; i < 2; i++)
            assert_memory_equal(p[i].probabilities, expected, sizeof expected);
        glia_network_free(network);
        glia_dataset_free(s.dataset);
    }
}

/* Each layer's, from the one below by its weights; of the last, what glia_predict says. */
static void test_activations(void **state)
{
    (void)state;
    enum { SOME = 70 }; /* more than go through at once */
    static float w[MAX_FLOATS], below[SOME * 768], found[SOME * 768], expected[SOME * CLASSES];
    for (size_t every = 1; every <= 4; every += 3) {
        samples s;
        make_sparse_clouds(&s, 6, every);
        glia_network *network =
            train_with(&s, (settings){32, 1, 1, -1, GLIA_ENGINE_AUTO, true, GLIA_PRECISION_F32});
        memcpy(below, s.x, SOME * FEATURES * sizeof *below);
        for (size_t l = 0; l < 3; l++) {
            const glia_layer_info layer = glia_network_layer(network, l);
            float *bias = w + layer.units * layer.inputs;
            assert_int_equal(whole_get_layer(network, l, w, bias, NULL), GLIA_OK);
            assert_int_equal(whole_activations(network, l, GLIA_TYPE_F32, s.x, SOME, found, NULL),
                             GLIA_OK);
            for (size_t r = 0; r < SOME && l < 2; r++)
                for (size_t u = 0; u < layer.units; u++) {
                    double z = (double)bias[u];
                    for (size_t i = 0; i < layer.inputs; i++)
                        z += (double)w[u * layer.inputs + i] * (double)below[r * layer.inputs + i];
                    assert_true(fabs(tanh(z) - (double)found[r * layer.units + u]) < 1e-5);
                }
            memcpy(below, found, SOME * layer.units * sizeof *found);
        }
        assert_int_equal(whole_predict(network, GLIA_TYPE_F32, s.x, SOME, expected, NULL), GLIA_OK);
        assert_memory_equal(found, expected, sizeof expected);
        glia_error error = {0};
        const glia_status status =
            whole_activations(network, 3, GLIA_TYPE_F32, s.x, 1, found, &error);
        assert_error("layer", status, GLIA_BAD_ARGUMENT, &error, "found 3", NULL);
        glia_network_free(network);
        glia_dataset_free(s.dataset);
    }
}

/* Fewer samples than go through oneDNN together, as many, more, and parts of a second batch. */
static void test_onednn_predicts_the_same(void **state)
{
    (void)state;
    if (!has(GLIA_ENGINE_ONEDNN, GLIA_PRECISION_F32)) skip();
    static const size_t counts[] = {1, 2, 255, 256, 257, N};
    static float expected[N * CLASSES], found[N * CLASSES + 1];
    samples s;
    make_clouds(&s, 6);
    for (int deep = 0; deep < 2; deep++) {
        glia_network *network =
            train_with(&s, (settings){32, 1, 1, -1, GLIA_ENGINE_AUTO, deep, GLIA_PRECISION_F32});
        assert_int_equal(whole_predict(network, GLIA_TYPE_F32, s.x, N, expected, NULL), GLIA_OK);
        for (int way = 0; way < 2 * 3; way++) {
            const glia_predictor_params params = {
                .threads = 1 + way % 3,
                .engine = way < 3 ? GLIA_ENGINE_ONEDNN : GLIA_ENGINE_AUTO,
                .precision = way < 3 ? GLIA_PRECISION_F32 : GLIA_PRECISION_BF16};
            const double tolerance = way < 3 ? 1e-5 : 2e-2;
            if (!has(params.engine, params.precision)) continue;
            glia_predictor *p;
            assert_int_equal(glia_predictor_create(network, &params, &p, NULL), GLIA_OK);
            for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
                const size_t n = counts[k];
                memset(found, 0, sizeof found);
                assert_int_equal(
                    glia_predictor_run(p, GLIA_TYPE_F32, s.x, n, FEATURES, found, CLASSES, NULL),
                    GLIA_OK);
                for (size_t i = 0; i < n * CLASSES; i++)
                    if (!(fabs((double)found[i] - (double)expected[i]) <= tolerance))
                        fail_msg("%s, %zu samples, %d threads: probability %zu is %.6f, expected "
                                 "%.6f",
                                 glia_precision_name(params.precision), n, params.threads, i,
                                 (double)found[i], (double)expected[i]);
                assert_true(found[n * CLASSES] == 0);
            }
            const glia_predictor_info info = glia_predictor_describe(p);
            assert_string_equal(info.engine, "onednn");
            assert_int_equal(info.precision, params.precision);
            glia_predictor_free(p);
        }
        glia_network_free(network);
    }
    glia_dataset_free(s.dataset);
}

/* ---- Real digits ---------------------------------------------------------------------------- */

static void test_softmax_regression_reads_mnist(void **state)
{
    (void)state;
    if (!getenv("GLIA_DATA")) skip();
    glia_data_params data = glia_data_default_params();
    data.offline = true;
    glia_dataset *train, *test;
    assert_int_equal(glia_dataset_open("mnist", GLIA_SPLIT_TRAIN, &data, &train, NULL), GLIA_OK);
    assert_int_equal(glia_dataset_open("mnist", GLIA_SPLIT_TEST, &data, &test, NULL), GLIA_OK);
    glia_network *network = make(784, 0, GLIA_ACTIVATION_RELU, 10, 1);
    glia_settings p = gi_settings_defaults();
    p.epochs = 2;
    assert_int_equal(glia_train(network, train, NULL, &p, NULL, NULL), GLIA_OK);
    glia_metrics metrics;
    assert_int_equal(whole_evaluate(network, test, 0, &metrics, NULL, NULL), GLIA_OK);
    assert_true(metrics.accuracy > 0.91);
    glia_network_free(network);
    glia_dataset_free(train);
    glia_dataset_free(test);
}

/* ---- Curves --------------------------------------------------------------------------------- */

enum { CURVES = 5, CURVE_EPOCHS = 4 };

typedef struct curve {
    glia_precision precision;
    double loss[CURVE_EPOCHS]; /* of the validation samples */
} curve;

static bool draw_curve(void *user, const glia_progress *p)
{
    curve *c = user;
    assert_int_equal(p->precision, c->precision);
    if (p->epoch_end) c->loss[p->epoch - 1] = p->validation_loss;
    return true;
}

/* f32 and bf16 over the same seeds: their means are nearer than the standard error of one. */
static void test_bf16_learns_as_f32_does(void **state)
{
    (void)state;
    if (!getenv("GLIA_DATA") || !has(GLIA_ENGINE_AUTO, GLIA_PRECISION_BF16)) skip();
    glia_data_params data = glia_data_default_params();
    data.offline = true;
    glia_dataset *all, *rest, *some, *train, *held;
    assert_int_equal(glia_dataset_open("mnist", GLIA_SPLIT_TRAIN, &data, &all, NULL), GLIA_OK);
    assert_int_equal(glia_dataset_hold_out(all, 6000, 1, &rest, &some, NULL), GLIA_OK);
    assert_int_equal(glia_dataset_hold_out(some, 2000, 1, &train, &held, NULL), GLIA_OK);
    curve curves[2][CURVES];
    for (uint64_t seed = 0; seed < CURVES; seed++)
        for (int bf16 = 0; bf16 < 2; bf16++) {
            glia_network *network = make(784, 64, GLIA_ACTIVATION_RELU, 10, seed);
            curve *c = &curves[bf16][seed];
            glia_settings p = gi_settings_defaults();
            p.epochs = CURVE_EPOCHS;
            p.seed = seed;
            p.threads = 2;
            p.engine = GLIA_ENGINE_ONEDNN;
            p.precision = c->precision = bf16 ? GLIA_PRECISION_BF16 : GLIA_PRECISION_F32;
            p.progress = draw_curve;
            p.user = c;
            assert_int_equal(glia_train(network, train, held, &p, NULL, NULL), GLIA_OK);
            glia_network_free(network);
        }
    for (size_t e = 0; e < CURVE_EPOCHS; e++) {
        double mean[2] = {0}, squares = 0;
        for (int bf16 = 0; bf16 < 2; bf16++)
            for (size_t i = 0; i < CURVES; i++) mean[bf16] += curves[bf16][i].loss[e] / CURVES;
        for (size_t i = 0; i < CURVES; i++) {
            const double off = curves[0][i].loss[e] - mean[0];
            squares += off * off;
        }
        const double standard_error = sqrt(squares / (CURVES - 1) / CURVES);
        assert_true(standard_error > 0 && mean[1] != mean[0]);
        if (!(fabs(mean[1] - mean[0]) <= standard_error))
            fail_msg("epoch %zu: the mean loss is %.5f in f32, %.5f in bf16; standard error %.5f",
                     e + 1, mean[0], mean[1], standard_error);
        print_message("# epoch %zu: mean loss %.5f in f32, %.5f in bf16, standard error %.5f\n",
                      e + 1, mean[0], mean[1], standard_error);
    }
    glia_dataset_free(train);
    glia_dataset_free(held);
    glia_dataset_free(some);
    glia_dataset_free(rest);
    glia_dataset_free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rounding_grows),
        cmocka_unit_test(test_learns_xor),
        cmocka_unit_test(test_gradient_descent_descends),
        cmocka_unit_test(test_same_bits_for_any_threads),
        cmocka_unit_test(test_same_bits_from_onednn),
        cmocka_unit_test(test_idle_threads_change_nothing),
        cmocka_unit_test(test_engines_agree),
        cmocka_unit_test(test_predictors_agree),
        cmocka_unit_test(test_activations),
        cmocka_unit_test(test_onednn_predicts_the_same),
        cmocka_unit_test(test_networks_in_threads_do_not_meet),
        cmocka_unit_test(test_exact_rates),
        cmocka_unit_test(test_early_stopping_keeps_the_best),
        cmocka_unit_test(test_progress_and_cancelling),
        cmocka_unit_test(test_divergence_leaves_the_last_good_weights),
        cmocka_unit_test(test_a_network_that_learned_nothing_stays_as_it_was),
        cmocka_unit_test(test_wrong_arguments),
        cmocka_unit_test(test_engines_that_cannot_be),
        cmocka_unit_test(test_softmax_regression_reads_mnist),
        cmocka_unit_test(test_bf16_learns_as_f32_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
