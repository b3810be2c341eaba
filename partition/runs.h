/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "chain.h"

/** @file runs.h  Stages of several unequal devices that follow each other; see ee/partition.h. */

/** What ee_partition_replicate_plan() says of unequal devices, without regard to slots for links to
 *  several devices.  @return as ee_planner.find */
ee_status ee_runs_find(const ee_chain *chain, ee_plan **plan);

/** Whether the devices of @p chain can stand in for each other, so that any of them may be in any
 *  stage.  @return EE_OK; EE_ERR_NOMEM */
ee_status ee_runs_alike(const ee_chain *chain, bool *alike);
