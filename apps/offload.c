/* SPDX-License-Identifier: Apache-2.0 */
/* edgeexit offload: what a device may promise that answers what it is sure of, from an exit table,
 * over targets and deadlines. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "ee/exits_file.h"
#include "ee/offloading.h"
#include "json.h"
#include "offload_network.h"

#define MOST_VALUES 10000
#define MOST_SECONDS 1e9

typedef struct offload_options {
  const char *exits, *targets, *deadlines;
  double      speed, cloud_speed, interval;
  int         device_exits, batch, rounds;
  uint64_t    seed;
  bool        json;

  ee_offload_network network;
} offload_options;

/* Equally spaced values. */
typedef struct range {
  double from, to;
  int    n;
} range;

static double value_of(const range *r, int i) {
  return r->n > 1 ? r->from + (r->to - r->from) * i / (r->n - 1) : r->from;
}

/* "X" or "FROM:TO:N", of values from 0 to @p most. */
static ee_status read_range(const char *name, const char *text, double most, range *r) {
  int end = 0;
  *r      = (range){.n = 0};
  if (text == NULL) return EE_OK;
  if (sscanf(text, "%lf%n", &r->from, &end) == 1 && text[end] == '\0')
    r->n = 1;
  else if (sscanf(text, "%lf:%lf:%d%n", &r->from, &r->to, &r->n, &end) != 3 || text[end] != '\0')
    r->n = 0;
  if (r->n == 1) r->to = r->from;
  bool within = fmin(r->from, r->to) >= 0.0 && fmax(r->from, r->to) <= most;
  if (r->n >= 1 && r->n <= MOST_VALUES && within && isfinite(r->from + r->to)) return EE_OK;
  return EE_FAIL(EE_ERR_USAGE,
                 "--%s is %s; expected a number or FROM:TO:N with 1 to %d values, from 0 to %g",
                 name, text, MOST_VALUES, most);
}

/* What is measured, and room for it. */
typedef struct study {
  const offload_options *options;
  ee_offload_network     network;
  int                    n_device;
  range                  targets, deadlines;
  double                *seconds;   // shape [n_exits]
  double                *deadline;  // shape [deadlines.n]
  ee_interval           *missed;    // shape [deadlines.n]
  cJSON                 *points;    // NULL: print text
} study;

/* The device runs on until its last exit; what it is not sure of goes over the network. */
static void fill_seconds(const study *s, const ee_exit_table *table) {
  const offload_options *o    = s->options;
  double                 here = table->flops[s->n_device - 1], rest;
  for (int e = 0; e < table->n_exits; e++) {
    rest = (table->flops[e] - here) / o->cloud_speed;
    s->seconds[e] =
        e < s->n_device ? table->flops[e] / o->speed : here / o->speed + s->network.latency + rest;
  }
}

static void print_header(void) {
  printf("target  on device  accuracy   overall     seconds  outage            overall outage\n");
}

static void print_point(const study *s, double target, const ee_offload_metrics *m) {
  printf("%6.3f     %.4f    %.4f    %.4f  %10.4g  %.4f +- %.4f  %.4f +- %.4f\n", target,
         m->on_device, m->accuracy_on_device, m->accuracy, m->seconds, m->outage.mean,
         m->outage.half, m->overall_outage.mean, m->overall_outage.half);
  for (int d = 0; d < s->deadlines.n; d++) {
    printf("        deadline %.4g s: missed by %.4f +- %.4f of the batches\n", s->deadline[d],
           s->missed[d].mean, s->missed[d].half);
  }
}

static void add_interval(cJSON *to, const char *name, const ee_interval *x) {
  char half[48];
  snprintf(half, sizeof half, "%s_half", name);
  cJSON_AddNumberToObject(to, name, x->mean);
  cJSON_AddNumberToObject(to, half, x->half);
}

static void add_point(const study *s, double target, const ee_offload_metrics *m) {
  cJSON *one = ee_json_item(s->points);
  cJSON_AddNumberToObject(one, "target", target);
  cJSON_AddNumberToObject(one, "on_device", m->on_device);
  cJSON_AddNumberToObject(one, "accuracy_on_device", m->accuracy_on_device);
  cJSON_AddNumberToObject(one, "accuracy", m->accuracy);
  cJSON_AddNumberToObject(one, "seconds", m->seconds);
  add_interval(one, "outage", &m->outage);
  add_interval(one, "overall_outage", &m->overall_outage);
  cJSON *missed = cJSON_AddArrayToObject(one, "missed");
  for (int d = 0; d < s->deadlines.n; d++) {
    cJSON *at = ee_json_item(missed);
    cJSON_AddNumberToObject(at, "deadline", s->deadline[d]);
    add_interval(at, "share", &s->missed[d]);
  }
}

/* The same error with the table's path in front. */
static ee_status name_table(const char *path, ee_status status) {
  char why[EE_MESSAGE_BYTES];
  snprintf(why, sizeof why, "%s", ee_status_message());
  return EE_FAIL(status, "%.400s: %.600s", path, why);
}

static ee_status run_study(const study *s, const ee_exit_table *table) {
  const offload_options *o = s->options;
  fill_seconds(s, table);
  for (int d = 0; d < s->deadlines.n; d++) s->deadline[d] = value_of(&s->deadlines, d);
  for (int i = 0; i < s->targets.n; i++) {
    double             target  = value_of(&s->targets, i);
    ee_offload_setting setting = {
        .target        = target,
        .n_device      = s->n_device,
        .seconds       = s->seconds,
        .batch         = o->batch,
        .rounds        = o->rounds,
        .seed          = o->seed,
        .network       = s->network.trace.n > 0 ? &s->network.trace : NULL,
        .network_bytes = s->network.bandwidth != NULL ? s->network.bytes : 0.0,
        .interval      = o->interval};
    ee_offload_metrics m;
    ee_status          status =
        ee_offload_measure(table, &setting, s->deadlines.n, s->deadline, s->missed, &m);
    if (status != EE_OK) return name_table(o->exits, status);
    if (s->points != NULL) add_point(s, target, &m);
    if (s->points == NULL && i == 0) print_header();
    if (s->points == NULL) print_point(s, target, &m);
  }
  return EE_OK;
}

/* What samples are sent over: latency [s] and trace. */
static void add_network(cJSON *all, const ee_offload_network *n, double interval) {
  const char *trace = n->delays != NULL ? n->delays : n->bandwidth;
  cJSON      *one   = cJSON_AddObjectToObject(all, "network");
  cJSON_AddNumberToObject(one, "latency", n->latency);
  if (trace == NULL) return;
  cJSON_AddStringToObject(one, "trace", trace);
  cJSON_AddNumberToObject(one, "interval", interval);
  cJSON_AddNumberToObject(one, "trace_seconds", n->trace.at[n->trace.n]);
  if (n->bandwidth != NULL) cJSON_AddNumberToObject(one, "bytes", n->bytes);
}

static ee_status run_and_tell(study *s, const ee_exit_table *table) {
  if (!s->options->json) return run_study(s, table);
  cJSON *all = cJSON_CreateObject();
  cJSON_AddNumberToObject(all, "samples", (double)table->n);
  cJSON_AddNumberToObject(all, "batch", s->options->batch);
  cJSON_AddNumberToObject(all, "rounds", s->options->rounds);
  add_network(all, &s->network, s->options->interval);
  s->points        = cJSON_AddArrayToObject(all, "points");
  ee_status status = run_study(s, table);
  if (status == EE_OK) return ee_json_print(all);
  cJSON_Delete(all);
  return status;
}

static ee_status check_exits(const offload_options *o, int n_exits, int n_device) {
  if (n_exits < 2)
    return EE_FAIL(EE_ERR_ARG, "%s has one exit; expected one on the device and one behind it",
                   o->exits);
  if (n_device < n_exits) return EE_OK;
  return EE_FAIL(EE_ERR_ARG, "--device-exits is %d; %s has %d exits, expected 1 to %d", n_device,
                 o->exits, n_exits, n_exits - 1);
}

/* With the table read: the network and room, then the study itself. */
static ee_status prepare_and_run(study *s, const ee_exit_table *table) {
  const offload_options *o = s->options;
  s->network               = o->network;
  s->n_device              = o->device_exits > 0 ? o->device_exits : table->n_exits - 1;
  EE_TRY(check_exits(o, table->n_exits, s->n_device));
  EE_TRY(ee_offload_network_open(&s->network, o->exits, s->n_device - 1));
  size_t n         = (size_t)s->deadlines.n + 1;
  s->seconds       = calloc((size_t)table->n_exits, sizeof *s->seconds);
  s->deadline      = calloc(n, sizeof *s->deadline);
  s->missed        = calloc(n, sizeof *s->missed);
  bool      room   = s->seconds != NULL && s->deadline != NULL && s->missed != NULL;
  ee_status status = room ? run_and_tell(s, table) : EE_FAIL(EE_ERR_NOMEM, "for the deadlines");
  free(s->seconds);
  free(s->deadline);
  free(s->missed);
  ee_offload_network_close(&s->network);
  return status;
}

static ee_status offload(const offload_options *o) {
  study          s     = {.options = o};
  ee_exit_table *table = NULL;
  EE_TRY(read_range("target", o->targets, 1.0, &s.targets));
  EE_TRY(read_range("deadline", o->deadlines, MOST_SECONDS, &s.deadlines));
  EE_TRY(ee_exits_load(o->exits, &table));
  ee_status status = prepare_and_run(&s, table);
  ee_exit_table_destroy(&table);
  return status;
}

int ee_app_offload(int argc, char **argv) {
  offload_options o        = {.targets     = "0.5:0.9:5",
                              .speed       = 1e9,
                              .cloud_speed = 1e11,
                              .interval    = 0.1,
                              .network     = {.latency = NAN, .bytes = NAN},
                              .batch       = 256,
                              .rounds      = 100};
  const ee_option option[] = {
      {"target", 0, EE_OPTION_TEXT, &o.targets, "P|A:B:N",
       "confidence to answer at, and accuracy wanted; default 0.5:0.9:5", 0, 0},
      {"deadline", 0, EE_OPTION_TEXT, &o.deadlines, "S|A:B:N",
       "seconds that a batch's mean answer may take", 0, 0},
      {"device-exits", 0, EE_OPTION_INT, &o.device_exits, "N", "default all but the last", 1,
       65536},
      {"speed", 0, EE_OPTION_DOUBLE, &o.speed, "F", "of the device [FLOP/s]; default 1e9", 1, 1e18},
      {"cloud-speed", 0, EE_OPTION_DOUBLE, &o.cloud_speed, "F",
       "of where it offloads to [FLOP/s]; default 1e11", 1, 1e18},
      {"network", 0, EE_OPTION_DOUBLE, &o.network.latency, "S",
       "seconds to there and back; default 0.05, with --delay-trace 0", 0, 1e6},
      {"delay-trace", 0, EE_OPTION_TEXT, &o.network.delays, "FILE",
       "lines of time and delay [s] that come on top", 0, 0},
      {"bandwidth-trace", 0, EE_OPTION_TEXT, &o.network.bandwidth, "FILE",
       "lines of time [s] and Mbit/s, or of milliseconds at which 1500 bytes cross", 0, 0},
      {"bytes", 0, EE_OPTION_DOUBLE, &o.network.bytes, "N",
       "that a sample sends over the bandwidth trace; default what the table says", 0, 1e15},
      {"interval", 0, EE_OPTION_DOUBLE, &o.interval, "S",
       "seconds from sample to sample as a trace goes on; default 0.1", 0, 1e6},
      {"batch", 0, EE_OPTION_INT, &o.batch, "N", "samples per batch; default 256", 1, 1e9},
      {"rounds", 0, EE_OPTION_INT, &o.rounds, "N", "shuffles; default 100", 2, 1e6},
      {"seed", 0, EE_OPTION_UINT64, &o.seed, "N", "of the shuffles; default 0", 0, 0},
      {"json", 0, EE_OPTION_FLAG, &o.json, NULL, "print one JSON object", 0, 0},
  };
  const ee_command_line line = {"edgeexit offload [options] EXITS.h5",
                                "What a device may promise that answers what it is sure of and "
                                "offloads the rest:\nits share, its accuracy, how often batches "
                                "miss the target or a deadline.",
                                option,
                                sizeof option / sizeof option[0],
                                1,
                                1};
  int                   n, code;
  if (!ee_app_parse(&line, argc, argv, &o.exits, &n, &code)) return code;
  return ee_app_finish(offload(&o));
}
