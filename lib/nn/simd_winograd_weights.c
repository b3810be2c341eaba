/* SPDX-License-Identifier: Apache-2.0 */
/* Packs the weights of Winograd convolutions. */
#include "simd_winograd_weights.h"

#define TAPS 9
#define MAX_SIDE 6
#define MAX_POSITIONS (MAX_SIDE * MAX_SIDE)

/* G of F(2 x 2, 3 x 3) and F(4 x 4, 3 x 3): Lavin and Gray (2016), section 4.1 and its sequel. */
static const double of_2[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
static const double of_4[6][3] = {{1.0 / 4, 0, 0},
                                  {-1.0 / 6, -1.0 / 6, -1.0 / 6},
                                  {-1.0 / 6, 1.0 / 6, -1.0 / 6},
                                  {1.0 / 24, 1.0 / 12, 1.0 / 6},
                                  {1.0 / 24, -1.0 / 12, 1.0 / 6},
                                  {0, 0, 1}};

/* Wide panels where the vectors are wide: a block has more tiles than a kernel takes at once. */
static int vectors_of(const ee_simd_kernels *k, int64_t outputs) {
  int     widest = k->max_pixels[4] >= 4 ? 4 : 2;
  int64_t most   = (outputs + k->lanes - 1) / k->lanes;
  return most < widest ? (int)most : widest;
}

ee_winograd ee_winograd_of(ee_simd_conv_way way, int64_t channels, int64_t outputs) {
  const ee_simd_kernels *k = ee_simd_kernels_get();
  ee_winograd            w = {.m      = (int)way,
                              .side   = (int)way + 2,
                              .panels = {.lanes   = k->lanes,
                                         .vectors = vectors_of(k, outputs),
                                         .outputs = outputs,
                                         .depth   = channels}};
  w.positions              = w.side * w.side;
  return w;
}

int64_t ee_winograd_place(const ee_winograd *w, int64_t k) {
  return k * ee_simd_weights_floats(&w->panels);
}

int64_t ee_winograd_bias_place(const ee_winograd *w) {
  return ee_winograd_place(w, w->positions);
}

int64_t ee_winograd_zeros_place(const ee_winograd *w) {
  return ee_winograd_bias_place(w) + ee_simd_round_up(w->panels.outputs, EE_SIMD_BLOCK);
}

int64_t ee_winograd_floats(const ee_winograd *w) {
  return ee_winograd_zeros_place(w) + EE_SIMD_MAX_VECTORS * EE_SIMD_BLOCK;
}

/* u = G g G^T.  g: shape [3, 3]; u: shape [side, side]. */
static void transform(const ee_winograd *w, const float *g, float *u) {
  const double(*of)[3] = w->m == 2 ? of_2 : of_4;
  double half[MAX_SIDE][3];
  for (int i = 0; i < w->side; i++) {
    for (int j = 0; j < 3; j++)
      half[i][j] = of[i][0] * g[j] + of[i][1] * g[3 + j] + of[i][2] * g[6 + j];
  }
  for (int i = 0; i < w->side; i++) {
    for (int j = 0; j < w->side; j++) {
      *u++ = (float)(half[i][0] * of[j][0] + half[i][1] * of[j][1] + half[i][2] * of[j][2]);
    }
  }
}

/* Output channels are the inner loop: they are neighbours in a panel. */
void ee_winograd_pack(const ee_winograd *w, const float *weights, const float *bias,
                      float *packed) {
  const ee_simd_panels *panels = &w->panels;
  int64_t               floats = ee_winograd_floats(w);
  for (int64_t i = 0; i < floats; i++) packed[i] = 0.0F;
  for (int64_t p = 0; p < ee_simd_panel_count(panels); p++) {
    ee_simd_panel panel = ee_simd_panel_at(panels, p);
    int64_t       end   = panel.first + panel.vectors * panels->lanes;
    if (end > panels->outputs) end = panels->outputs;
    for (int64_t c = 0; c < panels->depth; c++) {
      for (int64_t o = panel.first; o < end; o++) {
        float u[MAX_POSITIONS];
        transform(w, weights + (o * panels->depth + c) * TAPS, u);
        float *to = packed + ee_simd_weight_place(panels, o, c);
        for (int k = 0; k < w->positions; k++) to[ee_winograd_place(w, k)] = u[k];
      }
    }
  }
  for (int64_t o = 0; bias != NULL && o < panels->outputs; o++) {
    packed[ee_winograd_bias_place(w) + o] = bias[o];
  }
}
