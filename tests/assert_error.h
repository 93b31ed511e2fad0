/* SPDX-License-Identifier: MIT */
/* A failure as it should be: the status, and a message that has the words. */
#ifndef GLIA_TESTS_ASSERT_ERROR_H
#define GLIA_TESTS_ASSERT_ERROR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "glia.h"

/* expected GLIA_OK: no failure; word1, word2: or NULL */
static inline void assert_error(const char *label, glia_status status, glia_status expected,
                                const glia_error *error, const char *word1, const char *word2)
{
    if (status != expected)
        fail_msg("%s: status %s, expected %s (%s)", label, glia_status_name(status),
                 glia_status_name(expected), status ? error->message : "no message");
    if (!expected) return;
    assert_int_equal(error->status, expected);
    if ((word1 && !strstr(error->message, word1)) || (word2 && !strstr(error->message, word2)))
        fail_msg("%s: the message lacks \"%s\" or \"%s\": %s", label, word1 ? word1 : "",
                 word2 ? word2 : "", error->message);
}

#endif
