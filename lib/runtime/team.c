/* SPDX-License-Identifier: Apache-2.0 */
/* Making a team's rank: what can be refused, communicators, links, weights; and its end. */
#include "ee/team.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ee/agree.h"
#include "setup.h"
#include "team_state.h"

enum { MOST_LANES = 64, MOST_WINDOW = 4096 };

ee_team_options ee_team_defaults(void) {
  return (ee_team_options){.window = 8, .ahead = 2, .late = INFINITY};
}

static ee_status check_options(const ee_team_options *o, const ee_units *units) {
  if (o->window < 1 || o->window > MOST_WINDOW || o->ahead < 0 || !(o->late >= 0.0)) {
    return EE_FAIL(EE_ERR_ARG,
                   "window %d must be in 1 to %d, stages ahead %d and lateness %g s at least 0",
                   o->window, MOST_WINDOW, o->ahead, o->late);
  }
  if (units->n_lanes <= MOST_LANES) return EE_OK;
  return EE_FAIL(EE_ERR_ARG, "%d lanes are too many; the most is %d", units->n_lanes, MOST_LANES);
}

static ee_status check_policy(const ee_run_setup *s) {
  if (s->policy->ops->learning != NULL) {
    return EE_FAIL(EE_ERR_ARG,
                   "policy %s learns while it serves; samples that are on several devices at once "
                   "take a policy that does not",
                   s->policy->ops->name);
  }
  bool scored = s->outcomes != NULL ? s->outcomes->score != NULL : ee_model_has_scores(s->model);
  if (scored || !(s->policy->ops->needs & EE_NEEDS_SCORE)) return EE_OK;
  return EE_FAIL(EE_ERR_ARG, "policy %s needs learned scores, and no exit of model %s has one",
                 s->policy->ops->name, s->model->name);
}

static ee_status check_setup(const ee_run_setup *s, const ee_units *units,
                             const ee_team_options *options, int size) {
  EE_TRY(check_options(options, units));
  EE_TRY(check_policy(s));
  EE_TRY(ee_units_check(units, size));
  if (s->fleet != NULL && s->fleet->n_devices != size) {
    return EE_FAIL(EE_ERR_ARG, "the fleet has %d devices, the run has %d ranks",
                   s->fleet->n_devices, size);
  }
  if (s->outcomes != NULL && s->fleet == NULL) {
    return EE_FAIL(EE_ERR_ARG, "with outcomes nothing is computed, so a fleet must say how long");
  }
  if (!(s->latency_limit >= 0.0)) {
    return EE_FAIL(EE_ERR_ARG, "a latency limit of %g s, expected at least 0", s->latency_limit);
  }
  if (!(s->rate >= 0.0) || s->n_samples > INT64_MAX) {
    return EE_FAIL(EE_ERR_ARG, "rate %g 1/s must be at least 0, and %llu samples are too many",
                   s->rate, (unsigned long long)s->n_samples);
  }
  return EE_OK;
}

void ee_team_count_peers(ee_team *t, const int *device) {
  for (int r = 0; r < t->wire.size; r++) {
    t->peer[r].optional = r > 0;
    t->peer[r].lanes    = 0;
  }
  for (int u = 0; u < t->units->n; u++) {
    team_peer *p    = &t->peer[device[u]];
    int        lane = t->units->unit[u].lane;
    p->optional &= ee_unit_may_be_absent(t->units, u);
    if (lane >= 0) p->lanes |= (uint64_t)1 << lane;
  }
}

static ee_status open_collector(ee_team *t) {
  const ee_run_setup *s     = &t->setup;
  ee_collector_setup  setup = {.n_samples   = s->n_samples,
                               .label       = s->label,
                               .n_exits     = s->model->n_exits,
                               .n_classes   = s->model->n_classes,
                               .batch_limit = 1,
                               .with_logits = s->with_logits,
                               .sink        = s->sink,
                               .pacer       = &t->pacer,
                               .deadline    = {s->latency_limit, s->rate}};
  return t->wire.rank == 0 ? ee_collector_open(&t->wire, &setup, &t->collector) : EE_OK;
}

/* Units as they were given, with their weights. */
static ee_status open_first(ee_team *t) {
  size_t n         = (size_t)t->units->n;
  int   *device    = calloc(n + 1, sizeof *device);
  t->work          = calloc(n + 1, sizeof *t->work);
  t->loaded        = calloc(n + 1, sizeof *t->loaded);
  ee_status status = device != NULL && t->work != NULL && t->loaded != NULL
                         ? EE_OK
                         : EE_FAIL(EE_ERR_NOMEM, "for %zu units", n);
  for (int u = 0; status == EE_OK && u < t->units->n; u++) {
    device[u]  = t->units->unit[u].device;
    t->work[u] = ee_unit_work(&t->setup, &t->units->unit[u]);
  }
  if (status == EE_OK) status = ee_team_memory_check(t, device);
  if (status == EE_OK) ee_team_count_peers(t, device);
  if (status == EE_OK) status = ee_team_formation_open(t, 0, device, &t->now);
  for (int u = 0; status == EE_OK && u < t->units->n; u++) {
    if (device[u] == t->wire.rank) status = ee_team_load(t, u);
  }
  free(device);
  return status;
}

static void close_units(ee_team *t) {
  for (int u = 0; t->loaded != NULL && u < t->units->n; u++) {
    t->loaded[u].holders = 1;
    ee_team_unload(t, u);
  }
  free(t->loaded);
  free(t->work);
}

/* Everything that can fail on one rank alone. */
static ee_status open_parts(ee_team *t) {
  const ee_run_setup *s = &t->setup;
  EE_TRY(check_setup(s, t->units, &t->options, t->wire.size));
  EE_TRY(ee_pacer_open(s->fleet, s->host_flops, t->wire.rank, &t->pacer));
  EE_TRY(ee_team_memory_open(t));
  t->state_bytes = ee_team_state_bytes(s->policy);
  t->heard       = calloc(1, t->state_bytes + 1);
  if (t->heard == NULL) return EE_FAIL(EE_ERR_NOMEM, "for a policy's state");
  t->peer = calloc((size_t)t->wire.size, sizeof *t->peer);
  if (t->peer == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d ranks", t->wire.size);
  for (int r = 0; r < t->wire.size; r++) t->peer[r].lags_since = INT64_MAX;
  for (int u = 0; u < t->units->n; u++) t->most_edges += t->units->unit[u].n_inputs;
  EE_TRY(ee_team_samples_open(t));
  EE_TRY(ee_team_lines_open(t));
  EE_TRY(open_first(t));
  EE_TRY(ee_team_move_open(t));
  EE_TRY(ee_team_source_open(t));
  EE_TRY(open_collector(t));
  EE_TRY(ee_answer_box_open(&t->wire, 2 * t->options.window, 1, s->model->n_classes, s->with_logits,
                            &t->answers));
  t->probability = malloc((size_t)s->model->n_classes * sizeof *t->probability);
  return t->probability != NULL ? EE_OK
                                : EE_FAIL(EE_ERR_NOMEM, "for %d classes", s->model->n_classes);
}

/* A number that differs where ranks were given different teams (FNV-1a, 31 bits). */
static int key_of(const ee_team *t) {
  uint64_t hash = 0xcbf29ce484222325U;
  uint64_t late;
  memcpy(&late, &t->options.late, sizeof late);
  uint64_t part[] = {(uint64_t)ee_setup_key(&t->setup),
                     (uint64_t)t->options.window,
                     (uint64_t)t->options.ahead,
                     late,
                     (uint64_t)t->units->n,
                     (uint64_t)t->setup.model->n_nodes};
  for (size_t i = 0; i < sizeof part / sizeof part[0]; i++)
    hash = (hash ^ part[i]) * 0x100000001b3U;
  for (int u = 0; u < t->units->n; u++) {
    const ee_unit *unit = &t->units->unit[u];
    uint64_t       word =
        (uint64_t)unit->device << 32 | (uint64_t)unit->begin << 16 | (uint64_t)unit->end;
    hash = (hash ^ word) * 0x100000001b3U;
  }
  return (int)(hash >> 33);
}

ee_status ee_team_create(MPI_Comm comm, const ee_run_setup *setup, const ee_units *units,
                         const ee_team_options *options, ee_team **team) {
  *team            = NULL;
  ee_team  *t      = calloc(1, sizeof *t);
  ee_status status = t == NULL ? EE_FAIL(EE_ERR_NOMEM, "for a team") : EE_OK;
  status           = ee_agree(comm, status, 0);
  if (status != EE_OK) {
    free(t);
    return status;
  }
  t->setup      = *setup;
  t->units      = units;
  t->options    = *options;
  t->idle_since = -1;
  ee_wire_open(comm, &t->wire);
  ee_alarm_open(&t->wire, &t->alarm);
  t->living = t->everybody = comm;
  status                   = open_parts(t);
  status                   = ee_agree(comm, status, status == EE_OK ? key_of(t) : 0);
  if (status == EE_ERR_MISMATCH) {
    EE_FAIL(status,
            "ranks were given different runs; model, policy, units, samples, window, limits and "
            "fleet must be the same on all");
  }
  if (status != EE_OK) ee_team_destroy(&t);
  *team = t;
  return status;
}

const ee_device_totals *ee_team_device_totals(const ee_team *team) {
  return &team->totals;
}

MPI_Comm ee_team_living(const ee_team *team) {
  return team->living;
}

const ee_team_totals *ee_team_totals_of(const ee_team *team) {
  return &team->team_totals;
}

void ee_team_destroy(ee_team **team) {
  ee_team *t = *team;
  if (t == NULL) return;
  ee_alarm_close(&t->alarm);
  ee_team_source_close(t);
  ee_collector_close(&t->collector);
  ee_answer_box_close(&t->answers);
  ee_team_formation_close(t, &t->now);
  ee_team_formation_close(t, &t->next);
  ee_team_formation_close(t, &t->old);
  ee_team_move_close(t);
  close_units(t);
  ee_unit_memory_free(&t->memory);
  ee_team_lines_close(t);
  ee_team_samples_close(t);
  ee_pacer_close(&t->pacer);
  free(t->peer);
  free(t->probability);
  free(t->heard);
  ee_wire_close(&t->wire);
  free(t);
  *team = NULL;
}
