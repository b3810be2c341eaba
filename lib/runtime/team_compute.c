/* SPDX-License-Identifier: Apache-2.0 */
/* The units of this rank: their weights, one of them at a time, and what it made. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ee/clock.h"
#include "team_state.h"

/* What a layer or head counts, by how much of it a unit has. */
static double share(double whole_work, double part, double whole) {
  return whole > 0.0 ? whole_work * part / whole : part;
}

double ee_unit_work(const ee_run_setup *setup, const ee_unit *unit) {
  const ee_model *m    = setup->model;
  double          work = 0.0;
  for (int l = unit->begin; l < unit->end; l++) {
    double part = unit->model->layer[l].flops;
    if (part > 0.0) work += share(ee_layer_work(setup, l), part, m->layer[l].flops);
  }
  if (unit->exit < 0) return work;
  int e = unit->exit;
  return work + share(ee_head_work(setup, e), unit->model->head_flops[e], m->head_flops[e]);
}

/* One layer's weights of a unit, out of those of the whole layer. */
static ee_status load_layer(ee_team *t, const ee_unit *unit, int layer, ee_resident *resident) {
  const ee_layer_reader *reader = &t->setup.layers;
  float                 *whole = NULL, *blob = NULL;
  if (unit->model->layer[layer].weight_bytes == 0) return ee_resident_add(resident, layer, NULL);
  EE_TRY(reader->read(reader->self, layer, &whole));
  ee_status status = ee_unit_blob(t->setup.model, unit, layer, whole, &blob);
  free(whole);
  EE_TRY(status);
  return ee_resident_add(resident, layer, blob);
}

ee_status ee_team_load(ee_team *t, int u) {
  const ee_unit *unit = &t->units->unit[u];
  team_loaded   *l    = &t->loaded[u];
  if (l->holders++ > 0 || t->setup.outcomes != NULL) return EE_OK;
  EE_TRY(ee_resident_create(unit->model, t->setup.backend, &l->resident));
  for (int layer = unit->begin; layer < unit->end; layer++) {
    EE_TRY(load_layer(t, unit, layer, l->resident));
  }
  return ee_exec_create(l->resident, unit->begin, unit->end, 1, &l->exec);
}

void ee_team_unload(ee_team *t, int u) {
  team_loaded *l = &t->loaded[u];
  if (--l->holders > 0) return;
  ee_exec_destroy(&l->exec);
  ee_resident_destroy(&l->resident);
}

const float *ee_team_value(const ee_team *t, int u, int v) {
  if (t->setup.outcomes != NULL) return NULL;
  return u < 0 ? t->input : ee_exec_value(t->loaded[u].exec, v);
}

bool ee_team_is_there(const ee_team *t, int64_t now) {
  return t->setup.fleet == NULL || !ee_fleet_away(t->setup.fleet, t->wire.rank, (double)now * 1e-9);
}

/* What a join reads from a lane: zeros if it is absent, and more if others are. */
static void weigh(const ee_team *t, const team_sample *s, const ee_unit_input *in, float *to) {
  int     lane = in->from >= 0 ? t->units->unit[in->from].lane : -1;
  int     all = t->units->n_lanes, here = all - __builtin_popcountll(s->absent);
  int64_t n      = ee_model_value_elements(t->setup.model, in->value);
  float   factor = (float)all / (float)here;
  if (lane < 0 || s->absent == 0) return;
  if (s->absent >> lane & 1) {
    memset(to, 0, (size_t)n * sizeof *to);
  } else {
    for (int64_t i = 0; i < n; i++) to[i] *= factor;
  }
}

/* Everything that the unit reads, from where it is stored to the exec. */
static void fill_inputs(const ee_team *t, const team_sample *s, int u) {
  const ee_unit    *unit  = &t->units->unit[u];
  const team_reads *m     = &s->formation->reads[u];
  size_t            place = (size_t)(s->id % (uint64_t)t->options.window);
  for (int i = 0; i < unit->n_inputs; i++) {
    const ee_unit_input *in   = &unit->input[i];
    const team_edge     *e    = &s->formation->edge[m->edge[i]];
    const team_piece    *p    = &e->piece[m->piece[i]];
    const unsigned char *from = (const unsigned char *)(e->stored + place * e->stride) + p->at;
    float               *to   = ee_exec_input(t->loaded[u].exec, in->value);
    if (s->here[m->edge[i]]) {
      ee_team_copy(t, in->value, p->rows, (const float *)(const void *)from, p->rows, to,
                   ee_team_rows(t, unit, in->value));
    }
    if (unit->joins) weigh(t, s, in, to);
  }
}

static ee_status run(ee_team *t, const team_sample *s, int u) {
  const ee_unit *unit = &t->units->unit[u];
  if (t->setup.outcomes != NULL) return EE_OK;
  fill_inputs(t, s, u);
  return ee_exec_run_layers(t->loaded[u].exec, unit->begin, unit->end, 1);
}

static void trace(const ee_team *t, ee_event_kind kind, int64_t start, int64_t end) {
  const ee_trace_sink *sink = t->setup.sink;
  if (sink == NULL || sink->event == NULL || end <= start) return;
  ee_event event = {.rank       = t->wire.rank,
                    .kind       = (int32_t)kind,
                    .start      = start,
                    .end        = end,
                    .first_id   = t->held.sample->id,
                    .samples    = 1,
                    .plan_epoch = t->held.sample->formation->number,
                    .peer       = -1,
                    .layer      = t->held.unit};
  sink->event(sink->self, &event);
}

/* How long it took, and until when the device counts as busy. */
static void account(ee_team *t, int u) {
  team_held *h       = &t->held;
  double     work    = t->work[u];
  int64_t    modeled = ee_pacer_compute(&t->pacer, work, h->begun);
  h->computed        = ee_team_now(t);
  h->release         = h->begun + modeled > h->computed ? h->begun + modeled : h->computed;
  t->totals.batches++;
  t->totals.compute += h->computed - h->begun;
  t->totals.busy += h->release - h->begun;
  if (modeled > 0 && h->computed > h->begun + modeled) {
    t->totals.late += h->computed - h->begun - modeled;
    t->totals.late_batches++;
  }
  t->work_done += work;
  t->team_totals.computed++;
  t->team_totals.flops += t->units->unit[u].flops;
}

/* Whether all that the unit leads to at once can be sent. */
static bool can_begin(const ee_team *t, const team_sample *s, int u) {
  ee_answer_batch batch;
  if (!ee_team_can_give(s->formation, u)) return false;
  if (t->units->unit[u].exit < 0) return true;
  return ee_team_can_tell(t, 2) && ee_answer_box_slot(t->answers, &batch);
}

ee_status ee_team_compute(ee_team *t, bool *busy) {
  int     u;
  int64_t now = ee_team_now(t);
  if (t->held.sample != NULL || !ee_team_is_there(t, now)) return EE_OK;
  team_sample *s = ee_team_choose(t, now, &u);
  if (s == NULL || !can_begin(t, s, u)) return EE_OK;
  t->held = (team_held){.sample = s, .unit = u, .begun = now};
  EE_TRY(run(t, s, u));
  account(t, u);
  trace(t, EE_EVENT_COMPUTE, t->held.begun, t->held.computed);
  *busy = true;
  return ee_team_release(t, t->held.computed, busy);
}

ee_status ee_team_release(ee_team *t, int64_t now, bool *busy) {
  team_held h = t->held;
  if (h.sample == NULL || now < h.release) return EE_OK;
  trace(t, EE_EVENT_PACE, h.computed, h.release);
  team_sample *s  = h.sample;
  s->done[h.unit] = true;
  t->held.sample  = NULL;
  *busy           = true;
  if (s->left >= 0) {
    ee_team_close_sample(t, s);
    return EE_OK;
  }
  ee_team_give(t, s->formation, h.unit, s->id, NULL, now);
  return t->units->unit[h.unit].exit >= 0 ? ee_team_decide(t, s, h.unit, now) : EE_OK;
}
