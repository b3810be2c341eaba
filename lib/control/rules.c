/* SPDX-License-Identifier: Apache-2.0 */
/* The rules by which plans are adopted; a new one is one line in the list at the end. */
#include "rules.h"

#include <math.h>
#include <string.h>

#include "objective.h"

#define BALANCE_QUALITY \
  0.75  // of Petals: rebalance below this part of the throughput there could be

double ee_move_seconds(const ee_estimate *e, const ee_plan *before, const ee_plan *after) {
  double slowest = 0.0;
  // Two devices have at most one run of layers to move, since a device has one stage in a plan.
  for (int a = 0, b = 0, l = 0; l < after->n_layers;) {
    const ee_stage *from = &before->stage[a], *to = &after->stage[b];
    int             end   = from->end < to->end ? from->end : to->end;
    int             at    = from->device * e->n_devices + to->device;
    double          bytes = 0.0;
    for (; l < end; l++) bytes += e->weight_bytes[l];
    double through = e->bandwidth[at] > 0.0 ? bytes / e->bandwidth[at] : 0.0;
    if (from->device != to->device) slowest = fmax(slowest, e->latency[at] + through);
    a += from->end == end;
    b += to->end == end;
  }
  return slowest;
}

/* Bytes of a stage of @p plan on device d: slots, and the weights of layers that @p other's stage
 * there does not hold. */
static double stage_bytes(const ee_chain *c, const ee_plan *plan, const ee_plan *other, int d) {
  int s = ee_plan_stage_of_device(plan, d);
  int o = other != NULL ? ee_plan_stage_of_device(other, d) : -1;
  if (s < 0) return 0.0;
  int    begin = plan->stage[s].begin, end = plan->stage[s].end;
  double bytes = ee_partition_message_bytes(c, begin, end);
  for (int l = begin; l < end; l++) {
    bool held = o >= 0 && l >= other->stage[o].begin && l < other->stage[o].end;
    if (!held) bytes += c->weight_bytes[l];
  }
  return bytes;
}

bool ee_move_fits(const ee_estimate *e, const ee_plan *before, const ee_plan *after) {
  for (int d = 0; d < e->n_devices; d++) {
    double both =
        stage_bytes(&e->chain, before, NULL, d) + stage_bytes(&e->chain, after, before, d);
    if (e->memory[d] > 0.0 && ee_plan_stage_of_device(after, d) >= 0 && both > e->memory[d]) {
      return false;
    }
  }
  return true;
}

/* Whether the rest of the stream gains more than moving costs: the present plan goes on while the
 * weights travel, and may have no more of the links than they leave it.  As if it stood still for
 * these seconds, the stream ends as much later, and those that come meanwhile wait for half of them
 * in the mean. */
static bool pays(const ee_choice *c) {
  bool   later = c->options->planner->by_latency;
  double move =
      c->options->weights_from_file ? 0.0 : ee_move_seconds(c->estimate, c->plan, c->other);
  double during = move / c->now.period;
  double lost   = later ? during * move / 2.0 : move;
  return (c->remaining - during) * (c->T - c->B) > lost;
}

/* A gain that is large and sure, and worth its cost. */
static ee_verdict judge_gain(const ee_choice *c) {
  const ee_controller_options *o    = c->options;
  double                       gain = (c->T - c->B) / c->T;
  if (gain < o->min_gain) return EE_VERDICT_KEPT_SMALL;
  if (gain <= o->error_bars *
                  ee_gain_error(o->planner, c->estimate, c->plan, &c->now, c->other, &c->best)) {
    return EE_VERDICT_KEPT_NOISE;
  }
  return pays(c) ? EE_VERDICT_ADOPTED : EE_VERDICT_KEPT_COST;
}

/* Throughput T is too small a part of what it could be. */
static ee_verdict judge_quality(const ee_choice *c) {
  return c->B / c->T < BALANCE_QUALITY ? EE_VERDICT_ADOPTED : EE_VERDICT_KEPT_SMALL;
}

static const ee_rule gain = {
    .name    = "gain",
    .help    = "a gain above --min-gain and its error bar that repays the move and lasts",
    .judge   = judge_gain,
    .patient = true,
    .near    = true,
};
static const ee_rule petals = {
    .name            = "petals",
    .help            = "Petals': at random times, if throughput is below 0.75 of the best",
    .judge           = judge_quality,
    .at_random_times = true,
};

static const ee_rule *const table[] = {&gain, &petals, NULL};

const ee_rule *const *ee_rules(void) {
  return table;
}

const ee_rule *ee_rule_by_name(const char *name) {
  const ee_rule *const *rule = table;
  while (*rule != NULL && strcmp((*rule)->name, name) != 0) rule++;
  return *rule;
}
