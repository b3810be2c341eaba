/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "wire.h"

/** @file start_clock.h  When a run begins. */

/** Start all ranks together; on one host, and on the simulated clock, they share the instant that
 *  counts as zero, which is returned, on this host's clock [ns].  Collective. */
int64_t ee_start_clock(const ee_wire *wire);
