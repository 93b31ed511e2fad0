/* SPDX-License-Identifier: MIT */
/*
 * Why nothing is learned: for each diagnosis data or a network that provokes it, through
 * glia_train, and that runs which learn hear nothing.
 */
#include "numeric.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assert_error.h"
#include "diagnose/relation.h"
#include "diagnose/relation_parts.h"
#include "infer/probe.h"
#include "shape.h"
#include "whole.h"

enum { N = 3000, FEATURES = 32, CLASSES = 5, MOST_LAYERS = 10 };

typedef struct samples {
    float *x; /* (n, FEATURES) */
    uint32_t *label;
    size_t n;
    glia_dataset *dataset;
} samples;

static glia_dataset *wrap(const float *x, const uint32_t *label, size_t n, size_t features,
                          size_t classes)
{
    glia_dataset *dataset = NULL;
    assert_int_equal(
        glia_dataset_from_arrays(GLIA_TYPE_F32, x, label, n, features, classes, &dataset, NULL),
        GLIA_OK);
    return dataset;
}

/* Clouds with an sd of 1 about centres of their classes; about one in ten overlaps another. */
static samples make_clouds(size_t n)
{
    samples s = {test_malloc(n * FEATURES * sizeof(float)), test_malloc(n * sizeof(uint32_t)), n,
                 NULL};
    float centre[CLASSES][FEATURES];
    gi_rng rng = gi_rng_make(1, GI_RANDOM_INIT, 0, 0);
    for (size_t c = 0; c < CLASSES; c++)
        for (size_t f = 0; f < FEATURES; f++) centre[c][f] = 0.5F * gi_rng_normal(&rng);
    for (size_t i = 0; i < n; i++) {
        s.label[i] = gi_rng_below(&rng, CLASSES);
        for (size_t f = 0; f < FEATURES; f++)
            s.x[i * FEATURES + f] = centre[s.label[i]][f] + gi_rng_normal(&rng);
    }
    s.dataset = wrap(s.x, s.label, n, FEATURES, CLASSES);
    return s;
}

static void free_samples(samples *s)
{
    glia_dataset_free(s->dataset);
    test_free(s->x);
    test_free(s->label);
}

/* The same labels in another order. */
static void shuffle_labels(samples *s)
{
    gi_rng rng = gi_rng_make(2, GI_RANDOM_INIT, 0, 0);
    for (size_t i = s->n; i > 1; i--) {
        const size_t j = gi_rng_below(&rng, (uint32_t)i);
        const uint32_t swapped = s->label[i - 1];
        s->label[i - 1] = s->label[j];
        s->label[j] = swapped;
    }
}

static glia_network *make(const glia_dataset *dataset, size_t n_hidden, size_t units,
                          glia_activation activation)
{
    const glia_dataset_info info = glia_dataset_describe(dataset);
    size_t hidden[MOST_LAYERS];
    for (size_t l = 0; l < n_hidden; l++) hidden[l] = units;
    shape p = shape_of(info.features, info.classes);
    p.hidden = hidden;
    p.n_hidden = n_hidden;
    p.activation = activation;
    glia_network *network = NULL;
    assert_int_equal(shape_network(&p, &network, NULL), GLIA_OK);
    return network;
}

/* Multiplies all weights, biases too. */
static void scale_weights(glia_network *network, float factor)
{
    const glia_network_info info = glia_network_describe(network);
    for (size_t l = 0; l < info.layers; l++) {
        const glia_layer_info layer = glia_network_layer(network, l);
        const size_t n = layer.inputs * layer.units;
        float *values = test_malloc((n + layer.units) * sizeof *values);
        assert_int_equal(whole_get_layer(network, l, values, values + n, NULL), GLIA_OK);
        for (size_t i = 0; i < n + layer.units; i++) values[i] *= factor;
        assert_int_equal(whole_set_layer(network, l, values, values + n, NULL), GLIA_OK);
        test_free(values);
    }
}

/* ---- What was told -------------------------------------------------------------------------- */

typedef struct told {
    size_t n;
    glia_diagnosis of[32];
} told;

static void keep(void *user, const glia_diagnosis *d)
{
    told *t = user;
    assert_true(t->n < sizeof t->of / sizeof *t->of);
    assert_true(strlen(d->message) > 20 && !strchr(d->message, '\n'));
    assert_true(strlen(d->message) + 1 < sizeof d->message); /* not cut off */
    assert_true(isfinite(d->value));
    for (size_t i = 0; i < t->n; i++) assert_int_not_equal(t->of[i].kind, d->kind);
    if (t->n > 0) assert_true(d->step >= t->of[t->n - 1].step);
    t->of[t->n++] = *d;
}

static glia_settings training(double lr, size_t epochs)
{
    glia_settings p = gi_settings_defaults();
    if (lr > 0) p.lr = lr;
    p.epochs = epochs;
    p.threads = 1;
    return p;
}

static told train(glia_network *network, const glia_dataset *dataset,
                  const glia_dataset *validation, glia_settings p, glia_train_result *result)
{
    told t = {0};
    glia_error error = {.message = ""};
    p.diagnosis = keep;
    p.user = &t;
    const glia_status status = glia_train(network, dataset, validation, &p, result, &error);
    if (status && status != GLIA_DIVERGED) fail_msg("%s", error.message);
    return t;
}

static const glia_diagnosis *find(const told *t, glia_diagnosis_kind kind)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->of[i].kind == kind) return &t->of[i];
    char all[512] = "nothing";
    for (size_t i = 0, used = 0; i < t->n; i++)
        used += (size_t)snprintf(all + used, sizeof all - used, "%s ",
                                 glia_diagnosis_name(t->of[i].kind));
    fail_msg("found %s, expected %s", all, glia_diagnosis_name(kind));
    return NULL;
}

/* That this is told, and nothing else. */
static const glia_diagnosis *only(const told *t, glia_diagnosis_kind kind)
{
    const glia_diagnosis *d = find(t, kind);
    if (t->n != 1) fail_msg("%zu were told, beside \"%s\"", t->n - 1, d->message);
    return d;
}

static void assert_message(const glia_diagnosis *d, const char *part)
{
    if (!strstr(d->message, part)) fail_msg("\"%s\" without \"%s\"", d->message, part);
}

static void check_before(const glia_diagnosis *d)
{
    assert_true(d->epoch == 0 && d->step == 0 && d->layer == GLIA_NO_LAYER);
}

/* ---- Data ----------------------------------------------------------------------------------- */

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(glia_diagnosis_name(GLIA_DIAGNOSIS_DEAD_UNITS), "dead-units");
    assert_string_equal(glia_diagnosis_name(GLIA_DIAGNOSIS_PLATEAU), "plateau");
    assert_string_equal(glia_diagnosis_name((glia_diagnosis_kind)1000), "unknown");
}

static void test_input_scale(void **state)
{
    (void)state;
    samples s = make_clouds(N);
    for (size_t i = 0; i < N; i++) s.x[i * FEATURES + 7] = 5000 + 300 * s.x[i * FEATURES + 7];
    glia_network *network = make(s.dataset, 1, 32, GLIA_ACTIVATION_RELU);
    told t = train(network, s.dataset, NULL, training(0.2, 2), NULL);
    const glia_diagnosis *d = find(&t, GLIA_DIAGNOSIS_INPUT_SCALE);
    check_before(d);
    assert_message(d, "feature 7 ");
    assert_true(fabs(d->value - 5000) < 200);
    /* what comes of it has a remedy that fits */
    d = find(&t, GLIA_DIAGNOSIS_DEAD_UNITS);
    assert_message(d, "scale the inputs");
    glia_network_free(network);

    for (size_t i = 0; i < N * FEATURES; i++) s.x[i] *= 1e-4F;
    for (size_t i = 0; i < N; i++) s.x[i * FEATURES + 7] = 0;
    network = make(s.dataset, 1, 32, GLIA_ACTIVATION_RELU);
    t = train(network, s.dataset, NULL, training(0.2, 2), NULL);
    assert_message(only(&t, GLIA_DIAGNOSIS_INPUT_SCALE), "tiny");
    glia_network_free(network);
    free_samples(&s);
}

/* Bytes of 0 and 1, which enter the network divided by 255. */
static void test_bits_as_bytes(void **state)
{
    (void)state;
    static uint8_t x[500][16];
    static uint32_t label[500];
    gi_rng rng = gi_rng_make(3, GI_RANDOM_INIT, 0, 0);
    for (size_t i = 0; i < 500; i++) {
        label[i] = gi_rng_below(&rng, 2);
        for (size_t f = 0; f < 16; f++) x[i][f] = gi_rng_below(&rng, 4) <= label[i];
    }
    glia_dataset *dataset = NULL;
    assert_int_equal(glia_dataset_from_arrays(GLIA_TYPE_U8, x, label, 500, 16, 2, &dataset, NULL),
                     GLIA_OK);
    glia_network *network = make(dataset, 1, 16, GLIA_ACTIVATION_TANH);
    const told t = train(network, dataset, NULL, training(0.1, 3), NULL);
    assert_message(only(&t, GLIA_DIAGNOSIS_INPUT_SCALE), "255");
    glia_network_free(network);
    glia_dataset_free(dataset);
}

static void test_input_spread(void **state)
{
    (void)state;
    samples s = make_clouds(N);
    for (size_t i = 0; i < N * FEATURES; i++) s.x[i] *= i % FEATURES == 3 ? 5.0F : 0.01F;
    glia_network *network = make(s.dataset, 1, 32, GLIA_ACTIVATION_TANH);
    const told t = train(network, s.dataset, NULL, training(0.05, 2), NULL);
    const glia_diagnosis *d = only(&t, GLIA_DIAGNOSIS_INPUT_SPREAD);
    check_before(d);
    assert_message(d, "feature 3 ");
    assert_true(d->value > 300 && d->value < 800);
    glia_network_free(network);
    free_samples(&s);
}

static void test_input_constant(void **state)
{
    (void)state;
    samples s = make_clouds(N);
    for (size_t i = 0; i < N * FEATURES; i++) s.x[i] = 0.5F;
    glia_network *network = make(s.dataset, 1, 32, GLIA_ACTIVATION_TANH);
    const told t = train(network, s.dataset, NULL, training(0.05, 4), NULL);
    check_before(only(&t, GLIA_DIAGNOSIS_INPUT_CONSTANT));
    glia_network_free(network);
    free_samples(&s);
}

static void test_labels(void **state)
{
    (void)state;
    samples s = make_clouds(N);
    for (size_t i = 0; i < N; i++) s.label[i] = s.label[i] < 2 ? 1 : 4;
    glia_network *network = make(s.dataset, 1, 32, GLIA_ACTIVATION_RELU);
    told t = train(network, s.dataset, NULL, training(0.1, 2), NULL);
    const glia_diagnosis *d = only(&t, GLIA_DIAGNOSIS_MISSING_CLASS);
    check_before(d);
    assert_true(d->value == 3);
    assert_message(d, "class 0, 2, 3)");
    glia_network_free(network);

    for (size_t i = 0; i < N; i++) s.label[i] = 2;
    network = make(s.dataset, 1, 32, GLIA_ACTIVATION_RELU);
    t = train(network, s.dataset, NULL, training(0.1, 4), NULL);
    d = only(&t, GLIA_DIAGNOSIS_ONE_CLASS);
    check_before(d);
    assert_message(d, "class 2");
    glia_network_free(network);
    free_samples(&s);
}

/* Classes are named as their data name them, not by their places. */
static void test_classes_have_names(void **state)
{
    (void)state;
    static float x[60][2];
    static uint32_t label[60];
    static const char *const names[] = {"1", "seldom seen", "3"};
    for (size_t i = 0; i < 60; i++) {
        label[i] = i % 2 ? 2 : 0;
        x[i][0] = x[i][1] = (float)(i % 2) + 0.01F * (float)(i % 7);
    }
    glia_dataset *data = wrap(&x[0][0], label, 60, 2, 3);
    char *kept[3];
    for (size_t c = 0; c < 3; c++) {
        kept[c] = data->class_names[c];
        data->class_names[c] = (char *)names[c];
    }
    glia_network *network = make(data, 1, 8, GLIA_ACTIVATION_TANH);
    told t = train(network, data, NULL, training(0.1, 1), NULL);
    assert_message(find(&t, GLIA_DIAGNOSIS_MISSING_CLASS), "(class \"seldom seen\")");
    for (size_t c = 0; c < 3; c++) data->class_names[c] = kept[c];
    glia_network_free(network);
    glia_dataset_free(data);
}

/* A part of a data set is judged by its own samples. */
static void test_labels_of_a_view(void **state)
{
    (void)state;
    samples s = make_clouds(N);
    for (size_t i = 0, seen = 0; i < N; i++) /* one sample of class 0: it is held out or left */
        if (s.label[i] == 0 && seen++ > 0) s.label[i] = 1;
    glia_dataset *rest, *held;
    assert_int_equal(glia_dataset_hold_out(s.dataset, 0.6, 1, &rest, &held, NULL), GLIA_OK);
    size_t n_rest = 0;
    for (size_t i = 0; i < glia_dataset_describe(rest).samples; i++) {
        uint32_t label;
        assert_int_equal(whole_sample(rest, i, NULL, &label, NULL), GLIA_OK);
        n_rest += label == 0;
    }
    const glia_dataset *without = n_rest ? held : rest, *with = n_rest ? rest : held;
    glia_network *network = make(s.dataset, 1, 32, GLIA_ACTIVATION_RELU);
    told t = train(network, without, NULL, training(0.1, 1), NULL);
    assert_message(only(&t, GLIA_DIAGNOSIS_MISSING_CLASS), "class 0)");
    t = train(network, with, NULL, training(0.1, 1), NULL);
    assert_int_equal(t.n, 0);
    glia_network_free(network);
    glia_dataset_free(rest);
    glia_dataset_free(held);
    free_samples(&s);
}

/* So many that they cannot be learned by heart, then so few that they can. */
static void test_unrelated_labels(void **state)
{
    (void)state;
    samples s = make_clouds(4 * N);
    shuffle_labels(&s);
    glia_network *network = make(s.dataset, 1, 16, GLIA_ACTIVATION_TANH);
    glia_train_result result;
    told t = train(network, s.dataset, NULL, training(0.05, 4), &result);
    assert_message(only(&t, GLIA_DIAGNOSIS_UNRELATED_LABELS), "the network learns nothing");
    assert_message(&t.of[0], "the labels look unrelated to the samples: ");
    assert_true(t.of[0].epoch == 3);
    assert_true(fabs(t.of[0].value) < 3);
    glia_network_free(network);
    free_samples(&s);

    s = make_clouds(800);
    shuffle_labels(&s);
    network = make(s.dataset, 1, 256, GLIA_ACTIVATION_RELU);
    t = train(network, s.dataset, NULL, training(0.2, 60), &result);
    assert_true(result.train_accuracy > 0.9);
    assert_message(only(&t, GLIA_DIAGNOSIS_UNRELATED_LABELS), "by heart");
    glia_network_free(network);

    glia_dataset *rest, *held;
    assert_int_equal(glia_dataset_hold_out(s.dataset, 0.3, 1, &rest, &held, NULL), GLIA_OK);
    network = make(s.dataset, 1, 256, GLIA_ACTIVATION_RELU);
    t = train(network, rest, held, training(0.2, 60), &result);
    assert_message(only(&t, GLIA_DIAGNOSIS_UNRELATED_LABELS), "by heart");
    glia_network_free(network);
    glia_dataset_free(rest);
    glia_dataset_free(held);
    free_samples(&s);
}

/* Each label one row too low, or too high: told with the remedy, unless the rows are sorted. */
static void test_shifted_labels(void **state)
{
    (void)state;
    for (size_t by = 1; by < N; by += N - 2) {
        samples s = make_clouds(N);
        uint32_t *label = test_malloc(N * sizeof *label);
        for (size_t i = 0; i < N; i++) label[(i + by) % N] = s.label[i];
        memcpy(s.label, label, N * sizeof *label);
        glia_network *network = make(s.dataset, 1, 16, GLIA_ACTIVATION_TANH);
        glia_settings p = training(0.01, 4);
        p.batch = 10;
        const told t = train(network, s.dataset, NULL, p, NULL);
        const glia_diagnosis *d = only(&t, GLIA_DIAGNOSIS_UNRELATED_LABELS);
        assert_message(d, by == 1 ? "the labels look shifted by a row: "
                                  : "with the labels of the rows before them");
        assert_message(d, by == 1 ? "move the labels up by a row" : "down by a row");
        assert_true(d->value > 10);
        glia_network_free(network);
        test_free(label);
        free_samples(&s);
    }
}

/* Labels of two classes that depend a little on the sum of four features: the best classifier has
 * an AUC of about 0.69; of share, the mean probability of the second. */
static samples make_weak(size_t n, double share, uint32_t seed)
{
    samples s = {test_malloc(n * FEATURES * sizeof(float)), test_malloc(n * sizeof(uint32_t)), n,
                 NULL};
    gi_rng rng = gi_rng_make(seed, GI_RANDOM_INIT, 0, 0);
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (size_t f = 0; f < FEATURES; f++) s.x[i * FEATURES + f] = gi_rng_normal(&rng);
        for (size_t f = 0; f < 4; f++) sum += (double)s.x[i * FEATURES + f];
        s.label[i] = (double)gi_rng_uniform(&rng) < share * 2 / (1 + exp(-0.4 * sum));
    }
    s.dataset = wrap(s.x, s.label, n, FEATURES, 2);
    return s;
}

/* Weak but sound tables, balanced or not, are learned by heart, and no word is said of it; with
 * the labels in another order it is. */
static void test_weak_tables_are_sound(void **state)
{
    (void)state;
    static const double shares[] = {0.5, 0.1, 0.03};
    for (size_t i = 0; i < 9; i++) {
        const size_t n = i < 3 ? 300 : i < 6 ? 600 : 1500;
        samples s = make_weak(n, shares[i % 3], (uint32_t)i + 10);
        glia_settings p = training(0, 40);
        p.optimizer = GLIA_OPTIMIZER_ADAM;
        p.lr = 0.01;
        p.batch = n / 10;
        for (int shuffled = 0; shuffled < (i == 6 ? 2 : 1); shuffled++) {
            glia_network *network = make(s.dataset, 1, 100, GLIA_ACTIVATION_RELU);
            const told t = train(network, s.dataset, NULL, p, NULL);
            if (shuffled)
                only(&t, GLIA_DIAGNOSIS_UNRELATED_LABELS);
            else if (t.n > 0)
                fail_msg("%zu samples, %g: \"%s\"", n, shares[i % 3], t.of[0].message);
            glia_network_free(network);
            shuffle_labels(&s);
        }
        free_samples(&s);
    }
}

/* How often numbers of a relation that is not there exceed what is said to be rare, and what one
 * comes to that is: classes of any number, values, rows of which some are held out. */
static void test_relation_of_labels(void **state)
{
    (void)state;
    enum { DRAWS = 60, ROWS = 400 };
    size_t n_related = 0, n_shifted = 0;
    for (uint32_t draw = 0; draw < DRAWS; draw++) {
        samples s = make_weak(ROWS, draw % 2 ? 0.5 : 0.2, draw);
        gi_rng rng = gi_rng_make(draw, GI_RANDOM_HOLD_OUT, 0, 0);
        gi_shuffle(s.label, ROWS, &rng);
        glia_network *network = make(s.dataset, 0, 0, GLIA_ACTIVATION_RELU);
        const gi_relation r = gi_relation_of(network, s.dataset, 1e8);
        assert_int_equal(r.samples, ROWS);
        n_related += r.sign[GI_OWN] > 2.8;
        for (size_t k = GI_BEFORE; k < GI_SHIFTS; k++)
            n_shifted += r.sign[k] > 5 || r.moderate[k] > 3.5;
        glia_network_free(network);
        free_samples(&s);
    }
    assert_true(n_related <= 4 && n_shifted <= 1);

    samples s = make_clouds(ROWS);
    glia_network *network = make(s.dataset, 0, 0, GLIA_ACTIVATION_RELU);
    gi_relation r = gi_relation_of(network, s.dataset, 1e8);
    assert_true(r.sign[GI_OWN] > 20 && r.weak > 50 && r.moderate[GI_OWN] > 50);
    assert_true(r.sign[GI_BEFORE] < 4 && r.sign[GI_AFTER] < 4);
    assert_true(r.explained > 0.3 && r.explained < 0.9);
    glia_dataset *rest, *held;
    assert_int_equal(glia_dataset_hold_out(s.dataset, 0.2, 1, &rest, &held, NULL), GLIA_OK);
    assert_true(gi_relation_of(network, rest, 1e8).sign[GI_OWN] > 15);
    assert_int_equal(gi_relation_of(network, held, 1e8).samples, 0); /* too few */
    glia_network_free(network);
    glia_dataset_free(rest);
    glia_dataset_free(held);

    float *y = test_malloc(ROWS * sizeof *y);
    for (int shift = -1; shift <= 1; shift++) { /* a value that follows one feature of a row */
        for (size_t i = 0; i < ROWS; i++)
            y[i] = s.x[((i + ROWS + (size_t)shift) % ROWS) * FEATURES + 5];
        glia_dataset *values;
        assert_int_equal(glia_dataset_from_targets(GLIA_TYPE_F32, s.x, y, ROWS, FEATURES, 1,
                                                   GLIA_TASK_VALUES, &values, NULL),
                         GLIA_OK);
        shape p = shape_of(FEATURES, 1);
        p.loss = GLIA_LOSS_MSE;
        assert_int_equal(shape_network(&p, &network, NULL), GLIA_OK);
        r = gi_relation_of(network, values, 1e8);
        const size_t k = shift == 0 ? GI_OWN : shift < 0 ? GI_AFTER : GI_BEFORE;
        for (size_t other = 0; other < GI_SHIFTS; other++) {
            assert_true(other == k ? r.sign[other] > 15 : r.sign[other] < 3.5);
            assert_true(other == k ? r.moderate[other] > 15 : r.moderate[other] < 0);
        }
        assert_true(shift == 0 ? r.explained > 0.99 : r.explained < 0.1);
        glia_network_free(network);
        glia_dataset_free(values);
    }
    test_free(y);
    free_samples(&s);
}

/* The Bayes factor of one feature of 0 and 1, by the formula for one column; it does not depend on
 * how the feature is scaled. */
static void test_bayes_factor(void **state)
{
    (void)state;
    enum { ROWS = 240 };
    float x[ROWS];
    uint32_t label[ROWS];
    double n[2][2] = {{0}};
    gi_rng rng = gi_rng_make(1, GI_RANDOM_INIT, 0, 0);
    for (size_t i = 0; i < ROWS; i++) {
        const uint32_t bit = gi_rng_below(&rng, 2);
        label[i] = gi_rng_uniform(&rng) < (bit ? 0.6F : 0.45F);
        x[i] = bit ? 5000 : 4999;
        n[bit][label[i]]++;
    }
    const double ones = n[1][0] + n[1][1], positive = n[0][1] + n[1][1], rows = ROWS;
    const double u = ones / rows, v = positive / rows;
    const double r2 = pow(n[1][1] / rows - u * v, 2) / (u * (1 - u) * v * (1 - v));
    const double distances[] = {0.432, 0.701}; /* of AUCs of 0.62 and 0.69 */
    double expected[2];
    for (size_t i = 0; i < 2; i++) {
        const double part = distances[i] * distances[i] * v * (1 - v);
        const double with = 1 - part + part * rows, without = 1 - part;
        expected[i] = (rows * r2 * (1 - 1 / with) + rows * (1 - r2) * (1 - 1 / without) -
                       log(with) - (rows - 2) * log(without)) /
                      2;
    }
    glia_dataset *dataset = wrap(x, label, ROWS, 1, 2);
    glia_network *network = make(dataset, 0, 0, GLIA_ACTIVATION_RELU);
    const gi_relation r = gi_relation_of(network, dataset, 1e8);
    assert_true(fabs(r.weak - expected[0]) < 1e-5);
    assert_true(fabs(r.moderate[GI_OWN] - expected[1]) < 1e-5);
    assert_true(expected[0] > 0.5);
    glia_network_free(network);
    glia_dataset_free(dataset);
}

/* Of few rows with many features the Bayes factor of labels in random order stays near 1; of more
 * rows it falls. */
static void test_few_rows_say_nothing(void **state)
{
    (void)state;
    enum { DRAWS = 10 };
    static const struct {
        size_t rows, features;
    } cases[] = {{120, FEATURES}, {1600, FEATURES}, {400, 4}};
    for (size_t c = 0; c < 3; c++) {
        double mean = 0;
        for (uint32_t draw = 0; draw < DRAWS; draw++) {
            samples s = make_weak(cases[c].rows, 0.5, draw);
            gi_rng rng = gi_rng_make(draw, GI_RANDOM_HOLD_OUT, 0, 0);
            gi_shuffle(s.label, s.n, &rng);
            glia_dataset *some = wrap(s.x, s.label, s.n, cases[c].features, 2);
            glia_network *network = make(some, 0, 0, GLIA_ACTIVATION_RELU);
            mean += gi_relation_of(network, some, 1e8).weak / DRAWS;
            glia_network_free(network);
            glia_dataset_free(some);
            free_samples(&s);
        }
        assert_true(c == 0 ? mean > -0.6 && mean < 0.6 : mean < -1.5);
    }
}

/* Labels that depend on two features together, and on neither alone; one of them is of another
 * scale. */
static void test_relation_of_pairs(void **state)
{
    (void)state;
    enum { ROWS = 600 };
    samples s = make_weak(ROWS, 0.5, 1);
    for (size_t i = 0; i < ROWS; i++) {
        float *x = s.x + i * FEATURES;
        s.label[i] = (x[2] > 0) != (x[3] > 0);
        x[4] *= 1000;
    }
    glia_dataset *some = wrap(s.x, s.label, ROWS, FEATURES, 2);
    glia_network *network = make(some, 0, 0, GLIA_ACTIVATION_RELU);
    const gi_relation r = gi_relation_of(network, some, 1e8);
    assert_true(r.sign[GI_OWN] > 8 && r.weak < 2);
    assert_true(r.sign[GI_BEFORE] < 3.5 && r.sign[GI_AFTER] < 3.5);
    glia_network_free(network);
    glia_dataset_free(some);
    free_samples(&s);
}

/* How features are scaled changes nothing. */
static void test_relation_of_scaled_features(void **state)
{
    (void)state;
    for (uint32_t draw = 0; draw < 10; draw++) {
        samples s = make_weak(200, 0.5, draw);
        gi_relation r[2];
        for (size_t scaled = 0; scaled < 2; scaled++) {
            for (size_t i = 0; scaled && i < s.n; i++)
                for (size_t f = 0; f < FEATURES; f += 3) s.x[i * FEATURES + f] *= 1024;
            glia_network *network = make(s.dataset, 0, 0, GLIA_ACTIVATION_RELU);
            r[scaled] = gi_relation_of(network, s.dataset, 1e8);
            glia_network_free(network);
        }
        assert_true(fabs(r[0].weak - r[1].weak) < 1e-9);
        for (size_t k = 0; k < GI_SHIFTS; k++)
            assert_true(fabs(r[0].sign[k] - r[1].sign[k]) < 1e-9);
        free_samples(&s);
    }
}

/* The mean and the variance over all orders, by many of them: a few samples in the middle are the
 * nearest of all others. */
static void test_orders_of_neighbours(void **state)
{
    (void)state;
    enum { ROWS = 100, COLUMNS = 12, ORDERS = 1500, MIDDLE = 10 };
    samples s = make_weak(ROWS, 0.5, 1);
    float y[ROWS];
    size_t near_row[ROWS * GI_SHIFTS];
    for (size_t i = 0; i < ROWS; i++) {
        y[i] = 1 + s.x[i * FEATURES];
        for (size_t k = 0; k < GI_SHIFTS; k++) near_row[i * GI_SHIFTS + k] = i;
        for (size_t c = 0; i < MIDDLE && c < COLUMNS; c++) s.x[i * COLUMNS + c] *= 0.1F;
    }
    glia_dataset *values;
    assert_int_equal(glia_dataset_from_targets(GLIA_TYPE_F32, s.x, y, ROWS, COLUMNS, 1,
                                               GLIA_TASK_VALUES, &values, NULL),
                     GLIA_OK);
    const gi_look l = {.dataset = values,
                       .n = ROWS,
                       .p = COLUMNS,
                       .q = 1,
                       .features = COLUMNS,
                       .x = s.x,
                       .y = y,
                       .near_row = near_row};
    double sum = 0, squares = 0;
    gi_rng rng = gi_rng_make(1, GI_RANDOM_INIT, 0, 0);
    for (size_t r = 0; r < ORDERS; r++) {
        for (size_t i = ROWS; i > 1; i--) {
            const size_t j = gi_rng_below(&rng, (uint32_t)i);
            const float swapped = y[i - 1];
            y[i - 1] = y[j];
            y[j] = swapped;
        }
        const double sign = gi_compare_neighbours(&l, 1e8).sign[GI_OWN];
        sum += sign;
        squares += sign * sign;
    }
    assert_true(fabs(sum / ORDERS) < 3 / sqrt(ORDERS));
    assert_true(fabs(sqrt(squares / ORDERS) - 1) < 0.06);
    glia_dataset_free(values);
    free_samples(&s);
}

/* Too few training samples to say anything, of a set that has enough. */
static void test_relation_of_the_whole(void **state)
{
    (void)state;
    samples s = make_clouds(1200);
    shuffle_labels(&s);
    glia_dataset *held, *rest;
    assert_int_equal(glia_dataset_hold_out(s.dataset, 0.93, 1, &rest, &held, NULL), GLIA_OK);
    glia_settings p = training(0.2, 60);
    for (int whole = 0; whole < 2; whole++) {
        glia_network *network = make(s.dataset, 1, 100, GLIA_ACTIVATION_RELU);
        if (whole) p.whole = s.dataset;
        const told t = train(network, rest, NULL, p, NULL);
        if (whole) assert_message(only(&t, GLIA_DIAGNOSIS_UNRELATED_LABELS), "by heart");
        assert_int_equal(t.n, whole);
        glia_network_free(network);
    }
    samples other = make_weak(100, 0.5, 1);
    glia_network *network = make(s.dataset, 0, 0, GLIA_ACTIVATION_RELU);
    glia_error error;
    p.whole = other.dataset;
    assert_error("whole", glia_train(network, rest, NULL, &p, NULL, &error), GLIA_MISMATCH, &error,
                 "with 2 classes", "expected what the training set is a part of, with 5");
    glia_network_free(network);
    free_samples(&other);
    glia_dataset_free(rest);
    glia_dataset_free(held);
    free_samples(&s);
}

/* ---- Networks ------------------------------------------------------------------------------- */

static void test_dead_units(void **state)
{
    (void)state;
    samples s = make_clouds(N);
    glia_network *network = make(s.dataset, 3, 32, GLIA_ACTIVATION_RELU);
    const told t = train(network, s.dataset, NULL, training(4, 3), NULL);
    const glia_diagnosis *d = only(&t, GLIA_DIAGNOSIS_DEAD_UNITS);
    assert_true(d->layer < 3 && d->value > 0.75 && d->value <= 1);
    assert_true(d->epoch >= 1 && d->step > 0);
    assert_message(d, "learning rate (0.8 instead of 4)");
    char name[64];
    snprintf(name, sizeof name, "hidden layer %zu of 3 (relu): %.0f %%", d->layer + 1,
             100 * d->value);
    assert_message(d, name);
    glia_network_free(network);
    free_samples(&s);
}

static void test_saturated_units(void **state)
{
    (void)state;
    samples s = make_clouds(N);
    glia_network *network = make(s.dataset, 2, 64, GLIA_ACTIVATION_TANH);
    told t = train(network, s.dataset, NULL, training(4, 3), NULL);
    const glia_diagnosis *d = only(&t, GLIA_DIAGNOSIS_SATURATED_UNITS);
    assert_true(d->layer < 2 && d->value > 0.5);
    assert_message(d, "(tanh)");
    glia_network_free(network);

    network = make(s.dataset, 1, 64, GLIA_ACTIVATION_SCALED_TANH);
    scale_weights(network, 100);
    t = train(network, s.dataset, NULL, training(0.01, 1), NULL);
    assert_message(find(&t, GLIA_DIAGNOSIS_SATURATED_UNITS), "(scaled-tanh)");
    glia_network_free(network);

    network = make(s.dataset, 2, 64, GLIA_ACTIVATION_SIGMOID);
    scale_weights(network, 50); /* from the start */
    t = train(network, s.dataset, NULL, training(0.01, 1), NULL);
    d = find(&t, GLIA_DIAGNOSIS_SATURATED_UNITS);
    assert_true(d->step == 0);
    assert_message(d, "(sigmoid)");
    glia_network_free(network);
    free_samples(&s);
}

static void test_vanishing_gradient(void **state)
{
    (void)state;
    samples s = make_clouds(N);
    glia_network *network = make(s.dataset, 6, 32, GLIA_ACTIVATION_SIGMOID);
    told t = train(network, s.dataset, NULL, training(0.1, 4), NULL);
    const glia_diagnosis *d = only(&t, GLIA_DIAGNOSIS_VANISHING_GRADIENT);
    assert_true(d->layer == 0 && d->value < 0.01 && d->value > 0);
    assert_message(d, "hidden layer 1 of 6");
    assert_message(d, "instead of sigmoid");
    glia_network_free(network);

    network = make(s.dataset, 3, 32, GLIA_ACTIVATION_TANH);
    scale_weights(network, 0); /* all units of a layer are the same, and stay so */
    t = train(network, s.dataset, NULL, training(0.1, 4), NULL);
    assert_true(only(&t, GLIA_DIAGNOSIS_VANISHING_GRADIENT)->value == 0);
    assert_message(&t.of[0], "larger weights");
    glia_network_free(network);
    free_samples(&s);
}

static void test_exploding_gradient(void **state)
{
    (void)state;
    samples s = make_clouds(N);
    glia_network *network = make(s.dataset, 4, 32, GLIA_ACTIVATION_RELU);
    scale_weights(network, 8);
    told t = train(network, s.dataset, NULL, training(1e-9, 1), NULL);
    const glia_diagnosis *d = find(&t, GLIA_DIAGNOSIS_EXPLODING_GRADIENT);
    assert_true(d->layer == 0 && d->step == 0 && d->value > 500);
    assert_message(d, "smaller weights");
    glia_network_free(network);
    free_samples(&s);
}

static void test_learning_rate(void **state)
{
    (void)state;
    samples s = make_clouds(N);
    glia_network *network = make(s.dataset, 1, 32, GLIA_ACTIVATION_RELU);
    told t = train(network, s.dataset, NULL, training(1e-6, 20), NULL);
    const glia_diagnosis *d = only(&t, GLIA_DIAGNOSIS_RATE_LOW);
    assert_true(d->step >= 1000 && d->epoch < 20 && d->value > 0.95);
    glia_network_free(network);

    network = make(s.dataset, 0, 0, GLIA_ACTIVATION_RELU);
    t = train(network, s.dataset, NULL, training(200, 5), NULL);
    d = only(&t, GLIA_DIAGNOSIS_RATE_HIGH);
    assert_true(d->value > 1.1);
    assert_message(d, "try 20 instead of 200");
    glia_network_free(network);
    free_samples(&s);
}

/* A checkerboard, which no straight line divides. */
static void test_plateau(void **state)
{
    (void)state;
    static float x[N][2];
    static uint32_t label[N];
    gi_rng rng = gi_rng_make(4, GI_RANDOM_INIT, 0, 0);
    for (size_t i = 0; i < N; i++) {
        for (size_t f = 0; f < 2; f++) x[i][f] = 2 * gi_rng_uniform(&rng) - 1;
        label[i] = (x[i][0] > 0) == (x[i][1] > 0);
    }
    glia_dataset *board = wrap(&x[0][0], label, N, 2, 2);
    glia_network *network = make(board, 0, 0, GLIA_ACTIVATION_RELU);
    told t = train(network, board, NULL, training(0.2, 12), NULL);
    assert_message(only(&t, GLIA_DIAGNOSIS_PLATEAU), "a hidden layer");
    glia_network_free(network);
    network = make(board, 1, 16, GLIA_ACTIVATION_TANH);
    t = train(network, board, NULL, training(0.2, 30), NULL);
    assert_int_equal(t.n, 0);
    glia_network_free(network);
    glia_dataset_free(board);
}

/* ---- Runs that learn ------------------------------------------------------------------------ */

static void check_healthy(const glia_dataset *dataset, size_t n_hidden, size_t units,
                          glia_activation activation, glia_settings p, double accuracy)
{
    glia_network *network = make(dataset, n_hidden, units, activation);
    glia_train_result result;
    const told t = train(network, dataset, NULL, p, &result);
    if (t.n > 0 || !(result.train_accuracy >= accuracy))
        fail_msg("%zu x %zu %s, lr %g, batch %zu: accuracy %.2f, \"%s\"", n_hidden, units,
                 glia_activation_name(activation), p.lr, p.batch, result.train_accuracy,
                 t.of[0].message);
    glia_network_free(network);
}

static bool is_sanitized(void)
{
    const char *value = getenv("GLIA_SANITIZED");
    return value && *value;
}

static void test_healthy_runs(void **state)
{
    (void)state;
    if (is_sanitized()) skip(); /* too slow there, and about numbers alone */
    static const glia_activation activations[] = {GLIA_ACTIVATION_SIGMOID, GLIA_ACTIVATION_TANH,
                                                  GLIA_ACTIVATION_RELU, GLIA_ACTIVATION_IDENTITY};
    static const double rates[] = {0.02, 0.1};
    samples s = make_clouds(N);
    for (size_t a = 0; a < 4; a++)
        for (size_t layers = 0; layers <= (activations[a] == GLIA_ACTIVATION_SIGMOID ? 2 : 5);
             layers++)
            for (size_t r = 0; r < 2; r++) {
                glia_settings p = training(rates[r], 16);
                check_healthy(s.dataset, layers, 48, activations[a], p, 0.8);
                p.lr /= 4;
                p.batch = 1;
                p.epochs = 6;
                check_healthy(s.dataset, layers, 8, activations[a], p, 0.7);
            }
    free_samples(&s);
}

/* What changes losses and activations: newer units, normalised ones, dropout, smoothing, weights.
 */
static void test_healthy_variants(void **state)
{
    (void)state;
    if (is_sanitized()) skip(); /* too slow there, and about numbers alone */
    samples s = make_clouds(N);
    static const glia_optimizer optimizers[] = {GLIA_OPTIMIZER_MOMENTUM, GLIA_OPTIMIZER_NESTEROV,
                                                GLIA_OPTIMIZER_RMSPROP, GLIA_OPTIMIZER_ADAM,
                                                GLIA_OPTIMIZER_ADAMW};
    for (int f = GLIA_ACTIVATION_LEAKY_RELU; f <= GLIA_ACTIVATION_SCALED_TANH; f++)
        for (size_t layers = 1; layers <= 4; layers += 3)
            check_healthy(s.dataset, layers, 48, (glia_activation)f, training(0.05, 12), 0.8);
    for (size_t o = 0; o < sizeof optimizers / sizeof *optimizers; o++) {
        glia_settings p = training(0, 12);
        p.optimizer = optimizers[o];
        check_healthy(s.dataset, 2, 48, GLIA_ACTIVATION_RELU, p, 0.8);
    }
    glia_settings p = training(0.05, 12);
    p.label_smoothing = 0.3;
    p.dropout = 0.4;
    p.averaging = 0.99;
    check_healthy(s.dataset, 2, 48, GLIA_ACTIVATION_RELU, p, 0.7);

    /* One class of 20, which counts as much as the other: the loss, weighted, is high. */
    for (size_t i = 0; i < N; i++) s.label[i] = s.label[i] == 0 && i % 4 == 0;
    double weights[CLASSES] = {1, 19, 1, 1, 1};
    glia_dataset *rare = wrap(s.x, s.label, N, FEATURES, 2);
    p = training(0.02, 12);
    p.class_weights = (gi_class_weights){.n = 2, .of = weights};
    check_healthy(rare, 1, 16, GLIA_ACTIVATION_RELU, p, 0.6);
    glia_dataset_free(rare);
    free_samples(&s);
}

/* Nothing is known of the gradient but what the probe says: against differences of its loss. */
static void test_gradient_of_probe(void **state)
{
    (void)state;
    samples s = make_clouds(64);
    for (int f = GLIA_ACTIVATION_SIGMOID; f <= GLIA_ACTIVATION_SCALED_TANH; f++)
        for (int normalised = 0; normalised < 2; normalised++) {
            enum { UNITS = 24 };
            glia_network *network = make(s.dataset, 2, UNITS, (glia_activation)f);
            if (normalised)
                for (size_t l = 0; l < 2; l++)
                    assert_int_equal(gi_network_normalise(network, l, NULL), GLIA_OK);
            float *variance = network->layers[0].variance, *mean = network->layers[0].mean;
            for (size_t u = 0; normalised && u < UNITS; u++) {
                variance[u] = 1.5F + 0.1F * (float)u;
                mean[u] = 0.3F;
            }
            gi_probe *probe = NULL;
            gi_state state0, state1;
            assert_int_equal(gi_probe_new(network, s.dataset, 1, 1, &probe, NULL), GLIA_OK);
            gi_probe_run(probe, &state0);
            /* one sample: dJ/dz of a unit is dJ/db, or, normalised, -dJ/dmean */
            float *at = normalised ? mean : network->layers[0].bias;
            double sum = 0;
            for (size_t u = 0; u < UNITS; u++) {
                const float before = at[u], h = 1e-2F;
                at[u] = before + h;
                gi_probe_run(probe, &state1);
                at[u] = before - h;
                const double above = state1.loss;
                gi_probe_run(probe, &state1);
                at[u] = before;
                const double slope = (above - state1.loss) / (2 * (double)h);
                sum += slope * slope;
            }
            const double expected = sqrt(sum / UNITS), found = state0.layers[0].gradient;
            if (!(fabs(found - expected) < 0.03 * expected))
                fail_msg("%s%s: rms %g, expected %g", glia_activation_name((glia_activation)f),
                         normalised ? ", normalised" : "", found, expected);
            gi_probe_free(probe);
            glia_network_free(network);
        }
    free_samples(&s);
}

/* So few samples that an epoch is a step or two. */
static void test_healthy_small_sets(void **state)
{
    (void)state;
    static const float x[] = {0, 0, 0, 1, 1, 0, 1, 1};
    static const uint32_t label[] = {0, 1, 1, 0};
    glia_dataset *xor_gate = wrap(x, label, 4, 2, 2);
    for (size_t batch = 1; batch <= 4; batch += 3)
        for (int f = GLIA_ACTIVATION_SIGMOID; f <= GLIA_ACTIVATION_RELU; f++) {
            glia_settings p = training(batch == 1 ? 0.1 : 0.5, 4000);
            p.batch = batch;
            check_healthy(xor_gate, 1, 16, (glia_activation)f, p, 1);
        }
    glia_dataset_free(xor_gate);
    samples s = make_clouds(120);
    check_healthy(s.dataset, 1, 16, GLIA_ACTIVATION_RELU, training(0.1, 30), 0.9);
    check_healthy(s.dataset, 2, 16, GLIA_ACTIVATION_TANH, training(0.1, 30), 0.9);
    free_samples(&s);
}

/* ---- What looking changes ------------------------------------------------------------------- */

static size_t count_looks;
static void count(void *user, const glia_diagnosis *d)
{
    (void)user;
    (void)d;
    count_looks++;
}

/* No bit of the network, with any number of threads; and what is told does not depend on them. */
static void test_looking_changes_nothing(void **state)
{
    (void)state;
    samples s = make_clouds(20000); /* enough for looks within an epoch */
    const size_t n = (FEATURES + 1) * 192;
    float *weights[2] = {test_malloc(n * sizeof(float)), test_malloc(n * sizeof(float))};
    for (size_t layers = 1; layers <= 2; layers++) /* shared out by samples, and by units */
        for (int threads = 1; threads <= 3; threads++) {
            glia_settings p = training(50, 1);
            p.threads = threads;
            p.batch = 100;
            told all = {0};
            for (int looks = 0; looks < 2; looks++) {
                glia_network *network = make(s.dataset, layers, 192, GLIA_ACTIVATION_TANH);
                if (looks)
                    all = train(network, s.dataset, NULL, p, NULL);
                else
                    assert_int_equal(glia_train(network, s.dataset, NULL, &p, NULL, NULL), GLIA_OK);
                assert_int_equal(whole_get_layer(network, 0, weights[looks],
                                                 weights[looks] + FEATURES * 192, NULL),
                                 GLIA_OK);
                glia_network_free(network);
            }
            assert_memory_equal(weights[0], weights[1], n * sizeof(float));
            assert_true(find(&all, GLIA_DIAGNOSIS_SATURATED_UNITS)->step == 100);
        }
    test_free(weights[0]);
    test_free(weights[1]);
    glia_network *network = make(s.dataset, 1, 16, GLIA_ACTIVATION_RELU);
    glia_settings p = training(5, 0);
    p.diagnosis = count;
    assert_int_equal(glia_train(network, s.dataset, NULL, &p, NULL, NULL), GLIA_OK);
    assert_int_equal(count_looks, 0); /* there was nothing to learn */
    glia_network_free(network);
    free_samples(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_input_scale),
        cmocka_unit_test(test_bits_as_bytes),
        cmocka_unit_test(test_input_spread),
        cmocka_unit_test(test_input_constant),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_classes_have_names),
        cmocka_unit_test(test_labels_of_a_view),
        cmocka_unit_test(test_unrelated_labels),
        cmocka_unit_test(test_shifted_labels),
        cmocka_unit_test(test_weak_tables_are_sound),
        cmocka_unit_test(test_relation_of_labels),
        cmocka_unit_test(test_bayes_factor),
        cmocka_unit_test(test_few_rows_say_nothing),
        cmocka_unit_test(test_relation_of_pairs),
        cmocka_unit_test(test_relation_of_scaled_features),
        cmocka_unit_test(test_orders_of_neighbours),
        cmocka_unit_test(test_relation_of_the_whole),
        cmocka_unit_test(test_dead_units),
        cmocka_unit_test(test_saturated_units),
        cmocka_unit_test(test_vanishing_gradient),
        cmocka_unit_test(test_exploding_gradient),
        cmocka_unit_test(test_learning_rate),
        cmocka_unit_test(test_plateau),
        cmocka_unit_test(test_healthy_runs),
        cmocka_unit_test(test_healthy_variants),
        cmocka_unit_test(test_gradient_of_probe),
        cmocka_unit_test(test_healthy_small_sets),
        cmocka_unit_test(test_looking_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
