/* SPDX-License-Identifier: Apache-2.0 */
/* Exits before and after calibration, and beside other ways to calibrate. */
#include <stdlib.h>

#include "calibrate_report.h"
#include "ee/confidence.h"
#include "ee/scaling.h"

/* Confidences of uncalibrated probabilities, and whether each prediction is right. */
typedef struct judged {
  int64_t n;
  double *confidence;  // shape [n]
  bool   *right;       // shape [n]
} judged;

static void judged_free(judged *j) {
  free(j->confidence);
  free(j->right);
}

static ee_status judge(const ee_scores *s, judged *j) {
  *j = (judged){.n          = s->n,
                .confidence = calloc((size_t)s->n, sizeof *j->confidence),
                .right      = calloc((size_t)s->n, sizeof *j->right)};
  if (j->confidence == NULL || j->right == NULL) {
    judged_free(j);
    return EE_FAIL(EE_ERR_NOMEM, "for %lld confidences", (long long)s->n);
  }
  for (int64_t i = 0; i < s->n; i++) {
    const float *z   = s->logits + i * s->n_classes;
    j->confidence[i] = (double)ee_confidence_at(z, s->n_classes, 1.0);
    j->right[i]      = ee_argmax(z, s->n_classes) == s->label[i];
  }
  return EE_OK;
}

static void apply(const ee_isotonic *fit, judged *test, ee_reliability *diagram) {
  for (int64_t i = 0; i < test->n; i++)
    test->confidence[i] = ee_isotonic_at(fit, test->confidence[i]);
  ee_reliability_make(test->n, test->confidence, test->right, diagram);
}

static ee_status compare_isotonic(const ee_scores *fit, const ee_scores *test,
                                  ee_reliability *diagram) {
  judged on_fit, on_test;
  EE_TRY(judge(fit, &on_fit));
  ee_status status = judge(test, &on_test);
  if (status == EE_OK) {
    ee_isotonic steps;
    status = ee_isotonic_fit(on_fit.n, on_fit.confidence, on_fit.right, &steps);
    if (status == EE_OK) apply(&steps, &on_test, diagram);
    ee_isotonic_free(&steps);
    judged_free(&on_test);
  }
  judged_free(&on_fit);
  return status;
}

static ee_status compare_vector(const ee_scores *fit, const ee_scores *test, ee_measures *m) {
  double *weight = calloc((size_t)fit->n_classes, 2 * sizeof *weight);
  if (weight == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d classes", fit->n_classes);
  double    *bias   = weight + fit->n_classes;
  ee_scaling vector = {.temperature = 1.0, .weight = weight, .bias = bias};
  ee_status  status = ee_calibrate_vector(fit, weight, bias);
  if (status == EE_OK) status = ee_measure(test, &vector, m);
  free(weight);
  return status;
}

ee_status ee_calibration_measure(ee_calibration *c, const ee_score_table *fit,
                                 const ee_score_table *test) {
  for (int e = 0; e < c->n_exits; e++) {
    ee_exit_change *x    = &c->exit[e];
    ee_scores       seen = ee_scores_of(fit, e), scores = ee_scores_of(test, e);
    for (int after = 0; after < 2; after++) {
      ee_scaling scaling = {.temperature = x->temperature[after]};
      EE_TRY(ee_measure(&scores, &scaling, &x->measures[after]));
    }
    if (!c->compared) continue;
    EE_TRY(compare_vector(&seen, &scores, &x->vector));
    EE_TRY(compare_isotonic(&seen, &scores, &x->isotonic));
  }
  return EE_OK;
}
