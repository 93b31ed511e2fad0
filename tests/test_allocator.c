/* SPDX-License-Identifier: MIT */
/* A program's own allocator: every block comes from it, aligned, and goes back to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>
#include <stdlib.h>

#include "assert_error.h"
#include "glia.h"

typedef struct heap {
    atomic_long live, taken;
    atomic_bool is_empty, misasked;
} heap;

static heap own;

static void *allocate(void *user, size_t alignment, size_t size)
{
    heap *h = user;
    if (alignment != 64 || size == 0 || size % alignment) atomic_store(&h->misasked, true);
    if (atomic_load(&h->is_empty)) return NULL;
    void *block = aligned_alloc(alignment, size);
    if (block) atomic_fetch_add(&h->live, 1);
    if (block) atomic_fetch_add(&h->taken, 1);
    return block;
}

static void release(void *user, void *block)
{
    heap *h = user;
    atomic_fetch_sub(&h->live, 1);
    free(block);
}

/* Before the first block; what comes after is refused. */
static void test_set(void **state)
{
    (void)state;
    glia_error error = {0};
    assert_error("half", glia_set_allocator(allocate, NULL, NULL, &error), GLIA_BAD_ARGUMENT,
                 &error, "release is NULL", NULL);
    assert_error("half", glia_set_allocator(NULL, release, NULL, &error), GLIA_BAD_ARGUMENT, &error,
                 "allocate is NULL", NULL);
    assert_int_equal(glia_set_allocator(allocate, release, &own, &error), GLIA_OK);
}

/* Training, predicting, saving and loading, on two threads: nothing is left, nothing is elsewhere.
 */
static void test_use(void **state)
{
    (void)state;
    enum { N = 64, FEATURES = 3 };
    float x[N * FEATURES], y[N][2];
    uint32_t labels[N];
    for (size_t i = 0; i < N; i++) {
        labels[i] = i % 2;
        for (size_t j = 0; j < FEATURES; j++) x[i * FEATURES + j] = (float)((i * 7 + j) % 5);
    }
    glia_error error = {0};
    glia_settings *settings;
    glia_dataset *dataset, *rest, *held;
    glia_network *network, *loaded;
    void *bytes;
    size_t size;
    assert_int_equal(glia_settings_create(&settings, &error), GLIA_OK);
    assert_int_equal(glia_settings_parse(settings, "hidden=200 epochs=1 threads=2", &error), 0);
    assert_int_equal(
        glia_dataset_from_arrays(GLIA_TYPE_F32, x, labels, N, FEATURES, 2, &dataset, &error),
        GLIA_OK);
    assert_int_equal(glia_dataset_hold_out(dataset, 0.25, 1, &rest, &held, &error), GLIA_OK);
    assert_int_equal(glia_network_create(FEATURES, 2, settings, &network, &error), GLIA_OK);
    if (glia_train(network, rest, held, settings, NULL, &error)) fail_msg("%s", error.message);
    assert_int_equal(glia_network_save_memory(network, &bytes, &size, &error), GLIA_OK);
    assert_int_equal(glia_network_load_memory(bytes, size, &loaded, &error), GLIA_OK);
    assert_int_equal(glia_predict(loaded, GLIA_TYPE_F32, x, N, FEATURES, y[0], 2, &error), GLIA_OK);
    assert_true(atomic_load(&own.taken) > 20);
    assert_true(atomic_load(&own.live) > 5);
    glia_bytes_free(bytes);
    glia_network_free(loaded);
    glia_network_free(network);
    glia_dataset_free(held);
    glia_dataset_free(rest);
    glia_dataset_free(dataset);
    glia_settings_free(settings);
    assert_int_equal(atomic_load(&own.live), 0);
    assert_false(atomic_load(&own.misasked));
}

/* An allocator that has no more is a failure like any other; another one comes too late. */
static void test_empty(void **state)
{
    (void)state;
    glia_error error = {0};
    glia_settings *settings = NULL;
    atomic_store(&own.is_empty, true);
    assert_error("empty", glia_settings_create(&settings, &error), GLIA_NO_MEMORY, &error,
                 "out of memory", NULL);
    atomic_store(&own.is_empty, false);
    assert_error("late", glia_set_allocator(NULL, NULL, NULL, &error), GLIA_BAD_ARGUMENT, &error,
                 "taken memory already", NULL);
}

int main(void)
{
    const struct CMUnitTest tests_of_allocator[] = {
        cmocka_unit_test(test_set), /* first */
        cmocka_unit_test(test_use),
        cmocka_unit_test(test_empty),
    };
    return cmocka_run_group_tests(tests_of_allocator, NULL, NULL);
}
