/* SPDX-License-Identifier: Apache-2.0 */
/* Units go to other ranks while samples go on:
 *
 *   rank 0 tells the places > all load and open links > samples go the new way > the old is dropped
 *
 * Each arrow waits for all ranks, and no sample waits for any. */
#include <stdlib.h>
#include <string.h>

#include "team_state.h"

ee_status ee_team_move_open(ee_team *t) {
  team_move *m     = &t->move;
  size_t     ranks = (size_t)t->wire.size;
  m->wanted        = calloc((size_t)t->units->n + 1, sizeof *m->wanted);
  if (t->wire.rank == 0) {
    m->left   = calloc((size_t)t->setup.model->n_exits, sizeof *m->left);
    m->busy   = calloc(ranks, sizeof *m->busy);
    m->work   = calloc(ranks, sizeof *m->work);
    m->behind = calloc(ranks, sizeof *m->behind);
    m->lost   = calloc(ranks, sizeof *m->lost);
  }
  bool there = m->wanted != NULL &&
               (t->wire.rank != 0 || (m->left != NULL && m->busy != NULL && m->work != NULL &&
                                      m->behind != NULL && m->lost != NULL));
  return there ? EE_OK : EE_FAIL(EE_ERR_NOMEM, "for moves of %d units", t->units->n);
}

void ee_team_move_close(ee_team *t) {
  free(t->move.wanted);
  free(t->move.left);
  free(t->move.busy);
  free(t->move.work);
  free(t->move.behind);
  free(t->move.lost);
}

void ee_team_move_follow(ee_team *t, int number) {
  if (t->next == NULL || t->next->number != number) return;
  t->old            = t->now;
  t->now            = t->next;
  t->next           = NULL;
  t->move.told_left = false;
  t->team_totals.moves++;
  if (t->wire.rank == 0) ee_team_count_peers(t, t->now->device);
}

static void take_places(ee_team *t, const team_note *note) {
  for (int i = 0; i < TEAM_PLACED && note->unit + i < t->units->n; i++) {
    t->move.wanted[note->unit + i] = note->place[i];
  }
}

/* Nobody sends anything on the old links any more. */
static void drop(ee_team *t) {
  for (int u = 0; u < t->units->n; u++) {
    if (t->old->device[u] == t->wire.rank) ee_team_unload(t, u);
  }
  ee_team_formation_close(t, &t->old);
}

/* All have loaded the next formation, and nothing was sent on its links. */
static void forget_next(ee_team *t) {
  for (int u = 0; u < t->units->n; u++) {
    if (t->next->device[u] == t->wire.rank) ee_team_unload(t, u);
  }
  ee_team_formation_close(t, &t->next);
}

void ee_team_move_heed(ee_team *t, int from, const team_note *note) {
  switch ((team_word)note->word) {
    case TEAM_PLACES:
      take_places(t, note);
      break;
    case TEAM_MOVES:
      t->move.number = note->formation;
      break;
    case TEAM_LOADED:
      t->peer[from].loaded = true;
      break;
    case TEAM_LEFT_OLD:
      t->peer[from].left_old = true;
      break;
    case TEAM_FORGETS:
      if (t->next != NULL) forget_next(t);
      break;
    default:
      if (t->old != NULL) drop(t);
  }
}

static bool tell_rank_0(ee_team *t, team_word word, int64_t now) {
  team_note note = {.header = {.magic = EE_MESSAGE_MAGIC}, .word = word};
  if (!ee_team_can_tell_rank(t, 0)) return false;
  ee_team_tell(t, 0, &note, now);
  return true;
}

/* One unit per turn, so that the rank goes on computing. */
static ee_status prepare(ee_team *t, int64_t now, bool *busy) {
  team_move *m = &t->move;
  if (m->number > 0 && t->next == NULL && t->old == NULL) {
    EE_TRY(ee_team_formation_open(t, m->number, m->wanted, &t->next));
    EE_TRY(ee_team_memory_note(t, t->next));
    m->number      = 0;
    m->n_loaded    = 0;
    m->told_loaded = false;
    *busy          = true;
  }
  if (t->next == NULL || m->told_loaded) return EE_OK;
  while (m->n_loaded < t->units->n) {
    int u = m->n_loaded++;
    if (t->next->device[u] != t->wire.rank) continue;
    *busy = true;
    return ee_team_load(t, u);
  }
  m->told_loaded = tell_rank_0(t, TEAM_LOADED, now);
  *busy |= m->told_loaded;
  return EE_OK;
}

/* Whether anything here still belongs to the old formation. */
static bool needs_old(const ee_team *t) {
  for (int i = 0; i < t->options.window; i++) {
    const team_sample *s = &t->sample[i];
    if (s->open && s->formation == t->old) return true;
  }
  return !ee_team_edges_settled(t->old);
}

static void leave_old(ee_team *t, int64_t now, bool *busy) {
  if (t->old == NULL || t->move.told_left || needs_old(t)) return;
  t->move.told_left = tell_rank_0(t, TEAM_LEFT_OLD, now);
  *busy |= t->move.told_left;
}

static void tell_places(ee_team *t, int64_t now) {
  int number = t->now->number + 1;
  for (int u = 0; u < t->units->n; u += TEAM_PLACED) {
    team_note note = {.header = {.magic = EE_MESSAGE_MAGIC}, .word = TEAM_PLACES, .unit = u};
    for (int i = 0; i < TEAM_PLACED && u + i < t->units->n; i++) {
      note.place[i] = (int16_t)t->move.wanted[u + i];
    }
    ee_team_tell_all(t, &note, now);
  }
  team_note note = {.header = {.magic = EE_MESSAGE_MAGIC}, .word = TEAM_MOVES, .formation = number};
  ee_team_tell_all(t, &note, now);
}

static ee_team_news news_of(const ee_team *t, int64_t now) {
  const team_move *m = &t->move;
  for (int r = 0; r < t->wire.size; r++) {
    m->busy[r]   = t->peer[r].busy;
    m->work[r]   = t->peer[r].work;
    m->behind[r] = t->peer[r].behind;
    m->lost[r]   = t->peer[r].lost;
  }
  return (ee_team_news){.now    = now,
                        .left   = m->left,
                        .busy   = m->busy,
                        .work   = m->work,
                        .behind = m->behind,
                        .lost   = m->lost};
}

/* Ask where units are to go, every so many answers, and when a rank was lost. */
static void look(ee_team *t, int64_t now) {
  const ee_team_mover *mover    = t->options.mover;
  int64_t              answered = ee_collector_answered(t->collector);
  int                  notes    = t->units->n / TEAM_PLACED + 2;
  if (mover == NULL || t->options.epoch <= 0 || t->next != NULL || t->old != NULL) return;
  if (answered < t->move.looked + t->options.epoch && t->move.heeded == t->n_lost) return;
  if (!ee_team_can_tell(t, notes)) return;
  t->move.looked    = answered;
  t->move.heeded    = t->n_lost;
  ee_team_news news = news_of(t, now);
  if (!mover->place(mover->self, &news, t->now->device, t->move.wanted)) return;
  t->move.under_way = true;
  for (int r = 0; r < t->wire.size; r++) t->peer[r].loaded = t->peer[r].left_old = false;
  tell_places(t, now);
}

/* The move is over: of the old formation, or of one that nobody will follow, nothing is needed. */
static void end_move(ee_team *t, team_word word, int64_t now) {
  team_note note = {.header = {.magic = EE_MESSAGE_MAGIC}, .word = word};
  ee_team_tell_all(t, &note, now);
  t->move.under_way = false;
}

static bool all_loaded(const ee_team *t) {
  for (int r = 0; r < t->wire.size; r++) {
    if (!t->peer[r].loaded && !t->peer[r].lost) return false;
  }
  return true;
}

static bool all_left_old(const ee_team *t) {
  for (int r = 0; r < t->wire.size; r++) {
    if (!t->peer[r].left_old && !t->peer[r].lost) return false;
  }
  return true;
}

/* Whether samples can go on to the next formation, which none has yet. */
static bool is_prepared(const ee_team *t) {
  return t->next != NULL && t->move.stamp == t->now->number && all_loaded(t);
}

/* Rank 0. */
static void lead(ee_team *t, int64_t now, bool *busy) {
  team_move *m = &t->move;
  if (!m->under_way) {
    if (!t->ended) look(t, now);
    *busy |= m->under_way;
  } else if (is_prepared(t) && !ee_team_needs_lost(t, t->next)) {
    m->stamp = t->next->number;
    *busy    = true;
  } else if (is_prepared(t) && ee_team_can_tell(t, 1)) {
    end_move(t, TEAM_FORGETS, now);
    *busy = true;
  } else if (all_left_old(t) && ee_team_can_tell(t, 1)) {
    end_move(t, TEAM_DROPS, now);
    *busy = true;
  }
}

ee_status ee_team_move_step(ee_team *t, int64_t now, bool *busy) {
  EE_TRY(prepare(t, now, busy));
  leave_old(t, now, busy);
  if (t->wire.rank == 0) lead(t, now, busy);
  return EE_OK;
}

bool ee_team_move_is_over(const ee_team *t) {
  const team_move *m = &t->move;
  return !m->under_way || (t->next != NULL && all_loaded(t));
}
