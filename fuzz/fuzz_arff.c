/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: ARFF. The first byte says whether malformed rows are skipped; every cell of a table
 * that was read must be missing, a number, or the code of a text that is there.
 */
#include <math.h>
#include <string.h>

#include "data/files/arff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_CELLS = 1 << 22 }; /* a few bytes are a sparse row of all columns */

static size_t count(const uint8_t *data, size_t size, char c)
{
    size_t n = 0;
    for (size_t i = 0; i < size; i++) n += data[i] == (uint8_t)c;
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gi_table_params params = gi_table_default_params();
    gi_table *table = NULL;
    glia_error error;
    if (size == 0) return 0;
    const size_t rows = count(data, size, '\n') + count(data, size, '\r') + 1;
    if (rows * (count(data, size, '@') + 1) > MOST_CELLS) return 0;
    gi_arff_is(data + 1, size - 1);
    params.skips_bad_rows = data[0] & 1;
    if (gi_arff_parse("input", data + 1, size - 1, &params, &table, &error)) return 0;
    for (size_t i = 0; i < table->rows * table->n_columns; i++) {
        const gi_column *column = &table->columns[i % table->n_columns];
        const double cell = table->cells[i];
        if (isnan(cell)) continue;
        if (isinf(cell) || column->kind == GI_CELL_IGNORED) __builtin_trap();
        if (column->kind == GI_CELL_TEXT && !(cell >= 0 && cell < (double)column->texts.n))
            __builtin_trap();
    }
    for (size_t row = 0; row < table->rows; row++)
        if (gi_table_line(table, row) == 0) __builtin_trap();
    gi_table_free(table);
    return 0;
}
