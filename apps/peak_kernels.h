/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "ee/cpu.h"

/** @file peak_kernels.h  Loops that do nothing but multiply-adds, or nothing but reading. */

/**
 * Multiply and add in registers, in as many independent sums as hide the latency.
 * @param      steps   of the loop
 * @param[out] result  to be looked at, so that no compiler leaves the sums out
 * @return operations done; a multiply-add is two
 */
typedef double (*ee_peak_loop)(int64_t steps, float *result);

/** Such a loop in float32 with vectors of @p level, which the processor has; its result is 1. */
ee_peak_loop ee_peak_multiply_add(ee_cpu_level level);

#define EE_PEAK_MOST_STEPS 32000  // of the following

/** Such a loop of products of 8 bits with the instruction that the backend `int8` takes: that of
 *  VNNI if @p vnni, else of numbers of 16 bits.  Its result is @p steps. */
ee_peak_loop ee_peak_dot_product(ee_cpu_level level, bool vnni);

/** Read @p bytes, a multiple of EE_PEAK_READ_STEP, at @p memory, which is 64-byte aligned.  All
 *  its words or-ed together. */
uint64_t ee_peak_read(ee_cpu_level level, const void *memory, size_t bytes);

#define EE_PEAK_READ_STEP 512
