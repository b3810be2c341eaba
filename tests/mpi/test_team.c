/* SPDX-License-Identifier: Apache-2.0 */
/* One sample on many ranks at once: whoever computes which branch, answers are those of one device,
 * and a branch that falls silent is left out as its absence is defined. */
#include "ee/team.h"

#include <math.h>

#include "../unit/nn/branch_maker.h"
#include "ee/confidence.h"
#include "toy_stream.h"
#include "unit_walk.h"

enum { SAMPLES = 60, LANES = 3, STAGES = 4, CLASSES = 3, INPUT = 2 * 4 * 4 };

static int rank, size;

/* What rank 0 was told. */
typedef struct heard {
  int       n;
  ee_answer answer[SAMPLES];
  float     logits[SAMPLES][CLASSES];
  int       times[SAMPLES];
} heard;

static void take(void *self, const ee_answer *answer, const float *logits, int classes) {
  heard *h              = self;
  h->answer[answer->id] = *answer;
  memcpy(h->logits[answer->id], logits, (size_t)classes * sizeof *logits);
  h->times[answer->id]++;
  h->n++;
}

static void make_input(int64_t id, float *input) {
  ee_rng rng = ee_rng_at(8, (uint64_t)id);
  for (int i = 0; i < INPUT; i++) input[i] = (float)(2.0 * ee_rng_uniform(&rng) - 1.0);
}

static ee_status read_input(void *self, int64_t first, int64_t n, float *input) {
  int64_t *fails_at = self;
  for (int64_t i = 0; i < n; i++) {
    if (fails_at != NULL && first + i == *fails_at) return EE_FAIL(EE_ERR_FILE, "no such sample");
    make_input(first + i, input + i * INPUT);
  }
  return EE_OK;
}

typedef struct run {
  ee_model       *model;
  ee_units       *units;
  ee_policy      *policy;
  ee_run_setup    setup;
  ee_team_options options;
  ee_trace_sink   sink;
  heard          *heard;
  ee_team_totals  totals;
} run;

static void open_run(run *r, const char *policy) {
  ee_policy_setting setting = {.n_exits = STAGES, .n_classes = CLASSES, .seed = 1};
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  *r = (run){.model   = maker_branches(LANES, STAGES, MAKER_MEAN),
             .options = ee_team_defaults(),
             .heard   = calloc(1, sizeof *r->heard)};
  if (ee_model_finish(r->model) != EE_OK || ee_units_of_branches(r->model, &r->units) != EE_OK ||
      ee_policy_create(policy, &setting, &r->policy) != EE_OK || r->heard == NULL) {
    abort();
  }
  for (int e = 0; e < STAGES; e++) r->model->exit[e].temperature = 0.2f;
  r->sink  = (ee_trace_sink){.self = r->heard, .answer = take};
  r->setup = (ee_run_setup){.model       = r->model,
                            .backend     = &ee_backend_ref,
                            .policy      = r->policy,
                            .layers      = {.self = r->model, .read = toy_layer},
                            .source      = {.read = read_input},
                            .n_samples   = SAMPLES,
                            .with_logits = true};
}

/* The whole run.  Collective. */
static ee_status go(run *r) {
  ee_team *team = NULL;
  r->setup.sink = rank == 0 ? &r->sink : NULL;
  memset(r->heard, 0, sizeof *r->heard);
  EE_TRY(ee_team_create(MPI_COMM_WORLD, &r->setup, r->units, &r->options, &team));
  ee_status status = ee_team_run(team);
  r->totals        = *ee_team_totals_of(team);
  ee_team_destroy(&team);
  return status;
}

static void close_run(run *r) {
  ee_units_destroy(&r->units);
  ee_policy_destroy(&r->policy);
  ee_model_destroy(&r->model);
  free(r->heard);
}

/* Units at random; what joins lanes on rank 0 or, if @p spread, on any. */
static void place(run *r, int turn, bool spread) {
  ee_rng rng = ee_rng_at(4, (uint64_t)turn);
  for (int u = 0; u < r->units->n; u++) {
    ee_unit *unit = &r->units->unit[u];
    int      any  = (int)ee_rng_below(&rng, (uint64_t)size);
    unit->device  = unit->exit < 0 || spread ? any : 0;
  }
}

/* A branch per rank, as far as they go. */
static void place_branches(run *r) {
  for (int u = 0; u < r->units->n; u++) {
    int lane                 = r->units->unit[u].lane;
    r->units->unit[u].device = lane < 0 ? 0 : (lane + 1) % size;
  }
}

/* What the policy makes of one sample's logits and scores of all exits. */
static int leaves_at(const run *r, const float *logits, const float *score) {
  unsigned char state[EE_POLICY_STATE_BYTES] = {0};
  for (int e = 0; e < STAGES - 1; e++) {
    float        p[CLASSES];
    const float *z = logits + e * CLASSES;
    ee_softmax(z, CLASSES, r->model->exit[e].temperature, p);
    int          best = ee_argmax(z, CLASSES);
    ee_exit_view view = {.exit        = e,
                         .n_exits     = STAGES,
                         .n_classes   = CLASSES,
                         .probability = p,
                         .prediction  = best,
                         .confidence  = p[best],
                         .score       = score[e]};
    if (r->policy->ops->decide(r->policy->self, &view, state) == EE_LEAVE) return e;
  }
  return STAGES - 1;
}

/* Whether the answer of @p id is that of the units one after the other without the lanes of w. */
static bool is_answer(const run *r, walk *w, int id) {
  float input[INPUT], logits[STAGES * CLASSES], score[STAGES];
  make_input(id, input);
  walk_sample(w, input, logits, score);
  int e = leaves_at(r, logits, score);
  return r->heard->answer[id].exit == e &&
         memcmp(r->heard->logits[id], logits + e * CLASSES, CLASSES * sizeof(float)) == 0;
}

/* Rank 0: every id once, with exit and bits as the units give them one after the other. */
static void check_heard(const run *r) {
  walk w;
  int  exits[STAGES] = {0};
  walk_begin(r->units, &ee_backend_ref, &w);
  CU_ASSERT_EQUAL(r->heard->n, SAMPLES);
  for (int id = 0; id < SAMPLES; id++) {
    CU_ASSERT_EQUAL(r->heard->times[id], 1);
    CU_ASSERT_EQUAL(r->heard->answer[id].absent, 0);
    CU_ASSERT_TRUE(is_answer(r, &w, id));
    exits[r->heard->answer[id].exit]++;
  }
  for (int e = 0; e < STAGES; e++) CU_ASSERT_TRUE(exits[e] > 2);  // the stream is not one-sided
  walk_end(&w);
}

/* Rank 0: every id once, as without the lanes that it names, the lanes @p silent or more of them:
 * on a busy machine others can be late, too. */
static void check_heard_without(const run *r, unsigned silent) {
  walk w;
  int  exactly = 0;
  walk_begin(r->units, &ee_backend_ref, &w);
  CU_ASSERT_EQUAL(r->heard->n, SAMPLES);
  for (int id = 0; id < SAMPLES; id++) {
    w.absent = r->heard->answer[id].absent;
    exactly += w.absent == silent;
    CU_ASSERT_EQUAL(r->heard->times[id], 1);
    CU_ASSERT_EQUAL(w.absent & silent, silent);
    CU_ASSERT_TRUE(is_answer(r, &w, id));
  }
  CU_ASSERT_TRUE(exactly > SAMPLES / 2);
  walk_end(&w);
}

static int64_t sum(int64_t mine) {
  int64_t all = 0;
  MPI_Allreduce(&mine, &all, 1, MPI_INT64_T, MPI_SUM, MPI_COMM_WORLD);
  return all;
}

static const char *const THRESHOLD = "threshold:values=0.75/0.85/0.55";

static void any_placement_gives_the_answers_of_one_device(void) {
  run r;
  open_run(&r, THRESHOLD);
  for (int turn = 0; turn < 8; turn++) {
    place(&r, turn, turn % 2 == 1);
    r.options.window = 1 + 3 * (turn % 3);
    r.options.ahead  = turn % 4;
    CU_ASSERT_EQUAL_FATAL(go(&r), EE_OK);
    if (rank == 0) check_heard(&r);
  }
  close_run(&r);
}

/* The state of patience travels with the sample from exit to exit. */
static void a_policy_with_a_memory_of_the_sample_decides_the_same(void) {
  run r;
  open_run(&r, "patience:value=1");
  place(&r, 3, true);
  CU_ASSERT_EQUAL_FATAL(go(&r), EE_OK);
  if (rank == 0) {
    walk w;
    walk_begin(r.units, &ee_backend_ref, &w);
    for (int id = 0; id < SAMPLES; id++) {
      float input[INPUT], logits[STAGES * CLASSES], score[STAGES];
      make_input(id, input);
      walk_sample(&w, input, logits, score);
      CU_ASSERT_EQUAL(r.heard->answer[id].exit, leaves_at(&r, logits, score));
    }
    walk_end(&w);
  }
  close_run(&r);
}

/* Every unit of every sample was computed or spared; with no stage ahead nothing is in vain. */
static void units_are_computed_or_spared_and_none_in_vain_without_looking_ahead(void) {
  run r;
  open_run(&r, THRESHOLD);
  place_branches(&r);
  for (int ahead = 0; ahead < 3; ahead++) {
    r.options.ahead = ahead;
    CU_ASSERT_EQUAL_FATAL(go(&r), EE_OK);
    int64_t computed = sum(r.totals.computed), spared = sum(r.totals.spared);
    int64_t in_vain = sum(r.totals.in_vain);
    CU_ASSERT_EQUAL(computed + spared, (int64_t)SAMPLES * r.units->n);
    CU_ASSERT_TRUE(in_vain <= ahead * LANES * SAMPLES);
    if (ahead == 0) CU_ASSERT_EQUAL(in_vain, 0);
    int64_t needed = 0;
    for (int id = 0; id < SAMPLES && rank == 0; id++) {
      needed += (r.heard->answer[id].exit + 1) * (LANES + 1);
    }
    if (rank == 0) CU_ASSERT_EQUAL(computed - in_vain, needed);
    CU_ASSERT_EQUAL(sum(r.totals.joined), SAMPLES);
    CU_ASSERT_EQUAL(sum(r.totals.joined_in_part), 0);
  }
  close_run(&r);
}

/* A fleet whose device @p away is away from the beginning on, or never. */
static ee_fleet *make_fleet(int away) {
  ee_fleet *fleet = NULL;
  if (ee_fleet_create(size, &fleet) != EE_OK) abort();
  for (int d = 0; d < size; d++) fleet->device[d].flops = 2e6;
  if (away < 0) return fleet;
  ee_change *change = malloc(sizeof *change);
  if (change == NULL) abort();
  *change                  = (ee_change){.at = 0.0, .value = 1.0};
  fleet->device[away].away = (ee_schedule){.n = 1, .change = change};
  return fleet;
}

/* Nothing of a silent device is waited for longer than said, and nothing is lost; nobody else is
 * blamed, even with a window of one sample, which all have begun while it waits for the device. */
static void a_silent_branch_is_left_out_and_no_sample_is_lost(void) {
  run       r;
  ee_fleet *fleet;
  open_run(&r, THRESHOLD);
  place_branches(&r);
  fleet           = make_fleet(size > 1 ? 1 : -1);
  unsigned silent = 0;
  r.setup.fleet   = fleet;
  r.options.late  = 2.0;
  for (int k = 0; k < LANES; k++) {
    if (size > 1 && (k + 1) % size == 1) silent |= 1u << k;
  }
  for (r.options.window = 1; r.options.window <= 4; r.options.window += 3) {
    CU_ASSERT_EQUAL_FATAL(go(&r), EE_OK);
    if (rank == 0) check_heard_without(&r, silent);
    CU_ASSERT_TRUE(silent == 0 || sum(r.totals.joined_in_part) == SAMPLES);
    CU_ASSERT_TRUE(sum(r.totals.skipped) >= (silent != 0 ? SAMPLES - 2 * r.options.window : 0));
  }
  ee_fleet_destroy(&fleet);
  close_run(&r);
}

/* Somewhere else each time that it is asked. */
static bool place_anywhere(void *self, const ee_team_news *news, const int *device, int *wanted) {
  run    *r    = self;
  ee_rng  rng  = ee_rng_at(6, (uint64_t)news->now);
  int64_t left = 0;
  for (int e = 0; e < STAGES; e++) left += news->left[e];
  CU_ASSERT_TRUE(left > 0);
  for (int u = 0; u < r->units->n; u++) {
    wanted[u] = (int)ee_rng_below(&rng, (uint64_t)size);
    CU_ASSERT_TRUE(device[u] >= 0 && device[u] < size);
  }
  return true;
}

/* Weights and links move under way, and no answer changes, none is lost and none comes twice. */
static void units_move_while_samples_go_on(void) {
  run           r;
  ee_team_mover mover = {.self = &r, .place = place_anywhere};
  open_run(&r, THRESHOLD);
  for (int turn = 0; turn < 4; turn++) {
    place(&r, turn, true);
    r.options.window = 2 + turn;
    r.options.ahead  = turn % 3;
    r.options.epoch  = 4;
    r.options.mover  = rank == 0 ? &mover : NULL;
    CU_ASSERT_EQUAL_FATAL(go(&r), EE_OK);
    if (rank == 0) check_heard(&r);
    CU_ASSERT_TRUE(r.totals.moves >= 1);
    if (rank == 0) CU_ASSERT_TRUE(r.heard->answer[SAMPLES - 1].plan_epoch >= 1);
  }
  close_run(&r);
}

static ee_status layer_fails(void *self, int layer, float **blob) {
  if (rank == size - 1 && layer > 3) return EE_FAIL(EE_ERR_FILE, "no such layer");
  return toy_layer(self, layer, blob);
}

static void a_fault_on_one_rank_is_the_same_error_on_all(void) {
  run     r;
  int64_t fails_at = 20;
  open_run(&r, THRESHOLD);
  place_branches(&r);
  for (int u = 0; u < r.units->n && size > 1; u++) {
    if (r.units->unit[u].lane == 0) r.units->unit[u].device = size - 1;
  }
  r.setup.layers.read = layer_fails;
  CU_ASSERT_EQUAL(go(&r), EE_ERR_FILE);
  r.setup.layers.read = toy_layer;
  r.setup.source.self = &fails_at;
  CU_ASSERT_EQUAL(go(&r), EE_ERR_FILE);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "no such sample"));
  r.setup.source.self = NULL;
  CU_ASSERT_EQUAL(go(&r), EE_OK);
  r.options.window = rank == 0 ? 4 : 5;
  CU_ASSERT_EQUAL(go(&r), size > 1 ? EE_ERR_MISMATCH : EE_OK);
  r.options.window = 0;
  CU_ASSERT_EQUAL(go(&r), EE_ERR_ARG);
  close_run(&r);
}

/* What ranks would answer otherwise with, or wait for each other because of. */
static void teams_that_differ_are_refused_on_all(void) {
  run r;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  for (int what = 0; what < 4; what++) {
    bool last = rank == size - 1;
    open_run(&r, what == 0 && last ? "threshold:value=0.9" : "threshold:value=0.8");
    if (what == 1 && last) r.setup.latency_limit = 60.0;
    if (what == 2 && last) r.options.late = 60.0;
    if (what == 3 && last) r.setup.rate = 1e6;
    CU_ASSERT_EQUAL(go(&r), size > 1 ? EE_ERR_MISMATCH : EE_OK);
    if (size > 1) CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "different runs"));
    close_run(&r);
  }
}

const ee_fact ee_facts[] = {
    EE_FACT(any_placement_gives_the_answers_of_one_device),
    EE_FACT(a_policy_with_a_memory_of_the_sample_decides_the_same),
    EE_FACT(units_are_computed_or_spared_and_none_in_vain_without_looking_ahead),
    EE_FACT(a_silent_branch_is_left_out_and_no_sample_is_lost),
    EE_FACT(units_move_while_samples_go_on),
    EE_FACT(a_fault_on_one_rank_is_the_same_error_on_all),
    EE_FACT(teams_that_differ_are_refused_on_all),
    {NULL, NULL}};
