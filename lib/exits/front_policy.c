/* SPDX-License-Identifier: Apache-2.0 */
/* The front over a policy's limits: its measures stand in for confidences. */
#include <math.h>
#include <stdlib.h>

#include "ee/thresholds.h"

static float *measures_of(const ee_exit_table *table, const ee_policy_measure *measure) {
  int    n_exits  = table->n_exits;
  float *measures = malloc((size_t)table->n * (size_t)n_exits * sizeof *measures);
  for (int64_t i = 0; i < table->n && measures != NULL; i++) {
    ee_exit_view before, view;
    for (int e = 0; e < n_exits; e++, before = view) {
      view                      = ee_exit_view_of_row(table, i, e);
      float x                   = measure->of(&view, e > 0 ? &before : NULL);
      measures[i * n_exits + e] = isnan(x) ? -INFINITY : x;
    }
  }
  return measures;
}

static ee_status check(const ee_exit_table *table, const ee_policy_ops *policy) {
  static const char *const what[] = {"confidences", "probabilities", "scores"};
  unsigned                 lacks  = policy->needs & ee_exit_table_lacks(table);
  if (table->n < 1) return EE_FAIL(EE_ERR_ARG, "searching limits needs samples, there are none");
  if (policy->measure == NULL) {
    return EE_FAIL(EE_ERR_ARG, "policy %s has no limit for each exit that could be searched",
                   policy->name);
  }
  for (int k = 0; k < 3; k++) {
    if (!(lacks & (1u << k))) continue;
    return EE_FAIL(EE_ERR_ARG, "searching limits of %s needs %s, which the table does not have",
                   policy->name, what[k]);
  }
  return EE_OK;
}

ee_status ee_front_of_policy(const ee_exit_table *table, const ee_policy_ops *policy,
                             const ee_front_options *options, ee_front *front) {
  *front = (ee_front){0};
  EE_TRY(check(table, policy));
  ee_exit_table measured = *table;
  measured.confidence    = measures_of(table, policy->measure);
  if (measured.confidence == NULL) {
    return EE_FAIL(EE_ERR_NOMEM, "for the measures of %lld samples", (long long)table->n);
  }
  ee_status status = ee_front_search(&measured, options, front);
  free(measured.confidence);
  for (int64_t k = 0; k < (int64_t)front->n * front->n_early; k++) {
    front->threshold[k] = policy->measure->limit(front->threshold[k]);
  }
  return status;
}
