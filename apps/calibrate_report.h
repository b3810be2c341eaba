/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>

#include "ee/measures.h"

/**
 * @file calibrate_report.h
 * What a calibration changed, and how it is told.
 */

/** One exit, measured before [0] and after [1] on the samples to measure on. */
typedef struct ee_exit_change {
  double         temperature[2];
  int64_t        fitted;  // samples that the temperature was fitted on
  ee_measures    measures[2];
  ee_measures    vector;    // with vector scaling instead, if compared
  ee_reliability isotonic;  // with isotonic regression instead, if compared
} ee_exit_change;

typedef struct ee_calibration {
  const char     *mode;       // by its name on the command line
  bool            targeted;   // whether the mode looks at the target
  double          target;     // confidence at which an exit takes a sample
  const char     *fit_path;   // what was fitted on
  int64_t         fit_n;      // samples of it
  const char     *test_path;  // what was measured on
  int64_t         test_n;
  bool            unseen;  // nothing measured on was fitted on
  bool            compared;
  int             n_exits;
  ee_exit_change *exit;  // shape [n_exits]
} ee_calibration;

/** Measure every exit of @p test under temperatures exit[].temperature and, if compared, under
 *  vector scaling and isotonic regression fitted on @p fit.  EE_OK; EE_ERR_NOMEM. */
ee_status ee_calibration_measure(ee_calibration *c, const ee_score_table *fit,
                                 const ee_score_table *test);

void      ee_calibration_print(const ee_calibration *c);
ee_status ee_calibration_print_json(const ee_calibration *c);

/** Write the diagrams before and after to @p path. */
ee_status ee_calibration_save_reliability(const ee_calibration *c, const char *path);

#define EE_CALIBRATION_LINE "temperatures: "  // how it begins

/** A line that says how the temperatures were found, without a line end. */
void ee_calibration_line(const ee_calibration *c, char *line, int bytes);
