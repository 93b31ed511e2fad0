/* SPDX-License-Identifier: MIT */
/* The tables of Weka and OpenML. */
#ifndef GLIA_DATA_FILES_ARFF_H
#define GLIA_DATA_FILES_ARFF_H

#include "data/table/table.h"

/* Whether the first line that is no comment begins with @relation or @attribute. */
bool gi_arff_is(const uint8_t *bytes, size_t n_bytes);

/*
 * A table of ARFF, dense or sparse, compressed by gzip or not. Numeric attributes are columns of
 * numbers, all others of texts: the values of a nominal one have their codes in the order in which
 * they are declared, dates are written as ISO 8601 has them. Weights of rows are a last column. A
 * column that params take for another kind is read as that. BAD_FORMAT (names line and column).
 */
glia_status gi_arff_read(const char *path, const gi_table_params *params, gi_table **out,
                         glia_error *error);
glia_status gi_arff_parse(const char *path, const uint8_t *bytes, size_t n_bytes,
                          const gi_table_params *params, gi_table **out, glia_error *error);

#endif
