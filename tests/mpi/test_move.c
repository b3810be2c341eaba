/* SPDX-License-Identifier: Apache-2.0 */
/* Layers that move while the stream runs: whatever the plans, no answer changes. */
#include "restless.h"

/* A plan drawn by the number of the call: any cuts, devices in order, some of them idle. */
static ee_status draw_plan(const ee_chain *chain, ee_plan **plan) {
  ee_rng rng    = ee_rng_at(3, (uint64_t)restless_calls++);
  int    most   = chain->n_devices < chain->n_layers ? chain->n_devices : chain->n_layers;
  int    stages = 1 + (int)ee_rng_below(&rng, (uint64_t)most);
  EE_TRY(ee_plan_create(chain->n_layers, chain->n_devices, stages, plan));
  int device = 0, begin = 0;
  for (int s = 0; s < stages; s++) {
    int rest = stages - s - 1;
    device += (int)ee_rng_below(&rng, (uint64_t)(chain->n_devices - device - rest));
    int room = chain->n_layers - begin - rest;
    int end  = rest == 0 ? chain->n_layers : begin + 1 + (int)ee_rng_below(&rng, (uint64_t)room);
    (*plan)->stage[s] = (ee_stage){.begin = begin, .end = end, .device = device++};
    begin             = end;
  }
  return EE_OK;
}

static const ee_planner restless = {.name = "restless", .help = "", .find = draw_plan};

static void moving_layers_changes_no_bit(void) {
  toy_run t;
  open_restless(&t, &restless);
  compare_with_still(&t);
}

static void moving_every_few_samples_changes_no_bit(void) {
  toy_run t;
  open_restless(&t, &restless);
  t.setup.epoch_samples = 4;
  t.setup.batch_limit   = 7;
  t.setup.control_delay = 0;
  compare_with_still(&t);
}

static void layers_may_come_from_the_file(void) {
  toy_run t;
  open_restless(&t, &restless);
  t.control.weights = EE_WEIGHTS_FILE;
  compare_with_still(&t);
}

/* Latency alone speaks for the file; a third of the pairs have none. */
static void each_layer_may_come_from_where_it_is_sooner(void) {
  toy_run t;
  int     size;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  size_t  pairs = (size_t)size * (size_t)size;
  double *links = calloc(2 * pairs, sizeof *links);
  CU_ASSERT_PTR_NOT_NULL_FATAL(links);
  for (size_t i = 0; i < pairs; i++) links[pairs + i] = i % 3 == 0 ? 0.0 : 1.0;
  open_restless(&t, &restless);
  t.setup.link_bandwidth = links;
  t.setup.link_latency   = links + pairs;
  t.control.weights      = EE_WEIGHTS_AUTO;
  t.control.file_rate    = 1e9;
  compare_with_still(&t);
  free(links);
}

static void moving_with_one_slot_changes_no_bit(void) {
  toy_run t;
  open_restless(&t, &restless);
  t.setup.slots         = 1;
  t.setup.batch_limit   = 1;
  t.setup.epoch_samples = 6;
  compare_with_still(&t);
}

/* Whoever is answered: ids before the stop come all before those behind it. */
static void moving_with_the_stream_stopped_changes_no_bit(void) {
  for (int mode = EE_MOVE_BUILD; mode <= EE_MOVE_DRAIN; mode++) {
    for (int delay = 0; delay <= 2; delay += 2) {
      toy_run t;
      open_restless(&t, &restless);
      t.control.move        = (ee_move_mode)mode;
      t.setup.control_delay = delay;
      compare_with_still(&t);
    }
  }
}

static void layers_from_the_file_come_while_the_stream_is_stopped(void) {
  toy_run t;
  open_restless(&t, &restless);
  t.control.move        = EE_MOVE_DRAIN;
  t.control.weights     = EE_WEIGHTS_FILE;
  t.setup.slots         = 1;
  t.setup.epoch_samples = 6;
  compare_with_still(&t);
}

/* The order in which answers came in, by id. */
typedef struct order {
  int came[TOY_SAMPLES], n;
  int first_of[TOY_SAMPLES];  // first id of each plan; 0: none
  int plans;
} order;

static void note_order(void *self, const ee_answer *answer, const float *logits, int classes) {
  order *o = self;
  (void)logits, (void)classes;
  o->came[answer->id] = o->n++;
}

static void note_switch(void *self, const ee_epoch_record *record) {
  order *o = self;
  if (record->verdict == EE_VERDICT_SWITCHED) o->first_of[o->plans++] = (int)record->switch_id;
}

/* Answers of ids from @p first on that came before one of an id below. */
static int overtakers(const order *o, int first) {
  int last = 0, n = 0;
  for (int id = 0; id < first; id++) last = o->came[id] > last ? o->came[id] : last;
  for (int id = first; id < TOY_SAMPLES; id++) n += o->came[id] < last;
  return n;
}

static void a_stopped_stream_answers_all_before_the_stop_first(void) {
  for (int mode = EE_MOVE_BUILD; mode <= EE_MOVE_DRAIN; mode++) {
    toy_run t;
    order   seen = {.n = 0};
    int     size;
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    open_restless(&t, &restless);
    t.control.move = (ee_move_mode)mode;
    t.sink         = (ee_trace_sink){.self = &seen, .answer = note_order, .epoch = note_switch};
    CU_ASSERT_EQUAL(toy_go(&t, NULL), EE_OK);
    for (int i = 0; i < seen.plans; i++) CU_ASSERT_EQUAL(overtakers(&seen, seen.first_of[i]), 0);
    if (t.setup.sink != NULL && size > 1) CU_ASSERT_TRUE(seen.plans >= 2);
    toy_close(&t);
  }
}

const ee_fact ee_facts[] = {
    EE_FACT(moving_layers_changes_no_bit),
    EE_FACT(moving_every_few_samples_changes_no_bit),
    EE_FACT(layers_may_come_from_the_file),
    EE_FACT(each_layer_may_come_from_where_it_is_sooner),
    EE_FACT(moving_with_one_slot_changes_no_bit),
    EE_FACT(moving_with_the_stream_stopped_changes_no_bit),
    EE_FACT(layers_from_the_file_come_while_the_stream_is_stopped),
    EE_FACT(a_stopped_stream_answers_all_before_the_stop_first),
    {NULL, NULL},
};
