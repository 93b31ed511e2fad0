/* SPDX-License-Identifier: MIT */
/*
 * A JSON reader and writer. Not jansson's, which the program uses: its reader takes up to 20 times
 * the memory of a hostile header and aborts (2.14) when an allocation fails inside a string, and
 * its json_dumps then leaves pieces out and succeeds.
 *
 * The reader makes two allocations, both bounded by the input before it is looked at: a value is
 * the root or follows one of [ , : and a string or number decodes to no more bytes, its NUL
 * included, than stand there with its quotes or with what follows it.
 */
#include "format/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/number.h"

enum { MAX_DEPTH = 32, MAX_VALUES = 1 << 22, REAL_BYTES = 40 };

/* ---- UTF-8 --------------------------------------------------------------------------------- */

size_t gi_utf8_length(const char *text, size_t n_bytes)
{
    static const uint32_t lowest[] = {0, 0x80, 0x800, 0x10000};
    const unsigned char *c = (const unsigned char *)text;
    size_t i = 0;
    while (i < n_bytes) {
        const unsigned char lead = c[i];
        const size_t n_more = lead < 0x80 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
        if ((lead >= 0x80 && lead < 0xC0) || lead > 0xF7 || n_more >= n_bytes - i) return i;
        uint32_t code = n_more ? lead & (0x3FU >> n_more) : lead;
        for (size_t k = 1; k <= n_more; k++) {
            if ((c[i + k] & 0xC0) != 0x80) return i;
            code = code << 6 | (c[i + k] & 0x3FU);
        }
        if (code < lowest[n_more] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return i;
        i += n_more + 1;
    }
    return i;
}

/* Appends a code point. */
static char *put_utf8(char *out, uint32_t code)
{
    if (code < 0x80) {
        *out++ = (char)code;
        return out;
    }
    const int n_more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    const unsigned lead = 0xFFU << (7 - n_more) & 0xFF; /* 110..., 1110..., 11110... */
    *out++ = (char)(lead | code >> 6 * n_more);
    for (int i = n_more - 1; i >= 0; i--) *out++ = (char)(0x80 | (code >> 6 * i & 0x3F));
    return out;
}

/* ---- Messages ------------------------------------------------------------------------------ */

gi_found gi_found_name(const char *name)
{
    gi_found found = {"\""};
    const size_t room = sizeof found.text - sizeof "\"...\"";
    size_t length = strlen(name);
    const char *end = "\"";
    if (length > room) {
        end = "...\"";
        length = room;
        while (length > 0 && ((unsigned char)name[length] & 0xC0) == 0x80) length--;
    }
    memcpy(found.text + 1, name, length);
    strcpy(found.text + 1 + length, end);
    return found;
}

gi_found gi_found_json(const gi_json *value)
{
    gi_found found = {"nothing"};
    if (!value) return found;
    switch (value->type) {
    case GI_JSON_OBJECT:
        snprintf(found.text, sizeof found.text, "an object of %zu", value->n);
        break;
    case GI_JSON_ARRAY:
        snprintf(found.text, sizeof found.text, "an array of %zu", value->n);
        break;
    case GI_JSON_STRING:
        return gi_found_name(value->text);
    case GI_JSON_NUMBER:
        snprintf(found.text, sizeof found.text, "%.40s", value->text);
        break;
    case GI_JSON_TRUE:
        return (gi_found){"true"};
    case GI_JSON_FALSE:
        return (gi_found){"false"};
    case GI_JSON_NULL:
        return (gi_found){"null"};
    }
    return found;
}

/* ---- Reading ------------------------------------------------------------------------------- */

typedef struct parser {
    const char *place;
    const char *begin, *at, *end;
    size_t first_byte;
    gi_json *next_value;
    char *next_text;
    size_t most_members; /* of any object so far */
    int depth;
    glia_error *error;
} parser;

static size_t byte_of(const parser *p, const char *at)
{
    return p->first_byte + (size_t)(at - p->begin);
}

static glia_status fail_here(const parser *p, const char *expected)
{
    char found[16] = "the end";
    if (p->at < p->end) {
        const unsigned char c = (unsigned char)*p->at;
        snprintf(found, sizeof found, c > 0x20 && c < 0x7F ? "'%c'" : "0x%02x", c);
    }
    return gi_fail(p->error, GLIA_BAD_FORMAT, "%s: byte %zu: not valid JSON: found %s, expected %s",
                   p->place, byte_of(p, p->at), found, expected);
}

static void skip_space(parser *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\t' || *p->at == '\n' || *p->at == '\r'))
        p->at++;
}

static bool take(parser *p, char c)
{
    if (p->at >= p->end || *p->at != c) return false;
    p->at++;
    return true;
}

/* Four hexadecimal digits. */
static bool take_hex(parser *p, uint32_t *out)
{
    if (p->end - p->at < 4) return false;
    *out = 0;
    for (int i = 0; i < 4; i++) {
        const char c = p->at[i];
        uint32_t digit;
        if (c >= '0' && c <= '9')
            digit = (uint32_t)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            digit = (uint32_t)((c | 0x20) - 'a' + 10);
        else
            return false;
        *out = *out << 4 | digit;
    }
    p->at += 4;
    return true;
}

/* What follows a backslash. */
static glia_status parse_escape(parser *p)
{
    static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const char *name = p->at < p->end && *p->at ? strchr(names, *p->at) : NULL;
    if (name) {
        p->at++;
        *p->next_text++ = meanings[name - names];
        return GLIA_OK;
    }
    uint32_t code, low;
    if (!take(p, 'u') || !take_hex(p, &code))
        return fail_here(p, "one of \"\\/bfnrt, or u and four hexadecimal digits");
    if (code >= 0xD800 && code < 0xDC00) {
        if (!take(p, '\\') || !take(p, 'u') || !take_hex(p, &low) || low < 0xDC00 || low >= 0xE000)
            return fail_here(p, "the second half of a surrogate pair before it");
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    } else if (code >= 0xDC00 && code < 0xE000) {
        return fail_here(p, "the first half of a surrogate pair before this second one");
    } else if (code == 0) {
        return fail_here(p, "no NUL before it");
    }
    p->next_text = put_utf8(p->next_text, code);
    return GLIA_OK;
}

static glia_status parse_string(parser *p, const char **out)
{
    if (!take(p, '"')) return fail_here(p, "a string in double quotes");
    *out = p->next_text;
    while (!take(p, '"')) {
        if (p->at == p->end || (unsigned char)*p->at < 0x20)
            return fail_here(p, "'\"' at the end of a string");
        if (take(p, '\\')) {
            const glia_status status = parse_escape(p);
            if (status) return status;
        } else {
            *p->next_text++ = *p->at++;
        }
    }
    *p->next_text++ = '\0';
    return GLIA_OK;
}

static bool take_digits(parser *p)
{
    const char *first = p->at;
    while (p->at < p->end && *p->at >= '0' && *p->at <= '9') p->at++;
    return p->at > first;
}

static glia_status parse_number(parser *p, const char **out)
{
    const char *first = p->at;
    take(p, '-');
    if (!take(p, '0') && !take_digits(p)) return fail_here(p, "a value");
    if (take(p, '.') && !take_digits(p)) return fail_here(p, "digits after the point");
    if (take(p, 'e') || take(p, 'E')) {
        if (!take(p, '+')) take(p, '-');
        if (!take_digits(p)) return fail_here(p, "the digits of an exponent");
    }
    const size_t length = (size_t)(p->at - first);
    *out = memcpy(p->next_text, first, length);
    p->next_text[length] = '\0';
    p->next_text += length + 1;
    return GLIA_OK;
}

static bool take_word(parser *p, const char *word)
{
    const size_t length = strlen(word);
    if ((size_t)(p->end - p->at) < length || memcmp(p->at, word, length) != 0) return false;
    p->at += length;
    return true;
}

static glia_status parse_value(parser *p, const char *key, const char *begin, const gi_json **out);

/* The members of an object or the elements of an array, after its bracket. */
static glia_status parse_list(parser *p, gi_json *list)
{
    const bool is_object = list->type == GI_JSON_OBJECT;
    const char end = is_object ? '}' : ']';
    if (p->depth == MAX_DEPTH)
        return gi_fail(p->error, GLIA_UNSUPPORTED,
                       "%s: byte %zu: JSON nested to a depth of more than %d", p->place, list->byte,
                       MAX_DEPTH);
    p->depth++;
    skip_space(p);
    const gi_json **link = &list->first;
    if (!take(p, end)) {
        do {
            skip_space(p);
            const char *begin = p->at, *key = NULL;
            if (is_object) {
                glia_status status = parse_string(p, &key);
                if (status) return status;
                skip_space(p);
                if (!take(p, ':')) return fail_here(p, "':' after the key");
                skip_space(p);
            }
            gi_json *value = p->next_value;
            const glia_status status = parse_value(p, key, begin, link);
            if (status) return status;
            link = &value->next;
            list->n++;
            skip_space(p);
        } while (take(p, ','));
        if (!take(p, end)) return fail_here(p, is_object ? "',' or '}'" : "',' or ']'");
    }
    p->depth--;
    if (is_object && list->n > p->most_members) p->most_members = list->n;
    return GLIA_OK;
}

/* Sets *out to the next value. It begins at begin: at its key, if it has one. */
static glia_status parse_value(parser *p, const char *key, const char *begin, const gi_json **out)
{
    gi_json *value = p->next_value++;
    value->key = key;
    value->byte = byte_of(p, begin);
    *out = value;
    const char c = p->at < p->end ? *p->at : '\0';
    if (c == '{' || c == '[') {
        p->at++;
        value->type = c == '{' ? GI_JSON_OBJECT : GI_JSON_ARRAY;
        return parse_list(p, value);
    }
    if (c == '"') {
        value->type = GI_JSON_STRING;
        return parse_string(p, &value->text);
    }
    if (take_word(p, "true"))
        value->type = GI_JSON_TRUE;
    else if (take_word(p, "false"))
        value->type = GI_JSON_FALSE;
    else if (take_word(p, "null"))
        value->type = GI_JSON_NULL;
    else {
        value->type = GI_JSON_NUMBER;
        return parse_number(p, &value->text);
    }
    return GLIA_OK;
}

static int compare_keys(const void *left, const void *right)
{
    const gi_json *const *a = left, *const *b = right;
    return strcmp((*a)->key, (*b)->key);
}

/* Sorts the keys of each object and looks for neighbours that are the same. */
static glia_status refuse_duplicates(const parser *p, const gi_json *values)
{
    const gi_json **members =
        gi_alloc(p->most_members, sizeof *members, "the keys of an object", p->error);
    if (!members) return GLIA_NO_MEMORY;
    glia_status status = GLIA_OK;
    for (const gi_json *object = values; object < p->next_value && !status; object++) {
        if (object->type != GI_JSON_OBJECT || object->n < 2) continue;
        size_t n = 0;
        for (const gi_json *member = object->first; member; member = member->next)
            members[n++] = member;
        qsort(members, n, sizeof *members, compare_keys);
        for (size_t i = 1; i < n && !status; i++)
            if (strcmp(members[i - 1]->key, members[i]->key) == 0) {
                const gi_json *a = members[i - 1], *b = members[i];
                status =
                    gi_fail(p->error, GLIA_BAD_FORMAT,
                            "%s: byte %zu: key %s is a duplicate, expected each key once", p->place,
                            a->byte > b->byte ? a->byte : b->byte, gi_found_name(a->key).text);
            }
    }
    gi_free(members);
    return status;
}

glia_status gi_json_parse(const char *place, const char *text, size_t n_bytes, size_t first_byte,
                          gi_json_document *out, size_t *used, glia_error *error)
{
    parser p = {.place = place,
                .begin = text,
                .at = text,
                .end = text + n_bytes,
                .first_byte = first_byte,
                .error = error};
    const size_t n_valid = gi_utf8_length(text, n_bytes);
    if (n_valid < n_bytes) {
        p.at = text + n_valid;
        return fail_here(&p, "UTF-8");
    }
    size_t most_values = 1;
    for (size_t i = 0; i < n_bytes; i++)
        most_values += text[i] == '[' || text[i] == ',' || text[i] == ':';
    if (most_values > MAX_VALUES)
        return gi_fail(error, GLIA_UNSUPPORTED,
                       "%s: byte %zu: JSON of up to %zu values, expected at most %d", place,
                       first_byte, most_values, MAX_VALUES);

    gi_json_document document = {
        .values = gi_alloc(most_values, sizeof(gi_json), place, error),
        .text = gi_alloc(n_bytes + 1, 1, place, error),
    };
    glia_status status = GLIA_NO_MEMORY;
    if (!document.values || !document.text) goto cleanup;
    p.next_value = document.values;
    p.next_text = document.text;
    skip_space(&p);
    if (p.at == p.end || *p.at != '{') {
        status = fail_here(&p, "'{', the beginning of an object");
        goto cleanup;
    }
    const gi_json *root;
    status = parse_value(&p, NULL, p.at, &root);
    if (!status) status = refuse_duplicates(&p, document.values);

cleanup:
    if (status) {
        gi_json_free(&document);
    } else {
        *out = document;
        *used = (size_t)(p.at - text);
    }
    return status;
}

void gi_json_free(gi_json_document *document)
{
    gi_free(document->values);
    gi_free(document->text);
    *document = (gi_json_document){0};
}

bool gi_json_is(const gi_json *value, gi_json_type type)
{
    return value && value->type == type;
}

const gi_json *gi_json_get(const gi_json *object, const char *key)
{
    if (!gi_json_is(object, GI_JSON_OBJECT)) return NULL;
    const gi_json *member = object->first;
    while (member && strcmp(member->key, key) != 0) member = member->next;
    return member;
}

const char *gi_json_string(const gi_json *value)
{
    return gi_json_is(value, GI_JSON_STRING) ? value->text : NULL;
}

bool gi_json_count(const gi_json *value, uint64_t *out)
{
    return gi_json_is(value, GI_JSON_NUMBER) && gi_parse_u64(value->text, out);
}

bool gi_json_real(const gi_json *value, double *out)
{
    return gi_json_is(value, GI_JSON_NUMBER) && gi_parse_double(value->text, out);
}

/* ---- Writing ------------------------------------------------------------------------------- */

static void put(gi_json_writer *writer, const char *text, size_t n_bytes)
{
    if (writer->failed) return;
    if (n_bytes >= writer->capacity - writer->length) { /* with room for a NUL */
        const size_t capacity = 2 * (writer->length + n_bytes) + 256;
        char *larger = gi_alloc(capacity, 1, "JSON text", NULL);
        if (!larger) {
            writer->failed = true;
            return;
        }
        if (writer->text) memcpy(larger, writer->text, writer->length);
        gi_free(writer->text);
        writer->text = larger;
        writer->capacity = capacity;
    }
    memcpy(writer->text + writer->length, text, n_bytes);
    writer->length += n_bytes;
}

static void put_quoted(gi_json_writer *writer, const char *string)
{
    put(writer, "\"", 1);
    for (const char *c = string; *c;) {
        size_t plain = 0;
        while (c[plain] && (unsigned char)c[plain] >= 0x20 && c[plain] != '"' && c[plain] != '\\')
            plain++;
        put(writer, c, plain);
        c += plain;
        if (!*c) break;
        char escape[8];
        const int length =
            snprintf(escape, sizeof escape, (unsigned char)*c < 0x20 ? "\\u%04x" : "\\%c", *c);
        put(writer, escape, (size_t)length);
        c++;
    }
    put(writer, "\"", 1);
}

/* What stands before a value: a comma, unless it is the first in its list, and its key. */
static void put_key(gi_json_writer *writer, const char *key)
{
    if (writer->length > 0 && !strchr("{[", writer->text[writer->length - 1])) put(writer, ",", 1);
    if (!key) return;
    put_quoted(writer, key);
    put(writer, ":", 1);
}

void gi_json_begin(gi_json_writer *writer, const char *key, char bracket)
{
    put_key(writer, key);
    put(writer, &bracket, 1);
}

void gi_json_end(gi_json_writer *writer, char bracket)
{
    put(writer, &bracket, 1);
}

void gi_json_put_string(gi_json_writer *writer, const char *key, const char *value)
{
    put_key(writer, key);
    put_quoted(writer, value);
}

void gi_json_put_count(gi_json_writer *writer, const char *key, uint64_t value)
{
    char text[24];
    const int length = snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    put_key(writer, key);
    put(writer, text, (size_t)length);
}

/* printf writes the decimal point of the process's locale, which may be several bytes. */
static size_t print_double(char text[REAL_BYTES], int digits, double value)
{
    char local[REAL_BYTES];
    snprintf(local, sizeof local, "%.*g", digits, value);
    size_t length = 0;
    for (const char *c = local; *c; c++) {
        if (strchr("0123456789+-e", *c))
            text[length++] = *c;
        else if (length == 0 || text[length - 1] != '.')
            text[length++] = '.';
    }
    text[length] = '\0';
    return length;
}

void gi_json_put_real(gi_json_writer *writer, const char *key, double value)
{
    if (!isfinite(value)) {
        gi_json_put_null(writer, key);
        return;
    }
    char text[REAL_BYTES];
    size_t length = 0;
    double back = 0;
    for (int digits = 1; digits <= 17; digits++) {
        length = print_double(text, digits, value);
        if (gi_parse_double(text, &back) && memcmp(&back, &value, sizeof value) == 0) break;
    }
    put_key(writer, key);
    put(writer, text, length);
}

void gi_json_put_null(gi_json_writer *writer, const char *key)
{
    put_key(writer, key);
    put(writer, "null", 4);
}

char *gi_json_take(gi_json_writer *writer, glia_error *error)
{
    char *text = writer->text;
    if (writer->failed || !text) {
        gi_free(text);
        text = NULL;
        gi_fail(error, GLIA_NO_MEMORY, "JSON text: out of memory");
    }
    *writer = (gi_json_writer){0};
    return text; /* gi_alloc's zeroes end it */
}
