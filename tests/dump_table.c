/* SPDX-License-Identifier: MIT */
/*
 * usage: dump_table MODEL TABLE
 *
 * Prints for each row of a table a line: the features that a model reads it as, a bar, and what
 * glia_predict_f64 makes of them. For test_tables.py, which compares both with the program's
 * answers and with arithmetic of its own.
 */
#include <stdio.h>
#include <stdlib.h>

#include "glia.h"
#include "whole.h"

int main(int argc, char **argv)
{
    glia_error error = {0};
    glia_network *network = NULL;
    glia_dataset *dataset = NULL;
    float *x = NULL;
    double *outputs = NULL;
    int exit_status = 1;
    if (argc != 3) {
        fprintf(stderr, "usage: dump_table MODEL TABLE\n");
        return 2;
    }
    if (glia_network_load(argv[1], &network, &error) ||
        glia_dataset_open_for(network, argv[2], GLIA_SPLIT_TEST, NULL, &dataset, &error))
        goto cleanup;
    const glia_network_info model = glia_network_describe(network);
    const glia_dataset_info set = glia_dataset_describe(dataset);
    x = malloc(set.samples * set.features * sizeof *x);
    outputs = malloc(set.samples * model.classes * sizeof *outputs);
    if (!x || !outputs) {
        fprintf(stderr, "out of memory\n");
        goto cleanup;
    }
    for (size_t i = 0; i < set.samples; i++)
        if (whole_sample(dataset, i, x + i * set.features, NULL, &error)) goto cleanup;
    if (whole_predict_f64(network, GLIA_TYPE_F32, x, set.samples, outputs, &error)) goto cleanup;
    for (size_t i = 0; i < set.samples; i++) {
        for (size_t j = 0; j < set.features; j++) printf("%.9g ", (double)x[i * set.features + j]);
        printf("|");
        for (size_t k = 0; k < model.classes; k++)
            printf(" %.*g", model.task == GLIA_TASK_VALUES ? 17 : 9,
                   outputs[i * model.classes + k]);
        printf("\n");
    }
    exit_status = 0;

cleanup:
    if (error.status != GLIA_OK) fprintf(stderr, "%s\n", error.message);
    free(x);
    free(outputs);
    glia_dataset_free(dataset);
    glia_network_free(network);
    return exit_status;
}
