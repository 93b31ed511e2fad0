/* SPDX-License-Identifier: MIT */
/*
 * glia's own fast kernels, f32: dense products here, those that skip the zeros of the data in
 * native_sparse.c. Written once in vectors of LANES floats (GCC's and clang's vector extension) and
 * compiled for each level of instruction set; what a product is not needed for comes from the
 * reference engine.
 *
 * All three dense products of a layer are one tile, C += factor * A B, whose sums stay in registers
 * (Goto and van de Geijn 2008); the weights' panels are its B as they lie.
 *
 * Invariants: as in reference.c, every output element is summed by one thread in one order.
 */
#include "compute/native.h"

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
    DEPTH = 128,            /* products in a row before a tile goes on: B's part stays in L1 */
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

/* The part of a panel from unit on that makes a tile. */
static size_t tile_width(size_t unit, size_t end)
{
    return least(gi_panel_part(unit, end), TILE);
}

/* ---- Layers, dense -------------------------------------------------------------------------- */

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

/* diff_src's m rows of n, `row` apart, *= f'(z), by src = f(z) */
static void derive_rows(glia_activation f, const float *src, float *diff_src, size_t m, size_t n,
                        size_t row)
{
    if (f == GLIA_ACTIVATION_IDENTITY) return;
    if (f != GLIA_ACTIVATION_RELU) {
        for (size_t r = 0; r < m; r++) REFERENCE(derive)(f, src + r * row, diff_src + r * row, n);
        return;
    }
    typedef int32_t mask __attribute__((vector_size(sizeof(vector))));
    for (size_t r = 0; r < m; r++)
        for (size_t u = r * row; u < r * row + n; u += LANES) {
            const mask on = *(const vector *)(src + u) > 0; /* all bits set, or none */
            *(vector *)(diff_src + u) = (vector)(*(const mask *)(diff_src + u) & on);
        }
}

static void backward_data(const gi_layer *layer, const void *diff_dst_, glia_activation f,
                          const void *src, void *diff_src_, size_t m, size_t begin, size_t end,
                          gi_scratch *scratch)
{
    const gi_pack *pack = gi_pack_for(TEXT_OF(LEVEL));
    const float *diff_dst = diff_dst_, *w = layer->weight;
    float *diff_src = diff_src_, *transposed = scratch->block; /* (DEPTH, GI_PANEL): of W^T */
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
                    pack->transpose32(transposed + k * GI_PANEL, GI_PANEL, from, width, n, part);
                }
                const strided a = {diff_dst + u, row, 1};
                const target c = {.at = diff_src + i, .row = row_in, .start = u > 0, .factor = 1};
                multiply(m, n, depth, a, transposed, GI_PANEL, c);
            }
        }
        derive_rows(f, (const float *)src + near, diff_src + near, m, far - near, row_in);
    }
}

/* ---- The gradient, handed to the update ----------------------------------------------------- */

/*
 * W -= rate * dW, part by part of the batch, while a tile of W stays near. block: (ROWS_AT_ONCE,
 * DEPTH)
 */
INLINE void learn_batch(const gi_layer *layer, const batch *x, const float *diff_dst, size_t m,
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
                    const strided transposed = {a.at + (r - first) * a.row, 1, a.row};
                    multiply(
                        here, n, least(end - r, DEPTH), transposed, diff_dst + r * row + u, row,
                        r + DEPTH < end ? c : and_ahead(c, layer, i, here, u + n, part->unit_end));
                }
            }
        }
    }
}

/* dW's rows, whole, to the update. block: (NARROW_ROWS, GI_PANEL) for them, then for the batch's */
INLINE void hand_over(const gi_layer *layer, size_t layer_index, const batch *x,
                      const float *diff_dst, size_t m, const gi_part *part,
                      const gi_row_update *update, float *block)
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
                multiply(here, n, depth, (strided){a.at, 1, a.row}, diff_dst + r * row + u, row,
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
                           const float *diff_dst, size_t m, const gi_part *part,
                           const gi_row_update *update, float *block)
{
    update_bias(layer, layer_index, diff_dst, m, part, update, block);
    if (is_sgd(update))
        learn_batch(layer, x, diff_dst, m, part, (float)update->rate, block);
    else
        hand_over(layer, layer_index, x, diff_dst, m, part, update, block);
}

static void backward_weights(const gi_layer *layer, size_t layer_index, const void *src,
                             const void *diff_dst, size_t m, const gi_part *part,
                             const gi_row_update *update, gi_scratch *scratch)
{
    const batch x = {.floats = src, .row = gi_stride(layer->n_in)};
    backward_batch(layer, layer_index, &x, diff_dst, m, part, update, scratch->block);
}

/* ---- The first layer, of sparse samples ----------------------------------------------------- */

static void forward_sparse(const gi_layer *layer, const gi_sparse *lists, void *dst, size_t m,
                           size_t begin, size_t end)
{
    const batch x = {.lists = lists};
    NATIVE(forward_sparse)(layer, &x, dst, m, begin, end);
}

static void backward_sparse(const gi_layer *layer, size_t layer_index, const gi_sparse *lists,
                            const void *diff_dst, size_t m, const gi_part *part,
                            const gi_row_update *update, gi_scratch *scratch)
{
    const batch x = {.lists = lists};
    NATIVE(backward_sparse)(layer, layer_index, &x, diff_dst, m, part, update, scratch);
}

/* ---- The first layer, of bytes -------------------------------------------------------------- */

static void forward_bytes(const gi_layer *layer, const uint8_t *bytes, size_t row, float scale,
                          bool skips_zeros, void *dst, size_t m, size_t begin, size_t end,
                          gi_scratch *scratch)
{
    const batch x = {.bytes = bytes, .row = row, .scale = scale};
    if (skips_zeros)
        NATIVE(forward_sparse)(layer, &x, dst, m, begin, end);
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
        NATIVE(backward_sparse)(layer, layer_index, &x, diff_dst, m, part, update, scratch);
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
    .load_sparse = NATIVE(load_sparse),
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
