/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "bandit.h"
#include "policy_keys.h"

/**
 * @file adaptive.h
 * Choosing the threshold of the first exit by what offloading gains: what AdaEE and UCBEE share.
 *
 * Arm k is a threshold tau_k.  The sample leaves at exit 0 if C_0 >= tau_k, else it is offloaded
 * to the last exit L.  The reward is 0 if it left, else
 *
 *   max(C_L - C_0, 0) - offload,   or without clipping   C_L - C_0 - offload.
 *
 * The answer is exit 0's if it left, else the last exit's if C_L >= tau_k, else that of the more
 * confident of the two.
 */
typedef struct ee_adaptive {
  ee_bandit bandit;
  double    offload;
  bool      clip;
  int       n_exits;
  float     threshold[];  // shape [arms]
} ee_adaptive;

/** Per-sample state. */
typedef struct ee_adaptive_state {
  int32_t arm, prediction;  // of exit 0
  float   confidence;       // of exit 0
  int32_t offloaded;
} ee_adaptive_state;

ee_status ee_adaptive_create(const char *name, bool clip, const char *arguments,
                             const ee_policy_setting *setting, void **self);

ee_decision ee_adaptive_decide(const void *self, const ee_exit_view *view, void *state);
int         ee_adaptive_answer(const void *self, const ee_exit_view *view, const void *state);

extern const ee_policy_learning ee_adaptive_learning;
extern const ee_policy_arms     ee_adaptive_arms;

#define EE_ADAPTIVE_HELP                                          \
  "arms=N         thresholds 0 to 1 in equal steps; default 11\n" \
  "thresholds=T/T/... these instead\n"                            \
  "offload=X      overhead of an offload; default --offload-cost\n" EE_BANDIT_HELP
