/* SPDX-License-Identifier: MIT */
/*
 * Optimizers, regularisers, batch normalisation and activations against 100 steps by PyTorch, in
 * every engine and both ways of sharing the work out; what is random, dropout and noise, by its
 * statistics.
 */
#include "numeric.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "golden/optimizers.h"
#include "shape.h"
#include "slow.h"
#include "train/optimizer.h"
#include "whole.h"

enum {
    N_RUNS = sizeof golden_runs / sizeof golden_runs[0],
    N_KEPT_STEPS = sizeof golden_kept_steps / sizeof golden_kept_steps[0],
    N_BATCHES = sizeof golden_batches / sizeof golden_batches[0],
    N_HIDDEN = 2,
    MOST_PARAMETERS = 4096,
    INPUT_DIVISOR = 16 /* inputs are so many parts of 1 */
};

/* ---- What make_optimizers.py draws ---------------------------------------------------------- */

/* Knuth and Lewis's generator (Numerical Recipes, second edition, section 7.1). */
static uint32_t below(uint32_t *state, uint32_t n)
{
    *state = *state * 1664525U + 1013904223U;
    return (*state >> 16) % n;
}

struct data {
    uint8_t bytes[GOLDEN_SAMPLES][GOLDEN_INPUTS];
    float floats[GOLDEN_SAMPLES][GOLDEN_INPUTS]; /* the same numbers: both enter over 16 */
    uint32_t labels[GOLDEN_SAMPLES];
    float weights[GOLDEN_SAMPLES];
};

static void make_data(struct data *d)
{
    uint32_t state = 1;
    for (size_t r = 0; r < GOLDEN_SAMPLES; r++)
        for (size_t i = 0; i < GOLDEN_INPUTS; i++) {
            const uint32_t k = below(&state, 48);
            d->bytes[r][i] = (uint8_t)(k > 15 ? k - 15 : 0);
            d->floats[r][i] = d->bytes[r][i];
        }
    for (size_t r = 0; r < GOLDEN_SAMPLES; r++) d->labels[r] = below(&state, GOLDEN_CLASSES);
    for (size_t r = 0; r < GOLDEN_SAMPLES; r++)
        d->weights[r] = 0.5F * (float)(below(&state, 4) + 1);
}

static double draw_parameter(uint32_t *state, double divisor, double around)
{
    return around + ((double)below(state, 65) - 32) / divisor;
}

static glia_network *start_network(const struct golden_run *g, const gi_engine *engine)
{
    static const size_t hidden[N_HIDDEN] = {GOLDEN_HIDDEN_0, GOLDEN_HIDDEN_1};
    static const double divisors[N_HIDDEN + 1] = {64, 256, 128};
    glia_network *network =
        make_network(engine, GOLDEN_INPUTS, N_HIDDEN, hidden, g->activation, GOLDEN_CLASSES);
    network->input.divisor = INPUT_DIVISOR;
    uint32_t state = 1;
    for (size_t l = 0; l < network->n_layers; l++) {
        if (g->normalised >> l & 1)
            assert_int_equal(gi_network_normalise(network, l, NULL), GLIA_OK);
        const gi_layer *layer = &network->layers[l];
        for (size_t u = 0; u < layer->n_out; u++)
            for (size_t i = 0; i < layer->n_in; i++)
                set_element(engine, layer->weight, gi_weight_offset(layer, i, u),
                            draw_parameter(&state, divisors[l], 0));
        for (size_t u = 0; u < layer->n_out && layer->scale; u++)
            set_element(engine, layer->scale, u, draw_parameter(&state, 256, 1));
        for (size_t u = 0; u < layer->n_out; u++)
            set_element(engine, layer->scale ? layer->shift : layer->bias, u,
                        draw_parameter(&state, 256, 0));
    }
    return network;
}

/* ---- Comparing ------------------------------------------------------------------------------ */

/* A golden run as an engine does it. */
struct trial {
    const struct golden_run *g;
    const gi_engine *reference; /* type and level */
    gi_plan plan;
    double tolerance;
    double worst_loss, worst_kept; /* relative errors seen */
};

static void assert_near(struct trial *t, double found, double expected, double size, size_t step,
                        const char *what, size_t i, double *worst)
{
    const double off = fabs(found - expected) / size;
    *worst = fmax(*worst, off);
    if (!(off <= t->tolerance))
        fail_msg("%s: %s %s f%zu%s%s, %d threads, %zu layers by units, after %zu steps, %s %zu: "
                 "found %.15g, expected %.15g",
                 t->g->name, t->plan.name, t->reference->isa, 8 * t->reference->element_bytes,
                 t->plan.bytes ? " bytes" : "", t->plan.sparse ? " sparse" : "", t->plan.threads,
                 t->plan.n_by_units, step, what, i, found, expected);
}

/* Layer l's weights (units, inputs) or its vectors, as PyTorch has them. Returns how many. */
static size_t read_block(const glia_network *network, size_t l, bool vectors, double *to)
{
    const gi_layer *layer = &network->layers[l];
    const gi_engine *engine = network->engine;
    size_t n = 0;
    for (size_t u = 0; u < layer->n_out && !vectors; u++)
        for (size_t i = 0; i < layer->n_in; i++)
            to[n++] = element(engine, layer->weight, gi_weight_offset(layer, i, u));
    /* of a normalised layer not the bias, which is 0 */
    for (size_t v = layer->scale ? 1 : 0; v < gi_layer_vectors(layer) && vectors; v++)
        for (size_t u = 0; u < layer->n_out; u++)
            to[n++] = element(engine, layer->bias, v * layer->ld + u);
    return n;
}

/* Norms, and every GOLDEN_STRIDE-th parameter, which is to be right relative to its block's size */
static void compare_parameters(struct trial *t, const glia_network *network, size_t step,
                               const double *expected)
{
    double block[MOST_PARAMETERS];
    size_t norm = 0, kept = 2 * network->n_layers, skip = 0;
    for (size_t l = 0; l < network->n_layers; l++)
        for (int vectors = 0; vectors < 2; vectors++) {
            const size_t n = read_block(network, l, vectors, block);
            double squares = 0, largest = 0;
            for (size_t i = 0; i < n; i++) {
                squares += block[i] * block[i];
                largest = fmax(largest, fabs(block[i]));
            }
            const double size = sqrt(squares);
            assert_near(t, size, expected[norm], expected[norm], step, "norm", norm,
                        &t->worst_kept);
            norm++;
            for (; skip < n; skip += GOLDEN_STRIDE, kept++)
                assert_near(t, block[skip], expected[kept], largest, step, "parameter", kept,
                            &t->worst_kept);
            skip -= n;
        }
    assert_true(kept <= GOLDEN_KEPT);
}

/* ---- Running -------------------------------------------------------------------------------- */

/* One step by all threads of a pool. */
struct golden_step {
    gi_descent *descent;
    gi_workspace *w;
    gi_pool *pool;
    gi_scratch *scratch; /* (threads) */
    size_t m, step;
    double rate;
};

static void golden_step(void *context, int thread, int n_threads)
{
    const struct golden_step *s = context;
    const gi_descent *d = s->descent;
    const gi_crew crew = {s->pool, thread, n_threads, &s->scratch[thread]};
    gi_step_forward(d->network, d->plan, s->w, s->m, &crew);
    gi_step_backward(d->network, d->plan, s->w, s->m, &crew);
    gi_pool_barrier(s->pool);
    gi_descend(s->descent, s->w, s->m, s->step, s->rate, &crew);
}

static void load(const struct golden_run *g, const struct data *d, const glia_network *network,
                 const gi_plan *plan, gi_workspace *w, size_t begin, size_t m)
{
    for (size_t r = 0; r < m; r++) {
        const size_t i = begin + r;
        const glia_type type = plan->bytes ? GLIA_TYPE_U8 : GLIA_TYPE_F32;
        const void *x = plan->bytes ? (const void *)d->bytes[i] : (const void *)d->floats[i];
        gi_row_put(network, plan, w, r, type, x, 0, 0);
        w->labels[r] = d->labels[i];
        double weight = g->sample_weights ? (double)d->weights[i] : 1;
        if (g->params.class_weights.of) weight *= g->params.class_weights.of[d->labels[i]];
        w->weights[r] = (float)weight;
    }
}

static void run_trial(struct trial *t, gi_pool *pool)
{
    const struct golden_run *g = t->g;
    struct data data;
    make_data(&data);
    glia_network *network = start_network(g, t->reference);
    glia_settings params = g->params;
    assert_int_equal(gi_descent_settle(&params, NULL), GLIA_OK);
    const gi_plan *plan = &t->plan;
    const size_t largest = g->whole ? GOLDEN_SAMPLES : golden_batches[0][1];
    const size_t batches[2] = {largest, g->whole ? 0 : GOLDEN_SAMPLES % largest};
    gi_workspace w;
    gi_descent descent;
    gi_scratch scratch[2];
    assert_true(plan->threads <= 2);
    assert_int_equal(gi_workspace_new(network, plan, largest, true, &w, NULL), GLIA_OK);
    glia_error error;
    if (gi_dense_new(network, plan, batches, true, &w.dense, &error)) fail_msg("%s", error.message);
    assert_int_equal(gi_descent_new(network, plan, &params, &descent, NULL), GLIA_OK);
    for (int i = 0; i < plan->threads; i++)
        assert_int_equal(gi_scratch_new(network, largest, &scratch[i], NULL), GLIA_OK);
    w.smoothing = params.label_smoothing;
    w.is_weighted = g->sample_weights || params.class_weights.of;

    struct golden_step s = {.descent = &descent, .w = &w, .pool = pool, .scratch = scratch};
    for (size_t kept = 0; s.step < GOLDEN_STEPS; s.step++) {
        const size_t *batch = golden_batches[s.step % N_BATCHES];
        const size_t begin = g->whole ? 0 : batch[0];
        s.m = g->whole ? GOLDEN_SAMPLES : batch[1] - begin;
        s.rate = params.lr * (1 - (double)s.step / (2 * GOLDEN_STEPS));
        load(g, &data, network, plan, &w, begin, s.m);
        gi_pool_run(pool, golden_step, &s);
        double loss = 0;
        for (size_t r = 0; r < s.m; r++) loss += w.loss[r];
        loss /= gi_workspace_weight(&w, s.m);
        assert_near(t, loss, g->loss[s.step], 1, s.step, "loss", 0, &t->worst_loss);
        if (s.step + 1 != golden_kept_steps[kept]) continue;
        gi_descent_swap_average(&descent);
        compare_parameters(t, network, s.step + 1, g->kept[kept++]);
        gi_descent_swap_average(&descent);
    }
    assert_int_equal(gi_dense_check(w.dense, NULL), GLIA_OK);
    for (int i = 0; i < plan->threads; i++) gi_scratch_free(&scratch[i]);
    gi_descent_free(&descent);
    gi_dense_free(w.dense);
    gi_workspace_free(&w);
    glia_network_free(network);
}

/* How many ways there are of computing: the reference engine, glia's own reading samples in four
 * ways, oneDNN. */
enum {
    WAY_REFERENCE,
    WAY_DENSE,
    WAY_SPARSE,
    WAY_BYTES,
    WAY_SPARSE_BYTES,
#ifdef GLIA_HAS_ONEDNN
    WAY_ONEDNN,
#endif
    N_WAYS
};

/* Threads, and whether they share layers out by units. */
static const struct sharing {
    int threads;
    bool by_units;
} sharings[] = {{1, false}, {2, false}, {2, true}};
enum { N_SHARINGS = sizeof sharings / sizeof sharings[0] };

static void plan_trial(struct trial *t, size_t way, const struct sharing *sharing)
{
#ifdef GLIA_HAS_ONEDNN
    const bool onednn = way == WAY_ONEDNN;
#else
    const bool onednn = false;
#endif
    const gi_engine *native = gi_engine_native(t->reference);
    t->plan = (gi_plan){.engine = way == WAY_REFERENCE ? t->reference : native,
                        .name = onednn                 ? "onednn"
                                : way == WAY_REFERENCE ? "reference"
                                                       : "native",
                        .onednn = onednn,
                        .sparse = way == WAY_SPARSE || way == WAY_SPARSE_BYTES,
                        .bytes = way == WAY_BYTES || way == WAY_SPARSE_BYTES,
                        .threads = sharing->threads};
    /* by units go, whatever is asked for, normalised layers and those below them */
    while (t->plan.n_by_units < N_HIDDEN &&
           (sharing->by_units || t->g->normalised >> t->plan.n_by_units))
        t->plan.n_by_units++;
    glia_network *network = start_network(t->g, t->reference);
    t->plan.staged = gi_plan_staged(network->layers, network->n_layers, 0, onednn);
    glia_network_free(network);
}

static bool is_best(const gi_engine *reference)
{
    return reference == gi_engine_reference(reference->element_bytes, NULL);
}

/* Every run in every way, which shares the work out in one way, in turn, or in each. */
static void run_trials(const gi_engine *reference, double tolerance, bool in_each_sharing)
{
    const size_t n_ways = gi_engine_native(reference) ? N_WAYS : WAY_REFERENCE + 1;
    gi_pool *pools[2];
    for (int i = 0; i < 2; i++) assert_int_equal(gi_pool_create(i + 1, &pools[i], NULL), GLIA_OK);
    double worst_loss = 0, worst_kept = 0;
    for (size_t i = 0; i < N_RUNS; i++) {
        struct trial t = {.g = &golden_runs[i], .reference = reference, .tolerance = tolerance};
        if (t.g->pytorch_clips && tolerance < 1e-6) continue;
        for (size_t way = 0; way < n_ways; way++)
            for (size_t k = 0; k < N_SHARINGS; k++) {
                if (!in_each_sharing && k != (i + way) % N_SHARINGS) continue;
                plan_trial(&t, way, &sharings[k]);
                run_trial(&t, pools[t.plan.threads - 1]);
            }
        worst_loss = fmax(worst_loss, t.worst_loss);
        worst_kept = fmax(worst_kept, t.worst_kept);
    }
    print_message("# %s f%zu: largest errors: losses %.1e, parameters %.1e\n", reference->isa,
                  8 * reference->element_bytes, worst_loss, worst_kept);
    for (int i = 0; i < 2; i++) gi_pool_free(pools[i]);
}

static const double f64_tolerance = 1e-12, f32_tolerance = 1e-5;

static void test_f64_agrees_with_pytorch(void **state)
{
    (void)state;
    run_trials(gi_engine_reference(sizeof(double), NULL), f64_tolerance, false);
}

static void test_f32_agrees_with_pytorch(void **state)
{
    (void)state;
    run_trials(gi_engine_reference(sizeof(float), NULL), f32_tolerance, false);
}

/* Every level of instruction set; on the best one each way shares the work out in each way. */
static void check_f64(const gi_engine *f32, const gi_engine *f64)
{
    (void)f32;
    run_trials(f64, f64_tolerance, is_best(f64));
}

static void check_f32(const gi_engine *f32, const gi_engine *f64)
{
    (void)f64;
    run_trials(f32, f32_tolerance, is_best(f32));
}

static void test_f64_agrees_on_every_level(void **state)
{
    (void)state;
    on_every_level(check_f64);
}

static void test_f32_agrees_on_every_level(void **state)
{
    (void)state;
    on_every_level(check_f32);
}

/* ---- glia_train ----------------------------------------------------------------------------- */

/* With all samples in one batch, their order is of no matter: runs by the public function. */
static bool keep_loss(void *user, const glia_progress *progress)
{
    double *loss = user; /* (GOLDEN_STEPS), an epoch being a step */
    if (progress->epoch_end) loss[progress->epoch - 1] = progress->train_loss;
    return true;
}

static void train_whole(struct trial *t, glia_engine engine, int threads)
{
    const struct golden_run *g = t->g;
    struct data data;
    make_data(&data);
    float x[GOLDEN_SAMPLES][GOLDEN_INPUTS];
    for (size_t r = 0; r < GOLDEN_SAMPLES; r++)
        for (size_t i = 0; i < GOLDEN_INPUTS; i++) x[r][i] = data.floats[r][i] / INPUT_DIVISOR;
    glia_dataset *dataset = NULL;
    glia_error error;
    if (glia_dataset_from_arrays(GLIA_TYPE_F32, x, data.labels, GOLDEN_SAMPLES, GOLDEN_INPUTS,
                                 GOLDEN_CLASSES, &dataset, &error))
        fail_msg("%s", error.message);
    if (g->sample_weights)
        assert_int_equal(whole_set_weights(dataset, data.weights, NULL), GLIA_OK);
    glia_network *network = start_network(g, t->reference);
    double loss[GOLDEN_STEPS];
    glia_settings params = g->params;
    params.schedule = GLIA_SCHEDULE_LINEAR;
    params.lr_factor = params.elastic_sigma = NAN;
    params.lr_end = params.lr * (1 - (GOLDEN_STEPS - 1.) / (2 * GOLDEN_STEPS));
    params.batch = GOLDEN_SAMPLES;
    params.epochs = GOLDEN_STEPS;
    params.engine = engine;
    params.threads = threads;
    params.progress = keep_loss;
    params.user = loss;
    glia_train_result result;
    if (glia_train(network, dataset, NULL, &params, &result, &error)) fail_msg("%s", error.message);
    t->plan = (gi_plan){.name = result.engine, .threads = result.threads};
    for (size_t step = 0; step < GOLDEN_STEPS; step++)
        assert_near(t, loss[step], g->loss[step], 1, step, "loss", 0, &t->worst_loss);
    assert_int_equal(golden_kept_steps[N_KEPT_STEPS - 1], GOLDEN_STEPS);
    compare_parameters(t, network, GOLDEN_STEPS, g->kept[N_KEPT_STEPS - 1]);
    glia_network_free(network);
    glia_dataset_free(dataset);
}

static void test_glia_train_agrees_with_pytorch(void **state)
{
    (void)state;
    static const glia_engine engines[] = {
        GLIA_ENGINE_REFERENCE,
        GLIA_ENGINE_NATIVE,
#ifdef GLIA_HAS_ONEDNN
        GLIA_ENGINE_ONEDNN,
#endif
    };
    const gi_engine *reference;
    assert_int_equal(gi_engine_choose(&reference, NULL), GLIA_OK);
    size_t n = 0;
    for (size_t i = 0; i < N_RUNS; i++)
        for (size_t e = 0; e < sizeof engines / sizeof engines[0] && golden_runs[i].whole; e++, n++)
            for (int threads = 1; threads <= 2; threads++)
                train_whole(&(struct trial){.g = &golden_runs[i],
                                            .reference = reference,
                                            .tolerance = 1e-5},
                            engines[e], threads);
    assert_true(n > 0);
}

/* ---- Dropout -------------------------------------------------------------------------------- */

enum { ROWS = 96, UNITS = 200, SEED = 7 };

/* Which units of two layers a step keeps. */
typedef struct masks {
    bool keeps[2][ROWS][UNITS];
} masks;

/* With weights 0, biases 1 and no activation function, what is kept is the activation itself. */
static void draw_masks(const gi_engine *reference, size_t way, const struct sharing *sharing,
                       double p, uint32_t epoch, size_t first, masks *out)
{
    static const size_t hidden[2] = {UNITS, UNITS};
    glia_network *network = make_network(reference, 4, 2, hidden, GLIA_ACTIVATION_IDENTITY, 3);
    for (size_t l = 0; l < 2; l++)
        for (size_t u = 0; u < UNITS; u++) set_element(reference, network->layers[l].bias, u, 1);
    const gi_plan plan = {.engine = way == WAY_REFERENCE ? reference : gi_engine_native(reference),
                          .threads = sharing->threads,
                          .n_by_units = sharing->by_units ? 2 : 0,
                          .staged = gi_plan_staged(network->layers, network->n_layers, p, false)};
    gi_workspace w;
    gi_scratch scratch[3];
    struct step step = {network, &plan, &w, NULL, NULL, scratch};
    assert_int_equal(gi_workspace_new(network, &plan, ROWS, true, &w, NULL), GLIA_OK);
    assert_int_equal(gi_pool_create(plan.threads, &step.pool, NULL), GLIA_OK);
    for (int t = 0; t < plan.threads; t++)
        assert_int_equal(gi_scratch_new(network, ROWS, &scratch[t], NULL), GLIA_OK);
    w.dropout = p;
    w.seed = SEED;
    w.epoch = epoch;
    w.first = first;
    gi_pool_run(step.pool, forward_task, &step);
    const double kept =
        reference->element_bytes == sizeof(float) ? (double)(float)(1 / (1 - p)) : 1 / (1 - p);
    for (size_t l = 0; l < 2; l++)
        for (size_t r = 0; r < ROWS; r++)
            for (size_t u = 0; u < UNITS; u++) {
                const double a = element(reference, w.activation[l], r * gi_stride(UNITS) + u);
                if (a != 0 && a != kept)
                    fail_msg("dropout %g: found %.9g, expected 0 or %.9g", p, a, kept);
                out->keeps[l][r][u] = a != 0;
            }
    for (int t = 0; t < plan.threads; t++) gi_scratch_free(&scratch[t]);
    gi_pool_free(step.pool);
    gi_workspace_free(&w);
    glia_network_free(network);
}

/* Of n independent events with probability q, as many as 5 standard deviations allow. */
static void assert_frequent(const char *what, double q, size_t found, size_t n)
{
    const double expected = q * (double)n;
    if (!(fabs((double)found - expected) <= 5 * sqrt(expected * (1 - q))))
        fail_msg("%s: %zu of %zu, expected about %.1f", what, found, n, expected);
}

static size_t count_equal(const bool *a, const bool *b, size_t n)
{
    size_t equal = 0;
    for (size_t i = 0; i < n; i++) equal += a[i] == b[i];
    return equal;
}

static void check_dropout(const gi_engine *reference, double p)
{
    static const struct sharing alone = {1, false};
    static const struct sharing threes[] = {{3, false}, {3, true}};
    static masks a, b;
    const size_t n = (size_t)ROWS * UNITS;
    draw_masks(reference, WAY_REFERENCE, &alone, p, 0, 0, &a);

    for (size_t l = 0; l < 2; l++) {
        size_t all = 0, of_unit[UNITS] = {0};
        for (size_t r = 0; r < ROWS; r++) {
            size_t of_sample = 0;
            for (size_t u = 0; u < UNITS; u++) {
                of_sample += a.keeps[l][r][u];
                of_unit[u] += a.keeps[l][r][u];
            }
            all += of_sample;
            assert_frequent("kept of a sample", 1 - p, of_sample, UNITS);
        }
        for (size_t u = 0; u < UNITS; u++)
            assert_frequent("kept of a unit", 1 - p, of_unit[u], ROWS);
        assert_frequent("kept of a layer", 1 - p, all, n);
    }

    /* Two masks that have nothing to do with each other are equal in so many places: */
    const double agree = p * p + (1 - p) * (1 - p);
    assert_frequent("layers agree", agree, count_equal(a.keeps[0][0], a.keeps[1][0], n), n);
    assert_frequent("samples agree", agree, count_equal(a.keeps[0][0], a.keeps[0][1], n - UNITS),
                    n - UNITS);
    assert_frequent("neighbours agree", agree,
                    count_equal(&a.keeps[0][0][0], &a.keeps[0][0][1], n - 1), n - 1);
    draw_masks(reference, WAY_REFERENCE, &alone, p, 0, ROWS, &b);
    assert_frequent("steps agree", agree, count_equal(a.keeps[0][0], b.keeps[0][0], n), n);
    draw_masks(reference, WAY_REFERENCE, &alone, p, 1, 0, &b);
    assert_frequent("epochs agree", agree, count_equal(a.keeps[0][0], b.keeps[0][0], n), n);

    /* A sample's mask is of its place, whatever the batch. */
    draw_masks(reference, WAY_REFERENCE, &alone, p, 0, 10, &b);
    for (size_t l = 0; l < 2; l++)
        assert_memory_equal(a.keeps[l][10], b.keeps[l][0], (ROWS - 10) * sizeof a.keeps[0][0]);

    for (size_t way = WAY_REFERENCE; way <= (gi_engine_native(reference) ? WAY_DENSE : 0); way++)
        for (size_t k = 0; k < 2; k++) {
            draw_masks(reference, way, &threes[k], p, 0, 0, &b);
            assert_memory_equal(&a, &b, sizeof a);
        }
}

static void check_dropout_level(const gi_engine *f32, const gi_engine *f64)
{
    static const double parts[] = {0.1, 0.5, 0.8};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        check_dropout(f32, parts[i]);
        check_dropout(f64, parts[i]);
    }
}

static void test_dropout(void **state)
{
    (void)state;
    on_every_level(check_dropout_level);
}

/* ---- Inputs --------------------------------------------------------------------------------- */

enum { WIDE = 1000, NOISE_ROWS = 100, N_NOISES = WIDE * NOISE_ROWS };

static const double NOISE_SD = 0.3;

/* Noise beyond inputs that are 0, of so many places from the first on, in units of its sd. */
static void draw_noise(const gi_engine *reference, const gi_engine *engine, uint32_t epoch,
                       uint64_t first, size_t rows, double *noises)
{
    static const float zeros[WIDE];
    static const size_t hidden[1] = {1};
    glia_network *network = make_network(reference, WIDE, 1, hidden, GLIA_ACTIVATION_IDENTITY, 2);
    const gi_plan plan = {.engine = engine, .threads = 1, .changes_floats = true};
    gi_workspace w;
    assert_int_equal(gi_workspace_new(network, &plan, rows, true, &w, NULL), GLIA_OK);
    w.input_noise = NOISE_SD;
    w.seed = SEED;
    for (size_t r = 0; r < rows; r++) {
        gi_row_put(network, &plan, &w, r, GLIA_TYPE_F32, zeros, epoch, first + r);
        for (size_t i = 0; i < gi_padded(WIDE); i++) {
            const double x = element(reference, w.x, r * gi_stride(WIDE) + i);
            if (i < WIDE)
                noises[r * WIDE + i] = x / NOISE_SD;
            else
                assert_true(x == 0);
        }
    }
    gi_workspace_free(&w);
    glia_network_free(network);
}

static int by_size(const void *a_, const void *b_)
{
    const double a = *(const double *)a_, b = *(const double *)b_;
    return (a > b) - (a < b);
}

/* The correlation of what is independent and standard normal is nearly normal, of sd 1 / sqrt(n).
 */
static void assert_independent(const char *what, const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
    if (!(fabs(sum) <= 5 * sqrt((double)n)))
        fail_msg("%s: correlation %.5f of %zu", what, sum / (double)n, n);
}

static void check_noise(const gi_engine *reference, const gi_engine *engine)
{
    static double a[N_NOISES], b[N_NOISES];
    const double n = N_NOISES;
    draw_noise(reference, engine, 0, 0, NOISE_ROWS, a);
    double mean = 0, variance = 0;
    for (size_t i = 0; i < N_NOISES; i++) mean += a[i] / n;
    for (size_t i = 0; i < N_NOISES; i++) variance += (a[i] - mean) * (a[i] - mean) / (n - 1);
    if (!(fabs(mean) <= 5 / sqrt(n)) || !(fabs(variance - 1) <= 5 * sqrt(2 / n)))
        fail_msg("%s %s: noise of mean %.5f and variance %.5f times what was asked for",
                 engine->name, engine->isa, mean, variance);

    assert_independent("neighbours", a, a + 1, N_NOISES - 1);
    assert_independent("blocks", a, a + 16, N_NOISES - 16);
    assert_independent("samples", a, a + WIDE, N_NOISES - WIDE);
    draw_noise(reference, engine, 1, 0, NOISE_ROWS, b);
    assert_independent("epochs", a, b, N_NOISES);
    draw_noise(reference, engine, 0, 10, NOISE_ROWS - 10, b); /* it is of its place */
    assert_memory_equal(a + (size_t)10 * WIDE, b, (size_t)(NOISE_ROWS - 10) * WIDE * sizeof *a);

    /* Kolmogorov and Smirnov: this far off comes in one of 1000 samples of a normal distribution */
    qsort(a, N_NOISES, sizeof *a, by_size);
    double farthest = 0;
    for (size_t i = 0; i < N_NOISES; i++) {
        const double normal = 0.5 * erfc(-a[i] * sqrt(0.5));
        farthest = fmax(farthest, fmax(normal - (double)i / n, (double)(i + 1) / n - normal));
    }
    if (!(farthest * sqrt(n) <= 1.95))
        fail_msg("%s %s: distance %.5f from a normal distribution", engine->name, engine->isa,
                 farthest);

    /* The largest noise of all: a word of the stream of this place has all its upper bits set. */
    draw_noise(reference, engine, 0, 10857, 1, b);
    double largest = 0;
    for (size_t i = 0; i < WIDE; i++) largest = fabs(b[i]) > fabs(largest) ? b[i] : largest;
    if (!(fabs(b[659] - 5.29) < 0.1) || b[659] != largest)
        fail_msg("%s %s: the largest noise is %g standard deviations", engine->name, engine->isa,
                 b[659]);
}

static void check_noise_level(const gi_engine *f32, const gi_engine *f64)
{
    check_noise(f64, f64);
    check_noise(f32, f32);
    if (gi_engine_native(f32)) check_noise(f32, gi_engine_native(f32));
}

static void test_input_noise(void **state)
{
    (void)state;
    on_every_level(check_noise_level);
}

enum { PIXELS = 300, IMAGES = 40 };

/* What a layer whose weights are the unit matrix reads of inputs that are dropped. */
static void read_dropped(const gi_engine *reference, const gi_plan *plan, double p,
                         const uint8_t *images, bool backwards, float *out)
{
    static const size_t hidden[1] = {PIXELS};
    glia_network *network = make_network(reference, PIXELS, 1, hidden, GLIA_ACTIVATION_IDENTITY, 2);
    network->input.divisor = 255;
    for (size_t i = 0; i < PIXELS; i++)
        set_element(reference, network->layers[0].weight,
                    gi_weight_offset(&network->layers[0], i, i), 1);
    gi_workspace w;
    gi_scratch scratch;
    assert_int_equal(gi_workspace_new(network, plan, IMAGES, true, &w, NULL), GLIA_OK);
    assert_int_equal(gi_scratch_new(network, IMAGES, &scratch, NULL), GLIA_OK);
    w.input_dropout = p;
    w.seed = SEED;
    for (size_t r = 0; r < IMAGES; r++) {
        const size_t row = backwards ? IMAGES - 1 - r : r; /* in any order */
        gi_row_put(network, plan, &w, row, GLIA_TYPE_U8, images + row * PIXELS, 2, 100 + row);
    }
    gi_network_forward(network, plan, &w, 0, IMAGES, &scratch);
    for (size_t r = 0; r < IMAGES; r++)
        memcpy(out + r * PIXELS, (const float *)w.activation[0] + r * gi_stride(PIXELS),
               PIXELS * sizeof *out);
    gi_scratch_free(&scratch);
    gi_workspace_free(&w);
    glia_network_free(network);
}

static void check_input_dropout(const gi_engine *f32, const gi_engine *f64)
{
    (void)f64;
    static uint8_t images[IMAGES * PIXELS];
    static float expected[IMAGES * PIXELS], found[IMAGES * PIXELS];
    static const double parts[] = {0.2, 0.75};
    const gi_engine *native = gi_engine_native(f32);
    uint32_t state = 3;
    for (size_t i = 0; i < sizeof images; i++) images[i] = (uint8_t)(1 + below(&state, 255));
    for (size_t k = 0; k < sizeof parts / sizeof parts[0]; k++) {
        const double p = parts[k];
        read_dropped(f32, &(gi_plan){.engine = f32, .threads = 1, .changes_floats = true}, p,
                     images, false, expected);
        size_t kept = 0;
        for (size_t i = 0; i < sizeof images; i++) {
            const double whole = images[i] / 255. / (1 - p), x = (double)expected[i];
            if (x != 0 && fabs(x - whole) > 1e-6 * whole)
                fail_msg("%s, input dropout %g: found %.9g, expected 0 or %.9g", f32->isa, p, x,
                         whole);
            kept += x != 0;
        }
        assert_frequent("inputs kept", 1 - p, kept, sizeof images);
        for (int way = 0; way < 4 && native; way++) {
            const bool bytes = way < 2;
            const gi_plan plan = {.engine = native,
                                  .threads = 1,
                                  .bytes = bytes,
                                  .sparse = way == 1,
                                  .changes_floats = !bytes};
            read_dropped(f32, &plan, p, images, way == 3, found);
            for (size_t i = 0; i < sizeof images; i++)
                if (!(fabsf(found[i] - expected[i]) <= 1e-6F * expected[i]))
                    fail_msg("%s%s%s, input dropout %g: input %zu is %.9g, expected %.9g", f32->isa,
                             plan.bytes ? " bytes" : " floats", plan.sparse ? " sparse" : "", p, i,
                             (double)found[i], (double)expected[i]);
        }
    }
}

static void test_input_dropout(void **state)
{
    (void)state;
    on_every_level(check_input_dropout);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest slow[] = {
        cmocka_unit_test(test_f64_agrees_on_every_level),
        cmocka_unit_test(test_f32_agrees_on_every_level),
    };
    if (slow_cases(argc, argv)) return cmocka_run_group_tests(slow, NULL, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_f64_agrees_with_pytorch),
        cmocka_unit_test(test_f32_agrees_with_pytorch),
        cmocka_unit_test(test_glia_train_agrees_with_pytorch),
        cmocka_unit_test(test_dropout),
        cmocka_unit_test(test_input_noise),
        cmocka_unit_test(test_input_dropout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
