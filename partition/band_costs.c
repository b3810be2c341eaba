/* SPDX-License-Identifier: Apache-2.0 */
/* What bands of a model cost: what a band needs above its first row depends on that row alone, and
 * so below its last one, so that two lists for each pair of cuts tell everything. */
#include <stdlib.h>

#include "ee/band_plan.h"

static void free_range(ee_band_range *r) {
  free(r->first);
  free(r->last);
  free(r->before);
  free(r->until);
}

void ee_band_costs_destroy(ee_band_costs **costs) {
  ee_band_costs *c = *costs;
  if (c == NULL) return;
  for (int k = 0; c->range != NULL && k < c->n_cuts * c->n_cuts; k++) free_range(&c->range[k]);
  free(c->cut);
  free(c->height);
  free(c->row_bytes);
  free(c->range);
  free(c);
  *costs = NULL;
}

/* What one band needs and computes. */
typedef struct demand {
  ee_rows rows;  // of its first cut
  double  work;
} demand;

/* The model whose bands are counted. */
typedef struct counted {
  const ee_model   *model;
  const ee_backend *backend;
  const double     *work;  // as in ee_band_costs_of()
} counted;

static double work_of(const counted *c, const ee_band *band, int layer) {
  double flops = ee_band_flops(c->model, band, layer), all = c->model->layer[layer].flops;
  if (c->work == NULL) return flops;
  return all > 0.0 ? c->work[layer] * flops / all : 0.0;
}

static demand demand_of(const counted *c, const ee_band *band) {
  const ee_model *model = c->model;
  int             n;
  const int      *live = ee_model_cut_values(model, band->begin, &n);
  demand          d    = {.rows = {INT64_MAX, 0}};
  for (int i = 0; i < n; i++) {
    ee_rows held = band->held[live[i]];
    if (held.begin == held.end) continue;
    if (d.rows.begin > held.begin) d.rows.begin = held.begin;
    if (d.rows.end < held.end) d.rows.end = held.end;
  }
  for (int l = band->begin; l < band->end; l++) d.work += work_of(c, band, l);
  return d;
}

static ee_status find_demand(const counted *c, int begin, int end, ee_rows rows, demand *d) {
  ee_band   band;
  ee_status status = ee_band_find(c->model, c->backend, begin, end, rows, &band);
  if (status == EE_OK) *d = demand_of(c, &band);
  ee_band_free(&band);
  return status;
}

static ee_status make_range(const counted *of, const ee_band_costs *c, int i, int j) {
  ee_band_range *r      = &c->range[i * c->n_cuts + j];
  int64_t        height = c->height[j];
  size_t         n      = (size_t)height + 1;
  *r                    = (ee_band_range){calloc(n, sizeof *r->first), calloc(n, sizeof *r->last),
                                          calloc(n, sizeof *r->before), calloc(n, sizeof *r->until)};
  if (r->first == NULL || r->last == NULL || r->before == NULL || r->until == NULL) {
    return EE_FAIL(EE_ERR_NOMEM, "for bands of %lld rows", (long long)height);
  }
  demand whole, d;
  int    begin = c->cut[i], end = c->cut[j];
  EE_TRY(find_demand(of, begin, end, (ee_rows){0, height}, &whole));
  r->first[height]  = c->height[i];
  r->before[height] = whole.work;
  for (int64_t row = 0; row < height; row++) {
    EE_TRY(find_demand(of, begin, end, (ee_rows){row, height}, &d));
    r->first[row]  = d.rows.begin;
    r->before[row] = whole.work - d.work;
    EE_TRY(find_demand(of, begin, end, (ee_rows){0, row + 1}, &d));
    r->last[row + 1]  = d.rows.end;
    r->until[row + 1] = d.work;
  }
  return EE_OK;
}

static void list_cuts(const ee_model *model, int begin, int end, ee_band_costs *c) {
  for (int cut = begin; cut <= end; cut++) {
    int64_t height = ee_bands_height(model, cut);
    if (height == 0) continue;
    c->cut[c->n_cuts]       = cut;
    c->height[c->n_cuts]    = height;
    c->row_bytes[c->n_cuts] = (double)ee_model_cut_bytes(model, cut) / (double)height;
    c->n_cuts++;
  }
}

static ee_status fill_in(const counted *of, int begin, int end, ee_band_costs *c) {
  size_t most  = (size_t)(end - begin) + 1;
  c->cut       = calloc(most, sizeof *c->cut);
  c->height    = calloc(most, sizeof *c->height);
  c->row_bytes = calloc(most, sizeof *c->row_bytes);
  c->range     = calloc(most * most, sizeof *c->range);
  if (c->cut == NULL || c->height == NULL || c->row_bytes == NULL || c->range == NULL) {
    return EE_FAIL(EE_ERR_NOMEM, "for bands of %d layers", end - begin);
  }
  list_cuts(of->model, begin, end, c);
  for (int i = 0; i < c->n_cuts; i++) {
    int longest = ee_bands_longest(of->model, c->cut[i]);
    for (int j = i + 1; j < c->n_cuts && c->cut[j] <= longest; j++) {
      EE_TRY(make_range(of, c, i, j));
    }
  }
  return EE_OK;
}

/* Whether ranges from @p begin on reach @p end; if not, what stands in the way. */
static ee_status check_reach(const ee_model *model, int begin, int end) {
  int at = begin, next = ee_bands_longest(model, begin);
  while (next > at && next < end) {
    at   = next;
    next = ee_bands_longest(model, at);
  }
  return ee_bands_check(model, at, end);
}

ee_status ee_band_costs_of(const ee_model *model, const ee_backend *backend, int begin, int end,
                           const double *work, ee_band_costs **costs) {
  *costs = NULL;
  EE_TRY(check_reach(model, begin, end));
  if (ee_bands_height(model, begin) == 0) {
    return EE_FAIL(
        EE_ERR_ARG,
        "layers [%d, %d) cannot be cut into bands: the values at cut %d are not pictures "
        "of shape [1, C, H, W] with as many rows each",
        begin, end, begin);
  }
  ee_band_costs *c = calloc(1, sizeof *c);
  if (c == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the costs of bands");
  counted   of     = {.model = model, .backend = backend, .work = work};
  ee_status status = fill_in(&of, begin, end, c);
  if (status != EE_OK) ee_band_costs_destroy(&c);
  *costs = c;
  return status;
}
