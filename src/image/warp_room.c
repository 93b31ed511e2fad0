/* SPDX-License-Identifier: MIT */
/*
 * What warping needs beside its kernels: which of them this CPU runs, rooms for images of a size,
 * and weights of a blur.
 */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "compute/engine.h"
#include "image/warp.h"

extern const gi_warp gi_warp_baseline;
#ifdef __x86_64__
extern const gi_warp gi_warp_avx2, gi_warp_avx512;
#endif

const gi_warp *gi_warp_for(const char *isa)
{
    static const gi_warp *const warps[] = {
#ifdef __x86_64__
        &gi_warp_avx512,
        &gi_warp_avx2,
#endif
        &gi_warp_baseline,
    };
    const gi_engine *engine = gi_engine_reference(sizeof(float), isa); /* of the level to be used */
    for (size_t i = 0; engine && i < sizeof warps / sizeof warps[0]; i++)
        if (strcmp(warps[i]->isa, engine->isa) == 0) return warps[i];
    return NULL;
}

static size_t padded(size_t n, size_t multiple)
{
    return (n + multiple - 1) / multiple * multiple;
}

glia_status gi_warp_room_new(size_t height, size_t width, bool has_field, gi_warp_room *out,
                             glia_error *error)
{
    enum { CACHE_LINE_WORDS = 16 };
    gi_warp_room room = {
        .height = height,
        .width = width,
        .rows = padded(height, GI_WARP_ROWS),
        .ld = padded(width, GI_WARP_COLUMNS),
        .pixel_ld = padded(width + 3, CACHE_LINE_WORDS),
    };
    const size_t field = has_field ? 2 * room.rows * room.ld : 0;
    room.field = gi_alloc(field, sizeof *room.field, "a field of displacements", error);
    room.half = gi_alloc(field, sizeof *room.half, "a field of displacements", error);
    room.pixels = gi_alloc(height + 4, room.pixel_ld, "an image to warp", error);
    room.quads =
        gi_alloc(height + 2, room.pixel_ld * sizeof *room.quads, "an image to warp", error);
    const size_t strip = GI_WARP_STRIP * room.ld;
    room.quad = gi_alloc(strip, sizeof *room.quad, "an image to warp", error);
    room.part_x = gi_alloc(strip, sizeof *room.part_x, "an image to warp", error);
    room.part_y = gi_alloc(strip, sizeof *room.part_y, "an image to warp", error);
    if (!room.quad || !room.part_x || !room.part_y || !room.field || !room.half || !room.pixels ||
        !room.quads) {
        gi_warp_room_free(&room);
        return GLIA_NO_MEMORY;
    }
    *out = room;
    return GLIA_OK;
}

void gi_warp_room_free(gi_warp_room *room)
{
    gi_free(room->field);
    gi_free(room->half);
    gi_free(room->pixels);
    gi_free(room->quads);
    gi_free(room->quad);
    gi_free(room->part_x);
    gi_free(room->part_y);
    *room = (gi_warp_room){0};
}

glia_status gi_blur_new(double sigma, gi_blur *out, glia_error *error)
{
    const size_t radius = (size_t)ceil(3 * sigma), margin = radius + GI_WARP_COLUMNS;
    float *owned = gi_alloc(2 * margin + 1, sizeof *owned, "the weights of a blur", error);
    if (!owned) return GLIA_NO_MEMORY;
    double sum = 1; /* of both sides and the middle */
    for (size_t i = 1; i <= radius; i++)
        sum += 2 * exp(-0.5 * ((double)i / sigma) * ((double)i / sigma));
    for (size_t i = 0; i <= radius; i++) {
        const double weight = exp(-0.5 * ((double)i / sigma) * ((double)i / sigma)) / sum;
        owned[margin + i] = owned[margin - i] = (float)weight;
    }
    *out = (gi_blur){.radius = radius, .weight = owned + margin, .owned = owned};
    return GLIA_OK;
}

void gi_blur_free(gi_blur *blur)
{
    gi_free(blur->owned);
    *blur = (gi_blur){0};
}
