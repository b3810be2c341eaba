/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdint.h>

#include "ee/trace_file.h"

/** @file report_digest.h  One number for all answers of a run. */

/** Of each answer's id, exit, prediction, confidence and, where the trace has them, logits, bit by
 *  bit; the order in which answers came plays no part.  Equal for runs that gave the same answers;
 *  else, but for one case in 2^64, not. */
uint64_t ee_report_digest(const ee_trace_file *file);
