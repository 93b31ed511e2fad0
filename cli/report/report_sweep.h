/* SPDX-License-Identifier: MIT */
/* The page of a sweep: its cells as a table and as plots. */
#ifndef GLIA_CLI_REPORT_REPORT_SWEEP_H
#define GLIA_CLI_REPORT_REPORT_SWEEP_H

#include <stdbool.h>

#include "shell/text.h"

/* Whether the folder is one of glia sweep. */
bool report_is_sweep(const char *folder);

/* The page of a finished sweep, from its results.json. Complains; returns the exit status. */
int report_sweep_write(const char *folder, struct text *page);

#endif
