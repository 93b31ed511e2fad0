/* SPDX-License-Identifier: MIT */
/* Networks that standardise their inputs: by hand it is the same, to the bit, wherever they read.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include <string.h>

#include "assert_error.h"
#include "base/random.h"
#include "net/network.h"
#include "shape.h"
#include "whole.h"

enum { N = 60, HELD_OUT = 20, SIDE = 3, IN_COLOUR = 3, FEATURES = SIDE * SIDE * IN_COLOUR };

/* Bytes in colour, (SIDE, SIDE, 3), or floats far from 0, in two classes. */
typedef struct samples {
    glia_type type;
    size_t period; /* of what is standardised */
    uint8_t bytes[N * FEATURES];
    float floats[N * FEATURES];
    float by_hand[N * FEATURES];
    double mean[FEATURES], scale[FEATURES];
    uint32_t label[N];
    glia_dataset *raw, *scaled; /* of all but the last HELD_OUT */
} samples;

static float value_of(const samples *s, size_t i)
{
    return s->type == GLIA_TYPE_U8 ? (float)s->bytes[i] * (1.0F / 255) : s->floats[i];
}

static glia_dataset *dataset_of(const samples *s, glia_type type, const void *x, size_t n)
{
    glia_dataset *dataset;
    glia_error error;
    assert_error("arrays",
                 glia_dataset_from_arrays(type, x, s->label, n, FEATURES, 2, &dataset, &error),
                 GLIA_OK, &error, NULL, NULL);
    return dataset;
}

/* Mean and standard deviation of the samples that are learned from, as the definition has them. */
static void standardise_by_hand(samples *s)
{
    const double n = (double)(N - HELD_OUT) * FEATURES / (double)s->period;
    for (size_t k = 0; k < s->period; k++) {
        double sum = 0, squares = 0;
        for (size_t i = k; i < (N - HELD_OUT) * FEATURES; i += s->period)
            sum += (double)value_of(s, i);
        s->mean[k] = sum / n;
        for (size_t i = k; i < (N - HELD_OUT) * FEATURES; i += s->period) {
            const double d = (double)value_of(s, i) - s->mean[k];
            squares += d * d;
        }
        s->scale[k] = squares > 0 ? sqrt(squares / n) : 1;
    }
    for (size_t i = 0; i < N * FEATURES; i++) {
        const size_t k = i % s->period;
        s->by_hand[i] = (float)(((double)value_of(s, i) - s->mean[k]) / s->scale[k]);
    }
}

static samples *make_samples(glia_type type)
{
    samples *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->type = type;
    s->period = type == GLIA_TYPE_U8 ? IN_COLOUR : FEATURES;
    gi_rng rng = gi_rng_make(7, GI_RANDOM_INIT, 0, 0);
    for (size_t i = 0; i < N * FEATURES; i++) {
        const size_t f = i % FEATURES;
        const uint32_t label = s->label[i / FEATURES] = i / FEATURES % 2;
        const float v = gi_rng_normal(&rng) + (label ? 1 : 0);
        s->bytes[i] = (uint8_t)fminf(fmaxf(100 + 20 * v * (float)(f % 3 + 1), 0), 255);
        s->floats[i] = f == 5 ? 3 : 1000 * (float)f + v * (float)(f + 1);
    }
    standardise_by_hand(s);
    s->raw = dataset_of(s, type, type == GLIA_TYPE_U8 ? (void *)s->bytes : s->floats, N - HELD_OUT);
    s->scaled = dataset_of(s, GLIA_TYPE_F32, s->by_hand, N - HELD_OUT);
    if (type == GLIA_TYPE_U8)
        assert_int_equal(glia_dataset_set_images(s->raw, SIDE, SIDE, NULL), GLIA_OK);
    return s;
}

static void free_samples(samples *s)
{
    glia_dataset_free(s->raw);
    glia_dataset_free(s->scaled);
    free(s);
}

static glia_network *make(unsigned preprocess)
{
    static const size_t hidden = 10;
    shape p = shape_of(FEATURES, 2);
    p.hidden = &hidden;
    p.n_hidden = 1;
    p.preprocess = preprocess;
    glia_network *network;
    assert_int_equal(shape_network(&p, &network, NULL), GLIA_OK);
    return network;
}

static void train(glia_network *network, const glia_dataset *dataset, size_t batch,
                  glia_engine engine)
{
    glia_settings p = gi_settings_defaults();
    glia_error error;
    p.batch = batch;
    p.lr = 0.01;
    p.epochs = 4;
    p.engine = engine;
    p.optimizer = batch == 1 ? GLIA_OPTIMIZER_MOMENTUM
                             : GLIA_OPTIMIZER_ADAM; /* which no fused step computes */
    p.input_noise = 0.1;
    p.threads = 1;
    assert_error("train", glia_train(network, dataset, NULL, &p, NULL, &error), GLIA_OK, &error,
                 NULL, NULL);
}

static void assert_same(const glia_network *a, const glia_network *b)
{
    float x[FEATURES * 10], y[FEATURES * 10];
    for (size_t l = 0; l < 2; l++) {
        const glia_layer_info layer = glia_network_layer(a, l);
        assert_int_equal(whole_get_layer(a, l, x, NULL, NULL), GLIA_OK);
        assert_int_equal(whole_get_layer(b, l, y, NULL, NULL), GLIA_OK);
        assert_memory_equal(x, y, layer.inputs * layer.units * sizeof *x);
    }
}

/* What it predicts of raw samples is what the other does of those scaled by hand. */
static void assert_predicts(const glia_network *standardising, const glia_network *plain,
                            const samples *s)
{
    float found[N * 2], expected[N * 2];
    const void *x = s->type == GLIA_TYPE_U8 ? (const void *)s->bytes : s->floats;
    assert_int_equal(whole_predict(standardising, s->type, x, N, found, NULL), GLIA_OK);
    assert_int_equal(whole_predict(plain, GLIA_TYPE_F32, s->by_hand, N, expected, NULL), GLIA_OK);
    assert_memory_equal(found, expected, sizeof found);
    glia_metrics raw, scaled;
    assert_int_equal(whole_evaluate(standardising, s->raw, 1, &raw, NULL, NULL), GLIA_OK);
    assert_int_equal(whole_evaluate(plain, s->scaled, 1, &scaled, NULL, NULL), GLIA_OK);
    assert_true(raw.loss == scaled.loss && raw.accuracy == scaled.accuracy);
    float units[10], same[10];
    assert_int_equal(whole_activations(standardising, 0, s->type, x, 1, units, NULL), GLIA_OK);
    assert_int_equal(whole_activations(plain, 0, GLIA_TYPE_F32, s->by_hand, 1, same, NULL),
                     GLIA_OK);
    assert_memory_equal(units, same, sizeof units);
}

static void test_as_by_hand(void **state)
{
    (void)state;
    static const glia_type types[] = {GLIA_TYPE_U8, GLIA_TYPE_F32};
    static const glia_engine engines[] = {GLIA_ENGINE_AUTO, GLIA_ENGINE_REFERENCE};
    for (size_t t = 0; t < 2; t++) {
        samples *s = make_samples(types[t]);
        for (size_t e = 0; e < 2; e++)
            for (size_t batch = 1; batch <= 10; batch += 9) {
                glia_network *standardising = make(GLIA_PREPROCESS_STANDARDISE), *plain = make(0);
                train(standardising, s->raw, batch, engines[e]);
                train(plain, s->scaled, batch, engines[e]);
                assert_same(standardising, plain);
                assert_predicts(standardising, plain, s);
                glia_network_free(standardising);
                glia_network_free(plain);
            }
        free_samples(s);
    }
}

/* Measured once, by the weights of samples: a sample of weight 0 is none. */
static void test_scales_stay(void **state)
{
    (void)state;
    samples *s = make_samples(GLIA_TYPE_F32);
    float weights[N];
    for (size_t i = 0; i < N; i++) weights[i] = i < N - HELD_OUT ? 2 : 0;
    glia_dataset *all = dataset_of(s, GLIA_TYPE_F32, s->floats, N);
    assert_int_equal(whole_set_weights(all, weights, NULL), GLIA_OK);
    glia_network *network = make(GLIA_PREPROCESS_STANDARDISE);
    train(network, all, 10, GLIA_ENGINE_AUTO);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(network->input.n_scales, FEATURES);
        for (size_t f = 0; f < FEATURES; f++) {
            assert_true(fabs(network->input.mean[f] - s->mean[f]) < 1e-9 * fabs(s->mean[f]) + 1e-9);
            assert_true(fabs(network->input.scale[f] / s->scale[f] - 1) < 1e-9);
        }
        train(network, s->scaled, 10, GLIA_ENGINE_AUTO); /* which has other ones */
    }
    assert_true(network->input.scale[5] == 1); /* the same for all */
    glia_network_free(network);
    glia_dataset_free(all);
    free_samples(s);
}

static void test_kept_in_the_model(void **state)
{
    (void)state;
    samples *s = make_samples(GLIA_TYPE_U8);
    char path[] = "standardise-XXXXXX";
    assert_true(close(mkstemp(path)) == 0);
    for (int trained = 0; trained < 2; trained++) {
        glia_network *network = make(GLIA_PREPROCESS_STANDARDISE), *loaded;
        if (trained) train(network, s->raw, 10, GLIA_ENGINE_AUTO);
        assert_int_equal(glia_network_save(network, path, NULL), GLIA_OK);
        assert_int_equal(glia_network_load(path, &loaded, NULL), GLIA_OK);
        assert_int_equal(glia_network_describe(loaded).preprocess, GLIA_PREPROCESS_STANDARDISE);
        assert_int_equal(loaded->input.n_scales, trained ? IN_COLOUR : 0);
        float before[N * 2], after[N * 2];
        assert_int_equal(whole_predict(network, GLIA_TYPE_U8, s->bytes, N, before, NULL), GLIA_OK);
        assert_int_equal(whole_predict(loaded, GLIA_TYPE_U8, s->bytes, N, after, NULL), GLIA_OK);
        assert_memory_equal(before, after, sizeof before);
        glia_network_free(network);
        glia_network_free(loaded);
    }
    unlink(path);
    free_samples(s);
}

static void test_refuses_what_is_no_number(void **state)
{
    (void)state;
    samples *s = make_samples(GLIA_TYPE_F32);
    s->floats[FEATURES + 2] = NAN;
    glia_network *network = make(GLIA_PREPROCESS_STANDARDISE);
    glia_error error;
    assert_error("NaN", glia_train(network, s->raw, NULL, NULL, NULL, &error), GLIA_BAD_ARGUMENT,
                 &error, "feature 2", "infinite or no number");
    assert_null(network->input.mean);
    glia_network_free(network);
    free_samples(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_by_hand),
        cmocka_unit_test(test_scales_stay),
        cmocka_unit_test(test_kept_in_the_model),
        cmocka_unit_test(test_refuses_what_is_no_number),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
