/* SPDX-License-Identifier: MIT */
/*
 * Warps grey images: each pixel of the result is read, between four pixels of the source, at a
 * place that an affine map and a field of displacements give. Also that field: noise, smoothed.
 * Compiled once for each level of instruction set, as pack.c is.
 */
#ifndef GLIA_IMAGE_WARP_H
#define GLIA_IMAGE_WARP_H

#include "base/random.h"
#include "base/status.h"

/* Where a pixel (x, y) of the result comes from: (xx x + xy y + x0, yx x + yy y + y0). */
typedef struct gi_affine {
    float xx, xy, x0;
    float yx, yy, y0;
} gi_affine;

/*
 * What one thread needs to warp images of one size. Fields are (2, rows, ld), displacements of x,
 * then of y; rows and ld are height and width, padded. What is past height and width is undefined.
 */
enum { GI_WARP_ROWS = 4, GI_WARP_COLUMNS = 32, GI_WARP_STRIP = 7 };
typedef struct gi_warp_room {
    size_t height, width;
    size_t rows, ld;
    float *field;    /* (2, rows, ld) */
    float *half;     /* (2, rows, ld): smoothed along x alone */
    size_t pixel_ld; /* of pixels and quads */
    uint8_t *pixels; /* (height + 4, pixel_ld): the source within a frame of zeros */
    uint32_t *quads; /* (height + 2, pixel_ld): pixels x, x + 1 of row y, then of row y + 1 */
    /* Of GI_WARP_STRIP rows (.., ld) of the result: the quad, first its index, and the part of the
     * way from its first pixel on. */
    uint32_t *quad;
    float *part_x, *part_y;
} gi_warp_room;

/*
 * Weights of a normal distribution with standard deviation sigma, cut off at 3 sigma; their sum
 * is 1. weight[i], |i| <= radius + GI_WARP_COLUMNS, is zero beyond the radius.
 */
typedef struct gi_blur {
    size_t radius;
    float *weight; /* points into owned */
    float *owned;
} gi_blur;

typedef struct gi_warp {
    const char *isa; /* "baseline", "avx2", "avx512" */

    /*
     * dst (n), a multiple of 256, uniform on the 256 numbers -127.5, -126.5, ... 127.5. Blocks of
     * Philox from rng's next one on, 16 at a time: byte k of word w of block 16 g + l gives
     * dst[256 g + 64 k + 16 w + l].
     */
    void (*noise)(float *dst, size_t n, const gi_rng *rng);

    /* room->field = factor * its convolution with blur along both axes, zeros being outside. */
    void (*smooth)(gi_warp_room *room, const gi_blur *blur, float factor);

    /*
     * dst (height, width) = src, warped: bilinear between pixels, zero outside, rounded to the
     * nearest. With room->field if has_field. dst has room for GI_WARP_COLUMNS bytes more.
     */
    void (*apply)(uint8_t *dst, const uint8_t *src, const gi_affine *map, bool has_field,
                  gi_warp_room *room);
} gi_warp;

/* The one for a level of instruction set, NULL being the best that this CPU has; NULL if none. */
const gi_warp *gi_warp_for(const char *isa);

/* The largest image: its sides, and the pixels in all. */
enum { GI_WARP_MAX_SIDE = 16384, GI_WARP_MAX_PIXELS = 1 << 24 };

/* height, width: within those limits. has_field: whether fields will be used. */
glia_status gi_warp_room_new(size_t height, size_t width, bool has_field, gi_warp_room *out,
                             glia_error *error);
void gi_warp_room_free(gi_warp_room *room);

/* sigma > 0, at most GI_BLUR_MAX_SIGMA. */
enum { GI_BLUR_MAX_SIGMA = 1000 };
glia_status gi_blur_new(double sigma, gi_blur *out, glia_error *error);
void gi_blur_free(gi_blur *blur);

#endif
