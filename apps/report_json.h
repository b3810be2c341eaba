/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <cJSON.h>

#include "report_data.h"

/** @file report_json.h  What several JSON objects of a report have. */

/** Add `answers`, their `share` of @p answered, and `accuracy`. */
void ee_report_add_answers(cJSON *to, const ee_report_exit *e, int64_t answered);
