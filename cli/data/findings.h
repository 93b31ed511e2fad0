/* SPDX-License-Identifier: MIT */
/* What a look at a data set finds, for the beginning of a run. */
#ifndef GLIA_CLI_DATA_FINDINGS_H
#define GLIA_CLI_DATA_FINDINGS_H

#include "glia.h"

/* A quick look at a data set that is open, or NULL: it is no table. To be freed. */
glia_survey *findings_look(const glia_dataset *dataset);

/*
 * Prints a line for each finding that is more than a note; nothing of NULL. label: a word in a
 * column of its own, as wide as the others are.
 */
void findings_print(const glia_survey *survey, const char *name, const char *label);

#endif
