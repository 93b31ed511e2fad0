/* SPDX-License-Identifier: MIT */
/* What the decoders of images share; private to this folder. */
#ifndef GLIA_IMAGE_CODECS_H
#define GLIA_IMAGE_CODECS_H

#include "image/image.h"

/* BAD_FORMAT for an image that is larger than is read. */
glia_status gi_image_check_size(const char *path, uint64_t width, uint64_t height,
                                glia_error *error);

/* ---- png.c, jpeg.c: images as they are stored, not turned ---- */

glia_status gi_png_parse(const char *path, const uint8_t *bytes, size_t n_bytes, size_t channels,
                         glia_image *out, glia_error *error);
glia_status gi_png_probe(const char *path, const uint8_t *bytes, size_t n_bytes, gi_image_kind *out,
                         glia_error *error);
/* is_odd: see gi_image_traits. */
glia_status gi_jpeg_parse(const char *path, const uint8_t *bytes, size_t n_bytes, size_t channels,
                          glia_image *out, bool *is_odd, glia_error *error);
glia_status gi_jpeg_probe(const char *path, const uint8_t *bytes, size_t n_bytes,
                          gi_image_kind *out, glia_error *error);

/* ---- exif.c: how an image is to be turned ---- */

/* The orientation in a file's EXIF, 1 to 8; GI_UPRIGHT where it says none, or nothing sound. */
unsigned gi_exif_of_jpeg(const uint8_t *bytes, size_t n_bytes);
unsigned gi_exif_of_png(const uint8_t *bytes, size_t n_bytes);

/* Whether height and width change their places. */
bool gi_is_turned_sideways(unsigned orientation);

/* Makes an image as it is to be shown of one as it is stored. */
glia_status gi_image_turn(const char *path, unsigned orientation, glia_image *image,
                          glia_error *error);

#endif
