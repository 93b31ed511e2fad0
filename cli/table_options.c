/* SPDX-License-Identifier: MIT */
/* From the options on tables to what the library wants to know. */
#include "table_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"

const char *const separator_choices[] = {"auto", "comma", "semicolon", "tab", "bar", "space", NULL};
const char *const header_choices[] = {"auto", "yes", "no", NULL};
const char *const bad_row_choices[] = {"fail", "skip", NULL};
const char *const unknown_choices[] = {"none", "fail", NULL};
const char *const loss_choices[] = {
#define X(name, text) [GLIA_LOSS_##name] = text,
    GLIA_LOSS_LIST(X)
#undef X
        NULL};

/* The number of items in a list with commas between them. */
static size_t count_items(const char *list)
{
    size_t n = list != NULL;
    for (const char *c = list; c != NULL && *c != '\0'; c++) n += *c == ',';
    return n;
}

/* Cuts a copy of a list at *text into names from *next on; returns the first of them. */
static const char *const *cut(const char *list, size_t n, char **text, const char ***next)
{
    const char **first = *next;
    char *copy = *text;
    if (n == 0) return NULL;
    memcpy(copy, list, strlen(list) + 1);
    for (size_t i = 0; i < n; i++) {
        *(*next)++ = copy;
        copy += strcspn(copy, ",");
        *copy++ = '\0';
    }
    *text = copy;
    return first;
}

glia_table_params table_params(const table_options *o, table_columns *columns)
{
    static const char separators[] = {'\0', ',', ';', '\t', '|', ' '};
    static const int headers[] = {0, 1, -1};
    const char *const lists[] = {o->target, o->drop, o->categorical};
    size_t n[3], items = 0, bytes = 0;
    for (size_t i = 0; i < 3; i++) {
        n[i] = count_items(lists[i]);
        items += n[i];
        bytes += lists[i] != NULL ? strlen(lists[i]) + 1 : 0;
    }
    columns->names = need_memory(items + 1, sizeof *columns->names);
    columns->text = need_memory(bytes + 1, 1);
    char *text = columns->text;
    const char **next = columns->names;
    glia_table_params params = {
        .n_targets = n[0],
        .n_drop = n[1],
        .n_categorical = n[2],
        .weight = o->weight,
        .group = o->group,
        .id = o->id,
        .loss = (glia_loss)o->loss,
        .skip_bad_rows = o->on_bad_row == 1,
        .separator = separators[o->separator],
        .header = headers[o->header],
        .fail_on_unknown = o->unknown == 1,
    };
    params.targets = cut(o->target, n[0], &text, &next);
    params.drop = cut(o->drop, n[1], &text, &next);
    params.categorical = cut(o->categorical, n[2], &text, &next);
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
