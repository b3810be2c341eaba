/* SPDX-License-Identifier: Apache-2.0 */
/* Differences between what two exits say. */
#include "ee/difference.h"

#include <float.h>
#include <math.h>

double ee_kl(const float *p, const float *q, int n) {
  double sum = 0.0;
  for (int k = 0; k < n; k++) {
    if (p[k] == 0.0f && !isnan(q[k])) continue;
    double was = q[k] < FLT_MIN ? (double)FLT_MIN : (double)q[k];
    sum += (double)p[k] * (log((double)p[k]) - log(was));
  }
  return sum;
}

double ee_l2(const float *p, const float *q, int n) {
  double sum = 0.0;
  for (int k = 0; k < n; k++) {
    double d = (double)p[k] - (double)q[k];
    sum += d * d;
  }
  return sqrt(sum);
}

double ee_cosine_distance(const float *p, const float *q, int n) {
  double pq = 0.0, pp = 0.0, qq = 0.0;
  for (int k = 0; k < n; k++) {
    pq += (double)p[k] * (double)q[k];
    pp += (double)p[k] * (double)p[k];
    qq += (double)q[k] * (double)q[k];
  }
  if (pp == 0.0 || qq == 0.0) return isnan(pq) ? pq : 1.0;
  return 1.0 - pq / sqrt(pp * qq);
}
