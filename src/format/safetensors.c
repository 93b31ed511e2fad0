/* SPDX-License-Identifier: MIT */
/*
 * Reading and writing of safetensors. A file is hostile until every rule has been checked: no count
 * or offset of the header is used before it is known to lie inside the bytes that are there.
 */
#include "format/safetensors.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "format/json.h"

enum { LENGTH_BYTES = 8, MAX_HEADER_BYTES = 100000000, ALIGNMENT = 8 };

static const struct {
    const char *name;
    size_t bytes; /* of an element */
} dtypes[] = {
    {"F64", 8}, {"F32", 4}, {"F16", 2},     {"BF16", 2},    {"I64", 8},     {"I32", 4},
    {"I16", 2}, {"I8", 1},  {"U8", 1},      {"BOOL", 1},    {"U64", 8},     {"U32", 4},
    {"U16", 2}, {"C64", 8}, {"F8_E5M2", 1}, {"F8_E4M3", 1}, {"F8_E8M0", 1},
};

/* ---- Reading ------------------------------------------------------------------------------- */

static uint64_t read_u64(const uint8_t bytes[LENGTH_BYTES])
{
    uint64_t value = 0;
    for (int i = LENGTH_BYTES - 1; i >= 0; i--) value = value << 8 | bytes[i];
    return value;
}

/* What stays the same while the entries of one header are read. */
typedef struct reader {
    const char *path;
    const uint8_t *data;
    size_t n_data;
    glia_error *error;
} reader;

static bool read_size(const json_t *value, size_t *out)
{
    const json_int_t size = json_integer_value(value);
    if (!json_is_integer(value) || size < 0 || (uint64_t)size > SIZE_MAX) return false;
    *out = (size_t)size;
    return true;
}

static size_t element_bytes(const char *dtype)
{
    for (size_t i = 0; i < sizeof dtypes / sizeof dtypes[0]; i++)
        if (strcmp(dtypes[i].name, dtype) == 0) return dtypes[i].bytes;
    return 0;
}

static glia_status read_tensor(const reader *r, const char *name, const json_t *entry,
                               gi_tensor *tensor)
{
    const gi_found quoted = gi_found_name(name);
    const char *const path = r->path, *const place = quoted.text;

    const json_t *dtype = json_object_get(entry, "dtype");
    const json_t *shape = json_object_get(entry, "shape");
    const json_t *offsets = json_object_get(entry, "data_offsets");
    if (!dtype || !shape || !offsets || json_object_size(entry) != 3)
        return gi_fail(r->error, GLIA_BAD_FORMAT,
                       "%s: tensor %s: found %s%s%s%s, expected an object of exactly dtype, shape "
                       "and data_offsets",
                       path, place, gi_found_json(entry).text,
                       json_is_object(entry) && !dtype ? " without dtype" : "",
                       json_is_object(entry) && !shape ? " without shape" : "",
                       json_is_object(entry) && !offsets ? " without data_offsets" : "");

    const char *type = json_string_value(dtype);
    const size_t each = type ? element_bytes(type) : 0;
    if (each == 0)
        return gi_fail(r->error, GLIA_BAD_FORMAT,
                       "%s: tensor %s: dtype: found %s, expected one of safetensors' types, as F32",
                       path, place, gi_found_json(dtype).text);

    if (!json_is_array(shape))
        return gi_fail(r->error, GLIA_BAD_FORMAT,
                       "%s: tensor %s: shape: found %s, expected an array of sizes", path, place,
                       gi_found_json(shape).text);
    if (json_array_size(shape) > GI_TENSOR_MAX_DIMS)
        return gi_fail(r->error, GLIA_UNSUPPORTED,
                       "%s: tensor %s: shape: found %zu dimensions, expected at most %d", path,
                       place, json_array_size(shape), GI_TENSOR_MAX_DIMS);
    size_t size = each;
    tensor->n_dims = json_array_size(shape);
    for (size_t i = 0; i < tensor->n_dims; i++) {
        const json_t *element = json_array_get(shape, i);
        size_t dim;
        if (!read_size(element, &dim))
            return gi_fail(r->error, GLIA_BAD_FORMAT,
                           "%s: tensor %s: shape[%zu]: found %s, expected an integer of 0 or more",
                           path, place, i, gi_found_json(element).text);
        if (dim != 0 && size > SIZE_MAX / dim)
            return gi_fail(r->error, GLIA_BAD_FORMAT,
                           "%s: tensor %s: shape[%zu]: %zu makes more bytes than can be counted",
                           path, place, i, dim);
        size *= dim;
        tensor->shape[i] = dim;
    }

    size_t begin, end;
    if (json_array_size(offsets) != 2 || !read_size(json_array_get(offsets, 0), &begin) ||
        !read_size(json_array_get(offsets, 1), &end))
        return gi_fail(r->error, GLIA_BAD_FORMAT,
                       "%s: tensor %s: data_offsets: found %s, expected two integers of 0 or more",
                       path, place, gi_found_json(offsets).text);
    if (begin > end || end > r->n_data)
        return gi_fail(r->error, GLIA_BAD_FORMAT,
                       "%s: tensor %s: data_offsets: found [%zu, %zu], expected begin <= end <= "
                       "%zu, the bytes of data in the file",
                       path, place, begin, end, r->n_data);
    if (end - begin != size)
        return gi_fail(r->error, GLIA_BAD_FORMAT,
                       "%s: tensor %s: data_offsets [%zu, %zu] span %zu bytes, but its dtype and "
                       "shape take %zu",
                       path, place, begin, end, end - begin, size);

    tensor->name = name;
    strcpy(tensor->dtype, type); /* one of dtypes */
    tensor->data = r->data + begin;
    tensor->n_bytes = size;
    return GLIA_OK;
}

static glia_status read_metadata(const reader *r, json_t *object, gi_safetensors *file)
{
    if (!json_is_object(object))
        return gi_fail(r->error, GLIA_BAD_FORMAT,
                       "%s: __metadata__: found %s, expected an object of strings", r->path,
                       gi_found_json(object).text);
    file->metadata =
        gi_alloc(json_object_size(object), 2 * sizeof *file->metadata, "metadata", r->error);
    if (!file->metadata) return GLIA_NO_MEMORY;
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        if (!json_is_string(value))
            return gi_fail(r->error, GLIA_BAD_FORMAT,
                           "%s: __metadata__: %s: found %s, expected a string", r->path,
                           gi_found_name(key).text, gi_found_json(value).text);
        file->metadata[2 * file->n_metadata] = key;
        file->metadata[2 * file->n_metadata + 1] = json_string_value(value);
        file->n_metadata++;
    }
    return GLIA_OK;
}

/* In the order of their data; tensors without any stand before the one that begins there. */
static int compare_tensors(const void *left, const void *right)
{
    const gi_tensor *a = left, *b = right;
    if (a->data != b->data) return a->data < b->data ? -1 : 1;
    if (a->n_bytes != b->n_bytes) return a->n_bytes < b->n_bytes ? -1 : 1;
    return strcmp(a->name, b->name);
}

/* The tensors must cover the data from its first byte to its last, each byte once. */
static glia_status check_cover(const reader *r, const gi_safetensors *file)
{
    size_t covered = 0;
    for (size_t i = 0; i < file->n_tensors; i++) {
        const gi_tensor *tensor = &file->tensors[i];
        const size_t begin = (size_t)(tensor->data - r->data);
        if (begin != covered)
            return gi_fail(r->error, GLIA_BAD_FORMAT,
                           "%s: tensor %s: begins at byte %zu of the data, expected %zu: %s",
                           r->path, gi_found_name(tensor->name).text, begin, covered,
                           begin < covered ? "it overlaps the one before"
                                           : "there is a hole before it");
        covered += tensor->n_bytes;
    }
    if (covered != r->n_data)
        return gi_fail(r->error, GLIA_BAD_FORMAT,
                       "%s: the tensors end at byte %zu of the data, expected %zu, the file's end",
                       r->path, covered, r->n_data);
    return GLIA_OK;
}

static glia_status read_header(const reader *r, gi_safetensors *file)
{
    file->tensors =
        gi_alloc(json_object_size(file->header), sizeof *file->tensors, "tensors", r->error);
    if (!file->tensors) return GLIA_NO_MEMORY;
    const char *key;
    json_t *entry;
    json_object_foreach(file->header, key, entry)
    {
        const glia_status status =
            strcmp(key, "__metadata__") == 0
                ? read_metadata(r, entry, file)
                : read_tensor(r, key, entry, &file->tensors[file->n_tensors++]);
        if (status) return status;
    }
    if (file->n_tensors > 1)
        qsort(file->tensors, file->n_tensors, sizeof *file->tensors, compare_tensors);
    return check_cover(r, file);
}

glia_status gi_safetensors_parse(const char *path, const uint8_t *bytes, size_t n_bytes,
                                 gi_safetensors *out, glia_error *error)
{
    if (n_bytes < LENGTH_BYTES)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: found %zu bytes, expected at least the %d that say how long the header "
                       "of a safetensors file is",
                       path, n_bytes, LENGTH_BYTES);
    const uint64_t length = read_u64(bytes);
    if (length > MAX_HEADER_BYTES)
        return gi_fail(
            error, GLIA_BAD_FORMAT,
            "%s: byte 0: found %llu as the header's length, expected at most %d; is this "
            "a safetensors file?",
            path, (unsigned long long)length, MAX_HEADER_BYTES);
    const size_t n_header = (size_t)length, n_rest = n_bytes - LENGTH_BYTES;
    if (n_header > n_rest)
        return gi_fail(
            error, GLIA_BAD_FORMAT,
            "%s: byte 0: found %zu as the header's length, but only %zu byte%s follow%s; "
            "the file is cut short, or no safetensors file",
            path, n_header, n_rest, n_rest == 1 ? "" : "s", n_rest == 1 ? "s" : "");
    const uint8_t *header_bytes = bytes + LENGTH_BYTES;
    if (n_header == 0 || header_bytes[0] != '{')
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: byte %d: the header does not begin with '{'; is this a safetensors "
                       "file?",
                       path, LENGTH_BYTES);

    gi_safetensors file = {0};
    size_t used;
    glia_status status = gi_json_read(path, (const char *)header_bytes, n_header, LENGTH_BYTES,
                                      &file.header, &used, error);
    if (status) return status;
    for (size_t i = used; i < n_header && !status; i++)
        if (header_bytes[i] != ' ')
            status = gi_fail(error, GLIA_BAD_FORMAT,
                             "%s: byte %zu: found 0x%02x after the header's object, expected "
                             "nothing but spaces up to byte %zu",
                             path, LENGTH_BYTES + i, header_bytes[i], LENGTH_BYTES + n_header);

    if (!status) {
        const reader r = {.path = path,
                          .data = header_bytes + n_header,
                          .n_data = n_rest - n_header,
                          .error = error};
        status = read_header(&r, &file);
    }
    if (status)
        gi_safetensors_free(&file);
    else
        *out = file;
    return status;
}

void gi_safetensors_free(gi_safetensors *file)
{
    gi_free(file->tensors);
    gi_free(file->metadata);
    json_decref(file->header);
    *file = (gi_safetensors){0};
}

const gi_tensor *gi_safetensors_find(const gi_safetensors *file, const char *name)
{
    for (size_t i = 0; i < file->n_tensors; i++)
        if (strcmp(file->tensors[i].name, name) == 0) return &file->tensors[i];
    return NULL;
}

const char *gi_safetensors_metadata(const gi_safetensors *file, const char *key)
{
    for (size_t i = 0; i < file->n_metadata; i++)
        if (strcmp(file->metadata[2 * i], key) == 0) return file->metadata[2 * i + 1];
    return NULL;
}

/* ---- Writing ------------------------------------------------------------------------------- */

/* What makes the header; NULL when memory is short, as is what jansson gives and takes then. */
static json_t *make_metadata(const gi_safetensors *file)
{
    json_t *metadata = json_object();
    for (size_t i = 0; i < file->n_metadata; i++)
        if (json_object_set_new(metadata, file->metadata[2 * i],
                                json_string(file->metadata[2 * i + 1]))) {
            json_decref(metadata);
            return NULL;
        }
    return metadata;
}

static json_t *make_entry(const gi_tensor *tensor, size_t begin)
{
    json_t *shape = json_array();
    for (size_t i = 0; i < tensor->n_dims; i++)
        if (json_array_append_new(shape, json_integer((json_int_t)tensor->shape[i]))) {
            json_decref(shape);
            return NULL;
        }
    return json_pack("{s:s, s:o, s:[I,I]}", "dtype", tensor->dtype, "shape", shape, "data_offsets",
                     (json_int_t)begin, (json_int_t)(begin + tensor->n_bytes));
}

static json_t *make_header(const gi_safetensors *file)
{
    json_t *header = json_object();
    int failed = 0;
    if (file->n_metadata > 0)
        failed = json_object_set_new(header, "__metadata__", make_metadata(file));
    size_t begin = 0;
    for (size_t t = 0; t < file->n_tensors && !failed; t++) {
        const gi_tensor *tensor = &file->tensors[t];
        failed = json_object_set_new(header, tensor->name, make_entry(tensor, begin));
        begin += tensor->n_bytes;
    }
    if (!failed) return header;
    json_decref(header);
    return NULL;
}

/* What stands before the first tensor, its length and the header: *head (n), to be freed. */
static glia_status make_head(const char *path, const gi_safetensors *file, char **head, size_t *n,
                             glia_error *error)
{
    json_t *json = make_header(file);
    char *header = gi_json_write(json, error);
    json_decref(json);
    if (!header) return GLIA_NO_MEMORY;
    const size_t n_text = strlen(header);
    const size_t n_pad = (ALIGNMENT - n_text % ALIGNMENT) % ALIGNMENT; /* data begins aligned */
    const size_t n_header = n_text + n_pad;
    if (n_header > MAX_HEADER_BYTES) {
        gi_free(header);
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "%s: its header would take %zu bytes, the format allows %d; are there very "
                       "long class names?",
                       path, n_header, MAX_HEADER_BYTES);
    }
    *n = LENGTH_BYTES + n_header;
    *head = gi_alloc(*n, 1, "the header of a model file", error);
    if (*head) {
        for (int i = 0; i < LENGTH_BYTES; i++) (*head)[i] = (char)((uint64_t)n_header >> 8 * i);
        memcpy(*head + LENGTH_BYTES, header, n_text);
        memset(*head + LENGTH_BYTES + n_text, ' ', n_pad);
    }
    gi_free(header);
    return *head ? GLIA_OK : GLIA_NO_MEMORY;
}

glia_status gi_safetensors_write(const char *path, const gi_safetensors *file, glia_error *error)
{
    char *head = NULL;
    size_t n;
    glia_status status = make_head(path, file, &head, &n, error);
    if (status) return status;
    gi_writer writer;
    status = gi_writer_open(&writer, path, error);
    if (!status) status = gi_writer_write(&writer, head, n, error);
    for (size_t i = 0; !status && i < file->n_tensors; i++)
        status = gi_writer_write(&writer, file->tensors[i].data, file->tensors[i].n_bytes, error);
    status = gi_writer_close(&writer, status, error);
    gi_free(head);
    return status;
}

glia_status gi_safetensors_pack(const char *path, const gi_safetensors *file, void **bytes,
                                size_t *size, glia_error *error)
{
    char *head = NULL;
    size_t n;
    const glia_status status = make_head(path, file, &head, &n, error);
    if (status) return status;
    size_t all = n;
    for (size_t i = 0; i < file->n_tensors; i++) all += file->tensors[i].n_bytes;
    char *packed = gi_alloc_unset(all, 1, "a model in memory", error);
    if (packed) {
        memcpy(packed, head, n);
        for (size_t i = 0; i < file->n_tensors; n += file->tensors[i++].n_bytes)
            memcpy(packed + n, file->tensors[i].data, file->tensors[i].n_bytes);
        *bytes = packed;
        *size = all;
    }
    gi_free(head);
    return packed ? GLIA_OK : GLIA_NO_MEMORY;
}
