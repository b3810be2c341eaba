/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "policy_sweep.h"
#include "same_file.h"

#define MOST_RESAMPLED 1e12

/* What cannot be bound to a variable as it is. */
typedef struct raw {
  const char *stream, *sweep, *offload_cost;
  uint64_t    epoch, warmup;
  int         delay;
} raw;

static ee_status read_stream(const char *text, ee_replay_options *o) {
  char rest;
  o->stream = EE_STREAM_ORDER;
  if (text == NULL || strcmp(text, "order") == 0) return EE_OK;
  o->stream = EE_STREAM_SHUFFLE;
  if (strcmp(text, "shuffle") == 0) return EE_OK;
  o->stream = EE_STREAM_RESAMPLE;
  double n;
  if (sscanf(text, "resample:%lf%c", &n, &rest) == 1 && n >= 1.0 && n <= MOST_RESAMPLED &&
      n == floor(n)) {
    o->resample = (int64_t)n;
    return EE_OK;
  }
  return EE_FAIL(EE_ERR_USAGE,
                 "--stream is %s; expected order, shuffle or resample:N with N from 1 to %g", text,
                 MOST_RESAMPLED);
}

static ee_status read_sweep(const char *text, ee_policy_sweep *s) {
  char rest;
  s->key[0] = '\0';
  if (text == NULL) return EE_OK;
  if (sscanf(text, "%63[^=]=%lf:%lf:%d%c", s->key, &s->low, &s->high, &s->n, &rest) == 4 &&
      isfinite(s->low) && isfinite(s->high) && s->n >= 2 && s->n <= 100000)
    return EE_OK;
  return EE_FAIL(EE_ERR_USAGE, "--sweep is %s; expected KEY=FROM:TO:N with 2 or more values", text);
}

static ee_status read_offload_cost(const raw *r, ee_policy_options *o) {
  o->offload.constant = o->replay.costs.offload;
  EE_TRY(ee_refuse_same_file(r->offload_cost, o->out));
  EE_TRY(ee_offload_costs_read(r->offload_cost, false, &o->offload));
  o->replay.costs.offload   = o->offload.constant;
  o->replay.offload_changes = o->offload.changes;
  return EE_OK;
}

/* A search finds the limits of a policy of which no more than the name is given. */
static ee_status check_search(const ee_policy_options *o) {
  const ee_policy_ops *ops = o->policy != NULL ? ee_policy_named(o->policy) : NULL;
  if (o->policy != NULL && ops == NULL) {
    return EE_FAIL(EE_ERR_USAGE, "there is no policy '%s'; '--policy help' tells them", o->policy);
  }
  if (o->sweep.key[0] != '\0' || (o->policy != NULL && !isnan(o->budget)) ||
      (ops != NULL && strcmp(ops->name, o->policy) != 0)) {
    return EE_FAIL(EE_ERR_USAGE,
                   "--accuracy, --accuracy-loss, --cost, --latency and --front search the limits "
                   "of a policy, --policy NAME without keys; they do not go with its keys or "
                   "--sweep, nor does --budget with --policy");
  }
  if (!isnan(o->most_loss) && (!isnan(o->least_accuracy) || !isnan(o->most_cost) ||
                               !isnan(o->most_latency) || o->exit_seconds != NULL)) {
    return EE_FAIL(EE_ERR_USAGE,
                   "--accuracy-loss saves operations; it does not go with --accuracy, --cost, "
                   "--latency or --exit-seconds");
  }
  return EE_OK;
}

/* Options that would count for nothing. */
static ee_status check_combination(const raw *r, const ee_policy_options *o, bool search) {
  bool seconds = o->exit_seconds != NULL;
  if (seconds && (!search || !isnan(o->budget) || !isnan(o->most_cost))) {
    return EE_FAIL(EE_ERR_USAGE,
                   "--exit-seconds goes with --latency, --accuracy and --front; a cost, a budget "
                   "and a policy are not in seconds");
  }
  if (search && (r->stream != NULL || o->seeds > 1)) {
    return EE_FAIL(EE_ERR_USAGE,
                   "--stream and --seeds are for --policy; a search looks at each sample once");
  }
  return EE_OK;
}

static ee_status check(const raw *r, ee_policy_options *o) {
  bool latency = !isnan(o->most_latency), loss = !isnan(o->most_loss);
  bool targets = o->front || !isnan(o->least_accuracy) || !isnan(o->most_cost) || latency || loss;
  bool search  = targets || !isnan(o->budget);
  o->search    = search;
  EE_TRY(read_stream(r->stream, &o->replay));
  EE_TRY(read_sweep(r->sweep, &o->sweep));
  o->replay.epoch  = (int64_t)r->epoch;
  o->replay.warmup = (int64_t)r->warmup;
  o->replay.delay  = r->delay;
  if (!search && o->policy == NULL) {
    return EE_FAIL(EE_ERR_USAGE,
                   "--policy NAME[:key=value,...] is missing; or search thresholds "
                   "with --accuracy, --accuracy-loss, --cost, --latency, --budget or --front");
  }
  if (search) EE_TRY(check_search(o));
  if (targets && !isnan(o->budget)) {
    return EE_FAIL(EE_ERR_USAGE,
                   "--budget does not go with --accuracy, --cost, --latency or --front");
  }
  if (latency && !isnan(o->most_cost)) {
    return EE_FAIL(EE_ERR_USAGE, "--latency does not go with --cost; give one of them");
  }
  if (latency && o->exit_seconds == NULL) {
    return EE_FAIL(
        EE_ERR_USAGE,
        "--latency needs --exit-seconds A/B/...; 'edgeexit plan' tells them for a fleet");
  }
  EE_TRY(check_combination(r, o, search));
  if (o->against != NULL && (search || o->sweep.key[0] != '\0' || o->out != NULL)) {
    return EE_FAIL(EE_ERR_USAGE,
                   "--against compares one --policy on two tables; it takes no search, no --sweep "
                   "and no -o");
  }
  EE_TRY(read_offload_cost(r, o));
  return ee_policy_sweep_check(o);
}

static ee_policy_options defaults(void) {
  return (ee_policy_options){.replay         = ee_replay_defaults(),
                             .seeds          = 1,
                             .least_accuracy = NAN,
                             .most_cost      = NAN,
                             .most_latency   = NAN,
                             .most_loss      = NAN,
                             .budget         = NAN};
}

bool ee_policy_options_parse(int argc, char **argv, ee_policy_options *options, int *code) {
  ee_policy_options *o     = options;
  raw                r     = {.epoch = 1};
  *o                       = defaults();
  const ee_option option[] = {
      {"policy", 'p', EE_OPTION_TEXT, &o->policy, "NAME:...", "policy to replay", 0, 0},
      {"lambda", 0, EE_OPTION_DOUBLE, &o->replay.costs.layer, "X", "cost of a layer; 0.1", 0, 8},
      {"offload-cost", 0, EE_OPTION_TEXT, &r.offload_cost, "X|FILE",
       "cost of an offload: a number, or its changes, maybe from a trace; 0.5", 0, 0},
      {"head-share", 0, EE_OPTION_DOUBLE, &o->replay.head_share, "X",
       "of a layer's cost that is its head; 0", 0, 1},
      {"epoch", 0, EE_OPTION_UINT64, &r.epoch, "N", "samples per epoch of learning; 1", 1, 1e9},
      {"delay", 0, EE_OPTION_INT, &r.delay, "N", "epochs until what was learned counts; 0", 0,
       65536},
      {"warmup", 0, EE_OPTION_UINT64, &r.warmup, "N", "samples learned from first, uncounted; 0", 0,
       1e12},
      {"stream", 0, EE_OPTION_TEXT, &r.stream, "S", "order, shuffle or resample:N; order", 0, 0},
      {"seeds", 0, EE_OPTION_INT, &o->seeds, "N", "streams to average over; 1", 1, 1e6},
      {"seed", 0, EE_OPTION_UINT64, &o->replay.seed, "N", "of the first; 1", 0, 0},
      {"steps", 0, EE_OPTION_INT, &o->replay.steps, "N", "points of curves over time; 20", 0, 1e5},
      {"sweep", 0, EE_OPTION_TEXT, &r.sweep, "K=A:B:N", "key of the policy, or lambda, ...", 0, 0},
      {"accuracy", 0, EE_OPTION_DOUBLE, &o->least_accuracy, "X", "thresholds that reach it", 0, 1},
      {"accuracy-loss", 0, EE_OPTION_DOUBLE, &o->most_loss, "X",
       "limits that save most, of what is lost at most", 0, 1},
      {"cost", 0, EE_OPTION_DOUBLE, &o->most_cost, "X", "thresholds whose mean cost stays in it", 0,
       1e9},
      {"latency", 0, EE_OPTION_DOUBLE, &o->most_latency, "S",
       "thresholds whose mean seconds stay in it", 0, 1e9},
      {"exit-seconds", 0, EE_OPTION_TEXT, &o->exit_seconds, "A/B/...",
       "until an answer of each exit; the front is then over these", 0, 0},
      {"budget", 0, EE_OPTION_DOUBLE, &o->budget, "X",
       "MSDNet's thresholds; share of the full cost", 0, 1},
      {"front", 0, EE_OPTION_FLAG, &o->front, NULL, "all thresholds that nothing beats", 0, 0},
      {"against", 0, EE_OPTION_TEXT, &o->against, "EXITS.h5",
       "what accuracy is lost against this table of the same samples", 0, 0},
      {"output", 'o', EE_OPTION_TEXT, &o->out, "RESULT.h5", "write the results", 0, 0},
      {"json", 0, EE_OPTION_FLAG, &o->json, NULL, "print one JSON object", 0, 0},
  };
  const ee_command_line line = {
      "edgeexit policy [options] EXITS.h5 --policy NAME[:key=value,...]",
      "Replays an exit policy on an exit table, or searches its limits for targets.\n"
      "--sweep goes over a key of the policy, or over lambda, offload-cost, head-share, epoch,\n"
      "delay or warmup.  '--policy help' tells the policies and their keys.",
      option,
      sizeof option / sizeof option[0],
      0,
      1};
  const char *in = NULL;
  int         n  = 0;
  if (!ee_app_parse(&line, argc, argv, &in, &n, code)) return false;
  o->exits = n > 0 ? in : NULL;
  *code    = ee_app_finish(check(&r, o));
  if (*code != 0) ee_offload_costs_free(&o->offload);
  return *code == 0;
}
