/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/exit_table.h"
#include "ee/fleet.h"
#include "ee/policy.h"

/**
 * @file replay.h
 * A policy replayed on an exit table: decisions as in a live run, without running the network.
 *
 * A stream is a sequence of rows of the table; the k-th sample of the stream has id k (counted
 * from the first one, warm-up included), as a live run's samples have.  Ids of epoch k, which are
 * [k E, (k + 1) E), are decided by what was learned in epochs 0 to k - 1 - delay.  With E = 1 and
 * no delay each decision knows all samples before it.  Nothing here is collective.
 */

typedef enum {
  EE_STREAM_ORDER,    // rows as they stand, once
  EE_STREAM_SHUFFLE,  // rows in a random order, once
  EE_STREAM_RESAMPLE  // rows drawn with replacement
} ee_stream_kind;

/** What became of one sample of the stream. */
typedef struct ee_replayed {
  int64_t row;
  int32_t left;        // exit at which it left or was offloaded
  int32_t exit;        // that answered: `left`, or the last one if it was offloaded
  int32_t prediction;  // that was answered
  int32_t arm;         // -1: the policy has none
  float   reward;      // that the arm was given; NaN: none
} ee_replayed;

typedef struct ee_replay_options {
  ee_stream_kind stream;
  int64_t        resample;  // samples to draw
  uint64_t       seed;      // of the stream and of the policy
  int64_t        epoch;     // samples, >= 1
  int            delay;     // epochs, >= 0
  int64_t        warmup;    // samples from the stream's beginning that are played once before it,
                            // learned from and not counted
  ee_policy_costs costs;    // layers is ignored: the table's count
  ee_schedule     offload_changes;  // costs of an offload instead of costs.offload: that of the
                                    // first id of a sample's epoch; none before the first; borrowed
  double       head_share;          // of a layer's cost that is its exit's head; see EE_FIGURE_COST
  int          steps;               // points of the curves over time
  ee_replayed *replayed;  // shape [samples of the stream], to be filled in; NULL: not wanted
} ee_replay_options;

/** One pass in order, epochs of one sample, no delay, layer 0.1, offload 0.5, 20 steps. */
ee_replay_options ee_replay_defaults(void);

/** Samples of the stream of @p table. */
int64_t ee_replay_length(const ee_exit_table *table, const ee_replay_options *options);

/**
 * Means over the stream.  Of a sample that left or was offloaded at exit e, with h the head share:
 * cost = layer ((1 - h) layers_e + h heads) + (offload if it was offloaded), where heads counts the
 * exits whose output was used (all that were asked but for EE_SKIP).
 */
#define EE_FIGURE_LIST(X)                                                                     \
  X(ACCURACY, "accuracy") /* of labelled samples */                                           \
  X(COST, "mean_cost")                                                                        \
  X(LAYERS, "mean_layers")                 /* run before it left or was offloaded */          \
  X(FLOPS, "mean_flops")                   /* likewise, heads included [FLOP] */              \
  X(OFFLOADED, "offloaded")                /* share */                                        \
  X(DEVICE_ACCURACY, "on_device_accuracy") /* of labelled samples not offloaded */            \
  X(DECISIONS, "decisions")                /* asked per sample */                             \
  X(REWARD, "mean_reward")                 /* of the chosen arms */                           \
  X(REGRET, "regret")                      /* reward of the best fixed arm minus that, sum */ \
  X(BEST_ARM, "best_arm")                  /* with the highest mean value */

typedef enum ee_figure {
#define X(name, text) EE_FIGURE_##name,
  EE_FIGURE_LIST(X)
#undef X
      EE_FIGURE_COUNT
} ee_figure;

/** Name of a figure in JSON and tables.  Static storage. */
const char *ee_figure_name(ee_figure figure);

/** Results of one replay, or their means or deviations over seeds.  NaN: cannot be told. */
typedef struct ee_replay_result {
  int64_t n;  // samples of the stream
  int     n_exits, n_arms, steps;
  bool    feasible;       // the policy does what was asked for, not only the best that can be had
  double *figure;         // shape [EE_FIGURE_COUNT]
  double *exit_share;     // shape [n_exits], of answers
  double *exit_accuracy;  // shape [n_exits], of labelled samples that each exit answered
  double *arm_share;      // shape [n_arms]
  double *arm_value;      // shape [n_arms], mean that each arm would have earned
  double *regret;         // shape [steps], after (j + 1) / steps of the stream
  double *pulls;          // shape [steps, n_arms], of each arm until then
  size_t  n_numbers;      // of all the arrays above, which follow each other
} ee_replay_result;

/** What the policy of a replay is made with.  Borrows from both. */
ee_policy_setting ee_replay_setting(const ee_exit_table *table, const ee_replay_options *options,
                                    ee_policy_costs *costs);

/**
 * Replay @p policy, made with ee_replay_setting().
 * @param[out] result  its arrays are the caller's, to be cleared; zeroed on error
 * @return EE_OK; EE_ERR_ARG with the option that is wrong, or if the table is empty; EE_ERR_NOMEM
 */
ee_status ee_replay(const ee_exit_table *table, const ee_policy *policy,
                    const ee_replay_options *options, ee_replay_result *result);

/**
 * Make the policy of @p text and replay it for seeds options->seed, + 1, ... .
 * @param[out] mean, deviation  over the seeds; of one seed all deviations are 0
 * @return as ee_policy_create() and ee_replay()
 */
ee_status ee_replay_seeds(const ee_exit_table *table, const char *text,
                          const ee_replay_options *options, int n_seeds, ee_replay_result *mean,
                          ee_replay_result *deviation);

/** Free what belongs to the result and zero it; may be called on a zeroed one. */
void ee_replay_clear(ee_replay_result *result);
