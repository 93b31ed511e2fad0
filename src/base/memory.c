/* SPDX-License-Identifier: MIT */
/* Allocation: every block of the library comes from here. */
#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };

void *gi_alloc(size_t count, size_t size, const char *what, glia_error *error)
{
    if (size != 0 && count > (SIZE_MAX - ALIGNMENT) / size) {
        gi_fail(error, GLIA_NO_MEMORY, "%s: %zu times %zu bytes is more than memory can hold", what,
                count, size);
        return NULL;
    }
    /* C17's aligned_alloc wants a multiple of the alignment. */
    const size_t bytes = (count * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    void *block = aligned_alloc(ALIGNMENT, bytes ? bytes : ALIGNMENT);
    if (!block) {
        gi_fail(error, GLIA_NO_MEMORY, "%s: out of memory (%zu bytes)", what, bytes);
        return NULL;
    }
    return memset(block, 0, bytes ? bytes : ALIGNMENT);
}

void gi_free(void *block)
{
    free(block);
}

char *gi_strdup(const char *string, glia_error *error)
{
    const size_t bytes = strlen(string) + 1;
    char *copy = gi_alloc(bytes, 1, "a string", error);
    return copy ? memcpy(copy, string, bytes) : NULL;
}

char *gi_format(glia_error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *string = gi_alloc(length < 0 ? 1 : (size_t)length + 1, 1, "a string", error);
    if (!string) return NULL;
    va_start(arguments, format);
    if (length >= 0) vsnprintf(string, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return string;
}

char **gi_copy_names(const char *const *names, size_t n, glia_error *error)
{
    char number[24];
    size_t bytes = n * sizeof(char *);
    for (size_t i = 0; i < n; i++)
        bytes +=
            names ? strlen(names[i]) + 1 : (size_t)snprintf(number, sizeof number, "%zu", i) + 1;
    char **copies = gi_alloc(bytes, 1, "names", error);
    if (!copies) return NULL;
    char *text = (char *)(copies + n);
    for (size_t i = 0; i < n; i++) {
        copies[i] = text;
        if (!names) snprintf(number, sizeof number, "%zu", i);
        const char *name = names ? names[i] : number;
        text = (char *)memcpy(text, name, strlen(name) + 1) + strlen(name) + 1;
    }
    return copies;
}

void glia_string_free(char *string)
{
    gi_free(string);
}
