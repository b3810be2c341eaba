/* SPDX-License-Identifier: Apache-2.0 */
/* L-BFGS on functions whose minimum is known. */
#include "lbfgs.h"

#include <math.h>

#include "ee_test.h"

enum { N = 20 };

static int calls;

/* Sum of c_i u_i^2 / 2 with c from 1 to 100 and u_i = (x_i - i) + (x_{i+1} - i - 1), so that the
 * axes mix. */
static double curvature(int i) {
  return pow(10.0, 2.0 * i / (N - 1));
}

static double valley(void *self, const double *x, double *gradient) {
  double sum = 0.0;
  (void)self;
  calls++;
  for (int i = 0; i < N; i++) gradient[i] = 0.0;
  for (int i = 0; i < N; i++) {
    double next = i + 1 < N ? x[i + 1] - (i + 1) : 0.0, u = x[i] - i + next;
    sum += curvature(i) * u * u / 2;
    gradient[i] += curvature(i) * u;
    if (i + 1 < N) gradient[i + 1] += curvature(i) * u;
  }
  return sum;
}

static void a_long_valley_is_walked_in_few_steps(void) {
  double          x[N] = {0};
  const ee_smooth f    = {.n = N, .value = valley};
  calls                = 0;
  CU_ASSERT_EQUAL(ee_lbfgs(&f, 1e-9, 200, x), EE_OK);
  for (int i = 0; i < N; i++) CU_ASSERT_DOUBLE_EQUAL(x[i], i, 1e-6);
  CU_ASSERT_TRUE(calls < 240);
}

/* sum_i ln(2 cosh(x_i - i)): flat far out, where a full Newton step would overshoot. */
static double flat(void *self, const double *x, double *gradient) {
  double sum = 0.0;
  (void)self;
  for (int i = 0; i < N; i++) {
    double d = fabs(x[i] - i);
    sum += d + log1p(exp(-2 * d));
    gradient[i] = tanh(x[i] - i);
  }
  return sum;
}

static void flat_sides_do_not_throw_it_off(void) {
  double          x[N];
  const ee_smooth f = {.n = N, .value = flat};
  for (int i = 0; i < N; i++) x[i] = i % 2 == 0 ? 50.0 : -30.0;
  CU_ASSERT_EQUAL(ee_lbfgs(&f, 1e-9, 200, x), EE_OK);
  for (int i = 0; i < N; i++) CU_ASSERT_DOUBLE_EQUAL(x[i], i, 1e-8);
}

static void no_step_is_taken_where_the_gradient_is_small_or_none_is_allowed(void) {
  double          x[N] = {0}, y[N];
  const ee_smooth f    = {.n = N, .value = valley};
  CU_ASSERT_EQUAL(ee_lbfgs(&f, 1e-9, 0, x), EE_OK);
  for (int i = 0; i < N; i++) CU_ASSERT_EQUAL(x[i], 0.0);
  for (int i = 0; i < N; i++) y[i] = i;
  CU_ASSERT_EQUAL(ee_lbfgs(&f, 1e-9, 100, y), EE_OK);
  for (int i = 0; i < N; i++) CU_ASSERT_EQUAL(y[i], i);
}

const ee_fact ee_facts[] = {
    EE_FACT(a_long_valley_is_walked_in_few_steps),
    EE_FACT(flat_sides_do_not_throw_it_off),
    EE_FACT(no_step_is_taken_where_the_gradient_is_small_or_none_is_allowed),
    {NULL, NULL},
};
