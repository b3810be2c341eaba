/* SPDX-License-Identifier: Apache-2.0 */
/* How many bits values get on links, against every plan and every set of cuts. */
#include "ee/link_choice.h"

#include <math.h>

#include "ee/controller.h"
#include "ee/rng.h"
#include "ee_test.h"
#include "lab.h"

/* Every value of the lab has two channels of 25 numbers; in front of the last layer they are one
 * group. */
static double bytes_of(ee_link_values kind, int cut) {
  const double bytes[] = {200.0, 100.0, cut == LAB_LAYERS - 1 ? 4 + 52 : 2 * 4 + 52};
  return bytes[kind];
}

/* The lab with devices of 1, 2 and 4 MFLOP/s, and links into the last that are wider. */
static void open_lab(lab *t, double bandwidth) {
  lab_open(t, true);
  for (int d = 0; d < LAB_DEVICES; d++) t->fleet->device[d].flops = (double)(1 << d) * 1e6;
  for (int i = 0; i < LAB_DEVICES * LAB_DEVICES; i++) {
    t->fleet->link[i].bandwidth = bandwidth * (i % LAB_DEVICES == 2 ? 2.5 : 1.0);
  }
}

static double bandwidth_of(const lab *t, int from, int to) {
  return t->fleet->link[from * LAB_DEVICES + to].bandwidth;
}

/* Period of a plan if values at cut c have kind[c]; every sample goes to the end. */
static double period_of(const lab *t, const ee_plan *plan, const ee_link_values *kind) {
  double period = 0.0;
  for (int s = 0; s < plan->n_stages; s++) {
    const ee_stage *stage = &plan->stage[s];
    double          work  = 0.0;
    int             from  = s > 0 ? plan->stage[s - 1].device : 0;
    for (int l = stage->begin; l < stage->end; l++) {
      work += ee_layer_work(&t->setup, l);
      for (int x = 0; x < LAB_EXITS; x++) {
        if (t->model->exit[x].attach == l) work += ee_head_work(&t->setup, x);
      }
    }
    period = fmax(period, work / t->fleet->device[stage->device].flops);
    if (from != stage->device) {
      double bytes = bytes_of(s > 0 ? kind[stage->begin] : EE_LINK_F32, stage->begin);
      period       = fmax(period, bytes / bandwidth_of(t, from, stage->device));
    }
  }
  return period;
}

/* The shortest period of all plans in index order. */
static double least_period(const lab *t, const ee_link_values *kind) {
  double least = INFINITY;
  for (int used = 1; used < 1 << LAB_DEVICES; used++) {
    for (int cuts = 0; cuts < 1 << (LAB_LAYERS - 1); cuts++) {
      int end[LAB_LAYERS], device[LAB_DEVICES], n = 0, m = 0;
      for (int c = 1; c < LAB_LAYERS; c++) {
        if (cuts >> (c - 1) & 1) end[n++] = c;
      }
      end[n++] = LAB_LAYERS;
      for (int d = 0; d < LAB_DEVICES; d++) {
        if (used >> d & 1) device[m++] = d;
      }
      if (n != m) continue;
      ee_plan *plan = lab_plan(n, end, device);
      least         = fmin(least, period_of(t, plan, kind));
      ee_plan_destroy(&plan);
    }
  }
  return least;
}

static double least_of_one_kind(const lab *t, ee_link_values kind) {
  ee_link_values all[LAB_LAYERS + 1];
  for (int c = 0; c <= LAB_LAYERS; c++) all[c] = kind;
  return least_period(t, all);
}

/* The same over all sets of cuts of 8 bits whose losses stay within a limit. */
static double least_within(const lab *t, const double *loss, double limit) {
  double least = INFINITY;
  for (int set = 0; set < 1 << (LAB_LAYERS - 1); set++) {
    ee_link_values kind[LAB_LAYERS + 1];
    double         sum = 0.0;
    for (int c = 0; c <= LAB_LAYERS; c++) {
      bool in = c > 0 && c < LAB_LAYERS && (set >> (c - 1) & 1);
      kind[c] = in ? EE_LINK_I8 : EE_LINK_F16;
      if (in) sum += isnan(loss[c]) ? INFINITY : fmax(loss[c], 0.0);
    }
    if (sum <= limit) least = fmin(least, least_period(t, kind));
  }
  return least;
}

/* What the exact planner makes of a choice: as good as was promised, with no byte too few. */
static void check_plan(const lab *t, const ee_link_choice *choice, const double *loss,
                       double limit) {
  ee_run_setup setup = t->setup;
  ee_plan     *plan  = NULL;
  setup.link_values  = choice->values;
  setup.int8_at      = choice->int8_at;
  CU_ASSERT_EQUAL_FATAL(
      ee_first_plan(&setup, LAB_DEVICES, ee_planner_by_name("exact"), NULL, &plan, NULL), EE_OK);
  ee_link_values kind[LAB_LAYERS + 1];
  int            bytes = 0, links = 0;
  for (int c = 0; c <= LAB_LAYERS; c++) kind[c] = ee_run_link_values(&setup, c);
  double period = period_of(t, plan, kind);
  for (int c = 0; c <= LAB_LAYERS; c++) bytes += kind[c] == EE_LINK_I8;
  for (int s = 1; s < plan->n_stages; s++) {
    if (kind[plan->stage[s].begin] != EE_LINK_I8) continue;
    links++;
    CU_ASSERT_TRUE(bytes_of(EE_LINK_F16, 3) /
                       bandwidth_of(t, plan->stage[s - 1].device, plan->stage[s].device) >
                   period);
  }
  CU_ASSERT_EQUAL(links, bytes);
  CU_ASSERT_TRUE(ee_link_plan_loss(&setup, plan, loss) <= limit);
  ee_link_values used = bytes > 0 ? EE_LINK_I8 : choice->values;
  CU_ASSERT_DOUBLE_EQUAL(period, choice->period[used], 1e-9 * period);
  ee_plan_destroy(&plan);
}

static bool is_worth(double period, double before) {
  return period < (1.0 - EE_LINK_GAIN) * before;
}

/* Bandwidths from where links do not matter to where nobody shares. */
static void choices_are_those_of_all_plans_where_every_cut_may_have_bytes(void) {
  const double none[LAB_LAYERS + 1] = {0};
  ee_link_wish wish     = {.planner = ee_planner_by_name("exact"), .loss = none, .max_loss = 0.0};
  int          times[3] = {0};
  for (int i = 0; i < 60; i++) {
    lab            t;
    ee_link_choice choice;
    open_lab(&t, 1e3 * pow(10.0, (double)i / 15.0));
    CU_ASSERT_EQUAL_FATAL(ee_link_values_choose(&t.setup, LAB_DEVICES, &wish, &choice), EE_OK);
    double least[3];
    for (int kind = EE_LINK_F32; kind <= EE_LINK_I8; kind++) {
      least[kind] = least_of_one_kind(&t, (ee_link_values)kind);
      CU_ASSERT_DOUBLE_EQUAL(choice.period[kind], least[kind], 1e-9 * least[kind]);
    }
    bool bytes = is_worth(least[EE_LINK_I8], fmin(least[EE_LINK_F32], least[EE_LINK_F16]));
    bool half  = is_worth(least[EE_LINK_F16], least[EE_LINK_F32]);
    CU_ASSERT_EQUAL(choice.int8_at != NULL, bytes);
    CU_ASSERT_EQUAL(choice.values, half || bytes ? EE_LINK_F16 : EE_LINK_F32);
    check_plan(&t, &choice, none, 0.0);
    times[bytes ? EE_LINK_I8 : choice.values]++;
    free(choice.int8_at);
    lab_close(&t);
  }
  CU_ASSERT_TRUE(times[0] > 3 && times[1] > 3 && times[2] > 3);
}

/* Losses drawn, some not measured and some gains; the limit sometimes binds. */
static void losses_stay_within_the_limit_and_periods_above_the_best_that_can_be(void) {
  ee_rng rng   = ee_rng_at(9, 1);
  int    bytes = 0, best = 0;
  for (int i = 0; i < 120; i++) {
    lab            t;
    ee_link_choice choice;
    double         loss[LAB_LAYERS + 1], limit = 0.03 * ee_rng_uniform(&rng);
    for (int c = 0; c <= LAB_LAYERS; c++) {
      loss[c] = ee_rng_below(&rng, 5) == 0 ? NAN : 0.03 * ee_rng_uniform(&rng) - 0.005;
    }
    open_lab(&t, 1e4 * pow(10.0, 1.5 * ee_rng_uniform(&rng)));
    ee_link_wish wish = {.planner = ee_planner_by_name("exact"), .loss = loss, .max_loss = limit};
    CU_ASSERT_EQUAL_FATAL(ee_link_values_choose(&t.setup, LAB_DEVICES, &wish, &choice), EE_OK);
    double least = least_within(&t, loss, limit), halves = least_of_one_kind(&t, EE_LINK_F16);
    if (!isnan(choice.period[EE_LINK_I8])) {
      CU_ASSERT_TRUE(choice.period[EE_LINK_I8] >= least * (1.0 - 1e-9));
      CU_ASSERT_TRUE(choice.period[EE_LINK_I8] <= halves * (1.0 + 1e-9));
      best += choice.period[EE_LINK_I8] <= least * (1.0 + 1e-9);
    } else {
      CU_ASSERT_DOUBLE_EQUAL(least, halves, 1e-9 * halves);
      best++;
    }
    check_plan(&t, &choice, loss, limit);
    bytes += choice.int8_at != NULL;
    free(choice.int8_at);
    lab_close(&t);
  }
  CU_ASSERT_TRUE(bytes > 10);
  CU_ASSERT_TRUE(best > 100);
}

/* Two devices cut in front of layer 3, whose link takes 20, 10 or 6 ms a sample. */
static void a_plan_that_is_given_is_the_one_that_counts(void) {
  double         loss[LAB_LAYERS + 1];
  ee_link_choice choice;
  lab            t;
  open_lab(&t, 1e4);
  for (int c = 0; c <= LAB_LAYERS; c++) loss[c] = c == 3 ? 0.01 : NAN;
  ee_plan     *plan = LAB_PLAN(2, 3, 0, 6, 1);
  ee_link_wish wish = {
      .planner = ee_planner_by_name("exact"), .plan = plan, .loss = loss, .max_loss = 0.01};
  CU_ASSERT_EQUAL_FATAL(ee_link_values_choose(&t.setup, LAB_DEVICES, &wish, &choice), EE_OK);
  for (int kind = EE_LINK_F32; kind <= EE_LINK_I8; kind++) {
    CU_ASSERT_DOUBLE_EQUAL(choice.period[kind], bytes_of((ee_link_values)kind, 3) / 1e4, 1e-12);
  }
  CU_ASSERT_EQUAL(choice.values, EE_LINK_F16);
  CU_ASSERT_PTR_NOT_NULL_FATAL(choice.int8_at);
  for (int c = 0; c <= LAB_LAYERS; c++) CU_ASSERT_EQUAL(choice.int8_at[c], c == 3);
  free(choice.int8_at);
  wish.max_loss = 0.0099;
  CU_ASSERT_EQUAL_FATAL(ee_link_values_choose(&t.setup, LAB_DEVICES, &wish, &choice), EE_OK);
  CU_ASSERT_TRUE(isnan(choice.period[EE_LINK_I8]));
  CU_ASSERT_EQUAL(choice.values, EE_LINK_F16);
  CU_ASSERT_PTR_NULL(choice.int8_at);
  ee_plan_destroy(&plan);
  lab_close(&t);
}

static void the_loss_of_a_plan_is_that_of_its_links_of_bytes(void) {
  bool         int8_at[LAB_LAYERS + 1] = {[2] = true, [4] = true, [5] = true};
  const double loss[LAB_LAYERS + 1]    = {1.0, 1.0, 0.25, 1.0, -0.5, NAN, 1.0};
  lab          t;
  lab_open(&t, true);
  ee_plan *plan = LAB_PLAN(3, 2, 0, 4, 1, 6, 2), *other = LAB_PLAN(2, 5, 0, 6, 1);
  CU_ASSERT_EQUAL(ee_link_plan_loss(&t.setup, plan, loss), 0.0);
  CU_ASSERT_EQUAL(ee_link_plan_loss(&t.setup, plan, NULL), 0.0);
  t.setup.int8_at = int8_at;
  CU_ASSERT_EQUAL(ee_link_plan_loss(&t.setup, plan, loss), 0.25);  // a gain is no loss
  CU_ASSERT_TRUE(isnan(ee_link_plan_loss(&t.setup, other, loss)));
  CU_ASSERT_TRUE(isnan(ee_link_plan_loss(&t.setup, plan, NULL)));
  t.setup.int8_at     = NULL;
  t.setup.link_values = EE_LINK_I8;
  CU_ASSERT_EQUAL(ee_link_plan_loss(&t.setup, plan, loss), 0.25);
  ee_plan_destroy(&plan);
  ee_plan_destroy(&other);
  lab_close(&t);
}

/* Messages of floats are too long for every device, those of halves are not. */
static void bits_that_make_a_plan_fit_are_chosen(void) {
  ee_link_wish   wish = {.planner = ee_planner_by_name("deepspeed")};
  ee_link_choice choice;
  lab            t;
  open_lab(&t, 1e9);
  t.setup.slots = 100;
  for (int d = 0; d < LAB_DEVICES; d++) t.fleet->device[d].memory = 150e3;
  CU_ASSERT_EQUAL_FATAL(ee_link_values_choose(&t.setup, LAB_DEVICES, &wish, &choice), EE_OK);
  CU_ASSERT_EQUAL(choice.values, EE_LINK_F16);
  CU_ASSERT_TRUE(isinf(choice.period[EE_LINK_F32]));
  for (int d = 0; d < LAB_DEVICES; d++) t.fleet->device[d].memory = 1e3;
  CU_ASSERT_EQUAL(ee_link_values_choose(&t.setup, LAB_DEVICES, &wish, &choice), EE_ERR_ARG);
  CU_ASSERT_PTR_NULL(choice.int8_at);
  lab_close(&t);
}

const ee_fact ee_facts[] = {
    EE_FACT(choices_are_those_of_all_plans_where_every_cut_may_have_bytes),
    EE_FACT(losses_stay_within_the_limit_and_periods_above_the_best_that_can_be),
    EE_FACT(a_plan_that_is_given_is_the_one_that_counts),
    EE_FACT(the_loss_of_a_plan_is_that_of_its_links_of_bytes),
    EE_FACT(bits_that_make_a_plan_fit_are_chosen),
    {NULL, NULL},
};
