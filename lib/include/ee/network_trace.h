/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * @file network_trace.h
 * How long a network takes as time goes on, as it was recorded: either its delays, or the bandwidth
 * that transfers share out.  Data only; io reads it.  Nothing here is collective.
 */

/** All arrays belong to the trace.  Row i counts in [at[i], at[i + 1]); behind the last row the
 *  trace begins again. */
typedef struct ee_network_trace {
  int     n;      // rows, >= 1
  double *at;     // shape [n + 1], from 0 on, rising strictly; at[n] is the period [s]
  double *delay;  // shape [n] [s]; NULL if the bandwidth is known instead
  char   *path;   // of the file that it is from; NULL: none
  double *bits;  // shape [n + 1], that crossed in [0, at[i]), not falling; NULL if delays are known
} ee_network_trace;

/**
 * How long a transfer of @p bytes takes that begins at time @p t [s]: the delay of the row that
 * counts then, whatever the bytes; or the time until the bandwidth from then on has carried them,
 * through rows in which nothing crosses.
 * @param bytes  >= 0
 * @param t      >= 0 [s]
 */
double ee_network_delay(const ee_network_trace *trace, double bytes, double t);

/** Bits that crossed in [0, @p t), through as many periods as that takes; the bandwidth is known.
 */
double ee_network_bits_until(const ee_network_trace *trace, double t);

/** Free what @p trace holds and zero it. */
void ee_network_trace_free(ee_network_trace *trace);
