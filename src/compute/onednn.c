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
#include "compute/pack.h"

/* Of the OpenMP runtime that oneDNN brings along, if it does. */
extern int omp_get_max_threads(void) __attribute__((weak));
extern void omp_set_num_threads(int n) __attribute__((weak));

enum {
    MAX_ROWS = 256,  /* rows of a tile of dst or diff_src */
    MAX_DEPTH = 512, /* rows of a tile of dW: 128 KB, well within L2 */
    MAX_PRODUCTS = 64,
};

/* ---- Two versions of oneDNN ----------------------------------------------------------------- */

#if DNNL_VERSION_MAJOR >= 3
typedef const_dnnl_memory_desc_t desc_view;
typedef dnnl_memory_desc_t desc;
#define VIEW(d) (d)

static dnnl_status_t desc_strided(desc *out, const dnnl_dims_t dims, dnnl_data_type_t type,
                                  const dnnl_dims_t strides)
{
    return dnnl_memory_desc_create_with_strides(out, 2, dims, type, strides);
}

static dnnl_status_t desc_tagged(desc *out, const dnnl_dims_t dims, dnnl_data_type_t type,
                                 dnnl_format_tag_t tag)
{
    return dnnl_memory_desc_create_with_tag(out, 2, dims, type, tag);
}

static void desc_free(desc d)
{
    if (d) dnnl_memory_desc_destroy(d);
}

static dnnl_status_t matmul_desc(dnnl_primitive_desc_t *out, dnnl_engine_t engine, const desc *a,
                                 const desc *b, const desc *bias, const desc *c,
                                 const_dnnl_primitive_attr_t attributes)
{
    return dnnl_matmul_primitive_desc_create(out, engine, *a, *b, bias ? *bias : NULL, *c,
                                             attributes);
}

static dnnl_status_t append_eltwise(dnnl_post_ops_t ops, dnnl_alg_kind_t f)
{
    return dnnl_post_ops_append_eltwise(ops, f, 0, 0);
}
#else
typedef const dnnl_memory_desc_t *desc_view;
typedef dnnl_memory_desc_t desc;
#define VIEW(d) (&(d))

static dnnl_status_t desc_strided(desc *out, const dnnl_dims_t dims, dnnl_data_type_t type,
                                  const dnnl_dims_t strides)
{
    return dnnl_memory_desc_init_by_strides(out, 2, dims, type, strides);
}

static dnnl_status_t desc_tagged(desc *out, const dnnl_dims_t dims, dnnl_data_type_t type,
                                 dnnl_format_tag_t tag)
{
    return dnnl_memory_desc_init_by_tag(out, 2, dims, type, tag);
}

static void desc_free(desc d)
{
    (void)d;
}

static dnnl_status_t matmul_desc(dnnl_primitive_desc_t *out, dnnl_engine_t engine, const desc *a,
                                 const desc *b, const desc *bias, const desc *c,
                                 const_dnnl_primitive_attr_t attributes)
{
    dnnl_matmul_desc_t matmul;
    const dnnl_status_t status = dnnl_matmul_desc_init(&matmul, a, b, bias, c);
    return status ? status : dnnl_primitive_desc_create(out, &matmul, attributes, engine, NULL);
}

static dnnl_status_t append_eltwise(dnnl_post_ops_t ops, dnnl_alg_kind_t f)
{
    return dnnl_post_ops_append_eltwise(ops, 1, f, 0, 0);
}
#endif

static glia_status fail(dnnl_status_t status, glia_error *error)
{
    if (status == dnnl_out_of_memory)
        return gi_fail(error, GLIA_NO_MEMORY, "oneDNN is out of memory");
    return gi_fail(
        error, GLIA_UNSUPPORTED,
        "oneDNN %s failed with status %d; use another engine, as setting engine=reference",
        gi_onednn_version(), (int)status);
}

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

/* ---- Products ------------------------------------------------------------------------------- */

enum kind { FORWARD, BACKWARD_DATA, BACKWARD_WEIGHTS };

/* C (rows, width) = A (rows, depth) B (depth, width) */
typedef struct product {
    enum kind kind;
    size_t rows, depth, width;
    dnnl_primitive_t primitive;
    desc a, b, c, bias;
    dnnl_primitive_desc_t primitive_desc; /* owns the description of the scratchpad */
    size_t scratch_bytes;
} product;

/* A product's operands for one thread. */
typedef struct operands {
    dnnl_memory_t a, b, c, bias, scratch;
} operands;

typedef struct thread_room {
    operands *of_product; /* (n_products) */
    dnnl_stream_t stream;
    void *b;       /* a packed operand: W^T or diff_dst */
    float *c;      /* a tile */
    void *diff;    /* (MAX_ROWS, n): the gradient of the logits, without gaps, rounded */
    void *scratch; /* oneDNN's */
    dnnl_status_t status;
} thread_room;

struct gi_onednn {
    gi_onednn_params params;
    const gi_pack *pack;
    bool is_bf16;
    size_t element_bytes;
    size_t k, n;  /* gi_padded(n_in), gi_padded(n_out) */
    size_t depth; /* k rounded up to whole groups of rows that bf16 products take */
    size_t n_panels;
    size_t tile_depth, n_tiles; /* of dW: rows of a tile; tiles in a panel */
    uint16_t *bf16; /* the weights in pairs, panel p at p * GI_PANEL * depth; bf16 alone */
    void *src_t;    /* (k, padded m): what forward saw, transposed */
    dnnl_engine_t engine;
    product products[MAX_PRODUCTS];
    size_t n_products;
    dnnl_memory_t *panel_memory; /* (n_panels): weight or bf16 */
    thread_room *rooms;          /* (n_threads) */
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t rounded_up(size_t n, size_t grain)
{
    return (n + grain - 1) / grain * grain;
}

/* What a sum over n terms is padded to: kernels in bf16 take 32 at a time, in f32 any number. */
static size_t padded_sum(const gi_onednn *o, size_t n)
{
    return rounded_up(n, o->is_bf16 ? 32 : 16);
}

static size_t panel_width(const gi_onednn *o, size_t p)
{
    return gi_panel_width(o->params.layer, p * GI_PANEL);
}

/* Whether forward leaves z as it is. */
static bool writes_sums(const gi_onednn *o)
{
    return o->params.is_last || o->params.keeps_sums;
}

/* The distance of the rows of what forward writes, and of the gradient that comes back. */
static size_t dst_stride(const gi_onednn *o)
{
    return writes_sums(o) ? gi_stride(o->params.layer->n_out) : o->n;
}

static size_t diff_stride(const gi_onednn *o)
{
    return o->params.is_last ? gi_stride(o->params.layer->n_out) : o->n;
}

static float *panel_weights(const gi_onednn *o, size_t p)
{
    return (float *)o->params.layer->weight + gi_weight_offset(o->params.layer, 0, p * GI_PANEL);
}

static uint16_t *panel_bf16(const gi_onednn *o, size_t p)
{
    return o->bf16 + p * GI_PANEL * o->depth;
}

static dnnl_format_tag_t packed_tag(size_t width, bool is_bf16)
{
    switch (width) {
    case 16:
        return is_bf16 ? dnnl_BA16a16b2a : dnnl_BA16a16b;
    case 32:
        return is_bf16 ? dnnl_BA16a32b2a : dnnl_BA16a32b;
    case 48:
        return is_bf16 ? dnnl_BA16a48b2a : dnnl_BA16a48b;
    default:
        return is_bf16 ? dnnl_BA16a64b2a : dnnl_BA16a64b;
    }
}

static dnnl_status_t desc_dense(desc *out, size_t rows, size_t columns, dnnl_data_type_t type)
{
    const dnnl_dims_t dims = {(dnnl_dim_t)rows, (dnnl_dim_t)columns};
    const dnnl_dims_t strides = {(dnnl_dim_t)columns, 1};
    return desc_strided(out, dims, type, strides);
}

/* oneDNN's name of an activation that is GI_IN_ONEDNN; of others, and of identity, none. */
static dnnl_alg_kind_t algorithm_of(glia_activation f)
{
    return f == GLIA_RELU      ? dnnl_eltwise_relu
           : f == GLIA_TANH    ? dnnl_eltwise_tanh
           : f == GLIA_SIGMOID ? dnnl_eltwise_logistic
                               : dnnl_alg_kind_undef;
}

/* Post-ops for a product with an activation; user-owned scratchpads, so that threads may share. */
static dnnl_status_t make_attributes(dnnl_primitive_attr_t *out, glia_activation activation)
{
    dnnl_status_t status = dnnl_primitive_attr_create(out);
    if (status) return status;
    status = dnnl_primitive_attr_set_scratchpad_mode(*out, dnnl_scratchpad_mode_user);
    const dnnl_alg_kind_t f = algorithm_of(activation);
    if (status || f == dnnl_alg_kind_undef) return status;
    dnnl_post_ops_t ops = NULL;
    if (!status) status = dnnl_post_ops_create(&ops);
    if (!status) status = append_eltwise(ops, f);
    if (!status) status = dnnl_primitive_attr_set_post_ops(*out, ops);
    if (ops) dnnl_post_ops_destroy(ops);
    return status;
}

/* Finds oneDNN's kernel for B in one layout; *fits: it is one of the fast ones. */
static dnnl_status_t choose_kernel(const gi_onednn *o, product *p, bool is_packed,
                                   const_dnnl_primitive_attr_t attributes, bool *fits)
{
    const char *kernel = "none";
    const dnnl_dims_t dims = {(dnnl_dim_t)p->depth, (dnnl_dim_t)p->width};
    const dnnl_data_type_t type = o->is_bf16 ? dnnl_bf16 : dnnl_f32;
    desc b;
    dnnl_status_t status = is_packed ? desc_tagged(&b, dims, type, packed_tag(p->width, o->is_bf16))
                                     : desc_dense(&b, p->depth, p->width, type);
    if (status) return status;
    dnnl_primitive_desc_t chosen = NULL;
    *fits = false;
    status = matmul_desc(&chosen, o->engine, &p->a, &b, p->kind == FORWARD ? &p->bias : NULL, &p->c,
                         attributes);
    if (!status)
        status = dnnl_primitive_desc_query(chosen, dnnl_query_impl_info_str, 0, (void *)&kernel);
    else if (status == dnnl_unimplemented)
        status = dnnl_success;
    *fits = !status && chosen && (!is_packed || strncmp(kernel, "brg", 3) == 0);
    if (*fits) {
        p->b = b;
        p->primitive_desc = chosen;
    } else {
        desc_free(b);
        if (chosen) dnnl_primitive_desc_destroy(chosen);
    }
    return status;
}

static product *find(gi_onednn *o, enum kind kind, size_t rows, size_t depth, size_t width)
{
    for (size_t i = 0; i < o->n_products; i++) {
        product *p = &o->products[i];
        if (p->kind == kind && p->rows == rows && p->depth == depth && p->width == width) return p;
    }
    return NULL;
}

/* Makes a product, unless it is there. */
static glia_status make(gi_onednn *o, enum kind kind, size_t rows, size_t depth, size_t width,
                        glia_error *error)
{
    if (rows == 0 || width == 0 || find(o, kind, rows, depth, width)) return GLIA_OK;
    if (o->n_products == MAX_PRODUCTS)
        return gi_fail(error, GLIA_UNSUPPORTED,
                       "oneDNN: more than %d forms of product for one layer; use fewer threads",
                       MAX_PRODUCTS);
    product *p = &o->products[o->n_products++];
    *p = (product){.kind = kind, .rows = rows, .depth = depth, .width = width};
    const bool is_f32 = writes_sums(o) || !o->is_bf16;
    const glia_activation f =
        kind == FORWARD && !writes_sums(o) ? o->params.layer->activation : GLIA_IDENTITY;
    dnnl_primitive_attr_t attributes = NULL;
    bool fits = false;
    dnnl_status_t status = desc_dense(&p->a, rows, depth, o->is_bf16 ? dnnl_bf16 : dnnl_f32);
    if (!status)
        status = desc_dense(&p->c, rows, width, kind == FORWARD && !is_f32 ? dnnl_bf16 : dnnl_f32);
    if (!status) status = desc_dense(&p->bias, 1, width, dnnl_f32);
    if (!status) status = make_attributes(&attributes, f);
    if (!status) status = choose_kernel(o, p, true, attributes, &fits);
    if (!status && !fits && !o->is_bf16) /* a panel in f32 is plain memory too */
        status = choose_kernel(o, p, false, attributes, &fits);
    if (!status && fits) status = dnnl_primitive_create(&p->primitive, p->primitive_desc);
    if (attributes) dnnl_primitive_attr_destroy(attributes);
    if (status) return fail(status, error);
    if (!fits)
        return gi_fail(error, GLIA_UNSUPPORTED,
                       "oneDNN %s has no fast product of %zu x %zu x %zu in %s by the instructions "
                       "that it takes here (%s); use another engine or precision",
                       gi_onednn_version(), rows, depth, width,
                       glia_precision_name(o->params.precision), gi_onednn_isa());
    p->scratch_bytes = dnnl_memory_desc_get_size(
        dnnl_primitive_desc_query_md(p->primitive_desc, dnnl_query_scratchpad_md, 0));
    return GLIA_OK;
}

/* C = A B; b, c and bias may be NULL where the operands know theirs. */
static void multiply(gi_onednn *o, thread_room *room, const product *p, const void *a,
                     dnnl_memory_t b, const float *bias)
{
    const operands *x = &room->of_product[p - o->products];
    /* oneDNN's handles are not const, but sources are only read. */
    dnnl_status_t status = dnnl_memory_set_data_handle(x->a, (void *)(uintptr_t)a);
    if (!status && bias) status = dnnl_memory_set_data_handle(x->bias, (void *)(uintptr_t)bias);
    const dnnl_exec_arg_t arguments[] = {
        {DNNL_ARG_SRC, x->a},     {DNNL_ARG_WEIGHTS, b ? b : x->b},
        {DNNL_ARG_DST, x->c},     {DNNL_ARG_SCRATCHPAD, x->scratch},
        {DNNL_ARG_BIAS, x->bias},
    };
    if (!status)
        status = dnnl_primitive_execute(p->primitive, room->stream, bias ? 5 : 4, arguments);
    if (!status) status = dnnl_stream_wait(room->stream);
    if (status && !room->status) room->status = status;
}

/* ---- Who does what -------------------------------------------------------------------------- */

/* The rows that a thread has in forward and backward_data. */
static void row_slice(const gi_onednn *o, int thread, size_t m, size_t *begin, size_t *end)
{
    if (o->params.by_columns) {
        *begin = 0;
        *end = m;
    } else {
        gi_slice(m, 1, thread, o->params.n_threads, begin, end);
    }
}

/* The inputs that a thread has in backward_data. */
static void input_slice(const gi_onednn *o, int thread, size_t *begin, size_t *end)
{
    if (o->params.by_columns) {
        gi_slice(o->k, GI_PAD, thread, o->params.n_threads, begin, end);
    } else {
        *begin = 0;
        *end = o->k;
    }
}

/* Into how many parts rows are cut so that each fits a tile. */
static size_t n_parts(size_t rows)
{
    return (rows + MAX_ROWS - 1) / MAX_ROWS;
}

/* Into how many parts to cut each of n things, so that they go evenly into the threads. */
static size_t evening(size_t n, int n_threads)
{
    const size_t threads = (size_t)n_threads;
    if (n >= 16 * threads) return 1; /* nearly even as it is */
    size_t a = threads, b = n;       /* the greatest common divisor */
    while (b > 0) {
        const size_t rest = a % b;
        a = b;
        b = rest;
    }
    return threads / a;
}

/* By columns, threads share out panels times parts of the rows. */
static size_t n_parts_by_columns(const gi_onednn *o, size_t m)
{
    return smaller(m, larger(n_parts(m), evening(o->n_panels, o->params.n_threads)));
}

static void part_of(size_t rows, size_t parts, size_t i, size_t *begin, size_t *end)
{
    gi_slice(rows, 1, (int)i, (int)parts, begin, end);
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
            status = make(o, FORWARD, here, o->k, panel_width(o, 0), error);
            if (!status)
                status = make(o, FORWARD, here, o->k, panel_width(o, o->n_panels - 1), error);
        } else {
            if (inputs >= GI_PANEL) status = make(o, BACKWARD_DATA, here, o->n, GI_PANEL, error);
            if (!status) status = make(o, BACKWARD_DATA, here, o->n, inputs % GI_PANEL, error);
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
            status = make(o, BACKWARD_WEIGHTS, rows[i / 2], depth, widths[i % 2], error);
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
    return status ? fail(status, error) : GLIA_OK;
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
        if (status) return fail(status, error);
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
    status = made ? fail(made, error) : make_products(o, error);
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
        desc_free(p->a);
        desc_free(p->b);
        desc_free(p->c);
        desc_free(p->bias);
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
        if (o->rooms[t].status) return fail(o->rooms[t].status, error);
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
    const product *x = find(o, FORWARD, end - begin, o->k, width);
    multiply(o, room, x, (const char *)src + begin * o->k * o->element_bytes, o->panel_memory[p],
             (const float *)layer->bias + column);
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
            multiply(o, room, find(o, BACKWARD_DATA, rows, o->n, width), diff, NULL, NULL);
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
        multiply(o, room, find(o, BACKWARD_WEIGHTS, rows, padded, width),
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
