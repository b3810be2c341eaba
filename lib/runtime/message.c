/* SPDX-License-Identifier: Apache-2.0 */
#include "message.h"

#include <limits.h>
#include <string.h>

ee_message_layout ee_message_layout_of(const ee_model *model, ee_link_values values, int plan_epoch,
                                       int cut, size_t state_bytes) {
  ee_message_layout layout = {.plan_epoch   = plan_epoch,
                              .cut          = cut,
                              .model        = model,
                              .values       = ee_link_values_at(model, values, cut),
                              .state_bytes  = (state_bytes + 7) / 8 * 8,
                              .sample_bytes = ee_link_cut_bytes(model, cut, values)};
  layout.value             = ee_model_cut_values(model, cut, &layout.n_values);
  return layout;
}

ee_message_layout ee_message_layout_for(const ee_run_setup *setup, int plan_epoch, int cut,
                                        size_t state_bytes) {
  return ee_message_layout_of(setup->model, ee_run_link_values(setup, cut), plan_epoch, cut,
                              state_bytes);
}

static size_t record_bytes(const ee_message_layout *layout) {
  return sizeof(uint64_t) + sizeof(int64_t) + layout->state_bytes + layout->sample_bytes;
}

size_t ee_message_bytes(const ee_message_layout *layout, int n) {
  return sizeof(ee_message_header) + (size_t)n * record_bytes(layout);
}

int ee_message_most(const ee_message_layout *layout) {
  return (int)(((size_t)INT_MAX - sizeof(ee_message_header)) / record_bytes(layout));
}

ee_message ee_message_view(const ee_message_layout *layout, void *buffer, int n) {
  unsigned char *at = buffer;
  ee_message     message;
  message.header = (ee_message_header *)buffer;
  at += sizeof(ee_message_header);
  message.id = (uint64_t *)(void *)at;
  at += (size_t)n * sizeof(uint64_t);
  message.admitted = (int64_t *)(void *)at;
  at += (size_t)n * sizeof(int64_t);
  message.state = at;
  at += (size_t)n * layout->state_bytes;
  message.values = at;
  return message;
}

void ee_message_begin(const ee_message_layout *layout, void *buffer, int n, uint64_t watermark,
                      ee_follows follows) {
  *(ee_message_header *)buffer = (ee_message_header){.magic       = EE_MESSAGE_MAGIC,
                                                     .plan_epoch  = layout->plan_epoch,
                                                     .cut         = layout->cut,
                                                     .n           = n,
                                                     .watermark   = watermark,
                                                     .follows     = (uint32_t)follows,
                                                     .state_bytes = (uint32_t)layout->state_bytes};
}

ee_status ee_message_check(const ee_message_layout *layout, const void *buffer, size_t bytes,
                           int max_n, int peer) {
  ee_message_header h;
  if (bytes < sizeof h) {
    return EE_FAIL(EE_ERR_PEER, "rank %d sent %zu bytes, less than a message header", peer, bytes);
  }
  memcpy(&h, buffer, sizeof h);
  if (h.magic != EE_MESSAGE_MAGIC || h.plan_epoch != layout->plan_epoch || h.cut != layout->cut ||
      h.state_bytes != layout->state_bytes) {
    return EE_FAIL(EE_ERR_PEER,
                   "rank %d sent a message of plan %d, cut %d, %u state bytes; expected plan %d, "
                   "cut %d, %zu state bytes",
                   peer, h.plan_epoch, h.cut, h.state_bytes, layout->plan_epoch, layout->cut,
                   layout->state_bytes);
  }
  if (h.n < 0 || h.n > max_n || bytes != ee_message_bytes(layout, h.n)) {
    return EE_FAIL(EE_ERR_PEER,
                   "rank %d sent %zu bytes for %d samples at cut %d; expected %zu bytes and at "
                   "most %d samples",
                   peer, bytes, h.n, h.cut, ee_message_bytes(layout, h.n < 0 ? 0 : h.n), max_n);
  }
  return EE_OK;
}
