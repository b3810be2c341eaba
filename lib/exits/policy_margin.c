/* SPDX-License-Identifier: Apache-2.0 */
/* Leave at the first exit whose two largest probabilities are at least the margin apart. */
#include <stdlib.h>

#include "ee/confidence.h"
#include "policy_arguments.h"
#include "policy_limits.h"

static ee_status create(const char *arguments, const ee_policy_setting *setting, void **self) {
  static const char *const known[] = {EE_LIMIT_KEYS, NULL};
  ee_policy_limits        *limits  = NULL;

  EE_TRY(ee_arguments_check("margin", arguments, known));
  EE_TRY(ee_policy_limits_read("margin", arguments, setting, 0.0, 1.0, &limits));
  *self = limits;
  return EE_OK;
}

static ee_decision decide(const void *self, const ee_exit_view *view, void *state) {
  const ee_policy_limits *limits = self;
  float                   margin = ee_margin(view->probability, view->n_classes);
  (void)state;
  return margin >= limits->limit[view->exit] ? EE_LEAVE : EE_GO_ON;
}

const ee_policy_ops ee_policy_margin = {
    .name = "margin",
    .help =
        "leave if the two largest probabilities are at least X apart, in [0, 1]\n" EE_LIMIT_HELP,
    .needs   = EE_NEEDS_PROBABILITY,
    .create  = create,
    .decide  = decide,
    .destroy = free,
};
