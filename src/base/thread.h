/* SPDX-License-Identifier: MIT */
/*
 * A pool of threads that run one function side by side (single program, multiple data): the
 * function gets its thread's number and divides the work by it. Barriers spin, then sleep.
 */
#ifndef GLIA_BASE_THREAD_H
#define GLIA_BASE_THREAD_H

#include "base/status.h"

typedef struct gi_pool gi_pool;

/* task(context, thread, n_threads); the calling thread is thread 0. */
typedef void gi_task(void *context, int thread, int n_threads);

/* The number of cores that this process may run on, at least 1. */
int gi_core_count(void);

/*
 * n_threads 0: one a core; of more than 8 a core only so many are started. A pool of one thread
 * starts none.
 */
glia_status gi_pool_create(int n_threads, gi_pool **out, glia_error *error);
void gi_pool_free(gi_pool *pool);
int gi_pool_threads(const gi_pool *pool);

/* Runs the task on every thread of the pool; returns when all have finished. */
void gi_pool_run(gi_pool *pool, gi_task *task, void *context);

/*
 * Within a task: waits until every thread of the pool has come here. gi_pool_sleep is the same for
 * who expects to wait long: it leaves the processor to others soon.
 */
void gi_pool_barrier(gi_pool *pool);
void gi_pool_sleep(gi_pool *pool);

/*
 * Within a task, now and then: sees to it that this thread does not share a processor with another
 * of the pool while there are others. Two that spin for each other both look busy, and the
 * scheduler may leave them together for seconds.
 */
void gi_pool_spread(gi_pool *pool, int thread);

/* Processor time that the pool's threads have spent on spinning at barriers, of long waits. */
double gi_pool_waited_seconds(gi_pool *pool);

/* Seconds of processor time that the calling thread has had. */
double gi_thread_seconds(void);

/* The part of 0..n that thread has: *begin..*end, in whole multiples of grain but for the last. */
void gi_slice(size_t n, size_t grain, int thread, int n_threads, size_t *begin, size_t *end);

#endif
