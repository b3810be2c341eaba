/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <mpi.h>

#include "ee/exit_table.h"
#include "ee/fleet.h"
#include "ee/model_file.h"
#include "ee/placement.h"
#include "ee/policy.h"
#include "offload_costs.h"
#include "run_options.h"
#include "stream.h"

/** @file run_inputs.h  Everything a run reads before it starts. */
typedef struct ee_run_inputs {
  MPI_Comm          comm;      // that opened them
  bool              borrowed;  // model file, fleet and outcomes are rank 0's, in one process
  ee_model_file    *model_file;
  double            read_bytes, read_seconds;  // weights read so far, and how long that took
  const ee_model   *model;                     // the file's: no constants in memory
  const ee_backend *backend;
  ee_fleet         *fleet;       // NULL: the real clock
  char             *fleet_text;  // the file's text, for the trace
  double            host_flops;  // by the profile [FLOP/s]; 0: not known and not needed
  ee_policy        *policy;
  ee_exit_table    *outcomes;  // NULL: layers run
  ee_offload_costs  offload;
  ee_stream         stream;  // rank 0
  uint64_t          n_samples;
  double           *links;    // shape [2, ranks, ranks], measured bandwidths and latencies; or NULL
  size_t            n_links;  // ranks * ranks
  double           *share;    // shape [n_exits]
  bool              has_share;
  ee_placement_forecast placed;   // of units, if samples are on several devices at once
  double               *loss;     // shape [n_layers + 1], of accuracy by 8 bits at each cut; NULL
  bool                 *int8_at;  // cuts of 8 bits that were chosen; NULL: none, or rank 0's
} ee_run_inputs;

/** Open all inputs.  Collective: rank 0 opens the data, and the first error of any rank is
 *  returned on all. */
ee_status ee_run_inputs_open(MPI_Comm comm, const ee_run_options *options, ee_run_inputs *inputs);

/** Close what was opened.  Collective on the simulated clock. */
void ee_run_inputs_close(ee_run_inputs *inputs);

/** Speed that the model's profile measured on this host [FLOP/s]; 0 if it was never profiled. */
double ee_profiled_flops(const ee_model *model);

/** Whether layers count as work what they took when profiled, not their operations: if there is a
 *  profile and the devices, or some of them, are measured by this host; @p fleet NULL: all are. */
bool ee_counts_seconds(const ee_model *model, const ee_fleet *fleet);

/** Write to @p text of @p size bytes that speeds are EE_ASSUMED_FLOPS, and return it, if nothing
 *  tells them: neither @p fleet, which may be NULL, nor the profile of @p model at @p path; else
 *  return NULL. */
const char *ee_assumed_speed(const char *path, const ee_model *model, const ee_fleet *fleet,
                             char *text, size_t size);

/** The clock that a run with @p fleet goes by: "real", "paced" or "simulated". */
const char *ee_run_clock(const ee_fleet *fleet);

/** Whether a device of @p fleet has its speed relative to this host. */
bool ee_fleet_is_relative(const ee_fleet *fleet);
