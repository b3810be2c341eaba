/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/model.h"

/** @file branches.h  Which parts of a network lie side by side. */

enum { EE_BEFORE_BRANCHES = -1, EE_BEHIND_BRANCHES = -2 };

/**
 * Find the value at which branches begin that together have the most operations, where every exit
 * joins all of them.
 *
 * Each node that reads the value begins a branch.  A node with weights that depends on several
 * branches, but not on all of them, makes them one.  Nodes that depend on more than one of the
 * branches that then remain lie behind them.
 *
 * @param[out] lane     shape [n_nodes]: branch in [0, n_lanes), or one of the above
 * @param[out] n_lanes  branches; 0: there are none
 * @return EE_OK; EE_ERR_NOMEM
 */
ee_status ee_find_branches(const ee_model *model, int *lane, int *n_lanes);
