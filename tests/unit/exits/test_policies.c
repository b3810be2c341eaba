/* SPDX-License-Identifier: Apache-2.0 */
/* Policies: what the command line may say, where exactly they leave, and real exits replayed. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "ee/policy.h"
#include "ee/replay.h"
#include "ee_test.h"

static const ee_policy_setting four_exits = {.n_exits = 4, .n_classes = 3, .seed = 1};

static ee_policy *make(const char *text, const ee_policy_setting *setting) {
  ee_policy *policy = NULL;
  CU_ASSERT_EQUAL_FATAL(ee_policy_create(text, setting, &policy), EE_OK);
  return policy;
}

/* What @p text decides at @p exit about a sample with these probabilities, the first the largest.
 */
static ee_decision decision(const char *text, int exit, float p0, float p1, float p2) {
  const float  p[3] = {p0, p1, p2};
  ee_exit_view view = {
      .exit = exit, .n_exits = 4, .n_classes = 3, .probability = p, .confidence = p0};
  char        state[EE_POLICY_STATE_BYTES] = {0};
  ee_policy  *policy                       = make(text, &four_exits);
  ee_decision result                       = policy->ops->decide(policy->self, &view, state);
  ee_policy_destroy(&policy);
  CU_ASSERT_PTR_NULL(policy);
  return result;
}

/* Every policy must stand here with keys that make it, in the order of the list. */
static const char *const every[] = {"threshold:value=0.5",
                                    "entropy:value=0.5",
                                    "margin:value=0.5",
                                    "final",
                                    "patience:value=2",
                                    "beem:value=1",
                                    "budgeted:budget=1",
                                    "splitee",
                                    "splitee-s",
                                    "isplitee",
                                    "uee-ucb",
                                    "adaee",
                                    "ucbee",
                                    "ceebert",
                                    "eenet:value=0.5",
                                    "offload:value=0.5",
                                    "feature:value=0.5",
                                    "kl:value=0.5",
                                    "l2:value=0.5",
                                    "cosine:value=0.5"};
#define N_POLICIES ((int)(sizeof every / sizeof every[0]))

/* What policy k of the list needs. */
static bool needs_scores(int k) {
  return k == 14 || k == 16;
}
static bool needs_probabilities(int k) {
  return k == 1 || k == 2 || k >= 17;
}
static bool needs_nothing(int k) {
  return k == 3 || k == 4 || k == 10 || needs_scores(k);
}

static void check_tables(const ee_policy *policy) {
  const ee_policy_learning *learning = policy->ops->learning;
  CU_ASSERT_TRUE(strlen(policy->ops->help) > 0);
  CU_ASSERT_TRUE(policy->ops->state_bytes <= EE_POLICY_STATE_BYTES);
  if (learning != NULL) {
    CU_ASSERT_TRUE(learning->learned(policy->self) > 0);
    CU_ASSERT_TRUE(learning->memory_bytes(policy->self) >= sizeof(double));
    CU_ASSERT_PTR_NOT_NULL(learning->learn);
    CU_ASSERT_PTR_NOT_NULL(learning->epoch);
  }
  if (policy->ops->arms != NULL) CU_ASSERT_TRUE(policy->ops->arms->count(policy->self) > 1);
}

static ee_exit_table *table_of(int n_exits) {
  ee_exit_table *table = NULL;
  CU_ASSERT_EQUAL_FATAL(
      ee_exit_table_create(10, n_exits, 3, (ee_exit_table_parts){.confidence = true}, &table),
      EE_OK);
  for (int64_t k = 0; k < 10 * n_exits; k++) table->confidence[k] = 0.05f * (float)(k % 20);
  return table;
}

static void every_policy_says_what_it_is_and_is_made_by_its_name(void) {
  ee_exit_table    *table   = table_of(4);
  ee_policy_setting setting = four_exits;
  int               n       = 0;
  setting.table             = table;
  for (const ee_policy_ops *const *ops = ee_policies(); *ops != NULL; ops++, n++) {
    CU_ASSERT_FATAL(n < N_POLICIES);
    ee_policy *policy = make(every[n], &setting);
    CU_ASSERT_PTR_EQUAL(policy->ops, *ops);
    check_tables(policy);
    ee_policy_destroy(&policy);
  }
  CU_ASSERT_EQUAL(n, N_POLICIES);
  ee_exit_table_destroy(&table);
}

static void every_policy_lives_with_one_exit_and_a_dead_one(void) {
  for (int n_exits = 1; n_exits <= 2; n_exits++) {
    ee_exit_table    *table = table_of(n_exits);
    ee_replay_options o     = ee_replay_defaults();
    for (int64_t i = 0; i < 10; i++) table->confidence[i * n_exits] = 0.4f;  // the same for all
    for (int k = 0; k < N_POLICIES; k++) {
      ee_replay_result mean, deviation;
      if (needs_probabilities(k) || needs_scores(k)) continue;
      CU_ASSERT_EQUAL(ee_replay_seeds(table, every[k], &o, 1, &mean, &deviation), EE_OK);
      CU_ASSERT_EQUAL(mean.n, 10);
      ee_replay_clear(&mean);
      ee_replay_clear(&deviation);
    }
    ee_exit_table_destroy(&table);
  }
}

static void a_policy_is_refused_what_the_table_lacks(void) {
  for (int k = 0; k < N_POLICIES; k++) {
    ee_policy_setting setting = four_exits;
    ee_policy        *policy  = NULL;
    ee_exit_table    *table   = table_of(4);
    setting.table             = table;
    setting.lacks             = EE_NEEDS_PROBABILITY;
    CU_ASSERT_EQUAL(ee_policy_create(every[k], &setting, &policy),
                    needs_probabilities(k) ? EE_ERR_ARG : EE_OK);
    ee_policy_destroy(&policy);
    setting.lacks = EE_NEEDS_PROBABILITY | EE_NEEDS_CONFIDENCE;
    CU_ASSERT_EQUAL(ee_policy_create(every[k], &setting, &policy),
                    needs_nothing(k) ? EE_OK : EE_ERR_ARG);
    if (!needs_nothing(k)) CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "needs the "));
    ee_policy_destroy(&policy);
    ee_exit_table_destroy(&table);
  }
}

static void those_that_read_scores_are_refused_without_them(void) {
  ee_exit_table    *table   = table_of(4);
  ee_policy_setting setting = four_exits;
  setting.table             = table;
  setting.lacks             = EE_NEEDS_SCORE;
  for (int k = 0; k < N_POLICIES; k++) {
    ee_policy *policy = NULL;
    CU_ASSERT_EQUAL(ee_policy_create(every[k], &setting, &policy),
                    needs_scores(k) ? EE_ERR_ARG : EE_OK);
    if (needs_scores(k))
      CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), " needs learned scores"));
    ee_policy_destroy(&policy);
  }
  CU_ASSERT_EQUAL(ee_exit_table_lacks(table), EE_NEEDS_PROBABILITY | EE_NEEDS_SCORE);
  ee_exit_table_destroy(&table);
}

static ee_decision scored(const char *text, int exit, float score) {
  ee_exit_view view   = {.exit = exit, .n_exits = 4, .n_classes = 3, .score = score};
  ee_policy   *policy = make(text, &four_exits);
  ee_decision  result = policy->ops->decide(policy->self, &view, NULL);
  ee_policy_destroy(&policy);
  return result;
}

static void eenet_leaves_strictly_above_the_value(void) {
  CU_ASSERT_EQUAL(scored("eenet:value=0.7", 0, 0.7f), EE_GO_ON);
  CU_ASSERT_EQUAL(scored("eenet:value=0.7", 2, nextafterf(0.7f, 1.0f)), EE_LEAVE);
  CU_ASSERT_EQUAL(scored("eenet:value=0", 0, 0.0f), EE_GO_ON);
  CU_ASSERT_EQUAL(scored("eenet:value=0", 0, 1e-30f), EE_LEAVE);
  CU_ASSERT_EQUAL(scored("eenet:value=1", 0, 1.0f), EE_GO_ON);
  CU_ASSERT_EQUAL(scored("eenet:value=0", 0, NAN), EE_GO_ON);  // an exit without a score
  CU_ASSERT_EQUAL(scored("eenet:values=0.5/1/0.25", 1, 0.9f), EE_GO_ON);
  CU_ASSERT_EQUAL(scored("eenet:values=0.5/1/0.25", 2, 0.3f), EE_LEAVE);
}

static void threshold_leaves_from_the_value_on(void) {
  float below = nextafterf(0.8f, 0.0f);
  CU_ASSERT_EQUAL(decision("threshold:value=0.8", 0, 0.8f, 0.1f, 0.1f), EE_LEAVE);
  CU_ASSERT_EQUAL(decision("threshold:value=0.8", 2, below, 0.1f, 0.1f), EE_GO_ON);
  CU_ASSERT_EQUAL(decision("threshold:value=1", 0, 1.0f, 0, 0), EE_LEAVE);
  CU_ASSERT_EQUAL(decision("threshold:value=0", 0, 0.4f, 0.3f, 0.3f), EE_LEAVE);
  CU_ASSERT_EQUAL(decision("threshold:value=0", 0, NAN, NAN, NAN), EE_GO_ON);
  CU_ASSERT_EQUAL(decision("threshold:values=1/2/1", 0, 1.0f, 0, 0), EE_LEAVE);
  CU_ASSERT_EQUAL(decision("threshold:values=1/2/1", 1, 1.0f, 0, 0), EE_GO_ON);
}

static void each_early_exit_has_its_own_value(void) {
  const char *text = "threshold:values=0.9/0.8/0.7";
  CU_ASSERT_EQUAL(decision(text, 0, 0.85f, 0.1f, 0.05f), EE_GO_ON);
  CU_ASSERT_EQUAL(decision(text, 1, 0.85f, 0.1f, 0.05f), EE_LEAVE);
  CU_ASSERT_EQUAL(decision(text, 1, 0.75f, 0.2f, 0.05f), EE_GO_ON);
  CU_ASSERT_EQUAL(decision(text, 2, 0.75f, 0.2f, 0.05f), EE_LEAVE);
}

static void margin_leaves_from_the_value_on(void) {
  CU_ASSERT_EQUAL(decision("margin:value=0.25", 0, 0.5f, 0.25f, 0.25f), EE_LEAVE);
  CU_ASSERT_EQUAL(decision("margin:value=0.2501", 0, 0.5f, 0.25f, 0.25f), EE_GO_ON);
  CU_ASSERT_EQUAL(decision("margin:values=1/0.1/1", 1, 0.5f, 0.25f, 0.25f), EE_LEAVE);
  CU_ASSERT_EQUAL(decision("margin:value=0", 0, NAN, NAN, NAN), EE_GO_ON);
}

/* (1/2, 1/2, 0) has entropy ln 2 = 0.6931 nat, or 0.6309 of ln 3. */
static void entropy_leaves_strictly_below_the_value(void) {
  CU_ASSERT_EQUAL(decision("entropy:value=0.6932", 0, 0.5f, 0.5f, 0), EE_LEAVE);
  CU_ASSERT_EQUAL(decision("entropy:value=0.6931", 0, 0.5f, 0.5f, 0), EE_GO_ON);
  CU_ASSERT_EQUAL(decision("entropy:value=0.631,normalised=1", 0, 0.5f, 0.5f, 0), EE_LEAVE);
  CU_ASSERT_EQUAL(decision("entropy:normalised=1,value=0.630", 0, 0.5f, 0.5f, 0), EE_GO_ON);
  CU_ASSERT_EQUAL(decision("entropy:value=0.6932,normalised=0", 0, 0.5f, 0.5f, 0), EE_LEAVE);
  CU_ASSERT_EQUAL(decision("entropy:value=0", 0, 1, 0, 0), EE_GO_ON);  // 0 is not below 0
  CU_ASSERT_EQUAL(decision("entropy:value=100", 0, 0.4f, 0.3f, 0.3f), EE_LEAVE);
}

static void with_final_nobody_leaves_early(void) {
  for (int e = 0; e < 3; e++) CU_ASSERT_EQUAL(decision("final", e, 1, 0, 0), EE_GO_ON);
}

/* A policy, and what is said of it. */
static const char *const wrong[][2] = {
    {"threshold:value=1.5", "'1.5', expected a number from 0 to 1"},
    {"threshold:value=-0.1", "'-0.1', expected a number from 0 to 1"},
    {"threshold:value=nan", "'nan', expected a number"},
    {"threshold:value=inf", "'inf', expected a number"},
    {"threshold:value=0.5x", "'0.5x', expected a number"},
    {"threshold:value= 0.5", "' 0.5', expected a number"},
    {"threshold:value=", "'value' has no value"},
    {"threshold:value", "'value' has no value"},
    {"threshold", "no limit is given"},
    {"threshold:", "no limit is given"},
    {"threshold:value=0.5/0.6", "2 values, expected 1"},
    {"threshold:values=0.9/0.8", "2 values, expected 3"},
    {"threshold:values=0.9/0.8/0.7/0.6", "4 values, expected 3"},
    {"threshold:values=0.9//0.7", "'', expected a number"},
    {"threshold:values=0.9/0.8/", "'', expected a number"},
    {"threshold:value=0.5,values=1/1/1", "both value and values"},
    {"threshold:value=0.5,value=0.6", "'value' is given twice"},
    {"threshold:valu=0.5", "no key 'valu'"},
    {"threshold:value=0.5,,", "no key ''"},
    {"threshold:=0.5", "no key ''"},
    {"margin:value=2", "'2', expected a number from 0 to 1"},
    {"entropy:value=-1", "'-1', expected a number from 0"},
    {"entropy:value=inf", "'inf', expected a number from 0"},
    {"entropy:value=1,normalised=2", "'2', expected 0 or 1"},
    {"entropy:value=1,normalised=", "'normalised' has no value"},
    {"final:value=1", "no key 'value'"},
    {"thresholds:value=1",
     "no policy 'thresholds'; there are: threshold, entropy, margin, final, patience"},
    {"threshold:values=0.5/2.1/1", "'2.1', expected a number from 0 to 2"},
    {"patience:value=0", "'0', expected a number from 1"},
    {"patience:value=1.5", "1.5, expected a whole number"},
    {"beem", "value has 0 values"},
    {"beem:value=1,weights=1/2", "weights has 2 values, expected 3"},
    {"beem:value=1,offload=0.2", "no key 'offload'"},  // nobody is offloaded
    {"uee-ucb:offload=0.2", "no key 'offload'"},
    {"budgeted:budget=0.5", "needs an exit table"},
    {"budgeted", "neither budget nor step is given, expected budget=X or step=N"},
    {"budgeted:step=1,budget=0.5", "both budget and step are given"},
    {"splitee:rule=ucb2", "rule is 'ucb2', expected one of ucb1, ucbv, ucb-tuned"},
    {"splitee:released=1", "no key 'released'"},
    {"splitee:arm=4", "'4', expected a number from 0 to 3"},
    {"splitee:arms=2,arm=2", "'2', expected a number from 0 to 1"},
    {"splitee-s:released=1", "only a table knows"},
    {"splitee:lambda=9", "'9', expected a number from 0 to 8"},
    {"adaee:arms=3,thresholds=0/1", "both arms and thresholds"},
    {"adaee:arms=1", "'1', expected a number from 2"},
    {"adaee:thresholds=0/1.5", "'1.5', expected a number from 0 to 1"},
    {"ceebert:exits=1/1", "rising whole numbers from 0 to 2"},
    {"ceebert:exits=3", "expected a number from 0 to 2"},
    {"ceebert:grid=0.1/0.2/0.3/0.4/0.5/0.6/0.7/0.8/0.9/0.91/0.92/0.93/0.94/0.95/0.96/0.97/0.98",
     "17 thresholds for each of 3 exits"},
    {"uee-ucb:alpha=-1", "'-1', expected a number from 0"},
    {"eenet", "no limit is given"},
    {"eenet:value=1.5", "'1.5', expected a number from 0 to 1"},
    {"offload", "value has 0 values"},
    {"offload:value=0.5,exits=4", "'4', expected a number from 1 to 3"},
    {"offload:value=0.5,exits=0", "'0', expected a number from 1 to 3"},
    {"thresh", "no policy 'thresh'"},
    {"", "no policy ''"},
    {":value=1", "no policy ''"},
};

static void wrong_arguments_are_refused_with_value_and_range(void) {
  for (size_t k = 0; k < sizeof wrong / sizeof wrong[0]; k++) {
    ee_policy *policy = NULL;
    CU_ASSERT_EQUAL(ee_policy_create(wrong[k][0], &four_exits, &policy), EE_ERR_USAGE);
    CU_ASSERT_PTR_NULL(policy);
    CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), wrong[k][1]));
  }
  const ee_policy_setting none = {.n_exits = 0, .n_classes = 3};
  ee_policy              *policy;
  CU_ASSERT_EQUAL(ee_policy_create("final", &none, &policy), EE_ERR_ARG);
}

static void a_model_of_one_exit_takes_one_value_for_no_early_exit(void) {
  const ee_policy_setting one    = {.n_exits = 1, .n_classes = 3};
  ee_policy              *policy = make("threshold:value=0.5", &one);
  ee_policy_destroy(&policy);
  CU_ASSERT_EQUAL(ee_policy_create("threshold:values=0.5", &one, &policy), EE_ERR_USAGE);
}

/* ---- real networks: an exit table of confidences, replayed ---- */

typedef struct replay {
  int    exit_sum, answered;
  double right;
} replay;

/* Take exit @p exit of a sample into the replay; true if the sample is answered there. */
static bool offer(const ee_policy *policy, int n_exits, int exit, double confidence, bool right,
                  replay *sum) {
  ee_exit_view view = {
      .exit = exit, .n_exits = n_exits, .n_classes = 2, .confidence = (float)confidence};
  if (exit < n_exits - 1 && policy->ops->decide(policy->self, &view, NULL) != EE_LEAVE)
    return false;
  sum->exit_sum += exit + 1;
  sum->answered++;
  sum->right += right;
  return true;
}

/* BERT with an exit after each of 12 layers on 872 sentences: share right, layers run. */
static void replay_bert(const char *path, const char *text, double accuracy, double layers) {
  const ee_policy_setting setting = {.n_exits = 12, .n_classes = 2};
  ee_policy              *policy  = make(text, &setting);
  FILE                   *file    = fopen(path, "r");
  replay                  sum     = {0};
  int                     sample, exit, prediction, label, answered = -1;
  double                  confidence;

  CU_ASSERT_PTR_NOT_NULL_FATAL(file);
  CU_ASSERT_EQUAL(fscanf(file, "%*[^\n]"), 0);  // the header
  while (fscanf(file, "%d,%d,%lf,%d,%d", &sample, &exit, &confidence, &prediction, &label) == 5) {
    if (sample == answered) continue;
    if (offer(policy, 12, exit, confidence, prediction == label, &sum)) answered = sample;
  }
  fclose(file);
  ee_policy_destroy(&policy);
  CU_ASSERT_EQUAL(sum.answered, 872);
  CU_ASSERT_DOUBLE_EQUAL(sum.right / 872, accuracy, 1e-5);
  CU_ASSERT_DOUBLE_EQUAL(sum.exit_sum / 872.0, layers, 1e-4);
}

/* Reference values: the same cascade computed outside this project from the same table. */
static void a_cascade_over_real_exits_has_the_known_accuracy_and_depth(void) {
  const char *path = ee_test_data("exit-tables/bert12_exits_df.csv");
  if (path == NULL) return;
  replay_bert(path, "threshold:value=0.7", 0.86697, 3.3062);
  replay_bert(path, "threshold:value=0.8", 0.87959, 4.7030);
  replay_bert(path, "threshold:value=0.9", 0.89450, 7.0126);
  replay_bert(path, "threshold:value=0.95", 0.89908, 9.0000);
  replay_bert(path, "final", 0.90252, 12);
}

const ee_fact ee_facts[] = {
    EE_FACT(every_policy_says_what_it_is_and_is_made_by_its_name),
    EE_FACT(every_policy_lives_with_one_exit_and_a_dead_one),
    EE_FACT(a_policy_is_refused_what_the_table_lacks),
    EE_FACT(those_that_read_scores_are_refused_without_them),
    EE_FACT(eenet_leaves_strictly_above_the_value),
    EE_FACT(threshold_leaves_from_the_value_on),
    EE_FACT(each_early_exit_has_its_own_value),
    EE_FACT(margin_leaves_from_the_value_on),
    EE_FACT(entropy_leaves_strictly_below_the_value),
    EE_FACT(with_final_nobody_leaves_early),
    EE_FACT(wrong_arguments_are_refused_with_value_and_range),
    EE_FACT(a_model_of_one_exit_takes_one_value_for_no_early_exit),
    EE_FACT(a_cascade_over_real_exits_has_the_known_accuracy_and_depth),
    {NULL, NULL},
};
