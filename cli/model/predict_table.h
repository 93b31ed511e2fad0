/* SPDX-License-Identifier: MIT */
/* Predictions of the rows of tables, as a table or as JSON lines: what comes out of a pipe. */
#ifndef GLIA_CLI_MODEL_PREDICT_TABLE_H
#define GLIA_CLI_MODEL_PREDICT_TABLE_H

#include "data/source.h"

enum { PREDICT_CSV, PREDICT_JSONL };

struct predict_table {
    const source_options *source;
    const glia_network *network;
    int split; /* of a folder or an archive; as split_names */
    int format;
    bool with_input;    /* the cells of a row come before its answer */
    const char *output; /* a file; NULL: standard output */
};

/*
 * Predicts all rows of the files ("-": standard input), of FILE:INDEX and FILE:FIRST-LAST those,
 * counted from 0. A row is named by its id, else by its line, or by its number if rows were asked
 * for by numbers or have no lines. Returns the exit status.
 */
int predict_tables(const struct predict_table *how, int n_files, char *const *files);

#endif
