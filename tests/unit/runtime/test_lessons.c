/* SPDX-License-Identifier: Apache-2.0 */
#include "lessons.h"

#include <math.h>
#include <string.h>

#include "ee_test.h"

enum { EPOCH = 10 };

/* A learner whose memory is all sums so far, in order: easy to follow by hand. */
static size_t two(const void *self) {
  (void)self;
  return 2;
}

static size_t bytes(const void *self) {
  (void)self;
  return 2 * sizeof(int64_t);
}

static void add_up(const void *self, const int64_t *sums, void *memory) {
  int64_t *total = memory;
  (void)self;
  total[0] += sums[0];
  total[1] = 10 * total[1] + sums[1];
}

static const ee_policy_learning learning = {.learned = two, .memory_bytes = bytes, .epoch = add_up};
static const ee_policy_ops      learner  = {.name = "learner", .learning = &learning};
static const ee_policy_ops      knower   = {.name = "knower"};

static void ids_wait_for_the_epochs_that_decide_them(void) {
  for (int delay = 0; delay < 4; delay++) {
    ee_policy  policy = {.ops = &learner};
    ee_lessons l;
    CU_ASSERT_EQUAL_FATAL(ee_lessons_open(&policy, EPOCH, delay, NULL, &l), EE_OK);
    for (int64_t known = 0; known < 12; known++) {
      for (int64_t epoch = known; epoch < known + 8; epoch++) {
        uint64_t id = (uint64_t)(epoch * EPOCH + 3);
        CU_ASSERT_EQUAL(ee_lessons_ready(&l, id), epoch - 1 - delay < known);
      }
      ee_lessons_take(&l, (int64_t[]){1, 1}, NAN);
    }
    ee_lessons_close(&l);
  }
}

/* After epochs 0 .. e the memory is {e + 2 choose 2, the digits 1 .. e + 1}. */
static void every_id_reads_the_memory_of_its_epoch(void) {
  for (int delay = 0; delay < 4; delay++) {
    ee_policy  policy = {.ops = &learner};
    ee_lessons l;
    CU_ASSERT_EQUAL_FATAL(ee_lessons_open(&policy, EPOCH, delay, NULL, &l), EE_OK);
    for (int64_t known = 0; known < 9; known++) {
      for (int64_t epoch = known; epoch <= known + delay; epoch++) {
        const int64_t *memory = ee_lessons_memory(&l, (uint64_t)(epoch * EPOCH + EPOCH - 1));
        int64_t        last = epoch - 1 - delay, digits = 0;
        CU_ASSERT_EQUAL(memory == NULL, last < 0);
        if (memory == NULL) continue;
        for (int64_t e = 0; e <= last; e++) digits = 10 * digits + e + 1;
        CU_ASSERT_EQUAL(memory[0], (last + 1) * (last + 2) / 2);
        CU_ASSERT_EQUAL(memory[1], digits);
      }
      ee_lessons_take(&l, (int64_t[]){known + 1, known + 1}, NAN);
    }
    ee_lessons_close(&l);
  }
}

static void sums_belong_to_the_epoch_of_the_id(void) {
  ee_policy  policy = {.ops = &learner};
  ee_lessons l;
  CU_ASSERT_EQUAL_FATAL(ee_lessons_open(&policy, EPOCH, 1, NULL, &l), EE_OK);
  for (uint64_t id = 0; id < 100; id++) {
    ee_lessons_sums(&l, id)[0] += 1;
    ee_lessons_sums(&l, id)[1] += (int64_t)id;
    if (id >= EPOCH) {  // the epoch before is still there
      uint64_t before = id / EPOCH - 1;
      CU_ASSERT_EQUAL(ee_lessons_sums(&l, before * EPOCH)[0], EPOCH);
      CU_ASSERT_EQUAL(ee_lessons_sums(&l, before * EPOCH)[1], (int64_t)(before * 100 + 45));
    }
  }
  ee_lessons_close(&l);
}

static void a_policy_that_does_not_learn_waits_for_nothing(void) {
  ee_policy  policy = {.ops = &knower};
  ee_lessons l;
  CU_ASSERT_EQUAL_FATAL(ee_lessons_open(&policy, EPOCH, 2, NULL, &l), EE_OK);
  CU_ASSERT_TRUE(ee_lessons_ready(&l, 1000000));
  CU_ASSERT_PTR_NULL(ee_lessons_memory(&l, 1000000));
  ee_lessons_close(&l);
}

/* The cost measured by the end of an epoch decides with the memory of that epoch. */
static void every_id_is_told_the_cost_of_its_epoch(void) {
  for (int delay = 0; delay < 4; delay++) {
    ee_policy  policy = {.ops = &learner};
    ee_lessons l;
    CU_ASSERT_EQUAL_FATAL(ee_lessons_open(&policy, EPOCH, delay, NULL, &l), EE_OK);
    for (int64_t known = 0; known < 9; known++) {
      for (int64_t epoch = known - 1; epoch <= known + delay; epoch++) {
        if (epoch < 0) continue;
        const double *cost = ee_lessons_offload_cost(&l, (uint64_t)(epoch * EPOCH + EPOCH - 1));
        int64_t       last = epoch - 1 - delay;
        CU_ASSERT_EQUAL(cost == NULL, last < 0 || last == 3);
        if (cost != NULL) CU_ASSERT_EQUAL(*cost, 0.5 * (double)last);
      }
      ee_lessons_take(&l, (int64_t[]){1, 1}, known == 3 ? NAN : 0.5 * (double)known);
    }
    ee_lessons_close(&l);
  }
}

static void costs_that_are_given_go_before_measured_ones(void) {
  ee_change   change[] = {{15, 0.25}, {40, 2.0}};
  ee_schedule given    = {2, change};
  ee_policy   policy   = {.ops = &learner};
  ee_lessons  l;
  CU_ASSERT_EQUAL_FATAL(ee_lessons_open(&policy, EPOCH, 0, &given, &l), EE_OK);
  ee_lessons_take(&l, (int64_t[]){1, 1}, 7.0);
  // a change counts from the first epoch on that begins at or behind it
  CU_ASSERT_PTR_NULL(ee_lessons_offload_cost(&l, 19));
  CU_ASSERT_PTR_NOT_NULL_FATAL(ee_lessons_offload_cost(&l, 20));
  CU_ASSERT_EQUAL(*ee_lessons_offload_cost(&l, 20), 0.25);
  CU_ASSERT_EQUAL(*ee_lessons_offload_cost(&l, 39), 0.25);
  CU_ASSERT_EQUAL(*ee_lessons_offload_cost(&l, 40), 2.0);
  CU_ASSERT_EQUAL(*ee_lessons_offload_cost(&l, 1000), 2.0);
  ee_lessons_close(&l);
}

const ee_fact ee_facts[] = {
    EE_FACT(ids_wait_for_the_epochs_that_decide_them),
    EE_FACT(every_id_reads_the_memory_of_its_epoch),
    EE_FACT(sums_belong_to_the_epoch_of_the_id),
    EE_FACT(a_policy_that_does_not_learn_waits_for_nothing),
    EE_FACT(every_id_is_told_the_cost_of_its_epoch),
    EE_FACT(costs_that_are_given_go_before_measured_ones),
    {NULL, NULL},
};
