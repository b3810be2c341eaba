/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/policy.h"

/**
 * @file bandit.h
 * Choosing between arms by what they earned: the part that all learning policies share.
 *
 * With n_a rounds, mean m_a and variance V_a of arm a's rewards, R rounds in all and
 * l = ln(R + 1), an arm that has no rounds comes first, else the one with the largest
 *
 *   ucb1         m_a + c sqrt(l / n_a)                                      (Auer et al., 2002)
 *   ucbv         m_a + sqrt(2 V_a c l / n_a) + 3 c l / n_a          (Audibert et al., 2009)
 *   ucb-tuned    m_a + c sqrt(l / n_a min(1/4, V_a + sqrt(2 l / n_a)))      (Auer et al., 2002)
 *   discounted   as ucb1, with all counts and sums times gamma per round    (Garivier, Moulines,
 *   window       as ucb1, of the last W rounds only, in whole epochs         2011)
 *   thompson     a normal draw around m_a with deviation c / sqrt(n_a), by seed, id and arm
 *
 * and the lowest among equals.  The first K ids play arms 0 to K - 1.
 */

typedef enum {
  EE_BANDIT_UCB1,
  EE_BANDIT_UCBV,
  EE_BANDIT_TUNED,
  EE_BANDIT_DISCOUNTED,
  EE_BANDIT_WINDOW,
  EE_BANDIT_THOMPSON
} ee_bandit_rule;

typedef struct ee_bandit {
  int            n_arms;
  ee_bandit_rule rule;
  double         c, gamma;
  int            window;  // rounds
  uint64_t       seed;
} ee_bandit;

#define EE_BANDIT_KEYS "rule", "c", "gamma", "window"
#define EE_BANDIT_HELP                                                               \
  "rule=R         ucb1 (default), ucbv, ucb-tuned, discounted, window or thompson\n" \
  "c=X            width of the index; default 1\n"                                   \
  "gamma=X        discounted: what a round keeps in the next; default 0.999\n"       \
  "window=N       window: rounds that count; default 1000"

/** Most arms that a policy may have. */
#define EE_BANDIT_MAX_ARMS 4096

/** Read the keys above; EE_ERR_ARG also if there are too many arms. */
ee_status ee_bandit_read(const char *policy, const char *text, const ee_policy_setting *setting,
                         int n_arms, ee_bandit *bandit);

/** For ee_policy_learning: number of sums, and bytes of memory. */
size_t ee_bandit_learned(const ee_bandit *bandit);
size_t ee_bandit_memory_bytes(const ee_bandit *bandit);

/** Rewards are kept to 2^-24, and cut to [-16, 16]; no number counts as -16. */
#define EE_FIXED_ONE 16777216.0
#define EE_REWARD_MAX 16.0

/** @p x in fixed point. */
int64_t ee_fixed(double x);

/** One sample was answered; once for each. */
void ee_bandit_round(int64_t *sums);

/** Arm @p arm earned @p reward, or would have: side information counts like a play. */
void ee_bandit_reward(int arm, double reward, int64_t *sums);

/** Take the sums of an epoch into the memory. */
void ee_bandit_epoch(const ee_bandit *bandit, const int64_t *sums, void *memory);

/** The arm for sample @p id.  @p memory: NULL if nothing was learned. */
int ee_bandit_arm(const ee_bandit *bandit, const void *memory, uint64_t id);

/** The index of @p arm in @p memory; infinite if it has no rounds.  Not for thompson. */
double ee_bandit_index(const ee_bandit *bandit, const void *memory, int arm);
