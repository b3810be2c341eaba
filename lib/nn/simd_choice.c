/* SPDX-License-Identifier: Apache-2.0 */
/* The rule that chooses between direct and Winograd convolutions. */
#include "simd_choice.h"

#include "ee/tuning.h"
#include "ee/winograd.h"

#include "simd_kernels.h"

#define FEW_TILES 4       // of a sample
#define FAR_FLOATS 32768  // weights of one tap

static ee_winograd_rule rule;
static ee_simd_conv_way wanted;
static bool             is_wanted;

void ee_simd_conv_use(const ee_simd_conv_way *way) {
  is_wanted = way != NULL;
  if (way != NULL) wanted = *way;
}

void ee_winograd_set(ee_winograd_rule to) {
  rule = to;
}

/* Whether @p node is one that Winograd's method computes.  Pixels of fewer channels than a block
 * may stand closer than one. */
bool ee_simd_conv_fits_winograd(const ee_model *model, const ee_node *node) {
  const ee_window *w = &node->attr.window;
  if (w->n_spatial != 2 || w->groups != 1) return false;
  for (int i = 0; i < 2; i++) {
    if (w->kernel[i] != 3 || w->stride[i] != 1 || w->dilation[i] != 1) return false;
  }
  return model->value[node->in[1]].shape.dim[1] >= EE_SIMD_BLOCK;
}

/* Tiles of 4 x 4 need the fewest products and the most weights, 36 where a window has 9.  Where few
 * tiles share weights that no near cache holds, reading them takes longer than the products. */
static ee_simd_conv_way by_rule(const ee_shape *w, const ee_shape *y) {
  int64_t tiles = ((y->dim[2] + 3) / 4) * ((y->dim[3] + 3) / 4);
  bool    far   = w->dim[0] * w->dim[1] > FAR_FLOATS;
  return far && tiles <= FEW_TILES ? EE_SIMD_WINOGRAD_2 : EE_SIMD_WINOGRAD_4;
}

bool ee_winograd_is_on(const ee_model *model) {
  return rule == EE_WINOGRAD_ON || (rule == EE_WINOGRAD_BY_MODEL && !model->no_winograd);
}

/* The way of @p node that was measured, if it counts here, or that it has in the whole model. */
static ee_method tuned_way(const ee_model *model, const ee_node *node) {
  bool counts = node->method != EE_METHOD_BY_RULE && (model->is_band || ee_tuning_applies(model));
  return counts ? node->method : EE_METHOD_BY_RULE;
}

ee_simd_conv_way ee_simd_conv_way_of(const ee_model *model, const ee_node *node) {
  if (!ee_simd_conv_fits_winograd(model, node)) return EE_SIMD_DIRECT;
  if (is_wanted) return wanted;
  if (!ee_winograd_is_on(model)) return EE_SIMD_DIRECT;
  switch (tuned_way(model, node)) {
    case EE_METHOD_BY_RULE:
      return by_rule(&model->value[node->in[1]].shape, &model->value[node->out].shape);
    case EE_METHOD_WINOGRAD_2:
      return EE_SIMD_WINOGRAD_2;
    case EE_METHOD_WINOGRAD_4:
      return EE_SIMD_WINOGRAD_4;
    default:
      return EE_SIMD_DIRECT;
  }
}

int ee_simd_vectors_of(const ee_model *model, const ee_node *node, int64_t outputs, int usual) {
  const ee_simd_kernels *k     = ee_simd_kernels_get();
  int64_t                most  = (outputs + k->lanes - 1) / k->lanes;
  ee_method              way   = tuned_way(model, node);
  int                    tuned = way == EE_METHOD_DIRECT_2   ? 2
                                 : way == EE_METHOD_DIRECT_3 ? 3
                                 : way == EE_METHOD_DIRECT_4 ? 4
                                                             : usual;
  return most < tuned ? (int)most : tuned;
}

const char *ee_simd_direct_name(int vectors) {
  static const char *const names[EE_SIMD_MAX_VECTORS + 1] = {
      [1] = "direct 1", [2] = "direct 2", [3] = "direct 3", [4] = "direct 4"};
  return names[vectors];
}
