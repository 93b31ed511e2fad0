/* SPDX-License-Identifier: MIT */
/*
 * glia train: opens the data, makes a network, trains it, saves it, scores it once on the test
 * split; with --seeds that several times. What can be wrong with the command is found out before
 * the first step.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/findings.h"
#include "draw/progress.h"
#include "job/checkpoint_folder.h"
#include "job/model_path.h"
#include "job/parts.h"
#include "job/run_folder.h"
#include "job/scores.h"
#include "job/seeds.h"
#include "job/training.h"
#include "shell/commands.h"
#include "shell/files.h"
#include "shell/output.h"
#include "shell/signals.h"
#include "shell/wording.h"

/* What a run has found out, from its beginning to its end. */
struct run {
    const train_options *options; /* settled, but for the seed of one of several */
    train_options settled;        /* as they were given, and completed by what the data are */
    const char *data;
    const char *path; /* of the model; NULL: it is not kept */
    char path_memory[LONGEST_PATH];
    run_folder *folder;     /* or NULL */
    checkpoint_folder kept; /* without a path: there is none */
    const char *shown;      /* ... as it was named */
    bool resumes;           /* what is kept there */
    bool headed, went_on;   /* whether the head is printed; an epoch was ended */
    struct seeds *seeds;    /* NULL: it is one run alone */
    double began;           /* now_seconds() of the first of several */
    bench_view bar;         /* of several */
    open_data data_sets;    /* for all of several */
    run_parts parts;
    size_t fold; /* from 0; SIZE_MAX: none */
    glia_network *network;
    glia_survey *survey; /* what a look at the data finds; NULL: there was none */
    training_view view;
    json_t *diagnoses; /* an array; NULL: none */
    glia_train_result result;
    glia_metrics score;    /* on the test split; NANs without */
    glia_metrics *targets; /* of each of several targets there, owned; or NULL */
    bool saved, replaced;  /* whether the network was; in the place of another */
};

static json_t *outcome(const struct run *run)
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

/* ---- The parts of a run -------------------------------------------------------------------- */

/* "784-256-10, relu" */
static void describe_layers(const struct run *run, char *text, size_t size)
{
    glia_network_info network = glia_network_describe(run->network);
    size_t used = (size_t)snprintf(text, size, "%zu", network.inputs);
    for (size_t i = 0; i < network.layers && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "-%zu",
                                 glia_network_layer(run->network, i).units);
    if (network.layers > 1 && used + 2 < size) {
        used += (size_t)snprintf(text + used, size - used, ", ");
        glia_settings_get(run->options->settings, "activation", text + used, size - used);
    }
}

/* From where a run goes on. */
static void print_place(const struct run *run, const glia_progress *p)
{
    const char *dim = style_begin(stderr, STYLE_DIM), *end = style_end(stderr);
    fprintf(stderr, "%sfrom   %s   ", dim, end);
    print_clean(stderr, run->shown);
    fprintf(stderr, ": epoch %zu, sample %s of %s, step %s\n", p->epoch, show_count(p->done).s,
            show_count(p->samples).s, show_count(p->step).s);
    if (!run->kept.moved) return;
    fprintf(stderr, "%sfolder %s   ", dim, end);
    print_clean(stderr, checkpoint_folder_text(&run->kept, "folder"));
    fputc('\n', stderr);
}

/* Whether a run's head is printed: of several runs that of the first. */
static bool has_head(const struct run *run)
{
    return !run->options->quiet && (run->seeds == NULL || run->seeds->outcomes == NULL);
}

static void print_head(const struct run *run, const glia_progress *p)
{
    char layers[512];
    const char *dim = style_begin(stderr, STYLE_DIM), *end = style_end(stderr);
    describe_layers(run, layers, sizeof layers);
    fprintf(stderr, "%sdata   %s   ", dim, end);
    print_clean(stderr, source_shown_name(run->data));
    fprintf(stderr, ": %s",
            show_several(glia_dataset_describe(run->parts.train).samples, "sample").s);
    if (run->parts.validation != NULL)
        fprintf(stderr, ", %s held out",
                show_count(glia_dataset_describe(run->parts.validation).samples).s);
    fprintf(stderr, ", %s to test",
            run->parts.test != NULL ? show_count(glia_dataset_describe(run->parts.test).samples).s
                                    : "none");
    fputc('\n', stderr);
    const bool of_images = glia_dataset_describe(run->parts.train).height > 0;
    for (const char *note = glia_dataset_notes(run->data_sets.all); *note != '\0';) {
        const size_t length = strcspn(note, "\n");
        char *line = need_memory(length + 1, 1);
        memcpy(line, note, length);
        char *named = option_names(line);
        fprintf(stderr, "%s%s%s   ", dim, of_images ? "images " : "table  ", end);
        print_clean(stderr, named);
        fputc('\n', stderr);
        free(named);
        free(line);
        note += length + (note[length] == '\n');
    }
    findings_print(run->survey, run->data, "check  ");
    fprintf(stderr, "%snetwork%s   %s, %s\n", dim, end, layers,
            show_several(glia_network_describe(run->network).parameters, "parameter").s);
    fprintf(stderr, "%sengine %s   %s %s %s, %d thread%s", dim, end, p->engine, p->isa,
            glia_precision_name(p->precision), p->threads, p->threads == 1 ? "" : "s");
    if (p->onednn_isa != NULL) fprintf(stderr, "; oneDNN takes %s", p->onednn_isa);
    fputc('\n', stderr);
    fprintf(stderr, "%splan   %s   %s\n", dim, end, p->plan);
    if (run->kept.begun) print_place(run, p);
    if (run->seeds != NULL && run->seeds->are_folds)
        fprintf(stderr, "%sfolds  %s   %s\n", dim, end, show_count(run->seeds->n).s);
    else if (run->seeds != NULL)
        fprintf(stderr, "%sseeds  %s   %s, from %llu on\n", dim, end, show_count(run->seeds->n).s,
                (unsigned long long)run->seeds->first);
}

/* The bar of several runs, whose epochs are not told one by one. */
static void draw_seeds(struct run *run, const glia_progress *p)
{
    static const double redraw_seconds = 0.1;
    const double now = now_seconds();
    if (!is_rich(stderr) || run->options->quiet || now - run->view.drawn_at < redraw_seconds)
        return;
    const double of_run =
        ((double)(p->epoch - 1) + (double)p->done / (double)p->samples) / (double)p->epochs;
    const size_t before = json_array_size(run->seeds->outcomes);
    const double done = ((double)before + of_run) / (double)run->seeds->n;
    char left[64], right[64];
    snprintf(left, sizeof left, "run %zu of %zu, epoch %zu of %zu", before + 1, run->seeds->n,
             p->epoch, p->epochs);
    snprintf(right, sizeof right, "%s left",
             show_duration(done > 0 ? (now - run->began) * (1 - done) / done : NAN).s);
    bench_bar(&run->bar, left, done, right);
    run->view.drawn_at = now;
}

/* The head of the run comes before its first step. */
static bool step(void *user, const glia_progress *p)
{
    struct run *run = user;
    if (!run->headed && has_head(run)) print_head(run, p);
    run->headed = true;
    run->went_on = run->went_on || p->epoch_end;
    if (run->seeds != NULL) draw_seeds(run, p);
    if (run->folder != NULL) run_folder_step(run->folder, p);
    return training_step(&run->view, p);
}

/* "seed 3: " where there are several. */
static words name_seed(const struct run *run)
{
    words w = {""};
    if (run->seeds != NULL)
        snprintf(w.s, sizeof w.s, "seed %llu: ", (unsigned long long)train_seed(run->options));
    return w;
}

/* Why nothing is learned, as it shows. */
static void diagnosed(void *user, const glia_diagnosis *diagnosis)
{
    struct run *run = user;
    training_keep(&run->diagnoses, diagnosis);
    bench_end(&run->bar);
    if (run->seeds != NULL)
        complain("%swarning: %s", name_seed(run).s, diagnosis->message);
    else
        training_warn(&run->view, diagnosis->message);
}

/* Trains; complains when the training diverged, which leaves something to be saved or not. */
static glia_status train(struct run *run, glia_error *error)
{
    glia_settings *settings = run->options->settings;
    const checkpoint_interval *every = &run->options->checkpoint_every;
    glia_settings_on_progress(settings, step, run);
    glia_settings_on_diagnosis(settings, diagnosed, run->data_sets.all, run);
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

/* ---- The result ---------------------------------------------------------------------------- */

/* On the test split; accuracy alone misleads where a class is frequent or rows are few. */
static void print_score(const struct run *run)
{
    enum { FEW = 30 };
    const glia_metrics *score = &run->score;
    const char *dim = style_begin(stdout, STYLE_DIM), *end = style_end(stdout);
    const bool two = isfinite(score->majority) && isfinite(score->roc_auc);
    printf("%stest    %s   %s%s%s", dim, end, style_begin(stdout, STYLE_BOLD), show_score(score).s,
           end);
    if (isfinite(score->r2)) printf(", R2 %s", show_number(score->r2).s);
    if (isfinite(score->roc_auc)) printf(", ROC AUC %s", show_number(score->roc_auc).s);
    printf(", loss %s\n", show_loss(score->loss).s);
    if (two || score_is_imbalanced(score)) {
        printf("%s       %s   ", dim, end);
        print_clean(stdout, show_majority(score, run->network).s);
        printf("; balanced accuracy %s\n", show_percent(score->balanced_accuracy).s);
    }
    if (glia_settings_is_set(run->options->settings, "class-weights") &&
        score->accuracy < score->majority)
        printf("          --class-weights trades accuracy for the recall of rare classes: compare "
               "by ROC AUC or balanced accuracy\n");
    if (score->samples < FEW)
        printf("          %zu test sample%s too few for a reliable score%s\n", score->samples,
               score->samples == 1 ? " is" : "s are",
               run->seeds == NULL && source_is_file(run->data) ? "; try --folds" : "");
}

static void print_result(const struct run *run)
{
    const glia_train_result *r = &run->result;
    const char *dim = style_begin(stdout, STYLE_DIM), *end = style_end(stdout);
    if (run->view.headed) fputc('\n', stderr); /* below the epochs */
    fflush(stderr);
    /* Of a run that ended otherwise it has been said already what is saved. */
    bool complete = r->stop == GLIA_STOP_EPOCHS || r->stop == GLIA_STOP_EARLY;
    if (complete && run->parts.validation != NULL && r->best_epoch < r->epochs)
        printf("%skept    %s   epoch %zu of %zu, where the validation loss was lowest\n", dim, end,
               r->best_epoch, r->epochs);
    if (isfinite(run->score.loss)) print_score(run);
    if (run->targets != NULL) {
        print_targets(run->network, run->targets);
        printf("\n");
    }
    printf("%stime    %s   %s", dim, end, show_duration(r->seconds).s);
    if (r->samples_per_second > 0 || !run->kept.begun) /* else there was nothing left to do */
        printf(", %s samples/s",
               show_count(isfinite(r->samples_per_second) ? (uint64_t)r->samples_per_second : 0).s);
    printf("\n");
    if (!run->saved) return;
    printf("%smodel   %s   ", dim, end);
    print_clean(stdout, run->path);
    printf("%s\n", run->replaced && !run->kept.begun ? " (the one before is replaced)" : "");
}

/* Says what became of the network of a run that did not end as it should. */
static void complain_end(const struct run *run)
{
    const bool diverged = run->result.stop == GLIA_STOP_DIVERGED;
    const words seed = name_seed(run);
    if (diverged && run->saved)
        complain("%sthe network as it was after epoch %zu is saved", seed.s,
                 run->result.best_epoch);
    else if (diverged && run->path != NULL)
        complain("%snothing is saved", seed.s);
    else if (!diverged && !run->saved)
        complain("%sinterrupted", seed.s);
    else if (!diverged && run->parts.validation && run->result.best_epoch > 0)
        complain("%sinterrupted; the network of epoch %zu, the best so far, is saved", seed.s,
                 run->result.best_epoch);
    else if (!diverged)
        complain("%sinterrupted; the network is saved as it is", seed.s);
    if (!diverged && run->kept.path != NULL)
        complain("'glia train --resume %s' goes on with the run", run->shown);
}

/*
 * A run on data that are open. A library failure is left in *error; a run that diverged or was
 * interrupted is none, and sets the exit status.
 */
static glia_status run_training(struct run *run, int *exit_status, glia_error *error)
{
    const train_options *options = run->options;
    glia_status status = run_parts_make(options, &run->data_sets, run->fold, &run->parts, error);
    if (status == GLIA_OK)
        status = training_network(options, run->parts.train, &run->network, error);
    if (status != GLIA_OK) return status;
    if (run->folder != NULL)
        run_folder_begin(run->folder, options, run->data, run->parts.train, run->parts.validation,
                         run->parts.test, run->network);

    if (has_head(run)) run->survey = findings_look(run->data_sets.all);
    signals_guard(true);
    status = train(run, error);
    if (status != GLIA_OK && status != GLIA_DIVERGED) return status;
    if (status == GLIA_DIVERGED) {
        complain("%s%s", name_seed(run).s, error->message);
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
    if (*exit_status != EXIT_DONE) complain_end(run);
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

/* Makes the folders of the run, which are kept with this command (taken over), or complains. */
static bool begin_run(struct run *run, json_t *command)
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

/* Ends the folder, and frees what is this run's alone. Returns the exit status. */
static int end_run(struct run *run, int exit_status)
{
    if (run->folder != NULL &&
        !run_folder_end(run->folder, exit_status == EXIT_DONE ? outcome(run) : NULL) &&
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

static int run_alone(struct run *run)
{
    const train_options *options = run->options;
    int exit_status = EXIT_DONE;
    glia_error error;
    if (!check_places(run)) return EXIT_FAILED;
    glia_status status = open_data_for(&run->settled, run->data, &run->data_sets, &error);
    if (status != GLIA_OK) return source_complain(run->data, &error);
    if (!begin_run(run, options_words(&train_command, options->source.common.line)))
        return EXIT_FAILED;
    status = run_training(run, &exit_status, &error);
    if (status != GLIA_OK)
        exit_status = source_complain(run->data, &error);
    else if (options->source.common.json)
        json_print(outcome(run));
    else if (exit_status != EXIT_FAILED || run->saved)
        print_result(run);
    return end_run(run, exit_status);
}

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

/* Data are opened once for all. */
static int run_seeds(struct run *shared, struct seeds *seeds, folder_lock *lock)
{
    const train_options *all = shared->options;
    int exit_status = EXIT_DONE;
    glia_error error;
    if (!check_seeds(all)) return EXIT_FAILED;
    if (all->run != NULL && !folder_lock_take(lock, all->run, "run")) return EXIT_FAILED;
    if (open_data_for(&shared->settled, shared->data, &shared->data_sets, &error) != GLIA_OK)
        return source_complain(shared->data, &error);
    shared->began = now_seconds();
    for (size_t i = 0; i < seeds->n && exit_status != EXIT_INTERRUPTED; i++) {
        struct run run = *shared;
        struct one_seed one;
        int status = EXIT_DONE;
        run.options = &one.options;
        if (!choose_seed(all, i, &one) || !begin_run(&run, words_of_seed(&one))) {
            train_clear(&one.options);
            return EXIT_FAILED;
        }
        if (run_training(&run, &status, &error) != GLIA_OK) {
            end_run(&run, EXIT_FAILED);
            train_clear(&one.options);
            return source_complain(shared->data, &error);
        }
        if (i > 0) run.view.startup_ended = 0; /* only the first had one */
        seeds_add(seeds, train_seed(&one.options), &run.result, &run.score, run.network,
                  outcome(&run));
        status = end_run(&run, status);
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
    run.fold = fold;
    run.path = is_fold ? NULL : run.options->output;
    const glia_status status = run_training(&run, &exit_status, error);
    if (status == GLIA_OK && is_fold)
        seeds_add(run.seeds, fold + 1, &run.result, &run.score, run.network, outcome(&run));
    exit_status = end_run(&run, exit_status);
    return status != GLIA_OK ? source_complain(run.data, error) : exit_status;
}

static int run_folds(struct run *shared, struct seeds *folds)
{
    glia_error error;
    int exit_status = EXIT_DONE;
    const char *output = shared->options->output;
    if (output != NULL && !model_path_check(output)) return EXIT_FAILED;
    if (open_data_for(&shared->settled, shared->data, &shared->data_sets, &error) != GLIA_OK)
        return source_complain(shared->data, &error);
    shared->began = now_seconds();
    for (size_t k = 0; k < folds->n && exit_status == EXIT_DONE; k++) {
        exit_status = run_fold(shared, k, &error);
        if (signals_came()) exit_status = EXIT_INTERRUPTED;
    }
    if (exit_status == EXIT_DONE && output != NULL)
        exit_status = run_fold(shared, folds->n, &error);
    signals_guard(false);
    if (folds->outcomes == NULL) return exit_status; /* it has been said why */
    if (shared->options->source.common.json)
        json_print(seeds_json(folds));
    else
        seeds_print(folds);
    return exit_status;
}

/* run: what is known of one that goes on; zeros of another */
static int run_options(const train_options *options, const char *data, struct run run)
{
    const bool several = options->seeds > 0 || options->folds > 0;
    struct seeds seeds = {.n = options->folds > 0 ? options->folds : options->seeds,
                          .are_folds = options->folds > 0,
                          .first = options->folds > 0 ? 1 : train_seed(options),
                          .printed = !options->source.common.json};
    run.fold = SIZE_MAX;
    train_copy(options, &run.settled);
    run.options = &run.settled;
    run.data = data;
    run.seeds = several ? &seeds : NULL;
    run.view = (training_view){.quiet = options->quiet || several,
                               .validation = train_holds_out(&options->validation),
                               .plot = options->plot};
    run.score = score_none();
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
