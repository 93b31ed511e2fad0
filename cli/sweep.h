/* SPDX-License-Identifier: MIT */
/*
 * A sweep: options of glia train with several values, every combination of which is a cell, and a
 * run for each cell and seed.
 */
#ifndef GLIA_CLI_SWEEP_H
#define GLIA_CLI_SWEEP_H

#include <jansson.h>

#include "folder_lock.h"
#include "glia.h"
#include "merit.h"
#include "train_options.h"

/* X(name, NAME): the options of glia train that may have several values here. */
#define SWEEP_OPTIONS(X)                                                                           \
    X("hidden", HIDDEN)                                                                            \
    X("activation", ACTIVATION)                                                                    \
    X("init", INIT)                                                                                \
    X("lr", LR)                                                                                    \
    X("lr-end", LR_END)                                                                            \
    X("schedule", SCHEDULE)                                                                        \
    X("lr-factor", LR_FACTOR)                                                                      \
    X("lr-every", LR_EVERY)                                                                        \
    X("warmup", WARMUP)                                                                            \
    X("batch", BATCH)                                                                              \
    X("epochs", EPOCHS)                                                                            \
    X("optimizer", OPTIMIZER)                                                                      \
    X("momentum", MOMENTUM)                                                                        \
    X("beta2", BETA2)                                                                              \
    X("epsilon", EPSILON)                                                                          \
    X("averaging", AVERAGING)                                                                      \
    X("dropout", DROPOUT)                                                                          \
    X("input-dropout", INPUT_DROPOUT)                                                              \
    X("input-noise", INPUT_NOISE)                                                                  \
    X("label-smoothing", LABEL_SMOOTHING)                                                          \
    X("weight-decay", WEIGHT_DECAY)                                                                \
    X("l2", L2)                                                                                    \
    X("l1", L1)                                                                                    \
    X("max-norm", MAX_NORM)                                                                        \
    X("clip-norm", CLIP_NORM)                                                                      \
    X("shift", SHIFT)                                                                              \
    X("rotate", ROTATE)                                                                            \
    X("scale", SCALE)                                                                              \
    X("shear", SHEAR)                                                                              \
    X("elastic", ELASTIC)                                                                          \
    X("elastic-sigma", ELASTIC_SIGMA)                                                              \
    X("augment-fade", AUGMENT_FADE)                                                                \
    X("augment-fade-to", AUGMENT_FADE_TO)                                                          \
    X("validation", VALIDATION)                                                                    \
    X("patience", PATIENCE)                                                                        \
    X("min-delta", MIN_DELTA)                                                                      \
    X("engine", ENGINE)                                                                            \
    X("precision", PRECISION)

enum {
#define X(name, NAME) SWEEP_##NAME,
    SWEEP_OPTIONS(X)
#undef X
        N_SWEPT
};

typedef struct sweep_options {
    source_options source;
    const char *values[N_SWEPT]; /* as they were given; NULL: not */
    const char *recipe;
    bool article;
    uint64_t seed;
    size_t seeds;  /* runs of a cell */
    size_t random; /* so many cells at random; 0: all */
    int threads;
    const char *output;
    bool resume, tensorboard, quiet;
} sweep_options;

/* One of the options that were given, with its values. */
struct axis {
    int option; /* SWEEP_HIDDEN, ... */
    const char *name;
    size_t n;
    char **values; /* (n) */
};

enum job_state { JOB_WAITING, JOB_DONE, JOB_FAILED, JOB_STOPPED };

/* A run of a cell. */
struct job {
    size_t cell;
    uint64_t seed;
    char *name;    /* of its folder in runs/ */
    char **argv;   /* (argc) words for glia train, owned */
    char **parsed; /* (argc) the same, as parsing leaves them: operands over the first */
    int argc;
    train_options options;    /* parsed from them */
    struct command_line line; /* likewise */
    double cost;              /* in proportion to the time that it takes, roughly */
    enum job_state state;
    bool resumed;       /* done before */
    char message[1024]; /* why it failed */
    double test_score, roc_auc, validation_score, seconds;
    error_bar test_error;
};

/* What came of a cell's runs; NAN where there is nothing. */
struct cell {
    char **values; /* (n_axes), each of an axis or of its own */
    double test_score, roc_auc, validation_score, seconds;
    error_bar test_error; /* of several runs the standard error of their mean alone */
    size_t done, failed;  /* runs */
};

struct sweep {
    const sweep_options *options;
    const char *data;
    const merit *merit;
    json_t *recipe; /* words that each run begins with; NULL: none */
    struct axis axes[N_SWEPT];
    size_t n_axes;
    size_t varied[N_SWEPT]; /* the axes that have several values */
    size_t n_varied;
    struct cell *cells;
    size_t n_cells;
    struct job *jobs; /* (n_cells * seeds), a cell's side by side */
    size_t n_jobs;
    size_t best;       /* the cell that is best on the validation samples; n_cells: not known */
    double seconds;    /* of the whole */
    char folder[4096]; /* of the sweep */
    folder_lock lock;  /* ... held by this process, once it is open */
};

/* The axes and cells of the options, and their runs. Complains when something is wrong. */
bool sweep_plan(struct sweep *sweep);
void sweep_free(struct sweep *sweep);

/* Makes the folder, or finds what there is to resume, and holds it. Complains. */
bool sweep_open(struct sweep *sweep);

/* Runs what is not done. Complains about runs that fail. Returns the exit status. */
int sweep_run(struct sweep *sweep);

/* Means and errors of the cells, from the runs that are done. */
void sweep_sum_up(struct sweep *sweep);

/* Writes results.json, table.md and table.csv. False with a complaint. */
bool sweep_write(const struct sweep *sweep);

/* The tables for people, on stdout. */
void sweep_print(const struct sweep *sweep);

json_t *sweep_json(const struct sweep *sweep);

/* A cell's value of an axis by the option's name; NULL where it was not given. */
const char *sweep_value(const struct sweep *sweep, const struct cell *cell, int option);

#endif
