/* SPDX-License-Identifier: MIT */
/* Where samples come from: the options that every command on data sets has, and opening them. */
#ifndef GLIA_CLI_SOURCE_H
#define GLIA_CLI_SOURCE_H

#include "glia.h"
#include "options.h"

/* What the struct of a command on data sets begins with. */
typedef struct source_options {
    common_options common;
    const char *directory;
    const char *mirror;
    bool offline;
    uint64_t seed; /* of digits */
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
        .help = "download from URL/FILE in place of the known mirrors"                             \
    }

#define SOURCE_OFFLINE_OPTION                                                                      \
    {                                                                                              \
        .kind = OPTION_FLAG, .name = "offline", .offset = offsetof(source_options, offline),       \
        .help = "never download"                                                                   \
    }

#define SOURCE_SEED_OPTION                                                                         \
    {                                                                                              \
        .kind = OPTION_SEED, .name = "data-seed", .metavar = "N",                                  \
        .offset = offsetof(source_options, seed), .help = "which set of the built-in digits"       \
    }

/* clang-format off */
#define SOURCE_OPTIONS                                                                             \
    {.kind = OPTION_HEADING, .name = "Data"},                                                      \
    SOURCE_DIRECTORY_OPTION,                                                                       \
    SOURCE_MIRROR_OPTION,                                                                          \
    SOURCE_OFFLINE_OPTION,                                                                         \
    SOURCE_SEED_OPTION
/* clang-format on */

/* The names for an OPTION_CHOICE of a split; the index is the glia_split. */
extern const char *const split_names[];

/* A paragraph for descriptions: what DATA may be. */
#define SOURCE_DESCRIPTION                                                                         \
    "DATA is digits (built in), mnist or fashion-mnist (looked for in --data-dir, $GLIA_DATA and " \
    "the cache, then downloaded), or a folder that holds train-images-idx3-ubyte, "                \
    "train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, as they are or "  \
    "with .gz."

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

/* Complains that a data set could not be opened; returns the exit status. */
int source_complain(const char *name, const glia_error *error);

/* Checks and opens; on failure complains. Returns the exit status. */
int source_need(const source_options *options, const char *name, glia_split split,
                glia_dataset **out);

#endif
