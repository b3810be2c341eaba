/* SPDX-License-Identifier: Apache-2.0 */
/* The paced clock against closed forms and a queue worked through in doubles. */
#include "pacer.h"

#include <math.h>
#include <stdlib.h>

#include "ee/rng.h"
#include "ee_test.h"

/* Three devices; this is number 1. */
static ee_fleet *make_fleet(void) {
  ee_fleet *fleet = NULL;
  if (ee_fleet_create(3, &fleet) != EE_OK) abort();
  fleet->device[1].flops           = 2e6;
  fleet->device[1].relative        = 0.0;
  fleet->device[1].speed.n         = 1;
  fleet->device[1].speed.change    = malloc(sizeof(ee_change));
  fleet->device[1].speed.change[0] = (ee_change){.at = 5.0, .value = 0.25};
  fleet->link[0 * 3 + 1]           = (ee_link_spec){.bandwidth = 1000.0, .latency = 0.5};
  fleet->link[2 * 3 + 1]           = (ee_link_spec){.latency = 0.125};
  return fleet;
}

static ee_pacer open_pacer(const ee_fleet *fleet) {
  ee_pacer pacer;
  if (ee_pacer_open(fleet, 1e9, 1, &pacer) != EE_OK) abort();
  return pacer;
}

static void nothing_is_held_back_on_the_real_clock(void) {
  int64_t  occupied = 7;
  ee_pacer pacer    = open_pacer(NULL);
  CU_ASSERT_EQUAL(ee_pacer_compute(&pacer, 1e12, 0), 0);
  CU_ASSERT_EQUAL(ee_pacer_arrival(&pacer, 0, 100, 1000000, &occupied), 0);
  CU_ASSERT_EQUAL(occupied, 0);
  ee_pacer_close(&pacer);
}

static void computing_takes_work_over_the_speed_of_its_beginning(void) {
  ee_fleet *fleet = make_fleet();
  ee_pacer  pacer = open_pacer(fleet);
  CU_ASSERT_EQUAL(ee_pacer_compute(&pacer, 1e6, 0), 500000000);
  CU_ASSERT_EQUAL(ee_pacer_compute(&pacer, 1e6, 4999999999), 500000000);
  CU_ASSERT_EQUAL(ee_pacer_compute(&pacer, 1e6, 5000000000), 2000000000);
  CU_ASSERT_EQUAL(ee_pacer_compute(&pacer, 0.0, 0), 0);
  ee_pacer_close(&pacer);
  ee_fleet_destroy(&fleet);
}

static void relative_speeds_are_times_the_hosts(void) {
  ee_fleet *fleet           = make_fleet();
  fleet->device[1].flops    = 0.0;
  fleet->device[1].relative = 0.5;
  ee_pacer pacer            = open_pacer(fleet);
  CU_ASSERT_EQUAL(ee_pacer_compute(&pacer, 1e9, 0), 2000000000);
  ee_pacer_close(&pacer);
  ee_fleet_destroy(&fleet);
}

static void latency_delays_a_message_and_does_not_occupy_the_link(void) {
  ee_fleet *fleet = make_fleet();
  ee_pacer  pacer = open_pacer(fleet);
  int64_t   occupied;
  // 100 byte at 1000 byte/s: 0.1 s each, one after the other, each half a second later.
  for (int i = 0; i < 4; i++) {
    int64_t due = ee_pacer_arrival(&pacer, 0, 1000, 100, &occupied);
    CU_ASSERT_EQUAL(occupied, 100000000);
    CU_ASSERT_EQUAL(due, 1000 + (i + 1) * 100000000 + 500000000);
  }
  ee_pacer_close(&pacer);
  ee_fleet_destroy(&fleet);
}

/* 1000 byte/s for a second, then 500, and again. */
static void a_recorded_link_carries_messages_at_the_bandwidths_that_follow(void) {
  double           at[] = {0.0, 1.0, 2.0}, bits[] = {0.0, 8000.0, 12000.0};
  ee_network_trace trace = {.n = 2, .at = at, .bits = bits};
  ee_fleet        *fleet = make_fleet();
  fleet->link[1].trace   = &trace;  // from 0 to 1, where the pacer is; borrowed here
  ee_pacer pacer         = open_pacer(fleet);
  int64_t  occupied, late = (int64_t)(fleet->link[1].latency * 1e9);
  CU_ASSERT_EQUAL(ee_pacer_arrival(&pacer, 0, 0, 1250, &occupied), 1500000000 + late);
  CU_ASSERT_EQUAL(occupied, 1500000000);
  CU_ASSERT_EQUAL(ee_pacer_arrival(&pacer, 0, 0, 750, NULL), 2500000000 + late);
  ee_pacer_close(&pacer);
  ee_fleet_destroy(&fleet);
}

static void links_are_independent_and_unlimited_ones_only_late(void) {
  ee_fleet *fleet = make_fleet();
  ee_pacer  pacer = open_pacer(fleet);
  CU_ASSERT_EQUAL(ee_pacer_arrival(&pacer, 0, 0, 5000, NULL), 5500000000);
  CU_ASSERT_EQUAL(ee_pacer_arrival(&pacer, 2, 10, 5000, NULL), 125000010);
  CU_ASSERT_EQUAL(ee_pacer_arrival(&pacer, 2, 10, 5000, NULL), 125000010);
  CU_ASSERT_EQUAL(ee_pacer_arrival(&pacer, 1, 10, 5000, NULL), 0);  // from itself
  ee_pacer_close(&pacer);
  ee_fleet_destroy(&fleet);
}

static void a_random_row_of_messages_leaves_as_a_queue_does(void) {
  ee_fleet *fleet = make_fleet();
  ee_pacer  pacer = open_pacer(fleet);
  ee_rng    rng   = ee_rng_at(1, 2);
  double    sent = 0.0, free_at = 0.0;
  for (int i = 0; i < 200; i++) {
    size_t bytes = 1 + ee_rng_below(&rng, 300);
    sent += ee_rng_uniform(&rng) * 0.25;
    free_at    = fmax(free_at, sent) + (double)bytes / 1000.0;
    double due = (double)ee_pacer_arrival(&pacer, 0, (int64_t)(sent * 1e9), bytes, NULL) * 1e-9;
    CU_ASSERT_DOUBLE_EQUAL(due, free_at + 0.5, 1e-6);
  }
  ee_pacer_close(&pacer);
  ee_fleet_destroy(&fleet);
}

static void a_bandwidth_that_changes_is_that_of_the_beginning(void) {
  ee_fleet     *fleet               = make_fleet();
  ee_link_spec *link                = &fleet->link[0 * 3 + 1];
  link->bandwidth_changes.n         = 1;
  link->bandwidth_changes.change    = malloc(sizeof(ee_change));
  link->bandwidth_changes.change[0] = (ee_change){.at = 2.0, .value = 100.0};
  ee_pacer pacer                    = open_pacer(fleet);
  CU_ASSERT_EQUAL(ee_pacer_arrival(&pacer, 0, 1900000000, 200, NULL), 2600000000);
  CU_ASSERT_EQUAL(ee_pacer_arrival(&pacer, 0, 1900000000, 200, NULL), 4600000000);
  ee_pacer_close(&pacer);
  ee_fleet_destroy(&fleet);
}

static void absurd_amounts_are_long_and_not_undefined(void) {
  ee_fleet *fleet                  = make_fleet();
  fleet->device[1].flops           = 1e-300;
  fleet->link[0 * 3 + 1].bandwidth = 1e-300;
  ee_pacer pacer                   = open_pacer(fleet);
  CU_ASSERT_EQUAL(ee_pacer_compute(&pacer, 1e9, 0), EE_PACER_LONGEST);
  fleet->device[1].flops = fleet->device[1].relative = 0.0;
  CU_ASSERT_EQUAL(ee_pacer_compute(&pacer, 1e9, 0), EE_PACER_LONGEST);
  int64_t last = 0;
  for (int i = 0; i < 100; i++) {
    int64_t due = ee_pacer_arrival(&pacer, 0, 0, 1000000, NULL);
    CU_ASSERT_TRUE(due >= last && due >= EE_PACER_LONGEST);
    last = due;
  }
  ee_pacer_close(&pacer);
  ee_fleet_destroy(&fleet);
}

const ee_fact ee_facts[] = {
    EE_FACT(nothing_is_held_back_on_the_real_clock),
    EE_FACT(computing_takes_work_over_the_speed_of_its_beginning),
    EE_FACT(relative_speeds_are_times_the_hosts),
    EE_FACT(latency_delays_a_message_and_does_not_occupy_the_link),
    EE_FACT(a_recorded_link_carries_messages_at_the_bandwidths_that_follow),
    EE_FACT(links_are_independent_and_unlimited_ones_only_late),
    EE_FACT(a_random_row_of_messages_leaves_as_a_queue_does),
    EE_FACT(a_bandwidth_that_changes_is_that_of_the_beginning),
    EE_FACT(absurd_amounts_are_long_and_not_undefined),
    {NULL, NULL},
};
