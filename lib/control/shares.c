/* SPDX-License-Identifier: Apache-2.0 */
#include "shares.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

ee_status ee_shares_open(int n_exits, ee_jump_test test, ee_shares *shares) {
  size_t n = (size_t)n_exits;
  *shares  = (ee_shares){.n_exits = n_exits,
                         .test    = test,
                         .share   = calloc(n, sizeof *shares->share),
                         .sum     = calloc(n, sizeof *shares->sum),
                         .recent  = calloc(n * EE_SHARES_RECENT, sizeof *shares->recent)};
  if (shares->share == NULL || shares->sum == NULL || shares->recent == NULL) {
    ee_shares_close(shares);
    return EE_FAIL(EE_ERR_NOMEM, "for the shares of %d exits", n_exits);
  }
  shares->share[n_exits - 1] = 1.0;
  return EE_OK;
}

void ee_shares_close(ee_shares *shares) {
  free(shares->share);
  free(shares->sum);
  free(shares->recent);
  *shares = (ee_shares){0};
}

static double total(const int64_t *left, int n_exits) {
  double n = 0.0;
  for (int x = 0; x < n_exits; x++) n += (double)left[x];
  return n;
}

static int64_t *counts_of(const ee_shares *s, int64_t epoch) {
  return s->recent + epoch % EE_SHARES_RECENT * s->n_exits;
}

/* How many standard errors the epoch's share of exit x is away. */
static double distance(const ee_shares *s, int x, int64_t left, double n) {
  double q        = s->share[x];
  double variance = q * (1.0 - q) * (1.0 / n + 1.0 / s->samples) + 1.0 / (n * n);
  return ((double)left / n - q) / sqrt(variance);
}

/* Epochs since a jump that this epoch shows, itself included; 0: it shows none.  An epoch that is
 * far away has more to say of now than those before it. */
static int epochs_since_jump(ee_shares *s, const int64_t *left, double n) {
  int  since = 0;
  bool far   = false;
  for (int x = 0; x < s->n_exits; x++) {
    double z      = distance(s, x, left[x], n);
    int    epochs = ee_cusum_add(&s->sum[x], z);
    if ((s->test & EE_JUMP_SUM) != 0 && epochs > since) since = epochs;
    if ((s->test & EE_JUMP_EPOCH) != 0 && fabs(z) > EE_SHARES_JUMP) far = true;
  }
  return far ? 1 : since < EE_SHARES_RECENT ? since : EE_SHARES_RECENT;
}

/* Weight of n new samples.  An epoch has EE_SHARES_WEIGHT, so that what counts is some three
 * epochs; small epochs have less, so that it is EE_SHARES_ENOUGH samples; and the first ones what
 * makes a plain mean. */
static double weight_of(const ee_shares *s, double n) {
  double enough = 2.0 * n / (EE_SHARES_ENOUGH + n), mean = n / (s->samples + n);
  return fmin(EE_SHARES_WEIGHT, fmax(enough, mean));
}

/* The shares become those of the last epochs. */
static void begin_anew(ee_shares *s, int epochs) {
  memset(s->share, 0, (size_t)s->n_exits * sizeof *s->share);
  memset(s->sum, 0, (size_t)s->n_exits * sizeof *s->sum);
  s->samples = 0.0;
  for (int64_t k = s->epochs - epochs; k < s->epochs; k++) {
    const int64_t *left = counts_of(s, k);
    for (int x = 0; x < s->n_exits; x++) s->share[x] += (double)left[x];
    s->samples += total(left, s->n_exits);
  }
  for (int x = 0; x < s->n_exits; x++) s->share[x] /= s->samples;
}

void ee_shares_update(ee_shares *s, const int64_t *left) {
  double n  = total(left, s->n_exits);
  s->jumped = 0;
  if (n == 0.0) return;

  memcpy(counts_of(s, s->epochs++), left, (size_t)s->n_exits * sizeof *left);
  if (s->samples == 0.0) {
    begin_anew(s, 1);
    return;
  }
  s->jumped = epochs_since_jump(s, left, n);
  if (s->jumped > 0) {
    begin_anew(s, s->jumped);
    return;
  }
  double weight = weight_of(s, n);
  for (int x = 0; x < s->n_exits; x++) s->share[x] += weight * ((double)left[x] / n - s->share[x]);
  // Variance of the smoothed share: w^2 / n + (1 - w)^2 / samples.
  s->samples = 1.0 / (weight * weight / n + (1.0 - weight) * (1.0 - weight) / s->samples);
}
