/* SPDX-License-Identifier: Apache-2.0 */
#include "ee/fleet.h"

#include <stdlib.h>
#include <string.h>

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

const ee_fact ee_facts[] = {
    EE_FACT(a_new_fleet_is_as_fast_as_this_host_on_unlimited_links),
    EE_FACT(a_fleet_needs_a_device),
    EE_FACT(a_schedule_holds_its_last_change),
    EE_FACT(speed_is_own_or_relative_times_the_factor_of_the_time),
    EE_FACT(links_go_from_row_to_column),
    EE_FACT(every_kind_and_verdict_has_a_name_of_its_own),
    {NULL, NULL},
};
