/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdlib.h>

#include "ee/difference.h"
#include "ee/policy.h"
#include "policy_limits.h"

/**
 * @file successive.h
 * Policies that stop when the answer has stopped changing: a sample leaves at an exit whose
 * probabilities differ by at most the exit's limit from those of the exit before.  The first exit
 * has none before it and lets nobody leave.  The probabilities of the exit before are the state.
 */

/** How far @p now is from @p before, shapes [n]; see ee/difference.h. */
typedef double ee_difference(const float *now, const float *before, int n);

/** The entries of ee_policy_ops; self is freed with free(). */
ee_status ee_successive_create(const char *policy, const char *arguments,
                               const ee_policy_setting *setting, ee_difference *difference,
                               void **self);

size_t ee_successive_state(const void *self);

ee_decision ee_successive_decide(const void *self, const ee_exit_view *view, void *state);

/** The measure of a view: minus the difference, rounded as in decisions. */
float ee_successive_measure(const ee_exit_view *view, const ee_exit_view *before,
                            ee_difference *difference);

/** Read the limits of a policy that compares differences: at least 0, or -1 in `values`. */
ee_status ee_difference_limits(const char *policy, const char *arguments,
                               const ee_policy_setting *setting, void **limits);

/** The limit for measures that are minus a difference. */
float ee_difference_limit(float least);

/** For help texts, behind "leave if X is at most V". */
#define EE_DIFFERENCE_HELP EE_LIMIT_HELP "; -1: nobody leaves there"

/** The whole of such a policy: its name, a function of ee/difference.h, and what it compares. */
#define EE_SUCCESSIVE_POLICY(NAME, DIFFERENCE, WHAT)                                              \
  static ee_status create(const char *arguments, const ee_policy_setting *setting, void **self) { \
    return ee_successive_create(#NAME, arguments, setting, DIFFERENCE, self);                     \
  }                                                                                               \
                                                                                                  \
  static float measure(const ee_exit_view *view, const ee_exit_view *before) {                    \
    return ee_successive_measure(view, before, DIFFERENCE);                                       \
  }                                                                                               \
                                                                                                  \
  static const ee_policy_measure measured = {.of = measure, .limit = ee_difference_limit};        \
                                                                                                  \
  const ee_policy_ops ee_policy_##NAME = {                                                        \
      .name       = #NAME,                                                                        \
      .help       = "leave if " WHAT " is at most X, at least 0\n" EE_DIFFERENCE_HELP,            \
      .state_size = ee_successive_state,                                                          \
      .needs      = EE_NEEDS_PROBABILITY,                                                         \
      .create     = create,                                                                       \
      .decide     = ee_successive_decide,                                                         \
      .measure    = &measured,                                                                    \
      .destroy    = free,                                                                         \
  }
