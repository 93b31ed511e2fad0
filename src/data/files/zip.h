/* SPDX-License-Identifier: MIT */
/* Zip archives, as far as NumPy writes them: members that are stored or deflated. */
#ifndef GLIA_DATA_FILES_ZIP_H
#define GLIA_DATA_FILES_ZIP_H

#include "base/status.h"

/* A member of an archive, as the central directory has it; checked to lie within the bytes. */
typedef struct gi_zip_member {
    const uint8_t *name; /* (name_length), in the bytes; no NUL */
    size_t name_length;
    unsigned method;       /* GI_ZIP_STORED or GI_ZIP_DEFLATED */
    uint32_t crc;          /* of the data */
    size_t size;           /* of the data */
    const uint8_t *packed; /* (packed_size), in the bytes */
    size_t packed_size;
} gi_zip_member;

enum { GI_ZIP_STORED = 0, GI_ZIP_DEFLATED = 8 };

typedef struct gi_zip {
    const char *path; /* for messages */
    const uint8_t *bytes;
    size_t n_bytes;
    size_t n_members;
    size_t directory; /* where the central directory begins */
} gi_zip;

bool gi_zip_is(const uint8_t *bytes, size_t n_bytes);

/* Finds the directory; all is borrowed. BAD_FORMAT. */
glia_status gi_zip_open(const char *path, const uint8_t *bytes, size_t n_bytes, gi_zip *out,
                        glia_error *error);

/* The next member; *at is GI_ZIP_BEGIN before the first. *found is false after the last. */
enum { GI_ZIP_BEGIN = 0 };
glia_status gi_zip_next(const gi_zip *zip, size_t *at, gi_zip_member *out, bool *found,
                        glia_error *error);

/*
 * The data of a member, whose checksum is checked: of a stored one in the bytes (*owned is NULL),
 * else in a block of its own. BAD_FORMAT also for more than gi_gzip_ceiling allows.
 */
glia_status gi_zip_read(const gi_zip *zip, const gi_zip_member *member, const uint8_t **data,
                        uint8_t **owned, glia_error *error);

#endif
