/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/model.h"

/**
 * Shares of samples that leave at each exit of the table @p exits under @p policy, by replay.
 * @param[out] share  shape [n_exits], adds up to 1
 * @return EE_OK; EE_ERR_ARG if the table is not one of @p model or has no samples, or if the policy
 *         cannot be; as ee_exits_load() does
 */
ee_status ee_exit_shares(const char *exits, const char *policy, const ee_model *model,
                         double *share);

/** @p status of a search for plans of limited period.  Where none is short enough and @p share is
 *  NULL, its sentence says that early exits were not counted, and how they would be. */
ee_status ee_hint_at_shares(ee_status status, const double *share);
