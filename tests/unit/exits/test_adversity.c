/* SPDX-License-Identifier: Apache-2.0 */
/* Every learner by every rule where its assumptions fail: a dead exit, costs far outside the range
 * of rewards, confidences that are no numbers, one exit only. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "ee/rng.h"
#include "five_samples.h"

enum { N = 6000, EXITS = 3, HALF = N / 2 };

static const char *const rules[] = {"rule=ucb1",       "rule=ucbv",   "rule=ucb-tuned",
                                    "rule=discounted", "rule=window", "rule=thompson"};
enum { RULES = sizeof rules / sizeof rules[0] };

/* Exit 0 says class 1 with confidence .4, always; exit 1 is sure and mostly right, exit 2 a little
 * more so.  Labels are 0. */
static ee_exit_table *dead_first_exit(void) {
  static const double sure[EXITS] = {0.4, 0.95, 0.97};
  ee_exit_table      *t           = NULL;
  CU_ASSERT_EQUAL_FATAL(
      ee_exit_table_create(N, EXITS, 2, (ee_exit_table_parts){.confidence = true}, &t), EE_OK);
  for (int64_t i = 0; i < N; i++) {
    ee_rng rng  = ee_rng_at(11, (uint64_t)i);
    t->label[i] = 0;
    for (int e = 0; e < EXITS; e++) {
      double noise                 = e > 0 ? 0.02 * (ee_rng_uniform(&rng) - 0.5) : 0.0;
      t->confidence[i * EXITS + e] = (float)(sure[e] + noise);
      t->prediction[i * EXITS + e] = e == 0 || ee_rng_below(&rng, 20) == 0;
    }
  }
  return t;
}

/* A learner, what layers and offloads cost it, and the arms that are best then, as bits. */
typedef struct learner {
  const char *text;
  double      layer, offload;
  unsigned    best;
  bool        has_rules;
} learner;

/* Share of the stream's second half in which one of the arms @p best was chosen. */
static double share_of(const ee_replayed *out, unsigned best) {
  double good = 0.0;
  for (int k = HALF; k < N; k++) good += best >> out[k].arm & 1;
  return good / (N - HALF);
}

static void check_figures(const ee_replay_result *r) {
  double exits = 0.0;
  for (int e = 0; e < r->n_exits; e++) exits += r->exit_share[e];
  CU_ASSERT_DOUBLE_EQUAL(exits, 1.0, 1e-12);
  CU_ASSERT_TRUE(isfinite(r->figure[EE_FIGURE_ACCURACY]) && isfinite(r->figure[EE_FIGURE_COST]));
  for (int a = 0; a < r->n_arms; a++) CU_ASSERT_TRUE(isfinite(r->arm_value[a]));
}

/* Replay learner @p l by rule @p k; the share of the best arms. */
static double play(const ee_exit_table *t, const learner *l, int k, ee_replayed *out) {
  char              text[96];
  ee_replay_options o = ee_replay_defaults();
  o.costs             = (ee_policy_costs){.layer = l->layer, .offload = l->offload};
  snprintf(text, sizeof text, "%s%s", l->text, l->has_rules ? rules[k] : "alpha=1");
  ee_replay_result r = replay_into(t, text, &o, out);
  check_figures(&r);
  ee_replay_clear(&r);
  return share_of(out, l->best);
}

/* Each learner by each rule plays its best arms in more than @p least of the second half, and no
 * sample is answered by exit @p never. */
static void check_best(const ee_exit_table *t, const learner *all, int n, double least, int never) {
  ee_replayed *out = malloc(N * sizeof *out);
  CU_ASSERT_PTR_NOT_NULL_FATAL(out);
  for (int j = 0; j < n; j++) {
    for (int k = 0; k < (all[j].has_rules ? RULES : 1); k++) {
      double share = play(t, &all[j], k, out);
      if (!(share > least)) printf("  %s %s: %g\n", all[j].text, rules[k], share);
      CU_ASSERT_TRUE(share > least);
      for (int i = 0; i < N; i++) CU_ASSERT_NOT_EQUAL(out[i].exit, never);
    }
  }
  free(out);
}

/* By hand, with means .4, .95, .97 and thresholds of .7 and .5:
 *   split learners, layer .3, offload .5: exit 0 offloads and earns .97 - .5 - .3 = .17, exit 1
 *     .95 - .6 = .35, exit 2 .97 - .9 = .07
 *   uee-ucb, layer .3: exit 1 differs from exit 0 as often as exit 2 does, and costs less
 *   adaee, ucbee, offload .1: thresholds above .4 earn .57 - .1, those up to .4 nothing
 *   ceebert, layer .3, thresholds of .5 and 1: with .5 at exit 1 .55 - .3, else .57 - .6; what
 *     exit 0 has for a threshold makes no difference */
static void a_dead_exit_is_found_out(void) {
  static const learner all[] = {{"splitee:", 0.3, 0.5, 1u << 1, true},
                                {"splitee-s:", 0.3, 0.5, 1u << 1, true},
                                {"isplitee:", 0.3, 0.5, 1u << 1, true},
                                {"uee-ucb:", 0.3, 0.5, 1u << 1, false},
                                {"adaee:thresholds=0.2/0.6/0.9,", 0.3, 0.1, 3u << 1, true},
                                {"ucbee:thresholds=0.2/0.6/0.9,", 0.3, 0.1, 3u << 1, true},
                                {"ceebert:grid=0.5/1,", 0.3, 0.1, 3u << 0, true}};
  ee_exit_table       *t     = dead_first_exit();
  check_best(t, all, 7, 0.6, -1);
  ee_exit_table_destroy(&t);
}

/* Layers and offloads cost 8, so that rewards go down to -31 and are cut at -16: what is cheapest
 * is still told from the rest. */
static void rewards_far_below_their_range_still_tell_what_is_cheapest(void) {
  static const learner all[] = {{"splitee:alpha=0,", 8, 8, 1u << 0, true},
                                {"splitee-s:alpha=0,", 8, 8, 1u << 0, true},
                                {"isplitee:alpha=0,", 8, 8, 1u << 0, true},
                                {"uee-ucb:", 8, 8, 1u << 0, false},
                                {"adaee:thresholds=0.2/0.6/0.9,", 8, 8, 1u << 0, true},
                                {"ucbee:thresholds=0.2/0.6/0.9,", 8, 8, 1u << 0, true},
                                {"ceebert:grid=0.2/1,", 8, 8, 1u << 0 | 1u << 2, true}};
  ee_exit_table       *t     = dead_first_exit();
  check_best(t, all, 7, 0.9, -1);
  ee_exit_table_destroy(&t);
}

/* Confidences that are no numbers at exit 1, as a live network may give: nobody leaves there.
 *   split learners, layer .3, offload .1: exit 0 offloads and earns .97 - .1 - .3, exit 1 offloads
 *     too and earns .3 less, exit 2 .97 - .9
 *   ceebert, layer .1, thresholds of .3 and 1: with .3 at exit 0 everyone leaves there and earns
 *     nothing, with 1 everyone goes to the end and earns .57 - .2 */
static void at_an_exit_without_numbers_nobody_leaves(void) {
  static const learner all[] = {{"splitee:", 0.3, 0.1, 1u << 0, true},
                                {"splitee-s:", 0.3, 0.1, 1u << 0, true},
                                {"isplitee:", 0.3, 0.1, 1u << 0, true},
                                {"ceebert:grid=0.3/1,", 0.1, 0.1, 1u << 1 | 1u << 3, true}};
  ee_exit_table       *t     = dead_first_exit();
  for (int64_t i = 0; i < N; i++) t->confidence[i * EXITS + 1] = NAN;
  check_best(t, all, 4, 0.6, 1);
  ee_exit_table_destroy(&t);
}

/* One exit: it answers everything, and no arm earns more than another. */
static void with_one_exit_there_is_nothing_to_learn(void) {
  static const char *const text[] = {
      "splitee:", "splitee-s:", "isplitee:", "adaee:thresholds=0.2/0.6/0.9,",
      "ucbee:",   "ceebert:",   "uee-ucb:"};
  ee_exit_table *t = NULL;
  ee_replayed    out[40];
  CU_ASSERT_EQUAL_FATAL(
      ee_exit_table_create(40, 1, 2, (ee_exit_table_parts){.confidence = true}, &t), EE_OK);
  for (int i = 0; i < 40; i++) {
    t->confidence[i] = (float)(i % 10) / 10;
    t->label[i]      = i % 4 == 0;
  }
  for (int j = 0; j < 7; j++) {
    for (int k = 0; k < (j < 6 ? RULES : 1); k++) {
      char              keys[96];
      ee_replay_options o = ee_replay_defaults();
      snprintf(keys, sizeof keys, "%s%s", text[j], j < 6 ? rules[k] : "alpha=1");
      ee_replay_result r = replay_into(t, keys, &o, out);
      CU_ASSERT_EQUAL(r.exit_share[0], 1.0);
      CU_ASSERT_DOUBLE_EQUAL(r.figure[EE_FIGURE_ACCURACY], 0.75, 1e-12);
      CU_ASSERT_DOUBLE_EQUAL(r.figure[EE_FIGURE_COST], 0.1, 1e-12);
      CU_ASSERT_DOUBLE_EQUAL(r.figure[EE_FIGURE_OFFLOADED], 0.0, 1e-12);
      CU_ASSERT_DOUBLE_EQUAL(r.figure[EE_FIGURE_REGRET], 0.0, 1e-5);
      for (int a = 0; a < r.n_arms; a++) CU_ASSERT_EQUAL(r.arm_value[a], r.arm_value[0]);
      ee_replay_clear(&r);
    }
  }
  ee_exit_table_destroy(&t);
}

const ee_fact ee_facts[] = {
    EE_FACT(a_dead_exit_is_found_out),
    EE_FACT(rewards_far_below_their_range_still_tell_what_is_cheapest),
    EE_FACT(at_an_exit_without_numbers_nobody_leaves),
    EE_FACT(with_one_exit_there_is_nothing_to_learn),
    {NULL, NULL},
};
