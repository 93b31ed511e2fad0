/* SPDX-License-Identifier: MIT */
/*
 * Parsing of command lines from tables of options. The program never calls setlocale, so strtod
 * reads the "C" locale's numbers; the grammar is checked before it is called.
 */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "output.h"

enum { LONGEST_NAME = 63 };

bool parse_count(const char *text, uint64_t *out)
{
    uint64_t value = 0;
    if (*text == '\0') return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') return false;
        unsigned digit = (unsigned)(*text - '0');
        if (value > (UINT64_MAX - digit) / 10) return false;
        value = 10 * value + digit;
    }
    *out = value;
    return true;
}

static const char *skip_digits(const char *text)
{
    while (*text >= '0' && *text <= '9') text++;
    return text;
}

/* [+-] digits [. digits] [e [+-] digits], with a digit before or after the point. */
bool parse_real(const char *text, double *out)
{
    const char *at = text + (*text == '+' || *text == '-');
    const char *whole_end = skip_digits(at);
    bool has_digit = whole_end > at;
    at = whole_end;
    if (*at == '.') {
        const char *end = skip_digits(at + 1);
        has_digit = has_digit || end > at + 1;
        at = end;
    }
    if (!has_digit) return false;
    if (*at == 'e' || *at == 'E') {
        at += 1 + (at[1] == '+' || at[1] == '-');
        if (*at < '0' || *at > '9') return false;
        at = skip_digits(at);
    }
    if (*at != '\0') return false;
    double value = strtod(text, NULL);
    if (!isfinite(value)) return false;
    *out = value;
    return true;
}

bool next_item(const char **text, char *item, size_t size)
{
    if (*text == NULL) return false;
    size_t length = strcspn(*text, ",");
    snprintf(item, size, "%.*s", (int)(length < size ? length : size - 1), *text);
    *text = (*text)[length] == ',' ? *text + length + 1 : NULL;
    return true;
}

/* Levenshtein's distance, large and small letters alike; one row of the table at a time. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t n = strlen(b), row[LONGEST_NAME + 1];
    if (n > LONGEST_NAME) return SIZE_MAX;
    for (size_t j = 0; j <= n; j++) row[j] = j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < n; j++) {
            size_t best = diagonal + (tolower((unsigned char)a[i]) != tolower((unsigned char)b[j]));
            if (row[j] + 1 < best) best = row[j] + 1;
            if (row[j + 1] + 1 < best) best = row[j + 1] + 1;
            diagonal = row[j + 1];
            row[j + 1] = best;
        }
    }
    return row[n];
}

const char *nearest_name(const char *text, const char *const *names)
{
    const char *nearest = NULL;
    size_t length = strlen(text);
    size_t least = length < 3 ? 1 : length / 3 + 1; /* distances up to this are near */
    for (; *names != NULL; names++) {
        size_t distance = edit_distance(text, *names);
        /* The beginning of a name means that name. */
        if (length >= 2 && strncasecmp(text, *names, length) == 0 && distance > 1) distance = 1;
        if (distance < least || (distance == least && nearest == NULL)) {
            least = distance;
            nearest = *names;
        }
    }
    return nearest;
}

/* ---- Values -------------------------------------------------------------------------------- */

void option_expected(const struct option *option, char *text, size_t size)
{
    const char *what = option->kind == OPTION_REAL ? "a number" : "a whole number";
    switch (option->kind) {
    case OPTION_COUNT:
    case OPTION_INT:
    case OPTION_REAL:
        if (option->above_min && option->max > 0)
            snprintf(text, size, "%s above %g and at most %.15g", what, option->min, option->max);
        else if (option->above_min)
            snprintf(text, size, "%s above %g", what, option->min);
        else if (option->below_max)
            snprintf(text, size, "%s of at least %g and below %g", what, option->min, option->max);
        else if (option->max > 0)
            snprintf(text, size, "%s from %g to %.15g", what, option->min, option->max);
        else
            snprintf(text, size, "%s of at least %g", what, option->min);
        break;
    case OPTION_SEED:
        snprintf(text, size, "a whole number from 0 to %llu", ULLONG_MAX);
        break;
    case OPTION_TEXT:
        snprintf(text, size, "%s", option->metavar);
        break;
    case OPTION_CHOICE: {
        size_t used = 0;
        text[0] = '\0';
        for (const char *const *name = option->choices; *name != NULL && used < size; name++) {
            const char *joint = name == option->choices ? "" : name[1] == NULL ? " or " : ", ";
            used += (size_t)snprintf(text + used, size - used, "%s%s", joint, *name);
        }
        break;
    }
    default:
        snprintf(text, size, "%s", option->expected != NULL ? option->expected : "nothing");
    }
}

static bool in_range(const struct option *option, double value)
{
    return (option->above_min ? value > option->min : value >= option->min) &&
           (option->max <= 0 || (option->below_max ? value < option->max : value <= option->max));
}

static bool set_choice(const struct option *option, const char *text, int *field)
{
    for (int i = 0; option->choices[i] != NULL; i++) {
        if (strcmp(text, option->choices[i]) == 0) {
            *field = i;
            return true;
        }
    }
    return false;
}

/* Reads text into the option's field; false when it is not what the option expects. */
static bool set_value(const struct option *option, const char *text, void *options)
{
    void *field = (char *)options + option->offset;
    uint64_t count = 0;
    double real = 0;
    switch (option->kind) {
    case OPTION_COUNT:
        /* Below 2^53 the comparison with the range, in double, is exact. */
        if (!parse_count(text, &count) || count >= 1ull << 53) return false;
        if (!in_range(option, (double)count) || count > SIZE_MAX) return false;
        *(size_t *)field = (size_t)count;
        return true;
    case OPTION_INT:
        if (!parse_count(text, &count) || count > INT_MAX) return false;
        if (!in_range(option, (double)count)) return false;
        *(int *)field = (int)count;
        return true;
    case OPTION_SEED:
        if (!parse_count(text, &count)) return false;
        *(uint64_t *)field = count;
        return true;
    case OPTION_REAL:
        if (!parse_real(text, &real) || !in_range(option, real)) return false;
        *(double *)field = real;
        return true;
    case OPTION_TEXT:
        if (*text == '\0') return false;
        *(const char **)field = text;
        return true;
    case OPTION_CHOICE:
        return set_choice(option, text, field);
    case OPTION_OTHER:
        return option->parse(text, field);
    default:
        return false;
    }
}

void option_show(const struct option *option, const void *options, char *text, size_t size)
{
    const void *field = (const char *)options + option->offset;
    text[0] = '\0';
    if (option->shown_default != NULL) {
        snprintf(text, size, "%s", option->shown_default);
        return;
    }
    switch (option->kind) {
    case OPTION_COUNT:
        snprintf(text, size, "%zu", *(const size_t *)field);
        break;
    case OPTION_INT:
        snprintf(text, size, "%d", *(const int *)field);
        break;
    case OPTION_SEED:
        snprintf(text, size, "%llu", (unsigned long long)*(const uint64_t *)field);
        break;
    case OPTION_REAL:
        snprintf(text, size, "%g", *(const double *)field);
        break;
    case OPTION_TEXT:
        if (*(const char *const *)field != NULL)
            snprintf(text, size, "%s", *(const char *const *)field);
        break;
    case OPTION_CHOICE:
        snprintf(text, size, "%s", option->choices[*(const int *)field]);
        break;
    case OPTION_OTHER:
        if (option->show != NULL) option->show(field, text, size);
        break;
    default:
        break;
    }
}

/* ---- The command line ---------------------------------------------------------------------- */

static bool is_option(const struct option *option)
{
    return option->kind != OPTION_END && option->kind != OPTION_HEADING;
}

static const struct option *find_long(const struct command *command, const char *name,
                                      size_t length)
{
    for (const struct option *option = command->options; option->kind != OPTION_END; option++) {
        if (is_option(option) && strlen(option->name) == length &&
            strncmp(option->name, name, length) == 0)
            return option;
    }
    return NULL;
}

static const struct option *find_short(const struct command *command, char letter)
{
    for (const struct option *option = command->options; option->kind != OPTION_END; option++)
        if (is_option(option) && option->letter == letter && letter != '\0') return option;
    return NULL;
}

static void complain_unknown(const struct command *command, const char *argument)
{
    enum { MAX_OPTIONS = 63 };
    const char *names[MAX_OPTIONS + 1], *nearest = NULL;
    char name[LONGEST_NAME + 1];
    size_t n = 0, length = strcspn(argument, "=");
    if (strncmp(argument, "--", 2) == 0 && length > 2 && length - 2 < sizeof name) {
        memcpy(name, argument + 2, length - 2);
        name[length - 2] = '\0';
        for (const struct option *option = command->options; option->kind != OPTION_END; option++)
            if (is_option(option) && n < MAX_OPTIONS) names[n++] = option->name;
        names[n] = NULL;
        nearest = nearest_name(name, names);
    }
    if (nearest != NULL)
        complain("%s: there is no option %.*s; did you mean --%s?", command->name, (int)length,
                 argument, nearest);
    else
        complain("%s: there is no option %.*s; 'glia help %s' lists them", command->name,
                 (int)length, argument, command->name);
}

static void complain_value(const struct command *command, const struct option *option,
                           const char *value)
{
    char expected[512];
    const char *nearest = NULL;
    option_expected(option, expected, sizeof expected);
    if (option->choices != NULL) nearest = nearest_name(value, option->choices);
    if (nearest != NULL)
        complain("%s: --%s: found \"%s\", expected %s; did you mean %s?", command->name,
                 option->name, value, expected, nearest);
    else
        complain("%s: --%s: found \"%s\", expected %s", command->name, option->name, value,
                 expected);
}

/*
 * Handles the option in argv[*at] and moves *at to the last argument that it used.
 */
static bool parse_option(const struct command *command, int argc, char **argv, int *at,
                         void *options)
{
    const char *argument = argv[*at], *value = NULL;
    const struct option *option;
    if (argument[1] == '-') {
        size_t length = strcspn(argument + 2, "=");
        option = find_long(command, argument + 2, length);
        if (argument[2 + length] == '=') value = argument + 2 + length + 1;
    } else {
        option = find_short(command, argument[1]);
        if (argument[2] != '\0') value = argument + 2;
    }
    bool joined = argument[1] != '-' && value != NULL; /* "-qx" */
    if (option == NULL || (option->kind == OPTION_FLAG && joined && *value != '=')) {
        complain_unknown(command, argument);
        return false;
    }
    if (option->kind == OPTION_FLAG) {
        if (value != NULL) {
            complain("%s: --%s takes no value, found \"%s\"", command->name, option->name,
                     value + joined);
            return false;
        }
        *(bool *)((char *)options + option->offset) = true;
        return true;
    }
    if (value == NULL) {
        /* A known option is no value: "--output --json" has forgotten the file. */
        const char *next = *at + 1 < argc ? argv[*at + 1] : NULL;
        if (next == NULL || (strncmp(next, "--", 2) == 0 &&
                             find_long(command, next + 2, strcspn(next + 2, "=")) != NULL)) {
            char expected[512];
            option_expected(option, expected, sizeof expected);
            complain("%s: --%s needs a value: %s", command->name, option->name, expected);
            return false;
        }
        value = next;
        ++*at;
    }
    if (!set_value(option, value, options)) {
        complain_value(command, option, value);
        return false;
    }
    return true;
}

static bool check_operands(const struct command *command, int n_operands, char *const *operands)
{
    if (n_operands < command->min_operands) {
        complain("%s: expected %s, found %s; 'glia help %s' says more", command->name,
                 command->operands, n_operands == 0 ? "nothing" : operands[0], command->name);
        return false;
    }
    if (n_operands > command->max_operands) {
        complain("%s: \"%s\" is one too many; expected %s", command->name,
                 operands[command->max_operands],
                 *command->operands != '\0' ? command->operands : "options alone");
        return false;
    }
    return true;
}

bool options_parse(const struct command *command, int argc, char **argv, void *options,
                   int *n_operands)
{
    const common_options *common = options;
    bool only_operands = false;
    int n = 0;
    for (int at = 0; at < argc; at++) {
        char *argument = argv[at];
        if (only_operands || argument[0] != '-' || argument[1] == '\0') {
            argv[n++] = argument;
        } else if (strcmp(argument, "--") == 0) {
            only_operands = true;
        } else if (!parse_option(command, argc, argv, &at, options)) {
            return false;
        }
        if (common->help) return true;
    }
    *n_operands = n;
    return check_operands(command, n, argv);
}
