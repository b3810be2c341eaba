/* SPDX-License-Identifier: Apache-2.0 */
/* Values as links carry them: floats, halves, or bytes with scales. */
#include "ee/link_values.h"

#include <stdint.h>
#include <string.h>

#include "half.h"
#include "int8.h"

#define LEAST_CHANNEL 16  // numbers of a channel that is worth a scale of its own
#define FEATURES 64       // numbers that have a scale where channels are smaller

static const char *const names[] = {"f32", "f16", "int8"};

const char *ee_link_values_name(ee_link_values values) {
  return names[values];
}

int ee_link_values_by_name(const char *name) {
  for (int i = 0; i < 3; i++) {
    if (strcmp(name, names[i]) == 0) return i;
  }
  return -1;
}

ee_link_values ee_link_values_at(const ee_model *model, ee_link_values values, int cut) {
  return cut == 0 || ee_model_cut_has_ids(model, cut) ? EE_LINK_F32 : values;
}

static size_t group_of(const ee_model *model, int v) {
  const ee_shape *shape   = &model->value[v].shape;
  int64_t         channel = ee_shape_product(shape, shape->rank < 2 ? shape->rank : 2, shape->rank);
  return channel >= LEAST_CHANNEL ? (size_t)channel : FEATURES;
}

size_t ee_link_value_bytes(const ee_model *model, int v, ee_link_values values) {
  size_t elements = (size_t)ee_model_value_elements(model, v);
  if (values == EE_LINK_I8) return ee_int8_bytes(elements, group_of(model, v));
  return elements * (values == EE_LINK_F16 ? sizeof(uint16_t) : sizeof(float));
}

size_t ee_link_cut_bytes(const ee_model *model, int cut, ee_link_values values) {
  int            n;
  const int     *value  = ee_model_cut_values(model, cut, &n);
  ee_link_values across = ee_link_values_at(model, values, cut);
  size_t         bytes  = 0;
  for (int i = 0; i < n; i++) bytes += ee_link_value_bytes(model, value[i], across);
  return bytes;
}

size_t ee_link_put(const ee_model *model, int v, ee_link_values values, const float *from, size_t n,
                   unsigned char *to) {
  size_t one = (size_t)ee_model_value_elements(model, v);
  size_t all = ee_link_value_bytes(model, v, values), group = group_of(model, v);
  if (values == EE_LINK_F32) memcpy(to, from, n * one * sizeof *from);
  if (values == EE_LINK_F16) ee_half_from_float(from, n * one, (uint16_t *)(void *)to);
  for (size_t i = 0; i < n && values == EE_LINK_I8; i++) {
    ee_int8_from_float(from + i * one, one, group, to + i * all);
  }
  return n * all;
}

size_t ee_link_take(const ee_model *model, int v, ee_link_values values, const unsigned char *from,
                    size_t n, float *to) {
  size_t one = (size_t)ee_model_value_elements(model, v);
  size_t all = ee_link_value_bytes(model, v, values), group = group_of(model, v);
  if (values == EE_LINK_F32) memcpy(to, from, n * one * sizeof *to);
  if (values == EE_LINK_F16) ee_half_to_float((const uint16_t *)(const void *)from, n * one, to);
  for (size_t i = 0; i < n && values == EE_LINK_I8; i++) {
    ee_int8_to_float(from + i * all, one, group, to + i * one);
  }
  return n * all;
}
