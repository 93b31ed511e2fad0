/* SPDX-License-Identifier: MIT */
/*
 * What the files share that find out what a file of separated values is, from its first bytes: what
 * is no such file (csv_foreign.c), the separator and the rows (csv_separator.c), whether the first
 * of them is a header (csv_header.c), names and kinds of columns (csv_columns.c), all together
 * (csv_form.c).
 */
#ifndef GLIA_DATA_TABLE_CSV_CSV_HEAD_H
#define GLIA_DATA_TABLE_CSV_CSV_HEAD_H

#include "data/table/csv/csv_parts.h"

/* Fails if the first bytes are those of another kind of file, which is named. */
glia_status gi_csv_refuse_foreign(const char *path, const char *head, size_t n, glia_error *error);

/* The same by its lines: sparse text, FANN's samples, cells between ::. */
glia_status gi_csv_refuse_lines(const char *path, const char *head, size_t n, glia_error *error);

/* ---- Rows of the head ----------------------------------------------------------------------- */

/* The rows of a head, without those that are not there to their end. */
typedef struct gi_csv_rows {
    const gi_csv_dialect *dialect;
    const char *p, *end;
    bool is_whole, keeps_blank; /* keeps_blank: a blank line is a row */
    uint64_t line;              /* of p, from 1 */
    const char *open;           /* where a quote is left open, or NULL */
} gi_csv_rows;

typedef struct gi_csv_row {
    const char *begin, *end;
    uint64_t line;
} gi_csv_row;

/* The next row; false at the end. */
bool gi_csv_next_row(gi_csv_rows *rows, gi_csv_row *row);

/* The cells of a row, one after the other: false after the last. Begins with *at at its begin. */
bool gi_csv_cell_of_row(const gi_csv_dialect *dialect, const char **at, const char *end,
                        gi_csv_cell *cell);
size_t gi_csv_count_cells(const gi_csv_dialect *dialect, const char *begin, const char *end);

/* Sets separator and has_backslashes of the rows' dialect: by the rows, of which p begins the
 * first. */
void gi_csv_find_separator(const gi_csv_rows *rows, const char *path, gi_csv_dialect *dialect);
bool gi_csv_find_backslashes(const gi_csv_rows *rows);

/*
 * Goes to the first row of the table, past lines above it that have another number of cells than
 * nearly all rows. How many cells its rows have; *first_has: how many the first has, which can be
 * one less (row names without a name, or a separator after each row's last cell), or one more.
 */
size_t gi_csv_find_width(gi_csv_rows *rows, size_t *first_has, size_t *n_passed);

/* ---- csv_title.c: titles above the table -------------------------------------------------------
 */

/* Whether a row has no number, though the next one, the first of the rows, has: a header by its
 * looks. */
bool gi_csv_looks_like_header(const gi_csv_rows *rows, const gi_csv_row *row);

/*
 * Goes past first rows of which only the first cells are filled, if names of columns stand below
 * them: rows is after *first. *n_titles: how many they are. False: more is to be read.
 */
bool gi_csv_pass_titles(const gi_table_params *params, size_t n_columns, gi_csv_rows *rows,
                        gi_csv_row *first, size_t *n_titles);

/* ---- Columns -------------------------------------------------------------------------------- */

enum { GI_CSV_WORDS_SHOWN = 3 };

/* What the first rows say of a column. */
typedef struct gi_csv_guess {
    char *first; /* its cell in the first row, of n bytes */
    size_t n;
    bool first_is_number, first_recurs;
    /* below the first row, or of all if that is no header */
    size_t n_present, n_numbers, n_others; /* present: not missing; others: numbers of other forms,
                                              and infinities */
    size_t n_soft;       /* words that stand for missing numbers alone, which are present */
    gi_csv_numbers seen; /* the forms of all numbers */
    size_t n_wide;       /* whole numbers that a double may not hold */
    /* Of whole numbers without a sign: how many have zeros in front, and how many digits the
     * longest of these has, and the shortest of all but 0. */
    size_t n_padded, longest_padded, shortest;
    double min, max, last; /* of n_numbers */
    bool counts_up;        /* each number is the one before plus one */
    gi_texts texts;        /* the first different ones that are no numbers, */
    uint32_t *n_each;      /* and how often they are there; or NULL */
    size_t n_each_room;
} gi_csv_guess;

/* What they say of the rows. */
typedef struct gi_csv_evidence {
    gi_csv_guess *guesses; /* (n) */
    size_t n, n_rows;
    size_t n_judged, n_even, n_ascending; /* of the rows that were looked at: whose numbers, in the
                                             columns where the first row has some, are in equal
                                             steps, or ascend or descend */
} gi_csv_evidence;

void gi_csv_evidence_free(gi_csv_evidence *evidence);

/* Whether the first row has names; *is_sure: not sure, it is to be said how to have it otherwise.
 */
glia_status gi_csv_find_header(const gi_table_params *params, const gi_csv_evidence *evidence,
                               bool *out, bool *is_sure, glia_error *error);

/* Numbers in the first row that are in equal steps (2), or ascend or descend (1). */
int gi_csv_order(const double *x, size_t n);

/* Adds to form->how. */
__attribute__((format(printf, 2, 3))) void gi_csv_say(gi_csv_form *form, const char *format, ...);

/* How the columns of numbers are written: sets their form. */
glia_status gi_csv_find_number_forms(gi_csv_form *form, const gi_table_params *params,
                                     const gi_csv_evidence *evidence, glia_error *error);

/* Names, kinds and forms of the columns; adds to form->how. line: of the first row. */
glia_status gi_csv_make_columns(gi_csv_form *form, const gi_table_params *params,
                                gi_csv_evidence *evidence, uint64_t line, glia_error *error);

#endif
