/* SPDX-License-Identifier: MIT */
/*
 * glia train: opens the data, makes a network, trains it, saves it, scores it once on the test
 * split; with --seeds that several times. What can be wrong with the command is found out before
 * the first step.
 */
#include <stdlib.h>
#include <string.h>

#include "job/checkpoint_folder.h"
#include "job/run.h"
#include "shell/commands.h"
#include "shell/files.h"
#include "shell/output.h"

/* ---- What must stay --------------------------------------------------------------------- */

/* The model replaces no data, and nothing that this run or another one keeps. */
static void keep_inputs(const train_options *o, const char *data)
{
    static const char *const of_run[] = {"run.json", "metrics.jsonl", "result.json", "seeds.json"};
    static const char *const of_checkpoint[] = {"checkpoint.json", "state.safetensors"};
    const char *const inputs[] = {data, o->test.path, o->validation.path};
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        if (inputs[i] != NULL) keep_folder(inputs[i], "the data", ".safetensors");
    if (o->run != NULL) own_folder(o->run);
    if (o->checkpoint != NULL) own_folder(o->checkpoint);
    for (size_t i = 0; o->run != NULL && i < sizeof of_run / sizeof *of_run; i++)
        keep_file_in(o->run, of_run[i], "what --run keeps");
    for (size_t i = 0; o->checkpoint != NULL && i < sizeof of_checkpoint / sizeof *of_checkpoint;
         i++)
        keep_file_in(o->checkpoint, of_checkpoint[i], "what --checkpoint keeps");
}

/* run: what is known of one that goes on; zeros of another */
static int run_options(const train_options *options, const char *data, struct run run)
{
    const bool several = options->seeds > 0 || options->folds > 0;
    struct seeds seeds = {.n = options->folds > 0 ? options->folds : options->seeds,
                          .are_folds = options->folds > 0,
                          .first = options->folds > 0 ? 1 : train_seed(options),
                          .printed = !options->source.common.json};
    run.training.fold = SIZE_MAX;
    train_copy(options, &run.settled);
    run.training.options = &run.settled;
    run.training.data = data;
    run.seeds = several ? &seeds : NULL;
    run.view = (training_view){.quiet = options->quiet || several,
                               .validation = train_holds_out(&options->validation),
                               .plot = options->plot};
    run.training.score = score_none();
    int exit_status = EXIT_WRONG;
    folder_lock lock = {.file = NULL}; /* of the folder of several runs */
    if (train_check_options(options, data)) {
        keep_inputs(options, data);
        exit_status = options->folds > 0   ? run_folds(&run, &seeds)
                      : options->seeds > 0 ? run_seeds(&run, &seeds, &lock)
                                           : run_alone(&run);
    }
    folder_lock_give_back(&lock);
    open_data_close(&run.data_sets);
    seeds_free(&seeds);
    checkpoint_folder_close(&run.kept);
    train_clear(&run.settled);
    return exit_status;
}

/* ---- A run that goes on --------------------------------------------------------------------- */

/* Whether the command says nothing but what may be other than it was. */
static bool check_resume(const struct command_line *line, int n_operands, char *const *operands)
{
    static const char *const may_change[] = {"resume", "threads", "checkpoint-every",
                                             "plot",   "quiet",   "json"};
    if (n_operands > 0) {
        complain("train: --resume goes on with the data of the run; leave out \"%s\"", operands[0]);
        return false;
    }
    for (size_t i = 0; i < line->n_settings; i++) {
        bool may = false;
        for (size_t k = 0; k < sizeof may_change / sizeof *may_change; k++)
            may = may || strcmp(line->settings[i].option->name, may_change[k]) == 0;
        if (may) continue;
        complain("train: --resume goes on with the settings of the run; leave out --%s",
                 line->settings[i].option->name);
        return false;
    }
    return true;
}

/* Puts where the run's results go, and what is said anew, into the options of its words. */
static bool complete_resumed(train_options *o, const train_options *anew,
                             const checkpoint_folder *kept)
{
    const struct command_line *line = anew->source.common.line;
    const char *every = checkpoint_folder_text(kept, "every");
    o->checkpoint = kept->path;
    o->output = checkpoint_folder_text(kept, "model");
    o->run = checkpoint_folder_text(kept, "run");
    o->tensorboard = o->run != NULL && json_is_true(json_object_get(kept->said, "tensorboard"));
    o->quiet = anew->quiet;
    o->plot = anew->plot;
    o->source.common.json = anew->source.common.json;
    for (size_t i = 0; i < line->n_settings; i++)
        if (strcmp(line->settings[i].option->name, "threads") == 0)
            train_put(o, "threads", train_threads(anew));
    o->checkpoint_every = anew->checkpoint_every;
    if (every == NULL || anew->checkpoint_every.text != NULL) return true;
    static const char name[] = "checkpoint-every";
    const struct setting setting = {options_find(&train_command, name, sizeof name - 1), every};
    if (options_set(&setting, o)) return true;
    options_complain_value(kept->path, setting.option, every);
    return false;
}

static int resume_run(const train_options *anew)
{
    struct run run = {.shown = anew->resume, .resumes = true};
    struct command_line line;
    int n, exit_status = EXIT_FAILED;
    if (!checkpoint_folder_open(anew->resume, &run.kept)) return EXIT_FAILED;
    char **argv = checkpoint_folder_words(&run.kept, &n);
    char **parsed = need_memory((size_t)n, sizeof *parsed); /* parsing moves words */
    memcpy(parsed, argv, (size_t)n * sizeof *argv);
    train_options *options = options_new(&train_command);
    const bool good = options_parse(&train_command, n, parsed, options, &line);
    options->source.common.line = &line;
    if (good && complete_resumed(options, anew, &run.kept))
        exit_status = run_options(options, line.operands[0], run);
    else
        checkpoint_folder_close(&run.kept);
    options_free(&line);
    for (int i = 0; i < n; i++) free(argv[i]);
    free(argv);
    free(parsed);
    options_delete(&train_command, options);
    return exit_status;
}

static int train_run(void *field, int n_operands, char *const *operands)
{
    const train_options *options = field;
    if (options->resume == NULL)
        return run_options(options, operands[0], (struct run){.shown = options->checkpoint});
    return check_resume(options->source.common.line, n_operands, operands) ? resume_run(options)
                                                                           : EXIT_WRONG;
}

static const example train_examples[] = {
    {"glia train digits", "Learn the built-in digits; the model is digits.safetensors."},
    {"glia train mnist --hidden none -o softmax.safetensors",
     "Softmax regression, without a hidden layer."},
    {"glia train mnist --hidden 512,256 --validation 0.1 --patience 3 --epochs 50",
     "Two hidden layers; stop when the validation loss has not fallen for 3 epochs."},
    {"glia train mnist --hidden 800 --augment --epochs 30 --lr-end 0",
     "See each image a little distorted in every epoch."},
    {"glia train mnist --recipe fast", "Get 98 % of MNIST's test images right in the least time."},
    {"glia train --recipe fast --print", "Print the options of that recipe as a file, to keep and "
                                         "change."},
    {"glia train digits --hidden 32 --checkpoint kept",
     "Keep the state; 'glia train --resume kept' continues after any interruption."},
    {"glia train digits --hidden 32 --epochs 3 --seeds 5",
     "Train with five seeds; print their mean accuracy and its standard error."},
    {NULL, NULL},
};

const struct command train_command = {
    .name = "train",
    .operands = "DATA",
    .summary = "train a network on a data set and save it",
    .description =
        "Trains a network of fully connected layers with stochastic gradient descent or an "
        "optimizer built on it, and saves it as a safetensors file. The data decide whether it "
        "learns classes, labels or values; --loss overrides that.\n\n" //
    SOURCE_DESCRIPTION "\n\n"
        "Three engines can compute: reference (plain loops), native (fast kernels that skip the "
        "zeros of data such as MNIST) and onednn (the library oneDNN). The first lines of a run, "
        "--json and the model say which one was chosen, and why. bf16 rounds the factors of each "
        "product to 8 bits and sums in f32; the weights stay f32. It is faster for large networks. "
        "--batch 1 always runs on reference or native, in f32.\n\n"
        "The defaults for a table depend on its size: one hidden layer of 100 units, Adam with a "
        "learning rate of 0.01 and a cosine schedule, about 1,000 steps or 50 epochs, and L2 "
        "regularisation.\n\n"
        "A recipe is a text file with one option a line, as on the command line (--lr 0.5). It "
        "holds options of training, not of files; lines that begin with # are comments. Name your "
        "own recipe by its path (./my.recipe); --print writes one.\n\n"
        "If the data set has test samples, the finished network is scored on them once. Ctrl-C "
        "(SIGINT), SIGTERM and SIGHUP stop training after the current step: the network is saved "
        "as it is then (with --validation as it was after the best epoch), and the exit status is "
        "130. If the loss is no longer finite, training stops with status 1 and saves the weights "
        "of the last good epoch, if there is one.\n\n"
        "--checkpoint DIR keeps the state of the run in DIR every 30 seconds (--checkpoint-every "
        "changes that) and when it is interrupted. 'glia train --resume DIR' continues the run "
        "with its own settings and gives the same bits as a run without a break. It needs the "
        "same level of instruction set, and with oneDNN as many threads as before.\n\n"
        "--seeds N trains N networks, each exactly as --seed alone would. With -o m.safetensors "
        "they are saved as m-1.safetensors, m-2.safetensors, ...; with --run DIR in DIR/seed-1, "
        "DIR/seed-2, ..., and DIR/seeds.json holds what --json prints. The mean leaves out a run "
        "that diverges, and the exit status is then 1.",
    .options = train_option_table,
    .examples = train_examples,
    .options_size = sizeof(train_options),
    .min_operands = 1,
    .max_operands = 1,
    .set_defaults = train_set_defaults,
    .clear = train_clear,
    .run = train_run,
};
