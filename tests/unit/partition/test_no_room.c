/* SPDX-License-Identifier: Apache-2.0 */
/* What is said where no plan fits: figures by which one would. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ee/partition.h"
#include "ee/rng.h"
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

/* Bytes of the range with layer @p l that needs least, by looking at all of them. */
static double least_with(const ee_chain *chain, int l) {
  double least = INFINITY;
  for (int i = 0; i <= l; i++) {
    for (int j = l + 1; j <= LAYERS; j++) {
      double bytes = ee_partition_message_bytes(chain, i, j);
      for (int k = i; k < j; k++) bytes += chain->weight_bytes[k];
      least = fmin(least, bytes);
    }
  }
  return least;
}

/* Wide cuts are cheap inside a stage: on each random chain the layer that is named is the first
 * that no range holds within the memory, and its bytes are the least of all ranges with it. */
static void a_layer_needs_the_least_of_all_ranges_with_it(void) {
  ee_rng rng   = ee_rng_at(5, 0);
  int    named = 0, company = 0;
  for (int round = 0; round < 2000; round++) {
    double   weight[LAYERS], cut[LAYERS + 1];
    double   memory = 10.0 + (double)ee_rng_below(&rng, 60);
    ee_chain chain  = {.n_layers        = LAYERS,
                       .n_devices       = 1,
                       .work            = ones,
                       .reach           = ones,
                       .cut_bytes       = cut,
                       .weight_bytes    = weight,
                       .speed           = ones,
                       .memory          = &memory,
                       .message_samples = 1,
                       .slots           = 1,
                       .source          = -1};
    for (int l = 0; l < LAYERS; l++) weight[l] = 1.0 + (double)ee_rng_below(&rng, 10);
    for (int c = 0; c <= LAYERS; c++) cut[c] = (double)ee_rng_below(&rng, 30);
    ee_plan *plan   = NULL;
    bool     fits   = ee_partition_exact(&chain, &plan) == EE_OK;
    int      expect = -1;
    double   needs  = 0.0;
    ee_plan_destroy(&plan);
    for (int l = LAYERS - 1; l >= 0; l--) {
      double least = least_with(&chain, l);
      if (least <= memory) continue;
      expect = l;
      needs  = least;
    }
    int         layer = -1;
    double      bytes = 0.0;
    const char *text  = fits ? NULL : strstr(ee_status_message(), "layer ");
    if (text != NULL) sscanf(text, "layer %d needs %lf byte", &layer, &bytes);
    CU_ASSERT_EQUAL(layer, expect);
    CU_ASSERT_DOUBLE_EQUAL(bytes, needs, 0.5);
    named += layer >= 0;
    company += layer >= 0 && strstr(text, "at least, as one of layers ") != NULL;
  }
  CU_ASSERT_TRUE(named > 100 && named < 1900);
  CU_ASSERT_TRUE(company > 20 && company < named);
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
    EE_FACT(a_layer_needs_the_least_of_all_ranges_with_it),
    EE_FACT(the_devices_that_would_be_needed_suffice_and_one_less_does_not),
    {NULL, NULL},
};
