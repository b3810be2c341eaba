/* SPDX-License-Identifier: Apache-2.0 */
/* Leave from thresholds on that were fitted to a table for a budget: MSDNet's budgeted batch
 * classification (Huang et al., 2018).  thresholds.h says how. */
#include <stdlib.h>

#include "ee/thresholds.h"
#include "policy_arguments.h"
#include "policy_keys.h"

typedef struct budgeted_policy {
  bool  feasible;     // the budget is kept
  float threshold[];  // shape [n_exits - 1]
} budgeted_policy;

static ee_status fit(const char *text, const ee_policy_setting *setting, budgeted_policy *policy) {
  static const char *const known[] = {"budget", "step", NULL};
  double                   budget  = 0.0, cost;
  int                      step    = 0;
  bool                     by_step = ee_arguments_have(text, "step");
  EE_TRY(ee_arguments_check("budgeted", text, known));
  if (by_step == ee_arguments_have(text, "budget")) {
    return EE_FAIL(EE_ERR_USAGE, "policy budgeted: %s, expected budget=X or step=N",
                   by_step ? "both budget and step are given" : "neither budget nor step is given");
  }
  if (setting->table == NULL) {
    return EE_FAIL(EE_ERR_USAGE,
                   "policy budgeted needs an exit table to fit its thresholds to; give one with "
                   "--exits");
  }
  EE_TRY(ee_key_number("budgeted", text, "budget", 0.0, 1.0, &budget));
  EE_TRY(ee_key_integer("budgeted", text, "step", 1, EE_BUDGET_STEPS, &step));
  policy->feasible = true;
  if (by_step) return ee_budgeted_step(setting->table, step, policy->threshold, &cost);
  return ee_budgeted_thresholds(setting->table, budget, policy->threshold, &cost,
                                &policy->feasible);
}

static ee_status create(const char *arguments, const ee_policy_setting *setting, void **self) {
  size_t           n      = (size_t)setting->n_exits;
  budgeted_policy *policy = calloc(1, sizeof *policy + n * sizeof policy->threshold[0]);
  if (policy == NULL) return EE_FAIL(EE_ERR_NOMEM, "for policy budgeted");
  ee_status status = fit(arguments, setting, policy);
  if (status != EE_OK) {
    free(policy);
    return status;
  }
  *self = policy;
  return EE_OK;
}

static bool feasible(const void *self) {
  return ((const budgeted_policy *)self)->feasible;
}

static ee_decision decide(const void *self, const ee_exit_view *view, void *state) {
  const budgeted_policy *policy = self;
  (void)state;
  return view->confidence >= policy->threshold[view->exit] ? EE_LEAVE : EE_GO_ON;
}

const ee_policy_ops ee_policy_budgeted = {
    .name = "budgeted",
    .help =
        "thresholds fitted to the table for a budget of computation\n"
        "budget=X       share of the full cost, above 0, up to 1; or\n"
        "step=N         of 39, where exit k answers in proportion to (N / 20)^k",
    .needs    = EE_NEEDS_CONFIDENCE,
    .create   = create,
    .feasible = feasible,
    .decide   = decide,
    .destroy  = free,
};
