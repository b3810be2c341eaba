/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>

#include "whole.h"

/**
 * @file duel.h
 * Two programs of the same network measured in turn, so that whatever slows the host down slows
 * both; in CPU time, so that what other processes take is not counted.  An engine of one thread
 * that never sleeps takes as much of that as of any time, if it is alone.
 */

/** Times of the second in units of the first, over rounds. */
typedef struct ee_ratio {
  double median, upper;  // upper: of the third quartile, below 1 only if most rounds agree
} ee_ratio;

typedef struct ee_duel {
  int       n_rounds;
  double    cpu_share;  // of the time of all turns in which this process had a core
  ee_ratio  whole;
  ee_ratio *part;  // shape [n_layers + n_exits]: layers, then heads; NAN where nothing is run
} ee_duel;

/** Whether the second is faster by more than @p gain, a share of the first's time, and not by
 * chance of a few rounds. */
bool ee_duel_is_won(ee_ratio ratio, double gain);

/**
 * Measure.  In each turn a program makes whole passes, the first of which does not count, so that
 * every layer finds the caches as other layers of the same program left them.
 * @param[in]  input    shape [batch_limit, elements of a sample]
 * @param      seconds  of CPU time that all turns should take; there are five rounds at least [s]
 * @param[out] duel     the caller frees it; nothing to free on error
 * @return EE_OK; EE_ERR_NOMEM
 */
ee_status ee_duel_fight(ee_whole *first, ee_whole *second, const float *input, double seconds,
                        ee_duel *duel);

void ee_duel_free(ee_duel *duel);
