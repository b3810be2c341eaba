/* SPDX-License-Identifier: Apache-2.0 */
#include "answer_period.h"

double ee_answer_period_look(ee_answer_period *period, int64_t answered, int64_t latest) {
  int64_t n = answered - period->answered;
  if (n <= 0) return period->seconds;
  period->seconds  = (double)(latest - period->latest) * 1e-9 / (double)n;
  period->answered = answered;
  period->latest   = latest;
  return period->seconds;
}
