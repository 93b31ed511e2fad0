/* SPDX-License-Identifier: MIT */
/* The folder in which a run is kept while it goes on and afterwards: docs/runs.md. */
#ifndef GLIA_CLI_JOB_RUN_FOLDER_H
#define GLIA_CLI_JOB_RUN_FOLDER_H

#include <jansson.h>

#include "glia.h"
#include "job/train_options.h"

typedef struct run_folder run_folder;

/*
 * Whether a run may be kept in the folder: it is not there yet, is empty, or holds a run that was
 * not finished. Complains if not; changes nothing.
 */
bool run_folder_check(const char *path);

/*
 * Makes the folder, holds it for this process, and takes command over: the words that repeat the
 * run. What run_folder_check allows is replaced.
 * tensorboard: with event files. Complains, and returns NULL, when it cannot be. Freed by
 * run_folder_free.
 */
run_folder *run_folder_new(const char *path, json_t *command, bool tensorboard);

/*
 * The same for a run that goes on in the middle: what was written of it after the step from which
 * it goes on is dropped at the first call of run_folder_step; events are written anew. Of a run
 * that was finished nothing is changed.
 */
run_folder *run_folder_continue(const char *path, json_t *command, bool tensorboard);
void run_folder_free(run_folder *folder);

/* path = folder/name */
void run_folder_file(const char *folder, const char *name, char *path, size_t size);

/* What the run is about, all borrowed until its end; validation and test may be NULL. */
void run_folder_begin(run_folder *folder, const train_options *options, const char *data,
                      const glia_dataset *train, const glia_dataset *validation,
                      const glia_dataset *test, const glia_network *network);

/* Writes what there is to write; what fails is told at the end. */
void run_folder_step(run_folder *folder, const glia_progress *progress);

/*
 * Ends the run with its outcome, which is taken over; NULL: it was not finished. False, with a
 * complaint, when something could not be written.
 */
bool run_folder_end(run_folder *folder, json_t *outcome);

/* Whether a folder holds a finished run. */
bool run_folder_is_finished(const char *path);

/* How options train, as run.json has it. */
json_t *run_folder_settings(const train_options *options);

#endif
