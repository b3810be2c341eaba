/* SPDX-License-Identifier: Apache-2.0 */
/* Scales from ranges, and what may be a scale. */
#include "ee/quantization.h"

#include <float.h>
#include <math.h>

#define LEVELS 255  // numbers above the lowest

ee_quant ee_quant_of_range(float low, float high) {
  double from = fmin((double)low, 0.0), to = fmax((double)high, 0.0);
  double scale = fmax((to - from) / LEVELS, (double)FLT_MIN);
  double zero  = rint(-from / scale);
  return (ee_quant){(float)fmin(scale, (double)FLT_MAX), (int)fmin(zero, LEVELS)};
}

int ee_quantization_count(const ee_model *model) {
  int n = 0;
  for (int k = 0; k < model->n_nodes; k++) n += model->node[k].quant.scale > 0.0F;
  return n;
}

int ee_quantization_possible(const ee_model *model) {
  int n = 0;
  for (int k = 0; k < model->n_nodes; k++) n += ee_quantization_fits(model, &model->node[k]);
  return n;
}

void ee_quantization_clear(ee_model *model) {
  model->quantization = (ee_quantization){.samples = 0};
  for (int k = 0; k < model->n_nodes; k++) model->node[k].quant = (ee_quant){0.0F, 0};
}

static bool is_possible(const ee_quant *q) {
  if (q->scale == 0.0F) return q->zero == 0;
  return q->scale >= FLT_MIN && q->scale <= FLT_MAX && q->zero >= 0 && q->zero <= LEVELS;
}

ee_status ee_quantization_check(const ee_model *model) {
  for (int k = 0; k < model->n_nodes; k++) {
    const ee_node *node = &model->node[k];
    if (!is_possible(&node->quant)) {
      return EE_FAIL(EE_ERR_FORMAT,
                     "node '%s' has the scale %g and the zero %d, expected a positive number or 0, "
                     "and a whole number in [0, %d]",
                     node->name, (double)node->quant.scale, node->quant.zero, LEVELS);
    }
    if (node->quant.scale == 0.0F || ee_quantization_fits(model, node)) continue;
    return EE_FAIL(EE_ERR_FORMAT,
                   "node '%s' has a scale, but %s cannot be computed in 8 bits there", node->name,
                   ee_op_name(node->op));
  }
  return EE_OK;
}
