/* SPDX-License-Identifier: MIT */
/*
 * Gzip (RFC 1952): a header, deflated data, and a trailer of CRC-32 and length; such members may
 * follow each other. libdeflate decompresses the data; header and trailer are read here, so that a
 * message can say what is wrong with them.
 *
 * libdeflate wants room for all that comes, and the length in the trailer (modulo 2^32, of the last
 * member) is only a hint of how much: it is believed up to HINT_RATIO times the file, and room that
 * was too small is doubled, up to the caller's ceiling.
 */
#include <inttypes.h>
#include <libdeflate.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/files/gzip.h"

enum {
    FIXED_HEADER = 10,
    TRAILER = 8,
    METHOD_DEFLATE = 8,
    FLAG_HEADER_CRC = 2,
    FLAG_EXTRA = 4,
    FLAG_NAME = 8,
    FLAG_COMMENT = 16,
    FLAGS_RESERVED = 0xE0,
    HINT_RATIO = 16,
    HINT_ALWAYS = 1 << 20, /* so many bytes are believed of any file */

    /* A file may hold CEILING_RATIO times its size, or CEILING_ALWAYS if that is more, but at most
     * 2^CEILING_BITS (EMNIST, the largest of its kind: 0.6 GB at a ratio of about 4). */
    CEILING_RATIO = 128,
    CEILING_ALWAYS = 256 << 20,
    CEILING_BITS = 32,
};

/* Invariants: at <= n_bytes, n_out <= capacity <= max_bytes. */
struct unpacking {
    const char *path;
    const uint8_t *bytes; /* (n_bytes), the file */
    size_t n_bytes, at;   /* at: the next byte to be read */
    uint8_t *out;         /* (capacity), of which n_out are there */
    size_t n_out, capacity, max_bytes;
    struct libdeflate_decompressor *decompressor;
    glia_error *error;
};

bool gi_gzip_is(const uint8_t *bytes, size_t n_bytes)
{
    return n_bytes >= 2 && bytes[0] == 0x1F && bytes[1] == 0x8B;
}

static uint32_t little_endian_32(const uint8_t *b)
{
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static glia_status cut_short(const struct unpacking *u)
{
    return gi_fail(u->error, GLIA_BAD_FORMAT,
                   "%s: byte %zu: the gzip data is cut short; fetch the file again", u->path,
                   u->n_bytes);
}

/* Steps over a text that ends with a zero byte; false if the file ends first. */
static bool skip_text(struct unpacking *u)
{
    const uint8_t *zero = memchr(u->bytes + u->at, 0, u->n_bytes - u->at);
    if (zero) u->at = (size_t)(zero - u->bytes) + 1;
    return zero != NULL;
}

static glia_status skip_header(struct unpacking *u)
{
    const size_t begin = u->at;
    const uint8_t *header = u->bytes + begin;
    if (u->n_bytes - begin < FIXED_HEADER) return cut_short(u);
    if (!gi_gzip_is(header, FIXED_HEADER))
        return gi_fail(u->error, GLIA_BAD_FORMAT,
                       "%s: byte %zu: the gzip data is damaged (a member begins with %02x %02x, "
                       "expected 1f 8b); fetch the file again",
                       u->path, begin, header[0], header[1]);
    if (header[2] != METHOD_DEFLATE)
        return gi_fail(u->error, GLIA_BAD_FORMAT,
                       "%s: byte %zu: the gzip data is damaged (method %u, expected %d, deflate); "
                       "fetch the file again",
                       u->path, begin + 2, header[2], (int)METHOD_DEFLATE);
    const unsigned flags = header[3];
    if (flags & FLAGS_RESERVED)
        return gi_fail(u->error, GLIA_BAD_FORMAT,
                       "%s: byte %zu: the gzip data is damaged (unknown flags, %02x); fetch the "
                       "file again",
                       u->path, begin + 3, flags);
    u->at += FIXED_HEADER;
    if (flags & FLAG_EXTRA) {
        if (u->n_bytes - u->at < 2) return cut_short(u);
        const size_t extra = u->bytes[u->at] | (size_t)u->bytes[u->at + 1] << 8;
        if (u->n_bytes - u->at - 2 < extra) return cut_short(u);
        u->at += 2 + extra;
    }
    if ((flags & FLAG_NAME) && !skip_text(u)) return cut_short(u);
    if ((flags & FLAG_COMMENT) && !skip_text(u)) return cut_short(u);
    if (flags & FLAG_HEADER_CRC) {
        if (u->n_bytes - u->at < 2) return cut_short(u);
        const unsigned expected = u->bytes[u->at] | (unsigned)u->bytes[u->at + 1] << 8;
        const unsigned found = libdeflate_crc32(0, header, u->at - begin) & 0xFFFF;
        if (found != expected)
            return gi_fail(u->error, GLIA_BAD_FORMAT,
                           "%s: byte %zu: the gzip data is damaged (incorrect header check: %04x, "
                           "expected %04x); fetch the file again",
                           u->path, u->at, found, expected);
        u->at += 2;
    }
    return GLIA_OK;
}

/* Makes room for `capacity` bytes, which is more than there is. */
static glia_status grow(struct unpacking *u, size_t capacity)
{
    uint8_t *larger = gi_alloc_unset(capacity, 1, u->path, u->error);
    if (!larger) return GLIA_NO_MEMORY;
    if (u->n_out) memcpy(larger, u->out, u->n_out);
    gi_free(u->out);
    u->out = larger;
    u->capacity = capacity;
    return GLIA_OK;
}

/* Decompresses the data of a member; *n is how many bytes came. */
static glia_status inflate(struct unpacking *u, size_t *n)
{
    for (;;) {
        size_t read;
        switch (libdeflate_deflate_decompress_ex(u->decompressor, u->bytes + u->at,
                                                 u->n_bytes - u->at, u->out + u->n_out,
                                                 u->capacity - u->n_out, &read, n)) {
        case LIBDEFLATE_SUCCESS:
            u->at += read;
            return GLIA_OK;
        case LIBDEFLATE_INSUFFICIENT_SPACE:
            break;
        default:
            return gi_fail(u->error, GLIA_BAD_FORMAT,
                           "%s: the gzip data from byte %zu on is damaged or cut short; fetch the "
                           "file again",
                           u->path, u->at);
        }
        if (u->capacity == u->max_bytes)
            return gi_fail(u->error, GLIA_BAD_FORMAT,
                           "%s: more than %zu bytes come when decompressed, the most that is read "
                           "from a compressed file of %zu bytes; if that is right, decompress it "
                           "with gunzip",
                           u->path, u->max_bytes, u->n_bytes);
        const glia_status status =
            grow(u, u->capacity < u->max_bytes / 2 ? 2 * u->capacity : u->max_bytes);
        if (status) return status;
    }
}

/* Holds the last n bytes of the output to the trailer. */
static glia_status check_trailer(struct unpacking *u, size_t n)
{
    if (u->n_bytes - u->at < TRAILER) return cut_short(u);
    const uint32_t crc = libdeflate_crc32(0, u->out + u->n_out - n, n);
    const uint32_t expected_crc = little_endian_32(u->bytes + u->at);
    const uint32_t expected_length = little_endian_32(u->bytes + u->at + 4);
    if (crc != expected_crc)
        return gi_fail(u->error, GLIA_BAD_FORMAT,
                       "%s: byte %zu: the gzip data is damaged (incorrect data check: CRC-32 "
                       "%08" PRIx32 ", expected %08" PRIx32 "); fetch the file again",
                       u->path, u->at, crc, expected_crc);
    if ((uint32_t)n != expected_length)
        return gi_fail(u->error, GLIA_BAD_FORMAT,
                       "%s: byte %zu: the gzip data is damaged (incorrect length check: %" PRIu32
                       " bytes, expected %" PRIu32 "); fetch the file again",
                       u->path, u->at + 4, (uint32_t)n, expected_length);
    u->at += TRAILER;
    return GLIA_OK;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* ratio times n bytes, or `always` if that is more. */
static size_t at_ratio(size_t n, size_t ratio, size_t always)
{
    const size_t product = n < SIZE_MAX / ratio ? ratio * n : SIZE_MAX;
    return product > always ? product : always;
}

size_t gi_gzip_ceiling(size_t n_bytes)
{
    return smaller(at_ratio(n_bytes, CEILING_RATIO, CEILING_ALWAYS), (size_t)1 << CEILING_BITS);
}

static bool are_zeros(const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (bytes[i] != 0) return false;
    return true;
}

/* How much room to begin with: at least 1 byte. */
static size_t first_capacity(const uint8_t *bytes, size_t n_bytes, size_t max_bytes)
{
    const size_t hint = n_bytes < TRAILER ? 0 : little_endian_32(bytes + n_bytes - 4);
    const size_t believed = smaller(hint, at_ratio(n_bytes, HINT_RATIO, HINT_ALWAYS));
    return smaller(believed ? believed : 1, max_bytes);
}

size_t gi_gzip_head(const uint8_t *bytes, size_t n_bytes, char *head, size_t room)
{
    struct unpacking u = {.path = "", .bytes = bytes, .n_bytes = n_bytes};
    size_t n = 0, read;
    memset(head, 0, room);
    if (!gi_gzip_is(bytes, n_bytes) || skip_header(&u) != GLIA_OK) return 0;
    u.decompressor = libdeflate_alloc_decompressor();
    if (!u.decompressor) return 0;
    /* libdeflate fills the room before it says that there is more; what it did not reach is 0. */
    libdeflate_deflate_decompress_ex(u.decompressor, bytes + u.at, n_bytes - u.at, head, room,
                                     &read, &n);
    libdeflate_free_decompressor(u.decompressor);
    const char *zero = memchr(head, 0, room);
    return zero ? (size_t)(zero - head) : room;
}

glia_status gi_gzip_open(const char *path, gi_file *out, glia_error *error)
{
    gi_file file = {0};
    glia_status status = gi_file_open_input(path, &file, error);
    if (status || !gi_gzip_is(file.data, file.size)) {
        if (!status) *out = file;
        return status;
    }
    uint8_t *bytes = NULL;
    size_t n = 0;
    status = gi_gzip_decompress(path, file.data, file.size, gi_gzip_ceiling(file.size), &bytes, &n,
                                error);
    gi_file_close(&file);
    if (!status) *out = (gi_file){.data = bytes, .size = n};
    return status;
}

glia_status gi_gzip_decompress(const char *path, const uint8_t *bytes, size_t n_bytes,
                               size_t max_bytes, uint8_t **out, size_t *n_out, glia_error *error)
{
    struct unpacking u = {.path = path,
                          .bytes = bytes,
                          .n_bytes = n_bytes,
                          .max_bytes = max_bytes ? max_bytes : 1,
                          .error = error};
    if (!gi_gzip_is(bytes, n_bytes))
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: byte 0: not gzip, which begins with the bytes 1f 8b", path);
    glia_status status = grow(&u, first_capacity(bytes, n_bytes, u.max_bytes));
    if (status) return status;
    u.decompressor = libdeflate_alloc_decompressor();
    if (!u.decompressor) {
        status = gi_fail(error, GLIA_NO_MEMORY, "%s: out of memory while decompressing", path);
        goto cleanup;
    }
    while (!status && u.at < n_bytes) {
        size_t n = 0;
        if (u.at > 0 && are_zeros(bytes + u.at, n_bytes - u.at)) break; /* tapes fill up so */
        if (bytes[u.at] != 0x1F) {
            status = gi_fail(error, GLIA_BAD_FORMAT,
                             "%s: byte %zu: bytes after the end of the gzip data, expected none",
                             path, u.at);
            break;
        }
        status = skip_header(&u);
        if (!status) status = inflate(&u, &n);
        u.n_out += n;
        if (!status) status = check_trailer(&u, n);
    }
    if (!status) {
        *out = u.out;
        *n_out = u.n_out;
        u.out = NULL;
    }
cleanup:
    libdeflate_free_decompressor(u.decompressor);
    gi_free(u.out);
    return status;
}
