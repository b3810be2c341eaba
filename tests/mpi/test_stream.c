/* SPDX-License-Identifier: Apache-2.0 */
/* Streams over 1 to 6 ranks against one device that runs every exit of every sample. */
#include "ee/confidence.h"
#include "ee/exec.h"
#include "toy_stream.h"

/* Where sample `id` leaves, and its logits there: no batch, no cut, no message. */
static int leave_alone(ee_exec *exec, const ee_model *m, int64_t id, float *logits) {
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
static void check_outcome(const toy_run *t) {
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
    int              e = leave_alone(exec, m, id, logits);
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

static void run_and_check(toy_run *t) {
  ee_device_totals totals;
  CU_ASSERT_EQUAL(toy_go(t, &totals), EE_OK);
  if (t->setup.sink != NULL) {
    check_outcome(t);
    CU_ASSERT_EQUAL(totals.answered, (int64_t)t->setup.n_samples);
    CU_ASSERT_EQUAL(totals.duplicates, 0);
  }
  toy_close(t);
}

static void every_sample_is_answered_once_with_the_bits_of_the_sample_alone(void) {
  toy_run t;
  toy_open(&t, TOY_SAMPLES);
  run_and_check(&t);
}

static void any_batch_limit_gives_the_same_bits(void) {
  const int limits[] = {1, 3, 17, 200};
  for (int i = 0; i < 4; i++) {
    toy_run t;
    toy_open(&t, TOY_SAMPLES);
    t.setup.batch_limit = limits[i];
    t.setup.merge_wait  = i % 2 == 0 ? 0.0 : 0.002;
    run_and_check(&t);
  }
}

static void one_slot_per_link_is_enough(void) {
  toy_run t;
  toy_open(&t, TOY_SAMPLES);
  t.setup.slots = 1;
  run_and_check(&t);
}

static void any_sample_count_works(void) {
  const uint64_t counts[] = {0, 1, 2, 9, 10, 11, 20};
  for (int i = 0; i < 7; i++) {
    toy_run t;
    toy_open(&t, counts[i]);
    run_and_check(&t);
  }
}

static void any_epoch_and_delay_work(void) {
  const int epochs[] = {1, 3, 150, 1000}, delays[] = {0, 2, 1, 0};
  for (int i = 0; i < 4; i++) {
    toy_run t;
    toy_open(&t, TOY_SAMPLES);
    t.setup.epoch_samples = epochs[i];
    t.setup.control_delay = delays[i];
    run_and_check(&t);
  }
}

static void a_stream_without_a_controller_ends(void) {
  toy_run    t;
  ee_device *device = NULL;
  toy_open(&t, 20);  // as many as the source may admit unasked
  CU_ASSERT_EQUAL_FATAL(ee_device_create(MPI_COMM_WORLD, &t.setup, &device), EE_OK);
  CU_ASSERT_EQUAL(ee_device_run(device, NULL), EE_OK);
  ee_device_destroy(&device);
  if (t.setup.sink != NULL) check_outcome(&t);
  toy_close(&t);
}

const ee_fact ee_facts[] = {
    EE_FACT(every_sample_is_answered_once_with_the_bits_of_the_sample_alone),
    EE_FACT(any_batch_limit_gives_the_same_bits),
    EE_FACT(one_slot_per_link_is_enough),
    EE_FACT(any_sample_count_works),
    EE_FACT(any_epoch_and_delay_work),
    EE_FACT(a_stream_without_a_controller_ends),
    {NULL, NULL},
};
