/* SPDX-License-Identifier: MIT */
/*
 * Ctrl-C, and what else asks for an end. While work is guarded, the first signal is only noted, so
 * that the work can end in order; a second one, or one outside of guarded work, ends the program at
 * once with status 130.
 */
#ifndef GLIA_CLI_SHELL_SIGNALS_H
#define GLIA_CLI_SHELL_SIGNALS_H

#include <stdbool.h>

/*
 * Handles SIGINT, SIGTERM and SIGHUP from here on. A broken pipe, and a file that may not grow
 * further, become errors of the write. A file that becomes shorter while it is read ends the
 * program with a message that names it.
 */
void signals_install(void);

void signals_guard(bool on);

/* Whether a signal has come. */
bool signals_came(void);

#endif
