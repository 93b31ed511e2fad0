/* SPDX-License-Identifier: MIT */
/* What a table's targets are learned as: classes, labels or values. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "data/encoding/table_plan.h"

enum {
    MOST_CLASSES_OF_NUMBERS = 50, /* whole numbers that are classes, unless said otherwise */
    LEAST_SAMPLES_OF_NUMBER = 2,  /* and how often each must be there, on average */
    LEAST_SAMPLES_OF_ONE_HOT = 10 /* so that labels are hardly one-hot by chance */
};

/* Whole numbers beyond are not told apart by a double. */
static const double largest_whole = GI_LARGEST_WHOLE;

/* Of a column, or several, that are to be predicted. */
struct target_facts {
    bool has_text, all_whole, all_binary;
    bool all_one_hot;  /* of several: each row has a 1 in one, and 0 in the others */
    bool has_fraction; /* else numbers that are not whole are too large to be told apart */
    double *numbers;   /* (different), sorted: of one column */
    size_t different, most;
    bool too_many; /* different ones: more than most */
    size_t samples;
};

/* Adds a number to those that are sorted, unless it is there. */
static void add_different(struct target_facts *facts, double x)
{
    size_t begin = 0, end = facts->different;
    while (begin < end) {
        const size_t middle = begin + (end - begin) / 2;
        if (facts->numbers[middle] == x) return;
        if (x < facts->numbers[middle])
            end = middle;
        else
            begin = middle + 1;
    }
    facts->too_many = facts->different == facts->most;
    if (facts->too_many) return;
    memmove(facts->numbers + begin + 1, facts->numbers + begin,
            (facts->different - begin) * sizeof *facts->numbers);
    facts->numbers[begin] = x;
    facts->different++;
}

/* Looks at the targets of all rows. facts->numbers is to be freed, whatever comes of it. */
static glia_status look_at_targets(const gi_table *table, const size_t *target, size_t n_targets,
                                   size_t most, struct target_facts *facts, glia_error *error)
{
    enum { ROWS_RESIDENT = 1 << 18 }; /* of a table on disk */
    *facts = (struct target_facts){
        .all_whole = true, .all_binary = true, .all_one_hot = n_targets > 1, .most = most};
    facts->samples = table->rows;
    facts->numbers = gi_alloc(most + 1, sizeof *facts->numbers, "the target", error);
    if (!facts->numbers) return GLIA_NO_MEMORY;
    for (size_t k = 0; k < n_targets; k++)
        facts->has_text = facts->has_text || table->columns[target[k]].kind == GI_CELL_TEXT;
    for (size_t row = 0; row < table->rows && !facts->has_text; row++) {
        size_t ones = 0, zeros = 0;
        for (size_t k = 0; k < n_targets; k++) {
            const double cell = table->cells[row * table->n_columns + target[k]];
            ones += cell == 1;
            zeros += cell == 0;
            if (isnan(cell)) continue;
            facts->all_binary = facts->all_binary && (cell == 0 || cell == 1);
            facts->has_fraction = facts->has_fraction || cell != floor(cell);
            if (cell != floor(cell) || fabs(cell) > largest_whole) facts->all_whole = false;
            if (facts->all_whole && !facts->too_many && n_targets == 1) add_different(facts, cell);
        }
        facts->all_one_hot = facts->all_one_hot && ones == 1 && zeros + 1 == n_targets;
        if (row % ROWS_RESIDENT == ROWS_RESIDENT - 1) gi_file_forget(&table->mapped);
    }
    return GLIA_OK;
}

/* Which task it is, by what was asked for and what stands there. */
static glia_task choose_task(glia_loss loss, bool is_one, const struct target_facts *facts)
{
    const bool is_one_hot = facts->all_one_hot && !facts->has_text;
    const bool are_few = facts->all_whole && !facts->too_many &&
                         facts->different * LEAST_SAMPLES_OF_NUMBER <= facts->samples;
    switch (loss) {
    case GLIA_LOSS_AUTO:
        return is_one && (facts->has_text || are_few)                     ? GLIA_TASK_CLASSES
               : is_one_hot && facts->samples >= LEAST_SAMPLES_OF_ONE_HOT ? GLIA_TASK_CLASSES
               : !is_one && facts->all_binary                             ? GLIA_TASK_LABELS
                                                                          : GLIA_TASK_VALUES;
    case GLIA_LOSS_CROSS_ENTROPY:
        return GLIA_TASK_CLASSES;
    case GLIA_LOSS_BCE:
        return GLIA_TASK_LABELS;
    case GLIA_LOSS_MSE:
    case GLIA_LOSS_MAE:
    case GLIA_LOSS_HUBER:
        return GLIA_TASK_VALUES;
    }
    return GLIA_TASK_VALUES;
}

/* Whether what stands there can be learned as that. BAD_FORMAT. */
static glia_status check_task(const gi_table *table, const gi_table_plan *plan,
                              const struct target_facts *facts, glia_error *error)
{
    const size_t *target = plan->targets, n_targets = plan->n_targets;
    const char *name = table->columns[target[0]].name;
    const bool is_one = n_targets == 1;
    const bool is_one_hot = facts->all_one_hot && !facts->has_text;
    if (plan->task == GLIA_TASK_CLASSES && !is_one && !is_one_hot)
        return gi_fail(
            error, GLIA_BAD_FORMAT,
            "%s: %zu targets for one class a row; expected one column of classes, or "
            "several with one 1 in each row and 0 in the others; setting loss=bce learns "
            "labels, of which a row may have several",
            table->path, n_targets);
    if (plan->task == GLIA_TASK_CLASSES && is_one && !facts->has_text &&
        (!facts->all_whole || facts->too_many))
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: %s%s holds %s, which are no classes; expected texts, or at most "
                       "%zu different whole numbers; the losses mse, mae and huber learn values, "
                       "and a column can be made categorical",
                       table->path, gi_column_word(name), name,
                       facts->all_whole      ? "too many different numbers"
                       : facts->has_fraction ? "numbers with fractions"
                                             : "numbers past 2^53, which are not told apart",
                       facts->most);
    for (size_t k = 0; k < n_targets && plan->task != GLIA_TASK_CLASSES; k++)
        if (table->columns[target[k]].kind == GI_CELL_TEXT)
            return gi_fail(error, GLIA_BAD_FORMAT,
                           "%s: %s%s holds texts, expected %s; leave it out, or learn it alone "
                           "as classes",
                           table->path, gi_column_word(table->columns[target[k]].name),
                           table->columns[target[k]].name,
                           plan->task == GLIA_TASK_LABELS ? "0 and 1" : "numbers");
    if (plan->task == GLIA_TASK_LABELS && !facts->all_binary)
        return gi_fail(
            error, GLIA_BAD_FORMAT,
            "%s: %s %s other numbers than 0 and 1, which bce learns; the losses mse, mae "
            "and huber learn values",
            table->path, is_one ? name : "the targets", is_one ? "has" : "have");
    return GLIA_OK;
}

/* Says what the targets were taken for, where nobody has said it. */
static void note_task(const gi_table *table, glia_loss loss, const struct target_facts *facts,
                      gi_table_plan *plan)
{
    const size_t n_targets = plan->n_targets, room = sizeof plan->note;
    const char *name = table->columns[plan->targets[0]].name;
    const bool is_one = n_targets == 1;
    char *note = plan->note;
    if (loss != GLIA_LOSS_AUTO)
        note[0] = '\0';
    else if (plan->task == GLIA_TASK_CLASSES && !is_one)
        snprintf(note, room,
                 "one of the %zu targets is 1 in each row, so they are taken for classes; "
                 "setting loss=bce learns them as labels",
                 n_targets);
    else if (plan->task == GLIA_TASK_CLASSES && !facts->has_text)
        snprintf(note, room,
                 "%s has %zu whole numbers and is taken for classes; setting loss=mse learns it as "
                 "a value",
                 name, facts->different);
    else if (plan->task == GLIA_TASK_VALUES)
        snprintf(note, room, "%s %s numbers and %s taken for %s%s", is_one ? name : "the targets",
                 is_one ? "has" : "have", is_one ? "is" : "are", is_one ? "a value" : "values",
                 is_one && facts->all_whole ? "; setting loss=cross-entropy learns it as classes"
                                            : "");
    else if (plan->task == GLIA_TASK_LABELS)
        snprintf(note, room,
                 "the targets are 0 and 1 and are taken for labels; setting loss=mse learns "
                 "them as values");
    else
        snprintf(note, room, "%s has texts, which are classes", name);
}

/* The most different numbers that may be classes. */
static size_t most_classes(const glia_table_params *params)
{
    return params->loss == GLIA_LOSS_CROSS_ENTROPY ? (size_t)GLIA_MAX_CLASSES
                                                   : MOST_CLASSES_OF_NUMBERS;
}

glia_status gi_plan_task(const gi_table *table, const glia_table_params *params,
                         gi_table_plan *plan, glia_error *error)
{
    struct target_facts facts;
    glia_status status =
        look_at_targets(table, plan->targets, plan->n_targets, most_classes(params), &facts, error);
    plan->numbers = facts.numbers;
    plan->n_numbers = facts.different;
    if (status) return status;
    plan->task = choose_task(params->loss, plan->n_targets == 1, &facts);
    status = check_task(table, plan, &facts, error);
    if (!status) note_task(table, params->loss, &facts, plan);
    return status;
}
