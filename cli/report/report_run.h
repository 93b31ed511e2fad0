/* SPDX-License-Identifier: MIT */
/* A run as its folder tells it (docs/runs.md): what is there is read, what is not is NULL or NAN.
 */
#ifndef GLIA_CLI_REPORT_REPORT_RUN_H
#define GLIA_CLI_REPORT_REPORT_RUN_H

#include <jansson.h>
#include <stdbool.h>

#include "glia.h"

/* A line of metrics.jsonl. */
struct metric {
    double epoch;   /* completed: of a step line a fraction */
    double samples; /* since the beginning */
    double seconds, lr, train_loss, train_accuracy, train_rmse;
    double validation_loss, validation_accuracy, validation_rmse; /* of an epoch's line */
    bool best;
    long offset; /* of the line in the file */
};

struct metrics {
    struct metric *of; /* (n), owned */
    size_t n, capacity;
    size_t seen, every; /* lines that were read; one of so many is kept */
};

struct report_run {
    char *folder;   /* as given, without slashes at its end */
    json_t *about;  /* run.json */
    json_t *result; /* result.json; NULL: the run is not complete */
    struct metrics steps, epochs;
    glia_network *network; /* NULL: there is none yet */
};

/* Reads a folder; on failure complains. Returns the exit status; the run is to be freed anyway. */
int run_read(struct report_run *run, const char *folder);
void run_free(struct report_run *run);

/* The path of a file of the run, to be freed. */
char *run_path(const struct report_run *run, const char *name);

/* The line of an epoch, read again, to be given to json_decref; NULL if it is no longer there. */
json_t *run_epoch(const struct report_run *run, size_t index);

/*
 * Values of the JSON of a run, by a path such as "data.name"; NULL and NAN where there are none. A
 * number is below 1e100.
 */
const json_t *run_value(const json_t *json, const char *path);
const char *run_text(const json_t *json, const char *path);
double run_number(const json_t *json, const char *path);

#endif
