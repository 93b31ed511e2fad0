/* SPDX-License-Identifier: MIT */
/* The way of a training, and its outcome as JSON. */
#include "job/training.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "job/scores.h"
#include "shell/output.h"
#include "shell/wording.h"

/* The network for samples of a data set. */
static glia_status make_network(const train_options *o, const glia_dataset *train,
                                glia_network **out, glia_error *error)
{
    static const glia_loss of_task[] = {[GLIA_TASK_CLASSES] = GLIA_LOSS_CROSS_ENTROPY,
                                        [GLIA_TASK_LABELS] = GLIA_LOSS_BCE,
                                        [GLIA_TASK_VALUES] = GLIA_LOSS_MSE};
    const glia_dataset_info data = glia_dataset_describe(train);
    glia_settings *settings = NULL;
    glia_status status = glia_settings_copy(o->settings, &settings, error);
    if (status == GLIA_OK && glia_settings_number(settings, "loss") == GLIA_LOSS_AUTO)
        status = glia_settings_set_number(settings, "loss", of_task[data.task], error);
    if (status == GLIA_OK)
        status = glia_network_create(data.features, data.classes, settings, out, error);
    glia_settings_free(settings);
    return status;
}

static glia_status save(struct training *t, glia_error *error)
{
    const bool replaces = access(t->model, F_OK) == 0;
    const glia_status status = glia_network_save(t->network, t->model, error);
    t->saved = status == GLIA_OK;
    t->replaced = t->saved && replaces;
    return status;
}

static glia_status evaluate(struct training *t, glia_error *error)
{
    const int threads = train_threads(t->options);
    glia_status status =
        glia_evaluate(t->network, t->parts.test, threads, &t->score, NULL, 0, error);
    if (status == GLIA_OK && t->scores_targets)
        status = score_targets(t->network, t->parts.test, threads, &t->targets, error);
    return status;
}

glia_status training_run(struct training *t, glia_error *error)
{
    const train_options *o = t->options;
    t->score = score_none();
    glia_status status = run_parts_make(o, t->data_sets, t->fold, &t->parts, error);
    if (status == GLIA_OK) status = make_network(o, t->parts.train, &t->network, error);
    if (status != GLIA_OK) return status;
    if (t->folder != NULL)
        run_folder_begin(t->folder, o, t->data, t->parts.train, t->parts.validation, t->parts.test,
                         t->network);
    if (t->begins != NULL) status = t->begins(t->user, error);
    if (status == GLIA_OK)
        status = glia_train(t->network, t->parts.train, t->parts.validation, o->settings,
                            &t->result, error);
    t->diverged = status == GLIA_DIVERGED;
    if (t->ends != NULL) t->ends(t->user, error);
    if (status != GLIA_OK && !t->diverged) return status;

    const bool is_finished = !t->diverged && t->result.stop != GLIA_STOP_CANCELLED;
    const bool is_sound = !t->diverged || t->result.best_epoch > 0;
    status = GLIA_OK;
    if (t->model != NULL && (is_finished || (t->keeps_unfinished && is_sound)))
        status = save(t, error);
    if (status != GLIA_OK) return status;
    if (t->is_kept != NULL) t->is_kept(t->user);
    return is_finished && t->parts.test != NULL ? evaluate(t, error) : GLIA_OK;
}

void training_free(struct training *t)
{
    json_decref(t->diagnoses);
    free(t->targets);
    glia_network_free(t->network);
    run_parts_free(&t->parts);
}

void training_keep(json_t **diagnoses, const glia_diagnosis *d)
{
    json_t *o = json_need(json_object());
    json_put(o, "kind", json_text(glia_diagnosis_name(d->kind)));
    json_put(o, "layer", d->layer == GLIA_NO_LAYER ? json_null() : json_count(d->layer));
    json_put(o, "value", json_number(d->value));
    json_put(o, "epoch", json_count(d->epoch));
    json_put(o, "step", json_count(d->step));
    json_put(o, "message", json_message(d->message));
    if (*diagnoses == NULL) *diagnoses = json_need(json_array());
    json_push(*diagnoses, o);
}

json_t *training_outcome(const struct training *t)
{
    const glia_train_result *r = &t->result;
    const glia_metrics *score = &t->score;
    const glia_loss loss = glia_network_describe(t->network).loss;
    const bool has_values = glia_loss_task(loss) == GLIA_TASK_VALUES;
    json_t *o = json_need(json_object());
    json_put(o, "model", json_text(t->saved ? t->model : NULL));
    json_put(o, "dataset", json_text(t->data));
    json_put(o, "parameters", json_count(glia_network_describe(t->network).parameters));
    json_put(o, "epochs", json_count(r->epochs));
    json_put(o, "best_epoch", json_count(r->best_epoch));
    json_put(o, "stopped", json_text(glia_stop_name(r->stop)));
    json_put(o, "loss", json_text(glia_loss_name(loss)));
    json_put(o, "train_loss", json_number(r->train_loss));
    json_put(o, "train_accuracy", json_number(r->train_accuracy));
    if (has_values) json_put(o, "train_rmse", json_number(r->train_rmse));
    json_put(o, "validation_loss", json_number(r->validation_loss));
    json_put(o, "validation_accuracy", json_number(r->validation_accuracy));
    if (has_values) json_put(o, "validation_rmse", json_number(r->validation_rmse));
    json_put(o, "test_loss", json_number(score->loss));
    json_put(o, "test_accuracy", json_number(score->accuracy));
    json_put(o, "test_error", json_number(1 - score->accuracy));
    json_put(o, "test_standard_error", json_number(score->standard_error));
    score_json(o, "test_", score, t->network);
    if (t->targets != NULL) json_put(o, "test_targets", targets_json(t->network, t->targets));
    json_put(o, "samples", json_count(r->samples));
    json_put(o, "samples_per_second", json_number(r->samples_per_second));
    json_put(o, "seconds", json_number(r->seconds));
    json_put(o, "startup_seconds", json_number(t->startup_seconds > 0 ? t->startup_seconds : NAN));
    json_put(o, "seed", json_seed(train_seed(t->options)));
    json_put(o, "engine", json_text(r->engine));
    json_put(o, "isa", json_text(r->isa));
    json_put(o, "precision", json_text(glia_precision_name(r->precision)));
    json_put(o, "plan", json_text(r->plan));
    json_put(o, "threads", json_count((uint64_t)r->threads));
    json_put(o, "diagnoses",
             t->diagnoses != NULL ? json_incref(t->diagnoses) : json_need(json_array()));
    return o;
}
