/* SPDX-License-Identifier: MIT */
/*
 * How samples enter a network, for whoever puts them there: trainer, evaluation, probe, predictor.
 * A row of the data set is read, as pairs where it is sparse; an image is straightened, and in
 * training distorted; then it is put into a batch in the form that the first layer reads (row.h),
 * with its class or targets, and its weight.
 */
#ifndef GLIA_FEED_LOADER_H
#define GLIA_FEED_LOADER_H

#include "data/set/dataset.h"
#include "net/workspace.h"

typedef struct gi_loader gi_loader;

/* All is borrowed for as long as the loader lives; augmentation only while it is made. */
typedef struct gi_loader_params {
    const glia_network *network;
    const gi_plan *plan;         /* of the batches that are filled */
    const glia_dataset *dataset; /* NULL: rows are the caller's, by gi_loader_load_row */
    int n_threads;               /* that load at the same time */
    /* Of training; zero is none of it: */
    bool for_training;                     /* straightened images are kept for the next epoch */
    const glia_augmentation *augmentation; /* or NULL */
    uint64_t seed;                         /* of the distortions, */
    size_t epochs;                         /* over so many */
    const double *class_weights;           /* (classes), or NULL */
} gi_loader_params;

/* BAD_ARGUMENT and MISMATCH as gi_augmenter_new; BAD_ARGUMENT for images too large to straighten.
 */
glia_status gi_loader_new(const gi_loader_params *params, gi_loader **out, glia_error *error);
void gi_loader_free(gi_loader *loader);

/*
 * Puts a sample, as it is in an epoch, into row r of a batch: inputs, class or targets, and where
 * the workspace is weighted its weight. place: in the epoch's order, which noise and dropout are
 * drawn for. Threads 0..n_threads-1 may do so at the same time, for different samples.
 */
void gi_loader_load(gi_loader *loader, int thread, uint32_t epoch, size_t index, uint64_t place,
                    gi_workspace *workspace, size_t r);

/* Puts a row (inputs) of the caller's into row r: inputs alone, without noise and dropout. */
void gi_loader_load_row(gi_loader *loader, int thread, glia_type type, const void *x,
                        gi_workspace *workspace, size_t r);

#endif
