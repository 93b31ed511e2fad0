/* SPDX-License-Identifier: MIT */
/*
 * PNG (ISO/IEC 15948) in its plainest form: a header, a palette, and one block of bytes that a
 * decompressor copies (RFC 1951, 3.2.4).
 */
#include "draw/png_bytes.h"

#include <stdlib.h>
#include <string.h>

#include "shell/output.h"

struct bytes {
    uint8_t *data;
    size_t n;
};

static void put(struct bytes *to, const void *data, size_t n)
{
    memcpy(to->data + to->n, data, n);
    to->n += n;
}

static void put_u32(struct bytes *to, uint32_t value)
{
    uint8_t four[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                       (uint8_t)value};
    put(to, four, 4);
}

static uint32_t crc32_of(const uint8_t *data, size_t n)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < n; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (0xedb88320 & (0 - (crc & 1)));
    }
    return ~crc;
}

static uint32_t adler32_of(const uint8_t *data, size_t n)
{
    uint32_t a = 1, b = 0;
    for (size_t i = 0; i < n; i++) {
        a = (a + data[i]) % 65521;
        b = (b + a) % 65521;
    }
    return b << 16 | a;
}

/* A chunk: length, type, data, and the checksum of the last two. */
static void put_chunk(struct bytes *to, const char *type, const void *data, size_t n)
{
    put_u32(to, (uint32_t)n);
    size_t begin = to->n;
    put(to, type, 4);
    put(to, data, n);
    put_u32(to, crc32_of(to->data + begin, to->n - begin));
}

void text_png(struct text *text, const uint8_t *pixels, size_t height, size_t width,
              const struct palette *palette)
{
    size_t n_raw = height * (width + 1);
    uint8_t *raw = need_memory(n_raw, 1), *packed = need_memory(n_raw + 16, 1);
    struct bytes header = {need_memory(16, 1), 0}, stream = {packed, 0};
    struct bytes png = {need_memory(n_raw + 1024, 1), 0};

    for (size_t row = 0; row < height; row++) /* each row begins with its filter, 0: none */
        memcpy(raw + row * (width + 1) + 1, pixels + row * width, width);
    uint8_t block[7] = {0x78,
                        0x01,
                        1,
                        (uint8_t)n_raw,
                        (uint8_t)(n_raw >> 8),
                        (uint8_t)~n_raw,
                        (uint8_t)(~n_raw >> 8)};
    put(&stream, block, sizeof block);
    put(&stream, raw, n_raw);
    put_u32(&stream, adler32_of(raw, n_raw));

    put_u32(&header, (uint32_t)width);
    put_u32(&header, (uint32_t)height);
    uint8_t form[5] = {8, palette != NULL ? 3 : 0, 0, 0, 0};
    put(&header, form, sizeof form);

    put(&png, "\x89PNG\r\n\x1a\n", 8);
    put_chunk(&png, "IHDR", header.data, header.n);
    if (palette != NULL) put_chunk(&png, "PLTE", palette->rgb, 3 * palette->n);
    put_chunk(&png, "IDAT", stream.data, stream.n);
    put_chunk(&png, "IEND", "", 0);
    text_put(text, "data:image/png;base64,");
    text_base64(text, png.data, png.n);

    free(png.data);
    free(header.data);
    free(packed);
    free(raw);
}
