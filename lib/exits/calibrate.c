/* SPDX-License-Identifier: Apache-2.0 */
/* Temperature scaling of one exit, and the measures that tell whether it helped. */
#include "ee/calibrate.h"

#include <math.h>

#include "ee/confidence.h"
#include "ee/measures.h"

static ee_status check_sample(const ee_scores *scores, int64_t i) {
  int32_t label = scores->label[i];
  if (label < 0 || label >= scores->n_classes) {
    return EE_FAIL(EE_ERR_ARG, "sample %lld has label %d, expected 0 to %d", (long long)i,
                   (int)label, scores->n_classes - 1);
  }
  const float *z = scores->logits + i * scores->n_classes;
  for (int k = 0; k < scores->n_classes; k++) {
    if (!isfinite(z[k])) {
      return EE_FAIL(EE_ERR_ARG, "sample %lld has logit %g for class %d, expected a finite number",
                     (long long)i, (double)z[k], k);
    }
  }
  return EE_OK;
}

ee_status ee_scores_check(const ee_scores *scores) {
  if (scores->n < 1 || scores->n_classes < 1) {
    return EE_FAIL(EE_ERR_ARG, "there are %lld samples of %d classes, expected at least one each",
                   (long long)scores->n, scores->n_classes);
  }
  for (int64_t i = 0; i < scores->n; i++) EE_TRY(check_sample(scores, i));
  return EE_OK;
}

/* sum_k exp((z_k - z_top) / T), which is 1 / p_top. */
static double partition_sum(const float *z, int n, int top, double temperature) {
  double sum = 0.0;
  for (int k = 0; k < n; k++) sum += exp(((double)z[k] - z[top]) / temperature);
  return sum;
}

double ee_nll(const ee_scores *scores, double temperature) {
  double sum = 0.0;
  for (int64_t i = 0; i < scores->n; i++) {
    const float *z   = scores->logits + i * scores->n_classes;
    int          top = ee_argmax(z, scores->n_classes);
    sum += log(partition_sum(z, scores->n_classes, top, temperature)) -
           ((double)z[scores->label[i]] - z[top]) / temperature;
  }
  return sum / (double)scores->n;
}

double ee_accuracy(const ee_scores *scores) {
  int64_t right = 0;
  for (int64_t i = 0; i < scores->n; i++) {
    const float *z = scores->logits + i * scores->n_classes;
    right += ee_argmax(z, scores->n_classes) == scores->label[i];
  }
  return (double)right / (double)scores->n;
}

double ee_ece(const ee_scores *scores, double temperature) {
  double excess[EE_ECE_BINS] = {0.0}, sum = 0.0;  // per bin: sum of right - confidence
  for (int64_t i = 0; i < scores->n; i++) {
    const float *z          = scores->logits + i * scores->n_classes;
    int          top        = ee_argmax(z, scores->n_classes);
    double       confidence = 1.0 / partition_sum(z, scores->n_classes, top, temperature);
    excess[ee_bin_of(confidence)] += (top == scores->label[i]) - confidence;
  }
  for (int b = 0; b < EE_ECE_BINS; b++) sum += fabs(excess[b]);
  return sum / (double)scores->n;
}

ee_status ee_calibrate_temperature(const ee_scores *scores, double *temperature) {
  const double golden = 0.61803398874989485;  // (sqrt(5) - 1) / 2
  EE_TRY(ee_scores_check(scores));

  double low = log(EE_TEMPERATURE_MIN), high = log(EE_TEMPERATURE_MAX);
  double left = high - golden * (high - low), right = low + golden * (high - low);
  double at_left = ee_nll(scores, exp(left)), at_right = ee_nll(scores, exp(right));
  while (high - low > 1e-6) {
    if (at_left <= at_right) {
      high     = right;
      right    = left;
      at_right = at_left;
      left     = high - golden * (high - low);
      at_left  = ee_nll(scores, exp(left));
    } else {
      low      = left;
      left     = right;
      at_left  = at_right;
      right    = low + golden * (high - low);
      at_right = ee_nll(scores, exp(right));
    }
  }
  *temperature = exp((low + high) / 2);
  return EE_OK;
}
