/* SPDX-License-Identifier: MIT */
/* For files that are compiled once for each level of instruction set: names by -DLEVEL=avx2, say.
 */
#ifndef GLIA_COMPUTE_LEVEL_H
#define GLIA_COMPUTE_LEVEL_H

#define PASTE(a, b)     a##b
#define PASTE_ALL(a, b) PASTE(a, b) /* of what macros a and b stand for */
#define TEXT(a)         #a
#define TEXT_OF(a)      TEXT(a)

#endif
