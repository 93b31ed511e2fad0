/* SPDX-License-Identifier: MIT */
/* Data sets that are a single file: which reader it wants is seen in it. */
#include <string.h>

#include "base/memory.h"
#include "data/encoding.h"
#include "data/readers.h"

bool gi_is_file_set(const char *name)
{
    return strcmp(name, "-") == 0 || gi_file_exists(name);
}

/* The table of a split; separated values are for training alone. */
static glia_status read_split(const char *path, glia_split split, const glia_data_params *params,
                              const gi_reading *reading, gi_table **out, glia_error *error)
{
    gi_table_params how = gi_table_params_of(&params->table, params->threads);
    how.caches = true;
    how.ignores_unknown = reading != NULL;

    gi_known_columns known = {0};
    glia_status status =
        reading ? gi_known_of_schema(reading->schema, &params->table, false, &known, error)
                : gi_known_of_params(&params->table, &known, error);
    how.known = known.columns;
    how.n_known = known.n;
    if (!status)
        status = gi_npy_is(path) ? gi_npy_read(path, split, &how, out, error)
                                 : gi_csv_read(path, &how, out, error);
    gi_free(known.columns);
    return status;
}

glia_status gi_file_set_read(const char *path, const glia_data_params *params,
                             const gi_reading *reading, gi_table **out, glia_error *error)
{
    if (gi_libsvm_is_file(path))
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: found sparse text, LABEL INDEX:VALUE ..., expected a table", path);
    return read_split(path, GLIA_TRAIN, params, reading, out, error);
}

glia_status gi_file_set_open(const char *path, glia_split split, const glia_data_params *params,
                             const gi_reading *reading, glia_dataset **out, glia_error *error)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash && slash[1] ? slash + 1 : path;
    gi_table *table = NULL;
    if (gi_libsvm_is_file(path))
        return gi_libsvm_open(path, name, params->table.loss, reading, out, error);
    if (gi_npy_is(path) && !reading) {
        const glia_status status = gi_npy_open(path, name, split, out, error);
        if (status || *out) return status;
    }
    const glia_status status = read_split(path, split, params, reading, &table, error);
    if (status) return status;
    return gi_dataset_of_table(table, name, &params->table, reading, out, error);
}
