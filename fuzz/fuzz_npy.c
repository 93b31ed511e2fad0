/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: NumPy's arrays and archives, as tables and as bytes with labels. What is read must
 * be there, to the last cell and pixel.
 */
#include <stdlib.h>
#include <string.h>

#include <libdeflate.h>

#include "data/files/npy.h"
#include "data/set/dataset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const gi_table_params params = gi_table_default_params();
    double sum = 0; /* of all that is read */
    for (int split = GLIA_SPLIT_TRAIN; split <= GLIA_SPLIT_TEST; split++) {
        glia_error error;
        gi_table *table;
        glia_dataset *dataset;
        if (!gi_npy_parse_table("input", data, size, (glia_split)split, &params, &table, &error)) {
            for (size_t i = 0; i < table->rows * table->n_columns; i++) sum += table->cells[i];
            gi_table_free(table);
        }
        if (!gi_npy_parse_bytes("input", "input", data, size, (glia_split)split, &dataset,
                                &error) &&
            dataset) {
            const glia_dataset_info info = glia_dataset_describe(dataset);
            if (info.height * info.width * info.channels != (info.height ? info.features : 0))
                __builtin_trap();
            for (size_t i = 0; i < info.samples; i++) {
                uint32_t label;
                const uint8_t *x = gi_dataset_row(dataset, 0, i, NULL, &label);
                if (label >= info.classes) __builtin_trap();
                for (size_t j = 0; j < info.features; j++) sum += x[j];
            }
            glia_dataset_free(dataset);
        }
    }
    volatile double seen = sum; /* so that reading is not left out */
    (void)seen;
    return 0;
}

/*
 * Changed bytes alone would hardly get past the checksums of an archive: after each change those of
 * stored members are set right, in most inputs.
 */
#ifdef GLIA_FUZZER
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

static size_t number(const uint8_t *b, size_t n)
{
    size_t value = 0;
    while (n-- > 0) value = value << 8 | b[n];
    return value;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    size = LLVMFuzzerMutate(data, size, max_size);
    if (seed % 8 == 0 || size < 4 || memcmp(data, "PK", 2) != 0) return size;
    for (size_t at = 0; at + 46 <= size; at++) {
        if (memcmp(data + at, "PK\1\2", 4) != 0 || number(data + at + 10, 2) != 0) continue;
        const size_t n = number(data + at + 20, 4), local = number(data + at + 42, 4);
        if (local > size || size - local < 30) continue;
        const size_t begin =
            local + 30 + number(data + local + 26, 2) + number(data + local + 28, 2);
        if (begin > size || size - begin < n) continue;
        const uint32_t crc = libdeflate_crc32(0, data + begin, n);
        for (size_t i = 0; i < 4; i++) data[at + 16 + i] = (uint8_t)(crc >> (8 * i));
    }
    return size;
}
#endif
