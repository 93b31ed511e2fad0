/* SPDX-License-Identifier: MIT */
/*
 * Zip archives (PKWARE's APPNOTE 6.3.9): the data of the members, then the central directory, whose
 * end is found from the end of the file. Sizes and places of archives or members above 4 GiB stand
 * in fields of zip64. What a local header repeats is not believed, nor read but for its length.
 */
#include "data/files/zip.h"

#include <inttypes.h>
#include <libdeflate.h>
#include <string.h>

#include "base/memory.h"
#include "data/files/gzip.h"

enum {
    LOCAL_HEADER = 30,
    CENTRAL_HEADER = 46,
    END_RECORD = 22,
    LOCATOR_64 = 20,
    END_RECORD_64 = 56,
    MAX_COMMENT = 0xFFFF,
    EXTRA_64 = 1, /* the tag of the extra field of zip64 */
    FLAG_ENCRYPTED = 1,
    MAX_MEMBERS = 1 << 16,
};

static unsigned u16(const uint8_t *b)
{
    return (unsigned)b[0] | (unsigned)b[1] << 8;
}

static uint32_t u32(const uint8_t *b)
{
    return (uint32_t)u16(b) | (uint32_t)u16(b + 2) << 16;
}

static uint64_t u64(const uint8_t *b)
{
    return u32(b) | (uint64_t)u32(b + 4) << 32;
}

static bool has_signature(const uint8_t *b, uint8_t third, uint8_t fourth)
{
    return b[0] == 'P' && b[1] == 'K' && b[2] == third && b[3] == fourth;
}

bool gi_zip_is(const uint8_t *bytes, size_t n_bytes)
{
    return n_bytes >= 4 && (has_signature(bytes, 3, 4) || has_signature(bytes, 5, 6));
}

static glia_status damaged(const gi_zip *zip, size_t at, const char *what, glia_error *error)
{
    return gi_fail(error, GLIA_BAD_FORMAT,
                   "%s: byte %zu: the zip archive is damaged or cut short (%s); copy or save the "
                   "file again",
                   zip->path, at, what);
}

glia_status gi_zip_open(const char *path, const uint8_t *bytes, size_t n_bytes, gi_zip *out,
                        glia_error *error)
{
    gi_zip zip = {.path = path, .bytes = bytes, .n_bytes = n_bytes};
    if (n_bytes < END_RECORD)
        return damaged(&zip, n_bytes, "no end of its directory is found", error);
    const size_t first =
        n_bytes > END_RECORD + MAX_COMMENT ? n_bytes - END_RECORD - MAX_COMMENT : 0;
    size_t end = n_bytes - END_RECORD;
    while (end > first && !has_signature(bytes + end, 5, 6)) end--;
    if (!has_signature(bytes + end, 5, 6))
        return damaged(&zip, n_bytes, "no end of its directory is found", error);

    uint64_t n = u16(bytes + end + 10), size = u32(bytes + end + 12);
    uint64_t directory = u32(bytes + end + 16);
    size_t limit = end; /* the directory ends before it */
    if (end >= LOCATOR_64 && has_signature(bytes + end - LOCATOR_64, 6, 7)) {
        const uint64_t at = u64(bytes + end - LOCATOR_64 + 8);
        if (at > end - LOCATOR_64 || end - LOCATOR_64 - at < END_RECORD_64 ||
            !has_signature(bytes + at, 6, 6))
            return damaged(&zip, end - LOCATOR_64 + 8, "no end record of zip64 is there", error);
        n = u64(bytes + at + 32);
        size = u64(bytes + at + 40);
        directory = u64(bytes + at + 48);
        limit = (size_t)at;
    }
    if (directory > limit || size > limit - directory)
        return damaged(&zip, end + 12, "its directory lies outside of it", error);
    if (n > MAX_MEMBERS || n > size / CENTRAL_HEADER)
        return damaged(&zip, end + 10, "its directory has no room for its members", error);
    zip.n_members = (size_t)n;
    zip.directory = (size_t)directory;
    *out = zip;
    return GLIA_OK;
}

/* Reads a field of zip64 in place of one that is full of ones. */
static bool take_64(const uint8_t **extra, size_t *left, uint64_t *field)
{
    if (*field != UINT32_MAX) return true;
    if (*left < 8) return false;
    *field = u64(*extra);
    *extra += 8;
    *left -= 8;
    return true;
}

/* Sizes and place as the extra field of zip64 has them, where they do not fit elsewhere. */
static bool read_extra_64(const uint8_t *extra, size_t n, uint64_t *size, uint64_t *packed_size,
                          uint64_t *local)
{
    if (*size != UINT32_MAX && *packed_size != UINT32_MAX && *local != UINT32_MAX) return true;
    while (n >= 4) {
        size_t left = u16(extra + 2);
        const unsigned tag = u16(extra);
        extra += 4;
        n -= 4;
        if (left > n) return false;
        if (tag == EXTRA_64)
            return take_64(&extra, &left, size) && take_64(&extra, &left, packed_size) &&
                   take_64(&extra, &left, local);
        extra += left;
        n -= left;
    }
    return false;
}

glia_status gi_zip_next(const gi_zip *zip, size_t *at, gi_zip_member *out, bool *found,
                        glia_error *error)
{
    const size_t here = *at == GI_ZIP_BEGIN ? zip->directory : *at;
    const uint8_t *b = zip->bytes + here;
    const size_t rest = zip->n_bytes - here;
    *found = rest >= 4 && has_signature(b, 1, 2);
    if (!*found) {
        if (*at == GI_ZIP_BEGIN && zip->n_members > 0)
            return damaged(zip, here, "no member of its directory begins there", error);
        return GLIA_OK;
    }
    if (rest < CENTRAL_HEADER) return damaged(zip, here, "its directory ends early", error);
    const size_t name_length = u16(b + 28), extra_length = u16(b + 30), comment = u16(b + 32);
    if (rest - CENTRAL_HEADER < name_length + extra_length + comment)
        return damaged(zip, here, "its directory ends early", error);
    uint64_t packed_size = u32(b + 20), size = u32(b + 24), local = u32(b + 42);
    if (!read_extra_64(b + CENTRAL_HEADER + name_length, extra_length, &size, &packed_size, &local))
        return damaged(zip, here, "sizes of zip64 are missing", error);
    if (u16(b + 8) & FLAG_ENCRYPTED)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: byte %zu: the zip archive is encrypted, expected one as numpy.savez "
                       "writes it",
                       zip->path, here + 8);
    if (local > zip->n_bytes || zip->n_bytes - local < LOCAL_HEADER ||
        !has_signature(zip->bytes + local, 3, 4))
        return damaged(zip, here + 42, "no member is where its directory says", error);
    const uint8_t *header = zip->bytes + local;
    const size_t before = LOCAL_HEADER + (size_t)u16(header + 26) + u16(header + 28);
    if (zip->n_bytes - local < before || zip->n_bytes - local - before < packed_size)
        return damaged(zip, here + 20, "a member is longer than the file", error);
    const unsigned method = u16(b + 10);
    if (method == GI_ZIP_STORED && size != packed_size)
        return damaged(zip, here + 24, "a stored member has two sizes", error);
    *out = (gi_zip_member){
        .name = b + CENTRAL_HEADER,
        .name_length = name_length,
        .method = method,
        .crc = u32(b + 16),
        .size = (size_t)size,
        .packed = header + before,
        .packed_size = (size_t)packed_size,
    };
    *at = here + CENTRAL_HEADER + name_length + extra_length + comment;
    return GLIA_OK;
}

/* Decompresses into a block of exactly the size that the directory says. */
static glia_status inflate(const gi_zip *zip, const gi_zip_member *m, uint8_t **out,
                           glia_error *error)
{
    const size_t at = (size_t)(m->packed - zip->bytes);
    if (m->size > gi_gzip_ceiling(m->packed_size))
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: byte %zu: %zu bytes come of %zu compressed ones, more than is read; if "
                       "that is right, save the arrays with numpy.savez, without compression",
                       zip->path, at, m->size, m->packed_size);
    uint8_t *data = gi_alloc_unset(m->size ? m->size : 1, 1, zip->path, error);
    if (!data) return GLIA_NO_MEMORY;
    struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
    enum libdeflate_result result = LIBDEFLATE_BAD_DATA;
    if (decompressor)
        result = libdeflate_deflate_decompress(decompressor, m->packed, m->packed_size, data,
                                               m->size, NULL);
    libdeflate_free_decompressor(decompressor);
    if (decompressor && result == LIBDEFLATE_SUCCESS) {
        *out = data;
        return GLIA_OK;
    }
    gi_free(data);
    if (!decompressor)
        return gi_fail(error, GLIA_NO_MEMORY, "%s: out of memory while decompressing", zip->path);
    return damaged(zip, at, "its data do not decompress to the size that they should have", error);
}

glia_status gi_zip_read(const gi_zip *zip, const gi_zip_member *member, const uint8_t **data,
                        uint8_t **owned, glia_error *error)
{
    const size_t at = (size_t)(member->packed - zip->bytes);
    uint8_t *block = NULL;
    if (member->method == GI_ZIP_DEFLATED) {
        const glia_status status = inflate(zip, member, &block, error);
        if (status) return status;
    } else if (member->method != GI_ZIP_STORED) {
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: byte %zu: a member is compressed by method %u, expected stored or "
                       "deflated, as numpy.savez and numpy.savez_compressed write",
                       zip->path, at, member->method);
    }
    const uint8_t *bytes = block ? block : member->packed;
    const uint32_t crc = libdeflate_crc32(0, bytes, member->size);
    if (crc != member->crc) {
        gi_free(block);
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: byte %zu: the data are damaged (CRC-32 %08" PRIx32
                       ", expected %08" PRIx32 "); copy or save the file again",
                       zip->path, at, crc, member->crc);
    }
    *data = bytes;
    *owned = block;
    return GLIA_OK;
}
