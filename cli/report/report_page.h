/* SPDX-License-Identifier: MIT */
/*
 * The page of a report: its sections, and what they are made of. A section is written on its own
 * and taken if the page stays small enough with it.
 */
#ifndef GLIA_CLI_REPORT_REPORT_PAGE_H
#define GLIA_CLI_REPORT_REPORT_PAGE_H

#include "glia.h"
#include "report/report_run.h"
#include "report/report_test.h"
#include "shell/text.h"

enum {
    LARGEST_PAGE = 1500000, /* bytes */
    NAME_CHARACTERS = 40    /* to which names of classes are cut */
};

struct report {
    const struct report_run *run;
    const struct test_figures *test; /* NULL: there are none, because of why_no_test */
    const char *why_no_test;         /* a sentence */
    const glia_dataset *dataset;     /* the test split; NULL as test */
    char **names;                    /* (classes): of the classes, cut; NULL without a network */
    size_t classes;
};

/* The beginning of a page with a title and a line below it, and its end. */
void page_begin(struct text *page, const char *title, const char *below);
void page_end(struct text *page);

/* Takes a section, unless it is empty or the page would become too large: then it says so. */
void page_section(struct text *page, const char *id, const char *heading,
                  const struct text *section);

/* The whole page of a run. */
void report_write(const struct report *report, struct text *page);

/* ---- The sections, each in out ------------------------------------------------------------- */

void report_summary(const struct report *report, struct text *out);
void report_curves(const struct report *report, struct text *out);
void report_values(const struct report *report, struct text *out);
void report_ranking(const struct report *report, struct text *out);
void report_confusion(const struct report *report, struct text *out);
void report_mistakes(const struct report *report, struct text *out);
void report_calibration(const struct report *report, struct text *out);
void report_weights(const struct report *report, struct text *out);
void report_histograms(const struct report *report, struct text *out);
void report_units(const struct report *report, struct text *out);
void report_projection(const struct report *report, struct text *out);

/* ---- What sections are made of ------------------------------------------------------------- */

/* A figure with a heading; id is that of the figure, wide: it takes the whole width. */
void figure_begin(struct text *out, const char *id, const char *heading, bool wide);
/* data (or NULL) is what the button "CSV" saves; taken over. */
void figure_end(struct text *out, const char *id, json_t *data);

/* A figure of a summary (<ul class="cards">), with words below it or "". */
void put_card(struct text *out, const char *term, const char *value, const char *more);

/* Paragraphs below a plot or a heading; text is escaped. */
__attribute__((format(printf, 2, 3))) void put_note(struct text *out, const char *format, ...);

/*
 * Values for the button "CSV". columns end with NULL. A row is begun, and takes its values in
 * order.
 */
json_t *data_new(const char *const *columns);
json_t *data_row(json_t *data);
/* A number with so many significant digits, for small files. */
json_t *json_rounded(double value, int digits);

/* The loss that was trained by; of runs that do not say, the only one that there was. */
const char *loss_name(const struct report *report);

/* The name of a class, or of a target, cut. */
const char *class_name(const struct report *report, size_t k);

#endif
