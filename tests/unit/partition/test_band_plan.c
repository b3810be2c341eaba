/* SPDX-License-Identifier: Apache-2.0 */
/* Bands of unequal devices: against all heights, with rows that are marked one by one. */
#include "ee/band_plan.h"

#include <math.h>
#include <string.h>

#include "band_case.h"

/* Rows of cut i that rows [r0, r1) of cut j need, marked one by one; the work on the way. */
static double mark_rows(const band_case *c, int i, int j, ee_rows rows, bool need[SIDE_MAX]) {
  double work = 0.0;
  for (int r = 0; r < SIDE_MAX; r++) need[r] = r >= rows.begin && r < rows.end;
  for (int l = j - 1; l >= i; l--) {
    const chain_window *w               = &c->window[l];
    bool                inner[SIDE_MAX] = {false};
    for (int r = 0; r < c->costs->height[l + 1]; r++) {
      if (!need[r]) continue;
      work += c->model->layer[l].flops / (double)c->costs->height[l + 1];
      for (int k = 0; k < w->kernel; k++) {
        int at = r * w->stride + k - w->pad;
        if (at >= 0 && at < c->costs->height[l]) inner[at] = true;
      }
    }
    memcpy(need, inner, sizeof inner);
  }
  return work;
}

/* The largest part of the rows that needs only what is held, by trying all. */
static double inner_work(const band_case *c, int i, int j, ee_rows rows, const bool *held) {
  int64_t most = 0;
  double  work = 0.0;
  for (int64_t a = rows.begin; a < rows.end; a++) {
    for (int64_t b = a + 1; b <= rows.end; b++) {
      bool   need[SIDE_MAX], all = true;
      double now = mark_rows(c, i, j, (ee_rows){a, b}, need);
      for (int r = 0; r < SIDE_MAX; r++) all &= !need[r] || held[r];
      if (!all || b - a <= most) continue;
      most = b - a;
      work = now;
    }
  }
  return work;
}

/* Bands where a range begins; NULL: all have everything. */
static double device_seconds(const band_case *c, int i, int j, const int64_t *own, int d,
                             ee_rows rows, double *bytes) {
  bool   need[SIDE_MAX], held[SIDE_MAX];
  int    n    = c->fleet.n_devices;
  double work = mark_rows(c, i, j, rows, need), wait = 0.0, sent = 0.0;
  if (rows.begin == rows.end) return 0.0;
  for (int r = 0; r < SIDE_MAX; r++) held[r] = own == NULL || (r >= own[d] && r < own[d + 1]);
  for (int q = 0; q < n && own != NULL; q++) {
    for (int64_t r = own[q]; r < own[q + 1]; r++) {
      if (q == d || !need[r]) continue;
      double rate = c->fleet.bandwidth != NULL ? c->bandwidth[q * n + d] : 0.0;
      if (rate > 0.0) sent += c->costs->row_bytes[i] / rate;
      if (c->fleet.latency != NULL) wait = fmax(wait, c->latency[q * n + d]);
      *bytes += c->costs->row_bytes[i];
    }
  }
  double inner = inner_work(c, i, j, rows, held);
  return fmax(inner / c->speed[d], wait + sent) + (work - inner) / c->speed[d];
}

static double range_seconds(const band_case *c, int i, int j, const int64_t *own,
                            const int64_t *row, double *bytes) {
  double slowest = 0.0;
  for (int d = 0; d < c->fleet.n_devices; d++) {
    ee_rows rows = {row[d], row[d + 1]};
    slowest      = fmax(slowest, device_seconds(c, i, j, own, d, rows, bytes));
  }
  return slowest;
}

/* The next heights of [0, height) on n devices; false after the last. */
static bool next_heights(int64_t *row, int n, int64_t height) {
  int d = n - 1;
  while (d > 0 && row[d] == height) d--;
  if (d == 0) return false;
  row[d]++;
  for (int k = d + 1; k < n; k++) row[k] = row[d];
  return true;
}

static void first_heights(int64_t *row, int n, int64_t height) {
  for (int d = 0; d < n; d++) row[d] = 0;
  row[n] = height;
}

/* The least time of range (i, j) over all heights; its heights in @p best. */
static double least_of_all(const band_case *c, int i, int j, const int64_t *own, int64_t *best) {
  int     n = c->fleet.n_devices;
  int64_t row[DEVICES + 1], height = c->costs->height[j];
  double  least = INFINITY, bytes = 0.0;
  first_heights(row, n, height);
  do {
    double seconds = range_seconds(c, i, j, own, row, &bytes);
    if (seconds >= least) continue;
    least = seconds;
    memcpy(best, row, sizeof row);
  } while (next_heights(row, n, height));
  return least;
}

/* Bands of the input; NULL if it is everywhere. */
static const int64_t *input_of(const band_case *c, int64_t row[DEVICES + 1]) {
  for (int d = 0; d <= c->fleet.n_devices; d++) {
    row[d] = d > c->fleet.source ? c->costs->height[0] : 0;
  }
  return c->fleet.source < 0 ? NULL : row;
}

static void needs_and_work_of_all_bands_follow_from_their_ends(void) {
  for (uint64_t seed = 0; seed < 40; seed++) {
    band_case c;
    make_case(&c, seed, LAYERS);
    for (int i = 0; i < c.n; i++) {
      for (int j = i + 1; j <= c.n; j++) {
        const ee_band_range *r = &c.costs->range[i * c.costs->n_cuts + j];
        for (int64_t a = 0; a < c.costs->height[j]; a++) {
          for (int64_t b = a + 1; b <= c.costs->height[j]; b++) {
            bool   need[SIDE_MAX];
            double work = mark_rows(&c, i, j, (ee_rows){a, b}, need);
            for (int y = 0; y < SIDE_MAX; y++) {
              CU_ASSERT_EQUAL(need[y], y >= r->first[a] && y < r->last[b]);
            }
            CU_ASSERT_DOUBLE_EQUAL(r->until[b] - r->before[a], work, 1e-9 * work);
          }
        }
      }
    }
    end_case(&c);
  }
}

/* Rows in tiles of 4 at three layers and a stride, for bands that begin and end anywhere. */
static void bands_in_tiles_follow_from_their_ends_too(void) {
  const chain_window window[] = {{16, 3, 1, 1}, {16, 3, 1, 1}, {16, 3, 2, 1}, {16, 3, 1, 1}};
  ee_model          *m        = chain_make(16, 46, window, 4);
  ee_band_costs     *costs    = NULL;
  CU_ASSERT_EQUAL_FATAL(ee_band_costs_of(m, &ee_backend_simd, 0, 4, NULL, &costs), EE_OK);
  const ee_band_range *r = &costs->range[4];
  for (int64_t a = 0; a < costs->height[4]; a++) {
    for (int64_t b = a + 1; b <= costs->height[4]; b++) {
      ee_band band;
      double  flops = 0.0;
      CU_ASSERT_EQUAL_FATAL(ee_band_find(m, &ee_backend_simd, 0, 4, (ee_rows){a, b}, &band), EE_OK);
      for (int l = 0; l < 4; l++) flops += ee_band_flops(m, &band, l);
      CU_ASSERT_EQUAL(band.held[m->input].begin, r->first[a]);
      CU_ASSERT_EQUAL(band.held[m->input].end, r->last[b]);
      CU_ASSERT_DOUBLE_EQUAL(r->until[b] - r->before[a], flops, 1e-9 * flops);
      ee_band_free(&band);
    }
  }
  ee_band_costs_destroy(&costs);
  ee_model_destroy(&m);
}

/* The costs of case @p c as if rows could be exchanged at its ends only. */
typedef struct two_cuts {
  int           cut[2];
  int64_t       height[2];
  double        row_bytes[2];
  ee_band_range range[4];
  ee_band_costs costs;
} two_cuts;

static const ee_band_costs *ends_of(const band_case *c, two_cuts *two) {
  const ee_band_costs *all = c->costs;
  *two                     = (two_cuts){.cut       = {0, c->n},
                                        .height    = {all->height[0], all->height[c->n]},
                                        .row_bytes = {all->row_bytes[0], all->row_bytes[c->n]}};
  two->range[1]            = all->range[c->n];
  two->costs               = (ee_band_costs){2, two->cut, two->height, two->row_bytes, two->range};
  return &two->costs;
}

static void heights_of_a_range_are_the_best_of_all(void) {
  for (uint64_t seed = 0; seed < CASES; seed++) {
    band_case     c;
    two_cuts      two;
    ee_band_plan *plan = NULL;
    int64_t       input[DEVICES + 1], best[DEVICES + 1];
    make_case(&c, seed, 3);
    CU_ASSERT_EQUAL_FATAL(ee_band_plan_find(ends_of(&c, &two), &c.fleet, &plan), EE_OK);
    double least = least_of_all(&c, 0, c.n, input_of(&c, input), best);
    CU_ASSERT_EQUAL(plan->n_ranges, 1);
    CU_ASSERT_DOUBLE_EQUAL(plan->total, least, 1e-12 + 1e-9 * least);
    ee_band_plan_destroy(&plan);
    end_case(&c);
  }
}

/* What @p plan promises, range by range, row by row. */
static void check_promises(const band_case *c, const ee_band_plan *plan) {
  int64_t        input[DEVICES + 1];
  const int64_t *own   = input_of(c, input);
  double         total = 0.0, bytes = 0.0, flops = 0.0;
  for (int k = 0; k < plan->n_ranges; k++) {
    const int64_t *row     = plan->row + k * (plan->n_devices + 1);
    double         seconds = range_seconds(c, plan->cut[k], plan->cut[k + 1], own, row, &bytes);
    CU_ASSERT_DOUBLE_EQUAL(plan->seconds[k], seconds, 1e-12 + 1e-9 * seconds);
    for (int d = 0; d < plan->n_devices; d++) {
      bool need[SIDE_MAX];
      flops += mark_rows(c, plan->cut[k], plan->cut[k + 1], (ee_rows){row[d], row[d + 1]}, need);
    }
    total += seconds;
    own = row;
  }
  CU_ASSERT_EQUAL(plan->cut[0], 0);
  CU_ASSERT_EQUAL(plan->cut[plan->n_ranges], c->n);
  CU_ASSERT_DOUBLE_EQUAL(plan->total, total, 1e-12 + 1e-9 * total);
  CU_ASSERT_DOUBLE_EQUAL(plan->bytes, bytes, 1e-9 * bytes);
  CU_ASSERT_DOUBLE_EQUAL(plan->flops, flops, 1e-9 * flops);
}

static void a_plan_keeps_its_promises(void) {
  for (uint64_t seed = 0; seed < CASES; seed++) {
    band_case     c;
    ee_band_plan *plan = NULL;
    bool          need[SIDE_MAX];
    make_case(&c, seed, LAYERS);
    CU_ASSERT_EQUAL_FATAL(ee_band_plan_find(c.costs, &c.fleet, &plan), EE_OK);
    check_promises(&c, plan);
    double whole = mark_rows(&c, 0, c.n, (ee_rows){0, c.costs->height[c.n]}, need);
    CU_ASSERT_DOUBLE_EQUAL(plan->whole_flops, whole, 1e-9 * whole);
    for (int k = 0; k < plan->n_ranges; k++) {
      int fused = plan->cut[k + 1] - plan->cut[k];
      CU_ASSERT_TRUE(c.fleet.most == 0 || fused <= c.fleet.most);
    }
    ee_band_plan_destroy(&plan);
    end_case(&c);
  }
}

/* Device @p d takes the rows that it lacks of a cut, and makes the rest. */
static double seconds_behind(const band_case *c, int cut, const int64_t *own, int d, double work,
                             double *bytes) {
  int    n    = c->fleet.n_devices;
  double sent = 0.0, wait = 0.0;
  *bytes = 0.0;
  for (int q = 0; q < n; q++) {
    double rows = (double)(own[q + 1] - own[q]);
    if (q == d || rows == 0.0) continue;
    double rate = c->fleet.bandwidth != NULL ? c->bandwidth[q * n + d] : 0.0;
    if (rate > 0.0) sent += rows * c->costs->row_bytes[cut] / rate;
    if (c->fleet.latency != NULL) wait = fmax(wait, c->latency[q * n + d]);
    *bytes += rows * c->costs->row_bytes[cut];
  }
  return wait + sent + work / c->speed[d];
}

/* What the plan says of its ranges, and of the device behind them. */
static void check_ending(const band_case *c, const ee_band_plan *plan, const double *behind) {
  int64_t        input[DEVICES + 1];
  const int64_t *own   = input_of(c, input);
  double         total = 0.0, bytes = 0.0, more;
  for (int k = 0; k < plan->n_ranges; k++) {
    const int64_t *row = plan->row + k * (plan->n_devices + 1);
    total += range_seconds(c, plan->cut[k], plan->cut[k + 1], own, row, &bytes);
    own = row;
  }
  int end = plan->cut[plan->n_ranges];
  total += seconds_behind(c, end, own, plan->last, behind[end], &more);
  CU_ASSERT_DOUBLE_EQUAL(plan->total, total, 1e-12 + 1e-9 * total);
  CU_ASSERT_DOUBLE_EQUAL(plan->bytes, bytes + more, 1e-9 + 1e-9 * bytes);
}

/* The least of bands up to each cut, and any device behind them. */
static double least_ending(const band_case *c, const double *behind) {
  double least = INFINITY;
  for (int end = 1; end <= c->n; end++) {
    band_case     part = *c;
    ee_band_plan *plan = NULL;
    part.fleet.behind  = NULL;
    CU_ASSERT_EQUAL_FATAL(ee_band_costs_of(c->model, &ee_backend_ref, 0, end, NULL, &part.costs),
                          EE_OK);
    CU_ASSERT_EQUAL_FATAL(ee_band_plan_find(part.costs, &part.fleet, &plan), EE_OK);
    const int64_t *own = plan->row + (plan->n_ranges - 1) * (plan->n_devices + 1);
    for (int d = 0; d < c->fleet.n_devices; d++) {
      double more;
      least = fmin(least, plan->total + seconds_behind(&part, end, own, d, behind[end], &more));
    }
    ee_band_plan_destroy(&plan);
    ee_band_costs_destroy(&part.costs);
  }
  return least;
}

static void bands_end_where_what_follows_is_best_done_by_one_device(void) {
  int early = 0, elsewhere = 0;
  for (uint64_t seed = 0; seed < 200; seed++) {
    band_case     c;
    ee_band_plan *plan = NULL;
    ee_rng        rng  = ee_rng_at(seed, 5);
    double        behind[LAYERS + 1];
    make_case(&c, seed, LAYERS);
    behind[c.n] = c.model->layer[0].flops * ee_rng_uniform(&rng);
    for (int l = c.n; l > 0; l--) behind[l - 1] = behind[l] + 0.5 * c.model->layer[l - 1].flops;
    c.fleet.behind = behind;
    CU_ASSERT_EQUAL_FATAL(ee_band_plan_find(c.costs, &c.fleet, &plan), EE_OK);
    double least = least_ending(&c, behind);
    CU_ASSERT_TRUE(plan->total <= least * (1.0 + 1e-9));
    check_ending(&c, plan, behind);
    early += plan->cut[plan->n_ranges] < c.n;
    elsewhere += plan->last > 0;
    ee_band_plan_destroy(&plan);
    end_case(&c);
  }
  CU_ASSERT_TRUE(early > 10 && elsewhere > 10);
}

/* From bands @p own at cut @p i on: all heights at all cuts. */
static double best_way(const band_case *c, int i, const int64_t *own) {
  double best = i == c->n ? 0.0 : INFINITY, bytes = 0.0;
  int    n = c->fleet.n_devices;
  for (int j = i + 1; j <= c->n && (c->fleet.most == 0 || j <= i + c->fleet.most); j++) {
    int64_t row[DEVICES + 1];
    first_heights(row, n, c->costs->height[j]);
    do {
      best = fmin(best, range_seconds(c, i, j, own, row, &bytes) + best_way(c, j, row));
    } while (next_heights(row, n, c->costs->height[j]));
  }
  return best;
}

/* The bands at a cut are not chosen for what follows, so a plan may be a little longer. */
static void a_plan_is_seldom_longer_than_the_best_of_all(void) {
  int equal = 0, cases = 0;
  for (uint64_t seed = 0; seed < CASES && cases < 60; seed++) {
    band_case     c;
    ee_band_plan *plan = NULL;
    int64_t       input[DEVICES + 1];
    make_case(&c, seed, 3);
    if (c.fleet.n_devices == 2 && c.n > 1 && c.fleet.most != 1) {
      CU_ASSERT_EQUAL_FATAL(ee_band_plan_find(c.costs, &c.fleet, &plan), EE_OK);
      double best = best_way(&c, 0, input_of(&c, input));
      CU_ASSERT_TRUE(plan->total >= best * (1 - 1e-9));
      CU_ASSERT_TRUE(plan->total <= best * 1.05);
      equal += plan->total <= best * (1 + 1e-9);
      cases++;
      ee_band_plan_destroy(&plan);
    }
    end_case(&c);
  }
  CU_ASSERT_EQUAL(cases, 60);
  CU_ASSERT_TRUE(equal >= 57);
}
const ee_fact ee_facts[] = {
    EE_FACT(needs_and_work_of_all_bands_follow_from_their_ends),
    EE_FACT(bands_in_tiles_follow_from_their_ends_too),
    EE_FACT(heights_of_a_range_are_the_best_of_all),
    EE_FACT(a_plan_keeps_its_promises),
    EE_FACT(a_plan_is_seldom_longer_than_the_best_of_all),
    EE_FACT(bands_end_where_what_follows_is_best_done_by_one_device),
    {NULL, NULL},
};
