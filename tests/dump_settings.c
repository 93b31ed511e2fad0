/* SPDX-License-Identifier: MIT */
/*
 * Prints every setting of the library with a value that is not its default, for test_settings.py:
 * name, key, group, value, "kept" if a model file keeps it, "flag" if it is yes or no; tabs
 * between.
 */
#include <stdio.h>

#include "model/settings.h"

/* A legal value other than the default. */
static void other_value(const gi_setting *s, char *text, size_t size)
{
    const double usual = isnan(s->by_default) ? 0 : s->by_default;
    double other = usual + 1;
    switch (s->type) {
    case GI_TYPE_FLAG:
        snprintf(text, size, "yes");
        break;
    case GI_TYPE_CHOICE:
        snprintf(text, size, "%s", s->choices[usual == 0 ? 1 : 0]);
        break;
    case GI_TYPE_UNITS:
        snprintf(text, size, "7");
        break;
    case GI_TYPE_ACTIVATIONS:
        snprintf(text, size, "%s", s->choices[0]);
        break;
    case GI_TYPE_WEIGHTS:
        snprintf(text, size, "balanced");
        break;
    case GI_TYPE_REAL:
        other = s->max > 0 && usual < s->max / 4 ? s->max / 4 : usual / 2;
        if (s->max > 1) other = 2;
        snprintf(text, size, "%g", other > 0 ? other : 0.125);
        break;
    default:
        snprintf(text, size, "%.0f", other);
    }
}

int main(void)
{
    for (size_t i = 0; i < GI_N_SETTINGS; i++) {
        const gi_setting *s = &gi_settings[i];
        char value[64];
        other_value(s, value, sizeof value);
        printf("%s\t%s\t%s\t%s\t%s\t%s\n", s->name, s->key, glia_setting_group(i), value,
               s->record == GI_NEVER ? "" : "kept", s->type == GI_TYPE_FLAG ? "flag" : "");
    }
    return 0;
}
