/* SPDX-License-Identifier: MIT */
/*
 * A data set: samples (samples, features) with a class each. Pixels stay bytes until a batch is
 * filled: nothing here copies the set to floats.
 */
#ifndef GLIA_DATA_DATASET_H
#define GLIA_DATA_DATASET_H

#include "base/file.h"
#include "base/image_form.h"
#include "base/status.h"

/* Draws image `index` of a split into pixels (features) and returns its label. */
typedef uint32_t gi_draw(uint64_t seed, glia_split split, uint64_t index, uint8_t *pixels);

/*
 * Invariants: samples > 0, features > 0, 0 < classes; every label < classes;
 * height * width == features, or both are 0 and form is GI_FORM_NONE.
 */
struct glia_dataset {
    char *name;
    glia_type type;
    size_t samples, features, classes;
    size_t height, width;
    enum gi_image_form form;
    double divisor;     /* a feature enters the network as value / divisor: 255 for bytes, else 1 */
    char **class_names; /* (classes); one block, freed at once */

    const void *x;          /* (rows of the base, features); NULL when images are drawn as needed */
    const uint32_t *labels; /* (rows of the base); NULL likewise */
    const uint32_t *rows;   /* (samples): which rows this set has; NULL: all in order */
    float *weights;         /* (samples), owned: how much each counts; NULL: all the same */

    /* Of a set that is drawn as needed (x is NULL): epoch e has images e * samples ... */
    gi_draw *draw;
    uint64_t draw_seed;
    glia_split draw_split;

    /* What is owned; each may be empty. */
    gi_file file;
    void *owned_x;
    uint32_t *owned_labels;
    uint32_t *owned_rows;
};

/*
 * A set with name, sizes and class names ("0", "1", ... when class_names is NULL, which is borrowed
 * during the call) and no samples yet; the caller sets the rest. Checks the invariants on sizes.
 */
glia_status gi_dataset_new(const char *name, glia_type type, size_t samples, size_t features,
                           size_t classes, const char *const *class_names, glia_dataset **out,
                           glia_error *error);

/* Of all that its samples are: features, labels, weights; of a set that is drawn, what draws it. */
uint32_t gi_dataset_checksum(const glia_dataset *dataset);

/* How much a sample counts in training: 1 unless glia_dataset_set_weights said otherwise. */
double gi_dataset_weight(const glia_dataset *dataset, size_t index);

/*
 * One sample as it is in an epoch: returns its features (features) and sets *label. Points into
 * the set, or into scratch (features bytes, 64-byte aligned) when the image is drawn as needed.
 * Any number of threads may call it at the same time.
 */
const void *gi_dataset_row(const glia_dataset *dataset, uint32_t epoch, size_t index,
                           uint8_t *scratch, uint32_t *label);

/* Asks the memory for a row that will be read soon. */
void gi_dataset_prefetch(const glia_dataset *dataset, size_t index);

/* The part of the features that is not zero, by a few hundred samples. */
glia_status gi_dataset_density(const glia_dataset *dataset, double *out, glia_error *error);

/* Whether a row needs scratch. */
bool gi_dataset_is_drawn(const glia_dataset *dataset);

/* Bytes of one row. */
size_t gi_dataset_row_bytes(const glia_dataset *dataset);

#endif
