/* SPDX-License-Identifier: MIT */
/* Samples of which most features are zero, and the data sets that are made of them. */
#ifndef GLIA_DATA_SET_SPARSE_H
#define GLIA_DATA_SET_SPARSE_H

#include <stdatomic.h>

#include "model/reading.h"

/*
 * Row r has the pairs first_pair[r] .. first_pair[r + 1] - 1 of column and value, in the order of
 * their columns, none twice, and the labels first_label[r] .. first_label[r + 1] - 1.
 */
typedef struct gi_sparse {
    atomic_int users; /* data sets that share it */
    size_t rows, n_features, n_outputs;
    size_t most_pairs;   /* of a row; set by gi_sparse_dataset */
    size_t *first_pair;  /* (rows + 1) */
    uint32_t *column;    /* (pairs); while a text is read, the index that stands there */
    float *value;        /* (pairs) */
    size_t *first_label; /* (rows + 1) */
    double *label;       /* (labels), as they stand in the file; */
    uint32_t *output;    /* (labels), the class or output that each is: of classes and labels */
} gi_sparse;

/* What its rows were found to be, beside what they hold. */
typedef struct gi_sparse_facts {
    const char *path; /* for messages; borrowed */
    const char *kind; /* "sparse text", for people */
    size_t largest;   /* index */
    size_t width;     /* features, where the file says so; else 0 */
    bool from_zero;   /* an index is 0, or the file counts from it */
    bool many;        /* a row has no label, or several */
    bool has_queries; /* a row says to which query it belongs, which is left out */
    bool has_long;    /* a label is a whole number that a double may not hold */
} gi_sparse_facts;

void gi_sparse_free(gi_sparse *sparse);

/*
 * Of a data set of sparse samples: the largest root mean square of a feature, which is learned from
 * as it is, and the number of that feature in its file. *rms is 0 for any other data set.
 */
glia_status gi_sparse_largest(const struct glia_dataset *dataset, double *rms, size_t *index,
                              glia_error *error);

/*
 * A data set of the rows, which it takes over unless it fails. loss and like are those of
 * gi_libsvm_open. BAD_FORMAT, MISMATCH, NO_MEMORY.
 */
glia_status gi_sparse_dataset(gi_sparse *sparse, const gi_sparse_facts *facts, const char *name,
                              glia_loss loss, const gi_reading *like, glia_dataset **out,
                              glia_error *error);

#endif
