/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>

#include "ee/status.h"
#include "ee/waiter.h"

/**
 * @file tree_sum.h
 * Adding up vectors of integers over all ranks while they go on with other work; one sum at a time.
 *
 * The way is MPI_Iallreduce, or a binary tree of nonblocking messages: ranks 2 r + 1 and 2 r + 2
 * add to rank r, rank 0 has the sum, and it goes down the same way.  A tree takes 2 (P - 1)
 * messages where a simulated MPI_Iallreduce takes P (P - 1).  Integers give the same sum in any
 * order.
 */
typedef struct ee_tree_sum {
  MPI_Comm       comm;    // our duplicate, so that no other message can match ours
  bool           tree;    // else MPI_Iallreduce
  int            most;    // integers in a vector at most
  int            length;  // in those of the sum under way
  int            parent;  // MPI_PROC_NULL: none
  int            n_children;
  int            child[2];
  int64_t       *part;        // shape [n_children, most], what the children add
  const int64_t *mine;        // the caller's
  int64_t       *all;         // the caller's
  int            step;        // of the sum under way; 0: none is
  MPI_Request    request[3];  // of its messages, or of the one MPI_Iallreduce
} ee_tree_sum;

/**
 * Make ready for sums of up to @p most integers.  Collective over @p comm, which is duplicated; all
 * arguments are equal on all ranks.
 * @return EE_OK; EE_ERR_NOMEM or EE_ERR_MISMATCH, the same on every rank; then nothing is to be
 *          closed
 */
ee_status ee_tree_sum_open(MPI_Comm comm, bool tree, int most, ee_tree_sum *sum);

/**
 * Begin to add @p mine of all ranks to @p all, both of shape [length] and borrowed until the sum is
 * complete.  Collective; does not wait.  No other sum may be under way.
 * @param[in] length  at most that of ee_tree_sum_open(), equal on all ranks
 */
void ee_tree_sum_begin(ee_tree_sum *sum, int length, const int64_t *mine, int64_t *all);

/** Whether a sum is under way.  Not collective. */
bool ee_tree_sum_active(const ee_tree_sum *sum);

/** Let the sum under way go on; true once it is complete, also if there was none.  Not collective,
 *  but every rank must call it again and again for any to see the end. */
bool ee_tree_sum_test(ee_tree_sum *sum);

/** Name the messages of the sum under way to a device that waits; false if it can only be tested.
 */
bool ee_tree_sum_await(ee_tree_sum *sum, ee_waiter *waiter);

/** Wait for the sum under way, if there is one.  Collective. */
void ee_tree_sum_wait(ee_tree_sum *sum);

/** Free everything.  Collective; no sum may be under way. */
void ee_tree_sum_close(ee_tree_sum *sum);
