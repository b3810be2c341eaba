/* SPDX-License-Identifier: Apache-2.0 */
/* The statistics of `edgeexit report`, compiled in: they belong to the program, not to a library.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../../apps/report_arms.c"
#include "../../../apps/report_data.c"
#include "../../../apps/report_devices.c"
#include "../../../apps/report_plans.c"
#include "../../../apps/report_stats.c"
#include "../../../apps/report_team.c"
#include "ee/rng.h"
#include "ee_test.h"

/* The least element that at least the share p of all elements does not exceed, by counting. */
static double percentile_by_counting(const double *x, int n, double p) {
  double best = INFINITY;
  for (int i = 0; i < n; i++) {
    int at_most = 0;
    for (int k = 0; k < n; k++) at_most += x[k] <= x[i];
    if (at_most >= p * n - 1e-9 && x[i] < best) best = x[i];
  }
  return best;
}

static void percentiles_are_the_nearest_rank(void) {
  ee_rng rng = ee_rng_at(3, 1);
  for (int n = 1; n <= 60; n++) {
    double x[60], kept[60];
    for (int i = 0; i < n; i++) kept[i] = x[i] = (double)ee_rng_below(&rng, 30);
    ee_summary s = ee_summarise(x, n);
    CU_ASSERT_EQUAL(s.n, n);
    CU_ASSERT_EQUAL(s.p50, percentile_by_counting(kept, n, 0.50));
    CU_ASSERT_EQUAL(s.p95, percentile_by_counting(kept, n, 0.95));
    CU_ASSERT_EQUAL(s.p99, percentile_by_counting(kept, n, 0.99));
    CU_ASSERT_EQUAL(s.max, percentile_by_counting(kept, n, 1.0));
  }
}

static void the_mean_of_one_to_n_is_half_of_n_plus_one(void) {
  double x[1000];
  for (int i = 0; i < 1000; i++) x[i] = 1000 - i;
  ee_summary s = ee_summarise(x, 1000);
  CU_ASSERT_DOUBLE_EQUAL(s.mean, 500.5, 1e-12);
  CU_ASSERT_EQUAL(s.p50, 500.0);
  CU_ASSERT_EQUAL(s.p99, 990.0);
  CU_ASSERT_EQUAL(s.max, 1000.0);
}

static void nothing_is_summed_up_as_nothing(void) {
  ee_summary s = ee_summarise(NULL, 0);
  CU_ASSERT_EQUAL(s.n, 0);
  CU_ASSERT_EQUAL(s.mean, 0.0);
  CU_ASSERT_EQUAL(ee_covered(NULL, 0), 0);
  CU_ASSERT_EQUAL(ee_longest_gap(NULL, 0, 0).length, 0);
  CU_ASSERT_EQUAL(ee_throughput(NULL, 0, 5, 5), 0.0);
}

static void covered_time_is_what_some_interval_covers(void) {
  ee_rng rng = ee_rng_at(9, 9);
  for (int trial = 0; trial < 300; trial++) {
    ee_interval interval[12];
    char        line[100] = {0};
    int         n = (int)ee_rng_below(&rng, 13), covered = 0;
    for (int i = 0; i < n; i++) {
      int64_t start = (int64_t)ee_rng_below(&rng, 80);
      int64_t end   = start + (int64_t)ee_rng_below(&rng, 20) - 3;  // some are empty
      interval[i]   = (ee_interval){start - 40, end - 40};
      for (int64_t t = start; t < end; t++) line[t] = 1;
    }
    for (int t = 0; t < 100; t++) covered += line[t];
    CU_ASSERT_EQUAL(ee_covered(interval, n), covered);
  }
}

static void the_longest_gap_is_between_neighbours_in_the_window(void) {
  int64_t   at[] = {0, 5, 6, 26, 30, 60, 61};
  ee_answer answer[7];
  for (int i = 0; i < 7; i++) answer[i] = (ee_answer){.answered = at[i]};
  for (int first = 0; first <= 7; first++) {
    for (int last = first; last <= 7; last++) {
      ee_gap gap = ee_longest_gap(answer, first, last), naive = {0, 0};
      for (int i = first + 1; i < last; i++) {
        if (at[i] - at[i - 1] > naive.length) naive = (ee_gap){at[i] - at[i - 1], at[i - 1]};
      }
      CU_ASSERT_EQUAL(gap.length, naive.length);
      CU_ASSERT_EQUAL(gap.from, naive.from);
    }
  }
}

/* A run on 3 devices with 3 layers and 2 exits, a sample every 10 ms; from sample 60 on, 30 ms
 * late, the second plan. */
#define N 100
#define MS INT64_C(1000000)

typedef struct made_run {
  ee_stage        stages[2][2];
  ee_plan         plan[2];
  ee_trace_header header;
  ee_answer       answer[N];
  ee_epoch_record epoch[10];
  ee_event        event[7];
  ee_report_input input;
} made_run;

static void make_run(made_run *run) {
  *run = (made_run){
      .stages = {{{0, 1, 0}, {1, 3, 1}}, {{0, 2, 0}, {2, 3, 2}}},
      .header = {.n_samples = 120, .epoch_samples = 12, .n_ranks = 3, .n_exits = 2, .n_classes = 3},
      .event  = {
           {.kind = EE_EVENT_COMPUTE, .start = 0, .end = 100 * MS, .peer = -1},
           {.kind = EE_EVENT_COMPUTE, .start = 50 * MS, .end = 200 * MS, .peer = -1},
           {.rank = 1, .kind = EE_EVENT_RECEIVE, .peer = 0, .bytes = 40},
           {.rank = 1, .kind = EE_EVENT_RECEIVE, .peer = 0, .bytes = 60},
           {.rank = 0, .kind = EE_EVENT_SEND, .peer = 1, .bytes = 40},
           {.rank = 0, .kind = EE_EVENT_RECEIVE, .peer = 0, .bytes = 7},
           {.rank = 2, .kind = EE_EVENT_ALLREDUCE, .start = 3 * MS, .end = 7 * MS, .peer = -1}}};
  for (int i = 0; i < 2; i++)
    run->plan[i] = (ee_plan){.n_layers = 3, .n_devices = 3, .n_stages = 2, .stage = run->stages[i]};
  run->header.plan = &run->plan[0];
  for (int i = 0; i < N; i++) {
    int second     = i >= 60;
    run->answer[i] = (ee_answer){.id         = (uint64_t)i,
                                 .label      = i % 3,
                                 .prediction = i % 10 == 0 ? (i + 1) % 3 : i % 3,
                                 .exit       = i % 4 == 0,
                                 .plan_epoch = second,
                                 .device     = i % 2,
                                 .way        = i >= 60,
                                 .arm        = i % 3 - 1,
                                 .reward     = i % 3 == 0 ? NAN : (float)i,
                                 .admitted   = (10 * i + 1) * MS,
                                 .answered   = (10 * i + 6 + 30 * second) * MS};
  }
  for (int i = 0; i < 10; i++) {
    run->epoch[i] = (ee_epoch_record){.epoch            = i,
                                      .verdict          = i == 3   ? EE_VERDICT_ADOPTED
                                                          : i == 4 ? EE_VERDICT_SWITCHED
                                                                   : EE_VERDICT_KEPT_BEST,
                                      .plan_epoch       = i >= 6,
                                      .time             = (100 + 100 * i) * MS,
                                      .switch_id        = i == 4 ? 60 : 0,
                                      .period_measured  = i >= 6 ? 0.002 * (i - 5) : 0.01,
                                      .period_predicted = 0.008,
                                      .period_best      = 0.006,
                                      .moved_bytes      = 4096,
                                      .offload_cost     = i < 2 ? NAN : (double)i,
                                      .before           = &run->plan[i >= 6],
                                      .after            = &run->plan[1]};
  }
  run->input = (ee_report_input){.header    = &run->header,
                                 .answer    = run->answer,
                                 .event     = run->event,
                                 .epoch     = run->epoch,
                                 .n_answers = N,
                                 .n_events  = 7,
                                 .n_epochs  = 10};
}

/* Twelve ids in a tenth, from 12 t on, of which every third has no arm; epochs are as long. */
static void arms_and_rewards_are_counted_by_tenths(void) {
  made_run  run;
  ee_report r;
  make_run(&run);
  CU_ASSERT_EQUAL_FATAL(ee_report_make(&run.input, &r), EE_OK);
  CU_ASSERT_EQUAL_FATAL(r.n_arms, 2);
  for (int t = 0; t < 10; t++) {
    const ee_report_tenth *at     = &r.tenth[t];
    double                 reward = 0.0;
    for (int i = 12 * t; i < 12 * (t + 1) && i < N; i++) reward += i % 3 == 0 ? 0.0 : i;
    int64_t rest = N - 12 * t, answers = rest < 0 ? 0 : rest < 12 ? rest : 12;
    CU_ASSERT_EQUAL(at->answers, answers);
    CU_ASSERT_EQUAL(at->offloaded, t >= 5 ? answers : 0);
    CU_ASSERT_EQUAL(at->pulls[0] + at->pulls[1], at->rewarded);
    CU_ASSERT_EQUAL(at->pulls[0], answers / 3 + (answers % 3 > 1));
    CU_ASSERT_EQUAL(at->reward, reward);
    CU_ASSERT_TRUE(t < 2 ? isnan(at->offload_cost) : at->offload_cost == t);
  }
  ee_report_clear(&r);
  for (int i = 0; i < N; i++) run.answer[i].arm = -1;
  CU_ASSERT_EQUAL_FATAL(ee_report_make(&run.input, &r), EE_OK);
  CU_ASSERT_EQUAL(r.n_arms, 0);
  ee_report_clear(&r);
}

static void exits_and_accuracy_are_counted(void) {
  made_run  run;
  ee_report r;
  make_run(&run);
  CU_ASSERT_EQUAL_FATAL(ee_report_make(&run.input, &r), EE_OK);
  CU_ASSERT_EQUAL(r.answered, 100);
  CU_ASSERT_EQUAL(r.expected, 120);
  CU_ASSERT_FALSE(r.complete);
  CU_ASSERT_EQUAL(r.n_exits, 2);
  CU_ASSERT_EQUAL(r.exit[0].answers, 75);
  CU_ASSERT_EQUAL(r.exit[1].answers, 25);
  CU_ASSERT_EQUAL(r.exit[1].correct, 20);  // 0, 20, 40, 60, 80 are wrong
  CU_ASSERT_EQUAL(r.total.correct, 90);
  CU_ASSERT_EQUAL(r.total.labelled, 100);
  ee_report_clear(&r);
  CU_ASSERT_PTR_NULL(r.exit);
}

static void times_are_those_of_the_whole_run(void) {
  made_run  run;
  ee_report r;
  make_run(&run);
  CU_ASSERT_EQUAL_FATAL(ee_report_make(&run.input, &r), EE_OK);
  CU_ASSERT_EQUAL(r.begin, 1 * MS);
  CU_ASSERT_EQUAL(r.end, 1026 * MS);
  CU_ASSERT_DOUBLE_EQUAL(r.throughput, 100 / 1.025, 1e-9);
  CU_ASSERT_DOUBLE_EQUAL(r.first_quarter, 26 / 0.25625, 1e-6);  // answers at 6, 16, ... 256 ms
  CU_ASSERT_DOUBLE_EQUAL(r.last_quarter, 26 / 0.25625, 1e-6);   // at 776, ... 1026 ms
  CU_ASSERT_DOUBLE_EQUAL(r.latency.p50, 0.005, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(r.latency.mean, 0.005 + 0.030 * 0.4, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(r.latency.max, 0.035, 1e-12);
  CU_ASSERT_EQUAL(r.gap.length, 40 * MS);
  CU_ASSERT_EQUAL(r.gap.from, 596 * MS);
  ee_report_clear(&r);
}

static void the_order_of_answers_does_not_matter(void) {
  made_run  run;
  ee_report a, b;
  make_run(&run);
  CU_ASSERT_EQUAL_FATAL(ee_report_make(&run.input, &a), EE_OK);
  for (int i = 0; i < N / 2; i++) {
    ee_answer swapped     = run.answer[i];
    run.answer[i]         = run.answer[N - 1 - i];
    run.answer[N - 1 - i] = swapped;
  }
  CU_ASSERT_EQUAL_FATAL(ee_report_make(&run.input, &b), EE_OK);
  CU_ASSERT_EQUAL(a.gap.length, b.gap.length);
  CU_ASSERT_EQUAL(a.throughput, b.throughput);
  CU_ASSERT_EQUAL(a.plan[1].first_answer, b.plan[1].first_answer);
  CU_ASSERT_EQUAL(a.plan[1].gap.length, b.plan[1].gap.length);
  ee_report_clear(&a);
  ee_report_clear(&b);
}

static void devices_and_links_are_added_up(void) {
  made_run  run;
  ee_report r;
  make_run(&run);
  CU_ASSERT_EQUAL_FATAL(ee_report_make(&run.input, &r), EE_OK);
  CU_ASSERT_EQUAL(r.span, 1026 * MS);
  CU_ASSERT_EQUAL(r.device[0].ns[EE_EVENT_COMPUTE], 200 * MS);  // the overlap counts once
  CU_ASSERT_EQUAL(r.device[1].ns[EE_EVENT_COMPUTE], 0);
  CU_ASSERT_EQUAL(r.device[1].answers, 50);
  CU_ASSERT_EQUAL_FATAL(r.n_links, 2);
  CU_ASSERT_EQUAL(r.link[0].to, 0);  // the source and the first layers on one device
  CU_ASSERT_EQUAL(r.link[0].bytes, 7);
  CU_ASSERT_EQUAL(r.link[1].from, 0);
  CU_ASSERT_EQUAL(r.link[1].to, 1);
  CU_ASSERT_EQUAL(r.link[1].messages, 2);  // the receiver recorded more than the sender
  CU_ASSERT_EQUAL(r.link[1].bytes, 100);
  CU_ASSERT_EQUAL(r.device[0].bytes_sent, 100);  // what stays on the device is not sent
  CU_ASSERT_EQUAL(r.allreduce.n, 1);
  CU_ASSERT_DOUBLE_EQUAL(r.allreduce.mean, 0.004, 1e-12);
  ee_report_clear(&r);
}

/* Device 0 is busy for 0.2 s at 5 W and idle at 1 W; of device 1 nothing is known. */
static void energy_is_that_of_busy_and_idle_watts(void) {
  made_run  run;
  ee_fleet *fleet = NULL;
  ee_report r;
  make_run(&run);
  CU_ASSERT_EQUAL_FATAL(ee_fleet_create(2, &fleet), EE_OK);
  fleet->device[0].watts_busy = 5.0;
  fleet->device[0].watts_idle = 1.0;
  run.input.fleet             = fleet;
  CU_ASSERT_EQUAL_FATAL(ee_report_make(&run.input, &r), EE_OK);
  double idle = (double)r.span * 1e-9 - 0.2;
  CU_ASSERT_TRUE(idle > 0.0);
  CU_ASSERT_DOUBLE_EQUAL(r.device[0].energy, 5.0 * 0.2 + idle, 1e-9);
  CU_ASSERT_DOUBLE_EQUAL(r.energy, r.device[0].energy, 1e-12);
  CU_ASSERT_TRUE(isnan(r.device[1].energy) && isnan(r.device[2].energy));
  ee_report_clear(&r);
  run.input.fleet = NULL;
  CU_ASSERT_EQUAL_FATAL(ee_report_make(&run.input, &r), EE_OK);
  CU_ASSERT_TRUE(isnan(r.device[0].energy));
  CU_ASSERT_EQUAL(r.energy, 0.0);
  ee_report_clear(&r);
  ee_fleet_destroy(&fleet);
}

/* Messages are under way in 10-30 and 20-40, the receiver computes in 0-15 and paces in 35-60: of
 * 30 it is busy in 5 and 5. */
static void overlap_is_the_share_of_transfers_that_computing_hides(void) {
  made_run  run;
  ee_report r;
  ee_event  event[] = {{.rank = 1, .kind = EE_EVENT_RECEIVE, .start = 10, .end = 30, .peer = 0},
                       {.rank = 1, .kind = EE_EVENT_RECEIVE, .start = 20, .end = 40, .peer = 0},
                       {.rank = 1, .kind = EE_EVENT_COMPUTE, .start = 0, .end = 15, .peer = -1},
                       {.rank = 1, .kind = EE_EVENT_PACE, .start = 35, .end = 60, .peer = -1},
                       {.rank = 0, .kind = EE_EVENT_COMPUTE, .start = 0, .end = 90, .peer = -1},
                       {.rank = 1, .kind = EE_EVENT_WAIT, .start = 15, .end = 35, .peer = -1},
                       {.rank = 2, .kind = EE_EVENT_RECEIVE, .start = 0, .end = 9, .peer = 0}};
  make_run(&run);
  run.input.event    = event;
  run.input.n_events = 7;
  CU_ASSERT_EQUAL_FATAL(ee_report_make(&run.input, &r), EE_OK);
  CU_ASSERT_EQUAL_FATAL(r.n_links, 2);
  CU_ASSERT_DOUBLE_EQUAL(r.link[0].overlap, 1.0 / 3.0, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(r.link[1].overlap, 0.0, 1e-12);
  ee_report_clear(&r);
}

static void each_plan_has_its_answers_and_the_gap_at_its_switch(void) {
  made_run  run;
  ee_report r;
  make_run(&run);
  CU_ASSERT_EQUAL_FATAL(ee_report_make(&run.input, &r), EE_OK);
  CU_ASSERT_EQUAL_FATAL(r.n_plans, 2);
  CU_ASSERT_PTR_EQUAL(r.plan[0].plan, &run.plan[0]);
  CU_ASSERT_PTR_EQUAL(r.plan[1].plan, &run.plan[1]);
  CU_ASSERT_EQUAL(r.plan[0].answers, 60);
  CU_ASSERT_EQUAL(r.plan[1].answers, 40);
  CU_ASSERT_EQUAL(r.plan[1].first_id, 60);
  CU_ASSERT_EQUAL(r.plan[1].first_answer, 636 * MS);
  CU_ASSERT_EQUAL(r.plan[0].gap.length, 0);
  CU_ASSERT_EQUAL(r.plan[1].gap.length, 40 * MS);
  ee_report_clear(&r);
}

/* A pause that is more than a window away from the switch is not the switch's. */
static void a_pause_elsewhere_is_not_the_gap_of_a_switch(void) {
  made_run  run;
  ee_report r;
  make_run(&run);
  for (int i = 0; i < 5; i++) run.answer[i].answered -= 500 * MS;
  CU_ASSERT_EQUAL_FATAL(ee_report_make(&run.input, &r), EE_OK);
  CU_ASSERT_EQUAL(r.gap.length, 510 * MS);
  CU_ASSERT_EQUAL(r.plan[1].gap.length, 40 * MS);
  CU_ASSERT_DOUBLE_EQUAL(r.gaps.max, 0.510, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(r.plan[1].gaps.max, 0.040, 1e-12);
  CU_ASSERT_EQUAL(r.gaps.n, 10);          // before the answers around the switch
  CU_ASSERT_EQUAL(r.plan[1].gaps.n, 89);  // of 50 answers, the first under the plan, and 39
  ee_report_clear(&r);
}

static void a_move_is_told_with_what_it_promised_and_brought(void) {
  made_run  run;
  ee_report r;
  make_run(&run);
  CU_ASSERT_EQUAL_FATAL(ee_report_make(&run.input, &r), EE_OK);
  CU_ASSERT_EQUAL_FATAL(r.n_moves, 1);
  const ee_report_move *m = &r.move[0];
  CU_ASSERT_EQUAL(m->epoch, 3);
  CU_ASSERT_PTR_EQUAL(m->before, &run.plan[0]);
  CU_ASSERT_PTR_EQUAL(m->after, &run.plan[1]);
  CU_ASSERT_EQUAL(m->predicted_before, 0.008);
  CU_ASSERT_EQUAL(m->predicted_after, 0.006);
  CU_ASSERT_EQUAL(m->measured_before, 0.01);
  CU_ASSERT_DOUBLE_EQUAL(m->measured_after, (2 + 4 + 6 + 8) * 1e-3 / 4, 1e-15);
  CU_ASSERT_EQUAL(m->epochs_after, 4);
  CU_ASSERT_TRUE(m->switched);
  CU_ASSERT_EQUAL(m->switch_id, 60);
  CU_ASSERT_EQUAL(m->ready - m->adopted, 100 * MS);
  CU_ASSERT_EQUAL(m->moved_bytes, 4096.0);
  CU_ASSERT_EQUAL(r.verdicts[EE_VERDICT_KEPT_BEST], 8);
  ee_report_clear(&r);
}

static void a_move_that_another_one_overtook_did_not_switch(void) {
  made_run  run;
  ee_report r;
  make_run(&run);
  run.epoch[2].verdict = EE_VERDICT_ADOPTED;
  CU_ASSERT_EQUAL_FATAL(ee_report_make(&run.input, &r), EE_OK);
  CU_ASSERT_EQUAL_FATAL(r.n_moves, 2);
  CU_ASSERT_FALSE(r.move[0].switched);
  CU_ASSERT_TRUE(r.move[1].switched);
  ee_report_clear(&r);
}

static void an_empty_trace_gives_an_empty_report(void) {
  made_run  run;
  ee_report r;
  make_run(&run);
  run.input.n_answers = run.input.n_events = run.input.n_epochs = 0;
  run.input.answer                                              = NULL;
  CU_ASSERT_EQUAL_FATAL(ee_report_make(&run.input, &r), EE_OK);
  CU_ASSERT_EQUAL(r.answered, 0);
  CU_ASSERT_EQUAL(r.throughput, 0.0);
  CU_ASSERT_EQUAL(r.latency.n, 0);
  CU_ASSERT_EQUAL(r.n_plans, 0);
  CU_ASSERT_EQUAL(r.n_links, 0);
  CU_ASSERT_EQUAL(r.n_moves, 0);
  CU_ASSERT_EQUAL(r.span, 0);
  ee_report_clear(&r);
}

static void one_answer_at_once_has_no_throughput(void) {
  made_run  run;
  ee_report r;
  make_run(&run);
  run.input.n_answers    = 1;
  run.input.n_events     = 0;
  run.answer[0].admitted = run.answer[0].answered;
  run.answer[0].label    = -1;
  CU_ASSERT_EQUAL_FATAL(ee_report_make(&run.input, &r), EE_OK);
  CU_ASSERT_EQUAL(r.throughput, 0.0);
  CU_ASSERT_EQUAL(r.last_quarter, 0.0);
  CU_ASSERT_EQUAL(r.total.labelled, 0);
  CU_ASSERT_EQUAL(r.gap.length, 0);
  ee_report_clear(&r);
}

const ee_fact ee_facts[] = {
    EE_FACT(percentiles_are_the_nearest_rank),
    EE_FACT(the_mean_of_one_to_n_is_half_of_n_plus_one),
    EE_FACT(nothing_is_summed_up_as_nothing),
    EE_FACT(covered_time_is_what_some_interval_covers),
    EE_FACT(the_longest_gap_is_between_neighbours_in_the_window),
    EE_FACT(arms_and_rewards_are_counted_by_tenths),
    EE_FACT(exits_and_accuracy_are_counted),
    EE_FACT(times_are_those_of_the_whole_run),
    EE_FACT(the_order_of_answers_does_not_matter),
    EE_FACT(devices_and_links_are_added_up),
    EE_FACT(energy_is_that_of_busy_and_idle_watts),
    EE_FACT(overlap_is_the_share_of_transfers_that_computing_hides),
    EE_FACT(each_plan_has_its_answers_and_the_gap_at_its_switch),
    EE_FACT(a_pause_elsewhere_is_not_the_gap_of_a_switch),
    EE_FACT(a_move_is_told_with_what_it_promised_and_brought),
    EE_FACT(a_move_that_another_one_overtook_did_not_switch),
    EE_FACT(an_empty_trace_gives_an_empty_report),
    EE_FACT(one_answer_at_once_has_no_throughput),
    {NULL, NULL},
};
