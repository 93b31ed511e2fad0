/* SPDX-License-Identifier: MIT */
/*
 * The buffers that a batch passes through a network in, and the passes themselves, which all
 * threads of a pool run side by side: each takes its part of a layer's units or of the batch's
 * samples, as the plan says.
 */
#ifndef GLIA_NET_WORKSPACE_H
#define GLIA_NET_WORKSPACE_H

#include "base/thread.h"
#include "compute/plan.h"
#include "net/dense.h"
#include "net/network.h"

/*
 * Of layer l: activation[l] and diff[l] are (rows, row_bytes[l + 1]), x (rows, row_bytes[0]), in
 * floats or, with a plan for bf16, 16 bits each. The last activation holds the last layer's sums,
 * in floats, and after gi_network_loss their gradient.
 */
typedef struct gi_workspace {
    size_t rows;
    bool for_training;
    bool is_frozen;  /* passes through it change nothing: normalised by what training has left */
    gi_dense *dense; /* borrowed; NULL, as it is made, where the plan does without oneDNN */
    size_t row_bytes[GLIA_MAX_LAYERS + 1]; /* of x, activation[0], ... */
    void *x;                               /* the samples as they enter the network; or */
    gi_sparse *lists;                      /* (rows): their non-zeros */
    void *activation[GLIA_MAX_LAYERS];
    void *diff[GLIA_MAX_LAYERS]; /* dJ/dz of hidden layers; of the last it is activation's buffer */
    uint32_t *labels;            /* (rows) of classes, else */
    float *targets;  /* (rows, outputs): of values, as gi_network_scale_targets makes them */
    double *loss;    /* (rows) */
    double *squares; /* (rows) of values: gi_loss.squares; else NULL */

    /* Of staged layers (gi_units): */
    void *z[GLIA_MAX_LAYERS];        /* (rows, gi_stride(n_out)) */
    uint8_t *keeps[GLIA_MAX_LAYERS]; /* (rows, ld): with dropout */
    void *norm[GLIA_MAX_LAYERS];     /* (4, ld): mean, variance, the gradients of scale and shift */
    float *changed;                  /* (rows, gi_padded(inputs)): in floats before they are bf16 */

    /* Of training, set by whoever trains; 0, as they are made, is none of it: */
    double dropout, input_dropout, input_noise; /* as the plan was asked for */
    double smoothing;                           /* of labels */
    bool is_weighted;
    float *weights; /* (rows): where they are */
    uint64_t seed;  /* of dropout and noise; with, for hidden units, */
    uint32_t epoch;
    size_t first; /* the place of row 0 in the epoch's order */
} gi_workspace;

/* The plan of inference on `rows` samples together, of which `density` is not zero, in f32; they
 * come with most_pairs non-zeros at most, or as they are: 0. */
glia_status gi_plan_inference(const glia_network *network, glia_type type, double density,
                              size_t most_pairs, size_t rows, gi_plan *out, glia_error *error);

/* As the plan wants it; with diff if it is for training. */
glia_status gi_workspace_new(const glia_network *network, const gi_plan *plan, size_t rows,
                             bool for_training, gi_workspace *out, glia_error *error);
void gi_workspace_free(gi_workspace *workspace);
glia_status gi_scratch_new(const glia_network *network, size_t rows, gi_scratch *out,
                           glia_error *error);
void gi_scratch_free(gi_scratch *scratch);

/*
 * Rows begin..end, by one thread: from the samples to the last layer's sums, as they are predicted
 * from: nothing is dropped, and normalised by what training has left. With oneDNN, begin is 0 and
 * end a number of samples that it was made for.
 */
void gi_network_forward(const glia_network *network, const gi_plan *plan, gi_workspace *workspace,
                        size_t begin, size_t end, gi_scratch *scratch);

/* out (rows, outputs) of the first rows: probabilities, or values in the units of the data. */
void gi_network_outputs(const glia_network *network, const gi_plan *plan,
                        const gi_workspace *workspace, size_t rows, float *out);

/* The same in double, in which values are scaled back; scratch: (rows, outputs). */
void gi_network_outputs_f64(const glia_network *network, const gi_plan *plan,
                            const gi_workspace *workspace, size_t rows, float *scratch,
                            double *out);

/*
 * Rows begin..end of a batch of batch_size: from sums and labels or targets to loss, and to the
 * gradient of the batch's mean loss with respect to the sums. Returns what gi_engine.loss does.
 */
size_t gi_network_loss(const glia_network *network, const gi_plan *plan, gi_workspace *workspace,
                       size_t begin, size_t end, size_t batch_size);

/* One of the threads that make a step together: all of a pool, or, alone, its thread 0. */
typedef struct gi_crew {
    gi_pool *pool;
    int thread, n_threads;
    gi_scratch *scratch; /* its own */
} gi_crew;

/* What the loss of rows from `row` on wants; total: of the weights of all samples of the batch. */
gi_loss gi_workspace_loss(const glia_network *network, const gi_workspace *workspace, size_t row,
                          double total);

/* Waits until all of them have come here. */
void gi_crew_barrier(const gi_crew *crew);

/* The sum of the weights of rows 0..m: m where they have none. */
double gi_workspace_weight(const gi_workspace *workspace, size_t m);

/*
 * The three phases of a step, by all threads. Between the first two no barrier is needed; between
 * the last two one is, so that every gradient of the layers shared out by samples is there.
 *
 * gi_step_forward: from the m samples to loss and the gradient of the last layer's sums. Returns
 * how many of this thread's samples are classified correctly, or labels right. gi_step_backward:
 * the gradients of z of the layers that are shared out by samples, and of the one below.
 * gi_step_update: what remains of them, and the gradient of every weight and bias, row by row to
 * update. The next step may follow at once, in another workspace.
 */
size_t gi_step_forward(const glia_network *network, const gi_plan *plan, gi_workspace *workspace,
                       size_t m, const gi_crew *crew);
void gi_step_backward(const glia_network *network, const gi_plan *plan, gi_workspace *workspace,
                      size_t m, const gi_crew *crew);
void gi_step_update(glia_network *network, const gi_plan *plan, gi_workspace *workspace, size_t m,
                    const gi_row_update *update, const gi_crew *crew);

#endif
