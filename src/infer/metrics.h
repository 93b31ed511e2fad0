/* SPDX-License-Identifier: MIT */
/* How well a network does on a data set. */
#ifndef GLIA_INFER_METRICS_H
#define GLIA_INFER_METRICS_H

#include "base/thread.h"
#include "data/set/dataset.h"
#include "net/network.h"

/*
 * What evaluating a network on a data set needs, made once for any number of runs, so that a run
 * cannot fail. Borrows all three. smoothing: of labels, for a loss that is the one that training
 * lowers. MISMATCH as gi_check_fit says.
 */
typedef struct gi_evaluation gi_evaluation;
glia_status gi_evaluation_new(const glia_network *network, const glia_dataset *dataset,
                              gi_pool *pool, double smoothing, gi_evaluation **out,
                              glia_error *error);
void gi_evaluation_free(gi_evaluation *evaluation);

/*
 * Scores the network as it is now; confusion as in glia_evaluate, or NULL. The result does not
 * depend on the number of threads. What needs a sorted list of the samples is left to the other.
 */
glia_metrics gi_evaluation_run(gi_evaluation *evaluation, uint64_t *confusion);

/* Adds roc_auc and average_precision of the last run to its metrics. */
glia_status gi_evaluation_rank(const gi_evaluation *evaluation, glia_metrics *metrics,
                               glia_error *error);

/*
 * MISMATCH unless the network can read the samples, knows their classes, and was made for features
 * on their scale.
 */
glia_status gi_check_fit(const glia_network *network, const glia_dataset *dataset,
                         glia_error *error);

#endif
