/* SPDX-License-Identifier: MIT */
/* The form of a cache file, for the files that write and read it: csv_cache.c, csv_cache_read.c. */
#ifndef GLIA_DATA_TABLE_CSV_CSV_CACHE_H
#define GLIA_DATA_TABLE_CSV_CSV_CACHE_H

#include <sys/stat.h>

#include "data/table/csv/csv_parts.h"

enum {
    GI_CACHE_CELLS_BEGIN = 4096,
    GI_CACHE_N_SAMPLES = 16,
    GI_CACHE_SAMPLE_BYTES = 1 << 16,
    GI_CACHE_CHUNK_BYTES = 1 << 20,
    GI_CACHE_MAX_LOT_BYTES = 1 << 28 /* a lot of a row of 16 MiB holds 128 MiB of cells at most */
};

static const char gi_cache_magic[16] = "glia table 2\n";
#define GI_CACHE_BYTE_ORDER UINT64_C(0x0102030405060708)

struct gi_cache_header {
    char magic[16];
    uint64_t byte_order;
    uint64_t csv_size, csv_seconds, csv_nanoseconds, csv_crc, csv_samples;
    uint64_t settings;
    uint64_t rows, n_columns, n_lots, skipped;
    uint64_t rest_begin, rest_size, rest_crc;
    uint64_t crc; /* of all before it */
};

struct gi_cache_lot {
    uint64_t first_row, crc;
};

struct gi_csv_cache {
    char *path, *temporary, *csv_path; /* csv_path: real */
    int descriptor;
    uint64_t settings;
    struct stat csv; /* before reading */
    uint64_t csv_crc;
    struct gi_cache_lot *lots;
    size_t n_lots, lots_room;
    size_t n_columns;
};

/* Fills a block from a place in a file; false if there is not as much. */
bool gi_cache_read_at(int descriptor, void *block, size_t n, uint64_t at);

/* A checksum of pieces all over the file, and one of all of it. */
bool gi_cache_sum_samples(int descriptor, uint64_t size, char *scratch, uint64_t *sum);
bool gi_cache_sum_all(int descriptor, uint64_t size, char *scratch, uint64_t *sum);

#endif
