/* SPDX-License-Identifier: Apache-2.0 */
/* compare_replay [options] TRACE.h5 EXITS.h5: whether a run decided on every sample what its policy
 * decides in a replay of the exit table: where it left or was offloaded, which exit answered what,
 * the arm and its reward, bit by bit. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ee/exits_file.h"
#include "ee/offload_costs_file.h"
#include "ee/options.h"
#include "ee/replay.h"
#include "ee/trace_file.h"

#define MOST_SHOWN 5  // differences printed

static int64_t n_differences;

static void differ(const ee_answer *a, const ee_replayed *r) {
  if (n_differences++ >= MOST_SHOWN) return;
  printf(
      "sample %lld: live at %d way %d exit %d says %d, arm %d reward %.9g; replay at %d exit %d "
      "says %d, arm %d reward %.9g\n",
      (long long)a->id, a->decided_at, a->way, a->exit, a->prediction, a->arm, (double)a->reward,
      r->left, r->exit, r->prediction, r->arm, (double)r->reward);
}

static bool same_reward(float a, float b) {
  return (isnan(a) && isnan(b)) || a == b;
}

static bool same(const ee_answer *a, const ee_replayed *r) {
  return a->decided_at == r->left && a->exit == r->exit && a->prediction == r->prediction &&
         (a->way == EE_WAY_OFFLOADED) == (r->left != r->exit) && a->arm == r->arm &&
         same_reward(a->reward, r->reward);
}

static ee_status compare(const ee_trace_file *trace, const ee_exit_table *table, const char *policy,
                         ee_replay_options *o) {
  int64_t          n;
  const ee_answer *answer = ee_trace_file_answers(trace, &n);
  ee_replay_result mean, deviation;
  if (n != ee_replay_length(table, o)) {
    return EE_FAIL(EE_ERR_ARG, "%lld answers, the replay has %lld", (long long)n,
                   (long long)ee_replay_length(table, o));
  }
  o->replayed      = calloc((size_t)n, sizeof *o->replayed);
  ee_status status = ee_replay_seeds(table, policy, o, 1, &mean, &deviation);
  for (int64_t i = 0; status == EE_OK && i < n; i++) {
    if (!same(&answer[i], &o->replayed[answer[i].id]))
      differ(&answer[i], &o->replayed[answer[i].id]);
  }
  ee_replay_clear(&mean);
  ee_replay_clear(&deviation);
  free(o->replayed);
  return status;
}

static ee_status open_and_compare(const char *const in[2], int delay, bool costs,
                                  ee_replay_options *o) {
  ee_trace_file *trace  = NULL;
  ee_exit_table *table  = NULL;
  ee_status      status = ee_trace_open(in[0], &trace);
  if (status == EE_OK) status = ee_exits_load(in[1], &table);
  if (status == EE_OK && costs) status = ee_offload_costs_load(in[0], &o->offload_changes);
  if (status == EE_OK) {
    const ee_trace_header *header = ee_trace_file_header(trace);
    o->epoch                      = header->epoch_samples;
    o->delay                      = delay;
    o->seed                       = header->seed;
    status                        = compare(trace, table, header->policy, o);
  }
  free(o->offload_changes.change);
  ee_exit_table_destroy(&table);
  ee_trace_file_close(&trace);
  return status;
}

int main(int argc, char **argv) {
  ee_replay_options o        = ee_replay_defaults();
  int               delay    = 1, n;
  bool              costs    = false, help;
  const char       *in[2]    = {NULL, NULL};
  const ee_option   option[] = {
        {"lambda", 0, EE_OPTION_DOUBLE, &o.costs.layer, "X", "cost of a layer", 0, 8},
        {"delay", 0, EE_OPTION_INT, &delay, "N", "of control", 0, 65536},
        {"costs", 0, EE_OPTION_FLAG, &costs, NULL, "costs of offloading as the trace has them", 0, 0},
  };
  const ee_command_line line   = {"compare_replay [options] TRACE.h5 EXITS.h5",
                                  "Same decisions?",
                                  option,
                                  sizeof option / sizeof option[0],
                                  2,
                                  2};
  ee_status             status = ee_options_parse(&line, argc, argv, in, &n, &help);
  if (status == EE_OK && !help) status = open_and_compare(in, delay, costs, &o);
  if (status != EE_OK) fprintf(stderr, "compare_replay: %s\n", ee_status_message());
  if (n_differences > 0) printf("%lld samples differ\n", (long long)n_differences);
  return status != EE_OK || n_differences > 0;
}
