/* SPDX-License-Identifier: MIT */
/* What a sweep consists of: its axes, its cells, its runs, and the folder they are kept in. */
#include "sweep/sweep.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "shell/commands.h"
#include "shell/files.h"
#include "shell/output.h"

enum { MOST_VALUES = 1000, MOST_JOBS = 100000, LONGEST_VALUE = 256, LONGEST_WORD = 512 };

/*
 * The second article's experiment: one learning rate for all, which it gives, and a batch and a
 * number of epochs, which it does not: chosen on 10,000 training images held out.
 */
static const struct {
    const char *name, *values;
} article[] = {{"hidden", "32,64,128,256"},
               {"activation", "sigmoid,relu,tanh"},
               {"lr", "0.1"},
               {"batch", "8"},
               {"epochs", "10"}};

/* ---- Axes ----------------------------------------------------------------------------------- */

size_t sweep_count(void)
{
    return glia_settings_count() + 1;
}

const char *sweep_name(size_t option)
{
    return option < glia_settings_count() ? glia_setting_name(option) : "validation";
}

static const char *article_values(const char *name)
{
    for (size_t i = 0; i < sizeof article / sizeof *article; i++)
        if (strcmp(article[i].name, name) == 0) return article[i].values;
    return NULL;
}

/* The length of the longest name that text begins with, up to '-' or its end; 0: there is none. */
static size_t name_length(size_t option, const char *text)
{
    size_t longest = 0;
    const char *name;
    for (size_t i = 0; (name = glia_setting_choice(option, i)) != NULL; i++) {
        const size_t n = strlen(name);
        if (n > longest && strncmp(text, name, n) == 0 && (text[n] == '-' || text[n] == '\0'))
            longest = n;
    }
    return longest;
}

/*
 * In a value of a setting that is a list itself '-' stands for the comma between its items:
 * 512-256, relu-leaky-relu. Where it belongs to a name it stays.
 */
static void split_layers(size_t option, char *item)
{
    const bool has_names = glia_setting_choice(option, 0) != NULL;
    for (char *at = item; *at != '\0';) {
        const size_t n = has_names ? name_length(option, at) : strcspn(at, "-");
        at += n > 0 ? n : strcspn(at, "-");
        if (*at == '-') *at++ = ',';
    }
}

/* A list of values. A rate such as 1e-3 keeps its '-'. */
static bool read_axis(const char *text, size_t option, struct axis *axis)
{
    char item[LONGEST_VALUE];
    const char *metavar =
        option < glia_settings_count() ? glia_setting_metavar(option) : "X"; /* NULL: yes or no */
    const bool is_list = metavar != NULL && strcmp(metavar, "LIST") == 0;
    *axis = (struct axis){.name = sweep_name(option)};
    axis->values = need_memory(MOST_VALUES, sizeof *axis->values);
    while (next_item(&text, item, sizeof item)) {
        if (axis->n == MOST_VALUES) {
            complain("sweep: --%s: found more than %d values", axis->name, (int)MOST_VALUES);
            return false;
        }
        if (is_list) split_layers(option, item);
        if (metavar == NULL && strcmp(item, "yes") != 0 && strcmp(item, "no") != 0) {
            complain("sweep: --%s: found \"%s\", expected yes, no or yes,no", axis->name, item);
            return false;
        }
        for (size_t i = 0; i < axis->n; i++)
            if (strcmp(axis->values[i], item) == 0) {
                complain("sweep: --%s: %s is there twice", axis->name, item);
                return false;
            }
        axis->values[axis->n++] = need_copy(item);
    }
    axis->is_flag = metavar == NULL;
    return true;
}

static bool read_axes(struct sweep *s)
{
    const sweep_options *o = s->options;
    for (size_t i = 0; i < sweep_count(); i++) {
        const char *text = i < glia_settings_count() ? o->values[i] : o->validation;
        if (text == NULL && o->article) text = article_values(sweep_name(i));
        if (text == NULL) continue;
        struct axis *axis = &s->axes[s->n_axes++];
        if (!read_axis(text, i, axis)) return false;
        if (axis->n > 1 || strstr(axis->values[0], "..") != NULL)
            s->varied[s->n_varied++] = s->n_axes - 1;
    }
    return true;
}

/* ---- Cells ---------------------------------------------------------------------------------- */

/* splitmix64 (Steele, Lea and Flood 2014): the same cells for the same seed. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

/* In [0, 1). */
static double next_uniform(uint64_t *state)
{
    return (double)(next_random(state) >> 11) * 0x1p-53;
}

/*
 * A value of an axis: one of its list, and of a range A..B a number between, in equal parts of the
 * logarithm where both are above 0; a whole number between whole numbers.
 */
static bool draw_value(const struct axis *axis, uint64_t *state, char *text, size_t size)
{
    const char *value = axis->values[next_random(state) % axis->n];
    const char *dots = strstr(value, "..");
    if (dots == NULL) {
        snprintf(text, size, "%s", value);
        return true;
    }
    char first[LONGEST_VALUE];
    double from, to;
    uint64_t whole;
    snprintf(first, sizeof first, "%.*s", (int)(dots - value), value);
    if (!parse_real(first, &from) || !parse_real(dots + 2, &to) || !(from < to)) {
        complain("sweep: --%s: found the range \"%s\", expected two numbers, as 0.01..1, the first "
                 "below the second",
                 axis->name, value);
        return false;
    }
    const double part = next_uniform(state);
    const double x = from > 0 ? from * pow(to / from, part) : from + (to - from) * part;
    if (parse_count(first, &whole) && parse_count(dots + 2, &whole))
        snprintf(text, size, "%.0f", x);
    else
        snprintf(text, size, "%.4g", x);
    return true;
}

static bool draw_cells(struct sweep *s)
{
    uint64_t state = s->options->seed;
    s->n_cells = s->options->random;
    s->cells = need_memory(s->n_cells, sizeof *s->cells);
    for (size_t c = 0; c < s->n_cells; c++) {
        s->cells[c].values = need_memory(s->n_axes + 1, sizeof *s->cells[c].values);
        for (size_t a = 0; a < s->n_axes; a++) {
            char text[LONGEST_VALUE];
            if (!draw_value(&s->axes[a], &state, text, sizeof text)) return false;
            s->cells[c].values[a] = need_copy(text);
        }
    }
    return true;
}

/* Every combination, the last axis changing fastest. */
static bool lay_out_cells(struct sweep *s)
{
    s->n_cells = 1;
    for (size_t a = 0; a < s->n_axes; a++) {
        s->n_cells *= s->axes[a].n; /* at most 1e5 times 1e3: no overflow */
        for (size_t v = 0; v < s->axes[a].n; v++)
            if (strstr(s->axes[a].values[v], "..") != NULL) {
                complain("sweep: --%s: a range, %s, needs --random N", s->axes[a].name,
                         s->axes[a].values[v]);
                return false;
            }
        if (s->n_cells > MOST_JOBS) break;
    }
    if (s->n_cells > MOST_JOBS) {
        complain("sweep: more than %d cells; take fewer values, or --random N of them",
                 (int)MOST_JOBS);
        s->n_cells = 0;
        return false;
    }
    s->cells = need_memory(s->n_cells, sizeof *s->cells);
    for (size_t c = 0; c < s->n_cells; c++) {
        size_t left = c;
        s->cells[c].values = need_memory(s->n_axes + 1, sizeof *s->cells[c].values);
        for (size_t a = s->n_axes; a-- > 0; left /= s->axes[a].n)
            s->cells[c].values[a] = need_copy(s->axes[a].values[left % s->axes[a].n]);
    }
    return true;
}

const char *sweep_value(const struct sweep *s, const struct cell *cell, const char *name)
{
    for (size_t a = 0; a < s->n_axes; a++)
        if (strcmp(s->axes[a].name, name) == 0) return cell->values[a];
    return NULL;
}

/* ---- Runs ----------------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void add_word(struct job *job, const char *format, ...)
{
    char word[LONGEST_WORD];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(word, sizeof word, format, arguments);
    va_end(arguments);
    job->argv[job->argc++] = need_copy(word);
}

/*
 * Where samples come from, and what their columns are, for every run as it was given here: the
 * options whose fields lie in source_options from there on.
 */
static json_t *source_words(const sweep_options *o, size_t from)
{
    const struct command_line *line = o->source.common.line;
    json_t *list = json_need(json_array());
    for (size_t i = 0; i < line->n_settings; i++) {
        const struct setting *setting = &line->settings[i];
        const size_t offset = setting->option->offset;
        if (offset < from || offset >= sizeof(source_options)) continue;
        if (options_counts(line, i)) json_push(list, options_word(setting));
    }
    return list;
}

static void add_words(struct job *job, const json_t *list)
{
    size_t i;
    const json_t *word;
    json_array_foreach(list, i, word) job->argv[job->argc++] = need_copy(json_string_value(word));
}

/* "hidden-256_activation-relu_seed-1": the cell by its varied options. */
static void name_job(const struct sweep *s, struct job *job)
{
    char name[LONGEST_WORD];
    size_t used = 0;
    for (size_t i = 0; i < s->n_varied && used < sizeof name; i++) {
        const size_t a = s->varied[i];
        used += (size_t)snprintf(name + used, sizeof name - used, "%s-%s_", s->axes[a].name,
                                 s->cells[job->cell].values[a]);
    }
    if (s->options->random > 0 && used < sizeof name)
        used += (size_t)snprintf(name + used, sizeof name - used, "cell-%zu_", job->cell + 1);
    if (used < sizeof name)
        snprintf(name + used, sizeof name - used, "seed-%llu", (unsigned long long)job->seed);
    for (char *c = name; *c != '\0'; c++)
        if (*c == ',' || *c == '/') *c = '-';
    job->name = need_copy(name);
}

/*
 * The words of the recipe, which is read once: a file may be another one by the time of the last
 * run.
 */
static bool read_recipe(struct sweep *s)
{
    if (s->options->recipe == NULL) return true;
    char word[LONGEST_PATH + 16], end[] = "--", *data = need_copy(s->data);
    char *argv[] = {word, end, data};
    const int length = snprintf(word, sizeof word, "--recipe=%s", s->options->recipe);
    train_options *options = options_new(&train_command);
    struct command_line line = {0};
    bool good = length < (int)sizeof word;
    if (!good) complain("sweep: --recipe: the path is too long");
    good = good && options_parse(&train_command, 3, argv, options, &line);
    if (good) {
        s->recipe = options_words(&train_command, &line); /* train WORDS -- DATA */
        json_array_remove(s->recipe, 0);
        for (int i = 0; i < 2; i++) json_array_remove(s->recipe, json_array_size(s->recipe) - 1);
    }
    options_free(&line);
    options_delete(&train_command, options);
    free(data);
    return good;
}

/* Parses the cell's words as glia train does, which says what is wrong with them. */
static bool make_job(struct sweep *s, struct job *job, size_t cell, uint64_t seed)
{
    *job = (struct job){.cell = cell,
                        .seed = seed,
                        .test_score = NAN,
                        .test_error = {NAN, NAN, NAN},
                        .roc_auc = NAN,
                        .validation_score = NAN,
                        .seconds = NAN};
    json_t *source = source_words(s->options, sizeof(common_options));
    const size_t n_words = json_array_size(s->recipe) + s->n_axes + json_array_size(source);
    job->argv = need_memory(n_words + 3, sizeof *job->argv); /* --seed, --, DATA */
    add_words(job, s->recipe);
    for (size_t a = 0; a < s->n_axes; a++)
        if (!s->axes[a].is_flag)
            add_word(job, "--%s=%s", s->axes[a].name, s->cells[cell].values[a]);
        else if (strcmp(s->cells[cell].values[a], "yes") == 0)
            add_word(job, "--%s", s->axes[a].name);
    add_word(job, "--seed=%llu", (unsigned long long)seed);
    add_words(job, source);
    json_decref(source);
    add_word(job, "--");
    add_word(job, "%s", s->data);
    name_job(s, job);
    train_set_defaults(&job->options);
    job->parsed = need_memory((size_t)job->argc, sizeof *job->parsed);
    memcpy(job->parsed, job->argv, (size_t)job->argc * sizeof *job->parsed);
    return options_parse(&train_command, job->argc, job->parsed, &job->options, &job->line) &&
           train_check_options(&job->options, s->data);
}

bool sweep_plan(struct sweep *s)
{
    s->merit = merit_of(GLIA_TASK_CLASSES); /* until the data are there */
    if (!read_axes(s) || !read_recipe(s)) return false;
    if (!(s->options->random > 0 ? draw_cells(s) : lay_out_cells(s))) return false;
    if (s->options->seeds > MOST_JOBS / s->n_cells) {
        complain("sweep: more than %d runs; take fewer seeds or values", (int)MOST_JOBS);
        return false;
    }
    s->jobs = need_memory(s->n_cells * s->options->seeds, sizeof *s->jobs);
    for (size_t c = 0; c < s->n_cells; c++)
        for (size_t i = 0; i < s->options->seeds; i++)
            if (!make_job(s, &s->jobs[s->n_jobs++], c, s->options->seed + i)) return false;
    return true;
}

void sweep_free(struct sweep *s)
{
    folder_lock_give_back(&s->lock);
    for (size_t i = 0; i < s->n_jobs; i++) {
        for (int w = 0; w < s->jobs[i].argc; w++) free(s->jobs[i].argv[w]);
        free(s->jobs[i].argv);
        free(s->jobs[i].parsed);
        free(s->jobs[i].name);
        options_free(&s->jobs[i].line);
        train_clear(&s->jobs[i].options);
    }
    for (size_t c = 0; c < s->n_cells && s->cells != NULL; c++) {
        for (size_t a = 0; s->cells[c].values != NULL && a < s->n_axes; a++)
            free(s->cells[c].values[a]);
        free(s->cells[c].values);
    }
    for (size_t a = 0; a < s->n_axes; a++) {
        for (size_t v = 0; v < s->axes[a].n; v++) free(s->axes[a].values[v]);
        free(s->axes[a].values);
    }
    free(s->jobs);
    free(s->cells);
    json_decref(s->recipe);
}

/* ---- The folder ----------------------------------------------------------------------------- */

/* What makes a sweep this one: data, axes and seeds. */
static json_t *describe(const struct sweep *s)
{
    const sweep_options *o = s->options;
    json_t *d = json_need(json_object()), *axes = json_need(json_object());
    json_put(d, "format", json_text("glia-sweep"));
    json_put(d, "format_version", json_count(1));
    json_put(d, "glia", json_text(glia_version()));
    json_put(d, "data", json_text(s->data));
    json_put(d, "data_seed", json_seed(o->source.seed));
    /* not the place where they are found */
    json_t *source = source_words(o, offsetof(source_options, table));
    if (json_array_size(source) > 0) json_put(d, "data_options", json_incref(source));
    json_decref(source);
    json_put(d, "recipe", json_text(o->recipe));
    if (s->recipe != NULL) json_put(d, "recipe_options", json_incref(s->recipe));
    for (size_t a = 0; a < s->n_axes; a++) {
        json_t *values = json_need(json_array());
        for (size_t v = 0; v < s->axes[a].n; v++)
            json_push(values, json_text(s->axes[a].values[v]));
        json_put(axes, s->axes[a].name, values);
    }
    json_put(d, "options", axes);
    json_put(d, "random", json_count(o->random));
    json_put(d, "seed", json_seed(o->seed));
    json_put(d, "seeds", json_count(o->seeds));
    return d;
}

/*
 * Whether a new sweep may be kept in the folder: nothing that is there is replaced. (Of one that is
 * resumed the folder holds it already.)
 */
static bool check_folder(const struct sweep *s)
{
    static const char *const names[] = {"results.json", "table.md", "table.csv", "report.html"};
    char path[sizeof s->folder + 32];
    struct stat status;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", s->folder, names[i]);
        if (!check_output(path)) return false;
        if (stat(path, &status) != 0) continue;
        complain("%s: a file of this name is there, which the sweep would replace; name another "
                 "folder with -o",
                 path);
        return false;
    }
    return true;
}

static bool make_folder(const char *path)
{
    if (mkdir(path, 0777) == 0 || errno == EEXIST) return true;
    complain("%s: cannot make the folder: %s", path, strerror(errno));
    return false;
}

/* The results of the runs that were finished before. */
static void find_finished(struct sweep *s)
{
    for (size_t i = 0; i < s->n_jobs; i++) {
        struct job *job = &s->jobs[i];
        char path[sizeof s->folder + LONGEST_WORD + 64];
        snprintf(path, sizeof path, "%s/runs/%s/result.json", s->folder, job->name);
        json_t *result = json_load_file(path, 0, NULL);
        const merit *by = merit_in(result);
        const json_t *stopped = json_object_get(result, "stopped");
        if (json_is_string(stopped)) {
            job->resumed = true;
            job->state =
                strcmp(json_string_value(stopped), "diverged") == 0 ? JOB_FAILED : JOB_DONE;
            job->test_error = error_bar_in(result, "test_standard_error");
            const json_t *why = json_object_get(result, "error");
            if (json_is_string(why))
                snprintf(job->message, sizeof job->message, "%s", json_string_value(why));
            const struct {
                const char *key;
                double *to;
            } numbers[] = {{by->test_key, &job->test_score},
                           {"test_roc_auc", &job->roc_auc},
                           {by->validation_key, &job->validation_score},
                           {"seconds", &job->seconds}};
            for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++) {
                const json_t *number = json_object_get(result, numbers[k].key);
                if (json_is_number(number)) *numbers[k].to = json_number_value(number);
            }
        }
        json_decref(result);
    }
}

bool sweep_open(struct sweep *s)
{
    char path[sizeof s->folder + 16];
    struct stat status;
    json_t *mine = describe(s);
    snprintf(path, sizeof path, "%s/sweep.json", s->folder);
    if (!make_folder(s->folder) || !folder_lock_take(&s->lock, s->folder, "sweep")) {
        json_decref(mine);
        return false;
    }
    const bool there = stat(path, &status) == 0;
    if (there && !s->options->resume) {
        complain("%s: holds a sweep; add --resume to go on with it, or name another folder with -o",
                 s->folder);
        json_decref(mine);
        return false;
    }
    if (there) {
        json_error_t wrong;
        json_t *theirs = json_load_file(path, 0, &wrong);
        const bool same = theirs != NULL && json_equal(mine, theirs);
        if (theirs == NULL)
            complain("%s: line %d: %s; remove the folder, or name another one with -o", path,
                     wrong.line, wrong.text);
        else if (!same)
            complain("%s: is of another sweep; to resume it give the options that it was begun "
                     "with, or name another folder with -o",
                     path);
        json_decref(theirs);
        json_decref(mine);
        if (!same) return false;
        find_finished(s);
        return true;
    }
    snprintf(path, sizeof path, "%s/runs", s->folder);
    if (!check_folder(s) || !make_folder(path)) {
        json_decref(mine);
        return false;
    }
    snprintf(path, sizeof path, "%s/sweep.json", s->folder);
    return replace_json(path, mine);
}
