/* SPDX-License-Identifier: Apache-2.0 */
/* Nobody leaves early: every sample goes to the last exit. */
#include <stdlib.h>

#include "ee/policy.h"
#include "policy_arguments.h"

static ee_status create(const char *arguments, const ee_policy_setting *setting, void **self) {
  static const char *const known[] = {NULL};
  (void)setting;
  *self = NULL;
  return ee_arguments_check("final", arguments, known);
}

static ee_decision decide(const void *self, const ee_exit_view *view, void *state) {
  (void)self;
  (void)view;
  (void)state;
  return EE_GO_ON;
}

const ee_policy_ops ee_policy_final = {
    .name    = "final",
    .help    = "every sample goes to the last exit; no keys",
    .create  = create,
    .decide  = decide,
    .destroy = free,
};
