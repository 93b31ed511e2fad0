/* SPDX-License-Identifier: MIT */
/* Sparse text: LIBSVM. */
#ifndef GLIA_DATA_FILES_LIBSVM_H
#define GLIA_DATA_FILES_LIBSVM_H

#include "base/status.h"
#include "model/reading.h"

/*
 * Whether most of its lines are LABEL INDEX:VALUE INDEX:VALUE ..., beside comments, blank lines and
 * lines of labels alone; not where the pairs look like columns of a table (times, scores, ratios).
 */
bool gi_libsvm_is(const uint8_t *bytes, size_t n_bytes);
/* The same, where no lines of scores (1 3:2 4:1) can be meant, though the file is named .csv. */
bool gi_libsvm_is_surely(const uint8_t *bytes, size_t n_bytes);

/*
 * A data set of its lines: indices count from 1, or from 0 if there is a 0. Several labels a line,
 * with commas between them, are GLIA_TASK_LABELS, and then a line of blanks is a sample too; one, a
 * whole number that is there twice on average, names a class; others are values; loss may say
 * otherwise. like (or NULL): a network or a data set whose features and classes they are; features
 * that it has not are left out, and its ignores_targets lets labels be absent, or anything. Files
 * may be compressed by gzip.
 */
glia_status gi_libsvm_open(const char *path, const char *name, glia_loss loss,
                           const gi_reading *like, glia_dataset **out, glia_error *error);
glia_status gi_libsvm_parse(const char *path, const char *name, const uint8_t *bytes,
                            size_t n_bytes, glia_loss loss, const gi_reading *like,
                            glia_dataset **out, glia_error *error);

#endif
