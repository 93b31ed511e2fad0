/* SPDX-License-Identifier: MIT */
/*
 * Training images, distorted (glia_augmentation). What becomes of an image is a function of (seed,
 * epoch, row of the data set): neither threads nor the order of calls change it.
 */
#ifndef GLIA_FEED_AUGMENT_H
#define GLIA_FEED_AUGMENT_H

#include "data/set/dataset.h"
#include "image/warp.h"
#include "model/settings.h"

typedef struct gi_augmenter gi_augmenter;

/* BAD_ARGUMENT when a number is out of its range. */
glia_status gi_augmentation_check(const glia_augmentation *augmentation, glia_error *error);

/* Whether it changes nothing; true for NULL. */
bool gi_augmentation_is_none(const glia_augmentation *augmentation);

/*
 * For images of a data set, which threads 0..n_threads-1 distort at the same time, at a level of
 * instruction set, over so many epochs. augmentation: or NULL. *out is NULL where there is nothing
 * to do. BAD_ARGUMENT; MISMATCH when the samples are no images of bytes.
 */
glia_status gi_augmenter_new(const glia_augmentation *augmentation, const glia_dataset *dataset,
                             uint64_t seed, size_t epochs, const char *isa, int n_threads,
                             gi_augmenter **out, glia_error *error);
void gi_augmenter_free(gi_augmenter *augmenter);

/* src (height, width) as it is in an epoch, being row `row`: valid until the thread's next call. */
const uint8_t *gi_augmenter_distort(gi_augmenter *augmenter, int thread, uint32_t epoch,
                                    uint64_t row, const uint8_t *src);

/* What is left of it in an epoch, counted from 0, of so many: see glia_augmentation.fade. */
glia_augmentation gi_augmentation_faded(const glia_augmentation *augmentation, size_t epoch,
                                        size_t epochs);

/* The affine part of what is drawn, and the stream, for the field that follows. */
gi_affine gi_augmentation_draw(const glia_augmentation *augmentation, size_t height, size_t width,
                               gi_rng *rng);

#endif
