/* SPDX-License-Identifier: MIT */
/* What glia train does with tables and with photographs unless it is told. */
#include <math.h>
#include <string.h>

#include "source.h"
#include "train_options.h"

/* Whether an option stands on the command line, or in its recipe. */
static bool is_given(const train_options *o, const char *name)
{
    const struct command_line *line = o->source.common.line;
    for (size_t i = 0; i < line->n_settings; i++)
        if (strcmp(line->settings[i].option->name, name) == 0) return true;
    return false;
}

static size_t clamp(size_t n, size_t least, size_t most)
{
    return n < least ? least : n > most ? most : n;
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
    if (!is_given(o, "hidden")) o->hidden = (unit_list){1, {100}};
    if (!is_given(o, "batch")) o->params.batch = clamp(n / 10, 16, 200);
    if (!is_given(o, "epochs")) {
        const size_t steps = (n + o->params.batch - 1) / o->params.batch;
        const size_t epochs = (STEPS + steps - 1) / steps;
        o->params.epochs = clamp(epochs, clamp(MOST_SAMPLES / n, 1, LEAST_EPOCHS), STEPS);
    }
    if (!is_given(o, "l2"))
        o->params.l2 =
            table->task == GLIA_VALUES ? fmin(fmax(5.0 / (double)n, 0.003), 0.03) : 0.003;
    if (is_given(o, "optimizer")) return; /* whose rate and schedule these would not be */
    o->optimizer = GLIA_ADAM;
    if (!is_given(o, "lr")) o->params.lr = 0.01;
    if (!is_given(o, "schedule") && !is_given(o, "lr-end")) o->schedule = GLIA_SCHEDULE_COSINE;
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
    if (o->standardise == STANDARDISE_AUTO) o->standardise = STANDARDISE_YES;
    if (!is_given(o, "dropout") && !is_given(o, "batch-norm")) o->params.dropout = 0.5;
    if (!is_given(o, "epochs")) {
        const size_t steps = (n + o->params.batch - 1) / o->params.batch;
        o->params.epochs = clamp(STEPS / steps, clamp(MOST_SAMPLES / n, 10, 30), 100);
    }
    if (is_given(o, "optimizer")) return; /* whose rate and schedule these would not be */
    o->optimizer = GLIA_ADAM;
    if (!is_given(o, "lr")) o->params.lr = 0.001;
    if (!is_given(o, "schedule") && !is_given(o, "lr-end")) o->schedule = GLIA_SCHEDULE_COSINE;
}

void train_choose(train_options *o, const char *data, const glia_dataset_info *train, bool has_test)
{
    const bool are_photographs = train->height > 0 && !train->light_on_dark;
    if (!o->test.is_given && !has_test && o->folds == 0 &&
        (source_is_file(data) || are_photographs))
        o->test = (held_part){.amount = 0.2};
    if (are_photographs)
        choose_for_photographs(o, train);
    else if (source_is_file(data) && train->type == GLIA_F32)
        choose_for_table(o, train);
}
