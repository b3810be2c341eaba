/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/fleet.h"

/** @file platform_file.h  A fleet as SimGrid's description of a platform. */

/**
 * Write platform.xml, hosts, and a file for each link whose bandwidth changes, into @p folder.
 *
 * Device d is host "d<d>".  Each ordered pair of devices has a link of its own, as in the fleet;
 * messages that are on one link together share its bandwidth.  Changes of a bandwidth count from
 * EE_SIMULATION_BEGINS.  Speeds are not SimGrid's matter: the runtime paces computing.
 * @return EE_OK; EE_ERR_FILE
 */
ee_status ee_platform_write(const char *folder, const ee_fleet *fleet);
