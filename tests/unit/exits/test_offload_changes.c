/* SPDX-License-Identifier: Apache-2.0 */
/* A cost of offloading that changes along the stream: what learners are told and what is paid. */
#include <string.h>

#include "five_samples.h"

static ee_replay_result play_by(int64_t epoch, const char *text, double told, ee_schedule changes) {
  ee_exit_table    *table = five_samples();
  ee_replayed       out[5];
  ee_replay_options o = ee_replay_defaults();
  o.costs.offload     = told;
  o.offload_changes   = changes;
  o.epoch             = epoch;
  ee_replay_result r  = replay_into(table, text, &o, out);
  ee_exit_table_destroy(&table);
  return r;
}

static ee_replay_result play(const char *text, double told, ee_schedule changes) {
  return play_by(1, text, told, changes);
}

static void a_change_at_the_start_is_as_if_told(void) {
  const char *policy[] = {"splitee:c=0", "splitee-s:c=0", "isplitee", "adaee:c=0", "ucbee:c=0"};
  for (int p = 0; p < 5; p++) {
    ee_change        change[] = {{0.0, 0.05}};
    ee_replay_result told     = play(policy[p], 0.05, (ee_schedule){0, NULL});
    ee_replay_result changed  = play(policy[p], 0.7, (ee_schedule){1, change});
    ee_replay_result other    = play(policy[p], 0.7, (ee_schedule){0, NULL});
    size_t           bytes    = told.n_numbers * sizeof(double);
    CU_ASSERT_EQUAL(memcmp(told.figure, changed.figure, bytes), 0);
    CU_ASSERT_NOT_EQUAL(memcmp(told.figure, other.figure, bytes), 0);
    ee_replay_clear(&told);
    ee_replay_clear(&changed);
    ee_replay_clear(&other);
  }
}

/* With alpha = 1 everybody is offloaded from exit 0: layer 0.1, offloads 0.5, 0.5, 0.2, 0.2, 1. */
static void each_sample_pays_and_earns_by_its_own_cost(void) {
  ee_change        change[] = {{2.0, 0.2}, {4.0, 1.0}};
  ee_exit_table   *table    = five_samples();
  ee_replay_result r        = play("splitee:alpha=1,arms=1", 0.5, (ee_schedule){2, change});
  double           last     = 0.0;
  for (int i = 0; i < 5; i++) last += (double)table->confidence[3 * i + 2] / 5.0;
  CU_ASSERT_EQUAL(r.figure[EE_FIGURE_OFFLOADED], 1.0);
  CU_ASSERT_DOUBLE_EQUAL(r.figure[EE_FIGURE_COST], 0.1 + 2.4 / 5.0, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(r.figure[EE_FIGURE_REWARD], last - 0.1 - 2.4 / 5.0, 1e-6);
  ee_replay_clear(&r);
  ee_exit_table_destroy(&table);
}

/* Epochs of two samples: the change at id 3 counts from id 4 on, the next epoch's first. */
static void a_change_waits_for_the_next_epoch(void) {
  ee_change        change[] = {{3.0, 0.2}};
  ee_replay_result r        = play_by(2, "splitee:alpha=1,arms=1", 0.5, (ee_schedule){1, change});
  CU_ASSERT_DOUBLE_EQUAL(r.figure[EE_FIGURE_COST], 0.1 + (4 * 0.5 + 0.2) / 5.0, 1e-12);
  ee_replay_clear(&r);
}

const ee_fact ee_facts[] = {
    EE_FACT(a_change_at_the_start_is_as_if_told),
    EE_FACT(each_sample_pays_and_earns_by_its_own_cost),
    EE_FACT(a_change_waits_for_the_next_epoch),
    {NULL, NULL},
};
