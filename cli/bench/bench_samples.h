/* SPDX-License-Identifier: MIT */
/* What glia bench feeds its networks with. */
#ifndef GLIA_CLI_BENCH_BENCH_SAMPLES_H
#define GLIA_CLI_BENCH_BENCH_SAMPLES_H

#include "bench/bench_options.h"
#include "glia.h"

struct samples {
    glia_dataset *set;
    const char *name; /* as --data has it; borrowed */
    glia_type type;
    size_t n, features, classes;
    void *x;          /* the first n_copied rows of the set, one after the other */
    uint32_t *labels; /* (n_copied) */
    size_t n_copied;
};

/*
 * Opens the data set that the options name, or the default one, for their networks and batches, and
 * copies what inference will go through. Returns the exit status, its reason said.
 */
int samples_open(const bench_options *options, struct samples *samples);

/*
 * In place of what is there: random bytes from 1 to 255 and random labels, as many as a network of
 * these widths wants.
 */
int samples_make_dense(const bench_options *options, const width_list *widths,
                       struct samples *samples);

/* An all-zero struct is legal. */
void samples_free(struct samples *samples);

#endif
