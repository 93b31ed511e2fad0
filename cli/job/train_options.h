/* SPDX-License-Identifier: MIT */
/* The options of glia train: their struct, their table, and the checks that a table cannot say. */
#ifndef GLIA_CLI_JOB_TRAIN_OPTIONS_H
#define GLIA_CLI_JOB_TRAIN_OPTIONS_H

#include "data/source.h"
#include "glia.h"
#include "shell/options.h"

enum { ORDER_RANDOM, ORDER_LAST }; /* of --split */

/* How often a run is kept. */
typedef struct checkpoint_interval {
    const char *text; /* as it was given; or NULL */
    size_t steps;
    double seconds;
} checkpoint_interval;

/* What is held out: a part of the data, or a file; both empty: nothing. */
typedef struct held_part {
    double amount;    /* as glia_dataset_hold_out takes it */
    const char *path; /* of a table, or NULL */
    bool is_given;
} held_part;

typedef struct train_options {
    source_options source;
    const char *recipe;      /* or NULL */
    glia_settings *settings; /* owned */
    held_part validation, test;
    int order;    /* of what is held out: ORDER_RANDOM ... */
    size_t folds; /* of cross-validation; 0: none */
    size_t seeds; /* runs; 0: one, and nothing about several */
    bool fresh;
    bool plot;
    bool quiet;
    const char *output;
    const char *run; /* the folder of the run; or NULL */
    bool tensorboard;
    const char *checkpoint; /* the folder in which the run is kept; or NULL */
    checkpoint_interval checkpoint_every;
    const char *resume; /* the folder of the run to go on with; or NULL */
} train_options;

extern const struct option train_option_table[];
extern const struct recipe train_recipes[]; /* recipes.c */

void train_set_defaults(void *options);
void train_clear(void *options); /* frees what that made */

/* The same with settings of its own, to be cleared too. */
void train_copy(const train_options *options, train_options *out);

/* Settings that the program itself looks at. */
uint64_t train_seed(const train_options *options);
int train_threads(const train_options *options);

/* Sets a number that is none of the user's, and known to be good. */
void train_put(train_options *options, const char *name, double value);

/* Whether something is held out, of the data or as a file. */
bool train_holds_out(const held_part *part);

/*
 * What is not said on the command line or by a recipe, for rows of a table and for photographs:
 * they are other than light figures on dark (docs/tables.md has the figures).
 */
void train_choose(train_options *options, const char *data, const glia_dataset_info *train,
                  bool has_test);

/* Options that need each other, or do not go with the data. Complains when they are wrong. */
bool train_check_options(const train_options *options, const char *data);

#endif
