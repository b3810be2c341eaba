/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "ee/rng.h"
#include "shares.h"

/**
 * @file jump_stream.h
 * Streams drawn at random whose shares jump once, to try ways of noticing it on.
 */

enum { JUMP_EXITS = 3, JUMP_AFTER = 40, JUMP_QUIET = 200 };

/* What became of many streams. */
typedef struct jump_result {
  double noticed;  // share of streams in which a jump was seen
  double delay;    // epochs until then, in the mean of those
  double error;    // of the shares: root of the mean square over streams and epochs
} jump_result;

/* After a jump of @p sigmas standard deviations of an epoch's share of exit 0; the others keep
 * their proportion. */
static inline void jump_shares(double sigmas, int samples, double q[JUMP_EXITS]) {
  q[0] = fmin(0.3 + sigmas * sqrt(0.3 * 0.7 / samples), 0.95);
  q[1] = 0.3 * (1.0 - q[0]) / 0.7;
  q[2] = 1.0 - q[0] - q[1];
}

static inline void jump_epoch(ee_shares *shares, ee_rng *rng, int samples, const double *q) {
  int64_t left[JUMP_EXITS] = {0};
  for (int i = 0; i < samples; i++) {
    double u = ee_rng_uniform(rng);
    left[u < q[0] ? 0 : u < q[0] + q[1] ? 1 : 2]++;
  }
  ee_shares_update(shares, left);
}

/* Of @p streams streams of @p epochs epochs after a jump; 0 sigmas: none. */
static inline jump_result jump_try(ee_jump_test test, int samples, double sigmas, int epochs,
                                   int streams) {
  jump_result r = {0};
  double      before[JUMP_EXITS], q[JUMP_EXITS];
  jump_shares(0.0, samples, before);
  jump_shares(sigmas, samples, q);
  for (int s = 0; s < streams; s++) {
    ee_rng    rng = ee_rng_at(31, (uint64_t)s);
    ee_shares shares;
    int       noticed = 0;
    if (ee_shares_open(JUMP_EXITS, test, &shares) != EE_OK) abort();
    for (int k = 0; k < 30 + 1200 / samples; k++) jump_epoch(&shares, &rng, samples, before);
    for (int k = 1; k <= epochs; k++) {
      jump_epoch(&shares, &rng, samples, q);
      if (noticed == 0 && shares.jumped > 0) noticed = k;
      for (int x = 0; x < JUMP_EXITS; x++) r.error += pow(shares.share[x] - q[x], 2.0);
    }
    r.noticed += noticed > 0;
    r.delay += noticed;
    ee_shares_close(&shares);
  }
  r.delay /= fmax(r.noticed, 1.0);
  r.noticed /= streams;
  r.error = sqrt(r.error / streams / epochs);
  return r;
}
