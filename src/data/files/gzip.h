/* SPDX-License-Identifier: MIT */
/* Files compressed by gzip. */
#ifndef GLIA_DATA_FILES_GZIP_H
#define GLIA_DATA_FILES_GZIP_H

#include "base/file.h"
#include "base/status.h"

bool gi_gzip_is(const uint8_t *bytes, size_t n_bytes);

/*
 * Decompresses a gzip file (one or several members) as a whole: *out (*n_out) is freed by gi_free.
 * BAD_FORMAT when more than max_bytes come, for a wrong checksum, a file that is cut short, or
 * bytes after its end, unless they are all zero.
 */
glia_status gi_gzip_decompress(const char *path, const uint8_t *bytes, size_t n_bytes,
                               size_t max_bytes, uint8_t **out, size_t *n_out, glia_error *error);

/* The bytes of a file, or of standard input ("-"), decompressed if they are gzip; closed with
 * gi_file_close. */
glia_status gi_gzip_open(const char *path, gi_file *out, glia_error *error);

/* The beginning of a compressed text, up to room bytes, for a look at what it is: returns how many
 * there are, 0 if it cannot be read. */
size_t gi_gzip_head(const uint8_t *bytes, size_t n_bytes, char *head, size_t room);

/* The most that a compressed file of n_bytes may hold: what holds more was made to fill memory. */
size_t gi_gzip_ceiling(size_t n_bytes);

#endif
