/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stddef.h>

#include "ee/model.h"

/**
 * @file link_values.h
 * How values travel between stages, and what that makes of them.
 *
 * Rounding is done for each sample by itself, so that it does not matter in which batch a sample
 * travels.  Nothing here is collective.
 */
typedef enum ee_link_values {
  EE_LINK_F32,  // as they are
  EE_LINK_F16,  // IEEE halves, nearest, ties to even; beyond 65504 the largest finite one
  EE_LINK_I8    // 8 bits and a scale for each group: max |x| / 127 of the group
} ee_link_values;

/** "f32", "f16" or "int8". */
const char *ee_link_values_name(ee_link_values values);

/** EE_LINK_ by its name; -1 if it is none. */
int ee_link_values_by_name(const char *name);

/** What crosses @p cut if @p values are asked for: floats as they are at cut 0, where the source
 *  sends what it read, and where ids cross; else @p values. */
ee_link_values ee_link_values_at(const ee_model *model, ee_link_values values, int cut);

/**
 * Bytes of value @p v of one sample.
 *
 * Groups of EE_LINK_I8 are channels: of shape [n, c, ...] what one index of the second dimension
 * has, if that is 16 numbers or more; else 64 numbers in their order, the last group maybe fewer.
 */
size_t ee_link_value_bytes(const ee_model *model, int v, ee_link_values values);

/** Bytes of all that is alive across @p cut, of one sample; @p values as asked for. */
size_t ee_link_cut_bytes(const ee_model *model, int cut, ee_link_values values);

/** Write value @p v of @p n samples, shape [n, elements], to @p to, which is 4-byte aligned, or
 *  read it from there; how many bytes it takes: n ee_link_value_bytes(). */
size_t ee_link_put(const ee_model *model, int v, ee_link_values values, const float *from, size_t n,
                   unsigned char *to);
size_t ee_link_take(const ee_model *model, int v, ee_link_values values, const unsigned char *from,
                    size_t n, float *to);
