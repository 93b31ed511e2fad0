/* SPDX-License-Identifier: MIT */
/* Fuzz target: PNG and PGM, and what becomes of an image that was read: the preprocessing. */
#include <libdeflate.h>
#include <string.h>

#include "image/image.h"
#include "model/image_form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_FITTED_PIXELS = 1 << 12 }; /* larger ones take long and show nothing new */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    glia_image image;
    glia_error error;
    uint8_t pixels[28 * 28];
    bool changed;
    gi_image_kind kind;
    if (gi_image_parse("input", data, size, &image, &error)) return 0;
    if (gi_image_probe("input", data, size, &kind, &error) || kind.width != image.width ||
        kind.height != image.height)
        __builtin_trap();
    if (image.width * image.height <= MAX_FITTED_PIXELS) {
        gi_image_fit(&image, GI_FORM_MNIST, 28, 28, pixels, &changed, &error);
        gi_image_fit(&image, GI_FORM_SCALE, 7, 11, pixels, &changed, &error);
    }
    glia_image_free(&image);
    return 0;
}

/*
 * Changed bytes alone would hardly get past the checksum of a PNG's chunk: after each change the
 * checksums are set right, in most inputs. (LLVMFuzzerMutate is the fuzzer's; run_corpus has none.)
 */
#ifdef GLIA_FUZZER
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

static void write_u32(uint8_t *out, uint32_t value)
{
    for (int i = 0; i < 4; i++) out[i] = (uint8_t)(value >> (24 - 8 * i));
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    size = LLVMFuzzerMutate(data, size, max_size);
    if (seed % 8 == 0 || size < 8 || memcmp(data, "\x89PNG\r\n\x1a\n", 8) != 0) return size;
    for (size_t at = 8; size - at >= 12;) {
        const uint32_t length = (uint32_t)data[at] << 24 | (uint32_t)data[at + 1] << 16 |
                                (uint32_t)data[at + 2] << 8 | data[at + 3];
        if (length > size - at - 12) {
            if (seed % 3 == 0) break;
            write_u32(data + at, (uint32_t)(size - at - 12)); /* the last chunk: the rest */
            continue;
        }
        write_u32(data + at + 8 + length, libdeflate_crc32(0, data + at + 4, 4 + length));
        at += 12 + length;
    }
    return size;
}
#endif
