/* SPDX-License-Identifier: MIT */
/*
 * What a training run has, for the files that make it: trainer.c prepares it, run.c goes through
 * its epochs, steps.c through an epoch's steps.
 */
#ifndef GLIA_TRAIN_TRAINER_H
#define GLIA_TRAIN_TRAINER_H

#include <stdatomic.h>

#include "base/thread.h"
#include "diagnose/diagnosis.h"
#include "feed/loader.h"
#include "infer/metrics.h"
#include "net/workspace.h"
#include "train/checkpoint.h"
#include "train/optimizer.h"

enum { GI_COUNT_STRIDE = 8 }; /* elements of 8 bytes of a cache line, which one thread writes */

typedef struct gi_trainer {
    glia_network *network;
    const glia_dataset *train, *validation; /* validation: or NULL */
    glia_settings params; /* settled: nothing is automatic; batch at most samples */
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
    gi_loader *loader;         /* fills the workspaces */
    uint32_t *order;           /* (samples): the epoch's permutation */
    uint32_t *chunks;          /* ... of the chunks of data that stay on disk; or NULL */
    gi_descent descent;
    gi_shadow *snapshot;  /* parameters of the best epoch, or of the last good one */
    gi_learned_rows rows; /* for the record */

    gi_run_state now;
    bool diverged, cancelled;
    json_t *about; /* what a checkpoint of this run is about; NULL: none is kept */
    bool keeps;    /* whether it is time for one */
    size_t kept_step;
    double kept_at;                        /* gi_now() */
    gi_shadow parameters[GLIA_MAX_LAYERS]; /* the network's own */
    /* Of a step, by the workspace whose turn it is: what others read after a barrier. */
    size_t
        *n_correct[2]; /* (threads, GI_COUNT_STRIDE): each thread's, on a cache line of its own */
    bool stop[2];
    /* How the threads get on beside the machine's other work (should_be_alone). */
    _Atomic(double) *cpu_s; /* (threads, GI_COUNT_STRIDE): each thread's processor time, and when */
    double pace_begun, pace_had, pause_s, alone_until;
    atomic_size_t alone_from; /* the step in which the others leave; none: SIZE_MAX */
    size_t turn;              /* of the workspaces, when thread 0 has stopped being alone */
    size_t n_steps;           /* of the whole run */
    size_t steps_an_epoch;
    double started;     /* gi_now() */
    double reporting_s; /* spent in the callback */
} gi_trainer;

/* Seconds of a clock that only goes on. */
double gi_now(void);

/* The learning rate of a step of the run. */
double gi_trainer_rate(const gi_trainer *t, size_t step);

/* Of this epoch so far; NAN where it is not of the network's task. */
double gi_trainer_accuracy(const gi_trainer *t);
double gi_trainer_rmse(const gi_trainer *t);

/* Whether samples count differently. */
bool gi_trainer_is_weighted(const gi_trainer *t);

/* A fresh order of the samples, by (seed, epoch). */
void gi_trainer_shuffle(gi_trainer *t);

/*
 * The steps of the epoch from t->now.done on, until its end, or until t says that the run diverged,
 * is cancelled, or is to be kept in a checkpoint. Weights are then those after t->now.step steps.
 */
void gi_trainer_steps(gi_trainer *t);

/* Calls the progress callback; false: the caller says stop. */
bool gi_trainer_report(gi_trainer *t, bool best, const glia_metrics *validation);

/* What a model file will say of the run; its class weights stay the trainer's. */
void gi_trainer_describe(const gi_trainer *t, const glia_train_result *result,
                         gi_training_record *record);

/* What a checkpoint of this run must be about, in t->about. */
glia_status gi_trainer_describe_run(gi_trainer *t, glia_error *error);

/* The whole run, from its beginning or from its checkpoint. */
glia_status gi_trainer_run(gi_trainer *t, glia_train_result *result, glia_error *error);

#endif
