/* SPDX-License-Identifier: MIT */
/*
 * The folder of a checkpoint: checkpoint.json, the words of the run and where its results go, and
 * state.safetensors, which the library keeps. docs/runs.md has the format.
 */
#ifndef GLIA_CLI_JOB_CHECKPOINT_FOLDER_H
#define GLIA_CLI_JOB_CHECKPOINT_FOLDER_H

#include <jansson.h>
#include <stdbool.h>

#include "job/train_options.h"
#include "shell/folder_lock.h"

/* A run that is kept there. */
typedef struct checkpoint_folder {
    char *path;  /* of the folder; absolute, once it was opened */
    char *state; /* of the library's file */
    bool begun;  /* whether that is there */
    bool moved;  /* whether opening has gone to another folder */
    folder_lock lock;
    json_t *said; /* checkpoint.json, of one that was opened */
} checkpoint_folder;

/*
 * Makes the folder, and holds it for this process; complains, and returns false, if it cannot be,
 * or holds a run already.
 */
bool checkpoint_folder_make(const char *path, checkpoint_folder *out);

/*
 * Writes what the run is: command (taken over) repeats it, model is where its network goes, options
 * have the rest. Complains when that fails.
 */
bool checkpoint_folder_begin(checkpoint_folder *folder, json_t *command, const char *model,
                             const train_options *options);

/*
 * Opens and holds the folder of a run that is to go on, goes to the folder that the run was started
 * in, and removes what a writer that was killed has left behind. Complains when something is wrong.
 */
bool checkpoint_folder_open(const char *path, checkpoint_folder *out);

/* What the opened one says: texts that it owns; NULL where there is none. */
const char *checkpoint_folder_text(const checkpoint_folder *folder, const char *key);

/* The words of its command from the second on, as copies; their number in *n. */
char **checkpoint_folder_words(const checkpoint_folder *folder, int *n);

void checkpoint_folder_close(checkpoint_folder *folder);

#endif
