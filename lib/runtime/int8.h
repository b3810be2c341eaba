/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stddef.h>

/**
 * @file int8.h
 * Floats of 8 bits and a scale for each group of them, for values on links.
 *
 * A group is consecutive numbers x; with s = max |x| / 127, a float32 (the next smaller one where
 * 127 s would overflow),
 *
 *   q = x / s, rounded to the nearest whole number, ties to even;   x is read as q s.
 *
 * Division and product are single IEEE operations, so the bits are the same on every machine. The
 * error of a number is at most s / 2, up to the rounding of q s, and 0 stays 0.  A group whose
 * largest number is below 127 * 2^-126, so that s would not be a normal float, becomes zeros. One
 * with an infinity or not-a-number in it becomes not-a-number throughout: what went wrong before a
 * link still shows behind it.
 *
 *   s of every group | q of every number | zeros up to a multiple of 4 bytes
 */

/** Bytes that @p n numbers in groups of @p group take; the last group may be shorter. */
size_t ee_int8_bytes(size_t n, size_t group);

void ee_int8_from_float(const float *from, size_t n, size_t group, unsigned char *to);
void ee_int8_to_float(const unsigned char *from, size_t n, size_t group, float *to);
