/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: sparse text. The first byte says what labels are to be taken for; what is accepted
 * is read again like itself, and must be the same.
 */
#include <stdlib.h>

#include "data/encoding/encoding.h"
#include "data/files/libsvm.h"
#include "data/set/dataset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_FEATURES = 1 << 12, MAX_OUTPUTS = 1 << 10 }; /* wider rows take long, show nothing new */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    const glia_loss loss = (glia_loss)(data[0] % (GLIA_LOSS_HUBER + 1));
    glia_dataset *dataset = NULL, *again = NULL;
    glia_error error;
    gi_libsvm_is(data + 1, size - 1);
    if (gi_libsvm_parse("input", "input", data + 1, size - 1, loss, NULL, &dataset, &error))
        return 0;
    const glia_dataset_info info = glia_dataset_describe(dataset);
    const gi_reading like = gi_dataset_reading(dataset);
    if (gi_libsvm_parse("input", "input", data + 1, size - 1, loss, &like, &again, &error))
        __builtin_trap();
    if (gi_dataset_checksum(dataset) != gi_dataset_checksum(again)) __builtin_trap();
    float *x = malloc(info.features * sizeof *x);
    double *targets = malloc(info.classes * sizeof *targets);
    for (size_t i = 0; i < info.samples && x && targets && info.features <= MAX_FEATURES &&
                       info.classes <= MAX_OUTPUTS;
         i++) {
        uint32_t label;
        glia_dataset_sample(dataset, i, x, info.features, &label, &error);
        if (label >= info.classes) __builtin_trap();
        if (info.task != GLIA_TASK_CLASSES)
            gi_dataset_targets(dataset, i, 0, info.classes, targets);
    }
    free(x);
    free(targets);
    glia_dataset_free(dataset);
    glia_dataset_free(again);
    return 0;
}
