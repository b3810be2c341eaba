/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "bandit.h"
#include "policy_keys.h"

/**
 * @file split.h
 * Choosing the exit at which a sample leaves or is offloaded: what SplitEE, SplitEE-S and I-SplitEE
 * share.
 *
 * Arm a is exit a; all exits, or the first ones, which the device has.  The sample runs to exit a;
 * there it leaves if C_a >= alpha or a is the last exit L, else it is offloaded and the last exit
 * answers.  With cost_a until exit a the reward is
 *
 *   r(a) = C_a - cost_a            if C_a >= alpha or a = L
 *          C_L - offload - cost_a  otherwise
 *
 * With side information every exit before a is evaluated, too, and its r is learned: at once if
 * C_b >= alpha, else when C_L is known.  A sample that left at a never meets the last exit; C_a
 * then stands in for C_L.  With `released` C_L is used all the same, which only hindsight knows.
 *
 * With a fixed arm every sample plays that one, from the first on; what is learned is not used.
 */
typedef struct ee_split {
  ee_bandit bandit;
  float     alpha;
  double    offload;
  bool      side, released;
  int       n_exits;
  int       fixed;   // arm that is always played; -1: the bandit's
  double    cost[];  // shape [n_exits]
} ee_split;

/** What methods differ in. */
typedef struct ee_split_kind {
  const char *name;
  double      alpha;  // default
  bool        side;
} ee_split_kind;

/** Per-sample state. */
typedef struct ee_split_state {
  uint64_t below;  // bit b: exit b was not confident; for side information
  int32_t  arm;
  int32_t  offloaded;
} ee_split_state;

ee_status ee_split_create(const ee_split_kind *kind, const char *arguments,
                          const ee_policy_setting *setting, void **self);

ee_decision ee_split_decide(const void *self, const ee_exit_view *view, void *state);

extern const ee_policy_learning ee_split_learning;
extern const ee_policy_arms     ee_split_arms;

#define EE_SPLIT_HELP(alpha)                                                            \
  "alpha=X        leave at the chosen exit if its confidence reaches X; default " alpha \
  "\n"                                                                                  \
  "arms=N         choose among the first N exits; default all\n"                        \
  "arm=K          always play arm K, from 0, and learn nothing from it\n" EE_COST_HELP  \
  "\n" EE_BANDIT_HELP
