/* SPDX-License-Identifier: MIT */
/*
 * Draws how each image is distorted, and has src/image/warp.c do it.
 *
 * The stream of an image (seed, GI_RANDOM_AUGMENT, epoch, row) gives six uniform numbers, whether
 * they are used or not, and from its third block on the noise of the elastic field: what one
 * distortion draws does not depend on the others.
 */
#include "feed/augment.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "compute/engine.h"

static const double pi = 3.14159265358979323846;

/* Noise is uniform in -NOISE_MAX..NOISE_MAX (gi_warp.noise). */
static const double noise_max = 127.5;

struct gi_augmenter {
    glia_augmentation how;
    const gi_warp *warp;
    uint64_t seed;
    size_t epochs;
    size_t height, width;
    gi_blur blur;
    int n_threads;
    gi_warp_room *room; /* (threads) */
    uint8_t **image;    /* (threads): distorted */
};

glia_status gi_augmentation_check(const glia_augmentation *a, glia_error *error)
{
    const struct {
        const char *name;
        double value, max;
        bool below_max;
    } numbers[] = {
        {"shift", a->shift, 1e6, false},
        {"rotation", a->rotation, 180, false},
        {"scale", a->scale, 1, true},
        {"shear", a->shear, 100, false},
        {"elastic_alpha", a->elastic_alpha, 1e6, false},
        {"elastic_sigma", a->elastic_sigma, GI_BLUR_MAX_SIGMA, false},
        {"fade", a->fade, 1, false},
        {"fade_to", a->fade_to, 1, false},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const double x = numbers[i].value, max = numbers[i].max;
        if (x >= 0 && (numbers[i].below_max ? x < max : x <= max)) continue;
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "augmentation: %s: found %g, expected a number of at least 0 and %s %g",
                       numbers[i].name, x, numbers[i].below_max ? "below" : "at most", max);
    }
    if (a->elastic_alpha > 0 && !(a->elastic_sigma > 0))
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "augmentation: elastic_sigma: found 0, expected the standard deviation in "
                       "pixels that smooths elastic_alpha's displacements; 4 suits images of 28 x "
                       "28");
    return GLIA_OK;
}

bool gi_augmentation_is_none(const glia_augmentation *a)
{
    return !a || (a->shift == 0 && a->rotation == 0 && a->scale == 0 && a->shear == 0 &&
                  a->elastic_alpha == 0);
}

/* ---- One image ------------------------------------------------------------------------------ */

static double uniform(gi_rng *rng, double middle, double reach)
{
    return middle + reach * (2 * (double)gi_rng_uniform(rng) - 1);
}

/*
 * An image's pixel at c + v goes to c + A v + t, where c is the centre and A = rotation * shear *
 * scales; so the pixel at p comes from c + A^-1 (p - t - c).
 */
gi_affine gi_augmentation_draw(const glia_augmentation *how, size_t height, size_t width,
                               gi_rng *rng)
{
    const double angle = uniform(rng, 0, how->rotation) * pi / 180;
    const double scale_x = uniform(rng, 1, how->scale), scale_y = uniform(rng, 1, how->scale);
    const double shear = uniform(rng, 0, how->shear);
    const double t_x = uniform(rng, 0, how->shift), t_y = uniform(rng, 0, how->shift);

    /* A^-1 = (1 / scales) (x - shear y, y) (rotation by -angle) */
    const double c = cos(angle), s = sin(angle);
    const double xx = (c + shear * s) / scale_x, xy = (s - shear * c) / scale_x;
    const double yx = -s / scale_y, yy = c / scale_y;
    const double c_x = (double)(width - 1) / 2, c_y = (double)(height - 1) / 2;
    return (gi_affine){
        .xx = (float)xx,
        .xy = (float)xy,
        .x0 = (float)(c_x - xx * (c_x + t_x) - xy * (c_y + t_y)),
        .yx = (float)yx,
        .yy = (float)yy,
        .y0 = (float)(c_y - yx * (c_x + t_x) - yy * (c_y + t_y)),
    };
}

glia_augmentation gi_augmentation_faded(const glia_augmentation *how, size_t epoch, size_t epochs)
{
    glia_augmentation faded = *how;
    const double length = (double)epochs * how->fade, left = (double)epochs - (double)epoch;
    if (!(length > 0) || left >= length) return faded;
    const double strength = how->fade_to + (1 - how->fade_to) * left / length;
    faded.shift *= strength;
    faded.rotation *= strength;
    faded.scale *= strength;
    faded.shear *= strength;
    faded.elastic_alpha *= strength;
    return faded;
}

const uint8_t *gi_augmenter_distort(gi_augmenter *a, int thread, uint32_t epoch, uint64_t row,
                                    const uint8_t *src)
{
    gi_warp_room *room = &a->room[thread];
    const glia_augmentation how = gi_augmentation_faded(&a->how, epoch, a->epochs);
    const bool elastic = how.elastic_alpha > 0;
    gi_rng rng = gi_rng_make(a->seed, GI_RANDOM_AUGMENT, epoch, row);
    const gi_affine map = gi_augmentation_draw(&how, a->height, a->width, &rng);
    if (elastic) {
        a->warp->noise(room->field, 2 * room->rows * room->ld, &rng);
        a->warp->smooth(room, &a->blur, (float)(how.elastic_alpha / noise_max));
    }
    a->warp->apply(a->image[thread], src, &map, elastic, room);
    return a->image[thread];
}

/* ---- All of them ---------------------------------------------------------------------------- */

static void images_free(uint8_t **images, int n)
{
    for (int t = 0; images && t < n; t++) gi_free(images[t]);
    gi_free(images);
}

/* An image for each thread. */
static uint8_t **images_new(size_t height, size_t width, int n_threads, glia_error *error)
{
    uint8_t **images = gi_alloc((size_t)n_threads, sizeof *images, "the augmentation", error);
    for (int t = 0; images && t < n_threads; t++) {
        images[t] = gi_alloc(height * width + GI_WARP_COLUMNS, 1, "an image", error);
        if (images[t]) continue;
        images_free(images, t);
        return NULL;
    }
    return images;
}

static glia_status augmenter_new(const glia_augmentation *how, size_t height, size_t width,
                                 uint64_t seed, size_t epochs, const char *isa, int n_threads,
                                 gi_augmenter **out, glia_error *error)
{
    if (height == 0 || width == 0 || height > GI_WARP_MAX_SIDE || width > GI_WARP_MAX_SIDE ||
        height * width > GI_WARP_MAX_PIXELS)
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "augmentation: images of %zu x %zu pixels, expected 1 to %d a side and at "
                       "most %d in all",
                       height, width, (int)GI_WARP_MAX_SIDE, (int)GI_WARP_MAX_PIXELS);
    gi_augmenter *a = gi_alloc(1, sizeof *a, "the augmentation", error);
    if (!a) return GLIA_NO_MEMORY;
    *a = (gi_augmenter){.how = *how,
                        .warp = gi_warp_for(isa),
                        .seed = seed,
                        .epochs = epochs,
                        .height = height,
                        .width = width,
                        .n_threads = n_threads};
    const bool elastic = how->elastic_alpha > 0;
    glia_status status = elastic ? gi_blur_new(how->elastic_sigma, &a->blur, error) : GLIA_OK;
    if (status) goto failed;
    a->room = gi_alloc((size_t)n_threads, sizeof *a->room, "the augmentation", error);
    a->image = images_new(height, width, n_threads, error);
    if (!a->room || !a->image) {
        status = GLIA_NO_MEMORY;
        goto failed;
    }
    for (int t = 0; t < n_threads; t++) {
        status = gi_warp_room_new(height, width, elastic, &a->room[t], error);
        if (status) goto failed;
    }
    *out = a;
    return GLIA_OK;
failed:
    gi_augmenter_free(a);
    return status;
}

glia_status gi_augmenter_new(const glia_augmentation *how, const glia_dataset *dataset,
                             uint64_t seed, size_t epochs, const char *isa, int n_threads,
                             gi_augmenter **out, glia_error *error)
{
    *out = NULL;
    const glia_status status = how ? gi_augmentation_check(how, error) : GLIA_OK;
    if (status || gi_augmentation_is_none(how)) return status;
    if (dataset->type != GLIA_TYPE_U8)
        return gi_fail(
            error, GLIA_MISMATCH,
            "augmentation: the samples of %s are floats, expected images of bytes; give "
            "their pixels as bytes (GLIA_TYPE_U8, 0 to 255), or train without augmentation",
            dataset->name);
    if (dataset->height == 0)
        return gi_fail(error, GLIA_MISMATCH,
                       "augmentation: the samples of %s are no images but %zu features; say their "
                       "height and width with glia_dataset_set_images, or train without "
                       "augmentation",
                       dataset->name, dataset->features);
    if (dataset->channels != 1)
        return gi_fail(error, GLIA_MISMATCH,
                       "augmentation: the images of %s are in colour, and only grey ones are "
                       "distorted, deskewed and centred; read them in grey, or train without it",
                       dataset->name);
    return augmenter_new(how, dataset->height, dataset->width, seed, epochs, isa, n_threads, out,
                         error);
}

void gi_augmenter_free(gi_augmenter *a)
{
    if (!a) return;
    for (int t = 0; t < a->n_threads && a->room; t++) gi_warp_room_free(&a->room[t]);
    gi_free(a->room);
    images_free(a->image, a->n_threads);
    gi_blur_free(&a->blur);
    gi_free(a);
}

glia_status glia_augment(const glia_settings *settings, const uint8_t *images, size_t n,
                         size_t height, size_t width, uint64_t seed, size_t epoch, size_t first,
                         uint8_t *out, glia_error *error)
{
    if (!settings || !images || !out)
        return gi_fail(error, GLIA_BAD_ARGUMENT, "augmentation: settings, images or out is NULL");
    if (epoch > UINT32_MAX || first > UINT32_MAX || n > UINT32_MAX)
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "augmentation: found epoch %zu and images %zu to %zu, expected at most %u",
                       epoch, first, first + n, UINT32_MAX);
    const gi_engine *engine;
    gi_augmenter *a = NULL;
    glia_status status = gi_settings_check(settings, error);
    const glia_augmentation how = gi_settings_augmentation(settings);
    if (!status) status = gi_augmentation_check(&how, error);
    if (!status) status = gi_engine_choose(&engine, error);
    if (!status) status = augmenter_new(&how, height, width, seed, 0, engine->isa, 1, &a, error);
    for (size_t i = 0; i < n && !status; i++) {
        const size_t at = i * height * width;
        memcpy(out + at, gi_augmenter_distort(a, 0, (uint32_t)epoch, first + i, images + at),
               height * width);
    }
    gi_augmenter_free(a);
    return status;
}
