/* SPDX-License-Identifier: MIT */
/*
 * A run, kept in a file while it goes on, from which it can be continued to the same bits: a
 * safetensors file of all parameters and what lies beside them, as they are in memory, with its
 * counters and what it is about as JSON. Random numbers need no state: they are functions of epoch
 * and place.
 */
#ifndef GLIA_TRAIN_CHECKPOINT_H
#define GLIA_TRAIN_CHECKPOINT_H

#include <jansson.h>

#include "net/network.h"

/* What changes as a run goes on, besides its arrays. */
typedef struct gi_run_state {
    size_t epoch;    /* under way, from 0: so many are completed */
    size_t done;     /* samples of the epoch */
    size_t reported; /* ... at the last call of the callback */
    size_t step;     /* of the whole run */
    /* Of the epoch, over done: */
    double loss_sum, weight_sum;
    double square_sum; /* of values, over outputs too, in squares of gi_network_output_unit */
    size_t correct;
    /* Of the completed epochs; NAN, INFINITY where there is none: */
    size_t best_epoch, epochs_without_better, samples;
    double train_loss, train_accuracy, train_rmse;
    double best_loss, validation_loss, validation_accuracy, validation_rmse;
    double seconds; /* that it has taken */
} gi_run_state;

/* Where a run can be: between two of these steps. */
typedef struct gi_run_limits {
    size_t epochs, samples, batch, steps_an_epoch;
} gi_run_limits;

/* The arrays of a run: some of them, each (n_layers) and named, NULL where there is none. */
enum { GI_KEPT_ARRAYS = 5 };
typedef struct gi_kept_arrays {
    const char *name[GI_KEPT_ARRAYS];
    gi_shadow *of[GI_KEPT_ARRAYS];
} gi_kept_arrays;

/*
 * Writes the file, atomically. about: what must be the same for a run to go on from here; borrowed.
 */
glia_status gi_checkpoint_write(const char *path, const glia_network *network,
                                const gi_kept_arrays *arrays, const gi_run_state *state,
                                const json_t *about, glia_error *error);

/*
 * Reads it back into the arrays and *state, which are changed only if it is whole (a checksum
 * tells) and fits. MISMATCH if it is of another run, with what differs; NOT_FOUND; BAD_FORMAT.
 */
glia_status gi_checkpoint_read(const char *path, const glia_network *network,
                               const gi_kept_arrays *arrays, const gi_run_limits *limits,
                               gi_run_state *state, const json_t *about, glia_error *error);

/* The same from bytes (path is for messages), so that a fuzzer can call it. */
glia_status gi_checkpoint_parse(const char *path, const uint8_t *bytes, size_t n_bytes,
                                const glia_network *network, const gi_kept_arrays *arrays,
                                const gi_run_limits *limits, gi_run_state *state,
                                const json_t *about, glia_error *error);

#endif
