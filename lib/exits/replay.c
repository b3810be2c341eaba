/* SPDX-License-Identifier: Apache-2.0 */
/* Replays a policy: the stream, the epochs of learning, and the way of one sample. */
#include "ee/replay.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ee/rng.h"
#include "replay_result.h"

#define STREAM_OF_THE_STREAM UINT64_MAX  // of random numbers: no sample has this id
#define MAX_DELAY 65536

/* A replay under way. */
typedef struct replay {
  const ee_exit_table     *table;
  const ee_policy         *policy;
  const ee_policy_ops     *ops;
  const ee_replay_options *o;
  ee_replay_result        *result;
  int64_t                  n;      // samples of the stream
  int64_t                 *order;  // shape [n]; NULL: rows as they stand, or drawn
  ee_rng                   rng;
  size_t                   learned;
  int64_t                 *sums;    // shape [delay + 1, learned], of the newest epochs
  void                    *memory;  // of the policy; NULL if it does not learn
  size_t                   state_bytes;
  void                    *state;             // of the present sample
  ee_exit_view            *path;              // shape [n_exits], of the present sample
  int64_t                 *right, *labelled;  // shape [n_exits], by the exit that answered
  int64_t                  device_right, device_labelled, decisions;
  double                   chosen_value;  // what the chosen arms earned so far
} replay;

/* The way of one sample. */
typedef struct way {
  int     left, heads;  // heads: exits whose output was used
  bool    offloaded;
  int32_t prediction;
  int     arm;
  float   reward;
} way;

ee_replay_options ee_replay_defaults(void) {
  return (ee_replay_options){
      .epoch = 1, .costs = {.layer = 0.1, .offload = 0.5}, .steps = 20, .seed = 1};
}

int64_t ee_replay_length(const ee_exit_table *table, const ee_replay_options *options) {
  return options->stream == EE_STREAM_RESAMPLE ? options->resample : table->n;
}

ee_policy_setting ee_replay_setting(const ee_exit_table *table, const ee_replay_options *options,
                                    ee_policy_costs *costs) {
  *costs        = options->costs;
  costs->layers = table->layers;
  return (ee_policy_setting){.n_exits   = table->n_exits,
                             .n_classes = table->n_classes,
                             .seed      = options->seed,
                             .lacks     = ee_exit_table_lacks(table),
                             .hindsight = true,
                             .costs     = costs,
                             .table     = table};
}

static ee_status check_options(const ee_exit_table *table, const ee_replay_options *o) {
  int64_t n = ee_replay_length(table, o);
  if (table->n < 1 || n < 1) {
    return EE_FAIL(EE_ERR_ARG, "%lld samples of a table of %lld, expected at least one",
                   (long long)n, (long long)table->n);
  }
  if (o->epoch < 1 || o->delay < 0 || o->delay > MAX_DELAY || o->steps < 0) {
    return EE_FAIL(EE_ERR_ARG,
                   "epochs of %lld samples and a delay of %d, expected at least 1 and "
                   "0 to %d",
                   (long long)o->epoch, o->delay, MAX_DELAY);
  }
  if (o->warmup < 0 || o->warmup > n) {
    return EE_FAIL(EE_ERR_ARG, "a warm-up of %lld samples, expected 0 to %lld",
                   (long long)o->warmup, (long long)n);
  }
  if (!(o->head_share >= 0.0 && o->head_share <= 1.0)) {
    return EE_FAIL(EE_ERR_ARG, "a head share of %g, expected 0 to 1", o->head_share);
  }
  return EE_OK;
}

/* Rows in a random order (Fisher and Yates). */
static void shuffle(replay *r) {
  for (int64_t i = 0; i < r->n; i++) r->order[i] = i;
  for (int64_t i = r->n - 1; i > 0; i--) {
    int64_t j = (int64_t)ee_rng_below(&r->rng, (uint64_t)i + 1), row = r->order[i];
    r->order[i] = r->order[j];
    r->order[j] = row;
  }
}

static void start_stream(replay *r) {
  r->rng = ee_rng_at(r->o->seed, STREAM_OF_THE_STREAM);
  if (r->o->stream == EE_STREAM_SHUFFLE) shuffle(r);
}

static int64_t row_at(replay *r, int64_t i) {
  if (r->order != NULL) return r->order[i];
  if (r->o->stream == EE_STREAM_ORDER) return i;
  return (int64_t)ee_rng_below(&r->rng, (uint64_t)r->table->n);
}

static void see(replay *r, int64_t row, uint64_t id) {
  const ee_exit_table *t       = r->table;
  const float         *sure    = t->confidence;
  const uint64_t       first   = id - id % (uint64_t)r->o->epoch;
  const double        *offload = ee_schedule_value(&r->o->offload_changes, (double)first);
  for (int e = 0; e < t->n_exits; e++) {
    ee_exit_view *view    = &r->path[e];
    *view                 = ee_exit_view_of_row(t, row, e);
    view->id              = id;
    view->memory          = r->memory;
    view->last_confidence = sure != NULL ? sure[(row + 1) * t->n_exits - 1] : NAN;
    view->offload_cost    = offload;
  }
}

/* Take in the epoch that is due before the first id of an epoch, and begin to sum up anew. */
static int64_t *sums_for(replay *r, uint64_t id) {
  uint64_t epoch = id / (uint64_t)r->o->epoch, kept = (uint64_t)r->o->delay + 1;
  int64_t *sums = r->sums + (epoch % kept) * r->learned;
  if (id % (uint64_t)r->o->epoch != 0) return sums;
  if (epoch >= kept) r->ops->learning->epoch(r->policy->self, sums, r->memory);
  memset(sums, 0, r->learned * sizeof *sums);
  return sums;
}

static way go(replay *r, uint64_t id) {
  const void *self  = r->policy->self;
  int64_t    *sums  = r->memory != NULL ? sums_for(r, id) : NULL;
  int         last  = r->table->n_exits - 1, e;
  way         w     = {.arm = -1};
  void       *state = r->state;
  memset(state, 0, r->state_bytes);
  for (e = 0; e < last; e++) {
    ee_decision decision = r->ops->decide(self, &r->path[e], state);
    if (sums != NULL) r->ops->learning->learn(self, &r->path[e], decision, state, sums);
    w.heads += decision != EE_SKIP;
    w.offloaded = decision == EE_OFFLOAD;
    if (decision == EE_LEAVE || decision == EE_OFFLOAD) break;
  }
  w.left = e;
  r->decisions += e < last ? e + 1 : last;
  w.heads += e == last;
  int                 exit = w.offloaded ? last : e;
  const ee_exit_view *view = &r->path[exit];
  if (sums != NULL && exit == last) r->ops->learning->learn(self, view, EE_LEAVE, state, sums);
  w.prediction = r->ops->answer != NULL ? r->ops->answer(self, view, state) : view->prediction;
  w.reward     = NAN;
  if (r->ops->arms != NULL) {
    w.arm = r->ops->arms->chosen(self, state);
    if (r->ops->arms->reward != NULL) w.reward = (float)r->ops->arms->reward(self, view, state);
  }
  return w;
}

static void count_answer(replay *r, int64_t row, const way *w, int exit) {
  int label = r->table->label[row];
  r->result->exit_share[exit] += 1.0;
  if (label < 0) return;
  bool right = w->prediction == label;
  r->labelled[exit]++;
  r->right[exit] += right;
  if (w->offloaded) return;
  r->device_labelled++;
  r->device_right += right;
}

static void count_cost(replay *r, const way *w) {
  const ee_replay_options *o      = r->o;
  double                  *figure = r->result->figure, h = o->head_share;
  double                   layers = r->table->layers[w->left];
  const double            *now    = r->path[0].offload_cost;
  figure[EE_FIGURE_COST] += o->costs.layer * ((1.0 - h) * layers + h * w->heads) +
                            (w->offloaded ? now != NULL ? *now : o->costs.offload : 0.0);
  figure[EE_FIGURE_LAYERS] += layers;
  figure[EE_FIGURE_FLOPS] += r->table->flops[w->left];
  figure[EE_FIGURE_OFFLOADED] += w->offloaded;
}

static void count_arms(replay *r, int64_t row, const way *w) {
  const ee_policy_arms *arms   = r->ops->arms;
  ee_replay_result     *result = r->result;
  int                   label  = r->table->label[row];
  for (int a = 0; a < result->n_arms; a++) {
    double value = arms->value(r->policy->self, a, r->path, label);
    result->arm_value[a] += value;
    if (a == w->arm) r->chosen_value += value;
  }
  result->arm_share[w->arm] += 1.0;
}

/* Point j of the curves: what was earned and pulled until then.  The regret is complete only when
 * the best arm is known; until then pulls holds the arms' values and regret what was earned. */
static void take_point(replay *r, int j, double *values) {
  ee_replay_result *result = r->result;
  size_t            bytes  = (size_t)result->n_arms * sizeof(double);
  result->regret[j]        = r->chosen_value;
  if (result->n_arms == 0) return;
  memcpy(result->pulls + (size_t)j * (size_t)result->n_arms, result->arm_share, bytes);
  memcpy(values + (size_t)j * (size_t)result->n_arms, result->arm_value, bytes);
}

static void play(replay *r, int64_t i, bool counts) {
  int64_t row = row_at(r, i);
  see(r, row, (uint64_t)(counts ? r->o->warmup + i : i));
  way w = go(r, r->path[0].id);
  if (!counts) return;
  int exit = w.offloaded ? r->table->n_exits - 1 : w.left;
  count_answer(r, row, &w, exit);
  count_cost(r, &w);
  if (r->ops->arms != NULL) count_arms(r, row, &w);
  if (r->o->replayed != NULL)
    r->o->replayed[i] = (ee_replayed){row, w.left, exit, w.prediction, w.arm, w.reward};
}

static void play_all(replay *r, double *values) {
  int steps = r->result->steps, step = 0;
  start_stream(r);
  for (int64_t i = 0; i < r->o->warmup; i++) play(r, i, false);
  r->decisions = 0;
  start_stream(r);
  for (int64_t i = 0; i < r->n; i++) {
    play(r, i, true);
    while (step < steps && (double)(i + 1) * steps >= (double)(step + 1) * (double)r->n)
      take_point(r, step++, values);
  }
}

static double ratio(int64_t part, int64_t whole) {
  return whole > 0 ? (double)part / (double)whole : NAN;
}

static void finish_exits(const replay *r) {
  int64_t right = 0, labelled = 0;
  double  n = (double)r->n;
  for (int e = 0; e < r->table->n_exits; e++) {
    r->result->exit_share[e] /= n;
    r->result->exit_accuracy[e] = ratio(r->right[e], r->labelled[e]);
    right += r->right[e];
    labelled += r->labelled[e];
  }
  double *figure = r->result->figure;
  figure[EE_FIGURE_COST] /= n;
  figure[EE_FIGURE_LAYERS] /= n;
  figure[EE_FIGURE_FLOPS] /= n;
  figure[EE_FIGURE_OFFLOADED] /= n;
  figure[EE_FIGURE_ACCURACY]        = ratio(right, labelled);
  figure[EE_FIGURE_DEVICE_ACCURACY] = ratio(r->device_right, r->device_labelled);
  figure[EE_FIGURE_DECISIONS]       = (double)r->decisions / n;
}

static void finish_arms(const replay *r, const double *values) {
  ee_replay_result *result = r->result;
  double           *figure = result->figure, n = (double)r->n;
  int               arms = result->n_arms, best = 0;
  figure[EE_FIGURE_REWARD] = figure[EE_FIGURE_REGRET] = figure[EE_FIGURE_BEST_ARM] = NAN;
  for (int a = 0; a < arms; a++) {
    if (result->arm_value[a] > result->arm_value[best]) best = a;
  }
  for (int j = 0; j < result->steps; j++)
    result->regret[j] =
        arms > 0 ? values[(size_t)j * (size_t)arms + (size_t)best] - result->regret[j] : NAN;
  if (arms == 0) return;
  figure[EE_FIGURE_REWARD]   = r->chosen_value / n;
  figure[EE_FIGURE_REGRET]   = result->arm_value[best] - r->chosen_value;
  figure[EE_FIGURE_BEST_ARM] = isnan(result->arm_value[best]) ? NAN : (double)best;
  for (int a = 0; a < arms; a++) {
    result->arm_share[a] /= n;
    result->arm_value[a] /= n;
  }
}

/* calloc that gives memory for nothing, too. */
static void *room(size_t n, size_t bytes) {
  return calloc(n > 0 ? n : 1, bytes);
}

static ee_status make_room(replay *r) {
  const ee_policy_learning *learning = r->ops->learning;
  size_t                    exits = (size_t)r->table->n_exits, kept = (size_t)r->o->delay + 1;
  r->path        = room(exits, sizeof *r->path);
  r->right       = room(exits, sizeof *r->right);
  r->labelled    = room(exits, sizeof *r->labelled);
  r->state_bytes = ee_policy_state_bytes(r->policy);
  r->state       = room(r->state_bytes, 1);
  bool made      = r->path != NULL && r->right != NULL && r->labelled != NULL && r->state != NULL;
  if (learning != NULL) {
    r->learned = learning->learned(r->policy->self);
    r->sums    = room(kept * r->learned, sizeof *r->sums);
    r->memory  = room(learning->memory_bytes(r->policy->self), 1);
    made       = made && r->sums != NULL && r->memory != NULL;
  }
  if (r->o->stream == EE_STREAM_SHUFFLE) {
    r->order = room((size_t)r->n, sizeof *r->order);
    made     = made && r->order != NULL;
  }
  if (made) return EE_OK;
  return EE_FAIL(EE_ERR_NOMEM, "to replay %lld samples", (long long)r->n);
}

static ee_status run(replay *r) {
  int    arms   = r->ops->arms != NULL ? r->ops->arms->count(r->policy->self) : 0;
  size_t points = (size_t)r->o->steps * (size_t)arms;
  EE_TRY(ee_replay_result_make(r->n, r->table->n_exits, arms, r->o->steps, r->result));
  r->result->feasible = ee_policy_feasible(r->policy);
  double   *values    = room(points, sizeof *values);
  ee_status status =
      values != NULL ? make_room(r) : EE_FAIL(EE_ERR_NOMEM, "for %zu points", points);
  if (status == EE_OK) {
    play_all(r, values);
    finish_exits(r);
    finish_arms(r, values);
  } else {
    ee_replay_clear(r->result);
  }
  free(values);
  return status;
}

ee_status ee_replay(const ee_exit_table *table, const ee_policy *policy,
                    const ee_replay_options *options, ee_replay_result *result) {
  replay r = {.table = table, .policy = policy, .ops = policy->ops, .o = options, .result = result};
  *result  = (ee_replay_result){0};
  EE_TRY(check_options(table, options));
  r.n              = ee_replay_length(table, options);
  ee_status status = run(&r);
  free(r.order);
  free(r.sums);
  free(r.memory);
  free(r.state);
  free(r.path);
  free(r.right);
  free(r.labelled);
  return status;
}
