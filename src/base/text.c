/* SPDX-License-Identifier: MIT */
/* Texts from outside: whether they are UTF-8, and how a message shows them. */
#include "base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The length of the UTF-8 character at p, of n bytes; 0: it is none. Unicode 15, table 3-7. */
static size_t character_length(const char *text, size_t n)
{
    const uint8_t *p = (const uint8_t *)text;
    if (p[0] < 0x80) return 1;
    if (p[0] < 0xC2 || p[0] > 0xF4) return 0;
    const size_t length = p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    if (n < length) return 0;
    const uint8_t low = p[0] == 0xE0 ? 0xA0 : p[0] == 0xF0 ? 0x90 : 0x80;
    const uint8_t high = p[0] == 0xED ? 0x9F : p[0] == 0xF4 ? 0x8F : 0xBF;
    if (p[1] < low || p[1] > high) return 0;
    for (size_t i = 2; i < length; i++)
        if ((p[i] & 0xC0) != 0x80) return 0;
    return length;
}

const char *gi_text_find_bad_byte(const char *text, size_t n)
{
    for (size_t i = 0; i < n;) {
        const size_t length = text[i] ? character_length(text + i, n - i) : 0;
        if (length == 0) return text + i;
        i += length;
    }
    return NULL;
}

void gi_text_show(const char *text, size_t n, char shown[GI_TEXT_SHOWN])
{
    enum { MOST = GI_TEXT_SHOWN - 8 }; /* leaves room for one more, and for three points */
    size_t used = 0, i = 0;
    while (i < n && used < MOST) {
        const uint8_t c = (uint8_t)text[i];
        const size_t length = character_length(text + i, n - i);
        if (length == 0 || c < 0x20 || c == 0x7F) {
            const char *name = c == '\n' ? "\\n" : c == '\r' ? "\\r" : c == '\t' ? "\\t" : NULL;
            used += (size_t)(name ? snprintf(shown + used, 5, "%s", name)
                                  : snprintf(shown + used, 5, "\\x%02x", c));
            i++;
        } else {
            memcpy(shown + used, text + i, length);
            used += length;
            i += length;
        }
    }
    snprintf(shown + used, GI_TEXT_SHOWN - used, "%s", i < n ? "..." : "");
}
