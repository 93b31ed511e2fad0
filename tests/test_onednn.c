/* SPDX-License-Identifier: MIT */
/*
 * The layers of oneDNN against the reference engine: forward, backward_data, update and the packing
 * of weights, in f32 and bf16, for odd and even shapes, one thread and several, both ways of
 * sharing the work out. Sums of products of small integers are exact, so these must be equal bit
 * for bit.
 */
#include "numeric.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/thread.h"
#include "compute/bf16.h"
#include "compute/onednn.h"
#include "compute/pack.h"
#include "slow.h"

static const gi_engine *reference;
static const gi_pack *pack;

typedef struct test_case {
    size_t n_in, n_out, m, last_m; /* last_m: of a second, smaller batch */
    int n_threads;
    bool by_columns, is_last, is_exact;
    glia_precision precision;
    glia_activation activation, f; /* of the layer, and of the one below */
} test_case;

enum { GUARD = 64, SENTINEL = 0x4d }; /* elements behind a matrix, and what is in their bytes */

/* Rows of a matrix in f32 or bf16, padded, with a guard behind. */
typedef struct matrix {
    size_t rows, columns;
    size_t stride, ld; /* of the reference's rows, and of oneDNN's */
    bool is_bf16;
    float *f32;     /* what the reference reads and writes */
    void *elements; /* what oneDNN does */
} matrix;

static size_t matrix_bytes(const matrix *a)
{
    return a->rows * a->ld * (a->is_bf16 ? 2 : 4);
}

static matrix make_matrix(const test_case *t, size_t columns, bool is_logits)
{
    matrix a = {.rows = t->m, .columns = columns, .stride = gi_stride(columns)};
    a.ld = is_logits ? gi_stride(columns) : gi_padded(columns);
    a.is_bf16 = t->precision == GLIA_PRECISION_BF16 && !is_logits;
    a.f32 = gi_alloc(a.rows, a.stride * sizeof *a.f32, "a matrix", NULL);
    a.elements = gi_alloc(a.rows * a.ld + GUARD, sizeof *a.f32, "a matrix", NULL);
    assert_true(a.f32 && a.elements);
    memset((char *)a.elements + matrix_bytes(&a), SENTINEL, GUARD);
    return a;
}

static void free_matrix(matrix *a)
{
    gi_free(a->f32);
    gi_free(a->elements);
}

/* An integer in -range..range, or a real number of that size. */
static float draw(gi_rng *rng, bool is_exact, uint32_t range)
{
    return is_exact ? (float)gi_rng_below(rng, 2 * range + 1) - (float)range
                    : (float)range * (2 * gi_rng_uniform(rng) - 1);
}

/* Random elements; in bf16 those that it has, so that the reference reads the same. */
static void fill(matrix *a, gi_rng *rng, bool is_exact, uint32_t range)
{
    for (size_t r = 0; r < a->rows; r++)
        for (size_t c = 0; c < a->columns; c++) {
            float *x = a->f32 + r * a->stride + c;
            *x = draw(rng, is_exact, range);
            if (a->is_bf16) {
                uint16_t *half = (uint16_t *)a->elements + r * a->ld + c;
                pack->to_bf16(half, x, 1);
                *x = gi_of_bf16(*half);
            } else {
                ((float *)a->elements)[r * a->ld + c] = *x;
            }
        }
}

static float element_of(const matrix *a, size_t i)
{
    float x;
    if (a->is_bf16)
        x = gi_of_bf16(((const uint16_t *)a->elements)[i]);
    else
        x = ((const float *)a->elements)[i];
    return x;
}

static void assert_close(const test_case *t, const char *what, size_t at, float found,
                         float expected, double scale)
{
    const double tolerance = t->precision == GLIA_PRECISION_BF16 ? 2e-2 : 1e-5;
    const bool is_right = t->is_exact ? found == expected
                                      : fabs((double)found - (double)expected) <= tolerance * scale;
    if (!is_right)
        fail_msg("%s: %zu -> %zu, m %zu (%zu), %d threads by %s, %s, %s%s: element %zu is %.9g, "
                 "expected %.9g",
                 what, t->n_in, t->n_out, t->m, t->last_m, t->n_threads,
                 t->by_columns ? "columns" : "samples", glia_precision_name(t->precision),
                 glia_activation_name(t->activation), t->is_last ? " (last)" : "", at,
                 (double)found, (double)expected);
}

/* The first `rows` rows against the reference's; the others, pads and guard as they were: zero. */
static void assert_matrix(const test_case *t, const char *what, const matrix *a, size_t rows)
{
    double scale = 1e-2;
    for (size_t i = 0; i < rows * a->stride; i++) scale = fmax(scale, fabs((double)a->f32[i]));
    for (size_t i = 0; i < a->rows * a->ld; i++) {
        const size_t r = i / a->ld, c = i % a->ld;
        const bool is_used = r < rows && c < a->columns;
        float expected = is_used ? a->f32[r * a->stride + c] : 0;
        if (a->is_bf16 && t->is_exact) {
            uint16_t half;
            pack->to_bf16(&half, &expected, 1);
            expected = gi_of_bf16(half);
        }
        assert_close(t, what, i, element_of(a, i), expected, is_used ? scale : 0);
    }
    for (size_t i = 0; i < GUARD; i++)
        if (((const unsigned char *)a->elements)[matrix_bytes(a) + i] != SENTINEL)
            fail_msg("%s: byte %zu behind the matrix was written", what, i);
}

/* What the threads do together. */
typedef struct job {
    gi_pool *pool;
    gi_onednn *o;
    matrix *src, *dst, *diff_dst, *diff_src, *dst_after;
    size_t m;
    const test_case *t;
    const gi_row_update *update;
    bool refreshes;
} job;

static void work(void *context, int thread, int n_threads)
{
    (void)n_threads;
    const job *j = context;
    if (j->refreshes) gi_onednn_refresh(j->o, thread);
    gi_pool_barrier(j->pool);
    gi_onednn_forward(j->o, thread, j->src->elements, j->dst->elements, j->m);
    gi_pool_barrier(j->pool);
    gi_onednn_backward_data(j->o, thread, j->diff_dst->elements, j->t->f, j->src->elements,
                            j->diff_src->elements, j->m);
    gi_pool_barrier(j->pool);
    gi_onednn_update(j->o, thread, j->diff_dst->elements, j->m, j->update, 3);
    gi_pool_barrier(j->pool);
    gi_onednn_forward(j->o, thread, j->src->elements, j->dst_after->elements, j->m);
}

static void sgd(const gi_row_update *update, size_t layer, size_t row, size_t unit, void *weight,
                const void *gradient, size_t n)
{
    (void)row, (void)unit;
    assert_int_equal(layer, 3);
    assert_int_equal(n % GI_PAD, 0);
    float *w = weight;
    const float *g = gradient;
    for (size_t i = 0; i < n; i++) w[i] -= (float)update->rate * g[i];
}

static glia_network *network_of(const test_case *t)
{
    return make_network(reference, t->n_in, 1, &t->n_out, t->activation, 2);
}

/* A step on a batch of m <= t->m rows, by oneDNN on layer ours and by the reference on theirs. */
static void check_step(const test_case *t, gi_pool *pool, gi_onednn *o, const gi_layer *ours,
                       gi_layer *theirs, size_t m, bool refreshes, gi_rng *rng, gi_scratch *scratch)
{
    matrix src = make_matrix(t, t->n_in, false), diff_src = make_matrix(t, t->n_in, false);
    matrix dst = make_matrix(t, t->n_out, t->is_last);
    matrix dst_after = make_matrix(t, t->n_out, t->is_last);
    matrix diff_dst = make_matrix(t, t->n_out, t->is_last);
    fill(&src, rng, t->is_exact, 1);
    fill(&diff_dst, rng, t->is_exact, 1);

    const gi_row_update update = {.apply = sgd, .rate = t->is_exact ? 0.5 : 0.01};
    job j = {pool, o, &src, &dst, &diff_dst, &diff_src, &dst_after, m, t, &update, refreshes};
    gi_pool_run(pool, work, &j);
    glia_error error;
    if (gi_onednn_check(o, &error)) fail_msg("%s", error.message);

    const gi_part all = {0, t->n_in + 1, 0, theirs->ld};
    reference->forward(theirs, src.f32, dst.f32, m, 0, theirs->ld, scratch);
    reference->backward_data(theirs, diff_dst.f32, t->f, src.f32, diff_src.f32, m, 0,
                             gi_padded(t->n_in), scratch);
    reference->backward_weights(theirs, 3, src.f32, diff_dst.f32, m, &all, &update, scratch);
    reference->forward(theirs, src.f32, dst_after.f32, m, 0, theirs->ld, scratch);

    assert_matrix(t, "forward", &dst, m);
    assert_matrix(t, "backward_data", &diff_src, m);
    assert_matrix(t, "forward after the update", &dst_after, m);
    double scale = 0;
    for (size_t i = 0; i < t->n_in; i++)
        for (size_t u = 0; u < t->n_out; u++)
            scale =
                fmax(scale,
                     fabs((double)((const float *)theirs->weight)[gi_weight_offset(theirs, i, u)]));
    for (size_t i = 0; i < t->n_in; i++)
        for (size_t u = 0; u < t->n_out; u++) {
            const size_t at = gi_weight_offset(theirs, i, u);
            assert_close(t, "weights", i * t->n_out + u, ((const float *)ours->weight)[at],
                         ((const float *)theirs->weight)[at], scale);
        }
    for (size_t u = 0; u < t->n_out; u++)
        assert_close(t, "bias", u, ((const float *)ours->bias)[u], ((const float *)theirs->bias)[u],
                     fmax(1, scale));
    free_matrix(&src);
    free_matrix(&diff_src);
    free_matrix(&dst);
    free_matrix(&dst_after);
    free_matrix(&diff_dst);
}

static void check(const test_case *t, gi_pool *pool)
{
    glia_network *a = network_of(t), *b = network_of(t);
    gi_layer ours = a->layers[0], theirs = b->layers[0];
    gi_scratch scratch;
    assert_int_equal(gi_scratch_new(b, t->m, &scratch, NULL), GLIA_OK);
    if (t->is_last) ours.activation = theirs.activation = GLIA_ACTIVATION_SOFTMAX;
    gi_rng rng = gi_rng_make(t->n_in * 31 + t->n_out, GI_RANDOM_INIT, (uint32_t)t->m, 7);
    for (size_t u = 0; u < t->n_out; u++) {
        ((float *)ours.bias)[u] = ((float *)theirs.bias)[u] = draw(&rng, t->is_exact, 3);
        for (size_t i = 0; i < t->n_in; i++) {
            const size_t at = gi_weight_offset(&ours, i, u);
            const float w = draw(&rng, t->is_exact, 1) * (t->is_exact ? 3 : 0.1F);
            ((float *)ours.weight)[at] = ((float *)theirs.weight)[at] = w;
        }
    }
    const gi_onednn_params params = {
        .layer = &ours,
        .precision = t->precision,
        .n_threads = t->n_threads,
        .by_columns = t->by_columns,
        .m = {t->m, t->last_m},
        .for_training = true,
        .needs_backward_data = true,
        .is_last = t->is_last,
    };
    gi_onednn *o = NULL;
    glia_error error;
    if (gi_onednn_new(&params, &o, &error)) fail_msg("%s", error.message);
    check_step(t, pool, o, &ours, &theirs, t->m, true, &rng, &scratch);
    if (t->last_m) check_step(t, pool, o, &ours, &theirs, t->last_m, false, &rng, &scratch);
    gi_onednn_free(o);
    gi_scratch_free(&scratch);
    glia_network_free(a);
    glia_network_free(b);
}

static const glia_activation activations[] = {GLIA_ACTIVATION_IDENTITY, GLIA_ACTIVATION_RELU,
                                              GLIA_ACTIVATION_SIGMOID, GLIA_ACTIVATION_TANH};
enum { N_ACTIVATIONS = 4 };

/* Every shape, exact and not, with activations in turn; then every activation. */
static void check_precision(glia_precision precision, int least_threads, int most_threads)
{
    static const size_t inputs[] = {1, 7, 17, 784}, units[] = {1, 10, 16, 33, 256};
    static const size_t batches[] = {1, 2, 5, 64};
    size_t turn = 0;
    for (int n_threads = least_threads; n_threads <= most_threads; n_threads++) {
        gi_pool *pool;
        assert_int_equal(gi_pool_create(n_threads, &pool, NULL), GLIA_OK);
        for (size_t i = 0; i < 4; i++)
            for (size_t u = 0; u < 5; u++)
                for (size_t b = 0; b < 4; b++)
                    for (int way = 0; way < 4; way++, turn++) {
                        const bool is_exact = way / 2;
                        test_case t = {
                            .n_in = inputs[i],
                            .n_out = units[u],
                            .m = batches[b],
                            .last_m = batches[b] / 2,
                            .n_threads = n_threads,
                            .by_columns = way % 2,
                            .is_last = turn / 4 % 3 == 0,
                            .is_exact = is_exact,
                            .precision = precision,
                            .activation = activations[turn / 8 % (is_exact ? 2 : N_ACTIVATIONS)],
                            .f = activations[turn / 4 % (is_exact ? 2 : N_ACTIVATIONS)],
                        };
                        check(&t, pool);
                    }
        for (size_t i = 0; i < 2 * N_ACTIVATIONS; i++) {
            const glia_activation f = activations[i / 2];
            const test_case t = {33, 80, 6, 3, n_threads, i % 2, 0, false, precision, f, f};
            check(&t, pool);
        }
        gi_pool_free(pool);
    }
}

/* More than one panel, tile and part in each direction. */
static void check_large(glia_precision precision, int least_threads, int most_threads)
{
    for (int n_threads = least_threads; n_threads <= most_threads; n_threads++) {
        gi_pool *pool;
        assert_int_equal(gi_pool_create(n_threads, &pool, NULL), GLIA_OK);
        for (int way = 0; way < 4; way++) {
            const test_case t = {1100,
                                 330,
                                 600,
                                 259,
                                 n_threads,
                                 way % 2,
                                 way / 2 == 0,
                                 true,
                                 precision,
                                 GLIA_ACTIVATION_RELU,
                                 GLIA_ACTIVATION_RELU};
            test_case small = t; /* sums that bf16 holds */
            small.m = 300, small.last_m = 257;
            check(precision == GLIA_PRECISION_BF16 ? &small : &t, pool);
        }
        gi_pool_free(pool);
    }
}

static void f32_equals_the_reference(void **state)
{
    (void)state;
    check_precision(GLIA_PRECISION_F32, 2, 2);
}

static void large_f32_equals_the_reference(void **state)
{
    (void)state;
    check_large(GLIA_PRECISION_F32, 2, 2);
}

/* oneDNN's own runtime would take every core that OpenMP sees, beside the threads that call it. */
static void no_other_threads_are_started(void **state)
{
    (void)state;
    gi_pool *pool;
    assert_int_equal(gi_pool_create(2, &pool, NULL), GLIA_OK);
    const test_case t = {300,
                         300,
                         256,
                         0,
                         2,
                         true,
                         false,
                         true,
                         GLIA_PRECISION_F32,
                         GLIA_ACTIVATION_RELU,
                         GLIA_ACTIVATION_RELU};
    check(&t, pool);
    DIR *tasks = opendir("/proc/self/task");
    if (!tasks) skip();
    int n = 0;
    for (const struct dirent *entry; (entry = readdir(tasks));) n += entry->d_name[0] != '.';
    closedir(tasks);
    gi_pool_free(pool);
    assert_int_equal(n, 2);
}

static bool skips_bf16(void)
{
    if (gi_onednn_has_bf16()) return false;
    print_message("# bf16: this CPU lacks it\n");
    return true;
}

static void bf16_equals_the_reference(void **state)
{
    (void)state;
    if (skips_bf16()) skip();
    check_precision(GLIA_PRECISION_BF16, 2, 2);
}

static void large_bf16_equals_the_reference(void **state)
{
    (void)state;
    if (skips_bf16()) skip();
    check_large(GLIA_PRECISION_BF16, 2, 2);
}

/* The same with one thread, two and three. */
static void f32_equals_the_reference_with_any_threads(void **state)
{
    (void)state;
    check_precision(GLIA_PRECISION_F32, 1, 3);
    check_large(GLIA_PRECISION_F32, 1, 3);
}

static void bf16_equals_the_reference_with_any_threads(void **state)
{
    (void)state;
    if (skips_bf16()) skip();
    check_precision(GLIA_PRECISION_BF16, 1, 3);
    check_large(GLIA_PRECISION_BF16, 1, 3);
}

static void bf16_is_refused_where_the_cpu_lacks_it(void **state)
{
    (void)state;
    if (gi_onednn_has_bf16()) skip();
    glia_network *network = make_network(reference, 4, 0, NULL, GLIA_ACTIVATION_RELU, 2);
    const gi_onednn_params params = {
        .layer = &network->layers[0],
        .precision = GLIA_PRECISION_BF16,
        .n_threads = 1,
        .m = {4, 0},
    };
    gi_onednn *o = NULL;
    glia_error error;
    assert_int_equal(gi_onednn_new(&params, &o, &error), GLIA_UNSUPPORTED);
    assert_non_null(strstr(error.message, "bf16"));
    glia_network_free(network);
}

static int find_engine(void **state)
{
    (void)state;
    reference = gi_engine_reference(sizeof(float), NULL);
    pack = gi_pack_for(NULL);
    return reference && pack ? 0 : -1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest slow[] = {
        cmocka_unit_test(f32_equals_the_reference_with_any_threads),
        cmocka_unit_test(bf16_equals_the_reference_with_any_threads),
    };
    if (slow_cases(argc, argv))
        return cmocka_run_group_tests_name("onednn", slow, find_engine, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_other_threads_are_started),
        cmocka_unit_test(f32_equals_the_reference),
        cmocka_unit_test(large_f32_equals_the_reference),
        cmocka_unit_test(bf16_equals_the_reference),
        cmocka_unit_test(large_bf16_equals_the_reference),
        cmocka_unit_test(bf16_is_refused_where_the_cpu_lacks_it),
    };
    return cmocka_run_group_tests_name("onednn", tests, find_engine, NULL);
}
