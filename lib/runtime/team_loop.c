/* SPDX-License-Identifier: Apache-2.0 */
/* The loop of one rank of a team.  Nothing in a turn waits; between turns without work the rank
 * waits for whatever may come first. */
#include <math.h>

#include "ee/agree.h"
#include "ee/clock.h"
#include "start_clock.h"
#include "team_state.h"

#define NAP_LONGEST 200000  // [ns]
#define LATEST 9e9          // times that fit into an int64_t of ns [s]
#define AFTER 1000          // by then a change at a time in seconds has come [ns]

int64_t ee_team_now(const ee_team *t) {
  return ee_clock_ns() - t->origin;
}

static ee_status turn(ee_team *t, bool *busy) {
  int64_t now = ee_team_now(t);
  ee_answer_box_poll(t->answers);
  EE_TRY(ee_team_heed_losses(t, now, busy));
  EE_TRY(ee_team_listen(t, now, busy));
  EE_TRY(ee_team_source_step(t, now, busy));
  ee_team_drop_overdue(t, now, busy);
  EE_TRY(ee_team_take(t, now, busy));
  EE_TRY(ee_team_release(t, now, busy));
  EE_TRY(ee_team_compute(t, busy));
  EE_TRY(ee_team_move_step(t, ee_team_now(t), busy));
  ee_team_report(t, ee_team_now(t), busy);
  if (t->collector != NULL) EE_TRY(ee_collector_poll(t->collector, ee_team_now(t), busy));
  const ee_trace_sink *sink = t->setup.sink;
  if (sink != NULL && sink->poll != NULL) sink->poll(sink->self);
  return EE_OK;
}

/* Whether what this rank sent was taken. */
static bool is_settled(const ee_team *t) {
  bool settled = ee_answer_box_poll(t->answers);
  for (int k = 0; ee_team_formation_at(t, k) != NULL; k++) {
    settled &= ee_team_edges_settled(ee_team_formation_at(t, k));
  }
  for (int r = 0; r < t->wire.size; r++) {
    if (t->line[r].outbox != NULL) settled &= ee_outbox_settled(t->line[r].outbox);
  }
  return settled;
}

static bool has_all_answers(const ee_team *t) {
  if (t->collector == NULL) return true;
  return ee_collector_answered(t->collector) == (int64_t)t->setup.n_samples &&
         ee_collector_latest(t->collector) <= ee_team_now(t);
}

/* Whether also those credits have left that this rank gave for notes. */
static bool is_quiet(const ee_team *t, int64_t now) {
  bool quiet = is_settled(t);
  for (int r = 0; r < t->wire.size; r++) {
    if (t->line[r].inbox != NULL) quiet &= ee_inbox_poll(t->line[r].inbox, now);
  }
  return quiet;
}

static bool all_done(const ee_team *t) {
  for (int r = 0; r < t->wire.size; r++) {
    if (!t->peer[r].done && !t->peer[r].lost) return false;
  }
  return true;
}

/* A rank goes on taking what others send until rank 0 says that all have sent all. */
static bool is_over(ee_team *t) {
  team_note note = {.header = {.magic = EE_MESSAGE_MAGIC}, .word = TEAM_DONE};
  int64_t   now  = ee_team_now(t);
  if (!t->done && t->ended && t->held.sample == NULL && !ee_team_any_open(t) &&
      t->told == t->closed && ee_team_move_is_over(t) && is_settled(t) && has_all_answers(t)) {
    ee_team_tell(t, 0, &note, now);
    t->done = true;
  }
  if (t->wire.rank == 0 && !t->over && all_done(t)) {
    note.word = TEAM_OVER;
    ee_team_tell_all(t, &note, now);
  }
  return t->over && is_quiet(t, now);
}

static void await_links(ee_team *t, ee_waiter *w) {
  for (int r = 0; r < t->wire.size; r++) {
    team_line *l = &t->line[r];
    if (l->inbox != NULL) ee_inbox_await(l->inbox, w);
    if (l->outbox != NULL && !ee_outbox_settled(l->outbox)) ee_outbox_await(l->outbox, w);
  }
  for (int k = 0; ee_team_formation_at(t, k) != NULL; k++) {
    ee_team_edges_await(ee_team_formation_at(t, k), w);
  }
}

/* Times that lie ahead; those that are past let nobody go on by themselves. */
static void await_time(ee_waiter *w, int64_t time, int64_t now) {
  if (time > now && time != INT64_MAX) ee_waiter_until(w, time);
}

/* When the fleet's schedule may bring this device, which is away, back [ns]; INT64_MAX: never. */
static int64_t next_return(const ee_team *t, int64_t now) {
  double at = ee_schedule_next(&t->setup.fleet->device[t->wire.rank].away, (double)now * 1e-9);
  return at < LATEST ? (int64_t)fmax(at * 1e9, (double)now) + AFTER : INT64_MAX;
}

static void await(ee_team *t, int64_t now) {
  ee_waiter *w = &t->waiter;
  ee_waiter_begin(w);
  ee_alarm_await(&t->alarm, w);
  await_links(t, w);
  if (t->held.sample != NULL) await_time(w, t->held.release, now);
  await_time(w, ee_team_next_deadline(t), now);
  await_time(w, ee_team_next_limit(t), now);
  await_time(w, ee_team_source_next(t, now), now);
  if (!ee_team_is_there(t, now)) await_time(w, next_return(t, now), now);
  ee_answer_box_await(t->answers, w);
  if (t->collector != NULL) ee_collector_await(t->collector, now, w);
}

static void end_wait(ee_team *t, int64_t now) {
  if (t->idle_since < 0) return;
  const ee_trace_sink *sink  = t->setup.sink;
  ee_event             event = {.rank  = t->wire.rank,
                                .kind  = EE_EVENT_WAIT,
                                .start = t->idle_since,
                                .end   = now,
                                .peer  = -1,
                                .layer = -1};
  if (sink != NULL && sink->event != NULL) sink->event(sink->self, &event);
  t->totals.wait += now - t->idle_since;
  t->idle_since = -1;
}

static void rest(ee_team *t, bool busy) {
  int64_t now = ee_team_now(t);
  if (busy || t->held.sample != NULL) end_wait(t, now);
  if (busy) {
    ee_waiter_was_busy(&t->waiter);
    return;
  }
  if (t->held.sample == NULL && t->idle_since < 0) t->idle_since = now;
  await(t, now);
  ee_waiter_wait(&t->waiter, now);
}

static ee_status loop(ee_team *t) {
  while (true) {
    bool busy = false;
    if (t->setup.stop != NULL && *t->setup.stop != 0) {
      return EE_FAIL(EE_ERR_INTERRUPTED, "the run was interrupted");
    }
    EE_TRY(turn(t, &busy));
    if (ee_alarm_heard(&t->alarm)) {
      t->alarmed = true;  // the rank that failed will say why
      return EE_OK;
    }
    if (is_over(t)) return EE_OK;  // asked last: what is still under way can be waited for
    rest(t, busy);
  }
}

static bool mail_sent(void *self) {
  ee_team *t    = self;
  bool     sent = true;
  for (int k = 0; ee_team_formation_at(t, k) != NULL; k++) {
    sent &= ee_team_edges_sent(ee_team_formation_at(t, k));
  }
  for (int r = 0; r < t->wire.size; r++) {
    if (t->line[r].outbox != NULL) sent &= ee_outbox_sent(t->line[r].outbox);
  }
  return sent;
}

static bool answers_sent(void *self) {
  return ee_answer_box_poll(((ee_team *)self)->answers);
}

/* Credits and alarms are a few bytes each and leave at once. */
static bool nothing_sent(void *self) {
  (void)self;
  return true;
}

/* After a fault: what this rank has sent must have been taken before buffers are freed.  Nobody
 * takes what was sent to the dead. */
static void drain(ee_team *t) {
  if (t->living != t->everybody) {
    ee_team_abandon_all(t);
    return;
  }
  ee_drain(t->wire.data, mail_sent, t);
  ee_drain(t->wire.results, answers_sent, t);
  ee_drain(t->wire.credit, nothing_sent, t);
  ee_drain(t->wire.control, nothing_sent, t);
}

static ee_status check_answers(const ee_team *t) {
  if (t->collector == NULL || t->alarmed) return EE_OK;
  int64_t answered = ee_collector_answered(t->collector);
  if (answered == (int64_t)t->setup.n_samples) return EE_OK;
  return EE_FAIL(EE_ERR_PEER, "%lld of %llu samples were answered", (long long)answered,
                 (unsigned long long)t->setup.n_samples);
}

/* Samples wait for those that are late, or dead, only if the user says for how long. */
static void begin_tolerance(const ee_team *t) {
  if (isfinite(t->options.late)) ee_lifeline_tolerate(t->setup.lifeline);
}

/* Who lives, and how they fared. */
static ee_status end_together(ee_team *t, ee_status status) {
  if (isfinite(t->options.late)) {
    ee_lifeline_settle(t->setup.lifeline, t->everybody, &t->living);
  }
  bool all = t->living == t->everybody;
  return ee_agree(all ? t->wire.control : t->living, status, 0);
}

ee_status ee_team_run(ee_team *t) {
  t->origin = ee_start_clock(&t->wire);
  begin_tolerance(t);
  ee_waiter_open(NAP_LONGEST, t->wire.rank != 0, &t->waiter);
  int64_t   cpu    = ee_clock_cpu_ns();
  ee_status status = loop(t);
  if (status != EE_OK) ee_alarm_raise(&t->alarm);
  end_wait(t, ee_team_now(t));
  t->totals.wall = ee_team_now(t);
  t->totals.cpu  = ee_clock_cpu_ns() - cpu;
  if (t->collector != NULL) {
    t->totals.answered   = ee_collector_answered(t->collector);
    t->totals.duplicates = ee_collector_duplicates(t->collector);
    t->totals.overtaken  = ee_collector_overtaken(t->collector);
  }
  ee_waiter_close(&t->waiter);
  if (status == EE_OK) status = check_answers(t);
  status = end_together(t, status);
  if (status != EE_OK) drain(t);
  return status;
}
