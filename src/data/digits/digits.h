/* SPDX-License-Identifier: MIT */
/*
 * The built-in digits: 28 x 28 images drawn from pen-stroke skeletons, in MNIST's manner. An image
 * is a function of (seed, split, index), so a fresh set an epoch costs no storage. The training and
 * the test images of one seed are different streams of the same distribution.
 */
#ifndef GLIA_DATA_DIGITS_DIGITS_H
#define GLIA_DATA_DIGITS_DIGITS_H

#include "base/status.h"

enum { GI_DIGITS_TRAIN = 60000, GI_DIGITS_TEST = 10000, GI_DIGITS_SIDE = 28 };

/*
 * Draws image `index` (below 2^56) of a split into pixels (28, 28) and returns its digit, 0..9.
 * Safe from many threads; allocates nothing; the same bits for the same arguments on one machine.
 */
uint32_t gi_digits_draw(uint64_t seed, glia_split split, uint64_t index, uint8_t *pixels);

/* The data set "digits": 60,000 training or 10,000 test images, stored, or (fresh) as needed. */
glia_status gi_digits_open(glia_split split, const glia_data_params *params, glia_dataset **out,
                           glia_error *error);

#endif
