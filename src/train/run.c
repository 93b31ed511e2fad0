/* SPDX-License-Identifier: MIT */
/* A training run: its epochs, early stopping, checkpoints. */
#include <math.h>
#include <string.h>

#include "compute/onednn.h"
#include "format/json.h"
#include "train/trainer.h"

/* ---- Parameters kept aside ------------------------------------------------------------------ */

/* Copies all parameters, or their average where there is one, to the snapshot; or back. */
static void snapshot_copy(gi_trainer *t, bool back)
{
    const glia_network *network = t->network;
    for (size_t l = 0; l < network->n_layers; l++)
        for (int block = 0; block < 2; block++) {
            void *now = gi_parameters(&network->layers[l], block);
            void *kept = t->snapshot[l].of[block];
            const gi_shadow *average = t->descent.average;
            if (back)
                memcpy(now, kept, gi_parameter_bytes(network, l, block));
            else
                memcpy(kept, average ? average[l].of[block] : now,
                       gi_parameter_bytes(network, l, block));
        }
}

static bool parameters_are_finite(const glia_network *network)
{
    for (size_t l = 0; l < network->n_layers; l++) {
        const gi_layer *layer = &network->layers[l];
        const float *weight = layer->weight, *bias = layer->bias;
        float sum = 0; /* of 0 * w: NaN as soon as one is infinite or NaN */
        for (size_t i = 0; i < gi_padded(layer->n_in) * layer->ld; i++) sum += 0 * weight[i];
        for (size_t i = 0; i < gi_layer_vectors(layer) * layer->ld; i++) sum += 0 * bias[i];
        if (sum != 0) return false;
    }
    return true;
}

/* Before the first step both are 0 / 0, NAN. */
double gi_trainer_accuracy(const gi_trainer *t)
{
    const glia_task task = glia_loss_task(t->network->loss);
    const double judged = (double)t->now.done *
                          (task == GLIA_TASK_LABELS ? (double)gi_network_classes(t->network) : 1);
    return task == GLIA_TASK_VALUES ? (double)NAN : (double)t->now.correct / judged;
}

double gi_trainer_rmse(const gi_trainer *t)
{
    if (glia_loss_task(t->network->loss) != GLIA_TASK_VALUES) return NAN;
    const double n = (double)t->now.done * (double)gi_network_classes(t->network);
    return gi_network_output_unit(t->network) * sqrt(t->now.square_sum / n);
}

bool gi_trainer_report(gi_trainer *t, bool best, const glia_metrics *validation)
{
    const double begun = gi_now();
    if (!t->params.progress) return true;
    const glia_progress progress = {
        .epoch = t->now.epoch + 1,
        .epochs = t->params.epochs,
        .done = t->now.done,
        .samples = t->train->samples,
        .step = t->now.step,
        .lr = t->now.step > 0 ? gi_trainer_rate(t, t->now.step - 1) : NAN,
        .epoch_end = t->now.done == t->train->samples,
        .best = best,
        .seconds = begun - t->started,
        .train_loss = t->now.loss_sum / t->now.weight_sum,
        .train_accuracy = gi_trainer_accuracy(t),
        .train_rmse = gi_trainer_rmse(t),
        .validation_loss = validation ? validation->loss : NAN,
        .validation_accuracy = validation ? validation->accuracy : NAN,
        .validation_rmse = validation ? validation->rmse : NAN,
        .engine = t->plan.name,
        .isa = t->plan.engine->isa,
        .precision = t->plan.precision,
        .plan = t->plan_text,
        .threads = gi_pool_threads(t->step_pool),
        .onednn_isa = t->plan.onednn ? gi_onednn_isa() : NULL,
    };
    const bool go_on = t->params.progress(t->params.user, &progress);
    t->reporting_s += gi_now() - begun;
    return go_on;
}

/* ---- Checkpoints ---------------------------------------------------------------------------- */

static gi_kept_arrays kept_arrays(gi_trainer *t)
{
    for (size_t l = 0; l < t->network->n_layers; l++)
        for (int block = 0; block < 2; block++)
            t->parameters[l].of[block] = gi_parameters(&t->network->layers[l], block);
    const gi_optimizer *o = &t->descent.optimizer;
    return (gi_kept_arrays){
        .name = {"parameters", "best", "moment1", "moment2", "average"},
        .of = {t->parameters, t->snapshot, o->first, o->second, t->descent.average},
    };
}

/*
 * What a checkpoint must agree with: all that a model file says of the run, the content of its
 * data, and what else its bits depend on.
 */
glia_status gi_trainer_describe_run(gi_trainer *t, glia_error *error)
{
    const gi_training_record before = t->network->record;
    const glia_train_result nothing = {.train_loss = NAN, .validation_loss = NAN};
    char *text = NULL;
    gi_trainer_describe(t, &nothing, &t->network->record);
    glia_status status = glia_network_metadata(t->network, &text, error);
    t->network->record = before;
    if (!status) status = gi_json_read("a run", text, strlen(text), 0, &t->about, NULL, error);
    glia_string_free(text);
    if (status) return status;
    const uint16_t one = 1;
    uint8_t first_byte;
    memcpy(&first_byte, &one, 1);
    const json_int_t sum = gi_dataset_checksum(t->train);
    const json_int_t validation = t->validation ? gi_dataset_checksum(t->validation) : 0;
    json_t *more = json_pack(
        "{s:I, s:I, s:i, s:b}", "checksum", sum, "validation_checksum", validation, "threads",
        t->plan.onednn ? gi_pool_threads(t->step_pool) : 0, "little_endian", first_byte == 1);
    bool failed = !more || json_object_update(t->about, more);
    /* which samples they are is the checksums' to say, and older checkpoints do not say it */
    (void)json_object_del(json_object_get(t->about, "training"), "rows");
    json_decref(more);
    /* Its bits depend on what it takes of the CPU: AMX, say, which a level does not tell. */
    if (t->plan.onednn)
        failed |= json_object_set_new(t->about, "onednn_isa", json_string(gi_onednn_isa())) != 0;
    return failed ? gi_fail(error, GLIA_NO_MEMORY, "out of memory for a checkpoint") : GLIA_OK;
}

/* Writes the checkpoint; no other thread of the run is at work. */
static glia_status keep(gi_trainer *t, glia_error *error)
{
    const gi_kept_arrays arrays = kept_arrays(t);
    t->now.seconds = gi_now() - t->started;
    t->keeps = false;
    t->kept_step = t->now.step;
    const glia_status status =
        gi_checkpoint_write(t->params.checkpoint, t->network, &arrays, &t->now, t->about, error);
    t->kept_at = gi_now();
    return status;
}

/* Goes back to where the checkpoint was written. */
static glia_status resume(gi_trainer *t, glia_error *error)
{
    const gi_kept_arrays arrays = kept_arrays(t);
    gi_run_state state;
    const char *path = t->params.checkpoint;
    const gi_run_limits limits = {.epochs = t->params.epochs,
                                  .samples = t->train->samples,
                                  .batch = t->params.batch,
                                  .steps_an_epoch = t->steps_an_epoch};
    const glia_status status =
        gi_checkpoint_read(path, t->network, &arrays, &limits, &state, t->about, error);
    if (status) return status;
    t->now = state;
    t->kept_step = state.step;
    for (int part = 0; t->dense && part < t->plan.threads; part++) gi_dense_refresh(t->dense, part);
    return GLIA_OK;
}

/* ---- The run -------------------------------------------------------------------------------- */

/*
 * Trains on the epoch's samples, or on those that a checkpoint has left. Stops early when it
 * diverges, or the caller says stop.
 */
static glia_status run_epoch(gi_trainer *t, double *step_s, glia_error *error)
{
    glia_status status = GLIA_OK;
    gi_trainer_shuffle(t);
    if (t->now.done == 0) {
        t->now.reported = t->now.correct = 0;
        t->now.loss_sum = t->now.weight_sum = t->now.square_sum = 0;
    }
    do {
        const double begun = gi_now(), reporting_s = t->reporting_s;
        gi_trainer_steps(t);
        *step_s += gi_now() - begun - (t->reporting_s - reporting_s);
        if (!t->diverged && t->now.done < t->train->samples && (t->keeps || t->cancelled) &&
            t->about)
            status = keep(t, error);
    } while (!status && !t->diverged && !t->cancelled && t->now.done < t->train->samples);
    return status;
}

static glia_status fail_diverged(const gi_trainer *t, glia_error *error)
{
    return gi_fail(
        error, GLIA_DIVERGED,
        "training diverged in epoch %zu, step %zu: the loss is no longer finite; likely "
        "the learning rate (%g) is too high%s; try %.1g",
        t->now.epoch + 1, t->now.step, t->params.lr,
        t->train->type == GLIA_TYPE_F32 ? ", or the features are not scaled to about -1..1" : "",
        t->params.lr / 10);
}

/* What an epoch has come to; false if it has diverged. */
static bool end_epoch(gi_trainer *t, glia_metrics *metrics, bool *best)
{
    gi_run_state *now = &t->now;
    if (t->validation) {
        gi_descent_swap_average(&t->descent);
        *metrics = gi_evaluation_run(t->evaluation, NULL);
        gi_descent_swap_average(&t->descent);
    }
    if (!parameters_are_finite(t->network) || !isfinite(metrics->loss)) return false;
    now->train_loss = now->loss_sum / now->weight_sum;
    now->train_accuracy = gi_trainer_accuracy(t);
    now->train_rmse = gi_trainer_rmse(t);
    *best = !t->validation || metrics->loss < now->best_loss - t->params.min_delta;
    now->epochs_without_better = *best ? 0 : now->epochs_without_better + 1;
    if (!*best) return true;
    snapshot_copy(t, false);
    now->best_epoch = now->epoch + 1;
    if (t->validation) {
        now->best_loss = now->validation_loss = metrics->loss;
        now->validation_accuracy = metrics->accuracy;
        now->validation_rmse = metrics->rmse;
    }
    return true;
}

/* Tells the diagnosis how an epoch went. */
static void diagnose(gi_trainer *t, const glia_metrics *validation)
{
    const gi_epoch_figures figures = {
        .epoch = t->now.epoch + 1,
        .step = t->now.step,
        .train_loss = t->now.train_loss,
        .train_accuracy = t->now.train_accuracy,
        .validation_loss = validation ? validation->loss : NAN,
        .validation_accuracy = validation ? validation->accuracy : NAN,
        .validation_samples = validation ? validation->samples : 0,
    };
    gi_diagnosis_epoch(t->diagnosis, &figures);
}

glia_status gi_trainer_run(gi_trainer *t, glia_train_result *result, glia_error *error)
{
    glia_status status = GLIA_OK;
    gi_run_state *now = &t->now;
    if (t->params.resume) status = resume(t, error);
    if (status) return status;
    const size_t samples_before = now->samples + now->done;
    t->started = gi_now() - now->seconds;
    t->kept_at = gi_now();
    double step_s = 0;
    const size_t patience = t->params.patience;

    if (now->step == 0) snapshot_copy(t, false);
    bool go_on = now->epoch == t->params.epochs || gi_trainer_report(t, false, NULL);
    if (!go_on) result->stop = GLIA_STOP_CANCELLED;
    if (go_on) gi_diagnosis_begin(t->diagnosis, now->epoch, now->step);
    while (now->epoch < t->params.epochs && go_on) {
        if (patience > 0 && now->epochs_without_better >= patience) {
            result->stop = GLIA_STOP_EARLY;
            break;
        }
        status = run_epoch(t, &step_s, error);
        if (!status) status = gi_dense_check(t->dense, error);
        if (status) break;
        glia_metrics metrics = {0};
        bool best = false;
        if (t->diverged || (!t->cancelled && !end_epoch(t, &metrics, &best))) {
            snapshot_copy(t, true);
            result->stop = GLIA_STOP_DIVERGED;
            status = fail_diverged(t, error);
            break;
        }
        if (t->cancelled) {
            result->stop = GLIA_STOP_CANCELLED;
            break;
        }
        go_on = gi_trainer_report(t, best, t->validation ? &metrics : NULL);
        if (go_on) diagnose(t, t->validation ? &metrics : NULL);
        if (!go_on) result->stop = GLIA_STOP_CANCELLED;
        now->samples += now->done;
        now->done = now->reported = 0;
        now->epoch++;
        const bool last = !go_on || now->epoch == t->params.epochs ||
                          (patience > 0 && now->epochs_without_better >= patience);
        if (t->about && (t->keeps || last)) status = keep(t, error);
        if (status) break;
    }
    result->epochs = now->epoch;
    result->best_epoch = now->best_epoch;
    result->train_loss = now->train_loss;
    result->train_accuracy = now->train_accuracy;
    result->train_rmse = now->train_rmse;
    result->validation_loss = now->validation_loss;
    result->validation_accuracy = now->validation_accuracy;
    result->validation_rmse = now->validation_rmse;
    result->samples = now->samples + now->done;
    /* With a validation set, the best epoch's weights are what the run was for. */
    if (t->validation && result->best_epoch > 0)
        snapshot_copy(t, true);
    else if (!status)
        gi_descent_swap_average(&t->descent);
    result->seconds = gi_now() - t->started;
    result->samples_per_second =
        step_s > 0 ? (double)(result->samples - samples_before) / step_s : 0;
    return status;
}
