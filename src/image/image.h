/* SPDX-License-Identifier: MIT */
/*
 * Images: read from the bytes of a file, PNG (where libpng is), JPEG (where libjpeg is) or PGM, and
 * brought into a form. A reader trusts nothing: a size is checked against the bytes that are there
 * before it is used. All read from memory, so that a fuzzer can call them.
 */
#ifndef GLIA_IMAGE_IMAGE_H
#define GLIA_IMAGE_IMAGE_H

#include "base/status.h"
#include "model/image_form.h"

enum { GI_UPRIGHT = 1 };

/* What was noticed about an image file. */
typedef struct gi_image_traits {
    unsigned orientation; /* as EXIF counts: GI_UPRIGHT, or how it was turned, 2 to 8 */
    bool is_odd;          /* its decoder passed over bytes that do not belong there */
} gi_image_traits;

/* In grey. */
glia_status gi_image_parse(const char *path, const uint8_t *bytes, size_t n_bytes, glia_image *out,
                           glia_error *error);

/* In grey (channels 1: gi_image_convert) or in colour (3), turned as the file says. traits: or
 * NULL. */
glia_status gi_image_parse_as(const char *path, const uint8_t *bytes, size_t n_bytes,
                              size_t channels, glia_image *out, gi_image_traits *traits,
                              glia_error *error);

/* What the header of an image says, which is checked as parsing would: height and width once it is
 * turned, channels 1 or 3. */
typedef struct gi_image_kind {
    size_t height, width, channels;
} gi_image_kind;

glia_status gi_image_probe(const char *path, const uint8_t *bytes, size_t n_bytes,
                           gi_image_kind *out, glia_error *error);

/* Room for an image; of a file's, its size was checked. Freed with glia_image_free. */
glia_status gi_image_new(const char *path, size_t width, size_t height, size_t channels,
                         glia_image *out, glia_error *error);

/*
 * Brings an image into a form: pixels (height, width). See glia_network_fit_image, whose rule this
 * is. form is GI_FORM_SCALE or GI_FORM_MNIST (enum gi_image_form in model/image_form.h).
 */
glia_status gi_image_fit(const glia_image *image, int form, size_t height, size_t width,
                         uint8_t *pixels, bool *changed, glia_error *error);

/* One pixel (n_in channels, 1 or 3) as another (n_out): grey is the luma of Rec. 601 of the values
 * as they are stored, whatever file they are from; colour is three of the grey. */
void gi_image_convert(const uint8_t *in, size_t n_in, uint8_t *out, size_t n_out);

/* Scales an image whole: pixels (height, width, channels), those of the image or grey made colour
 * or the reverse. What has that size already is copied. */
glia_status gi_image_scale(const glia_image *image, size_t height, size_t width, size_t channels,
                           uint8_t *pixels, glia_error *error);

/*
 * The form that pictures are to be brought into which are like these images (n, height, width,
 * channels): GI_FORM_SCALE if all but a few are light on dark, else GI_FORM_WHOLE.
 */
enum gi_image_form gi_image_form_of(const uint8_t *pixels, size_t n, size_t height, size_t width,
                                    size_t channels);

#endif
