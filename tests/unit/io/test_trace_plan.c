/* SPDX-License-Identifier: Apache-2.0 */
/* Plans as rows of a trace: those that cannot be are refused. */
#include "trace_plan.h"

#include <string.h>

#include "ee_test.h"

enum { N_LAYERS = 4, N_DEVICES = 5 };

static ee_plan *shared_plan_of(const int32_t *device, const int32_t *replica, const int32_t *turns,
                               ee_status expected) {
  ee_plan *plan = NULL;
  CU_ASSERT_EQUAL(ee_trace_plan_of_rows("t.h5", N_LAYERS, N_DEVICES, device, replica, turns, &plan),
                  expected);
  if (expected != EE_OK) CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "t.h5 is damaged"));
  return plan;
}

static ee_plan *plan_of(const int32_t *device, const int32_t *replica, ee_status expected) {
  return shared_plan_of(device, replica, NULL, expected);
}

static void rows_name_the_device_that_comes_before(void) {
  const int32_t device[] = {3, 3, 1, 1}, replica[] = {2, -1, 3, -1, 1};
  char          text[64];
  ee_plan      *plan = plan_of(device, replica, EE_OK);
  CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
  CU_ASSERT_STRING_EQUAL(ee_plan_text(plan, text, sizeof text), "0-1 @3,2,0 | 2-3 @1,4");
  int32_t d[4], r[5], t[5];
  ee_trace_plan_to_rows(plan, N_LAYERS, N_DEVICES, d, r, t);
  CU_ASSERT_EQUAL(memcmp(d, device, sizeof d), 0);
  CU_ASSERT_EQUAL(memcmp(r, replica, sizeof r), 0);
  ee_plan_destroy(&plan);
}

static void rows_have_the_turns_of_devices_that_own_layers(void) {
  const int32_t device[] = {3, 3, 1, 1}, replica[] = {-1, -1, 3, -1, 1}, turns[] = {-1, 1, 7, 3, 1};
  char          text[64];
  ee_plan      *plan = shared_plan_of(device, replica, turns, EE_OK);
  CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
  CU_ASSERT_STRING_EQUAL(ee_plan_text(plan, text, sizeof text), "0-1 @3*3,2*7 | 2-3 @1,4");
  int32_t d[4], r[5], t[5];
  ee_trace_plan_to_rows(plan, N_LAYERS, N_DEVICES, d, r, t);
  CU_ASSERT_EQUAL(memcmp(t, turns, sizeof t), 0);
  ee_plan_destroy(&plan);
}

static void turns_of_idle_devices_none_or_too_many_are_damage(void) {
  const int32_t device[] = {3, 3, 1, 1}, replica[] = {-1, -1, 3, -1, 1};
  const int32_t wrong[][5] = {{1, 1, 7, 3, 1},
                              {-1, 1, -1, 3, 1},
                              {-1, 0, 7, 3, 1},
                              {-1, 1, 7, -3, 1},
                              {-1, 1, 7, EE_PLAN_TURNS + 1, 1}};
  for (size_t k = 0; k < sizeof wrong / sizeof wrong[0]; k++) {
    CU_ASSERT_PTR_NULL(shared_plan_of(device, replica, wrong[k], EE_ERR_FORMAT));
  }
}

static void without_the_second_row_each_stage_has_one_device(void) {
  const int32_t device[] = {0, 1, 1, 2};
  char          text[64];
  ee_plan      *plan = plan_of(device, NULL, EE_OK);
  CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
  CU_ASSERT_STRING_EQUAL(ee_plan_text(plan, text, sizeof text), "0-0 @0 | 1-2 @1 | 3-3 @2");
  ee_plan_destroy(&plan);
}

static void no_plan_is_minus_one_everywhere(void) {
  int32_t d[4], r[5], t[5];
  ee_trace_plan_to_rows(NULL, N_LAYERS, N_DEVICES, d, r, t);
  for (int i = 0; i < 5; i++) {
    CU_ASSERT_TRUE(r[i] == -1 && t[i] == -1 && (i == 4 || d[i] == -1));
  }
  CU_ASSERT_PTR_NULL(shared_plan_of(d, r, t, EE_OK));
}

static void replicas_of_no_stage_in_circles_or_twice_are_damage(void) {
  const int32_t device[]   = {3, 3, 1, 1};
  const int32_t wrong[][5] = {
      {-1, -1, 0, -1, -1},  // behind a device without a stage
      {2, -1, 0, -1, -1},   // a circle that no stage begins
      {-1, -1, -1, 3, -1},  // the first device behind itself
      {3, -1, 3, -1, -1},   // two behind one
      {-1, 3, -1, -1, -1},  // the first of another stage
      {99, -1, -1, -1, -1}, {-2, -1, -1, -1, -1},
  };
  for (size_t k = 0; k < sizeof wrong / sizeof wrong[0]; k++) {
    CU_ASSERT_PTR_NULL(plan_of(device, wrong[k], EE_ERR_FORMAT));
  }
}

const ee_fact ee_facts[] = {
    EE_FACT(rows_name_the_device_that_comes_before),
    EE_FACT(rows_have_the_turns_of_devices_that_own_layers),
    EE_FACT(turns_of_idle_devices_none_or_too_many_are_damage),
    EE_FACT(without_the_second_row_each_stage_has_one_device),
    EE_FACT(no_plan_is_minus_one_everywhere),
    EE_FACT(replicas_of_no_stage_in_circles_or_twice_are_damage),
    {NULL, NULL},
};
