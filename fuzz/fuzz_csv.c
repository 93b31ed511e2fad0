/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: separated values. The first byte says what is known of them, the text follows. One
 * thread with large blocks, and one or three with small ones, must agree on the table, or on the
 * failure.
 */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "data/table/csv/csv_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Looks at all of a table. */
static void check_table(const gi_table *table)
{
    if (table->n_columns == 0 || table->n_columns > GI_MAX_COLUMNS) __builtin_trap();
    uint64_t line = 0;
    for (size_t row = 0; row < table->rows; row++) {
        const uint64_t next = gi_table_line(table, row);
        if (next <= line) __builtin_trap();
        line = next;
        for (size_t c = 0; c < table->n_columns; c++) {
            const double x = table->cells[row * table->n_columns + c];
            const gi_column *column = &table->columns[c];
            if (isinf(x) || (column->kind == GI_CELL_IGNORED && !isnan(x))) __builtin_trap();
            if (isnan(x) && column->kind != GI_CELL_IGNORED && !column->has_missing)
                __builtin_trap();
            if (column->kind == GI_CELL_TEXT && !isnan(x) &&
                (x < 0 || x >= (double)column->texts.n || x != floor(x)))
                __builtin_trap();
        }
    }
    for (size_t c = 0; c < table->n_columns; c++)
        for (size_t t = 0; t < table->columns[c].texts.n; t++) {
            const char *text = table->columns[c].texts.text[t];
            if (gi_text_find_bad_byte(text, strlen(text)) || strlen(text) > GI_MAX_TEXT_BYTES ||
                gi_texts_find(&table->columns[c].texts, text, strlen(text)) != t)
                __builtin_trap();
        }
}

static void compare(const gi_table *a, const gi_table *b)
{
    if (a->rows != b->rows || a->n_columns != b->n_columns || a->skipped != b->skipped ||
        a->n_marks != b->n_marks || strcmp(a->how, b->how) != 0)
        __builtin_trap();
    if (memcmp(a->cells, b->cells, a->rows * a->n_columns * sizeof *a->cells) != 0 ||
        memcmp(a->marks, b->marks, a->n_marks * sizeof *a->marks) != 0)
        __builtin_trap();
    for (size_t c = 0; c < a->n_columns; c++) {
        const gi_column *left = &a->columns[c], *right = &b->columns[c];
        if (left->kind != right->kind || left->has_missing != right->has_missing ||
            strcmp(left->name, right->name) != 0 || left->texts.n != right->texts.n)
            __builtin_trap();
        for (size_t t = 0; t < left->texts.n; t++)
            if (strcmp(left->texts.text[t], right->texts.text[t]) != 0) __builtin_trap();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char separators[] = {0, ',', ';', '\t', ' ', '|', 0, 0};
    static const gi_known_column known[] = {{"1", GI_CELL_TEXT, false, {0}},
                                            {"b", GI_CELL_NUMBER, false, {0}}};
    if (size == 0) return 0;
    gi_table_params params = gi_table_default_params();
    params.separator = separators[data[0] & 7];
    params.header = (data[0] >> 3 & 3) - 1;
    if (params.header > 1) params.header = -1;
    params.skips_bad_rows = data[0] >> 5 & 1;
    params.known = known;
    params.n_known = data[0] >> 6 & 1 ? 1 + (data[0] >> 7) : 0;
    params.threads = 1;
    /* How numbers and missing values are written is told by the length of the text. */
    static char *words[] = {"x", "-1"};
    if (size % 5 == 1) params.form = (gi_number_form){',', size % 2 ? '.' : 0};
    if (size % 7 == 1) params.missing = (gi_missing_words){words, 2, size % 2};

    gi_table *whole = NULL, *pieces = NULL;
    glia_error error = {0}, other = {0};
    const glia_status status = gi_csv_parse("input", data + 1, size - 1, &params, &whole, &error);
    const size_t block = 1 + size % 61;
    params.threads = size % 8 ? 1 : 3; /* starting threads takes longer than all else */
    if (gi_csv_parse_blocks("input", data + 1, size - 1, &params, block, &pieces, &other) != status)
        __builtin_trap();
    if (status) {
        if (strcmp(error.message, other.message) != 0) __builtin_trap();
    } else {
        check_table(whole);
        compare(whole, pieces);
    }
    gi_table_free(whole);
    gi_table_free(pieces);
    return 0;
}
