/* SPDX-License-Identifier: MIT */
/* What the files of rules share: survey_findings.c, survey_looks.c and survey_target.c. */
#ifndef GLIA_DATA_SURVEY_SURVEY_RULES_H
#define GLIA_DATA_SURVEY_SURVEY_RULES_H

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "data/survey/survey.h"

enum {
    GI_SURVEY_LEAST_ROWS = 20, /* below, nothing is said of identifiers, */
    GI_SURVEY_LEAST_CLASS = 5, /* and rows of a class that are too few */
    GI_SURVEY_SHOWN_NAMES = 5,
    GI_SURVEY_LEAST_CODES = 50, /* rows, before few different texts are taken for codes */
    GI_SURVEY_MOST_TEXTS = 1000 /* of a column that is learned from as categories */
};

/* Names, a place, a text or a number as they stand in a message. */
struct words {
    char s[GI_OPTION_NAMES + 32];
};

static inline struct words names_of(const gi_table *table, const size_t *columns, size_t n)
{
    struct words w = {""};
    const size_t shown = n < GI_SURVEY_SHOWN_NAMES ? n : GI_SURVEY_SHOWN_NAMES;
    gi_table_list_names(table->columns, columns, shown, w.s, sizeof w.s);
    const size_t used = strlen(w.s);
    if (n > shown) snprintf(w.s + used, sizeof w.s - used, " and %zu more", n - shown);
    return w;
}

/* Columns as an option of a command names them. */
static inline struct words option_of(const gi_table *table, const size_t *columns, size_t n)
{
    struct words w;
    gi_table_option(table->columns, columns, n, w.s);
    return w;
}

/* "line 7", or the row where there are no lines. */
static inline struct words place_of(const gi_table *table, size_t row)
{
    struct words w;
    const uint64_t line = gi_table_line(table, row);
    snprintf(w.s, sizeof w.s, "%s %" PRIu64, line ? "line" : "row",
             line ? line : (uint64_t)row + 1);
    return w;
}

static inline const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

static inline const char *name_of(const gi_table *table, size_t column)
{
    return table->columns[column].name;
}

static inline double percent(uint64_t n, uint64_t of)
{
    return of ? 100 * (double)n / (double)of : 0;
}

static inline bool is_feature(const gi_survey *survey, size_t column)
{
    return survey->columns[column].role == GLIA_ROLE_FEATURE;
}

static inline gi_column_use use_of(const gi_survey_view *view, size_t column)
{
    return view->plan->columns ? view->plan->columns[column].use : GI_USE_NOT;
}

/* Whether the texts of a column are too many for categories. */
static inline bool gi_survey_are_many(const gi_column_facts *f)
{
    return (f->present >= GI_SURVEY_LEAST_CODES && 2 * f->different > f->present) ||
           f->different > GI_SURVEY_MOST_TEXTS;
}

/* ---- survey_findings.c ---------------------------------------------------------------------- */

/* A number far from all others in a column. */
glia_status gi_survey_find_outlier(gi_survey *survey, const gi_survey_view *view, size_t column,
                                   glia_error *error);

/* ---- survey_looks.c ------------------------------------------------------------------------- */

/* Of a column whose texts are numbers that are not written as such; of one that is learned from as
 * dates. */
glia_status gi_survey_find_numbers(gi_survey *survey, const gi_survey_view *view, size_t column,
                                   glia_error *error);
glia_status gi_survey_note_dates(gi_survey *survey, const gi_survey_view *view, size_t column,
                                 glia_error *error);

/* Of the texts of a column: numbers that are not written as such, words for nothing, texts that
 * differ in capitals alone. */
glia_status gi_survey_find_in_texts(gi_survey *survey, const gi_survey_view *view, size_t column,
                                    glia_error *error);

/* ---- survey_target.c ------------------------------------------------------------------------ */

glia_status gi_survey_find_target(gi_survey *survey, const gi_survey_view *view, glia_error *error);
glia_status gi_survey_find_named_target(gi_survey *survey, const gi_survey_view *view,
                                        glia_error *error);
glia_status gi_survey_find_leaks(gi_survey *survey, const gi_survey_view *view, glia_error *error);
glia_status gi_survey_find_rows(gi_survey *survey, const gi_survey_view *view, glia_error *error);

#endif
