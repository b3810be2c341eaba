/* SPDX-License-Identifier: Apache-2.0 */
/* The rules by which plans are adopted; a new one is one line in the list at the end. */
#include "rules.h"

#include <math.h>
#include <string.h>

#include "move.h"
#include "objective.h"

#define BALANCE_QUALITY 0.75  // of Petals: part of the best throughput that is good enough

/* Whether the rest of the stream gains more than moving costs: the present plan goes on while the
 * weights travel, and may have no more of the links than they leave it.  As if it stood still for
 * these seconds, the stream ends as much later, and those that come meanwhile wait for half of them
 * in the mean. */
static bool pays(const ee_choice *c) {
  bool   later  = c->by_latency;
  double move   = ee_move_seconds(c->estimate, c->options->weights, c->plan, c->other);
  double during = move / fmax(c->now.period, c->estimate->least_period);
  double lost   = later ? during * move / 2.0 : move;
  return (c->remaining - during) * (c->T - c->B) > lost;
}

/* The gain that is asked for: less where no layer moves, as when turns alone change. */
static double least_gain(const ee_choice *c) {
  double bytes = ee_partition_moved_bytes(&c->estimate->chain, c->plan, c->other);
  return bytes > 0.0 ? c->options->min_gain : c->options->min_gain / 2.0;
}

/* A gain that is large and sure, and worth its cost. */
static ee_verdict judge_gain(const ee_choice *c) {
  const ee_controller_options *o    = c->options;
  double                       gain = (c->T - c->B) / c->T;
  if (gain < least_gain(c)) return EE_VERDICT_KEPT_SMALL;
  if (gain <= o->error_bars *
                  ee_gain_error(c->by_latency, c->estimate, c->plan, &c->now, c->other, &c->best)) {
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
