/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdint.h>

/**
 * @file deadline.h
 * Until when a sample is to be answered: a latency limit after its arrival at the source.
 */
typedef struct ee_deadline {
  double limit;  // [s]; 0: there is none
  double rate;   // samples that arrive per second; 0: a sample arrives when it is admitted [1/s]
} ee_deadline;

/** When the limit of sample @p id, admitted at @p admitted, is over [ns]; INT64_MAX without one. */
int64_t ee_deadline_of(const ee_deadline *deadline, uint64_t id, int64_t admitted);
