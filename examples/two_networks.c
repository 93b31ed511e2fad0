/* SPDX-License-Identifier: MIT */
/*
 * Several networks learn at the same time, each in a thread of its own, from one data set that they
 * share: the library keeps no state between its objects. Here they learn the XOR of two bits from
 * different starting weights.
 *
 *     cc two_networks.c $(pkg-config --cflags --libs glia) -pthread && ./a.out
 */
#include <glia.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { NETWORKS = 4 };

struct job {
    const glia_dataset *data;
    uint64_t seed;
    glia_metrics metrics;
    glia_status status;
    glia_error error;
};

static void *learn(void *argument)
{
    struct job *job = argument;
    glia_network *network = NULL;
    glia_settings *how = NULL;
    job->status = glia_settings_create(&how, &job->error);
    if (!job->status) /* one thread of its own for each network */
        job->status = glia_settings_parse(
            how, "hidden=8 activation=tanh threads=1 batch=1 epochs=2000", &job->error);
    if (!job->status)
        job->status = glia_settings_set_number(how, "seed", (double)job->seed, &job->error);
    if (!job->status) job->status = glia_network_create(2, 2, how, &network, &job->error);
    if (!job->status) job->status = glia_train(network, job->data, NULL, how, NULL, &job->error);
    if (!job->status)
        job->status = glia_evaluate(network, job->data, 1, &job->metrics, NULL, 0, &job->error);
    glia_settings_free(how);
    glia_network_free(network);
    return NULL;
}

int main(void)
{
    static const float bits[4][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}};
    static const uint32_t xor_of_bits[4] = {0, 1, 1, 0};
    glia_error error;
    glia_dataset *data = NULL;
    if (glia_dataset_from_arrays(GLIA_TYPE_F32, bits, xor_of_bits, 4, 2, 2, &data, &error)) {
        fprintf(stderr, "%s\n", error.message);
        return EXIT_FAILURE;
    }

    pthread_t threads[NETWORKS];
    struct job jobs[NETWORKS] = {0};
    bool started[NETWORKS];
    for (int i = 0; i < NETWORKS; i++) {
        jobs[i].data = data;
        jobs[i].seed = (uint64_t)i + 1;
        started[i] = pthread_create(&threads[i], NULL, learn, &jobs[i]) == 0;
    }
    int failures = 0;
    for (int i = 0; i < NETWORKS; i++) {
        if (started[i]) pthread_join(threads[i], NULL);
        if (!started[i] || jobs[i].status) {
            fprintf(stderr, "network %d: %s\n", i,
                    started[i] ? jobs[i].error.message : "no thread");
            failures++;
        } else {
            printf("network %d: loss %.5f, accuracy %.2f\n", i, jobs[i].metrics.loss,
                   jobs[i].metrics.accuracy);
        }
    }
    glia_dataset_free(data);
    return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
