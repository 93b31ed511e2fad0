/* SPDX-License-Identifier: MIT */
/* Settings by their names: glia_settings_... of glia.h. Nothing depends on the locale. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/number.h"
#include "model/names.h"
#include "model/settings.h"

enum { LONGEST_ITEM = 32, LONGEST_EXPECTED = 512, LONGEST_FOUND = 128 };

glia_status glia_settings_create(glia_settings **out, glia_error *error)
{
    glia_settings *settings = gi_alloc(1, sizeof *settings, "settings", error);
    if (!settings) return GLIA_NO_MEMORY;
    *settings = gi_settings_defaults();
    *out = settings;
    return GLIA_OK;
}

glia_status glia_settings_copy(const glia_settings *settings, glia_settings **out,
                               glia_error *error)
{
    glia_settings *copy = gi_alloc(1, sizeof *copy, "settings", error);
    if (!copy) return GLIA_NO_MEMORY;
    const glia_status status = gi_settings_copy(settings, copy, error);
    if (status)
        gi_free(copy);
    else
        *out = copy;
    return status;
}

void glia_settings_free(glia_settings *settings)
{
    if (settings) gi_settings_clear(settings);
    gi_free(settings);
}

void glia_settings_on_progress(glia_settings *settings, glia_train_progress *progress, void *user)
{
    settings->progress = progress;
    settings->user = user;
}

void glia_settings_on_diagnosis(glia_settings *settings, glia_train_diagnosis *diagnosis,
                                const glia_dataset *whole, void *user)
{
    settings->diagnosis = diagnosis;
    settings->whole = whole;
    settings->user = user;
}

glia_status glia_settings_keep(glia_settings *settings, const char *path, size_t steps,
                               double seconds, bool resume, glia_error *error)
{
    char *copy = NULL;
    if (!(seconds >= 0))
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "checkpoint: found %g seconds, expected a number of at least 0", seconds);
    if (path && !(copy = gi_strdup(path, error))) return GLIA_NO_MEMORY;
    gi_free((void *)(uintptr_t)settings->checkpoint);
    settings->checkpoint = copy;
    settings->checkpoint_steps = steps;
    settings->checkpoint_seconds = seconds;
    settings->resume = resume;
    return GLIA_OK;
}

/* ---- Reading -------------------------------------------------------------------------------- */

/* Cuts the item of a list at *text, and moves on; false when none is left, or it is too long. */
static bool next_item(const char **text, char *item)
{
    if (!*text) return false;
    const size_t n = strcspn(*text, ",");
    if (n >= LONGEST_ITEM) return false;
    memcpy(item, *text, n);
    item[n] = '\0';
    *text = (*text)[n] == ',' ? *text + n + 1 : NULL;
    return true;
}

static bool parse_real(const char *text, double *out)
{
    return gi_parse_f64(text, text + strlen(text), out) && isfinite(*out);
}

static bool find_choice(const gi_setting *s, const char *text, int *out)
{
    for (size_t i = 0; i < s->n_choices; i++)
        if (strcmp(s->choices[i], text) == 0) {
            *out = (int)i;
            return true;
        }
    return false;
}

static bool read_units(const char *text, gi_unit_list *out)
{
    gi_unit_list list = {0};
    char item[LONGEST_ITEM];
    if (strcmp(text, "none") != 0)
        for (const char *at = text; at;) {
            uint64_t units;
            if (list.n == GI_MAX_HIDDEN || !next_item(&at, item) || !gi_parse_u64(item, &units) ||
                units < 1 || units > GLIA_MAX_UNITS)
                return false;
            list.of[list.n++] = (size_t)units;
        }
    *out = list;
    return true;
}

static bool read_activations(const gi_setting *s, const char *text, gi_activation_list *out)
{
    gi_activation_list list = {0};
    char item[LONGEST_ITEM];
    for (const char *at = text; at;) {
        int choice;
        if (list.n == GI_MAX_HIDDEN || !next_item(&at, item) || !find_choice(s, item, &choice))
            return false;
        list.of[list.n++] = (glia_activation)choice;
    }
    *out = list;
    return true;
}

/* "balanced", "none", or numbers. *out has owned memory. NO_MEMORY, or BAD_ARGUMENT without a
 * message. */
static glia_status read_weights(const char *text, gi_class_weights *out, glia_error *error)
{
    gi_class_weights list = {.is_balanced = strcmp(text, "balanced") == 0};
    char item[LONGEST_ITEM];
    if (!list.is_balanced && strcmp(text, "none") != 0) {
        size_t most = 1;
        for (const char *c = text; *c; c++) most += *c == ',';
        list.of = gi_alloc(most, sizeof *list.of, "class weights", error);
        if (!list.of) return GLIA_NO_MEMORY;
        for (const char *at = text; at;)
            if (!next_item(&at, item) || !parse_real(item, &list.of[list.n]) ||
                list.of[list.n++] < 0) {
                gi_free(list.of);
                return GLIA_BAD_ARGUMENT;
            }
    }
    gi_free(out->of);
    *out = list;
    return GLIA_OK;
}

/* A number into the field of its type; false: it is not one of the setting's. */
static bool put_number(const gi_setting *s, glia_settings *settings, double value)
{
    void *field = gi_setting_field(s, settings);
    if (!gi_setting_in_bounds(s, value)) return false;
    if (s->type != GI_TYPE_REAL && value != floor(value)) return false;
    switch (s->type) {
    case GI_TYPE_REAL:
        *(double *)field = value;
        return true;
    case GI_TYPE_COUNT:
        if (value > 0x1p53 || value > (double)SIZE_MAX) return false;
        *(size_t *)field = (size_t)value;
        return true;
    case GI_TYPE_THREADS:
        *(int *)field = (int)value;
        return true;
    case GI_TYPE_FLAG:
        *(bool *)field = value != 0;
        return true;
    case GI_TYPE_CHOICE: {
        const int choice = (int)value;
        memcpy(field, &choice, sizeof choice);
        return true;
    }
    default:
        return false;
    }
}

/* Whether a setting of no value of its own is decided by others. */
static bool has_automatic(const gi_setting *s)
{
    return (s->type == GI_TYPE_REAL && isnan(s->by_default)) || s->bounds == GI_ON_AUTO;
}

static glia_status set_text(const gi_setting *s, glia_settings *settings, const char *text,
                            glia_error *error)
{
    void *field = gi_setting_field(s, settings);
    double value;
    uint64_t whole;
    int choice;
    bool good = false;
    if (has_automatic(s) &&
        (strcmp(text, "auto") == 0 || (field == &settings->lr_end && !strcmp(text, "constant"))))
        return put_number(s, settings, s->by_default) ? GLIA_OK : GLIA_BAD_ARGUMENT;
    switch (s->type) {
    case GI_TYPE_REAL:
        good = parse_real(text, &value) && put_number(s, settings, value);
        break;
    case GI_TYPE_COUNT:
    case GI_TYPE_THREADS:
        good = gi_parse_u64(text, &whole) && whole < 1ULL << 53 &&
               !(s->bounds == GI_ON_AUTO && whole == 0) && put_number(s, settings, (double)whole);
        break;
    case GI_TYPE_SEED:
        good = gi_parse_u64(text, &whole);
        if (good) *(uint64_t *)field = whole;
        break;
    case GI_TYPE_FLAG:
        good = strcmp(text, "yes") == 0 || strcmp(text, "no") == 0;
        if (good) *(bool *)field = text[0] == 'y';
        break;
    case GI_TYPE_CHOICE:
        good = find_choice(s, text, &choice) && put_number(s, settings, choice);
        break;
    case GI_TYPE_UNITS:
        good = read_units(text, field);
        break;
    case GI_TYPE_ACTIVATIONS:
        good = read_activations(s, text, field);
        break;
    case GI_TYPE_WEIGHTS:
        return read_weights(text, field, error);
    }
    return good ? GLIA_OK : GLIA_BAD_ARGUMENT;
}

/* The default again. */
static void reset(const gi_setting *s, glia_settings *settings)
{
    const glia_settings defaults = gi_settings_defaults();
    const size_t next =
        s + 1 < gi_settings + GI_N_SETTINGS ? s[1].offset : offsetof(glia_settings, is_given);
    if (s->type == GI_TYPE_WEIGHTS) gi_free(settings->class_weights.of);
    memcpy((char *)settings + s->offset, (const char *)&defaults + s->offset, next - s->offset);
    settings->is_given[s - gi_settings] = false;
}

static glia_status fail_unknown(const char *name, glia_error *error)
{
    return gi_fail(error, GLIA_BAD_ARGUMENT, "%.64s: there is no setting of this name",
                   name ? name : "(null)");
}

static glia_status fail_value(const gi_setting *s, const char *found, glia_error *error)
{
    char expected[LONGEST_EXPECTED];
    gi_setting_expected(s, expected, sizeof expected);
    return gi_fail(error, GLIA_BAD_ARGUMENT, "%s: found \"%.*s\", expected %s", s->name,
                   (int)LONGEST_FOUND, found, expected);
}

glia_status glia_settings_set(glia_settings *settings, const char *name, const char *value,
                              glia_error *error)
{
    const gi_setting *s = name ? gi_setting_find(name) : NULL;
    if (!s) return fail_unknown(name, error);
    if (!value) {
        reset(s, settings);
        return GLIA_OK;
    }
    const glia_status status = set_text(s, settings, value, error);
    if (status == GLIA_BAD_ARGUMENT) return fail_value(s, value, error);
    if (!status) settings->is_given[s - gi_settings] = true;
    return status;
}

glia_status glia_settings_parse(glia_settings *settings, const char *text, glia_error *error)
{
    static const char blanks[] = " \t\n";
    char *copy = gi_strdup(text, error), *at = copy;
    glia_status status = copy ? GLIA_OK : GLIA_NO_MEMORY;
    while (!status && *(at += strspn(at, blanks))) {
        char *end = at + strcspn(at, blanks), *value = memchr(at, '=', (size_t)(end - at));
        const bool is_last = !*end;
        *end = '\0';
        if (value) {
            *value++ = '\0';
            status = glia_settings_set(settings, at, value, error);
        } else {
            status = gi_fail(error, GLIA_BAD_ARGUMENT, "found \"%.64s\", expected NAME=VALUE", at);
        }
        at = is_last ? end : end + 1;
    }
    gi_free(copy);
    return status;
}

glia_status glia_settings_set_number(glia_settings *settings, const char *name, double value,
                                     glia_error *error)
{
    const gi_setting *s = name ? gi_setting_find(name) : NULL;
    char found[LONGEST_ITEM];
    if (!s) return fail_unknown(name, error);
    snprintf(found, sizeof found, "%g", value);
    if (s->type == GI_TYPE_SEED && value >= 0 && value < 0x1p64 && value == floor(value))
        settings->seed = (uint64_t)value;
    else if (isnan(value) || !put_number(s, settings, value))
        return fail_value(s, found, error);
    settings->is_given[s - gi_settings] = true;
    return GLIA_OK;
}

glia_status glia_settings_set_list(glia_settings *settings, const char *name, const double *values,
                                   size_t n, glia_error *error)
{
    const gi_setting *s = name ? gi_setting_find(name) : NULL;
    if (!s) return fail_unknown(name, error);
    if (s->type == GI_TYPE_UNITS) {
        gi_unit_list list = {.n = n};
        if (n > GI_MAX_HIDDEN) return fail_value(s, "more layers", error);
        for (size_t i = 0; i < n; i++) {
            if (!(values[i] >= 1 && values[i] <= GLIA_MAX_UNITS && values[i] == floor(values[i])))
                return fail_value(s, "another number", error);
            list.of[i] = (size_t)values[i];
        }
        settings->hidden = list;
    } else if (s->type == GI_TYPE_WEIGHTS) {
        for (size_t i = 0; i < n; i++)
            if (!(values[i] >= 0) || !isfinite(values[i]))
                return fail_value(s, "another number", error);
        double *copy = gi_alloc(n, sizeof *copy, "class weights", error);
        if (!copy) return GLIA_NO_MEMORY;
        if (n > 0) memcpy(copy, values, n * sizeof *copy);
        gi_free(settings->class_weights.of);
        settings->class_weights = (gi_class_weights){.n = n, .of = copy};
    } else {
        return gi_fail(error, GLIA_BAD_ARGUMENT, "%s: is one value, not a list", s->name);
    }
    settings->is_given[s - gi_settings] = true;
    return GLIA_OK;
}

/* ---- Writing -------------------------------------------------------------------------------- */

bool glia_settings_is_set(const glia_settings *settings, const char *name)
{
    const gi_setting *s = gi_setting_find(name);
    return s && settings->is_given[s - gi_settings];
}

double glia_settings_number(const glia_settings *settings, const char *name)
{
    const gi_setting *s = gi_setting_find(name);
    return s ? gi_setting_number(s, settings) : (double)NAN;
}

uint64_t glia_settings_integer(const glia_settings *settings, const char *name)
{
    const gi_setting *s = gi_setting_find(name);
    if (s && s->type == GI_TYPE_SEED) return settings->seed;
    const double value = s ? gi_setting_number(s, settings) : 0;
    return value >= 0 && value < 0x1p64 ? (uint64_t)value : 0;
}

size_t glia_settings_list(const glia_settings *settings, const char *name, double *values,
                          size_t most)
{
    const gi_setting *s = gi_setting_find(name);
    if (!s) return 0;
    if (s->type == GI_TYPE_UNITS) {
        for (size_t i = 0; i < settings->hidden.n && i < most; i++)
            values[i] = (double)settings->hidden.of[i];
        return settings->hidden.n;
    }
    if (s->type != GI_TYPE_WEIGHTS) return 0;
    for (size_t i = 0; i < settings->class_weights.n && i < most; i++)
        values[i] = settings->class_weights.of[i];
    return settings->class_weights.n;
}

/* The shortest text that is read as the same double. */
static void show_real(double value, char *text, size_t size)
{
    double again;
    for (int digits = 6; digits <= 17; digits += digits < 15 ? 9 : 1) {
        snprintf(text, size, "%.*g", digits, value);
        for (char *c = text; *c; c++) /* whatever the locale's point is */
            if (!strchr("0123456789+-e", *c)) *c = '.';
        if (parse_real(text, &again) && again == value) return;
    }
}

/* Adds to a list in text (size), and returns how long it is then. */
static size_t add_item(char *text, size_t size, size_t used, bool is_first, const char *item)
{
    if (used >= size) return used;
    return used + (size_t)snprintf(text + used, size - used, "%s%s", is_first ? "" : ",", item);
}

size_t glia_settings_get(const glia_settings *settings, const char *name, char *text, size_t size)
{
    const gi_setting *s = gi_setting_find(name);
    char item[LONGEST_ITEM * 2] = "";
    size_t used = 0;
    if (size > 0) text[0] = '\0';
    if (!s) return 0;
    const double value = gi_setting_number(s, settings);
    switch (s->type) {
    case GI_TYPE_UNITS:
        for (size_t i = 0; i < settings->hidden.n; i++) {
            snprintf(item, sizeof item, "%zu", settings->hidden.of[i]);
            used = add_item(text, size, used, i == 0, item);
        }
        return used > 0 ? used : add_item(text, size, 0, true, "none");
    case GI_TYPE_ACTIVATIONS:
        for (size_t i = 0; i < settings->activation.n; i++)
            used = add_item(text, size, used, i == 0,
                            glia_activation_name(settings->activation.of[i]));
        return used;
    case GI_TYPE_WEIGHTS:
        if (settings->class_weights.is_balanced) return add_item(text, size, 0, true, "balanced");
        for (size_t i = 0; i < settings->class_weights.n; i++) {
            show_real(settings->class_weights.of[i], item, sizeof item);
            used = add_item(text, size, used, i == 0, item);
        }
        return used > 0 ? used : add_item(text, size, 0, true, "none");
    case GI_TYPE_SEED:
        snprintf(item, sizeof item, "%llu", (unsigned long long)settings->seed);
        break;
    case GI_TYPE_FLAG:
        snprintf(item, sizeof item, "%s", value != 0 ? "yes" : "no");
        break;
    case GI_TYPE_CHOICE:
        snprintf(item, sizeof item, "%s", s->choices[(size_t)value]);
        break;
    default:
        if (has_automatic(s) && (isnan(value) || (s->bounds == GI_ON_AUTO && value == 0)))
            snprintf(item, sizeof item, "auto");
        else
            show_real(value, item, sizeof item);
    }
    return add_item(text, size, 0, true, item);
}

/* ---- What they are -------------------------------------------------------------------------- */

size_t glia_settings_count(void)
{
    return GI_N_SETTINGS;
}

/* Index i, or NULL past the last. */
static const gi_setting *at(size_t i)
{
    return i < GI_N_SETTINGS ? &gi_settings[i] : NULL;
}

const char *glia_setting_name(size_t i)
{
    return at(i) ? at(i)->name : NULL;
}

const char *glia_setting_key(size_t i)
{
    return at(i) ? at(i)->key : NULL;
}

const char *glia_setting_group(size_t i)
{
    return at(i) ? gi_setting_headings[at(i)->group] : NULL;
}

const char *glia_setting_help(size_t i)
{
    return at(i) ? at(i)->help : NULL;
}

const char *glia_setting_metavar(size_t i)
{
    return at(i) ? at(i)->metavar : NULL;
}

const char *glia_setting_shown_default(size_t i)
{
    return at(i) ? at(i)->shown : NULL;
}

const char *glia_setting_choice(size_t i, size_t choice)
{
    return at(i) && choice < at(i)->n_choices ? at(i)->choices[choice] : NULL;
}

size_t glia_setting_expected(size_t i, char *text, size_t size)
{
    char expected[LONGEST_EXPECTED] = "";
    if (at(i)) gi_setting_expected(at(i), expected, sizeof expected);
    return (size_t)snprintf(text, size, "%s", expected);
}
