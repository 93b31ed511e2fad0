/* SPDX-License-Identifier: MIT */
/*
 * NumPy's arrays: .npy (its format versions 1 to 3) and .npz, a zip archive of them.
 *
 * A header is a dictionary of Python's with three keys: 'descr', the type; 'fortran_order', whether
 * the first index runs fastest; 'shape'. It is followed by the elements. An array becomes a table
 * of numbers, or, of bytes with a label each, a data set whose pixels stay where they are.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "data/dataset.h"
#include "data/readers.h"
#include "data/table.h"
#include "data/zip.h"

enum {
    MAX_DIMS = 8,
    MAX_HEADER_BYTES = 1 << 20, /* NumPy writes some hundred for arrays of numbers */
    WHERE = 512,
};

/* An array: elements of a kind, 'b', 'i', 'u' or 'f', and size, in the bytes of a file. */
struct array {
    char where[WHERE]; /* "data.npz: x_train.npy", for messages */
    char type[24];     /* as it stands in the header */
    char kind;
    size_t size;
    bool swapped; /* the order of bytes is the other one */
    bool fortran;
    size_t n_dims, dims[MAX_DIMS];
    size_t rows, columns;    /* the first of dims, and the product of the others */
    const uint8_t *elements; /* (rows * columns), each of size bytes */
    uint8_t *owned;          /* that they are in; or NULL */
};

static void array_free(struct array *array)
{
    gi_free(array->owned);
    *array = (struct array){0};
}

/* ---- The header ---------------------------------------------------------------------------- */

/* at: a place in the header, which begins at byte `begin` of the array. */
struct header {
    const struct array *array;
    const char *text; /* (n) */
    size_t begin, at, n;
    glia_error *error;
};

static glia_status unexpected(const struct header *h, const char *expected)
{
    char found[24] = "its end";
    const unsigned char c = h->at < h->n ? (unsigned char)h->text[h->at] : 0;
    if (h->at < h->n && c > ' ' && c < 127)
        snprintf(found, sizeof found, "'%c'", c);
    else if (h->at < h->n)
        snprintf(found, sizeof found, "byte 0x%02x", c);
    return gi_fail(
        h->error, GLIA_BAD_FORMAT,
        "%s: byte %zu: found %s in the header, expected %s, as numpy.save writes it; save "
        "the array again",
        h->array->where, h->begin + h->at, found, expected);
}

static void skip_space(struct header *h)
{
    while (h->at < h->n && (h->text[h->at] == ' ' || h->text[h->at] == '\n' ||
                            h->text[h->at] == '\t' || h->text[h->at] == '\r'))
        h->at++;
}

/* Steps over c and the white space around it, if it is there. */
static bool take(struct header *h, char c)
{
    skip_space(h);
    const bool there = h->at < h->n && h->text[h->at] == c;
    h->at += there;
    skip_space(h);
    return there;
}

/* A string in quotes of either kind, without escapes. */
static glia_status read_string(struct header *h, char *out, size_t room, const char *expected)
{
    skip_space(h);
    const char quote = h->at < h->n ? h->text[h->at] : '\0';
    if (quote != '\'' && quote != '"') return unexpected(h, expected);
    const size_t begin = h->at + 1;
    size_t end = begin;
    while (end < h->n && h->text[end] != quote && h->text[end] != '\\') end++;
    if (end == h->n || h->text[end] == '\\' || end - begin >= room) return unexpected(h, expected);
    memcpy(out, h->text + begin, end - begin);
    out[end - begin] = '\0';
    h->at = end + 1;
    return GLIA_OK;
}

static bool take_word(struct header *h, const char *word)
{
    const size_t n = strlen(word);
    skip_space(h);
    if (h->n - h->at < n || memcmp(h->text + h->at, word, n) != 0) return false;
    h->at += n;
    return true;
}

/* "(60000, 28, 28)", "(5,)", "()"; numbers may end with the L of Python 2. */
static glia_status read_shape(struct header *h, struct array *array)
{
    if (!take(h, '(')) return unexpected(h, "the shape, as (150, 4)");
    array->n_dims = 0;
    while (!take(h, ')')) {
        uint64_t dim = 0;
        const size_t begin = h->at;
        for (; h->at < h->n && h->text[h->at] >= '0' && h->text[h->at] <= '9'; h->at++) {
            dim = dim * 10 + (uint64_t)(h->text[h->at] - '0');
            if (dim > SIZE_MAX / 16) return unexpected(h, "a size that memory can have");
        }
        if (h->at == begin) return unexpected(h, "a size, or the end of the shape");
        if (array->n_dims == MAX_DIMS)
            return gi_fail(h->error, GLIA_BAD_FORMAT,
                           "%s: byte %zu: more than %d dimensions, expected 1 to %d", array->where,
                           h->begin + begin, (int)MAX_DIMS, (int)MAX_DIMS);
        array->dims[array->n_dims++] = (size_t)dim;
        if (h->at < h->n && h->text[h->at] == 'L') h->at++;
        if (take(h, ',')) continue;
        if (!take(h, ')')) return unexpected(h, "a comma or the end of the shape");
        break;
    }
    return GLIA_OK;
}

/* What an element is that is no number, by the letter of its type. */
static const char *other_kind(char kind)
{
    switch (kind) {
    case 'c':
        return "complex numbers";
    case 'S':
    case 'a':
    case 'U':
        return "texts";
    case 'O':
        return "Python objects";
    case 'M':
    case 'm':
        return "times";
    case 'V':
        return "records";
    default:
        return "of no type that glia knows";
    }
}

/* "<f4": order of bytes, kind, size. */
static glia_status read_type(struct header *h, struct array *array)
{
    const uint16_t one = 1;
    const bool little = *(const uint8_t *)&one == 1;
    const size_t begin = h->at;
    skip_space(h);
    if (h->at < h->n && h->text[h->at] == '[')
        return gi_fail(
            h->error, GLIA_BAD_FORMAT,
            "%s: byte %zu: the elements are records of several fields, expected numbers; "
            "save a plain array (numpy.lib.recfunctions.structured_to_unstructured)",
            array->where, h->begin + h->at);
    const glia_status status =
        read_string(h, array->type, sizeof array->type, "the type of the elements, as '<f4'");
    if (status) return status;
    const char *type = array->type;
    const char order = type[0] && strchr("<>|=", type[0]) ? *type++ : '=';
    array->kind = type[0];
    array->size =
        type[0] && type[1] >= '1' && type[1] <= '8' && !type[2] ? (size_t)(type[1] - '0') : 0;
    array->swapped = array->size > 1 && (little ? order == '>' : order == '<');
    const size_t size = array->size;
    const bool is_integer = (array->kind == 'i' || array->kind == 'u') &&
                            (size == 1 || size == 2 || size == 4 || size == 8);
    const bool is_float = array->kind == 'f' && (size == 2 || size == 4 || size == 8);
    if (is_integer || is_float || (array->kind == 'b' && size == 1)) return GLIA_OK;
    return gi_fail(
        h->error, GLIA_BAD_FORMAT,
        "%s: byte %zu: the elements are '%s' (%s), expected whole numbers or floats of 1 "
        "to 8 bytes; save them as such (array.astype)",
        array->where, h->begin + begin, array->type,
        array->kind == 'f' ? "floats of another size" : other_kind(array->kind));
}

/* The dictionary: each of three keys once, in any order. */
static glia_status read_dictionary(struct header *h, struct array *array)
{
    static const char *const keys[] = {"descr", "fortran_order", "shape"};
    bool seen[3] = {false};
    if (!take(h, '{')) return unexpected(h, "{");
    while (!take(h, '}')) {
        char key[16];
        size_t k = 0;
        const size_t begin = h->at;
        glia_status status = read_string(h, key, sizeof key, "'descr', 'fortran_order' or 'shape'");
        if (status) return status;
        while (k < 3 && strcmp(key, keys[k]) != 0) k++;
        if (k == 3 || seen[k]) {
            h->at = begin;
            return unexpected(h, "'descr', 'fortran_order' and 'shape', each once");
        }
        seen[k] = true;
        if (!take(h, ':')) return unexpected(h, "a colon");
        if (k == 0) status = read_type(h, array);
        if (k == 2) status = read_shape(h, array);
        if (status) return status;
        if (k == 1) {
            array->fortran = take_word(h, "True");
            if (!array->fortran && !take_word(h, "False")) return unexpected(h, "True or False");
        }
        if (take(h, ',')) continue;
        if (!take(h, '}')) return unexpected(h, "a comma or the end of the dictionary");
        break;
    }
    if (h->at != h->n) return unexpected(h, "nothing after the dictionary");
    for (size_t k = 0; k < 3; k++)
        if (!seen[k])
            return gi_fail(
                h->error, GLIA_BAD_FORMAT,
                "%s: byte %zu: the header has no '%s', expected it, as numpy.save writes "
                "it; save the array again",
                array->where, h->begin, keys[k]);
    return GLIA_OK;
}

/* where is set; the elements are borrowed. */
static glia_status array_parse(const uint8_t *bytes, size_t n_bytes, struct array *array,
                               glia_error *error)
{
    static const uint8_t magic[6] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
    if (n_bytes < 10 || memcmp(bytes, magic, sizeof magic) != 0)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: byte 0: no array of NumPy's, which begins with the byte 93 and NUMPY; "
                       "save it with numpy.save",
                       array->where);
    const unsigned version = bytes[6];
    if (version < 1 || version > 3 || (version > 1 && n_bytes < 12))
        return gi_fail(error, GLIA_BAD_FORMAT, "%s: byte 6: version %u.%u, expected 1 to 3",
                       array->where, version, bytes[7]);
    size_t length = (size_t)bytes[8] | (size_t)bytes[9] << 8, begin = 10;
    if (version > 1) {
        length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
        begin = 12;
    }
    if (length > MAX_HEADER_BYTES || length > n_bytes - begin)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: byte 8: a header of %zu bytes, expected at most %zu, those that are "
                       "there; copy or save the file again",
                       array->where, length,
                       n_bytes - begin < MAX_HEADER_BYTES ? n_bytes - begin
                                                          : (size_t)MAX_HEADER_BYTES);
    struct header h = {array, (const char *)bytes + begin, begin, 0, length, error};
    const glia_status status = read_dictionary(&h, array);
    if (status) return status;
    if (array->n_dims == 0)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: byte %zu: a single number (its shape is ()), expected an array of 1 to "
                       "%d dimensions",
                       array->where, begin, (int)MAX_DIMS);
    array->rows = array->dims[0];
    array->columns = 1;
    size_t count = array->rows;
    for (size_t d = 0; d < array->n_dims; d++) {
        const size_t dim = array->dims[d];
        if (dim == 0)
            return gi_fail(
                error, GLIA_BAD_FORMAT,
                "%s: byte %zu: dimension %zu is 0: the array is empty, expected at least "
                "1",
                array->where, begin, d);
        if (d == 0) continue;
        if (count > SIZE_MAX / 64 / dim)
            return gi_fail(error, GLIA_BAD_FORMAT,
                           "%s: byte %zu: dimension %zu, %zu, makes the array larger than memory "
                           "can be",
                           array->where, begin, d, dim);
        count *= dim;
        array->columns *= dim;
    }
    const size_t there = n_bytes - begin - length;
    if (there != count * array->size)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: byte %zu: %zu bytes follow the header, expected %zu, as its shape and "
                       "type say; copy or save the file again",
                       array->where, begin + length, there, count * array->size);
    array->elements = bytes + begin + length;
    return GLIA_OK;
}

/* ---- Elements ------------------------------------------------------------------------------ */

/* IEEE 754's binary16. */
static double half_value(uint16_t bits)
{
    const int exponent = bits >> 10 & 31;
    const double fraction = bits & 1023;
    double value = exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
    if (exponent == 31) value = fraction > 0 ? (double)NAN : (double)INFINITY;
    return bits >> 15 ? -value : value;
}

static double element(const struct array *a, size_t index)
{
    uint8_t b[8];
    const uint8_t *at = a->elements + index * a->size;
    for (size_t i = 0; i < a->size; i++) b[i] = at[a->swapped ? a->size - 1 - i : i];
#define VALUE_OF(type)                                                                             \
    do {                                                                                           \
        type value;                                                                                \
        memcpy(&value, b, sizeof value);                                                           \
        return (double)value;                                                                      \
    } while (0)
    switch (a->kind) {
    case 'i':
        if (a->size == 1) VALUE_OF(int8_t);
        if (a->size == 2) VALUE_OF(int16_t);
        if (a->size == 4) VALUE_OF(int32_t);
        VALUE_OF(int64_t);
    case 'f':
        if (a->size == 4) VALUE_OF(float);
        if (a->size == 8) VALUE_OF(double);
        uint16_t half;
        memcpy(&half, b, sizeof half);
        return half_value(half);
    case 'b':
        return b[0] != 0;
    default:
        if (a->size == 1) return b[0];
        if (a->size == 2) VALUE_OF(uint16_t);
        if (a->size == 4) VALUE_OF(uint32_t);
        VALUE_OF(uint64_t);
    }
#undef VALUE_OF
}

/*
 * Where column `column` of row 0 is, and how far it is to the next row's. Columns number the other
 * dimensions as C does, the last index fastest.
 */
static size_t column_begin(const struct array *a, size_t column, size_t *stride)
{
    *stride = a->fortran ? 1 : a->columns;
    if (!a->fortran) return column;
    size_t index[MAX_DIMS], begin = 0;
    for (size_t d = a->n_dims; d-- > 1; column /= a->dims[d]) index[d] = column % a->dims[d];
    for (size_t d = a->n_dims; d-- > 1;) begin = begin * a->dims[d] + index[d];
    return begin * a->rows;
}

/* ---- The arrays of a file ------------------------------------------------------------------ */

/* What is learned from, or tested on. */
struct arrays {
    bool is_archive;
    struct array x, y;
    bool has_y;
    struct array other_y; /* that of the other split, for the number of classes */
    bool has_other_y;
};

static void arrays_free(struct arrays *arrays)
{
    array_free(&arrays->x);
    array_free(&arrays->y);
    array_free(&arrays->other_y);
}

/* The names of arrays, each list in order of precedence. */
enum { MAX_NAMES = 10 };
static const char *const train_x[] = {"x_train", "X_train", "train_images", NULL};
static const char *const train_y[] = {"y_train", "Y_train", "train_labels", NULL};
static const char *const test_x[] = {"x_test", "X_test", "test_images", NULL};
static const char *const test_y[] = {"y_test", "Y_test", "test_labels", NULL};
static const char *const only_x[] = {"x", "X", "data", "images", NULL};
static const char *const only_y[] = {"y", "Y", "target", "labels", NULL};

static bool is_named(const gi_zip_member *member, const char *name)
{
    const size_t n = strlen(name);
    return member->name_length == n + 4 && memcmp(member->name, name, n) == 0 &&
           memcmp(member->name + n, ".npy", 4) == 0;
}

/* The first of the names that is there. */
static glia_status find_member(const gi_zip *zip, const char *const *names, gi_zip_member *out,
                               bool *found, glia_error *error)
{
    *found = false;
    for (; *names && !*found; names++) {
        size_t at = GI_ZIP_BEGIN;
        for (;;) {
            bool more;
            gi_zip_member member;
            const glia_status status = gi_zip_next(zip, &at, &member, &more, error);
            if (status) return status;
            if (!more) break;
            if (!is_named(&member, *names)) continue;
            *out = member;
            *found = true;
        }
    }
    return GLIA_OK;
}

static glia_status read_member(const gi_zip *zip, const gi_zip_member *member, struct array *out,
                               glia_error *error)
{
    struct array array = {0};
    const uint8_t *data;
    snprintf(array.where, sizeof array.where, "%s: %.*s", zip->path, (int)member->name_length,
             (const char *)member->name);
    glia_status status = gi_zip_read(zip, member, &data, &array.owned, error);
    if (!status) status = array_parse(data, member->size, &array, error);
    if (status)
        array_free(&array);
    else
        *out = array;
    return status;
}

/* Finds the first of the names, and reads it. */
static glia_status find_array(const gi_zip *zip, const char *const *names, struct array *out,
                              bool *found, glia_error *error)
{
    gi_zip_member member;
    const glia_status status = find_member(zip, names, &member, found, error);
    return status || !*found ? status : read_member(zip, &member, out, error);
}

/* The names of all members, for a message. */
static void list_members(const gi_zip *zip, char *text, size_t room)
{
    size_t at = GI_ZIP_BEGIN, used = 0;
    bool more = true;
    gi_zip_member member;
    text[0] = '\0';
    while (gi_zip_next(zip, &at, &member, &more, NULL) == GLIA_OK && more && used + 4 < room) {
        const int n = snprintf(text + used, room - used, "%s%.*s", used ? ", " : "",
                               (int)member.name_length, (const char *)member.name);
        if (n < 0) break;
        used += (size_t)n;
    }
    if (used >= room) strcpy(text + room - 4, "...");
    if (used == 0) snprintf(text, room, "none");
}

static glia_status read_archive(const char *path, const uint8_t *bytes, size_t n_bytes,
                                glia_split split, struct arrays *out, glia_error *error)
{
    gi_zip zip;
    bool found = false, is_train = false;
    gi_zip_member member;
    char members[256];
    glia_status status = gi_zip_open(path, bytes, n_bytes, &zip, error);
    if (!status) status = find_member(&zip, train_x, &member, &is_train, error);
    const char *const *x_names = split == GLIA_TEST ? test_x : is_train ? train_x : only_x;
    const char *const *y_names = split == GLIA_TEST ? test_y : is_train ? train_y : only_y;
    if (!status) status = find_array(&zip, x_names, &out->x, &found, error);
    if (status) return status;
    if (!found) {
        list_members(&zip, members, sizeof members);
        if (split == GLIA_TEST)
            return gi_fail(error, GLIA_NOT_FOUND,
                           "%s: found the arrays %s, and none to test on: expected x_test and "
                           "y_test; hold a part out, or name a second file",
                           path, members);
        return gi_fail(
            error, GLIA_BAD_FORMAT,
            "%s: found the arrays %s, expected x_train and y_train, or x and y (or data "
            "and target, images and labels); save them by these names: numpy.savez(file, "
            "x=..., y=...)",
            path, members);
    }
    status = find_array(&zip, y_names, &out->y, &out->has_y, error);
    if (!status && out->has_y && out->y.rows != out->x.rows)
        status = gi_fail(error, GLIA_BAD_FORMAT, "%s: %zu rows, expected %zu, one for each of %s",
                         out->y.where, out->y.rows, out->x.rows, out->x.where);
    if (!status && is_train)
        status = find_array(&zip, split == GLIA_TEST ? train_y : test_y, &out->other_y,
                            &out->has_other_y, error);
    return status;
}

static glia_status arrays_read(const char *path, const uint8_t *bytes, size_t n_bytes,
                               glia_split split, struct arrays *out, glia_error *error)
{
    struct arrays arrays = {.is_archive = gi_zip_is(bytes, n_bytes)};
    glia_status status;
    if (arrays.is_archive) {
        status = read_archive(path, bytes, n_bytes, split, &arrays, error);
    } else if (split == GLIA_TEST) {
        status = gi_fail(error, GLIA_NOT_FOUND,
                         "%s: a single array has no test split; hold a part of it out, or name a "
                         "second file",
                         path);
    } else {
        snprintf(arrays.x.where, sizeof arrays.x.where, "%s", path);
        status = array_parse(bytes, n_bytes, &arrays.x, error);
    }
    if (status)
        arrays_free(&arrays);
    else
        *out = arrays;
    return status;
}

/* ---- As bytes with labels ------------------------------------------------------------------ */

/* Whether an array is labels: whole numbers from 0, one for each row; the largest of them. */
static bool are_labels(const struct array *y, size_t *largest)
{
    if (y->kind == 'f' || y->kind == 'b' || y->columns != 1) return false;
    for (size_t i = 0; i < y->rows; i++) {
        const double label = element(y, i);
        if (!(label >= 0 && label < GLIA_MAX_CLASSES)) return false;
        if ((size_t)label > *largest) *largest = (size_t)label;
    }
    return true;
}

/* Height, width and channels, if the dimensions are those of images. */
static bool are_images(const struct array *x, size_t *height, size_t *width, size_t *channels)
{
    const size_t *dims = x->dims;
    *height = dims[1];
    *width = dims[2];
    *channels = 1;
    if (x->n_dims == 3) return true;
    if (x->n_dims != 4) return false;
    *channels = dims[3];
    if (dims[3] == 1 || dims[3] == 3) return true;
    *height = dims[2]; /* (n, 1, height, width) */
    *width = dims[3];
    *channels = 1;
    return dims[1] == 1;
}

/* Elements of rows that follow each other, in a block of their own. */
static uint8_t *reordered(const struct array *x, glia_error *error)
{
    uint8_t *rows = gi_alloc_unset(x->rows, x->columns, x->where, error);
    for (size_t c = 0; rows && c < x->columns; c++) {
        size_t stride;
        const uint8_t *from = x->elements + column_begin(x, c, &stride);
        for (size_t i = 0; i < x->rows; i++) rows[i * x->columns + c] = from[i * stride];
    }
    return rows;
}

glia_status gi_npy_parse_bytes(const char *path, const char *name, const uint8_t *bytes,
                               size_t n_bytes, glia_split split, glia_dataset **out,
                               glia_error *error)
{
    struct arrays arrays;
    glia_dataset *dataset = NULL;
    glia_status status = arrays_read(path, bytes, n_bytes, split, &arrays, error);
    if (status) return status;
    struct array *x = &arrays.x;
    size_t classes = 1, height, width, channels; /* the largest label, then one more */
    const bool fits = x->kind == 'u' && x->size == 1 && x->n_dims > 1 && arrays.has_y &&
                      are_labels(&arrays.y, &classes) &&
                      (!arrays.has_other_y || are_labels(&arrays.other_y, &classes));
    if (!fits) {
        arrays_free(&arrays);
        *out = NULL;
        return GLIA_OK;
    }
    status = gi_dataset_new(name, GLIA_U8, x->rows, x->columns, classes + 1, NULL, &dataset, error);
    if (status) goto cleanup;
    if (x->fortran) {
        uint8_t *rows = reordered(x, error);
        gi_free(x->owned);
        x->owned = rows;
        if (!rows) {
            status = GLIA_NO_MEMORY;
            goto cleanup;
        }
        x->elements = rows;
    }
    dataset->owned_labels = gi_alloc(x->rows, sizeof *dataset->owned_labels, "labels", error);
    if (!dataset->owned_labels) {
        status = GLIA_NO_MEMORY;
        goto cleanup;
    }
    for (size_t i = 0; i < x->rows; i++) dataset->owned_labels[i] = (uint32_t)element(&arrays.y, i);
    dataset->labels = dataset->owned_labels;
    dataset->x = x->elements;
    dataset->owned_x = x->owned;
    x->owned = NULL;
    if (are_images(x, &height, &width, &channels)) {
        dataset->height = height;
        dataset->width = width;
        dataset->channels = channels;
        dataset->form = gi_image_form_of(dataset->x, x->rows, height, width, channels);
    }
    *out = dataset;
    dataset = NULL;
cleanup:
    glia_dataset_free(dataset);
    arrays_free(&arrays);
    return status;
}

glia_status gi_npy_open(const char *path, const char *name, glia_split split, glia_dataset **out,
                        glia_error *error)
{
    gi_file file = {0};
    glia_status status = gi_file_open(path, &file, error);
    if (!status) status = gi_npy_parse_bytes(path, name, file.data, file.size, split, out, error);
    if (status || !*out || (*out)->owned_x)
        gi_file_close(&file);
    else
        (*out)->file = file; /* its pixels are in there */
    return status;
}

/* ---- As a table ---------------------------------------------------------------------------- */

/* The text of a whole number, which is the name of a category. */
static glia_status make_text(gi_table *table, size_t row, size_t column, double *cell,
                             glia_error *error)
{
    char where[WHERE], text[32];
    size_t code;
    gi_table_where(table, row, column, where, sizeof where);
    if (isnan(*cell)) return GLIA_OK;
    if (*cell != floor(*cell) || fabs(*cell) > 9e15)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: found %g, expected a whole number, as the column is one of categories",
                       where, *cell);
    const int n = snprintf(text, sizeof text, "%" PRId64, (int64_t)*cell);
    const glia_status status =
        gi_texts_add(&table->columns[column].texts, text, (size_t)n, &code, error);
    if (status) return status;
    if (code == SIZE_MAX)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: more than %d different categories; leave the column out (--drop), or "
                       "take it for numbers",
                       where, (int)GI_MAX_TEXTS);
    *cell = (double)code;
    return GLIA_OK;
}

/* Fills columns `first` to first + array->columns - 1 of the table. */
static glia_status fill_columns(const struct array *array, size_t first, gi_table *table,
                                glia_error *error)
{
    for (size_t c = 0; c < array->columns; c++) {
        gi_column *column = &table->columns[first + c];
        size_t stride, at = column_begin(array, c, &stride);
        double *cell = table->owned_cells + first + c;
        for (size_t i = 0; i < table->rows; i++, at += stride, cell += table->n_columns) {
            *cell = column->kind == GI_CELL_IGNORED ? (double)NAN : element(array, at);
            if (column->kind == GI_CELL_IGNORED) continue;
            if (isinf(*cell)) {
                char where[WHERE];
                gi_table_where(table, i, first + c, where, sizeof where);
                return gi_fail(
                    error, GLIA_BAD_FORMAT,
                    "%s: found an infinite number, expected a finite one, or NaN where a "
                    "value is missing",
                    where);
            }
            column->has_missing |= isnan(*cell);
            if (column->kind != GI_CELL_TEXT) continue;
            const glia_status status = make_text(table, i, first + c, cell, error);
            if (status) return status;
        }
    }
    return GLIA_OK;
}

/* Names and kinds of columns: x's have numbers, y's are "y", or "y 1", "y 2", ... */
static glia_status name_columns(const struct arrays *arrays, const gi_table_params *params,
                                gi_table *table, glia_error *error)
{
    const size_t n_x = arrays->x.columns, n_y = table->n_columns - n_x;
    for (size_t c = 0; c < table->n_columns; c++) {
        char **name = &table->columns[c].name;
        if (c < n_x)
            *name = gi_format(error, "column %zu", c + 1);
        else if (n_y == 1)
            *name = gi_strdup("y", error);
        else
            *name = gi_format(error, "y %zu", c - n_x + 1);
        if (!*name) return GLIA_NO_MEMORY;
    }
    const glia_status status = gi_table_index(table, error);
    return status ? status : gi_table_apply_known(table, params, error);
}

static glia_status make_table(const char *path, const struct arrays *arrays,
                              const gi_table_params *params, gi_table *table, glia_error *error)
{
    const struct array *x = &arrays->x, *y = arrays->has_y ? &arrays->y : NULL;
    const size_t memory = gi_memory_size();
    if (x->columns > GI_MAX_COLUMNS || (y && y->columns > GI_MAX_COLUMNS - x->columns))
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: %zu numbers a row, expected at most %d columns with those of y; images "
                       "are taken as they are if they are bytes (uint8) with whole numbers as "
                       "labels",
                       x->where, x->columns, (int)GI_MAX_COLUMNS);
    table->rows = x->rows;
    table->n_columns = x->columns + (y ? y->columns : 0);
    table->n_targets = y ? y->columns : 0;
    const size_t row_bytes = table->n_columns * sizeof(double);
    if (table->rows > (memory ? memory : SIZE_MAX) / row_bytes)
        return gi_fail(error, GLIA_NO_MEMORY,
                       "%s: %zu rows of %zu numbers are more than the memory of this machine holds "
                       "as a table; images are kept as bytes if they are uint8 with whole numbers "
                       "as labels",
                       x->where, table->rows, table->n_columns);
    table->path = gi_strdup(path, error);
    table->columns = gi_alloc(table->n_columns, sizeof *table->columns, "columns", error);
    if (!table->path || !table->columns) return GLIA_NO_MEMORY;
    glia_status status = name_columns(arrays, params, table, error);
    if (status) return status;
    table->owned_cells = gi_alloc_unset(table->rows, row_bytes, "the cells of a table", error);
    if (!table->owned_cells) return GLIA_NO_MEMORY;
    table->cells = table->owned_cells;
    status = fill_columns(x, 0, table, error);
    if (!status && y) status = fill_columns(y, x->columns, table, error);
    snprintf(table->how, sizeof table->how, "NumPy's %s, %zu rows of %zu column%s%s",
             arrays->x.type, x->rows, x->columns, x->columns == 1 ? "" : "s",
             y ? " and their targets" : "");
    return status;
}

glia_status gi_npy_parse_table(const char *path, const uint8_t *bytes, size_t n_bytes,
                               glia_split split, const gi_table_params *params, gi_table **out,
                               glia_error *error)
{
    struct arrays arrays;
    glia_status status = arrays_read(path, bytes, n_bytes, split, &arrays, error);
    if (status) return status;
    gi_table *table = gi_alloc(1, sizeof *table, "a table", error);
    status = table ? make_table(path, &arrays, params, table, error) : GLIA_NO_MEMORY;
    arrays_free(&arrays);
    if (status)
        gi_table_free(table);
    else
        *out = table;
    return status;
}

glia_status gi_npy_read(const char *path, glia_split split, const gi_table_params *params,
                        gi_table **out, glia_error *error)
{
    gi_file file = {0};
    glia_status status = gi_file_open(path, &file, error);
    if (!status) status = gi_npy_parse_table(path, file.data, file.size, split, params, out, error);
    gi_file_close(&file);
    return status;
}
