/* SPDX-License-Identifier: Apache-2.0 */
/* Choosing how many bits values have on links. */
#include "ee/link_choice.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ee/controller.h"

#define SAME 1e-9  // relatively: a link that takes no longer than the period

/* A choice in the making. */
typedef struct making {
  ee_run_setup        setup;  // with what is tried
  int                 n_devices;
  const ee_link_wish *wish;
  bool               *allowed, *at;  // shape [n_layers + 1]; `at` is tried
  ee_plan            *plan;          // found with what is tried; NULL: none fits
  double              period;        // its; INFINITY
  ee_status           none;          // why none did, the last time
} making;

static ee_status find_on(const ee_chain *chain, void *context) {
  making     *m = context;
  ee_forecast forecast;
  ee_plan_destroy(&m->plan);
  EE_TRY(m->wish->plan != NULL ? ee_plan_copy(m->wish->plan, &m->plan)
                               : ee_partition_find(m->wish->planner, chain, &m->plan));
  EE_TRY(ee_partition_forecast(chain, m->plan, &forecast));
  m->period = forecast.period;
  return EE_OK;
}

static ee_status find_plan(making *m, ee_link_values values, const bool *int8_at) {
  m->setup.link_values = values;
  m->setup.int8_at     = int8_at;
  m->period            = INFINITY;
  ee_status status     = ee_first_chain(&m->setup, m->n_devices, m->wish->share, find_on, m);
  if (status != EE_ERR_ARG || m->plan != NULL) return status;
  m->none = status;
  return EE_OK;
}

/* What a cut of 8 bits counts against the limit. */
static double loss_at(const double *loss, int cut) {
  return loss != NULL ? (loss[cut] < 0.0 ? 0.0 : loss[cut]) : NAN;
}

double ee_link_plan_loss(const ee_run_setup *setup, const ee_plan *plan, const double *loss) {
  double sum = 0.0;
  for (int s = 1; s < plan->n_stages; s++) {
    int            cut    = plan->stage[s].begin;
    ee_link_values across = ee_link_values_at(setup->model, ee_run_link_values(setup, cut), cut);
    if (across == EE_LINK_I8) sum += loss_at(loss, cut);
  }
  return sum;
}

/* Keep 8 bits at those cuts of the plan whose link would take longer than its period without; all
 * other cuts give them up. */
static ee_status keep_needed(const ee_chain *chain, void *context) {
  making *m = context;
  for (int c = 0; c <= m->setup.model->n_layers && m->plan != NULL; c++) {
    int s = c > 0 ? ee_plan_stage_of_layer(m->plan, c - 1) : -1;
    m->at[c] &= s >= 0 && m->plan->stage[s].end == c && s + 1 < m->plan->n_stages &&
                ee_partition_link_seconds(chain, m->plan, s) > m->period * (1.0 + SAME);
  }
  return EE_OK;
}

static int count(const making *m, const bool *at) {
  int n = 0;
  for (int c = 0; c <= m->setup.model->n_layers; c++) n += at[c];
  return n;
}

/* Try 8 bits where they are allowed, and give them up where the plan does not need them. */
static ee_status try_allowed(making *m) {
  int before, left = count(m, m->allowed);
  memcpy(m->at, m->allowed, ((size_t)m->setup.model->n_layers + 1) * sizeof *m->at);
  do {
    before = left;
    EE_TRY(find_plan(m, EE_LINK_F16, m->at));
    m->setup.int8_at = NULL;
    EE_TRY(ee_first_chain(&m->setup, m->n_devices, m->wish->share, keep_needed, m));
    left = count(m, m->at);
  } while (left < before);
  return EE_OK;
}

/* Whether all cuts tried are within the limit together; if not, rule out that which loses most. */
static bool within(making *m) {
  const double *loss  = m->wish->loss;
  double        sum   = 0.0;
  int           worst = -1;
  for (int c = 0; c <= m->setup.model->n_layers; c++) {
    if (!m->at[c]) continue;
    sum += loss_at(loss, c);
    if (worst < 0 || loss_at(loss, c) > loss_at(loss, worst)) worst = c;
  }
  if (!(sum > m->wish->max_loss)) return true;
  m->allowed[worst] = false;
  return false;
}

/* The plan with 8 bits where that is needed and allowed. */
static ee_status try_bytes(making *m, double *period) {
  const ee_model *model = m->setup.model;
  for (int c = 1; c < model->n_layers; c++) {
    m->allowed[c] = ee_link_values_at(model, EE_LINK_I8, c) == EE_LINK_I8 &&
                    loss_at(m->wish->loss, c) <= m->wish->max_loss;
  }
  *period = NAN;
  if (count(m, m->allowed) == 0) return EE_OK;
  do {
    EE_TRY(try_allowed(m));
  } while (!within(m));
  *period = m->period;
  return EE_OK;
}

static ee_status choose(making *m, ee_link_choice *choice) {
  double *period = choice->period;
  EE_TRY(find_plan(m, EE_LINK_F32, NULL));
  period[EE_LINK_F32] = m->period;
  EE_TRY(find_plan(m, EE_LINK_F16, NULL));
  period[EE_LINK_F16] = m->period;
  EE_TRY(try_bytes(m, &period[EE_LINK_I8]));

  bool   halves = period[EE_LINK_F16] < (1.0 - EE_LINK_GAIN) * period[EE_LINK_F32];
  double best   = fmin(period[EE_LINK_F16], period[EE_LINK_F32]);
  bool   bytes  = period[EE_LINK_I8] < (1.0 - EE_LINK_GAIN) * best;
  if (isinf(best) && !bytes) return m->none;
  choice->values = halves || bytes ? EE_LINK_F16 : EE_LINK_F32;
  if (!bytes) return EE_OK;
  choice->int8_at = m->at;
  m->at           = NULL;
  return EE_OK;
}

ee_status ee_link_values_choose(const ee_run_setup *setup, int n_devices, const ee_link_wish *wish,
                                ee_link_choice *choice) {
  size_t cuts      = (size_t)setup->model->n_layers + 1;
  making m         = {.setup     = *setup,
                      .n_devices = n_devices,
                      .wish      = wish,
                      .allowed   = calloc(cuts, sizeof *m.allowed),
                      .at        = calloc(cuts, sizeof *m.at)};
  *choice          = (ee_link_choice){.values = EE_LINK_F32};
  ee_status status = m.allowed != NULL && m.at != NULL
                         ? choose(&m, choice)
                         : EE_FAIL(EE_ERR_NOMEM, "for %zu cuts", cuts);
  ee_plan_destroy(&m.plan);
  free(m.allowed);
  free(m.at);
  return status;
}
