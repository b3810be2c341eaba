/* SPDX-License-Identifier: Apache-2.0 */
#include "deadline.h"

#include <math.h>

#define LONGEST 1e18  // [ns]

int64_t ee_deadline_of(const ee_deadline *d, uint64_t id, int64_t admitted) {
  if (d->limit <= 0.0) return INT64_MAX;
  double arrived = d->rate > 0.0 ? (double)id / d->rate * 1e9 : (double)admitted;
  return (int64_t)fmin(ceil(arrived + d->limit * 1e9), LONGEST);
}
