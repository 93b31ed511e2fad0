/* SPDX-License-Identifier: MIT */
/* Moments of an image's ink, and the map that they give. */
#include "image/straighten.h"

#include <math.h>

/* No image is sheared by more than 45 degrees. */
static const double most_skew = 1;

/* Sums over the pixels of grey * x^i y^j: integers, which are exact up to 4096 pixels a side. */
typedef struct moments {
    double ink, x, y, xy, yy;
} moments;

static moments moments_of(const uint8_t *src, size_t height, size_t width)
{
    enum { PART = 1024 }; /* of a row, whose sums fit 32 bits: 255 * 1024^2 / 2 */
    moments m = {0};
    for (size_t y = 0; y < height; y++, src += width) {
        double ink = 0, at_x = 0;
        for (size_t first = 0; first < width; first += PART) {
            const size_t n = width - first < PART ? width - first : PART;
            uint32_t part = 0, part_x = 0;
            for (uint32_t x = 0; x < n; x++) {
                part += src[first + x];
                part_x += src[first + x] * x;
            }
            ink += part;
            at_x += part_x + (double)first * part;
        }
        m.ink += ink;
        m.x += at_x;
        m.y += ink * (double)y;
        m.xy += at_x * (double)y;
        m.yy += ink * (double)y * (double)y;
    }
    return m;
}

/*
 * With the centre of mass c, the deskewed image has x' = x - skew (y - c_y), where skew =
 * cov(x, y) / var(y): cov(x', y) = 0, and the centre of mass stays. Centring then moves it by whole
 * pixels to the middle, or half a pixel beside it.
 */
gi_affine gi_straightening(unsigned how, const uint8_t *src, size_t height, size_t width)
{
    gi_affine map = {.xx = 1, .yy = 1};
    const moments m = moments_of(src, height, width);
    if (m.ink == 0) return map;
    const double c_x = m.x / m.ink, c_y = m.y / m.ink;
    const double covariance = m.xy / m.ink - c_x * c_y, variance = m.yy / m.ink - c_y * c_y;
    double skew = 0, t_x = 0, t_y = 0;
    if (how & GLIA_PREPROCESS_DESKEW && variance > 1e-6)
        skew = fmax(-most_skew, fmin(most_skew, covariance / variance));
    if (how & GLIA_PREPROCESS_CENTRE) {
        t_x = rint((double)(width - 1) / 2 - c_x);
        t_y = rint((double)(height - 1) / 2 - c_y);
    }
    /* x = x' - t_x + skew (y' - t_y - c_y), y = y' - t_y */
    map.xy = (float)skew;
    map.x0 = (float)(-t_x - skew * (t_y + c_y));
    map.y0 = (float)-t_y;
    return map;
}

void gi_straighten(const gi_warp *warp, unsigned how, uint8_t *dst, const uint8_t *src,
                   gi_warp_room *room)
{
    const gi_affine map = gi_straightening(how, src, room->height, room->width);
    warp->apply(dst, src, &map, false, room);
}
