/* SPDX-License-Identifier: Apache-2.0 */
/* Least latency within a period: the recurrence of the exact planner with sums instead of maxima,
 * over the stages and links that keep to the period. */
#include "latency.h"

#include <math.h>
#include <stdlib.h>

#define PENALTY 1e-13  // of the time of all layers on the fastest device

static double *finish_of(const ee_latency_search *s, int p) {
  return s->finish + (size_t)p * ((size_t)s->loads.chain->n_layers + 1);
}

static ee_hop *hop_of(const ee_latency_search *s, int p) {
  return s->hop + (size_t)p * ((size_t)s->loads.chain->n_layers + 1);
}

ee_status ee_latency_search_create(const ee_chain *chain, ee_latency_search *s) {
  *s = (ee_latency_search){0};
  EE_TRY(ee_loads_create(chain, &s->loads));
  size_t cuts = (size_t)chain->n_layers + 1, devices = (size_t)chain->n_devices;
  double fastest = 0.0;
  for (int d = 0; d < chain->n_devices; d++) fastest = fmax(fastest, chain->speed[d]);

  s->penalty = PENALTY * s->loads.work[chain->n_layers] / fastest;
  s->finish  = calloc(devices, cuts * sizeof *s->finish);
  s->hop     = calloc(devices, cuts * sizeof *s->hop);
  s->gate    = calloc(cuts, 2 * sizeof *s->gate);
  s->holder  = calloc(cuts, 2 * sizeof *s->holder);
  if (s->finish == NULL || s->hop == NULL || s->gate == NULL || s->holder == NULL) {
    return EE_FAIL(EE_ERR_NOMEM, "to plan %d layers on %d devices", chain->n_layers,
                   chain->n_devices);
  }
  s->least = s->gate + cuts;
  s->queue = s->holder + cuts;
  return EE_OK;
}

void ee_latency_search_destroy(ee_latency_search *s) {
  ee_loads_destroy(&s->loads);
  free(s->finish);
  free(s->hop);
  free(s->gate);    // one block: gate, least
  free(s->holder);  // one block: holder, queue
}

/* Device p may begin at cut i after device q if the link keeps to the period. */
static void open_gate(ee_latency_search *s, double period, int q, int p, int i) {
  const ee_chain *chain = s->loads.chain;
  if (chain->cut_allowed != NULL && !chain->cut_allowed[i]) return;
  if (ee_link_load(chain, q, p, i) > period) return;
  double until = finish_of(s, q)[i] + ee_link_delay(chain, q, p, i) + s->penalty;
  if (until >= s->gate[i]) return;
  s->gate[i]           = until;
  hop_of(s, p)[i].from = q;
}

static void open_gates(ee_latency_search *s, double period, int p) {
  const ee_chain *chain = s->loads.chain;
  for (int i = 0; i < chain->n_layers; i++) s->gate[i] = INFINITY;
  if (ee_source_load(chain, p) <= period) {
    s->gate[0]           = ee_source_delay(chain, p);
    hop_of(s, p)[0].from = -1;
  }
  if (s->loads.cut != NULL) {
    for (int i = 1; i < chain->n_layers; i++) {
      if (isfinite(s->least[i])) open_gate(s, period, s->holder[i], p, i);
    }
    return;
  }
  for (int q = 0; q < p; q++) {
    const double *finish = finish_of(s, q);
    for (int i = 1; i < chain->n_layers; i++) {
      if (isfinite(finish[i])) open_gate(s, period, q, p, i);
    }
  }
}

/* Device p's memory is not limited.  Time is added up, so where to begin for one end is where to
 * begin for all ends within the period: the queue holds cuts of rising gate less the work before.
 */
static void finish_unlimited(ee_latency_search *s, double period, int p) {
  const double *work = s->loads.work, *gate = s->gate;
  double        speed = s->loads.chain->speed[p];
  int           first = 0, n = 0;
  for (int j = 1; j <= s->loads.chain->n_layers; j++) {
    double key = gate[j - 1] - work[j - 1] / speed;
    while (n > first && gate[s->queue[n - 1]] - work[s->queue[n - 1]] / speed >= key) n--;
    s->queue[n++] = j - 1;
    while (first < n && ee_stage_load(&s->loads, p, s->queue[first], j) > period) first++;
    if (first == n) continue;
    int i                 = s->queue[first];
    finish_of(s, p)[j]    = gate[i] + ee_stage_load(&s->loads, p, i, j);
    hop_of(s, p)[j].begin = i;
  }
}

/* Device p's memory is limited, or copying makes loads uneven: every cut is tried. */
static void finish_uneven(ee_latency_search *s, double period, int p) {
  double *finish = finish_of(s, p);
  for (int j = 1; j <= s->loads.chain->n_layers; j++) {
    for (int i = j - 1; i >= 0; i--) {
      if (ee_stage_floor(&s->loads, p, i, j) > period) break;  // and so are all before
      double load = ee_stage_load(&s->loads, p, i, j);
      if (load > period || s->gate[i] + load >= finish[j] || !ee_stage_fits(&s->loads, p, i, j))
        continue;
      finish[j]             = s->gate[i] + load;
      hop_of(s, p)[j].begin = i;
    }
  }
}

static void search(ee_latency_search *s, double period) {
  const ee_chain *chain = s->loads.chain;
  for (int j = 0; j <= chain->n_layers; j++) s->least[j] = INFINITY;
  for (int p = 0; p < chain->n_devices; p++) {
    double *finish = finish_of(s, p);
    for (int j = 0; j <= chain->n_layers; j++) finish[j] = INFINITY;
    if (!ee_chain_present(chain, p)) continue;

    open_gates(s, period, p);
    if (ee_chain_limited(chain, p) || chain->copy_work != NULL) {
      finish_uneven(s, period, p);
    } else {
      finish_unlimited(s, period, p);
    }
    for (int j = 1; j <= chain->n_layers; j++) {
      if (finish[j] >= s->least[j]) continue;
      s->least[j]  = finish[j];
      s->holder[j] = p;
    }
  }
}

/* Stages from the last to the first; with `plan` NULL they are only counted. */
static int walk(const ee_latency_search *s, ee_plan *plan) {
  int n = 0, end = s->loads.chain->n_layers, device = s->holder[end];
  while (device >= 0) {
    int begin = hop_of(s, device)[end].begin;
    if (plan != NULL) plan->stage[plan->n_stages - 1 - n] = (ee_stage){begin, end, device};
    device = hop_of(s, device)[begin].from;
    end    = begin;
    n++;
  }
  return n;
}

ee_status ee_latency_search_run(ee_latency_search *s, double period, ee_plan **plan) {
  const ee_chain *chain = s->loads.chain;
  *plan                 = NULL;
  search(s, period);
  if (!isfinite(s->least[chain->n_layers])) return EE_OK;
  EE_TRY(ee_plan_create(chain->n_layers, chain->n_devices, walk(s, NULL), plan));
  walk(s, *plan);
  return EE_OK;
}
