/* SPDX-License-Identifier: Apache-2.0 */
/* What a plan of bands promises, range by range. */
#include <math.h>
#include <stdlib.h>

#include "band_heights.h"

static int place_of(const ee_band_costs *costs, int cut) {
  int k = 0;
  while (costs->cut[k] != cut) k++;
  return k;
}

/* Work of layers up to cut number @p cut, all rows. */
static double work_before(const ee_band_costs *costs, int cut) {
  double work = 0.0;
  for (int from = 0, to; from < cut; from = to) {
    to = ee_band_range_longest(costs, from, cut);
    work += costs->range[from * costs->n_cuts + to].until[costs->height[to]];
  }
  return work;
}

static void count_range(const ee_band_step *step, const int64_t *row, int k, ee_band_plan *plan) {
  plan->seconds[k] = 0.0;
  for (int d = 0; d < plan->n_devices; d++) {
    ee_band_share share = ee_band_share_of(step, d, (ee_rows){row[d], row[d + 1]});
    plan->seconds[k]    = fmax(plan->seconds[k], share.seconds);
    plan->bytes += share.bytes;
    plan->flops += share.flops;
  }
  plan->total += plan->seconds[k];
}

/* Rows that are gathered for what follows, and that. */
static void count_ending(const ee_band_step *step, ee_band_plan *plan) {
  const ee_band_fleet *fleet = step->fleet;
  ee_rows              all   = {0, step->costs->height[step->from]};
  if (plan->last < 0) return;
  plan->total += ee_band_receive(step, plan->last, all, &plan->bytes);
  plan->total += fleet->behind[step->from] / fleet->speed[plan->last];
}

/* @p row: shape [n_devices + 1], where the input is. */
static void count_all(const ee_band_costs *costs, const ee_band_fleet *fleet, const int64_t *row,
                      ee_band_plan *plan) {
  ee_band_step step = {.costs = costs, .fleet = fleet, .own = row};
  for (int k = 0; k < plan->n_ranges; k++) {
    const int64_t *rows = plan->row + (size_t)k * ((size_t)plan->n_devices + 1);
    step.to             = place_of(costs, plan->cut[k + 1]);
    count_range(&step, rows, k, plan);
    step.from = step.to;
    step.own  = rows;
  }
  count_ending(&step, plan);
  plan->whole_flops = work_before(costs, step.to);
}

ee_status ee_band_plan_count(const ee_band_costs *costs, const ee_band_fleet *fleet,
                             ee_band_plan *plan) {
  int64_t *row = calloc((size_t)plan->n_devices + 1, sizeof *row);
  if (row == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d devices", plan->n_devices);
  for (int d = fleet->source + 1; d <= plan->n_devices; d++) row[d] = costs->height[0];
  plan->total = plan->bytes = plan->flops = 0.0;
  count_all(costs, fleet, fleet->source < 0 ? NULL : row, plan);
  free(row);
  return EE_OK;
}
