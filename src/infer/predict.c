/* SPDX-License-Identifier: MIT */
/* Predicting: samples in, probabilities or values out. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "feed/loader.h"

enum {
    ROWS = 64,         /* at a time: they stay in cache from layer to layer */
    ONEDNN_ROWS = 256, /* its products want more */
    JUDGED_ROWS = 16,  /* samples of a call by which it is decided whether zeros are skipped */
};

/* Taken for the density of sparse samples, before there are any. */
static const double sparse_density = 0.2;

/* How a call's samples are read: floats or bytes, all multiplied or those that are not zero. */
enum { BYTES = 1, SPARSE = 2, WAYS = 4 };

/* A thread's buffers. */
struct lane {
    gi_workspace workspace[WAYS];
    gi_dense *dense; /* of plans that want oneDNN, which are the same for both ways */
    gi_scratch scratch;
    float *outputs; /* (rows, classes), for those that are asked for as doubles */
};

struct glia_predictor {
    const glia_network *network;
    gi_loader *loader[WAYS];
    gi_plan plan[WAYS]; /* the same where the engine does not tell them apart */
    double work[WAYS];  /* multiply-adds of a sample */
    size_t rows;        /* room of a workspace */
    gi_pool *pool;
    struct lane *lanes; /* (threads) */
    /* The call under way. */
    glia_type type;
    const char *x;
    size_t n;
    float *outputs; /* or */
    double *outputs_f64;
    int way;     /* which plan */
    bool shared; /* by all threads */
};

/* ---- Making --------------------------------------------------------------------------------- */

static const glia_predictor_params default_params = {.engine = GLIA_ENGINE_AUTO};

/* Else a field that is added would lie in bytes that programs of today leave unset. */
_Static_assert(offsetof(glia_predictor_params, precision) + sizeof(glia_precision) ==
                   sizeof(glia_predictor_params),
               "glia_predictor_params has padding at its end");

void glia_predictor_default_params_sized(glia_predictor_params *out, size_t size)
{
    gi_copy_known(out, size, &default_params, sizeof default_params);
}

void glia_predictor_free(glia_predictor *p)
{
    if (!p) return;
    const int n_threads = p->lanes ? gi_pool_threads(p->pool) : 0;
    for (int t = 0; t < n_threads; t++) {
        for (int way = 0; way < WAYS; way++) gi_workspace_free(&p->lanes[t].workspace[way]);
        gi_dense_free(p->lanes[t].dense);
        gi_scratch_free(&p->lanes[t].scratch);
        gi_free(p->lanes[t].outputs);
    }
    for (int way = 0; way < WAYS; way++) gi_loader_free(p->loader[way]);
    gi_free(p->lanes);
    gi_pool_free(p->pool);
    gi_free(p);
}

/* With buffers of `rows` rows, for the ways of which a bit is set. */
static glia_status predictor_new(const glia_network *network, const glia_predictor_params *params,
                                 size_t rows, unsigned ways, glia_predictor **out,
                                 glia_error *error)
{
    glia_predictor *p = gi_alloc(1, sizeof *p, "a predictor", error);
    if (!p) return GLIA_NO_MEMORY;
    p->network = network;
    p->rows = rows;
    glia_status status = gi_pool_create(params->threads, &p->pool, error);
    for (int way = 0; way < WAYS && !status; way++) {
        gi_plan_request request = {
            .layers = network->layers,
            .n_layers = network->n_layers,
            .batch = rows,
            .type = way & BYTES ? GLIA_TYPE_U8 : GLIA_TYPE_F32,
            .density = way & SPARSE ? sparse_density : 1,
            .threads = 1,
            .engine = params->engine,
            .precision = params->precision,
            .standardises = network->input.mean != NULL,
            .reference = network->engine,
        };
        status = gi_plan_make(&request, &p->plan[way], error);
        p->work[way] = gi_plan_forward_work(network->layers, network->n_layers, request.density);
    }
    const int n_threads = status ? 0 : gi_pool_threads(p->pool);
    if (!status) {
        p->lanes = gi_alloc((size_t)n_threads, sizeof *p->lanes, "a predictor", error);
        if (!p->lanes) status = GLIA_NO_MEMORY;
    }
    for (int way = 0; way < WAYS && !status; way++) {
        const gi_loader_params loading = {
            .network = network, .plan = &p->plan[way], .n_threads = n_threads};
        if (ways >> way & 1) status = gi_loader_new(&loading, &p->loader[way], error);
    }
    for (int t = 0; t < n_threads && !status; t++) {
        for (int way = 0; way < WAYS && !status; way++)
            if (ways >> way & 1)
                status = gi_workspace_new(network, &p->plan[way], rows, false,
                                          &p->lanes[t].workspace[way], error);
        const size_t batches[2] = {rows, 1};
        if (!status)
            status = gi_dense_new(network, &p->plan[0], batches, false, &p->lanes[t].dense, error);
        for (int way = 0; way < WAYS; way++) p->lanes[t].workspace[way].dense = p->lanes[t].dense;
        if (!status) status = gi_scratch_new(network, 0, &p->lanes[t].scratch, error);
        if (status) break;
        p->lanes[t].outputs =
            gi_alloc(rows, gi_network_classes(network) * sizeof(float), "a predictor", error);
        if (!p->lanes[t].outputs) status = GLIA_NO_MEMORY;
    }
    if (status)
        glia_predictor_free(p);
    else
        *out = p;
    return status;
}

glia_status glia_predictor_create_sized(const glia_network *network,
                                        const glia_predictor_params *params, size_t size,
                                        glia_predictor **out, glia_error *error)
{
    glia_predictor_params known = default_params;
    if (params) gi_copy_known(&known, sizeof known, params, size);
    const bool onednn =
        known.engine == GLIA_ENGINE_ONEDNN || known.precision == GLIA_PRECISION_BF16;
    return predictor_new(network, &known, onednn ? ONEDNN_ROWS : ROWS, onednn ? 1 : (1 << WAYS) - 1,
                         out, error);
}

/* ---- Running -------------------------------------------------------------------------------- */

static size_t sample_bytes(const glia_network *network, glia_type type)
{
    return gi_network_inputs(network) * (type == GLIA_TYPE_U8 ? 1 : sizeof(float));
}

/* Zeros are skipped where most inputs of the first samples are. */
static int choose_way(const glia_network *network, glia_type type, const void *x, size_t n)
{
    const size_t judged = n < JUDGED_ROWS ? n : JUDGED_ROWS;
    const size_t all = judged * gi_network_inputs(network);
    size_t nonzero = 0;
    if (type == GLIA_TYPE_U8)
        for (size_t i = 0; i < all; i++) nonzero += ((const uint8_t *)x)[i] != 0;
    else
        for (size_t i = 0; i < all; i++) nonzero += ((const float *)x)[i] != 0;
    return (type == GLIA_TYPE_U8 ? BYTES : 0) |
           (gi_plan_skips_zeros((double)nonzero / (double)all) ? SPARSE : 0);
}

/* oneDNN's relu makes 0 of NaN: what is no number must still be seen in the outputs. */
static void spread_nan(const glia_predictor *p, size_t first, size_t rows)
{
    const size_t inputs = gi_network_inputs(p->network), classes = gi_network_classes(p->network);
    for (size_t r = first; r < first + rows; r++) {
        const float *x = (const float *)p->x + r * inputs;
        float sum = 0; /* of 0 * x: NaN as soon as one is infinite or NaN */
        for (size_t i = 0; i < inputs; i++) sum += 0 * x[i];
        for (size_t c = 0; sum != 0 && c < classes; c++)
            if (p->outputs)
                p->outputs[r * classes + c] = NAN;
            else
                p->outputs_f64[r * classes + c] = NAN;
    }
}

static void predict_slice(void *context, int thread, int n_threads)
{
    const glia_predictor *p = context;
    const glia_network *network = p->network;
    const gi_plan *plan = &p->plan[p->way];
    struct lane *own = &p->lanes[thread];
    gi_workspace *w = &own->workspace[p->way];
    const size_t classes = gi_network_classes(network), bytes = sample_bytes(network, p->type);
    size_t begin, end;
    gi_slice(p->n, 1, thread, n_threads, &begin, &end);
    for (size_t first = begin; first < end; first += p->rows) {
        const size_t rows = end - first < p->rows ? end - first : p->rows;
        for (size_t r = 0; r < rows; r++)
            gi_loader_load_row(p->loader[p->way], thread, p->type, p->x + (first + r) * bytes, w,
                               r);
        /* oneDNN takes whole batches: what stands in the rows that are left over is not looked at
         */
        const size_t through = w->dense && rows > 1 ? p->rows : rows;
        gi_network_forward(network, plan, w, 0, through, &own->scratch);
        if (p->outputs)
            gi_network_outputs(network, plan, w, rows, p->outputs + first * classes);
        else
            gi_network_outputs_f64(network, plan, w, rows, own->outputs,
                                   p->outputs_f64 + first * classes);
        if (w->dense && p->type == GLIA_TYPE_F32) spread_nan(p, first, rows);
    }
}

static glia_status check_type(const glia_network *network, glia_type type, glia_error *error)
{
    if (type == GLIA_TYPE_U8 || type == GLIA_TYPE_F32)
        return gi_network_check_images(network, type, "samples", error);
    return gi_fail(error, GLIA_BAD_ARGUMENT,
                   "type: found %d, expected GLIA_TYPE_U8 or GLIA_TYPE_F32", (int)type);
}

/* The form of what the caller gives: x (n, n_inputs), and room for (n, n_outputs). */
static glia_status check_call(const glia_network *network, glia_type type, size_t n_inputs,
                              size_t n_outputs, glia_error *error)
{
    glia_status status = check_type(network, type, error);
    if (!status) status = gi_check_length("inputs", n_inputs, gi_network_inputs(network), error);
    if (!status) status = gi_check_length("outputs", n_outputs, gi_network_classes(network), error);
    return status;
}

/* Into outputs or, where that is NULL, outputs_f64. */
static glia_status run(glia_predictor *p, glia_type type, const void *x, size_t n, float *outputs,
                       double *outputs_f64, glia_error *error)
{
    if (n == 0) return GLIA_OK;
    p->type = type;
    p->x = x;
    p->n = n;
    p->outputs = outputs;
    p->outputs_f64 = outputs_f64;
    p->way = p->plan[0].onednn ? 0 : choose_way(p->network, type, x, n);
    p->shared = n > 1 && gi_plan_is_worth_sharing((double)n * p->work[p->way]);
    if (p->shared)
        gi_pool_run(p->pool, predict_slice, p);
    else
        predict_slice(p, 0, 1);
    for (int t = 0; t < gi_pool_threads(p->pool); t++) {
        const glia_status failed = gi_dense_check(p->lanes[t].dense, error);
        if (failed) return failed;
    }
    return GLIA_OK;
}

glia_status glia_predictor_run(glia_predictor *p, glia_type type, const void *x, size_t n,
                               size_t n_inputs, float *outputs, size_t n_outputs, glia_error *error)
{
    const glia_status status = check_call(p->network, type, n_inputs, n_outputs, error);
    return status ? status : run(p, type, x, n, outputs, NULL, error);
}

glia_status glia_predictor_run_f64(glia_predictor *p, glia_type type, const void *x, size_t n,
                                   size_t n_inputs, double *outputs, size_t n_outputs,
                                   glia_error *error)
{
    const glia_status status = check_call(p->network, type, n_inputs, n_outputs, error);
    return status ? status : run(p, type, x, n, NULL, outputs, error);
}

void glia_predictor_describe_sized(const glia_predictor *p, glia_predictor_info *out, size_t size)
{
    const gi_plan *plan = &p->plan[p->way];
    const glia_predictor_info info = {
        .engine = plan->name,
        .isa = plan->engine->isa,
        .precision = plan->precision,
        .threads = p->shared ? gi_pool_threads(p->pool) : 1,
    };
    gi_copy_known(out, size, &info, sizeof info);
}

/* By a predictor for this call alone. */
static glia_status predict(const glia_network *network, glia_type type, const void *x, size_t n,
                           float *outputs, double *outputs_f64, glia_error *error)
{
    if (n == 0) return GLIA_OK;
    const glia_predictor_params params = {.threads = 1};
    const unsigned ways = 1U << choose_way(network, type, x, n);
    glia_predictor *p;
    glia_status status = predictor_new(network, &params, n < ROWS ? n : ROWS, ways, &p, error);
    if (status) return status;
    status = run(p, type, x, n, outputs, outputs_f64, error);
    glia_predictor_free(p);
    return status;
}

glia_status glia_predict(const glia_network *network, glia_type type, const void *x, size_t n,
                         size_t n_inputs, float *outputs, size_t n_outputs, glia_error *error)
{
    const glia_status status = check_call(network, type, n_inputs, n_outputs, error);
    return status ? status : predict(network, type, x, n, outputs, NULL, error);
}

glia_status glia_predict_f64(const glia_network *network, glia_type type, const void *x, size_t n,
                             size_t n_inputs, double *outputs, size_t n_outputs, glia_error *error)
{
    const glia_status status = check_call(network, type, n_inputs, n_outputs, error);
    return status ? status : predict(network, type, x, n, NULL, outputs, error);
}

glia_status glia_network_activations(const glia_network *network, size_t layer, glia_type type,
                                     const void *x, size_t n, size_t n_inputs, float *out,
                                     size_t n_units, glia_error *error)
{
    glia_status status = check_type(network, type, error);
    if (status) return status;
    if (layer >= network->n_layers)
        return gi_fail(error, GLIA_BAD_ARGUMENT, "layer: found %zu, the network has %zu", layer,
                       network->n_layers);
    status = gi_check_length("inputs", n_inputs, gi_network_inputs(network), error);
    if (!status) status = gi_check_length("units", n_units, network->layers[layer].n_out, error);
    if (status || n == 0) return status;
    const size_t most = n < ROWS ? n : ROWS, units = network->layers[layer].n_out;
    const size_t bytes = sample_bytes(network, type);
    const double density = choose_way(network, type, x, n) & SPARSE ? sparse_density : 1;
    gi_plan plan;
    gi_workspace w = {0};
    gi_scratch scratch = {0};
    gi_loader *loader = NULL;
    const gi_loader_params loading = {.network = network, .plan = &plan, .n_threads = 1};
    status = gi_plan_inference(network, type, density, 0, most, &plan, error);
    if (!status) status = gi_workspace_new(network, &plan, most, false, &w, error);
    if (!status) status = gi_scratch_new(network, 0, &scratch, error);
    if (!status) status = gi_loader_new(&loading, &loader, error);
    for (size_t first = 0; first < n && !status; first += most) {
        const size_t rows = n - first < most ? n - first : most;
        for (size_t r = 0; r < rows; r++)
            gi_loader_load_row(loader, 0, type, (const char *)x + (first + r) * bytes, &w, r);
        gi_network_forward(network, &plan, &w, 0, rows, &scratch);
        const char *from = w.activation[layer];
        if (layer + 1 == network->n_layers)
            gi_network_outputs(network, &plan, &w, rows, out + first * units);
        else
            for (size_t r = 0; r < rows; r++)
                memcpy(out + (first + r) * units, from + r * w.row_bytes[layer + 1],
                       units * sizeof *out);
    }
    gi_loader_free(loader);
    gi_scratch_free(&scratch);
    gi_workspace_free(&w);
    return status;
}
