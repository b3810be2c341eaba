/* SPDX-License-Identifier: Apache-2.0 */
/* Every policy on five samples, followed by hand.  Learners have c=0, so that they take the arm
 * that earned most, unless the case says otherwise. */
#include "five_samples.h"

#include <string.h>

#include "ee/thresholds.h"

/* Layers cost 0.1, an offload 0.2. */
static ee_replay_result play(const char *text, ee_replayed out[5]) {
  ee_exit_table    *table = five_samples();
  ee_replay_options o     = ee_replay_defaults();
  o.costs.offload         = 0.2;
  ee_replay_result r      = replay_into(table, text, &o, out);
  ee_exit_table_destroy(&table);
  return r;
}

static void exits_are(const char *text, const int expected[5]) {
  ee_replayed      out[5];
  ee_replay_result r = play(text, out);
  for (int i = 0; i < 5; i++) CU_ASSERT_EQUAL(out[i].exit, expected[i]);
  ee_replay_clear(&r);
}

static void arms_are(const char *text, const int expected[5], double reward) {
  ee_replayed      out[5];
  ee_replay_result r = play(text, out);
  for (int i = 0; i < 5; i++) CU_ASSERT_EQUAL(out[i].arm, expected[i]);
  CU_ASSERT_DOUBLE_EQUAL(r.figure[EE_FIGURE_REWARD], reward, 1e-6);
  ee_replay_clear(&r);
}

static void patience_counts_agreements_in_a_row(void) {
  exits_are("patience:value=1", (int[]){2, 2, 1, 1, 2});
  exits_are("patience:value=2", (int[]){2, 2, 2, 2, 2});
}

/* Weights .1 and .2; sample 2 has .072 + .156 = .228 at exit 1, sample 3 .095 + .14 = .235;
 * samples 0, 1 and 4 disagree there and restart with .12, .16 and .1. */
static void beem_adds_what_agrees_and_restarts(void) {
  exits_are("beem:value=0.23", (int[]){2, 2, 2, 1, 2});
  exits_are("beem:value=0.15", (int[]){2, 1, 1, 1, 2});
  exits_are("beem:value=0.15,zero=1", (int[]){2, 2, 1, 1, 2});
  exits_are("beem:value=0.6,weights=1/1", (int[]){0, 1, 0, 0, 2});
}

/* A score of .5 is not above .5; the last exit has none and takes everyone. */
static void eenet_leaves_by_the_learned_score(void) {
  ee_replayed out[5];
  exits_are("eenet:value=0.5", (int[]){0, 1, 2, 0, 2});
  exits_are("eenet:values=0.5/0.25", (int[]){0, 1, 1, 0, 1});
  exits_are("eenet:value=0.9", (int[]){2, 2, 2, 2, 2});
  ee_replay_result r = play("eenet:value=0.5", out);
  CU_ASSERT_DOUBLE_EQUAL(r.figure[EE_FIGURE_COST], 0.1 * (1 + 2 + 3 + 1 + 3) / 5, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(r.figure[EE_FIGURE_ACCURACY], 1.0, 1e-12);  // each exit answers itself
  ee_replay_clear(&r);
}

/* Samples 2 and 4 are offloaded.  The last exit is not sure of sample 2 (.7), and exit 1 is the
 * most confident of the three (.78): it says 1. */
static void offload_answers_by_the_most_confident_exit_if_none_is_sure(void) {
  ee_replayed      out[5];
  ee_replay_result r = play("offload:value=0.8", out);
  for (int i = 0; i < 5; i++) CU_ASSERT_EQUAL(out[i].left, ((int[]){0, 1, 1, 0, 1})[i]);
  for (int i = 0; i < 5; i++) CU_ASSERT_EQUAL(out[i].exit, ((int[]){0, 1, 2, 0, 2})[i]);
  for (int i = 0; i < 5; i++) CU_ASSERT_EQUAL(out[i].prediction, ((int[]){1, 1, 1, 0, 1})[i]);
  CU_ASSERT_DOUBLE_EQUAL(r.figure[EE_FIGURE_COST], (0.1 + 0.2 + 0.4 + 0.1 + 0.4) / 5, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(r.figure[EE_FIGURE_OFFLOADED], 0.4, 1e-12);
  ee_replay_clear(&r);
}

/* With exit 0 alone on the device sample 1 is offloaded, too, and exit 1 is never asked; of sample
 * 2 exit 0 (.72) is then surer than the last one (.7). */
static void offload_asks_the_exits_of_the_device_only(void) {
  ee_replayed      out[5];
  ee_replay_result r = play("offload:value=0.8,exits=1", out);
  for (int i = 0; i < 5; i++) CU_ASSERT_EQUAL(out[i].left, 0);
  for (int i = 0; i < 5; i++) CU_ASSERT_EQUAL(out[i].exit, ((int[]){0, 2, 2, 0, 2})[i]);
  for (int i = 0; i < 5; i++) CU_ASSERT_EQUAL(out[i].prediction, ((int[]){1, 1, 1, 0, 1})[i]);
  CU_ASSERT_DOUBLE_EQUAL(r.figure[EE_FIGURE_DECISIONS], 1.0, 1e-12);
  ee_replay_clear(&r);
}

/* q = 1: each exit is to answer a third, one sample; exit 0 sample 3, then exit 1 sample 1. */
static void budgeted_shares_out_the_samples(void) {
  ee_exit_table *table = five_samples();
  float          threshold[2];
  double         cost;
  bool           feasible;
  exits_are("budgeted:step=20", (int[]){2, 1, 2, 0, 2});
  CU_ASSERT_EQUAL(ee_budgeted_step(table, 20, threshold, &cost), EE_OK);
  CU_ASSERT(threshold[0] == 0.95f && threshold[1] == 0.8f);
  CU_ASSERT_DOUBLE_EQUAL(cost, (1 + 2 + 3 * 3) / 5.0, 1e-12);
  // q = 1/20: 20/21 and less are to leave at exit 0: floor(5 * .952) = 4 samples.
  CU_ASSERT_EQUAL(ee_budgeted_step(table, 1, threshold, &cost), EE_OK);
  CU_ASSERT(threshold[0] == 0.4f && threshold[1] > 1.0f);
  CU_ASSERT_DOUBLE_EQUAL(cost, (4 + 3) / 5.0, 1e-12);
  CU_ASSERT_EQUAL(ee_budgeted_thresholds(table, 0.8, threshold, &cost, &feasible), EE_OK);
  CU_ASSERT_TRUE(feasible && cost <= 2.4 + 1e-9 && cost > 1.4);
  CU_ASSERT_EQUAL(ee_budgeted_step(table, 40, threshold, &cost), EE_ERR_ARG);
  ee_exit_table_destroy(&table);
}

/* The cheapest step costs 1.4 of 3 layers: what there is for a budget below that. */
static void a_budget_that_cannot_be_met_gives_the_cheapest_step(void) {
  ee_exit_table *table = five_samples();
  float          threshold[2];
  double         cost;
  bool           feasible;
  CU_ASSERT_EQUAL(ee_budgeted_thresholds(table, 0.4, threshold, &cost, &feasible), EE_OK);
  CU_ASSERT_FALSE(feasible);
  CU_ASSERT_DOUBLE_EQUAL(cost, 1.4, 1e-12);
  CU_ASSERT(threshold[0] == 0.4f && threshold[1] > 1.0f);
  CU_ASSERT_EQUAL(ee_budgeted_thresholds(table, 1.4 / 3, threshold, &cost, &feasible), EE_OK);
  CU_ASSERT_TRUE(feasible);

  ee_replayed      out[5];
  ee_replay_result r = play("budgeted:budget=0.4", out);
  CU_ASSERT_FALSE(r.feasible);
  CU_ASSERT_DOUBLE_EQUAL(r.figure[EE_FIGURE_FLOPS], 1.4, 1e-12);
  ee_replay_clear(&r);
  r = play("budgeted:budget=0.5", out);
  CU_ASSERT_TRUE(r.feasible);
  ee_replay_clear(&r);
  r = play("patience", out);
  CU_ASSERT_TRUE(r.feasible);
  ee_replay_clear(&r);
  ee_exit_table_destroy(&table);
}

/* Of 12 samples of which exit 0 is equally sure (.5), but for one (.9): a share of a third, 4
 * samples, is nearer to that one than to all, and two thirds, 8, nearer to all. */
static void samples_of_equal_confidence_leave_together_or_not_at_all(void) {
  ee_exit_table      *t     = NULL;
  ee_exit_table_parts parts = {.confidence = true};
  float               threshold[2];
  double              cost;
  CU_ASSERT_EQUAL_FATAL(ee_exit_table_create(12, 3, 2, parts, &t), EE_OK);
  for (int i = 0; i < 12; i++) {
    t->confidence[3 * i]     = i == 7 ? 0.9f : 0.5f;
    t->confidence[3 * i + 1] = 0.5f + 0.01f * (float)i;
  }
  CU_ASSERT_EQUAL(ee_budgeted_step(t, 20, threshold, &cost), EE_OK);
  CU_ASSERT(threshold[0] == 0.9f && threshold[1] == t->confidence[3 * 4 + 1]);  // 4 and 3 more
  CU_ASSERT_DOUBLE_EQUAL(cost, (1 + 7 * 2 + 4 * 3) / 12.0, 1e-12);
  // q = .3: 1 / 1.39 = .72 are to leave at exit 0.
  CU_ASSERT_EQUAL(ee_budgeted_step(t, 6, threshold, &cost), EE_OK);
  CU_ASSERT_EQUAL(threshold[0], 0.5f);
  t->confidence[3 * 7] = 0.5f;  // nobody stands out: a third is nearer to nobody
  CU_ASSERT_EQUAL(ee_budgeted_step(t, 20, threshold, &cost), EE_OK);
  CU_ASSERT_TRUE(threshold[0] > 1.0f);
  ee_exit_table_destroy(&t);
}

/* Rewards .8 (arm 0), .6 (arm 1), .4 (arm 2), then arm 0: .85, and offloaded .85 - .2 - .1. */
static void splitee_earns_confidence_minus_cost(void) {
  ee_replayed out[5];
  arms_are("splitee:alpha=0.75,c=0", (int[]){0, 1, 2, 0, 0}, 3.2 / 5);
  ee_replay_result r = play("splitee:alpha=0.75,c=0", out);
  for (int i = 0; i < 5; i++) CU_ASSERT_EQUAL(out[i].left, out[i].arm);
  CU_ASSERT_EQUAL(out[4].exit, 2);
  CU_ASSERT_DOUBLE_EQUAL(r.figure[EE_FIGURE_COST], (0.1 + 0.2 + 0.3 + 0.1 + 0.3) / 5, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(r.figure[EE_FIGURE_OFFLOADED], 0.2, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(r.figure[EE_FIGURE_DECISIONS], (1 + 2 + 2 + 1 + 1) / 5.0, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(r.arm_value[0], (0.8 + 0.6 + 0.4 + 0.85 + 0.55) / 5, 1e-6);
  CU_ASSERT_DOUBLE_EQUAL(r.arm_value[1], (0.55 + 0.6 + 0.58 + 0.4 + 0.45) / 5, 1e-6);
  CU_ASSERT_DOUBLE_EQUAL(r.arm_value[2], (0.65 + 0.6 + 0.4 + 0.5 + 0.55) / 5, 1e-6);
  CU_ASSERT_DOUBLE_EQUAL(r.figure[EE_FIGURE_REGRET], 0.0, 1e-6);
  ee_replay_clear(&r);
}

/* Arm 1 at .7: .6 and .5 are offloaded.  Side information does not change a fixed arm. */
static void a_fixed_arm_is_played_from_the_first_sample_on(void) {
  static const char *const text[] = {"splitee:alpha=0.7,arm=1", "splitee-s:alpha=0.7,arm=1",
                                     "isplitee:alpha=0.7,arm=1,arms=2"};
  for (int k = 0; k < 3; k++) {
    ee_replayed out[5];
    exits_are(text[k], (int[]){2, 1, 1, 1, 2});
    ee_replay_result r = play(text[k], out);
    for (int i = 0; i < 5; i++) CU_ASSERT(out[i].arm == 1 && out[i].left == 1);
    CU_ASSERT_DOUBLE_EQUAL(r.figure[EE_FIGURE_OFFLOADED], 0.4, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(r.figure[EE_FIGURE_COST], 0.2 + 0.4 * 0.2, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(r.figure[EE_FIGURE_REWARD], r.arm_value[1], 1e-12);
    ee_replay_clear(&r);
  }
  exits_are("splitee:arm=2", (int[]){2, 2, 2, 2, 2});
}

static void splitee_leaves_from_alpha_on(void) {
  ee_replayed      out[5];
  ee_replay_result r = play("splitee:alpha=0.8,c=0", out);
  CU_ASSERT(out[1].arm == 1 && out[1].exit == 1);  // its confidence is alpha
  ee_replay_clear(&r);
}

/* After four rounds arm 0 has .825 + sqrt(ln 5 / 2) = 1.722, arm 1 .6 + sqrt(ln 5) = 1.869. */
static void splitee_explores_with_its_width(void) {
  arms_are("splitee:alpha=0.75,c=1", (int[]){0, 1, 2, 0, 1}, (0.8 + 0.6 + 0.4 + 0.85 + 0.45) / 5);
}

/* Sample 1 leaves at exit 1 with .8, so arm 0 learns .8 - .2 - .1 = .5, or with the last exit's .9
 * .6.  Sample 2 teaches arm 0 .4 and arm 1 .58.  Then arm 0 has 1.7 / 3 = .567, or 1.8 / 3 = .6,
 * and arm 1 (.6 + .58) / 2 = .59.  Sample 3 teaches arm 0 .85. */
static void splitee_s_learns_from_exits_passed(void) {
  arms_are("splitee-s:alpha=0.75,c=0", (int[]){0, 1, 2, 1, 0}, (0.8 + 0.6 + 0.4 + 0.4 + 0.55) / 5);
  arms_are("splitee-s:alpha=0.75,c=0,released=1", (int[]){0, 1, 2, 0, 0}, 3.2 / 5);
}

/* Exits after 3, 6 and 9 layers of .05: rewards .75, .5, .25, then arm 0: .8 and .85 - .2 - .15. */
static void isplitee_pays_for_the_layers_before_an_exit(void) {
  ee_exit_table    *table = five_samples();
  ee_replay_options o     = ee_replay_defaults();
  ee_replayed       out[5];
  for (int e = 0; e < 3; e++) table->layers[e] = 3 * (e + 1);
  o.costs            = (ee_policy_costs){.layer = 0.05, .offload = 0.2};
  ee_replay_result r = replay_into(table, "isplitee:c=0", &o, out);
  CU_ASSERT(out[2].arm == 2 && out[3].arm == 0 && out[4].arm == 0 && out[4].exit == 2);
  CU_ASSERT_DOUBLE_EQUAL(r.figure[EE_FIGURE_REWARD], (0.75 + 0.5 + 0.25 + 0.8 + 0.5) / 5, 1e-6);
  CU_ASSERT_DOUBLE_EQUAL(r.figure[EE_FIGURE_COST], (0.05 * 24 + 0.2) / 5, 1e-12);
  ee_replay_clear(&r);
  ee_exit_table_destroy(&table);
}

/* Round by round the index of exits 0, 1, 2 is, with l = ln(R + 1):
 *   R = 1: .833, 1 - .1 + .833, 1 - .2 + .833          R = 2: .741, 1.641, 1 - .2 + 1.048
 *   R = 3: .680, 2/3 - .1 + .680, 1 - .2 + .833        R = 4: .634, 1.034, 2/3 - .2 + .733 */
static void uee_ucb_counts_disagreement_with_the_first_exit(void) {
  arms_are("uee-ucb", (int[]){2, 1, 2, 2, 2}, -((0.3 + 1) + 0.2 + 0.3 + 0.3 + 0.3) / 5);
}

/* tau = .5 and .85, overhead .1: sample 0 leaves and earns 0; then arm 1: .9 - .4 - .1; sample 2
 * is less confident at the end, so it earns -.1 clipped and -.12 not; 0; .85 - .3 - .1.  Sample 2
 * is answered by exit 0, which is the more confident and says 1; the last exit says 0. */
static void adaee_and_ucbee_earn_what_offloading_gains(void) {
  ee_replayed out[5];
  arms_are("adaee:thresholds=0.5/0.85,offload=0.1,c=0", (int[]){0, 1, 1, 1, 1}, 0.75 / 5);
  arms_are("ucbee:thresholds=0.5/0.85,offload=0.1,c=0", (int[]){0, 1, 1, 1, 1}, 0.73 / 5);
  exits_are("adaee:thresholds=0.5/0.85,offload=0.1,c=0", (int[]){0, 2, 2, 0, 2});
  exits_are("adaee:arms=2,offload=0.1,c=0", (int[]){0, 2, 2, 2, 2});  // thresholds 0 and 1
  // .9 - .4 - .45 and -.45 are less than leaving earns, which is 0; then .85 - .3 - .45.
  arms_are("adaee:thresholds=0.5/0.85,offload=0.45,c=0", (int[]){0, 1, 1, 0, 0}, -0.3 / 5);
  ee_replay_result r = play("adaee:thresholds=0.5/0.85,offload=0.1,c=0", out);
  CU_ASSERT_EQUAL(out[1].prediction, 1);
  CU_ASSERT_EQUAL(out[2].prediction, 1);
  CU_ASSERT_EQUAL(out[4].prediction, 1);
  CU_ASSERT_DOUBLE_EQUAL(r.figure[EE_FIGURE_ACCURACY], 0.8, 1e-12);  // sample 2 is a 0
  CU_ASSERT_DOUBLE_EQUAL(r.figure[EE_FIGURE_DEVICE_ACCURACY], 1.0, 1e-12);
  ee_replay_clear(&r);
}

/* Arm a has thresholds grid[a % 2] and grid[a / 2]: 0, .8 - .4 - .1, 0, 0, then arm 1: .5 - .3 -
 * .1.
 */
static void ceebert_learns_vectors_of_thresholds(void) {
  ee_replayed out[5];
  const char *text = "ceebert:grid=0.5/0.85,c=0";
  arms_are(text, (int[]){0, 1, 2, 3, 1}, 0.4 / 5);
  exits_are(text, (int[]){0, 1, 0, 0, 1});
  ee_replay_result r = play(text, out);
  CU_ASSERT_EQUAL(r.n_arms, 4);
  CU_ASSERT_DOUBLE_EQUAL(r.arm_value[1], (0.3 - 0.04 + 0.1) / 5, 1e-6);
  CU_ASSERT_DOUBLE_EQUAL(r.arm_value[3], (0.3 - 0.22 + 0.35) / 5, 1e-6);
  ee_replay_clear(&r);
  // .8 - .4 - .45 is less than leaving at the first exit earns; then .5 - .3 - .45.
  arms_are("ceebert:grid=0.5/0.85,costs=0.45/0.1,c=0", (int[]){0, 1, 2, 3, 0}, -0.3 / 5);
  r = play("ceebert:grid=0.5/0.85,exits=1,costs=0.3,c=0", out);
  CU_ASSERT_EQUAL(r.n_arms, 2);
  CU_ASSERT_DOUBLE_EQUAL(r.arm_value[1], (0.05 - 0.2 - 0.38 - 0.2 + 0.05) / 5, 1e-6);
  ee_replay_clear(&r);
}

const ee_fact ee_facts[] = {
    EE_FACT(patience_counts_agreements_in_a_row),
    EE_FACT(beem_adds_what_agrees_and_restarts),
    EE_FACT(eenet_leaves_by_the_learned_score),
    EE_FACT(offload_answers_by_the_most_confident_exit_if_none_is_sure),
    EE_FACT(offload_asks_the_exits_of_the_device_only),
    EE_FACT(budgeted_shares_out_the_samples),
    EE_FACT(a_budget_that_cannot_be_met_gives_the_cheapest_step),
    EE_FACT(samples_of_equal_confidence_leave_together_or_not_at_all),
    EE_FACT(splitee_earns_confidence_minus_cost),
    EE_FACT(a_fixed_arm_is_played_from_the_first_sample_on),
    EE_FACT(splitee_leaves_from_alpha_on),
    EE_FACT(splitee_explores_with_its_width),
    EE_FACT(splitee_s_learns_from_exits_passed),
    EE_FACT(isplitee_pays_for_the_layers_before_an_exit),
    EE_FACT(uee_ucb_counts_disagreement_with_the_first_exit),
    EE_FACT(adaee_and_ucbee_earn_what_offloading_gains),
    EE_FACT(ceebert_learns_vectors_of_thresholds),
    {NULL, NULL},
};
