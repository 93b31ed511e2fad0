/* SPDX-License-Identifier: MIT */
/* Several runs of one command: one a seed, or one a fold. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "job/model_path.h"
#include "job/run.h"
#include "shell/commands.h"
#include "shell/signals.h"

/* ---- Several seeds -------------------------------------------------------------------------- */

/* The options of one of the runs: its seed, and its folder and model in paths of their own. */
struct one_seed {
    train_options options;
    char folder[LONGEST_PATH], model[LONGEST_PATH];
};

static bool choose_seed(const train_options *all, size_t i, struct one_seed *one)
{
    char seed[24];
    train_options *o = &one->options;
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)(train_seed(all) + i)); /* or again 0 */
    train_copy(all, o);
    need_good(glia_settings_set(o->settings, "seed", seed, NULL));
    bool fits = all->output == NULL ||
                seeds_path(all->output, train_seed(o), one->model, sizeof one->model);
    if (all->run != NULL)
        fits = snprintf(one->folder, sizeof one->folder, "%s/seed-%llu", all->run,
                        (unsigned long long)train_seed(o)) < (int)sizeof one->folder - 64 &&
               fits;
    if (!fits) complain("train: the name of the %s is too long", all->run ? "folder" : "model");
    if (all->output != NULL) o->output = one->model;
    if (all->run != NULL) o->run = one->folder;
    return fits;
}

/* The words that repeat one of the runs alone: its own seed in place of the first one's. */
static json_t *words_of_seed(const struct one_seed *one)
{
    json_t *list = options_words(&train_command, one->options.source.common.line);
    size_t i = 0;
    const char *word = json_string_value(json_array_get(list, i));
    while (strncmp(word, "--seed=", 7) != 0 && strcmp(word, "--") != 0)
        word = json_string_value(json_array_get(list, ++i));
    json_t *seed =
        json_need(json_sprintf("--seed=%llu", (unsigned long long)train_seed(&one->options)));
    if ((word[2] != '\0' ? json_array_set_new(list, i, seed)
                         : json_array_insert_new(list, i, seed)) != 0)
        json_need(NULL); /* no memory */
    return list;
}

/* Finds before the first run what would stop a later one; makes the folder that holds theirs. */
static bool check_seeds(const train_options *all)
{
    struct one_seed one;
    struct stat status;
    for (size_t i = 0; i < all->seeds; i++) {
        const bool fits = choose_seed(all, i, &one);
        train_clear(&one.options);
        if (!fits || (all->output != NULL && !model_path_check(one.model))) return false;
        if (all->run != NULL && run_folder_is_finished(one.folder)) {
            complain("%s: holds a finished run; name another folder, or remove this one",
                     one.folder);
            return false;
        }
    }
    if (all->run == NULL) return true;
    char path[LONGEST_PATH];
    run_folder_file(all->run, "run.json", path, sizeof path);
    if (stat(path, &status) == 0) {
        complain("%s: holds a run; name another folder for several", all->run);
        return false;
    }
    if (mkdir(all->run, 0777) != 0 && errno != EEXIST) {
        complain("%s: cannot make the folder of the runs: %s", all->run, strerror(errno));
        return false;
    }
    if (stat(all->run, &status) == 0 && S_ISDIR(status.st_mode)) return true;
    complain("%s: cannot keep runs there: it is no folder", all->run);
    return false;
}

int run_seeds(struct run *shared, struct seeds *seeds, folder_lock *lock)
{
    const train_options *all = shared->training.options;
    int exit_status = EXIT_DONE;
    glia_error error;
    if (!check_seeds(all)) return EXIT_FAILED;
    if (all->run != NULL && !folder_lock_take(lock, all->run, "run")) return EXIT_FAILED;
    if (open_data_for(&shared->settled, shared->training.data, &shared->data_sets, &error) !=
        GLIA_OK)
        return source_complain(shared->training.data, &error);
    shared->began = now_seconds();
    for (size_t i = 0; i < seeds->n && exit_status != EXIT_INTERRUPTED; i++) {
        struct run run = *shared;
        struct one_seed one;
        int status = EXIT_DONE;
        run.training.options = &one.options;
        if (!choose_seed(all, i, &one) || !run_begin(&run, words_of_seed(&one))) {
            train_clear(&one.options);
            return EXIT_FAILED;
        }
        if (run_train(&run, &status, &error) != GLIA_OK) {
            run_end(&run, EXIT_FAILED);
            train_clear(&one.options);
            return source_complain(shared->training.data, &error);
        }
        if (i > 0) run.view.startup_ended = 0; /* only the first had one */
        seeds_add(seeds, train_seed(&one.options), &run.training.result, &run.training.score,
                  run.training.network, run_outcome(&run));
        status = run_end(&run, status);
        train_clear(&one.options);
        if (status != EXIT_DONE) exit_status = status;
        if (signals_came()) exit_status = EXIT_INTERRUPTED;
    }
    signals_guard(false);
    json_t *sum = seeds_json(seeds);
    if (all->run != NULL) {
        char path[LONGEST_PATH];
        run_folder_file(all->run, "seeds.json", path, sizeof path);
        if (!replace_json(path, json_incref(sum)) && exit_status == EXIT_DONE)
            exit_status = EXIT_FAILED;
    }
    if (all->source.common.json)
        json_print(sum);
    else {
        json_decref(sum);
        seeds_print(seeds);
    }
    return exit_status;
}

/* ---- Cross-validation ----------------------------------------------------------------------- */

/* One of the folds, or after them all rows, which make the model that is kept. */
static int run_fold(const struct run *shared, size_t fold, glia_error *error)
{
    struct run run = *shared;
    const bool is_fold = fold < run.seeds->n;
    int exit_status = EXIT_DONE;
    run.training.fold = fold;
    run.training.model = is_fold ? NULL : run.training.options->output;
    const glia_status status = run_train(&run, &exit_status, error);
    if (status == GLIA_OK && is_fold)
        seeds_add(run.seeds, fold + 1, &run.training.result, &run.training.score,
                  run.training.network, run_outcome(&run));
    exit_status = run_end(&run, exit_status);
    return status != GLIA_OK ? source_complain(run.training.data, error) : exit_status;
}

int run_folds(struct run *shared, struct seeds *folds)
{
    glia_error error;
    int exit_status = EXIT_DONE;
    const char *output = shared->training.options->output;
    if (output != NULL && !model_path_check(output)) return EXIT_FAILED;
    if (open_data_for(&shared->settled, shared->training.data, &shared->data_sets, &error) !=
        GLIA_OK)
        return source_complain(shared->training.data, &error);
    shared->began = now_seconds();
    for (size_t k = 0; k < folds->n && exit_status == EXIT_DONE; k++) {
        exit_status = run_fold(shared, k, &error);
        if (signals_came()) exit_status = EXIT_INTERRUPTED;
    }
    if (exit_status == EXIT_DONE && output != NULL)
        exit_status = run_fold(shared, folds->n, &error);
    signals_guard(false);
    if (folds->outcomes == NULL) return exit_status; /* it has been said why */
    if (shared->training.options->source.common.json)
        json_print(seeds_json(folds));
    else
        seeds_print(folds);
    return exit_status;
}
