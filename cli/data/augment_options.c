/* SPDX-License-Identifier: MIT */
/* Settings of augmentation that need each other. */
#include "data/augment_options.h"

#include "shell/output.h"

/* What a distortion comes to: its own number, else that of --augment. */
static bool distorts(const glia_settings *settings, const char *name, bool usually)
{
    return glia_settings_is_set(settings, name) ? glia_settings_number(settings, name) > 0
                                                : usually;
}

bool augment_is_some(const glia_settings *settings)
{
    static const char *const distortions[] = {"shift", "rotate", "scale", "shear", "elastic"};
    const bool usually = glia_settings_number(settings, "augment") > 0;
    for (size_t i = 0; i < sizeof distortions / sizeof *distortions; i++)
        if (distorts(settings, distortions[i], usually)) return true;
    return false;
}

bool augment_check(const char *command, const glia_settings *settings)
{
    const bool usually = glia_settings_number(settings, "augment") > 0;
    const bool fades = glia_settings_number(settings, "augment-fade") > 0;
    if (glia_settings_is_set(settings, "elastic-sigma") &&
        !distorts(settings, "elastic", usually)) {
        complain("%s: --elastic-sigma smooths the displacements of --elastic; add --elastic 25, "
                 "say",
                 command);
        return false;
    }
    if (glia_settings_is_set(settings, "augment-fade-to") && !fades) {
        complain("%s: --augment-fade-to is where --augment-fade ends; add --augment-fade 0.5, say",
                 command);
        return false;
    }
    if (fades && !augment_is_some(settings)) {
        complain("%s: --augment-fade lets distortions shrink, and there are none; add --augment, "
                 "or --rotate 10, say",
                 command);
        return false;
    }
    return true;
}
