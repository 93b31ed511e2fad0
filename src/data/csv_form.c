/* SPDX-License-Identifier: MIT */
/*
 * What a file of separated values is, by its head: its separator, whether its first line is a
 * header, which columns are of numbers. What is no such file is called by its name.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/number.h"
#include "data/csv.h"

enum {
    SEPARATOR_ROWS = 100, /* that tell the separator */
    KIND_ROWS = 10000,    /* that tell the kinds of columns */
    NEAR_COLUMNS = 4096,  /* among which a name like a missing one is looked for */
    NEAR_LENGTH = 63
};

/* ---- What is something else ----------------------------------------------------------------- */

static const struct {
    const char *begin;
    size_t n;
    const char *what, *todo;
} foreign[] = {
#define BYTES(text) text, sizeof text - 1
    {BYTES("\x1F\x8B"), "data compressed by gzip", "decompress it: gunzip -c FILE | glia ... -"},
    {BYTES("BZh"), "data compressed by bzip2", "decompress it with bunzip2"},
    {BYTES("\xFD"
           "7zXZ"),
     "data compressed by xz", "decompress it with unxz"},
    {BYTES("\x28\xB5\x2F\xFD"), "data compressed by zstd", "decompress it with unzstd"},
    {BYTES("PK\x03\x04"), "a zip archive (a spreadsheet .xlsx or .ods is one)",
     "unpack it, or save the spreadsheet as CSV"},
    {BYTES("\xD0\xCF\x11\xE0"), "an old Office file (.xls)", "save the spreadsheet as CSV"},
    {BYTES("\x89PNG"), "a PNG image", "give the folder of images"},
    {BYTES("\xFF\xD8\xFF"), "a JPEG image", "give the folder of images"},
    {BYTES("\x89HDF"), "an HDF5 file", "write its table as CSV, or its arrays as .npy"},
    {BYTES("PAR1"), "a Parquet file", "write its table as CSV"},
    {BYTES("ARROW1"), "an Arrow file", "write its table as CSV"},
    {BYTES("\x93NUMPY"), "a NumPy array", "name it .npy"},
    {BYTES("SQLite format 3"), "an SQLite database",
     "write its table as CSV: sqlite3 -header -csv FILE 'select * from TABLE'"},
    {BYTES("%PDF-"), "a PDF document", "write its table as CSV"},
    {BYTES("\x7F"
           "ELF"),
     "a program", "give a table"},
    {BYTES("version https://git-lfs"), "a pointer of Git LFS, not the file itself",
     "fetch it with git lfs pull"},
    {BYTES("<!DOCTYPE"), "a web page", "fetch the file itself"},
    {BYTES("<html"), "a web page", "fetch the file itself"},
    {BYTES("<?xml"), "XML", "write its table as CSV"},
    {BYTES("{\""), "JSON", "write its table as CSV"},
    {BYTES("[{"), "JSON", "write its table as CSV"},
    {BYTES("[["), "JSON", "write its table as CSV"},
    {BYTES("\xFF\xFE"), "UTF-16 text", "convert it: iconv -f UTF-16 -t UTF-8"},
    {BYTES("\xFE\xFF"), "UTF-16 text", "convert it: iconv -f UTF-16 -t UTF-8"},
#undef BYTES
};

static glia_status refuse_foreign(const char *path, const char *head, size_t n, glia_error *error)
{
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++)
        if (n >= foreign[i].n && memcmp(head, foreign[i].begin, foreign[i].n) == 0)
            return gi_fail(error, GLIA_BAD_FORMAT,
                           "%s: byte 0: found %s, expected separated values; %s", path,
                           foreign[i].what, foreign[i].todo);
    /* Every other byte of UTF-16 is zero where the text is of Latin letters. */
    if (n >= 4 && (head[0] != 0) == (head[2] != 0) && (head[1] != 0) == (head[3] != 0) &&
        (head[0] != 0) != (head[1] != 0))
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: byte 0: found UTF-16 text, expected UTF-8; convert it: iconv -f %s -t "
                       "UTF-8",
                       path, head[0] ? "UTF-16LE" : "UTF-16BE");
    return GLIA_OK;
}

/* ---- Rows of the head ----------------------------------------------------------------------- */

/* The rows of a head, without those that are not there to their end. */
struct rows {
    const gi_csv_dialect *dialect;
    const char *p, *end;
    bool is_whole;
    uint64_t line; /* of p, from 1 */
    const char *open;
};

/* The next row that is not blank: false at the end. *line is its own. */
static bool next_row(struct rows *rows, const char **begin, const char **end, uint64_t *line)
{
    while (rows->p < rows->end) {
        const char *p = rows->p, *first = p;
        const char *after = gi_csv_row_end(rows->dialect, p, rows->end, &rows->open);
        if (!after && (!rows->is_whole || rows->open)) return false;
        *begin = p;
        *end = after ? after : rows->end;
        *line = rows->line;
        rows->p = *end;
        for (; p < *end; p++) rows->line += *p == rows->dialect->line_end;
        while (first < *end && gi_csv_is_blank(rows->dialect, *first)) first++;
        if (first < *end && *first != rows->dialect->line_end) {
            *begin = rows->dialect->separator == ' ' ? first : *begin;
            return true;
        }
    }
    return false;
}

/* The cells of a row, one after the other: false after the last. Begins with *at at its begin. */
static bool next_cell(const gi_csv_dialect *dialect, const char **at, const char *end,
                      gi_csv_cell *cell)
{
    if (!*at) return false;
    const char *next = gi_csv_next_cell(dialect, *at, end, cell);
    *at = next == end || *next == dialect->line_end ? NULL : next + 1;
    return true;
}

/* The cells of a row; 0 if it is malformed. */
static size_t count_cells(const gi_csv_dialect *dialect, const char *begin, const char *end,
                          bool *has_number)
{
    size_t n = 0;
    gi_csv_cell cell;
    double value;
    while (next_cell(dialect, &begin, end, &cell)) {
        if (cell.fault) return 0;
        *has_number |= gi_parse_f64(cell.begin, cell.end, &value);
        n++;
    }
    return n;
}

/* The part of the rows that has the number of cells which most rows have; 0 if that is one. */
static double agreement(const gi_csv_dialect *dialect, const char *p, const char *end,
                        bool is_whole)
{
    struct rows rows = {.dialect = dialect, .p = p, .end = end, .is_whole = is_whole};
    const char *begin, *row_end;
    uint64_t line;
    size_t counts[SEPARATOR_ROWS], n = 0, best = 0, best_count = 0;
    bool has_number = false;
    while (n < SEPARATOR_ROWS && next_row(&rows, &begin, &row_end, &line))
        counts[n++] = count_cells(dialect, begin, row_end, &has_number);
    for (size_t i = 0; i < n; i++) {
        size_t same = 0;
        for (size_t j = 0; j < n; j++) same += counts[i] == counts[j];
        if (counts[i] > 0 && same > best) best = same, best_count = counts[i];
    }
    if (best_count < 2 || (dialect->separator == ' ' && !has_number)) return 0;
    return (double)best / (double)n;
}

static char find_separator(const char *p, const char *end, bool is_whole, char line_end)
{
    /* A comma stands in numbers and texts of files with other separators more often than the other
     * way round, and blanks stand everywhere. */
    static const char candidates[] = {'\t', ';', '|', ',', ' '};
    char separator = ',';
    double most = 0;
    for (size_t i = 0; i < sizeof candidates && most < 1; i++) {
        const gi_csv_dialect dialect = {candidates[i], line_end};
        const double found = agreement(&dialect, p, end, is_whole);
        if (found > most && (candidates[i] != ' ' || found == 1 || most == 0)) {
            most = found;
            separator = candidates[i];
        }
    }
    return separator;
}

/* ---- Columns -------------------------------------------------------------------------------- */

/* What the first rows say of a column. */
struct guess {
    char *first; /* its cell in the first row, of n bytes */
    size_t n;
    bool first_is_number, first_is_missing, first_recurs;
    size_t n_present, n_numbers, n_commas; /* below the first row; commas: numbers with one */
};

/* A cell's text; scratch has room for it. */
static const char *text_of(const gi_csv_cell *cell, char *scratch, size_t *n)
{
    *n = (size_t)(cell->end - cell->begin);
    if (!cell->doubled) return cell->begin;
    *n = gi_csv_unquote(cell, scratch);
    return scratch;
}

static bool is_number(const char *text, size_t n)
{
    double value;
    return gi_parse_f64(text, text + n, &value);
}

/* "-12,5" */
static bool has_decimal_comma(const char *text, size_t n)
{
    const char *comma = memchr(text, ',', n), *end = text + n;
    if (!comma || comma == text || comma + 1 == end) return false;
    for (const char *p = text + (*text == '-'); p < end; p++)
        if (p != comma && (*p < '0' || *p > '9')) return false;
    return true;
}

/* Takes the first row for names. */
static glia_status read_first(gi_csv_form *form, const char *begin, const char *end, uint64_t line,
                              struct guess *guesses, char *scratch, glia_error *error)
{
    gi_csv_cell cell;
    for (size_t c = 0; next_cell(&form->dialect, &begin, end, &cell); c++) {
        if (cell.fault) {
            gi_csv_problem problem = {.fault = cell.fault};
            gi_csv_show(cell.at, (size_t)(end - cell.at), problem.shown);
            return gi_csv_report(form, &problem, line, error);
        }
        size_t n;
        const char *text = text_of(&cell, scratch, &n);
        guesses[c].first = gi_alloc(n + 1, 1, "names of columns", error);
        if (!guesses[c].first) return GLIA_NO_MEMORY;
        memcpy(guesses[c].first, text, n);
        guesses[c].n = n;
        guesses[c].first_is_number = is_number(text, n);
        guesses[c].first_is_missing = gi_csv_is_missing(text, n);
    }
    return GLIA_OK;
}

/* Looks at the rows after the first. Returns how many there are, up to KIND_ROWS. */
static size_t read_others(const gi_csv_form *form, struct rows *rows, struct guess *guesses,
                          char *scratch)
{
    const char *begin, *end;
    uint64_t line;
    size_t n_rows = 0;
    while (n_rows < KIND_ROWS && next_row(rows, &begin, &end, &line)) {
        n_rows++;
        gi_csv_cell cell;
        for (size_t c = 0; c < form->n_columns && next_cell(&form->dialect, &begin, end, &cell);
             c++) {
            if (cell.fault) break;
            size_t n;
            const char *text = text_of(&cell, scratch, &n);
            struct guess *guess = &guesses[c];
            if (gi_csv_is_missing(text, n)) continue;
            guess->n_present++;
            if (is_number(text, n))
                guess->n_numbers++;
            else
                guess->n_commas += has_decimal_comma(text, n);
            guess->first_recurs |= n == guess->n && memcmp(text, guess->first, n) == 0;
        }
    }
    return n_rows;
}

/* Nine in ten; a column without any value may be of numbers. */
static bool is_mostly_numbers(const struct guess *guess, bool with_first)
{
    const bool counts = with_first && !guess->first_is_missing;
    const size_t present = guess->n_present + counts;
    const size_t numbers = guess->n_numbers + (counts && guess->first_is_number);
    return 10 * numbers >= 9 * present;
}

/* "column 7", or "7" */
static const char *number_in(const char *name)
{
    return strncmp(name, "column ", 7) == 0 ? name + 7 : name;
}

/* Whether all that is known of is columns without names. */
static bool knows_numbers_alone(const gi_table_params *params)
{
    uint64_t number;
    for (size_t i = 0; i < params->n_known; i++)
        if (!gi_parse_u64(number_in(params->known[i].name), &number)) return false;
    return params->n_known > 0;
}

/* Whether the first row has the name of a column that is known. */
static glia_status has_known_name(const gi_table_params *params, const struct guess *guesses,
                                  size_t n, bool *out, glia_error *error)
{
    gi_texts names = {0};
    glia_status status = GLIA_OK;
    *out = false;
    for (size_t c = 0; c < n && params->n_known > 0 && !status; c++) {
        size_t code;
        status = gi_texts_add(&names, guesses[c].first, strlen(guesses[c].first), &code, error);
    }
    for (size_t i = 0; i < params->n_known && !*out && !status; i++) {
        const char *name = params->known[i].name;
        *out = gi_texts_find(&names, name, strlen(name)) != SIZE_MAX;
    }
    gi_texts_free(&names);
    return status;
}

/* Whether the first row is names, where nothing but the rows themselves says so. */
static bool find_header(const gi_table_params *params, const struct guess *guesses, size_t n,
                        size_t n_rows)
{
    bool stands_out = false, all_differ = true;
    if (params->ignores_unknown && knows_numbers_alone(params)) return false;
    for (size_t c = 0; c < n; c++) {
        const struct guess *guess = &guesses[c];
        if (guess->first_is_number) return false;
        if (guess->n_present > 0 && is_mostly_numbers(guess, false) && !guess->first_is_missing)
            stands_out = true;
        if (guess->first_is_missing || guess->first_recurs) all_differ = false;
    }
    return stands_out || all_differ || n_rows == 0;
}

/* ---- Names ---------------------------------------------------------------------------------- */

/* Steps from a name to another: letters put in, left out or replaced. */
static size_t distance(const char *a, const char *b)
{
    const size_t n = strlen(b);
    size_t row[NEAR_LENGTH + 1];
    if (n > NEAR_LENGTH) return SIZE_MAX;
    for (size_t j = 0; j <= n; j++) row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t before = row[0]; /* of the row above, to the left */
        row[0] = i + 1;
        for (size_t j = 0; j < n; j++) {
            const size_t above = row[j + 1];
            const size_t same = before + (a[i] != b[j]);
            const size_t step = (above < row[j] ? above : row[j]) + 1;
            row[j + 1] = same < step ? same : step;
            before = above;
        }
    }
    return row[n];
}

static glia_status fail_missing(const gi_csv_form *form, const char *name, glia_error *error)
{
    char shown[GI_CSV_SHOWN], list[400] = "", hint[2 * GI_CSV_SHOWN] = "";
    size_t used = 0, nearest = strlen(name) <= NEAR_LENGTH ? strlen(name) / 3 + 1 : 0;
    for (size_t c = 0; c < form->n_columns && used < sizeof list - GI_CSV_SHOWN - 32; c++) {
        gi_csv_show(form->columns[c].name, strlen(form->columns[c].name), shown);
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", c ? ", " : "", shown);
        if (c + 1 < form->n_columns && used >= sizeof list - GI_CSV_SHOWN - 32)
            snprintf(list + used, sizeof list - used, " and %zu more", form->n_columns - c - 1);
    }
    for (size_t c = 0; c < form->n_columns && c < NEAR_COLUMNS; c++) {
        const size_t steps = distance(name, form->columns[c].name);
        if (steps >= nearest) continue;
        nearest = steps;
        gi_csv_show(form->columns[c].name, strlen(form->columns[c].name), shown);
        snprintf(hint, sizeof hint, "; did you mean %s?", shown);
    }
    gi_csv_show(name, strlen(name), shown);
    return gi_fail(error, GLIA_BAD_FORMAT, "%s: found no column %s, expected one; there are %s%s",
                   form->path, shown, list, hint);
}

static glia_status name_column(gi_csv_form *form, size_t c, glia_error *error)
{
    form->columns[c].name = gi_format(error, "column %zu", c + 1);
    return form->columns[c].name ? GLIA_OK : GLIA_NO_MEMORY;
}

/* The names, from the first row or made. */
static glia_status make_names(gi_csv_form *form, struct guess *guesses, uint64_t line,
                              glia_error *error)
{
    for (size_t c = 0; c < form->n_columns; c++) {
        struct guess *guess = &guesses[c];
        if (!form->has_header || guess->n == 0) {
            const glia_status status = name_column(form, c, error);
            if (status) return status;
            continue;
        }
        const char *bad = gi_csv_find_bad_byte(guess->first, guess->n);
        char shown[GI_CSV_SHOWN];
        gi_csv_show(guess->first, guess->n, shown);
        if (bad)
            return gi_fail(error, GLIA_BAD_FORMAT,
                           "%s, line %" PRIu64
                           ": found %s in the name of column %zu (\"%s\"), expected UTF-8; convert "
                           "the file (iconv -f LATIN1 -t UTF-8, if it is Latin-1)",
                           form->path, line, *bad ? "bytes that are no UTF-8" : "a zero byte",
                           c + 1, shown);
        if (guess->n > GI_MAX_TEXT_BYTES)
            return gi_fail(error, GLIA_BAD_FORMAT,
                           "%s, line %" PRIu64 ": found a name of %zu bytes for column %zu "
                           "(\"%s\"), expected at most %d; is the first line a header, and are "
                           "cells separated by commas, semicolons, tabs, bars or blanks?",
                           form->path, line, guess->n, c + 1, shown, (int)GI_MAX_TEXT_BYTES);
        form->columns[c].name = guess->first;
        guess->first = NULL;
    }
    return GLIA_OK;
}

/* What is asked of columns by name, or by number; wanted (columns): asked for by this name. */
static glia_status apply_known(gi_csv_form *form, const gi_table_params *params,
                               const gi_texts *names, const size_t *first_of_name, bool *wanted,
                               glia_error *error)
{
    for (size_t i = 0; i < params->n_known; i++) {
        const gi_known_column *known = &params->known[i];
        const size_t code = gi_texts_find(names, known->name, strlen(known->name));
        uint64_t number = 0;
        size_t c = code == SIZE_MAX ? SIZE_MAX : first_of_name[code];
        if (c != SIZE_MAX) {
            wanted[c] = true;
        } else {
            if (!gi_parse_u64(number_in(known->name), &number) || number < 1 ||
                number > form->n_columns) {
                if (known->may_be_absent) continue;
                return fail_missing(form, known->name, error);
            }
            c = (size_t)number - 1;
        }
        form->columns[c].kind = known->kind;
        form->must_be_text[c] = known->kind == GI_CELL_TEXT;
    }
    return GLIA_OK;
}

static glia_status make_columns(gi_csv_form *form, const gi_table_params *params,
                                struct guess *guesses, uint64_t line, glia_error *error)
{
    const size_t n = form->n_columns;
    gi_texts names = {0};
    size_t *first_of_name = gi_alloc(n, sizeof *first_of_name, "names of columns", error);
    bool *wanted = gi_alloc(n, sizeof *wanted, "names of columns", error);
    bool *has_name = gi_alloc(n, sizeof *has_name, "names of columns", error);
    form->columns = gi_alloc(n, sizeof *form->columns, "columns", error);
    form->kinds = gi_alloc(n, sizeof *form->kinds, "columns", error);
    form->must_be_text = gi_alloc(n, sizeof *form->must_be_text, "columns", error);
    glia_status status = !first_of_name || !wanted || !has_name || !form->columns ||
                                 !form->must_be_text || !form->kinds
                             ? GLIA_NO_MEMORY
                             : GLIA_OK;
    if (status) goto cleanup;
    for (size_t c = 0; c < n; c++) {
        has_name[c] = !form->has_header || guesses[c].n > 0;
        form->columns[c].kind = params->ignores_unknown ? GI_CELL_IGNORED
                                : is_mostly_numbers(&guesses[c], !form->has_header) ? GI_CELL_NUMBER
                                                                                    : GI_CELL_TEXT;
    }
    status = make_names(form, guesses, line, error);
    for (size_t c = 0; c < n && !status; c++) {
        const char *name = form->columns[c].name;
        size_t code;
        const size_t before = names.n;
        status = gi_texts_add(&names, name, strlen(name), &code, error);
        if (!status && names.n > before) first_of_name[code] = c;
    }
    if (!status) status = apply_known(form, params, &names, first_of_name, wanted, error);
    for (size_t c = 0; c < n && !status; c++) {
        if (!has_name[c] && form->columns[c].kind != GI_CELL_IGNORED) {
            status =
                gi_fail(error, GLIA_BAD_FORMAT,
                        "%s, line %" PRIu64 ": found no name for column %zu, expected one (row "
                        "numbers of a data frame?); name it, or leave it out with --drop %zu",
                        form->path, line, c + 1, c + 1);
            break;
        }
        const struct guess *guess = &guesses[c];
        if (form->columns[c].kind == GI_CELL_TEXT && !form->must_be_text[c] &&
            10 * (guess->n_commas + guess->n_numbers) >= 9 * guess->n_present) {
            char shown[GI_CSV_SHOWN];
            gi_csv_show(form->columns[c].name, strlen(form->columns[c].name), shown);
            status =
                gi_fail(error, GLIA_BAD_FORMAT,
                        "%s: column %s: found numbers with a decimal comma, expected a decimal "
                        "point; write the table with points, or take the column as categories "
                        "with --categorical %s, or leave it out with --drop %s",
                        form->path, shown, shown, shown);
            break;
        }
        const char *name = form->columns[c].name;
        const size_t first = first_of_name[gi_texts_find(&names, name, strlen(name))];
        if (first == c) continue;
        /* Of two columns of one name, one that is left out anyway loses it. */
        const bool drops_this = form->columns[c].kind == GI_CELL_IGNORED && !wanted[first];
        const bool drops_first = form->columns[first].kind == GI_CELL_IGNORED && !wanted[first];
        if (!drops_this && !drops_first) {
            char shown[GI_CSV_SHOWN];
            gi_csv_show(name, strlen(name), shown);
            status =
                gi_fail(error, GLIA_BAD_FORMAT,
                        "%s, line %" PRIu64 ": found two columns of the name %s (%zu and %zu), "
                        "expected different names; rename one, or leave it out with --drop %zu",
                        form->path, line, shown, first + 1, c + 1, c + 1);
            break;
        }
        const size_t dropped = drops_this ? c : first;
        if (drops_first && !drops_this)
            first_of_name[gi_texts_find(&names, name, strlen(name))] = c;
        gi_free(form->columns[dropped].name);
        form->columns[dropped].name = NULL;
        status = name_column(form, dropped, error);
    }
    for (size_t c = 0; c < n; c++)
        form->kinds[c] = form->columns[c].kind == GI_CELL_NUMBER ? GI_CSV_NUMBER
                         : form->columns[c].kind == GI_CELL_TEXT ? GI_CSV_TEXT
                                                                 : GI_CSV_DROPPED;
cleanup:
    gi_texts_free(&names);
    gi_free(first_of_name);
    gi_free(wanted);
    gi_free(has_name);
    return status;
}

/* ---- The whole ------------------------------------------------------------------------------ */

static const char *separator_name(char separator)
{
    switch (separator) {
    case ',':
        return "comma-separated";
    case ';':
        return "semicolon-separated";
    case '\t':
        return "tab-separated";
    case '|':
        return "bar-separated";
    default:
        return "blank-separated";
    }
}

void gi_csv_form_free(gi_csv_form *form)
{
    for (size_t c = 0; form->columns && c < form->n_columns; c++) gi_free(form->columns[c].name);
    gi_free(form->columns);
    gi_free(form->kinds);
    gi_free(form->must_be_text);
    *form = (gi_csv_form){0};
}

glia_status gi_csv_find_form(const char *path, const char *head, size_t n, bool is_whole,
                             const gi_table_params *params, gi_csv_form *form, glia_error *error)
{
    *form = (gi_csv_form){.path = path, .skips_bad_rows = params->skips_bad_rows};
    glia_status status = refuse_foreign(path, head, n, error);
    if (status) return status;
    const size_t mark = n >= 3 && memcmp(head, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    const char *const text = head + mark, *const end = head + n;
    if (text == end) return gi_fail(error, GLIA_BAD_FORMAT, "%s: is empty, expected a table", path);
    gi_csv_dialect *dialect = &form->dialect;
    const size_t n_text = (size_t)(end - text);
    const char *mac_end = memchr(text, '\n', n_text) ? NULL : memchr(text, '\r', n_text);
    if (mac_end && mac_end + 1 == end && !is_whole) return GLIA_OK; /* a line feed may follow */
    dialect->line_end = mac_end ? '\r' : '\n';
    dialect->separator = params->separator ? params->separator
                                           : find_separator(text, end, is_whole, dialect->line_end);

    struct guess *guesses = NULL;
    char *scratch = NULL;
    struct rows rows = {.dialect = dialect, .p = text, .end = end, .is_whole = is_whole, .line = 1};
    const char *begin, *row_end;
    uint64_t line;
    if (!next_row(&rows, &begin, &row_end, &line)) {
        if (!is_whole && n <= GI_MAX_ROW_BYTES) return GLIA_OK; /* n_columns is 0 */
        const gi_csv_problem problem = {.fault = rows.open && is_whole ? GI_CSV_OPEN_QUOTE
                                                                       : GI_CSV_LONG_ROW};
        if (rows.open || !is_whole) return gi_csv_report(form, &problem, rows.line, error);
        return gi_fail(error, GLIA_BAD_FORMAT, "%s: found blank lines alone, expected a table",
                       path);
    }
    snprintf(form->first_line, sizeof form->first_line, "%" PRIu64, line);
    gi_csv_cell cell;
    const char *at = begin;
    while (next_cell(dialect, &at, row_end, &cell)) form->n_columns++;
    if (form->n_columns > GI_MAX_COLUMNS) {
        const size_t found = form->n_columns;
        form->n_columns = 0;
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s, line %" PRIu64 ": found %zu cells, expected at most %d columns", path,
                       line, found, (int)GI_MAX_COLUMNS);
    }
    guesses = gi_alloc(form->n_columns, sizeof *guesses, "columns", error);
    scratch = gi_alloc_unset(n_text, 1, "columns", error);
    status = guesses && scratch ? read_first(form, begin, row_end, line, guesses, scratch, error)
                                : GLIA_NO_MEMORY;
    if (status) goto cleanup;
    struct rows others = rows;
    form->n_rows = read_others(form, &others, guesses, scratch);
    form->has_header = params->header > 0;
    if (params->header < 0) {
        status = has_known_name(params, guesses, form->n_columns, &form->has_header, error);
        if (status) goto cleanup;
        if (!form->has_header)
            form->has_header = find_header(params, guesses, form->n_columns, form->n_rows);
    }
    form->n_rows += !form->has_header;
    form->begin = (size_t)((form->has_header ? row_end : begin) - head);
    form->line = form->has_header ? rows.line : line;
    status = make_columns(form, params, guesses, line, error);
    snprintf(form->how, sizeof form->how, "%s, %s", separator_name(dialect->separator),
             form->has_header ? "first line is a header" : "no header");
cleanup:
    for (size_t c = 0; guesses && c < form->n_columns; c++) gi_free(guesses[c].first);
    gi_free(guesses);
    gi_free(scratch);
    return status;
}

glia_status gi_csv_form_of(gi_csv_source *source, bool is_hasty, const gi_table_params *params,
                           gi_csv_form *form, glia_error *error)
{
    for (size_t n = GI_CSV_HEAD_BYTES;; n *= n <= source->n_tail ? 2 : 1) {
        glia_status status = gi_csv_source_fill(source, n, is_hasty, error);
        if (status) return status;
        const bool is_whole = source->has_ended;
        status = gi_csv_find_form(source->path, source->tail, source->n_tail, is_whole, params,
                                  form, error);
        if (status) return status;
        const bool suffices = form->n_columns && (is_hasty || form->n_rows);
        if (suffices || is_whole || source->n_tail > GI_MAX_ROW_BYTES) break;
        gi_csv_form_free(form);
    }
    source->tail += form->begin;
    source->n_tail -= form->begin;
    source->tail_byte += form->begin;
    return GLIA_OK;
}
