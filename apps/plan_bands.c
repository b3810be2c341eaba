/* SPDX-License-Identifier: Apache-2.0 */
/* Finds what edgeexit plan --bands tells of. */
#include "plan_bands.h"

#include <math.h>
#include <stdlib.h>

#include "progress.h"

/* The promise that is being made. */
typedef struct making {
  const ee_plan_question *question;
  const ee_planner       *planner;
  ee_band_promises       *all;
  ee_band_promise        *one;
} making;

static ee_status find_chain(const ee_planner *planner, const ee_chain *chain, ee_plan **plan,
                            ee_forecast *forecast) {
  ee_status status = ee_partition_find(planner, chain, plan);
  if (status == EE_OK) return ee_partition_forecast(chain, *plan, forecast);
  return status == EE_ERR_ARG ? EE_OK : status;
}

static ee_status judge_row(const ee_chain *chain, void *context) {
  making *m = context;
  return find_chain(m->planner, chain, &m->one->chain, &m->one->forecast);
}

static ee_status make_row(const making *m, const ee_band_field *field, int n) {
  const ee_plan_question *q = m->question;
  ee_band_wish            wish;
  EE_TRY(ee_band_wish_make(&q->options->rows, n, q->share, NULL, &wish));
  EE_TRY(ee_band_choose(q->setup, field, n, &wish, &m->one->bands));
  making row = *m;
  return ee_first_chain(q->setup, n, q->share, judge_row, &row);
}

static ee_status make_rows(making *m, const ee_band_field *field) {
  ee_status   status   = EE_OK;
  ee_progress progress = ee_progress_begin("planned for", m->all->n);
  for (int n = 1; n <= m->all->n && status == EE_OK; n++) {
    m->one = &m->all->of[n - 1];
    status = make_row(m, field, n);
    ee_progress_show(&progress, n);
  }
  ee_progress_end(&progress);
  return status;
}

/* Everything on device @p d, if it is there and has room. */
static ee_status try_alone(const ee_chain *chain, int d, ee_band_promises *all) {
  ee_plan    *plan = NULL;
  ee_forecast f;
  if (chain->speed[d] <= 0.0) return EE_OK;
  EE_TRY(ee_plan_create(chain->n_layers, chain->n_devices, 1, &plan));
  plan->stage[0]   = (ee_stage){0, chain->n_layers, d};
  ee_status status = ee_partition_fits(chain, plan);
  bool      fits   = status == EE_OK;
  if (fits) status = ee_partition_forecast(chain, plan, &f);
  ee_plan_destroy(&plan);
  if (!fits) return status == EE_ERR_ARG ? EE_OK : status;
  EE_TRY(status);
  if (f.latency >= all->alone_latency) return EE_OK;
  all->alone         = d;
  all->alone_latency = f.latency;
  all->alone_period  = f.period;
  return EE_OK;
}

static ee_status find_others(const ee_chain *chain, void *context) {
  making *m = context;
  for (int d = 0; d < chain->n_devices; d++) EE_TRY(try_alone(chain, d, m->all));
  return find_chain(ee_planner_by_name("latency"), chain, &m->all->chain, &m->all->forecast);
}

static double latency_of(const ee_band_promise *p) {
  return p->bands.crowded < 0 ? p->bands.latency : INFINITY;
}

static int enough_devices(const ee_band_promises *all) {
  double best = INFINITY;
  int    n    = 0;
  for (int i = 0; i < all->n; i++) best = fmin(best, latency_of(&all->of[i]));
  if (isinf(best)) return all->n;
  while (n + 1 < all->n && !(latency_of(&all->of[n]) <= best * (1.0 + EE_JUDGEMENT_MARGIN))) n++;
  return n + 1;
}

/* Of what is about as soon, the simplest. */
static ee_band_winner find_winner(const ee_band_promises *all) {
  double bands = latency_of(&all->of[all->enough - 1]), margin = 1.0 + EE_JUDGEMENT_MARGIN;
  double chain = all->chain != NULL ? all->forecast.latency : INFINITY;
  if (all->alone < 0 && all->chain == NULL && isinf(bands)) return EE_WINNER_NONE;
  if (all->alone >= 0 && all->alone_latency <= fmin(bands, chain) * margin) return EE_WINNER_ALONE;
  return chain <= bands * margin ? EE_WINNER_CHAIN : EE_WINNER_BANDS;
}

ee_status ee_band_promises_find(const ee_plan_question *q, ee_band_promises *all) {
  const ee_plan_options *o = q->options;
  char                   names[256];
  ee_band_field          field = {.costs = NULL};
  *all     = (ee_band_promises){.n = o->devices, .alone = -1, .alone_latency = INFINITY};
  making m = {.question = q, .all = all, .planner = ee_planner_by_name(o->planner)};
  if (m.planner == NULL) {
    return EE_FAIL(EE_ERR_USAGE, "--planner is %s; expected %s", o->planner,
                   ee_planner_names(names, sizeof names));
  }
  all->of = calloc((size_t)all->n, sizeof *all->of);
  if (all->of == NULL) return EE_FAIL(EE_ERR_NOMEM, "for bands on %d devices", all->n);
  ee_status status = ee_band_field_find(q->setup, &field);
  if (status == EE_OK) status = make_rows(&m, &field);
  ee_band_field_free(&field);
  EE_TRY(status);
  EE_TRY(ee_first_chain(q->setup, all->n, q->share, find_others, &m));
  all->enough = enough_devices(all);
  all->winner = find_winner(all);
  return EE_OK;
}

void ee_band_promises_free(ee_band_promises *all) {
  for (int i = 0; i < all->n && all->of != NULL; i++) {
    ee_band_choice_free(&all->of[i].bands);
    ee_plan_destroy(&all->of[i].chain);
  }
  free(all->of);
  ee_plan_destroy(&all->chain);
  *all = (ee_band_promises){0};
}

double ee_band_twice(const ee_band_plan *plan) {
  return plan->whole_flops > 0.0 ? plan->flops / plan->whole_flops - 1.0 : 0.0;
}

bool ee_band_device_is_used(const ee_units *units, int d) {
  int u = 0;
  while (u < units->n && units->unit[u].device != d) u++;
  return u < units->n;
}

int ee_band_devices_used(const ee_band_choice *bands) {
  int used = 0;
  for (int d = 0; d < bands->plan->n_devices; d++) used += ee_band_device_is_used(bands->units, d);
  return used;
}
