/* SPDX-License-Identifier: Apache-2.0 */
/* Sorts devices into types. */
#include "types.h"

#include <stdlib.h>

static bool same(double a, double b) {
  return !(a < b || a > b);
}

/* Entry of a matrix over devices; 0 if there is none. */
static double entry(const ee_chain *chain, const double *x, int from, int to) {
  return x != NULL ? x[(size_t)from * (size_t)chain->n_devices + (size_t)to] : 0.0;
}

/* Whether swapping a and b leaves the matrix as it was, as far as present devices go. */
static bool swaps(const ee_chain *chain, const double *x, int a, int b) {
  if (!same(entry(chain, x, a, b), entry(chain, x, b, a))) return false;
  for (int d = 0; x != NULL && d < chain->n_devices; d++) {
    if (d == a || d == b || !ee_chain_present(chain, d)) continue;
    if (!same(entry(chain, x, a, d), entry(chain, x, b, d))) return false;
    if (!same(entry(chain, x, d, a), entry(chain, x, d, b))) return false;
  }
  return true;
}

/* Swaps that change nothing can be put together, so this sorts devices into classes, and any
 * permutation within a class changes nothing. */
static bool twins(const ee_chain *chain, int a, int b) {
  if (!same(chain->speed[a], chain->speed[b])) return false;
  if (!same(ee_source_load(chain, a), ee_source_load(chain, b))) return false;
  if (chain->memory != NULL && !same(chain->memory[a], chain->memory[b])) return false;
  return swaps(chain, chain->bandwidth, a, b) && swaps(chain, chain->latency, a, b);
}

static void add(const ee_chain *chain, ee_types *types, int d) {
  int t = 0;
  while (t < types->n && !twins(chain, types->first[t], d)) t++;
  if (t == types->n) {
    types->first[t]  = d;
    types->second[t] = -1;
    types->n++;
  } else if (types->second[t] < 0) {
    types->second[t] = d;
  }
  types->of[d] = t;
  types->count[t]++;
}

ee_status ee_types_create(const ee_chain *chain, ee_types *types) {
  size_t n = (size_t)chain->n_devices;
  int   *x = calloc(n, 4 * sizeof *x);
  *types   = (ee_types){.of = x};
  if (x == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the types of %d devices", chain->n_devices);
  types->count  = x + n;
  types->first  = x + 2 * n;
  types->second = x + 3 * n;
  for (int d = 0; d < chain->n_devices; d++) {
    types->of[d] = -1;
    if (ee_chain_present(chain, d)) add(chain, types, d);
  }
  return EE_OK;
}

void ee_types_destroy(ee_types *types) {
  free(types->of);  // one block: all four arrays
  *types = (ee_types){0};
}

double ee_types_link_load(const ee_chain *chain, const ee_types *types, int u, int v, int cut) {
  int to = u == v ? types->second[u] : types->first[v];
  return to >= 0 ? ee_link_load(chain, types->first[u], to, cut) : 0.0;
}
