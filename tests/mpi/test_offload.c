/* SPDX-License-Identifier: Apache-2.0 */
/* Samples that leave their device at once when they are offloaded: answers against one device that
 * runs everything, and what each device computed. */
#include "ee/confidence.h"
#include "ee/exec.h"
#include "toy_stream.h"

/* Layers that this rank ran, by the trace. */
typedef struct work {
  int64_t samples[16];  // that ran a piece beginning at this layer
  int64_t asked;        // at heads
} work;

static void take_event(work *w, const ee_event *event) {
  if (event->kind == EE_EVENT_COMPUTE) w->samples[event->layer] += event->samples;
  if (event->kind == EE_EVENT_HEAD) w->asked += event->samples;
}

/* Odd ids leave at exit 0; of the others every third is offloaded there, and every fifth at exit 1,
 * the rest go to the end. */
static ee_decision decide(const void *self, const ee_exit_view *view, void *state) {
  (void)self, (void)state;
  if (view->exit == 0 && view->id % 2 == 1) return EE_LEAVE;
  if (view->exit == 0 && view->id % 3 == 0) return EE_OFFLOAD;
  if (view->exit == 1 && view->id % 5 == 0) return EE_OFFLOAD;
  return EE_GO_ON;
}

static const ee_policy_ops by_id  = {.name = "by-id", .state_bytes = 8, .decide = decide};
static const ee_policy     policy = {.ops = &by_id};

/* The sample alone, at the exit where it is answered. */
static void check_answer(ee_exec *exec, const ee_model *m, const toy_outcome *out, int64_t id) {
  const ee_answer *a    = &out->answer[id];
  int              exit = id % 2 == 1 ? 0 : m->n_exits - 1;
  const float     *z;
  toy_input(id, 1, ee_exec_input(exec, m->input));
  CU_ASSERT_EQUAL_FATAL(ee_exec_run_layers(exec, 0, m->exit[exit].attach + 1, 1), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_exec_run_head(exec, exit, 1, &z), EE_OK);
  CU_ASSERT_EQUAL(out->times[id], 1);
  CU_ASSERT_EQUAL(a->exit, exit);
  CU_ASSERT_EQUAL(a->prediction, ee_argmax(z, TOY_CLASSES));
  CU_ASSERT_EQUAL(memcmp(out->logits[id], z, TOY_CLASSES * sizeof *z), 0);
}

static void check_answers(const toy_run *t) {
  const ee_model *m        = t->model;
  ee_resident    *resident = NULL;
  ee_exec        *exec     = NULL;
  CU_ASSERT_EQUAL_FATAL(ee_resident_create(m, &ee_backend_ref, &resident), EE_OK);
  for (int l = 0; l < m->n_layers; l++) CU_ASSERT_EQUAL(ee_resident_add(resident, l, NULL), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_exec_create(resident, 0, m->n_layers, 1, &exec), EE_OK);
  CU_ASSERT_EQUAL(t->outcome->n, (int64_t)t->setup.n_samples);
  for (int64_t id = 0; id < (int64_t)t->setup.n_samples; id++) {
    check_answer(exec, m, t->outcome, id);
  }
  ee_exec_destroy(&exec);
  ee_resident_destroy(&resident);
}

static void open_offloading(toy_run *t, work *w) {
  toy_open(t, TOY_SAMPLES);
  *w               = (work){0};
  t->setup.policy  = &policy;
  t->setup.offload = true;
  t->setup.slots   = 4;
}

/* The sink of a rank hands answers to the outcome and events to the work. */
static void split_event(void *self, const ee_event *event) {
  take_event(((void **)self)[1], event);
}

static void split_answer(void *self, const ee_answer *answer, const float *logits, int classes) {
  toy_take(((void **)self)[0], answer, logits, classes);
}

static ee_status go(toy_run *t, work *w) {
  void *both[2] = {t->outcome, w};
  t->sink       = (ee_trace_sink){.self = both, .event = split_event, .answer = split_answer};
  t->setup.sink = &t->sink;
  return toy_go(t, NULL);
}

/* A plan with these cuts, as many as there are ranks for. */
static void cut_at(toy_run *t, const int *cut, int n) {
  int size;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  int stages = n + 1 < size ? n + 1 : size;
  ee_plan_destroy(&t->plan);
  CU_ASSERT_EQUAL_FATAL(ee_plan_create(t->model->n_layers, size, stages, &t->plan), EE_OK);
  for (int s = 0; s < stages; s++) {
    int begin         = s > 0 ? cut[s - 1] : 0;
    int end           = s + 1 < stages ? cut[s] : t->model->n_layers;
    t->plan->stage[s] = (ee_stage){begin, end, s};
  }
  t->setup.plan = t->plan;
}

static void answers_are_those_of_one_device_whatever_the_cuts_and_batches(void) {
  const int cuts[][5] = {{1, 2, 3, 4, 5}, {3, 4, 5}, {1, 5}, {3, 5}, {5}};
  const int n_cuts[] = {5, 3, 2, 2, 1}, batches[] = {1, 3, 4, 17};
  int       rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  for (int c = 0; c < 5; c++) {
    for (int b = 0; b < 4; b++) {
      toy_run t;
      work    w;
      open_offloading(&t, &w);
      cut_at(&t, cuts[c], n_cuts[c]);
      t.setup.batch_limit = batches[b];
      ee_status status    = go(&t, &w);
      if (status != EE_OK) printf("cuts %d, batch %d: %s\n", c, batches[b], ee_status_message());
      CU_ASSERT_EQUAL(status, EE_OK);
      if (rank == 0) check_answers(&t);
      toy_close(&t);
    }
  }
}

/* Cut before layer 5: the device asks everybody at exit 0 and 75 - 25 at exit 1, of whom those
 * divisible by 5 and not by 6 leave it there; the other runs all the rest, and one head each. */
static void an_offloaded_sample_costs_its_device_nothing_more(void) {
  int     rank, size;
  toy_run t;
  work    w;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  open_offloading(&t, &w);
  cut_at(&t, (const int[]){5}, 1);
  CU_ASSERT_EQUAL(go(&t, &w), EE_OK);
  int at_0 = 0, at_1 = 0, left = 0;
  for (int id = 0; id < TOY_SAMPLES; id++) {
    left += id % 2 == 1;
    at_0 += id % 2 == 0 && id % 3 == 0;
    at_1 += id % 2 == 0 && id % 3 != 0 && id % 5 == 0;
  }
  const ee_model *m     = t.model;
  int             first = m->exit[0].attach + 1, second = m->exit[1].attach + 1;
  int             stay = TOY_SAMPLES - left - at_0;
  if (size > 1 && rank == 0) {
    CU_ASSERT_EQUAL(w.samples[0], TOY_SAMPLES);
    CU_ASSERT_EQUAL(w.samples[first], stay);
    CU_ASSERT_EQUAL(w.samples[second], second < 5 ? stay - at_1 : 0);
    CU_ASSERT_EQUAL(w.asked, TOY_SAMPLES + stay);
  }
  if (size > 1 && rank == 1) {
    CU_ASSERT_EQUAL(w.samples[first], at_0);
    CU_ASSERT_EQUAL(w.samples[second], second < 5 ? at_1 : TOY_SAMPLES - left - at_0);
    CU_ASSERT_EQUAL(w.asked, TOY_SAMPLES - left);
  }
  toy_close(&t);
}

static void a_plan_that_could_move_or_too_few_slots_are_refused_on_every_rank(void) {
  toy_run t;
  work    w;
  open_offloading(&t, &w);
  t.control.rebalance = true;
  CU_ASSERT_EQUAL(go(&t, &w), EE_ERR_ARG);
  toy_close(&t);
  open_offloading(&t, &w);
  t.setup.slots = 3;
  CU_ASSERT_EQUAL(go(&t, &w), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "3 slots are too few to offload"));
  toy_close(&t);
}

const ee_fact ee_facts[] = {
    EE_FACT(answers_are_those_of_one_device_whatever_the_cuts_and_batches),
    EE_FACT(an_offloaded_sample_costs_its_device_nothing_more),
    EE_FACT(a_plan_that_could_move_or_too_few_slots_are_refused_on_every_rank),
    {NULL, NULL},
};
