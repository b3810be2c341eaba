/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>

#include "band_options.h"
#include "ee/units.h"

/** @file team_options.h  Samples on several devices at once, on the command lines that ask for it.
 */
typedef struct ee_team_wish {
  const char *branches;  // NULL: not asked for; "latency", "period", or who computes which branch
  ee_band_options bands;
  int             window, ahead;
  double          late;  // [s]; INFINITY: lanes are waited for
} ee_team_wish;

/** What the options are if they are not given. */
ee_team_wish ee_team_wish_none(void);

/** Whether samples are to be on several devices at once. */
bool ee_team_is_wished(const ee_team_wish *wish);

/** Whether a planner places branches, for latency or period: such may move. */
bool ee_team_is_placed(const ee_team_wish *wish);

/** "--branches" or "--bands", whichever asks for it. */
const char *ee_team_wish_name(const ee_team_wish *wish);

/** EE_ERR_USAGE unless the options go together. */
ee_status ee_team_wish_check(const ee_team_wish *wish);

/** Add their rows to a table of options.  Returns how many. */
int ee_team_add_options(ee_team_wish *wish, ee_option *to);

/**
 * Give the units of branches to devices as "1/2,3/0@4" says: branch 1 on device 1; of branch 2 the
 * first stage on device 2 and all later ones on 3; branch 3 on 0; and what joins them, and what is
 * in front of them, on 4, or without that on 0.
 * @return EE_OK; EE_ERR_USAGE with what is wrong and what was expected
 */
ee_status ee_team_place(const char *text, int n_devices, ee_units *units);

/** Write who computes what, as ee_team_place() reads it, to @p text of @p size bytes (cut short if
 *  need be); return @p text. */
const char *ee_team_text(const ee_units *units, char *text, int size);
