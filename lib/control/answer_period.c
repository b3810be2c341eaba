/* SPDX-License-Identifier: Apache-2.0 */
#include "answer_period.h"

double ee_answer_period_look(ee_answer_period *period, int64_t samples, int64_t latest) {
  period->samples += samples;
  if (latest <= period->latest || period->samples <= 0) return period->seconds;
  period->seconds = (double)(latest - period->latest) * 1e-9 / (double)period->samples;
  period->latest  = latest;
  period->samples = 0;
  return period->seconds;
}
