/* SPDX-License-Identifier: MIT */
#include "shell/wording.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "shell/output.h"

/* What the library calls it, and the option; of two with the same beginning the longer is first. */
static const struct {
    const char *field, *option;
} table[] = {
    {"table.categorical", "--categorical"},
    {"table.decimal", "--decimal"},
    {"table.drop", "--drop"},
    {"table.fail_on_unknown=false", "--unknown none"},
    {"table.group", "--group"},
    {"table.header=-1", "--header no"},
    {"table.header=1", "--header yes"},
    {"table.missing_alone", "--missing ="},
    {"table.missing", "--missing"},
    {"table.separator=' '", "--separator space"},
    {"table.skip_bad_rows", "--on-bad-row skip"},
    {"table.targets", "--target"},
    {"table.thousands", "--thousands"},
    {"image_height and image_width take", "--image-size HxW takes"},
    {"image_height and image_width", "--image-size HxW"},
    {"a part of 0 holds out nothing", "--test none and --validation none hold out nothing"},
    {"glia_dataset_hold_out holds", "--validation 0.1 holds"},
    {"glia_dataset_fold tests", "--folds 5 tests"},
};

static bool is_of_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
}

/* The length of what is a field at the beginning of text, or 0, and its option. */
static size_t find_field(const char *text, const char **option)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        size_t length = strlen(table[i].field);
        if (strncmp(text, table[i].field, length) == 0) {
            *option = table[i].option;
            return length;
        }
    }
    return 0;
}

/* The length of the name in "setting NAME=" at the beginning of text, or 0. */
static size_t find_setting(const char *text)
{
    static const char word[] = "setting ";
    size_t length = 0;
    if (strncmp(text, word, strlen(word)) != 0) return 0;
    text += strlen(word);
    while (is_of_name(text[length])) length++;
    return text[length] == '=' ? length : 0;
}

static size_t append(char *out, size_t used, size_t size, const char *text, size_t length)
{
    for (size_t i = 0; i < length && used + 1 < size; i++) out[used++] = text[i];
    return used;
}

void name_options(const char *text, char *out, size_t size)
{
    size_t used = 0, length;
    bool begins = true; /* a word */
    while (*text != '\0') {
        const char *option;
        if (begins && (length = find_field(text, &option)) > 0) {
            used = append(out, used, size, option, strlen(option));
        } else if (begins && (length = find_setting(text)) > 0) {
            text += strlen("setting ");
            used = append(out, used, size, "--", 2);
            used = append(out, used, size, text, length++);
            used = append(out, used, size, " ", 1);
        } else {
            length = 1;
            used = append(out, used, size, text, 1);
        }
        text += length;
        begins = !is_of_name(text[-1]);
    }
    if (size > 0) out[used] = '\0';
}

char *option_names(const char *text)
{
    size_t longest = 0;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strlen(table[i].option) > longest) longest = strlen(table[i].option);
    const size_t size = strlen(text) * longest + 1; /* of a text all of short fields */
    char *named = need_memory(size, 1);
    name_options(text, named, size);
    return named;
}

json_t *json_message(const char *text)
{
    char *named = option_names(text);
    json_t *value = json_text(named);
    free(named);
    return value;
}
