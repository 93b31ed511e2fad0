/* SPDX-License-Identifier: MIT */
/*
 * Trains a network on arrays of one's own: points of two spirals that wind around each other.
 *
 *     cc train_arrays.c $(pkg-config --cflags --libs glia) -lm && ./a.out
 */
#include <glia.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { N = 2000 };
static float points[N][2]; /* borrowed by the data set */
static uint32_t arms[N];

static bool show(void *user, const glia_progress *p)
{
    (void)user;
    if (p->epoch_end && p->epoch % 20 == 0)
        printf("epoch %3zu  loss %.4f  accuracy %.3f\n", p->epoch, p->train_loss,
               p->train_accuracy);
    return true; /* false would stop the training */
}

int main(void)
{
    for (size_t i = 0; i < N; i++) {
        const double t = (double)(i / 2) / (N / 2); /* along the arm, 0 to 1 */
        const double angle = 2 * t * 3.14159 + (double)(i % 2) * 3.14159;
        points[i][0] = (float)((0.2 + t) * cos(angle));
        points[i][1] = (float)((0.2 + t) * sin(angle));
        arms[i] = i % 2;
    }

    glia_error error;
    glia_dataset *data = NULL;
    glia_network *network = NULL;
    glia_settings *how = NULL;

    const float where[2][2] = {{-0.7F, 0}, {0.7F, 0}};
    float p[2][2];
    glia_metrics metrics;
    glia_status status =
        glia_dataset_from_arrays(GLIA_TYPE_F32, points, arms, N, 2, 2, &data, &error);
    if (!status) status = glia_settings_create(&how, &error);
    if (!status)
        status = glia_settings_parse(how, "hidden=32,32 activation=tanh epochs=100 lr=0.2 batch=16",
                                     &error);
    if (!status) glia_settings_on_progress(how, show, NULL);
    if (!status) status = glia_network_create(2, 2, how, &network, &error);
    if (!status) status = glia_train(network, data, NULL, how, NULL, &error);
    if (!status) status = glia_evaluate(network, data, 0, &metrics, NULL, 0, &error);
    if (!status) status = glia_predict(network, GLIA_TYPE_F32, where, 2, 2, p[0], 2, &error);
    if (!status) status = glia_network_save(network, "spirals.safetensors", &error);
    if (!status) {
        printf("accuracy %.3f\n", metrics.accuracy);
        for (int i = 0; i < 2; i++)
            printf("(%5.2f, %.2f) is on arm 0 with %.3f, on arm 1 with %.3f\n", (double)where[i][0],
                   (double)where[i][1], (double)p[i][0], (double)p[i][1]);
    } else {
        fprintf(stderr, "%s\n", error.message);
    }
    glia_settings_free(how);
    glia_network_free(network);
    glia_dataset_free(data);
    return status ? EXIT_FAILURE : EXIT_SUCCESS;
}
