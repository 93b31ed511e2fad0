/* SPDX-License-Identifier: MIT */
/* What the files of a run's folder share: run_folder.c and run_json.c. */
#ifndef GLIA_CLI_JOB_RUN_FOLDER_PARTS_H
#define GLIA_CLI_JOB_RUN_FOLDER_PARTS_H

#include <jansson.h>
#include <stdio.h>

#include "job/events.h"
#include "job/run_folder.h"
#include "shell/folder_lock.h"

struct run_folder {
    const char *path;
    folder_lock lock;
    json_t *command;
    const train_options *options;
    const char *data;
    const glia_dataset *train, *validation, *test;
    const glia_network *network;
    char started[32];
    FILE *metrics;
    event_file *events; /* or NULL */
    double began;       /* since 1970 */
    bool described;     /* run.json is written */
    bool tensorboard;
    bool continues; /* what is there has not been cut yet */
    bool finished;  /* ... was, before: it stays as it is */
    int failed;     /* the first error of writing metrics; 0: none */
    /* Of the line before. */
    size_t line_done;
    double line_loss, line_correct, line_squares; /* sums over the epoch */
    double epoch_began;
};

/* Writes run.json. progress: NULL where training never began. */
bool run_folder_describe(run_folder *folder, const glia_progress *progress);

#endif
