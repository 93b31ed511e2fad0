/* SPDX-License-Identifier: MIT */
/*
 * Parsing of command lines from tables of options.
 */
#include "shell/options.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "glia.h"
#include "shell/output.h"
#include "shell/quote.h"
#include "shell/recipe.h"

enum { MAX_NAMES = 63 };

/* ---- Tables -------------------------------------------------------------------------------- */

enum { MOST_TABLES = 16 };

static bool has_own(const struct option *rows, const char *name)
{
    for (; rows->kind != OPTION_END; rows++)
        if (rows->kind != OPTION_HEADING && strcmp(rows->name, name) == 0) return true;
    return false;
}

/* Adds an option for each setting of a group to a table, which has room; not where the table has
 * one of that name of its own. */
static size_t add_settings(const struct option *rows, const struct option *row,
                           struct option *table)
{
    size_t n = 0;
    for (size_t i = 0; i < glia_settings_count(); i++) {
        if (strcmp(glia_setting_group(i), row->name) != 0 || has_own(rows, glia_setting_name(i)))
            continue;
        struct option *option = &table[n++];
        *option = (struct option){.kind = OPTION_SETTING,
                                  .name = glia_setting_name(i),
                                  .metavar = glia_setting_metavar(i),
                                  .help = glia_setting_help(i),
                                  .offset = row->offset,
                                  .shown_default = glia_setting_shown_default(i),
                                  .setting = i};
        if (!row->is_list) continue;
        option->kind = OPTION_TEXT;
        option->metavar = "LIST";
        option->offset += i * sizeof(char *);
        option->shown_default = NULL;
        option->is_list = true;
    }
    return n;
}

static struct option *make_table(const struct option *rows)
{
    size_t n = 0;
    for (size_t i = 0; rows[i].kind != OPTION_END; i++)
        n += rows[i].kind == OPTION_SETTINGS ? glia_settings_count() : 1;
    struct option *table = need_memory(n + 1, sizeof *table);
    n = 0;
    for (const struct option *row = rows; row->kind != OPTION_END; row++)
        if (row->kind == OPTION_SETTINGS)
            n += add_settings(rows, row, table + n);
        else
            table[n++] = *row;
    table[n].kind = OPTION_END;
    return table;
}

/* Commands without settings have their table as it is written; of the few others it is kept, from
 * the first look on, which is the main thread's. */
const struct option *options_of(const struct command *command)
{
    static struct {
        const struct option *rows;
        struct option *table;
    } made[MOST_TABLES];
    const struct option *row = command->options;
    while (row->kind != OPTION_END && row->kind != OPTION_SETTINGS) row++;
    if (row->kind == OPTION_END) return command->options;
    size_t i = 0;
    while (i + 1 < MOST_TABLES && made[i].rows != NULL && made[i].rows != command->options) i++;
    if (made[i].rows == NULL) {
        made[i].rows = command->options;
        made[i].table = make_table(command->options);
    }
    return made[i].table;
}

void *options_new(const struct command *command)
{
    void *options = need_memory(1, command->options_size);
    if (command->set_defaults != NULL) command->set_defaults(options);
    return options;
}

void options_delete(const struct command *command, void *options)
{
    if (command->clear != NULL) command->clear(options);
    free(options);
}

bool option_is_flag(const struct option *option)
{
    return option->kind == OPTION_FLAG ||
           (option->kind == OPTION_SETTING && option->metavar == NULL);
}

/* ---- Values -------------------------------------------------------------------------------- */

/* The names that an option takes, where it takes names; ends with NULL. */
static void list_names(const struct option *option, const char **names)
{
    size_t n = 0;
    for (const char *const *name = option->choices; name != NULL && *name != NULL; name++)
        if (n < MAX_NAMES) names[n++] = *name;
    for (size_t i = 0; option->kind == OPTION_SETTING && n < MAX_NAMES; i++) {
        const char *choice = glia_setting_choice(option->setting, i);
        if (choice == NULL) break;
        names[n++] = choice;
    }
    for (const struct recipe *r = option->recipes; r != NULL && r->name != NULL; r++)
        if (n < MAX_NAMES) names[n++] = r->name;
    names[n] = NULL;
}

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
    case OPTION_SETTING:
        glia_setting_expected(option->setting, text, size);
        break;
    case OPTION_CHOICE:
    case OPTION_RECIPE: {
        const char *names[MAX_NAMES + 1];
        size_t used = 0;
        text[0] = '\0';
        list_names(option, names);
        for (const char *const *name = names; *name != NULL && used < size; name++) {
            const char *joint = name == names ? "" : name[1] == NULL ? " or " : ", ";
            used += (size_t)snprintf(text + used, size - used, "%s%s", joint, *name);
        }
        if (option->kind == OPTION_RECIPE && used < size)
            snprintf(text + used, size - used, ", or the path of a file");
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
    case OPTION_RECIPE:
        if (*text == '\0') return false;
        *(const char **)field = text;
        return true;
    case OPTION_CHOICE:
        return set_choice(option, text, field);
    case OPTION_OTHER:
        return option->parse(text, field);
    case OPTION_SETTING:
        return glia_settings_set(*(glia_settings **)field, option->name,
                                 text != NULL ? text : "yes", NULL) == GLIA_OK;
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
    case OPTION_SETTING:
        if (!option_is_flag(option))
            glia_settings_get(*(glia_settings *const *)field, option->name, text, size);
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

const struct option *options_find(const struct command *command, const char *name, size_t length)
{
    for (const struct option *option = options_of(command); option->kind != OPTION_END; option++) {
        if (is_option(option) && strlen(option->name) == length &&
            strncmp(option->name, name, length) == 0)
            return option;
    }
    return NULL;
}

static const struct option *find_short(const struct command *command, char letter)
{
    for (const struct option *option = options_of(command); option->kind != OPTION_END; option++)
        if (is_option(option) && option->letter == letter && letter != '\0') return option;
    return NULL;
}

void options_complain_unknown(const char *place, const struct command *command,
                              const char *argument)
{
    const char *names[MAX_NAMES + 1], *nearest = NULL;
    char name[LONGEST_MISSPELT + 1];
    size_t n = 0, length = strcspn(argument, "=");
    if (strncmp(argument, "--", 2) == 0 && length > 2 && length - 2 < sizeof name) {
        memcpy(name, argument + 2, length - 2);
        name[length - 2] = '\0';
        for (const struct option *option = options_of(command); option->kind != OPTION_END;
             option++)
            if (is_option(option) && n < MAX_NAMES) names[n++] = option->name;
        names[n] = NULL;
        nearest = nearest_name(name, names);
    }
    if (nearest != NULL)
        complain("%s: there is no option %.*s; did you mean --%s?", place, (int)length, argument,
                 nearest);
    else
        complain("%s: there is no option %.*s; 'glia help %s' lists them", place, (int)length,
                 argument, command->name);
}

void options_complain_value(const char *place, const struct option *option, const char *value)
{
    char expected[512];
    const char *names[MAX_NAMES + 1], *nearest;
    option_expected(option, expected, sizeof expected);
    list_names(option, names);
    nearest = nearest_name(value, names);
    if (nearest != NULL)
        complain("%s: --%s: found \"%s\", expected %s; did you mean %s?", place, option->name,
                 value, expected, nearest);
    else
        complain("%s: --%s: found \"%s\", expected %s", place, option->name, value, expected);
}

/* Finds the option in argv[*at] and its value, and moves *at to the last argument of the two. */
static bool read_setting(const struct command *command, int argc, const char *const *argv, int *at,
                         struct setting *setting)
{
    const char *argument = argv[*at], *value = NULL;
    const struct option *option;
    if (argument[1] == '-') {
        size_t length = strcspn(argument + 2, "=");
        option = options_find(command, argument + 2, length);
        if (argument[2 + length] == '=') value = argument + 2 + length + 1;
    } else {
        option = find_short(command, argument[1]);
        if (argument[2] != '\0') value = argument + 2;
    }
    bool joined = argument[1] != '-' && value != NULL; /* "-qx" */
    if (option == NULL || (option_is_flag(option) && joined && *value != '=')) {
        options_complain_unknown(command->name, command, argument);
        return false;
    }
    if (option_is_flag(option) && value != NULL) {
        complain("%s: --%s takes no value, found \"%s\"", command->name, option->name,
                 value + joined);
        return false;
    }
    if (!option_is_flag(option) && value == NULL) {
        /* A known option is no value: "--output --json" has forgotten the file. */
        const char *next = *at + 1 < argc ? argv[*at + 1] : NULL;
        if (next == NULL || (strncmp(next, "--", 2) == 0 &&
                             options_find(command, next + 2, strcspn(next + 2, "=")) != NULL)) {
            char expected[512];
            option_expected(option, expected, sizeof expected);
            complain("%s: --%s needs a value: %s", command->name, option->name, expected);
            return false;
        }
        value = next;
        ++*at;
    }
    *setting = (struct setting){option, value};
    return true;
}

static bool is_help(const struct option *option)
{
    return option->kind == OPTION_FLAG && option->offset == offsetof(common_options, help);
}

/* Appends the settings of argv to the line, and moves the operands to its front. */
static bool read_words(const struct command *command, int argc, char **argv,
                       struct command_line *line)
{
    bool only_operands = false;
    line->operands = argv;
    for (int at = 0; at < argc; at++) {
        char *argument = argv[at];
        if (only_operands || argument[0] != '-' || argument[1] == '\0')
            argv[line->n_operands++] = argument;
        else if (strcmp(argument, "--") == 0)
            only_operands = true;
        else if (!read_setting(command, argc, (const char *const *)argv, &at,
                               &line->settings[line->n_settings]))
            return false;
        else if (is_help(line->settings[line->n_settings++].option))
            break; /* it comes before whatever is wrong with the rest */
    }
    return true;
}

static bool check_operands(const struct command *command, const struct command_line *line,
                           bool none_needed)
{
    int n_operands = line->n_operands;
    char *const *operands = line->operands;
    if (n_operands < command->min_operands && !none_needed) {
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

bool options_set(const struct setting *setting, void *options)
{
    if (setting->option->kind != OPTION_FLAG)
        return set_value(setting->option, setting->value, options);
    *(bool *)((char *)options + setting->option->offset) = true;
    return true;
}

bool options_parse(const struct command *command, int argc, char **argv, void *options,
                   struct command_line *line)
{
    const common_options *common = options;
    struct setting recipe = {NULL, NULL};
    *line =
        (struct command_line){.settings = need_memory((size_t)argc + 1, sizeof(struct setting))};
    if (!read_words(command, argc, argv, line)) return false;
    for (size_t i = 0; i < line->n_settings; i++)
        if (line->settings[i].option->kind == OPTION_RECIPE) recipe = line->settings[i];
    if (recipe.option != NULL && !recipe_read(command, &recipe, options, line)) return false;
    for (size_t i = 0; i < line->n_settings; i++)
        if (!options_set(&line->settings[i], options)) {
            options_complain_value(command->name, line->settings[i].option,
                                   line->settings[i].value);
            return false;
        }
    bool none_needed = common->print;
    for (size_t i = 0; i < line->n_settings; i++)
        none_needed = none_needed || line->settings[i].option->alone;
    return common->help || check_operands(command, line, none_needed);
}

void options_free(struct command_line *line)
{
    free(line->settings);
    free(line->recipe_text);
    free(line->recipe_head);
}

/* ---- The command line, printed ------------------------------------------------------------- */

bool options_counts(const struct command_line *line, size_t i)
{
    for (size_t later = i + 1; later < line->n_settings; later++)
        if (line->settings[later].option == line->settings[i].option) return false;
    return true;
}

/* Whether the i-th setting belongs to the command that the line stands for. */
static bool is_printed(const struct command_line *line, size_t i)
{
    const struct option *option = line->settings[i].option;
    const bool about_this_command =
        option->kind == OPTION_RECIPE ||
        (option->kind == OPTION_FLAG && (option->offset == offsetof(common_options, print) ||
                                         option->offset == offsetof(common_options, json)));
    return !about_this_command && options_counts(line, i);
}

static void print_command(FILE *stream, const struct command *command,
                          const struct command_line *line)
{
    bool like_options = false; /* operands: "--" must stand before them */
    for (int i = 0; i < line->n_operands; i++)
        like_options = like_options || line->operands[i][0] == '-';
    fprintf(stream, "glia %s", command->name);
    for (int i = 0; i < line->n_operands && !like_options; i++) {
        fputc(' ', stream);
        print_shell_word(stream, line->operands[i]);
    }
    for (size_t i = 0; i < line->n_settings; i++) {
        const char *value = line->settings[i].value;
        if (!is_printed(line, i)) continue;
        fprintf(stream, " --%s", line->settings[i].option->name);
        if (value == NULL) continue;
        fputc(*value == '-' ? '=' : ' ', stream);
        print_shell_word(stream, value);
    }
    if (like_options) fputs(" --", stream);
    for (int i = 0; i < line->n_operands && like_options; i++) {
        fputc(' ', stream);
        print_shell_word(stream, line->operands[i]);
    }
}

char *options_command(const struct command *command, const struct command_line *line)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (stream != NULL) print_command(stream, command, line);
    if (stream == NULL || fclose(stream) != 0) {
        complain("out of memory");
        exit(EXIT_FAILED);
    }
    return text;
}

json_t *options_word(const struct setting *setting)
{
    const char *name = setting->option->name;
    return json_need(setting->value == NULL ? json_sprintf("--%s", name)
                                            : json_sprintf("--%s=%s", name, setting->value));
}

json_t *options_words(const struct command *command, const struct command_line *line)
{
    json_t *list = json_need(json_array());
    json_push(list, json_text(command->name));
    for (size_t i = 0; i < line->n_settings; i++) {
        const struct setting *setting = &line->settings[i];
        if (is_printed(line, i) && !setting->option->aside) json_push(list, options_word(setting));
    }
    json_push(list, json_text("--"));
    for (int i = 0; i < line->n_operands; i++) json_push(list, json_text(line->operands[i]));
    return list;
}
