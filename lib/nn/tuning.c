/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the ways that a model brings were measured on a processor like this one. */
#include "ee/tuning.h"

#include <stdio.h>
#include <string.h>

#include "ee/cpu.h"
#include "simd_choice.h"
#include "simd_conv.h"
#include "simd_kernels.h"
#include "simd_linear.h"

static const char *const names[EE_METHOD_COUNT] = {
#define X(name, text) [EE_METHOD_##name] = text,
    EE_METHOD_LIST(X)
#undef X
};

static bool off;

const char *ee_method_name(ee_method way) {
  return names[way];
}

ee_method ee_method_by_name(const char *name) {
  int way = 0;
  while (way < EE_METHOD_COUNT && strcmp(names[way], name) != 0) way++;
  return (ee_method)way;
}

static bool can_be_direct(const ee_model *model, const ee_node *node) {
  if (node->op == EE_OP_CONV) return ee_simd_conv_can(model, node);
  return (node->op == EE_OP_GEMM || node->op == EE_OP_MATMUL) && ee_simd_linear_can(model, node);
}

bool ee_method_fits(const ee_model *model, const ee_node *node, ee_method way) {
  if (way == EE_METHOD_BY_RULE) return true;
  if (!can_be_direct(model, node)) return false;
  if (way != EE_METHOD_WINOGRAD_2 && way != EE_METHOD_WINOGRAD_4) return true;
  return node->op == EE_OP_CONV && ee_simd_conv_fits_winograd(model, node);
}

void ee_tuning_set(bool on) {
  off = !on;
}

ee_tuned ee_tuning_state(const ee_model *model) {
  const ee_tuning *t = &model->tuning;
  if (t->cpu[0] == '\0') return EE_TUNED_NEVER;
  if (off) return EE_TUNED_OFF;
  if (t->version != EE_TUNING_VERSION) return EE_TUNED_OTHERWISE;
  bool here =
      strcmp(t->cpu, ee_cpu_name()) == 0 && strcmp(t->vectors, ee_simd_kernels_get()->name) == 0;
  return here ? EE_TUNED_HERE : EE_TUNED_ELSEWHERE;
}

bool ee_tuning_applies(const ee_model *model) {
  return ee_tuning_state(model) == EE_TUNED_HERE;
}

void ee_tuning_begin(ee_model *model, int batch) {
  ee_tuning *t = &model->tuning;
  *t           = (ee_tuning){.version = EE_TUNING_VERSION, .batch = batch};
  snprintf(t->cpu, sizeof t->cpu, "%s", ee_cpu_name());
  snprintf(t->vectors, sizeof t->vectors, "%s", ee_simd_kernels_get()->name);
  for (int k = 0; k < model->n_nodes; k++) model->node[k].method = EE_METHOD_BY_RULE;
}

int ee_tuning_count(const ee_model *model) {
  int n = 0;
  for (int k = 0; k < model->n_nodes; k++) n += model->node[k].method != EE_METHOD_BY_RULE;
  return n;
}

ee_status ee_tuning_check(const ee_model *model) {
  for (int k = 0; k < model->n_nodes; k++) {
    const ee_node *node = &model->node[k];
    if (ee_method_fits(model, node, node->method)) continue;
    return EE_FAIL(EE_ERR_FORMAT, "node '%s' cannot be computed in the way \"%s\" that was tuned",
                   node->name, ee_method_name(node->method));
  }
  return EE_OK;
}
