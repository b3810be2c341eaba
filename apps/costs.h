/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "whole.h"

/** @file costs.h  What layers and heads cost on this host. */

/** Measure @p whole, all heads included, and put the medians of @p repeats passes, 0: of as many as
 *  take @p seconds, into @p model, in seconds of CPU time per sample, and with what they were
 *  measured: the engine has one thread and never sleeps, so this is what they take where nothing
 *  else runs.
 *  @param[out] cpu_share  of the time measured in which this process had a core
 *  @return EE_OK; EE_ERR_NOMEM */
ee_status ee_costs_measure(ee_whole *whole, int repeats, double seconds, ee_model *model,
                           double *cpu_share);

/**
 * Measure what a cut takes of the engine on each side: values change to the form in which they
 * cross, are copied out and in, and change back, and what was in the caches is not any more.  From
 * then on @p whole is cut in front of every layer.
 * @param[out] seconds  of CPU time for one byte that crosses, on each side; 0 if there is no cut or
 *                      the difference drowns in noise [s/byte]
 * @return EE_OK; EE_ERR_NOMEM
 */
ee_status ee_cut_cost_measure(ee_whole *whole, int repeats, double *seconds);
