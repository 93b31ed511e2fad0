/* SPDX-License-Identifier: MIT */
/*
 * Says why nothing is learned. What the numbers below mean is decided by experiment, on MNIST,
 * subsets of it and the built-in digits: networks of 1 to 8 hidden layers of 8 to 1024 units of
 * each activation, learning rates from 0.0001 to 10. Runs that learned stayed clear of each bound,
 * and none is told of a network that learns well, whatever its layers look like: four fifths of the
 * units of a wide layer may be dead, or saturated, and the rest do the work.
 */
#include "diagnose/diagnosis.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "diagnose/relation.h"
#include "infer/probe.h"

/*
 * Inputs. At the default rate, features with an rms of 3 still were learned from, of 10 hardly
 * ever; below 0.01 it takes a hundred times the steps. Ranges and not deviations, since a feature
 * that is rarely there (a word of a text) deviates little and is well as it is.
 */
static const double largest_input = 10, smallest_input = 0.01, uneven_ranges = 100;

/*
 * The loss, in parts of that of guessing, H, the entropy of the labels. A network that has learned
 * anything is below 0.99 H, unless it errs with much confidence; then it is right more often than
 * by always naming the most frequent class.
 */
static const double guessing_loss = 0.99, guessing_accuracy = 0.05, poor_loss = 0.5, bad_loss = 1.1;

/* A fall of the loss by less than this part of it is little. */
static const double little = 0.1;

/*
 * Layers. Where half of the guesses' loss was left and a layer had more dead or saturated units
 * than this, the network learned badly or not at all; runs that learned had at most 0.6 and 0.3
 * while their loss was that high.
 */
static const double most_dead = 0.75, most_saturated = 0.5;

/* Where the targets are noise for the most part the loss stays high however well is learned. So a
 * network that does not guess is said to learn badly when it has learned less than this part of
 * what a regression explains. */
static const double behind = 0.5;

/*
 * Norms of dJ/dz, in parts of that of the output layer. Networks that learned were between 0.05 and
 * 5; sigmoids that did not for many epochs had 0.02 (three layers) to 1e-5 (eight).
 */
static const double vanishing = 0.03, exploding = 30;

/*
 * Of gi_relation, by experiment (bench/diagnoses.py). Labels in random order hardly ever have a
 * sign above no_sign. That labels are unrelated asks for data that speak against a weak relation,
 * too: above against_weak there are too few of them. That labels are shifted is said on positive
 * evidence, where their own rows have none: one strong sign, a Bayes factor of e^sure_shift = 33,
 * or a lower one and a sign.
 */
static const double no_sign = 2.8, against_weak = -0.5, no_sure_sign = 4, sure_sign = 6;
static const double sure_shift = 3.5, likely_shift = 1.5, likely_sign = 3;

/* Multiplications that looking for a relation may take, once in a run that has reason for it: some
 * hundredths of a second, or of the run, whose steps make six for each weight and sample. */
static const double least_relation_work = 5e7, relation_share = 0.003;

/*
 * Epochs and steps that a network is given before it is said to learn nothing for no clear reason;
 * for gradients that vanish either is enough.
 */
enum { PATIENT_EPOCHS = 3, PATIENT_STEPS = 1000 };

/*
 * Probes. A probe of r samples costs about as much as learning from them: that is to be a hundredth
 * of the time, so an epoch has one if it has 100 r samples, or every second epoch, and so on. In
 * bf16 learning is up to eight times as fast, and a probe is not.
 */
enum { MOST_ROWS = 64, LEAST_ROWS = 32, COST = 100, BF16_COST = 8 };

enum {
#define X(name, text) +1
    N_KINDS = 0 GLIA_DIAGNOSIS_LIST(X)
#undef X
};

struct gi_diagnosis {
    const glia_network *network;
    const glia_dataset *train;
    const glia_settings *params;
    gi_label_facts labels;
    gi_input_facts inputs;
    gi_probe *probe;
    size_t epochs_a_probe;
    bool early_probes; /* within the first epoch */
    bool told[N_KINDS];
    gi_state before;    /* the network as it came */
    double probed_loss; /* by the last probe */
    size_t n_rises;     /* probes by which it rose */
    bool guessed_first; /* in the first epoch, nothing was learned yet */
    bool relation_known;
    gi_relation relation;
};

const char *glia_diagnosis_name(glia_diagnosis_kind kind)
{
    static const char *const names[] = {
#define X(name, text) text,
        GLIA_DIAGNOSIS_LIST(X)
#undef X
    };
    return (size_t)kind < N_KINDS ? names[kind] : "unknown";
}

/* ---- Making --------------------------------------------------------------------------------- */

glia_status gi_diagnosis_new(const glia_network *network, const glia_dataset *train, double density,
                             const glia_settings *params, gi_diagnosis **out, glia_error *error)
{
    *out = NULL;
    if (!params->diagnosis || params->epochs == 0) return GLIA_OK;
    gi_diagnosis *d = gi_alloc(1, sizeof *d, "the diagnosis", error);
    if (!d) return GLIA_NO_MEMORY;
    d->network = network;
    d->train = train;
    d->params = params;
    const size_t some = train->samples / 64;
    const size_t rows = some < LEAST_ROWS ? LEAST_ROWS : some > MOST_ROWS ? MOST_ROWS : some;
    const size_t cost = rows * COST * (params->precision == GLIA_PRECISION_BF16 ? BF16_COST : 1);
    d->epochs_a_probe = (cost + train->samples - 1) / train->samples;
    d->early_probes = d->epochs_a_probe == 1;
    glia_status status = gi_label_facts_of(network, train, params, &d->labels, error);
    if (!status) status = gi_input_facts_of(train, &d->inputs, error);
    if (!status) status = gi_probe_new(network, train, density, rows, &d->probe, error);
    if (status)
        gi_diagnosis_free(d);
    else
        *out = d;
    return status;
}

void gi_diagnosis_free(gi_diagnosis *d)
{
    if (!d) return;
    gi_probe_free(d->probe);
    gi_free(d);
}

/* ---- Telling -------------------------------------------------------------------------------- */

/* When something was seen. */
typedef struct moment {
    size_t epoch, step;
} moment;

__attribute__((format(printf, 6, 7))) static void tell(gi_diagnosis *d, glia_diagnosis_kind kind,
                                                       moment when, size_t layer, double value,
                                                       const char *format, ...)
{
    if (d->told[kind]) return;
    d->told[kind] = true;
    glia_diagnosis diagnosis = {
        .kind = kind, .layer = layer, .value = value, .epoch = when.epoch, .step = when.step};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(diagnosis.message, sizeof diagnosis.message, format, arguments);
    va_end(arguments);
    d->params->diagnosis(d->params->user, &diagnosis);
}

/* "hidden layer 2 of 3 (relu)" */
typedef struct layer_text {
    char s[64];
} layer_text;

static layer_text name_of(const gi_diagnosis *d, size_t l)
{
    layer_text text;
    snprintf(text.s, sizeof text.s, "hidden layer %zu of %zu (%s)", l + 1, d->network->n_layers - 1,
             glia_activation_name(d->network->layers[l].activation));
    return text;
}

/* A class in quotes, cut to 24 characters; numbers, which name themselves, have none. */
typedef struct class_text {
    char s[112];
} class_text;

static class_text name_of_class(const gi_diagnosis *d, size_t c)
{
    enum { CHARACTERS = 24, MOST_BYTES = 4 * CHARACTERS };
    const char *name = d->train->class_names[c];
    class_text text;
    size_t length = 0, shown = 0;
    while (name[length] && shown < CHARACTERS && length < MOST_BYTES - 4) {
        length++;
        while ((name[length] & 0xC0) == 0x80) length++; /* the rest of a character */
        shown++;
    }
    const bool is_number = strspn(name, "0123456789") == strlen(name);
    snprintf(text.s, sizeof text.s, "%s%.*s%s%s", is_number ? "" : "\"", (int)length, name,
             name[length] ? "..." : "", is_number ? "" : "\"");
    return text;
}

/* ---- The data ------------------------------------------------------------------------------- */

static void judge_labels(gi_diagnosis *d)
{
    const gi_label_facts *labels = &d->labels;
    const size_t classes = d->train->classes;
    const moment before = {0, 0};
    if (d->train->task != GLIA_TASK_CLASSES) {
        if (labels->all_alike)
            tell(d, GLIA_DIAGNOSIS_ONE_CLASS, before, GLIA_NO_LAYER, 1,
                 "all %zu training samples have the same %s: there is nothing to tell apart; check "
                 "how the targets were read",
                 d->train->samples, d->train->task == GLIA_TASK_VALUES ? "values" : "labels");
    } else if (labels->all_alike) {
        tell(d, GLIA_DIAGNOSIS_ONE_CLASS, before, GLIA_NO_LAYER, 1,
             "all %zu training samples are of class %s: there is nothing to tell apart; check how "
             "the labels were read",
             d->train->samples, name_of_class(d, labels->most_frequent).s);
    } else if (labels->n_missing > 0) {
        char list[3 * sizeof(class_text)];
        size_t used = 0;
        for (size_t i = 0; i < 3 && i < labels->n_missing; i++)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "",
                                     name_of_class(d, labels->first_missing[i]).s);
        tell(d, GLIA_DIAGNOSIS_MISSING_CLASS, before, GLIA_NO_LAYER, (double)labels->n_missing,
             "%zu of %zu classes %s no training sample (class %s%s): the network cannot learn "
             "%s; check the labels, or make the data set with fewer classes",
             labels->n_missing, classes, labels->n_missing == 1 ? "has" : "have", list,
             labels->n_missing > 3 ? ", ..." : "", labels->n_missing == 1 ? "it" : "them");
    }
}

static void judge_inputs(gi_diagnosis *d)
{
    static const char remedy[] = "standardise the inputs (setting standardise=yes)";
    const gi_input_facts *inputs = &d->inputs;
    const moment before = {0, 0};
    if (inputs->samples < 2) return;
    if (inputs->constant)
        tell(d, GLIA_DIAGNOSIS_INPUT_CONSTANT, before, GLIA_NO_LAYER, 0,
             "all of %zu samples looked at are alike: nothing tells them apart; check how "
             "the features were read",
             inputs->samples);
    else if (d->network->input.mean)
        return; /* it scales them itself */
    else if (inputs->largest_rms > largest_input)
        tell(d, GLIA_DIAGNOSIS_INPUT_SCALE, before, GLIA_NO_LAYER, inputs->largest_rms,
             "the inputs are not scaled: feature %zu is about %.3g (root mean square), and half "
             "of the features that vary are above %.3g; %s",
             inputs->largest_feature, inputs->largest_rms, inputs->median_rms, remedy);
    else if (inputs->largest_rms < smallest_input)
        tell(d, GLIA_DIAGNOSIS_INPUT_SCALE, before, GLIA_NO_LAYER, inputs->largest_rms,
             "the inputs are tiny: the largest feature, %zu, is about %.2g (root mean square)%s; "
             "%s",
             inputs->largest_feature, inputs->largest_rms,
             d->train->type == GLIA_TYPE_U8 ? " once bytes are divided by 255" : "", remedy);
    else if (inputs->widest_range > uneven_ranges * inputs->median_range)
        tell(
            d, GLIA_DIAGNOSIS_INPUT_SPREAD, before, GLIA_NO_LAYER,
            inputs->widest_range / inputs->median_range,
            "the inputs are uneven: feature %zu has a range of %.3g and dominates the others, half "
            "of which have less than %.3g; %s",
            inputs->widest_feature, inputs->widest_range, inputs->median_range, remedy);
}

/* ---- The network ---------------------------------------------------------------------------- */

/* Whether a loss and an accuracy, of n samples, are no better than a guess. */
static bool is_guessing(const gi_diagnosis *d, double loss, double accuracy, size_t n)
{
    if (d->train->task != GLIA_TASK_CLASSES) return loss >= guessing_loss * d->labels.entropy;
    const double p = d->labels.largest, error = sqrt(p * (1 - p) / (double)n);
    const double more = fmax(guessing_accuracy * (1 - p), 3 * error);
    return loss >= guessing_loss * d->labels.entropy && accuracy <= p + more;
}

/* The norm of a layer's gradient, in parts of the output layer's. */
static double relative_gradient(const gi_diagnosis *d, const gi_state *state, size_t l)
{
    const size_t last = d->network->n_layers - 1;
    const gi_layer *layers = d->network->layers;
    const double units = (double)layers[l].n_out / (double)layers[last].n_out;
    return state->layers[l].gradient * sqrt(units) / state->layers[last].gradient;
}

/* Whether the data, as was told before the first step, explain that nothing is learned. */
static bool data_explain(const gi_diagnosis *d)
{
    return d->told[GLIA_DIAGNOSIS_INPUT_SCALE] || d->told[GLIA_DIAGNOSIS_INPUT_SPREAD] ||
           d->told[GLIA_DIAGNOSIS_INPUT_CONSTANT];
}

static double relation_work(const gi_diagnosis *d)
{
    double parameters = 0;
    for (size_t l = 0; l < d->network->n_layers; l++)
        parameters += (double)d->network->layers[l].n_in * (double)d->network->layers[l].n_out;
    return fmax(least_relation_work, relation_share * parameters * (double)d->train->samples *
                                         (double)d->params->epochs);
}

/* What is seen is not asked for twice. */
static const gi_relation *know_relation(gi_diagnosis *d)
{
    const glia_dataset *whole = d->params->whole ? d->params->whole : d->train;
    if (!d->relation_known) d->relation = gi_relation_of(d->network, whole, relation_work(d));
    d->relation_known = true;
    return &d->relation;
}

/* Whether a network with this loss has learned less than the data would allow. */
static bool is_poor(gi_diagnosis *d, double loss, bool guessing)
{
    const double guess = d->labels.entropy, floor = d->labels.floor;
    if (guessing) return true;
    if (loss - floor < poor_loss * (guess - floor)) return false;
    const gi_relation *r = know_relation(d);
    return r->samples == 0 || guess - loss < behind * r->explained * (guess - floor);
}

/*
 * Judges the layers of a network with this loss; returns whether one of them explains it. Once
 * units are dead or saturated, that gradients vanish below them is no news.
 */
static bool judge_layers(gi_diagnosis *d, const gi_state *state, double loss, bool guessing,
                         bool patient, moment when)
{
    const double lr = d->params->lr, guess = d->labels.entropy;
    size_t dead = 0, saturated = 0, least = 0, most = 0;
    for (size_t l = 1; l + 1 < d->network->n_layers; l++) {
        if (state->layers[l].dead > state->layers[dead].dead) dead = l;
        if (state->layers[l].saturated > state->layers[saturated].saturated) saturated = l;
        if (relative_gradient(d, state, l) < relative_gradient(d, state, least)) least = l;
        if (relative_gradient(d, state, l) > relative_gradient(d, state, most)) most = l;
    }
    if (d->network->n_layers == 1) return false;
    const double dead_part = state->layers[dead].dead;
    const double saturated_part = state->layers[saturated].saturated;
    const double shrinks = relative_gradient(d, state, least);
    const double grows = relative_gradient(d, state, most);
    /* tiny inputs leave a unit to its bias: it is on for all samples or for none */
    if (d->told[GLIA_DIAGNOSIS_INPUT_SCALE] && d->inputs.largest_rms < smallest_input) return true;
    char remedy[96]; /* for what comes of large steps */
    if (d->told[GLIA_DIAGNOSIS_INPUT_SCALE])
        snprintf(remedy, sizeof remedy, "scale the inputs, and begin again");
    else if (when.step == 0)
        snprintf(remedy, sizeof remedy, "begin with smaller weights and biases");
    else
        snprintf(remedy, sizeof remedy,
                 "begin again with a lower learning rate (%.2g instead of %g), or let it warm up",
                 lr / 5, lr);
    if (grows >= exploding && loss >= bad_loss * guess) {
        tell(d, GLIA_DIAGNOSIS_EXPLODING_GRADIENT, when, most, grows,
             "the gradient explodes: in %s it is %.2g times that of the output layer, and the loss "
             "is %.3g (guessing: %.3g); %s",
             name_of(d, most).s, grows, loss, guess,
             when.step == 0 ? "begin with smaller weights (he-normal for relu, glorot-uniform for "
                              "others), or take fewer layers"
                            : remedy);
        return true;
    }
    if (dead_part >= most_dead && is_poor(d, loss, guessing)) {
        tell(d, GLIA_DIAGNOSIS_DEAD_UNITS, when, dead, dead_part,
             "%s: %.0f %% of its units are dead, 0 for every sample, and learn no more; %s",
             name_of(d, dead).s, 100 * dead_part, remedy);
        return true;
    }
    if (saturated_part >= most_saturated && is_poor(d, loss, guessing)) {
        tell(d, GLIA_DIAGNOSIS_SATURATED_UNITS, when, saturated, saturated_part,
             "%s: %.0f %% of its units are saturated, at an end of their range for nearly every "
             "sample, and hardly learn; %s",
             name_of(d, saturated).s, 100 * saturated_part, remedy);
        return true;
    }
    if (guessing && patient && shrinks < vanishing) {
        const bool sigmoid = d->network->layers[least].activation == GLIA_ACTIVATION_SIGMOID;
        tell(d, GLIA_DIAGNOSIS_VANISHING_GRADIENT, when, least, shrinks,
             "the gradient vanishes: in %s it is %.2g of that of the output layer, and nothing is "
             "learned (loss %.3g, guessing %.3g); take fewer layers%s",
             name_of(d, least).s, shrinks, loss, guess,
             sigmoid ? ", or relu or tanh instead of sigmoid"
                     : ", or larger weights to begin with (he-normal for relu, glorot-uniform for "
                       "others)");
        return true;
    }
    return false;
}

/* Whether samples go with the targets of the row before or after, and not with their own. */
static bool is_shifted(const gi_relation *r, size_t shift)
{
    const double factor = r->moderate[shift], sign = r->sign[shift];
    if (sign >= sure_sign) return true;
    if (r->moderate[GI_OWN] >= 0) return false;
    return factor >= sure_shift || (factor >= likely_shift && sign >= likely_sign);
}

/* Whether labels belong to other samples, or to none; tells so. */
static bool judge_relation(gi_diagnosis *d, const char *seen, double loss, moment when)
{
    const gi_relation *r = know_relation(d);
    const char *what = d->train->task == GLIA_TASK_VALUES ? "values" : "labels";
    if (r->samples == 0 || r->sign[GI_OWN] >= no_sure_sign) return false;
    const size_t shift = r->moderate[GI_AFTER] > r->moderate[GI_BEFORE] ? GI_AFTER : GI_BEFORE;
    if (is_shifted(r, shift)) {
        tell(d, GLIA_DIAGNOSIS_UNRELATED_LABELS, when, GLIA_NO_LAYER, r->sign[shift],
             "the %s look shifted by a row: %s (loss %.3g, guessing %.3g), and samples go with the "
             "%s of the rows %s them, not with their own; move the %s %s by a row",
             what, seen, loss, d->labels.entropy, what, shift == GI_AFTER ? "after" : "before",
             what, shift == GI_AFTER ? "up" : "down");
        return true;
    }
    if (r->sign[GI_OWN] > no_sign || r->weak > against_weak) return false;
    tell(d, GLIA_DIAGNOSIS_UNRELATED_LABELS, when, GLIA_NO_LAYER, r->sign[GI_OWN],
         "the %s look unrelated to the samples: %s (loss %.3g, guessing %.3g), and neither the "
         "features nor similar samples say more about the %s than chance would; check that %s and "
         "samples are in the same order",
         what, seen, loss, d->labels.entropy, what, what);
    return true;
}

/*
 * Whether labels are learned by heart: the samples of the first epoch, which the network had not
 * seen before, were guessed, as those of the validation set still are, if there is one.
 */
static bool is_by_heart(const gi_diagnosis *d, const gi_epoch_figures *f)
{
    if (f->validation_samples > 0)
        return is_guessing(d, f->validation_loss, f->validation_accuracy, f->validation_samples);
    return d->guessed_first;
}

/* Nothing is learned, and the layers look well: is it the labels, or the learning rate? */
static void judge_rest(gi_diagnosis *d, const gi_epoch_figures *f, bool last, moment when)
{
    const double lr = d->params->lr, guess = d->labels.entropy, ratio = f->train_loss / guess;
    if (judge_relation(d, "the network learns nothing", f->train_loss, when)) return;
    if (d->n_rises == 0) {
        const bool fell = d->probed_loss < (1 - little) * d->before.loss;
        if (fell && (!last || d->probed_loss < guessing_loss * guess)) return; /* on its way */
        tell(d, GLIA_DIAGNOSIS_RATE_LOW, when, GLIA_NO_LAYER, ratio,
             "the loss falls too slowly: after %zu steps it is %.6g, at first it was %.6g (by "
             "guessing: %.3g); raise the learning rate (it is %g), take smaller batches (%zu), or "
             "train longer than %zu epoch%s",
             f->step, d->probed_loss, d->before.loss, guess, lr, d->params->batch,
             d->params->epochs, d->params->epochs == 1 ? "" : "s");
    } else if (ratio >= bad_loss) {
        tell(d, GLIA_DIAGNOSIS_RATE_HIGH, when, GLIA_NO_LAYER, ratio,
             "the loss, %.3g, stays worse than by guessing (%.3g): the learning rate is likely too "
             "high; try %.2g instead of %g",
             f->train_loss, guess, lr / 10, lr);
    } else {
        tell(d, GLIA_DIAGNOSIS_PLATEAU, when, GLIA_NO_LAYER, ratio,
             "nothing is learned (loss %.4g, guessing %.4g), though inputs, labels and gradients "
             "show no fault: try a learning rate other than %g, or %s",
             f->train_loss, guess, lr,
             d->network->n_layers == 1 ? "a hidden layer" : "wider or fewer layers, or relu");
    }
}

/* ---- What the trainer calls ----------------------------------------------------------------- */

void gi_diagnosis_begin(gi_diagnosis *d, size_t epoch, size_t step)
{
    if (!d) return;
    judge_labels(d);
    judge_inputs(d);
    gi_probe_run(d->probe, &d->before);
    d->probed_loss = d->before.loss;
    if (!d->labels.all_alike)
        judge_layers(d, &d->before, d->before.loss, false, false, (moment){epoch, step});
}

bool gi_diagnosis_is_due(const gi_diagnosis *d, size_t step)
{
    return d && d->early_probes && (step == 100 || step == 1000);
}

void gi_diagnosis_step(gi_diagnosis *d, size_t epoch, size_t step)
{
    if (!d || d->labels.all_alike) return;
    gi_state state;
    gi_probe_run(d->probe, &state);
    if (state.loss >= d->labels.entropy)
        judge_layers(d, &state, state.loss, false, false, (moment){epoch, step});
}

void gi_diagnosis_epoch(gi_diagnosis *d, const gi_epoch_figures *f)
{
    if (!d || d->labels.all_alike) return;
    const moment when = {f->epoch, f->step};
    const bool guessing = is_guessing(d, f->train_loss, f->train_accuracy, d->train->samples);
    if (f->epoch == 1) d->guessed_first = guessing;
    const bool last = f->epoch == d->params->epochs;
    if (f->epoch != 1 && f->epoch != PATIENT_EPOCHS && !last && f->epoch % d->epochs_a_probe != 0)
        return;

    gi_state state;
    gi_probe_run(d->probe, &state);
    d->n_rises += state.loss > d->probed_loss;
    d->probed_loss = state.loss;
    const bool epochs = f->epoch >= PATIENT_EPOCHS, steps = f->step >= PATIENT_STEPS;
    if (judge_layers(d, &state, f->train_loss, guessing, last || epochs || steps, when)) return;
    if (data_explain(d)) return;
    if (guessing || f->train_loss >= bad_loss * d->labels.entropy) {
        if (last || (epochs && steps)) judge_rest(d, f, last, when);
    } else if (epochs && is_by_heart(d, f)) {
        judge_relation(d, "the network learns the training samples by heart", f->train_loss, when);
    }
}
