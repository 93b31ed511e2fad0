/* SPDX-License-Identifier: MIT */
/* Scaling images: the mean of the area that a pixel covers, or between the two nearest. */
#include "image/scale.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "image/image.h"

/*
 * The source pixels [first, last) that pixel j of the result is made of. scale is result / source.
 * Shrinking averages the area that the pixel covers; enlarging interpolates between the two
 * nearest.
 */
static void support(double scale, size_t j, size_t n, size_t *first, size_t *last)
{
    const double at = (double)j;
    const double lo = scale <= 1 ? floor(at / scale) : floor((at + 0.5) / scale - 0.5);
    const double hi = scale <= 1 ? ceil((at + 1) / scale) : lo + 2;
    *first = lo < 0 ? 0 : lo > (double)n ? n : (size_t)lo;
    *last = hi > (double)n ? n : (size_t)hi;
}

/* How much source pixel x weighs in pixel j; over all x that is 1, inside the source. */
static double weight(double scale, size_t j, size_t x)
{
    const double at = (double)j, source = (double)x;
    if (scale <= 1) {
        const double lo = fmax(at / scale, source), hi = fmin((at + 1) / scale, source + 1);
        return hi > lo ? (hi - lo) * scale : 0;
    }
    return fmax(0, 1 - fabs((at + 0.5) / scale - 0.5 - source));
}

double gi_box_scaled(const uint8_t *src, size_t stride, struct gi_box box, double scale_y,
                     double scale_x, size_t i, size_t j, bool outside_is_dark)
{
    size_t top, bottom, left, right;
    double sum = 0, weights = 0;
    support(scale_y, i, box.height, &top, &bottom);
    support(scale_x, j, box.width, &left, &right);
    for (size_t y = top; y < bottom; y++) {
        const double wy = weight(scale_y, i, y);
        for (size_t x = left; x < right; x++) {
            const double w = wy * weight(scale_x, j, x);
            sum += w * src[(box.top + y) * stride + box.left + x];
            weights += w;
        }
    }
    return outside_is_dark ? sum : weights > 0 ? sum / weights : 0;
}

/*
 * What the pixels 0..n_out-1 of a line of n_in are made of: pixel j of first[j], first[j] + 1, ...
 * with the weights at j * most, which add up to 1. One block.
 */
struct line_weights {
    size_t most; /* pixels that one is made of */
    size_t *first;
    float *weights; /* (n_out, most) */
};

static glia_status line_weights_new(size_t n_in, size_t n_out, struct line_weights *out,
                                    glia_error *error)
{
    const double scale = (double)n_out / (double)n_in;
    struct line_weights line = {.most = scale <= 1 ? (size_t)ceil(1 / scale) + 1 : 2};
    const size_t bytes = sizeof *line.first + line.most * sizeof *line.weights;
    line.first = gi_alloc(n_out, bytes, "the scaling of an image", error);
    if (!line.first) return GLIA_NO_MEMORY;
    line.weights = (float *)(line.first + n_out);
    for (size_t j = 0; j < n_out; j++) {
        size_t first, last;
        double sum = 0;
        support(scale, j, n_in, &first, &last);
        if (last > first + line.most) last = first + line.most; /* by rounding: weighs nothing */
        for (size_t x = first; x < last; x++) sum += weight(scale, j, x);
        for (size_t x = first; x < last; x++)
            line.weights[j * line.most + x - first] = (float)(weight(scale, j, x) / sum);
        line.first[j] = first + line.most <= n_in ? first : n_in < line.most ? 0 : n_in - line.most;
        const size_t moved = first - line.first[j];
        if (moved == 0) continue; /* the last ones begin earlier, with weights of 0 */
        float *weights = line.weights + j * line.most;
        memmove(weights + moved, weights, (line.most - moved) * sizeof *weights);
        memset(weights, 0, moved * sizeof *weights);
    }
    *out = line;
    return GLIA_OK;
}

void gi_image_convert(const uint8_t *in, size_t n_in, uint8_t *out, size_t n_out)
{
    if (n_in == n_out)
        memcpy(out, in, n_in);
    else if (n_out == 3)
        memset(out, in[0], 3);
    else
        out[0] = (uint8_t)((299U * in[0] + 587U * in[1] + 114U * in[2] + 500U) / 1000U);
}

glia_status gi_image_scale(const glia_image *image, size_t height, size_t width, size_t channels,
                           uint8_t *pixels, glia_error *error)
{
    const size_t n_in = image->channels == 3 ? 3 : 1;
    if (image->height == height && image->width == width) {
        for (size_t i = 0; i < height * width; i++)
            gi_image_convert(image->pixels + i * n_in, n_in, pixels + i * channels, channels);
        return GLIA_OK;
    }
    struct line_weights across = {0}, down = {0};
    float *rows = NULL; /* (image->height, width, n_in): scaled across */
    glia_status status = line_weights_new(image->width, width, &across, error);
    if (!status) status = line_weights_new(image->height, height, &down, error);
    if (!status)
        rows = gi_alloc_unset(image->height, width * n_in * sizeof *rows, "an image", error);
    if (!rows) {
        status = GLIA_NO_MEMORY;
        goto cleanup;
    }
    const size_t wide = across.most < image->width ? across.most : image->width;
    const size_t high = down.most < image->height ? down.most : image->height;
    for (size_t y = 0; y < image->height; y++)
        for (size_t j = 0; j < width; j++) {
            const uint8_t *from = image->pixels + (y * image->width + across.first[j]) * n_in;
            const float *w = across.weights + j * across.most;
            for (size_t c = 0; c < n_in; c++) {
                float sum = 0;
                for (size_t k = 0; k < wide; k++) sum += w[k] * (float)from[k * n_in + c];
                rows[(y * width + j) * n_in + c] = sum;
            }
        }
    for (size_t i = 0; i < height; i++)
        for (size_t j = 0; j < width; j++) {
            uint8_t pixel[3];
            for (size_t c = 0; c < n_in; c++) {
                const float *from = rows + (down.first[i] * width + j) * n_in + c;
                float sum = 0;
                for (size_t k = 0; k < high; k++)
                    sum += down.weights[i * down.most + k] * from[k * width * n_in];
                pixel[c] = gi_to_pixel((double)sum);
            }
            gi_image_convert(pixel, n_in, pixels + (i * width + j) * channels, channels);
        }
cleanup:
    gi_free(rows);
    gi_free(across.first);
    gi_free(down.first);
    return status;
}
