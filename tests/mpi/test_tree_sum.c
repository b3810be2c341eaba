/* SPDX-License-Identifier: Apache-2.0 */
/* Sums over all ranks, by the tree and by MPI, against MPI_Allreduce. */
#include "tree_sum.h"

#include <stdlib.h>
#include <string.h>

#include "ee_test.h"
#include "wait_for_event.h"

enum { MOST = 3000 };

static int     rank, size;
static int64_t mine[MOST], all[MOST], expected[MOST];

static void ask_place(void) {
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
}

/* Numbers of this rank and turn, of either sign and up to 2^52. */
static void draw(int length, int turn) {
  uint64_t x = 88172645463325252u + (uint64_t)rank * 1000003u + (uint64_t)turn;
  for (int i = 0; i < length; i++) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    mine[i] = (int64_t)(x >> 11) - ((int64_t)1 << 52);
  }
  memset(all, -1, sizeof all);
  MPI_Allreduce(mine, expected, length, MPI_INT64_T, MPI_SUM, MPI_COMM_WORLD);
}

/* Several sums in a row, waited for or tested until complete. */
static void check_sums(bool tree, int length, bool wait) {
  ee_tree_sum sum;
  CU_ASSERT_EQUAL_FATAL(ee_tree_sum_open(MPI_COMM_WORLD, tree, length + 3, &sum), EE_OK);
  CU_ASSERT_FALSE(ee_tree_sum_active(&sum));
  for (int turn = 0; turn < 5; turn++) {
    draw(length, turn);
    ee_tree_sum_begin(&sum, length, mine, all);
    CU_ASSERT_TRUE(ee_tree_sum_active(&sum));
    if (wait) ee_tree_sum_wait(&sum);
    while (!ee_tree_sum_test(&sum)) continue;
    CU_ASSERT_FALSE(ee_tree_sum_active(&sum));
    CU_ASSERT_EQUAL(memcmp(all, expected, (size_t)length * sizeof *all), 0);
  }
  ee_tree_sum_close(&sum);
}

static void every_rank_has_the_sum_of_all(void) {
  static const int length[] = {1, 7, MOST};
  ask_place();
  for (int i = 0; i < 3; i++) {
    for (int k = 0; k < 4; k++) check_sums(k & 1, length[i], k & 2);
  }
}

/* Ranks that do nothing but wait for what the tree names: if that were too little, all would wait
 * for ever. */
static void what_a_sum_waits_for_is_enough_to_go_on(void) {
  ee_tree_sum sum;
  ee_waiter   w;
  ask_place();
  CU_ASSERT_EQUAL_FATAL(ee_tree_sum_open(MPI_COMM_WORLD, true, MOST, &sum), EE_OK);
  for (int turn = 0; turn < 20; turn++) {
    draw(MOST, turn);
    ee_tree_sum_begin(&sum, MOST, mine, all);
    while (!ee_tree_sum_test(&sum)) {
      ee_waiter_begin(&w);
      CU_ASSERT_TRUE(ee_tree_sum_await(&sum, &w));
      wait_for_event(&w);
    }
    CU_ASSERT_EQUAL(memcmp(all, expected, sizeof all), 0);
  }
  ee_tree_sum_close(&sum);
}

/* A rank that is late holds the sum up; its numbers are not left out. */
static void no_sum_is_complete_before_the_last_rank_has_begun(void) {
  ask_place();
  for (int late = 0; late < size; late++) {
    ee_tree_sum sum;
    CU_ASSERT_EQUAL_FATAL(ee_tree_sum_open(MPI_COMM_WORLD, true, 4, &sum), EE_OK);
    draw(4, late);
    if (rank != late) ee_tree_sum_begin(&sum, 4, mine, all);
    for (int i = 0; i < 100 && rank != late; i++) CU_ASSERT_FALSE(ee_tree_sum_test(&sum));
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == late) ee_tree_sum_begin(&sum, 4, mine, all);
    ee_tree_sum_wait(&sum);
    CU_ASSERT_EQUAL(memcmp(all, expected, 4 * sizeof *all), 0);
    ee_tree_sum_close(&sum);
  }
}

/* A fast rank may begin the next sum while others still pass the last one on. */
static void ranks_may_be_a_sum_apart(void) {
  ee_tree_sum sum;
  ask_place();
  CU_ASSERT_EQUAL_FATAL(ee_tree_sum_open(MPI_COMM_WORLD, true, 2, &sum), EE_OK);
  for (int turn = 0; turn < 200; turn++) {
    int64_t both[2] = {turn, rank}, sums[2];
    ee_tree_sum_begin(&sum, 2, both, sums);
    ee_tree_sum_wait(&sum);
    CU_ASSERT_EQUAL(sums[0], (int64_t)turn * size);
    CU_ASSERT_EQUAL(sums[1], (int64_t)size * (size - 1) / 2);
  }
  ee_tree_sum_close(&sum);
}

static void ranks_with_other_lengths_are_refused(void) {
  ee_tree_sum sum;
  ask_place();
  ee_status expect = size > 1 ? EE_ERR_MISMATCH : EE_OK;
  CU_ASSERT_EQUAL(ee_tree_sum_open(MPI_COMM_WORLD, true, rank == size - 1 ? 3 : 2, &sum), expect);
  if (size == 1) ee_tree_sum_close(&sum);
}

const ee_fact ee_facts[] = {
    EE_FACT(every_rank_has_the_sum_of_all),
    EE_FACT(what_a_sum_waits_for_is_enough_to_go_on),
    EE_FACT(no_sum_is_complete_before_the_last_rank_has_begun),
    EE_FACT(ranks_may_be_a_sum_apart),
    EE_FACT(ranks_with_other_lengths_are_refused),
    {NULL, NULL},
};
