/* SPDX-License-Identifier: Apache-2.0 */
/* Leave at the first exit whose entropy is below the limit, as in BranchyNet (Teerapittayanon,
 * McDanel and Kung, 2016): strictly below, in nats; or the entropy divided by ln n_classes. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "ee/confidence.h"
#include "policy_arguments.h"
#include "policy_limits.h"

typedef struct entropy_policy {
  bool              normalised;
  ee_policy_limits *limits;
} entropy_policy;

static void destroy(void *self) {
  entropy_policy *policy = self;
  free(policy->limits);
  free(policy);
}

static ee_status create(const char *arguments, const ee_policy_setting *setting, void **self) {
  static const char *const known[] = {EE_LIMIT_KEYS, "normalised", NULL};
  entropy_policy           read    = {0};

  EE_TRY(ee_arguments_check("entropy", arguments, known));
  EE_TRY(ee_arguments_flag("entropy", arguments, "normalised", &read.normalised));
  EE_TRY(ee_policy_limits_read("entropy", arguments, setting, 0.0, FLT_MAX, &read.limits));
  entropy_policy *policy = malloc(sizeof *policy);
  if (policy == NULL) {
    free(read.limits);
    return EE_FAIL(EE_ERR_NOMEM, "for policy entropy");
  }
  *policy = read;
  *self   = policy;
  return EE_OK;
}

static ee_decision decide(const void *self, const ee_exit_view *view, void *state) {
  const entropy_policy *policy = self;
  float entropy = policy->normalised ? ee_normalised_entropy(view->probability, view->n_classes)
                                     : ee_entropy(view->probability, view->n_classes);
  (void)state;
  return entropy < policy->limits->limit[view->exit] ? EE_LEAVE : EE_GO_ON;
}

static float measure(const ee_exit_view *view, const ee_exit_view *before) {
  (void)before;
  return -ee_entropy(view->probability, view->n_classes);
}

/* Below the number above it is at most it. */
static float limit(float least) {
  return fmaxf(nextafterf(-least, INFINITY), 0.0f);
}

static const ee_policy_measure measured = {.of = measure, .limit = limit};

const ee_policy_ops ee_policy_entropy = {
    .name = "entropy",
    .help = "leave if the entropy is below X, at least 0 [nat]\n" EE_LIMIT_HELP
            "\n"
            "normalised=1   divide the entropy by ln(classes), so that it is in [0, 1]",
    .needs   = EE_NEEDS_PROBABILITY,
    .create  = create,
    .decide  = decide,
    .measure = &measured,
    .destroy = destroy,
};
