/* SPDX-License-Identifier: Apache-2.0 */
/* What goes on from a segment: survivors, the watermark, the end of the stream. */
#include <math.h>

#include "ee/clock.h"
#include "segment.h"

int ee_segment_parts(const ee_segment *s) {
  const ee_run_setup *setup = s->context->setup;
  int                 parts = 1;
  for (int e = 0; e < setup->model->n_exits; e++) parts += ee_segment_part_layout(s, e, NULL);
  return parts;
}

bool ee_segment_part_layout(const ee_segment *s, int e, ee_message_layout *layout) {
  const ee_run_setup *setup = s->context->setup;
  int                 cut   = setup->model->exit[e].attach + 1;
  if (!setup->offload || cut <= s->in.cut || cut >= s->end || s->end >= setup->model->n_layers) {
    return false;
  }
  if (layout != NULL) {
    *layout = ee_message_layout_for(setup, s->plan_epoch, cut, s->in.state_bytes);
  }
  return true;
}

bool ee_segment_can_send(const ee_segment *s) {
  ee_answer_batch batch;
  return ee_answer_box_slot(s->context->answers, &batch) &&
         (s->fan.n == 0 || ee_fan_slot_ahead(&s->fan, ee_segment_parts(s) - 1) != NULL);
}

void ee_segment_release(const ee_batch_result *result, int64_t now) {
  ee_segment *s = result->segment;
  ee_answer_box_post(s->context->answers, now);
  for (int k = 0; k < result->n_out; k++) ee_fan_post(&s->fan, result->out_bytes[k], now);
  if (result->n_out > 0) ee_fan_advance(&s->fan, result->passed);
  if (!result->news || ee_fan_tell(&s->fan, &s->out, result->passed, now)) {
    s->passed = result->passed;
  }
}

/* Let the watermark of what has gone, and the end of it all, travel on. */
static bool pass_news(ee_segment *s, int64_t now) {
  bool news = s->watermark > s->passed || (s->input_ended && !s->ended);
  if (s->filled > 0 || !news) return false;
  if (s->input_ended) {
    bool any = ee_fan_end(&s->fan, &s->out, s->watermark, now);
    if (!ee_fan_ended(&s->fan)) return any;
  } else if (s->fan.n > 0 && !ee_fan_tell(&s->fan, &s->out, s->watermark, now)) {
    return false;
  }
  s->passed = s->watermark;
  s->ended  = s->input_ended;
  return true;
}

bool ee_segment_pass_on(ee_segment *s, int64_t now) {
  bool any = pass_news(s, now);
  if (s->passed == UINT64_MAX) return any;
  uint64_t epoch = (uint64_t)s->context->setup->epoch_samples;
  return ee_fan_tell_epoch(&s->fan, &s->out, s->passed, epoch, now) || any;
}

void ee_segment_await(ee_segment *s, bool held, ee_waiter *waiter) {
  const ee_run_setup *setup = s->context->setup;
  bool                room  = s->filled < setup->batch_limit && !s->closed && !s->input_ended;
  room &= ee_segment_may_begin(s);
  for (int i = 0; i < s->n_inputs; i++) {
    ee_inbox_await_credits(s->input[i].inbox, waiter);
    if (room && !s->input[i].ended) ee_inbox_await(s->input[i].inbox, waiter);
  }
  ee_fan_await(&s->fan, waiter);
  if (!room || s->filled == 0 || held) return;
  int64_t full = s->first_taken + (int64_t)ceil(fmin(setup->merge_wait * 1e9, 1e18));
  if (full > ee_clock_ns() - s->context->origin) ee_waiter_until(waiter, full);
}

bool ee_segment_settled(ee_segment *s, int64_t now) {
  if (!s->ended) return false;
  bool all = ee_fan_settled(&s->fan);
  for (int i = 0; i < s->n_inputs; i++) all &= ee_inbox_poll(s->input[i].inbox, now);
  return all;
}
