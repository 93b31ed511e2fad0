/* SPDX-License-Identifier: MIT */
/* Deskewing and centring of images by the moments of their ink, see glia_preprocess. */
#ifndef GLIA_IMAGE_STRAIGHTEN_H
#define GLIA_IMAGE_STRAIGHTEN_H

#include "image/warp.h"

/*
 * Where the pixels of the straightened image (height, width) come from. how: flags of
 * glia_preprocess. An image without ink stays as it is.
 */
gi_affine gi_straightening(unsigned how, const uint8_t *src, size_t height, size_t width);

/* dst (height, width) and GI_WARP_COLUMNS bytes more = src, straightened. */
void gi_straighten(const gi_warp *warp, unsigned how, uint8_t *dst, const uint8_t *src,
                   gi_warp_room *room);

#endif
