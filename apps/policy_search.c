/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_search.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ee/result_file.h"
#include "ee/thresholds.h"
#include "json.h"
#include "policy_print.h"

/* What the front is over: its name in JSON, and for people. */
static const char *measure(const ee_policy_options *o) {
  if (!isnan(o->most_loss)) return "flop_share";
  return o->exit_seconds != NULL ? "mean_latency" : "mean_cost";
}

static const char *measure_in_words(const ee_policy_options *o) {
  if (!isnan(o->most_loss)) return "share of FLOP";
  return o->exit_seconds != NULL ? "mean latency [s]" : "mean cost";
}

/* The policy whose limits are searched. */
static const ee_policy_ops *searched(const ee_policy_options *o) {
  return ee_policy_named(o->policy != NULL ? o->policy : "threshold");
}

/* "NAME:values=A/B/..." of point @p k, malloc()ed. */
static char *policy_text(const ee_policy_options *o, const ee_front *front, int k) {
  const char *name = searched(o)->name;
  size_t      size = strlen(name) + 64 + 24 * (size_t)front->n_early;
  char       *text = malloc(size);
  if (text == NULL) return NULL;
  if (front->n_early == 0) {
    snprintf(text, size, "final");
    return text;
  }
  size_t n = (size_t)snprintf(text, size, "%s:values=", name);
  for (int e = 0; e < front->n_early; e++)
    n += (size_t)snprintf(text + n, size - n, "%s%.9g", e > 0 ? "/" : "",
                          (double)front->threshold[(size_t)k * (size_t)front->n_early + (size_t)e]);
  return text;
}

static ee_status add_point(cJSON *object, const ee_policy_options *o, const ee_front *front,
                           int k) {
  char *text = policy_text(o, front, k);
  if (text == NULL) return EE_FAIL(EE_ERR_NOMEM, "for a policy's text");
  cJSON_AddStringToObject(object, "policy", text);
  cJSON_AddNumberToObject(object, "accuracy", front->accuracy[k]);
  cJSON_AddNumberToObject(object, measure(o), front->cost[k]);
  free(text);
  return EE_OK;
}

static ee_status print_point(const ee_policy_options *o, const ee_front *front, int k) {
  char *text = policy_text(o, front, k);
  if (text == NULL) return EE_FAIL(EE_ERR_NOMEM, "for a policy's text");
  printf("%.6f  %.6g  %s\n", front->accuracy[k], front->cost[k], text);
  free(text);
  return EE_OK;
}

static ee_status print_json(const ee_policy_options *o, const ee_front *front, int chosen,
                            bool met) {
  cJSON    *all    = cJSON_CreateObject();
  ee_status status = EE_OK;
  cJSON_AddBoolToObject(all, "feasible", met);
  if (chosen >= 0) status = add_point(all, o, front, chosen);
  cJSON *points = o->front ? cJSON_AddArrayToObject(all, "front") : NULL;
  for (int k = 0; k < front->n && points != NULL && status == EE_OK; k++)
    status = add_point(ee_json_item(points), o, front, k);
  if (status == EE_OK) return ee_json_print(all);
  cJSON_Delete(all);
  return status;
}

static ee_status print_text(const ee_policy_options *o, const ee_front *front, int chosen) {
  printf("accuracy  %s  policy\n", measure_in_words(o));
  for (int k = 0; k < front->n && o->front; k++) EE_TRY(print_point(o, front, k));
  if (chosen >= 0 && o->front) printf("chosen:\n");
  return chosen >= 0 ? print_point(o, front, chosen) : EE_OK;
}

static ee_status write_arrays(ee_result_file *file, const ee_policy_options *o,
                              const ee_front *front, double *x) {
  int n = front->n, m = front->n_early;
  EE_TRY(ee_result_add(file, "accuracy", n, 0, front->accuracy));
  EE_TRY(ee_result_add(file, measure(o), n, 0, front->cost));
  for (int i = 0; i < n * m; i++) x[i] = (double)front->threshold[i];
  return m > 0 ? ee_result_add(file, "threshold", n, m, x) : EE_OK;
}

static ee_status write_front(const ee_policy_options *o, const ee_front *front) {
  ee_result_file *file = NULL;
  double         *x    = calloc((size_t)front->n * ((size_t)front->n_early + 1), sizeof *x);
  if (x == NULL) return EE_FAIL(EE_ERR_NOMEM, "for a front of %d points", front->n);
  ee_status status = ee_result_create(o->out, o->exits, searched(o)->name, "", &file);
  if (status == EE_OK) {
    status           = write_arrays(file, o, front, x);
    ee_status closed = ee_result_finish(&file, status == EE_OK);
    if (status == EE_OK) status = closed;
  }
  free(x);
  return status;
}

/* The point that meets the targets, or the nearest to it and *met is false; -1 without a target. */
static int choose(const ee_policy_options *o, const ee_front *front, bool *met) {
  double most     = isnan(o->most_latency) ? o->most_cost : o->most_latency;
  bool   accuracy = !isnan(o->least_accuracy), cost = !isnan(most);
  int    chosen = -1;
  *met          = true;
  if (accuracy) {
    chosen = ee_front_cheapest(front, o->least_accuracy);
    *met   = chosen >= 0 && (!cost || chosen <= ee_front_best_within(front, most));
  } else if (cost) {
    chosen = ee_front_best_within(front, most);
    *met   = chosen >= 0;
  }
  if (*met) return chosen;
  chosen = cost ? ee_front_best_within(front, most) : front->n - 1;
  return chosen >= 0 ? chosen : 0;
}

static ee_status show(const ee_policy_options *o, const ee_front *front) {
  bool met;
  int  chosen = choose(o, front, &met);
  if (o->out != NULL) EE_TRY(write_front(o, front));
  EE_TRY(o->json ? print_json(o, front, chosen, met) : print_text(o, front, chosen));
  if (met) return EE_OK;
  return EE_FAIL(EE_ERR_ARG,
                 "the targets cannot be met; the best that can be had is accuracy %g at %s %g",
                 front->accuracy[chosen], measure_in_words(o), front->cost[chosen]);
}

/* What the thresholds of the one point are worth on the table. */
static ee_status judge(const ee_policy_options *o, const ee_exit_table *table, ee_front *front) {
  char            *text = policy_text(o, front, 0);
  ee_replay_result mean, deviation;
  if (text == NULL) return EE_FAIL(EE_ERR_NOMEM, "for a policy's text");
  ee_status status = ee_replay_seeds(table, text, &o->replay, 1, &mean, &deviation);
  free(text);
  if (status != EE_OK) return status;
  front->accuracy[0] = mean.figure[EE_FIGURE_ACCURACY];
  front->cost[0]     = mean.figure[EE_FIGURE_COST];
  ee_replay_clear(&mean);
  ee_replay_clear(&deviation);
  return EE_OK;
}

/* Fill in the thresholds of the budget and what they are worth, and tell them. */
static ee_status show_budget(const ee_policy_options *o, const ee_exit_table *table,
                             ee_front *front) {
  double flops, full = table->flops[table->n_exits - 1];
  bool   met;
  EE_TRY(ee_budgeted_thresholds(table, o->budget, front->threshold, &flops, &met));
  EE_TRY(judge(o, table, front));
  if (o->out != NULL) EE_TRY(write_front(o, front));
  EE_TRY(o->json ? print_json(o, front, 0, met) : print_text(o, front, 0));
  if (met) return EE_OK;
  return EE_FAIL(EE_ERR_ARG,
                 "a budget of %g of the full cost cannot be met; the least is %g, with accuracy %g",
                 o->budget, flops / full, front->accuracy[0]);
}

/* The thresholds of a budget, as a front of one point. */
static ee_status fit_budget(const ee_policy_options *o, const ee_exit_table *table) {
  int       early = table->n_exits - 1;
  ee_front  front = {.n         = 1,
                     .n_early   = early,
                     .accuracy  = calloc(1, sizeof(double)),
                     .cost      = calloc(1, sizeof(double)),
                     .threshold = calloc((size_t)early + 1, sizeof(float))};
  bool      room  = front.accuracy != NULL && front.cost != NULL && front.threshold != NULL;
  ee_status status =
      room ? show_budget(o, table, &front) : EE_FAIL(EE_ERR_NOMEM, "for %d thresholds", early);
  ee_front_clear(&front);
  return status;
}

/* "A/B/..." to seconds until each exit. */
static ee_status read_seconds(const char *text, int n_exits, double *seconds) {
  const char *at = text;
  int         n  = 0;
  for (; at != NULL && n < n_exits; n++) {
    char *end;
    seconds[n] = strtod(at, &end);
    if (end == at || (*end != '/' && *end != '\0')) break;
    at = *end == '/' ? end + 1 : NULL;
  }
  if (at == NULL && n == n_exits) return EE_OK;
  return EE_FAIL(EE_ERR_USAGE, "--exit-seconds is %s; expected %d numbers, A/B/...", text, n_exits);
}

/* The accuracy of the last exit on labelled samples; NaN if there are none. */
static double last_accuracy(const ee_exit_table *table) {
  int64_t right = 0, labelled = 0;
  for (int64_t i = 0; i < table->n; i++) {
    labelled += table->label[i] >= 0;
    right += table->prediction[(i + 1) * table->n_exits - 1] == table->label[i];
  }
  return (double)right / (double)labelled;
}

/* What an answer at each exit costs, if it is not counted in layers. */
static ee_status exit_costs(const ee_policy_options *o, const ee_exit_table *table, double *cost) {
  if (o->exit_seconds != NULL) return read_seconds(o->exit_seconds, table->n_exits, cost);
  for (int e = 0; e < table->n_exits; e++) {
    cost[e] = table->flops[e] / table->flops[table->n_exits - 1];
  }
  return EE_OK;
}

static ee_status search_front(const ee_policy_options *o, const ee_exit_table *table,
                              double *cost) {
  ee_front_options  search = ee_front_defaults();
  ee_policy_options target = *o;
  ee_front          front;
  search.layer_cost = o->replay.costs.layer;
  if (!isnan(o->most_loss)) target.least_accuracy = last_accuracy(table) - o->most_loss;
  if (o->exit_seconds != NULL || !isnan(o->most_loss)) {
    EE_TRY(exit_costs(o, table, cost));
    search.exit_cost = cost;
  }
  EE_TRY(ee_front_of_policy(table, searched(o), &search, &front));
  ee_status status = show(&target, &front);
  ee_front_clear(&front);
  return status;
}

ee_status ee_policy_search(const ee_policy_options *options, const ee_exit_table *table) {
  if (!isnan(options->budget)) return fit_budget(options, table);
  double *cost = calloc((size_t)table->n_exits, sizeof *cost);
  if (cost == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d exits", table->n_exits);
  ee_status status = search_front(options, table, cost);
  free(cost);
  return status;
}
