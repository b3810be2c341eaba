/* SPDX-License-Identifier: Apache-2.0 */
/* Thresholds of the first exit as arms of a bandit. */
#include "adaptive.h"

#include <stdlib.h>
#include <string.h>

#include "policy_arguments.h"
#include "policy_keys.h"

#define ARMS 11

/* Number of thresholds that the keys ask for. */
static ee_status count_thresholds(const char *name, const char *text, int *n) {
  *n = ee_arguments_count(text, "thresholds");
  if (*n > 0 && ee_arguments_have(text, "arms")) {
    return EE_FAIL(EE_ERR_USAGE, "policy %s: both arms and thresholds are given, expected one",
                   name);
  }
  if (*n > 0) return EE_OK;
  *n = ARMS;
  return ee_key_integer(name, text, "arms", 2, EE_BANDIT_MAX_ARMS, n);
}

static ee_status read_thresholds(const char *name, const char *text, int n, float *threshold) {
  double *number = calloc((size_t)n, sizeof *number);
  if (number == NULL) return EE_FAIL(EE_ERR_NOMEM, "for policy %s", name);
  for (int k = 0; k < n; k++) number[k] = k / (n - 1.0);
  ee_status status = EE_OK;
  if (ee_arguments_have(text, "thresholds"))
    status = ee_arguments_numbers(name, text, "thresholds", 0.0, 1.0, n, number);
  for (int k = 0; k < n; k++) threshold[k] = (float)number[k];
  free(number);
  return status;
}

static ee_status make(const char *name, const char *text, const ee_policy_setting *setting, int n,
                      ee_adaptive *policy) {
  ee_policy_costs costs;
  EE_TRY(ee_key_costs(name, text, setting, &costs));
  EE_TRY(read_thresholds(name, text, n, policy->threshold));
  policy->offload = costs.offload;
  policy->n_exits = setting->n_exits;
  return ee_bandit_read(name, text, setting, n, &policy->bandit);
}

ee_status ee_adaptive_create(const char *name, bool clip, const char *arguments,
                             const ee_policy_setting *setting, void **self) {
  static const char *const known[] = {"arms", "thresholds", "offload", EE_BANDIT_KEYS, NULL};
  int                      n;
  EE_TRY(ee_arguments_check(name, arguments, known));
  EE_TRY(count_thresholds(name, arguments, &n));
  ee_adaptive *policy = calloc(1, sizeof *policy + (size_t)n * sizeof(float));
  if (policy == NULL) return EE_FAIL(EE_ERR_NOMEM, "for policy %s", name);
  policy->clip     = clip;
  ee_status status = make(name, arguments, setting, n, policy);
  if (status != EE_OK) {
    free(policy);
    return status;
  }
  *self = policy;
  return EE_OK;
}

ee_decision ee_adaptive_decide(const void *self, const ee_exit_view *view, void *state) {
  const ee_adaptive *policy = self;
  if (view->exit > 0) return EE_SKIP;  // a device on the way to the last exit
  ee_adaptive_state s = {.prediction = view->prediction, .confidence = view->confidence};
  s.arm               = ee_bandit_arm(&policy->bandit, view->memory, view->id);
  bool sure           = view->confidence >= policy->threshold[s.arm];
  s.offloaded         = !sure;
  memcpy(state, &s, sizeof s);
  return sure ? EE_LEAVE : EE_OFFLOAD;
}

/* If the last exit is the less confident one, it is below the threshold, too. */
int ee_adaptive_answer(const void *self, const ee_exit_view *view, const void *state) {
  ee_adaptive_state s;
  (void)self;
  memcpy(&s, state, sizeof s);
  return s.offloaded && s.confidence > view->confidence ? s.prediction : view->prediction;
}

/* @p last: the sample at the last exit. */
static double gain(const ee_adaptive *policy, float first, const ee_exit_view *last) {
  double more = (double)last->confidence - (double)first;
  if (policy->clip && more < 0.0) more = 0.0;
  return more - ee_offload_cost(last, policy->offload);
}

static double reward(const void *self, const ee_exit_view *view, const void *state) {
  ee_adaptive_state s;
  memcpy(&s, state, sizeof s);
  return s.offloaded ? gain(self, s.confidence, view) : 0.0;
}

static void learn(const void *self, const ee_exit_view *view, ee_decision decision,
                  const void *state, int64_t *sums) {
  ee_adaptive_state s;
  if (decision != EE_LEAVE) return;
  memcpy(&s, state, sizeof s);
  ee_bandit_round(sums);
  ee_bandit_reward(s.arm, reward(self, view, state), sums);
}

static size_t learned(const void *self) {
  return ee_bandit_learned(&((const ee_adaptive *)self)->bandit);
}

static size_t memory_bytes(const void *self) {
  return ee_bandit_memory_bytes(&((const ee_adaptive *)self)->bandit);
}

static void epoch(const void *self, const int64_t *sums, void *memory) {
  ee_bandit_epoch(&((const ee_adaptive *)self)->bandit, sums, memory);
}

const ee_policy_learning ee_adaptive_learning = {learned, memory_bytes, learn, epoch};

static int count(const void *self) {
  return ((const ee_adaptive *)self)->bandit.n_arms;
}

static int chosen(const void *self, const void *state) {
  ee_adaptive_state s;
  (void)self;
  memcpy(&s, state, sizeof s);
  return s.arm;
}

static double value(const void *self, int arm, const ee_exit_view *path, int label) {
  const ee_adaptive *policy = self;
  float              first  = path[0].confidence;
  (void)label;
  if (policy->n_exits == 1 || first >= policy->threshold[arm]) return 0.0;
  return gain(policy, first, &path[policy->n_exits - 1]);
}

const ee_policy_arms ee_adaptive_arms = {count, chosen, reward, value};
