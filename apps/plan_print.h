/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "plan_find.h"

/** @file plan_print.h  Plans for people and for programs. */

void ee_promises_print_text(const ee_plan_question *question, const ee_promises *promises);

/** One JSON object.  What is not known is null.  EE_OK; EE_ERR_NOMEM. */
ee_status ee_promises_print_json(const ee_plan_question *question, const ee_promises *promises);

/** Find and print all trade-offs between period and latency, as a table or as JSON.
 *  @return as ee_partition_front() */
ee_status ee_plan_front_print(const ee_plan_question *question);
