/* SPDX-License-Identifier: Apache-2.0 */
/* A hash over what a network computes: FNV-1a in words of 32 bits. */
#include "ee/model_identity.h"

#include <string.h>

#define HASH_BEGIN 14695981039346656037u
#define HASH_FACTOR 1099511628211u

static uint64_t add_word(uint64_t hash, uint32_t word) {
  return (hash ^ word) * HASH_FACTOR;
}

static uint64_t add_shape(uint64_t hash, const ee_shape *shape) {
  hash = add_word(hash, (uint32_t)shape->rank);
  for (int i = 0; i < shape->rank; i++) hash = add_word(hash, (uint32_t)shape->dim[i]);
  return hash;
}

static uint64_t add_data(uint64_t hash, const float *data, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    uint32_t bits;
    memcpy(&bits, &data[i], sizeof bits);
    hash = add_word(hash, bits);
  }
  return hash;
}

/* Its operator, and what goes in and comes out; *known: all its constants are in memory. */
static uint64_t add_node(uint64_t hash, const ee_model *model, const ee_node *node, bool *known) {
  hash = add_word(hash, (uint32_t)node->op);
  hash = add_word(hash, (uint32_t)node->act.kind);
  hash = add_shape(hash, &model->value[node->out].shape);
  for (int i = 0; i < node->n_in; i++) {
    if (node->in[i] < 0) continue;
    const ee_value *in = &model->value[node->in[i]];
    hash               = add_shape(hash, &in->shape);
    if (in->kind != EE_VALUE_CONSTANT) continue;
    *known = *known && in->data != NULL;
    if (*known) hash = add_data(hash, in->data, ee_model_value_elements(model, node->in[i]));
  }
  return hash;
}

uint64_t ee_model_identity(const ee_model *model) {
  uint64_t hash  = add_word(HASH_BEGIN, (uint32_t)model->n_exits);
  bool     known = true;
  for (int k = 0; k < model->n_nodes; k++) hash = add_node(hash, model, &model->node[k], &known);
  hash ^= hash >> 32;
  if (!known) return 0;
  return hash != 0 ? hash : 1;
}
