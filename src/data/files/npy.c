/* SPDX-License-Identifier: MIT */
/*
 * NumPy's arrays as data sets: a table of numbers, or, of bytes with a label each, samples whose
 * pixels stay where they are.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/files/npy.h"
#include "data/files/npy_parts.h"
#include "data/set/dataset.h"
#include "data/table/table.h"
#include "image/image.h"

/* ---- As bytes with labels ------------------------------------------------------------------ */

/* Height, width and channels, if the dimensions are those of images. */
static bool are_images(const gi_array *x, size_t *height, size_t *width, size_t *channels)
{
    const size_t *dims = x->dims;
    *height = dims[1];
    *width = dims[2];
    *channels = 1;
    if (x->n_dims == 3) return true;
    if (x->n_dims != 4) return false;
    *channels = dims[3];
    if (dims[3] == 1 || dims[3] == 3) return true;
    *height = dims[2]; /* (n, 1, height, width) */
    *width = dims[3];
    *channels = 1;
    return dims[1] == 1;
}

/* Elements of rows that follow each other, in a block of their own. */
static uint8_t *reordered(const gi_array *x, glia_error *error)
{
    uint8_t *rows = gi_alloc_unset(x->rows, x->columns, x->where, error);
    for (size_t c = 0; rows && c < x->columns; c++) {
        size_t stride;
        const uint8_t *from = x->elements + gi_array_column_begin(x, c, &stride);
        for (size_t i = 0; i < x->rows; i++) rows[i * x->columns + c] = from[i * stride];
    }
    return rows;
}

glia_status gi_npy_parse_bytes(const char *path, const char *name, const uint8_t *bytes,
                               size_t n_bytes, glia_split split, glia_dataset **out,
                               glia_error *error)
{
    gi_arrays arrays;
    glia_dataset *dataset = NULL;
    glia_status status = gi_arrays_read(path, bytes, n_bytes, split, &arrays, error);
    if (status) return status;
    gi_array *x = &arrays.x;
    gi_npy_labels labels = {0};
    size_t height, width, channels;
    bool fits = x->kind == 'u' && x->size == 1 && x->n_dims > 1 && arrays.has_y;
    *out = NULL;
    if (fits) status = gi_npy_find_labels(&arrays, &labels, &fits, error);
    if (status || !fits) goto cleanup;
    status = gi_dataset_new(name, GLIA_TYPE_U8, x->rows, x->columns, labels.n,
                            (const char *const *)labels.names, &dataset, error);
    if (status) goto cleanup;
    if (x->fortran) {
        uint8_t *rows = reordered(x, error);
        gi_free(x->owned);
        x->owned = rows;
        if (!rows) {
            status = GLIA_NO_MEMORY;
            goto cleanup;
        }
        x->elements = rows;
    }
    if (arrays.note[0]) {
        dataset->notes = gi_strdup(arrays.note, error);
        if (!dataset->notes) {
            status = GLIA_NO_MEMORY;
            goto cleanup;
        }
    }
    dataset->labels = dataset->owned_labels = labels.labels;
    labels.labels = NULL;
    dataset->x = x->elements;
    dataset->owned_x = x->owned;
    x->owned = NULL;
    if (are_images(x, &height, &width, &channels)) {
        dataset->height = height;
        dataset->width = width;
        dataset->channels = channels;
        dataset->form = gi_image_form_of(dataset->x, x->rows, height, width, channels);
    }
    *out = dataset;
    dataset = NULL;
cleanup:
    glia_dataset_free(dataset);
    gi_npy_labels_free(&labels);
    gi_arrays_free(&arrays);
    return status;
}

glia_status gi_npy_open(const char *path, const char *name, glia_split split, glia_dataset **out,
                        glia_error *error)
{
    gi_file file = {0};
    glia_status status = gi_file_open(path, &file, error);
    if (!status) status = gi_npy_parse_bytes(path, name, file.data, file.size, split, out, error);
    if (status || !*out || (*out)->owned_x)
        gi_file_close(&file);
    else
        (*out)->file = file; /* its pixels are in there */
    return status;
}

/* ---- As a table ---------------------------------------------------------------------------- */

/* Leaves a column out, for its texts. */
static void lose_column(gi_table *table, size_t c)
{
    table->columns[c].kind = GI_CELL_IGNORED;
    table->columns[c].has_missing = true;
    gi_texts_free(&table->columns[c].texts);
    for (size_t row = 0; row < table->rows; row++)
        table->owned_cells[row * table->n_columns + c] = (double)NAN;
}

/*
 * The code of an element as a category: of a text, where an empty one is missing, or of a whole
 * number. *is_lost: it is one of too many, and the column can be left out; else that is an error,
 * which ends with the advice (NULL: it can).
 */
static glia_status read_text(const gi_array *array, size_t at, size_t row, size_t column,
                             const char *advice, gi_table *table, bool *is_lost, glia_error *error)
{
    char where[GI_ARRAY_WHERE], text[GI_ARRAY_TEXT];
    double *cell = &table->owned_cells[row * table->n_columns + column];
    const double number = gi_array_has_texts(array) ? 0 : gi_array_element(array, at);
    size_t code = SIZE_MAX;
    gi_table_where(table, row, column, where, sizeof where);
    *cell = (double)NAN;
    if (isnan(number)) return GLIA_OK;
    if (number != floor(number) || isinf(number))
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: found %g, expected a whole number, as the column is one of categories",
                       where, number);
    const size_t n = gi_array_text(array, at, text);
    if (n == SIZE_MAX)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: found a text that is not Unicode (of bytes: not UTF-8), expected one",
                       where);
    if (n == 0) return GLIA_OK;
    if (n <= GI_MAX_TEXT_BYTES) {
        const glia_status status =
            gi_texts_add(&table->columns[column].texts, text, n, &code, error);
        if (status) return status;
    }
    *is_lost = code == SIZE_MAX;
    if (code != SIZE_MAX) *cell = (double)code;
    if (code == SIZE_MAX && advice)
        return gi_fail(
            error, GLIA_BAD_FORMAT,
            "%s: found more than %d different categories, or one of more than %d bytes%s", where,
            (int)GI_MAX_TEXTS, (int)GI_MAX_TEXT_BYTES, advice);
    return GLIA_OK;
}

static glia_status read_number(const gi_array *array, size_t at, size_t row, size_t column,
                               gi_table *table, glia_error *error)
{
    char where[GI_ARRAY_WHERE];
    double *cell = &table->owned_cells[row * table->n_columns + column];
    *cell = gi_array_element(array, at);
    if (!isinf(*cell)) return GLIA_OK;
    gi_table_where(table, row, column, where, sizeof where);
    return gi_fail(error, GLIA_BAD_FORMAT,
                   "%s: found an infinite number, expected a finite one, or NaN where a value is "
                   "missing",
                   where);
}

/* Whether a column has whole numbers that a double may not hold: they are taken for texts. */
static bool has_long(const gi_array *array, size_t at, size_t stride)
{
    for (size_t i = 0; i < array->rows; i++, at += stride)
        if (gi_array_is_long(array, at)) return true;
    return false;
}

/* What to do about a column that has too many categories. */
static void advise_drop(const gi_table *table, size_t c, char *advice, size_t room)
{
    char option[GI_OPTION_NAMES];
    snprintf(advice, room, "; leave the column out with table.drop %s, or read it as numbers",
             gi_table_option(table->columns, &c, 1, option));
}

/* Fills columns `first` to first + array->columns - 1 of the table. */
static glia_status fill_columns(const gi_array *array, size_t first, const gi_table_params *params,
                                gi_table *table, glia_error *error)
{
    const bool knows_all = params->ignores_unknown, has_texts = gi_array_has_texts(array);
    for (size_t c = 0; c < array->columns; c++) {
        gi_column *column = &table->columns[first + c];
        size_t stride, at = gi_array_column_begin(array, c, &stride);
        const bool was_asked = column->kind == GI_CELL_TEXT;
        char advice[GI_OPTION_NAMES + 80] = ", expected those of the training data";
        if (was_asked && !knows_all) advise_drop(table, first + c, advice, sizeof advice);
        bool is_lost = column->kind == GI_CELL_IGNORED;
        if (column->kind == GI_CELL_NUMBER && !knows_all &&
            (has_texts || has_long(array, at, stride)))
            column->kind = GI_CELL_TEXT;
        if (column->kind == GI_CELL_NUMBER && has_texts)
            return gi_fail(error, GLIA_MISMATCH,
                           "%s: found texts, expected numbers, as in the "
                           "training data",
                           array->where);
        for (size_t i = 0; i < table->rows && !is_lost; i++, at += stride) {
            const glia_status status =
                column->kind == GI_CELL_TEXT
                    ? read_text(array, at, i, first + c, was_asked ? advice : NULL, table, &is_lost,
                                error)
                    : read_number(array, at, i, first + c, table, error);
            if (status) return status;
            column->has_missing |= isnan(table->owned_cells[i * table->n_columns + first + c]);
        }
        if (is_lost) lose_column(table, first + c);
    }
    return GLIA_OK;
}

/* Names and kinds of columns: x's have numbers, y's are "y", or "y 1", "y 2", ... */
static glia_status name_columns(const gi_arrays *arrays, const gi_table_params *params,
                                gi_table *table, glia_error *error)
{
    const size_t n_x = arrays->x.columns, n_y = table->n_columns - n_x;
    for (size_t c = 0; c < table->n_columns; c++) {
        char **name = &table->columns[c].name;
        if (c < n_x)
            *name = gi_format(error, "column %zu", c + 1);
        else if (n_y == 1)
            *name = gi_strdup("y", error);
        else
            *name = gi_format(error, "y %zu", c - n_x + 1);
        if (!*name) return GLIA_NO_MEMORY;
    }
    const glia_status status = gi_table_index(table, error);
    if (status) return status;
    char shape[GI_ARRAY_SHAPE];
    for (size_t k = 0; params->ignores_unknown && k < params->n_known; k++) {
        const gi_known_column *known = &params->known[k];
        const bool is_number = gi_column_word(known->name)[0] == '\0';
        if (!is_number || known->may_be_absent || gi_table_column(table, known->name) != SIZE_MAX)
            continue;
        return gi_fail(error, GLIA_MISMATCH,
                       "%s: found the shape %s, of %zu column%s, expected %s too, which the "
                       "network learned from",
                       arrays->x.where, gi_array_shape(&arrays->x, shape), n_x, n_x == 1 ? "" : "s",
                       known->name);
    }
    return gi_table_apply_known(table, params, error);
}

/* Says what was read, and what was not. */
static void describe(const gi_arrays *arrays, gi_table *table)
{
    const gi_array *x = &arrays->x;
    char shape[GI_ARRAY_SHAPE];
    const bool is_flattened = x->n_dims > 2;
    snprintf(table->how, sizeof table->how, "NumPy's %s, %zu row%s of %zu column%s%s%s%s%s%s%s",
             x->type, x->rows, x->rows == 1 ? "" : "s", x->columns, x->columns == 1 ? "" : "s",
             arrays->has_y ? " and their targets" : "", is_flattened ? "; the shape " : "",
             is_flattened ? gi_array_shape(x, shape) : "", is_flattened ? " is flattened" : "",
             arrays->note[0] ? "; " : "", arrays->note);
}

static glia_status make_table(const char *path, const gi_arrays *arrays,
                              const gi_table_params *params, gi_table *table, glia_error *error)
{
    const gi_array *x = &arrays->x, *y = arrays->has_y ? &arrays->y : NULL;
    const size_t memory = gi_memory_size();
    if (x->columns > GI_MAX_COLUMNS || (y && y->columns > GI_MAX_COLUMNS - x->columns))
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: %zu numbers a row, expected at most %d columns with those of y; images "
                       "are taken as they are if they are bytes (uint8) with whole numbers as "
                       "labels",
                       x->where, x->columns, (int)GI_MAX_COLUMNS);
    table->rows = x->rows;
    table->n_targets = y ? y->columns : 0;
    table->n_columns = x->columns + table->n_targets;
    const size_t row_bytes = table->n_columns * sizeof(double);
    if (table->rows > (memory ? memory : SIZE_MAX) / row_bytes)
        return gi_fail(error, GLIA_NO_MEMORY,
                       "%s: %zu rows of %zu numbers are more than the memory of this machine holds "
                       "as a table; images are kept as bytes if they are uint8 with whole numbers "
                       "as labels",
                       x->where, table->rows, table->n_columns);
    table->path = gi_strdup(path, error);
    table->columns = gi_alloc(table->n_columns, sizeof *table->columns, "columns", error);
    if (!table->path || !table->columns) return GLIA_NO_MEMORY;
    glia_status status = name_columns(arrays, params, table, error);
    if (status) return status;
    table->owned_cells = gi_alloc_unset(table->rows, row_bytes, "the cells of a table", error);
    if (!table->owned_cells) return GLIA_NO_MEMORY;
    table->cells = table->owned_cells;
    status = fill_columns(x, 0, params, table, error);
    if (!status && y) status = fill_columns(y, x->columns, params, table, error);
    if (!status) describe(arrays, table);
    return status;
}

glia_status gi_npy_parse_table(const char *path, const uint8_t *bytes, size_t n_bytes,
                               glia_split split, const gi_table_params *params, gi_table **out,
                               glia_error *error)
{
    gi_arrays arrays;
    glia_status status = gi_arrays_read(path, bytes, n_bytes, split, &arrays, error);
    if (status) return status;
    if (split == GLIA_SPLIT_TEST && arrays.has_other_y && !arrays.has_y &&
        !params->ignores_unknown) {
        status = gi_fail(error, GLIA_NOT_FOUND,
                         "%s: found no y_test for x_test, expected it; what has no target can be "
                         "predicted, but not scored",
                         path);
        gi_arrays_free(&arrays);
        return status;
    }
    gi_table *table = gi_alloc(1, sizeof *table, "a table", error);
    status = table ? make_table(path, &arrays, params, table, error) : GLIA_NO_MEMORY;
    gi_arrays_free(&arrays);
    if (status)
        gi_table_free(table);
    else
        *out = table;
    return status;
}

glia_status gi_npy_read(const char *path, glia_split split, const gi_table_params *params,
                        gi_table **out, glia_error *error)
{
    gi_file file = {0};
    glia_status status = gi_file_open(path, &file, error);
    if (!status) status = gi_npy_parse_table(path, file.data, file.size, split, params, out, error);
    gi_file_close(&file);
    return status;
}
