/* SPDX-License-Identifier: MIT */
/*
 * Tests of src/base: memory, error messages, number parsing, random numbers, files, threads. The
 * random numbers are held to the known answers of their inventors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/date.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/random.h"
#include "base/status.h"
#include "base/thread.h"

/* ---- Status -------------------------------------------------------------------------------- */

static void test_status_names(void **state)
{
    (void)state;
    assert_string_equal(glia_version(), GLIA_VERSION);
    assert_int_equal(glia_version_number(), GLIA_VERSION_NUMBER);
    int major = -1, minor = -1, patch = -1;
    assert_int_equal(sscanf(GLIA_VERSION, "%d.%d.%d", &major, &minor, &patch), 3);
    assert_int_equal(GLIA_VERSION_NUMBER, 10000 * major + 100 * minor + patch);
    assert_string_equal(glia_status_name(GLIA_OK), "OK");
    assert_string_equal(glia_status_name(GLIA_BAD_FORMAT), "BAD_FORMAT");
    assert_string_equal(glia_status_text(GLIA_BAD_FORMAT), "a file is malformed");
    assert_string_equal(glia_status_name((glia_status)1000), "UNKNOWN");
    assert_string_equal(glia_status_text((glia_status)-1), "unknown status");
}

static void test_fail_sets_the_error(void **state)
{
    (void)state;
    glia_error error = {0};
    assert_int_equal(gi_fail(&error, GLIA_IO, "%s: byte %d", "a.idx", 4), GLIA_IO);
    assert_int_equal(error.status, GLIA_IO);
    assert_string_equal(error.message, "a.idx: byte 4");
    assert_int_equal(gi_fail(NULL, GLIA_IO, "nobody listens"), GLIA_IO);
}

/* Structs of two versions of a header: what both know is copied, nothing else is touched. */
static void test_copy_known(void **state)
{
    (void)state;
    const struct {
        int a, b, c;
    } newer = {1, 2, 3};
    const struct {
        int a, b;
    } older = {4, 5};
    int to[4] = {-1, -1, -1, -1};
    gi_copy_known(to, sizeof older, &newer, sizeof newer);
    const int cut[4] = {1, 2, -1, -1};
    assert_memory_equal(to, cut, sizeof to);
    gi_copy_known(to, sizeof newer, &older, sizeof older);
    const int filled[4] = {4, 5, 0, -1};
    assert_memory_equal(to, filled, sizeof to);
}

static void test_fail_cleans_control_characters(void **state)
{
    (void)state;
    glia_error error = {0};
    gi_fail(&error, GLIA_IO, "%s", "a\nb\x1b[31m\x7f\tc \xc3\xa4");
    assert_string_equal(error.message, "a?b?[31m??c \xc3\xa4");
}

static void test_fail_cuts_whole_characters(void **state)
{
    (void)state;
    glia_error error = {0};
    char text[2 * sizeof error.message];
    const char *const characters[] = {"x", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x99\x82"};
    for (size_t bytes = 1; bytes <= 4; bytes++) {
        for (size_t shift = 0; shift < 4; shift++) {
            size_t n = 0;
            while (n < shift) text[n++] = '-';
            while (n + bytes < sizeof text) {
                memcpy(text + n, characters[bytes - 1], bytes);
                n += bytes;
            }
            text[n] = '\0';
            gi_fail(&error, GLIA_IO, "%s", text);
            const size_t length = strlen(error.message);
            assert_true(length < sizeof error.message);
            assert_true(length >= sizeof error.message - 5); /* at most one character less */
            assert_int_equal((length - shift) % bytes, 0);
            assert_memory_equal(error.message, text, length);
        }
    }
}

/* ---- Memory -------------------------------------------------------------------------------- */

static void test_alloc_zeroes_and_aligns(void **state)
{
    (void)state;
    for (size_t n = 1; n < 300; n += 37) {
        unsigned char *block = gi_alloc(n, 3, "a test", NULL);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % 64, 0);
        for (size_t i = 0; i < 3 * n; i++) assert_int_equal(block[i], 0);
        memset(block, 0xFF, 3 * n);
        gi_free(block);
    }
    gi_free(NULL);
}

static void test_alloc_of_nothing(void **state)
{
    (void)state;
    void *a = gi_alloc(0, 8, "a test", NULL), *b = gi_alloc(8, 0, "a test", NULL);
    assert_non_null(a);
    assert_non_null(b);
    gi_free(a);
    gi_free(b);
}

static void test_alloc_refuses_overflow(void **state)
{
    (void)state;
    static const size_t sizes[][2] = {{SIZE_MAX, 2},
                                      {2, SIZE_MAX},
                                      {SIZE_MAX, 1},
                                      {SIZE_MAX - 8, 1},
                                      {SIZE_MAX / 2, SIZE_MAX / 2},
                                      {(size_t)1 << 32, (size_t)1 << 32}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        glia_error error = {0};
        assert_null(gi_alloc(sizes[i][0], sizes[i][1], "the weights", &error));
        assert_int_equal(error.status, GLIA_NO_MEMORY);
        assert_non_null(strstr(error.message, "the weights"));
    }
}

static void test_strings(void **state)
{
    (void)state;
    char *copy = gi_strdup("glia", NULL);
    assert_string_equal(copy, "glia");
    gi_free(copy);
    char *empty = gi_strdup("", NULL);
    assert_string_equal(empty, "");
    gi_free(empty);
    char *made = gi_format(NULL, "%s/%d", "folder", 7);
    assert_string_equal(made, "folder/7");
    gi_free(made);
}

static void test_copy_names(void **state)
{
    (void)state;
    const char *const names[] = {"T-shirt", "", "Ankle boot"};
    char **copies = gi_copy_names(names, 3, NULL);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(copies[i], names[i]);
        assert_ptr_not_equal(copies[i], names[i]);
    }
    gi_free(copies);
    char **numbers = gi_copy_names(NULL, 1001, NULL);
    assert_string_equal(numbers[0], "0");
    assert_string_equal(numbers[9], "9");
    assert_string_equal(numbers[1000], "1000");
    gi_free(numbers);
}

/* ---- Numbers ------------------------------------------------------------------------------- */

static void test_parse_u64(void **state)
{
    (void)state;
    uint64_t value = 7;
    assert_true(gi_parse_u64("0", &value));
    assert_int_equal(value, 0);
    assert_true(gi_parse_u64("060000", &value));
    assert_int_equal(value, 60000);
    assert_true(gi_parse_u64("18446744073709551615", &value));
    assert_true(value == UINT64_MAX);
    const char *const wrong[] = {"",
                                 "-1",
                                 "+1",
                                 " 1",
                                 "1 ",
                                 "1.0",
                                 "0x1",
                                 "1e3",
                                 "a",
                                 "18446744073709551616",
                                 "99999999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        value = 7;
        assert_false(gi_parse_u64(wrong[i], &value));
        assert_int_equal(value, 7);
    }
}

/* ---- Random numbers ------------------------------------------------------------------------ */

/* Dates and times in the forms of their writers; GNU date gave the seconds. */
static void test_dates(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        gi_date_form form;
        double seconds; /* INFINITY: it is none; NAN: nothing is there */
    } cases[] = {
        {"1970-01-01", GI_DATE_YMD, 0},
        {"2024-02-29", GI_DATE_YMD, 1709164800},
        {"2023-02-29", GI_DATE_YMD, INFINITY},
        {"1900-02-29", GI_DATE_YMD, INFINITY},
        {"1899-12-31", GI_DATE_YMD, -2209075200},
        {"2024/3/1", GI_DATE_YMD, 1709251200},
        {"2024.03.01", GI_DATE_YMD, 1709251200},
        {"2024-03", GI_DATE_YMD, 1709251200},
        {"2024-13", GI_DATE_YMD, INFINITY},
        {"2024Q3", GI_DATE_YMD, 1719792000},
        {"2024-Q3", GI_DATE_YMD, 1719792000},
        {"2024-Q5", GI_DATE_YMD, INFINITY},
        {"2024-03-01 10:30:00 CET", GI_DATE_YMD, 1709289000},
        {"Fri, 01 Mar 2024 10:30:00 GMT", GI_DATE_DMY, 1709289000},
        {"Friday, March 1, 2024", GI_DATE_MDY, 1709251200},
        {"2024-3/1", GI_DATE_YMD, INFINITY},
        {"24-03-01", GI_DATE_YMD, INFINITY},
        {"0000-00-00", GI_DATE_YMD, NAN},
        {"0000-00-00 00:00:00", GI_DATE_YMD, NAN},
        {"2024-03-01T10:30:00Z", GI_DATE_YMD, 1709289000},
        {"2024-03-01 10:30", GI_DATE_YMD, 1709289000},
        {"2024-03-01 10:30:00.250", GI_DATE_YMD, 1709289000.25},
        {"2024-03-01T10:30:00+01:00", GI_DATE_YMD, 1709285400},
        {"2024-03-01 10:30:00 -0530", GI_DATE_YMD, 1709308800},
        {"2024-03-01 10:30:00 UTC", GI_DATE_YMD, 1709289000},
        {"2024-03-01T", GI_DATE_YMD, INFINITY},
        {"2024-03-01T10:60", GI_DATE_YMD, INFINITY},
        {"2024-03-01x", GI_DATE_YMD, INFINITY},
        {"2024-Mar-01", GI_DATE_YMD, 1709251200},
        {"01.03.2024", GI_DATE_DMY, 1709251200},
        {"1.3.24", GI_DATE_DMY, 1709251200},
        {"1.3.69", GI_DATE_DMY, -26438400},
        {"1-3-24", GI_DATE_DMY, INFINITY}, /* a code rather */
        {"31/12/2024", GI_DATE_DMY, 1735603200},
        {"31/12/2024", GI_DATE_MDY, INFINITY},
        {"32.12.2024", GI_DATE_DMY, INFINITY},
        {"01-Mar-2024", GI_DATE_DMY, 1709251200},
        {"01MAR2024", GI_DATE_DMY, 1709251200},
        {"1 March 2024", GI_DATE_DMY, 1709251200},
        {"01/Mar/2024:10:30:00 +0000", GI_DATE_DMY, 1709289000},
        {"03/01/2024", GI_DATE_MDY, 1709251200},
        {"3/1/2024 2:30 PM", GI_DATE_MDY, 1709303400},
        {"3/1/2024 12:30:00 AM", GI_DATE_MDY, 1709253000},
        {"3/1/2024 13:30 PM", GI_DATE_MDY, INFINITY},
        {"Mar 1, 2024", GI_DATE_MDY, 1709251200},
        {"29. June 2023", GI_DATE_DMY, 1687996800},
        {"29. Jun. 2023", GI_DATE_DMY, 1687996800},
        {"29. 6. 2023", GI_DATE_DMY, INFINITY},
        {"06/2023", GI_DATE_MDY, 1685577600},
        {"6-2023", GI_DATE_MDY, 1685577600},
        {"June 2023", GI_DATE_MDY, 1685577600},
        {"Jun-2023", GI_DATE_MDY, 1685577600},
        {"06/2023", GI_DATE_DMY, INFINITY},
        {"06.2023", GI_DATE_MDY, INFINITY},
        {"13/2023", GI_DATE_MDY, INFINITY},
        {"3/1024", GI_DATE_MDY, INFINITY},
        {"2023-W05", GI_DATE_YMD, 1675036800},   /* 2023-01-30 */
        {"2023-W05-7", GI_DATE_YMD, 1675555200}, /* 2023-02-05 */
        {"2020-W01", GI_DATE_YMD, 1577664000},   /* 2019-12-30 */
        {"2020-W53-5", GI_DATE_YMD, 1609459200}, /* 2021-01-01 */
        {"2021-W53", GI_DATE_YMD, INFINITY},     /* that year has 52 */
        {"2023-W00", GI_DATE_YMD, INFINITY},
        {"2023-W05-8", GI_DATE_YMD, INFINITY},
        {"2023-W05x", GI_DATE_YMD, INFINITY},
        {"10:30", GI_DATE_TIME, 37800},
        {"2:30 pm", GI_DATE_TIME, 52200},
        {"102:30:15", GI_DATE_TIME, 369015},
        {"10:5", GI_DATE_TIME, INFINITY},
        {"", GI_DATE_YMD, INFINITY},
        {"x", GI_DATE_DMY, INFINITY},
        {"1.5", GI_DATE_DMY, INFINITY},
        {"192.168.1.1", GI_DATE_DMY, INFINITY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double seconds = INFINITY;
        if (!gi_date_parse(cases[i].text, cases[i].form, &seconds, NULL)) seconds = INFINITY;
        const double expected = cases[i].seconds;
        if (seconds != expected && !(isnan(seconds) && isnan(expected)))
            fail_msg("%s: found %.3f, expected %.3f", cases[i].text, seconds, expected);
    }
    double seconds;
    assert_true(gi_date_of_number(20240301, &seconds) && seconds == 1709251200);
    assert_false(gi_date_of_number(20240230, &seconds));
    assert_true(gi_date_of_number(20240301103000, &seconds) && seconds == 1709289000);
    assert_true(gi_date_of_number(202403011030, &seconds) && seconds == 1709289000);
    assert_false(gi_date_of_number(20240301103060, &seconds));
    assert_false(gi_date_of_number(2024030110, &seconds));
    assert_false(gi_date_of_number(20240301.5, &seconds));
    assert_false(gi_date_of_number(NAN, &seconds));
}

static void test_parts_of_dates(void **state)
{
    (void)state;
    double seconds;
    assert_true(gi_date_parse("2024-03-01 10:30", GI_DATE_YMD, &seconds, NULL)); /* a Friday */
    assert_true(gi_date_part_of(seconds, GI_DATE_DAYS) == 19783.4375);
    assert_true(gi_date_part_of(seconds, GI_DATE_YEAR) == 2024);
    assert_true(gi_date_part_of(seconds, GI_DATE_MONTH) == 3);
    assert_true(gi_date_part_of(seconds, GI_DATE_WEEKDAY) == 5);
    assert_true(gi_date_part_of(seconds, GI_DATE_HOUR) == 10.5);
    assert_true(gi_date_parse("1899-12-31 18:00", GI_DATE_YMD, &seconds, NULL)); /* a Sunday */
    assert_true(gi_date_part_of(seconds, GI_DATE_YEAR) == 1899);
    assert_true(gi_date_part_of(seconds, GI_DATE_MONTH) == 12);
    assert_true(gi_date_part_of(seconds, GI_DATE_WEEKDAY) == 7);
    assert_true(gi_date_part_of(seconds, GI_DATE_HOUR) == 18);
    assert_true(isnan(gi_date_part_of(NAN, GI_DATE_WEEKDAY)));
}

/* kat_vectors of Random123 1.09, philox4x32 10 */
static void test_philox_known_answers(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } answers[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        uint32_t out[4];
        gi_philox4x32(answers[i].counter, answers[i].key, out);
        assert_memory_equal(out, answers[i].out, sizeof out);
    }
}

/* A stream is the blocks of (index, epoch, purpose) in order, whatever was drawn elsewhere. */
static void test_streams(void **state)
{
    (void)state;
    const uint64_t seed = UINT64_C(0x0123456789abcdef), index = UINT64_C(0xabcdef9876543210);
    gi_rng rng = gi_rng_make(seed, GI_RANDOM_SHUFFLE, 3, index & (((uint64_t)1 << 56) - 1));
    const uint32_t key[2] = {0x89abcdef, 0x01234567};
    for (uint32_t block = 0; block < 5; block++) {
        const uint32_t counter[4] = {block, 0x76543210, 3, GI_RANDOM_SHUFFLE | 0xcdef98U << 8};
        uint32_t expected[4];
        gi_philox4x32(counter, key, expected);
        for (int i = 0; i < 4; i++) assert_int_equal(gi_rng_u32(&rng), expected[i]);
    }

    /* Each of the four arguments makes another stream. */
    gi_rng streams[] = {gi_rng_make(1, GI_RANDOM_INIT, 0, 0),
                        gi_rng_make(2, GI_RANDOM_INIT, 0, 0),
                        gi_rng_make((uint64_t)1 << 32 | 1, GI_RANDOM_INIT, 0, 0),
                        gi_rng_make(1, GI_RANDOM_SHUFFLE, 0, 0),
                        gi_rng_make(1, GI_RANDOM_INIT, 1, 0),
                        gi_rng_make(1, GI_RANDOM_INIT, 0, 1),
                        gi_rng_make(1, GI_RANDOM_INIT, 0, (uint64_t)1 << 32)};
    enum { N = sizeof streams / sizeof streams[0] };
    uint32_t first[N];
    for (size_t i = 0; i < N; i++) first[i] = gi_rng_u32(&streams[i]);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < i; j++) assert_int_not_equal(first[i], first[j]);
}

static void test_uniform(void **state)
{
    (void)state;
    gi_rng rng = gi_rng_make(1, GI_RANDOM_INIT, 0, 0);
    enum { N = 1 << 16 };
    double sum = 0, squares = 0;
    for (int i = 0; i < N; i++) {
        const double u = (double)gi_rng_uniform(&rng);
        assert_true(u >= 0 && u < 1);
        sum += u;
        squares += u * u;
    }
    /* Within 5 standard errors of 1/2 and 1/3: sd of u is sqrt(1/12), of u^2 sqrt(4/45). */
    assert_true(fabs(sum / N - 1.0 / 2) < 5 * sqrt(1.0 / 12 / N));
    assert_true(fabs(squares / N - 1.0 / 3) < 5 * sqrt(4.0 / 45 / N));
}

static void test_below(void **state)
{
    (void)state;
    gi_rng rng = gi_rng_make(5, GI_RANDOM_SHUFFLE, 0, 0);
    for (int i = 0; i < 100; i++) assert_int_equal(gi_rng_below(&rng, 1), 0);

    /* Chi-squared over 7 cells, 6 degrees of freedom: above 30 once in 25,000 seeds. */
    enum { CELLS = 7, N = 70000 };
    double counts[CELLS] = {0}, chi = 0;
    for (int i = 0; i < N; i++) {
        const uint32_t cell = gi_rng_below(&rng, CELLS);
        assert_true(cell < CELLS);
        counts[cell]++;
    }
    for (int i = 0; i < CELLS; i++)
        chi += (counts[i] - N / CELLS) * (counts[i] - N / CELLS) / (N / CELLS);
    assert_true(chi < 30);

    /* Without rejection a draw below 3 * 2^30 would be floor(3x / 4): multiples of 3 twice as
     * often. */
    const uint32_t bound = 3U << 30;
    double thirds[3] = {0}, modulo[3] = {0};
    enum { DRAWS = 30000 };
    for (int i = 0; i < DRAWS; i++) {
        const uint32_t value = gi_rng_below(&rng, bound);
        assert_true(value < bound);
        thirds[value >> 30]++;
        modulo[value % 3]++;
    }
    for (int i = 0; i < 3; i++) {
        assert_true(fabs(thirds[i] - DRAWS / 3) < 5 * sqrt(DRAWS * 2.0 / 9));
        assert_true(fabs(modulo[i] - DRAWS / 3) < 5 * sqrt(DRAWS * 2.0 / 9));
    }
}

static void test_normal_moments(void **state)
{
    (void)state;
    gi_rng rng = gi_rng_make(9, GI_RANDOM_INIT, 0, 2);
    enum { N = 1 << 17 };
    double m1 = 0, m2 = 0, m3 = 0, m4 = 0;
    for (int i = 0; i < N; i++) {
        const double x = (double)gi_rng_normal(&rng);
        assert_true(isfinite(x));
        m1 += x / N;
        m2 += x * x / N;
        m3 += x * x * x / N;
        m4 += x * x * x * x / N;
    }
    /* Variances of x, x^2, x^3, x^4: 1, 2, 15, 96. */
    assert_true(fabs(m1) < 5 * sqrt(1.0 / N));
    assert_true(fabs(m2 - 1) < 5 * sqrt(2.0 / N));
    assert_true(fabs(m3) < 5 * sqrt(15.0 / N));
    assert_true(fabs(m4 - 3) < 5 * sqrt(96.0 / N));
}

/* ---- Files --------------------------------------------------------------------------------- */

/* A folder of its own for a test; its files are removed with it. */
static int make_folder(void **state)
{
    char name[] = "/tmp/glia-test-XXXXXX";
    if (!mkdtemp(name)) return -1;
    *state = gi_strdup(name, NULL);
    return *state ? 0 : -1;
}

static int remove_folder(void **state)
{
    char *command = gi_format(NULL, "rm -rf '%s'", (char *)*state);
    const int result = system(command);
    gi_free(command);
    gi_free(*state);
    return result;
}

static glia_status write_file(const char *path, const char *text, glia_error *error)
{
    gi_writer writer;
    glia_status status = gi_writer_open(&writer, path, error);
    if (!status) status = gi_writer_write(&writer, text, strlen(text), error);
    return gi_writer_close(&writer, status, error);
}

static void assert_content(const char *path, const char *text)
{
    gi_file file = {0};
    assert_int_equal(gi_file_open(path, &file, NULL), GLIA_OK);
    assert_int_equal(file.size, strlen(text));
    if (file.size) assert_memory_equal(file.data, text, file.size);
    gi_file_close(&file);
    assert_null(file.data);
}

static int count_entries(const char *folder)
{
    char *command = gi_format(NULL, "ls -A '%s' | wc -l", folder);
    FILE *pipe = popen(command, "r");
    int count = -1;
    assert_int_equal(fscanf(pipe, "%d", &count), 1);
    pclose(pipe);
    gi_free(command);
    return count;
}

static void test_write_and_read(void **state)
{
    char *path = gi_format(NULL, "%s/file", (char *)*state);
    assert_false(gi_file_exists(path));
    assert_int_equal(write_file(path, "first", NULL), GLIA_OK);
    assert_true(gi_file_exists(path));
    assert_false(gi_is_directory(path));
    assert_content(path, "first");
    assert_int_equal(write_file(path, "the second, which is longer", NULL), GLIA_OK);
    assert_content(path, "the second, which is longer");
    assert_int_equal(write_file(path, "", NULL), GLIA_OK);
    assert_content(path, "");
    assert_int_equal(count_entries(*state), 1); /* no temporary file stays */
    gi_free(path);
}

static void test_read_maps_the_old_file(void **state)
{
    char *path = gi_format(NULL, "%s/file", (char *)*state);
    assert_int_equal(write_file(path, "old", NULL), GLIA_OK);
    gi_file file = {0};
    assert_int_equal(gi_file_open(path, &file, NULL), GLIA_OK);
    assert_true(file.mapped);
    assert_int_equal(write_file(path, "new", NULL), GLIA_OK); /* replaced, not overwritten */
    assert_memory_equal(file.data, "old", 3);
    gi_file_close(&file);
    gi_file_close(&file); /* an all-zero struct is legal */
    gi_free(path);
}

static void test_write_given_up_keeps_the_old_file(void **state)
{
    char *path = gi_format(NULL, "%s/file", (char *)*state);
    assert_int_equal(write_file(path, "old", NULL), GLIA_OK);
    gi_writer writer;
    assert_int_equal(gi_writer_open(&writer, path, NULL), GLIA_OK);
    assert_int_equal(gi_writer_write(&writer, "new", 3, NULL), GLIA_OK);
    assert_content(path, "old"); /* until the commit */
    assert_int_equal(gi_writer_close(&writer, GLIA_CANCELLED, NULL), GLIA_CANCELLED);
    assert_content(path, "old");
    assert_int_equal(count_entries(*state), 1);
    gi_free(path);
}

static void test_write_follows_a_link(void **state)
{
    char *path = gi_format(NULL, "%s/file", (char *)*state);
    char *link = gi_format(NULL, "%s/link", (char *)*state);
    assert_int_equal(write_file(path, "old", NULL), GLIA_OK);
    assert_int_equal(symlink("file", link), 0);
    assert_int_equal(write_file(link, "new", NULL), GLIA_OK);
    assert_content(path, "new");
    struct stat info;
    assert_int_equal(lstat(link, &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    /* Who may read the file is not changed by replacing it. */
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(write_file(link, "newer", NULL), GLIA_OK);
    assert_content(path, "newer");
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    gi_free(path);
    gi_free(link);
}

static void test_write_to_a_device(void **state)
{
    (void)state;
    assert_int_equal(write_file("/dev/null", "gone", NULL), GLIA_OK);
    struct stat info;
    assert_int_equal(stat("/dev/null", &info), 0);
    assert_true(S_ISCHR(info.st_mode)); /* not replaced by a file */
    glia_error error = {0};
    assert_int_equal(write_file("/dev/full", "no room", &error), GLIA_IO);
    assert_non_null(strstr(error.message, "/dev/full"));
}

static void test_file_failures(void **state)
{
    gi_file file = {0};
    glia_error error = {0};
    char *absent = gi_format(NULL, "%s/absent", (char *)*state);
    assert_int_equal(gi_file_open(absent, &file, &error), GLIA_NOT_FOUND);
    assert_non_null(strstr(error.message, absent));
    assert_int_equal(gi_file_open(*state, &file, &error), GLIA_IO); /* a folder */
    assert_non_null(strstr(error.message, "folder"));
    assert_int_equal(write_file(*state, "text", &error), GLIA_IO);
    assert_non_null(strstr(error.message, "folder"));
    char *nowhere = gi_format(NULL, "%s/absent/file", (char *)*state);
    assert_int_equal(write_file(nowhere, "text", &error), GLIA_NOT_FOUND);
    assert_false(gi_file_exists(*state));
    gi_free(nowhere);
    gi_free(absent);
}

static void test_read_a_pipe(void **state)
{
    char *path = gi_format(NULL, "%s/pipe", (char *)*state);
    char *command = gi_format(NULL, "head -c 300000 /dev/zero > '%s' &", path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(system(command), 0);
    gi_file file = {0};
    assert_int_equal(gi_file_open(path, &file, NULL), GLIA_OK);
    assert_false(file.mapped);
    assert_int_equal(file.size, 300000);
    gi_file_close(&file);
    gi_free(command);
    gi_free(path);
}

static void test_make_directories(void **state)
{
    char *path = gi_format(NULL, "%s/a/b/c", (char *)*state);
    assert_int_equal(gi_make_directories(path, NULL), GLIA_OK);
    assert_true(gi_is_directory(path));
    assert_int_equal(gi_make_directories(path, NULL), GLIA_OK); /* there already */
    char *file = gi_format(NULL, "%s/file", path), *below = gi_format(NULL, "%s/file/d", path);
    glia_error error = {0};
    assert_int_equal(write_file(file, "text", NULL), GLIA_OK);
    assert_int_equal(gi_make_directories(below, &error), GLIA_IO);
    assert_non_null(strstr(error.message, file));
    gi_free(path);
    gi_free(file);
    gi_free(below);
}

/* ---- Threads ------------------------------------------------------------------------------- */

enum { ROUNDS = 100, MOST_THREADS = 5 };

struct counting {
    gi_pool *pool;
    int before[MOST_THREADS]; /* plain: only the barrier keeps the threads apart */
    atomic_int wrong, calls;
};

/* In each round every thread writes its cell; after the barrier all cells must show the round. */
static void count_rounds(void *context, int thread, int n_threads)
{
    struct counting *counting = context;
    atomic_fetch_add(&counting->calls, 1);
    for (int round = 1; round <= ROUNDS; round++) {
        counting->before[thread] = round;
        gi_pool_barrier(counting->pool);
        for (int t = 0; t < n_threads; t++)
            if (counting->before[t] != round) atomic_fetch_add(&counting->wrong, 1);
        gi_pool_barrier(counting->pool);
    }
}

static void test_barrier(void **state)
{
    (void)state;
    for (int n = 1; n <= MOST_THREADS; n++) {
        struct counting counting = {0};
        assert_int_equal(gi_pool_create(n, &counting.pool, NULL), GLIA_OK);
        assert_int_equal(gi_pool_threads(counting.pool), n);
        for (int run = 1; run <= 3; run++) {
            gi_pool_run(counting.pool, count_rounds, &counting);
            assert_int_equal(atomic_load(&counting.calls), run * n);
        }
        assert_int_equal(atomic_load(&counting.wrong), 0);
        gi_pool_free(counting.pool);
    }
    gi_pool_free(NULL);
}

static void add_one(void *context, int thread, int n_threads)
{
    (void)n_threads;
    ((int *)context)[thread]++;
}

/* gi_pool_run returns only when all have finished: what they wrote is there. */
static void test_many_short_runs(void **state)
{
    (void)state;
    gi_pool *pool = NULL;
    int counts[3] = {0};
    assert_int_equal(gi_pool_create(3, &pool, NULL), GLIA_OK);
    for (int run = 1; run <= 2000; run++) {
        gi_pool_run(pool, add_one, counts);
        for (int t = 0; t < 3; t++) assert_int_equal(counts[t], run);
    }
    gi_pool_free(pool);
}

static void test_pool_sizes(void **state)
{
    (void)state;
    gi_pool *pool = NULL;
    assert_true(gi_core_count() >= 1);
    assert_int_equal(gi_pool_create(0, &pool, NULL), GLIA_OK);
    assert_int_equal(gi_pool_threads(pool), gi_core_count());
    gi_pool_free(pool);
    /* As many as can be of use, however many are asked for. */
    assert_int_equal(gi_pool_create(1024, &pool, NULL), GLIA_OK);
    assert_in_range(gi_pool_threads(pool), 1, 8 * gi_core_count());
    gi_pool_free(pool);
    glia_error error = {0};
    assert_int_equal(gi_pool_create(-1, &pool, &error), GLIA_BAD_ARGUMENT);
    assert_non_null(strstr(error.message, "-1"));
    assert_int_equal(gi_pool_create(1000000, &pool, &error), GLIA_BAD_ARGUMENT);
}

static void test_slices(void **state)
{
    (void)state;
    for (size_t n = 0; n < 70; n++) {
        for (size_t grain = 1; grain <= 16; grain *= 4) {
            for (int threads = 1; threads <= 9; threads++) {
                size_t next = 0, least = SIZE_MAX, most = 0;
                for (int t = 0; t < threads; t++) {
                    size_t begin = 0, end = 0;
                    gi_slice(n, grain, t, threads, &begin, &end);
                    assert_int_equal(begin, next); /* no hole, no overlap */
                    assert_true(end >= begin);
                    if (end < n) assert_int_equal(end % grain, 0);
                    const size_t grains = (end - begin + grain - 1) / grain;
                    least = grains < least ? grains : least;
                    most = grains > most ? grains : most;
                    next = end;
                }
                assert_int_equal(next, n);
                assert_true(most - least <= 1); /* even */
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status_names),
        cmocka_unit_test(test_fail_sets_the_error),
        cmocka_unit_test(test_copy_known),
        cmocka_unit_test(test_fail_cleans_control_characters),
        cmocka_unit_test(test_fail_cuts_whole_characters),
        cmocka_unit_test(test_alloc_zeroes_and_aligns),
        cmocka_unit_test(test_alloc_of_nothing),
        cmocka_unit_test(test_alloc_refuses_overflow),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_copy_names),
        cmocka_unit_test(test_parse_u64),
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_parts_of_dates),
        cmocka_unit_test(test_philox_known_answers),
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_uniform),
        cmocka_unit_test(test_below),
        cmocka_unit_test(test_normal_moments),
        cmocka_unit_test_setup_teardown(test_write_and_read, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_read_maps_the_old_file, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_write_given_up_keeps_the_old_file, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(test_write_follows_a_link, make_folder, remove_folder),
        cmocka_unit_test(test_write_to_a_device),
        cmocka_unit_test_setup_teardown(test_file_failures, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_read_a_pipe, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_make_directories, make_folder, remove_folder),
        cmocka_unit_test(test_barrier),
        cmocka_unit_test(test_many_short_runs),
        cmocka_unit_test(test_pool_sizes),
        cmocka_unit_test(test_slices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
