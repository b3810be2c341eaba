/* SPDX-License-Identifier: Apache-2.0 */
/* Packs matrices at run time and multiplies rows with them. */
#include "simd_product.h"

#include <string.h>

#include "simd_sweep.h"

void ee_simd_pack_rows(const ee_simd_panels *p, const float *w, int64_t step, float *packed) {
  memset(packed, 0, (size_t)ee_simd_panels_floats(p) * sizeof *packed);
  for (int64_t i = 0; i < ee_simd_panel_count(p); i++) {
    ee_simd_panel panel = ee_simd_panel_at(p, i);
    int64_t       width = panel.vectors * p->lanes, left = p->outputs - panel.first;
    for (int64_t k = 0; k < p->depth; k++) {
      memcpy(packed + panel.place + k * width, w + k * step + panel.first,
             (size_t)(width < left ? width : left) * sizeof *packed);
    }
  }
}

void ee_simd_multiply_panel(const ee_simd_product *product, int64_t i, float *y) {
  const ee_simd_panels *p     = product->panels;
  ee_simd_panel         panel = ee_simd_panel_at(p, i);
  ee_simd_sweep((ee_simd_tile){.in      = product->x,
                               .in_step = product->x_step,
                               .rows    = 1,
                               .runs    = 1,
                               .length  = p->depth,
                               .weights = product->packed + panel.place,
                               .bias    = product->packed + ee_simd_weights_floats(p) + panel.first,
                               .out     = y,
                               .out_step = product->y_step,
                               .low      = product->low,
                               .high     = product->high},
                panel.vectors, product->rows, NULL);
}

void ee_simd_multiply(const ee_simd_product *product, int64_t n) {
  for (int64_t i = 0; i < n; i++)
    ee_simd_multiply_panel(product, i, product->y + ee_simd_panel_at(product->panels, i).first);
}
