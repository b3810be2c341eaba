/* SPDX-License-Identifier: Apache-2.0 */
/* What is said where no plan fits: figures by which one would. */
#include <stdio.h>
#include <string.h>

#include "ee/partition.h"
#include "ee_test.h"

enum { LAYERS = 6, MOST = 6 };

static const double ones[MOST] = {1, 1, 1, 1, 1, 1};

/* @p n devices of @p memory bytes for layers of 10, 4, 4, 7, 2 and 3 bytes, and as much packed. */
static ee_status find(int n, double memory) {
  static const double weight[LAYERS] = {10, 4, 4, 7, 2, 3}, bytes[LAYERS + 1] = {0};
  double              each[MOST];
  for (int d = 0; d < n; d++) each[d] = memory;
  ee_chain  chain  = {.n_layers        = LAYERS,
                      .n_devices       = n,
                      .work            = ones,
                      .reach           = ones,
                      .cut_bytes       = bytes,
                      .weight_bytes    = weight,
                      .packed_bytes    = weight,
                      .speed           = ones,
                      .memory          = each,
                      .message_samples = 1,
                      .slots           = 1,
                      .source          = -1};
  ee_plan  *plan   = NULL;
  ee_status status = ee_partition_exact(&chain, &plan);
  ee_plan_destroy(&plan);
  return status;
}

static void a_layer_that_no_device_can_hold_is_named_with_its_parts(void) {
  CU_ASSERT_EQUAL(find(3, 19), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(),
                                "layer 0 needs 20 byte alone (weights as they come and packed 20, "
                                "values while it runs 0, messages 0), the largest memory of a "
                                "device is 19 byte"));
}

/* As many as are said suffice, and one less does not. */
static void the_devices_that_would_be_needed_suffice_and_one_less_does_not(void) {
  for (int memory = 20; memory < 60; memory++) {
    int needed;
    CU_ASSERT_EQUAL_FATAL(find(1, memory), EE_ERR_ARG);
    const char *text = strstr(ee_status_message(), ", or ");
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_EQUAL_FATAL(sscanf(text, ", or %d devices", &needed), 1);
    CU_ASSERT_TRUE_FATAL(needed >= 2 && needed <= MOST);
    CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "one device would need 60 byte"));
    CU_ASSERT_EQUAL(find(needed, memory), EE_OK);
    CU_ASSERT_EQUAL(find(needed - 1, memory), EE_ERR_ARG);
  }
  CU_ASSERT_EQUAL(find(1, 60), EE_OK);
}

const ee_fact ee_facts[] = {
    EE_FACT(a_layer_that_no_device_can_hold_is_named_with_its_parts),
    EE_FACT(the_devices_that_would_be_needed_suffice_and_one_less_does_not),
    {NULL, NULL},
};
