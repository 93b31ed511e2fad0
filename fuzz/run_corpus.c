/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target over the files of folders, without a fuzzer: with any compiler, as a test.
 * Prints TAP; an input that crashes the target ends the run, which the reader of TAP notices.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Returns whether the file could be read. The block has the file's exact size, so that
 * AddressSanitizer sees a step beyond it. */
static int run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) return 0;
    int done = 0;
    if (fseek(file, 0, SEEK_END) == 0) {
        const long size = ftell(file);
        uint8_t *data = size >= 0 ? malloc(size ? (size_t)size : 1) : NULL;
        rewind(file);
        if (data && fread(data, 1, (size_t)size, file) == (size_t)size) {
            LLVMFuzzerTestOneInput(data, (size_t)size);
            done = 1;
        }
        free(data);
    }
    fclose(file);
    return done;
}

int main(int argc, char **argv)
{
    int n = 0, failed = 0;
    for (int i = 1; i < argc; i++) {
        struct dirent **entries = NULL;
        const int count = scandir(argv[i], &entries, NULL, alphasort);
        for (int j = 0; j < count; j++) {
            char path[4096];
            snprintf(path, sizeof path, "%s/%s", argv[i], entries[j]->d_name);
            if (entries[j]->d_name[0] != '.') {
                const int done = run_file(path);
                printf("%sok %d - %s\n", done ? "" : "not ", ++n, entries[j]->d_name);
                fflush(stdout);
                failed += !done;
            }
            free(entries[j]);
        }
        free(entries);
    }
    if (n == 0) {
        printf("not ok %d - no input found\n", ++n);
        failed = 1;
    }
    printf("1..%d\n", n);
    return failed != 0;
}
