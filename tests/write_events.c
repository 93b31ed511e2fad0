/* SPDX-License-Identifier: MIT */
/*
 * usage: write_events FOLDER WALL_TIME
 *
 * Writes an event file as the lines of standard input say, and prints for each, and at the end for
 * closing it, whether it was done: 1 or 0. For test_events.py. The lines:
 *
 *     scalar TAG STEP WALL_TIME VALUE
 *     flush
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job/events.h"

static bool run_line(event_file *file, const char *line)
{
    char tag[1024], wall_time[64], value[64];
    int64_t step;
    if (strcmp(line, "flush\n") == 0) return events_flush(file);
    if (sscanf(line, "scalar %1023s %" SCNd64 " %63s %63s", tag, &step, wall_time, value) != 4) {
        fprintf(stderr, "write_events: not understood: %s", line);
        exit(2);
    }
    return events_scalar(file, tag, step, strtod(wall_time, NULL), strtod(value, NULL));
}

int main(int argc, char **argv)
{
    char line[2048];
    if (argc != 3) {
        fprintf(stderr, "usage: write_events FOLDER WALL_TIME\n");
        return 2;
    }
    event_file *file = events_open(argv[1], strtod(argv[2], NULL));
    if (file == NULL) return 1;
    while (fgets(line, sizeof line, stdin) != NULL) {
        printf("%d\n", run_line(file, line));
        fflush(stdout);
    }
    printf("%d\n", events_close(file));
    return events_close(NULL) ? 0 : 2;
}
