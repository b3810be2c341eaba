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
  double highest = ee_arguments_have(arguments, "values") ? EE_NOBODY_LEAVES : 1.0;
  EE_TRY(ee_policy_limits_read("margin", arguments, setting, 0.0, highest, &limits));
  *self = limits;
  return EE_OK;
}

static float measure(const ee_exit_view *view, const ee_exit_view *before) {
  (void)before;
  return ee_margin(view->probability, view->n_classes);
}

static ee_decision decide(const void *self, const ee_exit_view *view, void *state) {
  const ee_policy_limits *limits = self;
  (void)state;
  return measure(view, NULL) >= limits->limit[view->exit] ? EE_LEAVE : EE_GO_ON;
}

static const ee_policy_measure measured = {.of = measure, .limit = ee_policy_limit_as_it_is};

const ee_policy_ops ee_policy_margin = {
    .name = "margin",
    .help = "leave if the two largest probabilities are at least X apart, in [0, 1]\n" EE_LIMIT_HELP
            "; 2: nobody leaves there",
    .needs   = EE_NEEDS_PROBABILITY,
    .create  = create,
    .decide  = decide,
    .measure = &measured,
    .destroy = free,
};
