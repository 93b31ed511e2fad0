/* SPDX-License-Identifier: MIT */
/*
 * Losses beyond cross-entropy, as a user sees them: regression reaches its noise, several labels
 * are learned, weights count as repetitions, figures are scikit-learn's, outputs are in the units
 * of the data, a run can be broken off, and what does not fit is refused. The gradients are
 * test_gradient.c's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "assert_error.h"
#include "base/random.h"
#include "glia.h"
#include "golden/metrics.h"
#include "shape.h"
#include "whole.h"

static const glia_loss value_losses[] = {GLIA_LOSS_MSE, GLIA_LOSS_MAE, GLIA_LOSS_HUBER};
enum { N_VALUE_LOSSES = sizeof value_losses / sizeof value_losses[0] };

static void refuses(glia_status found, glia_status expected, const glia_error *error,
                    const char *word)
{
    assert_error("refused", found, expected, error, word, NULL);
}

/* ---- Data ----------------------------------------------------------------------------------- */

enum { INPUTS = 2, TARGETS = 2, SAMPLES = 1500 };
static const double noise = 5;

/*
 * Of two inputs a, b: value = 500 + 40 a - 15 b^2 + noise; two values, the second 0.001 a b without
 * any; two labels, a > b and a + b > 0.
 */
typedef struct samples {
    float x[SAMPLES][INPUTS], value[SAMPLES], two[SAMPLES][TARGETS], labels[SAMPLES][TARGETS];
} samples;

static void draw(samples *s, uint64_t seed)
{
    gi_rng rng = gi_rng_make(seed, GI_RANDOM_INIT, 0, 0);
    for (size_t i = 0; i < SAMPLES; i++) {
        const double a = 2 * (double)gi_rng_uniform(&rng) - 1;
        const double b = 2 * (double)gi_rng_uniform(&rng) - 1;
        s->x[i][0] = (float)a;
        s->x[i][1] = (float)b;
        s->value[i] = (float)(500 + 40 * a - 15 * b * b + noise * (double)gi_rng_normal(&rng));
        s->two[i][0] = s->value[i];
        s->two[i][1] = (float)(0.001 * a * b);
        s->labels[i][0] = a > b;
        s->labels[i][1] = a + b > 0;
    }
}

static glia_dataset *dataset_of(const float *x, const float *targets, size_t n, size_t n_targets,
                                glia_task task)
{
    glia_dataset *d = NULL;
    glia_error error;
    if (glia_dataset_from_targets(GLIA_TYPE_F32, x, targets, n, INPUTS, n_targets, task, &d,
                                  &error))
        fail_msg("%s", error.message);
    return d;
}

/* The data that a loss is for, the first n samples: of values both. */
static glia_dataset *data_for(glia_loss loss, const samples *s, size_t n)
{
    const bool labels = loss == GLIA_LOSS_BCE;
    return dataset_of(s->x[0], labels ? s->labels[0] : s->two[0], n, TARGETS,
                      labels ? GLIA_TASK_LABELS : GLIA_TASK_VALUES);
}

static glia_network *network_of(size_t inputs, size_t outputs, glia_loss loss, size_t hidden)
{
    shape params = shape_of(inputs, outputs);
    params.loss = loss;
    params.n_hidden = hidden > 0;
    params.hidden = &hidden;
    params.activation = GLIA_ACTIVATION_TANH;
    glia_network *network = NULL;
    assert_int_equal(shape_network(&params, &network, NULL), GLIA_OK);
    return network;
}

static glia_settings adam(size_t epochs)
{
    glia_settings p = gi_settings_defaults();
    p.optimizer = GLIA_OPTIMIZER_ADAM;
    p.lr = 0.01;
    p.schedule = GLIA_SCHEDULE_COSINE;
    p.epochs = epochs;
    p.threads = 1;
    return p;
}

static glia_train_result train(glia_network *network, const glia_dataset *data,
                               const glia_settings *params)
{
    glia_train_result result;
    glia_error error;
    if (glia_train(network, data, NULL, params, &result, &error)) fail_msg("%s", error.message);
    return result;
}

static glia_metrics evaluate(const glia_network *network, const glia_dataset *data, int threads)
{
    glia_metrics metrics;
    glia_error error;
    if (whole_evaluate(network, data, threads, &metrics, NULL, &error))
        fail_msg("%s", error.message);
    return metrics;
}

/* Outputs (n, outputs) of the first n samples. */
static void predict(const glia_network *network, const samples *s, size_t n, float *out)
{
    glia_error error;
    if (whole_predict(network, GLIA_TYPE_F32, s->x, n, out, &error)) fail_msg("%s", error.message);
}

/* ---- What is learned ------------------------------------------------------------------------ */

/* Whatever the loss, what is left of the error is the noise; accuracy says nothing of values. */
static void test_regression_reaches_its_noise(void **state)
{
    (void)state;
    static samples s, other;
    draw(&s, 1);
    draw(&other, 2);
    glia_dataset *data = dataset_of(s.x[0], s.value, SAMPLES, 1, GLIA_TASK_VALUES);
    glia_dataset *test = dataset_of(other.x[0], other.value, SAMPLES, 1, GLIA_TASK_VALUES);
    for (size_t l = 0; l < N_VALUE_LOSSES; l++) {
        glia_network *network = network_of(INPUTS, 1, value_losses[l], 16);
        const glia_settings params = adam(25);
        glia_train_result result;
        glia_error error;
        if (glia_train(network, data, test, &params, &result, &error))
            fail_msg("%s", error.message);
        const glia_metrics m = evaluate(network, test, 2);
        print_message("# %s: rmse %.3f of %.3f, mae %.3f, r2 %.4f\n",
                      glia_loss_name(value_losses[l]), m.rmse, noise, m.mae, m.r2);
        assert_true(m.rmse < 1.05 * noise && m.rmse > 0.95 * noise);
        assert_true(fabs(m.mae - noise * sqrt(2 / 3.14159265)) < 0.07 * noise);
        assert_true(m.r2 > 0.95 && m.r2 < 1);
        assert_true(isnan(m.accuracy) && isnan(m.roc_auc) && isnan(m.exact));
        assert_true(isnan(result.train_accuracy) && isnan(result.validation_accuracy));
        assert_true(fabs(result.train_rmse - noise) < 0.06 * noise);
        assert_true(result.validation_rmse == m.rmse);
        glia_network_free(network);
    }
    glia_dataset_free(data);
    glia_dataset_free(test);
}

static void test_labels_are_learned(void **state)
{
    (void)state;
    static samples s;
    draw(&s, 3);
    glia_dataset *data = data_for(GLIA_LOSS_BCE, &s, SAMPLES), *rest, *held;
    assert_int_equal(glia_dataset_hold_out(data, 0.2, 1, &rest, &held, NULL), GLIA_OK);
    glia_network *network = network_of(INPUTS, TARGETS, GLIA_LOSS_BCE, 8);
    const glia_settings params = adam(20);
    const glia_train_result result = train(network, rest, &params);
    const glia_metrics m = evaluate(network, held, 1);
    assert_true(m.accuracy > 0.97 && m.exact > 0.95 && m.exact <= m.accuracy);
    assert_true(m.roc_auc > 0.99 && m.average_precision > 0.99 && isnan(m.rmse) && isnan(m.r2));
    assert_true(result.train_accuracy > 0.97 && result.train_accuracy <= 1);
    assert_true(isnan(result.train_rmse));
    assert_int_equal(glia_network_layer(network, 1).activation, GLIA_ACTIVATION_SIGMOID);
    float p[TARGETS * 4];
    predict(network, &s, 4, p);
    for (size_t i = 0; i < 4; i++) /* each of its own, and no share of a whole */
        for (size_t c = 0; c < TARGETS; c++)
            assert_true((p[i * TARGETS + c] > 0.5F) == (s.labels[i][c] > 0));
    glia_network_free(network);
    glia_dataset_free(rest);
    glia_dataset_free(held);
    glia_dataset_free(data);
}

/* Targets that never change cost nothing and come back; nothing is divided by 0. */
static void test_constant_targets(void **state)
{
    (void)state;
    static samples s;
    draw(&s, 4);
    for (size_t i = 0; i < SAMPLES; i++) s.two[i][1] = -7e6F;
    glia_dataset *data = data_for(GLIA_LOSS_MSE, &s, SAMPLES);
    glia_network *network = network_of(INPUTS, TARGETS, GLIA_LOSS_MSE, 8);
    const glia_settings params = adam(10);
    train(network, data, &params);
    const glia_metrics m = evaluate(network, data, 1);
    assert_true(isnan(m.r2) && isfinite(m.loss) && m.rmse < 5);
    float y[TARGETS];
    predict(network, &s, 1, y);
    assert_true(fabsf(y[1] + 7e6F) < 1);
    glia_network_free(network);
    glia_dataset_free(data);
}

/* ---- Figures -------------------------------------------------------------------------------- */

/* A network whose last sums are its inputs. */
static glia_network *transparent(size_t n, glia_loss loss)
{
    glia_network *network = network_of(n, n, loss, 0);
    float weight[GOLDEN_OUTPUTS * GOLDEN_OUTPUTS] = {0}, bias[GOLDEN_OUTPUTS] = {0};
    for (size_t c = 0; c < n; c++) weight[c * n + c] = 1;
    assert_int_equal(whole_set_layer(network, 0, weight, bias, NULL), GLIA_OK);
    return network;
}

static void check_figure(const char *name, double found, double expected)
{
    if (!(fabs(found - expected) <= 1e-6 * fabs(expected)))
        fail_msg("%s: found %.9g, expected %.9g", name, found, expected);
}

static glia_metrics golden_metrics(glia_loss loss)
{
    const glia_task task = glia_loss_task(loss);
    const float *targets = task == GLIA_TASK_VALUES ? golden_values : golden_labels;
    glia_dataset *data;
    static float x[GOLDEN_SAMPLES][2]; /* of two classes: 0 and the first sum */
    for (size_t i = 0; i < GOLDEN_SAMPLES; i++) x[i][1] = golden_sums[i * GOLDEN_OUTPUTS];
    if (task == GLIA_TASK_CLASSES)
        assert_int_equal(glia_dataset_from_arrays(GLIA_TYPE_F32, x, golden_classes, GOLDEN_SAMPLES,
                                                  2, 2, &data, NULL),
                         GLIA_OK);
    else
        assert_int_equal(glia_dataset_from_targets(GLIA_TYPE_F32, golden_sums, targets,
                                                   GOLDEN_SAMPLES, GOLDEN_OUTPUTS, GOLDEN_OUTPUTS,
                                                   task, &data, NULL),
                         GLIA_OK);
    glia_network *network = transparent(task == GLIA_TASK_CLASSES ? 2 : GOLDEN_OUTPUTS, loss);
    const glia_metrics one = evaluate(network, data, 1), three = evaluate(network, data, 3);
    assert_memory_equal(&one, &three, sizeof one);
    glia_network_free(network);
    glia_dataset_free(data);
    return one;
}

static void test_figures_are_scikit_learns(void **state)
{
    (void)state;
    glia_metrics m = golden_metrics(GLIA_LOSS_MSE);
    check_figure("rmse", m.rmse, golden_rmse);
    check_figure("mae", m.mae, golden_mae);
    check_figure("r2", m.r2, golden_r2);
    check_figure("mse", m.loss, golden_mse_loss);
    check_figure("mae", golden_metrics(GLIA_LOSS_MAE).loss, golden_mae);
    check_figure("huber", golden_metrics(GLIA_LOSS_HUBER).loss, golden_huber_loss);
    m = golden_metrics(GLIA_LOSS_BCE);
    check_figure("accuracy of labels", m.accuracy, golden_label_accuracy);
    check_figure("exact", m.exact, golden_label_exact);
    check_figure("roc_auc of labels", m.roc_auc, golden_label_auc);
    check_figure("average_precision of labels", m.average_precision, golden_label_precision);
    check_figure("bce", m.loss, golden_bce_loss);
    m = golden_metrics(GLIA_LOSS_CROSS_ENTROPY);
    check_figure("accuracy", m.accuracy, golden_class_accuracy);
    check_figure("roc_auc", m.roc_auc, golden_class_auc);
    check_figure("average_precision", m.average_precision, golden_class_precision);
    check_figure("cross-entropy", m.loss, golden_cross_entropy_loss);
    assert_true(isnan(m.exact) && isnan(m.rmse) && isnan(m.mae) && isnan(m.r2));
}

/*
 * Ten samples, seven of the first class, of which one is missed, and one of the third's three: by
 * hand, and Wilson's interval of 8 of 10 as statsmodels has it (proportion_confint).
 */
static void test_figures_of_imbalanced_classes(void **state)
{
    (void)state;
    static const uint32_t label[] = {0, 0, 0, 0, 0, 0, 0, 2, 2, 2};
    static const uint32_t said[] = {0, 0, 0, 0, 0, 0, 2, 2, 0, 2};
    float x[10][3] = {{0}};
    for (size_t i = 0; i < 10; i++) x[i][said[i]] = 5;
    glia_dataset *data, *one;
    assert_int_equal(glia_dataset_from_arrays(GLIA_TYPE_F32, x, label, 10, 3, 3, &data, NULL),
                     GLIA_OK);
    glia_network *network = transparent(3, GLIA_LOSS_CROSS_ENTROPY);
    glia_metrics m = evaluate(network, data, 1);
    check_figure("accuracy", m.accuracy, 0.8);
    check_figure("majority", m.majority, 0.7);
    assert_int_equal(m.majority_class, 0);
    check_figure("balanced", m.balanced_accuracy, (6 / 7. + 2 / 3.) / 2); /* none of class 1 */
    check_figure("low", m.accuracy_low, 0.49016247153664183);
    check_figure("high", m.accuracy_high, 0.9433178209132104);
    glia_dataset_free(data);

    assert_int_equal(glia_dataset_from_arrays(GLIA_TYPE_F32, x, label, 2, 3, 3, &one, NULL),
                     GLIA_OK);
    m = evaluate(network, one, 1); /* both are right: of the rest little is known */
    check_figure("low", m.accuracy_low, 0.34238023752150884);
    assert_true(m.accuracy_high == 1 && m.majority == 1 && m.balanced_accuracy == 1);
    glia_metrics none;
    assert_int_equal(glia_evaluate_targets(network, one, 1, &none, 3, NULL), GLIA_BAD_ARGUMENT);
    glia_dataset_free(one);
    glia_network_free(network);
}

/* Each target has the figures that it has alone, and together they are those of all. */
static void test_figures_of_each_target(void **state)
{
    (void)state;
    for (int task = 0; task < 2; task++) {
        const glia_loss loss = task ? GLIA_LOSS_MSE : GLIA_LOSS_BCE;
        const float *targets = task ? golden_values : golden_labels;
        glia_network *network = transparent(GOLDEN_OUTPUTS, loss);
        glia_dataset *data;
        assert_int_equal(glia_dataset_from_targets(GLIA_TYPE_F32, golden_sums, targets,
                                                   GOLDEN_SAMPLES, GOLDEN_OUTPUTS, GOLDEN_OUTPUTS,
                                                   glia_loss_task(loss), &data, NULL),
                         GLIA_OK);
        const glia_metrics all = evaluate(network, data, 1);
        glia_metrics each[GOLDEN_OUTPUTS];
        assert_int_equal(glia_evaluate_targets(network, data, 2, each, GOLDEN_OUTPUTS, NULL),
                         GLIA_OK);
        double squares = 0, mae = 0, r2 = 0, right = 0, area = 0, n_ranked = 0;
        for (size_t c = 0; c < GOLDEN_OUTPUTS; c++) {
            double own = 0;
            for (size_t i = 0; i < GOLDEN_SAMPLES; i++) {
                const double d = (double)golden_sums[i * GOLDEN_OUTPUTS + c] -
                                 (double)targets[i * GOLDEN_OUTPUTS + c];
                own += d * d / GOLDEN_SAMPLES;
            }
            if (task) check_figure("rmse of a target", each[c].rmse, sqrt(own));
            squares += own / GOLDEN_OUTPUTS;
            mae += each[c].mae / GOLDEN_OUTPUTS;
            r2 += each[c].r2 / GOLDEN_OUTPUTS;
            right += each[c].accuracy / GOLDEN_OUTPUTS;
            assert_true(task ? isnan(each[c].accuracy_low)
                             : each[c].accuracy_low < each[c].accuracy &&
                                   each[c].accuracy <= each[c].accuracy_high);
            if (isnan(each[c].roc_auc)) continue; /* all samples have the label, or none */
            area += each[c].roc_auc;
            n_ranked++;
        }
        if (task) {
            check_figure("rmse", all.rmse, sqrt(squares));
            check_figure("mae", all.mae, mae);
            check_figure("r2", all.r2, r2);
        } else {
            check_figure("accuracy", all.accuracy, right);
            check_figure("roc_auc", all.roc_auc, area / n_ranked);
        }
        glia_metrics few;
        assert_int_equal(glia_evaluate_targets(network, data, 1, &few, 1, NULL), GLIA_BAD_ARGUMENT);
        glia_dataset_free(data);
        glia_network_free(network);
    }
}

/* Losses of extreme sums neither overflow nor vanish into NAN. */
static void test_bce_is_stable(void **state)
{
    (void)state;
    static const float x[] = {1000, -1000}, right[] = {1, 0}, wrong[] = {0, 1};
    glia_dataset *data;
    glia_network *network = transparent(2, GLIA_LOSS_BCE);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(glia_dataset_from_targets(GLIA_TYPE_F32, x, i ? wrong : right, 1, 2, 2,
                                                   GLIA_TASK_LABELS, &data, NULL),
                         GLIA_OK);
        const glia_metrics m = evaluate(network, data, 1);
        assert_true(fabs(m.loss - (i ? 2000 : 0)) < 1e-30 && m.accuracy == 1 - i &&
                    m.exact == 1 - i);
        assert_true(isnan(m.roc_auc)); /* of one sample */
        glia_dataset_free(data);
    }
    glia_network_free(network);
}

/* ---- Weights -------------------------------------------------------------------------------- */

/* A sample that weighs 3 is learned from as if it were there three times, and one that weighs 0 not
 * at all; the scale of the values is the same, too. */
static void test_weights_are_repetitions(void **state)
{
    (void)state;
    enum { N = 40 };
    static samples s, repeated;
    float weights[N];
    draw(&s, 5);
    size_t n = 0;
    for (size_t i = 0; i < N; i++) {
        weights[i] = (float)(i % 4);
        for (size_t k = 0; k < i % 4; k++, n++) {
            memcpy(repeated.x[n], s.x[i], sizeof s.x[i]);
            memcpy(repeated.two[n], s.two[i], sizeof s.two[i]);
            memcpy(repeated.labels[n], s.labels[i], sizeof s.labels[i]);
        }
    }
    for (int loss = GLIA_LOSS_BCE; loss <= GLIA_LOSS_HUBER; loss++) {
        glia_dataset *weighted = data_for((glia_loss)loss, &s, N);
        glia_dataset *rows = data_for((glia_loss)loss, &repeated, n);
        assert_int_equal(whole_set_weights(weighted, weights, NULL), GLIA_OK);
        glia_settings params = gi_settings_defaults();
        params.batch = 1000; /* all of them */
        params.epochs = 40;
        params.threads = 1;
        float y[2][N * TARGETS];
        for (int i = 0; i < 2; i++) {
            glia_network *network = network_of(INPUTS, TARGETS, (glia_loss)loss, 5);
            train(network, i ? rows : weighted, &params);
            predict(network, &s, N, y[i]);
            glia_network_free(network);
        }
        for (size_t i = 0; i < N * TARGETS; i++)
            if (!(fabsf(y[0][i] - y[1][i]) <= 1e-4F * fabsf(y[1][i]) + 1e-7F))
                fail_msg("%s, output %zu: %.9g with weights, %.9g with repetitions",
                         glia_loss_name((glia_loss)loss), i, (double)y[0][i], (double)y[1][i]);
        glia_dataset_free(weighted);
        glia_dataset_free(rows);
    }
}

/* ---- Engines, threads, files ---------------------------------------------------------------- */

/* The sum over the outputs of what a run gives, which any difference would change. */
static void run(glia_loss loss, const samples *s, const glia_settings *params, float *out)
{
    enum { N = 500 };
    glia_dataset *data = data_for(loss, s, N);
    glia_network *network = network_of(INPUTS, TARGETS, loss, 300);
    train(network, data, params);
    predict(network, s, N, out);
    glia_network_free(network);
    glia_dataset_free(data);
}

static void test_threads_do_not_matter(void **state)
{
    (void)state;
    static samples s;
    static float one[500 * TARGETS], more[500 * TARGETS];
    draw(&s, 6);
    for (int loss = GLIA_LOSS_BCE; loss <= GLIA_LOSS_HUBER; loss++) {
        glia_settings params = adam(2);
        params.batch = 100;
        run((glia_loss)loss, &s, &params, one);
        for (params.threads = 2; params.threads <= 3; params.threads++) {
            run((glia_loss)loss, &s, &params, more);
            assert_memory_equal(one, more, sizeof one);
        }
    }
}

/* Also the fused step of a sample, which is SGD's alone. */
static void test_engines_agree(void **state)
{
    (void)state;
    static samples s;
    static float y[500 * TARGETS], other[500 * TARGETS];
    draw(&s, 7);
    const bool onednn = strstr(glia_build_features(), "onednn") != NULL;
    for (int loss = GLIA_LOSS_BCE; loss <= GLIA_LOSS_HUBER; loss++)
        for (size_t batch = 1; batch <= 50; batch += 49) {
            glia_settings params = gi_settings_defaults();
            params.epochs = 1;
            params.lr = 0.01;
            params.batch = batch;
            params.threads = 1;
            params.engine = GLIA_ENGINE_REFERENCE;
            run((glia_loss)loss, &s, &params, y);
            for (int i = 0; i < (onednn ? 3 : 2); i++) {
                glia_settings p = params;
                p.engine = i == 2 ? GLIA_ENGINE_ONEDNN : GLIA_ENGINE_NATIVE;
                if (i == 1) p.clip_norm = 1e9; /* not the fused step */
                run((glia_loss)loss, &s, &p, other);
                for (size_t k = 0; k < 500 * TARGETS; k++)
                    if (!(fabsf(y[k] - other[k]) <= 1e-3F * fabsf(y[k]) + 1e-5F))
                        fail_msg("%s, batch %zu, %d: output %zu is %.9g and %.9g",
                                 glia_loss_name((glia_loss)loss), batch, i, k, (double)y[k],
                                 (double)other[k]);
            }
        }
}

static void temporary(char *path, size_t size)
{
    snprintf(path, size, "/tmp/glia-loss-%ld.safetensors", (long)getpid());
}

/* What a network for values predicts is in the units of the data, also after a file, and stays so
 * when it goes on learning: mean and scale are those of its first data. */
static void test_files_and_further_training(void **state)
{
    (void)state;
    static samples s;
    char path[64];
    draw(&s, 8);
    temporary(path, sizeof path);
    for (int loss = GLIA_LOSS_BCE; loss <= GLIA_LOSS_HUBER; loss++) {
        glia_dataset *data = data_for((glia_loss)loss, &s, 300);
        glia_network *network = network_of(INPUTS, TARGETS, (glia_loss)loss, 8), *loaded = NULL;
        glia_settings params = adam(5);
        train(network, data, &params);
        float y[TARGETS * 9], again[TARGETS * 9];
        predict(network, &s, 9, y);
        glia_error error;
        if (glia_network_save(network, path, &error)) fail_msg("%s", error.message);
        if (glia_network_load(path, &loaded, &error)) fail_msg("%s", error.message);
        assert_int_equal(glia_network_describe(loaded).loss, loss);
        predict(loaded, &s, 9, again);
        assert_memory_equal(y, again, sizeof y);
        assert_int_equal(whole_activations(loaded, 1, GLIA_TYPE_F32, s.x, 9, again, NULL), GLIA_OK);
        assert_memory_equal(y, again, sizeof y);
        glia_dataset_free(data);

        for (size_t i = 0; i < SAMPLES; i++) s.two[i][0] += 1000;
        data = data_for((glia_loss)loss, &s, 300);
        params.optimizer = GLIA_OPTIMIZER_SGD;
        params.lr = 1e-12;
        params.epochs = 1;
        train(loaded, data, &params);
        predict(loaded, &s, 9, again);
        for (size_t i = 0; i < TARGETS * 9; i++)
            assert_true(fabsf(y[i] - again[i]) <= 1e-5F * fabsf(y[i]) + 1e-8F);
        for (size_t i = 0; i < SAMPLES; i++) s.two[i][0] -= 1000;
        glia_dataset_free(data);
        glia_network_free(network);
        glia_network_free(loaded);
    }
    unlink(path);
}

/* ---- A run that is broken off --------------------------------------------------------------- */

static bool stop_at_step(void *user, const glia_progress *p)
{
    return p->step < *(size_t *)user;
}

static void test_runs_are_resumed_to_the_same_bits(void **state)
{
    (void)state;
    static samples s;
    char path[64];
    draw(&s, 9);
    temporary(path, sizeof path);
    glia_dataset *data = data_for(GLIA_LOSS_HUBER, &s, SAMPLES), *rest, *held;
    assert_int_equal(glia_dataset_hold_out(data, 0.1, 1, &rest, &held, NULL), GLIA_OK);
    glia_settings params = adam(4);
    params.batch = 8;
    glia_train_result whole, parts;
    float y[2][TARGETS * 9];
    glia_network *network = network_of(INPUTS, TARGETS, GLIA_LOSS_HUBER, 8);
    assert_int_equal(glia_train(network, rest, held, &params, &whole, NULL), GLIA_OK);
    predict(network, &s, 9, y[0]);
    glia_network_free(network);

    size_t last_step = 300; /* in the midst of an epoch */
    params.checkpoint = path;
    params.checkpoint_steps = 50;
    params.progress = stop_at_step;
    params.user = &last_step;
    network = network_of(INPUTS, TARGETS, GLIA_LOSS_HUBER, 8);
    assert_int_equal(glia_train(network, rest, held, &params, &parts, NULL), GLIA_OK);
    assert_int_equal(parts.stop, GLIA_STOP_CANCELLED);
    glia_network_free(network);
    params.resume = true;
    params.progress = NULL;
    network = network_of(INPUTS, TARGETS, GLIA_LOSS_HUBER, 8);
    glia_error error;
    if (glia_train(network, rest, held, &params, &parts, &error)) fail_msg("%s", error.message);
    predict(network, &s, 9, y[1]);
    assert_memory_equal(y[0], y[1], sizeof y[0]);
    assert_true(whole.train_rmse == parts.train_rmse && whole.train_loss == parts.train_loss);
    assert_true(whole.validation_rmse == parts.validation_rmse);
    glia_network_free(network);

    /* It is a run of this loss alone. */
    network = network_of(INPUTS, TARGETS, GLIA_LOSS_MAE, 8);
    refuses(glia_train(network, rest, held, &params, NULL, &error), GLIA_MISMATCH, &error, "huber");
    glia_network_free(network);
    unlink(path);
    glia_dataset_free(rest);
    glia_dataset_free(held);
    glia_dataset_free(data);
}

/* ---- Diagnosis ------------------------------------------------------------------------------ */

struct told {
    size_t n;
    char kinds[256];
};

static void note(void *user, const glia_diagnosis *d)
{
    struct told *told = user;
    const size_t used = strlen(told->kinds);
    told->n++;
    snprintf(told->kinds + used, sizeof told->kinds - used, "%s ", glia_diagnosis_name(d->kind));
}

static struct told diagnose(glia_loss loss, const glia_dataset *data, double lr, size_t epochs)
{
    struct told told = {0};
    glia_settings params = adam(epochs);
    params.lr = lr;
    params.diagnosis = note;
    params.user = &told;
    glia_network *network = network_of(INPUTS, TARGETS, loss, 16);
    train(network, data, &params);
    glia_network_free(network);
    return told;
}

/* A run that learns hears nothing, one that does not hears why. */
static void test_diagnosis(void **state)
{
    (void)state;
    static samples s;
    draw(&s, 10);
    for (int loss = GLIA_LOSS_BCE; loss <= GLIA_LOSS_HUBER; loss++) {
        glia_dataset *data = data_for((glia_loss)loss, &s, SAMPLES);
        const struct told well = diagnose((glia_loss)loss, data, 0.01, 5);
        if (well.n > 0) fail_msg("%s: %s", glia_loss_name((glia_loss)loss), well.kinds);
        const struct told slow = diagnose((glia_loss)loss, data, 1e-6, 3);
        assert_string_equal(slow.kinds, "rate-low ");
        glia_dataset_free(data);
    }
    for (size_t i = 0; i < SAMPLES; i++) s.two[i][0] = s.two[i][1] = 3;
    glia_dataset *data = data_for(GLIA_LOSS_MSE, &s, SAMPLES);
    assert_string_equal(diagnose(GLIA_LOSS_MSE, data, 0.01, 3).kinds, "one-class ");
    glia_dataset_free(data);
}

/* ---- Values that floats do not tell apart, or do not hold ---- */

/* A network that has learned unit times (3 a - 2 b) + offset; *metrics of the same data. */
static glia_network *learned_far_values(const samples *s, double offset, double unit,
                                        double *targets, glia_metrics *metrics)
{
    for (size_t i = 0; i < SAMPLES; i++)
        targets[i] = offset + unit * (3 * (double)s->x[i][0] - 2 * (double)s->x[i][1]);
    glia_dataset *data = NULL;
    assert_int_equal(glia_dataset_from_targets_f64(GLIA_TYPE_F32, s->x, targets, SAMPLES, INPUTS, 1,
                                                   GLIA_TASK_VALUES, &data, NULL),
                     GLIA_OK);
    glia_network *network = network_of(INPUTS, 1, GLIA_LOSS_MSE, 0);
    const glia_settings params = adam(30);
    train(network, data, &params);
    *metrics = evaluate(network, data, 1);
    double target;
    assert_int_equal(whole_targets_f64(data, 3, &target, NULL), GLIA_OK);
    assert_true(target == targets[3]);
    glia_dataset_free(data);
    return network;
}

/* Unix seconds, their milliseconds, days, cents, and what is past the range of floats: as well as
 * the same values about 0, in the answers as in the score. */
static void test_far_values(void **state)
{
    (void)state;
    static const double units[][2] = {{0, 1},        {1.7e9, 100}, {1.7e12, 1e5}, {2460000.5, 0.5},
                                      {1e8, 310.25}, {0, 1e300},   {0, 1e-40},    {1e-300, 1e-301}};
    static samples s;
    static double targets[SAMPLES], answers[SAMPLES];
    draw(&s, 12);
    double r2 = 0;
    for (size_t k = 0; k < sizeof units / sizeof *units; k++) {
        const double offset = units[k][0], unit = units[k][1];
        glia_metrics metrics;
        glia_network *network = learned_far_values(&s, offset, unit, targets, &metrics);
        if (k == 0) r2 = metrics.r2;
        assert_true(r2 > 0.99);
        assert_true(fabs(metrics.r2 - r2) < 1e-5);
        assert_int_equal(whole_predict_f64(network, GLIA_TYPE_F32, s.x, SAMPLES, answers, NULL),
                         GLIA_OK);
        double squares = 0, absolutes = 0;
        for (size_t i = 0; i < SAMPLES; i++) {
            const double d = (answers[i] - targets[i]) / unit;
            squares += d * d;
            absolutes += fabs(d);
        }
        assert_true(fabs(metrics.rmse / unit / sqrt(squares / SAMPLES) - 1) < 1e-9);
        assert_true(fabs(metrics.mae / unit / (absolutes / SAMPLES) - 1) < 1e-9);
        glia_network_free(network);
    }
    /* What a double does not hold is refused, with its range. */
    targets[0] = 1.7e308;
    targets[1] = -1.7e308;
    glia_dataset *data = NULL;
    glia_error error;
    assert_int_equal(glia_dataset_from_targets_f64(GLIA_TYPE_F32, s.x, targets, 2, INPUTS, 1,
                                                   GLIA_TASK_VALUES, &data, NULL),
                     GLIA_OK);
    glia_network *network = network_of(INPUTS, 1, GLIA_LOSS_MSE, 0);
    refuses(glia_train(network, data, NULL, NULL, NULL, &error), GLIA_BAD_FORMAT, &error,
            "from -1.7e+308 to 1.7e+308");
    glia_network_free(network);
    glia_dataset_free(data);
}

/* ---- What does not fit ---------------------------------------------------------------------- */

static void test_what_does_not_fit_is_refused(void **state)
{
    (void)state;
    static samples s;
    static const uint32_t classes[4] = {0, 1, 0, 1};
    draw(&s, 11);
    glia_error error;
    glia_dataset *of_task[3] = {NULL, data_for(GLIA_LOSS_BCE, &s, 4),
                                data_for(GLIA_LOSS_MSE, &s, 4)};
    assert_int_equal(
        glia_dataset_from_arrays(GLIA_TYPE_F32, s.x, classes, 4, INPUTS, 2, &of_task[0], NULL),
        GLIA_OK);
    const glia_loss losses[3] = {GLIA_LOSS_AUTO, GLIA_LOSS_BCE, GLIA_LOSS_HUBER};
    static const char *const fits[3] = {"cross-entropy", "bce", "mse, mae or huber"};
    for (int i = 0; i < 3; i++) {
        glia_network *network = network_of(INPUTS, TARGETS, losses[i], 0);
        glia_metrics metrics;
        for (int k = 0; k < 3; k++) {
            const glia_status evaluated =
                whole_evaluate(network, of_task[k], 1, &metrics, NULL, &error);
            if (i == k) {
                assert_int_equal(evaluated, GLIA_OK);
                continue;
            }
            refuses(evaluated, GLIA_MISMATCH, &error, fits[k]);
            refuses(glia_train(network, of_task[k], NULL, NULL, NULL, &error), GLIA_MISMATCH,
                    &error, fits[k]);
        }
        glia_network_free(network);
    }
    glia_network *network = network_of(INPUTS, 3, GLIA_LOSS_MSE, 0);
    refuses(glia_train(network, of_task[2], NULL, NULL, NULL, &error), GLIA_MISMATCH, &error,
            "2 targets");
    glia_network_free(network);

    network = network_of(INPUTS, TARGETS, GLIA_LOSS_MSE, 0);
    glia_settings params = gi_settings_defaults();
    params.label_smoothing = 0.1;
    refuses(glia_train(network, of_task[2], NULL, &params, NULL, &error), GLIA_BAD_ARGUMENT, &error,
            "label_smoothing");
    params.label_smoothing = 0;
    params.class_weights = (gi_class_weights){.n = 2, .of = (double[]){1, 2}};
    refuses(glia_train(network, of_task[2], NULL, &params, NULL, &error), GLIA_BAD_ARGUMENT, &error,
            "class_weights");
    glia_network_free(network);

    shape bad = shape_of(2, 2);
    bad.loss = (glia_loss)99;
    refuses(shape_network(&bad, &network, &error), GLIA_BAD_ARGUMENT, &error, "loss");
    for (int k = 0; k < 3; k++) glia_dataset_free(of_task[k]);
}

static void test_targets_are_checked(void **state)
{
    (void)state;
    static const float x[] = {0, 1}, good[] = {0, 1}, half[] = {0, 0.5F}, nan[] = {0, NAN};
    static const float infinite[] = {0, INFINITY};
    const struct {
        const float *x, *targets;
        glia_task task;
        const char *word;
    } cases[] = {
        {x, half, GLIA_TASK_LABELS, "row 1, target 0: found 0.5, expected 0 or 1"},
        {x, nan, GLIA_TASK_LABELS, "0 or 1"},
        {x, nan, GLIA_TASK_VALUES, "a finite number"},
        {x, infinite, GLIA_TASK_VALUES, "found inf, expected a finite number"},
        {nan, good, GLIA_TASK_VALUES, "row 1, column 0 is NaN"},
        {x, good, GLIA_TASK_CLASSES, "glia_dataset_from_arrays"},
        {NULL, good, GLIA_TASK_VALUES, "NULL"},
        {x, NULL, GLIA_TASK_VALUES, "NULL"},
    };
    glia_error error;
    glia_dataset *data = NULL;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        refuses(glia_dataset_from_targets(GLIA_TYPE_F32, cases[i].x, cases[i].targets, 2, 1, 1,
                                          cases[i].task, &data, &error),
                GLIA_BAD_ARGUMENT, &error, cases[i].word);
    assert_int_equal(
        glia_dataset_from_targets(GLIA_TYPE_F32, x, half, 2, 1, 1, GLIA_TASK_VALUES, &data, NULL),
        GLIA_OK);
    float t;
    assert_int_equal(whole_targets(data, 1, &t, NULL), GLIA_OK);
    assert_true(t == 0.5F);
    refuses(whole_targets(data, 2, &t, &error), GLIA_BAD_ARGUMENT, &error, "the last is 1");
    assert_int_equal(glia_dataset_describe(data).task, GLIA_TASK_VALUES);
    glia_dataset_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_regression_reaches_its_noise),
        cmocka_unit_test(test_labels_are_learned),
        cmocka_unit_test(test_constant_targets),
        cmocka_unit_test(test_figures_are_scikit_learns),
        cmocka_unit_test(test_figures_of_imbalanced_classes),
        cmocka_unit_test(test_figures_of_each_target),
        cmocka_unit_test(test_bce_is_stable),
        cmocka_unit_test(test_weights_are_repetitions),
        cmocka_unit_test(test_threads_do_not_matter),
        cmocka_unit_test(test_engines_agree),
        cmocka_unit_test(test_files_and_further_training),
        cmocka_unit_test(test_runs_are_resumed_to_the_same_bits),
        cmocka_unit_test(test_far_values),
        cmocka_unit_test(test_diagnosis),
        cmocka_unit_test(test_what_does_not_fit_is_refused),
        cmocka_unit_test(test_targets_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
