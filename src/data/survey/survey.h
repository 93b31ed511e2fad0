/* SPDX-License-Identifier: MIT */
/*
 * What the files of the survey share. Two passes over a table's cells give what there is to know of
 * each column (survey_columns.c); rows are compared by their hashes, and columns with the target
 * and with each other in a sample of the rows (survey_rows.c); rules make findings of it
 * (survey_findings.c); survey.c puts it together. Memory is bounded, whatever the table's size.
 */
#ifndef GLIA_DATA_SURVEY_SURVEY_H
#define GLIA_DATA_SURVEY_SURVEY_H

#include "base/status.h"
#include "data/encoding/encoding.h"
#include "data/table/table.h"
#include "data/table/text_look.h"

/* A number, and how often it stands; an empty slot has count 0. */
typedef struct gi_number_count {
    double value;
    uint64_t count;
} gi_number_count;

/* What is known of a column. Of one that is ignored nothing is. */
typedef struct gi_column_facts {
    uint64_t present, missing;
    size_t first_missing; /* row */
    uint64_t different;
    bool has_more; /* different ones than were counted */
    uint64_t hash; /* of all cells, in order: columns with the same hold the same */

    /* Of numbers. */
    double mean, squares; /* sum of (x - mean)^2: Welford 1962 */
    double min, max, last;
    size_t min_row, max_row; /* their first rows */
    bool is_whole;
    bool increases;           /* each is larger than the one before */
    bool repeats;             /* one that was counted stands there twice */
    gi_number_count *numbers; /* (n_slots): a hash table; half of it at most is used */
    size_t n_slots;

    /* Of texts, each (texts.n). */
    uint64_t *counts;
    size_t *first_rows;

    /* Of numbers without their least and greatest, and how often these stand there. */
    double inner_mean, inner_squares;
    uint64_t n_inner, n_min, n_max;

    bool is_identifier;
} gi_column_facts;

/* facts (n_columns of the table), to be freed whatever comes of it. */
glia_status gi_survey_columns(const gi_table *table, gi_column_facts **facts, glia_error *error);
void gi_survey_columns_free(gi_column_facts *facts, size_t n_columns);

/* The inner part of the facts: a pass of its own. */
void gi_survey_inner(const gi_table *table, gi_column_facts *facts);

/* How often a number stands there, as far as it was counted. */
uint64_t gi_survey_count(const gi_column_facts *facts, double value);

/* Gives the memory of a large table that is mapped back, now and then; row by row. */
void gi_survey_forget(const gi_table *table, size_t row);

/* ---- survey_rows.c -------------------------------------------------------------------------- */

/* Rows that are there twice. Counts are estimates if not all rows were checked. */
typedef struct gi_row_facts {
    uint64_t checked;
    uint64_t duplicates, contradictions;   /* alike in all features, with other targets */
    size_t duplicate[2], contradiction[2]; /* the first pair: rows */
} gi_row_facts;

/* is_feature, is_target (columns): what is compared. */
glia_status gi_survey_rows(const gi_table *table, const bool *is_feature, const bool *is_target,
                           gi_row_facts *out, glia_error *error);

/* Rows spread over the table. */
typedef struct gi_row_sample {
    size_t n;
    size_t *rows;  /* (n), ascending */
    double *cells; /* (n, columns) */
} gi_row_sample;

enum {
    GI_SAMPLE_CELLS = 1 << 23, /* of a survey by itself, */
    /* and of one before training, which takes a small part of the time of reading: */
    GI_HASTY_CELLS = 1 << 16, /* or so many rows, or one cell in so many of a large table, */
    GI_HASTY_ROWS = 1 << 8,
    GI_HASTY_PART = 32,
    GI_MOST_HASTY_CELLS = 1 << 19 /* but no more than that */
};
glia_status gi_survey_sample(const gi_table *table, size_t most_cells, gi_row_sample *out,
                             glia_error *error);
void gi_survey_sample_free(gi_row_sample *sample);

/*
 * How well a column alone predicts another one: the part of the error of guessing (the most
 * frequent class; the mean) that is gone in the half of the sample which was not learned from.
 * Learned are the class, or the mean, of each value; for a number that was not there, of the one
 * next to it. 0 where there is too little to tell. *accuracy, *guessed: of classes, the part that
 * is right.
 */
glia_status gi_survey_skill(const gi_table *table, const gi_row_sample *sample, size_t column,
                            size_t target, bool is_class, double *skill, double *accuracy,
                            double *guessed, glia_error *error);

/*
 * Of two columns of numbers, in the rows of the sample that have both, without the least and the
 * greatest of each, which outliers would be; NAN if there is nothing to tell.
 */
double gi_survey_correlation(const gi_table *table, const gi_column_facts *facts,
                             const gi_row_sample *sample, size_t a, size_t b);

/* ---- survey.c -------------------------------------------------------------------------------- */

/* A survey while it is made. All that it owns hangs on blocks. */
typedef struct gi_survey {
    glia_survey shown; /* first: it is what the caller has */
    struct gi_survey_block *blocks;
    glia_column_survey *columns;
    glia_finding *findings;
    size_t room; /* of findings */
} gi_survey;

/* Memory that lives as long as the survey. */
void *gi_survey_alloc(gi_survey *survey, size_t count, size_t size, glia_error *error);
char *gi_survey_copy(gi_survey *survey, const char *text, glia_error *error);

/* Everything that the rules look at. */
typedef struct gi_survey_view {
    const gi_table *table;
    const gi_column_facts *facts;
    const gi_table_plan *plan;
    const gi_row_facts *rows;
    const gi_row_sample *sample;
    bool skips;      /* malformed rows, and those without a target */
    bool is_hasty;   /* what takes long and is a note at most is not looked for */
    size_t all_rows; /* of the table; more than view->table has if that is a sample of them */
} gi_survey_view;

/* ---- survey_describe.c ---------------------------------------------------------------------- */

/* Fills survey->columns. */
glia_status gi_survey_describe_columns(gi_survey *survey, const gi_table *table,
                                       const gi_column_facts *facts, const gi_table_plan *plan,
                                       const glia_table_params *params, glia_error *error);

/* Fills survey->shown.classes with the classes of a column, in the order of the network's outputs,
 * or with those of several targets, of which one is 1 in each row. */
glia_status gi_survey_count_classes(gi_survey *survey, const gi_column *column,
                                    const gi_column_facts *f, glia_error *error);
glia_status gi_survey_count_one_hot(gi_survey *survey, const gi_table *table,
                                    const gi_table_plan *plan, const gi_column_facts *facts,
                                    glia_error *error);

/* ---- survey_findings.c, survey_target.c ------------------------------------------------------ */

__attribute__((format(printf, 9, 10))) glia_status
gi_survey_add(gi_survey *survey, glia_finding_kind kind, glia_severity severity,
              const size_t *columns, size_t n_columns, const uint64_t lines[2], double value,
              glia_error *error, const char *format, ...);

/* Sets facts' is_identifier, which is needed before rows are compared; facts are the view's. */
void gi_survey_find_identifiers(const gi_survey *survey, const gi_survey_view *view,
                                gi_column_facts *facts);

/* Of columns and rows; sets what is suggested for columns. */
glia_status gi_survey_find(gi_survey *survey, const gi_survey_view *view, glia_error *error);

/* The same where the view's table is a sample of the rows: of columns alone. */
glia_status gi_survey_find_in_sample(gi_survey *survey, const gi_survey_view *view,
                                     glia_error *error);

/* Of the classes in survey->shown. */
glia_status gi_survey_find_classes(gi_survey *survey, glia_error *error);

/* The most serious first. */
void gi_survey_sort(gi_survey *survey);

#endif
