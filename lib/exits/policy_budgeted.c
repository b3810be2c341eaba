/* SPDX-License-Identifier: Apache-2.0 */
/* Leave from thresholds on that were fitted to a table for a budget: MSDNet's budgeted batch
 * classification (Huang et al., 2018).  thresholds.h says how. */
#include <stdlib.h>

#include "ee/thresholds.h"
#include "policy_arguments.h"
#include "policy_keys.h"
#include "policy_limits.h"

static ee_status fit(const char *text, const ee_policy_setting *setting, float *threshold) {
  static const char *const known[] = {"budget", "step", NULL};
  double                   budget  = 0.0, cost;
  int                      step    = 0;
  bool                     by_step = ee_arguments_have(text, "step");
  EE_TRY(ee_arguments_check("budgeted", text, known));
  if (by_step == ee_arguments_have(text, "budget")) {
    return EE_FAIL(EE_ERR_ARG, "policy budgeted needs budget=X or step=N");
  }
  if (setting->table == NULL) {
    return EE_FAIL(EE_ERR_ARG,
                   "policy budgeted needs an exit table to fit its thresholds to; give one with "
                   "--exits");
  }
  EE_TRY(ee_key_number("budgeted", text, "budget", 0.0, 1.0, &budget));
  EE_TRY(ee_key_integer("budgeted", text, "step", 1, EE_BUDGET_STEPS, &step));
  if (by_step) return ee_budgeted_step(setting->table, step, threshold, &cost);
  return ee_budgeted_thresholds(setting->table, budget, threshold, &cost);
}

static ee_status create(const char *arguments, const ee_policy_setting *setting, void **self) {
  size_t            n      = (size_t)setting->n_exits;
  ee_policy_limits *limits = calloc(1, sizeof *limits + n * sizeof limits->limit[0]);
  if (limits == NULL) return EE_FAIL(EE_ERR_NOMEM, "for policy budgeted");
  limits->n        = setting->n_exits - 1;
  ee_status status = fit(arguments, setting, limits->limit);
  if (status != EE_OK) {
    free(limits);
    return status;
  }
  *self = limits;
  return EE_OK;
}

static ee_decision decide(const void *self, const ee_exit_view *view, void *state) {
  const ee_policy_limits *limits = self;
  (void)state;
  return view->confidence >= limits->limit[view->exit] ? EE_LEAVE : EE_GO_ON;
}

const ee_policy_ops ee_policy_budgeted = {
    .name = "budgeted",
    .help =
        "thresholds fitted to the table for a budget of computation\n"
        "budget=X       share of the full cost, above 0, up to 1; or\n"
        "step=N         of 39, where exit k answers in proportion to (N / 20)^k",
    .needs   = EE_NEEDS_CONFIDENCE,
    .create  = create,
    .decide  = decide,
    .destroy = free,
};
