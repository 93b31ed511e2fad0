/* SPDX-License-Identifier: MIT */
/* What every command that trains does alike, once: from data that are open to the outcome. */
#ifndef GLIA_CLI_JOB_TRAINING_H
#define GLIA_CLI_JOB_TRAINING_H

#include <jansson.h>

#include "glia.h"
#include "job/parts.h"
#include "job/run_folder.h"
#include "job/train_options.h"

/* A training, from data that are open to its score. Zeros are defaults. */
struct training {
    /* What is to be done. */
    const train_options *options;
    const char *data; /* its name */
    const open_data *data_sets;
    size_t fold;           /* that is held out to test, from 0; SIZE_MAX: none */
    const char *model;     /* where it is saved; NULL: it is not */
    run_folder *folder;    /* or NULL */
    bool keeps_unfinished; /* also saves a network that diverged, as it was after the best epoch, or
                            * that was interrupted; neither is scored */
    bool scores_targets;
    /* NULL, or called with user: when all is made; when training has come to an end, however; when
     * the network is saved, if it is, and not scored yet. */
    glia_status (*begins)(void *user, glia_error *error);
    void (*ends)(void *user, const glia_error *error);
    void (*is_kept)(void *user);
    void *user;

    /* What became of it. */
    run_parts parts;
    glia_network *network;
    glia_train_result result;
    bool diverged;
    bool saved, replaced;   /* whether the network was; in the place of another */
    glia_metrics score;     /* on the test split; NANs without */
    glia_metrics *targets;  /* of each of several targets there; or NULL */
    double startup_seconds; /* before the first step; 0: not known */
    json_t *diagnoses;      /* as training_keep makes them */
};

/* Does all of it, in this order: parts of the data, network, training, saving, scoring. A training
 * that diverged or was interrupted is no failure. */
glia_status training_run(struct training *training, glia_error *error);

/* Frees what became of it. */
void training_free(struct training *training);

/* Adds a diagnosis, as an object, to *diagnoses, an array that begins as NULL. */
void training_keep(json_t **diagnoses, const glia_diagnosis *diagnosis);

/* What glia train --json prints. */
json_t *training_outcome(const struct training *training);

#endif
