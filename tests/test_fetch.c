/* SPDX-License-Identifier: MIT */
/*
 * Tests of downloads, from a server on the loopback (http_server.py) that behaves well and badly.
 * After each of them the cache folder must hold the whole file, or nothing at all.
 */
#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "assert_error.h"
#include "base/file.h"
#include "config.h"
#include "data/files/fetch.h"
#include "data/set/dataset.h"

/* "The quick brown fox jumps over the lazy dog": its digests are known to every manual. */
#define FOX        "The quick brown fox jumps over the lazy dog"
#define FOX_SHA256 "d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592"
#define FOX_GZ                                                                                     \
    "43c710e6bef7db58902828ec49d9ef95227252bd025d13be2e25e1d78b174263" /* fox.gz, SHA-256 */

static char folder[64]; /* what the server serves */
static char cache[96];
static unsigned port;
static pid_t server;
static int server_stdin = -1;
static char *glia_data;

/* ---- The server ---------------------------------------------------------------------------- */

static void write_file(const char *name, const void *data, size_t size)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(data, 1, size, out), size);
    assert_int_equal(fclose(out), 0);
}

/* gzip -n of FOX, written out so that no program is needed; stored, not compressed. */
static void write_fox(void)
{
    write_file("fox", FOX, sizeof FOX - 1);
    const uint8_t head[] = {0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 1, 43, 0, 0xD4, 0xFF};
    const uint8_t tail[] = {0x39, 0xA3, 0x4F, 0x41, 43, 0, 0, 0}; /* CRC-32 414fa339 */
    uint8_t gzip[sizeof head + 43 + sizeof tail];
    memcpy(gzip, head, sizeof head);
    memcpy(gzip + sizeof head, FOX, 43);
    memcpy(gzip + sizeof head + 43, tail, sizeof tail);
    write_file("fox.gz", gzip, sizeof gzip);
}

static int start_server(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/glia-test-fetch-XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(cache, sizeof cache, "%s/cache", folder);
    setenv("no_proxy", "*", 1);
    write_fox();

    int to_server[2], from_server[2];
    if (pipe(to_server) || pipe(from_server)) return -1;
    fcntl(to_server[1], F_SETFD, FD_CLOEXEC);
    server = fork();
    if (server == 0) {
        dup2(to_server[0], 0);
        dup2(from_server[1], 1);
        const int silence = open("/dev/null", O_WRONLY); /* it tells of clients that hang up */
        dup2(silence, 2);
        execlp("python3", "python3", "tests/http_server.py", folder, (char *)NULL);
        _exit(127);
    }
    close(to_server[0]);
    close(from_server[1]);
    server_stdin = to_server[1];
    FILE *answer = fdopen(from_server[0], "r");
    const bool started = answer && fscanf(answer, "%u", &port) == 1;
    if (answer) fclose(answer);
    if (!started) fprintf(stderr, "tests/http_server.py did not start (is python3 there?)\n");
    return started ? 0 : -1;
}

static int stop_server(void **state)
{
    (void)state;
    close(server_stdin); /* ends it */
    waitpid(server, NULL, 0);
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

/* ---- Helpers ------------------------------------------------------------------------------- */

/* "http://127.0.0.1:PORT/WAY/", in one of a few static buffers. */
static const char *url(const char *way)
{
    static char urls[4][128];
    static unsigned next;
    char *out = urls[next++ % 4];
    snprintf(out, sizeof urls[0], "http://127.0.0.1:%u/%s/", port, way);
    return out;
}

static size_t files_in(const char *path)
{
    DIR *directory = opendir(path);
    size_t n = 0;
    if (!directory) return 0;
    for (struct dirent *entry; (entry = readdir(directory));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) n++;
    closedir(directory);
    return n;
}

static void empty_cache(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", cache);
    assert_int_equal(system(command), 0);
}

static void forget_requests(void)
{
    char path[128];
    snprintf(path, sizeof path, "%s/requests", folder);
    unlink(path);
}

static void assert_requests(const char *expected)
{
    char path[128], text[1024] = "";
    snprintf(path, sizeof path, "%s/requests", folder);
    FILE *file = fopen(path, "r");
    if (file) {
        text[fread(text, 1, sizeof text - 1, file)] = '\0';
        fclose(file);
    }
    assert_string_equal(text, expected);
}

#ifndef GLIA_HAS_FETCH

static void test_unsupported(void **state)
{
    (void)state;
    const char *const bases[] = {"http://127.0.0.1:1/", NULL};
    glia_error error = {0};
    const gi_download download = {
        .file = "fox", .base_urls = bases, .folder = cache, .sha256 = FOX_SHA256};
    assert_error("no fetch", gi_fetch(&download, NULL, NULL, &error), GLIA_UNSUPPORTED, &error,
                 "fox", "libcurl");
    unsetenv("GLIA_DATA");
    setenv("XDG_CACHE_HOME", cache, 1);
    assert_error("no fetch", glia_dataset_fetch("mnist", NULL, &error), GLIA_UNSUPPORTED, &error,
                 "libcurl", "GLIA_DATA=DIR");
    /* Neither uses the server. */
    (void)url, (void)files_in, (void)empty_cache, (void)forget_requests;
    assert_requests("");
}

#else

/* ---- One file ------------------------------------------------------------------------------ */

static void test_good(void **state)
{
    (void)state;
    static const struct {
        const char *way, *file, *of_content, *sha256;
    } cases[] = {
        {"good", "fox", FOX_SHA256, NULL},    /* plain: the content is the file */
        {"good", "fox.gz", FOX_SHA256, NULL}, /* of the content, decompressed */
        {"good", "fox.gz", NULL, FOX_GZ},     /* of the file itself */
        {"moved", "fox.gz", FOX_SHA256, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[128], without_slash[128];
        empty_cache();
        snprintf(without_slash, sizeof without_slash, "%s", url(cases[i].way));
        if (i % 2) without_slash[strlen(without_slash) - 1] = '\0';
        const char *const bases[] = {without_slash, NULL};
        const gi_download download = {cases[i].file, bases, cache, cases[i].of_content,
                                      cases[i].sha256};
        glia_error error = {0};
        assert_error(cases[i].way, gi_fetch(&download, NULL, NULL, &error), GLIA_OK, &error, NULL,
                     NULL);
        assert_int_equal(files_in(cache), 1);
        snprintf(path, sizeof path, "%s/%s", cache, cases[i].file);
        gi_file got, served;
        assert_int_equal(gi_file_open(path, &got, NULL), GLIA_OK);
        snprintf(path, sizeof path, "%s/%s", folder, cases[i].file);
        assert_int_equal(gi_file_open(path, &served, NULL), GLIA_OK);
        assert_int_equal(got.size, served.size);
        assert_memory_equal(got.data, served.data, got.size);
        gi_file_close(&got);
        gi_file_close(&served);
    }
}

static void test_bad(void **state)
{
    (void)state;
    static const struct {
        const char *way, *file, *of_content, *sha256, *word;
    } cases[] = {
        {"missing", "fox", FOX_SHA256, NULL, "404"},
        {"error", "fox", FOX_SHA256, NULL, "500"},
        {"corrupt", "fox", FOX_SHA256, NULL, "checksum is wrong: SHA-256"},
        {"corrupt", "fox.gz", NULL, FOX_GZ, "checksum is wrong: SHA-256"},
        {"corrupt", "fox.gz", FOX_SHA256, NULL, "incorrect data check"},
        {"good", "fox.gz", NULL, FOX_SHA256, "expected " FOX_SHA256},
        {"cut", "fox", FOX_SHA256, NULL, "fox: "},
        {"cut", "fox.gz", FOX_SHA256, NULL, "bytes"},
        {"cutplain", "fox", FOX_SHA256, NULL, "checksum is wrong"},
        {"cutplain", "fox.gz", FOX_SHA256, NULL, "cut short"},
        {"loop", "fox", FOX_SHA256, NULL, "redirect"},
        {"outside", "fox", FOX_SHA256, NULL, "fox: "},
        {"long", "fox", FOX_SHA256, NULL, "fox: "},
        {"endless", "fox", FOX_SHA256, NULL, "longer than 256 MiB"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        empty_cache();
        const char *const bases[] = {url(cases[i].way), NULL};
        const gi_download download = {cases[i].file, bases, cache, cases[i].of_content,
                                      cases[i].sha256};
        glia_error error = {0};
        char address[160];
        snprintf(address, sizeof address, "%s%s: ", bases[0], cases[i].file);
        const glia_status status = gi_fetch(&download, NULL, NULL, &error);
        assert_error(cases[i].way, status, GLIA_DOWNLOAD_FAILED, &error, address, cases[i].word);
        assert_int_equal(files_in(cache), 0);
    }
}

/* Addresses that no request may be made to, and one where nobody listens. */
static void test_addresses(void **state)
{
    (void)state;
    char file_url[128];
    snprintf(file_url, sizeof file_url, "file://%s", folder);
    const char *const cases[] = {file_url, "ftp://127.0.0.1:1", "nonsense://x",
                                 "http://127.0.0.1:1"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        empty_cache();
        const char *const bases[] = {cases[i], NULL};
        const gi_download download = {"fox", bases, cache, FOX_SHA256, NULL};
        glia_error error = {0};
        assert_error(cases[i], gi_fetch(&download, NULL, NULL, &error), GLIA_DOWNLOAD_FAILED,
                     &error, cases[i], "no mirror gave it");
        assert_int_equal(files_in(cache), 0);
    }
    const char *const none[] = {NULL};
    const gi_download download = {"fox", none, cache, FOX_SHA256, NULL};
    glia_error error = {0};
    assert_error("no mirror", gi_fetch(&download, NULL, NULL, &error), GLIA_DOWNLOAD_FAILED, &error,
                 "list of mirrors is empty", NULL);
}

/* In order, until one gives the file; each that failed is in the message when all did. */
static void test_mirrors(void **state)
{
    (void)state;
    empty_cache();
    forget_requests();
    const char *const bases[] = {url("missing"), url("corrupt"), url("good"), url("error"), NULL};
    gi_download download = {"fox", bases, cache, FOX_SHA256, NULL};
    glia_error error = {0};
    assert_error("mirrors", gi_fetch(&download, NULL, NULL, &error), GLIA_OK, &error, NULL, NULL);
    assert_requests("/missing/fox\n/corrupt/fox\n/good/fox\n");
    assert_int_equal(files_in(cache), 1);

    empty_cache();
    const char *const bad[] = {url("missing"), url("corrupt"), NULL};
    download.base_urls = bad;
    assert_error("bad mirrors", gi_fetch(&download, NULL, NULL, &error), GLIA_DOWNLOAD_FAILED,
                 &error, "/missing/fox: ", "/corrupt/fox: the checksum");
    assert_int_equal(files_in(cache), 0);
}

static void test_folder_cannot_be_made(void **state)
{
    (void)state;
    char path[128];
    forget_requests();
    snprintf(path, sizeof path, "%s/fox/below-a-file", folder);
    const char *const bases[] = {url("good"), NULL};
    const gi_download download = {"fox", bases, path, FOX_SHA256, NULL};
    glia_error error = {0};
    assert_error("folder", gi_fetch(&download, NULL, NULL, &error), GLIA_IO, &error,
                 "fox: cannot create the folder", NULL);
    assert_requests(""); /* found before the transfer */
}

/* ---- Progress ------------------------------------------------------------------------------ */

struct watch {
    uint64_t stop_at, last, total;
    bool ordered;
};

static bool watch(void *user, const char *file, uint64_t done, uint64_t total)
{
    struct watch *seen = user;
    assert_string_equal(file, "fox");
    if (done < seen->last) seen->ordered = false;
    seen->last = done;
    seen->total = total;
    return done < seen->stop_at;
}

static void test_progress_and_cancel(void **state)
{
    (void)state;
    empty_cache();
    const char *const good[] = {url("good"), NULL}, *const slow[] = {url("slow"), url("good"),
                                                                     NULL};
    gi_download download = {"fox", good, cache, FOX_SHA256, NULL};
    glia_error error = {0};
    struct watch seen = {.stop_at = 1000, .ordered = true};
    assert_error("progress", gi_fetch(&download, watch, &seen, &error), GLIA_OK, &error, NULL,
                 NULL);
    assert_true(seen.ordered);
    assert_int_equal(seen.last, 43);
    assert_int_equal(seen.total, 43);

    empty_cache();
    forget_requests();
    download.base_urls = slow;
    seen = (struct watch){.stop_at = 5, .ordered = true};
    assert_error("cancel", gi_fetch(&download, watch, &seen, &error), GLIA_CANCELLED, &error,
                 "/slow/fox", "stopped");
    assert_requests("/slow/fox\n"); /* no other mirror is tried */
    assert_true(seen.last >= 5 && seen.last < 43);
    assert_int_equal(files_in(cache), 0);
}

/* ---- Named sets ---------------------------------------------------------------------------- */

/* The real files, from the mirror that the caller names; what is there is not fetched again. */
static void test_mnist(void **state)
{
    (void)state;
    if (!glia_data) {
        print_message("skipped: GLIA_DATA is not set\n");
        skip();
    }
    char command[512], path[160];
    snprintf(command, sizeof command, "cp '%s'/mnist/*-ubyte.gz '%s'", glia_data, folder);
    assert_int_equal(system(command), 0);
    empty_cache();
    forget_requests();
    unsetenv("GLIA_DATA");
    setenv("XDG_CACHE_HOME", cache, 1);
    const glia_data_params params = {.mirror = url("good")};
    glia_error error = {0};
    assert_error("fetch", glia_dataset_fetch("mnist", &params, &error), GLIA_OK, &error, NULL,
                 NULL);
    const char *const requests =
        "/good/train-images-idx3-ubyte.gz\n/good/train-labels-idx1-ubyte.gz\n"
        "/good/t10k-images-idx3-ubyte.gz\n/good/t10k-labels-idx1-ubyte.gz\n";
    assert_requests(requests);
    snprintf(path, sizeof path, "%s/glia/mnist", cache);
    assert_int_equal(files_in(path), 4);
    glia_dataset *dataset;
    assert_int_equal(glia_dataset_open("mnist", GLIA_SPLIT_TEST, &params, &dataset, &error),
                     GLIA_OK);
    assert_int_equal(glia_dataset_describe(dataset).samples, 10000);
    glia_dataset_free(dataset);
    assert_requests(requests);

    /* One is lost: that one alone is fetched, by the open. */
    forget_requests();
    snprintf(path, sizeof path, "%s/glia/mnist/t10k-labels-idx1-ubyte.gz", cache);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(glia_dataset_open("mnist", GLIA_SPLIT_TEST, &params, &dataset, &error),
                     GLIA_OK);
    glia_dataset_free(dataset);
    assert_requests("/good/t10k-labels-idx1-ubyte.gz\n");
}

/* Files of other content under the right names. */
static void test_wrong_content(void **state)
{
    (void)state;
    char path[160];
    write_file("train-images-idx3-ubyte.gz", FOX, sizeof FOX - 1);
    empty_cache();
    unsetenv("GLIA_DATA");
    setenv("XDG_CACHE_HOME", cache, 1);
    const glia_data_params params = {.mirror = url("good")};
    const char *const names[] = {"mnist", "fashion-mnist"};
    for (size_t i = 0; i < 2; i++) {
        glia_dataset *dataset = NULL;
        glia_error error = {0};
        assert_error(
            names[i], glia_dataset_open(names[i], GLIA_SPLIT_TRAIN, &params, &dataset, &error),
            GLIA_DOWNLOAD_FAILED, &error, "/good/train-images-idx3-ubyte.gz", "checksum is wrong");
        assert_null(dataset);
        snprintf(path, sizeof path, "%s/glia/%s", cache, names[i]);
        assert_int_equal(files_in(path), 0);
    }
}

#endif

int main(void)
{
    const char *data = getenv("GLIA_DATA");
    glia_data = data && *data ? realpath(data, NULL) : NULL;
    const struct CMUnitTest tests[] = {
#ifdef GLIA_HAS_FETCH
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_mirrors),
        cmocka_unit_test(test_folder_cannot_be_made),
        cmocka_unit_test(test_progress_and_cancel),
        cmocka_unit_test(test_mnist),
        cmocka_unit_test(test_wrong_content),
#else
        cmocka_unit_test(test_unsupported),
#endif
    };
    const int failed = cmocka_run_group_tests(tests, start_server, stop_server);
    free(glia_data);
    return failed;
}
