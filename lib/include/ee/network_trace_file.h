/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/network_trace.h"
#include "ee/status.h"

/**
 * @file network_trace_file.h
 * Recorded networks from text files, plain or gzip.
 *
 * Rows are lines of one or two numbers, apart by blanks, tabs or commas; empty lines and what
 * follows # are left out.  Times count from the first row's, rise strictly, and a row counts until
 * the next; the last one counts as long as the one before it (one second if it is the only one).
 * Not collective.
 */

/**
 * Read delays: two columns, time [s] and delay [s], not negative.
 * @param[out] trace  to be ended by ee_network_trace_free(); zeroed on error
 * @return EE_OK; EE_ERR_FILE; EE_ERR_FORMAT with file, line and value; EE_ERR_NOMEM
 */
ee_status ee_network_delays_load(const char *path, ee_network_trace *trace);

/**
 * Read bandwidths, either
 *
 *  - two columns, time [s] and bandwidth [Mbit/s], not negative, as Pensieve has them; or
 *  - one column, as Mahimahi has it: each line is a millisecond, a whole number that does not fall,
 *    at whose end one packet of 1500 bytes has crossed.  The last one is the period.
 *
 * Errors as ee_network_delays_load(); EE_ERR_FORMAT also if nothing ever crosses.
 */
ee_status ee_network_bandwidth_load(const char *path, ee_network_trace *trace);
