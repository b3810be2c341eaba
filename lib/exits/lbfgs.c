/* SPDX-License-Identifier: Apache-2.0 */
/* Limited-memory BFGS with a backtracking line search, in double. */
#include "lbfgs.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY 10
#define HALVINGS 60

/* The last pairs s = x' - x and y = g' - g, in a ring. */
typedef struct search {
  const ee_smooth *f;
  double          *step[MEMORY], *change[MEMORY], product[MEMORY];  // s, y, s'y
  int              pairs;                                           // seen so far
  double          *x, *g, *next_x, *next_g, *direction;
  double           value;
} search;

static double dot(int n, const double *a, const double *b) {
  double sum = 0.0;
  for (int i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

static void add(int n, double factor, const double *a, double *to) {
  for (int i = 0; i < n; i++) to[i] += factor * a[i];
}

static double largest(int n, const double *a) {
  double most = 0.0;
  for (int i = 0; i < n; i++) most = fmax(most, fabs(a[i]));
  return most;
}

/* direction = -H g by the two loops over the pairs. */
static void find_direction(search *s) {
  int    n = s->f->n, kept = s->pairs < MEMORY ? s->pairs : MEMORY;
  double share[MEMORY];
  for (int i = 0; i < n; i++) s->direction[i] = -s->g[i];
  for (int k = s->pairs - 1; k >= s->pairs - kept; k--) {
    int r    = k % MEMORY;
    share[r] = dot(n, s->step[r], s->direction) / s->product[r];
    add(n, -share[r], s->change[r], s->direction);
  }
  if (kept > 0) {
    int    r     = (s->pairs - 1) % MEMORY;
    double scale = s->product[r] / dot(n, s->change[r], s->change[r]);
    for (int i = 0; i < n; i++) s->direction[i] *= scale;
  }
  for (int k = s->pairs - kept; k < s->pairs; k++) {
    int    r    = k % MEMORY;
    double back = dot(n, s->change[r], s->direction) / s->product[r];
    add(n, share[r] - back, s->step[r], s->direction);
  }
}

/* The longest halved step that makes f small enough; false if there is none. */
static bool find_step(search *s) {
  int    n     = s->f->n;
  double slope = dot(n, s->g, s->direction), length = 1.0;
  if (s->pairs == 0) length = fmin(1.0, 1.0 / largest(n, s->g));
  for (int k = 0; k < HALVINGS; k++, length /= 2) {
    memcpy(s->next_x, s->x, (size_t)n * sizeof *s->x);
    add(n, length, s->direction, s->next_x);
    double value = s->f->value(s->f->self, s->next_x, s->next_g);
    if (value <= s->value + 1e-4 * length * slope && value < s->value) {
      s->value = value;
      return true;
    }
  }
  return false;
}

/* Take the step, and keep its pair if f curved upwards along it. */
static void take_step(search *s) {
  int     n = s->f->n, r = s->pairs % MEMORY;
  double *step = s->step[r], *change = s->change[r];
  for (int i = 0; i < n; i++) {
    step[i]   = s->next_x[i] - s->x[i];
    change[i] = s->next_g[i] - s->g[i];
  }
  memcpy(s->x, s->next_x, (size_t)n * sizeof *s->x);
  memcpy(s->g, s->next_g, (size_t)n * sizeof *s->g);
  s->product[r] = dot(n, step, change);
  if (s->product[r] > 0.0) s->pairs++;
}

static void descend(search *s, double tolerance, int most_steps) {
  s->value = s->f->value(s->f->self, s->x, s->g);
  for (int k = 0; k < most_steps && largest(s->f->n, s->g) > tolerance; k++) {
    find_direction(s);
    if (!find_step(s)) return;
    take_step(s);
  }
}

ee_status ee_lbfgs(const ee_smooth *f, double tolerance, int most_steps, double *x) {
  size_t  n    = (size_t)f->n;
  double *room = calloc(n, (2 * MEMORY + 4) * sizeof *room);
  if (room == NULL) return EE_FAIL(EE_ERR_NOMEM, "to minimise over %d variables", f->n);

  search s = {.f = f, .x = x};
  for (size_t k = 0; k < MEMORY; k++) {
    s.step[k]   = room + 2 * k * n;
    s.change[k] = room + (2 * k + 1) * n;
  }
  s.g         = room + 2 * MEMORY * n;
  s.next_x    = s.g + n;
  s.next_g    = s.next_x + n;
  s.direction = s.next_g + n;
  descend(&s, tolerance, most_steps);
  free(room);
  return EE_OK;
}
