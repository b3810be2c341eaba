/* SPDX-License-Identifier: Apache-2.0 */
/* The links that leave a stage: in turn for batches, all together for what everybody must know. */
#include "fan.h"

#include <stdlib.h>

/* Whose turn is next: the first of those with the largest claim. */
static void take_turn(ee_fan *fan) {
  int next = 0;
  for (int k = 0; k < fan->n; k++) {
    fan->link[k].claim += fan->link[k].turns;
    if (fan->link[k].claim > fan->link[next].claim) next = k;
  }
  fan->link[next].claim -= fan->round;
  fan->turn = next;
}

ee_status ee_fan_open(const ee_wire *wire, const ee_plan *plan, int stage, int first,
                      int plan_epoch, int slots, size_t slot_bytes, const ee_pacer *pacer,
                      ee_fan *fan) {
  int n     = ee_plan_width(plan, stage);
  *fan      = (ee_fan){.round = ee_plan_round(plan, stage)};
  fan->link = calloc((size_t)n, sizeof *fan->link);
  if (fan->link == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d links", n);
  ee_status status = EE_OK;
  for (; fan->n < n && status == EE_OK; fan->n++) {
    int to                  = ee_plan_device(plan, stage, fan->n);
    fan->link[fan->n].turns = ee_plan_turns(plan, to);
    status =
        ee_outbox_open(wire, to, plan_epoch, slots, slot_bytes, pacer, &fan->link[fan->n].outbox);
  }
  for (int k = 0; k <= first % fan->round; k++) take_turn(fan);
  if (status != EE_OK) ee_fan_close(fan);
  return status;
}

void ee_fan_listen(ee_fan *fan, ee_sent_fn sent, void *context) {
  for (int k = 0; k < fan->n; k++) ee_outbox_listen(fan->link[k].outbox, sent, context);
}

void *ee_fan_slot(const ee_fan *fan) {
  return ee_outbox_slot(fan->link[fan->turn].outbox);
}

void *ee_fan_slot_ahead(const ee_fan *fan, int ahead) {
  return ee_outbox_slot_ahead(fan->link[fan->turn].outbox, ahead);
}

static void post(ee_fan *fan, int k, size_t bytes, int64_t now) {
  ee_outbox_post(fan->link[k].outbox, bytes, now);
  if (fan->bytes != NULL) *fan->bytes += (int64_t)bytes;
}

void ee_fan_post(ee_fan *fan, size_t bytes, int64_t now) {
  post(fan, fan->turn, bytes, now);
}

void ee_fan_advance(ee_fan *fan, uint64_t watermark) {
  fan->link[fan->turn].told = watermark;
  take_turn(fan);
}

/* An empty message on link k: a watermark, and what follows. */
static bool send_empty(ee_fan *fan, int k, const ee_message_layout *layout, uint64_t watermark,
                       ee_follows follows, int64_t now) {
  void *slot = ee_outbox_slot(fan->link[k].outbox);
  if (slot == NULL) return false;
  ee_message_begin(layout, slot, 0, watermark, follows);
  post(fan, k, ee_message_bytes(layout, 0), now);
  fan->link[k].told  = watermark;
  fan->link[k].ended = follows == EE_FOLLOWS_NOTHING;
  return true;
}

bool ee_fan_tell(ee_fan *fan, const ee_message_layout *layout, uint64_t watermark, int64_t now) {
  return send_empty(fan, fan->turn, layout, watermark, EE_FOLLOWS_BATCH, now);
}

bool ee_fan_tell_epoch(ee_fan *fan, const ee_message_layout *layout, uint64_t watermark,
                       uint64_t epoch_samples, int64_t now) {
  bool any = false;
  for (int k = 0; fan->n > 1 && k < fan->n; k++) {
    const ee_fan_link *link = &fan->link[k];
    if (link->ended || link->told / epoch_samples >= watermark / epoch_samples) continue;
    any |= send_empty(fan, k, layout, watermark, EE_FOLLOWS_BATCH, now);
  }
  return any;
}

bool ee_fan_end(ee_fan *fan, const ee_message_layout *layout, uint64_t watermark, int64_t now) {
  bool any = false;
  for (int k = 0; k < fan->n; k++) {
    if (fan->link[k].ended) continue;
    any |= send_empty(fan, k, layout, watermark, EE_FOLLOWS_NOTHING, now);
  }
  return any;
}

bool ee_fan_ended(const ee_fan *fan) {
  bool all = true;
  for (int k = 0; k < fan->n; k++) all &= fan->link[k].ended;
  return all;
}

void ee_fan_begin(ee_fan *fan, uint64_t first_id) {
  for (int k = 0; k < fan->n; k++) {
    if (fan->link[k].told < first_id) fan->link[k].told = first_id;
  }
}

bool ee_fan_poll(ee_fan *fan, int64_t now) {
  bool any = false;
  for (int k = 0; k < fan->n; k++) any |= ee_outbox_poll(fan->link[k].outbox, now);
  return any;
}

void ee_fan_await(const ee_fan *fan, ee_waiter *waiter) {
  for (int k = 0; k < fan->n; k++) ee_outbox_await(fan->link[k].outbox, waiter);
}

bool ee_fan_settled(const ee_fan *fan) {
  bool all = true;
  for (int k = 0; k < fan->n; k++) all &= ee_outbox_settled(fan->link[k].outbox);
  return all;
}

bool ee_fan_sent(const ee_fan *fan) {
  bool all = true;
  for (int k = 0; k < fan->n; k++) all &= ee_outbox_sent(fan->link[k].outbox);
  return all;
}

void ee_fan_close(ee_fan *fan) {
  for (int k = 0; k < fan->n; k++) ee_outbox_close(&fan->link[k].outbox);
  free(fan->link);
  *fan = (ee_fan){.n = 0};
}
