/* SPDX-License-Identifier: MIT */
/* From the options on tables to what the library wants to know. */
#include "data/table_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shell/output.h"

const char *const separator_choices[] = {"auto", "comma", "semicolon", "tab", "bar", "space", NULL};
const char *const header_choices[] = {"auto", "yes", "no", NULL};
const char *const bad_row_choices[] = {"fail", "skip", NULL};
const char *const unknown_choices[] = {"none", "fail", NULL};
const char *const loss_choices[] = {
#define X(name, text) [GLIA_LOSS_##name] = text,
    GLIA_LOSS_LIST(X)
#undef X
        NULL};

bool missing_parse(const char *text, void *field)
{
    *(const char **)field = text;
    return true;
}

static bool parse_sign(const char *text, const char *const *names, const char *signs, char *sign)
{
    for (size_t i = 0; names[i] != NULL; i++)
        if (strcmp(text, names[i]) == 0 || (text[0] == signs[i] && text[1] == '\0')) {
            *sign = signs[i];
            return true;
        }
    return false;
}

bool decimal_parse(const char *text, void *field)
{
    static const char *const names[] = {"point", "comma", NULL};
    return parse_sign(text, names, ".,", field);
}

bool thousands_parse(const char *text, void *field)
{
    static const char *const names[] = {"point", "comma", "space", "apostrophe", NULL};
    return parse_sign(text, names, "., '", field);
}

/*
 * Copies the first item of a list with commas between, and a NUL, to *to, and moves both on; false:
 * there is none. As in CSV, an item can be in quotes, with quotes within it doubled.
 */
static bool copy_item(const char **list, char **to)
{
    const char *c = *list;
    if (c == NULL) return false;
    bool in_quotes = *c == '"';
    for (c += in_quotes; *c != '\0' && (in_quotes || *c != ','); c++) {
        if (in_quotes && *c == '"' && *++c != '"') {
            in_quotes = false;
            c--;
            continue;
        }
        *(*to)++ = *c;
    }
    *(*to)++ = '\0';
    *list = *c == ',' ? c + 1 : NULL;
    return true;
}

/* Cuts a list into items from *next on; returns the first of them, and how many there are. */
static const char *const *cut(const char *list, size_t *n, char **text, const char ***next)
{
    const char **first = *next;
    *n = 0;
    for (const char *item = *text; copy_item(&list, text); item = *text, ++*n) *(*next)++ = item;
    return *n > 0 ? first : NULL;
}

glia_table_params table_params(const table_options *o, table_columns *columns)
{
    static const char separators[] = {'\0', ',', ';', '\t', '|', ' '};
    static const int headers[] = {0, 1, -1};
    const bool alone = o->missing != NULL && (*o->missing == '=' || *o->missing == '\0');
    const char *missing = alone ? o->missing + (*o->missing == '=') : o->missing;
    if (missing != NULL && *missing == '\0') missing = NULL; /* no word at all */
    const char *const lists[] = {o->target, o->drop, o->categorical, missing};
    size_t bytes = 0; /* of all lists, which have no more items than that */
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        bytes += lists[i] != NULL ? strlen(lists[i]) + 1 : 0;
    columns->names = need_memory(bytes + 1, sizeof *columns->names);
    columns->text = need_memory(bytes + 1, 1);
    char *text = columns->text;
    const char **next = columns->names;
    glia_table_params params = {
        .weight = o->weight,
        .group = o->group,
        .id = o->id,
        .loss = (glia_loss)o->loss,
        .skip_bad_rows = o->on_bad_row == 1,
        .separator = separators[o->separator],
        .header = headers[o->header],
        .fail_on_unknown = o->unknown == 1,
        .missing_alone = alone,
        .decimal = o->decimal,
        .thousands = o->thousands,
    };
    params.targets = cut(o->target, &params.n_targets, &text, &next);
    params.drop = cut(o->drop, &params.n_drop, &text, &next);
    params.categorical = cut(o->categorical, &params.n_categorical, &text, &next);
    params.missing = cut(missing, &params.n_missing, &text, &next);
    return params;
}

bool table_has_columns(const table_options *o)
{
    return o->target != NULL || o->drop != NULL || o->categorical != NULL || o->weight != NULL ||
           o->group != NULL || o->id != NULL;
}

void table_columns_free(table_columns *columns)
{
    free(columns->text);
    free(columns->names);
}
