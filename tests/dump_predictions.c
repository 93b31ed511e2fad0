/* SPDX-License-Identifier: MIT */
/*
 * usage: dump_predictions MODEL DATASET PROBABILITIES PIXELS [COPY]
 *
 * Writes the probabilities (samples, classes) in f32 that a model gives to the test images of a
 * data set, and the images themselves (samples, inputs) in u8, both raw, in this machine's order of
 * bytes; with COPY, saves the model again. For interop.py, which computes the same from the files.
 */
#include <stdio.h>
#include <stdlib.h>

#include "glia.h"
#include "whole.h"

static int fail(const char *message)
{
    fprintf(stderr, "dump_predictions: %s\n", message);
    return 1;
}

static bool write_file(const char *path, const void *data, size_t size, size_t n)
{
    FILE *file = fopen(path, "wb");
    if (!file) return false;
    const bool written = fwrite(data, size, n, file) == n;
    return fclose(file) == 0 && written;
}

int main(int argc, char **argv)
{
    if (argc < 5 || argc > 6)
        return fail("usage: dump_predictions MODEL DATASET PROBABILITIES PIXELS [COPY]");
    glia_error error = {0};
    glia_network *network = NULL;
    glia_dataset *dataset = NULL;
    glia_data_params params = glia_data_default_params();
    params.offline = true;
    uint8_t *pixels = NULL;
    float *probabilities = NULL;
    int exit_status = 1;

    if (glia_network_load(argv[1], &network, &error) ||
        glia_dataset_open(argv[2], GLIA_SPLIT_TEST, &params, &dataset, &error)) {
        fail(error.message);
        goto cleanup;
    }
    const glia_network_info model = glia_network_describe(network);
    const glia_dataset_info set = glia_dataset_describe(dataset);
    if (set.type != GLIA_TYPE_U8 || set.features != model.inputs) {
        fail("the data set is not of bytes, or not as wide as the network");
        goto cleanup;
    }
    pixels = malloc(set.samples * set.features);
    probabilities = malloc(set.samples * model.classes * sizeof *probabilities);
    if (!pixels || !probabilities) {
        fail("out of memory");
        goto cleanup;
    }
    for (size_t i = 0; i < set.samples; i++)
        if (whole_sample(dataset, i, pixels + i * set.features, NULL, &error)) {
            fail(error.message);
            goto cleanup;
        }
    if (whole_predict(network, GLIA_TYPE_U8, pixels, set.samples, probabilities, &error) ||
        (argc == 6 && glia_network_save(network, argv[5], &error))) {
        fail(error.message);
        goto cleanup;
    }
    if (write_file(argv[3], probabilities, sizeof *probabilities, set.samples * model.classes) &&
        write_file(argv[4], pixels, 1, set.samples * set.features))
        exit_status = 0;
    else
        fail("cannot write the predictions or the pixels");

cleanup:
    free(pixels);
    free(probabilities);
    glia_dataset_free(dataset);
    glia_network_free(network);
    return exit_status;
}
