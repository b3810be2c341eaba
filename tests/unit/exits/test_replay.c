/* SPDX-License-Identifier: Apache-2.0 */
/* Replays: streams, epochs and delays against a learner that looks through all history anew. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ee/rng.h"
#include "five_samples.h"

enum { N = 300, EXITS = 4 };

static ee_exit_table *random_table(void) {
  ee_exit_table *t   = NULL;
  ee_rng         rng = ee_rng_at(5, 1);
  CU_ASSERT_EQUAL_FATAL(
      ee_exit_table_create(N, EXITS, 3, (ee_exit_table_parts){.confidence = true}, &t), EE_OK);
  for (int k = 0; k < N * EXITS; k++) {
    t->confidence[k] = (float)(0.3 + 0.7 * ee_rng_uniform(&rng));
    t->prediction[k] = (int32_t)ee_rng_below(&rng, 3);
  }
  for (int i = 0; i < N; i++) t->label[i] = (int32_t)ee_rng_below(&rng, 3);
  return t;
}

/* What arm a of SplitEE earns from a row: alpha .6, layers .1, offload .2. */
static double earned(const ee_exit_table *t, int64_t row, int a) {
  double sure = t->confidence[row * EXITS + a], last = t->confidence[row * EXITS + EXITS - 1];
  if (a == EXITS - 1 || t->confidence[row * EXITS + a] >= 0.6f) return sure - 0.1 * (a + 1);
  return last - 0.2 - 0.1 * (a + 1);
}

/* The arm for @p id after the first @p known samples. */
static int naive_arm(const ee_exit_table *t, const ee_replayed *past, int64_t id, int64_t known) {
  double n[EXITS] = {0}, sum[EXITS] = {0}, best = -1e9;
  int    arm = 0, untried[EXITS], n_untried = 0;
  if (id < EXITS) return (int)id;
  if (known <= 0) return (int)(id % EXITS);
  for (int64_t k = 0; k < known; k++) {
    n[past[k].arm] += 1;
    sum[past[k].arm] += earned(t, past[k].row, past[k].arm);
  }
  for (int a = 0; a < EXITS; a++) {
    if (n[a] == 0) untried[n_untried++] = a;
  }
  if (n_untried > 0) return untried[id % n_untried];
  for (int a = 0; a < EXITS; a++) {
    double index = sum[a] / n[a] + sqrt(log((double)known + 1) / n[a]);
    if (index > best + 1e-9) {
      best = index;
      arm  = a;
    }
  }
  return arm;
}

static void check_learning(int64_t epoch, int delay) {
  ee_exit_table    *t = random_table();
  ee_replay_options o = ee_replay_defaults();
  ee_replayed       out[N];
  int               wrong = 0;
  o.stream                = EE_STREAM_SHUFFLE;
  o.epoch                 = epoch;
  o.delay                 = delay;
  ee_replay_result r      = replay_into(t, "splitee:alpha=0.6,offload=0.2", &o, out);
  for (int64_t id = 0; id < N; id++) {
    int64_t known = (id / epoch - delay) * epoch;
    wrong += out[id].arm != naive_arm(t, out, id, known);
  }
  CU_ASSERT_EQUAL(wrong, 0);
  ee_replay_clear(&r);
  ee_exit_table_destroy(&t);
}

static void decisions_know_the_epochs_before_the_delay(void) {
  check_learning(1, 0);
  check_learning(1, 1);
  check_learning(1, 7);
  check_learning(16, 0);
  check_learning(16, 2);
  check_learning(7, 1);
  check_learning(1000, 0);
}

/* UEE-UCB after the first @p known samples. */
static int naive_uee_arm(const ee_exit_table *t, const ee_replayed *past, int64_t known,
                         double layer) {
  double met[EXITS] = {0}, unlike[EXITS] = {0}, best = -1e9;
  int    arm = EXITS - 1;
  for (int64_t k = 0; k < known; k++) {
    const int32_t *said = t->prediction + past[k].row * EXITS;
    for (int j = 0; j <= past[k].arm; j++) {
      met[j] += 1;
      unlike[j] += said[j] != said[0];
    }
  }
  for (int j = 0; j < EXITS && known > 0; j++) {
    double index = unlike[j] / met[j] - layer * j + sqrt(log((double)known + 1) / met[j]);
    if (index > best + 1e-12) {
      best = index;
      arm  = j;
    }
  }
  return arm;
}

static void uee_ucb_counts_all_exits_on_the_way(void) {
  ee_exit_table    *t = random_table();
  ee_replay_options o = ee_replay_defaults();
  ee_replayed       out[N];
  int               wrong = 0;
  for (int k = 1; k <= 40; k++) {
    o.costs.layer      = 0.01 * k;
    ee_replay_result r = replay_into(t, "uee-ucb", &o, out);
    for (int64_t id = 0; id < N; id++) wrong += out[id].arm != naive_uee_arm(t, out, id, 0.01 * k);
    ee_replay_clear(&r);
  }
  CU_ASSERT_EQUAL(wrong, 0);
  ee_exit_table_destroy(&t);
}

/* Counts per row of a stream. */
static void count_rows(ee_stream_kind kind, int64_t n, uint64_t seed, int *count) {
  ee_exit_table    *t   = random_table();
  ee_replay_options o   = ee_replay_defaults();
  ee_replayed      *out = calloc((size_t)n, sizeof *out);
  memset(count, 0, N * sizeof *count);
  o.stream           = kind;
  o.resample         = n;
  o.seed             = seed;
  ee_replay_result r = replay_into(t, "final", &o, out);
  CU_ASSERT_EQUAL(r.n, n);
  for (int64_t i = 0; i < n; i++) count[out[i].row]++;
  if (kind == EE_STREAM_ORDER) CU_ASSERT(out[0].row == 0 && out[N - 1].row == N - 1);
  int stay = 0;
  for (int i = 0; i < N; i++) stay += out[i].row == i;
  if (kind == EE_STREAM_SHUFFLE) CU_ASSERT_TRUE(stay < 10);  // one is expected
  ee_replay_clear(&r);
  ee_exit_table_destroy(&t);
  free(out);
}

static void order_and_shuffle_have_each_row_once_and_resampling_evenly(void) {
  int count[N];
  count_rows(EE_STREAM_ORDER, N, 1, count);
  for (int i = 0; i < N; i++) CU_ASSERT_EQUAL(count[i], 1);
  count_rows(EE_STREAM_SHUFFLE, N, 1, count);
  for (int i = 0; i < N; i++) CU_ASSERT_EQUAL(count[i], 1);
  count_rows(EE_STREAM_RESAMPLE, 400 * N, 1, count);
  for (int i = 0; i < N; i++) CU_ASSERT_TRUE(abs(count[i] - 400) < 6 * 20);  // sd is 20
}

/** Compared field by field: the structure ends in padding. */
static int differing(const ee_replayed *a, const ee_replayed *b) {
  int count = 0;
  for (int i = 0; i < N; i++) {
    count += a[i].row != b[i].row || a[i].left != b[i].left || a[i].exit != b[i].exit ||
             a[i].prediction != b[i].prediction || a[i].arm != b[i].arm ||
             memcmp(&a[i].reward, &b[i].reward, sizeof a[i].reward) != 0;
  }
  return count;
}

static void equal_seeds_give_equal_runs_and_others_do_not(void) {
  ee_exit_table    *t = random_table();
  ee_replay_options o = ee_replay_defaults();
  ee_replayed       a[N], b[N];
  o.stream           = EE_STREAM_SHUFFLE;
  ee_replay_result r = replay_into(t, "splitee-s:rule=thompson", &o, a);
  ee_replay_clear(&r);
  r = replay_into(t, "splitee-s:rule=thompson", &o, b);
  ee_replay_clear(&r);
  CU_ASSERT_EQUAL(differing(a, b), 0);
  o.seed = 2;
  r      = replay_into(t, "splitee-s:rule=thompson", &o, b);
  ee_replay_clear(&r);
  CU_ASSERT_TRUE(differing(a, b) > N / 2);
  ee_exit_table_destroy(&t);
}

static void seeds_are_averaged_with_their_deviation(void) {
  ee_exit_table    *t = random_table();
  ee_replay_options o = ee_replay_defaults();
  ee_replayed       out[N];
  ee_replay_result  mean, deviation, one[3];
  double            sum = 0.0, squares = 0.0;
  o.stream = EE_STREAM_SHUFFLE;
  CU_ASSERT_EQUAL(ee_replay_seeds(t, "splitee", &o, 3, &mean, &deviation), EE_OK);
  for (int k = 0; k < 3; k++, o.seed++) {
    one[k] = replay_into(t, "splitee", &o, out);
    sum += one[k].figure[EE_FIGURE_COST] / 3;
  }
  for (int k = 0; k < 3; k++) {
    squares += pow(one[k].figure[EE_FIGURE_COST] - sum, 2) / 2;
    ee_replay_clear(&one[k]);
  }
  CU_ASSERT_DOUBLE_EQUAL(mean.figure[EE_FIGURE_COST], sum, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(deviation.figure[EE_FIGURE_COST], sqrt(squares), 1e-12);
  CU_ASSERT_TRUE(squares > 0.0);
  ee_replay_clear(&mean);
  ee_replay_clear(&deviation);
  ee_exit_table_destroy(&t);
}

/* Regret and pulls at every fifth of the stream, from the decisions. */
static void curves_add_up_over_time(void) {
  ee_exit_table    *t = random_table();
  ee_replay_options o = ee_replay_defaults();
  ee_replayed       out[N];
  o.steps                 = 5;
  o.costs.offload         = 0.2;
  ee_replay_result r      = replay_into(t, "splitee:alpha=0.6", &o, out);
  int              best   = (int)r.figure[EE_FIGURE_BEST_ARM];
  double           regret = 0.0, pulls[EXITS] = {0};
  for (int i = 0; i < N; i++) {
    regret += earned(t, i, best) - earned(t, i, out[i].arm);
    pulls[out[i].arm] += 1;
    if ((i + 1) % 60 != 0) continue;
    CU_ASSERT_DOUBLE_EQUAL(r.regret[i / 60], regret, 1e-4);
    for (int a = 0; a < EXITS; a++) CU_ASSERT_EQUAL(r.pulls[i / 60 * EXITS + a], pulls[a]);
  }
  CU_ASSERT_DOUBLE_EQUAL(r.figure[EE_FIGURE_REGRET], regret, 1e-4);
  for (int a = 0; a < EXITS; a++) CU_ASSERT_DOUBLE_EQUAL(r.arm_share[a], pulls[a] / N, 1e-12);
  ee_replay_clear(&r);
  ee_exit_table_destroy(&t);
}

/* The first three samples are played before, as ids 0 to 2, and met again as ids 3 to 5. */
static void a_warm_up_is_learned_from_and_not_counted(void) {
  ee_exit_table    *t = five_samples();
  ee_replay_options o = ee_replay_defaults();
  ee_replayed       out[5];
  o.costs.offload    = 0.2;
  o.warmup           = 3;
  ee_replay_result r = replay_into(t, "splitee:alpha=0.75,c=0", &o, out);
  for (int i = 0; i < 5; i++) CU_ASSERT(out[i].row == i && out[i].arm == 0);
  CU_ASSERT_EQUAL(r.arm_share[0], 1.0);
  CU_ASSERT_DOUBLE_EQUAL(r.figure[EE_FIGURE_DECISIONS], 1.0, 1e-12);
  ee_replay_clear(&r);
  ee_exit_table_destroy(&t);
}

/* Only the chosen exit's head is paid: .1 (.8 layers + .2 heads). */
static void heads_that_were_skipped_are_not_paid(void) {
  ee_exit_table    *t = five_samples();
  ee_replay_options o = ee_replay_defaults();
  ee_replayed       out[5];
  o.costs.offload    = 0.2;
  o.head_share       = 0.2;
  ee_replay_result r = replay_into(t, "splitee:alpha=0.75,c=0", &o, out);
  CU_ASSERT_DOUBLE_EQUAL(r.figure[EE_FIGURE_COST], (0.1 * (0.8 * 8 + 0.2 * 5) + 0.2) / 5, 1e-12);
  ee_replay_clear(&r);
  r = replay_into(t, "splitee-s:alpha=0.75,c=0", &o, out);  // arms 0 1 2 1 0, two offloads
  CU_ASSERT_DOUBLE_EQUAL(r.figure[EE_FIGURE_COST], (0.1 * 9 + 0.4) / 5, 1e-12);
  ee_replay_clear(&r);
  ee_exit_table_destroy(&t);
}

static void figures_without_labels_are_not_made_up(void) {
  ee_exit_table    *t = five_samples();
  ee_replay_options o = ee_replay_defaults();
  ee_replayed       out[5];
  for (int i = 1; i < 5; i++) t->label[i] = -1;
  ee_replay_result r = replay_into(t, "threshold:value=0.7", &o, out);
  CU_ASSERT_EQUAL(r.figure[EE_FIGURE_ACCURACY], 1.0);  // of sample 0
  CU_ASSERT_EQUAL(r.exit_share[0], 0.6);
  CU_ASSERT_TRUE(isnan(r.exit_accuracy[1]));
  CU_ASSERT_TRUE(isnan(r.figure[EE_FIGURE_REGRET]));
  ee_replay_clear(&r);
  t->label[0] = -1;
  r           = replay_into(t, "uee-ucb", &o, out);
  CU_ASSERT_TRUE(isnan(r.figure[EE_FIGURE_ACCURACY]));
  CU_ASSERT_TRUE(isnan(r.figure[EE_FIGURE_BEST_ARM]));
  ee_replay_clear(&r);
  ee_exit_table_destroy(&t);
}

static void refuse(const ee_exit_table *t, const ee_replay_options *o, const char *words) {
  ee_replay_result mean, deviation;
  CU_ASSERT_EQUAL(ee_replay_seeds(t, "splitee", o, 1, &mean, &deviation), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), words));
  CU_ASSERT_PTR_NULL(mean.figure);
}

static void impossible_options_are_refused(void) {
  ee_exit_table    *t = five_samples(), *none = NULL;
  ee_replay_options o = ee_replay_defaults();
  o.epoch             = 0;
  refuse(t, &o, "epochs of 0 samples");
  o       = ee_replay_defaults();
  o.delay = -1;
  refuse(t, &o, "a delay of -1");
  o        = ee_replay_defaults();
  o.warmup = 6;
  refuse(t, &o, "a warm-up of 6 samples, expected 0 to 5");
  o        = ee_replay_defaults();
  o.stream = EE_STREAM_RESAMPLE;
  refuse(t, &o, "0 samples of a table of 5");
  o            = ee_replay_defaults();
  o.head_share = NAN;
  refuse(t, &o, "a head share of nan");
  o = ee_replay_defaults();
  CU_ASSERT_EQUAL_FATAL(
      ee_exit_table_create(0, 3, 2, (ee_exit_table_parts){.confidence = true}, &none), EE_OK);
  refuse(none, &o, "a table of 0");
  ee_exit_table_destroy(&none);
  ee_exit_table_destroy(&t);
}

/* Costs far outside what the rewards assume, NaN at a dead exit: decisions go on, nothing breaks.
 */
static void rewards_out_of_range_break_nothing(void) {
  ee_exit_table    *t = random_table();
  ee_replay_options o = ee_replay_defaults();
  ee_replayed       out[N];
  o.costs = (ee_policy_costs){.layer = 8, .offload = 8};
  for (int i = 0; i < N; i++) t->confidence[i * EXITS + 1] = NAN;
  static const char *const text[] = {"splitee:rule=ucbv", "splitee-s:rule=thompson",
                                     "splitee:rule=window,window=9", "adaee:rule=discounted",
                                     "ceebert:grid=0.5/0.9,rule=ucb-tuned"};
  for (size_t k = 0; k < sizeof text / sizeof text[0]; k++) {
    ee_replay_result r = replay_into(t, text[k], &o, out);
    CU_ASSERT_EQUAL(r.n, N);
    CU_ASSERT_TRUE(r.figure[EE_FIGURE_COST] > 0.0);
    ee_replay_clear(&r);
  }
  ee_exit_table_destroy(&t);
}

const ee_fact ee_facts[] = {
    EE_FACT(decisions_know_the_epochs_before_the_delay),
    EE_FACT(uee_ucb_counts_all_exits_on_the_way),
    EE_FACT(order_and_shuffle_have_each_row_once_and_resampling_evenly),
    EE_FACT(equal_seeds_give_equal_runs_and_others_do_not),
    EE_FACT(seeds_are_averaged_with_their_deviation),
    EE_FACT(curves_add_up_over_time),
    EE_FACT(a_warm_up_is_learned_from_and_not_counted),
    EE_FACT(heads_that_were_skipped_are_not_paid),
    EE_FACT(figures_without_labels_are_not_made_up),
    EE_FACT(impossible_options_are_refused),
    EE_FACT(rewards_out_of_range_break_nothing),
    {NULL, NULL},
};
