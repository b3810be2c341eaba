/* SPDX-License-Identifier: Apache-2.0 */
/* The latency limit of samples that are on several ranks: who passed an exit before it ends there,
 * by what that exit said, and every rank finds this out by itself. */
#include "team_state.h"

int64_t ee_team_limit_of(const ee_team *t, const team_sample *s) {
  ee_deadline deadline = {t->setup.latency_limit, t->setup.rate};
  return ee_deadline_of(&deadline, s->id, s->admitted);
}

/* Whether exit @p e of the sample is decided here. */
static bool is_decided_here(const ee_team *t, const team_sample *s, int e) {
  for (int u = 0; u < t->units->n; u++) {
    if (t->units->unit[u].exit == e) return s->formation->device[u] == t->wire.rank;
  }
  return false;
}

static bool can_end(const team_sample *s) {
  return s->open && s->left < 0 && s->passed > 0;
}

void ee_team_drop(ee_team *t, team_sample *s) {
  if (is_decided_here(t, s, s->passed - 1)) {
    t->totals.dropped++;
    t->team_totals.joined++;
    t->team_totals.joined_in_part += s->absent != 0;
  }
  ee_team_leave(t, s, s->passed - 1);
}

void ee_team_drop_overdue(ee_team *t, int64_t now, bool *busy) {
  if (t->setup.latency_limit <= 0.0) return;
  for (int i = 0; i < t->options.window; i++) {
    team_sample *s = &t->sample[i];
    if (!can_end(s) || now < ee_team_limit_of(t, s)) continue;
    ee_team_drop(t, s);
    *busy = true;
  }
}

int64_t ee_team_next_limit(const ee_team *t) {
  int64_t next = INT64_MAX;
  for (int i = 0; t->setup.latency_limit > 0.0 && i < t->options.window; i++) {
    const team_sample *s = &t->sample[i];
    if (!can_end(s)) continue;
    int64_t limit = ee_team_limit_of(t, s);
    next          = limit < next ? limit : next;
  }
  return next;
}
