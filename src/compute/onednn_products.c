/* SPDX-License-Identifier: MIT */
/* Products of matrices by oneDNN, version 2.6 or 3: choosing kernels, and calling them. */
#include <string.h>

#include "compute/onednn_parts.h"

/* ---- Two versions of oneDNN ----------------------------------------------------------------- */

#if DNNL_VERSION_MAJOR >= 3
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

void gi_onednn_desc_free(desc d)
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

void gi_onednn_desc_free(desc d)
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

glia_status gi_onednn_fail(dnnl_status_t status, glia_error *error)
{
    if (status == dnnl_out_of_memory)
        return gi_fail(error, GLIA_NO_MEMORY, "oneDNN is out of memory");
    return gi_fail(
        error, GLIA_UNSUPPORTED,
        "oneDNN %s failed with status %d; use another engine, as setting engine=reference",
        gi_onednn_version(), (int)status);
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
    return f == GLIA_ACTIVATION_RELU      ? dnnl_eltwise_relu
           : f == GLIA_ACTIVATION_TANH    ? dnnl_eltwise_tanh
           : f == GLIA_ACTIVATION_SIGMOID ? dnnl_eltwise_logistic
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
        gi_onednn_desc_free(b);
        if (chosen) dnnl_primitive_desc_destroy(chosen);
    }
    return status;
}

product *gi_onednn_find(gi_onednn *o, enum kind kind, size_t rows, size_t depth, size_t width)
{
    for (size_t i = 0; i < o->n_products; i++) {
        product *p = &o->products[i];
        if (p->kind == kind && p->rows == rows && p->depth == depth && p->width == width) return p;
    }
    return NULL;
}

glia_status gi_onednn_make(gi_onednn *o, enum kind kind, size_t rows, size_t depth, size_t width,
                           glia_error *error)
{
    if (rows == 0 || width == 0 || gi_onednn_find(o, kind, rows, depth, width)) return GLIA_OK;
    if (o->n_products == MAX_PRODUCTS)
        return gi_fail(error, GLIA_UNSUPPORTED,
                       "oneDNN: more than %d forms of product for one layer; use fewer threads",
                       MAX_PRODUCTS);
    product *p = &o->products[o->n_products++];
    *p = (product){.kind = kind, .rows = rows, .depth = depth, .width = width};
    const bool is_f32 = writes_sums(o) || !o->is_bf16;
    const glia_activation f =
        kind == FORWARD && !writes_sums(o) ? o->params.layer->activation : GLIA_ACTIVATION_IDENTITY;
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
    if (status) return gi_onednn_fail(status, error);
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

void gi_onednn_multiply(gi_onednn *o, thread_room *room, const product *p, const void *a,
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
