/* SPDX-License-Identifier: Apache-2.0 */
/* What a given plan promises: loads of its stages and links, period, latency and lower bound. */
#include <math.h>

#include "chain.h"
#include "ee/link_slots.h"

double ee_partition_device_seconds(const ee_chain *chain, const ee_plan *plan, int d) {
  int             s     = ee_plan_stage_of_device(plan, d);
  const ee_stage *stage = &plan->stage[s];
  double          sum = 0.0, before = 0.0;
  if (!ee_chain_present(chain, d)) return INFINITY;

  // From the first layer on, so that the doubles are those of the planner's prefix sums.
  for (int l = 0; l < stage->end; l++) {
    if (l == stage->begin) before = sum;
    sum += ee_chain_layer_work(chain, l);
  }
  double copies = ee_chain_copy_work(chain, stage->begin, stage->end);
  return (sum - before + copies) / chain->speed[d] * ee_plan_turns(plan, d) /
         ee_plan_round(plan, s);
}

double ee_partition_stage_seconds(const ee_chain *chain, const ee_plan *plan, int s) {
  double slowest = 0.0;
  for (int k = 0; k < ee_plan_width(plan, s); k++) {
    slowest = fmax(slowest, ee_partition_device_seconds(chain, plan, ee_plan_device(plan, s, k)));
  }
  return slowest;
}

/** A figure of the link between two devices that carries a cut; from: -1, the source. */
typedef double (*link_figure)(const ee_chain *chain, int from, int to, int cut);

static double load_between(const ee_chain *chain, int from, int to, int cut) {
  return from < 0 ? ee_source_load(chain, to) : ee_link_load(chain, from, to, cut);
}

static double delay_between(const ee_chain *chain, int from, int to, int cut) {
  return from < 0 ? ee_source_delay(chain, to) : ee_link_delay(chain, from, to, cut);
}

/* Of all pairs of devices at both ends of the link that leaves stage s, each times its turns, of
 * how many in all. */
static double over_pairs(const ee_chain *chain, const ee_plan *plan, int s, link_figure figure,
                         double *most, double *sum) {
  int left = s < 0 ? 1 : ee_plan_width(plan, s), right = ee_plan_width(plan, s + 1);
  *most = *sum = 0.0;
  for (int i = 0; i < left; i++) {
    int from = s < 0 ? -1 : ee_plan_device(plan, s, i);
    for (int k = 0; k < right; k++) {
      int    to  = ee_plan_device(plan, s + 1, k);
      double one = figure(chain, from, to, plan->stage[s + 1].begin) * ee_plan_turns(plan, to);
      if (from >= 0) one *= ee_plan_turns(plan, from);
      *most = fmax(*most, one);
      *sum += one;
    }
  }
  return (double)ee_plan_round(plan, s + 1) * (s < 0 ? 1 : ee_plan_round(plan, s));
}

double ee_partition_link_seconds(const ee_chain *chain, const ee_plan *plan, int s) {
  double most, sum;
  if (s + 1 >= plan->n_stages) return 0.0;
  double all = over_pairs(chain, plan, s, load_between, &most, &sum);
  return most / all;
}

/* Messages that a link holds at its receiving end, and at its sending end. */
static double slots_in(const ee_chain *chain) {
  return chain->slots;
}

static double slots_out(const ee_chain *chain) {
  return ee_outbox_buffers(chain->slots);
}

double ee_partition_message_bytes(const ee_chain *chain, int i, int j) {
  return chain->message_samples *
         (slots_in(chain) * chain->cut_bytes[i] + slots_out(chain) * chain->cut_bytes[j]);
}

double ee_partition_more_message_bytes(const ee_chain *chain, const ee_plan *plan, int s) {
  const ee_stage *stage = &plan->stage[s];
  int             in    = s > 0 ? ee_plan_width(plan, s - 1) - 1 : 0;
  int             out   = s + 1 < plan->n_stages ? ee_plan_width(plan, s + 1) - 1 : 0;
  return chain->message_samples * (in * slots_in(chain) * chain->cut_bytes[stage->begin] +
                                   out * slots_out(chain) * chain->cut_bytes[stage->end]);
}

double ee_partition_stage_bytes(const ee_chain *chain, const ee_plan *plan, int s) {
  const ee_stage *stage = &plan->stage[s];
  double          bytes = ee_partition_message_bytes(chain, stage->begin, stage->end) +
                 ee_chain_run_bytes(chain, stage->begin, stage->end);
  for (int l = stage->begin; l < stage->end; l++) bytes += ee_chain_held_bytes(chain, l);
  return bytes + ee_partition_more_message_bytes(chain, plan, s);
}

double ee_partition_head_seconds(const ee_chain *chain, const ee_plan *plan, int e) {
  int    layer = chain->attach[e], s = ee_plan_stage_of_layer(plan, layer);
  double slowest = 0.0;  // turns over speed
  for (int k = 0; k < ee_plan_width(plan, s); k++) {
    int d   = ee_plan_device(plan, s, k);
    slowest = fmax(slowest, ee_plan_turns(plan, d) / chain->speed[d]);
  }
  return chain->reach[layer] * chain->head_work[e] * slowest / ee_plan_round(plan, s);
}

double ee_partition_lower_bound(const ee_chain *chain) {
  double work = 0.0, heaviest = 0.0, speed = 0.0, fastest = 0.0;
  for (int l = 0; l < chain->n_layers; l++) {
    double here = ee_chain_layer_work(chain, l);
    work += here;
    heaviest = fmax(heaviest, here);
  }
  for (int d = 0; d < chain->n_devices; d++) {
    speed += chain->speed[d];
    fastest = fmax(fastest, chain->speed[d]);
  }
  return speed > 0.0 ? fmax(work / speed, heaviest / fastest) : INFINITY;
}

double ee_partition_spread_bound(const ee_chain *chain) {
  double work = 0.0, speed = 0.0;
  for (int l = 0; l < chain->n_layers; l++) work += ee_chain_layer_work(chain, l);
  for (int d = 0; d < chain->n_devices; d++) speed += chain->speed[d];
  return speed > 0.0 ? work / speed : INFINITY;
}

ee_status ee_chain_check_plan(const ee_chain *chain, const ee_plan *plan) {
  if (plan->n_layers != chain->n_layers || plan->n_devices != chain->n_devices) {
    return EE_FAIL(EE_ERR_ARG, "the plan is for %d layers on %d devices, the chain has %d and %d",
                   plan->n_layers, plan->n_devices, chain->n_layers, chain->n_devices);
  }
  return ee_plan_check(plan);
}

/* The first device of stage s whose memory is too small for what it needs; -1: all have room. */
static int too_small(const ee_chain *chain, const ee_plan *plan, int s, double needs) {
  for (int k = 0; k < ee_plan_width(plan, s); k++) {
    int d = ee_plan_device(plan, s, k);
    if (ee_chain_limited(chain, d) && needs > chain->memory[d]) return d;
  }
  return -1;
}

ee_status ee_partition_fits(const ee_chain *chain, const ee_plan *plan) {
  ee_loads loads;
  EE_TRY(ee_chain_check_plan(chain, plan));
  EE_TRY(ee_loads_create(chain, &loads));

  ee_status status = EE_OK;
  for (int s = 0; s < plan->n_stages && status == EE_OK; s++) {
    const ee_stage *stage = &plan->stage[s];
    double          needs = ee_stage_bytes(&loads, stage->begin, stage->end) +
                   ee_partition_more_message_bytes(chain, plan, s);
    int d = too_small(chain, plan, s, needs);
    if (d < 0) continue;
    status = EE_FAIL(EE_ERR_ARG,
                     "layers %d to %d need %.0f byte with their messages, device %d has %.0f byte",
                     stage->begin, stage->end - 1, needs, d, chain->memory[d]);
  }
  ee_loads_destroy(&loads);
  return status;
}

/* Seconds of one sample alone on the link that leaves stage s: its message waits for no other.  It
 * takes each of several ways as often as devices have turns. */
static double link_latency(const ee_chain *chain, const ee_plan *plan, int s) {
  double most, sum;
  double all = over_pairs(chain, plan, s, delay_between, &most, &sum);
  return sum / all;
}

/* Seconds per sample of stage s: of the slowest of its devices, which take turns, and of a sample
 * that meets each as often as it has turns. */
static double stage_load(const ee_loads *loads, const ee_plan *plan, int s, double *latency) {
  const ee_stage *stage   = &plan->stage[s];
  double          slowest = 0.0, sum = 0.0;
  int             round = ee_plan_round(plan, s);
  for (int k = 0; k < ee_plan_width(plan, s); k++) {
    int    d   = ee_plan_device(plan, s, k);
    double one = ee_chain_present(loads->chain, d)
                     ? ee_stage_load(loads, d, stage->begin, stage->end)
                     : INFINITY;
    one *= ee_plan_turns(plan, d);
    slowest = fmax(slowest, one);
    sum += one;
  }
  *latency = sum / round;
  return slowest / round;
}

/* Take a load into the forecast; the first of equal ones is the bottleneck. */
static void take(ee_forecast *forecast, double load, bool link, int stage) {
  if (load <= forecast->period) return;
  forecast->period = load;
  forecast->link   = link;
  forecast->stage  = stage;
}

ee_status ee_partition_forecast(const ee_chain *chain, const ee_plan *plan, ee_forecast *forecast) {
  ee_loads loads;
  EE_TRY(ee_chain_check_plan(chain, plan));
  EE_TRY(ee_loads_create(chain, &loads));

  *forecast = (ee_forecast){0};  // if nothing takes time, the first stage is the bottleneck
  for (int s = 0; s < plan->n_stages; s++) {
    double latency;
    take(forecast, stage_load(&loads, plan, s, &latency), false, s);
    forecast->latency += latency;
  }
  for (int s = -1; s < plan->n_stages - 1; s++) {
    take(forecast, ee_partition_link_seconds(chain, plan, s), true, s);
    forecast->latency += link_latency(chain, plan, s);
  }
  forecast->lower_bound =
      plan->n_replicas > 0 ? ee_partition_spread_bound(chain) : ee_partition_lower_bound(chain);
  ee_loads_destroy(&loads);
  return EE_OK;
}

double ee_partition_moved_bytes(const ee_chain *chain, const ee_plan *before,
                                const ee_plan *after) {
  double bytes = 0.0;
  for (int b = 0; chain->weight_bytes != NULL && b < after->n_stages; b++) {
    for (int k = 0; k < ee_plan_width(after, b); k++) {
      int held = ee_plan_stage_of_device(before, ee_plan_device(after, b, k));
      for (int l = after->stage[b].begin; l < after->stage[b].end; l++) {
        if (ee_plan_stage_of_layer(before, l) != held) bytes += chain->weight_bytes[l];
      }
    }
  }
  return bytes;
}
