/* SPDX-License-Identifier: Apache-2.0 */
/* Rank 0: begins samples in order, each on all ranks that compute, or on those that keep up. */
#include <math.h>
#include <stdlib.h>

#include "team_state.h"

ee_status ee_team_source_open(ee_team *t) {
  const ee_model *m = t->setup.model;
  if (t->wire.rank != 0) return EE_OK;
  t->input   = malloc((size_t)ee_model_value_elements(m, m->input) * sizeof *t->input);
  t->without = calloc((size_t)t->wire.size, sizeof *t->without);
  bool there = t->input != NULL && t->without != NULL;
  return there ? EE_OK : EE_FAIL(EE_ERR_NOMEM, "for a sample");
}

void ee_team_source_close(ee_team *t) {
  free(t->input);
  free(t->without);
}

/* When the next sample comes in [ns]. */
static int64_t comes_in(const ee_team *t) {
  return t->setup.rate > 0.0 ? (int64_t)ceil((double)t->next_id / t->setup.rate * 1e9) : 0;
}

static bool has_room(const ee_team *t, int r) {
  return t->next_id < t->peer[r].closed + (uint64_t)t->options.window;
}

/* Ranks without which the sample would have to begin; false if one of them is needed. */
static bool can_do_without(const ee_team *t, uint64_t *lanes) {
  *lanes = 0;
  for (int r = 0; r < t->wire.size; r++) {
    if (has_room(t, r) && !t->peer[r].behind) continue;
    if (!t->peer[r].optional) return false;
    *lanes |= t->peer[r].lanes;
  }
  return __builtin_popcountll(*lanes) < t->units->n_lanes;
}

/* A rank lags while it has not ended a sample that is over here.  One that still waits for others
 * to join their lanes does not. */
static void find_lags(ee_team *t, int64_t now) {
  for (int r = 0; r < t->wire.size; r++) {
    team_peer *p = &t->peer[r];
    if (p->closed >= t->closed) p->lags_since = INT64_MAX;
    if (p->closed < t->closed && (p->lags_since == INT64_MAX || p->closed != p->lagged_at)) {
      p->lags_since = now;
    }
    p->lagged_at = p->closed;
  }
}

/* Until when a rank without room is waited for; INT64_MAX: as long as it takes [ns]. */
static int64_t patience(const ee_team *t, int r) {
  double late = t->options.late * 1e9;
  if (t->peer[r].lags_since == INT64_MAX || !(late < 1e18)) return INT64_MAX;
  return t->peer[r].lags_since + (int64_t)late;
}

/* Whether somebody has no room who may still catch up in time. */
static bool must_wait(const ee_team *t, int64_t now) {
  for (int r = 0; r < t->wire.size; r++) {
    if (!t->peer[r].behind && !has_room(t, r) && now < patience(t, r)) return true;
  }
  return false;
}

/* Ranks that are behind, and those that had no room for too long. */
static void leave_behind(ee_team *t) {
  for (int r = 0; r < t->wire.size; r++) {
    t->peer[r].behind |= !has_room(t, r);
  }
}

/* A rank says that it is ready again when samples pass it by.  If all are behind none does, so who
 * was missed is told of the last one. */
static void ask_missed(ee_team *t, int64_t now) {
  for (int r = 0; r < t->wire.size; r++) {
    team_note note = {.header    = {.magic = EE_MESSAGE_MAGIC},
                      .word      = TEAM_PASSES,
                      .id        = t->next_id - 1,
                      .formation = t->now->number};
    if (!t->peer[r].unasked) continue;
    if (!ee_team_can_tell_rank(t, r)) continue;
    t->peer[r].unasked = false;
    ee_team_tell(t, r, &note, now);
  }
}

static ee_status read_input(ee_team *t) {
  if (t->input_read || t->setup.outcomes != NULL) return EE_OK;
  EE_TRY(t->setup.source.read(t->setup.source.self, (int64_t)t->next_id, 1, t->input));
  t->input_read = true;
  return EE_OK;
}

/* Which the next sample follows. */
static const team_formation *formation_ahead(const ee_team *t) {
  return t->next != NULL && t->next->number == t->move.stamp ? t->next : t->now;
}

static bool can_send(const ee_team *t) {
  return ee_team_can_tell(t, 1) && ee_team_can_give(formation_ahead(t), -1);
}

/* Ranks with any of the lanes go without the sample, also those that keep up, unless they have
 * units of other lanes. */
static void begin(ee_team *t, uint64_t lanes, int64_t now) {
  bool all = true;
  for (int r = 0; r < t->wire.size; r++) {
    team_note note     = {.header    = {.magic = EE_MESSAGE_MAGIC},
                          .id        = t->next_id,
                          .admitted  = now,
                          .lanes     = lanes,
                          .formation = t->move.stamp};
    t->without[r]      = t->peer[r].behind;
    note.word          = t->without[r] ? TEAM_PASSES : TEAM_BEGINS;
    t->peer[r].unasked = false;
    all &= !t->without[r] || t->peer[r].lost;
    ee_team_tell(t, r, &note, now);
  }
  ee_team_give(t, t->now, -1, t->next_id, t->without, now);
  t->team_totals.skipped += !all;
  t->input_read = false;
  t->next_id++;
}

static void tell_end(ee_team *t, int64_t now) {
  team_note note = {.header = {.magic = EE_MESSAGE_MAGIC}, .word = TEAM_ENDS};
  if (!ee_team_can_tell(t, 1)) return;
  ee_team_tell_all(t, &note, now);
  t->end_told = true;
}

ee_status ee_team_source_step(ee_team *t, int64_t now, bool *busy) {
  uint64_t lanes;
  if (t->wire.rank != 0 || t->end_told) return EE_OK;
  ask_missed(t, now);
  if (t->next_id == t->setup.n_samples) {
    tell_end(t, now);
    *busy |= t->end_told;
    return EE_OK;
  }
  if (now < comes_in(t) || !can_send(t)) return EE_OK;
  find_lags(t, now);
  ee_team_move_follow(t, t->move.stamp);  // who may be done without is as the sample will go
  if (must_wait(t, now) || !can_send(t)) return EE_OK;
  if (!can_do_without(t, &lanes)) return EE_OK;
  EE_TRY(read_input(t));
  leave_behind(t);
  begin(t, lanes, now);
  *busy = true;
  return EE_OK;
}

int64_t ee_team_source_next(const ee_team *t, int64_t now) {
  if (t->wire.rank != 0 || t->end_told || t->next_id == t->setup.n_samples) return INT64_MAX;
  if (now < comes_in(t)) return comes_in(t);
  int64_t next = INT64_MAX;
  for (int r = 0; r < t->wire.size; r++) {
    int64_t until = patience(t, r);
    if (!t->peer[r].behind && !has_room(t, r) && until > now && until < next) next = until;
  }
  return next;
}
