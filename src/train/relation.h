/* SPDX-License-Identifier: MIT */
/* Whether targets have anything to do with the samples that they stand beside. */
#ifndef GLIA_TRAIN_RELATION_H
#define GLIA_TRAIN_RELATION_H

#include "data/dataset.h"
#include "net/network.h"

/*
 * Numbers are standard errors: 0 is what targets in random order come to, and 3 is hardly ever
 * exceeded by them.
 */
typedef struct gi_relation {
    size_t samples;   /* that were looked at; 0: too few for their features, so nothing is known */
    double related;   /* the strongest sign that targets belong to their samples */
    double explained; /* of the targets' variance, by a regression on the features; 0 to 1 */
    double weak;      /* from what a weak relation would have shown: far below 0, there is none */
    double shifted;   /* as related, of targets that are moved by a row, */
    int shift;        /*   1: a sample's own target stands in the row after it; -1: before it */
} gi_relation;

/*
 * Looks at up to 4096 samples; work: about how many multiplications it may take. network says how
 * targets are scaled. Without memory, nothing is known.
 */
gi_relation gi_relation_of(const glia_network *network, const glia_dataset *dataset, double work);

#endif
