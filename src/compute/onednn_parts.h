/* SPDX-License-Identifier: MIT */
/* What the files of layers by oneDNN share: onednn.c, which says how they work, and
 * onednn_products.c. */
#ifndef GLIA_COMPUTE_ONEDNN_PARTS_H
#define GLIA_COMPUTE_ONEDNN_PARTS_H

#include <dnnl.h>

#include "base/thread.h"
#include "compute/onednn.h"
#include "compute/pack.h"

enum {
    MAX_ROWS = 256,  /* rows of a tile of dst or diff_src */
    MAX_DEPTH = 512, /* rows of a tile of dW: 128 KB, well within L2 */
    MAX_PRODUCTS = 64,
};

/* What versions 3 and 2.6 take as the description of a matrix. */
#if DNNL_VERSION_MAJOR >= 3
typedef const_dnnl_memory_desc_t desc_view;
typedef dnnl_memory_desc_t desc;
#define VIEW(d) (d)
#else
typedef const dnnl_memory_desc_t *desc_view;
typedef dnnl_memory_desc_t desc;
#define VIEW(d) (&(d))
#endif

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

static inline size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static inline size_t rounded_up(size_t n, size_t grain)
{
    return (n + grain - 1) / grain * grain;
}

/* What a sum over n terms is padded to: kernels in bf16 take 32 at a time, in f32 any number. */
static inline size_t padded_sum(const gi_onednn *o, size_t n)
{
    return rounded_up(n, o->is_bf16 ? 32 : 16);
}

static inline size_t panel_width(const gi_onednn *o, size_t p)
{
    return gi_panel_width(o->params.layer, p * GI_PANEL);
}

/* Whether forward leaves z as it is. */
static inline bool writes_sums(const gi_onednn *o)
{
    return o->params.is_last || o->params.keeps_sums;
}

/* The distance of the rows of what forward writes, and of the gradient that comes back. */
static inline size_t dst_stride(const gi_onednn *o)
{
    return writes_sums(o) ? gi_stride(o->params.layer->n_out) : o->n;
}

static inline size_t diff_stride(const gi_onednn *o)
{
    return o->params.is_last ? gi_stride(o->params.layer->n_out) : o->n;
}

static inline float *panel_weights(const gi_onednn *o, size_t p)
{
    return (float *)o->params.layer->weight + gi_weight_offset(o->params.layer, 0, p * GI_PANEL);
}

static inline uint16_t *panel_bf16(const gi_onednn *o, size_t p)
{
    return o->bf16 + p * GI_PANEL * o->depth;
}

/* ---- Who does what -------------------------------------------------------------------------- */

/* The rows that a thread has in forward and backward_data. */
static inline void row_slice(const gi_onednn *o, int thread, size_t m, size_t *begin, size_t *end)
{
    if (o->params.by_columns) {
        *begin = 0;
        *end = m;
    } else {
        gi_slice(m, 1, thread, o->params.n_threads, begin, end);
    }
}

/* The inputs that a thread has in backward_data. */
static inline void input_slice(const gi_onednn *o, int thread, size_t *begin, size_t *end)
{
    if (o->params.by_columns) {
        gi_slice(o->k, GI_PAD, thread, o->params.n_threads, begin, end);
    } else {
        *begin = 0;
        *end = o->k;
    }
}

/* Into how many parts rows are cut so that each fits a tile. */
static inline size_t n_parts(size_t rows)
{
    return (rows + MAX_ROWS - 1) / MAX_ROWS;
}

/* Into how many parts to cut each of n things, so that they go evenly into the threads. */
static inline size_t evening(size_t n, int n_threads)
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
static inline size_t n_parts_by_columns(const gi_onednn *o, size_t m)
{
    return smaller(m, larger(n_parts(m), evening(o->n_panels, o->params.n_threads)));
}

static inline void part_of(size_t rows, size_t parts, size_t i, size_t *begin, size_t *end)
{
    gi_slice(rows, 1, (int)i, (int)parts, begin, end);
}

/* ---- onednn_products.c ---------------------------------------------------------------------- */

/* Says that oneDNN failed. UNSUPPORTED, NO_MEMORY. */
glia_status gi_onednn_fail(dnnl_status_t status, glia_error *error);
void gi_onednn_desc_free(desc d);

product *gi_onednn_find(gi_onednn *o, enum kind kind, size_t rows, size_t depth, size_t width);

/* Makes a product, unless it is there. */
glia_status gi_onednn_make(gi_onednn *o, enum kind kind, size_t rows, size_t depth, size_t width,
                           glia_error *error);

/* C = A B; b, c and bias may be NULL where the operands know theirs. */
void gi_onednn_multiply(gi_onednn *o, thread_room *room, const product *p, const void *a,
                        dnnl_memory_t b, const float *bias);

#endif
