/* SPDX-License-Identifier: Apache-2.0 */
#include "cusum.h"

/* One side; its age if that is an alarm, else 0. */
static int add(double *sum, int *age, double z) {
  *sum += z - EE_CUSUM_ALLOWANCE;
  if (*sum <= 0.0) {
    *sum = 0.0;
    *age = 0;
    return 0;
  }
  ++*age;
  return *sum > EE_CUSUM_LIMIT ? *age : 0;
}

int ee_cusum_add(ee_cusum *cusum, double z) {
  int up   = add(&cusum->up, &cusum->up_age, z);
  int down = add(&cusum->down, &cusum->down_age, -z);
  if (up > 0 || down > 0) *cusum = (ee_cusum){0};
  return up > 0 ? up : down;
}
