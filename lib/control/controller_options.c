/* SPDX-License-Identifier: Apache-2.0 */
/* What may be chosen of a controller: defaults, and values by their names. */
#include <string.h>

#include "ee/controller.h"

ee_controller_options ee_controller_defaults(void) {
  return (ee_controller_options){.rebalance  = true,
                                 .rule       = ee_rule_by_name("gain"),
                                 .planner    = ee_planner_by_name("exact"),
                                 .min_gain   = 0.10,
                                 .near       = 0.005,
                                 .error_bars = 3.0,
                                 .hold       = 2,
                                 .cooldown   = 2,
                                 .look_every = 8,
                                 .seed       = 1};
}

int ee_move_mode_by_name(const char *name) {
  static const char *const names[] = {
      [EE_MOVE_LIVE] = "live", [EE_MOVE_BUILD] = "build", [EE_MOVE_DRAIN] = "drain"};
  for (int i = 0; i <= EE_MOVE_DRAIN; i++) {
    if (strcmp(names[i], name) == 0) return i;
  }
  return -1;
}

int ee_weights_by_name(const char *name) {
  static const char *const names[] = {
      [EE_WEIGHTS_PEER] = "peer", [EE_WEIGHTS_FILE] = "file", [EE_WEIGHTS_AUTO] = "auto"};
  for (int i = 0; i <= EE_WEIGHTS_AUTO; i++) {
    if (strcmp(names[i], name) == 0) return i;
  }
  return -1;
}
