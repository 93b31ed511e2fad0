/* SPDX-License-Identifier: MIT */
/* The program's messages, which a fuzzer does not want to see: stderr's buffer is thrown away. */
#ifndef GLIA_FUZZ_CLI_OUTPUT_H
#define GLIA_FUZZ_CLI_OUTPUT_H

#include <stdio.h>

#include "shell/output.h"

/* Once; the reports of sanitizers and of libFuzzer do not go through the stream. */
static inline void silence(void)
{
    static FILE *nowhere;
    if (nowhere == NULL && (nowhere = fopen("/dev/null", "w")) != NULL) stderr = nowhere;
}

#endif
