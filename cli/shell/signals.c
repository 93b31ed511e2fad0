/* SPDX-License-Identifier: MIT */
/*
 * The handlers set flags, or end the program; they call what POSIX allows within a signal and
 * nothing else. A signal may arrive in any thread, hence the atomics.
 */
#define _XOPEN_SOURCE 700 /* SIGBUS's codes */
#include "shell/signals.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "shell/output.h"

static atomic_bool guarded, came;

static void handle(int number)
{
    (void)number;
    if (atomic_exchange(&came, true) || !atomic_load(&guarded)) _exit(EXIT_INTERRUPTED);
}

/* ---- A file that became shorter ------------------------------------------------------------- */

enum { LONGEST_LINE = 4096 + 128 };

/* Reads a hexadecimal number at *text, and moves on. */
static uintptr_t read_address(const char **text)
{
    uintptr_t value = 0;
    for (;; ++*text) {
        const char c = **text;
        if (c >= '0' && c <= '9')
            value = value << 4 | (uintptr_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value << 4 | (uintptr_t)(c - 'a' + 10);
        else
            return value;
    }
}

/* Whether a line of /proc/self/maps, "BEGIN-END ... PATH", is that of the address. */
static bool is_mapping_of(const char *line, uintptr_t address)
{
    const uintptr_t begin = read_address(&line);
    if (*line != '-') return false;
    line++;
    return begin <= address && address < read_address(&line);
}

/* The path of the file that is mapped at an address, in line; NULL: it is not known. */
static const char *find_file(uintptr_t address, char line[LONGEST_LINE])
{
    const int maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    size_t n = 0;
    for (char byte; maps >= 0 && read(maps, &byte, 1) == 1;) {
        if (byte != '\n') {
            if (n + 1 < LONGEST_LINE) line[n++] = byte;
            continue;
        }
        line[n] = '\0';
        n = 0;
        if (!is_mapping_of(line, address)) continue;
        close(maps);
        return strchr(line, '/');
    }
    if (maps >= 0) close(maps);
    return NULL;
}

static void say(const char *text, size_t length)
{
    if (write(STDERR_FILENO, text, length) < 0) return; /* there is nobody to be told */
}

/* Data are mapped: where a file has become shorter, there is nothing to read. */
static void handle_bus(int number, siginfo_t *info, void *context)
{
    static const char after[] = ": became shorter while it was read; bring it back as it was, and "
                                "begin again\n";
    static atomic_flag is_told = ATOMIC_FLAG_INIT;
    char line[LONGEST_LINE];
    (void)context;
    const char *path =
        info->si_code == BUS_ADRERR ? find_file((uintptr_t)info->si_addr, line) : NULL;
    if (path == NULL) { /* something else: the instruction is repeated, and ends the program */
        signal(number, SIG_DFL);
        return;
    }
    while (atomic_flag_test_and_set(&is_told)) pause(); /* another thread is at it, and will exit */
    say("glia: ", 6);
    while (*path != '\0') {
        const size_t length = character_length(path);
        say(length > 0 ? path : "?", length > 0 ? length : 1);
        path += length > 0 ? length : 1;
    }
    say(after, sizeof after - 1);
    _exit(EXIT_FAILED);
}

/* ---- Those that are asked for --------------------------------------------------------------- */

/* A signal that the parent had ignored (nohup, a job in the background) stays ignored. */
static void set_handler(int number, void (*handler)(int))
{
    struct sigaction action;
    if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN) return;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

void signals_install(void)
{
    set_handler(SIGINT, handle);
    set_handler(SIGTERM, handle);
    set_handler(SIGHUP, handle);
    set_handler(SIGPIPE, SIG_IGN);
    set_handler(SIGXFSZ, SIG_IGN);
    struct sigaction bus = {.sa_flags = SA_SIGINFO};
    bus.sa_sigaction = handle_bus;
    sigemptyset(&bus.sa_mask);
    sigaction(SIGBUS, &bus, NULL);
}

void signals_guard(bool on)
{
    atomic_store(&guarded, on);
}

bool signals_came(void)
{
    return atomic_load(&came);
}
