/* SPDX-License-Identifier: MIT */
/* Text that grows, and the forms in which a page takes what comes from files. */
#include "shell/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shell/output.h"

/* Room for n more bytes and the NUL. */
static void reserve(struct text *text, size_t n)
{
    if (text->s != NULL && n < text->capacity - text->length) return;
    size_t capacity = text->length + n + 1 + text->length / 2 + 256;
    char *s = need_memory(capacity, 1);
    if (text->s != NULL) memcpy(s, text->s, text->length);
    free(text->s);
    text->s = s;
    text->capacity = capacity;
}

void text_add(struct text *text, const char *bytes, size_t n)
{
    reserve(text, n);
    memcpy(text->s + text->length, bytes, n);
    text->length += n;
    text->s[text->length] = '\0';
}

void text_put(struct text *text, const char *string)
{
    text_add(text, string, strlen(string));
}

static void print_list(struct text *text, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int n = vsnprintf(NULL, 0, format, arguments);
    if (n > 0) {
        reserve(text, (size_t)n);
        vsnprintf(text->s + text->length, (size_t)n + 1, format, again);
        text->length += (size_t)n;
    }
    va_end(again);
}

void text_print(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_list(text, format, arguments);
    va_end(arguments);
}

void text_escape(struct text *text, const char *string)
{
    char *clean = clean_text(string);
    const char *from = clean;
    for (const char *at = clean;; at++) {
        const char *with = *at == '&'    ? "&amp;"
                           : *at == '<'  ? "&lt;"
                           : *at == '>'  ? "&gt;"
                           : *at == '"'  ? "&quot;"
                           : *at == '\'' ? "&#39;"
                                         : NULL;
        if (with == NULL && *at != '\0') continue;
        text_add(text, from, (size_t)(at - from));
        if (*at == '\0') break;
        text_put(text, with);
        from = at + 1;
    }
    free(clean);
}

void text_escape_print(struct text *text, const char *format, ...)
{
    struct text plain = {0};
    va_list arguments;
    va_start(arguments, format);
    print_list(&plain, format, arguments);
    va_end(arguments);
    if (plain.s != NULL) text_escape(text, plain.s);
    text_free(&plain);
}

/* In JSON these three, and characters that steer what shows them, stand only within strings. */
static int add_json(const char *bytes, size_t n, void *user)
{
    struct text *text = user;
    size_t from = 0;
    for (size_t i = 0; i < n;) {
        char escape[8];
        const bool is_markup = bytes[i] == '<' || bytes[i] == '>' || bytes[i] == '&';
        const size_t length = is_markup ? 1 : json_escape(bytes + i, n - i, escape);
        if (is_markup) snprintf(escape, sizeof escape, "\\u%04x", (unsigned)bytes[i]);
        if (length > 0) {
            text_add(text, bytes + from, i - from);
            text_put(text, escape);
            from = i + length;
        }
        i += length > 0 ? length : 1;
    }
    text_add(text, bytes + from, n - from);
    return 0;
}

void text_json(struct text *text, const json_t *value)
{
    if (json_dump_callback(value, add_json, text, JSON_COMPACT | JSON_REAL_PRECISION(9)) != 0)
        json_need(NULL);
}

void text_base64(struct text *text, const uint8_t *bytes, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        uint32_t group = (uint32_t)bytes[i] << 16;
        if (i + 1 < n) group |= (uint32_t)bytes[i + 1] << 8;
        if (i + 2 < n) group |= bytes[i + 2];
        char four[4] = {digits[group >> 18], digits[group >> 12 & 63],
                        i + 1 < n ? digits[group >> 6 & 63] : '=',
                        i + 2 < n ? digits[group & 63] : '='};
        text_add(text, four, sizeof four);
    }
}

void text_free(struct text *text)
{
    free(text->s);
    *text = (struct text){0};
}
