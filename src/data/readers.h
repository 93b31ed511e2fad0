/* SPDX-License-Identifier: MIT */
/*
 * The readers: bytes from outside become data sets and images. Each trusts nothing: a size is
 * checked against the bytes that are there before it is used, and a message names the file, the
 * byte, what was found, what was expected, and what to do. All read from memory, so that a fuzzer
 * can call them.
 */
#ifndef GLIA_DATA_READERS_H
#define GLIA_DATA_READERS_H

#include "base/file.h"
#include "base/status.h"

/* ---- idx.c: LeCun's IDX format ---- */

/* An array of unsigned bytes of up to 4 dimensions. */
typedef struct gi_idx {
    size_t n_dims;
    size_t dims[4];
    size_t size;         /* product of dims: bytes of data */
    const uint8_t *data; /* into the caller's bytes, or into owned */
    uint8_t *owned;      /* the decompressed file; freed by gi_idx_free; else NULL */
} gi_idx;

/*
 * Reads IDX from bytes (path is for messages), compressed by gzip or not (told by the magic
 * number). Uncompressed data is borrowed from bytes. Refuses other element types than u8, more
 * than 4 dimensions, sizes that do not match the bytes exactly, and what gi_gzip_decompress does.
 */
glia_status gi_idx_parse(const char *path, const uint8_t *bytes, size_t n_bytes, gi_idx *out,
                         glia_error *error);
void gi_idx_free(gi_idx *idx);

/*
 * One split from a folder of IDX files (train-images-idx3-ubyte[.gz] ... as MNIST's). name is the
 * data set's. class_names (classes), or NULL: "0", "1", ... classes 0: as many as the largest label
 * of both splits says. Images of (n, height, width) or (n, features). Uncompressed images stay in
 * the mapped file. form is GI_FORM_SCALE for images; who knows better sets it.
 */
glia_status gi_idx_open_folder(const char *folder, const char *name, glia_split split,
                               const char *const *class_names, size_t classes, glia_dataset **out,
                               glia_error *error);

/* The four file names, [split][0] images, [split][1] labels, without ".gz". */
extern const char *const gi_idx_file_names[2][2];

/* The path of a file of a folder, plain before ".gz"; found says whether it is there. NULL: no
 * memory. Freed with gi_free. */
char *gi_idx_find(const char *folder, const char *file, bool *found, glia_error *error);

/* ---- gzip.c ---- */

bool gi_gzip_is(const uint8_t *bytes, size_t n_bytes);

/*
 * Decompresses a gzip file (one or several members) as a whole: *out (*n_out) is freed by gi_free.
 * BAD_FORMAT when more than max_bytes come, for a wrong checksum, a file that is cut short, or
 * bytes after its end.
 */
glia_status gi_gzip_decompress(const char *path, const uint8_t *bytes, size_t n_bytes,
                               size_t max_bytes, uint8_t **out, size_t *n_out, glia_error *error);

/* The most that a compressed file of n_bytes may hold: what holds more was made to fill memory. */
size_t gi_gzip_ceiling(size_t n_bytes);

/* ---- image_file.c: PNG (where libpng is) and PGM ---- */

glia_status gi_image_parse(const char *path, const uint8_t *bytes, size_t n_bytes, glia_image *out,
                           glia_error *error);

/* ---- image_form.c ---- */

/*
 * Brings an image into a form: pixels (height, width). See glia_network_fit_image, whose rule this
 * is. form is GI_FORM_SCALE or GI_FORM_MNIST (enum gi_image_form in data/dataset.h).
 */
glia_status gi_image_fit(const glia_image *image, int form, size_t height, size_t width,
                         uint8_t *pixels, bool *changed, glia_error *error);

/* ---- named.c, fetch.c ---- */

/* What fetch.c downloads: a file, from each base URL in turn, checked before it takes its name. */
typedef struct gi_download {
    const char *file;              /* "train-images-idx3-ubyte.gz" */
    const char *const *base_urls;  /* NULL-terminated */
    const char *folder;            /* where it goes; made if absent */
    const char *sha256_of_content; /* hex, of the uncompressed bytes; or NULL */
    const char *md5;               /* hex, of the file itself; or NULL */
} gi_download;

glia_status gi_fetch(const gi_download *download, glia_fetch_progress *progress, void *user,
                     glia_error *error);

#endif
