/* SPDX-License-Identifier: MIT */
/*
 * glia's own fast kernels, f32: products that skip the zeros of sparse samples, and dense ones.
 * Written once in vectors of LANES floats (GCC's and clang's vector extension) and compiled for
 * each level of instruction set; what a product is not needed for comes from the reference engine.
 *
 * Two ideas carry them. All three dense products of a layer are one tile, C += factor * A B, whose
 * sums stay in registers (Goto and van de Geijn 2008); the weights' panels are its B as they lie.
 * And a sparse sample multiplies rows of a panel, block by block of inputs, so that the block's
 * weights come from L1: a mask of 64 bytes, or a list of floats, says which. The gradient takes,
 * input by input, the samples that have it, and is applied from registers. (SparseTrain, Gong et
 * al. 2019, skips zeros in all three products too, behind relus; here they are the data's.)
 *
 * Invariants: as in reference.c, every output element is summed by one thread in one order.
 */
#include <string.h>

#define REAL float
#include "compute/pack.h"
#include "compute/reference.h"
#include "compute/vector.h"

/* VECTORS of a row of a dense tile; ROWS of a tile: their product fills the
 * registers (32 with AVX-512, else 16), less those for a row of B and an element of A. */
#if defined __AVX512F__
enum { VECTORS = 4, ROWS = 6, NARROW_ROWS = 12 };
#elif defined __AVX2__
enum { VECTORS = 2, ROWS = 6, NARROW_ROWS = 6 };
#else
enum { VECTORS = 4, ROWS = 3, NARROW_ROWS = 3 };
#endif

enum {
    TILE = VECTORS * LANES, /* units of a dense tile */
    SPARSE_VECTORS = 8,     /* sums of a sparse row that are kept in registers */
    DEPTH = 128,            /* products in a row before a tile goes on: B's part stays in L1 */
    AHEAD = 4,              /* samples that lists are asked for ahead */
    CHUNK = 64,             /* samples whose activations or gradients stay in L1; bits of a mask */
};

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
    if (rows == 0) return; /* a thread without a part of a small batch */
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

/* A batch as a layer reads it: one of the three. */
typedef struct batch {
    const float *floats;    /* (m, row) */
    const uint8_t *bytes;   /* (m, row), which stand for x * scale */
    const gi_sparse *lists; /* (m) */
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

/*
 * As many columns of a product of m rows as stay in L2 while part after part of their sums is added
 * to them; whole tiles.
 */
static size_t near_columns(size_t m)
{
    enum { NEAR = (256 << 10) / sizeof(float) };
    const size_t n = NEAR / (m ? m : 1) / TILE * TILE;
    return n ? n : TILE;
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
    for (size_t near = begin, far; near < end; near = far) {
        far = least(end, near / TILE * TILE + near_columns(m));
        start_with_bias(layer, dst, m, near, far);
        for (size_t i = 0; i < layer->n_in; i += DEPTH) {
            const size_t depth = least(layer->n_in - i, DEPTH);
            for (size_t r = 0, here; r < m; r += here) {
                here = least(m - r, rows);
                const strided a = floats_of(x, r, here, i, depth, block);
                for (size_t u = near, n; u < far; u += n) {
                    n = tile_width(u, far);
                    const target c = {dst + r * row + u, row, .start = true, .factor = 1};
                    multiply(here, n, depth, a, w + gi_weight_offset(layer, i, u),
                             gi_panel_width(layer, u), and_ahead(c, layer, i, depth, u + n, far));
                }
            }
        }
        activate_rows(layer, dst, m, near, far);
    }
}

static void forward(const gi_layer *layer, const void *src, void *dst, size_t m, size_t begin,
                    size_t end, gi_scratch *scratch)
{
    const batch x = {.floats = src, .row = gi_stride(layer->n_in)};
    forward_batch(layer, &x, dst, m, begin, end, scratch->block);
}

static void prefetch(const void *data, size_t bytes)
{
    enum { CACHE_LINE = 64 };
    for (size_t k = 0; k < bytes; k += CACHE_LINE)
        __builtin_prefetch((const char *)data + k, 0, 2); /* into L2 */
}

/* delta's m rows of n, `row` apart, *= f'(z), by a = f(z) */
static void derive_rows(glia_activation f, const float *a, float *delta, size_t m, size_t n,
                        size_t row)
{
    if (f == GLIA_IDENTITY) return;
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
    const gi_pack *pack = gi_pack_for(TEXT_OF(LEVEL));
    const float *delta = diff_dst, *w = layer->weight;
    float *diff_src = diff_src_, *turned = scratch->block; /* (DEPTH, GI_PANEL): of W^T */
    const size_t row = gi_stride(layer->n_out), row_in = gi_stride(layer->n_in);
    for (size_t near = begin, far; near < end; near = far) {
        far = least(end, near + near_columns(m));
        for (size_t u = 0; u < layer->ld; u += DEPTH) {
            const size_t depth = least(layer->ld - u, DEPTH);
            for (size_t i = near, n; i < far; i += n) {
                n = least(far - i, TILE);
                for (size_t k = 0, part; k < depth; k += part) {
                    part = gi_panel_part(u + k, u + depth);
                    const size_t width = gi_panel_width(layer, u + k);
                    const float *from = w + gi_weight_offset(layer, i, u + k);
                    prefetch(from + n * width, least(far - i - n, TILE) * width * sizeof(float));
                    pack->transpose32(turned + k * GI_PANEL, GI_PANEL, from, width, n, part);
                }
                const strided a = {delta + u, row, 1};
                const target c = {.at = diff_src + i, .row = row_in, .start = u > 0, .factor = 1};
                multiply(m, n, depth, a, turned, GI_PANEL, c);
            }
        }
        derive_rows(f, (const float *)src + near, diff_src + near, m, far - near, row_in);
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

/*
 * W -= rate * dW, part by part of the batch, while a tile of W stays near. block: (ROWS_AT_ONCE,
 * DEPTH)
 */
INLINE void learn_batch(const gi_layer *layer, const batch *x, const float *delta, size_t m,
                        const gi_part *part, float rate, float *block)
{
    enum { ROWS_AT_ONCE = 3 * DEPTH }; /* that are converted */
    float *w = layer->weight;
    const size_t row = gi_stride(layer->n_out), rows = x->floats ? m : least(m, ROWS_AT_ONCE);
    const size_t inputs_end = least(part->row_end, layer->n_in);
    for (size_t i = part->row_begin, here; i < inputs_end; i += here) {
        here = least(inputs_end - i, DEPTH);
        for (size_t first = 0; first < m; first += rows) {
            const size_t end = least(first + rows, m);
            const strided a = floats_of(x, first, end - first, i, here, block);
            for (size_t u = part->unit_begin, n; u < part->unit_end; u += n) {
                n = tile_width(u, part->unit_end);
                const target c = {.at = w + gi_weight_offset(layer, i, u),
                                  .row = gi_panel_width(layer, u),
                                  .start = true,
                                  .factor = -rate};
                for (size_t r = first; r < end; r += DEPTH) {
                    const strided turned = {a.at + (r - first) * a.row, 1, a.row};
                    multiply(here, n, least(end - r, DEPTH), turned, delta + r * row + u, row,
                             r + DEPTH < end ? c
                                             : and_ahead(c, layer, i, here, u + n, part->unit_end));
                }
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

/* Where the non-zeros of the inputs from begin on begin: a multiple of GI_SPARSE_BLOCK, or the end
 * of all inputs. */
static size_t first_from(const gi_sparse *x, size_t begin)
{
    return begin ? x->end[gi_sparse_blocks(begin) - 1] : 0;
}

/* How many non-zeros m samples have. */
static size_t count_pairs(const gi_sparse *x, size_t m)
{
    size_t n = 0;
    for (size_t r = 0; r < m; r++) n += x[r].n;
    return n;
}

/*
 * A tile of a sparse product: its sums are n_first vectors from one panel and n_second from the
 * next, both constants where it is inlined.
 */
typedef struct sparse_tile {
    size_t n_first, n_second;
    float *first, *second; /* the panels' rows of the product's first input, at the tile's units */
    size_t first_row, second_row; /* the distances of their rows */
} sparse_tile;

/* sum += x * (W's row of an input) */
INLINE void add_row(sparse_tile t, size_t input, float x, vector *sum)
{
    const vector xs = spread(x);
    const vector *w0 = (const vector *)(t.first + input * t.first_row);
    const vector *w1 = (const vector *)(t.second + input * t.second_row);
    for (size_t v = 0; v < t.n_first; v++) sum[v] = multiply_add(xs, w0[v], sum[v]);
    for (size_t v = 0; v < t.n_second; v++)
        sum[t.n_first + v] = multiply_add(xs, w1[v], sum[t.n_first + v]);
}

/* Bit k: whether bytes[k] is not 0. */
INLINE uint64_t nonzero_mask(const uint8_t *bytes)
{
    uint64_t mask = 0;
#if defined __AVX512BW__
    const __m512i x = _mm512_loadu_si512(bytes);
    mask = _mm512_test_epi8_mask(x, x);
#elif defined __SSE2__
    for (int k = 0; k < 64; k += 16) {
        const __m128i x = _mm_loadu_si128((const __m128i *)(bytes + k));
        const int zeros = _mm_movemask_epi8(_mm_cmpeq_epi8(x, _mm_setzero_si128()));
        mask |= (uint64_t)(zeros ^ 0xFFFF) << k;
    }
#else
    for (int k = 0; k < 64; k++) mask |= (uint64_t)(bytes[k] != 0) << k;
#endif
    return mask;
}

/* sum += x's inputs begin..end, whole blocks, times W */
INLINE void forward_list(sparse_tile t, const gi_sparse *x, size_t begin, size_t end, vector *sum)
{
    const uint32_t *restrict index = x->index;
    const float *restrict value = x->value;
    const size_t last = first_from(x, end);
    for (size_t k = first_from(x, begin); k < last; k++) add_row(t, index[k], value[k], sum);
}

/* ... inputs begin..end of a sample, 64 at a time, by their mask */
INLINE void forward_mask(sparse_tile t, const uint8_t *x, float scale, size_t begin, size_t end,
                         vector *sum)
{
    for (size_t i = begin; i < end; i += 64) {
        uint64_t left = nonzero_mask(x + i);
        if (!left) continue;
        float value[64];
        for (size_t k = 0; k < 64; k++) value[k] = (float)x[i + k] * scale;
        for (; left; left &= left - 1) {
            const size_t k = (size_t)__builtin_ctzll(left);
            add_row(t, i + k, value[k], sum);
        }
    }
}

/* dst's tile of m rows += rows first... of x, of a block of inputs, times W */
INLINE void forward_block(sparse_tile t, const batch *x, size_t first, size_t m, size_t begin,
                          size_t end, float *restrict dst, size_t row)
{
    for (size_t r = 0; r < m; r++) {
        vector *to = (vector *)(dst + r * row), sum[SPARSE_VECTORS];
        for (size_t v = 0; v < t.n_first + t.n_second; v++) sum[v] = to[v];
        if (x->lists)
            forward_list(t, &x->lists[first + r], begin, end, sum);
        else
            forward_mask(t, x->bytes + (first + r) * x->row, x->scale, begin, end, sum);
        for (size_t v = 0; v < t.n_first + t.n_second; v++) to[v] = sum[v];
    }
}

/*
 * The non-zeros of a chunk of samples by input, as the gradient wants them: of input i, bit r of
 * its mask says whether sample r has one, and value i * CHUNK + r is it. Bytes have no mask yet.
 */
typedef struct by_input {
    const uint8_t *bytes; /* (inputs, CHUNK); or NULL: */
    const float *values;
    const uint64_t *mask; /* (inputs) */
} by_input;

/* The mask of an input; *value will be its values: where they are, or in buffer. */
INLINE uint64_t values_of(const by_input *x, size_t i, float buffer[restrict CHUNK],
                          const float **value)
{
    if (!x->bytes) {
        *value = x->values + i * CHUNK;
        return x->mask[i];
    }
    const uint8_t *restrict bytes = x->bytes + i * CHUNK;
    const uint64_t mask = nonzero_mask(bytes);
    for (size_t r = 0; mask && r < CHUNK; r++) buffer[r] = (float)bytes[r];
    *value = buffer;
    return mask;
}

/* The tile (of the weights, or of a gradient) of inputs 0..n += factor * x^T delta */
INLINE void add_gradient(sparse_tile t, const by_input *x, size_t n, const float *delta, size_t row,
                         float factor)
{
    for (size_t i = 0; i < n; i++) {
        float buffer[CHUNK];
        const float *value;
        uint64_t left = values_of(x, i, buffer, &value);
        if (!left) continue;
        vector sum[SPARSE_VECTORS];
        for (size_t v = 0; v < t.n_first + t.n_second; v++) sum[v] = (vector){0};
        for (; left; left &= left - 1) {
            const size_t r = (size_t)__builtin_ctzll(left);
            const vector x_r = spread(value[r]);
            const vector *d = (const vector *)(delta + r * row);
            for (size_t v = 0; v < t.n_first + t.n_second; v++)
                sum[v] = multiply_add(x_r, d[v], sum[v]);
        }
        vector *to0 = (vector *)(t.first + i * t.first_row);
        vector *to1 = (vector *)(t.second + i * t.second_row);
        for (size_t v = 0; v < t.n_first; v++)
            to0[v] = multiply_add(spread(factor), sum[v], to0[v]);
        for (size_t v = 0; v < t.n_second; v++)
            to1[v] = multiply_add(spread(factor), sum[t.n_first + v], to1[v]);
    }
}

/*
 * Calls do_it with the tile at an input and unit u as constants, and sets n to its width: part of a
 * panel and, where SPARSE_VECTORS have room for it, part of the next one.
 */
#define WITH_TILE(layer, input, u, unit_end, n, do_it)                                             \
    do {                                                                                           \
        const size_t row_ = gi_panel_width(layer, u);                                              \
        size_t second_ = 0, next_row_ = row_;                                                      \
        float *w_ = (float *)(layer)->weight + gi_weight_offset(layer, input, u), *next_ = w_;     \
        n = least(gi_panel_part(u, unit_end), (size_t)SPARSE_VECTORS * LANES);                     \
        if ((u) + n < (unit_end) && n + GI_PANEL <= SPARSE_VECTORS * LANES) {                      \
            second_ = gi_panel_part((u) + n, unit_end);                                            \
            next_ = (float *)(layer)->weight + gi_weight_offset(layer, input, (u) + n);            \
            next_row_ = gi_panel_width(layer, (u) + n);                                            \
        }                                                                                          \
        switch (n / LANES * 10 + second_ / LANES) {                                                \
            TILE_CASE(4, 4, do_it)                                                                 \
            TILE_CASE(4, 3, do_it)                                                                 \
            TILE_CASE(4, 2, do_it)                                                                 \
            TILE_CASE(4, 1, do_it)                                                                 \
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
#define TILE_CASE(n_first_, n_second_, do_it)                                                      \
    case (n_second_) == 0 ? (n_first_):                                                            \
        (n_first_) * 10 + (n_second_) :                                                            \
        {                                                                                          \
            const sparse_tile tile = {n_first_, n_second_, w_, next_, row_, next_row_};            \
            do_it;                                                                                 \
            break;                                                                                 \
        }

/*
 * How many inputs samples go by at a time. Where a block has hardly a non-zero of a sample, its
 * weights are not read twice, and it is not worth a visit: all inputs are one.
 */
static size_t block_of(const batch *x, size_t first, size_t rows, size_t n_in)
{
    enum { BYTES = 128, WORTH = 2 };
    if (!x->lists) return BYTES;
    return count_pairs(x->lists + first, rows) < WORTH * rows * gi_sparse_blocks(n_in)
               ? n_in
               : GI_SPARSE_BLOCK;
}

static void forward_sparse_batch(const gi_layer *layer, const batch *x, float *dst, size_t m,
                                 size_t begin, size_t end)
{
    const size_t row = gi_stride(layer->n_out);
    for (size_t first = 0; first < m; first += CHUNK) {
        const size_t rows = least(m - first, CHUNK), block = block_of(x, first, rows, layer->n_in);
        float *chunk = dst + first * row;
        start_with_bias(layer, chunk, rows, begin, end);
        for (size_t u = begin, n = 0; u < end; u += n)
            for (size_t i = 0; i < layer->n_in; i += block)
                WITH_TILE(layer, 0, u, end, n,
                          forward_block(tile, x, first, rows, i, least(i + block, layer->n_in),
                                        chunk + u, row));
        activate_rows(layer, chunk, rows, begin, end);
    }
}

/*
 * to (n, CHUNK) = inputs begin..begin + n (n to a multiple of 16) of m samples, rows past them
 * zero.
 */
static void turn_bytes(const uint8_t *x, size_t x_row, size_t m, size_t begin, size_t n,
                       uint8_t *to)
{
    typedef uint8_t sixteen __attribute__((vector_size(16), aligned(1)));
    for (size_t i = 0; i < n; i += 16)
        for (size_t r = 0; r < CHUNK; r += 16) {
            sixteen a[16], b[16];
            for (size_t j = 0; j < 16; j++)
                a[j] =
                    r + j < m ? *(const sixteen *)(x + (r + j) * x_row + begin + i) : (sixteen){0};
            /* Rows j and j + 8 in turn, byte by byte: four times, and columns are rows. */
            for (int round = 0; round < 4; round++) {
                for (size_t j = 0; j < 8; j++) {
                    b[2 * j] = __builtin_shufflevector(a[j], a[j + 8], 0, 16, 1, 17, 2, 18, 3, 19,
                                                       4, 20, 5, 21, 6, 22, 7, 23);
                    b[2 * j + 1] = __builtin_shufflevector(a[j], a[j + 8], 8, 24, 9, 25, 10, 26, 11,
                                                           27, 12, 28, 13, 29, 14, 30, 15, 31);
                }
                memcpy(a, b, sizeof a);
            }
            for (size_t j = 0; j < 16; j++) *(sixteen *)(to + (i + j) * CHUNK + r) = a[j];
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

/* The same of lists: mask (end - begin), and values (end - begin, CHUNK) where it has a bit. */
static void turn_lists(const gi_sparse *x, size_t m, size_t begin, size_t end,
                       uint64_t *restrict mask, float *restrict values)
{
    memset(mask, 0, (end - begin) * sizeof *mask);
    for (size_t r = 0; r < m; r++) {
        if (r + AHEAD < m) prefetch_list(&x[r + AHEAD], begin, end);
        const uint32_t *restrict index = x[r].index;
        const float *restrict value = x[r].value;
        const size_t last = x[r].end[(end - 1) / GI_SPARSE_BLOCK];
        for (size_t k = first_from(&x[r], begin); k < last; k++) {
            const size_t i = index[k] - begin;
            mask[i] |= (uint64_t)1 << r;
            values[i * CHUNK + r] = value[k];
        }
    }
}

/* As many inputs as are turned at a time: whole blocks of lists, for which there is room. */
enum { TURNED_BYTES = 9 * GI_SPARSE_BLOCK, TURNED_FLOATS = 2 * GI_SPARSE_BLOCK };

/* Inputs begin..end of a chunk of m samples from `first` on. */
static by_input turn(const batch *x, size_t first, size_t m, size_t begin, size_t end, float *block)
{
    const size_t from = begin / GI_SPARSE_BLOCK * GI_SPARSE_BLOCK, skipped = begin - from;
    if (x->bytes) {
        uint8_t *bytes = (uint8_t *)block;
        turn_bytes(x->bytes + first * x->row, x->row, m, from, end - from, bytes);
        return (by_input){.bytes = bytes + skipped * CHUNK};
    }
    float *values = block;
    uint64_t *mask = (uint64_t *)(values + TURNED_FLOATS * CHUNK);
    turn_lists(x->lists + first, m, from, end, mask, values);
    return (by_input){.values = values + skipped * CHUNK, .mask = mask + skipped};
}

/* W's inputs i..next += factor * x^T delta, chunk by chunk of samples */
static void learn_sparse(const gi_layer *layer, const batch *x, const float *delta, size_t m,
                         size_t i, size_t next, const gi_part *part, float factor, float *block)
{
    const size_t row = gi_stride(layer->n_out);
    for (size_t r = 0; r < m; r += CHUNK) {
        const by_input turned = turn(x, r, least(m - r, CHUNK), i, next, block);
        for (size_t u = part->unit_begin, n = 0; u < part->unit_end; u += n)
            WITH_TILE(layer, i, u, part->unit_end, n,
                      add_gradient(tile, &turned, next - i, delta + r * row + u, row, factor));
    }
}

/* dW's rows i..next, whole, to the update */
static void hand_over_sparse(const gi_layer *layer, size_t layer_index, const batch *x,
                             const float *delta, size_t m, size_t i, size_t next,
                             const gi_part *part, float scale, const gi_row_update *update,
                             float *block)
{
    const size_t row = gi_stride(layer->n_out), width = SPARSE_VECTORS * LANES;
    float *gradient = block + TURNED_FLOATS * (CHUNK + sizeof(uint64_t) / sizeof(float));
    for (size_t u = part->unit_begin, n = 0, k; u < part->unit_end; u += n) {
        memset(gradient, 0, (next - i) * width * sizeof *gradient);
        for (size_t r = 0; r < m; r += CHUNK) {
            const by_input turned = turn(x, r, least(m - r, CHUNK), i, next, block);
            WITH_TILE(layer, i, u, part->unit_end, n,
                      add_gradient(((sparse_tile){tile.n_first, tile.n_second, gradient,
                                                  gradient + tile.n_first * LANES, width, width}),
                                   &turned, next - i, delta + r * row + u, row, scale));
        }
        for (size_t j = i; j < next; j++)
            for (size_t v = 0; v < n; v += k) { /* a tile may lie in two panels */
                k = gi_panel_part(u + v, u + n);
                update->apply(update, layer_index, j, u + v,
                              (float *)layer->weight + gi_weight_offset(layer, j, u + v),
                              gradient + (j - i) * width + v, k);
            }
    }
}

/* ---- Few non-zeros: only the rows of W that they lead to are visited ------------------------ */

/*
 * The non-zeros of a chunk of samples, those of an input linked in the samples' order: it begins at
 * place heads[input] - 1, and place k has value[k], of row link[k] % CHUNK of the chunk; the next
 * one is at place link[k] / CHUNK - 1. All in a thread's scratch, with room for `most`.
 */
typedef struct linked {
    uint32_t *heads;   /* (inputs): 0 of those without any */
    uint32_t *touched; /* (n_touched): those with one */
    size_t n_touched;
    uint32_t *link;
    float *value;
} linked;

/* Whether each chunk has so few that looking at every input would be most of the work. */
static bool are_few(const batch *x, size_t m, size_t n_in, const gi_scratch *scratch)
{
    if (!x->lists || !scratch->heads) return false;
    for (size_t r = 0; r < m; r += CHUNK)
        if (2 * count_pairs(x->lists + r, least(m - r, CHUNK)) > n_in) return false;
    return true;
}

/* Links those of inputs begin..end of m samples. */
static linked link_lists(const gi_sparse *x, size_t m, size_t begin, size_t end,
                         const gi_scratch *scratch)
{
    linked l = {scratch->heads, scratch->list.index, 0, scratch->block, scratch->list.value};
    uint32_t n = 0;
    for (size_t r = m; r-- > 0;) /* each is put before those that are there */
        for (size_t k = 0; k < x[r].n; k++) {
            const uint32_t i = x[r].index[k];
            if (i < begin || i >= end) continue;
            if (l.heads[i] == 0) l.touched[l.n_touched++] = i;
            l.link[n] = l.heads[i] * CHUNK + (uint32_t)r;
            l.value[n] = ((const float *)x[r].value)[k];
            l.heads[i] = ++n;
        }
    return l;
}

/* The tile (of the weights) of all inputs that were linked += factor * x^T delta */
INLINE void add_linked(sparse_tile t, const linked *x, const float *delta, size_t row, float factor)
{
    for (size_t j = 0; j < x->n_touched; j++) {
        const size_t i = x->touched[j];
        if (j + AHEAD < x->n_touched)
            for (size_t v = 0; v < t.n_first; v++)
                __builtin_prefetch(t.first + x->touched[j + AHEAD] * t.first_row + v * LANES, 1);
        vector sum[SPARSE_VECTORS];
        for (size_t v = 0; v < t.n_first + t.n_second; v++) sum[v] = (vector){0};
        for (uint32_t next = x->heads[i]; next;) {
            const uint32_t link = x->link[next - 1];
            const vector x_r = spread(x->value[next - 1]);
            const vector *d = (const vector *)(delta + link % CHUNK * row);
            for (size_t v = 0; v < t.n_first + t.n_second; v++)
                sum[v] = multiply_add(x_r, d[v], sum[v]);
            next = link / CHUNK;
        }
        vector *to0 = (vector *)(t.first + i * t.first_row);
        vector *to1 = (vector *)(t.second + i * t.second_row);
        for (size_t v = 0; v < t.n_first; v++)
            to0[v] = multiply_add(spread(factor), sum[v], to0[v]);
        for (size_t v = 0; v < t.n_second; v++)
            to1[v] = multiply_add(spread(factor), sum[t.n_first + v], to1[v]);
    }
}

/* As learn_sparse, of all of the part's inputs. */
static void learn_few(const gi_layer *layer, const batch *x, const float *delta, size_t m,
                      const gi_part *part, float factor, const gi_scratch *scratch)
{
    const size_t row = gi_stride(layer->n_out);
    for (size_t r = 0; r < m; r += CHUNK) {
        const linked few =
            link_lists(x->lists + r, least(m - r, CHUNK), part->row_begin, part->row_end, scratch);
        for (size_t u = part->unit_begin, n = 0; u < part->unit_end; u += n)
            WITH_TILE(layer, 0, u, part->unit_end, n,
                      add_linked(tile, &few, delta + r * row + u, row, factor));
        for (size_t j = 0; j < few.n_touched; j++) few.heads[few.touched[j]] = 0;
    }
}

static void backward_sparse_batch(const gi_layer *layer, size_t layer_index, const batch *x,
                                  const float *delta, size_t m, const gi_part *part,
                                  const gi_row_update *update, gi_scratch *scratch)
{
    const float scale = x->bytes ? x->scale : 1; /* of turned bytes */
    const size_t end = least(part->row_end, layer->n_in);
    const size_t at_once = x->bytes && is_sgd(update) ? TURNED_BYTES : TURNED_FLOATS;
    float *block = scratch->block;
    update_bias(layer, layer_index, delta, m, part, update, block);
    if (is_sgd(update) && are_few(x, m, layer->n_in, scratch)) {
        learn_few(layer, x, delta, m, part, -(float)update->rate * scale, scratch);
        return;
    }
    for (size_t i = part->row_begin, next; i < end; i = next) {
        next = least(end, (i / at_once + 1) * at_once);
        if (is_sgd(update))
            learn_sparse(layer, x, delta, m, i, next, part, -(float)update->rate * scale, block);
        else
            hand_over_sparse(layer, layer_index, x, delta, m, i, next, part, scale, update, block);
    }
}

static void forward_sparse(const gi_layer *layer, const gi_sparse *lists, void *dst, size_t m,
                           size_t begin, size_t end)
{
    const batch x = {.lists = lists};
    forward_sparse_batch(layer, &x, dst, m, begin, end);
}

static void backward_sparse(const gi_layer *layer, size_t layer_index, const gi_sparse *lists,
                            const void *diff_dst, size_t m, const gi_part *part,
                            const gi_row_update *update, gi_scratch *scratch)
{
    const batch x = {.lists = lists};
    backward_sparse_batch(layer, layer_index, &x, diff_dst, m, part, update, scratch);
}

/* ---- The first layer, of bytes -------------------------------------------------------------- */

static void forward_bytes(const gi_layer *layer, const uint8_t *bytes, size_t row, float scale,
                          bool skips_zeros, void *dst, size_t m, size_t begin, size_t end,
                          gi_scratch *scratch)
{
    const batch x = {.bytes = bytes, .row = row, .scale = scale};
    if (skips_zeros)
        forward_sparse_batch(layer, &x, dst, m, begin, end);
    else
        forward_batch(layer, &x, dst, m, begin, end, scratch->block);
}

static void backward_bytes(const gi_layer *layer, size_t layer_index, const uint8_t *bytes,
                           size_t row, float scale, bool skips_zeros, const void *diff_dst,
                           size_t m, const gi_part *part, const gi_row_update *update,
                           gi_scratch *scratch)
{
    const batch x = {.bytes = bytes, .row = row, .scale = scale};
    if (skips_zeros)
        backward_sparse_batch(layer, layer_index, &x, diff_dst, m, part, update, scratch);
    else
        backward_batch(layer, layer_index, &x, diff_dst, m, part, update, scratch->block);
}

/* ---- The table ------------------------------------------------------------------------------ */

extern const gi_engine PASTE_ALL(gi_native_, LEVEL);
const gi_engine PASTE_ALL(gi_native_, LEVEL) = {
    .name = "native",
    .isa = TEXT_OF(LEVEL),
    .element_bytes = sizeof(float),
    .load_row = REFERENCE(load_row),
    .load_sparse = load_sparse,
    .load_pairs = REFERENCE(load_pairs),
    .forward = forward,
    .loss = REFERENCE(loss),
    .outputs = REFERENCE(outputs),
    .backward_data = backward_data,
    .backward_weights = backward_weights,
    .sgd_row = REFERENCE(sgd_row),
    .optimize_row = REFERENCE(optimize_row),
    .follow = REFERENCE(follow),
    .sum_squares = REFERENCE(sum_squares),
    .scale_columns = REFERENCE(scale_columns),
    .units_forward = REFERENCE(units_forward),
    .units_backward = REFERENCE(units_backward),
    .draw_keeps = REFERENCE(draw_keeps),
    .standardise = REFERENCE(standardise),
    .add_noise = REFERENCE(add_noise),
    .sgd_sample = REFERENCE(sgd_sample),
    .forward_bytes = forward_bytes,
    .backward_bytes = backward_bytes,
    .forward_sparse = forward_sparse,
    .backward_sparse = backward_sparse,
};
