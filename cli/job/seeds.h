/* SPDX-License-Identifier: MIT */
/*
 * What came of several runs, of the same data with several seeds or of the folds of a table: a line
 * for each as it ends, and the sum of them.
 */
#ifndef GLIA_CLI_JOB_SEEDS_H
#define GLIA_CLI_JOB_SEEDS_H

#include <jansson.h>

#include "glia.h"
#include "job/scores.h"

/* An all-zero struct but for these. */
struct seeds {
    size_t n;       /* runs that are asked for */
    bool are_folds; /* else seeds */
    uint64_t first; /* the others follow it; of folds 1 */
    bool printed;   /* lines on stdout; else nothing */
    /* of runs that are complete (n_done), in room for n, owned: accuracies and errors, or RMSEs and
     * R2s */
    double *test, *other, *validation, *seconds;
    double *roc_auc, *balanced; /* likewise; NANs where glia_metrics says so */
    bool has_values;
    bool is_imbalanced;  /* one of them is: accuracy misleads */
    score_text majority; /* what the most frequent class alone would get, in the last of them */
    size_t n_done, n_failed;
    json_t *outcomes; /* of all that ended, owned */
};

/* Counts a run that ended, complete or not, and takes its outcome over. */
void seeds_add(struct seeds *seeds, uint64_t number, const glia_train_result *result,
               const glia_metrics *score, const glia_network *network, json_t *outcome);

/* The sum of them, for people on stdout. */
void seeds_print(const struct seeds *seeds);

/* {"runs": [...], "summary": {...}} */
json_t *seeds_json(const struct seeds *seeds);

void seeds_free(struct seeds *seeds);

/*
 * path = "m-3.safetensors" of "m.safetensors" and the seed 3; false if it does not fit.
 */
bool seeds_path(const char *given, uint64_t seed, char *path, size_t size);

#endif
