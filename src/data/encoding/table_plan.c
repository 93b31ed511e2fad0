/* SPDX-License-Identifier: MIT */
/* What the columns of a table are for: which are predicted, as what, and which are learned from. */
#include "data/encoding/table_plan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/table/text_look.h"

enum {
    MOST_CLASSES_OF_NUMBERS = 50, /* whole numbers that are classes, unless said otherwise */
    LEAST_SAMPLES_OF_NUMBER = 2,  /* and how often each must be there, on average */
    LEAST_SAMPLES_OF_ONE_HOT = 10 /* so that labels are hardly one-hot by chance */
};

/* Whole numbers beyond are not told apart by a double. */
static const double largest_whole = GI_LARGEST_WHOLE;

int gi_by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

glia_status gi_table_fail_absent(const gi_table *table, const char *name, const char *what,
                                 glia_error *error)
{
    char names[512];
    gi_table_list_names(table->columns, NULL, table->n_columns, names, sizeof names);
    return gi_fail(error, GLIA_BAD_FORMAT, "%s: there is no %s%s%s; found %s", table->path,
                   gi_column_word(name), name, what, names);
}

/* ---- What the target is -------------------------------------------------------------------- */

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

/* Which task it is, by what was asked for and what stands there; says so in note. */
static glia_status choose_task(const gi_table *table, const size_t *target, size_t n_targets,
                               glia_loss loss, const struct target_facts *facts, glia_task *task,
                               char *note, size_t room, glia_error *error)
{
    const char *name = table->columns[target[0]].name;
    const bool is_one = n_targets == 1;
    const bool is_one_hot = facts->all_one_hot && !facts->has_text;
    const bool are_few = facts->all_whole && !facts->too_many &&
                         facts->different * LEAST_SAMPLES_OF_NUMBER <= facts->samples;
    switch (loss) {
    case GLIA_LOSS_AUTO:
        *task = is_one && (facts->has_text || are_few)                     ? GLIA_CLASSES
                : is_one_hot && facts->samples >= LEAST_SAMPLES_OF_ONE_HOT ? GLIA_CLASSES
                : !is_one && facts->all_binary                             ? GLIA_LABELS
                                                                           : GLIA_VALUES;
        break;
    case GLIA_LOSS_CROSS_ENTROPY:
        *task = GLIA_CLASSES;
        break;
    case GLIA_LOSS_BCE:
        *task = GLIA_LABELS;
        break;
    case GLIA_LOSS_MSE:
    case GLIA_LOSS_MAE:
    case GLIA_LOSS_HUBER:
        *task = GLIA_VALUES;
        break;
    }
    if (*task == GLIA_CLASSES && !is_one && !is_one_hot)
        return gi_fail(
            error, GLIA_BAD_FORMAT,
            "%s: %zu targets for one class a row; expected one column of classes, or "
            "several with one 1 in each row and 0 in the others; setting loss=bce learns "
            "labels, of which a row may have several",
            table->path, n_targets);
    if (*task == GLIA_CLASSES && is_one && !facts->has_text &&
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
    for (size_t k = 0; k < n_targets && *task != GLIA_CLASSES; k++)
        if (table->columns[target[k]].kind == GI_CELL_TEXT)
            return gi_fail(error, GLIA_BAD_FORMAT,
                           "%s: %s%s holds texts, expected %s; leave it out, or learn it alone "
                           "as classes",
                           table->path, gi_column_word(table->columns[target[k]].name),
                           table->columns[target[k]].name,
                           *task == GLIA_LABELS ? "0 and 1" : "numbers");
    if (*task == GLIA_LABELS && !facts->all_binary)
        return gi_fail(
            error, GLIA_BAD_FORMAT,
            "%s: %s %s other numbers than 0 and 1, which bce learns; the losses mse, mae "
            "and huber learn values",
            table->path, is_one ? name : "the targets", is_one ? "has" : "have");
    if (loss != GLIA_LOSS_AUTO)
        note[0] = '\0';
    else if (*task == GLIA_CLASSES && !is_one)
        snprintf(note, room,
                 "one of the %zu targets is 1 in each row, so they are taken for classes; "
                 "setting loss=bce learns them as labels",
                 n_targets);
    else if (*task == GLIA_CLASSES && !facts->has_text)
        snprintf(note, room,
                 "%s has %zu whole numbers and is taken for classes; setting loss=mse learns it as "
                 "a value",
                 name, facts->different);
    else if (*task == GLIA_VALUES)
        snprintf(note, room, "%s %s numbers and %s taken for %s%s", is_one ? name : "the targets",
                 is_one ? "has" : "have", is_one ? "is" : "are", is_one ? "a value" : "values",
                 is_one && facts->all_whole ? "; setting loss=cross-entropy learns it as classes"
                                            : "");
    else if (*task == GLIA_LABELS)
        snprintf(note, room,
                 "the targets are 0 and 1 and are taken for labels; setting loss=mse learns "
                 "them as values");
    else
        snprintf(note, room, "%s has texts, which are classes", name);
    return GLIA_OK;
}

/* ---- Columns and what they are for --------------------------------------------------------- */

/* A column that was asked for: SIZE_MAX if name is NULL. */
static glia_status find_column(const gi_table *table, const char *name, const char *what,
                               size_t *out, glia_error *error)
{
    *out = name ? gi_table_column(table, name) : SIZE_MAX;
    return name && *out == SIZE_MAX ? gi_table_fail_absent(table, name, what, error) : GLIA_OK;
}

/* Whether a column is there for something else than to be learned, or learned from. */
static bool has_role(const gi_table_roles *roles, size_t column)
{
    return column == roles->weight || column == roles->group || column == roles->id;
}

static bool has_name(const gi_table *table, size_t column)
{
    char name[32];
    snprintf(name, sizeof name, "column %zu", column + 1);
    return strcmp(table->columns[column].name, name) != 0;
}

bool gi_plan_is_nameless(const gi_table *table, size_t column)
{
    size_t named = 0;
    if (has_name(table, column)) return false;
    while (named < table->n_columns && !has_name(table, named)) named++;
    return named < table->n_columns;
}

static bool is_empty(const gi_table *table, size_t column)
{
    size_t row = 0;
    if (table->columns[column].kind == GI_CELL_IGNORED) return true;
    if (!table->columns[column].has_missing) return false;
    while (row < table->rows && isnan(table->cells[row * table->n_columns + column])) row++;
    return row == table->rows;
}

/* Whether a column can be the target by default: it has no other purpose, and is neither dropped
 * nor what a separator at the end of each line leaves behind. */
static bool may_be_target(const gi_table *table, const gi_table_roles *roles,
                          const glia_table_params *params, size_t column)
{
    if (has_role(roles, column)) return false;
    for (size_t i = 0; i < params->n_drop; i++)
        if (gi_table_column(table, params->drop[i]) == column) return false;
    return !gi_plan_is_nameless(table, column) || !is_empty(table, column);
}

/*
 * The column of the first names of a list, which was cut at commas that a name can have itself: of
 * the fewest names that make one. Returns how many they are, 0: there is no such column.
 */
static size_t find_cut(const gi_table *table, const char *const *names, size_t n, size_t *column)
{
    char name[GI_MAX_TEXT_BYTES + 1];
    size_t used = 0;
    for (size_t k = 0; k < n; k++) {
        const size_t length = strlen(names[k]);
        if (used + length + 1 > sizeof name - 1) return 0;
        if (k > 0) name[used++] = ',';
        memcpy(name + used, names[k], length + 1);
        used += length;
        *column = gi_table_column(table, name);
        if (*column != SIZE_MAX) return k + 1;
    }
    return 0;
}

/* The columns that are predicted (n, to be freed): those asked for, or the last that can be. */
static glia_status find_targets(const gi_table *table, const gi_table_roles *roles,
                                const glia_table_params *params, size_t **out, size_t *n,
                                glia_error *error)
{
    *n = params->n_targets ? params->n_targets : table->n_targets ? table->n_targets : 1;
    size_t *targets = gi_alloc(*n, sizeof *targets, "targets", error);
    if (!targets) return GLIA_NO_MEMORY;
    glia_status status = GLIA_OK;
    for (size_t i = 0, k = 0; i < params->n_targets && !status; k++) {
        const size_t n_cut =
            find_cut(table, params->targets + i, params->n_targets - i, &targets[k]);
        *n = k + 1;
        if (n_cut == 0)
            status = gi_table_fail_absent(table, params->targets[i], ", the target", error);
        for (size_t j = 0; j < k && !status; j++)
            if (targets[j] == targets[k])
                status = gi_fail(error, GLIA_BAD_FORMAT, "%s: the target %s is named twice",
                                 table->path, params->targets[i]);
        i += n_cut;
    }
    if (params->n_targets == 0 && table->n_targets > 0) {
        for (size_t k = 0; k < *n; k++) targets[k] = table->n_columns - *n + k;
    } else if (params->n_targets == 0) {
        size_t c = table->n_columns;
        while (c > 0 && !may_be_target(table, roles, params, c - 1)) c--;
        targets[0] = c - 1;
        if (c == 0)
            status = gi_fail(error, GLIA_BAD_FORMAT, "%s: no column is left that could be learned",
                             table->path);
    }
    for (size_t k = 0; k < *n && !status; k++) {
        const gi_column *column = &table->columns[targets[k]];
        if (column->kind == GI_CELL_IGNORED)
            status =
                gi_fail(error, GLIA_BAD_FORMAT,
                        "%s: %s%s, the target, was dropped, or holds more than %d "
                        "different texts; name another one as the target",
                        table->path, gi_column_word(column->name), column->name, (int)GI_MAX_TEXTS);
    }
    if (status)
        gi_free(targets);
    else
        *out = targets;
    return status;
}

size_t gi_plan_named_target(const gi_table *table, const gi_table_plan *plan)
{
    if (plan->is_asked_for || plan->n_targets != 1 ||
        gi_names_target(table->columns[plan->targets[0]].name))
        return SIZE_MAX;
    for (size_t c = 0; c < table->n_columns; c++) {
        const gi_column_use use = plan->columns[c].use;
        if (use != GI_USE_AS_IT_IS || !gi_names_target(table->columns[c].name)) continue;
        /* x, y and z are places. */
        if (strlen(table->columns[c].name) == 1 && gi_table_column(table, "z") != SIZE_MAX)
            continue;
        return c;
    }
    return SIZE_MAX;
}

/* How many columns of the schema a column of the table becomes. */
static size_t count_schema_columns(const gi_column_plan *column)
{
    gi_date_part parts[GI_DATE_PARTS];
    return column->use == GI_USE_AS_IT_IS ? 1
           : column->use == GI_USE_DATE   ? gi_date_parts_of(column, parts)
                                          : 0;
}

static glia_status begin_schema_column(const gi_column *from, const gi_column_plan *plan,
                                       gi_date_part part, gi_schema_column *out, glia_error *error)
{
    out->is_category = from->kind == GI_CELL_TEXT && plan->use == GI_USE_AS_IT_IS;
    out->scale = 1;
    out->form = from->form;
    out->date = plan->form;
    out->part = part;
    out->name = gi_strdup(from->name, error);
    return out->name ? GLIA_OK : GLIA_NO_MEMORY;
}

static glia_status fail_no_column(const gi_table *table, const gi_table_plan *plan,
                                  glia_error *error)
{
    char option[GI_OPTION_NAMES];
    for (size_t c = 0; c < table->n_columns; c++)
        if (plan->columns[c].use == GI_USE_IDENTIFIER)
            return gi_fail(error, GLIA_BAD_FORMAT,
                           "%s: %s%s has another value in nearly every row, as an identifier "
                           "has, and beside the target there is no other column to learn from; "
                           "table.categorical %s learns from it all the same",
                           table->path, gi_column_word(table->columns[c].name),
                           table->columns[c].name, gi_table_option(table->columns, &c, 1, option));
    return gi_fail(error, GLIA_BAD_FORMAT,
                   "%s: beside the target there is no column to learn from; is it really "
                   "separated as found (%s)?",
                   table->path, table->how);
}

/* The names and kinds of the columns that are read; what they hold is learned later. */
static glia_status begin_schema(const gi_table *table, const gi_table_plan *plan, gi_schema **out,
                                glia_error *error)
{
    gi_schema *schema = NULL;
    size_t n = 0;
    for (size_t c = 0; c < table->n_columns; c++) n += count_schema_columns(&plan->columns[c]);
    if (n == 0) return fail_no_column(table, plan, error);
    const char **names = gi_alloc(plan->n_targets, sizeof *names, "targets", error);
    if (!names) return GLIA_NO_MEMORY;
    for (size_t k = 0; k < plan->n_targets; k++) names[k] = table->columns[plan->targets[k]].name;
    glia_status status = gi_schema_new(n, names, plan->n_targets, &schema, error);
    if (!status) schema->has_text_target = table->columns[plan->targets[0]].kind == GI_CELL_TEXT;
    for (size_t c = 0, j = 0; c < table->n_columns && !status; c++) {
        const gi_column_plan *column = &plan->columns[c];
        gi_date_part parts[GI_DATE_PARTS] = {GI_DATE_WHOLE};
        if (column->use == GI_USE_DATE) gi_date_parts_of(column, parts);
        for (size_t i = 0; i < count_schema_columns(column) && !status; i++)
            status = begin_schema_column(&table->columns[c], column, parts[i],
                                         &schema->columns[j++], error);
    }
    for (size_t k = 0; k < plan->n_targets && !status; k++)
        schema->target_forms[k] = table->columns[plan->targets[k]].form;
    if (!status) status = gi_missing_words_copy(&table->missing, &schema->missing, error);
    gi_free(names);
    if (status)
        gi_schema_free(schema);
    else
        *out = schema;
    return status;
}

/* The most different numbers that may be classes. */
static size_t most_classes(const glia_table_params *params)
{
    return params->loss == GLIA_LOSS_CROSS_ENTROPY ? (size_t)GLIA_MAX_CLASSES
                                                   : MOST_CLASSES_OF_NUMBERS;
}

/* The names of the classes, or of the targets, to be freed as one block. */
static char **name_classes(const gi_table *table, const gi_table_plan *plan, size_t *n,
                           glia_error *error)
{
    enum { LONGEST = 24 };
    const gi_column *target = &table->columns[plan->targets[0]];
    const bool has_text = target->kind == GI_CELL_TEXT, are_classes = plan->task == GLIA_CLASSES;
    const bool are_columns = !are_classes || plan->n_targets > 1; /* that the outputs stand for */
    *n = are_columns ? plan->n_targets : has_text ? target->texts.n : plan->n_numbers;
    const char **names = gi_alloc(*n, sizeof *names, "classes", error);
    char *numbers = gi_alloc(*n, LONGEST, "classes", error);
    char **copies = NULL;
    for (size_t k = 0; names && numbers && k < *n; k++) {
        names[k] = numbers + k * LONGEST;
        if (are_columns)
            names[k] = table->columns[plan->targets[k]].name;
        else if (has_text)
            names[k] = target->texts.text[k];
        else
            snprintf(numbers + k * LONGEST, LONGEST, "%lld", (long long)plan->numbers[k]);
    }
    if (names && numbers) {
        if (!are_columns && has_text) qsort(names, *n, sizeof *names, gi_by_text);
        copies = gi_copy_names(names, *n, error);
    }
    gi_free(names);
    gi_free(numbers);
    return copies;
}

/* ---- The plan ------------------------------------------------------------------------------ */

glia_status gi_table_find_roles(const gi_table *table, const glia_table_params *params,
                                gi_table_roles *out, glia_error *error)
{
    *out = (gi_table_roles){SIZE_MAX, SIZE_MAX, SIZE_MAX};
    glia_status status = find_column(table, params->weight, ", the weights", &out->weight, error);
    if (!params->weight && table->has_weights) out->weight = table->n_columns - 1;
    if (!status) status = find_column(table, params->group, ", the groups", &out->group, error);
    if (!status) status = find_column(table, params->id, ", the id", &out->id, error);
    return status;
}

glia_status gi_table_find_plan(const gi_table *table, const glia_table_params *params,
                               gi_table_plan *out, glia_error *error)
{
    struct target_facts facts = {0};
    *out = (gi_table_plan){0};
    glia_status status = gi_table_find_roles(table, params, &out->roles, error);
    if (!status)
        status = find_targets(table, &out->roles, params, &out->targets, &out->n_targets, error);
    if (!out->targets) out->n_targets = 0;
    /* Whatever the targets are, a survey shows what the other columns are. */
    const glia_status of_columns = gi_plan_columns(table, params, out, status ? NULL : error);
    if (!status) status = of_columns;
    if (!status)
        status = look_at_targets(table, out->targets, out->n_targets, most_classes(params), &facts,
                                 error);
    if (!status)
        status = choose_task(table, out->targets, out->n_targets, params->loss, &facts, &out->task,
                             out->note, sizeof out->note, error);
    out->has_task = !status;
    out->is_asked_for = params->n_targets > 0 || table->n_targets > 0;
    out->are_classes = params->loss == GLIA_LOSS_CROSS_ENTROPY;
    out->numbers = facts.numbers;
    out->n_numbers = facts.different;
    return status;
}

void gi_table_plan_free(gi_table_plan *plan)
{
    gi_free(plan->targets);
    gi_free(plan->numbers);
    gi_free(plan->columns);
}

/* How many texts of a column its rows have: those that a file declares need not occur. */
static glia_status count_present(const gi_table *table, size_t column, size_t *out,
                                 glia_error *error)
{
    const size_t n = table->columns[column].texts.n;
    bool *seen = gi_alloc(n, sizeof *seen, "classes", error);
    if (!seen) return GLIA_NO_MEMORY;
    *out = 0;
    for (size_t row = 0; row < table->rows; row++) {
        const double cell = table->cells[row * table->n_columns + column];
        if (isnan(cell) || seen[(size_t)cell]) continue;
        seen[(size_t)cell] = true;
        (*out)++;
    }
    gi_free(seen);
    return GLIA_OK;
}

/* Whether classes can be learned: there are two at least, and most have a second row. */
static glia_status check_classes(const gi_table *table, const gi_table_plan *plan, size_t classes,
                                 glia_error *error)
{
    enum { LEAST_ROWS = 20 };
    const gi_column *target = &table->columns[plan->targets[0]];
    const size_t other = gi_plan_named_target(table, plan);
    char hint[256] = "";
    if (plan->task != GLIA_CLASSES) return GLIA_OK;
    if (other != SIZE_MAX)
        snprintf(hint, sizeof hint, "; if the target is %.60s: table.targets %.60s",
                 table->columns[other].name, table->columns[other].name);
    if (classes < 2) {
        char remark[GI_MISSING_REMARK];
        gi_table_remark_missing(target, remark);
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: %s%s, the target, has %s%s; there is nothing to learn%s", table->path,
                       gi_column_word(target->name), target->name,
                       classes ? "only one class" : "no class", remark, hint);
    }
    if (target->kind != GI_CELL_TEXT || plan->are_classes || table->rows < LEAST_ROWS ||
        2 * classes <= table->rows)
        return GLIA_OK;
    const glia_status status = count_present(table, plan->targets[0], &classes, error);
    if (status) return status;
    if (2 * classes > table->rows)
        return gi_fail(error, GLIA_BAD_FORMAT,
                       "%s: %s%s, the target, has %zu different texts in %zu rows, such as "
                       "\"%.40s\", so that hardly any class has a second row; name another column "
                       "with table.targets, write %s, or learn these classes all the same with "
                       "setting loss=cross-entropy%s",
                       table->path, gi_column_word(target->name), target->name, classes,
                       table->rows, target->texts.text[0],
                       gi_is_date(target->texts.text[0], target->texts.lengths[0])
                           ? "dates and times as numbers (days or hours since the first, say)"
                           : "numbers as numbers",
                       hint);
    return GLIA_OK;
}

glia_status gi_table_plan_reading(const gi_table *table, const gi_table_plan *plan,
                                  gi_schema **schema, char ***class_names, gi_reading *out,
                                  glia_error *error)
{
    glia_status status = begin_schema(table, plan, schema, error);
    if (status) return status;
    *out = (gi_reading){.schema = *schema, .task = plan->task};
    *class_names = name_classes(table, plan, &out->classes, error);
    if (!*class_names) return GLIA_NO_MEMORY;
    out->class_names = *class_names;
    return check_classes(table, plan, out->classes, error);
}

/* ---- What is known before reading ---------------------------------------------------------- */

gi_table_params gi_table_params_of(const glia_table_params *params, int threads)
{
    gi_table_params how = gi_table_default_params();
    how.separator = params->separator;
    how.header = params->header == 0 ? -1 : params->header > 0;
    how.skips_bad_rows = params->skip_bad_rows;
    how.threads = threads;
    how.targets = params->targets;
    how.n_targets = params->n_targets;
    how.targets_are_labels = params->loss == GLIA_LOSS_BCE;
    how.targets_are_values = params->loss == GLIA_LOSS_MSE || params->loss == GLIA_LOSS_MAE ||
                             params->loss == GLIA_LOSS_HUBER;
    how.group = params->group;
    how.form = (gi_number_form){params->decimal, params->thousands};
    how.missing = (gi_missing_words){(char **)(uintptr_t)params->missing, params->n_missing,
                                     params->missing_alone};
    return how;
}

void gi_table_params_read_like(gi_table_params *how, const gi_schema *schema)
{
    how->ignores_unknown = true;
    if (how->missing.n == 0 && !how->missing.alone) how->missing = schema->missing;
}

static glia_status known_new(size_t n, gi_known_columns *out, glia_error *error)
{
    *out = (gi_known_columns){gi_alloc(n, sizeof *out->columns, "columns", error), 0};
    return out->columns ? GLIA_OK : GLIA_NO_MEMORY;
}

static void know(gi_known_columns *known, const char *name, gi_cell_kind kind)
{
    known->columns[known->n++] = (gi_known_column){.name = name, .kind = kind};
}

/* How numbers are written that a network learned from. */
static gi_number_form known_form(const gi_number_form *form)
{
    return form->decimal ? *form : (gi_number_form){'.', 0};
}

static bool is_same(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

glia_status gi_known_of_params(const glia_table_params *params, gi_known_columns *out,
                               glia_error *error)
{
    glia_status status = known_new(params->n_drop + params->n_categorical + 2, out, error);
    for (size_t i = 0; i < params->n_drop && !status; i++)
        know(out, params->drop[i], GI_CELL_IGNORED);
    for (size_t i = 0; i < params->n_categorical && !status; i++)
        know(out, params->categorical[i], GI_CELL_TEXT);
    if (!status && params->weight) know(out, params->weight, GI_CELL_NUMBER);
    if (!status && params->id && !is_same(params->id, params->weight) &&
        !is_same(params->id, params->group))
        know(out, params->id, GI_CELL_IGNORED);
    return status;
}

glia_status gi_schema_check_id(const gi_schema *schema, const char *name, glia_error *error)
{
    for (size_t j = 0; j < schema->n_columns; j++)
        if (is_same(name, schema->columns[j].name) && !gi_schema_has_texts(&schema->columns[j]))
            return gi_fail(
                error, GLIA_BAD_ARGUMENT,
                "%s%s is one that the network learned from, as numbers; expected another "
                "one for the names of rows",
                gi_column_word(name), name);
    return GLIA_OK;
}

glia_status gi_known_of_reading(const gi_reading *reading, const glia_table_params *params,
                                bool is_for_prediction, gi_known_columns *out, glia_error *error)
{
    const gi_schema *schema = reading->schema;
    glia_status status = known_new(schema->n_columns + schema->n_targets + 2, out, error);
    if (status) return status;
    for (size_t j = 0; j < schema->n_columns; j++) {
        know(out, schema->columns[j].name,
             gi_schema_has_texts(&schema->columns[j]) ? GI_CELL_TEXT : GI_CELL_NUMBER);
        out->columns[out->n - 1].form = known_form(&schema->columns[j].form);
    }
    if (is_for_prediction) {
        status = gi_schema_check_id(schema, params->id, error);
        if (status) return status;
        if (params->id)
            know(out, params->id, GI_CELL_TEXT);
        else if (reading->id)
            out->columns[out->n++] =
                (gi_known_column){.name = reading->id, .kind = GI_CELL_TEXT, .may_be_absent = true};
        return GLIA_OK;
    }
    for (size_t k = 0; k < schema->n_targets; k++)
        out->columns[out->n++] = (gi_known_column){
            schema->targets[k], schema->has_text_target ? GI_CELL_TEXT : GI_CELL_NUMBER, true,
            known_form(&schema->target_forms[k])};
    if (params->weight) know(out, params->weight, GI_CELL_NUMBER);
    if (reading->group)
        out->columns[out->n++] =
            (gi_known_column){.name = reading->group,
                              .kind = reading->group_is_text ? GI_CELL_TEXT : GI_CELL_NUMBER,
                              .may_be_absent = true};
    return GLIA_OK;
}
