/* SPDX-License-Identifier: Apache-2.0 */
/* Isotonic regression of right or wrong on the confidence, by pooling adjacent violators. */
#include <math.h>
#include <stdlib.h>

#include "ee/scaling.h"

typedef struct point {
  double confidence;
  double right;  // 0 or 1
} point;

static int by_confidence(const void *a, const void *b) {
  double x = ((const point *)a)->confidence, y = ((const point *)b)->confidence;
  return (x > y) - (x < y);
}

/* Steps as start, sum of what was right, and number of points. */
typedef struct pool {
  double start, right, count;
} pool;

static bool out_of_order(const pool *low, const pool *high) {
  return low->right * high->count >= high->right * low->count;
}

/* @p sorted by confidence; @p all has room for a step per point.  Returns how many steps there are.
 */
static int64_t pool_violators(int64_t n, const point *sorted, pool *all) {
  int64_t steps = 0;
  for (int64_t i = 0; i < n; i++) {
    if (i > 0 && sorted[i].confidence == sorted[i - 1].confidence) {
      all[steps - 1].right += sorted[i].right;
      all[steps - 1].count += 1.0;
    } else {
      all[steps++] = (pool){sorted[i].confidence, sorted[i].right, 1.0};
    }
    bool whole = i == n - 1 || sorted[i + 1].confidence != sorted[i].confidence;
    while (whole && steps > 1 && out_of_order(&all[steps - 2], &all[steps - 1])) {
      all[steps - 2].right += all[steps - 1].right;
      all[steps - 2].count += all[steps - 1].count;
      steps--;
    }
  }
  return steps;
}

static ee_status make_steps(const pool *all, int64_t n, ee_isotonic *fit) {
  *fit = (ee_isotonic){.n     = n,
                       .start = calloc((size_t)n, sizeof *fit->start),
                       .value = calloc((size_t)n, sizeof *fit->value)};
  if (fit->start == NULL || fit->value == NULL) {
    ee_isotonic_free(fit);
    return EE_FAIL(EE_ERR_NOMEM, "for %lld steps", (long long)n);
  }
  for (int64_t b = 0; b < n; b++) {
    fit->start[b] = all[b].start;
    fit->value[b] = all[b].right / all[b].count;
  }
  return EE_OK;
}

ee_status ee_isotonic_fit(int64_t n, const double *confidence, const bool *right,
                          ee_isotonic *fit) {
  *fit = (ee_isotonic){.n = 0};
  if (n < 1) return EE_FAIL(EE_ERR_ARG, "there are %lld samples, expected some", (long long)n);
  for (int64_t i = 0; i < n; i++) {
    if (!isfinite(confidence[i]))
      return EE_FAIL(EE_ERR_ARG, "sample %lld has confidence %g, expected a finite number",
                     (long long)i, confidence[i]);
  }
  point    *sorted = calloc((size_t)n, sizeof *sorted);
  pool     *all    = calloc((size_t)n, sizeof *all);
  ee_status status = EE_OK;
  if (sorted == NULL || all == NULL) status = EE_FAIL(EE_ERR_NOMEM, "to sort %lld", (long long)n);
  if (status == EE_OK) {
    for (int64_t i = 0; i < n; i++) sorted[i] = (point){confidence[i], right[i]};
    qsort(sorted, (size_t)n, sizeof *sorted, by_confidence);
    status = make_steps(all, pool_violators(n, sorted, all), fit);
  }
  free(sorted);
  free(all);
  return status;
}

double ee_isotonic_at(const ee_isotonic *fit, double confidence) {
  int64_t low = 0, high = fit->n;  // the step is in [low, high)
  while (high - low > 1) {
    int64_t middle = (low + high) / 2;
    if (fit->start[middle] <= confidence)
      low = middle;
    else
      high = middle;
  }
  return fit->value[low];
}

void ee_isotonic_free(ee_isotonic *fit) {
  free(fit->start);
  free(fit->value);
  *fit = (ee_isotonic){.n = 0};
}
