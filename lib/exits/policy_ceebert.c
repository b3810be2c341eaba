/* SPDX-License-Identifier: Apache-2.0 */
/* Learn the thresholds of several exits together: CeeBERT (arXiv 2405.15039).
 *
 * An arm is a vector of thresholds, one from the grid for each exit in use, e_1 < e_2 < ...; the
 * sample leaves at the first e_j with C >= tau_j, else at the last exit.  With o_j the cost of
 * going on behind e_j, leaving at e_1 earns 0, at e_k  C_k - C_1 - (o_1 + ... + o_(k-1)), at the
 * last exit  C_L - C_1 - (o_1 + ... ).  With one exit in use this is AdaEE that runs on. */
#include <stdlib.h>
#include <string.h>

#include "bandit.h"
#include "policy_arguments.h"
#include "policy_keys.h"

#define MOST_GRID 64

typedef struct ceebert_policy {
  ee_bandit bandit;
  int       n_exits, n_used, n_grid;
  float     grid[MOST_GRID];
  int      *used;  // shape [n_used], exits in use
  double   *paid;  // shape [n_used + 1], o_1 + ... until each exit in use, and until the last exit
} ceebert_policy;

typedef struct ceebert_state {
  int32_t arm;
  int32_t used;   // exits in use that were passed
  float   first;  // confidence of e_1
} ceebert_state;

static void destroy(void *self) {
  ceebert_policy *policy = self;
  free(policy->used);
  free(policy->paid);
  free(policy);
}

static ee_status read_grid(const char *text, ceebert_policy *policy) {
  double number[MOST_GRID] = {0.5, 0.6, 0.7, 0.8, 0.9, 1.0};
  policy->n_grid           = 6;
  if (ee_arguments_have(text, "grid")) {
    policy->n_grid = ee_arguments_count(text, "grid");
    if (policy->n_grid > MOST_GRID) {
      return EE_FAIL(EE_ERR_USAGE, "policy ceebert: grid has %d values, expected up to %d",
                     policy->n_grid, MOST_GRID);
    }
    EE_TRY(ee_arguments_numbers("ceebert", text, "grid", 0.0, 1.0, policy->n_grid, number));
  }
  for (int k = 0; k < policy->n_grid; k++) policy->grid[k] = (float)number[k];
  return EE_OK;
}

/* Exits in use: those given, else all early ones. */
static ee_status read_exits(const char *text, ceebert_policy *policy) {
  int  early = policy->n_exits - 1, n = ee_arguments_count(text, "exits");
  bool given     = n > 0;
  policy->n_used = given ? n : early;
  policy->used   = calloc((size_t)policy->n_used + 1, sizeof *policy->used);
  policy->paid   = calloc((size_t)policy->n_used + 1, sizeof *policy->paid);
  if (policy->used == NULL || policy->paid == NULL) return EE_FAIL(EE_ERR_NOMEM, "for ceebert");
  for (int k = 0; k < policy->n_used; k++) policy->used[k] = k;
  if (!given) return EE_OK;
  for (int k = 0; k < n; k++) policy->paid[k] = 0.0;
  EE_TRY(ee_arguments_numbers("ceebert", text, "exits", 0.0, early - 1, n, policy->paid));
  for (int k = 0; k < n; k++) {
    policy->used[k] = (int)policy->paid[k];
    if (policy->used[k] != policy->paid[k] || (k > 0 && policy->used[k] <= policy->used[k - 1])) {
      return EE_FAIL(EE_ERR_USAGE,
                     "policy ceebert: exits must be rising whole numbers from 0 to %d", early - 1);
    }
  }
  return EE_OK;
}

static ee_status read_costs(const char *text, const ee_policy_setting *setting,
                            ceebert_policy *policy) {
  ee_policy_costs costs;
  double          sum = 0.0;
  int             n   = policy->n_used;
  EE_TRY(ee_key_costs("ceebert", text, setting, &costs));
  for (int k = 0; k < n; k++) {
    int next        = k + 1 < n ? policy->used[k + 1] : policy->n_exits - 1;
    policy->paid[k] = ee_cost_until(&costs, next) - ee_cost_until(&costs, policy->used[k]);
  }
  if (ee_arguments_have(text, "costs"))
    EE_TRY(ee_arguments_numbers("ceebert", text, "costs", 0.0, EE_COST_MAX, n, policy->paid));
  for (int k = 0; k <= n; k++) {
    double step     = policy->paid[k];
    policy->paid[k] = sum;
    sum += step;
  }
  return EE_OK;
}

static ee_status read_all(const char *text, const ee_policy_setting *setting,
                          ceebert_policy *policy) {
  static const char *const known[] = {"grid", "exits", "costs", "lambda", EE_BANDIT_KEYS, NULL};
  int64_t                  n_arms  = 1;
  EE_TRY(ee_arguments_check("ceebert", text, known));
  EE_TRY(read_grid(text, policy));
  EE_TRY(read_exits(text, policy));
  EE_TRY(read_costs(text, setting, policy));
  for (int k = 0; k < policy->n_used && n_arms <= EE_BANDIT_MAX_ARMS; k++) n_arms *= policy->n_grid;
  if (n_arms > EE_BANDIT_MAX_ARMS) {
    return EE_FAIL(EE_ERR_USAGE,
                   "policy ceebert: %d thresholds for each of %d exits are more than "
                   "%d arms; choose exits=E/E/... or a smaller grid=T/T/...",
                   policy->n_grid, policy->n_used, EE_BANDIT_MAX_ARMS);
  }
  return ee_bandit_read("ceebert", text, setting, (int)n_arms, &policy->bandit);
}

static ee_status create(const char *arguments, const ee_policy_setting *setting, void **self) {
  ceebert_policy *policy = calloc(1, sizeof *policy);
  if (policy == NULL) return EE_FAIL(EE_ERR_NOMEM, "for policy ceebert");
  policy->n_exits  = setting->n_exits;
  ee_status status = read_all(arguments, setting, policy);
  if (status != EE_OK) {
    destroy(policy);
    return status;
  }
  *self = policy;
  return EE_OK;
}

/* Threshold of the @p k-th exit in use: the first exit's is the digit that changes fastest. */
static float threshold_of(const ceebert_policy *policy, int arm, int k) {
  for (; k > 0; k--) arm /= policy->n_grid;
  return policy->grid[arm % policy->n_grid];
}

static ee_decision decide(const void *self, const ee_exit_view *view, void *state) {
  const ceebert_policy *policy = self;
  ceebert_state         s;
  memcpy(&s, state, sizeof s);
  ee_decision decision = EE_SKIP;
  if (view->exit == 0) s.arm = ee_bandit_arm(&policy->bandit, view->memory, view->id);
  if (s.used < policy->n_used && policy->used[s.used] == view->exit) {
    if (s.used == 0) s.first = view->confidence;
    bool sure = view->confidence >= threshold_of(policy, s.arm, s.used);
    decision  = sure ? EE_LEAVE : EE_GO_ON;
    s.used += !sure;
  }
  memcpy(state, &s, sizeof s);
  return decision;
}

/* @p used: exits in use that the sample passed. */
static double reward_of(const ceebert_policy *policy, int used, float first, float confidence) {
  if (used == 0) return 0.0;
  return (double)confidence - (double)first - policy->paid[used];
}

static void learn(const void *self, const ee_exit_view *view, ee_decision decision,
                  const void *state, int64_t *sums) {
  ceebert_state s;
  if (decision != EE_LEAVE) return;
  memcpy(&s, state, sizeof s);
  ee_bandit_round(sums);
  ee_bandit_reward(s.arm, reward_of(self, s.used, s.first, view->confidence), sums);
}

static size_t learned(const void *self) {
  return ee_bandit_learned(&((const ceebert_policy *)self)->bandit);
}

static size_t memory_bytes(const void *self) {
  return ee_bandit_memory_bytes(&((const ceebert_policy *)self)->bandit);
}

static void epoch(const void *self, const int64_t *sums, void *memory) {
  ee_bandit_epoch(&((const ceebert_policy *)self)->bandit, sums, memory);
}

static int count(const void *self) {
  return ((const ceebert_policy *)self)->bandit.n_arms;
}

static int chosen(const void *self, const void *state) {
  ceebert_state s;
  (void)self;
  memcpy(&s, state, sizeof s);
  return s.arm;
}

static double reward(const void *self, const ee_exit_view *view, const void *state) {
  ceebert_state s;
  memcpy(&s, state, sizeof s);
  return reward_of(self, s.used, s.first, view->confidence);
}

static double value(const void *self, int arm, const ee_exit_view *path, int label) {
  const ceebert_policy *policy = self;
  int                   k = 0, at = policy->n_exits - 1;
  (void)label;
  if (policy->n_used == 0) return 0.0;
  for (; k < policy->n_used; k++) {
    if (path[policy->used[k]].confidence >= threshold_of(policy, arm, k)) {
      at = policy->used[k];
      break;
    }
  }
  return reward_of(policy, k, path[policy->used[0]].confidence, path[at].confidence);
}

static const ee_policy_learning learning = {learned, memory_bytes, learn, epoch};
static const ee_policy_arms     arms     = {count, chosen, reward, value};

const ee_policy_ops ee_policy_ceebert = {
    .name = "ceebert",
    .help =
        "learn a threshold for each of several exits\n"
        "grid=T/T/...   thresholds to choose from; default 0.5/0.6/.../1\n"
        "exits=E/E/...  exits in use, from 0; default all early ones\n"
        "costs=O/O/...  of going on behind each; default layers times lambda\n"
        "lambda=X       cost of a layer; default --lambda\n" EE_BANDIT_HELP,
    .state_bytes = sizeof(ceebert_state),
    .needs       = EE_NEEDS_CONFIDENCE,
    .create      = create,
    .decide      = decide,
    .learning    = &learning,
    .arms        = &arms,
    .destroy     = destroy,
};
