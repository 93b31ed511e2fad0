/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: gzip, read in pieces. The first byte is the size of a piece, and the file follows;
 * at most MAX_OUTPUT bytes are decompressed, as a small file may hold a very long one.
 */
#include "data/readers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_OUTPUT = 1 << 18 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t piece[4096];
    gi_gzip *gzip;
    glia_error error;
    if (size == 0) return 0;
    const size_t n = data[0] == 0xFF ? sizeof piece : (size_t)data[0] + 1;
    if (gi_gzip_open("input", data + 1, size - 1, &gzip, &error)) return 0;
    glia_status status = GLIA_OK;
    size_t total = 0, got = n;
    while (!status && got == n && total < MAX_OUTPUT) {
        status = gi_gzip_some(gzip, piece, n, &got, &error);
        total += got;
    }
    if (!status && got < n && gi_gzip_end(gzip, &error)) __builtin_trap(); /* it was the end */
    gi_gzip_free(gzip);
    return 0;
}
