/* SPDX-License-Identifier: Apache-2.0 */
/* Moves between chains and plans whose stages have several devices: no answer changes. */
#include "restless.h"

/* Devices in any order, the first `stages` of them with a stage each; of the others some are idle
 * and some share one. */
static ee_status share_devices(ee_rng *rng, const int *device, ee_plan *plan) {
  for (int k = plan->n_stages; k < plan->n_devices; k++) {
    if (ee_rng_below(rng, 4) == 0) continue;
    int s = (int)ee_rng_below(rng, (uint64_t)plan->n_stages);
    EE_TRY(ee_plan_add_replica(plan, s, device[k]));
  }
  for (int d = 0; d < plan->n_devices && ee_rng_below(rng, 2) == 0; d++) {
    EE_TRY(ee_plan_set_turns(plan, d, 1 + (int)ee_rng_below(rng, 4)));
  }
  return EE_OK;
}

static ee_status draw_stages(ee_rng *rng, const ee_chain *chain, const int *device,
                             ee_plan **plan) {
  int most   = chain->n_devices < chain->n_layers ? chain->n_devices : chain->n_layers;
  int stages = 1 + (int)ee_rng_below(rng, (uint64_t)(most < 4 ? most : 4)), begin = 0;
  EE_TRY(ee_plan_create(chain->n_layers, chain->n_devices, stages, plan));
  for (int s = 0; s < stages; s++) {
    int room = chain->n_layers - begin - (stages - s - 1);
    int end  = begin + 1 + (int)ee_rng_below(rng, (uint64_t)room);
    if (s == stages - 1) end = chain->n_layers;
    (*plan)->stage[s] = (ee_stage){.begin = begin, .end = end, .device = device[s]};
    begin             = end;
  }
  return EE_OK;
}

/* A plan drawn by the number of the call; every third one is a chain. */
static ee_status draw_shared(const ee_chain *chain, ee_plan **plan) {
  int    device[64];
  ee_rng rng   = ee_rng_at(11, (uint64_t)restless_calls);
  bool   share = restless_calls++ % 3 != 2;
  if (chain->n_devices > 64) return EE_ERR_ARG;
  for (int d = 0; d < chain->n_devices; d++) {
    int other     = (int)ee_rng_below(&rng, (uint64_t)d + 1);
    device[d]     = device[other];
    device[other] = d;
  }
  EE_TRY(draw_stages(&rng, chain, device, plan));
  if (share) EE_TRY(share_devices(&rng, device, *plan));
  return ee_plan_check(*plan);
}

static const ee_planner shared = {
    .name = "shared", .help = "", .find = draw_shared, .replicates = true};

static void moving_replicas_changes_no_bit(void) {
  toy_run t;
  open_restless(&t, &shared);
  compare_with_still(&t);
}

static void moving_replicas_every_few_samples_changes_no_bit(void) {
  for (int delay = 0; delay <= 2; delay++) {
    toy_run t;
    open_restless(&t, &shared);
    t.setup.epoch_samples = 3 + delay;
    t.setup.batch_limit   = 1 + 3 * delay;
    t.setup.control_delay = delay;
    compare_with_still(&t);
  }
}

static void a_merging_device_changes_no_bit(void) {
  toy_run t;
  open_restless(&t, &shared);
  t.setup.epoch_samples = 5;
  t.setup.batch_limit   = 2;
  t.setup.merge_wait    = 0.001;
  compare_with_still(&t);
}

static void replicas_may_come_from_the_file(void) {
  toy_run t;
  open_restless(&t, &shared);
  t.setup.epoch_samples = 6;
  t.control.weights     = EE_WEIGHTS_FILE;
  compare_with_still(&t);
}

static void replicas_move_with_one_slot(void) {
  toy_run t;
  open_restless(&t, &shared);
  t.setup.slots         = 1;
  t.setup.batch_limit   = 1;
  t.setup.epoch_samples = 6;
  compare_with_still(&t);
}

static void replicas_move_with_the_stream_stopped(void) {
  for (int mode = EE_MOVE_BUILD; mode <= EE_MOVE_DRAIN; mode++) {
    for (int delay = 0; delay <= 2; delay += 2) {
      toy_run t;
      open_restless(&t, &shared);
      t.control.move        = (ee_move_mode)mode;
      t.setup.epoch_samples = 6;
      t.setup.control_delay = delay;
      compare_with_still(&t);
    }
  }
}

/* The first plan has all devices share all layers. */
static void a_run_may_begin_with_replicas(void) {
  toy_run t;
  int     size;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  open_restless(&t, &shared);
  ee_plan_destroy(&t.plan);
  CU_ASSERT_EQUAL_FATAL(ee_plan_create(t.model->n_layers, size, 1, &t.plan), EE_OK);
  t.plan->stage[0] = (ee_stage){0, t.model->n_layers, size - 1};
  for (int d = 0; d + 1 < size; d++) {
    CU_ASSERT_EQUAL_FATAL(ee_plan_add_replica(t.plan, 0, d), EE_OK);
    CU_ASSERT_EQUAL_FATAL(ee_plan_set_turns(t.plan, d, 1 + d), EE_OK);
  }
  t.setup.plan = t.plan;
  compare_with_still(&t);
}

const ee_fact ee_facts[] = {
    EE_FACT(moving_replicas_changes_no_bit),
    EE_FACT(moving_replicas_every_few_samples_changes_no_bit),
    EE_FACT(a_merging_device_changes_no_bit),
    EE_FACT(replicas_may_come_from_the_file),
    EE_FACT(replicas_move_with_one_slot),
    EE_FACT(replicas_move_with_the_stream_stopped),
    EE_FACT(a_run_may_begin_with_replicas),
    {NULL, NULL},
};
