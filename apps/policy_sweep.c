/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_sweep.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ee/result_file.h"
#include "json.h"
#include "policy_print.h"

/* One point of a sweep. */
typedef struct point {
  double           value;
  ee_replay_result mean, deviation;
} point;

static void clear_points(point *p, int n) {
  for (int i = 0; i < n; i++) {
    ee_replay_clear(&p[i].mean);
    ee_replay_clear(&p[i].deviation);
  }
  free(p);
}

static void set_layer_cost(ee_replay_options *o, double x) {
  o->costs.layer = x;
}
static void set_offload_cost(ee_replay_options *o, double x) {
  o->costs.offload = x;
}
static void set_head_share(ee_replay_options *o, double x) {
  o->head_share = x;
}
static void set_epoch(ee_replay_options *o, double x) {
  o->epoch = (int64_t)x;
}
static void set_delay(ee_replay_options *o, double x) {
  o->delay = (int)x;
}
static void set_warmup(ee_replay_options *o, double x) {
  o->warmup = (int64_t)x;
}

/* An option of the replay that can be swept, and what it may be. */
typedef struct swept {
  const char *key;
  void (*set)(ee_replay_options *o, double value);
  bool   whole;
  double least, most;
} swept;

static const swept options_swept[] = {
    {"lambda", set_layer_cost, false, 0.0, 8.0},
    {"offload-cost", set_offload_cost, false, 0.0, 8.0},
    {"head-share", set_head_share, false, 0.0, 1.0},
    {"epoch", set_epoch, true, 1.0, 1e9},
    {"delay", set_delay, true, 0.0, 65536.0},
    {"warmup", set_warmup, true, 0.0, 1e12},
};

/* NULL: a key of the policy. */
static const swept *swept_option(const char *key) {
  for (size_t i = 0; i < sizeof options_swept / sizeof *options_swept; i++) {
    if (strcmp(options_swept[i].key, key) == 0) return &options_swept[i];
  }
  return NULL;
}

static double value_of(const ee_policy_sweep *s, int i) {
  return s->low + (s->high - s->low) * i / (s->n - 1);
}

ee_status ee_policy_sweep_check(const ee_policy_options *o) {
  const ee_policy_sweep *s      = &o->sweep;
  const swept           *option = swept_option(s->key);
  if (option == NULL) return EE_OK;
  if (strcmp(s->key, "offload-cost") == 0 && o->offload.changes.n > 0) {
    return EE_FAIL(EE_ERR_USAGE,
                   "--sweep offload-cost and a file of --offload-cost say the same; "
                   "give one of them");
  }
  for (int i = 0; i < s->n; i++) {
    double x = value_of(s, i);
    if (x >= option->least && x <= option->most && (!option->whole || x == floor(x))) continue;
    return EE_FAIL(EE_ERR_USAGE, "--sweep has %s=%.9g; expected %s from %g to %g", s->key, x,
                   option->whole ? "whole numbers" : "numbers", option->least, option->most);
  }
  return EE_OK;
}

static ee_status run_point(const ee_policy_options *o, const ee_exit_table *table, point *p) {
  ee_replay_options replay = o->replay;
  const swept      *option = swept_option(o->sweep.key);
  if (option != NULL) {
    option->set(&replay, p->value);
    return ee_replay_seeds(table, o->policy, &replay, o->seeds, &p->mean, &p->deviation);
  }

  size_t size = strlen(o->policy) + strlen(o->sweep.key) + 64;
  char  *text = malloc(size);
  if (text == NULL) return EE_FAIL(EE_ERR_NOMEM, "for a policy's text");
  snprintf(text, size, "%s%s%s=%.9g", o->policy, strchr(o->policy, ':') != NULL ? "," : ":",
           o->sweep.key, p->value);
  ee_status status = ee_replay_seeds(table, text, &replay, o->seeds, &p->mean, &p->deviation);
  free(text);
  return status;
}

static void print_points(const ee_policy_options *o, const point *p) {
  printf("%12s", o->sweep.key);
  for (int f = 0; f < EE_FIGURE_COUNT; f++) printf(" %18s", ee_figure_name((ee_figure)f));
  printf("\n");
  for (int i = 0; i < o->sweep.n; i++) {
    printf("%12.6g", p[i].value);
    for (int f = 0; f < EE_FIGURE_COUNT; f++) printf(" %18.6g", p[i].mean.figure[f]);
    printf("\n");
  }
}

static ee_status print_json(const ee_policy_options *o, const point *p) {
  cJSON *all = cJSON_CreateObject();
  cJSON_AddStringToObject(all, "policy", o->policy);
  cJSON_AddStringToObject(all, "sweep", o->sweep.key);
  cJSON *points = cJSON_AddArrayToObject(all, "points");
  for (int i = 0; i < o->sweep.n; i++) {
    cJSON *one = ee_json_item(points);
    cJSON_AddNumberToObject(one, "value", p[i].value);
    ee_policy_add_json(one, &p[i].mean, &p[i].deviation, o->seeds);
  }
  return ee_json_print(all);
}

/* Write one figure's means and deviations of all points. */
static ee_status write_figure(ee_result_file *file, const point *p, int n, int f, double *x) {
  char name[96];
  for (int i = 0; i < n; i++) x[i] = p[i].mean.figure[f];
  EE_TRY(ee_result_add(file, ee_figure_name((ee_figure)f), n, 0, x));
  for (int i = 0; i < n; i++) x[i] = p[i].deviation.figure[f];
  snprintf(name, sizeof name, "deviation/%s", ee_figure_name((ee_figure)f));
  return ee_result_add(file, name, n, 0, x);
}

static ee_status write_shares(ee_result_file *file, const point *p, int n, double *x) {
  int exits = p[0].mean.n_exits, arms = p[0].mean.n_arms;
  for (int i = 0; i < n * exits; i++) x[i] = p[i / exits].mean.exit_share[i % exits];
  EE_TRY(ee_result_add(file, "exit_share", n, exits, x));
  for (int i = 0; i < n * arms; i++) x[i] = p[i / arms].mean.arm_share[i % arms];
  return arms > 0 ? ee_result_add(file, "arm_share", n, arms, x) : EE_OK;
}

/* @p x: shape [n, room for the widest array] */
static ee_status write_all(const ee_policy_options *o, ee_result_file *file, const point *p, int n,
                           double *x) {
  for (int i = 0; i < n; i++) x[i] = p[i].value;
  if (o->sweep.key[0] != '\0') EE_TRY(ee_result_add(file, "value", n, 0, x));
  for (int f = 0; f < EE_FIGURE_COUNT; f++) EE_TRY(write_figure(file, p, n, f, x));
  EE_TRY(write_shares(file, p, n, x));
  const ee_replay_result *r = &p[0].mean;
  if (n > 1 || r->n_arms == 0 || r->steps == 0) return EE_OK;
  EE_TRY(ee_result_add(file, "arm_value", r->n_arms, 0, r->arm_value));
  EE_TRY(ee_result_add(file, "regret_over_time", r->steps, 0, r->regret));
  return ee_result_add(file, "pulls_over_time", r->steps, r->n_arms, r->pulls);
}

/* A file holds points of as many arms only, which a sweep over the number of arms has not. */
static ee_status check_arms(const point *first, const point *p) {
  if (p->mean.n_arms == first->mean.n_arms) return EE_OK;
  return EE_FAIL(EE_ERR_UNSUPPORTED, "a sweep over policies of %d and %d arms has no file",
                 first->mean.n_arms, p->mean.n_arms);
}

static ee_status write_points(const ee_policy_options *o, const point *p, int n) {
  ee_result_file *file = NULL;
  size_t          wide = (size_t)(p[0].mean.n_exits + p[0].mean.n_arms);
  double         *x    = calloc((size_t)n * wide, sizeof *x);
  if (x == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d results", n);
  ee_status status = ee_result_create(o->out, o->exits, o->policy, o->sweep.key, &file);
  if (status == EE_OK) {
    status           = write_all(o, file, p, n, x);
    ee_status closed = ee_result_finish(&file, status == EE_OK);
    if (status == EE_OK) status = closed;
  }
  free(x);
  return status;
}

ee_status ee_policy_write_one(const ee_policy_options *options, const ee_replay_result *mean,
                              const ee_replay_result *deviation) {
  point p = {.mean = *mean, .deviation = *deviation};
  return write_points(options, &p, 1);
}

/* Where what the policy asks for cannot be had its row is the best that can be. */
static ee_status check_feasible(const point *p, int n) {
  int best_only = 0;
  for (int i = 0; i < n; i++) best_only += !p[i].mean.feasible;
  if (best_only == 0) return EE_OK;
  return EE_FAIL(EE_ERR_ARG,
                 "at %d of the %d values what the policy asks for cannot be had on this table; "
                 "they have the best that can be had",
                 best_only, n);
}

ee_status ee_policy_run_sweep(const ee_policy_options *options, const ee_exit_table *table) {
  const ee_policy_options *o = options;
  int                      n = o->sweep.n;
  point                   *p = calloc((size_t)n, sizeof *p);
  if (p == NULL) return EE_FAIL(EE_ERR_NOMEM, "for a sweep of %d points", n);
  ee_status status = EE_OK;
  for (int i = 0; i < n && status == EE_OK; i++) {
    p[i].value = value_of(&o->sweep, i);
    status     = run_point(o, table, &p[i]);
    if (status == EE_OK && o->out != NULL) status = check_arms(&p[0], &p[i]);
  }
  if (status == EE_OK && o->out != NULL) status = write_points(o, p, n);
  if (status == EE_OK && o->json) status = print_json(o, p);
  if (status == EE_OK && !o->json) print_points(o, p);
  if (status == EE_OK) status = check_feasible(p, n);
  clear_points(p, n);
  return status;
}
