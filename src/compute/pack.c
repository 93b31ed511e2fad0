/* SPDX-License-Identifier: MIT */
/*
 * Layouts and bf16, see pack.h: plain loops that a compiler vectorises, but for the transposition,
 * which it does not. Compiled once for each level of instruction set (LEVEL), see src/meson.build.
 */
#include "compute/pack.h"

#include <string.h>

#include "compute/activation.h"
#include "compute/bf16.h"
#include "compute/elementary.h"
#include "compute/engine.h"
#include "compute/level.h"

#ifdef __AVX512BW__
#include <immintrin.h>
#endif

#define PACK_NAME(l) PASTE_ALL(gi_pack_, l)

#define REAL         float
typedef REAL real;

/* ---- bf16 ----------------------------------------------------------------------------------- */

static void to_bf16(uint16_t *restrict dst, const float *restrict src, size_t n)
{
    for (size_t i = 0; i < n; i++) dst[i] = gi_to_bf16(src[i]);
}

static void load_row_bf16(uint16_t *restrict dst, glia_type type, const void *src, size_t n,
                          double divisor)
{
    const float scale = (float)(1 / divisor);
    if (type == GLIA_TYPE_U8) {
        const uint8_t *restrict bytes = src;
        for (size_t i = 0; i < n; i++) dst[i] = gi_to_bf16((float)bytes[i] * scale);
    } else {
        const float *restrict values = src;
        for (size_t i = 0; i < n; i++) dst[i] = gi_to_bf16(values[i] * scale);
    }
    for (size_t i = n; i < gi_padded(n); i++) dst[i] = 0;
}

/* ---- Transposition -------------------------------------------------------------------------- */

typedef uint32_t __attribute__((may_alias)) any32;
typedef uint16_t __attribute__((may_alias)) any16;

#ifdef __AVX512BW__
/* t[c] = column c of the 16 rows r of 16 elements of 4 bytes; r is overwritten. */
static inline void transpose_registers(__m512i t[16], __m512i r[16])
{
    for (size_t i = 0; i < 16; i += 2) { /* pairs of rows: elements */
        t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
    for (size_t i = 0; i < 16; i += 4) { /* of four: in each lane a column's four elements */
        r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    /* r[4 g + j]: lane l holds column 4 l + j of rows 4 g .. 4 g + 3. Transpose g and l. */
    for (size_t j = 0; j < 4; j++) {
        const __m512i a = _mm512_shuffle_i32x4(r[j], r[4 + j], 0x44);
        const __m512i b = _mm512_shuffle_i32x4(r[j], r[4 + j], 0xee);
        const __m512i c = _mm512_shuffle_i32x4(r[8 + j], r[12 + j], 0x44);
        const __m512i d = _mm512_shuffle_i32x4(r[8 + j], r[12 + j], 0xee);
        t[j] = _mm512_shuffle_i32x4(a, c, 0x88);
        t[4 + j] = _mm512_shuffle_i32x4(a, c, 0xdd);
        t[8 + j] = _mm512_shuffle_i32x4(b, d, 0x88);
        t[12 + j] = _mm512_shuffle_i32x4(b, d, 0xdd);
    }
}

static inline void transpose_16x16(__m512i t[16], const any32 *src, size_t ld)
{
    __m512i r[16];
    for (size_t i = 0; i < 16; i++) r[i] = _mm512_loadu_si512(src + i * ld);
    transpose_registers(t, r);
}

/* 0, 2, 4, ... 62: with these of two registers, their even elements of 2 bytes. */
static inline __m512i even_indices(void)
{
    __m512i even = _mm512_setzero_si512();
    for (unsigned i = 1; i < 32; i++)
        even = _mm512_mask_add_epi16(even, ~0U << i, even, _mm512_set1_epi16(2));
    return even;
}
#endif

/* Elements begin..end of each of the columns first..last, one by one. */
#define TRANSPOSE_REST(type, dst, ld_dst, src, ld_src, first, last, begin, end)                    \
    for (size_t c_ = (first); c_ < (last); c_++)                                                   \
        for (size_t r_ = (begin); r_ < (end); r_++)                                                \
    (dst)[c_ * (ld_dst) + r_] = (src)[r_ * (ld_src) + c_]

#ifdef __AVX512BW__
enum { SIDE = 16 };
static inline void transpose_square(any32 *dst, size_t ld_dst, const any32 *src, size_t ld_src)
{
    __m512i t[SIDE];
    transpose_16x16(t, src, ld_src);
    for (size_t i = 0; i < SIDE; i++) _mm512_storeu_si512(dst + i * ld_dst, t[i]);
}
#else
enum { SIDE = 4 };
static inline void transpose_square(any32 *dst, size_t ld_dst, const any32 *src, size_t ld_src)
{
    typedef any32 four __attribute__((vector_size(16), aligned(4)));
    const four r0 = *(const four *)src, r1 = *(const four *)(src + ld_src);
    const four r2 = *(const four *)(src + 2 * ld_src), r3 = *(const four *)(src + 3 * ld_src);
    const four a = __builtin_shufflevector(r0, r1, 0, 4, 1, 5);
    const four b = __builtin_shufflevector(r2, r3, 0, 4, 1, 5);
    const four c = __builtin_shufflevector(r0, r1, 2, 6, 3, 7);
    const four d = __builtin_shufflevector(r2, r3, 2, 6, 3, 7);
    *(four *)dst = __builtin_shufflevector(a, b, 0, 1, 4, 5);
    *(four *)(dst + ld_dst) = __builtin_shufflevector(a, b, 2, 3, 6, 7);
    *(four *)(dst + 2 * ld_dst) = __builtin_shufflevector(c, d, 0, 1, 4, 5);
    *(four *)(dst + 3 * ld_dst) = __builtin_shufflevector(c, d, 2, 3, 6, 7);
}
#endif

static void transpose32(void *dst_, size_t ld_dst, const void *src_, size_t ld_src, size_t rows,
                        size_t columns)
{
    any32 *dst = dst_;
    const any32 *src = src_;
    const size_t whole = rows / SIDE * SIDE, columns_whole = columns / SIDE * SIDE;
    for (size_t r = 0; r < whole; r += SIDE)
        for (size_t c = 0; c < columns_whole; c += SIDE)
            transpose_square(dst + c * ld_dst + r, ld_dst, src + r * ld_src + c, ld_src);
    TRANSPOSE_REST(any32, dst, ld_dst, src, ld_src, columns_whole, columns, 0, whole);
    TRANSPOSE_REST(any32, dst, ld_dst, src, ld_src, 0, columns, whole, rows);
}

static void transpose16(void *dst_, size_t ld_dst, const void *src_, size_t ld_src, size_t rows,
                        size_t columns)
{
    any16 *dst = dst_;
    const any16 *src = src_;
    size_t whole = 0, columns_whole = 0;
#ifdef __AVX512BW__
    /* As pairs of columns, which are then told apart: low halves one column, high halves the next.
     */
    whole = rows / 32 * 32;
    columns_whole = columns / 32 * 32;
    const __m512i low = even_indices(), high = _mm512_add_epi16(low, _mm512_set1_epi16(1));
    for (size_t r = 0; r < whole; r += 32) {
        for (size_t c = 0; c < columns_whole; c += 32) {
            __m512i t[16], u[16];
            transpose_16x16(t, (const any32 *)(const void *)(src + r * ld_src + c), ld_src / 2);
            transpose_16x16(u, (const any32 *)(const void *)(src + (r + 16) * ld_src + c),
                            ld_src / 2);
            for (size_t i = 0; i < 16; i++) {
                any16 *column = dst + (c + 2 * i) * ld_dst + r;
                _mm512_storeu_si512(column, _mm512_permutex2var_epi16(t[i], low, u[i]));
                _mm512_storeu_si512(column + ld_dst, _mm512_permutex2var_epi16(t[i], high, u[i]));
            }
        }
    }
#endif
    TRANSPOSE_REST(any16, dst, ld_dst, src, ld_src, columns_whole, columns, 0, whole);
    TRANSPOSE_REST(any16, dst, ld_dst, src, ld_src, 0, columns, whole, rows);
}

static void transpose_pairs(uint16_t *dst, size_t ld_dst, const uint16_t *src, size_t ld_src,
                            size_t rows, size_t columns)
{
#ifdef __AVX512BW__
    /* Pairs of rows are told apart, and what is left is elements of 4 bytes, pairs of columns. */
    const __m512i low = even_indices(), high = _mm512_add_epi16(low, _mm512_set1_epi16(1));
    for (size_t r = 0; r < rows; r += 16) {
        for (size_t c = 0; c < columns; c += 32) {
            const bool is_half = columns - c < 32;
            __m512i row[16], t[16];
            for (size_t i = 0; i < 8; i++) {
                const uint16_t *from = src + ((r / 2 + i) * ld_src + c) * 2;
                const __m512i a = _mm512_loadu_si512(from);
                const __m512i b = is_half ? a : _mm512_loadu_si512(from + 32);
                row[2 * i] = _mm512_permutex2var_epi16(a, low, b);
                row[2 * i + 1] = _mm512_permutex2var_epi16(a, high, b);
            }
            transpose_registers(t, row);
            for (size_t i = 0; i < (is_half ? 8 : 16); i++)
                _mm512_storeu_si512(dst + ((c / 2 + i) * ld_dst + r) * 2, t[i]);
        }
    }
#else
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++)
            dst[(c / 2 * ld_dst + r) * 2 + c % 2] = src[(r / 2 * ld_src + c) * 2 + r % 2];
#endif
}

/* ---- Pairs of rows -------------------------------------------------------------------------- */

static void pair_rows(uint16_t *restrict dst, const uint16_t *restrict src, size_t ld, size_t rows,
                      size_t width)
{
    any32 *restrict pairs = (any32 *)(void *)dst;
    size_t r = 0;
    for (; r + 2 <= rows; r += 2, pairs += width) {
        const uint16_t *restrict first = src + r * ld, *restrict second = first + ld;
        for (size_t c = 0; c < width; c++) pairs[c] = first[c] | (uint32_t)second[c] << 16;
    }
    if (r < rows)
        for (size_t c = 0; c < width; c++) pairs[c] = src[r * ld + c];
}

static void pair_rows_f32(uint16_t *restrict dst, const float *restrict src, size_t ld, size_t rows,
                          size_t width)
{
    any32 *restrict pairs = (any32 *)(void *)dst;
    size_t r = 0;
    for (; r + 2 <= rows; r += 2, pairs += width) {
        const float *restrict first = src + r * ld, *restrict second = first + ld;
        for (size_t c = 0; c < width; c++)
            pairs[c] = gi_rounded_to_bf16(first[c]) >> 16 | gi_rounded_to_bf16(second[c]);
    }
    if (r < rows)
        for (size_t c = 0; c < width; c++) pairs[c] = gi_rounded_to_bf16(src[r * ld + c]) >> 16;
}

static void sum_rows(float *restrict sums, const uint16_t *restrict src, size_t ld, size_t rows,
                     size_t width)
{
    for (size_t c = 0; c < width; c++) sums[c] = 0;
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < width; c++) sums[c] += gi_of_bf16(src[r * ld + c]);
}

static void sum_rows_f32(float *restrict sums, const float *restrict src, size_t ld, size_t rows,
                         size_t width)
{
    for (size_t c = 0; c < width; c++) sums[c] = 0;
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < width; c++) sums[c] += src[r * ld + c];
}

/* ---- Derivatives by a = f(z), see activation.h ----------------------------------------------- */

#define X(name, traits, low, high, f, gradient, slope)                                             \
    static inline float name##_slope(float a)                                                      \
    {                                                                                              \
        (void)a;                                                                                   \
        return slope;                                                                              \
    }
GI_ACTIVATIONS(X)
#undef X

/* Each element of dst = STORE(gradient * f'(z)), with a = LOAD of f(z), of those by oneDNN. */
#define DERIVE_BY(name, traits, LOAD, STORE)                                                       \
    case GLIA_ACTIVATION_##name:                                                                   \
        if (!((traits)&GI_IN_ONEDNN)) break;                                                       \
        for (size_t r = 0; r < rows; r++)                                                          \
            for (size_t c = 0; c < width / GI_PAD * GI_PAD; c++)                                   \
                dst[r * ld + c] =                                                                  \
                    STORE(gradient[r * width + c] * name##_slope(LOAD(f_z[r * ld + c])));          \
        break;

static void derive(uint16_t *restrict dst, size_t ld, glia_activation f,
                   const uint16_t *restrict f_z, const float *restrict gradient, size_t rows,
                   size_t width)
{
    switch (f) {
#define X(name, traits, ...) DERIVE_BY(name, traits, gi_of_bf16, gi_to_bf16)
        GI_ACTIVATIONS(X)
#undef X
    case GLIA_ACTIVATION_SOFTMAX:
        break;
    }
}

static void derive_f32(float *restrict dst, size_t ld, glia_activation f, const float *restrict f_z,
                       const float *restrict gradient, size_t rows, size_t width)
{
    switch (f) {
#define X(name, traits, ...) DERIVE_BY(name, traits, , )
        GI_ACTIVATIONS(X)
#undef X
    case GLIA_ACTIVATION_SOFTMAX:
        break;
    }
}

extern const gi_pack PACK_NAME(LEVEL);
const gi_pack PACK_NAME(LEVEL) = {
    .isa = TEXT_OF(LEVEL),
    .to_bf16 = to_bf16,
    .load_row_bf16 = load_row_bf16,
    .transpose16 = transpose16,
    .transpose32 = transpose32,
    .transpose_pairs = transpose_pairs,
    .pair_rows = pair_rows,
    .pair_rows_f32 = pair_rows_f32,
    .sum_rows = sum_rows,
    .sum_rows_f32 = sum_rows_f32,
    .derive = derive,
    .derive_f32 = derive_f32,
};
