/* SPDX-License-Identifier: MIT */
/*
 * Numbers from text. Doubles by the way of Lemire (2021, "Number parsing at a gigabyte per
 * second"): up to 19 significant digits as an integer, times a power of five of 128 bits, of whose
 * product the upper bits are right. Where more digits could decide, they are compared with the
 * middle between two doubles, in whole numbers.
 */
#include "base/number.h"

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/powers_of_five.h"

enum {
    MIN_POWER = -342, /* 10^19 * 10^(MIN_POWER - 1) is less than half of the smallest double */
    MAX_POWER = 308,
    MAX_DIGITS = 19,       /* that fit into 64 bits, whatever they are */
    DECIDING_DIGITS = 769, /* the middle between two doubles has at most 768 */
    MANTISSA_BITS = 52,
    EXPONENT_BIAS = 1023,
    EXPONENT_CAP = 1 << 20, /* what is beyond is 0 or infinite, however long the digits are */
    N_LIMBS = 160           /* of 32 bits: 10^(342 + 19 + 769) takes 118 */
};

int gi_parse_boolean(const char *begin, const char *end)
{
    static const char *const words[] = {"false", "true", "False", "True", "FALSE",
                                        "TRUE",  "f",    "t",     "F",    "T"};
    const size_t n = (size_t)(end - begin);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strlen(words[i]) == n && memcmp(words[i], begin, n) == 0) return i % 2;
    return -1;
}

bool gi_parse_u64(const char *text, uint64_t *out)
{
    uint64_t value = 0;
    if (!*text) return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9') return false;
        const unsigned digit = (unsigned)(*text - '0');
        if (value > (UINT64_MAX - digit) / 10) return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

/* ---- Up to 19 digits ----------------------------------------------------------------------- */

static uint64_t multiply_high(uint64_t a, uint64_t b, uint64_t *low)
{
#ifdef __SIZEOF_INT128__
    __extension__ const unsigned __int128 product = (unsigned __int128)a * b;
    *low = (uint64_t)product;
    return (uint64_t)(product >> 64);
#else
    const uint64_t a1 = a >> 32, a0 = (uint32_t)a, b1 = b >> 32, b0 = (uint32_t)b;
    const uint64_t low_low = a0 * b0, high_low = a1 * b0, low_high = a0 * b1;
    const uint64_t middle = (low_low >> 32) + (uint32_t)high_low + (uint32_t)low_high;
    *low = middle << 32 | (uint32_t)low_low;
    return a1 * b1 + (high_low >> 32) + (low_high >> 32) + (middle >> 32);
#endif
}

static double from_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint64_t to_bits(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* digits * 10^q, rounded (Lemire's algorithm 1). */
static double nearest(uint64_t digits, int64_t q)
{
    if (digits == 0 || q < MIN_POWER) return 0;
    if (q > MAX_POWER) return INFINITY;
    const int zeros = __builtin_clzll(digits);
    const uint64_t w = digits << zeros, *power = powers_of_five[q - MIN_POWER];
    uint64_t low, high = multiply_high(w, power[0], &low);
    if ((high & 0x1FF) == 0x1FF) { /* the lower half of the power may change the upper bits */
        uint64_t rest;
        const uint64_t carry = multiply_high(w, power[1], &rest);
        low += carry;
        high += low < carry;
    }
    const int top = (int)(high >> 63);
    const int shift = top + 64 - MANTISSA_BITS - 3;
    uint64_t mantissa = high >> shift; /* MANTISSA_BITS + 1, and one to round by */
    /* 217706 / 2^16 is log2(10), close enough for these q */
    int64_t exponent = ((217706 * q) >> 16) + 63 + top - zeros + EXPONENT_BIAS;
    if (exponent <= 0) { /* denormal */
        if (exponent <= -63) return 0;
        mantissa >>= 1 - exponent;
        mantissa += mantissa & 1;
        return from_bits(mantissa >> 1); /* that of 2^52 is the smallest normal one */
    }
    /* Just in the middle between two doubles: to the even one. */
    if (low <= 1 && q >= -4 && q <= 23 && (mantissa & 3) == 1 && mantissa << shift == high)
        mantissa &= ~(uint64_t)1;
    mantissa += mantissa & 1;
    mantissa >>= 1;
    if (mantissa >> (MANTISSA_BITS + 1)) { /* rounded up to a power of two */
        mantissa >>= 1;
        exponent++;
    }
    if (exponent > 2 * EXPONENT_BIAS) return INFINITY;
    return from_bits((uint64_t)exponent << MANTISSA_BITS |
                     (mantissa & (((uint64_t)1 << MANTISSA_BITS) - 1)));
}

bool gi_round_decimal(uint64_t digits, int64_t exponent, bool truncated, double *out)
{
    *out = nearest(digits, exponent);
    return !truncated || to_bits(*out) == to_bits(nearest(digits + 1, exponent));
}

/* ---- More digits: whole numbers of any length ---------------------------------------------- */

struct whole {
    size_t n; /* limbs[n - 1] is not 0 */
    uint32_t limbs[N_LIMBS];
};

/* x * factor + addend; the callers' numbers fit. */
static void multiply_add(struct whole *x, uint32_t factor, uint32_t addend)
{
    uint64_t carry = addend;
    for (size_t i = 0; i < x->n; i++) {
        carry += (uint64_t)x->limbs[i] * factor;
        x->limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry && x->n < N_LIMBS) x->limbs[x->n++] = (uint32_t)carry;
}

static void multiply_power(struct whole *x, uint32_t base, int64_t exponent)
{
    for (; exponent > 0; exponent--) multiply_add(x, base, 0);
}

static int compare(const struct whole *a, const struct whole *b)
{
    if (a->n != b->n) return a->n < b->n ? -1 : 1;
    for (size_t i = a->n; i-- > 0;)
        if (a->limbs[i] != b->limbs[i]) return a->limbs[i] < b->limbs[i] ? -1 : 1;
    return 0;
}

/* Which of below and the double after it is nearer to the digits at p (a point among them) times
 * 10^exponent, n_digits of them significant from p on. */
static double decide(const char *p, size_t n_digits, int64_t exponent, double below)
{
    struct whole value = {0}, middle = {0};
    size_t i = 0;
    for (; i < n_digits && i < DECIDING_DIGITS; p++) {
        if (*p == '.') continue;
        multiply_add(&value, 10, (uint32_t)(*p - '0'));
        i++;
    }
    if (i < n_digits) { /* whatever follows: it is more than these digits alone, if not all zeros */
        exponent += (int64_t)(n_digits - i);
        for (size_t rest = n_digits - i; rest > 0; p++) {
            if (*p == '.') continue;
            if (*p != '0') {
                multiply_add(&value, 10, 1);
                exponent--;
                break;
            }
            rest--;
        }
    }
    /* The middle: (2 m + 1) * 2^e */
    const uint64_t bits = to_bits(below), field = bits >> MANTISSA_BITS;
    const uint64_t fraction = bits & (((uint64_t)1 << MANTISSA_BITS) - 1);
    const uint64_t m = field ? fraction | (uint64_t)1 << MANTISSA_BITS : fraction;
    const int64_t e = (int64_t)(field ? field : 1) - EXPONENT_BIAS - MANTISSA_BITS - 1;
    multiply_add(&middle, 1, (uint32_t)((2 * m + 1) >> 32));
    multiply_power(&middle, 2, 32);
    middle.limbs[0] |= (uint32_t)(2 * m + 1);
    if (middle.n == 0) middle.n = 1;
    multiply_power(&value, 2, -e);
    multiply_power(&middle, 2, e);
    multiply_power(&value, 10, exponent);
    multiply_power(&middle, 10, -exponent);
    const int order = compare(&value, &middle);
    return from_bits(bits + (order > 0 || (order == 0 && (m & 1))));
}

bool gi_parse_f64(const char *begin, const char *end, double *out)
{
    const char *p = begin;
    const bool negative = p < end && *p == '-';
    p += p < end && (*p == '-' || *p == '+');

    uint64_t digits = 0;
    size_t n_digits = 0, n_all = 0; /* significant, all */
    int64_t exponent = 0;           /* of the last significant digit */
    bool seen_point = false, truncated = false;
    const char *first = NULL; /* significant one */
    for (; p < end; p++) {
        if (*p == '.' && !seen_point) {
            seen_point = true;
            continue;
        }
        if (*p < '0' || *p > '9') break;
        n_all++;
        exponent -= seen_point;
        if (!first && *p != '0') first = p;
        if (!first) continue;
        if (++n_digits <= MAX_DIGITS)
            digits = 10 * digits + (uint64_t)(*p - '0');
        else
            truncated |= *p != '0';
    }
    if (n_all == 0) return false;

    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        const bool down = p < end && *p == '-';
        p += p < end && (*p == '-' || *p == '+');
        if (p == end) return false;
        int64_t power = 0;
        for (; p < end && *p >= '0' && *p <= '9'; p++)
            if (power < INT64_MAX / 16) power = 10 * power + (*p - '0');
        exponent += down ? -power : power;
    }
    if (p != end) return false;

    const size_t kept = n_digits < MAX_DIGITS ? n_digits : MAX_DIGITS;
    const int64_t kept_exponent = exponent + (int64_t)(n_digits - kept);
    double value;
    if (!gi_round_decimal(digits, kept_exponent, truncated, &value))
        value = decide(first, n_digits, exponent, value);
    *out = negative ? -value : value;
    return true;
}
