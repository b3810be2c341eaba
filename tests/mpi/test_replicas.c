/* SPDX-License-Identifier: Apache-2.0 */
/* Streams through stages that several devices share, against the bits of one device alone. */
#include "toy_alone.h"

static int world_size(void) {
  int size;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  return size;
}

/* n stages of about as many layers, on width[s] devices each, from the last device down, so that
 * rank 0 comes last. */
static void set_plan(toy_run *t, int n, const int *width) {
  int size = world_size(), device = size - 1;
  ee_plan_destroy(&t->plan);
  CU_ASSERT_EQUAL_FATAL(ee_plan_create(t->model->n_layers, size, n, &t->plan), EE_OK);
  for (int s = 0; s < n; s++) {
    int layers        = t->model->n_layers;
    t->plan->stage[s] = (ee_stage){layers * s / n, layers * (s + 1) / n, device--};
    for (int k = 1; k < width[s]; k++) {
      CU_ASSERT_EQUAL_FATAL(ee_plan_add_replica(t->plan, s, device--), EE_OK);
    }
  }
  t->setup.plan = t->plan;
}

/* Some devices take more batches of a round than others. */
static void set_turns(toy_run *t, int seed) {
  for (int d = 0; d < world_size(); d++) {
    CU_ASSERT_EQUAL_FATAL(ee_plan_set_turns(t->plan, d, 1 + (5 * d + seed) % 4), EE_OK);
  }
}

static void run_and_check(toy_run *t) {
  ee_device_totals totals;
  CU_ASSERT_EQUAL(toy_go(t, &totals), EE_OK);
  if (t->setup.sink != NULL) {
    toy_check_outcome(t);
    CU_ASSERT_EQUAL(totals.duplicates, 0);
  }
  toy_close(t);
}

/* The n-th way to share out all devices over up to three stages; false if there are no more. */
static bool nth_widths(int n, int *stages, int *width) {
  int size = world_size();
  for (int a = 1; a <= size; a++) {
    for (int b = 0; a + b <= size; b++) {
      for (int c = 0; a + b + c <= size && (c == 0 || b > 0); c++) {
        if (n-- > 0) continue;
        width[0] = a, width[1] = b, width[2] = c;
        *stages = 1 + (b > 0) + (c > 0);
        return true;
      }
    }
  }
  return false;
}

static void any_sharing_of_devices_gives_the_bits_of_the_sample_alone(void) {
  int stages, width[3];
  for (int n = 0; nth_widths(n, &stages, width); n += 1 + world_size() / 5) {
    toy_run t;
    toy_open(&t, TOY_SAMPLES);
    t.setup.batch_limit = 1 + n % 5;  // the last batch is short
    t.setup.slots       = 1 + n % 3;
    t.setup.merge_wait  = n % 2 == 0 ? 0.0 : 0.001;
    set_plan(&t, stages, width);
    if (n % 3 != 0) set_turns(&t, n);
    run_and_check(&t);
  }
}

static void streams_end_when_there_are_fewer_batches_than_devices(void) {
  const uint64_t counts[] = {0, 1, 2, 9, 10, 11};
  int            size     = world_size();
  for (int i = 0; i < 6; i++) {
    const int width[] = {(size + 1) / 2, size / 2};
    toy_run   t;
    toy_open(&t, counts[i]);
    set_plan(&t, size > 1 ? 2 : 1, width);
    run_and_check(&t);
  }
}

static void any_epoch_and_delay_work_with_replicas(void) {
  const int epochs[] = {1, 2, 3, 150, 1000}, delays[] = {0, 0, 2, 1, 0};
  int       size = world_size();
  for (int i = 0; i < 5; i++) {
    const int wide = size > 1 ? size - 1 : 1, stages = size > 1 ? 2 : 1;
    const int width[] = {i % 2 == 0 ? wide : 1, i % 2 == 0 ? 1 : wide};
    toy_run   t;
    toy_open(&t, TOY_SAMPLES);
    t.setup.epoch_samples = epochs[i];
    t.setup.control_delay = delays[i];
    set_plan(&t, stages, width);
    run_and_check(&t);
  }
}

/* Batches are full but for the last, so they are not merged, and the k-th goes to place k. */
static void devices_that_share_a_stage_take_turns(void) {
  ee_device_totals totals;
  int              rank, size = world_size(), batches = (TOY_SAMPLES + 3) / 4;
  const int        width[] = {size};
  toy_run          t;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  toy_open(&t, TOY_SAMPLES);
  t.setup.epoch_samples = TOY_SAMPLES;
  set_plan(&t, 1, width);
  CU_ASSERT_EQUAL(toy_go(&t, &totals), EE_OK);
  int place = size - 1 - rank;
  CU_ASSERT_EQUAL(totals.batches, batches / size + (place < batches % size));
  toy_close(&t);
}

/* Batches are full, and there are as many as in one round: device r takes its r + 1. */
static void devices_take_as_many_batches_as_they_have_turns(void) {
  ee_device_totals totals;
  int              rank, size = world_size(), round = size * (size + 1) / 2;
  const int        width[] = {size};
  toy_run          t;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  toy_open(&t, (uint64_t)(4 * round));
  t.setup.epoch_samples = 4 * round;
  set_plan(&t, 1, width);
  for (int d = 0; d < size; d++) CU_ASSERT_EQUAL(ee_plan_set_turns(t.plan, d, d + 1), EE_OK);
  CU_ASSERT_EQUAL(toy_go(&t, &totals), EE_OK);
  CU_ASSERT_EQUAL(totals.batches, rank + 1);
  toy_close(&t);
}

static void offloading_is_refused_with_replicas(void) {
  const int width[] = {world_size()};
  toy_run   t;
  if (width[0] < 2) return;
  toy_open(&t, TOY_SAMPLES);
  t.setup.offload = true;
  t.setup.slots   = 8;
  set_plan(&t, 1, width);
  CU_ASSERT_EQUAL(toy_go(&t, NULL), EE_ERR_ARG);
  toy_close(&t);
}

const ee_fact ee_facts[] = {
    EE_FACT(any_sharing_of_devices_gives_the_bits_of_the_sample_alone),
    EE_FACT(streams_end_when_there_are_fewer_batches_than_devices),
    EE_FACT(any_epoch_and_delay_work_with_replicas),
    EE_FACT(devices_that_share_a_stage_take_turns),
    EE_FACT(devices_take_as_many_batches_as_they_have_turns),
    EE_FACT(offloading_is_refused_with_replicas),
    {NULL, NULL},
};
