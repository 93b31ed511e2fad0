/* SPDX-License-Identifier: MIT */
/* What the files of glia train share: a run, from the options of the command to what is printed of
 * it. */
#ifndef GLIA_CLI_JOB_RUN_H
#define GLIA_CLI_JOB_RUN_H

#include "data/source.h"
#include "draw/progress.h"
#include "job/checkpoint_folder.h"
#include "job/parts.h"
#include "job/run_folder.h"
#include "job/scores.h"
#include "job/seeds.h"
#include "job/training.h"
#include "shell/files.h"
#include "shell/output.h"

/* A run of glia train, from its beginning to its end. */
struct run {
    struct training training; /* its options are settled, but for the seed of one of several */
    train_options settled;    /* as they were given, and completed by what the data are */
    char path_memory[LONGEST_PATH];
    checkpoint_folder kept; /* without a path: there is none */
    const char *shown;      /* ... as it was named */
    bool resumes;           /* what is kept there */
    bool headed, went_on;   /* whether the head is printed; an epoch was ended */
    struct seeds *seeds;    /* NULL: it is one run alone */
    double began;           /* now_seconds() of the first of several */
    bench_view bar;         /* of several */
    open_data data_sets;    /* for all of several */
    glia_survey *survey;    /* what a look at the data finds; NULL: there was none */
    training_view view;
};

/* ---- run.c ---------------------------------------------------------------------------------- */

/*
 * A run on data that are open. A library failure is left in *error; a run that diverged or was
 * interrupted is none, and sets the exit status.
 */
glia_status run_train(struct run *run, int *exit_status, glia_error *error);

/* Makes the folders of the run, which are kept with this command (taken over), or complains. */
bool run_begin(struct run *run, json_t *command);

/* Ends the folder, and frees what is this run's alone. Returns the exit status. */
int run_end(struct run *run, int exit_status);

/* A run that is neither one of several seeds nor one of several folds. Returns the exit status. */
int run_alone(struct run *run);

/* What --json prints of it. */
json_t *run_outcome(const struct run *run);

/* ---- run_view.c ----------------------------------------------------------------------------- */

/* Whether a run's head is printed: of several runs that of the first. */
bool run_has_head(const struct run *run);

/* "seed 3: " where there are several. */
words run_name_seed(const struct run *run);

/* The head of the run comes before its first step. */
bool run_step(void *user, const glia_progress *p);

/* Why nothing is learned, as it shows. */
void run_diagnosed(void *user, const glia_diagnosis *diagnosis);

void run_print_result(const struct run *run);

/* Says what became of the network of a run that did not end as it should. */
void run_complain_end(const struct run *run);

/* ---- run_several.c -------------------------------------------------------------------------- */

/* One run a seed: data are opened once for all. Returns the exit status. */
int run_seeds(struct run *shared, struct seeds *seeds, folder_lock *lock);

/* One run a fold, and one of all rows, which makes the model. Returns the exit status. */
int run_folds(struct run *shared, struct seeds *folds);

#endif
