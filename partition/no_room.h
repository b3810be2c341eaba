/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "chain.h"

/** @file no_room.h  Why no plan fits. */

/** EE_ERR_ARG with what a single layer needs that is too large for every device, or how many of the
 *  largest devices the layers would need.  Memory of all devices is limited. */
ee_status ee_no_room(const ee_loads *loads);
