/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/partition.h"

/**
 * @file baseline.h
 * Planners to compare with.  Both see which devices are present and refuse what does not fit.
 */

/** Layers spread over the present devices in index order, as equal in number as can be. */
ee_status ee_partition_uniform(const ee_chain *chain, ee_plan **plan);

/** ee_partition_exact() of the same chain with every reach 1: balanced for the full depth, blind
 *  to the exits. */
ee_status ee_partition_flops(const ee_chain *chain, ee_plan **plan);
