/* SPDX-License-Identifier: Apache-2.0 */
/* The index rules of bandits, each against its formula on five rounds counted by hand. */
#include "bandit.h"

#include <math.h>
#include <stdlib.h>

#include "ee_test.h"

/* Two arms, five rounds: arm 0 earns .5, .25, .75; arm 1 earns 1, .5. */
static const int    arm_of[5]    = {0, 1, 0, 1, 0};
static const double reward_of[5] = {0.5, 1.0, 0.25, 0.5, 0.75};
static const double mean_of[2]   = {0.5, 0.75};

static ee_bandit bandit_of(const char *keys) {
  const ee_policy_setting setting = {.n_exits = 3, .n_classes = 2, .seed = 7};
  ee_bandit               b;
  CU_ASSERT_EQUAL_FATAL(ee_bandit_read("test", keys, &setting, 2, &b), EE_OK);
  return b;
}

static void *new_memory(const ee_bandit *b) {
  void *memory = calloc(1, ee_bandit_memory_bytes(b));
  CU_ASSERT_PTR_NOT_NULL_FATAL(memory);
  return memory;
}

/* Rounds [from, to) as one epoch each. */
static void play(const ee_bandit *b, void *memory, int from, int to) {
  for (int t = from; t < to; t++) {
    int64_t sums[7] = {0};
    CU_ASSERT_EQUAL_FATAL(ee_bandit_learned(b), 7);
    ee_bandit_round(sums);
    ee_bandit_reward(arm_of[t], reward_of[t], sums);
    ee_bandit_epoch(b, sums, memory);
  }
}

/* Both indices after all five rounds, then the arm. */
static void check(const char *keys, const double expected[2]) {
  ee_bandit b      = bandit_of(keys);
  void     *memory = new_memory(&b);
  play(&b, memory, 0, 5);
  for (int a = 0; a < 2; a++)
    CU_ASSERT_DOUBLE_EQUAL(ee_bandit_index(&b, memory, a), expected[a], 1e-7);
  CU_ASSERT_EQUAL(ee_bandit_arm(&b, memory, 5), expected[1] > expected[0]);
  free(memory);
}

static void ucb1_adds_the_root_of_log_rounds_over_pulls(void) {
  check("rule=ucb1", (double[]){0.5 + sqrt(log(6) / 3), 0.75 + sqrt(log(6) / 2)});
  check("c=0.1", (double[]){0.5 + 0.1 * sqrt(log(6) / 3), 0.75 + 0.1 * sqrt(log(6) / 2)});
}

/* Variances: (0 + 1/16 + 1/16) / 3 = 1/24 and (1/16 + 1/16) / 2 = 1/16. */
static void ucbv_uses_variances(void) {
  check("rule=ucbv", (double[]){0.5 + sqrt(2. / 24 * log(6) / 3) + log(6),
                                0.75 + sqrt(2. / 16 * log(6) / 2) + 1.5 * log(6)});
  check("rule=ucbv,c=0.01", (double[]){0.5 + sqrt(2. / 24 * 0.01 * log(6) / 3) + 0.01 * log(6),
                                       0.75 + sqrt(2. / 16 * 0.01 * log(6) / 2) + 0.015 * log(6)});
}

static void ucb_tuned_limits_the_variance_to_a_quarter(void) {
  double l0 = log(6) / 3, l1 = log(6) / 2;
  CU_ASSERT_TRUE(1. / 24 + sqrt(2 * l0) > 0.25);
  check("rule=ucb-tuned", (double[]){0.5 + sqrt(l0 * 0.25), 0.75 + sqrt(l1 * 0.25)});

  // Many rounds with a small variance: below the limit.
  ee_bandit b      = bandit_of("rule=ucb-tuned");
  void     *memory = new_memory(&b);
  for (int t = 0; t < 1000; t++) {
    int64_t sums[7] = {0};
    ee_bandit_round(sums);
    ee_bandit_reward(0, 0.5, sums);
    ee_bandit_epoch(&b, sums, memory);
  }
  double l = log(1001) / 1000;
  CU_ASSERT_DOUBLE_EQUAL(ee_bandit_index(&b, memory, 0), 0.5 + sqrt(l * sqrt(2 * l)), 1e-7);
  CU_ASSERT_TRUE(isinf(ee_bandit_index(&b, memory, 1)));
  CU_ASSERT_EQUAL(ee_bandit_arm(&b, memory, 1000), 1);  // never tried
  free(memory);
}

/* gamma = 1/2: the rounds count 1/16, 1/8, 1/4, 1/2, 1. */
static void discounted_halves_what_is_old(void) {
  double n0 = 1. / 16 + 1. / 4 + 1, n1 = 1. / 8 + 1. / 2, rounds = n0 + n1;
  double m0 = (0.5 / 16 + 0.25 / 4 + 0.75) / n0, m1 = (1. / 8 + 0.5 / 2) / n1;
  check("rule=discounted,gamma=0.5",
        (double[]){m0 + sqrt(log(rounds + 1) / n0), m1 + sqrt(log(rounds + 1) / n1)});
}

/* The third epoch has three rounds, so that the second's one counts 1/8 and the first's 1/16. */
static void discounting_counts_the_rounds_of_an_epoch(void) {
  ee_bandit b       = bandit_of("rule=discounted,gamma=0.5");
  void     *memory  = new_memory(&b);
  int64_t   sums[7] = {0};
  play(&b, memory, 0, 1);
  play(&b, memory, 1, 2);
  for (int t = 2; t < 5; t++) {
    ee_bandit_round(sums);
    ee_bandit_reward(arm_of[t], reward_of[t], sums);
  }
  ee_bandit_epoch(&b, sums, memory);
  double n0 = 2 + 1. / 16, m0 = (0.25 + 0.75 + 0.5 / 16) / n0, rounds = 3 + 1. / 8 + 1. / 16;
  CU_ASSERT_DOUBLE_EQUAL(ee_bandit_index(&b, memory, 0), m0 + sqrt(log(rounds + 1) / n0), 1e-7);
  free(memory);
}

/* The last three rounds: arm 0 earns .25 and .75, arm 1 .5. */
static void a_window_forgets_what_is_outside(void) {
  check("rule=window,window=3", (double[]){0.5 + sqrt(log(4) / 2), 0.5 + sqrt(log(4))});
  check("rule=window,window=5", (double[]){0.5 + sqrt(log(6) / 3), 0.75 + sqrt(log(6) / 2)});
  ee_bandit b      = bandit_of("rule=window,window=1");
  void     *memory = new_memory(&b);
  play(&b, memory, 0, 5);
  CU_ASSERT_DOUBLE_EQUAL(ee_bandit_index(&b, memory, 0), 0.75 + sqrt(log(2)), 1e-7);
  CU_ASSERT_EQUAL(ee_bandit_arm(&b, memory, 5), 1);  // has nothing in the window
  free(memory);
}

/* The window of the naive way: sums over the last W rounds, for many lengths of stream. */
static void a_window_is_a_sum_over_its_rounds(void) {
  ee_bandit b      = bandit_of("rule=window,window=10");
  void     *memory = new_memory(&b);
  double    earned[200];
  int       arm[200];
  for (int t = 0; t < 200; t++) {
    int64_t sums[7] = {0};
    arm[t]          = t * t % 7 % 2;
    earned[t]       = t * 37 % 64 / 64.0;
    ee_bandit_round(sums);
    ee_bandit_reward(arm[t], earned[t], sums);
    ee_bandit_epoch(&b, sums, memory);
    double n[2] = {0}, sum[2] = {0};
    int    first = t >= 10 ? t - 9 : 0;
    for (int k = first; k <= t; k++) {
      n[arm[k]] += 1;
      sum[arm[k]] += earned[k];
    }
    for (int a = 0; a < 2; a++) {
      if (n[a] > 0)
        CU_ASSERT_DOUBLE_EQUAL(ee_bandit_index(&b, memory, a),
                               sum[a] / n[a] + sqrt(log(t - first + 2) / n[a]), 1e-6);
    }
  }
  free(memory);
}

/* Draws depend on seed and id only; their mean and deviation are those of the arm. */
static void thompson_draws_around_the_mean(void) {
  ee_bandit b      = bandit_of("rule=thompson");
  void     *memory = new_memory(&b);
  play(&b, memory, 0, 5);
  int n = 20000, first = 0;
  for (int id = 2; id < n + 2; id++) first += ee_bandit_arm(&b, memory, (uint64_t)id) == 0;
  // P(N(.5, 1/3) > N(.75, 1/2)) = Phi(-.25 / sqrt(5/6)).
  double p = 0.5 * erfc(0.25 / sqrt(5. / 6) / sqrt(2.));
  CU_ASSERT_DOUBLE_EQUAL((double)first / n, p, 4 * sqrt(p * (1 - p) / n));
  for (int id = 2; id < 50; id++)
    CU_ASSERT_EQUAL(ee_bandit_arm(&b, memory, (uint64_t)id),
                    ee_bandit_arm(&b, memory, (uint64_t)id));
  free(memory);
}

static void each_arm_is_played_once_in_the_beginning(void) {
  ee_bandit b      = bandit_of("");
  void     *memory = new_memory(&b);
  CU_ASSERT(ee_bandit_arm(&b, NULL, 0) == 0 && ee_bandit_arm(&b, NULL, 1) == 1);
  CU_ASSERT(ee_bandit_arm(&b, NULL, 2) == 0 && ee_bandit_arm(&b, memory, 5) == 1);
  play(&b, memory, 0, 1);
  CU_ASSERT_EQUAL(ee_bandit_arm(&b, memory, 1), 1);
  CU_ASSERT_EQUAL(ee_bandit_arm(&b, memory, 4), 1);  // still the one that has no rounds
  free(memory);
}

static void sums_are_the_same_in_any_order_and_split(void) {
  ee_bandit b          = bandit_of("");
  int64_t   forward[7] = {0}, backward[7] = {0};
  for (int t = 0; t < 5; t++) ee_bandit_reward(arm_of[t], reward_of[t] / 3, forward);
  for (int t = 4; t >= 0; t--) ee_bandit_reward(arm_of[t], reward_of[t] / 3, backward);
  for (int k = 0; k < 7; k++) CU_ASSERT_EQUAL(forward[k], backward[k]);
  CU_ASSERT_DOUBLE_EQUAL((double)forward[2] / EE_FIXED_ONE / 3, mean_of[0] / 3, 1e-7);
  CU_ASSERT_EQUAL(ee_bandit_learned(&b), 7);
}

static void rewards_outside_their_range_are_cut(void) {
  CU_ASSERT_EQUAL(ee_fixed(1.0), 1 << 24);
  CU_ASSERT_EQUAL(ee_fixed(-0.5), -(1 << 23));
  CU_ASSERT_EQUAL(ee_fixed(1e300), (int64_t)16 << 24);
  CU_ASSERT_EQUAL(ee_fixed(-INFINITY), -((int64_t)16 << 24));
  CU_ASSERT_EQUAL(ee_fixed(NAN), -((int64_t)16 << 24));
}

static void an_epoch_without_rounds_changes_nothing(void) {
  ee_bandit b       = bandit_of("rule=window,window=3");
  void     *memory  = new_memory(&b);
  int64_t   none[7] = {0};
  play(&b, memory, 0, 5);
  double before = ee_bandit_index(&b, memory, 0);
  for (int k = 0; k < 10; k++) ee_bandit_epoch(&b, none, memory);
  CU_ASSERT_EQUAL(ee_bandit_index(&b, memory, 0), before);
  play(&b, memory, 0, 3);  // what the window holds now
  CU_ASSERT_DOUBLE_EQUAL(ee_bandit_index(&b, memory, 0), 0.375 + sqrt(log(4) / 2), 1e-7);
  free(memory);
}

static void the_lowest_of_equal_arms_is_played(void) {
  ee_bandit b       = bandit_of("");
  void     *memory  = new_memory(&b);
  int64_t   sums[7] = {0};
  for (int a = 0; a < 2; a++) {
    ee_bandit_round(sums);
    ee_bandit_reward(a, 0.5, sums);
  }
  ee_bandit_epoch(&b, sums, memory);
  CU_ASSERT_EQUAL(ee_bandit_arm(&b, memory, 2), 0);
  CU_ASSERT_EQUAL(ee_bandit_arm(&b, memory, 3), 0);
  free(memory);
}

const ee_fact ee_facts[] = {
    EE_FACT(ucb1_adds_the_root_of_log_rounds_over_pulls),
    EE_FACT(ucbv_uses_variances),
    EE_FACT(ucb_tuned_limits_the_variance_to_a_quarter),
    EE_FACT(discounted_halves_what_is_old),
    EE_FACT(discounting_counts_the_rounds_of_an_epoch),
    EE_FACT(a_window_forgets_what_is_outside),
    EE_FACT(a_window_is_a_sum_over_its_rounds),
    EE_FACT(thompson_draws_around_the_mean),
    EE_FACT(each_arm_is_played_once_in_the_beginning),
    EE_FACT(sums_are_the_same_in_any_order_and_split),
    EE_FACT(rewards_outside_their_range_are_cut),
    EE_FACT(an_epoch_without_rounds_changes_nothing),
    EE_FACT(the_lowest_of_equal_arms_is_played),
    {NULL, NULL},
};
