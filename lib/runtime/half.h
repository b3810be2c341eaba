/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stddef.h>
#include <stdint.h>

/**
 * @file half.h
 * Floats of 16 bits, as IEEE 754 has them (binary16), for values on links.
 */

/** The nearest half of each of @p n floats, ties to even; what is too large, infinity too, becomes
 *  the largest finite half, 65504, and not-a-number stays so. */
void ee_half_from_float(const float *from, size_t n, uint16_t *to);

/** The float of each of @p n halves; exact. */
void ee_half_to_float(const uint16_t *from, size_t n, float *to);
