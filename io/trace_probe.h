/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/status.h"

/**
 * @file trace_probe.h
 * Trying in a child process what a damaged file could make crash.
 */

/**
 * Run @p read in a child process, whose memory and messages are thrown away.
 * @param path  of the file that @p read reads, for the sentence
 * @return what @p read returned, with its sentence; EE_ERR_FORMAT if the child died of it or used
 *         up a minute of CPU time or ten of patience; EE_ERR_NOMEM if no child can be made
 */
ee_status ee_trace_probe(const char *path, ee_status (*read)(const char *path));
