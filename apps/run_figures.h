/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "report_print.h"
#include "run_summary.h"

/** @file run_figures.h  The figures of a finished run, and their form for programs. */
typedef struct ee_run_figures {
  ee_trace_header     header;
  ee_report_input     input;  // answers and epochs in memory, no events
  ee_report           report;
  const ee_model     *model;
  const ee_fleet     *fleet;  // NULL: the real clock
  const ee_run_setup *setup;
  double              link_loss;  // of accuracy, that the first plan's links of 8 bits were said
                                  // to lose; NaN: not measured
  char                  foreign[1024];  // why the accuracy is not that of these links; "": it is
  const ee_run_outcome *outcome;
  double                predicted, measured;  // period over the last epochs [s]; NaN: unknown
  double                least_period;         // as samples come in [s]
  ee_placement_forecast placed;               // what units promised, if there are any
  int                   compared;             // epochs that it was compared over; 0: the stream
  const char           *clock;                // of the run: real, paced or simulated
  bool                  paced, honest;        // whether a fleet held back; whether nothing else did
  double                energy;               // of devices whose watts the fleet says [J]
  double                cpu;                  // cores that all devices used together
  long                  cores;                // that this host has
  double                late_share;           // of batches that took longer than modelled
} ee_run_figures;

ee_status ee_run_figures_make(const ee_run_options *options, const ee_run_inputs *inputs,
                              const ee_run_setup *setup, const ee_run_trace *trace,
                              const ee_run_outcome *outcome, bool complete,
                              ee_run_figures *figures);

/** Print one JSON object. */
ee_status ee_run_figures_json(const ee_run_figures *figures);

/** What all devices did of samples that were on several at once. */
ee_team_totals ee_run_team_sum(const ee_run_figures *figures);

/** Name of device @p d in the fleet; "" without one. */
const char *ee_run_device_name(const ee_run_figures *figures, int d);

/** Samples that devices met behind their latency limits, and dropped. */
int64_t ee_run_dropped(const ee_run_figures *figures);

/** Energy of device @p d by the watts of its fleet; NAN if they are not said [J]. */
double ee_run_energy(const ee_run_figures *figures, int d);

void ee_run_figures_clear(ee_run_figures *figures);
