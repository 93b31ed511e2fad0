/* SPDX-License-Identifier: MIT */
/*
 * The rows of a head, what separates their cells, and how many cells they have. Many rows are
 * looked at: a separator is one that gives most rows the same number of cells, and among several
 * such the one that leaves more numbers, and no other separators within cells.
 */
#include <string.h>

#include "base/number.h"
#include "data/table/csv/csv_head.h"

enum {
    ROWS = 100,            /* that are looked at */
    MOST_LINES_ABOVE = 20, /* of a table */
    LEAST_ROWS_BELOW = 3,  /* them, all alike */
};

/* ---- Rows of the head ----------------------------------------------------------------------- */

bool gi_csv_next_row(gi_csv_rows *rows, gi_csv_row *row)
{
    while (rows->p < rows->end) {
        const char *p = rows->p, *first = p;
        const char *after = gi_csv_row_end(rows->dialect, p, rows->end, &rows->open);
        if (!after && (!rows->is_whole || rows->open)) return false;
        *row = (gi_csv_row){p, after ? after : rows->end, rows->line};
        rows->p = row->end;
        for (; p < row->end; p++) rows->line += *p == rows->dialect->line_end;
        const bool is_blank = gi_csv_is_blank_row(rows->dialect, &first, row->end);
        if (is_blank && !(rows->keeps_blank && first == row->begin)) continue;
        if (rows->dialect->separator == ' ') row->begin = first;
        return true;
    }
    return false;
}

bool gi_csv_cell_of_row(const gi_csv_dialect *dialect, const char **at, const char *end,
                        gi_csv_cell *cell)
{
    if (!*at) return false;
    const char *next = gi_csv_next_cell(dialect, *at, end, cell);
    *at = next == end || *next == dialect->line_end ? NULL : next + 1;
    return true;
}

size_t gi_csv_count_cells(const gi_csv_dialect *dialect, const char *begin, const char *end)
{
    size_t n = 0;
    gi_csv_cell cell;
    while (gi_csv_cell_of_row(dialect, &begin, end, &cell)) {
        if (cell.fault) return 0;
        n++;
    }
    return n;
}

/* ---- The separator -------------------------------------------------------------------------- */

/* What comes of a separator. */
struct fit {
    double agreement; /* the part of the rows with as many cells as most have; 0 if that is one */
    double worth;     /* of a row's cells */
    bool has_number;
};

/* Numbers count most; a cell that holds other separators, or several numbers, is none, and words of
 * a text with blanks are no cells. */
static double worth_of(const gi_csv_dialect *dialect, const gi_csv_cell *cell, bool *has_number)
{
    const size_t n = (size_t)(cell->end - cell->begin);
    gi_csv_numbers seen = {0};
    double value, worth = dialect->separator == ' ' && !cell->quoted ? 0 : 0.3;
    if (gi_parse_f64(cell->begin, cell->end, &value)) {
        *has_number = true;
        return 1;
    }
    if (cell->quoted || n == 0) return worth;
    gi_csv_note_number(&seen, cell->begin, n);
    if (seen.n > 0 && seen.n_thousands[2] == 0) {
        *has_number = true;
        return 1;
    }
    if (seen.n > 0) return worth;
    if (dialect->separator != '\t' && memchr(cell->begin, '\t', n)) worth -= 0.6;
    if (dialect->separator != '\t' && dialect->separator != ';' && memchr(cell->begin, ';', n))
        worth -= 0.6;
    if ((dialect->separator == ',' || dialect->separator == ' ') && memchr(cell->begin, '|', n))
        worth -= 0.6;
    /* "8 307.0 130.0" */
    const char *blank = memchr(cell->begin, ' ', n), *next = blank;
    while (next && next < cell->end && *next == ' ') next++;
    const char *next_end = next ? memchr(next, ' ', (size_t)(cell->end - next)) : NULL;
    if (blank && gi_parse_f64(cell->begin, blank, &value) &&
        gi_parse_f64(next, next_end ? next_end : cell->end, &value))
        worth -= 1;
    return worth;
}

static struct fit fit_of(const gi_csv_rows *from, const gi_csv_dialect *dialect)
{
    gi_csv_rows rows = *from;
    gi_csv_row row;
    size_t counts[ROWS], n = 0, best = 0, n_cells = 0;
    double worth[ROWS];
    struct fit fit = {0};
    rows.dialect = dialect;
    while (n < ROWS && gi_csv_next_row(&rows, &row)) {
        gi_csv_cell cell;
        counts[n] = 0;
        worth[n] = 0;
        for (const char *at = row.begin; gi_csv_cell_of_row(dialect, &at, row.end, &cell);) {
            worth[n] += worth_of(dialect, &cell, &fit.has_number);
            counts[n] = cell.fault ? 0 : counts[n] + 1;
            if (cell.fault) break;
        }
        n++;
    }
    for (size_t i = 0; i < n; i++) {
        size_t same = 0;
        for (size_t j = 0; j < n; j++) same += counts[i] == counts[j];
        if (counts[i] > 0 && same > best) best = same, n_cells = counts[i];
    }
    if (n_cells < 2) return fit;
    fit.agreement = (double)best / (double)n;
    for (size_t i = 0; i < n; i++)
        if (counts[i] == n_cells) fit.worth += worth[i] / (double)best;
    if (counts[0] != n_cells) fit.worth -= 0.5; /* a header fits, too */
    return fit;
}

static bool ends_with(const char *path, const char *end)
{
    const size_t n = strlen(path), n_end = strlen(end);
    return n > n_end && strcmp(path + n - n_end, end) == 0;
}

void gi_csv_find_separator(const gi_csv_rows *rows, const char *path, gi_csv_dialect *dialect)
{
    /* The first of those that fit equally well: a comma stands in numbers and texts of files with
     * other separators more often than the other way round, and blanks stand everywhere. */
    static const char candidates[] = {'\t', ';', '|', ',', ' '};
    enum { N = sizeof candidates };
    struct fit fits[N];
    double most = 0;
    for (size_t i = 0; i < N; i++) {
        const gi_csv_dialect with = {.separator = candidates[i], .line_end = dialect->line_end};
        fits[i] = fit_of(rows, &with);
        if (candidates[i] == ' ' && (!fits[i].has_number || (fits[i].agreement < 1 && most > 0)))
            fits[i].agreement = 0;
        if (fits[i].agreement > most) most = fits[i].agreement;
    }
    dialect->separator = ',';
    double best = -1e300;
    for (size_t i = 0; i < N; i++) {
        if (fits[i].agreement == 0 || fits[i].agreement < 0.9 * most) continue;
        const bool is_named =
            candidates[i] == '\t' && (ends_with(path, ".tsv") || ends_with(path, ".tab"));
        const double score = is_named ? 1e300 : fits[i].worth - 10 * (most - fits[i].agreement);
        if (score <= best) continue;
        best = score;
        dialect->separator = candidates[i];
    }
}

bool gi_csv_find_backslashes(const gi_csv_rows *from)
{
    /* "say \"hi\"": without backslashes the quote would close before a letter. */
    const gi_csv_dialect *dialect = from->dialect;
    const char *const end = from->end;
    for (const char *p = from->p; p < end; p++) {
        p = memchr(p, '\\', (size_t)(end - p));
        if (!p || p + 2 >= end) return false;
        if (p[1] != '"') {
            p++;
            continue;
        }
        const char *after = p + 2;
        while (after < end && gi_csv_is_blank(dialect, *after)) after++;
        if (after < end && *after != dialect->separator && *after != dialect->line_end &&
            *after != '"')
            return true;
    }
    return false;
}

/* ---- How many cells ------------------------------------------------------------------------- */

size_t gi_csv_find_width(gi_csv_rows *rows, size_t *first_has, size_t *n_passed)
{
    gi_csv_rows look = *rows, starts[MOST_LINES_ABOVE + 1];
    gi_csv_row row;
    size_t counts[ROWS], n = 0;
    for (;;) {
        if (n <= MOST_LINES_ABOVE) starts[n] = look;
        if (n == ROWS || !gi_csv_next_row(&look, &row)) break;
        const char *at = row.begin;
        gi_csv_cell cell;
        for (counts[n] = 0; gi_csv_cell_of_row(rows->dialect, &at, row.end, &cell);) counts[n]++;
        n++;
    }
    *first_has = n ? counts[0] : 0;
    *n_passed = 0;
    size_t best = 0, width = *first_has;
    for (size_t i = 0; i < n; i++) {
        size_t same = 0;
        for (size_t j = 0; j < n; j++) same += counts[i] == counts[j];
        if (same > best) best = same, width = counts[i];
    }
    size_t first = 0; /* row with as many cells as most */
    while (first < n && counts[first] != width) first++;
    if (first == 0 || width < 2) return *first_has;
    const bool is_near = counts[first - 1] + 1 == width || counts[first - 1] == width + 1;
    const bool are_alike = 20 * best >= 19 * (n - first);
    if (best + is_near < LEAST_ROWS_BELOW || !are_alike || first > MOST_LINES_ABOVE)
        return *first_has;
    *n_passed = first;
    *rows = starts[first];
    if (is_near) { /* the caller decides whether it is the header */
        *first_has = counts[first - 1];
        *n_passed = first - 1;
        *rows = starts[first - 1];
    } else {
        *first_has = width;
    }
    return width;
}
