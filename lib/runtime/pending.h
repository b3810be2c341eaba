/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>

#include "answers.h"

/**
 * @file pending.h
 * Answers that wait for their samples' latency limits: the deepest one of each sample so far.
 */

/** One of them. */
typedef struct ee_pending_answer {
  ee_answer_record record;
  int              peer;    // rank that sent it
  int64_t          counts;  // when it counts, unless a deeper one is here before [ns]
  float           *logits;  // shape [n_classes], its own; NULL: not kept
} ee_pending_answer;

typedef struct ee_pending {
  int                n, room, n_classes;  // n_classes 0: logits are not kept
  ee_pending_answer *answer;              // shape [room], in no order
} ee_pending;

/** Keep @p answer, with a copy of its @p logits, in place of one of the same sample that is not
 *  deeper and does not count before @p arrived, when the new one has arrived.  EE_ERR_NOMEM. */
ee_status ee_pending_put(ee_pending *pending, ee_pending_answer answer, const float *logits,
                         int64_t arrived);

/** The answer that waits for sample @p id; NULL: none. */
ee_pending_answer *ee_pending_of(ee_pending *pending, uint64_t id);

/** The one that counts first; NULL: none. */
ee_pending_answer *ee_pending_first(ee_pending *pending);

/** Forget an answer of the pending ones. */
void ee_pending_remove(ee_pending *pending, ee_pending_answer *answer);

/** Forget all. */
void ee_pending_clear(ee_pending *pending);
