/* SPDX-License-Identifier: MIT */
/*
 * Writes the folder of a run. What belongs together is written to a temporary file that then takes
 * its name; metrics grow line by line, so that what was written stays whatever happens.
 */
#include "job/run_folder.h"

#include <dirent.h>
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "job/events.h"
#include "job/run_folder_parts.h"
#include "shell/files.h"
#include "shell/folder_lock.h"
#include "shell/output.h"

enum {
    STEP_SAMPLES = 4096, /* between two lines of metrics, at least */
    LOOKED_AT = 256,     /* samples whose activations are counted */
    BINS = 32,           /* of a histogram */
};

void run_folder_file(const char *folder, const char *name, char *path, size_t size)
{
    const size_t length = strlen(folder);
    const char *slash = length > 0 && folder[length - 1] == '/' ? "" : "/";
    snprintf(path, size, "%s%s%s", folder, slash, name);
}

/* ---- The folder ----------------------------------------------------------------------------- */

static bool has_file(const char *folder, const char *name)
{
    char path[LONGEST_PATH];
    struct stat status;
    run_folder_file(folder, name, path, sizeof path);
    return stat(path, &status) == 0;
}

bool run_folder_is_finished(const char *path)
{
    return has_file(path, "result.json");
}

static bool is_empty(const char *path)
{
    DIR *folder = opendir(path);
    if (folder == NULL) return false;
    bool empty = true;
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
        empty = empty && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
                          folder_lock_is_file(entry->d_name));
    closedir(folder);
    return empty;
}

/* Those of the run that was not finished. */
static void remove_events(const char *path)
{
    static const char prefix[] = "events.out.tfevents.";
    DIR *folder = opendir(path);
    if (folder == NULL) return;
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char file[LONGEST_PATH];
        if (strncmp(entry->d_name, prefix, sizeof prefix - 1) != 0) continue;
        run_folder_file(path, entry->d_name, file, sizeof file);
        unlink(file);
    }
    closedir(folder);
}

bool run_folder_check(const char *path)
{
    struct stat status;
    if (strlen(path) + 32 > LONGEST_PATH) {
        complain("%.64s...: the name of the folder is too long", path);
        return false;
    }
    if (stat(path, &status) != 0) return true;
    if (!S_ISDIR(status.st_mode)) {
        complain("%s: cannot keep a run there: it is no folder", path);
        return false;
    }
    if (run_folder_is_finished(path)) {
        complain("%s: holds a finished run; name another folder, or remove this one", path);
        return false;
    }
    if (is_empty(path) || has_file(path, "metrics.jsonl")) return true;
    complain("%s: cannot keep a run there: the folder has other files in it", path);
    return false;
}

/* Makes the folder, and holds it before anything in it is looked at for good, or written. */
static bool make_folder(const char *path, folder_lock *lock)
{
    if (!run_folder_check(path)) return false;
    if (mkdir(path, 0777) != 0 && errno != EEXIST) {
        complain("%s: cannot make the folder of the run: %s", path, strerror(errno));
        return false;
    }
    if (!folder_lock_take(lock, path, "run")) return false;
    if (run_folder_check(path)) { /* another process may have had it until now */
        remove_events(path);
        return true;
    }
    folder_lock_give_back(lock);
    return false;
}

run_folder *run_folder_new(const char *path, json_t *command, bool tensorboard)
{
    folder_lock lock;
    if (!make_folder(path, &lock)) {
        json_decref(command);
        return NULL;
    }
    char metrics[LONGEST_PATH];
    run_folder *folder = need_memory(1, sizeof *folder);
    folder->path = path;
    folder->lock = lock;
    folder->command = command;
    const time_t now = time(NULL);
    struct tm utc;
    if (gmtime_r(&now, &utc) != NULL)
        strftime(folder->started, sizeof folder->started, "%Y-%m-%dT%H:%M:%SZ", &utc);
    run_folder_file(path, "metrics.jsonl", metrics, sizeof metrics);
    folder->metrics = fopen(metrics, "w");
    if (folder->metrics == NULL) {
        complain("%s: cannot write it: %s", metrics, strerror(errno));
        run_folder_free(folder);
        return NULL;
    }
    folder->began = (double)now;
    if (tensorboard && (folder->events = events_open(path, folder->began)) == NULL) {
        run_folder_free(folder);
        return NULL;
    }
    return folder;
}

run_folder *run_folder_continue(const char *path, json_t *command, bool tensorboard)
{
    struct stat status;
    char metrics[LONGEST_PATH];
    folder_lock lock;
    if (stat(path, &status) != 0) return run_folder_new(path, command, tensorboard);
    if (!folder_lock_take(&lock, path, "run")) {
        json_decref(command);
        return NULL;
    }
    run_folder *folder = need_memory(1, sizeof *folder);
    *folder = (run_folder){.path = path,
                           .lock = lock,
                           .command = command,
                           .tensorboard = tensorboard,
                           .continues = true,
                           .described = has_file(path, "run.json"),
                           .finished = run_folder_is_finished(path)};
    run_folder_file(path, "metrics.jsonl", metrics, sizeof metrics);
    const time_t now = time(NULL);
    struct tm utc;
    if (gmtime_r(&now, &utc) != NULL)
        strftime(folder->started, sizeof folder->started, "%Y-%m-%dT%H:%M:%SZ", &utc);
    folder->began = (double)now;
    folder->metrics = fopen(metrics, has_file(path, "metrics.jsonl") ? "r+" : "w+");
    if (folder->metrics != NULL) return folder;
    complain("%s: cannot write it: %s", metrics, strerror(errno));
    run_folder_free(folder);
    return NULL;
}

void run_folder_free(run_folder *folder)
{
    if (folder == NULL) return;
    json_decref(folder->command);
    if (folder->metrics != NULL) fclose(folder->metrics);
    events_close(folder->events);
    folder_lock_give_back(&folder->lock);
    free(folder);
}

void run_folder_begin(run_folder *folder, const train_options *options, const char *data,
                      const glia_dataset *train, const glia_dataset *validation,
                      const glia_dataset *test, const glia_network *network)
{
    folder->options = options;
    folder->data = data;
    folder->train = train;
    folder->validation = validation;
    folder->test = test;
    folder->network = network;
}

/* ---- metrics.jsonl -------------------------------------------------------------------------- */

/* The least and the largest of the finite values, in lanes: one maximum waits for no other. */
static void find_range(const float *x, size_t n, float *min, float *max)
{
    enum { LANES = 16 };
    float least[LANES], most[LANES];
    for (size_t k = 0; k < LANES; k++) {
        least[k] = FLT_MAX;
        most[k] = -FLT_MAX;
    }
    for (size_t i = 0; i < n; i += LANES)
        for (size_t k = 0; k < LANES && i + k < n; k++) {
            const float value = x[i + k];
            if (value < least[k] && value >= -FLT_MAX) least[k] = value;
            if (value > most[k] && value <= FLT_MAX) most[k] = value;
        }
    *min = least[0];
    *max = most[0];
    for (size_t k = 1; k < LANES; k++) {
        if (least[k] < *min) *min = least[k];
        if (most[k] > *max) *max = most[k];
    }
}

/* Equal bins from the least value to the largest; what is not finite is left out. */
static json_t *histogram(const float *x, size_t n)
{
    enum { LANES = 4 }; /* counts that do not wait for each other either */
    float min, max;
    uint64_t counts[LANES][BINS] = {{0}};
    find_range(x, n, &min, &max);
    const double scale = max > min ? BINS / ((double)max - (double)min) : 0;
    for (size_t i = 0; i < n; i++) {
        const double at = ((double)x[i] - (double)min) * scale;
        if (!(at >= 0 && at <= BINS)) continue;
        const size_t bin = (size_t)at;
        counts[i % LANES][bin < BINS ? bin : BINS - 1]++;
    }
    json_t *h = json_need(json_object()), *bins = json_need(json_array());
    for (size_t b = 0; b < BINS; b++)
        json_push(bins, json_count(counts[0][b] + counts[1][b] + counts[2][b] + counts[3][b]));
    json_put(h, "min", json_number(max >= min ? (double)min : NAN));
    json_put(h, "max", json_number(max >= min ? (double)max : NAN));
    json_put(h, "counts", bins);
    return h;
}

/* The first samples, and how many there are. */
static void *first_samples(const glia_dataset *dataset, size_t *n)
{
    const glia_dataset_info info = glia_dataset_describe(dataset);
    const size_t bytes = info.features * (info.type == GLIA_TYPE_U8 ? 1 : sizeof(float));
    *n = info.samples < LOOKED_AT ? info.samples : LOOKED_AT;
    char *x = need_memory(*n, bytes);
    for (size_t i = 0; i < *n; i++)
        if (glia_dataset_sample(dataset, i, x + i * bytes, info.features, NULL, NULL) != GLIA_OK)
            *n = i;
    return x;
}

static json_t *histograms(const run_folder *f)
{
    const glia_type type = glia_dataset_describe(f->train).type;
    const size_t n_features = glia_dataset_describe(f->train).features;
    const size_t n_layers = glia_network_describe(f->network).layers;
    json_t *all = json_need(json_array());
    size_t n;
    void *x = first_samples(f->train, &n);
    for (size_t l = 0; l < n_layers; l++) {
        const glia_layer_info layer = glia_network_layer(f->network, l);
        const size_t n_weights = layer.units * layer.inputs, n_values = n * layer.units;
        float *values = need_memory(n_weights > n_values ? n_weights : n_values, sizeof *values);
        json_t *of_layer = json_need(json_object());
        json_put(of_layer, "layer", json_count(l));
        if (glia_network_get_layer(f->network, l, values, n_weights, NULL, 0, NULL) == GLIA_OK)
            json_put(of_layer, "weights", histogram(values, n_weights));
        if (glia_network_activations(f->network, l, type, x, n, n_features, values, layer.units,
                                     NULL) == GLIA_OK)
            json_put(of_layer, "activations", histogram(values, n_values));
        json_push(all, of_layer);
        free(values);
    }
    free(x);
    return all;
}

static void write_line(run_folder *f, json_t *line)
{
    errno = 0;
    bool good = json_dumpf(line, f->metrics, JSON_COMPACT | JSON_REAL_PRECISION(9)) == 0 &&
                fputc('\n', f->metrics) != EOF && fflush(f->metrics) == 0;
    if (!good && f->failed == 0) f->failed = errno != 0 ? errno : EIO;
    json_decref(line);
}

/* A figure of a line, for TensorBoard too. */
static void add_figure(const run_folder *f, json_t *line, const glia_progress *p, const char *key,
                       const char *tag, double value)
{
    json_put(line, key, json_number(value));
    if (f->events != NULL)
        events_scalar(f->events, tag, (int64_t)p->step, f->began + p->seconds, value);
}

static json_t *begin_line(const char *kind, const glia_progress *p)
{
    json_t *line = json_need(json_object());
    json_put(line, "kind", json_text(kind));
    json_put(line, "epoch", json_count(p->epoch));
    json_put(line, "step", json_count(p->step));
    json_put(line, "samples", json_count((p->epoch - 1) * p->samples + p->done));
    json_put(line, "seconds", json_number(p->seconds));
    return line;
}

/* How many samples are right, without what rounding has added; of several labels it is no whole
 * number. */
static double nearly_whole(double samples)
{
    const double whole = round(samples);
    return fabs(samples - whole) < 1e-4 ? whole : samples;
}

/*
 * Counts a line of a step up to sample `done` of the epoch, with its mean loss, and accuracy or
 * RMSE, as they are written: what later lines say follows from those before, also when they are
 * read again.
 */
static void count_line(run_folder *f, size_t done, double loss, double accuracy, double rmse)
{
    const double since = (double)(done - f->line_done);
    if (isfinite(loss)) f->line_loss += loss * since;
    if (isfinite(accuracy)) f->line_correct += nearly_whole(accuracy * since);
    if (isfinite(rmse)) f->line_squares += rmse * rmse * since;
    f->line_done = done;
}

static void end_lines(run_folder *f, double seconds)
{
    f->line_done = 0;
    f->line_loss = f->line_correct = f->line_squares = 0;
    f->epoch_began = seconds;
}

/* A number with the digits that a line has. */
static double as_written(double value)
{
    char text[40];
    if (!isfinite(value)) return value;
    snprintf(text, sizeof text, "%.9g", value);
    return strtod(text, NULL);
}

static double number_of(const json_t *line, const char *key)
{
    const json_t *value = json_object_get(line, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

/* Takes a line of the run so far up again. */
static void take_line(run_folder *f, const json_t *line, const glia_progress *p)
{
    static const struct {
        const char *key, *tag;
    } step_figures[] = {{"lr", "learning_rate"},
                        {"train_loss", "train/loss"},
                        {"train_accuracy", "train/accuracy"},
                        {"train_rmse", "train/rmse"}},
      epoch_figures[] = {
          {"train_loss", "epoch/loss"},           {"train_accuracy", "epoch/accuracy"},
          {"validation_loss", "validation/loss"}, {"validation_accuracy", "validation/accuracy"},
          {"train_rmse", "epoch/rmse"},           {"validation_rmse", "validation/rmse"}};
    const char *kind = json_string_value(json_object_get(line, "kind"));
    const bool is_epoch = kind != NULL && strcmp(kind, "epoch") == 0;
    const size_t n = is_epoch ? sizeof epoch_figures / sizeof *epoch_figures
                              : sizeof step_figures / sizeof *step_figures;
    const double seconds = number_of(line, "seconds");
    for (size_t i = 0; i < n && f->events != NULL; i++) {
        const char *key = is_epoch ? epoch_figures[i].key : step_figures[i].key;
        if (json_object_get(line, key) != NULL)
            events_scalar(f->events, is_epoch ? epoch_figures[i].tag : step_figures[i].tag,
                          (int64_t)number_of(line, "step"), f->began + seconds,
                          number_of(line, key));
    }
    if (is_epoch) {
        end_lines(f, seconds);
        return;
    }
    const double before = (number_of(line, "epoch") - 1) * (double)p->samples;
    const double done = number_of(line, "samples") - before;
    if (done > (double)f->line_done && done <= (double)p->samples)
        count_line(f, (size_t)done, number_of(line, "train_loss"),
                   number_of(line, "train_accuracy"), number_of(line, "train_rmse"));
}

/* Drops the lines past the step from which the run goes on; TensorBoard's events are made anew. */
static void cut(run_folder *f, const glia_progress *p)
{
    char *text = NULL;
    size_t size = 0;
    ssize_t length;
    off_t end = 0;
    f->continues = false;
    f->began -= p->seconds;
    if (f->tensorboard) {
        remove_events(f->path);
        f->events = events_open(f->path, f->began);
    }
    while ((length = getline(&text, &size, f->metrics)) > 0 && text[length - 1] == '\n') {
        json_t *line = json_loads(text, 0, NULL);
        const double step = number_of(line, "step");
        if (step <= (double)p->step) take_line(f, line, p);
        json_decref(line);
        if (!(step <= (double)p->step)) break;
        end += (off_t)length;
    }
    free(text);
    if (fseeko(f->metrics, end, SEEK_SET) != 0 || ftruncate(fileno(f->metrics), end) != 0)
        f->failed = errno;
}

void run_folder_step(run_folder *f, const glia_progress *p)
{
    if (f->finished) return;
    if (f->continues) cut(f, p);
    if (!f->described) run_folder_describe(f, p);
    if (p->done == 0) return;
    if (p->done < f->line_done) { /* the last epoch's end was never told */
        f->line_done = 0;
        f->line_loss = f->line_correct = f->line_squares = 0;
    }
    const double done = (double)p->done, loss = p->train_loss * done;
    const double correct = nearly_whole(p->train_accuracy * done),
                 since = done - (double)f->line_done;
    const double squares = p->train_rmse * p->train_rmse * done;
    const bool has_values = isfinite(p->train_rmse); /* which are not right or wrong */
    if (since >= STEP_SAMPLES || (p->epoch_end && since > 0)) {
        json_t *line = begin_line("step", p);
        add_figure(f, line, p, "lr", "learning_rate", p->lr);
        const double line_loss = as_written((loss - f->line_loss) / since);
        const double line_accuracy = as_written((correct - f->line_correct) / since);
        add_figure(f, line, p, "train_loss", "train/loss", line_loss);
        const double line_rmse = as_written(sqrt(fmax(squares - f->line_squares, 0) / since));
        if (has_values)
            add_figure(f, line, p, "train_rmse", "train/rmse", line_rmse);
        else
            add_figure(f, line, p, "train_accuracy", "train/accuracy", line_accuracy);
        write_line(f, line);
        count_line(f, p->done, line_loss, line_accuracy, has_values ? line_rmse : NAN);
    }
    if (!p->epoch_end) return;
    const double seconds = p->seconds - f->epoch_began;
    json_t *line = begin_line("epoch", p);
    json_put(line, "lr", json_number(p->lr));
    add_figure(f, line, p, "train_loss", "epoch/loss", p->train_loss);
    if (has_values)
        add_figure(f, line, p, "train_rmse", "epoch/rmse", p->train_rmse);
    else
        add_figure(f, line, p, "train_accuracy", "epoch/accuracy", p->train_accuracy);
    add_figure(f, line, p, "validation_loss", "validation/loss", p->validation_loss);
    if (has_values)
        add_figure(f, line, p, "validation_rmse", "validation/rmse", p->validation_rmse);
    else
        add_figure(f, line, p, "validation_accuracy", "validation/accuracy",
                   p->validation_accuracy);
    json_put(line, "best", json_need(json_boolean(p->best)));
    json_put(line, "samples_per_second",
             json_number(seconds > 0 ? (double)p->samples / seconds : NAN));
    json_put(line, "histograms", histograms(f));
    write_line(f, line);
    if (f->events != NULL) events_flush(f->events);
    end_lines(f, p->seconds);
}

bool run_folder_end(run_folder *f, json_t *outcome)
{
    char path[LONGEST_PATH];
    bool good = f->network == NULL || f->described || run_folder_describe(f, NULL);
    if (fclose(f->metrics) != 0 && f->failed == 0) f->failed = errno;
    f->metrics = NULL;
    if (f->failed != 0) {
        run_folder_file(f->path, "metrics.jsonl", path, sizeof path);
        complain("%s: not all of it could be written: %s", path, strerror(f->failed));
        good = false;
    }
    good = events_close(f->events) && good;
    f->events = NULL;
    if (outcome == NULL) return good;
    if (!good || f->finished) {
        json_decref(outcome);
        return good;
    }
    run_folder_file(f->path, "result.json", path, sizeof path);
    return replace_json(path, outcome);
}
