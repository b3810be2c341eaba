/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "ee/fleet.h"

/**
 * @file pacer.h
 * The paced clock: how long computing and sending would take on the devices of a fleet.
 *
 * A link carries one message after the other: transmission starts when the message was posted or
 * when the one before it is through, takes bytes / bandwidth, and the message arrives `latency`
 * later: latency delays a message but does not occupy the link.  A bandwidth or a speed that
 * changes over time is that of the moment when the transmission or the computing begins; a link
 * that was recorded carries a message at the bandwidths that follow.  The receiver keeps the books,
 * for everything that comes from one peer.
 *
 * A credit takes the latency of the way back and no more: it is a few bytes.
 *
 * On the simulated clock the platform's links hold messages back, and nothing is added to that.
 */
typedef struct ee_pacer {
  const ee_fleet *fleet;  // NULL: the real clock, nothing is held back
  double          host_flops;
  int             rank;
  int64_t        *free_at;  // shape [n_devices], when the link from a peer is through [ns]
} ee_pacer;

ee_status ee_pacer_open(const ee_fleet *fleet, double host_flops, int rank, ee_pacer *pacer);
void      ee_pacer_close(ee_pacer *pacer);

#define EE_PACER_LONGEST ((int64_t)1 << 60)  // no modelled time is longer, about 36 years [ns]

/** Time that @p flops take on this device when begun at @p now; 0 on the real clock;
 *  EE_PACER_LONGEST on a device that has no speed then [ns]. */
int64_t ee_pacer_compute(const ee_pacer *pacer, double flops, int64_t now);

/**
 * When a message that @p peer posted at @p sent arrives [ns]; 0 on the real and the simulated clock
 * and from itself.
 * Call once per message, in the order they were sent.
 * @param[out] occupied  how long it occupies the link [ns]; may be NULL
 */
int64_t ee_pacer_arrival(ee_pacer *pacer, int peer, int64_t sent, size_t bytes, int64_t *occupied);

/** When a credit that @p peer gave at @p given is back here [ns]; 0 on the real and the simulated
 *  clock and from itself. */
int64_t ee_pacer_credit(const ee_pacer *pacer, int peer, int64_t given);
