/* SPDX-License-Identifier: Apache-2.0 */
/* A team's controller makes the placement that the planner makes when it is told the truth, after
 * `hold` looks, and leaves alone what is as good as can be. */
#include "ee/team_controller.h"

#include "../nn/branch_maker.h"
#include "ee_test.h"

enum { LANES = 3, STAGES = 3, DEVICES = 4 };

typedef struct scene {
  ee_model           *model;
  ee_units           *units;
  double              work[64], reach[STAGES], speed[DEVICES];
  double              latency[DEVICES * DEVICES];
  int                 device[64], wanted[64];
  ee_placement_task   task;
  ee_team_controller *controller;
  int64_t             left[STAGES], busy[DEVICES];
  double              done[DEVICES];
  bool                behind[DEVICES], lost[DEVICES];
} scene;

static void open_scene(scene *s, int hold, int cooldown) {
  *s = (scene){.model = maker_branches(LANES, STAGES, MAKER_MEAN)};
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(s->model), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_units_of_branches(s->model, &s->units), EE_OK);
  for (int u = 0; u < s->units->n; u++) s->work[u] = s->units->unit[u].lane >= 0 ? 1.0 : 0.1;
  for (int e = 0; e < STAGES; e++) s->reach[e] = 1.0;
  for (int d = 0; d < DEVICES; d++) s->speed[d] = 1.0 + 0.1 * d;
  for (int i = 0; i < DEVICES * DEVICES; i++) s->latency[i] = 0.01;
  s->task =
      (ee_placement_task){.units = s->units,
                          .work  = s->work,
                          .reach = s->reach,
                          .fleet = {.n_devices = DEVICES, .speed = s->speed, .latency = s->latency},
                          .ahead = 2};
  ee_team_controller_options options = {
      .by_latency = true, .min_gain = 0.1, .hold = hold, .cooldown = cooldown};
  CU_ASSERT_EQUAL_FATAL(ee_placement_find(&s->task, true, s->device), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_team_controller_create(&s->task, &options, &s->controller), EE_OK);
}

static void close_scene(scene *s) {
  ee_team_controller_destroy(&s->controller);
  ee_units_destroy(&s->units);
  ee_model_destroy(&s->model);
}

/* A look, after every device worked for a second at its true speed, and @p leave samples left. */
static bool look(scene *s, const double *truth, const int64_t *leave) {
  ee_team_news news = {
      .left = s->left, .busy = s->busy, .work = s->done, .behind = s->behind, .lost = s->lost};
  for (int d = 0; d < DEVICES; d++) {
    if (s->behind[d]) continue;
    s->busy[d] += 1000000000;
    s->done[d] += truth[d];
  }
  for (int e = 0; e < STAGES; e++) s->left[e] += leave[e];
  ee_team_mover mover = ee_team_controller_mover(s->controller);
  return mover.place(mover.self, &news, s->device, s->wanted);
}

static const int64_t nobody_leaves[STAGES] = {0, 0, 100};

static void what_is_as_given_stays_as_it_is(void) {
  scene s;
  open_scene(&s, 1, 0);
  for (int k = 0; k < 200; k++) CU_ASSERT_FALSE(look(&s, s.speed, nobody_leaves));
  CU_ASSERT_EQUAL(ee_team_controller_adopted(s.controller), 0);
  close_scene(&s);
}

/* The placement is that of the planner for the true speeds, and comes after `hold` looks. */
static void a_slow_device_is_relieved_as_the_planner_would(void) {
  scene  s;
  double truth[DEVICES] = {1.0, 1.1, 1.2, 0.2};
  int    told[64];
  open_scene(&s, 3, 5);
  CU_ASSERT_FALSE(look(&s, truth, nobody_leaves));
  CU_ASSERT_FALSE(look(&s, truth, nobody_leaves));
  CU_ASSERT_TRUE(look(&s, truth, nobody_leaves));
  ee_placement_task task = s.task;
  task.fleet.speed       = truth;
  CU_ASSERT_EQUAL(ee_placement_find(&task, true, told), EE_OK);
  CU_ASSERT_EQUAL(memcmp(told, s.wanted, (size_t)s.units->n * sizeof *told), 0);
  for (int u = 0; u < s.units->n; u++) CU_ASSERT_NOT_EQUAL(s.wanted[u], 3);
  for (int k = 0; k < 5; k++) CU_ASSERT_FALSE(look(&s, truth, nobody_leaves));  // it rests
  close_scene(&s);
}

/* Who was idle is thought of as the others are: all twice as fast changes nothing. */
static void devices_that_did_nothing_are_judged_by_the_others(void) {
  scene  s;
  double truth[DEVICES];
  open_scene(&s, 1, 0);
  for (int d = 0; d < DEVICES; d++) truth[d] = 2.0 * s.speed[d];
  for (int k = 0; k < 10; k++) {
    ee_team_news news = {
        .left = s.left, .busy = s.busy, .work = s.done, .behind = s.behind, .lost = s.lost};
    s.busy[0] += 1000000000;  // it alone works
    s.done[0] += truth[0];
    s.left[STAGES - 1] += 10;
    ee_team_mover mover = ee_team_controller_mover(s.controller);
    CU_ASSERT_FALSE(mover.place(mover.self, &news, s.device, s.wanted));
  }
  close_scene(&s);
}

/* A device that is a tenth as fast as it is thought to be, worked on by whoever has units: it is
 * left, tried again ever more seldom, and has its share again when it is as fast as before. */
static void a_device_that_was_found_slow_is_tried_ever_more_seldom(void) {
  scene s;
  int   moves[3] = {0}, slow, after = 0;
  open_scene(&s, 1, 0);
  slow = s.device[0];
  for (int k = 0; k < 600; k++) {
    bool         works[DEVICES] = {false};
    ee_team_news news           = {
                  .left = s.left, .busy = s.busy, .work = s.done, .behind = s.behind, .lost = s.lost};
    for (int u = 0; u < s.units->n; u++) works[s.device[u]] = true;
    for (int d = 0; d < DEVICES; d++) {
      if (!works[d]) continue;
      s.busy[d] += 1000000000;
      s.done[d] += s.speed[d] * (d == slow && k < 400 ? 0.1 : 1.0);
    }
    s.left[STAGES - 1] += 100;
    ee_team_mover mover = ee_team_controller_mover(s.controller);
    if (!mover.place(mover.self, &news, s.device, s.wanted)) continue;
    moves[k / 200]++;
    for (int u = 0; u < s.units->n; u++) s.device[u] = s.wanted[u];
  }
  for (int u = 0; u < s.units->n; u++) after += s.device[u] == slow;
  CU_ASSERT_TRUE(moves[0] >= 1 && moves[0] <= 11);
  CU_ASSERT_TRUE(moves[1] <= 4);
  CU_ASSERT_TRUE(after > 0);
  close_scene(&s);
}

static void a_device_that_is_behind_gets_nothing(void) {
  scene s;
  open_scene(&s, 1, 0);
  int lost       = s.device[0];  // who has the first branch's first stage
  s.behind[lost] = true;
  CU_ASSERT_TRUE(look(&s, s.speed, nobody_leaves));
  for (int u = 0; u < s.units->n; u++) CU_ASSERT_NOT_EQUAL(s.wanted[u], lost);
  close_scene(&s);
}

/* One that may come back is waited for; one that died is not. */
static void a_device_that_was_lost_is_left_at_once(void) {
  scene s;
  for (int dies = 0; dies < 2; dies++) {
    open_scene(&s, 3, 5);
    int lost       = s.device[0];
    s.behind[lost] = true;
    s.lost[lost]   = dies == 1;
    CU_ASSERT_EQUAL(look(&s, s.speed, nobody_leaves), dies == 1);
    for (int u = 0; u < s.units->n && dies == 1; u++) CU_ASSERT_NOT_EQUAL(s.wanted[u], lost);
    close_scene(&s);
  }
}

/* Also while the controller rests from its last move. */
static void a_device_that_is_lost_after_a_move_is_left_at_once(void) {
  scene  s;
  double truth[DEVICES] = {1.0, 1.1, 1.2, 0.2};
  open_scene(&s, 1, 50);
  CU_ASSERT_TRUE_FATAL(look(&s, truth, nobody_leaves));
  memcpy(s.device, s.wanted, sizeof s.device);
  int lost       = s.device[0];
  s.behind[lost] = s.lost[lost] = true;
  CU_ASSERT_TRUE(look(&s, truth, nobody_leaves));
  close_scene(&s);
}

const ee_fact ee_facts[] = {EE_FACT(what_is_as_given_stays_as_it_is),
                            EE_FACT(a_slow_device_is_relieved_as_the_planner_would),
                            EE_FACT(devices_that_did_nothing_are_judged_by_the_others),
                            EE_FACT(a_device_that_was_found_slow_is_tried_ever_more_seldom),
                            EE_FACT(a_device_that_is_behind_gets_nothing),
                            EE_FACT(a_device_that_was_lost_is_left_at_once),
                            EE_FACT(a_device_that_is_lost_after_a_move_is_left_at_once),
                            {NULL, NULL}};
