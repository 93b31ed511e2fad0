/* SPDX-License-Identifier: MIT */
/* Small images as PNG within a page: indexed colours, not compressed, no library needed. */
#ifndef GLIA_CLI_DRAW_PNG_BYTES_H
#define GLIA_CLI_DRAW_PNG_BYTES_H

#include "shell/text.h"

/* Colours that the bytes of an image stand for. */
struct palette {
    uint8_t rgb[256][3];
    size_t n;
};

/*
 * Adds "data:image/png;base64,...": pixels (height, width), each below palette->n, or grey from 0,
 * black, to 255 where palette is NULL. height (width + 1) is at most 65,535.
 */
void text_png(struct text *text, const uint8_t *pixels, size_t height, size_t width,
              const struct palette *palette);

#endif
