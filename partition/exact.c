/* SPDX-License-Identifier: Apache-2.0 */
/* The shortest period by dynamic programming, in two passes over the devices in index order.
 *
 * The first finds the least period alone.  The second walks the stages and links that keep to it
 * and finds the least (stages, sum of squared stage loads), which adds up along the chain as a
 * period does not. */
#include "exact.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "no_room.h"

#define SAME_PERIOD 1e-12  // relative; sums of the same loads in another order differ by less

static ee_status read_plan(const ee_search *s, ee_plan **plan) {
  const ee_chain *chain = s->loads.chain;
  const ee_held  *last  = &s->best[chain->n_layers];
  int             end = chain->n_layers, device = last->before;

  EE_TRY(ee_plan_create(chain->n_layers, chain->n_devices, last->stages, plan));
  for (int k = last->stages - 1; k >= 0; k--) {
    const ee_held *here = &ee_held_of(s, device)[end];
    (*plan)->stage[k]   = (ee_stage){.begin = here->begin, .end = end, .device = device};
    end                 = here->begin;
    device              = here->before;
  }
  return EE_OK;
}

static ee_status create_ranks(ee_search *s) {
  size_t cuts = (size_t)s->loads.chain->n_layers + 1;
  s->ranked   = calloc(cuts, sizeof *s->ranked);
  if (s->ranked == NULL) return EE_FAIL(EE_ERR_NOMEM, "to rank devices at %zu cuts", cuts);
  return EE_OK;
}

void ee_search_unrank(ee_search *s) {
  for (int c = 0; c <= s->loads.chain->n_layers && s->ranked != NULL; c++) {
    s->ranked[c].n   = 0;
    s->ranked[c].all = true;
  }
}

/* Whether a is as good as b or worse. */
static bool no_better(const ee_ranked *a, const ee_ranked *b) {
  return a->stages > b->stages || (a->stages == b->stages && a->value >= b->value);
}

/* Make room: the better half stays. */
static void drop_half(ee_ranking *r) {
  r->n -= EE_RANKED_LEAST;
  memmove(r->of, r->of + EE_RANKED_LEAST, (size_t)r->n * sizeof *r->of);
  r->all = false;
}

void ee_search_rank(ee_search *s, int cut, ee_ranked one) {
  ee_ranking *r = &s->ranked[cut];
  if (r->n == 2 * EE_RANKED_LEAST) drop_half(r);
  if (!r->all && no_better(&one, &r->of[0])) return;
  int k = r->n++;
  for (; k > 0 && no_better(&one, &r->of[k - 1]); k--) r->of[k] = r->of[k - 1];
  r->of[k] = one;
}

static ee_status search_create(const ee_chain *chain, ee_search *s) {
  *s = (ee_search){.loads = {.chain = chain}};
  EE_TRY(ee_loads_create(chain, &s->loads));
  size_t cuts = (size_t)chain->n_layers + 1, devices = (size_t)chain->n_devices;

  s->finish = calloc(devices, cuts * sizeof *s->finish);
  s->held   = calloc(devices, cuts * sizeof *s->held);
  s->gate   = calloc(cuts, sizeof *s->gate);
  s->entry  = calloc(cuts, sizeof *s->entry);
  s->least  = calloc(cuts, sizeof *s->least);
  s->best   = calloc(cuts, sizeof *s->best);
  s->column = calloc(cuts, 3 * sizeof *s->column);
  if (s->finish == NULL || s->held == NULL || s->gate == NULL || s->entry == NULL ||
      s->least == NULL || s->best == NULL || s->column == NULL) {
    return EE_FAIL(EE_ERR_NOMEM, "to plan %d layers on %d devices", chain->n_layers,
                   chain->n_devices);
  }
  s->row  = s->column + cuts;
  s->last = s->row + cuts;
  return s->loads.cut != NULL ? EE_OK : create_ranks(s);
}

static void search_destroy(ee_search *s) {
  ee_loads_destroy(&s->loads);
  free(s->finish);
  free(s->held);
  free(s->gate);
  free(s->entry);
  free(s->least);
  free(s->best);
  free(s->column);  // one block: column, row, last
  free(s->ranked);
}

static ee_status find(ee_search *s, ee_plan **plan) {
  double period = ee_search_period(s);
  if (!isfinite(period)) return ee_no_room(&s->loads);
  ee_search_stages(s, period * (1.0 + SAME_PERIOD));
  return read_plan(s, plan);
}

ee_status ee_partition_exact(const ee_chain *chain, ee_plan **plan) {
  ee_search s;
  *plan            = NULL;
  ee_status status = search_create(chain, &s);
  if (status == EE_OK) status = find(&s, plan);
  search_destroy(&s);
  return status;
}
