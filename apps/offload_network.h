/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/network_trace.h"
#include "ee/status.h"

/**
 * @file offload_network.h
 * The network that `edgeexit offload` sends samples over: one that always takes the same, or a
 * recorded one.
 */
typedef struct ee_offload_network {
  // As the command line has it.
  const char *delays, *bandwidth;  // paths of traces; NULL: none
  double      latency;             // [s]; NaN: not given
  double      bytes;               // of a sample; NaN: not given
  // Worked out.
  ee_network_trace trace;  // n = 0: none
} ee_offload_network;

/**
 * Read the trace that @p network names, and fill in what was not given: the latency is 0 with a
 * trace of delays and 0.05 s otherwise; the bytes are those that the exit table @p exits says are
 * alive behind the layers that run until exit @p last of the device.
 * @return EE_OK; EE_ERR_USAGE if options do not go together or bytes are not known; what reading
 *         returned
 */
ee_status ee_offload_network_open(ee_offload_network *network, const char *exits, int last);

/** Close; may be called on one that was not opened. */
void ee_offload_network_close(ee_offload_network *network);
