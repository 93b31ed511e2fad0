/* SPDX-License-Identifier: MIT */
/*
 * Schedules of the learning rate, as closed forms of the step: no state, no product that grows.
 *
 * Warm-up rises linearly to the peak, its last step (without one, the first of all); what follows
 * begins at the peak with the rate lr. Only the steps of `step` are counted from the run's
 * beginning, so that warm-up does not move them. One-cycle has a rise of its own.
 */
#include "train/schedule.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

/* One-cycle's, as in PyTorch's OneCycleLR: part of all steps, lr / first rate, first / last. */
static const double cycle_rise = 0.3, cycle_first = 25, cycle_last = 1e4;

static const double default_step_factor = 0.1, default_epoch_factor = 0.95;

void gi_schedule_settle(glia_settings *p)
{
    if (p->schedule == GLIA_SCHEDULE_AUTO)
        p->schedule = isnan(p->lr_end) ? GLIA_SCHEDULE_CONSTANT : GLIA_SCHEDULE_LINEAR;
    const bool steps = p->schedule == GLIA_SCHEDULE_STEP;
    const bool falls_by_factor = steps || p->schedule == GLIA_SCHEDULE_EXPONENTIAL;
    const bool cycle = p->schedule == GLIA_SCHEDULE_ONE_CYCLE;

    if (falls_by_factor || p->schedule == GLIA_SCHEDULE_CONSTANT)
        p->lr_end = NAN;
    else if (isnan(p->lr_end))
        p->lr_end = cycle ? p->lr / cycle_first / cycle_last : 0;
    if (cycle && p->warmup == 0) p->warmup = cycle_rise;
    if (!falls_by_factor)
        p->lr_factor = NAN;
    else if (isnan(p->lr_factor))
        p->lr_factor = steps ? default_step_factor : default_epoch_factor;
    if (!steps)
        p->lr_every = 0;
    else if (p->lr_every == 0) /* a third, rounded up: two falls */
        p->lr_every = p->epochs > 3 ? (p->epochs - 1) / 3 + 1 : 1;
}

/* From one rate to another along half a period of the cosine, part in [0, 1]. */
static double cosine(double from, double to, double part)
{
    return to + (from - to) * (1 + cos(pi * part)) / 2;
}

/* The peak may lie between two steps, as PyTorch has it. */
static double one_cycle(const glia_settings *p, size_t step, size_t n_steps)
{
    const double at = (double)step, last = (double)n_steps - 1;
    const double peak = fmax(p->warmup * (double)n_steps - 1, 0);
    if (at < peak) return cosine(p->lr / cycle_first, p->lr, at / peak);
    return last > peak ? cosine(p->lr, p->lr_end, (at - peak) / (last - peak)) : p->lr;
}

double gi_rate_at(const glia_settings *p, size_t step, size_t n_steps, size_t steps_an_epoch)
{
    if (p->schedule == GLIA_SCHEDULE_ONE_CYCLE) return one_cycle(p, step, n_steps);
    const size_t n_warmup = (size_t)(p->warmup * (double)n_steps);
    const size_t peak = n_warmup > 0 ? n_warmup - 1 : 0;
    if (step <= peak) return p->lr * ((double)(step + 1) / (double)(peak + 1));
    const double since = (double)(step - peak);
    const double part = since / (double)(n_steps - 1 - peak); /* 1 at the last step */
    switch (p->schedule) {
    case GLIA_SCHEDULE_LINEAR:
        return p->lr + (p->lr_end - p->lr) * part;
    case GLIA_SCHEDULE_COSINE:
        return cosine(p->lr, p->lr_end, part);
    case GLIA_SCHEDULE_STEP:
        return p->lr * pow(p->lr_factor, (double)(step / steps_an_epoch / p->lr_every));
    case GLIA_SCHEDULE_EXPONENTIAL:
        return p->lr * pow(p->lr_factor, since / (double)steps_an_epoch);
    default:
        return p->lr;
    }
}
