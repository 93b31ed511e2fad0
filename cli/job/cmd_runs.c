/* SPDX-License-Identifier: MIT */
/* glia runs: lists the folders of runs, compares runs, and repeats one. */
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "job/run_folder.h"
#include "job/scores.h"
#include "job/train_options.h"
#include "shell/commands.h"
#include "shell/files.h"
#include "shell/output.h"

enum { DEEPEST = 3, MOST_RUNS = 100000 };

/* ---- Runs that are there -------------------------------------------------------------------- */

/* A run as its folder tells of it. */
struct found {
    char *path;
    json_t *run;    /* run.json */
    json_t *result; /* result.json; NULL: it is not finished */
};

struct found_list {
    struct found *of;
    size_t n, room;
};

/* Says why a folder has no run.json. */
static void complain_missing(const char *folder)
{
    char path[LONGEST_PATH];
    struct stat status;
    run_folder_file(folder, "metrics.jsonl", path, sizeof path);
    if (stat(path, &status) == 0)
        complain("%s: the run ended before its first step, and left no run.json with its command: "
                 "give the glia train command again (--run may name the same folder)",
                 folder);
    else if (stat(folder, &status) != 0)
        complain("%s: %s; expected the folder of a run, which glia train --run makes", folder,
                 strerror(errno));
    else
        complain("%s: there is no run.json in it; expected the folder of a run, which glia train "
                 "--run makes",
                 folder);
}

static json_t *read_object(const char *folder, const char *name, bool complains)
{
    char path[LONGEST_PATH];
    json_error_t wrong;
    struct stat status;
    run_folder_file(folder, name, path, sizeof path);
    if (!complains && stat(path, &status) != 0) return NULL;
    json_t *o = json_load_file(path, 0, &wrong);
    if (json_is_object(o)) return o;
    if (o == NULL && stat(path, &status) != 0)
        complain_missing(folder);
    else if (o == NULL && wrong.line < 0)
        complain("%s: %s", path, wrong.text);
    else if (o == NULL)
        complain("%s: line %d: %s; expected the JSON of a run", path, wrong.line, wrong.text);
    else
        complain("%s: expected a JSON object", path);
    json_decref(o);
    return NULL;
}

/* Adds the run in a folder; false, with a complaint, if there is none that can be read. */
static bool add_run(struct found_list *list, const char *folder)
{
    json_t *run = read_object(folder, "run.json", true);
    if (run == NULL) return false;
    const json_t *format = json_object_get(run, "format");
    if (!json_is_string(format) || strcmp(json_string_value(format), "glia-run") != 0) {
        complain("%s/run.json: \"format\" is not \"glia-run\"; expected the folder of a run",
                 folder);
        json_decref(run);
        return false;
    }
    if (list->n == list->room) {
        const size_t room = list->room > 0 ? 2 * list->room : 16;
        struct found *more = need_memory(room, sizeof *more);
        if (list->n > 0) memcpy(more, list->of, list->n * sizeof *more);
        free(list->of);
        list->of = more;
        list->room = room;
    }
    list->of[list->n++] =
        (struct found){need_copy(folder), run, read_object(folder, "result.json", false)};
    return true;
}

static void free_runs(struct found_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        free(list->of[i].path);
        json_decref(list->of[i].run);
        json_decref(list->of[i].result);
    }
    free(list->of);
}

/* Adds all runs in a folder and below, folders in alphabetical order; what is no run is passed by.
 */
static void find_runs(struct found_list *list, const char *folder, int depth)
{
    char path[LONGEST_PATH];
    struct stat status;
    run_folder_file(folder, "run.json", path, sizeof path);
    if (stat(path, &status) == 0) {
        add_run(list, folder);
        return;
    }
    struct dirent **entries;
    const int n = depth < DEEPEST ? scandir(folder, &entries, NULL, alphasort) : 0;
    for (int i = 0; i < n; i++) {
        if (entries[i]->d_name[0] != '.' && list->n < MOST_RUNS &&
            strlen(folder) + strlen(entries[i]->d_name) + 32 < sizeof path) {
            if (depth == 0 && strcmp(folder, ".") == 0)
                snprintf(path, sizeof path, "%s", entries[i]->d_name);
            else
                run_folder_file(folder, entries[i]->d_name, path, sizeof path);
            if (lstat(path, &status) == 0 && S_ISDIR(status.st_mode))
                find_runs(list, path, depth + 1);
        }
        free(entries[i]);
    }
    if (n > 0) free(entries);
}

/* ---- What they say -------------------------------------------------------------------------- */

/* object.key as text: a list joined by commas, a number as short as it can be. */
static void show_json(const json_t *value, char *text, size_t size)
{
    text[0] = '\0';
    size_t used = 0, i;
    const json_t *item;
    if (json_is_string(value))
        snprintf(text, size, "%s", json_string_value(value));
    else if (json_is_integer(value))
        snprintf(text, size, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        snprintf(text, size, "%g", json_real_value(value));
    else if (json_is_boolean(value))
        snprintf(text, size, "%s", json_is_true(value) ? "yes" : "no");
    else if (json_is_array(value) && json_array_size(value) == 0)
        snprintf(text, size, "none");
    else
        json_array_foreach(value, i, item)
        {
            if (used + 2 >= size) break;
            if (i > 0) text[used++] = ',';
            show_json(item, text + used, size - used);
            used += strlen(text + used);
        }
}

static json_t *setting(const struct found *run, const char *key)
{
    json_t *value = json_object_get(json_object_get(run->run, "settings"), key);
    return value != NULL ? value : json_object_get(json_object_get(run->run, "data"), key);
}

static double result_number(const struct found *run, const char *key)
{
    const json_t *value = json_object_get(run->result, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static const char *result_text(const struct found *run)
{
    const json_t *stopped = json_object_get(run->result, "stopped");
    return json_is_string(stopped) ? json_string_value(stopped) : "unfinished";
}

static words show_test(const struct found *run)
{
    words w = {""};
    const double accuracy = result_number(run, "test_accuracy");
    const double rmse = result_number(run, "test_rmse");
    if (run->result == NULL || strcmp(result_text(run), "diverged") == 0)
        snprintf(w.s, sizeof w.s, "%.30s", result_text(run));
    else if (isfinite(accuracy))
        w = show_accuracy(accuracy, error_bar_in(run->result, "test_standard_error"));
    else if (isfinite(rmse))
        snprintf(w.s, sizeof w.s, "RMSE %.20s", show_number(rmse).s);
    return w;
}

static words show_time(const struct found *run)
{
    words w = {""};
    const double seconds = result_number(run, "seconds");
    return isfinite(seconds) ? show_duration(seconds) : w;
}

/* The settings that not all runs have alike. */
static size_t find_differences(const struct found_list *list, const char **keys, size_t most)
{
    const char *key;
    json_t *value;
    size_t n = 0;
    const struct found *first = &list->of[0];
    const char *const parts[] = {"settings", "data"};
    for (size_t p = 0; p < 2; p++)
        json_object_foreach(json_object_get(first->run, parts[p]), key, value)
        {
            bool same = true;
            for (size_t i = 1; i < list->n; i++) {
                const json_t *other =
                    json_object_get(json_object_get(list->of[i].run, parts[p]), key);
                same = same && other != NULL && json_equal(value, other);
            }
            if (!same && n < most) keys[n++] = key;
        }
    return n;
}

/* A row a run: its folder, the settings named, accuracy and time. */
static void print_runs(const struct found_list *list, const char *const *keys, size_t n_keys)
{
    enum { LONGEST_CELL = 512 };
    const char **headings = need_memory(n_keys + 3, sizeof *headings);
    char *alignment = need_memory(n_keys + 4, 1);
    memset(alignment, 'r', n_keys + 3);
    alignment[0] = 'l';
    headings[0] = "run";
    for (size_t k = 0; k < n_keys; k++) headings[k + 1] = keys[k];
    headings[n_keys + 1] = "test accuracy";
    headings[n_keys + 2] = "time";
    struct table *table = table_new(alignment, headings);
    for (size_t i = 0; i < list->n; i++) {
        const struct found *run = &list->of[i];
        char cell[LONGEST_CELL];
        table_add(table, STYLE_PLAIN, "%s", run->path);
        for (size_t k = 0; k < n_keys; k++) {
            show_json(setting(run, keys[k]), cell, sizeof cell);
            table_add(table, STYLE_PLAIN, "%s", cell[0] != '\0' ? cell : "–");
        }
        table_add(table, STYLE_PLAIN, "%s", show_test(run).s);
        table_add(table, STYLE_PLAIN, "%s", show_time(run).s);
    }
    table_print(table, stdout, NULL);
    table_free(table);
    free(alignment);
    free(headings);
}

static json_t *json_runs(const struct found_list *list)
{
    json_t *runs = json_need(json_array());
    for (size_t i = 0; i < list->n; i++) {
        const struct found *run = &list->of[i];
        json_t *o = json_need(json_object());
        json_put(o, "folder", json_text(run->path));
        json_put(o, "finished", json_need(json_boolean(run->result != NULL)));
        json_put(o, "run", json_incref(run->run));
        json_put(o, "result", run->result != NULL ? json_incref(run->result) : json_text(NULL));
        json_push(runs, o);
    }
    return runs;
}

/* ---- glia runs list, glia runs compare ------------------------------------------------------ */

typedef struct runs_options {
    common_options common;
} runs_options;

static const struct option runs_table[] = {COMMON_OPTIONS};

static int list_run(void *field, int n_operands, char *const *operands)
{
    const runs_options *options = field;
    struct found_list list = {0};
    int exit_status = EXIT_DONE;
    for (int i = 0; i < n_operands; i++) {
        struct stat status;
        if (stat(operands[i], &status) != 0) {
            complain("%s: %s", operands[i], strerror(errno));
            exit_status = EXIT_FAILED;
        } else {
            find_runs(&list, operands[i], 0);
        }
    }
    if (n_operands == 0) find_runs(&list, ".", 0);
    if (options->common.json) {
        json_t *o = json_need(json_object());
        json_put(o, "runs", json_runs(&list));
        json_print(o);
    } else if (list.n == 0) {
        printf("There are no runs here; glia train DATA --run DIR makes one.\n");
    } else {
        static const char *const keys[] = {"name", "hidden", "activation", "lr", "batch", "epochs"};
        print_runs(&list, keys, sizeof keys / sizeof *keys);
    }
    free_runs(&list);
    return exit_status;
}

static int compare_run(void *field, int n_operands, char *const *operands)
{
    enum { MOST_KEYS = 32 };
    const runs_options *options = field;
    const char *keys[MOST_KEYS];
    struct found_list list = {0};
    bool good = true;
    for (int i = 0; i < n_operands; i++) good = add_run(&list, operands[i]) && good;
    if (good) {
        const size_t n = find_differences(&list, keys, MOST_KEYS);
        if (options->common.json) {
            json_t *o = json_need(json_object()), *differing = json_need(json_array());
            for (size_t k = 0; k < n; k++) json_push(differing, json_text(keys[k]));
            json_put(o, "differing", differing);
            json_put(o, "runs", json_runs(&list));
            json_print(o);
        } else {
            if (n == 0) printf("Their settings and data are the same.\n\n");
            print_runs(&list, keys, n);
        }
    }
    free_runs(&list);
    return good ? EXIT_DONE : EXIT_FAILED;
}

/* ---- glia runs repeat ----------------------------------------------------------------------- */

typedef struct repeat_options {
    common_options common;
    const char *output;
    bool quiet;
} repeat_options;

/* clang-format off */
static const struct option repeat_table[] = {
    {.kind = OPTION_HEADING, .name = "Result"},
    {.kind = OPTION_TEXT, .name = "output", .letter = 'o', .metavar = "DIR",
     .offset = offsetof(repeat_options, output), .shown_default = "RUN-again",
     .help = "folder of the new run"},
    {.kind = OPTION_FLAG, .name = "quiet", .letter = 'q', .offset = offsetof(repeat_options, quiet),
     .help = "print the result without progress"},
    COMMON_OPTIONS,
};
/* clang-format on */

/* Whether two files have the same bytes; false if one cannot be read. */
static bool same_files(const char *a_path, const char *b_path)
{
    FILE *a = fopen(a_path, "rb"), *b = fopen(b_path, "rb");
    bool same = a != NULL && b != NULL;
    for (int x = 0, y = 0; same && x != EOF;) {
        x = getc(a);
        y = getc(b);
        same = x == y;
    }
    if (a != NULL) fclose(a);
    if (b != NULL) fclose(b);
    return same;
}

/* The words of run.json's command, which glia train reads, and where the result goes. */
static char **read_command(const struct found *run, const repeat_options *o, const char *folder,
                           int *argc)
{
    const json_t *command = json_object_get(run->run, "command"), *word;
    const size_t n = json_array_size(command);
    size_t i;
    bool good = n >= 2;
    json_array_foreach(command, i, word) good = good && json_is_string(word);
    if (!good || strcmp(json_string_value(json_array_get(command, 0)), "train") != 0) {
        complain("%s/run.json: \"command\": expected the words of a glia train", run->path);
        return NULL;
    }
    char **argv = need_memory(n + 3, sizeof *argv), option[LONGEST_PATH + 16];
    snprintf(option, sizeof option, "--run=%s", folder);
    argv[(*argc)++] = need_copy(option);
    if (o->quiet) argv[(*argc)++] = need_copy("--quiet");
    if (o->common.json) argv[(*argc)++] = need_copy("--json");
    for (i = 1; i < n; i++)
        argv[(*argc)++] = need_copy(json_string_value(json_array_get(command, i)));
    return argv;
}

static int repeat(const struct found *run, const repeat_options *o)
{
    char folder[LONGEST_PATH];
    struct command_line line;
    int argc = 0, exit_status = EXIT_FAILED;
    const size_t length = strlen(run->path);
    snprintf(folder, sizeof folder, "%.*s-again",
             (int)(length > 1 && run->path[length - 1] == '/' ? length - 1 : length), run->path);
    if (o->output != NULL) snprintf(folder, sizeof folder, "%s", o->output);
    char **argv = read_command(run, o, folder, &argc);
    if (argv == NULL) return EXIT_FAILED;
    char **parsed = need_memory((size_t)argc, sizeof *parsed); /* parsing moves words */
    memcpy(parsed, argv, (size_t)argc * sizeof *argv);
    train_options *options = options_new(&train_command);
    if (options_parse(&train_command, argc, parsed, options, &line)) {
        options->source.common.line = &line;
        exit_status = train_command.run(options, line.n_operands, line.operands);
    }
    options_free(&line);
    if (exit_status == EXIT_DONE && !o->common.json) {
        char before[LONGEST_PATH + 32], after[LONGEST_PATH + 32];
        run_folder_file(run->path, "model.safetensors", before, sizeof before);
        run_folder_file(folder, "model.safetensors", after, sizeof after);
        if (access(before, F_OK) != 0)
            printf("%s has no model to compare with%s.\n", run->path,
                   run->result == NULL ? ": the run was not finished" : "");
        else
            printf("%s\n", same_files(before, after)
                               ? "The model is the same, bit for bit."
                               : "The model differs from the run's: see glia runs compare.");
    }
    for (int i = 0; i < argc; i++) free(argv[i]);
    free(argv);
    free(parsed);
    options_delete(&train_command, options);
    return exit_status;
}

static int repeat_run(void *field, int n_operands, char *const *operands)
{
    (void)n_operands;
    struct found_list list = {0};
    const int exit_status = add_run(&list, operands[0]) ? repeat(&list.of[0], field) : EXIT_FAILED;
    free_runs(&list);
    return exit_status;
}

/* ---- The commands --------------------------------------------------------------------------- */

static const example list_examples[] = {
    {"glia runs list", "List all runs in this folder and below."},
    {NULL, NULL},
};

static const example compare_examples[] = {
    {"glia runs compare first second", "Show the settings that differ, and the results."},
    {NULL, NULL},
};

static const example repeat_examples[] = {
    {"glia runs repeat first", "Repeat the run; the new one is in first-again."},
    {NULL, NULL},
};

const struct command runs_list_command = {
    .name = "runs list",
    .operands = "[DIR...]",
    .summary = "list the runs that are kept in folders",
    .description = "Lists the folders that hold a run (of glia train --run or glia sweep), in DIR "
                   "and up to three levels below, with settings and results.",
    .options = runs_table,
    .examples = list_examples,
    .options_size = sizeof(runs_options),
    .max_operands = 100000,
    .run = list_run,
};

const struct command runs_compare_command = {
    .name = "runs compare",
    .operands = "RUN RUN...",
    .summary = "show the settings in which runs differ, and their results",
    .description = "Shows a row for each run: the settings in which the runs differ, the test "
                   "accuracy and the time.",
    .options = runs_table,
    .examples = compare_examples,
    .options_size = sizeof(runs_options),
    .min_operands = 2,
    .max_operands = 100000,
    .run = compare_run,
};

const struct command runs_repeat_command = {
    .name = "runs repeat",
    .operands = "RUN",
    .summary = "repeat a run",
    .description =
        "Trains again with the command that the folder of the run holds, and says whether the "
        "model is the same. It is the same, bit for bit, with the same glia, engine, precision "
        "and level of instruction set, and with oneDNN the same number of threads.",
    .options = repeat_table,
    .examples = repeat_examples,
    .options_size = sizeof(repeat_options),
    .min_operands = 1,
    .max_operands = 1,
    .run = repeat_run,
};
