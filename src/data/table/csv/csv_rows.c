/* SPDX-License-Identifier: MIT */
/*
 * A block of rows becomes cells. Numbers are read where they stand, eight digits at a time; texts
 * become codes of the thread's dictionaries, which hold the codes of the table where they are
 * known.
 *
 * Invariants: the block ends with a line end, and every quote that opens in it is closed in it;
 * what a row at fault has added (texts, cells, missing ones) is taken back.
 */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/number.h"
#include "data/table/csv/csv_parts.h"

void gi_csv_lot_free(gi_csv_lot *lot)
{
    gi_free(lot->cells);
    gi_free(lot->marks);
    gi_free(lot->new_texts);
    gi_free(lot->open_cells);
    *lot = (gi_csv_lot){0};
}

glia_status gi_csv_parser_make(const gi_csv_form *form, gi_csv_parser *parser, glia_error *error)
{
    const size_t n = form->n_columns;
    *parser = (gi_csv_parser){
        .form = form,
        .kinds = gi_alloc(n, sizeof *parser->kinds, "reading a table", error),
        .dictionaries = gi_alloc(n, sizeof *parser->dictionaries, "reading a table", error),
        .n_missing = gi_alloc(n, sizeof *parser->n_missing, "reading a table", error),
        .missing_words = gi_alloc(n, sizeof *parser->missing_words, "reading a table", error)};
    if (!parser->kinds || !parser->dictionaries || !parser->n_missing || !parser->missing_words)
        return GLIA_NO_MEMORY;
    memcpy(parser->kinds, form->kinds, n * sizeof *parser->kinds);
    return GLIA_OK;
}

void gi_csv_parser_free(gi_csv_parser *parser)
{
    for (size_t c = 0; parser->dictionaries && c < parser->form->n_columns; c++) {
        gi_texts_free(&parser->dictionaries[c].texts);
        gi_free(parser->dictionaries[c].codes);
    }
    gi_free(parser->kinds);
    gi_free(parser->dictionaries);
    gi_free(parser->n_missing);
    gi_free(parser->missing_words);
    gi_free(parser->scratch);
    *parser = (gi_csv_parser){0};
}

void gi_csv_count_missing(const gi_csv_parser *parser, size_t column, gi_column *to)
{
    to->has_missing |= parser->n_missing[column] > 0;
    to->missing_words |= parser->missing_words[column];
}

/* ---- Numbers where they stand --------------------------------------------------------------- */

static uint64_t load_8(const char *p)
{
    uint64_t word;
    memcpy(&word, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* The lowest bit that is set is in the first byte that is no digit; 0: all eight are digits. */
static uint64_t no_digits(uint64_t word)
{
    return ((word + UINT64_C(0x4646464646464646)) | (word - UINT64_C(0x3030303030303030))) &
           UINT64_C(0x8080808080808080);
}

/* The value of eight digits, by pairs, by fours, by eights. */
static uint64_t eight_digits(uint64_t word)
{
    word -= UINT64_C(0x3030303030303030);
    word = word * 10 + (word >> 8);
    return ((word & UINT64_C(0x000000FF000000FF)) * UINT64_C(0x000F424000000064) +
            (word >> 16 & UINT64_C(0x000000FF000000FF)) * UINT64_C(0x0000271000000001)) >>
           32;
}

static const uint64_t powers_of_ten[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};

/* The powers of ten that are doubles. */
static const double exact_powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                      1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                      1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* The digits from p on are appended to *value, modulo 2^64; returns the first that is none. */
static inline __attribute__((always_inline)) const char *read_digits(const char *p, uint64_t *value)
{
    for (;; p += 8) {
        const uint64_t word = load_8(p), rest = no_digits(word);
        if (rest) {
            const unsigned n = (unsigned)__builtin_ctzll(rest) / 8;
            /* as eight, with zeros in front: without a branch, for n cannot be foreseen */
            const uint64_t zeros = UINT64_C(0x3030303030303030) >> 8 * n;
            const uint64_t padded = word << 1 << (63 - 8 * n) | zeros;
            *value = *value * powers_of_ten[n] + eight_digits(padded);
            return p + n;
        }
        *value = *value * 100000000 + eight_digits(word);
    }
}

/*
 * A plain decimal number at p; returns what stands after it. NULL: it is none, or one that needs a
 * closer look: with more than 19 digits, with a plus, too large.
 */
static const char *read_number(const char *p, double *out)
{
    enum { MOST = 19, EXACT_DIGITS = 15 };
    const uint64_t negative = *p == '-';
    p += negative;
    uint64_t digits = 0;
    const char *const first = p;
    p = read_digits(p, &digits);
    ptrdiff_t n_digits = p - first;
    int64_t exponent = 0;
    if (*p == '.') {
        const char *const fraction = p + 1;
        p = read_digits(fraction, &digits);
        exponent = fraction - p;
        n_digits -= exponent;
    }
    if (n_digits == 0) return NULL;
    if (n_digits > MOST) {
        /* zeros in front do not count */
        for (const char *q = first; *q == '0' || *q == '.'; q++) n_digits -= *q == '0';
        if (n_digits > MOST) return NULL;
    }
    if ((*p | 0x20) == 'e') {
        p++;
        const bool down = *p == '-';
        p += *p == '-' || *p == '+';
        const char *const begin = p;
        uint64_t power = 0;
        p = read_digits(p, &power);
        if (p == begin || p - begin > 8) return NULL;
        exponent += down ? -(int64_t)power : (int64_t)power;
    }
    double value;
    if (exponent <= 0 && exponent >= -22 && n_digits <= EXACT_DIGITS)
        value = (double)digits / exact_powers[-exponent]; /* one rounding: both are exact */
    else
        gi_round_decimal(digits, exponent, false, &value);
    if (isinf(value)) return NULL;
    *out = negative ? -value : value;
    return p;
}

/* ---- Cells ---------------------------------------------------------------------------------- */

/* A row on its way. */
struct row {
    gi_csv_parser *parser;
    gi_csv_lot *lot;
    double *x; /* (columns) */
    size_t column;
    size_t n_new_texts, n_open_cells; /* of the lot before this row */
    uint64_t n_breaks;                /* line ends within quotes */
    gi_csv_fault fault;
    const char *at;     /* where it is, */
    const char *shown;  /* and what is shown of it, */
    size_t n_shown;     /* so long */
    glia_status status; /* NO_MEMORY */
    glia_error *error;
};

static double fail_cell(struct row *row, gi_csv_fault fault, const char *at, const char *text,
                        size_t n)
{
    row->fault = fault;
    row->at = at;
    row->shown = text;
    row->n_shown = n;
    return NAN;
}

static double missing(struct row *row)
{
    row->parser->n_missing[row->column]++;
    return NAN;
}

/* Notes a text that is too much for its column. */
static double lose(struct row *row, gi_csv_fault fault)
{
    gi_csv_lot *lot = row->lot;
    row->status = gi_table_grow((void **)&lot->new_texts, &lot->new_texts_room,
                                lot->n_new_texts + 1, sizeof *lot->new_texts, row->error);
    if (row->status) return NAN;
    lot->new_texts[lot->n_new_texts++] = (gi_csv_new_text){
        .column = (uint32_t)row->column, .code = GI_CSV_NO_CODE, .row = lot->rows, .fault = fault};
    return missing(row); /* as gi_csv_parse_rows takes it back with the others */
}

/* Adds a text that the dictionary has got just now to what the table has to learn. */
static void announce(struct row *row, size_t code)
{
    gi_csv_lot *lot = row->lot;
    gi_csv_dictionary *dictionary = &row->parser->dictionaries[row->column];
    row->status = gi_table_grow((void **)&dictionary->codes, &dictionary->room,
                                dictionary->texts.room, sizeof *dictionary->codes, row->error);
    if (!row->status)
        row->status = gi_table_grow((void **)&lot->new_texts, &lot->new_texts_room,
                                    lot->n_new_texts + 1, sizeof *lot->new_texts, row->error);
    if (row->status) return;
    dictionary->codes[code] = GI_CSV_NO_CODE;
    lot->new_texts[lot->n_new_texts++] = (gi_csv_new_text){
        .column = (uint32_t)row->column, .code = (uint32_t)code, .row = lot->rows};
}

/* The cell of a text. */
static double code_of(struct row *row, const char *text, size_t n, const char *where)
{
    gi_csv_parser *parser = row->parser;
    if (gi_csv_missing(&parser->form->missing, text, n, &parser->missing_words[row->column]) ==
        GI_CSV_MISSING)
        return missing(row);
    gi_csv_dictionary *dictionary = &parser->dictionaries[row->column];
    const bool is_lost = parser->kinds[row->column] == GI_CSV_LOST;
    size_t code = SIZE_MAX;
    bool is_new = true;
    if (!is_lost && n <= GI_MAX_TEXT_BYTES) {
        const size_t known = dictionary->texts.n;
        row->status = gi_texts_add(&dictionary->texts, text, n, &code, row->error);
        if (row->status) return NAN;
        is_new = code == SIZE_MAX || dictionary->texts.n > known;
    }
    if (is_new) {
        const char *bad = gi_text_find_bad_byte(text, n);
        if (bad) {
            if (code != SIZE_MAX) gi_texts_pop(&dictionary->texts);
            return fail_cell(row, *bad ? GI_CSV_NOT_UTF8 : GI_CSV_NUL, where + (bad - text), text,
                             n);
        }
        if (is_lost) return NAN;
        if (code == SIZE_MAX)
            return lose(row, n > GI_MAX_TEXT_BYTES ? GI_CSV_LONG_TEXT : GI_CSV_TOO_MANY_TEXTS);
        announce(row, code);
        if (row->status) {
            gi_texts_pop(&dictionary->texts);
            return NAN;
        }
    }
    if (dictionary->codes[code] != GI_CSV_NO_CODE) return dictionary->codes[code];
    gi_csv_lot *lot = row->lot;
    row->status = gi_table_grow((void **)&lot->open_cells, &lot->open_cells_room,
                                lot->n_open_cells + 1, sizeof *lot->open_cells, row->error);
    if (row->status) return NAN;
    lot->open_cells[lot->n_open_cells++] =
        (gi_csv_open_cell){.cell = (size_t)(row->x - lot->cells) + row->column,
                           .column = (uint32_t)row->column,
                           .code = (uint32_t)code};
    return 0;
}

/* Whether a number stands for what is missing: -999. */
static bool is_missing_value(const gi_csv_form *form, double value)
{
    for (size_t i = 0; i < form->n_missing_values; i++)
        if (value == form->missing_values[i]) return true;
    return false;
}

static double number_of(struct row *row, const char *text, size_t n, const char *where)
{
    const gi_csv_form *form = row->parser->form;
    double value;
    if (gi_csv_missing(&form->missing, text, n, &row->parser->missing_words[row->column]))
        return missing(row);
    if (!gi_csv_number(form->columns[row->column].form, text, n, &value)) {
        const int boolean =
            form->takes_booleans[row->column] ? gi_parse_boolean(text, text + n) : -1;
        if (boolean >= 0) return boolean;
        const char *nul = memchr(text, 0, n);
        return nul ? fail_cell(row, GI_CSV_NUL, where + (nul - text), text, n)
                   : fail_cell(row, GI_CSV_NOT_NUMBER, where, text, n);
    }
    if (isinf(value)) return fail_cell(row, GI_CSV_TOO_LARGE, where, text, n);
    return is_missing_value(form, value) ? missing(row) : value;
}

static uint64_t count_line_ends(const gi_csv_dialect *dialect, const char *p, const char *end)
{
    uint64_t n = 0;
    for (; p < end; p++) n += *p == dialect->line_end;
    return n;
}

/* Any cell, at p; returns where it ends. */
static const char *read_cell(struct row *row, const char *p, const char *end)
{
    gi_csv_parser *parser = row->parser;
    gi_csv_cell cell;
    const char *next = gi_csv_next_cell(&parser->form->dialect, p, end, &cell);
    if (cell.quoted) row->n_breaks += count_line_ends(&parser->form->dialect, cell.begin, cell.end);
    double *x = &row->x[row->column];
    const uint8_t kind = parser->kinds[row->column];
    if (cell.fault) {
        *x = fail_cell(row, cell.fault, cell.at, cell.at, (size_t)(next - cell.at));
        return next;
    }
    if (kind == GI_CSV_DROPPED) {
        *x = NAN;
        return next;
    }
    const char *text = cell.begin;
    size_t n = (size_t)(cell.end - cell.begin);
    if (cell.doubled) {
        row->status =
            gi_table_grow((void **)&parser->scratch, &parser->scratch_room, n, 1, row->error);
        if (row->status) return next;
        n = gi_csv_unquote(&parser->form->dialect, &cell, parser->scratch);
        text = parser->scratch;
    }
    *x = kind <= GI_CSV_FORMED ? number_of(row, text, n, cell.begin)
                               : code_of(row, text, n, cell.begin);
    return next;
}

/*
 * The end of a text at p that is neither quoted nor has blanks around it, which is a separator or
 * the line end: NULL if it takes a closer look.
 */
static const char *plain_text_end(const char *p, char separator, char line_end)
{
    if (*p == '"' || *p == ' ' || *p == '\t' || *p == '\r' || separator == ' ') return NULL;
    const char *const begin = p;
    while (*p != separator && *p != line_end) {
        if (*p == '"') return NULL;
        p++;
    }
    if (p == begin) return p;
    const char last = p[-1];
    return last == ' ' || last == '\t' || last == '\r' || last == '\n' ? NULL : p;
}

/* ---- Rows ----------------------------------------------------------------------------------- */

/* Takes back what the row at fault has left behind. */
static void take_back(struct row *row)
{
    gi_csv_parser *parser = row->parser;
    gi_csv_lot *lot = row->lot;
    for (size_t c = 0; c < row->column && c < parser->form->n_columns; c++)
        if (parser->kinds[c] <= GI_CSV_TEXT && isnan(row->x[c])) parser->n_missing[c]--;
    while (lot->n_new_texts > row->n_new_texts) {
        const gi_csv_new_text *last = &lot->new_texts[--lot->n_new_texts];
        if (last->code != GI_CSV_NO_CODE) gi_texts_pop(&parser->dictionaries[last->column].texts);
    }
    lot->n_open_cells = row->n_open_cells;
}

/* Columns that the row has shown to have too many texts, or too long ones, are not kept any more.
 */
static void give_up_lost(struct row *row)
{
    for (size_t i = row->n_new_texts; i < row->lot->n_new_texts; i++) {
        const gi_csv_new_text *text = &row->lot->new_texts[i];
        if (text->code == GI_CSV_NO_CODE) row->parser->kinds[text->column] = GI_CSV_LOST;
    }
}

static size_t count_cells(const gi_csv_dialect *dialect, const char *p, const char *end)
{
    for (size_t n = 1;; n++) {
        gi_csv_cell cell;
        p = gi_csv_next_cell(dialect, p, end, &cell);
        if (p == end || *p == dialect->line_end) return n;
        p++;
    }
}

/* Reads the cells of a row from p on; returns its line end. */
static const char *read_row(struct row *row, const char *p, const char *end)
{
    const gi_csv_parser *parser = row->parser;
    const gi_csv_dialect *dialect = &parser->form->dialect;
    const char separator = dialect->separator, line_end = dialect->line_end;
    const size_t n_columns = parser->form->n_columns;
    const bool has_missing_values = parser->form->n_missing_values > 0;
    for (;;) {
        const uint8_t kind = parser->kinds[row->column];
        const char *next = NULL;
        if (kind == GI_CSV_NUMBER) {
            double value;
            next = read_number(p, &value);
            if (next && *next == '\r') next += next[1] == '\n';
            if (next && (*next == line_end || (*next == separator && separator != ' ')) &&
                !(has_missing_values && is_missing_value(parser->form, value)))
                row->x[row->column] = value;
            else
                next = NULL;
        } else if (kind == GI_CSV_TEXT) {
            next = plain_text_end(p, separator, line_end);
            if (next) row->x[row->column] = code_of(row, p, (size_t)(next - p), p);
        }
        if (!next) next = read_cell(row, p, end);
        if (row->fault || row->status) return next;
        row->column++;
        if (*next == line_end) return next;
        p = next + 1;
        if (row->column == n_columns) {
            row->column++; /* one too many */
            return next;
        }
    }
}

static void begin_lot(gi_csv_lot *lot, size_t bytes)
{
    lot->rows = lot->n_marks = lot->n_new_texts = lot->n_open_cells = 0;
    lot->skipped = 0;
    lot->lines = 0;
    lot->bytes = bytes;
    lot->problem = (gi_csv_problem){0};
}

glia_status gi_csv_parse_rows(gi_csv_parser *parser, const char *begin, const char *end,
                              uint64_t first_byte, gi_csv_lot *lot, glia_error *error)
{
    const gi_csv_form *form = parser->form;
    const gi_csv_dialect *dialect = &form->dialect;
    const size_t n_columns = form->n_columns;
    begin_lot(lot, (size_t)(end - begin));
    uint64_t shift = UINT64_MAX; /* lines - rows, at the last mark */
    for (const char *p = begin; p < end;) {
        const char *const row_begin = p;
        /* A blank line, which in a table of one column is a cell without a value. */
        if (gi_csv_is_blank_row(dialect, &p, end) && (n_columns > 1 || p > row_begin)) {
            lot->lines++;
            p++;
            continue;
        }
        glia_status status = gi_table_grow((void **)&lot->cells, &lot->cells_room,
                                           (lot->rows + 1) * n_columns, sizeof *lot->cells, error);
        if (status) return status;
        struct row row = {.parser = parser,
                          .lot = lot,
                          .x = lot->cells + lot->rows * n_columns,
                          .n_new_texts = lot->n_new_texts,
                          .n_open_cells = lot->n_open_cells,
                          .error = error};
        const char *row_end = read_row(&row, p, end) + 1;
        if (row.status) return row.status;
        if (row.fault || row.column != n_columns || row_end - row_begin > GI_MAX_ROW_BYTES) {
            take_back(&row);
            const char *open;
            row_end = gi_csv_row_end(dialect, row_begin, end, &open);
            const bool is_long = row_end - row_begin > GI_MAX_ROW_BYTES;
            const bool is_comment = *p == '#' || *p == '%';
            if ((form->skips_bad_rows || is_comment) && !is_long) {
                lot->skipped += !is_comment;
                lot->lines += count_line_ends(dialect, row_begin, row_end);
                p = row_end;
                continue;
            }
            gi_csv_problem *problem = &lot->problem;
            *problem = (gi_csv_problem){.fault = row.fault,
                                        .row = lot->rows,
                                        .line = lot->lines,
                                        .column = row.column,
                                        .n_cells = count_cells(dialect, row_begin, row_end)};
            if (is_long)
                problem->fault = GI_CSV_LONG_ROW;
            else if (problem->n_cells != n_columns)
                problem->fault = GI_CSV_RAGGED;
            if (row.at) {
                problem->byte = first_byte + (uint64_t)(row.at - begin);
                gi_text_show(row.shown, row.n_shown, problem->shown);
            }
            return GLIA_OK;
        }
        give_up_lost(&row);
        if (lot->lines - lot->rows != shift) {
            status = gi_table_grow((void **)&lot->marks, &lot->marks_room, lot->n_marks + 1,
                                   sizeof *lot->marks, error);
            if (status) return status;
            lot->marks[lot->n_marks++] = (gi_line_mark){lot->rows, lot->lines};
            shift = lot->lines - lot->rows;
        }
        lot->rows++;
        lot->lines += 1 + row.n_breaks;
        p = row_end;
    }
    return GLIA_OK;
}

void gi_csv_set_problem(const gi_csv_form *form, const gi_csv_block *block, gi_csv_lot *lot)
{
    begin_lot(lot, block->n);
    lot->problem.fault = block->is_long ? GI_CSV_LONG_ROW : GI_CSV_OPEN_QUOTE;
    if (block->is_long) return;
    const char *end = block->bytes + block->n;
    lot->problem.line = count_line_ends(&form->dialect, block->bytes, block->open);
    gi_text_show(block->open, (size_t)(end - block->open), lot->problem.shown);
}
