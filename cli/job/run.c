/* SPDX-License-Identifier: MIT */
/* One run: its data, its network, training, saving, scoring. */
#include "job/run.h"

#include "data/findings.h"
#include "job/model_path.h"
#include "shell/commands.h"
#include "shell/signals.h"

json_t *run_outcome(const struct run *run)
{
    struct training training = run->training;
    training.startup_seconds = run->view.startup_ended;
    return training_outcome(&training);
}

/* Whether a run ended as it should, diverged or was interrupted. */
static int exit_status_of(const struct training *t)
{
    return t->diverged                             ? EXIT_FAILED
           : t->result.stop == GLIA_STOP_CANCELLED ? EXIT_INTERRUPTED
                                                   : EXIT_DONE;
}

static glia_status begins(void *user, glia_error *error)
{
    struct run *run = user;
    glia_settings *settings = run->training.options->settings;
    const checkpoint_interval *every = &run->training.options->checkpoint_every;
    if (run_has_head(run)) run->survey = findings_look(run->data_sets.all);
    signals_guard(true);
    glia_settings_on_progress(settings, run_step, run);
    glia_settings_on_diagnosis(settings, run_diagnosed, run->data_sets.all, run);
    return glia_settings_keep(settings, run->kept.path ? run->kept.state : NULL, every->steps,
                              every->seconds, run->kept.path != NULL && run->kept.begun, error);
}

static void ends(void *user, const glia_error *error)
{
    struct run *run = user;
    training_end(&run->view);
    bench_end(&run->bar);
    if (run->training.diverged) complain("%s%s", run_name_seed(run).s, error->message);
}

static void is_kept(void *user)
{
    struct run *run = user;
    const bool is_done = exit_status_of(&run->training) == EXIT_DONE;
    if (!is_done) run_complain_end(run);
    if (is_done && run->kept.begun && !run->went_on && !run->training.options->quiet)
        complain("%s: the run was finished before; its network is written again", run->shown);
    if (is_done && run->training.parts.test != NULL && run->seeds == NULL) signals_guard(false);
}

glia_status run_train(struct run *run, int *exit_status, glia_error *error)
{
    struct training *t = &run->training;
    t->data_sets = &run->data_sets;
    t->keeps_unfinished = t->scores_targets = true;
    t->begins = begins;
    t->ends = ends;
    t->is_kept = is_kept;
    t->user = run;
    const glia_status status = training_run(t, error);
    if (status == GLIA_OK) *exit_status = exit_status_of(t);
    return status;
}

/*
 * Finds where the model goes, and complains when it, or the run, cannot be kept where it is to be.
 * Nothing is made yet.
 */
static bool check_places(struct run *run)
{
    const train_options *options = run->training.options;
    run->training.model = options->output;
    if (run->training.model == NULL && options->run != NULL) {
        run_folder_file(options->run, "model.safetensors", run->path_memory,
                        sizeof run->path_memory);
        run->training.model = run->path_memory;
    } else if (run->training.model == NULL && run->seeds == NULL) {
        model_path_default(run->training.data, run->path_memory, sizeof run->path_memory);
        run->training.model = run->path_memory;
    }
    const bool is_default = options->output == NULL && options->run == NULL;
    if (options->run != NULL && !run->kept.begun && !run_folder_check(options->run)) return false;
    return run->training.model == NULL ||
           (model_path_check(run->training.model) &&
            (!is_default || model_path_check_default(run->training.model, run->training.data)));
}

bool run_begin(struct run *run, json_t *command)
{
    const train_options *options = run->training.options;
    const bool checkpoint_is_new = options->checkpoint != NULL && !run->resumes;
    bool good = check_places(run);
    if (good && checkpoint_is_new) good = checkpoint_folder_make(options->checkpoint, &run->kept);
    if (good && options->run != NULL) {
        run->training.folder = (run->kept.begun ? run_folder_continue : run_folder_new)(
            options->run, json_incref(command), options->tensorboard);
        good = run->training.folder != NULL;
    }
    if (good && checkpoint_is_new)
        good =
            checkpoint_folder_begin(&run->kept, json_incref(command), run->training.model, options);
    json_decref(command);
    if (good) return true;
    run_folder_free(run->training.folder);
    run->training.folder = NULL;
    return false;
}

int run_end(struct run *run, int exit_status)
{
    if (run->training.folder != NULL &&
        !run_folder_end(run->training.folder, exit_status == EXIT_DONE ? run_outcome(run) : NULL) &&
        exit_status == EXIT_DONE)
        exit_status = EXIT_FAILED;
    run_folder_free(run->training.folder);
    glia_survey_free(run->survey);
    training_free(&run->training);
    return exit_status;
}

int run_alone(struct run *run)
{
    const train_options *options = run->training.options;
    int exit_status = EXIT_DONE;
    glia_error error;
    if (!check_places(run)) return EXIT_FAILED;
    glia_status status = open_data_for(&run->settled, run->training.data, &run->data_sets, &error);
    if (status != GLIA_OK) return source_complain(run->training.data, &error);
    if (!run_begin(run, options_words(&train_command, options->source.common.line)))
        return EXIT_FAILED;
    status = run_train(run, &exit_status, &error);
    if (status != GLIA_OK)
        exit_status = source_complain(run->training.data, &error);
    else if (options->source.common.json)
        json_print(run_outcome(run));
    else if (exit_status != EXIT_FAILED || run->training.saved)
        run_print_result(run);
    return run_end(run, exit_status);
}
