/* SPDX-License-Identifier: Apache-2.0 */
/* The accuracy-cost front against every vector of thresholds there is, and against replays. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ee/rng.h"
#include "ee/thresholds.h"
#include "five_samples.h"

enum { N = 40, GRID = N + 1 };

static ee_exit_table *random_table(int n, int n_exits, uint64_t seed) {
  ee_exit_table *t   = NULL;
  ee_rng         rng = ee_rng_at(seed, 3);
  CU_ASSERT_EQUAL_FATAL(
      ee_exit_table_create(n, n_exits, 3, (ee_exit_table_parts){.confidence = true}, &t), EE_OK);
  for (int i = 0; i < n; i++) {
    t->label[i] = (int32_t)ee_rng_below(&rng, 3);
    for (int e = 0; e < n_exits; e++) {
      double sure                    = 0.3 + 0.7 * ee_rng_uniform(&rng);
      bool   good                    = ee_rng_uniform(&rng) < sure + 0.05 * e;
      t->confidence[i * n_exits + e] = (float)sure;
      t->prediction[i * n_exits + e] = good ? t->label[i] : (t->label[i] + 1) % 3;
    }
  }
  return t;
}

/* Accuracy and cost of two thresholds, by going through the samples. */
static void evaluate(const ee_exit_table *t, float a, float b, double *accuracy, double *cost) {
  int right = 0, layers = 0;
  for (int i = 0; i < t->n; i++) {
    const float *c = t->confidence + i * 3;
    int          e = c[0] >= a ? 0 : c[1] >= b ? 1 : 2;
    right += t->prediction[i * 3 + e] == t->label[i];
    layers += t->layers[e];
  }
  *accuracy = (double)right / (double)t->n;
  *cost     = 0.1 * layers / (double)t->n;
}

/* The most accuracy that any two thresholds have for at most @p cost. */
static double best_within(const ee_exit_table *t, double cost) {
  double best = -1.0;
  for (int j = 0; j < GRID * GRID; j++) {
    int    a = j / GRID, b = j % GRID;
    double accuracy, here;
    evaluate(t, a < N ? t->confidence[a * 3] : 2.0f, b < N ? t->confidence[b * 3 + 1] : 2.0f,
             &accuracy, &here);
    if (here <= cost + 1e-9 && accuracy > best) best = accuracy;
  }
  return best;
}

static void check_exact(uint64_t seed, int second, int third) {
  ee_exit_table   *t = random_table(N, 3, seed);
  ee_front_options o = ee_front_defaults();
  ee_front         front;
  t->layers[1] = second;
  t->layers[2] = third;
  o.grid       = N;
  CU_ASSERT_EQUAL_FATAL(ee_front_search(t, &o, &front), EE_OK);
  CU_ASSERT_TRUE(front.n > 1);
  for (int k = 0; k < front.n; k++) {
    double accuracy, cost;
    evaluate(t, front.threshold[2 * k], front.threshold[2 * k + 1], &accuracy, &cost);
    CU_ASSERT_DOUBLE_EQUAL(front.accuracy[k], accuracy, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(front.cost[k], cost, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(best_within(t, cost), accuracy, 1e-12);
    if (k > 0) CU_ASSERT(front.accuracy[k] > front.accuracy[k - 1] && cost > front.cost[k - 1]);
  }
  CU_ASSERT_DOUBLE_EQUAL(best_within(t, 10.0), front.accuracy[front.n - 1], 1e-12);
  ee_front_clear(&front);
  ee_exit_table_destroy(&t);
}

static void two_early_exits_have_the_exact_front(void) {
  check_exact(1, 4, 9);
  for (uint64_t seed = 2; seed < 6; seed++) check_exact(seed, 2, 3);
}

/* Costs that are given are those of layers if they are the same numbers; another scale changes the
 * costs of the points and not their thresholds. */
static void costs_of_exits_may_be_given(void) {
  ee_exit_table   *t         = random_table(N, 3, 9);
  double           cost[3]   = {0.1 * t->layers[0], 0.1 * t->layers[1], 0.1 * t->layers[2]};
  ee_front_options by_layers = ee_front_defaults(), given = by_layers;
  ee_front         a, b, c;
  given.exit_cost = cost;
  CU_ASSERT_EQUAL_FATAL(ee_front_search(t, &by_layers, &a), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_front_search(t, &given, &b), EE_OK);
  for (int e = 0; e < 3; e++) cost[e] *= 1024.0;
  CU_ASSERT_EQUAL_FATAL(ee_front_search(t, &given, &c), EE_OK);
  CU_ASSERT_TRUE(a.n == b.n && a.n == c.n);
  for (int k = 0; k < a.n; k++) {
    CU_ASSERT_EQUAL(a.cost[k], b.cost[k]);
    CU_ASSERT_EQUAL(1024.0 * a.cost[k], c.cost[k]);
    CU_ASSERT_EQUAL(memcmp(a.threshold + 2 * k, c.threshold + 2 * k, 2 * sizeof(float)), 0);
  }
  cost[1] = cost[0] / 2.0;
  ee_front_clear(&c);
  CU_ASSERT_EQUAL(ee_front_search(t, &given, &c), EE_ERR_ARG);
  ee_front_clear(&a);
  ee_front_clear(&b);
  ee_exit_table_destroy(&t);
}

static void points_of_a_narrow_search_are_what_they_say(void) {
  ee_exit_table   *t = random_table(500, 6, 2);
  ee_front_options o = {.layer_cost = 0.1, .grid = 9, .beam = 5};
  ee_front         front;
  ee_replayed      out[500];
  CU_ASSERT_EQUAL_FATAL(ee_front_search(t, &o, &front), EE_OK);
  CU_ASSERT_TRUE(front.n > 3);
  for (int k = 0; k < front.n; k++) {
    ee_replay_options replay    = ee_replay_defaults();
    char              text[256] = "threshold:values=";
    for (int e = 0; e < 5; e++)
      snprintf(text + strlen(text), sizeof text - strlen(text), "%s%.9g", e > 0 ? "/" : "",
               (double)front.threshold[5 * k + e]);
    ee_replay_result r = replay_into(t, text, &replay, out);
    CU_ASSERT_DOUBLE_EQUAL(r.figure[EE_FIGURE_ACCURACY], front.accuracy[k], 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(r.figure[EE_FIGURE_COST], front.cost[k], 1e-9);
    ee_replay_clear(&r);
  }
  ee_front_clear(&front);
  ee_exit_table_destroy(&t);
}

static void targets_are_met_by_the_best_point(void) {
  double   accuracy[3] = {0.5, 0.7, 0.9}, cost[3] = {1, 2, 3};
  ee_front front = {.n = 3, .n_early = 1, .accuracy = accuracy, .cost = cost};
  CU_ASSERT_EQUAL(ee_front_cheapest(&front, 0.6), 1);
  CU_ASSERT_EQUAL(ee_front_cheapest(&front, 0.7), 1);
  CU_ASSERT_EQUAL(ee_front_cheapest(&front, 0.95), -1);
  CU_ASSERT_EQUAL(ee_front_best_within(&front, 2.5), 1);
  CU_ASSERT_EQUAL(ee_front_best_within(&front, 3), 2);
  CU_ASSERT_EQUAL(ee_front_best_within(&front, 0.5), -1);
  cost[1] = 0.1 + 0.2;  // a little more than 0.3
  cost[0] = 0.1;
  CU_ASSERT_EQUAL(ee_front_best_within(&front, 0.3), 1);
}

static void one_exit_has_one_point(void) {
  ee_exit_table   *t = random_table(N, 1, 3);
  ee_front_options o = ee_front_defaults();
  ee_front         front;
  CU_ASSERT_EQUAL_FATAL(ee_front_search(t, &o, &front), EE_OK);
  CU_ASSERT_EQUAL(front.n, 1);
  CU_ASSERT_DOUBLE_EQUAL(front.cost[0], 0.1, 1e-12);
  ee_front_clear(&front);
  ee_exit_table_destroy(&t);
}

static void a_search_needs_labels_and_confidences(void) {
  ee_exit_table   *t = random_table(N, 3, 4), *bare = NULL;
  ee_front_options o = ee_front_defaults();
  ee_front         front;
  for (int i = 0; i < N; i++) t->label[i] = -1;
  CU_ASSERT_EQUAL(ee_front_search(t, &o, &front), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "labelled"));
  t->label[7] = 1;  // one is enough
  CU_ASSERT_EQUAL(ee_front_search(t, &o, &front), EE_OK);
  ee_front_clear(&front);
  CU_ASSERT_EQUAL_FATAL(ee_exit_table_create(3, 3, 2, (ee_exit_table_parts){0}, &bare), EE_OK);
  CU_ASSERT_EQUAL(ee_front_search(bare, &o, &front), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "needs confidences, the table has none"));
  t->n = (int64_t)INT32_MAX + 1;
  CU_ASSERT_EQUAL(ee_front_search(t, &o, &front), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "the table has 2147483648"));
  t->n   = N;
  o.beam = 0;
  CU_ASSERT_EQUAL(ee_front_search(t, &o, &front), EE_ERR_ARG);
  ee_exit_table_destroy(&bare);
  ee_exit_table_destroy(&t);
}

const ee_fact ee_facts[] = {
    EE_FACT(two_early_exits_have_the_exact_front),
    EE_FACT(costs_of_exits_may_be_given),
    EE_FACT(points_of_a_narrow_search_are_what_they_say),
    EE_FACT(targets_are_met_by_the_best_point),
    EE_FACT(one_exit_has_one_point),
    EE_FACT(a_search_needs_labels_and_confidences),
    {NULL, NULL},
};
