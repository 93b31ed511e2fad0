/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: gzip. The first byte says how much may come, and the file follows. What is accepted
 * must come alike when there is just room for it, and be refused when there is a byte less.
 */
#include <string.h>

#include "base/memory.h"
#include "data/files/gzip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    const size_t ceiling = ((size_t)data[0] + 1) << 10;
    uint8_t *out, *again;
    size_t n, n_again;
    glia_error error;
    if (gi_gzip_decompress("input", data + 1, size - 1, ceiling, &out, &n, &error)) return 0;
    if (n > ceiling) __builtin_trap();
    if (n > 1) {
        if (gi_gzip_decompress("input", data + 1, size - 1, n, &again, &n_again, &error) ||
            n_again != n || memcmp(out, again, n) != 0)
            __builtin_trap();
        gi_free(again);
        if (!gi_gzip_decompress("input", data + 1, size - 1, n - 1, &again, &n_again, &error))
            __builtin_trap();
    }
    gi_free(out);
    return 0;
}
