/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/replay.h"
#include "offload_costs.h"

/** @file policy_options.h  The command line of `edgeexit policy`. */

/** --sweep: one number that takes n values from low to high. */
typedef struct ee_policy_sweep {
  char   key[64];  // "" without a sweep
  double low, high;
  int    n;
} ee_policy_sweep;

typedef struct ee_policy_options {
  const char       *exits, *policy, *out;
  const char       *against;  // the table of the same samples without rounding; NULL: none
  ee_replay_options replay;
  ee_offload_costs  offload;  // to be freed
  int               seeds;
  ee_policy_sweep   sweep;
  double            least_accuracy, most_cost, most_latency, budget;  // targets; NaN: none
  double            most_loss;  // of accuracy against the last exit; costs are then FLOP; NaN: none
  bool              search;     // for limits, of `policy` if it is given
  const char       *exit_seconds;  // "A/B/..."; NULL: not known
  bool              front, json;
} ee_policy_options;

/** Parse argv.  As ee_app_parse(): false, and the exit code, on --help or an error. */
bool ee_policy_options_parse(int argc, char **argv, ee_policy_options *options, int *code);
