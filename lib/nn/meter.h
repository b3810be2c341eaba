/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/backend.h"

/**
 * @file meter.h
 * Calls a kernel's progress function after every so much work, so that messages move while a long
 * layer is computed.  Work is counted, not timed: kernels read no clock.
 */
typedef struct ee_meter {
  const ee_kernel_call *call;
  int64_t               step;  // work between two calls, about 100 us of it
  int64_t               done;  // since the last call
} ee_meter;

/** Count @p work, in the unit of the meter's step. */
static inline void ee_meter_add(ee_meter *meter, int64_t work) {
  meter->done += work;
  if (meter->done < meter->step) return;
  meter->done = 0;
  if (meter->call->progress != NULL) meter->call->progress(meter->call->progress_context);
}
