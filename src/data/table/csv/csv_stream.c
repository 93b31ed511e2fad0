/* SPDX-License-Identifier: MIT */
/*
 * Separated values from a pipe: a table of the rows that have arrived, and so on until the end. Of
 * ARFF, whose header says that it is one, all rows are one table.
 */
#include <string.h>

#include "base/memory.h"
#include "data/files/arff.h"
#include "data/table/csv/csv_parts.h"

struct gi_csv_stream {
    gi_csv_source source;
    gi_csv_form form;
    gi_csv_parser parser;
    gi_csv_block block;
    gi_csv_lot lot; /* with a problem: rows before it have been given, the next call fails */
    uint64_t line;  /* of the lot's end, or of its beginning if it has a problem */
    size_t skipped; /* not told yet */
    bool keeps_texts;
    gi_table *arff; /* not given yet */
};

size_t gi_csv_stream_columns(const gi_csv_stream *stream)
{
    return stream->form.n_columns;
}

const char *gi_csv_stream_column(const gi_csv_stream *stream, size_t column)
{
    return stream->form.columns[column].name;
}

void gi_csv_stream_free(gi_csv_stream *stream)
{
    if (!stream) return;
    gi_table_free(stream->arff);
    gi_csv_lot_free(&stream->lot);
    gi_csv_parser_free(&stream->parser);
    gi_free(stream->block.bytes);
    gi_csv_form_free(&stream->form);
    gi_csv_source_close(&stream->source);
    gi_free(stream);
}

/* Reads the source to its end as ARFF. */
static glia_status read_arff(gi_csv_stream *stream, const gi_table_params *params,
                             glia_error *error)
{
    gi_csv_source *source = &stream->source;
    gi_csv_form *form = &stream->form;
    glia_status status = GLIA_OK;
    for (size_t n = GI_CSV_HEAD_BYTES; !source->has_ended && !status; n *= 2)
        status = gi_csv_source_fill(source, n, false, error);
    if (!status)
        status = gi_arff_parse(source->path, (const uint8_t *)source->tail, source->n_tail, params,
                               &stream->arff, error);
    if (status) return status;
    form->columns = gi_alloc(stream->arff->n_columns, sizeof *form->columns, "columns", error);
    if (!form->columns) return GLIA_NO_MEMORY;
    form->n_columns = stream->arff->n_columns;
    for (size_t c = 0; c < form->n_columns; c++) {
        form->columns[c].name = gi_strdup(stream->arff->columns[c].name, error);
        if (!form->columns[c].name) return GLIA_NO_MEMORY;
    }
    return GLIA_OK;
}

bool gi_csv_stream_keeps_texts(const gi_csv_stream *stream)
{
    return stream->keeps_texts && !stream->form.is_arff;
}

glia_status gi_csv_stream_open(const char *path, const gi_table_params *params, gi_csv_stream **out,
                               glia_error *error)
{
    gi_csv_stream *stream = gi_alloc(1, sizeof *stream, "a stream of rows", error);
    if (!stream) return GLIA_NO_MEMORY;
    stream->keeps_texts = params->keeps_texts;
    gi_table_params all_known = *params;
    all_known.ignores_unknown = true;
    glia_status status = gi_csv_source_open(path, &stream->source, error);
    if (!status) status = gi_csv_form_of(&stream->source, true, &all_known, &stream->form, error);
    if (!status) status = gi_csv_parser_make(&stream->form, &stream->parser, error);
    if (stream->form.is_arff && !params->separator) status = read_arff(stream, &all_known, error);
    if (status) {
        gi_csv_stream_free(stream);
        return status;
    }
    stream->line = stream->form.line;
    *out = stream;
    return GLIA_OK;
}

/* The texts of these rows are the table's: the next table begins anew. */
static glia_status take_texts(gi_csv_stream *stream, gi_table *table, glia_error *error)
{
    gi_csv_lot *lot = &stream->lot;
    for (size_t i = 0; i < lot->n_new_texts; i++) {
        const gi_csv_new_text *text = &lot->new_texts[i];
        if (text->code == GI_CSV_NO_CODE)
            return gi_csv_report_text(&stream->form, lot, text, text->fault, stream->line, error);
    }
    for (size_t i = 0; i < lot->n_open_cells; i++)
        lot->cells[lot->open_cells[i].cell] = lot->open_cells[i].code;
    for (size_t c = 0; c < table->n_columns; c++) {
        table->columns[c].texts = stream->parser.dictionaries[c].texts;
        stream->parser.dictionaries[c].texts = (gi_texts){0};
        gi_csv_count_missing(&stream->parser, c, &table->columns[c]);
        stream->parser.n_missing[c] = 0;
    }
    return GLIA_OK;
}

/* The lot as a table. */
static glia_status make_table(gi_csv_stream *stream, gi_table **out, glia_error *error)
{
    const gi_csv_form *form = &stream->form;
    gi_csv_lot *lot = &stream->lot;
    glia_status status = GLIA_NO_MEMORY;
    gi_table *table = gi_alloc(1, sizeof *table, "a table", error);
    if (!table) return status;
    table->n_columns = form->n_columns;
    table->path = gi_strdup(form->path, error);
    table->columns = gi_alloc(form->n_columns, sizeof *table->columns, "a table", error);
    table->marks = gi_alloc(lot->n_marks, sizeof *table->marks, "a table", error);
    if (!table->path || !table->columns || !table->marks) goto cleanup;
    for (size_t c = 0; c < form->n_columns; c++) {
        table->columns[c].kind = form->columns[c].kind;
        table->columns[c].form = form->columns[c].form;
        table->columns[c].name = gi_strdup(form->columns[c].name, error);
        if (!table->columns[c].name) goto cleanup;
    }
    status = take_texts(stream, table, error);
    if (status) goto cleanup;
    for (size_t i = 0; i < lot->n_marks; i++)
        table->marks[i] = (gi_line_mark){lot->marks[i].row, stream->line + lot->marks[i].line};
    table->n_marks = lot->n_marks;
    table->rows = lot->rows;
    table->cells = table->owned_cells = lot->cells;
    lot->cells = NULL;
    lot->cells_room = 0;
    table->skipped = stream->skipped;
    stream->skipped = 0;
    memcpy(table->how, form->how, sizeof table->how);
cleanup:
    if (status)
        gi_table_free(table);
    else
        *out = table;
    return status;
}

/* ---- Cells as texts ------------------------------------------------------------------------- */

/* What the texts are written to. */
struct text_room {
    char *bytes;
    size_t n, room;
    size_t *at; /* (rows, columns) */
};

/* Adds the cells of the row at p; the columns that it lacks are empty. */
static glia_status keep_row(const gi_csv_dialect *dialect, const char *p, const char *end,
                            size_t n_columns, size_t *at, struct text_room *room, glia_error *error)
{
    bool has_ended = false;
    for (size_t c = 0; c < n_columns; c++) {
        gi_csv_cell cell = {.begin = p, .end = p};
        const char *next = has_ended ? p : gi_csv_next_cell(dialect, p, end, &cell);
        const size_t length = (size_t)(cell.end - cell.begin);
        const glia_status status =
            gi_table_grow((void **)&room->bytes, &room->room, room->n + length + 1, 1, error);
        if (status) return status;
        at[c] = room->n;
        if (cell.doubled) {
            room->n += gi_csv_unquote(dialect, &cell, room->bytes + room->n);
        } else {
            memcpy(room->bytes + room->n, cell.begin, length);
            room->n += length;
        }
        room->bytes[room->n++] = '\0';
        has_ended = has_ended || next >= end || *next == dialect->line_end;
        p = has_ended ? next : next + 1;
    }
    return GLIA_OK;
}

/*
 * Keeps the cells of the table's rows, which the block is read for a second time: the table knows
 * their lines, and the lines between them were blank, or of rows that were skipped.
 */
static glia_status keep_texts(const gi_csv_stream *stream, gi_table *table, glia_error *error)
{
    const gi_csv_dialect *dialect = &stream->form.dialect;
    const size_t n_columns = table->n_columns;
    struct text_room room = {0};
    glia_status status = GLIA_OK;
    room.at = gi_alloc(table->rows, n_columns * sizeof *room.at, "the cells of rows", error);
    if (!room.at) return GLIA_NO_MEMORY;
    const char *p = stream->block.bytes, *const end = p + stream->block.n;
    uint64_t line = stream->line;
    for (size_t row = 0; row < table->rows && p < end && !status;) {
        const char *open, *next = gi_csv_row_end(dialect, p, end, &open);
        if (!next) next = end;
        if (line == gi_table_line(table, row)) {
            status = keep_row(dialect, p, next, n_columns, room.at + row * n_columns, &room, error);
            row++;
        }
        for (; p < next; p++) line += *p == dialect->line_end;
    }
    table->cell_texts = room.bytes;
    table->cell_at = room.at;
    return status;
}

glia_status gi_csv_stream_next(gi_csv_stream *stream, gi_table **out, glia_error *error)
{
    gi_csv_lot *lot = &stream->lot;
    gi_csv_block *block = &stream->block;
    *out = stream->arff;
    stream->arff = NULL;
    if (stream->form.is_arff) return GLIA_OK;
    while (!lot->problem.fault) {
        glia_status status = gi_csv_source_take(&stream->source, &stream->form.dialect,
                                                GI_CSV_BLOCK_BYTES, true, block, error);
        if (status || block->n == 0) return status;
        if (block->open || block->is_long)
            gi_csv_set_problem(&stream->form, block, lot);
        else
            status = gi_csv_parse_rows(&stream->parser, block->bytes, block->bytes + block->n,
                                       block->first_byte, lot, error);
        if (status) return status;
        stream->skipped += lot->skipped;
        if (lot->rows) status = make_table(stream, out, error);
        if (!status && lot->rows && stream->keeps_texts) {
            status = keep_texts(stream, *out, error);
            if (status) {
                gi_table_free(*out);
                *out = NULL;
            }
        }
        if (!lot->problem.fault) stream->line += lot->lines;
        if (status || lot->rows) return status;
    }
    return gi_csv_report(&stream->form, &lot->problem, stream->line, error);
}
