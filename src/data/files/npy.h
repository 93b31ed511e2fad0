/* SPDX-License-Identifier: MIT */
/* NumPy's arrays, and archives of them. */
#ifndef GLIA_DATA_FILES_NPY_H
#define GLIA_DATA_FILES_NPY_H

#include "data/table/table.h"

/*
 * A data set of bytes with a class each: an archive whose x has the type uint8 and 2 to 4
 * dimensions, (n, features), (n, height, width) or (n, height, width, channels), and whose y has
 * whole numbers from 0, one a row. *out is NULL if the file has something else, which is a table.
 * The arrays are x_train and y_train, for GLIA_SPLIT_TEST x_test and y_test, or x and y alone, and
 * synonyms of these. NOT_FOUND: there are none to test on.
 */
glia_status gi_npy_open(const char *path, const char *name, glia_split split, glia_dataset **out,
                        glia_error *error);
/* The same from memory, which the data set may point into. */
glia_status gi_npy_parse_bytes(const char *path, const char *name, const uint8_t *bytes,
                               size_t n_bytes, glia_split split, glia_dataset **out,
                               glia_error *error);

/*
 * A table of numbers: the columns of x are "column 1", ..., those of y "y" or "y 1", ...; of an
 * array of more dimensions than 2, all but the first are the columns. NaN is missing. A column that
 * params take for categories has whole numbers.
 */
glia_status gi_npy_read(const char *path, glia_split split, const gi_table_params *params,
                        gi_table **out, glia_error *error);
glia_status gi_npy_parse_table(const char *path, const uint8_t *bytes, size_t n_bytes,
                               glia_split split, const gi_table_params *params, gi_table **out,
                               glia_error *error);

#endif
