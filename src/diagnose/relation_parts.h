/* SPDX-License-Identifier: MIT */
/* What the tests of a relation share; see relation.c. */
#ifndef GLIA_DIAGNOSE_RELATION_PARTS_H
#define GLIA_DIAGNOSE_RELATION_PARTS_H

#include "diagnose/relation.h"

enum { GI_MOST_TARGETS = 8 }; /* of more classes, those after the most frequent one */

/* A finding cannot be larger. */
#define GI_CERTAIN 50.0

typedef struct gi_look {
    const glia_dataset *dataset;
    size_t n, p, q;   /* samples, columns, targets */
    size_t features;  /* that the columns were made of */
    float *x;         /* (n, p), standardised */
    float *y;         /* (n, q): indicators of classes, or targets, which are standardised */
    uint32_t *label;  /* (n), of classes */
    double *rarity;   /* (classes): one divided by the frequency of a class */
    size_t *near_row; /* (n, GI_SHIFTS): the sample itself, before, after; SIZE_MAX: not there */
    double varied;    /* how often two samples have different classes; of values 1 */
} gi_look;

/* What a test has found of each shift. */
typedef struct gi_finding {
    bool known;
    double sign[GI_SHIFTS]; /* as in gi_relation, as what follows */
    bool weighed;           /* Bayes factors are known */
    double weak, moderate[GI_SHIFTS];
    double explained; /* of the variance, corrected for the number of columns */
} gi_finding;

/* Columns and, behind them, targets of each shift: what they are and their cross products. */
typedef struct gi_products {
    size_t p, t;      /* columns; with the targets */
    size_t *feature;  /* (p): that a column was made of; NULL: each is one */
    float *threshold; /* (p): a column is whether its feature exceeds it */
    double *sum;      /* (t, t), centred */
} gi_products;

void gi_products_free(gi_products *s);

/* The indicators of the quarters of each feature, but for those that are the same for all or as one
 * before; false: there is none, or no memory. */
bool gi_find_steps(const gi_look *l, gi_products *s);

/* A regression on the columns; on the steps; on the steps of each feature alone, of which the best
 * counts. The latter two need the steps' products. */
gi_finding gi_regress_linear(const gi_look *l);
gi_finding gi_regress_steps(const gi_look *l, const gi_products *s);
gi_finding gi_regress_best(const gi_look *l, const gi_products *s);
bool gi_multiply(const gi_look *l, gi_products *s);

/* Whether samples that are near each other, or that have the same pairs of steps, have targets that
 * are alike. */
gi_finding gi_compare_neighbours(const gi_look *l, double work);
gi_finding gi_compare_pairs(const gi_look *l, const gi_products *s, double work);

#endif
