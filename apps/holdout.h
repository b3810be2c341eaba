/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "ee/exit_table.h"

/** @file holdout.h  Which samples are held out, to measure on what nothing was fitted to. */

/**
 * Mark round(@p share n) of @p n samples, at least one and at most all but one, each set of them as
 * likely as any other.
 * @param[out] held    malloc()ed, the caller's: shape [n]; NULL on error
 * @param[out] n_held  how many are marked
 * @return EE_OK; EE_ERR_ARG if there are fewer than two; EE_ERR_NOMEM
 */
ee_status ee_holdout_draw(int64_t n, double share, uint64_t seed, bool **held, int64_t *n_held);

/**
 * Deal the rows of @p all out so; each part keeps their order.
 * @param[out] rest, held  owned by the caller; NULL on error
 */
ee_status ee_holdout_split(const ee_exit_table *all, double share, uint64_t seed,
                           ee_exit_table **rest, ee_exit_table **held);
