/* SPDX-License-Identifier: Apache-2.0 */
/* Ranks whose processes have died: nothing goes to them, nothing of them is waited for, and their
 * lanes are absent from all samples. */
#include <math.h>

#include "ee/log.h"
#include "team_state.h"

#define STUCK_S 10.0     // a process that takes no message for so long counts as dead [s]
#define STUCK_LATE 10.0  // but not before so many times what a branch may be late

uint64_t ee_team_lost_lanes(const ee_team *t, const team_formation *f) {
  uint64_t lanes = 0;
  for (int u = 0; u < t->units->n; u++) {
    int lane = t->units->unit[u].lane;
    if (lane >= 0 && t->peer[f->device[u]].lost) lanes |= (uint64_t)1 << lane;
  }
  return lanes;
}

bool ee_team_needs_lost(const ee_team *t, const team_formation *f) {
  for (int u = 0; u < t->units->n; u++) {
    if (t->peer[f->device[u]].lost && !ee_unit_may_be_absent(t->units, u)) return true;
  }
  return __builtin_popcountll(ee_team_lost_lanes(t, f)) >= t->units->n_lanes;
}

/* Links with rank @p r, and what is under way on them. */
static void abandon_links(ee_team *t, int r) {
  for (int k = 0; ee_team_formation_at(t, k) != NULL; k++) {
    ee_team_edges_abandon(ee_team_formation_at(t, k), r);
  }
  ee_outbox_abandon(&t->line[r].outbox);
  ee_inbox_abandon(&t->line[r].inbox);
}

void ee_team_abandon_all(ee_team *t) {
  for (int r = 0; r < t->wire.size; r++) abandon_links(t, r);
  ee_answer_box_abandon(&t->answers);
}

static ee_status leave_out(ee_team *t) {
  for (int i = 0; i < t->options.window; i++) {
    team_sample *s = &t->sample[i];
    if (!s->open) continue;
    s->absent |= ee_team_lost_lanes(t, s->formation);
    if (s->left >= 0 || __builtin_popcountll(s->absent) < t->units->n_lanes) continue;
    return EE_FAIL(EE_ERR_PEER, "no branch is left that sample %llu has not missed",
                   (unsigned long long)s->id);
  }
  return EE_OK;
}

/* Rank 0: no sample has begun that way yet, and none shall that would need the dead. */
static void take_back_stamp(ee_team *t) {
  bool ahead = t->next != NULL && t->move.stamp == t->next->number;
  if (ahead && ee_team_needs_lost(t, t->next)) t->move.stamp = t->now->number;
}

/* Rank 0: samples that are under way, and those that follow, must be able to do without it. */
static ee_status check_lost(const ee_team *t, int r) {
  if (ee_collector_answered(t->collector) == (int64_t)t->setup.n_samples) return EE_OK;
  bool needed = ee_team_needs_lost(t, t->now) || (t->old != NULL && ee_team_needs_lost(t, t->old));
  if (!needed) return EE_OK;
  return EE_FAIL(EE_ERR_PEER,
                 "device %d died, and samples wait for what it computes; all that is not a branch "
                 "should be on a device that lives (--branches A/B/...@F)",
                 r);
}

static ee_status lose(ee_team *t, int r) {
  t->peer[r].lost = true;
  abandon_links(t, r);
  EE_TRY(leave_out(t));
  if (t->wire.rank != 0) return EE_OK;
  t->peer[r].behind  = true;
  t->peer[r].unasked = false;
  take_back_stamp(t);
  EE_TRY(check_lost(t, r));
  ee_log(EE_LOG_WARNING, "device %d died; samples go on without it", r);
  return EE_OK;
}

/* Until when a rank that takes no message is believed to live [ns]. */
static int64_t belief(const ee_team *t) {
  return (int64_t)(fmax(STUCK_S, STUCK_LATE * t->options.late) * 1e9);
}

/* Rank 0: a process that was stopped, or is swapped out, takes none of the messages that wait for
 * it; one that is away by the fleet's schedule does. */
static void expel_stuck(ee_team *t, int64_t now) {
  for (int r = 1; r < t->wire.size; r++) {
    team_peer *p = &t->peer[r];
    if (p->lost) continue;
    int64_t taken = ee_outbox_taken(t->line[r].outbox);
    if (ee_outbox_settled(t->line[r].outbox) || taken != p->taken) p->takes_at = now;
    p->taken = taken;
    if (now - p->takes_at < belief(t)) continue;
    p->takes_at = now;
    ee_log(EE_LOG_WARNING, "device %d has taken no message for %g s and counts as dead", r,
           (double)belief(t) * 1e-9);
    ee_lifeline_expel(t->setup.lifeline, r);
  }
}

ee_status ee_team_heed_losses(ee_team *t, int64_t now, bool *busy) {
  int r;
  if (t->wire.rank == 0 && t->setup.lifeline != NULL && isfinite(t->options.late)) {
    expel_stuck(t, now);
  }
  while ((r = ee_lifeline_lost(t->setup.lifeline, t->n_lost)) >= 0) {
    t->n_lost++;
    *busy = true;
    EE_TRY(lose(t, r));
  }
  return EE_OK;
}
