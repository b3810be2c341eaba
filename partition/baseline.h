/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/partition.h"

/**
 * @file baseline.h
 * Planners to compare with.  All see which devices are present and refuse what does not fit.
 */

/** Layers spread over the present devices in index order, as equal in number as can be. */
ee_status ee_partition_uniform(const ee_chain *chain, ee_plan **plan);

/** ee_partition_exact() of the same chain with every reach 1: balanced for the full depth, blind
 *  to the exits. */
ee_status ee_partition_flops(const ee_chain *chain, ee_plan **plan);

/** The chain with every reach 1.  @p ones, shape [n_layers], is filled and then borrowed. */
ee_chain ee_chain_blind(const ee_chain *chain, double *ones);

/** Make a plan for the present devices alone one for all: its n-th device becomes the n-th present
 *  one.  @return as ee_partition_fits(); on error *plan is destroyed */
ee_status ee_plan_on_present(const ee_chain *chain, ee_plan **plan);

/** How many devices are present. */
int ee_chain_count_present(const ee_chain *chain);
