/* SPDX-License-Identifier: MIT */
/*
 * Gzip (RFC 1952) through zlib: a file of one or several members, read in pieces.
 *
 * Invariant: `next` and `left` are what zlib has not seen yet; stream.next_in and avail_in what it
 * has been given and not used. avail_in is refilled only when it is 0, so at a member's end the
 * bytes that follow are at stream.next_in.
 */
#include <limits.h>
#include <string.h>
#include <zlib.h>

#include "base/memory.h"
#include "data/readers.h"

struct gi_gzip {
    const char *path; /* borrowed */
    z_stream stream;
    const uint8_t *next;
    size_t left;
    size_t n_bytes; /* of the file */
    bool member_ended;
};

static voidpf zlib_alloc(voidpf opaque, uInt count, uInt size)
{
    (void)opaque;
    return gi_alloc(count, size, "zlib", NULL);
}

static void zlib_free(voidpf opaque, voidpf block)
{
    (void)opaque;
    gi_free(block);
}

bool gi_gzip_is(const uint8_t *bytes, size_t n_bytes)
{
    return n_bytes >= 2 && bytes[0] == 0x1F && bytes[1] == 0x8B;
}

glia_status gi_gzip_open(const char *path, const uint8_t *bytes, size_t n_bytes, gi_gzip **out,
                         glia_error *error)
{
    if (!gi_gzip_is(bytes, n_bytes))
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: byte 0: not gzip, which begins with the bytes 1f 8b", path);
    gi_gzip *gzip = gi_alloc(1, sizeof *gzip, "gzip", error);
    if (!gzip) return GLIA_NO_MEMORY;
    gzip->path = path;
    gzip->next = bytes;
    gzip->left = gzip->n_bytes = n_bytes;
    gzip->stream.zalloc = zlib_alloc;
    gzip->stream.zfree = zlib_free;
    if (inflateInit2(&gzip->stream, 16 + MAX_WBITS) != Z_OK) { /* 16: gzip, not zlib's format */
        gi_free(gzip);
        return gi_fail(error, GLIA_NO_MEMORY, "%s: out of memory", path);
    }
    *out = gzip;
    return GLIA_OK;
}

void gi_gzip_free(gi_gzip *gzip)
{
    if (!gzip) return;
    inflateEnd(&gzip->stream);
    gi_free(gzip);
}

static void refill(gi_gzip *gzip)
{
    if (gzip->stream.avail_in > 0) return;
    const uInt n = gzip->left < UINT_MAX ? (uInt)gzip->left : UINT_MAX;
    gzip->stream.next_in = (z_const Bytef *)(uintptr_t)gzip->next; /* zlib does not write there */
    gzip->stream.avail_in = n;
    gzip->next += n;
    gzip->left -= n;
}

/* Where in the file zlib has come to. */
static size_t position(const gi_gzip *gzip)
{
    return gzip->n_bytes - gzip->left - gzip->stream.avail_in;
}

glia_status gi_gzip_some(gi_gzip *gzip, uint8_t *out, size_t n, size_t *got, glia_error *error)
{
    z_stream *stream = &gzip->stream;
    *got = 0;
    while (*got < n) {
        refill(gzip);
        if (gzip->member_ended) {
            if (stream->avail_in == 0) return GLIA_OK;
            if (stream->next_in[0] != 0x1F)
                return gi_fail(error, GLIA_BAD_FORMAT,
                               "%s: byte %zu: bytes after the end of the gzip data, expected none",
                               gzip->path, position(gzip));
            gzip->member_ended = false;
            inflateReset(stream);
        }
        const uInt room = n - *got < UINT_MAX ? (uInt)(n - *got) : UINT_MAX;
        stream->next_out = out + *got;
        stream->avail_out = room;
        const int result = inflate(stream, Z_NO_FLUSH);
        *got += room - stream->avail_out;
        switch (result) {
        case Z_OK:
            break;
        case Z_STREAM_END:
            gzip->member_ended = true;
            break;
        case Z_BUF_ERROR: /* no progress: there is room, so the input has run out */
            return gi_fail(error, GLIA_BAD_FORMAT,
                           "%s: byte %zu: the gzip data is cut short; fetch the file again",
                           gzip->path, gzip->n_bytes);
        case Z_MEM_ERROR:
            return gi_fail(error, GLIA_NO_MEMORY, "%s: out of memory while decompressing",
                           gzip->path);
        default:
            return gi_fail(error, GLIA_BAD_FORMAT,
                           "%s: byte %zu: the gzip data is damaged (%s); fetch the file again",
                           gzip->path, position(gzip), stream->msg ? stream->msg : "zlib");
        }
    }
    return GLIA_OK;
}

glia_status gi_gzip_read(gi_gzip *gzip, uint8_t *out, size_t n, glia_error *error)
{
    size_t got;
    const glia_status status = gi_gzip_some(gzip, out, n, &got, error);
    if (!status && got < n)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: too short: only %zu of %zu bytes are there when decompressed",
                       gzip->path, got, n);
    return status;
}

glia_status gi_gzip_end(gi_gzip *gzip, glia_error *error)
{
    uint8_t byte;
    size_t got;
    const glia_status status = gi_gzip_some(gzip, &byte, 1, &got, error);
    if (!status && got > 0)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: too long: more bytes come, decompressed, than its header says",
                       gzip->path);
    return status;
}
