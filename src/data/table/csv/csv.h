/* SPDX-License-Identifier: MIT */
/* Tables of text with separators between its cells: CSV and its relatives. */
#ifndef GLIA_DATA_TABLE_CSV_CSV_H
#define GLIA_DATA_TABLE_CSV_CSV_H

#include "data/table/table.h"

/*
 * Reads a whole file of separated values: RFC 4180 (quotes, doubled quotes, line breaks within
 * them), CRLF, a byte-order mark; comma, semicolon, tab, bar or blanks between cells. path "-":
 * standard input. Gzip files are decompressed. A column is of numbers if nine in ten of its first
 * cells are, and of texts otherwise, but for one with more than GI_MAX_TEXTS texts, or longer ones
 * than GI_MAX_TEXT_BYTES, which is ignored unless it is known to be of texts. Cells that are empty,
 * NA, N/A, n/a, #N/A, <NA>, NaN, nan, NULL, null, None or ? are missing. The result does not depend
 * on the number of threads. NOT_FOUND, IO, BAD_FORMAT (names line and column), NO_MEMORY.
 */
glia_status gi_csv_read(const char *path, const gi_table_params *params, gi_table **out,
                        glia_error *error);

/*
 * The same, some rows at a time, for a pipe: known says what every column that is wanted is, each
 * must be there (in any order), others are ignored.
 */
typedef struct gi_csv_stream gi_csv_stream;
glia_status gi_csv_stream_open(const char *path, const gi_table_params *params, gi_csv_stream **out,
                               glia_error *error);
/* The next rows, as many as are there, at most some megabytes; *out is NULL at the end. The table
 * is the caller's; its columns are the file's, its texts those of these rows. */
glia_status gi_csv_stream_next(gi_csv_stream *stream, gi_table **out, glia_error *error);
/* Whether the tables have the cells as texts, as params ask: those of ARFF have not. */
bool gi_csv_stream_keeps_texts(const gi_csv_stream *stream);
/* The columns of the file, and their names. */
size_t gi_csv_stream_columns(const gi_csv_stream *stream);
const char *gi_csv_stream_column(const gi_csv_stream *stream, size_t column);
void gi_csv_stream_free(gi_csv_stream *stream);

/* The same from memory, for tests and fuzzing. */
glia_status gi_csv_parse(const char *path, const uint8_t *bytes, size_t n_bytes,
                         const gi_table_params *params, gi_table **out, glia_error *error);

#endif
