/* SPDX-License-Identifier: Apache-2.0 */
/* What the policies share that compare an exit with the one before it. */
#include "successive.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "policy_arguments.h"

#define NOBODY -1.0  // a limit of one exit below every difference

typedef struct successive {
  ee_difference *difference;
  int            n_classes;
  float          limit[];  // shape [n_exits - 1]
} successive;

ee_status ee_difference_limits(const char *policy, const char *arguments,
                               const ee_policy_setting *setting, void **limits) {
  static const char *const known[] = {EE_LIMIT_KEYS, NULL};
  ee_policy_limits        *read    = NULL;

  EE_TRY(ee_arguments_check(policy, arguments, known));
  double lowest = ee_arguments_have(arguments, "values") ? NOBODY : 0.0;
  EE_TRY(ee_policy_limits_read(policy, arguments, setting, lowest, FLT_MAX, &read));
  *limits = read;
  return EE_OK;
}

float ee_difference_limit(float least) {
  return fmaxf(-least, (float)NOBODY);
}

ee_status ee_successive_create(const char *policy, const char *arguments,
                               const ee_policy_setting *setting, ee_difference *difference,
                               void **self) {
  void *read = NULL;
  EE_TRY(ee_difference_limits(policy, arguments, setting, &read));
  const ee_policy_limits *limits = read;
  size_t                  bytes  = (size_t)limits->n * sizeof limits->limit[0];
  successive             *s      = malloc(sizeof *s + bytes);
  if (s != NULL) {
    s->difference = difference;
    s->n_classes  = setting->n_classes;
    memcpy(s->limit, limits->limit, bytes);
  }
  free(read);
  *self = s;
  return s != NULL ? EE_OK : EE_FAIL(EE_ERR_NOMEM, "for policy %s", policy);
}

size_t ee_successive_state(const void *self) {
  const successive *s = self;
  return (size_t)s->n_classes * sizeof(float);
}

float ee_successive_measure(const ee_exit_view *view, const ee_exit_view *before,
                            ee_difference *difference) {
  if (before == NULL) return -INFINITY;
  return -(float)difference(view->probability, before->probability, view->n_classes);
}

ee_decision ee_successive_decide(const void *self, const ee_exit_view *view, void *state) {
  const successive *s       = self;
  ee_exit_view      before  = {.probability = state};
  float             measure = -INFINITY;
  if (view->exit > 0) measure = ee_successive_measure(view, &before, s->difference);
  memcpy(state, view->probability, (size_t)s->n_classes * sizeof(float));
  return -measure <= s->limit[view->exit] ? EE_LEAVE : EE_GO_ON;
}
