/* SPDX-License-Identifier: Apache-2.0 */
/* Offloading metrics by hand, over all ways to cut a small table, and on a real network's table. */
#include "ee/offloading.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ee/replay.h"
#include "ee/rng.h"
#include "ee_test.h"

/* Six samples, two exits of which one is on the device; 10 ms there, 50 ms behind it. */
static float         confidence[] = {0.9f, 0.2f, 0.8f, 0.9f, 0.5f, 0.9f,
                                     0.4f, 0.3f, 0.3f, 0.6f, 0.7f, 0.9f};
static int32_t       prediction[] = {1, 0, 0, 1, 0, 1, 1, 0, 0, 1, 1, 1};
static int32_t       label[]      = {1, 1, 1, 1, 0, 1};
static ee_exit_table six          = {.n          = 6,
                                     .n_exits    = 2,
                                     .n_classes  = 2,
                                     .confidence = confidence,
                                     .prediction = prediction,
                                     .label      = label};

static const double       seconds[] = {0.010, 0.050};
static ee_offload_setting setting   = {
      .target = 0.7, .n_device = 1, .seconds = seconds, .batch = 3, .rounds = 2};

/* At .7: samples 0, 1, 5 on the device (right, wrong, right); 2 to the last exit (.9, right);
 * 3: neither is sure, exit 0 is the more confident (right); 4: likewise the last (1, wrong). */
static void six_samples_have_the_metrics_worked_out_by_hand(void) {
  ee_offload_metrics m;
  CU_ASSERT_EQUAL_FATAL(ee_offload_measure(&six, &setting, 0, NULL, NULL, &m), EE_OK);
  CU_ASSERT_DOUBLE_EQUAL(m.on_device, 3 / 6.0, 1e-15);
  CU_ASSERT_DOUBLE_EQUAL(m.accuracy_on_device, 2 / 3.0, 1e-15);
  CU_ASSERT_DOUBLE_EQUAL(m.accuracy, 4 / 6.0, 1e-15);
  CU_ASSERT_DOUBLE_EQUAL(m.seconds, (3 * 0.010 + 3 * 0.050) / 6, 1e-15);
}

static void with_one_sample_per_batch_shares_are_those_of_the_samples(void) {
  ee_offload_metrics m;
  ee_interval        missed[4];
  const double       deadline[] = {0.005, 0.010, 0.040, 0.050};
  ee_offload_setting one        = setting;
  one.batch                     = 1;
  CU_ASSERT_EQUAL_FATAL(ee_offload_measure(&six, &one, 4, deadline, missed, &m), EE_OK);
  CU_ASSERT_DOUBLE_EQUAL(m.outage.mean, 1 / 6.0, 1e-15);  // the wrong one; three batches have none
  CU_ASSERT_DOUBLE_EQUAL(m.outage.half, 0.0, 1e-15);
  CU_ASSERT_DOUBLE_EQUAL(m.overall_outage.mean, 2 / 6.0, 1e-15);
  CU_ASSERT_DOUBLE_EQUAL(missed[0].mean, 1.0, 1e-15);
  CU_ASSERT_DOUBLE_EQUAL(missed[1].mean, 4 / 6.0, 1e-15);  // 2, 3, 4 late, 1 wrong
  CU_ASSERT_DOUBLE_EQUAL(missed[2].mean, 4 / 6.0, 1e-15);
  CU_ASSERT_DOUBLE_EQUAL(missed[3].mean, 2 / 6.0, 1e-15);
}

static void nobody_on_the_device_is_no_outage(void) {
  ee_offload_metrics m;
  ee_offload_setting sure = setting;
  sure.target             = 0.95;
  CU_ASSERT_EQUAL_FATAL(ee_offload_measure(&six, &sure, 0, NULL, NULL, &m), EE_OK);
  CU_ASSERT_EQUAL(m.on_device, 0.0);
  CU_ASSERT_TRUE(isnan(m.accuracy_on_device));
  CU_ASSERT_EQUAL(m.outage.mean, 0.0);
  // The most confident exit of each sample is right but for sample 4: one of two batches has it.
  CU_ASSERT_DOUBLE_EQUAL(m.accuracy, 5 / 6.0, 1e-15);
  CU_ASSERT_EQUAL(m.overall_outage.mean, 0.5);
}

/* All 720 orders, each cut in two batches: what the mean over many rounds comes near to. */
static double exact[3];  // outage, overall, missed at 25 ms

static void cut(const int *order) {
  static const int on_device[] = {1, 1, 0, 0, 0, 1}, right[] = {1, 0, 1, 1, 0, 1};
  for (int b = 0; b < 2; b++) {
    int    here = 0, here_right = 0, all_right = 0;
    double time = 0.0;
    for (int j = 3 * b; j < 3 * b + 3; j++) {
      here += on_device[order[j]];
      here_right += on_device[order[j]] * right[order[j]];
      all_right += right[order[j]];
      time += (on_device[order[j]] ? 0.010 : 0.050) / 3;
    }
    int low = all_right < 0.7 * 3;
    exact[0] += (here > 0 && here_right < 0.7 * here) / 1440.0;
    exact[1] += low / 1440.0;
    exact[2] += (low || time > 0.025) / 1440.0;
  }
}

static void permute(int *order, int at) {
  if (at == 6) cut(order);
  for (int j = at; j < 6; j++) {
    int swap  = order[at];
    order[at] = order[j];
    order[j]  = swap;
    permute(order, at + 1);
    order[j]  = order[at];
    order[at] = swap;
  }
}

static void find_exact(void) {
  int order[] = {0, 1, 2, 3, 4, 5};
  memset(exact, 0, sizeof exact);
  permute(order, 0);
}

static void shares_of_batches_come_near_those_of_all_orders(void) {
  const double       deadline = 0.025;
  ee_offload_metrics m;
  ee_interval        missed;
  ee_offload_setting many = setting;
  many.rounds             = 20000;
  find_exact();
  CU_ASSERT_EQUAL_FATAL(ee_offload_measure(&six, &many, 1, &deadline, &missed, &m), EE_OK);
  const ee_interval got[] = {m.outage, m.overall_outage, missed};
  for (int j = 0; j < 3; j++) {
    CU_ASSERT_TRUE(exact[j] > 0.1 && exact[j] < 1.0);
    CU_ASSERT_DOUBLE_EQUAL(got[j].mean, exact[j], 2.5 * got[j].half + 1e-12);
    CU_ASSERT_TRUE(got[j].half < 0.005);
  }
}

/* Two wrong samples of six, at any two rows: they share a batch of three in 2 of 5 shuffles, which
 * makes one batch of two low, else both are. */
static void where_a_sample_stands_in_the_table_does_not_matter(void) {
  ee_offload_metrics m;
  ee_offload_setting many = setting;
  float              sure[12];
  int32_t            right[12], wrong[6];
  ee_exit_table      table = {.n          = 6,
                              .n_exits    = 2,
                              .n_classes  = 2,
                              .confidence = sure,
                              .prediction = right,
                              .label      = wrong};
  many.target              = 0.7;
  many.rounds              = 4000;
  for (int j = 0; j < 12; j++) sure[j] = 0.9f;
  for (int j = 0; j < 12; j++) right[j] = 1;
  for (int a = 0; a < 6; a++) {
    for (int b = 0; b < a; b++) {
      for (int i = 0; i < 6; i++) wrong[i] = i != a && i != b;
      CU_ASSERT_EQUAL_FATAL(ee_offload_measure(&table, &many, 0, NULL, NULL, &m), EE_OK);
      CU_ASSERT_DOUBLE_EQUAL(m.overall_outage.mean, 0.8, 2 * m.overall_outage.half);
    }
  }
}

/* Both batches of a round are low, or one: the interval from its rounds, of which each seed draws
 * others, covers the exact share in about 95 of 100 seeds. */
static void the_interval_covers_the_exact_share_in_most_draws(void) {
  int covered = 0;
  find_exact();
  for (uint64_t seed = 0; seed < 400; seed++) {
    ee_offload_metrics m;
    ee_offload_setting drawn = setting;
    drawn.rounds             = 100;
    drawn.seed               = seed;
    CU_ASSERT_EQUAL_FATAL(ee_offload_measure(&six, &drawn, 0, NULL, NULL, &m), EE_OK);
    covered += fabs(m.overall_outage.mean - exact[1]) <= m.overall_outage.half;
  }
  CU_ASSERT_TRUE(covered > 400 * 0.91 && covered < 400 * 0.985);
}

static void what_does_not_fill_a_batch_is_left_out(void) {
  ee_offload_metrics m;
  ee_offload_setting four = setting;
  four.batch              = 4;  // one batch; its accuracy is a multiple of 1/4
  four.rounds             = 50;
  CU_ASSERT_EQUAL_FATAL(ee_offload_measure(&six, &four, 0, NULL, NULL, &m), EE_OK);
  CU_ASSERT_DOUBLE_EQUAL(m.overall_outage.mean * 50, round(m.overall_outage.mean * 50), 1e-9);
  four.batch = 7;
  CU_ASSERT_EQUAL(ee_offload_measure(&six, &four, 0, NULL, NULL, &m), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "7 samples, expected 1 to 6"));
}

static void what_cannot_be_measured_is_refused(void) {
  ee_offload_metrics m;
  ee_offload_setting bad   = setting;
  ee_exit_table      table = six;
  bad.target               = NAN;
  CU_ASSERT_EQUAL(ee_offload_measure(&six, &bad, 0, NULL, NULL, &m), EE_ERR_ARG);
  bad          = setting;
  bad.n_device = 2;
  CU_ASSERT_EQUAL(ee_offload_measure(&six, &bad, 0, NULL, NULL, &m), EE_ERR_ARG);
  bad        = setting;
  bad.rounds = 1;
  CU_ASSERT_EQUAL(ee_offload_measure(&six, &bad, 0, NULL, NULL, &m), EE_ERR_ARG);
  table.confidence = NULL;
  CU_ASSERT_EQUAL(ee_offload_measure(&table, &setting, 0, NULL, NULL, &m), EE_ERR_ARG);
  int32_t unknown[] = {1, 1, 1, 1, -1, 1};
  table             = six;
  table.label       = unknown;
  CU_ASSERT_EQUAL(ee_offload_measure(&table, &setting, 0, NULL, NULL, &m), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "row 4 has no label"));
}

/* ---- the policy of the same rule ---- */

enum { DRAWN = 400, DRAWN_EXITS = 5, DRAWN_CLASSES = 4 };

/* Confidences in twentieths, so that many are equal. */
static ee_exit_table *drawn_table(void) {
  ee_exit_table      *t     = NULL;
  ee_exit_table_parts parts = {.confidence = true};
  ee_rng              rng   = ee_rng_at(11, 0);
  CU_ASSERT_EQUAL_FATAL(ee_exit_table_create(DRAWN, DRAWN_EXITS, DRAWN_CLASSES, parts, &t), EE_OK);
  for (int k = 0; k < DRAWN * DRAWN_EXITS; k++) {
    t->confidence[k] = (float)ee_rng_below(&rng, 21) / 20.0f;
    t->prediction[k] = (int32_t)ee_rng_below(&rng, DRAWN_CLASSES);
  }
  for (int i = 0; i < DRAWN; i++) t->label[i] = (int32_t)ee_rng_below(&rng, DRAWN_CLASSES);
  return t;
}

/* The rule as it reads: what the exits 0 .. n_device - 1 and the last one say, and who answers. */
static int plain_answer(const ee_exit_table *t, int i, float target, int n_device, bool *stays) {
  const float   *sure = t->confidence + i * DRAWN_EXITS;
  const int32_t *says = t->prediction + i * DRAWN_EXITS;
  int            last = DRAWN_EXITS - 1, best = last;
  *stays = true;
  for (int e = 0; e < n_device; e++) {
    if (sure[e] >= target) return says[e];
  }
  *stays = false;
  if (sure[last] >= target) return says[last];
  for (int e = n_device - 1; e >= 0; e--) {
    if (sure[e] >= sure[best]) best = e;
  }
  return says[best];
}

static void check_rule(const ee_exit_table *t, float target, int n_device) {
  char               text[64];
  const double       when[DRAWN_EXITS] = {0.0};
  ee_offload_setting s = {.target = target, .n_device = n_device, .seconds = when, .batch = 100};
  ee_offload_metrics m;
  ee_replay_options  o = ee_replay_defaults();
  ee_replayed        out[DRAWN];
  ee_replay_result   r, deviation;
  int                on_device = 0, right = 0;
  o.replayed = out;
  s.rounds   = 2;
  snprintf(text, sizeof text, "offload:value=%.9g,exits=%d", (double)target, n_device);
  CU_ASSERT_EQUAL_FATAL(ee_offload_measure(t, &s, 0, NULL, NULL, &m), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_replay_seeds(t, text, &o, 1, &r, &deviation), EE_OK);
  for (int i = 0; i < DRAWN; i++) {
    bool stays;
    int  says = plain_answer(t, i, target, n_device, &stays);
    CU_ASSERT_EQUAL(out[i].prediction, says);
    CU_ASSERT_EQUAL(out[i].left == out[i].exit, stays);
    on_device += stays;
    right += says == t->label[i];
  }
  CU_ASSERT_DOUBLE_EQUAL(m.on_device, on_device / (double)DRAWN, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(m.accuracy, right / (double)DRAWN, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(1.0 - r.figure[EE_FIGURE_OFFLOADED], m.on_device, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(r.figure[EE_FIGURE_ACCURACY], m.accuracy, 1e-12);
  if (on_device > 0)
    CU_ASSERT_DOUBLE_EQUAL(r.figure[EE_FIGURE_DEVICE_ACCURACY], m.accuracy_on_device, 1e-12);
  ee_replay_clear(&r);
  ee_replay_clear(&deviation);
}

static void study_and_policy_answer_as_the_rule_reads(void) {
  static const float target[] = {0.0f, 0.5f, 0.75f, 0.95f, 1.0f};
  ee_exit_table     *table    = drawn_table();
  for (int n_device = 1; n_device < DRAWN_EXITS; n_device++) {
    for (int k = 0; k < 5; k++) check_rule(table, target[k], n_device);
  }
  ee_exit_table_destroy(&table);
}

/* ---- a recorded network ---- */

/* A quarter of a second in which delays are 20 ms, then 0.1 s in which they are 300 ms. */
static double                 trace_at[]    = {0.0, 0.25, 0.35};
static double                 trace_delay[] = {0.020, 0.300};
static const ee_network_trace delays        = {.n = 2, .at = trace_at, .delay = trace_delay};

/* What the shuffle of a round makes of the order of the round before. */
static void shuffle_order(uint64_t seed, int round, int *order) {
  ee_rng rng = ee_rng_at(seed, (uint64_t)round);
  for (int i = 5; i > 0; i--) {
    int j = (int)ee_rng_below(&rng, (uint64_t)i + 1), swap = order[i];
    order[i] = order[j];
    order[j] = swap;
  }
}

/* Sample number @p nth of the stream: when it is sent, the row of the trace that counts then. */
static double plain_seconds(int sample, int nth) {
  static const int on_device[] = {1, 1, 0, 0, 0, 1};
  double           sent        = 0.0317 * nth + 0.010;
  while (sent >= 0.35) sent -= 0.35;
  if (on_device[sample]) return 0.010;
  return 0.050 + (sent < 0.25 ? 0.020 : 0.300);
}

static void delays_of_a_trace_are_those_of_a_plain_loop(void) {
  static const int   right[]  = {1, 0, 1, 1, 0, 1};
  const double       deadline = 0.07;
  double             total = 0.0, missed_share = 0.0;
  int                nth = 0;
  ee_offload_metrics m;
  ee_interval        missed;
  ee_offload_setting traced = setting;
  traced.rounds             = 40;
  traced.network            = &delays;
  traced.interval           = 0.0317;
  int order[6]              = {0, 1, 2, 3, 4, 5};
  for (int round = 0; round < 40; round++) {
    shuffle_order(traced.seed, round, order);
    for (int b = 0; b < 2; b++) {
      double time = 0.0, good = 0.0;
      for (int j = 3 * b; j < 3 * b + 3; j++) {
        time += plain_seconds(order[j], nth++);
        good += right[order[j]];
      }
      total += time;
      missed_share += (good / 3 < 0.7 || time / 3 > deadline) / 80.0;
    }
  }
  CU_ASSERT_EQUAL_FATAL(ee_offload_measure(&six, &traced, 1, &deadline, &missed, &m), EE_OK);
  CU_ASSERT_DOUBLE_EQUAL(m.seconds, total / 240, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(missed.mean, missed_share, 1e-12);
  CU_ASSERT_TRUE(missed_share > m.overall_outage.mean && missed_share < 1.0);
}

/* 10 kB at 4 Mbit/s take 20 ms, whenever they are sent. */
static void a_steady_bandwidth_is_a_steady_delay(void) {
  double                 at[] = {0.0, 1.0}, bits[] = {0.0, 4e6};
  const ee_network_trace steady   = {.n = 1, .at = at, .bits = bits};
  const double           slower[] = {0.010, 0.050 + 0.020}, deadline[] = {0.04, 0.05};
  ee_offload_metrics     m, wanted;
  ee_interval            missed[2], wanted_missed[2];
  ee_offload_setting     traced = setting, fixed = setting;
  traced.network       = &steady;
  traced.network_bytes = 10000;
  fixed.seconds        = slower;
  CU_ASSERT_EQUAL_FATAL(ee_offload_measure(&six, &traced, 2, deadline, missed, &m), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_offload_measure(&six, &fixed, 2, deadline, wanted_missed, &wanted),
                        EE_OK);
  CU_ASSERT_DOUBLE_EQUAL(m.seconds, wanted.seconds, 1e-9);
  for (int d = 0; d < 2; d++) CU_ASSERT_DOUBLE_EQUAL(missed[d].mean, wanted_missed[d].mean, 1e-12);
  traced.network_bytes = -1;
  CU_ASSERT_EQUAL(ee_offload_measure(&six, &traced, 0, NULL, NULL, &m), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "-1 bytes are sent for a sample"));
  traced.network_bytes = 1;
  traced.interval      = NAN;
  CU_ASSERT_EQUAL(ee_offload_measure(&six, &traced, 0, NULL, NULL, &m), EE_ERR_ARG);
}

/* ---- AlexNet with a side branch on CIFAR-10; the figures were computed outside this project ----
 */

enum { ROWS = 10000 };

static void a_real_network_has_the_known_shares_and_accuracies(void) {
  static float sure[ROWS * 2];
  static int32_t class[ROWS * 2], truth[ROWS];
  const double known[][3] = {
      {0.5, 0.8245, 0.8028}, {0.7, 0.6060, 0.8795}, {0.8, 0.4943, 0.9205}, {0.9, 0.3594, 0.9519}};
  const char *path = ee_test_data("exit-tables/balexnet_cifar10_results_ee_alexnet_for_ucb_3.csv");
  FILE       *file = path != NULL ? fopen(path, "r") : NULL;
  double      target, c[2], y[2];
  int         n = 0;
  if (file == NULL) return;
  CU_ASSERT_EQUAL(fscanf(file, "%*[^\n]"), 0);  // the header
  while (n < ROWS && fscanf(file, "%*d,%lf,%*f,%lf,%lf,%*f,%lf,%lf,%*f", &target, &c[0], &y[0],
                            &c[1], &y[1]) == 5) {
    for (int e = 0; e < 2; e++) {
      sure[2 * n + e]  = (float)c[e];
      class[2 * n + e] = (int32_t)y[e];
    }
    truth[n++] = (int32_t)target;
  }
  fclose(file);
  CU_ASSERT_EQUAL_FATAL(n, ROWS);
  ee_exit_table table = {.n          = ROWS,
                         .n_exits    = 2,
                         .n_classes  = 10,
                         .confidence = sure,
                         .prediction = class,
                         .label      = truth};
  for (int j = 0; j < 4; j++) {
    ee_offload_metrics m;
    ee_offload_setting s = setting;
    s.target             = known[j][0];
    s.batch              = 256;
    CU_ASSERT_EQUAL_FATAL(ee_offload_measure(&table, &s, 0, NULL, NULL, &m), EE_OK);
    CU_ASSERT_DOUBLE_EQUAL(m.on_device, known[j][1], 5e-5 + 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(m.accuracy_on_device, known[j][2], 5e-5 + 1e-9);
  }
}

const ee_fact ee_facts[] = {
    EE_FACT(six_samples_have_the_metrics_worked_out_by_hand),
    EE_FACT(with_one_sample_per_batch_shares_are_those_of_the_samples),
    EE_FACT(nobody_on_the_device_is_no_outage),
    EE_FACT(shares_of_batches_come_near_those_of_all_orders),
    EE_FACT(the_interval_covers_the_exact_share_in_most_draws),
    EE_FACT(where_a_sample_stands_in_the_table_does_not_matter),
    EE_FACT(what_does_not_fill_a_batch_is_left_out),
    EE_FACT(what_cannot_be_measured_is_refused),
    EE_FACT(study_and_policy_answer_as_the_rule_reads),
    EE_FACT(delays_of_a_trace_are_those_of_a_plain_loop),
    EE_FACT(a_steady_bandwidth_is_a_steady_delay),
    EE_FACT(a_real_network_has_the_known_shares_and_accuracies),
    {NULL, NULL},
};
