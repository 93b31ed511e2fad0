/* SPDX-License-Identifier: MIT */
/*
 * Training: epochs of shuffled batches, stochastic gradient descent, early stopping.
 *
 * A step with a batch runs on all threads: each takes a slice of the samples forward and backward;
 * at a barrier all gradients of z are there; each then takes a slice of the weights' rows, sums
 * their gradient over the whole batch in the order of the samples, and updates them. So every
 * number is computed by one thread in one order: the result does not depend on their number.
 * A step with a single sample is one fused kernel on one thread.
 */
#include <math.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/thread.h"
#include "net/workspace.h"
#include "train/input_form.h"
#include "train/metrics.h"

enum {
    /* Samples between two calls of the progress callback, about. */
    PROGRESS_SAMPLES = 1024,
    /* Multiply-adds of a step's forward pass below which a second thread costs more than it gives.
     */
    MIN_SHARED_WORK = 1 << 18
};

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct trainer {
    glia_network *network;
    const glia_dataset *train, *validation; /* validation: or NULL */
    glia_train_params params;               /* batch at most samples */
    gi_pool *pool;                          /* evaluates */
    gi_pool *step_pool;                     /* steps: pool, or a pool of one thread */
    gi_pool *own_step_pool;                 /* to be freed */

    gi_evaluation *evaluation; /* of validation; or NULL */
    gi_workspace workspace;    /* (batch) rows */
    gi_scratch *scratch;       /* (threads) */
    uint8_t **row;             /* (threads): for images that are drawn as needed */
    uint32_t *order;           /* (samples): the epoch's permutation */
    gi_sparse x;               /* batch 1: the sample's non-zeros */
    char *snapshot;            /* parameters of the best epoch, or of the last good one */

    /* The epoch under way. */
    uint32_t epoch;    /* from 0 */
    size_t done;       /* samples */
    size_t chunk_end;  /* samples, when the running chunk is over */
    double loss_sum;   /* over done */
    size_t correct;    /* of done */
    size_t *n_correct; /* (threads) */
    bool diverged;
    size_t step, n_steps; /* of the whole run */
} trainer;

/* ---- Parameters kept aside ------------------------------------------------------------------ */

static size_t weight_bytes(const glia_network *network, const gi_layer *layer)
{
    return gi_padded(layer->n_in) * layer->ld * network->engine->element_bytes;
}

static size_t bias_bytes(const glia_network *network, const gi_layer *layer)
{
    return layer->ld * network->engine->element_bytes;
}

static glia_status snapshot_new(trainer *t, glia_error *error)
{
    size_t bytes = 0;
    for (size_t l = 0; l < t->network->n_layers; l++)
        bytes += weight_bytes(t->network, &t->network->layers[l]) +
                 bias_bytes(t->network, &t->network->layers[l]);
    t->snapshot = gi_alloc(bytes, 1, "a copy of the parameters", error);
    return t->snapshot ? GLIA_OK : GLIA_NO_MEMORY;
}

/* Copies all parameters to the snapshot, or back. */
static void snapshot_copy(trainer *t, bool back)
{
    char *at = t->snapshot;
    for (size_t l = 0; l < t->network->n_layers; l++) {
        const gi_layer *layer = &t->network->layers[l];
        void *const blocks[2] = {layer->weight, layer->bias};
        const size_t bytes[2] = {weight_bytes(t->network, layer), bias_bytes(t->network, layer)};
        for (int b = 0; b < 2; b++) {
            if (back)
                memcpy(blocks[b], at, bytes[b]);
            else
                memcpy(at, blocks[b], bytes[b]);
            at += bytes[b];
        }
    }
}

static bool parameters_are_finite(const glia_network *network)
{
    for (size_t l = 0; l < network->n_layers; l++) {
        const gi_layer *layer = &network->layers[l];
        const float *weight = layer->weight, *bias = layer->bias;
        float sum = 0; /* of 0 * w: NaN as soon as one is infinite or NaN */
        for (size_t i = 0; i < layer->n_in * layer->ld; i++) sum += 0 * weight[i];
        for (size_t i = 0; i < layer->ld; i++) sum += 0 * bias[i];
        if (sum != 0) return false;
    }
    return true;
}

/* ---- Steps ---------------------------------------------------------------------------------- */

/* The learning rate of a step: constant, or falling linearly to lr_end at the last one. */
static double rate_at(const trainer *t, size_t step)
{
    const glia_train_params *p = &t->params;
    if (p->lr_end < 0 || t->n_steps < 2) return p->lr;
    return p->lr + (p->lr_end - p->lr) * ((double)step / (double)(t->n_steps - 1));
}

static void run_batches(void *context, int thread, int n_threads)
{
    trainer *t = context;
    glia_network *network = t->network;
    gi_workspace *w = &t->workspace;
    size_t done = t->done, step = t->step; /* each thread counts for itself; thread 0 reports */
    while (done < t->chunk_end && !t->diverged) {
        const size_t left = t->train->samples - done;
        const size_t m = left < t->params.batch ? left : t->params.batch;
        size_t begin, end;
        gi_slice(m, 1, thread, n_threads, &begin, &end);
        for (size_t r = begin; r < end; r++)
            gi_workspace_load(network, w, r, t->train->type,
                              gi_dataset_row(t->train, t->epoch, t->order[done + r], t->row[thread],
                                             &w->labels[r]));
        gi_network_forward(network, w, begin, end, &t->scratch[thread]);
        t->n_correct[thread] += gi_network_loss(network, w, begin, end, m);
        gi_network_backward(network, w, begin, end);
        gi_pool_barrier(t->step_pool); /* every gradient of z is there */

        const gi_row_update update = {
            .apply = network->engine->sgd_row, .rate = rate_at(t, step), .skips_zero = true};
        gi_network_update(network, w, m, thread, n_threads, &update, &t->scratch[thread]);
        done += m;
        step++;
        if (thread == 0) {
            for (size_t r = 0; r < m; r++) t->loss_sum += w->loss[r];
            t->diverged = !isfinite(t->loss_sum);
        }
        gi_pool_barrier(t->step_pool); /* every weight is new */
    }
    if (thread == 0) {
        t->done = done;
        t->step = step;
    }
}

static void run_samples(trainer *t)
{
    const gi_engine *engine = t->network->engine;
    while (t->done < t->chunk_end && !t->diverged) {
        uint32_t label;
        const void *sample =
            gi_dataset_row(t->train, t->epoch, t->order[t->done], t->row[0], &label);
        engine->load_sparse(&t->x, t->train->type, sample, t->train->features,
                            t->network->input.divisor);
        bool correct;
        t->loss_sum += engine->sgd_sample(t->network->layers, t->network->n_layers, &t->x, label,
                                          rate_at(t, t->step), t->workspace.activation,
                                          t->workspace.diff, &t->scratch[0].list, &correct);
        t->n_correct[0] += correct;
        t->diverged = !isfinite(t->loss_sum);
        t->done++;
        t->step++;
    }
}

/* A fresh order of the samples, by (seed, epoch): Fisher and Yates' shuffle. */
static void shuffle(trainer *t)
{
    const size_t n = t->train->samples;
    gi_rng rng = gi_rng_make(t->params.seed, GI_RANDOM_SHUFFLE, t->epoch, 0);
    for (size_t i = 0; i < n; i++) t->order[i] = (uint32_t)i;
    for (size_t i = n; i > 1; i--) {
        const size_t j = gi_rng_below(&rng, (uint32_t)i);
        const uint32_t swapped = t->order[i - 1];
        t->order[i - 1] = t->order[j];
        t->order[j] = swapped;
    }
}

/* ---- The run -------------------------------------------------------------------------------- */

static glia_status check_params(const glia_train_params *p, const glia_dataset *train,
                                const glia_dataset *validation, glia_error *error)
{
    if (!(p->lr > 0) || !isfinite(p->lr))
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "lr: found %g, expected a finite number greater than 0", p->lr);
    if (!isfinite(p->lr_end))
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "lr_end: found %g, expected a finite number (below 0: constant)", p->lr_end);
    if (p->batch < 1)
        return gi_fail(error, GLIA_BAD_ARGUMENT, "batch: found 0, expected 1 or more");
    if (!(p->min_delta >= 0) || !isfinite(p->min_delta))
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "min_delta: found %g, expected a finite number of 0 or more", p->min_delta);
    if (p->patience > 0 && !validation)
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "patience: stopping early needs a validation set; hold one out of the "
                       "training set");
    if (train->samples > UINT32_MAX || p->epochs > UINT32_MAX)
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "found %zu samples and %zu epochs, expected at most %u of each",
                       train->samples, p->epochs, UINT32_MAX);
    return GLIA_OK;
}

static void trainer_free(trainer *t)
{
    const size_t n_threads = t->step_pool ? (size_t)gi_pool_threads(t->step_pool) : 0;
    for (size_t i = 0; i < n_threads; i++) {
        if (t->scratch) gi_scratch_free(&t->scratch[i]);
        if (t->row) gi_free(t->row[i]);
    }
    gi_free(t->scratch);
    gi_free(t->row);
    gi_free(t->order);
    gi_free(t->n_correct);
    gi_free(t->x.index);
    gi_free(t->x.value);
    gi_free(t->snapshot);
    gi_workspace_free(&t->workspace);
    gi_evaluation_free(t->evaluation);
    gi_pool_free(t->own_step_pool);
    gi_pool_free(t->pool);
}

/* Allocates all that the run needs: nothing fails for want of memory once it has begun. */
static glia_status trainer_new(trainer *t, glia_error *error)
{
    const glia_network *network = t->network;
    glia_status status = gi_pool_create(t->params.threads, &t->pool, error);
    if (status) return status;
    const double step_work =
        (double)t->params.batch * (double)glia_network_describe(network).parameters;
    t->step_pool = t->pool;
    if (t->params.batch == 1 || step_work < MIN_SHARED_WORK) {
        status = gi_pool_create(1, &t->own_step_pool, error);
        if (status) return status;
        t->step_pool = t->own_step_pool;
    }

    const size_t n_threads = (size_t)gi_pool_threads(t->step_pool);
    const size_t inputs = gi_network_inputs(network);
    t->scratch = gi_alloc(n_threads, sizeof *t->scratch, "the trainer", error);
    t->row = gi_alloc(n_threads, sizeof *t->row, "the trainer", error);
    t->n_correct = gi_alloc(n_threads, sizeof *t->n_correct, "the trainer", error);
    t->order = gi_alloc(t->train->samples, sizeof *t->order, "the order of the samples", error);
    t->x.index = gi_alloc(inputs, sizeof *t->x.index, "a sample", error);
    t->x.value = gi_alloc(inputs, network->engine->element_bytes, "a sample", error);
    if (!t->scratch || !t->row || !t->n_correct || !t->order || !t->x.index || !t->x.value)
        return GLIA_NO_MEMORY;
    for (size_t i = 0; i < n_threads; i++) {
        status = gi_scratch_new(network, t->params.batch, &t->scratch[i], error);
        if (status) return status;
        t->row[i] = gi_alloc(1, gi_dataset_row_bytes(t->train), "a sample", error);
        if (!t->row[i]) return GLIA_NO_MEMORY;
    }
    status = gi_workspace_new(network, t->params.batch, true, &t->workspace, error);
    if (!status) status = snapshot_new(t, error);
    if (!status && t->validation)
        status = gi_evaluation_new(network, t->validation, t->pool, &t->evaluation, error);
    return status;
}

static bool report(const trainer *t, double started, bool best, const glia_metrics *validation)
{
    if (!t->params.progress) return true;
    const double done = (double)t->done; /* 0 before the first step: 0 / 0 is NAN */
    const glia_progress progress = {
        .epoch = t->epoch + 1,
        .epochs = t->params.epochs,
        .done = t->done,
        .samples = t->train->samples,
        .epoch_end = t->done == t->train->samples,
        .best = best,
        .seconds = now_s() - started,
        .train_loss = t->loss_sum / done,
        .train_accuracy = (double)t->correct / done,
        .validation_loss = validation ? validation->loss : NAN,
        .validation_accuracy = validation ? validation->accuracy : NAN,
        .engine = t->network->engine->name,
        .isa = t->network->engine->isa,
        .threads = gi_pool_threads(t->step_pool),
    };
    return t->params.progress(t->params.user, &progress);
}

/* Trains on the epoch's samples. Stops early when it diverges; false when the caller says stop. */
static bool run_epoch(trainer *t, double started, double *step_s)
{
    const size_t n_threads = (size_t)gi_pool_threads(t->step_pool);
    const size_t n = t->train->samples, batch = t->params.batch;
    const size_t chunk = batch < PROGRESS_SAMPLES ? PROGRESS_SAMPLES / batch * batch : batch;
    shuffle(t);
    t->done = t->correct = 0;
    t->loss_sum = 0;
    memset(t->n_correct, 0, n_threads * sizeof *t->n_correct);
    while (t->done < n) {
        const double begun = now_s();
        t->chunk_end = n - t->done < chunk ? n : t->done + chunk;
        if (batch == 1)
            run_samples(t);
        else
            gi_pool_run(t->step_pool, run_batches, t);
        *step_s += now_s() - begun;
        t->correct = 0;
        for (size_t i = 0; i < n_threads; i++) t->correct += t->n_correct[i];
        if (t->diverged) return true;
        /* The epoch's last report waits for the validation figures. */
        if (t->done < n && !report(t, started, false, NULL)) return false;
    }
    return true;
}

static glia_status fail_diverged(const trainer *t, glia_error *error)
{
    return gi_fail(error, GLIA_DIVERGED,
                   "training diverged in epoch %u, step %zu: the loss is no longer finite; likely "
                   "the learning rate (%g) is too high%s; try %.1g",
                   t->epoch + 1, t->step, t->params.lr,
                   t->train->type == GLIA_F32 ? ", or the features are not scaled to about -1..1"
                                              : "",
                   t->params.lr / 10);
}

static glia_status run(trainer *t, glia_train_result *result, glia_error *error)
{
    glia_status status = GLIA_OK;
    const double started = now_s();
    double step_s = 0, best_loss = INFINITY;
    size_t epochs_without_better = 0;

    snapshot_copy(t, false);
    bool go_on = t->params.epochs == 0 || report(t, started, false, NULL);
    if (!go_on) result->stop = GLIA_STOP_CANCELLED;
    for (size_t epoch = 0; epoch < t->params.epochs && go_on && !status; epoch++) {
        t->epoch = (uint32_t)epoch;
        go_on = run_epoch(t, started, &step_s);
        result->samples += t->done;
        const bool complete = go_on && !t->diverged;
        glia_metrics metrics = {0};
        if (complete && t->validation) metrics = gi_evaluation_run(t->evaluation, NULL);
        if (t->diverged ||
            (complete && (!parameters_are_finite(t->network) || !isfinite(metrics.loss)))) {
            snapshot_copy(t, true);
            result->stop = GLIA_STOP_DIVERGED;
            status = fail_diverged(t, error);
            break;
        }
        if (!go_on) {
            result->stop = GLIA_STOP_CANCELLED;
            break;
        }
        result->epochs = epoch + 1;
        result->train_loss = t->loss_sum / (double)t->done;
        result->train_accuracy = (double)t->correct / (double)t->done;

        const bool best = !t->validation || metrics.loss < best_loss - t->params.min_delta;
        epochs_without_better = best ? 0 : epochs_without_better + 1;
        if (best) {
            snapshot_copy(t, false);
            result->best_epoch = result->epochs;
            if (t->validation) {
                best_loss = metrics.loss;
                result->validation_loss = metrics.loss;
                result->validation_accuracy = metrics.accuracy;
            }
        }
        go_on = report(t, started, best, t->validation ? &metrics : NULL);
        if (!go_on) {
            result->stop = GLIA_STOP_CANCELLED;
        } else if (t->params.patience > 0 && epochs_without_better >= t->params.patience &&
                   result->epochs < t->params.epochs) {
            result->stop = GLIA_STOP_EARLY;
            go_on = false;
        }
    }
    /* With a validation set, the best epoch's weights are what the run was for. */
    if (t->validation && result->best_epoch > 0) snapshot_copy(t, true);
    result->seconds = now_s() - started;
    result->samples_per_second = step_s > 0 ? (double)result->samples / step_s : 0;
    return status;
}

static void keep_record(trainer *t, const glia_train_result *result)
{
    gi_training_record *r = &t->network->record;
    const glia_train_params *p = &t->params;
    r->trained = true;
    strncpy(r->dataset, t->train->name, sizeof r->dataset - 1);
    r->samples = t->train->samples;
    r->validation_samples = t->validation ? t->validation->samples : 0;
    r->lr = p->lr;
    r->lr_end = p->lr_end;
    r->batch = p->batch;
    r->epochs = p->epochs;
    r->seed = p->seed;
    r->patience = p->patience;
    r->min_delta = p->min_delta;
    r->epochs_done = result->epochs;
    r->best_epoch = result->best_epoch;
    r->train_loss = result->train_loss;
    r->validation_loss = result->validation_loss;
}

glia_train_params glia_train_default_params(void)
{
    return (glia_train_params){.lr = 0.2, .lr_end = -1, .batch = 32, .epochs = 10, .seed = 1};
}

glia_status glia_train(glia_network *network, const glia_dataset *train,
                       const glia_dataset *validation, const glia_train_params *params,
                       glia_train_result *result, glia_error *error)
{
    const glia_train_params defaults = glia_train_default_params();
    if (!params) params = &defaults;
    glia_status status = check_params(params, train, validation, error);
    if (status) return status;

    trainer t = {.network = network, .train = train, .validation = validation, .params = *params};
    if (t.params.batch > train->samples) t.params.batch = train->samples;
    const size_t steps_an_epoch = (train->samples + t.params.batch - 1) / t.params.batch;
    t.n_steps = steps_an_epoch * params->epochs;
    glia_train_result r = {
        .train_loss = NAN,
        .train_accuracy = NAN,
        .validation_loss = NAN,
        .validation_accuracy = NAN,
        .engine = network->engine->name,
        .isa = network->engine->isa,
    };
    gi_input_form form;
    char **class_names;
    status = gi_input_form_of(network, train, &form, &class_names, error);
    if (status) return status;
    gi_input_form_swap(network, &form, &class_names);
    bool learned = false;
    status = gi_check_fit(network, train, error);
    if (!status) status = trainer_new(&t, error);
    if (!status) {
        r.threads = gi_pool_threads(t.step_pool);
        status = run(&t, &r, error);
        learned = r.best_epoch > 0 || (r.stop != GLIA_STOP_DIVERGED &&
                                       (r.stop != GLIA_STOP_CANCELLED || r.samples > 0));
        if (result) *result = r;
    }
    if (learned)
        keep_record(&t, &r);
    else /* a network that has learned nothing stays the one that it was */
        gi_input_form_swap(network, &form, &class_names);
    gi_free(class_names);
    trainer_free(&t);
    return status;
}
