/* SPDX-License-Identifier: MIT */
/*
 * Messages, numbers, tables and JSON. Text that comes from files (names of classes, paths) may hold
 * anything, so it is cleaned before it reaches a terminal.
 */
#include "shell/output.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "shell/wording.h"

/* ---- Messages ------------------------------------------------------------------------------ */

/* Length of the well-formed UTF-8 character at text, or 0. */
static size_t utf8_length(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    if (s[0] < 0x80) return s[0] != '\0';
    size_t length = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4) return 0;
    for (size_t i = 1; i < length; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;
    if (s[0] == 0xe0 && s[1] < 0xa0) return 0; /* overlong */
    if (s[0] == 0xed && s[1] > 0x9f) return 0; /* surrogates */
    if (s[0] == 0xf0 && s[1] < 0x90) return 0; /* overlong */
    if (s[0] == 0xf4 && s[1] > 0x8f) return 0; /* past U+10FFFF */
    return length;
}

/*
 * Whether the well-formed character at text steers what shows it: control characters, U+0000 to
 * U+001F and U+007F to U+009F, and those that break lines or turn the direction of what follows,
 * U+061C, U+200E, U+200F, U+2028 to U+202F and U+2066 to U+206F.
 */
static bool steers(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    if (s[0] < 0x80) return s[0] < 0x20 || s[0] == 0x7f;
    if (s[0] == 0xc2) return s[1] < 0xa0;
    if (s[0] == 0xd8) return s[1] == 0x9c;
    if (s[0] != 0xe2) return false;
    if (s[1] == 0x80) return s[2] == 0x8e || s[2] == 0x8f || (s[2] >= 0xa8 && s[2] <= 0xaf);
    return s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xaf;
}

size_t character_length(const char *text)
{
    const size_t length = utf8_length(text);
    return length > 0 && !steers(text) ? length : 0;
}

/* It becomes shorter where a character of several bytes becomes '?'. */
static void clean_in_place(char *text)
{
    char *to = text;
    while (*text != '\0') {
        const size_t length = utf8_length(text);
        if (length == 0 || steers(text)) {
            *to++ = '?';
        } else {
            memmove(to, text, length);
            to += length;
        }
        text += length > 0 ? length : 1;
    }
    *to = '\0';
}

char *clean_text(const char *text)
{
    char *copy = need_copy(text);
    clean_in_place(copy);
    return copy;
}

void print_clean(FILE *stream, const char *text)
{
    char *clean = clean_text(text);
    fputs(clean, stream);
    free(clean);
}

size_t text_width(const char *text)
{
    size_t width = 0;
    for (; *text != '\0'; text++) width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

void print_words(FILE *stream, const char *text, size_t length, size_t width, size_t column,
                 size_t indent)
{
    const char *end = text + length;
    bool first = true;
    while (text < end) {
        size_t word = 0;
        while (text + word < end && text[word] != ' ' && text[word] != '\n') word++;
        if (!first && column + 1 + word > width) {
            fprintf(stream, "\n%*s", (int)indent, "");
            column = indent;
        } else if (!first) {
            fputc(' ', stream);
            column++;
        }
        fwrite(text, 1, word, stream);
        column += word;
        first = false;
        text += word;
        while (text < end && (*text == ' ' || *text == '\n')) text++;
    }
    fputc('\n', stream);
}

void complain(const char *format, ...)
{
    char text[4096], message[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    name_options(text, message, sizeof message);
    clean_in_place(message);
    fflush(stdout); /* what was said before comes first where both go to one place */
    fprintf(stderr, "glia: %s\n", message);
}

int complain_error(const glia_error *error)
{
    complain("%s", error->status == GLIA_CANCELLED ? "interrupted" : error->message);
    switch (error->status) {
    case GLIA_BAD_ARGUMENT:
        return EXIT_WRONG;
    case GLIA_CANCELLED:
        return EXIT_INTERRUPTED;
    default:
        return EXIT_FAILED;
    }
}

/* Why json_print could not write; a later fflush need not fail again. */
static int json_errno;

/* Whether nobody reads what is written there any more. */
static bool is_broken_pipe(FILE *stream)
{
    struct pollfd poll_it = {.fd = fileno(stream), .events = POLLOUT};
    return poll(&poll_it, 1, 0) == 1 && (poll_it.revents & (POLLERR | POLLHUP)) != 0;
}

int finish_output(int status)
{
    int number = fflush(stdout) != 0 ? errno : json_errno;
    if (number == 0 && !ferror(stdout)) return status;
    /* A write before the last one may have failed, whose errno is gone. */
    if (number == EPIPE || (number == 0 && is_broken_pipe(stdout))) {
        /* The reader has seen enough ("| head"): end as other programs do. */
        signal(SIGPIPE, SIG_DFL);
        raise(SIGPIPE);
    }
    complain("standard output: writing failed%s%s", number != 0 ? ": " : "",
             number != 0 ? strerror(number) : "");
    return status == EXIT_DONE ? EXIT_FAILED : status;
}

void *need_memory(size_t n, size_t size)
{
    void *memory = calloc(n > 0 ? n : 1, size > 0 ? size : 1);
    if (memory == NULL) {
        complain("out of memory");
        exit(EXIT_FAILED);
    }
    return memory;
}

char *need_copy(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(need_memory(size, 1), text, size);
}

void need_good(glia_status status)
{
    if (status == GLIA_OK) return;
    complain("out of memory");
    exit(EXIT_FAILED);
}

/* ---- The terminal -------------------------------------------------------------------------- */

bool is_rich(FILE *stream)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    if (no_color != NULL && *no_color != '\0') return false;
    if (term == NULL || *term == '\0' || strcmp(term, "dumb") == 0) return false;
    return isatty(fileno(stream)) == 1;
}

size_t terminal_width(FILE *stream)
{
#ifdef TIOCGWINSZ
    struct winsize size;
    if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
#else
    (void)stream;
#endif
    return 80;
}

size_t terminal_height(FILE *stream)
{
#ifdef TIOCGWINSZ
    struct winsize size;
    if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_row > 0) return size.ws_row;
#else
    (void)stream;
#endif
    return 24;
}

size_t line_room(FILE *stream)
{
    return isatty(fileno(stream)) == 1 ? terminal_width(stream) : SIZE_MAX;
}

bool is_utf8(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *locale = getenv(variables[i]);
        if (locale == NULL || *locale == '\0') continue;
        const char *charset = strchr(locale, '.');
        return charset != NULL &&
               (strncasecmp(charset, ".utf-8", 6) == 0 || strncasecmp(charset, ".utf8", 5) == 0);
    }
    return true; /* nothing is said: as in most containers */
}

const char *style_begin(FILE *stream, enum style style)
{
    static const char *const sequences[] = {"", "\033[1m", "\033[2m", "\033[36m"};
    return is_rich(stream) ? sequences[style] : "";
}

const char *style_end(FILE *stream)
{
    return is_rich(stream) ? "\033[0m" : "";
}

/* ---- Numbers for people -------------------------------------------------------------------- */

words show_count(uint64_t n)
{
    char digits[32];
    words out;
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
    char *to = out.s;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) *to++ = ',';
        *to++ = digits[i];
    }
    *to = '\0';
    return out;
}

words show_several(uint64_t n, const char *noun)
{
    words out;
    snprintf(out.s, sizeof out.s, "%.18s %s%s", show_count(n).s, noun, n == 1 ? "" : "s");
    return out;
}

words show_percent(double fraction)
{
    words out = {"-"};
    if (isfinite(fraction)) snprintf(out.s, sizeof out.s, "%.2f %%", 100 * fraction);
    return out;
}

words show_loss(double loss)
{
    words out = {"-"};
    if (isfinite(loss)) snprintf(out.s, sizeof out.s, loss < 1e4 ? "%.4f" : "%.3e", loss);
    return out;
}

words show_number(double value)
{
    words out = {"-"};
    const double size = fabs(value);
    if (isfinite(value))
        snprintf(out.s, sizeof out.s, size >= 1e4 && size < 1e9 ? "%.0f" : "%.4g", value);
    return out;
}

words show_duration(double seconds)
{
    words out = {"-"};
    if (!(seconds >= 0 && seconds < 1e9)) return out;
    unsigned long whole = (unsigned long)(seconds + 0.5);
    if (seconds < 0.0995)
        snprintf(out.s, sizeof out.s, "%.*f ms", seconds < 0.00995, 1000 * seconds);
    else if (seconds < 9.95)
        snprintf(out.s, sizeof out.s, "%.1f s", seconds);
    else if (whole < 60)
        snprintf(out.s, sizeof out.s, "%lu s", whole);
    else if (whole < 3600)
        snprintf(out.s, sizeof out.s, "%lu min %02lu s", whole / 60, whole % 60);
    else
        snprintf(out.s, sizeof out.s, "%lu h %02lu min", whole / 3600, whole / 60 % 60);
    return out;
}

words show_bytes(uint64_t n_bytes)
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB"};
    words out;
    double value = (double)n_bytes;
    size_t unit = 0;
    while (value >= 999.5 && unit < 4) {
        value /= 1000;
        unit++;
    }
    snprintf(out.s, sizeof out.s, unit == 0 || value >= 99.5 ? "%.0f %s" : "%.1f %s", value,
             units[unit]);
    return out;
}

/* ---- Tables -------------------------------------------------------------------------------- */

enum { GAP = 3 }; /* between two columns */

static const size_t LEFT_OUT = SIZE_MAX; /* the width of a column that is not printed */

struct cell {
    char *text;
    enum style style;
};

struct table {
    const char *alignment;
    size_t columns;
    struct cell *cells; /* (n), row by row */
    size_t n, capacity;
};

struct table *table_new(const char *alignment, const char *const *headings)
{
    struct table *table = need_memory(1, sizeof *table);
    table->alignment = alignment;
    table->columns = strlen(alignment);
    for (size_t c = 0; headings != NULL && c < table->columns; c++)
        table_add(table, STYLE_DIM, "%s", headings[c]);
    return table;
}

void table_add(struct table *table, enum style style, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (table->n == table->capacity) {
        size_t capacity = 2 * table->capacity + 64;
        struct cell *cells = need_memory(capacity, sizeof *cells);
        if (table->n > 0) memcpy(cells, table->cells, table->n * sizeof *cells);
        free(table->cells);
        table->cells = cells;
        table->capacity = capacity;
    }
    table->cells[table->n++] = (struct cell){clean_text(text), style};
}

static void print_cell(FILE *stream, const char *text, enum style style, size_t width, bool right,
                       bool last)
{
    int padding = (int)(width - text_width(text));
    fprintf(stream, "%*s%s%s%s%*s", right ? padding : 0, "", style_begin(stream, style), text,
            style == STYLE_PLAIN ? "" : style_end(stream), right || last ? 0 : padding, "");
}

/* The widths of the columns, to be freed. */
static size_t *column_widths(const struct table *table)
{
    size_t columns = table->columns, *widths = need_memory(columns, sizeof *widths);
    for (size_t i = 0; i < table->n; i++) {
        size_t width = text_width(table->cells[i].text);
        if (width > widths[i % columns]) widths[i % columns] = width;
    }
    return widths;
}

/* Of a line of columns of these widths; those that are LEFT_OUT take nothing. */
static size_t line_width(const size_t *widths, size_t columns)
{
    size_t width = 0;
    for (size_t c = 0; c < columns; c++)
        if (widths[c] != LEFT_OUT) width += (c > 0 ? GAP : 0) + widths[c];
    return width;
}

size_t table_width(const struct table *table)
{
    size_t *widths = column_widths(table), width = line_width(widths, table->columns);
    free(widths);
    return width;
}

/* cells (columns) */
static void print_row(const struct table *table, const struct cell *cells, const size_t *widths,
                      FILE *stream)
{
    size_t last = table->columns - 1; /* that has something in it */
    while (last > 0 && (widths[last] == LEFT_OUT || *cells[last].text == '\0')) last--;
    for (size_t c = 0; c <= last; c++) {
        if (widths[c] == LEFT_OUT) continue;
        if (c > 0) fprintf(stream, "%*s", GAP, "");
        print_cell(stream, cells[c].text, cells[c].style, widths[c], table->alignment[c] == 'r',
                   c == last);
    }
    fputc('\n', stream);
}

void table_print(const struct table *table, FILE *stream, const char *leave_out)
{
    size_t columns = table->columns, *widths = column_widths(table), room = line_room(stream);
    for (; leave_out != NULL && *leave_out != '\0' && line_width(widths, columns) > room;
         leave_out++)
        widths[*leave_out - '0'] = LEFT_OUT;
    for (size_t row = 0; row + columns <= table->n; row += columns)
        print_row(table, table->cells + row, widths, stream);
    free(widths);
}

void table_free(struct table *table)
{
    if (table == NULL) return;
    for (size_t i = 0; i < table->n; i++) free(table->cells[i].text);
    free(table->cells);
    free(table);
}

/* ---- JSON ---------------------------------------------------------------------------------- */

json_t *json_need(json_t *value)
{
    if (value == NULL) {
        complain("out of memory");
        exit(EXIT_FAILED);
    }
    return value;
}

void json_put(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, json_need(value)) != 0) json_need(NULL);
}

void json_push(json_t *array, json_t *value)
{
    if (json_array_append_new(array, json_need(value)) != 0) json_need(NULL);
}

json_t *json_number(double value)
{
    return json_need(isfinite(value) ? json_real(value) : json_null());
}

json_t *json_count(uint64_t value)
{
    return json_need(json_integer((json_int_t)value));
}

json_t *json_seed(uint64_t seed)
{
    char text[32];
    snprintf(text, sizeof text, "%llu", (unsigned long long)seed);
    return seed <= INT64_MAX ? json_count(seed) : json_text(text);
}

json_t *json_text(const char *text)
{
    if (text == NULL) return json_null();
    json_t *value = json_string(text);
    if (value == NULL) { /* not UTF-8 */
        char *clean = clean_text(text);
        value = json_string(clean);
        free(clean);
    }
    return json_need(value);
}

size_t json_escape(const char *bytes, size_t n, char escape[8])
{
    const unsigned char *s = (const unsigned char *)bytes;
    if (n == 0 || utf8_length(bytes) > n || utf8_length(bytes) == 0 || !steers(bytes)) return 0;
    const size_t length = utf8_length(bytes);
    const unsigned code = length == 1 ? s[0]
                          : length == 2
                              ? (s[0] & 0x1fU) << 6 | (s[1] & 0x3fU)
                              : (s[0] & 0xfU) << 12 | (s[1] & 0x3fU) << 6 | (s[2] & 0x3fU);
    snprintf(escape, 8, "\\u%04x", code);
    return length;
}

/* Part of a JSON text, in whole characters; those that steer stand only within strings. */
static int print_json_part(const char *bytes, size_t n, void *user)
{
    FILE *stream = user;
    size_t from = 0;
    for (size_t i = 0; i < n;) {
        char escape[8];
        const size_t length = json_escape(bytes + i, n - i, escape);
        if (length > 0) {
            fwrite(bytes + from, 1, i - from, stream);
            fputs(escape, stream);
            from = i + length;
        }
        i += length > 0 ? length : 1;
    }
    fwrite(bytes + from, 1, n - from, stream);
    return ferror(stream) ? -1 : 0;
}

bool json_write(FILE *stream, const json_t *value, size_t flags)
{
    return json_dump_callback(value, print_json_part, stream, flags) == 0 &&
           putc('\n', stream) != EOF;
}

void json_print(json_t *object)
{
    /* 9 digits give every float back; the doubles are measurements. */
    bool whole = json_write(stdout, object, JSON_REAL_PRECISION(9));
    if (!whole && ferror(stdout))
        json_errno = errno; /* finish_output tells */
    else if (!whole)
        json_need(NULL);
    json_decref(object);
}
