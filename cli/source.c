/* SPDX-License-Identifier: MIT */
/* Opening data sets for the commands. */
#include "source.h"

#include <pthread.h>
#include <string.h>

#include "output.h"
#include "progress.h"

const char *const split_names[] = {[GLIA_TRAIN] = "train", [GLIA_TEST] = "test", NULL};

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

bool source_check(const source_options *options, const char *name)
{
    if (options->seed != glia_data_default_params().seed && strcmp(name, "digits") != 0) {
        complain("--data-seed: %s is not drawn by a seed; only digits is", name);
        return false;
    }
    if (options->mirror != NULL && !can_download(name)) {
        complain("--mirror: %s is no data set that is downloaded; 'glia data list' lists those",
                 name);
        return false;
    }
    return true;
}

static glia_data_params params_of(const source_options *options, int threads)
{
    glia_data_params params = glia_data_default_params();
    params.seed = options->seed;
    params.offline = options->offline;
    params.threads = threads;
    params.directory = options->directory;
    params.mirror = options->mirror;
    return params;
}

glia_status source_open(const source_options *options, const char *name, glia_split split,
                        bool fresh, int threads, bool quiet, glia_dataset **out, glia_error *error)
{
    fetch_view view = {.quiet = quiet};
    glia_data_params params = params_of(options, threads);
    params.fresh = fresh;
    params.progress = fetch_step;
    params.user = &view;
    glia_status status = glia_dataset_open(name, split, &params, out, error);
    fetch_end(&view);
    return status;
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
    aside->status =
        glia_dataset_open(aside->name, GLIA_TEST, &aside->params, &aside->test, &aside->error);
    return NULL;
}

glia_status source_open_both(const source_options *options, const char *name, bool fresh,
                             int threads, bool quiet, glia_dataset **train, glia_dataset **test,
                             glia_error *error)
{
    struct aside aside = {.name = name, .params = params_of(options, threads)};
    pthread_t thread;
    aside.params.offline = true; /* one download at a time, and its progress from one thread */
    bool begun = threads != 1 && pthread_create(&thread, NULL, open_aside, &aside) == 0;
    glia_status status =
        source_open(options, name, GLIA_TRAIN, fresh, threads, quiet, train, error);
    if (begun) pthread_join(thread, NULL);
    if (status != GLIA_OK) {
        glia_dataset_free(aside.test);
        return status;
    }
    *test = aside.test;
    if (!begun || (aside.status == GLIA_NOT_FOUND && !options->offline)) {
        status = source_open(options, name, GLIA_TEST, false, threads, quiet, test, error);
    } else if (aside.status != GLIA_OK) {
        status = aside.status;
        *error = aside.error;
    }
    return status == GLIA_NOT_FOUND ? GLIA_OK : status;
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

int source_need(const source_options *options, const char *name, glia_split split,
                glia_dataset **out)
{
    glia_error error;
    if (!source_check(options, name)) return EXIT_WRONG;
    if (source_open(options, name, split, false, 0, false, out, &error) == GLIA_OK)
        return EXIT_DONE;
    return source_complain(name, &error);
}
