/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/confidence.h"
#include "ee/exec.h"
#include "toy_stream.h"

/** @file toy_alone.h  What came out of a run against each sample alone, bit by bit. */

/* Where sample `id` leaves, and its logits there: no batch, no cut, no message. */
static inline int toy_leave_alone(ee_exec *exec, const ee_model *m, int64_t id, float *logits) {
  toy_input(id, 1, ee_exec_input(exec, m->input));
  for (int e = 0, at = 0; e < m->n_exits; e++) {
    const float *z;
    float        p[TOY_CLASSES];
    CU_ASSERT_EQUAL_FATAL(ee_exec_run_layers(exec, at, m->exit[e].attach + 1, 1), EE_OK);
    CU_ASSERT_EQUAL_FATAL(ee_exec_run_head(exec, e, 1, &z), EE_OK);
    at = m->exit[e].attach + 1;
    memcpy(logits, z, TOY_CLASSES * sizeof *z);
    ee_softmax(z, TOY_CLASSES, m->exit[e].temperature, p);
    if (p[ee_argmax(z, TOY_CLASSES)] >= 0.5f) return e;
  }
  return m->n_exits - 1;
}

/* Every id once, at the exit and with the bits of the sample alone.  Rank 0 only. */
static inline void toy_check_outcome(const toy_run *t) {
  const ee_model *m        = t->model;
  ee_resident    *resident = NULL;
  ee_exec        *exec     = NULL;
  int             exits[3] = {0};
  CU_ASSERT_EQUAL_FATAL(ee_resident_create(m, &ee_backend_ref, &resident), EE_OK);
  for (int l = 0; l < m->n_layers; l++) CU_ASSERT_EQUAL(ee_resident_add(resident, l, NULL), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_exec_create(resident, 0, m->n_layers, 1, &exec), EE_OK);
  CU_ASSERT_EQUAL(t->outcome->n, (int64_t)t->setup.n_samples);
  for (int64_t id = 0; id < (int64_t)t->setup.n_samples; id++) {
    float            logits[TOY_CLASSES];
    int              e = toy_leave_alone(exec, m, id, logits);
    const ee_answer *a = &t->outcome->answer[id];
    CU_ASSERT_EQUAL(t->outcome->times[id], 1);
    CU_ASSERT_EQUAL(a->exit, e);
    CU_ASSERT_EQUAL(a->prediction, ee_argmax(logits, TOY_CLASSES));
    CU_ASSERT_EQUAL(memcmp(t->outcome->logits[id], logits, sizeof logits), 0);
    CU_ASSERT_TRUE(a->admitted <= a->answered);
    exits[e]++;
  }
  if (t->setup.n_samples == TOY_SAMPLES) {  // the stream is not one-sided
    CU_ASSERT_TRUE(exits[0] > 5 && exits[1] > 5 && exits[2] > 5);
  }
  ee_exec_destroy(&exec);
  ee_resident_destroy(&resident);
}
