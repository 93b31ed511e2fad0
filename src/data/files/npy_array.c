/* SPDX-License-Identifier: MIT */
/*
 * An array of NumPy's, as .npy has it (format versions 1 to 3): a header, which is a dictionary of
 * Python's with three keys: 'descr', the type; 'fortran_order', whether the first index runs
 * fastest; 'shape'. It is followed by the elements.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/number.h"
#include "base/text.h"
#include "data/files/npy_parts.h"

enum {
    MAX_TEXT = 1024,
    MAX_HEADER_BYTES = 1 << 20
}; /* NumPy writes some hundred for arrays of numbers */

void gi_array_free(gi_array *array)
{
    gi_free(array->owned);
    *array = (gi_array){0};
}

/* ---- The header ---------------------------------------------------------------------------- */

/* at: a place in the header, which begins at byte `begin` of the array. */
struct header {
    const gi_array *array;
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
static glia_status read_shape(struct header *h, gi_array *array)
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
        if (array->n_dims == GI_ARRAY_DIMS)
            return gi_fail(h->error, GLIA_BAD_FORMAT,
                           "%s: byte %zu: more than %d dimensions, expected 1 to %d", array->where,
                           h->begin + begin, (int)GI_ARRAY_DIMS, (int)GI_ARRAY_DIMS);
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
        return "texts, of which some are empty or very long";
    case 'O':
        return "Python objects";
    case 'M':
    case 'm':
        return "times";
    case 'V':
        return "small floats or whole numbers of ml_dtypes, or raw bytes";
    default:
        return "of no type that glia knows";
    }
}

/* "<f4": order of bytes, kind, size. */
static glia_status read_type(struct header *h, gi_array *array)
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
        read_string(h, array->type, sizeof array->type, "the type of the elements, such as '<f4'");
    if (status) return status;
    const char *type = array->type;
    const char order = type[0] && strchr("<>|=", type[0]) ? *type++ : '=';
    uint64_t number = 0;
    if (type[0] && !gi_parse_u64(type + 1, &number)) number = 0;
    array->kind = type[0] == 'a'   ? 'S'
                  : type[0] == 'h' ? '?'
                                   : type[0]; /* h is no kind of NumPy's */
    array->size = (size_t)(number > MAX_TEXT ? 0 : number);
    if (array->kind == 'V' && array->size == 2 && order != '|') array->kind = 'h';
    array->swapped = array->size > 1 && (little ? order == '>' : order == '<');
    const size_t size = array->size;
    const bool is_whole = array->kind == 'i' || array->kind == 'u';
    if (is_whole && (size == 1 || size == 2 || size == 4 || size == 8)) return GLIA_OK;
    if (array->kind == 'f' && (size == 2 || size == 4 || size == 8)) return GLIA_OK;
    if (array->kind == 'h' || (array->kind == 'b' && size == 1)) return GLIA_OK;
    if (gi_array_has_texts(array) && size > 0) {
        if (array->kind == 'U') array->size *= 4; /* it says how many characters */
        return GLIA_OK;
    }
    return gi_fail(
        h->error, GLIA_BAD_FORMAT,
        "%s: byte %zu: the elements are '%s' (%s), expected whole numbers or floats of 1 "
        "to 8 bytes; save them as such (array.astype)",
        array->where, h->begin + begin, array->type,
        array->kind == 'f' ? "floats of another size" : other_kind(array->kind));
}

/* The dictionary: each of three keys once, in any order. */
static glia_status read_dictionary(struct header *h, gi_array *array)
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

glia_status gi_array_parse(const uint8_t *bytes, size_t n_bytes, bool may_be_single,
                           gi_array *array, glia_error *error)
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
    if (array->n_dims == 0 && !may_be_single)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: byte %zu: a single number (its shape is ()), expected an array of 1 to "
                       "%d dimensions",
                       array->where, begin, (int)GI_ARRAY_DIMS);
    array->rows = array->n_dims > 0 ? array->dims[0] : 1;
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
        return gi_fail(
            error, GLIA_BAD_FORMAT,
            "%s: byte %zu: found %zu byte%s after the header, expected %zu, as its shape "
            "and type say; copy or save the file again",
            array->where, begin + length, there, there == 1 ? "" : "s", count * array->size);
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

bool gi_array_has_texts(const gi_array *array)
{
    return array->kind == 'U' || array->kind == 'S';
}

const char *gi_array_shape(const gi_array *array, char text[GI_ARRAY_SHAPE])
{
    size_t used = (size_t)snprintf(text, GI_ARRAY_SHAPE, "(");
    for (size_t d = 0; d < array->n_dims; d++)
        used += (size_t)snprintf(text + used, GI_ARRAY_SHAPE - used, "%s%zu", d ? ", " : "",
                                 array->dims[d]);
    snprintf(text + used, GI_ARRAY_SHAPE - used, array->n_dims == 1 ? ",)" : ")");
    return text;
}

/* n bytes in the order of this machine, as they stand at index * n. */
static void read_bytes(const gi_array *a, size_t index, size_t n, uint8_t *b)
{
    const uint8_t *at = a->elements + index * n;
    for (size_t i = 0; i < n; i++) b[i] = at[a->swapped ? n - 1 - i : i];
}

/* The upper half of a float. */
static double bfloat_value(uint16_t bits)
{
    const uint32_t whole = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &whole, sizeof value);
    return (double)value;
}

double gi_array_element(const gi_array *a, size_t index)
{
    uint8_t b[8];
    uint16_t half;
    read_bytes(a, index, a->size, b);
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
        memcpy(&half, b, sizeof half);
        return half_value(half);
    case 'h':
        memcpy(&half, b, sizeof half);
        return bfloat_value(half);
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

/* A whole number of 8 bytes; *is_negative: its bits are those of a negative one. */
static uint64_t whole_bits(const gi_array *a, size_t index, bool *is_negative)
{
    uint64_t bits;
    uint8_t b[8];
    read_bytes(a, index, a->size, b);
    memcpy(&bits, b, sizeof bits);
    *is_negative = a->kind == 'i' && bits >> 63;
    return *is_negative ? -bits : bits;
}

bool gi_array_is_long(const gi_array *a, size_t index)
{
    static const uint64_t largest = UINT64_C(1) << 53;
    bool is_negative;
    return (a->kind == 'i' || a->kind == 'u') && a->size == 8 &&
           whole_bits(a, index, &is_negative) > largest;
}

/* A character as UTF-8: how many bytes; 0: it is none. */
static size_t write_utf8(uint32_t c, char *text)
{
    if (c == 0 || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) return 0;
    if (c < 0x80) {
        text[0] = (char)c;
        return 1;
    }
    const size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; c >>= 6) text[i] = (char)(0x80 | (c & 0x3F));
    text[0] = (char)((n == 2 ? 0xC0 : n == 3 ? 0xE0 : 0xF0) | c);
    return n;
}

size_t gi_array_text(const gi_array *a, size_t index, char text[GI_ARRAY_TEXT])
{
    size_t used = 0;
    if (a->kind == 'U') {
        size_t n = a->size / 4;
        uint32_t c;
        const size_t first = index * n;
        for (; n > 0; n--) { /* zeros fill it up */
            read_bytes(a, first + n - 1, 4, (uint8_t *)&c);
            if (c != 0) break;
        }
        for (size_t i = 0; i < n; i++) {
            read_bytes(a, first + i, 4, (uint8_t *)&c);
            const size_t m = write_utf8(c, text + used);
            if (m == 0) return SIZE_MAX;
            used += m;
        }
    } else if (a->kind == 'S') {
        used = a->size;
        memcpy(text, a->elements + index * a->size, used);
        while (used > 0 && text[used - 1] == '\0') used--;
        if (gi_text_find_bad_byte(text, used)) return SIZE_MAX;
    } else if ((a->kind == 'i' || a->kind == 'u') && a->size == 8) {
        bool is_negative;
        const uint64_t whole = whole_bits(a, index, &is_negative);
        used = (size_t)snprintf(text, GI_ARRAY_TEXT, "%s%" PRIu64, is_negative ? "-" : "", whole);
    } else {
        used = (size_t)snprintf(text, GI_ARRAY_TEXT, "%.0f", gi_array_element(a, index) + 0.0);
    }
    text[used] = '\0';
    return used;
}

size_t gi_array_column_begin(const gi_array *a, size_t column, size_t *stride)
{
    *stride = a->fortran ? 1 : a->columns;
    if (!a->fortran) return column;
    size_t index[GI_ARRAY_DIMS], begin = 0;
    for (size_t d = a->n_dims; d-- > 1; column /= a->dims[d]) index[d] = column % a->dims[d];
    for (size_t d = a->n_dims; d-- > 1;) begin = begin * a->dims[d] + index[d];
    return begin * a->rows;
}
