/* SPDX-License-Identifier: MIT */
/* The thread pool and its barrier. */
#define _GNU_SOURCE /* sched_getaffinity */
#include "base/thread.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"

enum { SPINS = 4000, MAX_THREADS = 1024, MAX_THREADS_A_CORE = 8 };

/*
 * How long a thread spins at a barrier within a task before it sleeps: longer than another
 * process's turn on a processor. If the thread slept, that process would move to its processor, and
 * the thread would be woken only when the turn there is over: every step would cost such a turn.
 */
static const double patience_s = 5e-3;

/*
 * Invariants: a thread waits for `generation` to move on from the value that it saw; the last to
 * arrive moves it. A thread that goes to sleep counts itself among the sleepers first and looks at
 * the generation again with the mutex held; the last to arrive looks for sleepers after it has
 * moved the generation (both in one order of all), and wakes them with the mutex held: none is
 * missed.
 */
struct gi_pool {
    atomic_int n_threads; /* atomic for gi_pool_free after a creation that failed half-way */
    int n_started;        /* threads to join: n_threads - 1 unless creation failed half-way */
    pthread_t *threads;
    struct worker {
        gi_pool *pool;
        int thread;
    } * workers;
    pthread_mutex_t mutex;
    pthread_cond_t moved;
    bool patient;            /* there is a core for each thread, so that who spins takes nobody's */
    atomic_int *processor;   /* (threads): where each was seen last */
    atomic_ullong waited_ns; /* processor time spent on spinning long */
    gi_task *task;           /* NULL ends the workers */
    void *context;
    /* what changes at every barrier: each on a cache line of its own */
    _Alignas(64) atomic_int arrived;
    _Alignas(64) atomic_uint generation;
    _Alignas(64) atomic_int sleepers;
};

int gi_core_count(void)
{
#ifdef __linux__
    cpu_set_t cores;
    if (sched_getaffinity(0, sizeof cores, &cores) == 0 && CPU_COUNT(&cores) > 0)
        return CPU_COUNT(&cores);
#endif
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 && online <= MAX_THREADS ? (int)online : 1;
}

double gi_thread_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static bool has_moved(gi_pool *pool, unsigned generation)
{
    for (int spin = 0; spin < SPINS; spin++) {
        if (atomic_load_explicit(&pool->generation, memory_order_acquire) != generation)
            return true;
        relax();
    }
    return false;
}

static void meet(gi_pool *pool, bool patient)
{
    if (pool->n_threads == 1) return;
    const unsigned generation = atomic_load_explicit(&pool->generation, memory_order_relaxed);
    const int before = atomic_fetch_add_explicit(&pool->arrived, 1, memory_order_acq_rel);
    if (before == pool->n_threads - 1) { /* read after arriving: gi_pool_free may have lowered it */
        atomic_store_explicit(&pool->arrived, 0, memory_order_relaxed);
        atomic_store(&pool->generation, generation + 1);
        if (atomic_load(&pool->sleepers) > 0) {
            pthread_mutex_lock(&pool->mutex);
            pthread_cond_broadcast(&pool->moved);
            pthread_mutex_unlock(&pool->mutex);
        }
        return;
    }
    if (has_moved(pool, generation)) return;
    if (patient) {
        const double begun = gi_thread_seconds();
        double spent = 0;
        bool moved = false;
        while (!moved && spent < patience_s) {
            moved = has_moved(pool, generation);
            spent = gi_thread_seconds() - begun;
        }
        atomic_fetch_add_explicit(&pool->waited_ns, (unsigned long long)(1e9 * spent),
                                  memory_order_relaxed);
        if (moved) return;
    }
    atomic_fetch_add(&pool->sleepers, 1);
    pthread_mutex_lock(&pool->mutex);
    while (atomic_load(&pool->generation) == generation)
        pthread_cond_wait(&pool->moved, &pool->mutex);
    pthread_mutex_unlock(&pool->mutex);
    atomic_fetch_sub(&pool->sleepers, 1);
}

void gi_pool_barrier(gi_pool *pool)
{
    meet(pool, pool->patient);
}

void gi_pool_sleep(gi_pool *pool)
{
    meet(pool, false);
}

double gi_pool_waited_seconds(gi_pool *pool)
{
    return 1e-9 * (double)atomic_load_explicit(&pool->waited_ns, memory_order_relaxed);
}

void gi_pool_spread(gi_pool *pool, int thread)
{
#ifdef __linux__
    const int here = sched_getcpu();
    atomic_store_explicit(&pool->processor[thread], here, memory_order_relaxed);
    if (thread == 0 || !pool->patient || here < 0) return; /* the caller's thread is not ours */
    bool shared = false;
    for (int t = 0; t < thread; t++)
        shared |= atomic_load_explicit(&pool->processor[t], memory_order_relaxed) == here;
    cpu_set_t allowed, others;
    if (!shared || sched_getaffinity(0, sizeof allowed, &allowed)) return;
    others = allowed;
    for (int t = 0; t < thread; t++) {
        const int taken = atomic_load_explicit(&pool->processor[t], memory_order_relaxed);
        if (taken >= 0 && taken < CPU_SETSIZE) CPU_CLR((size_t)taken, &others);
    }
    if (CPU_COUNT(&others) == 0) return;
    /* Allowed elsewhere alone, it moves at once; then it is as free as before. */
    if (sched_setaffinity(0, sizeof others, &others)) return;
    sched_setaffinity(0, sizeof allowed, &allowed);
    atomic_store_explicit(&pool->processor[thread], sched_getcpu(), memory_order_relaxed);
#else
    (void)pool, (void)thread;
#endif
}

static void *work(void *argument)
{
    const struct worker *self = argument;
    gi_pool *pool = self->pool;
    for (;;) {
        gi_pool_sleep(pool); /* until there is a task */
        if (!pool->task) return NULL;
        gi_pool_spread(pool, self->thread);
        pool->task(pool->context, self->thread, pool->n_threads);
        gi_pool_barrier(pool); /* until all have done it */
    }
}

void gi_pool_run(gi_pool *pool, gi_task *task, void *context)
{
    pool->task = task;
    pool->context = context;
    gi_pool_spread(pool, 0);
    gi_pool_barrier(pool);
    task(context, 0, pool->n_threads);
    gi_pool_barrier(pool);
}

glia_status gi_pool_create(int n_threads, gi_pool **out, glia_error *error)
{
    if (n_threads == 0) n_threads = gi_core_count();
    if (n_threads < 1 || n_threads > MAX_THREADS)
        return gi_fail(error, GLIA_BAD_ARGUMENT, "threads: found %d, expected 0 (one a core) to %d",
                       n_threads, MAX_THREADS);
    const int most = MAX_THREADS_A_CORE * gi_core_count(); /* more would only wait for each other */
    if (n_threads > most) n_threads = most;
    gi_pool *pool = gi_alloc(1, sizeof *pool, "the thread pool", error);
    if (!pool) return GLIA_NO_MEMORY;
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->moved, NULL);
    pool->n_threads = n_threads;
    pool->patient = n_threads <= gi_core_count();
    pool->threads = gi_alloc((size_t)n_threads, sizeof *pool->threads, "the thread pool", error);
    pool->workers = gi_alloc((size_t)n_threads, sizeof *pool->workers, "the thread pool", error);
    pool->processor =
        gi_alloc((size_t)n_threads, sizeof *pool->processor, "the thread pool", error);
    if (!pool->threads || !pool->workers || !pool->processor) {
        gi_pool_free(pool);
        return GLIA_NO_MEMORY;
    }
    for (int t = 0; t < n_threads; t++) atomic_init(&pool->processor[t], -1);
    for (int t = 1; t < n_threads; t++) {
        pool->workers[t] = (struct worker){pool, t};
        const int failure = pthread_create(&pool->threads[t], NULL, work, &pool->workers[t]);
        if (failure) {
            gi_pool_free(pool);
            return gi_fail(error, GLIA_NO_MEMORY,
                           "cannot start thread %d of %d; ask for fewer threads", t + 1, n_threads);
        }
        pool->n_started++;
    }
    *out = pool;
    return GLIA_OK;
}

void gi_pool_free(gi_pool *pool)
{
    if (!pool) return;
    pool->n_threads = pool->n_started + 1; /* who is there to come to the barrier */
    pool->task = NULL;
    if (pool->n_started > 0) gi_pool_barrier(pool);
    for (int t = 1; t <= pool->n_started; t++) pthread_join(pool->threads[t], NULL);
    pthread_cond_destroy(&pool->moved);
    pthread_mutex_destroy(&pool->mutex);
    gi_free(pool->threads);
    gi_free(pool->workers);
    gi_free(pool->processor);
    gi_free(pool);
}

int gi_pool_threads(const gi_pool *pool)
{
    return pool->n_threads;
}

void gi_slice(size_t n, size_t grain, int thread, int n_threads, size_t *begin, size_t *end)
{
    const size_t grains = (n + grain - 1) / grain;
    const size_t threads = (size_t)n_threads, t = (size_t)thread;
    /* The first (grains mod threads) threads have one grain more. */
    const size_t each = grains / threads, more = grains % threads;
    const size_t first = t * each + (t < more ? t : more);
    const size_t last = first + each + (t < more ? 1 : 0);
    *begin = first * grain < n ? first * grain : n;
    *end = last * grain < n ? last * grain : n;
}
