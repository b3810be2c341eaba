/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdint.h>

/** Sum of @p n neighbouring floats in double, over eight interleaved partial sums, so that it is
 *  vectorised; the order depends on @p n only. */
static inline double ee_sum(const float *x, int64_t n) {
  double  part[8] = {0.0};
  int64_t i       = 0;
  for (; i + 8 <= n; i += 8) {
    for (int j = 0; j < 8; j++) part[j] += x[i + j];
  }
  for (; i < n; i++) part[i % 8] += x[i];
  return ((part[0] + part[1]) + (part[2] + part[3])) + ((part[4] + part[5]) + (part[6] + part[7]));
}
