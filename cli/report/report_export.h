/* SPDX-License-Identifier: MIT */
/* The plots of a report as files of their own, for use in a paper: SVG, or PNG by librsvg. */
#ifndef GLIA_CLI_REPORT_REPORT_EXPORT_H
#define GLIA_CLI_REPORT_REPORT_EXPORT_H

#include <jansson.h>
#include <stdbool.h>

#include "shell/text.h"

enum report_format { REPORT_HTML, REPORT_SVG, REPORT_PNG };

/* "html", "svg", "png", NULL */
extern const char *const report_formats[];

/* What this build has for it: "rsvg" or "". */
const char *export_features(void);

/* Whether this build can write the format; else complains. */
bool export_can(enum report_format format);

/*
 * Writes each plot of a page (<svg class="plot ..." id="NAME">) as folder/NAME.svg or .png, in
 * light colours; makes the folder. files (an array) takes the paths, *bytes the sum of the sizes.
 * Complains when it cannot, or when there is no plot. Returns the exit status.
 */
int export_plots(const struct text *page, enum report_format format, const char *folder,
                 json_t *files, size_t *bytes);

#endif
