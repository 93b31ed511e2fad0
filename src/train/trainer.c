/* SPDX-License-Identifier: MIT */
/* glia_train: what a run is asked for, all that it needs, and what is kept of it. */
#include "train/trainer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "data/encoding/encoding.h"
#include "feed/augment.h"
#include "feed/input_form.h"
#include "infer/unseen.h"
#include "train/schedule.h"

enum { DEFAULT_CHECKPOINT_SECONDS = 30 };

/* ---- Settings ------------------------------------------------------------------------------- */

/* What is about classes wants the loss of classes. */
static glia_status check_loss(const glia_network *network, const glia_settings *p,
                              glia_error *error)
{
    const char *what = p->label_smoothing > 0                                   ? "label_smoothing"
                       : p->class_weights.n > 0 || p->class_weights.is_balanced ? "class_weights"
                                                                                : NULL;
    if (!what || network->loss == GLIA_LOSS_CROSS_ENTROPY) return GLIA_OK;
    return gi_fail(error, GLIA_BAD_ARGUMENT,
                   "%s: is of classes, which the loss cross-entropy is for, but this network's is "
                   "%s; leave it out%s",
                   what, glia_loss_name(network->loss),
                   p->label_smoothing > 0 ? "" : ", or give the samples weights of their own");
}

/* n / (classes * n of the class): each class counts as much as the others. */
static glia_status balance(const glia_dataset *train, gi_class_weights *weights, glia_error *error)
{
    const size_t n = train->samples, classes = train->classes;
    weights->of = gi_alloc(classes, sizeof *weights->of, "the class weights", error);
    if (!weights->of) return GLIA_NO_MEMORY;
    weights->n = classes;
    weights->is_balanced = false;
    for (size_t i = 0; i < n; i++) {
        uint32_t label;
        const glia_status status = glia_dataset_sample(train, i, NULL, 0, &label, error);
        if (status) return status;
        weights->of[label]++;
    }
    for (size_t c = 0; c < classes; c++)
        if (weights->of[c] > 0) weights->of[c] = (double)n / ((double)classes * weights->of[c]);
    return GLIA_OK;
}

static glia_status settle_weights(gi_class_weights *weights, const glia_dataset *train,
                                  glia_error *error)
{
    if (weights->is_balanced) return balance(train, weights, error);
    if (weights->n == 0) return GLIA_OK;
    if (weights->n != train->classes)
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "class_weights: found %zu, expected one for each of the %zu classes of %s",
                       weights->n, train->classes, train->name);
    double sum = 0;
    for (size_t c = 0; c < weights->n; c++) {
        const double weight = weights->of[c];
        if (!(weight >= 0) || !isfinite(weight))
            return gi_fail(error, GLIA_BAD_ARGUMENT,
                           "class_weights: of class %zu found %g, expected a finite number of at "
                           "least 0",
                           c, weight);
        sum += weight;
    }
    if (sum > 0) return GLIA_OK;
    return gi_fail(error, GLIA_BAD_ARGUMENT,
                   "class_weights: found 0 for all classes: there is nothing to learn");
}

/* Checks the settings, and decides what they leave open. */
static glia_status settle(glia_settings *p, const glia_network *network, const glia_dataset *train,
                          const glia_dataset *validation, glia_error *error)
{
    glia_status status = glia_settings_settle(p, error);
    if (!status) status = check_loss(network, p, error);
    if (!status) status = settle_weights(&p->class_weights, train, error);
    if (status) return status;
    if (!(p->checkpoint_seconds >= 0))
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "checkpoint_seconds: found %g, expected a number of at least 0",
                       p->checkpoint_seconds);
    if (p->resume && !p->checkpoint)
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "resume: needs the file to go on from, checkpoint");
    if (p->checkpoint && p->checkpoint_steps == 0 && p->checkpoint_seconds == 0)
        p->checkpoint_seconds = DEFAULT_CHECKPOINT_SECONDS;
    if (p->patience > 0 && !validation)
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "patience: stopping early needs a validation set; hold one out of the "
                       "training set");
    if (p->whole && (p->whole->task != train->task || p->whole->classes != train->classes))
        return gi_fail(error, GLIA_MISMATCH,
                       "whole: found a set of another task or with %zu classes or targets, "
                       "expected what the training set is a part of, with %zu",
                       p->whole->classes, train->classes);
    if (train->samples > UINT32_MAX || p->epochs > UINT32_MAX)
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "found %zu samples and %zu epochs, expected at most %u of each",
                       train->samples, p->epochs, UINT32_MAX);
    if (p->batch > train->samples) p->batch = train->samples;
    return GLIA_OK;
}

/* ---- Making and freeing --------------------------------------------------------------------- */

static void trainer_free(gi_trainer *t)
{
    const size_t n_threads = t->step_pool ? (size_t)gi_pool_threads(t->step_pool) : 0;
    for (size_t i = 0; i < n_threads && t->scratch; i++) gi_scratch_free(&t->scratch[i]);
    gi_free(t->scratch);
    gi_loader_free(t->loader);
    gi_free(t->order);
    gi_free(t->chunks);
    gi_shadows_free(t->snapshot, t->network->n_layers);
    gi_descent_free(&t->descent);
    for (int i = 0; i < 2; i++) {
        gi_workspace_free(&t->workspace[i]);
        gi_free(t->n_correct[i]);
    }
    gi_dense_free(t->dense);
    json_decref(t->about);
    gi_free(t->cpu_s);
    gi_settings_clear(&t->params);
    gi_evaluation_free(t->evaluation);
    gi_diagnosis_free(t->diagnosis);
    gi_pool_free(t->own_step_pool);
    gi_pool_free(t->pool);
}

/* Plans the run, and makes the threads that its steps have. */
static glia_status make_plan(gi_trainer *t, double density, glia_error *error)
{
    const glia_network *network = t->network;
    const gi_plan_request request = {
        .layers = network->layers,
        .n_layers = network->n_layers,
        .batch = t->params.batch,
        .type = t->train->type,
        .density = density,
        .most_pairs = gi_dataset_most_pairs(t->train),
        .threads = gi_pool_threads(t->pool),
        .engine = t->params.engine,
        .precision = t->params.precision,
        .standardises = network->input.mean != NULL,
        .reference = network->engine,
        .for_training = true,
        .dropout = t->params.dropout,
        .input_dropout = t->params.input_dropout,
        .input_noise = t->params.input_noise,
        .is_plain = gi_descent_is_plain(&t->params) && t->params.max_norm == 0 &&
                    t->params.averaging == 0 && t->params.input_dropout == 0 &&
                    t->params.input_noise == 0 && t->params.label_smoothing == 0 &&
                    !gi_trainer_is_weighted(t),
    };
    glia_status status = gi_plan_make(&request, &t->plan, error);
    if (status) return status;
    snprintf(t->plan_text, sizeof t->plan_text, "%s; %s", t->plan.kernels, t->plan.sharing);
    t->step_pool = t->pool;
    if (t->plan.threads < request.threads) {
        status = gi_pool_create(t->plan.threads, &t->own_step_pool, error);
        if (status) return status;
        t->step_pool = t->own_step_pool;
    }
    return GLIA_OK;
}

static glia_status make_loader(gi_trainer *t, glia_error *error)
{
    const glia_augmentation how = gi_settings_augmentation(&t->params);
    const gi_loader_params loading = {
        .network = t->network,
        .plan = &t->plan,
        .dataset = t->train,
        .n_threads = gi_pool_threads(t->step_pool),
        .for_training = true,
        .augmentation = &how,
        .seed = t->params.seed,
        .epochs = t->params.epochs,
        .class_weights = t->params.class_weights.of,
    };
    return gi_loader_new(&loading, &t->loader, error);
}

/* What the threads write into, and the order of the samples. */
static glia_status make_rooms(gi_trainer *t, glia_error *error)
{
    const size_t n_threads = (size_t)gi_pool_threads(t->step_pool);
    t->scratch = gi_alloc(n_threads, sizeof *t->scratch, "the trainer", error);
    for (int i = 0; i < 2; i++)
        t->n_correct[i] =
            gi_alloc(n_threads, GI_COUNT_STRIDE * sizeof *t->n_correct[i], "the trainer", error);
    t->order = gi_alloc(t->train->samples, sizeof *t->order, "the order of the samples", error);
    if (t->train->chunk) {
        const size_t n_chunks = (t->train->samples + t->train->chunk - 1) / t->train->chunk;
        t->chunks = gi_alloc(n_chunks, sizeof *t->chunks, "the order of the samples", error);
        if (!t->chunks) return GLIA_NO_MEMORY;
    }
    t->cpu_s = gi_alloc(n_threads, GI_COUNT_STRIDE * sizeof *t->cpu_s, "the trainer", error);
    if (!t->scratch || !t->cpu_s || !t->n_correct[0] || !t->n_correct[1] || !t->order)
        return GLIA_NO_MEMORY;
    for (size_t i = 0; i < n_threads; i++) {
        const glia_status status =
            gi_scratch_new(t->network, t->params.batch, &t->scratch[i], error);
        if (status) return status;
    }
    return GLIA_OK;
}

/* The two workspaces that take turns. */
static glia_status make_workspaces(gi_trainer *t, glia_error *error)
{
    const glia_network *network = t->network;
    glia_status status = GLIA_OK;
    for (int i = 0; i < 2 && !status; i++)
        status =
            gi_workspace_new(network, &t->plan, t->params.batch, true, &t->workspace[i], error);
    const size_t batches[2] = {t->params.batch, t->train->samples % t->params.batch};
    if (!status) status = gi_dense_new(network, &t->plan, batches, true, &t->dense, error);
    for (int i = 0; i < 2; i++) {
        gi_workspace *w = &t->workspace[i];
        w->dense = t->dense;
        w->dropout = t->params.dropout;
        w->input_dropout = t->params.input_dropout;
        w->input_noise = t->params.input_noise;
        w->smoothing = t->params.label_smoothing;
        w->is_weighted = gi_trainer_is_weighted(t);
        w->seed = t->params.seed;
    }
    return status;
}

/* Allocates all that the run needs: nothing fails for want of memory once it has begun. */
static glia_status trainer_new(gi_trainer *t, glia_error *error)
{
    const glia_network *network = t->network;
    double density = 0;
    glia_status status = gi_pool_create(t->params.threads, &t->pool, error);
    if (!status) status = gi_dataset_density(t->train, &density, error);
    if (!status) status = make_plan(t, density, error);
    if (!status) status = make_loader(t, error);
    if (!status) status = make_rooms(t, error);
    if (!status) status = make_workspaces(t, error);
    if (!status) status = gi_shadows_new(network, "a copy of the parameters", &t->snapshot, error);
    if (!status) status = gi_descent_new(t->network, &t->plan, &t->params, &t->descent, error);
    if (!status && t->validation)
        status = gi_evaluation_new(network, t->validation, t->pool, t->params.label_smoothing,
                                   &t->evaluation, error);
    if (!status) status = gi_learned_rows_of(t->train, t->validation, &t->rows, error);
    if (!status && t->params.checkpoint) status = gi_trainer_describe_run(t, error);
    if (!status)
        status = gi_diagnosis_new(network, t->train, density, &t->params, &t->diagnosis, error);
    return status;
}

/* The settings of the run as they are recorded: what it did not look at is 0. */
static glia_settings recorded(const gi_trainer *t)
{
    glia_settings s = t->params;
    gi_descent_clear_unused(&s);
    s.precision = t->plan.precision;
    s.checkpoint = NULL;
    s.progress = NULL;
    s.diagnosis = NULL;
    s.whole = NULL;
    s.user = NULL;
    return s;
}

/* What a model file will say of the run; its class weights stay the trainer's. */
void gi_trainer_describe(const gi_trainer *t, const glia_train_result *result,
                         gi_training_record *r)
{
    r->trained = true;
    strncpy(r->dataset, t->train->name, sizeof r->dataset - 1);
    r->samples = t->train->samples;
    r->validation_samples = t->validation ? t->validation->samples : 0;
    r->rows = t->rows;
    const char *id = gi_dataset_id_name(t->train);
    r->id[0] = '\0';
    if (id && strlen(id) < sizeof r->id) strcpy(r->id, id);
    r->settings = recorded(t);
    snprintf(r->engine, sizeof r->engine, "%s", t->plan.name);
    snprintf(r->isa, sizeof r->isa, "%s", t->plan.engine->isa);
    snprintf(r->plan, sizeof r->plan, "%s", t->plan.kernels);
    r->epochs_done = result->epochs;
    r->best_epoch = result->best_epoch;
    r->train_loss = result->train_loss;
    r->validation_loss = result->validation_loss;
}

static void keep_record(gi_trainer *t, const glia_train_result *result)
{
    gi_settings_clear(&t->network->record.settings);
    gi_trainer_describe(t, result, &t->network->record);
    t->params.class_weights.of = NULL; /* the network's now */
}

glia_status glia_train_sized(glia_network *network, const glia_dataset *train,
                             const glia_dataset *validation, const glia_settings *settings,
                             glia_train_result *result, size_t size, glia_error *error)
{
    const glia_settings defaults = gi_settings_defaults();
    gi_trainer t = {.network = network, .train = train, .validation = validation};
    glia_status status = gi_settings_copy(settings ? settings : &defaults, &t.params, error);
    if (!status) status = settle(&t.params, network, train, validation, error);
    if (status) {
        gi_settings_clear(&t.params);
        return status;
    }
    t.steps_an_epoch = (train->samples + t.params.batch - 1) / t.params.batch;
    t.n_steps = t.steps_an_epoch * t.params.epochs;
    t.now = (gi_run_state){.train_loss = NAN,
                           .train_accuracy = NAN,
                           .train_rmse = NAN,
                           .best_loss = INFINITY,
                           .validation_loss = NAN,
                           .validation_accuracy = NAN,
                           .validation_rmse = NAN};
    glia_train_result r = {
        .train_loss = NAN,
        .train_accuracy = NAN,
        .train_rmse = NAN,
        .validation_loss = NAN,
        .validation_accuracy = NAN,
        .validation_rmse = NAN,
    };
    gi_data_form form;
    status = gi_data_form_of(network, train, &form, error);
    if (status) {
        gi_settings_clear(&t.params);
        return status;
    }
    gi_data_form_swap(network, &form);
    bool learned = false;
    status = gi_check_fit(network, train, error);
    if (!status) status = trainer_new(&t, error);
    if (!status) {
        r.threads = gi_pool_threads(t.step_pool);
        r.engine = t.plan.name;
        r.isa = t.plan.engine->isa;
        r.precision = t.plan.precision;
        memcpy(r.plan, t.plan_text, sizeof r.plan);
        status = gi_trainer_run(&t, &r, error);
        const bool ended = !status && r.stop != GLIA_STOP_CANCELLED;
        learned = r.best_epoch > 0 || (r.stop != GLIA_STOP_DIVERGED && (ended || r.samples > 0));
        if (result) gi_copy_known(result, size, &r, sizeof r);
    }
    if (learned)
        keep_record(&t, &r);
    else /* a network that has learned nothing stays the one that it was */
        gi_data_form_swap(network, &form);
    gi_data_form_free(&form);
    trainer_free(&t);
    return status;
}
