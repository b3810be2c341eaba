/* SPDX-License-Identifier: Apache-2.0 */
#include "ee/fleet.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ee/rng.h"
#include "ee/trace.h"
#include "ee_test.h"

static void a_new_fleet_is_as_fast_as_this_host_on_unlimited_links(void) {
  ee_fleet *fleet = NULL;
  CU_ASSERT_EQUAL_FATAL(ee_fleet_create(3, &fleet), EE_OK);
  CU_ASSERT_EQUAL(fleet->n_devices, 3);
  for (int d = 0; d < 3; d++) {
    CU_ASSERT_EQUAL(ee_fleet_speed(fleet, d, 7.0, 5e9), 5e9);
    for (int to = 0; to < 3; to++) {
      CU_ASSERT_EQUAL(ee_link_bandwidth(ee_fleet_link(fleet, d, to), 7.0), 0.0);
      CU_ASSERT_EQUAL(ee_fleet_link(fleet, d, to)->latency, 0.0);
    }
  }
  ee_fleet_destroy(&fleet);
  CU_ASSERT_PTR_NULL(fleet);
  ee_fleet_destroy(&fleet);
}

static void a_fleet_needs_a_device(void) {
  ee_fleet *fleet = (ee_fleet *)&fleet;
  CU_ASSERT_EQUAL(ee_fleet_create(0, &fleet), EE_ERR_ARG);
  CU_ASSERT_PTR_NULL(fleet);
  CU_ASSERT_EQUAL(ee_fleet_create(-1, &fleet), EE_ERR_ARG);
}

static void a_schedule_holds_its_last_change(void) {
  ee_change   change[] = {{1.0, 10.0}, {2.0, 20.0}, {4.0, 40.0}};
  ee_schedule schedule = {3, change}, none = {0, NULL};
  double      expected[] = {5, 5, 10, 10, 20, 20, 20, 20, 40, 40};  // at 0, 1/2, 1, ...
  for (int i = 0; i < 10; i++) {
    CU_ASSERT_EQUAL(ee_schedule_at(&schedule, i / 2.0, 5.0), expected[i]);
    CU_ASSERT_EQUAL(ee_schedule_at(&none, i / 2.0, 5.0), 5.0);
  }
}

static void a_schedule_changes_next_at_the_first_time_that_is_later(void) {
  ee_change   change[] = {{1.0, 10.0}, {2.0, 20.0}, {4.0, 40.0}};
  ee_schedule schedule = {3, change}, none = {0, NULL};
  double      expected[] = {1, 1, 2, 2, 4, 4, 4, 4, INFINITY};  // at 0, 1/2, 1, ...
  for (int i = 0; i < 9; i++) {
    CU_ASSERT_EQUAL(ee_schedule_next(&schedule, i / 2.0), expected[i]);
    CU_ASSERT_EQUAL(ee_schedule_next(&none, i / 2.0), INFINITY);
  }
}

static void speed_is_own_or_relative_times_the_factor_of_the_time(void) {
  ee_fleet *fleet = NULL;
  CU_ASSERT_EQUAL_FATAL(ee_fleet_create(2, &fleet), EE_OK);
  fleet->device[0].flops    = 40e6;
  fleet->device[1].relative = 0.25;
  fleet->device[1].speed    = (ee_schedule){1, malloc(sizeof(ee_change))};
  CU_ASSERT_PTR_NOT_NULL_FATAL(fleet->device[1].speed.change);
  fleet->device[1].speed.change[0] = (ee_change){10.0, 0.5};

  CU_ASSERT_EQUAL(ee_fleet_speed(fleet, 0, 20.0, 8e9), 40e6);
  CU_ASSERT_EQUAL(ee_fleet_speed(fleet, 1, 9.9, 8e9), 2e9);
  CU_ASSERT_EQUAL(ee_fleet_speed(fleet, 1, 10.0, 8e9), 1e9);
  ee_fleet_destroy(&fleet);
}

/* A schedule of up to 8 changes at times that may coincide with another's, values from @p of. */
static ee_schedule random_schedule(ee_rng *rng, const double *of, int n_of) {
  ee_schedule s = {(int)ee_rng_below(rng, 9), calloc(8, sizeof(ee_change))};
  double      t = 0.0;
  if (s.change == NULL) abort();
  for (int i = 0; i < s.n; i++) {
    t += (double)(ee_rng_below(rng, 3) + (i > 0));
    s.change[i] = (ee_change){t, of[ee_rng_below(rng, (uint64_t)n_of)]};
  }
  return s;
}

/* At each time: gone is away or collapsed, and the speed is the last one that was none. */
static void a_collapsed_device_is_away_and_keeps_its_speed(void) {
  const double factor[] = {1.0, 0.5, 2e-3, EE_COLLAPSED, 9e-4, 1e-9}, away[] = {0.0, 1.0};
  ee_rng       rng  = ee_rng_at(3, 1);
  int          gone = 0, here = 0;
  for (int k = 0; k < 500; k++) {
    ee_fleet *fleet = NULL;
    bool      was_away[30];
    double    was_factor[30], useful = 1.0;
    CU_ASSERT_EQUAL_FATAL(ee_fleet_create(1, &fleet), EE_OK);
    ee_device_spec *device = fleet->device;
    device->flops          = 8.0;
    device->speed          = random_schedule(&rng, factor, 6);
    device->away           = random_schedule(&rng, away, 2);
    for (int t = 0; t < 30; t++) {
      was_away[t]   = ee_fleet_away(fleet, 0, t);
      was_factor[t] = ee_fleet_speed(fleet, 0, t, 1.0) / 8.0;
    }
    CU_ASSERT_EQUAL(ee_fleet_leave_collapsed(fleet), EE_OK);
    for (int t = 0; t < 30; t++) {
      bool collapsed = was_factor[t] < 1e-3;
      if (!collapsed) useful = was_factor[t];
      CU_ASSERT_EQUAL(ee_fleet_away(fleet, 0, t), was_away[t] || collapsed);
      CU_ASSERT_EQUAL(ee_fleet_speed(fleet, 0, t, 1.0), 8.0 * useful);
      gone += collapsed && !was_away[t];
      here += !collapsed && !was_away[t];
    }
    ee_fleet_destroy(&fleet);
  }
  CU_ASSERT_TRUE(gone > 500 && here > 500);
}

static void a_collapse_is_told_with_its_end(void) {
  ee_change      change[] = {{1.0, 0.5}, {2.0, 1e-9}, {3.0, 1e-4}, {5.0, 1e-3}, {6.0, 1e-9}};
  ee_device_spec device   = {.speed = {5, change}};
  double         until;
  CU_ASSERT_PTR_EQUAL(ee_device_collapse(&device, &until), &change[1]);
  CU_ASSERT_EQUAL(until, 5.0);
  device.speed.n = 3;
  CU_ASSERT_PTR_EQUAL(ee_device_collapse(&device, &until), &change[1]);
  CU_ASSERT_TRUE(isinf(until));
  device.speed.n = 1;
  CU_ASSERT_PTR_NULL(ee_device_collapse(&device, &until));
}

static void links_go_from_row_to_column(void) {
  ee_fleet *fleet = NULL;
  CU_ASSERT_EQUAL_FATAL(ee_fleet_create(3, &fleet), EE_OK);
  for (int i = 0; i < 9; i++) fleet->link[i].latency = i;
  CU_ASSERT_EQUAL(ee_fleet_link(fleet, 0, 2)->latency, 2.0);
  CU_ASSERT_EQUAL(ee_fleet_link(fleet, 2, 0)->latency, 6.0);
  ee_fleet_destroy(&fleet);
}

static void every_kind_and_verdict_has_a_name_of_its_own(void) {
  for (int i = 0; i < EE_EVENT_COUNT; i++) {
    for (int j = 0; j < i; j++) {
      CU_ASSERT_NOT_EQUAL(strcmp(ee_event_name(i), ee_event_name(j)), 0);
    }
  }
  for (int i = 0; i < EE_VERDICT_COUNT; i++) {
    for (int j = 0; j < i; j++) {
      CU_ASSERT_NOT_EQUAL(strcmp(ee_verdict_text(i), ee_verdict_text(j)), 0);
    }
  }
  CU_ASSERT_STRING_EQUAL(ee_event_name(EE_EVENT_PACE), "pace");
  CU_ASSERT_STRING_EQUAL(ee_event_name(EE_EVENT_COUNT), "unknown");
  CU_ASSERT_STRING_EQUAL(ee_verdict_text((ee_verdict)-1), "unknown");
}

static void links_are_alike_if_bandwidth_and_latency_are(void) {
  ee_fleet *fleet = NULL;
  double    bandwidth, latency;
  CU_ASSERT_EQUAL_FATAL(ee_fleet_create(3, &fleet), EE_OK);
  CU_ASSERT_TRUE(ee_fleet_links_alike(fleet, &bandwidth, &latency));
  CU_ASSERT_EQUAL(bandwidth, 0.0);
  for (int i = 0; i < 9; i++) {
    if (i % 4 != 0) fleet->link[i] = (ee_link_spec){.bandwidth = 5e6, .latency = 1e-3};
  }
  CU_ASSERT_TRUE(ee_fleet_links_alike(fleet, &bandwidth, &latency));
  CU_ASSERT_EQUAL(bandwidth, 5e6);
  CU_ASSERT_EQUAL(latency, 1e-3);
  fleet->link[7].latency = 2e-3;
  CU_ASSERT_FALSE(ee_fleet_links_alike(fleet, &bandwidth, &latency));
  fleet->link[7].latency   = 1e-3;
  fleet->link[5].bandwidth = 6e6;
  CU_ASSERT_FALSE(ee_fleet_links_alike(fleet, &bandwidth, &latency));
  ee_fleet_destroy(&fleet);
}

const ee_fact ee_facts[] = {
    EE_FACT(a_new_fleet_is_as_fast_as_this_host_on_unlimited_links),
    EE_FACT(a_fleet_needs_a_device),
    EE_FACT(a_schedule_holds_its_last_change),
    EE_FACT(a_schedule_changes_next_at_the_first_time_that_is_later),
    EE_FACT(speed_is_own_or_relative_times_the_factor_of_the_time),
    EE_FACT(a_collapsed_device_is_away_and_keeps_its_speed),
    EE_FACT(a_collapse_is_told_with_its_end),
    EE_FACT(links_go_from_row_to_column),
    EE_FACT(every_kind_and_verdict_has_a_name_of_its_own),
    EE_FACT(links_are_alike_if_bandwidth_and_latency_are),
    {NULL, NULL},
};
