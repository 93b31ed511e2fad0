/* SPDX-License-Identifier: MIT */
/* One run: its data, its network, training, saving, scoring. */
#include "job/run.h"

#include <stdlib.h>
#include <unistd.h>

#include "data/findings.h"
#include "job/model_path.h"
#include "shell/commands.h"
#include "shell/signals.h"

json_t *run_outcome(const struct run *run)
{
    return training_outcome(&(struct training){.options = run->options,
                                               .data = run->data,
                                               .model = run->saved ? run->path : NULL,
                                               .network = run->network,
                                               .result = &run->result,
                                               .score = &run->score,
                                               .targets = run->targets,
                                               .startup_seconds = run->view.startup_ended,
                                               .diagnoses = run->diagnoses});
}

/* Trains; complains when the training diverged, which leaves something to be saved or not. */
static glia_status train_network(struct run *run, glia_error *error)
{
    glia_settings *settings = run->options->settings;
    const checkpoint_interval *every = &run->options->checkpoint_every;
    glia_settings_on_progress(settings, run_step, run);
    glia_settings_on_diagnosis(settings, run_diagnosed, run->data_sets.all, run);
    glia_status status =
        glia_settings_keep(settings, run->kept.path ? run->kept.state : NULL, every->steps,
                           every->seconds, run->kept.path != NULL && run->kept.begun, error);
    if (status == GLIA_OK)
        status = glia_train(run->network, run->parts.train, run->parts.validation, settings,
                            &run->result, error);
    training_end(&run->view);
    bench_end(&run->bar);
    return status;
}

glia_status run_train(struct run *run, int *exit_status, glia_error *error)
{
    const train_options *options = run->options;
    glia_status status = run_parts_make(options, &run->data_sets, run->fold, &run->parts, error);
    if (status == GLIA_OK)
        status = training_network(options, run->parts.train, &run->network, error);
    if (status != GLIA_OK) return status;
    if (run->folder != NULL)
        run_folder_begin(run->folder, options, run->data, run->parts.train, run->parts.validation,
                         run->parts.test, run->network);

    if (run_has_head(run)) run->survey = findings_look(run->data_sets.all);
    signals_guard(true);
    status = train_network(run, error);
    if (status != GLIA_OK && status != GLIA_DIVERGED) return status;
    if (status == GLIA_DIVERGED) {
        complain("%s%s", run_name_seed(run).s, error->message);
        *exit_status = EXIT_FAILED;
    } else if (run->result.stop == GLIA_STOP_CANCELLED) {
        *exit_status = EXIT_INTERRUPTED;
    }

    /* After a divergence the network is that of the last good epoch, if there was one. */
    if (run->path != NULL && (status == GLIA_OK || run->result.best_epoch > 0)) {
        const bool replaces = access(run->path, F_OK) == 0;
        status = glia_network_save(run->network, run->path, error);
        if (status != GLIA_OK) return status;
        run->saved = true;
        run->replaced = replaces;
    }
    if (*exit_status != EXIT_DONE) run_complain_end(run);
    if (*exit_status == EXIT_DONE && run->kept.begun && !run->went_on && !options->quiet)
        complain("%s: the run was finished before; its network is written again", run->shown);
    if (*exit_status != EXIT_DONE || run->parts.test == NULL) return GLIA_OK;
    if (run->seeds == NULL) signals_guard(false);
    status = glia_evaluate(run->network, run->parts.test, train_threads(options), &run->score, NULL,
                           error);
    if (status != GLIA_OK) return status;
    return score_targets(run->network, run->parts.test, train_threads(options), &run->targets,
                         error);
}

/*
 * Finds where the model goes, and complains when it, or the run, cannot be kept where it is to be.
 * Nothing is made yet.
 */
static bool check_places(struct run *run)
{
    const train_options *options = run->options;
    run->path = options->output;
    if (run->path == NULL && options->run != NULL) {
        run_folder_file(options->run, "model.safetensors", run->path_memory,
                        sizeof run->path_memory);
        run->path = run->path_memory;
    } else if (run->path == NULL && run->seeds == NULL) {
        model_path_default(run->data, run->path_memory, sizeof run->path_memory);
        run->path = run->path_memory;
    }
    const bool is_default = options->output == NULL && options->run == NULL;
    if (options->run != NULL && !run->kept.begun && !run_folder_check(options->run)) return false;
    return run->path == NULL || (model_path_check(run->path) &&
                                 (!is_default || model_path_check_default(run->path, run->data)));
}

bool run_begin(struct run *run, json_t *command)
{
    const train_options *options = run->options;
    const bool checkpoint_is_new = options->checkpoint != NULL && !run->resumes;
    bool good = check_places(run);
    if (good && checkpoint_is_new) good = checkpoint_folder_make(options->checkpoint, &run->kept);
    if (good && options->run != NULL) {
        run->folder = (run->kept.begun ? run_folder_continue : run_folder_new)(
            options->run, json_incref(command), options->tensorboard);
        good = run->folder != NULL;
    }
    if (good && checkpoint_is_new)
        good = checkpoint_folder_begin(&run->kept, json_incref(command), run->path, options);
    json_decref(command);
    if (good) return true;
    run_folder_free(run->folder);
    run->folder = NULL;
    return false;
}

int run_end(struct run *run, int exit_status)
{
    if (run->folder != NULL &&
        !run_folder_end(run->folder, exit_status == EXIT_DONE ? run_outcome(run) : NULL) &&
        exit_status == EXIT_DONE)
        exit_status = EXIT_FAILED;
    json_decref(run->diagnoses);
    free(run->targets);
    run_folder_free(run->folder);
    glia_network_free(run->network);
    glia_survey_free(run->survey);
    run_parts_free(&run->parts);
    return exit_status;
}

int run_alone(struct run *run)
{
    const train_options *options = run->options;
    int exit_status = EXIT_DONE;
    glia_error error;
    if (!check_places(run)) return EXIT_FAILED;
    glia_status status = open_data_for(&run->settled, run->data, &run->data_sets, &error);
    if (status != GLIA_OK) return source_complain(run->data, &error);
    if (!run_begin(run, options_words(&train_command, options->source.common.line)))
        return EXIT_FAILED;
    status = run_train(run, &exit_status, &error);
    if (status != GLIA_OK)
        exit_status = source_complain(run->data, &error);
    else if (options->source.common.json)
        json_print(run_outcome(run));
    else if (exit_status != EXIT_FAILED || run->saved)
        run_print_result(run);
    return run_end(run, exit_status);
}
