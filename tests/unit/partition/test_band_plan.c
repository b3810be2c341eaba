/* SPDX-License-Identifier: Apache-2.0 */
/* Bands of unequal devices: against all heights, with rows that are marked one by one. */
#include "ee/band_plan.h"

#include <math.h>
#include <string.h>

#include "ee/backend.h"
#include "ee/rng.h"
#include "ee_test.h"
#include "window_chain.h"

enum { DEVICES = 3, LAYERS = 4, SIDE = 8, SIDE_MAX = 16, CASES = 400 };

/* A random chain on a random fleet. */
typedef struct band_case {
  int            n;  // layers
  chain_window   window[LAYERS];
  ee_model      *model;
  ee_band_costs *costs;
  double         speed[DEVICES], bandwidth[DEVICES * DEVICES], latency[DEVICES * DEVICES];
  ee_band_fleet  fleet;
} band_case;

static int below(ee_rng *rng, int n) {
  return (int)ee_rng_below(rng, (uint64_t)n);
}

static void random_fleet(band_case *c, ee_rng *rng) {
  int    n     = 1 + below(rng, DEVICES);
  double speed = c->model->layer[0].flops, bytes = c->costs->row_bytes[0];
  bool   linked = below(rng, 4) > 0;
  for (int d = 0; d < n; d++) c->speed[d] = speed * (0.3 + 2 * ee_rng_uniform(rng));
  for (int k = 0; k < n * n; k++) {
    c->bandwidth[k] = below(rng, 6) == 0 ? 0.0 : bytes * (5 + 195 * ee_rng_uniform(rng));
    c->latency[k]   = below(rng, 2) == 0 ? 0.0 : 0.1 * ee_rng_uniform(rng);
  }
  c->fleet = (ee_band_fleet){.n_devices = n,
                             .speed     = c->speed,
                             .bandwidth = linked ? c->bandwidth : NULL,
                             .latency   = linked ? c->latency : NULL,
                             .source    = below(rng, n + 1) - 1,
                             .most      = below(rng, 6) % 4};
}

static void make_case(band_case *c, uint64_t seed, int most_layers) {
  ee_rng rng = ee_rng_at(seed, 4);
  *c         = (band_case){.n = 1 + below(&rng, most_layers)};
  for (int i = 0; i < c->n; i++) {
    bool late    = i > 1;  // what is left of the rows stays
    int  kernel  = late ? 1 + 2 * below(&rng, 2) : 1 + below(&rng, 3);
    int  pad     = kernel == 3 ? late || below(&rng, 2) : 0;
    c->window[i] = (chain_window){1 + below(&rng, 3), kernel, 1 + (kernel > 1 && i == 1), pad};
  }
  c->model = chain_make(2, SIDE, c->window, c->n);
  CU_ASSERT_EQUAL_FATAL(ee_band_costs_of(c->model, &ee_backend_ref, 0, c->n, NULL, &c->costs),
                        EE_OK);
  CU_ASSERT_EQUAL_FATAL(c->costs->n_cuts, c->n + 1);
  random_fleet(c, &rng);
}

static void end_case(band_case *c) {
  ee_band_costs_destroy(&c->costs);
  ee_model_destroy(&c->model);
}

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

/* Device @p d takes the rows that it lacks of the last cut, and makes the rest. */
static double seconds_behind(const band_case *c, const int64_t *own, int d, double work,
                             double *bytes) {
  int    n = c->fleet.n_devices, cut = c->costs->n_cuts - 1;
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

/* The least of bands up to each cut, and any device behind them. */
static double least_ending(const band_case *c, const double *behind, double *bytes) {
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
      double more, seconds = plan->total + seconds_behind(&part, own, d, behind[end], &more);
      if (seconds >= least) continue;
      least  = seconds;
      *bytes = plan->bytes + more;
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
    double        behind[LAYERS + 1], bytes = 0.0;
    make_case(&c, seed, LAYERS);
    behind[c.n] = c.model->layer[0].flops * ee_rng_uniform(&rng);
    for (int l = c.n; l > 0; l--) behind[l - 1] = behind[l] + 0.5 * c.model->layer[l - 1].flops;
    c.fleet.behind = behind;
    CU_ASSERT_EQUAL_FATAL(ee_band_plan_find(c.costs, &c.fleet, &plan), EE_OK);
    double least = least_ending(&c, behind, &bytes);
    CU_ASSERT_DOUBLE_EQUAL(plan->total, least, 1e-12 + 1e-9 * least);
    CU_ASSERT_DOUBLE_EQUAL(plan->bytes, bytes, 1e-9 + 1e-9 * bytes);
    early += plan->cut[plan->n_ranges] < c.n;
    elsewhere += plan->last > 0;
    ee_band_plan_destroy(&plan);
    end_case(&c);
  }
  CU_ASSERT_TRUE(early > 10 && elsewhere > 10);
}

static void work_may_be_counted_otherwise(void) {
  band_case      c;
  ee_band_costs *other = NULL;
  double         work[8];
  make_case(&c, 3, LAYERS);
  for (int l = 0; l < c.model->n_layers; l++) work[l] = (2.0 + l) * c.model->layer[l].flops;
  CU_ASSERT_EQUAL_FATAL(ee_band_costs_of(c.model, &ee_backend_ref, 0, c.n, work, &other), EE_OK);
  for (int i = 0; i < c.n; i++) {
    const ee_band_range *a = &c.costs->range[i * (c.n + 1) + i + 1];
    const ee_band_range *b = &other->range[i * (c.n + 1) + i + 1];
    for (int64_t row = 0; row <= other->height[i + 1]; row++) {
      CU_ASSERT_DOUBLE_EQUAL(b->until[row], (2.0 + i) * a->until[row], 1e-9 * b->until[row]);
    }
  }
  ee_band_costs_destroy(&other);
  end_case(&c);
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

/* Three layers of 3 x 3 on 12 rows, on equal devices that all have the input. */
static void make_plain(band_case *c, int devices, double bytes_per_second, double latency) {
  *c = (band_case){.n = 3};
  for (int i = 0; i < 3; i++) c->window[i] = (chain_window){2, 3, 1, 1};
  c->model = chain_make(2, 12, c->window, 3);
  CU_ASSERT_EQUAL_FATAL(ee_band_costs_of(c->model, &ee_backend_ref, 0, 3, NULL, &c->costs), EE_OK);
  for (int d = 0; d < devices; d++) c->speed[d] = c->model->layer[0].flops;
  for (int k = 0; k < devices * devices; k++) {
    c->bandwidth[k] = bytes_per_second;
    c->latency[k]   = latency;
  }
  c->fleet = (ee_band_fleet){.n_devices = devices,
                             .speed     = c->speed,
                             .bandwidth = c->bandwidth,
                             .latency   = c->latency,
                             .source    = -1};
}

static void rows_are_exchanged_after_every_layer_where_links_cost_nothing(void) {
  band_case     c;
  ee_band_plan *plan = NULL;
  make_plain(&c, 3, 0.0, 0.0);
  CU_ASSERT_EQUAL_FATAL(ee_band_plan_find(c.costs, &c.fleet, &plan), EE_OK);
  CU_ASSERT_EQUAL(plan->n_ranges, 3);
  CU_ASSERT_DOUBLE_EQUAL(plan->flops, plan->whole_flops, 1e-6);
  CU_ASSERT_DOUBLE_EQUAL(plan->alone, 3.0, 1e-9);
  CU_ASSERT_DOUBLE_EQUAL(plan->total, 1.0, 1e-9);
  for (int k = 0; k < 3; k++) CU_ASSERT_EQUAL(plan->row[4 * k + 1], 4);
  CU_ASSERT_DOUBLE_EQUAL(plan->bytes, 2 * 4 * c.costs->row_bytes[1], 1e-9);
  ee_band_plan_destroy(&plan);
  end_case(&c);
}

/* Two devices, 6 rows each: 8 + 7 + 6 rows of 12 in one go. */
static void layers_are_fused_where_messages_are_slow(void) {
  band_case     c;
  ee_band_plan *plan = NULL;
  make_plain(&c, 2, 0.0, 5.0);
  CU_ASSERT_EQUAL_FATAL(ee_band_plan_find(c.costs, &c.fleet, &plan), EE_OK);
  CU_ASSERT_EQUAL(plan->n_ranges, 1);
  CU_ASSERT_EQUAL(plan->row[1], 6);
  CU_ASSERT_DOUBLE_EQUAL(plan->total, 21.0 / 12.0, 1e-9);
  CU_ASSERT_DOUBLE_EQUAL(plan->flops, plan->whole_flops * 42.0 / 36.0, 1e-6);
  CU_ASSERT_EQUAL(plan->bytes, 0.0);
  ee_band_plan_destroy(&plan);
  end_case(&c);
}

static void a_device_twice_as_fast_has_twice_the_rows(void) {
  band_case     c;
  ee_band_plan *plan = NULL;
  make_plain(&c, 2, 0.0, 0.0);
  c.speed[1] *= 2;
  CU_ASSERT_EQUAL_FATAL(ee_band_plan_find(c.costs, &c.fleet, &plan), EE_OK);
  for (int k = 0; k < 3; k++) CU_ASSERT_EQUAL(plan->row[3 * k + 1], 4);
  CU_ASSERT_DOUBLE_EQUAL(plan->total, 1.0, 1e-9);
  CU_ASSERT_DOUBLE_EQUAL(plan->alone, 1.5, 1e-9);
  ee_band_plan_destroy(&plan);
  end_case(&c);
}

/* Four rows on devices that make 2, 2 and 1 in a second: none need take longer, but squares of
 * times are 1 + 1 with the fast ones alone and 1 + 1/4 + 1 with the slow one. */
static void heights_of_equal_time_have_the_least_squares(void) {
  band_case     c    = {.n = 1, .window = {{1, 1, 1, 0}}};
  ee_band_plan *plan = NULL;
  c.model            = chain_make(1, 4, c.window, 1);
  CU_ASSERT_EQUAL_FATAL(ee_band_costs_of(c.model, &ee_backend_ref, 0, 1, NULL, &c.costs), EE_OK);
  for (int d = 0; d < 3; d++) c.speed[d] = c.model->layer[0].flops / (d < 2 ? 2.0 : 4.0);
  c.fleet = (ee_band_fleet){.n_devices = 3, .speed = c.speed, .source = -1};
  CU_ASSERT_EQUAL_FATAL(ee_band_plan_find(c.costs, &c.fleet, &plan), EE_OK);
  CU_ASSERT_DOUBLE_EQUAL(plan->total, 1.0, 1e-9);
  CU_ASSERT_EQUAL(plan->row[1], 2);
  CU_ASSERT_EQUAL(plan->row[2], 4);
  ee_band_plan_destroy(&plan);
  end_case(&c);
}

static void a_device_behind_a_slow_link_gets_nothing(void) {
  band_case     c;
  ee_band_plan *plan = NULL;
  make_plain(&c, 2, 1.0, 0.0);
  c.fleet.source = 1;
  CU_ASSERT_EQUAL_FATAL(ee_band_plan_find(c.costs, &c.fleet, &plan), EE_OK);
  CU_ASSERT_DOUBLE_EQUAL(plan->total, plan->alone, 1e-9);
  CU_ASSERT_EQUAL(plan->row[1], 0);
  CU_ASSERT_EQUAL(plan->bytes, 0.0);
  ee_band_plan_destroy(&plan);
  end_case(&c);
}

static void a_device_that_is_away_gets_nothing(void) {
  band_case     c;
  ee_band_plan *plan = NULL;
  make_plain(&c, 3, 0.0, 0.0);
  c.speed[1]      = 0.0;
  double behind[] = {4.0, 3.0, 2.0, 1.0};
  c.fleet.behind  = behind;
  CU_ASSERT_EQUAL_FATAL(ee_band_plan_find(c.costs, &c.fleet, &plan), EE_OK);
  for (int k = 0; k < plan->n_ranges; k++) {
    CU_ASSERT_EQUAL(plan->row[4 * k + 1], plan->row[4 * k + 2]);
  }
  CU_ASSERT_TRUE(isfinite(plan->total) && isfinite(plan->alone));
  CU_ASSERT_NOT_EQUAL(plan->last, 1);
  ee_band_plan_destroy(&plan);
  end_case(&c);
}

static void fleets_that_cannot_be_are_refused(void) {
  band_case     c;
  ee_band_plan *plan = NULL;
  make_plain(&c, 2, 1.0, 0.0);
  c.speed[1] = -2.0;
  CU_ASSERT_EQUAL(ee_band_plan_find(c.costs, &c.fleet, &plan), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "device 1 has a speed of -2"));
  c.speed[0] = c.speed[1] = 0.0;
  CU_ASSERT_EQUAL(ee_band_plan_find(c.costs, &c.fleet, &plan), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "away"));
  CU_ASSERT_PTR_NULL(plan);
  c.speed[1]   = 1.0;
  c.latency[2] = -1.0;
  CU_ASSERT_EQUAL(ee_band_plan_find(c.costs, &c.fleet, &plan), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "from device 1 to 0"));
  c.latency[2]   = 0.0;
  c.fleet.source = 2;
  CU_ASSERT_EQUAL(ee_band_plan_find(c.costs, &c.fleet, &plan), EE_ERR_ARG);
  c.fleet.source    = 0;
  c.fleet.n_devices = 0;
  CU_ASSERT_EQUAL(ee_band_plan_find(c.costs, &c.fleet, &plan), EE_ERR_ARG);
  ee_band_costs *none = NULL;
  CU_ASSERT_EQUAL(ee_band_costs_of(c.model, &ee_backend_ref, 0, 4, NULL, &none), EE_ERR_ARG);
  CU_ASSERT_PTR_NULL(none);
  end_case(&c);
}

const ee_fact ee_facts[] = {
    EE_FACT(needs_and_work_of_all_bands_follow_from_their_ends),
    EE_FACT(bands_in_tiles_follow_from_their_ends_too),
    EE_FACT(heights_of_a_range_are_the_best_of_all),
    EE_FACT(a_plan_keeps_its_promises),
    EE_FACT(a_plan_is_seldom_longer_than_the_best_of_all),
    EE_FACT(rows_are_exchanged_after_every_layer_where_links_cost_nothing),
    EE_FACT(layers_are_fused_where_messages_are_slow),
    EE_FACT(a_device_twice_as_fast_has_twice_the_rows),
    EE_FACT(heights_of_equal_time_have_the_least_squares),
    EE_FACT(a_device_behind_a_slow_link_gets_nothing),
    EE_FACT(a_device_that_is_away_gets_nothing),
    EE_FACT(bands_end_where_what_follows_is_best_done_by_one_device),
    EE_FACT(work_may_be_counted_otherwise),
    EE_FACT(fleets_that_cannot_be_are_refused),
    {NULL, NULL},
};
