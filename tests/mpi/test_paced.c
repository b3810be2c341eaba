/* SPDX-License-Identifier: Apache-2.0 */
/* Runs on a paced fleet: nothing is faster than the model says.  How much slower it may be is not
 * tested, since that is the machine's affair. */
#include "toy_stream.h"

enum { SAMPLES = 40 };

/* Events that the fleet bounds, of this rank. */
typedef struct watch {
  const ee_fleet *fleet;
  int             receives, paces, early;
} watch;

static void watch_event(void *self, const ee_event *e) {
  watch *w = self;
  w->paces += e->kind == EE_EVENT_PACE;
  if (e->kind != EE_EVENT_RECEIVE || e->peer == e->rank) return;
  const ee_link_spec *link  = ee_fleet_link(w->fleet, e->peer, e->rank);
  double              least = link->latency + (double)e->bytes / link->bandwidth;
  w->receives++;
  w->early += (double)(e->end - e->start) * 1e-9 < least - 2e-9;
}

static toy_run *run;  // whose answers rank 0 keeps
static watch    watched;

static void take_answer(void *self, const ee_answer *answer, const float *logits, int classes) {
  (void)self;
  toy_take(run->outcome, answer, logits, classes);
}

/* Device d at (d + 2) MFLOP/s; links of 2 MB/s and 0.5 ms. */
static ee_fleet *make_fleet(int size) {
  ee_fleet *fleet = NULL;
  if (ee_fleet_create(size, &fleet) != EE_OK) abort();
  for (int d = 0; d < size; d++) fleet->device[d].flops = 1e6 * (d + 2);
  for (int i = 0; i < size * size; i++) {
    fleet->link[i] = (ee_link_spec){.bandwidth = 2e6, .latency = 0.0005};
  }
  return fleet;
}

/* FLOP of a sample that leaves at exit e, on stage s. */
static double work_on(const toy_run *t, int s, int e) {
  const ee_stage *stage = &t->plan->stage[s];
  int             last  = t->model->exit[e].attach;
  double          work  = 0.0;
  for (int l = stage->begin; l < stage->end && l <= last; l++) work += t->model->layer[l].flops;
  for (int x = 0; x <= e; x++) {
    int attach = t->model->exit[x].attach;
    if (attach >= stage->begin && attach < stage->end) work += t->model->head_flops[x];
  }
  return work;
}

/* Seconds that a sample which leaves at exit e needs if nobody else is there. */
static double alone(const toy_run *t, const ee_fleet *fleet, int e) {
  double seconds = 0.0;
  int    before  = 0;  // the source
  for (int s = 0; s < t->plan->n_stages; s++) {
    const ee_stage *stage = &t->plan->stage[s];
    if (stage->begin > t->model->exit[e].attach) break;
    const ee_link_spec *link   = ee_fleet_link(fleet, before, stage->device);
    double              values = (double)ee_model_cut_bytes(t->model, stage->begin);
    if (before != stage->device) seconds += link->latency + values / link->bandwidth;
    seconds += work_on(t, s, e) / ee_fleet_speed(fleet, stage->device, 0.0, 0.0);
    before = stage->device;
  }
  if (before != 0) seconds += ee_fleet_link(fleet, before, 0)->latency;  // of the answer
  return seconds;
}

static void check_answers(const toy_run *t, const ee_fleet *fleet) {
  for (int id = 0; id < SAMPLES; id++) {
    const ee_answer *a = &t->outcome->answer[id];
    CU_ASSERT_EQUAL(t->outcome->times[id], 1);
    CU_ASSERT_TRUE((double)(a->answered - a->admitted) * 1e-9 >= alone(t, fleet, a->exit) - 1e-8);
  }
}

/* Every stage does all of its work at its speed, whatever the others do meanwhile. */
static void check_times(const toy_run *t, const ee_fleet *fleet, const ee_device_totals *totals,
                        const int *exits) {
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  for (int s = 0; s < t->plan->n_stages; s++) {
    int    d       = t->plan->stage[s].device;
    double seconds = 0.0;
    for (int e = 0; e < 3; e++) seconds += exits[e] * work_on(t, s, e);
    seconds /= ee_fleet_speed(fleet, d, 0.0, 0.0);
    if (rank == 0) CU_ASSERT_TRUE((double)totals->wall * 1e-9 >= seconds);
    if (rank == d) CU_ASSERT_TRUE((double)totals->busy * 1e-9 >= seconds - 1e-6);
    if (rank == d) CU_ASSERT_TRUE(totals->busy >= totals->compute);
  }
  if (ee_plan_stage_of_device(t->plan, rank) < 0) CU_ASSERT_EQUAL(totals->busy, 0);
}

static void nothing_is_faster_than_the_model(void) {
  toy_run          t;
  ee_device_totals totals = {0};
  int              rank, size, exits[3] = {0};
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  ee_fleet *fleet = make_fleet(size);
  toy_open(&t, SAMPLES);
  run                = &t;
  watched            = (watch){.fleet = fleet};
  ee_trace_sink sink = {.self = &watched, .event = watch_event, .answer = take_answer};
  t.setup.fleet      = fleet;
  t.setup.sink       = &sink;
  CU_ASSERT_EQUAL(toy_go(&t, &totals), EE_OK);
  for (int id = 0; id < SAMPLES && rank == 0; id++) exits[t.outcome->answer[id].exit]++;
  MPI_Bcast(exits, 3, MPI_INT, 0, MPI_COMM_WORLD);
  check_times(&t, fleet, &totals, exits);
  if (rank == 0) check_answers(&t, fleet);
  CU_ASSERT_EQUAL(watched.early, 0);
  if (ee_plan_stage_of_device(t.plan, rank) >= 0) CU_ASSERT_TRUE(watched.paces > 0);
  if (ee_plan_stage_of_device(t.plan, rank) > 0) CU_ASSERT_TRUE(watched.receives > 0);
  toy_close(&t);
  ee_fleet_destroy(&fleet);
}

/* The answer of the last sample takes 50 ms to rank 0; the run is not over before. */
static void the_run_lasts_until_the_last_answer_is_there(void) {
  toy_run          t;
  ee_device_totals totals = {0};
  int              rank, size;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  ee_fleet *fleet = make_fleet(size);
  for (int d = 1; d < size; d++) fleet->link[d * size].latency = 0.05;
  toy_open(&t, 4);
  t.setup.fleet = fleet;
  CU_ASSERT_EQUAL(toy_go(&t, &totals), EE_OK);
  if (rank == 0) {
    for (int id = 0; id < 4; id++) CU_ASSERT_TRUE(totals.wall >= t.outcome->answer[id].answered);
    if (size > 3) CU_ASSERT_TRUE(totals.wall >= 50000000);
  }
  toy_close(&t);
  ee_fleet_destroy(&fleet);
}

/* Weights of the stage and slots of its links at the least; a device without a stage has none. */
static void memory_is_that_of_weights_arena_and_slots(void) {
  toy_run          t;
  ee_device_totals totals = {0};
  int              rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  toy_open(&t, 20);
  CU_ASSERT_EQUAL(toy_go(&t, &totals), EE_OK);
  int s = ee_plan_stage_of_device(t.plan, rank);
  if (s < 0) {
    CU_ASSERT_EQUAL(totals.memory, 0);
  } else {
    const ee_stage *stage = &t.plan->stage[s];
    size_t          least = 0, messages = (size_t)t.setup.slots * (size_t)t.setup.batch_limit;
    for (int l = stage->begin; l < stage->end; l++) least += t.model->layer[l].weight_bytes;
    least += messages * ee_model_cut_bytes(t.model, stage->begin);
    if (s + 1 < t.plan->n_stages) least += messages * ee_model_cut_bytes(t.model, stage->end);
    CU_ASSERT_TRUE(totals.memory > least);
    CU_ASSERT_TRUE(totals.memory < 50 * least);
  }
  toy_close(&t);
}

/* 20 samples at 200 per second: the last one is not admitted before 95 ms. */
static void a_rate_holds_samples_back(void) {
  toy_run t;
  int     rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  toy_open(&t, 20);
  t.setup.rate = 200.0;
  CU_ASSERT_EQUAL(toy_go(&t, NULL), EE_OK);
  for (int id = 0; id < 20 && rank == 0; id++) {
    CU_ASSERT_TRUE(t.outcome->answer[id].admitted >= (int64_t)id * 5000000 - 1);
  }
  toy_close(&t);
}

const ee_fact ee_facts[] = {
    EE_FACT(nothing_is_faster_than_the_model),
    EE_FACT(the_run_lasts_until_the_last_answer_is_there),
    EE_FACT(memory_is_that_of_weights_arena_and_slots),
    EE_FACT(a_rate_holds_samples_back),
    {NULL, NULL},
};
