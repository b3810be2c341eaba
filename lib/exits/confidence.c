/* SPDX-License-Identifier: Apache-2.0 */
/* Measures of how sure an exit is.  Sums run in double, from the first class to the last, so that
 * the float results are the same wherever a sample is judged. */
#include "ee/confidence.h"

#include <math.h>

void ee_softmax(const float *logits, int n, float temperature, float *p) {
  double top = logits[ee_argmax(logits, n)], sum = 0.0;

  for (int k = 0; k < n; k++) sum += exp((logits[k] - top) / temperature);
  for (int k = 0; k < n; k++) p[k] = (float)(exp((logits[k] - top) / temperature) / sum);
}

int ee_argmax(const float *x, int n) {
  int best = 0;
  for (int k = 1; k < n; k++) {
    if (x[k] > x[best]) best = k;
  }
  return best;
}

float ee_margin(const float *p, int n) {
  if (n < 2) return p[0];

  float first = p[0] > p[1] ? p[0] : p[1], second = p[0] > p[1] ? p[1] : p[0];
  for (int k = 2; k < n; k++) {
    if (p[k] > first) {
      second = first;
      first  = p[k];
    } else if (p[k] > second) {
      second = p[k];
    }
  }
  return first - second;
}

static double entropy(const float *p, int n) {
  double sum = 0.0;
  for (int k = 0; k < n; k++) {
    if (p[k] > 0.0f) sum -= p[k] * log(p[k]);
  }
  return sum;
}

float ee_entropy(const float *p, int n) {
  return (float)entropy(p, n);
}

float ee_normalised_entropy(const float *p, int n) {
  if (n < 2) return 0.0f;
  return (float)fmin(entropy(p, n) / log(n), 1.0);
}
