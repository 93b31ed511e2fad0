/* SPDX-License-Identifier: MIT */
/* The options of glia train: their struct, their table, and the checks that a table cannot say. */
#ifndef GLIA_CLI_TRAIN_OPTIONS_H
#define GLIA_CLI_TRAIN_OPTIONS_H

#include "augment_options.h"
#include "glia.h"
#include "options.h"
#include "source.h"

enum { MAX_HIDDEN = GLIA_MAX_LAYERS - 1, MAX_CLASS_WEIGHTS = 1000 };
enum { ORDER_RANDOM, ORDER_LAST }; /* of --split */
enum { STANDARDISE_AUTO, STANDARDISE_YES, STANDARDISE_NO };

typedef struct unit_list {
    size_t n;
    size_t units[MAX_HIDDEN];
} unit_list;

typedef struct activation_list {
    size_t n;
    glia_activation of[MAX_HIDDEN];
} activation_list;

/* balanced, or a weight for each class in order. */
typedef struct class_weight_list {
    bool balanced;
    size_t n; /* 0: none */
    double weights[MAX_CLASS_WEIGHTS];
} class_weight_list;

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
    const char *recipe; /* or NULL */
    unit_list hidden;
    activation_list activation;
    bool batch_norm;
    bool deskew, centre;
    int standardise; /* STANDARDISE_AUTO ... */
    int optimizer;   /* glia_optimizer */
    class_weight_list class_weights;
    int init;
    int schedule;
    int engine, precision; /* glia_engine, glia_precision */
    glia_train_params params;
    augment_options augment;
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

/* For an OPTION_CHOICE; the index is the glia_engine, the glia_precision, the glia_schedule. */
extern const char *const engine_names[], *const precision_names[], *const schedule_names[];

void train_set_defaults(void *options);

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

/* "relu", or "relu,tanh" */
void train_show_activation(const void *list, char *text, size_t size);

#endif
