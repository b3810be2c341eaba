/* SPDX-License-Identifier: Apache-2.0 */
/* Which unit comes next: work that is known to be needed first, then older samples. */
#include <math.h>

#include "team_state.h"

/* What a unit still waits for. */
typedef struct wants {
  bool     other;    // something that has no lane, or of a lane that cannot be absent
  uint64_t lanes;    // that may be absent, and are not yet
  int      present;  // lanes that are there
} wants;

static wants find_wants(const ee_team *t, const team_sample *s, int u) {
  const ee_unit *unit = &t->units->unit[u];
  wants          w    = {0};
  for (int i = 0; i < unit->n_inputs; i++) {
    int from = unit->input[i].from, lane = from >= 0 ? t->units->unit[from].lane : -1;
    if (unit->joins && lane >= 0) {
      uint64_t bit = (uint64_t)1 << lane;
      if (s->absent & bit) continue;
      if (s->here[s->formation->reads[u].edge[i]]) {
        w.present++;
      } else {
        w.lanes |= bit;
      }
    } else if (!s->here[s->formation->reads[u].edge[i]]) {
      w.other = true;
    }
  }
  return w;
}

/* Until when the join waits for its lanes; INT64_MAX: for as long as it takes [ns]. */
static int64_t deadline(const ee_team *t, const team_sample *s, int u) {
  double late = t->options.late * 1e9;
  if (s->first[u] < 0 || !(late < 1e18)) return INT64_MAX;
  return s->first[u] + (int64_t)late;
}

/* The sample goes on without these lanes, here and everywhere. */
static void give_up(ee_team *t, team_sample *s, uint64_t lanes, int64_t now) {
  team_note note = {
      .header = {.magic = EE_MESSAGE_MAGIC}, .word = TEAM_MISSES, .id = s->id, .lanes = lanes};
  s->absent |= lanes;
  ee_team_tell_all(t, &note, now);
}

/* Whether everything that the unit reads is here.  A join whose time has come does without. */
static bool has_inputs(ee_team *t, team_sample *s, int u, int64_t now) {
  wants w = find_wants(t, s, u);
  if (w.present > 0 && s->first[u] < 0) s->first[u] = now;
  if (w.other) return false;
  if (w.lanes == 0) return true;
  if (w.present == 0 || now < deadline(t, s, u) || !ee_team_can_tell(t, 3)) return false;
  give_up(t, s, w.lanes, now);
  return true;
}

/* How many stages ahead of what is known to be needed; below 0: its time is over. */
static int stages_ahead(const team_sample *s, const ee_unit *unit) {
  return unit->stage - s->passed;
}

static bool may_run(const ee_team *t, const team_sample *s, int u) {
  const ee_unit *unit  = &t->units->unit[u];
  int            ahead = stages_ahead(s, unit);
  if (s->formation->device[u] != t->wire.rank || s->done[u]) return false;
  if (unit->lane >= 0 && s->absent >> unit->lane & 1) return false;
  return ahead >= 0 && ahead <= (unit->exit >= 0 ? 0 : t->options.ahead);
}

/* Whether (@p s, @p u) comes before the best one so far. */
static bool comes_first(const ee_team *t, const team_sample *s, int u, const team_sample *best,
                        int best_u) {
  if (best == NULL) return true;
  int a = stages_ahead(s, &t->units->unit[u]), b = stages_ahead(best, &t->units->unit[best_u]);
  if ((a > 0) != (b > 0)) return b > 0;
  return s->id != best->id ? s->id < best->id : u < best_u;
}

team_sample *ee_team_choose(ee_team *t, int64_t now, int *u) {
  team_sample *best = NULL;
  for (int i = 0; i < t->options.window; i++) {
    team_sample *s = &t->sample[i];
    for (int k = 0; s->open && s->left < 0 && k < t->units->n; k++) {
      if (!may_run(t, s, k) || !has_inputs(t, s, k, now)) continue;
      if (!comes_first(t, s, k, best, *u)) continue;
      best = s;
      *u   = k;
    }
  }
  return best;
}

int64_t ee_team_next_deadline(const ee_team *t) {
  int64_t next = INT64_MAX;
  for (int i = 0; i < t->options.window; i++) {
    const team_sample *s = &t->sample[i];
    for (int u = 0; s->open && s->left < 0 && u < t->units->n; u++) {
      if (!may_run(t, s, u) || s->first[u] < 0) continue;
      int64_t d = deadline(t, s, u);
      next      = d < next ? d : next;
    }
  }
  return next;
}
