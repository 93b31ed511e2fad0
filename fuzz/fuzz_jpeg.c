/* SPDX-License-Identifier: MIT */
/* Fuzz target: JPEG, in grey and in colour, and its scaling. The header must say what comes. */
#include <string.h>

#include "image/codecs.h"
#include "image/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_SCALED_PIXELS = 1 << 14 }; /* larger ones take long and show nothing new */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (size_t channels = 1; channels <= 3; channels += 2) {
        glia_image image;
        glia_error error;
        gi_image_kind kind;
        uint8_t pixels[7 * 11 * 3];
        bool is_odd;
        gi_image_traits traits;
        if (gi_jpeg_parse("input", data, size, channels, &image, &is_odd, &error)) continue;
        if (gi_jpeg_probe("input", data, size, &kind, &error) || kind.width != image.width ||
            kind.height != image.height)
            __builtin_trap();
        if (image.width * image.height <= MAX_SCALED_PIXELS) {
            if (gi_image_scale(&image, 7, 11, channels, pixels, &error)) __builtin_trap();
            if (gi_image_scale(&image, 7, 11, 4 - channels, pixels, &error)) __builtin_trap();
        }
        glia_image_free(&image);
        if (size < 3 || data[2] != 0xFF) continue; /* which images are not told by */
        if (gi_image_parse_as("input", data, size, channels, &image, &traits, &error) ||
            gi_image_probe("input", data, size, &kind, &error) || kind.width != image.width ||
            kind.height != image.height)
            __builtin_trap();
        glia_image_free(&image);
    }
    return 0;
}
