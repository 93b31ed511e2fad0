/* SPDX-License-Identifier: MIT */
/* Rows of a table as they are read: what was learned about columns, applied to a row's cells. */
#include <libdeflate.h>
#include <math.h>
#include <string.h>

#include "data/encoding/encoding_parts.h"

/*
 * Rows that were read stay resident until their pages are given back; they come again when they are
 * needed. Other threads may be reading them.
 */
static void count_read(struct gi_shared_table *shared)
{
    if (atomic_fetch_add_explicit(&shared->n_read, 1, memory_order_relaxed) % shared->drop_after ==
        shared->drop_after - 1)
        gi_file_forget(&shared->table->mapped);
}

const double *gi_encoding_cells(const struct gi_encoding *e, uint64_t row)
{
    if (e->shared->drop_after) count_read(e->shared);
    return e->shared->table->cells + row * e->shared->table->n_columns;
}

int64_t gi_encoding_one_hot(const struct gi_encoding *e, const double *cells)
{
    int64_t class = GI_UNKNOWN;
    for (size_t k = 0; k < e->n_targets; k++) {
        const double cell = cells[e->target[k]];
        if (cell == 0) continue;
        if (cell != 1 || class != GI_UNKNOWN) return GI_UNKNOWN;
        class = (int64_t)k;
    }
    return class;
}

int64_t gi_encoding_class(const struct gi_encoding *e, double cell)
{
    if (isnan(cell)) return GI_UNKNOWN;
    if (e->class_of_text) return e->class_of_text[(size_t)cell];
    size_t begin = 0, end = e->n_numbers;
    while (begin < end) {
        const size_t middle = begin + (end - begin) / 2;
        if (e->numbers[middle].value == cell) return e->numbers[middle].class;
        if (cell < e->numbers[middle].value)
            end = middle;
        else
            begin = middle + 1;
    }
    return GI_UNKNOWN;
}

/* The place of a category among those of its column, or GI_UNKNOWN; NAN is missing. */
static int32_t place_of(const struct gi_encoding *e, size_t j, double cell)
{
    return isnan(cell) ? GI_UNKNOWN : e->category[j][(size_t)cell];
}

/* The cell of a column of the schema: a code, or the number that is read. */
static double cell_of(const struct gi_encoding *e, size_t j, const double *cells)
{
    return e->schema->columns[j].is_category ? cells[e->column[j]]
                                             : gi_encoding_number(e, j, cells);
}

/* The feature of a number, which may be missing. */
static float scaled(const gi_schema_column *column, double number)
{
    return isnan(number) ? 0 : (float)((number - column->mean) / column->scale);
}

static void encode(const struct gi_encoding *e, const double *cells, float *x)
{
    const gi_schema *schema = e->schema;
    for (size_t j = 0; j < schema->n_columns; j++) {
        const gi_schema_column *column = &schema->columns[j];
        const double cell = cell_of(e, j, cells);
        float *own = x + column->first;
        if (column->is_category) {
            memset(own, 0, column->n_categories * sizeof *own);
            const int32_t place = place_of(e, j, cell);
            if (place >= 0) own[place] = 1;
        } else {
            *own = scaled(column, cell);
        }
        if (column->flags_missing) own[gi_schema_width(column) - 1] = isnan(cell) ? 1.0F : 0;
    }
}

/* The same without what is 0 of categories; at most two pairs a column. */
static gi_pairs encode_pairs(const struct gi_encoding *e, const double *cells,
                             const gi_pair_room *room)
{
    const gi_schema *schema = e->schema;
    size_t n = 0;
    for (size_t j = 0; j < schema->n_columns; j++) {
        const gi_schema_column *column = &schema->columns[j];
        const double cell = cell_of(e, j, cells);
        const int32_t place = column->is_category ? place_of(e, j, cell) : 0;
        if (place >= 0) {
            room->index[n] = (uint32_t)(column->first + (size_t)place);
            room->value[n++] = column->is_category ? 1 : scaled(column, cell);
        }
        if (column->flags_missing && isnan(cell)) {
            room->index[n] = (uint32_t)(column->first + gi_schema_width(column) - 1);
            room->value[n++] = 1;
        }
    }
    return (gi_pairs){n, room->index, room->value};
}

static size_t most_pairs(const void *source)
{
    const struct gi_encoding *e = source;
    return 2 * e->schema->n_columns;
}

/* The class of a row's cells, or 0. */
static uint32_t label_of(const struct gi_encoding *e, const double *cells)
{
    if (e->task != GLIA_TASK_CLASSES || e->n_targets == 0) return 0;
    const int64_t class = e->n_targets > 1 ? gi_encoding_one_hot(e, cells)
                                           : gi_encoding_class(e, cells[e->target[0]]);
    return class < 0 ? 0 : (uint32_t) class; /* none is unknown in a set that has classes */
}

static uint32_t read_row(const void *source, uint64_t row, void *x)
{
    const struct gi_encoding *e = source;
    const double *cells = gi_encoding_cells(e, row);
    if (x) encode(e, cells, x);
    return label_of(e, cells);
}

static uint32_t read_pairs(const void *source, uint64_t row, const gi_pair_room *room,
                           gi_pairs *out)
{
    const struct gi_encoding *e = source;
    const double *cells = gi_encoding_cells(e, row);
    *out = encode_pairs(e, cells, room);
    return label_of(e, cells);
}

static void read_targets(const void *source, uint64_t row, size_t first, size_t n, double *targets)
{
    const struct gi_encoding *e = source;
    const double *cells = gi_encoding_cells(e, row);
    for (size_t k = 0; k < n; k++)
        targets[k] = first + k < e->n_targets ? cells[e->target[first + k]] : 0;
}

/* Of what each text of a column stands for; NULL: they are not told apart. */
static uint32_t checksum_of_texts(uint32_t sum, const struct gi_encoding *e, size_t column,
                                  const int32_t *meaning)
{
    const size_t n = e->shared->table->columns[column].texts.n;
    return meaning ? libdeflate_crc32(sum, meaning, n * sizeof *meaning) : sum;
}

/* Of all cells, and of how they are read. */
static uint32_t checksum(const void *source)
{
    const struct gi_encoding *e = source;
    const gi_table *table = e->shared->table;
    uint32_t sum =
        libdeflate_crc32(0, table->cells, table->rows * table->n_columns * sizeof *table->cells);
    for (size_t j = 0; j < e->schema->n_columns; j++) {
        const gi_schema_column *column = &e->schema->columns[j];
        const double about[] = {column->mean, column->scale, (double)e->column[j]};
        sum = libdeflate_crc32(sum, about, sizeof about);
        for (size_t c = 0; c < column->n_categories; c++)
            sum = libdeflate_crc32(sum, column->categories[c], strlen(column->categories[c]));
        sum = checksum_of_texts(sum, e, e->column[j], e->category[j]);
        if (column->date != GI_DATE_NONE) {
            const int32_t dates[] = {(int32_t)column->date, (int32_t)column->part};
            sum = libdeflate_crc32(sum, dates, sizeof dates);
        }
    }
    return e->n_targets > 0 ? checksum_of_texts(sum, e, e->target[0], e->class_of_text) : sum;
}

const gi_rows gi_encoding_rows = {
    .read = read_row,
    .read_pairs = read_pairs,
    .most_pairs = most_pairs,
    .read_targets = read_targets,
    .checksum = checksum,
    .keep = gi_encoding_keep,
    .free = gi_encoding_release,
};
