/* SPDX-License-Identifier: Apache-2.0 */
/* Checks a chain and answers what a stage or a link of it costs. */
#include "chain.h"

#include <math.h>
#include <stdlib.h>

static ee_status check_sizes(const ee_chain *chain) {
  if (chain->n_layers < 1 || chain->n_devices < 1 || chain->n_exits < 0) {
    return EE_FAIL(EE_ERR_ARG,
                   "a chain has %d layers, %d devices and %d exits, expected at least 1, 1 and 0",
                   chain->n_layers, chain->n_devices, chain->n_exits);
  }
  if (chain->work == NULL || chain->reach == NULL || chain->cut_bytes == NULL ||
      chain->speed == NULL ||
      (chain->n_exits > 0 && (chain->attach == NULL || chain->head_work == NULL))) {
    return EE_FAIL(EE_ERR_ARG,
                   "a chain needs work, reach, heads, cut bytes and speeds; one is NULL");
  }
  if (!(chain->message_samples >= 1.0 && isfinite(chain->message_samples)) || chain->slots < 0) {
    return EE_FAIL(EE_ERR_ARG, "%g samples per message and %d slots, expected >= 1 and >= 0",
                   chain->message_samples, chain->slots);
  }
  if (!(chain->max_period >= 0.0 && isfinite(chain->max_period))) {
    return EE_FAIL(EE_ERR_ARG, "the longest period is %g s, expected a finite number of at least 0",
                   chain->max_period);
  }
  if (chain->source < -1 || chain->source >= chain->n_devices) {
    return EE_FAIL(EE_ERR_ARG, "the source is device %d, expected -1 to %d", chain->source,
                   chain->n_devices - 1);
  }
  return EE_OK;
}

/* Every element of x, shape [rows, columns], finite and not negative; x may be NULL. */
static ee_status check_amounts(const char *what, const double *x, size_t rows, size_t columns) {
  for (size_t k = 0; x != NULL && k < rows * columns; k++) {
    if (!(x[k] >= 0.0 && isfinite(x[k]))) {
      return EE_FAIL(EE_ERR_ARG, "%s [%d, %d] is %g, expected a finite number of at least 0", what,
                     (int)(k / columns), (int)(k % columns), x[k]);
    }
  }
  return EE_OK;
}

static ee_status check_exits(const ee_chain *chain) {
  double before = 1.0;
  for (int l = 0; l < chain->n_layers; l++) {
    if (!(chain->reach[l] >= 0.0 && chain->reach[l] <= before)) {
      return EE_FAIL(EE_ERR_ARG, "the reach of layer %d is %g, expected 0 to the one before, %g", l,
                     chain->reach[l], before);
    }
    before = chain->reach[l];
  }
  for (int e = 0; e < chain->n_exits; e++) {
    if (chain->attach[e] < 0 || chain->attach[e] >= chain->n_layers) {
      return EE_FAIL(EE_ERR_ARG, "exit %d is attached after layer %d, expected 0 to %d", e,
                     chain->attach[e], chain->n_layers - 1);
    }
  }
  return EE_OK;
}

/* Least positive element; INFINITY if there is none. */
static double least_positive(const double *x, size_t n) {
  double least = INFINITY;
  for (size_t k = 0; x != NULL && k < n; k++) {
    if (x[k] > 0.0 && x[k] < least) least = x[k];
  }
  return least;
}

static double largest(const double *x, size_t n) {
  double most = 0.0;
  for (size_t k = 0; x != NULL && k < n; k++) most = fmax(most, x[k]);
  return most;
}

/* How many elements a matrix over devices has that may differ from the others. */
static size_t pairs_of(const ee_chain *chain) {
  size_t devices = (size_t)chain->n_devices;
  return chain->links_alike ? 1 : devices * devices;
}

/* Whether any load that can come up is a number. */
static ee_status check_range(const ee_chain *chain) {
  size_t devices = (size_t)chain->n_devices, pairs = pairs_of(chain);
  size_t cuts    = (size_t)chain->n_layers + 1;
  double slowest = least_positive(chain->speed, devices), work = 0.0, weight = 0.0;

  if (!isfinite(slowest)) {
    return EE_FAIL(EE_ERR_ARG, "all %d devices are away: each has speed 0", chain->n_devices);
  }
  for (int l = 0; l < chain->n_layers; l++) {
    work += ee_chain_layer_work(chain, l);
    weight += ee_chain_held_bytes(chain, l);
  }
  work += 2.0 * largest(chain->copy_work, cuts);
  double bytes   = largest(chain->cut_bytes, cuts);
  double trip    = 2.0 * largest(chain->latency, pairs);
  double link    = trip + bytes / least_positive(chain->bandwidth, pairs);
  double buffers = (2.0 * chain->slots + 1.0) * chain->message_samples * bytes +
                   ee_chain_run_bytes(chain, 0, chain->n_layers);
  if (!isfinite(work / slowest) || !isfinite(link) || !isfinite(weight + buffers)) {
    return EE_FAIL(EE_ERR_ARG,
                   "the layers need %g s on the slowest device, %g s on the slowest link "
                   "and %g byte, expected finite numbers",
                   work / slowest, link, weight + buffers);
  }
  return EE_OK;
}

ee_status ee_chain_check(const ee_chain *chain) {
  EE_TRY(check_sizes(chain));
  size_t layers = (size_t)chain->n_layers, devices = (size_t)chain->n_devices;
  EE_TRY(check_amounts("work", chain->work, 1, layers));
  EE_TRY(check_amounts("head work", chain->head_work, 1, (size_t)chain->n_exits));
  EE_TRY(check_amounts("weight bytes", chain->weight_bytes, 1, layers));
  EE_TRY(check_amounts("packed bytes", chain->packed_bytes, 1, layers));
  EE_TRY(check_amounts("bytes to run", chain->run_bytes, layers + 1, layers + 1));
  EE_TRY(check_amounts("cut bytes", chain->cut_bytes, 1, layers + 1));
  EE_TRY(check_amounts("copy work", chain->copy_work, 1, layers + 1));
  EE_TRY(check_amounts("speed", chain->speed, 1, devices));
  EE_TRY(check_amounts("memory", chain->memory, 1, devices));
  size_t rows = chain->links_alike ? 1 : devices, columns = pairs_of(chain) / rows;
  EE_TRY(check_amounts("bandwidth", chain->bandwidth, rows, columns));
  EE_TRY(check_amounts("latency", chain->latency, rows, columns));
  EE_TRY(check_exits(chain));
  return check_range(chain);
}

double ee_chain_layer_work(const ee_chain *chain, int l) {
  double work = chain->work[l];
  for (int e = 0; e < chain->n_exits; e++) {
    if (chain->attach[e] == l) work += chain->head_work[e];
  }
  return chain->reach[l] * work;
}

bool ee_chain_present(const ee_chain *chain, int d) {
  return chain->speed[d] > 0.0;
}

static double latency_of(const ee_chain *chain, int from, int to) {
  size_t link = (size_t)from * (size_t)chain->n_devices + (size_t)to;
  return chain->latency != NULL ? chain->latency[link] : 0.0;
}

/* Seconds that the bytes of a cut are on a link, without latency [s]. */
static double transfer_of(const ee_chain *chain, int from, int to, int cut) {
  size_t link      = (size_t)from * (size_t)chain->n_devices + (size_t)to;
  double bandwidth = chain->bandwidth != NULL ? chain->bandwidth[link] : 0.0;
  return bandwidth > 0.0 ? chain->cut_bytes[cut] / bandwidth : 0.0;
}

/* Messages per admitted sample that carry some of a share of the samples, if n are admitted
 * together, n rounded down.  Products and no pow(), which may differ between machines. */
static double messages_of(double share, double n) {
  double empty = 1.0, factor = 1.0 - share;
  for (long long k = (long long)fmin(n, 1e9); k > 0; k /= 2) {
    if (k % 2 == 1) empty *= factor;
    factor *= factor;
  }
  return (1.0 - empty) / n;
}

double ee_link_load(const ee_chain *chain, int from, int to, int cut) {
  if (from == to || cut >= chain->n_layers) return 0.0;
  double reach    = chain->reach[cut];
  double transfer = reach * transfer_of(chain, from, to, cut);
  double trip     = latency_of(chain, from, to) + latency_of(chain, to, from);
  double messages = messages_of(reach, chain->message_samples);
  int    slots    = chain->slots > 1 ? chain->slots : 1;
  return fmax(transfer, (messages * trip + transfer) / slots);
}

double ee_link_delay(const ee_chain *chain, int from, int to, int cut) {
  if (from == to || cut >= chain->n_layers) return 0.0;
  return chain->reach[cut] * (latency_of(chain, from, to) + transfer_of(chain, from, to, cut));
}

double ee_source_load(const ee_chain *chain, int d) {
  return chain->source < 0 ? 0.0 : ee_link_load(chain, chain->source, d, 0);
}

double ee_source_delay(const ee_chain *chain, int d) {
  return chain->source < 0 ? 0.0 : ee_link_delay(chain, chain->source, d, 0);
}

/* Whether x, shape [n_devices, n_devices], is the same for every pair of present devices q < p, and
 * with `back` for every pair p, q as well. */
static bool equal_for_all_pairs(const ee_chain *chain, const double *x, bool back) {
  const double *first = NULL;
  for (int q = 0; x != NULL && q < chain->n_devices; q++) {
    for (int p = back ? 0 : q + 1; p < chain->n_devices; p++) {
      if (p == q || !ee_chain_present(chain, q) || !ee_chain_present(chain, p)) continue;
      const double *here = &x[(size_t)q * (size_t)chain->n_devices + (size_t)p];
      if (first == NULL) first = here;
      if (*here != *first) return false;
    }
  }
  return true;
}

/* Load of each cut on the link between the first two present devices; links are all equal. */
static void sum_cuts(const ee_chain *chain, double *cut) {
  int pair[2] = {0, 0};
  for (int d = 0, found = 0; d < chain->n_devices && found < 2; d++) {
    if (ee_chain_present(chain, d)) pair[found++] = d;
  }
  for (int c = 0; c <= chain->n_layers; c++) cut[c] = ee_link_load(chain, pair[0], pair[1], c);
}

double ee_chain_held_bytes(const ee_chain *chain, int l) {
  double bytes = chain->weight_bytes != NULL ? chain->weight_bytes[l] : 0.0;
  return bytes + (chain->packed_bytes != NULL ? chain->packed_bytes[l] : 0.0);
}

double ee_chain_run_bytes(const ee_chain *chain, int i, int j) {
  return chain->run_bytes != NULL ? chain->run_bytes[i * (chain->n_layers + 1) + j] : 0.0;
}

ee_status ee_loads_create(const ee_chain *chain, ee_loads *loads) {
  *loads = (ee_loads){.chain = chain};
  EE_TRY(ee_chain_check(chain));

  size_t  cuts = (size_t)chain->n_layers + 1;
  double *sums = calloc(cuts, 3 * sizeof *sums);
  if (sums == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the loads of %d layers", chain->n_layers);
  loads->work   = sums;
  loads->weight = sums + cuts;
  for (int l = 0; l < chain->n_layers; l++) {
    loads->work[l + 1]   = loads->work[l] + ee_chain_layer_work(chain, l);
    loads->weight[l + 1] = loads->weight[l] + ee_chain_held_bytes(chain, l);
  }
  if (chain->links_alike || (equal_for_all_pairs(chain, chain->bandwidth, false) &&
                             equal_for_all_pairs(chain, chain->latency, true))) {
    loads->cut = sums + 2 * cuts;
    sum_cuts(chain, loads->cut);
  }
  return EE_OK;
}

void ee_loads_destroy(ee_loads *loads) {
  free(loads->work);  // one block: work, weight, cut
  *loads = (ee_loads){0};
}

double ee_chain_copy_work(const ee_chain *chain, int i, int j) {
  double work = 0.0;
  if (chain->copy_work == NULL) return 0.0;
  if (i > 0) work += chain->reach[i] * chain->copy_work[i];
  if (j < chain->n_layers) work += chain->reach[j] * chain->copy_work[j];
  return work;
}

double ee_stage_load(const ee_loads *loads, int d, int i, int j) {
  double copies = ee_chain_copy_work(loads->chain, i, j);
  return (loads->work[j] - loads->work[i] + copies) / loads->chain->speed[d];
}

double ee_stage_floor(const ee_loads *loads, int d, int i, int j) {
  return (loads->work[j] - loads->work[i]) / loads->chain->speed[d];
}

bool ee_chain_limited(const ee_chain *chain, int d) {
  return chain->weight_bytes != NULL && chain->memory != NULL && chain->memory[d] > 0.0;
}

double ee_stage_bytes(const ee_loads *loads, int i, int j) {
  return loads->weight[j] - loads->weight[i] + ee_chain_run_bytes(loads->chain, i, j) +
         ee_partition_message_bytes(loads->chain, i, j);
}

bool ee_stage_fits(const ee_loads *loads, int d, int i, int j) {
  return !ee_chain_limited(loads->chain, d) ||
         ee_stage_bytes(loads, i, j) <= loads->chain->memory[d];
}
