/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/controller.h"
#include "estimate.h"

/**
 * @file move.h
 * What moving from one plan to another takes: where each layer comes from, seconds, memory.  Pure
 * functions of what all ranks know alike.
 */

/** Whether @p layer comes to device @p to from the model file, and not from its owner @p from.
 *  With EE_WEIGHTS_AUTO if bytes / file_rate is less than latency + bytes / bandwidth; from its
 *  owner if the file's rate is not known. */
bool ee_layer_from_file(const ee_estimate *estimate, ee_weights how, int layer, int from, int to);

/** Seconds until all layers are there: of the slowest pair of devices, latency + bytes / bandwidth,
 *  or of the slowest device, bytes / file_rate; what is not known takes no time. */
double ee_move_seconds(const ee_estimate *estimate, ee_weights how, const ee_plan *before,
                       const ee_plan *after);

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
 * @p after, which must be on the same devices in the same order.
 * @param[out] step  the caller's; NULL if there is none
 * @return EE_OK; EE_ERR_NOMEM
 */
ee_status ee_move_step(const ee_estimate *estimate, const ee_plan *before, const ee_plan *after,
                       ee_plan **step);
