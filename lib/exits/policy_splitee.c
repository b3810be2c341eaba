/* SPDX-License-Identifier: Apache-2.0 */
/* Learn where to split: SplitEE (arXiv 2309.09195).  Only the chosen exit is
 * evaluated, so that the heads before it could be left out. */
#include <stdlib.h>

#include "split.h"

static ee_status create(const char *arguments, const ee_policy_setting *setting, void **self) {
  static const ee_split_kind kind = {.name = "splitee", .alpha = 0.7, .side = false};
  return ee_split_create(&kind, arguments, setting, self);
}

const ee_policy_ops ee_policy_splitee = {
    .name        = "splitee",
    .help        = "learn the exit at which samples leave or are offloaded\n" EE_SPLIT_HELP("0.7"),
    .state_bytes = sizeof(ee_split_state),
    .needs       = EE_NEEDS_CONFIDENCE,
    .create      = create,
    .decide      = ee_split_decide,
    .learning    = &ee_split_learning,
    .arms        = &ee_split_arms,
    .destroy     = free,
};
