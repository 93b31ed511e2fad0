/* SPDX-License-Identifier: MIT */
/*
 * The table of kernels: what a layer computes on a slice of a batch. An engine is a struct of
 * functions for one element type and one level of instruction set; reference.c and native.c are
 * compiled once for each. What calls them (src/net, src/train) knows no element type: buffers are
 * void *.
 */
#ifndef GLIA_COMPUTE_ENGINE_H
#define GLIA_COMPUTE_ENGINE_H

#include "base/pairs.h"
#include "base/random.h"
#include "base/status.h"

/*
 * Rows are padded with zeros to a multiple of GI_PAD elements, so that inner loops have no
 * remainder and every row begins on a cache line. The pads stay zero: every kernel keeps them so.
 */
enum { GI_PAD = 16 };
static inline size_t gi_padded(size_t n)
{
    return (n + GI_PAD - 1) / GI_PAD * GI_PAD;
}

/*
 * The distance of rows of activations, and of their gradients, with n units: an odd number of cache
 * lines of floats, so that the same columns of many rows spread over all sets of a cache. Elements
 * from gi_padded(n) on are never looked at.
 */
static inline size_t gi_stride(size_t n)
{
    return gi_padded(n) + (gi_padded(n) / GI_PAD % 2 == 0 ? GI_PAD : 0);
}

/*
 * z = x W + b, a = f(z). W is stored in panels of GI_PANEL units (the last one may be narrower),
 * and within a panel by input: the weights from an input to the panel's units are consecutive, so
 * an input that is zero costs nothing, a thread's columns are one piece of memory, and a product
 * finds them in the order in which it needs them.
 */
enum { GI_PANEL = 64 };
typedef struct gi_layer {
    size_t n_in, n_out;
    size_t ld;                  /* gi_padded(n_out): units with their pads */
    glia_activation activation; /* of the last layer identity: the loss says what its outputs are */
    void *weight; /* panels of (gi_padded(n_in), up to GI_PANEL); rows past n_in zero */
    void *bias;   /* (ld); 0 where the layer is normalised: shift has its place */

    /*
     * Batch normalisation (Ioffe and Szegedy 2015), else NULL, each (ld):
     * z_hat = (z - mean) / sqrt(variance + GI_NORM_EPSILON), a = f(scale z_hat + shift), by the
     * mean and variance of the batch in training, and by these, which follow them, otherwise. They
     * lie behind bias, in this order.
     */
    void *scale, *shift; /* gamma and beta: learned */
    void *mean, *variance;
} gi_layer;

#define GI_NORM_EPSILON 1e-5
#define GI_NORM_FOLLOWS 0.1 /* how much of the batch's mean and variance a step takes over */

/*
 * The rows of a layer's parameters beyond its inputs: its bias, scale and shift; then what is not
 * learned.
 */
enum { GI_ROW_BIAS, GI_ROW_SCALE, GI_ROW_SHIFT, GI_LEARNED_ROWS, GI_NORM_ROWS = 5 };

/* How many vectors (ld) begin at layer->bias. */
static inline size_t gi_layer_vectors(const gi_layer *layer)
{
    return layer->scale ? GI_NORM_ROWS : 1;
}

/* The units of the panel that a unit is in: also the distance of its rows. */
static inline size_t gi_panel_width(const gi_layer *layer, size_t unit)
{
    const size_t left = layer->ld - unit / GI_PANEL * GI_PANEL;
    return left < GI_PANEL ? left : GI_PANEL;
}

/* Where the weight from an input to a unit lies, in elements from layer->weight. */
static inline size_t gi_weight_offset(const gi_layer *layer, size_t input, size_t unit)
{
    const size_t first = unit / GI_PANEL * GI_PANEL;
    return first * gi_padded(layer->n_in) + input * gi_panel_width(layer, unit) + (unit - first);
}

/* How many of the units unit..end lie in unit's panel. */
static inline size_t gi_panel_part(size_t unit, size_t end)
{
    const size_t panel_end = (unit / GI_PANEL + 1) * GI_PANEL;
    return (end < panel_end ? end : panel_end) - unit;
}

/* A rectangle of a layer's parameters: inputs (row n_in is the bias), and units by GI_PAD. */
typedef struct gi_part {
    size_t row_begin, row_end, unit_begin, unit_end;
} gi_part;

/*
 * What is kept for each parameter beside it, laid out as the parameters are: [0] like a layer's
 * weight, [1] like the vectors that begin at its bias.
 */
typedef struct gi_shadow {
    void *of[2];
} gi_shadow;

/* An optimizer at one step. The formulas are in update.c. */
typedef struct gi_optimizer {
    glia_optimizer kind;
    double momentum, beta2, epsilon;
    double correction1, correction2; /* of Adam: 1 - momentum^t, 1 - beta2^t at step t = 1, ... */
    double l1, l2, weight_decay;     /* of weights alone */
    double gradient_factor;          /* what clipping leaves of the gradient */
    const gi_layer *layers;
    gi_shadow *first, *second; /* (n_layers): moments; NULL where the optimizer has none */
} gi_optimizer;

/*
 * What is done with a row of a gradient as soon as it is there, while it is in cache: the optimizer
 * (plain, weight <- weight - rate * gradient), or, to look at the gradient itself, a copy.
 */
typedef struct gi_row_update {
    /* weight, gradient: (n), n a multiple of GI_PAD: of the layer's row (n_in + GI_ROW_... past its
     * inputs), from a unit on */
    void (*apply)(const struct gi_row_update *update, size_t layer, size_t row, size_t unit,
                  void *weight, const void *gradient, size_t n);
    double rate;
    bool skips_zero;               /* a row whose gradient is all zero needs no call */
    const gi_optimizer *optimizer; /* of optimize_row */
    void *user;
} gi_row_update;

/*
 * What a layer does between z = x W + b and what the next layer reads, where that is more than an
 * activation that the products apply: batch normalisation, an activation that needs z, dropout.
 * Of m rows, all in type and layout of the engine, but for a, which may be bf16.
 */
typedef struct gi_units {
    const gi_layer *layer;
    void *z; /* (m, gi_stride(n_out)): the sums; after a normalised layer's training, z_hat */
    void *measured;    /* (2, ld): mean and variance of the batch; training of normalised layers */
    bool in_bf16;      /* a and its gradient */
    size_t row;        /* the distance of their rows, in elements */
    bool for_training; /* what follows: */
    double dropout;    /* the part of the units that is 0, the others being 1 / (1 - it) as large */
    uint8_t *keeps;    /* (m, ld): which are kept */
    uint64_t seed;     /* of dropout, with epoch, layer's index, and each sample's place in it: */
    uint32_t epoch;
    size_t index, first; /* first: of row 0 */
} gi_units;

/* Of a batch's loss, over n outputs. */
typedef struct gi_loss {
    glia_loss kind;         /* not auto */
    const uint32_t *labels; /* (m) of cross-entropy; else */
    const float *targets;   /* (m, n): 0 and 1 of bce, else as the outputs z are to be */
    double total;           /* of its samples' weights: their number, where they have none */
    const float *weight;    /* (m); NULL: 1 each */
    double smoothing;       /* of cross-entropy: the part of a target spread over all classes */
    const double *scale;    /* (n) of values: what an output of 1 stands for; NULL: 1 each */
    double unit;            /* a power of two that the squares are in, lest they overflow; 0: 1 */
    double *squares;        /* (m) of values: sum_c (scale_c (z_c - t_c) / unit)^2; or NULL */
} gi_loss;

/* Inputs of a sparse sample are looked up in blocks of so many, whose weights stay in L1. */
enum { GI_SPARSE_BLOCK = 96 };
static inline size_t gi_sparse_blocks(size_t n)
{
    return (n + GI_SPARSE_BLOCK - 1) / GI_SPARSE_BLOCK;
}

/*
 * The non-zeros of a vector: x[index[k]] = value[k], k < n; index ascending. The values are of the
 * engine's type. end[b], b < gi_sparse_blocks: how many of them lie in blocks 0..b; may be NULL.
 */
typedef struct gi_sparse {
    size_t n;
    uint32_t *index;
    void *value;
    uint32_t *end;
} gi_sparse;

/* What one thread needs for itself. */
typedef struct gi_scratch {
    gi_sparse list;  /* room for the widest layer, and for a batch */
    void *block;     /* elements: gi_scratch_block */
    uint32_t *heads; /* (widest): 0 between calls; NULL: it is done without them */
} gi_scratch;

/* Room for a row of the widest layer, or for blocks of a product's factors. */
static inline size_t gi_scratch_block(size_t widest)
{
    enum { TILES = 3 * 128 * 128 };
    return widest < TILES ? TILES : widest;
}

/* Of m samples, src is (m, gi_stride(n_in)), dst (m, gi_stride(n_out)), and so are the gradients.
 */
typedef struct gi_engine {
    const char *name; /* "reference", "native" */
    const char *isa;  /* "baseline", "avx2", "avx512" */
    size_t element_bytes;

    /* dst (gi_padded(n)) = src (n) / divisor, pads zero. */
    void (*load_row)(void *dst, glia_type type, const void *src, size_t n, double divisor);

    /* The same as a list of the non-zeros, which has room for gi_padded(n). */
    void (*load_sparse)(gi_sparse *dst, glia_type type, const void *src, size_t n, double divisor);

    /* The same of a sample (n) of which only the non-zeros are there: dst has room for them. */
    void (*load_pairs)(gi_sparse *dst, const gi_pairs *src, size_t n, double divisor);

    /*
     * Units begin..end (multiples of GI_PAD) of dst = f(src W + b); of the last layer, dst is z,
     * which loss and outputs go on from.
     */
    void (*forward)(const gi_layer *layer, const void *src, void *dst, size_t m, size_t begin,
                    size_t end, gi_scratch *scratch);

    /*
     * What z becomes at the end (softmax, sigmoid) fused with the loss, as GLIA_LOSS_LIST says.
     * loss[r] = weight_r L_r, and z becomes the gradient of the batch's mean loss, weight_r / total
     * dL_r/dz. Returns how many rows are classified correctly, how many labels of all rows are
     * right, or 0, of values.
     */
    size_t (*loss)(void *z, size_t n, const gi_loss *how, double *loss, size_t m);

    /*
     * out (m, n), without pads, of z: probabilities (softmax, sigmoid), or z scale_c + mean_c, each
     * (n) or NULL: 1 and 0.
     */
    void (*outputs)(const void *z, size_t n, glia_loss kind, const double *mean,
                    const double *scale, float *out, size_t m);

    /*
     * Inputs begin..end (multiples of GI_PAD) of diff_src = (diff_dst W^T) * f'(z), f being the
     * activation that made src: its derivative is taken from its value, src = f(z).
     */
    void (*backward_data)(const gi_layer *layer, const void *diff_dst, glia_activation f,
                          const void *src, void *diff_src, size_t m, size_t begin, size_t end,
                          gi_scratch *scratch);

    /*
     * A part of dW (n_in, n_out) = src^T diff_dst, each of its rows handed to update; row n_in is
     * db, the sum of diff_dst's rows.
     */
    void (*backward_weights)(const gi_layer *layer, size_t layer_index, const void *src,
                             const void *diff_dst, size_t m, const gi_part *part,
                             const gi_row_update *update, gi_scratch *scratch);

    /* The update of plain SGD: weight <- weight - rate * gradient; and that of any optimizer. */
    void (*sgd_row)(const gi_row_update *update, size_t layer, size_t row, size_t unit,
                    void *weight, const void *gradient, size_t n);
    void (*optimize_row)(const gi_row_update *update, size_t layer, size_t row, size_t unit,
                         void *weight, const void *gradient, size_t n);

    /* sums (n) = per unit, of rows (n_rows, n), the sum of squares. */
    void (*sum_squares)(const void *rows, size_t n_rows, size_t n, double *sums);
    /* average (n) += part * (now - average) */
    void (*follow)(void *average, const void *now, double part, size_t n);
    /* rows (n_rows, n) *= factors (n) */
    void (*scale_columns)(void *rows, size_t n_rows, size_t n, const double *factors);

    /*
     * Rows row_begin..row_end and units begin..end (multiples of GI_PAD) of a: from z. All rows, in
     * the training of a normalised layer.
     */
    void (*units_forward)(const gi_units *units, void *a, size_t row_begin, size_t row_end,
                          size_t begin, size_t end);
    /*
     * Of the same: diff, from dJ/da to dJ/dz. Of a normalised layer also gradient (2, ld), the
     * gradients of scale and shift; and its mean and variance follow those of the batch.
     */
    void (*units_backward)(const gi_units *units, void *diff, void *gradient, size_t row_begin,
                           size_t row_end, size_t begin, size_t end);

    /* keeps[i] = 0 with probability p, else 1: numbers begin.. begin + n of a stream; begin is a
     * multiple of GI_PAD. */
    void (*draw_keeps)(uint8_t *keeps, const gi_rng *stream, size_t begin, size_t n, double p);
    /* x (n) = (x - mean[i % period]) / scale[i % period] */
    void (*standardise)(void *x, size_t n, const double *mean, const double *scale, size_t period);
    /* x (n, padded) += sd * N(0, 1) */
    void (*add_noise)(void *x, const gi_rng *stream, size_t n, double sd);

    /*
     * One step of per-sample SGD, fused: forward, loss, backward and update of one sample, zeros
     * skipped. activations[l], diffs[l]: (ld) of layer l, the same buffer for the last. Returns the
     * loss before the step; *correct is as loss returns it.
     */
    double (*sgd_sample)(const gi_layer *layers, size_t n_layers, const gi_sparse *x,
                         const gi_loss *how, double rate, void *const *activations,
                         void *const *diffs, gi_scratch *scratch, size_t *correct);

    /*
     * The first layer of a batch of bytes x (m, row), which stand for x * scale: they are converted
     * block by block, and stay in a nearer cache than floats. row is a multiple of 64, and bytes
     * past n_in are 0. skips_zeros: multiplies those that are not zero, one by one, where there are
     * few. NULL in the reference engine.
     */
    void (*forward_bytes)(const gi_layer *layer, const uint8_t *x, size_t row, float scale,
                          bool skips_zeros, void *dst, size_t m, size_t begin, size_t end,
                          gi_scratch *scratch);
    void (*backward_bytes)(const gi_layer *layer, size_t layer_index, const uint8_t *x, size_t row,
                           float scale, bool skips_zeros, const void *diff_dst, size_t m,
                           const gi_part *part, const gi_row_update *update, gi_scratch *scratch);

    /*
     * The first layer of a batch of sparse samples x (m), each with its blocks' ends; NULL in the
     * reference engine, which skips zeros anyway.
     */
    void (*forward_sparse)(const gi_layer *layer, const gi_sparse *x, void *dst, size_t m,
                           size_t begin, size_t end);
    void (*backward_sparse)(const gi_layer *layer, size_t layer_index, const gi_sparse *x,
                            const void *diff_dst, size_t m, const gi_part *part,
                            const gi_row_update *update, gi_scratch *scratch);
} gi_engine;

/* Whether the CPU (and the OS) multiplies bf16, whatever the environment says. */
bool gi_cpu_has_bf16(void);

/*
 * The reference engine for f32 (element_bytes 4) or f64 (8) at a level of instruction set, NULL
 * being the best that this CPU has. NULL if there is no such level, or the CPU lacks it.
 */
const gi_engine *gi_engine_reference(size_t element_bytes, const char *isa);

/* glia's own fast kernels, f32, for the level of a reference engine. */
const gi_engine *gi_engine_native(const gi_engine *reference);

/*
 * The engine that trains: f32 at the best level, or at the one that the environment variable
 * GLIA_CPU names. BAD_ARGUMENT if it names none that this CPU has.
 */
glia_status gi_engine_choose(const gi_engine **out, glia_error *error);

#endif
