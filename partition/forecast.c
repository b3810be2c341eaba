/* SPDX-License-Identifier: Apache-2.0 */
/* What a given plan promises: loads of its stages and links, period, latency and lower bound. */
#include <math.h>

#include "chain.h"

double ee_partition_stage_seconds(const ee_chain *chain, const ee_plan *plan, int s) {
  const ee_stage *stage = &plan->stage[s];
  double          sum = 0.0, before = 0.0;
  if (!ee_chain_present(chain, stage->device)) return INFINITY;

  // From the first layer on, so that the doubles are those of the planner's prefix sums.
  for (int l = 0; l < stage->end; l++) {
    if (l == stage->begin) before = sum;
    sum += ee_chain_layer_work(chain, l);
  }
  return (sum - before) / chain->speed[stage->device];
}

double ee_partition_link_seconds(const ee_chain *chain, const ee_plan *plan, int s) {
  if (s < 0) return ee_source_load(chain, plan->stage[0].device);
  if (s + 1 >= plan->n_stages) return 0.0;
  return ee_link_load(chain, plan->stage[s].device, plan->stage[s + 1].device, plan->stage[s].end);
}

double ee_partition_message_bytes(const ee_chain *chain, int i, int j) {
  double in = chain->slots, out = chain->slots > 1 ? chain->slots + 1 : chain->slots;
  return chain->message_samples * (in * chain->cut_bytes[i] + out * chain->cut_bytes[j]);
}

double ee_partition_stage_bytes(const ee_chain *chain, const ee_plan *plan, int s) {
  const ee_stage *stage = &plan->stage[s];
  double          bytes = ee_partition_message_bytes(chain, stage->begin, stage->end);
  for (int l = stage->begin; l < stage->end && chain->weight_bytes != NULL; l++) {
    bytes += chain->weight_bytes[l];
  }
  return bytes;
}

double ee_partition_head_seconds(const ee_chain *chain, const ee_plan *plan, int e) {
  int    layer = chain->attach[e];
  double speed = chain->speed[plan->stage[ee_plan_stage_of_layer(plan, layer)].device];
  return chain->reach[layer] * chain->head_work[e] / speed;
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

ee_status ee_chain_check_plan(const ee_chain *chain, const ee_plan *plan) {
  if (plan->n_layers != chain->n_layers || plan->n_devices != chain->n_devices) {
    return EE_FAIL(EE_ERR_ARG, "the plan is for %d layers on %d devices, the chain has %d and %d",
                   plan->n_layers, plan->n_devices, chain->n_layers, chain->n_devices);
  }
  return ee_plan_check(plan);
}

ee_status ee_partition_fits(const ee_chain *chain, const ee_plan *plan) {
  ee_loads loads;
  EE_TRY(ee_chain_check_plan(chain, plan));
  EE_TRY(ee_loads_create(chain, &loads));

  ee_status status = EE_OK;
  for (int s = 0; s < plan->n_stages && status == EE_OK; s++) {
    const ee_stage *stage = &plan->stage[s];
    if (ee_stage_fits(&loads, stage->device, stage->begin, stage->end)) continue;
    status = EE_FAIL(EE_ERR_ARG,
                     "layers %d to %d need %.0f byte with their messages, device %d has %.0f byte",
                     stage->begin, stage->end - 1, ee_stage_bytes(&loads, stage->begin, stage->end),
                     stage->device, chain->memory[stage->device]);
  }
  ee_loads_destroy(&loads);
  return status;
}

/* Seconds of one sample alone on the link that leaves stage s: its message waits for no other. */
static double link_latency(const ee_chain *chain, const ee_plan *plan, int s) {
  if (s < 0) return ee_source_delay(chain, plan->stage[0].device);
  return ee_link_delay(chain, plan->stage[s].device, plan->stage[s + 1].device, plan->stage[s].end);
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
    const ee_stage *stage   = &plan->stage[s];
    bool            present = ee_chain_present(chain, stage->device);
    double          load =
        present ? ee_stage_load(&loads, stage->device, stage->begin, stage->end) : INFINITY;
    take(forecast, load, false, s);
    forecast->latency += load;
  }
  for (int s = -1; s < plan->n_stages - 1; s++) {
    take(forecast, ee_partition_link_seconds(chain, plan, s), true, s);
    forecast->latency += link_latency(chain, plan, s);
  }
  forecast->lower_bound = ee_partition_lower_bound(chain);
  ee_loads_destroy(&loads);
  return EE_OK;
}

double ee_partition_moved_bytes(const ee_chain *chain, const ee_plan *before,
                                const ee_plan *after) {
  double bytes = 0.0;
  for (int l = 0, a = 0, b = 0; chain->weight_bytes != NULL && l < chain->n_layers; l++) {
    while (l >= before->stage[a].end) a++;
    while (l >= after->stage[b].end) b++;
    if (before->stage[a].device != after->stage[b].device) bytes += chain->weight_bytes[l];
  }
  return bytes;
}
