/* SPDX-License-Identifier: MIT */
/* Where samples come from: the options that every command on data sets has, and opening them. */
#ifndef GLIA_CLI_DATA_SOURCE_H
#define GLIA_CLI_DATA_SOURCE_H

#include "data/table_options.h"
#include "glia.h"
#include "shell/options.h"

/* Both 0: as the images are. */
typedef struct image_size {
    size_t height, width;
} image_size;

/* OPTION_OTHER: "HxW", or one number for both. */
bool size_parse(const char *text, void *field);

extern const char *const colour_names[];

/* What the struct of a command on data sets begins with. */
typedef struct source_options {
    common_options common;
    const char *directory;
    const char *mirror;
    bool offline;
    uint64_t seed; /* of digits, and of how a table is divided */
    table_options table;
    image_size size;
    int colour; /* as colour_names */
} source_options;

#define SOURCE_DIRECTORY_OPTION                                                                    \
    {                                                                                              \
        .kind = OPTION_TEXT, .name = "data-dir", .metavar = "DIR",                                 \
        .offset = offsetof(source_options, directory),                                             \
        .help = "look for named data sets in DIR/NAME before anywhere else"                        \
    }

#define SOURCE_MIRROR_OPTION                                                                       \
    {                                                                                              \
        .kind = OPTION_TEXT, .name = "mirror", .metavar = "URL",                                   \
        .offset = offsetof(source_options, mirror),                                                \
        .help = "download from URL/FILE instead of the known mirrors"                              \
    }

#define SOURCE_OFFLINE_OPTION                                                                      \
    {                                                                                              \
        .kind = OPTION_FLAG, .name = "offline", .offset = offsetof(source_options, offline),       \
        .help = "never download"                                                                   \
    }

#define SOURCE_SEED_OPTION                                                                         \
    {                                                                                              \
        .kind = OPTION_SEED, .name = "data-seed", .metavar = "N",                                  \
        .offset = offsetof(source_options, seed),                                                  \
        .help = "seed of the built-in digits, and of the choice of rows that are held out"         \
    }

#define SOURCE_SIZE_OPTION                                                                         \
    {                                                                                              \
        .kind = OPTION_OTHER, .name = "image-size", .metavar = "HxW",                              \
        .offset = offsetof(source_options, size), .parse = size_parse,                             \
        .expected = "a height and a width in pixels, as 28x28", .shown_default = "as they are",    \
        .help = "scale the images of a folder to H x W pixels"                                     \
    }

#define SOURCE_COLOUR_OPTION                                                                       \
    {                                                                                              \
        .kind = OPTION_CHOICE, .name = "colour", .metavar = "NAME", .choices = colour_names,       \
        .offset = offsetof(source_options, colour),                                                \
        .help = "read the images of a folder as grey or as red, green and blue"                    \
    }

/* clang-format off */
#define SOURCE_OPTIONS                                                                             \
    {.kind = OPTION_HEADING, .name = "Data"},                                                      \
    SOURCE_DIRECTORY_OPTION,                                                                       \
    SOURCE_MIRROR_OPTION,                                                                          \
    SOURCE_OFFLINE_OPTION,                                                                         \
    SOURCE_SEED_OPTION,                                                                            \
    SOURCE_SIZE_OPTION,                                                                            \
    SOURCE_COLOUR_OPTION,                                                                          \
    TABLE_FILE_OPTIONS(source_options, table)
/* clang-format on */

/* The names for an OPTION_CHOICE of a split; the index is the glia_split. */
extern const char *const split_names[];

/* A paragraph for descriptions: what DATA may be. */
#define SOURCE_DESCRIPTION                                                                         \
    "DATA is digits (built in), mnist or fashion-mnist (from --data-dir, $GLIA_DATA or the "       \
    "cache, "                                                                                      \
    "else downloaded); or a folder of images (PNG, JPEG, PGM), as CLASS/FILE, or as "              \
    "train/CLASS/FILE and test/CLASS/FILE (or val, valid, validation); or a folder of MNIST's "    \
    "files (train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, "            \
    "t10k-labels-idx1-ubyte, each plain or .gz); or a table (CSV, TSV, ARFF; - is a table on "     \
    "standard input); or a NumPy file (.npy, or .npz with x_train, y_train, x_test and y_test, "   \
    "or "                                                                                          \
    "with x and y); or sparse text (LIBSVM's)."

/* What the library wants to know of them; columns are to be freed. */
glia_data_params source_params(const source_options *options, int threads, table_columns *columns);

void source_set_defaults(source_options *options);

/*
 * Complains, and returns false, when --data-seed or --mirror was given a value that a data set of
 * this name would not use.
 */
bool source_check(const source_options *options, const char *name);

/* Opens a data set; a download shows its progress unless quiet. */
glia_status source_open(const source_options *options, const char *name, glia_split split,
                        bool fresh, int threads, bool quiet, glia_dataset **out, glia_error *error);

/*
 * Opens both splits, side by side if threads is not 1 and both are on this machine: decompressing
 * the test split takes a sixth of the time of the other. *test stays as it is if there is none.
 */
glia_status source_open_both(const source_options *options, const char *name, bool fresh,
                             int threads, bool quiet, glia_dataset **train, glia_dataset **test,
                             glia_error *error);

/* The name, for people: "standard input" for "-". */
const char *source_shown_name(const char *name);

/* Whether a name is that of a single file (a table), or "-". */
bool source_is_file(const char *name);

/* Whether it may be divided for a test: a file, or a folder of pictures. Sets that are downloaded,
 * and folders in MNIST's form, have parts of their own. */
bool source_is_divided(const char *name);

/* Whether it is one that may have a test split all the same. */
bool source_is_archive(const char *name);

/* Opens a table as another data set reads its own. */
glia_status source_open_like(const source_options *options, const char *name, glia_split split,
                             const glia_dataset *like, int threads, glia_dataset **out,
                             glia_error *error);

/* The same for a network, unless that is NULL (glia_dataset_open_for). */
glia_status source_open_for(const source_options *options, const glia_network *network,
                            const char *name, glia_split split, int threads, bool quiet,
                            glia_dataset **out, glia_error *error);

/* Says which categories of rows the model has never seen (glia_dataset_unknown); frees them. */
void source_tell_unknown(const char *name, glia_unknown *unknown, size_t n);

/* Complains that a data set could not be opened; returns the exit status. */
int source_complain(const char *name, const glia_error *error);

/* Checks and opens; on failure complains. Returns the exit status. */
int source_need(const source_options *options, const char *name, glia_split split,
                glia_dataset **out);
/* The same as the network reads it. */
int source_need_for(const source_options *options, const glia_network *network, const char *name,
                    glia_split split, glia_dataset **out);

#endif
