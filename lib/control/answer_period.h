/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdint.h>

/**
 * @file answer_period.h
 * How long a sample takes, by when answers arrive: from the last answer at the end of one sum to
 * that at the end of the next, over the samples that the sum speaks of.  Answers are not counted
 * unless sums fall behind,
 * since those that leave early come before their time, and at the end of the stream none do.
 */
typedef struct ee_answer_period {
  int64_t latest;   // arrival of the last answer at the last look that found a new one [ns]
  int64_t samples;  // of the sums since
  double  seconds;  // per sample, by that look; 0: there was none
} ee_answer_period;

/** Look at the end of a sum over @p samples, when the last answer arrived at @p latest [ns].
 *  @return seconds per sample, of the last sum that brought new answers; 0 before the first */
double ee_answer_period_look(ee_answer_period *period, int64_t samples, int64_t latest);
