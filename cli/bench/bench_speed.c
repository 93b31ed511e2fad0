/* SPDX-License-Identifier: MIT */
/*
 * How fast training and inference go. What is asked of the library stands first, in small
 * functions.
 */
#include "bench/bench_speed.h"

#include <stdlib.h>

#include "draw/progress.h"
#include "shell/output.h"
#include "shell/signals.h"

enum {
    LEAST_BLOCKS = 5, /* of calls, whose median counts */
    MOST_BLOCKS = 1000,
};

/* The weights hardly move, so that a run goes on as it began. */
static const double learning_rate = 1e-4;

/* ---- What is asked of the library ---------------------------------------------------------- */

/* What predicts. *out is unchanged on failure. */
static glia_status make_predictor(const bench_options *options, glia_precision precision,
                                  const glia_network *network, glia_predictor **out,
                                  glia_error *error)
{
    glia_predictor_params params = glia_predictor_default_params();
    params.threads = options->threads;
    params.engine = (glia_engine)options->engine;
    params.precision = precision;
    return glia_predictor_create(network, &params, out, error);
}

/* For so many epochs; to be freed. */
static glia_settings *make_settings(const bench_options *options, glia_precision precision,
                                    double epochs)
{
    glia_settings *settings;
    need_good(glia_settings_create(&settings, NULL));
    need_good(glia_settings_set_number(settings, "lr", learning_rate, NULL));
    need_good(glia_settings_set_number(settings, "threads", options->threads, NULL));
    need_good(glia_settings_set_number(settings, "engine", options->engine, NULL));
    need_good(glia_settings_set_number(settings, "precision", precision, NULL));
    need_good(glia_settings_set_number(settings, "epochs", epochs, NULL));
    return settings;
}

/* Whether a smallest network can be had to compute so. */
static glia_status try_precision(const bench_options *options, glia_precision precision,
                                 glia_error *error)
{
    glia_network *network = NULL;
    glia_predictor *predictor = NULL;
    glia_status status = glia_network_create(1, 2, NULL, &network, error);
    if (status == GLIA_OK) status = make_predictor(options, precision, network, &predictor, error);
    glia_predictor_free(predictor);
    glia_network_free(network);
    return status;
}

int speed_check_options(const bench_options *options)
{
    glia_error error;
    glia_status status = GLIA_OK;
    if (options->precisions.n == 0) status = try_precision(options, GLIA_PRECISION_F32, &error);
    for (size_t i = 0; i < options->precisions.n && status == GLIA_OK; i++)
        status = try_precision(options, options->precisions.of[i], &error);
    return status == GLIA_OK ? EXIT_DONE : complain_error(&error);
}

precision_list speed_default_precisions(const bench_options *options, glia_error *why_no_bf16)
{
    precision_list list = {.n = 1, .of = {GLIA_PRECISION_F32}};
    if (try_precision(options, GLIA_PRECISION_BF16, why_no_bf16) == GLIA_OK)
        list.of[list.n++] = GLIA_PRECISION_BF16;
    return list;
}

/* ---- Speed --------------------------------------------------------------------------------- */

/* A glia_train_progress: the user pointer is how many seconds the run may take. */
static bool until_over(void *user, const glia_progress *progress)
{
    const double *seconds = user;
    return (progress->done == 0 || progress->seconds < *seconds) && !signals_came();
}

static glia_status run_training(const bench_options *options, const struct samples *samples,
                                glia_network *network, const struct row *row, double seconds,
                                glia_train_result *result, glia_error *error)
{
    glia_settings *settings = make_settings(options, row->precision, 1e6); /* until_over ends it */
    need_good(glia_settings_set_number(settings, "batch", (double)row->batch, NULL));
    glia_settings_on_progress(settings, until_over, &seconds);
    const glia_status status = glia_train(network, samples->set, NULL, settings, result, error);
    glia_settings_free(settings);
    return status;
}

glia_status speed_train(const bench_options *options, const struct samples *samples,
                        glia_network *network, struct row *row, glia_error *error)
{
    double seconds = options->seconds;
    glia_train_result result;
    glia_status status = run_training(options, samples, network, row, seconds / 5, &result, error);
    if (status == GLIA_OK && !signals_came())
        status = run_training(options, samples, network, row, seconds, &result, error);
    if (status != GLIA_OK) return status;
    row->samples_per_second = result.samples_per_second;
    row->threads = result.threads;
    row->engine = result.engine;
    return GLIA_OK;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t n)
{
    qsort(values, n, sizeof *values, compare_doubles);
    return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* Predicts row->batch samples at a time, n_calls times, going on at *next; takes *seconds. */
static glia_status predict_block(const struct samples *s, glia_predictor *predictor,
                                 const struct row *row, size_t n_calls, size_t *next,
                                 float *probabilities, double *seconds, glia_error *error)
{
    size_t row_bytes = s->features * (s->type == GLIA_TYPE_U8 ? 1 : sizeof(float));
    double began = now_seconds();
    for (size_t call = 0; call < n_calls; call++) {
        if (*next + row->batch > s->n_copied) *next = 0;
        glia_status status =
            glia_predictor_run(predictor, s->type, (char *)s->x + *next * row_bytes, row->batch,
                               s->features, probabilities, s->classes, error);
        if (status != GLIA_OK) return status;
        *next += row->batch;
    }
    *seconds = now_seconds() - began;
    return GLIA_OK;
}

/*
 * Blocks of calls, each a hundredth to a fiftieth of the time; their median counts. The first ones,
 * which find out how many calls that is, are the warm-up.
 */
static glia_status measure_blocks(const bench_options *options, const struct samples *s,
                                  glia_predictor *predictor, struct row *row, float *probabilities,
                                  glia_error *error)
{
    double blocks[MOST_BLOCKS], seconds = options->seconds, block = 0, total = 0;
    size_t n = 0, n_calls = 1, next = 0;
    for (;; n_calls *= 2) {
        glia_status status =
            predict_block(s, predictor, row, n_calls, &next, probabilities, &block, error);
        if (status != GLIA_OK) return status;
        total += block;
        if ((block >= seconds / 100 && total >= seconds / 20) || signals_came()) break;
    }
    total = 0;
    while (n < MOST_BLOCKS && (total < seconds || n < LEAST_BLOCKS) && !signals_came()) {
        glia_status status =
            predict_block(s, predictor, row, n_calls, &next, probabilities, &block, error);
        if (status != GLIA_OK) return status;
        total += blocks[n++] = block;
    }
    if (n > 0) row->samples_per_second = (double)n_calls * (double)row->batch / median(blocks, n);
    return GLIA_OK;
}

glia_status speed_infer(const bench_options *options, const struct samples *samples,
                        const glia_network *network, struct row *row, glia_error *error)
{
    glia_predictor *predictor = NULL;
    glia_status status = make_predictor(options, row->precision, network, &predictor, error);
    if (status != GLIA_OK) return status;
    float *probabilities =
        need_memory(row->batch, row->widths->of[row->widths->n - 1] * sizeof *probabilities);
    status = measure_blocks(options, samples, predictor, row, probabilities, error);
    glia_predictor_info info = glia_predictor_describe(predictor);
    row->threads = info.threads;
    row->engine = info.engine;
    free(probabilities);
    glia_predictor_free(predictor);
    return status;
}

double speed_flop(const struct row *row)
{
    double flop = 0;
    for (size_t l = 0; l + 1 < row->widths->n; l++) {
        double weights = (double)row->widths->of[l] * (double)row->widths->of[l + 1];
        flop += (!row->training ? 2 : l == 0 ? 4 : 6) * weights;
    }
    return flop;
}

glia_status speed_make_network(const bench_options *options, const struct samples *s,
                               const width_list *widths, glia_network **out, glia_error *error)
{
    enum { FEW = 32 };
    glia_settings *settings = make_settings(options, GLIA_PRECISION_F32, 1);
    double hidden[GLIA_MAX_LAYERS];
    for (size_t l = 0; l + 2 < widths->n; l++) hidden[l] = (double)widths->of[l + 1];
    need_good(glia_settings_set_list(settings, "hidden", hidden, widths->n - 2, NULL));
    glia_dataset *few = NULL;
    glia_status status =
        glia_network_create(widths->of[0], widths->of[widths->n - 1], settings, out, error);
    if (status == GLIA_OK)
        status = glia_dataset_from_arrays(s->type, s->x, s->labels,
                                          s->n_copied < FEW ? s->n_copied : FEW, s->features,
                                          s->classes, &few, error);
    if (status == GLIA_OK) status = glia_train(*out, few, NULL, settings, NULL, error);
    glia_dataset_free(few);
    glia_settings_free(settings);
    return status;
}
