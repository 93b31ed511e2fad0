/* SPDX-License-Identifier: MIT */
/*
 * FANN on glia's task, for compare.py: the per-sample step of 784-UNITS-10, sigmoid (FANN has no
 * relu), squared error, on the first SAMPLES images of an uncompressed IDX file. Prints samples a
 * second.
 * usage: peer_fann IMAGES LABELS UNITS SAMPLES
 */
#define _POSIX_C_SOURCE 200809L
#include <fann.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { PIXELS = 784, CLASSES = 10 };

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
    if (argc != 5) return 2;
    const unsigned units = (unsigned)atoi(argv[3]), samples = (unsigned)atoi(argv[4]);
    FILE *images = fopen(argv[1], "rb"), *labels = fopen(argv[2], "rb");
    unsigned char *pixels = malloc((size_t)samples * PIXELS), *classes = malloc(samples);
    fann_type *x = malloc((size_t)samples * PIXELS * sizeof *x);
    if (!images || !labels || !pixels || !classes || !x) return 1;
    if (fseek(images, 16, SEEK_SET) || fread(pixels, PIXELS, samples, images) != samples) return 1;
    if (fseek(labels, 8, SEEK_SET) || fread(classes, 1, samples, labels) != samples) return 1;
    for (size_t i = 0; i < (size_t)samples * PIXELS; i++) x[i] = (fann_type)pixels[i] / 255;

    struct fann *network = fann_create_standard(3, PIXELS, units, CLASSES);
    fann_set_activation_function_hidden(network, FANN_SIGMOID);
    fann_set_activation_function_output(network, FANN_SIGMOID);
    fann_set_training_algorithm(network, FANN_TRAIN_INCREMENTAL);
    fann_set_learning_rate(network, 0.1F);
    const double begun = now_s();
    for (size_t i = 0; i < samples; i++) {
        fann_type y[CLASSES] = {0};
        y[classes[i]] = 1;
        fann_train(network, x + i * PIXELS, y);
    }
    printf("%.0f\n", samples / (now_s() - begun));
    fann_destroy(network);
    free(x);
    free(pixels);
    free(classes);
    fclose(images);
    fclose(labels);
    return 0;
}
