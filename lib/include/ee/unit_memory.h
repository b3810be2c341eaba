/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/unit_pieces.h"

/**
 * @file unit_memory.h
 * What units and the messages between them take in the memory of the devices that share them: the
 * one count that a team's ranks check and its planners keep to.
 *
 * A device has of each of its units weights, what the backend packs of them, and activations.  Of
 * unit u, or the network's input, which is on device 0, it reads
 *
 *   bytes = head + sum of pieces that its units read, each once
 *
 * per sample, which it keeps for a window of samples; if another device makes them, it has as many
 * slots to receive, and the other one to send.  All devices tell each other of samples: that takes
 * `line` for each other device, also where there is no unit.
 *
 * Nothing here is collective.
 */

typedef struct ee_backend ee_backend;  // ee/backend.h

/** What is kept ready for messages; ee_team_buffers() knows. */
typedef struct ee_unit_buffers {
  int    window;  // samples under way, >= 0
  size_t head;    // in front of a message's pieces [byte]
  size_t line;    // of what is told to one other device, and heard from it [byte]
} ee_unit_buffers;

typedef struct ee_unit_memory {
  const ee_units *units;  // borrowed; their devices are not looked at
  ee_unit_buffers buffers;
  ee_unit_pieces  pieces;
  size_t         *of;  // shape [units->n], weights, packed weights and activations [byte]
} ee_unit_memory;

/** In one device [byte]. */
typedef struct ee_unit_room {
  size_t units, messages;
} ee_unit_room;

static inline size_t ee_unit_room_bytes(ee_unit_room room) {
  return room.units + room.messages;
}

/**
 * Count what each unit takes, of one sample at a time.
 * @param[out] memory  ended by the caller with ee_unit_memory_free(), also on error
 * @return EE_OK; EE_ERR_NOMEM
 */
ee_status ee_unit_memory_find(const ee_units *units, const ee_backend *backend,
                              const ee_unit_buffers *buffers, ee_unit_memory *memory);

void ee_unit_memory_free(ee_unit_memory *memory);

/** Bytes in which a device keeps messages of @p bytes of a window of samples [byte]. */
size_t ee_unit_kept_bytes(int window, size_t bytes);

/**
 * What devices need.
 * @param[in]  device  shape [units->n], who computes each unit
 * @param[in]  beside  shape [units->n], who computes it until then: a unit that stays is there
 * once, messages are those of both, unless they are the same; NULL: nobody
 * @param[out] room    shape [n_devices]
 * @return EE_OK; EE_ERR_NOMEM
 */
ee_status ee_unit_memory_on(const ee_unit_memory *memory, const int *device, const int *beside,
                            int n_devices, ee_unit_room *room);
