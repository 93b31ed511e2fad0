/* SPDX-License-Identifier: MIT */
/* What of the data a run learns from, what validates it, and what it is scored on at its end. */
#ifndef GLIA_CLI_JOB_PARTS_H
#define GLIA_CLI_JOB_PARTS_H

#include "job/train_options.h"

/* What is open for all runs of a command; borrowed by their parts. */
typedef struct open_data {
    const char *name;
    glia_dataset *all;   /* the training split, or a whole table */
    glia_dataset *other; /* with --fresh: what validation samples are held out from; or NULL */
    glia_dataset *test;  /* the test split; NULL: there is none, or it is held out of the table */
} open_data;

/* Opens them, and settles what the options leave to the kind of data. */
glia_status open_data_for(train_options *options, const char *name, open_data *out,
                          glia_error *error);
void open_data_close(open_data *data);

/*
 * Of a table, all parts are read as the training part has taught, and belong to one run. fold: of
 * options->folds, which is held out to test.
 */
typedef struct run_parts {
    const glia_dataset *train, *validation, *test; /* the last two may be NULL */
    glia_dataset *owned[4];                        /* views, in the order in which they were made */
    size_t n_owned;
} run_parts;

glia_status run_parts_make(const train_options *options, const open_data *data, size_t fold,
                           run_parts *out, glia_error *error);
/* Frees what there is, also after a failure. */
void run_parts_free(run_parts *parts);

#endif
