/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/fleet.h"

/** @file collapse.h  Devices of a fleet file that get too slow to serve. */

/**
 * Warn of each, and let it be away meanwhile, if layers can be taken from it.  Warn too if all
 * devices are away at some time.
 * @param say     whether this rank is the one that warns
 * @param leaves  whether plans may change, or are being made
 * @return EE_OK; EE_ERR_NOMEM
 */
ee_status ee_leave_collapsed(bool say, bool leaves, ee_fleet *fleet);
