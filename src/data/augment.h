/* SPDX-License-Identifier: MIT */
/*
 * Training images as a network sees them: straightened (glia_preprocess), then distorted
 * (glia_augmentation). What becomes of an image is a function of (seed, epoch,
 * row of the data set): neither threads nor the order of calls change it.
 */
#ifndef GLIA_DATA_AUGMENT_H
#define GLIA_DATA_AUGMENT_H

#include "compute/warp.h"
#include "data/dataset.h"

typedef struct gi_augmenter gi_augmenter;

/* BAD_ARGUMENT when a number is out of its range. */
glia_status gi_augmentation_check(const glia_augmentation *augmentation, glia_error *error);

/* Whether it changes nothing; true for NULL. */
bool gi_augmentation_is_none(const glia_augmentation *augmentation);

/*
 * For images of a data set, which threads 0..n_threads-1 straighten and distort at the same time,
 * at a level of instruction set, over so many epochs. augmentation: or NULL. *out is NULL where
 * there is nothing to do. BAD_ARGUMENT; MISMATCH when the samples are no images of bytes.
 */
glia_status gi_augmenter_new(const glia_augmentation *augmentation, unsigned preprocess,
                             const glia_dataset *dataset, uint64_t seed, size_t epochs,
                             const char *isa, int n_threads, gi_augmenter **out, glia_error *error);
void gi_augmenter_free(gi_augmenter *augmenter);

/*
 * As gi_dataset_row, straightened and distorted. The features are valid until the thread's next
 * call; augmenter NULL: gi_dataset_row itself.
 */
const void *gi_augmenter_row(gi_augmenter *augmenter, int thread, const glia_dataset *dataset,
                             uint32_t epoch, size_t index, uint8_t *scratch, uint32_t *label);

/* What is left of it in an epoch, counted from 0, of so many: see glia_augmentation.fade. */
glia_augmentation gi_augmentation_faded(const glia_augmentation *augmentation, size_t epoch,
                                        size_t epochs);

/* The affine part of what is drawn, and the stream, for the field that follows. */
gi_affine gi_augmentation_draw(const glia_augmentation *augmentation, size_t height, size_t width,
                               gi_rng *rng);

#endif
