/* SPDX-License-Identifier: MIT */
/*
 * Files for a fuzz target that reads some: their bytes are served from memory, so that an execution
 * takes no system calls. The target is linked with --wrap=fopen and --wrap=fopen64.
 */
#ifndef GLIA_FUZZ_SERVED_FILES_H
#define GLIA_FUZZ_SERVED_FILES_H

#include <stddef.h>
#include <stdint.h>

enum { MOST_SERVED = 3 };

struct served {
    const char *name; /* what the path ends with */
    const void *bytes;
    size_t n;
};

extern struct served served[MOST_SERVED];

/* Cuts the input at bytes of value 1 into as many of the files as it has; the others are empty. */
void serve(const uint8_t *data, size_t size);

#endif
