/* SPDX-License-Identifier: Apache-2.0 */
/* Shares, outages and missed deadlines of a device that offloads what it is not sure of. */
#include "ee/offloading.h"

#include <math.h>
#include <stdlib.h>

#include "ee/rng.h"

/* What became of one sample. */
typedef struct outcome {
  bool   on_device, right;
  double seconds;  // without what the recorded network adds
} outcome;

static ee_status check_setting(const ee_exit_table *table, const ee_offload_setting *s) {
  if (!(s->target >= 0.0 && s->target <= 1.0))
    return EE_FAIL(EE_ERR_ARG, "the target is %g, expected 0 to 1", s->target);
  if (s->n_device < 1 || s->n_device >= table->n_exits)
    return EE_FAIL(EE_ERR_ARG, "%d exits are on the device, expected 1 to %d", s->n_device,
                   table->n_exits - 1);
  if (s->batch < 1 || s->batch > table->n)
    return EE_FAIL(EE_ERR_ARG, "a batch has %d samples, expected 1 to %lld", s->batch,
                   (long long)table->n);
  if (s->rounds < 2) return EE_FAIL(EE_ERR_ARG, "there are %d rounds, expected 2", s->rounds);
  for (int e = 0; e < table->n_exits; e++) {
    if (!isfinite(s->seconds[e]) || s->seconds[e] < 0.0)
      return EE_FAIL(EE_ERR_ARG, "exit %d takes %g seconds", e, s->seconds[e]);
  }
  if (s->network == NULL) return EE_OK;
  if (!(s->network_bytes >= 0.0 && isfinite(s->network_bytes)))
    return EE_FAIL(EE_ERR_ARG, "%g bytes are sent for a sample, expected 0 or more",
                   s->network_bytes);
  if (!(s->interval >= 0.0 && isfinite(s->interval)))
    return EE_FAIL(EE_ERR_ARG, "samples are %g seconds apart, expected 0 or more", s->interval);
  return EE_OK;
}

static ee_status check_table(const ee_exit_table *table) {
  if (table->confidence == NULL)
    return EE_FAIL(EE_ERR_ARG, "the table has no confidences, expected one per sample and exit");
  for (int64_t i = 0; i < table->n; i++) {
    if (table->label[i] < 0)
      return EE_FAIL(EE_ERR_ARG, "row %lld has no label, expected one", (long long)i);
  }
  return EE_OK;
}

/* Exit where a sample with these confidences stops, and at *answers the one whose prediction it
 * gets. */
static int stop_of(const float *confidence, int last, const ee_offload_setting *s, int *answers) {
  float target = (float)s->target;
  int   at = 0, most = 0;
  while (at < s->n_device && !(confidence[at] >= target)) at++;
  if (at == s->n_device) at = last;
  for (int e = 1; e < s->n_device; e++) most = confidence[e] > confidence[most] ? e : most;
  if (confidence[last] > confidence[most]) most = last;
  *answers = confidence[at] >= target ? at : most;
  return at;
}

static outcome outcome_of(const ee_exit_table *t, const ee_offload_setting *s, int64_t i) {
  int answers, at = stop_of(t->confidence + i * t->n_exits, t->n_exits - 1, s, &answers);
  return (outcome){.on_device = at < s->n_device,
                   .right     = t->prediction[i * t->n_exits + answers] == t->label[i],
                   .seconds   = s->seconds[at]};
}

/* Sums over some samples. */
typedef struct tally {
  double n, on_device, right_on_device, right, seconds;
} tally;

static void tally_add(tally *t, const outcome *one, double seconds) {
  t->n += 1.0;
  t->on_device += one->on_device;
  t->right_on_device += one->on_device && one->right;
  t->right += one->right;
  t->seconds += seconds;
}

/* Shares of one round's batches; the sum and the sum of squares over rounds of each. */
typedef struct series {
  double now, sum, squares;
} series;

typedef struct work {
  const ee_offload_setting *setting;
  int                       n_deadlines;
  const double             *deadline;
  int64_t                   n;
  outcome                  *sample;  // shape [n], shuffled anew for every round
  series                    outage, overall;
  series                   *missed;  // shape [n_deadlines]
  tally                     played;  // samples of all batches so far
} work;

/* The time of the next sample of the stream. */
static double play(work *w, const outcome *one) {
  const ee_offload_setting *s       = w->setting;
  double                    seconds = one->seconds;
  if (s->network != NULL && !one->on_device) {
    double sent = w->played.n * s->interval + s->seconds[s->n_device - 1];
    seconds += ee_network_delay(s->network, s->network_bytes, sent);
  }
  w->played.n += 1.0;
  w->played.seconds += seconds;
  return seconds;
}

static void judge_batch(work *w, const tally *t) {
  double target = w->setting->target;
  bool   low    = t->right / t->n < target;
  w->outage.now += t->on_device > 0.0 && t->right_on_device / t->on_device < target;
  w->overall.now += low;
  for (int d = 0; d < w->n_deadlines; d++) {
    w->missed[d].now += low || t->seconds / t->n > w->deadline[d];
  }
}

static void end_round(series *s, double batches) {
  double share = s->now / batches;
  s->sum += share;
  s->squares += share * share;
  s->now = 0.0;
}

static void shuffle(outcome *sample, int64_t n, ee_rng rng) {
  for (int64_t i = n - 1; i > 0; i--) {
    int64_t j    = (int64_t)ee_rng_below(&rng, (uint64_t)i + 1);
    outcome swap = sample[i];
    sample[i]    = sample[j];
    sample[j]    = swap;
  }
}

static void run_round(work *w, int round) {
  int64_t size = w->setting->batch, batches = w->n / size;
  shuffle(w->sample, w->n, ee_rng_at(w->setting->seed, (uint64_t)round));
  for (int64_t b = 0; b < batches; b++) {
    tally t = {.n = 0.0};
    for (int64_t i = b * size; i < (b + 1) * size; i++)
      tally_add(&t, &w->sample[i], play(w, &w->sample[i]));
    judge_batch(w, &t);
  }
  end_round(&w->outage, (double)batches);
  end_round(&w->overall, (double)batches);
  for (int d = 0; d < w->n_deadlines; d++) end_round(&w->missed[d], (double)batches);
}

static ee_interval interval_of(const series *s, int rounds) {
  double mean     = s->sum / rounds;
  double variance = fmax(s->squares - rounds * mean * mean, 0.0) / (rounds - 1);
  return (ee_interval){.mean = mean, .half = 1.96 * sqrt(variance / rounds)};
}

static void measure(work *w, const ee_exit_table *table, ee_interval *missed,
                    ee_offload_metrics *m) {
  tally all    = {.n = 0.0};
  int   rounds = w->setting->rounds;
  for (int64_t i = 0; i < w->n; i++) {
    w->sample[i] = outcome_of(table, w->setting, i);
    tally_add(&all, &w->sample[i], w->sample[i].seconds);
  }
  for (int round = 0; round < rounds; round++) run_round(w, round);
  const tally *timed = w->setting->network != NULL ? &w->played : &all;
  *m                 = (ee_offload_metrics){
                      .on_device          = all.on_device / all.n,
                      .accuracy_on_device = all.on_device > 0.0 ? all.right_on_device / all.on_device : NAN,
                      .accuracy           = all.right / all.n,
                      .seconds            = timed->seconds / timed->n,
                      .outage             = interval_of(&w->outage, rounds),
                      .overall_outage     = interval_of(&w->overall, rounds)};
  for (int d = 0; d < w->n_deadlines; d++) missed[d] = interval_of(&w->missed[d], rounds);
}

ee_status ee_offload_measure(const ee_exit_table *table, const ee_offload_setting *setting,
                             int n_deadlines, const double *deadline, ee_interval *missed,
                             ee_offload_metrics *metrics) {
  EE_TRY(check_setting(table, setting));
  EE_TRY(check_table(table));
  size_t n_missed = n_deadlines > 0 ? (size_t)n_deadlines : 1;
  work   w        = {.setting     = setting,
                     .n_deadlines = n_deadlines,
                     .deadline    = deadline,
                     .n           = table->n,
                     .sample      = calloc((size_t)table->n, sizeof *w.sample),
                     .missed      = calloc(n_missed, sizeof *w.missed)};
  bool   room     = w.sample != NULL && w.missed != NULL;
  if (room) measure(&w, table, missed, metrics);
  free(w.sample);
  free(w.missed);
  if (room) return EE_OK;
  return EE_FAIL(EE_ERR_NOMEM, "for %lld samples and %d deadlines", (long long)table->n,
                 n_deadlines);
}
