/* SPDX-License-Identifier: MIT */
/*
 * Sparse text as LIBSVM and SVMlight write it: a line for each sample,
 *
 *     LABEL[,LABEL...] INDEX:VALUE INDEX:VALUE ... # comment
 *
 * with indices that ascend. Whether a file is such text is decided by many of its lines.
 */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/text.h"
#include "data/files/gzip.h"
#include "data/files/libsvm.h"
#include "data/set/dataset.h"
#include "data/set/sparse.h"

enum {
    LONG_DIGITS = 16,         /* so many digits may be more than a double tells apart */
    LOOK_LINES = 1000,        /* that decide what a file is, */
    LOOK_BYTES = 1 << 20,     /* in so many bytes, or one line more */
    RESIDENT_BYTES = 16 << 20 /* of a file that is mapped: what is read before it is given back */
};

/* ---- Tokens -------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && is_blank(*at)) at++;
    return at;
}

/* After a byte-order mark, if there is one. */
static const char *skip_mark(const char *at, const char *end)
{
    return end - at >= 3 && memcmp(at, "\xEF\xBB\xBF", 3) == 0 ? at + 3 : at;
}

/* The token that begins at `at`, which is no blank: up to a blank, a comment or the line's end. */
static const char *token_end(const char *at, const char *end)
{
    while (at < end && !is_blank(*at) && *at != '\n' && *at != '#') at++;
    return at;
}

static const char *find_colon(const char *begin, const char *end)
{
    return memchr(begin, ':', (size_t)(end - begin));
}

static bool is_query(const char *begin, const char *colon)
{
    return colon - begin == 3 && memcmp(begin, "qid", 3) == 0;
}

/*
 * Labels are a list with commas between them, around which blanks may stand: the end of the one
 * that begins at `at`. *more: a comma follows, and *next is where the next one begins.
 */
static const char *label_end(const char *at, const char *end, bool *more, const char **next)
{
    const char *last = at;
    while (last < end && !is_blank(*last) && *last != '\n' && *last != '#' && *last != ',') last++;
    const char *after = skip_blanks(last, end);
    *more = after < end && *after == ',';
    *next = *more ? skip_blanks(after + 1, end) : after;
    return last;
}

/* ---- Reading ------------------------------------------------------------------------------- */

struct text {
    const char *path;
    const char *at, *end; /* end: of all */
    const gi_file *file;  /* that it is */
    const char *kept;     /* what was read before was given back */
    uint64_t line;
    size_t n_pairs, n_labels;
    gi_sparse_facts *facts;
    bool blank_is_sample; /* a line of blanks is a sample without labels and features; */
    bool has_blank;       /* there is one */
    bool ignores_labels;
    bool all_begin_with_pairs;
    glia_error *error;
};

static glia_status unexpected(const struct text *t, const char *begin, const char *end,
                              const char *expected)
{
    char found[GI_TEXT_SHOWN];
    gi_text_show(begin, (size_t)(end - begin), found);
    return gi_fail(t->error, GLIA_BAD_FORMAT, "%s, line %" PRIu64 ": found \"%s\", expected %s",
                   t->path, t->line, found, expected);
}

/* A whole number of so many digits that it may be another in a double. */
static bool is_long(const char *begin, const char *end)
{
    begin += begin < end && (*begin == '-' || *begin == '+');
    size_t n = 0;
    for (; begin < end && is_digit(*begin); begin++) n++;
    return begin == end && n >= LONG_DIGITS;
}

/* "1", "1,3" or "1, 3": adds to the labels, and steps over them; *n: how many there are. */
static glia_status read_labels(struct text *t, gi_sparse *s, size_t *n)
{
    const char *const begin = t->at;
    for (bool more = true; more; ++*n) {
        if (t->ignores_labels) {
            label_end(t->at, t->end, &more, &t->at);
            continue;
        }
        const char *next;
        const char *const at = t->at, *const end = label_end(at, t->end, &more, &next);
        double *label = &s->label[t->n_labels];
        if (!gi_parse_f64(at, end, label) || !isfinite(*label))
            return unexpected(t, begin, token_end(at, t->end),
                              "a number, or several with commas between them, as the label");
        t->facts->has_long |= is_long(at, end);
        t->n_labels++;
        t->at = next;
    }
    return GLIA_OK;
}

static glia_status fail_falling(const struct text *t, int64_t index, int64_t previous)
{
    return gi_fail(t->error, GLIA_BAD_FORMAT,
                   "%s, line %" PRIu64 ": found the index %" PRId64 " after %" PRId64
                   ", expected indices that ascend; sort them%s",
                   t->path, t->line, index, previous,
                   t->all_begin_with_pairs
                       ? ", or, if the line begins with XGBoost's LABEL:WEIGHT, write the label "
                         "alone: weights are not read from sparse text"
                       : "");
}

/* "17:0.5": adds to the pairs. previous: the index before it, or -1. */
static glia_status read_pair(struct text *t, gi_sparse *s, const char *begin, const char *end,
                             int64_t *previous)
{
    const char *colon = find_colon(begin, end);
    int64_t index = 0;
    double value;
    if (!colon || colon == begin) return unexpected(t, begin, end, "INDEX:VALUE, such as 17:0.5");
    for (const char *c = begin; c < colon; c++) {
        if (!is_digit(*c))
            return unexpected(t, begin, end, "INDEX:VALUE with a whole number as the index");
        index = index * 10 + (*c - '0');
        if (index > GLIA_MAX_UNITS)
            return gi_fail(t->error, GLIA_BAD_FORMAT,
                           "%s, line %" PRIu64 ": found the index %.*s, expected at most %d, the "
                           "most inputs that a network may have",
                           t->path, t->line, colon - begin > 20 ? 20 : (int)(colon - begin), begin,
                           (int)GLIA_MAX_UNITS);
    }
    if (index <= *previous) return fail_falling(t, index, *previous);
    if (!gi_parse_f64(colon + 1, end, &value) || !(fabs(value) <= (double)FLT_MAX))
        return unexpected(t, begin, end,
                          "INDEX:VALUE with a number of at most 3.4e38 as the value");
    *previous = index;
    t->facts->from_zero |= index == 0;
    if ((size_t)index > t->facts->largest) t->facts->largest = (size_t)index;
    s->column[t->n_pairs] = (uint32_t)index;
    s->value[t->n_pairs++] = (float)value;
    return GLIA_OK;
}

/* Steps over "qid:7", which says to which query a sample to be ranked belongs. */
static void skip_query(struct text *t)
{
    const char *end = token_end(t->at, t->end), *colon = find_colon(t->at, end);
    if (!colon || !is_query(t->at, colon)) return;
    t->facts->has_queries = true;
    t->at = skip_blanks(end, t->end);
}

/* A line with a sample: from its first token on. Leaves t->at at the line's end. */
static glia_status read_line(struct text *t, gi_sparse *s)
{
    size_t n_labels = 0;
    int64_t previous = -1;
    glia_status status = GLIA_OK;
    s->first_pair[s->rows] = t->n_pairs;
    s->first_label[s->rows] = t->n_labels;
    s->rows++;
    if (t->at < t->end && *t->at != '\n' && !find_colon(t->at, token_end(t->at, t->end))) {
        t->all_begin_with_pairs = false;
        status = read_labels(t, s, &n_labels);
    }
    skip_query(t);
    while (!status && t->at < t->end && *t->at != '\n' && *t->at != '#') {
        const char *begin = t->at, *end = token_end(begin, t->end);
        status = read_pair(t, s, begin, end, &previous);
        t->at = skip_blanks(end, t->end);
    }
    t->facts->many |= n_labels != 1;
    return status;
}

/* Large files are read without being in memory as a whole: what is read again comes again. */
static void give_back(struct text *t, const char *at)
{
    if (at - t->kept < RESIDENT_BYTES) return;
    gi_file_forget(t->file);
    t->kept = at;
}

/* All lines; the arrays have room for what the text may hold. */
static glia_status read_lines(struct text *t, gi_sparse *s)
{
    glia_status status = GLIA_OK;
    while (!status && t->at < t->end) {
        t->line++;
        const char *const begin = t->at;
        t->at = skip_blanks(begin, t->end);
        const bool is_over = t->at == t->end || *t->at == '\n';
        const bool is_empty = is_over && (t->at == begin || *begin == '\r');
        t->has_blank |= is_over && !is_empty;
        if (is_over ? t->blank_is_sample && !is_empty : *t->at != '#') status = read_line(t, s);
        const char *newline = memchr(t->at, '\n', (size_t)(t->end - t->at));
        t->at = newline ? newline + 1 : t->end;
        give_back(t, t->at);
    }
    s->first_pair[s->rows] = t->n_pairs;
    s->first_label[s->rows] = t->n_labels;
    return status;
}

static size_t count(const char *at, const char *end, char c)
{
    size_t n = 0;
    while (at < end && (at = memchr(at, c, (size_t)(end - at)))) {
        n++;
        at++;
    }
    return n;
}

/* What a text may hold: at most. */
struct bounds {
    size_t lines, pairs, labels;
    const char *zero; /* the first zero byte, or NULL */
};

static struct bounds bound(struct text *t)
{
    enum { AT_ONCE = 1 << 18 }; /* stays in cache while it is looked at four times */
    struct bounds b = {.lines = 1};
    for (const char *at = t->kept = t->at, *end; at < t->end && !b.zero; at = end) {
        end = t->end - at > AT_ONCE ? at + AT_ONCE : t->end;
        b.zero = memchr(at, '\0', (size_t)(end - at));
        b.lines += count(at, end, '\n');
        b.pairs += count(at, end, ':');
        b.labels += count(at, end, ',');
        give_back(t, end);
    }
    b.labels += b.lines;
    t->kept = t->at;
    return b;
}

/* Reads all into s, whose arrays are made. */
static glia_status read_text(struct text *t, gi_sparse *s)
{
    const struct bounds most = bound(t);
    if (most.zero)
        return gi_fail(t->error, GLIA_BAD_FORMAT,
                       "%s: byte %zu: found a zero byte, expected text: lines of LABEL INDEX:VALUE",
                       t->path, (size_t)(most.zero - t->at));
    t->at = skip_mark(t->at, t->end);
    s->first_pair = gi_alloc(most.lines + 1, sizeof *s->first_pair, t->path, t->error);
    s->first_label = gi_alloc(most.lines + 1, sizeof *s->first_label, t->path, t->error);
    s->column = gi_alloc_unset(most.pairs + 1, sizeof *s->column, t->path, t->error);
    s->value = gi_alloc_unset(most.pairs + 1, sizeof *s->value, t->path, t->error);
    s->label = gi_alloc(most.labels + 1, sizeof *s->label, t->path, t->error);
    if (!s->first_pair || !s->first_label || !s->column || !s->value || !s->label)
        return GLIA_NO_MEMORY;
    const struct text begin = *t;
    glia_status status = read_lines(t, s);
    /* Only where samples may have no label is a line of blanks one. */
    if (!status && t->has_blank && t->facts->many && !t->blank_is_sample) {
        *t = begin;
        t->blank_is_sample = true;
        s->rows = 0;
        status = read_lines(t, s);
    }
    if (status) return status;
    if (s->rows == 0)
        return gi_fail(t->error, GLIA_BAD_FORMAT,
                       "%s: found no sample, expected lines of LABEL INDEX:VALUE", t->path);
    if (t->n_labels == 0 && t->all_begin_with_pairs && !t->ignores_labels)
        return gi_fail(t->error, GLIA_BAD_FORMAT,
                       "%s: found no label: each line begins with INDEX:VALUE, expected LABEL "
                       "INDEX:VALUE ...; if the first is XGBoost's LABEL:WEIGHT, write the label "
                       "alone: weights are not read from sparse text",
                       t->path);
    return GLIA_OK;
}

static glia_status parse(const char *path, const char *name, const gi_file *file, glia_loss loss,
                         const gi_reading *like, glia_dataset **out, glia_error *error)
{
    gi_sparse_facts facts = {.path = path, .kind = "sparse text"};
    struct text t = {.path = path,
                     .at = (const char *)file->data,
                     .end = (const char *)file->data + file->size,
                     .file = file,
                     .facts = &facts,
                     .blank_is_sample =
                         (like ? like->task == GLIA_TASK_LABELS : loss == GLIA_LOSS_BCE),
                     .ignores_labels = like && like->ignores_targets,
                     .all_begin_with_pairs = true,
                     .error = error};
    gi_sparse *s = gi_alloc(1, sizeof *s, path, error);
    if (!s) return GLIA_NO_MEMORY;
    glia_status status = read_text(&t, s);
    if (!status) status = gi_sparse_dataset(s, &facts, name, loss, like, out, error);
    if (status) gi_sparse_free(s);
    return status;
}

glia_status gi_libsvm_parse(const char *path, const char *name, const uint8_t *bytes,
                            size_t n_bytes, glia_loss loss, const gi_reading *like,
                            glia_dataset **out, glia_error *error)
{
    const gi_file text = {.data = bytes, .size = n_bytes};
    return parse(path, name, &text, loss, like, out, error);
}

glia_status gi_libsvm_open(const char *path, const char *name, glia_loss loss,
                           const gi_reading *like, glia_dataset **out, glia_error *error)
{
    gi_file file = {0};
    glia_status status = gi_gzip_open(path, &file, error);
    if (!status) status = parse(path, name, &file, loss, like, out, error);
    gi_file_close(&file);
    return status;
}

/* ---- Whether a file is sparse text --------------------------------------------------------- */

enum { MAX_ALIKE = 8 }; /* pairs of a line that may be columns of a table */

/* What the lines of a text have been found to be. */
struct look {
    size_t n_pairs;          /* lines of LABEL INDEX:VALUE, */
    size_t n_foreign;        /* of something else; lines of labels alone are neither */
    bool first_is_pairs;     /* the first of both */
    bool begins_with_words;  /* it is something else, and begins with no number */
    size_t first[MAX_ALIKE]; /* the indices of the first line with pairs, (width) */
    double value[MAX_ALIKE]; /* and its values */
    size_t width;            /* pairs of every line, if that is the same; else 0 */
    bool index_differs, value_differs;
    bool has_fraction;     /* a value is no row of digits */
    bool has_leading_zero; /* in an index, or a value of two digits: 09:05 */
    bool has_space;        /* blanks that are no tabs stand between tokens */
};

/* A pair of a line, by its place in it; false: it is none. */
static bool look_at_pair(struct look *look, const char *begin, const char *end, size_t place)
{
    const char *colon = find_colon(begin, end), *digits = colon;
    double index, value;
    if (!colon || colon == begin || !is_digit(*begin) || !gi_parse_f64(begin, colon, &index))
        return false;
    for (const char *c = begin; c < colon; c++)
        if (!is_digit(*c)) return false;
    if (!gi_parse_f64(colon + 1, end, &value)) {
        char word[4] = {0};
        if (end - colon != 4) return false;
        for (size_t i = 0; i < 3; i++) word[i] = (char)(colon[i + 1] | 0x20);
        if (strcmp(word, "nan") != 0 && strcmp(word, "inf") != 0) return false;
        value = 0;
    }
    while (++digits < end && is_digit(*digits)) {
    }
    look->has_fraction |= digits < end;
    look->has_leading_zero |= (*begin == '0' && colon - begin > 1) ||
                              (digits == end && colon[1] == '0' && end - colon == 3);
    if (place >= MAX_ALIKE) return true;
    const size_t number = index < 1e18 ? (size_t)index : SIZE_MAX; /* no index is as large */
    if (look->n_pairs == 0) {
        look->first[place] = number;
        look->value[place] = value;
    }
    look->index_differs |= number != look->first[place];
    look->value_differs |= value != look->value[place];
    return true;
}

/* The tokens after the labels: how many pairs there are, or SIZE_MAX if there is something else. */
static size_t look_at_pairs(struct look *look, const char *at, const char *end)
{
    size_t n = 0;
    while (at < end && *at != '#') {
        const char *last = token_end(at, end), *colon = find_colon(at, last);
        const bool is_qid = n == 0 && colon && is_query(at, colon);
        if (!is_qid && !look_at_pair(look, at, last, n)) return SIZE_MAX;
        n += !is_qid;
        at = skip_blanks(last, end);
        for (; last < at && at < end; last++) look->has_space |= *last == ' ';
    }
    return n;
}

/* A line that is neither empty nor a comment, from its first token to its end. */
static void look_at_line(struct look *look, const char *at, const char *end)
{
    const bool is_first = look->n_pairs + look->n_foreign == 0;
    const bool has_label = !find_colon(at, token_end(at, end));
    const char *next = at;
    double number;
    for (bool more = has_label; more; at = next) {
        const char *last = label_end(at, end, &more, &next);
        if (!gi_parse_f64(at, last, &number)) {
            look->begins_with_words |= is_first;
            look->n_foreign++;
            return;
        }
        for (; last < next; last++) look->has_space |= *last == ' ';
    }
    const size_t n = look_at_pairs(look, next, end);
    if (n == SIZE_MAX) {
        look->n_foreign++;
    } else if (n > 0) {
        look->width = look->n_pairs == 0 || n == look->width ? n : 0;
        look->n_pairs++;
        look->first_is_pairs |= is_first;
    }
}

/*
 * Whether lines of LABEL INDEX:VALUE are rows of a table with times, scores or ratios: the same
 * number of pairs in each, of whole numbers; written as times are, or between tabs, or alone.
 */
static bool is_table(const struct look *look)
{
    enum { LEAST_ALONE = 5 };
    if (look->n_pairs < 2 || look->width == 0 || look->width > MAX_ALIKE || look->has_fraction)
        return false;
    if (look->has_leading_zero) return true;
    if (!look->index_differs || !look->value_differs) return false;
    return !look->has_space || (look->width == 1 && look->n_pairs >= LEAST_ALONE);
}

/* Whether it is sparse text. */
static bool look_at_text(struct look *look, const uint8_t *bytes, size_t n_bytes)
{
    const char *at = (const char *)bytes, *end = at + n_bytes;
    at = skip_mark(at, end);
    for (size_t n = 0; at < end && n < LOOK_LINES && at - (const char *)bytes < LOOK_BYTES; n++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *line_end = newline ? newline : end, *begin = skip_blanks(at, line_end);
        if (begin < line_end && *begin != '#') look_at_line(look, begin, line_end);
        at = newline ? newline + 1 : end;
    }
    if (look->n_pairs == 0 || look->begins_with_words || is_table(look)) return false;
    return look->first_is_pairs ? look->n_pairs >= look->n_foreign
                                : look->n_pairs > 9 * look->n_foreign;
}

bool gi_libsvm_is(const uint8_t *bytes, size_t n_bytes)
{
    struct look look = {0};
    return look_at_text(&look, bytes, n_bytes);
}

bool gi_libsvm_is_surely(const uint8_t *bytes, size_t n_bytes)
{
    struct look look = {0};
    return look_at_text(&look, bytes, n_bytes) && look.n_pairs > 1 &&
           (look.width == 0 || look.has_fraction || !look.index_differs || !look.value_differs);
}
