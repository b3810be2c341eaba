/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ee/exit_table.h"

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
 *   eenet:value=0.5                 leave iff the exit's learned score > value  value in [0, 1]
 *   offload:value=0.8,exits=2       as threshold, but offload at exit 1     value in [0, 1]
 *   feature:value=0.3               leave iff the features' difference <= value    value >= 0
 *   kl:value=0.01                   leave iff KL(p_e || p_(e-1)) <= value          value >= 0 [nat]
 *   l2:value=0.1                    leave iff ||p_e - p_(e-1)|| <= value           value >= 0
 *   cosine:value=0.02               leave iff 1 - cos(p_e, p_(e-1)) <= value       value >= 0
 *   final                           nobody leaves early
 *
 * Nobody leaves at an exit whose value is 2 in threshold:values=... or margin:values=..., or -1 in
 * `values` of the four differences.
 * Others count agreement (patience, beem), fit thresholds to a table (budgeted) or learn while they
 * serve (splitee, splitee-s, isplitee, uee-ucb, adaee, ucbee, ceebert): docs/policies.md.
 */

/**
 * EE_OFFLOAD: the rest runs elsewhere and the last exit answers; no exit between is asked.
 * EE_SKIP: go on, and this exit's output was not needed: its head could have been left out.
 */
typedef enum { EE_GO_ON, EE_LEAVE, EE_OFFLOAD, EE_SKIP } ee_decision;

#define EE_POLICY_STATE_BYTES 32  // per sample, of a fixed length; travels with the activation

/** What a policy sees of one sample at one exit. */
typedef struct ee_exit_view {
  uint64_t      id;    // of the sample
  int           exit;  // in [0, n_exits)
  int           n_exits;
  int           n_classes;
  const float  *probability;      // shape [n_classes], calibrated, adds up to 1; NULL: not known
  int           prediction;       // most probable class; the lowest index among equals
  float         confidence;       // probability[prediction]; NaN: not known
  float         score;            // of the exit's learned head, in [0, 1]; NaN: it has none
  const void   *memory;           // what was learned for the sample's epoch; NULL: nothing yet
  float         last_confidence;  // of the last exit; only if the setting has hindsight
  const double *offload_cost;  // of offloading now, where it changes; NULL: as the policy was told
} ee_exit_view;

/** What exit @p e said of the sample in row @p row of @p table; id, memory and offload cost are
 * left to the caller, and there is no hindsight. */
static inline ee_exit_view ee_exit_view_of_row(const ee_exit_table *table, int64_t row, int e) {
  int64_t      at = row * table->n_exits + e;
  const float *p  = table->probability;
  return (ee_exit_view){.exit            = e,
                        .n_exits         = table->n_exits,
                        .n_classes       = table->n_classes,
                        .probability     = p != NULL ? p + at * table->n_classes : NULL,
                        .prediction      = table->prediction[at],
                        .confidence      = table->confidence != NULL ? table->confidence[at] : NAN,
                        .score           = table->score != NULL ? table->score[at] : NAN,
                        .last_confidence = NAN};
}

/** What running costs, in a unit of the user's choice. */
typedef struct ee_policy_costs {
  double     layer;    // of running one layer
  double     offload;  // of sending one sample elsewhere
  const int *layers;   // shape [n_exits], layers run until each exit; NULL: e + 1
} ee_policy_costs;

/** What a policy may need to be given; bits of `needs` and `lacks`. */
enum { EE_NEEDS_CONFIDENCE = 1, EE_NEEDS_PROBABILITY = 2, EE_NEEDS_SCORE = 4 };

/** What is not known in @p exits, as EE_NEEDS_ bits. */
unsigned ee_exit_table_lacks(const ee_exit_table *exits);

/** Facts about the model and the run that a policy may need when it is made.  Zeroed means live:
 *  everything is known of an exit that was reached, nothing of others. */
typedef struct ee_policy_setting {
  int                    n_exits, n_classes;
  uint64_t               seed;
  unsigned               lacks;      // EE_NEEDS_ bits of what is not known of an exit
  bool                   hindsight;  // last_confidence is known at every exit: offline only
  const ee_policy_costs *costs;      // NULL: layer 0.1, offload 0.5
  const ee_exit_table   *table;      // that thresholds may be fitted to; NULL: none
} ee_policy_setting;

typedef struct ee_policy ee_policy;

/**
 * How a policy learns.  What one sample teaches is added to integer sums, so that the sums are the
 * same in whatever order and on whatever device samples are met; the sums of one epoch are then
 * taken into a memory, which decisions of later epochs read through the view.
 */
typedef struct ee_policy_learning {
  size_t (*learned)(const void *self);       // number of int64 that are summed up per epoch
  size_t (*memory_bytes)(const void *self);  // a memory begins as zeros; it is aligned for doubles
  /** Add to @p sums, shape [learned], what is known once @p decision was taken at an exit.  Called
   *  after each decide(), and with EE_LEAVE at the last exit. */
  void (*learn)(const void *self, const ee_exit_view *view, ee_decision decision, const void *state,
                int64_t *sums);
  /** Take the sums of one epoch over all devices into @p memory. */
  void (*epoch)(const void *self, const int64_t *sums, void *memory);
} ee_policy_learning;

/** The arms of a policy that chooses between fixed rules sample by sample; for reports. */
typedef struct ee_policy_arms {
  int (*count)(const void *self);
  int (*chosen)(const void *self, const void *state);  // for a sample that was answered
  /** What the chosen arm is given for a sample that is answered with @p view and @p state: the very
   *  number that learn() adds.  NULL: arms are not given rewards. */
  double (*reward)(const void *self, const ee_exit_view *view, const void *state);
  /** What @p arm would have earned from a sample.  @p path: its views at all exits, shape
   *  [n_exits]; @p label: -1 if not known.  NaN if it cannot be told. */
  double (*value)(const void *self, int arm, const ee_exit_view *path, int label);
} ee_policy_arms;

/** What a policy compares with a limit at each exit, for the search of limits (thresholds.h). */
typedef struct ee_policy_measure {
  /** The more, the sooner the sample leaves; -INFINITY or NaN: it cannot leave here.  @p before:
   * the view at the exit before; NULL at the first. */
  float (*of)(const ee_exit_view *view, const ee_exit_view *before);
  /** The number of the key `values` with which those leave whose measure is at least @p least;
   *  nobody does if it is EE_NOBODY_LEAVES. */
  float (*limit)(float least);
} ee_policy_measure;

#define EE_NOBODY_LEAVES 2.0f  // above every measure

typedef struct ee_policy_ops {
  const char *name;         // on the command line
  const char *help;         // keys and their meaning, one line each
  size_t      state_bytes;  // of the per-sample state in use; <= EE_POLICY_STATE_BYTES
  /** Bytes of the state of a policy that keeps more than that, for example something of every
   *  class; it then stands at a multiple of four.  NULL: state_bytes. */
  size_t (*state_size)(const void *self);
  unsigned needs;  // EE_NEEDS_ bits
  /** Make from "key=value,key=value" (may be ""); an unknown key or bad value is EE_ERR_USAGE. */
  ee_status (*create)(const char *arguments, const ee_policy_setting *setting, void **self);
  /** Whether what was asked for can be had; if not, the policy does the best that can be had. NULL:
   *  always. */
  bool (*feasible)(const void *self);
  /** Decide for one sample at one exit.  @p state is zeroed before the sample's first exit and may
   *  stand at any address, but for state_size.  Not asked at the last exit, where every sample
   * leaves. */
  ee_decision (*decide)(const void *self, const ee_exit_view *view, void *state);
  /** The class to answer at the exit where the sample leaves.  NULL: the exit's prediction. */
  int (*answer)(const void *self, const ee_exit_view *view, const void *state);
  const ee_policy_learning *learning;  // NULL: it does not learn
  const ee_policy_arms     *arms;      // NULL: it has none
  const ee_policy_measure  *measure;   // NULL: it has no limit for each exit
  void (*destroy)(void *self);
} ee_policy_ops;

struct ee_policy {
  const ee_policy_ops *ops;
  void                *self;
  uint64_t             key;  // equal for policies of the same text, seed and costs
};

/** Bytes of the per-sample state of @p policy. */
static inline size_t ee_policy_state_bytes(const ee_policy *policy) {
  const ee_policy_ops *ops = policy->ops;
  return ops->state_size != NULL ? ops->state_size(policy->self) : ops->state_bytes;
}

/** All policies, ended by NULL; a new one is one file and one line in lib/exits/policies.c. */
const ee_policy_ops *const *ee_policies(void);

/** The policy that @p text, "NAME" or "NAME:...", names; NULL if there is none. */
const ee_policy_ops *ee_policy_named(const char *text);

/**
 * Make a policy from "NAME" or "NAME:key=value,...", as on the command line.  Not collective.
 * Borrows nothing of @p setting.
 * @return EE_OK; EE_ERR_USAGE with what is wrong in the text and what there is; EE_ERR_ARG if the
 *         policy needs what the setting lacks; EE_ERR_NOMEM
 */
ee_status ee_policy_create(const char *text, const ee_policy_setting *setting, ee_policy **policy);

/** Whether the policy does what was asked for, not only the best that can be had. */
bool ee_policy_feasible(const ee_policy *policy);

void ee_policy_destroy(ee_policy **policy);
