/* SPDX-License-Identifier: MIT */
/*
 * What is seen on stderr while work goes on: a line an epoch that stays, and, on a terminal, a bar
 * that does not. Each callback takes one of these structs as its user pointer.
 */
#ifndef GLIA_CLI_DRAW_PROGRESS_H
#define GLIA_CLI_DRAW_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "glia.h"

typedef struct training_view {
    bool quiet;
    bool validation; /* whether there is a validation set */
    bool plot;       /* draw curves: on a terminal as it goes, elsewhere at the end */

    /* The rest begins as zeros. */
    bool begun, headed, bar_shown;
    unsigned columns;     /* of the epochs' lines: a bit for each that is shown */
    double drawn_at;      /* seconds since training began */
    double line_began;    /* likewise: when the line before ended */
    size_t line_epochs;   /* epochs that the next line is about */
    size_t epoch_first;   /* sample of the epoch with which this process began */
    double startup_ended; /* now_seconds() at the first step; 0: it has not come */

    struct training_plot *curves; /* owned until training_end; NULL without a plot */
    FILE *waiting;                /* epochs' lines that the next frame prints, or NULL */
    char *waiting_text;           /* likewise */
    size_t waiting_size;
    size_t plot_lines, plot_width; /* of the plot on the terminal, and the terminal's; 0: none */
    double plotted_at;             /* seconds since training began */
} training_view;

/* A glia_train_progress. Stops the training when a signal came. */
bool training_step(void *view, const glia_progress *progress);

/* A line that stays: "glia: warning: text". */
void training_warn(training_view *view, const char *text);

/* Takes the bar away; leaves the last plot standing. */
void training_end(training_view *view);

typedef struct fetch_view {
    bool quiet;
    bool bar_shown;
    double drawn_at; /* now_seconds() */
    char file[128];  /* that is coming */
} fetch_view;

/* A glia_fetch_progress. Stops the download when a signal came. */
bool fetch_step(void *view, const char *file, uint64_t done_bytes, uint64_t total_bytes);
void fetch_end(fetch_view *view);

/* A bar alone, of work in n steps: what is being done, and how many steps are done before it. */
typedef struct bench_view {
    bool bar_shown;
} bench_view;

void bench_step(bench_view *view, const char *what, size_t done, size_t n);
/* The bar with other words, on a terminal (is_rich). */
void bench_bar(bench_view *view, const char *left, double fraction, const char *right);
void bench_end(bench_view *view);

/* Seconds since the first call, which main makes as the program begins. */
double now_seconds(void);

#endif
