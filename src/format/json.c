/* SPDX-License-Identifier: MIT */
/*
 * jansson, guarded against what version 2.14 gets wrong: decimal points of more than one byte, and
 * keys that it drops when its output's memory runs out.
 */
#include "format/json.h"

#include <locale.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

enum { MAX_VALUES = 1 << 20 };

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

gi_found gi_found_json(const json_t *value)
{
    gi_found found = {"nothing"};
    if (json_is_object(value))
        snprintf(found.text, sizeof found.text, "an object of %zu", json_object_size(value));
    else if (json_is_array(value))
        snprintf(found.text, sizeof found.text, "an array of %zu", json_array_size(value));
    else if (json_is_string(value))
        return gi_found_name(json_string_value(value));
    else if (value)
        found.text[json_dumpb(value, found.text, sizeof found.text - 1,
                              JSON_ENCODE_ANY | JSON_REAL_PRECISION(15))] = '\0';
    return found;
}

/* A bound, before jansson makes up to 240 bytes of each: a value is the root or follows one of
 * these three, outside of strings. */
static size_t count_values(const char *text, size_t n_bytes)
{
    size_t n = 1;
    bool in_string = false;
    for (size_t i = 0; i < n_bytes; i++) {
        if (text[i] == '"')
            in_string = !in_string;
        else if (in_string)
            i += text[i] == '\\'; /* what it escapes does not end the string */
        else
            n += text[i] == '[' || text[i] == ',' || text[i] == ':';
    }
    return n;
}

/*
 * For this thread, numbers are written as in C until leave_c_locale: jansson (2.14) takes the
 * decimal point of the locale for one byte, and in some it is more. False: out of memory.
 */
typedef struct saved_locale {
    locale_t c, before;
} saved_locale;

static bool enter_c_locale(saved_locale *saved)
{
    saved->c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (saved->c == (locale_t)0) return false;
    saved->before = uselocale(saved->c);
    return true;
}

static void leave_c_locale(const saved_locale *saved)
{
    uselocale(saved->before);
    freelocale(saved->c);
}

glia_status gi_json_read(const char *place, const char *text, size_t n_bytes, size_t first_byte,
                         json_t **out, size_t *used, glia_error *error)
{
    const size_t n_values = count_values(text, n_bytes);
    if (n_values > MAX_VALUES)
        return gi_fail(error, GLIA_UNSUPPORTED,
                       "%s: byte %zu: JSON of up to %zu values, expected at most %d", place,
                       first_byte, n_values, MAX_VALUES);
    json_error_t failure = {0};
    json_t *json = NULL;
    saved_locale saved;
    if (enter_c_locale(&saved)) {
        json = json_loadb(text, n_bytes,
                          JSON_REJECT_DUPLICATES | (used ? JSON_DISABLE_EOF_CHECK : 0), &failure);
        leave_c_locale(&saved);
    }
    const size_t at = first_byte + (size_t)failure.position;
    if (json) {
        if (!json_is_object(json)) {
            const glia_status status =
                gi_fail(error, GLIA_BAD_FORMAT, "%s: byte %zu: found %s, expected an object", place,
                        first_byte, gi_found_json(json).text);
            json_decref(json);
            return status;
        }
        if (used) *used = (size_t)failure.position;
        *out = json;
        return GLIA_OK;
    }
    if (!failure.text[0] || json_error_code(&failure) == json_error_out_of_memory)
        return gi_fail(error, GLIA_NO_MEMORY, "%s: byte %zu: no memory for its JSON", place,
                       first_byte);
    if (json_error_code(&failure) == json_error_stack_overflow)
        return gi_fail(error, GLIA_UNSUPPORTED, "%s: byte %zu: JSON nested too deep: %s", place, at,
                       failure.text);
    return gi_fail(error, GLIA_BAD_FORMAT, "%s: byte %zu: not valid JSON: %s", place, at,
                   failure.text);
}

typedef struct json_text {
    char *bytes;
    size_t length, capacity;
    bool failed; /* to be looked at: jansson (2.14) goes on when a key could not be appended */
} json_text;

/* A json_dump_callback_t. */
static int append(const char *bytes, size_t n_bytes, void *context)
{
    json_text *text = context;
    if (text->failed) return -1;
    if (n_bytes >= text->capacity - text->length) { /* with room for a NUL */
        const size_t capacity = 2 * (text->length + n_bytes) + 256;
        char *larger = gi_alloc(capacity, 1, "JSON text", NULL);
        if (!larger) {
            text->failed = true;
            return -1;
        }
        if (text->bytes) memcpy(larger, text->bytes, text->length);
        gi_free(text->bytes);
        text->bytes = larger;
        text->capacity = capacity;
    }
    memcpy(text->bytes + text->length, bytes, n_bytes);
    text->length += n_bytes;
    return 0;
}

/* Not json_dumps, which leaves pieces out and succeeds when its memory does not suffice. 17 digits
 * bring every double back. */
char *gi_json_write(const json_t *json, glia_error *error)
{
    json_text text = {0};
    saved_locale saved;
    text.failed = !json || !enter_c_locale(&saved);
    if (!text.failed) {
        if (json_dump_callback(json, append, &text, JSON_COMPACT | JSON_REAL_PRECISION(17)))
            text.failed = true;
        leave_c_locale(&saved);
    }
    if (!text.failed) return text.bytes; /* gi_alloc's zeroes end it */
    gi_free(text.bytes);
    gi_fail(error, GLIA_NO_MEMORY, "JSON text: out of memory");
    return NULL;
}
