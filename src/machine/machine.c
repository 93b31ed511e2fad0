/* SPDX-License-Identifier: MIT */
/*
 * What the machine can do, measured: the loops of peak.c, on all threads at once, lap after lap;
 * the fastest lap counts. A lap lasts from the first thread's beginning to the last one's end, so a
 * lap in which a thread had to wait for a core only counts for less.
 */
#define _GNU_SOURCE /* _SC_LEVEL3_CACHE_SIZE */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/thread.h"
#include "compute/engine.h"
#include "compute/onednn.h"
#include "machine/peak.h"

extern const gi_peak gi_peak_baseline;
#ifdef __x86_64__
extern const gi_peak gi_peak_avx2, gi_peak_avx512, gi_peak_avx512_bf16;
#endif

static const double MEASURED_S = 0.25; /* each of the three */
static const double PATIENCE_S = 0.75; /* more, for threads that never had a core each at once */
static const double LAP_S = 5e-4; /* at least: long beside a barrier, short beside a time slice */

/* The bytes of one of the triad's three arrays, all threads together: at least, at most. */
static const size_t LEAST_ARRAY = (size_t)64 << 20, LARGEST_ARRAY = (size_t)512 << 20;

/* What a thread has for itself, on cache lines of its own. */
typedef struct lane {
    _Alignas(64) double began_s, ended_s; /* of the lap */
    float result;                         /* so that no work is left out */
    double best;                          /* of this thread alone, units a second */
    float *a, *b, *c;
} lane;

typedef struct measurement {
    gi_pool *pool;
    const gi_peak *peak;
    lane *lanes;       /* (threads) */
    size_t rounds;     /* of multiply_add a lap; 0: laps are triads */
    size_t n;          /* floats of an array that a thread has */
    double units;      /* of work in a lap, all threads together, a round */
    double best;       /* units a second */
    double until_s;    /* no lap begins after */
    atomic_bool fails; /* a thread has no memory */
    bool go_on;
} measurement;

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/*
 * After a lap: what it has shown, and whether and how another follows. Where neighbours kept the
 * threads from running at once, together they are slower than the sum of each one's best lap; then
 * there is some patience. (Of the memory, which they share, they always are.)
 */
static void judge(measurement *m, int n_threads)
{
    const double rounds = m->rounds > 0 ? (double)m->rounds : 1;
    double began = m->lanes[0].began_s, ended = m->lanes[0].ended_s, alone = 0;
    for (int t = 0; t < n_threads; t++) {
        lane *own = &m->lanes[t];
        const double speed = rounds * m->units / n_threads / (own->ended_s - own->began_s);
        if (own->ended_s > own->began_s && speed > own->best) own->best = speed;
        if (own->began_s < began) began = own->began_s;
        if (own->ended_s > ended) ended = own->ended_s;
        alone += own->best;
    }
    const double seconds = ended - began;
    if (seconds > 0 && rounds * m->units / seconds > m->best) m->best = rounds * m->units / seconds;
    if (seconds < LAP_S) m->rounds *= 2;
    const bool disturbed = m->rounds > 0 && m->best < 0.9 * alone;
    m->go_on = ended < m->until_s + (disturbed ? PATIENCE_S : 0);
}

static void run_laps(measurement *m, int thread, int n_threads)
{
    lane *own = &m->lanes[thread];
    do {
        gi_pool_barrier(m->pool);
        own->began_s = now_s();
        if (m->rounds > 0)
            own->result = m->peak->multiply_add(m->rounds, 0.5F);
        else
            m->peak->triad(own->a, own->b, own->c, 0.5F, m->n);
        own->ended_s = now_s();
        gi_pool_barrier(m->pool);
        if (thread == 0) judge(m, n_threads);
        gi_pool_barrier(m->pool);
    } while (m->go_on);
}

static void multiply_task(void *context, int thread, int n_threads)
{
    run_laps(context, thread, n_threads);
}

/* Each thread makes its own part of the arrays: so it lies in the memory that is nearest to it. */
static void triad_task(void *context, int thread, int n_threads)
{
    measurement *m = context;
    lane *own = &m->lanes[thread];
    own->a = gi_alloc(m->n, sizeof(float), "", NULL);
    own->b = gi_alloc(m->n, sizeof(float), "", NULL);
    own->c = gi_alloc(m->n, sizeof(float), "", NULL);
    if (!own->a || !own->b || !own->c) atomic_store(&m->fails, true);
    gi_pool_barrier(m->pool);
    if (thread == 0) m->until_s = now_s() + MEASURED_S;
    if (!atomic_load(&m->fails)) run_laps(m, thread, n_threads);
    gi_free(own->a);
    gi_free(own->b);
    gi_free(own->c);
}

static double measure_peak(measurement *m, const gi_peak *peak)
{
    m->peak = peak;
    m->rounds = 1000;
    m->units = peak->flop * gi_pool_threads(m->pool);
    m->best = 0;
    for (int t = 0; t < gi_pool_threads(m->pool); t++) m->lanes[t].best = 0;
    m->until_s = now_s() + MEASURED_S;
    gi_pool_run(m->pool, multiply_task, m);
    return m->best;
}

static glia_status measure_memory(measurement *m, const gi_peak *peak, double *bytes_per_s,
                                  glia_error *error)
{
    const size_t threads = (size_t)gi_pool_threads(m->pool);
    size_t array = LEAST_ARRAY;
#ifdef _SC_LEVEL3_CACHE_SIZE
    const long cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
    if (cache > 0 && (size_t)cache > array) array = (size_t)cache;
    if (array > LARGEST_ARRAY) array = LARGEST_ARRAY;
#endif
    m->peak = peak;
    m->rounds = 0;
    m->n = array / sizeof(float) / threads;
    m->units = 3.0 * sizeof(float) * (double)m->n * (double)threads;
    m->best = 0;
    gi_pool_run(m->pool, triad_task, m);
    if (atomic_load(&m->fails))
        return gi_fail(error, GLIA_NO_MEMORY,
                       "measuring the memory: out of memory (three arrays of %zu bytes)", array);
    *bytes_per_s = m->best;
    return GLIA_OK;
}

/* ---- What the machine is -------------------------------------------------------------------- */

/* The loops of a level; f32 and memory. */
static const gi_peak *peak_of(const char *isa)
{
#ifdef __x86_64__
    const gi_peak *const peaks[] = {&gi_peak_avx2, &gi_peak_avx512};
    for (size_t i = 0; i < sizeof peaks / sizeof *peaks; i++)
        if (strcmp(isa, peaks[i]->isa) == 0) return peaks[i];
#endif
    (void)isa;
    return &gi_peak_baseline;
}

/* The bf16 products at a level, NULL where CPU or level has none. */
static const gi_peak *bf16_peak_of(const char *isa)
{
#ifdef __x86_64__
    if (strcmp(isa, "avx512") == 0 && gi_cpu_has_bf16()) return &gi_peak_avx512_bf16;
#endif
    (void)isa;
    return NULL;
}

/* name (size) = what stands after the colon of the first line of /proc/cpuinfo that has key. */
static void cpu_name(char *name, size_t size)
{
    static const char key[] = "model name";
    gi_file file;
    snprintf(name, size, "unknown");
    if (gi_file_open("/proc/cpuinfo", &file, NULL) != GLIA_OK) return;
    const char *line = (const char *)file.data, *end = line + file.size;
    while (line < end) {
        const char *next = memchr(line, '\n', (size_t)(end - line));
        if (!next) next = end;
        const char *colon = memchr(line, ':', (size_t)(next - line));
        if (colon && (size_t)(colon - line) >= sizeof key - 1 &&
            memcmp(line, key, sizeof key - 1) == 0) {
            const char *text = colon + 1;
            while (text < next && *text == ' ') text++;
            if (text < next) snprintf(name, size, "%.*s", (int)(next - text), text);
            break;
        }
        line = next < end ? next + 1 : end;
    }
    gi_file_close(&file);
}

glia_status glia_machine_describe_sized(glia_machine *out, size_t size, glia_error *error)
{
    const gi_engine *engine;
    const glia_status status = gi_engine_choose(&engine, error);
    if (status) return status;
    glia_machine machine = {
        .cores = gi_core_count(), .isa = engine->isa, .onednn_isa = gi_onednn_isa()};
    cpu_name(machine.cpu, sizeof machine.cpu);
    gi_copy_known(out, size, &machine, sizeof machine);
    return GLIA_OK;
}

glia_status glia_machine_measure_sized(int threads, glia_machine *out, size_t size,
                                       glia_error *error)
{
    measurement m = {0};
    glia_machine machine;
    glia_status status = glia_machine_describe(&machine, error);
    if (!status) status = gi_pool_create(threads, &m.pool, error);
    if (status) return status;
    const int n_threads = machine.threads = gi_pool_threads(m.pool);
    double bytes_per_s = 0;
    m.lanes = gi_alloc((size_t)n_threads, sizeof *m.lanes, "measuring the machine", error);
    if (!m.lanes) {
        status = GLIA_NO_MEMORY;
        goto cleanup;
    }
    const gi_peak *peak = peak_of(machine.isa), *bf16 = bf16_peak_of(machine.isa);
    machine.peak_f32_gflops = measure_peak(&m, peak) / 1e9;
    if (bf16) machine.peak_bf16_gflops = measure_peak(&m, bf16) / 1e9;
    status = measure_memory(&m, peak, &bytes_per_s, error);
    machine.memory_gb_per_s = bytes_per_s / 1e9;
    if (!status) gi_copy_known(out, size, &machine, sizeof machine);

cleanup:
    gi_free(m.lanes);
    gi_pool_free(m.pool);
    return status;
}
