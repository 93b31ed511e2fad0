#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes powers_of_five.h: the first 128 bits of each power of five that number.c multiplies by.

usage: src/base/make_powers.py > src/base/powers_of_five.h

Rounded down from 5^0 on, up below it, as Lemire's proof asks for (2021, "Number parsing at a gigabyte
per second", section 5).
"""


def bits(q):
    if q >= 0:
        power = 5 ** q
        return power << 128 - power.bit_length() if power < 1 << 128 else \
            power >> power.bit_length() - 128
    power = 5 ** -q
    quotient = (1 << power.bit_length() * 2 + 256) // power
    shift = quotient.bit_length() - 128
    return (quotient >> shift) + (1 if q >= -27 else 0)


def main():
    print("""/* SPDX-License-Identifier: MIT */
/* Made by make_powers.py: 5^q for q from -342 to 308, as high and low 64 bits of a fraction. */
#include <stdint.h>

/* clang-format off */
static const uint64_t powers_of_five[][2] = {""")
    for q in range(-342, 309):
        value = bits(q)
        assert value.bit_length() == 128
        print(f"{{0x{value >> 64:016x}, 0x{value & (1 << 64) - 1:016x}}},")
    print("""};
/* clang-format on */""")


if __name__ == "__main__":
    main()
