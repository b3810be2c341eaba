/* SPDX-License-Identifier: Apache-2.0 */
/* What a team's rank takes in memory, counted before it is taken and the same on all clocks. */
#include <stdlib.h>

#include "team_state.h"

size_t ee_team_state_bytes(const ee_policy *policy) {
  return policy != NULL ? (ee_policy_state_bytes(policy) + 7) / 8 * 8 : 0;
}

ee_unit_buffers ee_team_buffers(const ee_units *units, const ee_policy *policy, int window) {
  int    notes = ee_team_notes_at_once(units, window);
  size_t bytes = sizeof(team_note) + ee_team_state_bytes(policy);
  return (ee_unit_buffers){.window = window,
                           .head   = sizeof(ee_message_header) + sizeof(uint64_t),
                           .line   = ee_outbox_bytes(notes, bytes) + ee_inbox_bytes(notes, bytes)};
}

ee_status ee_team_memory_open(ee_team *t) {
  ee_unit_buffers buffers = ee_team_buffers(t->units, t->setup.policy, t->options.window);
  return ee_unit_memory_find(t->units, t->setup.backend, &buffers, &t->memory);
}

/* Of this rank; counted for its totals. */
static ee_status count(ee_team *t, const int *device, const int *beside, ee_unit_room *mine) {
  ee_unit_room *room = calloc((size_t)t->wire.size, sizeof *room);
  if (room == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the memory of %d ranks", t->wire.size);
  ee_status status = ee_unit_memory_on(&t->memory, device, beside, t->wire.size, room);
  *mine            = room[t->wire.rank];
  free(room);
  size_t bytes = ee_unit_room_bytes(*mine);
  if (bytes > t->totals.memory) t->totals.memory = bytes;
  return status;
}

ee_status ee_team_memory_check(ee_team *t, const int *device) {
  const ee_fleet *fleet = t->setup.fleet;
  int             d     = t->wire.rank;
  double          most  = fleet != NULL ? fleet->device[d].memory : 0.0;
  ee_unit_room    mine  = {0};
  EE_TRY(count(t, device, NULL, &mine));
  size_t bytes = ee_unit_room_bytes(mine);
  if (most <= 0.0 || (double)bytes <= most) return EE_OK;
  return EE_FAIL(EE_ERR_ARG,
                 "device %d (%s) has %.0f byte of memory, but its part of each sample needs %zu: "
                 "weights, packed weights and activations %zu, messages %zu; a smaller window or "
                 "units on other devices need less",
                 d, fleet->device[d].name, most, bytes, mine.units, mine.messages);
}

ee_status ee_team_memory_note(ee_team *t, const team_formation *next) {
  ee_unit_room mine = {0};
  return count(t, next->device, t->now->device, &mine);
}
