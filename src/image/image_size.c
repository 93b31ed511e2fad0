/* SPDX-License-Identifier: MIT */
/* Images of different sizes: what sizes they have, and which one is chosen for all. */
#include "image/image_size.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { MOST_PIXELS = 1024, SHOWN = 4 };

static const uint64_t width_bits = 0xFFFFFFFF;

glia_status gi_image_sizes_add(gi_image_sizes *sizes, size_t height, size_t width,
                               glia_error *error)
{
    if (sizes->n == sizes->room) {
        const size_t room = sizes->room ? 2 * sizes->room : 256;
        uint64_t *of = gi_alloc(room, sizeof *of, "the sizes of images", error);
        if (!of) return GLIA_NO_MEMORY;
        if (sizes->n) memcpy(of, sizes->of, sizes->n * sizeof *of);
        gi_free(sizes->of);
        sizes->of = of;
        sizes->room = room;
    }
    sizes->of[sizes->n++] = (uint64_t)height << 32 | width;
    return GLIA_OK;
}

void gi_image_sizes_free(gi_image_sizes *sizes)
{
    gi_free(sizes->of);
    *sizes = (gi_image_sizes){0};
}

static int ascending(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* A size, and how many images have it. */
struct group {
    uint64_t size;
    size_t n;
};

/* The most frequent sizes (at most SHOWN), the most frequent first; returns how many there are. */
static size_t most_frequent(const gi_image_sizes *sorted, struct group *out)
{
    size_t n_different = 0, shown = 0;
    for (size_t begin = 0, end; begin < sorted->n; begin = end) {
        struct group group = {sorted->of[begin], 0};
        for (end = begin; end < sorted->n && sorted->of[end] == group.size; end++) group.n++;
        n_different++;
        size_t place = shown < SHOWN ? shown++ : SHOWN;
        for (; place > 0 && out[place - 1].n < group.n; place--)
            if (place < SHOWN) out[place] = out[place - 1];
        if (place < SHOWN) out[place] = group;
    }
    return n_different;
}

/* The median of one half of all sizes; reorders them. */
static size_t median(gi_image_sizes *sizes, const gi_image_sizes *of, bool is_height)
{
    for (size_t i = 0; i < of->n; i++)
        sizes->of[i] = is_height ? of->of[i] >> 32 : of->of[i] & width_bits;
    qsort(sizes->of, of->n, sizeof *sizes->of, ascending);
    return (size_t)sizes->of[of->n / 2];
}

/* Height and width in proportion, with at most so many pixels. */
static void reduce(size_t *height, size_t *width)
{
    const double h = (double)*height, w = (double)*width, factor = sqrt(MOST_PIXELS / (h * w));
    if (factor >= 1) return;
    *height = (size_t)fmin(fmax(round(h * factor), 1), MOST_PIXELS);
    *width = (size_t)fmin(fmax(round(w * factor), 1), MOST_PIXELS);
}

/* "49 x 49 (105), 32 x 40 (98) and 31 other sizes" */
static void list_sizes(const struct group *groups, size_t n, char *text, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < n && i < SHOWN && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%zu x %zu (%zu)", i ? ", " : "",
                                 (size_t)(groups[i].size >> 32),
                                 (size_t)(groups[i].size & width_bits), groups[i].n);
    if (n > SHOWN && used < size)
        snprintf(text + used, size - used, " and %zu other%s", n - SHOWN, n > SHOWN + 1 ? "s" : "");
}

glia_status gi_image_sizes_choose(gi_image_sizes *sizes, size_t *height, size_t *width, char **note,
                                  glia_error *error)
{
    struct group groups[SHOWN];
    char text[256];
    qsort(sizes->of, sizes->n, sizeof *sizes->of, ascending);
    const size_t n = most_frequent(sizes, groups);
    *height = (size_t)(sizes->of[0] >> 32);
    *width = (size_t)(sizes->of[0] & width_bits);
    if (n == 1) return GLIA_OK;
    gi_image_sizes half = {.of = gi_alloc(sizes->n, sizeof *half.of, "the sizes of images", error)};
    if (!half.of) return GLIA_NO_MEMORY;
    *height = median(&half, sizes, true);
    *width = median(&half, sizes, false);
    gi_image_sizes_free(&half);
    const size_t h = *height, w = *width;
    reduce(height, width);
    const bool reduced = *height != h || *width != w;
    list_sizes(groups, n, text, sizeof text);
    *note = gi_format(error,
                      "sizes differ (height x width): %s; all are scaled to %zu x %zu, %s; "
                      "image_height and image_width take another",
                      text, *height, *width,
                      reduced ? "the median reduced to about 1,024 pixels" : "the median");
    return *note ? GLIA_OK : GLIA_NO_MEMORY;
}
