/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs that are ids. */
#include <math.h>

#include "ee/model.h"
#include "ee_test.h"
#include "graph_maker.h"

static int look_up(ee_model *m, const char *name, int64_t rows, int ids) {
  int table = maker_constant(m, name, SHAPE(rows, 4));
  return maker_node(m, EE_OP_GATHER, name, table, ids, -1, SHAPE(1, 3, 4))->out;
}

/* Three ids look up words of 30 rows, and kinds of 20 in the layer after. */
static ee_model *two_tables(void) {
  ee_model *m     = maker_begin(12, SHAPE(1, 3));
  int       words = look_up(m, "words", 30, m->input), kinds = look_up(m, "kinds", 20, m->input);
  int       w   = maker_constant(m, "w", SHAPE(4, 4));
  int       sum = maker_add(m, "sum", words, kinds);
  maker_exit(m, "final", maker_node(m, EE_OP_MATMUL, "mix", sum, w, -1, SHAPE(1, 3, 4))->out);
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  return m;
}

static void the_smallest_table_limits_the_ids(void) {
  ee_model *m = two_tables();
  CU_ASSERT_EQUAL(ee_model_ids(m), 20);
  const float good[] = {0, 19, 7, -20, -1, 3};
  CU_ASSERT_EQUAL(ee_model_check_ids(m, good, 2), EE_OK);
  const float bad[] = {20, -21, 0.5f, NAN, INFINITY, -INFINITY, 1e30f};
  for (int i = 0; i < 7; i++) {
    float ids[6] = {0, 1, 2, 3, bad[i], 4};
    CU_ASSERT_EQUAL(ee_model_check_ids(m, ids, 2), EE_ERR_FORMAT);
    CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "number 1 is"));
    CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "below 20"));
    CU_ASSERT_EQUAL(ee_model_check_ids(m, ids, 1), EE_OK);
  }
  ee_model_destroy(&m);
}

static void ids_cross_the_cuts_in_front_of_their_last_table(void) {
  ee_model *m = two_tables();
  CU_ASSERT_EQUAL_FATAL(m->n_layers, 3);
  CU_ASSERT_TRUE(ee_model_cut_has_ids(m, 0));
  CU_ASSERT_TRUE(ee_model_cut_has_ids(m, 1));
  CU_ASSERT_FALSE(ee_model_cut_has_ids(m, 2));
  CU_ASSERT_FALSE(ee_model_cut_has_ids(m, 3));
  ee_model_destroy(&m);
}

static void other_inputs_are_no_ids(void) {
  ee_model *m    = maker_begin(3, SHAPE(1, 4));
  float     x[4] = {0.5f, NAN, 1e30f, -1.0f};
  maker_exit(m, "final", maker_gemm(m, "final", m->input, 3));
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  CU_ASSERT_EQUAL(ee_model_ids(m), 0);
  CU_ASSERT_EQUAL(ee_model_check_ids(m, x, 1), EE_OK);
  CU_ASSERT_FALSE(ee_model_cut_has_ids(m, 0));
  ee_model_destroy(&m);
}

const ee_fact ee_facts[] = {
    EE_FACT(the_smallest_table_limits_the_ids),
    EE_FACT(ids_cross_the_cuts_in_front_of_their_last_table),
    EE_FACT(other_inputs_are_no_ids),
    {NULL, NULL},
};
