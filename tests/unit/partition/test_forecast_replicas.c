/* SPDX-License-Identifier: Apache-2.0 */
/* Forecasts of plans whose stages have several devices, against every way that a sample can take.
 */
#include <math.h>

#include "ee_test.h"
#include "random_chain.h"

#define CHAINS 3000

/* Any valid plan in which devices left over share stages; devices may be away, links differ. */
static void random_shared_plan(uint64_t k, const ee_chain *c, ee_plan **plan) {
  ee_rng rng  = ee_rng_at(8, k);
  int    most = c->n_layers < c->n_devices ? c->n_layers : c->n_devices, n = 1 + below(&rng, most);
  int    device[MOST_DEVICES];
  CU_ASSERT_EQUAL_FATAL(ee_plan_create(c->n_layers, c->n_devices, n, plan), EE_OK);
  for (int d = 0; d < c->n_devices; d++) {  // a random permutation
    int other     = below(&rng, d + 1);
    device[d]     = device[other];
    device[other] = d;
  }
  for (int s = 0, begin = 0; s < n; s++) {
    int end = s == n - 1 ? c->n_layers : begin + 1 + below(&rng, c->n_layers - begin - (n - 1 - s));
    (*plan)->stage[s] = (ee_stage){begin, end, device[s]};
    begin             = end;
  }
  for (int d = n; d < c->n_devices; d++) {
    if (below(&rng, 4) == 0) continue;  // idle
    CU_ASSERT_EQUAL_FATAL(ee_plan_add_replica(*plan, below(&rng, n), device[d]), EE_OK);
  }
  for (int d = 0; d < c->n_devices && k % 3 != 0; d++) {
    CU_ASSERT_EQUAL(ee_plan_set_turns(*plan, d, 1 + below(&rng, 3)), EE_OK);
  }
  CU_ASSERT_EQUAL_FATAL(ee_plan_check(*plan), EE_OK);
}

/** What all ways of a sample through a plan add up to. */
typedef struct ways {
  const ee_chain *chain;
  const ee_plan  *plan;
  int             n;
  double          latency;                           // of all ways together
  double          device[MOST_DEVICES];              // seconds, of all ways together
  double          link[MOST_DEVICES][MOST_DEVICES];  // the same
} ways;

static double seconds_on(const ee_chain *c, const ee_plan *plan, int s, int d) {
  return c->speed[d] > 0.0 ? stage_by_formula(c, d, plan->stage[s].begin, plan->stage[s].end)
                           : (double)INFINITY;
}

/* Every way from stage s on, whose devices before are way[0 .. s), as often as they have turns. */
static void walk(ways *w, int s, int *way, int times, double latency) {
  const ee_plan *plan = w->plan;
  if (s == plan->n_stages || s == MOST_DEVICES) {
    w->n += times;
    w->latency += times * latency;
    for (int k = 0; k < s; k++) {
      int from = k > 0 ? way[k - 1] : w->chain->source, to = way[k];
      w->device[to] += times * seconds_on(w->chain, plan, k, to);
      if (from < 0 || from == to) continue;
      w->link[from][to] += times * link_by_formula(w->chain, from, to, plan->stage[k].begin);
    }
    return;
  }
  for (int d = 0; d < plan->n_devices; d++) {
    if (ee_plan_stage_of_device(plan, d) != s) continue;
    int    from = s > 0 ? way[s - 1] : w->chain->source;
    double link =
        from < 0 || from == d ? 0.0 : delay_by_formula(w->chain, from, d, plan->stage[s].begin);
    way[s] = d;
    walk(w, s + 1, way, times * ee_plan_turns(plan, d),
         latency + link + seconds_on(w->chain, plan, s, d));
  }
}

static bool close_to(double a, double b) {
  return (isinf(a) && isinf(b)) || fabs(a - b) <= 1e-12 * fabs(b);
}

static void devices_and_links_carry_their_share_of_all_ways(void) {
  int shared = 0, links = 0;
  for (uint64_t k = 0; k < CHAINS; k++) {
    random_chain r;
    ee_plan     *plan = NULL;
    ee_forecast  f;
    int          way[MOST_DEVICES];
    double       most = 0.0;
    random_chain_draw(k, true, &r);
    random_shared_plan(k, &r.chain, &plan);
    ways w = {.chain = &r.chain, .plan = plan};
    walk(&w, 0, way, 1, 0.0);
    for (int d = 0; d < plan->n_devices; d++) {
      most = fmax(most, w.device[d] / w.n);
      if (ee_plan_stage_of_device(plan, d) < 0) continue;
      CU_ASSERT_TRUE(close_to(ee_partition_device_seconds(&r.chain, plan, d), w.device[d] / w.n));
      for (int to = 0; to < plan->n_devices; to++) most = fmax(most, w.link[d][to] / w.n);
    }
    for (int to = 0; to < plan->n_devices && r.chain.source >= 0; to++) {
      most = fmax(most, w.link[r.chain.source][to] / w.n);
    }
    CU_ASSERT_EQUAL_FATAL(ee_partition_forecast(&r.chain, plan, &f), EE_OK);
    CU_ASSERT_TRUE(close_to(f.period, most));
    CU_ASSERT_TRUE(close_to(f.latency, w.latency / w.n));
    double named = f.link ? ee_partition_link_seconds(&r.chain, plan, f.stage)
                          : ee_partition_stage_seconds(&r.chain, plan, f.stage);
    CU_ASSERT_TRUE(close_to(named, f.period));
    CU_ASSERT_TRUE(f.lower_bound <= f.period * (1 + 1e-12));
    shared += plan->n_replicas > 0;
    links += f.link && plan->n_replicas > 0;
    ee_plan_destroy(&plan);
  }
  CU_ASSERT_TRUE(shared > CHAINS / 3 && links > CHAINS / 50);
}

/* Slots of every link, one after the other. */
static double bytes_by_counting(const ee_chain *c, const ee_plan *plan, int d) {
  int             s     = ee_plan_stage_of_device(plan, d);
  const ee_stage *stage = &plan->stage[s];
  double          bytes = held_by_formula(c, stage->begin, stage->end);
  double          in    = c->message_samples * c->cut_bytes[stage->begin];
  double          out   = c->message_samples * c->cut_bytes[stage->end];
  int             ends  = c->slots > 1 ? c->slots + 1 : c->slots;
  for (int other = 0; other < plan->n_devices; other++) {
    int t = ee_plan_stage_of_device(plan, other);
    if (t >= 0 && t == s - 1) bytes += c->slots * in;
    if (t >= 0 && t == s + 1) bytes += ends * out;
  }
  if (s == 0) bytes += c->slots * in;                // from the source
  if (s + 1 == plan->n_stages) bytes += ends * out;  // as for all plans
  return bytes;
}

static void each_device_has_slots_for_a_link_to_each_neighbour(void) {
  int refused = 0, shared = 0;
  for (uint64_t k = 0; k < CHAINS; k++) {
    random_chain r;
    ee_plan     *plan = NULL;
    bool         fits = true;
    random_chain_draw(k, true, &r);
    random_shared_plan(k, &r.chain, &plan);
    for (int d = 0; d < plan->n_devices; d++) {
      int s = ee_plan_stage_of_device(plan, d);
      if (s < 0) continue;
      double bytes = bytes_by_counting(&r.chain, plan, d);
      bool   limit = r.chain.memory != NULL && r.chain.memory[d] > 0.0;
      CU_ASSERT_EQUAL(ee_partition_stage_bytes(&r.chain, plan, s), bytes);
      fits = fits && (!limit || bytes <= r.chain.memory[d]);
    }
    CU_ASSERT_EQUAL(ee_partition_fits(&r.chain, plan), fits ? EE_OK : EE_ERR_ARG);
    refused += !fits;
    shared += plan->n_replicas > 0;
    ee_plan_destroy(&plan);
  }
  CU_ASSERT_TRUE(refused > CHAINS / 20 && shared > CHAINS / 3);
}

/* Layers come to every device that has them after and had them not before. */
static void a_layer_moves_to_each_device_that_lacks_it(void) {
  double more = 0.0;
  for (uint64_t k = 0; k < CHAINS; k++) {
    random_chain r;
    ee_plan     *before = NULL, *after = NULL;
    double       bytes = 0.0;
    random_chain_draw(k, true, &r);
    random_shared_plan(2 * k, &r.chain, &before);
    random_shared_plan(2 * k + 1, &r.chain, &after);
    for (int d = 0; d < r.chain.n_devices; d++) {
      int a = ee_plan_stage_of_device(before, d), b = ee_plan_stage_of_device(after, d);
      for (int l = 0; l < r.chain.n_layers && r.chain.weight_bytes != NULL; l++) {
        bool had = a >= 0 && before->stage[a].begin <= l && l < before->stage[a].end;
        bool has = b >= 0 && after->stage[b].begin <= l && l < after->stage[b].end;
        if (has && !had) bytes += r.weight_bytes[l];
      }
    }
    CU_ASSERT_EQUAL(ee_partition_moved_bytes(&r.chain, before, after), bytes);
    more += bytes;
    ee_plan_destroy(&before);
    ee_plan_destroy(&after);
  }
  CU_ASSERT_TRUE(more > 0.0);
}

const ee_fact ee_facts[] = {
    EE_FACT(devices_and_links_carry_their_share_of_all_ways),
    EE_FACT(each_device_has_slots_for_a_link_to_each_neighbour),
    EE_FACT(a_layer_moves_to_each_device_that_lacks_it),
    {NULL, NULL},
};
