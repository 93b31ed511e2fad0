/* SPDX-License-Identifier: MIT */
/* What glia train does with tables and with photographs unless it is told. */
#include <math.h>
#include <string.h>

#include "data/source.h"
#include "job/train_options.h"
#include "shell/output.h"

/* Whether a setting stands on the command line, or in its recipe. */
static bool is_given(const train_options *o, const char *name)
{
    return glia_settings_is_set(o->settings, name);
}

static size_t count_of(const train_options *o, const char *name)
{
    return (size_t)glia_settings_integer(o->settings, name);
}

static size_t clamp(size_t n, size_t least, size_t most)
{
    return n < least ? least : n > most ? most : n;
}

/* Adam with a rate, and cosine, unless the rate's course was given. */
static void choose_adam(train_options *o, double lr)
{
    const bool has_schedule = is_given(o, "schedule") || is_given(o, "lr-end");
    train_put(o, "optimizer", GLIA_OPTIMIZER_ADAM);
    if (!is_given(o, "lr")) train_put(o, "lr", lr);
    if (!has_schedule) train_put(o, "schedule", GLIA_SCHEDULE_COSINE);
}

/*
 * About a thousand steps of Adam, however few rows there are: a small table is seen often, with
 * weights that are kept small. A table of more than 4,000 rows is seen 50 times, one of more than
 * 200,000 less often, and a very large one once. Values are noisier than classes: the fewer rows
 * there are of them, the smaller the weights.
 */
static void choose_for_table(train_options *o, const glia_dataset_info *table)
{
    enum { STEPS = 1000, LEAST_EPOCHS = 50, MOST_SAMPLES = 10000000 };
    const size_t n = table->samples;
    if (!is_given(o, "hidden")) need_good(glia_settings_set(o->settings, "hidden", "100", NULL));
    if (!is_given(o, "batch")) train_put(o, "batch", (double)clamp(n / 10, 16, 200));
    const size_t batch = count_of(o, "batch");
    if (!is_given(o, "epochs")) {
        const size_t steps = (n + batch - 1) / batch;
        const size_t epochs = (STEPS + steps - 1) / steps;
        train_put(o, "epochs",
                  (double)clamp(epochs, clamp(MOST_SAMPLES / n, 1, LEAST_EPOCHS), STEPS));
    }
    if (!is_given(o, "l2"))
        train_put(o, "l2",
                  table->task == GLIA_TASK_VALUES ? fmin(fmax(5.0 / (double)n, 0.003), 0.03)
                                                  : 0.003);
    if (is_given(o, "optimizer")) return; /* whose rate and schedule these would not be */
    choose_adam(o, 0.01);
}

/*
 * Pictures that are not light on dark have many inputs for their number, none of them 0, and are
 * soon known by heart: half of the hidden units are left out in each step. Small sets are seen
 * often, up to 100 times, large ones 30 times, or about a million pictures, but 10 times at least.
 */
static void choose_for_photographs(train_options *o, const glia_dataset_info *pictures)
{
    enum { STEPS = 2000, MOST_SAMPLES = 1000000 };
    const size_t n = pictures->samples;
    char standardise[8];
    glia_settings_get(o->settings, "standardise", standardise, sizeof standardise);
    if (strcmp(standardise, "auto") == 0)
        need_good(glia_settings_set(o->settings, "standardise", "yes", NULL));
    if (!is_given(o, "dropout") && !is_given(o, "batch-norm")) train_put(o, "dropout", 0.5);
    if (!is_given(o, "epochs")) {
        const size_t batch = count_of(o, "batch"), steps = (n + batch - 1) / batch;
        train_put(o, "epochs", (double)clamp(STEPS / steps, clamp(MOST_SAMPLES / n, 10, 30), 100));
    }
    if (is_given(o, "optimizer")) return; /* whose rate and schedule these would not be */
    choose_adam(o, 0.001);
}

void train_choose(train_options *o, const char *data, const glia_dataset_info *train, bool has_test)
{
    const bool are_photographs = train->height > 0 && !train->light_on_dark;
    if (!o->test.is_given && !has_test && o->folds == 0 &&
        (source_is_file(data) || are_photographs))
        o->test = (held_part){.amount = 0.2};
    if (are_photographs)
        choose_for_photographs(o, train);
    else if (source_is_file(data) && train->type == GLIA_TYPE_F32)
        choose_for_table(o, train);
}
