/* SPDX-License-Identifier: Apache-2.0 */
/* Splitting exits as arms of a bandit. */
#include "split.h"

#include <stdlib.h>
#include <string.h>

#include "policy_arguments.h"
#include "policy_keys.h"

#define LEARNED (-1)        // no arm is fixed
#define MOST_SIDE_EXITS 64  // bits of a state

static ee_status read_keys(const ee_split_kind *kind, const char *text,
                           const ee_policy_setting *setting, ee_split *split) {
  static const char *const keys[] = {"alpha",        "arms",     "arm", EE_COST_KEYS,
                                     EE_BANDIT_KEYS, "released", NULL};
  static const char *const less[] = {"alpha", "arms", "arm", EE_COST_KEYS, EE_BANDIT_KEYS, NULL};
  double                   alpha  = kind->alpha;
  int                      n_arms = split->n_exits;
  ee_policy_costs          costs;
  EE_TRY(ee_arguments_check(kind->name, text, kind->side ? keys : less));
  EE_TRY(ee_key_number(kind->name, text, "alpha", 0.0, 1.0, &alpha));
  EE_TRY(ee_key_integer(kind->name, text, "arms", 1, split->n_exits, &n_arms));
  split->fixed = LEARNED;
  EE_TRY(ee_key_integer(kind->name, text, "arm", 0, n_arms - 1, &split->fixed));
  EE_TRY(ee_key_costs(kind->name, text, setting, &costs));
  EE_TRY(ee_arguments_flag(kind->name, text, "released", &split->released));
  split->alpha   = (float)alpha;
  split->offload = costs.offload;
  for (int e = 0; e < split->n_exits; e++) split->cost[e] = ee_cost_until(&costs, e);
  return ee_bandit_read(kind->name, text, setting, n_arms, &split->bandit);
}

static ee_status check_side(const ee_split_kind *kind, const ee_policy_setting *setting,
                            const ee_split *split) {
  if (split->side && split->n_exits > MOST_SIDE_EXITS) {
    return EE_FAIL(EE_ERR_ARG, "policy %s learns from up to %d exits, there are %d", kind->name,
                   MOST_SIDE_EXITS, split->n_exits);
  }
  if (split->released && !setting->hindsight) {
    return EE_FAIL(EE_ERR_USAGE,
                   "policy %s: released=1 uses the last exit of samples that never "
                   "reached it, which only a table knows",
                   kind->name);
  }
  return EE_OK;
}

ee_status ee_split_create(const ee_split_kind *kind, const char *arguments,
                          const ee_policy_setting *setting, void **self) {
  ee_split *split = calloc(1, sizeof *split + (size_t)setting->n_exits * sizeof(double));
  if (split == NULL) return EE_FAIL(EE_ERR_NOMEM, "for policy %s", kind->name);
  split->n_exits   = setting->n_exits;
  split->side      = kind->side;
  ee_status status = read_keys(kind, arguments, setting, split);
  if (status == EE_OK) status = check_side(kind, setting, split);
  if (status != EE_OK) {
    free(split);
    return status;
  }
  *self = split;
  return EE_OK;
}

static int arm_of(const ee_split *split, const ee_exit_view *view) {
  if (split->fixed != LEARNED) return split->fixed;
  return ee_bandit_arm(&split->bandit, view->memory, view->id);
}

ee_decision ee_split_decide(const void *self, const ee_exit_view *view, void *state) {
  const ee_split *split = self;
  ee_split_state  s;
  memcpy(&s, state, sizeof s);
  if (view->exit == 0) s.arm = arm_of(split, view);
  if (view->exit > s.arm) return EE_SKIP;  // a device on the way to the last exit

  bool        sure     = view->confidence >= split->alpha;
  ee_decision decision = split->side ? EE_GO_ON : EE_SKIP;
  if (view->exit == s.arm) {
    s.offloaded = !sure;
    decision    = sure ? EE_LEAVE : EE_OFFLOAD;
  } else if (split->side && !sure) {
    s.below |= (uint64_t)1 << view->exit;
  }
  memcpy(state, &s, sizeof s);
  return decision;
}

/* Exits that were not confident would have offloaded, and earned the last exit's confidence. */
static void learn_below(const ee_split *split, uint64_t below, double offloaded, int64_t *sums) {
  for (int b = 0; below != 0; b++, below >>= 1) {
    if (below & 1) ee_bandit_reward(b, offloaded - split->cost[b], sums);
  }
}

static double reward_of(const ee_split *split, const ee_exit_view *view, const ee_split_state *s) {
  double offload = s->offloaded ? ee_offload_cost(view, split->offload) : 0.0;
  return view->confidence - offload - split->cost[s->arm];
}

static void learn_answer(const ee_split *split, const ee_exit_view *view, const ee_split_state *s,
                         int64_t *sums) {
  double last = split->released ? view->last_confidence : view->confidence;
  ee_bandit_round(sums);
  ee_bandit_reward(s->arm, reward_of(split, view, s), sums);
  if (split->side) learn_below(split, s->below, last - ee_offload_cost(view, split->offload), sums);
}

static void learn(const void *self, const ee_exit_view *view, ee_decision decision,
                  const void *state, int64_t *sums) {
  const ee_split *split = self;
  ee_split_state  s;
  memcpy(&s, state, sizeof s);
  if (decision == EE_LEAVE) {
    learn_answer(split, view, &s, sums);
  } else if (decision == EE_GO_ON && !(s.below >> view->exit & 1)) {
    ee_bandit_reward(view->exit, view->confidence - split->cost[view->exit], sums);
  }
}

static size_t learned(const void *self) {
  return ee_bandit_learned(&((const ee_split *)self)->bandit);
}

static size_t memory_bytes(const void *self) {
  return ee_bandit_memory_bytes(&((const ee_split *)self)->bandit);
}

static void epoch(const void *self, const int64_t *sums, void *memory) {
  ee_bandit_epoch(&((const ee_split *)self)->bandit, sums, memory);
}

const ee_policy_learning ee_split_learning = {learned, memory_bytes, learn, epoch};

static int count(const void *self) {
  return ((const ee_split *)self)->bandit.n_arms;
}

static int chosen(const void *self, const void *state) {
  ee_split_state s;
  (void)self;
  memcpy(&s, state, sizeof s);
  return s.arm;
}

static double reward(const void *self, const ee_exit_view *view, const void *state) {
  ee_split_state s;
  memcpy(&s, state, sizeof s);
  return reward_of(self, view, &s);
}

static double value(const void *self, int arm, const ee_exit_view *path, int label) {
  const ee_split *split = self;
  int             last  = split->n_exits - 1;
  float           sure  = path[arm].confidence;
  (void)label;
  if (arm == last || sure >= split->alpha) return sure - split->cost[arm];
  return path[last].confidence - ee_offload_cost(&path[last], split->offload) - split->cost[arm];
}

const ee_policy_arms ee_split_arms = {count, chosen, reward, value};
