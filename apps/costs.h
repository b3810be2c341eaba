/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "whole.h"

/** @file costs.h  What layers and heads cost on this host. */

/** Measure @p whole, all heads included, and put the medians of @p repeats passes, 0: of as many as
 *  take @p seconds, into @p model, in seconds of CPU time per sample: the engine has one thread
 *  and never sleeps, so this is what they take where nothing else runs.
 *  @param[out] cpu_share  of the time measured in which this process had a core
 *  @return EE_OK; EE_ERR_NOMEM */
ee_status ee_costs_measure(ee_whole *whole, int repeats, double seconds, ee_model *model,
                           double *cpu_share);
