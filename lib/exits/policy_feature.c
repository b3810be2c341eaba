/* SPDX-License-Identifier: Apache-2.0 */
/* Leave when the fused feature has stopped changing, after DistrEE (arXiv 2502.15735), whose
 * equations are not published: this is a reconstruction.  The exit's score is 1 / (1 + d) with
 *
 *   d_e = ||F_e - F_(e-1)|| / (||F_(e-1)|| + eps)
 *
 * or another difference of features, which the network computes itself (docs/distree.md). */
#include <stdlib.h>

#include "successive.h"

static ee_status create(const char *arguments, const ee_policy_setting *setting, void **self) {
  return ee_difference_limits("feature", arguments, setting, self);
}

/* Minus d; NaN at an exit without a score, which is at most nothing. */
static float measure(const ee_exit_view *view, const ee_exit_view *before) {
  (void)before;
  return 1.0f - 1.0f / view->score;
}

static ee_decision decide(const void *self, const ee_exit_view *view, void *state) {
  const ee_policy_limits *limits = self;
  (void)state;
  return -measure(view, NULL) <= limits->limit[view->exit] ? EE_LEAVE : EE_GO_ON;
}

static const ee_policy_measure measured = {.of = measure, .limit = ee_difference_limit};

const ee_policy_ops ee_policy_feature = {
    .name = "feature",
    .help =
        "leave if the feature's difference, 1 / score - 1, is at most X, at least "
        "0\n" EE_DIFFERENCE_HELP,
    .needs   = EE_NEEDS_SCORE,
    .create  = create,
    .decide  = decide,
    .measure = &measured,
    .destroy = free,
};
