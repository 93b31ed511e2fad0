/* SPDX-License-Identifier: MIT */
/* A test with cases that take long has two lists of cases, and is run once for each. */
#ifndef GLIA_TESTS_SLOW_H
#define GLIA_TESTS_SLOW_H

#include <stdbool.h>
#include <string.h>

/* Whether the slow cases are to be run, which make test leaves to make test-all. */
static inline bool slow_cases(int argc, char **argv)
{
    return argc == 2 && strcmp(argv[1], "--slow") == 0;
}

#endif
