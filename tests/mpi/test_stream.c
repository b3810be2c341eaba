/* SPDX-License-Identifier: Apache-2.0 */
/* Streams over 1 to 6 ranks against one device that runs every exit of every sample. */
#include "toy_alone.h"

static void run_and_check(toy_run *t) {
  ee_device_totals totals;
  CU_ASSERT_EQUAL(toy_go(t, &totals), EE_OK);
  if (t->setup.sink != NULL) {
    toy_check_outcome(t);
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
  if (t.setup.sink != NULL) toy_check_outcome(&t);
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
