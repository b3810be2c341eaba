/* SPDX-License-Identifier: Apache-2.0 */
/* Faults in the middle of a run: every rank gets the same error, none hangs, and what was answered
 * stays answered. */
#include "toy_stream.h"

static int failing_rank, failing_layer;

static ee_status read_until_50(void *self, int64_t first, int64_t n, float *input) {
  if (first + n > 50) return EE_FAIL(EE_ERR_FILE, "sample %lld cannot be read", (long long)first);
  return toy_read(self, first, n, input);
}

static ee_status refuse_layer(void *self, int layer, float **blob) {
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  if (rank == failing_rank && (failing_layer < 0 || layer == failing_layer)) {
    return EE_FAIL(EE_ERR_FILE, "layer %d cannot be read", layer);
  }
  return toy_layer(self, layer, blob);
}

static void a_source_that_fails_is_the_same_error_on_all(void) {
  toy_run t;
  toy_open(&t, TOY_SAMPLES);
  t.setup.source.read = read_until_50;
  CU_ASSERT_EQUAL(toy_go(&t, NULL), EE_ERR_FILE);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "cannot be read"));
  for (int id = 0; id < TOY_SAMPLES; id++) CU_ASSERT_TRUE(t.outcome->times[id] <= 1);
  toy_close(&t);
}

static void a_rank_that_cannot_load_its_layers_stops_all(void) {
  int size;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  for (failing_rank = 0; failing_rank < size && failing_rank < 6; failing_rank++) {
    toy_run t;
    toy_open(&t, TOY_SAMPLES);
    failing_layer       = -1;
    t.setup.layers.read = refuse_layer;
    CU_ASSERT_EQUAL(toy_go(&t, NULL), EE_ERR_FILE);
    CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "layer"));
    toy_close(&t);
  }
}

static ee_status move_to_the_last(const ee_chain *chain, ee_plan **plan) {
  EE_TRY(ee_plan_create(chain->n_layers, chain->n_devices, 1, plan));
  (*plan)->stage[0] = (ee_stage){.end = chain->n_layers, .device = chain->n_devices - 1};
  return EE_OK;
}

static const ee_planner to_the_last = {.name = "last", .help = "", .find = move_to_the_last};

static void a_layer_that_cannot_be_moved_is_the_same_error_on_all(void) {
  int size;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  for (int mode = EE_MOVE_LIVE; mode <= EE_MOVE_DRAIN; mode++) {
    toy_run t;
    toy_open(&t, TOY_SAMPLES);
    failing_rank        = size - 1;
    failing_layer       = 0;  // which the last rank gets only by a move
    t.setup.layers.read = refuse_layer;
    t.control.rebalance = true;
    t.control.always    = true;
    t.control.move      = (ee_move_mode)mode;
    t.control.planner   = &to_the_last;
    t.control.weights   = EE_WEIGHTS_FILE;
    CU_ASSERT_EQUAL(toy_go(&t, NULL), EE_ERR_FILE);
    toy_close(&t);
  }
}

static void setups_that_differ_or_cannot_be_are_refused_on_all(void) {
  int rank, size;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  toy_run t;
  toy_open(&t, TOY_SAMPLES);
  t.setup.batch_limit = rank == size - 1 ? 0 : 4;
  CU_ASSERT_EQUAL(toy_go(&t, NULL), EE_ERR_ARG);
  t.setup.batch_limit   = 4;
  t.setup.epoch_samples = rank == 0 ? 10 : 11;
  CU_ASSERT_EQUAL(toy_go(&t, NULL), size > 1 ? EE_ERR_MISMATCH : EE_OK);
  toy_close(&t);
}

/* The same method with another limit, another seed or other costs would answer otherwise. */
static void policies_that_differ_are_refused_on_all(void) {
  const struct {
    const char *text;
    uint64_t    seed;
    double      layer, offload;
    bool        same;
  } other[] = {{"threshold:value=0.3", 1, 0.1, 0.5, false},
               {"threshold:value=0.5", 2, 0.1, 0.5, false},
               {"threshold:value=0.5", 1, 0.2, 0.5, false},
               {"threshold:value=0.5", 1, 0.1, 0.6, false},
               {"threshold:value=0.5", 1, 0.1, 0.5, true}};
  int rank, size;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  for (size_t i = 0; i < sizeof other / sizeof other[0]; i++) {
    toy_run t;
    toy_open(&t, TOY_SAMPLES);
    size_t                k       = rank == size - 1 ? i : sizeof other / sizeof other[0] - 1;
    const ee_policy_costs costs   = {.layer = other[k].layer, .offload = other[k].offload};
    ee_policy_setting     setting = {
            .n_exits = 3, .n_classes = TOY_CLASSES, .seed = other[k].seed, .costs = &costs};
    ee_policy *policy = NULL;
    CU_ASSERT_EQUAL_FATAL(ee_policy_create(other[k].text, &setting, &policy), EE_OK);
    t.setup.policy = policy;
    CU_ASSERT_EQUAL(toy_go(&t, NULL), size == 1 || other[i].same ? EE_OK : EE_ERR_MISMATCH);
    ee_policy_destroy(&policy);
    toy_close(&t);
  }
}

/* Ranks with different plans would wait for each other's messages for ever. */
static void plans_that_differ_are_refused_on_all(void) {
  int rank, size;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  toy_run t;
  toy_open(&t, TOY_SAMPLES);
  ee_stage *stage = t.plan->stage;
  int       last  = t.plan->n_stages - 1;
  if (rank == size - 1) {  // the ends of the chain change places
    stage[0].device    = stage[last].device;
    stage[last].device = 0;
  }
  CU_ASSERT_EQUAL(toy_go(&t, NULL), size > 1 ? EE_ERR_MISMATCH : EE_OK);
  if (size > 1) CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "different runs"));
  toy_close(&t);
}

/* Layers [begin, end) as a device holds them alone: what is said to be needed. */
static size_t least_need(const toy_run *t, const ee_stage *stage) {
  ee_memory_need need;
  if (ee_exec_memory(t->model, t->setup.backend, stage->begin, stage->end, t->setup.batch_limit,
                     &need) != EE_OK) {
    abort();
  }
  return need.weights + need.packed + need.arena;
}

/* The last device of the chain is the one that is too small, by one byte of what layers need
 * without any message. */
static void a_device_without_room_for_its_layers_is_refused_on_all(void) {
  toy_run   t;
  ee_fleet *fleet = NULL;
  char      number[32];
  toy_open(&t, TOY_SAMPLES);
  const ee_stage *last = &t.plan->stage[t.plan->n_stages - 1];
  CU_ASSERT_EQUAL_FATAL(ee_fleet_create(t.plan->n_devices, &fleet), EE_OK);
  for (int d = 0; d < t.plan->n_devices; d++) fleet->device[d].flops = 1e12;
  fleet->device[last->device].memory = (double)least_need(&t, last) - 1.0;
  t.setup.fleet                      = fleet;
  CU_ASSERT_EQUAL(toy_go(&t, NULL), EE_ERR_ARG);
  snprintf(number, sizeof number, "device %d (", last->device);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), number));
  snprintf(number, sizeof number, "has %.0f byte", fleet->device[last->device].memory);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), number));
  fleet->device[last->device].memory = 1e9;
  CU_ASSERT_EQUAL(toy_go(&t, NULL), EE_OK);
  toy_close(&t);
  ee_fleet_destroy(&fleet);
}

const ee_fact ee_facts[] = {
    EE_FACT(a_source_that_fails_is_the_same_error_on_all),
    EE_FACT(a_rank_that_cannot_load_its_layers_stops_all),
    EE_FACT(a_layer_that_cannot_be_moved_is_the_same_error_on_all),
    EE_FACT(setups_that_differ_or_cannot_be_are_refused_on_all),
    EE_FACT(policies_that_differ_are_refused_on_all),
    EE_FACT(plans_that_differ_are_refused_on_all),
    EE_FACT(a_device_without_room_for_its_layers_is_refused_on_all),
    {NULL, NULL},
};
