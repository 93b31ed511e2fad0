/* SPDX-License-Identifier: MIT */
/*
 * LeCun's IDX format: bytes 0 0 TYPE N, then N sizes (big-endian, 32 bits), then the elements.
 * And folders of four such files, as MNIST's.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "data/dataset.h"
#include "data/readers.h"

enum { IDX_U8 = 0x08, MAX_DIMS = 4, MAX_HEADER = 4 + 4 * MAX_DIMS };

const char *const gi_idx_file_names[2][2] = {
    {"train-images-idx3-ubyte", "train-labels-idx1-ubyte"},
    {"t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"},
};

static const char *type_name(unsigned type)
{
    switch (type) {
    case IDX_U8:
        return "unsigned bytes";
    case 0x09:
        return "signed bytes";
    case 0x0B:
        return "16-bit integers";
    case 0x0C:
        return "32-bit integers";
    case 0x0D:
        return "32-bit floats";
    case 0x0E:
        return "64-bit floats";
    default:
        return "no type of IDX";
    }
}

static glia_status too_short(const char *path, bool packed, size_t size, size_t expected,
                             glia_error *error)
{
    if (packed)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: too short: only %zu of %zu bytes are there when decompressed", path,
                       size, expected);
    return gi_fail(error, GLIA_BAD_FORMAT,
                   "%s: byte %zu: the file ends there, expected %zu bytes; fetch or copy the file "
                   "again",
                   path, size, expected);
}

/* The first four bytes: sets out->n_dims. */
static glia_status parse_magic(const char *path, const uint8_t magic[4], gi_idx *out,
                               glia_error *error)
{
    if (magic[0] != 0 || magic[1] != 0)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: byte 0: found %02x %02x, expected 00 00: not an IDX file", path,
                       magic[0], magic[1]);
    if (magic[2] != IDX_U8)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: byte 2: the elements are of type 0x%02x (%s), expected 0x08 (unsigned "
                       "bytes), the only one that glia reads",
                       path, magic[2], type_name(magic[2]));
    if (magic[3] < 1 || magic[3] > MAX_DIMS)
        return gi_fail(error, GLIA_BAD_FORMAT, "%s: byte 3: %u dimensions, expected 1 to %d", path,
                       magic[3], (int)MAX_DIMS);
    out->n_dims = magic[3];
    return GLIA_OK;
}

/* The sizes, 4 * n_dims bytes from byte 4 on: sets out->dims and out->size. */
static glia_status parse_dims(const char *path, const uint8_t *bytes, gi_idx *out,
                              glia_error *error)
{
    uint64_t size = 1;
    for (size_t d = 0; d < out->n_dims; d++) {
        const uint8_t *b = bytes + 4 * d;
        const uint32_t dim =
            (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
        if (dim == 0)
            return gi_fail(error, GLIA_BAD_FORMAT,
                           "%s: byte %zu: dimension %zu is 0, expected at least 1", path, 4 + 4 * d,
                           d);
        if (size > (SIZE_MAX - MAX_HEADER) / dim)
            return gi_fail(error, GLIA_BAD_FORMAT,
                           "%s: byte %zu: dimension %zu, %" PRIu32
                           ", makes the array larger than memory can be",
                           path, 4 + 4 * d, d, dim);
        size *= dim;
        out->dims[d] = dim;
    }
    out->size = (size_t)size;
    return GLIA_OK;
}

/* packed: the bytes come from a compressed file, which is for messages. */
static glia_status parse(const char *path, bool packed, const uint8_t *bytes, size_t n_bytes,
                         gi_idx *out, glia_error *error)
{
    if (n_bytes < 4) return too_short(path, packed, n_bytes, 4, error);
    glia_status status = parse_magic(path, bytes, out, error);
    if (status) return status;
    const size_t header = 4 + 4 * out->n_dims;
    if (n_bytes < header) return too_short(path, packed, n_bytes, header, error);
    status = parse_dims(path, bytes + 4, out, error);
    if (status) return status;
    const size_t n_data = n_bytes - header;
    if (n_data < out->size) return too_short(path, packed, n_bytes, header + out->size, error);
    if (n_data > out->size && packed)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: too long: %zu more bytes come, decompressed, than its header says",
                       path, n_data - out->size);
    if (n_data > out->size)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: byte %zu: %zu bytes after the array's end, expected none", path,
                       header + out->size, n_data - out->size);
    out->data = bytes + header;
    return GLIA_OK;
}

glia_status gi_idx_parse(const char *path, const uint8_t *bytes, size_t n_bytes, gi_idx *out,
                         glia_error *error)
{
    gi_idx idx = {0};
    const bool packed = gi_gzip_is(bytes, n_bytes);
    glia_status status = GLIA_OK;
    if (packed) {
        status = gi_gzip_decompress(path, bytes, n_bytes, gi_gzip_ceiling(n_bytes), &idx.owned,
                                    &n_bytes, error);
        bytes = idx.owned;
    }
    if (!status) status = parse(path, packed, bytes, n_bytes, &idx, error);
    if (status)
        gi_idx_free(&idx);
    else
        *out = idx;
    return status;
}

void gi_idx_free(gi_idx *idx)
{
    gi_free(idx->owned);
    *idx = (gi_idx){0};
}

/* ---- Folders ------------------------------------------------------------------------------- */

/* An array of a folder, with the file that it may point into. */
struct array {
    char *path;
    gi_file file;
    gi_idx idx;
};

static void array_free(struct array *array)
{
    gi_idx_free(&array->idx);
    gi_file_close(&array->file);
    gi_free(array->path);
    *array = (struct array){0};
}

char *gi_idx_find(const char *folder, const char *file, bool *found, glia_error *error)
{
    *found = true;
    char *path = gi_format(error, "%s/%s", folder, file);
    if (!path || gi_file_exists(path)) return path;
    gi_free(path);
    path = gi_format(error, "%s/%s.gz", folder, file);
    if (path) *found = gi_file_exists(path);
    return path;
}

/* Opens folder/file or folder/file.gz. */
static glia_status array_open(const char *folder, const char *file, struct array *out,
                              glia_error *error)
{
    struct array array = {0};
    glia_status status = GLIA_OK;
    bool found;
    array.path = gi_idx_find(folder, file, &found, error);
    if (!array.path) return GLIA_NO_MEMORY;
    if (!found)
        status = gi_fail(error, GLIA_NOT_FOUND,
                         "%s: has neither %s nor %s.gz; a folder of data needs both files of a "
                         "split, images and labels",
                         folder, file, file);
    if (!status) status = gi_file_open(array.path, &array.file, error);
    if (!status)
        status = gi_idx_parse(array.path, array.file.data, array.file.size, &array.idx, error);
    if (!status && array.idx.owned) gi_file_close(&array.file); /* decompressed: no longer needed */
    if (status)
        array_free(&array);
    else
        *out = array;
    return status;
}

static glia_status labels_open(const char *folder, glia_split split, struct array *out,
                               glia_error *error)
{
    const glia_status status = array_open(folder, gi_idx_file_names[split][1], out, error);
    if (!status && out->idx.n_dims != 1) {
        const size_t n_dims = out->idx.n_dims;
        gi_fail(error, GLIA_BAD_FORMAT,
                "%s: byte 3: %zu dimensions, expected 1 for labels (are images and labels "
                "exchanged?)",
                out->path, n_dims);
        array_free(out);
        return GLIA_BAD_FORMAT;
    }
    return status;
}

static size_t largest(const gi_idx *idx)
{
    uint8_t max = 0;
    for (size_t i = 0; i < idx->size; i++)
        if (idx->data[i] > max) max = idx->data[i];
    return max;
}

/*
 * As many classes as the largest label of either split says, so that a test set that lacks the last
 * class still fits a network trained on the other; at least 2.
 */
static glia_status count_classes(const char *folder, glia_split split, const gi_idx *labels,
                                 size_t *out, glia_error *error)
{
    size_t classes = largest(labels) + 1;
    const glia_split other_split = split == GLIA_TRAIN ? GLIA_TEST : GLIA_TRAIN;
    bool found;
    char *path = gi_idx_find(folder, gi_idx_file_names[other_split][1], &found, error);
    if (!path) return GLIA_NO_MEMORY;
    gi_free(path);
    if (found) {
        struct array other = {0};
        const glia_status status = labels_open(folder, other_split, &other, error);
        if (status) return status;
        if (largest(&other.idx) + 1 > classes) classes = largest(&other.idx) + 1;
        array_free(&other);
    }
    *out = classes < 2 ? 2 : classes;
    return GLIA_OK;
}

glia_status gi_idx_open_folder(const char *folder, const char *name, glia_split split,
                               const char *const *class_names, size_t classes, glia_dataset **out,
                               glia_error *error)
{
    struct array images = {0}, labels = {0};
    glia_dataset *dataset = NULL;
    glia_status status = array_open(folder, gi_idx_file_names[split][0], &images, error);
    if (!status) status = labels_open(folder, split, &labels, error);
    if (status) goto cleanup;

    const size_t *dims = images.idx.dims;
    const size_t n_dims = images.idx.n_dims, samples = dims[0];
    if (n_dims != 2 && n_dims != 3) {
        status = gi_fail(error, GLIA_BAD_FORMAT,
                         "%s: byte 3: %zu dimensions, expected 3 (samples, height, width) or 2 "
                         "(samples, features)",
                         images.path, n_dims);
        goto cleanup;
    }
    if (samples != labels.idx.dims[0]) {
        status = gi_fail(error, GLIA_BAD_FORMAT,
                         "%s: byte 4: %zu labels, expected %zu, one for each image of %s",
                         labels.path, labels.idx.dims[0], samples, images.path);
        goto cleanup;
    }
    if (classes == 0) {
        status = count_classes(folder, split, &labels.idx, &classes, error);
        if (status) goto cleanup;
    }
    for (size_t i = 0; i < samples; i++) {
        if (labels.idx.data[i] < classes) continue;
        status =
            gi_fail(error, GLIA_BAD_FORMAT,
                    "%s: byte %zu%s: label %u of sample %zu, expected 0 to %zu", labels.path, 8 + i,
                    labels.idx.owned ? " (decompressed)" : "", labels.idx.data[i], i, classes - 1);
        goto cleanup;
    }

    status = gi_dataset_new(name, GLIA_U8, samples, images.idx.size / samples, classes, class_names,
                            &dataset, error);
    if (status) goto cleanup;
    if (n_dims == 3) {
        dataset->height = dims[1];
        dataset->width = dims[2];
        dataset->channels = 1;
        dataset->form = GI_FORM_SCALE;
    }
    dataset->owned_labels = gi_alloc(samples, sizeof *dataset->owned_labels, "labels", error);
    if (!dataset->owned_labels) {
        status = GLIA_NO_MEMORY;
        goto cleanup;
    }
    for (size_t i = 0; i < samples; i++) dataset->owned_labels[i] = labels.idx.data[i];
    dataset->labels = dataset->owned_labels;

    dataset->x = images.idx.data;
    dataset->owned_x = images.idx.owned; /* either the block moves over, or the mapped file */
    dataset->file = images.file;
    images.idx.owned = NULL;
    images.file = (gi_file){0};

    *out = dataset;
    dataset = NULL;
cleanup:
    glia_dataset_free(dataset);
    array_free(&images);
    array_free(&labels);
    return status;
}
