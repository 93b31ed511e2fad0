/* SPDX-License-Identifier: MIT */
/*
 * Layers by oneDNN, version 2.6 or 3. All work is products of matrices, C = A B, tile by tile, in
 * layouts for which oneDNN's batched-reduction kernels ("brg") neither copy nor transpose, as its
 * inner products do in every call:
 *
 *                     C                          A                      B
 *     forward         a panel of dst             src                    W's panel, packed
 *     backward data   a block of diff_src        diff_dst               W^T, packed here
 *     update          a tile of a panel of dW    src^T, by forward      diff_dst, packed here
 *
 * "Packed" is oneDNN's BA16a64b: panels of up to 64 columns, each (depth, width); in bf16, pairs of
 * rows (depth / 2, width, 2). In f32 that is how gi_layer stores W, so the master weights are used
 * where they are; such a panel is plain row-major memory too, and where oneDNN has no brg kernels
 * for the CPU it is handed over as that.
 *
 * oneDNN writes only matrices without gaps fast, so C is a tile in the thread's own memory, from
 * where the last step (a copy, f', the update) puts it into place while it is in cache.
 *
 * Invariants: in bf16, the copy of the weights is what gi_onednn_refresh or gi_onednn_update made
 * of the master; pads are zero. Every element is summed by one thread in one order.
 */
#include "compute/onednn.h"

#include <dnnl.h>
#include <dnnl_debug.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/thread.h"
#include "compute/level.h"
#include "compute/onednn_parts.h"
#include "compute/pack.h"

/* Of the OpenMP runtime that oneDNN brings along, if it does. */
extern int omp_get_max_threads(void) __attribute__((weak));
extern void omp_set_num_threads(int n) __attribute__((weak));

/*
 * oneDNN asks its OpenMP runtime how many threads to start: one, while this thread is in it. The
 * setting is the calling thread's own, and the caller's again afterwards.
 */
static int enter(void)
{
    if (!omp_set_num_threads || !omp_get_max_threads) return 0;
    const int before = omp_get_max_threads();
    if (before != 1) omp_set_num_threads(1);
    return before;
}

static void leave(int before)
{
    if (before > 1) omp_set_num_threads(before);
}

/* ---- Making and freeing --------------------------------------------------------------------- */

const char *gi_onednn_version(void)
{
    return TEXT_OF(DNNL_VERSION_MAJOR) "." TEXT_OF(DNNL_VERSION_MINOR) "." TEXT_OF(
        DNNL_VERSION_PATCH);
}

const char *gi_onednn_isa(void)
{
    static const char prefix[] = "cpu_isa_";
    const char *name = dnnl_cpu_isa2str(dnnl_get_effective_cpu_isa());
    return strncmp(name, prefix, sizeof prefix - 1) == 0 ? name + sizeof prefix - 1 : name;
}

bool gi_onednn_has_bf16(void)
{
    const unsigned needed = dnnl_cpu_isa_avx512_core_bf16; /* levels are sets of bits */
    return gi_cpu_has_bf16() && ((unsigned)dnnl_get_effective_cpu_isa() & needed) == needed;
}

/* The forms of forward and backward_data for rows cut into parts. */
static glia_status make_for_rows(gi_onednn *o, size_t rows, size_t parts, size_t inputs,
                                 glia_error *error)
{
    glia_status status = GLIA_OK;
    for (size_t i = 0; i < parts && !status; i++) {
        size_t begin, end;
        part_of(rows, parts, i, &begin, &end);
        const size_t here = end - begin;
        if (inputs == 0) {
            status = gi_onednn_make(o, FORWARD, here, o->k, panel_width(o, 0), error);
            if (!status)
                status =
                    gi_onednn_make(o, FORWARD, here, o->k, panel_width(o, o->n_panels - 1), error);
        } else {
            if (inputs >= GI_PANEL)
                status = gi_onednn_make(o, BACKWARD_DATA, here, o->n, GI_PANEL, error);
            if (!status)
                status = gi_onednn_make(o, BACKWARD_DATA, here, o->n, inputs % GI_PANEL, error);
        }
    }
    return status;
}

static glia_status make_products(gi_onednn *o, glia_error *error)
{
    glia_status status = GLIA_OK;
    for (size_t j = 0; j < 2; j++) {
        const size_t m = o->params.m[j];
        if (m == 0) continue;
        for (int thread = 0; thread < o->params.n_threads && !status; thread++) {
            size_t begin, end, first, last;
            row_slice(o, thread, m, &begin, &end);
            input_slice(o, thread, &first, &last);
            const size_t rows = end - begin;
            status = make_for_rows(
                o, rows, o->params.by_columns ? n_parts_by_columns(o, m) : n_parts(rows), 0, error);
            if (!status && o->params.needs_backward_data && last > first)
                status = make_for_rows(o, rows, n_parts(rows), last - first, error);
        }
        if (!o->params.for_training) continue;
        const size_t depth = padded_sum(o, m), rest = o->k - (o->n_tiles - 1) * o->tile_depth;
        const size_t rows[] = {smaller(o->k, o->tile_depth), rest};
        const size_t widths[] = {panel_width(o, 0), panel_width(o, o->n_panels - 1)};
        for (size_t i = 0; i < 4 && !status; i++)
            status = gi_onednn_make(o, BACKWARD_WEIGHTS, rows[i / 2], depth, widths[i % 2], error);
    }
    return status;
}

static dnnl_status_t make_memory(gi_onednn *o, dnnl_memory_t *out, desc_view view, void *data)
{
    return dnnl_memory_create(out, view, o->engine, data ? data : DNNL_MEMORY_NONE);
}

static glia_status make_room(gi_onednn *o, thread_room *room, glia_error *error)
{
    size_t b = 0, c = 0, scratch = 0;
    for (size_t i = 0; i < o->n_products; i++) {
        const product *p = &o->products[i];
        c = larger(c, p->rows * p->width);
        scratch = larger(scratch, p->scratch_bytes);
        if (p->kind != FORWARD) b = larger(b, padded_sum(o, p->depth) * p->width);
    }
    const bool copies_diff = o->params.is_last && o->params.needs_backward_data;
    const char *const what = "the working memory of a layer";
    room->of_product = gi_alloc(o->n_products, sizeof *room->of_product, what, error);
    room->b = gi_alloc(b, o->element_bytes, what, error);
    room->c = gi_alloc(larger(c, GI_PANEL), sizeof *room->c, what, error);
    room->diff = gi_alloc(copies_diff ? MAX_ROWS * o->n : 0, o->element_bytes, what, error);
    room->scratch = gi_alloc(scratch, 1, what, error);
    if (!room->of_product || !room->b || !room->c || !room->diff || !room->scratch)
        return GLIA_NO_MEMORY;
    dnnl_status_t status = dnnl_stream_create(&room->stream, o->engine, dnnl_stream_default_flags);
    for (size_t i = 0; i < o->n_products && !status; i++) {
        const product *p = &o->products[i];
        operands *x = &room->of_product[i];
        status = make_memory(o, &x->a, VIEW(p->a), NULL);
        if (!status && p->kind == FORWARD) status = make_memory(o, &x->bias, VIEW(p->bias), NULL);
        if (!status && p->kind != FORWARD) status = make_memory(o, &x->b, VIEW(p->b), room->b);
        if (!status) status = make_memory(o, &x->c, VIEW(p->c), room->c);
        if (!status)
            status = make_memory(
                o, &x->scratch,
                dnnl_primitive_desc_query_md(p->primitive_desc, dnnl_query_scratchpad_md, 0),
                room->scratch);
    }
    return status ? gi_onednn_fail(status, error) : GLIA_OK;
}

/* oneDNN's views of the weights' panels, which any forward product of that width can take. */
static glia_status make_panels(gi_onednn *o, glia_error *error)
{
    for (size_t i = 0; i < o->n_panels; i++) {
        const size_t width = panel_width(o, i);
        const product *p = NULL;
        for (size_t j = 0; j < o->n_products && !p; j++)
            if (o->products[j].kind == FORWARD && o->products[j].width == width)
                p = &o->products[j];
        if (!p) continue;
        void *data = o->is_bf16 ? (void *)panel_bf16(o, i) : (void *)panel_weights(o, i);
        const dnnl_status_t status = make_memory(o, &o->panel_memory[i], VIEW(p->b), data);
        if (status) return gi_onednn_fail(status, error);
    }
    return GLIA_OK;
}

/* Of dW: as few as fit L2, but as many as threads can share out evenly. */
static void choose_tiles(gi_onednn *o)
{
    const size_t tiles =
        rounded_up((o->k + MAX_DEPTH - 1) / MAX_DEPTH, evening(o->n_panels, o->params.n_threads));
    o->tile_depth = rounded_up((o->k + tiles - 1) / tiles, 32);
    o->n_tiles = (o->k + o->tile_depth - 1) / o->tile_depth;
}

glia_status gi_onednn_new(const gi_onednn_params *params, gi_onednn **out, glia_error *error)
{
    gi_onednn *o = gi_alloc(1, sizeof *o, "a layer for oneDNN", error);
    if (!o) return GLIA_NO_MEMORY;
    const int omp_threads = enter();
    glia_status status = GLIA_NO_MEMORY;
    o->params = *params;
    o->pack = gi_pack_for(NULL);
    o->is_bf16 = params->precision == GLIA_PRECISION_BF16;
    o->element_bytes = o->is_bf16 ? sizeof(uint16_t) : sizeof(float);
    o->k = gi_padded(params->layer->n_in);
    o->n = gi_padded(params->layer->n_out);
    o->depth = padded_sum(o, o->k);
    o->n_panels = (o->n + GI_PANEL - 1) / GI_PANEL;
    choose_tiles(o);

    const size_t m = padded_sum(o, larger(params->m[0], params->m[1]));
    const char *const what = "a layer for oneDNN";
    o->bf16 = gi_alloc(o->is_bf16 ? o->depth * o->n : 0, sizeof *o->bf16, what, error);
    o->src_t = gi_alloc(params->for_training ? o->k * m : 0, o->element_bytes, what, error);
    o->panel_memory = gi_alloc(o->n_panels, sizeof *o->panel_memory, what, error);
    o->rooms = gi_alloc((size_t)params->n_threads, sizeof *o->rooms, what, error);
    if (!o->bf16 || !o->src_t || !o->panel_memory || !o->rooms) goto cleanup;

    const dnnl_status_t made = dnnl_engine_create(&o->engine, dnnl_cpu, 0);
    status = made ? gi_onednn_fail(made, error) : make_products(o, error);
    if (!status) status = make_panels(o, error);
    for (int t = 0; t < params->n_threads && !status; t++)
        status = make_room(o, &o->rooms[t], error);

cleanup:
    leave(omp_threads);
    if (status)
        gi_onednn_free(o);
    else
        *out = o;
    return status;
}

static void free_memory(dnnl_memory_t memory)
{
    if (memory) dnnl_memory_destroy(memory);
}

static void free_room(gi_onednn *o, thread_room *room)
{
    for (size_t i = 0; room->of_product && i < o->n_products; i++) {
        operands *x = &room->of_product[i];
        free_memory(x->a);
        free_memory(x->b);
        free_memory(x->c);
        free_memory(x->bias);
        free_memory(x->scratch);
    }
    if (room->stream) dnnl_stream_destroy(room->stream);
    gi_free(room->of_product);
    gi_free(room->b);
    gi_free(room->c);
    gi_free(room->diff);
    gi_free(room->scratch);
}

void gi_onednn_free(gi_onednn *o)
{
    if (!o) return;
    const int omp_threads = enter();
    for (int t = 0; o->rooms && t < o->params.n_threads; t++) free_room(o, &o->rooms[t]);
    for (size_t i = 0; o->panel_memory && i < o->n_panels; i++) free_memory(o->panel_memory[i]);
    for (size_t i = 0; i < o->n_products; i++) {
        product *p = &o->products[i];
        if (p->primitive) dnnl_primitive_destroy(p->primitive);
        if (p->primitive_desc) dnnl_primitive_desc_destroy(p->primitive_desc);
        gi_onednn_desc_free(p->a);
        gi_onednn_desc_free(p->b);
        gi_onednn_desc_free(p->c);
        gi_onednn_desc_free(p->bias);
    }
    if (o->engine) dnnl_engine_destroy(o->engine);
    gi_free(o->bf16);
    gi_free(o->src_t);
    gi_free(o->panel_memory);
    gi_free(o->rooms);
    leave(omp_threads);
    gi_free(o);
}

glia_status gi_onednn_check(const gi_onednn *o, glia_error *error)
{
    for (int t = 0; t < o->params.n_threads; t++)
        if (o->rooms[t].status) return gi_onednn_fail(o->rooms[t].status, error);
    return GLIA_OK;
}

/* ---- Weights -------------------------------------------------------------------------------- */

void gi_onednn_refresh(gi_onednn *o, int thread)
{
    size_t first, last;
    gi_slice(o->n_panels, 1, thread, o->params.n_threads, &first, &last);
    for (size_t p = first; o->is_bf16 && p < last; p++) {
        const size_t width = panel_width(o, p);
        o->pack->pair_rows_f32(panel_bf16(o, p), panel_weights(o, p), width, o->k, width);
    }
}

/* ---- Forward -------------------------------------------------------------------------------- */

/* Rows begin..end and inputs first..last of src, into src_t. */
static void transpose_source(gi_onednn *o, const void *src, size_t m, size_t begin, size_t end,
                             size_t first, size_t last)
{
    const size_t ld = padded_sum(o, m), bytes = o->element_bytes;
    const char *from = (const char *)src + (begin * o->k + first) * bytes;
    char *to = (char *)o->src_t + (first * ld + begin) * bytes;
    (o->is_bf16 ? o->pack->transpose16 : o->pack->transpose32)(to, ld, from, o->k, end - begin,
                                                               last - first);
    if (end == m && end > begin) /* its pads */
        for (size_t i = first; i < last; i++)
            memset((char *)o->src_t + (i * ld + m) * bytes, 0, (ld - m) * bytes);
}

/* Rows begin..end of panel p of dst. */
static void forward_tile(gi_onednn *o, thread_room *room, const void *src, void *dst, size_t begin,
                         size_t end, size_t p)
{
    const gi_layer *layer = o->params.layer;
    const size_t width = panel_width(o, p), column = p * GI_PANEL, ld = dst_stride(o);
    const size_t dst_bytes = writes_sums(o) ? sizeof(float) : o->element_bytes;
    const product *x = gi_onednn_find(o, FORWARD, end - begin, o->k, width);
    gi_onednn_multiply(o, room, x, (const char *)src + begin * o->k * o->element_bytes,
                       o->panel_memory[p], (const float *)layer->bias + column);
    const size_t used = smaller(width, layer->n_out - column); /* an activation's pads are not 0 */
    const char *from = (const char *)room->c;
    char *to = (char *)dst + (begin * ld + column) * dst_bytes;
    for (size_t r = begin; r < end; r++, from += width * dst_bytes, to += ld * dst_bytes)
        memcpy(to, from, used * dst_bytes);
}

void gi_onednn_forward(gi_onednn *o, int thread, const void *src, void *dst, size_t m)
{
    thread_room *room = &o->rooms[thread];
    const int omp_threads = enter();
    size_t begin, end;
    row_slice(o, thread, m, &begin, &end);
    const size_t rows = end - begin;
    if (o->params.by_columns) {
        const size_t parts = n_parts_by_columns(o, m);
        size_t tile, last;
        gi_slice(o->n_panels * parts, 1, thread, o->params.n_threads, &tile, &last);
        for (; tile < last; tile++) {
            part_of(m, parts, tile % parts, &begin, &end);
            forward_tile(o, room, src, dst, begin, end, tile / parts);
        }
    } else if (rows > 0) {
        const size_t parts = n_parts(rows);
        for (size_t i = 0; i < parts; i++) {
            size_t first, last;
            part_of(rows, parts, i, &first, &last);
            for (size_t p = 0; p < o->n_panels; p++)
                forward_tile(o, room, src, dst, begin + first, begin + last, p);
        }
    }
    if (o->params.for_training) {
        size_t first, last;
        row_slice(o, thread, m, &begin, &end);
        input_slice(o, thread, &first, &last);
        transpose_source(o, src, m, begin, end, first, last);
    }
    leave(omp_threads);
}

/* ---- Backward ------------------------------------------------------------------------------- */

/* What will be read soon, block after block with gaps, where the CPU does not see it coming. */
static void prefetch(const void *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += 64) __builtin_prefetch((const char *)data + i);
}

/* room->b = the columns first..first + width of W^T (n, k), packed. */
static void pack_transposed(gi_onednn *o, thread_room *room, size_t first, size_t width)
{
    for (size_t p = 0; p < o->n_panels; p++) {
        const size_t units = panel_width(o, p), at = p * GI_PANEL * width;
        const size_t next = p + 1 < o->n_panels ? p + 1 : p;
        if (o->is_bf16) {
            prefetch(panel_bf16(o, next) + first * units, width * units * sizeof(uint16_t));
            o->pack->transpose_pairs((uint16_t *)room->b + at, width,
                                     panel_bf16(o, p) + first * units, units, width, units);
        } else {
            prefetch(panel_weights(o, next) + first * units, width * units * sizeof(float));
            o->pack->transpose32((float *)room->b + at, width, panel_weights(o, p) + first * units,
                                 units, width, units);
        }
    }
    if (o->is_bf16) /* rows that pad the sum */
        memset((uint16_t *)room->b + o->n * width, 0,
               (padded_sum(o, o->n) - o->n) * width * sizeof(uint16_t));
}

/* Rows of the gradient of the logits, in the layer's precision and without gaps. */
static const void *copy_last_gradient(gi_onednn *o, thread_room *room, const float *diff_dst,
                                      size_t begin, size_t rows)
{
    const size_t ld = diff_stride(o);
    for (size_t r = 0; r < rows; r++) {
        const float *from = diff_dst + (begin + r) * ld;
        if (o->is_bf16)
            o->pack->to_bf16((uint16_t *)room->diff + r * o->n, from, o->n);
        else
            memcpy((float *)room->diff + r * o->n, from, o->n * sizeof *from);
    }
    return room->diff;
}

void gi_onednn_backward_data(gi_onednn *o, int thread, const void *diff_dst, glia_activation f,
                             const void *src, void *diff_src, size_t m)
{
    thread_room *room = &o->rooms[thread];
    size_t begin, end, first, last;
    row_slice(o, thread, m, &begin, &end);
    input_slice(o, thread, &first, &last);
    if (begin == end || first == last) return;
    const int omp_threads = enter();
    const size_t parts = n_parts(end - begin);
    for (size_t i = first; i < last; i += GI_PANEL) {
        const size_t width = smaller(GI_PANEL, last - i);
        pack_transposed(o, room, i, width);
        for (size_t part = 0; part < parts; part++) {
            size_t r, r_end;
            part_of(end - begin, parts, part, &r, &r_end);
            const size_t rows = r_end - r;
            r += begin;
            const void *diff = (const char *)diff_dst + r * o->n * o->element_bytes;
            if (o->params.is_last) diff = copy_last_gradient(o, room, diff_dst, r, rows);
            gi_onednn_multiply(o, room, gi_onednn_find(o, BACKWARD_DATA, rows, o->n, width), diff,
                               NULL, NULL);
            const size_t at = r * o->k + i;
            if (o->is_bf16)
                o->pack->derive((uint16_t *)diff_src + at, o->k, f, (const uint16_t *)src + at,
                                room->c, rows, width);
            else
                o->pack->derive_f32((float *)diff_src + at, o->k, f, (const float *)src + at,
                                    room->c, rows, width);
        }
    }
    leave(omp_threads);
}

/* room->b = a panel of diff_dst (m, n), packed; db for sums, (width), if not NULL. */
static void pack_gradient(gi_onednn *o, thread_room *room, const void *diff_dst, size_t m, size_t p,
                          float *sums)
{
    const size_t width = panel_width(o, p), column = p * GI_PANEL, padded = padded_sum(o, m);
    const size_t ld = diff_stride(o);
    const float *f32 = (const float *)diff_dst + column; /* the one or the other */
    const uint16_t *bf16 = (const uint16_t *)diff_dst + column;
    const bool is_f32 = !o->is_bf16 || o->params.is_last;
    if (!o->is_bf16) {
        float *to = room->b;
        for (size_t r = 0; r < m; r++) memcpy(to + r * width, f32 + r * ld, width * sizeof *to);
        memset(to + m * width, 0, (padded - m) * width * sizeof *to);
    } else {
        uint16_t *to = room->b;
        const size_t paired = rounded_up(m, 2);
        memset(to + paired * width, 0, (padded - paired) * width * sizeof *to);
        if (is_f32)
            o->pack->pair_rows_f32(to, f32, ld, m, width);
        else
            o->pack->pair_rows(to, bf16, ld, m, width);
    }
    if (sums && is_f32) o->pack->sum_rows_f32(sums, f32, ld, m, width);
    if (sums && !is_f32) o->pack->sum_rows(sums, bf16, ld, m, width);
}

void gi_onednn_update(gi_onednn *o, int thread, const void *diff_dst, size_t m,
                      const gi_row_update *update, size_t layer_index)
{
    enum { ROWS = 16 }; /* of a tile: what is updated, and rounded to bf16, while it is in L1 */
    thread_room *room = &o->rooms[thread];
    const size_t padded = padded_sum(o, m);
    float *bias = o->params.layer->bias;
    const int omp_threads = enter();
    size_t tile, last, packed = o->n_panels;
    gi_slice(o->n_panels * o->n_tiles, 1, thread, o->params.n_threads, &tile, &last);
    for (; tile < last; tile++) {
        const size_t p = tile / o->n_tiles, width = panel_width(o, p);
        const size_t row = tile % o->n_tiles * o->tile_depth, unit = p * GI_PANEL;
        const size_t rows = smaller(o->tile_depth, o->k - row);
        if (p != packed) {
            /* the panel's first tile; a normalised layer's bias stays 0 */
            const bool has_bias = row == 0 && !o->params.layer->scale;
            pack_gradient(o, room, diff_dst, m, p, has_bias ? room->c : NULL);
            if (has_bias)
                update->apply(update, layer_index, o->params.layer->n_in, unit, bias + unit,
                              room->c, width);
            packed = p;
        }
        gi_onednn_multiply(o, room, gi_onednn_find(o, BACKWARD_WEIGHTS, rows, padded, width),
                           (const char *)o->src_t + row * padded * o->element_bytes, NULL, NULL);
        float *weight = panel_weights(o, p) + row * width;
        for (size_t r = 0; r < rows; r += ROWS) {
            const size_t here = smaller(ROWS, rows - r);
            update->apply(update, layer_index, row + r, unit, weight + r * width,
                          room->c + r * width, here * width);
            if (o->is_bf16)
                o->pack->pair_rows_f32(panel_bf16(o, p) + (row + r) * width, weight + r * width,
                                       width, here, width);
        }
    }
    leave(omp_threads);
}
