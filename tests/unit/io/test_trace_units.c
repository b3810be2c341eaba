/* SPDX-License-Identifier: Apache-2.0 */
/* Traces of runs whose samples are on several devices at once. */
#include "trace_made.h"

enum { N_UNITS = 4, N_LANES = 3 };

static ee_trace_unit units[N_UNITS] = {{"branch 1", 2, 0, 0, -1},
                                       {"branch 2", 1, 1, 0, -1},
                                       {"branch 3", 1, 2, 1, -1},
                                       {"fusion", 0, -1, 1, 1}};

static ee_trace_header team_header(const ee_trace_team *team) {
  ee_trace_header h = header(0);
  h.plan            = NULL;
  h.team            = team;
  return h;
}

/* Of a team, with an answer that came without the lanes @p absent. */
static ee_status write_and_open(const ee_trace_team *team, uint64_t absent, ee_trace_file **file) {
  const char     *path = ee_test_path("team.h5");
  ee_trace_header h    = team_header(team);
  ee_trace_sink   sink;
  ee_answer       a = answer(0);
  a.absent          = absent;
  CU_ASSERT_EQUAL_FATAL(ee_trace_create(path, &h, &sink), EE_OK);
  sink.answer(sink.self, &a, NULL, N_CLASSES);
  CU_ASSERT_EQUAL_FATAL(ee_trace_close(&sink), EE_OK);
  return ee_trace_open(path, file);
}

static void units_come_back_in_place_of_a_plan(void) {
  for (int bands = 0; bands < 2; bands++) {
    const ee_trace_team team = {bands != 0, bands == 0, N_LANES, N_UNITS, units};
    ee_trace_file      *file = NULL;
    CU_ASSERT_EQUAL_FATAL(write_and_open(&team, 5, &file), EE_OK);
    const ee_trace_header *h = ee_trace_file_header(file);
    CU_ASSERT_PTR_NULL(h->plan);
    CU_ASSERT_PTR_NOT_NULL_FATAL(h->team);
    CU_ASSERT_EQUAL(h->team->bands, bands);
    CU_ASSERT_EQUAL(h->team->computed, !bands);
    CU_ASSERT_EQUAL(h->team->n_lanes, N_LANES);
    CU_ASSERT_EQUAL_FATAL(h->team->n_units, N_UNITS);
    CU_ASSERT_EQUAL(h->n_layers, N_LAYERS);
    for (int u = 0; u < N_UNITS; u++) {
      const ee_trace_unit *a = &h->team->unit[u], *b = &units[u];
      CU_ASSERT_STRING_EQUAL(a->name, b->name);
      CU_ASSERT_TRUE(a->device == b->device && a->lane == b->lane);
      CU_ASSERT_TRUE(a->stage == b->stage && a->exit == b->exit);
    }
    ee_trace_file_close(&file);
  }
}

static void a_run_has_a_plan_or_a_team(void) {
  const ee_trace_team team = {false, true, N_LANES, N_UNITS, units};
  ee_trace_header     h    = team_header(&team);
  ee_trace_sink       sink;
  h.plan = &plan;
  CU_ASSERT_EQUAL(ee_trace_create(ee_test_path("t.h5"), &h, &sink), EE_ERR_ARG);
  h = team_header(NULL);
  CU_ASSERT_EQUAL(ee_trace_create(ee_test_path("t.h5"), &h, &sink), EE_ERR_ARG);
  h          = header(0);
  h.n_layers = N_LAYERS + 1;
  CU_ASSERT_EQUAL(ee_trace_create(ee_test_path("t.h5"), &h, &sink), EE_ERR_ARG);
}

static void refused(const ee_trace_team *team, uint64_t absent) {
  ee_trace_file *file = NULL;
  CU_ASSERT_EQUAL(write_and_open(team, absent, &file), EE_ERR_FORMAT);
  CU_ASSERT_PTR_NULL(file);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "team.h5"));
}

static void an_answer_without_any_lane_or_without_one_that_is_none_is_damage(void) {
  const ee_trace_team team = {false, true, N_LANES, N_UNITS, units};
  refused(&team, 7);
  refused(&team, 8);
  refused(&team, UINT64_MAX);
  const ee_trace_team widest = {false, true, 64, N_UNITS, units};
  ee_trace_file      *file   = NULL;
  CU_ASSERT_EQUAL(write_and_open(&widest, UINT64_MAX - 1, &file), EE_OK);
  ee_trace_file_close(&file);
  refused(&widest, UINT64_MAX);
}

static void a_part_of_another_team_is_left_out(void) {
  const char         *master = ee_test_path("master.h5");
  const char         *part[] = {ee_test_path("team0.h5"), ee_test_path("team1.h5")};
  const ee_trace_team team   = {false, true, N_LANES, N_UNITS, units};
  ee_trace_header     h[]    = {team_header(&team), header(0)};
  ee_trace_file      *file   = NULL;
  int64_t             n;
  for (int i = 0; i < 2; i++) {
    ee_trace_sink sink;
    CU_ASSERT_EQUAL_FATAL(ee_trace_create(part[i], &h[i], &sink), EE_OK);
    ee_answer a = answer(i);
    a.absent    = 0;
    sink.answer(sink.self, &a, NULL, N_CLASSES);
    CU_ASSERT_EQUAL_FATAL(ee_trace_close(&sink), EE_OK);
  }
  CU_ASSERT_EQUAL_FATAL(ee_trace_link_parts(master, part, 2), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_trace_open(master, &file), EE_OK);
  const ee_answer *answers = ee_trace_file_answers(file, &n);
  CU_ASSERT_EQUAL(n, 1);
  CU_ASSERT_EQUAL(answers[0].id, 0);
  CU_ASSERT_FALSE(ee_trace_file_complete(file));
  ee_trace_file_close(&file);
}

static void units_that_cannot_be_are_damage(void) {
  const ee_trace_unit wrong[] = {{"unit", N_DEVICES, 0, 0, -1}, {"unit", -1, 0, 0, -1},
                                 {"unit", 0, N_LANES, 0, -1},   {"unit", 0, -2, 0, -1},
                                 {"unit", 0, 0, N_EXITS, -1},   {"unit", 0, 0, -1, -1},
                                 {"unit", 0, 0, 0, N_EXITS},    {"unit", 0, 0, 0, -2}};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    ee_trace_unit       unit = wrong[i];
    const ee_trace_team team = {false, true, N_LANES, 1, &unit};
    refused(&team, 0);
  }
  const ee_trace_team none = {false, true, 0, N_UNITS, units},
                      many = {false, true, 65, N_UNITS, units};
  refused(&none, 0);
  refused(&many, 0);
}

const ee_fact ee_facts[] = {
    EE_FACT(units_come_back_in_place_of_a_plan),
    EE_FACT(a_run_has_a_plan_or_a_team),
    EE_FACT(an_answer_without_any_lane_or_without_one_that_is_none_is_damage),
    EE_FACT(units_that_cannot_be_are_damage),
    EE_FACT(a_part_of_another_team_is_left_out),
    {NULL, NULL},
};
