/* SPDX-License-Identifier: MIT */
/* Rounding to bf16, transposition and pairing, on every level of instruction set. */
#include "numeric.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compute/bf16.h"
#include "compute/pack.h"

typedef void pack_test(const gi_pack *pack);

static void on_every_pack(pack_test *test)
{
    static const char *const levels[] = {"baseline", "avx2", "avx512"};
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        const gi_pack *pack = gi_pack_for(levels[i]);
        if (pack)
            test(pack);
        else
            print_message("# %s: this CPU lacks it\n", levels[i]);
    }
}

static void check_rounding(const gi_pack *pack)
{
    static const struct {
        uint32_t f32;
        uint16_t bf16;
    } cases[] = {
        {0x3f800000, 0x3f80}, /* 1 */
        {0x3f808000, 0x3f80}, /* half-way: to the even one, below */
        {0x3f818000, 0x3f82}, /* and above */
        {0x3f808001, 0x3f81}, {0x3f807fff, 0x3f80}, {0xbf818000, 0xbf82},
        {0x7f7fffff, 0x7f80}, /* the largest float: infinity */
        {0x7f800000, 0x7f80}, {0xff800000, 0xff80}, {0x80000000, 0x8000},
        {0x7f800001, 0x7fc0}, /* a NaN whose upper half would be infinity */
        {0xffffffff, 0xffff}, {0x00000001, 0x0000}, {0x00018000, 0x0002}, /* denormal */
    };
    enum { N = sizeof cases / sizeof cases[0], REPEATED = 8 * N };
    float x[REPEATED], back[REPEATED];
    uint16_t bf16[REPEATED];
    for (size_t i = 0; i < REPEATED; i++) memcpy(&x[i], &cases[i % N].f32, sizeof x[i]);
    pack->to_bf16(bf16, x, REPEATED);
    for (size_t i = 0; i < REPEATED; i++) assert_int_equal(bf16[i], cases[i % N].bf16);
    for (size_t i = 0; i < REPEATED; i++) {
        back[i] = gi_of_bf16(bf16[i]);
        uint32_t bits;
        memcpy(&bits, &back[i], sizeof bits);
        assert_int_equal(bits, (uint32_t)cases[i % N].bf16 << 16);
    }
}

static void check_loading(const gi_pack *pack)
{
    enum { N = 259 };
    uint8_t bytes[N];
    float values[N];
    uint16_t row[288], expected;
    for (size_t i = 0; i < N; i++) {
        bytes[i] = (uint8_t)i;
        values[i] = (float)i - 100;
    }
    for (int type = 0; type < 2; type++) {
        memset(row, 0x77, sizeof row);
        pack->load_row_bf16(row, type ? GLIA_TYPE_F32 : GLIA_TYPE_U8,
                            type ? (const void *)values : (const void *)bytes, N, 255);
        for (size_t i = 0; i < gi_padded(N); i++) {
            const float scale = (float)(1.0 / 255);
            const float x = i >= N ? 0 : (type ? values[i] : (float)bytes[i]) * scale;
            pack->to_bf16(&expected, &x, 1);
            assert_int_equal(row[i], expected);
        }
        assert_int_equal(row[gi_padded(N)], 0x7777);
    }
}

static void check_transposition(const gi_pack *pack)
{
    static const size_t sizes[] = {1, 15, 16, 31, 32, 33, 80};
    enum { LD = 96, N = LD * LD };
    static uint32_t src32[N], dst32[N];
    static uint16_t src16[N], dst16[N];
    for (size_t i = 0; i < N; i++) {
        src32[i] = (uint32_t)i * 2654435761U;
        src16[i] = (uint16_t)i;
    }
    for (size_t a = 0; a < 7; a++)
        for (size_t b = 0; b < 7; b++) {
            const size_t rows = sizes[a], columns = sizes[b];
            memset(dst32, 0, sizeof dst32);
            memset(dst16, 0, sizeof dst16);
            pack->transpose32(dst32, LD, src32, LD, rows, columns);
            pack->transpose16(dst16, LD, src16, LD, rows, columns);
            for (size_t i = 0; i < N; i++) {
                const size_t r = i % LD, c = i / LD;
                const bool is_inside = r < rows && c < columns;
                assert_int_equal(dst32[i], is_inside ? src32[r * LD + c] : 0);
                assert_int_equal(dst16[i], is_inside ? src16[r * LD + c] : 0);
            }
        }
}

static void check_pairs(const gi_pack *pack)
{
    enum { LD = 80, ROWS = 48, MAX = ROWS * LD };
    static float src[MAX];
    static uint16_t half[MAX], pairs[MAX], from_f32[MAX], turned[MAX];
    for (size_t i = 0; i < MAX; i++) src[i] = (float)(i % 251) - 125; /* bf16 holds these */
    pack->to_bf16(half, src, MAX);
    static const size_t all_rows[] = {1, 2, 5, 16, 48}, widths[] = {16, 48, 64, 80};
    for (size_t a = 0; a < 5; a++)
        for (size_t b = 0; b < 4; b++) {
            const size_t rows = all_rows[a], width = widths[b];
            memset(pairs, 0x77, sizeof pairs);
            memset(from_f32, 0x77, sizeof from_f32);
            pack->pair_rows(pairs, half, LD, rows, width);
            pack->pair_rows_f32(from_f32, src, LD, rows, width);
            assert_memory_equal(pairs, from_f32, sizeof pairs);
            for (size_t r = 0; r < (rows + 1) / 2 * 2; r++)
                for (size_t c = 0; c < width; c++)
                    assert_int_equal(pairs[(r / 2 * width + c) * 2 + r % 2],
                                     r < rows ? half[r * LD + c] : 0);
            float sums[LD], sums_f32[LD];
            pack->sum_rows(sums, half, LD, rows, width);
            pack->sum_rows_f32(sums_f32, src, LD, rows, width);
            for (size_t c = 0; c < width; c++) {
                float sum = 0;
                for (size_t r = 0; r < rows; r++) sum += src[r * LD + c];
                assert_true(sums[c] == sum && sums_f32[c] == sum);
            }
            if (rows % 16) continue;
            memset(turned, 0, sizeof turned);
            pack->transpose_pairs(turned, rows, pairs, width, rows, width);
            for (size_t r = 0; r < rows; r++)
                for (size_t c = 0; c < width; c++)
                    assert_int_equal(turned[(c / 2 * rows + r) * 2 + c % 2], half[r * LD + c]);
        }
}

static void bf16_is_rounded_to_nearest_even(void **state)
{
    (void)state;
    on_every_pack(check_rounding);
}

static void samples_become_bf16_rows(void **state)
{
    (void)state;
    on_every_pack(check_loading);
}

static void matrices_are_transposed(void **state)
{
    (void)state;
    on_every_pack(check_transposition);
}

static void rows_are_paired_and_summed(void **state)
{
    (void)state;
    on_every_pack(check_pairs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bf16_is_rounded_to_nearest_even),
        cmocka_unit_test(samples_become_bf16_rows),
        cmocka_unit_test(matrices_are_transposed),
        cmocka_unit_test(rows_are_paired_and_summed),
    };
    return cmocka_run_group_tests_name("pack", tests, NULL, NULL);
}
