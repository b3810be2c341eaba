/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/status.h"

/**
 * @file lbfgs.h
 * The least value of a smooth convex function by limited-memory BFGS (Liu and Nocedal, 1989).
 */
typedef struct ee_smooth {
  int   n;     // variables
  void *self;  // handed to value()
  /** f(x); writes its gradient, shape [n]. */
  double (*value)(void *self, const double *x, double *gradient);
} ee_smooth;

/**
 * Move @p x, shape [f->n], until no element of the gradient is above @p tolerance, no step makes f
 * smaller, or @p most_steps are done.  Steps are halved until they meet Armijo's condition.
 * @return EE_OK; EE_ERR_NOMEM
 */
ee_status ee_lbfgs(const ee_smooth *f, double tolerance, int most_steps, double *x);
