/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/partition.h"

/** @file turns.h  How many batches of a round each device of a stage takes. */

/**
 * Give the devices of stage @p s of @p plan, all present, turns in proportion to their speed.
 *
 * With k = 1, 2, ... turns of the fastest device the others have those that they can take in the
 * same time, rounded down, but 1 at least: the first k with which the round takes at most 1 / 256
 * longer than with shares in exact proportion, else that of up to 256 with which it takes least.
 * @return EE_OK; EE_ERR_NOMEM
 */
ee_status ee_deal_turns(const ee_chain *chain, ee_plan *plan, int s);
