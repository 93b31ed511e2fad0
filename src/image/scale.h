/* SPDX-License-Identifier: MIT */
/* Scaling a part of an image; gi_image_scale() in image.h scales all of one. */
#ifndef GLIA_IMAGE_SCALE_H
#define GLIA_IMAGE_SCALE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The part of an image. */
struct gi_box {
    size_t top, left, height, width;
};

/*
 * Pixel (i, j) of a box of src (rows of stride pixels) scaled by scale_y, scale_x. What lies beyond
 * the box counts as 0 (outside_is_dark) or does not count.
 */
double gi_box_scaled(const uint8_t *src, size_t stride, struct gi_box box, double scale_y,
                     double scale_x, size_t i, size_t j, bool outside_is_dark);

static inline uint8_t gi_to_pixel(double value)
{
    return value >= 255 ? 255 : value > 0 ? (uint8_t)(value + 0.5) : 0;
}

#endif
