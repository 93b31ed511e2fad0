/* SPDX-License-Identifier: MIT */
/*
 * What the networks of a sweep are compared by: of classes and labels their accuracy, of values R2,
 * which needs no unit. More of it is better.
 */
#ifndef GLIA_CLI_JOB_MERIT_H
#define GLIA_CLI_JOB_MERIT_H

#include <jansson.h>

#include "glia.h"
#include "job/scores.h"
#include "shell/output.h"

typedef struct merit {
    const char *test_key, *test_name; /* in JSON and CSV, and for people */
    const char *validation_key, *validation_name;
    bool percent; /* a share of the samples; else a number */
    bool by_loss; /* what is validated is the loss: the less, the better */
} merit;

const merit *merit_of(glia_task task);

/* Of a result in JSON, by the keys that it has. */
const merit *merit_in(const json_t *result);

/* With its error where that is known: as show_accuracy, or "0.4520 ± 0.0110", "0.4520". */
words merit_show(const merit *merit, double value, error_bar bar);

/* A value on an axis: "97.94 %", "0.452". */
words merit_show_short(const merit *merit, double value);

words merit_show_validation(const merit *merit, double value);

#endif
