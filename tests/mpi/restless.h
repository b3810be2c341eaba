/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "toy_stream.h"

/** @file restless.h  Runs whose plan changes all the time, against one that stays. */

static int restless_calls;  // of the planner so far; the same on every rank

static inline void open_restless(toy_run *t, const ee_planner *planner) {
  toy_open(t, TOY_SAMPLES);
  restless_calls       = 0;
  t->control.rebalance = true;
  t->control.always    = true;
  t->control.planner   = planner;
}

/* Answers of a still run, then of one that moves all the time. */
static inline void compare_with_still(toy_run *moving) {
  toy_run still;
  int     size;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  toy_open(&still, TOY_SAMPLES);
  CU_ASSERT_EQUAL(toy_go(&still, NULL), EE_OK);
  CU_ASSERT_EQUAL(toy_go(moving, NULL), EE_OK);
  if (still.setup.sink != NULL) {
    const toy_outcome *a = still.outcome, *b = moving->outcome;
    for (int id = 0; id < TOY_SAMPLES; id++) {
      CU_ASSERT_EQUAL(b->times[id], 1);
      CU_ASSERT_EQUAL(a->answer[id].exit, b->answer[id].exit);
      CU_ASSERT_EQUAL(memcmp(a->logits[id], b->logits[id], sizeof a->logits[id]), 0);
    }
    CU_ASSERT_EQUAL(b->epochs,
                    (TOY_SAMPLES + moving->setup.epoch_samples - 1) / moving->setup.epoch_samples);
    if (size > 1) CU_ASSERT_TRUE(b->switched >= 2);
  }
  toy_close(&still);
  toy_close(moving);
}
