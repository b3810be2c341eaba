/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/band_choice.h"
#include "ee/options.h"

/** @file band_options.h  Bands of rows, on the command lines that ask for them. */
typedef struct ee_band_options {
  const char *heights;  // "auto" or "A/B/...": parts of the rows; NULL: no bands
  const char *borders;  // auto, together or apart
  int         fuse;     // layers from one exchange to the next at most; 0: any number
} ee_band_options;

/** What the options are if they are not given. */
ee_band_options ee_band_options_none(void);

/** Their rows in a table of options, each to fill its part of @p o. */
ee_option ee_band_heights_option(ee_band_options *o);
ee_option ee_band_borders_option(ee_band_options *o);
ee_option ee_band_fuse_option(ee_band_options *o);

/** EE_ERR_USAGE if --borders has no such value, or if it or --fuse is given where @p asked is
 * false: there are no bands. */
ee_status ee_band_options_check(const ee_band_options *o, bool asked);

/**
 * The wish that the options are.
 * @param share   as in ee_band_wish
 * @param height  shape [n_devices], which the wish borrows if heights are given
 * @return EE_OK; EE_ERR_USAGE unless there is a part for each device, and some rows in all
 */
ee_status ee_band_wish_make(const ee_band_options *o, int n_devices, const double *share,
                            double *height, ee_band_wish *wish);
