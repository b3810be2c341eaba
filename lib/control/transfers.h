/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/controller.h"
#include "estimate.h"

/**
 * @file transfers.h
 * Which layers travel from one plan to another, where each comes from and how long it takes.  Pure
 * functions of what all ranks know alike.
 *
 * A layer comes to every device that has it in the new plan and not in the old one.  Of several old
 * owners one sends all that a device needs of their stage: the one whose link takes least for it,
 * latency + bytes / bandwidth; among equals, and of more than 16 owners, those that are looked at
 * begin at another one for each receiver, so that owners share the work.
 */

/** One layer on its way to one device. */
typedef struct ee_transfer {
  int layer, to;
  int from;  // its owner; -1: the model file
} ee_transfer;

/** All of a move: device by device, the layers of each in order. */
typedef struct ee_transfers {
  int          n;
  ee_transfer *of;  // shape [n]
} ee_transfers;

/** Whether @p layer comes to device @p to from the model file, and not from its owner @p from.
 *  With EE_WEIGHTS_AUTO if bytes / file_rate is less than latency + bytes / bandwidth; from its
 *  owner if the file's rate is not known. */
bool ee_layer_from_file(const ee_estimate *estimate, ee_weights how, int layer, int from, int to);

/** List what travels from @p before to @p after.  @return EE_OK; EE_ERR_NOMEM (nothing to close) */
ee_status ee_transfers_open(const ee_estimate *estimate, ee_weights how, const ee_plan *before,
                            const ee_plan *after, ee_transfers *transfers);
void      ee_transfers_close(ee_transfers *transfers);

/** Seconds until all layers are there: of the slowest pair of devices, latency + bytes / bandwidth,
 *  or of the slowest device, bytes / file_rate; what is not known takes no time. */
double ee_move_seconds(const ee_estimate *estimate, ee_weights how, const ee_plan *before,
                       const ee_plan *after);
