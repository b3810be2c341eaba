/* SPDX-License-Identifier: Apache-2.0 */
/* Two passes over all heights: first the least time of the slowest device, then, of the heights
 * that keep to it, those with the least sum of squared times. */
#include "band_heights.h"

#include <math.h>
#include <stdlib.h>

#define EQUAL 1e-12  // relative

static const ee_band_range *range_of(const ee_band_step *s) {
  return &s->costs->range[s->from * s->costs->n_cuts + s->to];
}

bool ee_band_range_exists(const ee_band_costs *costs, int from, int to) {
  return costs->range[from * costs->n_cuts + to].until != NULL;
}

int ee_band_range_longest(const ee_band_costs *costs, int from, int last) {
  int to = last;
  while (to > from + 1 && !ee_band_range_exists(costs, from, to)) to--;
  return to;
}

static ee_rows own_of(const ee_band_step *s, int d) {
  if (s->own == NULL) return (ee_rows){0, s->costs->height[s->from]};
  return (ee_rows){s->own[d], s->own[d + 1]};
}

static int64_t rows_in_both(ee_rows a, ee_rows b) {
  int64_t begin = a.begin > b.begin ? a.begin : b.begin, end = a.end < b.end ? a.end : b.end;
  return end > begin ? end - begin : 0;
}

double ee_band_receive(const ee_band_step *s, int d, ee_rows need, double *bytes) {
  const ee_band_fleet *f    = s->fleet;
  double               wait = 0.0, sum = 0.0;
  for (int q = 0; q < f->n_devices && s->own != NULL; q++) {
    int64_t rows = q == d ? 0 : rows_in_both(need, own_of(s, q));
    if (rows == 0) continue;
    double sent      = (double)rows * s->costs->row_bytes[s->from];
    double bandwidth = f->bandwidth != NULL ? f->bandwidth[q * f->n_devices + d] : 0.0;
    double latency   = f->latency != NULL ? f->latency[q * f->n_devices + d] : 0.0;
    *bytes += sent;
    if (bandwidth > 0.0) sum += sent / bandwidth;
    if (latency > wait) wait = latency;
  }
  return wait + sum;
}

/* How many of the @p n numbers of @p list, which rise, are less than @p limit. */
static int64_t count_below(const int64_t *list, int64_t n, int64_t limit) {
  int64_t low = 0, high = n;
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (list[middle] < limit) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/* The part of @p rows that needs nothing but what the device has; none if begin >= end. */
static ee_rows inner_rows(const ee_band_step *s, int d, ee_rows rows) {
  const ee_band_range *r     = range_of(s);
  ee_rows              own   = own_of(s, d);
  int64_t              n     = s->costs->height[s->to] + 1;
  int64_t              begin = count_below(r->first, n, own.begin),
          end                = count_below(r->last, n, own.end + 1) - 1;
  return (ee_rows){begin > rows.begin ? begin : rows.begin, end < rows.end ? end : rows.end};
}

double ee_band_weight(const ee_band_step *s, int d, ee_rows need, double more) {
  const ee_band_burden *b = s->fleet->burden;
  if (b == NULL) return 0.0;
  double read = (double)(need.end - need.begin) * s->costs->row_bytes[s->from];
  return b->price[d] * (b->kept * read + more);
}

/* Weights of the range, and two values of its largest cut. */
static double made_bytes(const ee_band_step *s, ee_rows rows) {
  const ee_band_costs  *c = s->costs;
  const ee_band_burden *b = s->fleet->burden;
  double                part, largest = 0.0;
  if (b == NULL) return 0.0;
  part = (double)(rows.end - rows.begin) / (double)c->height[s->to];
  for (int k = s->from; k <= s->to; k++) {
    largest = fmax(largest, c->row_bytes[k] * (double)c->height[k]);
  }
  return b->held[s->to] - b->held[s->from] + 2.0 * part * largest;
}

ee_band_share ee_band_share_of(const ee_band_step *step, int d, ee_rows rows) {
  const ee_band_range *r     = range_of(step);
  ee_band_share        share = {0.0, 0.0, 0.0, 0.0};
  if (rows.begin == rows.end) return share;
  ee_rows need  = {r->first[rows.begin], r->last[rows.end]};
  ee_rows inner = inner_rows(step, d, rows);
  double  speed = step->fleet->speed[d], early = 0.0;
  double  late = ee_band_receive(step, d, need, &share.bytes);
  share.flops  = r->until[rows.end] - r->before[rows.begin];
  if (inner.begin < inner.end) early = r->until[inner.end] - r->before[inner.begin];
  share.seconds = INFINITY;
  if (speed > 0.0) share.seconds = fmax(early / speed, late) + (share.flops - early) / speed;
  share.weighed = share.seconds + ee_band_weight(step, d, need, made_bytes(step, rows));
  return share;
}

/* What a pass makes least: the largest, or the sum of the squares of what is not above `limit`. */
typedef struct goal {
  bool   squares;
  double limit;
} goal;

static double take_in(goal g, double so_far, double seconds) {
  if (!g.squares) return fmax(so_far, seconds);
  return seconds <= g.limit ? so_far + seconds * seconds : INFINITY;
}

/* @p least, @p from: shape [n_devices + 1, rows + 1]: the best for rows [0, y) on devices [0, d),
 * and where the last of them begins. */
static double find_least(const ee_band_step *s, goal g, double *least, int64_t *from) {
  int64_t height = s->costs->height[s->to], n = height + 1;
  for (int64_t y = 0; y < n; y++) least[y] = y == 0 ? 0.0 : INFINITY;
  for (int d = 0; d < s->fleet->n_devices; d++) {
    const double *before = least + d * n;
    double       *now    = least + (d + 1) * n;
    bool          away   = s->fleet->speed[d] == 0.0;
    for (int64_t y = 0; y < n; y++) {
      now[y] = INFINITY;
      for (int64_t x = y; x >= (away ? y : 0); x--) {  // of equals, rows to the first device
        if (before[x] >= now[y]) continue;
        double all = take_in(g, before[x], ee_band_share_of(s, d, (ee_rows){x, y}).weighed);
        if (all >= now[y]) continue;
        now[y]                = all;
        from[(d + 1) * n + y] = x;
      }
    }
  }
  return least[s->fleet->n_devices * n + height];
}

/* As many rows as the devices' shares are, rounded. */
static double share_out(const ee_band_step *step, int64_t *row) {
  double weighed = 0.0, sum = 0.0, height = (double)step->costs->height[step->to];
  row[0] = 0;
  for (int d = 0; d < step->fleet->n_devices; d++) {
    sum += step->fleet->share[d];
    row[d + 1]   = d + 1 < step->fleet->n_devices ? (int64_t)(sum * height + 0.5) : (int64_t)height;
    ee_rows rows = {row[d], row[d + 1]};
    weighed      = fmax(weighed, ee_band_share_of(step, d, rows).weighed);
  }
  return weighed;
}

ee_status ee_band_heights(const ee_band_step *step, int64_t *row, double *weighed) {
  int     devices = step->fleet->n_devices;
  int64_t height  = step->costs->height[step->to];
  if (step->fleet->share != NULL) {
    *weighed = share_out(step, row);
    return EE_OK;
  }
  size_t   cells = ((size_t)devices + 1) * ((size_t)height + 1);
  double  *least = calloc(cells, sizeof *least);
  int64_t *from  = calloc(cells, sizeof *from);
  bool     there = least != NULL && from != NULL;
  if (there) {
    *weighed = find_least(step, (goal){false, 0.0}, least, from);
    find_least(step, (goal){true, *weighed * (1.0 + EQUAL)}, least, from);
    row[devices] = height;
    for (int d = devices; d > 0; d--) row[d - 1] = from[d * (height + 1) + row[d]];
  }
  free(least);
  free(from);
  return there ? EE_OK : EE_FAIL(EE_ERR_NOMEM, "for bands of %lld rows", (long long)height);
}
