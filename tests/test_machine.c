/* SPDX-License-Identifier: MIT */
/*
 * What a machine is measured by: the loops compute what they say, as many operations as they count;
 * the measurement is plausible, and fails cleanly. How fast a machine is, no test says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#ifdef __x86_64__
#include <cpuid.h>
#endif

#include "assert_error.h"
#include "base/thread.h"
#include "compute/engine.h"
#include "glia.h"
#include "machine/peak.h"

extern const gi_peak gi_peak_baseline;
#ifdef __x86_64__
extern const gi_peak gi_peak_avx2, gi_peak_avx512, gi_peak_avx512_bf16;
#endif

/* ---- Allocations that fail when told --------------------------------------------------------- */

void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

/* If armed, blocks of this size and more are given `left` times, then no more. */
static bool armed;
static size_t large;
static atomic_long left;

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    if (armed && size >= large && atomic_fetch_sub(&left, 1) <= 0) return NULL;
    return __real_aligned_alloc(alignment, size);
}

/* ---- The loops ------------------------------------------------------------------------------- */

/* Whether the CPU multiplies bf16, from cpuid itself: leaf 7, subleaf 1, bit 5 of eax. */
static bool cpu_has_bf16(void)
{
#ifdef __x86_64__
    unsigned a = 0, b, c, d;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 5 & 1);
#else
    return false;
#endif
}

static void check_triad(const gi_peak *peak)
{
    enum { N = 1003 };
    static float a[N + 1], b[N], c[N];
    for (size_t i = 0; i < N; i++) {
        b[i] = (float)i;
        c[i] = (float)(3 * i);
    }
    a[N] = -1;
    peak->triad(a, b, c, 2, N);
    for (size_t i = 0; i < N; i++) assert_true(a[i] == (float)(7 * i));
    assert_true(a[N] == -1);
}

/* From any beginning s x + 1 goes to 2 for x = 1/2, so the sum over all lanes is 2 a lane. */
static void check_f32(const gi_peak *peak)
{
    assert_true(peak->flop > 0);
    assert_true(peak->multiply_add(200, 0.5F) == (float)peak->flop);
    assert_true(peak->multiply_add(0, 0.5F) != (float)peak->flop);
    check_triad(peak);
}

static void test_f32_loops(void **state)
{
    (void)state;
    assert_string_equal(gi_peak_baseline.isa, "baseline");
    check_f32(&gi_peak_baseline);
#ifdef __x86_64__
    const gi_peak *const peaks[] = {&gi_peak_avx2, &gi_peak_avx512};
    for (size_t i = 0; i < 2; i++) {
        if (gi_engine_reference(sizeof(float), peaks[i]->isa))
            check_f32(peaks[i]);
        else
            print_message("# %s is skipped: this CPU has none\n", peaks[i]->isa);
    }
#endif
}

static void test_bf16_loop(void **state)
{
    (void)state;
#ifdef __x86_64__
    if (!cpu_has_bf16()) skip();
    const gi_peak *peak = &gi_peak_avx512_bf16;
    /* Each lane grows by x x + x x a round, 4 FLOP; in powers of two that is exact. */
    const float one = peak->multiply_add(1, 0.5F), ten = peak->multiply_add(10, 0.5F);
    assert_true(ten - one == (float)(9 * peak->flop / 4 * 2 * 0.25));
#else
    skip();
#endif
}

/* ---- The measurement ------------------------------------------------------------------------- */

static void check_machine(const glia_machine *machine, const char *isa)
{
    assert_true(isfinite(machine->peak_f32_gflops) && machine->peak_f32_gflops > 0);
    assert_true(isfinite(machine->memory_gb_per_s) && machine->memory_gb_per_s > 0);
    assert_true(isfinite(machine->peak_bf16_gflops) && machine->peak_bf16_gflops >= 0);
    const bool bf16 = cpu_has_bf16() && strcmp(machine->isa, "avx512") == 0;
    assert_int_equal(machine->peak_bf16_gflops > 0, bf16);
    assert_true(strlen(machine->cpu) > 0 && strlen(machine->cpu) < sizeof machine->cpu);
    assert_int_equal(machine->cores, gi_core_count());
    assert_string_equal(machine->isa, isa);
}

static void test_measure(void **state)
{
    (void)state;
    glia_machine machine = {0};
    glia_error error = {0};
    if (glia_machine_measure(0, &machine, &error)) fail_msg("%s", error.message);
    assert_int_equal(machine.threads, gi_core_count());
    check_machine(&machine, gi_engine_reference(sizeof(float), NULL)->isa);
    glia_machine described = {.threads = 77};
    assert_int_equal(glia_machine_describe(&described, NULL), GLIA_OK);
    assert_string_equal(described.cpu, machine.cpu);
    assert_string_equal(described.isa, machine.isa);
    assert_true(described.cores == machine.cores && described.threads == 0);
    assert_true(described.peak_f32_gflops == 0);
}

static void test_measure_a_level(void **state)
{
    (void)state;
    glia_machine machine = {0};
    setenv("GLIA_CPU", "baseline", 1);
    assert_int_equal(glia_machine_measure(1, &machine, NULL), GLIA_OK);
    check_machine(&machine, "baseline");
    assert_int_equal(machine.threads, 1);
    setenv("GLIA_CPU", "abacus", 1);
    glia_error error = {0};
    const glia_status status = glia_machine_measure(1, &machine, &error);
    assert_error("GLIA_CPU", status, GLIA_BAD_ARGUMENT, &error, "abacus", NULL);
    unsetenv("GLIA_CPU");
}

static void test_wrong_threads(void **state)
{
    (void)state;
    glia_machine machine = {.threads = 77};
    glia_error error = {0};
    const glia_status status = glia_machine_measure(-1, &machine, &error);
    assert_error("threads", status, GLIA_BAD_ARGUMENT, &error, "-1", NULL);
    assert_int_equal(machine.threads, 77); /* not touched */
}

static void test_no_memory(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        size_t large;
        long left;
    } cases[] = {
        {"the pool", 0, 0},
        {"the pool's threads", 0, 1},
        {"what the threads have for themselves", 0, 3},
        {"the first array", 1 << 20, 0},
        {"an array of one thread alone", 1 << 20, 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        glia_machine machine = {.threads = 77};
        glia_error error = {0};
        large = cases[i].large;
        left = cases[i].left;
        armed = true;
        const glia_status status = glia_machine_measure(2, &machine, &error);
        armed = false;
        assert_error(cases[i].what, status, GLIA_NO_MEMORY, &error, "memory", NULL);
        assert_int_equal(machine.threads, 77);
    }
}

int main(void)
{
    unsetenv("GLIA_CPU");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_f32_loops),     cmocka_unit_test(test_bf16_loop),
        cmocka_unit_test(test_measure),       cmocka_unit_test(test_measure_a_level),
        cmocka_unit_test(test_wrong_threads), cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
