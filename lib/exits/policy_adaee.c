/* SPDX-License-Identifier: Apache-2.0 */
/* Learn the first exit's threshold: AdaEE (ICC 2023), whose gain of an offload is never below 0. */
#include <stdlib.h>

#include "adaptive.h"

static ee_status create(const char *arguments, const ee_policy_setting *setting, void **self) {
  return ee_adaptive_create("adaee", true, arguments, setting, self);
}

const ee_policy_ops ee_policy_adaee = {
    .name = "adaee",
    .help = "learn the threshold of the first exit by what offloading gains\n" EE_ADAPTIVE_HELP,
    .state_bytes = sizeof(ee_adaptive_state),
    .needs       = EE_NEEDS_CONFIDENCE,
    .create      = create,
    .decide      = ee_adaptive_decide,
    .answer      = ee_adaptive_answer,
    .learning    = &ee_adaptive_learning,
    .arms        = &ee_adaptive_arms,
    .destroy     = free,
};
