#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes numbers.h: decimal numbers that are hard to read, and the bits of Python's float of them.

Regenerate with: python3 tests/golden/make_numbers.py > tests/golden/numbers.h
"""
import math
import random
import struct
from decimal import Decimal, getcontext

getcontext().prec = 1200


def bits(text):
    return struct.unpack("<Q", struct.pack("<d", float(text)))[0]


def middle(x):
    """Just between a double and the next, as all its digits."""
    return format((Decimal(x) + Decimal(math.nextafter(x, math.inf))) / 2, "f")


def any_double(rng):
    return struct.unpack("<d", struct.pack("<Q", rng.getrandbits(63) % (2047 << 52)))[0]


def cases():
    yield from """0 -0 +0 1 -1 .5 5. -.5 00012 0.1 1e0 1E5 1e+5 1e-5 123456789012345678
        9007199254740991 9007199254740992 9007199254740993 9007199254740994 9007199254740995
        18446744073709551615 18446744073709551616 99999999999999999999 1e22 1e23 8.5e22 1e-22 1e-23
        1.7976931348623157e308 1.7976931348623158e308 1.7976931348623159e308 1e309 -1e309 1e99999
        4.9e-324 2.4703282292062327e-324 2.4703282292062328e-324 5e-324 3e-324 1e-324 1e-400
        2.2250738585072014e-308 2.2250738585072011e-308 2.225073858507201e-308 1e-99999 0e99999
        0.000000000000000000000000000000000000000000001 1e-7 7.2057594037927933e16
        6.02214076e23 1.00000000000000011102230246251565404236316680908203125
        1.00000000000000011102230246251565404236316680908203124
        1.00000000000000011102230246251565404236316680908203126
        100000000000000016777215 100000000000000016777216 3.1415926535897932384626433832795
        0.3 2.5 1e16 123456.789e-3 -12345678.87654321 1234567890123456789012345678901234567890
        179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704342711559699508093042880
        """.split()
    rng = random.Random(7)
    for _ in range(40):
        x = any_double(rng)
        yield repr(x)
        yield f"{x:.{rng.randint(0, 40)}e}"
    for _ in range(20):
        x = math.ldexp(rng.getrandbits(53), rng.randint(-90, 40))
        yield middle(x)
        yield middle(x) + ("" if "." in middle(x) else ".") + "0" * 20 + "1"
    for _ in range(4):
        yield middle(math.ldexp(rng.getrandbits(52), -1074))  # denormal
    for _ in range(20):
        yield repr(rng.gauss(0, 1))


def main():
    print("""/* SPDX-License-Identifier: MIT */
/* Made by make_numbers.py: decimal numbers, and the bits of the nearest doubles. */
#include <stdint.h>

/* clang-format off */
static const struct {
    const char *text;
    uint64_t bits;
} golden_numbers[] = {""")
    for text in dict.fromkeys(cases()):
        print(f'    {{"{text}", UINT64_C(0x{bits(text):016x})}},')
    print("""};
/* clang-format on */""")


if __name__ == "__main__":
    main()
