/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "chain.h"

/**
 * @file latency.h
 * The plan of least latency among those whose stages and links all keep to a period.
 */

/** How a device comes to hold layers: by beginning at a cut after another device. */
typedef struct ee_hop {
  int begin;  // of the stage that ends at this cut
  int from;   // device before the stage that begins at this cut; -1: none, it is the first
} ee_hop;

typedef struct ee_latency_search {
  ee_loads loads;
  double   penalty;  // per stage, so that rounding does not add stages [s]
  double  *finish;   // shape [n_devices, n_layers + 1], until device p is done with a layer [s]
  ee_hop  *hop;      // shape [n_devices, n_layers + 1]
  double  *gate;     // shape [n_layers + 1], until the device in hand may begin at a cut [s]
  double  *least;    // shape [n_layers + 1], least finish over the devices so far [s]
  int     *holder;   // shape [n_layers + 1], device of that finish
  int     *queue;    // shape [n_layers + 1], cuts to begin at
} ee_latency_search;

/** Room for any number of searches on one chain (borrowed).  To be destroyed also on error. */
ee_status ee_latency_search_create(const ee_chain *chain, ee_latency_search *s);

void ee_latency_search_destroy(ee_latency_search *s);

/**
 * Find the plan of least latency whose period is at most @p period, devices in index order.
 * @param[out] plan  owned by the caller; NULL if there is none
 * @return EE_OK, also if there is none; EE_ERR_NOMEM
 */
ee_status ee_latency_search_run(ee_latency_search *s, double period, ee_plan **plan);

/** Say why no plan in index order keeps to @p period [s]: nothing fits at all, or it is too short.
 *  @return the status of that, EE_ERR_ARG or EE_ERR_NOMEM */
ee_status ee_fail_too_short(const ee_chain *chain, double period);
