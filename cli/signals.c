/* SPDX-License-Identifier: MIT */
/* The handler only sets flags; a signal may arrive in any thread, hence the atomics. */
#include "signals.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "output.h"

static atomic_bool guarded, came;

static void handle(int number)
{
    (void)number;
    if (atomic_exchange(&came, true) || !atomic_load(&guarded)) _exit(EXIT_INTERRUPTED);
}

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
}

void signals_guard(bool on)
{
    atomic_store(&guarded, on);
}

bool signals_came(void)
{
    return atomic_load(&came);
}
