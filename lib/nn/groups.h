/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "program.h"

/**
 * @file groups.h
 * Which nodes of a range of layers are run one after the other for a few samples of a batch at a
 * time, so that what one of them writes is still in cache when the next one reads it.
 */

/** Nodes [first, end), at most `at_once` samples at a time. */
typedef struct ee_group {
  int first, end;
  int at_once;
} ee_group;

/** The groups of a range, in order. */
typedef struct ee_groups {
  int       n, max_batch;
  ee_group *group;  // shape [n]
} ee_groups;

/**
 * Find the groups of layers [@p begin, @p end) of @p program's model for batches of up to
 * @p max_batch samples.  No group goes on behind a layer that has an exit.  Not collective.
 * @param[in]  start   shape [n_layers + 1], first node of each layer
 * @param[out] groups  the caller ends it with ee_groups_free()
 * @return EE_OK; EE_ERR_NOMEM
 */
ee_status ee_groups_find(const ee_program *program, const int *start, int begin, int end,
                         int max_batch, ee_groups *groups);

/** The group of node @p k if it takes fewer samples at once than the largest batch has; else
 *  NULL. */
const ee_group *ee_groups_sliced(const ee_groups *groups, int k);

void ee_groups_free(ee_groups *groups);
