/* SPDX-License-Identifier: Apache-2.0 */
/* The front of accuracy and cost: vectors of thresholds grow exit by exit, and those that others
 * beat are dropped when there are too many. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ee/thresholds.h"

#define ROUNDING 1e-9  // by which a sum may miss a target that it meets
#define NO_STEP -1     // of a candidate that goes on without a threshold

/* A vector up to some exit: who is still there, and what those who left brought. */
typedef struct prefix {
  float   *threshold;  // shape [n_early], EE_NOBODY_LEAVES behind the exit
  int32_t *there;      // shape [n_there], samples
  int64_t  n_there;
  double   right, cost;  // sums over those who left
} prefix;

/* A prefix continued by one threshold, all others then going to the end. */
typedef struct candidate {
  int     from, step;           // index of the prefix, and of the threshold in the grid
  int64_t left;                 // that leave at this exit
  double  right, cost;          // sums over those who left
  double  all_right, all_cost;  // sums over all, if nobody leaves later
} candidate;

typedef struct search {
  const ee_exit_table    *table;
  const ee_front_options *o;
  int                     n_early;
  int64_t                 n;     // labelled samples
  float                  *grid;  // shape [o->grid], thresholds of the present exit, falling
  int                     n_grid;
  int32_t                *sorted;  // shape [n], of one prefix by falling confidence
  prefix                 *kept;    // shape [n_kept]
  int                     n_kept;
  candidate              *found;  // shape [n_found]
  int64_t                 n_found, room;
  ee_front                best;  // of all candidates so far
} search;

ee_front_options ee_front_defaults(void) {
  return (ee_front_options){.layer_cost = 0.1, .grid = 64, .beam = 256};
}

void ee_front_clear(ee_front *front) {
  free(front->accuracy);
  free(front->cost);
  free(front->threshold);
  *front = (ee_front){0};
}

/* One sample and its confidence, for sorting. */
typedef struct ranked {
  float   confidence;
  int32_t sample;
} ranked;

static int by_falling_confidence(const void *a, const void *b) {
  const ranked *x = a, *y = b;
  if (x->confidence != y->confidence) return x->confidence < y->confidence ? 1 : -1;
  return (x->sample > y->sample) - (x->sample < y->sample);
}

/* By rising cost, then falling accuracy. */
static int by_cost(const void *a, const void *b) {
  const candidate *x = a, *y = b;
  if (x->all_cost != y->all_cost) return x->all_cost > y->all_cost ? 1 : -1;
  if (x->all_right != y->all_right) return x->all_right < y->all_right ? 1 : -1;
  if (x->from != y->from) return x->from > y->from ? 1 : -1;
  return (x->step > y->step) - (x->step < y->step);
}

static float confidence_of(const search *s, int32_t i, int e) {
  return s->table->confidence[(int64_t)i * s->table->n_exits + e];
}

static int right_at(const search *s, int32_t i, int e) {
  return s->table->prediction[(int64_t)i * s->table->n_exits + e] == s->table->label[i];
}

static double cost_at(const search *s, int e) {
  return s->o->exit_cost != NULL ? s->o->exit_cost[e] : s->o->layer_cost * s->table->layers[e];
}

static ee_status sort_samples(const int32_t *sample, int64_t n, const search *s, int e,
                              int32_t *out) {
  ranked *list = malloc((size_t)(n + 1) * sizeof *list);
  if (list == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %lld samples", (long long)n);
  for (int64_t k = 0; k < n; k++) list[k] = (ranked){confidence_of(s, sample[k], e), sample[k]};
  qsort(list, (size_t)n, sizeof *list, by_falling_confidence);
  for (int64_t k = 0; k < n; k++) out[k] = list[k].sample;
  free(list);
  return EE_OK;
}

/* Thresholds of exit e: confidences at equal shares of all labelled samples, each once. */
static ee_status make_grid(search *s, const int32_t *all, int e) {
  EE_TRY(sort_samples(all, s->n, s, e, s->sorted));
  s->n_grid = 0;
  for (int k = 0; k < s->o->grid; k++) {
    int64_t rank = (int64_t)((double)(k + 1) * (double)s->n / s->o->grid);
    float   t    = confidence_of(s, s->sorted[rank > 0 ? rank - 1 : 0], e);
    if (t > -INFINITY && (s->n_grid == 0 || t < s->grid[s->n_grid - 1])) s->grid[s->n_grid++] = t;
  }
  return EE_OK;
}

static ee_status keep_candidate(search *s, candidate c) {
  if (s->n_found == s->room) {
    int64_t    room = s->room > 0 ? 2 * s->room : 1024;
    candidate *more = realloc(s->found, (size_t)room * sizeof *more);
    if (more == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %lld candidates", (long long)room);
    s->found = more;
    s->room  = room;
  }
  s->found[s->n_found++] = c;
  return EE_OK;
}

/* Continue prefix @p from by every threshold of exit e. */
static ee_status continue_prefix(search *s, int from, int e) {
  const prefix *p    = &s->kept[from];
  int           last = s->table->n_exits - 1;
  double        rest = 0.0;  // right at the end, of those still there
  EE_TRY(sort_samples(p->there, p->n_there, s, e, s->sorted));
  for (int64_t k = 0; k < p->n_there; k++) rest += right_at(s, p->there[k], last);
  candidate c = {.from = from, .step = NO_STEP, .right = p->right, .cost = p->cost};
  for (int step = NO_STEP; step < s->n_grid; step++) {
    float limit = step == NO_STEP ? EE_NOBODY_LEAVES : s->grid[step];
    for (; c.left < p->n_there && confidence_of(s, s->sorted[c.left], e) >= limit; c.left++) {
      c.right += right_at(s, s->sorted[c.left], e);
      c.cost += cost_at(s, e);
      rest -= right_at(s, s->sorted[c.left], last);
    }
    c.step      = step;
    c.all_right = c.right + rest;
    c.all_cost  = c.cost + (double)(p->n_there - c.left) * cost_at(s, last);
    EE_TRY(keep_candidate(s, c));
  }
  return EE_OK;
}

/* Move candidates that none beats to the front, both groups by rising cost; returns their number.
 */
static int64_t part_by_dominance(candidate *c, int64_t n, candidate *beaten) {
  double  most = -1.0;
  int64_t good = 0, bad = 0;
  for (int64_t k = 0; k < n; k++) {
    if (c[k].all_right > most) {
      most      = c[k].all_right;
      c[good++] = c[k];
    } else {
      beaten[bad++] = c[k];
    }
  }
  memcpy(c + good, beaten, (size_t)bad * sizeof *c);
  return good;
}

/* Choose @p most candidates: fronts from the outside in, the last one thinned out evenly. */
static ee_status choose(search *s, int most) {
  candidate *spare = malloc((size_t)s->n_found * sizeof *spare);
  if (spare == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %lld candidates", (long long)s->n_found);
  int64_t chosen = 0;
  while (chosen < s->n_found && chosen < most) {
    candidate *at   = s->found + chosen;
    int64_t    good = part_by_dominance(at, s->n_found - chosen, spare), room = most - chosen;
    for (int64_t k = 0; good > room && k < room; k++) at[k] = at[k * good / room];
    chosen += good < room ? good : room;
  }
  s->n_found = chosen;
  free(spare);
  return EE_OK;
}

static void clear_prefixes(prefix *p, int n) {
  for (int k = 0; p != NULL && k < n; k++) {
    free(p[k].threshold);
    free(p[k].there);
  }
  free(p);
}

static float limit_of(const search *s, int step) {
  return step == NO_STEP ? EE_NOBODY_LEAVES : s->grid[step];
}

static ee_status make_prefix(const search *s, const candidate *c, int e, prefix *p) {
  const prefix *from  = &s->kept[c->from];
  float         limit = limit_of(s, c->step);
  *p                  = (prefix){.threshold = malloc((size_t)(s->n_early + 1) * sizeof(float)),
                                 .there     = malloc((size_t)(from->n_there + 1) * sizeof(int32_t)),
                                 .right     = c->right,
                                 .cost      = c->cost};
  if (p->threshold == NULL || p->there == NULL) return EE_FAIL(EE_ERR_NOMEM, "for thresholds");
  memcpy(p->threshold, from->threshold, (size_t)s->n_early * sizeof(float));
  p->threshold[e] = limit;
  for (int64_t k = 0; k < from->n_there; k++) {
    if (confidence_of(s, from->there[k], e) < limit) p->there[p->n_there++] = from->there[k];
  }
  return EE_OK;
}

/* The chosen candidates become the prefixes of the next exit. */
static ee_status grow(search *s, int e) {
  int       n    = (int)s->n_found;
  prefix   *next = calloc((size_t)n, sizeof *next);
  ee_status status =
      next != NULL ? EE_OK : EE_FAIL(EE_ERR_NOMEM, "for %d vectors of thresholds", n);
  for (int k = 0; k < n && status == EE_OK; k++) status = make_prefix(s, &s->found[k], e, &next[k]);
  if (status != EE_OK) {
    clear_prefixes(next, n);
    return status;
  }
  clear_prefixes(s->kept, s->n_kept);
  s->kept   = next;
  s->n_kept = n;
  return EE_OK;
}

static ee_status make_front(int n, int n_early, ee_front *front) {
  size_t points = (size_t)n + 1;
  *front        = (ee_front){.n         = n,
                             .n_early   = n_early,
                             .accuracy  = calloc(points, sizeof(double)),
                             .cost      = calloc(points, sizeof(double)),
                             .threshold = calloc(points * ((size_t)n_early + 1), sizeof(float))};
  if (front->accuracy != NULL && front->cost != NULL && front->threshold != NULL) return EE_OK;
  ee_front_clear(front);
  return EE_FAIL(EE_ERR_NOMEM, "for a front of %d points", n);
}

static void copy_point(ee_front *to, int at, double accuracy, double cost, const float *threshold) {
  to->accuracy[at] = accuracy;
  to->cost[at]     = cost;
  memcpy(to->threshold + (size_t)at * (size_t)to->n_early, threshold,
         (size_t)to->n_early * sizeof *threshold);
}

/* Join the first @p good candidates of exit e, which are sorted, with the front so far. */
static ee_status join(search *s, int e, int good) {
  ee_front *old = &s->best, joined;
  EE_TRY(make_front(old->n + good, s->n_early, &joined));
  int    a = 0, b = 0, n = 0;
  double most = -1.0, count = (double)s->n;
  while (a < old->n || b < good) {
    const candidate *c      = &s->found[b];
    double           cost   = b < good ? c->all_cost / count : INFINITY;
    bool             is_old = a < old->n && old->cost[a] <= cost;
    double           right  = is_old ? old->accuracy[a] : c->all_right / count;
    const float     *threshold =
        is_old ? old->threshold + (size_t)a * (size_t)s->n_early : s->kept[c->from].threshold;
    if (right > most) {
      if (n > 0 && joined.cost[n - 1] == (is_old ? old->cost[a] : cost)) n--;
      copy_point(&joined, n, right, is_old ? old->cost[a] : cost, threshold);
      if (!is_old)
        joined.threshold[(size_t)n * (size_t)s->n_early + (size_t)e] = limit_of(s, c->step);
      most = right;
      n++;
    }
    a += is_old;
    b += !is_old;
  }
  joined.n = n;
  ee_front_clear(old);
  *old = joined;
  return EE_OK;
}

/* All continuations at exit e go into the front; the chosen ones go on. */
static ee_status take_exit(search *s, const int32_t *all, int e) {
  EE_TRY(make_grid(s, all, e));
  s->n_found = 0;
  for (int k = 0; k < s->n_kept; k++) EE_TRY(continue_prefix(s, k, e));
  qsort(s->found, (size_t)s->n_found, sizeof *s->found, by_cost);
  int most = s->n_found < s->o->beam ? (int)s->n_found : s->o->beam;
  // The outermost of the fronts first: it is whole, and joined before it may be thinned out.
  candidate *spare = malloc((size_t)s->n_found * sizeof *spare);
  if (spare == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %lld candidates", (long long)s->n_found);
  int64_t good = part_by_dominance(s->found, s->n_found, spare);
  free(spare);
  EE_TRY(join(s, e, (int)good));
  EE_TRY(choose(s, most));
  return grow(s, e);
}

/* One prefix: nobody has left. */
static ee_status start(search *s, const int32_t *all) {
  s->kept = calloc(1, sizeof *s->kept);
  if (s->kept == NULL) return EE_FAIL(EE_ERR_NOMEM, "for thresholds");
  s->n_kept    = 1;
  prefix *p    = s->kept;
  p->n_there   = s->n;
  p->threshold = malloc((size_t)(s->n_early + 1) * sizeof *p->threshold);
  p->there     = malloc((size_t)s->n * sizeof *p->there);
  s->grid      = malloc((size_t)s->o->grid * sizeof *s->grid);
  s->sorted    = malloc((size_t)s->n * sizeof *s->sorted);
  if (p->threshold == NULL || p->there == NULL || s->grid == NULL || s->sorted == NULL)
    return EE_FAIL(EE_ERR_NOMEM, "for %lld samples", (long long)s->n);
  for (int e = 0; e < s->n_early; e++) p->threshold[e] = EE_NOBODY_LEAVES;
  memcpy(p->there, all, (size_t)s->n * sizeof *all);
  return EE_OK;
}

/* Without early exits there is one point. */
static ee_status only_point(search *s, const int32_t *all) {
  int    last  = s->table->n_exits - 1;
  double right = 0.0;
  EE_TRY(make_front(1, 0, &s->best));
  for (int64_t k = 0; k < s->n; k++) right += right_at(s, all[k], last);
  s->best.accuracy[0] = right / (double)s->n;
  s->best.cost[0]     = cost_at(s, last);
  return EE_OK;
}

static ee_status run(search *s, const int32_t *all) {
  if (s->n_early == 0) return only_point(s, all);
  EE_TRY(start(s, all));
  for (int e = 0; e < s->n_early; e++) EE_TRY(take_exit(s, all, e));
  return EE_OK;
}

/* Labelled samples, malloc()ed. */
static ee_status list_labelled(const ee_exit_table *table, int32_t **all, int64_t *n) {
  *n = 0;
  if (table->confidence == NULL)
    return EE_FAIL(EE_ERR_ARG, "searching thresholds needs confidences, the table has none");
  if (table->n > INT32_MAX)
    return EE_FAIL(EE_ERR_ARG, "searching thresholds takes up to %d samples, the table has %lld",
                   INT32_MAX, (long long)table->n);
  *all = malloc((size_t)(table->n + 1) * sizeof **all);
  if (*all == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %lld samples", (long long)table->n);
  for (int64_t i = 0; i < table->n; i++) {
    if (table->label[i] >= 0) (*all)[(*n)++] = (int32_t)i;
  }
  if (*n > 0) return EE_OK;
  free(*all);
  return EE_FAIL(EE_ERR_ARG, "searching thresholds needs labelled samples, the table has none");
}

ee_status ee_front_search(const ee_exit_table *table, const ee_front_options *options,
                          ee_front *front) {
  search   s   = {.table = table, .o = options, .n_early = table->n_exits - 1};
  int32_t *all = NULL;
  *front       = (ee_front){0};
  for (int e = 0; options->exit_cost != NULL && e < table->n_exits; e++) {
    double cost = options->exit_cost[e];
    if (isfinite(cost) && cost >= (e > 0 ? options->exit_cost[e - 1] : 0.0)) continue;
    return EE_FAIL(EE_ERR_ARG, "an answer at exit %d costs %g, expected not less than before it", e,
                   cost);
  }
  if (options->grid < 1 || options->beam < 1 || !(options->layer_cost >= 0.0)) {
    return EE_FAIL(EE_ERR_ARG, "a grid of %d, a beam of %d and a layer cost of %g cannot be",
                   options->grid, options->beam, options->layer_cost);
  }
  EE_TRY(list_labelled(table, &all, &s.n));
  ee_status status = run(&s, all);
  clear_prefixes(s.kept, s.n_kept);
  free(s.grid);
  free(s.sorted);
  free(s.found);
  free(all);
  if (status != EE_OK) ee_front_clear(&s.best);
  *front = s.best;
  return status;
}

int ee_front_cheapest(const ee_front *front, double accuracy) {
  for (int k = 0; k < front->n; k++) {
    if (front->accuracy[k] >= accuracy - ROUNDING) return k;
  }
  return -1;
}

int ee_front_best_within(const ee_front *front, double cost) {
  int best = -1;
  for (int k = 0; k < front->n && front->cost[k] <= cost * (1.0 + ROUNDING); k++) best = k;
  return best;
}
