/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "ee/status.h"

/**
 * @file policy.h
 * Who leaves at an exit: a policy is a table of functions, one file per method in lib/exits.
 *
 * The same table runs live in the device loop, offline on an exit table and in simulation.
 * A decision depends on the exit's output, the sample's own state, the sample's id and what the
 * policy had learned by the end of an earlier epoch; on nothing else.
 *
 * What there is, for exits e before the last, which takes everyone (limits are rounded to float,
 * as the measures are; `value=` is one limit for all early exits, `values=X/Y/...` one for each):
 *
 *   threshold:value=0.8             leave iff max_k p_k >= value            value in [0, 1]
 *   margin:value=0.4                leave iff p_(1) - p_(2) >= value        value in [0, 1]
 *   entropy:value=0.5               leave iff -sum_k p_k ln p_k < value     value >= 0 [nat]
 *   entropy:value=0.5,normalised=1  the same with the entropy divided by ln n_classes
 *   final                           nobody leaves early
 */

typedef enum { EE_GO_ON, EE_LEAVE, EE_OFFLOAD } ee_decision;

#define EE_POLICY_STATE_BYTES 32  // per sample; travels with the activation

/** What a policy sees of one sample at one exit. */
typedef struct ee_exit_view {
  uint64_t     id;    // of the sample
  int          exit;  // in [0, n_exits)
  int          n_exits;
  int          n_classes;
  const float *probability;  // shape [n_classes], calibrated, adds up to 1
  int          prediction;   // most probable class; the lowest index among equals
  float        confidence;   // probability[prediction]
} ee_exit_view;

/** Facts about the model that a policy may need when it is made. */
typedef struct ee_policy_setting {
  int      n_exits, n_classes;
  uint64_t seed;
} ee_policy_setting;

typedef struct ee_policy ee_policy;

typedef struct ee_policy_ops {
  const char *name;         // on the command line
  const char *help;         // keys and their meaning, one line each
  size_t      state_bytes;  // of the per-sample state in use; <= EE_POLICY_STATE_BYTES
  size_t      learned;  // number of int64 that the policy shares per epoch; 0: it does not learn
  /** Make from "key=value,key=value" (may be ""); an unknown key or bad value is EE_ERR_ARG. */
  ee_status (*create)(const char *arguments, const ee_policy_setting *setting, void **self);
  /** Decide for one sample at one exit.  @p state is zeroed before the sample's first exit.
   *  Not asked at the last exit, where every sample leaves. */
  ee_decision (*decide)(const void *self, const ee_exit_view *view, void *state);
  /** Add to @p sums, shape [learned], what one answered sample taught.  NULL if learned is 0. */
  void (*learn)(const void *self, const ee_exit_view *view, ee_decision decision, const void *state,
                int64_t *sums);
  /** Take the sums of one epoch over all devices.  NULL if learned is 0. */
  void (*epoch)(void *self, const int64_t *sums);
  void (*destroy)(void *self);
} ee_policy_ops;

struct ee_policy {
  const ee_policy_ops *ops;
  void                *self;
};

/** All policies, ended by NULL; a new one is one file and one line in lib/exits/policies.c. */
const ee_policy_ops *const *ee_policies(void);

/**
 * Make a policy from "NAME" or "NAME:key=value,...", as on the command line.  Not collective.
 * @return EE_OK; EE_ERR_ARG with what is wrong and what there is; EE_ERR_NOMEM
 */
ee_status ee_policy_create(const char *text, const ee_policy_setting *setting, ee_policy **policy);

void ee_policy_destroy(ee_policy **policy);
