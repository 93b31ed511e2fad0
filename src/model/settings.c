/* SPDX-License-Identifier: MIT */
/* The list of settings as a table; their defaults, copies and checks. settings_text.c reads them.
 */
#include "model/settings.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "model/names.h"

static const char *const switch_names[] = {
    [GI_AUTO] = "auto", [GI_YES] = "yes", [GI_NO] = "no", NULL};

/* ---- The list ------------------------------------------------------------------------------- */

const char *const gi_setting_headings[] = {
#define X(group, heading) heading,
    GI_SETTING_GROUPS(X)
#undef X
};

enum {
#define X(group, heading) GROUP_##group,
    GI_SETTING_GROUPS(X)
#undef X
};

/* Type and names of each KIND. */
#define KIND_REAL    .type = GI_TYPE_REAL
#define KIND_COUNT   .type = GI_TYPE_COUNT
#define KIND_SEED    .type = GI_TYPE_SEED
#define KIND_THREADS .type = GI_TYPE_THREADS
#define KIND_FLAG    .type = GI_TYPE_FLAG
#define KIND_UNITS   .type = GI_TYPE_UNITS
#define KIND_WEIGHTS .type = GI_TYPE_WEIGHTS
enum {
#define X(name, text) +1
    n_optimizers = 0 GLIA_OPTIMIZER_LIST(X),
    n_inits = 0 GLIA_INIT_LIST(X),
    n_losses = 0 GLIA_LOSS_LIST(X),
    n_engines = 0 GLIA_ENGINE_LIST(X),
    n_precisions = 0 GLIA_PRECISION_LIST(X),
    n_schedules = 0 GLIA_SCHEDULE_LIST(X),
#undef X
};
#define KIND_ACTIVATIONS                                                                           \
    .type = GI_TYPE_ACTIVATIONS, .choices = gi_activation_names,                                   \
    .n_choices = GI_N_HIDDEN_ACTIVATIONS
#define KIND_SWITCH .type = GI_TYPE_CHOICE, .choices = switch_names, .n_choices = 3
#define KIND_LOSS   .type = GI_TYPE_CHOICE, .choices = gi_loss_names, .n_choices = n_losses
#define KIND_INIT   .type = GI_TYPE_CHOICE, .choices = gi_init_names, .n_choices = n_inits
#define KIND_OPTIMIZER                                                                             \
    .type = GI_TYPE_CHOICE, .choices = gi_optimizer_names, .n_choices = n_optimizers
#define KIND_SCHEDULE .type = GI_TYPE_CHOICE, .choices = gi_schedule_names, .n_choices = n_schedules
#define KIND_ENGINE   .type = GI_TYPE_CHOICE, .choices = gi_engine_names, .n_choices = n_engines
#define KIND_PRECISION                                                                             \
    .type = GI_TYPE_CHOICE, .choices = gi_precision_names, .n_choices = n_precisions

const gi_setting gi_settings[GI_N_SETTINGS] = {
#define X(kind, field, option, in, value, least, most, how, kept, what, seen, text)                \
    {.name = option,                                                                               \
     .key = #field,                                                                                \
     .group = GROUP_##in,                                                                          \
     .offset = offsetof(struct glia_settings, field),                                              \
     .by_default = value,                                                                          \
     .min = least,                                                                                 \
     .max = most,                                                                                  \
     .bounds = GI_##how,                                                                           \
     .record = GI_##kept,                                                                          \
     .metavar = what,                                                                              \
     .shown = seen,                                                                                \
     .help = text,                                                                                 \
     KIND_##kind},
    GI_SETTINGS_LIST(X)
#undef X
};

/* Whether a name is that of an option or a key, where '-' and '_' are alike. */
static bool same_name(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if (*a != *b && !((*a == '-' || *a == '_') && (*b == '-' || *b == '_'))) return false;
    return *a == *b;
}

const gi_setting *gi_setting_find(const char *name)
{
    for (size_t i = 0; i < GI_N_SETTINGS; i++)
        if (same_name(gi_settings[i].name, name) || same_name(gi_settings[i].key, name))
            return &gi_settings[i];
    return NULL;
}

/* ---- Values --------------------------------------------------------------------------------- */

double gi_setting_number(const gi_setting *setting, const glia_settings *settings)
{
    const void *field = gi_setting_field(setting, settings);
    switch (setting->type) {
    case GI_TYPE_REAL:
        return *(const double *)field;
    case GI_TYPE_COUNT:
        return (double)*(const size_t *)field;
    case GI_TYPE_SEED:
        return (double)*(const uint64_t *)field;
    case GI_TYPE_THREADS:
        return *(const int *)field;
    case GI_TYPE_FLAG:
        return *(const bool *)field;
    case GI_TYPE_CHOICE: {
        int value; /* of any enumeration */
        memcpy(&value, field, sizeof value);
        return value;
    }
    default:
        return (double)NAN;
    }
}

glia_settings gi_settings_defaults(void)
{
    glia_settings s = {
#define X(kind, field, option, in, value, ...) .field = DEFAULT_##kind(value),
#define DEFAULT_REAL(value)                    (double)(value)
#define DEFAULT_COUNT(value)                   (value)
#define DEFAULT_SEED(value)                    (value)
#define DEFAULT_THREADS(value)                 (value)
#define DEFAULT_FLAG(value)                    (value)
#define DEFAULT_UNITS(value)                                                                       \
    {                                                                                              \
        .n = 1, .of = { value }                                                                    \
    }
#define DEFAULT_ACTIVATIONS(value)                                                                 \
    {                                                                                              \
        .n = 1, .of = { value }                                                                    \
    }
#define DEFAULT_WEIGHTS(value)                                                                     \
    {                                                                                              \
        .n = (value)                                                                               \
    }
#define DEFAULT_SWITCH(value)    (value)
#define DEFAULT_LOSS(value)      (value)
#define DEFAULT_INIT(value)      (value)
#define DEFAULT_OPTIMIZER(value) (value)
#define DEFAULT_SCHEDULE(value)  (value)
#define DEFAULT_ENGINE(value)    (value)
#define DEFAULT_PRECISION(value) (value)
        GI_SETTINGS_LIST(X)
#undef X
    };
    return s;
}

void gi_settings_clear(glia_settings *settings)
{
    gi_free(settings->class_weights.of);
    gi_free((void *)(uintptr_t)settings->checkpoint);
    settings->class_weights = (gi_class_weights){0};
    settings->checkpoint = NULL;
}

glia_status gi_settings_copy(const glia_settings *settings, glia_settings *out, glia_error *error)
{
    glia_settings copy = *settings;
    const gi_class_weights *weights = &settings->class_weights;
    copy.class_weights.of = NULL;
    copy.checkpoint = NULL;
    if (weights->of) {
        copy.class_weights.of = gi_alloc(weights->n, sizeof(double), "class weights", error);
        if (!copy.class_weights.of) return GLIA_NO_MEMORY;
        memcpy(copy.class_weights.of, weights->of, weights->n * sizeof(double));
    }
    if (settings->checkpoint && !(copy.checkpoint = gi_strdup(settings->checkpoint, error))) {
        gi_settings_clear(&copy);
        return GLIA_NO_MEMORY;
    }
    *out = copy;
    return GLIA_OK;
}

/* ---- Checks --------------------------------------------------------------------------------- */

void gi_setting_expected(const gi_setting *s, char *text, size_t size)
{
    const char *what = s->type == GI_TYPE_REAL ? "a number" : "a whole number";
    size_t used = 0;
    switch (s->type) {
    case GI_TYPE_REAL:
    case GI_TYPE_COUNT:
    case GI_TYPE_THREADS:
        if (s->bounds == GI_ABOVE && s->max > 0)
            snprintf(text, size, "%s above %g and at most %.15g", what, s->min, s->max);
        else if (s->bounds == GI_ABOVE)
            snprintf(text, size, "%s above %g", what, s->min);
        else if (s->bounds == GI_BELOW)
            snprintf(text, size, "%s of at least %g and below %g", what, s->min, s->max);
        else if (s->max > 0)
            snprintf(text, size, "%s from %g to %.15g", what, s->min, s->max);
        else
            snprintf(text, size, "%s of at least %g", what, s->min);
        used = strlen(text);
        if (s->offset == offsetof(struct glia_settings, lr_end) && used < size)
            snprintf(text + used, size - used, ", or constant");
        break;
    case GI_TYPE_SEED:
        snprintf(text, size, "a whole number from 0 to %llu", (unsigned long long)UINT64_MAX);
        break;
    case GI_TYPE_FLAG:
        snprintf(text, size, "yes or no");
        break;
    case GI_TYPE_UNITS:
        snprintf(text, size,
                 "numbers of units such as 256 or 512,256 (at most %d layers of 1 to %d), or none",
                 (int)GI_MAX_HIDDEN, (int)GLIA_MAX_UNITS);
        break;
    case GI_TYPE_WEIGHTS:
        snprintf(text, size, "balanced, or a number of at least 0 for each class, as 1,1,2.5");
        break;
    default:
        text[0] = '\0';
        for (size_t i = 0; i < s->n_choices && used < size; i++) {
            const char *joint = i == 0 ? "" : i + 1 == s->n_choices ? " or " : ", ";
            used += (size_t)snprintf(text + used, size - used, "%s%s", joint, s->choices[i]);
        }
        if (s->type == GI_TYPE_ACTIVATIONS && used < size)
            snprintf(text + used, size - used, ", or a list with one for each layer");
    }
}

bool gi_setting_in_bounds(const gi_setting *s, double value)
{
    if (isnan(s->by_default) && isnan(value)) return true;
    if (s->bounds == GI_ON_AUTO && value == s->by_default) return true;
    if (s->type == GI_TYPE_CHOICE) return value >= 0 && value < (double)s->n_choices;
    return isfinite(value) && (s->bounds == GI_ABOVE ? value > s->min : value >= s->min) &&
           (s->max <= 0 || (s->bounds == GI_BELOW ? value < s->max : value <= s->max));
}

static glia_status check_lists(const glia_settings *s, glia_error *error)
{
    const gi_unit_list *hidden = &s->hidden;
    if (hidden->n > GI_MAX_HIDDEN)
        return gi_fail(error, GLIA_BAD_ARGUMENT, "hidden layers: found %zu, expected at most %d",
                       hidden->n, (int)GI_MAX_HIDDEN);
    const gi_activation_list *activation = &s->activation;
    if (activation->n != 1 && activation->n != hidden->n)
        return gi_fail(error, GLIA_BAD_ARGUMENT,
                       "activation: found %zu for %zu hidden layer%s, expected one for all or one "
                       "for each",
                       activation->n, hidden->n, hidden->n == 1 ? "" : "s");
    return GLIA_OK;
}

glia_status gi_settings_check(const glia_settings *settings, glia_error *error)
{
    for (size_t i = 0; i < GI_N_SETTINGS; i++) {
        const gi_setting *s = &gi_settings[i];
        const double value = gi_setting_number(s, settings);
        if (s->type >= GI_TYPE_UNITS || s->type == GI_TYPE_SEED || gi_setting_in_bounds(s, value))
            continue;
        char expected[512];
        gi_setting_expected(s, expected, sizeof expected);
        return gi_fail(error, GLIA_BAD_ARGUMENT, "%s: found %g, expected %s", s->key, value,
                       expected);
    }
    return check_lists(settings, error);
}

/* ---- What they come to ---------------------------------------------------------------------- */

glia_augmentation gi_settings_augmentation(const glia_settings *s)
{
    const glia_augmentation usual = glia_augmentation_default(), none = {0};
    const glia_augmentation *base = s->augment ? &usual : &none;
    glia_augmentation a = {.shift = isnan(s->shift) ? base->shift : s->shift,
                           .rotation = isnan(s->rotation) ? base->rotation : s->rotation,
                           .scale = isnan(s->scale) ? base->scale : s->scale,
                           .shear = isnan(s->shear) ? base->shear : s->shear,
                           .elastic_alpha =
                               isnan(s->elastic_alpha) ? base->elastic_alpha : s->elastic_alpha,
                           .fade = s->augment_fade,
                           .fade_to = s->augment_fade_to};
    if (a.elastic_alpha > 0)
        a.elastic_sigma = isnan(s->elastic_sigma) ? usual.elastic_sigma : s->elastic_sigma;
    return a;
}

unsigned gi_settings_preprocess(const glia_settings *s)
{
    return (s->deskew ? GLIA_PREPROCESS_DESKEW : 0U) | (s->centre ? GLIA_PREPROCESS_CENTRE : 0U) |
           (s->standardise == GI_YES ? GLIA_PREPROCESS_STANDARDISE : 0U);
}

glia_activation gi_settings_activation(const glia_settings *s, size_t layer)
{
    return s->activation.of[s->activation.n > 1 ? layer : 0];
}

glia_augmentation glia_augmentation_default(void)
{
    return (glia_augmentation){.shift = 1.5,
                               .rotation = 11.5,
                               .scale = 0.15,
                               .shear = 0.2,
                               .elastic_alpha = 25,
                               .elastic_sigma = 4};
}
