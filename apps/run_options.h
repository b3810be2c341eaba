/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <mpi.h>

#include "ee/controller.h"
#include "link_options.h"
#include "team_options.h"

/** @file run_options.h  The command line of `edgeexit run`. */
typedef struct ee_run_options {
  const char *model, *data;
  const char *fleet, *policy, *trace, *backend, *planner, *shares, *exits, *weights, *outcomes,
      *move, *rule;
  const char *cuts;          // of the first plan; NULL: the planner's
  const char *offload_cost;  // a number, a file or "link"; NULL: the default
  int         devices;       // ranks to start; 0: as launched, or as many as the fleet has
  int         batch, slots, epoch, control_delay;
  int         samples;        // only the first; 0: all
  double      merge_wait;     // [ms]
  double      rate;           // [1/s]
  double      latency_limit;  // [s]; 0: none
  double      max_period;     // that planner latency keeps to; 0: it need not [s]
  double      min_gain, near, error_bars;
  int         hold, cooldown;
  int         look_every;  // 0: the default
  double      lambda;      // cost of a layer
  uint64_t    seed;
  bool        rebalance, offload, measure_links, whole_blocks, logits, json, quiet;

  ee_link_options link;
  ee_team_wish    team;
} ee_run_options;

/**
 * Parse argv.  On --help *help is set.
 * @return EE_OK; EE_ERR_USAGE
 */
ee_status ee_run_options_parse(int argc, char **argv, ee_run_options *options, bool *help);

/**
 * Whether all ranks were given the same model, data and options, as parsed.  Collective; to be
 * called before anything collective that an option decides on.  On the simulated clock, where all
 * ranks have one command line, they are the same.
 * @return EE_OK; EE_ERR_USAGE on every rank with what differs first, as ee_same_options() says it
 */
ee_status ee_run_options_same(MPI_Comm comm, ee_run_options *options);

/** "5/9" to the plan that cuts before layers 5 and 9 and gives the parts to devices 0, 1 and 2.
 *  NULL text gives EE_OK and no plan.  EE_ERR_USAGE unless the cuts rise from 1 to n_layers - 1 and
 *  there are fewer of them than devices. */
ee_status ee_parse_cuts(const char *text, int n_layers, int n_devices, ee_plan **plan);

/** "0.3/0.2/0.5" to shares of samples that leave at each exit.  NULL text gives EE_OK and *given
 *  false.  EE_ERR_USAGE unless there are n_exits numbers in [0, 1] that add up to 1. */
ee_status ee_parse_shares(const char *text, int n_exits, double *share, bool *given);
