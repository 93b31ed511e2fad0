/* SPDX-License-Identifier: MIT */
/* Opening data sets for the commands. */
#include "data/source.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "draw/progress.h"
#include "shell/output.h"
#include "shell/text.h"

const char *const split_names[] = {[GLIA_SPLIT_TRAIN] = "train", [GLIA_SPLIT_TEST] = "test", NULL};

const char *const colour_names[] = {"auto", "grey", "rgb", NULL};

bool size_parse(const char *text, void *field)
{
    char numbers[64];
    uint64_t height, width;
    size_t length = strcspn(text, "x");
    if (strlen(text) >= sizeof numbers) return false;
    strcpy(numbers, text);
    numbers[length] = '\0';
    if (!parse_count(numbers, &height)) return false;
    width = height;
    if (text[length] == 'x' && !parse_count(numbers + length + 1, &width)) return false;
    if (height < 1 || height > GLIA_MAX_UNITS || width < 1 || width > GLIA_MAX_UNITS) return false;
    *(image_size *)field = (image_size){(size_t)height, (size_t)width};
    return true;
}

void source_set_defaults(source_options *options)
{
    glia_data_params params = glia_data_default_params();
    options->seed = params.seed;
    options->offline = params.offline;
    options->directory = params.directory;
    options->mirror = params.mirror;
}

/* Whether a data set of this name comes from the network when it is not here. */
static bool can_download(const char *name)
{
    glia_dataset_entry *entries = NULL;
    size_t n = 0;
    bool found = false;
    if (glia_dataset_list(NULL, &entries, &n, NULL) != GLIA_OK) return true; /* opening will tell */
    for (size_t i = 0; i < n; i++)
        found = found || (!entries[i].built_in && strcmp(entries[i].name, name) == 0);
    glia_dataset_list_free(entries, n);
    return found;
}

const char *source_shown_name(const char *name)
{
    return strcmp(name, "-") == 0 ? "standard input" : name;
}

bool source_is_file(const char *name)
{
    struct stat status;
    return strcmp(name, "-") == 0 || (stat(name, &status) == 0 && !S_ISDIR(status.st_mode));
}

bool source_is_divided(const char *name)
{
    static const char *const of_mnist[] = {"train-images-idx3-ubyte", "train-images-idx3-ubyte.gz"};
    struct stat status;
    if (source_is_file(name)) return true;
    if (stat(name, &status) != 0) return false;
    for (size_t i = 0; i < sizeof of_mnist / sizeof *of_mnist; i++) {
        struct text path = {0};
        text_print(&path, "%s/%s", name, of_mnist[i]);
        const bool is_there = stat(path.s, &status) == 0;
        text_free(&path);
        if (is_there) return false;
    }
    return true;
}

bool source_is_archive(const char *name)
{
    const size_t length = strlen(name);
    return source_is_file(name) && length > 4 && strcmp(name + length - 4, ".npz") == 0;
}

bool source_check(const source_options *options, const char *name)
{
    if (options->seed != glia_data_default_params().seed && strcmp(name, "digits") != 0 &&
        !source_is_divided(name)) {
        complain(
            "--data-seed: %s is neither drawn by a seed, as digits is, nor a table or a folder "
            "of pictures, which are divided by one",
            name);
        return false;
    }
    if (options->mirror != NULL && !can_download(name)) {
        complain("--mirror: %s is no data set that is downloaded; 'glia data list' lists those",
                 name);
        return false;
    }
    return true;
}

glia_data_params source_params(const source_options *options, int threads, table_columns *columns)
{
    glia_data_params params = glia_data_default_params();
    params.seed = options->seed;
    params.offline = options->offline;
    params.threads = threads;
    params.directory = options->directory;
    params.mirror = options->mirror;
    params.table = table_params(&options->table, columns);
    params.image_height = options->size.height;
    params.image_width = options->size.width;
    params.image_channels = options->colour == 0 ? 0 : options->colour == 1 ? 1 : 3;
    return params;
}

/* Only folders of images are brought to what was asked for: whether this set is what it should be.
 */
static bool source_obeys(const glia_data_params *params, const char *name,
                         const glia_dataset *dataset, glia_error *error)
{
    glia_dataset_info info = glia_dataset_describe(dataset);
    if ((params->image_height == 0 ||
         (info.height == params->image_height && info.width == params->image_width)) &&
        (params->image_channels == 0 || info.channels == params->image_channels))
        return true;
    error->status = GLIA_MISMATCH;
    snprintf(error->message, sizeof error->message,
             "%s: --image-size and --colour are for folders of images; these samples stay as they "
             "are",
             name);
    return false;
}

/* Opens a data set for a network, or as another one (both may be NULL) reads its own. */
static glia_status open_as(const source_options *options, const char *name, glia_split split,
                           const glia_network *network, const glia_dataset *like, bool fresh,
                           int threads, bool quiet, glia_dataset **out, glia_error *error)
{
    fetch_view view = {.quiet = quiet};
    table_columns columns;
    glia_dataset *dataset = NULL;
    glia_data_params params = source_params(options, threads, &columns);
    params.like = like;
    params.fresh = fresh;
    params.progress = fetch_step;
    params.user = &view;
    glia_status status = network != NULL
                             ? glia_dataset_open_for(network, name, split, &params, &dataset, error)
                             : glia_dataset_open(name, split, &params, &dataset, error);
    fetch_end(&view);
    table_columns_free(&columns);
    if (status == GLIA_OK && !source_obeys(&params, name, dataset, error)) {
        glia_dataset_free(dataset);
        return error->status;
    }
    if (status == GLIA_OK) *out = dataset;
    return status;
}

glia_status source_open(const source_options *options, const char *name, glia_split split,
                        bool fresh, int threads, bool quiet, glia_dataset **out, glia_error *error)
{
    return open_as(options, name, split, NULL, NULL, fresh, threads, quiet, out, error);
}

glia_status source_open_for(const source_options *options, const glia_network *network,
                            const char *name, glia_split split, int threads, bool quiet,
                            glia_dataset **out, glia_error *error)
{
    return open_as(options, name, split, network, NULL, false, threads, quiet, out, error);
}

glia_status source_open_like(const source_options *options, const char *name, glia_split split,
                             const glia_dataset *like, int threads, glia_dataset **out,
                             glia_error *error)
{
    return open_as(options, name, split, NULL, like, false, threads, true, out, error);
}

/* The test split, opened in a thread of its own. */
struct aside {
    const char *name;
    glia_data_params params;
    glia_dataset *test;
    glia_status status;
    glia_error error;
};

static void *open_aside(void *argument)
{
    struct aside *aside = argument;
    aside->status = glia_dataset_open(aside->name, GLIA_SPLIT_TEST, &aside->params, &aside->test,
                                      &aside->error);
    return NULL;
}

glia_status source_open_both(const source_options *options, const char *name, bool fresh,
                             int threads, bool quiet, glia_dataset **train, glia_dataset **test,
                             glia_error *error)
{
    if (source_is_file(name) && !source_is_archive(name)) /* it has one part alone */
        return source_open(options, name, GLIA_SPLIT_TRAIN, fresh, threads, quiet, train, error);
    table_columns columns;
    struct aside aside = {.name = name, .params = source_params(options, threads, &columns)};
    pthread_t thread;
    aside.params.offline = true; /* one download at a time, and its progress from one thread */
    bool begun = threads != 1 && pthread_create(&thread, NULL, open_aside, &aside) == 0;
    glia_status status =
        source_open(options, name, GLIA_SPLIT_TRAIN, fresh, threads, quiet, train, error);
    if (begun) pthread_join(thread, NULL);
    table_columns_free(&columns);
    if (status != GLIA_OK) {
        glia_dataset_free(aside.test);
        return status;
    }
    *test = aside.test;
    if (!begun || (aside.status == GLIA_NOT_FOUND && !options->offline)) {
        status = source_open(options, name, GLIA_SPLIT_TEST, false, threads, quiet, test, error);
    } else if (aside.status != GLIA_OK) {
        status = aside.status;
        *error = aside.error;
    }
    return status == GLIA_NOT_FOUND ? GLIA_OK : status;
}

void source_tell_unknown(const char *name, glia_unknown *unknown, size_t n)
{
    enum { MOST_TOLD = 5 }; /* columns */
    name = source_shown_name(name);
    for (size_t i = 0; i < n && i < MOST_TOLD; i++) {
        char categories[400] = "";
        size_t used = 0;
        const bool is_one = unknown[i].cells == 1;
        for (size_t c = 0; c < unknown[i].n_categories; c++)
            used += (size_t)snprintf(categories + used, sizeof categories - used, "%s%.40s",
                                     c > 0 ? ", " : "", unknown[i].categories[c]);
        complain("%s: %s cell%s of %s%.80s hold%s %s that the model has never seen: read as "
                 "none: %s%s",
                 name, show_count(unknown[i].cells).s, is_one ? "" : "s",
                 strncmp(unknown[i].column, "column ", 7) == 0 ? "" : "column ", unknown[i].column,
                 is_one ? "s" : "", unknown[i].n_categories == 1 ? "a category" : "categories",
                 categories, unknown[i].has_more ? ", ..." : "");
    }
    if (n > MOST_TOLD)
        complain("%s: %zu more columns hold categories that the model has never seen", name,
                 n - MOST_TOLD);
    glia_unknown_free(unknown);
}

int source_complain(const char *name, const glia_error *error)
{
    enum { MOST_NAMES = 31 };
    glia_dataset_entry *entries = NULL;
    const char *names[MOST_NAMES + 1];
    size_t n = 0;
    int status = complain_error(error);
    if (error->status != GLIA_NOT_FOUND || glia_dataset_list(NULL, &entries, &n, NULL) != GLIA_OK ||
        n > MOST_NAMES)
        return status;
    for (size_t i = 0; i < n; i++) names[i] = entries[i].name;
    names[n] = NULL;
    const char *nearest = nearest_name(name, names);
    if (nearest != NULL && strcmp(nearest, name) != 0) complain("did you mean %s?", nearest);
    glia_dataset_list_free(entries, n);
    return status;
}

int source_need_for(const source_options *options, const glia_network *network, const char *name,
                    glia_split split, glia_dataset **out)
{
    glia_error error;
    if (!source_check(options, name)) return EXIT_WRONG;
    if (open_as(options, name, split, network, NULL, false, 0, false, out, &error) == GLIA_OK)
        return EXIT_DONE;
    return source_complain(name, &error);
}

int source_need(const source_options *options, const char *name, glia_split split,
                glia_dataset **out)
{
    return source_need_for(options, NULL, name, split, out);
}
