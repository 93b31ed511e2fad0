/* SPDX-License-Identifier: MIT */
/* Schedules of the learning rate: against PyTorch's, against values by hand, and what is open. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "golden/schedules.h"
#include "shape.h"
#include "train/schedule.h"

/* Every step; PyTorch's recursive forms round a few times more than closed ones. */
static void test_agrees_with_pytorch(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof golden_schedules / sizeof golden_schedules[0]; i++) {
        const struct golden_schedule *g = &golden_schedules[i];
        glia_settings p = g->params;
        gi_schedule_settle(&p);
        const size_t n = p.epochs * g->steps_an_epoch;
        for (size_t step = 0; step < n; step++) {
            const double found = gi_rate_at(&p, step, n, g->steps_an_epoch);
            if (!(fabs(found - g->rates[step]) <= 1e-13))
                fail_msg("case %zu, %s, step %zu of %zu: found %.17g, expected %.17g", i,
                         glia_schedule_name(p.schedule), step, n, found, g->rates[step]);
        }
    }
}

/* With a warm-up, which PyTorch's have not; and runs of few steps. */
static void test_values_by_hand(void **state)
{
    (void)state;
    enum { MOST_STEPS = 12 };
    static const struct {
        glia_settings p;
        size_t steps_an_epoch;
        double rate[MOST_STEPS];
    } cases[] = {
        /* half of eight steps rise to the peak, step 3 */
        {{.schedule = GLIA_SCHEDULE_COSINE,
          .lr = 1,
          .lr_end = NAN,
          .lr_factor = NAN,
          .warmup = .5,
          .epochs = 2},
         4,
         {.25, .5, .75, 1, .85355339059327376, .5, .14644660940672624, 0}},
        {{.schedule = GLIA_SCHEDULE_COSINE,
          .lr = 1,
          .lr_end = .2,
          .lr_factor = NAN,
          .warmup = .5,
          .epochs = 2},
         4,
         {.25, .5, .75, 1, .88284271247461901, .6, .31715728752538099, .2}},
        {{.schedule = GLIA_SCHEDULE_LINEAR,
          .lr = 1,
          .lr_end = NAN,
          .lr_factor = NAN,
          .warmup = .5,
          .epochs = 2},
         4,
         {.25, .5, .75, 1, .75, .5, .25, 0}},
        {{.schedule = GLIA_SCHEDULE_CONSTANT,
          .lr = 2,
          .lr_end = 0,
          .warmup = .5,
          .lr_factor = NAN,
          .epochs = 1},
         4,
         {1, 2, 2, 2}},
        /* falls count from the first epoch, whatever the warm-up */
        {{.schedule = GLIA_SCHEDULE_STEP,
          .lr = 1,
          .lr_end = NAN,
          .lr_factor = .5,
          .lr_every = 1,
          .warmup = .25,
          .epochs = 4},
         2,
         {.5, 1, .5, .5, .25, .25, .125, .125}},
        /* ten epochs: a third of them is four */
        {{.schedule = GLIA_SCHEDULE_STEP, .lr = 1, .lr_end = 0.5, .lr_factor = NAN, .epochs = 10},
         1,
         {1, 1, 1, 1, .1, .1, .1, .1, .01, .01}},
        {{.schedule = GLIA_SCHEDULE_STEP, .lr = 1, .lr_end = NAN, .lr_factor = NAN, .epochs = 1},
         2,
         {1, 1}},
        /* a quarter in an epoch of two steps, from the peak on */
        {{.schedule = GLIA_SCHEDULE_EXPONENTIAL,
          .lr = 1,
          .lr_end = NAN,
          .lr_factor = .25,
          .warmup = .5,
          .epochs = 4},
         2,
         {.25, .5, .75, 1, .5, .25, .125, .0625}},
        /* the peak of ten steps is step 2 */
        {{.schedule = GLIA_SCHEDULE_ONE_CYCLE,
          .lr = 25,
          .lr_end = 0,
          .lr_factor = NAN,
          .epochs = 1},
         10,
         {1, 13, 25, 23.76211084878024, 20.29362252323417, 15.28151167445393, 9.718488325546071,
          4.706377476765831, 1.237889151219762, 0}},
        {{.schedule = GLIA_SCHEDULE_ONE_CYCLE,
          .lr = 1,
          .lr_end = NAN,
          .lr_factor = NAN,
          .epochs = 1},
         1,
         {1}},
        {{.schedule = GLIA_SCHEDULE_ONE_CYCLE,
          .lr = 1,
          .lr_end = .5,
          .lr_factor = NAN,
          .epochs = 1},
         3,
         {1, .75, .5}},
        {{.schedule = GLIA_SCHEDULE_ONE_CYCLE,
          .lr = 1,
          .lr_end = 0,
          .warmup = .1,
          .lr_factor = NAN,
          .epochs = 1},
         10,
         {1, .96984631039295421, .88302222155948904, .75, .58682408883346515, .41317591116653485,
          .25, .11697777844051096, .030153689607045786, 0}},
        {{.schedule = GLIA_SCHEDULE_AUTO, .lr = 1, .lr_end = NAN, .lr_factor = NAN, .epochs = 1},
         2,
         {1, 1}},
        {{.schedule = GLIA_SCHEDULE_AUTO, .lr = 1, .lr_end = 0, .lr_factor = NAN, .epochs = 1},
         2,
         {1, 0}},
        {{.schedule = GLIA_SCHEDULE_COSINE, .lr = 1, .lr_end = 0, .lr_factor = NAN, .epochs = 1},
         1,
         {1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        glia_settings p = cases[i].p;
        gi_schedule_settle(&p);
        const size_t n = p.epochs * cases[i].steps_an_epoch;
        for (size_t step = 0; step < n; step++) {
            const double found = gi_rate_at(&p, step, n, cases[i].steps_an_epoch);
            if (!(fabs(found - cases[i].rate[step]) <= 1e-14 * p.lr))
                fail_msg("case %zu, step %zu: found %.17g, expected %.17g", i, step, found,
                         cases[i].rate[step]);
        }
    }
}

/* What a schedule does not look at is cleared, what it leaves open filled in, once and for all. */
static void test_settling(void **state)
{
    (void)state;
    for (int s = GLIA_SCHEDULE_AUTO; s <= GLIA_SCHEDULE_ONE_CYCLE; s++)
        for (int given = 0; given < 2; given++) {
            const glia_settings p = {.schedule = (glia_schedule)s,
                                     .lr = 0.5,
                                     .lr_end = given ? 0.125 : (double)NAN,
                                     .lr_factor = given ? 0.25 : (double)NAN,
                                     .lr_every = given ? 7 : 0,
                                     .warmup = given ? 0.1 : 0,
                                     .epochs = 31};
            glia_settings once = p;
            gi_schedule_settle(&once);
            glia_settings twice = once;
            gi_schedule_settle(&twice);
            const glia_schedule is = once.schedule;
            if (s == GLIA_SCHEDULE_AUTO)
                assert_int_equal(is, given ? GLIA_SCHEDULE_LINEAR : GLIA_SCHEDULE_CONSTANT);
            else
                assert_int_equal(is, s);
            const bool ends = is == GLIA_SCHEDULE_LINEAR || is == GLIA_SCHEDULE_COSINE ||
                              is == GLIA_SCHEDULE_ONE_CYCLE;
            const double end = given ? 0.125 : is == GLIA_SCHEDULE_ONE_CYCLE ? 0.5 / 25 / 1e4 : 0;
            assert_true(ends ? once.lr_end == end : isnan(once.lr_end));
            const bool factor = is == GLIA_SCHEDULE_STEP || is == GLIA_SCHEDULE_EXPONENTIAL;
            const double usual = is == GLIA_SCHEDULE_STEP ? 0.1 : 0.95;
            assert_true(factor ? once.lr_factor == (given ? 0.25 : usual) : isnan(once.lr_factor));
            assert_int_equal(once.lr_every, is != GLIA_SCHEDULE_STEP ? 0 : given ? 7 : 11);
            assert_true(once.warmup == (given ? 0.1 : is == GLIA_SCHEDULE_ONE_CYCLE ? 0.3 : 0));
            assert_true(twice.schedule == is &&
                        (twice.lr_end == once.lr_end || isnan(once.lr_end)) &&
                        (twice.lr_factor == once.lr_factor || !factor) &&
                        twice.lr_every == once.lr_every && twice.warmup == once.warmup);
        }
}

/* From the first step to the last it is a finite number of at least 0 and at most lr. */
static void test_is_never_out_of_range(void **state)
{
    (void)state;
    static const double parts[] = {0, .01, .3, .5, .999};
    for (int s = GLIA_SCHEDULE_AUTO; s <= GLIA_SCHEDULE_ONE_CYCLE; s++)
        for (size_t w = 0; w < sizeof parts / sizeof *parts; w++)
            for (size_t epochs = 1; epochs <= 9; epochs += 4)
                for (size_t an_epoch = 1; an_epoch <= 5; an_epoch++)
                    for (double end = -1; end <= 0.5; end += 0.5) {
                        glia_settings p = {.schedule = (glia_schedule)s,
                                           .lr_factor = NAN,
                                           .lr = 2,
                                           .lr_end = end < 0 ? (double)NAN : end,
                                           .warmup = parts[w],
                                           .epochs = epochs};
                        gi_schedule_settle(&p);
                        const size_t n = epochs * an_epoch;
                        for (size_t step = 0; step < n; step++) {
                            const double rate = gi_rate_at(&p, step, n, an_epoch);
                            if (!(rate >= 0 && rate <= 2))
                                fail_msg("%s, warmup %g, step %zu of %zu: found %g",
                                         glia_schedule_name((glia_schedule)s), parts[w], step, n,
                                         rate);
                        }
                    }
}

static void test_names(void **state)
{
    (void)state;
    glia_schedule found = GLIA_SCHEDULE_STEP;
    for (int s = GLIA_SCHEDULE_AUTO; s <= GLIA_SCHEDULE_ONE_CYCLE; s++) {
        assert_true(glia_schedule_from_name(glia_schedule_name((glia_schedule)s), &found));
        assert_int_equal(found, s);
    }
    assert_false(glia_schedule_from_name("Cosine", &found));
    assert_int_equal(found, GLIA_SCHEDULE_ONE_CYCLE);
    assert_string_equal(glia_schedule_name((glia_schedule)99), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agrees_with_pytorch),
        cmocka_unit_test(test_values_by_hand),
        cmocka_unit_test(test_settling),
        cmocka_unit_test(test_is_never_out_of_range),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
