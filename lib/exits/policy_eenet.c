/* SPDX-License-Identifier: Apache-2.0 */
/* Leave at the first exit whose learned score is above the limit: EENets (Demir and Akbas, arXiv
 * 2409.05336).  A second head of each exit was trained with the network to say how much of the
 * answer the exit should give; the exit's own prediction answers, as in their tests. */
#include <math.h>
#include <stdlib.h>

#include "policy_arguments.h"
#include "policy_limits.h"

static ee_status create(const char *arguments, const ee_policy_setting *setting, void **self) {
  static const char *const known[] = {EE_LIMIT_KEYS, NULL};
  ee_policy_limits        *limits  = NULL;

  EE_TRY(ee_arguments_check("eenet", arguments, known));
  EE_TRY(ee_policy_limits_read("eenet", arguments, setting, 0.0, 1.0, &limits));
  *self = limits;
  return EE_OK;
}

/* An exit without a score has NaN, which is above nothing. */
static ee_decision decide(const void *self, const ee_exit_view *view, void *state) {
  const ee_policy_limits *limits = self;
  (void)state;
  return view->score > limits->limit[view->exit] ? EE_LEAVE : EE_GO_ON;
}

static float measure(const ee_exit_view *view, const ee_exit_view *before) {
  (void)before;
  return view->score > 0.0f ? view->score : -INFINITY;
}

/* Above the number below it is at least it. */
static float limit(float least) {
  return fminf(nextafterf(least, -1.0f), 1.0f);
}

static const ee_policy_measure measured = {.of = measure, .limit = limit};

const ee_policy_ops ee_policy_eenet = {
    .name    = "eenet",
    .help    = "leave if the exit's learned score is above X, in [0, 1]\n" EE_LIMIT_HELP,
    .needs   = EE_NEEDS_SCORE,
    .create  = create,
    .decide  = decide,
    .measure = &measured,
    .destroy = free,
};
