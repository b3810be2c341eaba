/* SPDX-License-Identifier: Apache-2.0 */
/* Bands where it is known what is best, and fleets that are refused. */
#include <math.h>
#include <string.h>

#include "band_case.h"

/* Three layers of 3 x 3 on 12 rows, on equal devices that all have the input. */
static void make_plain(band_case *c, int devices, double bytes_per_second, double latency) {
  *c = (band_case){.n = 3};
  for (int i = 0; i < 3; i++) c->window[i] = (chain_window){2, 3, 1, 1};
  c->model = chain_make(2, 12, c->window, 3);
  CU_ASSERT_EQUAL_FATAL(ee_band_costs_of(c->model, &ee_backend_ref, 0, 3, NULL, &c->costs), EE_OK);
  for (int d = 0; d < devices; d++) c->speed[d] = c->model->layer[0].flops;
  for (int k = 0; k < devices * devices; k++) {
    c->bandwidth[k] = bytes_per_second;
    c->latency[k]   = latency;
  }
  c->fleet = (ee_band_fleet){.n_devices = devices,
                             .speed     = c->speed,
                             .bandwidth = c->bandwidth,
                             .latency   = c->latency,
                             .source    = -1};
}

static void rows_are_exchanged_after_every_layer_where_links_cost_nothing(void) {
  band_case     c;
  ee_band_plan *plan = NULL;
  make_plain(&c, 3, 0.0, 0.0);
  CU_ASSERT_EQUAL_FATAL(ee_band_plan_find(c.costs, &c.fleet, &plan), EE_OK);
  CU_ASSERT_EQUAL(plan->n_ranges, 3);
  CU_ASSERT_DOUBLE_EQUAL(plan->flops, plan->whole_flops, 1e-6);
  CU_ASSERT_DOUBLE_EQUAL(plan->alone, 3.0, 1e-9);
  CU_ASSERT_DOUBLE_EQUAL(plan->total, 1.0, 1e-9);
  for (int k = 0; k < 3; k++) CU_ASSERT_EQUAL(plan->row[4 * k + 1], 4);
  CU_ASSERT_DOUBLE_EQUAL(plan->bytes, 2 * 4 * c.costs->row_bytes[1], 1e-9);
  ee_band_plan_destroy(&plan);
  end_case(&c);
}

/* Two devices, 6 rows each: 8 + 7 + 6 rows of 12 in one go. */
static void layers_are_fused_where_messages_are_slow(void) {
  band_case     c;
  ee_band_plan *plan = NULL;
  make_plain(&c, 2, 0.0, 5.0);
  CU_ASSERT_EQUAL_FATAL(ee_band_plan_find(c.costs, &c.fleet, &plan), EE_OK);
  CU_ASSERT_EQUAL(plan->n_ranges, 1);
  CU_ASSERT_EQUAL(plan->row[1], 6);
  CU_ASSERT_DOUBLE_EQUAL(plan->total, 21.0 / 12.0, 1e-9);
  CU_ASSERT_DOUBLE_EQUAL(plan->flops, plan->whole_flops * 42.0 / 36.0, 1e-6);
  CU_ASSERT_EQUAL(plan->bytes, 0.0);
  ee_band_plan_destroy(&plan);
  end_case(&c);
}

static void a_device_twice_as_fast_has_twice_the_rows(void) {
  band_case     c;
  ee_band_plan *plan = NULL;
  make_plain(&c, 2, 0.0, 0.0);
  c.speed[1] *= 2;
  CU_ASSERT_EQUAL_FATAL(ee_band_plan_find(c.costs, &c.fleet, &plan), EE_OK);
  for (int k = 0; k < 3; k++) CU_ASSERT_EQUAL(plan->row[3 * k + 1], 4);
  CU_ASSERT_DOUBLE_EQUAL(plan->total, 1.0, 1e-9);
  CU_ASSERT_DOUBLE_EQUAL(plan->alone, 1.5, 1e-9);
  ee_band_plan_destroy(&plan);
  end_case(&c);
}

/* Four rows on devices that make 2, 2 and 1 in a second: none need take longer, but squares of
 * times are 1 + 1 with the fast ones alone and 1 + 1/4 + 1 with the slow one. */
static void heights_of_equal_time_have_the_least_squares(void) {
  band_case     c    = {.n = 1, .window = {{1, 1, 1, 0}}};
  ee_band_plan *plan = NULL;
  c.model            = chain_make(1, 4, c.window, 1);
  CU_ASSERT_EQUAL_FATAL(ee_band_costs_of(c.model, &ee_backend_ref, 0, 1, NULL, &c.costs), EE_OK);
  for (int d = 0; d < 3; d++) c.speed[d] = c.model->layer[0].flops / (d < 2 ? 2.0 : 4.0);
  c.fleet = (ee_band_fleet){.n_devices = 3, .speed = c.speed, .source = -1};
  CU_ASSERT_EQUAL_FATAL(ee_band_plan_find(c.costs, &c.fleet, &plan), EE_OK);
  CU_ASSERT_DOUBLE_EQUAL(plan->total, 1.0, 1e-9);
  CU_ASSERT_EQUAL(plan->row[1], 2);
  CU_ASSERT_EQUAL(plan->row[2], 4);
  ee_band_plan_destroy(&plan);
  end_case(&c);
}

static void a_device_behind_a_slow_link_gets_nothing(void) {
  band_case     c;
  ee_band_plan *plan = NULL;
  make_plain(&c, 2, 1.0, 0.0);
  c.fleet.source = 1;
  CU_ASSERT_EQUAL_FATAL(ee_band_plan_find(c.costs, &c.fleet, &plan), EE_OK);
  CU_ASSERT_DOUBLE_EQUAL(plan->total, plan->alone, 1e-9);
  CU_ASSERT_EQUAL(plan->row[1], 0);
  CU_ASSERT_EQUAL(plan->bytes, 0.0);
  ee_band_plan_destroy(&plan);
  end_case(&c);
}

/* The source computes a layer sooner than it can send its input, but not all three. */
static void no_plan_is_longer_than_one_device(void) {
  band_case     c;
  ee_band_plan *plan = NULL;
  make_plain(&c, 2, 0.0, 1.5);
  c.fleet.source = 0;
  c.fleet.most   = 1;
  c.speed[1] *= 10.0;
  CU_ASSERT_EQUAL_FATAL(ee_band_plan_find(c.costs, &c.fleet, &plan), EE_OK);
  CU_ASSERT_EQUAL(plan->n_ranges, 3);
  CU_ASSERT_DOUBLE_EQUAL(plan->total, 1.5 + 0.3, 1e-9);
  CU_ASSERT_DOUBLE_EQUAL(plan->alone, 1.5 + 0.3, 1e-9);
  for (int k = 0; k < plan->n_ranges; k++) CU_ASSERT_EQUAL(plan->row[3 * k + 1], 0);
  ee_band_plan_destroy(&plan);
  end_case(&c);
}

/* The same with two fast devices, which share the rows. */
static void the_fastest_devices_may_do_without_the_source(void) {
  band_case     c;
  ee_band_plan *plan = NULL;
  make_plain(&c, 3, 0.0, 0.0);
  c.fleet.source = 0;
  c.fleet.most   = 1;
  for (int d = 1; d < 3; d++) {
    c.speed[d] *= 10.0;
    c.latency[d] = c.latency[3 * d] = 2.8;  // to the source and back
  }
  CU_ASSERT_EQUAL_FATAL(ee_band_plan_find(c.costs, &c.fleet, &plan), EE_OK);
  CU_ASSERT_DOUBLE_EQUAL(plan->total, 2.8 + 0.15, 1e-9);
  CU_ASSERT_DOUBLE_EQUAL(plan->alone, 3.0, 1e-9);
  for (int k = 0; k < plan->n_ranges; k++) {
    CU_ASSERT_EQUAL(plan->row[4 * k + 1], 0);
    CU_ASSERT_EQUAL(plan->row[4 * k + 2], 6);
  }
  ee_band_plan_destroy(&plan);
  end_case(&c);
}

static void a_device_that_is_away_gets_nothing(void) {
  band_case     c;
  ee_band_plan *plan = NULL;
  make_plain(&c, 3, 0.0, 0.0);
  c.speed[1]      = 0.0;
  double behind[] = {4.0, 3.0, 2.0, 1.0};
  c.fleet.behind  = behind;
  CU_ASSERT_EQUAL_FATAL(ee_band_plan_find(c.costs, &c.fleet, &plan), EE_OK);
  for (int k = 0; k < plan->n_ranges; k++) {
    CU_ASSERT_EQUAL(plan->row[4 * k + 1], plan->row[4 * k + 2]);
  }
  CU_ASSERT_TRUE(isfinite(plan->total) && isfinite(plan->alone));
  CU_ASSERT_NOT_EQUAL(plan->last, 1);
  ee_band_plan_destroy(&plan);
  end_case(&c);
}

/* 12 rows as 3 : 0 : 5, to the nearest row. */
static void rows_may_be_shared_out_by_hand(void) {
  band_case     c;
  double        share[] = {0.375, 0.0, 0.625};
  ee_band_plan *plan    = NULL;
  make_plain(&c, 3, 0.0, 0.0);
  c.fleet.share = share;
  CU_ASSERT_EQUAL_FATAL(ee_band_plan_find(c.costs, &c.fleet, &plan), EE_OK);
  CU_ASSERT_EQUAL(plan->n_ranges, 3);
  for (int k = 0; k < plan->n_ranges; k++) {
    CU_ASSERT_EQUAL(plan->row[4 * k + 1], 5);
    CU_ASSERT_EQUAL(plan->row[4 * k + 2], 5);
    CU_ASSERT_EQUAL(plan->row[4 * k + 3], 12);
  }
  CU_ASSERT_DOUBLE_EQUAL(plan->total, 3 * 7.0 / 12.0, 1e-9);
  ee_band_plan_destroy(&plan);
  share[1] = 0.1;
  CU_ASSERT_EQUAL(ee_band_plan_find(c.costs, &c.fleet, &plan), EE_ERR_ARG);
  share[1]   = 0.0;
  c.speed[2] = 0.0;
  CU_ASSERT_EQUAL(ee_band_plan_find(c.costs, &c.fleet, &plan), EE_ERR_ARG);
  share[0] = 1.375;
  share[2] = -0.375;
  CU_ASSERT_EQUAL(ee_band_plan_find(c.costs, &c.fleet, &plan), EE_ERR_ARG);
  end_case(&c);
}

static void fleets_that_cannot_be_are_refused(void) {
  band_case     c;
  ee_band_plan *plan = NULL;
  make_plain(&c, 2, 1.0, 0.0);
  c.speed[1] = -2.0;
  CU_ASSERT_EQUAL(ee_band_plan_find(c.costs, &c.fleet, &plan), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "device 1 has a speed of -2"));
  c.speed[0] = c.speed[1] = 0.0;
  CU_ASSERT_EQUAL(ee_band_plan_find(c.costs, &c.fleet, &plan), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "away"));
  CU_ASSERT_PTR_NULL(plan);
  c.speed[1]   = 1.0;
  c.latency[2] = -1.0;
  CU_ASSERT_EQUAL(ee_band_plan_find(c.costs, &c.fleet, &plan), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "from device 1 to 0"));
  c.latency[2]   = 0.0;
  c.fleet.source = 2;
  CU_ASSERT_EQUAL(ee_band_plan_find(c.costs, &c.fleet, &plan), EE_ERR_ARG);
  c.fleet.source    = 0;
  c.fleet.n_devices = 0;
  CU_ASSERT_EQUAL(ee_band_plan_find(c.costs, &c.fleet, &plan), EE_ERR_ARG);
  ee_band_costs *none = NULL;
  CU_ASSERT_EQUAL(ee_band_costs_of(c.model, &ee_backend_ref, 0, 4, NULL, &none), EE_ERR_ARG);
  CU_ASSERT_PTR_NULL(none);
  end_case(&c);
}
static void work_may_be_counted_otherwise(void) {
  band_case      c;
  ee_band_costs *other = NULL;
  double         work[8];
  make_case(&c, 3, LAYERS);
  for (int l = 0; l < c.model->n_layers; l++) work[l] = (2.0 + l) * c.model->layer[l].flops;
  CU_ASSERT_EQUAL_FATAL(ee_band_costs_of(c.model, &ee_backend_ref, 0, c.n, work, &other), EE_OK);
  for (int i = 0; i < c.n; i++) {
    const ee_band_range *a = &c.costs->range[i * (c.n + 1) + i + 1];
    const ee_band_range *b = &other->range[i * (c.n + 1) + i + 1];
    for (int64_t row = 0; row <= other->height[i + 1]; row++) {
      CU_ASSERT_DOUBLE_EQUAL(b->until[row], (2.0 + i) * a->until[row], 1e-9 * b->until[row]);
    }
  }
  ee_band_costs_destroy(&other);
  end_case(&c);
}

const ee_fact ee_facts[] = {
    EE_FACT(rows_are_exchanged_after_every_layer_where_links_cost_nothing),
    EE_FACT(layers_are_fused_where_messages_are_slow),
    EE_FACT(a_device_twice_as_fast_has_twice_the_rows),
    EE_FACT(heights_of_equal_time_have_the_least_squares),
    EE_FACT(a_device_behind_a_slow_link_gets_nothing),
    EE_FACT(no_plan_is_longer_than_one_device),
    EE_FACT(the_fastest_devices_may_do_without_the_source),
    EE_FACT(a_device_that_is_away_gets_nothing),
    EE_FACT(work_may_be_counted_otherwise),
    EE_FACT(rows_may_be_shared_out_by_hand),
    EE_FACT(fleets_that_cannot_be_are_refused),
    {NULL, NULL},
};
