/* SPDX-License-Identifier: Apache-2.0 */
#include "source.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fan.h"
#include "message_event.h"
#include "sample_state.h"

#define SOON 1000  // the least to wait for a sample's time, which is rounded [ns]

struct ee_source {
  const ee_wire      *wire;
  const ee_run_setup *setup;
  const ee_pacer     *pacer;
  uint64_t            next, limit;     // next id; ids below limit may go
  uint64_t            hold;            // ids from here on wait
  uint64_t            switch_id;       // first id of the prepared plan; UINT64_MAX: not decided
  ee_fan              now, then, old;  // of the plan in force, the prepared one, the one before
  ee_message_layout   now_layout, then_layout;
  int64_t             clock;             // of this turn [ns]
  int64_t             held, held_since;  // by the limit, with room on the links [ns]; -1: it is not
  bool                now_ended;         // the links in force got their last messages
};

static void tell_sent(void *context, int peer, const void *message, size_t bytes) {
  const ee_source     *s   = context;
  const ee_message_end end = {s->setup->sink, EE_EVENT_SEND, s->wire->rank, peer, 0};
  ee_message_tell(&end, message, bytes, s->clock);
}

static ee_status open_links(ee_source *s, const ee_plan *plan, int plan_epoch,
                            ee_message_layout *layout, ee_fan *fan) {
  *layout = ee_message_layout_for(s->setup, plan_epoch, 0, ee_sample_state_bytes(s->setup->policy));
  EE_TRY(ee_fan_open(s->wire, plan, 0, 0, plan_epoch, s->setup->slots,
                     ee_message_bytes(layout, s->setup->batch_limit), s->pacer, fan));
  if (s->setup->sink != NULL) ee_fan_listen(fan, tell_sent, s);
  return EE_OK;
}

ee_status ee_source_open(const ee_wire *wire, const ee_run_setup *setup, const ee_pacer *pacer,
                         ee_source **source) {
  *source      = NULL;
  ee_source *s = calloc(1, sizeof *s);
  if (s == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the source");
  *s = (ee_source){.wire       = wire,
                   .setup      = setup,
                   .pacer      = pacer,
                   .hold       = UINT64_MAX,
                   .switch_id  = UINT64_MAX,
                   .held_since = -1};

  ee_status status = open_links(s, setup->plan, 0, &s->now_layout, &s->now);
  if (status != EE_OK) ee_source_close(&s);
  *source = s;
  return status;
}

ee_status ee_source_prepare(ee_source *source, const ee_plan *plan, int plan_epoch) {
  return open_links(source, plan, plan_epoch, &source->then_layout, &source->then);
}

ee_status ee_source_switch(ee_source *source, uint64_t first_id) {
  if (first_id < source->next) {
    return EE_FAIL(EE_ERR_STATE, "the plan should change at sample %llu, but %llu are admitted",
                   (unsigned long long)first_id, (unsigned long long)source->next);
  }
  source->switch_id = first_id;
  ee_fan_begin(&source->then, first_id);
  return EE_OK;
}

void ee_source_unprepare(ee_source *source) {
  ee_fan_close(&source->then);
}

void ee_source_allow(ee_source *source, uint64_t limit) {
  if (limit > source->setup->n_samples) limit = source->setup->n_samples;
  if (limit > source->limit) source->limit = limit;
}

void ee_source_hold(ee_source *source, uint64_t id) {
  source->hold = id;
}

uint64_t ee_source_admitted(const ee_source *source) {
  return source->next;
}

int64_t ee_source_held(const ee_source *source) {
  return source->held;
}

/* Ids below it may go as soon as they come in. */
static uint64_t allowed(const ee_source *s) {
  uint64_t end = s->limit < s->switch_id ? s->limit : s->switch_id;
  return s->hold < end ? s->hold : end;
}

/* How many ids from `next` on may go in one message now. */
static int admissible(const ee_source *s, int64_t now) {
  uint64_t end = allowed(s);
  if (s->setup->rate > 0.0) {  // sample id arrives at id / rate
    double arrived = (double)now * 1e-9 * s->setup->rate + 1.0;
    if (arrived < (double)end) end = (uint64_t)arrived;
  }
  if (end <= s->next) return 0;
  uint64_t n = end - s->next;
  return n < (uint64_t)s->setup->batch_limit ? (int)n : s->setup->batch_limit;
}

/* Note since when, or for how long, nothing but the limit is in the way. */
static void note_hold(ee_source *s, int64_t now) {
  double next = s->setup->rate > 0.0 ? (double)s->next / s->setup->rate * 1e9 : 0.0;
  bool   held = s->next == s->limit && s->next < s->setup->n_samples && next <= (double)now &&
              ee_fan_slot(&s->now) != NULL;
  if (s->held_since >= 0) s->held += now - s->held_since;
  s->held_since = held ? now : -1;
}

static ee_status admit(ee_source *s, void *slot, int n, int64_t now) {
  ee_message_begin(&s->now_layout, slot, n, s->next + (uint64_t)n, EE_FOLLOWS_BATCH);
  ee_message m = ee_message_view(&s->now_layout, slot, n);
  EE_TRY(
      s->setup->source.read(s->setup->source.self, (int64_t)s->next, n, (float *)(void *)m.values));
  for (int i = 0; i < n; i++) {
    m.id[i]       = s->next + (uint64_t)i;
    m.admitted[i] = now;
  }
  memset(m.state, 0, (size_t)n * s->now_layout.state_bytes);
  ee_fan_post(&s->now, ee_message_bytes(&s->now_layout, n), now);
  s->next += (uint64_t)n;
  ee_fan_advance(&s->now, s->next);
  return EE_OK;
}

/* The links before must be settled first: two plans back is not kept. */
static bool change_plan(ee_source *s) {
  if (s->old.n > 0) return false;
  s->old        = s->now;
  s->now        = s->then;
  s->then       = (ee_fan){.n = 0};
  s->now_layout = s->then_layout;
  s->now_ended  = false;
  s->switch_id  = UINT64_MAX;
  return true;
}

static void poll_links(ee_source *s, bool *busy) {
  *busy |= ee_fan_poll(&s->now, s->clock);
  ee_fan_poll(&s->then, s->clock);
  *busy |= ee_fan_poll(&s->old, s->clock);
  if (ee_fan_settled(&s->old)) ee_fan_close(&s->old);
}

/* Tell the links in force that nothing follows. */
static void end_links(ee_source *s, int64_t now, bool *busy) {
  *busy |= ee_fan_end(&s->now, &s->now_layout, s->next, now);
  s->now_ended = ee_fan_ended(&s->now);
}

ee_status ee_source_step(ee_source *s, int64_t now, bool *busy) {
  s->clock = now;
  poll_links(s, busy);
  note_hold(s, now);
  bool finished = s->next == s->setup->n_samples;
  if (!s->now_ended && (finished || s->next == s->switch_id)) {
    end_links(s, now, busy);
    return EE_OK;
  }
  if (s->now_ended) {
    if (!finished && s->next == s->switch_id) *busy |= change_plan(s);
    return EE_OK;
  }
  int   n    = admissible(s, now);
  void *slot = n > 0 ? ee_fan_slot(&s->now) : NULL;
  if (slot == NULL) {
    uint64_t epoch = (uint64_t)s->setup->epoch_samples;
    *busy |= ee_fan_tell_epoch(&s->now, &s->now_layout, s->next, epoch, now);
    return EE_OK;
  }
  *busy = true;
  return admit(s, slot, n, now);
}

void ee_source_await(ee_source *s, int64_t now, ee_waiter *waiter) {
  ee_fan_await(&s->now, waiter);
  ee_fan_await(&s->old, waiter);
  if (s->setup->rate <= 0.0 || s->next >= allowed(s) || admissible(s, now) > 0) return;
  double next = ceil((double)s->next / s->setup->rate * 1e9);
  ee_waiter_until(waiter, (int64_t)fmin(fmax(next, (double)now + SOON), 1e18));
}

bool ee_source_done(const ee_source *s) {
  return s->next == s->setup->n_samples && s->now_ended && s->old.n == 0 && ee_fan_settled(&s->now);
}

bool ee_source_sent(ee_source *s) {
  bool then = ee_fan_sent(&s->then), old = ee_fan_sent(&s->old);
  return ee_fan_sent(&s->now) && then && old;
}

void ee_source_close(ee_source **source) {
  if (*source == NULL) return;
  ee_fan_close(&(*source)->now);
  ee_fan_close(&(*source)->then);
  ee_fan_close(&(*source)->old);
  free(*source);
  *source = NULL;
}
