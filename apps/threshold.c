/* SPDX-License-Identifier: Apache-2.0 */
/* edgeexit threshold: the lowest confidence at which samples may leave early, with a promise of
 * what that costs, from one part of an exit table and measured on the other. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "ee/exits_file.h"
#include "ee/risk.h"
#include "holdout.h"
#include "json.h"

typedef struct threshold_options {
  const char *exits, *loss, *method;
  double      epsilon, delta, holdout;
  int         grid;
  uint64_t    seed;
  bool        json;
} threshold_options;

static ee_status find(const char *option, const char *name, int n, const char *const *names,
                      const char *expected, int *found) {
  for (*found = 0; *found < n; (*found)++) {
    if (strcmp(name, names[*found]) == 0) return EE_OK;
  }
  return EE_FAIL(EE_ERR_USAGE, "--%s is %s, expected %s", option, name, expected);
}

static ee_status read_names(const threshold_options *o, ee_risk_loss *loss,
                            ee_risk_promise *promise) {
  static const char *const losses[]  = {"consistency", "gap", "brier", "hellinger"};
  static const char *const methods[] = {"naive", "crc", "ucb", "ltt"};
  int                      l, m;
  EE_TRY(find("loss", o->loss, 4, losses, "consistency, gap, brier or hellinger", &l));
  EE_TRY(find("method", o->method, 4, methods, "naive, crc, ucb or ltt", &m));
  *loss    = (ee_risk_loss)l;
  *promise = (ee_risk_promise){(ee_risk_method)m, o->epsilon, o->delta};
  return EE_OK;
}

/* What was chosen, and what it costs on samples that it was not chosen on. */
typedef struct choice {
  double  threshold;  // INFINITY: none can be promised
  int64_t chosen_on, measured_on;
  double  risk;
  double *share;  // shape [n_exits], where samples leave
} choice;

static int leaving_exit(const ee_exit_table *t, int64_t i, double threshold) {
  const float *sure = t->confidence + i * t->n_exits;
  int          at   = 0;
  while (at < t->n_exits - 1 && !(sure[at] >= (float)threshold)) at++;
  return at;
}

static ee_status measure(const ee_exit_table *test, ee_risk_loss loss, choice *c) {
  ee_risk_table table;
  EE_TRY(ee_risk_answers_losses(test, loss, 1, &c->threshold, &table));
  c->measured_on = test->n;
  for (int64_t i = 0; i < test->n; i++) {
    c->risk += table.loss[i];
    c->share[leaving_exit(test, i, c->threshold)] += 1.0;
  }
  c->risk /= (double)test->n;
  for (int e = 0; e < test->n_exits; e++) c->share[e] /= (double)test->n;
  ee_risk_table_free(&table);
  return EE_OK;
}

static ee_status choose(const threshold_options *o, const ee_exit_table *all, choice *c) {
  ee_exit_table  *part, *held;
  ee_risk_loss    loss;
  ee_risk_promise promise;
  EE_TRY(read_names(o, &loss, &promise));
  EE_TRY(ee_holdout_split(all, o->holdout, o->seed, &part, &held));
  c->chosen_on     = part->n;
  ee_status status = ee_risk_answers_threshold(part, loss, &promise, o->grid, &c->threshold);
  if (status == EE_OK) status = measure(held, loss, c);
  ee_exit_table_destroy(&part);
  ee_exit_table_destroy(&held);
  return status;
}

/* With as many digits as it takes for exits to be given the same threshold again. */
static void print_threshold(double threshold) {
  char text[32] = "";
  for (int digits = 4; digits <= 17; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, threshold);
    if ((float)strtod(text, NULL) == (float)threshold) break;
  }
  printf("threshold %s", text);
}

static void print_text(const threshold_options *o, int n_exits, const choice *c) {
  if (isfinite(c->threshold))
    print_threshold(c->threshold);
  else
    printf("no threshold");
  printf(" by %s on %lld samples: %s loss at most %g\non %lld others: loss %.4f; leave at",
         o->method, (long long)c->chosen_on, o->loss, o->epsilon, (long long)c->measured_on,
         c->risk);
  for (int e = 0; e < n_exits; e++) printf(" %.4f", c->share[e]);
  printf("\n");
}

static ee_status print_json(const threshold_options *o, int n_exits, const choice *c) {
  cJSON *all = cJSON_CreateObject();
  cJSON_AddStringToObject(all, "method", o->method);
  cJSON_AddStringToObject(all, "loss", o->loss);
  cJSON_AddNumberToObject(all, "epsilon", o->epsilon);
  cJSON_AddNumberToObject(all, "delta", o->delta);
  cJSON_AddNumberToObject(all, "threshold", c->threshold);  // null if infinite
  cJSON_AddNumberToObject(all, "chosen_on", (double)c->chosen_on);
  cJSON_AddNumberToObject(all, "measured_on", (double)c->measured_on);
  cJSON_AddNumberToObject(all, "risk", c->risk);
  cJSON_AddItemToObject(all, "exit_share", cJSON_CreateDoubleArray(c->share, n_exits));
  return ee_json_print(all);
}

static ee_status tell(const threshold_options *o, int n_exits, const choice *c) {
  if (o->json)
    EE_TRY(print_json(o, n_exits, c));
  else
    print_text(o, n_exits, c);
  if (isfinite(c->threshold)) return EE_OK;
  return EE_FAIL(EE_ERR_ARG,
                 "no threshold keeps the %s loss within %g by %s; nobody may leave early", o->loss,
                 o->epsilon, o->method);
}

/* What a table lacks for a loss is told before it is dealt out, by its path and its own rows. */
static ee_status check_table(const threshold_options *o, const ee_exit_table *all) {
  char            why[EE_MESSAGE_BYTES];
  const double    nobody = INFINITY;
  ee_risk_loss    loss;
  ee_risk_promise promise;
  ee_risk_table   table;
  EE_TRY(read_names(o, &loss, &promise));
  ee_status status = ee_risk_answers_losses(all, loss, 1, &nobody, &table);
  ee_risk_table_free(&table);
  if (status == EE_OK) return EE_OK;
  snprintf(why, sizeof why, "%s", ee_status_message());
  return EE_FAIL(status, "%.400s: %.600s", o->exits, why);
}

static ee_status threshold(const threshold_options *o) {
  ee_risk_loss    loss;
  ee_risk_promise promise;
  ee_exit_table  *all;
  choice          c = {.share = NULL};
  EE_TRY(read_names(o, &loss, &promise));
  EE_TRY(ee_exits_load(o->exits, &all));
  ee_status status = check_table(o, all);
  c.share          = calloc((size_t)all->n_exits, sizeof *c.share);
  if (status == EE_OK && c.share == NULL)
    status = EE_FAIL(EE_ERR_NOMEM, "for %d exits", all->n_exits);
  if (status == EE_OK) status = choose(o, all, &c);
  if (status == EE_OK) status = tell(o, all->n_exits, &c);
  free(c.share);
  ee_exit_table_destroy(&all);
  return status;
}

int ee_app_threshold(int argc, char **argv) {
  threshold_options o = {
      .loss = "gap", .method = "ucb", .epsilon = 0.05, .delta = 0.1, .holdout = 0.5, .grid = 100};
  const ee_option option[] = {
      {"loss", 0, EE_OPTION_TEXT, &o.loss, "NAME",
       "consistency, gap, brier or hellinger; default gap", 0, 0},
      {"method", 0, EE_OPTION_TEXT, &o.method, "NAME", "naive, crc, ucb or ltt; default ucb", 0, 0},
      {"epsilon", 0, EE_OPTION_DOUBLE, &o.epsilon, "E", "loss allowed; default 0.05", 1e-9,
       1 - 1e-9},
      {"delta", 0, EE_OPTION_DOUBLE, &o.delta, "D",
       "ucb, ltt: chance of breaking the promise; default 0.1", 1e-9, 1 - 1e-9},
      {"grid", 0, EE_OPTION_INT, &o.grid, "N", "steps from 1 down to 0; default 100", 1, 100000},
      {"holdout", 0, EE_OPTION_DOUBLE, &o.holdout, "SHARE", "to measure on only; default 0.5",
       0.001, 0.999},
      {"seed", 0, EE_OPTION_UINT64, &o.seed, "N", "of the choice what to hold out; default 0", 0,
       0},
      {"json", 0, EE_OPTION_FLAG, &o.json, NULL, "print one JSON object", 0, 0},
  };
  const ee_command_line line = {"edgeexit threshold [options] EXITS.h5",
                                "The lowest confidence at which samples may leave early so that "
                                "it costs no more than\nwas allowed.  If none can be promised, "
                                "nobody may leave, and the exit code is 1.",
                                option,
                                sizeof option / sizeof option[0],
                                1,
                                1};
  int                   n, code;
  if (!ee_app_parse(&line, argc, argv, &o.exits, &n, &code)) return code;
  return ee_app_finish(threshold(&o));
}
