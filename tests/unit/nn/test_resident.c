/* SPDX-License-Identifier: Apache-2.0 */
#include "ee/exec.h"
#include "ee_test.h"
#include "probe.h"

static ee_resident *hold_none(ee_model *m) {
  ee_resident *res;
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_resident_create(m, &probe, &res), EE_OK);
  CU_ASSERT_EQUAL(ee_resident_bytes(res), 0);
  return res;
}

static void a_layer_is_here_until_its_last_holder_drops_it(void) {
  ee_model    *m   = maker_random(1);
  ee_resident *res = hold_none(m);
  CU_ASSERT_FALSE(ee_resident_has(res, 1));
  CU_ASSERT_PTR_NULL(ee_resident_blob(res, 1));
  CU_ASSERT_EQUAL(ee_resident_add(res, 1, NULL), EE_OK);
  CU_ASSERT_EQUAL(ee_resident_add(res, 1, malloc(m->layer[1].weight_bytes)), EE_OK);
  ee_resident_drop(res, 1);
  CU_ASSERT_TRUE(ee_resident_has(res, 1));
  ee_resident_drop(res, 1);
  CU_ASSERT_FALSE(ee_resident_has(res, 1));
  CU_ASSERT_EQUAL(ee_resident_bytes(res), 0);
  CU_ASSERT_EQUAL(probe_prepared, 0);
  ee_resident_drop(res, 1);  // of nothing: nothing
  CU_ASSERT_FALSE(ee_resident_has(res, -1) || ee_resident_has(res, m->n_layers));
  ee_resident_destroy(&res);
  CU_ASSERT_PTR_NULL(res);
  ee_resident_destroy(&res);
  ee_model_destroy(&m);
}

static void a_blob_is_its_constants_one_after_the_other(void) {
  ee_model    *m   = maker_random(2);
  ee_resident *res = hold_none(m);
  for (int l = 0; l < m->n_layers; l++) {
    int   *list, n;
    size_t at = 0;
    CU_ASSERT_EQUAL_FATAL(ee_resident_add(res, l, NULL), EE_OK);
    CU_ASSERT_EQUAL_FATAL(ee_model_layer_constants(m, l, &list, &n), EE_OK);
    const char *blob = (const char *)ee_resident_blob(res, l);
    for (int i = 0; i < n; i++) {
      size_t bytes = (size_t)ee_model_value_elements(m, list[i]) * sizeof(float);
      CU_ASSERT_EQUAL(memcmp(blob + at, m->value[list[i]].data, bytes), 0);
      at += bytes;
    }
    CU_ASSERT_EQUAL(at, m->layer[l].weight_bytes);
    free(list);
  }
  ee_resident_destroy(&res);
  ee_model_destroy(&m);
  CU_ASSERT_EQUAL(probe_prepared, 0);
}

/* a: 36 weights; final: 32 x 3 weights and 3 biases; the probe packs the weights once more. */
static void bytes_are_those_of_blobs_and_of_what_the_backend_packed(void) {
  ee_model *m = maker_begin(3, SHAPE(1, 2, 4, 4));
  maker_head(m, "final", maker_conv(m, "a", m->input));
  ee_resident *res = hold_none(m);
  CU_ASSERT_EQUAL(ee_resident_add(res, 0, NULL), EE_OK);
  CU_ASSERT_EQUAL(ee_resident_bytes(res), (36 + 36) * sizeof(float));
  CU_ASSERT_EQUAL(ee_resident_add(res, 1, NULL), EE_OK);
  CU_ASSERT_EQUAL(ee_resident_bytes(res), (36 + 36 + 99 + 96) * sizeof(float));
  ee_resident_drop(res, 0);
  CU_ASSERT_EQUAL(ee_resident_bytes(res), (99 + 96) * sizeof(float));
  ee_resident_destroy(&res);
  ee_model_destroy(&m);
}

static void a_layer_that_cannot_be_packed_is_not_held(void) {
  ee_model *m = maker_begin(3, SHAPE(1, 2, 4, 4));
  int       a = maker_conv(m, "a", m->input);
  maker_head(m, "early", a);
  maker_head(m, "final", maker_conv(m, "b", a));
  ee_resident *res = hold_none(m);
  for (probe_fail_at = 0; probe_fail_at < 2; probe_fail_at++) {
    CU_ASSERT_EQUAL(ee_resident_add(res, 0, NULL), EE_ERR_NOMEM);
    CU_ASSERT_FALSE(ee_resident_has(res, 0));
    CU_ASSERT_EQUAL(ee_resident_bytes(res), 0);
    CU_ASSERT_EQUAL(probe_prepared, 0);
  }
  probe_fail_at = -1;
  CU_ASSERT_EQUAL(ee_resident_add(res, 0, NULL), EE_OK);
  CU_ASSERT_EQUAL(probe_prepared, 2);  // the layer's and its head's
  ee_resident_destroy(&res);
  ee_model_destroy(&m);
}

static void a_layer_without_weights_in_memory_or_that_is_none_is_refused(void) {
  ee_model    *m   = maker_random(3);
  ee_resident *res = hold_none(m);
  int         *list, n;
  CU_ASSERT_EQUAL_FATAL(ee_model_layer_constants(m, 0, &list, &n), EE_OK);
  free(m->value[list[0]].data);
  m->value[list[0]].data = NULL;
  CU_ASSERT_EQUAL(ee_resident_add(res, 0, NULL), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), m->value[list[0]].name));
  CU_ASSERT_FALSE(ee_resident_has(res, 0));
  CU_ASSERT_EQUAL(ee_resident_add(res, -1, malloc(4)), EE_ERR_ARG);
  CU_ASSERT_EQUAL(ee_resident_add(res, m->n_layers, malloc(4)), EE_ERR_ARG);
  free(list);
  ee_resident_destroy(&res);
  ee_model_destroy(&m);
}

static void a_layer_without_weights_needs_no_blob(void) {
  ee_model *m = maker_begin(4, SHAPE(1, 4));
  maker_exit(m, "final", maker_relu(m, "a", m->input));
  ee_resident *res = hold_none(m);
  CU_ASSERT_EQUAL(ee_resident_add(res, 0, NULL), EE_OK);
  CU_ASSERT_TRUE(ee_resident_has(res, 0));
  ee_resident_destroy(&res);
  ee_model_destroy(&m);
}

static void nodes_that_the_backend_cannot_run_are_run_by_ref(void) {
  const float in[2] = {1.5f, -2.0f}, *logits;
  ee_model   *m     = maker_begin(2, SHAPE(1, 2));
  maker_exit(m, "final", maker_add(m, "sum", m->input, maker_relu(m, "r", m->input)));
  probe_refuses_add = true;
  ee_resident *res  = hold_none(m);
  ee_exec     *x;
  CU_ASSERT_EQUAL_FATAL(ee_resident_add(res, 0, NULL), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_exec_create(res, 0, 1, 1, &x), EE_OK);
  memcpy(ee_exec_input(x, m->input), in, sizeof in);
  probe_runs = 0;
  CU_ASSERT_EQUAL(ee_exec_run_layers(x, 0, 1, 1), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_exec_run_head(x, 0, 1, &logits), EE_OK);
  CU_ASSERT_EQUAL(probe_runs, 1);
  CU_ASSERT_TRUE(logits[0] == 3.0f && logits[1] == -2.0f);
  probe_refuses_add = false;
  ee_exec_destroy(&x);
  ee_resident_destroy(&res);
  ee_model_destroy(&m);
}

const ee_fact ee_facts[] = {
    EE_FACT(a_layer_is_here_until_its_last_holder_drops_it),
    EE_FACT(a_blob_is_its_constants_one_after_the_other),
    EE_FACT(bytes_are_those_of_blobs_and_of_what_the_backend_packed),
    EE_FACT(a_layer_that_cannot_be_packed_is_not_held),
    EE_FACT(a_layer_without_weights_in_memory_or_that_is_none_is_refused),
    EE_FACT(a_layer_without_weights_needs_no_blob),
    EE_FACT(nodes_that_the_backend_cannot_run_are_run_by_ref),
    {NULL, NULL},
};
