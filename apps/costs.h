/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "whole.h"

/** @file costs.h  What layers and heads cost on this host. */

/** Measure @p whole, all heads included, and put the medians of @p repeats passes, 0: of as many as
 *  take @p seconds, into @p model, in seconds per sample.  @return EE_OK; EE_ERR_NOMEM */
ee_status ee_costs_measure(ee_whole *whole, int repeats, double seconds, ee_model *model);
