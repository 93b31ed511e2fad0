/* SPDX-License-Identifier: MIT */
/*
 * A character cell is about twice as high as wide, so it shows two pixels, one above the other: as
 * an upper half block whose two halves have their own grey, or as one character for their mean.
 */
#include "draw/picture.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "shell/output.h"

enum { GAP = 2 };

/* Whether the terminal has the 24 greys of the 256 colours. */
static bool has_greys(FILE *stream)
{
    const char *term = getenv("TERM");
    return is_rich(stream) && is_utf8() && term != NULL && strcmp(term, "linux") != 0 &&
           strncmp(term, "vt", 2) != 0;
}

/* Mean of a box of side * side pixels; 0 below the image's end. */
static unsigned box_mean(const uint8_t *pixels, size_t height, size_t width, size_t side,
                         size_t row, size_t column)
{
    size_t sum = 0, n = 0;
    for (size_t y = row * side; y < (row + 1) * side && y < height; y++) {
        for (size_t x = column * side; x < (column + 1) * side && x < width; x++) {
            sum += pixels[y * width + x];
            n++;
        }
    }
    return n > 0 ? (unsigned)(sum / n) : 0;
}

/* One line of characters of one image: pixel rows 2 * line and 2 * line + 1. */
static void draw_line(FILE *stream, const uint8_t *pixels, size_t height, size_t width, size_t side,
                      size_t line, bool greys)
{
    static const char ramp[] = " .:-=+*#%@";
    unsigned last = 256 * 256;
    for (size_t column = 0; column * side < width; column++) {
        unsigned upper = box_mean(pixels, height, width, side, 2 * line, column);
        unsigned lower = box_mean(pixels, height, width, side, 2 * line + 1, column);
        if (!greys) {
            fputc(ramp[(upper + lower) * 10 / 511], stream);
            continue;
        }
        upper = 232 + upper * 24 / 256;
        lower = 232 + lower * 24 / 256;
        if (upper * 256 + lower != last) fprintf(stream, "\033[38;5;%u;48;5;%um", upper, lower);
        fputs("▀", stream);
        last = upper * 256 + lower;
    }
    if (greys) fputs("\033[0m", stream);
}

uint8_t *pictures_grey(const uint8_t *pixels, size_t n, size_t channels)
{
    uint8_t *grey = need_memory(n, 1);
    for (size_t i = 0; i < n; i++) {
        const uint8_t *p = pixels + i * channels;
        grey[i] =
            channels == 3 ? (uint8_t)((299U * p[0] + 587U * p[1] + 114U * p[2]) / 1000U) : p[0];
    }
    return grey;
}

void pictures_print(FILE *stream, const uint8_t *pixels, size_t n, size_t height, size_t width,
                    const char *const *captions)
{
    bool greys = has_greys(stream);
    size_t columns = terminal_width(stream);
    size_t side = (width + columns - 1) / columns; /* of the box that becomes one pixel */
    size_t shown = (width + side - 1) / side, lines = ((height + side - 1) / side + 1) / 2;
    size_t abreast = (columns + GAP) / (shown + GAP);
    if (abreast == 0) abreast = 1;
    for (size_t first = 0; first < n; first += abreast) {
        size_t end = first + abreast < n ? first + abreast : n;
        for (size_t i = first; captions != NULL && i < end; i++) {
            int padding = i + 1 < end ? (int)(shown + GAP) - (int)text_width(captions[i]) : 0;
            fprintf(stream, "%s%*s", captions[i], padding > 0 ? padding : 0, "");
        }
        if (captions != NULL) fputc('\n', stream);
        for (size_t line = 0; line < lines; line++) {
            for (size_t i = first; i < end; i++) {
                draw_line(stream, pixels + i * height * width, height, width, side, line, greys);
                if (i + 1 < end) fprintf(stream, "%*s", GAP, "");
            }
            fputc('\n', stream);
        }
        if (end < n) fputc('\n', stream);
    }
}
