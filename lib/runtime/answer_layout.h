/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "answers.h"

/** @file answer_layout.h  How answers stand in a message: head, records [n], logits [n, classes].
 */
typedef struct ee_answer_head {
  int32_t n, reserved;
  int64_t sent;  // [ns since the start]
} ee_answer_head;

static inline ee_answer_record *ee_answer_records(ee_answer_head *head) {
  return (ee_answer_record *)(head + 1);
}

/** Logits behind @p n records. */
static inline float *ee_answer_logits(ee_answer_head *head, int n) {
  return (float *)(ee_answer_records(head) + n);
}

static inline size_t ee_answer_bytes(int n, int n_classes, bool with_logits) {
  size_t logits = with_logits ? (size_t)n_classes * sizeof(float) : 0;
  size_t bytes  = sizeof(ee_answer_head) + (size_t)n * (sizeof(ee_answer_record) + logits);
  return (bytes + 7) / 8 * 8;
}
