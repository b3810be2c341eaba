/* SPDX-License-Identifier: Apache-2.0 */
#include "passes.h"

#include <stdlib.h>
#include <string.h>

#include "ee/clock.h"
#include "ee/log.h"
#include "progress.h"

#define WARM_UP 3
#define READINGS 64          // of a clock, to learn what one takes
#define ENOUGH_OF_CORE 0.95  // of the time measured

typedef struct stopwatch stopwatch;

/* Passes under way.  Rows of `ns` are the layers, the heads, the whole, and its CPU time. */
typedef struct passes {
  ee_whole    *whole;
  const float *input;
  bool         early_heads, by_layer;
  int64_t (*clock)(void);  // of a pass by layer
  int64_t    reading;      // what reading it takes [ns]
  int        n_rows, room;
  int64_t   *ns;     // shape [n_rows, room]
  stopwatch *watch;  // of a pass by layer; else NULL
} passes;

static int64_t *cell(passes *p, int row, int r) {
  return p->ns + (size_t)row * (size_t)p->room + (size_t)r;
}

/* A pass with the clock read between its parts. */
struct stopwatch {
  passes *passes;
  int     pass;
  int64_t at;  // when it was read last [ns]
};

static void add_part(stopwatch *watch, int row) {
  const passes *p    = watch->passes;
  int64_t       now  = p->clock();
  int64_t       took = now - watch->at - p->reading;
  *cell(watch->passes, row, watch->pass) += took > 0 ? took : 0;
  watch->at = now;
}

/* What reading @p clock takes at least [ns]; the CPU clock is no cheap one. */
static int64_t reading_of(int64_t (*clock)(void)) {
  int64_t least = INT64_MAX, last = clock();
  for (int i = 0; i < READINGS; i++) {
    int64_t now = clock();
    if (now - last < least) least = now - last;
    last = now;
  }
  return least;
}

static void add_layer(void *context, int layer) {
  add_part(context, layer);
}

static ee_status run_head(passes *p, int e) {
  const float *logits;
  EE_TRY(ee_exec_run_head(p->whole->exec, e, p->whole->batch_limit, &logits));
  if (p->watch != NULL) add_part(p->watch, p->whole->model->n_layers + e);
  return EE_OK;
}

/* Layers may have used the memory of the input, so it is copied there for each pass. */
static void feed(passes *p) {
  const ee_model *m     = p->whole->model;
  size_t          batch = (size_t)p->whole->batch_limit;
  memcpy(ee_whole_input(p->whole), p->input,
         batch * (size_t)ee_model_value_elements(m, m->input) * sizeof *p->input);
}

/* All layers and heads as a device runs them: up to the next head at once. */
static ee_status run_all(passes *p) {
  const ee_model *m     = p->whole->model;
  int             batch = p->whole->batch_limit, from = 0;
  for (int e = 0; e < m->n_exits; e++) {
    int to = m->exit[e].attach + 1;
    if (!p->early_heads && e < m->n_exits - 1) continue;
    EE_TRY(ee_exec_run_layers(p->whole->exec, from, to, batch));
    EE_TRY(run_head(p, e));
    from = to;
  }
  return EE_OK;
}

/* A pass with the clock read behind each node and head. */
static ee_status time_layers(passes *p, int r) {
  feed(p);
  stopwatch watch = {.passes = p, .pass = r, .at = p->clock()};
  for (int row = 0; row < p->n_rows - 2; row++) *cell(p, row, r) = 0;
  p->watch = &watch;
  ee_exec_set_timer(p->whole->exec, add_layer, &watch);
  ee_status status = run_all(p);
  ee_exec_set_timer(p->whole->exec, NULL, NULL);
  p->watch = NULL;
  return status;
}

static ee_status time_whole(passes *p, int r) {
  feed(p);
  int64_t cpu = ee_clock_cpu_ns(), begin = ee_clock_ns();
  EE_TRY(run_all(p));
  *cell(p, p->n_rows - 2, r) = ee_clock_ns() - begin;
  *cell(p, p->n_rows - 1, r) = ee_clock_cpu_ns() - cpu;
  return EE_OK;
}

static ee_status time_pass(passes *p, int r) {
  EE_TRY(time_whole(p, r));
  return p->by_layer ? time_layers(p, r) : EE_OK;
}

static ee_status reserve(passes *p, int room) {
  int64_t *ns = calloc((size_t)p->n_rows * (size_t)room, sizeof *ns);
  if (ns == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the times of %d passes", room);
  free(p->ns);
  p->ns   = ns;
  p->room = room;
  return EE_OK;
}

/* Passes that do not count; the last one tells how many will do. */
static ee_status warm_up(passes *p, const ee_pass_options *o, int *n) {
  int first = o->warm ? 1 : WARM_UP;
  EE_TRY(reserve(p, first));
  for (int r = 0; r < first; r++) EE_TRY(time_whole(p, r));
  double last = (double)*cell(p, p->n_rows - 2, first - 1) * 1e-9;
  *n          = o->repeats > 0 ? o->repeats
                               : ee_repeats_for(last, o->seconds, EE_LEAST_PASSES, EE_MOST_PASSES);
  return reserve(p, *n);
}

static ee_status time_passes(passes *p, int n, double *cpu_share) {
  ee_status   status   = EE_OK;
  ee_progress progress = ee_progress_begin("passes", n);
  int64_t     begin = ee_clock_ns(), cpu = ee_clock_cpu_ns();
  for (int r = 0; r < n && status == EE_OK; r++) {
    status = time_pass(p, r);
    ee_progress_show(&progress, r + 1);
  }
  int64_t passed = ee_clock_ns() - begin;
  *cpu_share     = passed > 0 ? (double)(ee_clock_cpu_ns() - cpu) / (double)passed : 1.0;
  ee_progress_end(&progress);
  return status;
}

static ee_status sum_up(passes *p, int n, ee_pass_times *times) {
  const ee_model *m    = p->whole->model;
  ee_timing      *part = calloc((size_t)p->n_rows, sizeof *part);
  if (part == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the times of %d layers", m->n_layers);
  for (int row = 0; row < p->n_rows; row++) part[row] = ee_timing_of(cell(p, row, 0), n);
  times->n_passes = n;
  times->whole    = part[p->n_rows - 2];
  times->cpu      = part[p->n_rows - 1];
  times->layer    = part;
  times->head     = part + m->n_layers;
  return EE_OK;
}

ee_status ee_passes_measure(ee_whole *whole, const float *input, const ee_pass_options *options,
                            ee_pass_times *times) {
  const ee_model *m = whole->model;
  passes          p = {.whole       = whole,
                       .input       = input,
                       .early_heads = options->early_heads,
                       .by_layer    = options->by_layer,
                       .clock       = options->cpu_time ? ee_clock_cpu_ns : ee_clock_ns,
                       .n_rows      = m->n_layers + m->n_exits + 2};
  int             n = 0;
  *times            = (ee_pass_times){0};
  p.reading         = reading_of(p.clock);

  ee_status status = warm_up(&p, options, &n);
  if (status == EE_OK) status = time_passes(&p, n, &times->cpu_share);
  if (status == EE_OK) status = sum_up(&p, n, times);
  free(p.ns);
  return status;
}

void ee_warn_of_load(double cpu_share, const char *what) {
  if (cpu_share >= ENOUGH_OF_CORE) return;
  ee_log(EE_LOG_WARNING, "this process had a core for %.0f%% of the time only; %s",
         100.0 * cpu_share, what);
}

void ee_pass_times_free(ee_pass_times *times) {
  free(times->layer);  // one block: layers and heads
  *times = (ee_pass_times){0};
}
