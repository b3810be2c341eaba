/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/controller.h"
#include "estimate.h"

/**
 * @file rules.h
 * When a better plan is adopted: rules to choose from.  Pure functions of what all ranks know
 * alike.
 */

/** A plan in force and one that might follow. */
typedef struct ee_choice {
  const ee_controller_options *options;
  const ee_estimate           *estimate;
  const ee_plan               *plan, *other;
  ee_forecast                  now, best;   // of the two; best: what such a plan missed is counted
  bool                         by_latency;  // what the plans are compared by; else by period
  double                       T, B;        // these figures of the two, not below `least` [s]
  double                       least;       // shortest period that is a gain, as of a source [s]
  double
      remaining;  // samples of the stream that would follow the other plan if moving took no time
} ee_choice;

struct ee_rule {
  const char *name, *help;
  /** Adopt, or why not.  T is finite, B less than T. */
  ee_verdict (*judge)(const ee_choice *choice);
  bool patient;  // what it adopts must last for `hold` epochs, and moves keep their distance
  bool near;     // near the best plan the one that moves least is as good
  bool at_random_times;  // it looks once in a while, `look_every` epochs apart in the mean
};

/** All rules, ended by NULL. */
const ee_rule *const *ee_rules(void);
