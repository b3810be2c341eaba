/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>

#include "ee/model.h"
#include "ee/plan.h"
#include "ee/status.h"

/**
 * @file partition.h
 * Finding plans: pure functions of a chain of layers and a row of devices.
 *
 * With R[l] the share of samples that run layer l (reach), a stage with layers [i, j) on device d
 * is busy per admitted sample for
 *
 *   W_d(i, j) = sum_{l=i..j-1} R[l] t[d][l]  +  sum_{e: i <= attach[e] < j} R[attach[e]] g[d][e]
 *
 * and the link that carries cut j from d to d' for
 *
 *   B(j) = R[j] (latency / message_samples + cut_bytes[j] / bandwidth),
 *
 * with t = work / speed and g = head_work / speed.  The period of a plan is the largest of all
 * W and B: the time per sample of the slowest stage or link.  R[n_layers] is 0.
 */

/** A chain of layers to be cut over devices.  All arrays are borrowed. */
typedef struct ee_chain {
  int           n_layers, n_devices, n_exits;
  const double *work;             // shape [n_layers], of one sample [FLOP]
  const double *reach;            // shape [n_layers], in [0, 1], does not grow
  const double *head_work;        // shape [n_exits] [FLOP]; the last exit's may be 0
  const int    *attach;           // shape [n_exits], layer after which the head runs
  const double *cut_bytes;        // shape [n_layers + 1], of one sample [byte]
  const double *weight_bytes;     // shape [n_layers] [byte]; NULL: memory is not limited
  const double *speed;            // shape [n_devices] [FLOP/s]; 0: the device is away
  const double *bandwidth;        // shape [n_devices, n_devices] [byte/s]; 0 or NULL: unlimited
  const double *latency;          // shape [n_devices, n_devices] [s]; NULL: 0
  const double *memory;           // shape [n_devices] [byte]; 0 or NULL: unlimited
  double        message_samples;  // samples per message; >= 1
  int           slots;            // messages buffered at each end of a link
  int           source;           // device that holds the input; -1: none, the input is everywhere
} ee_chain;

/** What a plan promises. */
typedef struct ee_forecast {
  double period;       // per admitted sample [s]
  double latency;      // expected, of one sample alone, without queues [s]
  double lower_bound;  // no plan on these devices has a shorter period [s]
  bool   link;         // the bottleneck is a link: the one that leaves `stage`
  int    stage;        // index of the bottleneck stage in the plan; -1: the link from the source
} ee_forecast;

/** A planner: name, what it does, and how. */
typedef struct ee_planner {
  const char *name, *help;
  /** Find a plan.  @return EE_OK; EE_ERR_ARG if the chain is wrong or no plan fits (the message
   *  says which memory is too small); EE_ERR_NOMEM */
  ee_status (*find)(const ee_chain *chain, ee_plan **plan);
} ee_planner;

/** All planners, ended by NULL: exact, uniform, flops. */
const ee_planner *const *ee_planners(void);
const ee_planner        *ee_planner_by_name(const char *name);

/**
 * Shortest period with devices in index order; a device may stay idle.
 * f(p, j) = min over i <= j of max(f(q, i), link from q to p at i, W_p(i, j)), q < p the last
 * device in use before p.  Among plans of equal period the one with fewer stages, then the one
 * whose sum of squared stage loads is least.
 */
ee_status ee_partition_exact(const ee_chain *chain, ee_plan **plan);

/** Whether some plan in index order has a period <= @p period.  Independent of the above. */
bool ee_partition_feasible(const ee_chain *chain, double period);

/** Period, latency, bound and bottleneck of @p plan under @p chain. */
ee_status ee_partition_forecast(const ee_chain *chain, const ee_plan *plan, ee_forecast *forecast);

/** Seconds per admitted sample of stage @p s of @p plan, and of the link that leaves it [s]. */
double ee_partition_stage_seconds(const ee_chain *chain, const ee_plan *plan, int s);
double ee_partition_link_seconds(const ee_chain *chain, const ee_plan *plan, int s);

/** max(sum_l R[l] work[l] / sum_d speed[d], max_l R[l] work[l] / max_d speed[d]), heads counted
 * [s]. */
double ee_partition_lower_bound(const ee_chain *chain);

/** Weight bytes of layers that change device from @p before to @p after [byte]. */
double ee_partition_moved_bytes(const ee_chain *chain, const ee_plan *before, const ee_plan *after);

/** Reach of each layer from shares that leave at each exit: R[l] = 1 - sum_{e: attach[e] < l} q[e].
 *  @param[out] reach  shape [n_layers] */
void ee_reach_from_shares(int n_layers, int n_exits, const int *attach, const double *share,
                          double *reach);
