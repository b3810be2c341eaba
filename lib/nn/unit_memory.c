/* SPDX-License-Identifier: Apache-2.0 */
#include "ee/unit_memory.h"

#include <stdlib.h>
#include <string.h>

#include "ee/exec.h"
#include "ee/link_slots.h"

static ee_status count_units(const ee_units *units, const ee_backend *backend, size_t *of) {
  if (of == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the memory of %d units", units->n);
  for (int u = 0; u < units->n; u++) {
    const ee_unit *unit = &units->unit[u];
    ee_memory_need need;
    EE_TRY(ee_exec_memory(unit->model, backend, unit->begin, unit->end, 1, &need));
    of[u] = need.weights + need.packed + need.arena;
  }
  return EE_OK;
}

ee_status ee_unit_memory_find(const ee_units *units, const ee_backend *backend,
                              const ee_unit_buffers *buffers, ee_unit_memory *memory) {
  *memory = (ee_unit_memory){
      .units = units, .buffers = *buffers, .of = calloc((size_t)units->n + 1, sizeof *memory->of)};
  EE_TRY(count_units(units, backend, memory->of));
  return ee_unit_pieces_find(units, &memory->pieces);
}

void ee_unit_memory_free(ee_unit_memory *memory) {
  ee_unit_pieces_free(&memory->pieces);
  free(memory->of);
  memory->of = NULL;
}

size_t ee_unit_kept_bytes(int window, size_t bytes) {
  return (size_t)window * ((bytes + sizeof(float) - 1) / sizeof(float) * sizeof(float));
}

/* Bytes of pieces in each message, shape [units->n + 1, n_devices], the input's first. */
static void add_pieces(const ee_unit_memory *m, const int *device, int n_devices, size_t *message) {
  for (int i = 0; i < m->pieces.n; i++) {
    const ee_unit_piece *p  = &m->pieces.piece[i];
    size_t              *to = message + (size_t)(p->from + 1) * (size_t)n_devices;
    for (int k = 0; k < p->n_readers; k++) {
      if (ee_unit_reads_first(p, k, device)) to[device[p->reader[k]]] += p->bytes;
    }
  }
}

static ee_status add_messages(const ee_unit_memory *m, const int *device, int n_devices,
                              ee_unit_room *room) {
  int     n = m->units->n, window = m->buffers.window;
  size_t *message = calloc(((size_t)n + 1) * (size_t)n_devices, sizeof *message);
  if (message == NULL) return EE_FAIL(EE_ERR_NOMEM, "for messages of %d units", n);
  add_pieces(m, device, n_devices, message);
  const size_t *at = message;
  for (int u = -1; u < n; u++) {
    int from = u < 0 ? 0 : device[u];
    for (int d = 0; d < n_devices; d++, at++) {
      size_t bytes = m->buffers.head + *at;
      if (*at == 0) continue;
      room[d].messages += ee_unit_kept_bytes(window, bytes);
      if (d == from) continue;
      room[d].messages += ee_inbox_bytes(window, bytes);
      room[from].messages += ee_outbox_bytes(window, bytes);
    }
  }
  free(message);
  return EE_OK;
}

static bool is_same(const int *a, const int *b, int n) {
  return memcmp(a, b, (size_t)n * sizeof *a) == 0;
}

ee_status ee_unit_memory_on(const ee_unit_memory *memory, const int *device, const int *beside,
                            int n_devices, ee_unit_room *room) {
  int n = memory->units->n;
  for (int d = 0; d < n_devices; d++) {
    room[d] = (ee_unit_room){.messages = (size_t)(n_devices - 1) * memory->buffers.line};
  }
  for (int u = 0; u < n; u++) {
    room[device[u]].units += memory->of[u];
    if (beside != NULL && beside[u] != device[u]) room[beside[u]].units += memory->of[u];
  }
  EE_TRY(add_messages(memory, device, n_devices, room));
  if (beside == NULL || is_same(device, beside, n)) return EE_OK;
  return add_messages(memory, beside, n_devices, room);
}
