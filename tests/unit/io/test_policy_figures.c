/* SPDX-License-Identifier: Apache-2.0 */
/* Policies on tables of real networks.  Expected values were computed outside this project, or
 * printed by the methods' authors (UEE-UCB). */
#include <math.h>
#include <stdio.h>

#include "ee/exit_quality.h"
#include "ee/import.h"
#include "ee/replay.h"
#include "ee_test.h"

static ee_exit_table *import(const char *file, const ee_exits_columns *columns) {
  const char    *path  = ee_test_data(file);
  ee_exit_table *table = NULL;
  if (path != NULL) CU_ASSERT_EQUAL_FATAL(ee_import_exits(path, columns, &table), EE_OK);
  return table;
}

/* BERT with an exit after each of 12 layers, 872 sentences. */
static ee_exit_table *bert(void) {
  const ee_exits_columns columns = {.sample     = "Sample_ID",
                                    .exit       = "Exit",
                                    .prediction = "Prediction",
                                    .confidence = "Confidence",
                                    .label      = "Label"};
  return import("exit-tables/bert12_exits_df.csv", &columns);
}

/* AlexNet with one early exit, 10,000 images. */
static ee_exit_table *alexnet(void) {
  const ee_exits_columns columns = {
      .prediction = "infered_class_branches_1,infered_class_branches_2",
      .confidence = "conf_branch_1,conf_branch_2",
      .label      = "target"};
  return import("exit-tables/balexnet_cifar10_results_ee_alexnet_for_ucb_3.csv", &columns);
}

/* ElasticBERT with exits after layers 1, 3, 7 and 12, 50,000 reviews; answers only. */
static ee_exit_table *imdb(void) {
  const ee_exits_columns columns = {
      .prediction = "0,1,2,3", .label = "op_labels", .layers = "1,3,7,12"};
  return import("exit-tables/uee_imdb_4exits.tsv", &columns);
}

static void exits_of_real_networks_have_their_known_accuracy_and_calibration(void) {
  static const double bert_accuracy[12] = {.5092, .7913, .8177, .8567, .8704, .8727,
                                           .8796, .8865, .8911, .8979, .9060, .9025};
  ee_exit_table      *image = alexnet(), *text = bert();
  ee_exit_quality     q[12];
  ee_answer_kinds     kinds;
  if (image == NULL || text == NULL) return;
  CU_ASSERT_EQUAL_FATAL(ee_exit_table_judge(image, q, &kinds), EE_OK);
  CU_ASSERT_DOUBLE_EQUAL(q[0].accuracy, 0.7281, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(q[1].accuracy, 0.9064, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(q[0].ece, 0.02056, 1e-5);
  CU_ASSERT_DOUBLE_EQUAL(q[1].ece, 0.04235, 1e-5);
  CU_ASSERT_EQUAL_FATAL(ee_exit_table_judge(text, q, &kinds), EE_OK);
  for (int e = 0; e < 12; e++) CU_ASSERT_DOUBLE_EQUAL(q[e].accuracy, bert_accuracy[e], 5.1e-5);
  ee_exit_table_destroy(&image);
  ee_exit_table_destroy(&text);
}

/* Printed by UEE-UCB's authors: errors, and samples by whether deeper exits keep what is right. */
static void answers_of_elasticbert_are_of_the_known_kinds(void) {
  static const double error[4] = {.38766, .19300, .17090, .15386};
  ee_exit_table      *table    = imdb();
  ee_exit_quality     q[4];
  ee_answer_kinds     kinds;
  if (table == NULL) return;
  CU_ASSERT_EQUAL_FATAL(ee_exit_table_judge(table, q, &kinds), EE_OK);
  for (int e = 0; e < 4; e++) CU_ASSERT_DOUBLE_EQUAL(1.0 - q[e].accuracy, error[e], 1e-9);
  CU_ASSERT_TRUE(isnan(q[0].ece));
  CU_ASSERT_EQUAL(kinds.all_correct, 25010);
  CU_ASSERT_EQUAL(kinds.good, 14478);
  CU_ASSERT_EQUAL(kinds.all_wrong, 3297);
  CU_ASSERT_EQUAL(kinds.bad, 7215);
  ee_exit_table_destroy(&table);
}

static ee_replay_result replay(const ee_exit_table *table, const char *text,
                               const ee_replay_options *o, int seeds) {
  ee_replay_result mean, deviation;
  ee_status        status = ee_replay_seeds(table, text, o, seeds, &mean, &deviation);
  if (status != EE_OK) printf("  %s\n", ee_status_message());
  CU_ASSERT_EQUAL_FATAL(status, EE_OK);
  ee_replay_clear(&deviation);
  return mean;
}

static void check_cascade(const ee_exit_table *table, const char *text, double accuracy,
                          double layers) {
  ee_replay_options o = ee_replay_defaults();
  ee_replay_result  r = replay(table, text, &o, 1);
  CU_ASSERT_DOUBLE_EQUAL(r.figure[EE_FIGURE_ACCURACY], accuracy, 5e-6 + 1e-9);
  CU_ASSERT_DOUBLE_EQUAL(r.figure[EE_FIGURE_LAYERS], layers, 5e-5 + 1e-9);
  ee_replay_clear(&r);
}

static void cascades_patience_and_beem_have_their_known_accuracy_and_depth(void) {
  static const struct {
    const char *text;
    double      accuracy, layers;
  } known[] = {
      {"threshold:value=0.7", .86697, 3.3062}, {"threshold:value=0.8", .87959, 4.7030},
      {"threshold:value=0.9", .89450, 7.0126}, {"threshold:value=0.95", .89908, 9.0000},
      {"patience:value=1", .79702, 2.4713},    {"patience:value=2", .83372, 3.6915},
      {"patience:value=3", .87271, 4.9300},    {"patience:value=4", .88991, 6.0677},
      {"patience:value=5", .89220, 7.1560},    {"patience:value=6", .89450, 8.1628},
      {"beem:value=0.5", .85436, 3.9725},      {"beem:value=1", .88303, 5.4461},
      {"beem:value=2", .89450, 7.5665},        {"beem:value=3", .89794, 8.9060},
  };
  ee_exit_table *table = bert();
  if (table == NULL) return;
  for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
    check_cascade(table, known[k].text, known[k].accuracy, known[k].layers);
  ee_exit_table_destroy(&table);
}

/* Exit 0 is equally sure of everyone and right half the time: no budget lets all leave there. */
static void a_budget_passes_an_exit_that_was_not_trained(void) {
  static const double known[3][2] = {{0.3, 0.83}, {0.5, 0.87}, {0.75, 0.89}};
  ee_exit_table      *table       = bert();
  ee_replay_options   o           = ee_replay_defaults();
  if (table == NULL) return;
  for (int k = 0; k < 3; k++) {
    char text[64];
    snprintf(text, sizeof text, "budgeted:budget=%g", known[k][0]);
    ee_replay_result r = replay(table, text, &o, 1);
    CU_ASSERT_EQUAL(r.exit_share[0], 0.0);
    CU_ASSERT_TRUE(r.figure[EE_FIGURE_ACCURACY] > known[k][1]);
    CU_ASSERT_TRUE(r.figure[EE_FIGURE_LAYERS] <= 12 * known[k][0]);
    CU_ASSERT_TRUE(r.figure[EE_FIGURE_LAYERS] > 12 * (known[k][0] - 0.1));
    ee_replay_clear(&r);
  }
  ee_exit_table_destroy(&table);
}

/* Leave early: share, accuracy of those, accuracy of all. */
static void one_early_exit_has_its_known_shares_and_accuracies(void) {
  static const double known[4][4] = {{.5, .8245, .8028, .8047},
                                     {.7, .6060, .8795, .8648},
                                     {.8, .4943, .9205, .8857},
                                     {.9, .3594, .9519, .8985}};
  ee_exit_table      *table       = alexnet();
  ee_replay_options   o           = ee_replay_defaults();
  if (table == NULL) return;
  for (int k = 0; k < 4; k++) {
    char text[64];
    snprintf(text, sizeof text, "threshold:value=%g", known[k][0]);
    ee_replay_result r = replay(table, text, &o, 1);
    CU_ASSERT_DOUBLE_EQUAL(r.exit_share[0], known[k][1], 5.1e-5);
    CU_ASSERT_DOUBLE_EQUAL(r.exit_accuracy[0], known[k][2], 5.1e-5);
    CU_ASSERT_DOUBLE_EQUAL(r.figure[EE_FIGURE_ACCURACY], known[k][3], 5.1e-5);
    ee_replay_clear(&r);
  }
  ee_exit_table_destroy(&table);
}

/* A grid of one value is one fixed arm: SplitEE's arm a played throughout, by its share. */
static void the_arms_of_splitee_have_their_known_values(void) {
  static const double at_07[12] = {.25218, .41535,  .39481,  .37252,  .27052,  .12025,
                                   .06907, -.02935, -.13644, -.24746, -.31420, -.34782};
  ee_exit_table      *table     = bert();
  ee_replay_options   o         = ee_replay_defaults();
  if (table == NULL) return;
  ee_replay_result r = replay(table, "splitee:alpha=0.7", &o, 1);
  for (int a = 0; a < 12; a++) CU_ASSERT_DOUBLE_EQUAL(r.arm_value[a], at_07[a], 5.1e-6);
  CU_ASSERT_EQUAL(r.figure[EE_FIGURE_BEST_ARM], 1.0);
  ee_replay_clear(&r);
  r = replay(table, "splitee:alpha=0.85", &o, 1);
  CU_ASSERT_EQUAL(r.figure[EE_FIGURE_BEST_ARM], 1.0);
  CU_ASSERT_DOUBLE_EQUAL(r.arm_value[1], .28873, 5.1e-6);
  ee_replay_clear(&r);
  o.costs.offload = 0.1;
  r               = replay(table, "splitee:alpha=0.85", &o, 1);
  CU_ASSERT_EQUAL(r.figure[EE_FIGURE_BEST_ARM], 0.0);
  CU_ASSERT_DOUBLE_EQUAL(r.arm_value[0], .65218, 5.1e-6);
  ee_replay_clear(&r);
  ee_exit_table_destroy(&table);
}

/* One arm of SplitEE on all samples; heads cost a fifth of a layer, as published. */
static void check_arm(const ee_exit_table *table, const char *text, int arm, double offload,
                      const double cost_accuracy_offloaded[3]) {
  static const ee_figure figure[] = {EE_FIGURE_COST, EE_FIGURE_ACCURACY, EE_FIGURE_OFFLOADED};
  ee_replay_options      o        = ee_replay_defaults();
  o.costs                         = (ee_policy_costs){.layer = 0.1, .offload = offload};
  o.head_share                    = 0.2;
  ee_replay_result r              = replay(table, text, &o, 1);
  CU_ASSERT_EQUAL(r.arm_share[arm], 1.0);
  for (int k = 0; k < 3; k++)
    CU_ASSERT_DOUBLE_EQUAL(r.figure[figure[k]], cost_accuracy_offloaded[k], 5.1e-6);
  ee_replay_clear(&r);
}

static void one_arm_of_splitee_has_its_known_cost_accuracy_and_offloading(void) {
  ee_exit_table *table = bert();
  if (table == NULL) return;
  check_arm(table, "splitee:alpha=0.7,arm=1", 1, 0.5, (double[]){.38814, .87729, .41628});
  check_arm(table, "splitee:alpha=0.85,arm=1", 1, 0.5, (double[]){.54124, .90252, .72248});
  check_arm(table, "splitee:alpha=0.85,arm=0", 0, 0.1, (double[]){.2, .90252, 1.0});
  ee_exit_table_destroy(&table);
}

/* Means and deviations over 10 shuffles: accuracy, cost, share offloaded. */
typedef struct run_of_ten {
  const char *text;
  double      offload, head_share, accuracy[2], cost[2], offloaded[2];
} run_of_ten;

static void near(double x, const double mean_and_deviation[2]) {
  CU_ASSERT_DOUBLE_EQUAL(x, mean_and_deviation[0], 2 * mean_and_deviation[1]);
}

static void splitee_learns_as_its_authors_program_does(void) {
  static const char *const side    = "splitee-s:alpha=0.85,released=1";
  static const char *const plain   = "splitee:alpha=0.85";
  const run_of_ten         known[] = {
              {plain, .1, .2, {.9001, .0020}, {.2861, .0031}, {.7885, .0178}},
              {plain, .3, .2, {.8985, .0025}, {.4614, .0042}, {.7008, .0182}},
              {plain, .5, .2, {.8981, .0026}, {.6034, .0078}, {.6164, .0180}},
              {side, .1, 0., {.9021, .0015}, {.2534, .0035}, {.8808, .0125}},
              {side, .3, 0., {.8999, .0026}, {.4645, .0044}, {.7367, .0455}},
              {side, .5, 0., {.8954, .0013}, {.6279, .0119}, {.5393, .0342}},
  };
  ee_exit_table *table = bert();
  if (table == NULL) return;
  for (size_t k = 0; k < sizeof known / sizeof known[0]; k++) {
    ee_replay_options o = ee_replay_defaults();
    o.stream            = EE_STREAM_SHUFFLE;
    o.costs.offload     = known[k].offload;
    o.head_share        = known[k].head_share;
    o.warmup            = 12;  // the first samples set up the arms, and are met again
    ee_replay_result r  = replay(table, known[k].text, &o, 20);
    near(r.figure[EE_FIGURE_ACCURACY], known[k].accuracy);
    near(r.figure[EE_FIGURE_COST], known[k].cost);
    near(r.figure[EE_FIGURE_OFFLOADED], known[k].offloaded);
    ee_replay_clear(&r);
  }
  ee_exit_table_destroy(&table);
}

static void unsupervised_exits_have_their_known_values(void) {
  static const double value[4] = {.47099, .44300, .75423, 1.15386};
  ee_exit_table      *table    = imdb();
  ee_replay_options   o        = ee_replay_defaults();
  if (table == NULL) return;
  o.costs.layer      = 1.0 / 12;
  o.stream           = EE_STREAM_SHUFFLE;
  ee_replay_result r = replay(table, "uee-ucb", &o, 5);
  for (int a = 0; a < 4; a++) CU_ASSERT_DOUBLE_EQUAL(-r.arm_value[a], value[a], 5.1e-6);
  CU_ASSERT_EQUAL(r.figure[EE_FIGURE_BEST_ARM], 1.0);
  CU_ASSERT_DOUBLE_EQUAL(r.figure[EE_FIGURE_ACCURACY], 0.80703, 2e-4);
  CU_ASSERT_DOUBLE_EQUAL(r.figure[EE_FIGURE_COST], 0.25085, 6e-4);
  CU_ASSERT_TRUE(r.arm_share[1] * 50000 > 49700 && r.arm_share[1] * 50000 < 49990);
  ee_replay_clear(&r);
  ee_exit_table_destroy(&table);
}

const ee_fact ee_facts[] = {
    EE_FACT(exits_of_real_networks_have_their_known_accuracy_and_calibration),
    EE_FACT(answers_of_elasticbert_are_of_the_known_kinds),
    EE_FACT(cascades_patience_and_beem_have_their_known_accuracy_and_depth),
    EE_FACT(a_budget_passes_an_exit_that_was_not_trained),
    EE_FACT(one_early_exit_has_its_known_shares_and_accuracies),
    EE_FACT(the_arms_of_splitee_have_their_known_values),
    EE_FACT(one_arm_of_splitee_has_its_known_cost_accuracy_and_offloading),
    EE_FACT(splitee_learns_as_its_authors_program_does),
    EE_FACT(unsupervised_exits_have_their_known_values),
    {NULL, NULL},
};
