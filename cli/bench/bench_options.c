/* SPDX-License-Identifier: MIT */
/* Reads the lists that glia bench takes; the table of its options. */
#include "bench/bench_options.h"

#include <stdio.h>
#include <string.h>

#include "job/train_options.h"

enum { LARGEST_BATCH = 1000000 };

/* ---- Lists --------------------------------------------------------------------------------- */

/* "784-256-10" */
static bool parse_network(const char *text, width_list *out)
{
    width_list widths = {0};
    for (;;) {
        size_t length = strcspn(text, "-");
        char item[32];
        uint64_t units;
        if (length >= sizeof item || widths.n == GLIA_MAX_LAYERS + 1) return false;
        snprintf(item, sizeof item, "%.*s", (int)length, text);
        if (!parse_count(item, &units) || units < 1 || units > GLIA_MAX_UNITS) return false;
        widths.of[widths.n++] = (size_t)units;
        if (text[length] == '\0') break;
        text += length + 1;
    }
    if (widths.n < 2 || widths.of[widths.n - 1] > GLIA_MAX_CLASSES) return false;
    *out = widths;
    return true;
}

static bool parse_networks(const char *text, void *field)
{
    network_list list = {0};
    char item[LONGEST_NETWORK];
    while (next_item(&text, item, sizeof item)) {
        if (list.n == MOST_IN_LIST || strlen(item) == sizeof item - 1) return false;
        if (!parse_network(item, &list.of[list.n++])) return false;
    }
    *(network_list *)field = list;
    return true;
}

void bench_show_network(const width_list *widths, char *text, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < widths->n && used < size; i++)
        used +=
            (size_t)snprintf(text + used, size - used, "%s%zu", i > 0 ? "-" : "", widths->of[i]);
}

static bool parse_batches(const char *text, void *field)
{
    batch_list list = {0};
    char item[32];
    while (next_item(&text, item, sizeof item)) {
        uint64_t batch;
        if (list.n == MOST_IN_LIST || !parse_count(item, &batch)) return false;
        if (batch < 1 || batch > LARGEST_BATCH) return false;
        list.of[list.n++] = (size_t)batch;
    }
    *(batch_list *)field = list;
    return true;
}

static bool parse_precisions(const char *text, void *field)
{
    precision_list list = {0};
    char item[32];
    while (next_item(&text, item, sizeof item)) {
        size_t n = list.n++;
        if (n == MOST_IN_LIST || !glia_precision_from_name(item, &list.of[n])) return false;
    }
    *(precision_list *)field = list;
    return true;
}

/* ---- The table ----------------------------------------------------------------------------- */

#define FIRST_NETWORKS     "784-32-10,784-256-10,784-1024-10,784-4096-10"
#define FIRST_BATCHES      "1,16,64,128,1024"

#define BENCH_FIELD(field) .offset = offsetof(bench_options, field)

static const char *const engine_names[] = {
#define X(name, text) text,
    GLIA_ENGINE_LIST(X)
#undef X
        NULL};

static const char *const precision_names[] = {
#define X(name, text) text,
    GLIA_PRECISION_LIST(X)
#undef X
        NULL};

/* clang-format off */
const struct option bench_option_table[] = {
    {.kind = OPTION_HEADING, .name = "Rows"},
    {.kind = OPTION_OTHER, .name = "network", .metavar = "LIST", BENCH_FIELD(networks),
     .parse = parse_networks,
     .expected = "networks such as 784-256-10 or 784-32-10,784-256-10: inputs, units of each hidden "
                 "layer, classes (at most 64 layers of 1 to 1048576 units, 65536 classes)",
     .shown_default = FIRST_NETWORKS,
     .help = "networks, as 784-256-10: inputs, relu units of each hidden layer, classes"},
    {.kind = OPTION_OTHER, .name = "batch", .metavar = "LIST", BENCH_FIELD(batches),
     .parse = parse_batches, .shown_default = FIRST_BATCHES,
     .expected = "numbers of samples such as 64 or 1,64,128, each from 1 to 1000000",
     .help = "samples for each update, and for each call that predicts"},
    {.kind = OPTION_OTHER, .name = "precision", .metavar = "LIST", BENCH_FIELD(precisions),
     .parse = parse_precisions, .choices = precision_names,
     .expected = "f32, bf16 or f32,bf16",
     .shown_default = "f32, and bf16 where CPU and build have it", .help = "f32, bf16 or both"},
    {.kind = OPTION_CHOICE, .name = "engine", .metavar = "NAME", BENCH_FIELD(engine),
     .choices = engine_names,
     .help = "the engine that computes; auto takes native for f32, onednn for bf16"},
    {.kind = OPTION_INT, .name = "threads", .metavar = "N", BENCH_FIELD(threads), .max = 1024,
     .help = "largest number of threads; 0: one for each core; a row that is too small to share "
             "takes one"},
    {.kind = OPTION_FLAG, .name = "train", BENCH_FIELD(train), .help = "measure training alone"},
    {.kind = OPTION_FLAG, .name = "inference", BENCH_FIELD(inference),
     .help = "measure inference alone"},
    {.kind = OPTION_REAL, .name = "seconds", .metavar = "X", BENCH_FIELD(seconds),
     .above_min = true, .max = 3600, .help = "seconds to measure each row, without its warm-up"},

    {.kind = OPTION_HEADING, .name = "Data"},
    {.kind = OPTION_TEXT, .name = "data", .metavar = "DATA", BENCH_FIELD(data),
     .shown_default = "mnist where it is found, else digits",
     .help = "a data set, or dense: random bytes without zeros, for networks with any number of "
             "inputs"},
    SOURCE_DIRECTORY_OPTION,
    SOURCE_MIRROR_OPTION,
    SOURCE_OFFLINE_OPTION,
    SOURCE_SEED_OPTION,
    COMMON_OPTIONS,
};
/* clang-format on */

void bench_set_defaults(void *field)
{
    bench_options *options = field;
    source_set_defaults(&options->source);
    parse_networks(FIRST_NETWORKS, &options->networks);
    parse_batches(FIRST_BATCHES, &options->batches);
    options->engine = GLIA_ENGINE_AUTO;
    options->seconds = 0.3;
}
