/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "ee/policy.h"

/**
 * @file sample_state.h
 * What travels with each sample beside its activations: the runtime's mark, and then the policy's
 * own state.  All bytes are zero when the sample is admitted.
 */
typedef struct ee_sample_mark {
  int32_t offloaded;  // 1 + the exit at which it was offloaded; 0: it was not
  int32_t given;      // 1 + the exit whose answer rank 0 has for the latency limit; 0: none
} ee_sample_mark;

/** Bytes of both under @p policy, a multiple of 8. */
static inline size_t ee_sample_state_bytes(const ee_policy *policy) {
  return sizeof(ee_sample_mark) + (ee_policy_state_bytes(policy) + 7) / 8 * 8;
}

/** The policy's state behind @p mark. */
static inline void *ee_sample_policy_state(ee_sample_mark *mark) {
  return mark + 1;
}
