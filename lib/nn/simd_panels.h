/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "simd_kernels.h"

/**
 * @file simd_panels.h
 * Weights as the tile kernels read them: panels of neighbouring output channels, all but the last
 * of the same number of vectors, each shape [depth, vectors * lanes], zeros behind the last
 * channel; and the bias, padded likewise, behind them.
 */
typedef struct ee_simd_panels {
  int     lanes, vectors;  // of a panel
  int64_t outputs;         // output channels
  int64_t depth;           // products that are summed up for one
} ee_simd_panels;

/** A panel among them. */
typedef struct ee_simd_panel {
  int     vectors;
  int64_t first;  // output channel
  int64_t place;  // floats in front of it
} ee_simd_panel;

static inline int64_t ee_simd_round_up(int64_t n, int64_t to) {
  return (n + to - 1) / to * to;
}

static inline int64_t ee_simd_panel_count(const ee_simd_panels *p) {
  return (p->outputs + p->vectors * p->lanes - 1) / (p->vectors * p->lanes);
}

static inline ee_simd_panel ee_simd_panel_at(const ee_simd_panels *p, int64_t i) {
  int64_t first = i * p->vectors * p->lanes, left = p->outputs - first;
  int64_t vectors = (left + p->lanes - 1) / p->lanes;
  return (ee_simd_panel){vectors < p->vectors ? (int)vectors : p->vectors, first, first * p->depth};
}

/** Floats of all panels, and of panels and bias. */
static inline int64_t ee_simd_weights_floats(const ee_simd_panels *p) {
  return ee_simd_round_up(ee_simd_round_up(p->outputs, p->lanes) * p->depth, 16);
}
static inline int64_t ee_simd_panels_floats(const ee_simd_panels *p) {
  return ee_simd_weights_floats(p) + ee_simd_round_up(p->outputs, 16);
}

/** Where weight (o, k) stands, o < outputs, k < depth. */
static inline int64_t ee_simd_weight_place(const ee_simd_panels *p, int64_t o, int64_t k) {
  ee_simd_panel panel = ee_simd_panel_at(p, o / (p->vectors * p->lanes));
  return panel.place + k * panel.vectors * p->lanes + (o - panel.first);
}
