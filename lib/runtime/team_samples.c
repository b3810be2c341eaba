/* SPDX-License-Identifier: Apache-2.0 */
/* The samples that this rank has begun: as many as the window, each at the place of its id. */
#include <stdlib.h>
#include <string.h>

#include "team_state.h"

ee_status ee_team_samples_open(ee_team *t) {
  size_t window = (size_t)t->options.window, n_edges = (size_t)t->most_edges + 1;
  size_t n_units = (size_t)t->units->n + 1;
  t->sample      = calloc(window, sizeof *t->sample);
  for (size_t i = 0; t->sample != NULL && i < window; i++) {
    team_sample *s = &t->sample[i];
    s->state       = calloc(1, t->state_bytes + 1);
    s->here        = calloc(n_edges, sizeof *s->here);
    s->done        = calloc(n_units, sizeof *s->done);
    s->first       = calloc(n_units, sizeof *s->first);
    if (s->state != NULL && s->here != NULL && s->done != NULL && s->first != NULL) continue;
    return EE_FAIL(EE_ERR_NOMEM, "for %zu samples", window);
  }
  return t->sample != NULL ? EE_OK : EE_FAIL(EE_ERR_NOMEM, "for %zu samples", window);
}

void ee_team_samples_close(ee_team *t) {
  for (int i = 0; t->sample != NULL && i < t->options.window; i++) {
    free(t->sample[i].state);
    free(t->sample[i].here);
    free(t->sample[i].done);
    free(t->sample[i].first);
  }
  free(t->sample);
}

team_sample *ee_team_sample(const ee_team *t, uint64_t id) {
  team_sample *s = &t->sample[id % (uint64_t)t->options.window];
  return s->open && s->id == id ? s : NULL;
}

void ee_team_begin_sample(ee_team *t, const team_note *note) {
  team_sample *s = &t->sample[note->id % (uint64_t)t->options.window];
  ee_team_move_follow(t, note->formation);
  s->open      = true;
  s->formation = t->now;
  s->id        = note->id;
  s->admitted  = note->admitted;
  s->absent    = note->lanes | ee_team_lost_lanes(t, s->formation);
  s->passed    = 0;
  s->left      = -1;
  s->offloaded = 0;
  memset(s->state, 0, t->state_bytes);
  memset(s->here, 0, (size_t)t->most_edges * sizeof *s->here);
  memset(s->done, 0, (size_t)t->units->n * sizeof *s->done);
  for (int u = 0; u < t->units->n; u++) s->first[u] = -1;
  t->known = note->id + 1;
}

/* What the rank's units were for, now that it is known where the sample left. */
static void settle_account(ee_team *t, const team_sample *s) {
  ee_team_totals *totals = &t->team_totals;
  for (int u = 0; u < t->units->n; u++) {
    const ee_unit *unit = &t->units->unit[u];
    if (s->formation->device[u] != t->wire.rank || unit->stage <= s->left) continue;
    if (s->done[u]) {
      totals->in_vain++;
      totals->flops_in_vain += unit->flops;
    } else {
      totals->spared++;
    }
  }
}

/* Ids below the oldest that is open are over here. */
static void find_closed(ee_team *t) {
  t->closed = t->known == UINT64_MAX ? t->closed : t->known;
  for (int i = 0; i < t->options.window; i++) {
    const team_sample *s = &t->sample[i];
    if (s->open && s->id < t->closed) t->closed = s->id;
  }
}

void ee_team_pass_sample(ee_team *t, const team_note *note) {
  ee_team_move_follow(t, note->formation);
  t->known     = note->id + 1;
  t->passed_by = true;
  find_closed(t);
}

void ee_team_close_sample(ee_team *t, team_sample *s) {
  if (s->left < 0 || t->held.sample == s) return;
  settle_account(t, s);
  s->open = false;
  find_closed(t);
}

bool ee_team_any_open(const ee_team *t) {
  for (int i = 0; i < t->options.window; i++) {
    if (t->sample[i].open) return true;
  }
  return false;
}
