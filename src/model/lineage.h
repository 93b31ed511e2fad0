/* SPDX-License-Identifier: MIT */
/*
 * How a data set was divided before a network learned from it: enough to divide the same data in
 * the same way again, and so to find the samples that the network has not learned from.
 */
#ifndef GLIA_MODEL_LINEAGE_H
#define GLIA_MODEL_LINEAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GI_MAX_DIVISIONS = 4 };

/* One call of glia_dataset_hold_out, or of glia_dataset_hold_out_last. */
typedef struct gi_division {
    double held_out; /* a fraction or a count, as there */
    bool is_last;    /* the last samples were held out; else samples drawn by the seed */
    uint64_t seed;
} gi_division;

/* Each division divides the rest of the one before. All zero: a set that was never divided. */
typedef struct gi_lineage {
    gi_division of[GI_MAX_DIVISIONS]; /* (n) */
    size_t n;
    bool is_held;  /* the set is the part that the last division held out */
    bool is_other; /* it came about in another way: by folds, or by more divisions than fit */
} gi_lineage;

/* Which samples a network has learned from, of a set that was divided or is a table. */
typedef struct gi_learned_rows {
    bool is_known;     /* else the rest means nothing */
    bool is_validated; /* what the first division held out has validated the training */
    gi_lineage lineage;
    uint32_t fingerprint; /* of the samples, as the network reads them */
    char group[256];      /* the column whose groups the divisions kept together; or "", */
    bool group_is_text;   /* and whether it holds texts or numbers */
} gi_learned_rows;

#endif
