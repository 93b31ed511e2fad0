/* SPDX-License-Identifier: MIT */
/*
 * A layer whose products oneDNN computes, for one training run or many predictions: oneDNN's
 * primitives, in bf16 a copy of the weights, and room for each thread. Threads call the functions
 * below side by side, each with its number, and meet at barriers of their own; oneDNN itself runs
 * on the thread that calls it.
 *
 * Activations and gradients between layers are (m, gi_padded(n)), row-major and without gaps
 * (oneDNN is slow with any other distance of rows): f32 elements in GLIA_PRECISION_F32, bf16
 * elements in GLIA_PRECISION_BF16. Sums, and the logits and their gradient, are as all engines have
 * them: f32, (m, gi_stride(n_out)). Pads are zero and stay so.
 */
#ifndef GLIA_COMPUTE_ONEDNN_H
#define GLIA_COMPUTE_ONEDNN_H

#include "compute/engine.h"
#include "config.h"

typedef struct gi_onednn gi_onednn;

typedef struct gi_onednn_params {
    const gi_layer *layer; /* f32; borrowed, and used in place: it must stay where it is */
    glia_precision precision;
    int n_threads;
    bool by_columns; /* a thread has a part of the units for all samples; else a part of the samples
                      */
    size_t m[2];     /* the batch sizes that will come; 0: none */
    bool for_training;
    bool needs_backward_data;
    bool is_last;    /* dst is the logits: f32, no activation */
    bool keeps_sums; /* dst is z, as that of the last layer is; what follows is done elsewhere */
} gi_onednn_params;

/* "2.6.3": what glia was built with. */
const char *gi_onednn_version(void);

#ifdef GLIA_HAS_ONEDNN
/*
 * "avx512_core_amx": the best instructions that oneDNN takes in this process, which decide its
 * bits. They are less than the CPU's where ONEDNN_MAX_CPU_ISA says so, or where the system does not
 * grant this process AMX. Static.
 */
const char *gi_onednn_isa(void);

/* Whether it multiplies bf16: the CPU can, and nothing keeps oneDNN from it. */
bool gi_onednn_has_bf16(void);
#else
static inline const char *gi_onednn_isa(void)
{
    return "";
}
static inline bool gi_onednn_has_bf16(void)
{
    return false;
}
#endif

/* UNSUPPORTED if oneDNN has no fast way to multiply in this precision here. */
glia_status gi_onednn_new(const gi_onednn_params *params, gi_onednn **out, glia_error *error);
void gi_onednn_free(gi_onednn *o);

/*
 * In bf16, this thread's part of the copy of the weights: by all threads before the first forward,
 * and whenever anything but gi_onednn_update has changed the weights. In f32 there is none.
 */
void gi_onednn_refresh(gi_onednn *o, int thread);

/*
 * dst (m, ld) = f(src (m, gi_padded(n_in)) W + b): this thread's part. m is one of params.m. In
 * training, also keeps src for gi_onednn_update, transposed: this thread's part.
 */
void gi_onednn_forward(gi_onednn *o, int thread, const void *src, void *dst, size_t m);

/*
 * diff_src (m, gi_padded(n_in)) = (diff_dst (m, ld) W^T) * f'(z): this thread's part of the inputs
 * (by_columns) or of the samples. f made src = f(z). Before any thread's gi_onednn_update.
 */
void gi_onednn_backward_data(gi_onednn *o, int thread, const void *diff_dst, glia_activation f,
                             const void *src, void *diff_src, size_t m);

/*
 * dW (n_in, ld) = src^T diff_dst and db over all m rows, src being what gi_onednn_forward saw last:
 * this thread's part of the weights, handed to update->apply in runs of up to 16 rows of a panel
 * (row and unit: of the first), so that it must work element by element; inputs that are pads are
 * among them, with zero gradient.
 */
void gi_onednn_update(gi_onednn *o, int thread, const void *diff_dst, size_t m,
                      const gi_row_update *update, size_t layer_index);

/*
 * Whether all went well so far: what the calls above could not say (they fail only if oneDNN does,
 * out of memory). No thread may be in one of them.
 */
glia_status gi_onednn_check(const gi_onednn *o, glia_error *error);

#endif
