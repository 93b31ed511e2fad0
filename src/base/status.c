/* SPDX-License-Identifier: MIT */
/* Status codes and their names, the one way to report a failure; what this build is. */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>

#include "config.h"

static const struct {
    const char *name, *text;
} statuses[] = {
#define X(name, text) {#name, text},
    GLIA_STATUS_LIST(X)
#undef X
};

static const size_t n_statuses = sizeof statuses / sizeof statuses[0];

const char *glia_version(void)
{
    return GLIA_VERSION;
}

int glia_version_number(void)
{
    return GLIA_VERSION_NUMBER;
}

const char *glia_build_features(void)
{
    static const char features[] = "" /* each with a space before it */
#ifdef GLIA_HAS_PNG
                                   " png"
#endif
#ifdef GLIA_HAS_JPEG
                                   " jpeg"
#endif
#ifdef GLIA_HAS_FETCH
                                   " fetch"
#endif
#ifdef GLIA_HAS_ONEDNN
                                   " onednn"
#endif
        ;
    return features[0] ? features + 1 : features;
}

const char *glia_status_name(glia_status status)
{
    return (size_t)status < n_statuses ? statuses[status].name : "UNKNOWN";
}

const char *glia_status_text(glia_status status)
{
    return (size_t)status < n_statuses ? statuses[status].text : "unknown status";
}

glia_status gi_fail(glia_error *error, glia_status status, const char *format, ...)
{
    if (!error) return status;
    error->status = status;
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    if (length < 0) error->message[0] = '\0';
    if (length >= (int)sizeof error->message) {
        /* Do not leave half of a UTF-8 character: drop its continuation bytes and its first. */
        size_t end = sizeof error->message - 1;
        while (end > 0 && ((unsigned char)error->message[end - 1] & 0xC0) == 0x80) end--;
        if (end > 0 && (unsigned char)error->message[end - 1] >= 0xC0) end--;
        error->message[end] = '\0';
    }
    for (char *c = error->message; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7F) *c = '?';
    return status;
}

glia_status gi_check_length(const char *what, size_t found, size_t expected, glia_error *error)
{
    if (found == expected) return GLIA_OK;
    return gi_fail(error, GLIA_BAD_ARGUMENT, "%s: found %zu, expected %zu", what, found, expected);
}
