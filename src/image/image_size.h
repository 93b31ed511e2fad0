/* SPDX-License-Identifier: MIT */
/* The sizes of images, and one that all of them may be brought to. */
#ifndef GLIA_IMAGE_IMAGE_SIZE_H
#define GLIA_IMAGE_IMAGE_SIZE_H

#include "base/status.h"

typedef struct gi_image_sizes {
    uint64_t *of; /* (n) of room: height and width, in the upper and the lower half */
    size_t n, room;
} gi_image_sizes;

glia_status gi_image_sizes_add(gi_image_sizes *sizes, size_t height, size_t width,
                               glia_error *error);
void gi_image_sizes_free(gi_image_sizes *sizes);

/*
 * Of images (at least one) that are alike, their size. Else their median height and width, reduced
 * to about 1,024 pixels where those are more; *note, freed by gi_free, then says so, and what sizes
 * there are. NO_MEMORY.
 */
glia_status gi_image_sizes_choose(gi_image_sizes *sizes, size_t *height, size_t *width, char **note,
                                  glia_error *error);

#endif
