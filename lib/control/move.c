/* SPDX-License-Identifier: Apache-2.0 */
#include "move.h"

#include <math.h>
#include <string.h>

/* What is about one layer on its way over a link: its seconds without latency. */
static double through_seconds(const ee_estimate *e, int layer, int from, int to) {
  double bandwidth = e->bandwidth[from * e->n_devices + to];
  return bandwidth > 0.0 ? e->weight_bytes[layer] / bandwidth : 0.0;
}

static double file_seconds(const ee_estimate *e, int layer, int to) {
  return e->file_rate[to] > 0.0 ? e->weight_bytes[layer] / e->file_rate[to] : 0.0;
}

bool ee_layer_from_file(const ee_estimate *e, ee_weights how, int layer, int from, int to) {
  if (how != EE_WEIGHTS_AUTO) return how == EE_WEIGHTS_FILE;
  if (e->file_rate[to] <= 0.0) return false;
  double latency = e->latency[from * e->n_devices + to];
  return file_seconds(e, layer, to) < latency + through_seconds(e, layer, from, to);
}

double ee_move_seconds(const ee_estimate *e, ee_weights how, const ee_plan *before,
                       const ee_plan *after) {
  double slowest = 0.0, read = 0.0;
  // Two devices have at most one run of layers to move, since a device has one stage in a plan.
  for (int a = 0, b = 0, l = 0; l < after->n_layers;) {
    const ee_stage *from = &before->stage[a], *to = &after->stage[b];
    int             end  = from->end < to->end ? from->end : to->end;
    double          sent = -1.0;  // nothing yet
    if (l == to->begin) read = 0.0;
    for (; l < end; l++) {
      if (from->device == to->device) continue;
      if (ee_layer_from_file(e, how, l, from->device, to->device)) {
        read += file_seconds(e, l, to->device);
      } else {
        sent = fmax(sent, 0.0) + through_seconds(e, l, from->device, to->device);
      }
    }
    if (sent >= 0.0) sent += e->latency[from->device * e->n_devices + to->device];
    slowest = fmax(slowest, fmax(sent, read));
    a += from->end == end;
    b += to->end == end;
  }
  return slowest;
}

/* Bytes of a stage of @p plan on device d: slots, what it takes to run, and the weights of layers
 * that @p other's stage there does not hold. */
static double stage_bytes(const ee_chain *c, const ee_plan *plan, const ee_plan *other, int d) {
  int s = ee_plan_stage_of_device(plan, d);
  int o = other != NULL ? ee_plan_stage_of_device(other, d) : -1;
  if (s < 0) return 0.0;
  int    begin = plan->stage[s].begin, end = plan->stage[s].end;
  double bytes = ee_partition_message_bytes(c, begin, end);
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
    if (a->stage[s].device != b->stage[s].device) return false;
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
