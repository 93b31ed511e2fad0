/* SPDX-License-Identifier: MIT */
/* Images drawn in a terminal: half blocks in shades of grey, or characters of growing darkness. */
#ifndef GLIA_CLI_DRAW_PICTURE_H
#define GLIA_CLI_DRAW_PICTURE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Images (n pixels in all, each of channels) as grey ones (n); to be freed. */
uint8_t *pictures_grey(const uint8_t *pixels, size_t n, size_t channels);

/*
 * Draws images (n, height, width), as many side by side as the terminal is wide, each below its
 * caption. captions (n) may be NULL. Larger ones than the terminal are drawn smaller.
 */
void pictures_print(FILE *stream, const uint8_t *pixels, size_t n, size_t height, size_t width,
                    const char *const *captions);

#endif
