/* SPDX-License-Identifier: MIT */
/* Samples of a data set by their numbers. */
#include "data/sample_range.h"

#include <string.h>

#include "shell/options.h"
#include "shell/output.h"

bool sample_range_parse(const char *text, sample_range *out)
{
    const char *colon = strrchr(text, ':');
    if (colon == NULL || colon == text) return false;
    char numbers[64];
    size_t first_length = strcspn(colon + 1, "-");
    if (strlen(colon + 1) >= sizeof numbers) return false;
    strcpy(numbers, colon + 1);
    bool range = numbers[first_length] == '-';
    numbers[first_length] = '\0';
    if (!parse_count(numbers, &out->first)) return false;
    out->last = out->first;
    if (range && !parse_count(numbers + first_length + 1, &out->last)) return false;
    out->name = need_copy(text);
    out->name[colon - text] = '\0';
    return true;
}
