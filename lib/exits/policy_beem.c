/* SPDX-License-Identifier: Apache-2.0 */
/* Leave when exits that agree are sure enough together: BEEM (arXiv 2502.00745).
 *
 * S_e = S_(e-1) + w_e C_e if exit e predicts what exit e - 1 did, else w_e C_e; leave if S_e is at
 * least the value.  The weights are costs (BEEM-C: layers times cost of a layer) or the accuracies
 * of the exits, given as numbers (BEEM-A).  With zero=1 a disagreement restarts at 0, not at the
 * exit's own term.  The released program counts agreements only and never uses S. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "policy_arguments.h"
#include "policy_keys.h"

typedef struct beem_policy {
  double value;
  bool   zero;
  double weight[];  // shape [n_exits - 1]
} beem_policy;

typedef struct beem_state {
  double  score;
  int32_t before;
} beem_state;

static ee_status read_weights(const char *text, const ee_policy_setting *setting, int n,
                              beem_policy *policy) {
  ee_policy_costs costs;
  EE_TRY(ee_key_costs("beem", text, setting, &costs));
  for (int e = 0; e < n; e++) policy->weight[e] = ee_cost_until(&costs, e);
  if (!ee_arguments_have(text, "weights")) return EE_OK;
  return ee_arguments_numbers("beem", text, "weights", 0.0, 1e6, n, policy->weight);
}

static ee_status read_all(const char *text, const ee_policy_setting *setting, beem_policy *policy) {
  static const char *const known[] = {"value", "weights", "zero", "lambda", NULL};
  EE_TRY(ee_arguments_check("beem", text, known));
  EE_TRY(ee_arguments_numbers("beem", text, "value", 0.0, 1e9, 1, &policy->value));
  EE_TRY(ee_arguments_flag("beem", text, "zero", &policy->zero));
  return read_weights(text, setting, setting->n_exits - 1, policy);
}

static ee_status create(const char *arguments, const ee_policy_setting *setting, void **self) {
  beem_policy *policy = calloc(1, sizeof *policy + (size_t)setting->n_exits * sizeof(double));
  if (policy == NULL) return EE_FAIL(EE_ERR_NOMEM, "for policy beem");
  ee_status status = read_all(arguments, setting, policy);
  if (status != EE_OK) {
    free(policy);
    return status;
  }
  *self = policy;
  return EE_OK;
}

static ee_decision decide(const void *self, const ee_exit_view *view, void *state) {
  const beem_policy *policy = self;
  beem_state         s;
  memcpy(&s, state, sizeof s);
  double term  = policy->weight[view->exit] * view->confidence;
  bool   first = view->exit == 0;
  if (first || view->prediction == s.before) {
    s.score += term;
  } else {
    s.score = policy->zero ? 0.0 : term;
  }
  s.before = view->prediction;
  memcpy(state, &s, sizeof s);
  return s.score >= policy->value ? EE_LEAVE : EE_GO_ON;
}

const ee_policy_ops ee_policy_beem = {
    .name = "beem",
    .help =
        "leave when the weighted confidences of exits that agree add up to X\n"
        "value=X        needed\n"
        "weights=W/W/.. of the early exits; default: cost until the exit\n"
        "zero=1         restart at 0 on disagreement, not at the exit's own "
        "term\n" EE_LAYER_COST_HELP,
    .state_bytes = sizeof(beem_state),
    .needs       = EE_NEEDS_CONFIDENCE,
    .create      = create,
    .decide      = decide,
    .destroy     = free,
};
