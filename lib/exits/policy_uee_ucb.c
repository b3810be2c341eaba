/* SPDX-License-Identifier: Apache-2.0 */
/* Learn the best exit from predictions alone: UEE-UCB (Unsupervised Early Exit in DNNs with
 * Multiple Exits, 2022).
 *
 * Disagreement with the first exit stands in for error.  With d_j the share of samples that met
 * exit j and were answered otherwise than by exit 0, n_j the number of these samples, R rounds and
 * cost_j until exit j, play the last exit in the first round and then
 *
 *   argmax_j  d_j + cost_0 - cost_j + sqrt(alpha ln(R + 1) / n_j),
 *
 * the lowest among equals.  A sample that leaves at exit a teaches all exits up to a. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "policy_arguments.h"
#include "policy_keys.h"

typedef struct uee_policy {
  double alpha;
  int    n_exits;
  double cost[];  // shape [n_exits]
} uee_policy;

typedef struct uee_state {
  int32_t arm, first;  // first: prediction of exit 0
} uee_state;

// A memory of doubles: rounds, best arm, then for each exit how often met and how often unlike.
enum { ROUNDS, BEST, HEAD };

static ee_status read_keys(const char *text, const ee_policy_setting *setting, uee_policy *policy) {
  static const char *const known[] = {"alpha", "lambda", NULL};
  ee_policy_costs          costs;
  policy->alpha = 1.0;
  EE_TRY(ee_arguments_check("uee-ucb", text, known));
  EE_TRY(ee_key_number("uee-ucb", text, "alpha", 0.0, 100.0, &policy->alpha));
  EE_TRY(ee_key_costs("uee-ucb", text, setting, &costs));
  for (int e = 0; e < policy->n_exits; e++) policy->cost[e] = ee_cost_until(&costs, e);
  return EE_OK;
}

static ee_status create(const char *arguments, const ee_policy_setting *setting, void **self) {
  uee_policy *policy = calloc(1, sizeof *policy + (size_t)setting->n_exits * sizeof(double));
  if (policy == NULL) return EE_FAIL(EE_ERR_NOMEM, "for policy uee-ucb");
  policy->n_exits  = setting->n_exits;
  ee_status status = read_keys(arguments, setting, policy);
  if (status != EE_OK) {
    free(policy);
    return status;
  }
  *self = policy;
  return EE_OK;
}

static ee_decision decide(const void *self, const ee_exit_view *view, void *state) {
  const uee_policy *policy = self;
  const double     *m      = view->memory;
  uee_state         s;
  memcpy(&s, state, sizeof s);
  if (view->exit == 0) {
    s.arm   = m == NULL || m[ROUNDS] == 0.0 ? policy->n_exits - 1 : (int)m[BEST];
    s.first = view->prediction;
    memcpy(state, &s, sizeof s);
  }
  return view->exit == s.arm ? EE_LEAVE : EE_GO_ON;
}

static size_t learned(const void *self) {
  return 1 + 2 * (size_t)((const uee_policy *)self)->n_exits;
}

static size_t memory_bytes(const void *self) {
  return (HEAD + 2 * (size_t)((const uee_policy *)self)->n_exits) * sizeof(double);
}

static void learn(const void *self, const ee_exit_view *view, ee_decision decision,
                  const void *state, int64_t *sums) {
  uee_state s;
  (void)self;
  (void)decision;
  memcpy(&s, state, sizeof s);
  if (view->exit == 0) {
    sums[0]++;
    s.first = view->prediction;  // a model of one exit never asks
  }
  sums[1 + 2 * view->exit]++;
  sums[2 + 2 * view->exit] += view->prediction != s.first;
}

static double index_of(const uee_policy *policy, const double *m, int j) {
  double met = m[HEAD + 2 * j], unlike = m[HEAD + 2 * j + 1];
  return unlike / met + policy->cost[0] - policy->cost[j] +
         sqrt(policy->alpha * log(m[ROUNDS] + 1.0) / met);
}

static void epoch(const void *self, const int64_t *sums, void *memory) {
  const uee_policy *policy = self;
  double           *m = memory, best = -INFINITY;
  m[ROUNDS] += (double)sums[0];
  for (int k = 0; k < 2 * policy->n_exits; k++) m[HEAD + k] += (double)sums[1 + k];
  for (int j = 0; j < policy->n_exits; j++) {
    double index = index_of(policy, m, j);
    if (index > best) {
      best    = index;
      m[BEST] = j;
    }
  }
}

static int count(const void *self) {
  return ((const uee_policy *)self)->n_exits;
}

static int chosen(const void *self, const void *state) {
  uee_state s;
  (void)self;
  memcpy(&s, state, sizeof s);
  return s.arm;
}

/* What is to be kept low is cost plus error. */
static double value(const void *self, int arm, const ee_exit_view *path, int label) {
  if (label < 0) return NAN;
  return -((const uee_policy *)self)->cost[arm] - (path[arm].prediction != label);
}

static const ee_policy_learning learning = {learned, memory_bytes, learn, epoch};
static const ee_policy_arms     arms     = {count, chosen, NULL, value};

const ee_policy_ops ee_policy_uee_ucb = {
    .name = "uee-ucb",
    .help =
        "learn the best exit without labels or confidences, from disagreement\n"
        "alpha=X        width of the index; default 1\n" EE_LAYER_COST_HELP,
    .state_bytes = sizeof(uee_state),
    .create      = create,
    .decide      = decide,
    .learning    = &learning,
    .arms        = &arms,
    .destroy     = free,
};
