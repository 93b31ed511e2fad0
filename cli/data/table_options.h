/* SPDX-License-Identifier: MIT */
/* The options that say how a table (CSV, TSV, NumPy) is read, and what its columns are. */
#ifndef GLIA_CLI_DATA_TABLE_OPTIONS_H
#define GLIA_CLI_DATA_TABLE_OPTIONS_H

#include "glia.h"
#include "shell/options.h"

typedef struct table_options {
    const char *target, *drop, *categorical; /* names or numbers, with commas between; or NULL */
    const char *weight, *group, *id;         /* a column each; or NULL */
    int loss;                                /* glia_loss */
    int separator, header, on_bad_row;       /* indices of their choices */
    int unknown;                             /* likewise */
    const char *missing;                     /* words, with commas between; or NULL */
    char decimal, thousands;                 /* signs of numbers; 0: found out */
} table_options;

/* For OPTION_OTHER: words that mean a missing value, and signs of numbers. */
bool missing_parse(const char *text, void *field);
bool decimal_parse(const char *text, void *field);
bool thousands_parse(const char *text, void *field);

extern const char *const separator_choices[], *const header_choices[], *const bad_row_choices[];
extern const char *const unknown_choices[];
extern const char *const loss_choices[];

/* clang-format off */

/* How the file is read; of_struct is the command's struct, table the path of its table_options. */
#define TABLE_FILE_OPTIONS(of_struct, table)                                                       \
    {.kind = OPTION_CHOICE, .name = "separator", .metavar = "NAME", .choices = separator_choices,  \
     .offset = offsetof(of_struct, table.separator),                                               \
     .help = "the sign between the cells of a CSV file"},                                          \
    {.kind = OPTION_CHOICE, .name = "header", .metavar = "WORD", .choices = header_choices,        \
     .offset = offsetof(of_struct, table.header),                                                  \
     .help = "whether the first line of the file holds the names of the columns"},                 \
    {.kind = OPTION_CHOICE, .name = "on-bad-row", .metavar = "WORD", .choices = bad_row_choices,   \
     .offset = offsetof(of_struct, table.on_bad_row),                                              \
     .help = "whether to stop at a malformed row or a picture that cannot be read, or to "         \
             "leave it out and count it"},                                                         \
    {.kind = OPTION_OTHER, .name = "missing", .metavar = "WORDS", .parse = missing_parse,          \
     .expected = "words with commas between",                                \
     .shown_default = "an empty cell, NA, NaN, NULL, None, ? and the like",                        \
     .offset = offsetof(of_struct, table.missing),                                                 \
     .help = "words that also mean a missing value, separated by commas; after = they replace "    \
             "the usual words, as in =NA; with = alone only an empty cell is missing"},            \
    {.kind = OPTION_OTHER, .name = "decimal", .metavar = "SIGN", .parse = decimal_parse,           \
     .expected = "point or comma, or the sign itself",                          \
     .shown_default = "detected", .offset = offsetof(of_struct, table.decimal),                    \
     .help = "the sign before decimals: point (.) or comma (,)"},                                  \
    {.kind = OPTION_OTHER, .name = "thousands", .metavar = "SIGN", .parse = thousands_parse,       \
     .expected = "point, comma, space or apostrophe, or the sign itself",       \
     .shown_default = "detected", .offset = offsetof(of_struct, table.thousands),                  \
     .help = "the sign between thousands: point, comma, space or apostrophe"}

/* Of commands that read rows as a model reads them. */
#define TABLE_UNKNOWN_OPTION(of_struct, table)                                                     \
    {.kind = OPTION_CHOICE, .name = "unknown", .metavar = "WORD", .choices = unknown_choices,      \
     .offset = offsetof(of_struct, table.unknown),                                                 \
     .help = "whether a category that the model has never seen is read as none of the known "      \
             "ones, and counted, or is an error"}

/* The column that names rows. */
#define TABLE_ID_OPTION(of_struct, table)                                                          \
    {.kind = OPTION_TEXT, .name = "id", .metavar = "COLUMN", .shown_default = "",                  \
     .offset = offsetof(of_struct, table.id),                                                      \
     .help = "a column that identifies the rows; nothing is learned from it, and predict --id "    \
             "repeats it in its answers"}

/* What its columns are. */
#define TABLE_COLUMN_OPTIONS(of_struct, table)                                                     \
    {.kind = OPTION_HEADING, .name = "Columns of a table"},                                        \
    {.kind = OPTION_TEXT, .name = "target", .metavar = "COLUMN",                                   \
     .offset = offsetof(of_struct, table.target),                                                  \
     .help = "the column to predict, by its name or by its number, counted from 1; separate "      \
             "several by commas, and put a name that has a comma in quotes (default: the last "    \
             "column)"},                                                                           \
    {.kind = OPTION_TEXT, .name = "drop", .metavar = "COLUMNS",                                    \
     .offset = offsetof(of_struct, table.drop), .help = "leave these columns out"},                \
    {.kind = OPTION_TEXT, .name = "categorical", .metavar = "COLUMNS",                             \
     .offset = offsetof(of_struct, table.categorical),                                             \
     .help = "read these columns as categories, although they look like numbers"},                 \
    {.kind = OPTION_TEXT, .name = "weight", .metavar = "COLUMN",                                   \
     .offset = offsetof(of_struct, table.weight),                                                  \
     .help = "a column with the weight of each row"},                                              \
    {.kind = OPTION_TEXT, .name = "group", .metavar = "COLUMN",                                    \
     .offset = offsetof(of_struct, table.group),                                                   \
     .help = "a column; rows with the same value in it (the same patient, say) stay together "     \
             "when the table is split"},                                                           \
    TABLE_ID_OPTION(of_struct, table)
/* clang-format on */

/* The columns and words that the options name; to be freed. */
typedef struct table_columns {
    char *text;         /* a copy of all lists, cut into items */
    const char **names; /* (n) */
} table_columns;

/* What the library wants to know; borrows from options and columns. */
glia_table_params table_params(const table_options *options, table_columns *columns);
/* Whether any column is named. */
bool table_has_columns(const table_options *options);

void table_columns_free(table_columns *columns);

#endif
