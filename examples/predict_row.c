/* SPDX-License-Identifier: MIT */
/*
 * Learns prices from a table, and predicts a row that the program has in its own variables.
 *
 *     cc predict_row.c $(pkg-config --cflags --libs glia) && ./a.out
 */
#include <glia.h>
#include <stdio.h>
#include <stdlib.h>

/* A table of homes, in which a square metre costs 2000, and 3000 in Ulm. */
static int write_homes(const char *path)
{
    FILE *file = fopen(path, "w");
    if (!file) return -1;
    fprintf(file, "size,town,price\n");
    for (int i = 0; i < 400; i++) {
        const int size = 40 + i * 37 % 160;
        fprintf(file, "%d,%s,%d\n", size, i % 2 ? "Ulm" : "Bonn", size * (i % 2 ? 3000 : 2000));
    }
    return fclose(file);
}

int main(void)
{
    glia_error error = {0};
    glia_dataset *homes = NULL;
    glia_network *network = NULL;
    glia_settings *how = NULL;
    float *x = NULL;
    size_t n = 0;
    double price[1];
    if (write_homes("homes.csv")) return EXIT_FAILURE;
    glia_status status = glia_dataset_open("homes.csv", GLIA_SPLIT_TRAIN, NULL, &homes, &error);
    if (!status) status = glia_settings_create(&how, &error);
    if (!status)
        status = glia_settings_parse(how, "loss=mse hidden=16 optimizer=adam lr=0.01 epochs=100",
                                     &error);
    if (!status)
        status =
            glia_network_create(glia_dataset_describe(homes).features, 1, how, &network, &error);
    if (!status) status = glia_train(network, homes, NULL, how, NULL, &error);

    /* Columns in any order, texts and numbers as they come. */
    const glia_cell row[] = {{.column = "town", .text = "Ulm"}, {.column = "size", .number = 100}};
    if (!status) {
        n = glia_network_describe(network).inputs;
        x = malloc(n * sizeof *x);
        status = x ? glia_network_encode(network, row, 2, x, n, &error) : GLIA_NO_MEMORY;
    }
    if (!status) status = glia_predict_f64(network, GLIA_TYPE_F32, x, 1, n, price, 1, &error);
    if (status)
        fprintf(stderr, "%s\n", error.message);
    else
        printf("100 square metres in Ulm: %.0f thousand\n", price[0] / 1000);
    free(x);
    glia_settings_free(how);
    glia_network_free(network);
    glia_dataset_free(homes);
    return status ? EXIT_FAILURE : EXIT_SUCCESS;
}
