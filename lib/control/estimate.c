/* SPDX-License-Identifier: Apache-2.0 */
#include "estimate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ee/controller.h"

#define SMOOTHING 0.5    // weight of the newest epoch in a speed
#define CALMING 0.25     // the same of a device's unrest when it falls: alarm is quick, trust slow
#define JUMP_SPEED 0.2   // relative step of a speed that counts as a jump
#define JUMP_ERRORS 4.0  // and so many times what it is used to step
#define LINK_MEAN (1.0 / 128)   // weight of an epoch in what a link is expected to carry
#define LINK_RETURN (1.0 / 32)  // step back to that of a link that carried nothing

static ee_status allocate(ee_estimate *e, int layers, int exits) {
  size_t  p      = (size_t)e->n_devices;
  size_t  n      = (size_t)exits + 5 * (size_t)layers + 2 + 6 * p + 3 * p * p;
  double *block  = calloc(n, sizeof *block);
  e->measured    = calloc(p, sizeof *e->measured);
  e->attach      = calloc((size_t)exits, sizeof *e->attach);
  e->cut_allowed = calloc((size_t)layers + 1, sizeof *e->cut_allowed);
  e->head_work   = block;
  if (block == NULL || e->measured == NULL || e->attach == NULL || e->cut_allowed == NULL) {
    return EE_FAIL(EE_ERR_NOMEM, "for the estimates of %d devices", e->n_devices);
  }
  e->reach        = e->head_work + exits;
  e->work         = e->reach + layers;
  e->weight_bytes = e->work + layers;
  e->cut_bytes    = e->weight_bytes + layers;
  e->copy_work    = e->cut_bytes + layers + 1;
  e->speed        = e->copy_work + layers + 1;
  e->own_speed    = e->speed + p;
  e->old_speed    = e->own_speed + p;
  e->memory       = e->old_speed + p;
  e->file_rate    = e->memory + p;
  e->unrest       = e->file_rate + p;
  e->bandwidth    = e->unrest + p;
  e->expected     = e->bandwidth + p * p;
  e->latency      = e->expected + p * p;
  return EE_OK;
}

static void fill_model(ee_estimate *e, const ee_run_setup *setup) {
  const ee_model *m = e->model;
  for (int c = 0; c <= m->n_layers; c++) {
    int values;
    ee_model_cut_values(m, c, &values);
    e->cut_allowed[c] = values <= 1;
  }
  for (int l = 0; l < m->n_layers; l++) {
    e->work[l]         = ee_layer_work(setup, l);
    e->weight_bytes[l] = (double)m->layer[l].weight_bytes;
    e->reach[l]        = 1.0;
  }
  for (int c = 0; c <= m->n_layers; c++) {
    e->cut_bytes[c] = (double)ee_link_cut_bytes(m, c, ee_run_link_values(setup, c));
    e->copy_work[c] = ee_copy_work(setup, c);
  }
  for (int x = 0; x < m->n_exits; x++) {
    e->head_work[x] = ee_head_work(setup, x);
    e->attach[x]    = m->exit[x].attach;
  }
}

static void fill_fleet(ee_estimate *e, const ee_run_setup *setup) {
  int p = e->n_devices;
  for (int i = 0; i < p * p && setup->link_bandwidth != NULL && !setup->links_alike; i++) {
    e->bandwidth[i] = setup->link_bandwidth[i];
    e->latency[i]   = setup->link_latency[i];
  }
  for (int d = 0; d < p; d++) {
    e->speed[d] = e->own_speed[d] = setup->host_flops > 0.0 ? setup->host_flops : EE_ASSUMED_FLOPS;
    if (setup->fleet == NULL) continue;
    e->own_speed[d] = ee_fleet_speed(setup->fleet, d, 0.0, setup->host_flops);
    e->speed[d]     = ee_fleet_away(setup->fleet, d, 0.0) ? 0.0 : e->own_speed[d];
    e->memory[d]    = setup->fleet->device[d].memory;
    e->measured[d]  = 1;  // as good as measured: the fleet says so
    for (int other = 0; other < p && !setup->links_alike; other++) {
      const ee_link_spec *link    = ee_fleet_link(setup->fleet, d, other);
      e->bandwidth[d * p + other] = ee_link_bandwidth(link, 0.0);
      e->latency[d * p + other]   = link->latency;
    }
  }
}

static bool limits_memory(const ee_run_setup *setup) {
  for (int d = 0; setup->fleet != NULL && d < setup->fleet->n_devices; d++) {
    if (setup->fleet->device[d].memory > 0.0) return true;
  }
  return false;
}

/* Also with a table of outcomes: it stands for layers that run. */
static ee_status fill_memory(ee_estimate *e, const ee_run_setup *setup) {
  const ee_model *m = setup->model;
  size_t          n = (size_t)m->n_layers + 1;
  if (setup->range_bytes != NULL || setup->backend == NULL || !limits_memory(setup)) return EE_OK;
  e->packed_bytes = calloc(n * (n + 1), sizeof *e->packed_bytes);
  if (e->packed_bytes == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the memory of %zu layers", n - 1);
  e->run_bytes = e->packed_bytes + n;
  int batch    = m->batched ? setup->batch_limit : 1;
  return ee_exec_memory_of_ranges(m, setup->backend, batch, e->packed_bytes, e->run_bytes);
}

ee_status ee_estimate_open(const ee_run_setup *setup, int n_devices, ee_estimate *e) {
  const ee_model *m    = setup->model;
  double          rate = setup->rate;
  *e                   = (ee_estimate){
                        .model = m, .n_devices = n_devices, .least_period = rate > 0.0 ? 1.0 / rate : 0.0};
  ee_status status = allocate(e, m->n_layers, m->n_exits);
  if (status == EE_OK) status = ee_shares_open(m->n_exits, EE_JUMP_BOTH, &e->shares);
  if (status == EE_OK) status = fill_memory(e, setup);
  if (status != EE_OK) {
    ee_estimate_close(e);
    return status;
  }
  fill_model(e, setup);
  fill_fleet(e, setup);
  bool          alike = setup->links_alike;
  const double *told  = setup->range_bytes;
  size_t        pairs = (size_t)n_devices * (size_t)n_devices;
  if (!alike) memcpy(e->expected, e->bandwidth, pairs * sizeof *e->expected);
  e->chain =
      (ee_chain){.n_layers     = m->n_layers,
                 .n_devices    = n_devices,
                 .n_exits      = m->n_exits,
                 .work         = e->work,
                 .reach        = e->reach,
                 .head_work    = e->head_work,
                 .attach       = e->attach,
                 .cut_bytes    = e->cut_bytes,
                 .copy_work    = setup->by_seconds && m->copy_seconds > 0.0 ? e->copy_work : NULL,
                 .cut_allowed  = setup->whole_blocks ? e->cut_allowed : NULL,
                 .weight_bytes = e->weight_bytes,
                 .packed_bytes = told != NULL ? told : e->packed_bytes,
                 .run_bytes    = told != NULL ? told + m->n_layers + 1 : e->run_bytes,
                 .speed        = e->speed,
                 .bandwidth    = alike ? setup->link_bandwidth : e->bandwidth,
                 .latency      = alike ? setup->link_latency : e->latency,
                 .links_alike  = alike,
                 .memory       = e->memory,
                 .message_samples = setup->batch_limit,
                 .slots           = setup->slots,
                 .max_period      = setup->max_period};
  return EE_OK;
}

void ee_estimate_close(ee_estimate *e) {
  ee_shares_close(&e->shares);
  free(e->head_work);     // one block: everything of type double
  free(e->packed_bytes);  // and what it takes to run
  free(e->measured);
  free(e->attach);
  free(e->cut_allowed);
  *e = (ee_estimate){0};
}

static void update_shares(ee_estimate *e, const ee_sums *sums) {
  const ee_model *m = e->model;
  ee_shares_update(&e->shares, ee_sums_left(sums));
  if (e->shares.epochs == 0) return;
  ee_reach_from_shares(m->n_layers, m->n_exits, e->attach, e->shares.share, e->reach);
}

/* One epoch's speed of one device. */
static void update_speed(ee_estimate *e, int d, double speed) {
  double step  = e->measured[d] ? (speed - e->own_speed[d]) / e->own_speed[d] : 0.0;
  double limit = fmax(JUMP_SPEED, JUMP_ERRORS * sqrt(e->unrest[d]));
  if (!e->measured[d] || fabs(step) > limit) {
    e->own_speed[d] = speed;
  } else {
    e->own_speed[d] += SMOOTHING * (speed - e->own_speed[d]);
  }
  // A jump is no noise, but many jumps are: each counts as much as a step can without being one.
  double square = fmin(step * step, limit * limit);
  double weight = square > e->unrest[d] ? SMOOTHING : CALMING;
  if (e->measured[d]) e->unrest[d] += weight * (square - e->unrest[d]);
  e->measured[d] = 1;
}

static void update_speeds(ee_estimate *e, const ee_sums *sums) {
  double sum = 0.0;
  int    n   = 0;
  for (int d = 0; d < e->n_devices; d++) {
    double work = (double)ee_sums_device(sums, d, EE_SUM_WORK);
    double busy = (double)ee_sums_device(sums, d, EE_SUM_BUSY) * 1e-9;
    if (work > 0.0 && busy > 0.0) update_speed(e, d, work / busy);
    if (e->measured[d]) sum += e->own_speed[d], n++;
  }
  for (int d = 0; d < e->n_devices; d++) {
    if (!e->measured[d] && n > 0) e->own_speed[d] = sum / n;
    e->speed[d] = ee_sums_device(sums, d, EE_SUM_AWAY) != 0 ? 0.0 : e->own_speed[d];
  }
}

/* One epoch's bandwidth of the link of pair @p at. */
static void update_link(ee_estimate *e, int at, double bandwidth) {
  double weight    = e->expected[at] > 0.0 ? LINK_MEAN : 1.0;
  e->bandwidth[at] = bandwidth;
  e->expected[at] += weight * (bandwidth - e->expected[at]);
}

/* The links into device `to` of stage s carried bytes in a time.  What the devices of the stage
 * before sent is one sum, so that their links count as equal. */
static void update_links_into(ee_estimate *e, const ee_sums *sums, const ee_plan *plan, int s,
                              int to) {
  double bytes = (double)ee_sums_device(sums, to, EE_SUM_LINK_BYTES);
  double busy  = (double)ee_sums_device(sums, to, EE_SUM_LINK_NS) * 1e-9;
  if (!(bytes > 0.0 && busy > 0.0)) return;
  for (int k = 0; k < (s > 0 ? ee_plan_width(plan, s - 1) : 1); k++) {
    int from = s > 0 ? ee_plan_device(plan, s - 1, k) : 0;
    if (from != to) update_link(e, from * e->n_devices + to, bytes / busy);
  }
}

/* Of links that carried nothing, nothing new is known. */
static void update_links(ee_estimate *e, const ee_sums *sums, const ee_plan *plan) {
  int p = e->n_devices;
  for (int i = 0; i < p * p; i++) {
    e->bandwidth[i] += LINK_RETURN * (e->expected[i] - e->bandwidth[i]);
  }
  for (int s = 0; s < plan->n_stages; s++) {
    for (int k = 0; k < ee_plan_width(plan, s); k++) {
      update_links_into(e, sums, plan, s, ee_plan_device(plan, s, k));
    }
  }
}

void ee_estimate_update(ee_estimate *e, const ee_sums *sums, const ee_plan *plan) {
  update_shares(e, sums);
  update_speeds(e, sums);
  update_links(e, sums, plan);
}

double ee_estimate_speed_error(const ee_estimate *e, int d) {
  return sqrt(e->unrest[d] * SMOOTHING / 2.0);
}
