/* SPDX-License-Identifier: Apache-2.0 */
#include "ee/plan.h"

#include <string.h>

#include "ee_test.h"

/* Layers 0-3 on device 0, 4-9 on 2, 10 on 1. */
static ee_plan *three_stages(void) {
  ee_plan *plan = NULL;
  CU_ASSERT_EQUAL_FATAL(ee_plan_create(11, 4, 3, &plan), EE_OK);
  plan->stage[0] = (ee_stage){0, 4, 0};
  plan->stage[1] = (ee_stage){4, 10, 2};
  plan->stage[2] = (ee_stage){10, 11, 1};
  return plan;
}

static void sizes_that_no_plan_can_have_are_refused(void) {
  const int wrong[][3] = {{0, 1, 1}, {1, 0, 1}, {5, 3, 0}, {5, 3, 4}, {3, 5, 4}, {-1, -1, -1}};
  for (size_t k = 0; k < sizeof wrong / sizeof wrong[0]; k++) {
    ee_plan *plan = (ee_plan *)&wrong;
    CU_ASSERT_EQUAL(ee_plan_create(wrong[k][0], wrong[k][1], wrong[k][2], &plan), EE_ERR_ARG);
    CU_ASSERT_PTR_NULL(plan);
  }
}

static void uniform_spreads_layers_as_equally_as_can_be(void) {
  for (int n_layers = 1; n_layers <= 20; n_layers++) {
    for (int n_devices = 1; n_devices <= 24; n_devices++) {
      ee_plan *plan = NULL;
      CU_ASSERT_EQUAL_FATAL(ee_plan_uniform(n_layers, n_devices, &plan), EE_OK);
      CU_ASSERT_EQUAL(ee_plan_check(plan), EE_OK);
      CU_ASSERT_EQUAL(plan->n_stages, n_layers < n_devices ? n_layers : n_devices);
      for (int s = 0; s < plan->n_stages; s++) {
        int layers = plan->stage[s].end - plan->stage[s].begin;
        CU_ASSERT_TRUE(layers == n_layers / plan->n_stages ||
                       layers == n_layers / plan->n_stages + 1);
        CU_ASSERT_EQUAL(plan->stage[s].device, s);
      }
      ee_plan_destroy(&plan);
    }
  }
}

static void every_fault_of_a_plan_is_found_and_named(void) {
  const struct {
    int         stage;
    ee_stage    is;
    const char *words;
  } fault[] = {
      {0, {1, 4, 0}, "begins at layer 1, expected 0"},
      {1, {5, 10, 2}, "begins at layer 5, expected 4"},
      {1, {3, 10, 2}, "begins at layer 3, expected 4"},
      {1, {4, 4, 2}, "ends before layer 4"},
      {1, {4, 12, 2}, "ends before layer 12"},
      {2, {10, 10, 1}, "ends before layer 10"},
      {1, {4, 9, 2}, "begins at layer 10, expected 9"},
      {1, {4, 10, 4}, "on device 4, expected 0 to 3"},
      {1, {4, 10, -1}, "on device -1, expected 0 to 3"},
      {2, {10, 11, 0}, "on device 0, which has"},
      {2, {10, 0x7fffffff, 1}, "ends before layer 2147"},
  };
  for (size_t k = 0; k < sizeof fault / sizeof fault[0]; k++) {
    ee_plan *plan = three_stages();
    CU_ASSERT_EQUAL(ee_plan_check(plan), EE_OK);
    plan->stage[fault[k].stage] = fault[k].is;
    CU_ASSERT_EQUAL(ee_plan_check(plan), EE_ERR_ARG);
    CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), fault[k].words));
    ee_plan_destroy(&plan);
  }
  ee_plan *plan  = three_stages();
  plan->n_layers = 12;
  CU_ASSERT_EQUAL(ee_plan_check(plan), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "there are 12 layers"));
  plan->n_stages = 0;
  CU_ASSERT_EQUAL(ee_plan_check(plan), EE_ERR_ARG);
  ee_plan_destroy(&plan);
}

static void the_owner_of_a_layer_or_a_device_is_found(void) {
  ee_plan  *plan    = three_stages();
  const int owner[] = {0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2}, on[] = {0, 2, 1, -1};
  for (int l = 0; l < 11; l++) CU_ASSERT_EQUAL(ee_plan_stage_of_layer(plan, l), owner[l]);
  for (int d = 0; d < 4; d++) CU_ASSERT_EQUAL(ee_plan_stage_of_device(plan, d), on[d]);
  CU_ASSERT_EQUAL(ee_plan_stage_of_layer(plan, -1), -1);
  CU_ASSERT_EQUAL(ee_plan_stage_of_layer(plan, 11), -1);
  CU_ASSERT_EQUAL(ee_plan_stage_of_device(plan, 4), -1);
  ee_plan_destroy(&plan);
}

static void copies_are_equal_and_of_equal_hash_until_anything_is_changed(void) {
  for (int change = 0; change < 6; change++) {
    ee_plan *plan = three_stages(), *copy = NULL;
    CU_ASSERT_EQUAL_FATAL(ee_plan_copy(plan, &copy), EE_OK);
    CU_ASSERT_TRUE(ee_plan_equal(plan, copy));
    CU_ASSERT_EQUAL(ee_plan_hash(plan), ee_plan_hash(copy));
    int *field[] = {&copy->n_layers,        &copy->n_devices,      &copy->n_stages,
                    &copy->stage[1].device, &copy->stage[2].begin, &copy->stage[0].end};
    --*field[change];
    CU_ASSERT_FALSE(ee_plan_equal(plan, copy));
    CU_ASSERT_NOT_EQUAL(ee_plan_hash(plan), ee_plan_hash(copy));
    ee_plan_destroy(&plan);
    ee_plan_destroy(&copy);
  }
}

/* FNV-1a of the plan's integers as bytes, lowest first, by its definition. */
static void the_hash_is_that_of_the_bytes_on_any_machine(void) {
  const int integers[] = {11, 4, 3, 0, 4, 0, 4, 10, 2, 10, 11, 1};
  uint64_t  hash       = 14695981039346656037u;
  for (int k = 0; k < 12 * 4; k++) {
    hash ^= k % 4 == 0 ? (uint64_t)integers[k / 4] : 0;  // all below 256
    hash *= 1099511628211u;
  }
  ee_plan *plan = three_stages();
  CU_ASSERT_EQUAL(ee_plan_hash(plan), hash);
  ee_plan_destroy(&plan);
}

static void text_names_first_and_last_layer_and_never_overruns(void) {
  ee_plan   *plan    = three_stages();
  const char whole[] = "0-3 @0 | 4-9 @2 | 10-10 @1";
  for (int size = 1; size <= 40; size++) {
    char text[48];
    memset(text, '#', sizeof text);
    CU_ASSERT_PTR_EQUAL(ee_plan_text(plan, text, size), text);
    CU_ASSERT_EQUAL(text[size], '#');
    CU_ASSERT_EQUAL(strncmp(text, whole, (size_t)size - 1), 0);
    CU_ASSERT_EQUAL((int)strlen(text),
                    size - 1 < (int)strlen(whole) ? size - 1 : (int)strlen(whole));
  }
  ee_plan_destroy(&plan);
  ee_plan_destroy(&plan);  // NULL now
  CU_ASSERT_PTR_NULL(plan);
}

const ee_fact ee_facts[] = {
    EE_FACT(sizes_that_no_plan_can_have_are_refused),
    EE_FACT(uniform_spreads_layers_as_equally_as_can_be),
    EE_FACT(every_fault_of_a_plan_is_found_and_named),
    EE_FACT(the_owner_of_a_layer_or_a_device_is_found),
    EE_FACT(copies_are_equal_and_of_equal_hash_until_anything_is_changed),
    EE_FACT(the_hash_is_that_of_the_bytes_on_any_machine),
    EE_FACT(text_names_first_and_last_layer_and_never_overruns),
    {NULL, NULL},
};
