/* SPDX-License-Identifier: MIT */
/*
 * What was learned about the columns of a table: how a row of cells becomes the features that a
 * network reads. Learned from training rows alone, kept in the model.
 */
#ifndef GLIA_MODEL_SCHEMA_H
#define GLIA_MODEL_SCHEMA_H

#include "base/date.h"
#include "base/status.h"

/*
 * How the numbers of a column are written: the decimal sign, and the sign between groups of three
 * digits (' ': a blank of any kind; 0: there is none). All zero: it is not known.
 */
typedef struct gi_number_form {
    char decimal, thousands;
} gi_number_form;

/* Words that mean a missing value, besides the usual ones or in place of them. */
typedef struct gi_missing_words {
    char **words; /* (n); owned as one block, where they are owned */
    size_t n;
    bool alone; /* in place of the usual ones */
} gi_missing_words;

/* Owned by the copy. */
glia_status gi_missing_words_copy(const gi_missing_words *words, gi_missing_words *out,
                                  glia_error *error);

/*
 * A column that is read. Of a number x: one feature, (x - mean) / scale, 0 where it is missing. Of
 * categories: a feature each, 1 for the one that stands there, 0 for the others. If any cell of the
 * training rows was missing, one feature more, 1 where it is. A column of dates is there several
 * times, one after the other: once for each part of the dates, which is a number.
 */
typedef struct gi_schema_column {
    char *name;
    bool is_category, flags_missing;
    double mean, scale; /* scale > 0 */
    char **categories;  /* (n_categories), sorted by their bytes, none twice; one block */
    size_t n_categories;
    size_t first;        /* of its features */
    gi_number_form form; /* of its numbers in the file */
    gi_date_form date;   /* how its dates are written; GI_DATE_NONE: it has none */
    gi_date_part part;   /* which number is read of them */
} gi_schema_column;

typedef struct gi_schema {
    gi_schema_column *columns; /* (n_columns), in the order of the features */
    size_t n_columns, n_features;
    char **targets; /* (n_targets): the names of the columns that are predicted; one block */
    size_t n_targets;
    gi_number_form *target_forms; /* (n_targets) */
    bool has_text_target;     /* classes are texts; else they are the names of whole numbers, or, of
                               * several targets, of these: one of them is 1, the others are 0 */
    gi_missing_words missing; /* what the file was read with */
} gi_schema;

/* With room for the columns, which are zero, and copies of the targets' names. */
glia_status gi_schema_new(size_t n_columns, const char *const *targets, size_t n_targets,
                          gi_schema **out, glia_error *error);

/* Counts the features: sets first of every column, and n_features. */
void gi_schema_count(gi_schema *schema);

/* Whether its cells are texts in the file: categories, or dates. */
bool gi_schema_has_texts(const gi_schema_column *column);

/* Whether it is the one that tells where cells are missing: of the parts of dates the first is. */
bool gi_schema_tells_missing(const gi_schema_column *column);

/* How many columns of a table it reads: the parts of dates are of one. */
size_t gi_schema_count_read(const gi_schema *schema);

/* How many features a column has. */
size_t gi_schema_width(const gi_schema_column *column);

/* The place of a category, or SIZE_MAX. */
size_t gi_schema_category(const gi_schema_column *column, const char *text);

/* Whether both make the same features of a row. */
bool gi_schema_equal(const gi_schema *a, const gi_schema *b);

glia_status gi_schema_copy(const gi_schema *schema, gi_schema **out, glia_error *error);
void gi_schema_free(gi_schema *schema);

#endif
