/* SPDX-License-Identifier: Apache-2.0 */
/* Bands for a run: of both ways to make units of the planner's bands the earlier one. */
#include "ee/band_choice.h"

#include <math.h>

#include "ee_test.h"
#include "lab.h"

static void open_lab(lab *t) {
  const double flops[LAB_DEVICES] = {1e6, 2e6, 1.5e6};
  lab_open(t, true);
  t->setup.backend = &ee_backend_ref;
  for (int d = 0; d < LAB_DEVICES; d++) t->fleet->device[d].flops = flops[d];
  for (int k = 0; k < LAB_DEVICES * LAB_DEVICES; k++) t->fleet->link[k].latency = 1e-6;
}

/* The lab's fleet, as units know it. */
typedef struct arrays {
  double        speed[LAB_DEVICES], bandwidth[LAB_DEVICES * LAB_DEVICES];
  double        latency[LAB_DEVICES * LAB_DEVICES];
  ee_band_fleet fleet;
} arrays;

static void fill_arrays(const lab *t, arrays *a) {
  for (int d = 0; d < LAB_DEVICES; d++) a->speed[d] = t->fleet->device[d].flops;
  for (int k = 0; k < LAB_DEVICES * LAB_DEVICES; k++) {
    a->bandwidth[k] = t->fleet->link[k].bandwidth;
    a->latency[k]   = t->fleet->link[k].latency;
  }
  a->fleet = (ee_band_fleet){.n_devices = LAB_DEVICES,
                             .speed     = a->speed,
                             .bandwidth = a->bandwidth,
                             .latency   = a->latency};
}

/* Seconds to the last exit of the plan's units, one way. */
static double seconds_of(const lab *t, const ee_band_plan *plan, bool apart, double *seconds) {
  arrays          a;
  ee_units       *units = NULL;
  int             device[LAB_LAYERS];
  double          work[64];
  ee_band_placing placing = {.device = device, .apart = apart};
  fill_arrays(t, &a);
  for (int l = 0; l < LAB_LAYERS; l++) device[l] = plan->last;
  for (int k = 0; k + 1 < plan->n_ranges; k++) {
    const int64_t *row  = plan->row + k * (LAB_DEVICES + 1);
    int            best = 0;
    for (int d = 0; d < LAB_DEVICES; d++) {
      if (row[d + 1] - row[d] > row[best + 1] - row[best]) best = d;
    }
    device[plan->cut[k + 1] - 1] = best;
  }
  CU_ASSERT_EQUAL_FATAL(ee_band_units(t->model, &ee_backend_ref, plan, &placing, &units), EE_OK);
  for (int u = 0; u < units->n; u++) work[u] = units->unit[u].flops;
  CU_ASSERT_EQUAL_FATAL(ee_units_forecast(units, work, &a.fleet, EE_BAND_AHEAD, seconds, NULL),
                        EE_OK);
  ee_units_destroy(&units);
  return seconds[LAB_EXITS - 1];
}

static void the_way_that_answers_earlier_is_taken(void) {
  int    apart   = 0;
  double rates[] = {2e5, 1e6, 5e6, 1e8};
  for (int r = 0; r < 4; r++) {
    lab            t;
    ee_band_field  field;
    ee_band_choice choice;
    double         seconds[2][LAB_EXITS];
    open_lab(&t);
    for (int k = 0; k < LAB_DEVICES * LAB_DEVICES; k++) t.fleet->link[k].bandwidth = rates[r];
    CU_ASSERT_EQUAL_FATAL(ee_band_field_find(&t.setup, &field), EE_OK);
    CU_ASSERT_EQUAL_FATAL(
        ee_band_choose(&t.setup, &field, LAB_DEVICES, &(ee_band_wish){.share = NULL}, &choice),
        EE_OK);
    double together = seconds_of(&t, choice.plan, false, seconds[0]);
    double split    = seconds_of(&t, choice.plan, true, seconds[1]);
    CU_ASSERT_DOUBLE_EQUAL(choice.latency, fmin(together, split), 1e-12);
    CU_ASSERT_EQUAL(choice.apart, split < together * (1.0 - 1e-9));
    for (int e = 0; e < LAB_EXITS; e++) {
      CU_ASSERT_DOUBLE_EQUAL(choice.seconds[e], seconds[choice.apart][e], 1e-12);
    }
    apart += choice.apart;
    ee_band_choice_free(&choice);
    ee_band_field_free(&field);
    lab_close(&t);
  }
  CU_ASSERT_TRUE(apart > 0);
}

static void early_exits_count_by_their_shares(void) {
  const double   share[] = {0.5, 0.2, 0.3};
  lab            t;
  ee_band_field  field;
  ee_band_choice all, some;
  open_lab(&t);
  CU_ASSERT_EQUAL_FATAL(ee_band_field_find(&t.setup, &field), EE_OK);
  CU_ASSERT_EQUAL_FATAL(
      ee_band_choose(&t.setup, &field, LAB_DEVICES, &(ee_band_wish){.share = NULL}, &all), EE_OK);
  CU_ASSERT_EQUAL_FATAL(
      ee_band_choose(&t.setup, &field, LAB_DEVICES, &(ee_band_wish){.share = share}, &some), EE_OK);
  double sum = 0.0;
  for (int e = 0; e < LAB_EXITS; e++) sum += share[e] * some.seconds[e];
  CU_ASSERT_DOUBLE_EQUAL(some.latency, sum, 1e-12);
  CU_ASSERT_EQUAL(all.latency, all.seconds[LAB_EXITS - 1]);
  CU_ASSERT_TRUE(some.load.period < all.load.period);
  CU_ASSERT_TRUE(some.load.bytes < all.load.bytes);
  ee_band_choice_free(&all);
  ee_band_choice_free(&some);
  ee_band_field_free(&field);
  lab_close(&t);
}

/* A device without rows and without anything else has no units in memory. */
static void heights_may_be_given(void) {
  const double   height[] = {0.4, 0.0, 0.6};
  lab            t;
  ee_band_field  field;
  ee_band_choice choice;
  open_lab(&t);
  t.fleet->device[1].flops = 1.0;
  CU_ASSERT_EQUAL_FATAL(ee_band_field_find(&t.setup, &field), EE_OK);
  CU_ASSERT_EQUAL_FATAL(
      ee_band_choose(&t.setup, &field, LAB_DEVICES, &(ee_band_wish){.height = height}, &choice),
      EE_OK);
  for (int k = 0; k < choice.plan->n_ranges; k++) {
    CU_ASSERT_EQUAL(choice.plan->row[k * (LAB_DEVICES + 1) + 1], 2);
    CU_ASSERT_EQUAL(choice.plan->row[k * (LAB_DEVICES + 1) + 2], 2);
  }
  CU_ASSERT_EQUAL(choice.units->n_lanes, 2);
  CU_ASSERT_TRUE(choice.room[0].units > 0 && choice.room[2].units > 0);
  CU_ASSERT_EQUAL(choice.room[1].units, 0);
  ee_band_choice_free(&choice);
  ee_band_field_free(&field);
  lab_close(&t);
}

static void borders_and_exchanges_are_as_asked_for(void) {
  for (int way = EE_BORDERS_TOGETHER; way <= EE_BORDERS_APART; way++) {
    lab            t;
    ee_band_field  field;
    ee_band_choice choice;
    ee_band_wish   wish = {.borders = (ee_band_borders)way, .most = 1};
    open_lab(&t);
    CU_ASSERT_EQUAL_FATAL(ee_band_field_find(&t.setup, &field), EE_OK);
    CU_ASSERT_EQUAL_FATAL(ee_band_choose(&t.setup, &field, LAB_DEVICES, &wish, &choice), EE_OK);
    CU_ASSERT_EQUAL(choice.apart, way == EE_BORDERS_APART);
    for (int k = 0; k < choice.plan->n_ranges; k++) {
      CU_ASSERT_EQUAL(choice.plan->cut[k + 1] - choice.plan->cut[k], 1);
    }
    ee_band_choice_free(&choice);
    ee_band_field_free(&field);
    lab_close(&t);
  }
}

static void a_model_without_pictures_has_no_bands(void) {
  lab           t;
  ee_band_field field;
  open_lab(&t);
  ee_model *m = maker_begin(4, SHAPE(1, 8));
  maker_exit(m, "final", maker_gemm(m, "final", m->input, 4));
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  t.setup.model = m;
  CU_ASSERT_EQUAL(ee_band_field_find(&t.setup, &field), EE_ERR_ARG);
  ee_band_field_free(&field);
  ee_model_destroy(&m);
  lab_close(&t);
}

const ee_fact ee_facts[] = {
    EE_FACT(the_way_that_answers_earlier_is_taken),
    EE_FACT(early_exits_count_by_their_shares),
    EE_FACT(heights_may_be_given),
    EE_FACT(borders_and_exchanges_are_as_asked_for),
    EE_FACT(a_model_without_pictures_has_no_bands),
    {NULL, NULL},
};
