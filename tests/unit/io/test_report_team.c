/* SPDX-License-Identifier: Apache-2.0 */
/* What `edgeexit report` counts of a team, compiled in: it belongs to the program. */
#include "../../../apps/report_arms.c"
#include "../../../apps/report_data.c"
#include "../../../apps/report_devices.c"
#include "../../../apps/report_plans.c"
#include "../../../apps/report_stats.c"
#include "../../../apps/report_team.c"
#include "ee_test.h"

enum { N_ANSWERS = 30, N_LANES = 3 };

/* Branches on devices 1 and 2, joined on device 0; samples 0, 3, 6, ... have all branches, 1, 4,
 * ... lack the second one, and 2, 8, ... (5, 11, ...) all but the first (all but the last). */
typedef struct made_team {
  ee_trace_unit   unit[4];
  ee_trace_team   team;
  ee_trace_header header;
  ee_answer       answer[N_ANSWERS];
  ee_report_input input;
} made_team;

static void make_team(made_team *t) {
  *t      = (made_team){.unit   = {{"branch 1 stage 1", 1, 0, 0, -1},
                                   {"branch 1 stage 2", 1, 0, 1, -1},
                                   {"branch 2 stage 2", 2, 1, 1, -1},
                                   {"fusion 2", 0, -1, 1, 1}},
                        .header = {.n_samples = N_ANSWERS, .n_ranks = 3, .n_exits = 2, .n_classes = 2}};
  t->team = (ee_trace_team){.computed = true, .n_lanes = N_LANES, .n_units = 4, .unit = t->unit};
  t->header.team = &t->team;
  for (int i = 0; i < N_ANSWERS; i++) {
    uint64_t absent = i % 3 == 0 ? 0 : i % 3 == 1 ? 2 : i % 2 == 0 ? 6 : 3;
    t->answer[i]    = (ee_answer){.id         = (uint64_t)(N_ANSWERS - 1 - i),
                                  .label      = i == 28 ? -1 : 0,
                                  .prediction = i % 5 == 0,
                                  .exit       = i < 10,
                                  .plan_epoch = i / 20,
                                  .arm        = -1,
                                  .absent     = absent};
  }
  t->input = (ee_report_input){.header = &t->header, .answer = t->answer, .n_answers = N_ANSWERS};
}

static void is_counted(const ee_report_exit *e, int answers, int labelled, int correct) {
  CU_ASSERT_EQUAL(e->answers, answers);
  CU_ASSERT_EQUAL(e->labelled, labelled);
  CU_ASSERT_EQUAL(e->correct, correct);
}

/* Wrong are answers 0, 5, 10, 15, 20 and 25; answer 28 has no label. */
static void answers_are_counted_by_the_lanes_that_came_and_by_those_that_did_not(void) {
  made_team t;
  ee_report r;
  make_team(&t);
  CU_ASSERT_EQUAL_FATAL(ee_report_make(&t.input, &r), EE_OK);
  CU_ASSERT_EQUAL_FATAL(r.n_lanes, N_LANES);
  CU_ASSERT_EQUAL(r.unit_moves, 1);
  is_counted(&r.present[0], 0, 0, 0);
  is_counted(&r.present[1], 10, 10, 8);
  is_counted(&r.present[2], 10, 9, 7);
  is_counted(&r.present[3], 10, 10, 8);
  CU_ASSERT_EQUAL_FATAL(r.n_absences, 4);
  const uint64_t lanes[] = {0, 2, 3, 6};
  for (int i = 0; i < 4; i++) CU_ASSERT_EQUAL(r.absence[i].lanes, lanes[i]);
  is_counted(&r.absence[1].answers, 10, 9, 7);
  is_counted(&r.absence[2].answers, 5, 5, 4);
  is_counted(&r.absence[3].answers, 5, 5, 4);
  ee_report_clear(&r);
  CU_ASSERT_PTR_NULL(r.present);
}

static void most_answers_come_first(void) {
  made_team t;
  ee_report r;
  make_team(&t);
  for (int i = 0; i < 4; i++) t.answer[3 * i].absent = 6;
  CU_ASSERT_EQUAL_FATAL(ee_report_make(&t.input, &r), EE_OK);
  const uint64_t lanes[] = {2, 6, 0, 3};
  for (int i = 0; i < 4; i++) CU_ASSERT_EQUAL(r.absence[i].lanes, lanes[i]);
  ee_report_clear(&r);
}

static void an_exit_table_tells_the_accuracy_of_answers_that_lack_nothing(void) {
  made_team t;
  ee_report r;
  make_team(&t);
  t.team.computed = false;
  CU_ASSERT_EQUAL_FATAL(ee_report_make(&t.input, &r), EE_OK);
  is_counted(&r.present[1], 10, 0, 0);
  is_counted(&r.present[2], 10, 0, 0);
  is_counted(&r.present[3], 10, 10, 8);
  is_counted(&r.absence[0].answers, 10, 10, 8);
  is_counted(&r.absence[3].answers, 5, 0, 0);
  ee_report_clear(&r);
}

/* Ids from 20 on left at exit 1, those below at exit 0, which units 1, 2 and 3 stand behind. */
static void units_behind_the_exit_that_answered_are_in_vain(void) {
  made_team t;
  ee_report r;
  ee_event  event[] = {{1, EE_EVENT_COMPUTE, 0, 1, 3, 1, 0, 0, -1, 0},
                       {1, EE_EVENT_COMPUTE, 10, 30, 3, 1, 0, 0, -1, 1},
                       {1, EE_EVENT_PACE, 30, 70, 3, 1, 0, 0, -1, 1},
                       {1, EE_EVENT_COMPUTE, 100, 200, 20, 1, 0, 0, -1, 1},
                       {2, EE_EVENT_PACE, 100, 300, 19, 1, 0, 0, -1, 2},
                       {2, EE_EVENT_RECEIVE, 100, 900, 19, 1, 0, 0, 1, 2},
                       {2, EE_EVENT_COMPUTE, 300, 900, N_ANSWERS, 1, 0, 0, -1, 2},
                       {0, EE_EVENT_COMPUTE, 300, 900, 0, 1, 0, 0, -1, 4},
                       {0, EE_EVENT_COMPUTE, 300, 900, 0, 1, 0, 0, -1, -1}};
  make_team(&t);
  t.input.event    = event;
  t.input.n_events = sizeof event / sizeof event[0];
  CU_ASSERT_EQUAL_FATAL(ee_report_make(&t.input, &r), EE_OK);
  CU_ASSERT_EQUAL(r.device[0].in_vain, 0);
  CU_ASSERT_EQUAL(r.device[1].in_vain, 60);
  CU_ASSERT_EQUAL(r.device[2].in_vain, 200);
  ee_report_clear(&r);
}

static void a_chain_has_no_lanes(void) {
  made_team t;
  ee_report r;
  make_team(&t);
  t.header.team = NULL;
  CU_ASSERT_EQUAL_FATAL(ee_report_make(&t.input, &r), EE_OK);
  CU_ASSERT_EQUAL(r.n_lanes, 0);
  CU_ASSERT_EQUAL(r.n_absences, 0);
  ee_report_clear(&r);
}

const ee_fact ee_facts[] = {
    EE_FACT(answers_are_counted_by_the_lanes_that_came_and_by_those_that_did_not),
    EE_FACT(most_answers_come_first),
    EE_FACT(an_exit_table_tells_the_accuracy_of_answers_that_lack_nothing),
    EE_FACT(units_behind_the_exit_that_answered_are_in_vain),
    EE_FACT(a_chain_has_no_lanes),
    {NULL, NULL},
};
