/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <limits.h>

#include "chain.h"

/**
 * @file exact.h
 * What the two passes of the exact planner share.  See exact.c.
 */

/** How layers [0, j) are best held if device p owns the last of them. */
typedef struct ee_held {
  double squares;  // of the stage loads [s^2]
  int    stages;   // EE_UNREACHED if there is no way
  int    begin;    // first layer of the last stage
  int    before;   // device of the stage before it; -1 if none
} ee_held;

#define EE_UNREACHED INT_MAX
#define EE_RANKED_LEAST 16  // devices that are kept at a cut, if there are as many

/** A device that can end at a cut, and how well: fewer stages first, then the lower value. */
typedef struct ee_ranked {
  double value;   // first pass: finish [s]; second: squares [s^2]
  int    stages;  // first pass: 0
  int    device;
} ee_ranked;

/** The devices that can end at a cut, best last. */
typedef struct ee_ranking {
  int       n;
  bool      all;  // none was dropped; else those that were are no better than the first here
  ee_ranked of[2 * EE_RANKED_LEAST];
} ee_ranking;

/** Tables; P devices in rows, cuts in columns, so that a pass walks along memory.  Where links
 *  differ, the devices that can end at a cut are ranked, so that of all that come before a device
 *  only the first few are looked at. */
typedef struct ee_search {
  ee_loads loads;
  double  *finish;  // shape [n_devices, n_layers + 1], first pass [s]
  ee_held *held;    // shape [n_devices, n_layers + 1], second pass
  double  *gate;    // shape [n_layers + 1], least period with which a device may begin at a cut [s]
  ee_held *entry;   // shape [n_layers + 1], how layers are held when a device begins at a cut
  double  *least;   // shape [n_layers + 1], least finish over the devices so far [s]
  ee_held *best;    // shape [n_layers + 1], best held over the devices so far; `before` holds it
  int     *column;  // shape [n_layers + 1], cuts that a device may begin at
  int     *row;     // shape [n_layers + 1], cuts that a device can end at
  int     *last;    // shape [n_layers + 1], for each row the last column that it can use
  ee_ranking *ranked;  // shape [n_layers + 1], who can end at a cut; NULL if links are equal
} ee_search;

static inline double *ee_finish_of(const ee_search *s, int p) {
  return s->finish + (size_t)p * ((size_t)s->loads.chain->n_layers + 1);
}

static inline ee_held *ee_held_of(const ee_search *s, int p) {
  return s->held + (size_t)p * ((size_t)s->loads.chain->n_layers + 1);
}

/** Put a device that can end at @p cut in front of those that do so as well or better.  Later
 *  devices mostly do better, so few move. */
void ee_search_rank(ee_search *s, int cut, ee_ranked one);

/** Forget the ranks, if links differ. */
void ee_search_unrank(ee_search *s);

/** First pass: fill finish and return the least period; INFINITY if nothing fits [s]. */
double ee_search_period(ee_search *s);

/** Second pass: fill held and best with the stages and links that take at most @p period. */
void ee_search_stages(ee_search *s, double period);
