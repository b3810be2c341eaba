/* SPDX-License-Identifier: Apache-2.0 */
/* The rule that chooses between direct and Winograd convolutions. */
#include "simd_choice.h"

#include "simd_kernels.h"

static ee_simd_conv_way wanted;
static bool             is_wanted;

void ee_simd_conv_use(const ee_simd_conv_way *way) {
  is_wanted = way != NULL;
  if (way != NULL) wanted = *way;
}

/* Whether @p node is one that Winograd's method computes.  Pixels of fewer channels than a block
 * may stand closer than one. */
static bool fits(const ee_model *model, const ee_node *node) {
  const ee_window *w = &node->attr.window;
  if (w->n_spatial != 2 || w->groups != 1) return false;
  for (int i = 0; i < 2; i++) {
    if (w->kernel[i] != 3 || w->stride[i] != 1 || w->dilation[i] != 1) return false;
  }
  return model->value[node->in[1]].shape.dim[1] >= EE_SIMD_BLOCK;
}

ee_simd_conv_way ee_simd_conv_way_of(const ee_model *model, const ee_node *node) {
  if (!fits(model, node)) return EE_SIMD_DIRECT;
  if (is_wanted) return wanted;
  return EE_SIMD_WINOGRAD_4;
}
