/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "estimate.h"

/**
 * @file offload_cost.h
 * What it costs to offload a sample, measured by the time it takes.
 */

#define EE_OFFLOAD_COST_MOST 8.0  // as much as a policy may be told

/**
 * Cost of sending one sample over all links of @p plan, with the time of a layer as the unit:
 *
 *   layer_cost * sum_s (latency_s + bytes_s / bandwidth_s) / (seconds per layer of the first stage)
 *
 * where s goes over the links between stages, the first stage is the device that would offload, and
 * bytes_s are those alive at the plan's cut; with setup->offload, over the first link, the mean of
 * those alive behind the first stage's exits.
 * Bandwidths and speeds are the estimate's, so the cost is the same on every rank.  A cost above
 * EE_OFFLOAD_COST_MOST counts as that.
 * @param[in] layer_cost  cost of one layer, > 0
 * @return >= 0; 0 for a plan of one stage; NaN while the first stage's speed is not known
 */
double ee_offload_cost_of(const ee_estimate *estimate, const ee_plan *plan, bool offload,
                          double layer_cost);
