/* SPDX-License-Identifier: MIT */
/*
 * A program that is linked to libglia, for test_abi.py: it has the library fill and read every
 * struct whose size the caller decides, prints what it sees, and fails where a byte behind one of
 * them is changed. What it prints depends on the library's version as little as on its address.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "glia.h"

enum { BEHIND = 256, SAMPLES = 90, FEATURES = 4, CLASSES = 3, TARGETS = 2 };

typedef glia_metrics metrics_of_targets[TARGETS];

/* A struct with bytes behind it that must stay. */
#define FRAME(type)                                                                                \
    struct {                                                                                       \
        type of;                                                                                   \
        unsigned char behind[BEHIND];                                                              \
    }

static glia_error error;
static const char *table;

static void check(glia_status status, const char *what)
{
    if (!status) return;
    printf("%s: %s: %s\n", what, glia_status_name(status), error.message);
    exit(1);
}

static void check_behind(const unsigned char *behind, const char *what)
{
    for (int i = 0; i < BEHIND; i++)
        if (behind[i] != 0xA5) {
            printf("%s: byte %d behind it was changed\n", what, i);
            exit(1);
        }
}

#define FILL(frame)       memset(&(frame), 0xA5, sizeof(frame))
#define HELD(frame, what) check_behind((frame).behind, what)

/* ---- What the library fills ------------------------------------------------------------------ */

static bool progress(void *user, const glia_progress *p)
{
    if (p->epoch_end && ++*(int *)user % 5 == 0)
        printf("epoch %zu of %zu, step %zu: loss %.9g, validation %.9g, %s %d\n", p->epoch,
               p->epochs, p->step, p->train_loss, p->validation_loss, p->engine, p->threads);
    return true;
}

static void diagnosis(void *user, const glia_diagnosis *d)
{
    ++*(int *)user;
    printf("%s: %s\n", glia_diagnosis_name(d->kind), d->message);
}

static void describe_network(const glia_network *network)
{
    FRAME(glia_network_info) info;
    FRAME(glia_layer_info) layer;
    FILL(info);
    glia_network_describe_sized(network, &info.of, sizeof info.of);
    HELD(info, "glia_network_info");
    printf("network: task %d, %zu to %zu, loss %s, %zu parameters, columns %zu\n",
           (int)info.of.task, info.of.inputs, info.of.classes, glia_loss_name(info.of.loss),
           info.of.parameters, info.of.columns);
    for (size_t l = 0; l < info.of.layers; l++) {
        FILL(layer);
        glia_network_layer_sized(network, l, &layer.of, sizeof layer.of);
        HELD(layer, "glia_layer_info");
        printf("layer %zu: %zu to %zu, %s, norm %d\n", l, layer.of.inputs, layer.of.units,
               glia_activation_name(layer.of.activation), layer.of.batch_norm);
    }
}

static void train(glia_network *network, const glia_dataset *rest, const glia_dataset *held)
{
    FRAME(glia_train_result) result;
    FRAME(glia_metrics) metrics;
    int epochs = 0;
    glia_settings *settings;
    check(glia_settings_create(&settings, &error), "settings");
    check(glia_settings_parse(settings, "lr=0.05 batch=4 epochs=15 dropout=0.1 threads=1", &error),
          "parse");
    glia_settings_on_progress(settings, progress, &epochs);
    glia_settings_on_diagnosis(settings, diagnosis, NULL, &epochs);
    FILL(result);
    check(glia_train(network, rest, held, settings, &result.of, &error), "train");
    HELD(result, "glia_train_result");
    printf("trained: stop %d, epochs %zu, best %zu, loss %.9g, validation %.9g, samples %zu\n",
           (int)result.of.stop, result.of.epochs, result.of.best_epoch, result.of.train_loss,
           result.of.validation_loss, result.of.samples);
    printf("plan: %s, %s, %s\n", result.of.engine, result.of.isa, result.of.plan);
    glia_settings_free(settings);
    FILL(metrics);
    check(glia_evaluate(network, held ? held : rest, 1, &metrics.of, NULL, 0, &error), "evaluate");
    HELD(metrics, "glia_metrics");
    printf("metrics: %zu, loss %.9g, accuracy %.9g, rmse %.9g, low %.9g, majority %zu\n",
           metrics.of.samples, metrics.of.loss, metrics.of.accuracy, metrics.of.rmse,
           metrics.of.accuracy_low, metrics.of.majority_class);
}

static void predict(const glia_network *network, const float *x, size_t outputs)
{
    FRAME(glia_predictor_info) info;
    glia_predictor_params params = glia_predictor_default_params();
    glia_predictor *predictor;
    float y[4] = {0};
    params.threads = 1;
    params.engine = GLIA_ENGINE_REFERENCE;
    check(glia_predictor_create(network, &params, &predictor, &error), "predictor");
    check(glia_predictor_run(predictor, GLIA_TYPE_F32, x, 1, FEATURES, y, outputs, &error), "run");
    FILL(info);
    glia_predictor_describe_sized(predictor, &info.of, sizeof info.of);
    HELD(info, "glia_predictor_info");
    printf("predicted by %s, %d:", info.of.engine, info.of.threads);
    for (size_t c = 0; c < outputs; c++) printf(" %.9g", (double)y[c]);
    printf("\n");
    glia_predictor_free(predictor);
}

/* ---- Samples --------------------------------------------------------------------------------- */

static void describe(const glia_dataset *dataset)
{
    FRAME(glia_dataset_info) info;
    FILL(info);
    glia_dataset_describe_sized(dataset, &info.of, sizeof info.of);
    HELD(info, "glia_dataset_info");
    printf("data: task %d, type %d, %zu x %zu, %zu classes, %zu x %zu x %zu, columns %zu\n",
           (int)info.of.task, (int)info.of.type, info.of.samples, info.of.features, info.of.classes,
           info.of.height, info.of.width, info.of.channels, info.of.columns);
}

static void use_arrays(void)
{
    static float x[SAMPLES * FEATURES], targets[SAMPLES * TARGETS];
    static uint32_t labels[SAMPLES];
    uint32_t state = 1;
    for (size_t i = 0; i < SAMPLES; i++) {
        labels[i] = (uint32_t)(i % CLASSES);
        for (size_t j = 0; j < FEATURES; j++) {
            state = state * 1664525U + 1013904223U;
            x[i * FEATURES + j] =
                (float)(state >> 8) / 16777216.0F + (labels[i] == j ? 1.0F : 0.0F);
        }
        for (size_t k = 0; k < TARGETS; k++) targets[i * TARGETS + k] = x[i * FEATURES + k] - 1;
    }
    glia_dataset *whole, *rest, *held;
    glia_network *network;
    check(glia_dataset_from_arrays(GLIA_TYPE_F32, x, labels, SAMPLES, FEATURES, CLASSES, &whole,
                                   &error),
          "arrays");
    check(glia_dataset_hold_out(whole, 0.2, 7, &rest, &held, &error), "hold out");
    describe(held);
    check(glia_network_create(FEATURES, CLASSES, NULL, &network, &error), "create");
    train(network, rest, held);
    describe_network(network);
    predict(network, x, CLASSES);
    glia_network_free(network);
    glia_dataset_free(held);
    glia_dataset_free(rest);
    glia_dataset_free(whole);

    glia_settings *settings;
    check(glia_settings_create(&settings, &error), "settings");
    check(glia_settings_set(settings, "hidden", "6,5", &error), "hidden");
    check(glia_settings_set(settings, "loss", "mse", &error), "loss");
    check(glia_dataset_from_targets(GLIA_TYPE_F32, x, targets, SAMPLES, FEATURES, TARGETS,
                                    GLIA_TASK_VALUES, &whole, &error),
          "targets");
    check(glia_network_create(FEATURES, TARGETS, settings, &network, &error), "create");
    train(network, whole, whole);
    FRAME(metrics_of_targets) each;
    FILL(each);
    check(glia_evaluate_targets(network, whole, 1, each.of, TARGETS, &error), "each target");
    HELD(each, "glia_metrics[]");
    for (size_t k = 0; k < TARGETS; k++)
        printf("target %zu: rmse %.9g, mae %.9g, r2 %.9g\n", k, each.of[k].rmse, each.of[k].mae,
               each.of[k].r2);
    glia_network_free(network);
    glia_dataset_free(whole);
    glia_settings_free(settings);
}

/* ---- What the library reads ------------------------------------------------------------------ */

static void use_table(void)
{
    const char *const drop[] = {"id"};
    FRAME(glia_data_params) params;
    FILL(params);
    params.of = glia_data_default_params();
    params.of.table.drop = drop;
    params.of.table.n_drop = 1;
    params.of.table.skip_bad_rows = true;
    params.of.threads = 1;
    glia_dataset *dataset;
    printf("kind %d\n", (int)glia_file_kind_of(table, &params.of));
    check(glia_dataset_open(table, GLIA_SPLIT_TRAIN, &params.of, &dataset, &error), "table");
    describe(dataset);
    printf("%s", glia_dataset_notes(dataset));

    glia_network *network;
    const glia_dataset_info info = glia_dataset_describe(dataset);
    check(glia_network_create(info.features, info.classes, NULL, &network, &error), "create");
    train(network, dataset, NULL);
    describe_network(network);
    glia_dataset_free(dataset);
    check(glia_dataset_open_for(network, table, GLIA_SPLIT_TRAIN, &params.of, &dataset, &error),
          "for");
    describe(dataset);
    glia_dataset_free(dataset);
    glia_row_stream *rows;
    params.of.keep_texts = true;
    check(glia_row_stream_open(network, table, GLIA_SPLIT_TRAIN, &params.of, &rows, &error),
          "stream");
    check(glia_row_stream_next(rows, &dataset, &error), "next");
    printf("cell: %s, line %d\n", glia_dataset_cell(dataset, 2, 1),
           (int)glia_dataset_line(dataset, 2));
    glia_dataset_free(dataset);
    glia_row_stream_free(rows);
    glia_network_free(network);

    glia_survey *survey;
    check(glia_survey_make(table, &params.of, &survey, &error), "survey");
    printf("survey: %d rows, %zu columns, %zu findings\n", (int)survey->rows, survey->n_columns,
           survey->n_findings);
    for (size_t c = 0; c < survey->n_columns; c++) {
        const glia_column_survey *column = glia_survey_column(survey, c);
        printf("column %s: kind %d, role %d, mean %.9g, %zu features\n", column->name,
               (int)column->kind, (int)column->role, column->mean, column->features);
    }
    for (size_t f = 0; f < survey->n_findings; f++)
        printf("%s: %s\n", glia_finding_name(glia_survey_finding(survey, f)->kind),
               glia_survey_finding(survey, f)->message);
    glia_survey_free(survey);
    HELD(params, "glia_data_params");
}

static void use_digits(void)
{
    glia_data_params params = glia_data_default_params();
    glia_dataset *dataset;
    uint8_t pixels[784];
    uint32_t label;
    unsigned sum = 0;
    params.seed = 3;
    params.threads = 1;
    check(glia_dataset_open("digits", GLIA_SPLIT_TEST, &params, &dataset, &error), "digits");
    describe(dataset);
    check(glia_dataset_sample(dataset, 5, pixels, sizeof pixels, &label, &error), "sample");
    for (size_t i = 0; i < sizeof pixels; i++) sum += pixels[i];
    printf("sample 5: %u, sum %u\n", label, sum);
    glia_dataset_free(dataset);
}

static void use_machine(void)
{
    FRAME(glia_machine) machine;
    FILL(machine);
    check(glia_machine_describe(&machine.of, &error), "machine");
    HELD(machine, "glia_machine");
    printf("machine: %s, %d, %s\n", machine.of.cpu, machine.of.cores, machine.of.isa);
}

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    table = argv[1];
    for (int s = GLIA_OK; s <= GLIA_CANCELLED; s++)
        printf("%d %s: %s\n", s, glia_status_name((glia_status)s),
               glia_status_text((glia_status)s));
    use_machine();
    use_arrays();
    use_table();
    use_digits();
    glia_settings *settings;
    check(glia_settings_create(&settings, &error), "settings");
    const glia_status status = glia_settings_set(settings, "no-such-setting", "1", &error);
    printf("%d: %s\n", (int)status, error.message);
    glia_settings_free(settings);
    return 0;
}
