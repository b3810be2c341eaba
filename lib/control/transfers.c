/* SPDX-License-Identifier: Apache-2.0 */
#include "transfers.h"

#include <math.h>
#include <stdlib.h>

#define OWNERS_TRIED 16

/* Layers [begin, end) that device `to` lacks, all of one old stage, of which `from` would send. */
typedef struct need {
  int begin, end, from, to;
} need;

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

static double need_seconds(const ee_estimate *e, const need *n, int from) {
  double sum = e->latency[from * e->n_devices + n->to];
  for (int l = n->begin; l < n->end; l++) sum += through_seconds(e, l, from, n->to);
  return sum;
}

/* The device of stage s of the old plan that sends what is needed soonest. */
static int choose_owner(const ee_estimate *e, const ee_plan *before, int s, const need *n) {
  int    width = ee_plan_width(before, s), best = -1;
  double least = INFINITY;
  for (int i = 0; i < width && i < OWNERS_TRIED; i++) {
    int    d       = ee_plan_device(before, s, (n->to + i) % width);
    double seconds = need_seconds(e, n, d);
    if (best >= 0 && seconds >= least) continue;
    best  = d;
    least = seconds;
  }
  return best;
}

/* Call @p take for all that device `to` needs, which gets layers [begin, end). */
static ee_status each_need(const ee_estimate *e, const ee_plan *before, int to, int begin, int end,
                           ee_status (*take)(void *context, const need *n), void *context) {
  int held = ee_plan_stage_of_device(before, to);
  for (int s = ee_plan_stage_of_layer(before, begin); begin < end; s++) {
    int  stop = before->stage[s].end < end ? before->stage[s].end : end;
    need n    = {begin, stop, -1, to};
    begin     = stop;
    if (s == held) continue;
    n.from = choose_owner(e, before, s, &n);
    EE_TRY(take(context, &n));
  }
  return EE_OK;
}

/* The same for all devices. */
static ee_status all_needs(const ee_estimate *e, const ee_plan *before, const ee_plan *after,
                           ee_status (*take)(void *context, const need *n), void *context) {
  for (int s = 0; s < after->n_stages; s++) {
    const ee_stage *stage = &after->stage[s];
    for (int k = 0; k < ee_plan_width(after, s); k++) {
      int to = ee_plan_device(after, s, k);
      EE_TRY(each_need(e, before, to, stage->begin, stage->end, take, context));
    }
  }
  return EE_OK;
}

/** What is made of the needs: a list, or seconds. */
typedef struct listing {
  const ee_estimate *estimate;
  ee_weights         how;
  ee_transfers      *transfers;  // to be filled
  int                reader;     // device whose reading is summed up
  double             read;       // by it so far [s]
  double             slowest;    // pair or reader so far [s]
} listing;

static ee_status list_need(void *context, const need *n) {
  const listing *list  = context;
  ee_transfers  *t     = list->transfers;
  size_t         count = (size_t)t->n + (size_t)(n->end - n->begin);
  ee_transfer   *of    = realloc(t->of, count * sizeof *of);
  if (of == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %zu layers that move", count);
  t->of = of;
  for (int l = n->begin; l < n->end; l++) {
    bool file  = ee_layer_from_file(list->estimate, list->how, l, n->from, n->to);
    of[t->n++] = (ee_transfer){.layer = l, .to = n->to, .from = file ? -1 : n->from};
  }
  return EE_OK;
}

static ee_status time_need(void *context, const need *n) {
  listing           *list = context;
  const ee_estimate *e    = list->estimate;
  double             sent = -1.0;  // nothing yet
  if (list->reader != n->to) list->read = 0.0;
  list->reader = n->to;
  for (int l = n->begin; l < n->end; l++) {
    if (ee_layer_from_file(e, list->how, l, n->from, n->to)) {
      list->read += file_seconds(e, l, n->to);
    } else {
      sent = fmax(sent, 0.0) + through_seconds(e, l, n->from, n->to);
    }
  }
  if (sent >= 0.0) sent += e->latency[n->from * e->n_devices + n->to];
  list->slowest = fmax(list->slowest, fmax(sent, list->read));
  return EE_OK;
}

ee_status ee_transfers_open(const ee_estimate *e, ee_weights how, const ee_plan *before,
                            const ee_plan *after, ee_transfers *transfers) {
  listing list     = {.estimate = e, .how = how, .transfers = transfers};
  *transfers       = (ee_transfers){.n = 0};
  ee_status status = all_needs(e, before, after, list_need, &list);
  if (status != EE_OK) ee_transfers_close(transfers);
  return status;
}

void ee_transfers_close(ee_transfers *transfers) {
  free(transfers->of);
  *transfers = (ee_transfers){.n = 0};
}

double ee_move_seconds(const ee_estimate *e, ee_weights how, const ee_plan *before,
                       const ee_plan *after) {
  listing list = {.estimate = e, .how = how, .reader = -1};
  all_needs(e, before, after, time_need, &list);  // which never fails
  return list.slowest;
}
