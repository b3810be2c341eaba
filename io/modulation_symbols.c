/* SPDX-License-Identifier: Apache-2.0 */
/* Constellations of the linear modulations. */
#include <math.h>

#include "modulation_parts.h"

/* n points on the unit circle. */
static int phase_shift_keying(int n, ee_iq *point) {
  for (int k = 0; k < n; k++) point[k] = ee_turn((double)k / n);
  return n;
}

/* Levels 1 - n, 3 - n, ..., n - 1 on each axis that is used; their mean square is (n^2 - 1) / 3. */
static int amplitude_grid(int n_i, int n_q, ee_iq *point) {
  double unit = 1.0 / sqrt((n_i * n_i - 1 + n_q * n_q - 1) / 3.0);
  for (int a = 0; a < n_i; a++) {
    for (int b = 0; b < n_q; b++) {
      point[a * n_q + b] = (ee_iq){(2 * a + 1 - n_i) * unit, (2 * b + 1 - n_q) * unit};
    }
  }
  return n_i * n_q;
}

int ee_constellation(int modulation, ee_iq point[EE_MAX_POINTS]) {
  switch (modulation) {
    case EE_BPSK:
      return phase_shift_keying(2, point);
    case EE_QPSK:
      return phase_shift_keying(4, point);
    case EE_8PSK:
      return phase_shift_keying(8, point);
    case EE_QAM16:
      return amplitude_grid(4, 4, point);
    case EE_QAM64:
      return amplitude_grid(8, 8, point);
    case EE_PAM4:
      return amplitude_grid(4, 1, point);
    default:
      return 0;
  }
}
