/* SPDX-License-Identifier: MIT */
/*
 * Rows for a network, of separated values some at a time: a pipe has no end that could be waited
 * for. Of anything else all at once.
 */
#include <string.h>

#include "base/memory.h"
#include "base/number.h"
#include "data/encoding/encoding.h"
#include "data/table/csv/csv.h"
#include "feed/input_form.h"
#include "net/network.h"

struct glia_row_stream {
    const glia_network *network;
    glia_table_params params; /* what it borrows is the caller's */
    gi_csv_stream *stream;    /* or */
    glia_dataset *whole;      /* not given yet, */
    char *id;                 /* and the column that names its rows, or NULL */
    size_t skipped;
    gi_unknowns unknowns;
    uint64_t first, last, n_given; /* of the rows: those that are asked for, and how many came */
};

/* Separated values: what else there is says so in its name or its first bytes. */
static bool is_streamed(const glia_network *network, const char *path,
                        const glia_data_params *params)
{
    const glia_file_kind kind = glia_file_kind_of(path, params);
    return network->schema && kind != GLIA_FILE_ARRAYS && kind != GLIA_FILE_SPARSE &&
           kind != GLIA_FILE_ARFF && !gi_is_directory(path);
}

/* Finds the column that names rows, by the name or the number that was asked for; else the column
 * that named those of the training set, which may be absent. */
static glia_status name_rows(glia_row_stream *rows, const char *remembered, glia_error *error)
{
    const char *wanted = rows->params.id ? rows->params.id : remembered;
    const size_t n = gi_csv_stream_columns(rows->stream);
    uint64_t number;
    if (!wanted) return GLIA_OK;
    for (size_t c = 0; c < n; c++)
        if (strcmp(gi_csv_stream_column(rows->stream, c), wanted) == 0) {
            rows->params.id = wanted;
            return GLIA_OK;
        }
    if (rows->params.id && gi_parse_u64(wanted, &number) && number >= 1 && number <= n)
        rows->params.id = gi_csv_stream_column(rows->stream, (size_t)number - 1);
    return gi_schema_check_id(rows->network->schema, rows->params.id, error);
}

glia_status glia_row_stream_open_sized(const glia_network *network, const char *path,
                                       glia_split split, const glia_data_params *given, size_t size,
                                       glia_row_stream **out, glia_error *error)
{
    const glia_data_params own = gi_data_params(given, size), *params = &own;
    glia_row_stream *rows = gi_alloc(1, sizeof *rows, "a stream of rows", error);
    if (!rows) return GLIA_NO_MEMORY;
    rows->network = network;
    rows->last = UINT64_MAX;
    rows->params = params->table;
    rows->params.weight = rows->params.group = NULL; /* nothing is learned */
    if (!is_streamed(network, path, params)) {
        glia_status opened = gi_open_for(network, path, split, params, true, &rows->whole, error);
        const char *id = !opened && rows->whole ? gi_dataset_id_name(rows->whole) : NULL;
        if (id) rows->id = gi_strdup(id, error);
        if (id && !rows->id) opened = GLIA_NO_MEMORY;
        if (opened)
            glia_row_stream_free(rows);
        else
            *out = rows;
        return opened;
    }
    gi_known_columns known = {0};
    gi_table_params how = gi_table_params_of(&params->table, params->threads);
    const gi_reading reading = gi_network_reading(network);
    glia_status status = gi_known_of_reading(&reading, &params->table, true, &known, error);
    gi_table_params_read_like(&how, network->schema);
    how.known = known.columns;
    how.n_known = known.n;
    how.keeps_texts = params->keep_texts;
    if (!status) status = gi_csv_stream_open(path, &how, &rows->stream, error);
    gi_free(known.columns);
    if (!status) status = name_rows(rows, reading.id, error);
    if (status) {
        glia_row_stream_free(rows);
        return status;
    }
    *out = rows;
    return GLIA_OK;
}

/* Counts the unknown categories of the next rows, as far as they are asked for. */
static glia_status count_unknown(glia_row_stream *rows, const glia_dataset *dataset,
                                 glia_error *error)
{
    const uint64_t before = rows->n_given, n = dataset->samples;
    rows->n_given += n;
    if (rows->last < before) return GLIA_OK;
    const size_t begin = (size_t)(rows->first > before ? rows->first - before : 0);
    const size_t end = (size_t)(rows->last - before < n ? rows->last - before + 1 : n);
    return gi_unknowns_add(&rows->unknowns, dataset, begin, end, error);
}

void glia_row_stream_select(glia_row_stream *rows, uint64_t first, uint64_t last)
{
    rows->first = first;
    rows->last = last;
}

glia_status glia_row_stream_next(glia_row_stream *rows, glia_dataset **out, glia_error *error)
{
    gi_reading reading = gi_network_reading(rows->network);
    reading.ignores_targets = true;
    if (!rows->stream) {
        if (rows->whole) {
            const glia_status status = count_unknown(rows, rows->whole, error);
            if (status) return status;
        }
        *out = rows->whole;
        rows->whole = NULL;
        return GLIA_OK;
    }
    for (;;) {
        gi_table *table = NULL;
        glia_dataset *dataset = NULL;
        glia_status status = gi_csv_stream_next(rows->stream, &table, error);
        const bool is_end = table == NULL;
        const size_t in_all = table ? table->rows + table->skipped : 0;
        if (!status && table)
            status = gi_dataset_of_table(table, "rows", &rows->params, &reading, &dataset, error);
        if (!status && dataset) status = count_unknown(rows, dataset, error);
        if (status) {
            glia_dataset_free(dataset);
            return status;
        }
        rows->skipped += in_all - (dataset ? dataset->samples : 0);
        *out = dataset;
        if (dataset || is_end) return GLIA_OK;
    }
}

const char *glia_row_stream_id(const glia_row_stream *rows)
{
    return rows->stream ? rows->params.id : rows->id;
}

size_t glia_row_stream_columns(const glia_row_stream *rows)
{
    return rows->stream && gi_csv_stream_keeps_texts(rows->stream)
               ? gi_csv_stream_columns(rows->stream)
               : 0;
}

const char *glia_row_stream_column(const glia_row_stream *rows, size_t column)
{
    return column < glia_row_stream_columns(rows) ? gi_csv_stream_column(rows->stream, column)
                                                  : NULL;
}

size_t glia_row_stream_skipped(const glia_row_stream *rows)
{
    return rows->skipped;
}

glia_status glia_row_stream_unknown(const glia_row_stream *rows, glia_unknown **out, size_t *n,
                                    glia_error *error)
{
    return gi_unknowns_list(&rows->unknowns, rows->network->schema, out, n, error);
}

void glia_row_stream_free(glia_row_stream *rows)
{
    if (!rows) return;
    gi_unknowns_free(&rows->unknowns);
    gi_free(rows->id);
    gi_csv_stream_free(rows->stream);
    glia_dataset_free(rows->whole);
    gi_free(rows);
}

uint64_t glia_dataset_line(const glia_dataset *dataset, size_t index)
{
    return index < dataset->samples ? gi_dataset_line(dataset, index) : 0;
}

const char *glia_dataset_id(const glia_dataset *dataset, size_t index)
{
    return index < dataset->samples ? gi_dataset_id(dataset, index) : NULL;
}

const char *glia_dataset_cell(const glia_dataset *dataset, size_t index, size_t column)
{
    return index < dataset->samples ? gi_dataset_cell(dataset, index, column) : NULL;
}
