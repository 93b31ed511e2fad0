/* SPDX-License-Identifier: MIT */
/*
 * Titles above the table as spreadsheets write them, which fill up each line with separators:
 * "Sales 2024,,". Lines with another number of cells are csv_separator.c's.
 */
#include <string.h>

#include "base/number.h"
#include "data/table/csv/csv_head.h"

enum {
    MOST_TITLES = 20,
    ROWS_BELOW = 100, /* that are looked at, */
    LEAST_BELOW = 3   /* and that tell names from texts like them */
};

bool gi_csv_looks_like_header(const gi_csv_rows *from, const gi_csv_row *row)
{
    gi_csv_rows rows = *from;
    gi_csv_row next;
    gi_csv_cell cell;
    double value;
    for (const char *at = row->begin; gi_csv_cell_of_row(rows.dialect, &at, row->end, &cell);)
        if (gi_parse_f64(cell.begin, cell.end, &value)) return false;
    if (!gi_csv_next_row(&rows, &next)) return false;
    for (const char *at = next.begin; gi_csv_cell_of_row(rows.dialect, &at, next.end, &cell);)
        if (gi_parse_f64(cell.begin, cell.end, &value)) return true;
    return false;
}

/* How many cells of a row are not empty; *lead: they stand before all others. */
static size_t count_filled(const gi_csv_dialect *dialect, const gi_csv_row *row, bool *lead)
{
    size_t n = 0, n_filled = 0;
    gi_csv_cell cell;
    *lead = true;
    for (const char *at = row->begin; gi_csv_cell_of_row(dialect, &at, row->end, &cell); n++) {
        if (cell.begin == cell.end) continue;
        *lead = *lead && n_filled == n;
        n_filled++;
    }
    return n_filled;
}

/* Whether a row has the name of a column that is known. */
static bool has_known(const gi_csv_dialect *dialect, const gi_table_params *params,
                      const gi_csv_row *row)
{
    gi_csv_cell cell;
    for (const char *at = row->begin; gi_csv_cell_of_row(dialect, &at, row->end, &cell);)
        for (size_t k = 0; k < params->n_known; k++) {
            const size_t n = strlen(params->known[k].name);
            if (n == (size_t)(cell.end - cell.begin) &&
                memcmp(params->known[k].name, cell.begin, n) == 0)
                return true;
        }
    return false;
}

/*
 * Whether a row of texts names the columns of those below: none of its cells comes again. If it has
 * no numbers below it, none of the rows may lack the second cell either, as a title does.
 */
static bool names_columns(const gi_csv_rows *from, const gi_csv_row *names)
{
    const bool has_numbers = gi_csv_looks_like_header(from, names);
    gi_csv_rows rows = *from;
    gi_csv_row row;
    size_t n = 0;
    for (; n < ROWS_BELOW && gi_csv_next_row(&rows, &row); n++) {
        gi_csv_cell cell, name;
        double value;
        const char *at = row.begin, *at_name = names->begin;
        for (size_t c = 0; gi_csv_cell_of_row(rows.dialect, &at, row.end, &cell) &&
                           gi_csv_cell_of_row(rows.dialect, &at_name, names->end, &name);
             c++) {
            const size_t length = (size_t)(cell.end - cell.begin);
            const bool is_same = length == (size_t)(name.end - name.begin) &&
                                 memcmp(cell.begin, name.begin, length) == 0;
            if (is_same || (!has_numbers && c == 1 && length == 0) ||
                gi_parse_f64(name.begin, name.end, &value))
                return false;
        }
    }
    return n >= LEAST_BELOW || has_numbers;
}

bool gi_csv_pass_titles(const gi_table_params *params, size_t n_columns, gi_csv_rows *from,
                        gi_csv_row *first, size_t *n_titles)
{
    gi_csv_rows rows = *from;
    gi_csv_row row = *first;
    size_t n = 0, most = 0, n_filled;
    bool lead;
    *n_titles = 0;
    if (params->header == 0 || n_columns < 2) return true;
    while ((n_filled = count_filled(rows.dialect, &row, &lead)) < n_columns) {
        const bool is_names = params->ignores_unknown && has_known(rows.dialect, params, &row);
        if (!lead || is_names || n == MOST_TITLES) return true;
        if (n_filled > most) most = n_filled;
        n++;
        if (!gi_csv_next_row(&rows, &row)) return rows.is_whole;
        if (gi_csv_count_cells(rows.dialect, row.begin, row.end) != n_columns) return true;
    }
    if (n == 0) return true;
    const bool may_be_names = (most <= 1 && n_columns > 2) || gi_csv_looks_like_header(&rows, &row);
    const bool are_names = params->ignores_unknown ? has_known(rows.dialect, params, &row)
                                                   : may_be_names && names_columns(&rows, &row);
    if (!are_names) return true;
    *from = rows;
    *first = row;
    *n_titles = n;
    return true;
}
