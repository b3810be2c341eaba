/* SPDX-License-Identifier: Apache-2.0 */
/* The controller over whole streams: what it records, when it moves, and when it must not. */
#include "toy_stream.h"

enum { MOST_SAMPLES = 640, MOST_EPOCHS = 200 };

/* What rank 0 saw. */
typedef struct notes {
  int             n;
  ee_epoch_record record[MOST_EPOCHS];
  int64_t         left[MOST_EPOCHS][3], reached[MOST_EPOCHS][3];
  uint64_t        plan[MOST_EPOCHS];  // hash of the plan that the epoch followed
  int             exit[MOST_SAMPLES], plan_epoch[MOST_SAMPLES], times[MOST_SAMPLES];
} notes;

static notes  noted;
static int    rank, size;
static double lateness;  // largest share of a rank's computing that overran the model

static void note_answer(void *self, const ee_answer *answer, const float *logits, int classes) {
  notes *s = self;
  (void)logits;
  (void)classes;
  s->exit[answer->id]       = answer->exit;
  s->plan_epoch[answer->id] = answer->plan_epoch;
  s->times[answer->id]++;
}

static void note_epoch(void *self, const ee_epoch_record *record) {
  notes *s = self;
  if (s->n == MOST_EPOCHS) abort();
  s->record[s->n] = *record;
  s->plan[s->n]   = ee_plan_hash(record->before);
  memcpy(s->left[s->n], record->left, sizeof s->left[0]);
  memcpy(s->reached[s->n], record->reached, sizeof s->reached[0]);
  s->n++;
}

static void open_run(toy_run *t, uint64_t n_samples) {
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  toy_open(t, n_samples);
  memset(&noted, 0, sizeof noted);
  t->sink = (ee_trace_sink){.self = &noted, .answer = note_answer, .epoch = note_epoch};
  t->setup.with_logits = false;
  t->control.rebalance = true;
}

/* Run; every sample must be answered once.  Collective. */
static void go(toy_run *t) {
  ee_device_totals totals = {0};
  CU_ASSERT_EQUAL(toy_go(t, &totals), EE_OK);
  for (uint64_t id = 0; rank == 0 && id < t->setup.n_samples; id++) {
    CU_ASSERT_EQUAL(noted.times[id], 1);
  }
  lateness = totals.busy > 0 ? (double)totals.late / (double)totals.busy : 0.0;
  MPI_Allreduce(MPI_IN_PLACE, &lateness, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
}

static int count(ee_verdict verdict) {
  int n = 0;
  for (int i = 0; i < noted.n; i++) n += noted.record[i].verdict == (int32_t)verdict;
  return n;
}

/* All layers on one device. */
static void plan_on(toy_run *t, int device) {
  ee_plan_destroy(&t->plan);
  if (ee_plan_create(t->model->n_layers, size, 1, &t->plan) != EE_OK) abort();
  t->plan->stage[0] = (ee_stage){.end = t->model->n_layers, .device = device};
  t->setup.plan     = t->plan;
}

/* The exact planner's plan for the fleet and shares. */
static void plan_best(toy_run *t, const double *share) {
  ee_plan_destroy(&t->plan);
  if (ee_first_plan(&t->setup, size, ee_planner_by_name("exact"), share, &t->plan, NULL) != EE_OK) {
    abort();
  }
  t->setup.plan = t->plan;
}

static int turn;  // of the planners below

/* All layers on one device, another at every call; on the last rank another than on the others if
 * they are to disagree. */
static bool disagree;

static ee_status go_round(const ee_chain *chain, ee_plan **plan) {
  int device = turn++ % chain->n_devices;
  if (disagree && rank == size - 1 && turn > 2) device = (device + 1) % chain->n_devices;
  EE_TRY(ee_plan_create(chain->n_layers, chain->n_devices, 1, plan));
  (*plan)->stage[0] = (ee_stage){.end = chain->n_layers, .device = device};
  return EE_OK;
}

static const ee_planner carousel = {.name = "carousel", .help = "", .find = go_round};

static ee_status go_last(const ee_chain *chain, ee_plan **plan) {
  EE_TRY(ee_plan_create(chain->n_layers, chain->n_devices, 1, plan));
  (*plan)->stage[0] = (ee_stage){.end = chain->n_layers, .device = chain->n_devices - 1};
  return EE_OK;
}

static const ee_planner to_the_last = {.name = "last", .help = "", .find = go_last};

/* What the samples of an epoch did, from their answers. */
static void check_epoch(const toy_run *t, int i) {
  const ee_epoch_record *r       = &noted.record[i];
  uint64_t               first   = (uint64_t)i * (uint64_t)t->setup.epoch_samples;
  uint64_t               end     = first + (uint64_t)t->setup.epoch_samples;
  int64_t                left[3] = {0}, reached[3] = {0};
  for (uint64_t id = first; id < end && id < t->setup.n_samples; id++) {
    left[noted.exit[id]]++;
    for (int e = 0; e <= noted.exit[id]; e++) reached[e]++;
    CU_ASSERT_EQUAL(noted.plan_epoch[id], r->plan_epoch);
  }
  CU_ASSERT_EQUAL(r->epoch, i);
  CU_ASSERT_EQUAL(memcmp(noted.left[i], left, sizeof left), 0);
  CU_ASSERT_EQUAL(memcmp(noted.reached[i], reached, sizeof reached), 0);
  CU_ASSERT_TRUE(r->period_measured > 0.0);
  for (int k = 0; k < i; k++) {  // one number, one plan; the next number is another plan here
    bool same = noted.record[k].plan_epoch == r->plan_epoch;
    if (same) CU_ASSERT_EQUAL(noted.plan[k], noted.plan[i]);
    if (noted.record[k].plan_epoch + 1 == r->plan_epoch) {
      CU_ASSERT_NOT_EQUAL(noted.plan[k], noted.plan[i]);
    }
  }
  if (r->verdict != EE_VERDICT_SWITCHED) return;
  for (uint64_t id = 0; id < t->setup.n_samples; id++) {
    CU_ASSERT_EQUAL(noted.plan_epoch[id] > r->plan_epoch, id >= r->switch_id);
  }
}

static void every_epoch_is_recorded_once_with_what_its_samples_did(void) {
  for (int delay = 0; delay < 3; delay++) {
    toy_run t;
    open_run(&t, 145);
    turn                  = 0;
    t.setup.control_delay = delay;
    t.control.always      = true;
    t.control.planner     = &carousel;
    go(&t);
    if (rank == 0) {
      CU_ASSERT_EQUAL(noted.n, 15);
      for (int i = 0; i < noted.n; i++) check_epoch(&t, i);
      if (size > 1) CU_ASSERT_TRUE(count(EE_VERDICT_SWITCHED) >= 1);
      CU_ASSERT_TRUE(count(EE_VERDICT_ADOPTED) >= count(EE_VERDICT_SWITCHED));
    }
    toy_close(&t);
  }
}

static ee_fleet *make_fleet(double flops) {
  ee_fleet *fleet = NULL;
  if (ee_fleet_create(size, &fleet) != EE_OK) abort();
  for (int d = 0; d < size; d++) fleet->device[d].flops = flops;
  return fleet;
}

/* Shares of samples that leave at each exit, from a run that moves nothing. */
static void find_shares(double *share) {
  toy_run t;
  open_run(&t, MOST_SAMPLES);
  t.control.rebalance = false;
  go(&t);
  for (int e = 0; e < 3; e++) share[e] = 0.0;
  for (int id = 0; id < MOST_SAMPLES && rank == 0; id++) {
    share[noted.exit[id]] += 1.0 / MOST_SAMPLES;
  }
  MPI_Bcast(share, 3, MPI_DOUBLE, 0, MPI_COMM_WORLD);
  toy_close(&t);
}

/* 64 epochs under the best plan.  On a machine so busy that computing overruns the model the
 * stream does not stay as it is, and the fact says nothing. */
static void a_stream_that_stays_as_it_is_moves_nothing(void) {
  double  share[3];
  toy_run t;
  find_shares(share);
  open_run(&t, MOST_SAMPLES);
  ee_fleet *fleet = make_fleet(size == 1 ? 20e6 : 8e6);
  t.setup.fleet   = fleet;
  plan_best(&t, share);
  go(&t);
  if (rank == 0) CU_ASSERT_EQUAL(noted.n, 64);
  if (lateness > 0.02) {
    ee_test_skip("this machine is too busy to keep the modelled times");
  } else {
    CU_ASSERT_EQUAL(count(EE_VERDICT_ADOPTED), 0);
  }
  toy_close(&t);
  ee_fleet_destroy(&fleet);
}

/* The plan for the fleet in which device 0 has a quarter of its speed. */
static uint64_t hash_when_slow(toy_run *t) {
  ee_plan        *plan    = NULL;
  double          flops   = t->setup.fleet->device[0].flops;
  ee_fleet       *fleet   = make_fleet(flops);
  const ee_fleet *present = t->setup.fleet;
  fleet->device[0].flops  = flops / 4.0;
  t->setup.fleet          = fleet;
  if (ee_first_plan(&t->setup, size, ee_planner_by_name("exact"), NULL, &plan, NULL) != EE_OK) {
    abort();
  }
  uint64_t hash  = ee_plan_hash(plan);
  t->setup.fleet = present;
  ee_plan_destroy(&plan);
  ee_fleet_destroy(&fleet);
  return hash;
}

/* Device 0 slows down to a quarter; samples go through all layers, so loads are known exactly. */
static void a_device_that_slows_down_gets_the_plan_for_its_new_speed(void) {
  ee_policy_setting setting = {.n_exits = 3, .n_classes = TOY_CLASSES};
  toy_run           t;
  open_run(&t, 150);
  ee_fleet *fleet = make_fleet(size == 1 ? 24e6 : 6e6);
  ee_policy_destroy(&t.policy);
  if (ee_policy_create("final", &setting, &t.policy) != EE_OK) abort();
  t.setup.policy                   = t.policy;
  t.setup.fleet                    = fleet;
  t.setup.epoch_samples            = 6;
  t.setup.batch_limit              = 2;
  fleet->device[0].speed.n         = 1;
  fleet->device[0].speed.change    = malloc(sizeof(ee_change));
  fleet->device[0].speed.change[0] = (ee_change){.at = 0.1, .value = 0.25};
  plan_best(&t, NULL);
  uint64_t expected = hash_when_slow(&t), first = ee_plan_hash(t.plan);
  go(&t);
  if (lateness > 0.01) {
    ee_test_skip("this machine is too busy to keep the modelled times");
  } else if (rank == 0) {
    CU_ASSERT_EQUAL(noted.plan[0], first);
    CU_ASSERT_EQUAL(noted.plan[noted.n - 1], expected);
    CU_ASSERT_EQUAL(expected != first, count(EE_VERDICT_SWITCHED) > 0);
    if (size > 1) CU_ASSERT_NOT_EQUAL(expected, first);
  }
  toy_close(&t);
  ee_fleet_destroy(&fleet);
}

/* All layers on the last device, which any plan on more of them beats by far: why does it stay? */
static void check_kept(const toy_run *changed, uint64_t n_samples, ee_verdict why) {
  toy_run t;
  open_run(&t, n_samples);
  plan_on(&t, size - 1);
  t.control = changed->control;
  go(&t);
  for (int i = 0; i < 3 && rank == 0; i++) {
    CU_ASSERT_EQUAL(noted.record[i].verdict, (int32_t)(size > 1 ? why : EE_VERDICT_KEPT_BEST));
  }
  if (rank == 0) CU_ASSERT_EQUAL(count(EE_VERDICT_ADOPTED), 0);
  toy_close(&t);
}

static void a_move_that_does_not_pay_is_refused_with_the_reason(void) {
  toy_run t            = {.control = ee_controller_defaults()};
  t.control.error_bars = 0.0;
  check_kept(&t, 30, EE_VERDICT_KEPT_COST);  // nothing is left that would follow the new plan
  t.control.min_gain = 0.99;
  check_kept(&t, 150, EE_VERDICT_KEPT_SMALL);
  t.control.min_gain  = 0.1;
  t.control.rebalance = false;
  t.control.hold      = 1;
  check_kept(&t, 150, EE_VERDICT_KEPT_OFF);
}

/* Which rank finds out first is chance, and so is what is under way then: so more than once. */
static void ranks_that_plan_differently_are_found_out(void) {
  for (int i = 0; i < 8; i++) {
    toy_run t;
    open_run(&t, 150);
    turn              = i;
    disagree          = true;
    t.control.always  = true;
    t.control.planner = &carousel;
    CU_ASSERT_EQUAL(toy_go(&t, NULL), size > 1 ? EE_ERR_MISMATCH : EE_OK);
    if (size > 1) CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "different plans"));
    for (int id = 0; id < 150 && rank == 0; id++) CU_ASSERT_TRUE(noted.times[id] <= 1);
    disagree = false;
    toy_close(&t);
  }
}

/* The weights would be under way for minutes. */
static void a_move_that_cannot_be_in_time_does_not_hold_the_end(void) {
  toy_run t;
  open_run(&t, 60);
  ee_fleet *fleet = make_fleet(1e9);
  plan_on(&t, size > 1 ? 1 : 0);
  t.setup.fleet     = fleet;
  t.control.always  = true;
  t.control.planner = &to_the_last;
  if (size > 2) fleet->link[size + size - 1].bandwidth = 1.0;  // from device 1 to the last
  go(&t);
  if (rank == 0 && size > 2) {
    CU_ASSERT_EQUAL(count(EE_VERDICT_ADOPTED), 1);
    CU_ASSERT_EQUAL(count(EE_VERDICT_SWITCHED), 0);
  }
  toy_close(&t);
  ee_fleet_destroy(&fleet);
}

static void a_run_without_a_controller_answers_all(void) {
  toy_run    t;
  ee_device *device = NULL;
  open_run(&t, 150);
  CU_ASSERT_EQUAL_FATAL(ee_device_create(MPI_COMM_WORLD, &t.setup, &device), EE_OK);
  CU_ASSERT_EQUAL(ee_device_run(device, NULL), EE_OK);
  for (int id = 0; id < 150 && rank == 0; id++) CU_ASSERT_EQUAL(noted.times[id], 1);
  ee_device_destroy(&device);
  toy_close(&t);
}

static void a_policy_that_learns_needs_a_controller(void) {
  ee_policy_setting setting = {.n_exits = 3, .n_classes = TOY_CLASSES};
  ee_device        *device  = NULL;
  toy_run           t;
  open_run(&t, 150);
  ee_policy_destroy(&t.policy);
  CU_ASSERT_EQUAL_FATAL(ee_policy_create("splitee", &setting, &t.policy), EE_OK);
  t.setup.policy = t.policy;
  CU_ASSERT_EQUAL_FATAL(ee_device_create(MPI_COMM_WORLD, &t.setup, &device), EE_OK);
  CU_ASSERT_EQUAL(ee_device_run(device, NULL), EE_ERR_ARG);
  ee_device_destroy(&device);
  t.control.rebalance = false;
  go(&t);
  toy_close(&t);
}

const ee_fact ee_facts[] = {
    EE_FACT(every_epoch_is_recorded_once_with_what_its_samples_did),
    EE_FACT(a_stream_that_stays_as_it_is_moves_nothing),
    EE_FACT(a_device_that_slows_down_gets_the_plan_for_its_new_speed),
    EE_FACT(a_move_that_does_not_pay_is_refused_with_the_reason),
    EE_FACT(ranks_that_plan_differently_are_found_out),
    EE_FACT(a_move_that_cannot_be_in_time_does_not_hold_the_end),
    EE_FACT(a_run_without_a_controller_answers_all),
    EE_FACT(a_policy_that_learns_needs_a_controller),
    {NULL, NULL},
};
