/* SPDX-License-Identifier: Apache-2.0 */
/* Prints branches next to chains: a line for each number of devices, and which is better. */
#include <math.h>
#include <stdio.h>

#include "ee/judgement.h"
#include "json.h"
#include "plan_branches.h"

static void print_placement(const ee_branch_promise *p, const ee_branch_placement *b) {
  if (p->placed != EE_OK) {
    printf("  %10s %10s  %-18s", "-", "-", "nothing fits");
    return;
  }
  printf("  %10.3f %10.1f  %-18s", b->forecast.latency * 1e3, 1.0 / b->forecast.period, b->text);
}

static void print_chain(const ee_branch_promise *p, int k) {
  char text[256];
  if (p->chain[k] == NULL) {
    printf("  %10s %10s  no chain fits\n", "-", "-");
    return;
  }
  printf("  %10.3f %10.1f  %s\n", p->chain_forecast[k].latency * 1e3,
         1.0 / p->chain_forecast[k].period, ee_plan_text(p->chain[k], text, sizeof text));
}

/* Branches over chain, in what the row is about. */
typedef enum verdict { BRANCHES, CHAIN, EQUAL } verdict;

static verdict compare(double branches, double chain) {
  if (branches * (1.0 + EE_JUDGEMENT_MARGIN) < chain) return BRANCHES;
  return chain * (1.0 + EE_JUDGEMENT_MARGIN) < branches ? CHAIN : EQUAL;
}

/* Seconds of a sample alone with branches and in a chain; INFINITY where nothing fits. */
static void latencies(const ee_branch_promise *p, double *branches, double *chain) {
  *branches = p->placed == EE_OK ? p->soonest.forecast.latency : INFINITY;
  *chain    = p->chain[0] != NULL ? p->chain_forecast[0].latency : INFINITY;
}

static void periods(const ee_branch_promise *p, double *branches, double *chain) {
  *branches = p->placed == EE_OK ? p->most.forecast.period : INFINITY;
  *chain    = p->chain[1] != NULL ? p->chain_forecast[1].period : INFINITY;
}

static const char *words(verdict v) {
  static const char *const text[] = {"branches", "a chain", "both alike"};
  return text[v];
}

static void write_verdict(const ee_branch_promises *all, char *text, size_t size) {
  double                   latency[2], period[2];
  const ee_branch_promise *p = &all->of[all->n - 1];
  if (p->placed != EE_OK) {
    snprintf(text, size, "%s%s", p->chain[0] != NULL ? "a chain: for branches, " : "", p->why);
    return;
  }
  latencies(p, &latency[0], &latency[1]);
  periods(p, &period[0], &period[1]);
  snprintf(text, size,
           "on %d devices, for a sample alone %s (%.3f ms with branches, %.3f ms in a chain); for "
           "a stream %s (%.1f samples/s, %.1f in a chain)",
           all->n, words(compare(latency[0], latency[1])), latency[0] * 1e3, latency[1] * 1e3,
           words(compare(period[0], period[1])), 1.0 / period[0], 1.0 / period[1]);
}

static void print_goal(const ee_branch_promises *all, bool by_latency) {
  printf("\n%s\n", by_latency ? "least latency of a sample alone" : "most samples of a stream");
  printf(
      "devices          ms  samples/s  branches@joined          ms  samples/s  chain (layers "
      "@device)\n");
  for (int i = 0; i < all->n; i++) {
    const ee_branch_promise *p = &all->of[i];
    printf("%7d", i + 1);
    print_placement(p, by_latency ? &p->soonest : &p->most);
    print_chain(p, by_latency ? 0 : 1);
  }
}

/* How far the placements may be from the best. */
static void print_bound(const ee_branch_promise *p, int n) {
  if (p->placed != EE_OK) return;
  printf(
      "\nbound: no placement on %d devices takes less than %.3f ms for a sample alone (the one "
      "found "
      "takes %.2f times that), or has more than %.1f samples/s (%.2f times what was found)\n",
      n, p->bound.latency * 1e3, p->soonest.forecast.latency / p->bound.latency,
      1.0 / p->bound.period, p->most.forecast.period / p->bound.period);
}

void ee_branch_promises_print_text(const ee_branch_promises *all) {
  char text[2048];
  printf("%d branches\n", all->n_lanes);
  print_goal(all, true);
  print_goal(all, false);
  print_bound(&all->of[all->n - 1], all->n);
  write_verdict(all, text, sizeof text);
  printf("\nverdict: %s\n", text);
}

static void add_placement(const ee_branch_placement *b, const char *name, cJSON *to) {
  cJSON *one = cJSON_AddObjectToObject(to, name);
  cJSON_AddStringToObject(one, "branches", b->text);
  ee_json_number(one, "latency_s", b->forecast.latency);
  ee_json_number(one, "period_s", b->forecast.period);
}

static void add_chain(const ee_branch_promise *p, int k, const char *name, cJSON *to) {
  char text[512];
  if (p->chain[k] == NULL) {
    cJSON_AddNullToObject(to, name);
    return;
  }
  cJSON *one = cJSON_AddObjectToObject(to, name);
  cJSON_AddStringToObject(one, "plan", ee_plan_text(p->chain[k], text, sizeof text));
  ee_json_number(one, "latency_s", p->chain_forecast[k].latency);
  ee_json_number(one, "period_s", p->chain_forecast[k].period);
}

ee_status ee_branch_promises_print_json(const ee_branch_promises *all) {
  char   text[2048];
  double branches, chain;
  cJSON *json = cJSON_CreateObject();
  cJSON_AddNumberToObject(json, "n_branches", all->n_lanes);
  cJSON *list = cJSON_AddArrayToObject(json, "rows");
  for (int i = 0; i < all->n; i++) {
    const ee_branch_promise *p   = &all->of[i];
    cJSON                   *row = ee_json_item(list);
    cJSON_AddNumberToObject(row, "devices", i + 1);
    cJSON_AddBoolToObject(row, "fits", p->placed == EE_OK);
    if (p->placed == EE_OK) {
      add_placement(&p->soonest, "for_latency", row);
      add_placement(&p->most, "for_period", row);
      ee_json_number(row, "latency_bound_s", p->bound.latency);
      ee_json_number(row, "period_bound_s", p->bound.period);
    }
    add_chain(p, 0, "chain_for_latency", row);
    add_chain(p, 1, "chain_for_period", row);
  }
  latencies(&all->of[all->n - 1], &branches, &chain);
  ee_json_number(json, "branches_latency_s", branches);
  ee_json_number(json, "chain_latency_s", chain);
  periods(&all->of[all->n - 1], &branches, &chain);
  ee_json_number(json, "branches_period_s", branches);
  ee_json_number(json, "chain_period_s", chain);
  write_verdict(all, text, sizeof text);
  cJSON_AddStringToObject(json, "verdict", text);
  return ee_json_print(json);
}
