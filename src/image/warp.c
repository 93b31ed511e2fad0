/* SPDX-License-Identifier: MIT */
/*
 * Warps, see warp.h, in vectors of GCC's and clang's extension, of LANES elements of 4 bytes.
 * Compiled once for each level of instruction set (LEVEL), see src/meson.build.
 */
#include "image/warp.h"

#include <string.h>

#include "compute/level.h"
#include "compute/philox.h"
#include "compute/vector.h"

#define WARP_NAME(l) PASTE_ALL(gi_warp_, l)

enum {
    VECTORS = 2, /* of a row of a tile of a smoothed field; GI_WARP_ROWS such rows are one tile */
    TILE = VECTORS * LANES,
};

typedef float loose_vector __attribute__((vector_size(4 * LANES), aligned(4)));
typedef uint32_t words __attribute__((vector_size(4 * LANES)));
typedef int32_t integers __attribute__((vector_size(4 * LANES)));

/* 0, 1, ... */
INLINE words counting(void)
{
    words c;
    for (uint32_t l = 0; l < LANES; l++) c[l] = l;
    return c;
}

/* ---- Noise ---------------------------------------------------------------------------------- */

static void noise(float *dst, size_t n, const gi_rng *rng)
{
    enum { N = GI_PHILOX_BLOCKS };
    uint32_t first = rng->counter[0];
    for (size_t i = 0; i < n; i += 16 * N, first += N) {
        uint32_t drawn[4][N];
        gi_philox_blocks(rng, first, drawn);
        for (size_t k = 0; k < 4; k++)
            for (size_t w = 0; w < 4; w++)
                for (size_t l = 0; l < N; l++)
                    dst[i + 4 * N * k + N * w + l] =
                        (float)(int32_t)(drawn[w][l] >> (8 * k) & 255) - 127.5F;
    }
}

/* ---- Smoothing ------------------------------------------------------------------------------ */

/*
 * dst (GI_WARP_ROWS, TILE) = factor * A (GI_WARP_ROWS, end - begin) B (end - begin, TILE): sums
 * stay in registers. a_row, a_column, b_row: distances in elements.
 */
INLINE void multiply_tile(float *dst, size_t ld, const float *a, ptrdiff_t a_row,
                          ptrdiff_t a_column, const float *b, ptrdiff_t b_row, size_t depth,
                          float factor)
{
    vector sum[GI_WARP_ROWS][VECTORS];
    for (int r = 0; r < GI_WARP_ROWS; r++)
        for (int v = 0; v < VECTORS; v++) sum[r][v] = (vector){0};
    for (size_t k = 0; k < depth; k++, a += a_column, b += b_row) {
        vector row[VECTORS];
        for (int v = 0; v < VECTORS; v++) row[v] = *(const loose_vector *)(b + v * LANES);
        for (int r = 0; r < GI_WARP_ROWS; r++) {
            const vector x = spread(a[r * a_row]);
            for (int v = 0; v < VECTORS; v++) sum[r][v] = multiply_add(x, row[v], sum[r][v]);
        }
    }
    for (size_t r = 0; r < GI_WARP_ROWS; r++)
        for (int v = 0; v < VECTORS; v++)
            *(vector *)(dst + r * ld + (size_t)v * LANES) = sum[r][v] * factor;
}

/* The part of 0..n that a tile first..first + size is made from. */
INLINE void reach(size_t first, size_t size, size_t radius, size_t n, size_t *begin, size_t *end)
{
    *begin = first > radius ? first - radius : 0;
    *end = first + size + radius < n ? first + size + radius : n;
}

static void smooth(gi_warp_room *room, const gi_blur *blur, float factor)
{
    const size_t ld = room->ld;
    size_t begin, end;
    /* Along x: half (y, x) = sum_j field (y, j) weight[x - j], of all rows. */
    for (size_t x = 0; x < room->width; x += TILE) {
        reach(x, TILE, blur->radius, room->width, &begin, &end);
        const float *weight = blur->weight + ((ptrdiff_t)x - (ptrdiff_t)begin);
        for (size_t y = 0; y < 2 * room->rows; y += GI_WARP_ROWS)
            multiply_tile(room->half + y * ld + x, ld, room->field + y * ld + begin, (ptrdiff_t)ld,
                          1, weight, -1, end - begin, 1);
    }
    /* Along y: field (y, x) = factor sum_j weight[y - j] half (j, x). */
    for (size_t f = 0; f < 2; f++) {
        const float *half = room->half + f * room->rows * ld;
        float *field = room->field + f * room->rows * ld;
        for (size_t y = 0; y < room->height; y += GI_WARP_ROWS) {
            reach(y, GI_WARP_ROWS, blur->radius, room->height, &begin, &end);
            const float *weight = blur->weight + ((ptrdiff_t)y - (ptrdiff_t)begin);
            for (size_t x = 0; x < room->width; x += TILE)
                multiply_tile(field + y * ld + x, ld, weight, 1, -1, half + begin * ld + x,
                              (ptrdiff_t)ld, end - begin, factor);
        }
    }
}

/* ---- Warping -------------------------------------------------------------------------------- */

/* LANES bytes as words, and back. Compilers' own conversions of vectors are slow here. */
INLINE words load(const uint8_t *src)
{
#if defined __AVX512F__
    return (words)_mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)src));
#elif defined __AVX2__
    return (words)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)src));
#else
    words loaded;
    for (int l = 0; l < LANES; l++) loaded[l] = src[l];
    return loaded;
#endif
}

INLINE void store(uint8_t *dst, words x)
{
#if defined __AVX512F__
    _mm_storeu_si128((void *)dst, _mm512_cvtepi32_epi8((__m512i)x));
#elif defined __AVX2__
    const __m256i all = (__m256i)x;
    const __m128i half =
        _mm_packus_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
    _mm_storel_epi64((void *)dst, _mm_packus_epi16(half, half));
#else
    for (int l = 0; l < LANES; l++) dst[l] = (uint8_t)x[l];
#endif
}

/* Copies the image into its frame, and its pixels by fours. */
static void frame(const uint8_t *src, gi_warp_room *room)
{
    const size_t ld = room->pixel_ld;
    for (size_t y = 0; y < room->height; y++)
        memcpy(room->pixels + (y + 1) * ld + 1, src + y * room->width, room->width);
    for (size_t y = 0; y < room->height + 2; y++) {
        const uint8_t *upper = room->pixels + y * ld, *lower = upper + ld;
        uint32_t *quads = room->quads + y * ld;
        for (size_t x = 0; x < room->width + 2; x += LANES)
            *(words *)(quads + x) = load(upper + x) | load(upper + x + 1) << 8 |
                                    load(lower + x) << 16 | load(lower + x + 1) << 24;
    }
}

INLINE vector clamp(vector x, float most)
{
#if defined __AVX512F__
    return _mm512_min_ps(_mm512_max_ps(x, spread(0)), spread(most));
#elif defined __AVX2__
    return _mm256_min_ps(_mm256_max_ps(x, spread(0)), spread(most));
#elif defined __SSE2__
    return _mm_min_ps(_mm_max_ps(x, spread(0)), spread(most));
#else
    for (int l = 0; l < LANES; l++) x[l] = x[l] < 0 ? 0 : x[l] > most ? most : x[l];
    return x;
#endif
}

/* Byte k of each quad. */
INLINE vector byte_of(words quad, int k)
{
    return __builtin_convertvector((integers)((quad >> (8 * k)) & 255), vector);
}

/* a + t (b - a) */
INLINE vector between(vector a, vector b, vector t)
{
    return multiply_add(t, b - a, a);
}

/*
 * Where the pixels of row y come from: quads, and the part of the way from their first pixel on.
 * Places are those in the frame, where (1, 1) is the image's first pixel.
 */
INLINE void locate(const gi_affine *map, bool has_field, gi_warp_room *room, size_t y,
                   uint32_t *index, float *part_x, float *part_y)
{
    const vector xx = spread(map->xx), row_x = spread(map->xy * (float)y + map->x0 + 1);
    const vector yx = spread(map->yx), row_y = spread(map->yy * (float)y + map->y0 + 1);
    const float *dx = room->field + y * room->ld, *dy = dx + room->rows * room->ld;
    const words pixel_ld = (words){0} + (uint32_t)room->pixel_ld;
    for (size_t x = 0; x < room->width; x += LANES) {
        const vector at = __builtin_convertvector((integers)(counting() + (uint32_t)x), vector);
        vector sx = multiply_add(xx, at, row_x), sy = multiply_add(yx, at, row_y);
        if (has_field) {
            sx += *(const vector *)(dx + x);
            sy += *(const vector *)(dy + x);
        }
        sx = clamp(sx, (float)(room->width + 1));
        sy = clamp(sy, (float)(room->height + 1));
        const integers ix = __builtin_convertvector(sx, integers);
        const integers iy = __builtin_convertvector(sy, integers);
        *(words *)(index + x) = (words)iy * pixel_ld + (words)ix;
        *(vector *)(part_x + x) = sx - __builtin_convertvector(ix, vector);
        *(vector *)(part_y + x) = sy - __builtin_convertvector(iy, vector);
    }
}

/* dst (width, and past it up to a vector's end): between the four pixels of each quad. */
INLINE void blend(uint8_t *dst, size_t width, const uint32_t *quads, const float *part_x,
                  const float *part_y)
{
    for (size_t x = 0; x < width; x += LANES) {
        const words quad = *(const words *)(quads + x);
        const vector tx = *(const vector *)(part_x + x), ty = *(const vector *)(part_y + x);
        const vector upper = between(byte_of(quad, 0), byte_of(quad, 1), tx);
        const vector lower = between(byte_of(quad, 2), byte_of(quad, 3), tx);
        const vector grey = between(upper, lower, ty) + 0.5F;
        store(dst + x, (words) __builtin_convertvector(grey, integers));
    }
}

/*
 * Some rows at a time: between computing indices, looking them up one by one and using what is
 * found lies enough work that no load waits for the stores before it.
 */
INLINE void warp(uint8_t *dst, const gi_affine *map, bool has_field, gi_warp_room *room)
{
    const size_t ld = room->ld, width = room->width, height = room->height;
    for (size_t y = 0; y < height; y += GI_WARP_STRIP) {
        const size_t n = height - y < GI_WARP_STRIP ? height - y : GI_WARP_STRIP;
        for (size_t r = 0; r < n; r++)
            locate(map, has_field, room, y + r, room->quad + r * ld, room->part_x + r * ld,
                   room->part_y + r * ld);
        for (size_t r = 0; r < n; r++) {
            uint32_t *quad = room->quad + r * ld;
            for (size_t x = 0; x < width; x++) quad[x] = room->quads[quad[x]];
        }
        for (size_t r = 0; r < n; r++)
            blend(dst + (y + r) * width, width, room->quad + r * ld, room->part_x + r * ld,
                  room->part_y + r * ld);
    }
}

static void apply(uint8_t *dst, const uint8_t *src, const gi_affine *map, bool has_field,
                  gi_warp_room *room)
{
    frame(src, room);
    if (has_field)
        warp(dst, map, true, room);
    else
        warp(dst, map, false, room);
}

extern const gi_warp WARP_NAME(LEVEL);
const gi_warp WARP_NAME(LEVEL) = {
    .isa = TEXT_OF(LEVEL), .noise = noise, .smooth = smooth, .apply = apply};
