/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the plans that edgeexit plan tells of. */
#include "plan_find.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "ee/clock.h"
#include "exit_shares.h"
#include "progress.h"

static ee_status find_plan(const ee_plan_options *o, const ee_planner *planner,
                           const ee_chain *chain, ee_plan **plan) {
  return o->max_period > 0.0 ? ee_partition_latency_within(chain, o->max_period, plan)
                             : ee_partition_find(planner, chain, plan);
}

static ee_status fill_memory(const ee_chain *chain, ee_promise *p) {
  size_t n  = (size_t)chain->n_devices;
  p->bytes  = calloc(n, sizeof *p->bytes);
  p->memory = calloc(n, sizeof *p->memory);
  if (p->bytes == NULL || p->memory == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %zu devices", n);
  for (int s = 0; s < p->plan->n_stages; s++) {
    p->bytes[s] = ee_partition_stage_bytes(chain, p->plan, s);
  }
  for (int d = 0; d < chain->n_devices; d++) {
    p->memory[d] = chain->memory != NULL ? chain->memory[d] : 0.0;
  }
  return EE_OK;
}

/** The promise that is being made. */
typedef struct making {
  const ee_plan_question *question;
  ee_promises            *all;
  ee_promise             *one;
} making;

/* Whether all devices and all links are alike. */
static bool devices_alike(const ee_chain *chain) {
  bool alike = chain->links_alike;
  for (int d = 1; d < chain->n_devices && alike; d++) {
    double speed = chain->speed[0], memory = chain->memory != NULL ? chain->memory[0] : 0.0;
    alike = chain->speed[d] >= speed && chain->speed[d] <= speed;
    if (chain->memory != NULL && alike) {
      alike = chain->memory[d] >= memory && chain->memory[d] <= memory;
    }
  }
  return alike;
}

/* Of devices that are alike no more than there are layers are of use, and of equal plans the exact
 * planner takes the one on the first devices: with one device more its plan is the same. */
static ee_status find_or_repeat(const making *m, const ee_chain *chain, ee_plan **plan) {
  const ee_plan_options *o    = m->question->options;
  const ee_promise      *last = m->one - 1;
  bool more = m->all->planner == ee_planner_by_name("exact") && o->max_period <= 0.0 &&
              chain->n_devices > chain->n_layers + 1 && last->plan != NULL && devices_alike(chain);
  if (!more) return find_plan(o, m->all->planner, chain, plan);
  EE_TRY(ee_plan_copy(last->plan, plan));
  (*plan)->n_devices = chain->n_devices;
  return EE_OK;
}

static ee_status make_promise(const ee_chain *chain, void *context) {
  making     *m     = context;
  ee_promise *p     = m->one;
  double      begin = ee_clock_effort();
  EE_TRY(find_or_repeat(m, chain, &p->plan));
  p->effort = ee_clock_effort() - begin;
  EE_TRY(ee_partition_forecast(chain, p->plan, &p->forecast));
  if (m->all->planner->replicates) p->forecast.lower_bound = ee_partition_spread_bound(chain);
  p->head = ee_partition_head(chain, p->plan, &p->forecast, &p->head_share);
  return fill_memory(chain, p);
}

/* What crosses the links of the plan for n devices. */
static ee_status choose_link_values(const ee_plan_question *q, const ee_planner *planner, int n,
                                    ee_promise *p) {
  ee_link_wish wish = {.planner = planner, .share = q->share};
  p->setup          = *q->setup;
  return ee_link_options_apply(&q->options->link, q->loss, n, &wish, &p->setup, &p->link);
}

static ee_status add_latencies(const ee_run_setup *setup, ee_promise *p) {
  p->latency = calloc((size_t)setup->model->n_exits, sizeof *p->latency);
  if (p->latency == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d exits", setup->model->n_exits);
  return ee_exit_latencies(setup, p->plan, p->latency);
}

/* A number of devices may be too few for a plan, which *none then says. */
static ee_status make_row(const ee_plan_question *q, ee_promises *all, int n, ee_status *none) {
  making    m      = {.question = q, .all = all, .one = &all->of[n - 1]};
  ee_status status = choose_link_values(q, all->planner, n, m.one);
  if (status == EE_OK) {
    status = ee_first_chain(&m.one->setup, n, q->share, make_promise, &m);
  }
  if (status == EE_ERR_ARG && m.one->plan == NULL) {
    *none = status;
    snprintf(all->no_plan, sizeof all->no_plan, "%s", ee_status_message());
    return EE_OK;
  }
  EE_TRY(status);
  m.one->link_loss = ee_link_plan_loss(&m.one->setup, m.one->plan, q->loss);
  return add_latencies(&m.one->setup, m.one);
}

/* Only if there is no plan for any number of devices, that is an error. */
static ee_status make_promises(const ee_plan_question *q, ee_promises *all) {
  ee_status   status = EE_OK, none = EE_OK;
  ee_progress progress = ee_progress_begin("planned for", all->n);
  for (int n = 1; n <= all->n && status == EE_OK; n++) {
    status = make_row(q, all, n, &none);
    ee_progress_show(&progress, n);
  }
  ee_progress_end(&progress);
  EE_TRY(status);
  for (int n = 0; n < all->n; n++) {
    if (all->of[n].plan != NULL) return EE_OK;
  }
  return none;
}

static double objective(const ee_promises *all, const ee_promise *p) {
  if (p->plan == NULL) return INFINITY;
  return all->by_latency ? p->forecast.latency : p->forecast.period;
}

static bool within_margin(double value, double best) {
  return value <= best * (1.0 + EE_JUDGEMENT_MARGIN);
}

static bool is_as_good(const ee_promises *all, int i, double best) {
  const ee_promise *p = &all->of[i];
  return p->plan != NULL && within_margin(objective(all, p), best);
}

/* Of plans that are as good in what the planner makes short, those with the shortest period count:
 * with equal latencies that is the second goal.  Of these the one on the fewest devices, whichever
 * they are. */
static int enough_devices(const ee_promises *all) {
  double best = INFINITY, period = INFINITY;
  for (int i = 0; i < all->n; i++) best = fmin(best, objective(all, &all->of[i]));
  for (int i = 0; i < all->n; i++) {
    if (is_as_good(all, i, best)) period = fmin(period, all->of[i].forecast.period);
  }
  int fewest = INT_MAX, chosen = 0;
  for (int i = 0; i < all->n; i++) {
    if (!is_as_good(all, i, best) || !within_margin(all->of[i].forecast.period, period)) continue;
    int used = ee_plan_devices_used(all->of[i].plan);
    if (used >= fewest) continue;
    fewest = used;
    chosen = i;
  }
  return chosen + 1;
}

/* Whether another planner has a better plan for all devices. */
static ee_status look_for_better(const ee_chain *chain, ee_promises *all) {
  static const char *const others[] = {"exact", "free-order"};
  all->better_period                = all->judgement->forecast.period;
  for (int k = 0; k < 2; k++) {
    const ee_planner *planner = ee_planner_by_name(others[k]);
    ee_plan          *plan    = NULL;
    ee_forecast       f;
    if (planner == all->planner) continue;
    EE_TRY(ee_partition_find(planner, chain, &plan));
    ee_status status = ee_partition_forecast(chain, plan, &f);
    ee_plan_destroy(&plan);
    EE_TRY(status);
    if (f.period >= all->better_period * (1 - EE_JUDGEMENT_MARGIN)) continue;
    all->better        = planner;
    all->better_period = f.period;
  }
  return EE_OK;
}

static ee_status judge(const ee_chain *chain, void *context) {
  making *m = context;
  EE_TRY(ee_partition_judge(chain, m->all->planner, m->question->options->max_period, m->all->plan,
                            &m->all->judgement));
  if (m->all->planner == ee_planner_by_name("free-order")) {
    m->all->heuristic = !ee_partition_free_order_is_exact(chain);
  }
  if (m->all->by_latency || chain->n_devices > EE_JUDGEMENT_MOST) return EE_OK;
  return look_for_better(chain, m->all);
}

ee_status ee_promises_find(const ee_plan_question *q, ee_promises *all) {
  const ee_plan_options *o = q->options;
  char                   names[256];
  *all     = (ee_promises){.n = o->devices, .planner = ee_planner_by_name(o->planner)};
  making m = {.question = q, .all = all};
  if (all->planner == NULL) {
    return EE_FAIL(EE_ERR_USAGE, "--planner is %s; expected %s", o->planner,
                   ee_planner_names(names, sizeof names));
  }
  all->by_latency = all->planner->by_latency || o->max_period > 0.0;
  all->of         = calloc((size_t)all->n, sizeof *all->of);
  if (all->of == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d plans", all->n);
  EE_TRY(ee_hint_at_shares(make_promises(q, all), q->share));

  all->enough = enough_devices(all);
  EE_TRY(ee_plan_copy(all->of[all->enough - 1].plan, &all->plan));
  all->plan->n_devices = all->n;
  return ee_first_chain(&all->of[all->enough - 1].setup, all->n, q->share, judge, &m);
}

void ee_promises_free(ee_promises *all) {
  for (int i = 0; i < all->n && all->of != NULL; i++) {
    ee_plan_destroy(&all->of[i].plan);
    free(all->of[i].latency);
    free(all->of[i].bytes);
    free(all->of[i].memory);
    free(all->of[i].link.int8_at);
  }
  free(all->of);
  ee_plan_destroy(&all->plan);
  ee_judgement_destroy(&all->judgement);
  *all = (ee_promises){0};
}
