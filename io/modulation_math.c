/* SPDX-License-Identifier: Apache-2.0 */
/* Sine, cosine, logarithm, exponential and Gaussian numbers whose bits do not depend on the
 * platform's mathematical library: Taylor series after an exact reduction of the argument. */
#include <math.h>

#include "modulation_parts.h"

#define TWO_PI 6.283185307179586476925
#define LN_2_HIGH 0x1.62e42feep-1  // its last bits are 0: products with small integers are exact
#define LN_2_LOW 1.9082149292705877e-10
#define SQRT_HALF 0.70710678118654752440

/* sum_k c[k] x^k, k < n. */
static double polynomial(const double *c, int n, double x) {
  double sum = c[n - 1];
  for (int k = n - 2; k >= 0; k--) sum = sum * x + c[k];
  return sum;
}

static int64_t nearest_integer(double x) {
  return (int64_t)(x + (x < 0.0 ? -0.5 : 0.5));
}

/* The turn is brought to |x| <= pi/4 by exact quarter turns. */
ee_iq ee_turn(double turns) {
  static const double sine[] = {
      1.0,          -1.0 / 6,        1.0 / 120,        -1.0 / 5040,
      1.0 / 362880, -1.0 / 39916800, 1.0 / 6227020800, -1.0 / 1307674368000};
  static const double cosine[] = {1.0,
                                  -1.0 / 2,
                                  1.0 / 24,
                                  -1.0 / 720,
                                  1.0 / 40320,
                                  -1.0 / 3628800,
                                  1.0 / 479001600,
                                  -1.0 / 87178291200,
                                  1.0 / 20922789888000};
  int64_t             quarters = nearest_integer(4.0 * turns);
  double              x        = TWO_PI * (turns - 0.25 * (double)quarters);
  double              s        = x * polynomial(sine, 8, x * x);
  double              c        = polynomial(cosine, 9, x * x);
  switch (quarters & 3) {
    case 0:
      return (ee_iq){c, s};
    case 1:
      return (ee_iq){-s, c};
    case 2:
      return (ee_iq){-c, -s};
    default:
      return (ee_iq){s, -c};
  }
}

/* x = m 2^e with m in [sqrt(1/2), sqrt(2)); ln m = 2 artanh((m - 1) / (m + 1)). */
double ee_ln(double x) {
  static const double artanh[] = {1.0,      1.0 / 3,  1.0 / 5,  1.0 / 7,  1.0 / 9,  1.0 / 11,
                                  1.0 / 13, 1.0 / 15, 1.0 / 17, 1.0 / 19, 1.0 / 21, 1.0 / 23};
  int                 e;
  double              m = frexp(x, &e);
  if (m < SQRT_HALF) {
    m *= 2.0;
    e--;
  }
  double s  = (m - 1.0) / (m + 1.0);
  double ln = 2.0 * s * polynomial(artanh, 12, s * s);
  return (double)e * LN_2_HIGH + (ln + (double)e * LN_2_LOW);
}

/* x = k ln 2 + r with |r| <= ln(2) / 2. */
double ee_exp(double x) {
  static const double series[] = {1.0,
                                  1.0,
                                  1.0 / 2,
                                  1.0 / 6,
                                  1.0 / 24,
                                  1.0 / 120,
                                  1.0 / 720,
                                  1.0 / 5040,
                                  1.0 / 40320,
                                  1.0 / 362880,
                                  1.0 / 3628800,
                                  1.0 / 39916800,
                                  1.0 / 479001600,
                                  1.0 / 6227020800};
  if (x < -700.0) return 0.0;
  if (x > 700.0) x = 700.0;
  int64_t k = nearest_integer(x / (LN_2_HIGH + LN_2_LOW));
  double  r = (x - (double)k * LN_2_HIGH) - (double)k * LN_2_LOW;
  return ldexp(polynomial(series, 14, r), (int)k);
}

ee_iq ee_gaussian(ee_rng *rng) {
  double x, y, r2;
  do {
    x  = 2.0 * ee_rng_uniform(rng) - 1.0;
    y  = 2.0 * ee_rng_uniform(rng) - 1.0;
    r2 = x * x + y * y;
  } while (r2 >= 1.0 || r2 == 0.0);
  double scale = sqrt(-2.0 * ee_ln(r2) / r2);
  return (ee_iq){x * scale, y * scale};
}

double ee_rng_between(ee_rng *rng, double low, double high) {
  return low + (high - low) * ee_rng_uniform(rng);
}
