/* SPDX-License-Identifier: Apache-2.0 */
/* Learn the first exit's threshold as the released program UCBEE may: AdaEE without the clip, so
 * that an offload to a less confident last exit counts against it. */
#include <stdlib.h>

#include "adaptive.h"

static ee_status create(const char *arguments, const ee_policy_setting *setting, void **self) {
  return ee_adaptive_create("ucbee", false, arguments, setting, self);
}

const ee_policy_ops ee_policy_ucbee = {
    .name        = "ucbee",
    .help        = "adaee with gains that may be negative\n" EE_ADAPTIVE_HELP,
    .state_bytes = sizeof(ee_adaptive_state),
    .needs       = EE_NEEDS_CONFIDENCE,
    .create      = create,
    .decide      = ee_adaptive_decide,
    .answer      = ee_adaptive_answer,
    .learning    = &ee_adaptive_learning,
    .arms        = &ee_adaptive_arms,
    .destroy     = free,
};
