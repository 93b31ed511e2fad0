/* SPDX-License-Identifier: MIT */
/*
 * glia's own fast kernels, f32: products that skip the zeros of sparse samples, and dense ones.
 * Written once in vectors of LANES floats (GCC's and clang's vector extension) and compiled for
 * each level of instruction set; what a product is not needed for comes from the reference engine.
 *
 * Two ideas carry them. All three dense products of a layer are one tile, C += factor * A B, whose
 * sums stay in registers (Goto and van de Geijn 2008); the weights' panels are its B as they lie.
 * And a sparse sample multiplies rows of a panel, block by block of inputs, so that the block's
 * weights come from L1; its gradient takes, input by input, the samples that have it, and is
 * applied from registers. (SparseTrain, Gong et al. 2019, skips zeros in all three products too,
 * behind relus; here they are the data's.)
 *
 * Invariants: as in reference.c, every output element is summed by one thread in one order.
 */
#include <string.h>

#define REAL float
#include "compute/reference.h"

#ifdef __AVX__
#include <immintrin.h>
#endif

/* LANES of a vector; VECTORS of a row of a dense tile; ROWS of a tile: their product fills the
 * registers (32 with AVX-512, else 16), less those for a row of B and an element of A. */
#if defined __AVX512F__
enum { LANES = 16, VECTORS = 4, ROWS = 6, NARROW_ROWS = 12 };
#elif defined __AVX__
enum { LANES = 8, VECTORS = 2, ROWS = 6, NARROW_ROWS = 6 };
#else
enum { LANES = 4, VECTORS = 4, ROWS = 3, NARROW_ROWS = 3 };
#endif

enum {
    TILE = VECTORS * LANES,    /* units of a dense tile */
    SPARSE_VECTORS = 8,        /* sums of a sparse row that are kept in registers */
    DEPTH = 128,               /* products in a row before a tile goes on: B's part stays in L1 */
    AHEAD = 4,                 /* samples that lists are asked for ahead */
    CHUNK = GI_SPARSE_SAMPLES, /* samples whose activations or gradients stay in L1 */
};

typedef float vector __attribute__((vector_size(4 * LANES)));

#define INLINE static inline __attribute__((always_inline))

INLINE vector spread(float x)
{
    return x - (vector){0};
}

/* x * y + z, rounded once where the level can: said outright, so that no compiler has the choice */
INLINE vector multiply_add(vector x, vector y, vector z)
{
#if defined __AVX512F__
    return _mm512_fmadd_ps(x, y, z);
#elif defined __FMA__
    return _mm256_fmadd_ps(x, y, z);
#else
    return x * y + z;
#endif
}

/* ---- The dense tile ------------------------------------------------------------------------- */

/* A matrix by the distances of its rows and columns, in elements. */
typedef struct strided {
    const float *at;
    size_t row, column;
} strided;

/*
 * C (rows, n_vectors * LANES) = start * C + factor * A (rows, depth) B (depth, n_vectors * LANES),
 * start being 0 or 1, the rows of B and C aligned and consecutive. rows and n_vectors are constants
 * where it is inlined.
 */
typedef struct target {
    float *at;
    size_t row;
    bool start; /* whether C has something already */
    float factor;
    /* What the next product will read, asked for while this one is computed; or NULL. */
    const char *ahead;
    size_t ahead_bytes;
} target;

INLINE void multiply_tile(size_t rows, size_t n_vectors, size_t depth, strided a, const float *b,
                          size_t b_row, target c)
{
    vector sum[NARROW_ROWS][VECTORS];
    for (size_t r = 0; r < rows; r++)
        for (size_t v = 0; v < n_vectors; v++) {
            sum[r][v] = (vector){0};
            __builtin_prefetch(c.at + r * c.row + v * LANES, 1);
        }
    for (size_t k = 0; k < depth; k++) {
        const vector *bk = (const vector *)(b + k * b_row);
        vector row[VECTORS];
        for (size_t v = 0; v < n_vectors; v++) row[v] = bk[v];
        const float *ak = a.at + k * a.column;
        for (size_t r = 0; r < rows; r++) {
            const vector x = spread(ak[r * a.row]);
            for (size_t v = 0; v < n_vectors; v++) sum[r][v] = multiply_add(x, row[v], sum[r][v]);
        }
    }
    for (size_t r = 0; r < rows; r++) {
        vector *to = (vector *)(c.at + r * c.row);
        if (c.start)
            for (size_t v = 0; v < n_vectors; v++)
                to[v] = multiply_add(spread(c.factor), sum[r][v], to[v]);
        else
            for (size_t v = 0; v < n_vectors; v++) to[v] = spread(c.factor) * sum[r][v];
    }
}

/* The same for a number of rows known at run time, of one width. */
INLINE void multiply_rows(size_t rows, size_t n_vectors, size_t depth, strided a, const float *b,
                          size_t b_row, target c)
{
    enum { CACHE_LINE = 64 };
    const size_t most = n_vectors <= 2 ? NARROW_ROWS : ROWS, tiles = (rows + most - 1) / most;
    const size_t asked = (c.ahead_bytes + tiles * CACHE_LINE - 1) / (tiles * CACHE_LINE);
    while (rows > 0) {
        const size_t here = rows >= most ? most : rows > ROWS ? ROWS : rows;
        for (size_t j = 0; c.ahead && j < asked; j++, c.ahead += CACHE_LINE)
            __builtin_prefetch(c.ahead, 0, 2); /* into L2 */
        switch (here) {
#define CASE(n)                                                                                    \
    case n:                                                                                        \
        multiply_tile(n, n_vectors, depth, a, b, b_row, c);                                        \
        break;
#if defined __AVX512F__
            CASE(12)
#endif
#if defined __AVX__
            CASE(6)
            CASE(5)
            CASE(4)
#endif
            CASE(3)
            CASE(2)
            CASE(1)
#undef CASE
        }
        a.at += here * a.row;
        c.at += here * c.row;
        rows -= here;
    }
}

/* ... and of any width that is a multiple of GI_PAD and at most TILE. */
static void multiply(size_t rows, size_t width, size_t depth, strided a, const float *b,
                     size_t b_row, target c)
{
    switch (width / LANES) { /* narrower than TILE with AVX-512 alone: GI_PAD is its vector */
#if defined __AVX512F__
    case 1:
        multiply_rows(rows, 1, depth, a, b, b_row, c);
        break;
    case 2:
        multiply_rows(rows, 2, depth, a, b, b_row, c);
        break;
    case 3:
        multiply_rows(rows, 3, depth, a, b, b_row, c);
        break;
#endif
    case VECTORS:
        multiply_rows(rows, VECTORS, depth, a, b, b_row, c);
        break;
    }
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The part of a panel from unit on that makes a tile. */
static size_t tile_width(size_t unit, size_t end)
{
    return least(gi_panel_part(unit, end), TILE);
}

/* ---- Layers, dense -------------------------------------------------------------------------- */

/* dst's units begin..end of m rows = b */
static void start_with_bias(const gi_layer *layer, float *dst, size_t m, size_t begin, size_t end)
{
    const float *bias = layer->bias;
    for (size_t r = 0; r < m; r++)
        memcpy(dst + r * gi_stride(layer->n_out) + begin, bias + begin,
               (end - begin) * sizeof(float));
}

static void activate_rows(const gi_layer *layer, float *dst, size_t m, size_t begin, size_t end)
{
    for (size_t r = 0; r < m; r++) REFERENCE(activate)
    (layer->activation, dst + r * gi_stride(layer->n_out), layer->n_out, begin, end);
}

/* A batch as a layer reads it: floats (m, row), or bytes that stand for x * scale. */
typedef struct batch {
    const float *floats; /* or NULL */
    const uint8_t *bytes;
    size_t row;
    float scale;
} batch;

/*
 * Rows r... and inputs i... of a batch as floats: where they lie, or converted to block (rows,
 * DEPTH).
 */
static strided floats_of(const batch *x, size_t r, size_t rows, size_t i, size_t n, float *block)
{
    if (x->floats) return (strided){x->floats + r * x->row + i, x->row, 1};
    for (size_t j = 0; j < rows; j++) {
        const uint8_t *restrict from = x->bytes + (r + j) * x->row + i;
        float *restrict to = block + j * DEPTH;
        for (size_t k = 0; k < n; k++) to[k] = (float)from[k] * x->scale;
    }
    return (strided){block, DEPTH, 1};
}

/* As many rows as are converted at a time; all of them where nothing is. */
static size_t rows_at_once(const batch *x, size_t m)
{
    return x->floats ? m : least(m, DEPTH);
}

/* The weights of the next tile of a panel row, for a product to ask for; none past the last. */
static target and_ahead(target c, const gi_layer *layer, size_t input, size_t depth, size_t unit,
                        size_t end)
{
    if (unit >= end) return c;
    const size_t width = gi_panel_width(layer, unit);
    c.ahead = (const char *)((float *)layer->weight + gi_weight_offset(layer, input, unit));
    c.ahead_bytes = depth * width * sizeof(float);
    return c;
}

INLINE void forward_batch(const gi_layer *layer, const batch *x, float *dst, size_t m, size_t begin,
                          size_t end, float *block)
{
    const float *w = layer->weight;
    const size_t row = gi_stride(layer->n_out), rows = rows_at_once(x, m);
    start_with_bias(layer, dst, m, begin, end);
    for (size_t i = 0; i < layer->n_in; i += DEPTH) {
        const size_t depth = least(layer->n_in - i, DEPTH);
        for (size_t r = 0, here; r < m; r += here) {
            here = least(m - r, rows);
            const strided a = floats_of(x, r, here, i, depth, block);
            for (size_t u = begin, n; u < end; u += n) {
                n = tile_width(u, end);
                const target c = {.at = dst + r * row + u, .row = row, .start = true, .factor = 1};
                multiply(here, n, depth, a, w + gi_weight_offset(layer, i, u),
                         gi_panel_width(layer, u), and_ahead(c, layer, i, depth, u + n, end));
            }
        }
    }
    activate_rows(layer, dst, m, begin, end);
}

static void forward(const gi_layer *layer, const void *src, void *dst, size_t m, size_t begin,
                    size_t end, gi_scratch *scratch)
{
    const batch x = {.floats = src, .row = gi_stride(layer->n_in)};
    forward_batch(layer, &x, dst, m, begin, end, scratch->block);
}

static void forward_bytes(const gi_layer *layer, const uint8_t *bytes, size_t row, float scale,
                          void *dst, size_t m, size_t begin, size_t end, gi_scratch *scratch)
{
    const batch x = {.bytes = bytes, .row = row, .scale = scale};
    forward_batch(layer, &x, dst, m, begin, end, scratch->block);
}

static void prefetch(const void *data, size_t bytes)
{
    enum { CACHE_LINE = 64 };
    for (size_t k = 0; k < bytes; k += CACHE_LINE)
        __builtin_prefetch((const char *)data + k, 0, 2); /* into L2 */
}

/* to (4 units, GI_PANEL apart; 4 inputs) = W's (4 inputs, width apart; 4 units), transposed */
INLINE void transpose_4x4(const float *w, size_t width, float *to)
{
    typedef float four __attribute__((vector_size(16)));
    const four r0 = *(const four *)w, r1 = *(const four *)(w + width);
    const four r2 = *(const four *)(w + 2 * width), r3 = *(const four *)(w + 3 * width);
    const four a = __builtin_shufflevector(r0, r1, 0, 4, 1, 5);
    const four b = __builtin_shufflevector(r2, r3, 0, 4, 1, 5);
    const four c = __builtin_shufflevector(r0, r1, 2, 6, 3, 7);
    const four d = __builtin_shufflevector(r2, r3, 2, 6, 3, 7);
    *(four *)to = __builtin_shufflevector(a, b, 0, 1, 4, 5);
    *(four *)(to + GI_PANEL) = __builtin_shufflevector(a, b, 2, 3, 6, 7);
    *(four *)(to + 2 * GI_PANEL) = __builtin_shufflevector(c, d, 0, 1, 4, 5);
    *(four *)(to + 3 * GI_PANEL) = __builtin_shufflevector(c, d, 2, 3, 6, 7);
}

/* delta's m rows of n, `row` apart, *= f'(z), by a = f(z) */
static void derive_rows(glia_activation f, const float *a, float *delta, size_t m, size_t n,
                        size_t row)
{
    if (f != GLIA_RELU) {
        for (size_t r = 0; r < m; r++) REFERENCE(derive)(f, a + r * row, delta + r * row, n);
        return;
    }
    typedef int32_t mask __attribute__((vector_size(sizeof(vector))));
    for (size_t r = 0; r < m; r++)
        for (size_t u = r * row; u < r * row + n; u += LANES) {
            const mask on = *(const vector *)(a + u) > 0; /* all bits set, or none */
            *(vector *)(delta + u) = (vector)(*(const mask *)(delta + u) & on);
        }
}

static void backward_data(const gi_layer *layer, const void *diff_dst, glia_activation f,
                          const void *src, void *diff_src_, size_t m, size_t begin, size_t end,
                          gi_scratch *scratch)
{
    const float *delta = diff_dst, *w = layer->weight;
    float *diff_src = diff_src_, *turned = scratch->block; /* (DEPTH, GI_PANEL): of W^T */
    const size_t row = gi_stride(layer->n_out), row_in = gi_stride(layer->n_in);
    for (size_t i = begin, n; i < end; i += n) {
        n = least(end - i, TILE);
        for (size_t u = 0; u < layer->ld; u += DEPTH) {
            const size_t depth = least(layer->ld - u, DEPTH);
            for (size_t p = u + DEPTH; p < least(u + 2 * DEPTH, layer->ld); p += GI_PANEL)
                prefetch(w + gi_weight_offset(layer, i, p),
                         n * gi_panel_width(layer, p) * sizeof(float));
            for (size_t k = 0; k < depth; k += 4)
                for (size_t j = 0; j < n; j += 4)
                    transpose_4x4(w + gi_weight_offset(layer, i + j, u + k),
                                  gi_panel_width(layer, u + k), turned + k * GI_PANEL + j);
            const strided a = {delta + u, row, 1};
            const target c = {.at = diff_src + i, .row = row_in, .start = u > 0, .factor = 1};
            multiply(m, n, depth, a, turned, GI_PANEL, c);
        }
        derive_rows(f, (const float *)src + i, diff_src + i, m, n, row_in);
    }
}

/* ---- The gradient, handed to the update ----------------------------------------------------- */

/* SGD adds -rate * gradient: a product can do that itself, and in several parts. */
static bool is_sgd(const gi_row_update *update)
{
    return update->apply == REFERENCE(sgd_row);
}

static void update_bias(const gi_layer *layer, size_t layer_index, const float *delta, size_t m,
                        const gi_part *part, const gi_row_update *update, float *gradient)
{
    if (part->row_begin > layer->n_in || part->row_end <= layer->n_in) return;
    for (size_t u = part->unit_begin; u < part->unit_end; u += LANES) {
        vector sum = {0};
        for (size_t r = 0; r < m; r++)
            sum += *(const vector *)(delta + r * gi_stride(layer->n_out) + u);
        *(vector *)(gradient + u) = sum;
    }
    update->apply(update, layer_index, layer->n_in, part->unit_begin,
                  (float *)layer->bias + part->unit_begin, gradient + part->unit_begin,
                  part->unit_end - part->unit_begin);
}

/* W -= rate * dW, part by part of the batch, inputs in blocks that stay near. */
INLINE void learn_batch(const gi_layer *layer, const batch *x, const float *delta, size_t m,
                        const gi_part *part, float rate, float *block)
{
    float *w = layer->weight;
    const size_t row = gi_stride(layer->n_out);
    const size_t rows_end = least(part->row_end, layer->n_in);
    for (size_t i = part->row_begin, here; i < rows_end; i += here) {
        here = least(rows_end - i, DEPTH);
        for (size_t r = 0; r < m; r += DEPTH) {
            const size_t depth = least(m - r, DEPTH);
            const strided a = floats_of(x, r, depth, i, here, block);
            for (size_t u = part->unit_begin, n; u < part->unit_end; u += n) {
                n = tile_width(u, part->unit_end);
                const target c = {.at = w + gi_weight_offset(layer, i, u),
                                  .row = gi_panel_width(layer, u),
                                  .start = true,
                                  .factor = -rate};
                multiply(here, n, depth, (strided){a.at, 1, a.row}, delta + r * row + u, row,
                         and_ahead(c, layer, i, here, u + n, part->unit_end));
            }
        }
    }
}

/* dW's rows, whole, to the update. block: (NARROW_ROWS, GI_PANEL) for them, then for the batch's */
INLINE void hand_over(const gi_layer *layer, size_t layer_index, const batch *x, const float *delta,
                      size_t m, const gi_part *part, const gi_row_update *update, float *block)
{
    const size_t row = gi_stride(layer->n_out);
    const size_t rows_end = least(part->row_end, layer->n_in);
    float *gradient = block, *floats = block + NARROW_ROWS * GI_PANEL;
    for (size_t i = part->row_begin, here; i < rows_end; i += here) {
        here = least(rows_end - i, NARROW_ROWS);
        for (size_t u = part->unit_begin, n; u < part->unit_end; u += n) {
            n = tile_width(u, part->unit_end);
            for (size_t r = 0; r < m; r += DEPTH / 2) {
                const size_t depth = least(m - r, DEPTH / 2);
                const strided a = floats_of(x, r, depth, i, here, floats);
                multiply(here, n, depth, (strided){a.at, 1, a.row}, delta + r * row + u, row,
                         (target){.at = gradient, .row = GI_PANEL, .start = r > 0, .factor = 1});
            }
            for (size_t j = 0; j < here; j++)
                update->apply(update, layer_index, i + j, u,
                              (float *)layer->weight + gi_weight_offset(layer, i + j, u),
                              gradient + j * GI_PANEL, n);
        }
    }
}

static void backward_batch(const gi_layer *layer, size_t layer_index, const batch *x,
                           const float *delta, size_t m, const gi_part *part,
                           const gi_row_update *update, float *block)
{
    update_bias(layer, layer_index, delta, m, part, update, block);
    if (is_sgd(update))
        learn_batch(layer, x, delta, m, part, (float)update->rate, block);
    else
        hand_over(layer, layer_index, x, delta, m, part, update, block);
}

static void backward_weights(const gi_layer *layer, size_t layer_index, const void *src,
                             const void *diff_dst, size_t m, const gi_part *part,
                             const gi_row_update *update, gi_scratch *scratch)
{
    const batch x = {.floats = src, .row = gi_stride(layer->n_in)};
    backward_batch(layer, layer_index, &x, diff_dst, m, part, update, scratch->block);
}

static void backward_bytes(const gi_layer *layer, size_t layer_index, const uint8_t *bytes,
                           size_t row, float scale, const void *diff_dst, size_t m,
                           const gi_part *part, const gi_row_update *update, gi_scratch *scratch)
{
    const batch x = {.bytes = bytes, .row = row, .scale = scale};
    backward_batch(layer, layer_index, &x, diff_dst, m, part, update, scratch->block);
}

/* ---- The first layer, sparse ---------------------------------------------------------------- */

#ifdef __AVX512F__
/* Appends the non-zeros among 16 values, the first of which is input i; returns how many. */
INLINE size_t append_nonzeros(__m512 x, size_t i, uint32_t *index, float *value)
{
    const __m512i count = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __mmask16 mask = _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_NEQ_UQ);
    const __m512i at = _mm512_add_epi32(count, _mm512_set1_epi32((int)i));
    _mm512_storeu_si512(index, _mm512_maskz_compress_epi32(mask, at));
    _mm512_storeu_ps(value, _mm512_maskz_compress_ps(mask, x));
    return (size_t)__builtin_popcount(mask);
}

INLINE size_t append_bytes(const uint8_t *bytes, size_t i, size_t n, float scale, uint32_t *index,
                           float *value)
{
    const __mmask16 there = (__mmask16)(n >= 16 ? 0xFFFF : (1 << n) - 1);
    const __m128i x = _mm_maskz_loadu_epi8(there, bytes + i);
    const __m512 f = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(x));
    return append_nonzeros(f * scale, i, index, value);
}

INLINE size_t append_floats(const float *x, size_t i, size_t n, float scale, uint32_t *index,
                            float *value)
{
    const __mmask16 there = (__mmask16)(n >= 16 ? 0xFFFF : (1 << n) - 1);
    return append_nonzeros(_mm512_maskz_loadu_ps(there, x + i) * scale, i, index, value);
}
#else
INLINE size_t append_bytes(const uint8_t *bytes, size_t i, size_t n, float scale, uint32_t *index,
                           float *value)
{
    size_t count = 0;
    for (size_t j = 0; j < 16 && j < n; j++) {
        uint64_t eight;
        if (j % 8 == 0 && j + 8 <= n) { /* images have long runs of zeros */
            memcpy(&eight, bytes + i + j, 8);
            if (eight == 0) {
                j += 7;
                continue;
            }
        }
        index[count] = (uint32_t)(i + j);
        value[count] = (float)bytes[i + j] * scale;
        count += bytes[i + j] != 0;
    }
    return count;
}

INLINE size_t append_floats(const float *x, size_t i, size_t n, float scale, uint32_t *index,
                            float *value)
{
    size_t count = 0;
    for (size_t j = 0; j < 16 && j < n; j++) {
        index[count] = (uint32_t)(i + j);
        value[count] = x[i + j] * scale;
        count += value[count] != 0;
    }
    return count;
}
#endif

static void load_sparse(gi_sparse *dst, glia_type type, const void *src, size_t n, double divisor)
{
    const float scale = (float)(1 / divisor);
    float *value = dst->value;
    size_t count = 0;
    for (size_t i = 0; i < n; i += 16) {
        if (type == GLIA_U8)
            count += append_bytes(src, i, n - i, scale, dst->index + count, value + count);
        else
            count += append_floats(src, i, n - i, scale, dst->index + count, value + count);
        if (dst->end && (i + 16 >= n || (i + 16) % GI_SPARSE_BLOCK == 0))
            dst->end[i / GI_SPARSE_BLOCK] = (uint32_t)count;
    }
    dst->n = count;
}

/* Where the non-zeros of the inputs from begin (a multiple of GI_SPARSE_BLOCK) on begin. */
static size_t first_from(const gi_sparse *x, size_t begin)
{
    return begin ? x->end[begin / GI_SPARSE_BLOCK - 1] : 0;
}

/*
 * A tile of a sparse product: its sums are n_first vectors from one panel and n_second from the
 * next, whose rows lie width elements apart. All three are constants where it is inlined.
 */
typedef struct sparse_tile {
    size_t n_first, n_second, width;
    float *first, *second; /* the panels' rows of input 0, at the tile's first unit */
} sparse_tile;

/*
 * dst's tile of m rows += those non-zeros of x that lie in a block of inputs, times W. If it
 * gathers, each non-zero also goes to the list of its input: entry and count are those of the
 * block, first is x[0]'s number in the batch.
 */
INLINE void forward_block(sparse_tile t, const gi_sparse *x, size_t m, size_t block,
                          float *restrict dst, size_t row, bool gathers, size_t first,
                          uint32_t *restrict count, struct gi_entry *restrict entry, size_t room)
{
    for (size_t r = 0; r < m; r++) {
        const size_t begin = first_from(&x[r], block * GI_SPARSE_BLOCK), end = x[r].end[block];
        if (begin == end) continue;
        const uint32_t *restrict index = x[r].index;
        const float *restrict value = x[r].value;
        vector *to = (vector *)(dst + r * row), sum[SPARSE_VECTORS];
        for (size_t v = 0; v < t.n_first + t.n_second; v++) sum[v] = to[v];
        for (size_t k = begin; k < end; k++) {
            const vector xk = spread(value[k]);
            const size_t at = index[k] * t.width;
            const vector *w0 = (const vector *)(t.first + at);
            const vector *w1 = (const vector *)(t.second + at);
            for (size_t v = 0; v < t.n_first; v++) sum[v] = multiply_add(xk, w0[v], sum[v]);
            for (size_t v = 0; v < t.n_second; v++)
                sum[t.n_first + v] = multiply_add(xk, w1[v], sum[t.n_first + v]);
            if (gathers) {
                const size_t i = index[k] - block * GI_SPARSE_BLOCK, n = count[i]++;
                entry[i * room + n] = (struct gi_entry){(uint32_t)(first + r), value[k]};
            }
        }
        for (size_t v = 0; v < t.n_first + t.n_second; v++) to[v] = sum[v];
    }
}

/* The gradient's tile of one input: the sum of delta's rows (`row` apart), times the entries. */
INLINE void sum_entries(sparse_tile t, const struct gi_entry *entry, size_t n, const float *delta,
                        size_t row, vector *sum)
{
    for (size_t k = 0; k < n; k++) {
        const vector x = spread(entry[k].value);
        const vector *d = (const vector *)(delta + entry[k].sample * row);
        for (size_t v = 0; v < t.n_first + t.n_second; v++) sum[v] = multiply_add(x, d[v], sum[v]);
    }
}

/* W's tile of inputs begin..end -= rate * gradient, chunk by chunk of samples */
INLINE void learn_columns(sparse_tile t, const gi_columns *c, size_t begin, size_t end,
                          const float *delta, size_t row, float rate)
{
    for (size_t chunk = 0; chunk < c->n_chunks; chunk++) {
        size_t j = chunk * (c->end - c->begin) + begin - c->begin;
        for (size_t i = begin; i < end; i++, j++) {
            if (c->count[j] == 0) continue;
            vector sum[SPARSE_VECTORS];
            for (size_t v = 0; v < t.n_first + t.n_second; v++) sum[v] = (vector){0};
            sum_entries(t, c->entry + j * c->room, c->count[j], delta, row, sum);
            vector *w0 = (vector *)(t.first + i * t.width);
            vector *w1 = (vector *)(t.second + i * t.width);
            for (size_t v = 0; v < t.n_first; v++)
                w0[v] = multiply_add(spread(-rate), sum[v], w0[v]);
            for (size_t v = 0; v < t.n_second; v++)
                w1[v] = multiply_add(spread(-rate), sum[t.n_first + v], w1[v]);
        }
    }
}

/* The gradient of one input over all chunks, for an update that wants it whole. */
INLINE void column_gradient(sparse_tile t, const gi_columns *c, size_t i, const float *delta,
                            size_t row, float *gradient)
{
    vector sum[SPARSE_VECTORS];
    for (size_t v = 0; v < t.n_first + t.n_second; v++) sum[v] = (vector){0};
    for (size_t chunk = 0; chunk < c->n_chunks; chunk++) {
        const size_t j = chunk * (c->end - c->begin) + i - c->begin;
        sum_entries(t, c->entry + j * c->room, c->count[j], delta, row, sum);
    }
    for (size_t v = 0; v < t.n_first + t.n_second; v++) *(vector *)(gradient + v * LANES) = sum[v];
}

/*
 * Calls do_it with the tile at unit u as constants, and sets n to its width: part of a panel and,
 * where SPARSE_VECTORS have room for it, part of the next one.
 */
#define WITH_TILE(layer, u, unit_end, n, do_it)                                                    \
    do {                                                                                           \
        const size_t width_ = gi_panel_width(layer, u);                                            \
        float *w_ = (float *)(layer)->weight + gi_weight_offset(layer, 0, u), *next_ = w_;         \
        n = least(gi_panel_part(u, unit_end), (size_t)SPARSE_VECTORS * LANES);                     \
        size_t second_ = 0;                                                                        \
        if ((u) + n < (unit_end) && n + GI_PANEL <= SPARSE_VECTORS * LANES &&                      \
            gi_panel_width(layer, (u) + n) == width_) {                                            \
            second_ = gi_panel_part((u) + n, unit_end);                                            \
            next_ = (float *)(layer)->weight + gi_weight_offset(layer, 0, (u) + n);                \
        }                                                                                          \
        switch (n / LANES * 10 + second_ / LANES) {                                                \
            TILE_CASE(4, 4, do_it)                                                                 \
            TILE_CASE(4, 2, do_it)                                                                 \
            TILE_CASE(2, 4, do_it)                                                                 \
        default:                                                                                   \
            second_ = 0;                                                                           \
            switch (n / LANES) {                                                                   \
                TILE_CASE(1, 0, do_it)                                                             \
                TILE_CASE(2, 0, do_it)                                                             \
                TILE_CASE(3, 0, do_it)                                                             \
                TILE_CASE(4, 0, do_it)                                                             \
                TILE_CASE(6, 0, do_it)                                                             \
                TILE_CASE(8, 0, do_it)                                                             \
            }                                                                                      \
        }                                                                                          \
        n += second_;                                                                              \
    } while (0)
#define TILE_CASE(first_vectors, second_vectors, do_it)                                            \
    case (second_vectors) == 0 ? (first_vectors):                                                  \
        (first_vectors) * 10 + (second_vectors) :                                                  \
        {                                                                                          \
            const sparse_tile tile = {first_vectors, second_vectors, width_, w_, next_};           \
            do_it;                                                                                 \
            break;                                                                                 \
        }

static void forward_sparse(const gi_layer *layer, const gi_sparse *x, void *dst_, size_t m,
                           size_t begin, size_t end, gi_columns *columns)
{
    const size_t row = gi_stride(layer->n_out), blocks = gi_sparse_blocks(layer->n_in);
    if (columns) columns->n_chunks = 0;
    for (size_t first = 0; first < m; first += CHUNK) {
        const size_t rows = least(m - first, CHUNK);
        float *dst = (float *)dst_ + first * row;
        uint32_t *count = NULL;
        struct gi_entry *entry = NULL;
        if (columns) {
            const size_t before = columns->n_chunks++ * layer->n_in;
            count = columns->count + before;
            entry = columns->entry + before * columns->room;
            memset(count, 0, layer->n_in * sizeof *count);
        }
        start_with_bias(layer, dst, rows, begin, end);
        for (size_t u = begin, n = 0; u < end; u += n)
            for (size_t b = 0; b < blocks; b++)
                if (columns && u == begin)
                    WITH_TILE(layer, u, end, n,
                              forward_block(tile, x + first, rows, b, dst + u, row, true, first,
                                            count + b * GI_SPARSE_BLOCK,
                                            entry + b * GI_SPARSE_BLOCK * columns->room,
                                            columns->room));
                else
                    WITH_TILE(layer, u, end, n,
                              forward_block(tile, x + first, rows, b, dst + u, row, false, 0, NULL,
                                            NULL, 0));
        activate_rows(layer, dst, rows, begin, end);
    }
}

/*
 * Asks for the part of a sample's list of inputs begin..end, which another thread may have made: it
 * lies in another cache.
 */
static void prefetch_list(const gi_sparse *x, size_t begin, size_t end)
{
    const size_t last = x->end[(end - 1) / GI_SPARSE_BLOCK];
    for (size_t k = first_from(x, begin); k < last; k += 16) {
        __builtin_prefetch(x->index + k);
        __builtin_prefetch((const float *)x->value + k);
    }
}

/* The lists of a range of inputs (whole blocks), so few that all are written to in L1. */
static void gather_range(const gi_sparse *x, size_t first, size_t m, size_t begin, size_t end,
                         uint32_t *restrict count, struct gi_entry *restrict entry, size_t room)
{
    for (size_t r = first; r < m; r++) {
        if (r + AHEAD < m) prefetch_list(&x[r + AHEAD], begin, end);
        const uint32_t *restrict index = x[r].index;
        const float *restrict value = x[r].value;
        const size_t last = x[r].end[(end - 1) / GI_SPARSE_BLOCK];
        for (size_t k = first_from(&x[r], begin); k < last; k++) {
            const size_t i = index[k] - begin, at = count[i]++;
            entry[i * room + at] = (struct gi_entry){(uint32_t)r, value[k]};
        }
    }
}

static void gather_columns(const gi_sparse *x, size_t m, gi_columns *c)
{
    enum { RANGE = 2 * GI_SPARSE_BLOCK };
    const size_t n = c->end - c->begin;
    c->n_chunks = 0;
    for (size_t first = 0; first < m; first += CHUNK, c->n_chunks++) {
        const size_t before = c->n_chunks * n;
        memset(c->count + before, 0, n * sizeof *c->count);
        for (size_t i = 0; i < n; i += RANGE)
            gather_range(x, first, least(m, first + CHUNK), c->begin + i,
                         c->begin + least(i + RANGE, n), c->count + before + i,
                         c->entry + (before + i) * c->room, c->room);
    }
}

static void backward_columns(const gi_layer *layer, size_t layer_index, const gi_columns *columns,
                             size_t n_parts, const void *diff_dst, size_t m, const gi_part *part,
                             const gi_row_update *update, gi_scratch *scratch)
{
    const float *delta = diff_dst;
    const size_t row = gi_stride(layer->n_out);
    const bool sgd = is_sgd(update);
    update_bias(layer, layer_index, delta, m, part, update, scratch->block);
    for (size_t p = 0; p < n_parts; p++) {
        const gi_columns *c = &columns[p];
        const size_t begin = part->row_begin > c->begin ? part->row_begin : c->begin;
        const size_t end = least(part->row_end, c->end);
        for (size_t u = part->unit_begin, n = 0; sgd && begin < end && u < part->unit_end; u += n)
            WITH_TILE(layer, u, part->unit_end, n,
                      learn_columns(tile, c, begin, end, delta + u, row, (float)update->rate));
        for (size_t i = begin; !sgd && i < end; i++) {
            for (size_t u = part->unit_begin, n = 0, k; u < part->unit_end; u += n) {
                float *gradient = scratch->block;
                WITH_TILE(layer, u, part->unit_end, n,
                          column_gradient(tile, c, i, delta + u, row, gradient));
                for (size_t j = 0; j < n; j += k) { /* a tile may lie in two panels */
                    k = gi_panel_part(u + j, u + n);
                    update->apply(update, layer_index, i, u + j,
                                  (float *)layer->weight + gi_weight_offset(layer, i, u + j),
                                  gradient + j, k);
                }
            }
        }
    }
}

/* ---- The table ------------------------------------------------------------------------------ */

extern const gi_engine PASTE_ALL(gi_native_, LEVEL);
const gi_engine PASTE_ALL(gi_native_, LEVEL) = {
    .name = "native",
    .isa = TEXT_OF(LEVEL),
    .element_bytes = sizeof(float),
    .load_row = REFERENCE(load_row),
    .load_sparse = load_sparse,
    .forward = forward,
    .softmax_loss = REFERENCE(softmax_loss),
    .softmax = REFERENCE(softmax),
    .backward_data = backward_data,
    .backward_weights = backward_weights,
    .sgd_row = REFERENCE(sgd_row),
    .sgd_sample = REFERENCE(sgd_sample),
    .forward_bytes = forward_bytes,
    .backward_bytes = backward_bytes,
    .forward_sparse = forward_sparse,
    .gather_columns = gather_columns,
    .backward_columns = backward_columns,
};
