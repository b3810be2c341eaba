/* SPDX-License-Identifier: Apache-2.0 */
/* Learn where to split images of changing quality: I-SplitEE (arXiv 2401.10541).
 * SplitEE with exits several layers apart, which pay for the layers that they stand after; the
 * released program updates every arm ever chosen with each reward, which is not followed. */
#include <stdlib.h>

#include "split.h"

static ee_status create(const char *arguments, const ee_policy_setting *setting, void **self) {
  static const ee_split_kind kind = {.name = "isplitee", .alpha = 0.5, .side = false};
  return ee_split_create(&kind, arguments, setting, self);
}

const ee_policy_ops ee_policy_isplitee = {
    .name        = "isplitee",
    .help        = "splitee for exits several layers apart\n" EE_SPLIT_HELP("0.5"),
    .state_bytes = sizeof(ee_split_state),
    .needs       = EE_NEEDS_CONFIDENCE,
    .create      = create,
    .decide      = ee_split_decide,
    .learning    = &ee_split_learning,
    .arms        = &ee_split_arms,
    .destroy     = free,
};
