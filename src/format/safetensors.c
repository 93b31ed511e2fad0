/* SPDX-License-Identifier: MIT */
/*
 * Reading and writing of safetensors. A file is hostile until every rule has been checked: no count
 * or offset of the header is used before it is known to lie inside the bytes that are there.
 */
#include "format/safetensors.h"

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

static bool read_size(const gi_json *value, size_t *out)
{
    uint64_t count;
    if (!gi_json_count(value, &count) || count > SIZE_MAX) return false;
    *out = (size_t)count;
    return true;
}

static size_t element_bytes(const char *dtype)
{
    for (size_t i = 0; i < sizeof dtypes / sizeof dtypes[0]; i++)
        if (strcmp(dtypes[i].name, dtype) == 0) return dtypes[i].bytes;
    return 0;
}

static glia_status read_tensor(const reader *r, const gi_json *entry, gi_tensor *tensor)
{
    const gi_found quoted = gi_found_name(entry->key);
    const char *const path = r->path, *const place = quoted.text;

    const gi_json *dtype = gi_json_get(entry, "dtype");
    const gi_json *shape = gi_json_get(entry, "shape");
    const gi_json *offsets = gi_json_get(entry, "data_offsets");
    if (!dtype || !shape || !offsets || entry->n != 3)
        return gi_fail(r->error, GLIA_BAD_FORMAT,
                       "%s: tensor %s: found %s%s%s%s, expected an object of exactly dtype, shape "
                       "and data_offsets",
                       path, place, gi_found_json(entry).text,
                       gi_json_is(entry, GI_JSON_OBJECT) && !dtype ? " without dtype" : "",
                       gi_json_is(entry, GI_JSON_OBJECT) && !shape ? " without shape" : "",
                       gi_json_is(entry, GI_JSON_OBJECT) && !offsets ? " without data_offsets"
                                                                     : "");

    const char *type = gi_json_string(dtype);
    const size_t each = type ? element_bytes(type) : 0;
    if (each == 0)
        return gi_fail(r->error, GLIA_BAD_FORMAT,
                       "%s: tensor %s: dtype: found %s, expected one of safetensors' types, as F32",
                       path, place, gi_found_json(dtype).text);

    if (!gi_json_is(shape, GI_JSON_ARRAY))
        return gi_fail(r->error, GLIA_BAD_FORMAT,
                       "%s: tensor %s: shape: found %s, expected an array of sizes", path, place,
                       gi_found_json(shape).text);
    if (shape->n > GI_TENSOR_MAX_DIMS)
        return gi_fail(r->error, GLIA_UNSUPPORTED,
                       "%s: tensor %s: shape: found %zu dimensions, expected at most %d", path,
                       place, shape->n, GI_TENSOR_MAX_DIMS);
    size_t size = each;
    for (const gi_json *element = shape->first; element; element = element->next) {
        size_t dim;
        if (!read_size(element, &dim))
            return gi_fail(r->error, GLIA_BAD_FORMAT,
                           "%s: tensor %s: shape[%zu]: found %s, expected an integer from 0 to %zu",
                           path, place, tensor->n_dims, gi_found_json(element).text, SIZE_MAX);
        if (dim != 0 && size > SIZE_MAX / dim)
            return gi_fail(r->error, GLIA_BAD_FORMAT,
                           "%s: tensor %s: shape[%zu]: %zu makes more bytes than can be counted",
                           path, place, tensor->n_dims, dim);
        size *= dim;
        tensor->shape[tensor->n_dims++] = dim;
    }

    size_t begin, end;
    if (!gi_json_is(offsets, GI_JSON_ARRAY) || offsets->n != 2 ||
        !read_size(offsets->first, &begin) || !read_size(offsets->first->next, &end))
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

    tensor->name = entry->key;
    strcpy(tensor->dtype, type); /* one of dtypes */
    tensor->data = r->data + begin;
    tensor->n_bytes = size;
    return GLIA_OK;
}

static glia_status read_metadata(const reader *r, const gi_json *object, gi_safetensors *file)
{
    if (!gi_json_is(object, GI_JSON_OBJECT))
        return gi_fail(r->error, GLIA_BAD_FORMAT,
                       "%s: __metadata__: found %s, expected an object of strings", r->path,
                       gi_found_json(object).text);
    file->metadata = gi_alloc(object->n, 2 * sizeof *file->metadata, "metadata", r->error);
    if (!file->metadata) return GLIA_NO_MEMORY;
    for (const gi_json *value = object->first; value; value = value->next) {
        if (!gi_json_is(value, GI_JSON_STRING))
            return gi_fail(r->error, GLIA_BAD_FORMAT,
                           "%s: __metadata__: %s: found %s, expected a string", r->path,
                           gi_found_name(value->key).text, gi_found_json(value).text);
        file->metadata[2 * file->n_metadata] = value->key;
        file->metadata[2 * file->n_metadata + 1] = value->text;
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

static glia_status read_header(const reader *r, const gi_json *header, gi_safetensors *file)
{
    file->tensors = gi_alloc(header->n, sizeof *file->tensors, "tensors", r->error);
    if (!file->tensors) return GLIA_NO_MEMORY;
    for (const gi_json *entry = header->first; entry; entry = entry->next) {
        const glia_status status = strcmp(entry->key, "__metadata__") == 0
                                       ? read_metadata(r, entry, file)
                                       : read_tensor(r, entry, &file->tensors[file->n_tensors++]);
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
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: byte 0: found %zu as the header's length, but only %zu bytes follow; "
                       "the file is cut short, or no safetensors file",
                       path, n_header, n_rest);
    const uint8_t *header_bytes = bytes + LENGTH_BYTES;
    if (n_header == 0 || header_bytes[0] != '{')
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: byte %d: the header does not begin with '{'; is this a safetensors "
                       "file?",
                       path, LENGTH_BYTES);

    gi_json_document header;
    size_t used;
    glia_status status = gi_json_parse(path, (const char *)header_bytes, n_header, LENGTH_BYTES,
                                       &header, &used, error);
    if (status) return status;
    for (size_t i = used; i < n_header && !status; i++)
        if (header_bytes[i] != ' ')
            status = gi_fail(error, GLIA_BAD_FORMAT,
                             "%s: byte %zu: found 0x%02x after the header's object, expected "
                             "nothing but spaces up to byte %zu",
                             path, LENGTH_BYTES + i, header_bytes[i], LENGTH_BYTES + n_header);

    gi_safetensors file = {0};
    if (!status) {
        const reader r = {.path = path,
                          .data = header_bytes + n_header,
                          .n_data = n_rest - n_header,
                          .error = error};
        status = read_header(&r, header.values, &file);
    }
    if (status) {
        gi_safetensors_free(&file);
    } else {
        *out = file;
        out->text = header.text; /* what names and metadata point into */
        header.text = NULL;
    }
    gi_json_free(&header);
    return status;
}

void gi_safetensors_free(gi_safetensors *file)
{
    gi_free(file->tensors);
    gi_free(file->metadata);
    gi_free(file->text);
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

/* The header's text, to be freed with gi_free; NULL when memory is short. */
static char *make_header(const gi_safetensors *file, glia_error *error)
{
    gi_json_writer writer = {0};
    gi_json_begin(&writer, NULL, '{');
    if (file->n_metadata > 0) {
        gi_json_begin(&writer, "__metadata__", '{');
        for (size_t i = 0; i < file->n_metadata; i++)
            gi_json_put_string(&writer, file->metadata[2 * i], file->metadata[2 * i + 1]);
        gi_json_end(&writer, '}');
    }
    size_t begin = 0;
    for (size_t t = 0; t < file->n_tensors; t++) {
        const gi_tensor *tensor = &file->tensors[t];
        gi_json_begin(&writer, tensor->name, '{');
        gi_json_put_string(&writer, "dtype", tensor->dtype);
        gi_json_begin(&writer, "shape", '[');
        for (size_t i = 0; i < tensor->n_dims; i++)
            gi_json_put_count(&writer, NULL, tensor->shape[i]);
        gi_json_end(&writer, ']');
        gi_json_begin(&writer, "data_offsets", '[');
        gi_json_put_count(&writer, NULL, begin);
        gi_json_put_count(&writer, NULL, begin + tensor->n_bytes);
        gi_json_end(&writer, ']');
        gi_json_end(&writer, '}');
        begin += tensor->n_bytes;
    }
    gi_json_end(&writer, '}');
    return gi_json_take(&writer, error);
}

glia_status gi_safetensors_write(const char *path, const gi_safetensors *file, glia_error *error)
{
    char *header = make_header(file, error);
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
    uint8_t length[LENGTH_BYTES];
    for (int i = 0; i < LENGTH_BYTES; i++) length[i] = (uint8_t)((uint64_t)n_header >> 8 * i);

    gi_writer writer;
    glia_status status = gi_writer_open(&writer, path, error);
    if (!status) status = gi_writer_write(&writer, length, sizeof length, error);
    if (!status) status = gi_writer_write(&writer, header, n_text, error);
    if (!status) status = gi_writer_write(&writer, "        ", n_pad, error);
    for (size_t i = 0; !status && i < file->n_tensors; i++)
        status = gi_writer_write(&writer, file->tensors[i].data, file->tensors[i].n_bytes, error);
    status = gi_writer_close(&writer, status, error);
    gi_free(header);
    return status;
}
