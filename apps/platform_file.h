/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/fleet.h"

/** @file platform_file.h  A fleet as SimGrid's description of a platform. */

#define EE_PLATFORM_ALL_PAIRS 256  // devices of a fleet in which every pair has a link to itself

/**
 * Write platform.xml, hosts, and a file for each link whose bandwidth changes, into @p folder.
 *
 * Device d is host "d<d>".  Each ordered pair of devices has a link of its own, as in the fleet;
 * whether messages on one link follow each other or share it is a setting of SimGrid's.  In a fleet
 * of more than EE_PLATFORM_ALL_PAIRS devices, pairs that are more than 16 apart, not with device 0,
 * and on the commonest link, have none: their messages take as long as on one, but do not slow each
 * other down.  Changes of a bandwidth count
 * from EE_SIMULATION_BEGINS.  Speeds are not SimGrid's matter: the runtime paces computing.
 * @return EE_OK; EE_ERR_FILE
 */
ee_status ee_platform_write(const char *folder, const ee_fleet *fleet);
