/* SPDX-License-Identifier: Apache-2.0 */
/* Rounds weights to 8 bits, a scale for each output channel, and lays them out. */
#include "int8_pack.h"

#include <math.h>
#include <string.h>

#define WORD_BYTES 4

/* Wide panels for rows that fit into a tile; panels of three rather than a last one of a single
 * vector. */
static int vectors_for(const ee_int8_kernels *k, int64_t outputs, int64_t width) {
  int64_t all     = (outputs + k->lanes - 1) / k->lanes;
  int     vectors = width <= k->max_pixels[4] ? 4 : all % 2 == 1 && all % 3 != 1 ? 3 : 2;
  return all < vectors ? (int)all : vectors;
}

ee_int8_pack ee_int8_pack_of(const ee_quant *quant, int64_t outputs, int64_t depth, int64_t width) {
  const ee_int8_kernels *k = ee_int8_kernels_get();
  return (ee_int8_pack){.kernels = k,
                        .quant   = *quant,
                        .panels  = {.lanes   = k->lanes,
                                    .vectors = vectors_for(k, outputs, width),
                                    .outputs = outputs,
                                    .depth   = depth / k->group}};
}

/* Elements of each of the companions. */
static int64_t room_of(const ee_int8_pack *p) {
  return ee_simd_round_up(p->panels.outputs, EE_SIMD_BLOCK);
}

static int64_t words_of(const ee_int8_pack *p) {
  return ee_simd_weights_floats(&p->panels);
}

size_t ee_int8_pack_bytes(const ee_int8_pack *pack) {
  return (size_t)(words_of(pack) + 3 * room_of(pack)) * WORD_BYTES;
}

void ee_int8_pack_clear(const ee_int8_pack *pack, void *packed) {
  memset(packed, 0, ee_int8_pack_bytes(pack));
}

const int32_t *ee_int8_pack_begin(const ee_int8_pack *pack, const void *packed) {
  return (const int32_t *)packed + words_of(pack);
}

const float *ee_int8_pack_factor(const ee_int8_pack *pack, const void *packed) {
  return (const float *)packed + words_of(pack) + room_of(pack);
}

const float *ee_int8_pack_bias(const ee_int8_pack *pack, const void *packed) {
  return ee_int8_pack_factor(pack, packed) + room_of(pack);
}

static float largest_of(const float *row, int64_t n) {
  float largest = 0.0F;
  for (int64_t i = 0; i < n; i++) largest = fabsf(row[i]) > largest ? fabsf(row[i]) : largest;
  return largest;
}

/* Only a scale that is no normal number can take it beyond the limits. */
static int round_weight(float w, float scale) {
  float q = rintf(w / scale);
  if (!(q > -EE_INT8_LARGEST)) return -EE_INT8_LARGEST;
  return q < EE_INT8_LARGEST ? (int)q : EE_INT8_LARGEST;
}

/* Put number @p i of a word. */
static void put_number(const ee_int8_pack *p, int i, int q, char *word) {
  if (p->kernels->group == 4) {
    ((int8_t *)word)[i] = (int8_t)q;
  } else {
    ((int16_t *)(void *)word)[i] = (int16_t)q;
  }
}

/* Their sum. */
static int32_t put_weights(const ee_int8_pack *p, int64_t o, const float *row, float scale,
                           char *packed) {
  const ee_simd_panels *all   = &p->panels;
  ee_simd_panel         panel = ee_simd_panel_at(all, o / (all->vectors * all->lanes));
  char                 *word  = packed + (panel.place + o - panel.first) * WORD_BYTES;
  int32_t               sum   = 0;
  for (int64_t k = 0; k < all->depth; k++, word += panel.vectors * all->lanes * WORD_BYTES) {
    for (int i = 0; i < p->kernels->group; i++) {
      int q = round_weight(*row++, scale);
      put_number(p, i, q, word);
      sum += q;
    }
  }
  return sum;
}

void ee_int8_pack_output(const ee_int8_pack *pack, int64_t o, const float *row, float bias,
                         void *packed) {
  int64_t  depth = pack->panels.depth * pack->kernels->group;
  float    scale = largest_of(row, depth) / EE_INT8_LARGEST;
  int32_t  sum   = scale > 0.0F ? put_weights(pack, o, row, scale, packed) : 0;
  int64_t  at = words_of(pack) + o, room = room_of(pack);
  int32_t *begin      = packed;
  float   *rest       = packed;
  begin[at]           = -pack->quant.zero * sum;
  rest[at + room]     = pack->quant.scale * scale;
  rest[at + 2 * room] = bias;
}
