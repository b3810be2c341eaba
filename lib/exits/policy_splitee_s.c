/* SPDX-License-Identifier: Apache-2.0 */
/* Learn where to split from all exits passed: SplitEE-S (arXiv 2309.09195).
 * The device knows every exit up to the chosen one, so that each sample teaches several arms. */
#include <stdlib.h>

#include "split.h"

static ee_status create(const char *arguments, const ee_policy_setting *setting, void **self) {
  static const ee_split_kind kind = {.name = "splitee-s", .alpha = 0.7, .side = true};
  return ee_split_create(&kind, arguments, setting, self);
}

const ee_policy_ops ee_policy_splitee_s = {
    .name = "splitee-s",
    .help = "splitee that learns from every exit passed\n" EE_SPLIT_HELP(
        "0.7") "\nreleased=1     offline: use the last exit of samples that left before it",
    .state_bytes = sizeof(ee_split_state),
    .needs       = EE_NEEDS_CONFIDENCE,
    .create      = create,
    .decide      = ee_split_decide,
    .learning    = &ee_split_learning,
    .arms        = &ee_split_arms,
    .destroy     = free,
};
