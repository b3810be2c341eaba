/* SPDX-License-Identifier: Apache-2.0 */
/* What devices need for units and messages, next to a count that looks at each pair of a unit and a
 * device by itself. */
#include "ee/unit_memory.h"

#include "branch_maker.h"
#include "ee/exec.h"
#include "ee/rng.h"
#include "ee_test.h"

enum { LANES = 3, STAGES = 3, DEVICES = 4, HEAD = 40, LINE = 700 };

typedef struct scene {
  ee_model      *model;
  ee_units      *units;
  ee_unit_memory memory;
  ee_rng         rng;
} scene;

static void open_scene(scene *s, uint64_t turn) {
  *s = (scene){.model = maker_branches(LANES, STAGES, MAKER_MEAN), .rng = ee_rng_at(9, turn)};
  ee_unit_buffers buffers = {.window = 1 + (int)turn % 5, .head = HEAD, .line = LINE};
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(s->model), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_units_of_branches(s->model, &s->units), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_unit_memory_find(s->units, &ee_backend_ref, &buffers, &s->memory),
                        EE_OK);
}

static void close_scene(scene *s) {
  ee_unit_memory_free(&s->memory);
  ee_units_destroy(&s->units);
  ee_model_destroy(&s->model);
}

static void place(scene *s, int *device) {
  for (int u = 0; u < s->units->n; u++) device[u] = (int)ee_rng_below(&s->rng, DEVICES);
}

/* Whether any unit of device @p d reads value @p v from unit @p from. */
static bool reads(const scene *s, const int *device, int d, int from, int v) {
  for (int u = 0; u < s->units->n; u++) {
    const ee_unit *unit = &s->units->unit[u];
    for (int i = 0; i < unit->n_inputs && device[u] == d; i++) {
      if (unit->input[i].from == from && unit->input[i].value == v) return true;
    }
  }
  return false;
}

/* Bytes from unit @p from to device @p d; 0: it reads nothing of it. */
static size_t message(const scene *s, const int *device, int from, int d) {
  size_t bytes = 0;
  for (int v = 0; v < s->model->n_values; v++) {
    if (!reads(s, device, d, from, v)) continue;
    bytes += (size_t)ee_model_value_elements(s->model, v) * 4;
  }
  return bytes > 0 ? bytes + HEAD : 0;
}

static size_t in_64s(size_t bytes) {
  while (bytes % 64 != 0) bytes++;
  return bytes;
}

/* Everything that device @p d keeps for messages, without lines. */
static size_t messages(const scene *s, const int *device, int d) {
  size_t window = (size_t)s->memory.buffers.window, to_send = window > 1 ? window + 1 : 1, all = 0;
  for (int from = -1; from < s->units->n; from++) {
    int    at    = from < 0 ? 0 : device[from];
    size_t bytes = message(s, device, from, d);
    all += window * bytes;  // which are whole floats
    if (at != d) all += window * in_64s(bytes);
    for (int to = 0; to < DEVICES && at == d; to++) {
      if (to != d) all += to_send * in_64s(message(s, device, from, to));
    }
  }
  return all;
}

static size_t unit_bytes(const scene *s, int u) {
  const ee_unit *unit = &s->units->unit[u];
  ee_memory_need need;
  CU_ASSERT_EQUAL_FATAL(
      ee_exec_memory(unit->model, &ee_backend_ref, unit->begin, unit->end, 1, &need), EE_OK);
  return need.weights + need.packed + need.arena;
}

static void a_device_has_units_and_messages_of_a_window(void) {
  for (uint64_t turn = 0; turn < 40; turn++) {
    scene        s;
    int          device[64];
    ee_unit_room room[DEVICES];
    open_scene(&s, turn);
    place(&s, device);
    CU_ASSERT_EQUAL_FATAL(ee_unit_memory_on(&s.memory, device, NULL, DEVICES, room), EE_OK);
    for (int d = 0; d < DEVICES; d++) {
      size_t units = 0;
      for (int u = 0; u < s.units->n; u++) units += device[u] == d ? unit_bytes(&s, u) : 0;
      CU_ASSERT_EQUAL(room[d].units, units);
      CU_ASSERT_EQUAL(room[d].messages, (DEVICES - 1) * LINE + messages(&s, device, d));
    }
    close_scene(&s);
  }
}

/* All that one device reads of the input: 128 bytes once, 40 before them; of branches 24 bytes. */
static void messages_can_be_counted_by_hand(void) {
  scene        s;
  int          device[64];
  ee_unit_room room[2];
  open_scene(&s, 3);  // a window of 4
  for (int u = 0; u < s.units->n; u++) device[u] = s.units->unit[u].lane >= 0 ? 1 : 0;
  CU_ASSERT_EQUAL_FATAL(ee_unit_memory_on(&s.memory, device, NULL, 2, room), EE_OK);
  size_t input = 168, feature = 64, branch = 168;  // a feature is 24 + 40; what branches go on with
  size_t to_1 = 4 * input + 4 * 192, from_0 = 5 * 192;  // as large as the input, and stays there
  size_t to_0 = 9 * 4 * (feature + 64), from_1 = 9 * 5 * 64, stays = 6 * 4 * branch;
  size_t again = 1 * 4 * feature;  // the score of the middle exit compares with what was joined
  CU_ASSERT_EQUAL(room[0].messages, LINE + from_0 + to_0 + again);
  CU_ASSERT_EQUAL(room[1].messages, LINE + from_1 + to_1 + stays);
  close_scene(&s);
}

static void a_unit_that_stays_is_there_once_and_messages_are_those_of_both(void) {
  for (uint64_t turn = 0; turn < 20; turn++) {
    scene        s;
    int          device[64], beside[64];
    ee_unit_room room[DEVICES];
    open_scene(&s, turn);
    place(&s, device);
    memcpy(beside, device, sizeof beside);
    beside[turn % 5] = (int)turn % DEVICES;
    bool same        = beside[turn % 5] == device[turn % 5];
    CU_ASSERT_EQUAL_FATAL(ee_unit_memory_on(&s.memory, device, beside, DEVICES, room), EE_OK);
    for (int d = 0; d < DEVICES; d++) {
      size_t units = 0, more = same ? 0 : messages(&s, beside, d);
      for (int u = 0; u < s.units->n; u++) {
        units += device[u] == d || beside[u] == d ? unit_bytes(&s, u) : 0;
      }
      CU_ASSERT_EQUAL(room[d].units, units);
      CU_ASSERT_EQUAL(room[d].messages, (DEVICES - 1) * LINE + messages(&s, device, d) + more);
    }
    close_scene(&s);
  }
}

const ee_fact ee_facts[] = {EE_FACT(a_device_has_units_and_messages_of_a_window),
                            EE_FACT(messages_can_be_counted_by_hand),
                            EE_FACT(a_unit_that_stays_is_there_once_and_messages_are_those_of_both),
                            {NULL, NULL}};
