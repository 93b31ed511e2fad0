/* SPDX-License-Identifier: MIT */
/* Fuzz target: IDX, plain and compressed. What is read must be there, to the last byte. */
#include <stdlib.h>

#include "data/files/idx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gi_idx idx;
    glia_error error;
    if (gi_idx_parse("input", data, size, &idx, &error)) return 0;
    size_t product = 1;
    for (size_t d = 0; d < idx.n_dims; d++) product *= idx.dims[d];
    if (product != idx.size) abort();
    volatile uint8_t sum = 0; /* reads every byte: AddressSanitizer looks on */
    for (size_t i = 0; i < idx.size; i++) sum = (uint8_t)(sum + idx.data[i]);
    gi_idx_free(&idx);
    return 0;
}
