/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/link_choice.h"
#include "ee/options.h"

/** @file link_options.h  How values travel between stages, on the command lines that ask for it. */
typedef struct ee_link_options {
  const char *values;    // f32, f16, int8 or auto
  const char *int8;      // "A.h5,B.h5": exit tables, each scored with 8 bits at one cut; or NULL
  double      max_loss;  // of accuracy; NaN: not given
} ee_link_options;

/** What the options are if they are not given: floats as they are. */
ee_link_options ee_link_options_none(void);

/** Their rows in a table of options, each to fill its part of @p o. */
ee_option ee_link_values_option(ee_link_options *o);
ee_option ee_link_loss_option(ee_link_options *o);
ee_option ee_link_tables_option(ee_link_options *o);

/** EE_ERR_USAGE unless the options go together.
 *  @param exits       that of --exits; NULL: none
 *  @param max_period  that of --max-period, which auto does not go by; 0: none */
ee_status ee_link_options_check(const ee_link_options *o, const char *exits, double max_period);

/** EE_ERR_USAGE if a table of --exits-int8 is the file @p out, as ee_refuse_same_file() says it;
 *  @p out may be NULL. */
ee_status ee_link_options_refuse_same_file(const ee_link_options *o, const char *out);

/**
 * Accuracy that 8 bits lose at each cut: that of @p policy on the table @p exits, minus that on
 * each table of the options.
 * @param[out] loss  shape [n_layers + 1], malloc()ed, the caller's; NaN where no table tells; NULL
 *                   without tables
 * @return EE_OK; EE_ERR_ARG if a table is not of the model, of other samples, unlabelled, or not
 *         scored with 8 bits at one cut, or if two tell of the same; as ee_exits_load() does
 */
ee_status ee_link_losses(const ee_link_options *o, const char *exits, const char *policy,
                         const ee_model *model, double **loss);

/** Set link_values and int8_at of @p setup as the options say, for the plan of @p wish; its losses
 *  and limit are filled in.
 *  @param[out] choice  if auto, to be freed; else zeroed
 *  @return as ee_link_values_choose() */
ee_status ee_link_options_apply(const ee_link_options *o, const double *loss, int n_devices,
                                ee_link_wish *wish, ee_run_setup *setup, ee_link_choice *choice);
