/* SPDX-License-Identifier: MIT */
/* Reading a cache file, which is believed in nothing that was not checked. */
#define _GNU_SOURCE /* st_mtim */
#include <fcntl.h>
#include <libdeflate.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/thread.h"
#include "data/table/csv/csv_cache.h"

/* Bytes that are read; at <= n. */
struct reader {
    const char *bytes;
    size_t n, at;
    bool failed;
};

static const char *get(struct reader *from, uint64_t n)
{
    if (from->failed || n > from->n - from->at) {
        from->failed = true;
        return NULL;
    }
    const char *bytes = from->bytes + from->at;
    from->at += (size_t)n;
    return bytes;
}

static uint64_t get_number(struct reader *from)
{
    uint64_t number = 0;
    const char *bytes = get(from, sizeof number);
    if (bytes) memcpy(&number, bytes, sizeof number);
    return number;
}

/* A copy of a text that is freed by gi_free. */
static char *get_text(struct reader *from)
{
    const uint64_t n = get_number(from);
    const char *bytes = get(from, n);
    char *text = bytes ? gi_alloc((size_t)n + 1, 1, "a table", NULL) : NULL;
    from->failed |= !text;
    if (text) memcpy(text, bytes, (size_t)n);
    return text;
}

static void get_column(struct reader *from, gi_column *column)
{
    column->name = get_text(from);
    const uint64_t kind = get_number(from), has_missing = get_number(from);
    column->missing_words = get_number(from);
    const char *form = get(from, sizeof column->form);
    if (form) memcpy(&column->form, form, sizeof column->form);
    const uint64_t n = get_number(from);
    from->failed |= kind > GI_CELL_IGNORED || has_missing > 1 || n > GI_MAX_DATES;
    column->kind = (gi_cell_kind)kind;
    column->has_missing = has_missing;
    for (uint64_t t = 0; t < n && !from->failed; t++) {
        const uint64_t length = get_number(from);
        const char *text = get(from, length);
        size_t code;
        from->failed |=
            !text || gi_texts_add(&column->texts, text, (size_t)length, &code, NULL) || code != t;
    }
}

/* What put_table has written. False if it is none of that. */
static bool get_table(struct reader *from, const gi_csv_cache *cache,
                      const struct gi_cache_header *header, gi_table *table,
                      struct gi_cache_lot **lots)
{
    char *csv_path = get_text(from), *how = get_text(from);
    from->failed |= !csv_path || !how || strcmp(csv_path, cache->csv_path) != 0;
    if (!from->failed) snprintf(table->how, sizeof table->how, "%s", how);
    gi_free(csv_path);
    gi_free(how);
    if (from->failed) return false;
    table->columns = gi_alloc(header->n_columns, sizeof *table->columns, "a table", NULL);
    if (!table->columns) return false;
    table->n_columns = (size_t)header->n_columns;
    for (size_t c = 0; c < table->n_columns && !from->failed; c++)
        get_column(from, &table->columns[c]);
    const uint64_t n_marks = get_number(from);
    if (from->failed || n_marks > from->n / sizeof *table->marks ||
        header->n_lots > from->n / sizeof **lots)
        return false;
    const char *marks = get(from, n_marks * sizeof *table->marks);
    const char *sums = get(from, header->n_lots * sizeof **lots);
    table->marks = gi_alloc((size_t)n_marks, sizeof *table->marks, "a table", NULL);
    *lots = gi_alloc((size_t)header->n_lots, sizeof **lots, "a table", NULL);
    if (from->failed || from->at != from->n || !table->marks || !*lots) return false;
    if (n_marks) memcpy(table->marks, marks, (size_t)n_marks * sizeof *table->marks);
    table->n_marks = (size_t)n_marks;
    if (header->n_lots) memcpy(*lots, sums, (size_t)header->n_lots * sizeof **lots);
    for (size_t i = 0; i < n_marks; i++)
        if (table->marks[i].row >= header->rows ||
            (i > 0 && table->marks[i].row <= table->marks[i - 1].row))
            return false;
    return true;
}

/* Whether the CSV file is the one that the header is of. */
static bool is_of_csv(const struct gi_cache_header *header, const gi_csv_cache *cache)
{
    if (header->csv_size != (uint64_t)cache->csv.st_size) return false;
    const bool same_time = header->csv_seconds == (uint64_t)cache->csv.st_mtim.tv_sec &&
                           header->csv_nanoseconds == (uint64_t)cache->csv.st_mtim.tv_nsec;
    const int csv = open(cache->csv_path, O_RDONLY | O_CLOEXEC);
    char *scratch = gi_alloc(GI_CACHE_CHUNK_BYTES, 1, "the cache of a table", NULL);
    uint64_t sum = 0;
    bool same = csv >= 0 && scratch;
    if (same && same_time)
        same = gi_cache_sum_samples(csv, header->csv_size, scratch, &sum) &&
               sum == header->csv_samples;
    else if (same)
        same = gi_cache_sum_all(csv, header->csv_size, scratch, &sum) && sum == header->csv_crc;
    gi_free(scratch);
    if (csv >= 0) close(csv);
    return same;
}

/* The lots whose checksums are looked at by several threads. */
struct checking {
    int descriptor;
    const gi_table *table;
    const struct gi_cache_lot *lots;
    size_t n_lots;
    bool failed[1024]; /* by thread */
};

/* Whether a lot's cells are as they were written, and the codes of texts are in their range. */
static bool check_lot(const struct checking *checking, size_t lot, double **cells, size_t *room)
{
    const gi_table *table = checking->table;
    const size_t n = table->n_columns;
    const uint64_t first = checking->lots[lot].first_row;
    const uint64_t next =
        lot + 1 < checking->n_lots ? checking->lots[lot + 1].first_row : table->rows;
    if (next < first || next > table->rows || (next - first) > GI_CACHE_MAX_LOT_BYTES / (8 * n) + 1)
        return false;
    const size_t rows = (size_t)(next - first), bytes = rows * n * sizeof **cells;
    if (gi_table_grow((void **)cells, room, rows * n + 1, sizeof **cells, NULL) ||
        !gi_cache_read_at(checking->descriptor, *cells, bytes,
                          GI_CACHE_CELLS_BEGIN + first * n * 8) ||
        libdeflate_crc32(0, *cells, bytes) != checking->lots[lot].crc)
        return false;
    for (size_t c = 0; c < n; c++) {
        if (table->columns[c].kind != GI_CELL_TEXT) continue;
        const double n_texts = (double)table->columns[c].texts.n;
        for (size_t row = 0; row < rows; row++) {
            const double code = (*cells)[row * n + c];
            if (!isnan(code) && !(code >= 0 && code < n_texts && code == floor(code))) return false;
        }
    }
    return true;
}

static void check_lots(void *context, int thread, int n_threads)
{
    struct checking *checking = context;
    double *cells = NULL;
    size_t room = 0, begin, end;
    gi_slice(checking->n_lots, 1, thread, n_threads, &begin, &end);
    for (size_t lot = begin; lot < end && !checking->failed[thread]; lot++)
        checking->failed[thread] = !check_lot(checking, lot, &cells, &room);
    gi_free(cells);
}

static bool check_cells(int descriptor, const gi_table *table, const struct gi_cache_lot *lots,
                        size_t n_lots, int n_threads)
{
    gi_pool *pool;
    if (n_lots == 0 || lots[0].first_row != 0 || gi_pool_create(n_threads, &pool, NULL))
        return false;
    struct checking checking = {
        .descriptor = descriptor, .table = table, .lots = lots, .n_lots = n_lots};
    gi_pool_run(pool, check_lots, &checking);
    bool good = true;
    for (int t = 0; t < gi_pool_threads(pool); t++) good &= !checking.failed[t];
    gi_pool_free(pool);
    return good;
}

gi_table *gi_csv_cache_read(const gi_csv_cache *cache, const char *path, int n_threads)
{
    gi_table *table = NULL;
    struct gi_cache_lot *lots = NULL;
    char *rest = NULL;
    struct gi_cache_header header;
    struct stat info;
    bool good = false;
    const int descriptor = open(cache->path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return NULL;
    if (fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) goto cleanup;
    const uint64_t size = (uint64_t)info.st_size;
    if (!gi_cache_read_at(descriptor, &header, sizeof header, 0) ||
        memcmp(header.magic, gi_cache_magic, sizeof gi_cache_magic) != 0 ||
        header.byte_order != GI_CACHE_BYTE_ORDER ||
        header.crc != libdeflate_crc32(0, &header, offsetof(struct gi_cache_header, crc)))
        goto cleanup;
    if (header.settings != cache->settings || header.n_columns < 1 ||
        header.n_columns > GI_MAX_COLUMNS || header.rows < 1 ||
        header.rows > size / (8 * header.n_columns) ||
        header.rest_begin != GI_CACHE_CELLS_BEGIN + header.rows * header.n_columns * 8 ||
        header.rest_begin > size || header.rest_size != size - header.rest_begin)
        goto cleanup;
    if (!is_of_csv(&header, cache)) goto cleanup;
    rest = gi_alloc_unset((size_t)header.rest_size + 1, 1, "a table", NULL);
    table = gi_alloc(1, sizeof *table, "a table", NULL);
    if (!rest || !table ||
        !gi_cache_read_at(descriptor, rest, (size_t)header.rest_size, header.rest_begin) ||
        header.rest_crc != libdeflate_crc32(0, rest, (size_t)header.rest_size))
        goto cleanup;
    struct reader reader = {.bytes = rest, .n = (size_t)header.rest_size};
    if (!get_table(&reader, cache, &header, table, &lots)) goto cleanup;
    table->rows = (size_t)header.rows;
    table->skipped = (size_t)header.skipped;
    table->path = gi_strdup(path, NULL);
    if (!table->path || !check_cells(descriptor, table, lots, (size_t)header.n_lots, n_threads))
        goto cleanup;
    void *map = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, descriptor, 0);
    if (map == MAP_FAILED) goto cleanup;
    table->mapped = (gi_file){.data = map, .size = (size_t)size, .mapped = true};
    table->cells = (const double *)(const void *)((const char *)map + GI_CACHE_CELLS_BEGIN);
    good = true;
cleanup:
    close(descriptor);
    gi_free(rest);
    gi_free(lots);
    if (good) return table;
    gi_table_free(table);
    return NULL;
}
