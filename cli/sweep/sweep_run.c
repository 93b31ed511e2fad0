/* SPDX-License-Identifier: MIT */
/*
 * Runs the runs of a sweep side by side: as many at once as there are threads, the longest first,
 * so that the last ones to end are short. Where there are fewer runs than threads, each has
 * several. What a run learns does not depend on where and when it runs.
 */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "data/findings.h"
#include "draw/progress.h"
#include "job/parts.h"
#include "job/run_folder.h"
#include "job/scores.h"
#include "job/training.h"
#include "shell/commands.h"
#include "shell/files.h"
#include "shell/output.h"
#include "shell/signals.h"
#include "shell/wording.h"
#include "sweep/sweep.h"

enum { LONGEST_JOB_PATH = LONGEST_PATH + 1024 };

static const double redraw_seconds = 0.1;

/* What the threads share. */
struct work {
    struct sweep *sweep;
    const open_data *data;
    size_t *order; /* (n) of jobs that are to be done, the longest first */
    size_t n;
    _Atomic(size_t) next;
    int threads_a_run;
    pthread_mutex_t lock; /* of the rest */
    double cost, done_cost;
    size_t n_done, n_failed;
    bench_view view;
    double begun, drawn_at;
};

/* A run under way. */
struct running {
    struct work *work;
    struct job *job;
    run_folder *folder;
    double startup;
    struct training training;
    double counted; /* of its cost, in the bar */
};

/* ---- The line of progress ------------------------------------------------------------------- */

/* Counts a part of a run's cost as done. */
static void advance(struct running *r, double part)
{
    struct work *w = r->work;
    pthread_mutex_lock(&w->lock);
    const double now = now_seconds(), cost = part * r->job->cost;
    w->done_cost += cost - r->counted;
    r->counted = cost;
    if (!w->sweep->options->quiet && is_rich(stderr) && now - w->drawn_at >= redraw_seconds) {
        char left[64], right[128];
        const double done = w->cost > 0 ? w->done_cost / w->cost : 1;
        snprintf(left, sizeof left, "run %zu of %zu", w->n_done + 1, w->n);
        snprintf(right, sizeof right, "%s left",
                 show_duration(done > 0 ? (now - w->begun) * (1 - done) / done : NAN).s);
        bench_bar(&w->view, left, done, right);
        w->drawn_at = now;
    }
    pthread_mutex_unlock(&w->lock);
}

static bool step(void *user, const glia_progress *p)
{
    struct running *r = user;
    if (r->startup == 0) r->startup = now_seconds();
    run_folder_step(r->folder, p);
    const double all = (double)p->epochs * (double)p->samples;
    advance(r, ((double)(p->epoch - 1) * (double)p->samples + (double)p->done) / all);
    return !signals_came();
}

static void diagnosed(void *user, const glia_diagnosis *diagnosis)
{
    struct running *r = user;
    training_keep(&r->training.diagnoses, diagnosis);
}

/* ---- A run ---------------------------------------------------------------------------------- */

static glia_status begins(void *user, glia_error *error)
{
    struct running *r = user;
    glia_settings *settings = r->job->options.settings;
    (void)error;
    train_put(&r->job->options, "threads", r->work->threads_a_run);
    glia_settings_on_progress(settings, step, r);
    glia_settings_on_diagnosis(settings, diagnosed, r->work->data->all, r);
    return GLIA_OK;
}

static void ends(void *user, const glia_error *error)
{
    struct running *r = user;
    if (r->training.diverged) name_options(error->message, r->job->message, sizeof r->job->message);
}

/* Trains, saves and scores; the outcome, or NULL with the reason in the job's message. */
static json_t *train(struct running *r, const char *model)
{
    struct work *w = r->work;
    struct job *job = r->job;
    struct training *t = &r->training;
    glia_error error = {.message = ""};
    *t = (struct training){.options = &job->options,
                           .data = w->sweep->data,
                           .data_sets = w->data,
                           .fold = SIZE_MAX,
                           .model = model,
                           .folder = r->folder,
                           .begins = begins,
                           .ends = ends,
                           .user = r};
    const glia_status status = training_run(t, &error);
    if (status != GLIA_OK) {
        job->state = JOB_FAILED;
        name_options(error.message, job->message, sizeof job->message);
        return NULL;
    }
    if (!t->diverged && t->result.stop == GLIA_STOP_CANCELLED) {
        job->state = JOB_STOPPED;
        return NULL;
    }
    job->state = t->diverged ? JOB_FAILED : JOB_DONE;
    const merit *by = w->sweep->merit;
    job->test_score = by->percent ? t->score.accuracy : t->score.r2;
    job->test_error = error_bar_of(&t->score);
    job->roc_auc = t->score.roc_auc;
    job->validation_score = t->diverged   ? NAN
                            : by->by_loss ? t->result.validation_loss
                                          : t->result.validation_accuracy;
    job->seconds = t->result.seconds;
    t->startup_seconds = r->startup;
    json_t *outcome = training_outcome(t);
    if (t->diverged) json_put(outcome, "error", json_text(job->message));
    return outcome;
}

static void run_job(struct work *w, struct job *job)
{
    char path[LONGEST_JOB_PATH], model[LONGEST_JOB_PATH + 32];
    struct running r = {.work = w, .job = job};
    snprintf(path, sizeof path, "%s/runs/%s", w->sweep->folder, job->name);
    run_folder_file(path, "model.safetensors", model, sizeof model);
    r.folder = run_folder_new(path, options_words(&train_command, &job->line),
                              w->sweep->options->tensorboard);
    if (r.folder == NULL) {
        job->state = JOB_FAILED;
        snprintf(job->message, sizeof job->message, "its folder could not be made");
    } else {
        json_t *outcome = train(&r, model);
        if (!run_folder_end(r.folder, outcome) && job->state == JOB_DONE) {
            job->state = JOB_FAILED;
            snprintf(job->message, sizeof job->message, "its folder could not be written");
        }
        run_folder_free(r.folder);
    }
    training_free(&r.training);
    if (job->state != JOB_STOPPED) advance(&r, 1);
    pthread_mutex_lock(&w->lock);
    w->n_done += job->state != JOB_STOPPED;
    if (job->state == JOB_FAILED) {
        w->n_failed++;
        bench_end(&w->view);
        complain("sweep: %s: %s", job->name, job->message);
    }
    pthread_mutex_unlock(&w->lock);
}

static void *run_jobs(void *argument)
{
    struct work *w = argument;
    for (;;) {
        const size_t i = atomic_fetch_add(&w->next, 1);
        if (i >= w->n || signals_came()) return NULL;
        run_job(w, &w->sweep->jobs[w->order[i]]);
    }
}

/* ---- All of them ---------------------------------------------------------------------------- */

/*
 * Multiply-adds of the weights, and what a step and a sample cost besides, in the same unit:
 * estimates, which the order and the bar need and nothing else.
 */
static double estimate_cost(const struct job *job, const glia_dataset *train)
{
    enum { A_SAMPLE = 5000, A_STEP = 20000 };
    const glia_dataset_info data = glia_dataset_describe(train);
    const glia_settings *settings = job->options.settings;
    double weights = 0, inputs = (double)data.features, hidden[GLIA_MAX_LAYERS];
    const size_t n = glia_settings_list(settings, "hidden", hidden, GLIA_MAX_LAYERS);
    for (size_t l = 0; l < n; l++) {
        weights += inputs * hidden[l];
        inputs = hidden[l];
    }
    weights += inputs * (double)data.classes;
    const double batch = glia_settings_number(settings, "batch");
    return glia_settings_number(settings, "epochs") * (double)data.samples *
           (weights + A_SAMPLE + A_STEP / batch + weights / batch);
}

static const struct job *sorted_jobs; /* for qsort alone, before the threads begin */

static int longest_first(const void *a, const void *b)
{
    const size_t i = *(const size_t *)a, j = *(const size_t *)b;
    const double x = sorted_jobs[i].cost, y = sorted_jobs[j].cost;
    return x > y ? -1 : x < y ? 1 : i < j ? -1 : 1;
}

static int run_all(struct work *w, int threads)
{
    const size_t most = (size_t)threads < w->n ? (size_t)threads : w->n;
    pthread_t *helpers = need_memory(most + 1, sizeof *helpers);
    size_t n_helpers = 0;
    w->threads_a_run = most > 0 && (size_t)threads > w->n ? threads / (int)w->n : 1;
    pthread_mutex_init(&w->lock, NULL);
    signals_guard(true);
    while (n_helpers + 1 < most && pthread_create(&helpers[n_helpers], NULL, run_jobs, w) == 0)
        n_helpers++;
    run_jobs(w);
    for (size_t i = 0; i < n_helpers; i++) pthread_join(helpers[i], NULL);
    const bool stopped = signals_came();
    signals_guard(false);
    bench_end(&w->view);
    pthread_mutex_destroy(&w->lock);
    free(helpers);
    if (stopped && w->n_done < w->n) {
        complain("interrupted: %zu of %zu runs are done; the same command with --resume goes on",
                 w->sweep->n_jobs - (w->n - w->n_done), w->sweep->n_jobs);
        return EXIT_INTERRUPTED;
    }
    return w->n_failed > 0 ? EXIT_FAILED : EXIT_DONE;
}

int sweep_run(struct sweep *s)
{
    const sweep_options *o = s->options;
    struct work w = {.sweep = s, .begun = now_seconds()};
    train_options settled; /* so far as data go, those of all runs */
    open_data data = {0};
    glia_machine machine;
    glia_error error;
    glia_status status = glia_machine_describe(&machine, &error);
    const int threads = o->threads > 0 ? o->threads : status == GLIA_OK ? machine.cores : 1;
    train_copy(&s->jobs[0].options, &settled);
    settled.source.common.line = &s->jobs[0].line;
    train_put(&settled, "threads", threads);
    settled.quiet = o->quiet;
    if (status == GLIA_OK) status = open_data_for(&settled, s->data, &data, &error);
    train_clear(&settled);
    if (status != GLIA_OK) return source_complain(s->data, &error);
    const glia_dataset_info info = glia_dataset_describe(data.all);
    s->merit = merit_of(info.task);
    if (!o->quiet) {
        glia_survey *survey = findings_look(data.all);
        findings_print(survey, s->data, "check");
        glia_survey_free(survey);
    }
    w.data = &data;
    w.order = need_memory(s->n_jobs, sizeof *w.order);
    for (size_t i = 0; i < s->n_jobs; i++) {
        s->jobs[i].options.source.common.line = &s->jobs[i].line;
        s->jobs[i].options.source.table.loss =
            (int)glia_settings_integer(s->jobs[i].options.settings, "loss");
        train_choose(&s->jobs[i].options, s->data, &info, data.test != NULL);
        s->jobs[i].cost = estimate_cost(&s->jobs[i], data.all);
        if (s->jobs[i].state != JOB_WAITING) continue;
        w.cost += s->jobs[i].cost;
        w.order[w.n++] = i;
    }
    sorted_jobs = s->jobs;
    qsort(w.order, w.n, sizeof *w.order, longest_first);
    const int exit_status = run_all(&w, threads);
    s->seconds = now_seconds() - w.begun;
    free(w.order);
    open_data_close(&data);
    return exit_status;
}
