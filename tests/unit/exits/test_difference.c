/* SPDX-License-Identifier: Apache-2.0 */
/* Differences between successive exits, and the policies that leave by them: closed forms, loops
 * over random tables, and limits found by trying all. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ee/difference.h"
#include "ee/rng.h"
#include "ee/thresholds.h"
#include "five_samples.h"

#define ROWS 60
#define EXITS 4
#define CLASSES 12  // more than fit into a state of a fixed length

static void differences_are_those_of_their_closed_forms(void) {
  const float p[2] = {0.5f, 0.5f}, q[2] = {0.25f, 0.75f}, sure[2] = {1.0f, 0.0f};
  const float x[2] = {3.0f, 4.0f}, y[2] = {-4.0f, 3.0f}, none[2] = {0.0f, 0.0f};
  CU_ASSERT_DOUBLE_EQUAL(ee_kl(p, q, 2), 0.5 * log(4.0 / 3.0), 1e-15);
  CU_ASSERT_DOUBLE_EQUAL(ee_kl(q, p, 2), 0.75 * log(3.0) - log(2.0), 1e-15);
  CU_ASSERT_DOUBLE_EQUAL(ee_kl(sure, q, 2), log(4.0), 1e-15);
  CU_ASSERT_EQUAL(ee_kl(p, p, 2), 0.0);
  CU_ASSERT_TRUE(isfinite(ee_kl(p, sure, 2)));
  CU_ASSERT_TRUE(ee_kl(p, sure, 2) > 40.0);
  CU_ASSERT_DOUBLE_EQUAL(ee_l2(p, q, 2), 0.25 * sqrt(2.0), 1e-15);
  CU_ASSERT_DOUBLE_EQUAL(ee_l2(x, y, 2), sqrt(50.0), 1e-14);
  CU_ASSERT_DOUBLE_EQUAL(ee_cosine_distance(x, y, 2), 1.0, 1e-15);
  CU_ASSERT_DOUBLE_EQUAL(ee_cosine_distance(p, q, 2), 1.0 - 2.0 / sqrt(5.0), 1e-15);
  CU_ASSERT_EQUAL(ee_cosine_distance(x, x, 2), 0.0);
  CU_ASSERT_EQUAL(ee_cosine_distance(x, none, 2), 1.0);
}

static void what_is_no_number_has_no_difference(void) {
  const float p[2] = {0.5f, 0.5f}, bad[2] = {NAN, 0.0f}, none[2] = {0.0f, 0.0f};
  CU_ASSERT_TRUE(isnan(ee_kl(p, bad, 2)) && isnan(ee_kl(bad, p, 2)));
  CU_ASSERT_TRUE(isnan(ee_l2(p, bad, 2)) && isnan(ee_cosine_distance(bad, p, 2)));
  CU_ASSERT_TRUE(isnan(ee_kl(none, bad, 2)) && isnan(ee_cosine_distance(none, bad, 2)));
}

/* Random answers that settle from exit to exit, some of them right; scores at exits 1 and 2. */
static ee_exit_table *settling(void) {
  ee_exit_table      *t     = NULL;
  ee_exit_table_parts parts = {.confidence = true, .probability = true, .score = true};
  const float         hot[] = {1.0f, 1.0f, 1.0f, 1.0f};
  float               z[EXITS * CLASSES];
  ee_rng              rng = ee_rng_at(7, 0);
  CU_ASSERT_EQUAL_FATAL(ee_exit_table_create(ROWS, EXITS, CLASSES, parts, &t), EE_OK);
  for (int i = 0; i < ROWS; i++) {
    for (int k = 0; k < CLASSES; k++) {
      double lean = 3.0 * ee_rng_uniform(&rng);
      for (int e = 0; e < EXITS; e++) {
        double noise       = 2.0 * ee_rng_uniform(&rng) / (1.0 + e * (i % 5));
        z[e * CLASSES + k] = (float)(lean + noise);
      }
    }
    ee_exit_table_set_logits(t, i, z, hot);
    t->label[i] = t->prediction[i * EXITS + (i % 3 == 0 ? 1 : 3)];
    for (int e = 1; e < 3; e++)
      t->score[i * EXITS + e] = (float)(0.05 + 0.9 * ee_rng_uniform(&rng));
  }
  for (int e = 0; e < EXITS; e++) t->flops[e] = 1.0 + 2.0 * e * e;
  return t;
}

static double plain_l2(const float *p, const float *q) {
  double sum = 0.0;
  for (int k = 0; k < CLASSES; k++) sum += pow((double)p[k] - (double)q[k], 2.0);
  return sqrt(sum);
}

static double plain_kl(const float *p, const float *q) {
  double sum = 0.0;
  for (int k = 0; k < CLASSES; k++) sum += (double)p[k] * log((double)p[k] / (double)q[k]);
  return sum;
}

static double plain_cosine(const float *p, const float *q) {
  double pq = 0.0, pp = 0.0, qq = 0.0;
  for (int k = 0; k < CLASSES; k++) pq += (double)p[k] * (double)q[k];
  for (int k = 0; k < CLASSES; k++) pp += (double)p[k] * (double)p[k];
  for (int k = 0; k < CLASSES; k++) qq += (double)q[k] * (double)q[k];
  return 1.0 - pq / sqrt(pp) / sqrt(qq);
}

/* The rules of the command line, and what each compares at exit e >= 1 of row i. */
static const char *const rule[] = {"kl", "l2", "cosine", "feature"};

static double plain(int r, const ee_exit_table *t, int64_t i, int e) {
  const float *p = t->probability + (i * EXITS + e) * CLASSES, *q = p - CLASSES;
  if (r == 3) return e < 3 ? 1.0 / (double)t->score[i * EXITS + e] - 1.0 : INFINITY;
  return r == 0 ? plain_kl(p, q) : r == 1 ? plain_l2(p, q) : plain_cosine(p, q);
}

/* Where row i leaves with these limits of exits 0 to 2. */
static int plain_exit(int r, const ee_exit_table *t, int64_t i, const double *limit) {
  for (int e = 1; e < EXITS - 1; e++) {
    if (plain(r, t, i, e) <= limit[e]) return e;
  }
  return EXITS - 1;
}

static void samples_leave_where_loops_say(void) {
  ee_exit_table    *t        = settling();
  ee_replay_options o        = ee_replay_defaults();
  const double      limits[] = {0.0, 0.01, 0.05, 0.1, 0.3, 1.5};
  ee_replayed       out[ROWS];
  for (int r = 0; r < 4; r++) {
    int64_t early = 0, first = 0;
    for (int k = 0; k < 6; k++) {
      const double limit[3] = {limits[k], limits[k], limits[k]};
      char         text[64];
      snprintf(text, sizeof text, "%s:value=%.9g", rule[r], limits[k]);
      ee_replay_result result = replay_into(t, text, &o, out);
      for (int i = 0; i < ROWS; i++) {
        CU_ASSERT_EQUAL(out[i].exit, plain_exit(r, t, i, limit));
        CU_ASSERT_EQUAL(out[i].prediction, t->prediction[i * EXITS + out[i].exit]);
        early += out[i].exit < EXITS - 1;
        first += out[i].exit == 0;
      }
      ee_replay_clear(&result);
    }
    CU_ASSERT_TRUE(early > 10 && early < 6 * ROWS);
    CU_ASSERT_EQUAL(first, 0);
  }
  ee_exit_table_destroy(&t);
}

static void an_exit_can_be_passed_by_everyone(void) {
  ee_exit_table    *t = settling();
  ee_replay_options o = ee_replay_defaults();
  ee_replayed       out[ROWS];
  for (int r = 0; r < 4; r++) {
    char text[64];
    snprintf(text, sizeof text, "%s:values=5/-1/100", rule[r]);
    ee_replay_result result = replay_into(t, text, &o, out);
    for (int i = 0; i < ROWS; i++) CU_ASSERT_EQUAL(out[i].exit, 2);
    ee_replay_clear(&result);
  }
  ee_exit_table_destroy(&t);
}

static void limits_that_no_difference_has_are_refused(void) {
  ee_policy_setting setting = {.n_exits = EXITS, .n_classes = CLASSES};
  for (int r = 0; r < 4; r++) {
    const char *const bad[] = {"value=-0.1", "values=0/-2/1", "values=0/1",
                               "value=x",    "limit=1",       ""};
    for (int k = 0; k < 6; k++) {
      ee_policy *policy = NULL;
      char       text[64];
      snprintf(text, sizeof text, "%s:%s", rule[r], bad[k]);
      CU_ASSERT_EQUAL(ee_policy_create(text, &setting, &policy), EE_ERR_USAGE);
      CU_ASSERT_PTR_NULL(policy);
    }
  }
}

static void a_state_has_room_for_every_class_and_is_all_that_a_decision_knows(void) {
  static const float later[CLASSES] = {0.5f, 0.5f}, before[CLASSES] = {0.25f, 0.75f};
  ee_policy_setting  setting = {.n_exits = EXITS, .n_classes = CLASSES};
  ee_policy         *policy  = NULL;
  CU_ASSERT_EQUAL_FATAL(ee_policy_create("kl:value=0.15", &setting, &policy), EE_OK);
  CU_ASSERT_EQUAL(ee_policy_state_bytes(policy), CLASSES * sizeof(float));
  float raw[2 * CLASSES + 1] = {0};
  for (int at = 0; at <= CLASSES; at += CLASSES / 4) {
    ee_exit_view view = {.exit = 0, .n_exits = EXITS, .n_classes = CLASSES, .probability = before};
    raw[at + CLASSES] = 7.0f;  // behind it
    CU_ASSERT_EQUAL(policy->ops->decide(policy->self, &view, raw + at), EE_GO_ON);
    view.exit        = 1;
    view.probability = later;
    CU_ASSERT_EQUAL(policy->ops->decide(policy->self, &view, raw + at), EE_LEAVE);
    CU_ASSERT_EQUAL(raw[at + CLASSES], 7.0f);
  }
  ee_policy_destroy(&policy);
}

/* The fewest operations per sample of any limits with at least this accuracy: of exits 1 and 2
 * each, every difference there is, and none. */
static double least_flops(int r, const ee_exit_table *t, double accuracy) {
  double least = INFINITY;
  for (int a = -1; a < ROWS; a++) {
    for (int b = -1; b < ROWS; b++) {
      const double limit[3] = {-1.0, a < 0 ? -1.0 : plain(r, t, a, 1),
                               b < 0 ? -1.0 : plain(r, t, b, 2)};
      double right = 0.0, flops = 0.0;
      for (int i = 0; i < ROWS; i++) {
        int e = plain_exit(r, t, i, limit);
        right += t->prediction[i * EXITS + e] == t->label[i];
        flops += t->flops[e] / ROWS;
      }
      if (right >= accuracy * ROWS - 1e-9 && flops < least) least = flops;
    }
  }
  return least;
}

/* The operations of point k of a front over the limits of @p name, which its replay must have. */
static double replayed_flops(const ee_exit_table *t, const char *name, const ee_front *front,
                             int k) {
  const float      *v = front->threshold + 3 * k;
  char              text[96];
  ee_replayed       out[ROWS];
  ee_replay_options o = ee_replay_defaults();
  snprintf(text, sizeof text, "%s:values=%.9g/%.9g/%.9g", name, (double)v[0], (double)v[1],
           (double)v[2]);
  ee_replay_result result = replay_into(t, text, &o, out);
  double           flops  = result.figure[EE_FIGURE_FLOPS];
  CU_ASSERT_DOUBLE_EQUAL(result.figure[EE_FIGURE_ACCURACY], front->accuracy[k], 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(flops, front->cost[k], 1e-9);
  ee_replay_clear(&result);
  return flops;
}

static ee_front front_of(const ee_exit_table *t, const char *name) {
  ee_front_options search = ee_front_defaults();
  ee_front         front;
  search.exit_cost = t->flops;
  CU_ASSERT_EQUAL_FATAL(ee_front_of_policy(t, ee_policy_named(name), &search, &front), EE_OK);
  CU_ASSERT_TRUE(front.n > 3);
  return front;
}

static void limits_found_are_the_best_of_all(void) {
  ee_exit_table *t = settling();
  for (int r = 0; r < 4; r++) {
    ee_front front = front_of(t, rule[r]);
    double   least = front.accuracy[front.n - 1] - 0.1;
    int      k     = ee_front_cheapest(&front, least);
    CU_ASSERT_FATAL(k >= 0);
    CU_ASSERT_DOUBLE_EQUAL(replayed_flops(t, rule[r], &front, k), least_flops(r, t, least), 1e-9);
    CU_ASSERT_TRUE(front.cost[k] < t->flops[3]);
    ee_front_clear(&front);
  }
  ee_exit_table_destroy(&t);
}

/* Those with limits of their own that are reached, not passed. */
static void limits_of_other_policies_replay_to_what_the_front_says(void) {
  static const char *const name[] = {"threshold", "margin", "entropy", "eenet"};
  ee_exit_table           *t      = settling();
  for (int r = 0; r < 4; r++) {
    ee_front front = front_of(t, name[r]);
    for (int k = 0; k < front.n; k++) replayed_flops(t, name[r], &front, k);
    ee_front_clear(&front);
  }
  ee_exit_table_destroy(&t);
}

static void limits_are_searched_only_where_there_are_some(void) {
  ee_exit_table   *t      = five_samples();
  ee_front_options search = ee_front_defaults();
  ee_front         front;
  CU_ASSERT_EQUAL(ee_front_of_policy(t, ee_policy_named("patience"), &search, &front), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "patience has no limit"));
  CU_ASSERT_EQUAL(ee_front_of_policy(t, ee_policy_named("kl"), &search, &front), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "kl needs probabilities"));
  CU_ASSERT_PTR_NULL(ee_policy_named("k"));
  ee_exit_table_destroy(&t);
}

const ee_fact ee_facts[] = {
    EE_FACT(differences_are_those_of_their_closed_forms),
    EE_FACT(what_is_no_number_has_no_difference),
    EE_FACT(samples_leave_where_loops_say),
    EE_FACT(an_exit_can_be_passed_by_everyone),
    EE_FACT(limits_that_no_difference_has_are_refused),
    EE_FACT(a_state_has_room_for_every_class_and_is_all_that_a_decision_knows),
    EE_FACT(limits_found_are_the_best_of_all),
    EE_FACT(limits_of_other_policies_replay_to_what_the_front_says),
    EE_FACT(limits_are_searched_only_where_there_are_some),
    {NULL, NULL}};
