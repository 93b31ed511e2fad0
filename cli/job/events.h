/* SPDX-License-Identifier: MIT */
/*
 * Event files, which TensorBoard shows: scalars by step and time. A value is kept in f32, as the
 * format has it.
 */
#ifndef GLIA_CLI_JOB_EVENTS_H
#define GLIA_CLI_JOB_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct event_file event_file;

/*
 * Creates events.out.tfevents.SECONDS.HOST in the folder. wall_time, of every function here, is in
 * seconds since 1970; SECONDS are its whole ones, or the first after them of which there is no file
 * yet: an older file is never touched. Complains and returns NULL when it cannot be written.
 */
event_file *events_open(const char *folder, double wall_time);

/*
 * Adds a scalar. tag: UTF-8, cut after 200 bytes; "train/loss" is shown in the group "train".
 * A value that is no number, infinite or beyond f32 is left out: TensorBoard's curve has a gap
 * there, as metrics.jsonl has null.
 *
 * The first failure of a file is complained about; from then on nothing is written, and this and
 * the functions below return false.
 */
bool events_scalar(event_file *file, const char *tag, int64_t step, double wall_time, double value);

/* Hands what was added to the system, so that a TensorBoard that is looking sees it. */
bool events_flush(event_file *file);

/* Flushes, closes and frees; NULL does nothing, successfully. */
bool events_close(event_file *file);

#endif
