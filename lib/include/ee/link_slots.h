/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stddef.h>

/**
 * @file link_slots.h
 * Buffers of a link's two ends, for a window of `slots` messages under way: what the runtime takes
 * and planners count.
 *
 * Pure functions; nothing here is collective.
 */

/** Messages that the sending end has room for: with several slots one more, which is made while
 *  those are under way. */
static inline int ee_outbox_buffers(int slots) {
  return slots > 1 ? slots + 1 : slots;
}

/** Buffers of a receiving end for messages of @p slot_bytes at most [byte]. */
static inline size_t ee_inbox_bytes(int slots, size_t slot_bytes) {
  return (size_t)slots * ((slot_bytes + 63) / 64 * 64);
}

/** Buffers of a sending end [byte]. */
static inline size_t ee_outbox_bytes(int slots, size_t slot_bytes) {
  return ee_inbox_bytes(ee_outbox_buffers(slots), slot_bytes);
}
