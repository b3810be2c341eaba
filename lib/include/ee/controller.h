/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/device.h"
#include "ee/partition.h"

/**
 * @file controller.h
 * Watching where samples leave and how busy devices are, and moving layers while they serve.
 *
 * Once per epoch every rank adds a vector of integers to one nonblocking allreduce.  All ranks
 * then hold the same sums and run the same deterministic rule and planner, so they hold the same
 * plan; a hash in the next sum proves it.  There is no root and no plan message.
 *
 * A plan that is adopted at the end of epoch e is prepared in the background: links are opened
 * and layers come from their present owners.  Each rank says in the following sums whether it is
 * ready; at the end of the first epoch e' when all are, ids from the start of epoch
 * e' + 1 + control_delay on follow the new plan.
 */

/** How a move goes about; see docs/control.md. */
typedef enum ee_move_mode {
  EE_MOVE_LIVE,   // layers move while the stream goes on, and it changes over at an id
  EE_MOVE_BUILD,  // the same, but the stream stops at the id until all before it were answered
  EE_MOVE_DRAIN   // the stream stops at an id, then layers move, then it goes on
} ee_move_mode;

/** EE_MOVE_ by its name, "live", "build" or "drain"; -1 if it is none. */
int ee_move_mode_by_name(const char *name);

/** Where layers come from that move. */
typedef enum ee_weights {
  EE_WEIGHTS_PEER,  // from their owners
  EE_WEIGHTS_FILE,  // from the model file
  EE_WEIGHTS_AUTO   // each from where it is predicted to be there sooner
} ee_weights;

/** EE_WEIGHTS_ by its name, "peer", "file" or "auto"; -1 if it is none. */
int ee_weights_by_name(const char *name);

/** When a better plan is adopted; docs/control.md. */
typedef struct ee_rule ee_rule;

/** "gain" or "petals"; NULL if there is none of that name. */
const ee_rule *ee_rule_by_name(const char *name);

typedef struct ee_controller_options {
  bool              rebalance;  // false: count and record, never move
  const ee_rule    *rule;
  ee_move_mode      move;
  const ee_planner *planner;
  double            min_gain;  // least relative gain that is worth a move: of the period, or of
                               // the latency if the planner makes that short
  double near;                 // a period longer by that share is as good: of such plans take the
                               // one that moves least; 0: the best
  double     error_bars;       // the gain must exceed this many standard errors of itself
  int        hold;             // successive epochs that the gain must last
  int        cooldown;         // epochs after a switch before the next move
  int        look_every;       // petals: epochs between two looks, in the mean
  uint64_t   seed;             // of the times at which it looks
  bool       always;     // adopt every plan that differs, whatever it gains (for tests of moving)
  ee_weights weights;    // where layers come from
  double     file_rate;  // at which this rank read the model file [byte/s]; 0: not known
  double     offload_layer_cost;  // tell a learning policy what links take, in the unit in which a
                                  // layer costs this (docs/control.md); 0: do not
} ee_controller_options;

/** The rule "gain", min_gain 0.10, near 0.005, error_bars 3, hold 2, cooldown 2, look_every 8; why,
 * and the published rules, are in docs/control.md. */
ee_controller_options ee_controller_defaults(void);

/**
 * Seconds from the source until an answer at each exit under @p plan, of one sample alone: no
 * queues, no batches; heads that are passed included.
 * @param setup         as for ee_first_plan()
 * @param[out] seconds  shape [n_exits]
 * @return EE_OK; EE_ERR_ARG; EE_ERR_NOMEM
 */
ee_status ee_exit_latencies(const ee_run_setup *setup, const ee_plan *plan, double *seconds);

/** What the controller did. */
typedef struct ee_controller_totals {
  int     epochs, adopted, switched;
  int64_t moved_bytes;       // weights that came to this rank [byte]
  double  period_predicted;  // of the plan in force, by the last estimate, or the source's [s]
  int64_t sum_bytes;         // that a rank adds to each epoch's sum [byte]
  int64_t sum_ns;            // from this rank's part in a sum until it had the whole, in all [ns]
  double  seconds;           // of this host that estimating and planning took in all; on the
                             // simulated clock for one device, and no simulated time
} ee_controller_totals;

typedef struct ee_controller ee_controller;

/** Create for @p device (borrowed).  Collective.  Epoch records go to the device's sink on rank 0.
 */
ee_status ee_controller_create(ee_device *device, const ee_controller_options *options,
                               ee_controller **controller);

/** The entries for ee_device_run. */
ee_control_hooks ee_controller_hooks(ee_controller *controller);

const ee_controller_totals *ee_controller_totals_of(const ee_controller *controller);

/** Complete what is under way, also after a run that failed, and destroy.  Collective. */
void ee_controller_destroy(ee_controller **controller);

/** Speed of devices of which nothing is known: neither a fleet nor a profile [FLOP/s]. */
#define EE_ASSUMED_FLOPS 1e9

/**
 * The plan to begin with, before anything was measured: from the fleet's speeds and links (without
 * a fleet all devices are as this host, by its profile) and from shares of samples that leave at
 * each exit.
 * Not collective; equal input gives equal plans.
 * @param share     shape [n_exits], adds up to 1; NULL: every sample goes to the end
 * @param forecast  may be NULL
 */
ee_status ee_first_plan(const ee_run_setup *setup, int n_devices, const ee_planner *planner,
                        const double *share, ee_plan **plan, ee_forecast *forecast);

/**
 * Lend the chain on which ee_first_plan() plans to @p use, with @p context.  It is gone when @p use
 * returns.
 * @return what @p use returns; EE_ERR_NOMEM
 */
ee_status ee_first_chain(const ee_run_setup *setup, int n_devices, const double *share,
                         ee_status (*use)(const ee_chain *chain, void *context), void *context);
