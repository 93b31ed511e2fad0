/* SPDX-License-Identifier: MIT */
/*
 * A sweep: options of glia train with several values, every combination of which is a cell, and a
 * run for each cell and seed.
 */
#ifndef GLIA_CLI_SWEEP_SWEEP_H
#define GLIA_CLI_SWEEP_SWEEP_H

#include <jansson.h>

#include "glia.h"
#include "job/merit.h"
#include "job/train_options.h"
#include "shell/folder_lock.h"

/*
 * The options of glia train that may have several values here: every setting (glia_setting_name)
 * but seed and threads, and after them --validation.
 */
enum { MOST_SWEPT = 128 };
size_t sweep_count(void);
const char *sweep_name(size_t option);

typedef struct sweep_options {
    source_options source;
    const char *values[MOST_SWEPT]; /* of settings, as they were given; NULL: not */
    const char *validation;
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
    const char *name;
    bool is_flag; /* its values are yes and no */
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
    struct axis axes[MOST_SWEPT];
    size_t n_axes;
    size_t varied[MOST_SWEPT]; /* the axes that have several values */
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
const char *sweep_value(const struct sweep *sweep, const struct cell *cell, const char *name);

#endif
