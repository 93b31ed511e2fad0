/* SPDX-License-Identifier: MIT */
/* What every command that trains does alike: the network that options ask for, and the outcome. */
#ifndef GLIA_CLI_JOB_TRAINING_H
#define GLIA_CLI_JOB_TRAINING_H

#include <jansson.h>

#include "glia.h"
#include "job/train_options.h"

/* The network for samples of a data set. */
glia_status training_network(const train_options *options, const glia_dataset *train,
                             glia_network **out, glia_error *error);

struct training {
    const train_options *options;
    const char *data;
    const char *model; /* where it was saved; or NULL */
    const glia_network *network;
    const glia_train_result *result;
    const glia_metrics *score;   /* on the test split; NANs without */
    const glia_metrics *targets; /* of each of several targets there; or NULL */
    double startup_seconds;      /* before the first step; 0: not known */
    json_t *diagnoses;           /* as training_keep makes them */
};

/* Adds a diagnosis, as an object, to *diagnoses, an array that begins as NULL. */
void training_keep(json_t **diagnoses, const glia_diagnosis *diagnosis);

/* What glia train --json prints. */
json_t *training_outcome(const struct training *training);

#endif
