/* SPDX-License-Identifier: MIT */
/*
 * A data set: samples (samples, features) with a class or values each. Pixels stay bytes until a
 * batch is filled, cells of a table numbers as they stand in it: nothing here copies the set to
 * floats.
 */
#ifndef GLIA_DATA_SET_DATASET_H
#define GLIA_DATA_SET_DATASET_H

#include "base/file.h"
#include "base/pairs.h"
#include "base/status.h"
#include "model/image_form.h"
#include "model/lineage.h"
#include "model/schema.h"

/*
 * Rows that are made when they are asked for: images that are drawn, rows of a table, sparse text.
 * All functions may be called by any number of threads at the same time.
 */
typedef struct gi_rows {
    /* Row number `row` into x (features), of the data set's type, or not if x is NULL; returns its
     * class, or 0. */
    uint32_t (*read)(const void *source, uint64_t row, void *x);
    /* targets (n) of a row, from output `first` on: of values and multi-label sets; else NULL. */
    void (*read_targets)(const void *source, uint64_t row, size_t first, size_t n, double *targets);
    /*
     * Of sources whose rows are mostly zeros, else NULL: the same by the non-zeros alone, into room
     * for most_pairs of them, or where they lie; and the most that a row may have, more than 0.
     */
    uint32_t (*read_pairs)(const void *source, uint64_t row, const gi_pair_room *room,
                           gi_pairs *out);
    size_t (*most_pairs)(const void *source);
    /* Asks the memory for a row that will be read soon; or NULL. */
    void (*prefetch)(const void *source, uint64_t row);
    /* A number that stands for all of it, for gi_dataset_checksum. */
    uint32_t (*checksum)(const void *source);
    void (*keep)(void *source); /* one more data set has it, that will free it too */
    void (*free)(void *source);
    /* Epoch e has other rows than the one before: e * samples ..., else they are always the same.
     */
    bool is_endless;
} gi_rows;

/*
 * Invariants: samples > 0, features > 0, outputs > 0; of classes: outputs is their number, and
 * every label < outputs; of values and of several labels: targets, or rows.read_targets; height *
 * width * channels == features, or they are 0 and form is GI_FORM_NONE.
 */
struct glia_dataset {
    char *name;
    glia_type type;
    glia_task task;
    size_t samples, features;
    size_t classes; /* of GLIA_TASK_VALUES and GLIA_TASK_LABELS: outputs, each with a name */
    size_t height, width, channels;
    enum gi_image_form form;
    bool from_zero;     /* of sparse text: features count from 0, not from 1 */
    double divisor;     /* a feature enters the network as value / divisor: 255 for bytes, else 1 */
    char **class_names; /* (classes); of values, the names of what they are; one block */

    const void *x;          /* (rows of the base, features); NULL: rows are made by source */
    const uint32_t *labels; /* (rows of the base); NULL likewise, and where there are no classes */
    const float *targets;   /* (rows of the base, classes) of values and of several labels; */
    const double *targets_f64; /* or these; NULL likewise */
    const uint32_t *rows;      /* (samples): which rows this set has; NULL: all in order */
    float *weights;            /* (samples), owned: how much each counts; NULL: all the same */
    gi_lineage lineage;        /* how it was divided from the whole */

    const gi_schema *schema; /* of rows of a table: how they are read; the source's; or NULL */

    /* Where x is NULL. */
    gi_rows source;
    void *source_of;
    size_t chunk; /* of a set that stays on disk: samples that lie together, about 1 MiB; or 0 */
    bool is_unlabelled; /* rows without what is to be predicted: they cannot be learned from */
    char *notes;        /* of glia_dataset_notes; or NULL */
    size_t n_unread;    /* of a folder of images: those that could not be read, and were skipped */

    /* What is owned; each may be empty. */
    gi_file file;
    void *owned_x;
    uint32_t *owned_labels;
    uint32_t *owned_rows;
};

/* The caller's params, as far as they are known on both sides; NULL: the default ones. */
glia_data_params gi_data_params(const glia_data_params *params, size_t size);

/*
 * A set with name, sizes and class names ("0", "1", ... when class_names is NULL, which is borrowed
 * during the call) and no samples yet; the caller sets the rest. Checks the invariants on sizes.
 */
glia_status gi_dataset_new(const char *name, glia_type type, size_t samples, size_t features,
                           size_t classes, const char *const *class_names, glia_dataset **out,
                           glia_error *error);

/*
 * Gives classes the places that they have among n names, if each of them is there; else, and where
 * labels are not a list of its own, the set stays as it is.
 */
glia_status gi_dataset_take_classes(glia_dataset *dataset, char *const *names, size_t n,
                                    glia_error *error);

/* Of all that its samples are: features, labels, weights; of a set that is drawn, what draws it. */
uint32_t gi_dataset_checksum(const glia_dataset *dataset);

/* Of some samples all over the set, in their order: tells whether another set has the same ones. */
glia_status gi_dataset_fingerprint(const glia_dataset *dataset, uint32_t *out, glia_error *error);

/* How much a sample counts in training: 1 unless glia_dataset_set_weights said otherwise. */
double gi_dataset_weight(const glia_dataset *dataset, size_t index);

/*
 * One sample as it is in an epoch: returns its features (features) and sets *label, 0 where there
 * are no classes. Points into the set, or into scratch (gi_dataset_row_bytes, 64-byte aligned) when
 * the row is made as needed. Any number of threads may call it at the same time.
 */
const void *gi_dataset_row(const glia_dataset *dataset, uint32_t epoch, size_t index,
                           uint8_t *scratch, uint32_t *label);

/*
 * The same by the non-zeros alone, of a set whose source has them: gi_dataset_most_pairs > 0, the
 * most that a sample has, for which room is there. It may point into the set.
 */
size_t gi_dataset_most_pairs(const glia_dataset *dataset);
void gi_dataset_pairs(const glia_dataset *dataset, size_t index, const gi_pair_room *room,
                      gi_pairs *out, uint32_t *label);

/* The class of a sample of a set that is not endless; 0 where there are none. */
uint32_t gi_dataset_label(const glia_dataset *dataset, size_t index);

/* Targets (n) of a sample, from output `first` on: values as the network is to give them, or 0 and
 * 1 of several labels. Not of a set with classes. */
void gi_dataset_targets(const glia_dataset *dataset, size_t index, size_t first, size_t n,
                        double *targets);

/* Asks the memory for a row that will be read soon. */
void gi_dataset_prefetch(const glia_dataset *dataset, size_t index);

/* The part of the features that is not zero, by a few hundred samples. */
glia_status gi_dataset_density(const glia_dataset *dataset, double *out, glia_error *error);

/* Whether a row needs scratch; and whether rows are other ones in every epoch. */
bool gi_dataset_needs_scratch(const glia_dataset *dataset);
bool gi_dataset_is_endless(const glia_dataset *dataset);

/* Bytes of one row. */
size_t gi_dataset_row_bytes(const glia_dataset *dataset);

/* The number that a sparse file gives its first feature, 0 or 1; 0 for any other data set. */
size_t gi_sparse_first_feature(const glia_dataset *dataset);

#endif
