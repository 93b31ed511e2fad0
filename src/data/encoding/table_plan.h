/* SPDX-License-Identifier: MIT */
/*
 * What the columns of a table are for, as it was asked for or can be found out: the target and its
 * task, weights, groups, names of rows; all others are learned from.
 */
#ifndef GLIA_DATA_ENCODING_TABLE_PLAN_H
#define GLIA_DATA_ENCODING_TABLE_PLAN_H

#include "data/table/table.h"
#include "model/reading.h"

/* Whole numbers beyond are not told apart by a double: 2^53. */
#define GI_LARGEST_WHOLE 9007199254740992.0

/* Columns that are neither predicted nor learned from; SIZE_MAX: there is none. */
typedef struct gi_table_roles {
    size_t weight, group, id;
} gi_table_roles;

/* What a column is used for. */
typedef enum gi_column_use {
    GI_USE_NOT, /* it is ignored, or has one of the roles above */
    GI_USE_TARGET,
    GI_USE_AS_IT_IS,  /* learned from, as numbers or as categories */
    GI_USE_DATE,      /* learned from, as numbers that are read of dates */
    GI_USE_IDENTIFIER /* left out, since nearly every row has another value */
} gi_column_use;

typedef struct gi_column_plan {
    gi_column_use use;
    gi_date_form form; /* of GI_USE_DATE, */
    bool has_time;     /* a date at least has a time of day */
    bool is_ambiguous; /* no date shows whether the day or the month comes first */
    bool has_numbers; /* of GI_USE_IDENTIFIER: its texts are numbers that are not written as such */
    bool is_named;    /* --categorical names it */
} gi_column_plan;

typedef struct gi_table_plan {
    gi_table_roles roles;
    size_t *targets; /* (n_targets) */
    size_t n_targets;
    bool has_task;
    glia_task task;
    bool is_asked_for; /* the targets were named; */
    bool are_classes;  /* classes were asked for */
    double *numbers;   /* (n_numbers), sorted: the different ones of a target that is classes */
    size_t n_numbers;
    char note[512]; /* for people: what the target was taken for, and how to have it otherwise */
    gi_column_plan *columns; /* (columns of the table) */
} gi_table_plan;

/* BAD_FORMAT: a column is not there, the target cannot be what was asked for. */
glia_status gi_table_find_roles(const gi_table *table, const glia_table_params *params,
                                gi_table_roles *out, glia_error *error);

/* On failure *out is as far as it went; to be freed in any case. */
glia_status gi_table_find_plan(const gi_table *table, const glia_table_params *params,
                               gi_table_plan *out, glia_error *error);
void gi_table_plan_free(gi_table_plan *plan);

/* Decides what the columns are used for; part of gi_table_find_plan. */
glia_status gi_plan_columns(const gi_table *table, const glia_table_params *params,
                            gi_table_plan *plan, glia_error *error);

/* Finds the task of the plan's targets, and the numbers that are classes; part of
 * gi_table_find_plan. */
glia_status gi_plan_task(const gi_table *table, const glia_table_params *params,
                         gi_table_plan *plan, glia_error *error);

/* The numbers that are read of a column's dates. Returns how many there are. */
size_t gi_date_parts_of(const gi_column_plan *column, gi_date_part parts[GI_DATE_PARTS]);

/* A column with the name of a target, where another one was taken for it by default; SIZE_MAX:
 * there is none. */
size_t gi_plan_named_target(const gi_table *table, const gi_table_plan *plan);

/* Whether the file names other columns, but not this one. */
bool gi_plan_is_nameless(const gi_table *table, size_t column);

/* What people are to know of the target and the columns, in lines; to be freed. */
char *gi_plan_notes(const gi_table *table, const gi_table_plan *plan, glia_error *error);

/*
 * How the table is read by a plan that has a task: a schema with the names and kinds of the columns
 * that are learned from, and the names of the classes (one block); both are to be freed, also after
 * a failure.
 */
glia_status gi_table_plan_reading(const gi_table *table, const gi_table_plan *plan,
                                  gi_schema **schema, char ***class_names, gi_reading *out,
                                  glia_error *error);

/* Says that there is no column `name`, and what there is. BAD_FORMAT. */
glia_status gi_table_fail_absent(const gi_table *table, const char *name, const char *what,
                                 glia_error *error);

/* For qsort, of texts. */
int gi_by_text(const void *a, const void *b);

/* What is to be known of columns before a file is read; names are borrowed. */
typedef struct gi_known_columns {
    gi_known_column *columns; /* (n), to be freed */
    size_t n;
} gi_known_columns;

/* Rows are read as those that a schema was learned from, unless how says otherwise; its words are
 * borrowed. */
void gi_table_params_read_like(gi_table_params *how, const gi_schema *schema);

glia_status gi_known_of_params(const glia_table_params *params, gi_known_columns *out,
                               glia_error *error);
/* BAD_ARGUMENT: rows cannot be named by a column (or NULL) whose numbers the network reads. */
glia_status gi_schema_check_id(const gi_schema *schema, const char *name, glia_error *error);
/* is_for_prediction: of rows whose target is nothing to them, but whose id is. */
glia_status gi_known_of_reading(const gi_reading *reading, const glia_table_params *params,
                                bool is_for_prediction, gi_known_columns *out, glia_error *error);

#endif
