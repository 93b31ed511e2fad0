/* SPDX-License-Identifier: MIT */
/* Samples of a data set by their numbers, as an operand names them: NAME:INDEX, NAME:FIRST-LAST. */
#ifndef GLIA_CLI_DATA_SAMPLE_RANGE_H
#define GLIA_CLI_DATA_SAMPLE_RANGE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct sample_range {
    char *name;           /* owned */
    uint64_t first, last; /* counted from 0; last below first is for the caller to refuse */
} sample_range;

/* False, and nothing to free, where text does not have that form. */
bool sample_range_parse(const char *text, sample_range *out);

#endif
