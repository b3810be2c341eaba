/* SPDX-License-Identifier: Apache-2.0 */
/* Which network a model is: what it computes, and nothing else. */
#include "ee/model_identity.h"
#include "ee_test.h"
#include "graph_maker.h"

/* Two products; @p width between them. */
static ee_model *two_products(int width) {
  ee_model *m = maker_begin(3, SHAPE(1, 8));
  maker_exit(m, "final", maker_gemm(m, "second", maker_gemm(m, "first", m->input, width), 3));
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  return m;
}

static ee_value *a_constant(ee_model *m) {
  for (int v = 0; v < m->n_values; v++) {
    if (m->value[v].kind == EE_VALUE_CONSTANT) return &m->value[v];
  }
  return NULL;
}

static void the_same_network_has_the_same_identity(void) {
  ee_model *a = two_products(5), *b = two_products(5);
  CU_ASSERT_NOT_EQUAL(ee_model_identity(a), 0);
  CU_ASSERT_EQUAL(ee_model_identity(a), ee_model_identity(b));
  snprintf(b->name, sizeof b->name, "renamed");
  b->exit[0].temperature  = 2.0f;
  b->layer[0].seconds     = 1.0;
  b->node[0].method       = EE_METHOD_DIRECT_2;
  b->node[0].quant.scale  = 0.5f;
  b->quantization.samples = 3;
  CU_ASSERT_EQUAL(ee_model_identity(a), ee_model_identity(b));
  ee_model_destroy(&a);
  ee_model_destroy(&b);
}

static void every_bit_of_a_weight_counts(void) {
  ee_model *a = two_products(5), *b = two_products(5);
  float    *weight = a_constant(b)->data, was = weight[3];
  for (int bit = 0; bit < 32; bit++) {
    uint32_t bits;
    memcpy(&bits, &was, sizeof bits);
    bits ^= 1u << bit;
    memcpy(&weight[3], &bits, sizeof bits);
    CU_ASSERT_NOT_EQUAL(ee_model_identity(a), ee_model_identity(b));
  }
  ee_model_destroy(&a);
  ee_model_destroy(&b);
}

static void shapes_operators_and_activations_count(void) {
  ee_model *a = two_products(5), *wide = two_products(6), *b = two_products(5);
  CU_ASSERT_NOT_EQUAL(ee_model_identity(a), ee_model_identity(wide));
  b->node[0].act.kind = EE_ACT_RELU;
  CU_ASSERT_NOT_EQUAL(ee_model_identity(a), ee_model_identity(b));
  b->node[0].act.kind = EE_ACT_NONE;
  CU_ASSERT_EQUAL(ee_model_identity(a), ee_model_identity(b));
  b->node[0].op = EE_OP_MATMUL;
  CU_ASSERT_NOT_EQUAL(ee_model_identity(a), ee_model_identity(b));
  ee_model_destroy(&a);
  ee_model_destroy(&b);
  ee_model_destroy(&wide);
}

static void a_model_without_its_weights_has_none(void) {
  ee_model *m = two_products(5);
  ee_value *v = a_constant(m);
  free(v->data);
  v->data = NULL;
  CU_ASSERT_EQUAL(ee_model_identity(m), 0);
  ee_model_destroy(&m);
}

const ee_fact ee_facts[] = {
    EE_FACT(the_same_network_has_the_same_identity),
    EE_FACT(every_bit_of_a_weight_counts),
    EE_FACT(shapes_operators_and_activations_count),
    EE_FACT(a_model_without_its_weights_has_none),
    {NULL, NULL},
};
