/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that wait for latency limits: which one of a sample stays, and which counts first. */
#include "pending.h"

#include "ee_test.h"

static ee_pending pending;

/* Sample @p id at @p exit arrived at @p arrived and counts at @p counts; its logits are 10 id +
 * exit and that again. */
static void put(uint64_t id, int exit, int64_t arrived, int64_t counts) {
  ee_pending_answer answer = {.record = {.id = id, .exit = exit}, .peer = exit, .counts = counts};
  float             logits[2] = {(float)(10 * id) + (float)exit, (float)(10 * id) + (float)exit};
  CU_ASSERT_EQUAL_FATAL(ee_pending_put(&pending, answer, logits, arrived), EE_OK);
}

static void check(uint64_t id, int exit, int64_t counts) {
  const ee_pending_answer *a = ee_pending_of(&pending, id);
  CU_ASSERT_PTR_NOT_NULL_FATAL(a);
  CU_ASSERT_EQUAL(a->record.exit, exit);
  CU_ASSERT_EQUAL(a->peer, exit);
  CU_ASSERT_EQUAL(a->counts, counts);
  CU_ASSERT_EQUAL(a->logits[0], (float)(10 * id) + (float)exit);
  CU_ASSERT_EQUAL(a->logits[1], a->logits[0]);
}

static void the_deepest_that_arrives_before_another_counts_stays(void) {
  pending = (ee_pending){.n_classes = 2};
  put(1, 0, 5, 100);
  put(1, 2, 100, 100);  // in the very moment
  check(1, 2, 100);
  put(1, 1, 50, 100);
  check(1, 2, 100);
  put(2, 0, 5, 100);
  put(2, 1, 101, 101);
  check(2, 0, 100);
  CU_ASSERT_EQUAL(pending.n, 2);
  ee_pending_clear(&pending);
  CU_ASSERT_PTR_NULL(ee_pending_first(&pending));
}

static void they_count_in_the_order_of_their_times(void) {
  pending = (ee_pending){.n_classes = 2};
  for (uint64_t id = 0; id < 200; id++) put(id, 1, 0, (int64_t)(id * 37 % 200));
  for (int64_t k = 0; k < 200; k++) {
    ee_pending_answer *first = ee_pending_first(&pending);
    CU_ASSERT_PTR_NOT_NULL_FATAL(first);
    CU_ASSERT_EQUAL(first->counts, k);
    check(first->record.id, 1, (int64_t)(first->record.id * 37 % 200));
    uint64_t id = first->record.id;
    ee_pending_remove(&pending, first);
    CU_ASSERT_PTR_NULL(ee_pending_of(&pending, id));
  }
  CU_ASSERT_EQUAL(pending.n, 0);
  ee_pending_clear(&pending);
}

static void logits_that_are_not_kept_take_no_room(void) {
  pending                  = (ee_pending){0};
  ee_pending_answer answer = {.record = {.id = 3}, .counts = 7};
  CU_ASSERT_EQUAL(ee_pending_put(&pending, answer, NULL, 0), EE_OK);
  CU_ASSERT_PTR_NULL(ee_pending_of(&pending, 3)->logits);
  ee_pending_clear(&pending);
}

const ee_fact ee_facts[] = {
    EE_FACT(the_deepest_that_arrives_before_another_counts_stays),
    EE_FACT(they_count_in_the_order_of_their_times),
    EE_FACT(logits_that_are_not_kept_take_no_room),
    {NULL, NULL},
};
