/* SPDX-License-Identifier: MIT */
/* The options of glia bench: their struct and their table. */
#ifndef GLIA_CLI_BENCH_BENCH_OPTIONS_H
#define GLIA_CLI_BENCH_BENCH_OPTIONS_H

#include "data/source.h"
#include "glia.h"
#include "shell/options.h"

enum { MOST_IN_LIST = 64, LONGEST_NETWORK = 1024 };

/* The widths of a network: inputs, units of the hidden layers, classes. */
typedef struct width_list {
    size_t n; /* at least 2 */
    size_t of[GLIA_MAX_LAYERS + 1];
} width_list;

typedef struct network_list {
    size_t n;
    width_list of[MOST_IN_LIST];
} network_list;

typedef struct batch_list {
    size_t n;
    size_t of[MOST_IN_LIST];
} batch_list;

typedef struct precision_list {
    size_t n; /* 0: f32, and bf16 where CPU and build have it */
    glia_precision of[MOST_IN_LIST];
} precision_list;

typedef struct bench_options {
    source_options source;
    network_list networks;
    batch_list batches;
    precision_list precisions;
    int threads;
    int engine;            /* a glia_engine */
    const char *data;      /* NULL: mnist where it is found, else digits */
    bool train, inference; /* neither: both */
    double seconds;        /* a row */
} bench_options;

extern const struct option bench_option_table[];

void bench_set_defaults(void *options);

/* "784-256-10" */
void bench_show_network(const width_list *widths, char *text, size_t size);

#endif
