/* SPDX-License-Identifier: MIT */
/*
 * The steps of an epoch.
 *
 * All threads run it side by side and meet at barriers, two a step for a network of one large
 * hidden layer (src/net/workspace.h says how they share it out). Every number is computed by one
 * thread in one order: the result does not depend on how many there are. Two workspaces take turns,
 * so that the next batch is loaded while this one is learned from. A step with a single sample is
 * one fused kernel on one thread.
 */
#include <math.h>
#include <time.h>

#include "base/random.h"
#include "train/schedule.h"
#include "train/trainer.h"

enum {
    PROGRESS_SAMPLES = 1024, /* between two calls of the progress callback, about */
    PREFETCH_SAMPLES = 12,   /* how far ahead rows of the data set are asked for */
    WINDOW = 64,             /* chunks of data on disk that are mixed */
};

double gi_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double gi_trainer_rate(const gi_trainer *t, size_t step)
{
    return gi_rate_at(&t->params, step, t->n_steps, t->steps_an_epoch);
}

static bool is_time_to_keep(const gi_trainer *t)
{
    const glia_settings *p = &t->params;
    if (p->checkpoint_steps > 0 && t->now.step - t->kept_step >= p->checkpoint_steps) return true;
    return p->checkpoint_seconds > 0 && gi_now() - t->kept_at >= p->checkpoint_seconds;
}

/*
 * Counts a step of m samples, which weigh so much; the thread that called glia_train does it after
 * each. Others may be loading the batch after the next over the samples by then, but not the loss.
 */
static void count_step(gi_trainer *t, size_t m, double weight, const gi_workspace *w,
                       size_t correct)
{
    for (size_t r = 0; r < m; r++) t->now.loss_sum += w->loss[r];
    for (size_t r = 0; r < m && w->squares; r++) t->now.square_sum += w->squares[r];
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
    t->cancelled = !gi_trainer_report(t, false, NULL);
}

bool gi_trainer_is_weighted(const gi_trainer *t)
{
    return t->params.class_weights.of || t->train->weights;
}

/* Loads this thread's part of the batch that begins at sample `first` of the epoch. */
static void load_batch(const gi_trainer *t, gi_workspace *w, size_t first, const gi_crew *crew)
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
        gi_loader_load(t->loader, crew->thread, (uint32_t)t->now.epoch, t->order[first + r],
                       first + r, w, r);
    }
}

/* Notes now and then how much processor time this thread has had, and keeps to one of its own. */
static void note_pace(gi_trainer *t, int thread)
{
    _Atomic(double) *noted = t->cpu_s + thread * GI_COUNT_STRIDE; /* processor time, and when */
    const double now = gi_now();
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
static bool should_be_alone(gi_trainer *t, int n_threads)
{
    const double now = gi_now(), passed = now - t->pace_begun;
    if (passed < 20e-3) return false;
    double had = -gi_pool_waited_seconds(t->step_pool);
    for (int i = 0; i < n_threads; i++) had += t->cpu_s[i * GI_COUNT_STRIDE];
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
    gi_trainer *t = context;
    gi_crew crew = {t->step_pool, thread, n_threads, &t->scratch[thread]};
    const size_t n = t->train->samples;
    load_batch(t, &t->workspace[0], t->now.done, &crew);
    gi_crew_barrier(&crew);
    /* each thread counts done and step for itself; thread 0 reports them */
    size_t turn = 0;
    for (size_t done = t->now.done, step = t->now.step; done < n; turn = 1 - turn, step++) {
        gi_workspace *w = &t->workspace[turn];
        const size_t m = n - done < t->params.batch ? n - done : t->params.batch;
        t->n_correct[turn][thread * GI_COUNT_STRIDE] =
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
        gi_descend(&t->descent, w, m, step, gi_trainer_rate(t, step), &crew);
        const bool due = gi_diagnosis_is_due(t->diagnosis, step + 1);
        if (due) gi_crew_barrier(&crew); /* every weight is updated */
        if (thread > 0) continue;
        size_t correct = 0;
        for (int i = 0; i < n_counted; i++) correct += t->n_correct[turn][i * GI_COUNT_STRIDE];
        count_step(t, m, weight, w, correct);
        if (due && !t->diverged) gi_diagnosis_step(t->diagnosis, t->now.epoch, t->now.step);
        t->stop[1 - turn] = t->diverged || t->cancelled || t->keeps;
        if (crew.n_threads > 1 && should_be_alone(t, n_threads)) t->alone_from = step + 1;
        if (crew.n_threads < n_threads && (done == n || gi_now() > t->alone_until)) {
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

static void run_samples(gi_trainer *t)
{
    const gi_engine *engine = t->plan.engine;
    gi_workspace *w = &t->workspace[0];
    while (t->now.done < t->train->samples && !t->diverged && !t->cancelled && !t->keeps) {
        const size_t i = t->order[t->now.done];
        if (t->now.done + PREFETCH_SAMPLES < t->train->samples)
            gi_dataset_prefetch(t->train, t->order[t->now.done + PREFETCH_SAMPLES]);
        gi_loader_load(t->loader, 0, (uint32_t)t->now.epoch, i, t->now.done, w, 0);
        const gi_loss how = gi_workspace_loss(t->network, w, 0, 1);
        size_t correct;
        w->loss[0] = engine->sgd_sample(t->network->layers, t->network->n_layers, w->lists, &how,
                                        gi_trainer_rate(t, t->now.step), w->activation, w->diff,
                                        &t->scratch[0], &correct);
        count_step(t, 1, 1, w, correct);
        if (gi_diagnosis_is_due(t->diagnosis, t->now.step) && !t->diverged)
            gi_diagnosis_step(t->diagnosis, t->now.epoch, t->now.step);
    }
}

/*
 * Of data that stay on disk only so many chunks are mixed as fit into memory: first the chunks are
 * shuffled, then the samples of each WINDOW of them.
 */
static void shuffle_chunks(gi_trainer *t, gi_rng *rng)
{
    const size_t n = t->train->samples, chunk = t->train->chunk;
    const size_t n_chunks = (n + chunk - 1) / chunk;
    size_t filled = 0, begun = 0;
    for (size_t c = 0; c < n_chunks; c++) t->chunks[c] = (uint32_t)c;
    gi_shuffle(t->chunks, n_chunks, rng);
    for (size_t c = 0; c < n_chunks; c++) {
        const size_t first = t->chunks[c] * chunk, end = first + chunk < n ? first + chunk : n;
        for (size_t i = first; i < end; i++) t->order[filled++] = (uint32_t)i;
        if ((c + 1) % WINDOW != 0 && c + 1 < n_chunks) continue;
        gi_shuffle(t->order + begun, filled - begun, rng);
        begun = filled;
    }
}

void gi_trainer_shuffle(gi_trainer *t)
{
    gi_rng rng = gi_rng_make(t->params.seed, GI_RANDOM_SHUFFLE, (uint32_t)t->now.epoch, 0);
    if (t->chunks) {
        shuffle_chunks(t, &rng);
        return;
    }
    for (size_t i = 0; i < t->train->samples; i++) t->order[i] = (uint32_t)i;
    gi_shuffle(t->order, t->train->samples, &rng);
}

void gi_trainer_steps(gi_trainer *t)
{
    t->stop[0] = t->stop[1] = false;
    t->alone_from = t->alone_until > gi_now() ? t->now.step : SIZE_MAX;
    t->pace_begun = 0;
    if (t->plan.one_by_one)
        run_samples(t);
    else
        gi_pool_run(t->step_pool, run_batches, t);
}
