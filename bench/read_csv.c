/* SPDX-License-Identifier: MIT */
/*
 * Reads a CSV file as glia train does, for bench/read_csv.py. Usage: read_csv FILE THREADS [cache]
 * Prints the seconds, those of processor time, the rows, the columns and the peak of resident
 * memory in KiB.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "data/table/csv/csv.h"
#include "data/table/table.h"

/* The peak of this program, which starts anew at exec; -1: unknown. */
static long peak_kib(void)
{
    char line[128];
    long peak = -1;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        if (strncmp(line, "VmHWM:", 6) == 0) peak = strtol(line + 6, NULL, 10);
    if (status) fclose(status);
    return peak;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: read_csv FILE THREADS [cache]\n");
        return 2;
    }
    gi_table_params params = gi_table_default_params();
    params.threads = atoi(argv[2]);
    params.caches = argc > 3 && strcmp(argv[3], "cache") == 0;
    struct timespec begin, end, busy;
    gi_table *table;
    glia_error error;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    if (gi_csv_read(argv[1], &params, &table, &error)) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &busy);
    printf("%.6f %.6f %zu %zu %ld\n",
           (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec),
           (double)busy.tv_sec + 1e-9 * (double)busy.tv_nsec, table->rows, table->n_columns,
           peak_kib());
    gi_table_free(table);
    return 0;
}
