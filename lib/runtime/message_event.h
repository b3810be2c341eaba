/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/device.h"
#include "message.h"

/** @file message_event.h  Telling the trace of a message, from either end of its link. */
typedef struct ee_message_end {
  const ee_trace_sink *sink;  // NULL: nobody listens
  ee_event_kind        kind;  // EE_EVENT_SEND or EE_EVENT_RECEIVE
  int                  rank, peer, layer;
} ee_message_end;

/** From when it was posted to @p now, or to the post if that was later in this turn [ns]. */
void ee_message_tell(const ee_message_end *end, const void *message, size_t bytes, int64_t now);
