/* SPDX-License-Identifier: Apache-2.0 */
/* What travels between plans whose stages have several devices, against every owner and layer. */
#include "transfers.h"

#include <math.h>

#include "ee/rng.h"
#include "ee_test.h"
#include "lab.h"

#define PAIRS 400

static lab t;

/* Up to three stages; devices left over share one or stay idle. */
static ee_plan *random_plan(ee_rng *rng) {
  ee_plan *plan = NULL;
  int      n = 1 + (int)ee_rng_below(rng, 3), turn = (int)ee_rng_below(rng, 3), begin = 0;
  CU_ASSERT_EQUAL_FATAL(ee_plan_create(LAB_LAYERS, LAB_DEVICES, n, &plan), EE_OK);
  for (int s = 0; s < n; s++) {
    int room       = LAB_LAYERS - begin - (n - 1 - s);
    int end        = s == n - 1 ? LAB_LAYERS : begin + 1 + (int)ee_rng_below(rng, (uint64_t)room);
    plan->stage[s] = (ee_stage){begin, end, (turn + s) % 3};
    begin          = end;
  }
  for (int d = n; d < LAB_DEVICES; d++) {
    int s = (int)ee_rng_below(rng, (uint64_t)n + 1);
    if (s < n) CU_ASSERT_EQUAL(ee_plan_add_replica(plan, s, (turn + d) % 3), EE_OK);
  }
  CU_ASSERT_EQUAL(ee_plan_check(plan), EE_OK);
  return plan;
}

static bool has(const ee_plan *plan, int device, int layer) {
  int s = ee_plan_stage_of_device(plan, device);
  return s >= 0 && plan->stage[s].begin <= layer && layer < plan->stage[s].end;
}

static void draw_rates(ee_rng *rng) {
  for (int d = 0; d < LAB_DEVICES; d++) {
    t.estimate.file_rate[d] = 1e3 + 1e5 * ee_rng_uniform(rng);
  }
  for (int i = 0; i < LAB_DEVICES * LAB_DEVICES; i++) {
    t.estimate.bandwidth[i] = 1e3 + 1e5 * ee_rng_uniform(rng);
    t.estimate.latency[i]   = 0.02 * ee_rng_uniform(rng);
  }
}

/* Seconds of what device `to` needs of the old stage that has layer l, over the link of `from`. */
static double seconds_from(const ee_plan *before, const ee_plan *after, int from, int to, int l) {
  double sum = t.estimate.latency[from * 3 + to];
  int    s   = ee_plan_stage_of_layer(before, l);
  for (int k = before->stage[s].begin; k < before->stage[s].end; k++) {
    if (has(after, to, k)) {
      sum += (double)t.model->layer[k].weight_bytes / t.estimate.bandwidth[from * 3 + to];
    }
  }
  return sum;
}

/* The owner that a receiver's layer comes from, or would if it did not come from the file. */
static int best_owner(const ee_plan *before, const ee_plan *after, int to, int l) {
  int best = -1;
  for (int d = 0; d < LAB_DEVICES; d++) {
    if (!has(before, d, l)) continue;
    if (best < 0 ||
        seconds_from(before, after, d, to, l) < seconds_from(before, after, best, to, l)) {
      best = d;
    }
  }
  return best;
}

static bool sooner_from_file(int from, int to, int l) {
  double bytes = (double)t.model->layer[l].weight_bytes;
  return bytes / t.estimate.file_rate[to] <
         t.estimate.latency[from * 3 + to] + bytes / t.estimate.bandwidth[from * 3 + to];
}

/* Every layer that a device lacks is in the list once, from the best owner or the file. */
static void check_list(const ee_plan *before, const ee_plan *after, const ee_transfers *list) {
  int at = 0;
  for (int s = 0; s < after->n_stages; s++) {
    for (int k = 0; k < ee_plan_width(after, s); k++) {
      int to = ee_plan_device(after, s, k);
      for (int l = after->stage[s].begin; l < after->stage[s].end; l++) {
        if (has(before, to, l)) continue;
        CU_ASSERT_TRUE_FATAL(at < list->n);
        int owner = best_owner(before, after, to, l);
        CU_ASSERT_TRUE(list->of[at].layer == l && list->of[at].to == to);
        CU_ASSERT_EQUAL(list->of[at].from, sooner_from_file(owner, to, l) ? -1 : owner);
        at++;
      }
    }
  }
  CU_ASSERT_EQUAL(at, list->n);
}

/* Pairs send at the same time, each reader reads one layer after the other. */
static double seconds_of_list(const ee_transfers *list) {
  double sent[9] = {0.0}, read[3] = {0.0}, slowest = 0.0;
  for (int i = 0; i < list->n; i++) {
    const ee_transfer *m     = &list->of[i];
    double             bytes = (double)t.model->layer[m->layer].weight_bytes;
    int                at    = m->from * 3 + m->to;
    if (m->from < 0) {
      read[m->to] += bytes / t.estimate.file_rate[m->to];
    } else {
      if (sent[at] <= 0.0) sent[at] = t.estimate.latency[at];
      sent[at] += bytes / t.estimate.bandwidth[at];
    }
  }
  for (int i = 0; i < 9; i++) slowest = fmax(slowest, fmax(sent[i], read[i % 3]));
  return slowest;
}

static void each_receiver_gets_a_layer_from_the_soonest_owner_or_the_file(void) {
  ee_rng rng  = ee_rng_at(6, 21);
  int    file = 0, peer = 0, several = 0;
  lab_open(&t, true);
  for (int k = 0; k < PAIRS; k++) {
    ee_plan     *before = random_plan(&rng), *after = random_plan(&rng);
    ee_transfers list;
    draw_rates(&rng);
    CU_ASSERT_EQUAL_FATAL(ee_transfers_open(&t.estimate, EE_WEIGHTS_AUTO, before, after, &list),
                          EE_OK);
    check_list(before, after, &list);
    CU_ASSERT_DOUBLE_EQUAL(ee_move_seconds(&t.estimate, EE_WEIGHTS_AUTO, before, after),
                           seconds_of_list(&list), 1e-9);
    for (int i = 0; i < list.n; i++) {
      file += list.of[i].from < 0;
      peer += list.of[i].from >= 0;
      for (int j = 0; j < i; j++) several += list.of[i].layer == list.of[j].layer;
    }
    ee_transfers_close(&list);
    ee_plan_destroy(&before);
    ee_plan_destroy(&after);
  }
  CU_ASSERT_TRUE(file > PAIRS / 2 && peer > PAIRS / 2 && several > PAIRS / 10);
  lab_close(&t);
}

static void with_peer_or_file_all_layers_come_that_way(void) {
  ee_rng rng = ee_rng_at(6, 22);
  lab_open(&t, true);
  for (int k = 0; k < PAIRS; k++) {
    ee_plan     *before = random_plan(&rng), *after = random_plan(&rng);
    ee_transfers list[2];
    for (int way = 0; way < 2; way++) {
      ee_weights how = way == 0 ? EE_WEIGHTS_PEER : EE_WEIGHTS_FILE;
      CU_ASSERT_EQUAL_FATAL(ee_transfers_open(&t.estimate, how, before, after, &list[way]), EE_OK);
      for (int i = 0; i < list[way].n; i++) {
        CU_ASSERT_EQUAL(list[way].of[i].from < 0, how == EE_WEIGHTS_FILE);
      }
    }
    CU_ASSERT_EQUAL(list[0].n, list[1].n);
    for (int way = 0; way < 2; way++) ee_transfers_close(&list[way]);
    ee_plan_destroy(&before);
    ee_plan_destroy(&after);
  }
  lab_close(&t);
}

/* Devices 0 and 1 share all layers and 2 is idle, or 2 and 0 share them: equal links. */
static void owners_with_equal_links_share_the_work(void) {
  ee_transfers list;
  int          from[2];
  lab_open(&t, true);
  for (int k = 0; k < 2; k++) {
    ee_plan *before = LAB_PLAN(1, 6, 0), *after = LAB_PLAN(1, 6, 0);
    CU_ASSERT_EQUAL(ee_plan_add_replica(before, 0, k == 0 ? 1 : 2), EE_OK);
    CU_ASSERT_EQUAL(ee_plan_add_replica(after, 0, k == 0 ? 2 : 1), EE_OK);
    CU_ASSERT_EQUAL(ee_transfers_open(&t.estimate, EE_WEIGHTS_PEER, before, after, &list), EE_OK);
    CU_ASSERT_EQUAL_FATAL(list.n, LAB_LAYERS);
    from[k] = list.of[0].from;
    ee_transfers_close(&list);
    ee_plan_destroy(&before);
    ee_plan_destroy(&after);
  }
  CU_ASSERT_EQUAL(from[0], 0);  // to device 2, which looks at place 2 % 2 first
  CU_ASSERT_EQUAL(from[1], 2);  // to device 1, which looks at place 1 first
  lab_close(&t);
}

const ee_fact ee_facts[] = {
    EE_FACT(each_receiver_gets_a_layer_from_the_soonest_owner_or_the_file),
    EE_FACT(with_peer_or_file_all_layers_come_that_way),
    EE_FACT(owners_with_equal_links_share_the_work),
    {NULL, NULL},
};
