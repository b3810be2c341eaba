/* SPDX-License-Identifier: Apache-2.0 */
/* Decides whether a period can be kept, from the sets of cuts that can be reached within it: an
 * oracle for the planner, with nothing in common with it but the loads. */
#include <stdlib.h>

#include "chain.h"

typedef struct probe {
  ee_loads loads;
  double   period;
  bool    *reached;  // shape [n_layers + 1, n_devices], the device can end at the cut
  bool    *begins;   // shape [n_layers + 1], the device in hand can begin at the cut
} probe;

static bool *reached_at(const probe *it, int cut) {
  return it->reached + (size_t)cut * (size_t)it->loads.chain->n_devices;
}

/* Whether device p may begin at cut i: some device before it ends there and the link keeps up. */
static bool may_begin(const probe *it, int p, int i) {
  const ee_chain *chain   = it->loads.chain;
  const bool     *reached = reached_at(it, i);
  if (i == 0) return ee_source_load(chain, p) <= it->period;
  for (int q = 0; q < p; q++) {
    if (reached[q] && ee_link_load(chain, q, p, i) <= it->period) return true;
  }
  return false;
}

/* Whether device p can end at cut j.  Where nothing is limited or copied only the last cut where it
 * may begin counts: it means the least load. */
static bool may_end(const probe *it, int p, int j) {
  for (int i = j - 1; i >= 0; i--) {
    if (!it->begins[i]) continue;
    if (ee_stage_floor(&it->loads, p, i, j) > it->period) return false;
    if (ee_stage_load(&it->loads, p, i, j) > it->period) continue;
    if (ee_stage_fits(&it->loads, p, i, j)) return true;
  }
  return false;
}

static bool reach_the_end(probe *it) {
  const ee_chain *chain = it->loads.chain;
  for (int p = 0; p < chain->n_devices; p++) {
    if (!ee_chain_present(chain, p)) continue;
    for (int i = 0; i < chain->n_layers; i++) it->begins[i] = may_begin(it, p, i);
    for (int j = 1; j <= chain->n_layers; j++) reached_at(it, j)[p] = may_end(it, p, j);
    if (reached_at(it, chain->n_layers)[p]) return true;
  }
  return false;
}

bool ee_partition_feasible(const ee_chain *chain, double period) {
  probe it = {.period = period};
  if (ee_loads_create(chain, &it.loads) != EE_OK) return false;

  size_t cuts   = (size_t)chain->n_layers + 1;
  it.reached    = calloc(cuts, (size_t)chain->n_devices * sizeof *it.reached);
  it.begins     = calloc(cuts, sizeof *it.begins);
  bool feasible = it.reached != NULL && it.begins != NULL && reach_the_end(&it);
  free(it.reached);
  free(it.begins);
  ee_loads_destroy(&it.loads);
  return feasible;
}
