/* SPDX-License-Identifier: Apache-2.0 */
/* What a sample of losses lets us say of their true mean. */
#include <math.h>

#include "ee/risk.h"

/* max_i sum_{j <= i} ln(1 - nu_j (x_j - mu)); rises with mu. */
static double capital(int64_t n, const double *loss, double delta, double mu) {
  double sum = 0.5, squares = 0.25, variance = 0.25, wealth = 0.0, most = -INFINITY;
  double stake = 2.0 * log(1.0 / delta) / (double)n;
  for (int64_t i = 0; i < n; i++) {
    double bet = fmin(sqrt(stake / variance), 1.0);
    wealth += log(fmax(1.0 - bet * (loss[i] - mu), 0.0));
    most = fmax(most, wealth);

    sum += loss[i];
    double away = loss[i] - sum / (double)(i + 2);
    squares += away * away;
    variance = squares / (double)(i + 2);
  }
  return most;
}

double ee_risk_wsr_bound(int64_t n, const double *loss, double delta) {
  double low = 0.0, high = 1.0, enough = log(1.0 / delta);
  if (capital(n, loss, delta, high) < enough) return 1.0;
  while (high - low > 1e-9) {
    double middle = (low + high) / 2.0;
    if (capital(n, loss, delta, middle) < enough)
      low = middle;
    else
      high = middle;
  }
  return high;
}

/* KL(Bernoulli(a) || Bernoulli(b)), 0 <= a <= b < 1 [nat]. */
static double divergence(double a, double b) {
  double zero = a > 0.0 ? a * log(a / b) : 0.0;
  double one  = a < 1.0 ? (1.0 - a) * log((1.0 - a) / (1.0 - b)) : 0.0;
  return zero + one;
}

/* P(Binomial(n, p) <= k), term by term from their logarithms. */
static double binomial_cdf(int64_t k, int64_t n, double p) {
  double sum = 0.0, term = (double)n * log1p(-p), odds = log(p) - log1p(-p);
  for (int64_t j = 0; j <= k && j <= n; j++) {
    sum += exp(term);
    term += log((double)(n - j) / (double)(j + 1)) + odds;
  }
  return fmin(sum, 1.0);
}

double ee_risk_p_value(int64_t n, const double *loss, double epsilon) {
  double sum = 0.0;
  for (int64_t i = 0; i < n; i++) sum += fmax(loss[i], 0.0);
  double mean      = fmin(sum / (double)n, epsilon);
  double hoeffding = exp(-(double)n * divergence(mean, epsilon));
  double bentkus   = exp(1.0) * binomial_cdf((int64_t)ceil(sum), n, epsilon);
  return fmin(fmin(hoeffding, bentkus), 1.0);
}
