/* SPDX-License-Identifier: Apache-2.0 */
/* From the shares that leave to the share that is left at each layer. */
#include <math.h>

#include "ee/partition.h"

void ee_reach_from_shares(int n_layers, int n_exits, const int *attach, const double *share,
                          double *reach) {
  for (int l = 0; l < n_layers; l++) {
    double left = 0.0;
    for (int e = 0; e < n_exits; e++) {
      if (attach[e] < l) left += share[e];
    }
    reach[l] = fmax(0.0, 1.0 - left);  // shares that add up to 1 may round to a little more
  }
}
