/* SPDX-License-Identifier: MIT */
/* Files that are data sets: of which kind one is, and its table or its samples. */
#ifndef GLIA_DATA_FILE_SET_H
#define GLIA_DATA_FILE_SET_H

#include "data/table/table.h"
#include "model/reading.h"

/* Whether a name is that of a file, or "-", rather than of a folder or a known set. */
bool gi_is_file_set(const char *name);

/* The table in a file, read as `reading` says, NULL: as is found out. */
glia_status gi_file_set_read(const char *path, const glia_data_params *params,
                             const gi_reading *reading, gi_table **out, glia_error *error);

/* The same as a data set, whatever is in the file. NOT_FOUND: it has no such split. */
glia_status gi_file_set_open(const char *path, glia_split split, const glia_data_params *params,
                             const gi_reading *reading, glia_dataset **out, glia_error *error);

#endif
