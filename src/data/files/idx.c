/* SPDX-License-Identifier: MIT */
/*
 * LeCun's IDX format: bytes 0 0 TYPE N, then N sizes (big-endian, 32 bits), then the elements.
 * And folders of four such files, as MNIST's and its kin's.
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/files/gzip.h"
#include "data/files/idx.h"
#include "data/set/dataset.h"

enum { IDX_U8 = 0x08, IDX_I32 = 0x0C, MAX_DIMS = 4, MAX_HEADER = 4 + 4 * MAX_DIMS };

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
    case IDX_I32:
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

/* The first four bytes: sets out->n_dims and out->width. Labels may be integers of 32 bits. */
static glia_status parse_magic(const char *path, const uint8_t magic[4], bool are_labels,
                               gi_idx *out, glia_error *error)
{
    if (magic[0] != 0 || magic[1] != 0)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: byte 0: found %02x %02x, expected 00 00: not an IDX file", path,
                       magic[0], magic[1]);
    if (magic[2] != IDX_U8 && !(are_labels && magic[2] == IDX_I32))
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: byte 2: the elements are of type 0x%02x (%s), expected 0x08 (unsigned "
                       "bytes)%s",
                       path, magic[2], type_name(magic[2]),
                       are_labels ? " or 0x0c (32-bit integers)" : "");
    out->width = magic[2] == IDX_I32 ? 4 : 1;
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
        if (size > (SIZE_MAX - MAX_HEADER) / out->width / dim)
            return gi_fail(error, GLIA_BAD_FORMAT,
                           "%s: byte %zu: dimension %zu, %" PRIu32
                           ", makes the array larger than memory can be",
                           path, 4 + 4 * d, d, dim);
        size *= dim;
        out->dims[d] = dim;
    }
    out->size = (size_t)size * out->width;
    return GLIA_OK;
}

/* packed: the bytes come from a compressed file, which is for messages. */
static glia_status parse(const char *path, bool packed, bool are_labels, const uint8_t *bytes,
                         size_t n_bytes, gi_idx *out, glia_error *error)
{
    if (n_bytes < 4) return too_short(path, packed, n_bytes, 4, error);
    glia_status status = parse_magic(path, bytes, are_labels, out, error);
    if (status) return status;
    const size_t header = 4 + 4 * out->n_dims;
    if (n_bytes < header) return too_short(path, packed, n_bytes, header, error);
    status = parse_dims(path, bytes + 4, out, error);
    if (status) return status;
    const size_t n_data = n_bytes - header;
    if (n_data < out->size) return too_short(path, packed, n_bytes, header + out->size, error);
    if (n_data > out->size && packed)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: too long: %zu more byte%s when decompressed than its header says", path,
                       n_data - out->size, n_data - out->size == 1 ? " comes" : "s come");
    if (n_data > out->size)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: byte %zu: found %zu byte%s after the array's end, expected none", path,
                       header + out->size, n_data - out->size, n_data - out->size == 1 ? "" : "s");
    out->data = bytes + header;
    return GLIA_OK;
}

static glia_status parse_packed(const char *path, bool are_labels, const uint8_t *bytes,
                                size_t n_bytes, gi_idx *out, glia_error *error)
{
    gi_idx idx = {0};
    const bool packed = gi_gzip_is(bytes, n_bytes);
    glia_status status = GLIA_OK;
    if (packed) {
        status = gi_gzip_decompress(path, bytes, n_bytes, gi_gzip_ceiling(n_bytes), &idx.owned,
                                    &n_bytes, error);
        bytes = idx.owned;
    }
    if (!status) status = parse(path, packed, are_labels, bytes, n_bytes, &idx, error);
    if (status)
        gi_idx_free(&idx);
    else
        *out = idx;
    return status;
}

glia_status gi_idx_parse(const char *path, const uint8_t *bytes, size_t n_bytes, gi_idx *out,
                         glia_error *error)
{
    return parse_packed(path, false, bytes, n_bytes, out, error);
}

glia_status gi_idx_parse_labels(const char *path, const uint8_t *bytes, size_t n_bytes, gi_idx *out,
                                glia_error *error)
{
    return parse_packed(path, true, bytes, n_bytes, out, error);
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

/* ---- Names of files ------------------------------------------------------------------------ */

/* What the name of a file says: "emnist-letters-train-images-idx3-ubyte.gz", say. */
struct named_file {
    size_t prefix; /* how long what stands before train, t10k or test is */
    glia_split split;
    bool are_labels;
};

/* Whether text begins with a word; steps over it. */
static bool step_over(const char **text, const char *word)
{
    const size_t n = strlen(word);
    if (strncmp(*text, word, n) != 0) return false;
    *text += n;
    return true;
}

/* Of what stands in a name from its split on. */
static bool parse_rest(const char *rest, struct named_file *out)
{
    out->split = step_over(&rest, "train-") ? GLIA_SPLIT_TRAIN : GLIA_SPLIT_TEST;
    if (out->split == GLIA_SPLIT_TEST && !step_over(&rest, "t10k-") && !step_over(&rest, "test-"))
        return false;
    out->are_labels = step_over(&rest, "labels");
    if (!out->are_labels && !step_over(&rest, "images")) return false;
    if (!step_over(&rest, "-") && !step_over(&rest, ".")) return false;
    const bool is_idx = out->are_labels
                            ? step_over(&rest, "idx1-ubyte") || step_over(&rest, "idx2-int")
                            : step_over(&rest, "idx3-ubyte") || step_over(&rest, "idx2-ubyte");
    step_over(&rest, ".gz");
    return is_idx && !*rest;
}

static bool parse_name(const char *name, struct named_file *out)
{
    for (size_t i = 0; name[i]; i++) {
        out->prefix = i;
        if ((i == 0 || name[i - 1] == '-' || name[i - 1] == '_') && parse_rest(name + i, out))
            return true;
    }
    return false;
}

/* Adds a file that was found to *path, unless another of the same name without .gz is there. */
static glia_status take_file(const char *folder, const char *name, const struct named_file *file,
                             char **path, size_t *prefix, glia_error *error)
{
    char *found = gi_format(error, "%s/%s", folder, name);
    if (!found) return GLIA_NO_MEMORY;
    if (!gi_file_exists(found)) { /* a folder, say */
        gi_free(found);
        return GLIA_OK;
    }
    const size_t begin = strlen(folder) + 1;
    if (*path && (*prefix != file->prefix || strncmp(*path + begin, name, *prefix) != 0)) {
        const glia_status status = gi_fail(
            error, GLIA_BAD_FORMAT,
            "%s: found the files of several data sets, such as %s and %s, expected those of one; "
            "give each a folder of its own",
            folder, *path + begin, name);
        gi_free(found);
        return status;
    }
    if (*path && strlen(*path) <= strlen(found)) {
        gi_free(found);
        return GLIA_OK;
    }
    gi_free(*path);
    *path = found;
    *prefix = file->prefix;
    return GLIA_OK;
}

glia_status gi_idx_find_file(const char *folder, glia_split split, bool are_labels, char **out,
                             glia_error *error)
{
    bool found;
    *out = gi_idx_find(folder, gi_idx_file_names[split][are_labels], &found, error);
    if (!*out) return GLIA_NO_MEMORY;
    if (found) return GLIA_OK;
    gi_free(*out);
    *out = NULL;
    DIR *directory = opendir(folder);
    glia_status status = GLIA_OK;
    size_t prefix = 0;
    const struct dirent *entry;
    while (directory && !status && (entry = readdir(directory))) {
        struct named_file file;
        if (parse_name(entry->d_name, &file) && file.split == split &&
            file.are_labels == are_labels)
            status = take_file(folder, entry->d_name, &file, out, &prefix, error);
    }
    if (directory) closedir(directory);
    if (status) {
        gi_free(*out);
        *out = NULL;
    }
    return status;
}

/* ---- Arrays of a folder -------------------------------------------------------------------- */

/* Opens the images or labels of a split. */
static glia_status array_open(const char *folder, glia_split split, bool are_labels,
                              struct array *out, glia_error *error)
{
    struct array array = {0};
    const char *file = gi_idx_file_names[split][are_labels];
    glia_status status = gi_idx_find_file(folder, split, are_labels, &array.path, error);
    if (status) return status;
    if (!array.path)
        status = gi_fail(error, GLIA_NOT_FOUND,
                         "%s: has neither %s nor %s.gz; a folder of data needs both files of a "
                         "split, images and labels",
                         folder, file, file);
    if (!status) status = gi_file_open(array.path, &array.file, error);
    if (!status)
        status = parse_packed(array.path, are_labels, array.file.data, array.file.size, &array.idx,
                              error);
    if (!status && array.idx.owned) gi_file_close(&array.file); /* decompressed: no longer needed */
    if (status)
        array_free(&array);
    else
        *out = array;
    return status;
}

/* Labels are (n), or, as QMNIST's, (n, 8) of 32-bit integers, the first of which is the class. */
static glia_status labels_open(const char *folder, glia_split split, struct array *out,
                               glia_error *error)
{
    const glia_status status = array_open(folder, split, true, out, error);
    const gi_idx *idx = &out->idx;
    if (!status && idx->n_dims != 1 && !(idx->n_dims == 2 && idx->width == 4)) {
        const size_t n_dims = out->idx.n_dims;
        gi_fail(error, GLIA_BAD_FORMAT,
                "%s: byte 3: found %zu dimensions, expected 1 for labels (are images and labels "
                "exchanged?)",
                out->path, n_dims);
        array_free(out);
        return GLIA_BAD_FORMAT;
    }
    return status;
}

/* The class of a sample, as it stands there. */
static int64_t label_of(const gi_idx *labels, size_t sample)
{
    const uint8_t *b = labels->data + sample * (labels->size / labels->dims[0]);
    if (labels->width == 1) return b[0];
    return (int32_t)((uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]);
}

/* The numbers that are classes, marked, of labels; BAD_FORMAT for one that can be none. */
static glia_status mark_classes(const struct array *labels, bool *marks, glia_error *error)
{
    for (size_t i = 0; i < labels->idx.dims[0]; i++) {
        const int64_t label = label_of(&labels->idx, i);
        if (label < 0 || label >= GLIA_MAX_CLASSES)
            return gi_fail(error, GLIA_BAD_FORMAT,
                           "%s: found the label %" PRId64 " of sample %zu, expected 0 to %d",
                           labels->path, label, i, GLIA_MAX_CLASSES - 1);
        marks[label] = true;
    }
    return GLIA_OK;
}

/*
 * The classes are the different labels of both splits, so that a test set that lacks one still fits
 * a network trained on the other; at least 2. marks (GLIA_MAX_CLASSES).
 */
static glia_status find_classes(const char *folder, glia_split split, const struct array *labels,
                                bool *marks, size_t *n, glia_error *error)
{
    const glia_split other_split = split == GLIA_SPLIT_TRAIN ? GLIA_SPLIT_TEST : GLIA_SPLIT_TRAIN;
    char *path = NULL;
    glia_status status = mark_classes(labels, marks, error);
    if (!status) status = gi_idx_find_file(folder, other_split, true, &path, error);
    if (!status && path) {
        struct array other = {0};
        status = labels_open(folder, other_split, &other, error);
        if (!status) status = mark_classes(&other, marks, error);
        array_free(&other);
    }
    gi_free(path);
    *n = 0;
    for (size_t k = 0; k < GLIA_MAX_CLASSES; k++) *n += marks[k];
    for (size_t k = 0; *n == 1 && k < 2; k++) { /* one alone: 0 or 1 beside it */
        *n += !marks[k];
        marks[k] = true;
    }
    return status;
}

/* Names of the n numbers that are marked, one block. */
static char **name_classes(const bool *marks, size_t n, glia_error *error)
{
    char(*text)[16] = gi_alloc(n, sizeof *text, "names of classes", error);
    const char **names = gi_alloc(n, sizeof *names, "names of classes", error);
    char **copies = NULL;
    size_t k = 0;
    for (int number = 0; text && names && k < n; number++) {
        if (!marks[number]) continue;
        snprintf(text[k], sizeof text[k], "%d", number);
        names[k] = text[k];
        k++;
    }
    if (text && names) copies = gi_copy_names(names, n, error);
    gi_free(text);
    gi_free(names);
    return copies;
}

/* Which class each label is, of those that are marked: (samples), to be freed. */
static uint32_t *number_labels(const gi_idx *labels, const bool *marks, glia_error *error)
{
    uint32_t *class_of = gi_alloc(GLIA_MAX_CLASSES, sizeof *class_of, "labels", error);
    uint32_t *out = gi_alloc(labels->dims[0], sizeof *out, "labels", error);
    uint32_t n = 0;
    for (size_t k = 0; class_of && k < GLIA_MAX_CLASSES; k++) class_of[k] = marks[k] ? n++ : 0;
    for (size_t i = 0; class_of && out && i < labels->dims[0]; i++)
        out[i] = class_of[label_of(labels, i)];
    if (!class_of) {
        gi_free(out); /* its labels are not known */
        out = NULL;
    }
    gi_free(class_of);
    return out;
}

/* Images and labels of a split that fit each other. */
static glia_status open_split(const char *folder, glia_split split, struct array *images,
                              struct array *labels, glia_error *error)
{
    glia_status status = array_open(folder, split, false, images, error);
    if (!status) status = labels_open(folder, split, labels, error);
    if (status) return status;
    const size_t n_dims = images->idx.n_dims, samples = images->idx.dims[0];
    if (n_dims != 2 && n_dims != 3)
        return gi_fail(
            error, GLIA_BAD_FORMAT,
            "%s: byte 3: found %zu dimension%s, expected 3 (samples, height, width) or 2 "
            "(samples, features)",
            images->path, n_dims, n_dims == 1 ? "" : "s");
    if (samples != labels->idx.dims[0])
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: byte 4: found %zu label%s, expected %zu, one for each image of %s",
                       labels->path, labels->idx.dims[0], labels->idx.dims[0] == 1 ? "" : "s",
                       samples, images->path);
    return GLIA_OK;
}

/* Marks the labels 0 to classes - 1, which all must be; BAD_FORMAT: one is not. */
static glia_status mark_known(const struct array *labels, size_t classes, bool *marks,
                              glia_error *error)
{
    for (size_t k = 0; k < classes; k++) marks[k] = true;
    for (size_t i = 0; i < labels->idx.dims[0]; i++) {
        const int64_t label = label_of(&labels->idx, i);
        if (label >= 0 && label < (int64_t)classes) continue;
        return gi_fail(
            error, GLIA_BAD_FORMAT,
            "%s: byte %zu%s: label %" PRId64 " of sample %zu, expected 0 to %zu", labels->path,
            (size_t)(4 + 4 * labels->idx.n_dims) + i * (labels->idx.size / labels->idx.dims[0]),
            labels->idx.owned ? " (decompressed)" : "", label, i, classes - 1);
    }
    return GLIA_OK;
}

glia_status gi_idx_open_folder(const char *folder, const char *name, glia_split split,
                               const char *const *class_names, size_t classes, glia_dataset **out,
                               glia_error *error)
{
    struct array images = {0}, labels = {0};
    glia_dataset *dataset = NULL;
    char **own_names = NULL;
    bool *marks = gi_alloc(GLIA_MAX_CLASSES, sizeof *marks, "classes", error);
    glia_status status =
        marks ? open_split(folder, split, &images, &labels, error) : GLIA_NO_MEMORY;
    if (!status)
        status = classes > 0 ? mark_known(&labels, classes, marks, error)
                             : find_classes(folder, split, &labels, marks, &classes, error);
    if (status) goto cleanup;
    if (!class_names) {
        own_names = name_classes(marks, classes, error);
        class_names = (const char *const *)own_names;
        if (!own_names) status = GLIA_NO_MEMORY;
    }
    const size_t samples = images.idx.dims[0];
    if (!status)
        status = gi_dataset_new(name, GLIA_TYPE_U8, samples, images.idx.size / samples, classes,
                                class_names, &dataset, error);
    if (status) goto cleanup;
    if (images.idx.n_dims == 3) {
        dataset->height = images.idx.dims[1];
        dataset->width = images.idx.dims[2];
        dataset->channels = 1;
        dataset->form = GI_FORM_SCALE;
    }
    dataset->labels = dataset->owned_labels = number_labels(&labels.idx, marks, error);
    if (!dataset->owned_labels) {
        status = GLIA_NO_MEMORY;
        goto cleanup;
    }
    dataset->x = images.idx.data;
    dataset->owned_x = images.idx.owned; /* either the block moves over, or the mapped file */
    dataset->file = images.file;
    images.idx.owned = NULL;
    images.file = (gi_file){0};
    *out = dataset;
    dataset = NULL;
cleanup:
    glia_dataset_free(dataset);
    gi_free(own_names);
    gi_free(marks);
    array_free(&images);
    array_free(&labels);
    return status;
}
