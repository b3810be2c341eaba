/* SPDX-License-Identifier: Apache-2.0 */
/* What planners count of a team's memory is what its ranks take, to the byte: a device that has
 * just as much is accepted, and one that has a byte less is refused with that number. */
#include "../unit/nn/branch_maker.h"
#include "ee/placement.h"
#include "team_state.h"
#include "toy_stream.h"

enum { CLASSES = 3, RANKS = 6, TURNS = 12 };

static int rank, size;

static ee_status read_input(void *self, int64_t first, int64_t n, float *input) {
  (void)self, (void)first;
  memset(input, 0, (size_t)n * 2 * 4 * 4 * sizeof *input);
  return EE_OK;
}

/* A random network of branches for as many devices as there are ranks. */
typedef struct scene {
  ee_model         *model;
  ee_units         *units;
  ee_policy        *policy;
  ee_fleet         *fleet;
  ee_run_setup      setup;
  ee_team_options   options;
  ee_unit_memory    memory;
  ee_rng            rng;
  double            work[128], reach[8], speed[RANKS], latency[RANKS * RANKS], room[RANKS];
  int               device[128];
  ee_placement_task task;
} scene;

static void make_setup(scene *s, const char *policy) {
  ee_policy_setting setting = {.n_exits = s->model->n_exits, .n_classes = CLASSES, .seed = 1};
  if (ee_policy_create(policy, &setting, &s->policy) != EE_OK ||
      ee_fleet_create(size, &s->fleet) != EE_OK) {
    abort();
  }
  for (int d = 0; d < size; d++) s->fleet->device[d].flops = 1e9;
  s->setup = (ee_run_setup){.model     = s->model,
                            .backend   = &ee_backend_ref,
                            .policy    = s->policy,
                            .fleet     = s->fleet,
                            .layers    = {.self = s->model, .read = toy_layer},
                            .source    = {.read = read_input},
                            .n_samples = 3};
}

static void make_task(scene *s) {
  ee_unit_buffers buffers = ee_team_buffers(s->units, s->policy, s->options.window);
  if (ee_unit_memory_find(s->units, &ee_backend_ref, &buffers, &s->memory) != EE_OK) abort();
  for (int u = 0; u < s->units->n; u++) s->work[u] = s->units->unit[u].flops;
  for (int e = 0; e < s->model->n_exits; e++) s->reach[e] = 1.0;
  for (int d = 0; d < size; d++) s->speed[d] = 1e6 * (0.2 + ee_rng_uniform(&s->rng));
  for (int k = 0; k < size * size; k++) s->latency[k] = 1e-3 * ee_rng_uniform(&s->rng);
  s->task =
      (ee_placement_task){.units  = s->units,
                          .work   = s->work,
                          .reach  = s->reach,
                          .fleet  = {.n_devices = size, .speed = s->speed, .latency = s->latency},
                          .takes  = &s->memory,
                          .memory = s->room,
                          .ahead  = 2};
}

static void open_scene(scene *s, int turn) {
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  *s        = (scene){.rng = ee_rng_at(21, (uint64_t)turn), .options = ee_team_defaults()};
  int lanes = 2 + (int)ee_rng_below(&s->rng, 3), stages = 2 + (int)ee_rng_below(&s->rng, 3);
  s->model          = maker_branches(lanes, stages, turn % 2 == 0 ? MAKER_MEAN : MAKER_CONCAT);
  s->options.window = 1 + (int)ee_rng_below(&s->rng, 9);
  if (ee_model_finish(s->model) != EE_OK || ee_units_of_branches(s->model, &s->units) != EE_OK) {
    abort();
  }
  make_setup(s, turn % 3 == 0 ? "kl:value=0.1" : "threshold:value=0.8");
  make_task(s);
}

static void close_scene(scene *s) {
  ee_unit_memory_free(&s->memory);
  ee_units_destroy(&s->units);
  ee_policy_destroy(&s->policy);
  ee_fleet_destroy(&s->fleet);
  ee_model_destroy(&s->model);
}

static void place_at_random(scene *s) {
  for (int u = 0; u < s->units->n; u++) s->device[u] = (int)ee_rng_below(&s->rng, (uint64_t)size);
}

/* The run with units on s->device and what devices have as s->room.  Collective. */
static ee_status create(scene *s, ee_team **team) {
  for (int u = 0; u < s->units->n; u++) s->units->unit[u].device = s->device[u];
  for (int d = 0; d < size; d++) s->fleet->device[d].memory = s->room[d];
  return ee_team_create(MPI_COMM_WORLD, &s->setup, s->units, &s->options, team);
}

static ee_status try(scene *s) {
  ee_team  *team   = NULL;
  ee_status status = create(s, &team);
  ee_team_destroy(&team);
  return status;
}

/* What each device needs for s->device, as planners count. */
static void count(const scene *s, size_t *bytes) {
  ee_unit_room room[RANKS];
  CU_ASSERT_EQUAL_FATAL(ee_unit_memory_on(&s->memory, s->device, NULL, size, room), EE_OK);
  for (int d = 0; d < size; d++) bytes[d] = ee_unit_room_bytes(room[d]);
}

static bool said(size_t bytes) {
  char text[64];
  snprintf(text, sizeof text, "needs %zu", bytes);
  return strstr(ee_status_message(), text) != NULL;
}

/* Devices have just what they need; then any one of them a byte less. */
static void check_margin(scene *s) {
  size_t bytes[RANKS];
  count(s, bytes);
  for (int d = 0; d < size; d++) s->room[d] = (double)bytes[d];
  CU_ASSERT_EQUAL(try(s), EE_OK);
  int d = (int)ee_rng_below(&s->rng, (uint64_t)size);
  s->room[d] -= 1.0;
  CU_ASSERT_EQUAL(try(s), EE_ERR_ARG);
  if (rank == d) CU_ASSERT_TRUE(said(bytes[d]));
  s->room[d] += 1.0;
}

/* There is one placement, of which planner and run say the same. */
static void check_planner_alone(scene *s) {
  size_t bytes;
  count(s, &bytes);
  CU_ASSERT_EQUAL(ee_placement_find(&s->task, true, s->device), EE_OK);
  s->room[0] -= 1.0;
  CU_ASSERT_EQUAL(ee_placement_find(&s->task, true, s->device), EE_ERR_ARG);
  CU_ASSERT_TRUE(said(bytes));
}

static void a_placement_runs_with_what_is_counted_and_not_with_a_byte_less(void) {
  for (int turn = 0; turn < TURNS; turn++) {
    scene s;
    open_scene(&s, turn);
    place_at_random(&s);
    check_margin(&s);
    if (size == 1) check_planner_alone(&s);
    close_scene(&s);
  }
}

/* Memories between too little for any and enough for all, drawn.  What the planner finds runs; when
 * it finds nothing, the nearest that it names does not. */
static void what_the_planner_finds_is_accepted(void) {
  int found = 0;
  for (int turn = 0; turn < 2 * TURNS; turn++) {
    scene  s;
    size_t bytes[RANKS];
    open_scene(&s, turn);
    place_at_random(&s);
    count(&s, bytes);
    for (int d = 0; d < size; d++) {
      double part = turn % 4 == 3 ? 0.1 : 0.9;
      s.room[d]   = (double)bytes[d] * (part + 0.4 * ee_rng_uniform(&s.rng));
    }
    ee_status status = ee_placement_find(&s.task, turn % 2 == 0, s.device);
    CU_ASSERT_EQUAL(try(&s), status);
    if (status == EE_OK) check_margin(&s);
    found += status == EE_OK;
    close_scene(&s);
  }
  CU_ASSERT_TRUE(found >= TURNS / 2 && found < 2 * TURNS);
}

/* Bytes that links of one formation take here. */
static size_t links_of(const ee_team *t, const team_formation *f) {
  size_t bytes = 0, window = (size_t)t->options.window;
  int    slots = t->options.window;
  for (int i = 0; i < f->n_edges; i++) {
    const team_edge *e = &f->edge[i];
    if (e->stored != NULL) bytes += window * e->stride * sizeof *e->stored;
    if (e->outbox != NULL) bytes += ee_outbox_bytes(slots, e->bytes);
    if (e->inbox != NULL) bytes += ee_inbox_bytes(slots, e->bytes);
  }
  return bytes;
}

static size_t lines_of(const ee_team *t) {
  size_t bytes = 0, note = ee_team_note_bytes(t);
  int    slots = ee_team_notes_at_once(t->units, t->options.window);
  for (int r = 0; r < size; r++) {
    if (t->line[r].outbox != NULL) bytes += ee_outbox_bytes(slots, note);
    if (t->line[r].inbox != NULL) bytes += ee_inbox_bytes(slots, note);
  }
  return bytes;
}

static size_t weights_of(const ee_team *t) {
  size_t bytes = 0, arena;
  for (int u = 0; u < t->units->n; u++) {
    const ee_unit *unit = &t->units->unit[u];
    if (t->loaded[u].resident == NULL) continue;
    CU_ASSERT_EQUAL_FATAL(
        ee_exec_arena_bytes(unit->model, &ee_backend_ref, unit->begin, unit->end, 1, &arena),
        EE_OK);
    bytes += ee_resident_bytes(t->loaded[u].resident) + arena;
  }
  return bytes;
}

static void what_is_counted_is_what_is_taken(void) {
  for (int turn = 0; turn < TURNS; turn++) {
    scene    s;
    ee_team *team = NULL;
    size_t   bytes[RANKS];
    open_scene(&s, turn);
    place_at_random(&s);
    count(&s, bytes);
    CU_ASSERT_EQUAL_FATAL(create(&s, &team), EE_OK);
    CU_ASSERT_EQUAL(links_of(team, team->now) + lines_of(team) + weights_of(team), bytes[rank]);
    CU_ASSERT_EQUAL((size_t)ee_team_device_totals(team)->memory, bytes[rank]);
    ee_team_destroy(&team);
    close_scene(&s);
  }
}

const ee_fact ee_facts[] = {EE_FACT(a_placement_runs_with_what_is_counted_and_not_with_a_byte_less),
                            EE_FACT(what_the_planner_finds_is_accepted),
                            EE_FACT(what_is_counted_is_what_is_taken),
                            {NULL, NULL}};
