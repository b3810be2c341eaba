/* SPDX-License-Identifier: Apache-2.0 */
/* The loop of one device.  A sample's path, from left to right:
 *
 *   receive > run segment > exit? > answer, or send on > count
 *
 * Nothing in a turn waits: what cannot go on now is tried again on the next one.  Between turns
 * without work the device waits for whatever may come first. */
#include <math.h>

#include "device_state.h"
#include "ee/agree.h"
#include "ee/clock.h"
#include "start_clock.h"

#define NAP_LONGEST 200000     // [ns]
#define NAPS_OF_RANK_0 8192.0  // while the slowest stage has a full batch

/* Send what the held batch left, once its time has come. */
static void release_when_due(ee_device *d, int64_t now, bool *busy) {
  if (!d->holding || now < d->held.release) return;
  if (d->held.release > d->computed) {
    ee_event event = {.rank       = d->wire.rank,
                      .kind       = EE_EVENT_PACE,
                      .start      = d->computed,
                      .end        = d->held.release,
                      .first_id   = d->held.first_id,
                      .samples    = d->held.n,
                      .plan_epoch = d->held.segment->plan_epoch,
                      .peer       = -1,
                      .layer      = d->held.segment->begin};
    ee_device_trace_event(d, &event);
  }
  ee_segment_release(&d->held, now);
  d->holding = false;
  *busy      = true;
}

/* Receive, run, let leave, send on: the oldest segment that has a batch. */
static ee_status serve(ee_device *d, bool *busy) {
  for (int i = 0; i < DEVICE_SEGMENTS && d->segment[i] != NULL; i++) {
    ee_segment *s   = d->segment[i];
    int64_t     now = ee_device_now(d);
    EE_TRY(ee_segment_gather(s, now, busy));
    if (d->holding || !ee_segment_ready(s, now) || !ee_segment_can_send(s)) continue;

    EE_TRY(ee_segment_run(s, now, &d->held));
    d->holding  = true;
    d->computed = ee_device_now(d);
    *busy       = true;
    release_when_due(d, d->computed, busy);
  }
  return EE_OK;
}

/* Let the watermark travel, messages move, and ended segments go. */
static void tend(ee_device *d, int64_t now, bool *busy) {
  for (int i = 0; i < DEVICE_SEGMENTS && d->segment[i] != NULL; i++) {
    ee_segment *s    = d->segment[i];
    bool        held = d->holding && d->held.segment == s;
    *busy |= ee_fan_poll(&s->fan, now);
    if (!held) *busy |= ee_segment_pass_on(s, now);
    if (!held && ee_segment_settled(s, now)) ee_device_remove_segment(d, i--);
  }
  ee_device_note_memory(d);
}

ee_status ee_device_turn(ee_device *d, bool *busy) {
  int64_t now = ee_device_now(d);
  ee_answer_box_poll(d->answers);
  if (d->source != NULL) EE_TRY(ee_source_step(d->source, now, busy));
  release_when_due(d, now, busy);
  EE_TRY(serve(d, busy));
  tend(d, ee_device_now(d), busy);
  if (d->collector != NULL) EE_TRY(ee_collector_poll(d->collector, ee_device_now(d), busy));
  if (d->setup.sink != NULL && d->setup.sink->poll != NULL)
    d->setup.sink->poll(d->setup.sink->self);
  return EE_OK;
}

static bool stream_over(const ee_device *d) {
  if (d->holding || d->segment[0] != NULL || !ee_answer_box_poll(d->answers)) return false;
  if (d->source != NULL && !ee_source_done(d->source)) return false;
  if (d->collector == NULL) return true;
  return ee_collector_answered(d->collector) == (int64_t)d->setup.n_samples &&
         ee_collector_latest(d->collector) <= ee_device_now(d);
}

static void end_wait(ee_device *d, int64_t now) {
  if (d->idle_since < 0) return;
  ee_event event = {.rank       = d->wire.rank,
                    .kind       = EE_EVENT_WAIT,
                    .start      = d->idle_since,
                    .end        = now,
                    .plan_epoch = d->plan_epoch,
                    .peer       = -1,
                    .layer      = -1};
  ee_device_trace_event(d, &event);
  d->totals.wait += now - d->idle_since;
  d->idle_since = -1;
}

/* What the slowest stage takes for a full batch [s]; 0 without a fleet. */
static double slowest_batch(const ee_run_setup *s) {
  double slowest = 0.0;
  for (int i = 0; i < s->plan->n_stages && s->fleet != NULL; i++) {
    const ee_stage *stage = &s->plan->stage[i];
    double          work  = 0.0;
    for (int l = stage->begin; l < stage->end; l++) work += ee_layer_work(s, l);
    slowest = fmax(slowest, work / ee_fleet_speed(s->fleet, stage->device, 0.0, s->host_flops));
  }
  return slowest * s->batch_limit;
}

/* Naps of a device on the simulated clock while the slowest stage has a full batch: few of many
 * devices, so that the host's time does not grow with their number. */
static double naps_per_batch(int devices) {
  return fmax(4096.0 / devices, 8.0);
}

/* How long a device may sleep while it looks for what it cannot wait for [ns].  A turn takes no
 * simulated time but the host's, and there may be thousands of devices, so that on the simulated
 * clock they sleep in proportion to what they wait for.  Rank 0, which notes when answers arrive,
 * does so more often than others. */
static int64_t longest_nap(const ee_device *d) {
  if (!ee_clock_is_simulated()) return NAP_LONGEST;
  double naps = d->wire.rank == 0 ? NAPS_OF_RANK_0 : naps_per_batch(d->wire.size);
  double nap  = slowest_batch(&d->setup) * 1e9 / naps;
  return (int64_t)fmin(fmax(nap, NAP_LONGEST), EE_PACER_LONGEST);
}

/* What may let an idle device go on. */
static void await(ee_device *d, const ee_control_hooks *hooks, int64_t now) {
  ee_waiter *w = &d->waiter;
  ee_waiter_begin(w);
  ee_alarm_await(&d->alarm, w);
  if (d->holding) ee_waiter_until(w, d->held.release);
  for (int i = 0; i < DEVICE_SEGMENTS && d->segment[i] != NULL; i++) {
    ee_segment_await(d->segment[i], d->holding, w);
  }
  ee_answer_box_await(d->answers, w);
  if (d->source != NULL) ee_source_await(d->source, now, w);
  if (d->collector != NULL) ee_collector_await(d->collector, now, w);
  if (hooks != NULL && !hooks->await(hooks->self, w)) ee_waiter_look_again(w);
}

/* Waiting begins with the first idle turn. */
static void rest(ee_device *d, const ee_control_hooks *hooks, bool busy) {
  int64_t now = ee_device_now(d);
  if (busy || d->holding) end_wait(d, now);
  if (busy) {
    ee_waiter_was_busy(&d->waiter);
    return;
  }
  if (!d->holding && d->idle_since < 0) d->idle_since = now;
  await(d, hooks, now);
  ee_waiter_wait(&d->waiter, now);
}

static bool all_over(const ee_device *d, const ee_control_hooks *hooks) {
  return stream_over(d) && (hooks == NULL || hooks->done(hooks->self));
}

static ee_status loop(ee_device *d, const ee_control_hooks *hooks) {
  if (hooks == NULL && d->lessons.learned > 0) {
    return EE_FAIL(EE_ERR_ARG, "policy %s learns from sums over all devices: it needs a controller",
                   d->setup.policy->ops->name);
  }
  while (!all_over(d, hooks)) {
    bool busy = false;
    if (d->setup.stop != NULL && *d->setup.stop != 0) {
      return EE_FAIL(EE_ERR_INTERRUPTED, "the run was interrupted");
    }
    EE_TRY(ee_device_turn(d, &busy));
    if (hooks != NULL) EE_TRY(hooks->step(hooks->self, &busy));
    if (ee_alarm_heard(&d->alarm)) {
      d->alarmed = true;  // the rank that failed will say why
      return EE_OK;
    }
    if (busy || !all_over(d, hooks)) rest(d, hooks, busy);
  }
  return EE_OK;
}

static ee_status check_answers(const ee_device *d) {
  if (d->collector == NULL || d->alarmed) return EE_OK;
  int64_t answered = ee_collector_answered(d->collector);
  if (answered == (int64_t)d->setup.n_samples) return EE_OK;
  return EE_FAIL(EE_ERR_PEER, "%lld of %llu samples were answered", (long long)answered,
                 (unsigned long long)d->setup.n_samples);
}

ee_status ee_device_run(ee_device *d, const ee_control_hooks *hooks) {
  d->context.origin = ee_start_clock(&d->wire);
  ee_waiter_open(longest_nap(d), d->wire.rank != 0, &d->waiter);
  if (hooks == NULL && d->source != NULL) ee_source_allow(d->source, UINT64_MAX);
  int64_t   cpu    = ee_clock_cpu_ns();
  ee_status status = loop(d, hooks);
  if (status != EE_OK) ee_alarm_raise(&d->alarm);
  end_wait(d, ee_device_now(d));

  d->totals.wall = ee_device_now(d);
  d->totals.cpu  = ee_clock_cpu_ns() - cpu;
  if (d->source != NULL) d->totals.held = ee_source_held(d->source);
  if (d->collector != NULL) {
    d->totals.answered   = ee_collector_answered(d->collector);
    d->totals.duplicates = ee_collector_duplicates(d->collector);
    d->totals.overtaken  = ee_collector_overtaken(d->collector);
  }
  ee_waiter_close(&d->waiter);
  if (status == EE_OK) status = check_answers(d);
  status = ee_agree(d->wire.control, status, 0);
  if (status != EE_OK) ee_device_drain(d);
  return status;
}
