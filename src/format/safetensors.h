/* SPDX-License-Identifier: MIT */
/*
 * safetensors, the container: 8 bytes little-endian header length, a JSON header that names dtype,
 * shape and offsets of each tensor, then the data. Knows tensors and metadata, no network.
 */
#ifndef GLIA_FORMAT_SAFETENSORS_H
#define GLIA_FORMAT_SAFETENSORS_H

#include <jansson.h>

#include "base/status.h"

/* The format sets no limit to the dimensions; this one is ours. */
enum { GI_TENSOR_MAX_DIMS = 8 };

typedef struct gi_tensor {
    const char *name; /* UTF-8 */
    char dtype[8];    /* "F32", ... */
    size_t n_dims;
    size_t shape[GI_TENSOR_MAX_DIMS];
    const uint8_t *data; /* little-endian, not aligned */
    size_t n_bytes;
} gi_tensor;

typedef struct gi_safetensors {
    gi_tensor *tensors; /* (n_tensors), in the order of their data */
    size_t n_tensors;
    const char **metadata; /* (2 * n_metadata): key, value, key, value ...; UTF-8 */
    size_t n_metadata;
    json_t *header; /* of a file that was read: what the strings belong to; else NULL */
} gi_safetensors;

/*
 * Checks every rule of the format. The tensors borrow their data from bytes; the rest of *out is
 * to be freed with gi_safetensors_free. BAD_FORMAT, UNSUPPORTED (more dimensions than
 * GI_TENSOR_MAX_DIMS) or NO_MEMORY.
 */
glia_status gi_safetensors_parse(const char *path, const uint8_t *bytes, size_t n_bytes,
                                 gi_safetensors *out, glia_error *error);
void gi_safetensors_free(gi_safetensors *file);

/* The tensor or metadata value of that name, or NULL. */
const gi_tensor *gi_safetensors_find(const gi_safetensors *file, const char *name);
const char *gi_safetensors_metadata(const gi_safetensors *file, const char *key);

/* Writes atomically: header, then the tensors in their order. Same input, same bytes. */
glia_status gi_safetensors_write(const char *path, const gi_safetensors *file, glia_error *error);

/* The same bytes in memory: *bytes (size), to be freed; path is for messages. */
glia_status gi_safetensors_pack(const char *path, const gi_safetensors *file, void **bytes,
                                size_t *size, glia_error *error);

#endif
