/* SPDX-License-Identifier: MIT */
/* What the networks of a sweep are compared by. */
#include "job/merit.h"

#include <math.h>

static const merit of_accuracy = {.test_key = "test_accuracy",
                                  .test_name = "test accuracy",
                                  .validation_key = "validation_accuracy",
                                  .validation_name = "validation accuracy",
                                  .percent = true};
static const merit of_values = {.test_key = "test_r2",
                                .test_name = "test R2",
                                .validation_key = "validation_loss",
                                .validation_name = "validation loss",
                                .by_loss = true};

const merit *merit_of(glia_task task)
{
    return task == GLIA_TASK_VALUES ? &of_values : &of_accuracy;
}

const merit *merit_in(const json_t *result)
{
    return json_object_get(result, of_values.test_key) != NULL ? &of_values : &of_accuracy;
}

words merit_show(const merit *m, double value, error_bar bar)
{
    words shown = show_accuracy(value, bar);
    if (m->percent || !isfinite(value)) return shown;
    if (isfinite(bar.error))
        snprintf(shown.s, sizeof shown.s, "%.4f %s %.4f", value, is_utf8() ? "±" : "+-", bar.error);
    else
        snprintf(shown.s, sizeof shown.s, "%.4f", value);
    return shown;
}

words merit_show_short(const merit *m, double value)
{
    return m->percent ? show_percent(value) : show_number(value);
}

words merit_show_validation(const merit *m, double value)
{
    return m->percent ? show_percent(value) : show_loss(value);
}
