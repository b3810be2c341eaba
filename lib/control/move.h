/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "transfers.h"

/**
 * @file move.h
 * What moving from one plan to another takes of memory, and a plan on the way where that is short.
 * Pure functions of what all ranks know alike.
 */

/** A device that cannot hold two plans at once. */
typedef struct ee_shortage {
  int    device;         // -1: all can
  double needs, memory;  // [byte]
} ee_shortage;

/** The first device that `after` uses whose memory cannot hold the weights of both plans' stages
 *  and the slots and arenas of both. */
ee_shortage ee_move_shortage(const ee_estimate *estimate, const ee_plan *before,
                             const ee_plan *after);

/**
 * Where both plans do not fit at once: a plan on the way, that fits with @p before.  Its stages end
 * half the way, else a quarter, and so on, from where they end in @p before to where they end in
 * @p after, which must be on the same devices in the same order;
 * devices keep the turns of @p before.
 * @param[out] step  the caller's; NULL if there is none
 * @return EE_OK; EE_ERR_NOMEM
 */
ee_status ee_move_step(const ee_estimate *estimate, const ee_plan *before, const ee_plan *after,
                       ee_plan **step);
