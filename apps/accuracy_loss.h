/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/replay.h"

/** @file accuracy_loss.h  What rounding between layers costs, told by two exit tables. */

/**
 * Accuracy of @p policy on the table @p other, of the samples that @p table of @p path has.
 * @return EE_OK; EE_ERR_ARG unless both have the same labels, some of them known, and as many exits
 *         and classes, or if the policy cannot be; as ee_exits_load() does
 */
ee_status ee_accuracy_of_other(const ee_exit_table *table, const char *path, const char *other,
                               const char *policy, const ee_replay_options *options, int seeds,
                               double *accuracy);

/** Accuracy of @p policy on @p table, of @p path.  EE_ERR_ARG if no sample is labelled. */
ee_status ee_accuracy_of(const ee_exit_table *table, const char *path, const char *policy,
                         const ee_replay_options *options, int seeds, double *accuracy);
