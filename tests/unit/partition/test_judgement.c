/* SPDX-License-Identifier: Apache-2.0 */
/* Judgements against every plan there is with or without a device, and by formula. */
#include "ee/judgement.h"

#include <math.h>

#include "ee_test.h"
#include "every_plan.h"

#define CHAINS 1000

static void keep_least(void *context, const seen_plan *plan) {
  double *least = context;
  if (plan->period < least[0]) least[0] = plan->period;
  if (plan->n_stages > 1) return;
  if (plan->period < least[1]) least[1] = plan->period;
  if (plan->latency < least[2]) least[2] = plan->latency;
}

/* Least period of all plans; of those on one device, least period and latency. */
static void least_of_all(const ee_chain *c, double least[3]) {
  for (int k = 0; k < 3; k++) least[k] = INFINITY;
  every_plan(c, (plan_visitor){keep_least, least, false});
}

static void one_device_alone_is_the_best_plan_of_one_stage(void) {
  for (uint64_t k = 0; k < CHAINS; k++) {
    random_chain r;
    for (int by_latency = 0; by_latency < 2; by_latency++) {
      const ee_planner *planner = ee_planner_by_name(by_latency ? "latency" : "exact");
      ee_plan          *plan    = NULL;
      ee_judgement     *v       = NULL;
      double            least[3];
      random_chain_draw(k, true, &r);
      if (planner->find(&r.chain, &plan) != EE_OK) continue;
      CU_ASSERT_EQUAL_FATAL(ee_partition_judge(&r.chain, planner, 0.0, plan, &v), EE_OK);
      least_of_all(&r.chain, least);
      CU_ASSERT_EQUAL(v->alone >= 0, isfinite(least[1]));
      CU_ASSERT_EQUAL(by_latency ? v->alone_latency : v->alone_period, least[1 + by_latency]);
      CU_ASSERT_TRUE(v->alone < 0 || r.speed[v->alone] > 0.0);
      ee_judgement_destroy(&v);
      ee_plan_destroy(&plan);
    }
  }
}

/* The chain with the devices in use and device d, or with all devices but d. */
static random_chain chosen(const random_chain *r, const ee_judgement *v, int d, bool with) {
  random_chain c = *r;
  for (int other = 0; other < c.chain.n_devices; other++) {
    bool here = with ? other == d || v->device[other].stage >= 0 : other != d;
    if (!here) c.speed[other] = 0.0;
  }
  return c;
}

/* Least period of all plans of a copy of `of`, whose arrays are the copy's. */
static double shortest_of(random_chain *copy, const random_chain *of) {
  double    least[3];
  ee_chain *c = &copy->chain;
  c->work = copy->work, c->reach = copy->reach, c->head_work = copy->head_work;
  c->attach = copy->attach, c->cut_bytes = copy->cut_bytes, c->speed = copy->speed;
  if (of->chain.memory != NULL) c->memory = copy->memory, c->weight_bytes = copy->weight_bytes;
  if (of->chain.bandwidth != NULL) c->bandwidth = copy->bandwidth, c->latency = copy->latency;
  least_of_all(c, least);
  return least[0];
}

/* Why a device is idle, from all plans with its links or its memory as they are and unlimited. */
static ee_idle reason(const random_chain *r, const ee_judgement *v, int d) {
  double       now   = v->forecast.period * (1 - EE_JUDGEMENT_MARGIN);
  int          n     = r->chain.n_devices;
  random_chain as_is = chosen(r, v, d, true), linked = as_is, roomy = as_is;
  for (int other = 0; other < n; other++) {
    linked.bandwidth[d * n + other] = linked.bandwidth[other * n + d] = 0.0;
    linked.latency[d * n + other] = linked.latency[other * n + d] = 0.0;
  }
  roomy.memory[d] = 0.0;
  if (r->speed[d] <= 0.0) return EE_IDLE_AWAY;
  if (shortest_of(&as_is, r) < now) return EE_IDLE_PLANNER;
  if (shortest_of(&linked, r) < now) return EE_IDLE_LINK;
  return shortest_of(&roomy, r) < now ? EE_IDLE_MEMORY : EE_IDLE_SPARE;
}

static void without_or_with_a_device_there_is_the_best_plan_of_the_others(void) {
  int reasons[EE_IDLE_SPARE + 1] = {0};
  for (uint64_t k = 0; k < CHAINS; k++) {
    random_chain  r;
    ee_plan      *plan = NULL;
    ee_judgement *v    = NULL;
    random_chain_draw(k, true, &r);
    const ee_planner *planner = ee_planner_by_name("exact");
    if (planner->find(&r.chain, &plan) != EE_OK) continue;
    CU_ASSERT_EQUAL_FATAL(ee_partition_judge(&r.chain, planner, 0.0, plan, &v), EE_OK);
    CU_ASSERT_EQUAL_FATAL(v->n_devices, r.chain.n_devices);
    for (int d = 0; d < v->n_devices; d++) {
      const ee_device_worth *one = &v->device[d];
      CU_ASSERT_EQUAL(one->stage, ee_plan_stage_of_device(plan, d));
      CU_ASSERT_EQUAL(one->idle, one->stage >= 0 ? EE_IDLE_NOT : reason(&r, v, d));
      reasons[one->idle]++;
      if (one->idle == EE_IDLE_AWAY) continue;
      random_chain other = chosen(&r, v, d, one->stage < 0);
      CU_ASSERT_EQUAL(one->other_period, shortest_of(&other, &r));
      CU_ASSERT_FALSE(ee_judgement_is_better(v, false, one->other_period, 0.0));
    }
    ee_judgement_destroy(&v);
    ee_plan_destroy(&plan);
  }
  for (int i = 0; i <= EE_IDLE_SPARE; i++) CU_ASSERT_EQUAL(reasons[i] > 0, i != EE_IDLE_PLANNER);
}

static void stages_take_the_time_and_memory_of_the_formulas(void) {
  int named = 0;
  for (uint64_t k = 0; k < CHAINS; k++) {
    random_chain  r;
    ee_plan      *plan    = NULL;
    ee_judgement *v       = NULL;
    double        heads   = 0.0, share;
    int           largest = -1;
    random_chain_draw(k, true, &r);
    const ee_planner *planner = ee_planner_by_name("uniform");
    if (planner->find(&r.chain, &plan) != EE_OK) continue;
    for (int e = 0; e < r.chain.n_exits; e++) r.head_work[e] *= 8.0;
    CU_ASSERT_EQUAL_FATAL(ee_partition_judge(&r.chain, planner, 0.0, plan, &v), EE_OK);
    for (int s = 0; s < plan->n_stages; s++) {
      const ee_stage        *stage = &plan->stage[s];
      const ee_device_worth *one   = &v->device[stage->device];
      int                    in = r.chain.slots, out = in > 1 ? in + 1 : in;
      double                 bytes = r.chain.message_samples *
                     (in * r.cut_bytes[stage->begin] + out * r.cut_bytes[stage->end]);
      bytes += held_by_formula(&r.chain, stage->begin, stage->end);
      CU_ASSERT_EQUAL(one->bytes, bytes);
      CU_ASSERT_EQUAL(one->seconds,
                      stage_by_formula(&r.chain, stage->device, stage->begin, stage->end));
    }
    for (int e = 0; e < r.chain.n_exits && !v->forecast.link && v->forecast.period > 0.0; e++) {
      const ee_stage *stage = &plan->stage[v->forecast.stage];
      int             at    = r.attach[e];
      if (at < stage->begin || at >= stage->end) continue;
      double seconds = r.reach[at] * r.head_work[e] / r.speed[stage->device];
      heads += seconds;
      if (seconds > v->forecast.period / 2) largest = e;
    }
    CU_ASSERT_EQUAL(ee_partition_head(&r.chain, plan, &v->forecast, &share), largest);
    CU_ASSERT_DOUBLE_EQUAL(share, heads > 0.0 ? heads / v->forecast.period : 0.0, 1e-12);
    named += largest >= 0;
    ee_judgement_destroy(&v);
    ee_plan_destroy(&plan);
  }
  CU_ASSERT_TRUE(named > CHAINS / 20);
}

/* Spread evenly, half of the layers are on a device that is ten times slower. */
static void a_device_that_makes_it_worse_is_told_by_the_plan_without_it(void) {
  double            work[4] = {1, 1, 1, 1}, reach[4] = {1, 1, 1, 1}, cut[5] = {1, 1, 1, 1, 1};
  double            speed[3] = {10, 1, 10}, bandwidth[9] = {0, 100, 100, 100, 0, 100, 100, 100, 0};
  ee_stage          stage[2] = {{0, 2, 0}, {2, 4, 1}};
  ee_plan           plan     = {.n_layers = 4, .n_devices = 3, .n_stages = 2, .stage = stage};
  ee_judgement     *v        = NULL;
  ee_chain          chain    = {.n_layers        = 4,
                                .n_devices       = 3,
                                .work            = work,
                                .reach           = reach,
                                .cut_bytes       = cut,
                                .speed           = speed,
                                .bandwidth       = bandwidth,
                                .message_samples = 1,
                                .source          = 0};
  const ee_planner *uniform  = ee_planner_by_name("uniform");
  CU_ASSERT_EQUAL_FATAL(ee_partition_judge(&chain, uniform, 0.0, &plan, &v), EE_OK);
  CU_ASSERT_EQUAL(v->forecast.period, 2.0);
  CU_ASSERT_EQUAL(v->alone, 0);
  CU_ASSERT_DOUBLE_EQUAL(v->alone_period, 0.4, 1e-15);
  CU_ASSERT_TRUE(ee_judgement_is_better(v, false, v->device[1].other_period, INFINITY));
  CU_ASSERT_EQUAL(v->device[0].other_period, 2.0);
  CU_ASSERT_FALSE(ee_judgement_is_better(v, false, v->device[0].other_period, INFINITY));
  CU_ASSERT_EQUAL(v->device[2].idle, EE_IDLE_PLANNER);
  ee_judgement_destroy(&v);
  CU_ASSERT_PTR_NULL(v);
}

/* The fast device has room for one layer only, and a slow one alone takes longer than the limit. */
static void plans_within_a_period_are_compared_with_others_within_it(void) {
  double   work[4] = {1, 1, 1, 1}, reach[4] = {1, 1, 1, 1}, cut[5] = {0}, weight[4] = {1, 1, 1, 1};
  double   speed[3] = {1, 1, 8}, memory[3] = {4, 4, 1}, latency[9] = {0, 1, 1, 1, 0, 1, 1, 1, 0};
  ee_plan *plan       = NULL;
  ee_judgement *v     = NULL;
  ee_chain      chain = {.n_layers        = 4,
                         .n_devices       = 3,
                         .work            = work,
                         .reach           = reach,
                         .cut_bytes       = cut,
                         .weight_bytes    = weight,
                         .speed           = speed,
                         .memory          = memory,
                         .latency         = latency,
                         .message_samples = 1,
                         .source          = 0};
  CU_ASSERT_EQUAL_FATAL(ee_partition_latency_within(&chain, 3.0, &plan), EE_OK);
  CU_ASSERT_EQUAL(plan->n_stages, 2);
  CU_ASSERT_EQUAL(plan->stage[1].device, 2);
  CU_ASSERT_EQUAL_FATAL(ee_partition_judge(&chain, ee_planner_by_name("latency"), 3.0, plan, &v),
                        EE_OK);
  CU_ASSERT_EQUAL(v->device[0].other_period, 3.0);      // three layers on the second instead
  CU_ASSERT_EQUAL(v->device[0].other_latency, 5.125);   // and cut 0 on a link
  CU_ASSERT_EQUAL(v->device[2].other_period, 2.0);      // two layers each on the first two
  CU_ASSERT_EQUAL(v->device[1].idle, EE_IDLE_PLANNER);  // it would halve the period
  ee_judgement_destroy(&v);
  ee_plan_destroy(&plan);
}

/* Devices as fast as each other, of which one plan leaves all but the first idle. */
static ee_idle reason_of_the_last(int devices, const char *planner, double last_memory) {
  static double work[2] = {1, 1}, reach[2] = {1, 1}, cut[3] = {0}, weights[2] = {1, 1};
  double        speed[EE_JUDGEMENT_MOST + 1], memory[EE_JUDGEMENT_MOST + 1] = {0};
  ee_stage      stage = {0, 2, 0};
  ee_plan       plan  = {.n_layers = 2, .n_devices = devices, .n_stages = 1, .stage = &stage};
  ee_judgement *v     = NULL;
  ee_chain      chain = {.n_layers        = 2,
                         .n_devices       = devices,
                         .work            = work,
                         .reach           = reach,
                         .cut_bytes       = cut,
                         .weight_bytes    = weights,
                         .speed           = speed,
                         .memory          = memory,
                         .message_samples = 1,
                         .source          = -1};
  for (int d = 0; d < devices; d++) speed[d] = 1.0;
  memory[devices - 1] = last_memory;
  CU_ASSERT_EQUAL_FATAL(ee_partition_judge(&chain, ee_planner_by_name(planner), 0.0, &plan, &v),
                        EE_OK);
  ee_idle idle = v->device[devices - 1].idle;
  ee_judgement_destroy(&v);
  return idle;
}

static void beyond_the_most_devices_nothing_is_said_of_idle_ones(void) {
  CU_ASSERT_EQUAL(reason_of_the_last(EE_JUDGEMENT_MOST, "exact", 0.0), EE_IDLE_PLANNER);
  CU_ASSERT_EQUAL(reason_of_the_last(EE_JUDGEMENT_MOST + 1, "exact", 0.0), EE_IDLE_UNTRIED);
}

static void a_device_that_the_planner_must_use_and_that_has_no_room_has_no_plan(void) {
  CU_ASSERT_EQUAL(reason_of_the_last(2, "uniform", 0.0), EE_IDLE_PLANNER);
  CU_ASSERT_EQUAL(reason_of_the_last(2, "uniform", 0.5), EE_IDLE_UNPLANNED);
}

const ee_fact ee_facts[] = {
    EE_FACT(one_device_alone_is_the_best_plan_of_one_stage),
    EE_FACT(without_or_with_a_device_there_is_the_best_plan_of_the_others),
    EE_FACT(stages_take_the_time_and_memory_of_the_formulas),
    EE_FACT(a_device_that_makes_it_worse_is_told_by_the_plan_without_it),
    EE_FACT(plans_within_a_period_are_compared_with_others_within_it),
    EE_FACT(beyond_the_most_devices_nothing_is_said_of_idle_ones),
    EE_FACT(a_device_that_the_planner_must_use_and_that_has_no_room_has_no_plan),
    {NULL, NULL},
};
