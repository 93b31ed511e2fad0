/* SPDX-License-Identifier: MIT */
/*
 * Each allocation fails once, and each thread's start: read a data set, train, save, load, predict
 * and evaluate end with a clean error and nothing left behind. Linked with --wrap for the
 * allocators and pthread_create; jansson is given the same ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <libdeflate.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "glia.h"
#include "json_memory.h"
#include "shape.h"
#include "whole.h"

/* ---- Allocators that fail when told --------------------------------------------------------- */

void *__real_aligned_alloc(size_t alignment, size_t size);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument);

/* Counts down; what comes when it is at 0 fails. Below 0 nothing does. Only the main thread. */
static long until_failure = -1;

static bool fails(void)
{
    if (until_failure < 0) return false;
    return until_failure-- == 0;
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : __real_aligned_alloc(alignment, size);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument)
{
    return fails() ? 11 /* EAGAIN */ : __real_pthread_create(thread, attributes, start, argument);
}

static bool json_allocation_fails(void)
{
    return fails();
}

/* ---- A small data set on disk --------------------------------------------------------------- */

enum { IMAGES = 40, SIDE = 4 };

static char folder[] = "/tmp/glia-oom-XXXXXX";

static void write_idx(const char *name, bool compressed, const uint8_t *header, size_t n_header,
                      const uint8_t *data, size_t n)
{
    char path[256];
    uint8_t plain[16 + IMAGES * SIDE * SIDE], packed[2 * sizeof plain];
    size_t n_packed = 0;
    assert_true(n_header + n <= sizeof plain);
    memcpy(plain, header, n_header);
    memcpy(plain + n_header, data, n);
    if (compressed) {
        struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(6);
        assert_non_null(compressor);
        n_packed = libdeflate_gzip_compress(compressor, plain, n_header + n, packed, sizeof packed);
        libdeflate_free_compressor(compressor);
        assert_true(n_packed > 0);
    }
    snprintf(path, sizeof path, "%s/%s%s", folder, name, compressed ? ".gz" : "");
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    if (compressed)
        assert_int_equal(fwrite(packed, 1, n_packed, file), n_packed);
    else
        assert_int_equal(fwrite(plain, 1, n_header + n, file), n_header + n);
    assert_int_equal(fclose(file), 0);
}

static int make_folder(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    static uint8_t pixels[IMAGES * SIDE * SIDE], labels[IMAGES];
    for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(i * 37 % 256);
    for (size_t i = 0; i < sizeof labels; i++) labels[i] = (uint8_t)(i % 3);
    const uint8_t images_header[] = {0, 0, 8, 3, 0, 0, 0, IMAGES, 0, 0, 0, SIDE, 0, 0, 0, SIDE};
    const uint8_t labels_header[] = {0, 0, 8, 1, 0, 0, 0, IMAGES};
    write_idx("train-images-idx3-ubyte", true, images_header, 16, pixels, sizeof pixels);
    write_idx("train-labels-idx1-ubyte", false, labels_header, 8, labels, sizeof labels);
    json_set_alloc_funcs(json_malloc, json_free);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[300];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command);
}

static void ignore(void *user, const glia_diagnosis *diagnosis)
{
    (void)user;
    (void)diagnosis;
}

/* ---- The whole life of a model -------------------------------------------------------------- */

/* One prediction by a predictor of two threads. */
static glia_status predict(const glia_network *network, glia_engine engine, const uint8_t *pixels,
                           float *probabilities, glia_error *error)
{
    const glia_predictor_params params = {.threads = 2, .engine = engine};
    glia_predictor *predictor = NULL;
    glia_status status = glia_predictor_create(network, &params, &predictor, error);
    if (!status)
        status = glia_predictor_run(predictor, GLIA_TYPE_U8, pixels, 1,
                                    glia_network_describe(network).inputs, probabilities,
                                    glia_network_describe(network).classes, error);
    glia_predictor_free(predictor);
    return status;
}

/* A training and a prediction by oneDNN, if this build has it; what it allocates itself is its own.
 */
static glia_status onednn_life(glia_network *network, const glia_dataset *data,
                               const uint8_t *pixels, float *probabilities, glia_error *error)
{
    if (!strstr(glia_build_features(), "onednn")) return GLIA_OK;
    glia_settings train = gi_settings_defaults();
    train.epochs = 1;
    train.threads = 2;
    train.engine = GLIA_ENGINE_ONEDNN;
    glia_status status = glia_train(network, data, NULL, &train, NULL, error);
    if (!status) status = predict(network, GLIA_ENGINE_ONEDNN, pixels, probabilities, error);
    return status;
}

static glia_status whole_life(const char *model, glia_error *error)
{
    glia_dataset *all = NULL, *rest = NULL, *held = NULL;
    glia_network *network = NULL, *loaded = NULL;
    glia_data_params data = glia_data_default_params();
    data.offline = true;
    uint8_t pixels[SIDE * SIDE] = {0}, fitted[SIDE * SIDE];
    pixels[5] = 200;
    const glia_image dot = {.width = 2, .height = 8, .pixels = pixels};
    bool changed;
    float probabilities[IMAGES * 3];
    char *metadata = NULL;

    glia_status status = glia_dataset_open(folder, GLIA_SPLIT_TRAIN, &data, &all, error);
    if (!status) status = glia_dataset_hold_out(all, 0.25, 1, &rest, &held, error);
    const size_t hidden[2] = {8, 5};
    shape p = shape_of(SIDE * SIDE, 3);
    p.hidden = hidden;
    p.n_hidden = 2;
    p.preprocess = GLIA_PREPROCESS_DESKEW | GLIA_PREPROCESS_CENTRE;
    p.batch_norm = true;
    if (!status) status = shape_network(&p, &network, error);
    glia_settings train = gi_settings_defaults();
    train.epochs = 2;
    train.threads = 2;
    train.patience = 1;
    train.diagnosis = ignore;
    train.class_weights = (gi_class_weights){.n = 3, .of = (double[]){1, 2, 1}};
    train.augment = true;
    if (!status) status = glia_train(network, rest, held, &train, NULL, error);
    if (!status) status = glia_network_save(network, model, error);
    if (!status) status = glia_network_load(model, &loaded, error);
    if (!status) status = glia_network_metadata(loaded, &metadata, error);
    if (!status) status = whole_predict(loaded, GLIA_TYPE_U8, pixels, 1, probabilities, error);
    if (!status) status = predict(loaded, GLIA_ENGINE_AUTO, pixels, probabilities, error);
    if (!status) status = onednn_life(loaded, rest, pixels, probabilities, error);
    glia_metrics metrics;
    if (!status) status = whole_evaluate(loaded, all, 2, &metrics, NULL, error);
    if (!status) status = whole_fit_image(loaded, &dot, fitted, &changed, error);

    glia_string_free(metadata);
    glia_network_free(loaded);
    glia_network_free(network);
    glia_dataset_free(held);
    glia_dataset_free(rest);
    glia_dataset_free(all);
    return status;
}

static size_t file_size(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) return 0;
    fseek(file, 0, SEEK_END);
    const long size = ftell(file);
    fclose(file);
    return (size_t)size;
}

static void test_each_allocation_fails_once(void **state)
{
    (void)state;
    char model[256];
    snprintf(model, sizeof model, "%s/model.safetensors", folder);
    glia_error error = {0};
    if (whole_life(model, &error)) fail_msg("%s", error.message);
    const size_t whole = file_size(model);
    assert_true(whole > 500);
    assert_int_equal(json_blocks, 0);

    long n = 0;
    for (;; n++) {
        error = (glia_error){0};
        until_failure = n;
        json_failed = false;
        const glia_status status = whole_life(model, &error);
        const bool came_to_failure = until_failure < 0;
        until_failure = -1;
        assert_int_equal(json_blocks, 0);
        assert_int_equal(file_size(model), whole); /* the old model or the new one, whole */
        if (!came_to_failure) {
            assert_int_equal(status, GLIA_OK);
            break;
        }
        const bool expected =
            status == GLIA_NO_MEMORY || (json_failed && status == GLIA_BAD_FORMAT);
        if (!expected || error.status != status || !error.message[0])
            fail_msg("allocation %ld: %s: \"%s\"", n, glia_status_name(status), error.message);
    }
    assert_true(n > 100); /* it did meet them */
    print_message("# %ld allocations failed\n", n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_allocation_fails_once)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
