/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>

#include "ee/partition.h"

/**
 * @file chain.h
 * What planners ask of a chain again and again, from prefix sums.
 *
 * Planner, probe and forecast get every load from here, so that they compare the same doubles.
 */
typedef struct ee_loads {
  const ee_chain *chain;   // borrowed
  double         *work;    // shape [n_layers + 1], expected work of the layers before a cut [FLOP]
  double         *weight;  // shape [n_layers + 1], weights of the layers before a cut [byte]
  double         *cut;     // shape [n_layers + 1], load of every link [s]; NULL if links differ
} ee_loads;

/** Check the chain and sum it up.  @return EE_OK; EE_ERR_ARG; EE_ERR_NOMEM (nothing to free) */
ee_status ee_loads_create(const ee_chain *chain, ee_loads *loads);

void ee_loads_destroy(ee_loads *loads);

/** EE_OK, or EE_ERR_ARG: @p plan is wrong or not for the layers and devices of @p chain. */
ee_status ee_chain_check_plan(const ee_chain *chain, const ee_plan *plan);

/** Expected work of layer @p l and of the heads after it, per admitted sample [FLOP]. */
double ee_chain_layer_work(const ee_chain *chain, int l);

/** Whether device @p d can own layers. */
bool ee_chain_present(const ee_chain *chain, int d);

/** Work per admitted sample of copying what passes cut @p i and cut @p j of stage [i, j) [FLOP]. */
double ee_chain_copy_work(const ee_chain *chain, int i, int j);

/** Seconds per admitted sample of layers [i, j) on device @p d, which is present [s]. */
double ee_stage_load(const ee_loads *loads, int d, int i, int j);

/** The same without copying: never more, and never less than that of a part of the layers.  Equal
 *  to the load, and so the loads of parts are never more either, unless the chain has copy_work. */
double ee_stage_floor(const ee_loads *loads, int d, int i, int j);

/** Seconds per admitted sample of the link that carries @p cut; 0 if from is to [s]. */
double ee_link_load(const ee_chain *chain, int from, int to, int cut);

/** Seconds until a sample alone in its message is over that link, times its reach [s]. */
double ee_link_delay(const ee_chain *chain, int from, int to, int cut);

/** The same of the link from the source to the first stage, if that is on device @p d [s]. */
double ee_source_load(const ee_chain *chain, int d);
double ee_source_delay(const ee_chain *chain, int d);

/** Whether the memory of device @p d is limited. */
bool ee_chain_limited(const ee_chain *chain, int d);

/** Bytes that layers [i, j) need: weights and the messages of both cuts [byte]. */
double ee_stage_bytes(const ee_loads *loads, int i, int j);

/** Weights of layer @p l, as they come and packed [byte], and what [@p i, @p j) needs to run. */
double ee_chain_held_bytes(const ee_chain *chain, int l);
double ee_chain_run_bytes(const ee_chain *chain, int i, int j);

/** Whether layers [i, j) fit into the memory of device @p d. */
bool ee_stage_fits(const ee_loads *loads, int d, int i, int j);
