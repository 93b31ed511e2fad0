/* SPDX-License-Identifier: MIT */
/* What is shown of a run: its head, its progress, its result. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/findings.h"
#include "job/run.h"
#include "shell/wording.h"

/* "784-256-10, relu" */
static void describe_layers(const struct run *run, char *text, size_t size)
{
    glia_network_info network = glia_network_describe(run->training.network);
    size_t used = (size_t)snprintf(text, size, "%zu", network.inputs);
    for (size_t i = 0; i < network.layers && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "-%zu",
                                 glia_network_layer(run->training.network, i).units);
    if (network.layers > 1 && used + 2 < size) {
        used += (size_t)snprintf(text + used, size - used, ", ");
        glia_settings_get(run->training.options->settings, "activation", text + used, size - used);
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

bool run_has_head(const struct run *run)
{
    return !run->training.options->quiet && (run->seeds == NULL || run->seeds->outcomes == NULL);
}

static void print_head(const struct run *run, const glia_progress *p)
{
    char layers[512];
    const char *dim = style_begin(stderr, STYLE_DIM), *end = style_end(stderr);
    describe_layers(run, layers, sizeof layers);
    fprintf(stderr, "%sdata   %s   ", dim, end);
    print_clean(stderr, source_shown_name(run->training.data));
    fprintf(stderr, ": %s",
            show_several(glia_dataset_describe(run->training.parts.train).samples, "sample").s);
    if (run->training.parts.validation != NULL)
        fprintf(stderr, ", %s held out",
                show_count(glia_dataset_describe(run->training.parts.validation).samples).s);
    fprintf(stderr, ", %s to test",
            run->training.parts.test != NULL
                ? show_count(glia_dataset_describe(run->training.parts.test).samples).s
                : "none");
    fputc('\n', stderr);
    const bool of_images = glia_dataset_describe(run->training.parts.train).height > 0;
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
    findings_print(run->survey, run->training.data, "check  ");
    fprintf(stderr, "%snetwork%s   %s, %s\n", dim, end, layers,
            show_several(glia_network_describe(run->training.network).parameters, "parameter").s);
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
    if (!is_rich(stderr) || run->training.options->quiet ||
        now - run->view.drawn_at < redraw_seconds)
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

bool run_step(void *user, const glia_progress *p)
{
    struct run *run = user;
    if (!run->headed && run_has_head(run)) print_head(run, p);
    run->headed = true;
    run->went_on = run->went_on || p->epoch_end;
    if (run->seeds != NULL) draw_seeds(run, p);
    if (run->training.folder != NULL) run_folder_step(run->training.folder, p);
    return training_step(&run->view, p);
}

words run_name_seed(const struct run *run)
{
    words w = {""};
    if (run->seeds != NULL)
        snprintf(w.s, sizeof w.s,
                 "seed %llu: ", (unsigned long long)train_seed(run->training.options));
    return w;
}

void run_diagnosed(void *user, const glia_diagnosis *diagnosis)
{
    struct run *run = user;
    training_keep(&run->training.diagnoses, diagnosis);
    bench_end(&run->bar);
    if (run->seeds != NULL)
        complain("%swarning: %s", run_name_seed(run).s, diagnosis->message);
    else
        training_warn(&run->view, diagnosis->message);
}

/* ---- The result ---------------------------------------------------------------------------- */

/* On the test split; accuracy alone misleads where a class is frequent or rows are few. */
static void print_score(const struct run *run)
{
    enum { FEW = 30 };
    const glia_metrics *score = &run->training.score;
    const char *dim = style_begin(stdout, STYLE_DIM), *end = style_end(stdout);
    const bool two = isfinite(score->majority) && isfinite(score->roc_auc);
    printf("%stest    %s   %s%s%s", dim, end, style_begin(stdout, STYLE_BOLD), show_score(score).s,
           end);
    if (isfinite(score->r2)) printf(", R2 %s", show_number(score->r2).s);
    if (isfinite(score->roc_auc)) printf(", ROC AUC %s", show_number(score->roc_auc).s);
    printf(", loss %s\n", show_loss(score->loss).s);
    if (two || score_is_imbalanced(score)) {
        printf("%s       %s   ", dim, end);
        print_clean(stdout, show_majority(score, run->training.network).s);
        printf("; balanced accuracy %s\n", show_percent(score->balanced_accuracy).s);
    }
    if (glia_settings_is_set(run->training.options->settings, "class-weights") &&
        score->accuracy < score->majority)
        printf("          --class-weights trades accuracy for the recall of rare classes: compare "
               "by ROC AUC or balanced accuracy\n");
    if (score->samples < FEW)
        printf("          %zu test sample%s too few for a reliable score%s\n", score->samples,
               score->samples == 1 ? " is" : "s are",
               run->seeds == NULL && source_is_file(run->training.data) ? "; try --folds" : "");
}

void run_print_result(const struct run *run)
{
    const glia_train_result *r = &run->training.result;
    const char *dim = style_begin(stdout, STYLE_DIM), *end = style_end(stdout);
    if (run->view.headed) fputc('\n', stderr); /* below the epochs */
    fflush(stderr);
    /* Of a run that ended otherwise it has been said already what is saved. */
    bool complete = r->stop == GLIA_STOP_EPOCHS || r->stop == GLIA_STOP_EARLY;
    if (complete && run->training.parts.validation != NULL && r->best_epoch < r->epochs)
        printf("%skept    %s   epoch %zu of %zu, where the validation loss was lowest\n", dim, end,
               r->best_epoch, r->epochs);
    if (isfinite(run->training.score.loss)) print_score(run);
    if (run->training.targets != NULL) {
        print_targets(run->training.network, run->training.targets);
        printf("\n");
    }
    printf("%stime    %s   %s", dim, end, show_duration(r->seconds).s);
    if (r->samples_per_second > 0 || !run->kept.begun) /* else there was nothing left to do */
        printf(", %s samples/s",
               show_count(isfinite(r->samples_per_second) ? (uint64_t)r->samples_per_second : 0).s);
    printf("\n");
    if (!run->training.saved) return;
    printf("%smodel   %s   ", dim, end);
    print_clean(stdout, run->training.model);
    printf("%s\n",
           run->training.replaced && !run->kept.begun ? " (the one before is replaced)" : "");
}

void run_complain_end(const struct run *run)
{
    const bool diverged = run->training.result.stop == GLIA_STOP_DIVERGED;
    const words seed = run_name_seed(run);
    if (diverged && run->training.saved)
        complain("%sthe network as it was after epoch %zu is saved", seed.s,
                 run->training.result.best_epoch);
    else if (diverged && run->training.model != NULL)
        complain("%snothing is saved", seed.s);
    else if (!diverged && !run->training.saved)
        complain("%sinterrupted", seed.s);
    else if (!diverged && run->training.parts.validation && run->training.result.best_epoch > 0)
        complain("%sinterrupted; the network of epoch %zu, the best so far, is saved", seed.s,
                 run->training.result.best_epoch);
    else if (!diverged)
        complain("%sinterrupted; the network is saved as it is", seed.s);
    if (!diverged && run->kept.path != NULL)
        complain("'glia train --resume %s' goes on with the run", run->shown);
}
