/* SPDX-License-Identifier: Apache-2.0 */
#include "counters.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static ee_status open_ring(int n_exits, uint64_t epoch_samples, int n, ee_counters *counters) {
  *counters = (ee_counters){.n_exits       = n_exits,
                            .n_rings       = n,
                            .epoch_samples = epoch_samples,
                            .epoch         = malloc((size_t)n * sizeof *counters->epoch),
                            .counts        = calloc((size_t)n, sizeof *counters->counts),
                            .memory = calloc((size_t)n * 2 * (size_t)n_exits, sizeof(int64_t))};
  if (counters->epoch == NULL || counters->counts == NULL || counters->memory == NULL) {
    ee_counters_close(counters);
    return EE_FAIL(EE_ERR_NOMEM, "for the counters of %d epochs", n);
  }
  for (int i = 0; i < n; i++) {
    counters->epoch[i]          = -1;
    counters->counts[i].reached = counters->memory + (size_t)i * 2 * (size_t)n_exits;
    counters->counts[i].left    = counters->counts[i].reached + n_exits;
  }
  return EE_OK;
}

ee_status ee_counters_open(int n_exits, uint64_t epoch_samples, int control_delay,
                           ee_counters *counters) {
  return open_ring(n_exits, epoch_samples, control_delay + 3, counters);
}

/* The same counts as in the narrower ring. */
static void copy_counts(const ee_counters *from, ee_counters *to) {
  for (int i = 0; i < from->n_rings; i++) {
    if (from->epoch[i] < from->taken) continue;
    const ee_epoch_counts *old = &from->counts[i];
    ee_epoch_counts       *now = ee_counters_of(to, (uint64_t)from->epoch[i] * from->epoch_samples);
    ee_epoch_counts        copy = *old;
    copy.reached                = now->reached;
    copy.left                   = now->left;
    memcpy(now->reached, old->reached, 2 * (size_t)from->n_exits * sizeof *now->reached);
    *now = copy;
  }
}

ee_status ee_counters_reserve(ee_counters *counters, uint64_t id) {
  int64_t     needed = (int64_t)(id / counters->epoch_samples) - counters->taken + 2;
  ee_counters wider;
  if (!counters->grows || needed <= counters->n_rings) return EE_OK;
  if (needed > INT_MAX / 2) {
    return EE_FAIL(EE_ERR_NOMEM, "for the counters of %lld epochs", (long long)needed);
  }
  EE_TRY(open_ring(counters->n_exits, counters->epoch_samples, 2 * (int)needed, &wider));
  wider.taken = counters->taken;
  wider.grows = true;
  copy_counts(counters, &wider);
  ee_counters_close(counters);
  *counters = wider;
  return EE_OK;
}

void ee_counters_close(ee_counters *counters) {
  free(counters->epoch);
  free(counters->counts);
  free(counters->memory);
  *counters = (ee_counters){0};
}

ee_epoch_counts *ee_counters_of(ee_counters *counters, uint64_t id) {
  int64_t          epoch = (int64_t)(id / counters->epoch_samples);
  int              place = (int)(epoch % counters->n_rings);
  ee_epoch_counts *c     = &counters->counts[place];
  if (counters->epoch[place] != epoch) {
    counters->epoch[place] = epoch;
    memset(c->reached, 0, 2 * (size_t)counters->n_exits * sizeof *c->reached);
    *c = (ee_epoch_counts){.reached = c->reached, .left = c->left};
  }
  return c;
}
