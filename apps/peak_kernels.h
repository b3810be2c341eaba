/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "ee/cpu.h"

/** @file peak_kernels.h  Loops that do nothing but multiply-adds, or nothing but reading. */

/**
 * Multiply and add in registers, in as many independent sums as hide the latency.
 * @param      level   whose vectors to use; the processor has it
 * @param      steps   of the loop
 * @param[out] result  1; to be looked at, so that no compiler leaves the sums out
 * @return floating-point operations done; a multiply-add is two
 */
double ee_peak_multiply_add(ee_cpu_level level, int64_t steps, float *result);

/** Read @p bytes, a multiple of EE_PEAK_READ_STEP, at @p memory, which is 64-byte aligned.  All
 *  its words or-ed together. */
uint64_t ee_peak_read(ee_cpu_level level, const void *memory, size_t bytes);

#define EE_PEAK_READ_STEP 512
