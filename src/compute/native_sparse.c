/* SPDX-License-Identifier: MIT */
/*
 * The native engine's products of the first layer that skip the zeros of the data.
 *
 * A sparse sample multiplies rows of a panel, block by block of inputs, so that the block's weights
 * come from L1: a mask of 64 bytes, or a list of floats, says which. The gradient takes, input by
 * input, the samples that have it, and is applied from registers. Where samples have so few
 * non-zeros that blocks are not worth a visit, these lead to the rows of W by themselves.
 * (SparseTrain, Gong et al. 2019, skips zeros in all three products too, behind relus; here they
 * are the data's.)
 */
#include "compute/native.h"

enum {
    SPARSE_VECTORS = 8, /* sums of a sparse row that are kept in registers */
    AHEAD = 4,          /* samples that lists are asked for ahead */
    CHUNK = 64,         /* samples whose activations or gradients stay in L1; bits of a mask */
};

/* ---- Lists of non-zeros --------------------------------------------------------------------- */

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

void NATIVE(load_sparse)(gi_sparse *dst, glia_type type, const void *src, size_t n, double divisor)
{
    const float scale = (float)(1 / divisor);
    float *value = dst->value;
    size_t count = 0;
    for (size_t i = 0; i < n; i += 16) {
        if (type == GLIA_TYPE_U8)
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

/* ---- Products block by block ---------------------------------------------------------------- */

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

/* The tile (of the weights, or of a gradient) of inputs 0..n += factor * x^T diff_dst */
INLINE void add_gradient(sparse_tile t, const by_input *x, size_t n, const float *diff_dst,
                         size_t row, float factor)
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
            const vector *d = (const vector *)(diff_dst + r * row);
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

void NATIVE(forward_sparse)(const gi_layer *layer, const batch *x, float *dst, size_t m,
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

/* As many inputs as are transposed at a time: whole blocks of lists, for which there is room. */
enum { TRANSPOSED_BYTES = 9 * GI_SPARSE_BLOCK, TRANSPOSED_FLOATS = 2 * GI_SPARSE_BLOCK };

/* Inputs begin..end of a chunk of m samples from `first` on. */
static by_input transpose(const batch *x, size_t first, size_t m, size_t begin, size_t end,
                          float *block)
{
    const size_t from = begin / GI_SPARSE_BLOCK * GI_SPARSE_BLOCK, skipped = begin - from;
    if (x->bytes) {
        uint8_t *bytes = (uint8_t *)block;
        turn_bytes(x->bytes + first * x->row, x->row, m, from, end - from, bytes);
        return (by_input){.bytes = bytes + skipped * CHUNK};
    }
    float *values = block;
    uint64_t *mask = (uint64_t *)(values + TRANSPOSED_FLOATS * CHUNK);
    turn_lists(x->lists + first, m, from, end, mask, values);
    return (by_input){.values = values + skipped * CHUNK, .mask = mask + skipped};
}

/* W's inputs i..next += factor * x^T diff_dst, chunk by chunk of samples */
static void learn_sparse(const gi_layer *layer, const batch *x, const float *diff_dst, size_t m,
                         size_t i, size_t next, const gi_part *part, float factor, float *block)
{
    const size_t row = gi_stride(layer->n_out);
    for (size_t r = 0; r < m; r += CHUNK) {
        const by_input transposed = transpose(x, r, least(m - r, CHUNK), i, next, block);
        for (size_t u = part->unit_begin, n = 0; u < part->unit_end; u += n)
            WITH_TILE(
                layer, i, u, part->unit_end, n,
                add_gradient(tile, &transposed, next - i, diff_dst + r * row + u, row, factor));
    }
}

/* dW's rows i..next, whole, to the update */
static void hand_over_sparse(const gi_layer *layer, size_t layer_index, const batch *x,
                             const float *diff_dst, size_t m, size_t i, size_t next,
                             const gi_part *part, float scale, const gi_row_update *update,
                             float *block)
{
    const size_t row = gi_stride(layer->n_out), width = SPARSE_VECTORS * LANES;
    float *gradient = block + TRANSPOSED_FLOATS * (CHUNK + sizeof(uint64_t) / sizeof(float));
    for (size_t u = part->unit_begin, n = 0, k; u < part->unit_end; u += n) {
        memset(gradient, 0, (next - i) * width * sizeof *gradient);
        for (size_t r = 0; r < m; r += CHUNK) {
            const by_input transposed = transpose(x, r, least(m - r, CHUNK), i, next, block);
            WITH_TILE(layer, i, u, part->unit_end, n,
                      add_gradient(((sparse_tile){tile.n_first, tile.n_second, gradient,
                                                  gradient + tile.n_first * LANES, width, width}),
                                   &transposed, next - i, diff_dst + r * row + u, row, scale));
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

/* The tile (of the weights) of all inputs that were linked += factor * x^T diff_dst */
INLINE void add_linked(sparse_tile t, const linked *x, const float *diff_dst, size_t row,
                       float factor)
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
            const vector *d = (const vector *)(diff_dst + link % CHUNK * row);
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
static void learn_few(const gi_layer *layer, const batch *x, const float *diff_dst, size_t m,
                      const gi_part *part, float factor, const gi_scratch *scratch)
{
    const size_t row = gi_stride(layer->n_out);
    for (size_t r = 0; r < m; r += CHUNK) {
        const linked few =
            link_lists(x->lists + r, least(m - r, CHUNK), part->row_begin, part->row_end, scratch);
        for (size_t u = part->unit_begin, n = 0; u < part->unit_end; u += n)
            WITH_TILE(layer, 0, u, part->unit_end, n,
                      add_linked(tile, &few, diff_dst + r * row + u, row, factor));
        for (size_t j = 0; j < few.n_touched; j++) few.heads[few.touched[j]] = 0;
    }
}

void NATIVE(backward_sparse)(const gi_layer *layer, size_t layer_index, const batch *x,
                             const float *diff_dst, size_t m, const gi_part *part,
                             const gi_row_update *update, gi_scratch *scratch)
{
    const float scale = x->bytes ? x->scale : 1; /* of transposed bytes */
    const size_t end = least(part->row_end, layer->n_in);
    const size_t at_once = x->bytes && is_sgd(update) ? TRANSPOSED_BYTES : TRANSPOSED_FLOATS;
    float *block = scratch->block;
    update_bias(layer, layer_index, diff_dst, m, part, update, block);
    if (is_sgd(update) && are_few(x, m, layer->n_in, scratch)) {
        learn_few(layer, x, diff_dst, m, part, -(float)update->rate * scale, scratch);
        return;
    }
    for (size_t i = part->row_begin, next; i < end; i = next) {
        next = least(end, (i / at_once + 1) * at_once);
        if (is_sgd(update))
            learn_sparse(layer, x, diff_dst, m, i, next, part, -(float)update->rate * scale, block);
        else
            hand_over_sparse(layer, layer_index, x, diff_dst, m, i, next, part, scale, update,
                             block);
    }
}
