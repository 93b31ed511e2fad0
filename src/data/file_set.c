/* SPDX-License-Identifier: MIT */
/* Data sets that are a single file: which reader it wants is seen in it. */
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/encoding/encoding.h"
#include "data/file_set.h"
#include "data/files/arff.h"
#include "data/files/gzip.h"
#include "data/files/libsvm.h"
#include "data/files/npy.h"
#include "data/table/csv/csv.h"

bool gi_is_file_set(const char *name)
{
    return strcmp(name, "-") == 0 || gi_file_exists(name);
}

/* ---- What a file is ------------------------------------------------------------------------- */

enum { HEAD_BYTES = 1 << 16 }; /* of a compressed file, that are looked at */

static bool ends_with(const char *path, size_t n, const char *ending)
{
    const size_t m = strlen(ending);
    return n > m && strncasecmp(path + n - m, ending, m) == 0;
}

/* What the name says, with or without .gz; GLIA_FILE_NONE: nothing. */
static glia_file_kind kind_of_name(const char *path)
{
    static const struct {
        const char *ending;
        glia_file_kind kind;
    } names[] = {{".npy", GLIA_FILE_ARRAYS},      {".npz", GLIA_FILE_ARRAYS},
                 {".csv", GLIA_FILE_VALUES},      {".tsv", GLIA_FILE_VALUES},
                 {".svm", GLIA_FILE_SPARSE},      {".libsvm", GLIA_FILE_SPARSE},
                 {".svmlight", GLIA_FILE_SPARSE}, {".arff", GLIA_FILE_ARFF}};
    const size_t n = strlen(path);
    const size_t bare = ends_with(path, n, ".gz") ? n - 3 : n;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (ends_with(path, names[i].kind == GLIA_FILE_ARRAYS ? n : bare, names[i].ending))
            return names[i].kind;
    return GLIA_FILE_NONE;
}

static bool is_image(const uint8_t *bytes, size_t n)
{
    return (n >= 4 && memcmp(bytes, "\x89PNG", 4) == 0) ||
           (n >= 3 && memcmp(bytes, "\xFF\xD8\xFF", 3) == 0) ||
           (n >= 3 && bytes[0] == 'P' && (bytes[1] == '2' || bytes[1] == '5') &&
            (bytes[2] == ' ' || bytes[2] == '\n' || bytes[2] == '\r' || bytes[2] == '\t' ||
             bytes[2] == '#'));
}

static glia_file_kind kind_of_content(const uint8_t *bytes, size_t n)
{
    char head[HEAD_BYTES];
    if (is_image(bytes, n)) return GLIA_FILE_IMAGE;
    if (gi_gzip_is(bytes, n)) {
        n = gi_gzip_head(bytes, n, head, sizeof head);
        bytes = (const uint8_t *)head;
    }
    if (gi_arff_is(bytes, n)) return GLIA_FILE_ARFF;
    return gi_libsvm_is(bytes, n) ? GLIA_FILE_SPARSE : GLIA_FILE_VALUES;
}

glia_file_kind glia_file_kind_of_sized(const char *path, const glia_data_params *given, size_t size)
{
    const glia_data_params params = gi_data_params(given, size);
    struct stat info;
    gi_file file = {0};
    if (strcmp(path, "-") == 0) return GLIA_FILE_VALUES; /* it can be read once */
    if (stat(path, &info) != 0 || S_ISDIR(info.st_mode)) return GLIA_FILE_NONE;
    const glia_file_kind named = kind_of_name(path);
    if (named == GLIA_FILE_ARRAYS) return named;
    if (params.table.separator) return GLIA_FILE_VALUES;
    if (named != GLIA_FILE_NONE || !S_ISREG(info.st_mode))
        return named != GLIA_FILE_NONE ? named : GLIA_FILE_VALUES;
    if (gi_file_open(path, &file, NULL) != GLIA_OK) return GLIA_FILE_VALUES;
    const glia_file_kind kind = kind_of_content(file.data, file.size);
    gi_file_close(&file);
    return kind;
}

/* ---- Reading it ------------------------------------------------------------------------------ */

static glia_status read_table(const char *path, glia_file_kind kind, glia_split split,
                              const gi_table_params *how, gi_table **out, glia_error *error)
{
    switch (kind) {
    case GLIA_FILE_ARRAYS:
        return gi_npy_read(path, split, how, out, error);
    case GLIA_FILE_ARFF:
        return gi_arff_read(path, how, out, error);
    default:
        return gi_csv_read(path, how, out, error);
    }
}

static glia_status parse_table(const char *path, const gi_file *bytes, const gi_table_params *how,
                               gi_table **out, glia_error *error)
{
    if (!how->separator && gi_arff_is(bytes->data, bytes->size))
        return gi_arff_parse(path, bytes->data, bytes->size, how, out, error);
    return gi_csv_parse(path, bytes->data, bytes->size, how, out, error);
}

/* The table of a split; separated values are for training alone. bytes: what stands in it, where it
 * was read already; else NULL. */
static glia_status read_split(const char *path, glia_split split, const gi_file *bytes,
                              const glia_data_params *params, const gi_reading *reading,
                              gi_table **out, glia_error *error)
{
    gi_table_params how = gi_table_params_of(&params->table, params->threads);
    how.caches = true;
    const bool knows_columns = reading && reading->schema;
    if (knows_columns) gi_table_params_read_like(&how, reading->schema);

    gi_known_columns known = {0};
    glia_status status =
        knows_columns
            ? gi_known_of_reading(reading, &params->table, reading->ignores_targets, &known, error)
            : gi_known_of_params(&params->table, &known, error);
    how.known = known.columns;
    how.n_known = known.n;
    if (!status)
        status = bytes ? parse_table(path, bytes, &how, out, error)
                       : read_table(path, glia_file_kind_of(path, params), split, &how, out, error);
    gi_free(known.columns);
    return status;
}

glia_status gi_file_set_read(const char *path, const glia_data_params *params,
                             const gi_reading *reading, gi_table **out, glia_error *error)
{
    if (glia_file_kind_of(path, params) == GLIA_FILE_SPARSE)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: found sparse text, LABEL INDEX:VALUE ..., expected a table", path);
    return read_split(path, GLIA_SPLIT_TRAIN, NULL, params, reading, out, error);
}

/* The data set of a table, whose rows have names if they are asked for, or, to be predicted, those
 * that the training set had. */
static glia_status make_dataset(gi_table *table, const char *name, const glia_data_params *params,
                                const gi_reading *reading, glia_dataset **out, glia_error *error)
{
    glia_table_params how = params->table;
    const char *remembered = reading && reading->ignores_targets ? reading->id : NULL;
    for (size_t c = 0; remembered && !how.id && c < table->n_columns; c++)
        if (strcmp(table->columns[c].name, remembered) == 0) how.id = remembered;
    const size_t id =
        reading && reading->ignores_targets && how.id ? gi_table_column(table, how.id) : SIZE_MAX;
    const glia_status status =
        id == SIZE_MAX || !reading->schema
            ? GLIA_OK
            : gi_schema_check_id(reading->schema, table->columns[id].name, error);
    if (status) {
        gi_table_free(table);
        return status;
    }
    return gi_dataset_of_table(table, name, &how, reading, out, error);
}

/* Standard input, which can be read once. */
static glia_status open_input(const glia_data_params *params, const gi_reading *reading,
                              glia_dataset **out, glia_error *error)
{
    static const char name[] = "standard input";
    gi_file bytes = {0};
    gi_table *table = NULL;
    glia_status status = gi_gzip_open("-", &bytes, error);
    if (status) return status;
    if (!params->table.separator && gi_libsvm_is(bytes.data, bytes.size)) {
        status = gi_libsvm_parse(name, name, bytes.data, bytes.size, params->table.loss, reading,
                                 out, error);
    } else {
        status = read_split(name, GLIA_SPLIT_TRAIN, &bytes, params, reading, &table, error);
        if (!status) status = make_dataset(table, name, params, reading, out, error);
    }
    gi_file_close(&bytes);
    return status;
}

glia_status gi_file_set_open(const char *path, glia_split split, const glia_data_params *params,
                             const gi_reading *reading, glia_dataset **out, glia_error *error)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash && slash[1] ? slash + 1 : path;
    gi_table *table = NULL;
    if (strcmp(path, "-") == 0) return open_input(params, reading, out, error);
    const glia_file_kind kind = glia_file_kind_of(path, params);
    if (kind == GLIA_FILE_SPARSE && reading && reading->schema)
        return gi_fail(error, GLIA_MISMATCH,
                       "%s: found sparse text, LABEL INDEX:VALUE ..., expected a table with the "
                       "columns that the network reads",
                       path);
    if (kind == GLIA_FILE_SPARSE)
        return gi_libsvm_open(path, name, params->table.loss, reading, out, error);
    if (kind == GLIA_FILE_ARRAYS && (!reading || (!reading->schema && reading->is_of_bytes))) {
        const glia_status status = gi_npy_open(path, name, split, out, error);
        if (status || *out) return status;
    }
    const glia_status status = read_split(path, split, NULL, params, reading, &table, error);
    if (status) return status;
    return make_dataset(table, name, params, reading, out, error);
}
