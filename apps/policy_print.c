/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_print.h"

#include <math.h>
#include <stdio.h>

void ee_policy_add_number(cJSON *object, const char *name, double x) {
  if (isfinite(x)) {
    cJSON_AddNumberToObject(object, name, x);
  } else {
    cJSON_AddNullToObject(object, name);
  }
}

static void add_numbers(cJSON *list, const double *x, int n) {
  for (int i = 0; i < n; i++)
    cJSON_AddItemToArray(list, isfinite(x[i]) ? cJSON_CreateNumber(x[i]) : cJSON_CreateNull());
}

void ee_policy_add_numbers(cJSON *object, const char *name, const double *x, int n) {
  add_numbers(cJSON_AddArrayToObject(object, name), x, n);
}

static void add_result(cJSON *all, const ee_replay_result *r) {
  for (int f = 0; f < EE_FIGURE_COUNT; f++)
    ee_policy_add_number(all, ee_figure_name((ee_figure)f), r->figure[f]);
  ee_policy_add_numbers(all, "exit_share", r->exit_share, r->n_exits);
  ee_policy_add_numbers(all, "exit_accuracy", r->exit_accuracy, r->n_exits);
  if (r->n_arms == 0) return;
  ee_policy_add_numbers(all, "arm_share", r->arm_share, r->n_arms);
  ee_policy_add_numbers(all, "arm_value", r->arm_value, r->n_arms);
  ee_policy_add_numbers(all, "regret_over_time", r->regret, r->steps);
  cJSON *pulls = cJSON_AddArrayToObject(all, "pulls_over_time");
  for (int j = 0; j < r->steps; j++) {
    cJSON *point = cJSON_CreateArray();
    add_numbers(point, r->pulls + (size_t)j * (size_t)r->n_arms, r->n_arms);
    cJSON_AddItemToArray(pulls, point);
  }
}

void ee_policy_add_json(cJSON *all, const ee_replay_result *mean, const ee_replay_result *deviation,
                        int seeds) {
  cJSON_AddNumberToObject(all, "samples", (double)mean->n);
  cJSON_AddNumberToObject(all, "seeds", seeds);
  cJSON_AddBoolToObject(all, "feasible", mean->feasible);
  add_result(all, mean);
  if (seeds > 1) add_result(cJSON_AddObjectToObject(all, "deviation"), deviation);
}

static void print_line(const char *name, double mean, double deviation, int seeds) {
  if (isnan(mean)) return;
  printf("%-20s %12.6g", name, mean);
  if (seeds > 1) printf("  +- %.3g", deviation);
  printf("\n");
}

static void print_shares(const char *of, const char *what, const double *share,
                         const double *second, int n) {
  for (int i = 0; i < n; i++) {
    printf("%s %3d  share %.4f", of, i, share[i]);
    if (!isnan(second[i])) printf("  %s %.5f", what, second[i]);
    printf("\n");
  }
}

void ee_policy_print(const ee_replay_result *mean, const ee_replay_result *deviation, int seeds) {
  printf("%lld samples, %d seed%s\n", (long long)mean->n, seeds, seeds > 1 ? "s" : "");
  for (int f = 0; f < EE_FIGURE_COUNT; f++)
    print_line(ee_figure_name((ee_figure)f), mean->figure[f], deviation->figure[f], seeds);
  print_shares("exit", "accuracy", mean->exit_share, mean->exit_accuracy, mean->n_exits);
  print_shares("arm ", "value", mean->arm_share, mean->arm_value, mean->n_arms);
}
