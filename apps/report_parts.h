/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "report_data.h"

/**
 * @file report_parts.h
 * The parts of a report, each filled in by one function; used by ee_report_make() only.
 */

/** Count one answer. */
void ee_report_count(const ee_answer *answer, ee_report_exit *exit);

/** Lanes that answers lacked, and time spent in vain; nothing of a chain of devices. */
ee_status ee_report_team(const ee_report_input *input, ee_report *report);

/** Time per kind on each device, and the durations of the controller's sums. */
ee_status ee_report_devices(const ee_report_input *input, ee_report *report);

/** Bytes from device to device; after ee_report_devices(). */
ee_status ee_report_links(const ee_report_input *input, ee_report *report);

/** Plans in the order of their epochs; @p sorted has the answers by time. */
ee_status ee_report_plans(const ee_report_input *input, const ee_answer *sorted, ee_report *report);

/** Arms and rewards by tenths of the stream; nothing if the policy had no arms. */
ee_status ee_report_arms(const ee_report_input *input, ee_report *report);

/** Adopted plans, and how often each verdict was given. */
ee_status ee_report_moves(const ee_report_input *input, ee_report *report);
