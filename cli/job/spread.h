/* SPDX-License-Identifier: MIT */
/* How figures of runs that differ in their seed alone lie about their mean. */
#ifndef GLIA_CLI_JOB_SPREAD_H
#define GLIA_CLI_JOB_SPREAD_H

#include <jansson.h>
#include <stddef.h>

/* NAN where there are too few values. */
typedef struct spread {
    size_t n;
    double mean;
    double deviation; /* standard deviation of the values, by n - 1 */
    double error;     /* standard error of their mean: deviation / sqrt(n) */
    double median, min, max;
} spread;

/* Of those of values (n) that are finite. */
spread spread_of(const double *values, size_t n);

/* An object; null without a value. */
json_t *spread_json(const spread *s);

#endif
