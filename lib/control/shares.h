/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdint.h>

#include "cusum.h"
#include "ee/status.h"

/**
 * @file shares.h
 * Which share of the samples leaves at each exit, learned epoch by epoch.
 *
 * Shares are smoothed, q <- q + w (q_epoch - q), so that they rest on some three epochs and on
 * EE_SHARES_ENOUGH samples, until the stream has jumped: then they are those since the jump.  A
 * jump is an epoch that is EE_SHARES_JUMP standard errors away, or smaller differences that add up
 * to an alarm of a cumulative sum, one for each exit.
 */

#define EE_SHARES_ENOUGH 600.0  // samples that shares rest on at least, once as many were seen
#define EE_SHARES_WEIGHT 0.5    // of the newest epoch, at most
#define EE_SHARES_JUMP 4.0      // standard errors that an epoch is away
#define EE_SHARES_RECENT 64     // epochs of which counts are kept

/** How a jump is noticed. */
typedef enum ee_jump_test {
  EE_JUMP_NONE  = 0,
  EE_JUMP_EPOCH = 1,  // by one epoch
  EE_JUMP_SUM   = 2,  // by cumulative sums
  EE_JUMP_BOTH  = 3
} ee_jump_test;

typedef struct ee_shares {
  int          n_exits;
  ee_jump_test test;
  double      *share;    // shape [n_exits]; adds up to 1
  double       samples;  // that the shares rest on, counting smoothing; 0: none was seen
  int          jumped;   // epochs since the jump that the newest epoch showed; 0: it showed none
  ee_cusum    *sum;      // shape [n_exits]
  int64_t     *recent;   // shape [EE_SHARES_RECENT, n_exits], counts of epoch k at k modulo that
  int64_t      epochs;   // that were counted
} ee_shares;

/** Begin with every sample going to the end.  @return EE_OK; EE_ERR_NOMEM */
ee_status ee_shares_open(int n_exits, ee_jump_test test, ee_shares *shares);
void      ee_shares_close(ee_shares *shares);

/** Learn from one epoch, of which @p left[x] samples left at exit x; nothing if none did. */
void ee_shares_update(ee_shares *shares, const int64_t *left);
