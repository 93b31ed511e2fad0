/* SPDX-License-Identifier: MIT */
/* How well a network does on a data set. */
#ifndef GLIA_TRAIN_METRICS_H
#define GLIA_TRAIN_METRICS_H

#include "base/thread.h"
#include "data/dataset.h"
#include "net/network.h"

/* glia_evaluate with the caller's threads. The result does not depend on how many they are. */
glia_status gi_evaluate(const glia_network *network, const glia_dataset *dataset, gi_pool *pool,
                        glia_metrics *metrics, uint64_t *confusion, glia_error *error);

/* MISMATCH unless the network can read the samples and knows their classes. */
glia_status gi_check_fit(const glia_network *network, const glia_dataset *dataset,
                         glia_error *error);

#endif
