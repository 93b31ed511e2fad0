/* SPDX-License-Identifier: MIT */
/* Tables: the texts of their columns, and where their rows stand. */
#include "data/table/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "base/memory.h"
#include "base/number.h"

/* ---- Texts --------------------------------------------------------------------------------- */

enum { FIRST_SLOTS = 16, FIRST_BLOCK = 256, LARGEST_BLOCK = 1 << 16 };

struct gi_text_block {
    struct gi_text_block *next;
    size_t used, size;
    char bytes[];
};

static uint64_t mix(uint64_t a, uint64_t b)
{
    a = (a ^ b) * UINT64_C(0x9E3779B97F4A7C15);
    return a ^ a >> 29;
}

static uint64_t hash_of(const char *text, size_t n)
{
    uint64_t hash = n * UINT64_C(0xD6E8FEB86659FD93), word;
    for (; n >= 8; text += 8, n -= 8) {
        memcpy(&word, text, 8);
        hash = mix(hash, word);
    }
    word = 0;
    if (n >= 4) { /* the first four and the last four, which may be in both */
        uint32_t first, last;
        memcpy(&first, text, 4);
        memcpy(&last, text + n - 4, 4);
        word = (uint64_t)first << 32 | last;
    } else if (n > 0) {
        word = (uint64_t)(uint8_t)text[0] << 16 | (uint64_t)(uint8_t)text[n / 2] << 8 |
               (uint8_t)text[n - 1];
    }
    hash = mix(hash, word);
    return hash ^ hash >> 32;
}

/* The slot where the text is, or that is empty where it would be. */
static size_t find_slot(const gi_texts *texts, const char *text, size_t n, uint64_t hash)
{
    const size_t mask = texts->n_slots - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        const uint64_t slot = texts->slots[i];
        if (!slot) return i;
        const size_t code = (uint32_t)slot - 1;
        if (slot >> 32 == hash >> 32 && texts->lengths[code] == n &&
            memcmp(texts->text[code], text, n) == 0)
            return i;
    }
}

size_t gi_texts_find(const gi_texts *texts, const char *text, size_t n)
{
    if (texts->n == 0) return SIZE_MAX;
    const uint64_t slot = texts->slots[find_slot(texts, text, n, hash_of(text, n))];
    return slot ? (uint32_t)slot - 1 : SIZE_MAX;
}

/* Room for one more: at most half of the slots are taken. */
static glia_status make_room(gi_texts *texts, glia_error *error)
{
    if (texts->n < texts->room) return GLIA_OK;
    const size_t room = texts->room ? 2 * texts->room : FIRST_SLOTS / 2;
    char **text = gi_alloc_unset(room, sizeof *text, "texts of a column", error);
    uint32_t *lengths = gi_alloc_unset(room, sizeof *lengths, "texts of a column", error);
    uint64_t *slots = gi_alloc(2 * room, sizeof *slots, "texts of a column", error);
    if (!text || !lengths || !slots) {
        gi_free(text);
        gi_free(lengths);
        gi_free(slots);
        return GLIA_NO_MEMORY;
    }
    if (texts->n) {
        memcpy(text, texts->text, texts->n * sizeof *text);
        memcpy(lengths, texts->lengths, texts->n * sizeof *lengths);
    }
    gi_free(texts->text);
    gi_free(texts->lengths);
    gi_free(texts->slots);
    texts->text = text;
    texts->lengths = lengths;
    texts->slots = slots;
    texts->room = room;
    texts->n_slots = 2 * room;
    for (size_t code = 0; code < texts->n; code++) {
        const uint64_t hash = hash_of(text[code], lengths[code]);
        size_t i = hash & (texts->n_slots - 1);
        while (slots[i]) i = (i + 1) & (texts->n_slots - 1);
        slots[i] = hash >> 32 << 32 | (code + 1);
    }
    return GLIA_OK;
}

/* A copy of the text, NUL-terminated; NULL: no memory. */
static char *keep(gi_texts *texts, const char *text, size_t n, glia_error *error)
{
    struct gi_text_block *block = texts->blocks;
    if (!block || block->size - block->used <= n) {
        size_t size = block ? 2 * block->size : FIRST_BLOCK;
        if (size > LARGEST_BLOCK) size = LARGEST_BLOCK;
        if (size <= n) size = n + 1;
        block = gi_alloc_unset(sizeof *block + size, 1, "texts of a column", error);
        if (!block) return NULL;
        *block = (struct gi_text_block){.next = texts->blocks, .size = size};
        texts->blocks = block;
    }
    char *copy = block->bytes + block->used;
    memcpy(copy, text, n);
    copy[n] = '\0';
    block->used += n + 1;
    return copy;
}

bool gi_is_date(const char *text, size_t n)
{
    char copy[48];
    double seconds;
    if (n >= sizeof copy) return false;
    memcpy(copy, text, n);
    copy[n] = '\0';
    return gi_date_parse(copy, GI_DATE_YMD, &seconds, NULL) ||
           gi_date_parse(copy, GI_DATE_DMY, &seconds, NULL) ||
           gi_date_parse(copy, GI_DATE_MDY, &seconds, NULL) ||
           gi_date_parse(copy, GI_DATE_TIME, &seconds, NULL);
}

glia_status gi_texts_add(gi_texts *texts, const char *text, size_t n, size_t *code,
                         glia_error *error)
{
    const uint64_t hash = hash_of(text, n);
    if (texts->n) {
        const uint64_t slot = texts->slots[find_slot(texts, text, n, hash)];
        if (slot) {
            *code = (uint32_t)slot - 1;
            return GLIA_OK;
        }
    }
    *code = SIZE_MAX;
    if (texts->n >= GI_MAX_TEXTS && !(texts->n < GI_MAX_DATES && gi_is_date(text, n)))
        return GLIA_OK;
    glia_status status = make_room(texts, error);
    char *copy = status ? NULL : keep(texts, text, n, error);
    if (!copy) return GLIA_NO_MEMORY;
    *code = texts->n++;
    texts->text[*code] = copy;
    texts->lengths[*code] = (uint32_t)n;
    texts->slots[find_slot(texts, text, n, hash)] = hash >> 32 << 32 | (uint64_t)texts->n;
    return GLIA_OK;
}

void gi_texts_pop(gi_texts *texts)
{
    /* None has been added since, so no other's search goes over its slot. */
    const size_t code = texts->n - 1, n = texts->lengths[code];
    char *text = texts->text[code];
    texts->slots[find_slot(texts, text, n, hash_of(text, n))] = 0;
    texts->blocks->used -= n + 1;
    texts->n = code;
}

void gi_texts_free(gi_texts *texts)
{
    while (texts->blocks) {
        struct gi_text_block *next = texts->blocks->next;
        gi_free(texts->blocks);
        texts->blocks = next;
    }
    gi_free(texts->text);
    gi_free(texts->lengths);
    gi_free(texts->slots);
    *texts = (gi_texts){0};
}

/* ---- Tables -------------------------------------------------------------------------------- */

gi_table_params gi_table_default_params(void)
{
    return (gi_table_params){.header = -1};
}

void gi_table_free(gi_table *table)
{
    if (!table) return;
    for (size_t c = 0; table->columns && c < table->n_columns; c++) {
        gi_free(table->columns[c].name);
        gi_texts_free(&table->columns[c].texts);
    }
    gi_free(table->columns);
    gi_texts_free(&table->names);
    gi_free(table->of_name);
    gi_free(table->marks);
    gi_free(table->owned_cells);
    gi_free(table->cell_texts);
    gi_free(table->cell_at);
    gi_file_close(&table->mapped);
    gi_free(table->path);
    gi_free(table->missing.words);
    gi_free(table);
}

uint64_t gi_table_line(const gi_table *table, size_t row)
{
    size_t low = 0, high = table->n_marks; /* the last mark at or before the row is in low - 1 */
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (table->marks[middle].row <= row)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? table->marks[low - 1].line + (row - table->marks[low - 1].row) : 0;
}

glia_status gi_table_index(gi_table *table, glia_error *error)
{
    if (table->of_name) return GLIA_OK;
    glia_status status = GLIA_OK;
    size_t *of_name = gi_alloc(table->n_columns, sizeof *of_name, "names of columns", error);
    if (!of_name) return GLIA_NO_MEMORY;
    for (size_t c = 0; c < table->n_columns && !status; c++) {
        const char *name = table->columns[c].name;
        const size_t before = table->names.n;
        size_t code;
        status = gi_texts_add(&table->names, name, strlen(name), &code, error);
        if (table->names.n > before) of_name[code] = c;
    }
    if (status) {
        gi_texts_free(&table->names);
        gi_free(of_name);
        return status;
    }
    table->of_name = of_name;
    return GLIA_OK;
}

/* The first column of this name, or SIZE_MAX. */
static size_t column_of_name(const gi_table *table, const char *name)
{
    if (table->of_name) {
        const size_t code = gi_texts_find(&table->names, name, strlen(name));
        return code == SIZE_MAX ? SIZE_MAX : table->of_name[code];
    }
    for (size_t c = 0; c < table->n_columns; c++)
        if (strcmp(table->columns[c].name, name) == 0) return c;
    return SIZE_MAX;
}

size_t gi_table_column(const gi_table *table, const char *name)
{
    const size_t column = column_of_name(table, name);
    uint64_t number;
    if (column != SIZE_MAX) return column;
    if (gi_parse_u64(name, &number) && number >= 1 && number <= table->n_columns)
        return (size_t)number - 1;
    return SIZE_MAX;
}

const char *gi_column_word(const char *name)
{
    return strncmp(name, "column ", 7) == 0 ? "" : "column ";
}

void gi_table_list_names(const gi_column *columns, const size_t *which, size_t n, char *list,
                         size_t room)
{
    size_t used = 0;
    list[0] = '\0';
    for (size_t i = 0; i < n && used < room; i++) {
        const char *name = columns[which ? which[i] : i].name;
        const char *quote = strchr(name, ',') ? "\"" : "";
        used += (size_t)snprintf(list + used, room - used, "%s%s%.60s%s", i ? ", " : "", quote,
                                 name, quote);
    }
}

const char *gi_table_option(const gi_column *columns, const size_t *which, size_t n,
                            char option[GI_OPTION_NAMES])
{
    enum { LONGEST = 60 };
    char list[GI_OPTION_NAMES - 2] = "";
    size_t used = 0;
    for (size_t i = 0; i < n && i < GI_OPTION_COLUMNS; i++) {
        const char *name = columns[which[i]].name, *comma = i ? "," : "";
        const bool is_odd = !name[0] || name[0] == '-' || strlen(name) > LONGEST ||
                            strpbrk(name, "\"'\n\r") || strncmp(name, "column ", 7) == 0;
        const char *quote = strchr(name, ',') ? "\"" : "";
        if (is_odd)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%zu", comma, which[i] + 1);
        else
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s%s%s", comma, quote,
                                     name, quote);
    }
    if (n > GI_OPTION_COLUMNS) snprintf(list + used, sizeof list - used, ",...");
    const char *quote = strpbrk(list, " \t;&|<>()[]{}$*?!#~`\\\"") ? "'" : "";
    snprintf(option, GI_OPTION_NAMES, "%s%s%s", quote, list, quote);
    return option;
}

glia_status gi_table_apply_known(gi_table *table, const gi_table_params *params, glia_error *error)
{
    for (size_t c = 0; c < table->n_columns && params->ignores_unknown; c++)
        table->columns[c].kind = GI_CELL_IGNORED;
    for (size_t k = params->n_known; k-- > 0;) { /* the first that is said of a column holds */
        const gi_known_column *known = &params->known[k];
        const size_t c = gi_table_column(table, known->name);
        if (c != SIZE_MAX)
            table->columns[c].kind = known->kind;
        else if (!known->may_be_absent)
            return gi_fail(
                error, GLIA_BAD_FORMAT,
                "%s: found %zu column%s, none of them %s; expected their names, %s to %s, "
                "or their numbers",
                table->path, table->n_columns, table->n_columns == 1 ? "" : "s", known->name,
                table->columns[0].name, table->columns[table->n_columns - 1].name);
    }
    return GLIA_OK;
}

void gi_table_where(const gi_table *table, size_t row, size_t column, char *where, size_t room)
{
    const uint64_t line = gi_table_line(table, row);
    const char *name = table->columns[column].name;
    snprintf(where, room, "%s, %s %" PRIu64 ", %s%s", table->path, line ? "line" : "row",
             line ? line : (uint64_t)row + 1, gi_column_word(name), name);
}

glia_status gi_table_grow(void **array, size_t *room, size_t needed, size_t size, glia_error *error)
{
    if (needed <= *room) return GLIA_OK;
    const size_t larger = needed > 2 * *room ? needed : 2 * *room;
    void *grown = gi_alloc_unset(larger, size, "reading a table", error);
    if (!grown) return GLIA_NO_MEMORY;
    if (*room) memcpy(grown, *array, *room * size);
    gi_free(*array);
    *array = grown;
    *room = larger;
    return GLIA_OK;
}
