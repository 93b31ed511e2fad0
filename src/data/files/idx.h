/* SPDX-License-Identifier: MIT */
/* LeCun's IDX format, read from memory, so that a fuzzer can call it. */
#ifndef GLIA_DATA_FILES_IDX_H
#define GLIA_DATA_FILES_IDX_H

#include "base/status.h"

/* An array of unsigned bytes of up to 4 dimensions; labels may be 32-bit integers, big-endian. */
typedef struct gi_idx {
    size_t n_dims;
    size_t dims[4];
    size_t width;        /* of an element: 1, or 4 */
    size_t size;         /* product of dims and width: bytes of data */
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

/* The same of labels, which may be integers of 32 bits. */
glia_status gi_idx_parse_labels(const char *path, const uint8_t *bytes, size_t n_bytes, gi_idx *out,
                                glia_error *error);

/*
 * One split from a folder of IDX files (gi_idx_find_file). name is the data set's. class_names
 * (classes), or NULL: the labels themselves. classes 0: those that are labels of either split.
 * Images of (n, height, width) or (n, features). Uncompressed images stay in the mapped file. form
 * is GI_FORM_SCALE for images; who knows better sets it.
 */
glia_status gi_idx_open_folder(const char *folder, const char *name, glia_split split,
                               const char *const *class_names, size_t classes, glia_dataset **out,
                               glia_error *error);

/* The four file names, [split][0] images, [split][1] labels, without ".gz". */
extern const char *const gi_idx_file_names[2][2];

/* The path of a file of a folder, plain before ".gz"; found says whether it is there. NULL: no
 * memory. Freed with gi_free. */
char *gi_idx_find(const char *folder, const char *file, bool *found, glia_error *error);

/*
 * The path of the images or labels of a split, by their usual name, or by one like it: with words
 * before it (emnist-letters-train-images-idx3-ubyte), with a point (train-images.idx3-ubyte), with
 * test for t10k, or idx2-int. *out is NULL if there is none. BAD_FORMAT: there are several.
 */
glia_status gi_idx_find_file(const char *folder, glia_split split, bool are_labels, char **out,
                             glia_error *error);

#endif
