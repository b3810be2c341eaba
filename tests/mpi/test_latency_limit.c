/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that wait for the latency limit of their sample, and whole runs that always or never meet
 * it. */
#include "answer_office.h"
#include "toy_stream.h"

/* 100 ns from when a sample is admitted, which is 10 ns for each id. */
static const ee_deadline hundred = {.limit = 100e-9};

static ee_answer_record waiting(uint64_t id, int exit) {
  ee_answer_record r = record_of(id, exit);
  r.exit             = exit;
  r.way              = EE_ANSWER_WAITS;
  return r;
}

/* Send one answer and take it in at @p now. */
static void bring(office *o, ee_answer_record r, int64_t now) {
  post_batch(o, &r, 1, 0);
  while (!ee_answer_box_poll(o->box)) continue;
  for (int i = 0; i < 30; i++) CU_ASSERT_EQUAL_FATAL(poll_at(o, now), EE_OK);
}

static void check(const office *o, uint64_t id, int exit, ee_way way, int64_t answered) {
  const ee_answer *a = &o->seen->answer[id];
  CU_ASSERT_EQUAL(o->seen->times[id], 1);
  CU_ASSERT_EQUAL(a->exit, exit);
  CU_ASSERT_EQUAL(a->way, (int32_t)way);
  CU_ASSERT_EQUAL(a->answered, answered);
  CU_ASSERT_EQUAL(o->seen->logits[id][2], (float)(id * 10) + 2.0f);
}

static void a_limit_counts_from_admission_or_from_the_time_of_the_rate(void) {
  const ee_deadline by_rate = {.limit = 0.5, .rate = 4.0}, none = {.rate = 4.0};
  CU_ASSERT_EQUAL(ee_deadline_of(&hundred, 3, 30), 130);
  CU_ASSERT_EQUAL(ee_deadline_of(&by_rate, 6, 7000000000), 2000000000);
  CU_ASSERT_EQUAL(ee_deadline_of(&none, 6, 30), INT64_MAX);
}

static void an_answer_that_waits_counts_at_the_limit(void) {
  office o;
  open_office(&o, MPI_COMM_SELF, NULL, hundred);
  bring(&o, waiting(3, 0), 40);
  bring(&o, waiting(5, 0), 50);
  CU_ASSERT_EQUAL(poll_at(&o, 129), EE_OK);
  CU_ASSERT_EQUAL(ee_collector_answered(o.collector), 0);
  CU_ASSERT_EQUAL(poll_at(&o, 130), EE_OK);
  CU_ASSERT_EQUAL(ee_collector_answered(o.collector), 1);
  CU_ASSERT_EQUAL(poll_at(&o, 170), EE_OK);
  check(&o, 3, 0, EE_WAY_LIMIT, 130);
  check(&o, 5, 0, EE_WAY_LIMIT, 170);
  CU_ASSERT_EQUAL(ee_collector_latest(o.collector), 170);
  close_office(&o);
}

static void the_deepest_answer_that_came_in_time_counts(void) {
  office o;
  open_office(&o, MPI_COMM_SELF, NULL, hundred);
  bring(&o, waiting(2, 0), 30);
  bring(&o, waiting(2, 1), 120);
  bring(&o, waiting(4, 1), 125);
  bring(&o, waiting(4, 0), 126);
  CU_ASSERT_EQUAL(poll_at(&o, 140), EE_OK);
  check(&o, 2, 1, EE_WAY_LIMIT, 120);
  check(&o, 4, 1, EE_WAY_LIMIT, 140);
  close_office(&o);
}

static void an_answer_that_comes_behind_the_limit_counts_at_once(void) {
  office o;
  open_office(&o, MPI_COMM_SELF, NULL, hundred);
  bring(&o, waiting(1, 1), 500);
  check(&o, 1, 1, EE_WAY_LIMIT, 500);
  bring(&o, waiting(1, 0), 600);
  CU_ASSERT_EQUAL(poll_at(&o, 700), EE_OK);
  CU_ASSERT_EQUAL(o.seen->times[1], 1);
  close_office(&o);
}

static void a_decided_answer_counts_if_it_comes_before_the_limit(void) {
  office           o;
  ee_answer_record left = record_of(2, 1);
  open_office(&o, MPI_COMM_SELF, NULL, hundred);
  left.exit = 1;
  bring(&o, waiting(2, 0), 30);
  bring(&o, left, 119);
  check(&o, 2, 1, EE_WAY_LEFT, 119);
  left.id       = 5;
  left.admitted = 50;
  bring(&o, waiting(5, 0), 60);
  CU_ASSERT_EQUAL(poll_at(&o, 150), EE_OK);
  bring(&o, left, 151);
  check(&o, 5, 0, EE_WAY_LIMIT, 150);
  CU_ASSERT_EQUAL(ee_collector_overtaken(o.collector), 1);
  CU_ASSERT_EQUAL(ee_collector_duplicates(o.collector), 0);
  CU_ASSERT_EQUAL(ee_collector_answered(o.collector), 2);
  close_office(&o);
}

/* Rank 1's messages take 3 ms and more: modelled arrivals decide, not when rank 0 looks. */
static void on_a_paced_clock_arrivals_decide(void) {
  const ee_deadline deadline = {.limit = 0.0031};
  ee_fleet         *fleet    = office_fleet(1e6, 0.003);
  office            o;
  int               size = fleet->n_devices;
  open_office(&o, MPI_COMM_WORLD, fleet, deadline);
  uint64_t         id    = (uint64_t)o.wire.rank;
  ee_answer_record first = waiting(id, 0), left = record_of(id, 1);
  left.exit = 1;
  post_batch(&o, &first, 1, 0);
  post_batch(&o, &left, 1, 0);
  while (!ee_answer_box_poll(o.box)) CU_ASSERT_EQUAL(poll_at(&o, 1), EE_OK);
  while (o.collector != NULL && ee_collector_answered(o.collector) < size) {
    CU_ASSERT_EQUAL_FATAL(poll_at(&o, 1), EE_OK);
  }
  if (o.collector != NULL) {
    int64_t one = (int64_t)ee_answer_bytes(1, CLASSES, true) * 1000;
    check(&o, 0, 1, EE_WAY_LEFT, 1);
    for (int r = 1; r < size; r++) {  // the first one is there in time, the second one is not
      int64_t limit = 10 * r + 3100000;
      CU_ASSERT_TRUE(3000000 + one < limit && limit < 3000000 + 2 * one);
      check(&o, (uint64_t)r, 0, EE_WAY_LIMIT, limit);
    }
    CU_ASSERT_EQUAL(ee_collector_overtaken(o.collector), size - 1);
  }
  close_office(&o);
  ee_fleet_destroy(&fleet);
}

/* What every sample was answered with. */
static void go_with_limit(double limit, toy_run *t, ee_device_totals *totals) {
  toy_open(t, TOY_SAMPLES);
  t->setup.latency_limit = limit;
  CU_ASSERT_EQUAL(toy_go(t, totals), EE_OK);
}

static void a_limit_that_is_over_at_once_leaves_the_first_exit(void) {
  toy_run          t;
  ee_device_totals totals = {0};
  int              rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  go_with_limit(1e-9, &t, &totals);
  for (int id = 0; id < TOY_SAMPLES && rank == 0; id++) {
    CU_ASSERT_EQUAL(t.outcome->times[id], 1);
    CU_ASSERT_EQUAL(t.outcome->answer[id].exit, 0);
    CU_ASSERT_EQUAL(t.outcome->answer[id].way, EE_WAY_LATE);
  }
  CU_ASSERT_EQUAL(totals.dropped, 0);
  CU_ASSERT_EQUAL(totals.overtaken, 0);
  toy_close(&t);
}

static void a_limit_that_is_never_over_changes_no_bit(void) {
  toy_run t, u;
  int     rank, deep = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  go_with_limit(1e6, &t, NULL);
  go_with_limit(0.0, &u, NULL);
  for (int id = 0; id < TOY_SAMPLES && rank == 0; id++) {
    const ee_answer *a = &t.outcome->answer[id], *b = &u.outcome->answer[id];
    CU_ASSERT_EQUAL(t.outcome->times[id], 1);
    CU_ASSERT_EQUAL(a->way, EE_WAY_LEFT);
    CU_ASSERT_EQUAL(a->exit, b->exit);
    CU_ASSERT_EQUAL(a->prediction, b->prediction);
    CU_ASSERT_EQUAL(
        memcmp(t.outcome->logits[id], u.outcome->logits[id], sizeof t.outcome->logits[id]), 0);
    deep += a->exit > 0;
  }
  if (rank == 0) CU_ASSERT_TRUE(deep > 10);
  toy_close(&t);
  toy_close(&u);
}

const ee_fact ee_facts[] = {
    EE_FACT(a_limit_counts_from_admission_or_from_the_time_of_the_rate),
    EE_FACT(an_answer_that_waits_counts_at_the_limit),
    EE_FACT(the_deepest_answer_that_came_in_time_counts),
    EE_FACT(an_answer_that_comes_behind_the_limit_counts_at_once),
    EE_FACT(a_decided_answer_counts_if_it_comes_before_the_limit),
    EE_FACT(on_a_paced_clock_arrivals_decide),
    EE_FACT(a_limit_that_is_over_at_once_leaves_the_first_exit),
    EE_FACT(a_limit_that_is_never_over_changes_no_bit),
    {NULL, NULL},
};
