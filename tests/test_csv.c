/* SPDX-License-Identifier: MIT */
/*
 * Tests of separated values: numbers against Python's, tables as they should be read, malformed
 * ones with what their message must say, the same from any number of threads and blocks of any
 * size, pipes, the cache.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "assert_error.h"
#include "base/memory.h"
#include "base/number.h"
#include "data/table/csv/csv_parts.h"
#include "golden/numbers.h"

/* ---- Helpers -------------------------------------------------------------------------------- */

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/glia-test-csv-XXXXXX");
    return mkdtemp(folder) && setenv("XDG_CACHE_HOME", folder, 1) == 0 ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static const char *in_folder(const char *file)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    return path;
}

static void write_file(const char *path, const void *data, size_t n)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

static long allocations_until_failure = -1; /* -1: none fails */

void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    if (allocations_until_failure == 0) return NULL;
    if (allocations_until_failure > 0) allocations_until_failure--;
    return __real_aligned_alloc(alignment, size);
}

static bool disk_is_full;

/* Either of them is what the library calls, as large files are built in or asked for. */
ssize_t __real_pwrite(int descriptor, const void *block, size_t n, off_t at);
ssize_t __wrap_pwrite(int descriptor, const void *block, size_t n, off_t at);
ssize_t __real_pwrite64(int descriptor, const void *block, size_t n, int64_t at);
ssize_t __wrap_pwrite64(int descriptor, const void *block, size_t n, int64_t at);

ssize_t __wrap_pwrite(int descriptor, const void *block, size_t n, off_t at)
{
    errno = ENOSPC;
    return disk_is_full ? -1 : __real_pwrite(descriptor, block, n, at);
}

ssize_t __wrap_pwrite64(int descriptor, const void *block, size_t n, int64_t at)
{
    errno = ENOSPC;
    return disk_is_full ? -1 : __real_pwrite64(descriptor, block, n, at);
}

/* Text that grows. */
struct text {
    char *text;
    size_t n, room;
};

__attribute__((format(printf, 2, 3))) static void print(struct text *to, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (to->room - to->n < 8192) {
        to->room = 2 * to->room + 16384;
        to->text = realloc(to->text, to->room);
        assert_non_null(to->text);
    }
    const int n = vsnprintf(to->text + to->n, to->room - to->n, format, arguments);
    assert_in_range(n, 0, 8191);
    to->n += (size_t)n;
    va_end(arguments);
}

/* "a:n b:t? | 2: 1 x | 3: - y": names, kinds, whether any is missing; lines and cells. */
static void render(struct text *to, const gi_table *table, bool with_header)
{
    for (size_t c = 0; with_header && c < table->n_columns; c++)
        print(to, "%s%s:%c%s", c ? " " : "", table->columns[c].name, "ntx"[table->columns[c].kind],
              table -> columns[c].has_missing ? "?" : "");
    for (size_t row = 0; row < table->rows; row++) {
        print(to, " | %zu:", (size_t)gi_table_line(table, row));
        for (size_t c = 0; c < table->n_columns; c++) {
            const double x = table->cells[row * table->n_columns + c];
            if (isnan(x))
                print(to, " -");
            else if (table->columns[c].kind == GI_CELL_TEXT)
                print(to, " %s", table->columns[c].texts.text[(size_t)x]);
            else
                print(to, " %.17g", x);
        }
    }
    if (with_header && table->skipped) print(to, " skipped %zu", table->skipped);
}

/* What comes of a text: the table rendered, or the message. Freed by free. */
static char *outcome(const char *text, size_t n, const gi_table_params *params, size_t block_bytes)
{
    struct text out = {0};
    gi_table *table = NULL;
    glia_error error = {0};
    const glia_status status =
        gi_csv_parse_blocks("t.csv", (const uint8_t *)text, n, params, block_bytes, &table, &error);
    if (status) {
        assert_null(table);
        print(&out, "%s: %s", glia_status_name(status), error.message);
        return out.text;
    }
    print(&out, "%s; ", table->how);
    render(&out, table, true);
    for (size_t c = 0; c < table->n_columns; c++) /* the order of the codes, too */
        for (size_t t = 0; t < table->columns[c].texts.n; t++)
            if (table->columns[c].texts.n < 1000)
                print(&out, "%s%.1000s", t ? "," : "; ", table->columns[c].texts.text[t]);
    gi_table_free(table);
    return out.text;
}

/* ---- Texts and numbers ---------------------------------------------------------------------- */

static void texts_have_codes_in_order(void **state)
{
    (void)state;
    gi_texts texts = {0};
    size_t code;
    char name[32];
    assert_int_equal(gi_texts_find(&texts, "a", 1), SIZE_MAX);
    for (size_t round = 0; round < 2; round++)
        for (size_t i = 0; i < GI_MAX_TEXTS; i++) {
            const int n =
                snprintf(name, sizeof name, "%.*s%zu", (int)(i % 20), "aaaaaaaaaaaaaaaaaaaa", i);
            assert_int_equal(gi_texts_add(&texts, name, (size_t)n, &code, NULL), GLIA_OK);
            assert_int_equal(code, i);
            assert_string_equal(texts.text[code], name);
        }
    assert_int_equal(gi_texts_add(&texts, "more", 4, &code, NULL), GLIA_OK);
    assert_int_equal(code, SIZE_MAX);
    gi_texts_pop(&texts);
    assert_int_equal(texts.n, GI_MAX_TEXTS - 1);
    assert_int_equal(gi_texts_find(&texts, name, strlen(name)), SIZE_MAX);
    assert_int_equal(gi_texts_add(&texts, "more", 4, &code, NULL), GLIA_OK);
    assert_int_equal(code, GI_MAX_TEXTS - 1);
    assert_int_equal(gi_texts_find(&texts, "1", 1), SIZE_MAX);
    assert_int_equal(gi_texts_find(&texts, "a1", 2), 1);
    gi_texts_free(&texts);
    assert_int_equal(gi_texts_add(&texts, "", 0, &code, NULL), GLIA_OK);
    assert_int_equal(gi_texts_find(&texts, "", 0), 0);
    gi_texts_free(&texts);
}

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* Both ways: by itself, and as a cell of a table. */
static void check_numbers(void)
{
    for (size_t i = 0; i < sizeof golden_numbers / sizeof golden_numbers[0]; i++) {
        const char *text = golden_numbers[i].text;
        double x = -1;
        assert_true(gi_parse_f64(text, text + strlen(text), &x));
        if (bits_of(x) != golden_numbers[i].bits) fail_msg("%s is read as %.17g", text, x);
        if (isinf(x)) continue;
        char file[4096];
        const int n = snprintf(file, sizeof file, "a,b,c\n%s,%s,%s", text, text, text);
        gi_table *table;
        glia_error error;
        const gi_table_params params = gi_table_default_params();
        assert_error(text,
                     gi_csv_parse("t", (const uint8_t *)file, (size_t)n, &params, &table, &error),
                     GLIA_OK, &error, NULL, NULL);
        for (size_t c = 0; c < 3; c++)
            if (bits_of(table->cells[c]) != golden_numbers[i].bits)
                fail_msg("%s is read as %.17g in a table", text, table->cells[c]);
        gi_table_free(table);
    }
}

static void numbers_are_the_nearest(void **state)
{
    (void)state;
    check_numbers();
    static const char *const none[] = {
        "",    "-",   "+",  ".",  "-.", "e5",  "1e",  "1e+",   "1.2.3", "0x10",     "inf",
        "nan", "1,5", "1 ", " 1", "1f", "--1", "+-1", "1e5.5", "1_000", "\xD9\xA1", "1e-"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        double x;
        if (gi_parse_f64(none[i], none[i] + strlen(none[i]), &x))
            fail_msg("\"%s\" is taken for a number", none[i]);
    }
}

static void numbers_do_not_depend_on_the_locale(void **state)
{
    (void)state;
    if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "ps_AF.UTF-8")) skip();
    check_numbers();
    setlocale(LC_ALL, "C");
}

/* ---- Tables as they should be read ---------------------------------------------------------- */

#define T(text) text, sizeof text - 1

/* A column of numbers with a word in a third of its cells. */
#define FEW_WORDS                                                                                  \
    "a\n0.5\n1.5\nn.d\n2.5\n3.5\nn.d\n4.5\n5.5\nn.d\n6.5\n7.5\nn.d\n8.5\n9.5\nn.d\n10.5\n11.5\nn." \
    "d\n12.5\n13.5\nn.d\n14.5\n15.5\nn.d\n16.5\n17.5\nn.d\n18.5\n19.5\nn.d\n20.5\n21.5\nn.d\n22."  \
    "5\n23.5\nn.d\n24.5\n25.5\nn.d\n26.5\n27.5\nn.d\n28.5\n29.5\nn.d\n"

static const struct {
    const char *label, *text;
    size_t n;
    const char *expected;
} good[] = {
    {"plain", T("a,b\n1,2\n3,4\n"), "a:n b:n | 2: 1 2 | 3: 3 4"},
    {"no line end at the end", T("a,b\n1,2"), "a:n b:n | 2: 1 2"},
    {"CRLF", T("a,b\r\n1,x\r\n2,y\r\n"), "a:n b:t | 2: 1 x | 3: 2 y"},
    {"CR alone", T("a,b\r1,x\r2,y\r"), "a:n b:t | 2: 1 x | 3: 2 y"},
    {"byte-order mark",
     T("\xEF\xBB\xBF"
       "a,b\n1,2\n"),
     "a:n b:n | 2: 1 2"},
    {"byte-order mark, quotes", T("\xEF\xBB\xBF\"a\",b\n1,2\n"), "a:n b:n | 2: 1 2"},
    {"semicolons", T("a;b\n1;x,y\n2;z\n"), "a:n b:t | 2: 1 x,y | 3: 2 z"},
    {"tabs", T("a\tb\n1\tx y\n2\t\n"), "a:n b:t? | 2: 1 x y | 3: 2 -"},
    {"bars", T("a|b\n1|2\n"), "a:n b:n | 2: 1 2"},
    {"blanks", T("  5.1 3.5   1\n4.9\t3 0 \n"),
     "column 1:n column 2:n column 3:n | 1: 5.0999999999999996 3.5 1 | 2: 4.9000000000000004 3 0"},
    {"blanks and quotes", T("a b\n1 \"x y\"\n\"2\" z \n"), "a:n b:t | 2: 1 x y | 3: 2 z"},
    {"no header", T("1,x\n2,y\n"), "column 1:n column 2:t | 1: 1 x | 2: 2 y"},
    {"texts alone, header", T("a,b\nx,y\nx,z\n"), "a:t b:t | 2: x y | 3: x z"},
    {"texts alone, no header", T("x,y\nx,z\n"), "column 1:t column 2:t | 1: x y | 2: x z"},
    {"one column", T("a\n1\n\n2\n"), "a:n? | 2: 1 | 3: - | 4: 2"},
    {"one column, missing", T("a\n1\n\"\"\n2\n"), "a:n? | 2: 1 | 3: - | 4: 2"},
    {"one row, no header", T("1,2,3\n"), "column 1:n column 2:n column 3:n | 1: 1 2 3"},
    {"blank lines", T("\n\na,b\n\n1,2\n \n\t\n3,4\n\n"), "a:n b:n | 5: 1 2 | 8: 3 4"},
    {"blanks around", T("a , b\n 1 , x y \n\t2\t,\tz\t\n"), "a:n b:t | 2: 1 x y | 3: 2 z"},
    {"quotes", T("\"a\",\"b\"\n\"1\",\"x, \"\"y\"\"\"\n2,\"\"\n"),
     "a:n b:t? | 2: 1 x, \"y\" | 3: 2 -"},
    {"blanks around quotes", T("a,b\n1 , \"x\" \n2,  \"y,z\"\r\n"), "a:n b:t | 2: 1 x | 3: 2 y,z"},
    {"blanks within quotes", T("a,b\n1,\" x \"\n"), "a:n b:t | 2: 1  x "},
    {"line breaks in quotes", T("a,b\n1,\"x\ny\r\nz\"\n2,w\n"),
     "a:n b:t | 2: 1 x\ny\r\nz | 5: 2 w"},
    {"line break in the header", T("\"a\nb\",c\n1,2\n"), "a\nb:n c:n | 3: 1 2"},
    {"quote of quotes", T("a,b\n1,\"\"\"\"\n2,\"\"\"x\"\n"), "a:n b:t | 2: 1 \" | 3: 2 \"x"},
    {"missing", T("a,b\n1,NA\nNaN,x\n?,null\nNone,N/A\n,\n<NA>,#N/A\n"),
     "a:n? b:t? | 2: 1 - | 3: - x | 4: - - | 5: - - | 6: - - | 7: - -"},
    {"all missing", T("a,b\n1,\n2,\n"), "a:n b:n? | 2: 1 - | 3: 2 -"},
    {"numbers of all kinds", T("a\n+5\n-.5\n5.\n1e3\n-1E-2\n00\n1e-400\n"),
     "a:n | 2: 5 | 3: -0.5 | 4: 5 | 5: 1000 | 6: -0.01 | 7: 0 | 8: 0"},
    {"long numbers", T("a,b\n0.30000000000000000000000000001,12345678901234567890\n"),
     "a:n b:n | 2: 0.29999999999999999 1.2345678901234567e+19"},
    {"nine in ten are numbers", T("a\n1\n2\n3\n4\n5\n6\n7\n8\nx\ny\n"),
     "a:t | 2: 1 | 3: 2 | 4: 3 | 5: 4 | 6: 5 | 7: 6 | 8: 7 | 9: 8 | 10: x | 11: y"},
    {"not ASCII",
     T("gr\xC3\xB6\xC3\x9F"
       "e,b\n1,\xE6\x97\xA5\n"),
     "gr\xC3\xB6\xC3\x9F"
     "e:n b:t | 2: 1 \xE6\x97\xA5"},
    {"years as names", T("2019,2020\n1,2\n"), "2019:n 2020:n | 2: 1 2"},
    {"separator after the last cell", T("a,b,c\n1,2,\n3,4,\n"),
     "a:n b:n c:n? | 2: 1 2 - | 3: 3 4 -"},
    {"a name in quotes with a separator", T("\"a,b\",c\n1,2\n"), "a,b:n c:n | 2: 1 2"},
    /* quotes that open nothing */
    {"feet and inches", T("a,b\n5'10\",1\n6'2\",2\n"), "a:t b:n | 2: 5'10\" 1 | 3: 6'2\" 2"},
    {"a quote in the middle", T("a,b\n1,x\"y\n2,an \"z\"\n"),
     "a:n b:t | 2: 1 x\"y | 3: 2 an \"z\""},
    {"text after a quote", T("a\tb\n1\t\"C\" St\n2\t\"a\" \"b\"\n"),
     "a:n b:t | 2: 1 \"C\" St | 3: 2 \"a\" \"b\""},
    {"a line break before text after a quote", T("a,b\n\"x\ny\"z,1\nw,2\n"),
     "a:t b:n | 2: \"x\ny\"z 1 | 4: w 2"},
    {"backslashes before quotes", T("a,b\n\"say \\\"hi\\\", you\",1\n\"c:\\\\\",2\n"),
     "a:t b:n | 2: say \"hi\", you 1 | 3: c:\\ 2"},
    {"a backslash at the end of a quoted text", T("a,b\n\"c:\\\",1\n\"d:\\\",2\n"),
     "a:t b:n | 2: c:\\ 1 | 3: d:\\ 2"},
    /* lines above the table, and what fills it up */
    {"sep=", T("sep=;\na;b\n1;x\n"), "a:n b:t | 3: 1 x"},
    {"sep= in quotes", T("\"sep=\t\"\r\na\tb\r\n1\tx,y\r\n"), "a:n b:t | 3: 1 x,y"},
    {"comments", T("# made by hand\n\n% a, b and c\na,b\n1,2\n"), "a:n b:n | 5: 1 2"},
    {"names in a comment", T("# a b y\n1.5 2 3\n4 5 6\n"), "a:n b:n y:n | 2: 1.5 2 3 | 3: 4 5 6"},
    {"names in a comment with commas", T("#a,b c\n1.5,2\n4,5\n"), "a:n b c:n | 2: 1.5 2 | 3: 4 5"},
    {"a comment that fits not", T("# a b\n1,2,3\n4,5,6\n"),
     "column 1:n column 2:n column 3:n | 2: 1 2 3 | 3: 4 5 6"},
    {"comments alone are rows", T("#1,2\n#2,3\n"), "column 1:t column 2:n | 1: #1 2 | 2: #2 3"},
    {"a comment at the end", T("a,b\n1,2\n# made by hand\n3,4\n# end\n"),
     "a:n b:n | 2: 1 2 | 4: 3 4"},
    {"a title", T("Sales\na,b,y\n1,2,x\n3,4,y\n5,6,x\n"),
     "a:n b:n y:t | 3: 1 2 x | 4: 3 4 y | 5: 5 6 x"},
    {"a title with empty cells", T("Exported 2024-01-01,,\na,b,y\n1,2,p\n3,4,q\n"),
     "a:n b:n y:t | 3: 1 2 p | 4: 3 4 q"},
    {"titles with empty cells", T("Year;2024;\n;;\na;b;y\n1;2;p\n3;4;q\n"),
     "a:n b:n y:t | 4: 1 2 p | 5: 3 4 q"},
    {"a title above texts", T("Towns,,\nt,c,y\nu,r,p\nb,s,q\nu,s,p\nb,r,q\nu,r,q\n"),
     "t:t c:t y:t | 3: u r p | 4: b s q | 5: u s p | 6: b r q | 7: u r q"},
    {"texts, some of which are missing", T("ulm,,\nbonn,blue,y\nrome,,x\n"),
     "column 1:t column 2:t? column 3:t? | 1: ulm - - | 2: bonn blue y | 3: rome - x"},
    {"numbers, some of which are missing", T("1,,\n2,5,6\n3,7,9\n"),
     "column 1:n column 2:n? column 3:n? | 1: 1 - - | 2: 2 5 6 | 3: 3 7 9"},
    {"counts above the rows", T("3,2,x,y,z\n1,2\n3,4\n5,6\n"),
     "column 1:n column 2:n | 2: 1 2 | 3: 3 4 | 4: 5 6"},
    {"row names of R", T("\"a\" \"b\"\n\"x\" 1 2\n\"y\" 3 4\n"),
     "column 1:x a:n b:n | 2: - 1 2 | 3: - 3 4"},
    {"row numbers of a data frame", T(",a\n0,1\n1,2\n"), "column 1:x a:n | 2: - 1 | 3: - 2"},
    {"row numbers that are mixed", T(",a\n7,1\n3,2\n"), "column 1:x a:n | 2: - 1 | 3: - 2"},
    {"separators at the ends of rows", T("a;b;\n1;2;\n3;4;\n"),
     "a:n b:n column 3:x | 2: 1 2 - | 3: 3 4 -"},
    {"separators at the ends of rows alone", T("a;b\n1;2;\n3;4;\n"),
     "a:n b:n column 3:x | 2: 1 2 - | 3: 3 4 -"},
    {"a separator at the end of the header", T("a;b;\n1;2\n3;4\n5;6\n"),
     "a:n b:n | 2: 1 2 | 3: 3 4 | 4: 5 6"},
    {"two byte-order marks",
     T("\xEF\xBB\xBF\xEF\xBB\xBF"
       "a,b\n1,2\n"),
     "a:n b:n | 2: 1 2"},
    {"Ctrl-Z", T("a,b\r\n1,2\r\n\x1A"), "a:n b:n | 2: 1 2"},
    {"Ctrl-Z after the last cell", T("a,b\n1,x\x1A"), "a:n b:t | 2: 1 x"},
    {"zero bytes at the end", T("a,b\n1,2\n\0\0\0"), "a:n b:n | 2: 1 2"},
    {"CR, and a LF at the end", T("a,b\r1,x\r2,y\n"), "a:n b:t | 2: 1 x | 3: 2 y"},
    /* words and numbers */
    {"missing numbers", T("a\n1\n2\n3\n4\n5\n6\n-\n.\n\\N\n-nan\n1.#IND\n#DIV/0!\nNaT\nnone\n"),
     "a:n? | 2: 1 | 3: 2 | 4: 3 | 5: 4 | 6: 5 | 7: 6 | 8: - | 9: - | 10: - | 11: - | 12: - | 13: - "
     "| 14: - | 15: -"},
    {"words of texts", T("a,b\n1,-\n2,none\n3,\\N\n4,x\n"),
     "a:n b:t? | 2: 1 - | 3: 2 none | 4: 3 - | 5: 4 x"},
    {"decimal commas", T("a;b\n1,5;x\n-0,25;y\n"), "a:n b:t | 2: 1.5 x | 3: -0.25 y"},
    {"decimal commas, thousands", T("a;b\n1.031,50;x\n850,25;y\n1.500;z\n"),
     "a:n b:t | 2: 1031.5 x | 3: 850.25 y | 4: 1500 z"},
    {"thousands in quotes", T("a,b\n\"1,031\",2\n850,3\n"), "a:n b:n | 2: 1031 2 | 3: 850 3"},
    {"millions", T("a,b\n1,\"5,620,897\"\n2,\"12,34,567.5\"\n"),
     "a:n b:n | 2: 1 5620897 | 3: 2 1234567.5"},
    {"thousands with blanks",
     T("a;b\n1 031;2\n12\xC2\xA0"
       "500,5;3\n"),
     "a:n b:n | 2: 1031 2 | 3: 12500.5 3"},
    {"thousands with apostrophes", T("a;b\n1'031.5;2\n850;3\n"),
     "a:n b:n | 2: 1031.5 2 | 3: 850 3"},
    {"thousands with points", T("a;b\n1.031.500;2,5\n1.500;3,5\n"),
     "a:n b:n | 2: 1031500 2.5 | 3: 1500 3.5"},
    {"decimal points beside commas", T("a;b\n1,5;52.52\n2,5;13.405\n"),
     "a:n b:n | 2: 1.5 52.520000000000003 | 3: 2.5 13.404999999999999"},
    {"typographic signs",
     T("a,b\n\xE2\x88\x92"
       "1.5,1\n2\xC2\xA0,2\n"),
     "a:n b:n | 2: -1.5 1 | 3: 2 2"},
    {"codes that look like powers", T("a,b\n258E000656,1\n258E000012,2\n"),
     "a:t b:n | 2: 258E000656 1 | 3: 258E000012 2"},
    {"long codes that come again",
     T("a,b\n1582218195625938944,1\n1582218195625938945,2\n1582218195625938944,3\n"
       "1582218195625938945,4\n"),
     "a:t b:n | 2: 1582218195625938944 1 | 3: 1582218195625938945 2 | 4: 1582218195625938944 3 | "
     "5: "
     "1582218195625938945 4"},
    {"long codes that are one double",
     T("a,b\n1582218195625938944,1\n1582218195625938945,2\n1582218195625938946,3\n"),
     "a:t b:n | 2: 1582218195625938944 1 | 3: 1582218195625938945 2 | 4: 1582218195625938946 3"},
    {"nanoseconds, which a double tells apart",
     T("a,b\n1700000000000000000,1\n1700000001000000000,2\n1700000002000000000,3\n"),
     "a:n b:n | 2: 1.7e+18 1 | 3: 1.700000001e+18 2 | 4: 1.700000002e+18 3"},
    {"codes with zeros in front", T("a,b\n0123,1\n123,2\n007,3\n"),
     "a:t b:n | 2: 0123 1 | 3: 123 2 | 4: 007 3"},
    {"zeros that fill numbers up", T("a,b\n05,1\n00,2\n59,3\n100,4\n0,5\n"),
     "a:n b:n | 2: 5 1 | 3: 0 2 | 4: 59 3 | 5: 100 4 | 6: 0 5"},
    {"a decimal among zeros in front", T("a,b\n0123,1\n123,2\n007.5,3\n007,4\n"),
     "a:n b:n | 2: 123 1 | 3: 123 2 | 4: 7.5 3 | 5: 7 4"},
    /* headers */
    {"wavelengths", T("1100,1102,1104,y\n.2,.21,.2,A\n.3,.32,.31,B\n.2,.2,.19,A\n"),
     "1100:n 1102:n 1104:n y:t | 2: 0.20000000000000001 0.20999999999999999 0.20000000000000001 A "
     "| "
     "3: 0.29999999999999999 0.32000000000000001 0.31 B | 4: 0.20000000000000001 "
     "0.20000000000000001 0.19 A"},
    {"digits of pixels", T("label,0,1,2\n7,0,9,9\n2,5,0,0\n"),
     "label:n 0:n 1:n 2:n | 2: 7 0 9 9 | 3: 2 5 0 0"},
    {"rows in order are no header", T("1,2,3\n4,5,6\n7,8,9\n"),
     "column 1:n column 2:n column 3:n | 1: 1 2 3 | 2: 4 5 6 | 3: 7 8 9"},
    {"a name that is a value, too",
     T("smokes,Other,bought\nyes,Music,no\nyes,Other,no\nno,Music,yes\nno,Other,yes\nyes,Music,"
       "no\nyes,Other,no\nno,Music,yes\nno,Other,yes\nyes,Music,no\nyes,Other,no\nno,Music,yes\nno,"
       "Other,yes\n"),
     "smokes:t Other:t bought:t | 2: yes Music no | 3: yes Other no | 4: no Music yes | 5: no "
     "Other yes | 6: yes Music no | 7: yes Other no | 8: no Music yes | 9: no Other yes | 10: yes "
     "Music no | 11: yes Other no | 12: no Music yes | 13: no Other yes"},
    /* separators */
    {"a tab before the last of blanks", T("18 8 307.0\t\"ford torino\"\n15 8 350.5\t\"buick\"\n"),
     "column 1:n column 2:n column 3:n column 4:t | 1: 18 8 307 ford torino | 2: 15 8 350.5 buick"},
    {"a semicolon in the last of commas", T("0,0.5,a;b\n1,0.25,c;d\n"),
     "column 1:n column 2:n column 3:t | 1: 0 0.5 a;b | 2: 1 0.25 c;d"},
    {"a tab in texts below commas",
     T("a,y\n.5,no\tsir\n.25,yes\tsir\n.5,no\tsir\n.75,no\tsir\n.5,no\tsir\n"
       ".5,no\tsir\n.5,no\tsir\n.5,no\tsir\n.5,no\tsir\n.5,no\tsir\n.5,no\tsir\n"),
     "a:n y:t | 2: 0.5 no\tsir | 3: 0.25 yes\tsir | 4: 0.5 no\tsir | 5: 0.75 no\tsir | 6: 0.5 "
     "no\tsir "
     "| 7: 0.5 no\tsir | 8: 0.5 no\tsir | 9: 0.5 no\tsir | 10: 0.5 no\tsir | 11: 0.5 no\tsir | 12: "
     "0.5 no\tsir"},
    {"a comma in each of two tabs", T("Rome, IT\t1\nBonn, DE\t2\n"),
     "column 1:t column 2:n | 1: Rome, IT 1 | 2: Bonn, DE 2"},
};

static void tables_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        gi_table *table;
        glia_error error;
        struct text found = {0};
        const gi_table_params params = gi_table_default_params();
        assert_error(good[i].label,
                     gi_csv_parse("t.csv", (const uint8_t *)good[i].text, good[i].n, &params,
                                  &table, &error),
                     GLIA_OK, &error, NULL, NULL);
        render(&found, table, true);
        if (strcmp(found.text, good[i].expected) != 0)
            fail_msg("%s: found %s, expected %s", good[i].label, found.text, good[i].expected);
        free(found.text);
        gi_table_free(table);
    }
}

static const char *read_known(const char *text, gi_table_params params, struct text *out)
{
    gi_table *table;
    glia_error error;
    out->n = 0;
    const glia_status status =
        gi_csv_parse("t.csv", (const uint8_t *)text, strlen(text), &params, &table, &error);
    if (status) {
        print(out, "%s", error.message);
    } else {
        render(out, table, true);
        gi_table_free(table);
    }
    return out->text;
}

static void what_is_known_is_applied(void **state)
{
    (void)state;
    struct text out = {0};
    gi_table_params params = gi_table_default_params();
    gi_known_column known[] = {{"b", GI_CELL_TEXT, false, {0}}, {"1", GI_CELL_IGNORED, false, {0}}};
    params.known = known;
    params.n_known = 2;
    assert_string_equal(read_known("a,b,c\nx,1,2\ny,1,3\n", params, &out),
                        "a:x b:t c:n | 2: - 1 2 | 3: - 1 3");
    params.ignores_unknown = true;
    assert_string_equal(read_known("c,b,c\nx,1,2\ny,1,3\n", params, &out),
                        "c:x b:t column 3:x | 2: - 1 - | 3: - 1 -");
    params.n_known = 1;
    assert_string_equal(read_known("z,,b\nx,\xFF,2\n", params, &out),
                        "z:x column 2:x b:t | 2: - - 2");
    params.n_known = 2; /* below a title */
    known[0] = (gi_known_column){"b", GI_CELL_TEXT, false, {0}};
    known[1] = (gi_known_column){"a", GI_CELL_NUMBER, false, {0}};
    assert_string_equal(read_known("Towns,,\na,b,c\n1,2,3\n", params, &out),
                        "a:n b:t c:x | 3: 1 2 -");
    assert_string_equal(read_known("a,b,\n1,2,3\n", params, &out), "a:n b:t column 3:x | 2: 1 2 -");
    params.n_known = 1;
    /* All columns are texts, and the names say that there is a header. */
    assert_string_equal(read_known("b,x\nb,x\n", params, &out), "b:t x:x | 2: b -");
    known[0] = (gi_known_column){"column 2", GI_CELL_NUMBER, false, {0}};
    assert_string_equal(read_known("x,2\nx,3\n", params, &out),
                        "column 1:x column 2:n | 1: - 2 | 2: - 3");
    params = gi_table_default_params();
    params.header = 0;
    assert_string_equal(read_known("a\nb\n", params, &out), "column 1:t | 1: a | 2: b");
    params.header = 1;
    assert_string_equal(read_known("1,2\n3,4\n", params, &out), "1:n 2:n | 2: 3 4");
    params.separator = ';';
    assert_string_equal(read_known("a,b\n1,x\n", params, &out), "a,b:t | 2: 1,x");
    free(out.text);
}

/* Zeros in front of numbers are kept where they tell codes apart, or else are mentioned. */
static void zeros_in_front_are_mentioned(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool targets_are_values;
        gi_cell_kind kind; /* of the last column */
        const char *how;   /* the end of it */
    } cases[] = {
        {"a,c\n1,0123\n2,123\n3,007\n", false, GI_CELL_TEXT,
         "; c has whole numbers with zeros in front that others lack and is read as texts"},
        {"a,c\n1,0123\n2,123\n3,007\n", true, GI_CELL_NUMBER,
         "; c has numbers with zeros in front, which do not count: table.categorical c reads them "
         "as "
         "texts"},
        {"a,c\n1,01067\n2,10115\n3,04109\n", false, GI_CELL_NUMBER,
         "; c has numbers with zeros in front, which do not count: table.categorical c reads them "
         "as "
         "texts"},
        {"a,c\n1,05\n2,10\n3,00\n", false, GI_CELL_NUMBER, "first line is a header"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gi_table *table;
        glia_error error;
        gi_table_params params = gi_table_default_params();
        params.targets_are_values = cases[i].targets_are_values;
        assert_error(cases[i].text,
                     gi_csv_parse("t.csv", (const uint8_t *)cases[i].text, strlen(cases[i].text),
                                  &params, &table, &error),
                     GLIA_OK, &error, NULL, NULL);
        assert_int_equal(table->columns[1].kind, cases[i].kind);
        assert_true(strlen(table->how) >= strlen(cases[i].how));
        assert_string_equal(table->how + strlen(table->how) - strlen(cases[i].how), cases[i].how);
        gi_table_free(table);
    }
}

/* What the options on reading say, and what a network remembers. */
static void words_and_signs_are_obeyed(void **state)
{
    (void)state;
    struct text out = {0};
    gi_table_params params = gi_table_default_params();
    char *words[] = {"-999", "n.d."};
    params.missing = (gi_missing_words){words, 2, false};
    const char *text = "a,b\n1,x\n-999.0,n.d.\nNA,None\n3,y\n";
    assert_string_equal(read_known(text, params, &out),
                        "a:n? b:t? | 2: 1 x | 3: - - | 4: - - | 5: 3 y");
    params.missing = (gi_missing_words){words, 1, true};
    assert_string_equal(read_known("a,b\n1,None\n-999,\n2,x\n", params, &out),
                        "a:n? b:t? | 2: 1 None | 3: - - | 4: 2 x");
    params.missing = (gi_missing_words){NULL, 0, true};
    assert_non_null(strstr(read_known("a\n1\n2\n3\n4\n5\n6\n7\n8\n9\nNA\n", params, &out),
                           "line 11, column a: found \"NA\", expected a number; correct it, "
                           "table.missing NA reads it as missing"));
    params = gi_table_default_params();
    params.form = (gi_number_form){',', 0};
    assert_string_equal(read_known("a;b\n1,500;1\n2,250;1.500\n", params, &out),
                        "a:n b:n | 2: 1.5 1 | 3: 2.25 1500");
    params.form = (gi_number_form){0, ','};
    assert_string_equal(read_known("a;b\n1,500;1.5\n2,250;2\n", params, &out),
                        "a:n b:n | 2: 1500 1.5 | 3: 2250 2");
    /* A network that learned from 1.234,5 reads 1.234 so, and TRUE where it learned 1. */
    params = gi_table_default_params();
    const gi_known_column known[] = {{"a", GI_CELL_NUMBER, false, {',', '.'}},
                                     {"b", GI_CELL_NUMBER, false, {'.', 0}}};
    params.known = known;
    params.n_known = 2;
    params.ignores_unknown = true;
    assert_string_equal(read_known("a;b\n1.234;1.234\n2,5;TRUE\n1;f\n", params, &out),
                        "a:n b:n | 2: 1234 1.234 | 3: 2.5 1 | 4: 1 0");
    assert_non_null(strstr(read_known("a;b\n1.5;2\n", params, &out),
                           "found \"1.5\", expected a number with a decimal comma (1.234,5); since "
                           "the network learned a as numbers"));
    params.form = (gi_number_form){'.', 0};
    assert_string_equal(read_known("a;b\n1.234;2\n", params, &out), "a:n b:n | 2: 1.234 2");
    free(out.text);
}

/* Names that a list was cut into belong together where they are none alone. */
static void names_with_commas_are_found(void **state)
{
    (void)state;
    struct text out = {0};
    gi_table_params params = gi_table_default_params();
    const gi_known_column known[] = {{"size", GI_CELL_IGNORED, false, {0}},
                                     {" m2", GI_CELL_IGNORED, false, {0}},
                                     {"c", GI_CELL_IGNORED, false, {0}}};
    params.known = known;
    params.n_known = 3;
    assert_string_equal(read_known("\"size, m2\",b,c\n1,2,3\n", params, &out),
                        "size, m2:x b:n c:x | 2: - 2 -");
    params.n_known = 2;
    assert_non_null(strstr(read_known("a,b\n1,2\n", params, &out), "found no column size"));
    /* Several targets of true and false are numbers, as labels are. */
    params = gi_table_default_params();
    const char *const targets[] = {"x", "y"};
    params.targets = targets;
    params.n_targets = 2;
    assert_string_equal(read_known("a,x,y\nT,TRUE,f\nF,False,t\nT,,t\n", params, &out),
                        "a:t x:n? y:n | 2: T 1 0 | 3: F 0 1 | 4: T - 1");
    /* One target is so where labels are to be learned, named or the last column. */
    params.n_targets = 1;
    assert_string_equal(read_known("a,x\nT,TRUE\nF,False\n", params, &out),
                        "a:t x:t | 2: T TRUE | 3: F False");
    params.targets_are_labels = true;
    assert_string_equal(read_known("x,a\nTRUE,T\nFalse,F\n", params, &out),
                        "x:n a:t | 2: 1 T | 3: 0 F");
    params.n_targets = 0;
    assert_string_equal(read_known("a,x\nT,TRUE\nF,False\n", params, &out),
                        "a:t x:n | 2: T 1 | 3: F 0");
    free(out.text);
}

/* ---- Malformed tables ----------------------------------------------------------------------- */

static const struct {
    const char *label, *text;
    size_t n;
    const char *word1, *word2;
} bad[] = {
    {"empty", T(""), "t.csv: is empty", "expected a table"},
    {"a comment alone", T("# a\n"), "a header and no rows", NULL},
    {"a byte-order mark alone", T("\xEF\xBB\xBF"), "is empty", NULL},
    {"blank lines alone", T("\n\r\n \n"), "blank lines alone", NULL},
    {"a header alone", T("a,b\n"), "a header and no rows", "table.header=-1"},
    {"a header and blank lines", T("a,b\n\n\n"), "a header and no rows", NULL},
    {"a cell too few", T("a,b\n1,2\n3\n"), "line 3: found 1 cell, expected 2 as in line 1",
     "table.skip_bad_rows"},
    {"a cell too many", T("a,b\n1,2\n3,4,5\n"), "line 3: found 3 cells, expected 2", NULL},
    {"too many after blank lines", T("a,b\n\n\n1,2,3\n"), "line 4: found 3 cells", NULL},
    {"ragged after quoted line breaks", T("a,b\n1,\"x\n\n\"\n1,x\n2\n"), "line 6: found 1 cell",
     NULL},
    {"ragged after CRLF", T("a,b\r\n1,2\r\n3\r\n"), "line 3: found 1 cell", NULL},
    {"ragged with CR alone", T("a,b\r1,2\r3\r"), "line 3: found 1 cell", NULL},
    {"ragged, no header", T("1,2\n3,4\n5,6,7\n"), "line 3: found 3 cells, expected 2 as in line 1",
     NULL},
    {"ragged, and no number", T("a,b,c\n1,2,3\nx,2\n"), "line 3: found 2 cells, expected 3", NULL},
    {"open quote", T("a,b\n1,2\n3,\"x\n4,5\n"), "line 3: found a quote that is not closed",
     "x\\n4,5"},
    {"open quote after line breaks", T("a,b\n1,\"x\ny\"\n2,\"z\n"), "line 4: found a quote", NULL},
    {"open quote in a row of line breaks", T("a,b\n\"x\ny\",\"z\n"), "line 3: found a quote", NULL},
    {"open quote in the header", T("a,\"b\n1,2\n"), "line 1: found a quote that is not closed",
     NULL},
    {"open quote with doubled ones", T("a,b\n1,\"x\"\"\n"), "line 2: found a quote", NULL},
    {"a word in a column of numbers",
     T("age,b\n1,1\n2,1\n3,1\n4,1\n5,1\n6,1\n7,1\n8,1\n9,1\nten,1\n"),
     "t.csv, line 11, column age: found \"ten\", expected a number", "table.categorical age"},
    {"no name", T("1,1\n2,1\n3,1\n4,1\n5,1\n6,1\n7,1\n8,1\n9,1\n10,1\nten,1\n"),
     "line 11, column 1: found", "table.drop 1,"},
    {"a name with a blank", T("a b,c\n1,1\n2,1\n3,1\n4,1\n5,1\n6,1\n7,1\n8,1\n9,1\nten,1\n"),
     "column a b: found", "table.drop 'a b',"},
    {"sparse text", T("-1 1:-0.123 3:0.68\n+1 1:0.776 2:1 3:0.22\n-1 3:0.72\n"),
     "look like sparse text (LABEL INDEX:VALUE)", "name the file .svm"},
    {"FANN", T("4 2 1\n0.1 0.2\n1\n0.3 0.4\n0\n"), "a training file of FANN",
     "inputs and outputs of a sample in one line"},
    {"double colons", T("1::1193::5::978300760\n1::661::3::978302109\n2::914::3::978301968\n"),
     "cells separated by \"::\"", "sed"},
    {"ARFF", T("% iris\n@RELATION iris\n@attribute a numeric\n@data\n1\n2\n"), "an ARFF file",
     ".arff"},
    {"drop", T("age\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n\nten\n"), "line 13, column age",
     "table.drop age"},
    {"a number and a letter", T("a\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10x\n"), "\"10x\"",
     "expected a number"},
    {"hexadecimal", T("a\n1\n2\n3\n4\n5\n6\n7\n8\n9\n0x1F\n"), "\"0x1F\"", "expected a number"},
    {"infinity", T("a\n1\n2\n3\n4\n5\n6\n7\n8\n9\ninf\n"), "\"inf\"", "expected a finite number"},
    {"decimal commas and points", T("a;b\n1,5;1\n2.5;1\n"),
     "column a: found numbers with decimal points", "table.decimal , or table.decimal ."},
    {"commas that are either", T("a;b\n1,500;1\n2,250;1\n"),
     "column a: found numbers such as 1,234", "table.thousands"},
    {"points that are either", T("a;b\n1.500;1,5\n2.250;1,25\n"),
     "column a: found numbers such as 1.234", "table.thousands ."},
    {"two numbers in a cell", T("a,b\n1,1\n2,1\n3,1\n4,1\n5,1\n6,1\n7,1\n8,1\n9,1\n1 2,1\n"),
     "\"1 2\"", NULL},
    {"too large", T("a\n1\n2\n1e309\n"), "line 4, column a: found 1e309", "1.8e308"},
    {"too small", T("a\n1\n-1e999\n"), "found -1e999", "1.8e308"},
    {"long and too large", T("a\n1\n9999999999999999999999999999e300\n"), "up to 1.8e308", NULL},
    {"Latin-1", T("a,b\n1,x\n2,M\xFCller\n"), "line 3, column b: byte 11: found \"M\\xfcller\"",
     "iconv"},
    {"UTF-8 cut short", T("a,b\n1,x\n2,\xE6\x97\n"), "line 3, column b: byte 10", "expected UTF-8"},
    {"overlong UTF-8", T("a,b\n1,\xC0\x80\n"), "\\xc0\\x80", "expected UTF-8"},
    {"a surrogate", T("a,b\n1,\xED\xA0\x80\n"), "expected UTF-8", NULL},
    {"beyond Unicode", T("a,b\n1,\xF4\x90\x80\x80\n"), "expected UTF-8", NULL},
    {"Latin-1 in a name",
     T("gr\xF6\xDF"
       "e,b\n1,2\n"),
     "line 1: found bytes that are no UTF-8 in the name of column 1", "iconv"},
    {"zero byte in a text", T("a,b\n1,x\0y\n"), "byte 7: found a zero byte", "column b"},
    {"zero byte in a number",
     T("a,b\n1,2\n2,3\n3,4\n3,4\n3,4\n3,4\n3,4\n3,4\n3,4\n3,\0"
       "5\n"),
     "found a zero byte", "line 11"},
    {"zero byte in a name", T("a\0,b\n1,2\n"), "byte 1: found a zero byte in the first line",
     "binary"},
    {"two of one name", T("a,b,a\n1,2,3\n"), "line 1: found two columns of the name a (1 and 3)",
     "table.drop 3"},
    {"two of one name, with blanks", T("a, a\n1,2\n"), "two columns of the name a", NULL},
    {"no last name", T("name,town,\nann,ulm,x\nbob,ulm,3\ncem,bonn,4\n"),
     "line 1: found no name for column 3", "table.drop 3"},
    {"no name", T("a,,c\n1,2,3\n"), "line 1: found no name for column 2", "table.drop 2"},
    {"gzip", T("\x1F\x8B\x08\0\0\0\0\0"), "byte 0: found data compressed by gzip", "gunzip"},
    {"bzip2", T("BZh91AY"), "bzip2", "bunzip2"},
    {"xz",
     T("\xFD"
       "7zXZ\0"),
     "xz", "unxz"},
    {"zstd", T("\x28\xB5\x2F\xFD\0"), "zstd", NULL},
    {"zip", T("PK\x03\x04\x14\0"), "a zip archive", "spreadsheet"},
    {"old Excel", T("\xD0\xCF\x11\xE0\xA1"), "old Office file", NULL},
    {"PNG", T("\x89PNG\r\n\x1A\n"), "a PNG image", NULL},
    {"JPEG", T("\xFF\xD8\xFF\xE0"), "a JPEG image", NULL},
    {"HDF5", T("\x89HDF\r\n"), "an HDF5 file", NULL},
    {"Parquet", T("PAR1\x15\x04"), "a Parquet file", NULL},
    {"a table that begins like Parquet", T("PAR1,b\n1,\xFF\n"), "expected UTF-8", NULL},
    {"a pickle", T("\x80\x04\x95\0"), "a pickle of Python", "CSV"},
    {"MATLAB 5", T("MATLAB 5.0 MAT-file, Platform: x\0\1"), "a MATLAB file", "loadmat"},
    {"MATLAB 4", T("\0\0\0\0\5\0\0\0\5\0\0\0\0\0\0\0\2\0\0\0x\0"), "a MATLAB file of version 4",
     NULL},
    {"R objects", T("X\n\0\0\0\3\0\4"), "an R object (.rds)", "write.csv"},
    {"R workspaces", T("RDX3\nX\n"), "an R workspace", NULL},
    {"Stata", T("<stata_dta><header>"), "a Stata file", NULL},
    {"old Stata", T("\x72\2\1\0\5"), "a Stata file", NULL},
    {"ORC", T("ORC\n\3\0"), "an ORC file", NULL},
    {"IDX", T("\0\0\x08\3\0\0\0\1"), "a single file of IDX", "train-images"},
    {"Avro", T("Obj\1\4"), "an Avro file", NULL},
    {"an Arrow file", T("ARROW1\0\0"), "an Arrow file", NULL},
    {"binary", T("abc\0\1\2\3def\n"), "byte 3: found a zero byte in the first line", "binary"},
    {"few foreign words", T(FEW_WORDS), "column a: found \"n.d\", expected a number",
     "table.missing n.d "},
    {"NumPy", T("\x93NUMPY\x01\0"), "a NumPy array", ".npy"},
    {"SQLite", T("SQLite format 3\0"), "an SQLite database", NULL},
    {"PDF", T("%PDF-1.4\n"), "a PDF document", NULL},
    {"a program",
     T("\x7F"
       "ELF\x02"),
     "a program", NULL},
    {"Git LFS", T("version https://git-lfs.github.com/spec/v1\n"), "Git LFS", "git lfs pull"},
    {"a web page", T("<!DOCTYPE html>\n"), "a web page", NULL},
    {"JSON", T("[{\"a\": 1}]\n"), "JSON", NULL},
    {"UTF-16, little-endian",
     T("\xFF\xFE"
       "a\0,\0"),
     "UTF-16", "iconv"},
    {"UTF-16, big-endian", T("\xFE\xFF\0a\0,"), "UTF-16", NULL},
    {"UTF-16 without a mark", T("a\0,\0b\0\n\0"), "UTF-16", "UTF-16LE"},
    {"UTF-16 without a mark, the other", T("\0a\0,\0b\0\n"), "UTF-16", "UTF-16BE"},
    {"control characters", T("a,b\n1,1\n2,1\n3,1\n4,1\n5,1\n6,1\n7,1\n8,1\n9,1\n\x1B[31m,1\n"),
     "\\x1b[31m", NULL},
    {"a long text is cut",
     T("a\n1\n2\n3\n4\n5\n6\n7\n8\n9\n"
       "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz\n"),
     "abcdefgh", "...\""},
};

static void malformed_tables_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        gi_table *table = NULL;
        glia_error error;
        const gi_table_params params = gi_table_default_params();
        char *exact = malloc(bad[i].n ? bad[i].n : 1); /* a step beyond it is seen */
        memcpy(exact, bad[i].text, bad[i].n);
        const glia_status status =
            gi_csv_parse("t.csv", (const uint8_t *)exact, bad[i].n, &params, &table, &error);
        free(exact);
        assert_error(bad[i].label, status, GLIA_BAD_FORMAT, &error, bad[i].word1, bad[i].word2);
        assert_non_null(strstr(error.message, "t.csv"));
        assert_null(table);
    }
}

static void bad_rows_are_skipped(void **state)
{
    (void)state;
    struct text out = {0};
    gi_table_params params = gi_table_default_params();
    params.skips_bad_rows = true;
    assert_string_equal(
        read_known("a,b\n1,x\n2\n3,y,z\n4,\"q\"r\n5,\xFF\nw,w\n,v\"v\n6,z\n7,7\n8,8\n"
                   "1,1\n1,1\n1,1\n1,1\n1,1\n1e999,u\n",
                   params, &out),
        "a:n? b:t | 2: 1 x | 5: 4 \"q\"r | 8: - v\"v | 9: 6 z | 10: 7 7 | 11: 8 8 | 12: 1 1 | 13: "
        "1 1 | "
        "14: 1 1 | 15: 1 1 | 16: 1 1 skipped 5");
    assert_non_null(
        strstr(read_known("a,b\n1,2,3\n", params, &out), "1 malformed row and no other"));
    assert_non_null(strstr(read_known("a,b\n1,2\n1,\"2\n", params, &out), "not closed"));
    /* What a bad row brought is no category, and nothing of it is missing. */
    gi_table *table;
    glia_error error;
    const char text[] = "a,b,c\nx,y,1\nz,w,\nx,,2,\nv,\n";
    assert_int_equal(
        gi_csv_parse("t", (const uint8_t *)text, sizeof text - 1, &params, &table, &error),
        GLIA_OK);
    assert_int_equal(table->columns[0].texts.n, 2);
    assert_false(table->columns[1].has_missing);
    assert_true(table->columns[2].has_missing);
    assert_int_equal(table->skipped, 2);
    gi_table_free(table);
    free(out.text);
}

static void missing_columns_are_named(void **state)
{
    (void)state;
    struct text out = {0};
    gi_table_params params = gi_table_default_params();
    gi_known_column known = {"height", GI_CELL_NUMBER, false, {0}};
    params.known = &known;
    params.n_known = 1;
    assert_string_equal(
        read_known("age,hieght\n1,2\n", params, &out),
        "t.csv: found no column height, expected one; there are age, hieght; did you "
        "mean hieght?");
    known.name = "3";
    assert_non_null(strstr(read_known("age,hieght\n1,2\n", params, &out), "found no column 3"));
    /* Of two columns of a name that is asked for, none is taken. */
    known = (gi_known_column){"age", GI_CELL_NUMBER, false, {0}};
    params.ignores_unknown = true;
    assert_non_null(
        strstr(read_known("age,age\n1,2\n", params, &out), "two columns of the name age"));
    free(out.text);
}

/* A table of one column, t, with so many rows of different texts. */
static char *many_texts(size_t n, size_t *size)
{
    struct text out = {0};
    print(&out, "t,x\n");
    for (size_t i = 0; i < n; i++) print(&out, "text%zu,%zu\n", i, i % 7);
    *size = out.n;
    return out.text;
}

static void too_many_texts_are_left_out(void **state)
{
    (void)state;
    size_t size;
    gi_table *table;
    glia_error error;
    char *text = many_texts(GI_MAX_TEXTS + 5, &size);
    for (int threads = 1; threads <= 3; threads += 2) {
        gi_table_params params = gi_table_default_params();
        params.threads = threads;
        assert_error("too many",
                     gi_csv_parse_blocks("t.csv", (const uint8_t *)text, size, &params, 1 << 12,
                                         &table, &error),
                     GLIA_OK, &error, NULL, NULL);
        assert_int_equal(table->rows, GI_MAX_TEXTS + 5);
        assert_int_equal(table->columns[0].kind, GI_CELL_IGNORED);
        assert_non_null(strstr(table->how, "left out for too many or too long texts: t"));
        for (size_t row = 0; row < table->rows; row++) {
            assert_true(isnan(table->cells[2 * row]));
            assert_true(table->cells[2 * row + 1] == (double)(row % 7));
        }
        gi_table_free(table);
        const gi_known_column known = {"t", GI_CELL_TEXT, false, {0}};
        params.known = &known;
        params.n_known = 1;
        assert_error("too many of a category",
                     gi_csv_parse_blocks("t.csv", (const uint8_t *)text, size, &params, 1 << 12,
                                         &table, &error),
                     GLIA_BAD_FORMAT, &error, "line 65538, column t: found more than 65536",
                     "table.drop t");
    }
    free(text);
    text = many_texts(GI_MAX_TEXTS, &size);
    const gi_table_params params = gi_table_default_params();
    assert_int_equal(gi_csv_parse("t", (const uint8_t *)text, size, &params, &table, &error),
                     GLIA_OK);
    assert_int_equal(table->columns[0].kind, GI_CELL_TEXT);
    assert_int_equal(table->columns[0].texts.n, GI_MAX_TEXTS);
    gi_table_free(table);
    free(text);
}

static void too_long_texts_are_left_out(void **state)
{
    (void)state;
    struct text file = {0};
    char longest[GI_MAX_TEXT_BYTES + 2];
    memset(longest, 'x', sizeof longest);
    longest[GI_MAX_TEXT_BYTES + 1] = '\0';
    print(&file, "t,x\na,1\n%.*s,2\n", (int)GI_MAX_TEXT_BYTES, longest);
    const size_t n = file.n;
    print(&file, "b,3\n%s,4\nc,5\n", longest);
    gi_table *table;
    glia_error error;
    gi_table_params params = gi_table_default_params();
    assert_int_equal(gi_csv_parse("t", (const uint8_t *)file.text, n, &params, &table, &error),
                     GLIA_OK);
    assert_int_equal(table->columns[0].kind, GI_CELL_TEXT);
    gi_table_free(table);
    assert_int_equal(gi_csv_parse("t", (const uint8_t *)file.text, file.n, &params, &table, &error),
                     GLIA_OK);
    assert_int_equal(table->columns[0].kind, GI_CELL_IGNORED);
    for (size_t row = 0; row < table->rows; row++) assert_true(isnan(table->cells[2 * row]));
    gi_table_free(table);
    const gi_known_column known = {"t", GI_CELL_TEXT, false, {0}};
    params.known = &known;
    params.n_known = 1;
    assert_error("long",
                 gi_csv_parse("t", (const uint8_t *)file.text, file.n, &params, &table, &error),
                 GLIA_BAD_FORMAT, &error, "line 5, column t: found a text of more than 1024", NULL);
    free(file.text);
}

static void too_much_is_refused(void **state)
{
    (void)state;
    gi_table *table;
    glia_error error;
    const gi_table_params params = gi_table_default_params();
    struct text file = {0};
    for (size_t c = 0; c < GI_MAX_COLUMNS; c++) print(&file, "%s%zu", c ? "," : "", c % 10);
    print(&file, "\n");
    assert_error("columns",
                 gi_csv_parse("t", (const uint8_t *)file.text, file.n, &params, &table, &error),
                 GLIA_OK, &error, NULL, NULL);
    assert_int_equal(table->n_columns, GI_MAX_COLUMNS);
    gi_table_free(table);
    file.n--;
    print(&file, ",1\n");
    assert_error("columns",
                 gi_csv_parse("t", (const uint8_t *)file.text, file.n, &params, &table, &error),
                 GLIA_BAD_FORMAT, &error, "found 65537 cells, expected at most 65536", NULL);
    /* A row of more than GI_MAX_ROW_BYTES. */
    static const char head[] = "a,b\n1,2\n3,\"";
    const size_t n = sizeof head + GI_MAX_ROW_BYTES + 16;
    char *row = malloc(n);
    assert_non_null(row);
    memset(row, 'x', n);
    memcpy(row, head, sizeof head - 1);
    memcpy(row + n - 2, "\"\n", 2);
    for (size_t block = 1 << 12; block <= 1 << 26; block <<= 7)
        assert_error(
            "row",
            gi_csv_parse_blocks("t", (const uint8_t *)row, n, &params, block, &table, &error),
            GLIA_BAD_FORMAT, &error, "line 3: found a row of more than 16777216 bytes", NULL);
    free(row);
    free(file.text);
}

/* ---- Threads and blocks --------------------------------------------------------------------- */

/* A table with all that can be in one, and rows at fault if n_faults says so. */
static char *any_table(uint64_t seed, size_t rows, bool with_faults, size_t *n)
{
    static const char *const numbers[] = {
        "1",     "-2.5", "",      "NA", "3.141592653589793",
        "1e300", " 7 ",  "\"8\"", "+9", "123456789012345678901234567890"};
    static const char *const texts[] = {"x",
                                        "y",
                                        "\"a,b\"",
                                        "\"c\nd\"",
                                        "\"e\"\"f\"",
                                        "",
                                        "?",
                                        "\"\r\n\n\"",
                                        "\xC3\xA4",
                                        " padded ",
                                        "\"12345678901234567890\""};
    static const char *const faults[] = {"1,2\n",           "1,x,2,y,z\n",     "no number,x,1,y\n",
                                         "1,\"x\"y,1,y\n",  "1,x\"y,1,y\n",    "1,\xFF,1,y\n",
                                         "1,new,1e999,y\n", "\"1\n2\",x,1,y\n"};
    struct text out = {0};
    print(&out, "a,b,c,d\n");
    for (size_t row = 0; row < rows; row++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        const uint64_t r = seed >> 20;
        if (with_faults && r % 53 == 0) print(&out, "%s", faults[r / 53 % 8]);
        if (r % 31 == 0) print(&out, r % 2 ? "\n" : "  \n");
        print(&out, "%s,%s,%s,w%d%s\n", numbers[r % 10], texts[r / 10 % 11], numbers[r / 110 % 10],
              (int)(r / 1100 % 200), r / 220000 % 3 ? "" : "\r");
    }
    if (seed >> 60 & 1) out.n--; /* no line end */
    *n = out.n;
    return out.text;
}

static void threads_and_blocks_change_nothing(void **state)
{
    (void)state;
    static const size_t blocks[] = {1, 13, 100, 1000, 1 << 20};
    static const int threads[] = {1, 2, 3, 8};
    for (uint64_t seed = 0; seed < 24; seed++) {
        gi_table_params params = gi_table_default_params();
        params.skips_bad_rows = seed % 3 == 1;
        params.threads = 1;
        size_t n;
        char *text = any_table(seed, seed % 2 ? 40 : 400, seed % 3, &n);
        char *expected = outcome(text, n, &params, 1 << 22);
        for (size_t b = 0; b < sizeof blocks / sizeof blocks[0]; b++)
            for (size_t t = 0; t < sizeof threads / sizeof threads[0]; t++) {
                params.threads = threads[t];
                char *found = outcome(text, n, &params, blocks[b]);
                if (strcmp(found, expected) != 0)
                    fail_msg("seed %d, blocks of %zu, %d threads: %.900s\nexpected %.900s",
                             (int)seed, blocks[b], threads[t], found, expected);
                free(found);
            }
        free(expected);
        free(text);
    }
}

static void want_of_memory_is_told(void **state)
{
    (void)state;
    size_t n;
    char *text = any_table(1, 60, true, &n);
    gi_table_params params = gi_table_default_params();
    params.skips_bad_rows = true;
    params.threads = 1;
    glia_status status = GLIA_NO_MEMORY;
    long steps = 0;
    for (; status; steps++) {
        gi_table *table;
        glia_error error = {0};
        allocations_until_failure = steps;
        status = gi_csv_parse_blocks("t", (const uint8_t *)text, n, &params, 200, &table, &error);
        allocations_until_failure = -1;
        if (!status) gi_table_free(table);
        assert_true(status == GLIA_OK || status == GLIA_NO_MEMORY);
    }
    assert_true(steps > 30);
    free(text);
}

/* ---- Files and pipes ------------------------------------------------------------------------ */

static void files_are_read(void **state)
{
    (void)state;
    gi_table *table;
    glia_error error;
    const gi_table_params params = gi_table_default_params();
    write_file(in_folder("a.csv"), "a,b\n1,2\n", 8);
    assert_error("file", gi_csv_read(in_folder("a.csv"), &params, &table, &error), GLIA_OK, &error,
                 NULL, NULL);
    char where[160];
    gi_table_where(table, 0, 1, where, sizeof where);
    assert_non_null(strstr(where, "a.csv, line 2, column b"));
    for (int is_indexed = 0; is_indexed < 2; is_indexed++) {
        assert_int_equal(gi_table_column(table, "b"), 1);
        assert_int_equal(gi_table_column(table, "1"), 0);
        assert_int_equal(gi_table_column(table, "c"), SIZE_MAX);
        assert_int_equal(gi_table_column(table, "3"), SIZE_MAX);
        assert_int_equal(gi_table_index(table, &error), GLIA_OK);
    }
    gi_table_free(table);
    assert_error("none", gi_csv_read(in_folder("none.csv"), &params, &table, &error),
                 GLIA_NOT_FOUND, &error, "none.csv", NULL);
    assert_error("folder", gi_csv_read(folder, &params, &table, &error), GLIA_IO, &error,
                 "is a folder", NULL);
    /* "a,b\n1,2\n" by gzip -n */
    static const uint8_t packed[] = {0x1F, 0x8B, 8,    0,    0,    0,    0,    0,    0, 3,
                                     0x4B, 0xD4, 0x49, 0xE2, 0x32, 0xD4, 0x31, 0xE2, 2, 0,
                                     0xC4, 0xBC, 0x2E, 0x4C, 8,    0,    0,    0};
    write_file(in_folder("a.csv.gz"), packed, sizeof packed - 3);
    assert_error("gzip", gi_csv_read(in_folder("a.csv.gz"), &params, &table, &error),
                 GLIA_BAD_FORMAT, &error, "a.csv.gz", "gzip");
}

struct writing {
    int descriptor;
    const char *text;
    size_t n, piece;
};

static void *write_pieces(void *context)
{
    const struct writing *writing = context;
    for (size_t at = 0; at < writing->n; at += writing->piece) {
        const size_t rest = writing->n - at;
        if (write(writing->descriptor, writing->text + at,
                  rest < writing->piece ? rest : writing->piece) < 0)
            break;
    }
    close(writing->descriptor);
    return NULL;
}

/* The rows of a stream whose text comes in pieces, rendered, and the failure at its end. */
static char *stream_outcome(const char *text, size_t n, size_t piece, const gi_table_params *params)
{
    int ends[2];
    char path[64];
    assert_int_equal(pipe(ends), 0);
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    struct writing writing = {ends[1], text, n, piece};
    pthread_t writer;
    assert_int_equal(pthread_create(&writer, NULL, write_pieces, &writing), 0);
    struct text out = {0};
    print(&out, " ");
    gi_csv_stream *stream = NULL;
    glia_error error;
    glia_status status = gi_csv_stream_open(path, params, &stream, &error);
    close(ends[0]);
    size_t skipped = 0;
    while (!status) {
        gi_table *table;
        status = gi_csv_stream_next(stream, &table, &error);
        if (status || !table) break;
        assert_true(table->rows > 0);
        render(&out, table, false);
        skipped += table->skipped;
        gi_table_free(table);
    }
    if (status) print(&out, " %s", strchr(error.message, ','));
    print(&out, " skipped %zu", skipped);
    gi_csv_stream_free(stream);
    pthread_join(writer, NULL);
    return out.text;
}

static void pipes_are_read_as_they_come(void **state)
{
    (void)state;
    const gi_known_column known[] = {{"d", GI_CELL_TEXT, false, {0}},
                                     {"b", GI_CELL_TEXT, false, {0}},
                                     {"a", GI_CELL_NUMBER, false, {0}}};
    for (uint64_t seed = 0; seed < 6; seed++) {
        gi_table_params params = gi_table_default_params();
        params.known = known;
        params.n_known = 3;
        params.ignores_unknown = true;
        params.skips_bad_rows = seed % 3 == 1;
        size_t n;
        char *text = any_table(seed, 100, seed % 3, &n);
        char *expected = stream_outcome(text, n, n, &params);
        for (size_t piece = 1; piece < 2000; piece = piece * 5 + 2) {
            char *found = stream_outcome(text, n, piece, &params);
            assert_string_equal(found, expected);
            free(found);
        }
        struct text whole = {0};
        gi_table *table;
        glia_error error;
        if (gi_csv_parse("t", (const uint8_t *)text, n, &params, &table, &error) == GLIA_OK) {
            print(&whole, " ");
            render(&whole, table, false);
            assert_memory_equal(whole.text, expected, whole.n);
            gi_table_free(table);
        }
        free(whole.text);
        free(expected);
        free(text);
    }
}

/* A row that has come is handed over while the writer waits. */
static void a_pause_in_a_pipe_hands_over(void **state)
{
    (void)state;
    const gi_known_column known[] = {{"a", GI_CELL_NUMBER, false, {0}}};
    gi_table_params params = gi_table_default_params();
    params.known = known;
    params.n_known = 1;
    int ends[2];
    char path[64];
    assert_int_equal(pipe(ends), 0);
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    gi_csv_stream *stream;
    gi_table *table;
    glia_error error;
    assert_int_equal(write(ends[1], "b,a\n", 4), 4);
    assert_int_equal(gi_csv_stream_open(path, &params, &stream, &error), GLIA_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(write(ends[1], "x,5\ny,", 6), 6);
        assert_int_equal(gi_csv_stream_next(stream, &table, &error), GLIA_OK);
        assert_int_equal(table->rows, 1);
        assert_true(table->cells[1] == 5);
        gi_table_free(table);
        assert_int_equal(write(ends[1], "6\n", 2), 2);
        assert_int_equal(gi_csv_stream_next(stream, &table, &error), GLIA_OK);
        assert_int_equal(gi_table_line(table, 0), 2 * i + 3);
        gi_table_free(table);
    }
    close(ends[1]);
    assert_int_equal(gi_csv_stream_next(stream, &table, &error), GLIA_OK);
    assert_null(table);
    gi_csv_stream_free(stream);
    close(ends[0]);
}

/* ---- The cache ------------------------------------------------------------------------------ */

/* Reads a file with a cache, and checks it against a text. */
static bool check_cached(const char *path, const char *text, size_t n, gi_table_params params)
{
    gi_table *table;
    glia_error error;
    struct text found = {0}, expected = {0};
    params.caches = true;
    params.threads = 2;
    assert_error("cached", gi_csv_read_blocks(path, &params, 500, 1, &table, &error), GLIA_OK,
                 &error, NULL, NULL);
    const bool is_mapped = table->mapped.mapped;
    print(&found, "%s ", table->how);
    render(&found, table, true);
    gi_table_free(table);
    assert_int_equal(gi_csv_parse("t", (const uint8_t *)text, n, &params, &table, &error), GLIA_OK);
    print(&expected, "%s ", table->how);
    render(&expected, table, true);
    gi_table_free(table);
    size_t same = 0;
    while (found.text[same] && found.text[same] == expected.text[same]) same++;
    if (found.text[same] || expected.text[same])
        fail_msg("found ...%.50s, expected ...%.50s", found.text + same, expected.text + same);
    free(found.text);
    free(expected.text);
    return is_mapped;
}

/* The one file of the cache. */
static const char *cache_file(void)
{
    static char path[256];
    char command[160];
    snprintf(command, sizeof command, "ls %s/glia/tables/*", folder);
    FILE *list = popen(command, "r");
    assert_non_null(list);
    assert_non_null(fgets(path, sizeof path, list));
    path[strcspn(path, "\n")] = '\0';
    assert_int_equal(fgetc(list), EOF);
    pclose(list);
    return path;
}

static ino_t inode_of(const char *path)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return info.st_ino;
}

static void set_time(const char *path, time_t seconds)
{
    const struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void the_cache_is_the_table(void **state)
{
    (void)state;
    size_t n;
    char csv[128];
    snprintf(csv, sizeof csv, "%s", in_folder("cached.csv"));
    char *text = any_table(3, 300, false, &n);
    gi_table_params params = gi_table_default_params();
    write_file(csv, text, n);
    set_time(csv, 1000000000);
    assert_true(check_cached(csv, text, n, params));
    ino_t first = inode_of(cache_file());
    assert_true(check_cached(csv, text, n, params));
    assert_int_equal(inode_of(cache_file()), first); /* it was used */
    set_time(csv, 1000000001);
    assert_true(check_cached(csv, text, n, params));
    assert_int_equal(inode_of(cache_file()), first); /* another time, the same content */

    /* Other content, even at the same time; other settings. */
    memcpy(strstr(text, "\"a,b\""), "\"A,B\"", 5);
    write_file(csv, text, n);
    set_time(csv, 1000000000);
    assert_true(check_cached(csv, text, n, params));
    const gi_known_column known = {"d", GI_CELL_IGNORED, false, {0}};
    params.known = &known;
    params.n_known = 1;
    assert_true(check_cached(csv, text, n, params));
    params = gi_table_default_params();
    assert_true(check_cached(csv, text, n, params));

    /* A cache that is damaged anywhere, or cut short, is not believed. */
    char path[256];
    snprintf(path, sizeof path, "%s", cache_file());
    gi_file file;
    glia_error error;
    assert_int_equal(gi_file_open(path, &file, &error), GLIA_OK);
    const size_t size = file.size;
    uint8_t *bytes = malloc(size);
    assert_non_null(bytes);
    memcpy(bytes, file.data, size);
    gi_file_close(&file);
    for (size_t at = 0; at < size; at += at < 200 ? 7 : at < 4096 ? 1999 : 487) {
        bytes[at] ^= 0x41;
        write_file(path, bytes, size);
        bytes[at] ^= 0x41;
        assert_true(check_cached(csv, text, n, params));
    }
    for (size_t cut = 0; cut < size; cut += 1 + size / 9) {
        write_file(path, bytes, cut);
        assert_true(check_cached(csv, text, n, params));
    }

    /* Where it cannot be written, the table is in memory. */
    assert_int_equal(unlink(path), 0);
    disk_is_full = true;
    assert_false(check_cached(csv, text, n, params));
    disk_is_full = false;
    assert_int_equal(setenv("XDG_CACHE_HOME", "/dev/null", 1), 0);
    assert_false(check_cached(csv, text, n, params));
    assert_int_equal(setenv("XDG_CACHE_HOME", folder, 1), 0);
    free(bytes);
    free(text);

    /* A column that turns out to have too many texts after some have been written. */
    text = many_texts(GI_MAX_TEXTS + 5, &n);
    write_file(csv, text, n);
    assert_true(check_cached(csv, text, n, params));
    assert_true(check_cached(csv, text, n, params));
    free(text);

    /* A file that is malformed leaves nothing behind. */
    assert_int_equal(unlink(path), 0);
    write_file(csv, "a,b\n1,2\n3\n", 10);
    gi_table *table;
    params.caches = true;
    assert_error("malformed", gi_csv_read_blocks(csv, &params, 500, 1, &table, &error),
                 GLIA_BAD_FORMAT, &error, "line 3: found 1 cell", NULL);
    char command[128];
    snprintf(command, sizeof command, "rmdir %s/glia/tables", folder);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_have_codes_in_order),
        cmocka_unit_test(numbers_are_the_nearest),
        cmocka_unit_test(numbers_do_not_depend_on_the_locale),
        cmocka_unit_test(tables_are_read),
        cmocka_unit_test(what_is_known_is_applied),
        cmocka_unit_test(zeros_in_front_are_mentioned),
        cmocka_unit_test(words_and_signs_are_obeyed),
        cmocka_unit_test(names_with_commas_are_found),
        cmocka_unit_test(malformed_tables_are_refused),
        cmocka_unit_test(bad_rows_are_skipped),
        cmocka_unit_test(missing_columns_are_named),
        cmocka_unit_test(too_many_texts_are_left_out),
        cmocka_unit_test(too_long_texts_are_left_out),
        cmocka_unit_test(too_much_is_refused),
        cmocka_unit_test(threads_and_blocks_change_nothing),
        cmocka_unit_test(want_of_memory_is_told),
        cmocka_unit_test(files_are_read),
        cmocka_unit_test(pipes_are_read_as_they_come),
        cmocka_unit_test(a_pause_in_a_pipe_hands_over),
        cmocka_unit_test(the_cache_is_the_table),
    };
    signal(SIGPIPE, SIG_IGN); /* a stream that fails leaves its writer alone */
    return cmocka_run_group_tests_name("csv", tests, make_folder, remove_folder);
}
