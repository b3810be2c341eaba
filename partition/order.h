/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "types.h"

/**
 * @file order.h
 * Orders of devices: the best by type, a good one by trying, and plans for a given one.
 */

/** How many devices of each type are in use is a state.  For every state and every type that may
 *  own the last layers, the set of cuts that can be reached within a period. */
typedef struct ee_order_search {
  ee_loads  loads;
  ee_types  types;
  size_t    words;     // of a set of cuts
  size_t    n_states;  // product over the types of count + 1
  size_t   *stride;    // shape [n_types], what one device more adds to the index of a state
  uint64_t *reached;   // shape [n_states, n_types, words]
  bool     *alive;     // shape [n_states], whether any cut is reached
  uint64_t *ends;      // shape [n_types, n_layers, words], cuts where a stage from a cut can end
  uint64_t *open;      // shape [n_types, n_types, words], cuts that a link carries in time
  uint64_t *begins;    // shape [words], cuts that the type in hand may begin at
  int      *used;      // shape [n_types], of the state in hand
  int      *row;       // shape [n_devices], types of the devices in use, in order
} ee_order_search;

/** Whether the sets stay within the memory that the search may take. */
bool ee_order_search_is_small(const ee_chain *chain, const ee_types *types);

/** Takes chain, which is borrowed and passed ee_chain_check().  To be destroyed also on error. */
ee_status ee_order_search_create(const ee_chain *chain, ee_order_search *s);

void ee_order_search_destroy(ee_order_search *s);

/**
 * The shortest period in any order, to 1e-12 relatively, and an order that has it.
 * @param[in]  period  some order has this one; INFINITY: none is known [s]
 * @param[out] order   shape [n_devices], a permutation; written only if *found
 * @param[out] found   false: no order has a period less than @p period, or nothing fits at all
 */
void ee_order_search_run(ee_order_search *s, double period, int *order, bool *found);

/** Chains whose devices are permuted, and their plans. */
typedef struct ee_permuted {
  const ee_chain *chain;                                 // borrowed
  double         *speed, *memory, *bandwidth, *latency;  // of the permuted chain
} ee_permuted;

/** To be destroyed also on error.  @return EE_OK; EE_ERR_NOMEM */
ee_status ee_permuted_create(const ee_chain *chain, ee_permuted *p);

void ee_permuted_destroy(ee_permuted *p);

/**
 * ee_partition_exact() with devices in @p order, shape [n_devices], a permutation.
 * @param[out] plan    names devices as the chain does; owned by the caller; NULL on error
 * @param[out] period  of the plan; INFINITY on error [s]
 */
ee_status ee_permuted_plan(ee_permuted *p, const int *order, ee_plan **plan, double *period);

/**
 * Improve @p order, shape [n_devices], by swapping and moving devices as long as the period of
 * ee_permuted_plan() gets shorter and not too much has been tried; start from it or from fastest
 * first, whichever is better.  Deterministic; no promise.
 * @param[in] period  of the plan in the order given; INFINITY if there is none [s]
 * @return EE_OK; EE_ERR_NOMEM
 */
ee_status ee_order_improve(ee_permuted *p, double period, int *order);
