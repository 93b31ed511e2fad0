/* SPDX-License-Identifier: MIT */
/*
 * Reads and prints recipes. One that is built in and one from a file take the same way, so a recipe
 * can say what can be typed, and nothing else. A file may hold anything: it is checked to be text
 * before a word of it is looked at.
 */
#include "shell/recipe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "shell/files.h"
#include "shell/output.h"
#include "shell/text.h"

enum { MOST_BYTES = 65536, LONGEST_PLACE = 2048 };

/*
 * Whether an option says how to train: not where files are, which is another place on every
 * machine, nor what is shown.
 */
static bool may_hold(const struct option *option)
{
    return !option->aside && option->kind != OPTION_TEXT && option->kind != OPTION_RECIPE &&
           !(option->kind == OPTION_FLAG && option->offset < sizeof(common_options));
}

/* ---- Text ----------------------------------------------------------------------------------- */

/* Complains about the first byte (of n, and a NUL) that is no text. */
static bool check_text(const char *path, const char *text, size_t n)
{
    size_t line = 1;
    for (size_t i = 0; i < n;) {
        const bool blank = text[i] == '\n' || text[i] == '\r' || text[i] == '\t';
        const size_t length = blank ? 1 : character_length(text + i);
        if (length == 0) {
            complain("%s: line %zu: found the byte 0x%02X, expected a recipe: UTF-8 without "
                     "control characters",
                     path, line, (unsigned char)text[i]);
            return false;
        }
        line += text[i] == '\n';
        i += length;
    }
    return true;
}

/* The whole file, to be freed; NULL with a complaint. */
static char *read_file(const char *path)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    char *text = need_memory(MOST_BYTES + 2, 1);
    FILE *file = fopen(path, "rb");
    const size_t n = file != NULL ? fread(text, 1, MOST_BYTES + 1, file) : 0;
    bool good = false;
    if (file == NULL || ferror(file))
        complain("%s: cannot be read: %s", path, strerror(errno));
    else if (n > MOST_BYTES)
        complain("%s: found more than %d bytes, expected a recipe, an option a line", path,
                 (int)MOST_BYTES);
    else
        good = check_text(path, text, n);
    if (file != NULL) fclose(file);
    if (!good) {
        free(text);
        return NULL;
    }
    if (strncmp(text, byte_order_mark, 3) == 0) memmove(text, text + 3, n - 2);
    return text;
}

/* The text of a recipe by its name or path, to be freed, and what to call it in messages. */
static char *find_text(const struct command *command, const struct setting *setting, char *place,
                       size_t size)
{
    struct stat status;
    const char *name = setting->value;
    for (const struct recipe *recipe = setting->option->recipes; recipe->name != NULL; recipe++)
        if (strcmp(recipe->name, name) == 0) {
            snprintf(place, size, "recipe %s", name);
            return need_copy(recipe->text);
        }
    snprintf(place, size, "%s", name);
    if (strchr(name, '/') != NULL || stat(name, &status) == 0) {
        keep_file(name, "the recipe");
        return read_file(name);
    }
    options_complain_value(command->name, setting->option, name);
    return NULL;
}

/* ---- Reading -------------------------------------------------------------------------------- */

/* Cuts the line at *text off, moves *text to the next, and returns it without blanks around. */
static char *next_line(char **text)
{
    static const char blanks[] = " \t\r";
    char *line = *text, *end = line + strcspn(line, "\n");
    *text = *end != '\0' ? end + 1 : end;
    line += strspn(line, blanks);
    while (end > line && strchr(blanks, end[-1]) != NULL) end--;
    *end = '\0';
    return line;
}

/* "--lr 0.5", "--lr=0.5", "--fresh"; cuts the line into its words. */
static bool read_option(const struct command *command, const char *place, char *line,
                        struct setting *setting)
{
    if (strncmp(line, "--", 2) != 0) {
        complain("%s: found \"%s\", expected an option as on the command line, --lr 0.1 say", place,
                 line);
        return false;
    }
    char *value = line + strcspn(line, "= \t");
    if (*value != '\0') *value++ = '\0';
    value += strspn(value, " \t");
    const struct option *option = options_find(command, line + 2, strlen(line + 2));
    if (option == NULL) {
        options_complain_unknown(place, command, line);
        return false;
    }
    if (!may_hold(option)) {
        complain("%s: found --%s, expected an option that says how to train; that one belongs on "
                 "the command line",
                 place, option->name);
        return false;
    }
    if (option_is_flag(option) && *value != '\0') {
        complain("%s: --%s takes no value, found \"%s\"", place, option->name, value);
        return false;
    }
    if (!option_is_flag(option) && *value == '\0') {
        char expected[512];
        option_expected(option, expected, sizeof expected);
        complain("%s: --%s needs a value: %s", place, option->name, expected);
        return false;
    }
    *setting = (struct setting){option, option_is_flag(option) ? NULL : value};
    return true;
}

/* Reads all options of the text into settings, and the comments before the first into head. */
static bool read_text(const struct command *command, const char *name, char *text, void *options,
                      struct setting *settings, size_t *n, struct text *head)
{
    char place[LONGEST_PLACE];
    size_t n_settings = 0;
    for (size_t number = 1; *text != '\0'; number++) {
        char *line = next_line(&text);
        if (*line == '#' && n_settings == 0) text_print(head, "%s\n", line);
        if (*line == '#' || *line == '\0') continue;
        snprintf(place, sizeof place, "%s: line %zu", name, number);
        struct setting *setting = &settings[n_settings];
        if (!read_option(command, place, line, setting)) return false;
        for (size_t i = 0; i < n_settings; i++)
            if (settings[i].option == setting->option) {
                complain("%s: --%s is there twice", place, setting->option->name);
                return false;
            }
        if (!options_set(setting, options)) {
            options_complain_value(place, setting->option, setting->value);
            return false;
        }
        n_settings++;
    }
    *n = n_settings;
    return true;
}

static size_t count_lines(const char *text)
{
    size_t n = 1;
    for (; *text != '\0'; text++) n += *text == '\n';
    return n;
}

bool recipe_read(const struct command *command, const struct setting *setting, void *options,
                 struct command_line *line)
{
    char name[LONGEST_PLACE - 32];
    struct text head = {0};
    char *text = find_text(command, setting, name, sizeof name);
    if (text == NULL) return false;
    struct setting *all = need_memory(count_lines(text) + line->n_settings, sizeof *all);
    size_t n;
    if (!read_text(command, name, text, options, all, &n, &head)) {
        text_free(&head);
        free(all);
        free(text);
        return false;
    }
    memcpy(all + n, line->settings, line->n_settings * sizeof *all);
    free(line->settings);
    line->settings = all;
    line->n_settings += n;
    line->n_recipe = n;
    line->recipe = setting->value;
    line->recipe_text = text;
    line->recipe_head = head.s;
    return true;
}

/* ---- Printing ------------------------------------------------------------------------------- */

static void add_setting(struct text *out, const struct setting *setting)
{
    text_print(out, "--%s", setting->option->name);
    if (setting->value != NULL) text_print(out, " %s", setting->value);
}

/* The setting that counts, in the place of the first of its option; NULL for a later one. */
static const struct setting *setting_at(const struct command_line *line, size_t i)
{
    for (size_t before = 0; before < i; before++)
        if (line->settings[before].option == line->settings[i].option) return NULL;
    for (size_t last = line->n_settings; last-- > i;)
        if (line->settings[last].option == line->settings[i].option) return &line->settings[last];
    return NULL;
}

/* What the recipe says of itself; first, how it was changed, since it may no longer be true. */
static void add_head(struct text *out, const struct command_line *line)
{
    bool changed = false;
    if (line->recipe == NULL) return;
    char *name = clean_text(line->recipe); /* may be any path */
    for (size_t i = line->n_recipe; i < line->n_settings; i++) {
        if (!options_counts(line, i) || !may_hold(line->settings[i].option)) continue;
        if (changed)
            text_put(out, " ");
        else
            text_print(out, "# %s, changed: ", name);
        changed = true;
        add_setting(out, &line->settings[i]);
    }
    if (changed) text_put(out, line->recipe_head != NULL ? "\n#\n" : "\n");
    if (line->recipe_head != NULL) text_put(out, line->recipe_head);
    free(name);
}

void recipe_print(const struct command *command, const struct command_line *line, bool json)
{
    struct text out = {0};
    add_head(&out, line);
    for (size_t i = 0; i < line->n_settings; i++) {
        const struct setting *setting = setting_at(line, i);
        if (setting == NULL || !may_hold(setting->option)) continue;
        add_setting(&out, setting);
        text_put(&out, "\n");
    }
    char *typed = options_command(command, line);
    if (json) {
        json_t *o = json_need(json_object());
        json_put(o, "recipe", json_text(out.s != NULL ? out.s : ""));
        json_put(o, "command", json_text(typed));
        json_print(o);
    } else {
        for (char *text = out.s; text != NULL && *text != '\0';) {
            print_clean(stdout, next_line(&text));
            fputc('\n', stdout);
        }
        printf("# as a command: ");
        print_clean(stdout, typed); /* one line, whatever is in it */
        fputc('\n', stdout);
    }
    free(typed);
    text_free(&out);
}
