/* SPDX-License-Identifier: MIT */
/*
 * Training: epochs of shuffled batches, stochastic gradient descent, early stopping.
 *
 * All threads run an epoch side by side and meet at barriers, two a step for a network of one large
 * hidden layer (src/net/workspace.h says how they share it out). Every number is computed by one
 * thread in one order: the result does not depend on how many there are. Two workspaces take turns,
 * so that the next batch is loaded while this one is learned from. A step with a single sample is
 * one fused kernel on one thread.
 */
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/thread.h"
#include "data/augment.h"
#include "format/json.h"
#include "net/workspace.h"
#include "train/checkpoint.h"
#include "train/diagnosis.h"
#include "train/input_form.h"
#include "train/metrics.h"
#include "train/optimizer.h"
#include "train/schedule.h"

enum {
    PROGRESS_SAMPLES = 1024, /* between two calls of the progress callback, about */
    PREFETCH_SAMPLES = 12,   /* how far ahead rows of the data set are asked for */
    COUNT_STRIDE = 8,
    DEFAULT_CHECKPOINT_SECONDS = 30,
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
    glia_train_params params;               /* batch at most samples; the schedule settled */
    gi_plan plan;
    char plan_text[GLIA_PLAN_TEXT];
    gi_pool *pool;          /* evaluates */
    gi_pool *step_pool;     /* steps: pool, or one of fewer threads */
    gi_pool *own_step_pool; /* to be freed */

    gi_evaluation *evaluation; /* of validation; or NULL */
    gi_diagnosis *diagnosis;   /* or NULL */
    gi_dense *dense;           /* where the plan wants oneDNN */
    gi_workspace workspace[2]; /* (batch) rows each */
    gi_scratch *scratch;       /* (threads) */
    uint8_t **row;             /* (threads): for images that are drawn as needed */
    gi_augmenter *augmenter;   /* or NULL */
    uint32_t *order;           /* (samples): the epoch's permutation */
    gi_sparse x;               /* batch 1: the sample's non-zeros */
    gi_descent descent;
    gi_shadow *snapshot;   /* parameters of the best epoch, or of the last good one */
    double *class_weights; /* a copy for the record, or NULL */

    gi_run_state now;
    bool diverged, cancelled;
    json_t *about; /* what a checkpoint of this run is about; NULL: none is kept */
    bool keeps;    /* whether it is time for one */
    size_t kept_step;
    double kept_at;                        /* now_s() */
    gi_shadow parameters[GLIA_MAX_LAYERS]; /* the network's own */
    /* Of a step, by the workspace whose turn it is: what others read after a barrier. */
    size_t *n_correct[2]; /* (threads, COUNT_STRIDE): each thread's, on a cache line of its own */
    bool stop[2];
    /* How the threads get on beside the machine's other work (should_be_alone). */
    _Atomic(double) *cpu_s; /* (threads, COUNT_STRIDE): each thread's processor time, and when */
    double pace_begun, pace_had, pause_s, alone_until;
    atomic_size_t alone_from; /* the step in which the others leave; none: SIZE_MAX */
    size_t turn;              /* of the workspaces, when thread 0 has stopped being alone */
    size_t n_steps;           /* of the whole run */
    size_t steps_an_epoch;
    double started;     /* now_s() */
    double reporting_s; /* spent in the callback */
} trainer;

/* ---- Parameters kept aside ------------------------------------------------------------------ */

/* Copies all parameters, or their average where there is one, to the snapshot; or back. */
static void snapshot_copy(trainer *t, bool back)
{
    const glia_network *network = t->network;
    for (size_t l = 0; l < network->n_layers; l++)
        for (int block = 0; block < 2; block++) {
            void *now = gi_parameters(&network->layers[l], block);
            void *kept = t->snapshot[l].of[block];
            const gi_shadow *average = t->descent.optimizer.average;
            if (back)
                memcpy(now, kept, gi_parameter_bytes(network, l, block));
            else
                memcpy(kept, average ? average[l].of[block] : now,
                       gi_parameter_bytes(network, l, block));
        }
}

static bool parameters_are_finite(const glia_network *network)
{
    for (size_t l = 0; l < network->n_layers; l++) {
        const gi_layer *layer = &network->layers[l];
        const float *weight = layer->weight, *bias = layer->bias;
        float sum = 0; /* of 0 * w: NaN as soon as one is infinite or NaN */
        for (size_t i = 0; i < gi_padded(layer->n_in) * layer->ld; i++) sum += 0 * weight[i];
        for (size_t i = 0; i < gi_layer_vectors(layer) * layer->ld; i++) sum += 0 * bias[i];
        if (sum != 0) return false;
    }
    return true;
}

/* ---- Steps ---------------------------------------------------------------------------------- */

static double rate_at(const trainer *t, size_t step)
{
    return gi_rate_at(&t->params, step, t->n_steps, t->steps_an_epoch);
}

static bool report(trainer *t, bool best, const glia_metrics *validation);

static bool is_time_to_keep(const trainer *t)
{
    const glia_train_params *p = &t->params;
    if (p->checkpoint_steps > 0 && t->now.step - t->kept_step >= p->checkpoint_steps) return true;
    return p->checkpoint_seconds > 0 && now_s() - t->kept_at >= p->checkpoint_seconds;
}

/*
 * Counts a step of m samples, which weigh so much; the thread that called glia_train does it after
 * each. Others may be loading the batch after the next over the samples by then, but not the loss.
 */
static void count_step(trainer *t, size_t m, double weight, const gi_workspace *w, size_t correct)
{
    for (size_t r = 0; r < m; r++) t->now.loss_sum += w->loss[r];
    t->now.weight_sum += weight;
    t->now.correct += correct;
    t->now.done += m;
    t->now.step++;
    t->diverged = !isfinite(t->now.loss_sum);
    t->keeps = t->about && is_time_to_keep(t);
    /* The epoch's last report waits for the validation figures. */
    if (t->diverged || t->now.done == t->train->samples ||
        t->now.done - t->now.reported < PROGRESS_SAMPLES)
        return;
    t->now.reported = t->now.done;
    t->cancelled = !report(t, false, NULL);
}

static bool is_weighted(const trainer *t)
{
    return t->params.class_weights || t->train->weights;
}

/* How much a sample counts. */
static double weight_of(const trainer *t, size_t i, uint32_t label)
{
    const double of_class = t->params.class_weights ? t->params.class_weights[label] : 1;
    return of_class * gi_dataset_weight(t->train, i);
}

/* Loads this thread's part of the batch that begins at sample `first` of the epoch. */
static void load_batch(const trainer *t, gi_workspace *w, size_t first, const gi_crew *crew)
{
    if (first >= t->train->samples) return;
    const size_t left = t->train->samples - first;
    size_t begin, end;
    if (crew->thread == 0) { /* read after a barrier */
        w->epoch = (uint32_t)t->now.epoch;
        w->first = first;
    }
    gi_slice(left < t->params.batch ? left : t->params.batch, 1, crew->thread, crew->n_threads,
             &begin, &end);
    for (size_t r = begin; r < end; r++) {
        if (first + r + PREFETCH_SAMPLES < t->train->samples)
            gi_dataset_prefetch(t->train, t->order[first + r + PREFETCH_SAMPLES]);
        const size_t i = t->order[first + r];
        const void *sample =
            gi_augmenter_row(t->augmenter, crew->thread, t->train, (uint32_t)t->now.epoch, i,
                             t->row[crew->thread], &w->labels[r]);
        gi_workspace_load_changed(t->network, &t->plan, w, r, t->train->type, sample,
                                  (uint32_t)t->now.epoch, first + r);
        if (w->is_weighted) w->weights[r] = (float)weight_of(t, i, w->labels[r]);
    }
}

/* Notes now and then how much processor time this thread has had, and keeps to one of its own. */
static void note_pace(trainer *t, int thread)
{
    _Atomic(double) *noted = t->cpu_s + thread * COUNT_STRIDE; /* processor time, and when */
    const double now = now_s();
    if (now - noted[1] < 5e-3) return;
    noted[0] = gi_thread_seconds();
    noted[1] = now;
    gi_pool_spread(t->step_pool, thread);
}

/*
 * Whether a neighbour on the machine takes so much of the processors that one thread alone would be
 * faster: when all threads together had little more processor time, waiting left out, than time
 * went by. Looked at by thread 0 after every step.
 */
static bool should_be_alone(trainer *t, int n_threads)
{
    const double now = now_s(), passed = now - t->pace_begun;
    if (passed < 20e-3) return false;
    double had = -gi_pool_waited_seconds(t->step_pool);
    for (int i = 0; i < n_threads; i++) had += t->cpu_s[i * COUNT_STRIDE];
    const bool first = t->pace_begun == 0; /* there is nothing to compare with */
    const bool hindered = !first && had - t->pace_had < 1.1 * passed;
    t->pace_begun = now;
    t->pace_had = had;
    if (first) return false;
    /* The longer it lasts, the less often the others are asked back. */
    t->pause_s = !hindered ? 0 : t->pause_s == 0 ? 0.1 : t->pause_s < 1 ? 2 * t->pause_s : 1;
    t->alone_until = now + t->pause_s;
    return hindered;
}

/*
 * The epoch's steps, by every thread of the pool. Where a neighbour is busy, thread 0 goes on alone
 * for a while and the others sleep: whoever computes, the bits are the same.
 */
static void run_batches(void *context, int thread, int n_threads)
{
    trainer *t = context;
    gi_crew crew = {t->step_pool, thread, n_threads, &t->scratch[thread]};
    const size_t n = t->train->samples;
    load_batch(t, &t->workspace[0], t->now.done, &crew);
    gi_crew_barrier(&crew);
    /* each thread counts done and step for itself; thread 0 reports them */
    size_t turn = 0;
    for (size_t done = t->now.done, step = t->now.step; done < n; turn = 1 - turn, step++) {
        gi_workspace *w = &t->workspace[turn];
        const size_t m = n - done < t->params.batch ? n - done : t->params.batch;
        t->n_correct[turn][thread * COUNT_STRIDE] =
            gi_step_forward(t->network, &t->plan, w, m, &crew);
        gi_step_backward(t->network, &t->plan, w, m, &crew);
        done += m;
        load_batch(t, &t->workspace[1 - turn], done, &crew);
        if (crew.n_threads > 1) note_pace(t, thread);
        gi_crew_barrier(&crew);
        /* what thread 0 wrote before this barrier, after the one a step ago */
        const bool leave = crew.n_threads > 1 && t->alone_from == step;
        if (leave && thread > 0) {
            gi_pool_sleep(t->step_pool); /* until thread 0 calls back, or has finished */
            done = t->now.done;
            step = t->now.step - 1;
            turn = t->turn;
            if (t->stop[turn]) return;
            continue;
        }
        const int n_counted = crew.n_threads;
        if (leave) crew.n_threads = 1;
        if (t->stop[turn]) break; /* after leaving, which the others do whether it is set or not */

        const double weight = gi_workspace_weight(w, m);
        gi_descend(&t->descent, w, m, step, rate_at(t, step), &crew);
        const bool due = gi_diagnosis_is_due(t->diagnosis, step + 1);
        if (due) gi_crew_barrier(&crew); /* every weight is updated */
        if (thread > 0) continue;
        size_t correct = 0;
        for (int i = 0; i < n_counted; i++) correct += t->n_correct[turn][i * COUNT_STRIDE];
        count_step(t, m, weight, w, correct);
        if (due && !t->diverged) gi_diagnosis_step(t->diagnosis, t->now.epoch, t->now.step);
        t->stop[1 - turn] = t->diverged || t->cancelled || t->keeps;
        if (crew.n_threads > 1 && should_be_alone(t, n_threads)) t->alone_from = step + 1;
        if (crew.n_threads < n_threads && (done == n || now_s() > t->alone_until)) {
            t->turn = turn;
            crew.n_threads = n_threads;
            t->pace_begun = 0;
            gi_pool_barrier(t->step_pool);
        }
    }
    if (crew.n_threads < n_threads) { /* stopped while alone */
        t->turn = turn;
        gi_pool_barrier(t->step_pool);
    }
}

static void run_samples(trainer *t)
{
    const gi_engine *engine = t->plan.engine;
    gi_workspace *w = &t->workspace[0];
    while (t->now.done < t->train->samples && !t->diverged && !t->cancelled && !t->keeps) {
        uint32_t label;
        if (t->now.done + PREFETCH_SAMPLES < t->train->samples)
            gi_dataset_prefetch(t->train, t->order[t->now.done + PREFETCH_SAMPLES]);
        const void *sample = gi_augmenter_row(t->augmenter, 0, t->train, (uint32_t)t->now.epoch,
                                              t->order[t->now.done], t->row[0], &label);
        engine->load_sparse(&t->x, t->train->type, sample, t->train->features,
                            t->network->input.divisor);
        bool correct;
        w->loss[0] = engine->sgd_sample(t->network->layers, t->network->n_layers, &t->x, label,
                                        rate_at(t, t->now.step), w->activation, w->diff,
                                        &t->scratch[0], &correct);
        count_step(t, 1, 1, w, correct);
        if (gi_diagnosis_is_due(t->diagnosis, t->now.step) && !t->diverged)
            gi_diagnosis_step(t->diagnosis, t->now.epoch, t->now.step);
    }
}

/* A fresh order of the samples, by (seed, epoch): Fisher and Yates' shuffle. */
static void shuffle(trainer *t)
{
    const size_t n = t->train->samples;
    gi_rng rng = gi_rng_make(t->params.seed, GI_RANDOM_SHUFFLE, (uint32_t)t->now.epoch, 0);
    for (size_t i = 0; i < n; i++) t->order[i] = (uint32_t)i;
    for (size_t i = n; i > 1; i--) {
        const size_t j = gi_rng_below(&rng, (uint32_t)i);
        const uint32_t swapped = t->order[i - 1];
        t->order[i - 1] = t->order[j];
        t->order[j] = swapped;
    }
}

/* ---- The run -------------------------------------------------------------------------------- */

static glia_status check_weights(const glia_train_params *p, const glia_dataset *train,
                                 glia_error *error)
{
    if (!p->class_weights) return GLIA_OK;
    if (p->n_class_weights != train->classes)
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "class_weights: found %zu, expected one for each of the %zu classes of %s",
                       p->n_class_weights, train->classes, train->name);
    double sum = 0;
    for (size_t c = 0; c < p->n_class_weights; c++) {
        const double weight = p->class_weights[c];
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

/* Also decides what params leave open. */
static glia_status check_params(glia_train_params *p, const glia_dataset *train,
                                const glia_dataset *validation, glia_error *error)
{
    glia_status status = gi_descent_check(p, error);
    if (!status) status = gi_schedule_check(p, error);
    if (!status) status = check_weights(p, train, error);
    if (status) return status;
    if (p->batch < 1)
        return gi_fail(error, GLIA_BAD_ARGUMENT, "batch: found 0, expected 1 or more");
    if (!(p->min_delta >= 0) || !isfinite(p->min_delta))
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "min_delta: found %g, expected a finite number of 0 or more", p->min_delta);
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
    gi_augmenter_free(t->augmenter);
    gi_free(t->order);
    gi_free(t->x.index);
    gi_free(t->x.value);
    gi_shadows_free(t->snapshot, t->network->n_layers);
    gi_descent_free(&t->descent);
    for (int i = 0; i < 2; i++) {
        gi_workspace_free(&t->workspace[i]);
        gi_free(t->n_correct[i]);
    }
    gi_dense_free(t->dense);
    json_decref(t->about);
    gi_free(t->cpu_s);
    gi_free(t->class_weights);
    gi_evaluation_free(t->evaluation);
    gi_diagnosis_free(t->diagnosis);
    gi_pool_free(t->own_step_pool);
    gi_pool_free(t->pool);
}

static glia_status describe_run(trainer *t, glia_error *error);

/* Allocates all that the run needs: nothing fails for want of memory once it has begun. */
static glia_status trainer_new(trainer *t, glia_error *error)
{
    const glia_network *network = t->network;
    glia_status status = gi_pool_create(t->params.threads, &t->pool, error);
    if (status) return status;
    double density;
    status = gi_dataset_density(t->train, &density, error);
    if (status) return status;
    const gi_plan_request request = {
        .layers = network->layers,
        .n_layers = network->n_layers,
        .batch = t->params.batch,
        .type = t->train->type,
        .density = density,
        .threads = gi_pool_threads(t->pool),
        .engine = t->params.engine,
        .precision = t->params.precision,
        .reference = network->engine,
        .for_training = true,
        .dropout = t->params.dropout,
        .input_dropout = t->params.input_dropout,
        .input_noise = t->params.input_noise,
        .is_plain = gi_descent_is_plain(&t->params) && t->params.max_norm == 0 &&
                    t->params.input_dropout == 0 && t->params.input_noise == 0 &&
                    t->params.label_smoothing == 0 && !is_weighted(t),
    };
    status = gi_plan_make(&request, &t->plan, error);
    if (status) return status;
    snprintf(t->plan_text, sizeof t->plan_text, "%s; %s", t->plan.kernels, t->plan.sharing);
    t->step_pool = t->pool;
    if (t->plan.threads < request.threads) {
        status = gi_pool_create(t->plan.threads, &t->own_step_pool, error);
        if (status) return status;
        t->step_pool = t->own_step_pool;
    }

    const size_t n_threads = (size_t)gi_pool_threads(t->step_pool);
    status = gi_augmenter_new(t->params.augmentation, network->input.preprocess, t->train,
                              t->params.seed, network->engine->isa, (int)n_threads, &t->augmenter,
                              error);
    if (status) return status;
    const size_t inputs = gi_network_inputs(network);
    t->scratch = gi_alloc(n_threads, sizeof *t->scratch, "the trainer", error);
    t->row = gi_alloc(n_threads, sizeof *t->row, "the trainer", error);
    for (int i = 0; i < 2; i++)
        t->n_correct[i] =
            gi_alloc(n_threads, COUNT_STRIDE * sizeof *t->n_correct[i], "the trainer", error);
    t->order = gi_alloc(t->train->samples, sizeof *t->order, "the order of the samples", error);
    t->x.index = gi_alloc(gi_padded(inputs), sizeof *t->x.index, "a sample", error);
    t->x.value = gi_alloc(gi_padded(inputs), network->engine->element_bytes, "a sample", error);
    t->cpu_s = gi_alloc(n_threads, COUNT_STRIDE * sizeof *t->cpu_s, "the trainer", error);
    if (!t->scratch || !t->row || !t->cpu_s || !t->n_correct[0] || !t->n_correct[1] || !t->order ||
        !t->x.index || !t->x.value)
        return GLIA_NO_MEMORY;
    if (t->params.class_weights) {
        const size_t n = t->params.n_class_weights;
        t->class_weights = gi_alloc(n, sizeof *t->class_weights, "the class weights", error);
        if (!t->class_weights) return GLIA_NO_MEMORY;
        memcpy(t->class_weights, t->params.class_weights, n * sizeof *t->class_weights);
    }
    for (size_t i = 0; i < n_threads; i++) {
        status = gi_scratch_new(network, t->params.batch, &t->scratch[i], error);
        if (status) return status;
        t->row[i] = gi_alloc(1, gi_dataset_row_bytes(t->train), "a sample", error);
        if (!t->row[i]) return GLIA_NO_MEMORY;
    }
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
        w->is_weighted = is_weighted(t);
        w->seed = t->params.seed;
    }
    if (!status) status = gi_shadows_new(network, "a copy of the parameters", &t->snapshot, error);
    if (!status) status = gi_descent_new(t->network, &t->plan, &t->params, &t->descent, error);
    if (!status && t->validation)
        status = gi_evaluation_new(network, t->validation, t->pool, t->params.label_smoothing,
                                   &t->evaluation, error);
    if (!status && t->params.checkpoint) status = describe_run(t, error);
    if (!status)
        status = gi_diagnosis_new(network, t->train, density, &t->params, &t->diagnosis, error);
    return status;
}

static bool report(trainer *t, bool best, const glia_metrics *validation)
{
    const double begun = now_s();
    if (!t->params.progress) return true;
    const double done = (double)t->now.done; /* 0 before the first step: 0 / 0 is NAN */
    const glia_progress progress = {
        .epoch = t->now.epoch + 1,
        .epochs = t->params.epochs,
        .done = t->now.done,
        .samples = t->train->samples,
        .step = t->now.step,
        .lr = t->now.step > 0 ? rate_at(t, t->now.step - 1) : NAN,
        .epoch_end = t->now.done == t->train->samples,
        .best = best,
        .seconds = begun - t->started,
        .train_loss = t->now.loss_sum / t->now.weight_sum,
        .train_accuracy = (double)t->now.correct / done,
        .validation_loss = validation ? validation->loss : NAN,
        .validation_accuracy = validation ? validation->accuracy : NAN,
        .engine = t->plan.name,
        .isa = t->plan.engine->isa,
        .precision = t->plan.precision,
        .plan = t->plan_text,
        .threads = gi_pool_threads(t->step_pool),
    };
    const bool go_on = t->params.progress(t->params.user, &progress);
    t->reporting_s += now_s() - begun;
    return go_on;
}

/* What a model file will say of the run; class_weights stay the trainer's. */
static void describe(const trainer *t, const glia_train_result *result, gi_training_record *r)
{
    const glia_train_params *p = &t->params;
    r->trained = true;
    strncpy(r->dataset, t->train->name, sizeof r->dataset - 1);
    r->samples = t->train->samples;
    r->validation_samples = t->validation ? t->validation->samples : 0;
    gi_descent_keep(p, r);
    r->class_weights = t->class_weights;
    r->n_class_weights = t->class_weights ? p->n_class_weights : 0;
    r->lr = p->lr;
    r->schedule = p->schedule;
    r->lr_end = p->lr_end;
    r->lr_factor = p->lr_factor;
    r->lr_every = p->lr_every;
    r->warmup = p->warmup;
    r->batch = p->batch;
    r->epochs = p->epochs;
    r->seed = p->seed;
    r->augmentation =
        gi_augmentation_is_none(p->augmentation) ? (glia_augmentation){0} : *p->augmentation;
    r->patience = p->patience;
    r->min_delta = p->min_delta;
    snprintf(r->engine, sizeof r->engine, "%s", t->plan.name);
    snprintf(r->isa, sizeof r->isa, "%s", t->plan.engine->isa);
    r->precision = t->plan.precision;
    snprintf(r->plan, sizeof r->plan, "%s", t->plan.kernels);
    r->epochs_done = result->epochs;
    r->best_epoch = result->best_epoch;
    r->train_loss = result->train_loss;
    r->validation_loss = result->validation_loss;
}

static void keep_record(trainer *t, const glia_train_result *result)
{
    gi_free(t->network->record.class_weights);
    describe(t, result, &t->network->record);
    t->class_weights = NULL; /* the network's now */
}

/* ---- Checkpoints ---------------------------------------------------------------------------- */

static gi_kept_arrays kept_arrays(trainer *t)
{
    for (size_t l = 0; l < t->network->n_layers; l++)
        for (int block = 0; block < 2; block++)
            t->parameters[l].of[block] = gi_parameters(&t->network->layers[l], block);
    const gi_optimizer *o = &t->descent.optimizer;
    return (gi_kept_arrays){
        .name = {"parameters", "best", "moment1", "moment2", "average"},
        .of = {t->parameters, t->snapshot, o->first, o->second, o->average},
    };
}

/*
 * What a checkpoint must agree with: all that a model file says of the run, the content of its
 * data, and what else its bits depend on.
 */
static glia_status describe_run(trainer *t, glia_error *error)
{
    const gi_training_record before = t->network->record;
    const glia_train_result nothing = {.train_loss = NAN, .validation_loss = NAN};
    char *text = NULL;
    describe(t, &nothing, &t->network->record);
    glia_status status = glia_network_metadata(t->network, &text, error);
    t->network->record = before;
    if (!status) status = gi_json_read("a run", text, strlen(text), 0, &t->about, NULL, error);
    glia_string_free(text);
    if (status) return status;
    const uint16_t one = 1;
    uint8_t first_byte;
    memcpy(&first_byte, &one, 1);
    const json_int_t sum = gi_dataset_checksum(t->train);
    const json_int_t validation = t->validation ? gi_dataset_checksum(t->validation) : 0;
    json_t *more = json_pack(
        "{s:I, s:I, s:i, s:b}", "checksum", sum, "validation_checksum", validation, "threads",
        t->plan.onednn ? gi_pool_threads(t->step_pool) : 0, "little_endian", first_byte == 1);
    const bool failed = !more || json_object_update(t->about, more);
    json_decref(more);
    return failed ? gi_fail(error, GLIA_NO_MEMORY, "out of memory for a checkpoint") : GLIA_OK;
}

/* Writes the checkpoint; no other thread of the run is at work. */
static glia_status keep(trainer *t, glia_error *error)
{
    const gi_kept_arrays arrays = kept_arrays(t);
    t->now.seconds = now_s() - t->started;
    t->keeps = false;
    t->kept_step = t->now.step;
    const glia_status status =
        gi_checkpoint_write(t->params.checkpoint, t->network, &arrays, &t->now, t->about, error);
    t->kept_at = now_s();
    return status;
}

/* Goes back to where the checkpoint was written. */
static glia_status resume(trainer *t, glia_error *error)
{
    const gi_kept_arrays arrays = kept_arrays(t);
    gi_run_state state;
    const char *path = t->params.checkpoint;
    const gi_run_limits limits = {.epochs = t->params.epochs,
                                  .samples = t->train->samples,
                                  .batch = t->params.batch,
                                  .steps_an_epoch = t->steps_an_epoch};
    const glia_status status =
        gi_checkpoint_read(path, t->network, &arrays, &limits, &state, t->about, error);
    if (status) return status;
    t->now = state;
    t->kept_step = state.step;
    for (int part = 0; t->dense && part < t->plan.threads; part++) gi_dense_refresh(t->dense, part);
    return GLIA_OK;
}

/* ---- The run -------------------------------------------------------------------------------- */

/*
 * Trains on the epoch's samples, or on those that a checkpoint has left. Stops early when it
 * diverges, or the caller says stop.
 */
static glia_status run_epoch(trainer *t, double *step_s, glia_error *error)
{
    glia_status status = GLIA_OK;
    shuffle(t);
    if (t->now.done == 0) {
        t->now.reported = t->now.correct = 0;
        t->now.loss_sum = t->now.weight_sum = 0;
    }
    do {
        t->stop[0] = t->stop[1] = false;
        t->alone_from = t->alone_until > now_s() ? t->now.step : SIZE_MAX;
        t->pace_begun = 0;
        const double begun = now_s(), reporting_s = t->reporting_s;
        if (t->plan.one_by_one)
            run_samples(t);
        else
            gi_pool_run(t->step_pool, run_batches, t);
        *step_s += now_s() - begun - (t->reporting_s - reporting_s);
        if (!t->diverged && t->now.done < t->train->samples && (t->keeps || t->cancelled) &&
            t->about)
            status = keep(t, error);
    } while (!status && !t->diverged && !t->cancelled && t->now.done < t->train->samples);
    return status;
}

static glia_status fail_diverged(const trainer *t, glia_error *error)
{
    return gi_fail(error, GLIA_DIVERGED,
                   "training diverged in epoch %zu, step %zu: the loss is no longer finite; likely "
                   "the learning rate (%g) is too high%s; try %.1g",
                   t->now.epoch + 1, t->now.step, t->params.lr,
                   t->train->type == GLIA_F32 ? ", or the features are not scaled to about -1..1"
                                              : "",
                   t->params.lr / 10);
}

/* What an epoch has come to; false if it has diverged. */
static bool end_epoch(trainer *t, glia_metrics *metrics, bool *best)
{
    gi_run_state *now = &t->now;
    if (t->validation) {
        gi_descent_swap_average(&t->descent);
        *metrics = gi_evaluation_run(t->evaluation, NULL);
        gi_descent_swap_average(&t->descent);
    }
    if (!parameters_are_finite(t->network) || !isfinite(metrics->loss)) return false;
    now->epochs = now->epoch + 1;
    now->train_loss = now->loss_sum / now->weight_sum;
    now->train_accuracy = (double)now->correct / (double)now->done;
    *best = !t->validation || metrics->loss < now->best_loss - t->params.min_delta;
    now->epochs_without_better = *best ? 0 : now->epochs_without_better + 1;
    if (!*best) return true;
    snapshot_copy(t, false);
    now->best_epoch = now->epochs;
    if (t->validation) {
        now->best_loss = now->validation_loss = metrics->loss;
        now->validation_accuracy = metrics->accuracy;
    }
    return true;
}

/* Tells the diagnosis how an epoch went. */
static void diagnose(trainer *t, const glia_metrics *validation)
{
    const gi_epoch_figures figures = {
        .epoch = t->now.epochs,
        .step = t->now.step,
        .train_loss = t->now.train_loss,
        .train_accuracy = t->now.train_accuracy,
        .validation_loss = validation ? validation->loss : NAN,
        .validation_accuracy = validation ? validation->accuracy : NAN,
        .validation_samples = validation ? validation->samples : 0,
    };
    gi_diagnosis_epoch(t->diagnosis, &figures);
}

static glia_status run(trainer *t, glia_train_result *result, glia_error *error)
{
    glia_status status = GLIA_OK;
    gi_run_state *now = &t->now;
    if (t->params.resume) status = resume(t, error);
    if (status) return status;
    const size_t samples_before = now->samples + now->done;
    t->started = now_s() - now->seconds;
    t->kept_at = now_s();
    double step_s = 0;
    const size_t patience = t->params.patience;

    if (now->epochs == 0 && now->done == 0) snapshot_copy(t, false);
    bool go_on = now->epoch == t->params.epochs || report(t, false, NULL);
    if (!go_on) result->stop = GLIA_STOP_CANCELLED;
    if (go_on) gi_diagnosis_begin(t->diagnosis, now->epoch, now->step);
    while (now->epoch < t->params.epochs && go_on) {
        if (patience > 0 && now->epochs_without_better >= patience) {
            result->stop = GLIA_STOP_EARLY;
            break;
        }
        status = run_epoch(t, &step_s, error);
        if (!status) status = gi_dense_check(t->dense, error);
        if (status) break;
        glia_metrics metrics = {0};
        bool best = false;
        if (t->diverged || (!t->cancelled && !end_epoch(t, &metrics, &best))) {
            snapshot_copy(t, true);
            result->stop = GLIA_STOP_DIVERGED;
            status = fail_diverged(t, error);
            break;
        }
        if (t->cancelled) {
            result->stop = GLIA_STOP_CANCELLED;
            break;
        }
        go_on = report(t, best, t->validation ? &metrics : NULL);
        if (go_on) diagnose(t, t->validation ? &metrics : NULL);
        if (!go_on) result->stop = GLIA_STOP_CANCELLED;
        now->samples += now->done;
        now->done = now->reported = 0;
        now->epoch++;
        const bool last = !go_on || now->epoch == t->params.epochs ||
                          (patience > 0 && now->epochs_without_better >= patience);
        if (t->about && (t->keeps || last)) status = keep(t, error);
        if (status) break;
    }
    result->epochs = now->epochs;
    result->best_epoch = now->best_epoch;
    result->train_loss = now->train_loss;
    result->train_accuracy = now->train_accuracy;
    result->validation_loss = now->validation_loss;
    result->validation_accuracy = now->validation_accuracy;
    result->samples = now->samples + now->done;
    /* With a validation set, the best epoch's weights are what the run was for. */
    if (t->validation && result->best_epoch > 0)
        snapshot_copy(t, true);
    else if (!status)
        gi_descent_swap_average(&t->descent);
    result->seconds = now_s() - t->started;
    result->samples_per_second =
        step_s > 0 ? (double)(result->samples - samples_before) / step_s : 0;
    return status;
}

glia_train_params glia_train_default_params(void)
{
    return (glia_train_params){.lr = 0,
                               .lr_end = -1,
                               .batch = 32,
                               .epochs = 10,
                               .seed = 1,
                               .momentum = 0.9,
                               .beta2 = -1,
                               .epsilon = 1e-8,
                               .weight_decay = -1};
}

glia_status glia_train(glia_network *network, const glia_dataset *train,
                       const glia_dataset *validation, const glia_train_params *params,
                       glia_train_result *result, glia_error *error)
{
    const glia_train_params defaults = glia_train_default_params();
    if (!params) params = &defaults;
    trainer t = {.network = network, .train = train, .validation = validation, .params = *params};
    glia_status status = check_params(&t.params, train, validation, error);
    if (status) return status;
    t.params = gi_schedule_settle(t.params);
    params = &t.params;
    if (t.params.batch > train->samples) t.params.batch = train->samples;
    t.steps_an_epoch = (train->samples + t.params.batch - 1) / t.params.batch;
    t.n_steps = t.steps_an_epoch * params->epochs;
    t.now = (gi_run_state){.train_loss = NAN,
                           .train_accuracy = NAN,
                           .best_loss = INFINITY,
                           .validation_loss = NAN,
                           .validation_accuracy = NAN};
    glia_train_result r = {
        .train_loss = NAN,
        .train_accuracy = NAN,
        .validation_loss = NAN,
        .validation_accuracy = NAN,
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
        r.engine = t.plan.name;
        r.isa = t.plan.engine->isa;
        r.precision = t.plan.precision;
        memcpy(r.plan, t.plan_text, sizeof r.plan);
        status = run(&t, &r, error);
        const bool ended = !status && r.stop != GLIA_STOP_CANCELLED;
        learned = r.best_epoch > 0 || (r.stop != GLIA_STOP_DIVERGED && (ended || r.samples > 0));
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
