/* SPDX-License-Identifier: MIT */
/*
 * The table of kernels: what a layer computes on a slice of a batch. An engine is a struct of
 * functions for one element type and one level of instruction set; reference.c is compiled once for
 * each. What calls them (src/net, src/train) knows no element type: buffers are void *.
 */
#ifndef GLIA_COMPUTE_ENGINE_H
#define GLIA_COMPUTE_ENGINE_H

#include "base/status.h"

/*
 * Rows of weights, activations and gradients are padded with zeros to a multiple of GI_PAD
 * elements, so that inner loops have no remainder and every row begins on a cache line. The pads
 * stay zero: every kernel keeps them so.
 */
enum { GI_PAD = 16 };
static inline size_t gi_padded(size_t n)
{
    return (n + GI_PAD - 1) / GI_PAD * GI_PAD;
}

/*
 * z = x W + b, a = f(z). W is stored by input: row i holds the weights from input i to every unit,
 * so an input that is zero costs nothing.
 */
typedef struct gi_layer {
    size_t n_in, n_out;
    size_t ld; /* gi_padded(n_out): the distance of rows, in elements */
    glia_activation activation;
    void *weight; /* (gi_padded(n_in), ld), rows past n_in zero */
    void *bias;   /* (ld) */
} gi_layer;

/* Where the weight from an input to a unit lies, in elements from layer->weight. */
static inline size_t gi_weight_offset(const gi_layer *layer, size_t input, size_t unit)
{
    return input * layer->ld + unit;
}

/*
 * What is done with a row of a gradient as soon as it is there, while it is in cache: the optimizer
 * (weight <- weight - rate * gradient), or, to look at the gradient itself, a copy.
 */
typedef struct gi_row_update {
    /* weight, gradient: (n), n a multiple of GI_PAD; row: of the layer's W, n_in for the bias */
    void (*apply)(const struct gi_row_update *update, size_t layer, size_t row, void *weight,
                  const void *gradient, size_t n);
    double rate;
    bool skips_zero; /* a row whose gradient is all zero needs no call */
    void *user;
} gi_row_update;

/* The non-zeros of a vector: x[index[k]] = value[k], k < n; index ascending. */
typedef struct gi_sparse {
    size_t n;
    uint32_t *index;
    void *value; /* elements of the engine's type */
} gi_sparse;

typedef struct gi_engine {
    const char *name; /* "reference" */
    const char *isa;  /* "baseline", "avx2", "avx512" */
    size_t element_bytes;

    /* dst (gi_padded(n)) = src (n) / divisor, pads zero. */
    void (*load_row)(void *dst, glia_type type, const void *src, size_t n, double divisor);

    /* The same as a list of the non-zeros, which has room for n. */
    void (*load_sparse)(gi_sparse *dst, glia_type type, const void *src, size_t n, double divisor);

    /*
     * dst (m, ld) = f(src (m, gi_padded(n_in)) W + b); of the softmax layer, dst is z, the logits.
     * scratch has room for n_in.
     */
    void (*forward)(const gi_layer *layer, const void *src, void *dst, size_t m,
                    gi_sparse *scratch);

    /*
     * Softmax with cross-entropy, fused. Per row r of z (m, ld): loss[r] = log(sum_c e^{z_c}) -
     * z_y, and z becomes the gradient of the batch's mean loss, (p_c - [c = y]) / batch_size.
     * Returns how many rows are classified correctly.
     */
    size_t (*softmax_loss)(void *z, size_t n_classes, const uint32_t *labels, size_t batch_size,
                           double *loss, size_t m);

    /* probabilities (m, n_classes), unpadded, of logits z (m, ld). */
    void (*softmax)(const void *z, size_t n_classes, float *probabilities, size_t m);

    /*
     * diff_src (m, gi_padded(n_in)) = (diff_dst (m, ld) W^T) * f'(z), f being the activation that
     * made src: its derivative is taken from its value, src = f(z).
     */
    void (*backward_data)(const gi_layer *layer, const void *diff_dst, glia_activation f,
                          const void *src, void *diff_src, size_t m);

    /*
     * Rows begin..end of dW (n_in, ld) = src^T (n_in, m) diff_dst (m, ld), each handed to update;
     * row n_in is db, the sum of diff_dst's rows. scratch has room for m, gradient for ld.
     */
    void (*backward_weights)(const gi_layer *layer, size_t layer_index, const void *src,
                             const void *diff_dst, size_t m, size_t begin, size_t end,
                             const gi_row_update *update, gi_sparse *scratch, void *gradient);

    /* The update of SGD: weight <- weight - rate * gradient. */
    void (*sgd_row)(const gi_row_update *update, size_t layer, size_t row, void *weight,
                    const void *gradient, size_t n);

    /*
     * One step of per-sample SGD, fused: forward, loss, backward and update of one sample, zeros
     * skipped. activations[l], diffs[l]: (ld) of layer l, the same buffer for the last; scratch has
     * room for the widest layer. Returns the loss before the step.
     */
    double (*sgd_sample)(const gi_layer *layers, size_t n_layers, const gi_sparse *x,
                         uint32_t label, double rate, void *const *activations, void *const *diffs,
                         gi_sparse *scratch, bool *correct);
} gi_engine;

/*
 * The reference engine for f32 (element_bytes 4) or f64 (8) at a level of instruction set, NULL
 * being the best that this CPU has. NULL if there is no such level, or the CPU lacks it.
 */
const gi_engine *gi_engine_reference(size_t element_bytes, const char *isa);

/*
 * The engine that trains: f32 at the best level, or at the one that the environment variable
 * GLIA_CPU names. BAD_ARGUMENT if it names none that this CPU has.
 */
glia_status gi_engine_choose(const gi_engine **out, glia_error *error);

#endif
