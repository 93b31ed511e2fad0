/* SPDX-License-Identifier: MIT */
#include "data/findings.h"

#include <stdlib.h>

#include "shell/output.h"
#include "shell/wording.h"

glia_survey *findings_look(const glia_dataset *dataset)
{
    glia_survey *survey = NULL;
    if (glia_survey_dataset(dataset, &survey, NULL) != GLIA_OK)
        return NULL; /* there is no memory */
    if (survey->is_table) return survey;
    glia_survey_free(survey);
    return NULL;
}

void findings_print(const glia_survey *survey, const char *name, const char *label)
{
    enum { MOST = 4 };
    size_t n = 0;
    const char *dim = style_begin(stderr, STYLE_DIM), *end = style_end(stderr);
    for (size_t i = 0; survey != NULL && i < survey->n_findings; i++) {
        const glia_finding *finding = glia_survey_finding(survey, i);
        if (finding->severity == GLIA_SEVERITY_NOTE ||
            finding->kind == GLIA_FINDING_TARGET_MISSING ||
            finding->kind == GLIA_FINDING_BAD_ROWS) /* of which it is said how many are skipped */
            continue;
        if (++n > MOST) continue;
        fprintf(stderr, "%s%s%s   ", dim, label, end);
        char *message = option_names(finding->message);
        print_clean(stderr, message);
        free(message);
        fputc('\n', stderr);
    }
    if (n <= MOST) return;
    fprintf(stderr, "%s%s%s   and %zu more, which glia data check ", dim, label, end, n - MOST);
    print_clean(stderr, name);
    fprintf(stderr, " shows\n");
}
