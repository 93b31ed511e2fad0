/* SPDX-License-Identifier: MIT */
/* Measures one row of glia bench: samples a second in training and in inference. */
#ifndef GLIA_CLI_BENCH_BENCH_SPEED_H
#define GLIA_CLI_BENCH_BENCH_SPEED_H

#include "bench/bench_options.h"
#include "bench/bench_samples.h"
#include "glia.h"

/* A line of the result. */
struct row {
    bool training;
    const width_list *widths;
    glia_precision precision;
    size_t batch;
    const char *engine; /* static */
    int threads;
    double samples_per_second, gflops;
    double fraction; /* of the peak; NAN where there is none */
};

/*
 * Whether build and CPU have the engine and the precisions that the options ask for. Returns the
 * exit status, its reason said.
 */
int speed_check_options(const bench_options *options);

/* The precisions that are measured when --precision does not say; an error where bf16 is not. */
precision_list speed_default_precisions(const bench_options *options, glia_error *why_no_bf16);

/* A network that knows its data, as one that is used does: it has learned a few samples. */
glia_status speed_make_network(const bench_options *options, const struct samples *samples,
                               const width_list *widths, glia_network **out, glia_error *error);

/*
 * Each sets the row's samples_per_second, threads and engine, after a warm-up. When a signal comes
 * they end early, and the row is worth nothing.
 */
glia_status speed_train(const bench_options *options, const struct samples *samples,
                        glia_network *network, struct row *row, glia_error *error);
glia_status speed_infer(const bench_options *options, const struct samples *samples,
                        const glia_network *network, struct row *row, glia_error *error);

/*
 * Floating-point operations of a sample, zeros counted: forward, and training's gradient of the
 * weights and of what a layer reads, take 2 a weight each; the first layer needs no gradient of the
 * data.
 */
double speed_flop(const struct row *row);

#endif
