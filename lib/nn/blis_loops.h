/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "blis_kernel.h"

/**
 * @file blis_loops.h
 * The copying around the micro-kernel: pixels into panels, tiles into results.  Each loop is
 * compiled for several vector lengths and chosen at run time; all give the same bits.
 */

/** Neighbouring pixels of one output row: lanes [lane, lane + n) of a panel or tile. */
typedef struct ee_blis_run {
  int64_t
      offset;  // of the first one from where channel 0's (source) or row 0's (result) data begin
  int lane, n;
} ee_blis_run;

/** A panel of pixels: panel[(c taps + t) lanes + lane + i] =
 *  source[c channel_step + tap[t] + offset + i step]. */
typedef struct ee_blis_gather {
  const float       *source;
  int64_t            channels, channel_step;
  int64_t            taps;
  const int64_t     *tap;  // shape [taps]
  int                n_runs;
  const ee_blis_run *run;   // shape [n_runs]
  int64_t            step;  // between neighbouring pixels
  int                lanes;
  float             *panel;  // lanes that no run covers are left as they are
} ee_blis_gather;

/** A tile's way into the result: out[r row_step + offset + i] =
 *  act(alpha tile[r, lane + i] + beta c[r c_row_step + (lane + i) c_lane_step]). */
typedef struct ee_blis_scatter {
  const float       *tile;
  int                lanes, rows;  // of the tile; rows that are stored
  float              alpha, beta;
  const float       *c;                        // NULL: none
  int64_t            c_row_step, c_lane_step;  // the latter 0 or 1
  ee_activation      act;
  float             *out;
  int64_t            row_step;
  int                n_runs;
  const ee_blis_run *run;  // shape [n_runs]
} ee_blis_scatter;

typedef struct ee_blis_loops {
  void (*gather)(const ee_blis_gather *gather);
  void (*scatter)(const ee_blis_scatter *scatter);
} ee_blis_loops;

/** The loops for this processor. */
const ee_blis_loops *ee_blis_loops_get(void);
