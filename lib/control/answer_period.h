/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdint.h>

/** @file answer_period.h  How long an answer takes in the mean, from one look to the next. */
typedef struct ee_answer_period {
  int64_t answered, latest;  // at the last look: answers, and when the last of them arrived [ns]
  double  seconds;           // per answer since the look before; 0: none has arrived yet
} ee_answer_period;

/** Look: @p answered have arrived, the last of them at @p latest [ns].
 *  @return seconds per answer since the last look that found any; 0 before the first */
double ee_answer_period_look(ee_answer_period *period, int64_t answered, int64_t latest);
