/* SPDX-License-Identifier: MIT */
/*
 * Tables of large files are kept in binary form, in $XDG_CACHE_HOME/glia/tables (or
 * ~/.cache/glia/tables): one for each path, named by its hash, replaced when the file changes or is
 * read with other settings.
 *
 * A cache file is a header, the cells from byte GI_CACHE_CELLS_BEGIN on, then what else a table
 * has. It is believed if the header belongs to the CSV file (its size, and its time and samples of
 * its content, or the whole content) and to the settings, and if every checksum is right: of the
 * header, of what follows the cells, and of each lot of cells. All else is read anew from the CSV
 * file.
 */
#define _GNU_SOURCE /* st_mtim, O_TMPFILE */
#include <errno.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/thread.h"
#include "data/table/csv/csv_cache.h"

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t n)
{
    for (const uint8_t *p = bytes; n-- > 0; p++) hash = (hash ^ *p) * UINT64_C(0x100000001B3);
    return hash;
}

static uint64_t hash_settings(const gi_table_params *params)
{
    const char flags[] = {params->separator,          (char)params->header,
                          params->skips_bad_rows,     params->ignores_unknown,
                          params->targets_are_labels, params->targets_are_values};
    uint64_t hash = hash_bytes(UINT64_C(0xCBF29CE484222325), flags, sizeof flags);
    for (size_t i = 0; i < params->n_known; i++) {
        const gi_known_column *known = &params->known[i];
        const char kind = (char)(2 * known->kind + known->may_be_absent);
        hash = hash_bytes(hash, known->name, strlen(known->name) + 1);
        hash = hash_bytes(hash, &kind, 1);
        hash = hash_bytes(hash, &known->form, sizeof known->form);
    }
    for (size_t i = 0; i < params->n_targets; i++)
        hash = hash_bytes(hash, params->targets[i], strlen(params->targets[i]) + 1);
    if (params->group) hash = hash_bytes(hash, params->group, strlen(params->group) + 1);
    hash = hash_bytes(hash, &params->form, sizeof params->form);
    for (size_t i = 0; i < params->missing.n; i++)
        hash = hash_bytes(hash, params->missing.words[i], strlen(params->missing.words[i]) + 1);
    hash = hash_bytes(hash, &params->missing.alone, sizeof params->missing.alone);
    return hash;
}

bool gi_cache_read_at(int descriptor, void *block, size_t n, uint64_t at)
{
    char *p = block;
    while (n > 0) {
        const ssize_t got = pread(descriptor, p, n, (off_t)at);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        p += got;
        n -= (size_t)got;
        at += (uint64_t)got;
    }
    return true;
}

static bool write_at(int descriptor, const void *block, size_t n, uint64_t at)
{
    const char *p = block;
    while (n > 0) {
        const ssize_t done = pwrite(descriptor, p, n, (off_t)at);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return false;
        p += done;
        n -= (size_t)done;
        at += (uint64_t)done;
    }
    return true;
}

/* A checksum of pieces all over the file. */
bool gi_cache_sum_samples(int descriptor, uint64_t size, char *scratch, uint64_t *sum)
{
    uint32_t crc = 0;
    for (uint64_t i = 0; i < GI_CACHE_N_SAMPLES; i++) {
        const size_t n = size < GI_CACHE_SAMPLE_BYTES ? (size_t)size : GI_CACHE_SAMPLE_BYTES;
        if (!gi_cache_read_at(descriptor, scratch, n, (size - n) / (GI_CACHE_N_SAMPLES - 1) * i))
            return false;
        crc = libdeflate_crc32(crc, scratch, n);
    }
    *sum = crc;
    return true;
}

/* A checksum of the whole file. */
bool gi_cache_sum_all(int descriptor, uint64_t size, char *scratch, uint64_t *sum)
{
    uint32_t crc = 0;
    for (uint64_t at = 0; at < size; at += GI_CACHE_CHUNK_BYTES) {
        const size_t n =
            size - at < GI_CACHE_CHUNK_BYTES ? (size_t)(size - at) : GI_CACHE_CHUNK_BYTES;
        if (!gi_cache_read_at(descriptor, scratch, n, at)) return false;
        crc = libdeflate_crc32(crc, scratch, n);
    }
    *sum = crc;
    return true;
}

/* ---- Where ---------------------------------------------------------------------------------- */

void gi_csv_cache_free(gi_csv_cache *cache)
{
    if (!cache) return;
    if (cache->temporary) unlink(cache->temporary);
    if (cache->descriptor >= 0) close(cache->descriptor);
    gi_free(cache->path);
    gi_free(cache->temporary);
    gi_free(cache->csv_path);
    gi_free(cache->lots);
    gi_free(cache);
}

glia_status gi_csv_cache_open(const char *path, const gi_table_params *params, gi_csv_cache **out,
                              glia_error *error)
{
    *out = NULL;
    const char *root = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    const bool has_root = root && *root;
    if (!has_root && !(home && *home)) return GLIA_OK;
    gi_csv_cache *cache = gi_alloc(1, sizeof *cache, "the cache of a table", error);
    if (!cache) return GLIA_NO_MEMORY;
    cache->descriptor = -1;
    cache->settings = hash_settings(params);
    char *real = realpath(path, NULL);
    bool fits = real && stat(real, &cache->csv) == 0;
    glia_status status = GLIA_OK;
    if (fits) {
        const uint64_t name = hash_bytes(UINT64_C(0xCBF29CE484222325), real, strlen(real));
        char *folder =
            gi_format(error, "%s%s/glia/tables", has_root ? root : home, has_root ? "" : "/.cache");
        cache->csv_path = gi_strdup(real, error);
        if (folder)
            cache->path = gi_format(error, "%s/%016llx.table", folder, (unsigned long long)name);
        status = cache->csv_path && cache->path ? GLIA_OK : GLIA_NO_MEMORY;
        if (!status) fits = gi_make_directories(folder, NULL) == GLIA_OK;
        gi_free(folder);
    }
    free(real);
    if (status || !fits)
        gi_csv_cache_free(cache);
    else
        *out = cache;
    return status;
}

/* ---- Writing -------------------------------------------------------------------------------- */

/* A name beside the cache file that is not taken yet; what makes is called with it until it says 0,
 * or fails for another reason than EEXIST. */
static bool find_name(gi_csv_cache *cache, int (*make)(gi_csv_cache *cache))
{
    for (unsigned attempt = 0; attempt < 100; attempt++) {
        cache->temporary = gi_format(NULL, "%s.tmp-%ld-%u", cache->path, (long)getpid(), attempt);
        if (!cache->temporary) return false;
        if (make(cache) == 0) return true;
        const bool is_there = errno == EEXIST;
        gi_free(cache->temporary); /* not ours: nothing to remove */
        cache->temporary = NULL;
        if (!is_there) return false;
    }
    return false;
}

static int make_file(gi_csv_cache *cache)
{
    cache->descriptor = open(cache->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return cache->descriptor < 0;
}

static int link_file(gi_csv_cache *cache)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", cache->descriptor);
    return linkat(AT_FDCWD, path, AT_FDCWD, cache->temporary, AT_SYMLINK_FOLLOW);
}

bool gi_csv_cache_begin(gi_csv_cache *cache, size_t n_columns)
{
    cache->n_columns = n_columns;
#ifdef O_TMPFILE /* a file without a name: whatever ends the process, nothing is left of it */
    char *folder =
        gi_format(NULL, "%.*s", (int)(strrchr(cache->path, '/') - cache->path), cache->path);
    if (folder) cache->descriptor = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    gi_free(folder);
    if (cache->descriptor >= 0) return true;
#endif
    return find_name(cache, make_file);
}

void gi_csv_cache_sum(gi_csv_cache *cache, const char *bytes, size_t n)
{
    cache->csv_crc = libdeflate_crc32((uint32_t)cache->csv_crc, bytes, n);
}

glia_status gi_csv_cache_add(gi_csv_cache *cache, uint64_t first_row, size_t *place,
                             glia_error *error)
{
    const glia_status status = gi_table_grow((void **)&cache->lots, &cache->lots_room,
                                             cache->n_lots + 1, sizeof *cache->lots, error);
    if (status) return status;
    *place = cache->n_lots++;
    cache->lots[*place] = (struct gi_cache_lot){.first_row = first_row};
    return GLIA_OK;
}

bool gi_csv_cache_write(const gi_csv_cache *cache, uint64_t first_row, const double *cells,
                        size_t rows, uint32_t *crc)
{
    const size_t row_bytes = cache->n_columns * sizeof *cells;
    *crc = libdeflate_crc32(0, cells, rows * row_bytes);
    return write_at(cache->descriptor, cells, rows * row_bytes,
                    GI_CACHE_CELLS_BEGIN + first_row * row_bytes);
}

void gi_csv_cache_set_crc(gi_csv_cache *cache, size_t place, uint32_t crc)
{
    cache->lots[place].crc = crc;
}

/* Bytes that grow. */
struct bytes {
    char *bytes;
    size_t n, room;
    glia_status status;
};

static void put(struct bytes *to, const void *from, size_t n)
{
    if (!to->status) to->status = gi_table_grow((void **)&to->bytes, &to->room, to->n + n, 1, NULL);
    if (to->status || n == 0) return;
    memcpy(to->bytes + to->n, from, n);
    to->n += n;
}

static void put_number(struct bytes *to, uint64_t number)
{
    put(to, &number, sizeof number);
}

static void put_text(struct bytes *to, const char *text)
{
    put_number(to, strlen(text));
    put(to, text, strlen(text));
}

/* What a table has beside its cells. */
static void put_table(struct bytes *to, const gi_csv_cache *cache, const gi_table *table)
{
    put_text(to, cache->csv_path);
    put_text(to, table->how);
    for (size_t c = 0; c < table->n_columns; c++) {
        const gi_column *column = &table->columns[c];
        put_text(to, column->name);
        put_number(to, column->kind);
        put_number(to, column->has_missing);
        put_number(to, column->missing_words);
        put(to, &column->form, sizeof column->form);
        put_number(to, column->texts.n);
        for (size_t t = 0; t < column->texts.n; t++) put_text(to, column->texts.text[t]);
    }
    put_number(to, table->n_marks);
    put(to, table->marks, table->n_marks * sizeof *table->marks);
    put(to, cache->lots, cache->n_lots * sizeof *cache->lots);
}

/* Cells of columns that were lost after they had been written. */
static bool blank_lost(gi_csv_cache *cache, const gi_table *table, const gi_csv_lost *lost,
                       size_t n_lost)
{
    const size_t n = table->n_columns;
    double *cells = NULL;
    size_t room = 0;
    bool good = true;
    for (size_t i = 0; i < cache->n_lots && good; i++) {
        const uint64_t first = cache->lots[i].first_row;
        const uint64_t next = i + 1 < cache->n_lots ? cache->lots[i + 1].first_row : table->rows;
        const size_t rows = (size_t)(next - first);
        bool is_concerned = false;
        for (size_t k = 0; k < n_lost; k++) is_concerned |= lost[k].rows > first;
        if (!is_concerned) continue;
        good = !gi_table_grow((void **)&cells, &room, rows * n, sizeof *cells, NULL) &&
               gi_cache_read_at(cache->descriptor, cells, rows * n * 8,
                                GI_CACHE_CELLS_BEGIN + first * n * 8);
        for (size_t k = 0; k < n_lost && good; k++)
            for (size_t row = 0; row < rows && lost[k].rows > first; row++)
                cells[row * n + lost[k].column] = NAN;
        uint32_t crc = 0;
        good = good && gi_csv_cache_write(cache, first, cells, rows, &crc);
        cache->lots[i].crc = crc;
    }
    gi_free(cells);
    return good;
}

bool gi_csv_cache_finish(gi_csv_cache *cache, gi_table *table, const gi_csv_lost *lost,
                         size_t n_lost)
{
    struct bytes rest = {0};
    char *scratch = gi_alloc(GI_CACHE_CHUNK_BYTES, 1, "the cache of a table", NULL);
    struct gi_cache_header header = {.byte_order = GI_CACHE_BYTE_ORDER,
                                     .csv_size = (uint64_t)cache->csv.st_size,
                                     .csv_seconds = (uint64_t)cache->csv.st_mtim.tv_sec,
                                     .csv_nanoseconds = (uint64_t)cache->csv.st_mtim.tv_nsec,
                                     .csv_crc = cache->csv_crc,
                                     .settings = cache->settings,
                                     .rows = table->rows,
                                     .n_columns = table->n_columns,
                                     .n_lots = cache->n_lots,
                                     .skipped = table->skipped,
                                     .rest_begin =
                                         GI_CACHE_CELLS_BEGIN + table->rows * table->n_columns * 8};
    memcpy(header.magic, gi_cache_magic, sizeof gi_cache_magic);
    const int csv = open(cache->csv_path, O_RDONLY | O_CLOEXEC);
    struct stat after;
    bool good = blank_lost(cache, table, lost, n_lost);
    put_table(&rest, cache, table);
    header.rest_size = rest.n;
    header.rest_crc = libdeflate_crc32(0, rest.bytes, rest.n);
    const size_t size = header.rest_begin + rest.n;
    good = good && scratch && !rest.status &&
           write_at(cache->descriptor, rest.bytes, rest.n, header.rest_begin) &&
           ftruncate(cache->descriptor, (off_t)size) == 0;
    /* The file must be what was read. */
    bool same = good && csv >= 0 && fstat(csv, &after) == 0 &&
                after.st_size == cache->csv.st_size &&
                after.st_mtim.tv_sec == cache->csv.st_mtim.tv_sec &&
                after.st_mtim.tv_nsec == cache->csv.st_mtim.tv_nsec &&
                gi_cache_sum_samples(csv, header.csv_size, scratch, &header.csv_samples);
    if (csv >= 0) close(csv);
    header.crc = libdeflate_crc32(0, &header, offsetof(struct gi_cache_header, crc));
    /* Nothing waits for the disk: what has not come to it will have other checksums. */
    if (same && write_at(cache->descriptor, &header, sizeof header, 0) &&
        (cache->temporary || find_name(cache, link_file)) &&
        rename(cache->temporary, cache->path) == 0) {
        gi_free(cache->temporary);
        cache->temporary = NULL;
    }
    if (good) { /* where it could not be kept, it goes with the table */
        void *map = mmap(NULL, size, PROT_READ, MAP_SHARED, cache->descriptor, 0);
        good = map != MAP_FAILED;
        if (good) {
            table->mapped = (gi_file){.data = map, .size = size, .mapped = true};
            table->cells = (const double *)(const void *)((const char *)map + GI_CACHE_CELLS_BEGIN);
        }
    }
    gi_free(rest.bytes);
    gi_free(scratch);
    return good;
}
