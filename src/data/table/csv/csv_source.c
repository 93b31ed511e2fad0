/* SPDX-License-Identifier: MIT */
/*
 * The bytes of a file, of a pipe or of memory, cut into blocks of whole rows. What of a block
 * belongs to the next one goes back to the tail, which is read first.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/files/gzip.h"
#include "data/table/csv/csv_parts.h"

static glia_status fail_errno(const char *path, const char *what, glia_error *error)
{
    const int number = errno;
    char text[128];
    return gi_fail(error, number == ENOENT ? GLIA_NOT_FOUND : GLIA_IO, "%s: cannot %s: %s", path,
                   what, strerror_r(number, text, sizeof text) == 0 ? text : "unknown error");
}

void gi_csv_source_of(const char *path, const uint8_t *bytes, size_t n, gi_csv_source *source)
{
    *source = (gi_csv_source){.path = path,
                              .descriptor = -1,
                              .has_ended = true,
                              .size = n,
                              .tail = (const char *)bytes,
                              .n_tail = n};
}

/* A file that is compressed is decompressed as a whole. */
static glia_status open_gzip(const char *path, gi_csv_source *source, glia_error *error)
{
    gi_file file;
    glia_status status = gi_file_open(path, &file, error);
    if (status) return status;
    uint8_t *bytes;
    size_t n;
    status = gi_gzip_decompress(path, file.data, file.size, gi_gzip_ceiling(file.size), &bytes, &n,
                                error);
    gi_file_close(&file);
    if (status) return status;
    gi_csv_source_of(path, bytes, n, source);
    source->content = (gi_file){.data = bytes, .size = n};
    return GLIA_OK;
}

glia_status gi_csv_source_open(const char *path, gi_csv_source *source, glia_error *error)
{
    *source = (gi_csv_source){.path = path, .descriptor = -1};
    if (strcmp(path, "-") == 0) {
        source->path = "standard input";
        source->descriptor = STDIN_FILENO;
        return GLIA_OK;
    }
    source->descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (source->descriptor < 0) return fail_errno(path, "open", error);
    source->owns_descriptor = true;
    struct stat info;
    uint8_t magic[2];
    if (fstat(source->descriptor, &info) != 0) return fail_errno(path, "read", error);
    if (S_ISDIR(info.st_mode))
        return gi_fail(error, GLIA_IO, "%s: is a folder, expected a file", path);
    if (!S_ISREG(info.st_mode)) return GLIA_OK;
    source->size = (uint64_t)info.st_size;
    if (pread(source->descriptor, magic, 2, 0) != 2 || !gi_gzip_is(magic, 2)) return GLIA_OK;
    gi_csv_source_close(source);
    return open_gzip(path, source, error);
}

void gi_csv_source_close(gi_csv_source *source)
{
    if (source->owns_descriptor) close(source->descriptor);
    gi_file_close(&source->content);
    gi_free(source->owned);
    *source = (gi_csv_source){.descriptor = -1};
}

/* Reads up to n bytes; *n_read is 0 at the end alone. */
static glia_status read_some(gi_csv_source *source, char *bytes, size_t n, size_t *n_read,
                             glia_error *error)
{
    *n_read = 0;
    if (source->has_ended) return GLIA_OK;
    ssize_t got;
    do got = read(source->descriptor, bytes, n);
    while (got < 0 && errno == EINTR);
    if (got < 0) return fail_errno(source->path, "read", error);
    *n_read = (size_t)got;
    source->has_ended = got == 0;
    return GLIA_OK;
}

/* Makes the tail the beginning of a block of n bytes that is owned. */
static glia_status own_tail(gi_csv_source *source, size_t n, glia_error *error)
{
    if (source->owned && source->owned_room >= n + GI_CSV_PADDING) {
        memmove(source->owned, source->tail, source->n_tail);
    } else {
        char *larger = gi_alloc_unset(n + GI_CSV_PADDING, 1, source->path, error);
        if (!larger) return GLIA_NO_MEMORY;
        if (source->n_tail) memcpy(larger, source->tail, source->n_tail);
        gi_free(source->owned);
        source->owned = larger;
        source->owned_room = n + GI_CSV_PADDING;
    }
    source->tail = source->owned;
    return GLIA_OK;
}

glia_status gi_csv_source_fill(gi_csv_source *source, size_t n, bool is_hasty, glia_error *error)
{
    if (source->has_ended || source->n_tail >= n) return GLIA_OK;
    if (source->size > 0 && source->size < n) n = (size_t)source->size + 1; /* to see its end */
    glia_status status = own_tail(source, n, error);
    while (!status && !source->has_ended && source->n_tail < n) {
        size_t got;
        status = read_some(source, source->owned + source->n_tail, n - source->n_tail, &got, error);
        source->n_tail += got;
        if (is_hasty) break;
    }
    return status;
}

static glia_status grow_block(gi_csv_block *block, size_t n, const char *path, glia_error *error)
{
    if (block->room >= n + GI_CSV_PADDING) return GLIA_OK;
    char *larger = gi_alloc_unset(n + GI_CSV_PADDING, 1, path, error);
    if (!larger) return GLIA_NO_MEMORY;
    if (block->n) memcpy(larger, block->bytes, block->n);
    gi_free(block->bytes);
    block->bytes = larger;
    block->room = n + GI_CSV_PADDING;
    return GLIA_OK;
}

/* Puts what the block has beyond its first n bytes back; n_of_tail of all were taken from the tail.
 */
static glia_status give_back(gi_csv_source *source, gi_csv_block *block, size_t n, size_t n_of_tail,
                             glia_error *error)
{
    const size_t rest = block->n - n;
    if (block->n == n_of_tail) { /* they are still there */
        source->tail -= rest;
        source->n_tail += rest;
    } else {
        if (source->owned_room < rest + GI_CSV_PADDING) {
            gi_free(source->owned);
            source->owned_room = 0;
            source->owned = gi_alloc_unset(rest + GI_CSV_PADDING, 1, source->path, error);
            if (!source->owned) return GLIA_NO_MEMORY;
            source->owned_room = rest + GI_CSV_PADDING;
        }
        memcpy(source->owned, block->bytes + n, rest);
        source->tail = source->owned;
        source->n_tail = rest;
    }
    source->tail_byte -= rest;
    block->n = n;
    return GLIA_OK;
}

glia_status gi_csv_source_take(gi_csv_source *source, const gi_csv_dialect *dialect, size_t n,
                               bool is_hasty, gi_csv_block *block, glia_error *error)
{
    block->n = block->n_added = 0;
    block->open = NULL;
    block->is_long = false;
    block->first_byte = source->tail_byte;
    size_t n_of_tail = 0;
    if (source->has_ended && n > source->n_tail) n = source->n_tail;
    for (;;) {
        glia_status status = grow_block(block, n + 1, source->path, error);
        if (status) return status;
        while (block->n < n) {
            size_t got = source->n_tail < n - block->n ? source->n_tail : n - block->n;
            if (got) {
                memcpy(block->bytes + block->n, source->tail, got);
                source->tail += got;
                source->n_tail -= got;
                n_of_tail += got;
            } else {
                status = read_some(source, block->bytes + block->n, n - block->n, &got, error);
                if (status) return status;
            }
            block->n += got;
            source->tail_byte += got;
            if (got == 0 || is_hasty) break;
        }
        const bool is_last = source->has_ended && source->n_tail == 0;
        while (is_last && block->n > 0 && gi_csv_fills_up(block->bytes[block->n - 1])) block->n--;
        if (block->n == 0 && is_last) return GLIA_OK;
        const char *end = block->bytes + block->n;
        const char *row_end = gi_csv_last_row_end(dialect, block->bytes, end, &block->open);
        if (row_end == end) return GLIA_OK;
        if (is_last && !block->open) { /* the last row has no line end of its own */
            block->bytes[block->n++] = dialect->line_end;
            block->n_added = 1;
            return GLIA_OK;
        }
        if (row_end) {
            block->open = NULL;
            return give_back(source, block, (size_t)(row_end - block->bytes), n_of_tail, error);
        }
        block->is_long = block->n > GI_MAX_ROW_BYTES;
        if (is_last || block->is_long) return GLIA_OK;
        block->open = NULL;
        if (block->n == n) n *= 2;
    }
}
