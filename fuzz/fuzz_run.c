/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the reader of a run's folder: run.json, result.json and metrics.jsonl, with a byte of
 * value 1 between them. Of what is read a page is made; every fourth input, since that takes
 * longer.
 */
#include <string.h>

#include "cli_output.h"
#include "report/report_page.h"
#include "report/report_run.h"
#include "served_files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct served served[MOST_SERVED] = {
    {.name = "/run.json"}, {.name = "/result.json"}, {.name = "/metrics.jsonl"}};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct report_run run = {0};
    silence();
    serve(data, size);
    if (run_read(&run, "served") == EXIT_DONE && size % 4 == 0) {
        struct text page = {0};
        report_write(&(struct report){.run = &run, .why_no_test = "None."}, &page);
        if (page.length == 0 || strlen(page.s) != page.length) __builtin_trap();
        if (strstr(page.s, "\033[") || strstr(page.s, "\342\200\256")) __builtin_trap();
        text_free(&page);
    }
    run_free(&run);
    return 0;
}
