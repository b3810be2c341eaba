/* SPDX-License-Identifier: Apache-2.0 */
/* An input of ids: whole numbers that look up rows of a table. */
#include <math.h>

#include "graph.h"

/* Rows that @p node looks up by the model's input; 0: none. */
static int64_t rows_looked_up(const ee_model *model, const ee_node *node) {
  if (node->op != EE_OP_GATHER || node->in[1] != model->input) return 0;
  return model->value[node->in[0]].shape.dim[node->attr.gather.axis];
}

int64_t ee_model_ids(const ee_model *model) {
  int64_t least = 0;
  for (const ee_node *node = model->node; node < model->node + model->n_nodes; node++) {
    int64_t rows = rows_looked_up(model, node);
    if (rows > 0 && (least == 0 || rows < least)) least = rows;
  }
  return least;
}

bool ee_model_cut_has_ids(const ee_model *model, int cut) {
  if (ee_model_ids(model) == 0) return false;
  int        n;
  const int *live = ee_model_cut_values(model, cut, &n);
  for (int i = 0; i < n; i++) {
    if (live[i] == model->input) return true;
  }
  return false;
}

ee_status ee_model_check_ids(const ee_model *model, const float *input, int64_t n) {
  int64_t rows = ee_model_ids(model), one = ee_model_value_elements(model, model->input);
  for (int64_t i = 0; rows > 0 && i < n * one; i++) {
    if (input[i] >= (float)-rows && input[i] < (float)rows && input[i] == floorf(input[i]))
      continue;
    return EE_FAIL(EE_ERR_FORMAT,
                   "number %lld is %g; model '%s' takes ids, whole numbers below %lld",
                   (long long)(i % one), (double)input[i], model->name, (long long)rows);
  }
  return EE_OK;
}
