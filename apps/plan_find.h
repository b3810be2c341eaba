/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "band_options.h"
#include "ee/controller.h"
#include "ee/judgement.h"
#include "link_options.h"

/**
 * @file plan_find.h
 * What edgeexit plan finds out: a plan for each number of devices, and what the best is worth.
 */
typedef struct ee_plan_options {
  const char *model, *fleet, *planner, *shares, *exits, *policy;
  int         devices, batch, slots;
  double      max_period;  // 0: no limit [s]
  bool        whole_blocks, front, bands, branches, json;

  ee_link_options link;
  ee_band_options rows;  // of --bands, without heights
} ee_plan_options;

/** What is promised for one number of devices. */
typedef struct ee_promise {
  ee_plan    *plan;        // NULL: none fits, or none keeps to the longest period
  double     *latency;     // shape [n_exits], until an answer of each exit [s]
  double     *bytes;       // shape [n_stages], in use [byte]
  double     *memory;      // shape [n_devices], there is; 0: unlimited [byte]
  double      effort;      // processor time that finding the plan took [s]
  int         head;        // exit whose head the plan waits for; -1: none
  double      head_share;  // part of the bottleneck stage's time that its heads take
  ee_forecast forecast;

  ee_run_setup   setup;      // as asked for, with what is chosen for links
  ee_link_choice link;       // if it is chosen
  double         link_loss;  // accuracy that links of 8 bits lose; NaN: not measured
} ee_promise;

typedef struct ee_promises {
  int               n;           // numbers of devices
  ee_promise       *of;          // shape [n], for 1, 2, ... devices
  const ee_planner *planner;     // that found them
  bool              by_latency;  // it makes latency short
  int               enough;      // for how many there is the plan that uses the fewest, within the
                                 // margin of the best
  ee_plan          *plan;        // that for `enough` devices, as one of all n
  ee_judgement     *judgement;   // on it
  const ee_planner *better;      // one whose plan is better by the margin; NULL: none
  double            better_period;  // of its plan [s]
  char no_plan[EE_MESSAGE_BYTES];   // why the last number of devices that has no plan has none
  bool heuristic;  // the planner took a good order of all n devices, not the best of all orders
} ee_promises;

/** What is asked about, for ee_promises_find() and ee_plan_front_print(). */
typedef struct ee_plan_question {
  const ee_plan_options *options;
  const ee_run_setup    *setup;  // with model and fleet
  const double          *share;  // shape [n_exits]; NULL: every sample goes to the end
  const double          *loss;   // shape [n_layers + 1], of links of 8 bits; NULL: not measured
} ee_plan_question;

/** Find everything.  To be freed also on error.
 *  @return EE_OK; EE_ERR_USAGE if there is no such planner; EE_ERR_ARG if there is no plan for any
 *          number of devices; EE_ERR_NOMEM */
ee_status ee_promises_find(const ee_plan_question *question, ee_promises *promises);

void ee_promises_free(ee_promises *promises);
