/* SPDX-License-Identifier: Apache-2.0 */
#include "move.h"

#include <math.h>
#include <string.h>

/* Bytes of a stage of @p plan on device d: slots, what it takes to run, and the weights of layers
 * that @p other's stage there does not hold. */
static double stage_bytes(const ee_chain *c, const ee_plan *plan, const ee_plan *other, int d) {
  int s = ee_plan_stage_of_device(plan, d);
  int o = other != NULL ? ee_plan_stage_of_device(other, d) : -1;
  if (s < 0) return 0.0;
  int    begin = plan->stage[s].begin, end = plan->stage[s].end;
  double bytes =
      ee_partition_message_bytes(c, begin, end) + ee_partition_more_message_bytes(c, plan, s);
  if (c->run_bytes != NULL) bytes += c->run_bytes[begin * (c->n_layers + 1) + end];
  for (int l = begin; l < end; l++) {
    bool held = o >= 0 && l >= other->stage[o].begin && l < other->stage[o].end;
    if (held) continue;
    bytes += c->weight_bytes[l] + (c->packed_bytes != NULL ? c->packed_bytes[l] : 0.0);
  }
  return bytes;
}

ee_shortage ee_move_shortage(const ee_estimate *e, const ee_plan *before, const ee_plan *after) {
  for (int d = 0; d < e->n_devices; d++) {
    double both =
        stage_bytes(&e->chain, before, NULL, d) + stage_bytes(&e->chain, after, before, d);
    if (e->memory[d] > 0.0 && ee_plan_stage_of_device(after, d) >= 0 && both > e->memory[d]) {
      return (ee_shortage){d, both, e->memory[d]};
    }
  }
  return (ee_shortage){.device = -1};
}

/* Whether the same devices serve in the same order. */
static bool same_devices(const ee_plan *a, const ee_plan *b) {
  if (a->n_stages != b->n_stages) return false;
  for (int s = 0; s < a->n_stages; s++) {
    int n = ee_plan_width(a, s);
    if (ee_plan_width(b, s) != n) return false;
    for (int k = 0; k < n; k++) {
      if (ee_plan_device(a, s, k) != ee_plan_device(b, s, k)) return false;
    }
  }
  return true;
}

/* The end of a stage, a part of the way from one to another, at a cut that is allowed. */
static int end_on_the_way(const ee_chain *c, int from, int to, double part) {
  int end = (int)lround(from + part * (to - from));
  while (c->cut_allowed != NULL && !c->cut_allowed[end] && end != from) end += from > end ? 1 : -1;
  return end;
}

/* Stages of the plan on the way; false if one would be empty or nothing moves. */
static bool go_part(const ee_chain *c, const ee_plan *before, const ee_plan *after, double part,
                    ee_plan *step) {
  int begin = 0, moved = 0;
  for (int s = 0; s < step->n_stages; s++) {
    int from = before->stage[s].end, end = end_on_the_way(c, from, after->stage[s].end, part);
    if (end <= begin) return false;
    moved += end != from;
    step->stage[s] = (ee_stage){begin, end, before->stage[s].device};
    begin          = end;
  }
  return moved > 0;
}

ee_status ee_move_step(const ee_estimate *e, const ee_plan *before, const ee_plan *after,
                       ee_plan **step) {
  *step = NULL;
  if (!same_devices(before, after)) return EE_OK;
  EE_TRY(ee_plan_copy(before, step));
  for (double part = 0.5; part * before->n_layers >= 0.5; part /= 2.0) {
    if (!go_part(&e->chain, before, after, part, *step)) continue;
    if (ee_move_shortage(e, before, *step).device < 0) return EE_OK;
  }
  ee_plan_destroy(step);
  return EE_OK;
}
