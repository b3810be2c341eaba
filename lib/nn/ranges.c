/* SPDX-License-Identifier: Apache-2.0 */
/* Looks at what goes into nodes, and chooses the range that 8 bits shall tell. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ee/quantization.h"

#define BINS 2048
#define STEPS 100  // ranges that are tried for the least squares

/* What one node was given. */
typedef struct range {
  float   low, high;
  bool    seen, odd;  // anything; something that is no finite number
  double *count;      // shape [BINS], from low to high; NULL: not yet
} range;

struct ee_ranges {
  const ee_model *model;
  range          *of;      // shape [n_nodes]
  double         *counts;  // shape [nodes that can have a scale, BINS]; NULL: not yet
};

static const char *const names[EE_RANGE_METHODS] = {"minmax", "percentile", "mse"};

const char *ee_range_method_name(ee_range_method method) {
  return names[method];
}

ee_range_method ee_range_method_by_name(const char *name) {
  int method = 0;
  while (method < EE_RANGE_METHODS && strcmp(names[method], name) != 0) method++;
  return (ee_range_method)method;
}

ee_status ee_ranges_create(const ee_model *model, ee_ranges **ranges) {
  ee_ranges *r = calloc(1, sizeof *r);
  *ranges      = NULL;
  if (r != NULL) r->of = calloc((size_t)model->n_nodes + 1, sizeof *r->of);
  if (r == NULL || r->of == NULL) {
    free(r);
    return EE_FAIL(EE_ERR_NOMEM, "for the ranges of %d nodes", model->n_nodes);
  }
  r->model = model;
  *ranges  = r;
  return EE_OK;
}

static void widen(range *r, const float *x, int64_t n) {
  float low = r->seen ? r->low : x[0], high = r->seen ? r->high : x[0];
  bool  odd = false;
  for (int64_t i = 0; i < n; i++) {
    low  = x[i] < low ? x[i] : low;
    high = x[i] > high ? x[i] : high;
    odd |= !(fabsf(x[i]) < INFINITY);
  }
  *r = (range){low, high, true, r->odd || odd, r->count};
}

static int bin_of(const range *r, float x) {
  double at = ((double)x - (double)r->low) / ((double)r->high - (double)r->low) * BINS;
  return at >= BINS ? BINS - 1 : at > 0.0 ? (int)at : 0;
}

static void count(range *r, const float *x, int64_t n) {
  for (int64_t i = 0; i < n && !r->odd; i++) r->count[bin_of(r, x[i])] += 1.0;
}

static void look(range *r, const float *x, int64_t n) {
  if (r->count != NULL) {
    count(r, x, n);
  } else {
    widen(r, x, n);
  }
}

static void look_at_pixels(range *r, const ee_pixels *p, const float *sample) {
  for (int64_t y = 0; y < p->height; y++) {
    for (int64_t x = 0; x < p->width; x++) {
      look(r, sample + p->lead + y * p->row + x * p->pixel, p->channels);
    }
  }
}

void ee_ranges_watch(void *ranges, const ee_kernel_call *call) {
  const ee_ranges *all    = ranges;
  range           *r      = &all->of[call->node - all->model->node];
  const ee_pixels *pixels = call->in_pixels[0];
  if (!ee_quantization_fits(all->model, call->node)) return;
  for (int64_t i = 0; pixels != NULL && i < call->n; i++) {
    look_at_pixels(r, pixels, call->in[0] + i * pixels->sample);
  }
  if (pixels == NULL) look(r, call->in[0], ee_shape_elements(&call->in_shape[0]));
}

ee_status ee_ranges_count(ee_ranges *ranges) {
  size_t n = (size_t)ee_quantization_possible(ranges->model), next = 0;
  ranges->counts = calloc(n + 1, BINS * sizeof *ranges->counts);
  if (ranges->counts == NULL) return EE_FAIL(EE_ERR_NOMEM, "to count the inputs of %zu nodes", n);
  for (int k = 0; k < ranges->model->n_nodes; k++) {
    if (!ee_quantization_fits(ranges->model, &ranges->model->node[k])) continue;
    ranges->of[k].count = ranges->counts + BINS * next++;
  }
  return EE_OK;
}

static double edge_of(const range *r, int bin) {
  return (double)r->low + ((double)r->high - (double)r->low) * bin / BINS;
}

static double total_of(const range *r) {
  double total = 0.0;
  for (int b = 0; b < BINS; b++) total += r->count[b];
  return total;
}

/* The share of @p percentile of the numbers lies below the upper end, and above the lower. */
static ee_quant by_percentile(const range *r, double percentile) {
  double beyond = total_of(r) * (1.0 - percentile / 100.0), above = 0.0, below = 0.0;
  int    high = BINS, low = 0;
  while (high > 1 && (above += r->count[high - 1]) <= beyond) high--;
  while (low < high - 1 && (below += r->count[low]) <= beyond) low++;
  return ee_quant_of_range((float)edge_of(r, low), (float)edge_of(r, high));
}

/* Squares of the errors if [low, high] is told in 8 bits. */
static double squares(const range *r, double low, double high) {
  double scale = (high - low) / 255.0, sum = 0.0;
  for (int b = 0; b < BINS; b++) {
    double x   = 0.5 * (edge_of(r, b) + edge_of(r, b + 1));
    double off = x < low ? low - x : x > high ? x - high : 0.0;
    sum += r->count[b] * (off > 0.0 ? off * off : scale * scale / 12.0);
  }
  return sum;
}

static ee_quant by_squares(const range *r) {
  double low = fmin((double)r->low, 0.0), high = fmax((double)r->high, 0.0);
  double best = 1.0, least = squares(r, low, high);
  for (int i = 1; i < STEPS; i++) {
    double share = (double)i / STEPS, sum = squares(r, share * low, share * high);
    if (sum >= least) continue;
    least = sum;
    best  = share;
  }
  return ee_quant_of_range((float)(best * low), (float)(best * high));
}

ee_status ee_ranges_quant(const ee_ranges *ranges, int k, ee_range_method method, double percentile,
                          ee_quant *quant) {
  const range *r = &ranges->of[k];
  *quant         = (ee_quant){0.0F, 0};
  if (r->odd) {
    return EE_FAIL(EE_ERR_ARG, "an input of node '%s' is no finite number, so it has no range",
                   ranges->model->node[k].name);
  }
  if (!r->seen) return EE_OK;
  if (method == EE_RANGE_MINMAX || r->high <= r->low) {
    *quant = ee_quant_of_range(r->low, r->high);
  } else {
    *quant = method == EE_RANGE_MSE ? by_squares(r) : by_percentile(r, percentile);
  }
  return EE_OK;
}

void ee_ranges_destroy(ee_ranges **ranges) {
  if (*ranges == NULL) return;
  free((*ranges)->counts);
  free((*ranges)->of);
  free(*ranges);
  *ranges = NULL;
}
