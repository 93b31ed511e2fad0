/* SPDX-License-Identifier: MIT */
/* Whether targets have anything to do with the samples that they stand beside. */
#ifndef GLIA_DIAGNOSE_RELATION_H
#define GLIA_DIAGNOSE_RELATION_H

#include "data/set/dataset.h"
#include "net/network.h"

/* Targets as they stand, and those of the row before and of the row after. */
enum { GI_OWN, GI_BEFORE, GI_AFTER, GI_SHIFTS };

typedef struct gi_relation {
    size_t samples;   /* that were looked at; 0: too few for their features, so nothing is known */
    double explained; /* of the targets' variance, by a regression on the features; 0 to 1 */
    /*
     * The strongest sign of a relation, in standard errors: 0 is what targets in random order come
     * to, and 3 is hardly ever exceeded by them.
     */
    double sign[GI_SHIFTS];
    /*
     * Logarithms of Bayes factors: how much more likely the targets are if there is a relation than
     * if there is none. The weak one's best classifier has a ROC AUC of 0.62, the moderate one's of
     * 0.69. Below 0 the data speak against it; near 0 they are too few to say anything.
     */
    double weak, moderate[GI_SHIFTS];
} gi_relation;

/*
 * Looks at up to 4096 samples; work: about how many multiplications it may take. network says how
 * targets are scaled. Without memory, nothing is known.
 */
gi_relation gi_relation_of(const glia_network *network, const glia_dataset *dataset, double work);

#endif
