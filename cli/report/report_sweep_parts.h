/* SPDX-License-Identifier: MIT */
/* What the files of a sweep's report share: report_sweep.c and report_sweep_figures.c. */
#ifndef GLIA_CLI_REPORT_REPORT_SWEEP_PARTS_H
#define GLIA_CLI_REPORT_REPORT_SWEEP_PARTS_H

#include <jansson.h>

#include "job/merit.h"
#include "shell/output.h"
#include "shell/text.h"

enum {
    MOST_CELLS = 100000,
    MOST_VARIED = 16,
    MOST_ROWS = 500,    /* of the table */
    MOST_LINES = 300,   /* of parallel coordinates, and marks of a plot */
    MOST_VALUES = 40,   /* of an option, in a heat map */
    MOST_KINDS = 8,     /* colours and shapes of marks */
    LONGEST_VALUE = 24, /* characters */
};

/* An option that varied, and its values in the order in which they come. */
struct varied {
    const char *name;
    const json_t *values[MOST_VALUES]; /* borrowed; the first so many */
    size_t n;
    bool numbers; /* all of them are */
    double from, to;
    bool log;
};

struct sweep_page {
    json_t *results;
    const json_t *cells;
    size_t n;
    const merit *merit;
    struct varied varied[MOST_VARIED];
    size_t n_varied;
};

static const char roc_auc_key[] = "test_roc_auc";

/* ---- report_sweep.c: a cell, as it stands in results.json and as it is shown ----------------- */

const json_t *sweep_cell_value(const struct sweep_page *s, size_t cell, const char *key);
double sweep_cell_number(const struct sweep_page *s, size_t cell, const char *key);
size_t sweep_value_index(const struct varied *v, const json_t *value);
void sweep_show_value(const json_t *value, char *text, size_t size);
void sweep_show_cell(const struct sweep_page *s, size_t cell, char *text, size_t size);
words sweep_title_of(const char *name);
bool sweep_find_range(const struct sweep_page *s, const char *key, double *from, double *to);

/* ---- report_sweep_figures.c ----------------------------------------------------------------- */

void sweep_write_heat_maps(const struct sweep_page *s, struct text *out);
void sweep_write_parallel(const struct sweep_page *s, struct text *out);
void sweep_write_against_time(const struct sweep_page *s, struct text *out);

#endif
