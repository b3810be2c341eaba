/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of a replay, one array after the other in one block, and their spread over seeds. */
#include "replay_result.h"

#include <math.h>
#include <stdlib.h>

const char *ee_figure_name(ee_figure figure) {
  static const char *const name[] = {
#define X(key, text) text,
      EE_FIGURE_LIST(X)
#undef X
  };
  return name[figure];
}

ee_status ee_replay_result_make(int64_t n, int n_exits, int n_arms, int steps,
                                ee_replay_result *result) {
  size_t  exits = (size_t)n_exits, arms = (size_t)n_arms, points = (size_t)steps;
  size_t  numbers = EE_FIGURE_COUNT + 2 * exits + 2 * arms + points + points * arms;
  double *block   = calloc(numbers, sizeof *block);
  *result         = (ee_replay_result){0};
  if (block == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %zu results of a replay", numbers);
  *result               = (ee_replay_result){.n         = n,
                                             .n_exits   = n_exits,
                                             .n_arms    = n_arms,
                                             .steps     = steps,
                                             .feasible  = true,
                                             .n_numbers = numbers};
  result->figure        = block;
  result->exit_share    = block + EE_FIGURE_COUNT;
  result->exit_accuracy = result->exit_share + exits;
  result->arm_share     = result->exit_accuracy + exits;
  result->arm_value     = result->arm_share + arms;
  result->regret        = result->arm_value + arms;
  result->pulls         = result->regret + points;
  return EE_OK;
}

void ee_replay_clear(ee_replay_result *result) {
  free(result->figure);
  *result = (ee_replay_result){0};
}

/* Take run @p k, from 1, into mean and sum of squared deviations (Welford, 1962). */
static ee_status take_run(int k, const ee_replay_result *run, ee_replay_result *mean,
                          ee_replay_result *deviation) {
  if (k == 1) {
    EE_TRY(ee_replay_result_make(run->n, run->n_exits, run->n_arms, run->steps, mean));
    EE_TRY(ee_replay_result_make(run->n, run->n_exits, run->n_arms, run->steps, deviation));
  }
  mean->feasible = mean->feasible && run->feasible;
  for (size_t i = 0; i < run->n_numbers; i++) {
    double off = run->figure[i] - mean->figure[i];
    mean->figure[i] += off / k;
    deviation->figure[i] += off * (run->figure[i] - mean->figure[i]);
  }
  return EE_OK;
}

static ee_status one_seed(const ee_exit_table *table, const char *text,
                          const ee_replay_options *options, ee_replay_result *run) {
  ee_policy_costs   costs;
  ee_policy_setting setting = ee_replay_setting(table, options, &costs);
  ee_policy        *policy  = NULL;
  EE_TRY(ee_policy_create(text, &setting, &policy));
  ee_status status = ee_replay(table, policy, options, run);
  ee_policy_destroy(&policy);
  return status;
}

static ee_status all_seeds(const ee_exit_table *table, const char *text,
                           const ee_replay_options *options, int n_seeds, ee_replay_result *mean,
                           ee_replay_result *deviation) {
  ee_replay_options o = *options;
  for (int k = 1; k <= n_seeds; k++, o.seed++) {
    ee_replay_result run;
    EE_TRY(one_seed(table, text, &o, &run));
    ee_status status = take_run(k, &run, mean, deviation);
    ee_replay_clear(&run);
    if (status != EE_OK) return status;
  }
  for (size_t i = 0; i < deviation->n_numbers && n_seeds > 1; i++)
    deviation->figure[i] = sqrt(deviation->figure[i] / (n_seeds - 1));
  return EE_OK;
}

ee_status ee_replay_seeds(const ee_exit_table *table, const char *text,
                          const ee_replay_options *options, int n_seeds, ee_replay_result *mean,
                          ee_replay_result *deviation) {
  *mean      = (ee_replay_result){0};
  *deviation = (ee_replay_result){0};
  if (n_seeds < 1) return EE_FAIL(EE_ERR_ARG, "%d seeds, expected at least 1", n_seeds);
  ee_status status = all_seeds(table, text, options, n_seeds, mean, deviation);
  if (status != EE_OK) {
    ee_replay_clear(mean);
    ee_replay_clear(deviation);
  }
  return status;
}
