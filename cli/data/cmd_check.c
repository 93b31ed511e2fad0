/* SPDX-License-Identifier: MIT */
/* glia data check: what is in a file, what is wrong with it, and how to train with it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/source.h"
#include "draw/progress.h"
#include "shell/commands.h"
#include "shell/output.h"
#include "shell/quote.h"
#include "shell/text.h"
#include "shell/wording.h"

enum { MOST_COLUMNS = 24, MOST_FINDINGS = 16, MOST_CLASSES = 10 };

/* How much of a table's cells is shown, as the terminal is wide enough for. */
static const struct room {
    size_t name, text, texts; /* characters, how many texts */
    bool has_sd, has_all_remarks;
} wide = {28, 18, 3, true, true}, narrow = {18, 8, 2, false, false};

/* clang-format off */
static const struct option check_table[] = {
    TABLE_COLUMN_OPTIONS(source_options, table),
    {.kind = OPTION_CHOICE, .name = "loss", .metavar = "NAME", .choices = loss_choices,
     .offset = offsetof(source_options, table.loss),
     .help = "the loss that training minimises, which decides the task"},
    SOURCE_OPTIONS,
    COMMON_OPTIONS,
};
/* clang-format on */

static const example check_examples[] = {
    {"glia data check digits", "Show the number of samples of each class."},
    {NULL, NULL},
};

static void set_defaults(void *field)
{
    source_set_defaults(field);
}

/* ---- The command that it suggests ------------------------------------------------------------ */

/* Words, to be freed. */
typedef struct word_list {
    char **words; /* (n) */
    size_t n;
} word_list;

static void add_word(word_list *list, const char *word)
{
    char **larger = need_memory(list->n + 1, sizeof *larger);
    if (list->n > 0) memcpy(larger, list->words, list->n * sizeof *larger);
    free(list->words);
    list->words = larger;
    list->words[list->n++] = need_copy(word);
}

/* --name value, or --name=value where it would be taken for an option itself. */
static void add_option(word_list *list, const char *name, const char *value)
{
    struct text word = {0};
    if (value == NULL) return;
    text_print(&word, "--%s", name);
    if (*value == '-') {
        text_print(&word, "=%s", value);
    } else {
        add_word(list, word.s);
        text_free(&word);
        word = (struct text){0};
        text_put(&word, value);
    }
    add_word(list, word.s);
    text_free(&word);
}

/* Appends a column to a list of columns: its name, or its number if it has a comma in it. */
static void put_column(struct text *list, const glia_survey *survey, size_t column)
{
    const char *name = glia_survey_column(survey, column)->name;
    if (list->length > 0) text_put(list, ",");
    if (*name == '\0' || strchr(name, ',') != NULL)
        text_print(list, "%zu", column + 1);
    else
        text_put(list, name);
}

/* What was named already, and what is suggested beside it; NULL: nothing. To be freed. */
static void put_columns(struct text *list, const glia_survey *survey, const char *named,
                        bool categorical)
{
    if (named != NULL) text_put(list, named);
    for (size_t c = 0; c < survey->n_columns; c++)
        if (categorical ? glia_survey_column(survey, c)->categorical
                        : glia_survey_column(survey, c)->drop)
            put_column(list, survey, c);
}

/* Options as they were given, but for those that the suggestion has itself. */
static void add_given(word_list *list, const struct command_line *line)
{
    static const char *const own[] = {"target", "drop", "categorical", "on-bad-row", "json"};
    for (size_t i = 0; i < line->n_settings; i++) {
        const struct setting *setting = &line->settings[i];
        bool is_own = !options_counts(line, i);
        for (size_t k = 0; k < sizeof own / sizeof *own; k++)
            is_own = is_own || strcmp(setting->option->name, own[k]) == 0;
        if (is_own) continue;
        if (setting->value != NULL) {
            add_option(list, setting->option->name, setting->value);
        } else {
            struct text word = {0};
            text_print(&word, "--%s", setting->option->name);
            add_word(list, word.s);
            text_free(&word);
        }
    }
}

static word_list suggest(const glia_survey *survey, const source_options *options, const char *name)
{
    const table_options *o = &options->table;
    word_list list = {0};
    struct text path = {0}, target = {0}, drop = {0}, categorical = {0};
    if (!survey->can_train) return list;
    if (name[0] == '-' && name[1] != '\0') text_put(&path, "./"); /* no option */
    text_put(&path, name);
    add_word(&list, "glia");
    add_word(&list, "train");
    add_word(&list, path.s);
    text_free(&path);
    if (survey->is_table) {
        for (size_t c = 0; o->target == NULL && c < survey->n_columns; c++)
            if (glia_survey_column(survey, c)->role == GLIA_ROLE_TARGET)
                put_column(&target, survey, c);
        put_columns(&drop, survey, o->drop, false);
        put_columns(&categorical, survey, o->categorical, true);
        add_option(&list, "target", o->target != NULL ? o->target : target.s);
        add_option(&list, "drop", drop.s);
        add_option(&list, "categorical", categorical.s);
        text_free(&target);
        text_free(&drop);
        text_free(&categorical);
    }
    if (o->on_bad_row == 1 || survey->skip_bad_rows) add_option(&list, "on-bad-row", "skip");
    if (survey->balance_classes) add_option(&list, "class-weights", "balanced");
    if (survey->standardise) add_option(&list, "standardise", "yes");
    add_given(&list, options->common.line);
    return list;
}

static void free_words(word_list *list)
{
    for (size_t i = 0; i < list->n; i++) free(list->words[i]);
    free(list->words);
}

/* ---- For people ------------------------------------------------------------------------------ */

/* A copy with at most `room` characters, to be freed; what is cut ends with dots. */
static char *shorten(const char *text, size_t room)
{
    char *clean = clean_text(text), *end = clean, *cut = clean;
    size_t n = 0;
    while (*end != '\0' && n <= room) {
        const size_t length = character_length(end);
        if (n == room - 3) cut = end;
        end += length > 0 ? length : 1;
        n++;
    }
    if (n > room) memcpy(cut, "...", 4);
    return clean;
}

static const char *const kind_names[] = {[GLIA_COLUMN_NUMBERS] = "numbers",
                                         [GLIA_COLUMN_CATEGORIES] = "texts",
                                         [GLIA_COLUMN_IGNORED] = "ignored",
                                         [GLIA_COLUMN_DATES] = "dates"};
static const char *const role_names[] = {[GLIA_ROLE_FEATURE] = "feature",
                                         [GLIA_ROLE_TARGET] = "target",
                                         [GLIA_ROLE_WEIGHT] = "weight",
                                         [GLIA_ROLE_GROUP] = "group",
                                         [GLIA_ROLE_NONE] = "none"};

static bool is_about(const glia_finding *finding, size_t column)
{
    for (size_t i = 0; i < finding->n_columns; i++)
        if (finding->columns[i] == column) return true;
    return false;
}

/* "target", and the names of what was found. */
static void put_remarks(struct text *out, const glia_survey *survey, size_t column,
                        const struct room *room)
{
    const glia_column_role role = glia_survey_column(survey, column)->role;
    size_t n = 0;
    if (role != GLIA_ROLE_FEATURE && role != GLIA_ROLE_NONE) {
        text_put(out, role_names[role]);
        n++;
    }
    for (size_t i = 0; i < survey->n_findings; i++) {
        if (!is_about(glia_survey_finding(survey, i), column)) continue;
        if (n++ > 0 && !room->has_all_remarks) continue;
        text_print(out, "%s%s", out->length > 0 ? ", " : "",
                   glia_finding_name(glia_survey_finding(survey, i)->kind));
    }
    if (n > 1 && !room->has_all_remarks) text_print(out, " +%zu", n - 1);
}

/* What stands in a column: its range, or its most frequent texts. */
static void put_content(struct text *out, const glia_column_survey *column, const struct room *room)
{
    if (column->kind == GLIA_COLUMN_IGNORED) {
        text_put(out, column->why);
    } else if (isfinite(column->min)) {
        /* A mean of what is centred is 0, but for rounding. */
        const bool is_zero = fabs(column->mean) < 1e-12 * column->sd;
        if (column->different == 0) return;
        const int digits = column->is_whole ? 9 : 4;
        text_print(out, "%.*g to %.*g, mean %.4g", digits, column->min, digits, column->max,
                   is_zero ? 0 : column->mean);
        if (room->has_sd) text_print(out, ", sd %.3g", column->sd);
    } else {
        for (size_t i = 0; i < column->n_top && i < room->texts; i++) {
            char *shown = shorten(column->top[i].text, room->text);
            text_print(out, "%s%s: %s", i > 0 ? ", " : "", shown,
                       show_count(column->top[i].count).s);
            free(shown);
        }
        if (column->different > room->texts) text_put(out, ", ...");
    }
}

static void add_column(struct table *table, const glia_survey *survey, size_t c,
                       const struct room *room)
{
    const glia_column_survey *column = glia_survey_column(survey, c);
    char *name = shorten(column->name, room->name);
    struct text content = {0}, remarks = {0};
    const bool is_ignored = column->kind == GLIA_COLUMN_IGNORED;
    put_content(&content, column, room);
    put_remarks(&remarks, survey, c, room);
    table_add(table, STYLE_PLAIN, "%s", name);
    table_add(table, STYLE_PLAIN, "%s", kind_names[column->kind]);
    if (column->missing > 0)
        table_add(table, STYLE_PLAIN, "%s %.0f %%", show_count(column->missing).s,
                  100 * (double)column->missing / (double)survey->rows);
    else
        table_add(table, STYLE_DIM, "%s", is_ignored ? "" : "-");
    table_add(table, STYLE_PLAIN, "%s%s", column->has_more ? ">" : "",
              is_ignored ? "" : show_count(column->different).s);
    table_add(table, STYLE_PLAIN, "%s", content.s != NULL ? content.s : "");
    table_add(table, STYLE_ACCENT, "%s", remarks.s != NULL ? remarks.s : "");
    free(name);
    text_free(&content);
    text_free(&remarks);
}

/* What there is to say of it. */
static bool is_remarkable(const glia_survey *survey, size_t column)
{
    const glia_column_role role = glia_survey_column(survey, column)->role;
    if (role != GLIA_ROLE_FEATURE && role != GLIA_ROLE_NONE) return true;
    for (size_t i = 0; i < survey->n_findings; i++)
        if (is_about(glia_survey_finding(survey, i), column)) return true;
    return false;
}

static void print_columns(const glia_survey *survey)
{
    static const char *const headings[] = {
        "column", "kind", "missing", "different", "range, or the most frequent", "remarks"};
    enum { WIDE = 120 };
    const struct room *room = line_room(stdout) < WIDE ? &narrow : &wide;
    struct table *table = table_new("llrrll", headings);
    const bool chooses = survey->n_columns > MOST_COLUMNS;
    size_t n = 0;
    for (int remarkable = 1; remarkable >= 0;
         remarkable--) /* in the file's order unless it chooses */
        for (size_t c = 0; c < survey->n_columns && n < MOST_COLUMNS; c++)
            if (chooses ? is_remarkable(survey, c) == (remarkable == 1) : remarkable == 1) {
                add_column(table, survey, c, room);
                n++;
            }
    printf("\n");
    table_print(table, stdout, "134");
    table_free(table);
    if (n < survey->n_columns)
        printf("... and %s more columns; --json has them all\n",
               show_count(survey->n_columns - n).s);
}

/* A word in a column of its own, and text beside it. */
static void print_beside(enum style style, const char *word, const char *text)
{
    enum { COLUMN = 10 };
    char *named = option_names(text), *clean = clean_text(named);
    const size_t room = line_room(stdout);
    printf("%s%-*s%s", style_begin(stdout, style), COLUMN - 1, word, style_end(stdout));
    printf(" ");
    print_words(stdout, clean, strlen(clean), room, COLUMN, COLUMN);
    free(clean);
    free(named);
}

static void print_classes(const glia_survey *survey)
{
    struct text text = {0};
    if (survey->n_classes == 0) return;
    for (size_t k = 0; k < survey->n_classes && k < MOST_CLASSES; k++) {
        char *name = shorten(survey->classes[k].text, wide.name);
        text_print(&text, "%s%s: %s", k > 0 ? ", " : "", name,
                   show_count(survey->classes[k].count).s);
        free(name);
    }
    if (survey->n_classes > MOST_CLASSES)
        text_print(&text, ", ... (%s classes)", show_count(survey->n_classes).s);
    print_beside(STYLE_DIM, "classes", text.s);
    text_free(&text);
}

/* What was noticed when samples were read, a line each. */
static void print_notes(const char *notes)
{
    while (*notes != '\0') {
        const size_t length = strcspn(notes, "\n");
        char *line = need_memory(length + 1, 1);
        memcpy(line, notes, length);
        print_beside(STYLE_DIM, "read", line);
        free(line);
        notes += length + (notes[length] == '\n');
    }
}

static void print_head(const glia_survey *survey)
{
    struct text text = {0};
    char *name = clean_text(survey->name);
    printf("%s%s%s", style_begin(stdout, STYLE_BOLD), name, style_end(stdout));
    free(name);
    if (survey->bytes > 0) printf(", %s", show_bytes(survey->bytes).s);
    text_print(&text, ": %s", show_several(survey->rows, survey->is_table ? "row" : "sample").s);
    if (survey->is_table) text_print(&text, ", %s", show_several(survey->n_columns, "column").s);
    if (survey->features > 0)
        text_print(&text, ", %s", show_several(survey->features, "feature").s);
    char *how = option_names(survey->how);
    if (survey->is_table && *how != '\0') text_print(&text, "; %s", how);
    free(how);
    printf("%s\n", text.s);
    text_free(&text);
    if (!survey->is_table) print_notes(survey->how);
    if (*survey->task_note != '\0') print_beside(STYLE_DIM, "target", survey->task_note);
    print_classes(survey);
    if (survey->is_table && survey->checked_rows < survey->rows) {
        text = (struct text){0};
        text_print(&text, "duplicates were looked for in %s rows, ",
                   show_count(survey->checked_rows).s);
        text_print(&text, "leaks and copies in %s", show_count(survey->sampled_rows).s);
        print_beside(STYLE_DIM, "sample", text.s);
        text_free(&text);
    }
}

static void print_people(const glia_survey *survey, const word_list *command)
{
    print_head(survey);
    if (survey->is_table) print_columns(survey);
    printf("\n");
    for (size_t i = 0; i < survey->n_findings && i < MOST_FINDINGS; i++) {
        const glia_finding *finding = glia_survey_finding(survey, i);
        print_beside(finding->severity == GLIA_SEVERITY_NOTE ? STYLE_DIM : STYLE_BOLD,
                     glia_severity_name(finding->severity), finding->message);
    }
    if (survey->n_findings > MOST_FINDINGS)
        printf("... and %zu more; --json has them all\n", survey->n_findings - MOST_FINDINGS);
    if (survey->n_findings == 0) printf("Nothing is wrong with it as far as can be seen.\n");
    if (command->n > 0) {
        printf("\nTo train:\n ");
        for (size_t i = 0; i < command->n; i++) {
            putchar(' ');
            print_shell_word(stdout, command->words[i]);
        }
        printf("\n");
    } else {
        printf("\nCorrect this before training.\n");
    }
}

/* ---- For programs ---------------------------------------------------------------------------- */

static json_t *json_counts(const glia_text_count *counts, size_t n)
{
    json_t *list = json_need(json_array());
    for (size_t i = 0; i < n; i++) {
        json_t *o = json_need(json_object());
        json_put(o, "text", json_text(counts[i].text));
        json_put(o, "count", json_count(counts[i].count));
        json_push(list, o);
    }
    return list;
}

static json_t *json_of_column(const glia_column_survey *column)
{
    json_t *o = json_need(json_object());
    json_put(o, "name", json_text(column->name));
    json_put(o, "kind", json_text(kind_names[column->kind]));
    json_put(o, "role", json_text(role_names[column->role]));
    json_put(o, "why", json_text(column->why));
    json_put(o, "missing", json_count(column->missing));
    json_put(o, "different", json_count(column->different));
    json_put(o, "has_more", json_need(json_boolean(column->has_more)));
    json_put(o, "whole", json_need(json_boolean(column->is_whole)));
    json_put(o, "min", json_number(column->min));
    json_put(o, "max", json_number(column->max));
    json_put(o, "mean", json_number(column->mean));
    json_put(o, "sd", json_number(column->sd));
    json_put(o, "top", json_counts(column->top, column->n_top));
    json_put(o, "features", json_count(column->features));
    json_put(o, "drop", json_need(json_boolean(column->drop)));
    json_put(o, "categorical", json_need(json_boolean(column->categorical)));
    return o;
}

static json_t *json_of_finding(const glia_survey *survey, const glia_finding *finding)
{
    json_t *o = json_need(json_object()), *columns = json_need(json_array());
    json_t *lines = json_need(json_array());
    for (size_t i = 0; i < finding->n_columns; i++)
        json_push(columns, json_text(glia_survey_column(survey, finding->columns[i])->name));
    for (size_t i = 0; i < 2; i++)
        if (finding->lines[i] > 0) json_push(lines, json_count(finding->lines[i]));
    json_put(o, "kind", json_text(glia_finding_name(finding->kind)));
    json_put(o, "severity", json_text(glia_severity_name(finding->severity)));
    json_put(o, "columns", columns);
    json_put(o, "lines", lines);
    json_put(o, "value", json_number(finding->value));
    json_put(o, "message", json_message(finding->message));
    return o;
}

static void print_json(const glia_survey *survey, const word_list *command)
{
    json_t *o = json_need(json_object()), *columns = json_need(json_array());
    json_t *findings = json_need(json_array()), *line = json_need(json_array());
    for (size_t c = 0; c < survey->n_columns; c++)
        json_push(columns, json_of_column(glia_survey_column(survey, c)));
    for (size_t i = 0; i < survey->n_findings; i++)
        json_push(findings, json_of_finding(survey, glia_survey_finding(survey, i)));
    for (size_t i = 0; i < command->n; i++) json_push(line, json_text(command->words[i]));
    json_put(o, "dataset", json_text(survey->name));
    json_put(o, "table", json_need(json_boolean(survey->is_table)));
    json_put(o, "bytes", survey->bytes > 0 ? json_count(survey->bytes) : json_null());
    json_put(o, "rows", json_count(survey->rows));
    json_put(o, "skipped", json_count(survey->skipped));
    json_put(o, "checked_rows", json_count(survey->checked_rows));
    json_put(o, "sampled_rows", json_count(survey->sampled_rows));
    json_put(o, "features", json_count(survey->features));
    json_put(o, "how", json_message(survey->how));
    json_put(o, "task", survey->has_task ? json_text(glia_task_name(survey->task)) : json_null());
    json_put(o, "task_note", json_message(survey->task_note));
    json_put(o, "classes", json_counts(survey->classes, survey->n_classes));
    json_put(o, "columns", columns);
    json_put(o, "findings", findings);
    json_put(o, "command", line);
    json_print(o);
}

/* ---- glia data check ------------------------------------------------------------------------- */

static int check_run(void *field, int n_operands, char *const *operands)
{
    (void)n_operands;
    const source_options *options = field;
    const char *name = operands[0];
    fetch_view view = {.quiet = false};
    table_columns columns;
    glia_survey *survey = NULL;
    glia_error error;
    if (!source_check(options, name)) return EXIT_WRONG;
    glia_data_params params = source_params(options, 0, &columns);
    params.progress = fetch_step;
    params.user = &view;
    const glia_status status = glia_survey_make(name, &params, &survey, &error);
    fetch_end(&view);
    table_columns_free(&columns);
    if (status != GLIA_OK) return source_complain(name, &error);
    word_list command = suggest(survey, options, name);
    if (options->common.json)
        print_json(survey, &command);
    else
        print_people(survey, &command);
    /* Findings are in order: the most serious first. */
    const bool is_severe =
        survey->n_findings > 0 && glia_survey_finding(survey, 0)->severity == GLIA_SEVERITY_SEVERE;
    free_words(&command);
    glia_survey_free(survey);
    return is_severe ? EXIT_FAILED : EXIT_DONE;
}

const struct command data_check_command = {
    .name = "data check",
    .operands = "DATA",
    .summary = "describe a table, and find its faults",
    .description =
        "Checks a data set before training. For a table it shows the columns, the task that "
        "follows from the target, and findings, the most serious first: columns that give the "
        "target away, identifiers, dates, numbers written as texts, repeated rows, rare classes, "
        "values far from all others. At the end it suggests a command.\n\ndata check stops at the "
        "first malformed row; with --on-bad-row skip it counts such rows. The exit status is 1 if "
        "a finding is severe: training fails, or its result means little.\n\n" SOURCE_DESCRIPTION,
    .options = check_table,
    .examples = check_examples,
    .options_size = sizeof(source_options),
    .min_operands = 1,
    .max_operands = 1,
    .set_defaults = set_defaults,
    .run = check_run,
};
